"""The gate under the real `cdk synth` prints each finding once, with its place, and one sum."""

from __future__ import annotations

import pytest

from tests.synth.harness import Run, write_app

pytestmark = pytest.mark.slow

APP = """
case = app.node.try_get_context("case").split(",")
accepted = app.node.try_get_context("accepted")
top = cdk.Stack(app, "Top")
other = SecureBucket(cdk.Stack(app, "Other"), "Good")
staged = cdk.Stack(cdk.Stage(app, "Prod"), "Data")
inner = cdk.Stack(cdk.Stage(staged, "Inner"), "Data")
places = {"top": top, "nested": cdk.NestedStack(top, "Nested"), "stage": staged, "inner": inner}
for name, scope in places.items():
    bucket = (s3.Bucket if name in case else SecureBucket)(scope, name.title())
    if accepted == "finding":
        cdk.Validations.of(bucket).acknowledge(cdk.Acknowledgment(id="secure-bucket::SB001", reason="old"))
    if accepted == "sum":
        sum = cdk.Acknowledgment(id="secure-bucket::unproven-buckets", reason="old")
        cdk.Validations.of(app).acknowledge(sum)
"""

MESSAGE = "anyone can GET `report.csv` over plain HTTP"
PATHS = {
    "top": "Top/Top",
    "nested": "Top/Nested/Nested",
    "stage": "Prod/Data/Stage",
    "inner": "Prod/Data/Inner/Data/Inner",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Run:
    directory = tmp_path_factory.mktemp("once")
    write_app(directory, APP)
    return Run(0, "", "", directory)


@pytest.mark.parametrize("selected", [[], ["**"], ["Other"]])
@pytest.mark.parametrize("case", ["top", "nested", "stage", "inner", "top,nested,stage,inner"])
def test_each_finding_is_printed_once_beside_a_sum(app: Run, case: str, selected: list[str]) -> None:
    run = app.again("-c", f"case={case}", *selected)
    assert run.code == 1, run.stderr
    names = case.split(",")
    shown = {"": [name for name in names if name in ("top", "nested")], "**": names, "Other": []}
    expected = shown["".join(selected)]
    assert run.stderr.count(MESSAGE) == len(expected)
    for name in expected:
        # The line below the message is the place.
        assert f"\n   {PATHS[name]}/Resource (" in run.block(f"ERROR `{PATHS[name]}`", MESSAGE)
    sum = run.block("FATAL ", "this app does not synthesize until")
    assert [name for name, path in PATHS.items() if f"`{path}`" in sum] == names
    assert "Acknowledge with" not in sum
    assert ("shows also for those in Stages" in sum) == any(name in names for name in ("stage", "inner"))
    assert len(run.blocks) == len(expected) + 1


def test_no_finding_follows_when_the_advice_of_a_finding_is_followed(app: Run) -> None:
    everything = "case=top,nested,stage,inner"
    for selected in ([], ["**"]):
        run = app.again("-c", everything, "-c", "accepted=finding", *selected)
        assert (run.code, run.blocks) == (0, []), run.stderr


def test_the_sum_cannot_be_acknowledged(app: Run) -> None:
    run = app.again("-c", "case=stage", "-c", "accepted=sum")
    assert run.code == 1
    run.block("FATAL ", "this app does not synthesize until")
