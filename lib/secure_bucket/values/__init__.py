"""Represent known and unknown values, and the places where they are written."""

from __future__ import annotations

from secure_bucket.values.unknown import Hole, Place, Text, Unknown

__all__ = ["Hole", "Place", "Text", "Unknown"]
