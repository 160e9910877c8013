"""Review the buckets of accounts: read each policy, and judge it like the policy of a template."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from secure_bucket.findings.finding import Fault, Report, joined
from secure_bucket.formats.summary import count
from secure_bucket.operations.aws.accounts import Entrance, Scope, find_entrances
from secure_bucket.operations.aws.errors import LiveError
from secure_bucket.operations.aws.session import Access, Session, open_session
from secure_bucket.operations.probe.probed_bucket import parse_bucket_name
from secure_bucket.operations.review.account_review import THREADS, ReviewQuestion
from secure_bucket.operations.review.parallel_review import EntranceResult, review_entrances
from secure_bucket.values.unknown import Place

__all__ = ["refuse_all_skipped", "review_account", "review_accounts", "review_buckets"]


def review_account(
    access: Access | None = None,
    *,
    exclude: Sequence[str] = (),
    strict: bool = False,
    minimum_tls_version: float | str | None = None,
    threads: int = THREADS,
) -> Report:
    """Review every general purpose bucket of one account.

    The review only reads: `ListBuckets`, then `GetBucketPolicy` and `GetBucketWebsite` for each bucket, and
    the settings of Block Public Access for each bucket that is not proven.

    Args:
        access: The identity and the endpoint to use (default: those of the environment).
        exclude: Patterns of bucket names to skip, such as `tmp-*`; the report lists the skipped buckets.
        strict: As for `check_template`.
        minimum_tls_version: As for `check_template`.
        threads: The number of buckets to read at a time (default: 16).

    Returns:
        The verdict on each bucket, with a fix. A bucket that cannot be read is a fault of the report, and
        never counts as proven.

    Raises:
        MissingDependencyError: If boto3 is not installed.
        LiveError: If no session can be opened, or the buckets cannot be listed.

    Examples:
        >>> from secure_bucket.operations.review import Access, review_account
        >>> report = review_account(Access(profile="audit"))  # doctest: +SKIP
        >>> report.refuted, [fault.message for fault in report.faults]  # doctest: +SKIP
        (2, [])
    """
    question = ReviewQuestion((), tuple(exclude), strict, _number(minimum_tls_version), threads)
    session = open_session(replace(access or Access(), connections=threads))
    return refuse_all_skipped(_review_session(session, question))


def review_buckets(
    buckets: Iterable[str],
    access: Access | None = None,
    *,
    strict: bool = False,
    minimum_tls_version: float | str | None = None,
    threads: int = THREADS,
) -> Report:
    """Review some buckets of one account, without listing the others.

    Args:
        buckets: Their names or ARNs.
        access: As for `review_account`.
        strict: As for `check_template`.
        minimum_tls_version: As for `check_template`.
        threads: The number of buckets to read at a time (default: 16).

    Returns:
        A report like that of `review_account`. A bucket that does not exist is a fault.

    Raises:
        MissingDependencyError: If boto3 is not installed.
        LiveError: If no session can be opened, or a name is not the name of a bucket.
    """
    names = tuple(dict.fromkeys(map(parse_bucket_name, buckets)))
    if not names:
        raise LiveError("no bucket is named: a review needs at least one bucket to pass")
    question = ReviewQuestion(names, (), strict, _number(minimum_tls_version), threads)
    return _review_session(open_session(replace(access or Access(), connections=threads)), question)


def review_accounts(scope: Scope, question: ReviewQuestion | None = None) -> Report:
    """Review the buckets of several accounts.

    Args:
        scope: The accounts.
        question: The question to each account (default: whether each bucket denies plain HTTP).

    Returns:
        One report. An account without a session is a fault.

    Raises:
        MissingDependencyError: If boto3 is not installed.
        LiveError: If no session can be opened in any account.
    """
    question = question or ReviewQuestion()
    scope = replace(scope, access=replace(scope.access, connections=question.threads))
    ways, skipped = find_entrances(scope)
    skipped_accounts = Report(not_applicable=tuple((Place(), name, why) for name, why in skipped))
    if not ways:
        raise LiveError("no account is left to review: a review needs at least one bucket to pass")
    entered = review_entrances(ways, question)
    failed = [each.error for each in entered if each.error is not None]
    if len(failed) == len(ways):
        others = f" (and {count(len(ways) - 1, 'other account')} failed as well)" if len(ways) > 1 else ""
        raise LiveError(f"{failed[0]}{others}", failed[0].trouble, failed[0].code)
    return refuse_all_skipped(joined([skipped_accounts, *map(_report, entered)]))


def _report(entered: EntranceResult) -> Report:
    name = entered.entrance.name
    if entered.error is not None:
        return Report(faults=(Fault("", f"{name} is not reviewed: {entered.error}"),))
    if entered.report is None:
        twice = f"it is the same account as {entered.same_as}, which is reviewed once"
        return Report(not_applicable=((Place(), name, twice),))
    return entered.report


def _review_session(session: Session, question: ReviewQuestion) -> Report:
    (entered,) = review_entrances((Entrance("the account", lambda: session),), question)
    if entered.error is not None:
        raise entered.error
    return _report(entered)


def refuse_all_skipped(report: Report) -> Report:
    """Return a report, with a fault if all its buckets were skipped."""
    if report.buckets or report.faults or not report.not_applicable:
        return report
    text = "no bucket is left to review, all are skipped: a review needs at least one bucket to pass"
    return replace(report, faults=(Fault("", text),))


def _number(version: float | str | None) -> float | None:
    return None if version is None else float(version)
