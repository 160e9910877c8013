"""The published schemas and the types that write and read the documents."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "write_schemas.py"


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("write_schemas", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", list(_tool().FORMS))
def test_the_published_schema_is_that_of_the_types(name: str) -> None:
    tool = _tool()
    published = (tool.FOLDER / f"{name}-1.schema.json").read_text(encoding="utf-8")
    assert published == tool.schema_of(name), "run `python tools/write_schemas.py`"
