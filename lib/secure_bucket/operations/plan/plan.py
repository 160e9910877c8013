"""Plan the rollout: assign the buckets of templates, accounts and logs to waves."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec.structs import replace

from secure_bucket.findings.finding import Fault, Report
from secure_bucket.findings.rules import OLD_TLS
from secure_bucket.findings.subject import Running
from secure_bucket.formats.cases import cases_of
from secure_bucket.formats.summary import count
from secure_bucket.operations.audit.audit import Audit
from secure_bucket.operations.plan.actions import actions_of
from secure_bucket.operations.plan.decision import Circumstances, Decision
from secure_bucket.operations.plan.deployments import warn_of_joint_deployments
from secure_bucket.operations.plan.join import Joined, clients_of, join
from secure_bucket.operations.plan.order import order_moves
from secure_bucket.operations.plan.planned_bucket import Client, ClientUse, Declaration, PlannedBucket, Wave
from secure_bucket.operations.plan.reasons import reasons_of
from secure_bucket.operations.plan.rollout import Move, PlanSource, Rollout, RolloutError
from secure_bucket.operations.plan.sentences import some
from secure_bucket.proof.verdict import Proven

__all__ = ["plan_rollout"]

_TIME = "%Y-%m-%dT%H:%M:%SZ"


def plan_rollout(
    *,
    check: Report | None = None,
    review: Report | None = None,
    audit: Audit | None = None,
    names: Mapping[tuple[str, str], str] | None = None,
    now: datetime.datetime | None = None,
    maximum_age: int = 7,
    minimum_window: int = 30,
) -> Rollout:
    """Plan the order in which to deny plain HTTP, so that no client breaks by surprise.

    Buckets of templates, accounts and logs are the same only if they have the same name. `names` provides the
    names that CloudFormation generated.

    Args:
        check: The report of a check of templates, from `check_assembly` (default: no templates).
        review: The report of a review of accounts, from `review_accounts` (default: no accounts).
        audit: The audit of logs, from `audit_logs` (default: no logs). To name clients, it has to be grouped
            by bucket and requester, which is the default of `audit_logs`.
        names: The names of buckets by the file of their template and their logical id, from
            `names_of_buckets` (default: only the names in the templates).
        now: The time of the plan (default: the time of the clock).
        maximum_age: The maximum number of days since the end of the logs for a safe bucket; an older check or
            review gives a warning (default: 7).
        minimum_window: The minimum number of days of logs for a safe bucket, even if the audit required less
            (default: 30).

    Returns:
        Every bucket in exactly one wave, in the order of enforcement, and the moves of clients in their
        order. Equal arguments give equal plans.

    Raises:
        RolloutError: If there is no source, no source contains a bucket, or the sources contradict each
            other.

    Examples:
        >>> from secure_bucket import check_template
        >>> from secure_bucket.operations.plan import Wave, plan_rollout
        >>> template = {"Resources": {"Reports": {"Type": "AWS::S3::Bucket"}}}
        >>> rollout = plan_rollout(check=check_template(template))
        >>> rollout.buckets[0].wave
        <Wave.EVIDENCE: 3>
    """
    if check is None and review is None and audit is None:
        raise RolloutError("there is nothing to plan from: give templates, a review, or logs")
    now = now or datetime.datetime.now(datetime.timezone.utc)
    joined = join(check, review, audit, names or {})
    faults = tuple(_faults(check, review, audit))
    if not joined and not faults:
        raise RolloutError("nothing that was given knows any bucket: there is nothing to plan")
    circumstances = Circumstances(
        now,
        maximum_age,
        minimum_window,
        audit is not None,
        review is not None,
        sum(not each.name for each in joined),
        {} if review is None else _left_out(review),
        audit is not None and bool(audit.faults),
    )
    clients = {} if audit is None else clients_of(audit)
    decided = [_decide(each, clients.get(each.name, ()), circumstances) for each in joined]
    moved, moves = _moves([bucket for bucket in decided if bucket.wave is Wave.CLIENTS])
    buckets = sorted((moved.get(bucket.name, bucket) for bucket in decided), key=_rank)
    sources = tuple(_sources(check, review, audit, now))
    old_tls = tuple(sorted({*_old_tls(check), *_old_tls(review)}))
    return Rollout(
        warn_of_joint_deployments(buckets),
        moves,
        sources,
        (*_warnings(sources, audit, moves, maximum_age), *_unseen(review, old_tls)),
        faults,
        None if audit is None else audit.minimum_tls,
        any(each.kind != "logs" and each.days is not None and each.days > maximum_age for each in sources),
        old_tls,
    )


def _rank(bucket: PlannedBucket) -> tuple[int, int, int, str, str]:
    """Return the sort key of a bucket: within a wave, the bucket with the fewest requests comes first."""
    requests = 0 if bucket.logged is None else bucket.logged.requests
    return *bucket.position, requests, bucket.name or "\x7f", bucket.label


def _moves(buckets: list[PlannedBucket]) -> tuple[dict[str, PlannedBucket], tuple[Move, ...]]:
    """Return the buckets of the wave of clients with the numbers of their moves, and the moves."""
    whole = {bucket.name: bucket for bucket in buckets if bucket.clients and not bucket.unnamed}
    needs = {name: frozenset(use.client for use in bucket.clients) for name, bucket in whole.items()}
    moves = [Move(number, *move) for number, move in enumerate(order_moves(needs), 1)]
    rest = [bucket for bucket in buckets if bucket.name not in whole]
    if rest:
        gone = {client for move in moves for client in move.clients}
        left: set[Client] = {use.client for bucket in rest for use in bucket.clients} - gone
        frees = tuple(sorted(bucket.name for bucket in rest))
        moves.append(Move(len(moves) + 1, tuple(sorted(left)), frees, whole=False))
    by_name = {bucket.name: bucket for bucket in buckets}
    return {name: replace(by_name[name], move=move.number) for move in moves for name in move.frees}, tuple(
        moves
    )


def _faults(check: Report | None, review: Report | None, audit: Audit | None) -> Iterable[Fault]:
    for source in (check, review, audit):
        if source is not None:
            yield from source.faults


def _old_tls(report: Report | None) -> Iterable[str]:
    """Yield the buckets that deny plain HTTP but accept old TLS, which no wave shows."""
    for case in () if report is None else cases_of(report):
        if case.bucket is None or not isinstance(case.bucket.verdict, Proven):
            continue
        if any(finding.rule == OLD_TLS for finding in case.findings):
            yield case.subject.name or f"{case.subject.path} in {case.template or 'the template'}"


def _unseen(review: Report | None, old_tls: tuple[str, ...]) -> Iterable[str]:
    """Yield warnings about buckets that no wave shows."""
    left = () if review is None else review.not_applicable
    if left:
        named = some([f"`{what}` ({why})" for _, what, why in left])
        yield f"the review skipped {len(left):,}, of which only templates or logs can tell: {named}"
    if old_tls:
        lets = "lets" if len(old_tls) == 1 else "let"
        yield (
            f"{count(len(old_tls), 'bucket')} {lets} older TLS through than asked, which the waves are not "
            f"about: {some([f'`{name}`' for name in old_tls])}. SB006 of `check` and `review` says what to do"
        )


def _left_out(review: Report) -> dict[str, str]:
    return {arn.partition(":::")[2]: why for _, arn, why in review.not_applicable if ":::" in arn}


def _sources(
    check: Report | None, review: Report | None, audit: Audit | None, now: datetime.datetime
) -> Iterable[PlanSource]:
    if check is not None:
        yield _source("templates", check, check.templates, now)
    if review is not None:
        yield _source("accounts", review, review.accounts, now)
    if audit is not None:
        last = max((bucket.last_seen for bucket in audit.buckets if bucket.last_seen), default=None)
        end = None if last is None else last.strftime(_TIME)
        yield PlanSource("logs", len(audit.buckets), audit.sources, end, _days(end, now))


def _source(
    kind: Literal["templates", "accounts"], report: Report, named: tuple[str, ...], now: datetime.datetime
) -> PlanSource:
    oldest = min(_times(report), default=None)
    return PlanSource(kind, len(report.buckets), named, oldest, _days(oldest, now))


def _times(report: Report) -> Iterator[str]:
    """Yield the time of a report, and the times of the policies of its live buckets."""
    if report.as_of:
        yield report.as_of
    for bucket in report.buckets:
        if isinstance(bucket.subject, Running) and bucket.subject.as_of:
            yield bucket.subject.as_of


def _days(time: str | None, now: datetime.datetime) -> int | None:
    if not time:
        return None
    read = datetime.datetime.strptime(time, _TIME).replace(tzinfo=datetime.timezone.utc)
    return max(0, (now - read).days)


def _warnings(
    sources: Iterable[PlanSource], audit: Audit | None, moves: tuple[Move, ...], maximum_age: int
) -> Iterable[str]:
    for source in sources:
        if source.as_of is None or source.days is None or source.days <= maximum_age:
            continue
        days = count(source.days, "day")
        if source.kind == "logs":
            yield f"the logs end {days} ago, on {source.as_of[:10]}: nothing is safe that only they say is"
        else:
            again = "check" if source.kind == "templates" else "review"
            yield f"what is known of the {source.kind} is {days} old, of {source.as_of}: {again} them again"
    if any(not move.whole for move in moves):
        yield (
            "the audit does not name all clients that break: run it with a greater --limit, grouped by "
            "bucket and requester, or give the logs with --logs"
        )
    if audit is not None and audit.malformed.lines:
        yield f"{count(audit.malformed.lines, 'line')} of the logs could not be read"


def _decide(joined: Joined, clients: tuple[ClientUse, ...], circumstances: Circumstances) -> PlannedBucket:
    """Return a bucket with its state, its wave and its actions."""
    decision = Decision(joined, clients, circumstances)
    running = None if joined.running is None else joined.running.bucket.subject
    if not isinstance(running, Running):
        running = Running("")
    logged = joined.logged
    return PlannedBucket(
        joined.name,
        decision.state,
        decision.wave,
        tuple(reasons_of(decision)),
        tuple(actions_of(decision)),
        decision.in_force,
        decision.in_template,
        tuple(
            Declaration(
                each.bucket.template,
                each.bucket.logical_id,
                each.bucket.construct_path,
                each.bucket.at,
                each.bucket.verdict,
            )
            for each in joined.declared
        ),
        running.account,
        running.region,
        running.as_of,
        None if logged is None or decision.answer is None else replace(logged, answer=decision.answer),
        clients,
        decision.unnamed,
        decision.website is not None,
    )
