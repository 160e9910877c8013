"""The assertion for the tests of a team: on stacks, apps, templates and files; and what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from secure_bucket import SecureBucket
from secure_bucket.testing import assert_denies_http

PLAIN = {"Resources": {"Reports": {"Type": "AWS::S3::Bucket"}}}


class Storage(cdk.Stack):
    """Two buckets at two levels, and an L1 policy that stands in another stack."""

    def __init__(self, scope: Any, id: str, *, plain: str = "") -> None:
        super().__init__(scope, id)
        SecureBucket(self, "Good")
        nested = cdk.NestedStack(self, "Nested")
        SecureBucket(nested, "Good")
        if plain == "here":
            s3.Bucket(self, "Plain")
        elif plain == "nested":
            s3.Bucket(nested, "Plain")


@pytest.fixture(scope="module")
def app() -> cdk.App:
    app = cdk.App()
    Storage(app, "Secure")
    Storage(app, "Plain", plain="here")
    Storage(app, "Deep", plain="nested")
    Storage(cdk.Stage(app, "Prod"), "Data", plain="here")
    apart = cdk.Stack(app, "Apart")
    SecureBucket(cdk.Stack(apart, "Alone"), "Good")
    bucket = s3.CfnBucket(apart, "Bucket")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket.attr_arn, cdk.Fn.join("", [bucket.attr_arn, "/*"])],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    other = cdk.Stack(app, "Policies")
    s3.CfnBucketPolicy(other, "Policy", bucket=bucket.ref, policy_document={"Statement": [deny]})
    return app


def stack(app: cdk.App, *path: str) -> cdk.Stack:
    scope: Any = app
    for id in path:
        scope = scope.node.find_child(id)
    assert isinstance(scope, cdk.Stack)
    return scope


@pytest.mark.parametrize("path", [["Secure"], ["Secure", "Nested"], ["Plain", "Nested"], ["Apart"]])
def test_a_stack_that_refuses_plain_http_passes(app: cdk.App, path: list[str]) -> None:
    assert_denies_http(stack(app, *path))


@pytest.mark.parametrize(
    ("path", "bucket"),
    [
        (["Plain"], "Plain/Plain"),
        (["Deep"], "Deep/Nested/Plain"),
        (["Deep", "Nested"], "Deep/Nested/Plain"),
        (["Prod", "Data"], "Prod/Data/Plain"),
    ],
)
def test_one_that_does_not_fails_with_the_request(app: cdk.App, path: list[str], bucket: str) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_denies_http(stack(app, *path))
    message = str(caught.value)
    assert message.startswith("plain HTTP is not denied:\n")
    assert message.count("\n- ") == 1
    for words in (f"`{bucket}`", "anyone can GET `report.csv` over plain HTTP", "SB001; to fix it: "):
        assert words in message


def test_an_app_fails_for_each_of_its_buckets(app: cdk.App) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_denies_http(app)
    for path in ("`Plain/Plain`", "`Deep/Nested/Plain`", "`Prod/Data/Plain`"):
        assert path in str(caught.value)


def test_a_stage_is_judged_by_itself(app: cdk.App) -> None:
    with pytest.raises(AssertionError) as caught:
        assert_denies_http(app.node.find_child("Prod"))
    assert str(caught.value).count("\n- ") == 1


def test_the_directory_of_an_assembly_can_be_given(app: cdk.App) -> None:
    with pytest.raises(AssertionError, match="Deep/Nested/Plain"):
        assert_denies_http(app.synth().directory)


def test_a_template_object_can_be_given(app: cdk.App) -> None:
    assert_denies_http(Template.from_stack(stack(app, "Apart", "Alone")))
    with pytest.raises(AssertionError, match="anyone can GET"):
        assert_denies_http(Template.from_stack(stack(app, "Plain")))


def test_a_template_object_cannot_tell_of_its_nested_stacks(app: cdk.App) -> None:
    with pytest.raises(AssertionError, match="pass the stack or the App instead of its template") as caught:
        assert_denies_http(Template.from_stack(stack(app, "Secure")))
    assert "SB010" in str(caught.value)


def test_a_template_object_cannot_tell_of_acknowledgments(app: cdk.App, tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    stack = cdk.Stack(app, "Top")
    accepted = cdk.Acknowledgment(id="secure-bucket::SB001", reason="no TLS there")
    cdk.Validations.of(s3.Bucket(stack, "Plain")).acknowledge(accepted)
    for whole in (stack, app, app.synth().directory):
        assert_denies_http(whole)
    for template in (Template.from_stack(stack), tmp_path / "Top.template.json"):
        with pytest.raises(AssertionError, match="nor the acknowledgments of its app: pass the stack"):
            assert_denies_http(template)


def test_a_template_that_no_app_made_is_told_nothing_about_apps() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_denies_http(PLAIN)
    assert "pass the stack" not in str(caught.value)


def test_an_assembly_that_waits_for_context_fails(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path))
    stack = cdk.Stack(app, "Top", env=cdk.Environment(account="111122223333", region="eu-west-1"))
    cdk.ContextProvider.get_value(stack, provider="ami", props={"owners": ["amazon"]}, dummy_value="ami-1")
    assert_denies_http(app)  # Tests work with the dummy value.
    with pytest.raises(AssertionError, match="the context `ami:"):
        assert_denies_http(tmp_path)


def test_a_dictionary_and_a_file_can_be_given(tmp_path: Path) -> None:
    file = tmp_path / "template.json"
    file.write_text(json.dumps(PLAIN), encoding="utf-8")
    for template in (PLAIN, file, str(file)):
        with pytest.raises(AssertionError, match="`Reports`: anyone can GET"):
            assert_denies_http(template)


def test_what_is_not_known_fails() -> None:
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": {"Fn::ImportValue": "some-arn"},
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = {"Bucket": {"Ref": "Reports"}, "PolicyDocument": {"Statement": [deny]}}
    template = {
        "Resources": {
            **PLAIN["Resources"],
            "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": policy},
        },
    }
    with pytest.raises(AssertionError, match="SB002"):
        assert_denies_http(template)


def test_old_tls_is_asserted_when_asked_for(app: cdk.App) -> None:
    assert_denies_http(stack(app, "Secure"), minimum_tls_version=1.2)
    with pytest.raises(AssertionError, match="SB006"):
        assert_denies_http(stack(app, "Apart"), minimum_tls_version=1.2)


def test_nothing_to_judge_passes() -> None:
    assert_denies_http({"Resources": {}})


@pytest.mark.parametrize("subject", [None, 7, [PLAIN], object()])
def test_a_subject_without_a_template_is_refused(subject: object) -> None:
    with pytest.raises(TypeError, match="is not a stack"):
        assert_denies_http(subject)


def test_an_accepted_exception_passes_and_a_test_can_accept_more() -> None:
    app = cdk.App()
    stack = cdk.Stack(app, "Top")
    plain = s3.Bucket(stack, "Plain")
    cdk.Validations.of(plain).acknowledge(
        cdk.Acknowledgment(id="secure-bucket::SB001", reason="no TLS there")
    )
    assert_denies_http(stack)
    s3.Bucket(stack, "Other")
    with pytest.raises(AssertionError, match="Top/Other"):
        assert_denies_http(stack)
    for accept in (["SB001"], ["Top/Other"], ["Top"]):
        assert_denies_http(stack, accept=accept)
    with pytest.raises(AssertionError, match="Top/Other"):
        assert_denies_http(stack, accept=["SB010", "Top/Oth", ""])


@pytest.mark.parametrize("around", ["", "Prod"])
def test_what_is_acknowledged_around_a_stack_passes_without_a_gate(around: str) -> None:
    app = cdk.App()
    stage = cdk.Stage(app, "Prod")
    stack = cdk.Stack(stage, "Data")
    s3.Bucket(stack, "Plain")
    with pytest.raises(AssertionError, match="Prod/Data/Plain"):
        assert_denies_http(stack)
    for reason, passes in (
        ("no TLS there, until 2020-01-01", False),
        ("no TLS there, until 2999-01-01", True),
    ):
        accepted = cdk.Acknowledgment(id="secure-bucket::SB001", reason=reason)
        cdk.Validations.of(stage if around else app).acknowledge(accepted)
        for subject in (stack, stage, app):
            if passes:
                assert_denies_http(subject)
            else:
                with pytest.raises(AssertionError, match="expired on 2020-01-01"):
                    assert_denies_http(subject)


def test_one_rule_can_be_accepted_as_a_text() -> None:
    assert_denies_http(PLAIN, accept="SB001")


def test_a_change_after_a_synthesis_is_seen() -> None:
    app = cdk.App()
    stack = cdk.Stack(app, "Top")
    bucket = SecureBucket(stack, "Good")
    assert_denies_http(stack)
    policy = bucket.policy.node.default_child
    policy.add_property_override("PolicyDocument.Statement.0.Effect", "Allow")
    policy.add_property_override("PolicyDocument.Statement.1.Effect", "Allow")
    with pytest.raises(AssertionError, match="Top/Good"):
        assert_denies_http(stack)


def test_a_bucket_without_a_path_counts_for_its_stack() -> None:
    stack = cdk.Stack(cdk.App(), "Top")
    cdk.CfnStackSet(
        stack, "Set", stack_set_name="set", permission_model="SELF_MANAGED", template_body=json.dumps(PLAIN)
    )
    with pytest.raises(AssertionError, match="`Reports`: anyone can GET"):
        assert_denies_http(stack)
