#!/usr/bin/env python3
"""Guardrails for an organization, and one account in it that keeps records and watches them.

cd examples/organization && cdk synth
"""

import aws_cdk as cdk
from constructs import Construct

from secure_bucket import (
    LogSource,
    SecureBucket,
    SecureLogBucket,
    SecureTransportMonitoring,
    SecureTransportOrganizationConformancePack,
    SecureTransportOrganizationPolicy,
    enforce_secure_transport,
)


class Guardrails(cdk.Stack):
    """What the management account deploys for all others."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        # --8<-- [start:policy]
        # First for the sandbox alone; without `dry_run` for the workloads as well.
        SecureTransportOrganizationPolicy(
            self,
            "HttpsOnly",
            targets=["ou-ab12-workload"],
            sandbox_targets=["ou-ab12-sandbox0"],
            dry_run=True,
        )
        # --8<-- [end:policy]
        # --8<-- [start:pack]
        SecureTransportOrganizationConformancePack(self, "Evidence")
        # --8<-- [end:pack]


class Records(cdk.Stack):
    """A bucket that nobody empties by mistake, its access logs, and who is told about plain HTTP."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)
        # --8<-- [start:records]
        access_logs = SecureLogBucket(self, "AccessLogs", source=LogSource.S3)
        records = SecureBucket(self, "Records", mfa=True, server_access_logs_bucket=access_logs)
        # --8<-- [end:records]
        # --8<-- [start:monitoring]
        SecureTransportMonitoring(
            self, "Monitoring", buckets=[records], email_addresses=["security@example.com"]
        )
        # --8<-- [end:monitoring]


app = cdk.App()
Guardrails(app, "Guardrails")
Records(app, "Records")
enforce_secure_transport(app)
app.synth()
