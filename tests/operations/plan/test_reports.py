"""A plan as text, JSON, Markdown and CSV."""

from __future__ import annotations

import csv
import io
import json
from importlib.resources import files

import pytest
from msgspec.structs import replace

from secure_bucket.formats.run import Run
from secure_bucket.operations.audit.audit import Breaks, CannotTell, Safe
from secure_bucket.operations.plan import (
    Rollout,
    Wave,
    csv_report,
    json_report,
    markdown_report,
    plan_rollout,
    text_report,
)
from secure_bucket.values.unknown import Place
from tests.operations.plan.known import (
    NOW,
    PROVEN,
    REFUTED,
    UNDECIDED,
    audit_of,
    cut_off,
    declared,
    group,
    logged,
    report_of,
    running,
    with_clients,
)

RUN = Run("1.2.3", NOW, 1, (("templates", "read now"),))
HOSTILE = "=cmd|' /C calc'!A0 `x` <script>alert(1)</script> [a](http://x) \x1b[31m\u202e\n# head | cell @all"


def full() -> Rollout:
    """Return a plan with a bucket in every wave, and every state."""
    check = report_of(
        declared(PROVEN, "enforced"),
        declared(REFUTED, "reopens", logical_id="Reopens"),
        declared(PROVEN, "closes", logical_id="Closes"),
        declared(UNDECIDED, "unrepaired", logical_id="Unrepaired", path="App/Unrepaired/Resource"),
        declared(REFUTED, "", logical_id="Nameless"),
        declared(REFUTED, "site", logical_id="Site"),
        declared(REFUTED, "printers", logical_id="Printers"),
        websites=["Site"],
        excepted=["Printers"],
    )
    live = [("enforced", PROVEN), ("reopens", PROVEN), ("closes", REFUTED), ("unrepaired", UNDECIDED)]
    live += [("unowned", REFUTED), ("site", REFUTED)]
    review = report_of(
        *(running(verdict, name, as_of="2027-02-01T00:00:00Z") for name, verdict in live),
        faults=["bucket `denied`: access denied to `s3:GetBucketPolicy`"],
    )
    audit = audit_of(
        logged(Safe(), "closes"),
        logged(Breaks(2, 24), "unrepaired"),
        logged(Breaks(1, 12), "unowned"),
        logged(CannotTell(("the logs span 3 days",)), "elsewhere"),
        groups=[group("unrepaired"), group("unrepaired", "-", address="203.0.113.9"), group("unowned")],
    )
    return plan_rollout(check=check, review=review, audit=audit, now=NOW)


def hostile() -> Rollout:
    check = report_of(declared(REFUTED, "", logical_id=HOSTILE, template=HOSTILE))
    audit = audit_of(
        logged(Breaks(1, 12), "closes"), groups=[group("closes", HOSTILE, HOSTILE, HOSTILE)], faults=[HOSTILE]
    )
    return plan_rollout(check=check, audit=audit, now=NOW)


ROLLOUTS = {
    "full": full(),
    "hostile": hostile(),
    "cut off": plan_rollout(
        review=report_of(running(REFUTED, "a")), audit=cut_off(with_clients({"a": ["x"]}), "a"), now=NOW
    ),
    "nothing but faults": plan_rollout(review=report_of(faults=["nothing could be read"]), now=NOW),
}
rollouts = pytest.mark.parametrize("rollout", ROLLOUTS.values(), ids=ROLLOUTS)


