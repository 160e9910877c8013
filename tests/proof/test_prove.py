"""The prover beyond plain policies: what is unknown, what is too large, and what it says."""

from __future__ import annotations

import time
from typing import Any

import pytest

from benchmarks.prove import Worst, filled, worst_cases
from secure_bucket.policy import Hole, Place, Text, Unknown
from secure_bucket.policy.evaluate import evaluate
from secure_bucket.proof import Proven, Refuted, Undecided, prove_denies_http, prove_minimum_tls
from secure_bucket.proof.claim import ANY_BUCKET

BUCKET = "arn:aws:s3:::reports"
HTTP = {"Bool": {"aws:SecureTransport": "false"}}
PARAMETER = Hole("Endpoint", "the value of the parameter `Endpoint` is given only at deployment")


def deny(**elements: Any) -> dict[str, Any]:
    statement = {
        "Sid": "DenyHttp",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [BUCKET, f"{BUCKET}/*"],
        "Condition": HTTP,
    }
    return {name: value for name, value in (statement | elements).items() if value is not None}


def policy(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def prove(*statements: Any, **options: Any) -> Proven | Refuted | Undecided:
    return prove_denies_http(policy(*statements), bucket_arn=BUCKET, **options)


@pytest.mark.parametrize("verdict", [prove(deny()), prove(), prove(Unknown("who knows"))])
def test_no_verdict_is_a_boolean(verdict: object) -> None:
    with pytest.raises(TypeError, match="three outcomes"):
        bool(verdict)


def test_a_proof_of_nothing_rests_on_no_statement() -> None:
    assert Proven() == Proven(())


def test_a_bucket_without_a_policy_is_open() -> None:
    verdict = prove_denies_http(None, bucket_arn=BUCKET)
    assert isinstance(verdict, Refuted)
    assert verdict.why == "the bucket has no policy"
    assert verdict.request.action == "s3:GetObject"
    assert verdict.request.principal == "anonymous"


@pytest.mark.parametrize(
    "arn", ["reports", "arn:aws:s3:::", "arn:aws:s3:::reports/key", "arn:aws:sns:::reports"]
)
def test_what_is_no_bucket_is_said(arn: str) -> None:
    with pytest.raises(ValueError, match="is not the ARN of a bucket"):
        prove_denies_http(policy(), bucket_arn=arn)


def test_a_proof_names_the_statement_it_rests_on() -> None:
    assert prove(deny(Action="s3:Get*"), deny()) == Proven((1,))


class TestWhatIsNotKnown:
    def test_a_generated_name_is_the_same_name_on_both_sides(self) -> None:
        name = Hole("Reports", "CloudFormation makes the name up", generated=True)
        arn = Text(("arn:aws:s3:::", name))
        statement = deny(Resource=[arn, Text(("arn:aws:s3:::", name, "/*"))])
        assert prove_denies_http(policy(statement), bucket_arn=arn) == Proven((0,))

    def test_the_exempt_endpoint_is_a_counterexample_whatever_it_is_called(self) -> None:
        exempt = {"StringNotEquals": {"aws:SourceVpce": Text((PARAMETER,))}}
        verdict = prove(deny(Condition=HTTP | exempt))
        assert isinstance(verdict, Refuted)
        assert verdict.request.context["aws:SourceVpce"] == "<Endpoint>"

    @pytest.mark.parametrize(
        ("hole", "version", "expected"),
        [
            # A parameter can be `${aws:username}`, of which AWS says two things where it has no value.
            (PARAMETER, "2012-10-17", Undecided),
            (PARAMETER, "2008-10-17", Proven),
            (Hole("Account", "it is known only at deployment", plain=True), "2012-10-17", Proven),
        ],
        ids=["a variable", "no variables", "plain"],
    )
    def test_two_halves_of_an_unknown_value_make_a_whole(
        self, hole: Hole, version: str, expected: type
    ) -> None:
        value = {"aws:PrincipalOrgID": Text((hole,))}
        operators = ("StringEquals", "StringNotEquals")
        halves = [deny(Condition=HTTP | {operator: value}) for operator in operators]
        verdict = prove_denies_http({"Version": version, "Statement": halves}, bucket_arn=BUCKET)
        assert isinstance(verdict, expected)

    @pytest.mark.parametrize("element", ["Resource", "NotResource"])
    def test_a_variable_may_hide_in_a_resource(self, element: str) -> None:
        resource = Text(("arn:aws:s3:::elsewhere/", PARAMETER))
        named = {"Resource": [BUCKET, f"{BUCKET}/*", resource], "NotResource": [resource]}[element]
        assert isinstance(prove(deny(**{"Resource": None, element: named})), Undecided)

    def test_no_variable_hides_in_the_name_of_the_bucket(self) -> None:
        arn = Text(("arn:aws:s3:::", PARAMETER))
        statement = deny(Resource=[arn, Text(("arn:aws:s3:::", PARAMETER, "/*"))])
        assert isinstance(prove_denies_http(policy(statement), bucket_arn=arn), Proven)

    def test_an_unknown_action_may_be_every_action(self) -> None:
        verdict = prove(deny(Action=Text((PARAMETER,))))
        assert isinstance(verdict, Undecided)
        assert verdict.reasons[0].reason == PARAMETER.reason

    def test_an_unknown_principal_may_be_everyone(self) -> None:
        assert isinstance(prove(deny(Principal={"AWS": Text((PARAMETER,))})), Undecided)

    def test_an_unknown_statement_may_deny_and_takes_no_proof_away(self) -> None:
        unknown = Unknown("`Fn::Transform` runs only at deployment", Place("/Statement/0"))
        assert prove(unknown) == Undecided((unknown,))
        assert prove(unknown, deny()) == Proven((1,))

    def test_an_unknown_condition_may_hold_or_not(self) -> None:
        unknown = Unknown("it is not known")
        assert prove(deny(Condition=unknown)) == Undecided((unknown,))

    def test_an_unknown_that_does_not_matter_is_not_asked_about(self) -> None:
        verdict = prove(deny(Action=[Text((PARAMETER,)), "s3:GetObject"], Resource=f"{BUCKET}/*"))
        assert isinstance(verdict, Refuted)
        assert verdict.request.resource == BUCKET


class TestWhatAWSDoesNotDocument:
    @pytest.mark.parametrize(
        ("condition", "point"),
        [
            (
                {"StringEquals": {"aws:SecureTransport": "false"}},
                "for Bool operators, not for `StringEquals`",
            ),
            ({"Bool": {"aws:SecureTransport": "False"}}, "what `Bool` makes of `False`"),
            ({"bool": {"aws:SecureTransport": "false"}}, "the spelling `bool`"),
        ],
    )
    def test_it_is_named(self, condition: object, point: str) -> None:
        verdict = prove(deny(Condition=condition))
        assert isinstance(verdict, Undecided)
        assert not verdict.is_refused
        assert point in verdict.reasons[0].reason

    @pytest.mark.parametrize("kind", ["role", "user"])
    def test_a_principal_that_is_made_later_under_a_named_arn(self, kind: str) -> None:
        arn = f"arn:aws:iam::111122223333:{kind}/team/app"
        verdict = prove(
            deny(Principal={"AWS": arn}),
            deny(Condition={"Bool": {"aws:SecureTransport": "false", "aws:PrincipalIsAWSService": "true"}}),
            deny(Condition=HTTP | {"ArnNotEquals": {"aws:PrincipalArn": arn}}),
        )
        assert isinstance(verdict, Undecided)
        assert [point.reason for point in verdict.reasons] == [
            f"the policy does not name a principal that is made later under the ARN `{arn}`"
        ]

    def test_a_policy_that_s3_refuses_proves_nothing(self) -> None:
        verdict = prove(deny(), {"Sid": "Half", "Effect": "Deny"})
        assert isinstance(verdict, Undecided)
        assert verdict.is_refused
        assert "`Principal` is missing" in verdict.reasons[0].reason
        assert verdict.reasons[0].at.pointer == "/Statement/1"

    def test_an_action_that_aws_may_add_is_not_taken_for_impossible(self) -> None:
        from secure_bucket.policy.actions import BUCKET_ACTIONS, OBJECT_ACTIONS

        verdict = prove(deny(Action=sorted({*BUCKET_ACTIONS, *OBJECT_ACTIONS})))
        assert isinstance(verdict, Undecided)


class TestStrict:
    def test_aws_star_leaves_services_out(self) -> None:
        statement = deny(Principal={"AWS": "*"})
        assert isinstance(prove(statement), Proven)
        verdict = prove(statement, strict=True)
        assert isinstance(verdict, Refuted)
        assert verdict.request.principal == "delivery.logs.amazonaws.com"

    def test_star_means_everyone(self) -> None:
        assert isinstance(prove(deny(), strict=True), Proven)

    def test_any_bucket_is_not_the_one_that_a_policy_names(self) -> None:
        assert isinstance(prove_denies_http({"Statement": deny()}, bucket_arn=ANY_BUCKET), Refuted)
        everywhere = {"Statement": deny(Resource="*")}
        assert isinstance(prove_denies_http(everywhere, bucket_arn=ANY_BUCKET), Proven)


class TestCounterexamples:
    @pytest.mark.parametrize(
        "statement",
        [
            {"NotPrincipal": {"AWS": "arn:aws:sts::111122223333:federated-user/bob"}, "Principal": None},
            {
                "Condition": HTTP
                | {"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:sts::111122223333:federated-user/bob"}}
            },
        ],
        ids=str,
    )
    def test_an_exempt_federated_user_is_shown(self, statement: dict[str, Any]) -> None:
        verdict = prove(deny(**statement))
        assert isinstance(verdict, Refuted)
        assert verdict.request.principal == "arn:aws:sts::111122223333:federated-user/bob"

    @pytest.mark.parametrize(
        ("statement", "why"),
        [
            (
                deny(Resource=f"{BUCKET}/*"),
                "statement `DenyHttp` covers the objects, but not the bucket itself",
            ),
            (deny(Resource=BUCKET), "statement `DenyHttp` covers the bucket itself, but not its objects"),
            (deny(Action="s3:Get*", Sid=None), "statement 1 covers only `s3:Get*`"),
            (deny(Action=None, NotAction="s3:Get*"), "statement `DenyHttp` leaves out `s3:Get*`"),
            (
                deny(Principal={"AWS": "111122223333"}),
                "statement `DenyHttp` applies only to `111122223333`",
            ),
            (
                deny(Condition=HTTP | {"StringEquals": {"aws:SourceVpc": "vpc-1"}}),
                "statement `DenyHttp` applies only when `aws:SourceVpc` is `vpc-1`",
            ),
            (
                deny(Condition=HTTP | {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
                "statement `DenyHttp` applies only when `aws:SourceIp` is not in `10.0.0.0/8`",
            ),
            (
                deny(Condition=HTTP | {"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
                "statement `DenyHttp` applies only when `s3:TlsVersion` is below `1.2`",
            ),
            (deny(Effect="Allow"), "no statement denies anything"),
        ],
    )
    def test_why_is_a_sentence(self, statement: object, why: str) -> None:
        verdict = prove(statement)
        assert isinstance(verdict, Refuted)
        assert verdict.why == why

    @pytest.mark.parametrize(
        ("condition", "words"),
        [
            ({"IpAddress": {"aws:SourceIp": "8.8.8.8"}}, "is in `8.8.8.8`"),
            ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::1:*"}}, "is like `arn:aws:iam::1:*`"),
            ({"DateGreaterThan": {"aws:CurrentTime": "2031-01-01"}}, "is after `2031-01-01`"),
            ({"DateGreaterThanEquals": {"aws:CurrentTime": "2031-01-01"}}, "is not before `2031-01-01`"),
            ({"DateLessThan": {"aws:CurrentTime": "2031-01-01"}}, "is before `2031-01-01`"),
            ({"DateLessThanEquals": {"aws:CurrentTime": "2031-01-01"}}, "is not after `2031-01-01`"),
            ({"NumericGreaterThan": {"s3:max-keys": "5"}}, "is above `5`"),
            ({"NumericGreaterThanEquals": {"s3:max-keys": "5"}}, "is at least `5`"),
            ({"NumericLessThan": {"s3:max-keys": "5"}}, "is below `5`"),
            ({"NumericLessThanEquals": {"s3:max-keys": "5"}}, "is at most `5`"),
            ({"NumericNotEqualsIfExists": {"s3:max-keys": "5"}}, "if it is present, is not `5`"),
            ({"StringLike": {"s3:prefix": ["a*", "b"]}}, "is like `a*` or `b`"),
            ({"StringEquals": {"s3:prefix": "a"}}, "is `a`"),
            ({"Null": {"s3:prefix": "true"}}, "to requests without `s3:prefix`"),
            ({"Null": {"s3:prefix": "false"}}, "to requests with `s3:prefix`"),
        ],
        ids=str,
    )
    def test_why_says_what_the_condition_asks(self, condition: dict[str, Any], words: str) -> None:
        verdict = prove(deny(Condition=HTTP | condition))
        assert isinstance(verdict, Refuted)
        assert verdict.why.endswith(words)

    def test_the_time_is_shown_as_its_key_writes_it(self) -> None:
        before = {"NumericLessThan": {"aws:EpochTime": "1900000000"}}
        verdict = prove(deny(Condition=HTTP | before))
        assert isinstance(verdict, Refuted)
        assert verdict.request.context["aws:EpochTime"] == "1900000000"

    def test_the_simplest_request_is_shown(self) -> None:
        exempt = {"AWS": ["arn:aws:iam::111122223333:role/etl"]}
        verdict = prove(deny(Principal=None, NotPrincipal=exempt), deny(Action="s3:Put*"))
        assert isinstance(verdict, Refuted)
        assert verdict.request.principal == "arn:aws:sts::111122223333:assumed-role/etl/session"
        assert verdict.request.action == "s3:GetObject"

    def test_the_action_is_one_that_has_the_condition_key(self) -> None:
        verdict = prove(deny(Condition=HTTP | {"StringNotEquals": {"s3:prefix": "home/"}}))
        assert isinstance(verdict, Refuted)
        assert verdict.request.action == "s3:ListBucket"
        assert verdict.request.context["s3:prefix"] == "home/"

    def test_the_variable_of_a_home_folder_is_filled_in(self) -> None:
        home = f"{BUCKET}/home/${{aws:username}}/*"
        verdict = prove(deny(Resource=None, NotResource=home))
        assert isinstance(verdict, Refuted)
        assert verdict.request.resource == f"{BUCKET}/home/alice/x"
        assert verdict.request.context["aws:username"] == "alice"
        assert not evaluate(policy(deny(Resource=None, NotResource=home)), verdict.request)


class TestMinimumTls:
    def test_the_second_statement_is_what_proves_it(self) -> None:
        old = deny(Sid="DenyOldTls", Condition={"NumericLessThan": {"s3:TlsVersion": "1.2"}})
        document = policy(deny(), old)
        assert prove_minimum_tls(document, bucket_arn=BUCKET, minimum=1.2) == Proven((1,))
        verdict = prove_minimum_tls(document, bucket_arn=BUCKET, minimum=1.3)
        assert isinstance(verdict, Refuted)
        assert verdict.request.context == {"aws:SecureTransport": "true", "s3:TlsVersion": "1.2"}

    def test_a_counterexample_tells_its_version_even_where_no_statement_asks(self) -> None:
        verdict = prove_minimum_tls(policy(deny()), bucket_arn=BUCKET, minimum=1.2)
        assert isinstance(verdict, Refuted)
        assert verdict.request.context == {"aws:SecureTransport": "true", "s3:TlsVersion": "1.0"}

    def test_one_statement_with_both_tests_proves_neither(self) -> None:
        both = policy(deny(Condition=HTTP | {"NumericLessThan": {"s3:TlsVersion": "1.2"}}))
        assert isinstance(prove_minimum_tls(both, bucket_arn=BUCKET, minimum=1.2), Refuted)
        assert isinstance(prove_denies_http(both, bucket_arn=BUCKET), Refuted)


class TestBounds:
    @pytest.mark.parametrize(
        "statement",
        [
            deny(Resource=[f"{BUCKET}/*a{'?' * count}" for count in range(60)]),
            deny(Resource=[f"{BUCKET}/*a{number}*" for number in range(700)]),
            deny(Condition=HTTP | {"StringLike": {"aws:Referer": [f"*{number}*" for number in range(1500)]}}),
            deny(
                Principal=None,
                NotPrincipal={"AWS": [f"arn:aws:iam::{number:012d}:user/u" for number in range(450)]},
            ),
            deny(Action=[f"s3:*{number}*" for number in range(1500)]),
            deny(Resource=[BUCKET, f"{BUCKET}/{'*a' * 9_000}"]),
            deny(Condition=HTTP | {"StringLike": {"aws:PrincipalArn": "*a" * 9_000}}),
        ],
        ids=["question marks", "infixes", "referers", "principals", "actions", "a long key", "a long ARN"],
    )
    def test_a_policy_of_the_largest_size_is_answered(self, statement: object) -> None:
        assert isinstance(prove(statement), Refuted)

    @pytest.mark.parametrize("make", [pytest.param(make, id=name) for name, make in worst_cases()])
    def test_the_largest_policy_takes_a_second_at_most(self, make: Worst) -> None:
        document = filled(make)
        start = time.process_time()
        verdict = prove_denies_http(document, bucket_arn=BUCKET)
        # It takes about half a second; a busy machine needs several times that.
        assert time.process_time() - start < 5
        if isinstance(verdict, Undecided):
            assert all(point.reason for point in verdict.reasons)

    def test_what_is_too_complex_is_undecided_with_that_reason(self) -> None:
        tags = [{"Null": {f"aws:RequestTag/{key}": value}} for key in range(9) for value in ("true", "false")]
        infixes = [f"{BUCKET}/*a{'?' * count}" for count in range(60)]
        halves = [deny(Resource=infixes, Condition=HTTP | tags[0]), deny(Resource=None, NotResource=infixes)]
        verdict = prove(*halves)
        assert isinstance(verdict, (Refuted, Undecided))
        covered = prove(
            deny(Resource=[BUCKET, *infixes]), deny(Resource=None, NotResource=[BUCKET, *infixes])
        )
        assert isinstance(covered, Undecided)
        assert "too complex to decide" in covered.reasons[0].reason

    def test_a_few_patterns_of_actions_are_not_too_complex(self) -> None:
        buckets = deny(Action=["s3:*Bucket*"]), deny(Action=None, NotAction=["s3:*Bucket*"])
        further = deny(Action=["s3:*Object*", "s3:Get*", "s3:*Tag*", "s3:*Acl"], Resource=BUCKET)
        assert isinstance(prove(*buckets, further), Proven)

    def test_no_arn_is_longer_than_iam_allows(self) -> None:
        longer = {"StringNotLike": {"aws:PrincipalArn": "?" * 700 + "*"}}
        assert prove(deny(Condition=HTTP | longer)) == Proven((0,))

    def test_a_plain_deny_beside_a_complex_one_is_still_a_proof(self) -> None:
        infixes = [f"{BUCKET}/*a{'?' * count}" for count in range(60)]
        assert prove(deny(Resource=infixes), deny()) == Proven((1,))


def test_what_is_covered_is_told_for_a_bucket_of_unknown_name_too() -> None:
    arn = Text(("arn:aws:s3:::", Hole("Reports", "CloudFormation makes the name up", generated=True)))
    objects = Text((*arn.parts, "/*"))
    verdict = prove_denies_http(policy(deny(Resource=objects)), bucket_arn=arn)
    assert isinstance(verdict, Refuted)
    assert verdict.why == "statement `DenyHttp` covers the objects, but not the bucket itself"


def test_a_parameter_that_a_like_operator_reads_may_hold_a_wildcard() -> None:
    def verdict(hole: Hole) -> object:
        condition = HTTP | {"StringLikeIfExists": {"aws:PrincipalOrgID": Text((hole,))}}
        return prove(deny(Condition=condition))

    assert isinstance(verdict(PARAMETER), Undecided)
    assert isinstance(verdict(Hole("Org.Id", "it is an attribute", plain=True)), Refuted)
