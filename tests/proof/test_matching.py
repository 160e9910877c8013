"""What a pattern makes of a subject, where either is known but for its holes."""

from __future__ import annotations

import pytest

from secure_bucket.policy import Hole, Text
from secure_bucket.proof.matching import matches
from secure_bucket.proof.pattern import compile_pattern
from secure_bucket.proof.subject import Subject

BUCKET = Hole("Bucket", "CloudFormation makes the name up", generated=True)
OTHER = Hole("Other", "CloudFormation makes the name up", generated=True)
PARAMETER = Hole("Name", "it is a parameter")
OTHER_PARAMETER = Hole("OtherName", "it is a parameter")


def arn(*parts: str | Hole) -> Text:
    return Text(("arn:aws:s3:::", *parts))


@pytest.mark.parametrize(
    ("pattern", "subject", "expected"),
    [
        (arn(BUCKET), arn(BUCKET), True),
        (arn(BUCKET, "/*"), arn(BUCKET, "/key"), True),
        (arn(BUCKET, "/*"), arn(BUCKET), False),
        ("arn:aws:s3:::*", arn(BUCKET, "/key"), True),
        # A name that CloudFormation makes up is never one that somebody wrote in full …
        ("arn:aws:s3:::reports", arn(BUCKET), False),
        ("arn:aws:s3:::reports/*", arn(BUCKET, "/key"), False),
        (arn(OTHER), arn(BUCKET), False),
        (arn(BUCKET), "arn:aws:s3:::reports", False),
        # … but it may begin as a pattern says, and a parameter may hold it.
        ("arn:aws:s3:::reports-*", arn(BUCKET), None),
        ("arn:aws:s3:::reports-*/x", arn(BUCKET, "/y"), False),
        (arn(PARAMETER), arn(BUCKET), None),
        # A parameter may hold any text, the same one wherever it stands.
        (arn(PARAMETER), "arn:aws:s3:::reports", None),
        (arn("logs-", PARAMETER), "arn:aws:s3:::reports", False),
        (arn(PARAMETER), arn(PARAMETER), True),
        (arn(PARAMETER, "-logs/*"), arn(PARAMETER, "-logs"), False),
        (arn(PARAMETER, "-logs"), arn(PARAMETER, "-reports"), False),
        ("arn:aws:s3:::reports", arn(PARAMETER), None),
        ("arn:aws-cn:s3:::reports", arn(PARAMETER), False),
        # A hole may be empty, a `?` is one character, and what is known has to be there, in order.
        (arn("a?", PARAMETER, "z"), "arn:aws:s3:::abcdz", None),
        (arn("a?", PARAMETER, "z"), "arn:aws:s3:::abz", None),
        (arn("a?", PARAMETER, "z"), "arn:aws:s3:::az", False),
        (arn("a?", PARAMETER, "z"), "arn:aws:s3:::abcdy", False),
        (arn(PARAMETER, "-b-", OTHER_PARAMETER), "arn:aws:s3:::x-b-y", None),
        (arn(PARAMETER, "-b-", OTHER_PARAMETER), "arn:aws:s3:::x-c-y", False),
        (arn(PARAMETER, "bc", OTHER_PARAMETER, "d"), "arn:aws:s3:::bd-cb-d", False),
        (arn(PARAMETER, "bc", OTHER_PARAMETER, "d"), "arn:aws:s3:::abcd", None),
        # The name that is made up has to meet a wildcard, and has no slash.
        ("arn:aws:s3:::ab?d/k", arn(BUCKET, "/k"), None),
        ("arn:aws:s3:::abcd/k", arn(BUCKET, "/k"), False),
        ("arn:aws:s3:::ab?d/k", arn(BUCKET, "/j"), False),
        ("arn:aws:s3:::logs/*", arn(BUCKET), False),
        ("arn:aws:s3:::a*b/k", arn(BUCKET, "/k"), None),
        (arn(OTHER, "x*"), arn(BUCKET, "y"), False),
        (arn(PARAMETER, "x"), arn(BUCKET, "y"), False),
    ],
)
def test_a_given_subject_with_holes(pattern: Subject, subject: Subject, expected: bool | None) -> None:
    assert matches(compile_pattern(pattern, wild=True), subject, given=True) is expected


@pytest.mark.parametrize(
    ("written", "action", "expected"),
    [
        (("S3:Get", PARAMETER), "s3:GetObject", None),
        (("s3:get", PARAMETER), "S3:GETOBJECT", None),
        (("s3:", PARAMETER, "ACL"), "s3:GetObjectAcl", None),
        (("s3:", PARAMETER, "ACL"), "s3:GetObject", False),
        (("ec2:", PARAMETER), "s3:GetObject", False),
    ],
)
def test_case_is_ignored_around_a_hole_too(
    written: tuple[str | Hole, ...], action: str, expected: bool | None
) -> None:
    pattern = compile_pattern(Text(written), wild=True, fold=True)
    assert matches(pattern, action, given=True) is expected


def test_a_free_subject_without_holes_is_the_case_in_which_a_text_with_holes_does_not_match() -> None:
    pattern = compile_pattern(Text(("vpce-", PARAMETER)))
    assert matches(pattern, "vpce-1") is False
    assert matches(pattern, Text(("vpce-", PARAMETER))) is True


def test_a_variable_may_stand_for_any_text() -> None:
    pattern = compile_pattern("home/${aws:username}/*", wild=True, variables=True)
    assert matches(pattern, "home/alice/x", given=True) is None
    assert matches(pattern, "public/x", given=True) is False


def test_an_escape_is_a_plain_character_and_no_variable() -> None:
    pattern = compile_pattern("a${*}b", wild=True, variables=True)
    assert matches(pattern, "a*b") is True
    assert matches(pattern, "axb") is False
    assert matches(compile_pattern("a${*}b", wild=True), "a${xyz}b") is True


def test_the_wildcards_of_an_arn_operator_stay_in_their_part() -> None:
    pattern = compile_pattern("arn:aws:*:*:111122223333:*", wild=True, arn=True)
    assert matches(pattern, "arn:aws:sns:us-east-1:111122223333:a:b") is True
    assert matches(pattern, "arn:aws:sns:x:us-east-1:111122223333:a") is False
