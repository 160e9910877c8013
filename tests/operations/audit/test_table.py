"""Tables in lines of text."""

from __future__ import annotations

import pytest

from secure_bucket.operations.audit.table import table

HEAD = ("requests", "who", "agent")
ROWS = (
    ("1,234", f"arn:aws:iam::111122223333:user/{'x' * 100}", "[bold]curl[/bold] :smile:"),
    ("5", "-", "é"),
)


@pytest.mark.parametrize("term", ["dumb", "xterm"])
def test_nothing_is_broken_without_a_width(monkeypatch: pytest.MonkeyPatch, term: str) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", term)
    head, first, second = table(HEAD, ROWS, numbers=1)
    assert head.split() == list(HEAD)
    assert first.split() == ["1,234", ROWS[0][1], "[bold]curl[/bold]", ":smile:"]
    assert second.split() == ["5", "-", "é"]
    assert first.index(ROWS[0][1]) == second.index("-") == head.index("who")


def test_what_is_too_long_goes_on_below() -> None:
    lines = list(table(HEAD, ROWS, numbers=1, width=60))
    assert max(map(len, lines)) <= 60
    assert "".join(line[10:].split("  ")[1] for line in lines[1:-1] if line[10:].strip()).startswith(
        "arn:aws"
    )
    assert sum(line.count("x") for line in lines) == 100


def test_narrow_terminal_gets_paragraphs() -> None:
    lines = list(table(HEAD, ROWS, numbers=1, width=20))
    assert lines[0] == "  requests 1,234,"
    assert "who" in " ".join(lines)
