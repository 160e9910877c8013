"""What a request over plain HTTP can carry, written from AWS's documents for the second prover alone.

Sources, read in November 2026: IAM User Guide, *AWS global condition context keys* (the paragraphs
*Availability*, *Data type* and *Value type*), *Policy variables* (table *Principal key values*), *IAM
identifiers*; Amazon S3 User Guide and Service Authorization Reference for the keys that begin with `s3:`.
Nothing here is taken from `secure_bucket.policy` but the list of actions with their keys, which is AWS's.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from secure_bucket.policy.s3_actions import ACTIONS, COMMON_KEYS

__all__ = ["ACCOUNTS", "ACTION_TABLE", "KEYS", "Action", "Key", "Kind", "Type", "key_of"]


class Kind(enum.IntEnum):
    """Who asks."""

    ANONYMOUS = 0
    USER = 1
    ROOT = 2
    SESSION = 3
    FEDERATED = 4
    SERVICE = 5


class Type(enum.Enum):
    STRING = "string"
    ARN = "ARN"
    BOOL = "Boolean"
    NUMBER = "number"
    WHOLE = "whole number"
    DATE = "date"
    DATE_OR_NUMBER = "date or number"
    ADDRESS = "IP address"


class Key(NamedTuple):
    """A condition key.

    Args:
        name: Its name in lower case.
        type: The data type of its values.
        many: Whether it is multivalued.
        kinds: Who may send a request that carries it.
        always: Whose requests always carry it.
        form: A regular expression of the values that certainly exist (`None`: any text).
        usually: Whose requests carry it where both readings of AWS are allowed (default: `always`).
        known: Whether AWS documents the key; of an unknown key nothing holds.
    """

    name: str
    type: Type = Type.STRING
    many: bool = False
    kinds: frozenset[Kind] = frozenset(Kind)
    always: frozenset[Kind] = frozenset()
    form: str | None = None
    usually: frozenset[Kind] | None = None
    known: bool = True


ALL = frozenset(Kind)
SERVICE = frozenset({Kind.SERVICE})
USER = frozenset({Kind.USER})
SESSION = frozenset({Kind.SESSION})
TEMPORARY = frozenset({Kind.SESSION, Kind.FEDERATED})
MAYBE_TEMPORARY = frozenset({Kind.USER, Kind.ROOT, Kind.SESSION, Kind.FEDERATED})
SIGNED = MAYBE_TEMPORARY | SERVICE
TAGGED = frozenset({Kind.USER, Kind.SESSION})
NONE: frozenset[Kind] = frozenset()

# Values of which certainly some exist. They are few, and have no lengths to count: both make z3 fast.
ACCOUNTS = ("111122223333", "444455556666", "777788889999", "123456789012", "987654321098")
ACCOUNT = "|".join(ACCOUNTS)
ORG = "o-[a-z0-9]+"
PATH = "o-[a-z0-9]+/r-[a-z0-9]+/(ou-[a-z0-9-]+/)*"
ANY_ARN = "arn:aws:[a-z0-9-]+:[a-z0-9-]*:(111122223333)?:[A-Za-z0-9/_.:-]+"
HOST = "[a-z0-9-]+\\.amazonaws\\.com"
S = Type.STRING
KEYS: dict[str, Key] = {
    key.name: key
    for key in (
        Key("aws:securetransport", Type.BOOL, always=ALL),
        Key("aws:currenttime", Type.DATE, always=ALL),
        Key("aws:epochtime", Type.DATE_OR_NUMBER, always=ALL),
        Key("aws:principaltype", always=ALL),
        Key("aws:userid", always=ALL),
        Key("aws:viaawsservice", Type.BOOL, always=ALL),
        Key("aws:viaawsmcpservice", Type.BOOL, kinds=SIGNED),
        Key("aws:ismcpserviceaction", Type.BOOL, form="never"),
        Key("aws:requestedregion", always=ALL, form="[a-z]{2}-[a-z]+-[1-9]"),
        Key("aws:useragent", always=ALL, form="[ -~]+"),
        Key("aws:referer", form="[ -~]+"),
        Key("aws:principalarn", Type.ARN, kinds=SIGNED, always=MAYBE_TEMPORARY),
        Key("aws:principalaccount", always=ALL),
        Key("aws:principalorgid", kinds=SIGNED, form=ORG),
        Key("aws:principalorgpaths", many=True, kinds=SIGNED, form=PATH),
        Key("aws:principalisawsservice", Type.BOOL, kinds=SIGNED, always=SIGNED),
        Key("aws:principalservicename", kinds=SERVICE, always=SERVICE),
        Key("aws:principalservicenameslist", many=True, kinds=SERVICE, always=SERVICE, form=HOST),
        Key("aws:username", kinds=USER, always=USER),
        Key("aws:assumedroot", Type.BOOL, kinds=frozenset({Kind.ROOT})),
        Key("aws:federatedprovider", kinds=SESSION, form=HOST),
        Key("aws:tokenissuetime", Type.DATE, kinds=MAYBE_TEMPORARY, usually=TEMPORARY),
        Key("aws:signinsessionarn", Type.ARN, kinds=MAYBE_TEMPORARY, form=ANY_ARN),
        Key("aws:multifactorauthage", Type.WHOLE, kinds=MAYBE_TEMPORARY),
        Key("aws:multifactorauthpresent", Type.BOOL, kinds=MAYBE_TEMPORARY),
        Key("aws:chatbotsourcearn", Type.ARN, kinds=SESSION, form=ANY_ARN),
        Key("aws:ec2instancesourcevpc", kinds=SESSION, form="vpc-[0-9a-f]+"),
        Key("aws:ec2instancesourceprivateipv4", Type.ADDRESS, kinds=SESSION),
        Key("aws:sourceidentity", kinds=SESSION, form="[A-Za-z0-9_+=,.@-]{2}[A-Za-z0-9_+=,.@-]*"),
        Key("ec2:roledelivery", Type.NUMBER, kinds=SESSION),
        Key("ec2:sourceinstancearn", Type.ARN, kinds=SESSION, form=ANY_ARN),
        Key("glue:roleassumedby", kinds=SESSION, form="glue\\.amazonaws\\.com"),
        Key("glue:credentialissuingservice", kinds=SESSION, form="glue\\.amazonaws\\.com"),
        Key("codebuild:buildarn", Type.ARN, kinds=SESSION, form=ANY_ARN),
        Key("codebuild:projectarn", Type.ARN, kinds=SESSION, form=ANY_ARN),
        Key("lambda:sourcefunctionarn", Type.ARN, kinds=SESSION, form=ANY_ARN),
        Key("ssm:sourceinstancearn", Type.ARN, kinds=SESSION, form=ANY_ARN),
        Key("identitystore:userid", kinds=SESSION, form="94482488-3041-7026-18f3-be45837cd0e4"),
        Key("aws:sourceip", Type.ADDRESS),
        Key("aws:sourcevpc", form="vpc-[0-9a-f]+"),
        Key(
            "aws:sourcevpcarn",
            Type.ARN,
            form="arn:aws:ec2:[a-z]{2}-[a-z]+-[1-9]:111122223333:vpc/vpc-[0-9a-f]+",
        ),
        Key("aws:sourcevpce", form="vpce-[0-9a-f]+"),
        Key("aws:vpceaccount", form=ACCOUNT),
        Key("aws:vpceorgid", form=ORG),
        Key("aws:vpceorgpaths", many=True, form=PATH),
        Key("aws:vpcsourceip", Type.ADDRESS),
        Key("aws:resourceaccount", always=ALL, form=ACCOUNT),
        Key("aws:resourceorgid", form=ORG),
        Key("aws:resourceorgpaths", many=True, form=PATH),
        Key("aws:calledvia", many=True, kinds=MAYBE_TEMPORARY, form=HOST),
        Key("aws:calledviafirst", kinds=MAYBE_TEMPORARY, form=HOST),
        Key("aws:calledvialast", kinds=MAYBE_TEMPORARY, form=HOST),
        Key("aws:calledviaawsmcp", kinds=SIGNED, form=HOST),
        Key("aws:tagkeys", many=True, form="[A-Za-z0-9 _.:/=+@-]+"),
        Key("aws:sourceaccount", kinds=SERVICE, form=ACCOUNT),
        Key("aws:sourcearn", Type.ARN, kinds=SERVICE, form=ANY_ARN),
        Key("aws:sourceorgid", kinds=SERVICE, form=ORG),
        Key("aws:sourceorgpaths", many=True, kinds=SERVICE, form=PATH),
        Key("s3:tlsversion", Type.NUMBER),
        Key("s3:authtype", form="REST-HEADER|REST-QUERY-STRING|POST"),
        Key("s3:signatureversion", form="AWS4-HMAC-SHA256"),
        Key("s3:signatureage", Type.WHOLE),
        Key("s3:x-amz-content-sha256", form="UNSIGNED-PAYLOAD"),
        Key("s3:resourceaccount", form=ACCOUNT, usually=ALL),
        Key("s3:max-keys", Type.WHOLE),
        Key("s3:prefix", form="(?s:.+)"),
        Key("s3:delimiter", form="(?s:.+)"),
        Key("s3:versionid", form="[A-Za-z0-9_.]+"),
        Key("s3:object-lock-remaining-retention-days", Type.WHOLE),
        Key("s3:object-lock-retain-until-date", Type.DATE),
        Key("s3:object-lock-mode", form="GOVERNANCE|COMPLIANCE"),
        Key("s3:object-lock-legal-hold", form="ON|OFF"),
        Key("s3:x-amz-server-side-encryption", form="AES256|aws:kms|aws:kms:dsse"),
        Key("s3:x-amz-storage-class", form="STANDARD|STANDARD_IA|GLACIER"),
        Key(
            "s3:x-amz-acl",
            form="private|public-read|public-read-write|authenticated-read|bucket-owner-full-control",
        ),
        Key("s3:requestobjecttagkeys", many=True, form="[A-Za-z0-9 _.:/=+@-]+"),
        Key("s3:locationconstraint", form="[a-z]{2}-[a-z]+-[1-9]"),
    )
}
for _name in (
    *("s3:dataaccesspointarn", "s3:dataaccesspointaccount", "s3:accesspointnetworkorigin"),
    "s3:x-amz-server-side-encryption-customer-algorithm",
):
    # An access point is reached over HTTPS alone, and S3 refuses keys of customers over plain HTTP: nobody
    # can show such a request. Whether S3 evaluates the policy before it refuses one is not documented.
    KEYS[_name] = Key(_name, form="never")

_TAG = "[A-Za-z0-9 _.:/=+@-]*"
_FAMILIES = {
    "aws:principaltag/": Key("", kinds=SIGNED, form=_TAG, usually=NONE),
    "aws:requesttag/": Key("", form=_TAG),
    "aws:resourcetag/": Key("", form=_TAG),
    "s3:accesspointtag/": Key("", form="never"),
    "s3:existingobjecttag/": Key("", form=_TAG),
    "s3:requestobjecttag/": Key("", form=_TAG),
    "s3:buckettag/": Key("", form=_TAG),
}
_S3_OTHERS = {
    name.lower()
    for _, _, own, _ in ACTIONS
    for name in own.split()
    if name.startswith("s3:") and "<" not in name
}


def key_of(name: str) -> Key:
    """Return what is known of a key; a key that AWS does not document may have any value."""
    lower = "".join(char.lower() if char.isascii() else char for char in name)
    if lower in KEYS:
        return KEYS[lower]
    for family, key in _FAMILIES.items():
        if lower.startswith(family) and len(lower) > len(family):
            return key._replace(name=lower)
    if lower in _S3_OTHERS:
        return Key(lower, form="[ -~]+")
    return Key(lower, form="never", known=False)


class Action(NamedTuple):
    """An S3 action that a bucket policy can meet; `doubtful` if maybe no request does."""

    name: str
    on_bucket: bool
    on_object: bool
    keys: frozenset[str]
    doubtful: bool = False


ACTION_TABLE: tuple[Action, ...] = tuple(
    Action(
        f"s3:{name}",
        "bucket" in types.split(),
        "object" in types.split(),
        frozenset(
            key.lower().replace("<key>", "")
            for key in {*COMMON_KEYS, *own.split()}.difference(lacking.split())
        ),
        # It acts on a bucket that does not exist yet.
        doubtful=name == "CreateBucket",
    )
    for name, types, own, lacking in ACTIONS
    if {"bucket", "object"} & set(types.split())
)
