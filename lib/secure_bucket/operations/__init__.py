"""Examine live buckets and their logs, and plan the move to HTTPS; named after the commands."""
