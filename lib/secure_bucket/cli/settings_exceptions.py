"""The exceptions in the settings, for templates that nobody here can write into, and for buckets that run."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator
from fnmatch import fnmatchcase

from msgspec.structs import replace

from secure_bucket.cli.config import Config, ConfigError, ConfiguredException
from secure_bucket.findings.exceptions import grant_exceptions, parse_exception
from secure_bucket.findings.finding import GrantedException, Report
from secure_bucket.findings.subject import Declared, Running, Subject

__all__ = ["bucket_exceptions", "configured_exceptions", "grant_configured"]


def grant_configured(
    report: Report, config: Config, *, minimum_tls: float | None, today: datetime.date
) -> Report:
    """Grant the exceptions of the settings to a report on templates.

    Args:
        report: The report.
        config: The settings.
        minimum_tls: The TLS version that the report asks for; `None` leaves exceptions from SB006 unjudged.
        today: The day for which the exceptions are granted.

    Raises:
        ConfigError: As for `configured_exceptions`.
    """
    unasked = () if minimum_tls is not None else ("SB006",)
    return grant_exceptions(report, configured_exceptions(config, report), today, unasked=unasked)


def configured_exceptions(config: Config, report: Report) -> tuple[GrantedException, ...]:
    """Return the exceptions of the settings that concern the templates of a report.

    Raises:
        ConfigError: If one has no reason, names no rule, or ends on a day that is none.
    """
    needed = {(finding.subject.key, finding.rule) for finding in report.findings}
    known = {each.subject.key for each in (*report.buckets, *report.findings)}
    return tuple(
        granted
        for exception in config.exceptions
        if not exception.bucket
        for granted in _for_templates(exception, config, report.templates, known, needed)
    )


def bucket_exceptions(config: Config, report: Report) -> tuple[GrantedException, ...]:
    """Return the exceptions of the settings that concern the buckets of a report.

    One with an `account` that was reviewed is unused when that account has no such bucket. One without may
    be for another run, with other accounts.

    Raises:
        ConfigError: If one has no reason, names no rule, or ends on a day that is none.
    """
    granted: list[GrantedException] = []
    for exception in config.exceptions:
        if not exception.bucket:
            continue
        subjects: list[Subject] = [
            bucket.subject
            for bucket in report.buckets
            if bucket.subject.name == exception.bucket and exception.account in ("", bucket.account)
        ]
        nowhere = Running(exception.bucket, account=exception.account)
        parsed = _parsed(exception, config, nowhere)
        if subjects or exception.account in report.accounts:
            granted += [replace(parsed, subject=subject) for subject in subjects or [nowhere]]
    return tuple(granted)


def _for_templates(
    exception: ConfiguredException,
    config: Config,
    templates: tuple[str, ...],
    known: set[tuple[str, str]],
    needed: set[tuple[tuple[str, str], str]],
) -> Iterator[GrantedException]:
    granted = _parsed(exception, config, Declared(exception.logical_id))
    start = os.path.abspath(config.directory)
    matching = [
        name
        for name in templates
        if fnmatchcase(os.path.relpath(os.path.abspath(name), start).replace(os.sep, "/"), exception.path)
    ]
    subjects = [Declared(exception.logical_id, name) for name in matching]
    having = [subject for subject in subjects if subject.key in known]
    using = [subject for subject in having if (subject.key, granted.rule) in needed]
    # Where templates are checked and none of them needs the exception, it is unused, once.
    for subject in using or having[:1] or subjects[:1]:
        yield replace(granted, subject=subject)


def _parsed(exception: ConfiguredException, config: Config, subject: Subject) -> GrantedException:
    """Return the exception that stands in the settings.

    Raises:
        ConfigError: If it is none.
    """
    written = {"Rule": exception.rule, "Reason": exception.reason, "Expires": exception.expires}
    granted = parse_exception(written, subject, exception.at)
    if isinstance(granted, str):
        raise ConfigError(f"`{config.file}`, `{exception.at.pointer[1:]}`: {granted}")
    return granted
