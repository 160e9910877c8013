"""Add the deny to the buckets of an app."""
