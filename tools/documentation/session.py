"""Record a session in a terminal as a picture: a red check, the fix, and a green check.

    python tools/documentation/session.py > session.svg

The commands run for real each time, so that the picture shows what the command prints.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

TEMPLATE = "Resources:\n  Reports:\n    Type: AWS::S3::Bucket\n"
COMMANDS = (
    "secure-bucket check template.yaml",
    "secure-bucket fix template.yaml --write",
    "secure-bucket check template.yaml",
)
COLUMNS = 72


def session() -> str:
    """Return the session as an SVG that loads nothing."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "template.yaml").write_text(TEMPLATE, encoding="utf-8")
        for command in COMMANDS:
            console.print(Text.assemble(("$ ", "bold green"), command))
            console.print(Text.from_ansi(_output(command, directory)))
    picture = console.export_svg(title="secure-bucket", theme=MONOKAI, unique_id="session")
    # Replace the fonts from the network with the monospaced font of the reader.
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    picture = picture.replace("Fira Code,", "ui-monospace,")
    told = "A check of template.yaml fails, the fix adds a policy, and the same check passes."
    labels = f'role="img" aria-label="{told}"'
    picture = re.sub(
        r"<svg class=\"rich-terminal\"", f'<svg class="rich-terminal" {labels}', picture, count=1
    )
    # Markdown would read backticks as code, and the lines after an empty line as text.
    picture = picture.replace("`", "&#96;")
    return "\n".join(line for line in picture.splitlines() if line.strip() and "<!--" not in line) + "\n"


def _output(command: str, directory: str) -> str:
    """Return the output of a command for a terminal, with the exit code of a failed command."""
    program = [sys.executable, "-m", "secure_bucket", *command.split()[1:]]
    done = subprocess.run(
        program,
        cwd=directory,
        env={**os.environ, "FORCE_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    failed = f"\n(exit code {done.returncode})" if done.returncode else ""
    return f"{done.stdout.rstrip()}{failed}\n"


if __name__ == "__main__":
    sys.stdout.write(session())
