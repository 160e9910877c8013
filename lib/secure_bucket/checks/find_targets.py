"""Find the templates and cloud assemblies that the arguments name or contain."""

from __future__ import annotations

import enum
import json
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from glob import glob, has_magic

from msgspec import Struct, field

from secure_bucket.findings.finding import Fault, Report
from secure_bucket.template.manifest import MANIFEST

__all__ = ["STDIN", "CheckTarget", "TargetKind", "Targets", "find_targets", "shown"]

STDIN = "-"
TEMPLATE_ENDINGS = (".json", ".yaml", ".yml", ".template")

# Directories of packages and tools. `cdk.out`, `.serverless` and `.aws-sam` are not among them: they contain
# the templates that get deployed.
SKIPPED_DIRECTORIES = {
    ".bzr": "version control",
    ".git": "version control",
    ".hg": "version control",
    ".mypy_cache": "a cache",
    ".nox": "an environment",
    ".pytest_cache": "a cache",
    ".ruff_cache": "a cache",
    ".svn": "version control",
    ".terraform": "a cache",
    ".tox": "an environment",
    ".venv": "an environment",
    "__pycache__": "a cache",
    "node_modules": "packages of others",
    "site-packages": "packages of others",
    "venv": "an environment",
}


class TargetKind(enum.Enum):
    """The kind of a target, which decides how it is read."""

    TEMPLATE = "template"
    """A file that has to be a template: somebody named it."""

    CANDIDATE = "candidate"
    """A file that was found, and may be something else."""

    ASSEMBLY = "assembly"
    """The directory of a cloud assembly."""

    STDIN = "stdin"
    """A template on standard input."""


class CheckTarget(Struct, frozen=True):
    """One thing to check.

    Args:
        path: The file or directory, as messages show it.
        kind: What it is.
        argument: The argument that led to it.
    """

    path: str
    kind: TargetKind
    argument: str


class Targets(Struct):
    """The targets of a check, and skipped paths.

    Args:
        found: The targets, each once.
        ignored: Skipped files and directories, each as `(path, why)`.
        faults: Paths that cannot be read.
        led_to: The targets of each argument, including those of an earlier argument.
    """

    found: list[CheckTarget] = field(default_factory=list)
    ignored: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    led_to: dict[str, list[str]] = field(default_factory=dict)

    def fruitless(self, arguments: Iterable[str], report: Report) -> list[str]:
        """Return the arguments without a checked target and without a fault."""
        ignored = {path for path, _ in report.ignored}
        checked = [target for target in self.found if target.path not in ignored]
        fruitful = {target.argument for target in checked}
        faulty = {fault.file for fault in (*self.faults, *report.faults)}
        doubtful = [each for each in dict.fromkeys(arguments) if each not in fruitful and each not in faulty]
        if not doubtful:
            return []
        # An earlier argument may have led there.
        places = [_real(target.path) for target in checked]
        return [
            argument
            for argument in doubtful
            if not _any_within(places, tuple(map(_real, self.led_to.get(argument, ()))))
        ]


def shown(path: str) -> str:
    """Return a path for messages: relative if it is below the working directory."""
    relative = os.path.relpath(path) if os.path.isabs(path) or os.pardir in path else os.path.normpath(path)
    return path if relative.startswith(os.pardir) and os.path.isabs(path) else relative


def find_targets(
    arguments: Sequence[str], *, exclude: Iterable[str] = (), only_candidates: bool = False
) -> Targets:
    """Return the targets of arguments, in order; those in a directory by name.

    Args:
        arguments: Files, directories, patterns, and `-` for standard input.
        exclude: Patterns of paths to skip; they do not apply to paths that an argument names.
        only_candidates: Treat named files like those found in a directory.
    """
    search = _Search(tuple(exclude))
    named = TargetKind.CANDIDATE if only_candidates else TargetKind.TEMPLATE
    for argument in arguments:
        search.argument = argument
        if argument == STDIN:
            search.add(STDIN, TargetKind.STDIN)
        elif _may_exist(argument):
            search.path(shown(argument), named)
        else:
            search.pattern(argument, named)
    return search.targets


