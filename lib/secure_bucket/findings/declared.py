"""Describe the judgement on a bucket that a template declares."""

from __future__ import annotations

from msgspec import Struct

from secure_bucket.findings.combine import ClaimOutcome
from secure_bucket.findings.subject import Declared
from secure_bucket.template.buckets import BucketPolicy
from secure_bucket.template.distributions import PlainViewers
from secure_bucket.template.stack import Resource, Stack, pointer_of
from secure_bucket.values.unknown import Place

__all__ = ["DeclaredJudgement"]


class DeclaredJudgement(Struct, frozen=True):
    """A bucket, or a policy for a bucket elsewhere, with all that the rules need.

    Args:
        stack: The stack it belongs to.
        resource: The bucket, or the policy.
        http: The answer to *is every request over plain HTTP denied?*
        tls: The answer to *is every request below the minimum TLS version denied?*; `None` if not asked.
        minimum_tls_version: The minimum TLS version.
        policies: All the policies of the bucket.
        several: Policies that apply at the same time; empty if at most one does.
        website: Whether the bucket can be a website.
        foreign: Whether it is a policy for a bucket that no template here declares.
        name: The name of the bucket, if the template fixes it; `""` otherwise.
        never_created: Whether no deployment creates the bucket.
        viewers: The CloudFront distributions that request its objects over plain HTTP.
        together_with: The other stacks that hold its policies.
    """

    stack: Stack
    resource: Resource
    http: ClaimOutcome
    tls: ClaimOutcome | None = None
    minimum_tls_version: float | None = None
    policies: tuple[BucketPolicy, ...] = ()
    several: tuple[BucketPolicy, ...] = ()
    website: bool = False
    foreign: bool = False
    name: str = ""
    never_created: bool = False
    viewers: tuple[PlainViewers, ...] = ()
    together_with: tuple[str, ...] = ()

    @property
    def at(self) -> Place:
        """Where it is written."""
        return self.place(self.resource, self.stack)

    @property
    def subject(self) -> Declared:
        """The resource that it is about."""
        return Declared(
            self.resource.logical_id,
            self.stack.document.file,
            self.stack.construct_path(self.resource),
            self.name,
            self.stack.stack_name,
        )

    def place(self, resource: Resource, stack: Stack) -> Place:
        """Return where a resource is written."""
        return stack.document.place(pointer_of(resource.path))
