"""What works on every supported version of the AWS CDK, tried with the real `cdk synth`.

`nox -s cdk` runs this file on each version, `make test-languages` part of it on the oldest and the newest.
"""

from __future__ import annotations

import json
import os
import re
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

import secure_bucket
from secure_bucket import check_assembly
from secure_bucket.cdk.versions import (
    LOWEST,
    OLDEST,
    RELIABLE_PLUGINS,
    has_acknowledgments,
    has_injectors,
    has_reliable_plugins,
    require_cdk,
)
from secure_bucket.errors import MissingDependencyError
from tests.docs.pages import ROOT
from tests.synth.harness import OWN_VALIDATION_OFF, Run, run_in, synth_here
from tests.test_imports import NEEDS_CDK

PAGE = ROOT / "docs" / "reference" / "cdk-versions.md"

APP = """
import atexit
import os
import sys

atexit.register(lambda: print("another exit handler ran", file=sys.stderr))

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from secure_bucket import Mode, SecureBucket, SecureTransportAspect, enforce_secure_transport

app = cdk.App()
stack = cdk.Stack(app, "Top")
SecureBucket(stack, "Good")
"""

OPEN = "s3.Bucket(stack, 'Open')"

OPEN_BUCKETS = {
    "top level": OPEN,
    "nested stack": "s3.Bucket(cdk.NestedStack(stack, 'Nested'), 'Open')",
    "Stage": "s3.Bucket(cdk.Stack(cdk.Stage(app, 'Prod'), 'In'), 'Open')",
    "L1": "s3.CfnBucket(stack, 'Raw')",
}

GATES = {
    "enforce": "enforce_secure_transport(app)",
    "aspect": "cdk.Aspects.of(app).add(SecureTransportAspect())",
}


MATRIX = "SECURE_BUCKET_CDK_MATRIX" in os.environ
OLDEST_ENVIRONMENT = ROOT / ".venv-oldest-cdk"
ACKNOWLEDGMENTS = (2, 257)


@dataclass(frozen=True)
class Cdk:
    """A Python that has a version of the AWS CDK.

    Args:
        python: The interpreter.
        version: The version of `aws-cdk-lib`.
    """

    python: str
    version: tuple[int, int]

    def write(self, directory: Path, *lines: str) -> None:
        """Write an app with these lines."""
        source = "\n".join([APP, *map(textwrap.dedent, lines), ""])
        (directory / "app.py").write_text(source, encoding="utf-8")

    def synth(self, directory: Path, *lines: str, end: str = "app.synth()") -> Run:
        """Run the real `cdk synth` on an app with these lines."""
        self.write(directory, *lines, end)
        app = f"{self.python} app.py"
        return synth_here(directory, "--no-notices", "--app", app, **OWN_VALIDATION_OFF)

    def accepting(self, reason: str) -> str:
        """Return the line that accepts the finding of `bucket`."""
        if self.version >= ACKNOWLEDGMENTS:
            return (
                "cdk.Validations.of(bucket).acknowledge("
                f"cdk.Acknowledgment(id='secure-bucket::SB001', reason={reason!r}))"
            )
        text, _, expires = reason.partition(" expires ")
        entry = {"Rule": "SB001", "Reason": text, **({"Expires": expires} if expires else {})}
        return f"bucket.node.default_child.add_metadata('SecureBucket', {{'Exceptions': [{entry!r}]}})"


def two_numbers(version: str) -> tuple[int, int]:
    major, minor, *_ = version.split(".")
    return int(major), int(minor)


@pytest.fixture(params=["installed"] if MATRIX else ["oldest", "newest"])
def cdk(request: pytest.FixtureRequest) -> Cdk:
    """The installed CDK in the matrix; else the two ends of the supported versions, one after the other."""
    if request.param != "oldest":
        return Cdk(sys.executable, two_numbers(metadata.version("aws-cdk-lib")))
    python = OLDEST_ENVIRONMENT / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{OLDEST_ENVIRONMENT.name} is missing: `make test-languages` installs it")
    (found,) = OLDEST_ENVIRONMENT.glob("lib/python*/site-packages/aws_cdk_lib-*.dist-info")
    version = two_numbers(found.name.removeprefix("aws_cdk_lib-"))
    assert version == OLDEST, f"`make clean test` installs {OLDEST} again"
    return Cdk(str(python), version)


