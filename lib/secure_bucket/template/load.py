"""Read the text of a template into values, and note the place of each value."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from secure_bucket.errors import MissingDependencyError, NotATemplateError, TemplateError
from secure_bucket.template.json_text import scan_json
from secure_bucket.template.places import JsonPlaces, Places
from secure_bucket.template.scan import (
    Duplicate,
    WrittenFloat,
    find_duplicates,
    read_strict_json,
    settle_equal,
)
from secure_bucket.template.yaml_text import SeveralDocumentsError, scan_yaml
from secure_bucket.values.unknown import Place

__all__ = [
    "MAX_BYTES",
    "STDIN_NAME",
    "Document",
    "is_template",
    "load_document",
    "not_utf8",
    "parse_document",
    "position_in",
    "read_bytes",
]

STDIN_NAME = "<stdin>"
"""The name of standard input, as a file of a `Document`."""

# CloudFormation takes at most 1 MB from S3 (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/
# cloudformation-limits.html); the rest is room for indentation, which the CDK omits if necessary.
MAX_BYTES = 16 * 1024 * 1024

_SECTIONS = frozenset(
    (
        "AWSTemplateFormatVersion",
        "Conditions",
        "Description",
        "Globals",
        "Hooks",
        "Mappings",
        "Metadata",
        "Outputs",
        "Parameters",
        "Resources",
        "Rules",
        "Transform",
    )
)
_NAME_OF_A_MACRO = re.compile(r"[A-Za-z0-9:_-]+")
_VERSION = "AWSTemplateFormatVersion"
_POSITION = re.compile(r"in line (\d+)(?:, column (\d+))?")
_LONE_SURROGATE = "[\ud800-\udfff]"


class Document(Struct, frozen=True, eq=False):
    """A template as values, with their places.

    Args:
        name: The file, as the caller named it; a name in angle brackets without a file.
        root: The template.
        text: Its text; `""` if the caller passed values.
        places: The places of its values; `None` without a text.
        duplicates: The duplicate keys with different values.
        repeated: The duplicate keys with equal values.
    """

    name: str
    root: Mapping[str, Any]
    text: str = ""
    places: Places | JsonPlaces | None = None
    duplicates: tuple[Duplicate, ...] = ()
    repeated: tuple[Duplicate, ...] = ()

    def __repr__(self) -> str:
        return f"Document({self.name!r})"

    @property
    def file(self) -> str:
        """The name of its file; `""` if the caller passed values."""
        return self.name if self.text else ""

    def place(self, pointer: str) -> Place:
        """Return the place of the value of a JSON pointer, or of the nearest value around it."""
        if self.places is None:
            return Place(pointer)
        return Place(pointer, self.name, *self.places.find(pointer))


def load_document(path: str | os.PathLike[str]) -> Document:
    """Read a template, JSON or YAML, from a file.

    Raises:
        TemplateError: It cannot be read, or is not a CloudFormation template; the message says why.
    """
    return parse_document(read_bytes(path), os.fspath(path))


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Read a file of at most `MAX_BYTES`.

    Raises:
        TemplateError: It is not a file, is larger, or cannot be read.
    """
    name = os.fspath(path)
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            if stat.S_ISDIR(status.st_mode):
                raise TemplateError(f"`{name}` is a directory: give a file")
            raise TemplateError(f"`{name}` is not a regular file: give a file, or `-` for standard input")
        if status.st_size > MAX_BYTES:
            raise TemplateError(
                f"`{name}` has {status.st_size:,} bytes, more than {MAX_BYTES:,}: "
                "CloudFormation takes at most 1 MB, so this is not a template"
            )
        with open(path, "rb") as stream:
            return stream.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TemplateError(f"`{name}` cannot be read: {reason}") from None


def not_utf8(name: str, error: UnicodeDecodeError) -> str:
    """Return what is wrong with a file that is not UTF-8 text, and what to do."""
    byte = error.object[error.start]
    return f"`{name}` is not UTF-8 text: byte {error.start} is 0x{byte:02x}; save the file as UTF-8"


def parse_document(source: bytes | str | Mapping[str, Any], name: str = "<template>") -> Document:
    """Read a template from its JSON or YAML text, or take it from a dictionary.

    Raises:
        TemplateError: It is not a CloudFormation template; the message says why.
    """
    if isinstance(source, Mapping):
        return Document(name, _template(source, name))
    if isinstance(source, bytes):
        try:
            source = source.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise TemplateError(not_utf8(name, error)) from None
    text = source.removeprefix("\ufeff")
    try:
        value, places = _scan(text, name)
    except RecursionError:
        raise TemplateError(f"`{name}` is nested too deeply to be a template") from None
    # `JsonPlaces` stands for strict JSON, which has no duplicate keys.
    duplicates = [] if isinstance(places, JsonPlaces) else list(find_duplicates(value))
    repeated = tuple(settle_equal(value, duplicates)) if duplicates else ()
    different = tuple(each for each in duplicates if each not in repeated)
    return Document(name, _template(value, name), text, places, different, repeated)


