"""Review one account: read the policy of each bucket, and judge it."""

from __future__ import annotations

import datetime
import fnmatch
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from secure_bucket.checks.running_buckets import PolicyTextError, judge_bucket, read_policy_text, report_of
from secure_bucket.findings.finding import Fault, Report, joined
from secure_bucket.findings.running import RunningBucket, RunningJudgement
from secure_bucket.operations.aws.accounts import Entrance
from secure_bucket.operations.aws.errors import LiveError, LiveTrouble
from secure_bucket.operations.review.buckets import Gone, ListedBucket, Reader
from secure_bucket.operations.review.journal import BucketAnswer, Journal
from secure_bucket.policy.messages import name_some
from secure_bucket.proof.verdict import Proven
from secure_bucket.values.unknown import Place

__all__ = [
    "THREADS",
    "AccountReview",
    "Advance",
    "BucketOutcome",
    "ReviewQuestion",
    "internal_error",
    "open_account",
]

THREADS = 16
"""The default number of buckets to read at a time."""

_GONE: Final = "it was deleted while the review ran"

Advance: TypeAlias = Callable[[int, int], None]
"""Receives the number of finished buckets, and the number of all buckets so far."""


def _ignore_progress(done: int, total: int) -> None:
    pass


class ReviewQuestion(Struct, frozen=True):
    """The question to each account.

    Args:
        buckets: The names of the buckets (default: every bucket).
        exclude: Patterns of names to skip.
        strict: As for `check_template`.
        minimum_tls: The oldest TLS version that a bucket may accept (default: ignore TLS versions).
        threads: The number of buckets to read at a time.
        journal: The record of the answers of S3 (default: keep no record).
        advance: Receives the progress.
    """

    buckets: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    strict: bool = False
    minimum_tls: float | None = None
    threads: int = THREADS
    journal: Journal | None = None
    advance: Advance = _ignore_progress

    def judge(self, bucket: RunningBucket) -> RunningJudgement:
        """Return the judgement on a bucket."""
        return judge_bucket(bucket, strict=self.strict, minimum_tls_version=self.minimum_tls)

    def excludes(self, name: str) -> bool:
        """Tell whether to skip a bucket."""
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.exclude)


def open_account(entrance: Entrance, question: ReviewQuestion) -> AccountReview:
    """Open an account and list its buckets.

    Args:
        entrance: The entrance to the account.
        question: The question to it.

    Raises:
        LiveError: If no session can be opened, or the buckets cannot be listed.
    """
    session = entrance.open()
    reader = Reader(session)
    account = session.identity().account
    listed = [ListedBucket(name) for name in question.buckets] or list(reader.list_buckets())
    excluded = tuple(bucket for bucket in listed if question.excludes(bucket.name))
    wanted = tuple(bucket for bucket in listed if not question.excludes(bucket.name))
    return AccountReview(reader, question, account, wanted, excluded)


def internal_error(error: Exception) -> str:
    """Return the message about an internal error.

    INVARIANT: an internal error is never a verdict, and never hides the verdicts on other buckets.
    """
    if "SECURE_BUCKET_DEBUG" in os.environ:
        raise error
    what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return f"internal error in secure-bucket, please report it: {what}"


class BucketOutcome(Struct, frozen=True):
    """The result for one bucket: a judgement, the reason why it is missing, or both if a part is missing."""

    judgement: RunningJudgement | None = None
    gone: bool = False
    fault: str = ""
    unread: LiveError | None = None


