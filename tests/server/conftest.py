"""A real S3 endpoint for the tests of this folder, started once for each worker of pytest-xdist."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("boto3", reason="boto3 is not installed: pip install 'secure-bucket[aws]'")

from tests.server.ministack import ABSENT, Ministack, python, running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    """A running ministack; the tests are skipped where it is not installed."""
    if python() is None:
        pytest.skip(ABSENT)
    with running(tmp_path_factory.mktemp("ministack")) as started:
        yield started
