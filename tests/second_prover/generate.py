"""Generate policies: every operator, set operator, negation, variable, `Not…` element and value at a border.

`generate` is a function of a seed. Most policies cut the whole of all requests into complementary pieces,
one statement each (so they are secure), and then may lose a piece or change a word (so exactly that
class of requests may be open). The others are random statements, and changes of given policies.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from typing import Any

from tests.second_prover.facts import Key, Type, key_of
from tests.second_prover.request import BUCKET

__all__ = ["generate", "mutate"]

Json = Any
OBJECTS = f"{BUCKET}/*"

KEYS = (
    *("aws:CurrentTime", "aws:EpochTime", "aws:PrincipalType", "aws:userid", "aws:ViaAWSService"),
    *("aws:RequestedRegion", "aws:UserAgent", "aws:Referer", "aws:PrincipalArn", "aws:PrincipalAccount"),
    *("aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalIsAWSService", "aws:PrincipalServiceName"),
    *("aws:PrincipalServiceNamesList", "aws:username", "aws:TokenIssueTime", "aws:MultiFactorAuthAge"),
    *("aws:MultiFactorAuthPresent", "aws:SourceIdentity", "aws:SourceIp", "aws:SourceVpc", "aws:SourceVpce"),
    *("aws:VpcSourceIp", "aws:ResourceAccount", "aws:ResourceOrgID", "aws:CalledVia", "aws:CalledViaFirst"),
    *("aws:TagKeys", "aws:SourceAccount", "aws:SourceArn", "aws:SourceOrgID", "aws:PrincipalTag/team"),
    *("aws:RequestTag/team", "aws:ResourceTag/team", "s3:ExistingObjectTag/team", "s3:RequestObjectTagKeys"),
    *("s3:TlsVersion", "s3:authType", "s3:signatureversion", "s3:signatureAge", "s3:x-amz-content-sha256"),
    *("s3:ResourceAccount", "s3:max-keys", "s3:prefix", "s3:delimiter", "s3:versionid", "s3:x-amz-acl"),
    *("s3:object-lock-remaining-retention-days", "s3:object-lock-retain-until-date"),
    *("s3:x-amz-server-side-encryption", "aws:Ec2InstanceSourceVpc", "ec2:SourceInstanceARN"),
    *("aws:SourceVpcArn", "aws:VpceAccount", "lambda:SourceFunctionArn", "aws:FederatedProvider"),
    "aws:NoSuchKey",
)
ALICE = "arn:aws:iam::111122223333:user/alice"
WORDS: dict[str, Sequence[str]] = {
    "aws:principaltype": ("Anonymous", "User", "AssumedRole", "Account", "FederatedUser", "A*", "*User"),
    "aws:userid": ("AIDAAAAAAAAAAAAAAAAAA", "AROAAAAAAAAAAAAAAAAAA:*", "*:*", "anonymous", "111122223333"),
    "aws:requestedregion": ("us-east-1", "eu-*", "us-*"),
    "aws:principalarn": (
        *(ALICE, "arn:aws:iam::*:user/*", "arn:aws:iam::111122223333:role/app", "arn:aws:iam::*:root"),
        *("arn:aws:iam::111122223333:role/x/app", "arn:aws:iam::*:role/*", "arn:aws:sts::*:federated-user/*"),
        *("arn:aws:iam::111122223333:*", "arn:aws:*", "*", "arn:aws:sts::111122223333:assumed-role/app/s"),
    ),
    "aws:principalaccount": ("111122223333", "anonymous", "1*", "????????????"),
    "aws:principalorgid": ("o-a1b2c3d4e5", "o-zzzzzzzzzz", "o-*"),
    "aws:principalorgpaths": ("o-a1b2c3d4e5/*", "o-a1b2c3d4e5/r-ab12/", "o-a1b2c3d4e5/r-ab12/ou-ab12-1/"),
    "aws:principalservicename": ("cloudtrail.amazonaws.com", "*.amazonaws.com", "s3.amazonaws.com"),
    "aws:principalservicenameslist": ("cloudtrail.amazonaws.com", "*.amazonaws.com"),
    "aws:username": ("alice", "bob", "a*", "?"),
    "aws:sourcevpc": ("vpc-0a1b2c3d", "vpc-11111111", "vpc-*"),
    "aws:sourcevpce": ("vpce-0a1b2c3d", "vpce-11111111", "vpce-*"),
    "aws:resourceaccount": ("111122223333", "444455556666", "1*"),
    "aws:calledvia": ("athena.amazonaws.com", "*.amazonaws.com"),
    "aws:sourceaccount": ("111122223333", "*"),
    "aws:sourcearn": (
        *("arn:aws:cloudtrail:us-east-1:111122223333:trail/t", "arn:aws:s3:::source", "arn:aws:s3:::s*"),
        *("arn:aws:*:*:*:*", "arn:*"),
    ),
    "s3:authtype": ("REST-HEADER", "REST-QUERY-STRING", "POST", "REST-*"),
    "s3:signatureversion": ("AWS4-HMAC-SHA256", "AWS"),
    "s3:x-amz-acl": ("private", "public-read", "public-*", "bucket-owner-full-control"),
    "s3:prefix": (
        "",
        "a",
        "A",
        "a*",
        "home/",
        "home/*",
        "?",
        "*b*",
        "home/${aws:username}/*",
        "${aws:username}",
    ),
}
PLAIN = ("a", "b", "A", "ab", "a*", "*b", "?", "*", "b?", "a b")
BORDERS = (
    *(
        "",
        "*",
        "?",
        "**",
        "?*",
        "${*}",
        "${?}",
        "${$}",
        "é",
        "É",
        "ſ",
        "K",
        "\u0131",
        "日本",
        "a\nb",
        "\\u{41}",
    ),
    *("${aws:username}", "${aws:PrincipalTag/team}", "${aws:PrincipalTag/team, 'a'}", "x${aws:username}y"),
    *("${aws:userid}", "${aws:PrincipalAccount}", "${aws:SourceVpc}", "${aws:PrincipalType}", "${s3:prefix}"),
    *("${aws:SourceIp}", "${aws:username", "${ aws:username }", "${aws:username,'a'}", "a" * 300),
)
NUMBERS = ("0", "1", "2", "10", "100", "1.2", "1.0", "0.5", "10.0", "600000", "3600")
ODD_NUMBERS = (
    "-1",
    "-2",
    "-0",
    "0.0",
    "9007199254740993",
    "9007199254740992",
    "99999999999999999999",
    "1e3",
    "",
    "x",
)
DATES = (
    "2030-01-01T00:00:00Z",
    "2030-01-01",
    "2029-12-31T23:59:59Z",
    "1893456000",
    "2030-01-01T01:00:00+01:00",
)
ODD_DATES = (
    "1960-01-01T00:00:00Z",
    "0",
    "-1",
    "2030",
    "9999-12-31T23:59:59Z",
    "2030-01-01T00:00:00.5Z",
    "x",
    "",
)
RANGES = (
    "8.8.8.0/24",
    "8.8.8.8",
    "8.0.0.0/8",
    "0.0.0.0/0",
    "::/0",
    "2600::/12",
    "2600:1f00::/24",
    "8.8.8.8/32",
)
ODD_RANGES = (
    *(
        "10.0.0.0/8",
        "0.0.0.0/1",
        "128.0.0.0/1",
        "8.8.8.0/255.255.255.0",
        "8.8.8.8/0",
        "::ffff:8.8.8.8",
        "x",
        "",
    ),
    *("2600::1/128", "8.8.8", "08.8.8.8", "2600::/1", "8000::/1", "::/1"),
)
ACTIONS = (
    *(
        "s3:Get*",
        "s3:GetObject",
        "s3:GetObject*",
        "s3:Put*",
        "s3:*Object*",
        "s3:List*",
        "s3:*Bucket*",
        "s3:?et*",
    ),
    *("S3:DELETE*", "s3:*Acl", "s3:PutObject?*", "s3:*", "*", "s3:ListBucket", "s3:PutObject", "s3:A*"),
)
ODD_ACTIONS = (
    "s3:**",
    "s3:GetObject?",
    "s3:ListBuc\u212aet",
    "s3:",
    "s*:*",
    "*:*",
    "iam:*",
    "s3:get\u017f*",
    "s3:CreateBucket",
)
RESOURCES = (
    *(BUCKET, OBJECTS, f"{BUCKET}/a*", f"{BUCKET}/ab*", f"{BUCKET}/*b", f"{BUCKET}/a/*", f"{BUCKET}/?"),
    *(
        f"{BUCKET}/??*",
        f"{BUCKET}/*a*",
        f"{BUCKET}*",
        "arn:aws:s3:::*",
        "*",
        f"{BUCKET}/a",
        f"{BUCKET}/home/*",
    ),
)
ODD_RESOURCES = (
    *(f"{BUCKET}/${{*}}", f"{BUCKET}/${{aws:username}}/*", f"{BUCKET}/${{aws:PrincipalTag/team, 'a'}}*"),
    *(
        "arn:aws:s3:::other*",
        f"{BUCKET}/",
        f"{BUCKET}/**",
        f"{BUCKET}?",
        "arn:aws:s3:::example-*",
        f"{BUCKET}/é*",
    ),
    *(
        "arn:aws-cn:s3:::example-bucket/*",
        "arn:aws:s3:*:*:example-bucket/*",
        "arn:*:s3:::example-bucket",
        "arn:aws:s3:::?*/*",
    ),
    *(
        "arn:aws:s3:::example-bucket/${aws:userid}",
        "arn:aws:s3:::*/*",
        "arn:aws:s3:::*bucket",
        "arn:aws:s3:::EXAMPLE-bucket/*",
    ),
)
PRINCIPALS: tuple[Json, ...] = (
    *("*", {"AWS": "*"}, {"AWS": "111122223333"}, {"AWS": "arn:aws:iam::111122223333:root"}, {"AWS": ALICE}),
    *({"AWS": "arn:aws:iam::111122223333:role/app"}, {"Service": "cloudtrail.amazonaws.com"}),
    *(
        {"AWS": ["*", ALICE]},
        {"AWS": "arn:aws:iam::111122223333:role/x/app"},
        {"Federated": "accounts.google.com"},
    ),
    *({"AWS": "arn:aws:sts::111122223333:assumed-role/app/session"}, {"CanonicalUser": "7" * 64}),
    *({"AWS": "*", "Service": "s3.amazonaws.com"}, {"AWS": "arn:aws:sts::111122223333:federated-user/fed"}),
)
STRINGS = ("StringEquals", "StringEqualsIgnoreCase", "StringLike")
ARNS = ("ArnEquals", "ArnLike")
ORDER = ("LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals", "Equals", "NotEquals")
COUNTERPART = {
    "LessThan": "GreaterThanEquals",
    "GreaterThanEquals": "LessThan",
    "LessThanEquals": "GreaterThan",
    "GreaterThan": "LessThanEquals",
    "Equals": "NotEquals",
    "NotEquals": "Equals",
}


class Piece:
    """What is left of a statement: its elements but for `Effect`."""

    def __init__(self) -> None:
        self.elements: dict[str, Json] = {"Principal": "*", "Action": "s3:*", "Resource": [BUCKET, OBJECTS]}
        self.condition: dict[str, dict[str, Json]] = {"Bool": {"aws:SecureTransport": "false"}}

    def with_condition(self, operator: str, key: str, value: Json) -> Piece | None:
        if key in self.condition.get(operator, {}):
            return None
        new = copy.deepcopy(self)
        new.condition.setdefault(operator, {})[key] = value
        return new

    def statement(self) -> dict[str, Json]:
        return {"Effect": "Deny", **self.elements, "Condition": self.condition}


def _value(rng: random.Random, key: Key, *, odd: float) -> str:
    strange = rng.random() < odd
    match key.type:
        case Type.BOOL:
            return rng.choice(("True", "", "1", "x") if strange else ("true", "false"))
        case Type.NUMBER | Type.WHOLE:
            return rng.choice(ODD_NUMBERS if strange else NUMBERS)
        case Type.DATE:
            return rng.choice(ODD_DATES if strange else DATES)
        case Type.DATE_OR_NUMBER:
            return rng.choice(
                (*ODD_DATES, *ODD_NUMBERS) if strange else ("1893456000", "1893455999", "1893456001")
            )
        case Type.ADDRESS:
            return rng.choice(ODD_RANGES if strange else RANGES)
        case _:
            return rng.choice(BORDERS if strange else WORDS.get(key.name, PLAIN))


def _values(rng: random.Random, key: Key, *, odd: float) -> Json:
    count = rng.choice((1, 1, 1, 1, 2, 2, 3))
    values = [_value(rng, key, odd=odd) for _ in range(count)]
    return values if len(values) > 1 else values[0]


def _complements(rng: random.Random, odd: float) -> tuple[tuple[str, str, Json], tuple[str, str, Json]]:
    """Return two conditions of which every request satisfies exactly one."""
    name = rng.choice(KEYS)
    key = key_of(name)
    if rng.random() < 0.15:
        return ("Null", name, "true"), ("Null", name, "false")
    value = _values(rng, key, odd=odd)
    match key.type:
        case Type.BOOL:
            return ("Bool", name, "true"), ("BoolIfExists", name, "false")
        case Type.NUMBER | Type.WHOLE | Type.DATE | Type.DATE_OR_NUMBER:
            family = "Date" if key.type is Type.DATE else "Numeric"
            if key.type is Type.DATE_OR_NUMBER and rng.random() < 0.5:
                family = "Date"
            order = rng.choice(ORDER)
            one, other = f"{family}{order}", f"{family}{COUNTERPART[order]}"
            if isinstance(value, list):
                value = value[0]
            if "NotEquals" in one:
                return (one, name, value), (other, name, value)
            if "NotEquals" in other:
                return (one, name, value), (other, name, value)
            return (one, name, value), (f"{other}IfExists", name, value)
        case Type.ADDRESS:
            return ("IpAddress", name, value), ("NotIpAddress", name, value)
        case kind:
            family = rng.choice(ARNS if kind is Type.ARN and rng.random() < 0.7 else STRINGS)
            negated = family.replace("String", "StringNot").replace("Arn", "ArnNot")
            if key.many or rng.random() < 0.05:
                if rng.random() < 0.5:
                    return (f"ForAllValues:{family}", name, value), (f"ForAnyValue:{negated}", name, value)
                return (f"ForAnyValue:{family}", name, value), (f"ForAllValues:{negated}", name, value)
            return (family, name, value), (negated, name, value)


def _split(rng: random.Random, piece: Piece, odd: float) -> list[Piece]:
    way = rng.random()
    if way < 0.15 and piece.elements.get("Action") == "s3:*":
        names = rng.sample(ODD_ACTIONS if rng.random() < odd else ACTIONS, rng.choice((1, 1, 2)))
        pieces = [copy.deepcopy(piece), copy.deepcopy(piece)]
        pieces[0].elements["Action"] = names
        del pieces[1].elements["Action"]
        pieces[1].elements["NotAction"] = names
        return pieces
    if way < 0.3 and "Resource" in piece.elements and len(piece.elements["Resource"]) == 2:
        names = rng.sample(ODD_RESOURCES if rng.random() < odd else RESOURCES, rng.choice((1, 1, 2)))
        pieces = [copy.deepcopy(piece), copy.deepcopy(piece)]
        pieces[0].elements["Resource"] = names
        del pieces[1].elements["Resource"]
        pieces[1].elements["NotResource"] = names
        return pieces
    one, other = _complements(rng, odd)
    pieces = [piece.with_condition(*one), piece.with_condition(*other)]
    return [found for found in pieces if found is not None] if None not in pieces else [piece]


def _cut(rng: random.Random) -> list[Json]:
    odd = rng.choice((0.0, 0.05, 0.3))
    pieces = [Piece()]
    for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 2, 3))):
        at = rng.randrange(len(pieces))
        pieces[at : at + 1] = _split(rng, pieces[at], odd)
    return [piece.statement() for piece in pieces]


def _random_condition(rng: random.Random) -> tuple[str, str, Json]:
    name = rng.choice(KEYS)
    key = key_of(name)
    if rng.random() < 0.1:
        return "Null", name, rng.choice(("true", "false"))
    if rng.random() < 0.05:
        # An operator of another type than the key.
        key = key_of(rng.choice(KEYS))
    value = _values(rng, key, odd=0.15)
    match key.type:
        case Type.BOOL:
            operator = "Bool"
        case Type.NUMBER | Type.WHOLE:
            operator = f"Numeric{rng.choice(ORDER)}"
        case Type.DATE:
            operator = f"Date{rng.choice(ORDER)}"
        case Type.DATE_OR_NUMBER:
            operator = f"{rng.choice(('Date', 'Numeric'))}{rng.choice(ORDER)}"
        case Type.ADDRESS:
            operator = rng.choice(("IpAddress", "NotIpAddress"))
        case kind:
            operator = rng.choice(ARNS if kind is Type.ARN and rng.random() < 0.7 else STRINGS)
            if rng.random() < 0.5:
                operator = operator.replace("String", "StringNot").replace("Arn", "ArnNot")
    if rng.random() < 0.3:
        operator += "IfExists"
    if key_of(name).many or rng.random() < 0.04:
        operator = f"{rng.choice(('ForAllValues', 'ForAnyValue'))}:{operator}"
    return operator, name, value


def _soup(rng: random.Random) -> list[Json]:
    statements = []
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
        piece = Piece()
        elements = piece.elements
        if rng.random() < 0.2:
            elements["Principal"] = rng.choice(PRINCIPALS)
        if rng.random() < 0.05:
            del elements["Principal"]
            elements["NotPrincipal"] = rng.choice(PRINCIPALS)
        if rng.random() < 0.2:
            elements["Action"] = rng.sample((*ACTIONS, *ODD_ACTIONS), rng.choice((1, 2, 3)))
        if rng.random() < 0.1:
            elements["NotAction"] = (
                elements.pop("Action") if elements["Action"] != "s3:*" else rng.choice(ACTIONS)
            )
            elements.pop("Action", None)
        if rng.random() < 0.2:
            elements["Resource"] = rng.sample((*RESOURCES, *ODD_RESOURCES), rng.choice((1, 2, 3)))
        if rng.random() < 0.08:
            elements["NotResource"] = rng.choice((*RESOURCES, *ODD_RESOURCES))
            elements.pop("Resource")
        if rng.random() < 0.15:
            piece.condition = {}
        for _ in range(rng.choice((0, 1, 1, 2))):
            piece = piece.with_condition(*_random_condition(rng)) or piece
        statement = piece.statement()
        if not statement["Condition"]:
            del statement["Condition"]
        statements.append(statement)
    return statements


def mutate(rng: random.Random, policy: Json) -> Json:
    """Change one word of a policy, or lose one."""
    policy = copy.deepcopy(policy)
    statements = policy.get("Statement", [])
    if isinstance(statements, dict):
        statements = policy["Statement"] = [statements]
    if not isinstance(statements, list):
        return policy
    denies = [one for one in statements if isinstance(one, dict) and one.get("Effect") == "Deny"]
    if not denies:
        return policy
    one = rng.choice(denies)
    way = rng.randrange(12)
    condition = one.get("Condition")
    blocks = [
        (operator, key)
        for operator, block in (condition.items() if isinstance(condition, dict) else ())
        for key in (block if isinstance(block, dict) else ())
    ]
    if way == 0 and len(statements) > 1:
        statements.remove(one)
    elif way == 1:
        one.pop("Principal", None)
        one.pop("NotPrincipal", None)
        one["Principal" if rng.random() < 0.7 else "NotPrincipal"] = rng.choice(PRINCIPALS)
    elif way == 2:
        one.pop("Action", None)
        one.pop("NotAction", None)
        name = "Action" if rng.random() < 0.6 else "NotAction"
        one[name] = rng.sample((*ACTIONS, *ODD_ACTIONS), rng.choice((1, 2)))
    elif way == 3:
        one.pop("Resource", None)
        one.pop("NotResource", None)
        name = "Resource" if rng.random() < 0.6 else "NotResource"
        one[name] = rng.sample((*RESOURCES, *ODD_RESOURCES), rng.choice((1, 2, 3)))
    elif way == 4:
        operator, key, value = _random_condition(rng)
        one.setdefault("Condition", {}).setdefault(operator, {})[key] = value
    elif way == 5:
        policy["Version"] = rng.choice(("2008-10-17", "2012-10-17"))
    elif way == 6:
        statements.append(copy.deepcopy(one))
        return mutate(rng, policy)
    elif blocks:
        operator, key = rng.choice(blocks)
        value = condition[operator].pop(key)
        if not condition[operator]:
            del condition[operator]
        if way == 7:
            operator = operator[:-8] if operator.endswith("IfExists") else f"{operator}IfExists"
        elif way == 8:
            for before, after in (("String", "StringNot"), ("Arn", "ArnNot"), ("IpAddress", "NotIpAddress")):
                if after in operator:
                    operator = operator.replace(after, before)
                    break
                if before in operator:
                    operator = operator.replace(before, after)
                    break
            else:
                for order in sorted(COUNTERPART, key=len, reverse=True):
                    if order in operator:
                        operator = operator.replace(order, rng.choice(ORDER))
                        break
        elif way == 9:
            value = _values(rng, key_of(key), odd=0.4)
        elif way == 10:
            key = rng.choice(KEYS)
        if way != 11:
            condition.setdefault(operator, {})[key] = value
    return policy


def generate(seed: int, real: Sequence[Json] = ()) -> Json:
    """Return the policy of a seed.

    Args:
        seed: Any number.
        real: Policies to change; without them none are changed.
    """
    rng = random.Random(seed)
    way = rng.random()
    if way < 0.2 and real:
        policy = mutate(rng, rng.choice(real))
        return mutate(rng, policy) if rng.random() < 0.4 else policy
    version = "2012-10-17" if rng.random() < 0.9 else "2008-10-17"
    statements = _cut(rng) if way < 0.8 else _soup(rng)
    policy = {"Version": version, "Statement": statements}
    if way < 0.8:
        fate = rng.random()
        if fate < 0.25 and len(statements) > 1:
            statements.pop(rng.randrange(len(statements)))
        elif fate < 0.6:
            policy = mutate(rng, policy)
    return policy
