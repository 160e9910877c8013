"""What the arguments lead to."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from secure_bucket.checks.find_targets import CheckTarget, TargetKind, find_targets
from secure_bucket.findings.finding import Report
from tests.cli.harness import OPEN, SECURE, Outcome


def write(directory: Path, *names: str) -> None:
    for name in names:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def found(*arguments: str, **options: object) -> list[tuple[str, TargetKind]]:
    targets = find_targets(arguments, **options)  # type: ignore[arg-type]
    return [(target.path, target.kind) for target in targets.found]


def test_directory_is_searched_for_files_that_may_be_templates(directory: Path) -> None:
    write(directory, "b.yml", "a.json", "z/c.template", "z/y/d.yaml", "readme.md", "script.py")
    names = [path for path, _ in found(".")]
    assert names == ["a.json", "b.yml", "z/c.template", "z/y/d.yaml"]


def test_named_file_must_be_a_template_and_found_one_may(directory: Path) -> None:
    write(directory, "a.json", "x.txt")
    assert found("a.json", "x.txt") == [("a.json", TargetKind.TEMPLATE), ("x.txt", TargetKind.TEMPLATE)]
    assert found(".", "a.json") == [("a.json", TargetKind.TEMPLATE)]
    assert found("a.json", only_candidates=True) == [("a.json", TargetKind.CANDIDATE)]


def test_each_file_is_checked_once(directory: Path) -> None:
    write(directory, "d/a.json")
    assert found("d", "d/", "./d/../d", "d/*.json", str(directory / "d")) == [
        ("d/a.json", TargetKind.TEMPLATE)
    ]


def test_each_argument_that_leads_to_something_is_fruitful(directory: Path) -> None:
    write(directory, "d/a.json", "d/e/b.json", "none/readme.md")
    arguments = (".", "d", "d/a.json", "./d/a.json", "d/*.json", "**/b.json", "d/e/..", "none")
    targets = find_targets(arguments)
    assert targets.fruitless(arguments, Report()) == ["none"]
    everything = Report(ignored=tuple((target.path, "no template") for target in targets.found))
    assert targets.fruitless(("d", "none"), everything) == ["d", "none"]


def test_file_is_checked_once_whatever_links_lead_to_it(directory: Path) -> None:
    write(directory, "a.json")
    (directory / "b.json").symlink_to("a.json")
    (directory / "d").mkdir()
    (directory / "d" / "c.json").symlink_to("../a.json")
    assert found(".") == [("a.json", TargetKind.CANDIDATE)]
    assert found("**/*.json") == [("a.json", TargetKind.CANDIDATE)]
    assert found("a.json", f"../{directory.name}/a.json") == [("a.json", TargetKind.TEMPLATE)]
    assert found("b.json") == [("b.json", TargetKind.TEMPLATE)]


def test_what_a_pattern_finds_can_be_excluded(directory: Path) -> None:
    write(directory, "a.yaml", "b.yaml", "d/a.yaml")
    assert [path for path, _ in found("*.yaml", "**/*.yaml", exclude=["a.yaml"])] == ["b.yaml"]
    assert [path for path, _ in found("a.yaml", exclude=["a.yaml"])] == ["a.yaml"]


def test_pattern(directory: Path) -> None:
    write(directory, "a.yaml", "d/b.yaml", "d/e/c.yaml", "d/e/c.txt")
    assert [path for path, _ in found("d/*.yaml")] == ["d/b.yaml"]
    assert [path for path, _ in found("**/*.yaml")] == ["a.yaml", "d/b.yaml", "d/e/c.yaml"]
    assert found("**") == [
        (name, TargetKind.CANDIDATE) for name in ("a.yaml", "d/b.yaml", "d/e/c.txt", "d/e/c.yaml")
    ]


def test_name_with_brackets_is_a_name_if_it_exists(directory: Path) -> None:
    write(directory, "[a].yaml", "a.yaml")
    assert [path for path, _ in found("[a].yaml")] == ["[a].yaml"]


def test_packages_and_caches_are_passed_over_and_said(directory: Path) -> None:
    write(
        directory, "a.yaml", "node_modules/p/b.yaml", ".venv/c.yaml", ".git/d.yaml", ".aws-sam/build/e.yaml"
    )
    targets = find_targets(["."])
    assert [target.path for target in targets.found] == ["a.yaml", ".aws-sam/build/e.yaml"]
    assert [path for path, _ in targets.ignored] == [".git", ".venv", "node_modules"]
    assert [path for path, _ in found("node_modules")] == ["node_modules/p/b.yaml"]


def test_exclude(directory: Path) -> None:
    write(directory, "a.yaml", "test/b.yaml", "x/test/c.yaml", "x/d-test.yaml")
    targets = find_targets([".", "test/b.yaml"], exclude=["test", "*-test.yaml"])
    assert [target.path for target in targets.found] == ["a.yaml", "test/b.yaml"]
    assert ("x/d-test.yaml", "excluded") in targets.ignored


def assembly(directory: Path, name: str) -> None:
    write(directory, f"{name}/S.template.json")
    (directory / name / "manifest.json").write_text(json.dumps({"version": "1", "artifacts": {}}))


def test_assembly_is_one_target_wherever_it_lies(directory: Path) -> None:
    assembly(directory, "app/cdk.out")
    expected = [("app/cdk.out", TargetKind.ASSEMBLY)]
    assert found(".") == expected
    assert found("app/cdk.out") == expected
    assert found("app/cdk.out/manifest.json") == expected
    assert found("app/*") == expected
    assert found("**/manifest.json") == expected


def test_broken_manifest_of_an_assembly_is_not_passed_over(directory: Path) -> None:
    write(directory, "out/cdk.out", "out/manifest.json", "out/S.template.json")
    assert found(".") == [("out", TargetKind.ASSEMBLY)]


def test_manifest_of_a_web_application_is_just_a_file(directory: Path) -> None:
    write(directory, "web/a.yaml")
    (directory / "web" / "manifest.json").write_text('{"name": "shop", "icons": []}')
    assert [path for path, _ in found(".")] == ["web/a.yaml", "web/manifest.json"]


def test_loop_of_links_ends(directory: Path) -> None:
    write(directory, "d/a.yaml")
    (directory / "d" / "up").symlink_to("..")
    (directory / "d" / "again").symlink_to(".")
    assert [path for path, _ in found(".")] == ["d/a.yaml"]


def test_link_to_itself_is_a_fault(directory: Path) -> None:
    (directory / "loop").symlink_to("loop")
    (directory / "loop.yaml").symlink_to("loop.yaml")
    targets = find_targets(["loop"])
    assert [fault.message for fault in targets.faults] == [
        "`loop` cannot be read: Too many levels of symbolic links"
    ]


def test_name_that_is_not_utf_8(directory: Path) -> None:
    name = os.fsdecode(b"\xff.yaml")
    try:
        (directory / name).write_text("")
    except OSError:
        pytest.skip("this file system has only names in UTF-8")
    assert find_targets(["."]).found == [CheckTarget(name, TargetKind.CANDIDATE, ".")]


def test_manifests_of_kubernetes_beside_templates_are_ignored(
    run: Callable[..., Outcome], directory: Path
) -> None:
    (directory / "a.yaml").write_text(SECURE)
    (directory / "b.yaml").write_text("kind: Service\n---\nkind: Job\n---\n")
    assert run("check", ".").code == 0
    (directory / "c.yaml").write_text(f"kind: Service\n---\n{OPEN}")
    outcome = run("check", ".")
    assert outcome.code == 2
    assert "`c.yaml` holds several YAML documents" in outcome.out + outcome.err
    assert run("check", "b.yaml").code == 2
