"""What an app with a CDK before 2.274 is told of a violation."""

from __future__ import annotations

import aws_cdk as cdk
import pytest

from secure_bucket.cdk.gate.after_synth import text_of


def violation(rule: str, severity: str) -> cdk.PolicyViolation:
    return cdk.PolicyViolation(
        rule_name=rule, description="the message", severity=severity, violating_resources=[]
    )


@pytest.mark.parametrize(
    ("rule", "severity", "last"),
    [
        (
            "SB001",
            "error",
            "   Accept it in the `Metadata` of the resource: "
            "SecureBucket: {Exceptions: [{Rule: SB001, Reason: …}]}",
        ),
        ("SB008", "error", "ERROR the message (secure-bucket)"),
        ("imported-bucket", "info", "INFO the message (secure-bucket)"),
        ("gate-failure", "fatal", "FATAL the message (secure-bucket)"),
    ],
)
def test_metadata_is_offered_only_where_it_has_an_effect(
    monkeypatch: pytest.MonkeyPatch, rule: str, severity: str, last: str
) -> None:
    monkeypatch.setattr("secure_bucket.cdk.gate.after_synth.has_acknowledgments", lambda: False)
    assert text_of(violation(rule, severity)).splitlines()[-1] == last


def test_acknowledgments_are_offered_where_they_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secure_bucket.cdk.gate.after_synth.has_acknowledgments", lambda: True)
    last = text_of(violation("SB001", "error")).splitlines()[-1]
    assert last == "   Acknowledge with 'secure-bucket::SB001'"
