"""The literal evaluator, one documented sentence after the other."""

from __future__ import annotations

from typing import Any

import pytest

from secure_bucket.policy import Hole, Policy, Request, Text, Unknown, parse_policy
from secure_bucket.policy.evaluate import evaluate

BUCKET = "arn:aws:s3:::b"
ALICE = "arn:aws:iam::111122223333:user/alice"
SESSION = "arn:aws:sts::111122223333:assumed-role/app/i-1"


def denies(
    *,
    principal: str = "anonymous",
    action: str = "s3:GetObject",
    resource: str = f"{BUCKET}/k",
    context: dict[str, Any] | None = None,
    version: str = "2012-10-17",
    **elements: Any,
) -> bool:
    """Evaluate one Deny statement of everything to everyone, but for the given elements."""
    statement: dict[str, Any] = {"Effect": "Deny"}
    for name, default in (("Principal", "*"), ("Action", "s3:*"), ("Resource", "*")):
        if f"Not{name}" not in elements:
            statement[name] = default
    document = {"Version": version, "Statement": [{**statement, **elements}]}
    request = Request(principal, action, resource, {"aws:SecureTransport": "false"} | (context or {}))
    return evaluate(document, request)


@pytest.mark.parametrize(
    ("elements", "action", "expected"),
    [
        ({"Action": "s3:*"}, "s3:GetObject", True),
        ({"Action": "*"}, "s3:GetObject", True),
        ({"Action": "S3:gEtObJeCt"}, "s3:GetObject", True),
        ({"Action": "s3:Get?bject"}, "s3:GetObject", True),
        ({"Action": "s3:GetObject?"}, "s3:GetObject", False),
        ({"Action": "s3:GetObject*"}, "s3:GetObject", True),
        ({"Action": ["s3:PutObject", "s3:GetObject"]}, "s3:GetObject", True),
        ({"Action": "s3:GetObjec[t]"}, "s3:GetObject", False),
        ({"Action": "s3express:*"}, "s3:GetObject", False),
        ({"Action": "s3:\N{KELVIN SIGN}*"}, "s3:K", False),
        ({"NotAction": "s3:GetObject"}, "s3:GetObject", False),
        ({"NotAction": "s3:GetObject"}, "s3:GetObjectAcl", True),
        ({"NotAction": ["s3:Put*", "s3:Get*"]}, "s3:GetObject", False),
        ({"NotAction": "s3:*"}, "s3:GetObject", False),
        ({"NotAction": "iam:*"}, "s3:GetObject", True),
    ],
)
def test_action(elements: dict[str, Any], action: str, expected: bool) -> None:
    assert denies(action=action, **elements) is expected


@pytest.mark.parametrize(
    ("elements", "resource", "expected"),
    [
        ({"Resource": BUCKET}, BUCKET, True),
        ({"Resource": f"{BUCKET}/*"}, BUCKET, False),
        ({"Resource": f"{BUCKET}/*"}, f"{BUCKET}/a/b\nc", True),
        ({"Resource": f"{BUCKET}/*"}, f"{BUCKET}/", True),
        ({"Resource": f"{BUCKET}/?*"}, f"{BUCKET}/", False),
        ({"Resource": f"{BUCKET}/A*"}, f"{BUCKET}/a", False),
        ({"Resource": f"{BUCKET}*"}, BUCKET, True),
        ({"Resource": "arn:aws-cn:s3:::b/*"}, f"{BUCKET}/k", False),
        ({"Resource": f"{BUCKET}/*.txt"}, f"{BUCKET}/a.txt.csv", False),
        ({"Resource": f"{BUCKET}/*a*b*"}, f"{BUCKET}/xxaxxbxx", True),
        ({"NotResource": BUCKET}, BUCKET, False),
        ({"NotResource": BUCKET}, f"{BUCKET}/k", True),
        ({"NotResource": [f"{BUCKET}/a*", f"{BUCKET}/b*"]}, f"{BUCKET}/bc", False),
    ],
)
def test_resource(elements: dict[str, Any], resource: str, expected: bool) -> None:
    assert denies(resource=resource, **elements) is expected


