"""Decide when a condition key is present in a kind of request, from the table of keys."""

from __future__ import annotations

import enum

from secure_bucket.policy.condition_key import ConditionKey, Presence
from secure_bucket.policy.condition_keys import key_of
from secure_bucket.policy.principal import Kind
from secure_bucket.values.never import assert_never

__all__ = ["Availability", "Certainty", "is_always_present", "presence_of"]


class Certainty(enum.Enum):
    """Whether a case occurs: AWS documents yes, no, or neither."""

    YES = enum.auto()
    NO = enum.auto()
    DOUBTFUL = enum.auto()


class Availability(enum.Enum):
    """Whether a key may be absent, and whether it may be present."""

    ALWAYS = (Certainty.NO, Certainty.YES)
    NEVER = (Certainty.YES, Certainty.NO)
    FREE = (Certainty.YES, Certainty.YES)
    ABSENT_RATHER = (Certainty.YES, Certainty.DOUBTFUL)
    PRESENT_RATHER = (Certainty.DOUBTFUL, Certainty.YES)
    PRESENT_SOMEHOW = (Certainty.NO, Certainty.DOUBTFUL)

    @property
    def absent(self) -> Certainty:
        """Whether the key may be absent."""
        return self.value[0]

    @property
    def present(self) -> Certainty:
        """Whether the key may be present."""
        return self.value[1]


def presence_of(name: str, kind: Kind, *, through_endpoint: bool, tls_absent: bool) -> Availability:
    """Return when a key is present.

    Args:
        name: The key.
        kind: The kind of principal that sends the request.
        through_endpoint: Whether it comes through a VPC endpoint.
        tls_absent: Whether `s3:TlsVersion` may be absent: the request comes over plain HTTP.
    """
    key = key_of(name)
    if key is None:
        # A proof must hold if the key is present, and no refutation depends on it.
        return Availability.ABSENT_RATHER
    match key.presence:
        case Presence.ALWAYS if key.kinds and kind not in key.kinds:
            # *AWS global condition context keys*, read 2026-11, has it in all requests, and does not list its
            # values for AWS services.
            return Availability.PRESENT_SOMEHOW
        case Presence.ALWAYS:
            return Availability.ALWAYS
        case Presence.PRINCIPAL:
            if kind in key.kinds:
                return Availability.ALWAYS
            # AWS does not document whether requests that services sign have an ARN.
            return (
                Availability.ABSENT_RATHER
                if key.name == "aws:PrincipalArn" and kind is Kind.SERVICE
                else Availability.NEVER
            )
        case Presence.CARRIED:
            return _carried(key, kind)
        case Presence.SERVICE:
            return Availability.ALWAYS if kind is Kind.SERVICE else Availability.NEVER
        case Presence.NETWORK:
            return Availability.NEVER if through_endpoint else Availability.ALWAYS
        case Presence.ENDPOINT if not through_endpoint:
            return Availability.NEVER
        case Presence.ENDPOINT:
            # "Only if the requester uses a VPC endpoint": AWS does not document whether every such request
            # has the key, and in calls of services "certain network-specific authorization context is
            # redacted" (*AWS global condition context keys*, read 2026-11). Those of an organization are
            # there only if the endpoint has one.
            return Availability.FREE if "Org" in key.name else Availability.PRESENT_RATHER
        case Presence.TLS:
            return Availability.FREE if tls_absent else Availability.ALWAYS
        case Presence.ACTION | Presence.HTTPS if key.kinds and kind not in key.kinds:
            return Availability.ABSENT_RATHER
        case Presence.HTTPS if tls_absent:
            # S3 redirects or refuses such a request over plain HTTP. AWS does not document whether it
            # evaluates the policy first, so a proof must hold if the key is present, and no refutation
            # depends on it.
            return Availability.ABSENT_RATHER
        case Presence.REQUEST | Presence.ACTION | Presence.HTTPS:
            return Availability.FREE
        case Presence.ELSEWHERE:
            return Availability.ABSENT_RATHER
        case _:
            assert_never(key.presence)


def _carried(key: ConditionKey, kind: Kind) -> Availability:
    if kind in key.kinds:
        return Availability.FREE
    # An anonymous request has no credentials, and only a service sends its requests.
    if kind is Kind.ANONYMOUS or key.kinds == (Kind.SERVICE,):
        return Availability.NEVER
    return Availability.ABSENT_RATHER


def is_always_present(name: str) -> bool:
    """Return whether every request of every principal has a key."""
    key = key_of(name)
    return key is not None and key.presence is Presence.ALWAYS
