"""Word the advice of a finding for messages that hold plain words only."""

from __future__ import annotations

import re

from secure_bucket.findings.finding import Finding

__all__ = ["plain_advice"]


def plain_advice(finding: Finding) -> str:
    """Return the advice of a finding without JSON: a manual shows the statement."""
    # Between words and the statement stands a colon, or "with the statement".
    plain = re.sub(r"(?::|,? with the statement)? ?\{.*\}", "", finding.fix, flags=re.DOTALL)
    if plain == finding.fix:
        return plain
    return f"{plain}; `secure-bucket explain SB001` shows the statement"
