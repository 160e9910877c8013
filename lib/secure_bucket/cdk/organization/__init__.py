"""Enforce and watch plain HTTP denial for a whole AWS organization."""
