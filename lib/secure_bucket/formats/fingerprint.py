"""What a finding is recognized by when the lines around it have moved."""

from __future__ import annotations

import hashlib

from secure_bucket.findings.finding import Finding
from secure_bucket.findings.subject import Running
from secure_bucket.formats.extent import Excerpts
from secure_bucket.formats.run import Run

__all__ = ["fingerprint"]


def fingerprint(finding: Finding, run: Run, excerpts: Excerpts) -> str:
    """Return a hash of the rule, the bucket and the guilty statement, in 32 hexadecimal digits.

    The bucket is known by the path of its construct and the directory of the assembly, or else by its
    logical id and its template; the statement by its text without its white space. Line numbers and
    messages have no part in it.
    """
    template = run.relative(finding.template)
    if finding.construct_path:
        # In an assembly the name of a template may be a hash of its content.
        template = template.rpartition("/")[0]
    bucket = f"{template}#{finding.subject.path}"
    if isinstance(finding.subject, Running):
        # A probe tells apart what it finds over several TLS versions by a parameter.
        bucket = " ".join((bucket, *(value for _, value in finding.parameters)))
    part = excerpts.at(finding.at)
    statement = " ".join(part.text.split()) if part is not None else ""
    identity = "\0".join([finding.rule, bucket, statement])
    return hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:32]
