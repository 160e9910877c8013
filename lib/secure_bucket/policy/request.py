"""Represent a request to S3, as a policy sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

__all__ = ["ANONYMOUS", "Request"]

ANONYMOUS = "anonymous"


class Request(Struct, frozen=True):
    """A request with everything that a policy can test.

    Args:
        principal: `"anonymous"`, an ARN, or the name of an AWS service (`cloudtrail.amazonaws.com`).
        action: The action, such as `s3:GetObject`.
        resource: The ARN of the bucket, or of the object as `<bucket ARN>/<key>`.
        context: The condition keys of the request, by full name, each with a string, or a list of strings for
            a multivalued key. All other keys are absent.
    """

    principal: str
    action: str
    resource: str
    context: Mapping[str, str | Sequence[str]]

    def __hash__(self) -> int:
        return hash((self.principal, self.action, self.resource))
