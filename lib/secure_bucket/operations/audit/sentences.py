"""Summarize an audit in a sentence."""

from __future__ import annotations

from secure_bucket.formats.summary import count
from secure_bucket.operations.audit.audit import Answer, Audit, AuditedBucket, Breaks, CannotTell, Safe
from secure_bucket.values.never import assert_never

__all__ = ["answer_name", "coverage", "verdict"]


def answer_name(answer: Answer) -> str:
    """Return the name of an answer: `safe`, `breaks` or `cannot tell`."""
    match answer:
        case Safe():
            return "safe"
        case Breaks():
            return "breaks"
        case CannotTell():
            return "cannot tell"
        case _:
            assert_never(answer)


def verdict(audit: Audit) -> str:
    """Return the last line: whether it is safe to enforce."""
    line = _verdict(audit)
    if not audit.faults:
        return line
    if not audit.files:
        return f"nothing was audited: {count(len(audit.faults), 'thing')} could not be read"
    return f"not everything could be read ({count(len(audit.faults), 'fault')}); of what could: {line}"


def _verdict(audit: Audit) -> str:
    match audit.answer:
        case Safe():
            window = min((bucket.window for bucket in audit.buckets), default=0)
            days = min((bucket.days for bucket in audit.buckets), default=0)
            # Days without a record may be days without a request, or days whose logs are missing.
            told = "" if days >= window else f", with requests on {days:,} of them"
            told += " or more" if told and len(audit.buckets) > 1 else ""
            return (
                f"safe to enforce: no request {_asked(audit)} to {count(len(audit.buckets), 'bucket')} got "
                f"through in {count(window, 'day')} of logs{told}{_tolerated(audit)}"
            )
        case Breaks(clients, requests):
            these = f"{count(clients, 'client')} {'breaks' if clients == 1 else 'break'}"
            return f"{these}: {count(requests, 'request')} {_asked(audit)} got through"
        case CannotTell(reasons):
            return f"cannot tell whether it is safe to enforce: {count(len(reasons), 'reason')}"
        case _:
            assert_never(audit.answer)


def _tolerated(audit: Audit) -> str:
    unclear = sum(bucket.unknown for bucket in audit.buckets) + audit.malformed.lines
    if not unclear:
        return ""
    are = "is" if unclear == 1 else "are"
    return f"; {count(unclear, 'record')} without a known transport {are} tolerated"


def coverage(buckets: tuple[AuditedBucket, ...]) -> str:
    """Return the time and the share of requests that the logs cover, as text."""
    requests = sum(bucket.requests for bucket in buckets)
    unknown = sum(bucket.unknown for bucket in buckets)
    times = [each for bucket in buckets for each in (bucket.first_seen, bucket.last_seen) if each is not None]
    if not requests or not times:
        return "the logs cover no request"
    # Round down, so that only a complete share shows 100 %.
    share = int(1000 * (requests - unknown) / requests) / 10
    return (
        f"the logs cover {count(requests, 'request')} to {count(len(buckets), 'bucket')}, from "
        f"{min(times):%Y-%m-%d %H:%M} to {max(times):%Y-%m-%d %H:%M} UTC; {share:g} % show their protocol"
    )


def _asked(audit: Audit) -> str:
    if audit.minimum_tls is None:
        return "over plain HTTP"
    return f"over plain HTTP or TLS below {audit.minimum_tls:g}"