@pytest.mark.parametrize(
    ("written", "principal", "expected"),
    [
        ("*", "anonymous", True),
        ("*", "cloudtrail.amazonaws.com", True),
        ({"AWS": "*"}, "anonymous", True),
        ({"AWS": "*"}, ALICE, True),
        ({"AWS": "*"}, "cloudtrail.amazonaws.com", True),
        ({"AWS": "111122223333"}, ALICE, True),
        ({"AWS": "111122223333"}, SESSION, True),
        ({"AWS": "111122223333"}, "arn:aws:iam::111122223333:root", True),
        ({"AWS": "111122223333"}, "anonymous", False),
        ({"AWS": "111122223333"}, "cloudtrail.amazonaws.com", False),
        ({"AWS": "444455556666"}, ALICE, False),
        ({"AWS": "arn:aws:iam::111122223333:root"}, ALICE, True),
        ({"AWS": "arn:aws-cn:iam::111122223333:root"}, ALICE, False),
        ({"AWS": ALICE}, ALICE, True),
        ({"AWS": ALICE.upper()}, ALICE, False),
        ({"AWS": "arn:aws:iam::111122223333:user/*"}, ALICE, False),
        ({"AWS": "arn:aws:iam::111122223333:role/app"}, SESSION, True),
        ({"AWS": "arn:aws:iam::111122223333:role/some/path/app"}, SESSION, True),
        ({"AWS": "arn:aws:iam::111122223333:role/app"}, "arn:aws:iam::111122223333:role/app", True),
        ({"AWS": "arn:aws:iam::111122223333:role/ap"}, SESSION, False),
        ({"AWS": "arn:aws:iam::444455556666:role/app"}, SESSION, False),
        ({"AWS": "arn:aws:iam::111122223333:user/app"}, SESSION, False),
        (
            {"AWS": "arn:aws:iam::111122223333:role/app"},
            "arn:aws:sts::111122223333:federated-user/app",
            False,
        ),
        ({"AWS": SESSION}, SESSION, True),
        ({"AWS": SESSION}, f"{SESSION}1", False),
        ({"AWS": ["444455556666", "111122223333"]}, ALICE, True),
        ({"AWS": "anonymous"}, "anonymous", False),
        ({"AWS": "cloudtrail.amazonaws.com"}, "cloudtrail.amazonaws.com", False),
        ({"AWS": "AIDAEXAMPLE"}, ALICE, False),
        ({"Service": "cloudtrail.amazonaws.com"}, "cloudtrail.amazonaws.com", True),
        ({"Service": "cloudtrail.amazonaws.com"}, "config.amazonaws.com", False),
        ({"Service": "anonymous"}, "anonymous", False),
        ({"Service": ALICE}, ALICE, False),
        ({"Federated": ALICE}, ALICE, False),
        ({"CanonicalUser": "79a59df900b9"}, ALICE, False),
        ({"AWS": "444455556666", "Service": "cloudtrail.amazonaws.com"}, "cloudtrail.amazonaws.com", True),
    ],
)
def test_principal_and_not_principal_are_complements(written: Any, principal: str, expected: bool) -> None:
    assert denies(principal=principal, Principal=written) is expected
    assert denies(principal=principal, NotPrincipal=written) is not expected


@pytest.mark.parametrize(
    ("written", "role", "expected"),
    [
        ("role/team/app", "role/team/app", True),
        ("role/team/app", "role/app", False),
        ("role/app", "role/team/app", False),
        ("role/other/app", "role/team/app", False),
        ("role/app", "role/app", True),
    ],
)
def test_a_role_is_named_with_its_path_where_the_request_tells_it(
    written: str, role: str, expected: bool
) -> None:
    account = "arn:aws:iam::111122223333:"
    context = {"aws:principalarn": account + role}
    assert denies(context=context, principal=SESSION, Principal={"AWS": account + written}) is expected
    assert denies(context=context, principal=SESSION, NotPrincipal={"AWS": account + written}) is not expected


