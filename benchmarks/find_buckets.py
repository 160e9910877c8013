"""What it costs FIX to find the buckets of an app, with Mixins (aws-cdk-lib 2.257 and newer) and without.

    python benchmarks/find_buckets.py [buckets] [stacks]

Both ways run on the installed CDK and find the same buckets. Seconds are of the wall, the best of three.
"""

from __future__ import annotations

import sys
import time

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3

from secure_bucket.cdk.versions import select_resources, walk_resources


def main() -> None:
    """Print one line for each way."""
    buckets, stacks = (int(word) for word in (sys.argv[1:] or ("1000", "10")))
    app = cdk.App()
    for stack in range(stacks):
        scope = cdk.Stack(app, f"Stack{stack}")
        for number in range(buckets // stacks):
            s3.Bucket(scope, f"Bucket{number}", enforce_ssl=True)
    print(f"{buckets} buckets in {stacks} stacks")
    for name, find in (("with Mixins", select_resources), ("without Mixins", walk_resources)):
        if name == "with Mixins" and not hasattr(cdk, "Mixins"):
            print(f"  {name:15} this CDK has none")
            continue
        seconds = []
        for _ in range(3):
            begun = time.perf_counter()
            found = find(app, "AWS::S3::Bucket")
            seconds.append(time.perf_counter() - begun)
        if len(found) != buckets // stacks * stacks:
            raise RuntimeError(f"{name}: {len(found)} buckets found")
        print(f"  {name:15} {min(seconds):6.2f} s")


if __name__ == "__main__":
    main()
