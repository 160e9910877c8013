"""Run the query of an audit in Amazon Athena, where the logs are."""

from __future__ import annotations

import contextlib
import re
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from msgspec import Struct

from secure_bucket.findings.finding import Fault
from secure_bucket.formats.summary import count
from secure_bucket.operations.audit.audit import Audit, LogError, LogLine, Malformed
from secure_bucket.operations.audit.doubts import Row
from secure_bucket.operations.audit.kinds import HEAD, LogKind, kind_of
from secure_bucket.operations.audit.listing import Missed, list_for_athena
from secure_bucket.operations.audit.local import whole_audit
from secure_bucket.operations.audit.question import Question
from secure_bucket.operations.audit.s3 import Location, StoredLog, parse_location
from secure_bucket.operations.audit.sql_tables import Stored
from secure_bucket.operations.audit.tables import create_table, drop_table, query
from secure_bucket.operations.aws.errors import LiveError, translate_errors
from secure_bucket.operations.aws.session import Session
from secure_bucket.prices import ATHENA_TERABYTE, GET_THOUSAND, LIST_THOUSAND

__all__ = ["Athena", "Estimate", "audit_athena"]

_WORKGROUP = re.compile(r"[A-Za-z0-9._-]{1,128}")
_SHORTEST_WAIT, _LONGEST_WAIT = 0.5, 5.0
_DONE: Final = frozenset(("CANCELLED", "FAILED", "SUCCEEDED"))


class Estimate(Struct, frozen=True):
    """The size and the price of a query.

    Args:
        location: The prefix to read.
        files: The number of objects.
        size: The number of stored bytes.
        partitions: The number of partitions to list.
    """

    location: Location
    files: int
    size: int
    partitions: int = 1

    @property
    def dollars(self) -> float:
        """The price, if a terabyte costs `ATHENA_TERABYTE`. Athena charges for at least 10 MB."""
        return max(self.size, 10_000_000) / 1e12 * ATHENA_TERABYTE

    @property
    def request_dollars(self) -> float:
        """The price of the requests to S3.

        We infer that Athena lists each partition once and requests each object once.
        """
        return self.files / 1000 * GET_THOUSAND + self.partitions / 1000 * LIST_THOUSAND


class Athena(Struct):
    """Runs queries in Athena.

    Args:
        session: The AWS session.
        database: The database for the temporary tables.
        workgroup: The workgroup.
        output_location: The location of the results (default: that of the workgroup).
        sleep: Waits for a number of seconds.
    """

    session: Session
    database: str = "default"
    workgroup: str = "primary"
    output_location: str | None = None
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        if not _WORKGROUP.fullmatch(self.workgroup):
            raise LogError(
                f"`{self.workgroup}` is not a name of a workgroup: letters, digits, `.`, `_` and `-`"
            )
        if self.output_location is not None:
            parse_location(self.output_location)

    def run(self, sql: str) -> str:
        """Run a query and return its id; an interrupt also stops the query in Athena.

        Raises:
            LogError: If the query fails.
            LiveError: If a request to Athena fails.
        """
        client = self.session.client("athena")
        settings: dict[str, Any] = {"WorkGroup": self.workgroup}
        if self.output_location is not None:
            settings["ResultConfiguration"] = {"OutputLocation": self.output_location}
        with translate_errors("athena:StartQueryExecution", f"workgroup `{self.workgroup}`"):
            started = client.start_query_execution(
                QueryString=sql, QueryExecutionContext={"Database": self.database}, **settings
            )
        identity: str = started["QueryExecutionId"]
        try:
            self._wait(client, identity)
        except BaseException as error:
            if not isinstance(error, LogError):
                with contextlib.suppress(LiveError), translate_errors("athena:StopQueryExecution"):
                    client.stop_query_execution(QueryExecutionId=identity)
            raise
        return identity

    def rows(self, identity: str) -> Iterator[Row]:
        """Yield the rows of a finished query.

        Raises:
            LiveError: If a request to Athena fails.
        """
        client = self.session.client("athena")
        names: list[str] | None = None
        with translate_errors("athena:GetQueryResults", f"query `{identity}`"):
            for page in client.get_paginator("get_query_results").paginate(QueryExecutionId=identity):
                for row in page["ResultSet"]["Rows"]:
                    values = [cell.get("VarCharValue") for cell in row["Data"]]
                    if names is None:
                        names = [str(value) for value in values]
                    else:
                        yield dict(zip(names, values, strict=True))

    def _wait(self, client: Any, identity: str) -> None:
        pause = _SHORTEST_WAIT
        while True:
            with translate_errors("athena:GetQueryExecution", f"query `{identity}`"):
                status = client.get_query_execution(QueryExecutionId=identity)["QueryExecution"]["Status"]
            if status["State"] in _DONE:
                break
            self.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_WAIT)
        if status["State"] != "SUCCEEDED":
            why = " ".join(str(status.get("StateChangeReason") or "it does not say why").split())[:500]
            how = "was cancelled" if status["State"] == "CANCELLED" else "failed"
            raise LogError(f"query `{identity}` of Athena {how}: {why}")


