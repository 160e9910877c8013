"""Templates to run the command on, and the command in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import secure_bucket

LIBRARY = Path(secure_bucket.__file__).parents[1]

SECURE = """\
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Reports:
    Type: AWS::S3::Bucket
  ReportsPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Reports
      PolicyDocument:
        Statement:
          - Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource: [!GetAtt Reports.Arn, !Sub "${Reports.Arn}/*"]
            Condition: {Bool: {aws:SecureTransport: false}}
"""
OPEN = """\
Resources:
  Logs:
    Type: AWS::S3::Bucket
"""
UNDECIDED = """\
Parameters:
  LogBucketArn: {Type: String}
Resources:
  Logs:
    Type: AWS::S3::Bucket
  LogsPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Logs
      PolicyDocument:
        Statement:
          - Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource: [!Ref LogBucketArn, !Sub "${LogBucketArn}/*"]
            Condition: {Bool: {aws:SecureTransport: false}}
"""
NO_BUCKET = "Resources: {Topic: {Type: AWS::SNS::Topic}}\n"


def write_assembly(directory: Path, *, level: int = 0) -> None:
    """Write a cloud assembly with a stack, a stack that it nests, and a Stage with the same two."""
    directory.mkdir()
    bucket = {"Type": "AWS::S3::Bucket", "Metadata": {"aws:cdk:path": f"{'Stage/' * level}Top/Logs/Resource"}}
    child = {
        "Type": "AWS::CloudFormation::Stack",
        "Metadata": {"aws:asset:path": "Nested.nested.template.json"},
        "Properties": {"TemplateURL": "https://s3.amazonaws.com/assets/Nested.nested.template.json"},
    }
    files: dict[str, object] = {
        "Top.template.json": {"Resources": {"Logs": bucket, "Child": child}},
        "Nested.nested.template.json": {"Resources": {"Inner": {"Type": "AWS::S3::Bucket"}}},
    }
    nested = {
        "source": {"path": "Nested.nested.template.json", "packaging": "file"},
        "destinations": {"here": {"bucketName": "assets", "objectKey": "Nested.nested.template.json"}},
    }
    files["assets.json"] = {"version": "48.0.0", "files": {"nested": nested}}
    artifacts: dict[str, object] = {
        "Assets": {"type": "cdk:asset-manifest", "properties": {"file": "assets.json"}},
        "Top": {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/unknown-region",
            "properties": {"templateFile": "Top.template.json"},
            "dependencies": ["Assets"],
        },
    }
    if level == 0:
        write_assembly(directory / "assembly-Stage", level=1)
        properties = {"directoryName": "assembly-Stage"}
        artifacts["Stage"] = {"type": "cdk:cloud-assembly", "properties": properties}
    files["manifest.json"] = {"version": "48.0.0", "artifacts": artifacts}
    for name, content in files.items():
        (directory / name).write_text(json.dumps(content))


@dataclass(frozen=True)
class Outcome:
    """What came of a run."""

    code: int
    out: str
    err: str


def environment(**extra: str) -> dict[str, str]:
    """Return the environment for a process of its own."""
    return {**os.environ, "PYTHONPATH": str(LIBRARY), **extra}


def command(*arguments: str) -> list[str]:
    """Return the command line of the command."""
    return [sys.executable, "-m", "secure_bucket", *arguments]


def heed_interrupts() -> None:
    """Let a process be interrupted, before it starts: `preexec_fn` of `subprocess.Popen`.

    A shell that runs the tests in the background has the signal ignored, and its children inherit that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
