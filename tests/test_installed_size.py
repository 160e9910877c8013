"""A plain install is small: `make release` measures one, and this test adds up what it would hold."""

from __future__ import annotations

import importlib.metadata as metadata
from pathlib import Path

import secure_bucket
from tools.dependencies import closure

PLAIN = {"msgspec", "pyyaml", "shtab"}
MEGABYTE = 1e6


def installed_size(package: str) -> int:
    """Return the bytes of a package, with what Python compiled of it when it was installed."""
    files = [Path(str(file.locate())) for file in metadata.files(package) or ()]
    return sum(file.stat().st_size for file in files if file.is_file())


def test_a_plain_install_brings_three_small_packages_and_no_cdk() -> None:
    # Python 3.10 needs tomli too: 0.1 MB.
    assert closure("secure-bucket") - {"secure-bucket", "tomli"} == PLAIN
    sizes = {package: installed_size(package) for package in PLAIN | {"pip"}}
    assert all(sizes.values()), sizes
    own = sum(file.stat().st_size for file in Path(secure_bucket.__file__).parent.rglob("*.py"))
    # Python compiles a module to 1.1 to 1.6 times its source (3.10 and 3.13).
    assert sum(sizes.values()) + 3 * own < 40 * MEGABYTE
