"""Templates and directories that try to slip a bucket past `secure-bucket check` with exit code 0."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from secure_bucket.cli.main import main
from secure_bucket.template import leftovers

Json = dict[str, Any]
Files = Mapping[str, object]

BUCKET: Json = {"Type": "AWS::S3::Bucket"}
QUEUE: Json = {"Type": "AWS::SQS::Queue"}
MACRO: Json = {"Name": "AWS::Include", "Parameters": {"Location": "s3://code/part.yaml"}}
IS_PROD: Json = {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}
HASHES = "a" * 64, "c" * 64


def deny(bucket: str = "B", **more: object) -> Json:
    """The policy of a bucket of the same template, with the deny."""
    arn = {"Fn::GetAtt": [bucket, "Arn"]}
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, {"Fn::Join": ["", [arn, "/*"]]}],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    properties = {"Bucket": {"Ref": bucket}, "PolicyDocument": document}
    return {"Type": "AWS::S3::BucketPolicy", "Properties": properties, **more}


def template(resources: Json, **sections: object) -> Json:
    return {"Resources": resources, **sections}


def loop(collection: object, body: Json) -> Json:
    """A template with a loop that goes through a collection."""
    parameters = {"Names": {"Type": "CommaDelimitedList"}}
    resources = {"Fn::ForEach::Loop": ["X", collection, body]}
    return template(resources, Parameters=parameters, Transform="AWS::LanguageExtensions")


def conditional(**sections: object) -> Json:
    """A bucket whose policy has a condition."""
    return template({"B": BUCKET, "P": deny(Condition="Prod")}, **sections)


def twice(first: object, second: object, key: str = "T") -> str:
    """A template in which the logical id of a resource stands twice."""
    return f'{{"Resources": {{"{key}": {json.dumps(first)}, "{key}": {json.dumps(second)}}}}}'


def of_types(*types: str) -> str:
    """A template with a resource that has several types."""
    return '{"Resources": {"T": {' + ", ".join(f'"Type": "{kind}"' for kind in types) + "}}}"


def yaml_of_type(kind: str) -> str:
    return f"Resources:\n  B:\n    Type: {kind}\n"


def stack(file: str, **more: object) -> Json:
    return {"type": "aws:cloudformation:stack", "properties": {"templateFile": file}, **more}


def assembly(artifacts: Json, **files: object) -> Files:
    """A cloud assembly; `__` in the name of a file stands for a dot."""
    written = {f"cdk.out/{name.replace('__', '.')}": content for name, content in files.items()}
    return {"cdk.out/manifest.json": {"version": "50.0.0", "artifacts": artifacts}, **written}


def assets(**files: str) -> Json:
    """An asset manifest: hashes with their files."""
    return {"files": {key: {"source": {"path": path}, "destinations": {}} for key, path in files.items()}}


EITHER = {"Fn::If": ["Prod", deny()["Properties"]["PolicyDocument"], {"Statement": []}]}
PLAIN, GOOD = template({"B": BUCKET}), template({"B": BUCKET, "P": deny()})
ASSETS = {"type": "cdk:asset-manifest", "properties": {"file": "S.assets.json"}}

# Each is checked by itself, and beside a template whose bucket is proven: exit code 0 is always wrong.
TEMPLATES: dict[str, object] = {
    "macro in the mappings": conditional(
        Mappings={"Fn::Transform": MACRO, "M": {"a": {"x": "true"}}},
        Conditions={"Prod": {"Fn::Equals": [{"Fn::FindInMap": ["M", "a", "x"]}, "true"]}},
    ),
    "macro in a mapping": conditional(
        Mappings={"M": {"Fn::Transform": MACRO, "a": {"x": "true"}}},
        Conditions={"Prod": {"Fn::Equals": [{"Fn::FindInMap": ["M", "a", "x"]}, "true"]}},
    ),
    "macro in a row of a mapping": conditional(
        Mappings={"M": {"a": {"Fn::Transform": MACRO, "x": "true"}}},
        Conditions={"Prod": {"Fn::Equals": [{"Fn::FindInMap": ["M", "a", "x"]}, "true"]}},
    ),
    "macro in the conditions": conditional(
        Conditions={"Fn::Transform": MACRO, "Prod": {"Fn::Equals": ["a", "a"]}}
    ),
    "macro in a condition": conditional(
        Conditions={"Prod": {"Fn::Transform": MACRO, "Fn::Equals": ["a", "a"]}}
    ),
    "macro in an operand": conditional(Conditions={"Prod": {"Fn::Equals": [{"Fn::Transform": MACRO}, "a"]}}),
    "macro in the parameters": conditional(
        Parameters={"Fn::Transform": MACRO, "Stage": {"Type": "String", "AllowedValues": ["prod"]}},
        Conditions={"Prod": IS_PROD},
    ),
    "macro in a parameter": conditional(
        Parameters={"Stage": {"Type": "String", "AllowedValues": ["prod"], "Fn::Transform": MACRO}},
        Conditions={"Prod": IS_PROD},
    ),
    "macro in the rules": conditional(
        Parameters={"Stage": {"Type": "String"}},
        Rules={"Fn::Transform": MACRO, "R": {"Assertions": [{"Assert": IS_PROD}]}},
        Conditions={"Prod": IS_PROD},
    ),
    "macro in a rule": conditional(
        Parameters={"Stage": {"Type": "String"}},
        Rules={"R": {"Fn::Transform": MACRO, "Assertions": [{"Assert": IS_PROD}]}},
        Conditions={"Prod": IS_PROD},
    ),
    "macro in the policy": template({"B": BUCKET, "P": {**deny(), "Fn::Transform": MACRO}}),
    "macro in a resource": template({"Q": {**QUEUE, "Fn::Transform": MACRO}}),
    "macro in the resources": template({"Fn::Transform": MACRO}),
    "macro of the template": template({"Q": QUEUE}, Transform=[MACRO]),
    "macro with the beginning of a name of AWS": template(
        {"B": BUCKET, "P": deny()}, Transform="AWS::LanguageExtensionsMine"
    ),
    "macro and sections of its own": {"Buckets": {"A": {}}, "Transform": "Company::Buckets"},
    "version and sections of its own": {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Buckets": {},
        "Transform": "M",
    },
    "only a macro": {"Transform": "Macro"},
    "macro in a loop": loop(["a"], {"Fn::Transform": MACRO}),
    "macro in a resource of a loop": loop(["a"], {"Q${X}": {**QUEUE, "Fn::Transform": MACRO}}),
    "module": template({"M": {"Type": "Company::S3::Bucket::MODULE"}}),
    "module in a loop": loop(["a"], {"M${X}": {"Type": "Company::S3::Bucket::MODULE"}}),
    "private type": template({"B": {"Type": "Company::S3::SecureBucket"}}),
    "private type of another service": template({"B": {"Type": "Company::Storage::Bucket"}}),
    "private type with the bucket in its service": template({"B": {"Type": "TF::S3Bucket::Resource"}}),
    "project with a template": template(
        {
            "P": {
                "Type": "AWS::SageMaker::Project",
                "Properties": {
                    "TemplateProviderDetails": [
                        {"CfnTemplateProviderDetail": {"TemplateURL": "https://s3.amazonaws.com/b/t.yaml"}}
                    ]
                },
            }
        }
    ),
    "project with an unknown template": template(
        {
            "P": {
                "Type": "AWS::SageMaker::Project",
                "Properties": {"TemplateProviderDetails": [{"CfnTemplateProviderDetail": {}}]},
            }
        }
    ),
    "project with a product": template(
        {
            "P": {
                "Type": "AWS::SageMaker::Project",
                "Properties": {"ServiceCatalogProvisioningDetails": {"ProductId": "prod-1"}},
            }
        }
    ),
    "project without properties": template({"P": {"Type": "AWS::SageMaker::Project"}}),
    "change set": template(
        {
            "C": {
                "Type": "AWS::CloudFormation::ChangeSet",
                "Properties": {"TemplateURL": "https://s3.amazonaws.com/b/t.yaml"},
            }
        }
    ),
    "change set of the template before": template(
        {"C": {"Type": "AWS::CloudFormation::ChangeSet", "Properties": {"UsePreviousTemplate": True}}}
    ),
    "stack that a repository synchronizes": template(
        {"S": {"Type": "AWS::CodeConnections::SyncConfiguration", "Properties": {"ResourceName": "data"}}}
    ),
    "version of a product that is declared elsewhere": template(
        {
            "Product": {
                "Type": "AWS::ServiceCatalog::CloudFormationProduct",
                "Properties": {
                    "ProvisioningArtifactParameters": [{"Info": {"LoadTemplateFromURL": "./proven.json"}}]
                },
            },
            "Provisioned": {
                "Type": "AWS::ServiceCatalog::CloudFormationProvisionedProduct",
                "Properties": {"ProductId": {"Ref": "Product"}, "ProvisioningArtifactId": "pa-1"},
            },
        }
    ),
    "stack set that a condition makes of two": template(
        {
            "N": {
                "Type": "AWS::CloudFormation::StackSet",
                "Properties": {"Fn::If": ["Prod", {"TemplateBody": "{}"}, {"TemplateBody": "{}"}]},
            }
        }
    ),
    "type from a loop": loop(["Bucket"], {"B${X}": {"Type": "AWS::S3::${X}"}}),
    "type from a list that is not known": loop({"Ref": "Names"}, {"B&{X}": {"Type": "${X}"}}),
    "type that is a function": template({"B": {"Type": {"Fn::Sub": "AWS::S3::Bucket"}}}),
    "type that is a list": template({"B": {"Type": ["AWS::S3::Bucket"]}}),
    "function instead of a resource": template({"B": {"Fn::If": ["Prod", BUCKET, QUEUE]}}),
    "function instead of the resources": template({"Fn::If": ["Prod", {"B": BUCKET}, {}]}),
    "type that another tool writes": template({"B": {"Type": "{{ kind }}", "Properties": {"X": "AWS"}}}),
    "policies from a loop that can be empty": {
        **loop({"Ref": "Names"}, {"P${X}": deny()}),
        "Resources": {
            "B": BUCKET,
            **loop({"Ref": "Names"}, {"P${X}": deny()})["Resources"],
        },
    },
    "loop that is malformed": template({"Fn::ForEach::Loop": ["X", {"B": BUCKET}]}),
    "loop that is malformed, with a type of its own": template(
        {"Fn::ForEach::Loop": ["X", {"B": {"Type": "AWS::S3::${X}"}}]}
    ),
    "nested stack at a URL": template(
        {"N": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://x/child.json"}}}
    ),
    "nested stack in a loop": loop(
        ["a"], {"N${X}": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "https://x/c"}}}
    ),
    "stack set from base64": template(
        {
            "S": {
                "Type": "AWS::CloudFormation::StackSet",
                "Properties": {"TemplateBody": {"Fn::Base64": json.dumps(PLAIN)}},
            }
        }
    ),
    "stack set from a mapping": template(
        {
            "S": {
                "Type": "AWS::CloudFormation::StackSet",
                "Properties": {"TemplateBody": {"Fn::FindInMap": ["M", "a", "b"]}},
            }
        },
        Mappings={"M": {"a": {"b": json.dumps(PLAIN)}}},
    ),
    "stack set from a parameter of Systems Manager": template(
        {
            "S": {
                "Type": "AWS::CloudFormation::StackSet",
                "Properties": {"TemplateBody": "{{resolve:ssm:template}}"},
            }
        }
    ),
    "product from a stack": template(
        {
            "S": {
                "Type": "AWS::ServiceCatalog::CloudFormationProduct",
                "Properties": {"ProvisioningArtifactParameters": [{"Info": {"ImportFromPhysicalId": "arn"}}]},
            }
        }
    ),
    "stack set or queue": twice({"Type": "AWS::CloudFormation::StackSet"}, QUEUE),
    "product or queue": twice({"Type": "AWS::ServiceCatalog::CloudFormationProduct"}, QUEUE),
    "module or queue": of_types("Company::S3::Bucket::MODULE", "AWS::SQS::Queue"),
    "stack set or queue by its type": of_types("AWS::CloudFormation::StackSet", "AWS::SQS::Queue"),
    "bucket or queue": twice(BUCKET, QUEUE),
    "condition by a name in capitals": conditional(
        Parameters={"Stage": {"Type": "String", "Default": "prod"}}, Conditions={"Prod": IS_PROD}
    ),
    "condition that is a list": template({"B": BUCKET, "P": deny(Condition=["Prod"])}),
    "condition that is missing": conditional(),
    "condition of itself": conditional(Conditions={"Prod": {"Condition": "Prod"}}),
    "parameter with the name of the bucket": template(
        {"B": BUCKET, "P": deny()}, Parameters={"B": {"Type": "String"}}
    ),
    "policy whose statements a condition drops": template(
        {"B": BUCKET, "P": {**deny(), "Properties": {"Bucket": {"Ref": "B"}, "PolicyDocument": EITHER}}},
        Parameters={"Stage": {"Type": "String"}},
        Conditions={"Prod": IS_PROD},
    ),
    "rule that forbids every deployment": template(
        {"B": BUCKET}, Rules={"R": {"Assertions": [{"Assert": {"Fn::Equals": ["a", "b"]}}]}}
    ),
    "name that no mapping has": template(
        {"B": {**BUCKET, "Properties": {"BucketName": {"Fn::FindInMap": ["M", "x", "y"]}}}},
        Mappings={"M": {"a": {"b": "c"}}},
    ),
    "stack set in a stack set": template(
        {
            "S": {
                "Type": "AWS::CloudFormation::StackSet",
                "Properties": {
                    "TemplateBody": json.dumps(
                        template(
                            {
                                "T": {
                                    "Type": "AWS::CloudFormation::StackSet",
                                    "Properties": {"TemplateBody": json.dumps(template({"B": BUCKET}))},
                                }
                            }
                        )
                    )
                },
            }
        }
    ),
    "policy of another bucket": template({"B": BUCKET, "A": BUCKET, "P": deny("A")}),
    "second policy by a custom resource": template(
        {
            "B": BUCKET,
            "P": deny(),
            "C": {"Type": "Custom::Echo", "Properties": {"ServiceToken": "x", "Value": {"Ref": "B"}}},
            "Q": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": {"Fn::GetAtt": ["C", "Value"]}, "PolicyDocument": {"Statement": []}},
            },
        }
    ),
    "exception on another resource": template(
        {
            "B": BUCKET,
            "Q": {
                **QUEUE,
                "Metadata": {"SecureBucket": {"Exceptions": [{"Rule": "SB001", "Reason": "no TLS there"}]}},
            },
        }
    ),
    "exception of the whole template": template(
        {"B": BUCKET},
        Metadata={"SecureBucket": {"Exceptions": [{"Rule": "SB001", "Reason": "no TLS there"}]}},
    ),
    "deep": '{"Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": '
    + "[" * 9000
    + "]" * 9000
    + "}}}",
    "second value after the first": json.dumps(template({"Q": QUEUE})) + json.dumps(PLAIN),
    "sections twice": json.dumps(template({"Q": QUEUE}))[:-1]
    + ', "Resources": {"B": {"Type": "AWS::S3::Bucket"}}}',
    "key in escapes": '{"\\u0052esources": {"B": {"Type": "AWS::S3::Bucket"}}}',
    "NaN": '{"Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": {"X": NaN}}}}',
}

TEXTS: dict[str, tuple[str, str | bytes]] = {
    "type over two lines": ("t.yaml", yaml_of_type('"A\\\n      WS::S3::Bucket"')),
    "type in long escapes": ("t.yaml", yaml_of_type('"\\U00000041WS::S3::Bucket"')),
    "type in short escapes": ("t.yaml", yaml_of_type('"\\x41WS::S3::Bucket"')),
    "type that is folded": ("t.yaml", yaml_of_type(">-\n      AWS::S3::Bucket")),
    "type with a tag": ("t.yaml", yaml_of_type("!Sub AWS::S3::Bucket")),
    "ending in capitals": ("T.JSON", json.dumps(PLAIN)),
    "mixed ending": ("t.Yaml", yaml_of_type("AWS::S3::Bucket")),
    "two documents": ("t.yaml", f"Resources: {{}}\n---\n{yaml_of_type('AWS::S3::Bucket')}"),
    "key in braces with a mark": ("t.yaml", "Resources:\n  ? B\n  : ? Type\n    : AWS::S3::Bucket\n"),
    "merge into the resources": (
        "t.yaml",
        "Metadata: &m {B: {Type: 'AWS::S3::Bucket'}}\nResources: {<<: *m}\n",
    ),
    "merge of a list": ("t.yaml", "Metadata: &m {B: {Type: 'AWS::S3::Bucket'}}\nResources: {<<: [*m]}\n"),
    "alias as a key": ("t.yaml", "Metadata: {k: &k B}\nResources:\n  *k :\n    Type: AWS::S3::Bucket\n"),
    "ordered mapping": ("t.yaml", "Resources: !!omap\n  - B: {Type: 'AWS::S3::Bucket'}\n"),
    "carriage returns": ("t.yaml", "Resources:\r  B:\r    Type: AWS::S3::Bucket\r"),
    "version of YAML": ("t.yaml", f"%YAML 1.2\n---\n{yaml_of_type('AWS::S3::Bucket')}...\n"),
    "comment before braces": ("t.yaml", f"# made by hand\n{json.dumps(PLAIN)}"),
    "quotes of another language": ("t.yaml", str(PLAIN)),
    "commas at the end": ("t.yaml", '{"Resources": {"B": {"Type": "AWS::S3::Bucket",},},}'),
    "huge number": ("t.yaml", f"{yaml_of_type('AWS::S3::Bucket')}    X: {'9' * 6000}\n"),
    "date that is no date": ("t.yaml", f"{yaml_of_type('AWS::S3::Bucket')}    X: 2026-99-99\n"),
    "UTF-16": ("t.yaml", yaml_of_type("AWS::S3::Bucket").encode("utf-16")),
    "UTF-32": ("t.yaml", yaml_of_type("AWS::S3::Bucket").encode("utf-32")),
    "Latin-1": ("t.yaml", b"# \xe9\n" + yaml_of_type("AWS::S3::Bucket").encode()),
    "resources of another tool": ("t.yaml", "Resources:\n  {{ bucket }}:\n    Type: AWS::S3::Bucket\n"),
    "logical id that is a number": ("t.yaml", "Resources:\n  1:\n    Type: AWS::S3::Bucket\n"),
    "alias of a resource": ("t.yaml", "Resources:\n  A: &a\n    Type: AWS::S3::Bucket\n  B: *a\n"),
    "unknown tag": ("t.yaml", "Resources: !Company\n  B:\n    Type: AWS::S3::Bucket\n"),
}


def at_url(url: str, **more: object) -> Json:
    """A template with a stack set, or with a nested stack if it has metadata."""
    kind = "AWS::CloudFormation::Stack" if more else "AWS::CloudFormation::StackSet"
    return template({"N": {"Type": kind, "Properties": {"TemplateURL": url}, **more}})


def upload(path: str, object_key: str) -> Json:
    destinations = {"here": {"bucketName": path, "objectKey": object_key}}
    return {"source": {"path": path}, "destinations": destinations}


def with_assets(url: str, files: Json, **more: object) -> Files:
    """An assembly with a template at a URL, and the assets that may be meant."""
    return assembly(
        {"S": stack("S.template.json"), "A": ASSETS},
        S__template__json=at_url(url, **more),
        S__assets__json={"files": files},
        plain__json=PLAIN,
        good__json=GOOD,
    )


ASSEMBLIES: dict[str, Files] = {
    "one key in two asset manifests": assembly(
        {
            **{id: stack(f"{id}.template.json") for id in "SU"},
            **{
                f"{id}A": {"type": "cdk:asset-manifest", "properties": {"file": f"{id}.assets.json"}}
                for id in "SU"
            },
        },
        S__template__json=at_url(f"https://x/{HASHES[0]}.json"),
        U__template__json=GOOD,
        S__assets__json=assets(**{HASHES[0]: "plain.json"}),
        U__assets__json=assets(**{HASHES[0]: "good.json"}),
        plain__json=PLAIN,
        good__json=GOOD,
    ),
    "one key in two buckets": with_assets(
        "https://x/t.json", {"one": upload("good.json", "t.json"), "two": upload("plain.json", "t.json")}
    ),
    "key of another asset": with_assets(
        "https://x/t.json", {"t.json": upload("good.json", "o.json"), "two": upload("plain.json", "t.json")}
    ),
    "hash of another asset": with_assets(
        f"https://x/{HASHES[0]}.json",
        {
            HASHES[0]: upload("good.json", "o.json"),
            HASHES[1]: upload("plain.json", f"{HASHES[0]}.json"),
        },
    ),
    "asset that a command makes": with_assets(
        f"https://x/{HASHES[0]}.json", {HASHES[0]: {"source": {"executable": ["make"]}, "destinations": {}}}
    ),
    "asset path of a file that no manifest lists": with_assets(
        f"https://x/{HASHES[0]}.json", {}, Metadata={"aws:asset:path": "good.json"}
    ),
    "asset path that chooses one of two": with_assets(
        "https://x/t.json",
        {"one": upload("good.json", "t.json"), "two": upload("plain.json", "t.json")},
        Metadata={"aws:asset:path": "good.json"},
    ),
    "template of this synthesis that no manifest lists": assembly(
        {"S": stack("S.template.json")}, S__template__json=GOOD, X__template__json=PLAIN
    ),
    "broken template that no manifest lists": assembly(
        {"S": stack("S.template.json")}, S__template__json=GOOD, X__template__yaml="Resources: {"
    ),
    "artifact of another tool with a template": assembly(
        {
            "S": stack("S.template.json"),
            "X": {"type": "company:template", "properties": {"file": "X.template.json"}},
        },
        S__template__json=GOOD,
        X__template__json=PLAIN,
    ),
    "Stage without a manifest": {
        **assembly({"S": stack("S.template.json")}, S__template__json=GOOD),
        "cdk.out/assembly-X/X.template.json": PLAIN,
    },
    "Stage of itself": assembly(
        {"S": {"type": "cdk:cloud-assembly", "properties": {"directoryName": "."}}}, S__template__json=GOOD
    ),
    "template in a directory that is missing": assembly({"S": stack("/missing/S.template.json")}),
    "artifact of an unknown type": assembly(
        {
            "S": stack("S.template.json"),
            "X": {**stack("X.template.json"), "type": "aws:cloudformation:stack2"},
        },
        S__template__json=GOOD,
        X__template__json=PLAIN,
    ),
    "directory of an unknown type": assembly(
        {
            "S": stack("S.template.json"),
            "X": {"type": "cdk:stage", "properties": {"directoryName": "missing"}},
        },
        S__template__json=GOOD,
    ),
    "artifacts twice": {
        "cdk.out/manifest.json": '{"version": "1", "artifacts": {"X": '
        + json.dumps(stack("X.template.json"))
        + '}, "artifacts": {"S": '
        + json.dumps(stack("S.template.json"))
        + "}}",
        "cdk.out/S.template.json": GOOD,
        "cdk.out/X.template.json": PLAIN,
    },
    "manifest that the gate refused": {
        "cdk.out/manifest.json.refused": {"version": "1", "artifacts": {"S": stack("S.template.json")}},
        "cdk.out/cdk.out": '{"version": "1"}',
        "cdk.out/S.template.json": GOOD,
    },
    "app that ended too early": {"cdk.out/cdk.out": '{"version": "1"}', "cdk.out/S.template.json": GOOD},
    "URL with the hashes of two files": assembly(
        {"S": stack("S.template.json"), "A": ASSETS},
        S__template__json=template(
            {
                "N": {
                    "Type": "AWS::CloudFormation::Stack",
                    "Properties": {"TemplateURL": f"https://x/{HASHES[1]}/{HASHES[0]}.json"},
                }
            }
        ),
        S__assets__json=assets(**{HASHES[0]: "plain.json", HASHES[1]: "good.json"}),
        plain__json=PLAIN,
        good__json=GOOD,
    ),
    "URL with another hash than the file": assembly(
        {"S": stack("S.template.json"), "A": ASSETS},
        S__template__json=template(
            {
                "N": {
                    "Type": "AWS::CloudFormation::Stack",
                    "Properties": {"TemplateURL": f"https://x/{HASHES[1]}.json"},
                    "Metadata": {"aws:asset:path": "good.json"},
                }
            }
        ),
        S__assets__json=assets(**{HASHES[0]: "good.json"}),
        good__json=GOOD,
    ),
    "asset path that is not that of the URL": assembly(
        {"S": stack("S.template.json"), "A": ASSETS},
        S__template__json=template(
            {
                "N": {
                    "Type": "AWS::CloudFormation::Stack",
                    "Properties": {"TemplateURL": f"https://x/{HASHES[0]}.json"},
                    "Metadata": {"aws:asset:path": "good.json"},
                }
            }
        ),
        S__assets__json=assets(**{HASHES[0]: "plain.json"}),
        plain__json=PLAIN,
        good__json=GOOD,
    ),
    "metadata file that is a number": assembly(
        {"S": stack("S.template.json", additionalMetadataFile=5)}, S__template__json=GOOD
    ),
    "template that is missing": assembly({"S": stack("S.template.json")}),
    "template that is empty": assembly({"S": stack("S.template.json")}, S__template__json=""),
    "template that is null": assembly({"S": stack("S.template.json")}, S__template__json="null"),
    "path of another construct in the template": assembly(
        {
            "S": stack(
                "S.template.json",
                metadata={
                    "/Other": [
                        {"type": "aws:cdk:acknowledged-rules", "data": {"secure-bucket::SB001": "no TLS"}}
                    ]
                },
            )
        },
        S__template__json=template({"B": {**BUCKET, "Metadata": {"aws:cdk:path": "Other/Thing"}}}),
    ),
}


def write(directory: Path, files: Files) -> None:
    for name, content in files.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return the exit code and the output of `check` in a directory with some files."""
    monkeypatch.chdir(tmp_path)
    # A fault of our own shows its traceback here.
    monkeypatch.setenv("SECURE_BUCKET_DEBUG", "1")

    def run(files: Files, *arguments: str) -> tuple[int, str]:
        write(tmp_path, files)
        code = main(["check", *(arguments or ["."])])
        return code, "".join(capsys.readouterr())

    return run


