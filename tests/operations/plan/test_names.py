"""The names of buckets, as the list of the resources of a stack tells them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secure_bucket.operations.plan import RolloutError, names_of_buckets, read_stack_resources
from tests.operations.plan.known import PROVEN, declared, report_of

APP, OTHER = "app.template.json", "other.template.json"


def entry(
    logical_id: str = "Reports", name: str | None = "app-reports-1x2y", **members: Any
) -> dict[str, Any]:
    return {
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": name,
        "ResourceType": "AWS::S3::Bucket",
        "ResourceStatus": "CREATE_COMPLETE",
        **members,
    }


def described(*, stack: str = "App", account: str = "111122223333", **members: Any) -> dict[str, Any]:
    identity = f"arn:aws:cloudformation:eu-west-1:{account}:stack/{stack}/1a2b"
    return entry(StackName=stack, StackId=identity, **members)


def listed(
    tmp_path: Path, *entries: dict[str, Any], key: str = "StackResourceSummaries", **members: Any
) -> Path:
    file = tmp_path / f"resources-{len(list(tmp_path.iterdir()))}.json"
    file.write_text(json.dumps({key: entries, **members}))
    return file


def test_a_list_of_the_one_template_needs_no_word(tmp_path: Path) -> None:
    resources = read_stack_resources(
        listed(tmp_path, entry(), entry("Topic", "arn:aws:sns:::x", ResourceType="AWS::SNS::Topic"))
    )
    names = names_of_buckets(report_of(declared(PROVEN, "")), [resources])
    assert names == {(APP, "Reports"): "app-reports-1x2y"}


def test_of_several_templates_the_one_is_meant_that_is_named(tmp_path: Path) -> None:
    check = report_of(declared(PROVEN, ""), declared(PROVEN, "", template=OTHER))
    file = listed(tmp_path, entry())
    with pytest.raises(RolloutError, match=rf"does not tell which template .* TEMPLATE={file}"):
        names_of_buckets(check, [read_stack_resources(file)])
    names = names_of_buckets(check, [read_stack_resources(file, f"./{OTHER}")])
    assert names == {(OTHER, "Reports"): "app-reports-1x2y"}


def test_the_name_of_the_stack_tells_the_template_of_an_assembly(tmp_path: Path) -> None:
    check = report_of(
        declared(PROVEN, "", stack="App"),
        declared(PROVEN, "", template=OTHER, stack="Other"),
        declared(PROVEN, "", template="nested.template.json"),
    )
    file = listed(tmp_path, described(stack="Other"), key="StackResources")
    assert names_of_buckets(check, [read_stack_resources(file)]) == {(OTHER, "Reports"): "app-reports-1x2y"}
    nested = listed(tmp_path, described(stack="App-Nested-1X"), key="StackResources")
    with pytest.raises(RolloutError, match="does not tell which template"):
        names_of_buckets(check, [read_stack_resources(nested)])


def test_stacks_of_one_name_in_two_stages_are_not_told_apart(tmp_path: Path) -> None:
    check = report_of(
        declared(PROVEN, "", stack="App"),
        declared(PROVEN, "", template=OTHER, stack="App"),
    )
    resources = read_stack_resources(listed(tmp_path, described(), key="StackResources"))
    with pytest.raises(RolloutError, match="does not tell which template"):
        names_of_buckets(check, [resources])


@pytest.mark.parametrize("status", ["DELETE_COMPLETE", "DELETE_SKIPPED"])
def test_what_the_stack_no_longer_owns_is_not_counted(status: str, tmp_path: Path) -> None:
    gone = entry(name="app-reports-old", ResourceStatus=status)
    assert read_stack_resources(listed(tmp_path, gone, entry())).buckets == {"Reports": "app-reports-1x2y"}
    with pytest.raises(RolloutError, match="contains no bucket that is deployed"):
        read_stack_resources(listed(tmp_path, gone))


def test_what_was_never_created_has_no_name(tmp_path: Path) -> None:
    with pytest.raises(RolloutError, match="contains no bucket that is deployed"):
        read_stack_resources(listed(tmp_path, entry(name=None)))


def test_a_stack_of_another_account_is_refused(tmp_path: Path) -> None:
    resources = read_stack_resources(listed(tmp_path, described(), key="StackResources"))
    check = report_of(declared(PROVEN, ""))
    assert names_of_buckets(check, [resources], accounts=["111122223333"])
    with pytest.raises(RolloutError, match="is of account 111122223333, and the review is of 444455556666"):
        names_of_buckets(check, [resources], accounts=["444455556666"])


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "is not a list of the resources of a stack"),
        ({"StackResources": [1]}, "`/StackResources/0`: expected `object`, got `int`"),
        ({"StackResourceSummaries": [entry()], "NextToken": "abc"}, "is a part of a list"),
        ({"StackResourceSummaries": [entry(), entry(name="other")]}, "tells two names of `Reports`"),
        (
            {"StackResources": [described(), described(stack="B", logical_id="B")]},
            "resources of several stacks",
        ),
    ],
)
def test_what_is_no_list_is_refused_with_words(document: object, message: str, tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    file.write_text(json.dumps(document))
    with pytest.raises(RolloutError, match=message):
        read_stack_resources(file)


def test_a_list_that_does_not_fit_its_template_is_refused(tmp_path: Path) -> None:
    check = report_of(declared(PROVEN, ""))
    with pytest.raises(RolloutError, match="have no bucket in common"):
        names_of_buckets(check, [read_stack_resources(listed(tmp_path, entry("Other")))])
    with pytest.raises(RolloutError, match=r"`x\.json`, given with .* is not a template with a bucket"):
        names_of_buckets(check, [read_stack_resources(listed(tmp_path, entry()), "x.json")])
    two = [read_stack_resources(listed(tmp_path, entry(name=name))) for name in ("a-bucket", "b-bucket")]
    with pytest.raises(RolloutError, match="is `a-bucket` in one list of resources, and `b-bucket` in"):
        names_of_buckets(check, two)
