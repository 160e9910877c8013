"""Apps that get a plain bucket into an assembly, one for each way: what `cdk synth` and `check` exit with.

`docs/trust.md` lists them, `test_exit_codes.py` runs them.
"""

from __future__ import annotations

# Each of these registers its own, in this order.
from tests.synth.situations import places  # isort: skip
from tests.synth.situations import unread  # isort: skip
from tests.synth.situations import policies  # isort: skip
from tests.synth.situations import exceptions  # isort: skip
from tests.synth.situations import left_by_fix  # isort: skip
from tests.synth.situations import at_deployment  # isort: skip
from tests.synth.situations import process  # isort: skip
from tests.synth.situations.situation import SITUATIONS, Situation

__all__ = [
    "SITUATIONS",
    "Situation",
    "at_deployment",
    "exceptions",
    "left_by_fix",
    "places",
    "policies",
    "process",
    "unread",
]
