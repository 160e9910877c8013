"""A request to S3, as a policy sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

__all__ = ["ANONYMOUS", "Request"]

ANONYMOUS = "anonymous"


class Request(Struct, frozen=True):
    """One request with everything a policy can ask about it.

    Args:
        principal: `"anonymous"`, an ARN, or the name of an AWS service (`cloudtrail.amazonaws.com`).
        action: The action, as `s3:GetObject`.
        resource: The ARN of the bucket, or of the object as `<bucket ARN>/<key>`.
        context: The condition keys that are present, by full name, with their value: a string, or a
            list of strings for a multivalued key. A key that is not here is absent from the request.
    """

    principal: str
    action: str
    resource: str
    context: Mapping[str, str | Sequence[str]]

    def __hash__(self) -> int:
        return hash((self.principal, self.action, self.resource))