@pytest.mark.parametrize(
    ("written", "principal", "expected"),
    [
        ({"AWS": "*"}, "cloudtrail.amazonaws.com", False),
        ({"AWS": "*"}, "anonymous", True),
        ({"AWS": "*"}, ALICE, True),
        ("*", "cloudtrail.amazonaws.com", True),
        ({"Service": "cloudtrail.amazonaws.com"}, "cloudtrail.amazonaws.com", True),
    ],
)
def test_strictly_a_star_under_aws_leaves_services_out(written: Any, principal: str, expected: bool) -> None:
    document = {"Statement": {"Effect": "Deny", "Principal": written, "Action": "*", "Resource": "*"}}
    request = Request(principal, "s3:GetObject", f"{BUCKET}/k", {})
    assert evaluate(document, request, strict=True) is expected
    assert evaluate(document, request)


V4, V6 = "203.0.113.7", "2001:db8::7"
NOON = "2030-01-01T12:00:00Z"
NEGATIONS = {
    "StringEquals": "StringNotEquals",
    "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase",
    "StringLike": "StringNotLike",
    "NumericEquals": "NumericNotEquals",
    "DateEquals": "DateNotEquals",
    "IpAddress": "NotIpAddress",
    "ArnEquals": "ArnNotEquals",
    "ArnLike": "ArnNotLike",
}


