"""What `SecureBucket` synthesizes, deployed to a server that evaluates it, and asked over HTTP and HTTPS.

Every policy is there twice: judged by the prover, and in force. They have to agree.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from secure_bucket.operations.aws.errors import LiveError
from secure_bucket.operations.aws.session import Access, Session, open_session
from secure_bucket.operations.probe.permissions import permissions_of
from secure_bucket.operations.probe.probe import (
    Check,
    EndpointLayout,
    Enforced,
    Inconclusive,
    Open,
    Refuser,
    Signer,
    probe_bucket,
)
from secure_bucket.proof import prove_denies_http
from secure_bucket.proof.verdict import Proven, Refuted
from tests.server.ministack import Keys, Ministack
from tests.synth.harness import CDK, ROOT, cdk_synth, write_app

pytestmark = pytest.mark.slow

APP = """
from aws_cdk import BootstraplessSynthesizer
stack = cdk.Stack(app, "Reports", synthesizer=BootstraplessSynthesizer())
SecureBucket(stack, "Bucket")
"""


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The template of an app with one `SecureBucket`, from the real `cdk synth`."""
    run = cdk_synth(tmp_path_factory.mktemp("app"), APP)
    assert run.code == 0, run.stderr
    return run.template("Reports.template.json")


@pytest.fixture(scope="session")
def deployed(server: Ministack, synthesized: dict[str, Any]) -> str:
    """The bucket of that template, made by CloudFormation, with an object in it."""
    bucket = deploy(server, synthesized)
    server.client("s3", server.user()).put_object(Bucket=bucket, Key="report.csv", Body=b"1,2\n")
    return bucket


def deploy(server: Ministack, template: dict[str, Any]) -> str:
    """Create a stack and return the name of its one bucket."""
    kinds = {name: each["Type"] for name, each in template["Resources"].items()}
    made = server.deploy(template)
    (bucket,) = [made[name] for name, kind in kinds.items() if kind == "AWS::S3::Bucket"]
    return bucket


@pytest.fixture
def session(server: Ministack, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session of a user, who may do everything with S3 and STS."""
    return session_of(server, server.user(), monkeypatch)


def session_of(
    server: Ministack, keys: Keys, monkeypatch: pytest.MonkeyPatch, role_arn: str | None = None
) -> Session:
    """Return a session with a key."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in server.environment(keys).items():
        monkeypatch.setenv(name, value)
    return open_session(Access(role_arn=role_arn, endpoint_url=server.https_url, ca_bundle=server.ca_bundle))


def probe(server: Ministack, session: Session, bucket: str, **options: Any) -> Check:
    """Probe a bucket over plain HTTP, and judge its policy."""
    asked: dict[str, Any] = {"sign_http": Signer.NARROWED, "policy_check": True, "timeout": 20.0} | options
    layout = EndpointLayout(http_endpoint_url=server.http_url)
    (check,) = probe_bucket(bucket, session=session, layout=layout, **asked).checks
    return check


Call = Callable[[Any, str], object]


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda s3, bucket: s3.list_objects_v2(Bucket=bucket), id="list"),
        pytest.param(lambda s3, bucket: s3.head_bucket(Bucket=bucket), id="head"),
        pytest.param(lambda s3, bucket: s3.get_object(Bucket=bucket, Key="report.csv"), id="get"),
        pytest.param(lambda s3, bucket: s3.put_object(Bucket=bucket, Key="new", Body=b""), id="put"),
        pytest.param(lambda s3, bucket: s3.delete_object(Bucket=bucket, Key="new"), id="delete"),
        pytest.param(lambda s3, bucket: s3.get_bucket_policy(Bucket=bucket), id="policy"),
    ],
)
def test_https_is_let_in_and_http_refused(server: Ministack, deployed: str, call: Call) -> None:
    call(server.client("s3", server.user()), deployed)
    with pytest.raises(ClientError) as refused:
        call(server.client("s3", server.user(), plain=True), deployed)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_without_the_policy_http_is_let_in(server: Ministack) -> None:
    bucket = server.bucket()
    assert server.client("s3", server.user(), plain=True).list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.parametrize("signer", [Signer.NARROWED, Signer.OWN])
