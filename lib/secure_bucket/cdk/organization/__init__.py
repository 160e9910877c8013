"""Deny plain HTTP in a whole AWS organization, and watch that buckets do."""
