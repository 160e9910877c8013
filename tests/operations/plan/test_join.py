"""Which buckets are the same: those of the same name, and no others."""

from __future__ import annotations

import pytest

from secure_bucket.findings.finding import Report
from secure_bucket.operations.audit.audit import Breaks, Safe
from secure_bucket.operations.plan import RolloutError, State, Wave, plan_rollout
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


def test_a_bucket_without_a_known_name_is_matched_with_nothing() -> None:
    rollout = plan_rollout(
        check=report_of(declared(PROVEN, "", logical_id="reports")),
        review=report_of(running(REFUTED, "reports")),
        audit=audit_of(logged(Safe(), "reports")),
        now=NOW,
    )
    named, nameless = rollout.buckets
    assert (named.name, named.state) == ("reports", State.UNOWNED)
    assert any("1 bucket of the templates has no known name" in reason for reason in named.reasons)
    assert (nameless.name, nameless.state, nameless.wave) == ("", State.PREPARED, Wave.EVIDENCE)
    assert any("not matched" in reason for reason in nameless.reasons)
    assert nameless.logged is None
    assert "list-stack-resources" in nameless.actions[1]


def test_a_name_that_a_list_of_resources_tells_is_matched() -> None:
    rollout = plan_rollout(
        check=report_of(declared(PROVEN, "")),
        review=report_of(running(REFUTED, "app-reports-1x2y3z")),
        names={("app.template.json", "Reports"): "app-reports-1x2y3z"},
        now=NOW,
    )
    (bucket,) = rollout.buckets
    assert (bucket.name, bucket.state) == ("app-reports-1x2y3z", State.CLOSES)


def test_names_differ_by_case_and_by_every_character() -> None:
    rollout = plan_rollout(
        check=report_of(declared(PROVEN, "Reports"), declared(PROVEN, "reports.", logical_id="Other")),
        review=report_of(running(REFUTED, "reports")),
        now=NOW,
    )
    assert sorted(bucket.state.value for bucket in rollout.buckets) == ["prepared", "prepared", "unowned"]


def test_of_two_declarations_of_a_name_the_weakest_counts() -> None:
    rollout = plan_rollout(
        check=report_of(declared(PROVEN), declared(REFUTED, template="other.json")),
        review=report_of(running(PROVEN)),
        now=NOW,
    )
    (bucket,) = rollout.buckets
    assert bucket.state is State.REOPENS
    assert len(bucket.declarations) == 2


def test_a_template_that_is_nested_twice_gets_no_name_from_one_list() -> None:
    inner = declared(PROVEN, "", template="inner.json")
    rollout = plan_rollout(
        check=report_of(inner, inner), names={("inner.json", "Reports"): "reports"}, now=NOW
    )
    assert [bucket.name for bucket in rollout.buckets] == ["", ""]


def test_a_list_of_resources_that_contradicts_the_template_is_refused() -> None:
    with pytest.raises(RolloutError, match="`reports` there, and `other` in the list of resources"):
        plan_rollout(check=report_of(declared(PROVEN)), names={("app.template.json", "Reports"): "other"})


def test_one_bucket_of_two_accounts_is_refused() -> None:
    review = report_of(running(PROVEN), running(PROVEN, account="444455556666"))
    with pytest.raises(RolloutError, match="bucket `reports` was reviewed twice"):
        plan_rollout(review=review)


def test_nothing_at_all_is_refused() -> None:
    with pytest.raises(RolloutError, match="there is nothing to plan from"):
        plan_rollout()
    with pytest.raises(RolloutError, match="knows any bucket"):
        plan_rollout(check=Report(), review=Report(), audit=audit_of())


def test_faults_alone_are_a_plan_that_is_not_whole() -> None:
    rollout = plan_rollout(review=report_of(faults=["bucket `a` cannot be read"]), now=NOW)
    assert rollout.buckets == ()
    assert len(rollout.faults) == 1


def test_old_sources_are_warned_about() -> None:
    rollout = plan_rollout(review=report_of(running(PROVEN, as_of="2027-02-01T12:00:00Z")), now=NOW)
    assert rollout.sources[0].days == 28
    assert rollout.warnings == (
        "what is known of the accounts is 28 days old, of 2027-02-01T12:00:00Z: review them again",
    )


def test_a_source_as_old_as_it_may_be_is_not_warned_about() -> None:
    rollout = plan_rollout(review=report_of(running(PROVEN, as_of="2027-02-22T12:00:00Z")), now=NOW)
    assert (rollout.sources[0].days, rollout.warnings) == (7, ())


def test_what_the_review_left_out_is_told_as_such() -> None:
    from msgspec.structs import replace

    from secure_bucket.values.unknown import Place

    review = replace(
        report_of(running(PROVEN, "other")),
        not_applicable=((Place(), "arn:aws:s3:::reports", "it is left out by --exclude"),),
    )
    rollout = plan_rollout(check=report_of(declared(PROVEN)), review=review, now=NOW)
    reports = next(bucket for bucket in rollout.buckets if bucket.name == "reports")
    assert "the review skipped it: it is left out by --exclude" in reports.reasons


def test_a_client_without_an_identity_is_not_made_up() -> None:
    audit = audit_of(logged(Breaks(3, 12)), groups=[group(requester=None, user_agent=None, address=None)])
    rollout = plan_rollout(review=report_of(running(REFUTED)), audit=audit, now=NOW)
    (bucket,) = rollout.buckets
    assert (bucket.clients, bucket.unnamed) == ((), 12)
    (move,) = rollout.moves
    assert not move.whole
    assert any("does not name all clients" in warning for warning in rollout.warnings)
