"""What it costs to judge templates that are written to be slow: each shape at several sizes.

    python benchmarks/bounds.py

A shape is in order if its seconds grow about as fast as its size, or if the verdict is *undecided* with a
reason. `s` is processor time; `verdicts` counts the proven, refuted and undecided buckets. At the end come
the slowest of the policies of 20 KB that `hostile.py` knows or draws, which have to take less than a second.
"""

from __future__ import annotations

import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from hostile import slowest
from template import bucket

from secure_bucket.checks.check import check_template, check_templates
from secure_bucket.findings import Report

Template = dict[str, Any]


def chained_conditions(size: int) -> Template:
    """Return a bucket under the last of many conditions, each made of the one before and a parameter."""
    parameters = {f"P{number}": {"Type": "String"} for number in range(size)}
    conditions: Template = {"C0": {"Fn::Equals": [{"Ref": "P0"}, "a"]}}
    for number in range(1, size):
        equals = {"Fn::Equals": [{"Ref": f"P{number}"}, "a"]}
        conditions[f"C{number}"] = {"Fn::And": [{"Condition": f"C{number - 1}"}, equals]}
    resources = bucket(0)
    resources["Bucket0"]["Condition"] = f"C{size - 1}"
    resources["Bucket0Policy"]["Condition"] = f"C{size - 1}"
    return {"Parameters": parameters, "Conditions": conditions, "Resources": resources}


def alternating_conditions(size: int) -> Template:
    """Return the same, with `Fn::Or` and `Fn::And` by turns, so that no operand decides early."""
    made = chained_conditions(size)
    for number in range(1, size, 2):
        ((_, operands),) = made["Conditions"][f"C{number}"].items()
        made["Conditions"][f"C{number}"] = {"Fn::Or": operands}
    return made


def parameters_in_the_policy(size: int) -> Template:
    """Return a policy with a statement for each of many parameters, which a condition leaves out."""
    made: Template = {"Parameters": {}, "Conditions": {}, "Resources": bucket(0)}
    statements = made["Resources"]["Bucket0Policy"]["Properties"]["PolicyDocument"]["Statement"]
    for number in range(size):
        made["Parameters"][f"P{number}"] = {"Type": "String", "AllowedValues": ["a", "b"]}
        made["Conditions"][f"C{number}"] = {"Fn::Equals": [{"Ref": f"P{number}"}, "a"]}
        allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
        statements.append({"Fn::If": [f"C{number}", allow, {"Ref": "AWS::NoValue"}]})
    return made


def parameters_in_one_condition(size: int) -> Template:
    """Return a bucket whose policy exists if any of many parameters is set."""
    made: Template = {"Parameters": {}, "Conditions": {}, "Resources": bucket(0)}
    equals = []
    for number in range(size):
        made["Parameters"][f"P{number}"] = {"Type": "String"}
        equals.append({"Fn::Equals": [{"Ref": f"P{number}"}, ""]})
    made["Conditions"]["Wanted"] = {"Fn::Or": equals}
    made["Resources"]["Bucket0Policy"]["Condition"] = "Wanted"
    return made


def hostile_policies(size: int) -> Template:
    """Return many buckets whose policies need the longest search."""
    resources: Template = {}
    for number in range(size):
        resources |= bucket(number)
        arn = {"Fn::GetAtt": [f"Bucket{number}", "Arn"]}
        keys = [f"aws:PrincipalTag/k{key}" for key in range(12)]
        statements = [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, {"Fn::Join": ["", [arn, "/*"]]}],
                "Condition": {
                    "Bool": {"aws:SecureTransport": "false"},
                    "StringLike": {one: f"{number}*a*b*", other: "*c*d*"},
                },
            }
            for one, other in itertools.islice(itertools.combinations(keys, 2), 40)
        ]
        resources[f"Bucket{number}Policy"]["Properties"]["PolicyDocument"]["Statement"] = statements
    return {"Resources": resources}


def policies_for_unknown_buckets(size: int) -> Template:
    """Return buckets with names from parameters, and policies for names from other parameters."""
    made: Template = {"Parameters": {}, "Resources": {}}
    for number in range(size):
        made["Parameters"] |= {f"N{number}": {"Type": "String"}, f"M{number}": {"Type": "String"}}
        made["Resources"] |= bucket(number)
        made["Resources"][f"Bucket{number}"]["Properties"] = {"BucketName": {"Ref": f"N{number}"}}
        made["Resources"][f"Bucket{number}Policy"]["Properties"]["Bucket"] = {"Ref": f"M{number}"}
    return made


def unrelated(size: int) -> Template:
    """Return one of many templates with parameters and conditions of the same names."""
    made: Template = {
        "Parameters": {f"P{number}": {"Type": "String"} for number in range(6)},
        "Conditions": {f"C{number}": {"Fn::Equals": [{"Ref": f"P{number}"}, "a"]} for number in range(6)},
        "Resources": {},
        "Outputs": {"Name": {"Value": "x", "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-name"}}}},
    }
    for number in range(6):
        made["Resources"] |= bucket(number)
        made["Resources"][f"Bucket{number}"]["Properties"] = {
            "BucketName": {"Fn::Sub": f"${{P{number}}}-{number}"}
        }
        made["Resources"][f"Bucket{number}"]["Condition"] = f"C{number}"
        policy = made["Resources"][f"Bucket{number}Policy"]
        policy["Condition"] = f"C{number}"
        policy["Properties"]["Bucket"] = (
            {"Fn::ImportValue": f"name-{number}"} if number == 5 else {"Fn::Sub": f"${{P{number}}}-{number}"}
        )
    return made


def together(size: int) -> Report:
    """Check many unrelated templates as one application."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"template{number}.json" for number in range(size)]
        for file in files:
            file.write_text(json.dumps(unrelated(size)), encoding="utf-8")
        return check_templates(files)


def alone(shape: Callable[[int], Template]) -> Callable[[int], Report]:
    """Return what checks a shape by itself."""
    return lambda size: check_template(shape(size))


SHAPES: Final[dict[str, tuple[Callable[[int], Report], tuple[int, ...]]]] = {
    "chained conditions": (alone(chained_conditions), (125, 250, 500, 1_000, 2_000)),
    "alternating conditions": (alone(alternating_conditions), (125, 250, 500, 1_000, 2_000)),
    "parameters in the policy": (alone(parameters_in_the_policy), (45, 90, 180, 360)),
    "parameters in one condition": (alone(parameters_in_one_condition), (45, 90, 180, 360)),
    "hostile policies": (alone(hostile_policies), (6, 12, 24, 48)),
    "policies for unknown buckets": (alone(policies_for_unknown_buckets), (10, 20, 40, 80)),
    "unrelated templates together": (together, (25, 50, 100, 200)),
}


def main(names: list[str]) -> None:
    """Print a row for each shape and size."""
    print(f"{'shape':<32}{'size':>6}{'s':>9}{'verdicts':>16}")
    for name, (check, sizes) in SHAPES.items():
        for size in sizes if not names or name in names else ():
            started = time.process_time()
            report = check(size)
            seconds = time.process_time() - started
            verdicts = f"{report.proven}/{report.refuted}/{report.undecided}"
            print(f"{name:<32}{size:>6}{seconds:>9.2f}{verdicts:>16}", flush=True)
    for seconds, verdict, name, _ in slowest(0, 100, 5) if not names or "policies" in names else ():
        print(f"{f'20 KB: {name}':<32}{'':>6}{seconds:>9.2f}{verdict:>16}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
