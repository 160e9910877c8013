"""What AWS documents about condition keys: when they are present, and what they hold.

Follows *AWS global condition context keys* and *IAM JSON policy elements: Variables and tags* (the table
of `aws:userid`, `aws:username` and `aws:PrincipalType`) in the IAM User Guide, and *Actions, resources,
and condition keys for Amazon S3* in the Service Authorization Reference. A key that is not described
here is free: it may be absent, or have any value.
"""

from __future__ import annotations

import enum
from typing import Final

__all__ = [
    "ARN_KEYS",
    "NETWORK",
    "Certainty",
    "Domain",
    "Kind",
    "Presence",
    "domain_of",
    "is_always_present",
    "is_multivalued",
    "presence_of",
]


class Kind(enum.Enum):
    """The kinds of principals, the simplest to understand first."""

    ANONYMOUS = "anonymous"
    USER = "user"
    ROLE = "role"
    ROOT = "root"
    FEDERATED = "federated user"
    SERVICE = "service"


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


class Domain(enum.Enum):
    """What a key holds when it is present, and which operators AWS documents for it."""

    TEXT = "text"
    BOOLEAN = "true or false"
    WHOLE = "a whole number"
    TLS = "a TLS version"
    DATE = "a date"
    ADDRESS = "an IP address"

    @property
    def families(self) -> tuple[str, ...]:
        """The families of operators that AWS documents for it."""
        return _FAMILIES[self]


_FAMILIES: Final = {
    Domain.TEXT: ("string", "arn", "binary"),
    Domain.BOOLEAN: ("bool",),
    Domain.WHOLE: ("numeric",),
    Domain.TLS: ("numeric",),
    Domain.DATE: ("date", "numeric"),
    Domain.ADDRESS: ("address",),
}
_SIGNED: Final = (Kind.USER, Kind.ROLE, Kind.ROOT, Kind.FEDERATED)

# The sets below are the paragraphs *Availability* of *AWS global condition context keys*, read 2026-11.
_ALWAYS: Final = frozenset(
    (
        "aws:currenttime",
        "aws:epochtime",
        "aws:principaltype",
        "aws:requestedregion",
        # "Always included … for most service actions"; no action of S3 is among the exceptions.
        "aws:resourceaccount",
        "aws:securetransport",
        "aws:useragent",
        "aws:userid",
        "aws:viaawsservice",
    )
)
_MEMBER_ONLY: Final = frozenset(("aws:principalorgid", "aws:principalorgpaths"))
_SERVICE_NAMES: Final = frozenset(("aws:principalservicename", "aws:principalservicenameslist"))
# "Only when the call to your resource is being made directly by an AWS service principal".
_CALLS_BY_SERVICES: Final = frozenset(
    ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths")
)
_TEMPORARY: Final = frozenset(
    ("aws:multifactorauthage", "aws:multifactorauthpresent", "aws:signinsessionarn", "aws:tokenissuetime")
)
# "When a service uses the credentials of an IAM principal".
_FORWARDED: Final = frozenset(
    (
        "aws:calledvia",
        "aws:calledviaawsmcp",
        "aws:calledviafirst",
        "aws:calledvialast",
        "aws:viaawsmcpservice",
    )
)
# "Only available when a request is made by a principal with role session or federated user … credentials".
_ROLE_SESSION: Final = frozenset(
    (
        "aws:chatbotsourcearn",
        "aws:ec2instancesourceprivateipv4",
        "aws:ec2instancesourcevpc",
        "aws:federatedprovider",
        "aws:sourceidentity",
        "codebuild:buildarn",
        "codebuild:projectarn",
        "ec2:roledelivery",
        "ec2:sourceinstancearn",
        "glue:credentialissuingservice",
        "glue:roleassumedby",
        "identitystore:userid",
        "lambda:sourcefunctionarn",
        "ssm:sourceinstancearn",
    )
)
# "Only if the requester uses a VPC endpoint"; whether always then, AWS does not say.
_ENDPOINT: Final = frozenset(("aws:sourcevpc", "aws:sourcevpcarn", "aws:sourcevpce", "aws:vpceaccount"))
_ENDPOINT_OF_MEMBER: Final = frozenset(("aws:vpceorgid", "aws:vpceorgpaths"))
ARN_KEYS: Final = frozenset(
    (
        "aws:chatbotsourcearn",
        "aws:signinsessionarn",
        "aws:sourcearn",
        "aws:sourcevpcarn",
        "codebuild:buildarn",
        "codebuild:projectarn",
        "ec2:sourceinstancearn",
        "lambda:sourcefunctionarn",
        "ssm:sourceinstancearn",
    )
)
"""The keys (in lower case) that hold an ARN: *Data type* – ARN on the same page."""

NETWORK: Final = _ENDPOINT | _ENDPOINT_OF_MEMBER | {"aws:sourceip", "aws:vpcsourceip"}
"""The keys (in lower case) that depend on whether a request comes through a VPC endpoint."""