@pytest.mark.parametrize(
    ("operator", "written", "asked", "expected"),
    [
        ("StringEquals", "a", "a", True),
        ("StringEquals", "A", "a", False),
        ("StringEquals", "*", "a", False),
        ("StringEquals", "*", "*", True),
        ("StringEquals", ["x", "a"], "a", True),
        ("StringEqualsIgnoreCase", "A", "a", True),
        ("StringEqualsIgnoreCase", "*", "a", False),
        ("StringLike", "a*c", "abbc", True),
        ("StringLike", "a?c", "abbc", False),
        ("StringLike", "A*", "abc", False),
        ("StringLike", "*", "", True),
        ("NumericEquals", "1.20", "1.2", True),
        ("NumericEquals", 1, "1.0", True),
        ("NumericEquals", "1_0", "10", False),
        ("NumericEquals", "x", "x", False),
        ("NumericLessThan", "1.2", "1.2", False),
        ("NumericLessThan", "1.2", "1.19", True),
        ("NumericLessThan", ["1", "3"], "2", True),
        ("NumericLessThan", "10", "9", True),
        ("NumericLessThanEquals", "1.2", "1.2", True),
        ("NumericGreaterThan", "1e2", "101", True),
        ("NumericGreaterThan", "-1", "-1", False),
        ("NumericGreaterThanEquals", "9" * 5000, "1", False),
        ("DateEquals", NOON, "2030-01-01T13:00:00+01:00", True),
        ("DateEquals", NOON, "2030-01-01T07:30:00-04:30", True),
        ("DateEquals", NOON, "1893499200", True),
        ("DateEquals", "2030-01-01", "2030-01-01T00:00:00.0Z", True),
        ("DateEquals", "2030-01", "2030-01-01", True),
        ("DateLessThan", NOON, "2030-01-01T11:59:59.999Z", True),
        ("DateLessThan", NOON, NOON, False),
        ("DateLessThan", "2030-01-01T12:00:30Z", "2030-01-01T12:00:29Z", True),
        ("DateLessThan", "2030-01-01T12:00:30Z", "2030-01-01T12:00:30Z", False),
        ("DateEquals", "2030", "2030-01-01", False),
        ("DateEquals", "2030-02", "2030-02-01T00:00:00Z", True),
        ("DateEquals", "1970-01-01T00:00:00." + "0" * 40 + "1Z", "0", False),
        ("DateLessThanEquals", NOON, NOON, True),
        ("DateGreaterThan", NOON, "2030-01-01T12:00Z", False),
        ("DateGreaterThan", 0, NOON, True),
        ("DateGreaterThanEquals", "2030-02-30", NOON, False),
        ("DateGreaterThan", "2020-01-01T00:00:00", NOON, False),
        ("Bool", "true", "true", True),
        ("Bool", True, "true", True),
        ("Bool", False, "true", False),
        ("Bool", ["true", "false"], "true", True),
        ("Bool", "True", "true", False),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ6", False),
        ("BinaryEquals", "!", "!", False),
        ("BinaryEquals", "QmluYXJ5!", "QmluYXJ5", False),
        ("BinaryEquals", "QmluYXJ5", "QmluYXJ5!", False),
        ("IpAddress", "203.0.113.0/24", V4, True),
        ("IpAddress", "203.0.113.99/24", V4, True),
        ("IpAddress", V4, V4, True),
        ("IpAddress", "203.0.113.8", V4, False),
        ("IpAddress", "0.0.0.0/0", V4, True),
        ("IpAddress", "0.0.0.0/0", V6, False),
        ("IpAddress", "::/0", V6, True),
        ("IpAddress", "::/0", V4, False),
        ("IpAddress", "2001:DB8::/32", V6, True),
        ("IpAddress", ["10.0.0.0/8", "203.0.113.0/24"], V4, True),
        ("IpAddress", "203.0.113.0/33", V4, False),
        ("IpAddress", "203.0.113.0/255.255.255.0", V4, False),
        ("ArnEquals", "arn:aws:iam::*:user/alice", ALICE, True),
        ("ArnLike", "arn:aws:iam::111122223333:user/?????", ALICE, True),
        ("ArnLike", "arn:*:user/alice", ALICE, False),
        ("ArnLike", "arn:aws:iam::*", ALICE, False),
        ("ArnLike", "arn:aws:iam::111122223333:*", "arn:aws:iam::111122223333:a:b", True),
        ("ArnLike", "arn:aws:iam::111122223333:a:*:c", "arn:aws:iam::111122223333:a:b:c", True),
        ("ArnLike", "ARN:aws:iam::*:user/alice", ALICE, False),
        ("ArnLike", "*:*:*:*:*:*", "no:arn:at:all:is:this", False),
    ],
)
def test_an_operator_and_its_negation_on_a_present_key(
    operator: str, written: Any, asked: str, expected: bool
) -> None:
    def holds(name: str) -> bool:
        return denies(context={"s3:Key": asked}, Condition={name: {"S3:key": written}})

    assert holds(operator) is expected
    assert holds(f"{operator}IfExists") is expected
    assert holds(f"ForAllValues:{operator}") is (expected or not asked)
    assert holds(f"ForAnyValue:{operator}") is (expected and bool(asked))
    if operator in NEGATIONS:
        assert holds(NEGATIONS[operator]) is not expected
        assert holds(f"{NEGATIONS[operator]}IfExists") is not expected


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        *(
            (name, False)
            for name in ("StringEquals", "StringLike", "NumericLessThan", "Bool", "IpAddress", "ArnLike")
        ),
        *((name, True) for name in ("StringNotEquals", "StringNotLike", "NumericNotEquals", "NotIpAddress")),
        *(
            (f"{name}IfExists", True)
            for name in ("StringEquals", "StringNotEquals", "Bool", "NumericLessThan")
        ),
        *((f"ForAllValues:{name}", True) for name in ("StringEquals", "StringNotEquals", "Bool")),
        *(
            (f"ForAnyValue:{name}", False)
            for name in ("StringEquals", "StringNotEquals", "StringLikeIfExists")
        ),
    ],
)
@pytest.mark.parametrize("context", [{}, {"aws:TagKeys": []}])
def test_an_operator_on_an_absent_key(operator: str, expected: bool, context: dict[str, Any]) -> None:
    assert denies(context=context, Condition={operator: {"aws:TagKeys": "x"}}) is expected


@pytest.mark.parametrize(
    ("operator", "asked", "expected"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], True),
        ("ForAllValues:StringEquals", ["a", "c"], False),
        ("ForAllValues:StringEquals", "", True),
        ("ForAllValues:StringNotEquals", ["c", "d"], True),
        ("ForAllValues:StringNotEquals", ["a", "c"], False),
        ("ForAnyValue:StringEquals", ["a", "c"], True),
        ("ForAnyValue:StringEquals", ["c", "d"], False),
        ("ForAnyValue:StringNotEquals", ["a", "c"], True),
        ("ForAnyValue:StringNotEquals", ["a", "b"], False),
        ("ForAnyValue:StringNotEquals", "", False),
        ("StringEquals", ["a"], False),
        ("StringEqualsIfExists", ["c", "a"], False),
        ("StringNotEquals", ["c", "d"], False),
    ],
)
def test_a_key_with_several_values(operator: str, asked: Any, expected: bool) -> None:
    condition = {operator: {"aws:TagKeys": ["a", "b"]}}
    assert denies(context={"aws:TagKeys": asked}, Condition=condition) is expected


