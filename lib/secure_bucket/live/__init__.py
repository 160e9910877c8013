"""Buckets that run: what AWS says about them, and what they answer.

Nothing here is loaded before it is asked for, and boto3 not before a session is opened.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from secure_bucket.live.account_review import Question
    from secure_bucket.live.accounts import Scope
    from secure_bucket.live.aggregator import review_aggregator
    from secure_bucket.live.errors import LiveError, Trouble
    from secure_bucket.live.probe import probe_bucket
    from secure_bucket.live.review import review_account, review_accounts, review_buckets
    from secure_bucket.live.session import Access, Session, open_session

__all__ = [
    "Access",
    "LiveError",
    "Question",
    "Scope",
    "Session",
    "Trouble",
    "open_session",
    "probe_bucket",
    "review_account",
    "review_accounts",
    "review_aggregator",
    "review_buckets",
]

_MODULES = {
    "Access": "session",
    "LiveError": "errors",
    "Question": "account_review",
    "Scope": "accounts",
    "Session": "session",
    "Trouble": "errors",
    "open_session": "session",
    "probe_bucket": "probe",
    "review_account": "review",
    "review_accounts": "review",
    "review_aggregator": "aggregator",
    "review_buckets": "review",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
