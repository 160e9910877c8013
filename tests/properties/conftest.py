"""How long the properties run: `--hypothesis-profile=fuzz` is the long run."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# A policy is a large value, and a proof has no deadline of milliseconds on a busy machine.
_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
# The same examples in every run: a change is judged by what it changed. The long run draws new ones.
settings.register_profile(
    "quick", max_examples=60, deadline=None, derandomize=True, suppress_health_check=_SLOW
)
settings.register_profile("fuzz", max_examples=5_000, deadline=None, suppress_health_check=_SLOW)
settings.load_profile("quick")
