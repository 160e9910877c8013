"""Add the gate to an app, and in FIX mode the missing denies, as an Aspect."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Literal

import aws_cdk as cdk
import jsii
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from secure_bucket.cdk.fix.fixer import Fixer
from secure_bucket.cdk.fix.survey import SeenBucket, path_of
from secure_bucket.cdk.fix.synthesized import outdir_of
from secure_bucket.cdk.gate.record import remove_record
from secure_bucket.cdk.gate.validation import new_gate, register

__all__ = ["Mode", "SecureTransportAspect"]


class Mode(enum.Enum):
    """What to do about a bucket that accepts plain HTTP."""

    FLAG = "flag"
    """Report it."""
    FIX = "fix"
    """Add the missing deny, and report what is beyond reach."""


@jsii.implements(cdk.IAspect)
class SecureTransportAspect:
    """Fail the synthesis unless every bucket of the app is proven to refuse plain HTTP.

        cdk.Aspects.of(app).add(SecureTransportAspect())

    It registers a `SecureTransportValidation` on the App, once, wherever you attach it. That judges the whole
    app, with its Stages, nested stacks and overrides. With `mode=Mode.FIX` it also adds the deny to each
    bucket below its construct. An Aspect outside a Stage does not visit the Stage: attach one to each Stage
    that FIX should cover. The gate reports the Stages without one.

    Args:
        mode: Report, or with `Mode.FIX` fix first (default: `Mode.FLAG`).
        undecided: Whether undecided buckets and unread templates are errors or warnings (default: "error").
            An app with several Aspects takes the strictest.
        websites: Whether FIX also closes the website endpoints of buckets (default: False).
        plain_viewers: Whether FIX also denies plain HTTP to CloudFront distributions that request objects
            over it, and then get 403 (default: False).
        quiet: Whether to omit the summary and the report of FIX on stderr (default: False).

    Raises:
        ValueError: `mode` or `undecided` has another value.
    """

    def __init__(
        self,
        *,
        mode: Mode = Mode.FLAG,
        undecided: Literal["error", "warning"] = "error",
        websites: bool = False,
        plain_viewers: bool = False,
        quiet: bool = False,
    ) -> None:
        self._mode = Mode(mode)
        self._websites = websites
        self._plain_viewers = plain_viewers
        self._gate = new_gate(undecided=undecided, quiet=quiet)
        self._registered = False

    def visit(self, node: IConstruct) -> None:
        """Register the gate, and in FIX mode fix the bucket `node`; the AWS CDK calls this."""
        is_scope = isinstance(node, (cdk.Stage, cdk.Stack))
        is_bucket = self._mode is Mode.FIX and isinstance(node, s3.CfnBucket)
        # An app has many nodes, and asking for the root is a call to the jsii kernel: scopes are enough to
        # find the App, except for an Aspect that is attached below all of them.
        if not (is_scope or is_bucket) and self._registered:
            return
        root = node.node.root
        state = register(root, self._gate)
        self._registered = self._registered or is_scope
        if self._mode is Mode.FIX:
            if is_scope:
                state.fixed.add(node.node.path)
            if isinstance(node, cdk.Stage):
                # A walk begins: the app may have changed between two syntheses.
                state.fixers.pop(path_of(node), None)
                if isinstance(node, cdk.App):
                    remove_record(Path(outdir_of(node)))
            if isinstance(node, s3.CfnBucket):
                stage = cdk.Stage.of(node) or root
                fixer = state.fixers.setdefault(path_of(stage), Fixer(stage))
                fixer.websites, fixer.plain_viewers = self._websites, self._plain_viewers
                bucket = SeenBucket(node)
                if self._websites or self._plain_viewers:
                    state.closed.add(bucket.path)
                state.note(fixer.fix(bucket))