@pytest.mark.parametrize("absent", [True, False])
def test_null(absent: bool) -> None:
    context = {} if absent else {"aws:SourceVpc": "vpc-1"}
    for true, false in (("true", "false"), (True, False)):
        assert denies(context=context, Condition={"Null": {"aws:SourceVpc": true}}) is absent
        assert denies(context=context, Condition={"Null": {"aws:SourceVpc": false}}) is not absent
    assert denies(context=context, Condition={"Null": {"aws:SourceVpc": ["true", "false"]}})
    assert not denies(context=context, Condition={"Null": {"aws:SourceVpc": "vpc-1"}})


def test_operators_and_keys_are_anded() -> None:
    both = {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"s3:a": "1", "s3:b": "2"}}
    assert denies(context={"s3:a": "1", "s3:b": "2"}, Condition=both)
    assert not denies(context={"s3:a": "1", "s3:b": "3"}, Condition=both)
    assert not denies(context={"s3:a": "1", "s3:b": "2", "aws:SecureTransport": "true"}, Condition=both)
    assert denies(Condition={})
    # AWS documents no operator without a key.
    assert not denies(Condition={"Bool": {}})


NAMED = {"aws:username": "al*ce", "aws:TagKeys": ["a"], "aws:PrincipalTag/Team": "red"}


@pytest.mark.parametrize(
    ("written", "key", "expected"),
    [
        ("${aws:username}/*", "al*ce/x", True),
        ("${AWS:UserName}/*", "al*ce/x", True),
        ("${aws:username}/*", "alice/x", False),  # The value is text, not a pattern.
        ("${aws:principaltag/team}", "red", True),
        ("${aws:absent}", "${aws:absent}", False),
        ("${aws:absent, 'all'}/x", "all/x", True),
        ("${aws:username, 'all'}", "al*ce", True),
        ("${aws:TagKeys}", "a", False),  # A multivalued key is no variable.
        ("${*}", "*", True),
        ("${*}", "x", False),
        ("${?}${$}", "?$", True),
        ("$${aws:username}", "$al*ce", True),
        ("${aws:username", "${aws:username", False),  # AWS documents none of these forms.
        ("${", "${", False),
        ("${ aws:username }", "al*ce", False),
        ("${aws:username,x}", "al*ce", False),
        ("${aws:absent,  'x'}", "x", False),
    ],
)
def test_a_variable_in_resource(written: str, key: str, expected: bool) -> None:
    assert denies(resource=f"{BUCKET}/{key}", context=NAMED, Resource=f"{BUCKET}/{written}") is expected


def test_variables_do_not_exist_before_2012_or_before_the_fifth_colon() -> None:
    home = f"{BUCKET}/${{aws:username}}"
    assert not denies(version="2008-10-17", resource=f"{BUCKET}/al*ce", context=NAMED, Resource=home)
    assert denies(version="2008-10-17", resource=home, context=NAMED, Resource=home)
    assert denies(version="2008-10-17", resource=f"{BUCKET}/${{x}}", Resource=f"{BUCKET}/${{*}}")
    context = {"aws:x": "aws"}
    assert not denies(resource="arn:aws:s3:::b", context=context, Resource="arn:${aws:x}:s3:::b")
    document = {"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": home}}
    assert not evaluate(document, Request("anonymous", "s3:GetObject", f"{BUCKET}/al*ce", NAMED))


