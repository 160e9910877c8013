"""Keep the tests cheap and alike in each run, and mark those that use a browser or a server as slow."""

from __future__ import annotations

import os
import tempfile

import pytest

# The CDK checks every template against the resource schemas of CloudFormation, which takes 2.7 s of processor
# time in the first app of a process (aws-cdk-lib 2.275.0) and is not ours. Plugins run all the same. Tests of
# the whole `cdk synth` choose by themselves, in `tests/synth/harness.py`.
os.environ.setdefault("CDK_VALIDATION", "false")
# Node compiles the CDK once, not in each process: `cdk synth` takes 3.2 s of processor time, not 3.9 s.
os.environ.setdefault("NODE_COMPILE_CACHE", os.path.join(tempfile.gettempdir(), "secure-bucket-node"))

try:
    from hypothesis import HealthCheck, settings
except ImportError:
    pass  # The sessions of nox for old versions of the CDK do without it.
else:
    # A policy is a large value, and a test has no deadline of milliseconds on a busy machine.
    _SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
    # The same examples in every run: a change is judged by what it changed. The long run draws new ones.
    settings.register_profile(
        "quick", max_examples=60, deadline=None, derandomize=True, suppress_health_check=_SLOW
    )
    # The long run: `--hypothesis-profile=fuzz`.
    settings.register_profile("fuzz", max_examples=5_000, deadline=None, suppress_health_check=_SLOW)
    settings.load_profile("quick")

LONG_FILES = (
    "tests/server/",
    "tests/synth/",
    "tests/cdk/test_every_version",
    "tests/docs/",
    "tests/examples/",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use a browser or a server as slow, and start with the longest files."""
    for item in items:
        if {"browser", "server"} & {*getattr(item, "fixturenames", ())}:
            item.add_marker(pytest.mark.slow)
    # Workers end together then.
    items.sort(key=lambda item: not item.nodeid.startswith(LONG_FILES))
