"""`python -m secure_bucket`, the same as the command `secure-bucket`."""

from __future__ import annotations

from secure_bucket.cli.main import console

if __name__ == "__main__":
    console()
