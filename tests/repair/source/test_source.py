"""What `fix` does to the program of an app: one property more in each call, and not another character."""

from __future__ import annotations

import ast

import pytest

from secure_bucket.repair.source import CannotEditSource, edit_source
from secure_bucket.values.unknown import Place

PYTHON = "import aws_cdk as cdk\nfrom aws_cdk import aws_s3 as s3\nfrom aws_cdk.aws_s3 import Bucket as B\n"
SCRIPT = """\
import * as cdk from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Bucket as B } from 'aws-cdk-lib/aws-s3';
import { aws_s3 } from 'aws-cdk-lib';
const { Bucket: C } = require('aws-cdk-lib/aws-s3');
"""


def edited(head: str, call: str, suffix: str, column: int = 1) -> str:
    """Return a call after the fix, in a program that starts with imports."""
    line = head.count("\n") + 1
    result = edit_source(head + call, suffix, {Place("", "", line, column): ()})
    assert not result.left, result.left
    assert result.changed == (Place("", "", line, column),)
    assert result.text.startswith(head)
    again = edit_source(result.text, suffix, {Place("", "", line, column): ()})
    assert again.text == result.text
    assert "takes the deny away" in next(iter(again.left.values()))
    return result.text[len(head) :]


def reason(head: str, call: str, suffix: str, column: int = 1) -> str:
    """Return why a call is left."""
    place = Place("", "", head.count("\n") + 1, column)
    result = edit_source(head + call, suffix, {place: ()})
    assert result.text == head + call
    assert not result.changed
    return result.left[place]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('s3.Bucket(self, "A")\n', 's3.Bucket(self, "A", enforce_ssl=True)\n'),
        ('b = B(self, "A", versioned=(True))\n', 'b = B(self, "A", versioned=(True), enforce_ssl=True)\n'),
        ('cdk.aws_s3.Bucket(self, "é",)\n', 'cdk.aws_s3.Bucket(self, "é", enforce_ssl=True,)\n'),
        (
            's3.Bucket(\n    self,\n    "A",\n    versioned=True,  # why, (really)\n    # last\n)\n',
            's3.Bucket(\n    self,\n    "A",\n    versioned=True,  # why, (really)\n    # last\n'
            "    enforce_ssl=True,\n)\n",
        ),
        (
            's3.Bucket(\n    self,\n    "A",\n    versioned=True  # why\n)\n',
            's3.Bucket(\n    self,\n    "A",\n    versioned=True,  # why\n    enforce_ssl=True\n)\n',
        ),
        (
            's3.Bucket(self, "A",\n          versioned=True)\n',
            's3.Bucket(self, "A",\n          versioned=True,\n          enforce_ssl=True)\n',
        ),
        (
            's3.Bucket(\n    self, "A", versioned=True\n)\n',
            's3.Bucket(\n    self, "A", versioned=True, enforce_ssl=True\n)\n',
        ),
        (
            's3.Bucket(\r\n\tself,\r\n\t"A",\r\n)\r\n',
            's3.Bucket(\r\n\tself,\r\n\t"A",\r\n\tenforce_ssl=True,\r\n)\r\n',
        ),
        (
            'x = 1; s3.Bucket(\n  self,\n  "A",\n)\n',
            'x = 1; s3.Bucket(\n  self,\n  "A",\n  enforce_ssl=True,\n)\n',
        ),
        ("x = f'é{s3.Bucket(self, id)} '\n", "x = f'é{s3.Bucket(self, id, enforce_ssl=True)} '\n"),
        ('s3.Bucket(self, \\\n  "A")\n', 's3.Bucket(self, \\\n  "A",\n  enforce_ssl=True)\n'),
        ('s3.Bucket(self, "A/B")\n', 's3.Bucket(self, "A/B", enforce_ssl=True)\n'),
        (
            's3.Bucket(\n    self,\n    "A",\n    cors=[\n        rule(1),\n    ],\n)\n',
            's3.Bucket(\n    self,\n    "A",\n    cors=[\n        rule(1),\n    ],\n'
            "    enforce_ssl=True,\n)\n",
        ),
    ],
)
def test_a_call_in_python_gets_the_property_in_its_own_layout(before: str, after: str) -> None:
    assert edited(PYTHON, before, ".py") == after
    ast.parse(PYTHON + after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("new s3.Bucket(this, 'A');\n", "new s3.Bucket(this, 'A', { enforceSSL: true });\n"),
        ("new B(this, 'A', {});\n", "new B(this, 'A', { enforceSSL: true });\n"),
        (
            "new C(this, 'A', { versioned: true });\n",
            "new C(this, 'A', { versioned: true, enforceSSL: true });\n",
        ),
        (
            "new aws_s3.Bucket(this, 'A', {\n  versioned: true, // why, {really}\n  /* last, */\n});\n",
            "new aws_s3.Bucket(this, 'A', {\n  versioned: true, // why, {really}\n  /* last, */\n"
            "  enforceSSL: true,\n});\n",
        ),
        (
            "new cdk.aws_s3.Bucket(this, 'A', {\n  versioned: true\n});\n",
            "new cdk.aws_s3.Bucket(this, 'A', {\n  versioned: true,\n  enforceSSL: true\n});\n",
        ),
        (
            "new s3.Bucket(this, 'A', { /* nothing yet */ });\n",
            "new s3.Bucket(this, 'A', { enforceSSL: true /* nothing yet */ });\n",
        ),
        (
            "new s3.Bucket(this, 'A', { // nothing yet\n});\n",
            "new s3.Bucket(this, 'A', { enforceSSL: true // nothing yet\n});\n",
        ),
        (
            "new s3.Bucket(this, 'A', {\n  // encryption: {},\n});\n",
            "new s3.Bucket(this, 'A', {\n  // encryption: {},\n  enforceSSL: true,\n});\n",
        ),
        ("new s3.Bucket(this, 'A', {\n});\n", "new s3.Bucket(this, 'A', { enforceSSL: true });\n"),
        (
            "new s3.Bucket(this, `A${id}`, { bucketName: `}` });\n",
            "new s3.Bucket(this, `A${id}`, { bucketName: `}`, enforceSSL: true });\n",
        ),
        (
            "new s3.Bucket(this, 'A' /* id */);\n",
            "new s3.Bucket(this, 'A', { enforceSSL: true } /* id */);\n",
        ),
        (
            "new s3.Bucket(this, 'A', { versioned: isOpen(1), removalPolicy });\n",
            "new s3.Bucket(this, 'A', { versioned: isOpen(1), removalPolicy, enforceSSL: true });\n",
        ),
    ],
)
@pytest.mark.parametrize("suffix", [".ts", ".tsx", ".js", ".mjs"])
def test_a_call_in_a_script_gets_the_property_in_its_own_layout(before: str, after: str, suffix: str) -> None:
    assert edited(SCRIPT, before, suffix) == after


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ('s3.Bucket(self, "A", **props)', "from a variable"),
        ("s3.Bucket(*given)", "from a variable"),
        ('s3.Bucket(self, "A", enforce_ssl=False)', "`enforce_ssl=False`, which somebody wrote on purpose"),
        ('s3.Bucket(self, "A", enforce_ssl=is_strict)', "on purpose"),
        ('s3.Bucket(self, "A", website_index_document="i.html")', "website"),
        ('s3.Bucket(self, "A"); s3.Bucket(self, "B")', "several buckets"),
        ('s3.CfnBucket(self, "A")', "does not call `s3.Bucket`"),
        ('company.Bucket(self, "A")', "does not call `s3.Bucket`"),
        ('Bucket(self, "A")', "does not call `s3.Bucket`"),
        ('s3.Bucket.from_bucket_name(self, "A", "b")', "does not call `s3.Bucket`"),
        ('B(self, "A")\nB = other', "does not call `s3.Bucket`"),
        ('B(self, "A")\ndef make(B): ...', "does not call `s3.Bucket`"),
        ('B(self, "A")\nasync def B(): ...', "does not call `s3.Bucket`"),
        ('B(self, "A")\ntry: ...\nexcept OSError as B: ...', "does not call `s3.Bucket`"),
        ('B(self, "A")\nmatch x:\n  case B: ...', "does not call `s3.Bucket`"),
        ('B(self, "A")\nmatch x:\n  case [*B]: ...', "does not call `s3.Bucket`"),
        ('B(self, "A")\nmatch x:\n  case {**B}: ...', "does not call `s3.Bucket`"),
        ('B(self, "A")\nfrom company import *', "does not call `s3.Bucket`"),
        ('s3.Bucket(self, "A")\ns3.Bucket = Mine', "does not call `s3.Bucket`"),
    ],
)
def test_what_is_not_certain_in_python_is_left(call: str, why: str) -> None:
    assert why in reason(PYTHON, call, ".py")


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("new s3.Bucket(this, 'A', props);", "from a variable"),
        ("new s3.Bucket(this, 'A', { ...props });", "spread"),
        ("new s3.Bucket(...given);", "from a variable"),
        ("new s3.Bucket(this, 'A', { [name]: true });", "computed name"),
        ("new s3.Bucket(this, 'A', { enforceSSL: false });", "`enforceSSL: false`, which somebody wrote"),
        ("new s3.Bucket(this, 'A', { 'enforceSSL': isStrict });", "on purpose"),
        ("new s3.Bucket(this, 'A', { enforceSSL });", "on purpose"),
        ("new s3.Bucket(this, 'A', { websiteIndexDocument: 'i.html' });", "website"),
        ("new s3.CfnBucket(this, 'A');", "does not call `s3.Bucket`"),
        ("new company.Bucket(this, 'A');", "does not call `s3.Bucket`"),
        ("new B(this, 'A'); class B {}", "does not call `s3.Bucket`"),
        ("new s3.Bucket(this, 'A', { get enforceSSL() { return false } });", "on purpose"),
        ("new s3.Bucket(this, 'A', { 'enforce\\u0053SL': false });", "computed name"),
        *(
            (f"new B(this, 'A'); {other}", "does not call `s3.Bucket`")
            for other in (
                "for (const B of list) {}",
                "try {} catch (B) {}",
                "B = other;",
                "[B] = others;",
                "const f = B => {};",
                "function f({ B }) {}",
                "function f({ B = 1 }, ...rest) {}",
                "function f(...B) {}",
                "{ const [B] = x; }",
                "{ const { a: { B } } = x; }",
                "{ const { B = 1 } = x; }",
                "{ const { ...B } = x; }",
                "(function B() {})",
                "(class B {})",
                "{ abstract class B {} }",
                "{ enum B {} }",
                "namespace B {}",
                "function* B() {}",
            )
        ),
        ("new s3.Bucket(this, 'A'); s3.Bucket = Mine;", "does not call `s3.Bucket`"),
    ],
)
def test_what_is_not_certain_in_a_script_is_left(call: str, why: str) -> None:
    assert why in reason(SCRIPT, call, ".ts")