def closed(schema: object) -> object:
    """Return the schema with no room for members that it does not describe."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        made["additionalProperties"] = False
    return made


@rollouts
def test_json_is_valid_against_its_published_schema(rollout: Rollout) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(files("secure_bucket.formats").joinpath("plan-1.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator
    validator.check_schema(schema)
    document = json.loads(json_report.render(rollout, RUN))
    validator(closed(schema), format_checker=validator.FORMAT_CHECKER).validate(document)
    del document["summary"]
    assert not validator(schema).is_valid(document)


def test_json_holds_every_bucket_in_its_wave() -> None:
    document = json.loads(json_report.render(full(), RUN))
    assert document["schema"] == "secure-bucket/plan/1"
    assert {bucket["label"]: (bucket["state"], bucket["wave"]) for bucket in document["buckets"]} == {
        "enforced": ("enforced", "enforced"),
        "reopens": ("reopens", "now"),
        "closes": ("closes", "now"),
        "unowned": ("unowned", "clients"),
        "unrepaired": ("unrepaired", "clients"),
        "elsewhere": ("logged", "evidence"),
        "Nameless in app.template.json": ("declared", "evidence"),
        "site": ("unrepaired", "redesign"),
        "printers": ("declared", "left"),
    }
    assert [wave["buckets"] for wave in document["waves"]] == [1, 2, 2, 2, 1, 1]
    assert [move["frees"] for move in document["moves"]] == [["unowned"], ["unrepaired"]]
    first = document["moves"][0]["clients"][0]
    assert (first["requests"], first["buckets"]) == (24, ["unowned", "unrepaired"])
    assert document["waves"][2]["blast_radius"]["clients"] == 2


@rollouts
def test_the_same_plan_gives_the_same_bytes(rollout: Rollout) -> None:
    for module in (json_report, markdown_report, csv_report):
        assert module.render(rollout, RUN) == module.render(rollout, RUN)
    assert text_report.render(rollout) == text_report.render(rollout)


@rollouts
@pytest.mark.parametrize("width", [None, 40, 100])
def test_nothing_in_the_text_steers_the_terminal(rollout: Rollout, width: int | None) -> None:
    text = text_report.render(rollout, width=width, ascii_only=True, verbose=True)
    assert text.isascii()
    assert text.replace("\n", "").isprintable()


def test_the_text_tells_each_wave_and_ends_with_the_summary() -> None:
    lines = text_report.render(full()).splitlines()
    heads = [line for line in lines if line.startswith(("wave", "left"))]
    assert heads == [
        "wave 0, already enforced: 1 bucket",
        "wave 1, safe now: 2 buckets change in 1 account; nobody is known to break",
        "wave 2, after clients have moved: 2 buckets change in 1 account; 2 clients break, with 36 requests",
        "wave 3, needs evidence first: 2 buckets change; for 2 buckets it is unknown who breaks",
        "wave 4, needs another design first: 1 bucket changes in 1 account; "
        "for 1 bucket it is unknown who breaks",
        "left as it is, by an exception: 1 bucket",
    ]
    assert lines[-1] == (
        "9 buckets: 1 enforced, 2 safe now, 2 after clients have moved, 2 without evidence, 1 to redesign, "
        "1 left by an exception; 1 fault left something unread, so the plan is incomplete"
    )
    assert "error: bucket `denied`: access denied to `s3:GetBucketPolicy`" in lines
    assert any(line.startswith("warning: what is known of the accounts is 28 days old") for line in lines)


def test_the_text_names_the_clients_of_a_move() -> None:
    text = text_report.render(full())
    assert (
        "    `arn:aws:iam::111122223333:role/Reader` with `curl/8` — http, 24 requests to 2 buckets, "
        "last seen 2027-02-27 12:00 UTC, REST.GET.OBJECT, from 192.0.2.3\n"
    ) in text
    assert (
        "    why: 24 requests of 2 clients got through, in logs until 2027-03-01, and these will break: "
        "anonymous requests from `203.0.113.9` with `curl/8`, "
        "`arn:aws:iam::111122223333:role/Reader` with `curl/8`\n"
    ) in text
    assert "    anonymous requests from `203.0.113.9` with `curl/8` — http, 12 requests to 1 bucket" in text


def test_what_is_many_is_cut_off_and_said() -> None:
    review = report_of(*(running(REFUTED, f"b-{number:02}") for number in range(25)))
    rollout = plan_rollout(review=review, now=NOW)
    short, whole = text_report.render(rollout), text_report.render(rollout, verbose=True)
    assert "  and 5 more buckets (--verbose lists them)" in short
    assert "b-24" not in short
    assert "b-24" in whole


def test_colour_comes_on_demand_only() -> None:
    assert "\x1b[" not in text_report.render(full())
    assert "\x1b[1;31mwave 2" in text_report.render(full(), colour=True)


def test_csv_has_a_line_for_each_bucket_and_no_formula() -> None:
    for rollout in ROLLOUTS.values():
        rows = list(csv.DictReader(io.StringIO(csv_report.render(rollout, RUN))))
        assert [row["bucket"].lstrip("'") for row in rows] == [
            bucket.label.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e").replace("\n", "\\n")
            for bucket in rollout.buckets
        ]
        assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_markdown_has_a_box_for_everything_to_do() -> None:
    lines = markdown_report.render(full(), RUN).splitlines()
    assert lines[0] == "# Rollout: deny plain HTTP to S3 buckets"
    assert "## Wave 1: safe now" in lines
    assert "### Move 1: 1 client, which frees 1 bucket" in lines
    boxes = [line for line in lines if line.startswith("- [ ] ")]
    assert len(boxes) == 2 + 2 + 2 + 2 + 1  # wave 1, clients, wave 2, 3, 4
    assert sum(line.startswith("- [x] ") for line in lines) == 1
    assert any(line.startswith("- `printers`") for line in lines)


def test_markdown_lets_nobody_else_write_markup() -> None:
    text = markdown_report.render(hostile(), RUN)
    outside = "".join(part for line in text.splitlines() for part in line.split("`")[::2])
    assert "<script>" not in outside
    assert "[a](" not in outside.replace("\\[a\\](", "")
    assert all("\n" not in line and "\x1b" not in line for line in text.splitlines())
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert all(line.replace("\\|", "").count("|") == 5 for line in table)


def test_files_are_told_relative_to_the_root() -> None:
    check = report_of(
        replace(declared(PROVEN, template="/work/app/a.json"), at=Place("", "/work/app/a.json", 3))
    )
    rollout = plan_rollout(check=check, now=NOW)
    document = json.loads(json_report.render(rollout, Run(directory="/work", root="/work")))
    assert document["buckets"][0]["declarations"][0]["template"] == "app/a.json"


def test_every_wave_is_in_the_full_plan() -> None:
    assert {bucket.wave for bucket in full().buckets} == set(Wave)
