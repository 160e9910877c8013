"""Read the acknowledgments in an app, and list those without an effect.

The CDK itself removes acknowledged violations. The gate still needs to know them: it repeats a finding inside
a Stage on the App, where nobody can miss it, and must not repeat an acknowledged one.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping, Sequence

from constructs import IConstruct
from msgspec import Struct, field

from secure_bucket.cdk.gate.violations import id_of, of_end, of_lost
from secure_bucket.cdk.versions import PolicyViolation
from secure_bucket.findings.acknowledgments import IMPORTED_BUCKET, METADATA_KEY, by_construct, nearest
from secure_bucket.findings.expiry import expiry_of, holds_on
from secure_bucket.findings.gate_record import RecordedException
from secure_bucket.findings.rules import EXCUSABLE, RULES
from secure_bucket.template.constructs import acknowledged_in
from secure_bucket.template.manifest import Acknowledged, CloudAssembly
from secure_bucket.values.unknown import Place

__all__ = ["METADATA_KEY", "Acknowledgments", "find_construct", "outwards", "read_acknowledgments"]

_EXCUSABLE = {*EXCUSABLE.values(), IMPORTED_BUCKET}
_NAMES = {id_of(rule.id): rule.name for rule in RULES} | {id_of(IMPORTED_BUCKET): IMPORTED_BUCKET}
_OURS = re.compile(r"secure-?bucket|^(annotation::)?sb-?\d+$")


class Acknowledgments(Struct):
    """The acknowledgments in an app, and the findings that each one covers.

    Args:
        all: The acknowledgments by id and path, in the order of creation.
        today: The day for which they hold or have expired.
        covered: The path and message of each covered finding, by the acknowledgment that covers it.
    """

    all: Mapping[tuple[str, str], Sequence[Acknowledged]]
    today: datetime.date
    covered: dict[Acknowledged, list[tuple[str, str]]] = field(default_factory=dict)

    def cover(self, rule: str, path: str, message: str) -> bool:
        """Cover a finding: with an acknowledgment on its construct, or else with the nearest one around it.

        Returns:
            Whether there is one, even if it has expired: `ended` reports those.
        """
        granted = nearest(self.all, id_of(rule), path, self.today) if rule in _EXCUSABLE else None
        if granted is not None:
            self.covered.setdefault(granted, []).append((path, message))
        return granted is not None

    def recorded(self) -> Iterator[RecordedException]:
        """Yield the record of each acknowledgment that covers a finding."""
        for each, findings in self._in_order():
            end = expiry_of(each.reason)
            yield RecordedException(
                each.id,
                each.path,
                each.reason,
                None if end is None else str(end),
                holds_on(each.reason, self.today),
                tuple(path for path, _ in findings),
            )

    def ended(self) -> Iterator[PolicyViolation]:
        """Yield a violation for each finding whose acknowledgment has expired, or is malformed."""
        for each, findings in self._in_order():
            if not holds_on(each.reason, self.today):
                end = expiry_of(each.reason)
                yield from (of_end(each, end, message) for _, message in findings)

    def _in_order(self) -> list[tuple[Acknowledged, list[tuple[str, str]]]]:
        return sorted(self.covered.items(), key=lambda item: (item[0].path, item[0].id))

    def without_effect(self) -> Iterator[PolicyViolation]:
        """Yield a violation for each acknowledgment of our rules that covers nothing, with advice."""
        meant = {name.casefold(): id for id, name in _NAMES.items()}
        meant |= {id.partition("::")[2].casefold(): id for id in _NAMES}
        used_at = {(each.id, each.path) for each in self.covered}
        unused = {each[-1] for key, each in self.all.items() if key not in used_at}
        for acknowledgment in sorted(unused, key=lambda each: (each.path, each.id)):
            rule = re.split(r":+", acknowledgment.id)[-1].strip().casefold()
            if acknowledgment.id in _NAMES:
                yield of_lost(acknowledgment, "there is no such finding there; remove it")
            elif rule in meant:
                yield of_lost(acknowledgment, f"the id is `{meant[rule]}`")
            elif _OURS.search(acknowledgment.id.casefold().replace("_", "-")):
                ids = ", ".join(f"`{id}`" for id in sorted(_NAMES))
                yield of_lost(acknowledgment, f"there is no such rule; the ids are {ids}")


def read_acknowledgments(app: IConstruct, assembly: CloudAssembly, today: datetime.date) -> Acknowledgments:
    """Collect the acknowledgments of an app.

    Those in stacks are in the metadata of the assembly, which is faster to read than the construct tree;
    those on the App, its Stages and constructs between are only in the tree.
    """
    found = list(_around_stacks(app, assembly))
    for stack in assembly.stacks:
        found += acknowledged_in(stack)
    return Acknowledgments(by_construct(found), today)


def _around_stacks(app: IConstruct, assembly: CloudAssembly) -> Iterator[Acknowledged]:
    paths = {scope for stack in assembly.stacks for scope in outwards(stack.path) if scope != stack.path}
    for path in sorted(paths):
        construct = find_construct(app, path)
        if construct is not None:
            for entry in construct.node.metadata:
                if entry.type == METADATA_KEY:
                    for id, reason in entry.data.items():
                        yield Acknowledged(id, path, str(reason or ""), Place())


def find_construct(app: IConstruct, path: str) -> IConstruct | None:
    """Find a construct by its path from the App."""
    construct: IConstruct | None = app
    for id in path.split("/") if path else []:
        construct = construct.node.try_find_child(id) if construct else None
    return construct


def outwards(path: str) -> Iterator[str]:
    """Yield a path and the paths around it, up to that of the App."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""
