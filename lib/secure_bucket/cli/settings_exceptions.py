"""Grant the exceptions in the settings, for templates that the user cannot edit, and for live buckets."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from msgspec.structs import replace

from secure_bucket.cli.config import Config, ConfigError, ConfiguredException
from secure_bucket.findings.exceptions import grant_exceptions, parse_exception
from secure_bucket.findings.finding import ExceptionOrigin, GrantedException, Report
from secure_bucket.findings.rules import OLD_TLS, UNREAD
from secure_bucket.findings.subject import Declared, Running, Subject
from secure_bucket.values.unknown import Place

__all__ = ["grant_configured"]


def grant_configured(
    report: Report, config: Config, *, minimum_tls: float | None, today: datetime.date
) -> Report:
    """Grant the exceptions of the settings to a report.

    Args:
        report: The report.
        config: The settings.
        minimum_tls: The minimum TLS version of the report; without one, exceptions from SB006 never count
            as unused.
        today: The day that decides whether an exception has expired.

    Raises:
        ConfigError: If an exception has no reason, no rule, or an end that is not a day.
    """
    unasked = () if minimum_tls is not None else (OLD_TLS,)
    return grant_exceptions(report, _configured(config, report), today, unasked=unasked)


def _configured(config: Config, report: Report) -> Iterator[GrantedException]:
    """Yield the exceptions of the settings that concern a report.

    Raises:
        ConfigError: If an exception has no reason, no rule, or an end that is not a day.
    """
    needed = {(finding.subject.key, finding.rule) for finding in report.findings}
    known = {each.subject.key for each in (*report.buckets, *report.findings)}
    for index, exception in enumerate(config.exceptions):
        line = config.lines[index] if index < len(config.lines) else 0
        at = Place(f"/exceptions[{index}]", config.file, line, 1 if line else 0)
        written = {"Rule": exception.rule, "Reason": exception.reason, "Expires": exception.expires}
        reach = ":".join(
            filter(None, (exception.path, exception.logical_id, exception.account, exception.bucket))
        )
        resource = Declared(exception.logical_id or "")
        granted = parse_exception(written, resource, at, ExceptionOrigin.SETTINGS, reach)
        if isinstance(granted, str):
            raise ConfigError(f"`{config.file}`, `exceptions[{index}]`: {granted}")
        subjects: Iterable[Subject]
        if exception.bucket is not None:
            subjects = _buckets(exception.bucket, exception.account, report)
        else:
            subjects = _resources(exception, granted.rule, config, report, known, needed)
        for subject in subjects:
            yield replace(granted, subject=subject)


def _buckets(name: str, account: str | None, report: Report) -> Iterator[Subject]:
    """Yield the live buckets that an exception names.

    If the exception names a reviewed account without such a bucket, yield the missing bucket, so that the
    exception counts as unused. An exception without an account may be for a review of other accounts.
    """
    found = False
    for subject in (bucket.subject for bucket in report.buckets):
        if isinstance(subject, Running) and subject.name == name and account in (None, subject.account):
            found = True
            yield subject
    if not found and account in report.accounts:
        yield Running(name, account=account or "")


def _resources(
    exception: ConfiguredException,
    rule: str,
    config: Config,
    report: Report,
    known: set[tuple[str, str]],
    needed: set[tuple[tuple[str, str], str]],
) -> list[Declared]:
    """Return the resources that need an exception, or else one resource on which it is unused."""
    start = os.path.abspath(config.directory)
    matching = [
        Declared(exception.logical_id or "", name)
        for name in report.templates
        if fnmatchcase(
            os.path.relpath(os.path.abspath(name), start).replace(os.sep, "/"), exception.path or ""
        )
    ]
    if rule == UNREAD:
        # A logical id has only letters and digits, so a pattern is never a logical id.
        templates = {subject.template for subject in matching}
        covered = [
            Declared(logical_id, template)
            for (template, logical_id), of in sorted(needed)
            if of == rule and template in templates and fnmatchcase(logical_id, exception.logical_id or "")
        ]
        if covered:
            return covered
    having = [subject for subject in matching if subject.key in known]
    using = [subject for subject in having if (subject.key, rule) in needed]
    return using or having[:1] or matching[:1]
