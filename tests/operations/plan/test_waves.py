"""In which wave a bucket is: every combination of what is known."""

from __future__ import annotations

import datetime
import itertools
from typing import Any

import pytest
from msgspec.structs import replace

from secure_bucket.operations.audit.audit import Breaks, CannotTell, Malformed, Safe, Trouble
from secure_bucket.operations.plan import PlannedBucket, State, Wave, plan_rollout
from secure_bucket.values.unknown import Place
from tests.operations.plan.known import (
    ANSWERS,
    NOW,
    PROVEN,
    REFUTED,
    UNDECIDED,
    VERDICTS,
    audit_of,
    declared,
    finding,
    group,
    logged,
    report_of,
    running,
)

STATES = {
    # in force, in the template
    ("proven", "proven"): State.ENFORCED,
    ("proven", "none"): State.ENFORCED,
    ("proven", "refuted"): State.REOPENS,
    ("proven", "undecided"): State.REOPENS,
    ("refuted", "proven"): State.CLOSES,
    ("undecided", "proven"): State.CLOSES,
    ("refuted", "refuted"): State.UNREPAIRED,
    ("refuted", "undecided"): State.UNREPAIRED,
    ("undecided", "refuted"): State.UNREPAIRED,
    ("undecided", "undecided"): State.UNREPAIRED,
    ("refuted", "none"): State.UNOWNED,
    ("undecided", "none"): State.UNOWNED,
    ("none", "proven"): State.PREPARED,
    ("none", "refuted"): State.DECLARED,
    ("none", "undecided"): State.DECLARED,
    ("none", "none"): State.LOGGED,
}
BY_LOGS = {"safe": Wave.NOW, "breaks": Wave.CLIENTS, "cannot tell": Wave.EVIDENCE, "none": Wave.EVIDENCE}
COMBINATIONS = [
    each
    for each in itertools.product(VERDICTS, VERDICTS, ANSWERS, (False, True), (False, True))
    # A bucket that nothing knows is none; only what was checked or reviewed is a website, or excepted.
    if each[:3] != ("none", "none", "none") and (each[:2] != ("none", "none") or not (each[3] or each[4]))
]


def the_bucket(in_force: str, in_template: str, answer: str, website: bool, excepted: bool) -> PlannedBucket:
    ids = ("Reports", "arn:aws:s3:::reports")
    marks = {"websites": ids if website else (), "excepted": ids if excepted else ()}
    template, live, said = VERDICTS[in_template], VERDICTS[in_force], ANSWERS[answer]
    groups = [group()] if answer == "breaks" else []
    rollout = plan_rollout(
        check=None if template is None else report_of(declared(template), **marks),
        review=None if live is None else report_of(running(live), **marks),
        audit=None if said is None else audit_of(logged(said), groups=groups),
        now=NOW,
    )
    (bucket,) = rollout.buckets
    return bucket


def wave_of(state: State, answer: str, website: bool, excepted: bool) -> Wave:
    """Return the wave, written down apart from the code under test."""
    if state is State.ENFORCED:
        return Wave.ENFORCED
    if excepted and state in (State.REOPENS, State.UNREPAIRED, State.UNOWNED, State.DECLARED):
        return Wave.LEFT
    if state is State.REOPENS:
        return Wave.NOW
    if website:
        return Wave.REDESIGN
    if state is State.LOGGED and answer == "safe":
        return Wave.EVIDENCE
    return BY_LOGS[answer]


@pytest.mark.parametrize(("in_force", "in_template", "answer", "website", "excepted"), COMBINATIONS)
def test_a_bucket_is_in_the_wave_that_follows_from_what_is_known(
    in_force: str, in_template: str, answer: str, website: bool, excepted: bool
) -> None:
    bucket = the_bucket(in_force, in_template, answer, website, excepted)
    assert bucket.state is STATES[in_force, in_template]
    assert bucket.wave is wave_of(bucket.state, answer, website, excepted)
    assert bucket.reasons
    idle = bucket.wave in (Wave.ENFORCED, Wave.LEFT)
    assert bool(bucket.actions) is not idle


@pytest.mark.parametrize(("in_force", "in_template", "answer", "website", "excepted"), COMBINATIONS)
def test_nothing_is_safe_now_without_the_word_of_the_logs_or_a_deny_that_is_in_force(
    in_force: str, in_template: str, answer: str, website: bool, excepted: bool
) -> None:
    bucket = the_bucket(in_force, in_template, answer, website, excepted)
    if bucket.wave is Wave.NOW:
        assert in_force == "proven" or answer == "safe"
    if bucket.wave is Wave.ENFORCED:
        assert in_force == "proven"


def test_a_deployment_that_would_break_clients_is_held_back() -> None:
    bucket = the_bucket("refuted", "proven", "breaks", False, False)
    assert bucket.actions[0].startswith("postpone the deployment of `app.template.json`")
    assert bucket.actions[-1] == "deploy `app.template.json`: the deny comes with it"


