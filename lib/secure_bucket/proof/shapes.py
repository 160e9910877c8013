"""Define the forms of a condition key's texts, as shapes for representatives."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from msgspec import Struct

from secure_bucket.policy.condition_key import ConditionKey, Form, Type
from secure_bucket.policy.condition_keys import key_of
from secure_bucket.policy.principal import Kind
from secure_bucket.policy.variables import Variable
from secure_bucket.proof.language import DIGITS, HOST, LETTERS, NAME, Parts, Stage
from secure_bucket.proof.pattern import CompiledPattern, Wild
from secure_bucket.proof.request_text import RequestText
from secure_bucket.values.never import assert_never
from secure_bucket.values.unknown import Hole, Text

__all__ = ["Shape", "example_of", "literals_of", "shapes_of"]

_IAM_ARN: Final = 640
"""Characters in an ARN of IAM at most: an account, a path of 512, a name of 64, and the text between them."""

_ID: Final = LETTERS | DIGITS | frozenset("-")
_CAPITALS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


class Shape(Struct, frozen=True):
    """A form of the texts of a key.

    Args:
        stages: The parts of the texts.
        seeds: Familiar texts to prefer.
        doubtful: Whether AWS does not document that the key has such a value.
        longest: The most characters outside the fixed parts.
    """

    stages: tuple[Stage, ...]
    seeds: tuple[Parts, ...] = ()
    doubtful: bool = False
    longest: int | None = None

    def fits(self, text: str) -> bool:
        """Return whether a text has this shape."""
        return _expression(self.stages).fullmatch(text) is not None


@lru_cache(maxsize=256)
def _expression(stages: tuple[Stage, ...]) -> re.Pattern[str]:
    """Return the regular expression for texts of these parts."""
    parts = []
    for stage in stages:
        if stage.text is not None:
            parts.append(re.escape(str(stage.text)))
            continue
        letters = "." if stage.allowed is None else f"[{re.escape(''.join(sorted(stage.allowed)))}]"
        parts.append(f"{letters}{{{stage.least},{'' if stage.most is None else stage.most}}}")
    return re.compile("".join(parts), re.DOTALL)


def shapes_of(name: str, kind: Kind, partition: str) -> tuple[Shape, ...]:
    """Return the shapes of the texts of a key in a request, the documented one first.

    Args:
        name: The key.
        kind: The kind of principal that sends the request.
        partition: The partition of the bucket and of all its requests.

    Returns:
        The shapes; empty for a key that is not in the table of condition keys.
    """
    key = key_of(name)
    if key is None:
        return ()
    if key.form in (Form.ANY, Form.TAG) and not key.values:
        return (Shape((Stage(),), ((key.example,),)),)
    longest = _IAM_ARN if key.name == "aws:PrincipalArn" else None
    stages: tuple[Stage, ...] = (Stage(),)
    if key.form is Form.ARN:
        stages = (
            Stage("arn:"),
            *(stage for _ in range(4) for stage in (Stage(least=0), Stage(":"))),
            Stage(),
        )
    return (*_documented(key, kind, partition, longest), Shape(stages, doubtful=True, longest=longest))


def _documented(key: ConditionKey, kind: Kind, partition: str, longest: int | None) -> tuple[Shape, ...]:
    prefix, _, rest = key.example.partition("-")
    match key.form:
        case Form.ANY | Form.TAG:
            return ()
        case Form.ACCOUNT:
            digits = Stage(allowed=DIGITS, preferred=key.example, least=12, most=12)
            return (Shape((digits,), ((key.example,),)),)
        case Form.ARN:
            return _arns(key.example, partition, longest)
        case Form.ORGANIZATION | Form.VPC | Form.ENDPOINT:
            return (Shape((Stage(f"{prefix}-"), Stage(allowed=_ID)), ((f"{prefix}-", rest),)),)
        case Form.ORGANIZATION_PATH:
            top = (Stage("o-"), Stage(allowed=_ID), Stage("/r-"), Stage(allowed=_ID))
            units = Stage(allowed=_ID | frozenset("/"))
            return (
                Shape(
                    (*top, Stage("/ou-"), units, Stage("/")),
                    (("o-", "example", "/r-", "root", "/ou-", "unit", "/"),),
                ),
                Shape((*top, Stage("/"))),
            )
        case Form.UNIQUE_ID:
            if kind is Kind.USER:
                return (Shape((Stage("AIDA"), Stage(allowed=_CAPITALS)), (("AIDA", "EXAMPLE"),)),)
            if kind is Kind.ROLE:
                session = Stage(allowed=NAME, least=2, most=64)
                role = (Stage("AROA"), Stage(allowed=_CAPITALS), Stage(":"), session)
                return (Shape(role, (("AROA", "EXAMPLE", ":", "session"),)),)
            return ()
        case Form.SERVICE:
            name = key.example.removesuffix(".amazonaws.com")
            return (Shape((Stage(allowed=HOST), Stage(".amazonaws.com")), ((name, ".amazonaws.com"),)),)
        case _:
            assert_never(key.form)


def _arns(example: str, partition: str, longest: int | None) -> tuple[Shape, ...]:
    """Return the shape of ARNs with an account, and of those without one, such as that of a bucket."""
    _, _, service, region, account, resource = example.split(":", 5)
    head = f"arn:{partition}:"
    words = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
    place = (Stage(head), Stage(allowed=words), Stage(":"), Stage(allowed=words, least=0), Stage(":"))
    owner = Stage(allowed=DIGITS, preferred="111122223333", least=12, most=12)
    seed = (head, service, ":", region, ":", account, ":", resource)
    return (
        Shape((*place, owner, Stage(":"), Stage()), (seed,), longest=longest),
        Shape((*place, Stage(":"), Stage()), longest=longest),
    )


def literals_of(patterns: Iterable[CompiledPattern]) -> Iterator[RequestText]:
    """Yield, for each pattern with holes or variables, a text that it matches.

    The text has the same holes. It has an example in place of each variable, and another text has the
    default.
    """
    seen: set[RequestText] = set()
    for pattern in patterns:
        if not pattern.holes and not pattern.variables:
            continue
        for by_default in (False, True):
            parts: list[str | Hole] = []
            for element in pattern.elements:
                if isinstance(element, Variable):
                    default = element.default if by_default else None
                    parts.append(example_of(element.key) if default is None else default)
                else:
                    parts.append("x" if isinstance(element, Wild) else element)
            text: RequestText = Text(tuple(parts)) if pattern.holes else "".join(map(str, parts))
            if text not in seen:
                seen.add(text)
                yield text


def example_of(key: str) -> str:
    """Return a familiar value of a condition key."""
    found = key_of(key)
    if found is not None and found.type is Type.BOOLEAN:
        return "true"
    return "example" if found is None else found.example
