"""The settings of a project: `secure-bucket.toml`, or `[tool.secure-bucket]` in `pyproject.toml`."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct, ValidationError, convert
from msgspec.structs import asdict

from secure_bucket.errors import SecureBucketError

__all__ = [
    "Config",
    "ConfigError",
    "ConfiguredException",
    "SettingsTable",
    "config_of",
    "find_config",
    "read_config",
]

_OWN_FILE = "secure-bucket.toml"
_PROJECT_FILE = "pyproject.toml"
_VERSIONS = ("1.0", "1.1", "1.2", "1.3")
_HEADER = re.compile(r"^\s*\[\[\s*(?:tool\.secure-bucket\.)?exceptions\s*\]\]", re.MULTILINE)
# What each setting has to be, in words: `msgspec` names types of Python.
_WANTED = {
    "paths": "a list of texts",
    "exclude": "a list of texts",
    "undecided": '`"error"` or `"warn"`',
    "strict": "`true` or `false`",
    "minimum-tls": "a TLS version as `1.2`",
    "select": "a list of texts",
    "ignore": "a list of texts",
    "jobs": "a number from 1",
    "exceptions": "a list of tables",
}

Words: TypeAlias = Annotated[str, Meta(pattern=r"\S")]


class ConfigError(SecureBucketError):
    """Say what is wrong with the settings, and where they are."""


class ConfiguredException(Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """An exception in the settings, for a resource of templates or for a live bucket.

    Args:
        rule: The rule, by id or name.
        reason: The reason, in your words.
        path: A pattern for the path of the template, relative to the directory of the settings.
        logical_id: The logical id of the resource.
        bucket: The name of the live bucket.
        account: The account of the live bucket (default: any account).
        expires: The last day of the exception (default: it does not end).
    """

    rule: Words | None = None
    reason: Words | None = None
    path: Words | None = None
    logical_id: Words | None = None
    bucket: Words | None = None
    account: Words | None = None
    expires: Any = None


class SettingsTable(Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """The settings in `secure-bucket.toml`, or in the table `[tool.secure-bucket]` of `pyproject.toml`.

    Args:
        paths: Templates, directories, cloud assemblies, patterns to check (default: the working directory).
        exclude: Patterns of files to skip.
        undecided: Treat undecided buckets as errors or warnings (default: error).
        strict: Assume that `{"AWS": "*"}` does not cover AWS service principals (default: false).
        minimum_tls: Also report buckets that accept TLS older than this version.
        baseline: The file of the baseline.
        select: Rules to check, by id or name (default: all).
        ignore: Rules whose findings do not count, by id or name.
        jobs: How many processes to use (default: one for each core if the input is large).
        exceptions: Exceptions from rules.
    """

    paths: tuple[Words, ...] = ()
    exclude: tuple[Words, ...] = ()
    undecided: Literal["error", "warn"] | None = None
    strict: bool | None = None
    minimum_tls: Annotated[Any, Meta(extra_json_schema={"enum": [*map(float, _VERSIONS), *_VERSIONS]})] = None
    baseline: Words | None = None
    select: tuple[Words, ...] = ()
    ignore: tuple[Words, ...] = ()
    jobs: Annotated[int, Meta(ge=1)] | None = None
    exceptions: tuple[ConfiguredException, ...] = ()


class Config(SettingsTable, frozen=True):
    """The settings of a project.

    Args:
        file: The file of the settings; `""` without a file.
        lines: The line of each exception, as far as they have a line each.
    """

    file: str = ""
    lines: tuple[int, ...] = ()

    @property
    def directory(self) -> str:
        """The directory that the paths in the settings start from."""
        return os.path.dirname(self.file)


def config_of(arguments: argparse.Namespace) -> Config:
    """Return the settings that the options of a command ask for.

    Raises:
        ConfigError: The settings cannot be read, or the file that was named has none.
    """
    if arguments.no_config:
        return Config()
    if arguments.config is None:
        return find_config(os.getcwd())
    config = read_config(arguments.config)
    if not config.file:
        raise ConfigError(f"`{arguments.config}` has no table `[tool.secure-bucket]`")
    return config


def find_config(directory: str) -> Config:
    """Return the settings of the nearest file, from a directory upwards; without a file, empty settings.

    Raises:
        ConfigError: If that file cannot be read, or has an unknown setting.
    """
    directory = os.path.abspath(directory)
    while True:
        own = os.path.join(directory, _OWN_FILE)
        if os.path.lexists(own):
            return read_config(own)
        project = os.path.join(directory, _PROJECT_FILE)
        if os.path.isfile(project) and _mentions_us(project):
            config = read_config(project)
            if config.file:
                return config
        above = os.path.dirname(directory)
        if above == directory:
            return Config()
        directory = above


def read_config(file: str) -> Config:
    """Return the settings of one file; a `pyproject.toml` without a table for us has none.

    Raises:
        ConfigError: If it cannot be read, or has an unknown setting.
    """
    relative = os.path.relpath(file)
    file = file if relative.startswith(os.pardir) else relative
    text = _read(file)
    document = _parse(text, file)
    if os.path.basename(file) == _PROJECT_FILE:
        tool = document.get("tool")
        table = tool.get("secure-bucket") if isinstance(tool, Mapping) else None
        where = f"`{file}`, `[tool.secure-bucket]`"
        if table is None:
            return Config()
    else:
        table, where = document, f"`{file}`"
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where} is not a table of settings")
    try:
        settings = convert(table, SettingsTable)
    except ValidationError as error:
        raise ConfigError(f"{where}: {_problem(str(error), table)}") from None
    minimum = settings.minimum_tls
    if minimum is not None and (isinstance(minimum, bool) or str(minimum) not in _VERSIONS):
        raise ConfigError(f"{where}: `minimum-tls` is {_WANTED['minimum-tls']}, not `{minimum}`")
    for index, exception in enumerate(settings.exceptions):
        if problem := _unfit(exception):
            raise ConfigError(f"{where}: `exceptions[{index}]` {problem}")
    directory = os.path.dirname(file)

    def from_here(path: str) -> str:
        return os.path.normpath(os.path.join(directory, path))

    found = asdict(settings) | {
        "paths": tuple(map(from_here, settings.paths)),
        "baseline": None if settings.baseline is None else from_here(settings.baseline),
        "minimum_tls": None if minimum is None else float(minimum),
    }
    lines = tuple(text.count("\n", 0, match.start()) + 1 for match in _HEADER.finditer(text))
    return Config(**found, file=file, lines=lines)


def _unfit(exception: ConfiguredException) -> str:
    """Return what the members of an exception contradict or lack."""
    given = {name for name, value in asdict(exception).items() if value is not None}
    runs = given & {"bucket", "account"}
    for name in ("bucket" if runs else "path", "" if runs else "logical_id", "rule", "reason"):
        if name and name not in given:
            return f"has no `{name.replace('_', '-')}`"
    if runs and given & {"path", "logical_id"}:
        return (
            "is for a bucket that runs, with `bucket`, and for a resource of templates, with `path` or "
            "`logical-id`: make two of it"
        )
    return ""


def _problem(message: str, table: Mapping[str, Any]) -> str:
    """Return what is wrong with the settings, in the words of their reader."""
    at = re.search(r" - at `\$\.?(.*)`\Z", message)
    path = at[1] if at else ""
    unknown = re.search("unknown field `(.+?)`", message)
    if unknown is not None:
        if unknown[1] == "tool" and not path:
            return "`[tool.secure-bucket]` is for `pyproject.toml`: here the settings stand without it"
        kind = ConfiguredException if path else SettingsTable
        problem = _unknown(unknown[1], kind.__struct_encode_fields__)
        return f"`{path}`: {problem}" if path else problem
    key, _, inner = path.partition("[")
    value, wanted = table[key], _WANTED.get(key, "a text")
    if key == "exceptions" and inner:
        index, _, member = inner.partition("].")
        key, value, wanted = path, value[int(index.rstrip("]"))], "a table"
        if member:
            value, wanted = value[member], "a text"
    return f"`{key}` is {wanted}, not `{value}`"


def _unknown(key: str, known: tuple[str, ...]) -> str:
    import difflib  # Takes 0.8 ms, which only a mistake pays.

    near = difflib.get_close_matches(key, known, 1)
    hint = f"did you mean `{near[0]}`?" if near else "there are " + ", ".join(f"`{each}`" for each in known)
    return f"there is no setting `{key}`; {hint}"


def _read(file: str) -> str:
    try:
        with open(file, "rb") as stream:
            return stream.read().decode("utf-8")
    except OSError as error:
        raise ConfigError(f"`{file}` cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"`{file}` is not UTF-8 text: byte {error.start}") from None


def _mentions_us(file: str) -> bool:
    try:
        with open(file, "rb") as stream:
            return b"secure-bucket" in stream.read()
    except OSError:
        # What cannot be read may hold settings: say so rather than go on without them.
        return True


def _parse(text: str, file: str) -> Mapping[str, Any]:
    toml: Any = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        document: dict[str, Any] = toml.loads(text)
    except toml.TOMLDecodeError as error:
        raise ConfigError(f"`{file}` is not TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"`{file}` is nested too deeply") from None
    return document
