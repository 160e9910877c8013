"""List the targets of a request: an action together with the bucket or an object in it."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Final

from secure_bucket.policy.actions import BUCKET_ACTIONS, DOUBTFUL_ACTIONS, OBJECT_ACTIONS, keys_of
from secure_bucket.policy.pattern import fold as fold_case
from secure_bucket.proof.clauses import Clause
from secure_bucket.proof.language import DIGITS, LETTERS, Budget, Stage, representatives
from secure_bucket.proof.matching import matches
from secure_bucket.proof.pattern import CompiledPattern, Wild, coarse
from secure_bucket.proof.request_text import RequestText, concat, letters_of, request_text_of
from secure_bucket.proof.shapes import literals_of
from secure_bucket.values.unknown import Hole

__all__ = [
    "Target",
    "actions_on",
    "keys_in",
    "keys_on",
    "partition_of",
    "plain_key",
    "supported_keys",
    "unlisted_actions",
]

KEY_LIMIT: Final = 1024
"""Bytes in an object key (S3 User Guide, *Naming Amazon S3 objects*)."""


ACTION_LIMIT: Final = 128 - len("s3:")
"""Characters in the name of an action (IAM API Reference, *SimulateCustomPolicy*, `ActionNames`)."""


class Target(enum.Enum):
    """What a request acts on."""

    OBJECT = enum.auto()
    BUCKET = enum.auto()


_BUCKET_ARN: Final = re.compile(r"arn:(aws[a-z-]*):s3:::[^/]+")


def partition_of(bucket_arn: RequestText) -> str:
    """Return the partition of a bucket's ARN.

    Raises:
        ValueError: The ARN is not the ARN of a bucket.
    """
    # A name with holes may be completely unknown.
    known = "".join(letter if isinstance(letter, str) else "x" for letter in letters_of(bucket_arn))
    match = _BUCKET_ARN.fullmatch(known)
    if match is None:
        raise ValueError(f"`{bucket_arn}` is not the ARN of a bucket, which is written `arn:aws:s3:::name`")
    return match[1]


def actions_on(target: Target) -> tuple[str, ...]:
    """Return the actions of S3 on a target, the most familiar first."""
    return OBJECT_ACTIONS if target is Target.OBJECT else BUCKET_ACTIONS


@cache
def keys_on(target: Target) -> frozenset[str]:
    """Return the condition keys (in lower case, without the name of a tag) that AWS lists for a target."""
    return frozenset(key for action in actions_on(target) for key in supported_keys(action))


def supported_keys(action: str) -> frozenset[str]:
    """Return the condition keys (in lower case, without the name of a tag) that AWS lists for an action."""
    return frozenset(plain_key(key) for key in keys_of(action)) if is_listed(action) else frozenset()


def is_listed(action: str) -> bool:
    """Return whether AWS lists an action for S3, acting on any resource."""
    try:
        keys_of(action)
    except KeyError:
        return False
    return True


def plain_key(key: str) -> str:
    """Return a condition key in lower case, without the name of a tag."""
    return fold_case(key).partition("/")[0]


def unlisted_actions(clauses: Sequence[Clause], target: Target, budget: Budget) -> Iterator[str]:
    """Yield names of unlisted actions, one for each class that the policy can tell apart.

    AWS adds actions; a proof that assumes a complete list must say so.
    """
    patterns = [
        coarse(pattern)
        for clause in clauses
        for pattern in clause.patterns
        if isinstance(pattern, CompiledPattern)
    ]
    # Every action that AWS lists for S3 has only letters. Actions of other services also have digits, and AWS
    # documents no grammar, so a future action may begin with any of these.
    new = Stage(allowed=LETTERS | DIGITS | frozenset("-_"), preferred="NewAction")
    shape = (Stage("s3:"), new)
    if target is Target.BUCKET:
        yield from DOUBTFUL_ACTIONS
    for parts in representatives(shape, patterns, [("s3:", "NewAction")], budget, longest=ACTION_LIMIT):
        # An existing action is listed for its own target, or meets no bucket policy; a future one may look
        # the same to the policy.
        name = "".join(parts)
        found = _unlisted_like(name, patterns, budget) if is_listed(name) else name
        if found is not None:
            yield found


def _unlisted_like(name: str, patterns: Sequence[CompiledPattern], budget: Budget) -> str | None:
    """Return an unlisted name that the same patterns match as a listed one, or `None`."""
    found = {pattern for pattern in patterns if matches(pattern, name)}
    if not all(Wild.ANY in pattern.elements or Wild.ONE in pattern.elements for pattern in found):
        return None
    name = next(
        (each for each in (*BUCKET_ACTIONS, *OBJECT_ACTIONS) if fold_case(each) == fold_case(name)), name
    )
    service = len("s3:")
    places = range(len(name), service - 1, -1)
    longer = (f"{name[:at]}{more}{name[at:]}" for more in ("New", "x", "_") for at in places)
    changed = (f"{name[:at]}{other}{name[at + 1 :]}" for other in "x_" for at in places if at < len(name))
    for near in chain(longer, changed):
        budget.spend(len(patterns))
        if not is_listed(near) and {pattern for pattern in patterns if matches(pattern, near)} == found:
            return near
    return None


def keys_in(bucket_arn: RequestText, clauses: Sequence[Clause], budget: Budget) -> Iterator[RequestText]:
    """Yield an object key for each class of objects, the simplest first.

    Args:
        bucket_arn: The ARN of the bucket.
        clauses: The `Resource` elements of the policy.
        budget: The work that it may use.

    Raises:
        TooComplex: The patterns have too many classes to enumerate.
    """
    prefix = concat(bucket_arn, "/")
    own = {letter for letter in letters_of(prefix) if isinstance(letter, Hole)}
    patterns = [
        pattern for clause in clauses for pattern in clause.patterns if isinstance(pattern, CompiledPattern)
    ]
    open_ended = [pattern for pattern in patterns if pattern.variables or not own.issuperset(pattern.holes)]
    whole = [*patterns, *(coarse(pattern) for pattern in open_ended)]
    seeds = [(str(prefix), "report.csv")]
    for parts in representatives((Stage(prefix), Stage()), whole, seeds, budget, longest=KEY_LIMIT):
        if len(parts[1].encode(errors="surrogatepass")) <= KEY_LIMIT:
            yield parts[1]
    start = letters_of(prefix)
    for text in literals_of(open_ended):
        letters = letters_of(text)
        if letters[: len(start)] == start and len(letters) > len(start):
            yield request_text_of(letters[len(start) :])
