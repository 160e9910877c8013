"""Which requests exist: what S3 can be asked over plain HTTP, and what it then knows."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator
from typing import Any

from secure_bucket.policy import Request
from secure_bucket.policy.actions import BUCKET_ACTIONS, OBJECT_ACTIONS, keys_of

BUCKET = "arn:aws:s3:::example-bucket"
ALICE = "arn:aws:iam::111122223333:user/alice"
MALLORY = "arn:aws:iam::444455556666:user/mallory"
ROOT = "arn:aws:iam::111122223333:root"
SESSION = "arn:aws:sts::111122223333:assumed-role/app/i-0123456789"
SERVICE = "cloudtrail.amazonaws.com"

# AWS global condition context keys: "always included in the request context", anonymous requests included.
ALWAYS = {
    "aws:securetransport": "false",
    "aws:currenttime": "2026-03-01T12:00:00Z",
    "aws:epochtime": "1772366400",
    "aws:principaltype": "Anonymous",
    "aws:userid": "anonymous",
    "aws:viaawsservice": "false",
    "aws:requestedregion": "us-east-1",
    "aws:resourceaccount": "111122223333",
    "aws:useragent": "curl/8",
}
NOT_ANONYMOUS = {
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalisawsservice",
    "aws:username",
}
# "Only when the call to your resource is being made directly by an AWS service principal."
BY_SERVICES = {"aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths"}
LISTED = {name.lower() for name in (*BUCKET_ACTIONS, *OBJECT_ACTIONS)}
BOOLEANS = {
    "aws:securetransport",
    "aws:viaawsservice",
    "aws:principalisawsservice",
    "aws:multifactorauthpresent",
}


def identity(principal: str) -> dict[str, str]:
    """Return the keys that follow from who asks."""
    if principal == "anonymous":
        return {
            "aws:PrincipalAccount": "anonymous",
            "aws:PrincipalType": "Anonymous",
            "aws:userid": "anonymous",
        }
    if not principal.startswith("arn:"):
        return {
            "aws:PrincipalType": "Service",
            "aws:PrincipalServiceName": principal,
            "aws:userid": principal,
            "aws:PrincipalIsAWSService": "true",
        }
    account, name = principal.split(":", 5)[4:]
    known = {"aws:PrincipalAccount": account, "aws:PrincipalIsAWSService": "false"}
    if name.startswith("assumed-role/"):
        role = f"arn:aws:iam::{account}:role/{name.split('/')[1]}"
        return known | {"aws:PrincipalArn": role, "aws:PrincipalType": "AssumedRole", "aws:userid": "AROA:i"}
    known |= {"aws:PrincipalArn": principal, "aws:userid": "AIDA"}
    if name == "root":
        return known | {"aws:PrincipalType": "Account"}
    return known | {"aws:PrincipalType": "User", "aws:username": name.rpartition("/")[2]}


def plain_requests() -> Iterator[Request]:
    """Yield requests over plain HTTP by several people, on the bucket and on objects, from several places."""
    places = [
        {"aws:SourceIp": "203.0.113.7"},
        {"aws:SourceIp": "10.1.2.3", "s3:TlsVersion": "1.0"},
        {"aws:SourceIp": "2001:db8::7", "aws:UserAgent": "curl/8"},
        {"aws:SourceVpc": "vpc-1", "aws:SourceVpce": "vpce-1"},
    ]
    for principal in ("anonymous", ALICE, MALLORY, ROOT, SESSION, SERVICE):
        for place in places:
            context = {
                "aws:SecureTransport": "false",
                "aws:CurrentTime": "2026-03-01T12:00:00Z",
                "aws:EpochTime": "1772366400",
                "aws:ViaAWSService": "false",
                "aws:RequestedRegion": "us-east-1",
                "aws:ResourceAccount": "111122223333",
                "aws:UserAgent": "aws-cli/2",
                **identity(principal),
                **place,
            }
            for action in ("s3:ListBucket", BUCKET_ACTIONS[-1]):
                yield Request(principal, action, BUCKET, context)
            for action in ("s3:GetObject", OBJECT_ACTIONS[-1]):
                for key in ("report.csv", "a", "*", "x/a\nb"):
                    yield Request(principal, action, f"{BUCKET}/{key}", context)


def _without_allows(policy: Any) -> Any:
    statements = policy.get("Statement") if isinstance(policy, dict) else None
    if not isinstance(statements, list):
        return policy
    kept = [one for one in statements if not (isinstance(one, dict) and one.get("Effect") == "Allow")]
    return {**policy, "Statement": kept}


def faults(request: Request, policy: object = None) -> list[str]:
    """Return why there is no such request over plain HTTP; nothing when there can be.

    A key that is always present may be left out where the policy does not ask for it.
    """
    found = []
    action, resource = request.action.lower(), request.resource
    if resource == BUCKET:
        if action not in map(str.lower, BUCKET_ACTIONS):
            found.append(f"{request.action} is no action on a bucket")
    elif not resource.startswith(f"{BUCKET}/"):
        found.append(f"{resource} is not in the bucket")
    else:
        if action not in map(str.lower, OBJECT_ACTIONS):
            found.append(f"{request.action} is no action on an object")
        if not 1 <= len(resource[len(BUCKET) + 1 :].encode("utf-8", "surrogatepass")) <= 1024:
            found.append("a key has 1 to 1024 bytes")
    context = {key.lower(): value for key, value in request.context.items()}
    if len(context) != len(request.context):
        found.append("a key is there twice")
    if context.get("aws:securetransport") != "false":
        found.append("not over plain HTTP")
    if request.principal == "anonymous":
        found += [f"{key} is absent when anonymous" for key in sorted(NOT_ANONYMOUS & context.keys())]
    for key, value in identity(request.principal).items():
        told = context.get(key.lower(), value)
        if ":assumed-role/" in request.principal and key == "aws:PrincipalArn":
            # The ARN of a session leaves out the path of its role.
            told = re.sub(r"(:role/).*/", r"\1", str(told), flags=re.DOTALL)
        if key != "aws:userid" and told != value:
            found.append(f"{key} is {value} for {request.principal}")
    if {"aws:sourceip", "aws:sourcevpc"} <= context.keys() or {
        "aws:sourceip",
        "aws:sourcevpce",
    } <= context.keys():
        found.append("an address and a VPC endpoint")
    for key in sorted(BOOLEANS & context.keys()):
        if context[key] not in ("true", "false"):
            found.append(f"{key} is a Boolean")
    tls = context.get("s3:tlsversion", "0")
    if not isinstance(tls, str) or not re.fullmatch(r"[0-9]+(\.[0-9]+)?", tls) or float(tls) >= 1.2:
        found.append("s3:TlsVersion is absent or below 1.2")
    try:
        ipaddress.ip_address(str(context.get("aws:sourceip", "::")))
    except ValueError:
        found.append("aws:SourceIp is no address")
    source = str(context.get("aws:sourcearn", "arn:aws:s3:::a"))
    if not source.startswith("arn:") or source.count(":") < 5:
        found.append("aws:SourceArn is an ARN")
    if str(context.get("aws:currenttime", "2026-11")) < "2026":
        found.append("aws:CurrentTime is in the past")
    listed = {key.lower().partition("/")[0] for key in keys_of(action)} if action in LISTED else set()
    found += [
        f"{request.action} has no {key}"
        for key in context
        if key.startswith("s3:") and key != "s3:tlsversion" and key.partition("/")[0] not in listed
    ]
    found += [
        f"{key} is there over HTTPS only"
        for key in context
        if key.startswith(
            ("s3:accesspoint", "s3:dataaccesspoint", "s3:x-amz-server-side-encryption-customer")
        )
    ]
    words = json.dumps(_without_allows(policy)).lower()
    if "2012-10-17" not in words:
        words = re.sub(r"\$\{[^}]*\}", "", words)  # No variables, so nothing is asked for.
    if '"aws:sourceip"' in words and not {"aws:sourceip", "aws:sourcevpce"} & context.keys():
        found.append("from no address and through no VPC endpoint")
    found += [f"{key} is always present" for key in sorted(ALWAYS) if key in words and key not in context]
    return found
