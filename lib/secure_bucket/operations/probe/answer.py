"""Read an answer: S3 let the request in, S3 denied it, or another server answered."""

from __future__ import annotations

import re
from typing import Final, TypeAlias
from xml.etree import ElementTree

from msgspec import Struct

from secure_bucket.operations.probe.transport import HttpAnswer

__all__ = [
    "Denied",
    "Failed",
    "Foreign",
    "LetIn",
    "Reading",
    "Redirected",
    "error_of",
    "read_answer",
    "region_of",
    "request_id_of",
]

_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
# Errors that S3 returns only after the policies let the request in: the object does not exist, does not match
# the condition, is too short, or is archived.
_AFTER_POLICIES: Final = frozenset(("NoSuchKey", "PreconditionFailed", "InvalidRange", "InvalidObjectState"))
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
_EXPLICIT: Final = re.compile(r"with an explicit deny in an? ([A-Za-z -]+?)(?=[.,:;\"]|$)")
_ACTION: Final = re.compile(r"is not authorized to perform: ([a-z0-9-]+:[A-Za-z0-9]+)")
_IMPLICIT: Final = re.compile(r"because no ([A-Za-z -]+?) allows")


class LetIn(Struct, frozen=True):
    """The policies let the request in.

    Args:
        code: The error code of the answer, such as `NoSuchKey`; `""` without one.
    """

    code: str = ""


class Denied(Struct, frozen=True):
    """S3 answered `AccessDenied`.

    Args:
        message: The message of S3.
        action: The denied action; `""` if S3 does not name it.
        by: The kind of policy with the explicit deny; `""` if S3 does not name it.
        for_lack_of: The kind of policy without an allow; `""` if S3 does not name it.
    """

    message: str
    action: str = ""
    by: str = ""
    for_lack_of: str = ""


class Redirected(Struct, frozen=True):
    """The answer redirects the request.

    Args:
        to: The new address; `""` if the answer does not name it.
    """

    to: str


class Foreign(Struct, frozen=True):
    """The answer does not come directly from S3.

    Args:
        why: The evidence.
    """

    why: str


class Failed(Struct, frozen=True):
    """S3 refused the request for another reason than a policy.

    Args:
        code: The error code, such as `RequestTimeTooSkewed`.
        message: The message of S3.
    """

    code: str
    message: str


Reading: TypeAlias = "LetIn | Denied | Redirected | Foreign | Failed"


def read_answer(answer: HttpAnswer, *, expected: str = "") -> Reading:
    """Return the meaning of an answer.

    Args:
        answer: The answer.
        expected: The XML element in the body of a success (default: any body).
    """
    if answer.status in _REDIRECTS:
        return Redirected(answer.headers.get("location", ""))
    if via := answer.headers.get("via"):
        return Foreign(f"it came through a proxy (header `Via: {via[:60]}`)")
    root = _xml(answer.body)
    if not request_id_of(answer):
        server = answer.headers.get("server", "")
        return Foreign(
            f"it has no id of a request to S3 (status {answer.status}"
            + (f", header `Server: {server[:60]}`)" if server else ")")
        )
    if answer.status in (200, 206):
        if expected and (root is None or _name(root) != expected):
            return Foreign(f"its body is not a `{expected}`")
        return LetIn()
    code, message = _error(root)
    if code in _AFTER_POLICIES:
        return LetIn(code)
    if answer.status == 403 and code == "AccessDenied":
        return Denied(message, *(_found(each, message) for each in (_ACTION, _EXPLICIT, _IMPLICIT)))
    if not code:
        return Foreign(f"its body is not an error of S3 (status {answer.status})")
    return Failed(code, message)


def region_of(answer: HttpAnswer) -> str:
    """Return the region of the bucket; `""` if the answer does not name it."""
    named = answer.headers.get("x-amz-bucket-region", "")
    if named:
        return named
    root = _xml(answer.body)
    return "" if root is None else _text(root, "Region")


def error_of(answer: HttpAnswer) -> tuple[str, str]:
    """Return the code and the message of an error; two empty texts for other answers."""
    return _error(_xml(answer.body))


def request_id_of(answer: HttpAnswer) -> str:
    """Return the request id of S3, from the header or else from the error; `""` without one."""
    named = answer.headers.get("x-amz-request-id", "")
    root = None if named else _xml(answer.body)
    return named if root is None or _name(root) != "Error" else _text(root, "RequestId")


def _found(pattern: re.Pattern[str], message: str) -> str:
    match = pattern.search(message)
    return match[1] if match else ""


def _error(root: ElementTree.Element | None) -> tuple[str, str]:
    if root is None or _name(root) != "Error":
        return "", ""
    return _text(root, "Code"), _text(root, "Message")


def _xml(body: bytes) -> ElementTree.Element | None:
    try:
        return ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return None


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(root: ElementTree.Element, name: str) -> str:
    for child in root:
        if _name(child) == name:
            return " ".join((child.text or "").split())
    return ""
