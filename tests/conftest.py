"""Switch the CDK's own validation of templates off in the apps that tests make in their own process.

It checks every template against the resource schemas of CloudFormation, which takes 2.7 s of processor time
in the first app of a process (aws-cdk-lib 2.275.0) and is not ours. Plugins run all the same. Tests of the
whole `cdk synth` choose by themselves, in `tests/synth/harness.py`.
"""

from __future__ import annotations

import os

os.environ.setdefault("CDK_VALIDATION", "false")
