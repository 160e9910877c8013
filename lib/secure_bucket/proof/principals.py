"""List the principals that can send a request, one for each class that a policy can tell apart.

Follows *AWS JSON policy elements: Principal* and *NotPrincipal* in the IAM User Guide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from secure_bucket.policy.document import Principal
from secure_bucket.policy.principal import Kind
from secure_bucket.proof.comparison import Observed
from secure_bucket.proof.language import DIGITS, HOST, NAME, PATH, Budget, Stage, representatives
from secure_bucket.proof.pattern import CompiledPattern, coarse, compile_pattern
from secure_bucket.proof.request_text import RequestText, concat, letters_of, request_text_of, split_arn
from secure_bucket.proof.shapes import literals_of
from secure_bucket.values.unknown import Hole, Text, Unknown

__all__ = ["PRINCIPAL_TYPES", "Who", "identity_of", "names_service", "principals_of"]

PRINCIPAL_TYPES: Final = {
    Kind.ANONYMOUS: "Anonymous",
    Kind.USER: "User",
    Kind.ROLE: "AssumedRole",
    Kind.ROOT: "Account",
    Kind.FEDERATED: "FederatedUser",
}
NAME_LIMIT: Final = 12 + 512 + 64
"""Characters in an account id, a path and a name (IAM User Guide, *IAM and AWS STS quotas*)."""

_ACCOUNT: Final = "111122223333"
_SERVICE: Final = "delivery.logs"
# IAM User Guide, *AWS service principals*, read 2026-11: `service-name.amazonaws.com`, with `.cn` in China.
_SERVICE_NAME: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?")


class Who(Struct, frozen=True):
    """A principal that sends a request.

    Args:
        kind: The kind of principal.
        name: The principal as a `Request` names it.
        account: The value of `aws:PrincipalAccount`.
        arn: The value of `aws:PrincipalArn`: for a session, that of its role.
        username: The value of `aws:username`.
        bound: Whether it already had its ARN when the policy was saved. IAM User Guide, *AWS JSON policy
            elements: Principal*, read 2026-11: a policy keeps the unique id of a role or user that it names
            by its ARN, so it does not name another one that is made later under that ARN.
    """

    kind: Kind
    name: RequestText
    account: RequestText | None = None
    arn: RequestText | None = None
    username: RequestText | None = None
    bound: bool = True

    @property
    def names(self) -> tuple[RequestText, ...]:
        """The ARNs that name it in a `Principal` element."""
        arn = () if self.arn is None or not self.bound else (self.arn,)
        return arn if self.name == self.arn else (self.name, *arn)


def principals_of(
    kind: Kind,
    partition: str,
    entries: Sequence[Principal],
    arns: Sequence[CompiledPattern],
    accounts: Sequence[CompiledPattern],
    usernames: Sequence[CompiledPattern],
    services: Sequence[CompiledPattern],
    budget: Budget,
) -> Iterator[Who]:
    """Yield a principal of a kind for each class, the simplest first.

    Args:
        kind: The kind.
        partition: The partition of the bucket, which is also that of its requests.
        entries: Every entry of a `Principal` or `NotPrincipal` element.
        arns: The patterns that `aws:PrincipalArn` is compared with.
        accounts: The patterns that `aws:PrincipalAccount` is compared with.
        usernames: The patterns that `aws:username` is compared with.
        services: The patterns that `aws:PrincipalServiceName` is compared with.
        budget: The work that it may use.

    Raises:
        TooComplex: The patterns have too many classes to enumerate.
    """
    if kind is Kind.ANONYMOUS:
        # `aws:PrincipalAccount` is `anonymous` then: `presence_of` has the source.
        yield Who(kind, "anonymous", account="anonymous")
        return
    if kind is Kind.SERVICE:
        # An ARN or an account, which is valid only under `AWS`, is not the name of a service.
        written = [
            compile_pattern(entry.value)
            for entry in entries
            if entry.kind == "Service" and not isinstance(entry.value, Unknown)
        ]
        yield from _services([*written, *services], budget)
        return
    named = [entry.value for entry in entries if not isinstance(entry.value, Unknown)]
    literals = [compile_pattern(value) for value in named]
    own_accounts = [*accounts, *_account_patterns(named)]
    digits = Stage(
        allowed=DIGITS, preferred=_ACCOUNT, least=12, most=12, patterns=tuple(map(coarse, own_accounts))
    )
    whole = [coarse(pattern) for pattern in (*arns, *literals)]
    sessions = [session for value in named if (session := _session_of(value)) is not None]
    detailed = bool(arns) or any(":" in value and str(value).count("/") > 1 for value in map(str, named))
    for shape, seed in _shapes(kind, partition, digits, tuple(map(coarse, usernames)), detailed=detailed):
        for parts in representatives(shape, whole, [seed], budget, longest=NAME_LIMIT):
            yield from _signed(kind, partition, parts[1], parts[2:], sessions)
    for account in literals_of(own_accounts):
        if isinstance(account, str) and not (len(account) == 12 and DIGITS.issuperset(account)):
            continue  # The value of a variable need not be an account.
        _, example = _shapes(kind, partition, digits, (), detailed=False)[0]
        yield from _signed(kind, partition, account, example[2:], sessions)
    # Literal users and roles are already among the representatives.
    open_ended = (value for value in named if isinstance(value, Text) or _session_of(value) is not None)
    for arn in (*open_ended, *literals_of(arns)):
        yield from _as_written(kind, request_text_of(letters_of(arn)), partition)


def _shapes(
    kind: Kind, partition: str, digits: Stage, usernames: tuple[CompiledPattern, ...], *, detailed: bool
) -> list[tuple[tuple[Stage, ...], tuple[str, ...]]]:
    """Return the shapes of `aws:PrincipalArn` for a kind, each with a familiar example."""
    service = "sts" if kind is Kind.FEDERATED else "iam"
    head = f"arn:{partition}:{service}::"
    if kind is Kind.ROOT:
        return [((Stage(head), digits, Stage(":root")), (head, _ACCOUNT, ":root"))]
    middle, example = {
        Kind.USER: (":user/", "alice"),
        Kind.ROLE: (":role/", "app"),
        Kind.FEDERATED: (":federated-user/", "alice"),
    }[kind]
    name = Stage(allowed=NAME, patterns=usernames)
    shapes: list[tuple[tuple[Stage, ...], tuple[str, ...]]] = [
        ((Stage(head), digits, Stage(middle), name), (head, _ACCOUNT, middle, example))
    ]
    if detailed and kind is not Kind.FEDERATED:
        shapes.append(
            (
                (Stage(head), digits, Stage(middle), Stage(allowed=PATH), Stage("/"), name),
                (head, _ACCOUNT, middle, "team", "/", example),
            )
        )
    return shapes


def _signed(
    kind: Kind,
    partition: str,
    account: RequestText,
    ending: Sequence[str],
    sessions: Sequence[tuple[RequestText, str]],
) -> Iterator[Who]:
    """Yield the principal with this account and this ending of its ARN, once for each session named."""
    resource = "".join(ending).removeprefix(":")
    service = "sts" if kind is Kind.FEDERATED else "iam"
    arn = concat(f"arn:{partition}:{service}::", account, f":{resource}")
    name = resource.rpartition("/")[2]
    if kind is not Kind.ROLE:
        yield Who(kind, arn, account, arn, name if kind is Kind.USER else None)
        return
    prefix = concat(f"arn:{partition}:sts::", account, f":assumed-role/{name}/")
    yield Who(kind, concat(prefix, "session"), account, arn)
    for session, own in sessions:
        if session == concat(prefix, own):
            yield Who(kind, session, account, arn)


def _session_of(value: RequestText) -> tuple[RequestText, str] | None:
    """Return the ARN of a session with its name, if the text is one."""
    parts = split_arn(value)
    if parts is None or not str(parts[5]).startswith("assumed-role/"):
        return None
    return value, str(parts[5]).rpartition("/")[2]


def _as_written(kind: Kind, arn: RequestText, partition: str) -> Iterator[Who]:
    """Yield the principal that a policy names, if it is of the kind."""
    parts = split_arn(arn)
    if parts is None:
        # Only the name of a parameter or of another resource is known: usually it is a role.
        if kind is Kind.ROLE and isinstance(arn, Text):
            unknown = Text((Hole(f"account of {arn}", "it is part of a value that is not known"),))
            yield Who(kind, arn, unknown, arn)
        return
    account, (what, _, name) = parts[4], str(parts[5]).partition("/")
    last = name.rpartition("/")[2]
    if what == "user" and kind is Kind.USER:
        yield Who(kind, arn, account, arn, last)
    elif what == "federated-user" and kind is Kind.FEDERATED:
        yield Who(kind, arn, account, arn)
    elif what == "role" and kind is Kind.ROLE:
        yield Who(
            kind,
            concat(f"arn:{partition}:sts::", account, f":assumed-role/{last}/session"),
            account,
            arn,
        )
    elif what == "assumed-role" and kind is Kind.ROLE:
        role = name.rpartition("/")[0]
        for path in ("", "team/"):
            yield Who(kind, arn, account, concat(f"arn:{partition}:iam::", account, f":role/{path}{role}"))


def _account_patterns(values: Iterable[RequestText]) -> Iterator[CompiledPattern]:
    """Yield the accounts that the entries of a `Principal` element name."""
    for value in values:
        parts = split_arn(value)
        if parts is not None:
            yield compile_pattern(parts[4])
        elif value != "*":
            yield compile_pattern(value)


def _services(literals: Sequence[CompiledPattern], budget: Budget) -> Iterator[Who]:
    shape = (Stage(allowed=HOST), Stage(".amazonaws.com"))
    for parts in representatives(
        shape, [coarse(pattern) for pattern in literals], [(_SERVICE, ".amazonaws.com")], budget
    ):
        yield Who(Kind.SERVICE, "".join(parts))
    written = (
        "".join(str(element) for element in pattern.elements)
        for pattern in literals
        if pattern.is_literal and not pattern.holes
    )
    for name in (*written, *literals_of(literals)):
        if names_service(name):
            yield Who(Kind.SERVICE, name)


def names_service(value: RequestText) -> bool:
    """Tell whether a text can be the name of a service."""
    return isinstance(value, Text) or _SERVICE_NAME.fullmatch(value) is not None


def identity_of(who: Who) -> dict[str, Observed]:
    """Return the condition keys (in lower case) that the identity of a principal decides; `None` is
    absent."""
    keys: dict[str, Observed] = {"aws:username": who.username}
    if who.kind is not Kind.SERVICE:
        keys["aws:principalaccount"] = who.account
        keys["aws:principalarn"] = who.arn
    if who.kind is Kind.ANONYMOUS:
        keys["aws:principalisawsservice"] = None
        keys["aws:userid"] = "anonymous"
    else:
        keys["aws:principalisawsservice"] = "true" if who.kind is Kind.SERVICE else "false"
    if who.kind is Kind.SERVICE:
        keys["aws:principalservicename"] = who.name
    else:
        keys["aws:principaltype"] = PRINCIPAL_TYPES[who.kind]
    return keys
