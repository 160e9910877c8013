"""Random templates, and an oracle that judges them by substitution.

The oracle tries every value of every parameter, writes the template out for it, and judges the policies that
come out as literal documents. It shares the prover of policies with the library, and none of `template/`.

    python -m tests.properties.random_templates --seconds 600

runs for as long as told and prints every template on which the two differ.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import time
from collections.abc import Iterator
from typing import Any

from secure_bucket.checks import check_templates
from secure_bucket.proof import prove_denies_http
from secure_bucket.proof.verdict import Proven, Refuted
from secure_bucket.template import parse_document

Json = Any
World = dict[str, Json]

# The last two stand for every value that nobody wrote down.
VALUES = ("a", "b", "zz", "yy")
LISTS = ([], ["x"], ["x", "y"])
MAPPING = {
    "a": {"Text": "a", "Names": ["x"]},
    "b": {"Text": "b", "Names": []},
    "zz": {"Text": "a", "Names": ["x", "y"]},
}


class Impossible(Exception):
    """CloudFormation refuses to deploy this."""


class Maker:
    """Make one random template."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.parameters = {f"P{number}": {"Type": "String"} for number in range(self.random.randint(1, 3))}
        for parameter in self.parameters.values():
            if self.random.random() < 0.4:
                parameter["AllowedValues"] = self.random.sample(VALUES, self.random.randint(1, 3))
        self.conditions = [f"C{number}" for number in range(self.random.randint(1, 3))]
        self.has_list = self.random.random() < 0.4

    def template(self) -> Json:
        """Return the template; its child, where it has one, stands under `Child` of its `Metadata`."""
        made: Json = {
            "Transform": "AWS::LanguageExtensions",
            "Parameters": dict(self.parameters),
            "Mappings": {"M": MAPPING},
            "Conditions": {name: self.expression(2, index) for index, name in enumerate(self.conditions)},
            "Resources": {"B": self.bucket()},
        }
        if self.has_list:
            made["Parameters"]["L"] = {"Type": "CommaDelimitedList"}
        for number in range(self.random.choice((0, 1, 1, 1, 2))):
            made["Resources"] |= self.policies(number)
        if self.random.random() < 0.2:
            made["Resources"] |= self.loop_of_buckets()
        if self.random.random() < 0.2:
            self.nest(made)
        return made

    def expression(self, depth: int, index: int) -> Json:
        """Return a condition, which may name those before it."""
        kind = self.random.choice(("equals", "equals", "map", "two", "not", "and", "or", "name"))
        if kind == "name" and index:
            return {"Condition": self.conditions[self.random.randrange(index)]}
        if depth and kind == "not":
            return {"Fn::Not": [self.expression(depth - 1, index)]}
        if depth and kind in ("and", "or"):
            operands = [self.expression(depth - 1, index) for _ in range(2)]
            return {f"Fn::{kind.capitalize()}": operands}
        if kind == "map":
            return {"Fn::Equals": [{"Fn::FindInMap": ["M", self.parameter(), "Text"]}, self.literal()]}
        if kind == "two":
            return {"Fn::Equals": [self.parameter(), self.parameter()]}
        return {"Fn::Equals": [self.parameter(), self.literal()]}

    def parameter(self) -> Json:
        return {"Ref": self.random.choice(list(self.parameters))}

    def literal(self) -> str:
        return self.random.choice(VALUES[:2])

    def condition(self) -> Json:
        return {"Condition": self.random.choice(self.conditions)} if self.random.random() < 0.4 else {}

    def bucket(self) -> Json:
        name = self.random.choice((None, None, "bucket-a", {"Fn::Sub": "bucket-${P0}"}))
        return (
            self.condition()
            | {"Type": "AWS::S3::Bucket"}
            | ({"Properties": {"BucketName": name}} if name else {})
        )

    def either(self, one: Json, other: Json) -> Json:
        return {"Fn::If": [self.random.choice(self.conditions), one, other]}

    def target(self) -> Json:
        choices = [{"Ref": "B"}] * 4 + ["bucket-a", {"Fn::Join": ["-", ["bucket", self.parameter()]]}]
        return self.random.choice(choices)

    def statement(self, arn: Json) -> Json:
        objects = {"Fn::Join": ["", [arn, "/*"]]}
        resources = self.random.choice(
            ([arn, objects],) * 5 + ([objects], [self.either(arn, objects), objects])
        )
        made = {
            "Effect": self.random.choice(("Deny",) * 6 + ("Allow",)),
            "Principal": "*",
            "Action": "s3:*",
            "Resource": resources,
            "Condition": {"Bool": {"aws:SecureTransport": self.random.choice(("false",) * 6 + ("true",))}},
        }
        if self.random.random() < 0.15:
            made["Action"] = self.either("s3:*", "s3:Get*")
        if self.random.random() < 0.15:
            keys = self.collection()
            made["Condition"]["Bool"] |= {"Fn::ForEach::Keys": ["K", keys, {"aws:PrincipalTag/${K}": "true"}]}
        return self.either(made, {"Ref": "AWS::NoValue"}) if self.random.random() < 0.25 else made

    def policy(self, target: Json) -> Json:
        arn = (
            {"Fn::GetAtt": ["B", "Arn"]}
            if target == {"Ref": "B"}
            else {"Fn::Join": ["", ["arn:aws:s3:::", target]]}
        )
        statements = [self.statement(arn) for _ in range(self.random.randint(1, 2))]
        document: Json = {"Version": "2012-10-17", "Statement": statements}
        if self.random.random() < 0.15:
            document = self.either(document, {"Version": "2012-10-17", "Statement": []})
        properties = {"Bucket": target, "PolicyDocument": document}
        return self.condition() | {"Type": "AWS::S3::BucketPolicy", "Properties": properties}

    def policies(self, number: int) -> Json:
        policy = self.policy(self.target())
        if self.random.random() < 0.3:
            return {f"Fn::ForEach::Loop{number}": ["X", self.collection(), {f"Policy{number}${{X}}": policy}]}
        return {f"Policy{number}": policy}

    def collection(self) -> Json:
        choices: list[Json] = [["x"], [], ["x", "y"], self.either(["x"], []), self.either(["x"], ["y"])]
        choices += [
            {"Fn::FindInMap": ["M", self.parameter(), "Names"]},
            [self.either("x", {"Ref": "AWS::NoValue"})],
        ]
        if self.has_list:
            choices += [{"Ref": "L"}] * 3
        return self.random.choice(choices)

    def loop_of_buckets(self) -> Json:
        name = self.random.choice((None, {"Fn::Sub": "many-${X}"}, "many-${X}"))
        bucket = {"Type": "AWS::S3::Bucket"} | ({"Properties": {"BucketName": name}} if name else {})
        target = {"Ref": "Many${X}"} if name is None or self.random.random() < 0.5 else name
        arn = {"Fn::GetAtt": ["Many${X}", "Arn"]}
        policy = {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": target, "PolicyDocument": {"Statement": [self.statement(arn)]}},
        }
        outer, inner = self.collection(), self.collection()
        if self.random.random() < 0.5:
            return {"Fn::ForEach::Many": ["X", outer, {"Many${X}": bucket, "Its${X}": policy}]}
        return {
            "Fn::ForEach::Many": ["X", outer, {"Many${X}": bucket}],
            "Fn::ForEach::Its": ["X", inner, {"Its${X}": policy}],
        }

    def nest(self, made: Json) -> None:
        arn = {"Fn::Join": ["", ["arn:aws:s3:::", {"Ref": "Name"}]]}
        objects = {"Fn::Join": ["", [arn, "/*"]]}
        deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, objects]}
        deny["Condition"] = {"Bool": {"aws:SecureTransport": self.random.choice(("false", "false", "true"))}}
        policy = {
            "Type": "AWS::S3::BucketPolicy",
            "Condition": "Wanted",
            "Properties": {"Bucket": {"Ref": "Name"}, "PolicyDocument": {"Statement": [deny]}},
        }
        made["Metadata"] = {
            "Child": {
                "Parameters": {"Name": {"Type": "String"}, "Stage": {"Type": "String", "Default": "a"}},
                "Conditions": {"Wanted": {"Fn::Equals": [{"Ref": "Stage"}, "a"]}},
                "Resources": {"Inner": policy},
            }
        }
        passed = {"Name": {"Ref": "B"}} | ({"Stage": self.parameter()} if self.random.random() < 0.5 else {})
        properties = {"TemplateURL": "https://example.com/child.json", "Parameters": passed}
        made["Resources"]["Nested"] = self.condition() | {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": properties,
        }


