"""Fix the buckets of a cloud assembly in the program of the app."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct, field

from secure_bucket.cli.output import to_stderr
from secure_bucket.cli.rewrite import replace_file, show_difference
from secure_bucket.errors import MissingDependencyError, SecureBucketError
from secure_bucket.findings.finding import JudgedBucket
from secure_bucket.findings.origin import creation_places
from secure_bucket.proof.verdict import Refuted
from secure_bucket.repair.source import IS_WEBSITE, CannotEditSource, edit_source
from secure_bucket.template.load import load_document, read_bytes
from secure_bucket.template.manifest import read_manifests
from secure_bucket.values.unknown import Place

__all__ = ["SourceFix", "fix_sources"]

_NO_PLACE = (
    "the AWS CDK made this template, and the assembly does not say where the app creates the bucket: run "
    "`cdk synth --debug` in this directory first, or use `SecureTransportAspect(mode=Mode.FIX)`; "
    "--synthesized fixes it anyway"
)


class SourceFix(Struct, frozen=True):
    """The results of a fix of cloud assemblies.

    Args:
        fixed: The places of the calls that get the property, with `--write`, by template and logical id of
            the bucket.
        left: The reasons to leave a bucket, by template and logical id.
        faults: The files that cannot be read or written.
    """

    fixed: Mapping[tuple[str, str], Place] = field(default_factory=dict)
    left: Mapping[tuple[str, str], str] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def fix_sources(
    directories: Iterable[str],
    buckets: Sequence[JudgedBucket],
    fixable: frozenset[tuple[str, str]],
    *,
    write: bool,
    colour: bool | None = None,
    quiet: bool = False,
) -> SourceFix:
    """Add `enforce_ssl=True`, or `enforceSSL: true`, to the calls that create open buckets.

    Args:
        directories: The cloud assemblies.
        buckets: All their buckets.
        fixable: The buckets to fix, by template and logical id.
        write: Whether to write the programs, and not only show the differences.
        colour: Whether to use colour (default: if the terminal can show it).
        quiet: Whether to hide the fixed buckets.
    """
    places: dict[str, Place] = {}
    for directory in directories:
        places |= creation_places(read_manifests(directory))
    made_at: dict[Place, list[JudgedBucket]] = {}
    for bucket in buckets:
        place = places.get(bucket.construct_path)
        if place is not None:
            made_at.setdefault(place, []).append(bucket)
    # An override can turn a bucket into a website, and the call does not show it.
    websites = _websites({template for template, _ in fixable})
    left: dict[tuple[str, str], str] = {}
    wanted: dict[str, dict[Place, list[JudgedBucket]]] = {}
    for bucket in buckets:
        if bucket.subject.key not in fixable:
            continue
        place = places.get(bucket.construct_path)
        why = _NO_PLACE if place is None else _why_not(place, bucket, made_at[place], fixable)
        if bucket.subject.key in websites:
            why = IS_WEBSITE
        if why or place is None:
            left[bucket.subject.key] = why
        else:
            wanted.setdefault(place.file, {}).setdefault(place, []).append(bucket)
    fixed: dict[tuple[str, str], Place] = {}
    faults: list[str] = []
    for file, at in wanted.items():
        try:
            ids = {place: {_construct_id(each) for each in created} for place, created in at.items()}
            done, undone = _fix_file(file, ids, write=write, colour=colour)
        except (MissingDependencyError, CannotEditSource) as error:
            done, undone = (), dict.fromkeys(at, str(error))
        except (SecureBucketError, OSError, UnicodeDecodeError) as error:
            faults.append(f"`{file}` cannot be changed: {error}")
            done, undone = (), dict.fromkeys(at, "its program cannot be changed")
        for place in done:
            for bucket in at[place]:
                fixed[bucket.subject.key] = place
                if not quiet:
                    to_stderr(f"secure-bucket: {place}: bucket `{bucket.logical_id}`: its call gets the deny")
        for place, why in undone.items():
            left.update((bucket.subject.key, f"{place}: {why}") for bucket in at[place])
    return SourceFix(fixed, left, tuple(faults))


def _why_not(
    place: Place, bucket: JudgedBucket, together: Sequence[JudgedBucket], fixable: frozenset[tuple[str, str]]
) -> str:
    """Return the reason to leave a bucket, given all the buckets that its call creates; `""` without one."""
    if not isinstance(bucket.verdict, Refuted):
        return "it is undecided"
    in_stack = sum(each.template == bucket.template for each in together)
    if in_stack > 1:
        return f"{place}: one call creates {in_stack} buckets of this stack: add the property there by hand"
    others = [each for each in together if each.subject.key not in fixable]
    if others:
        named = f"`{others[0].logical_id}` of `{others[0].template}`"
        return f"{place}: the same call creates {named}, which must not change: add the property by hand"
    return ""


def _websites(templates: Iterable[str]) -> set[tuple[str, str]]:
    return {
        (template, logical_id)
        for template in templates
        for logical_id, body in load_document(template).root["Resources"].items()
        if isinstance(body, Mapping)
        and isinstance(body.get("Properties"), Mapping)
        and "WebsiteConfiguration" in body["Properties"]
    }


def _construct_id(bucket: JudgedBucket) -> str:
    """Return the id of the `s3.Bucket`; the construct path of the bucket ends with its child `Resource`."""
    above, _, _ = bucket.construct_path.rpartition("/")
    return above.rpartition("/")[2]


def _fix_file(
    file: str, places: Mapping[Place, Collection[str]], *, write: bool, colour: bool | None
) -> tuple[tuple[Place, ...], Mapping[Place, str]]:
    path = Path(file)
    if path.suffix in (".js", ".mjs", ".cjs") and path.with_suffix(f".{path.suffix[1:-2]}ts").exists():
        raise CannotEditSource("the program was compiled from TypeScript: change that file")
    data = read_bytes(file)
    before = data.decode("utf-8")
    edited = edit_source(before, path.suffix, places)
    if before != edited.text:
        if write:
            replace_file(file, data, edited.text)
        else:
            show_difference(before, edited.text, os.path.normpath(file), colour=colour)
    return edited.changed, edited.left