class _Search:
    def __init__(self, exclude: tuple[str, ...]) -> None:
        self.exclude = exclude
        self.argument = ""
        self.targets = Targets()
        self.paths: dict[str, int] = {}
        self.directories: set[tuple[int, int]] = set()

    def add(self, path: str, kind: TargetKind) -> None:
        self.targets.led_to.setdefault(self.argument, []).append(path)
        target = CheckTarget(path, kind, self.argument)
        known = self.paths.setdefault(path, len(self.targets.found))
        if known == len(self.targets.found):
            self.targets.found.append(target)
        elif kind is TargetKind.TEMPLATE:
            # A file that is both found and named has to be a template.
            self.targets.found[known] = target

    def excludes(self, path: str) -> bool:
        """Tell whether a found path is excluded, and note it."""
        excluded = any(_excluded(path, pattern) for pattern in self.exclude)
        if excluded:
            self.targets.ignored.append((path, "excluded"))
        return excluded

    def fault(self, path: str, message: str) -> None:
        self.targets.faults.append(Fault(path, message))

    def pattern(self, pattern: str, kind: TargetKind) -> None:
        if not has_magic(pattern):
            self.fault(pattern, f"`{pattern}` does not exist")
            return
        matches = sorted(glob(pattern, recursive=True))
        if not matches:
            self.fault(pattern, f"nothing matches `{pattern}`")
        for match in matches:
            # `**` matches every file and directory below, so that files of other kinds are expected.
            if os.path.isdir(match) and "**" in pattern:
                continue
            path = shown(match)
            if not self.excludes(path):
                self.path(_followed(path), TargetKind.CANDIDATE if "**" in pattern else kind)

    def path(self, path: str, kind: TargetKind) -> None:
        try:
            status = os.stat(path)
        except (OSError, ValueError) as error:
            self.fault(path, f"`{path}` cannot be read: {_reason(error)}")
            return
        if stat.S_ISDIR(status.st_mode):
            self.directory(path, status)
        elif os.path.basename(path) == MANIFEST and _is_assembly(os.path.dirname(path) or os.curdir):
            self.add(os.path.dirname(path) or os.curdir, TargetKind.ASSEMBLY)
        else:
            self.add(path, kind)

    def directory(self, directory: str, status: os.stat_result) -> None:
        # Read a directory with several links only once, and end loops of links.
        pending = [(directory, (status.st_dev, status.st_ino))]
        while pending:
            directory, identity = pending.pop()
            if identity in self.directories:
                self.targets.led_to.setdefault(self.argument, []).append(directory)
                continue
            self.directories.add(identity)
            if _is_assembly(directory):
                self.add(directory, TargetKind.ASSEMBLY)
                continue
            try:
                with os.scandir(directory) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError as error:
                self.fault(directory, f"`{directory}` cannot be looked into: {_reason(error)}")
                continue
            inner = list(self._entries(directory, entries))
            pending.extend(reversed(inner))

    def _entries(
        self, directory: str, entries: list[os.DirEntry[str]]
    ) -> Iterator[tuple[str, tuple[int, int]]]:
        for entry in entries:
            path = os.path.normpath(os.path.join(directory, entry.name))
            if self.excludes(path):
                continue
            try:
                if entry.is_dir():
                    why = SKIPPED_DIRECTORIES.get(entry.name)
                    if why is not None:
                        self.targets.ignored.append((path, why))
                    else:
                        status = entry.stat()
                        yield path, (status.st_dev, status.st_ino)
                elif entry.name.lower().endswith(TEMPLATE_ENDINGS):
                    self.add(_followed(path) if entry.is_symlink() else path, TargetKind.CANDIDATE)
            except OSError as error:
                self.fault(path, f"`{path}` cannot be read: {_reason(error)}")


def _followed(path: str) -> str:
    """Return the target of a link, if it is below here: it is found there too, and checked once."""
    real = shown(os.path.realpath(path)) if os.path.islink(path) else path
    return path if os.path.isabs(real) else real


def _real(path: str) -> str:
    return os.path.join(os.path.realpath(path), "")


def _any_within(places: Iterable[str], directories: tuple[str, ...]) -> bool:
    return any(place.startswith(directories) for place in places)


def _may_exist(path: str) -> bool:
    """Tell whether a file exists, or may exist."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True
    return True


def _excluded(path: str, pattern: str) -> bool:
    """Tell whether a pattern matches a path, its name, or its end."""
    pattern = pattern.rstrip("/")
    path = path.replace(os.sep, "/")
    return fnmatchcase(path, pattern) or fnmatchcase(path, f"*/{pattern}")


def _is_assembly(directory: str) -> bool:
    """Tell whether a directory is a cloud assembly, or the rest of one.

    A web application has a manifest, too. The file `cdk.out`, which the CDK also writes, marks an assembly
    without a readable manifest: of an app that ended too early, or that the gate refused.
    """
    if os.path.isfile(os.path.join(directory, "cdk.out")):
        return True
    manifest = os.path.join(directory, MANIFEST)
    if not os.path.isfile(manifest):
        return False
    try:
        with open(manifest, "rb") as file:
            value = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(value, dict) and "artifacts" in value and "version" in value


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
