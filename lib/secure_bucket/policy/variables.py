"""Policy variables: `${aws:username}`, `${aws:username, 'nobody'}`, `${*}`.

Follows the IAM User Guide, *IAM policy elements: Variables and tags*.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from msgspec import Struct

from secure_bucket.policy.pattern import Pattern, fold, read_pattern
from secure_bucket.values.unknown import Unknown

__all__ = [
    "VERSION_WITH_VARIABLES",
    "Escape",
    "Variable",
    "fill_in",
    "fill_in_resource",
    "split_variables",
]

# "Variables were introduced in version 2012-10-17. Earlier versions of the policy language don't support
# policy variables", and treat them as literal strings.
VERSION_WITH_VARIABLES: Final = "2012-10-17"

_VARIABLE: Final = re.compile(r"\$\{([^{}]*)\}|\$\{")
# The page, read 2026-11: a key, then "a comma and a space" before a default in single quotes. AWS does not
# document what any other text between the braces means.
_DOCUMENTED: Final = re.compile(r"((?:[A-Za-z0-9-]+:)?[^\s,'](?:[^,']*[^\s,'])?)(?:, '([^']*)')?")


class Variable(Struct, frozen=True):
    """A policy variable, which stands for a value of the request.

    Args:
        name: The condition key whose value it takes, as written.
        default: What it stands for when the request does not have the key; `None` when nothing does.
    """

    name: str
    default: str | None = None

    @property
    def key(self) -> str:
        """The condition key in lower case."""
        return fold(self.name)

    def __str__(self) -> str:
        return f"${{{self.name}}}" if self.default is None else f"${{{self.name}, '{self.default}'}}"

    @property
    def has_wild_default(self) -> bool:
        """Whether there are wildcards in its default, which AWS does not document."""
        return self.default is not None and not {"*", "?"}.isdisjoint(self.default)


class Escape(Struct, frozen=True):
    """`${*}`, `${?}` or `${$}`: the character itself."""

    character: str


Part: TypeAlias = "str | Variable | Escape | Unknown"


def split_variables(text: str) -> Iterator[Part]:
    """Yield a text of a policy in parts: plain text, variables, and `Unknown` for an undocumented form."""
    end = 0
    for found in _VARIABLE.finditer(text):
        yield text[end : found.start()]
        end = found.end()
        documented = _DOCUMENTED.fullmatch(found[1] or "")
        if found[1] in ("*", "?", "$"):
            yield Escape(found[1])
        elif documented is None:
            yield Unknown(f"AWS does not document this form of a policy variable: `{found[0]}`")
        else:
            yield Variable(documented[1], documented[2])
    yield text[end:]


def fill_in(text: str, context: Mapping[str, str | Sequence[str]], version: str) -> Pattern | None:
    """Return a text of a policy as the pattern it is for one request.

    Args:
        text: What is written in the policy.
        context: The context of the request, its keys in lower case.
        version: The version of the policy.

    Returns:
        The pattern; what a variable stands for is plain text in it, wildcards included. `None` when the
        request gives a variable no value: it is absent, or multivalued ("you can't use a multivalued
        condition key as a variable"), and there is no default; or when it has no documented form.
    """
    if version != VERSION_WITH_VARIABLES:
        return read_pattern(text)
    pattern: Pattern = ()
    for part in split_variables(text):
        if isinstance(part, str):
            pattern += read_pattern(part)
        elif isinstance(part, Escape):
            pattern += (part.character,)
        else:
            value = None if isinstance(part, Unknown) else context.get(part.key, part.default)
            if not isinstance(value, str):
                return None
            pattern += tuple(value)
    return pattern


def fill_in_resource(arn: str, context: Mapping[str, str | Sequence[str]], version: str) -> Pattern | None:
    """Return an entry of `Resource` or `NotResource` as the pattern it is for one request.

    "You can use a policy variable in the Resource element, but only in the resource portion of the ARN.
    This portion of the ARN appears after the fifth colon." Before it, `${` is plain text.
    """
    *front, resource = arn.split(":", 5)
    if len(front) < 5:
        return read_pattern(arn)
    filled = fill_in(resource, context, version)
    return None if filled is None else read_pattern(":".join(front) + ":") + filled