def test_a_bucket_that_no_template_owns_gets_the_statement_that_the_review_found() -> None:
    bucket = the_bucket("refuted", "none", "safe", False, False)
    assert bucket.actions == ("add the deny to `arn:aws:s3:::reports`",)


def test_a_template_that_is_not_repaired_is_named_with_what_repairs_it() -> None:
    bucket = the_bucket("refuted", "refuted", "safe", False, False)
    assert bucket.actions == (
        "fix `Reports` of `app.template.json`, and deploy it: "
        "`secure-bucket fix app.template.json --write` writes the deny",
    )


def test_a_bucket_of_a_cdk_app_is_repaired_there() -> None:
    rollout = plan_rollout(check=report_of(declared(REFUTED, path="App/Reports/Resource")), now=NOW)
    assert "Mode.FIX" in rollout.buckets[0].actions[-1]
    assert "secure-bucket fix" not in rollout.buckets[0].actions[-1]


def test_an_exception_is_told_with_its_reason_and_its_end() -> None:
    bucket = the_bucket("refuted", "none", "none", False, True)
    assert bucket.wave is Wave.LEFT
    assert "an exception is granted until 2027-06-30: the old printers speak nothing else" in bucket.reasons


def test_an_exception_does_not_keep_a_deployment_from_breaking_clients() -> None:
    assert the_bucket("refuted", "proven", "breaks", False, True).wave is Wave.CLIENTS


def test_an_exception_that_has_ended_since_the_report_was_written_leaves_nothing() -> None:
    review = report_of(running(REFUTED), excepted=["arn:aws:s3:::reports"])
    last = datetime.datetime(2027, 6, 30, 23, tzinfo=datetime.timezone.utc)
    assert plan_rollout(review=review, now=last).done
    rollout = plan_rollout(review=review, now=last + datetime.timedelta(hours=1))
    (bucket,) = rollout.buckets
    assert (bucket.wave, rollout.done) == (Wave.EVIDENCE, False)
    assert "its exception ended on 2027-06-30: the old printers speak nothing else" in bucket.reasons


def test_an_exception_for_one_of_two_declarations_is_not_enough() -> None:
    check = report_of(
        declared(REFUTED), declared(REFUTED, logical_id="Other", template="other.json"), excepted=["Reports"]
    )
    (bucket,) = plan_rollout(check=check, now=NOW).buckets
    assert bucket.wave is Wave.EVIDENCE


def test_an_exception_from_one_of_two_findings_is_not_enough() -> None:
    excepted = report_of(running(REFUTED), excepted=["arn:aws:s3:::reports"])
    review = replace(excepted, findings=report_of(running(REFUTED)).findings)
    (bucket,) = plan_rollout(review=review, now=NOW).buckets
    assert bucket.wave is Wave.EVIDENCE


def test_clients_that_are_refused_already_need_not_move() -> None:
    refused = replace(group(requester="arn:aws:iam::111122223333:role/Refused"), trouble=Trouble.REFUSED)
    rollout = plan_rollout(
        review=report_of(running(REFUTED)),
        audit=audit_of(logged(Breaks(1, 12)), groups=[group(), refused]),
        now=NOW,
    )
    assert [use.client.requester for use in rollout.buckets[0].clients] == [group().requester]


def test_clients_of_an_enforced_bucket_are_told_of_and_nothing_is_to_do() -> None:
    bucket = the_bucket("proven", "none", "breaks", False, False)
    assert bucket.wave is Wave.ENFORCED
    assert any("they are refused since it is enforced" in reason for reason in bucket.reasons)


@pytest.mark.parametrize("days", [8, 400])
def test_logs_that_ended_too_long_ago_make_nothing_safe(days: int) -> None:
    rollout = plan_rollout(
        review=report_of(running(REFUTED)), audit=audit_of(logged(Safe(), ended=days)), now=NOW
    )
    (bucket,) = rollout.buckets
    assert bucket.wave is Wave.EVIDENCE
    assert bucket.logged is not None
    assert isinstance(bucket.logged.answer, CannotTell)
    assert any(f"the logs end {days} days ago" in reason for reason in bucket.reasons)
    assert any(f"the logs end {days} days ago" in warning for warning in rollout.warnings)


def test_how_old_logs_may_be_can_be_said() -> None:
    rollout = plan_rollout(
        review=report_of(running(REFUTED)),
        audit=audit_of(logged(Safe(), ended=8)),
        now=NOW,
        maximum_age=10,
    )
    assert rollout.buckets[0].wave is Wave.NOW
    assert rollout.warnings == ()


