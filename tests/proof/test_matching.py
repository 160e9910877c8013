"""What a pattern makes of a text, where either is known but for its holes."""

from __future__ import annotations

from itertools import product

import pytest

from secure_bucket.policy import Hole, Text
from secure_bucket.policy.document import Condition
from secure_bucket.policy.pattern import matches as matches_text
from secure_bucket.policy.pattern import read_pattern
from secure_bucket.proof.conditions import compile_comparison
from secure_bucket.proof.matching import matches
from secure_bucket.proof.pattern import compile_pattern
from secure_bucket.proof.request_text import RequestText
from secure_bucket.values.unknown import Unknown

BUCKET = Hole("Bucket", "CloudFormation makes the name up", generated=True)
OTHER = Hole("Other", "CloudFormation makes the name up", generated=True)
PARAMETER = Hole("Name", "it is a parameter")
OTHER_PARAMETER = Hole("OtherName", "it is a parameter")


def arn(*parts: str | Hole) -> Text:
    return Text(("arn:aws:s3:::", *parts))


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
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
        (arn(PARAMETER, "b"), arn(BUCKET), None),
    ],
)
def test_a_given_subject_with_holes(pattern: RequestText, text: RequestText, expected: bool | None) -> None:
    assert matches(compile_pattern(pattern, wild=True), text, given=True) is expected


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


def words(letters: str, longest: int) -> list[str]:
    return ["".join(word) for size in range(longest + 1) for word in product(letters, repeat=size)]


@pytest.mark.parametrize("written", words("a?*", 4))
def test_a_hole_matches_if_some_text_in_it_does(written: str) -> None:
    pattern = compile_pattern(written, wild=True)
    for before, after in product(words("ab", 2), words("ab", 2)):
        found = matches(pattern, Text((before, PARAMETER, after)), given=True)
        texts = (f"{before}{text}{after}" for text in words("ab", 4))
        answers = {matches_text(read_pattern(written), text) for text in texts}
        assert (found is not False) == (True in answers), (before, after)
        assert found is not True or answers == {True}


@pytest.mark.parametrize("written", words("a?*", 4))
def test_a_name_that_is_made_up_matches_if_some_new_text_does(written: str) -> None:
    pattern = compile_pattern(written, wild=True)
    for before, after in product(words("a", 2), words("a", 2)):
        found = matches(pattern, Text((before, BUCKET, after)), given=True)
        # A policy never has in full a name that CloudFormation makes up: a wildcard has to meet it.
        texts = (f"{before}{text}{after}" for text in words("az", 4) if "z" in text)
        answers = {matches_text(read_pattern(written), text) for text in texts}
        assert (found is not False) == (True in answers), (before, after)


def test_a_pattern_without_case_matches_a_hole_beside_letters_of_either_case() -> None:
    pattern = compile_pattern("aB", fold=True)
    assert matches(pattern, Text(("A", PARAMETER)), given=True) is None
    assert matches(pattern, Text((PARAMETER, "b")), given=True) is None
    assert matches(pattern, Text(("B", PARAMETER)), given=True) is False
    assert matches(compile_pattern("aB"), Text(("A", PARAMETER)), given=True) is False


def test_a_wildcard_in_an_arn_does_not_cross_a_colon_beside_a_hole() -> None:
    pattern = compile_pattern("arn:a?:s*:::x", arn=True, wild=True)
    assert matches(pattern, Text(("arn:ab:s3:::", PARAMETER)), given=True) is None
    assert matches(pattern, Text(("arn:a", PARAMETER, ":s3:::x")), given=True) is None
    assert matches(pattern, Text(("arn:ab:t3:::", PARAMETER)), given=True) is False


def test_a_comparison_that_costs_too_much_counts_as_open() -> None:
    long = Text(("a" * 300, PARAMETER, "b" * 300))
    assert matches(compile_pattern("?" * 300 + "c", wild=True), long, given=True) is None


@pytest.mark.parametrize("written", words("ab*", 4))
def test_a_known_text_matches_as_the_evaluator_has_it(written: str) -> None:
    pattern = compile_pattern(written, wild=True)
    for text in words("ab", 5):
        assert matches(pattern, text) is matches_text(read_pattern(written), text), text


def test_the_reason_of_a_doubt_is_that_of_the_hole() -> None:
    condition = Condition("StringEquals", "aws:SourceVpc", ("vpc-1",))
    found = compile_comparison(condition, variables=True).holds(Text(("vpc-", PARAMETER)))
    assert isinstance(found, Unknown)
    assert found.reason == PARAMETER.reason


def test_a_wildcard_of_an_arn_matches_what_is_not_known_in_its_part() -> None:
    pattern = compile_pattern("arn:aws:iam::*:role/a*", wild=True, arn=True)
    role = Text(("arn:aws:iam::", PARAMETER, ":role/a", OTHER_PARAMETER))
    assert matches(pattern, role) is True
