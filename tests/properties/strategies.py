"""Random policies and requests, made of the words that real bucket policies use.

Policies made of random statements are almost never proven, and so say little about proofs. `policies`
therefore cuts the whole of all requests into complementary pieces, one statement each, as people do, and
then now and then loses a piece or changes a word: about half of them cover everything, the others nearly.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from itertools import product
from typing import Any

from hypothesis import strategies as st

from secure_bucket.policy import Request
from tests.cases.request_space import (
    ALICE,
    BUCKET,
    BY_SERVICES,
    MALLORY,
    NOT_ANONYMOUS,
    ROOT,
    SERVICE,
    SESSION,
    identity,
)

Json = Any
Condition = dict[str, dict[str, Json]]

OBJECTS = f"{BUCKET}/*"
ACTION_PATTERNS = (
    *("s3:Get*", "s3:GetObject", "s3:GetObject*", "s3:Put*", "s3:*Object*", "s3:List*", "s3:*Bucket*"),
    *("s3:?et*", "S3:DELETE*", "s3:*Acl", "s3:Get*Acl", "s3:PutObject?*"),
)
RESOURCE_PATTERNS = (
    *(BUCKET, OBJECTS, f"{BUCKET}/a*", f"{BUCKET}/ab*", f"{BUCKET}/*b", f"{BUCKET}/a/*", f"{BUCKET}/?"),
    *(f"{BUCKET}/??*", f"{BUCKET}/*a*", f"{BUCKET}*", f"{BUCKET}/${{*}}", "arn:aws:s3:::other*"),
    *(f"{BUCKET}/${{aws:username}}*", f"{BUCKET}/${{aws:PrincipalTag/team, 'a'}}*"),
)
KEYS = ("a", "b", "ab", "ba", "a/b", "report.csv", "alice", "alice/x", "reda", "*", "?", "${*}", "aa", "A")
ACTIONS_ON_OBJECTS = (
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:GetObjectAcl",
    "s3:AbortMultipartUpload",
)
ACTIONS_ON_BUCKET = ("s3:ListBucket", "s3:GetBucketPolicy", "s3:PutLifecycleConfiguration", "s3:GetBucketAcl")
PRINCIPALS = ("anonymous", ALICE, MALLORY, ROOT, SESSION, SERVICE)

# What follows from who asks.
IDENTITIES = {
    "aws:PrincipalAccount": ("111122223333", "444455556666", "1111*"),
    "aws:PrincipalArn": (ALICE, "arn:aws:iam::111122223333:role/app", "arn:aws:iam::*:user/*", ROOT),
    "aws:PrincipalType": ("Anonymous", "User", "AssumedRole", "A*"),
    "aws:username": ("alice", "mallory", "*"),
}
# Conditions that compare one key with another: equal for some people, unequal for others, absent for more.
VARIABLES = (
    ("aws:PrincipalTag/team", "${aws:PrincipalType}"),
    ("aws:Referer", "${aws:PrincipalTag/team, 'x'}"),
    ("aws:SourceVpc", "${aws:PrincipalTag/team}"),
    ("aws:userid", "${aws:username}"),
    ("aws:userid", "${aws:userid}"),
)

# Key by key: values that policies and requests of this world have.
VALUES: dict[str, tuple[str, ...]] = {
    "aws:SourceVpc": ("vpc-1", "vpc-2", "vpc-12"),
    "aws:SourceVpce": ("vpce-1", "vpce-2"),
    "aws:PrincipalOrgID": ("o-abc123", "o-xyz789"),
    "aws:PrincipalTag/team": ("red", "Red", "blue", "re"),
    "aws:UserAgent": ("curl/8", "aws-cli/2", ""),
    "aws:userid": ("anonymous", "AIDA", "AROA:i", "AIDA2"),
    "aws:Referer": ("http://example.com/a", "http://example.com/", "x"),
}
ADDRESSES = (
    "10.1.2.3",
    "10.200.0.1",
    "192.0.2.1",
    "203.0.113.7",
    "0.0.0.0",
    "255.255.255.255",
    "2001:db8::7",
    "::1",
)
RANGES = (
    *("10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "192.0.2.0/24", "192.0.2.1", "0.0.0.0/1", "128.0.0.0/1"),
    *("2001:db8::/32", "2001:db8::/33", "8000::/1", "::/1"),
)
TIMES = ("2025-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "2029-12-31T23:59:59Z", "2030-01-01T01:00:00+01:00")
REQUEST_TIMES = ("2026-11-30T00:00:00Z", *TIMES[1:])
"""Nobody can send a request in the past."""
NUMBERS = ("1", "2", "1.5", "2.0", "10")
BOOLEAN_KEYS = ("aws:ViaAWSService", "aws:PrincipalIsAWSService", "aws:MultiFactorAuthPresent")
SETS = ("a", "b", "c")
SOURCE_ARNS = ("arn:aws:s3:::a", "arn:aws:s3:::ab", "arn:aws:cloudtrail:us-east-1:111122223333:trail/t")

HTTP: Condition = {"Bool": {"aws:SecureTransport": "false"}}


def _some(values: tuple[str, ...]) -> st.SearchStrategy[Json]:
    """Return one of the values, or a list of a few."""
    return st.one_of(
        st.sampled_from(values), st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)
    )


@st.composite
def cuts(draw: st.DrawFn) -> tuple[Condition, ...]:
    """Draw conditions of which every request satisfies one: a cut along one condition key."""
    kind = draw(
        st.sampled_from(
            (
                "equals",
                "case",
                "like",
                "null",
                "ip",
                "date",
                "number",
                "bool",
                "set",
                "arn",
                "endpoint",
                "tls",
                "variable",
            )
        )
    )
    if kind in ("equals", "case", "like"):
        key = draw(st.sampled_from(sorted(VALUES)))
        if kind == "like":
            written: Json = draw(
                st.sampled_from([f"{value[:2]}*" for value in VALUES[key]] + ["*", "?*", "*1", "r?d"])
            )
            return {"StringLike": {key: written}}, {"StringNotLike": {key: written}}
        written = draw(_some(VALUES[key]))
        if kind == "case":
            return {"StringEqualsIgnoreCase": {key: written}}, {"StringNotEqualsIgnoreCase": {key: written}}
        return {"StringEquals": {key: written}}, {"StringNotEquals": {key: written}}
    if kind == "null":
        key = draw(
            st.sampled_from((*VALUES, "aws:SourceIp", "aws:PrincipalArn", "aws:TagKeys", *BOOLEAN_KEYS))
        )
        return {"Null": {key: "true"}}, {"Null": {key: "false"}}
    if kind == "ip":
        written = draw(_some(RANGES))
        return {"IpAddress": {"aws:SourceIp": written}}, {"NotIpAddress": {"aws:SourceIp": written}}
    if kind == "date":
        time = draw(st.sampled_from(TIMES))
        key = "aws:CurrentTime"
        strict = draw(st.booleans())
        less, greater = ("LessThan", "GreaterThanEquals") if strict else ("LessThanEquals", "GreaterThan")
        return {f"Date{less}": {key: time}}, {f"Date{greater}": {key: time}}
    if kind == "who":
        key = draw(st.sampled_from(sorted(IDENTITIES)))
        written = draw(_some(IDENTITIES[key]))
        families = ("StringEquals", "StringLike") + (("ArnLike",) if key == "aws:PrincipalArn" else ())
        operator = draw(st.sampled_from(families))
        negated = operator.replace("Equals", "NotEquals").replace("Like", "NotLike")
        return {operator: {key: written}}, {negated: {key: written}}
    if kind == "tls":
        if draw(st.booleans()):
            return {"Null": {"s3:TlsVersion": "true"}}, {"Null": {"s3:TlsVersion": "false"}}
        number = draw(st.sampled_from(("1.0", "1.1", "1.2")))
        return (
            {"NumericLessThanIfExists": {"s3:TlsVersion": number}},
            {"NumericGreaterThanEquals": {"s3:TlsVersion": number}},
        )
    if kind == "variable":
        key, variable = draw(st.sampled_from(VARIABLES))
        return {"StringEquals": {key: variable}}, {"StringNotEquals": {key: variable}}
    if kind == "number":
        number, key = draw(st.sampled_from(NUMBERS)), "s3:max-keys"
        if draw(st.booleans()):
            return {"NumericEquals": {key: number}}, {"NumericNotEquals": {key: number}}
        return {"NumericLessThanIfExists": {key: number}}, {"NumericGreaterThanEquals": {key: number}}
    if kind == "bool":
        key = draw(st.sampled_from(BOOLEAN_KEYS))
        return {"BoolIfExists": {key: "true"}}, {"Bool": {key: "false"}}
    if kind == "set":
        written = draw(_some(SETS))
        first, second = draw(
            st.sampled_from((("ForAllValues", "ForAnyValue"), ("ForAnyValue", "ForAllValues")))
        )
        return (
            {f"{first}:StringEquals": {"aws:TagKeys": written}},
            {f"{second}:StringNotEquals": {"aws:TagKeys": written}},
        )
    if kind == "arn":
        written = draw(st.sampled_from(("arn:aws:s3:::a*", "arn:aws:s3:::a", "arn:*:*:*:*:*")))
        operator = draw(st.sampled_from(("Like", "Equals")))
        return {f"Arn{operator}": {"aws:SourceArn": written}}, {
            f"ArnNot{operator}": {"aws:SourceArn": written}
        }
    return (
        {"StringNotEqualsIfExists": {"aws:SourceVpce": "vpce-1"}},
        {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
    )


def statement(**elements: Json) -> dict[str, Json]:
    """Return the Deny of everything to everyone over HTTP, but for the given elements."""
    whole: dict[str, Json] = {"Effect": "Deny"}
    for name, default in (("Principal", "*"), ("Action", "s3:*"), ("Resource", [BUCKET, OBJECTS])):
        if f"Not{name}" not in elements:
            whole[name] = default
    return {**whole, "Condition": copy.deepcopy(HTTP), **elements}


def _with(piece: dict[str, Json], condition: Condition) -> dict[str, Json]:
    merged = copy.deepcopy(piece["Condition"])
    for operator, keys in condition.items():
        merged.setdefault(operator, {}).update(keys)
    return {**piece, "Condition": merged}


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Json]:
    """Draw a policy of which the statements cover all requests over HTTP, or nearly so."""
    pieces = [statement()]
    for _ in range(draw(st.integers(0, 3))):
        index = draw(st.integers(0, len(pieces) - 1))
        piece = pieces.pop(index)
        along = draw(st.sampled_from(("action", "resource", "condition", "condition")))
        if along == "action" and piece.get("Action") == "s3:*":
            pattern = draw(_some(ACTION_PATTERNS))
            rest = {name: value for name, value in piece.items() if name != "Action"}
            pieces += [{**rest, "Action": pattern}, {**rest, "NotAction": pattern}]
        elif along == "resource" and piece.get("Resource") == [BUCKET, OBJECTS]:
            pattern = draw(_some(RESOURCE_PATTERNS))
            rest = {name: value for name, value in piece.items() if name != "Resource"}
            pieces += [{**rest, "Resource": pattern}, {**rest, "NotResource": pattern}]
        else:
            pieces += [_with(piece, condition) for condition in draw(cuts())]
    pieces = [draw(_maybe_changed(piece)) for piece in pieces]
    if len(pieces) > 1 and draw(st.integers(0, 3)) == 0:
        pieces.pop(draw(st.integers(0, len(pieces) - 1)))
    pieces += draw(st.lists(loose_statements(), max_size=1))
    return {"Version": draw(st.sampled_from(("2012-10-17", "2012-10-17", "2008-10-17"))), "Statement": pieces}


@st.composite
def _maybe_changed(draw: st.DrawFn, piece: dict[str, Json]) -> dict[str, Json]:
    change = draw(
        st.sampled_from(("none",) * 12 + ("action", "resource", "principal", "condition", "transport"))
    )
    if change == "action" and "Action" in piece:
        return {**piece, "Action": draw(_some(ACTION_PATTERNS))}
    if change == "resource" and "Resource" in piece:
        return {**piece, "Resource": draw(_some(RESOURCE_PATTERNS))}
    if change == "principal":
        named = (
            {"AWS": "*"},
            {"AWS": "111122223333"},
            {"AWS": ALICE},
            {"Service": SERVICE},
            {"AWS": [ROOT, "*"]},
        )
        rest = {name: value for name, value in piece.items() if name != "Principal"}
        return {**rest, draw(st.sampled_from(("Principal", "NotPrincipal"))): draw(st.sampled_from(named))}
    if change == "condition":
        return _with(piece, draw(st.sampled_from(draw(cuts()))))
    if change == "transport":
        return {
            **piece,
            "Condition": {
                "Bool": {"aws:SecureTransport": draw(st.sampled_from(("true", ["true", "false"])))}
            },
        }
    return piece


@st.composite
def loose_statements(draw: st.DrawFn) -> dict[str, Json]:
    """Draw one statement that need not fit the others."""
    elements: dict[str, Json] = {"Effect": draw(st.sampled_from(("Deny", "Deny", "Deny", "Allow")))}
    elements[draw(st.sampled_from(("Action", "NotAction")))] = draw(_some(ACTION_PATTERNS))
    elements[draw(st.sampled_from(("Resource", "NotResource")))] = draw(_some(RESOURCE_PATTERNS))
    piece = statement(**elements)
    for condition in draw(st.lists(cuts(), max_size=2)):
        piece = _with(piece, draw(st.sampled_from(condition)))
    return piece


# What the context of a request may hold beside who asks and `aws:SecureTransport`.
_OPTIONAL: dict[str, tuple[Json, ...]] = {
    **{key: values for key, values in VALUES.items() if key != "aws:userid"},
    "aws:MultiFactorAuthPresent": ("true", "false"),
    "s3:max-keys": (*NUMBERS, "0"),
    "aws:TagKeys": (["a"], ["a", "b"], ["c"], ["c", "a"], "b"),
    "aws:SourceArn": SOURCE_ARNS,
    "s3:TlsVersion": ("1.0", "1.1"),
}


_ALWAYS: dict[str, tuple[Json, ...]] = {
    "aws:CurrentTime": REQUEST_TIMES,
    "aws:UserAgent": VALUES["aws:UserAgent"],
    "aws:ViaAWSService": ("true", "false"),
}


def _context(principal: str, place: dict[str, Json], optional: dict[str, Json]) -> dict[str, Json] | None:
    """Return a context that can be, or None."""
    context = {"aws:SecureTransport": "false", **identity(principal), **place, **optional}
    endpoint = context.keys() & {"aws:SourceVpc", "aws:SourceVpce"}
    if principal == "anonymous" and NOT_ANONYMOUS & {key.lower() for key in optional}:
        return None
    if endpoint and "aws:SourceIp" in context:
        return None
    if BY_SERVICES & {key.lower() for key in optional} and principal != SERVICE:
        return None
    # A request comes from an address or through a VPC endpoint.
    missing = {"aws:SourceVpce": "vpce-9"} if endpoint else {"aws:SourceIp": "198.51.100.1"}
    return missing | context if "aws:SourceIp" not in context else context


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Draw a request over plain HTTP."""
    principal = draw(st.sampled_from(PRINCIPALS))
    if draw(st.booleans()):
        action, resource = draw(st.sampled_from(ACTIONS_ON_BUCKET)), BUCKET
    else:
        action, resource = (
            draw(st.sampled_from(ACTIONS_ON_OBJECTS)),
            f"{BUCKET}/{draw(st.sampled_from(KEYS))}",
        )
    place: dict[str, Json] = {
        "aws:CurrentTime": draw(st.sampled_from(REQUEST_TIMES)),
        "aws:EpochTime": "1893456000",
    }
    place["aws:ViaAWSService"] = draw(st.sampled_from(("true", "false")))
    place["aws:UserAgent"] = draw(st.sampled_from(VALUES["aws:UserAgent"]))
    barred = NOT_ANONYMOUS if principal == "anonymous" else set()
    barred = barred | (BY_SERVICES if principal != SERVICE else set()) | {"aws:useragent"}
    if draw(st.booleans()):
        place["aws:SourceIp"] = draw(st.sampled_from(ADDRESSES))
        barred = barred | {"aws:sourcevpc", "aws:sourcevpce"}
    names = [key for key in sorted(_OPTIONAL) if key.lower() not in barred]
    chosen = draw(st.lists(st.sampled_from(names), max_size=5, unique=True))
    context = _context(principal, place, {key: draw(st.sampled_from(_OPTIONAL[key])) for key in chosen})
    assert context is not None
    return Request(principal, action, resource, context)


def small_space(policy: dict[str, Json]) -> Iterator[Request]:
    """Yield every request of a small space made of the policy's own condition keys."""
    text = json.dumps(policy)
    choices = [
        [*([] if key in _ALWAYS else [{}]), *({key: value} for value in values)]
        for key, values in {**_OPTIONAL, **_ALWAYS, "aws:SourceIp": ADDRESSES}.items()
        if key in text
    ]
    always = {
        "aws:CurrentTime": REQUEST_TIMES[0],
        "aws:EpochTime": "1795996800",
        "aws:ViaAWSService": "false",
    }
    # People turn fastest, so that a caller who stops early has met all of them.
    for parts, principal in product(product(*choices), PRINCIPALS):
        optional = {key: value for part in parts for key, value in part.items()}
        context = _context(principal, always, optional)
        if context is not None:
            for action in ACTIONS_ON_BUCKET[:2]:
                yield Request(principal, action, BUCKET, context)
            for action, key in product(ACTIONS_ON_OBJECTS[:2], KEYS[:6]):
                yield Request(principal, action, f"{BUCKET}/{key}", context)
