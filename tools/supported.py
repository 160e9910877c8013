"""Read the table of supported versions in SECURITY.md, for the workflows and for nox.

python tools/supported.py            prints the names and values as outputs of a workflow step
"""

from __future__ import annotations

import json
import re
from pathlib import Path

TABLE = Path(__file__).resolve().parents[1] / "SECURITY.md"
# The runner of GitHub for each platform.
RUNNERS = {"Linux": "ubuntu-latest", "macOS": "macos-latest", "Windows": "windows-latest"}


def tested(row: str) -> list[str]:
    """Return the list in the last cell of a row."""
    found = re.search(
        rf"^\| {row}\b[^|]*\|[^|]*\|([^|]*)\|$", TABLE.read_text(encoding="utf-8"), re.MULTILINE
    )
    if found is None:
        raise SystemExit(f"{TABLE.name}: its table has no row `{row}`")
    return [each.strip() for each in found[1].split(",")]


def main() -> None:
    """Print the lists as JSON; for the AWS CDK, the first and the last version."""
    pythons, cdks = tested("Python"), tested("AWS CDK")
    print(f"pythons={json.dumps(pythons)}")
    print(f"runners={json.dumps([RUNNERS[each] for each in tested('platforms')])}")
    print(f"cdks={json.dumps([cdks[0], cdks[-1]])}")


if __name__ == "__main__":
    main()