def test_a_variable_without_a_value_matches_nothing_and_spoils_only_negations() -> None:
    assert denies(Resource=[f"{BUCKET}/${{aws:x}}", "*"])
    assert not denies(NotResource=[f"{BUCKET}/${{aws:x}}", "arn:aws:s3:::other"])
    assert denies(context={"s3:a": "1"}, Condition={"StringEquals": {"s3:a": ["${aws:x}", "1"]}})
    assert not denies(context={"s3:a": "2"}, Condition={"StringNotEquals": {"s3:a": ["${aws:x}", "1"]}})
    assert not denies(Condition={"StringNotEquals": {"s3:a": "${aws:x}"}})


def test_a_variable_in_a_condition() -> None:
    same = {"StringEquals": {"s3:ExistingObjectTag/Team": "${aws:PrincipalTag/Team}"}}
    assert denies(context={**NAMED, "s3:ExistingObjectTag/Team": "red"}, Condition=same)
    assert not denies(context={**NAMED, "s3:ExistingObjectTag/Team": "blue"}, Condition=same)
    like = {"StringLike": {"s3:prefix": "${aws:username}/*"}}
    assert denies(context={**NAMED, "s3:prefix": "al*ce/x"}, Condition=like)
    assert not denies(context={**NAMED, "s3:prefix": "alice/x"}, Condition=like)
    assert denies(Condition={"Bool": {"aws:SecureTransport": "${aws:SecureTransport}"}})


def test_what_is_unknown_never_matches() -> None:
    unknown = Unknown("nobody knows")
    assert not denies(Condition=unknown)
    assert not denies(Condition={"Bool": unknown})
    assert not denies(Effect=unknown)
    assert not denies(Principal=unknown)
    assert not denies(Principal={"AWS": unknown})
    assert not denies(Condition={"Bool": {"aws:SecureTransport": unknown}})
    assert denies(Condition={"Bool": {"aws:SecureTransport": [unknown, "false"]}})
    assert not denies(Condition={"StringNotEquals": {"aws:SourceVpc": unknown}})
    assert denies(Action=[unknown, "s3:*"])
    assert not denies(NotAction=[unknown])
    assert not denies(Action=unknown)
    assert not denies(NotResource=[unknown])
    assert not denies(NotPrincipal={"AWS": unknown})
    request = Request("anonymous", "s3:GetObject", f"{BUCKET}/k", {})
    assert not evaluate(unknown, request)
    assert not evaluate(Policy((unknown,)), request)


def test_a_hole_is_the_text_that_stands_for_it() -> None:
    arn = Text(("arn:aws:s3:::", Hole("Reports", "generated"), "/*"))
    assert denies(Resource=arn, resource="arn:aws:s3:::<Reports>/k")
    assert not denies(Resource=arn, resource="arn:aws:s3:::reports/k")


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "deny"},
        {"Effect": "Allow"},
        {"Effect": "Deny", "Principal": "everyone"},
        {"Effect": "Deny", "Principal": {}},
        {"Effect": "Deny", "Action": []},
        {"Effect": "Deny", "Action": None},
        {"Effect": "Deny", "NotAction": "x:*"},
        {"Effect": "Deny", "Resource": 1},
        {"Effect": "Deny", "Condition": {"Boolean": {"aws:SecureTransport": "false"}}},
        {"Effect": "Deny", "Condition": {"bool": {"aws:SecureTransport": "false"}}},
        {"Effect": "Deny", "Condition": {"Bool": "false"}},
        {"Effect": "Deny", "Condition": {"NullIfExists": {"aws:SourceVpc": "true"}}},
        {"Effect": "Deny", "Comment": "no element"},
    ],
)
def test_a_malformed_statement_never_matches_and_leaves_the_others_alone(statement: dict[str, Any]) -> None:
    whole = {"Principal": "*", "Action": "*", "Resource": "*", **statement}
    good = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    request = Request("anonymous", "s3:GetObject", f"{BUCKET}/k", {"aws:SecureTransport": "false"})
    assert not evaluate({"Statement": [whole]}, request)
    assert evaluate({"Statement": [whole, good]}, request)


def test_a_parsed_policy_and_its_document_are_the_same() -> None:
    document = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:Put*", "Resource": "*"}]}
    for action in ("s3:GetObject", "s3:PutObject"):
        request = Request("anonymous", action, f"{BUCKET}/k", {})
        assert evaluate(document, request) is evaluate(parse_policy(document), request)
