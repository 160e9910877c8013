"""Which targets, actions and keys of objects stand for their classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from secure_bucket.policy import Hole, Text, parse_policy
from secure_bucket.policy.actions import DOUBTFUL_ACTIONS
from secure_bucket.policy.document import Statement
from secure_bucket.proof.clauses import Clause, covers_every_object
from secure_bucket.proof.compiled_deny import compile_deny
from secure_bucket.proof.language import Budget
from secure_bucket.proof.resources import (
    Target,
    is_listed,
    keys_in,
    partition_of,
    unlisted_actions,
)

PLENTY = 10_000_000
BUCKET_ARN = "arn:aws:s3:::reports"
NAME = Hole("Bucket", "CloudFormation generates the name", generated=True)


def clauses_of(*elements: Mapping[str, object], element: str) -> list[Clause]:
    """Return the clause that each statement has for `actions` or `resources`."""
    plain = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    policy = parse_policy({"Version": "2012-10-17", "Statement": [{**plain, **each} for each in elements]})
    denies = [compile_deny(each, policy.version) for each in policy.statements if isinstance(each, Statement)]
    return [getattr(deny, element) for deny in denies]


def answers(actions: Sequence[str], clauses: Sequence[Clause]) -> set[tuple[bool, ...]]:
    return {tuple(clause.covers(action) is True for clause in clauses) for action in actions}


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["s3:GetObject"], {(False,)}),
        (["s3:Get*"], {(True,), (False,)}),
        (["s3:GetObjec?"], {(True,), (False,)}),
        (["s3:*Object"], {(True,), (False,)}),
        (["s3:?etObject"], {(True,), (False,)}),
        (["s3:Get*", "s3:GetObject*"], {(True, True), (True, False), (False, False)}),
        (["s3:GetObject*", "s3:Put*"], {(True, False), (False, True), (False, False)}),
        # Only `GetObject` itself is matched by all three.
        (
            ["s3:Get*", "s3:*Object", "s3:GetObject"],
            {(x, y, False) for x in (False, True) for y in (False, True)},
        ),
        (["*"], {(True,)}),
    ],
)
@pytest.mark.parametrize("target", Target)
def test_unlisted_actions_stand_for_each_class_that_aws_can_add(
    target: Target, patterns: list[str], expected: set[tuple[bool, ...]]
) -> None:
    clauses = clauses_of(*({"Action": pattern} for pattern in patterns), element="actions")
    found = list(unlisted_actions(clauses, target, Budget(PLENTY)))
    if target is Target.BUCKET:
        assert tuple(found[: len(DOUBTFUL_ACTIONS)]) == DOUBTFUL_ACTIONS
        del found[: len(DOUBTFUL_ACTIONS)]
    assert not [action for action in found if is_listed(action)]
    assert answers(found, clauses) == expected
    assert all(action.startswith("s3:") for action in found)


def test_unlisted_actions_are_found_within_the_budget() -> None:
    clauses = clauses_of({"Action": "s3:GetObjec?"}, element="actions")
    spent = Budget(PLENTY)
    list(unlisted_actions(clauses, Target.OBJECT, spent))
    assert spent.left < spent.whole


@pytest.mark.parametrize(
    ("arn", "partition"),
    [
        (BUCKET_ARN, "aws"),
        ("arn:aws-us-gov:s3:::reports", "aws-us-gov"),
        (Text(("arn:aws-cn:s3:::", NAME)), "aws-cn"),
        (Text(("arn:aws:s3:::reports-", NAME)), "aws"),
    ],
)
def test_the_partition_is_read_from_the_arn(arn: str | Text, partition: str) -> None:
    assert partition_of(arn) == partition


@pytest.mark.parametrize(
    "arn",
    [
        "reports",
        "arn:aws:s3:::",
        f"{BUCKET_ARN}/key",
        "arn:aws:s3:eu-west-1::reports",
        "arn:gcp:s3:::reports",
    ],
)
def test_another_arn_is_refused(arn: str) -> None:
    with pytest.raises(ValueError, match="is not the ARN of a bucket"):
        partition_of(arn)


def test_keys_stand_for_each_class_of_objects() -> None:
    resources = [f"{BUCKET_ARN}/public/*", f"{BUCKET_ARN}/*.csv", f"{BUCKET_ARN}/exact"]
    clauses = clauses_of(*({"Resource": resource} for resource in resources), element="resources")
    keys = list(keys_in(BUCKET_ARN, clauses, Budget(PLENTY)))
    assert "exact" in keys
    found = {tuple(clause.covers(f"{BUCKET_ARN}/{key}") is True for clause in clauses) for key in keys}
    assert found == {
        (False, False, False),
        (False, False, True),
        (False, True, False),
        (True, False, False),
        (True, True, False),
    }


def test_a_key_with_a_hole_of_the_policy_is_a_class_of_its_own() -> None:
    prefix = Hole("Prefix", "it is a parameter")
    clauses = clauses_of({"Resource": Text((f"{BUCKET_ARN}/", prefix, "/x"))}, element="resources")
    keys = list(keys_in(BUCKET_ARN, clauses, Budget(PLENTY)))
    assert Text((prefix, "/x")) in keys
    assert "report.csv" in keys


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (f"{BUCKET_ARN}/*", True),
        (f"{BUCKET_ARN}*", True),
        ("*", True),
        (BUCKET_ARN, False),
        (f"{BUCKET_ARN}/a*", False),
        (f"{BUCKET_ARN}/?*", False),
        # AWS does not document whether a wildcard may stand for the service.
        ("arn:aws:*:::reports/*", False),
    ],
)
def test_a_resource_obviously_covers_every_object(resource: str, expected: bool) -> None:
    (clause,) = clauses_of({"Resource": resource}, element="resources")
    assert covers_every_object(clause, BUCKET_ARN) is expected
