"""Decide which principals a `Principal` or `NotPrincipal` element means.

Follows *AWS JSON policy elements: Principal* and *NotPrincipal* in the IAM User Guide.
"""

from __future__ import annotations

from msgspec import Struct

from secure_bucket.policy.document import Principal, Principals
from secure_bucket.policy.principal import Kind
from secure_bucket.proof.matching import matches
from secure_bucket.proof.pattern import compile_pattern
from secure_bucket.proof.principals import Who, names_service
from secure_bucket.proof.request_text import RequestText, letters_of, request_text_of, split_arn
from secure_bucket.proof.three_valued import Tri, any_of, negate
from secure_bucket.values.unknown import Hole, Text, Unknown

__all__ = ["Addressees", "compile_principals"]


class Addressees(Struct, frozen=True):
    """A `Principal` or `NotPrincipal` element, ready to be compared.

    Args:
        entries: Its entries, except those in `arns`.
        negated: Whether it is a `NotPrincipal` element.
        everyone: Whether it means every principal.
        arns: The literal users, roles and sessions: a role with its path, which its sessions omit from their
            own ARN.
        partitions: The partitions of the ARNs in it.
    """

    entries: tuple[Principal | Unknown, ...]
    negated: bool
    everyone: bool
    arns: frozenset[str]
    partitions: frozenset[str] = frozenset()

    def include(self, who: Who, *, strict: bool) -> Tri:
        """Return whether the element applies to a principal.

        Args:
            who: The principal.
            strict: Whether `{"AWS": "*"}` excludes AWS services. AWS does not document it; the CDK and most
                tools write it for everyone, which is the default reading.
        """
        entries = self.entries
        named: Tri = not self.arns.isdisjoint(who.names)
        if not named and self.negated and who.arn is not None:
            own = split_arn(who.arn)
            if own is not None and any(partition != own[1] for partition in self.partitions):
                return Unknown("AWS does not document `NotPrincipal` with a principal of another partition")
        if not named:
            if isinstance(who.name, Text) or isinstance(who.arn, Text):
                entries = (*entries, *(Principal("AWS", arn) for arn in sorted(self.arns)))
            named = any_of(self._named(entry, who, strict) for entry in entries)
        return negate(named) if self.negated else named

    def _named(self, entry: Principal | Unknown, who: Who, strict: bool) -> Tri:
        named = _means(entry, who, strict)
        if self.negated and named is True and who.kind is not Kind.ROOT and _is_account(entry, who):
            # *NotPrincipal*: the element must contain the ARN of a user and of its account, and still "all
            # principals except the user" are denied. *Principal*: an account is everyone in it.
            return Unknown("AWS says two things of which principals an account in `NotPrincipal` leaves out")
        return named


def compile_principals(principals: Principals) -> Addressees:
    """Prepare a `Principal` or `NotPrincipal` element."""
    entries: list[Principal | Unknown] = []
    arns: set[str] = set()
    everyone = False
    for entry in principals.entries:
        if isinstance(entry, Principal) and entry.kind in ("*", "AWS") and isinstance(entry.value, str):
            everyone |= entry.value == "*" and not principals.negated
            if (
                principals.negated
                and entry.value.startswith("arn:")
                and not set(entry.value).isdisjoint("*?")
            ):
                # AWS refuses it, and does not document which principals it excludes.
                reason = f"AWS does not allow a wildcard in the ARN `{entry.value[:60]}` of a principal"
                entries.append(Unknown(reason))
                continue
            if (
                entry.value.startswith("arn:")
                and not entry.value.endswith(":root")
                and "*" not in entry.value
            ):
                arns.add(entry.value)
                continue
        entries.append(entry)
    written = [entry.value for entry in principals.entries if isinstance(entry, Principal)]
    partitions = {
        value.split(":")[1] for value in written if isinstance(value, str) and value.startswith("arn:")
    }
    return Addressees(tuple(entries), principals.negated, everyone, frozenset(arns), frozenset(partitions))


def _is_account(entry: Principal | Unknown, who: Who) -> bool:
    if isinstance(entry, Unknown) or isinstance(entry.value, Unknown):
        return False
    parts = split_arn(entry.value)
    return entry.value == who.account if parts is None else str(parts[5]) == "root"


def _means(entry: Principal | Unknown, who: Who, strict: bool) -> Tri:
    if isinstance(entry, Unknown):
        return entry
    value = entry.value
    if isinstance(value, Unknown):
        return value
    if entry.kind == "*":
        return True
    if entry.kind == "Service":
        return _service_means(value, who)
    if value == "*" and entry.kind == "AWS":
        return not (strict and who.kind is Kind.SERVICE)
    if isinstance(value, Text):
        joined = request_text_of(letters_of(value))
        if joined in (who.name, who.arn, who.account):
            return joined in (*who.names, who.account)
    wide = _open_hole(value)
    if wide is not None:
        # A parameter may contain `*`, an account, or an ARN.
        return Unknown(wide.reason, wide.at)
    if who.kind in (Kind.ANONYMOUS, Kind.SERVICE):
        return False
    if entry.kind != "AWS":
        return Unknown(f"the policy does not tell which principals `{entry.kind}` `{value}` stands for")
    return _aws_means(value, who)


def _service_means(value: RequestText, who: Who) -> Tri:
    if who.kind is not Kind.SERVICE:
        return False
    if value == "*":
        return Unknown("AWS does not document a wildcard for service principals")
    if not names_service(value):
        return Unknown(f"`{str(value)[:40]}` is not the name of an AWS service")
    return _same(value, who.name)


def _aws_means(value: RequestText, who: Who) -> Tri:
    parts = split_arn(value)
    if parts is None:
        text = str(value)
        if isinstance(value, str) and not (len(text) == 12 and text.isdecimal()):
            # A unique id of IAM (`AIDA…`, `AROA…`), which S3 shows for a principal that was deleted.
            return Unknown(f"the policy does not tell which principal has the id `{text[:40]}`")
        return _same(value, who.account)
    if "*" in str(value) or "?" in str(value):
        # *Principal*: "You cannot use a wildcard to match part of a principal name or ARN."
        return False
    if str(parts[5]) == "root":
        partition = who.arn is None or letters_of(who.arn)[: len(str(parts[1])) + 5] == letters_of(
            f"arn:{parts[1]}:"
        )
        return _same(parts[4], who.account) if partition else False
    return any_of(_same(value, name) for name in who.names)


def _same(value: RequestText, own: RequestText | None) -> Tri:
    if own is None:
        return False
    if isinstance(value, str) and isinstance(own, str):
        return value == own
    pattern = compile_pattern(value)
    found = matches(pattern, own)
    if found is not None:
        return found
    hole = next(iter(pattern.holes), None)
    return Unknown(hole.reason, hole.at) if hole else Unknown("the principal is not known")


def _open_hole(value: RequestText) -> Hole | None:
    """Return the hole that is the whole text, unless it certainly contains no wildcard."""
    if isinstance(value, Text) and len(value.parts) == 1 and isinstance(value.parts[0], Hole):
        return None if value.parts[0].generated or value.parts[0].plain else value.parts[0]
    return None
