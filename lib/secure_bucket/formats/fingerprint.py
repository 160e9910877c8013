"""Identify a finding independently of line numbers."""

from __future__ import annotations

import hashlib

from secure_bucket.findings.finding import Finding
from secure_bucket.findings.subject import Running
from secure_bucket.formats.extent import Excerpts
from secure_bucket.formats.run import Run

__all__ = ["fingerprint"]


def fingerprint(finding: Finding, run: Run, excerpts: Excerpts) -> str:
    """Return a hash of the rule, the bucket and the statement of a finding, in 32 hexadecimal digits.

    The hash identifies the bucket by its construct path and the directory of the assembly, or else by its
    logical id and its template, and the statement by its text without white space. Line numbers and messages
    do not change the hash.
    """
    template = run.relative(finding.template)
    if finding.construct_path:
        # In an assembly, the name of a template may be a hash of its content.
        template = template.rpartition("/")[0]
    bucket = f"{template}#{finding.subject.path}"
    if isinstance(finding.subject, Running):
        # A parameter distinguishes the findings of a probe over several TLS versions.
        bucket = " ".join((bucket, *(value for _, value in finding.parameters)))
    part = excerpts.at(finding.at)
    statement = " ".join(part.text.split()) if part is not None else ""
    identity = "\0".join([finding.rule, bucket, statement])
    return hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:32]