Check = Callable[..., tuple[int, str]]


@pytest.mark.parametrize("beside", [{}, {"proven.json": GOOD}], ids=["alone", "beside a proven bucket"])
@pytest.mark.parametrize("name", TEMPLATES)
def test_no_template_slips_past(check: Check, name: str, beside: Files) -> None:
    code, output = check({"t.json": TEMPLATES[name], **beside})
    assert code in (1, 2, 3), output
    # The template is checked, and not only passed over.
    assert "contains no template" not in output


@pytest.mark.parametrize("name", TEXTS)
def test_no_text_slips_past(check: Check, name: str) -> None:
    file, text = TEXTS[name]
    code, output = check({file: text, "proven.json": GOOD})
    assert code in (1, 2, 3), output
    assert file in output


@pytest.mark.parametrize("name", ASSEMBLIES)
def test_no_assembly_slips_past(check: Check, name: str) -> None:
    code, output = check(ASSEMBLIES[name], "cdk.out")
    assert code in (1, 2, 3), output


def test_an_export_that_a_macro_rewrites_proves_nothing(check: Check) -> None:
    name = {"Fn::ImportValue": "name"}
    arns = [
        {"Fn::Sub": ["arn:aws:s3:::${n}", {"n": name}]},
        {"Fn::Sub": ["arn:aws:s3:::${n}/*", {"n": name}]},
    ]
    policy = deny()
    policy["Properties"]["Bucket"] = name
    policy["Properties"]["PolicyDocument"]["Statement"][0]["Resource"] = arns
    output = {"Value": {"Ref": "B"}, "Export": {"Name": "name"}}
    policies = template({"P": policy})
    code, text = check(
        {"a.json": template({"B": BUCKET}, Outputs={"O": output}), "b.json": policies}, "--together", "."
    )
    assert code == 0, text
    code, text = check(
        {
            "a.json": template({"B": BUCKET}, Outputs={"O": output, "Fn::Transform": MACRO}),
            "b.json": policies,
        },
        "--together",
        ".",
    )
    assert code in (1, 3), text


