"""Describe what a template declares: buckets, policies, and resources that may hold or hide some."""

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
    """A resource that is like a bucket, but not asked about, and why."""

    stack: Stack
    resource: Resource
    why: str


class Receiver(Struct, frozen=True, eq=False):
    """What may hold bucket policies and is not read with its stack, such as a nested stack.

    Args:
        stack: The stack that it stands in.
        resource: The resource.
        path: Where it is written.
        why: What may come out of it, as the beginning of a clause.
        gets_all: Whether it may hold a policy for each bucket of its stack, without getting its name.
    """

    stack: Stack
    resource: Resource
    path: Path
    why: str
    gets_all: bool = False


class Unread(Struct, frozen=True):
    """A template, or a part of one, that nobody could read, so that it may hold buckets.

    Args:
        stack: The stack that deploys it, or that it is a part of.
        logical_id: The logical id of the resource that deploys it; otherwise the key that hides it.
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
        """The path of its construct, or of its stack; `""` when nothing tells."""
        resource = self.stack.resources.get(self.logical_id)
        if resource is None:
            return self.stack.own_path
        return self.stack.construct_path(resource)
