"""Read a bucket policy without a template, as `aws s3api get-bucket-policy` prints it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from msgspec import Struct, field

from secure_bucket.errors import SecureBucketError, TemplateError
from secure_bucket.policy import Place, Policy, Statement, parse_policy
from secure_bucket.policy.size import MAX_POLICY_BYTES
from secure_bucket.template.json_text import scan_json
from secure_bucket.template.load import MAX_BYTES, STDIN_NAME, is_template, not_utf8, read_bytes
from secure_bucket.template.scan import find_duplicates

__all__ = ["BarePolicy", "PolicyError", "read_policy"]

_ARN = re.compile(r"arn:([^:]*):s3:::([^/]*)")
_CHECK_READS = "; to check a template, run `secure-bucket check`"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")


class PolicyError(SecureBucketError):
    """A policy cannot be read, or its bucket is unknown."""


class BarePolicy(Struct, frozen=True):
    """A bucket policy and the places of its parts.

    Args:
        name: The file, as the user named it.
        value: The policy as JSON.
        policy: The parsed policy.
        positions: The known lines and columns, by JSON pointer.
    """

    name: str
    value: object
    policy: Policy
    positions: dict[str, tuple[int, int]] = field(default_factory=dict)

    def place(self, at: Place) -> Place:
        """Return the place of a part of the policy in its file."""
        line, column = self.positions.get(at.pointer, (0, 0))
        return Place(at.pointer, self.name, line, column)

    def bucket_arn(self, bucket: str | None, partition: str | None) -> str:
        """Return the ARN of the bucket of the policy.

        Args:
            bucket: Its name or its ARN (default: the only bucket that the policy names).
            partition: Its partition (default: the only partition that the policy names, or `aws`).

        Raises:
            PolicyError: If the policy names no bucket or several, or `bucket` is not a bucket.
        """
        named = list(dict.fromkeys(_named(self.policy)))
        if bucket is not None and bucket.startswith("arn:"):
            match = _ARN.fullmatch(bucket)
            if match is None:
                raise PolicyError(f"--bucket `{bucket}` is not the ARN of a bucket")
            partition, bucket = partition or match[1], match[2]
        if bucket is None:
            names = list(dict.fromkeys(name for _, name in named))
            if len(names) != 1:
                found = ", ".join(f"`{name}`" for name in names[:5])
                what = f"names several buckets ({found})" if names else "names no bucket"
                raise PolicyError(f"`{self.name}` {what}: give --bucket NAME")
            bucket = names[0]
        elif not _NAME.fullmatch(bucket):
            raise PolicyError(f"--bucket `{bucket}` is not the name of a bucket")
        if partition is None:
            partitions = list(dict.fromkeys(each for each, name in named if name == bucket))
            if len(partitions) > 1:
                found = ", ".join(f"`{each}`" for each in partitions)
                raise PolicyError(f"`{self.name}` names the partitions {found}: give --partition NAME")
            partition = partitions[0] if partitions else "aws"
        return f"arn:{partition}:s3:::{bucket}"


def read_policy(argument: str) -> BarePolicy:
    """Read a bucket policy from a file, or from standard input for `-`.

    Raises:
        PolicyError: If the file does not contain a bucket policy.
        TemplateError: If the file cannot be read, or is not JSON.
    """
    name, data = STDIN_NAME if argument == "-" else argument, b""
    if argument != "-":
        data = read_bytes(argument)
    elif sys.stdin is not None:
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise PolicyError(
                f"`{name}` is larger than any bucket policy, which has at most {MAX_POLICY_BYTES:,} bytes"
            )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PolicyError(not_utf8(name, error)) from None
    if not text.strip():
        raise PolicyError(f"`{name}` is empty: a bucket policy is a JSON object with `Statement`")
    positions: dict[str, tuple[int, int]] = {}
    try:
        value = scan_json(text, name, positions)
    except TemplateError as error:
        # The most likely mistake is to pass a template in YAML.
        hint = _CHECK_READS if re.search(r"^Resources *:", text, re.MULTILINE) else ""
        raise PolicyError(f"{error}{hint}") from None
    if isinstance(value, dict) and set(value) == {"Policy"} and isinstance(value["Policy"], str):
        # The whole response of `aws s3api get-bucket-policy`, which contains the policy as text.
        positions = {}
        value = scan_json(value["Policy"], f"{name}, `Policy`", {})
    if not isinstance(value, dict):
        kind = "a list" if isinstance(value, list) else "text" if isinstance(value, str) else f"`{value}`"
        raise PolicyError(f"`{name}` is not a bucket policy: it is {kind}, not an object with `Statement`")
    if "Statement" not in value:
        hint = _CHECK_READS if is_template(value) else ""
        raise PolicyError(f"`{name}` is not a bucket policy: it has no `Statement`{hint}")
    for duplicate in find_duplicates(value):
        raise PolicyError(f"`{name}`: {duplicate.reason}: which of them counts is undefined")
    return BarePolicy(name, value, parse_policy(value), positions)


def _named(policy: Policy) -> Iterator[tuple[str, str]]:
    for statement in policy.statements:
        for value in statement.resources.values if isinstance(statement, Statement) else ():
            match = _ARN.match(value) if isinstance(value, str) else None
            if match and _NAME.fullmatch(match[2]):
                yield match[1], match[2]
