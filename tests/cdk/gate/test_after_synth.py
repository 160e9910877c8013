"""What an app with a CDK before 2.274 is told of a violation."""

from __future__ import annotations

import functools
import subprocess
import sys
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3

from secure_bucket import enforce_secure_transport
from secure_bucket.cdk.gate.after_synth import text_of
from secure_bucket.errors import NotProvenError


class OwnApp(cdk.App):
    """An app of a class of its own."""


@pytest.mark.parametrize("kind", [cdk.App, OwnApp])
def test_synth_itself_raises_where_no_plugin_is_registered(
    monkeypatch: pytest.MonkeyPatch, kind: type[cdk.App]
) -> None:
    # The App of the installed CDK has a `synth` of its own, as that of 2.264, which others can have wrapped.
    original = cdk.App.synth

    @functools.wraps(original)
    def synth_of_others(self: cdk.App, **options: Any) -> Any:
        return original(self, **options)

    monkeypatch.setattr(cdk.App, "synth", synth_of_others)
    for module in ("gate", "validation"):
        monkeypatch.setattr(f"secure_bucket.cdk.gate.{module}.has_reliable_plugins", lambda: False)
    app = kind()
    s3.Bucket(cdk.Stack(app, "Top"), "Open")
    enforce_secure_transport(app)
    with pytest.raises(NotProvenError, match="over plain HTTP"):
        app.synth()


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


BREAKING = """
import os
from secure_bucket.cdk.gate import process_end

def breaks():
    raise RuntimeError("the kernel is gone")

process_end.states = breaks
process_end.end_last()
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", ["", "os._exit(0)", "os.execv('/bin/true', ['true'])"])
def test_an_error_at_the_end_of_the_process_fails_it(end: str) -> None:
    command = [sys.executable, "-c", BREAKING + end]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "secure-bucket: the gate could not judge the app at its end: RuntimeError: the kernel is gone" in (
        done.stderr
    )
