"""From a place to all of the text that stands there."""

from __future__ import annotations

import time

import pytest

from secure_bucket.formats.extent import Excerpts
from secure_bucket.template import parse_document
from secure_bucket.values.unknown import Place

JSON = """{
  "Resources": {
    "A": {"Type": "X", "List": ["one, [two]", 2, {"deep": "}\\" ]"}], "Word": true},
    "B": {
      "List": [
        {"Effect": "Deny",
         "Condition": {"Bool": {"k": "v"}}},
        {"Effect": "Allow"}
      ],
      "Text": "t", "Number": 1.5e3
    }
  }
}"""
YAML = """Resources:
  "Quoted Name":
    Type: X
  B:   # a comment
    List:
    - Effect: Deny
      "Condition":
        Bool: {k: "v}"}

      # a comment
      Last: |
        text
          more
    - {Effect: Allow, List: [1, "]", 'it''s']}
    - {Url: http://x/#y, It: it's, Z: {a: 1}}   # {
    - - nested
      - again
    Flow: {a: 1,
           b: [2]}
    Plain: word
  C: {D: {E: f}}
"""
CASES = [
    (JSON, "/Resources/A", '"A"'),
    (JSON, "/Resources/A/List", '"List": ["one, [two]", 2, {"deep": "}\\" ]"}]'),
    (JSON, "/Resources/A/List/0", '"one, [two]"'),
    (JSON, "/Resources/A/List/2", '{"deep": "}\\" ]"}'),
    (JSON, "/Resources/A/Word", '"Word": true'),
    (
        JSON,
        "/Resources/B/List/0",
        '{"Effect": "Deny",\n         "Condition": {"Bool": {"k": "v"}}}',
    ),
    (JSON, "/Resources/B/List/0/Condition/Bool/k", '"k": "v"'),
    (JSON, "/Resources/B/Text", '"Text": "t"'),
    (JSON, "/Resources/B/Number", '"Number": 1.5e3'),
    (YAML, "/Resources/Quoted Name", '"Quoted Name"'),
    (YAML, "/Resources/B", "B"),
    (
        YAML,
        "/Resources/B/List/0",
        'Effect: Deny\n      "Condition":\n        Bool: {k: "v}"}\n\n      # a comment\n      Last: |\n'
        "        text\n          more",
    ),
    (YAML, "/Resources/B/List/0/Effect", "Effect: Deny"),
    (YAML, "/Resources/B/List/0/Condition", '"Condition":\n        Bool: {k: "v}"}'),
    (YAML, "/Resources/B/List/0/Last", "Last: |\n        text\n          more"),
    (YAML, "/Resources/B/List/1", "{Effect: Allow, List: [1, \"]\", 'it''s']}"),
    (YAML, "/Resources/B/List/3/1", "again"),
    (YAML, "/Resources/B/Flow", "Flow: {a: 1,\n           b: [2]}"),
    (YAML, "/Resources/B/Plain", "Plain: word"),
    (YAML, "/Resources/B/List/2", "{Url: http://x/#y, It: it's, Z: {a: 1}}"),
]


@pytest.mark.parametrize(("text", "pointer", "expected"), CASES, ids=[pointer for _, pointer, _ in CASES])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_the_extent_of_what_the_reader_places(text: str, pointer: str, expected: str, ends: str) -> None:
    written = text.replace("\n", ends)
    place = parse_document(written, "t").place(pointer)
    assert place.line
    extent = Excerpts({"t": written}.get).at(place)
    assert extent is not None
    assert extent.text == expected
    assert extent.end_line == place.line + expected.count("\n")


def test_the_whole_list_of_a_yaml_member_belongs_to_it() -> None:
    place = parse_document(YAML, "t").place("/Resources/B/List")
    extent = Excerpts({"t": YAML}.get).at(place)
    assert extent is not None
    assert (extent.line, extent.end_line) == (5, 17)


@pytest.mark.parametrize(
    "place",
    [
        Place(),
        Place("/a/b/c", "t"),
        Place("/a/b/c", "t", 99, 1),
        Place("/a/b/c", "t", 1, 99),
        Place("/a/b/c", "t", 2, 1),
        Place("", "t", 2, 2),
    ],
)
def test_a_place_that_is_not_in_the_text_has_no_extent(place: Place) -> None:
    assert Excerpts({"t": "a: 1\n   "}.get).at(place) is None
    assert Excerpts({}.get).at(place) is None


def test_a_line_of_a_program_is_marked_without_its_indentation() -> None:
    extent = Excerpts({"a.py": "class A:\n    b: B = B()  \n"}.get).at(Place("", "a.py", 2, 1))
    assert extent is not None
    assert (extent.column, extent.text) == (5, "b: B = B()")


@pytest.mark.parametrize("text", ['{"a": [1', "{", '"', "a: [", "- x", "[", "'", '{"a": "\\'])
def test_a_text_that_breaks_off_is_no_obstacle(text: str) -> None:
    for column in range(1, len(text) + 1):
        extent = Excerpts({"t": text}.get).at(Place("/a/b/c/0", "t", 1, column))
        assert extent is not None
        assert extent.text
        assert len(extent.lines) == extent.end_line - extent.line + 1


@pytest.mark.parametrize("piece", [" /*", "'", '"', "{", "# ", '\\\\"', "[ ]"])
def test_a_hostile_text_takes_no_longer_than_its_length(piece: str) -> None:
    text = "{" + piece * (400_000 // len(piece))
    start = time.process_time()
    assert Excerpts({"t": text}.get).at(Place("/a/b/c/d", "t", 1, 1)) is not None
    assert time.process_time() - start < 5


def test_a_file_is_read_once_for_all_its_findings() -> None:
    read: list[str] = []

    def source(file: str) -> str:
        read.append(file)
        return JSON

    excerpts = Excerpts(source)
    for file in ("a", "a", "b", "b"):
        excerpts.at(Place("/a/b/c", file, 2, 3))
    assert read == ["a", "b"]
