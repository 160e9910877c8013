"""The review of one account: read the policy of each bucket, and judge it."""

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
    "open_account",
    "our_fault",
]

THREADS = 16
"""How many buckets are read at a time unless said otherwise."""

_GONE: Final = "it was deleted while the review ran"

Advance: TypeAlias = Callable[[int, int], None]
"""Told how many buckets are done, and of how many that are known so far."""


def _quietly(done: int, total: int) -> None:
    """Tell nobody."""


class ReviewQuestion(Struct, frozen=True):
    """What is asked of each account.

    Args:
        buckets: Only these buckets, by their names (default: every one).
        exclude: Patterns of names to leave out.
        strict: As for `check_template`.
        minimum_tls: The TLS version below which nothing may get through; `None` asks nothing.
        threads: How many buckets are read at a time.
        journal: What is known already, and where to write down what is read.
        advance: Told how far it is.
    """

    buckets: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    strict: bool = False
    minimum_tls: float | None = None
    threads: int = THREADS
    journal: Journal | None = None
    advance: Advance = _quietly

    def judge(self, bucket: RunningBucket) -> RunningJudgement:
        """Return the judgement on a bucket."""
        return judge_bucket(bucket, strict=self.strict, minimum_tls_version=self.minimum_tls)

    def leaves_out(self, name: str) -> bool:
        """Tell whether a bucket is left out."""
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.exclude)


def open_account(way: Entrance, question: ReviewQuestion) -> AccountReview:
    """Enter an account and list its buckets.

    Args:
        way: The way into the account.
        question: What is asked of it.

    Raises:
        LiveError: If nobody gets in, or the buckets cannot be listed.
    """
    session = way.open()
    reader = Reader(session)
    account = session.identity().account
    listed = [ListedBucket(name) for name in question.buckets] or list(reader.listed())
    left_out = tuple(bucket for bucket in listed if question.leaves_out(bucket.name))
    wanted = tuple(bucket for bucket in listed if not question.leaves_out(bucket.name))
    return AccountReview(reader, question, account, wanted, left_out)


def our_fault(error: Exception) -> str:
    """Return the message about a fault of our own.

    INVARIANT: it never passes for a verdict, and never hides the verdicts on other buckets.
    """
    if "SECURE_BUCKET_DEBUG" in os.environ:
        raise error
    what = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return f"there is a fault in secure-bucket, please report it: {what}"


class BucketOutcome(Struct, frozen=True):
    """What came out for one bucket: a judgement, or why it is missing; or both, where a part is missing."""

    judgement: RunningJudgement | None = None
    gone: bool = False
    fault: str = ""
    unread: LiveError | None = None


class AccountReview(Struct):
    """The review of one account.

    Args:
        reader: Reads its buckets.
        question: What is asked of each.
        account: The account.
        wanted: The buckets to review.
        left_out: The buckets that the question leaves out.
    """

    reader: Reader
    question: ReviewQuestion
    account: str
    wanted: tuple[ListedBucket, ...]
    left_out: tuple[ListedBucket, ...] = ()
    # The first of the errors after which no other request of the same kind will succeed.
    stopped: LiveError | None = None
    unreachable: dict[str, LiveError] = field(default_factory=dict)

    def bucket(self, bucket: ListedBucket) -> BucketOutcome:
        """Read one bucket, and judge it. Runs in a thread of its own."""
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
            return BucketOutcome(fault=our_fault(error))

    def report(self, outcomes: Sequence[BucketOutcome]) -> Report:
        """Return the report on the account.

        Args:
            outcomes: What came out for each of the wanted buckets, in their order.
        """
        reports, broken = [], []
        for bucket, each in zip(self.wanted, outcomes, strict=True):
            if each.judgement is not None:
                try:
                    reports.append(report_of([each.judgement]))
                except Exception as error:
                    broken.append(_fault(self.account, bucket.name, our_fault(error)))
        gone = [bucket for bucket, each in zip(self.wanted, outcomes, strict=True) if each.gone]
        denied = _still_listed(self.reader, gone)
        skipped = [(bucket, "it is left out by --exclude") for bucket in self.left_out]
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
        """Return a judgement with what has no part in the verdict."""
        bucket = replace(judgement.bucket, website=answer.website, public_access=answer.public_access)
        return replace(judgement, bucket=bucket)


def _still_listed(reader: Reader, gone: Sequence[ListedBucket]) -> Mapping[str, str]:
    """Return which buckets are not gone although S3 said so when they were asked for, each with why.

    INVARIANT: a bucket that is there is never skipped, as it would be at an endpoint that takes its name
    for something else.
    """
    if not gone:
        return {}
    try:
        names = {bucket.name for bucket in reader.listed()}
    except LiveError as error:
        return {bucket.name: f"whether it was deleted is not known: {error}" for bucket in gone}
    why = "S3 says that there is no such bucket, and lists it: is the endpoint right?"
    return {bucket.name: why for bucket in gone if bucket.name in names}


def _fault(account: str, bucket: str, why: str, *, in_part: bool = False) -> Fault:
    what = "is reviewed in part" if in_part else "is not reviewed"
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
