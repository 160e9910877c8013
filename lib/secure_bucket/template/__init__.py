"""Read buckets and their policies from CloudFormation templates and CDK cloud assemblies."""

from __future__ import annotations

from secure_bucket.template.assembly import read_assembly, read_document, read_templates
from secure_bucket.template.buckets import Bucket, BucketPolicy
from secure_bucket.template.deployments import Applied, Deployment
from secure_bucket.template.inventory import Inventory
from secure_bucket.template.load import Document, is_template, load_document, parse_document
from secure_bucket.template.resolve import Assembly
from secure_bucket.template.stack import Stack
from secure_bucket.template.worlds import Infeasible, TooManyWorlds, Undecidable, World

__all__ = [
    "Applied",
    "Assembly",
    "Bucket",
    "BucketPolicy",
    "Deployment",
    "Document",
    "Infeasible",
    "Inventory",
    "Stack",
    "TooManyWorlds",
    "Undecidable",
    "World",
    "is_template",
    "load_document",
    "parse_document",
    "read_assembly",
    "read_document",
    "read_templates",
]
