"""A real S3 endpoint that enforces bucket policies, over HTTP and HTTPS: ministack, on ports of its own.

    with running(directory) as server:
        server.client("s3").create_bucket(Bucket="reports")       # as the root of the account, over HTTPS
        server.client("s3", server.user(), plain=True)             # as a user, over plain HTTP

It lives in an environment of its own, as it pins botocore: `make .venv-ministack/.installed` installs it, or
`SECURE_BUCKET_MINISTACK` names a Python that has it. Its own command would listen on all addresses and speak
one scheme only; Hypercorn, which it brings, listens on 127.0.0.1 and speaks both.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import trustme
from botocore.config import Config

ACCOUNT = "000000000000"
REGION = "us-east-1"
ABSENT = "ministack is not installed: make .venv-ministack/.installed"

_ROOT = Path(__file__).parents[2]
_SERVICES = "s3,iam,sts,cloudformation,ssm,kms,sns,logs,events,cloudwatch"
# Hypercorn, in one process, that ends with the one that started it, however that one ends.
_HYPERCORN = """
import os, runpy, sys, threading

def end_with_the_tests():
    sys.stdin.buffer.read()
    os.killpg(0, 9)

threading.Thread(target=end_with_the_tests, daemon=True).start()
runpy.run_module("hypercorn", run_name="__main__")
"""
_SECONDS_TO_START = 60
_STARTS = 3


@dataclass(frozen=True)
class Keys:
    """An access key, with its secret and perhaps a session token."""

    key: str
    secret: str
    token: str | None = None


# The root of the account is never denied anything, so nothing is shown by what it may do.
ROOT = Keys("test", "test")


@dataclass
class Ministack:
    """A running server.

    Args:
        http_url: Where it speaks plain HTTP.
        https_url: Where it speaks HTTPS.
        ca_bundle: The file with the authority that signed its certificate.
        directory: A directory of its own, for whatever goes with it.
    """

    http_url: str
    https_url: str
    ca_bundle: str
    directory: Path
    _users: dict[str, Keys] = field(default_factory=dict)

    def client(self, service: str, keys: Keys = ROOT, *, plain: bool = False) -> Any:
        """Return a client of boto3: as the root and over HTTPS unless told otherwise."""
        return boto3.client(
            service,
            endpoint_url=self.http_url if plain else self.https_url,
            verify=self.ca_bundle,
            region_name=REGION,
            aws_access_key_id=keys.key,
            aws_secret_access_key=keys.secret,
            aws_session_token=keys.token,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
        )

    def user(self, name: str = "tester", policy: dict[str, Any] | None = None) -> Keys:
        """Return the key of a user, who is made if need be.

        Args:
            name: The name of the user.
            policy: What the user may do: everything with S3 and STS unless given.
        """
        if name not in self._users:
            iam = self.client("iam")
            iam.create_user(UserName=name)
            everything = {"Effect": "Allow", "Action": ["s3:*", "sts:*"], "Resource": "*"}
            document = json.dumps(policy or {"Version": "2012-10-17", "Statement": [everything]})
            iam.put_user_policy(UserName=name, PolicyName="allowed", PolicyDocument=document)
            key = iam.create_access_key(UserName=name)["AccessKey"]
            self._users[name] = Keys(key["AccessKeyId"], key["SecretAccessKey"])
        return self._users[name]

    def bucket(self, policy: object = None, *, public: bool = False) -> str:
        """Return the name of a new bucket.

        Args:
            policy: Its policy, in which `BUCKET` stands for the name; none unless given.
            public: Whether the policy may let in everybody, which S3 prevents unless told otherwise.
        """
        name = f"b-{uuid.uuid4().hex[:20]}"
        s3 = self.client("s3")
        s3.create_bucket(Bucket=name)
        if public:
            s3.delete_public_access_block(Bucket=name)
        if policy is not None:
            s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy).replace("BUCKET", name))
        return name

    def deploy(self, template: dict[str, Any] | str, **parameters: str) -> dict[str, str]:
        """Create a stack from a template, and return the physical ids of its resources by their logical ids.

        Raises:
            AssertionError: If it cannot be created.
        """
        cloudformation = self.client("cloudformation")
        name = f"stack-{uuid.uuid4().hex[:12]}"
        cloudformation.create_stack(
            StackName=name,
            TemplateBody=template if isinstance(template, str) else json.dumps(template),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        status = ""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
            status = stack["StackStatus"]
            if not status.endswith("_IN_PROGRESS"):
                break
            time.sleep(0.1)
        assert status == "CREATE_COMPLETE", f"{status}: {stack.get('StackStatusReason')}"
        resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}

    def environment(self, keys: Keys = ROOT) -> dict[str, str]:
        """Return what a command needs in its environment to take this server for AWS."""
        found = {
            "AWS_ENDPOINT_URL": self.https_url,
            "AWS_CA_BUNDLE": self.ca_bundle,
            "AWS_ACCESS_KEY_ID": keys.key,
            "AWS_SECRET_ACCESS_KEY": keys.secret,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        return found | ({"AWS_SESSION_TOKEN": keys.token} if keys.token else {})


def python() -> str | None:
    """Return the Python that has ministack; `None` if there is none."""
    named = os.environ.get("SECURE_BUCKET_MINISTACK", str(_ROOT / ".venv-ministack" / "bin" / "python"))
    return named if os.access(named, os.X_OK) else None


@contextlib.contextmanager
def running(directory: Path) -> Iterator[Ministack]:
    """Start a server, and end it.

    Args:
        directory: An empty directory for its certificate, its state and its log.

    Raises:
        RuntimeError: If it does not start, with the end of its log.
    """
    executable = python()
    if executable is None:
        raise RuntimeError(ABSENT)
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(directory / "ca.pem")
    certificate.private_key_pem.write_to_path(directory / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(directory / "certificate.pem")
    for attempt in range(_STARTS):
        http, https = _free_ports(2)
        process = _start(executable, directory, http, https)
        try:
            server = Ministack(
                f"http://127.0.0.1:{http}", f"https://127.0.0.1:{https}", str(directory / "ca.pem"), directory
            )
            if _comes_up(process, server):
                yield server
                return
            if attempt == _STARTS - 1:
                log = (directory / "log").read_text(errors="replace")
                raise RuntimeError(f"ministack does not start:\n{log[-2000:]}")
        finally:
            # It can hang on connections that are kept alive when it is asked politely.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdin is not None:
                process.stdin.close()


def _start(executable: str, directory: Path, http: int, https: int) -> subprocess.Popen[bytes]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    environment = {
        **kept,
        "AUTH": "true",
        "SERVICES": _SERVICES,
        "GATEWAY_PORT": str(https),
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    arguments = [
        *(executable, "-c", _HYPERCORN, "ministack.app:app", "--workers", "0"),
        *("--bind", f"127.0.0.1:{https}", "--insecure-bind", f"127.0.0.1:{http}"),
        *("--certfile", "certificate.pem", "--keyfile", "key.pem"),
    ]
    with (directory / "log").open("wb") as log:
        return subprocess.Popen(
            arguments,
            cwd=directory,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _comes_up(process: subprocess.Popen[bytes], server: Ministack) -> bool:
    """Wait for the server, and see that it is ours, speaks both schemes, and enforces policies."""
    context = ssl.create_default_context(cafile=server.ca_bundle)
    direct = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    until = time.monotonic() + _SECONDS_TO_START
    while process.poll() is None and time.monotonic() < until:
        try:
            for base in (server.https_url, server.http_url):
                with direct.open(f"{base}/_ministack/health", timeout=5) as answer:
                    health = json.load(answer)
                if health.get("auth") != "enabled":
                    raise RuntimeError(f"ministack enforces nothing: {health}")
            return process.poll() is None
        except (OSError, ValueError):
            time.sleep(0.05)
    return False


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