def test_an_audit_that_was_content_with_fewer_days_makes_nothing_safe() -> None:
    review = report_of(running(REFUTED))
    audit = replace(audit_of(logged(Safe())), minimum_window=7)
    assert plan_rollout(review=review, audit=audit, now=NOW).buckets[0].wave is Wave.NOW
    (bucket,) = plan_rollout(review=review, audit=audit, now=NOW, minimum_window=42).buckets
    assert bucket.wave is Wave.EVIDENCE
    assert "the logs cannot tell: the logs span 41 days, and 42 days are asked for" in bucket.reasons


def test_logs_that_end_in_the_future_make_nothing_safe() -> None:
    rollout = plan_rollout(
        review=report_of(running(REFUTED)), audit=audit_of(logged(Safe(), ended=-9)), now=NOW
    )
    assert rollout.buckets[0].wave is Wave.EVIDENCE
    assert any("which is yet to come" in reason for reason in rollout.buckets[0].reasons)


def test_logs_that_could_not_all_be_read_make_nothing_safe() -> None:
    audit = audit_of(logged(Safe()), faults=["`b.gz` is cut in the middle"])
    rollout = plan_rollout(review=report_of(running(REFUTED)), audit=audit, now=NOW)
    assert rollout.buckets[0].wave is Wave.EVIDENCE
    assert [fault.message for fault in rollout.faults] == ["`b.gz` is cut in the middle"]


def test_what_is_not_known_makes_no_bucket_safe() -> None:
    """Whatever the verdict on it, a bucket that the logs do not know waits for evidence."""
    rollout = plan_rollout(
        review=report_of(running(REFUTED, "a"), running(UNDECIDED, "b"), running(PROVEN, "c")),
        audit=audit_of(logged(Safe(), "another")),
        now=NOW,
    )
    assert {bucket.name: bucket.wave for bucket in rollout.buckets} == {
        "a": Wave.EVIDENCE,
        "another": Wave.EVIDENCE,
        "b": Wave.EVIDENCE,
        "c": Wave.ENFORCED,
    }


def test_the_blast_radius_counts_clients_once_and_says_of_how_many_buckets_nobody_knows() -> None:
    audit = audit_of(
        logged(Breaks(1, 12), "a"),
        logged(Breaks(2, 24), "b"),
        groups=[group("a"), group("b"), group("b", "-", address="203.0.113.9")],
    )
    review = report_of(
        running(REFUTED, "a"), running(REFUTED, "b"), running(REFUTED, "c"), running(PROVEN, "d")
    )
    rollout = plan_rollout(review=review, audit=audit, now=NOW)
    clients = rollout.blast_radius(Wave.CLIENTS)
    assert (
        clients.buckets,
        clients.accounts,
        clients.clients,
        clients.requests,
        clients.unknown_buckets,
    ) == (
        2,
        ("111122223333",),
        2,
        36,
        0,
    )
    assert rollout.blast_radius(Wave.EVIDENCE).unknown_buckets == 1
    assert rollout.blast_radius(Wave.ENFORCED).buckets == 0


def test_a_review_that_is_too_old_does_not_say_that_nothing_is_left_to_do() -> None:
    review = report_of(running(PROVEN, as_of="2027-02-01T00:00:00Z"))
    rollout = plan_rollout(review=review, now=NOW)
    assert (rollout.done, rollout.only_evidence, rollout.outdated) == (False, True, True)
    assert plan_rollout(review=review, now=NOW, maximum_age=30).done


def test_a_bucket_that_lets_old_tls_through_is_left_to_do_where_that_was_asked() -> None:
    bucket = running(PROVEN)
    review = report_of(bucket)
    found = replace(review, findings=(finding(bucket, "SB006", "deny old TLS"),))
    rollout = plan_rollout(review=found, now=NOW)
    assert (rollout.done, rollout.only_evidence, rollout.old_tls) == (False, False, ("reports",))
    assert rollout.warnings[0].startswith("1 bucket lets older TLS through than asked")
    assert plan_rollout(review=replace(review, baselined=found.findings), now=NOW).done


def test_what_a_review_passed_over_is_told() -> None:
    left = ((Place(), "arn:aws:s3:::tmp-a", "it is left out by --exclude"),)
    rollout = plan_rollout(review=replace(report_of(running(PROVEN)), not_applicable=left), now=NOW)
    assert rollout.warnings == (
        "the review skipped 1, of which only templates or logs can tell: `arn:aws:s3:::tmp-a` "
        "(it is left out by --exclude)",
    )


@pytest.mark.parametrize(
    ("changes", "wave"), [({"faults": ["x"]}, Wave.EVIDENCE), ({"malformed": 2}, Wave.NOW)]
)
def test_an_unread_log_is_never_tolerated_and_a_malformed_line_as_the_audit_says(
    changes: dict[str, Any], wave: Wave
) -> None:
    audit = audit_of(logged(Safe()), faults=changes.get("faults", ()))
    audit = replace(audit, malformed=Malformed(changes.get("malformed", 0)))
    (bucket,) = plan_rollout(review=report_of(running(REFUTED)), audit=audit, now=NOW).buckets
    assert bucket.wave is wave
