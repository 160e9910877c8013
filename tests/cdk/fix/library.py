"""A library of constructs in TypeScript, as jsii packs one, which make bucket policies themselves."""

from __future__ import annotations

import functools
import io
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import aws_s3 as s3
from constructs import Construct
from jsii._runtime import kernel

__all__ = ["Guard", "OwnPolicy", "WithPolicy", "load_library"]

NAME, VERSION = "bucket-library", "1.0.0"
# A bucket with a policy, a subclass of `s3.Bucket`, and a policy for a bucket of somebody else.
PROGRAM = """
const { Construct } = require('constructs');
const s3 = require('aws-cdk-lib/aws-s3');
const statement = (bucket) => ({ Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::111122223333:root' },
  Action: 's3:GetObject', Resource: bucket.arnForObjects('*') });
const add = (bucket) => new s3.CfnBucketPolicy(bucket, 'Policy',
  { bucket: bucket.bucketName, policyDocument: { Version: '2012-10-17', Statement: [statement(bucket)] } });
exports.WithPolicy = class WithPolicy extends Construct {
  constructor(scope, id) { super(scope, id); add(new s3.Bucket(this, 'Bucket')); }
};
exports.OwnPolicy = class OwnPolicy extends s3.Bucket {
  constructor(scope, id) { super(scope, id); add(this); }
};
exports.Guard = class Guard extends Construct {
  constructor(scope, id, bucket) { super(scope, id); new Construct(this, 'Before'); add(bucket); }
};
"""
BASES = {"WithPolicy": "constructs.Construct", "OwnPolicy": "aws-cdk-lib.aws_s3.Bucket"}
DEPENDENCIES = {"aws-cdk-lib": "*", "constructs": "*"}


def described(name: str) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": "scope", "type": {"fqn": "constructs.Construct"}},
        {"name": "id", "type": {"primitive": "string"}},
    ]
    if name == "Guard":
        parameters.append({"name": "bucket", "type": {"fqn": "aws-cdk-lib.aws_s3.Bucket"}})
    fqn = f"{NAME}.{name}"
    base = BASES.get(name, "constructs.Construct")
    described = {"assembly": NAME, "base": base, "fqn": fqn, "kind": "class", "name": name}
    return {**described, "initializer": {"parameters": parameters}}


@functools.cache
def load_library() -> None:
    """Load the library into the jsii kernel, once."""
    types = {f"{NAME}.{name}": described(name) for name in ("WithPolicy", "OwnPolicy", "Guard")}
    package = {"name": NAME, "version": VERSION, "main": "index.js", "peerDependencies": DEPENDENCIES}
    assembly = {
        "schema": "jsii/0.10.0",
        "name": NAME,
        "version": VERSION,
        "description": NAME,
        "homepage": "https://example.com",
        "repository": {"type": "git", "url": "https://example.com"},
        "author": {"name": "a", "roles": ["author"]},
        "license": "Apache-2.0",
        "jsiiVersion": "5.9.0",
        "dependencies": DEPENDENCIES,
        "dependencyClosure": {},
        "targets": {},
        "types": types,
        "fingerprint": "*",
    }
    file = Path(tempfile.mkdtemp()) / "library.tgz"
    with tarfile.open(file, "w:gz") as archive:
        texts = {"package.json": json.dumps(package), ".jsii": json.dumps(assembly), "index.js": PROGRAM}
        for name, text in texts.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    kernel.load(NAME, VERSION, str(file))


class WithPolicy(Construct, metaclass=jsii.JSIIMeta, jsii_type=f"{NAME}.WithPolicy"):
    """A bucket with a policy of its own."""

    def __init__(self, scope: Construct, id: str) -> None:
        jsii.create(self.__class__, self, [scope, id])


class OwnPolicy(s3.Bucket, metaclass=jsii.JSIIMeta, jsii_type=f"{NAME}.OwnPolicy"):
    """A bucket that gives itself a policy."""

    def __init__(self, scope: Construct, id: str) -> None:
        jsii.create(self.__class__, self, [scope, id])


class Guard(Construct, metaclass=jsii.JSIIMeta, jsii_type=f"{NAME}.Guard"):
    """A policy for a bucket of the app."""

    def __init__(self, scope: Construct, id: str, bucket: s3.Bucket) -> None:
        jsii.create(self.__class__, self, [scope, id, bucket])