_MULTIVALUED: Final = frozenset(
    (
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:tagkeys",
        "aws:vpceorgpaths",
        "s3:inventoryaccessibleoptionalfields",
        "s3:requestobjecttagkeys",
    )
)
_DOMAINS: Final = {
    "aws:currenttime": Domain.DATE,
    "aws:epochtime": Domain.DATE,
    "aws:multifactorauthage": Domain.WHOLE,
    "aws:multifactorauthpresent": Domain.BOOLEAN,
    "aws:principalaccount": Domain.TEXT,
    "aws:principalarn": Domain.TEXT,
    "aws:principalisawsservice": Domain.BOOLEAN,
    "aws:principalorgid": Domain.TEXT,
    "aws:principaltype": Domain.TEXT,
    "aws:securetransport": Domain.BOOLEAN,
    "aws:sourceip": Domain.ADDRESS,
    "aws:sourcevpc": Domain.TEXT,
    "aws:sourcevpce": Domain.TEXT,
    "aws:tokenissuetime": Domain.DATE,
    "aws:userid": Domain.TEXT,
    "aws:username": Domain.TEXT,
    "aws:viaawsservice": Domain.BOOLEAN,
    "aws:vpcsourceip": Domain.ADDRESS,
    "s3:max-keys": Domain.WHOLE,
    "s3:object-lock-remaining-retention-days": Domain.WHOLE,
    "s3:object-lock-retain-until-date": Domain.DATE,
    "s3:objectcreationoperation": Domain.BOOLEAN,
    "s3:signatureage": Domain.WHOLE,
    "s3:tlsversion": Domain.TLS,
}


def presence_of(key: str, kind: Kind, *, through_endpoint: bool, tls_absent: bool) -> Presence:
    """Return when a key is present.

    Args:
        key: The key, in lower case.
        kind: Who makes the request.
        through_endpoint: Whether it comes through a VPC endpoint.
        tls_absent: Whether `s3:TlsVersion` may be absent.
    """
    if key == "aws:principaltype" and kind is Kind.SERVICE:
        # It is always present, and its values are listed for everyone but AWS services.
        return Presence.PRESENT_SOMEHOW
    if key in _ALWAYS:
        return Presence.ALWAYS
    if key == "s3:tlsversion":
        return Presence.FREE if tls_absent else Presence.ALWAYS
    if key == "aws:sourceip":
        return Presence.NEVER if through_endpoint else Presence.ALWAYS
    if key in _ENDPOINT:
        return Presence.PRESENT_RATHER if through_endpoint else Presence.NEVER
    if key in _ENDPOINT_OF_MEMBER:
        return Presence.FREE if through_endpoint else Presence.NEVER
    if key == "aws:vpcsourceip":
        return Presence.FREE if through_endpoint else Presence.ABSENT_RATHER
    if key == "aws:username":
        return Presence.ALWAYS if kind is Kind.USER else Presence.NEVER
    if key == "aws:principalisawsservice":
        return Presence.NEVER if kind is Kind.ANONYMOUS else Presence.ALWAYS
    if key in ("aws:principalaccount", "aws:principalarn") and kind is Kind.SERVICE:
        # IAM User Guide, *AWS global condition context keys*, read 2026-11: both are in all signed requests.
        # AWS does not document whether that includes the requests that its services sign.
        return Presence.ABSENT_RATHER
    if key == "aws:principalaccount":
        # The same page: "For anonymous requests, the request context returns `anonymous`."
        return Presence.ALWAYS
    if key == "aws:principalarn":
        return Presence.ALWAYS if kind in _SIGNED else Presence.NEVER
    if key in _MEMBER_ONLY:
        if kind is Kind.SERVICE:
            return Presence.ABSENT_RATHER  # An AWS service is a member of nothing, as far as AWS says.
        return Presence.FREE if kind in _SIGNED else Presence.NEVER
    if key in _SERVICE_NAMES:
        return Presence.ALWAYS if kind is Kind.SERVICE else Presence.NEVER
    if key in _CALLS_BY_SERVICES:
        return Presence.FREE if kind is Kind.SERVICE else Presence.NEVER
    if key in _ROLE_SESSION or key == "aws:assumedroot":
        if kind is Kind.ANONYMOUS:
            return Presence.NEVER
        who = Kind.ROOT if key == "aws:assumedroot" else Kind.ROLE
        return Presence.FREE if kind is who else Presence.ABSENT_RATHER
    if key in _TEMPORARY or key in _FORWARDED or key.startswith("aws:principaltag/"):
        if kind is Kind.ANONYMOUS:
            return Presence.NEVER
        return Presence.FREE if kind in _SIGNED else Presence.ABSENT_RATHER
    return Presence.FREE


def is_always_present(key: str) -> bool:
    """Return whether every request has a key (in lower case)."""
    return key in _ALWAYS


def domain_of(key: str) -> Domain | None:
    """Return what a key (in lower case) holds; `None` when that is not described here."""
    return _DOMAINS.get(key)


def is_multivalued(key: str) -> bool | None:
    """Return whether a key (in lower case) holds a list; `None` when that is not described here."""
    if key in _MULTIVALUED:
        return True
    return False if key in _DOMAINS or key.startswith("aws:principaltag/") else None