def test_a_script_is_changed_where_the_trace_says_new() -> None:
    call = "new Thing(this, 'T', { bucket: new s3.Bucket(this, 'A') });"
    column = call.index("new s3") + 1
    assert edited(SCRIPT, call, ".ts", column) == call.replace("'A'", "'A', { enforceSSL: true }")
    # The bucket that `Thing` creates has the place of its own call.
    assert "does not call `s3.Bucket`" in reason(SCRIPT, call, ".ts")
    nested = "new s3.Bucket(this, 'A', { serverAccessLogsBucket: new s3.Bucket(this, 'B') });"
    assert edited(SCRIPT, nested, ".ts") == nested.replace("'B') }", "'B'), enforceSSL: true }")


def test_v8_counts_columns_in_units_of_utf_16() -> None:
    call = "const é = '😀'; new s3.Bucket(this, 'A');"
    assert edited(SCRIPT, call, ".ts", call.index("new") + 2) == call.replace(
        "'A'", "'A', { enforceSSL: true }"
    )


@pytest.mark.parametrize("between", ["\r", "\u2028", "\u2029", "\r\n"])
def test_v8_ends_lines_at_four_characters(between: str) -> None:
    head = f"{SCRIPT}// one{between}// two\n"
    call = "new s3.Bucket(this, 'A');\nnew s3.Bucket(this, 'B');\n"
    place = Place("", "", SCRIPT.count("\n") + 3, 1)
    result = edit_source(head + call, ".ts", {place: ()})
    assert result.text == head + call.replace("'A'", "'A', { enforceSSL: true }")