class Oracle:
    """Write a template out in one world: `values` has a value for each parameter."""

    def __init__(self, template: Json, values: World, lenient: bool = False) -> None:
        self.template = template
        self.values = values
        self.lenient = lenient
        self.loop: dict[str, str] = {}
        self.resources: dict[str, Json] = {}
        self.write_out(template["Resources"])

    def write_out(self, members: Json) -> None:
        for key, body in members.items():
            if not key.startswith("Fn::ForEach::"):
                name = self.substitute(key)
                self.resources[name] = (body, dict(self.loop))
                continue
            variable, collection, fragment = body
            for value in self.value(collection):
                self.loop[variable] = value
                self.write_out(fragment)
                del self.loop[variable]

    def substitute(self, text: str) -> str:
        for variable, value in self.loop.items():
            text = text.replace("${" + variable + "}", value)
        return text

    def holds(self, condition: Json) -> bool:
        if isinstance(condition, str):
            return self.holds(self.template["Conditions"][condition])
        ((function, argument),) = condition.items()
        if function == "Condition":
            return self.holds(argument)
        if function == "Fn::Not":
            return not self.holds(argument[0])
        if function in ("Fn::And", "Fn::Or"):
            return (all if function == "Fn::And" else any)([self.holds(each) for each in argument])
        assert function == "Fn::Equals"
        return bool(self.value(argument[0]) == self.value(argument[1]))

    def exists(self, logical_id: str) -> bool:
        condition = self.resources[logical_id][0].get("Condition")
        return condition is None or self.holds(condition)

    def name(self, logical_id: str) -> str:
        body, loop = self.resources[logical_id]
        name = body.get("Properties", {}).get("BucketName")
        outer, self.loop = self.loop, loop
        try:
            return f"made-up-{logical_id.lower()}" if name is None else str(self.value(name))
        finally:
            self.loop = outer

    def value(self, value: Json) -> Json:
        if isinstance(value, str):
            return self.substitute(value)
        if isinstance(value, list):
            items = [self.value(item) for item in value]
            return [item for item in items if item is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((key, argument),) = value.items()
            if key == "Ref":
                return self.reference(self.substitute(argument))
            if key == "Fn::GetAtt":
                return f"arn:aws:s3:::{self.reference(self.substitute(argument[0]))}"
            if key == "Fn::If":
                return self.value(argument[1] if self.holds(argument[0]) else argument[2])
            if key == "Fn::Join":
                return argument[0].join(self.value(argument[1]))
            if key == "Fn::Sub":
                text = self.substitute(argument)
                for name, written in self.values.items():
                    text = text.replace("${" + name + "}", written) if isinstance(written, str) else text
                return text
            if key == "Fn::FindInMap":
                row = self.template["Mappings"][argument[0]].get(self.value(argument[1]))
                if row is None:
                    raise Impossible
                return row[argument[2]]
        members: dict[str, Json] = {}
        for key, item in value.items():
            if key.startswith("Fn::ForEach::"):
                variable, collection, fragment = item
                for each in self.value(collection):
                    self.loop[variable] = each
                    members |= self.value(fragment)
                    del self.loop[variable]
            elif (resolved := self.value(item)) is not None:
                members[self.substitute(key)] = resolved
        return members

    def reference(self, name: str) -> Json:
        if name == "AWS::NoValue":
            return None
        if name in self.values:
            return self.values[name]
        if name in self.loop:
            return self.loop[name]
        if name not in self.resources or not self.exists(name):
            raise Impossible
        return self.name(name)

    def policies(self) -> Iterator[tuple[str, Json]]:
        """Return each policy that is deployed: the name of its bucket, and its document."""
        for logical_id, (body, loop) in self.resources.items():
            if not self.exists(logical_id):
                continue
            properties = body.get("Properties", {})
            self.loop = loop
            if body["Type"] == "AWS::S3::BucketPolicy":
                try:
                    yield self.value(properties["Bucket"]), self.value(properties["PolicyDocument"])
                except Impossible:
                    # The library does not ask whether a policy for another bucket can be deployed.
                    if not self.lenient:
                        raise
            elif body["Type"] == "AWS::CloudFormation::Stack":
                child = self.template["Metadata"]["Child"]
                passed = {"Stage": "a"} | self.value(properties["Parameters"])
                yield from Oracle(child, passed).policies()
            self.loop = {}

    def verdicts(self) -> dict[str, str]:
        """Return the verdict on each bucket that is deployed."""
        applied = list(self.policies())
        buckets = [
            logical_id
            for logical_id, (body, _) in self.resources.items()
            if body["Type"] == "AWS::S3::Bucket" and self.exists(logical_id)
        ]
        names = {logical_id: self.name(logical_id) for logical_id in buckets}
        if len(set(names.values())) < len(names):
            raise Impossible
        return {
            logical_id: judge(name, [document for owner, document in applied if owner == name])
            for logical_id, name in names.items()
        }


def judge(name: str, documents: list[Json]) -> str:
    """Return the verdict on a bucket with these policies, of which any may be the one that counts."""
    found = [
        prove_denies_http(document, bucket_arn=f"arn:aws:s3:::{name}") for document in documents or [None]
    ]
    if any(isinstance(verdict, Refuted) for verdict in found):
        return "refuted"
    return "proven" if all(isinstance(verdict, Proven) for verdict in found) else "undecided"


def expected(template: Json, lenient: bool) -> dict[str, set[str]]:
    """Return what comes out for each bucket in any world."""
    names, choices = [], []
    for name, parameter in template["Parameters"].items():
        names.append(name)
        choices.append(LISTS if name == "L" else parameter.get("AllowedValues", VALUES))
    found: dict[str, set[str]] = {}
    for values in itertools.product(*choices):
        try:
            verdicts = Oracle(template, dict(zip(names, values, strict=True)), lenient).verdicts()
        except Impossible:
            continue
        for logical_id, verdict in verdicts.items():
            found.setdefault(logical_id, set()).add(verdict)
    return found


def differences(template: Json) -> Iterator[str]:
    """Return where the library says something else than the oracle; *undecided* differs from nothing."""
    child = template.get("Metadata", {}).get("Child")
    texts = {"main.json": template} | ({"child.json": child} if child else {})
    report = check_templates([parse_document(json.dumps(each), name) for name, each in texts.items()])
    worlds, more_worlds = expected(template, False), expected(template, True)
    for bucket in report.buckets:
        shown = str(bucket.subject.logical_id)
        beginning = shown.partition("<")[0]
        ids = [each for each in more_worlds if each == shown or ("<" in shown and each.startswith(beginning))]
        outcomes = set[str]().union(*(worlds.get(each, set()) for each in ids))
        if isinstance(bucket.verdict, Proven) and outcomes - {"proven"}:
            yield f"{shown} is proven, and {outcomes}"
        outcomes = set[str]().union(*(more_worlds[each] for each in ids))
        if isinstance(bucket.verdict, Refuted) and outcomes and "refuted" not in outcomes:
            yield f"{shown} is refuted, and {outcomes}"
    for _, shown, _ in report.never_created:
        if shown in worlds:
            yield f"{shown} is never created, and {worlds[shown]}"


def main() -> int:
    """Run for as long as told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    end, seed, wrong = time.monotonic() + arguments.seconds, arguments.seed, 0
    while time.monotonic() < end:
        template = Maker(seed).template()
        for difference in differences(template):
            wrong += 1
            print(f"seed {seed}: {difference}\n{json.dumps(template)}", flush=True)
        seed += 1
    print(f"{seed - arguments.seed} templates, {wrong} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
