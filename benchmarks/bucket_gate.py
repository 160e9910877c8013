"""What the gate costs: the same app without checks, with the gate, with FIX, and with cdk-nag.

1,000 buckets in 10 stacks, each run in a process of its own, in turns; the template validation of the
CDK itself is off, which would drown the rest:

    python benchmarks/bucket_gate.py [buckets] [rounds]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

STACKS = 10
CHECKS = ("nothing", "plugin", "aspect", "fix", "cdk-nag")


def synthesize(check: str, buckets: int) -> None:
    """Build the app and print how long its synthesis took, as JSON."""
    import aws_cdk as cdk
    from adopt import build

    from secure_bucket import Mode, SecureTransportAspect, SecureTransportValidation

    app = cdk.App(outdir=tempfile.mkdtemp())
    build(app, buckets, STACKS, has_deny=True)
    if check == "plugin":
        cdk.Validations.of(app).add_plugins(SecureTransportValidation())
    elif check == "aspect":
        cdk.Aspects.of(app).add(SecureTransportAspect())
    elif check == "fix":
        cdk.Aspects.of(app).add(SecureTransportAspect(mode=Mode.FIX))
    elif check == "cdk-nag":
        import cdk_nag

        cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    started = time.perf_counter()
    try:
        app.synth()
    except RuntimeError as error:
        # cdk-nag has findings of other rules on these buckets.
        if check != "cdk-nag" or "AwsSolutions-S1" not in str(error):
            raise
    print(json.dumps(time.perf_counter() - started))


def measure(check: str, buckets: int) -> float:
    done = subprocess.run(
        [sys.executable, __file__, check, str(buckets)],
        capture_output=True,
        text=True,
        check=True,
        # So that a failure is raised with its report, as under pytest.
        env={**os.environ, "CDK_VALIDATION": "false", "CDK_APP_MODE": "inmemory"},
    )
    return float(json.loads(done.stdout.splitlines()[-1]))


def main(buckets: int = 1000, rounds: int = 3) -> None:
    times: dict[str, list[float]] = {check: [] for check in CHECKS}
    for _ in range(rounds):
        for check in CHECKS:
            times[check].append(measure(check, buckets))
    base = statistics.median(times["nothing"])
    print(f"{buckets} buckets in {STACKS} stacks: seconds of `app.synth()`, and beside no checks")
    for check in CHECKS:
        median = statistics.median(times[check])
        print(f"{check:10} {median:7.2f} {median / base:6.2f}")


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in CHECKS:
        synthesize(sys.argv[1], int(sys.argv[2]))
    else:
        main(*map(int, sys.argv[1:]))