@pytest.mark.parametrize("keys", [(), ("report.csv",)])
def test_probe_says_enforced(
    server: Ministack, session: Session, deployed: str, signer: Signer, keys: tuple[str, ...]
) -> None:
    check = probe(server, session, deployed, sign_http=signer, keys=keys)
    assert isinstance(check.outcome, Enforced)
    assert check.outcome.by is Refuser.POLICY
    assert isinstance(check.verdict, Proven)
    assert not check.disagreement
    codes = [(each.transport.value, each.status) for each in check.outcome.exchanges]
    got = 412 if keys else 404
    assert codes == [("HTTPS", 200), ("plain HTTP", 403), ("HTTPS", got), ("plain HTTP", 403)]


def test_unsigned_refusal_proves_nothing(server: Ministack, session: Session, deployed: str) -> None:
    outcome = probe(server, session, deployed, sign_http=Signer.ANONYMOUS).outcome
    assert isinstance(outcome, Inconclusive)
    assert "refused over HTTPS as well without a signature" in outcome.reasons[0]


def test_role_is_narrowed_by_a_session_policy(
    server: Ministack, deployed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust = (
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"000000000000"},'
        '"Action":"sts:AssumeRole"}}'
    )
    iam = server.client("iam")
    role = iam.create_role(RoleName="prober", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    allowed = (
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:*","sts:*"],"Resource":"*"}}'
    )
    iam.put_role_policy(RoleName="prober", PolicyName="all", PolicyDocument=allowed)
    session = session_of(server, server.user(), monkeypatch, role_arn=role)
    check = probe(server, session, deployed)
    assert isinstance(check.outcome, Enforced)
    assert "assumed-role/prober/secure-bucket-probe" in check.outcome.exchanges[1].message


def shown_permissions(bucket: str, **options: Any) -> dict[str, Any]:
    """Return the permissions for a bucket, as far as the server can tell them apart.

    AWS documents `arn:aws:sts::123456789012:federated-user/Manager*` as the resource of
    `sts:GetFederationToken`; the server takes that for an action on no resource.
    """
    policy = permissions_of([bucket], **options)
    for statement in policy["Statement"]:
        if statement["Action"] == "sts:GetFederationToken":
            statement["Resource"] = "*"
    return policy


@pytest.mark.parametrize("signer", [Signer.NARROWED, Signer.OWN])
def test_permissions_that_are_shown_suffice(
    server: Ministack, deployed: str, monkeypatch: pytest.MonkeyPatch, signer: Signer
) -> None:
    policy = shown_permissions(deployed, sign_http=signer, policy_check=True)
    keys = server.user(f"least-{signer.name.lower()}", policy)
    check = probe(server, session_of(server, keys, monkeypatch), deployed, sign_http=signer)
    assert isinstance(check.outcome, Enforced)
    assert isinstance(check.verdict, Proven)


@pytest.mark.parametrize("action", ["s3:ListBucket", "s3:GetObject", "sts:GetFederationToken"])
def test_permissions_that_are_shown_are_needed(
    server: Ministack, deployed: str, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    policy = shown_permissions(deployed, sign_http=Signer.NARROWED)
    policy["Statement"] = [each for each in policy["Statement"] if each["Action"] != action]
    session = session_of(server, server.user(f"without-{action.replace(':', '-')}", policy), monkeypatch)
    if action.startswith("sts:"):
        with pytest.raises(LiveError, match="access denied to `sts:GetFederationToken`"):
            probe(server, session, deployed, policy_check=False)
        return
    outcome = probe(server, session, deployed, policy_check=False).outcome
    assert isinstance(outcome, Inconclusive)
    assert f"`{action}`: refused over HTTPS as well" in str(outcome.reasons)


def test_narrowed_session_may_do_nothing_else(
    server: Ministack, session: Session, deployed: str, synthesized: dict[str, Any]
) -> None:
    from secure_bucket.operations.probe.narrow import narrowed_credentials

    other = deploy(server, synthesized)
    arn = f"arn:aws:s3:::{deployed}"
    new = narrowed_credentials(session, "us-east-1", arn, ["report.csv"])
    s3 = server.client("s3", Keys(new.access_key, new.secret_key, new.token))
    s3.get_object(Bucket=deployed, Key="report.csv")
    s3.list_objects_v2(Bucket=deployed)
    for call in (
        lambda: s3.list_objects_v2(Bucket=other),
        lambda: s3.get_object(Bucket=deployed, Key="other.csv"),
        lambda: s3.put_object(Bucket=deployed, Key="report.csv", Body=b""),
        lambda: s3.delete_object(Bucket=deployed, Key="report.csv"),
        lambda: s3.get_bucket_policy(Bucket=deployed),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()


def statement_of(template: dict[str, Any]) -> dict[str, Any]:
    """Return the statement that denies plain HTTP."""
    (policy,) = [each for each in template["Resources"].values() if each["Type"] == "AWS::S3::BucketPolicy"]
    (found,) = [
        each
        for each in policy["Properties"]["PolicyDocument"]["Statement"]
        if "aws:SecureTransport" in each["Condition"].get("Bool", {})
    ]
    statement: dict[str, Any] = found
    return statement


def allow_instead(statement: dict[str, Any]) -> None:
    """Allow HTTPS to the account, instead of denying HTTP to everybody."""
    principal = {"AWS": "arn:aws:iam::000000000000:root"}
    condition = {"Bool": {"aws:SecureTransport": "true"}}
    statement.update(Effect="Allow", Principal=principal, Condition=condition)


def as_first(statement: dict[str, Any], *rest: str) -> None:
    """Let the statement be about the bucket, and some of its objects."""
    bucket = statement["Resource"][0]
    statement["Resource"] = [bucket, *({"Fn::Join": ["", [bucket, each]]} for each in rest)]


MUTANTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "objects only": lambda it: it.update(Resource=it["Resource"][1]),
    "bucket only": as_first,
    "one prefix": lambda it: as_first(it, "/secret/*"),
    "one action": lambda it: it.update(Action="s3:GetObject"),
    "every action but one": lambda it: (it.pop("Action"), it.update(NotAction="s3:GetObject"))[1],
    "condition key misspelt": lambda it: it.update(Condition={"Bool": {"aws:SecureTransprot": "false"}}),
    "bucket of somebody else": lambda it: it.update(
        Resource=["arn:aws:s3:::somebody-elses", "arn:aws:s3:::somebody-elses/*"]
    ),
    "extra condition": lambda it: it["Condition"].update(IpAddress={"aws:SourceIp": "10.0.0.0/8"}),
    "one principal": lambda it: it.update(Principal={"AWS": "arn:aws:iam::000000000000:user/nobody"}),
    "allow instead of deny": allow_instead,
}


@pytest.mark.parametrize("name", MUTANTS)
def test_probe_and_prover_find_a_policy_that_only_looks_right(
    server: Ministack, session: Session, synthesized: dict[str, Any], name: str
) -> None:
    if name in ("bucket of somebody else", "one principal"):
        server.user("nobody")
    template = copy.deepcopy(synthesized)
    MUTANTS[name](statement_of(template))
    check = probe(server, session, deploy(server, template))
    assert isinstance(check.verdict, Refuted)
    assert isinstance(check.outcome, Open)
    assert not check.disagreement


def test_probe_and_prover_find_a_condition_value_flipped(
    server: Ministack, session: Session, synthesized: dict[str, Any]
) -> None:
    template = copy.deepcopy(synthesized)
    statement_of(template)["Condition"]["Bool"]["aws:SecureTransport"] = "true"
    bucket = deploy(server, template)
    (check,) = probe_bucket(
        bucket,
        session=session,
        sign_http=Signer.NARROWED,
        layout=EndpointLayout(http_endpoint_url=server.http_url),
    ).checks
    assert isinstance(check.outcome, Open)
    # It locks out everybody over HTTPS, so that nobody but the root of the account can read it.
    policy = json.loads(server.client("s3").get_bucket_policy(Bucket=bucket)["Policy"])
    assert isinstance(prove_denies_http(policy, bucket_arn=f"arn:aws:s3:::{bucket}"), Refuted)
    fault = probe_bucket(
        bucket,
        session=session,
        policy_check=True,
        layout=EndpointLayout(http_endpoint_url=server.http_url),
    ).policy_fault
    assert fault.startswith(f"access denied to `s3:GetBucketPolicy` on bucket `{bucket}`")


def test_probe_and_prover_find_a_dropped_statement(
    server: Ministack, session: Session, synthesized: dict[str, Any]
) -> None:
    template = copy.deepcopy(synthesized)
    dropped = statement_of(template)
    for each in template["Resources"].values():
        if each["Type"] == "AWS::S3::BucketPolicy":
            each["Properties"]["PolicyDocument"]["Statement"].remove(dropped)
    check = probe(server, session, deploy(server, template))
    assert (type(check.verdict), type(check.outcome)) == (Refuted, Open)


def test_probe_and_prover_find_a_bucket_without_a_policy(server: Ministack, session: Session) -> None:
    check = probe(server, session, server.bucket())
    assert (type(check.verdict), type(check.outcome)) == (Refuted, Open)


def test_what_the_probe_does_not_try_the_prover_finds(
    server: Ministack, session: Session, synthesized: dict[str, Any]
) -> None:
    template = copy.deepcopy(synthesized)
    statement = statement_of(template)
    statement["NotAction"] = "s3:PutObject"
    del statement["Action"]
    check = probe(server, session, deploy(server, template))
    assert (type(check.verdict), type(check.outcome)) == (Refuted, Enforced)
    assert "the bucket policy accepts one that the probe did not send: " in check.disagreement


def test_key_of_an_object_tries_what_is_meant_for_it(server: Ministack, session: Session) -> None:
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "NotResource": "arn:aws:s3:::BUCKET/public/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    bucket = server.bucket({"Version": "2012-10-17", "Statement": [deny]})
    for key in ("public/a", "other/a"):
        server.client("s3", server.user()).put_object(Bucket=bucket, Key=key, Body=b"text")
    assert isinstance(probe(server, session, bucket, keys=("other/a",)).outcome, Enforced)
    outcome = probe(server, session, bucket, keys=("other/a", "public/a")).outcome
    assert isinstance(outcome, Open)
    assert outcome.exchange.status == 412
    assert outcome.exchange.url.endswith("/public/a")


def test_public_bucket_is_judged_without_a_signature(server: Ministack, session: Session) -> None:
    everybody = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": ["s3:ListBucket", "s3:GetObject"],
        "Resource": ["arn:aws:s3:::BUCKET", "arn:aws:s3:::BUCKET/*"],
    }
    deny = {**everybody, "Effect": "Deny", "Action": "s3:*"}
    deny["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}
    for statements, outcome in (([everybody], Open), ([everybody, deny], Enforced)):
        bucket = server.bucket({"Version": "2012-10-17", "Statement": statements}, public=True)
        server.client("s3", server.user()).put_object(Bucket=bucket, Key="index.html", Body=b"text")
        check = probe(server, session, bucket, sign_http=Signer.ANONYMOUS, keys=("index.html",))
        assert isinstance(check.outcome, outcome)
        assert all(each.signer is Signer.ANONYMOUS for each in check.outcome.exchanges)


def test_caller_whose_own_policy_refuses_http_proves_nothing_about_the_bucket(
    server: Ministack, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = server.user("careful")
    deny = (
        '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*",'
        '"Condition":{"Bool":{"aws:SecureTransport":"false"}}}}'
    )
    server.client("iam").put_user_policy(UserName="careful", PolicyName="https", PolicyDocument=deny)
    session = session_of(server, keys, monkeypatch)
    check = probe(server, session, server.bucket(), sign_http=Signer.OWN)
    assert isinstance(check.outcome, Inconclusive)
    assert "because of the identity-based policy, which concerns the caller" in check.outcome.reasons[0]


def test_cdk_deploys_it(server: Ministack, session: Session, tmp_path: Path) -> None:
    write_app(tmp_path, APP)
    environment = {
        **server.environment(),
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT / "lib"),
        "HOME": str(tmp_path),
        "CDK_HOME": str(tmp_path / "cdk-home"),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }
    done = subprocess.run(
        [
            *(str(CDK), "deploy", "--all", "--require-approval", "never", "--no-notices"),
            *("--app", f"{sys.executable} app.py"),
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = server.client("cloudformation").describe_stack_resources(StackName="Reports")
    (bucket,) = [
        each["PhysicalResourceId"]
        for each in found["StackResources"]
        if each["ResourceType"] == "AWS::S3::Bucket"
    ]
    policy = server.client("s3").get_bucket_policy(Bucket=bucket)["Policy"]
    assert "aws:SecureTransport" in policy
    check = probe(server, session, bucket)
    assert (type(check.verdict), type(check.outcome)) == (Proven, Enforced)


def test_policy_in_force_is_the_one_that_was_proven(
    server: Ministack, session: Session, deployed: str
) -> None:
    policy = json.loads(server.client("s3").get_bucket_policy(Bucket=deployed)["Policy"])
    assert isinstance(prove_denies_http(policy, bucket_arn=f"arn:aws:s3:::{deployed}"), Proven)
