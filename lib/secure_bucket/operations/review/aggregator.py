"""Review the buckets of an organization with one query of an AWS Config aggregator.

AWS Config records a bucket when it changes, and an aggregator gets the record later. A verdict is therefore
as old as the record, and shows its time. A bucket without a record is unknown, and never proven.

The AWS Config Developer Guide, *Querying the current configuration state*, and the API reference,
*SelectAggregateResourceConfig*, describe the records.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from secure_bucket.checks.running_buckets import PolicyTextError, read_policy_text, report_of
from secure_bucket.findings.finding import Fault, Report, joined
from secure_bucket.findings.running import PublicAccess, RunningBucket
from secure_bucket.operations.aws.accounts import Scope, list_members
from secure_bucket.operations.aws.errors import LiveError, translate_errors
from secure_bucket.operations.aws.session import Session, open_session
from secure_bucket.operations.review.account_review import ReviewQuestion, internal_error
from secure_bucket.operations.review.buckets import blocks_public, enabled_settings
from secure_bucket.operations.review.review import refuse_all_skipped
from secure_bucket.values.unknown import Place, Unknown

__all__ = ["review_aggregator"]

_RECORDER: Final = "AWS Config"
_PAGE: Final = 100
# An expression may have 4,096 characters, and a bucket name 63.
_NAMES_IN_A_QUERY: Final = 40
_QUERY: Final = (
    "SELECT accountId, awsRegion, arn, resourceName, configurationItemCaptureTime, "
    "configurationItemStatus, supplementaryConfiguration.BucketPolicy, "
    "supplementaryConfiguration.BucketWebsiteConfiguration, "
    "supplementaryConfiguration.PublicAccessBlockConfiguration "
    "WHERE resourceType = 'AWS::S3::Bucket'"
)
# A record with one of these is the current state of an existing resource.
_CURRENT: Final = frozenset(("", "OK", "ResourceDiscovered"))
_DELETED: Final = frozenset(("ResourceDeleted", "ResourceDeletedNotRecorded"))


def review_aggregator(name: str, scope: Scope, question: ReviewQuestion | None = None) -> Report:
    """Review every bucket in an AWS Config aggregator.

    Args:
        name: The aggregator.
        scope: The identity to use, in the region of the aggregator. With `accounts` or `organization`, only
            these accounts count, and an account without a recorded bucket is a fault.
        question: The question (default: whether each bucket denies plain HTTP).

    Returns:
        The verdict on each recorded bucket, with the time of the record. A source that the aggregator could
        not collect is a fault.

    Raises:
        MissingDependencyError: If boto3 is not installed.
        LiveError: If the aggregator cannot be queried.
    """
    question = question or ReviewQuestion()
    scope.check()
    if scope.role_name is not None or len(scope.role_arns) > 1 or len(scope.profiles) > 1:
        raise LiveError("an aggregator needs only one identity: give at most one --profile or --role-arn")
    access = replace(
        scope.access,
        profile=scope.profiles[0] if scope.profiles else scope.access.profile,
        role_arn=scope.role_arns[0] if scope.role_arns else scope.access.role_arn,
        external_id=scope.external_id,
    )
    session = open_session(access)
    session.identity()
    faults = [*_regions_left_out(session, name), *_not_collected(session, name)]
    asked, skipped = _accounts(session, scope)
    buckets: list[RunningBucket] = []
    recorded = 0
    for record in _records(session, name, question):
        recorded += 1
        bucket = _bucket(record)
        if (asked and bucket.account not in asked) or bucket.account in scope.skip_accounts:
            continue
        if question.excludes(bucket.name):
            skipped.append((bucket.arn, "it is left out by --exclude"))
        elif record.get("configurationItemStatus") in _DELETED:
            skipped.append((bucket.arn, f"{_RECORDER} recorded at {bucket.timestamp} that it was deleted"))
        else:
            buckets.append(bucket)
    buckets.sort(key=lambda bucket: (bucket.account, bucket.name))
    if not recorded:
        text = f"aggregator `{name}` has no record of any requested bucket: does AWS Config"
        faults.append(Fault("", f"{text} record `AWS::S3::Bucket`?"))
    faults += _missing(asked, buckets, question)
    report = joined(_judged(buckets, question, faults))
    whole = replace(
        report,
        not_applicable=tuple((Place(), what, why) for what, why in skipped),
        faults=tuple(faults),
        accounts=tuple(sorted({bucket.account for bucket in buckets} | asked)),
    )
    return refuse_all_skipped(whole)


def _judged(
    buckets: Sequence[RunningBucket], question: ReviewQuestion, faults: list[Fault]
) -> Iterator[Report]:
    for done, bucket in enumerate(buckets, 1):
        try:
            yield report_of([question.judge(bucket)])
        except Exception as error:
            faults.append(Fault("", f"{bucket.described()} is not reviewed: {internal_error(error)}"))
        question.advance(done, len(buckets))


def _accounts(session: Session, scope: Scope) -> tuple[frozenset[str], list[tuple[str, str]]]:
    """Return the accounts to review (empty for all), and the skipped accounts."""
    skipped = [(f"account {account}", "it is left out by --skip-account") for account in scope.skip_accounts]
    asked = set(scope.accounts)
    if scope.organization:
        for account, why_closed in list_members(session):
            if why_closed:
                skipped.append((f"account {account}", why_closed))
            else:
                asked.add(account)
    return frozenset(asked.difference(scope.skip_accounts)), skipped


def _records(session: Session, name: str, question: ReviewQuestion) -> Iterator[Mapping[str, Any]]:
    client = session.client("config")
    seen: set[tuple[object, object]] = set()
    for query in _queries(question.buckets):
        more: dict[str, str] = {}
        tokens: set[str] = set()
        while True:
            with translate_errors("config:SelectAggregateResourceConfig", f"aggregator `{name}`"):
                page = client.select_aggregate_resource_config(
                    Expression=query, ConfigurationAggregatorName=name, Limit=_PAGE, **more
                )
            known = bool(page.get("Results"))
            for text in page.get("Results", ()):
                record = _decoded(text)
                if not isinstance(record, dict) or not record.get("arn"):
                    raise LiveError(
                        f"aggregator `{name}` returned something that is not a record of a bucket"
                    )
                which = (record.get("accountId"), record["arn"])
                known = known and which in seen
                seen.add(which)
                yield record
            token = page.get("NextToken")
            if not token:
                break
            # A page without a new record is a repeated page, even under another token.
            if token in tokens or known:
                raise LiveError(f"aggregator `{name}` returns a page again: not all buckets are known")
            tokens.add(token)
            more = {"NextToken": str(token)}


def _queries(names: Sequence[str]) -> Iterator[str]:
    if not names:
        yield _QUERY
    for start in range(0, len(names), _NAMES_IN_A_QUERY):
        # Bucket names contain no quotes.
        listed = ", ".join(f"'{name}'" for name in names[start : start + _NAMES_IN_A_QUERY])
        yield f"{_QUERY} AND resourceName IN ({listed})"


def _bucket(record: Mapping[str, Any]) -> RunningBucket:
    recorded = _decoded(record.get("supplementaryConfiguration"))
    parts = recorded if isinstance(recorded, dict) else {}
    website = _decoded(parts.get("BucketWebsiteConfiguration"))
    settings = _decoded(parts.get("PublicAccessBlockConfiguration"))
    blocked = isinstance(settings, dict) and blocks_public(enabled_settings(settings))
    return RunningBucket(
        str(record["arn"]),
        _policy(record, parts),
        str(record.get("accountId") or ""),
        str(record.get("awsRegion") or ""),
        isinstance(website, dict) and any(value is not None for value in website.values()),
        # The record of a bucket does not contain the settings of its account.
        PublicAccess.BLOCKED if blocked else None,
        _time(record.get("configurationItemCaptureTime")),
        _RECORDER,
    )


def _policy(record: Mapping[str, Any], parts: Mapping[str, Any]) -> Mapping[str, Any] | Unknown | None:
    status = str(record.get("configurationItemStatus") or "")
    if status not in _CURRENT and status not in _DELETED:
        return Unknown(f"{_RECORDER} does not record the bucket (its status is `{status}`)")
    holder = _decoded(parts.get("BucketPolicy"))
    if not isinstance(holder, dict) or "policyText" not in holder:
        return Unknown(f"{_RECORDER} recorded neither a policy nor that the bucket has no policy")
    text = holder["policyText"]
    if text is None:
        return None
    if isinstance(text, dict):
        return text
    try:
        return read_policy_text(str(text))
    except PolicyTextError as error:
        return Unknown(f"the policy that {_RECORDER} recorded cannot be read: {error}")


def _decoded(value: object) -> object:
    """Return a value that may be JSON text, even JSON text inside JSON text."""
    for _ in range(3):
        if not isinstance(value, str):
            break
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            break
    return value


def _time(value: object) -> datetime.datetime | None:
    text = str(value or "").replace("Z", "+00:00")
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.timezone.utc)


def _regions_left_out(session: Session, name: str) -> Iterator[Fault]:
    """Yield a fault if the aggregator does not collect all regions."""
    with translate_errors("config:DescribeConfigurationAggregators", f"aggregator `{name}`"):
        answer = session.client("config", brief=True).describe_configuration_aggregators(
            ConfigurationAggregatorNames=[name]
        )
    for aggregator in answer.get("ConfigurationAggregators", ()):
        organization = aggregator.get("OrganizationAggregationSource")
        sources = [
            *aggregator.get("AccountAggregationSources", ()),
            *([organization] if organization else ()),
        ]
        for source in sources:
            if not source.get("AllAwsRegions"):
                regions = ", ".join(f"`{region}`" for region in source.get("AwsRegions", ())) or "no region"
                text = (
                    f"aggregator `{name}` collects {regions} only: buckets of other regions are not covered"
                )
                yield Fault("", text)
                return


def _not_collected(session: Session, name: str) -> Iterator[Fault]:
    """Yield a fault for each source that the aggregator could not collect."""
    client = session.client("config", brief=True)
    more: dict[str, str] = {}
    while True:
        with translate_errors("config:DescribeConfigurationAggregatorSourcesStatus", f"aggregator `{name}`"):
            page = client.describe_configuration_aggregator_sources_status(
                ConfigurationAggregatorName=name, UpdateStatus=["FAILED", "OUTDATED"], Limit=_PAGE, **more
            )
        for source in page.get("AggregatedSourceStatusList", ()):
            where = f"{source.get('SourceId')} in {source.get('AwsRegion')}"
            why = source.get("LastErrorMessage") or source.get("LastErrorCode") or "no reason is given"
            state = str(source.get("LastUpdateStatus")).lower()
            message = f"aggregator `{name}`: its data of {where} is {state}: {why}"
            yield Fault("", " ".join(message.split()))
        token = page.get("NextToken")
        if not token:
            return
        if token == more.get("NextToken"):
            raise LiveError(f"aggregator `{name}` returns a page again: not all of its sources are known")
        more = {"NextToken": str(token)}


def _missing(
    asked: frozenset[str], buckets: Sequence[RunningBucket], question: ReviewQuestion
) -> Iterator[Fault]:
    """Yield a fault for each requested bucket or account without a record."""
    names = {bucket.name for bucket in buckets}
    for name in question.buckets:
        if name not in names:
            yield Fault("", f"bucket `{name}`: {_RECORDER} has no record of it")
    recorded = {bucket.account for bucket in buckets}
    for account in sorted(asked - recorded) if not question.buckets else ():
        yield Fault(
            "",
            f"account {account}: {_RECORDER} has no record of any bucket: the account has no bucket, or does "
            "not record `AWS::S3::Bucket`: omit --aggregator, or skip the account with --skip-account",
        )
