"""Parse any JSON value as a `Policy`; each malformed part becomes a `Problem` with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from secure_bucket.policy.document import (
    Condition,
    Effect,
    Patterns,
    Policy,
    Principal,
    Principals,
    Problem,
    Quantifier,
    Statement,
    Value,
)
from secure_bucket.policy.messages import join_pointer, kind_of, name_of, shorten
from secure_bucket.policy.size import MAX_POLICY_BYTES, least_size
from secure_bucket.values.unknown import Hole, Place, Text, Unknown

__all__ = ["OPERATORS", "parse_policy"]

VERSIONS: Final = ("2008-10-17", "2012-10-17")
PRINCIPAL_KINDS: Final = ("AWS", "CanonicalUser", "Federated", "Service")
STATEMENT_ELEMENTS: Final = frozenset(
    (
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    )
)
OPERATORS: Final = (
    # IAM User Guide, *IAM JSON policy elements: Condition operators*.
    *("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
    *("StringLike", "StringNotLike"),
    *("NumericEquals", "NumericNotEquals"),
    *("NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"),
    *("DateEquals", "DateNotEquals"),
    *("DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"),
    *("Bool", "BinaryEquals", "IpAddress", "NotIpAddress"),
    *("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null"),
)
_OPERATOR: Final = re.compile(r"(?:(ForAllValues|ForAnyValue):)?(\w+?)(IfExists)?")
_IN_ANY_CASE: Final = re.compile(
    f"(?:ForAllValues:|ForAnyValue:)?(?:{'|'.join(OPERATORS)})(?:IfExists)?", re.IGNORECASE
)


def parse_policy(document: object) -> Policy:
    """Read a bucket policy.

    Args:
        document: The policy as JSON values, from `json.loads` or from the template reader, which may insert a
            `Text` or an `Unknown` anywhere.

    Returns:
        The policy, for any value. Malformed statements are not in `statements` but in `problems`: S3 refuses
        the whole document, so they deny nothing.
    """
    return _Parser().policy(document)


class _Parser:
    """One run, which collects the problems."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def _problem(self, reason: str, pointer: str) -> None:
        self._problems.append(Problem(reason, Place(pointer)))

    def policy(self, document: object) -> Policy:
        # The text of a policy may have holes anywhere.
        document = _settled(document, whole=False)
        if isinstance(document, Unknown):
            return Policy((document,))
        if not isinstance(document, Mapping):
            self._problem(f"a policy is a JSON object, and this is {kind_of(document)}", "")
            return Policy(problems=tuple(self._problems))
        for name in document:
            if name not in ("Version", "Id", "Statement"):
                self._problem(f"a policy has no element `{shorten(name)}`", join_pointer("", name))
        if isinstance(document.get("Id"), (Mapping, list, tuple)):
            self._problem(f"`Id` is a string, and this is {kind_of(document['Id'])}", "/Id")
        version = document.get("Version", VERSIONS[0])
        if version not in VERSIONS:
            self._problem(f"`Version` is one of {' and '.join(VERSIONS)}", "/Version")
        if (size := least_size(document)) > MAX_POLICY_BYTES:
            limit = f"{MAX_POLICY_BYTES:,}"
            self._problem(f"it has {size:,} bytes or more, and S3 takes {limit}", "")
        statements = self._statements(document)
        return Policy(statements, str(version), tuple(self._problems))

    def _statements(self, document: Mapping[object, object]) -> tuple[Statement | Unknown, ...]:
        if "Statement" not in document:
            self._problem("`Statement` is missing", "")
            return ()
        written = _settled(document["Statement"])
        if isinstance(written, Unknown):
            return (written,)
        if isinstance(written, Mapping):
            entries = [(written, "/Statement")]
        elif isinstance(written, (list, tuple)):
            entries = [(entry, f"/Statement/{index}") for index, entry in enumerate(written)]
        else:
            self._problem(
                f"`Statement` is a list of statements, and this is {kind_of(written)}", "/Statement"
            )
            return ()
        found = (self._statement(entry, index, at) for index, (entry, at) in enumerate(entries))
        return tuple(statement for statement in found if statement is not None)

    def _statement(self, written: object, index: int, at: str) -> Statement | Unknown | None:
        written = _settled(written)
        if isinstance(written, Unknown):
            return written
        if not isinstance(written, Mapping):
            self._problem(f"a statement is a JSON object, and this is {kind_of(written)}", at)
            return None
        before = len(self._problems)
        for name in written:
            if name not in STATEMENT_ELEMENTS:
                self._problem(f"a statement has no element `{shorten(name)}`", join_pointer(at, name))
        sid = written.get("Sid", "")
        if isinstance(sid, Unknown):
            sid = ""
        elif isinstance(sid, bool) or not isinstance(sid, (str, int, Text)):
            self._problem(f"`Sid` is a string, and this is {kind_of(sid)}", f"{at}/Sid")
        effect = self._effect(written, at)
        principals = self._principals(written, at)
        actions = self._patterns(written, "Action", at)
        resources = self._patterns(written, "Resource", at)
        conditions = self._conditions(written.get("Condition", {}), f"{at}/Condition")
        unknown = next((part for part in (effect, principals) if isinstance(part, Unknown)), None)
        if unknown is not None:
            return unknown
        if (
            len(self._problems) > before
            or not isinstance(effect, Effect)
            or not isinstance(principals, Principals)
            or actions is None
            or resources is None
        ):
            return None
        place = Place(at)
        return Statement(index, effect, principals, actions, resources, conditions, str(sid), place)

    def _effect(self, statement: Mapping[object, object], at: str) -> Effect | Unknown | None:
        if "Effect" not in statement:
            self._problem("`Effect` is missing", at)
            return None
        written = statement["Effect"]
        if isinstance(written, Unknown):
            return written
        if isinstance(written, Text):
            return Unknown(f"`Effect` is `{written}`", Place(f"{at}/Effect"))
        for effect in Effect:
            if effect.value == written:
                return effect
        self._problem(
            f"`Effect` is `Allow` or `Deny`, written so, and not `{shorten(written)}`", f"{at}/Effect"
        )
        return None

    def _element(
        self, statement: Mapping[object, object], name: str, at: str
    ) -> tuple[object, bool, str] | None:
        """Return the value of `name` or `Not<name>`, whether it is negated, and its pointer."""
        present = [spelled for spelled in (name, f"Not{name}") if spelled in statement]
        if len(present) != 1:
            problem = "is missing" if not present else f"and `Not{name}` exclude each other"
            self._problem(f"`{name}` {problem}", at)
            return None
        spelled = present[0]
        return statement[spelled], spelled != name, f"{at}/{spelled}"

    def _principals(self, statement: Mapping[object, object], at: str) -> Principals | Unknown | None:
        element = self._element(statement, "Principal", at)
        if element is None:
            return None
        written, negated, at = element
        written = _settled(written)
        if isinstance(written, Unknown):
            return written
        if written == "*":
            return Principals((Principal("*", "*"),), negated)
        if not isinstance(written, Mapping) or not written:
            allowed = '`"*"` or an object such as `{"AWS": "*"}`'
            self._problem(f"a principal is {allowed}, and this is {kind_of(written)}", at)
            return None
        entries: list[Principal | Unknown] = []
        for kind, values in written.items():
            if kind not in PRINCIPAL_KINDS:
                kinds = ", ".join(PRINCIPAL_KINDS)
                self._problem(
                    f"`{shorten(kind)}` is not a kind of principal, which are {kinds}", join_pointer(at, kind)
                )
                continue
            for value in self._strings(values, join_pointer(at, kind), numbers=True):
                entries.append(Principal(str(kind), value))
        return Principals(tuple(entries), negated)

    def _patterns(self, statement: Mapping[object, object], name: str, at: str) -> Patterns | None:
        element = self._element(statement, name, at)
        if element is None:
            return None
        written, negated, at = element
        return Patterns(self._strings(written, at), negated)

    def _strings(self, written: object, at: str, *, numbers: bool = False) -> tuple[Value, ...]:
        """Read one string or a list of strings.

        Args:
            written: The value.
            at: Its pointer.
            numbers: Whether to read a whole number as an account id, because YAML authors forget the quotes.
        """
        if not isinstance(written, (list, tuple)):
            entries = [(written, at)]
        else:
            entries = [(entry, f"{at}/{index}") for index, entry in enumerate(written)]
            if not entries:
                self._problem("an empty list stands where at least one string has to", at)
        values: list[Value] = []
        for entry, place in entries:
            if isinstance(entry, (str, Text, Unknown)):
                values.append(entry)
            elif numbers and isinstance(entry, int) and not isinstance(entry, bool) and 0 <= entry < 10**12:
                values.append(f"{entry:012d}")
            else:
                self._problem(f"a string has to stand here, and this is {kind_of(entry)}", place)
        return tuple(values)

    def _conditions(self, written: object, at: str) -> tuple[Condition | Unknown, ...]:
        written = _settled(written)
        if isinstance(written, Unknown):
            return (written,)
        if not isinstance(written, Mapping):
            self._problem(f"`Condition` is a JSON object, and this is {kind_of(written)}", at)
            return ()
        conditions: list[Condition | Unknown] = []
        for operator, keys in written.items():
            place = join_pointer(at, operator)
            keys = _settled(keys)
            if isinstance(keys, Unknown):
                conditions.append(keys)
            elif not isinstance(keys, Mapping):
                self._problem(f"a condition operator holds a JSON object, and this is {kind_of(keys)}", place)
            elif not keys:
                reason = f"AWS does not document `{shorten(operator)}` without a key"
                conditions.append(Unknown(reason, Place(place)))
            else:
                for key, values in keys.items():
                    conditions.append(self._condition(name_of(operator), name_of(key), values, place))
        return tuple(conditions)

    def _condition(self, operator: str, key: str, written: object, at: str) -> Condition | Unknown:
        match = _OPERATOR.fullmatch(operator)
        name = match[2] if match else operator
        place = Place(join_pointer(at, key))
        if name not in OPERATORS:
            if _IN_ANY_CASE.fullmatch(operator):
                # AWS documents one spelling of each operator, and no other.
                return Unknown(f"AWS does not document the spelling `{shorten(operator)}`", Place(at))
            self._problem(f"`{shorten(operator)}` is not a condition operator", at)
        if name == "Null" and match and match[3]:
            self._problem("`IfExists` cannot be added to `Null`", at)
        entries = written if isinstance(written, (list, tuple)) else (written,)
        if not entries:
            return Unknown(f"AWS does not document an empty list of values for `{shorten(key)}`", place)
        values: list[Value] = []
        for entry in entries:
            value = _scalar(entry)
            if value is None:
                self._problem(f"a condition value is a string, and this is {kind_of(entry)}", place.pointer)
            else:
                values.append(value)
        quantifier = Quantifier(match[1]) if match and match[1] else None
        return Condition(name, key, tuple(values), bool(match and match[3]), quantifier, place)


def _settled(written: object, *, whole: bool = True) -> object:
    """Return a value in place of an object: a hole alone may stand for any value, not only for text."""
    if isinstance(written, Text) and (len(written.parts) == 1 or not whole):
        hole = next((part for part in written.parts if isinstance(part, Hole)), None)
        return written if hole is None else Unknown(hole.reason, hole.at)
    return written


def _scalar(written: object) -> Value | None:
    """Return a condition value as a string, as S3 does; quotes are optional in the grammar."""
    if isinstance(written, (str, Text, Unknown)):
        return written
    if isinstance(written, bool):
        return "true" if written else "false"
    if isinstance(written, (int, float)):
        try:
            return str(written)
        except ValueError:  # Python refuses to print an integer of thousands of digits.
            return None
    return None
