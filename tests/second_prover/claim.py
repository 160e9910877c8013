"""The claim as a formula: a request over plain HTTP that no Deny statement matches.

Written sentence by sentence after the IAM User Guide: *Principal*, *NotPrincipal*, *Action*, *Resource*,
*Condition operators*, *Set operators for multivalued context keys*, *Policy variables*.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from fractions import Fraction
from typing import Any

import z3

from secure_bucket.policy import Condition, Effect, Patterns, Policy, Principals, Statement
from secure_bucket.policy.document import Quantifier
from secure_bucket.policy.s3_actions import ACTIONS
from tests.second_prover.facts import ACTION_TABLE, MAYBE_TEMPORARY, Kind, Type, key_of
from tests.second_prover.logic import (
    Formula,
    Match,
    between,
    conj,
    disj,
    every,
    exactly,
    negate,
    opposite,
    some,
    unknown,
)
from tests.second_prover.request import BUCKET, Space, Variables, in_range, one_of, read_date
from tests.second_prover.text import (
    Unsupported,
    Variable,
    Written,
    arn_matches,
    as_regex,
    behind,
    literal,
    matches,
    read,
)

__all__ = ["Claim"]

_NUMERIC = {
    "Equals": lambda a, b: a == b,
    "NotEquals": lambda a, b: a == b,
    "LessThan": lambda a, b: a < b,
    "LessThanEquals": lambda a, b: a <= b,
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanEquals": lambda a, b: a >= b,
}


_LISTED = frozenset(f"s3:{name}".lower() for name, *_ in ACTIONS)


def _lower(text: str) -> str:
    return "".join(char.lower() if char.isascii() else char for char in text)


class Claim:
    """The formulas of one policy.

    Args:
        policy: A parsed policy of which everything is known.

    Raises:
        Unsupported: The policy is outside of what is encoded.
    """

    def __init__(self, policy: Policy) -> None:
        self.variables = policy.version == "2012-10-17"
        denies = []
        for one in policy.statements:
            if not isinstance(one, Statement):
                raise Unsupported("a statement that is not known")
            if one.effect is Effect.DENY:
                denies.append(one)
        accounts = sorted(set(re.findall(r"(?<![0-9])[0-9]{12}(?![0-9])", repr(denies))))
        self.valued: set[str] = set()
        self.space = Space(self._mentioned(denies), self.valued, accounts)
        entries = [entry for one in denies for entry in one.principals.entries]
        self.space.needs_arn = any(
            part in str(entry) for entry in entries for part in (":user", ":role", "federated-user")
        )
        self.space.needs_service = any("Service" in str(entry) for entry in entries)
        self.space.services = re.findall(r"[a-z0-9.-]+\.amazonaws\.com", repr(denies))
        self.space.arns = re.findall(r"arn:aws:(?:iam|sts)::[^'\"]*", repr(denies))
        self.space.needs_name = any("assumed-role/" in str(entry) for entry in entries)
        self.unresolved: list[Formula] = []
        matched = [self._statement(one) for one in denies]
        self.open_surely = conj(negate(one.may) for one in matched)
        self.open_maybe = conj(negate(one.free) for one in matched)

    def _mentioned(self, denies: list[Statement]) -> dict[str, int]:
        found: Counter[str] = Counter()
        for one in denies:
            texts = [*one.resources.values]
            for condition in one.conditions:
                if not isinstance(condition, Condition):
                    raise Unsupported("a condition that is not known")
                found[key_of(condition.key).name] += 1
                if condition.operator != "Null":
                    self.valued.add(key_of(condition.key).name)
                texts += condition.values
            for text in texts:
                if not isinstance(text, str):
                    raise Unsupported("a value that is not known")
                if self.variables:
                    for name in re.findall(r"\$\{([A-Za-z0-9_.:/=+@-]+)(?:, '[^']*')?\}", text):
                        found[key_of(name).name] += 1
                        self.valued.add(key_of(name).name)
        return dict(found)

    def _statement(self, one: Statement) -> Match:
        self.unresolved = []
        parts = [
            self._principals(one.principals),
            self._actions(one.actions),
            self._resources(one.resources),
            *(self._condition(condition) for condition in one.conditions if isinstance(condition, Condition)),
        ]
        whole = every(parts)
        # "If a variable cannot be resolved, this might cause the entire statement to be invalid."
        resolved = conj(map(negate, self.unresolved))
        return Match(conj([whole.free, resolved]), conj([whole.sure, resolved]), whole.may)

    # Who

    def _principals(self, principals: Principals) -> Match:
        entries = []
        for entry in principals.entries:
            if not isinstance(entry.value, str):  # type: ignore[union-attr]
                raise Unsupported("a principal that is not known")
            entries.append((entry.kind, entry.value))  # type: ignore[union-attr]
        if not principals.negated:
            return some(self._principal(kind, value) for kind, value in entries)
        return opposite(self._exempt(entries))

    def _principal(self, kind: str, value: str) -> Match:
        space = self.space
        if kind == "*" or (kind == "AWS" and value == "*"):
            return exactly(value == "*")
        if kind == "Service":
            # A list of names belongs to a service, and a request may come under another one of them.
            named = conj([space.is_(Kind.SERVICE), space.service == literal(value)])
            return exactly(named)
        if kind == "Federated":
            return between(False, space.is_(Kind.SESSION), f"Federated {value}")
        if kind == "CanonicalUser":
            return between(False, space.is_(*MAYBE_TEMPORARY), f"CanonicalUser {value}")
        if kind != "AWS":
            return exactly(False)
        iam = space.is_(*MAYBE_TEMPORARY)
        account = re.fullmatch(r"(?:arn:aws:iam::)?([0-9]{12})(?::root)?", value)
        if account is not None and (value.isdigit() or value.endswith(":root")):
            return exactly(conj([iam, space.account == literal(account[1])]))
        session = re.fullmatch(r"arn:aws:sts::([0-9]{12}):assumed-role/([^/]+)/([^/]+)", value)
        if session is not None:
            return exactly(
                conj(
                    [
                        space.is_(Kind.SESSION),
                        space.account == literal(session[1]),
                        space.name == literal(session[2]),
                        space.session == literal(session[3]),
                    ]
                )
            )
        found = re.fullmatch(
            r"arn:aws:(iam|sts)::([0-9]{12}):(user|role|federated-user)/(.+)", value, re.DOTALL
        )
        if found is None or "*" in value or "?" in value:
            # The id of a principal that is no more, or a wildcard, which S3 refuses.
            return between(False, iam, f"AWS {value}")
        kinds = {"user": Kind.USER, "role": Kind.SESSION, "federated-user": Kind.FEDERATED}
        same = conj([space.is_(kinds[found[3]]), space.arn == literal(value)])
        if found[3] == "federated-user":
            return exactly(same)
        # "The ARN transforms to the unique ID when the policy is saved": a user or role that is made again
        # under the same name is not the one that is named.
        return between(False, same, f"made again {value}")

    def _exempt(self, entries: list[tuple[str, str]]) -> Match:
        """Return which principals `NotPrincipal` exempts.

        AWS asks to name the account beside the user or the role, and the role beside the session, "otherwise
        the policy might deny access": a principal that is named without the others is exempt or not.
        """
        named = [(kind, value, self._principal(kind, value)) for kind, value in entries]
        accounts = [
            m.sure
            for k, v, m in named
            if k == "AWS" and re.fullmatch(r"(arn:aws:iam::)?[0-9]{12}(:root)?", v)
        ]
        sure = []
        for kind, value, match in named:
            if kind == "AWS" and value != "*" and match.sure is not False:
                is_account = re.fullmatch(r"(arn:aws:iam::)?[0-9]{12}(:root)?", value) is not None
                with_others = self.space.is_(Kind.ROOT) if is_account else disj(accounts)
                if "assumed-role/" in value or ":role/" in value:
                    roles = [m.sure for _, v, m in named if ":role/" in v]
                    sessions = [m.sure for _, v, m in named if "assumed-role/" in v]
                    with_others = conj([with_others, disj(roles), disj(sessions)])
                sure.append(conj([match.sure, with_others]))
            else:
                sure.append(match.sure)
        question = between(disj(sure), disj(match.free for *_, match in named), f"NotPrincipal {entries}")
        return question._replace(may=disj(match.may for *_, match in named))

    # What

    def _actions(self, actions: Patterns) -> Match:
        named = some(self._action(str(value)) for value in actions.values)
        return opposite(named) if actions.negated else named

    def _action(self, pattern: str) -> Match:
        if pattern == "*":
            return exactly(True)
        service, colon, _name = pattern.partition(":")
        wild = "*" in service or "?" in service or not colon
        regex = "".join(
            ".*" if char == "*" else "." if char == "?" else re.escape(char) for char in _lower(pattern)
        )
        loose = (
            regex
            if pattern.isascii()
            else "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern.casefold())
        )
        sure = [i for i, act in enumerate(ACTION_TABLE) if re.fullmatch(regex, act.name.lower())]
        may = [i for i, act in enumerate(ACTION_TABLE) if re.fullmatch(loose, act.name.lower())]
        pieces = read(_lower(pattern), None, wild=True).pieces
        if _lower(pattern) in _LISTED:
            unlisted: Formula = False
        else:
            new = z3.InRe(self.space.unlisted, as_regex(pieces))
            unlisted = conj([self.space.action == len(ACTION_TABLE), new])
        if "s3:*" in (pattern, _lower(pattern)):
            return exactly(True)
        among = [disj([unlisted, one_of(tuple(found))]) for found in (sure, may)]
        return between(False if wild else among[0], among[1], f"Action {_lower(pattern)}")

    def _resources(self, resources: Patterns) -> Match:
        named = some(self._resource(str(value)) for value in resources.values)
        return opposite(named) if resources.negated else named

    def _resource(self, pattern: str) -> Match:
        if pattern == "*":
            return exactly(True)
        parts = pattern.split(":", 5)
        if len(parts) < 6:
            # A wildcard stands within one part of an ARN; what one over several means is not documented.
            return between(False, self._of_object(self._read(pattern, wild=True)).may, f"Resource {pattern}")
        front = ":".join(parts[:5])
        if "${" in front:
            return unknown(f"Resource {pattern}")
        last = self._read(parts[5], wild=True)
        whole = Written((*read(f"{front}:", None, wild=True).pieces, *last.pieces), last.odd, pattern)
        # Whether the partition and the service may hold wildcards is not documented, or they may not.
        doubtful = any(wild in part for part in parts[:3] for wild in "*?")
        found = self._of_object(whole)
        return between(False, found.may, f"Resource {pattern}") if doubtful else found

    def _of_object(self, written: Written) -> Match:
        self._note(written)
        if written.odd:
            return unknown(f"Resource {written.text}")
        space = self.space
        if not written.variables:
            bucket = () in behind(written.pieces, BUCKET)
            left = behind(written.pieces, f"{BUCKET}/")
            of_object = disj(matches(space.key, Written(pieces)).sure for pieces in left if pieces)
            parts = [conj([negate(space.is_object), bucket]), conj([space.is_object, of_object])]
            return exactly(disj(parts))
        of_bucket = matches(literal(BUCKET), written)
        of_object_match = matches(z3.Concat(literal(f"{BUCKET}/"), space.key), written)
        return some(
            [
                every([exactly(negate(space.is_object)), of_bucket]),
                every([exactly(space.is_object), of_object_match]),
            ]
        )

    # Variables

    def _lookup(self, name: str, default: str | None) -> Variable:
        one = self.space.keys[key_of(name).name]
        if one.key.many:
            return Variable(literal(""), one.present, documented=False)
        match one.key.type:
            case Type.STRING | Type.ARN:
                value, documented = one.value, True
            case Type.BOOL:
                value, documented = z3.If(one.value, literal("true"), literal("false")), True
            case _:
                value, documented = literal(""), False
        if default is None:
            return Variable(value, one.present, documented)
        return Variable(z3.If(one.present, value, literal(default)), True, documented)

    def _read(self, text: str, *, wild: bool) -> Written:
        return read(text, self._lookup if self.variables else None, wild=wild)

    def _note(self, written: Written) -> None:
        if written.odd:
            self.unresolved.append(z3.BoolVal(True))
        self.unresolved += [negate(one.resolved) for one in written.variables]

    # Conditions

    def _condition(self, condition: Condition) -> Match:
        one = self.space.keys[key_of(condition.key).name]
        operator = condition.operator
        values = [str(value) for value in condition.values]
        absent = negate(one.present)
        if operator == "Null":
            return self._null(condition, one, values)
        negated = "Not" in operator
        if not values:
            raise Unsupported("a condition without values")
        match condition.quantifier:
            case None if one.key.many:
                # It may mean any of the values, or all: an operator and its negation may both fail.
                present = unknown(f"no set operator {operator} {condition.key} {values}")
            case None:
                present = self._value(operator, one, one.value, values)
            case Quantifier.FOR_ALL_VALUES | Quantifier.FOR_ANY_VALUE:
                present = self._set(operator, one, values, condition.quantifier)
        present = every([exactly(one.present), present])
        match condition.quantifier:
            case None:
                when_absent = exactly(negated or condition.if_exists)
            case Quantifier.FOR_ALL_VALUES:
                when_absent = exactly(True)
            case Quantifier.FOR_ANY_VALUE:
                # "Returns false if there are no matching context keys", and IfExists says the opposite.
                when_absent = between(False, condition.if_exists, "ForAnyValue IfExists")
        return some([present, every([exactly(absent), when_absent])])

    def _null(self, condition: Condition, one: Variables, values: list[str]) -> Match:
        question = f"Null {one.key.name}"
        if condition.quantifier is not None or condition.if_exists:
            return unknown(f"{question} {condition} {values}")
        empty: Formula = False
        if one.key.many:
            empty = negate(disj(one.used))
        elif one.key.type in (Type.STRING, Type.ARN):
            empty = one.value == literal("")
        absent = negate(one.present)
        null = between(absent, disj([absent, empty]), question)
        options = {"true": null, "false": opposite(null)}
        return some(options.get(value, unknown(f"{question} {value}")) for value in values)

    def _set(self, operator: str, one: Variables, values: list[str], quantifier: Quantifier) -> Match:
        if not one.key.many:
            match = self._value(operator, one, one.value, values)
            if one.key.type not in (Type.STRING, Type.ARN):
                return match
            # "… or if the context key value resolves to a null dataset, such as an empty string."
            empty = exactly(one.value == literal(""))
            if quantifier is Quantifier.FOR_ALL_VALUES:
                return some([empty, match])
            return every([opposite(empty), match])
        each = [
            (used, self._value(operator, one, value, values))
            for value, used in zip(one.values, one.used, strict=True)
        ]
        if quantifier is Quantifier.FOR_ANY_VALUE:
            return some(every([exactly(used), match]) for used, match in each)
        return every(some([exactly(negate(used)), match]) for used, match in each)

    def _value(self, operator: str, one: Variables, asked: Any, values: list[str]) -> Match:
        """Return whether a value that is there satisfies an operator; the values of a policy are ORed."""
        named = some(self._one(operator, one, asked, value) for value in values)
        return opposite(named) if "Not" in operator else named

    def _one(self, operator: str, one: Variables, asked: Any, value: str) -> Match:
        kind = one.key.type
        text = kind in (Type.STRING, Type.ARN)
        question = f"{operator.replace('Not', '')} {one.key.name} {value}"
        if not one.key.known and not operator.startswith("String"):
            return unknown(question)
        match operator:
            case "StringEquals" | "StringNotEquals" if text:
                return self._text(asked, value, wild=False)
            case "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" if text:
                return self._text(asked, value, wild=False, fold=True)
            case "StringLike" | "StringNotLike" if text:
                return self._text(asked, value, wild=True)
            case "ArnEquals" | "ArnLike" | "ArnNotEquals" | "ArnNotLike" if kind is Type.ARN:
                written = self._read(value, wild=True)
                self._note(written)
                return arn_matches(asked, written)
            case "Bool" if kind is Type.BOOL:
                return self._bool(one, value, question)
            case "IpAddress" | "NotIpAddress" if kind is Type.ADDRESS:
                return self._address(one, value, question)
        family = re.fullmatch(r"(Numeric|Date)(.+)", operator)
        if family is not None and family[2] in _NUMERIC:
            numbers = (Type.NUMBER, Type.WHOLE, Type.DATE_OR_NUMBER)
            dates = (Type.DATE, Type.DATE_OR_NUMBER)
            if family[1] == "Numeric" and kind in numbers and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
                return exactly(_NUMERIC[family[2]](asked, z3.RealVal(str(Fraction(value)))))
            moment = read_date(value)
            if family[1] == "Date" and kind in dates and moment is not None:
                return exactly(_NUMERIC[family[2]](asked, z3.RealVal(str(moment))))
            if family[1] == "Date" and kind in dates and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
                return _some_time_on(asked, value, family[2], question)
        return unknown(question)

    def _text(self, asked: Any, value: str, *, wild: bool, fold: bool = False) -> Match:
        written = self._read(value, wild=wild)
        self._note(written)
        return matches(asked, written, fold=fold)

    def _bool(self, one: Variables, value: str, question: str) -> Match:
        if value in ("true", "false"):
            return exactly(one.value if value == "true" else negate(one.value))
        # A variable among them, which *Variables and tags* allows for string and ARN operators only.
        return unknown(question)

    def _address(self, one: Variables, value: str, question: str) -> Match:
        if not re.fullmatch(r"[0-9.]+(/[0-9]{1,2})?|[0-9A-Fa-f:]+(/[0-9]{1,3})?", value):
            return unknown(question)
        try:
            return exactly(in_range(one, ipaddress.ip_network(value, strict=False)))
        except ValueError:
            return unknown(question)


def _some_time_on(asked: Any, day: str, relation: str, question: str) -> Match:
    """Compare with a day: it begins 14 hours before UTC at the earliest, and ends 12 hours after it."""
    first, last = read_date(f"{day}T00:00+14:00"), read_date(f"{day}T23:59:59-12:00")
    if first is None or last is None:
        return unknown(question)
    early, late = (z3.RealVal(str(moment)) for moment in (first, last + 1))
    if relation in ("Equals", "NotEquals"):
        return between(False, conj([asked >= early, asked <= late]), question)
    sure, may = (early, late) if relation.startswith("Less") else (late, early)
    compare = _NUMERIC[relation]
    return between(compare(asked, sure), compare(asked, may), question)