def test_a_macro_in_the_mappings_leaves_what_does_not_need_them(check: Check) -> None:
    code, output = check({"t.json": {**GOOD, "Mappings": {"Fn::Transform": MACRO}}})
    assert code == 0, output


def test_templates_that_an_earlier_synthesis_left_are_named(check: Check, monkeypatch: Any) -> None:
    left = {"cdk.out/Old.template.json": PLAIN, "cdk.out/assembly-Old/Old.template.json": PLAIN}
    files = assembly({"S": stack("S.template.json")}, S__template__json=GOOD)
    code, output = check({**files, **left}, "cdk.out")
    assert code == 1, output
    words = " ".join(output.split())
    assert "because the last synthesis may have written it: `cdk.out/Old.template.json`" in words
    times = leftovers._times
    ages = {"Old.template.json": 11 * 10**9}
    monkeypatch.setattr(
        leftovers, "_times", lambda file: tuple(time - ages.get(file.name, 0) for time in times(file))
    )
    code, output = check({}, "cdk.out")
    assert code == 0, output
    words = " ".join(output.split())
    assert (
        "not judged, because no manifest leads to it: `cdk.out/Old.template.json`, "
        "`cdk.out/assembly-Old/Old.template.json`" in words
    )


@pytest.mark.parametrize("seconds", [-9, 0, 9])
def test_a_plain_copy_in_any_order_hides_no_template(check: Check, monkeypatch: Any, seconds: int) -> None:
    files = assembly({"S": stack("S.template.json")}, S__template__json=GOOD)
    times = leftovers._times
    shifts = {"Old.template.json": seconds * 10**9}
    monkeypatch.setattr(
        leftovers, "_times", lambda file: tuple(time + shifts.get(file.name, 0) for time in times(file))
    )
    code, output = check({**files, "cdk.out/Old.template.json": PLAIN}, "cdk.out")
    assert code == 1, output


@pytest.mark.parametrize("last", ["S.template.json", "Old.template.json"])
def test_a_copy_keeps_what_one_synthesis_wrote_together(check: Check, last: str) -> None:
    files = assembly({"S": stack("S.template.json")}, S__template__json=GOOD)
    code, output = check({**files, "cdk.out/Old.template.json": PLAIN}, "cdk.out")
    for name in sorted(["S.template.json", "Old.template.json"], key=lambda name: name == last):
        time.sleep(0.02)
        # An archive has the time of writing, and is unpacked file by file.
        os.utime(f"cdk.out/{name}", (1_700_000_000, 1_700_000_000))
    code, output = check({}, "cdk.out")
    assert code == 1, output


def test_a_stage_that_links_back_is_read_once(check: Check) -> None:
    files = assembly({"S": stack("S.template.json")}, S__template__json=GOOD)
    write(Path(), files)
    os.symlink(".", "cdk.out/assembly-Old")
    code, output = check({}, "cdk.out")
    assert (code, "leads to it" in output) == (0, False), output
