"""An AWS for each test, and no way to a real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from secure_bucket.operations.aws.session import Session
from secure_bucket.operations.aws.signed_get import SignedGet
from tests.operations.review.aws import Aws, forget_aws, reset, serving


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away whatever this machine knows about AWS."""
    forget_aws(monkeypatch, tmp_path)


@pytest.fixture(scope="session")
def server() -> Iterator[Aws]:
    with serving() as aws:
        yield aws


@pytest.fixture
def aws(server: Aws) -> Iterator[Aws]:
    reset(server)
    yield server
    reset(server)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the API calls that are made, as `service:Operation`."""
    made: list[str] = []
    plain = Session.client

    def client(self: Session, *arguments: object, **settings: object) -> object:
        made_client = plain(self, *arguments, **settings)  # type: ignore[arg-type]

        def note(model: object, params: Any, **_: object) -> None:
            if "placeholder" in params["url"]:
                return  # It is prepared and never sent.
            service = model.service_model.service_name  # type: ignore[attr-defined]
            made.append(f"{service}:{model.name}")  # type: ignore[attr-defined]

        made_client.meta.events.register("before-call", note, unique_id="the test")
        return made_client

    monkeypatch.setattr(Session, "client", client)
    ask = SignedGet.ask

    def asked(self: SignedGet, operation: str, bucket: str, owner: str) -> object:
        answer: object = "refused"
        try:
            answer = ask(self, operation, bucket, owner)
        finally:
            # Without an answer the client asks.
            made.extend([f"s3:{operation}"] if answer is not None else [])
        return answer

    monkeypatch.setattr(SignedGet, "ask", asked)
    return made
