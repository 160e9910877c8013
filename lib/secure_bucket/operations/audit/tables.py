"""Write the tables of Athena, with partition projection for logs in folders of days."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from secure_bucket.operations.audit.audit import LogError
from secure_bucket.operations.audit.dialects import Dialect, chain, write
from secure_bucket.operations.audit.question import Question
from secure_bucket.operations.audit.s3 import LATE, Location
from secure_bucket.operations.audit.sql_report import COLLECT, REPORT
from secure_bucket.operations.audit.sql_tables import Stored, table_source

__all__ = ["Layout", "Unit", "create_table", "drop_table", "query"]

Unit: TypeAlias = Literal["DAYS", "MONTHS", "YEARS"]

# The formats for the folder of a day, a month or a year in Python and Java.
_FORMATS: Final[dict[Unit, tuple[str, str]]] = {
    "DAYS": ("%Y/%m/%d", "yyyy/MM/dd"),
    "MONTHS": ("%Y/%m", "yyyy/MM"),
    "YEARS": ("%Y", "yyyy"),
}

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,127}")

# One column with the whole line, which the query cuts in the same way on every engine. The expression in the
# AWS guides allows no quotation mark in a user agent, and turns a line that does not match into an empty row.
_ACCESS_COLUMNS: Final = ("`line` string",)

# The members of an event that the query reads. Members without a fixed form stay text.
# https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-partition-projection.html
_EVENT_COLUMNS: Final = (
    "`eventversion` string",
    "`useridentity` struct<type:string,principalid:string,arn:string,accountid:string,invokedby:string>",
    "`eventtime` string",
    "`eventsource` string",
    "`eventname` string",
    "`sourceipaddress` string",
    "`useragent` string",
    "`errorcode` string",
    "`requestparameters` string",
    "`additionaleventdata` string",
    "`readonly` string",
    "`eventtype` string",
    "`managementevent` string",
    "`eventcategory` string",
    "`vpcendpointid` string",
    "`sessioncredentialfromconsole` string",
    "`resources` array<struct<arn:string,accountid:string,type:string>>",
    "`tlsdetails` struct<tlsversion:string,ciphersuite:string,clientprovidedhostheader:string>",
)

_STORED: Final = {
    "access": (
        _ACCESS_COLUMNS,
        "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.RegexSerDe'\n"
        "WITH SERDEPROPERTIES ('input.regex' = '(?s)(.*)')",
        "org.apache.hadoop.mapred.TextInputFormat",
    ),
    "cloudtrail": (
        _EVENT_COLUMNS,
        "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'",
        "com.amazon.emr.cloudtrail.CloudTrailInputFormat",
    ),
}


class Layout(Struct, frozen=True):
    """The form of the keys of the logs after the prefix.

    Args:
        folders: The levels of folders before the year, outermost first, each with all of its names.
        dated: Whether folders of the year, the month and the day follow.
        first: The first day; `None` if it is unknown.
        unit: The time span of a partition; Athena reads whole partitions.
    """

    folders: tuple[tuple[str, ...], ...] = ()
    dated: bool = False
    first: datetime.date | None = None
    unit: Unit = "DAYS"

    def span(self, question: Question) -> tuple[datetime.date | None, datetime.date]:
        """Return the first and the last day of the partitions; an unknown first day is `None`."""
        first = self.first
        if question.since is not None:
            since = question.since.astimezone(datetime.timezone.utc).date()
            first = since if first is None else max(first, since)
        last = question.now.astimezone(datetime.timezone.utc).date()
        if question.until is not None:
            # The folders of S3 may show the day of delivery.
            last = min(last, question.until.astimezone(datetime.timezone.utc).date() + LATE)
        return first, last

    def reads(self, day: datetime.date, question: Question) -> bool:
        """Tell whether the partitions contain a day."""
        if not self.dated:
            return True
        form, _ = _FORMATS[self.unit]
        first, last = self.span(question)
        # These texts sort like the days.
        return (first is None or f"{first:{form}}" <= f"{day:{form}}") and f"{day:{form}}" <= f"{last:{form}}"

    def partitions(self, question: Question) -> int:
        """Return the number of partitions of the table, including empty ones."""
        number = 1
        if self.dated:
            first, last = self.span(question)
            first = first or last - datetime.timedelta(days=365)
            months = (last.year - first.year) * 12 + last.month - first.month
            units = {"DAYS": (last - first).days, "MONTHS": months, "YEARS": last.year - first.year}
            number = max(units[self.unit] + 1, 1)
        for names in self.folders:
            number *= len(names)
        return number


def create_table(
    stored: Stored, database: str, table: str, location: Location, layout: Layout, question: Question
) -> str:
    """Return the statement that creates the table.

    Args:
        stored: The kind of logs.
        database: Its database.
        table: Its name.
        location: The location of the logs.
        layout: The form of their keys.
        question: The question, which limits the days of the partitions.

    Raises:
        LogError: If a name or the location is invalid in Athena.
    """
    columns, serde, input_format = _STORED[stored]
    where = _folder(location)
    lines = [
        f"CREATE EXTERNAL TABLE {_hive_name(database)}.{_hive_name(table)} (",
        "  " + ",\n  ".join(columns),
        ")",
    ]
    partitions = [f"`{name}` string" for name in _partitions(layout)]
    if partitions:
        lines.append(f"PARTITIONED BY ({', '.join(partitions)})")
    lines += [
        serde,
        f"STORED AS INPUTFORMAT '{input_format}'",
        "OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'",
        f"LOCATION {_hive_text(where)}",
    ]
    if partitions:
        properties = ",\n  ".join(
            f"{_hive_text(name)} = {_hive_text(value)}"
            for name, value in _projection(where, layout, question)
        )
        lines.append(f"TBLPROPERTIES (\n  {properties}\n)")
    return "\n".join(lines)


def drop_table(database: str, table: str) -> str:
    """Return the statement that drops the table; the logs stay."""
    return f"DROP TABLE IF EXISTS {_hive_name(database)}.{_hive_name(table)}"


def query(
    stored: Stored, database: str, tables: Sequence[str], question: Question, dialect: Dialect = "athena"
) -> str:
    """Return the query over the tables, which is the same as for files on this machine.

    Raises:
        LogError: If a name is invalid in Athena.
    """
    named = [f'"{_checked(database)}"."{_checked(table)}"' for table in tables]
    sql = chain(table_source(stored, named) | {"collected": COLLECT}, REPORT)
    return write(sql, dialect, question.values())


def _projection(where: str, layout: Layout, question: Question) -> Iterator[tuple[str, str]]:
    yield "projection.enabled", "true"
    template = where
    for number, names in enumerate(layout.folders, 1):
        if len(names) == 1:
            template += f"{names[0]}/"
            continue
        for name in names:
            if "," in name or name != name.strip():
                raise LogError(
                    f"the folder `{name}` below `{where}` cannot be the name of a partition in Athena"
                )
        yield f"projection.folder{number}.type", "enum"
        yield f"projection.folder{number}.values", ",".join(names)
        template += f"${{folder{number}}}/"
    if layout.dated:
        yield "projection.day.type", "date"
        yield "projection.day.format", _FORMATS[layout.unit][1]
        yield "projection.day.range", ",".join(_days(layout, question))
        yield "projection.day.interval", "1"
        yield "projection.day.interval.unit", layout.unit
        template += "${day}/"
    yield "storage.location.template", template


def _days(layout: Layout, question: Question) -> tuple[str, str]:
    form, _ = _FORMATS[layout.unit]
    first, last = layout.span(question)
    to = "NOW" if last >= question.now.date() else f"{last:{form}}"
    return (f"{first:{form}}" if first is not None else "NOW-1YEARS"), to


def _partitions(layout: Layout) -> list[str]:
    folders = [f"folder{number}" for number, names in enumerate(layout.folders, 1) if len(names) > 1]
    return [*folders, *(["day"] if layout.dated else [])]


def _folder(location: Location) -> str:
    prefix = (
        location.prefix if location.prefix.endswith("/") or not location.prefix else f"{location.prefix}/"
    )
    if "${" in prefix or not prefix.isprintable():
        raise LogError(f"the prefix of `{location}` has characters that Athena takes for something else")
    return f"s3://{location.bucket}/{prefix}"


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise LogError(
            f"`{name}` is not a name of a database or a table of Athena: letters, digits, `_` and `-`"
        )
    return name


def _hive_name(name: str) -> str:
    return f"`{_checked(name)}`"


def _hive_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