def table() -> dict[str, tuple[int, int]]:
    """Read which names need which version from the page that says so."""
    rows = re.findall(r"^\| (`.+?) \| (\d+)\.(\d+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        name: (int(major), int(minor))
        for names, major, minor in rows
        for name in re.findall(r"`(\w+)", names)
    }


every_version = pytest.mark.skipif(not MATRIX, reason="`nox -s cdk` runs these with each AWS CDK")


def at_the_ends(cases: Iterable[str], *both_ends: str) -> list[ParameterSet]:
    """Return the cases for a parameter, those that only the matrix runs marked so."""
    return [pytest.param(each, marks=() if each in both_ends else every_version) for each in cases]


def test_the_page_lists_every_name_with_the_version_that_it_needs() -> None:
    assert table() == {name: LOWEST.get(name, OLDEST) for name in NEEDS_CDK}


@pytest.mark.parametrize("name", sorted(NEEDS_CDK))
def test_a_name_is_there_exactly_where_the_page_says(name: str) -> None:
    from aws_cdk._jsii import __jsii_assembly__

    major, minor, *_ = __jsii_assembly__.version.split(".")
    if (int(major), int(minor)) >= table()[name]:
        require_cdk(name)
        assert getattr(secure_bucket, name) is not None
    else:
        with pytest.raises(MissingDependencyError, match=f"`{name}` needs aws-cdk-lib"):
            getattr(secure_bucket, name)


def test_the_page_tells_from_which_version_each_feature_works() -> None:
    rows = re.findall(
        r"^\| (Python|TypeScript|templates): (.+?) \| (\d+\.\d+) \|", PAGE.read_text("utf-8"), re.M
    )
    bounds = {f"{language}: {feature}": two_numbers(version) for language, feature, version in rows}
    assert bounds == {
        "Python: the gate and FIX": OLDEST,
        "Python: `SecureBucket` in the constructs of others, by a property injector": LOWEST[
            "BucketSecureTransportInjector"
        ],
        "Python: acknowledgments": ACKNOWLEDGMENTS,
        "Python: the gate as a validation plugin": RELIABLE_PLUGINS,
        "TypeScript: `secure-bucket gate -- COMMAND`": OLDEST,
        "templates: `secure-bucket check`, `secure-bucket fix`": OLDEST,
    }


def test_the_installed_cdk_has_what_the_page_says() -> None:
    import aws_cdk

    version = two_numbers(metadata.version("aws-cdk-lib"))
    assert has_acknowledgments() == (version >= ACKNOWLEDGMENTS) == hasattr(aws_cdk, "Acknowledgment")
    assert has_injectors() == (version >= LOWEST["BucketSecureTransportInjector"])
    assert has_injectors() == hasattr(aws_cdk, "PropertyInjectors")
    assert has_reliable_plugins() == (version >= RELIABLE_PLUGINS)


def test_setup_allows_what_the_page_allows() -> None:
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    assert f'"aws-cdk-lib>={OLDEST[0]}.{OLDEST[1]},<3"' in setup


@pytest.mark.slow
@every_version
def test_a_clean_app_passes(cdk: Cdk, tmp_path: Path) -> None:
    run = cdk.synth(tmp_path, GATES["enforce"])
    assert run.code == 0, run.stderr
    assert run.summary == "secure-bucket: 1 bucket, 1 proven"
    assert (tmp_path / "cdk.out" / "manifest.json").is_file()


