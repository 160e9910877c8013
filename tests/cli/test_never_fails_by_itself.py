"""Whatever stands in a file, the command has one of its four answers and no fault of its own."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secure_bucket.cli.main import main
from tests.cli.harness import OPEN, SECURE, UNDECIDED

TEXTS = (SECURE, OPEN, UNDECIDED)
PIECES = (
    *(
        '"',
        "'",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "-",
        "\n",
        "\n  ",
        "\t",
        "#",
        "&a ",
        "*a",
        "!Ref ",
        "!Sub ",
        "<<: ",
    ),
    *(
        "null",
        "~",
        "true",
        "1e999",
        "-0",
        "0x",
        "2012-10-17",
        "${A}",
        "${",
        "{{resolve:ssm:a}}",
        "\x00",
        "\ud7ff",
    ),
    *(
        "Resources",
        "Type: ",
        "AWS::S3::Bucket",
        "Fn::If",
        "Fn::ForEach::A",
        "Metadata",
        "SecureBucket",
        "Statement",
    ),
)


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """Return a template in which something was cut out, put in, or doubled."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        text = text[:start] + draw(st.sampled_from((*PIECES, "", text[start:end] * 2))) + text[end:]
    data = text.encode("utf-8", "surrogatepass")
    return draw(
        st.sampled_from((data, data[: len(data) // 2], data.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + data))
    )


@pytest.mark.parametrize("format", ["text", "json", "sarif", "junit", "github", "html"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=mangled())
def test_mangled_template(directory: Path, format: str, content: bytes) -> None:
    Path("a.yaml").write_bytes(content)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["check", "a.yaml", "--format", format, "--output", os.devnull])
        main(["check", "a.yaml"])
    assert code in (0, 1, 2, 3)
    assert "please report it" not in out.getvalue() + err.getvalue()
    if "1 refuted" in err.getvalue():
        assert code != 0
