"""What to change in each client: told by the user agents that clients really send."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from msgspec.structs import replace

from secure_bucket.operations.audit import audit_logs
from secure_bucket.operations.audit.families import FAMILIES, FIND_OWNER, advice, family_of
from secure_bucket.operations.audit.text_report import render
from tests.operations.audit.records import NOW, Record, http

# As they stand in logs; the first ones with the brackets that CloudTrail adds.
SEEN = {
    "[Boto3/1.9.190 Python/3.7.3 Darwin/18.6.0 Botocore/1.12.190]": "boto3 and botocore",
    "[aws-cli/2.2.14 Python/3.9.5 Darwin/20.4.0 source/x86_64 prompt/off command/s3.cp]": "AWS CLI",
    "[aws-sdk-go/0.24.0 (go1.22.6; linux; amd64)]": "AWS SDK for Go 1",
    "aws-sdk-go-v2/1.36.3 ua/2.1 os/macos lang/go#1.23.8 api/s3#1.79.3 m/Z,g": "AWS SDK for Go 2",
    "aws-sdk-java/2.25.11 Linux/5.10 OpenJDK_64-Bit_Server_VM/17.0.9": "AWS SDK for Java 2",
    "aws-sdk-java/1.12.400 Linux/5.10 OpenJDK_64-Bit_Server_VM/11.0.18": "AWS SDK for Java 1",
    "Hadoop 3.3.4, aws-sdk-java/1.12.262 Linux/5.10": "Hadoop S3A and EMRFS",
    "ElasticMapReduce/1.0.0 emrfs/s3n user:hadoop, aws-sdk-java/1.12.31": "Hadoop S3A and EMRFS",
    "APN/1.0 Snowflake/1.0 aws-sdk-java/1.12": "Snowflake",
    "Trino, aws-sdk-java/2.20": "Trino and Presto",
    "aws-sdk-nodejs/2.1400.0 linux/v18.16.0": "AWS SDK for JavaScript 2",
    "aws-sdk-js/3.310.0 ua/2.0 os/linux lang/js md/nodejs#18.16.0 api/s3#3.310.0": "AWS SDK for JavaScript 3",
    "aws-sdk-dotnet-core/3.7.103.24": "AWS SDK for .NET and Tools for PowerShell",
    "aws-sdk-php/3.257.8 OS/Linux lang/php/8.1.14 GuzzleHttp/7": "AWS SDK for PHP",
    "aws-sdk-ruby3/3.170.0 ruby/3.1.3 x86_64-linux aws-sdk-s3/1.119.0": "AWS SDK for Ruby",
    "aws-sdk-cpp/1.9.379 Linux/5.10 x86_64 GCC/7.3.1": "AWS SDK for C++",
    "aws-sdk-rust/1.3.3 os/linux lang/rust/1.78.0": "AWS SDKs for Rust, Kotlin and Swift",
    "MinIO (linux; amd64) minio-go/v7.0.63 mc/RELEASE.2023-09-29": "MinIO client and SDKs",
    "rclone/v1.65.0": "rclone",
    "s3fs/1.90 (commit hash unknown; OpenSSL)": "s3fs",
    "mountpoint-s3/1.4.0": "Mountpoint for Amazon S3",
    "Amazon CloudFront": "CloudFront in front of the bucket",
    "Wget/1.21.3": "Wget",
    "python-requests/2.31.0": "Python without an SDK",
    "Debian APT-HTTP/1.3 (2.4.10)": "apt, yum and dnf",
    "Go-http-client/1.1": "Go without an SDK",
    "Apache-HttpClient/4.5.13 (Java/11.0.18)": "Java without an SDK",
    "ESP32HTTPClient": "media players and devices",
    "Lavf/58.76.100": "media players and devices",
    "Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0": "browsers, through links",
    # Sent to a server on the same machine in 2026-11 by the packages of that day.
    "aws-cli/1.46.3 md/Botocore#1.43.62 ua/2.1 os/linux#6.18 md/arch#x86_64 lang/python#3.11.7": "AWS CLI",
    "aiobotocore/3.10.0 md/Botocore#1.43.117 ua/2.1 os/linux#6.18 lang/python#3.11.7": "boto3 and botocore",
    "aws-sdk-js/3.1174.0 ua/2.1 os/linux#6.18 lang/js md/nodejs#20.20.2": "AWS SDK for JavaScript 3",
    "aws-sdk-nodejs/2.1693.0 linux/v20.20.2 callback": "AWS SDK for JavaScript 2",
    "MinIO (Linux; x86_64) minio-py/7.2.20": "MinIO client and SDKs",
    "MinIO (linux; x64) minio-js/8.0.7": "MinIO client and SDKs",
    "python-httpx/0.28.1": "Python without an SDK",
    "Python/3.11 aiohttp/3.14.5": "Python without an SDK",
    "python-urllib3/2.8.0": "Python without an SDK",
    "axios/1.21.1": "Node.js without an SDK",
    "node-fetch": "Node.js without an SDK",
    "undici": "Node.js without an SDK",
    "node": "Node.js without an SDK",
    "got (https://github.com/sindresorhus/got)": "Node.js without an SDK",
    "curl/7.88.1": "curl",
}


@pytest.mark.parametrize(("user_agent", "name"), SEEN.items())
def test_user_agents_that_were_seen(user_agent: str, name: str) -> None:
    family = family_of(user_agent)
    assert family is not None
    assert family.name == name


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, list[str]]]:
    """A server over plain HTTP, and the user agents that asked it."""
    agents: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            agents.append(self.headers.get("User-Agent", "-"))
            body = b"<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    listening = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_address[1]}", agents
    listening.shutdown()
    listening.server_close()


def test_boto3_really_sends_it(server: tuple[str, list[str]], environment: None) -> None:
    boto3 = pytest.importorskip("boto3")
    url, agents = server
    boto3.client("s3", region_name="eu-west-1", endpoint_url=url).list_buckets()
    assert advice(agents[-1]).startswith("boto3 and botocore: ")


def test_python_really_sends_it(server: tuple[str, list[str]]) -> None:
    url, agents = server
    urllib.request.urlopen(url).close()
    assert advice(agents[-1]).startswith("Python without an SDK: ")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("requests", "Python without an SDK"),
        ("minio", "MinIO client and SDKs"),
        ("httpx", "Python without an SDK"),
    ],
)
def test_libraries_really_send_it(server: tuple[str, list[str]], module: str, name: str) -> None:
    library = pytest.importorskip(module)
    url, agents = server
    if module == "minio":
        library.Minio(
            url.removeprefix("http://"), "key", "secret", secure=False, region="eu-west-1"
        ).list_buckets()
    else:
        library.get(url)
    assert advice(agents[-1]).startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["curl", "-s"], "curl"),
        (["wget", "-q", "-O", "/dev/null"], "Wget"),
    ],
)
def test_programs_really_send_it(server: tuple[str, list[str]], command: list[str], name: str) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]}")
    url, agents = server
    subprocess.run([*command, url], check=True, capture_output=True)
    assert advice(agents[-1]).startswith(f"{name}: ")


@pytest.mark.parametrize("user_agent", ["Scanner/2.1", "x", "our-own-tool 3"])
def test_an_unknown_client_is_unknown_and_has_an_owner(user_agent: str) -> None:
    assert family_of(user_agent) is None
    assert advice(user_agent) == FIND_OWNER
    assert "no known client: find its owner" in FIND_OWNER


@pytest.mark.parametrize("user_agent", ["-", "", "[-]"])
def test_a_client_without_a_user_agent_may_be_one_that_sends_none(user_agent: str) -> None:
    # Measured: s3cmd 2.4 and `request` of undici 7 send no user agent.
    assert family_of(user_agent) is None
    assert advice(user_agent).startswith("it sends no user agent, as s3cmd and `request` of undici do; ")
    assert advice(user_agent).endswith(FIND_OWNER)


def test_the_page_shows_every_family_as_the_data_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).parents[3]
    monkeypatch.syspath_prepend(str(root / "tools" / "documentation"))
    page = "\n".join(importlib.import_module("reference").clients()).replace("&#124;", "|")
    assert '--8<-- "clients.md"' in (root / "docs/how-to/move-clients.md").read_text(encoding="utf-8")
    for family in FAMILIES:
        _, found, chapter = page.partition(f"### {family.name[0].upper()}{family.name[1:]}\n")
        assert found
        chapter = chapter.partition("\n### ")[0]
        for text in (family.cause, family.before, family.after, family.check, family.document, family.tls):
            assert text in chapter


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_family_says_what_to_change_and_where_it_is_written(family: object) -> None:
    (family,) = [each for each in FAMILIES if each is family]
    assert family.before != family.after
    assert (
        "http" in f"{family.before}{family.cause}".lower()
        or "ssl" in family.before.lower()
        or ("secure" in family.before or "allow-all" in family.before)
    )
    assert re.fullmatch(r"https://[\w./#?=-]+", family.document)
    assert family.cause
    assert family.check


def test_old_tls_needs_another_version_and_no_other_setting() -> None:
    told = advice("aws-sdk-java/1.11.1", old_tls=True)
    assert told.startswith("AWS SDK for Java 1: needs Java 8 or newer for TLS 1.2")


def test_the_report_says_what_to_change(tmp_path: Path) -> None:
    plain = http(Record(user_agent="rclone/v1.65.0"))
    records = [
        plain,
        plain,
        http(Record(user_agent="Scanner/2.1")),
        Record(user_agent="Wget/1.21", tls="TLSv1"),
    ]
    records.append(replace(plain, user_agent="python-requests/2.31.0", status="403"))
    (tmp_path / "log").write_text("".join(f"{each.line}\n" for each in records))
    text = render(audit_logs(tmp_path / "log", now=NOW, minimum_tls=1.2))
    told = text.partition("what to change:\n")[2].partition("\n\n")[0].splitlines()
    assert told[0].startswith(
        "  2 requests: rclone: an endpoint that begins with `http://`; change `endpoint = http:"
    )
    assert sorted(told[1:], reverse=True) == [
        f"  1 request: {FIND_OWNER}",
        "  1 request: Wget: needs Wget 1.16 with OpenSSL 1.0.1 or newer for TLS 1.2 "
        "(https://www.gnu.org/software/wget/manual/wget.html)",
    ]


@pytest.mark.parametrize("user_agent", SEEN)
def test_code_in_the_advice_is_between_single_backticks(user_agent: str) -> None:
    told = advice(user_agent)
    assert "``" not in told
    assert told.count("`") % 2 == 0
