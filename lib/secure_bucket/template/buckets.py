"""Describe the buckets and policies of a template, and resources that may contain or hide some."""

from __future__ import annotations

from msgspec import Struct

from secure_bucket.template.resource_types import kind_of
from secure_bucket.template.stack import Path, Resource, Stack
from secure_bucket.values.unknown import Unknown

__all__ = ["Bucket", "BucketPolicy", "NotApplicable", "Receiver", "Unread"]


class Bucket(Struct, frozen=True, eq=False):
    """An `AWS::S3::Bucket` of a stack."""

    stack: Stack
    resource: Resource


class BucketPolicy(Struct, frozen=True, eq=False):
    """An `AWS::S3::BucketPolicy` of a stack."""

    stack: Stack
    resource: Resource


class NotApplicable(Struct, frozen=True):
    """A resource that is like a bucket, but out of scope, with the reason."""

    stack: Stack
    resource: Resource
    why: str


class Receiver(Struct, frozen=True, eq=False):
    """A resource that may contain bucket policies but is not read with its stack, such as a nested stack.

    Args:
        stack: Its stack.
        resource: The resource.
        path: Where it is written.
        why: What it may create, as the beginning of a clause.
        gets_all: Whether it may contain a policy for any bucket of its stack, without getting the name.
    """

    stack: Stack
    resource: Resource
    path: Path
    why: str
    gets_all: bool = False


class Unread(Struct, frozen=True):
    """An unread template, or part of one, that may contain buckets.

    Args:
        stack: The stack that deploys or contains it.
        logical_id: The logical id of the resource that deploys it, or else the key that hides it.
        what: What it is, with its article.
        why: Why it was not read, and where it is written.
    """

    stack: Stack
    logical_id: str
    what: str
    why: Unknown

    @property
    def is_elsewhere(self) -> bool:
        """Whether a resource deploys it from somewhere else."""
        resource = self.stack.resources.get(self.logical_id)
        return resource is not None and kind_of(resource.type) != ""

    @property
    def construct_path(self) -> str:
        """The path of its construct, or of its stack; `""` without that metadata."""
        resource = self.stack.resources.get(self.logical_id)
        if resource is None:
            return self.stack.own_path
        return self.stack.construct_path(resource)
