"""Synthesize an app again after a fix of its program, and find the changes of its templates."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from secure_bucket.checks.cloud_assembly import check_assembly
from secure_bucket.cli.output import to_stderr
from secure_bucket.errors import SecureBucketError
from secure_bucket.proof.verdict import Proven
from secure_bucket.template.load import load_document

__all__ = ["read_templates", "synthesize", "unproven_and_changed"]

_POLICY = "AWS::S3::BucketPolicy"
# Its `Analytics` lists the constructs of the app, including the new policies.
_METADATA = "AWS::CDK::Metadata"
_STANDARD_ERROR = 2


def synthesize(command: str) -> None:
    """Run a command that synthesizes the app, with its standard output on standard error.

    The new assembly contains the places of the calls of a Python app, like that of `cdk synth --debug`,
    which prints much more. An exit code other than 0 is only reported, because the gate of the app may fail
    for another bucket.

    Raises:
        SecureBucketError: If the command cannot be started.
    """
    try:
        words = shlex.split(command)
        if not words:
            raise SecureBucketError("the COMMAND of --synth is empty")
        environment = {**os.environ, "JSII_HOST_STACK_TRACES": "1"}
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=_STANDARD_ERROR, env=environment, check=False
        )
    except ValueError as error:
        raise SecureBucketError(f"the COMMAND of --synth cannot be read: {error}") from None
    except OSError as error:
        raise SecureBucketError(f"`{command}` cannot be run: {error.strerror or error}") from None
    if done.returncode:
        to_stderr(f"secure-bucket: `{command}` ended with exit code {done.returncode}")


def read_templates(files: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return the contents of templates, by file."""
    return {file: load_document(file).root for file in files if os.path.isfile(file)}


def unproven_and_changed(
    directories: Iterable[str],
    fixed: Iterable[tuple[str, str]],
    before: Mapping[str, Mapping[str, Any]],
    *,
    strict: bool,
) -> tuple[list[str], list[str]]:
    """Compare new assemblies with the templates before the fix.

    Args:
        directories: The new cloud assemblies.
        fixed: The buckets that were fixed in the program, by template and logical id.
        before: The templates before the fix, by file.
        strict: As for `check`.

    Returns:
        The fixed buckets that are not proven, and all other changes than those of their policies.
    """
    proven: set[tuple[str, str]] = set()
    after: dict[str, Mapping[str, Any]] = {}
    for directory in directories:
        report = check_assembly(directory, strict=strict)
        proven |= {each.subject.key for each in report.buckets if isinstance(each.verdict, Proven)}
        after |= read_templates(report.templates)
    wanted: dict[str, set[str]] = {}
    unproven = []
    for file, logical_id in fixed:
        wanted.setdefault(file, set()).add(logical_id)
        if (file, logical_id) not in proven:
            unproven.append(f"`{logical_id}` of `{file}`")
    changed = [f"`{file}` is gone" for file in before.keys() - after.keys()]
    changed += [f"`{file}` is new" for file in after.keys() - before.keys()]
    for file in sorted(before.keys() & after.keys()):
        directory = os.path.dirname(file)
        # This loop compares these templates themselves: their hashes in other templates may change.
        compared = {os.path.relpath(each, directory) for each in before.keys() & after.keys()}
        changed += _changes(file, before[file], after[file], wanted.get(file, set()), compared)
    return unproven, changed


def _changes(
    file: str, before: Mapping[str, Any], after: Mapping[str, Any], buckets: set[str], compared: set[str]
) -> Iterator[str]:
    for section in sorted({*before, *after} - {"Resources"}):
        if _text(before.get(section)) != _text(after.get(section)):
            yield f"`{section}` of `{file}`"
    old, new = before.get("Resources", {}), after.get("Resources", {})
    policies = {
        logical_id
        for logical_id, body in new.items()
        if isinstance(body, Mapping) and body.get("Type") == _POLICY and _bucket_of(body) in buckets
    }
    for logical_id in sorted({*old, *new}):
        was, now = old.get(logical_id), new.get(logical_id)
        if logical_id in policies:
            if was is None:
                continue
            now = _without_new_denies(now, was)
        if _text(_own(was, policies, compared)) != _text(_own(now, policies, compared)) and not (
            isinstance(now, Mapping) and now.get("Type") == _METADATA
        ):
            yield f"`{logical_id}` of `{file}`"


def _bucket_of(policy: Mapping[str, Any]) -> object:
    properties = policy.get("Properties")
    bucket = properties.get("Bucket") if isinstance(properties, Mapping) else None
    return bucket.get("Ref") if isinstance(bucket, Mapping) else None


def _without_new_denies(policy: object, before: object) -> object:
    """Return a policy without its new Deny statements."""
    known = _statements(before)
    kept = [each for each in _statements(policy) if each in known or each.get("Effect") != "Deny"]
    match policy:
        case {"Properties": {"PolicyDocument": {"Statement": list(), **document}, **properties}, **body}:
            return {
                **body,
                "Properties": {**properties, "PolicyDocument": {**document, "Statement": kept}},
            }
    return policy


def _statements(policy: object) -> list[Mapping[str, Any]]:
    match policy:
        case {"Properties": {"PolicyDocument": {"Statement": list(statements)}}}:
            return [each for each in statements if isinstance(each, Mapping)]
    return []


def _own(body: object, policies: set[str], compared: set[str]) -> object:
    """Return a resource without the effects of a new policy.

    These are dependencies on the policies, and the address of a nested template, which contains its hash.
    """
    if not isinstance(body, Mapping):
        return body
    match body:
        case {"Metadata": {"aws:asset:path": str(path)}, "Properties": {"TemplateURL": _, **properties}}:
            if path in compared:
                body = {**body, "Properties": properties}
    named = body.get("DependsOn", [])
    named = [named] if isinstance(named, str) else named
    others = [each for each in named if each not in policies] if isinstance(named, list) else named
    return {**{key: value for key, value in body.items() if key != "DependsOn"}, "DependsOn": others}


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)
