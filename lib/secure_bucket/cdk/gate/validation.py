"""Fail `cdk synth`, as a validation plugin of the AWS CDK.

The CDK would hide findings in three ways:

- The command line shows, and fails for, only findings in the selected stacks: by default those outside of any
  Stage. Findings on the App itself always count: there the gate reports their sum.
- The CDK ignores a plugin that raises. The gate turns every fault into a violation.
- The CDK does not pass the templates of nested stacks to plugins. The gate reads them from the assembly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, cast

import aws_cdk as cdk
from constructs import IConstruct

from secure_bucket.cdk.fix.synthesized import outdir_of
from secure_bucket.cdk.gate.after_synth import watch, watch_files, wrap_synth
from secure_bucket.cdk.gate.gate import Gate
from secure_bucket.cdk.gate.record import remove_record
from secure_bucket.cdk.gate.state import AppState, state_of
from secure_bucket.cdk.gate.violations import PLUGIN, fails, of_fault
from secure_bucket.cdk.versions import has_reliable_plugins, implements, require_cdk
from secure_bucket.findings.rules import RULES
from secure_bucket.version import installed_version

__all__ = ["SecureTransportValidation", "new_gate", "register"]


@implements("IPolicyValidationPlugin")
class SecureTransportValidation(Gate):
    """Fail the synthesis unless every bucket of the app is proven to refuse plain HTTP.

        cdk.Validations.of(app).add_plugins(SecureTransportValidation())

    Register it on the App, once. It judges the finished templates of the whole assembly, with Stages, nested
    stacks, and the changes by Aspects and overrides. To accept a finding, acknowledge it on its bucket or a
    construct around it:

        cdk.Validations.of(bucket).acknowledge(
            cdk.Acknowledgment(id="secure-bucket::SB001", reason="read by a device that has no TLS")
        )

    Args:
        undecided: Whether undecided buckets and unread templates are errors or warnings (default: "error").
        quiet: Whether to omit the summary line on stderr (default: False).

    Raises:
        MissingDependencyError: The CDK is too old for a plugin that always fails the synthesis; use
            `enforce_secure_transport(app)` there.
        ValueError: `undecided` has another value.
    """

    def __init__(self, *, undecided: Literal["error", "warning"] = "error", quiet: bool = False) -> None:
        require_cdk("SecureTransportValidation")
        wrap_synth()
        super().__init__(undecided=undecided, quiet=quiet)

    @property
    def name(self) -> str:
        """The name in the validation report, and at the start of each acknowledgment id."""
        return PLUGIN

    @property
    def version(self) -> str:
        """The version of this library."""
        return installed_version()

    @property
    def rule_ids(self) -> list[str]:
        """The rules that it checks."""
        return [rule.id for rule in RULES]

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Judge the finished assembly; the AWS CDK calls this."""
        try:
            violations = self.judge(cast(cdk.App, context.app_construct), context.template_paths)
        except Exception as fault:
            violations = [of_fault(fault)]
        return cdk.PolicyValidationPluginReport(
            success=not any(map(fails, violations)), violations=violations
        )


def new_gate(*, undecided: Literal["error", "warning"], quiet: bool) -> Gate:
    """Return a gate for `register`: a plugin, if this CDK fails the synthesis for one."""
    if has_reliable_plugins():
        return SecureTransportValidation(undecided=undecided, quiet=quiet)
    wrap_synth()
    return Gate(undecided=undecided, quiet=quiet)


def register(app: IConstruct, asked_for: Gate) -> AppState:
    """Register a gate, the strictest of several; return the state of the app."""
    state = state_of(app)
    if state.gate is None:
        state.gate = asked_for
        asked_for.stand_by()
        if isinstance(app, cdk.Stage):
            remove_record(Path(outdir_of(app)))
        if has_reliable_plugins():
            cdk.Validations.of(app).add_plugins(cast(cdk.IPolicyValidationPlugin, asked_for))
            watch_files(app)
        else:
            watch(app)
    elif state.gate is not asked_for:
        state.gate.join(asked_for)
    return state
