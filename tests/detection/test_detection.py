"""What the patterns find: for CloudWatch Logs by the documented grammar, for EventBridge by moto."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.events.models import EventPattern

from secure_bucket.detection import (
    PLAIN_HTTP,
    PLAIN_HTTP_ANSWERED,
    PLAIN_HTTP_DENIED,
    filter_pattern,
    insights_query,
    policy_changes,
    trail_changes,
)
from tests.detection.events import ANSWERED, BUCKET, DENIED, NEITHER, api_call_event
from tests.detection.filter_patterns import matches

EVERY = [
    *(pytest.param(event, True, False, id=f"denied: {name}") for name, event in DENIED.items()),
    *(pytest.param(event, False, True, id=f"answered: {name}") for name, event in ANSWERED.items()),
    *(pytest.param(event, False, False, id=f"neither: {name}") for name, event in NEITHER.items()),
]


@pytest.mark.parametrize(("event", "denied", "answered"), EVERY)
def test_the_filter_patterns_tell_the_events_apart(
    event: dict[str, Any], denied: bool, answered: bool
) -> None:
    # As it arrives: a line of JSON.
    event = json.loads(json.dumps(event))
    assert matches(filter_pattern(PLAIN_HTTP_DENIED), event) is denied
    assert matches(filter_pattern(PLAIN_HTTP_ANSWERED), event) is answered


@pytest.mark.parametrize(("event", "denied", "answered"), EVERY)
def test_the_buckets_narrow_them(event: dict[str, Any], denied: bool, answered: bool) -> None:
    for traits, expected in ((PLAIN_HTTP_DENIED, denied), (PLAIN_HTTP_ANSWERED, answered)):
        assert matches(filter_pattern(traits, ["another", BUCKET]), event) is expected
        assert not matches(filter_pattern(traits, ["another"]), event)


@pytest.mark.parametrize("trait", range(len(PLAIN_HTTP)))
def test_without_any_one_of_its_traits_it_finds_more(trait: int) -> None:
    # Each trait is there for an event that would be taken for plain HTTP without it.
    fewer = (*PLAIN_HTTP_DENIED[:trait], *PLAIN_HTTP_DENIED[trait + 1 :])
    more = (*PLAIN_HTTP_ANSWERED[:trait], *PLAIN_HTTP_ANSWERED[trait + 1 :])
    patterns = [filter_pattern(fewer), filter_pattern(more)]
    assert any(matches(pattern, event) for event in NEITHER.values() for pattern in patterns)


def test_a_pattern_for_four_of_the_longest_names_fits() -> None:
    names = [letter * 63 for letter in "abcd"]
    for traits in (PLAIN_HTTP_DENIED, PLAIN_HTTP_ANSWERED):
        assert len(filter_pattern(traits, names)) <= 1024


def test_the_query_tells_who_and_what() -> None:
    query = insights_query(PLAIN_HTTP)
    assert query.splitlines()[0] == (
        'filter eventSource = "s3.amazonaws.com" and eventType = "AwsApiCall" '
        'and (not ispresent(tlsDetails.tlsVersion) or tlsDetails.tlsVersion = "-") '
        'and (not ispresent(tlsDetails.cipherSuite) or tlsDetails.cipherSuite = "-") '
        'and (not ispresent(additionalEventData.CipherSuite) or additionalEventData.CipherSuite = "-") '
        "and not ispresent(userIdentity.invokedBy) "
        r"and not ispresent(sessionCredentialFromConsole) and sourceIPAddress not like /\.amazonaws\.com$/ "
        'and sourceIPAddress != "AWS Internal"'
    )
    assert "userAgent" in query
    assert '(not ispresent(errorCode) or errorCode != "AccessDenied")' in insights_query(PLAIN_HTTP_ANSWERED)


def found(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    return EventPattern.load(json.dumps(pattern)).matches_event(event)  # type: ignore[arg-type]


CHANGES = [
    (api_call_event("s3", "PutBucketPolicy", {"bucketName": BUCKET, "bucketPolicy": {}}), True),
    (api_call_event("s3", "DeleteBucketPolicy", {"bucketName": BUCKET, "policy": ""}), True),
    (api_call_event("s3", "PutBucketWebsite", {"bucketName": BUCKET, "website": ""}), True),
    # An attempt counts.
    (api_call_event("s3", "PutBucketPolicy", {"bucketName": BUCKET}, errorCode="AccessDenied"), True),
    (api_call_event("s3", "GetBucketPolicy", {"bucketName": BUCKET}), False),
    (api_call_event("s3", "PutBucketTagging", {"bucketName": BUCKET}), False),
    (api_call_event("sns", "PutBucketPolicy", {"bucketName": BUCKET}), False),
]


@pytest.mark.parametrize(("event", "expected"), CHANGES)
def test_the_changes_of_a_policy_are_found(event: dict[str, Any], expected: bool) -> None:
    assert found(policy_changes(), event) is expected
    assert found(policy_changes([BUCKET, "another"]), event) is expected
    assert not found(policy_changes(["another"]), event)
    assert not found(policy_changes(), {**event, "detail-type": "Object Created"})


ARN = "arn:aws:cloudtrail:eu-central-1:111122223333:trail/watch"


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("StopLogging", {"name": "watch"}, True),
        ("StopLogging", {"name": ARN}, True),
        ("DeleteTrail", {"name": ARN}, True),
        ("UpdateTrail", {"name": "watch", "isMultiRegionTrail": False}, True),
        ("PutEventSelectors", {"trailName": "watch", "eventSelectors": []}, True),
        ("StopLogging", {"name": "another"}, False),
        ("StartLogging", {"name": "watch"}, False),
        ("GetTrailStatus", {"name": "watch"}, False),
    ],
)
def test_the_end_of_the_recording_is_found(name: str, parameters: dict[str, Any], expected: bool) -> None:
    assert found(trail_changes("watch", ARN), api_call_event("cloudtrail", name, parameters)) is expected