class AccountReview(Struct):
    """The review of one account.

    Args:
        reader: Reads its buckets.
        question: The question to each bucket.
        account: The account.
        wanted: The buckets to review.
        excluded: The buckets that the question excludes.
    """

    reader: Reader
    question: ReviewQuestion
    account: str
    wanted: tuple[ListedBucket, ...]
    excluded: tuple[ListedBucket, ...] = ()
    # The error after which no other request will succeed.
    stopped: LiveError | None = None
    unreachable: dict[str, LiveError] = field(default_factory=dict)

    def bucket(self, bucket: ListedBucket) -> BucketOutcome:
        """Read one bucket and judge it, in a thread of the pool."""
        stop = self.stopped or self.unreachable.get(bucket.region)
        if stop is not None:
            return BucketOutcome(unread=stop)
        try:
            return self._bucket(bucket)
        except PolicyTextError as error:
            return BucketOutcome(fault=str(error))
        except Gone as error:
            if self.question.buckets:
                return BucketOutcome(fault=str(error))
            return BucketOutcome(gone=True)
        except LiveError as error:
            if error.trouble is LiveTrouble.EXPIRED or (
                error.trouble is LiveTrouble.CREDENTIALS and not error.code
            ):
                self.stopped = error
                return BucketOutcome(unread=error)
            if error.trouble in (LiveTrouble.UNREACHABLE, LiveTrouble.TLS):
                self.unreachable[bucket.region] = error
                return BucketOutcome(unread=error)
            return BucketOutcome(fault=str(error))
        except Exception as error:
            return BucketOutcome(fault=internal_error(error))

    def report(self, outcomes: Sequence[BucketOutcome]) -> Report:
        """Return the report on the account.

        Args:
            outcomes: The results for the wanted buckets, in their order.
        """
        reports, broken = [], []
        for bucket, each in zip(self.wanted, outcomes, strict=True):
            if each.judgement is not None:
                try:
                    reports.append(report_of([each.judgement]))
                except Exception as error:
                    broken.append(_fault(self.account, bucket.name, internal_error(error)))
        gone = [bucket for bucket, each in zip(self.wanted, outcomes, strict=True) if each.gone]
        denied = _still_listed(self.reader, gone)
        skipped = [(bucket, "it is left out by --exclude") for bucket in self.excluded]
        skipped += [(bucket, _GONE) for bucket in gone if bucket.name not in denied]
        return replace(
            joined(reports),
            accounts=(self.account,),
            not_applicable=tuple((Place(), self.reader.arn(bucket), why) for bucket, why in skipped),
            faults=(
                *_faults(self.account, self.wanted, outcomes),
                *(_fault(self.account, *each) for each in denied.items()),
                *broken,
            ),
        )

    def _bucket(self, bucket: ListedBucket) -> BucketOutcome:
        journal = self.question.journal
        known = journal.answer(self.account, bucket.name) if journal is not None else None
        if known is not None:
            return BucketOutcome(self._judged(bucket, known, known.at))
        now = datetime.datetime.now(datetime.timezone.utc)
        policy = self.reader.policy(bucket)
        answer = BucketAnswer(policy, False, None, now)
        judgement = self._judged(bucket, answer, None)
        if not isinstance(judgement.http.verdict, Proven):
            answer = replace(answer, public_access=self.reader.public_access(bucket))
        try:
            answer = replace(answer, website=self.reader.website(bucket))
        except LiveError as error:
            if isinstance(error, Gone) or error.trouble is LiveTrouble.EXPIRED:
                raise
            return BucketOutcome(self._completed(judgement, answer), fault=str(error))
        if journal is not None:
            journal.add(self.account, bucket.name, answer)
        return BucketOutcome(self._completed(judgement, answer))

    def _judged(
        self, bucket: ListedBucket, answer: BucketAnswer, as_of: datetime.datetime | None
    ) -> RunningJudgement:
        running = RunningBucket(
            self.reader.arn(bucket),
            None if answer.policy is None else read_policy_text(answer.policy),
            self.account,
            bucket.region,
            answer.website,
            answer.public_access,
            as_of,
        )
        return self.question.judge(running)

    def _completed(self, judgement: RunningJudgement, answer: BucketAnswer) -> RunningJudgement:
        """Return a judgement with the facts that do not change the verdict."""
        bucket = replace(judgement.bucket, website=answer.website, public_access=answer.public_access)
        return replace(judgement, bucket=bucket)


def _still_listed(reader: Reader, gone: Sequence[ListedBucket]) -> Mapping[str, str]:
    """Return the buckets that S3 still lists, although it said that they do not exist, each with a reason.

    INVARIANT: an existing bucket is never skipped, even at an endpoint that misreads its name.
    """
    if not gone:
        return {}
    try:
        names = {bucket.name for bucket in reader.list_buckets()}
    except LiveError as error:
        return {bucket.name: f"it is unknown whether it was deleted: {error}" for bucket in gone}
    why = "S3 says that this bucket does not exist, but lists it: is the endpoint right?"
    return {bucket.name: why for bucket in gone if bucket.name in names}


def _fault(account: str, bucket: str, why: str, *, in_part: bool = False) -> Fault:
    what = "is partly reviewed" if in_part else "is not reviewed"
    return Fault("", f"bucket `{bucket}` (account {account}) {what}: {why}")


def _faults(
    account: str, wanted: Sequence[ListedBucket], outcomes: Sequence[BucketOutcome]
) -> Iterator[Fault]:
    unread: dict[tuple[object, ...], tuple[LiveError, list[str]]] = {}
    for bucket, each in zip(wanted, outcomes, strict=True):
        if each.fault:
            yield _fault(account, bucket.name, each.fault, in_part=each.judgement is not None)
        if each.unread is not None:
            region = "" if each.unread.trouble is LiveTrouble.EXPIRED else bucket.region
            key = (each.unread.trouble, each.unread.code, region)
            unread.setdefault(key, (each.unread, []))[1].append(bucket.name)
    for error, names in unread.values():
        number = f"{len(names):,} of {len(wanted):,} buckets of account {account}"
        yield Fault("", f"{number} are not reviewed ({name_some(names)}): {error}")
