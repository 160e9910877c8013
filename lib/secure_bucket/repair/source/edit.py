"""Change the calls of a program that create open buckets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from secure_bucket.repair.source.insert import insert_member
from secure_bucket.repair.source.python import COMMENT as PYTHON_COMMENT
from secure_bucket.repair.source.python import python_sites
from secure_bucket.repair.source.script import COMMENT as SCRIPT_COMMENT
from secure_bucket.repair.source.script import script_sites
from secure_bucket.repair.source.site import CannotEditSource, Site
from secure_bucket.values.unknown import Place

__all__ = ["EditedSource", "edit_source"]

_SCRIPTS = (".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx")


class EditedSource(Struct, frozen=True):
    """A program, with what became of the places to change.

    Args:
        text: The program now.
        changed: The places where the property was added.
        left: The places that are as they were, each with the reason.
    """

    text: str
    changed: tuple[Place, ...]
    left: Mapping[Place, str]


def edit_source(text: str, suffix: str, places: Sequence[Place]) -> EditedSource:
    """Add `enforce_ssl=True`, or `enforceSSL: true`, to the calls at some places of a program.

    Nothing but the property is added. A place is left if the call there is not certainly one that creates
    an `s3.Bucket`, or if its properties are not all written in the call.

    Args:
        text: The program.
        suffix: How the name of its file ends, as `.py` or `.ts`.
        places: The places where it creates buckets, from the stack traces of a cloud assembly.

    Raises:
        CannotEditSource: The program cannot be read, or is in a language that cannot be changed.
        MissingDependencyError: The extra `source`, for TypeScript and JavaScript, is not installed.
    """
    left: dict[Place, str] = {}
    chosen: dict[Site, Place] = {}
    sites, comment = _sites(text, suffix)
    for place in places:
        try:
            chosen[_site_at(sites, place)] = place
        except CannotEditSource as error:
            left[place] = str(error)
    data = text.encode()
    for site in sorted(chosen, key=lambda each: each.brackets.close, reverse=True):
        data = insert_member(data, site.brackets, site.member, comment)
    edited = data.decode()
    # INVARIANT: each changed call now has the property, and no other call changed.
    again, _ = _sites(edited, suffix)
    settled = sum(bool(site.why_not) for site in again) - sum(bool(site.why_not) for site in sites)
    if len(again) != len(sites) or settled != len(chosen):
        raise CannotEditSource("the property could not be added so that the program reads it: add it by hand")
    return EditedSource(edited, tuple(chosen.values()), left)


def _sites(text: str, suffix: str) -> tuple[list[Site], re.Pattern[bytes]]:
    if suffix == ".py":
        return python_sites(text), PYTHON_COMMENT
    if suffix in _SCRIPTS:
        return script_sites(text, suffix), SCRIPT_COMMENT
    raise CannotEditSource(
        f"programs in `{suffix}` files cannot be changed: add the property by hand, or use the Aspect"
    )


def _site_at(sites: Sequence[Site], place: Place) -> Site:
    """Return the call at a place.

    A trace of V8 names the column of `new`. A trace of Python names only the line on which the call starts,
    and its places have column 1.
    """
    found = [site for site in sites if site.line == place.line and place.column in (1, site.column)]
    if not found:
        raise CannotEditSource(
            f"line {place.line} does not call `s3.Bucket`: another construct creates the bucket; use the "
            "Aspect or `enforce_secure_transport`"
        )
    if len(found) > 1:
        raise CannotEditSource(f"line {place.line} creates several buckets: add the property by hand")
    if found[0].why_not:
        raise CannotEditSource(found[0].why_not)
    return found[0]
