"""Build a release and check it: reproducible files, metadata, types, size, and a bill of materials.

    make release        # into dist/, with the tools of the extra `release` in `.venv-release`

`SECURE_BUCKET_REPOSITORY` and `SECURE_BUCKET_EMAIL` are the addresses in the metadata; both are optional. The
first failed check ends the run.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"
# The limits for an environment with a plain install, including pip, and for its creation from a warm cache.
MOST_MEGABYTES, MOST_SECONDS = 40, 10


def main() -> int:
    """Build, and run each check."""
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH") or run("git", "log", "-1", "--format=%ct", quiet=True))
    shutil.rmtree(DIST, ignore_errors=True)
    with tempfile.TemporaryDirectory() as temporary:
        again = Path(temporary) / "again"
        build(DIST, epoch)
        build(again, epoch)
        compare(DIST, again)
    wheel, sdist = (str(next(DIST.glob(pattern))) for pattern in ("*.whl", "*.tar.gz"))
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
    run("check-wheel-contents", wheel)
    # The metadata must be complete, apart from the addresses that only a published project has.
    complete = bool(os.environ.get("SECURE_BUCKET_REPOSITORY") and os.environ.get("SECURE_BUCKET_EMAIL"))
    run("pyroma", "--min", "10" if complete else "8", sdist)
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--force-reinstall", "--no-deps")
    run(*pip, wheel, quiet=True)
    run("pyright", "--verifytypes", "secure_bucket", "--ignoreexternal", quiet=True, cwd=DIST)
    print("pyright: every public name is typed")
    with tempfile.TemporaryDirectory() as temporary:
        plain = install(wheel, Path(temporary))
        measure(wheel, plain.parents[1], Path(temporary))
        run("cyclonedx-py", "environment", str(plain), "--of", "JSON", "-o", str(DIST / "sbom.cdx.json"))
        run(str(plain), str(ROOT / "tools" / "dependencies.py"))
    print(f"{DIST}: {', '.join(sorted(file.name for file in DIST.iterdir()))}")
    return 0


def build(target: Path, epoch: int) -> None:
    """Build the wheel and the sdist from the files of the last commit."""
    with tempfile.TemporaryDirectory() as temporary:
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(temporary, filter="data")
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch)}
        command = (sys.executable, "-m", "build", "--outdir", str(target), temporary)
        run(*command, quiet=True, environment=environment)
    for file in target.glob("*.tar.gz"):
        normalize(file, epoch)


def normalize(file: Path, epoch: int) -> None:
    """Write an sdist again with sorted members and one time, because setuptools records the build time."""
    packed = io.BytesIO()
    with tarfile.open(file) as old, tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as new:
        for member in sorted(old.getmembers(), key=lambda one: one.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = epoch, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    with file.open("wb") as stream, gzip.GzipFile("", "wb", fileobj=stream, mtime=epoch) as compressed:
        compressed.write(packed.getvalue())


def compare(first: Path, second: Path) -> None:
    """Compare two builds byte for byte."""
    for file in sorted(first.iterdir()):
        if file.read_bytes() != (second / file.name).read_bytes():
            raise SystemExit(f"{file.name}: two builds of the same commit differ")
        print(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name} (the same in two builds)")


def install(wheel: str, directory: Path) -> Path:
    """Return the Python of a new environment with the wheel and its dependencies only."""
    venv.create(directory / "plain", with_pip=True)
    python = directory / "plain" / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(str(python), "-m", "pip", "install", "--quiet", wheel)
    return python


def measure(wheel: str, environment: Path, directory: Path) -> None:
    """Require a plain install to be small, including pip, and quick from a warm cache."""
    size = sum(file.lstat().st_size for file in environment.rglob("*") if file.is_file()) / 1e6
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.monotonic()
    install(wheel, directory / "again")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Measure processor time, because the clock of a busy machine does not measure the package.
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"a new environment with the wheel: {size:.1f} MB, {spent:.1f} s of processor time, "
        f"{time.monotonic() - begin:.1f} s by the clock"
    )
    if size > MOST_MEGABYTES or spent > MOST_SECONDS:
        raise SystemExit(f"at most {MOST_MEGABYTES} MB and {MOST_SECONDS} s are promised")


def run(
    *command: str, quiet: bool = False, cwd: Path = ROOT, environment: dict[str, str] | None = None
) -> str:
    """Run a command; if it fails, show its output and end.

    Args:
        command: The program and its arguments.
        quiet: Whether to hide the output of a command that succeeds, and return it.
        cwd: The working directory.
        environment: The environment (default: that of this process).
    """
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=quiet, text=True)
    if done.returncode:
        raise SystemExit(f"{done.stdout or ''}{done.stderr or ''}{' '.join(command)}: exit {done.returncode}")
    return done.stdout or ""


if __name__ == "__main__":
    raise SystemExit(main())
