"""Follow the README from empty folders: each kind of app goes from red to green.

    python tools/first_steps.py             all of them, with the wheel in dist/ or a new one
    python tools/first_steps.py TypeScript  those whose name contains the word

Each app has its own virtual environment, and runs only the lines of the README. pip and uv find the wheel
like a release. Node and the CDK CLI come from this repository.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FINDING = "can GET `report.csv` over plain HTTP"
OLDEST = "2.150.0"


@dataclass
class Folder:
    """An empty folder with its own virtual environment.

    Args:
        path: The folder.
        tools: The directory with the wheel, and with links to Node and the CDK CLI.
        log: The commands, with the exit codes and the seconds.
    """

    path: Path
    tools: Path
    log: list[str] = field(default_factory=list)

    def run(self, line: str, *, code: int = 0, says: str = "") -> str:
        """Run a line of shell, and end the program if the result is wrong.

        Args:
            line: The line.
            code: The expected exit code.
            says: A text that the output must contain.
        """
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        # Hide the environment of this repository, which has a `secure-bucket` as well.
        path = [each for each in environment["PATH"].split(os.pathsep) if not each.startswith(f"{ROOT}/")]
        environment |= {
            "PATH": os.pathsep.join([str(self.path / ".venv" / "bin"), str(self.tools), *path]),
            "PIP_FIND_LINKS": str(self.tools),
            "UV_FIND_LINKS": str(self.tools),
            "PIPX_HOME": str(self.path / "pipx"),
            "PIP_QUIET": "1",
            "NO_COLOR": "1",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        }
        begin = time.monotonic()
        done = subprocess.run(
            line, shell=True, cwd=self.path, env=environment, capture_output=True, text=True, check=False
        )
        output = done.stdout + done.stderr
        self.log.append(f"{line}: exit {done.returncode} after {time.monotonic() - begin:.1f} s")
        if done.returncode != code or says not in output:
            raise SystemExit(f"{output}\n{line}: exit {done.returncode}, and {code} with `{says}` is right")
        return output

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        file = self.path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace the one place in a file."""
        text = (self.path / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"`{old}` stands {text.count(old)} times in {name}"
        self.write(name, text.replace(old, new))


def line_of_readme(pattern: str) -> str:
    """Return the command in the README that matches a pattern, without its comment."""
    found = re.search(rf"^ +({pattern}.*?)(?:  +#.*)?$", README, re.MULTILINE)
    assert found is not None, f"the README has no line `{pattern}`"
    return found[1]


TEMPLATE = "Resources:\n  Reports:\n    Type: AWS::S3::Bucket\n"


def not_installed(folder: Folder) -> None:
    """Check one YAML template with uvx and with pipx."""
    folder.write("template.yaml", TEMPLATE)
    line, other = re.findall(r"^    (uvx secure-bucket check \.) .*or: (pipx .*)$", README, re.MULTILINE)[0]
    for each in (line, other):
        folder.run(each, code=1, says=FINDING)


def template(folder: Folder) -> None:
    """Check and fix one YAML template."""
    folder.write("template.yaml", TEMPLATE)
    folder.run(line_of_readme("pip install secure-bucket"))
    shown = re.search(r"^\$ (.*)\n(.*)$", README, re.MULTILINE)
    assert shown is not None
    folder.run(shown[1], code=1, says=shown[2])
    folder.run(line_of_readme("secure-bucket fix template.yaml"))
    folder.run(shown[1], says="1 proven")


def python(folder: Folder, version: str) -> None:
    """Run the example of the README, and let FIX add the deny."""
    example, one_line, *_ = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    if version == "newest":
        folder.run(line_of_readme(r"pip install 'secure-bucket\[cdk\]'"))
    else:
        folder.run(f"pip install aws-cdk-lib=={version}")
        folder.run(line_of_readme("pip install secure-bucket"))
    folder.write("app.py", example)
    (synth,) = re.findall("`(cdk synth --quiet --app [^`]+)`", README)
    folder.run(synth, code=1, says=FINDING)
    (gate,) = (each for each in example.splitlines() if each.startswith("cdk.Aspects.of(app)"))
    folder.replace("app.py", gate, one_line)
    folder.run(synth, says="2 proven, 1 of them fixed")


PROGRAM = """\
import * as cdk from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';

const app = new cdk.App();
new s3.Bucket(new cdk.Stack(app, 'Reports'), 'Plain');
"""


def typescript(folder: Folder, version: str) -> None:
    """Put the gate into an app in TypeScript, and set the property that the finding names."""
    released = "latest" if version == "newest" else version
    folder.write("package.json", '{"private": true}')
    folder.run(
        f"npm install --silent aws-cdk-lib@{released} constructs@10 typescript@5 ts-node@10 @types/node@22"
    )
    settings = {"target": "ES2022", "module": "NodeNext", "moduleResolution": "NodeNext"}
    folder.write("tsconfig.json", json.dumps({"compilerOptions": {**settings, "skipLibCheck": True}}))
    folder.write("bin/app.ts", PROGRAM)
    folder.write("cdk.json", '{"app": "npx ts-node --prefer-ts-exts bin/app.ts"}')
    folder.run("cdk synth --quiet")
    folder.run(line_of_readme("pip install secure-bucket"))
    assert "`secure-bucket gate --init`" in README
    folder.run("secure-bucket gate --init")
    folder.run("cdk synth --quiet", code=1, says="fix: set `enforceSSL: true`")
    folder.replace("bin/app.ts", "'Plain')", "'Plain', { enforceSSL: true })")
    folder.run("cdk synth --quiet", says="1 proven")


STEPS: dict[str, Callable[[Folder], None]] = {
    "YAML template, uvx and pipx": not_installed,
    "YAML template": template,
    f"Python app, AWS CDK {OLDEST}": lambda folder: python(folder, OLDEST),
    "Python app, newest AWS CDK": lambda folder: python(folder, "newest"),
    f"TypeScript app, AWS CDK {OLDEST}": lambda folder: typescript(folder, OLDEST),
    "TypeScript app, newest AWS CDK": lambda folder: typescript(folder, "newest"),
}


def program(name: str) -> Path:
    """Return a program of this repository, or of the machine."""
    places = [str(ROOT / "node_modules" / ".bin"), str(ROOT / ".venv" / "bin"), os.environ["PATH"]]
    found = shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        raise SystemExit(f"`{name}` is missing: run `make install`")
    return Path(found).resolve()


def main(words: list[str]) -> int:
    """Follow the steps of each kind of app, and print the commands."""
    with tempfile.TemporaryDirectory() as temporary:
        tools = Path(temporary) / "tools"
        tools.mkdir()
        for name in ("node", "npm", "npx", "cdk"):
            (tools / name).symlink_to(program(name))
        built = [*(ROOT / "dist").glob("*.whl")]
        if built:
            shutil.copy(built[0], tools)
        else:
            pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tools))
            subprocess.run([*pip, str(ROOT)], check=True)
        for number, (name, follow) in enumerate(STEPS.items()):
            if not all(word in name for word in words):
                continue
            begin = time.monotonic()
            if "uvx" in name and not (shutil.which("uvx") and shutil.which("pipx")):
                print(f"{name}: not tried, because uvx or pipx is missing")
                continue
            folder = Folder(Path(temporary) / str(number), tools)
            venv.create(folder.path / ".venv", with_pip=True)
            follow(folder)
            print(f"{name}: as it should be, in {time.monotonic() - begin:.0f} s", *folder.log, sep="\n  ")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
