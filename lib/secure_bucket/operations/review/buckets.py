"""What S3 says about the buckets of one account."""

from __future__ import annotations

import contextlib
import ipaddress
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from secure_bucket.findings.running import PublicAccess
from secure_bucket.operations.aws.errors import LiveError, LiveTrouble, translated
from secure_bucket.operations.aws.session import Session
from secure_bucket.operations.aws.signed_get import METHODS, SignedGet

__all__ = ["Gone", "ListedBucket", "Reader", "blocking", "shuts_out"]

# S3 returns up to 10,000 at once, and asks for pages where an account has more: API reference, *ListBuckets*.
_PAGE = 1000


class Gone(LiveError):
    """Say that a bucket that was listed is not there any more."""


class ListedBucket(Struct, frozen=True):
    """A bucket that the account has.

    Args:
        name: Its name.
        region: Its region; `""` when it was named and not listed.
    """

    name: str
    region: str = ""


def blocking(settings: Mapping[str, Any]) -> frozenset[str]:
    """Return which settings of Block Public Access are on, whether S3 or AWS Config writes them."""
    return frozenset(key[:1].lower() + key[1:] for key, value in settings.items() if value is True)


def shuts_out(settings: frozenset[str]) -> bool:
    """Tell whether settings of Block Public Access keep the public out of what is there already.

    The other two settings only refuse new policies and access lists that are public.
    """
    return {"ignorePublicAcls", "restrictPublicBuckets"} <= settings


class Reader(Struct):
    """Read the buckets of one account; may be shared by threads.

    Args:
        session: The session of the account.
    """

    session: Session
    _signed: dict[str, SignedGet] = field(default_factory=dict)
    _account_settings: frozenset[str] | None = None
    _asked: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def listed(self) -> Iterator[ListedBucket]:
        """Return every general purpose bucket of the account, page by page, each once.

        Raises:
            LiveError: If they cannot be listed, or not all of them.
        """
        elsewhere = ".amazonaws.com" not in self.session.client("s3").meta.endpoint_url
        more: dict[str, str] = {}
        names: set[str] = set()
        tokens: set[str] = set()
        while True:
            page = self._page(MaxBuckets=_PAGE, **more)
            token = page.get("ContinuationToken")
            if elsewhere and not token and len(page["Buckets"]) >= _PAGE:
                # Some storage cuts the list off where it is asked to, and does not say that there is more.
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
        with translated("s3:ListAllMyBuckets"):
            page: Mapping[str, Any] = self.session.client("s3").list_buckets(**wanted)
        # INVARIANT: an answer that is not a list of buckets never passes for an account without any.
        if "Buckets" not in page:
            raise LiveError(
                "`s3:ListAllMyBuckets` got an answer that is not a list of buckets: is it S3 there?"
            )
        return page

    def policy(self, bucket: ListedBucket) -> str | None:
        """Return the policy of a bucket as text; `None` when it has none.

        Raises:
            Gone: If the bucket does not exist.
            LiveError: If it cannot be read.
        """
        try:
            with translated("s3:GetBucketPolicy", f"bucket `{bucket.name}`"):
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
            LiveError: If it cannot be read.
        """
        try:
            with translated("s3:GetBucketWebsite", f"bucket `{bucket.name}`"):
                self._ask("GetBucketWebsite", bucket)
        except LiveError as error:
            if error.code == "NoSuchWebsiteConfiguration":
                return False
            raise _gone(error) from None
        return True

    def public_access(self, bucket: ListedBucket) -> PublicAccess:
        """Tell whether Block Public Access keeps the public out; S3 adds up account and bucket."""
        account = self._of_account()
        if account is not None and shuts_out(account):
            return PublicAccess.BLOCKED
        own = _settings(
            lambda: self._ask("GetPublicAccessBlock", bucket),
            "s3:GetBucketPublicAccessBlock",
        )
        if own is not None and shuts_out(own | (account or frozenset())):
            return PublicAccess.BLOCKED
        return PublicAccess.UNREAD if own is None or account is None else PublicAccess.NOT_BLOCKED

    def _of_account(self) -> frozenset[str] | None:
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
        # S3 Control puts the account before the name of its host. An address has no room for it.
        given = urllib.parse.urlsplit(self.session.access.endpoint_url or "")
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(given.hostname or "")
            params["url"] = urllib.parse.urlsplit(params["url"])._replace(netloc=given.netloc).geturl()

    def _ask(self, operation: str, bucket: ListedBucket) -> Any:
        """Return what S3 says about a bucket of this account.

        The name may have changed hands: then S3 refuses instead of telling about somebody else's bucket.
        """
        # Where the region is not known, botocore follows the redirect of S3 to it.
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
    """Return the settings of Block Public Access that are on; `None` when they cannot be read.

    That is not a fault: they have no part in the verdict.
    """
    try:
        with translated(action):
            return blocking(ask()["PublicAccessBlockConfiguration"])
    except LiveError as error:
        return frozenset() if error.code == "NoSuchPublicAccessBlockConfiguration" else None


def _gone(error: LiveError) -> LiveError:
    if error.code == "NoSuchBucket":
        return Gone(str(error), LiveTrouble.ABSENT, error.code)
    return error
