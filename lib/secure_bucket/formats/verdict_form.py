"""Define the forms of a subject and of a verdict in JSON reports."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from secure_bucket.findings.subject import Declared, Running, Subject
from secure_bucket.formats.form import Natural, PlaceForm
from secure_bucket.policy.request import Request

__all__ = ["AboutForm", "ProvenForm", "ReasonForm", "RefutedForm", "UndecidedForm", "VerdictForm"]


class AboutForm(Struct, frozen=True, kw_only=True):
    """A subject: a resource of a template, or a live bucket.

    Args:
        logical_id: The logical id of the bucket or the policy; null for a live bucket.
        construct_path: The construct path; null if it is unknown.
        template: The file of the template; empty for a live bucket.
        stack: The name of its stack; null if it is unknown.
        arn: The ARN of a live bucket; null for a template.
        account: The account of a live bucket; null for a template.
        region: The region of a live bucket; null if it is unknown.
        as_of: The time of the data about a live bucket, in UTC; null if the run itself read the data.
        name: The name of the bucket; null if CloudFormation generates it, or it depends on a parameter.
    """

    logical_id: str | None
    construct_path: str | None
    template: str
    stack: str | None = None
    arn: str | None = None
    account: str | None = None
    region: str | None = None
    as_of: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")] | None = None
    name: str | None = None

    def subject(self) -> Subject:
        """Return the subject."""
        kind = Declared if self.arn is None and (self.logical_id or self.construct_path) else Running
        return kind(**{field: getattr(self, field) or "" for field in kind.__struct_fields__})


class ProvenForm(Struct, frozen=True, tag_field="outcome", tag="proven"):
    """Every request over plain HTTP is denied.

    Args:
        statements: The indices of the Deny statements that the proof needs.
    """

    statements: tuple[Natural, ...]


class RefutedForm(Struct, frozen=True, tag_field="outcome", tag="refuted"):
    """A request over plain HTTP gets through.

    Args:
        request: The request.
        why: The closest statement, and why it does not apply.
        at: The place of that statement.
        statement: The index of that statement; null without a statement.
    """

    request: Request
    why: str
    at: PlaceForm
    statement: Natural | None


class ReasonForm(Struct, frozen=True):
    """Something unknown.

    Args:
        reason: The unknown thing.
        at: Its place.
    """

    reason: str
    at: PlaceForm


class UndecidedForm(Struct, frozen=True, tag_field="outcome", tag="undecided"):
    """The verdict depends on something unknown.

    Args:
        reasons: The unknown things.
    """

    reasons: Annotated[tuple[ReasonForm, ...], Meta(min_length=1)]


VerdictForm: TypeAlias = ProvenForm | RefutedForm | UndecidedForm