@pytest.mark.parametrize(
    ("head", "call", "suffix", "given", "is_it"),
    [
        (PYTHON, 's3.Bucket(self, "A") if a else Thing(self, "B")', ".py", "A", True),
        (PYTHON, 's3.Bucket(self, "A") if a else Thing(self, "B")', ".py", "B", False),
        (PYTHON, 's3.Bucket(self, id="A/1") if a else Thing(self, "B")', ".py", "A--1", True),
        (PYTHON, 's3.Bucket(scope=self, id="A") if a else Thing(self, "B")', ".py", "B", False),
        (PYTHON, 's3.Bucket(self, f"{name}") if a else Thing(self, "B")', ".py", "B", True),
        (SCRIPT, "new s3.Bucket(this, 'A');", ".ts", "A", True),
        (SCRIPT, "new s3.Bucket(this, 'A');", ".ts", "B", False),
        (SCRIPT, "new s3.Bucket(this, `A`);", ".ts", "B", False),
        (SCRIPT, "new s3.Bucket(this, `${name}`);", ".ts", "B", True),
        (SCRIPT, "new s3.Bucket(this, 'A\\x42');", ".ts", "AB", True),
    ],
)
def test_a_call_with_another_id_did_not_create_the_bucket(
    head: str, call: str, suffix: str, given: str, is_it: bool
) -> None:
    place = Place("", "", head.count("\n") + 1, 1)
    result = edit_source(head + call, suffix, {place: frozenset((given,))})
    assert (place in result.changed) == is_it
    assert is_it or "creates `A`, and not `B`" in result.left[place]


