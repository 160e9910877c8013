"""What the values of a template come to in one world."""

from __future__ import annotations

from typing import Any

import pytest

from secure_bucket.template import Infeasible, parse_document, read_document
from secure_bucket.template.intrinsics import FUNCTIONS
from secure_bucket.template.parameters import read_parameter
from secure_bucket.template.resolve import MAX_NESTING, MAX_VALUES, Resolver
from secure_bucket.template.stack import Stack
from secure_bucket.template.text import NO_VALUE
from secure_bucket.template.worlds import Fork, World
from secure_bucket.values.unknown import Text, Unknown

TEMPLATE: dict[str, Any] = {
    "Parameters": {"Stage": {"Type": "String"}, "Names": {"Type": "CommaDelimitedList"}},
    "Mappings": {"Sizes": {"test": {"Count": "1", "List": ["a", "b"]}}},
    "Conditions": {
        "Always": {"Fn::Equals": ["a", "a"]},
        "Never": {"Fn::Not": [{"Condition": "Always"}]},
        "Test": {"Fn::Equals": [{"Ref": "Stage"}, "test"]},
    },
    "Resources": {
        "Reports": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "reports"}},
        "Logs": {"Type": "AWS::S3::Bucket"},
    },
}


def resolver(world: World | None = None) -> tuple[Resolver, Stack]:
    assembly = read_document(parse_document(TEMPLATE))
    return Resolver(assembly, world or World(), FUNCTIONS), assembly.stacks[0]


def resolve(value: object) -> object:
    made, stack = resolver()
    return made.resolve(stack, value, "")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (1.5, 1.5),
        ("text", "text"),
        ({"a": [1, {"Ref": "AWS::NoValue"}, 2]}, {"a": [1, 2]}),
        ({"a": {"Ref": "AWS::NoValue"}}, {}),
        ({"Ref": "AWS::NoValue"}, NO_VALUE),
        ({"Ref": "Reports"}, "reports"),
        ({"Fn::If": ["Always", 1, 2]}, 1),
        ({"Fn::If": ["Never", 1, 2]}, 2),
        ({"Fn::Join": ["-", ["a", 2, True]]}, "a-2-true"),
        ({"Fn::Join": ["-", {"Fn::Split": [".", "a.b"]}]}, "a-b"),
        ({"Fn::Select": ["1", ["a", "b"]]}, "b"),
        ({"Fn::Select": [0, {"Fn::FindInMap": ["Sizes", "test", "List"]}]}, "a"),
        ({"Fn::FindInMap": ["Sizes", "test", "Count"]}, "1"),
        ({"Fn::FindInMap": ["Sizes", "prod", "Count", {"DefaultValue": "9"}]}, "9"),
        ({"Fn::Sub": "${Reports}-${!Literal}"}, "reports-${Literal}"),
        ({"Fn::Sub": ["${x}", {"x": "y"}]}, "y"),
        ({"Fn::Base64": "a"}, "YQ=="),
        ({"Fn::Length": ["a", "b"]}, 2),
        ({"Fn::ForEach::X": ["K", ["a", "b"], {"${K}": "&{K}"}]}, {"a": "a", "b": "b"}),
        ({"Fn::ForEach::X": ["K", [], {"${K}": "x"}], "c": 1}, {"c": 1}),
    ],
    ids=str,
)
def test_value_comes_to(value: object, expected: object) -> None:
    assert resolve(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        {"Fn::Nonsense": []},
        {"Fn::If": ["Always"]},
        {"Fn::Join": ["-"]},
        {"Ref": ["a"]},
        {"Ref": "Missing"},
        {"Fn::Transform": {"Name": "Macro"}},
        {"Fn::Sub": "a", "b": 1},
        {"Fn::ForEach::X": ["K", ["a", "b"], {"same": "${K}"}]},
        {"Fn::ForEach::X": "malformed"},
        float("nan"),
        {1, 2},
    ],
    ids=str,
)
def test_what_cannot_be_told_is_unknown_with_a_reason_and_a_place(value: object) -> None:
    found = resolve(value)
    assert isinstance(found, Unknown)
    assert found.reason


