"""Find the line of the program that created a construct, if the cloud assembly records it.

The AWS CDK writes the stack trace of every `new` into the metadata of the assembly, as entries
`aws:cdk:creationStack`, and in older versions as the `trace` of `aws:cdk:logicalId`. The trace of a Python or
Java program contains the program's own lines if `JSII_HOST_STACK_TRACES` is set, as `secure_bucket.cdk` and
`secure-bucket gate` do.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from secure_bucket.findings.advice import advice_in
from secure_bucket.findings.finding import Finding, Report
from secure_bucket.template.manifest import CloudAssembly
from secure_bucket.values.unknown import Place

__all__ = ["creation_places", "with_origins"]

_FRAME = re.compile(r"(?:.* )?\(?((?:/|[A-Za-z]:[\\/])[^()]*?):(\d+)(?::(\d+))?(?:\)| \(:\))?")
# The frames of ES modules contain URLs.
_FILE_URL = re.compile(r"file://(?:/(?=[A-Za-z]:))?")
# The runtime of jsii for Java names a class and its bare file (`HostStackTrace.java` of jsii, read 2026-11).
_JVM_FRAME = re.compile(r"(?P<class>[\w.$]+)\.[\w$<>]+ \((?P<file>[\w$]+\.(?:java|kt)):(?P<line>\d+)\)")
_OUTPUTS = frozenset(("build", "cdk.out", "node_modules", "target"))
_PROGRAMS = frozenset((".py", ".ts", ".tsx", ".mts", ".js", ".mjs", ".cjs", ".java", ".kt", ".cs", ".go"))
# aws-cdk-lib 2.100 writes the stack, with `CDK_DEBUG=1`, beside the logical id (measured).
_FRAMES_IN = {"aws:cdk:creationStack": "data", "aws:cdk:logicalId": "trace"}
# Code that creates constructs for the program: this library, and installed packages.
_OTHERS = re.compile(r"[\\/](?:site-packages|dist-packages|node_modules|secure_bucket[\\/]cdk)[\\/]")


def with_origins(report: Report, manifests: CloudAssembly) -> Report:
    """Return the report with the line that created each bucket, if the assembly records it.

    Only lines of programs below the working directory count: an assembly is an input, and a report must not
    quote unrelated files that it names.

    Args:
        report: The report on an assembly.
        manifests: What the manifests of the assembly list.
    """
    found = (*report.findings, *(each for granted in report.exceptions for each in granted.findings))
    if not any(finding.construct_path for finding in found):
        return report
    origins = creation_places(manifests)

    def located(finding: Finding) -> Finding:
        place = origins.get(finding.construct_path)
        if place is None:
            return finding
        return replace(finding, created_at=place, fix=advice_in(Path(place.file).suffix, finding.fix))

    return replace(
        report,
        findings=tuple(map(located, report.findings)),
        exceptions=tuple(
            replace(granted, findings=tuple(map(located, granted.findings))) for granted in report.exceptions
        ),
    )


def creation_places(manifests: CloudAssembly) -> dict[str, Place]:
    """Return the line of the program that created each construct of an assembly, by construct path."""
    programs = _Programs()
    origins: dict[str, Place] = {}
    for construct_path, frames in _creation_stacks(manifests):
        place = programs.origin(frames)
        if place is not None:
            origins.setdefault(construct_path, place)
    return origins


def _creation_stacks(manifests: CloudAssembly) -> Iterator[tuple[str, list[str]]]:
    """Yield the construct paths of the stacks, each with the stack of calls that created the construct."""
    for stack in manifests.stacks:
        for path, entries in stack.metadata.items():
            for entry in entries if isinstance(entries, list) else ():
                described = entry if isinstance(entry, Mapping) else {}
                frames = described.get(_FRAMES_IN.get(str(described.get("type")), ""))
                if isinstance(frames, list):
                    yield str(path).strip("/"), [str(frame) for frame in frames]


class _Programs:
    """The programs below the working directory."""

    def __init__(self) -> None:
        self.here = os.path.realpath(os.curdir)

    def origin(self, frames: list[str]) -> Place | None:
        """Return the innermost frame of the program itself."""
        for frame in map(str.strip, frames):
            if match := _JVM_FRAME.fullmatch(frame):
                file = self._source_of(match["class"], match["file"])
                if file is not None:
                    return Place("", file, int(match["line"]), 1)
                continue
            if "file://" in frame:
                from urllib.parse import unquote  # Loads in 2 ms; only some stack traces need it.

                frame = unquote(_FILE_URL.sub("", frame))
            match = _FRAME.fullmatch(frame)
            if match is None or _OTHERS.search(match[1]) or Path(match[1]).suffix not in _PROGRAMS:
                continue
            real = os.path.realpath(match[1])
            if Path(real).suffix not in _PROGRAMS or not real.startswith(self.here.rstrip(os.sep) + os.sep):
                return None
            return Place("", os.path.relpath(real, self.here), int(match[2]), int(match[3] or 1))
        return None

    def _source_of(self, of_class: str, name: str) -> str | None:
        """Return the one file that can hold a Java or Kotlin class."""
        files = self._jvm_files.get(name, [])
        package = Path(*of_class.split(".")[:-1]).parts
        found = [file for file in files if Path(file).parent.parts[-len(package) :] == package]
        if not package or (not found and name.endswith(".kt")):
            found = files  # By convention Kotlin omits the common package of all files from the path.
        return found[0] if len(found) == 1 else None

    @functools.cached_property
    def _jvm_files(self) -> dict[str, list[str]]:
        files: dict[str, list[str]] = {}
        for directory, below, names in os.walk(self.here):
            below[:] = [each for each in below if each not in _OUTPUTS and not each.startswith(".")]
            for name in names:
                path = os.path.join(directory, name)
                if name.endswith((".java", ".kt")) and not os.path.islink(path):
                    files.setdefault(name, []).append(os.path.relpath(path, self.here))
        return files
