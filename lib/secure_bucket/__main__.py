"""`python -m secure_bucket`, the same as the command `secure-bucket`."""

from __future__ import annotations

import sys

from secure_bucket.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