def _is_for_cloudformation(value: Mapping[str, Any]) -> bool:
    """Tell whether a mapping without `Resources` is a template: a macro can make them from other sections."""
    transforms = value.get("Transform")
    named = [each.get("Name") if isinstance(each, Mapping) else each for each in _listed(transforms)]
    return _VERSION in value or (
        bool(named) and all(isinstance(name, str) and _NAME_OF_A_MACRO.fullmatch(name) for name in named)
    )


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [] if value is None else [value]


def position_in(message: str) -> tuple[int, int]:
    """Return the line and the column in an error message; zeros without one."""
    found = _POSITION.search(message)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def is_template(value: object) -> bool:
    """Tell whether a value looks like a CloudFormation template: by `Resources`, or by its version."""
    if not isinstance(value, Mapping):
        return False
    if _VERSION in value:
        return True
    resources = value.get("Resources")
    return isinstance(resources, Mapping) and any(
        str(name).startswith("Fn::") or (isinstance(resource, Mapping) and "Type" in resource)
        for name, resource in resources.items()
    )


def _scan(text: str, name: str) -> tuple[object, Places | JsonPlaces]:
    if not text.strip():
        raise TemplateError(f"`{name}` is empty: a template has `Resources`")
    positions: dict[str, tuple[int, int]] = {}
    if text.lstrip()[0] not in "{[/":
        return _yaml(text, name, positions), Places(positions)
    try:
        value = read_strict_json(text, parse_float=WrittenFloat)
    except (ValueError, RecursionError):
        pass  # The scanner tells a comment, a duplicate key, too much depth or an error.
    else:
        if "\\ud" in text or "\\uD" in text:
            _refuse_lone_surrogates(value, name)
        return value, JsonPlaces(text)
    try:
        value = scan_json(text, name, positions)
    except TemplateError as error:
        # Braces are YAML too, with short tags and unquoted keys that JSON lacks.
        positions.clear()
        try:
            value = _yaml(text, name, positions)
        except (MissingDependencyError, TemplateError):
            raise error from None
    _refuse_lone_surrogates(value, name)
    return value, Places(positions)


def _yaml(text: str, name: str, positions: dict[str, tuple[int, int]]) -> object:
    try:
        return scan_yaml(text, name, positions)
    except SeveralDocumentsError as error:
        if any(
            isinstance(each, Mapping) and {"Resources", _VERSION} & each.keys() for each in error.documents
        ):
            raise
        # Such as manifests of Kubernetes, which are often beside templates.
        raise NotATemplateError(f"`{name}` holds several YAML documents, and none is a template") from None


def _refuse_lone_surrogates(value: object, name: str) -> None:
    pending = [value]
    while pending:
        current = pending.pop()
        if isinstance(current, str):
            if not current.isascii() and re.search(_LONE_SURROGATE, current):
                shown = current.encode("ascii", "backslashreplace").decode()
                raise TemplateError(
                    f"`{name}` holds half a surrogate pair, which is not a character: `{shown[:60]}`"
                )
        elif isinstance(current, dict):
            pending.extend(current)
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)


def _template(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        kind = {list: "a list", str: "text", type(None): "`null`", bool: "a Boolean"}.get(
            type(value), "a number"
        )
        raise NotATemplateError(
            f"`{name}` is not a CloudFormation template: it is {kind}, not a mapping with `Resources`"
        )
    if "Resources" in value:
        resources = value["Resources"]
        if isinstance(resources, Duplicate):
            raise TemplateError(f"`{name}`: {resources.reason}; put both into one")
        if not isinstance(resources, Mapping):
            shown = "null" if resources is None else type(resources).__name__
            raise TemplateError(f"`{name}`: `Resources` must map logical ids to resources, and is `{shown}`")
    elif not (_SECTIONS.issuperset(map(str, value)) or _is_for_cloudformation(value)):
        known = ", ".join(f"`{key}`" for key in list(value)[:5])
        # A plain policy, or the output of `aws s3api get-bucket-policy`.
        is_policy = "Statement" in value or set(value) == {"Policy"}
        hint = "; `secure-bucket prove` judges a policy by itself" if is_policy else ""
        raise NotATemplateError(
            f"`{name}` is not a CloudFormation template: it has no `Resources`, but {known}{hint}"
        )
    return value
