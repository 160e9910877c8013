"""List the resource types that matter: buckets, their policies, and resources that deploy a template."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = [
    "NESTED_STACK",
    "PRODUCT",
    "PROJECT",
    "PROVISIONED_PRODUCT",
    "PUBLISHED_APPLICATION",
    "kind_of",
    "matters",
    "most_important",
]

NESTED_STACK = "AWS::CloudFormation::Stack"
PRODUCT = "AWS::ServiceCatalog::CloudFormationProduct"
PROVISIONED_PRODUCT = "AWS::ServiceCatalog::CloudFormationProvisionedProduct"
PROJECT = "AWS::SageMaker::Project"
PUBLISHED_APPLICATION = "AWS::ServerlessRepo::Application"

_BUCKETS_AND_POLICIES = ("AWS::S3::Bucket", "AWS::S3::BucketPolicy")
_KINDS = {
    NESTED_STACK: "nested stack",
    "AWS::CloudFormation::StackSet": "stack set",
    "AWS::Serverless::Application": "nested application",
    PRODUCT: "product",
    PROVISIONED_PRODUCT: "provisioned product",
    # The types of aws-cdk-lib 2.275.0 with a property for a template, except conformance packs of AWS Config
    # and templates of AWS IoT, which contain no buckets.
    "AWS::CloudFormation::ChangeSet": "change set",
    PUBLISHED_APPLICATION: "published application",
    PROJECT: "project",
    # Their templates are in a repository, from which CloudFormation deploys a stack at each push.
    "AWS::CodeConnections::SyncConfiguration": "synchronized stack",
    "AWS::CodeStarConnections::SyncConfiguration": "synchronized stack",
}
# A private type can do anything: only its name can show that it is about buckets.
_PRIVATE_BUCKET = re.compile(r"(?!AWS::|Custom::|Alexa::)\w+::[\w:]*(?:[Bb]ucket|BUCKET)[\w:]*")


def kind_of(resource_type: str) -> str:
    """Return the name in messages of a resource that deploys a template; `""` for other types."""
    if resource_type.endswith("::MODULE"):
        return "module"
    return "private type" if _PRIVATE_BUCKET.fullmatch(resource_type) else _KINDS.get(resource_type, "")


def matters(resource_type: str) -> bool:
    """Tell whether a type is a bucket, a bucket policy, or deploys a template."""
    return resource_type in _BUCKETS_AND_POLICIES or kind_of(resource_type) != ""


def most_important(types: Sequence[str]) -> str:
    """Return the most important of several possible types: a bucket before the others."""
    for wanted in _BUCKETS_AND_POLICIES:
        if wanted in types:
            return wanted
    return next(filter(matters, types), types[-1])