@pytest.mark.slow
@every_version
@pytest.mark.parametrize("place", ["nested stack", "Stage"])
def test_an_open_bucket_fails_the_synthesis(cdk: Cdk, tmp_path: Path, place: str) -> None:
    run = cdk.synth(tmp_path, OPEN_BUCKETS[place], GATES["enforce"])
    assert run.code == 1
    # Of a plugin the CDK CLI shows what is in a Stage only when it is asked for all stacks.
    is_summed_up = place == "Stage" and cdk.version >= RELIABLE_PLUGINS
    expected = "`cdk synth '**'` shows" if is_summed_up else "can GET `report.csv` over plain HTTP"
    assert expected in run.stderr
    assert run.summary is not None
    assert run.summary.startswith("secure-bucket: 2 buckets, 1 proven, 1 ")
    assert "another exit handler ran" in run.stderr
    # Without a plugin the directory is refused as well, that of each Stage included.
    left = [*(tmp_path / "cdk.out").rglob("manifest.json")]
    assert bool(left) == (cdk.version >= RELIABLE_PLUGINS)


ESCAPES = {
    "swallows what synth raises": """
        try:
            app.synth()
        except BaseException:
            pass
        """,
    "ends at once": "app.synth(); os._exit(0)",
    "becomes another program": "app.synth(); os.execv('/bin/true', ['true'])",
    "calls what `App.synth` calls": """
        import jsii
        jsii.invoke(app, "synth", [None])
        os._exit(0)
        """,
    "calls `synth` of a Stage": "cdk.Stage.synth(app); os._exit(0)",
    "hides that the CLI runs it": "del os.environ['CDK_OUTDIR']; cdk.Stage.synth(app)",
    "goes past the wrapper": """
        from aws_cdk.assertions import Template
        Template.from_stack(stack)
        """,
    "goes past the wrapper, and ends at once": """
        from aws_cdk.assertions import Template
        Template.from_stack(stack)
        os._exit(0)
        """,
    "goes past the wrapper, and becomes another program": """
        from aws_cdk.assertions import Template
        Template.from_stack(stack)
        os.execlp("true", "true")
        """,
    "forgets the exit handlers": "cdk.Stage.synth(app); atexit._clear()",
    "waits for a thread": """
        import threading
        thread = threading.Thread(target=app.synth)
        thread.start()
        thread.join()
        """,
    "leaves in an exit handler": """
        try:
            app.synth()
        except BaseException:
            pass
        atexit.register(os._exit, 0)
        """,
    "swallows, in a function that ends": """
        def main():
            global app, stack
            mine = app
            del app, stack
            try:
                mine.synth()
            except BaseException:
                pass
        main()
        """,
    "registers an exit handler later": """
        try:
            app.synth()
        except BaseException:
            pass
        atexit.register(print, "a later one ran", file=sys.stderr)
        """,
}


@pytest.mark.slow
def test_the_aspect_is_the_same_gate_even_if_the_app_swallows_its_exception(cdk: Cdk, tmp_path: Path) -> None:
    end = ESCAPES["swallows what synth raises"]
    run = cdk.synth(tmp_path, *OPEN_BUCKETS.values(), GATES["aspect"], end=end)
    assert run.code == 1
    assert run.summary is not None
    assert run.summary.startswith("secure-bucket: 5 buckets, 1 proven, 4 ")
    for path in ("Top/Open", "Top/Nested/Open", "Prod/In/Open", "Top/Raw"):
        assert f"`{path}`" in run.stderr


@pytest.mark.slow
@every_version
@pytest.mark.parametrize("end", [*ESCAPES])
def test_an_app_cannot_slip_by(cdk: Cdk, tmp_path: Path, end: str) -> None:
    run = cdk.synth(tmp_path, OPEN, GATES["enforce"], end=ESCAPES[end])
    assert run.code == 1
    assert "1 accepting plain HTTP" in run.stderr


@pytest.mark.slow
def test_a_method_that_the_app_took_before_the_gate_is_judged(cdk: Cdk, tmp_path: Path) -> None:
    run = cdk.synth(tmp_path, OPEN, "atexit.register(app.synth)", GATES["enforce"], end="")
    assert run.code == 1
    assert "can GET `report.csv` over plain HTTP" in run.stderr


