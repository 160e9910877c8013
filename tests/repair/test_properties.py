"""Whatever a template says, and however it is written: repaired once, proven, and nothing else touched."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secure_bucket.checks.check import check_template
from secure_bucket.proof.verdict import Proven, Refuted
from secure_bucket.repair import repair_document
from secure_bucket.template import parse_document
from tests.repair.unchanged import assert_nothing_else_changed

NAMES = ("Logs", "Reports", "Archive")
SLOW = settings(max_examples=150, deadline=None, suppress_health_check=(HealthCheck.too_slow,))


class Tagged(dict[str, Any]):
    """A function that is written with its short tag."""


class Dumper(yaml.SafeDumper):
    """Writes functions with their short tags, and no aliases unless something is shared on purpose."""

    def ignore_aliases(self, data: Any) -> bool:
        return not isinstance(data, list) or not data


def _tagged(dumper: Dumper, value: Tagged) -> yaml.Node:
    ((name, argument),) = value.items()
    if name == "Fn::GetAtt":
        return dumper.represent_scalar("!GetAtt", ".".join(argument))
    return dumper.represent_scalar(f"!{name.removeprefix('Fn::')}", argument)


Dumper.add_representer(Tagged, _tagged)

texts = st.sampled_from(
    ["a", "it's", "über", "- no item", "# no comment", "a: b", "", " ", "yes", "12", "x\ny\n"]
)
values = st.recursive(
    st.one_of(texts, st.booleans(), st.none(), st.integers(-5, 5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def statements(draw: st.DrawFn, bucket: str, function: type[dict[str, Any]]) -> dict[str, Any]:
    resource = draw(
        st.sampled_from(
            [
                function({"Fn::Sub": f"${{{bucket}.Arn}}/*"}),
                function({"Fn::GetAtt": [bucket, "Arn"]}),
                "arn:aws:s3:::example/*",
            ]
        )
    )
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "s3:*"}
    if draw(st.booleans()):
        statement = {"Sid": draw(st.sampled_from(["DenyPlainHttp", "Read"])), **statement}
    if draw(st.booleans()):
        value = draw(st.sampled_from([True, False, "true", "false"]))
        statement.update(Effect="Deny", Principal="*", Condition={"Bool": {"aws:SecureTransport": value}})
    return {**statement, "Resource": draw(st.sampled_from([resource, [resource]]))}


@st.composite
def templates(draw: st.DrawFn) -> dict[str, Any]:
    function = draw(st.sampled_from([dict, Tagged]))
    resources: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)):
        bucket: dict[str, Any] = {"Type": "AWS::S3::Bucket"}
        if draw(st.booleans()):
            bucket["Properties"] = {"Tags": draw(values)}
        if draw(st.booleans()):
            bucket["DeletionPolicy"] = "Retain"
        policy: dict[str, Any] | None = None
        if draw(st.booleans()):
            document: dict[str, Any] = {"Version": "2012-10-17"} if draw(st.booleans()) else {}
            listed = draw(st.lists(statements(name, function), max_size=3))
            form = draw(st.sampled_from(["list", "one", "none"]))
            if form == "list" or (form == "one" and not listed):
                document["Statement"] = listed
            elif form == "one":
                document["Statement"] = listed[0]
            policy = {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"PolicyDocument": document, "Bucket": function({"Ref": name})},
            }
        pairs: list[tuple[str, Any]] = [(name, bucket)]
        if policy is not None:
            pairs.append((f"{name}Policy", policy))
        resources.update(draw(st.permutations(pairs)))
        if draw(st.booleans()):
            resources[f"{name}Topic"] = {"Type": "AWS::SNS::Topic", "Properties": {"Any": draw(values)}}
    return {"Resources": resources, **draw(st.sampled_from([{}, {"Outputs": {}}, {"Description": "text"}]))}


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


@st.composite
def written(draw: st.DrawFn) -> str:
    """A template in one of the styles in which people write them."""
    template = draw(templates())
    if draw(st.booleans()):
        indent = draw(st.sampled_from([None, 0, 1, 2, 4, "\t"]))
        separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (",", " : ")]))
        text = json.dumps(
            plain(template), indent=indent, separators=separators, ensure_ascii=draw(st.booleans())
        )
        comment = "// a comment"
    else:
        text = yaml.dump(
            template,
            Dumper=Dumper,
            sort_keys=False,
            allow_unicode=True,
            default_flow_style=draw(st.sampled_from([False, None, True])),
            default_style=draw(st.sampled_from([None, None, "'", '"'])),
            indent=draw(st.integers(2, 6)),
            width=draw(st.sampled_from([20, 80, 1000])),
            explicit_start=draw(st.booleans()),
            explicit_end=draw(st.booleans()),
        )
        comment = "# a comment"
    lines = text.removesuffix("\n").split("\n")
    if draw(st.booleans()):
        # Behind any line that is sure to end there.
        lines = [
            f"{line} {comment}"
            if line.endswith(("{", "Bucket", "},", "Resources:")) and draw(st.booleans())
            else line
            for line in lines
        ]
    if draw(st.booleans()):
        lines.append("")
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines)


@SLOW
@given(written())
def test_a_repair_proves_once_and_for_all_and_touches_nothing_else(text: str) -> None:
    document = parse_document(text, "template")
    before = {each.logical_id: each.verdict for each in check_template(document).buckets}
    repair = repair_document(document)
    after = {each.logical_id: each.verdict for each in check_template(repair.document).buckets}
    # Nothing in these templates is a reason to leave a bucket that is open.
    fixed = {each.logical_id for each in repair.fixed}
    assert fixed == {name for name, verdict in before.items() if isinstance(verdict, Refuted)}
    assert all(isinstance(after[name], Proven) for name in fixed)
    assert all(type(after[name]) is type(before[name]) for name in before.keys() - fixed)
    assert_nothing_else_changed(document, repair.document)
    assert text.count("a comment") == repair.document.text.count("a comment")
    again = repair_document(repair.document)
    assert again.document is repair.document
    if "\r\n" in text:
        assert repair.document.text.count("\n") == repair.document.text.count("\r\n")
    assert repair.document.text.endswith("\n") == text.endswith("\n")
