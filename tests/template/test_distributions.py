"""CloudFront distributions that request objects of a bucket over plain HTTP, in templates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secure_bucket import check_template
from secure_bucket.checks.check import check_templates
from secure_bucket.cli.main import main
from secure_bucket.policy.statements import deny_plain_http

DOMAIN = {"Fn::GetAtt": ["Reports", "RegionalDomainName"]}
S3_ORIGIN = {"S3OriginConfig": {"OriginAccessIdentity": ""}}
ACCESS_CONTROL = {**S3_ORIGIN, "OriginAccessControlId": {"Fn::GetAtt": ["Control", "Id"]}}


def template(
    domain: object = DOMAIN, origin: dict[str, Any] = S3_ORIGIN, viewers: object = "allow-all", **more: Any
) -> dict[str, Any]:
    config = {
        "Origins": [{"Id": "one", "DomainName": domain, **origin}],
        "DefaultCacheBehavior": {"TargetOriginId": "one", "ViewerProtocolPolicy": viewers},
        **more,
    }
    site = {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": config}}
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "reports"}}
    return {"Resources": {"Reports": bucket, "Site": site}}


def signed(behavior: object, **origin: Any) -> dict[str, Any]:
    """A template with an origin access control."""
    written = template(origin={**ACCESS_CONTROL, **origin})
    config = {"OriginAccessControlOriginType": "s3", "SigningBehavior": behavior, "SigningProtocol": "sigv4"}
    written["Resources"]["Control"] = {
        "Type": "AWS::CloudFront::OriginAccessControl",
        "Properties": {"OriginAccessControlConfig": config},
    }
    return written


def viewers_of(written: dict[str, Any]) -> tuple[str, ...]:
    (bucket,) = check_template(written).buckets
    return bucket.viewers


PLAIN = {
    "S3 origin": template(),
    "origin access identity": template(
        origin={"S3OriginConfig": {"OriginAccessIdentity": "origin-access-identity/cloudfront/E1"}}
    ),
    "origin access control that never signs": signed("never"),
    "origin access control that leaves signatures of viewers": signed("no-override"),
    "origin access control that a parameter decides": signed({"Ref": "Viewers"}),
    "origin access control of another template": template(
        origin={**S3_ORIGIN, "OriginAccessControlId": "E327GJI25M56DG"}
    ),
    "origin access control at a custom origin": signed(
        "always", CustomOriginConfig={"OriginProtocolPolicy": "match-viewer"}
    ),
    "global domain": template({"Fn::GetAtt": ["Reports", "DomainName"]}),
    "domain by Sub": template({"Fn::Sub": "${Reports}.s3.${AWS::Region}.amazonaws.com"}),
    "domain by name": template("reports.s3.eu-west-1.amazonaws.com"),
    "old domain by name": template("reports.s3-eu-west-1.amazonaws.com"),
    "no origin configuration": template(origin={}),
    "viewers by parameter": template(viewers={"Ref": "Viewers"}),
    "viewers by condition": template(viewers={"Fn::If": ["IsProd", "https-only", "allow-all"]}),
    "http-only": template(
        origin={"CustomOriginConfig": {"OriginProtocolPolicy": "http-only"}}, viewers="https-only"
    ),
    "match-viewer": template(origin={"CustomOriginConfig": {"OriginProtocolPolicy": "match-viewer"}}),
    "another behavior": template(
        viewers="https-only",
        CacheBehaviors=[
            {"PathPattern": "/a/*", "TargetOriginId": "one", "ViewerProtocolPolicy": "allow-all"}
        ],
    ),
    "origin group": template(
        DefaultCacheBehavior={"TargetOriginId": "group", "ViewerProtocolPolicy": "allow-all"},
        OriginGroups={
            "Items": [{"Id": "group", "Members": {"Items": [{"OriginId": "one"}, {"OriginId": "two"}]}}]
        },
    ),
}


@pytest.mark.parametrize("case", PLAIN)
def test_a_distribution_that_uses_plain_http_is_named_with_the_change(case: str) -> None:
    written = PLAIN[case] | {
        "Parameters": {"Viewers": {"Type": "String"}},
        "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Viewers"}, "prod"]}},
    }
    (line,) = viewers_of(written)
    assert line.startswith("the CloudFront distribution `Site` ")
    assert ": set `" in line
    (finding,) = check_template(written).findings
    assert finding.fix.startswith("first set `")
    assert "in the distribution `Site`, which " in finding.fix


HTTPS = {
    "redirect-to-https": template(viewers="redirect-to-https"),
    "https-only": template(viewers="https-only"),
    "origin access control that always signs": signed("always"),
    "the same by Ref": signed("always", OriginAccessControlId={"Ref": "Control"}),
    "https-only origin": template(origin={"CustomOriginConfig": {"OriginProtocolPolicy": "https-only"}}),
    "another bucket": template("reports-2.s3.eu-west-1.amazonaws.com"),
    "unused origin": template(DefaultCacheBehavior={"TargetOriginId": "other"}),
    "website endpoint": template(
        "reports.s3-website-eu-west-1.amazonaws.com",
        {"CustomOriginConfig": {"OriginProtocolPolicy": "http-only"}},
    ),
}


@pytest.mark.parametrize("case", HTTPS)
def test_a_distribution_that_uses_https_is_not_named(case: str) -> None:
    assert viewers_of(HTTPS[case]) == ()
    (finding,) = check_template(HTTPS[case]).findings
    assert "distribution" not in finding.fix


def test_a_bucket_with_the_deny_has_no_finding_and_still_tells() -> None:
    written = template()
    statement = deny_plain_http("arn:aws:s3:::reports")
    properties = {"Bucket": {"Ref": "Reports"}, "PolicyDocument": {"Statement": [statement]}}
    written["Resources"]["Policy"] = {"Type": "AWS::S3::BucketPolicy", "Properties": properties}
    assert len(viewers_of(written)) == 1
    assert check_template(written).findings == ()


def split(directory: Path) -> list[str]:
    """A bucket and its distribution in two templates."""
    written = template({"Fn::ImportValue": "domain"})
    site = {"Resources": {"Site": written["Resources"].pop("Site")}}
    written["Outputs"] = {"Domain": {"Value": DOMAIN, "Export": {"Name": "domain"}}}
    files = []
    for name, each in (("data.json", written), ("site.json", site)):
        file = directory / name
        file.write_text(json.dumps(each, indent=2), encoding="utf-8")
        files.append(str(file))
    return files


def test_a_distribution_of_another_template_counts(tmp_path: Path) -> None:
    (bucket,) = check_templates(split(tmp_path)).buckets
    assert bucket.viewers[0].startswith("the CloudFront distribution `Site` passes on the plain HTTP")


def test_fix_leaves_such_a_bucket_unless_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "site.json"
    file.write_text(json.dumps(template(), indent=2), encoding="utf-8")
    before = file.read_text(encoding="utf-8")
    assert main(["fix", str(file), "--write"]) == 1
    said = capsys.readouterr().err
    assert "with the deny CloudFront gets 403: the CloudFront distribution `Site` passes on" in said
    assert "set `ViewerProtocolPolicy` of the default behavior to `redirect-to-https`" in said
    assert "--plain-viewers" in said
    assert file.read_text(encoding="utf-8") == before
    assert main(["fix", str(file), "--write", "--plain-viewers"]) == 0
    assert "DenyPlainHttp" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("denied", [False, True])
def test_plan_says_so_also_from_a_report(
    denied: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = template()
    if denied:
        statement = deny_plain_http("arn:aws:s3:::reports")
        properties = {"Bucket": {"Ref": "Reports"}, "PolicyDocument": {"Statement": [statement]}}
        written["Resources"]["Policy"] = {"Type": "AWS::S3::BucketPolicy", "Properties": properties}
    file, report = tmp_path / "site.json", tmp_path / "report.json"
    file.write_text(json.dumps(written), encoding="utf-8")
    main(["check", str(file), "--format", "json", "--output", str(report)])
    capsys.readouterr()
    main(["plan", "--check", str(report)])
    said = " ".join(capsys.readouterr().out.split())
    assert "have CloudFront use HTTPS first, as it would get 403: the CloudFront distribution `Site`" in said