@pytest.mark.slow
@every_version
def test_an_app_without_a_gate_does_not_replace_one_with_a_gate(cdk: Cdk, tmp_path: Path) -> None:
    end = """
        app.synth()
        other = cdk.App()
        s3.Bucket(cdk.Stack(other, 'Other'), 'Open')
        try:
            other.synth()
        except BaseException:
            os._exit(0)
        os._exit(0)
        """
    run = cdk.synth(tmp_path, GATES["enforce"], end=textwrap.dedent(end))
    assert run.code == 1
    assert not (tmp_path / "cdk.out" / "manifest.json").exists()


@pytest.mark.slow
@every_version
def test_an_app_in_a_child_of_multiprocessing_is_judged(cdk: Cdk, tmp_path: Path) -> None:
    # Such a child ends with `os._exit`, and the process that the CDK CLI started has no gate.
    end = """
        import multiprocessing
        from aws_cdk.assertions import Template

        def main():
            app = cdk.App()
            stack = cdk.Stack(app, "In")
            s3.Bucket(stack, "Open")
            enforce_secure_transport(app)
            Template.from_stack(stack)

        child = multiprocessing.get_context("fork").Process(target=main)
        child.start()
        child.join()
        """
    run = cdk.synth(tmp_path, end=textwrap.dedent(end))
    assert run.code == 1
    assert "can GET `report.csv` over plain HTTP" in run.stderr


@pytest.mark.slow
@every_version
def test_a_child_that_the_app_forks_ends_as_ever(cdk: Cdk, tmp_path: Path) -> None:
    end = """
        import jsii

        def code_of(end):
            child = os.fork()
            if not child:
                end()
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

        @jsii.implements(cdk.IAspect)
        class Forks:
            def visit(self, node):
                assert code_of(lambda: os._exit(0)) == 0
                assert code_of(lambda: os._exit(3)) == 3
                assert code_of(lambda: os.execv("/bin/true", ["true"])) == 0

        cdk.Aspects.of(stack.node.find_child("Good")).add(Forks())
        app.synth()
        os._exit(0)
        """
    run = cdk.synth(tmp_path, GATES["enforce"], end=textwrap.dedent(end))
    assert (run.code, run.summary) == (0, "secure-bucket: 1 bucket, 1 proven"), run.stderr


@pytest.mark.slow
@every_version
def test_an_app_that_ends_before_its_synthesis_fails(cdk: Cdk, tmp_path: Path) -> None:
    end = """
        import jsii
        import threading

        begun = threading.Event()

        @jsii.implements(cdk.IAspect)
        class Slow:
            def visit(self, node):
                begun.set()
                threading.Event().wait()

        cdk.Aspects.of(app).add(Slow())
        threading.Thread(target=app.synth, daemon=True).start()
        begun.wait()
        """
    run = cdk.synth(tmp_path, GATES["enforce"], end=textwrap.dedent(end))
    assert run.code == 1
    assert "the app ended before `synth` did" in run.stderr


@pytest.mark.slow
def test_an_app_that_goes_elsewhere_is_judged_where_it_writes(cdk: Cdk, tmp_path: Path) -> None:
    run = cdk.synth(tmp_path, GATES["enforce"], end="os.chdir('/'); app.synth()")
    assert (run.code, run.summary) == (0, "secure-bucket: 1 bucket, 1 proven"), run.stderr
    elsewhere = """
        decoy = cdk.App(outdir=os.path.abspath("elsewhere/cdk.out"))
        SecureBucket(cdk.Stack(decoy, "Top"), "Good")
        decoy.synth()
        os.chdir("elsewhere")
        app.synth()
        """
    run = cdk.synth(tmp_path, OPEN, GATES["enforce"], end=textwrap.dedent(elsewhere))
    assert run.code == 1
    assert "can GET `report.csv` over plain HTTP" in run.stderr


