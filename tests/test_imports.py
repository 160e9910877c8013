"""Who may import whom: one arrow, and the AWS CDK in one folder only."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import secure_bucket

PACKAGE = Path(secure_bucket.__file__).parent

# Each part, with those it may import. `__init__.py` gathers the names of all of them.
ARROW = {
    "errors": [],
    "detection": ["values"],
    "prices": [],
    "values": [],
    "version": [],
    "conformance": ["detection", "errors"],
    "policy": ["values", "errors"],
    "proof": ["policy", "values", "errors"],
    "template": ["detection", "values", "errors"],
    "findings": ["template", "proof", "policy", "values", "errors"],
    "checks": ["findings", "template", "proof", "policy", "values", "errors"],
    "formats": ["findings", "template", "proof", "policy", "values", "errors"],
    "repair": ["checks", "findings", "template", "proof", "policy", "values", "errors"],
    "cdk": [
        *("conformance", "detection", "checks", "findings", "template", "proof", "policy", "values"),
        *("errors", "version"),
    ],
    "operations": [
        *("prices", "detection", "formats", "checks", "findings", "template", "proof", "policy", "values"),
        "errors",
    ],
    "editor": ["formats", "repair", "checks", "findings", "template", "proof", "policy", "values", "errors"],
    "cli": [
        *(
            "editor",
            "operations",
            "cdk",
            "conformance",
            "detection",
            "formats",
            "prices",
            "repair",
            "checks",
            "findings",
        ),
        *("template", "proof", "policy", "values", "errors", "version"),
    ],
    "testing": ["checks", "findings", "template", "proof", "policy", "values", "errors"],
    "__main__": ["cli"],
}

NEEDS_CDK = {
    "BucketMfa",
    "BucketSecureTransport",
    "BucketSecureTransportInjector",
    "LogSource",
    "MfaOperation",
    "Mode",
    "SecureBucket",
    "SecureBucketProps",
    "SecureLogBucket",
    "SecureTransportAspect",
    "SecureTransportConformancePack",
    "SecureTransportMonitoring",
    "SecureTransportOrganizationConformancePack",
    "SecureTransportOrganizationPolicy",
    "SecureTransportOrganizationRule",
    "SecureTransportValidation",
    "enforce_secure_transport",
}


def modules() -> Iterator[tuple[str, Path]]:
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        if parts != ("__init__",):
            yield parts[0], file


def imported(file: Path, *, at_run_time: bool = False) -> Iterator[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if at_run_time and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import"
            # `from secure_bucket import formats` is an import of that part.
            if node.module != "secure_bucket":
                yield node.module or ""
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize(
    ("part", "file"), [pytest.param(*module, id=str(module[1].relative_to(PACKAGE))) for module in modules()]
)
def test_imports_follow_the_arrow(part: str, file: Path) -> None:
    names = set(imported(file))
    for name in names:
        root, _, rest = name.partition(".")
        target = rest.partition(".")[0]
        if root == "secure_bucket" and target in ARROW and target != part:
            assert target in ARROW[part], f"{part} imports {target}"
        if root in ("aws_cdk", "constructs", "jsii"):
            assert part == "cdk", f"{part} imports {root}"


def graph() -> dict[str, set[str]]:
    """Return what each module imports at run time, inside a function too."""
    named = {}
    for _, file in modules():
        parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
        named[".".join(parts).removesuffix(".__init__")] = file
    return {
        module: {f"{name}" for name in imported(file, at_run_time=True) if name in named} - {module}
        for module, file in named.items()
    }


def test_no_module_imports_itself_around_a_corner() -> None:
    left = graph()
    while leaves := {module for module, needed in left.items() if not needed & left.keys()}:
        for module in leaves:
            del left[module]
    # What is left imports in a circle, or imports something that does.
    assert not left, f"imports in a circle, or of one: {sorted(left)}"


@pytest.mark.parametrize("file", [pytest.param(file, id=str(file)) for _, file in modules()])
def test_nothing_inside_imports_the_face_of_the_package(file: Path) -> None:
    names = set(imported(file))
    parts = {f"secure_bucket.{part}" for part in ARROW}
    for name in names:
        if name == "secure_bucket" or name.startswith("secure_bucket."):
            assert any(f"{name}.".startswith(f"{part}.") for part in parts), f"{file} imports `{name}`"


@pytest.mark.parametrize("file", [pytest.param(file, id=str(file)) for _, file in modules()])
def test_nothing_reaches_into_a_foreign_object(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            owner = ast.unparse(node.value)
            # `os._exit`, `_replace` of a named tuple, and jsii's map of names are the documented way.
            # For exit handlers there is no other.
            public = node.attr in ("_exit", "_replace", "_cfn_properties", "_run_exitfuncs")
            assert owner in ("self", "cls", "other", "earlier") or public, (
                f"{file}:{node.lineno} uses `{ast.unparse(node)}`"
            )


# What may not be installed is loaded when it is needed: the AWS CDK, and the packages of the extras.
NOT_ALWAYS_THERE = {
    *("aws_cdk", "boto3", "botocore", "constructs", "duckdb", "fcntl", "jsii", "sqlglot", "tree_sitter"),
    "tree_sitter_typescript",
}
BOUGHT = re.compile(r"#.*(\d ms|loads no part)")


def groups_within_functions(file: Path) -> Iterator[list[ast.Import | ast.ImportFrom]]:
    """Yield the imports of each function that follow each other."""
    for block in (
        getattr(node, name, None)
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        for name in ("body", "orelse", "finalbody")
    ):
        group: list[ast.Import | ast.ImportFrom] = []
        for statement in [*block, None] if isinstance(block, list) else []:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                group.append(statement)
            elif group:
                yield group
                group = []


@pytest.mark.parametrize("file", [pytest.param(file, id=str(file)) for _, file in modules()])
def test_an_import_within_a_function_says_how_long_it_takes(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    for group in groups_within_functions(file):
        roots = {
            (name.name if isinstance(each, ast.Import) else each.module or "").partition(".")[0]
            for each in group
            for name in each.names
        }
        first, last = group[0].lineno, group[-1].end_lineno or group[-1].lineno
        reason = "\n".join(line for line in lines[first - 3 : last] if "#" in line)
        assert roots <= NOT_ALWAYS_THERE or BOUGHT.search(reason), (
            f"{file}:{first}: say in a comment how many milliseconds of a cold start this import buys, as "
            "`Takes 3 ms, which a template alone does not pay`; below half of one it stands at the top"
        )


def test_every_part_has_its_place_on_the_arrow() -> None:
    assert {part for part, _ in modules()} <= ARROW.keys()


def fresh(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.strip()


LOADED = "import sys; print(sorted({'aws_cdk', 'constructs', 'jsii', 'yaml'} & set(sys.modules)))"


def test_the_package_loads_without_the_cdk() -> None:
    assert fresh(f"import secure_bucket; {LOADED}") == "[]"


@pytest.mark.parametrize("name", sorted(set(secure_bucket.__all__) - NEEDS_CDK))
def test_what_only_judges_loads_without_the_cdk(name: str) -> None:
    assert fresh(f"from secure_bucket import {name}; {LOADED}") == "[]"


def test_a_construct_loads_the_cdk_when_it_is_asked_for() -> None:
    loaded = fresh(f"import secure_bucket; secure_bucket.SecureBucket; {LOADED}")
    assert loaded == "['aws_cdk', 'constructs', 'jsii']"


def test_the_gate_reads_no_yaml() -> None:
    assert "yaml" not in fresh(f"import secure_bucket; secure_bucket.SecureTransportAspect; {LOADED}")


def test_one_file_names_the_manifest_of_a_cloud_assembly() -> None:
    quoted = re.compile(r"""["']manifest\.json""")
    named = [
        file.name for file in sorted(PACKAGE.rglob("*.py")) if quoted.search(file.read_text(encoding="utf-8"))
    ]
    assert named == ["manifest.py"]
