"""A library in TypeScript, as jsii packs one, that gives buckets policies of its own."""

from __future__ import annotations

import functools
import io
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_s3 as s3
from constructs import Construct
from jsii._runtime import kernel

__all__ = [
    "Destination",
    "Guard",
    "Keeper",
    "OwnPolicy",
    "Sweeper",
    "Synthesizer",
    "Walker",
    "WithPolicy",
    "load_library",
]

NAME, VERSION = "bucket-library", "1.0.0"
# A bucket with a policy, a subclass of `s3.Bucket`, and policies for a bucket of somebody else: from a
# constructor, from methods, one of which makes something first, and from what the AWS CDK calls. Two more
# find the buckets by themselves, and the last one synthesizes the Stages that it finds.
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
exports.Keeper = class Keeper extends Construct {
  static protectAny(bucket) { new s3.BucketPolicy(bucket, 'Policy', { bucket }).document.addStatements(
    require('aws-cdk-lib/aws-iam').PolicyStatement.fromJson(statement(bucket))); }
  constructor(scope, id, bucket) { super(scope, id); this.kept = bucket; }
  get bucket() { return this.kept; }
  set bucket(bucket) { this.kept = bucket; add(bucket); }
  protect(bucket) { new s3.CfnAccessPoint(this, 'Access', { bucket: bucket.bucketName }); add(bucket); }
  protectKept() { add(this.kept); }
};
exports.Destination = class Destination {
  bind(scope, bucket) { add(bucket); return { arn: 'arn:aws:sqs:eu-west-1:111122223333:queue', type: 1 }; }
};
exports.Sweeper = class Sweeper {
  visit(node) { if (node instanceof s3.Bucket) add(node); }
};
exports.Walker = class Walker extends Construct {
  constructor(scope, id) { super(scope, id); this.walk(scope); }
  walk(scope) { for (const each of scope.node.root.node.findAll()) if (each instanceof s3.Bucket) add(each); }
};
exports.Synthesizer = class Synthesizer extends Construct {
  constructor(scope, id) { super(scope, id);
    for (const each of scope.node.children) if (each instanceof require('aws-cdk-lib').Stage) each.synth(); }
};
"""
DEPENDENCIES = {"aws-cdk-lib": "*", "constructs": "*"}
CONSTRUCT, BUCKET = {"fqn": "constructs.Construct"}, {"fqn": "aws-cdk-lib.aws_s3.Bucket"}
PLACE = [{"name": "scope", "type": CONSTRUCT}, {"name": "id", "type": {"primitive": "string"}}]
FOR_BUCKET = [{"name": "bucket", "type": BUCKET}]
DESTINATION = "aws-cdk-lib.aws_s3.IBucketNotificationDestination"


def described(name: str, base: str, *parameters: Any, **members: Any) -> dict[str, Any]:
    described = {"assembly": NAME, "base": base, "fqn": f"{NAME}.{name}", "kind": "class", "name": name}
    return {**described, "initializer": {"parameters": [*PLACE, *parameters]}, **members}


def types() -> list[dict[str, Any]]:
    construct = CONSTRUCT["fqn"]
    bound = [
        {"name": "scope", "type": CONSTRUCT},
        {"name": "bucket", "type": {"fqn": "aws-cdk-lib.aws_s3.IBucket"}},
    ]
    returned = {"type": {"fqn": "aws-cdk-lib.aws_s3.BucketNotificationDestinationConfig"}}
    bind = {"name": "bind", "parameters": bound, "returns": returned, "overrides": DESTINATION}
    destination = described("Destination", "", interfaces=[DESTINATION], methods=[bind])
    del destination["base"]
    visited = [{"name": "node", "type": {"fqn": "constructs.IConstruct"}}]
    visit = {"name": "visit", "parameters": visited, "overrides": "aws-cdk-lib.IAspect"}
    sweeper = described("Sweeper", "", interfaces=["aws-cdk-lib.IAspect"], methods=[visit])
    del sweeper["base"]
    methods = [
        {"name": "protectAny", "static": True, "parameters": FOR_BUCKET},
        {"name": "protect", "parameters": FOR_BUCKET},
        {"name": "protectKept"},
    ]
    properties = [{"name": "bucket", "type": BUCKET}]
    return [
        described("WithPolicy", construct),
        described("OwnPolicy", BUCKET["fqn"]),
        described("Guard", construct, *FOR_BUCKET),
        described(
            "Keeper",
            construct,
            {"name": "bucket", "type": BUCKET, "optional": True},
            methods=methods,
            properties=properties,
        ),
        described("Walker", construct),
        described("Synthesizer", construct),
        {**destination, "initializer": {}},
        {**sweeper, "initializer": {}},
    ]


@functools.cache
def load_library() -> None:
    """Load the library into the jsii kernel, once."""
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
        "types": {each["fqn"]: each for each in types()},
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


class Keeper(Construct, metaclass=jsii.JSIIMeta, jsii_type=f"{NAME}.Keeper"):
    """Policies for buckets of the app, from methods."""

    def __init__(self, scope: Construct, id: str, bucket: s3.Bucket | None = None) -> None:
        jsii.create(self.__class__, self, [scope, id, bucket])

    @classmethod
    def protect_any(cls, bucket: s3.Bucket) -> None:
        jsii.sinvoke(cls, "protectAny", [bucket])

    def protect(self, bucket: s3.Bucket) -> None:
        jsii.invoke(self, "protect", [bucket])

    def protect_kept(self) -> None:
        jsii.invoke(self, "protectKept", [])

    def keep(self, bucket: s3.Bucket) -> None:
        jsii.set(self, "bucket", bucket)


@jsii.implements(s3.IBucketNotificationDestination)
class Destination(metaclass=jsii.JSIIMeta, jsii_type=f"{NAME}.Destination"):
    """A destination for notifications, which the AWS CDK gives the bucket."""

    def __init__(self) -> None:
        jsii.create(self.__class__, self, [])


@jsii.implements(cdk.IAspect)
class Sweeper(metaclass=jsii.JSIIMeta, jsii_type=f"{NAME}.Sweeper"):
    """Policies for all buckets below a construct."""

    def __init__(self) -> None:
        jsii.create(self.__class__, self, [])


class Walker(Construct, metaclass=jsii.JSIIMeta, jsii_type=f"{NAME}.Walker"):
    """Policies for the buckets that the app has so far."""

    def __init__(self, scope: Construct, id: str) -> None:
        jsii.create(self.__class__, self, [scope, id])


class Synthesizer(Construct, metaclass=jsii.JSIIMeta, jsii_type=f"{NAME}.Synthesizer"):
    """Something that synthesizes the Stages around it."""

    def __init__(self, scope: Construct, id: str) -> None:
        jsii.create(self.__class__, self, [scope, id])
