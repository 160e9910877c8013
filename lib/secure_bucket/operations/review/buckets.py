"""Read the buckets of one account from S3."""

from __future__ import annotations

import contextlib
import ipaddress
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from secure_bucket.findings.running import PublicAccess
from secure_bucket.operations.aws.errors import LiveError, LiveTrouble, translate_errors
from secure_bucket.operations.aws.session import Session
from secure_bucket.operations.aws.signed_get import METHODS, SignedGet

__all__ = ["Gone", "ListedBucket", "Reader", "blocks_public", "enabled_settings"]

# S3 requires pages for accounts with more than 10,000 buckets: API reference, *ListBuckets*.
_PAGE = 1000


class Gone(LiveError):
    """A listed bucket no longer exists."""


class ListedBucket(Struct, frozen=True):
    """A bucket of the account.

    Args:
        name: Its name.
        region: Its region; `""` if the user named the bucket and S3 did not list it.
    """

    name: str
    region: str = ""


def enabled_settings(settings: Mapping[str, Any]) -> frozenset[str]:
    """Return the enabled settings of Block Public Access, in the spelling of AWS Config."""
    return frozenset(key[:1].lower() + key[1:] for key, value in settings.items() if value is True)


def blocks_public(settings: frozenset[str]) -> bool:
    """Tell whether settings of Block Public Access block existing public policies and access lists.

    The other two settings only refuse new public policies and access lists.
    """
    return {"ignorePublicAcls", "restrictPublicBuckets"} <= settings


class Reader(Struct):
    """Reads the buckets of one account. Threads may share it.

    Args:
        session: The session of the account.
    """

    session: Session
    _signed: dict[str, SignedGet] = field(default_factory=dict)
    _account_settings: frozenset[str] | None = None
    _asked: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def list_buckets(self) -> Iterator[ListedBucket]:
        """Yield every general purpose bucket of the account once.

        Raises:
            LiveError: If not all buckets can be listed.
        """
        is_other_storage = ".amazonaws.com" not in self.session.client("s3").meta.endpoint_url
        more: dict[str, str] = {}
        names: set[str] = set()
        tokens: set[str] = set()
        while True:
            page = self._page(MaxBuckets=_PAGE, **more)
            token = page.get("ContinuationToken")
            if is_other_storage and not token and len(page["Buckets"]) >= _PAGE:
                # Some storage truncates the list at `MaxBuckets` and returns no token.
                page = self._page()
            for bucket in page["Buckets"]:
                if bucket["Name"] not in names:
                    names.add(bucket["Name"])
                    yield ListedBucket(str(bucket["Name"]), str(bucket.get("BucketRegion") or ""))
            if not token:
                return
            if token in tokens:
                raise LiveError("`s3:ListAllMyBuckets` returns a page again: not all buckets are known")
            tokens.add(token)
            more = {"ContinuationToken": str(token)}

    def _page(self, **wanted: object) -> Mapping[str, Any]:
        with translate_errors("s3:ListAllMyBuckets"):
            page: Mapping[str, Any] = self.session.client("s3").list_buckets(**wanted)
        # INVARIANT: an answer without a list of buckets never counts as an empty account.
        if "Buckets" not in page:
            raise LiveError(
                "`s3:ListAllMyBuckets` got an answer that is not a list of buckets: is the endpoint S3?"
            )
        return page

    def policy(self, bucket: ListedBucket) -> str | None:
        """Return the policy of a bucket as text; `None` if it has no policy.

        Raises:
            Gone: If the bucket does not exist.
            LiveError: If the policy cannot be read.
        """
        try:
            with translate_errors("s3:GetBucketPolicy", f"bucket `{bucket.name}`"):
                answer = self._ask("GetBucketPolicy", bucket)
        except LiveError as error:
            if error.code == "NoSuchBucketPolicy":
                return None
            raise _gone(error) from None
        return str(answer["Policy"])

    def website(self, bucket: ListedBucket) -> bool:
        """Tell whether a bucket is configured as a website.

        Raises:
            Gone: If the bucket does not exist.
            LiveError: If the configuration cannot be read.
        """
        try:
            with translate_errors("s3:GetBucketWebsite", f"bucket `{bucket.name}`"):
                self._ask("GetBucketWebsite", bucket)
        except LiveError as error:
            if error.code == "NoSuchWebsiteConfiguration":
                return False
            raise _gone(error) from None
        return True

    def public_access(self, bucket: ListedBucket) -> PublicAccess:
        """Tell whether Block Public Access, of the account and the bucket together, blocks the public."""
        account = self._account_block()
        if account is not None and blocks_public(account):
            return PublicAccess.BLOCKED
        own = _settings(
            lambda: self._ask("GetPublicAccessBlock", bucket),
            "s3:GetBucketPublicAccessBlock",
        )
        if own is not None and blocks_public(own | (account or frozenset())):
            return PublicAccess.BLOCKED
        return PublicAccess.UNREAD if own is None or account is None else PublicAccess.NOT_BLOCKED

    def _account_block(self) -> frozenset[str] | None:
        with self._lock:
            if not self._asked:
                self._asked = True
                account = self.session.identity().account
                client = self.session.client("s3control", brief=True)
                client.meta.events.register("before-call.s3-control", self._without_prefix)
                self._account_settings = _settings(
                    lambda: client.get_public_access_block(AccountId=account),
                    "s3:GetAccountPublicAccessBlock",
                )
            return self._account_settings

    def _without_prefix(self, params: dict[str, Any], **_: object) -> None:
        # S3 Control prefixes its host name with the account, which is impossible for an IP address.
        given = urllib.parse.urlsplit(self.session.access.endpoint_url or "")
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(given.hostname or "")
            params["url"] = urllib.parse.urlsplit(params["url"])._replace(netloc=given.netloc).geturl()

    def _ask(self, operation: str, bucket: ListedBucket) -> Any:
        """Return the answer of S3 about a bucket of this account.

        S3 refuses the request if another account owns the bucket now.
        """
        # Without a region, botocore follows the redirect of S3.
        client = self.session.client("s3", bucket.region or None)
        owner = self.session.identity().account
        if bucket.region:
            signed = self._signed.get(bucket.region)
            if signed is None:
                signed = self._signed.setdefault(bucket.region, SignedGet(self.session, client))
            answer = signed.ask(operation, bucket.name, owner)
            if answer is not None:
                return answer
        method = getattr(client, METHODS[operation])
        return method(Bucket=bucket.name, ExpectedBucketOwner=owner)

    def arn(self, bucket: ListedBucket) -> str:
        """Return the ARN of a bucket."""
        return f"arn:{self.session.identity().partition}:s3:::{bucket.name}"


def _settings(ask: Callable[[], Any], action: str) -> frozenset[str] | None:
    """Return the enabled settings of Block Public Access; `None` if they cannot be read.

    This is not a fault, because the settings do not change the verdict.
    """
    try:
        with translate_errors(action):
            return enabled_settings(ask()["PublicAccessBlockConfiguration"])
    except LiveError as error:
        return frozenset() if error.code == "NoSuchPublicAccessBlockConfiguration" else None


def _gone(error: LiveError) -> LiveError:
    if error.code == "NoSuchBucket":
        return Gone(str(error), LiveTrouble.ABSENT, error.code)
    return error
