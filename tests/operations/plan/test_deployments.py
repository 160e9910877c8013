"""A template is deployed as a whole, whoever of its buckets is ready."""

from __future__ import annotations

from secure_bucket.findings.finding import JudgedBucket
from secure_bucket.operations.audit.audit import Answer, Breaks, Safe
from secure_bucket.operations.plan import PlannedBucket, Wave, plan_rollout
from secure_bucket.proof.verdict import Verdict
from tests.operations.plan.known import (
    NOW,
    PROVEN,
    REFUTED,
    audit_of,
    declared,
    group,
    logged,
    report_of,
    running,
)


def planned(
    templates: list[JudgedBucket], live: dict[str, Verdict], said: dict[str, Answer]
) -> dict[str, PlannedBucket]:
    rollout = plan_rollout(
        check=report_of(*templates, excepted=["Left"]),
        review=report_of(*(running(verdict, name) for name, verdict in live.items())),
        audit=audit_of(
            *(logged(answer, name) for name, answer in said.items()),
            groups=[group(name) for name, answer in said.items() if isinstance(answer, Breaks)],
        ),
        now=NOW,
    )
    return {bucket.label: bucket for bucket in rollout.buckets}


READY = declared(PROVEN, "ready", logical_id="Ready")


def test_a_deployment_that_enforces_a_bucket_whose_turn_comes_later_says_so() -> None:
    buckets = planned(
        [READY, declared(PROVEN, "busy", logical_id="Busy")],
        {"ready": REFUTED, "busy": REFUTED},
        {"ready": Safe(), "busy": Breaks(1, 12)},
    )
    assert buckets["ready"].wave is Wave.NOW
    assert buckets["ready"].enforced_with == ("busy",)
    assert buckets["ready"].actions == (
        "`app.template.json` enforces `busy` (wave 2, move 1) as well when it is deployed: wait for that, or "
        "leave the deny of those out of it until then",
        "deploy `app.template.json`: the deny comes with it",
    )
    assert buckets["busy"].enforced_with == ()


def test_other_templates_and_buckets_that_are_ready_are_no_matter() -> None:
    buckets = planned(
        [
            READY,
            declared(PROVEN, "also", logical_id="Also"),
            declared(PROVEN, "busy", logical_id="Busy", template="other.json"),
            declared(PROVEN, "done", logical_id="Done"),
            declared(REFUTED, "left", logical_id="Left"),
            declared(REFUTED, "open", logical_id="Open"),
        ],
        {
            name: PROVEN if name == "done" else REFUTED
            for name in ("ready", "also", "busy", "done", "left", "open")
        },
        {"ready": Safe(), "also": Safe(), "busy": Breaks(1, 12)},
    )
    assert all(bucket.enforced_with == () for bucket in buckets.values())


def test_what_repairs_a_template_repairs_the_buckets_that_are_not_ready_as_well() -> None:
    buckets = planned(
        [declared(REFUTED, "ready", logical_id="Ready"), declared(REFUTED, "busy", logical_id="Busy")],
        {"ready": REFUTED, "busy": REFUTED},
        {"ready": Safe(), "busy": Breaks(1, 12)},
    )
    assert buckets["ready"].enforced_with == ("busy",)
    assert buckets["ready"].actions[-1].startswith("fix `Ready`")


def test_a_repair_before_the_next_deployment_minds_what_it_enforces() -> None:
    buckets = planned(
        [declared(REFUTED, "kept", logical_id="Kept"), declared(PROVEN, "busy", logical_id="Busy")],
        {"kept": PROVEN, "busy": REFUTED},
        {"busy": Breaks(1, 12)},
    )
    assert buckets["kept"].enforced_with == ("busy",)


def test_many_are_counted() -> None:
    names = [f"busy-{number}" for number in range(5)]
    buckets = planned(
        [READY, *(declared(PROVEN, name, logical_id=name) for name in names)],
        dict.fromkeys(("ready", *names), REFUTED),
        {"ready": Safe(), **{name: Breaks(1, 12) for name in names}},
    )
    assert len(buckets["ready"].enforced_with) == 5
    assert "`busy-2` (wave 2, move 1) and 2 more as well" in buckets["ready"].actions[0]
