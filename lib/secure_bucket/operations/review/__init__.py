"""Review and probe live buckets.

A name loads its module on first use, and boto3 only when a session is opened.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from secure_bucket.operations.aws.accounts import Scope
    from secure_bucket.operations.aws.errors import LiveError, LiveTrouble
    from secure_bucket.operations.aws.session import Access, Session, open_session
    from secure_bucket.operations.probe.probe import probe_bucket
    from secure_bucket.operations.review.account_review import ReviewQuestion
    from secure_bucket.operations.review.aggregator import review_aggregator
    from secure_bucket.operations.review.review import review_account, review_accounts, review_buckets

__all__ = [
    "Access",
    "LiveError",
    "LiveTrouble",
    "ReviewQuestion",
    "Scope",
    "Session",
    "open_session",
    "probe_bucket",
    "review_account",
    "review_accounts",
    "review_aggregator",
    "review_buckets",
]

_MODULES = {
    "Access": "aws.session",
    "LiveError": "aws.errors",
    "ReviewQuestion": "review.account_review",
    "Scope": "aws.accounts",
    "Session": "aws.session",
    "LiveTrouble": "aws.errors",
    "open_session": "aws.session",
    "probe_bucket": "probe.probe",
    "review_account": "review.review",
    "review_accounts": "review.review",
    "review_aggregator": "review.aggregator",
    "review_buckets": "review.review",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"secure_bucket.operations.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
