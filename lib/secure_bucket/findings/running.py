"""Describe a live bucket, the judgement on it, and how to fix it in its account."""

from __future__ import annotations

import datetime
import enum
import json
import shlex
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from secure_bucket.findings.combine import ClaimOutcome
from secure_bucket.findings.subject import Running
from secure_bucket.policy.size import MAX_POLICY_BYTES
from secure_bucket.values.unknown import Place, Unknown

__all__ = ["PublicAccess", "RunningBucket", "RunningJudgement"]


class PublicAccess(enum.Enum):
    """Whether S3 Block Public Access keeps the public out of a bucket.

    It never affects the verdict: it restricts who may send a request, not how. A principal that may read a
    bucket can send a signed request over plain HTTP, which Block Public Access does not refuse.
    """

    BLOCKED = "public access is blocked, which stops anonymous requests but no signed ones"
    NOT_BLOCKED = "public access is not blocked"
    UNREAD = "whether public access is blocked could not be read"


class RunningBucket(Struct, frozen=True):
    """A live general purpose bucket, as AWS describes it.

    Args:
        arn: Its ARN, `arn:aws:s3:::reports`.
        policy: Its policy, as JSON values; `None` if it has no policy; `Unknown` if it may have one.
        account: The account that owns it, in 12 digits; `""` if it is not known.
        region: Its region; `""` if it is not known.
        website: Whether it is configured as a website.
        public_access: Whether Block Public Access keeps the public out; `None` if not asked.
        as_of: When this was read or recorded; `None` for just now.
        recorded_by: Who recorded it, such as `AWS Config`; `""` if S3 itself returned it.
    """

    arn: str
    policy: Mapping[str, Any] | Unknown | None
    account: str = ""
    region: str = ""
    website: bool = False
    public_access: PublicAccess | None = None
    as_of: datetime.datetime | None = None
    recorded_by: str = ""

    @property
    def name(self) -> str:
        """Its name."""
        return self.arn.partition(":::")[2]

    @property
    def timestamp(self) -> str:
        """When this was read or recorded, in UTC to the second; `""` for just now."""
        if self.as_of is None:
            return ""
        return self.as_of.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def subject(self) -> Running:
        """The subject of findings."""
        return Running(self.name, self.arn, self.account, self.region, self.timestamp)

    def described(self) -> str:
        """Return its name in messages, with its account and its region."""
        where = ", ".join(filter(None, (self.account and f"account {self.account}", self.region)))
        return f"bucket `{self.name}`" + (f" ({where})" if where else "")

    def circumstances(self) -> str:
        """Return circumstances that affect the risk, and the age of the evidence, as the end of a message."""
        told = "" if self.public_access is None else f"; {self.public_access.value}"
        if self.as_of is not None or self.recorded_by:
            by = f"{self.recorded_by} recorded it" if self.recorded_by else "it was read"
            told += f"; as {by} at {self.timestamp or 'a time that it does not tell'}"
        return told

    def remedy(self, statement: Mapping[str, Any]) -> str:
        """Tell how to add a statement to the policy of a bucket, and keep the other statements.

        `put-bucket-policy` replaces the whole policy, so read the policy first.
        """
        shown = json.dumps(statement)
        name = shlex.quote(self.name)
        put = f"`aws s3api put-bucket-policy --bucket {name} --policy file://policy.json`"
        owner = "; where a template or Terraform manages the policy, add it there"
        read = f"`aws s3api get-bucket-policy --bucket {name}"
        if self.policy is None:
            whole = f'{{"Version": "2012-10-17", "Statement": [{shown}]}}'
            return (
                f"it has no policy: look again with {read}`, since writing one replaces what is there, then "
                f"write {whole} to policy.json and run {put}{owner}"
            )
        fix = (
            f"add this to the `Statement` list of its policy: {shown} — read the policy with {read} --query "
            f"Policy --output text > policy.json`, add the statement, and run {put}, which replaces the "
            f"whole policy{owner}"
        )
        size = len(shown)
        if not isinstance(self.policy, Unknown):
            written = json.dumps(self.policy, ensure_ascii=False, separators=(",", ":"))
            size += len(written.encode(errors="surrogatepass"))
        if size > MAX_POLICY_BYTES:
            limit = f"{MAX_POLICY_BYTES:,}"
            fix += f"; the policy then has about {size:,} bytes, and S3 takes {limit}: shorten it first"
        return fix


class RunningJudgement(Struct, frozen=True):
    """A live bucket, with all that the rules need.

    Args:
        bucket: The bucket.
        http: The answer to *is every request over plain HTTP denied?*
        tls: The answer to *is every request below the minimum TLS version denied?*; `None` if not asked.
        minimum_tls_version: The minimum TLS version.
    """

    bucket: RunningBucket
    http: ClaimOutcome
    tls: ClaimOutcome | None = None
    minimum_tls_version: float | None = None

    @property
    def subject(self) -> Running:
        """The bucket that it is about."""
        return self.bucket.subject

    @property
    def at(self) -> Place:
        """Its place: in no file."""
        return Place()

    @property
    def website(self) -> bool:
        """Whether it is configured as a website."""
        return self.bucket.website
