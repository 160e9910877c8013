# ruff: noqa: E501
"""Describe a condition key: its type, the form of its values, and which requests have it."""

from __future__ import annotations

import enum
from typing import Final

from msgspec import Struct

from secure_bucket.policy.pattern import fold
from secure_bucket.policy.principal import Kind

__all__ = ["GLOBAL_KEYS", "READ", "S3_KEYS", "ConditionKey", "Form", "Presence", "Type"]

READ: Final = "2026-11"
"""The month in which the documents were read."""

GLOBAL_KEYS: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"
"""The page *AWS global condition context keys*, which has a section for each key."""

S3_KEYS: Final = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-policy-keys"
"""The table *Condition keys for Amazon S3* of the Service Authorization Reference."""

_SECTIONS: Final = {
    "aws:Ec2InstanceSourcePrivateIPv4": "ec2instancesourceprivateip4",
    "aws:CalledViaAWSMCP": "calledviaawasmcp",
    "ec2:RoleDelivery": "ec2-role-delivery",
    "ec2:SourceInstanceArn": "ec2-source-instance-arn",
    "glue:RoleAssumedBy": "glue-role-assumed-by",
    "glue:CredentialIssuingService": "glue-credential-issuing",
    "codebuild:BuildArn": "codebuild-build-arn",
    "codebuild:ProjectArn": "codebuild-project-arn",
    "lambda:SourceFunctionArn": "lambda-source-function-arn",
    "ssm:SourceInstanceArn": "ssm-source-instance-arn",
    "identitystore:UserId": "identity-store-user-id",
}
"""The section of `GLOBAL_KEYS` about a key; for all others it is the name in lower case."""


class Type(enum.Enum):
    """The type of a key's values, which decides which operators AWS documents for it."""

    STRING = "String"
    ARN = "ARN"
    BOOLEAN = "Boolean"
    WHOLE = "whole number"
    VERSION = "version number"
    DATE = "date"
    TIME = "date or epoch time"
    ADDRESS = "IP address"

    @property
    def families(self) -> tuple[str, ...]:
        """The families of operators that AWS documents for it."""
        return _FAMILIES[self]


_FAMILIES: Final = {
    Type.STRING: ("string",),
    Type.ARN: ("arn", "string"),
    Type.BOOLEAN: ("bool",),
    Type.WHOLE: ("numeric",),
    Type.VERSION: ("numeric",),
    Type.DATE: ("date",),
    Type.TIME: ("date", "numeric"),
    Type.ADDRESS: ("address",),
}


class Form(enum.Enum):
    """How the text of a value is written."""

    ANY = "any text"
    TAG = "the value of a tag, which may be empty"
    ACCOUNT = "an account id of 12 digits"
    ARN = "an ARN"
    ORGANIZATION = "an organization id, which begins with `o-`"
    ORGANIZATION_PATH = "the path of an account: `o-…/r-…/`, then `ou-…/` for each unit"
    VPC = "an id that begins with `vpc-`"
    ENDPOINT = "an id that begins with `vpce-`"
    UNIQUE_ID = "`AIDA…` of a user, `AROA…:<session>` of a role, `anonymous`"
    SERVICE = "the name of a service, which ends with `.amazonaws.com`"


class Presence(enum.Enum):
    """Which requests have a key."""

    ALWAYS = "every request"
    PRINCIPAL = "every signed request"
    CARRIED = "some requests of the principals named"
    SERVICE = "every request of a service, and no other"
    NETWORK = "every request that does not use a VPC endpoint"
    ENDPOINT = "requests through a VPC endpoint"
    TLS = "requests over TLS"
    REQUEST = "some requests"
    ACTION = "some requests of the actions for which the reference lists it"
    HTTPS = "some requests over HTTPS, and none over plain HTTP"
    ELSEWHERE = "requests to other services than S3"


class ConditionKey(Struct, frozen=True):
    """What AWS documents about a condition key.

    Args:
        name: The key as AWS writes it; `<key>` stands for the key of a tag.
        type: The type of its values.
        presence: Which requests have it.
        form: How a value is written.
        example: A value that a reader understands.
        values: All values, where AWS lists them.
        kinds: The principals whose requests may have it; empty for everyone.
        multivalued: Whether it may have several values at once.
        document: The address of the document that says so; `""` for the page that lists every key of its kind.
        read: The month in which the document was read.
    """

    name: str
    type: Type
    presence: Presence
    form: Form = Form.ANY
    example: str = "example"
    values: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    multivalued: bool = False
    document: str = ""
    read: str = READ

    @property
    def is_listed(self) -> bool:
        """Whether the Service Authorization Reference lists it for the actions that can have it."""
        return self.presence in (Presence.ACTION, Presence.HTTPS)

    @property
    def source(self) -> str:
        """The address of what AWS says about it."""
        prefix, _, name = self.name.partition(":")
        if self.document or prefix == "s3":
            return self.document or S3_KEYS
        section = _SECTIONS.get(self.name, fold(name).partition("/")[0])
        return f"{GLOBAL_KEYS}#condition-keys-{section}"
