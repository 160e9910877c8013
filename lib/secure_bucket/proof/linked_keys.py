"""Add the condition keys to a request that belong to its other keys.

The prover chooses the value of each key separately. A counterexample is a request that somebody can send, so
its keys must also fit each other as AWS documents: in *AWS global condition context keys*, read 2026-11, if
no other document is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from msgspec.structs import replace

from secure_bucket.policy.condition_keys import EARLIEST
from secure_bucket.policy.pattern import fold
from secure_bucket.policy.request import Request
from secure_bucket.proof.scalars import parse_instant, parse_number, write_instant
from secure_bucket.proof.shapes import example_of

__all__ = ["with_linked_keys"]

_OWNERS: Final = ("principal", "resource", "source", "vpce")
_TOGETHER: Final = tuple(
    frozenset(group.split())
    for group in (
        # Both exist if the account is a member of an organization.
        *(f"aws:{owner}orgid aws:{owner}orgpaths" for owner in _OWNERS),
        "aws:calledvia aws:calledviafirst aws:calledvialast",
        "aws:calledviaawsmcp aws:viaawsmcpservice",
        # "whenever the role session is created by an Amazon EC2 instance", and "a role assumed by CodeBuild".
        "aws:ec2instancesourcevpc aws:ec2instancesourceprivateipv4 ec2:roledelivery ec2:sourceinstancearn",
        "codebuild:buildarn codebuild:projectarn",
        # Each bucket has an owner, and no document says which requests lack it.
        "s3:resourceaccount aws:securetransport",
    )
)
"""Keys of which a request has all or none."""

_TRUE: Final = (
    *((key, "aws:viaawsservice") for key in ("aws:calledvia", "aws:calledviafirst", "aws:calledvialast")),
    ("aws:multifactorauthage", "aws:multifactorauthpresent"),
)
"""Keys that a request has only if another is `true`."""

_AMONG: Final = (
    ("aws:calledviafirst", "aws:calledvia"),
    ("aws:calledvialast", "aws:calledvia"),
    ("aws:principalservicename", "aws:principalservicenameslist"),
)
"""Keys whose value is one of those of another."""

_LONGEST_SESSION: Final = 129_600
"""Seconds that temporary credentials last at most (AWS STS, *GetSessionToken*, read 2026-11)."""

_MOST: Final = (
    ("aws:multifactorauthage", _LONGEST_SESSION),
    # Milliseconds: "valid for up to seven days" (*Signature Version 4 … Policy Keys*, read 2026-11).
    ("s3:signatureage", 604_800_000),
    # Days (S3 User Guide, *Limiting retention periods with a bucket policy*): a century.
    ("s3:object-lock-remaining-retention-days", 36_500),
)
"""The largest numbers that keys have."""

_CLOCKS: Final = ("aws:currenttime", "aws:epochtime")
_NOW: Final = str(write_instant(Fraction(EARLIEST)))

_TAGS: Final = (("aws:requesttag/", "aws:tagkeys"), ("s3:requestobjecttag/", "s3:requestobjecttagkeys"))
"""The tags of a request, and the list of their keys."""


def with_linked_keys(request: Request, names: Mapping[str, str]) -> Request:
    """Return a request in which the keys that a policy mentions fit each other.

    Args:
        request: The request.
        names: The spelling of the keys in the policy, by their lower case.
    """
    spelled = {fold(name): name for name in request.context} | dict(names)
    context = {
        fold(name): (value,) if isinstance(value, str) else tuple(value)
        for name, value in request.context.items()
    }
    for group in _TOGETHER:
        if group & context.keys():
            for key in sorted(group & names.keys() - context.keys()):
                context[key] = (example_of(key),)
    for key, other in _TRUE:
        if key in context and other in names:
            context[other] = ("true",)
    for one, several in _AMONG:
        if one in context and several in context:
            context[several] = tuple(dict.fromkeys((*context[several], *context[one])))
    _fit_tags(context, names)
    _fit_owners(context)
    _fit_credentials(context, names)
    fitted = {spelled[key]: values[0] if len(values) == 1 else values for key, values in context.items()}
    return replace(request, context=fitted)


def _fit_tags(context: dict[str, tuple[str, ...]], names: Mapping[str, str]) -> None:
    for prefix, listing in _TAGS:
        tags = {key.removeprefix(prefix) for key in names if key.startswith(prefix)}
        if listing in names and tags:
            others = (key for key in context.get(listing, ()) if fold(key) not in tags)
            own = (names[prefix + tag].partition("/")[2] for tag in sorted(tags) if prefix + tag in context)
            context[listing] = (*others, *own)
            if not context[listing]:
                del context[listing]


def _fit_owners(context: dict[str, tuple[str, ...]]) -> None:
    for owner in _OWNERS:
        # *Understand the AWS Organizations entity path*, read 2026-11: it begins with the organization id.
        key, paths = f"aws:{owner}orgid", f"aws:{owner}orgpaths"
        if key in context and paths in context:
            ends = (path.partition("/")[2] for path in context[paths])
            context[paths] = tuple(f"{context[key][0]}/{end}" for end in ends)
    if "aws:resourceaccount" in context and "s3:resourceaccount" in context:
        context["s3:resourceaccount"] = context["aws:resourceaccount"]
    if "aws:sourcevpc" in context and "aws:sourcevpcarn" in context:
        head = context["aws:sourcevpcarn"][0].rpartition("/")[0]
        context["aws:sourcevpcarn"] = (f"{head}/{context['aws:sourcevpc'][0]}",)


def _fit_credentials(context: dict[str, tuple[str, ...]], names: Mapping[str, str]) -> None:
    """Set when temporary credentials were issued: before the request that they sign.

    A role session and a federated user have temporary credentials (*IAM roles*, *GetFederationToken*, read
    2026-11), and so does every principal with MFA keys.
    """
    for key, most in _MOST:
        number = parse_number(context.get(key, ("",))[0])
        if number is not None and number > most:
            context[key] = (str(most),)
    issued = "aws:tokenissuetime"
    is_temporary = context.get("aws:principaltype", ("",))[0] in ("AssumedRole", "FederatedUser")
    is_temporary |= "aws:multifactorauthage" in context or "aws:multifactorauthpresent" in context
    if is_temporary and issued in names and issued not in context:
        context[issued] = (_NOW,)
    if issued not in context:
        return
    # Without a clock, the request may be sent at any time from now on.
    latest = next((context[clock][0] for clock in _CLOCKS if clock in context), None)
    start, now = parse_instant(context[issued][0]), parse_instant(_NOW if latest is None else latest)
    if start is None or now is None:
        return
    if start < now - _LONGEST_SESSION or (latest is not None and start > now):
        context[issued] = (str(write_instant(now)),)
