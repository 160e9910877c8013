"""Templates without an app, for `secure-bucket check`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.synth.situations.situation import PLAIN, URL, document
from tests.synth.situations.unread import REFUSED

__all__ = ["FILES", "FileSituation"]


@dataclass(frozen=True)
class FileSituation:
    """One run of `check` on a directory, with the exit code that it has to have.

    Args:
        title: The situation, as the documentation says it.
        code: The exit code.
        files: The templates, by name.
        arguments: The arguments of `check` (default: the directory).
        settings: The settings file.
        named: What `check` has to print.
    """

    title: str
    code: int
    files: dict[str, Any] = field(default_factory=dict)
    arguments: tuple[str, ...] = (".",)
    settings: str = ""
    named: tuple[str, ...] = ()


def deny_for(name: object) -> dict[str, Any]:
    arn = {"Fn::Join": ["", ["arn:aws:s3:::", name]]}
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, {"Fn::Join": ["", [arn, "/*"]]}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def policy_for(name: object, *statements: object) -> dict[str, Any]:
    written = document(*(statements or (deny_for(name),)))
    return {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": name, "PolicyDocument": written}}


def parent(passed: object, *, condition: bool = False) -> dict[str, Any]:
    properties = {"TemplateURL": "https://a.s3.amazonaws.com/v1/child.json", "Parameters": {"Name": passed}}
    nested: dict[str, Any] = {"Type": "AWS::CloudFormation::Stack", "Properties": properties}
    if condition:
        nested["Condition"] = "Here"
    here = {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}
    return {
        "Conditions": {"Here": here},
        "Resources": {"Reports": {"Type": "AWS::S3::Bucket"}, "Nested": nested},
    }


CHILD = {"Parameters": {"Name": {"Type": "String"}}, "Resources": {"Policy": policy_for({"Ref": "Name"})}}
MANIFEST = {
    "version": "36.0.0",
    "artifacts": {},
    "missing": [{"key": "ami:1", "provider": "ami", "props": {}}],
}
REASON = "the network team checks it"


def excepted(**exception: str) -> dict[str, Any]:
    metadata = {"SecureBucket": {"Exceptions": [exception]}}
    return {"Resources": {"Plain": {"Type": "AWS::S3::Bucket", "Metadata": metadata}}}


def pattern(file: str) -> str:
    return f'[[exceptions]]\npath = "{file}"\nlogical-id = "*"\nrule = "SB010"\nreason = "{REASON}"\n'


REF, NAMED = {"Ref": "Reports"}, {"Fn::GetAtt": ["Reports", "DomainName"]}
UNREAD = {"Resources": {"Nested": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": URL}}}}
WEBSITE = {"Type": "AWS::S3::Bucket", "Properties": {"WebsiteConfiguration": {"IndexDocument": "index.html"}}}
RETAINED = {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"}

FILES = [
    FileSituation(
        "nested stack, not at hand, that gets the `Ref` of a bucket",
        3,
        {"main.json": parent(REF)},
        named=("bucket `Reports`", "SB002", "SB010"),
    ),
    FileSituation(
        "the same with the domain name, or in a text",
        3,
        {"main.json": parent(NAMED)},
        named=("bucket `Reports`",),
    ),
    FileSituation(
        "the same, and the bucket has the deny in the parent",
        3,
        {"main.json": {"Resources": {**parent(REF)["Resources"], "Policy": policy_for(REF)}}},
        named=("bucket `Reports`",),
    ),
    FileSituation(
        "nested stack in the same run with the deny, by the end of its `TemplateURL`",
        0,
        {"main.json": parent(REF), "child.json": CHILD},
    ),
    FileSituation(
        "the same under a condition", 1, {"main.json": parent(REF, condition=True), "child.json": CHILD}
    ),
    FileSituation(
        "the same, and the nested template cannot be read",
        2,
        {"main.json": parent(REF), "child.json": '{"AWS'},
    ),
    FileSituation(
        "policy for `!Ref Parameter` and a plain bucket in another template, named in both findings",
        1,
        {"main.json": {"Resources": {"Reports": {"Type": "AWS::S3::Bucket"}}}, "policy.json": CHILD},
        named=("bucket `Reports`", "policy `Policy`"),
    ),
    FileSituation("unread template", 3, {"main.json": UNREAD}, named=("0 buckets", "`Nested`")),
    FileSituation(
        "the same with `--undecided warn`",
        0,
        {"main.json": UNREAD},
        (".", "--undecided", "warn"),
        named=("SB010",),
    ),
    FileSituation(
        "the same with a pattern in the settings", 0, {"main.json": UNREAD}, settings=pattern("*.json")
    ),
    FileSituation(
        "a pattern in the settings for other templates", 3, {"main.json": UNREAD}, settings=pattern("other/*")
    ),
    *(
        FileSituation(
            f"template that is refused: {name}",
            2,
            {"main.json": body, "good.json": {"Resources": {}}},
            named=("main.json",),
        )
        for name, body in REFUSED.items()
    ),
    FileSituation(
        "assembly whose manifest has `missing` context", 2, {"manifest.json": MANIFEST}, named=("ami:1",)
    ),
    FileSituation("exception with an empty reason", 1, {"main.json": excepted(Rule="SB001", Reason="")}),
    FileSituation(
        "exception until a day that is not understood",
        1,
        {"main.json": excepted(Rule="SB001", Reason="old scanner, till 31.12.2027")},
        named=("SB009",),
    ),
    FileSituation("exception with a reason", 0, {"main.json": excepted(Rule="SB001", Reason=REASON)}),
    FileSituation("website bucket", 1, {"main.json": {"Resources": {"Site": WEBSITE}}}, named=("website",)),
    FileSituation(
        "deny that is not retained with its bucket, with `--strict`",
        0,
        {"main.json": {"Resources": {"Reports": RETAINED, "Policy": policy_for(REF)}}},
        (".", "--strict"),
        named=("SB011",),
    ),
    FileSituation("directory without a template", 2, {"notes.txt": "nothing"}),
    FileSituation("plain bucket", 1, {"main.json": PLAIN}, named=("over plain HTTP",)),
]
"""All of them."""


def text_of(content: object) -> str:
    return content if isinstance(content, str) else json.dumps(content)
