"""What lives in an AWS CDK app: the construct, the Aspect and the gate. The only folder that needs it."""

from __future__ import annotations

import os

# With this, jsii records the Python line that made each construct, so that a finding in
# `validation-report.json` leads there. It is read at every call and costs next to nothing. A value
# that somebody has set stays.
os.environ.setdefault("JSII_HOST_STACK_TRACES", "1")
