"""A TypeScript app on the oldest and the newest AWS CDK, with the code that the page of TypeScript shows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks
from tests.synth.harness import CDK, OWN_VALIDATION_OFF, Run, run_in

PAGE = ROOT / "docs" / "how-to" / "other-languages.md"
PACKAGES = Path(__file__).with_name("typescript")
IMPORTS = "import * as cdk from 'aws-cdk-lib';\nimport * as s3 from 'aws-cdk-lib/aws-s3';\n\n"
# The types are not what is tested: the compiler takes 30 s of processor time to read those of 2.276.
COMPILER = {
    "compilerOptions": {"target": "ES2022", "module": "NodeNext", "moduleResolution": "NodeNext"},
    "ts-node": {"transpileOnly": True},
}


def shown(language: str) -> list[str]:
    """Return the blocks of code in a language that the page shows to users of TypeScript."""
    return [
        block.text for block in blocks(PAGE) if block.language == language and block.tab in ("", "TypeScript")
    ]


OPEN, CLOSED, ACKNOWLEDGED, EXCEPTED = shown("ts")
_, BUCKET = OPEN.splitlines()


@dataclass(frozen=True)
class TypeScriptApp:
    """An app with the stack of the page.

    Args:
        directory: Its directory.
        cdk: `oldest` or `newest`.
    """

    directory: Path
    cdk: str

    def write(self, *, bucket: str = BUCKET, after: str = "", stack: str = OPEN) -> None:
        """Write the program and its settings, as the page has them.

        Args:
            bucket: The line that creates the bucket.
            after: The lines after it.
            stack: The lines that create the stack and its bucket.
        """
        packages = PACKAGES / self.cdk / "node_modules"
        if not packages.exists():
            pytest.skip(f"{packages} is missing: `make test-languages` installs it")
        (link := self.directory / "node_modules").exists() or link.symlink_to(packages)
        source = f"{IMPORTS}const app = new cdk.App();\n{stack.replace(BUCKET, bucket.rstrip())}{after}"
        (self.directory / "bin").mkdir(exist_ok=True)
        (self.directory / "bin" / "app.ts").write_text(source)
        (self.directory / "tsconfig.json").write_text(json.dumps(COMPILER))
        (difference,) = shown("diff")
        _, added = difference.splitlines()
        (self.directory / "cdk.json").write_text(f"{{{added[1:]}}}")

    def run(self, *words: str) -> Run:
        """Run the real CDK CLI in the directory of the app."""
        return run_in(self.directory, str(CDK), *words, "--no-notices", **OWN_VALIDATION_OFF)