@pytest.mark.parametrize(("head", "suffix"), [(PYTHON, ".py"), (SCRIPT, ".ts")])
def test_a_byte_order_mark_is_kept(head: str, suffix: str) -> None:
    call = 's3.Bucket(self, "A")\n' if suffix == ".py" else "new s3.Bucket(this, 'A');\n"
    first = head.splitlines(keepends=True)[-1] if suffix == ".ts" else head.splitlines(keepends=True)[1]
    first = first if suffix == ".py" else "import * as s3 from 'aws-cdk-lib/aws-s3';\n"
    assert edited(f"\ufeff{first}", call, suffix)


def test_a_file_with_both_line_ends_gets_the_one_of_its_call() -> None:
    call = 's3.Bucket(\n  self,\n  "A",\n)\n'
    head = PYTHON.replace("\n", "\r\n")
    assert edited(head, call, ".py") == 's3.Bucket(\n  self,\n  "A",\n  enforce_ssl=True,\n)\n'


def test_several_calls_of_one_program_are_changed_together() -> None:
    calls = 's3.Bucket(self, "A")\ns3.Bucket(self, "B", **props)\ns3.Bucket(self, "C")\n'
    places = [Place("", "", line, 1) for line in (6, 5, 4)]
    result = edit_source(PYTHON + calls, ".py", dict.fromkeys(places, ()))
    assert result.text == PYTHON + calls.replace('"A"', '"A", enforce_ssl=True').replace(
        '"C"', '"C", enforce_ssl=True'
    )
    assert list(result.left) == [places[1]]


@pytest.mark.parametrize(
    ("text", "suffix", "why"),
    [
        ("def (", ".py", "is not Python"),
        ("new s3.Bucket(", ".ts", "syntax error"),
        ("x;\n//# sourceMappingURL=stack.js.map", ".js", "compiled from another file"),
        (
            'Object.defineProperty(exports, "__esModule", { value: true });\nx;',
            ".js",
            "compiled from another file",
        ),
        ("class A {}", ".java", "`.java` files cannot be changed"),
    ],
)
def test_a_program_that_cannot_be_read_is_left(text: str, suffix: str, why: str) -> None:
    with pytest.raises(CannotEditSource, match=why):
        edit_source(text, suffix, {Place("", "", 1, 1): ()})