@pytest.mark.parametrize(
    ("value", "reason", "pointer"),
    [
        ({"Fn::GetAtt": 5}, "`Fn::GetAtt` has the form [logical id, attribute]", ""),
        ({"Fn::GetAtt": ["Reports"]}, "`Fn::GetAtt` has the form [logical id, attribute]", ""),
        ({"Ref": "AWS::NotificationARNs"}, "it is known only at deployment", "/Ref"),
        ({"Ref": "AWS::Nonsense"}, "`AWS::Nonsense` is not a pseudo parameter of CloudFormation", "/Ref"),
        ({"Fn::FindInMap": ["No", "a", "b"]}, "there is no mapping `No` in this template", "/Fn::FindInMap"),
        ({"Fn::FindInMap": ["Sizes", "test"]}, "`Fn::FindInMap` has the form [map, key, key]", ""),
    ],
    ids=str,
)
def test_the_reason_and_the_place_of_an_unknown_value(value: object, reason: str, pointer: str) -> None:
    found = resolve(value)
    assert isinstance(found, Unknown)
    assert found.reason == reason
    assert found.at.pointer == pointer


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([{"Ref": "Stage"}, "Same"], "1"),
        ([{"Ref": "Stage"}, "Other"], "<Fn::FindInMap(Rows, <Stage>, Other)>"),
        (["a", {"Ref": "Stage"}], "<Fn::FindInMap(Rows, a, <Stage>)>"),
        (["b", {"Ref": "Stage"}], "1"),
    ],
    ids=str,
)
def test_a_row_that_a_parameter_chooses_is_known_where_all_are_the_same(
    keys: list[object], expected: str
) -> None:
    rows = {"a": {"Same": "1", "Other": "2"}, "b": {"Same": "1"}, "c": {"Same": "1", "Other": "3"}}
    assembly = read_document(parse_document(TEMPLATE | {"Mappings": {"Rows": rows}}))
    made = Resolver(assembly, World(), FUNCTIONS)
    assert str(made.resolve(assembly.stacks[0], {"Fn::FindInMap": ["Rows", *keys]}, "")) == expected


@pytest.mark.parametrize(
    ("limits", "taken", "refused"),
    [
        ({"AllowedPattern": "[a-c]+"}, ["abc", "a" * 9], ["", "d", "ab "]),
        # What Java and Python may read differently refuses nothing.
        ({"AllowedPattern": "(?i)abc"}, ["x"], []),
        ({"AllowedPattern": "[[a]]"}, ["x"], []),
        ({"AllowedPattern": "[a-z[0-9]]"}, ["5", "x"], []),
        ({"AllowedPattern": "[a-z]:[0-9]"}, ["a:5"], ["5"]),
        # Java counts UTF-16 units.
        ({"MinLength": 2}, ["\U0001f600", "ab"], ["a"]),
        ({"AllowedPattern": "(a"}, ["x"], []),
        ({"AllowedPattern": "a" * 101}, ["x"], []),
        ({"MinLength": 2, "MaxLength": "3"}, ["ab", "abc"], ["a", "abcd"]),
        ({"Type": "Number", "MinValue": 2, "MaxValue": 3}, ["2", "2.5", "+3"], ["1", "4", "x", ""]),
        # Java reads more forms of a number than Python, and other ones.
        ({"Type": "Number", "MinValue": 2}, ["0x10", "3d", " 3", "1_0"], ["abc", " "]),
        ({"Type": "AWS::EC2::VPC::Id"}, ["vpc-1"], [""]),
        ({"AllowedValues": ["a", 1]}, ["a", "1"], ["b", ""]),
        ({"Type": "AWS::SSM::Parameter::Value<String>", "AllowedValues": ["a"]}, ["a", "b", ""], []),
    ],
    ids=str,
)
def test_a_parameter_takes_what_cloudformation_takes(
    limits: dict[str, Any], taken: list[str], refused: list[str]
) -> None:
    parameter = read_parameter({"Type": "String", **limits})
    assert [value for value in taken + refused if parameter.admits(value)] == taken


def test_parameter_is_a_hole_in_a_text() -> None:
    found = resolve({"Fn::Sub": "a-${Stage}"})
    assert isinstance(found, Text)
    assert str(found) == "a-<Stage>"


@pytest.mark.parametrize(
    "value",
    [{"Fn::FindInMap": ["Sizes", "prod", "Count"]}, {"Fn::Select": [5, ["a"]]}],
    ids=str,
)
def test_what_cloudformation_refuses_is_no_world(value: object) -> None:
    with pytest.raises(Infeasible):
        resolve(value)


@pytest.mark.parametrize(
    "value",
    [
        {"Fn::If": ["Test", 1, 2]},
        {"Fn::ForEach::X": ["K", {"Ref": "Names"}, {"${K}": "x"}]},
    ],
    ids=str,
)
def test_what_depends_on_a_parameter_forks(value: object) -> None:
    with pytest.raises(Fork):
        resolve(value)


def test_deep_values_are_given_up() -> None:
    value: object = "end"
    for _ in range(MAX_NESTING + 1):
        value = [value]
    found: Any = resolve(value)
    while isinstance(found, list):
        (found,) = found
    assert isinstance(found, Unknown)
    assert "nested deeper" in found.reason


def test_large_values_are_given_up() -> None:
    made, stack = resolver()
    reports = stack.resources["Reports"]
    large = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": [["a"]] * MAX_VALUES}}
    stack.add("Large", large, "/Large")
    found = made.property(stack, stack.resources["Large"], "BucketName")
    assert isinstance(found, Unknown)
    assert "more than" in found.reason
    assert made.property(stack, reports, "BucketName") == "reports"


def test_source_leads_through_branches_to_what_is_written() -> None:
    made, stack = resolver()
    value = {"a": {"Fn::If": ["Never", "x", [{"Ref": "AWS::NoValue"}, {"b": 1}]]}}
    path = made.source(stack, value, "", ["a", "0", "b"])
    assert path == ((((("", "a"), "Fn::If"), 2), 1), "b")
