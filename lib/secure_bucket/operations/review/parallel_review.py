"""Review several accounts in parallel, with a limit on the requests in flight."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Final

from msgspec import Struct, field

from secure_bucket.findings.finding import Report
from secure_bucket.operations.aws.accounts import Entrance
from secure_bucket.operations.aws.errors import LiveError
from secure_bucket.operations.review.account_review import (
    AccountReview,
    BucketOutcome,
    ReviewQuestion,
    open_account,
)

__all__ = ["EntranceResult", "review_entrances"]

# The number of accounts to open ahead, as a fraction of the threads. Opening an account takes three requests
# in sequence, and meanwhile the other threads review buckets of other accounts.
_AHEAD: Final = 4


class EntranceResult(Struct):
    """The result for one entrance.

    Args:
        entrance: The entrance.
        report: The report on its account; `None` if the account was not reviewed.
        error: The error that prevented a session.
        same_as: The name of an earlier entrance to the same account.
    """

    entrance: Entrance
    report: Report | None = None
    error: LiveError | None = None
    same_as: str = ""


class _Work(Struct):
    """An account under review."""

    review: AccountReview
    outcomes: list[BucketOutcome | None]
    left: int


def review_entrances(ways: Sequence[Entrance], question: ReviewQuestion) -> tuple[EntranceResult, ...]:
    """Review the account of each entrance, and return the results in the same order.

    Args:
        ways: The find_entrances.
        question: The question to each account.
    """
    pool = ThreadPoolExecutor(max(1, question.threads), "secure-bucket")
    try:
        return _ParallelReview(ways, question, pool).run()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _ParallelReview(Struct):
    ways: Sequence[Entrance]
    question: ReviewQuestion
    pool: ThreadPoolExecutor
    opening: dict[Future[AccountReview], int] = field(default_factory=dict)
    opened: dict[int, AccountReview | LiveError] = field(default_factory=dict)
    buckets: deque[tuple[int, int]] = field(default_factory=deque)
    running: dict[Future[BucketOutcome], tuple[int, int]] = field(default_factory=dict)
    works: dict[int, _Work] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    next_opened: int = 0
    next_begun: int = 0
    done: int = 0
    total: int = 0

    def run(self) -> tuple[EntranceResult, ...]:
        found = [EntranceResult(way) for way in self.ways]
        while True:
            self.submit()
            if not self.opening and not self.running:
                return tuple(found)
            in_flight: list[Future[Any]] = [*self.opening, *self.running]
            finished, _ = wait(in_flight, return_when=FIRST_COMPLETED)
            for future in finished:
                self.take(future, found)
            self.begin(found)
            self.question.advance(self.done, self.total)

    def submit(self) -> None:
        """Submit work: accounts to open ahead, then buckets in the order of the accounts."""
        ahead = max(1, self.question.threads // _AHEAD)
        while self.next_opened < len(self.ways) and len(self.opening) + len(self.opened) < ahead:
            future = self.pool.submit(open_account, self.ways[self.next_opened], self.question)
            self.opening[future] = self.next_opened
            self.next_opened += 1
        # Keep the queue short, so that an interruption loses little.
        while self.buckets and len(self.running) < 2 * self.question.threads:
            place, number = self.buckets.popleft()
            review = self.works[place].review
            self.running[self.pool.submit(review.bucket, review.wanted[number])] = (place, number)

    def take(self, future: Future[Any], found: list[EntranceResult]) -> None:
        """Record the result of a thread."""
        if future in self.opening:
            place = self.opening.pop(future)
            try:
                self.opened[place] = future.result()
            except LiveError as error:
                self.opened[place] = error
            return
        place, number = self.running.pop(future)
        work = self.works[place]
        work.outcomes[number] = future.result()
        work.left -= 1
        self.done += 1
        if not work.left:
            self.finish(place, found)

    def begin(self, found: list[EntranceResult]) -> None:
        """Start the opened accounts in their order, so that equal runs give equal reports."""
        while self.next_begun in self.opened:
            place, opened = self.next_begun, self.opened.pop(self.next_begun)
            self.next_begun += 1
            if isinstance(opened, LiveError):
                found[place].error = opened
                continue
            if opened.account in self.names:
                found[place].same_as = self.names[opened.account]
                continue
            self.names[opened.account] = self.ways[place].name
            number = len(opened.wanted)
            self.total += number
            self.works[place] = _Work(opened, [None] * number, number)
            self.buckets.extend((place, each) for each in range(number))
            if not number:
                self.finish(place, found)

    def finish(self, place: int, found: list[EntranceResult]) -> None:
        """Make the report on an account, and drop its data."""
        work = self.works.pop(place)
        found[place].report = work.review.report([each for each in work.outcomes if each is not None])
