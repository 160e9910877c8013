"""Write the groups of an audit as CSV."""

from __future__ import annotations

import csv
import io

from secure_bucket.formats.characters import spreadsheet_cell, well_formed
from secure_bucket.formats.run import Run
from secure_bucket.operations.audit.audit import Audit

__all__ = ["render"]

_TIME = "%Y-%m-%dT%H:%M:%SZ"
_HEAD = (
    *("trouble", "transport", "why", "bucket", "requester", "user_agent", "address", "operation", "status"),
    *("requests", "clients", "first_seen", "last_seen"),
)


def render(audit: Audit, run: Run) -> str:
    """Return the groups as comma-separated values (RFC 4180)."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_HEAD)
    for group in audit.groups:
        words = (
            *(group.trouble.value, group.transport, group.why, group.bucket, group.requester),
            *(group.user_agent, group.address, group.operation, group.status),
        )
        writer.writerow(
            [
                *(spreadsheet_cell(word or "") for word in words),
                group.requests,
                group.clients,
                f"{group.first_seen:{_TIME}}",
                f"{group.last_seen:{_TIME}}",
            ]
        )
    return well_formed(out.getvalue())
