"""When a condition key is present: what the table of keys means for one kind of request."""

from __future__ import annotations

import enum

from typing_extensions import assert_never

from secure_bucket.policy.condition_keys import ConditionKey, key_of
from secure_bucket.policy.condition_keys import Presence as Documented
from secure_bucket.policy.principal import Kind

__all__ = ["Certainty", "Presence", "is_always_present", "presence_of"]


class Certainty(enum.Enum):
    """Whether a case occurs: AWS documents that it does, that it does not, or neither."""

    YES = "yes"
    NO = "no"
    DOUBTFUL = "doubtful"


class Presence(enum.Enum):
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


def presence_of(name: str, kind: Kind, *, through_endpoint: bool, tls_absent: bool) -> Presence:
    """Return when a key is present.

    Args:
        name: The key.
        kind: Who makes the request.
        through_endpoint: Whether it comes through a VPC endpoint.
        tls_absent: Whether `s3:TlsVersion` may be absent.
    """
    key = key_of(name)
    if key is None:
        return Presence.ABSENT_RATHER  # A proof has to hold if it is there, and no refutation rests on it.
    match key.presence:
        case Documented.ALWAYS if key.kinds and kind not in key.kinds:
            # It is always present, and AWS does not list its values for services; of `aws:PrincipalAccount`
            # not even that a request signed by a service has it.
            return Presence.ABSENT_RATHER if key.name == "aws:PrincipalAccount" else Presence.PRESENT_SOMEHOW
        case Documented.ALWAYS:
            return Presence.ALWAYS
        case Documented.PRINCIPAL:
            if kind in key.kinds:
                return Presence.ALWAYS
            # Whether the requests that services sign have an ARN is not documented.
            return (
                Presence.ABSENT_RATHER
                if key.name == "aws:PrincipalArn" and kind is Kind.SERVICE
                else Presence.NEVER
            )
        case Documented.CARRIED:
            return _carried(key, kind)
        case Documented.SERVICE:
            return Presence.ALWAYS if kind is Kind.SERVICE else Presence.NEVER
        case Documented.NETWORK:
            return Presence.NEVER if through_endpoint else Presence.ALWAYS
        case Documented.ENDPOINT if not through_endpoint:
            return Presence.NEVER
        case Documented.ENDPOINT:
            # Two are there "only if the requester uses a VPC endpoint"; AWS does not say whether always then.
            return (
                Presence.PRESENT_RATHER if key.name in ("aws:SourceVpc", "aws:SourceVpce") else Presence.FREE
            )
        case Documented.TLS:
            return Presence.FREE if tls_absent else Presence.ALWAYS
        case Documented.REQUEST | Documented.ACTION:
            return Presence.FREE
        case _:
            assert_never(key.presence)


def _carried(key: ConditionKey, kind: Kind) -> Presence:
    if kind in key.kinds:
        return Presence.FREE
    # An anonymous request carries no credentials, and nobody but a service makes its requests.
    if kind is Kind.ANONYMOUS or key.kinds == (Kind.SERVICE,):
        return Presence.NEVER
    return Presence.ABSENT_RATHER


def is_always_present(name: str) -> bool:
    """Return whether every request has a key, by whomever."""
    key = key_of(name)
    return key is not None and key.presence is Documented.ALWAYS and key.name != "aws:PrincipalAccount"
