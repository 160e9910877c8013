"""Add `secure-bucket gate` to the `app` of `cdk.json`, or remove it."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import re
import shlex

from secure_bucket.checks.judged_files import forget_judged_files
from secure_bucket.cli.delivery import write_file
from secure_bucket.cli.output import to_stdout
from secure_bucket.errors import SecureBucketError
from secure_bucket.findings.finding import Report
from secure_bucket.formats.cdk_validation import write_validation_report

__all__ = ["edit_app"]

_SETTINGS = "cdk.json"
_PREFIX = "secure-bucket gate -- "
_WRAPPED = re.compile(
    r"\s*(?:\S*secure-bucket|\S+ -m secure_bucket) +gate(?: .*?)? -- (?P<app>.+)", re.DOTALL
)
# With one of these, the shell of the CDK CLI would run only a part of the app behind the gate. Such an app
# gets its own shell.
_FOR_A_SHELL = re.compile(r"[;&|<>(){}`!#\n\r]|\$\(|^\s*(?:\w+=|(?:\.|eval|exec|source)\s)")


def edit_app(*, remove: bool) -> int:
    """Add the gate to `cdk.json`, or remove it, and print the difference.

    Returns:
        The exit code.

    Raises:
        SecureBucketError: If `cdk.json` cannot be edited.
    """
    try:
        with open(_SETTINGS, "rb") as stream:
            text = stream.read().decode("utf-8")
    except FileNotFoundError:
        raise SecureBucketError(
            f"there is no `{_SETTINGS}` in the working directory: go to the directory of the app"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SecureBucketError(f"`{_SETTINGS}` cannot be read: {reason}") from None
    start, end, app = _app_in(text)
    wrapped = _WRAPPED.fullmatch(app)
    if remove:
        if wrapped is None and "secure-bucket gate" in app:
            raise SecureBucketError(
                f"`app` of `{_SETTINGS}` starts `secure-bucket gate` in another way than --init does: edit "
                f"it by hand: `{app}`"
            )
        if wrapped is None:
            raise SecureBucketError(f"`app` of `{_SETTINGS}` does not run `secure-bucket gate`: `{app}`")
        written = json.dumps(_unwrapped(wrapped["app"]), ensure_ascii=False)
    else:
        if wrapped is not None or "secure-bucket gate" in app:
            raise SecureBucketError(f"`app` of `{_SETTINGS}` runs `secure-bucket gate` already: `{app}`")
        if not app.strip() or os.path.isdir(app):
            raise SecureBucketError(f"`app` of `{_SETTINGS}` is not a command: `{app}`")
        written = json.dumps(f"{_PREFIX}{_for_shell(app)}", ensure_ascii=False)
    new = f"{text[:start]}{written}{text[end:]}"
    write_file(_SETTINGS, new)
    if remove:
        _forget_findings(json.loads(text.lstrip("\ufeff")).get("output"))
    lines = difflib.unified_diff(text.splitlines(), new.splitlines(), _SETTINGS, _SETTINGS, lineterm="")
    to_stdout("".join(f"{line}\n" for line in lines))
    return 0


def _forget_findings(output: object) -> None:
    """Remove the output of the gate for the tools of the CDK and for `check`; an old CDK keeps it."""
    directory = output if isinstance(output, str) else "cdk.out"
    with contextlib.suppress(OSError, ValueError):
        write_validation_report(Report(), directory, passed=True, version="")
    with contextlib.suppress(OSError):
        forget_judged_files(directory)


def _for_shell(app: str) -> str:
    return f"sh -c {shlex.quote(app)}" if _FOR_A_SHELL.search(app) else app


def _unwrapped(app: str) -> str:
    with contextlib.suppress(ValueError):
        words = shlex.split(app)
        if len(words) == 3 and _for_shell(words[2]) == app:
            return words[2]
    return app


def _app_in(text: str) -> tuple[int, int, str]:
    """Return where the value of `app` begins and ends, and the value.

    Raises:
        SecureBucketError: If `cdk.json` does not have exactly one `app`, or it is not a text.
    """
    space = re.compile(r"[ \t\r\n\ufeff]*")
    decoder = json.JSONDecoder()
    found: list[tuple[int, int, object]] = []

    def skip(at: int) -> int:
        match = space.match(text, at)
        return at if match is None else match.end()

    try:
        if not isinstance(json.loads(text.lstrip("\ufeff")), dict):
            raise SecureBucketError(f"`{_SETTINGS}` is not an object")
        at = skip(skip(0) + 1)
        while text[at] != "}":
            key, at = decoder.raw_decode(text, at)
            start = skip(skip(at) + 1)
            value, end = decoder.raw_decode(text, start)
            if key == "app":
                found.append((start, end, value))
            at = skip(end)
            if text[at] == ",":
                at = skip(at + 1)
    except (ValueError, RecursionError) as error:
        raise SecureBucketError(f"`{_SETTINGS}` is not JSON: {error}") from None
    if len(found) != 1:
        how = "has no" if not found else "has more than one"
        raise SecureBucketError(f"`{_SETTINGS}` {how} `app`")
    start, end, app = found[0]
    if not isinstance(app, str):
        raise SecureBucketError(f"`app` of `{_SETTINGS}` is not a text")
    return start, end, app
