"""How long it takes to judge a template, beside reading the same file.

    python benchmarks/template.py

Each number is the best of several runs. `ratio` is the time of `check_template`, from the file to the report,
over the time of `json.load` (of PyYAML's C loader for YAML) for the same file: the least that any check has
to spend. The last rows are directories, over the time of reading all their files.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from prove import best, peak

from secure_bucket.checks.check import check_template


def bucket(number: int) -> dict[str, Any]:
    """Return a bucket with the policy that CDK writes for it."""
    name = f"Bucket{number}"
    arn = {"Fn::GetAtt": [name, "Arn"]}
    deny = {
        "Action": "s3:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Resource": [arn, {"Fn::Join": ["", [arn, "/*"]]}],
    }
    document = {"Statement": [deny], "Version": "2012-10-17"}
    return {
        name: {"Type": "AWS::S3::Bucket", "Metadata": {"aws:cdk:path": f"Stack/{name}/Resource"}},
        f"{name}Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": name}, "PolicyDocument": document},
        },
    }


def template(buckets: int) -> dict[str, Any]:
    """Return a template of this many buckets."""
    return {"Resources": {key: value for number in range(buckets) for key, value in bucket(number).items()}}


def row(name: str, size: int, buckets: int, judge: Callable[[], object], read: Callable[[], object]) -> None:
    """Measure one line of the table, and print it."""
    seconds, floor = best(judge), best(read)
    print(
        f"{name:<32}{size / 1024:>8.0f}{buckets:>9}{seconds * 1e3:>10.1f}{buckets / seconds:>13,.0f}"
        f"{seconds / floor:>8.1f}{peak(judge) / 2**20:>9.1f}",
        flush=True,
    )


def main() -> int:
    """Print the table."""
    print(f"{'template':<32}{'KB':>8}{'buckets':>9}{'ms':>10}{'buckets/s':>13}{'ratio':>8}{'peak MB':>9}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for buckets in (1, 10, 50, 250, 1000):
            file = folder / f"{buckets}.json"
            file.write_text(json.dumps(template(buckets), indent=1))
            row(
                f"JSON, {buckets} buckets",
                file.stat().st_size,
                buckets,
                lambda file=file: check_template(file),  # type: ignore[misc]
                lambda file=file: json.loads(file.read_text()),  # type: ignore[misc]
            )
        for buckets in (1, 50, 250):
            file = folder / f"{buckets}.yaml"
            file.write_text(yaml.safe_dump(template(buckets)))
            row(
                f"YAML, {buckets} buckets",
                file.stat().st_size,
                buckets,
                lambda file=file: check_template(file),  # type: ignore[misc]
                lambda file=file: yaml.load(file.read_text(), yaml.CSafeLoader),  # type: ignore[misc]
            )
        for count in (100, 1000):
            files = [folder / f"{count}-{number}.json" for number in range(count)]
            for file in files:
                file.write_text(json.dumps(template(2), indent=1))
            row(
                f"{count} files of two buckets",
                sum(file.stat().st_size for file in files),
                2 * count,
                lambda files=files: [check_template(file).proven for file in files],  # type: ignore[misc]
                lambda files=files: [json.loads(file.read_text()) for file in files],  # type: ignore[misc]
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
