"""The settings of a project: `secure-bucket.toml`, or `[tool.secure-bucket]` in `pyproject.toml`."""

from __future__ import annotations

import argparse
import importlib
import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from secure_bucket.errors import SecureBucketError
from secure_bucket.values.unknown import Place

__all__ = ["Config", "ConfigError", "ConfiguredException", "config_of", "find_config", "read_config"]

_OWN_FILE = "secure-bucket.toml"
_PROJECT_FILE = "pyproject.toml"
_EXCEPTION_KEYS = ("path", "logical-id", "bucket", "account", "rule", "reason", "expires")
_NEEDED = ("path", "logical-id", "rule", "reason")
_NEEDED_WHERE_IT_RUNS = ("bucket", "rule", "reason")


class ConfigError(SecureBucketError):
    """Say what is wrong with the settings, and where they are."""


class ConfiguredException(Struct, frozen=True):
    """An exception that stands in the settings: for a resource of templates, or for a bucket that runs.

    Args:
        path: The pattern of the template's path, from the directory of the settings; `""` for a bucket that
            runs.
        logical_id: The resource; `""` for a bucket that runs.
        rule: The rule, by id or name.
        reason: Why.
        expires: The last day on which it holds, as it is written; `None` when it has no end.
        at: Where it is written.
        bucket: The name of the bucket that runs; `""` for a resource of templates.
        account: The account of that bucket; `""` for whichever account it is in.
    """

    path: str
    logical_id: str
    rule: str
    reason: str
    expires: object
    at: Place
    bucket: str = ""
    account: str = ""


class Config(Struct, frozen=True):
    """The settings of a project; `None` and `()` where they say nothing.

    Args:
        file: The file they were read from; `""` when there is none.
        paths: What to check.
        exclude: Patterns of paths to pass over.
        undecided: `error` or `warn`.
        strict: Whether `{"AWS": "*"}` is taken not to cover AWS service principals.
        minimum_tls: The TLS version below which nothing may get through.
        baseline: The file of the baseline.
        jobs: How many processes to use.
        exceptions: Exceptions from rules.
    """

    file: str = ""
    paths: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    undecided: str | None = None
    strict: bool | None = None
    minimum_tls: float | None = None
    baseline: str | None = None
    jobs: int | None = None
    exceptions: tuple[ConfiguredException, ...] = ()

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
    """Return the settings of the nearest file, from a directory upwards; empty ones if there is none.

    Raises:
        ConfigError: If that file cannot be read, or says something that is no setting.
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
        ConfigError: If it cannot be read, or says something that is no setting.
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
    return _Reader(table, where, file, text).config()


class _Reader:
    def __init__(self, table: Mapping[str, Any], where: str, file: str, text: str) -> None:
        self.table = table
        self.where = where
        self.file = file
        self.text = text

    def config(self) -> Config:
        readers: dict[str, Callable[[str, object], Any]] = {
            "paths": self._texts,
            "exclude": self._texts,
            "undecided": self._undecided,
            "strict": self._flag,
            "minimum-tls": self._tls,
            "baseline": self._text,
            "jobs": self._jobs,
            "exceptions": self._exceptions,
        }
        config = Config(self.file)
        for key, value in self.table.items():
            if key not in readers:
                problem = _unknown(key, tuple(readers))
                if key == "tool":
                    problem = (
                        "`[tool.secure-bucket]` is for `pyproject.toml`: here the settings stand without it"
                    )
                raise ConfigError(f"{self.where}: {problem}")
            config = replace(config, **{key.replace("-", "_"): readers[key](key, value)})
        if config.baseline is not None:
            config = replace(config, baseline=self._path(config.baseline))
        return replace(config, paths=tuple(map(self._path, config.paths)))

    def _path(self, path: str) -> str:
        return os.path.normpath(os.path.join(os.path.dirname(self.file), path))

    def _wrong(self, key: str, value: object, wanted: str) -> ConfigError:
        return ConfigError(f"{self.where}: `{key}` is {wanted}, not `{value}`")

    def _text(self, key: str, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(key, value, "a text")
        return value

    def _texts(self, key: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self._wrong(key, value, "a list of texts")
        return tuple(value)

    def _flag(self, key: str, value: object) -> bool:
        if not isinstance(value, bool):
            raise self._wrong(key, value, "`true` or `false`")
        return value

    def _undecided(self, key: str, value: object) -> str:
        if value not in ("error", "warn"):
            raise self._wrong(key, value, '`"error"` or `"warn"`')
        return str(value)

    def _tls(self, key: str, value: object) -> float:
        if isinstance(value, bool) or str(value) not in ("1.0", "1.1", "1.2", "1.3"):
            raise self._wrong(key, value, "a TLS version as `1.2`")
        return float(str(value))

    def _jobs(self, key: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise self._wrong(key, value, "a number from 1")
        return value

    def _exceptions(self, key: str, value: object) -> tuple[ConfiguredException, ...]:
        if not isinstance(value, list):
            raise self._wrong(key, value, "a list of tables")
        header = re.compile(r"^\s*\[\[\s*(?:tool\.secure-bucket\.)?exceptions\s*\]\]", re.MULTILINE)
        lines = [self.text.count("\n", 0, match.start()) + 1 for match in header.finditer(self.text)]
        return tuple(
            self._exception(f"{key}[{index}]", entry, lines[index] if index < len(lines) else 0)
            for index, entry in enumerate(value)
        )

    def _exception(self, name: str, value: object, line: int) -> ConfiguredException:
        if not isinstance(value, Mapping):
            raise self._wrong(name, value, "a table")
        for key in value:
            if key not in _EXCEPTION_KEYS:
                raise ConfigError(f"{self.where}: `{name}`: {_unknown(key, _EXCEPTION_KEYS)}")
        runs = "bucket" in value or "account" in value
        needed = _NEEDED_WHERE_IT_RUNS if runs else _NEEDED
        for key in needed:
            if key not in value:
                raise ConfigError(f"{self.where}: `{name}` has no `{key}`")
        if runs and ("path" in value or "logical-id" in value):
            raise ConfigError(
                f"{self.where}: `{name}` is for a bucket that runs, with `bucket`, and for a resource of "
                "templates, with `path` or `logical-id`: make two of it"
            )
        at = Place(f"/{name}", self.file, line, 1 if line else 0)
        texts = {
            key: self._text(f"{name}.{key}", value[key])
            for key in _EXCEPTION_KEYS
            if key in value and key != "expires"
        }
        return ConfiguredException(
            texts.get("path", ""),
            texts.get("logical-id", ""),
            texts["rule"],
            texts["reason"],
            value.get("expires"),
            at,
            texts.get("bucket", ""),
            texts.get("account", ""),
        )


def _unknown(key: str, known: tuple[str, ...]) -> str:
    import difflib  # Only a mistake pays for it.

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
