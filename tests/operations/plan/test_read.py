"""Reports that are read back, and files that are none."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from secure_bucket.findings.finding import Report
from secure_bucket.formats import FORMATS
from secure_bucket.formats.run import Run
from secure_bucket.operations.audit import json_report as audits
from secure_bucket.operations.audit.audit import (
    Audit,
    Breaks,
    CannotTell,
    Count,
    LogLine,
    Malformed,
    Safe,
    Trouble,
)
from secure_bucket.operations.plan import (
    RolloutError,
    plan_rollout,
    read_audit,
    read_check,
    read_review,
)
from tests.operations.plan.known import (
    NOW,
    PROVEN,
    REFUTED,
    UNDECIDED,
    audit_of,
    declared,
    group,
    logged,
    report_of,
    running,
)

FINISHED = NOW - datetime.timedelta(days=2)
RUN = Run(finished_at=FINISHED)


def check() -> Report:
    return report_of(
        declared(PROVEN),
        declared(REFUTED, "", logical_id="Site", path="App/Site/Resource"),
        declared(UNDECIDED, "third", logical_id="Third"),
        websites=["Site"],
        excepted=["Third"],
        faults=["`b.yaml` cannot be read"],
    )


def review() -> Report:
    return report_of(
        running(PROVEN), running(REFUTED, "b"), running(UNDECIDED, "c"), websites=["arn:aws:s3:::b"]
    )


def audit() -> Audit:
    buckets = (
        logged(Breaks(2, 24)),
        logged(Safe(), "b"),
        logged(CannotTell(("the logs span 3 days", "2 lines could not be read")), "c"),
    )
    groups = (group(), group(None, None, None, None), group("reports", "-", address="203.0.113.9"))
    return replace(
        audit_of(*buckets, groups=groups, faults=["`b.gz` is cut"]),
        answer=Breaks(2, 24),
        more=((Trouble.REFUSED, 3),),
        malformed=Malformed(2, (LogLine("a.log", 7, "it has 3 fields"),)),
        passed=(Count("events of other services", 5),),
        ignored=(("README", "no log"),),
        minimum_tls=1.2,
        since=NOW - datetime.timedelta(days=60),
    )


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "report.json"
    file.write_text(text, encoding="utf-8")
    return file


def test_an_audit_comes_back_as_it_was(tmp_path: Path) -> None:
    assert read_audit(written(tmp_path, audits.render(audit(), RUN))) == audit()


@pytest.mark.parametrize(("made", "read"), [(check, read_check), (review, read_review)])
def test_a_report_plans_as_it_did_before_it_was_written(
    made: Callable[[], Report], read: Callable[[Path], Report], tmp_path: Path
) -> None:
    back = read(written(tmp_path, FORMATS["json"](made(), RUN)))
    name = "check" if made is check else "review"
    before, after = plan_rollout(**{name: made()}, now=NOW), plan_rollout(**{name: back}, now=NOW)

    def essence(rollout: Any) -> list[object]:
        return [
            (each.label, each.state, each.wave, each.reasons, each.actions, each.website)
            for each in rollout.buckets
        ]

    assert essence(after) == essence(before)
    assert [fault.message for fault in after.faults] == [fault.message for fault in before.faults]
    assert after.sources[0].as_of == "2027-02-27T12:00:00Z"
    assert after.sources[0].days == 2


def test_what_is_older_than_the_report_stays_so(tmp_path: Path) -> None:
    report = report_of(running(PROVEN, as_of="2027-02-01T00:00:00Z"), running(PROVEN, "b"))
    back = read_review(written(tmp_path, FORMATS["json"](report, RUN)))
    assert [getattr(bucket.subject, "as_of", None) for bucket in back.buckets] == [
        "2027-02-01T00:00:00Z",
        "2027-02-27T12:00:00Z",
    ]


def a_check() -> str:
    return FORMATS["json"](check(), RUN)


def a_review() -> str:
    return FORMATS["json"](review(), RUN)


def an_audit() -> str:
    return audits.render(audit(), RUN)


def changed(text: str, change: Callable[[Any], object]) -> str:
    document = json.loads(text)
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (read_check, "", "is not JSON"),
        (read_check, "[]", "expected `object`, got `array`"),
        (read_check, '{"a": ' * 100_000, "nested too deeply|is not JSON"),
        (
            read_check,
            "{}",
            "is not a report of secure-bucket, whose first member is `schema`: `secure-bucket check",
        ),
        (
            read_check,
            '{"schema": "secure-bucket/report/2"}',
            "of the form `secure-bucket/report/2`, and not of",
        ),
        (read_check, '{"schema": ["secure-bucket/report/1"]}', "is not a report of secure-bucket"),
        (read_check, '{"schema": "secure-bucket/report/1"}', "missing required field `tool`"),
        (read_check, changed(a_check(), lambda it: it.update(buckets=[], faults=[])), "contains no bucket"),
        (read_check, an_audit(), "is of the form `secure-bucket/audit/1`: give it with --audit"),
        (read_check, a_review(), "was written by `review`: give it with --review"),
        (read_review, a_check(), "was written by `check`: give it with --check"),
        (read_review, an_audit(), "give it with --audit"),
        (read_audit, a_check(), "give it with --check or --review"),
        (read_audit, '{"schema": "secure-bucket/audit/1"}', "missing required field `tool`"),
        (
            read_audit,
            changed(an_audit(), lambda it: it.update(buckets={})),
            "`/buckets`: expected `array`, got `object`",
        ),
        (
            read_audit,
            changed(an_audit(), lambda it: it["buckets"].append(1)),
            "`/buckets/3`: expected `object`, got `int`",
        ),
        (
            read_audit,
            changed(an_audit(), lambda it: it["buckets"][0].update(breaking=-1)),
            "`/buckets/0/breaking`: expected `int` >= 0",
        ),
        (
            read_audit,
            changed(an_audit(), lambda it: it["buckets"][0].update(last_seen="yesterday")),
            "`/buckets/0/last_seen`: invalid RFC3339 encoded datetime",
        ),
        (
            read_audit,
            changed(an_audit(), lambda it: it["buckets"][1]["answer"].update(outcome="fine")),
            "`/buckets/1/answer/outcome`: invalid value 'fine'",
        ),
        (read_audit, changed(an_audit(), lambda it: it.update(buckets=[], faults=[])), "knows no bucket"),
        (
            read_audit,
            changed(an_audit(), lambda it: it["buckets"][0].update(answer={"outcome": "safe"})),
            "`/buckets/0/answer` is not what its numbers say",
        ),
        (
            read_audit,
            changed(an_audit(), lambda it: it["buckets"][2].update(breaking=3)),
            "`/buckets/2/answer` is not what its numbers say",
        ),
        (
            read_audit,
            changed(an_audit(), lambda it: it["buckets"][1].update(unknown=1)),
            "`/buckets/1/answer` is not what its numbers say",
        ),
        (read_audit, changed(an_audit(), lambda it: it["buckets"][0].update(name="")), "`/buckets/0/name`"),
        (read_audit, changed(an_audit(), lambda it: it["buckets"][2].update(name="b")), "`/buckets/1/name`"),
        (
            read_audit,
            changed(an_audit(), lambda it: it["groups"][0].update(trouble="x")),
            "`/groups/0/trouble`: invalid enum value 'x'",
        ),
        (
            read_check,
            changed(a_check(), lambda it: it["buckets"][0]["verdict"].update(outcome="fine")),
            "`/buckets/0/verdict/outcome`: invalid value 'fine'",
        ),
        (
            read_check,
            changed(a_check(), lambda it: it["buckets"][0].pop("verdict")),
            "`/buckets/0`: object missing required field `verdict`",
        ),
        (
            read_check,
            changed(a_check(), lambda it: it["findings"][0].update(level="bad")),
            "`/findings/0/level`: invalid enum value 'bad'",
        ),
        (
            read_check,
            changed(a_check(), lambda it: it["exceptions"][0].update(expires="soon")),
            "`/exceptions/0/expires`: invalid RFC3339 encoded date",
        ),
        (
            read_check,
            changed(a_check(), lambda it: it.update(templates=[1])),
            "`/templates/0`: expected `str`, got `int`",
        ),
        (
            read_check,
            changed(a_check(), lambda it: it["run"].update(finished_at=None)),
            "nothing tells how old it is",
        ),
        (read_check, changed(a_check(), lambda it: it.update(run=3)), "`/run`: expected `object`, got `int`"),
    ],
)
def test_what_is_no_report_is_refused_with_words(
    read: Callable[[Path], object], text: str, message: str, tmp_path: Path
) -> None:
    file = written(tmp_path, text)
    with pytest.raises(RolloutError, match=message.replace("[", r"\[")) as caught:
        read(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(RolloutError, match="No such file"):
        read_check(tmp_path / "none.json")
    with pytest.raises(RolloutError, match="cannot be read: Is a directory"):
        read_check(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe{}")
    with pytest.raises(RolloutError, match="is not JSON"):
        read_check(tmp_path / "binary")
