"""The line of the program that created a bucket, out of a cloud assembly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

import secure_bucket
from secure_bucket import check_assembly
from secure_bucket.errors import TemplateError
from secure_bucket.findings.finding import Finding, GrantedException, Level, Report
from secure_bucket.findings.origin import with_origins
from secure_bucket.findings.subject import Declared
from secure_bucket.template.manifest import read_manifests
from secure_bucket.values.unknown import Place

PATH = "App/Reports/Resource"
STACK = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "App.template.json"}}
FINDING = Finding(Declared("Reports", construct_path=PATH), "SB001", Level.ERROR, "m", "f", Place())


def _assembly(directory: Path, frames: object, *, inline: bool = False) -> Path:
    metadata = {f"/{PATH}": [{"type": "aws:cdk:creationStack", "data": frames}]}
    artifact: dict[str, object] = {**STACK}
    directory.mkdir(parents=True, exist_ok=True)
    if inline:
        artifact["metadata"] = metadata
    else:
        artifact["additionalMetadataFile"] = "App.metadata.json"
        (directory / "App.metadata.json").write_text(json.dumps(metadata))
    (directory / "manifest.json").write_text(json.dumps({"artifacts": {"App": artifact}}))
    return directory


def test_older_versions_write_the_stack_beside_the_logical_id(here: Path) -> None:
    frames = [
        f"new Bucket ({here}/node_modules/aws-cdk-lib/aws-s3/lib/bucket.js:1:2)",
        f"main ({here}/app.py:12:3)",
    ]
    metadata = {f"/{PATH}": [{"type": "aws:cdk:logicalId", "data": "Reports", "trace": frames}]}
    manifest = {"artifacts": {"App": {**STACK, "metadata": metadata}}}
    (here / "manifest.json").write_text(json.dumps(manifest))
    assert _created_at(here) == Place("", "app.py", 12, 3)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text("x = 1\n")
    return tmp_path


def _created_at(directory: Path) -> Place | None:
    report = with_origins(Report(findings=(FINDING,)), read_manifests(directory))
    return report.findings[0].created_at


@pytest.mark.parametrize("inline", [True, False])
@pytest.mark.parametrize("folder", ["cdk.out", "cdk.out/assembly-Prod"])
def test_the_innermost_line_of_the_program_is_taken(here: Path, inline: bool, folder: str) -> None:
    frames = [
        "...aws-cdk-lib, jsii runtime...",
        "(no user code in 10 frames, use --stack-trace-limit to capture more)",
        f"__init__ ({here}/.venv/lib/python3.11/site-packages/company/bucket.py:3)",
        f"__init__ ({here}/lib/secure_bucket/cdk/bucket.py:61)",
        f"make ({here}/app.py:12)",
        f"<module> ({here}/app.py:17)",
    ]
    _assembly(here / folder, frames, inline=inline)
    if folder != "cdk.out":
        stage = {"Prod": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "assembly-Prod"}}}
        (here / "cdk.out/manifest.json").write_text(json.dumps({"artifacts": stage}))
    assert _created_at(here / "cdk.out") == Place("", "app.py", 12, 1)


@pytest.mark.parametrize(
    ("frame", "place"),
    [
        ("new Reports ({}/lib/stack.ts:4:15)", Place("", "lib/stack.ts", 4, 15)),
        ("{}/lib/stack.ts:4:15", Place("", "lib/stack.ts", 4, 15)),
        ("a b (c) ({}/my app.py:4)", Place("", "my app.py", 4, 1)),
        # As Node and aws-cdk-lib 2.275.0 write it for a program of ES modules.
        ("file://{}/bin/app.ts:6 (:)", Place("", "bin/app.ts", 6, 1)),
        ("new Reports (file://{}/my%20app.mjs:4:15)", Place("", "my app.mjs", 4, 15)),
        ("file:///elsewhere.ts:1 (:)", None),
        ("f ({}/data.csv:1)", None),
        ("f (app.py:1)", None),
        ("f (/proc/self/environ:1)", None),
        ("f ({}/../elsewhere.py:1)", None),
        ("f (/elsewhere.py:1)", None),
    ],
)
def test_only_programs_below_the_working_directory_count(here: Path, frame: str, place: Place | None) -> None:
    assert _created_at(_assembly(here / "cdk.out", [frame.format(here)])) == place


BUCKET_JAVA = "software.amazon.awscdk.services.s3.Bucket$Builder.build (Bucket.java:1907)"


@pytest.mark.parametrize(
    ("files", "frames", "place"),
    [
        (
            ["src/main/java/com/us/Reports.java", "src/main/java/com/us/App.java"],
            ["com.us.Reports.<init> (Reports.java:20)", "com.us.App.main (App.java:9)"],
            Place("", "src/main/java/com/us/Reports.java", 20, 1),
        ),
        (
            ["a/com/us/App.java"],
            ["com.us.App.lambda$main$0 (App.java:9)"],
            Place("", "a/com/us/App.java", 9, 1),
        ),
        (["a/com/us/App.java"], ["com.us.App$Inner.make (App.java:9)"], Place("", "a/com/us/App.java", 9, 1)),
        # A construct of another library, whose source is not here, was created by the app.
        (
            ["com/us/App.java"],
            ["org.them.A.<init> (A.java:3)", "com.us.App.main (App.java:9)"],
            "com/us/App.java",
        ),
        (["App.java"], ["App.main (App.java:9)"], Place("", "App.java", 9, 1)),
        (["src/main/kotlin/App.kt"], ["com.us.AppKt.main (App.kt:9)"], "src/main/kotlin/App.kt"),
        (["one/com/us/App.java", "two/com/us/App.java"], ["com.us.App.main (App.java:9)"], None),
        (["com/them/App.java"], ["com.us.App.main (App.java:9)"], None),
        (["com/us/Bucket.java"], [], None),
        (["target/com/us/App.java", "cdk.out/com/us/App.java"], ["com.us.App.main (App.java:9)"], None),
        ([], ["com.us.App.main (../../../etc/App.java:9)"], None),
    ],
)
def test_java_and_kotlin_name_the_class_and_its_file(
    here: Path, files: list[str], frames: list[str], place: Place | str | None
) -> None:
    for file in files:
        (here / file).parent.mkdir(parents=True, exist_ok=True)
        (here / file).write_text("class A {}")
    found = _created_at(
        _assembly(here / "cdk.out", ["...aws-cdk-lib, jsii runtime...", BUCKET_JAVA, *frames])
    )
    assert found == (Place("", place, 9, 1) if isinstance(place, str) else place)


def test_a_java_file_that_is_a_link_gives_nothing_away(here: Path) -> None:
    (here / "App.java").symlink_to("/proc/self/environ")
    assert _created_at(_assembly(here / "cdk.out", ["App.main (App.java:1)"])) is None


def test_a_link_gives_nothing_away(here: Path) -> None:
    (here / "innocent.py").symlink_to("/proc/self/environ")
    assert _created_at(_assembly(here / "cdk.out", [f"f ({here}/innocent.py:1)"])) is None


@pytest.mark.parametrize("frames", [None, "text", 3, [], [None, 3, {}], {"a": 1}])
def test_odd_metadata_tells_nothing(here: Path, frames: object) -> None:
    assert _created_at(_assembly(here / "cdk.out", frames)) is None


@pytest.mark.parametrize("file", ["../App.metadata.json", "/etc/hostname", "a/b", 5, []])
def test_an_assembly_cannot_name_metadata_outside_itself(here: Path, file: object) -> None:
    directory = _assembly(here / "cdk.out", [])
    artifact = {"App": {**STACK, "additionalMetadataFile": file}}
    (directory / "manifest.json").write_text(json.dumps({"artifacts": artifact}))
    with pytest.raises(TemplateError, match="`additionalMetadataFile` of the artifact `App` is not a"):
        read_manifests(directory)


def test_metadata_in_the_manifest_and_in_a_file_are_read_together(here: Path) -> None:
    directory = _assembly(here / "cdk.out", [f"f ({here}/app.py:1)"])
    inline = {f"/{PATH}": [{"type": "aws:cdk:logicalId", "data": "Reports"}]}
    artifact = {"App": {**STACK, "metadata": inline, "additionalMetadataFile": "App.metadata.json"}}
    (directory / "manifest.json").write_text(json.dumps({"artifacts": artifact}))
    (stack,) = read_manifests(directory).stacks
    assert [kind for _, kind, _ in stack.entries] == ["aws:cdk:logicalId", "aws:cdk:creationStack"]
    assert _created_at(directory) == Place("", "app.py", 1, 1)


def test_excepted_findings_are_located_too(here: Path) -> None:
    directory = _assembly(here / "cdk.out", [f"f ({here}/app.py:1)"])
    granted = GrantedException(Declared("Reports"), "SB001", "r", findings=(FINDING,))
    manifests = read_manifests(directory)
    report = with_origins(Report(exceptions=(granted,)), manifests)
    assert report.exceptions[0].findings[0].created_at == Place("", "app.py", 1, 1)
    unnamed = Report(findings=(replace(FINDING, subject=Declared("Reports")),))
    assert with_origins(unnamed, manifests) is unnamed


@pytest.mark.slow
def test_a_python_app_is_found_on_its_own_line(here: Path) -> None:
    (here / "app.py").write_text(
        "from secure_bucket import SecureTransportAspect\n"
        "import aws_cdk as cdk\n"
        "from aws_cdk import aws_s3 as s3\n"
        "app = cdk.App(outdir='cdk.out')\n"
        "stack = cdk.Stack(cdk.Stage(app, 'Prod'), 'App')\n"
        "s3.Bucket(\n"
        "    stack, 'Reports'\n"
        ")\n"
        "app.synth()\n"
    )
    library = Path(secure_bucket.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(library)}
    subprocess.run([sys.executable, "app.py"], check=True, cwd=here, capture_output=True, env=environment)
    (finding,) = check_assembly("cdk.out").findings
    assert finding.construct_path == "Prod/App/Reports/Resource"
    assert finding.created_at is not None
    assert finding.created_at.file == "app.py"
    assert finding.created_at.line in (6, 7), "of a call over several lines, Python tells one"
