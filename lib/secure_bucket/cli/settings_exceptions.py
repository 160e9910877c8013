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

__all__ = ["grant_configured"]


def grant_configured(
    report: Report, config: Config, *, minimum_tls: float | None, today: datetime.date
) -> Report:
    """Grant the exceptions of the settings to a report.

    Args:
        report: The report.
        config: The settings.
        minimum_tls: The TLS version that the report asks for; `None` leaves exceptions from SB006 unjudged.
        today: The day for which the exceptions are granted.

    Raises:
        ConfigError: If one has no reason, names no rule, or ends on a day that is none.
    """
    unasked = () if minimum_tls is not None else ("SB006",)
    return grant_exceptions(report, _configured(config, report), today, unasked=unasked)


def _configured(config: Config, report: Report) -> Iterator[GrantedException]:
    """Yield the exceptions of the settings that concern a report.

    Raises:
        ConfigError: If one has no reason, names no rule, or ends on a day that is none.
    """
    needed = {(finding.subject.key, finding.rule) for finding in report.findings}
    known = {each.subject.key for each in (*report.buckets, *report.findings)}
    for exception in config.exceptions:
        if exception.bucket:
            yield from _for_buckets(exception, config, report)
        else:
            yield from _for_templates(exception, config, report.templates, known, needed)


def _for_buckets(
    exception: ConfiguredException, config: Config, report: Report
) -> Iterator[GrantedException]:
    """Yield an exception for the buckets that run and that it names.

    One with an `account` that was reviewed is unused when that account has no such bucket. One without may
    be for another run, with other accounts.
    """
    nowhere = Running(exception.bucket, account=exception.account)
    granted = _parsed(exception, config, nowhere)
    subjects: list[Subject] = [
        bucket.subject
        for bucket in report.buckets
        if isinstance(bucket.subject, Running)
        and bucket.subject.name == exception.bucket
        and exception.account in ("", bucket.account)
    ]
    if subjects or exception.account in report.accounts:
        for subject in subjects or [nowhere]:
            yield replace(granted, subject=subject)


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
    if granted.rule == "SB010":
        # A logical id has letters and digits only, so that a pattern of them is no logical id.
        covered = [
            Declared(logical_id, template)
            for (template, logical_id), rule in sorted(needed)
            if rule == "SB010" and template in matching and fnmatchcase(logical_id, exception.logical_id)
        ]
        if covered:
            yield from (replace(granted, subject=subject) for subject in covered)
            return
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
