"""Define the form of a verdict in reports for programs."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta, Struct

from secure_bucket.formats.form import Natural, PlaceForm
from secure_bucket.policy.request import Request

__all__ = ["ProvenForm", "ReasonForm", "RefutedForm", "UndecidedForm", "VerdictForm"]


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
