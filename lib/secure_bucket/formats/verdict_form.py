"""Define the forms of a subject and of a verdict in reports for programs."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from secure_bucket.findings.subject import Declared, Running, Subject
from secure_bucket.formats.form import Natural, PlaceForm
from secure_bucket.policy.request import Request

__all__ = ["AboutForm", "ProvenForm", "ReasonForm", "RefutedForm", "UndecidedForm", "VerdictForm"]


class AboutForm(Struct, frozen=True, kw_only=True):
    """The subject of a statement: a resource of a template, or a live bucket.

    Args:
        logical_id: The logical id of the bucket, or of the policy; null for a running bucket.
        construct_path: The path of its CDK construct; null when the template does not tell.
        template: The file of its template; empty for a running bucket.
        stack: The name of the stack that it is deployed in; null when no cloud assembly tells.
        arn: The ARN of a running bucket; null for a template.
        account: The account of a running bucket; null for a template.
        region: The region of a running bucket; null when it is not known.
        as_of: When what is known of a running bucket was read or recorded, in UTC; null when it was read
            just then.
        name: The name that the template fixes for it, or that of a running bucket; null when CloudFormation
            makes it up, or it depends on a parameter.
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
        why: Which statement came closest, and why it does not apply.
        at: Where that statement is written.
        statement: The index of that statement; null without a statement.
    """

    request: Request
    why: str
    at: PlaceForm
    statement: Natural | None


class ReasonForm(Struct, frozen=True):
    """Something that is not known.

    Args:
        reason: What is not known.
        at: Where it is written.
    """

    reason: str
    at: PlaceForm


class UndecidedForm(Struct, frozen=True, tag_field="outcome", tag="undecided"):
    """Something that is needed is not known.

    Args:
        reasons: What is not known, and where.
    """

    reasons: Annotated[tuple[ReasonForm, ...], Meta(min_length=1)]


VerdictForm: TypeAlias = ProvenForm | RefutedForm | UndecidedForm
