"""Review several accounts at once, with one bound on the requests in flight."""

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

__all__ = ["Entered", "review_entrances"]

# How many accounts are opened before their turn, as a share of the threads. Opening one takes three requests
# after one another, in which time the threads review the buckets of others.
_AHEAD: Final = 4


class Entered(Struct):
    """What came out for one way into an account.

    Args:
        entrance: The way.
        report: What was found there; `None` if it was not reviewed.
        error: Why it could not be entered.
        same_as: The name of an earlier way into the same account.
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


def review_entrances(ways: Sequence[Entrance], question: ReviewQuestion) -> tuple[Entered, ...]:
    """Review the account behind each way, and return what came out, in their order.

    Args:
        ways: The ways into the accounts.
        question: What is asked of each account.
    """
    pool = ThreadPoolExecutor(max(1, question.threads), "secure-bucket")
    try:
        return _Crew(ways, question, pool).run()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Crew(Struct):
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

    def run(self) -> tuple[Entered, ...]:
        found = [Entered(way) for way in self.ways]
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
        """Hand out work: accounts to open before they are needed, then buckets in the order of accounts."""
        ahead = max(1, self.question.threads // _AHEAD)
        while self.next_opened < len(self.ways) and len(self.opening) + len(self.opened) < ahead:
            future = self.pool.submit(open_account, self.ways[self.next_opened], self.question)
            self.opening[future] = self.next_opened
            self.next_opened += 1
        # No more than the threads can take, so that little is lost when somebody interrupts.
        while self.buckets and len(self.running) < 2 * self.question.threads:
            place, number = self.buckets.popleft()
            review = self.works[place].review
            self.running[self.pool.submit(review.bucket, review.wanted[number])] = (place, number)

    def take(self, future: Future[Any], found: list[Entered]) -> None:
        """Note what a thread has brought."""
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

    def begin(self, found: list[Entered]) -> None:
        """Begin with the accounts that are open, in their order, so that the same run has the same report."""
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

    def finish(self, place: int, found: list[Entered]) -> None:
        """Put the report on an account together, and forget the account."""
        work = self.works.pop(place)
        found[place].report = work.review.report([each for each in work.outcomes if each is not None])
