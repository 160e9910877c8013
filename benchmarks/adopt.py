"""What it costs an existing app to be flagged, or fixed, with one line: time, jsii calls, memory.

    python benchmarks/adopt.py [buckets] [stacks] [rounds]

Each run has a process of its own, all of them in turns; the template validation of the CDK itself is off,
which would drown the rest. `synth` is `app.synth()` alone, `whole` is the process from its start, with its
imports and the making of the constructs, because FIX listens there: in seconds of the processors, Python and
Node together, which a busy machine changes less than the time on the wall. `calls` are the messages to the
jsii kernel. Ratios are taken of the medians, beside the first line of a group. By default at 1,000 buckets in
10 stacks and at 4,000 in 40, so that growth shows.

There is a floor. For any plugin the CDK describes the construct tree once more: `plugin` finds nothing. FLAG
also loads 150 modules, and reads all templates and their metadata once more, in Python; of the buckets of one
form in a stack it proves one. FIX asks each bucket in Python, at one message to the kernel for each question,
but the whole synthesis of a bucket costs no more than two or three messages. Of its eight messages for a
bucket the property injector takes three; one each tells the path of the policy, the policy, the properties
and the attributes of the bucket; and one gives the policy its lifetime. Without a jsii module of our own, in
JavaScript and inside of the kernel, no message can answer these for many buckets: the CDK answers nothing
about many constructs at once but where they are and what tokens become. `fix-last` calls FIX when the buckets
are there; ten of its eighteen messages for a bucket look for acknowledgments.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import aws_cdk as cdk

SIZES = ((1000, 10), (4000, 40))

# Check, and whether the buckets of its app have the deny already. The first of a group is its base.
GROUPS = {
    "every bucket has the deny": (
        ("nothing", True),
        ("plugin", True),
        ("flag", True),
        ("fix", True),
        ("cdk-nag", True),
    ),
    "no bucket has the deny": (("nothing", False), ("fix", False)),
    "no bucket has the deny, beside the same denies written by hand": (
        ("nothing", True),
        ("fix", False),
        ("fix-last", False),
    ),
}


def build(app: cdk.App, buckets: int, stacks: int, *, has_deny: bool) -> None:
    """Fill an app with buckets."""
    import aws_cdk as cdk
    from aws_cdk import aws_s3 as s3

    for stack in range(stacks):
        scope = cdk.Stack(app, f"Stack{stack}")
        for number in range(buckets // stacks):
            s3.Bucket(scope, f"Bucket{number}", enforce_ssl=True if has_deny else None)


def check(app: cdk.App, name: str) -> None:
    """Put a check into an app."""
    import aws_cdk as cdk
    import jsii

    if name in ("flag", "fix"):
        # The other runs do not load it.
        from secure_bucket import Mode, enforce_secure_transport

        enforce_secure_transport(app, mode=Mode(name), quiet=True)
    elif name == "cdk-nag":
        import cdk_nag

        cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    elif name == "plugin":
        plugin = jsii.implements(cdk.IPolicyValidationPlugin)(_Plugin)()
        cdk.Validations.of(app).add_plugins(plugin)


class _Plugin:
    """A validation plugin that finds nothing."""

    name, version, rule_ids = property(lambda _: "none"), property(lambda _: "1"), property(lambda _: ["1"])

    def validate(self, context: object) -> object:
        import aws_cdk as cdk

        return cdk.PolicyValidationPluginReport(success=True, violations=[])


def run(name: str, has_deny: bool, buckets: int, stacks: int) -> dict[str, float]:
    """Build and synthesize an app, and measure."""
    import aws_cdk as cdk
    from jsii._kernel.providers import process as jsii_process

    calls = 0
    send = jsii_process._NodeProcess.send

    def counting(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        return send(*arguments)

    jsii_process._NodeProcess.send = counting  # type: ignore[method-assign]
    app = cdk.App(outdir=tempfile.mkdtemp())
    begun = _processors()
    is_last = name.endswith("-last")
    if not is_last:
        check(app, name)
    build(app, buckets, stacks, has_deny=has_deny)
    if is_last:
        check(app, name.removesuffix("-last"))
    built, calls_built = _processors(), calls
    try:
        app.synth()
    except RuntimeError as error:
        # cdk-nag has findings of other rules on these buckets.
        if name != "cdk-nag" or "AwsSolutions-S1" not in str(error):
            raise
    done = _processors()
    return {
        "synth": done - built,
        "all": done - begun,
        "whole": done,
        "calls": calls - calls_built,
        "all calls": calls,
        "python MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "node MB": _peak_of_node(),
    }


def _below(process: str = "self") -> Iterator[str]:
    """Every process below this one; nothing where there is no /proc."""
    pid = os.getpid() if process == "self" else process
    try:
        with open(f"/proc/{process}/task/{pid}/children", encoding="ascii") as children:
            found = children.read().split()
    except OSError:
        return
    for child in found:
        yield child
        yield from _below(child)


def _processors() -> float:
    """The seconds that Python and Node have computed."""
    ticks = 0
    for child in _below():
        with open(f"/proc/{child}/stat", encoding="ascii") as stat:
            # The name in parentheses may hold spaces; user and system time are the 14th and 15th field.
            fields = stat.read().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def _peak_of_node() -> float:
    """The most memory, in MB, that Node has used."""
    peak = 0
    for child in _below():
        with open(f"/proc/{child}/status", encoding="ascii") as status:
            peak += sum(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    return peak / 1024


def measure(name: str, has_deny: bool, buckets: int, stacks: int) -> dict[str, float]:
    """Run in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", name, str(int(has_deny)), str(buckets), str(stacks)],
        capture_output=True,
        text=True,
        check=True,
        # So that a failure is raised with its report, as under pytest.
        env={**os.environ, "CDK_VALIDATION": "false", "CDK_APP_MODE": "inmemory"},
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def table(buckets: int, stacks: int, rounds: int) -> None:
    """Measure one size, and print it."""
    cases = list(dict.fromkeys(case for group in GROUPS.values() for case in group))
    runs: dict[tuple[str, bool], list[dict[str, float]]] = {case: [] for case in cases}
    for _ in range(rounds):
        for case in cases:
            runs[case].append(measure(*case, buckets, stacks))
    medians = {
        case: {key: statistics.median(one[key] for one in found) for key in found[0]}
        for case, found in runs.items()
    }
    print(f"{buckets} buckets in {stacks} stacks, median of {rounds}")
    for title, group in GROUPS.items():
        base = medians[group[0]]
        print(f"\n  {title}")
        print(
            f"  {'':8} {'synth s':>8} {'ratio':>6} {'whole s':>7} {'ratio':>6} "
            f"{'calls':>7} {'all calls':>9} {'Python MB':>10} {'Node MB':>8}"
        )
        for case in group:
            row = medians[case]
            print(
                f"  {case[0]:8} {row['synth']:8.2f} {row['synth'] / base['synth']:6.2f} "
                f"{row['whole']:7.2f} {row['whole'] / base['whole']:6.2f} {row['calls']:7.0f} "
                f"{row['all calls']:9.0f} {row['python MB']:10.0f} {row['node MB']:8.0f}"
            )
    flag, nag, nothing = (medians[name, True]["whole"] for name in ("flag", "cdk-nag", "nothing"))
    print(f"\n  FLAG adds {(flag - nothing) / max(nag - nothing, 1e-9):.2f} of what cdk-nag adds\n")


def main() -> None:
    """Print the tables."""
    if sys.argv[1:2] == ["--one"]:
        name, has_deny, buckets, stacks = sys.argv[2:]
        print(json.dumps(run(name, has_deny == "1", int(buckets), int(stacks))))
        return
    given = [int(argument) for argument in sys.argv[1:]]
    sizes = [(given[0], given[1])] if len(given) > 1 else SIZES
    for buckets, stacks in sizes:
        table(buckets, stacks, given[2] if len(given) > 2 else 3)


if __name__ == "__main__":
    main()
