"""Prove or refute a claim about a bucket policy.

The method: split every dimension of a request into the finitely many classes that this policy can tell apart,
and look for a combination of classes that no Deny statement covers. Without one, the claim is proven. A
combination without unknown parts is a counterexample, which must pass `evaluate` before it is returned. Every
other case is undecided, with the facts that would decide it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from secure_bucket.policy.actions import DOUBTFUL_ACTIONS
from secure_bucket.policy.condition_keys import key_of
from secure_bucket.policy.document import Effect, Policy
from secure_bucket.policy.parse import parse_policy
from secure_bucket.proof.claim import DENIES_HTTP, Claim, denies_tls_below
from secure_bucket.proof.compiled_deny import compile_deny
from secure_bucket.proof.dimensions import Splitter
from secure_bucket.proof.language import Budget, TooComplex
from secure_bucket.proof.principals import Who
from secure_bucket.proof.request_text import letters_of
from secure_bucket.proof.search import Choice, Dimension, combinations_ruling_out
from secure_bucket.proof.space import Scenario, Space
from secure_bucket.proof.three_valued import Depends
from secure_bucket.proof.verdict import NO_POLICY, Proven, Refuted, Undecided, Verdict
from secure_bucket.values.never import assert_never
from secure_bucket.values.unknown import Hole, Text, Unknown

__all__ = ["prove", "prove_denies_http", "prove_minimum_tls"]

WORK: Final = 400_000
"""Steps and comparisons after which a policy counts as too complex: about a second of work."""

GLANCE: Final = 100_000
"""The same, for looking whether a single statement suffices."""

REPLAYS: Final = 64
"""Combinations of a scenario that are tried out when only a concrete request tells."""

DISAGREEMENT: Final = (
    "the prover and the evaluator of secure-bucket disagree about this policy; please report it"
)

UNLINKED: Final = (
    "the request that would get through has condition keys that AWS documents in no request together"
)


def prove_denies_http(policy: object, *, bucket_arn: str | Text, strict: bool = False) -> Verdict:
    """Decide whether a bucket policy denies every request over plain HTTP.

    Args:
        policy: The policy, as a `Policy` or as JSON values; `None` if the bucket has no policy.
        bucket_arn: The ARN of the bucket, such as `arn:aws:s3:::reports`.
        strict: Whether `{"AWS": "*"}` excludes AWS services, which AWS does not document (default: `False`,
            it means everyone).

    Returns:
        For every policy: `Proven`, `Refuted` with a request that gets through, or `Undecided` with the
        reasons.

    Raises:
        ValueError: `bucket_arn` is not the ARN of a bucket.

    Examples:
        >>> deny = {
        ...     "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::reports/*",
        ...     "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        ... }
        >>> verdict = prove_denies_http({"Statement": deny}, bucket_arn="arn:aws:s3:::reports")
        >>> verdict.request.action, verdict.request.resource
        ('s3:ListBucket', 'arn:aws:s3:::reports')
    """
    return prove(policy, DENIES_HTTP, bucket_arn=bucket_arn, strict=strict)


def prove_minimum_tls(
    policy: object, *, bucket_arn: str | Text, minimum: float, strict: bool = False
) -> Verdict:
    """Decide whether a bucket policy denies every request over a TLS version below a minimum.

    Args:
        policy: The policy, as for `prove_denies_http`.
        bucket_arn: The ARN of the bucket.
        minimum: The lowest allowed version, such as `1.2`.
        strict: As for `prove_denies_http`.
    """
    return prove(policy, denies_tls_below(minimum), bucket_arn=bucket_arn, strict=strict)


def prove(policy: object, claim: Claim, *, bucket_arn: str | Text, strict: bool = False) -> Verdict:
    """Decide a claim about a bucket policy; the arguments are those of `prove_denies_http`."""
    if policy is None:
        parsed, absent = Policy(), True
    else:
        parsed, absent = policy if isinstance(policy, Policy) else parse_policy(policy), False
    denies = [one for one in parsed.statements if not isinstance(one, Unknown) and one.effect is Effect.DENY]
    unknown = [one for one in parsed.statements if isinstance(one, Unknown)]
    own = [letter for letter in letters_of(bucket_arn) if isinstance(letter, Hole)]
    compiled = [compile_deny(statement, parsed.version, own) for statement in denies]
    space = Space(Splitter(compiled, unknown, claim, bucket_arn, Budget(WORK), strict=strict))
    try:
        verdict = _decide(space, parsed)
    except TooComplex as bound:
        return Undecided((_too_complex(str(bound)),))
    match verdict:
        case Refuted():
            return _explain_absence(verdict, parsed, absent=absent)
        case Proven() if parsed.problems:
            problems = (
                Unknown(f"S3 refuses this policy: {problem.reason}", problem.at)
                for problem in parsed.problems
            )
            return Undecided(tuple(problems), is_refused=True)
        case Proven() | Undecided():
            return verdict
        case _:
            assert_never(verdict)


def _decide(space: Space, policy: Policy) -> Verdict:
    for deny in space.denies:
        if space.is_covered_by(deny):
            return Proven((deny.statement.index,))
    glance = Budget(GLANCE)
    for deny in space.denies:
        # One statement alone proves most policies.
        alone = Space(Splitter([deny], (), space.claim, space.bucket_arn, glance, strict=space.strict))
        if _is_unavoidable(alone):
            return Proven((deny.statement.index,))
    # The modules for counterexamples load in 1 ms, only if there may be one.
    from secure_bucket.policy.evaluate import evaluate
    from secure_bucket.proof.counterexample import foreign_key, refute, request_of
    from secure_bucket.proof.linked_keys import with_linked_keys

    reasons: dict[Unknown, None] = {}
    replays = Budget(GLANCE)
    for certain in (True, False):
        for scenario, dimensions, choices in _combinations(space, certain=certain):
            open_points = _open_points(space, dimensions, choices)
            depends = all(isinstance(point, Depends) for point in open_points)
            if depends and (not open_points or replays.affords(space.cost)):
                # Only the rest of the request was unknown, and this is a whole request.
                request = request_of(space, scenario, dimensions, choices)
                present = {key.lower() for key in request.context}
                hinges = open_points and any(deny.hinges_on_absent(present) for deny in space.denies)
                if not hinges and not evaluate(policy, request, strict=space.strict):
                    linked = with_linked_keys(request, space.names)
                    if foreign := foreign_key(request):
                        open_points = [Unknown(f"AWS does not list `{foreign}` for `{request.action}`")]
                    elif evaluate(policy, linked, strict=space.strict):
                        open_points = [Unknown(UNLINKED)]
                    else:
                        return refute(space, dimensions, choices, linked)
                open_points = open_points or [Unknown(DISAGREEMENT)]
            reasons.update(dict.fromkeys(open_points))
    if not reasons:
        reasons.update(dict.fromkeys(_too_complex(limit) for limit in _limits(space)))
    return (
        Undecided(tuple(reasons)) if reasons else Proven(tuple(deny.statement.index for deny in space.denies))
    )


def _is_unavoidable(space: Space) -> bool:
    """Return whether no request escapes the statements, within the stated bounds."""
    try:
        return next(_combinations(space, certain=False), None) is None and not any(_limits(space))
    except TooComplex:
        return False


def _limits(space: Space) -> Iterator[str]:
    """Yield the bounds that splitting the dimensions reached."""
    for scenario in space.scenarios():
        yield from (dimension.limit for dimension in space.dimensions(scenario) if dimension.limit)


def _too_complex(limit: str) -> Unknown:
    return Unknown(f"the policy is too complex to decide: {limit}")


def _combinations(
    space: Space, *, certain: bool
) -> Iterator[tuple[Scenario, list[Dimension], tuple[Choice, ...]]]:
    for scenario in space.scenarios():
        dimensions = space.dimensions(scenario)
        for choices in islice(combinations_ruling_out(space.every, dimensions, certain=certain), REPLAYS):
            yield scenario, dimensions, choices


def _open_points(space: Space, dimensions: Sequence[Dimension], choices: Sequence[Choice]) -> list[Unknown]:
    """Return the unknown facts that decide whether this combination gets through."""
    certain = 0
    for choice in choices:
        certain |= choice.fails
    points = [
        Unknown(_doubt(dimension, choice))
        for dimension, choice in zip(dimensions, choices, strict=True)
        if choice.doubtful
    ]
    for index in range(space.every.bit_length()):
        if not certain >> index & 1:
            notes = [choice.notes[index] for choice in choices if index in choice.notes]
            points.extend(note for note in notes if not isinstance(note, Depends))
            if all(isinstance(note, Depends) for note in notes):
                points.extend(notes)
    return points


def _doubt(dimension: Dimension, choice: Choice) -> str:
    """Return why a class may not occur."""
    if isinstance(choice.value, Who):
        return f"the policy does not name a principal that is made later under the ARN `{choice.value.arn}`"
    if isinstance(choice.value, tuple) and dimension.name == "action":
        action = choice.value[0]
        if action in DOUBTFUL_ACTIONS:
            return f"AWS does not document whether `{action}` meets the policy of a bucket that exists"
        return f"AWS lists no action `{action}`, but it may add one"
    if isinstance(choice.value, tuple) and key_of(dimension.name) is None:
        return f"the table of condition keys does not have `{choice.value[0]}`"
    return f"AWS does not document whether a request can have this `{dimension.name}`: {_show(choice)}"


def _show(choice: Choice) -> str:
    value = choice.value
    if isinstance(value, tuple) and len(value) == 2 and not isinstance(value[1], str):
        return "absent" if value[1] is None else "several values at once"
    return f"`{value[-1] if isinstance(value, tuple) else value}`"


def _explain_absence(verdict: Refuted, policy: Policy, *, absent: bool) -> Refuted:
    """Explain what is wrong with a policy without a readable Deny statement."""
    if verdict.statement is not None:
        return verdict
    if absent:
        return Refuted(verdict.request, NO_POLICY)
    if policy.problems:
        problem = policy.problems[0]
        return Refuted(verdict.request, f"S3 refuses this policy: {problem.reason}", problem.at)
    return verdict
