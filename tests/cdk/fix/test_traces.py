"""Our own questions are asked without stack traces; those of the app stay as they are."""

from __future__ import annotations

import os

import pytest

from secure_bucket.cdk.fix.stack_traces import without_traces

NAME = "JSII_HOST_STACK_TRACES"


@pytest.mark.parametrize("before", ["1", "0", None])
def test_traces_are_off_for_a_while_and_then_as_before(
    before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if before is None:
        monkeypatch.delenv(NAME, raising=False)
    else:
        monkeypatch.setenv(NAME, before)
    with without_traces():
        assert os.environ[NAME] == "0"
    assert os.environ.get(NAME) == before
