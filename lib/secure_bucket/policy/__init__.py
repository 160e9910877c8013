"""The bucket policy language as values: what is written (`parse_policy`) and what it means (`evaluate`)."""

from __future__ import annotations

from secure_bucket.policy.document import (
    Condition,
    Effect,
    Patterns,
    Policy,
    Principal,
    Principals,
    Statement,
)
from secure_bucket.policy.parse import parse_policy
from secure_bucket.policy.request import Request
from secure_bucket.values.unknown import Hole, Place, Text, Unknown

__all__ = [
    "Condition",
    "Effect",
    "Hole",
    "Patterns",
    "Place",
    "Policy",
    "Principal",
    "Principals",
    "Request",
    "Statement",
    "Text",
    "Unknown",
    "parse_policy",
]