def audit_athena(
    argument: str,
    question: Question,
    athena: Athena,
    *,
    stored: Stored | None = None,
    confirm: Callable[[Estimate], bool],
) -> Audit | None:
    """Audit the logs below an S3 prefix with Athena.

    Args:
        argument: `s3://bucket/prefix`.
        question: The question.
        athena: The access to Athena.
        stored: The kind of logs (default: detected from one of them).
        confirm: Receives the price, and returns whether to continue.

    Returns:
        The audit; `None` if `confirm` declined.

    Raises:
        LogError: If there are no logs, or a query fails.
        LiveError: If a request to AWS fails.
    """
    location = parse_location(argument)
    if location.prefix and not location.prefix.endswith("/"):
        location = Location(location.bucket, f"{location.prefix}/")
    listing = list_for_athena(location, athena.session, question)
    if listing is None or not listing.files:
        asked = question.since is not None or question.until is not None
        reasons = "; ".join(_fault(location, missed).message for missed in listing.missed) if listing else ""
        raise LogError(
            f"`{argument}` contains no log{' of the time that is asked for' if asked else ''} "
            f"that Athena reads{f': {reasons}' if reasons else ''}"
        )
    kinds = {table: stored or _stored(location, table.some, athena.session) for table in listing.tables}
    first = next(iter(kinds.values()))
    others = [table for table, kind in kinds.items() if kind != first]
    faults = [_fault(location, missed) for missed in listing.missed]
    faults += [
        Fault(
            f"s3://{location.bucket}/{table.some.key}",
            f"`{table.some.key}` is another kind of log than `{listing.tables[0].some.key}`: audit each "
            "with a longer prefix",
        )
        for table in others
    ]
    layouts = [table.layout for table in listing.tables if table not in others]
    names = [f"secure_bucket_audit_{uuid.uuid4().hex[:12]}" for _ in layouts]
    creates = [
        create_table(first, athena.database, name, location, layout, question)
        for name, layout in zip(names, layouts, strict=True)
    ]
    select = query(first, athena.database, names, question)
    if not confirm(Estimate(location, listing.files, listing.size, listing.partitions)):
        return None
    with contextlib.ExitStack() as drops:
        for name, create in zip(names, creates, strict=True):
            drops.callback(athena.run, drop_table(athena.database, name))
            athena.run(create)
        rows = list(athena.rows(athena.run(select)))
    return whole_audit((argument,), rows, question, _malformed(rows), listing.files, faults=tuple(faults))


def _fault(location: Location, missed: Missed) -> Fault:
    return Fault(
        f"s3://{location.bucket}/{missed.example}",
        f"{count(missed.files, 'object')} below `{location}`, as `{missed.example}`, {missed.why}",
    )


def _malformed(rows: list[Row]) -> Malformed:
    lines = [row for row in rows if row["level"] == "group" and row["answer"] == "malformed"]
    if not lines:
        return Malformed()
    places = tuple(
        LogLine(str(row["file"]), 0, f"{row['requests']} lines: {row['why']}") for row in lines[:5]
    )
    return Malformed(int(lines[0]["all_requests"]), places)


def _stored(location: Location, log: StoredLog, session: Session) -> Stored:
    """Detect the kind of logs from the beginning of one of them."""
    client = session.client("s3")
    with translate_errors("s3:GetObject", f"`s3://{location.bucket}/{log.key}`"):
        body = client.get_object(Bucket=location.bucket, Key=log.key, Range=f"bytes=0-{HEAD - 1}")["Body"]
        head: bytes = body.read()
    if head.startswith(b"\x1f\x8b"):
        with contextlib.suppress(zlib.error):
            head = zlib.decompressobj(wbits=31).decompress(head, HEAD)
    kind = kind_of(head)
    if kind is LogKind.ACCESS_LINES:
        return "access"
    if kind is LogKind.DOCUMENT or (kind is None and head.lstrip().startswith(b'{"Records"')):
        return "cloudtrail"
    raise LogError(
        f"`s3://{location.bucket}/{log.key}` is neither the text of an access log nor a file of CloudTrail: "
        "Athena is asked about one of them (--logs-are), other logs are read without --athena"
    )
