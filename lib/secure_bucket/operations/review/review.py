"""Review the buckets of accounts: read each policy, and judge it as a template's is judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from secure_bucket.findings.finding import Fault, Report, joined
from secure_bucket.formats.summary import count
from secure_bucket.operations.aws.accounts import Entrance, Scope, entrances
from secure_bucket.operations.aws.errors import LiveError
from secure_bucket.operations.aws.session import Access, Session, open_session
from secure_bucket.operations.probe.probed_bucket import bucket_named
from secure_bucket.operations.review.account_review import THREADS, ReviewQuestion
from secure_bucket.operations.review.crew import Entered, review_entrances
from secure_bucket.values.unknown import Place

__all__ = ["review_account", "review_accounts", "review_buckets", "something_reviewed"]


def review_account(
    access: Access | None = None,
    *,
    exclude: Sequence[str] = (),
    strict: bool = False,
    minimum_tls_version: float | str | None = None,
    threads: int = THREADS,
) -> Report:
    """Review every general purpose bucket of one account.

    It only reads: `ListBuckets`, then for each bucket `GetBucketPolicy` and `GetBucketWebsite`, and for
    those that are not proven the settings of Block Public Access.

    Args:
        access: The identity that asks AWS, and where (default: that of the environment).
        exclude: Patterns of bucket names to leave out, as `tmp-*`; they are named as skipped.
        strict: As for `check_template`.
        minimum_tls_version: As for `check_template`.
        threads: How many buckets are read at a time.

    Returns:
        The verdict on each bucket, and what to do. A bucket that cannot be read is a fault of the
        report, and is never counted as proven.

    Raises:
        MissingDependencyError: If boto3 is not installed.
        LiveError: If the account cannot be entered, or its buckets cannot be listed.

    Examples:
        >>> from secure_bucket.operations.review import Access, review_account
        >>> report = review_account(Access(profile="audit"))  # doctest: +SKIP
        >>> report.refuted, [fault.message for fault in report.faults]  # doctest: +SKIP
        (2, [])
    """
    question = ReviewQuestion((), tuple(exclude), strict, _number(minimum_tls_version), threads)
    session = open_session(replace(access or Access(), connections=threads))
    return something_reviewed(_review_session(session, question))


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
        threads: How many buckets are read at a time.

    Returns:
        As `review_account` does. A bucket that does not exist is a fault.

    Raises:
        MissingDependencyError: If boto3 is not installed.
        LiveError: If the account cannot be entered, or a name cannot be that of a bucket.
    """
    names = tuple(dict.fromkeys(map(bucket_named, buckets)))
    if not names:
        raise LiveError("no bucket is named: nothing to review is not a pass")
    question = ReviewQuestion(names, (), strict, _number(minimum_tls_version), threads)
    return _review_session(open_session(replace(access or Access(), connections=threads)), question)


def review_accounts(scope: Scope, question: ReviewQuestion | None = None) -> Report:
    """Review the buckets of several accounts.

    Args:
        scope: The accounts.
        question: What is asked of each of them (default: every bucket, whether it denies plain HTTP).

    Returns:
        One report. An account that cannot be entered is a fault of it.

    Raises:
        MissingDependencyError: If boto3 is not installed.
        LiveError: If no account at all can be entered.
    """
    question = question or ReviewQuestion()
    scope = replace(scope, access=replace(scope.access, connections=question.threads))
    ways, skipped = entrances(scope)
    passed_over = Report(not_applicable=tuple((Place(), name, why) for name, why in skipped))
    if not ways:
        raise LiveError("no account is left to review: nothing to review is not a pass")
    entered = review_entrances(ways, question)
    failed = [each.error for each in entered if each.error is not None]
    if len(failed) == len(ways):
        others = f" (and {count(len(ways) - 1, 'other account')} neither)" if len(ways) > 1 else ""
        raise LiveError(f"{failed[0]}{others}", failed[0].trouble, failed[0].code)
    return something_reviewed(joined([passed_over, *map(_report, entered)]))


def _report(entered: Entered) -> Report:
    name = entered.entrance.name
    if entered.error is not None:
        return Report(faults=(Fault("", f"{name} is not reviewed: {entered.error}"),))
    if entered.report is None:
        twice = f"it is the same account as {entered.same_as}, and is reviewed once"
        return Report(not_applicable=((Place(), name, twice),))
    return entered.report


def _review_session(session: Session, question: ReviewQuestion) -> Report:
    (entered,) = review_entrances((Entrance("the account", lambda: session),), question)
    if entered.error is not None:
        raise entered.error
    return _report(entered)


def something_reviewed(report: Report) -> Report:
    """Return a report, with a fault if everything there was has been skipped: that is not a pass."""
    if report.buckets or report.faults or not report.not_applicable:
        return report
    text = "no bucket is left to review, all are skipped: nothing to review is not a pass"
    return replace(report, faults=(Fault("", text),))


def _number(version: float | str | None) -> float | None:
    return None if version is None else float(version)
