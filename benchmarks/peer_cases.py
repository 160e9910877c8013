"""Policies that look right and are not, and policies that look odd and are right: the truth about each.

Each is a template with one bucket. The truth is what AWS documents about its policies, not what any tool
says; `peers.py` stops if ours says anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BUCKET = {"Fn::GetAtt": ["Reports", "Arn"]}
OBJECTS = {"Fn::Join": ["", [BUCKET, "/*"]]}
BOTH = [BUCKET, OBJECTS]
PLAIN = {"Bool": {"aws:SecureTransport": "false"}}


@dataclass(frozen=True)
class Case:
    """A template, and whether its bucket denies every request over plain HTTP.

    Args:
        name: What is special about it.
        denies: The truth.
        why: The truth in one sentence.
        statements: The statements of the policy; `None` for no policy.
        more: What else is in the template.
    """

    name: str
    denies: bool
    why: str
    statements: object = None
    more: Mapping[str, Any] | None = None

    @property
    def template(self) -> dict[str, Any]:
        """The template."""
        # The rest of the bucket is as the other rules of the peers want it.
        bucket = {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [
                        {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                    ]
                },
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": True,
                },
                "VersioningConfiguration": {"Status": "Enabled"},
            },
        }
        resources: dict[str, Any] = {"Reports": bucket}
        if self.statements is not None:
            resources["Policy"] = policy(self.statements)
        return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources, **(self.more or {})}


def policy(statements: object) -> dict[str, Any]:
    """Return a bucket policy."""
    return {
        "Type": "AWS::S3::BucketPolicy",
        "Properties": {
            "Bucket": {"Ref": "Reports"},
            "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
        },
    }


def deny(resource: object = BOTH, condition: object = PLAIN, **changed: object) -> dict[str, Any]:
    """Return the statement that AWS documents, with what differs; `None` takes a member out."""
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resource}
    whole = {**statement, "Condition": condition, **changed}
    return {name: value for name, value in whole.items() if value is not None}


READ_ROLE = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:role/reader"},
    "Action": "s3:GetObject",
    "Resource": OBJECTS,
}
OTHER = "arn:aws:s3:::another-bucket"

CASES = (
    Case("no policy", False, "nothing denies anything"),
    Case("the form that AWS documents", True, "the deny", [deny()]),
    Case(
        "the same, with `Fn::Sub`",
        True,
        "another spelling",
        [deny([BUCKET, {"Fn::Sub": "${Reports.Arn}/*"}])],
    ),
    Case(
        "the same, in other letters",
        True,
        "the names of keys and actions have no case, and `Bool` takes a Boolean",
        [deny(condition={"Bool": {"AWS:securetransport": False}}, Action=["S3:*"], Principal={"AWS": ["*"]})],
    ),
    Case("a single statement, not a list", True, "the grammar allows both", deny()),
    Case(
        "`BoolIfExists`",
        True,
        "the key is in every request, so that it makes no difference",
        [deny(condition={"BoolIfExists": {"aws:SecureTransport": "false"}})],
    ),
    Case(
        "bucket and objects in two statements",
        True,
        "together they cover both",
        [deny(BUCKET), deny(OBJECTS)],
    ),
    Case(
        "`NotAction`, and the rest",
        True,
        "the two cover each action",
        [deny(NotAction="s3:GetObject", Action=None), deny(OBJECTS, Action="s3:GetObject")],
    ),
    Case(
        "a second condition, and its opposite",
        True,
        "the two conditions are each other's opposite",
        [
            deny(condition={**PLAIN, "StringEquals": {"aws:SourceVpc": "vpc-1"}}),
            deny(condition={**PLAIN, "StringNotEquals": {"aws:SourceVpc": "vpc-1"}}),
        ],
    ),
    Case("objects only", False, "the bucket can be listed", [deny(OBJECTS)]),
    Case("the bucket only", False, "objects can be read", [deny(BUCKET)]),
    Case(
        "the ARNs of another bucket",
        False,
        "S3 refuses it, so that the bucket has none",
        [deny([OTHER, f"{OTHER}/*"])],
    ),
    Case(
        "narrowed by a second condition",
        False,
        "from `vpc-1` it does not apply",
        [deny(condition={**PLAIN, "StringNotEquals": {"aws:SourceVpc": "vpc-1"}})],
    ),
    Case(
        "an `Allow` for HTTPS",
        False,
        "it denies nothing",
        [deny(condition={"Bool": {"aws:SecureTransport": "true"}}, Effect="Allow")],
    ),
    Case(
        "`true` for `false`",
        False,
        "it denies HTTPS",
        [deny(condition={"Bool": {"aws:SecureTransport": "true"}})],
    ),
    Case(
        "a misspelt key",
        False,
        "no request has this key",
        [deny(condition={"Bool": {"aws:SecureTransports": "false"}})],
    ),
    Case("writing only", False, "reading is open", [deny(Action="s3:PutObject")]),
    Case(
        "one account only",
        False,
        "others may ask",
        [deny(Principal={"AWS": "arn:aws:iam::111122223333:root"})],
    ),
    Case(
        "old TLS only",
        False,
        "plain HTTP has no TLS version",
        [deny(condition={"NumericLessThan": {"s3:TlsVersion": "1.2"}})],
    ),
    Case("a permission, and no deny", False, "whoever has it may use HTTP", [READ_ROLE]),
    Case(
        "the deny behind `Fn::If`",
        False,
        "in a test stage it is not there",
        [READ_ROLE, {"Fn::If": ["IsProduction", deny(), {"Ref": "AWS::NoValue"}]}],
        {
            "Parameters": {"Stage": {"Type": "String", "AllowedValues": ["test", "production"]}},
            "Conditions": {"IsProduction": {"Fn::Equals": [{"Ref": "Stage"}, "production"]}},
        },
    ),
)


@dataclass(frozen=True)
class App:
    """A bucket in an app of the CDK, and whether it denies every request over plain HTTP.

    Args:
        name: What is special about it.
        denies: The truth.
        code: The program, without the gate.
    """

    name: str
    denies: bool
    code: str


APPS = (
    App(
        "a bucket in a stack, in order", True, 's3.Bucket(cdk.Stack(app, "Top"), "Reports", enforce_ssl=True)'
    ),
    App("a bucket in a stack", False, 's3.Bucket(cdk.Stack(app, "Top"), "Reports")'),
    App(
        "a bucket in a nested stack",
        False,
        's3.Bucket(cdk.NestedStack(cdk.Stack(app, "Top"), "Nested"), "Reports")',
    ),
    App(
        "a bucket in a `Stage`",
        False,
        's3.Bucket(cdk.Stack(cdk.Stage(app, "Production"), "Data"), "Reports")',
    ),
    App(
        "`enforce_ssl`, and an override that turns the deny off",
        False,
        'bucket = s3.Bucket(cdk.Stack(app, "Top"), "Reports", enforce_ssl=True)\n'
        "policy = bucket.policy.node.default_child\n"
        'policy.add_property_override("PolicyDocument.Statement.0.Effect", "Allow")',
    ),
)
