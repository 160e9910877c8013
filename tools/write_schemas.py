"""Generate the published JSON schemas from the types that write and read the documents.

    python tools/write_schemas.py

The descriptions come from the docstrings. `tests/formats/test_schemas.py` compares the files with the types.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import msgspec.inspect

from secure_bucket.cli.config import SettingsTable
from secure_bucket.formats.report_form import ReportForm
from secure_bucket.operations.audit.json_report import AuditForm
from secure_bucket.operations.plan.json_report import PlanForm
from secure_bucket.operations.probe.json_report import ProbeForm

FOLDER = Path(__file__).parents[1] / "lib" / "secure_bucket" / "formats"
FORMS: dict[str, type[msgspec.Struct]] = {
    "report": ReportForm,
    "audit": AuditForm,
    "plan": PlanForm,
    "probe": ProbeForm,
    "settings": SettingsTable,
}
_NOTE = "A reader should ignore members that it does not know: new ones may come without a new version."
_MEMBER = re.compile(r"^        (\w+): (.+(?:\n            .+)*)", re.MULTILINE)


def schema_of(name: str) -> str:
    """Return the text of the schema of a form."""
    form = FORMS[name]
    (root,), definitions = msgspec.json.schema_components([form], ref_template="#/$defs/{name}")
    classes = _classes_of(form)
    for key, definition in definitions.items():
        _describe(definition, classes[key])
    whole = definitions.pop(form.__name__)
    assert root == {"$ref": f"#/$defs/{form.__name__}"}
    for definition in (whole, *definitions.values()):
        definition.pop("title")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:secure-bucket:{name}:1",
        "title": f"secure-bucket {name}, version 1",
        "description": f"{whole.pop('description')}{'' if name == 'settings' else f' {_NOTE}'}",
    }
    text = json.dumps({**head, **whole, "$defs": definitions}, indent=2, ensure_ascii=False) + "\n"
    return re.sub(r"(?<=\W)(\w+)Form(?=\")", r"\1", text)


def _describe(definition: dict[str, Any], kind: type) -> None:
    definition["description"] = _text((kind.__doc__ or "").partition("\n    Args:")[0])
    for cls in kind.__mro__:
        for name, text in _MEMBER.findall(cls.__doc__ or ""):
            members = definition.get("properties", {})
            described = members.get(name, members.get(name.replace("_", "-")))
            if described is not None and "description" not in described:
                described["description"] = _text(text)
    for name, member in definition.get("properties", {}).items():
        tag = {"schema": "The name and version of this form.", "outcome": "The kind of answer."}
        member.setdefault("description", tag.get(name, ""))
        assert member["description"], f"`{kind.__name__}` does not describe `{name}`"


def _text(written: str) -> str:
    return " ".join(written.split())


def _classes_of(form: type[msgspec.Struct]) -> dict[str, type]:
    """Return the classes of a form, by name."""
    found: dict[str, type] = {}
    left: list[object] = [msgspec.inspect.type_info(form)]
    while left:
        info = left.pop()
        if isinstance(info, tuple):
            left += info
        elif isinstance(info, (msgspec.inspect.Type, msgspec.inspect.Field)):
            kind = getattr(info, "cls", None)
            if kind is not None and found.setdefault(kind.__name__, kind) is not kind:
                raise TypeError(f"two classes of the form are named `{kind.__name__}`")
            left += [getattr(info, name) for name in info.__struct_fields__ if name != "cls"]
    return found


if __name__ == "__main__":
    for each in FORMS:
        (FOLDER / f"{each}-1.schema.json").write_text(schema_of(each), encoding="utf-8")
