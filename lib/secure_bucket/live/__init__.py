"""Buckets that run: what AWS says about them, and what they answer."""
