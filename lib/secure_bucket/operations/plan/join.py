"""Join templates, accounts and logs by the names of the buckets, and find the clients that break."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from msgspec import Struct

from secure_bucket.findings.finding import Finding, GrantedException, JudgedBucket, Report
from secure_bucket.findings.rules import rule_of
from secure_bucket.findings.rules.rule import WEBSITE_REMEDY
from secure_bucket.formats.cases import Case, cases_of
from secure_bucket.operations.audit.audit import Audit, AuditedBucket, ClientGroup, Trouble
from secure_bucket.operations.plan.planned_bucket import Client, ClientUse
from secure_bucket.operations.plan.rollout import RolloutError

__all__ = ["Joined", "Known", "clients_of", "join"]


class Known(Struct, frozen=True):
    """A bucket in one check or review.

    Args:
        bucket: The bucket, with its verdict.
        fix: The fix from the finding on the verdict; `""` without a finding.
        website: The fix for its website; `None` for other buckets.
        exception: The exception that accepts the bucket; `None` without one.
    """

    bucket: JudgedBucket
    fix: str = ""
    website: str | None = None
    exception: GrantedException | None = None


class Joined(Struct, frozen=True):
    """One bucket in all sources.

    Args:
        name: Its name; `""` if it is unknown.
        declared: The bucket in templates.
        running: The live bucket; `None` if no reviewed account has it.
        logged: The bucket in the logs; `None` if the logs do not contain it.
    """

    name: str
    declared: tuple[Known, ...] = ()
    running: Known | None = None
    logged: AuditedBucket | None = None


def join(
    check: Report | None,
    review: Report | None,
    audit: Audit | None,
    names: Mapping[tuple[str, str], str],
) -> tuple[Joined, ...]:
    """Return every bucket once, by name; the buckets without a known name come last.

    Two buckets are the same only if they have the same name.

    Raises:
        RolloutError: If two accounts have the same bucket, or the sources contradict each other.
    """
    declared, nameless = _declared(check, names)
    running = _running(review)
    logged = {bucket.name: bucket for bucket in audit.buckets} if audit is not None else {}
    named = [
        Joined(name, tuple(declared.get(name, ())), running.get(name), logged.get(name))
        for name in sorted({*declared, *running, *logged})
    ]
    return (*named, *(Joined("", (known,)) for known in nameless))


def _declared(
    check: Report | None, names: Mapping[tuple[str, str], str]
) -> tuple[Mapping[str, list[Known]], list[Known]]:
    declared: dict[str, list[Known]] = defaultdict(list)
    nameless: list[Known] = []
    known_of = [] if check is None else [known for case in cases_of(check) if (known := _known(case))]
    # A template that is nested twice creates two buckets with one logical id: a list names neither of them.
    uses = Counter(known.bucket.subject.key for known in known_of)
    for known in known_of:
        key, own = known.bucket.subject.key, known.bucket.subject.name
        told = names.get(key, "") if uses[key] == 1 else ""
        if told and own and told != own:
            raise RolloutError(
                f"`{known.bucket.logical_id}` of `{known.bucket.template}` is named `{own}` "
                f"there, and `{told}` in the list of resources: is that the list of another stack?"
            )
        name = own or told
        if name:
            declared[name].append(known)
        else:
            nameless.append(known)
    return declared, nameless


def _running(review: Report | None) -> Mapping[str, Known]:
    running: dict[str, Known] = {}
    for case in () if review is None else cases_of(review):
        known = _known(case)
        if known is None:
            continue
        name = known.bucket.subject.name
        if name in running:
            first, second = running[name].bucket, known.bucket
            raise RolloutError(
                f"bucket `{name}` was reviewed twice, as `{first.subject.label}` of account "
                f"{first.account or 'unknown'} and as `{second.subject.label}` of account "
                f"{second.account or 'unknown'}: give one review of each account, and plan partitions apart"
            )
        running[name] = known
    return running


def _known(case: Case) -> Known | None:
    """Return the bucket of a case; `None` if the case is not about a bucket."""
    if case.bucket is None:
        return None
    findings = (*case.findings, *(each.finding for each in case.excused))
    counted = any(rule_of(finding).about_verdict for finding in case.findings)
    granted = [
        each.by for each in case.excused if each.by is not None and rule_of(each.finding).about_verdict
    ]
    return Known(
        case.bucket,
        next((finding.fix for finding in findings if rule_of(finding).about_verdict), ""),
        next((finding.fix for finding in findings if _is_about_website(finding)), None),
        granted[0] if granted and not counted else None,
    )


def _is_about_website(finding: Finding) -> bool:
    return rule_of(finding).about_website or finding.fix.startswith(WEBSITE_REMEDY)


_ANONYMOUS = "-"


def clients_of(audit: Audit) -> Mapping[str, tuple[ClientUse, ...]]:
    """Return the clients that break, by the name of the bucket, the busiest first.

    A group without a bucket, or without a requester, a user agent and an address, names no client.
    """
    groups: dict[str, dict[Client, list[ClientGroup]]] = defaultdict(lambda: defaultdict(list))
    for group in audit.groups:
        client = _client(group)
        if group.trouble is Trouble.BREAKS and group.bucket is not None and client is not None:
            groups[group.bucket][client].append(group)
    return {
        bucket: tuple(
            sorted(
                (_use(client, members) for client, members in clients.items()),
                key=lambda use: (-use.requests, use.client),
            )
        )
        for bucket, clients in groups.items()
    }


def _client(group: ClientGroup) -> Client | None:
    """Return the client of a group.

    A requester with a user agent is one client, even with many addresses, because a fleet has one address for
    each machine. Only the address distinguishes anonymous clients.
    """
    anonymous = group.requester in (None, _ANONYMOUS)
    client = Client(group.requester or "", group.user_agent or "", (group.address or "") if anonymous else "")
    return None if client == Client("", "") else client


def _use(client: Client, groups: Sequence[ClientGroup]) -> ClientUse:
    return ClientUse(
        client,
        sum(group.requests for group in groups),
        min(group.first_seen for group in groups),
        max(group.last_seen for group in groups),
        tuple(sorted({group.transport for group in groups})),
        tuple(sorted({group.operation for group in groups if group.operation})),
        tuple(sorted({group.address for group in groups if group.address})),
    )
