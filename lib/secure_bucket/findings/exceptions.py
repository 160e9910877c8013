"""Read and grant exceptions: findings that a user accepts, with a reason and perhaps an end.

In a template they are in the `Metadata` of the resource that the finding is about:

    Metadata:
      SecureBucket:
        Exceptions:
          - Rule: SB001
            Reason: The old scanner speaks no TLS, its replacement is ordered
            Expires: 2027-03-31

In a CDK app they are acknowledgments: `findings/acknowledgments.py`.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec.structs import replace

from secure_bucket.findings.expiry import expiry_of, is_reason, parse_day
from secure_bucket.findings.finding import ExceptionOrigin, Finding, GrantedException, Report
from secure_bucket.findings.rules import EXCUSABLE
from secure_bucket.findings.rules.sb007 import unused
from secure_bucket.findings.rules.sb008 import expired
from secure_bucket.findings.rules.sb009 import malformed
from secure_bucket.findings.subject import Declared, Subject
from secure_bucket.template.stack import Stack, pointer_of
from secure_bucket.values.unknown import Place

__all__ = [
    "METADATA_KEY",
    "declared_exceptions",
    "grant_exceptions",
    "parse_exception",
]

METADATA_KEY = "SecureBucket"
_KEYS = ("Rule", "Reason", "Expires")


def declared_exceptions(stack: Stack) -> Iterator[GrantedException | Finding]:
    """Yield the exceptions that the resources of a template declare, and a finding for a malformed one.

    INVARIANT: a template that an app deploys but did not make excuses nothing: only the app can.
    """
    for resource in stack.resources.values():
        if stack.construct_paths is not None and not stack.construct_path(resource):
            continue
        metadata = resource.body.get("Metadata")
        if not isinstance(metadata, Mapping) or METADATA_KEY not in metadata:
            continue
        subject = Declared(resource.logical_id, stack.document.file)
        pointer = f"{pointer_of(resource.path)}/Metadata/{METADATA_KEY}"
        declared = metadata[METADATA_KEY]
        problem = _shape(declared, ("Exceptions",))
        entries = declared.get("Exceptions") if isinstance(declared, Mapping) else None
        if not problem and not isinstance(entries, list):
            problem = "`Exceptions` is a list"
        if problem or not isinstance(entries, list):
            yield malformed(problem, subject, stack.document.place(pointer))
            continue
        for index, entry in enumerate(entries):
            at = stack.document.place(f"{pointer}/Exceptions/{index}")
            granted = parse_exception(entry, subject, at, ExceptionOrigin.METADATA)
            yield malformed(granted, subject, at) if isinstance(granted, str) else granted


def parse_exception(
    value: object, subject: Subject, at: Place, origin: ExceptionOrigin, reach: str = ""
) -> GrantedException | str:
    """Return the exception in a value, or what is wrong with it.

    Args:
        value: A mapping with `Rule`, `Reason` and perhaps `Expires`.
        subject: The resource or bucket that it is for.
        at: Where the exception is written.
        origin: What kind of text it is written in.
        reach: What it covers, if that can be more than the subject (default: only the subject).
    """
    problem = _shape(value, _KEYS)
    if problem or not isinstance(value, Mapping):
        return problem
    named = value.get("Rule")
    rule = EXCUSABLE.get(named.casefold()) if isinstance(named, str) else None
    if named is None:
        return "it has no `Rule`"
    if rule is None:
        return f"there is no rule `{named}` that an exception can be granted from"
    reason = value.get("Reason")
    if not isinstance(reason, str) or not is_reason(reason):
        return "it has no `Reason`, in words"
    expires = value.get("Expires")
    if expires is not None:
        # TOML has dates; a time of day would leave open which day is meant.
        text = expires if isinstance(expires, str) else str(expires)
        expires = parse_day(text)
        if expires is None:
            return f"`Expires` is `{text}`, not a day as `2027-03-31`"
    end = expiry_of(reason)
    if isinstance(end, str):
        return f"its reason names the end `{end}`, which is not a day as `2027-03-31`"
    end = min((day for day in (expires, end) if day is not None), default=None)
    return GrantedException(subject, rule, " ".join(reason.split()), at, end, origin=origin, reach=reach)


def grant_exceptions(
    report: Report,
    exceptions: Iterable[GrantedException],
    today: datetime.date,
    *,
    unasked: Collection[str] = (),
) -> Report:
    """Return a report in which exceptions keep their findings from failing.

    An exception without an end does not revive an expired one.

    Args:
        report: What was found.
        exceptions: The granted exceptions.
        today: The present day: an exception holds up to and including its last day.
        unasked: The rules that were not checked; exceptions from them are not reported as unused.

    Returns:
        The report without those findings, with every exception, and with a finding for each exception
        that is unused or has expired.
    """
    left: dict[tuple[tuple[str, str], str], list[Finding]] = {}
    for finding in report.findings:
        left.setdefault((finding.subject.key, finding.rule), []).append(finding)
    granted: list[GrantedException] = []
    further: list[Finding] = []
    excused: set[int] = set()
    exceptions = tuple(exceptions)
    ended = {
        (each.subject.key, each.rule)
        for each in exceptions
        if each.expires is not None and each.expires < today
    }
    for exception in exceptions:
        key = exception.subject.key, exception.rule
        if exception.expires is not None and exception.expires < today:
            exception = replace(exception, expired=True)
            if exception.rule not in unasked:
                further.append(expired(exception) if left.get(key) else unused(exception))
        elif exception.expires is None and key in ended:
            pass
        elif findings := left.pop(key, None):
            exception = replace(exception, findings=tuple(findings))
            excused.update(map(id, findings))
        elif exception.rule not in unasked:
            further.append(unused(exception))
        granted.append(exception)
    return replace(
        report,
        findings=(*(each for each in report.findings if id(each) not in excused), *further),
        exceptions=(*report.exceptions, *granted),
    )


def _shape(value: object, keys: tuple[str, ...]) -> str:
    listed = ", ".join(f"`{key}`" for key in keys)
    if not isinstance(value, Mapping):
        return f"it is not a mapping with {listed}"
    for key in value:
        if key not in keys:
            import difflib  # Loads in 0.8 ms; only a mistake needs it.

            near = difflib.get_close_matches(str(key), keys, 1)
            return f"`{key}` is not one of {listed}" + (f"; did you mean `{near[0]}`?" if near else "")
    return ""
