"""Constructs, Aspects and the gate for AWS CDK apps. Only this folder needs the CDK."""

from __future__ import annotations

import os

# With this setting, jsii records the Python line that made each construct, and findings in
# `validation-report.json` name it. jsii reads it at every call, at almost no cost. An existing value stays.
os.environ.setdefault("JSII_HOST_STACK_TRACES", "1")
