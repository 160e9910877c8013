"""Read the acknowledgments in an app, and list those without an effect.

The CDK itself removes acknowledged violations. The gate still needs to know them: it repeats a finding inside
a Stage on the App, where nobody can miss it, and must not repeat an acknowledged one.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from constructs import IConstruct
from msgspec import Struct

from secure_bucket.findings.acknowledgments import METADATA_KEY, by_construct, nearest
from secure_bucket.template.manifest import CloudAssembly
from secure_bucket.template.resolve import Acknowledged
from secure_bucket.values.unknown import Place

__all__ = ["METADATA_KEY", "Acknowledgments", "find_construct", "outwards", "read_acknowledgments"]

_OURS = re.compile(r"secure-?bucket|^(annotation::)?sb-?\d+$")


class Acknowledgments(Struct, frozen=True):
    """The acknowledgments in an app, by id and path, in the order of creation."""

    all: Mapping[tuple[str, str], Sequence[Acknowledged]]

    def covering(self, id: str, path: str) -> Acknowledged | None:
        """Find the acknowledgment that covers a finding: on the construct itself, or else on the nearest one
        around it."""
        return nearest(self.all, id, path, datetime.date.today())

    def without_effect(
        self, used: Iterable[Acknowledged], rules: Mapping[str, str]
    ) -> Iterator[tuple[Acknowledged, str]]:
        """List the acknowledgments of our rules that match nothing, each with advice.

        Args:
            used: The acknowledgments that cover a finding.
            rules: The names of all our rules, by id.
        """
        meant = {name.casefold(): id for id, name in rules.items()}
        meant |= {id.partition("::")[2].casefold(): id for id in rules}
        used_at = {(each.id, each.path) for each in used}
        unused = {each[-1] for key, each in self.all.items() if key not in used_at}
        for acknowledgment in sorted(unused, key=lambda each: (each.path, each.id)):
            rule = re.split(r":+", acknowledgment.id)[-1].strip().casefold()
            if acknowledgment.id in rules:
                yield acknowledgment, "there is no such finding there; remove it"
            elif rule in meant:
                yield acknowledgment, f"the id is `{meant[rule]}`"
            elif _OURS.search(acknowledgment.id.casefold().replace("_", "-")):
                yield (
                    acknowledgment,
                    "there is no such rule; the ids are " + ", ".join(f"`{id}`" for id in sorted(rules)),
                )


def read_acknowledgments(app: IConstruct, assembly: CloudAssembly) -> Acknowledgments:
    """Collect the acknowledgments of an app.

    Those in stacks are in the metadata of the assembly, which is faster to read than the construct tree;
    those on the App, its Stages and constructs between are only in the tree.
    """
    found = list(_around_stacks(app, assembly))
    for stack in assembly.stacks:
        for path, entries in stack.metadata.items():
            found += _of_entries(path.removeprefix("/"), entries)
    return Acknowledgments(by_construct(found))


def _around_stacks(app: IConstruct, assembly: CloudAssembly) -> Iterator[Acknowledged]:
    paths = {scope for stack in assembly.stacks for scope in outwards(stack.path) if scope != stack.path}
    for path in sorted(paths):
        construct = find_construct(app, path)
        if construct is not None:
            entries = [{"type": entry.type, "data": entry.data} for entry in construct.node.metadata]
            yield from _of_entries(path, entries)


def find_construct(app: IConstruct, path: str) -> IConstruct | None:
    """Find a construct by its path from the App."""
    construct: IConstruct | None = app
    for id in path.split("/") if path else []:
        construct = construct.node.try_find_child(id) if construct else None
    return construct


def _of_entries(path: str, entries: Iterable[Mapping[str, Any]]) -> Iterator[Acknowledged]:
    for entry in entries:
        if entry["type"] == METADATA_KEY:
            for id, reason in entry["data"].items():
                yield Acknowledged(id, path, str(reason or ""), Place())


def outwards(path: str) -> Iterator[str]:
    """Yield a path and the paths around it, up to that of the App."""
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""
