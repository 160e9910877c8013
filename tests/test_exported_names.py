"""The public surface: what is exported, where it comes from, and that it is there."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import secure_bucket


def test_the_names_are_sorted_and_each_is_there() -> None:
    assert secure_bucket.__all__ == sorted(secure_bucket.__all__)
    assert set(secure_bucket.__all__) == set(secure_bucket._MODULES)
    for name in secure_bucket.__all__:
        assert getattr(secure_bucket, name) is not None


def test_dir_tells_them_before_they_are_loaded() -> None:
    code = "import secure_bucket; print(set(secure_bucket.__all__) <= set(dir(secure_bucket)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "True"


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'secure_bucket' has no attribute 'SecureBuckets'"):
        _ = secure_bucket.SecureBuckets


def test_the_version_is_that_of_the_installed_package() -> None:
    assert secure_bucket.__version__ == importlib.metadata.version("secure-bucket")


def test_two_public_classes_never_share_a_name() -> None:
    package = Path(secure_bucket.__file__).parent
    homes: dict[str, list[Path]] = {}
    for file in sorted(package.rglob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            named = node.target if isinstance(node, ast.AnnAssign) else None
            is_alias = isinstance(named, ast.Name) and "TypeAlias" in ast.unparse(node)
            name = (
                node.name if isinstance(node, ast.ClassDef) else getattr(named, "id", "") if is_alias else ""
            )
            if name and not name.startswith("_"):
                homes.setdefault(name, []).append(file.relative_to(package))
    shared = {name: files for name, files in homes.items() if len(files) > 1}
    assert not shared, f"give these another name: {shared}"


MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(secure_bucket.__path__, "secure_bucket.")
    if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_every_name_that_a_module_exports_is_there(name: str) -> None:
    module = importlib.import_module(name)
    for each in getattr(module, "__all__", []):
        assert hasattr(module, each), f"{name}.{each}"


def test_every_module_was_found() -> None:
    assert "secure_bucket.cdk.buckets.bucket" in MODULES
    assert "secure_bucket.policy.evaluate" in MODULES
    assert "secure_bucket.proof.prove" in MODULES
