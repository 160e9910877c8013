"""Search a policy for a request that gets through, by sampling requests made of the policy's own words."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from secure_bucket.policy import Condition, Policy, Request, Statement
from secure_bucket.policy.evaluate import evaluate
from tests.second_prover.facts import ACTION_TABLE, Kind, Type, key_of
from tests.second_prover.request import BUCKET

__all__ = ["sampled"]

_ROLE = "arn:aws:iam::111122223333:role/app"
_PRINCIPALS = {
    Kind.ANONYMOUS: ("anonymous",),
    Kind.USER: ("arn:aws:iam::111122223333:user/alice", "arn:aws:iam::444455556666:user/x/bob"),
    Kind.ROOT: ("arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:root"),
    Kind.SESSION: ("arn:aws:sts::111122223333:assumed-role/app/session",),
    Kind.FEDERATED: ("arn:aws:sts::111122223333:federated-user/fed",),
}
_ARN = re.compile(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+", re.DOTALL)
_TYPES = ("Anonymous", "User", "Account", "AssumedRole", "FederatedUser")
_POOL: dict[Type, Sequence[str]] = {
    Type.STRING: ("a", "b", "A", "ab", "x"),
    Type.ARN: ("arn:aws:s3:::a", "arn:aws:iam::111122223333:role/app"),
    Type.BOOL: ("true", "false"),
    Type.NUMBER: ("1.0", "1.1"),
    Type.WHOLE: ("0", "1", "2", "10", "99", "100", "101", "9007199254740993"),
    Type.DATE: ("2029-12-31T23:59:59Z", "2030-01-01T00:00:00Z", "2030-01-01T00:00:01Z"),
    Type.DATE_OR_NUMBER: ("1893455999", "1893456000", "1893456001"),
    Type.ADDRESS: ("8.8.8.8", "8.8.9.9", "9.9.9.9", "2600::1", "2a00::1"),
}


def _words(policy: Policy) -> dict[str, list[str]]:
    """Return the values that a policy compares each key with, with something put in for wildcards."""
    found: dict[str, list[str]] = {}
    for one in policy.statements:
        if isinstance(one, Statement):
            for condition in one.conditions:
                if isinstance(condition, Condition):
                    words = found.setdefault(key_of(condition.key).name, [])
                    for value in condition.values:
                        if isinstance(value, str):
                            words += [value.replace("*", put).replace("?", "q") for put in ("", "z")]
                            for name in re.findall(r"\$\{([a-zA-Z0-9:/-]+)", value):
                                found.setdefault(key_of(name).name, [])
    return found


def sampled(policy: Policy, rng: random.Random, count: int) -> Request | None:
    """Return a request that `policy` does not deny, of some that are drawn; `None` without one."""
    words = _words(policy)
    keys = [
        value for one in policy.statements if isinstance(one, Statement) for value in one.resources.values
    ]
    objects = [str(one)[len(BUCKET) + 1 :].replace("*", "z").replace("?", "q") for one in keys] + [
        "a",
        "b",
        "ab",
        "*",
    ]
    # S3 User Guide, *Naming Amazon S3 objects*: a key has at most 1,024 bytes.
    objects = [one for one in objects if 0 < len(one.encode(errors="surrogatepass")) <= 1024]
    for _ in range(count):
        kind = rng.choice(tuple(_PRINCIPALS))
        principal = rng.choice(_PRINCIPALS[kind])
        account = principal[13:25]
        action = rng.choice([one for one in ACTION_TABLE if not one.doubtful])
        resource = f"{BUCKET}/{rng.choice(objects)}" if action.on_object else BUCKET
        context: dict[str, str | Sequence[str]] = {
            "aws:SecureTransport": "false",
            "aws:PrincipalAccount": "anonymous" if kind is Kind.ANONYMOUS else account,
            "aws:PrincipalType": _TYPES[kind],
            "aws:ViaAWSService": "false",
            "aws:CurrentTime": rng.choice(_POOL[Type.DATE]),
            "aws:UserAgent": "curl/8",
            "aws:RequestedRegion": "us-east-1",
            "aws:ResourceAccount": "111122223333",
            "s3:ResourceAccount": "111122223333",
        }
        context["aws:userid"] = {
            Kind.ANONYMOUS: "anonymous",
            Kind.ROOT: account,
            Kind.SESSION: "AROAAAAAAAAAAAAAAAAAA:session",
            Kind.FEDERATED: f"{account}:fed",
        }.get(kind, "AIDAAAAAAAAAAAAAAAAAA")
        context["aws:EpochTime"] = {
            "2029-12-31T23:59:59Z": "1893455999",
            "2030-01-01T00:00:00Z": "1893456000",
        }.get(str(context["aws:CurrentTime"]), "1893456001")
        if kind is not Kind.ANONYMOUS:
            context["aws:PrincipalArn"] = _ROLE if kind is Kind.SESSION else principal
            context["aws:PrincipalIsAWSService"] = "false"
        if kind is Kind.USER:
            context["aws:username"] = principal.rpartition("/")[2]
        fixed = {name.lower() for name in context} | {
            "aws:principalarn",
            "aws:principalisawsservice",
            "aws:username",
        }
        endpoint = rng.random() < 0.3
        for name, values in words.items():
            key = key_of(name)
            if (
                name in fixed
                or not key.known
                or key.form == "never"
                or kind not in key.kinds
                or rng.random() < 0.4
            ):
                continue
            pool = [*values, *_POOL[key.type]] if key.type in (Type.STRING, Type.ARN) else _POOL[key.type]
            if key.type is Type.ARN:
                # AWS documents an ARN for these keys, so that no request has another text.
                pool = [value for value in pool if _ARN.fullmatch(value)]
            elif key.form is not None and "tag" not in name:
                # A value of a form, such as an id, is never empty.
                pool = [value for value in pool if value]
            stem = name.split("/")[0] + "/" if "/" in name else name
            if name.startswith(("s3:", "aws:requesttag/", "aws:tagkeys")) and stem not in action.keys:
                continue
            if ("vpc" in name) != endpoint and ("vpc" in name or name == "aws:sourceip"):
                continue
            if key.many:
                context[name] = rng.sample([*pool], min(len(pool), rng.choice((1, 2))))
            else:
                context[name] = rng.choice([*pool])
        if "aws:sourceip" in words and not endpoint and "aws:sourceip" not in context:
            context["aws:sourceip"] = rng.choice(_POOL[Type.ADDRESS])
        if "aws:sourcevpce" in words and endpoint and "aws:sourcevpce" not in context:
            context["aws:sourcevpce"] = "vpce-99999999"
        request = Request(principal, action.name, resource, context)
        if not evaluate(policy, request):
            return request
    return None
