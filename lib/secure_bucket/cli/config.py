"""Read the settings of a project: `secure-bucket.toml`, or `[tool.secure-bucket]` in `pyproject.toml`."""

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

from secure_bucket.cli.commands import did_you_mean
from secure_bucket.errors import SecureBucketError
from secure_bucket.template.load import not_utf8

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
# The values of each setting in words, because `msgspec` names the types of Python.
_WANTED = {
    "paths": "a list of texts",
    "exclude": "a list of texts",
    "undecided": '`"error"` or `"warn"`',
    "strict": "`true` or `false`",
    "minimum-tls": "a TLS version such as `1.2`",
    "select": "a list of texts",
    "ignore": "a list of texts",
    "jobs": "a number from 1",
    "exceptions": "a list of tables",
}

Words: TypeAlias = Annotated[str, Meta(pattern=r"\S")]


class ConfigError(SecureBucketError):
    """The settings are invalid or cannot be read; the message names the file."""


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
        lines: The line of each exception in a `[[exceptions]]` table.
    """

    file: str = ""
    lines: tuple[int, ...] = ()

    @property
    def directory(self) -> str:
        """The directory that the paths in the settings are relative to."""
        return os.path.dirname(self.file)


def config_of(arguments: argparse.Namespace) -> Config:
    """Return the settings that the options of a command select.

    Raises:
        ConfigError: The settings cannot be read, or the file of `--config` contains no settings.
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
    """Return the settings of the nearest file in a directory or above it; empty settings without a file.

    Raises:
        ConfigError: If the file cannot be read, or has an unknown setting.
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
    """Return the settings of one file; empty settings for a `pyproject.toml` without our table.

    Raises:
        ConfigError: If the file cannot be read, or has an unknown setting.
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
        raise ConfigError(f"{where}: `minimum-tls` must be {_WANTED['minimum-tls']}, not `{minimum}`")
    for index, exception in enumerate(settings.exceptions):
        if problem := _invalid(exception):
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


def _invalid(exception: ConfiguredException) -> str:
    """Return which member an exception lacks, or which of its members contradict each other."""
    given = {name for name, value in asdict(exception).items() if value is not None}
    is_live = bool(given & {"bucket", "account"})
    required = ("bucket",) if is_live else ("path", "logical_id")
    for name in (*required, "rule", "reason"):
        if name not in given:
            return f"has no `{name.replace('_', '-')}`"
    if is_live and given & {"path", "logical_id"}:
        return (
            "is for a live bucket, with `bucket`, and for a resource of templates, with `path` or "
            "`logical-id`: write two exceptions"
        )
    return ""


def _problem(message: str, table: Mapping[str, Any]) -> str:
    """Return the error of the settings in the words of the user."""
    at = re.search(r" - at `\$\.?(.*)`\Z", message)
    path = at[1] if at else ""
    unknown = re.search("unknown field `(.+?)`", message)
    if unknown is not None:
        if unknown[1] == "tool" and not path:
            return (
                "`[tool.secure-bucket]` is for `pyproject.toml`: in this file, write the settings without it"
            )
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
    return f"`{key}` must be {wanted}, not `{value}`"


def _unknown(key: str, known: tuple[str, ...]) -> str:
    hint = did_you_mean(key, known) or "; the settings are " + ", ".join(f"`{each}`" for each in known)
    return f"there is no setting `{key}`{hint}"


def _read(file: str) -> str:
    try:
        with open(file, "rb") as stream:
            return stream.read().decode("utf-8")
    except OSError as error:
        raise ConfigError(f"`{file}` cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(not_utf8(file, error)) from None


def _mentions_us(file: str) -> bool:
    try:
        with open(file, "rb") as stream:
            return b"secure-bucket" in stream.read()
    except OSError:
        # An unreadable file may contain settings: `read_config` then reports it.
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
