"""The action list is what AWS's reference says, no more and no less than a bucket policy can meet."""

from __future__ import annotations

import pytest

from secure_bucket.policy.actions import BUCKET_ACTIONS, DOUBTFUL_ACTIONS, OBJECT_ACTIONS, keys_of
from secure_bucket.policy.s3_actions import ACTIONS


def test_the_most_familiar_action_comes_first_and_the_rest_by_name() -> None:
    assert BUCKET_ACTIONS[0] == "s3:ListBucket"
    assert OBJECT_ACTIONS[:3] == ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
    assert list(BUCKET_ACTIONS[1:]) == sorted(BUCKET_ACTIONS[1:])
    assert list(OBJECT_ACTIONS[3:]) == sorted(OBJECT_ACTIONS[3:])


@pytest.mark.parametrize(
    "action",
    [
        "s3:ListAllMyBuckets",
        "s3:CreateJob",
        "s3:GetAccountPublicAccessBlock",
        "s3:CreateAccessPoint",
        "s3:CreateBucket",
    ],
)
def test_an_action_that_never_meets_a_bucket_policy_is_in_no_list(action: str) -> None:
    assert action in {f"s3:{name}" for name, *_ in ACTIONS}
    assert action not in {*BUCKET_ACTIONS, *OBJECT_ACTIONS}


def test_permission_only_actions_are_actions_too() -> None:
    assert {"s3:BypassGovernanceRetention", "s3:ReplicateObject", "s3:InitiateReplication"} <= {
        *OBJECT_ACTIONS
    }


def test_no_action_is_listed_twice_or_doubtful_and_certain_at_once() -> None:
    names = [*BUCKET_ACTIONS, *OBJECT_ACTIONS, *DOUBTFUL_ACTIONS]
    assert len(names) == len(set(names))


def test_the_keys_of_an_action_are_found_in_any_case() -> None:
    assert "s3:prefix" in keys_of("S3:LISTBUCKET")
    assert "s3:prefix" not in keys_of("s3:GetObject")
    assert "s3:ExistingObjectTag/<key>" in keys_of("s3:GetObject")
    assert all(
        "s3:TlsVersion" in keys_of(action) for action in ("s3:GetObject", "s3:ListBucket", "s3:PutObject")
    )


def test_an_invented_action_has_no_keys() -> None:
    with pytest.raises(KeyError):
        keys_of("s3:GetEverything")
