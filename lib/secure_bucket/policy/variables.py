"""Policy variables: `${aws:username}`, `${aws:username, 'nobody'}`, `${*}`.

Follows the IAM User Guide, *IAM policy elements: Variables and tags*.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from secure_bucket.policy.pattern import Pattern, fold, read_pattern

__all__ = ["VERSION_WITH_VARIABLES", "fill_in", "fill_in_resource"]

# "Variables were introduced in version 2012-10-17. Earlier versions of the policy language don't support
# policy variables", and treat them as literal strings.
VERSION_WITH_VARIABLES: Final = "2012-10-17"

# "separate the key name and the default value with a comma and a space", the value in single quotes.
_VARIABLE: Final = re.compile(r"\$\{(?:([*?$])|([^{},']*)(?:, '([^']*)')?)\}")


def fill_in(text: str, context: Mapping[str, str | Sequence[str]], version: str) -> Pattern | None:
    """Return a text of a policy as the pattern it is for one request.

    Args:
        text: What is written in the policy.
        context: The context of the request, its keys in lower case.
        version: The version of the policy.

    Returns:
        The pattern; what a variable stands for is plain text in it, wildcards included. `None` when the
        request gives a variable no value: it is absent, or multivalued ("you can't use a multivalued
        condition key as a variable"), and there is no default.
    """
    if version != VERSION_WITH_VARIABLES:
        return read_pattern(text)
    pattern: Pattern = ()
    end = 0
    for found in _VARIABLE.finditer(text):
        character, key, default = found.groups()
        value = character or context.get(fold(key), default)
        if not isinstance(value, str):
            return None
        pattern += read_pattern(text[end : found.start()]) + tuple(value)
        end = found.end()
    return pattern + read_pattern(text[end:])


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