@pytest.mark.slow
def test_a_gate_that_comes_after_the_synthesis_fails_the_app(cdk: Cdk, tmp_path: Path) -> None:
    run = cdk.synth(tmp_path, OPEN, end=f"app.synth(); {GATES['enforce']}")
    assert run.code == 1
    reason = (
        "written before the gate was in the app"
        if cdk.version >= RELIABLE_PLUGINS
        else "can GET `report.csv` over plain HTTP"
    )
    assert reason in run.stderr


@pytest.mark.slow
def test_an_app_that_is_synthesized_twice_gets_its_context(cdk: Cdk, tmp_path: Path) -> None:
    if cdk.version >= RELIABLE_PLUGINS:
        pytest.skip("the AWS CDK itself calls the plugin, once")
    cdk.write(
        tmp_path,
        "here = cdk.Environment(account='111122223333', region='eu-west-1')",
        "cdk.Stack(app, 'Placed', env=here).availability_zones",
        *(OPEN, GATES["enforce"], "app.synth(); app.synth()"),
    )
    run = run_in(tmp_path, cdk.python, "app.py", CDK_OUTDIR="cdk.out")
    assert (run.code, run.summary) == (0, None), run.stderr
    manifest = json.loads((tmp_path / "cdk.out" / "manifest.json").read_text(encoding="utf-8"))
    assert len(manifest["missing"]) == 1
    assert manifest["artifacts"] == {}


@pytest.mark.slow
@every_version
def test_an_app_that_fails_by_itself_fails_as_ever(cdk: Cdk, tmp_path: Path) -> None:
    end = "raise ValueError('a mistake of the app')"
    run = cdk.synth(tmp_path, OPEN, GATES["enforce"], end=end)
    assert run.code == 1
    assert "ValueError: a mistake of the app" in run.stderr
    assert "secure-bucket" not in run.stderr.replace(str(tmp_path), "")


FIX = "enforce_secure_transport(app, mode=Mode.FIX)"
ORDERS = {"before": [FIX, *OPEN_BUCKETS.values()], "after": [*OPEN_BUCKETS.values(), FIX]}


@pytest.mark.slow
@pytest.mark.parametrize("order", at_the_ends(ORDERS, "before"))
def test_fix_reaches_every_bucket(cdk: Cdk, tmp_path: Path, order: str) -> None:
    run = cdk.synth(tmp_path, *ORDERS[order])
    assert run.code == 0, run.stderr
    assert run.summary == "secure-bucket: 5 buckets, 5 proven, 4 of them fixed"
    assert check_assembly(tmp_path / "cdk.out").proven == 5
    record = json.loads((tmp_path / "cdk.out" / "secure-bucket.json").read_text(encoding="utf-8"))
    assert len(record["fixed"]) == 4


@pytest.mark.slow
@every_version
@pytest.mark.parametrize(("end", "code"), [("", 0), (" expires 2999-01-01", 0), (" expires 2020-01-01", 1)])
def test_a_finding_can_be_accepted_until_a_day(cdk: Cdk, tmp_path: Path, end: str, code: int) -> None:
    lines = [f"bucket = {OPEN}", cdk.accepting(f"read by a device without TLS{end}")]
    run = cdk.synth(tmp_path, *lines, GATES["enforce"])
    assert run.code == code, run.stderr
    assert ("expired on 2020-01-01" in run.stderr) == bool(code)
    assert "Rule: SB008" not in run.stderr
    if not code:
        record = json.loads((tmp_path / "cdk.out" / "secure-bucket.json").read_text(encoding="utf-8"))
        (exception,) = record["exceptions"]
        assert exception["reason"].startswith("read by a device without TLS")
        assert exception["findings"] == ["Top/Open/Resource"]


@pytest.mark.slow
@every_version
def test_fix_leaves_what_is_accepted(cdk: Cdk, tmp_path: Path) -> None:
    lines = [f"bucket = {OPEN}", cdk.accepting("read by a device without TLS")]
    run = cdk.synth(tmp_path, *lines, FIX)
    assert run.code == 0, run.stderr
    assert check_assembly(tmp_path / "cdk.out").refuted == 1
