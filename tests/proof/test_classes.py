"""Which statements a class rules out, and how statements share what is not known of it."""

from __future__ import annotations

from collections.abc import Mapping

from secure_bucket.policy import Policy, parse_policy
from secure_bucket.policy.document import Statement
from secure_bucket.proof.classes import DOUBT_LIMIT, choice_of, choices_of
from secure_bucket.proof.compiled_deny import CompiledDeny, compile_deny
from secure_bucket.proof.three_valued import Tri
from secure_bucket.values.unknown import Unknown

UNKNOWN = Unknown("AWS does not say")


def denies(count: int) -> list[CompiledDeny]:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    policy: Policy = parse_policy({"Version": "2012-10-17", "Statement": [deny] * count})
    return [compile_deny(one, policy.version) for one in policy.statements if isinstance(one, Statement)]


def index_of(deny: CompiledDeny) -> int:
    return deny.statement.index


def test_a_class_tells_failure_from_doubt_for_each_statement() -> None:
    answers: list[list[Tri]] = [[True], [False, UNKNOWN], [True, UNKNOWN]]
    choice = choice_of(denies(3), "class", lambda deny, _: answers[index_of(deny)], doubtful=True)
    assert (choice.value, choice.fails, choice.may_fail) == ("class", 0b010, 0b110)
    assert choice.notes == {2: UNKNOWN}
    assert choice.doubtful
    assert not choice_of(denies(1), "class", lambda _, __: [True]).doubtful


def judge(deny: CompiledDeny, answers: Mapping[str, bool]) -> list[Tri]:
    """The first statement asks a question, the second the opposite, and the third another one."""
    asked = ("a", "a", "b")[index_of(deny)]
    if asked not in answers:
        return [UNKNOWN]
    return [answers[asked] != (index_of(deny) == 1)]


def test_statements_that_ask_the_same_get_the_same_answer() -> None:
    split = list(choices_of(denies(3), "class", judge, ["a", "a", "b"], doubtful=True))
    assert [choice.may_fail for choice in split] == [0b101, 0b110]
    assert [choice.fails for choice in split] == [0, 0]
    assert [sorted(choice.notes) for choice in split] == [[0, 2], [1, 2]]
    assert all(choice.doubtful for choice in split)


def test_a_class_is_not_split_without_need() -> None:
    assert len(list(choices_of(denies(3), "class", judge, ["a", "b"]))) == 1
    assert len(list(choices_of(denies(3), "class", lambda _, __: [True], ["a", "a"]))) == 1


def test_a_class_is_split_for_a_few_questions_only() -> None:
    few = [str(number) for number in range(DOUBT_LIMIT)]
    assert len(list(choices_of(denies(3), "class", judge, few * 2))) == 2**DOUBT_LIMIT
    assert len(list(choices_of(denies(3), "class", judge, [*few, "more"] * 2))) == 1
