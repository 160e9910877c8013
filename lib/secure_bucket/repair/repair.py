"""Fix a template: add the deny for each bucket that accepts plain HTTP, or give a reason to leave it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from secure_bucket.errors import TemplateError
from secure_bucket.findings.declared import DeclaredJudgement
from secure_bucket.findings.judge import Judge
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.repair.edit import CannotEdit, Change, add_policy, add_statement, apply_changes
from secure_bucket.repair.refusals import (
    MADE_BY_CDK,
    find_inverted_deny,
    refuse_large_policy,
    refuse_unless_one_policy,
)
from secure_bucket.template import Assembly, Document, Inventory, Stack
from secure_bucket.template.constructs import made_by_cdk
from secure_bucket.template.scan import find_duplicates
from secure_bucket.template.stack import is_loop
from secure_bucket.values.unknown import Place

__all__ = ["FixedBucket", "LeftBucket", "Repair", "repair_document"]


class FixedBucket(Struct, frozen=True):
    """A fixed bucket, which now denies plain HTTP.

    Args:
        logical_id: Its logical id.
        at: Its place in the template before the fix.
        what: The change, as a clause.
        note: A related problem to look at; `""` without one.
    """

    logical_id: str
    at: Place
    what: str
    note: str = ""


class LeftBucket(Struct, frozen=True):
    """A bucket that is not proven, and that the fix left unchanged.

    Args:
        logical_id: Its logical id.
        at: Its place in the template.
        why: The reason, as a clause.
        undecided: Whether the bucket is undecided (default: it accepts plain HTTP).
    """

    logical_id: str
    at: Place
    why: str
    undecided: bool = False


class Repair(Struct, frozen=True):
    """A template after the fix.

    Args:
        document: The template; the same object if no bucket was fixed.
        fixed: The fixed buckets.
        left: The buckets that are not proven, with the reasons.
    """

    document: Document
    fixed: tuple[FixedBucket, ...] = ()
    left: tuple[LeftBucket, ...] = ()


def repair_document(
    document: Document,
    *,
    strict: bool = False,
    synthesized: bool = False,
    leave: Mapping[str, str] | None = None,
) -> Repair:
    """Add the deny to every bucket of a template that provably accepts plain HTTP.

    The fix only adds text, except that a single statement becomes an item of a list. Every fixed bucket is
    proven, and the verdict on every other bucket stays the same.

    Args:
        document: The template, with its text.
        strict: Assume that `{"AWS": "*"}` does not cover AWS services, which AWS does not document.
        synthesized: Also fix templates that the AWS CDK made and will make again (default: leave them).
        leave: Buckets to leave unchanged, by logical id, each with the reason as a clause.

    Raises:
        TemplateError: If the template is nested too deeply.
    """
    try:
        return _Repairer(document, strict, synthesized, leave or {}).run()
    except RecursionError:
        raise TemplateError(f"`{document.name}`: nested too deeply to be read") from None


class _Repairer(Struct, frozen=True):
    original: Document
    strict: bool
    synthesized: bool
    leave: Mapping[str, str]

    def run(self) -> Repair:
        before = list(_judgements(self.original, self.strict))
        why_not = self._why_not()
        changes: dict[str, Change] = {}
        reasons: dict[str, str] = {}
        notes: dict[str, str] = {}
        taken: list[str] = []
        for judgement in before:
            bucket = judgement.resource.logical_id
            if isinstance(judgement.http.verdict, Refuted):
                try:
                    self._refuse_unsafe_fix(judgement, why_not)
                    changes[bucket] = change = self._change(self.original, judgement, taken)
                except CannotEdit as error:
                    reasons[bucket] = str(error)
                else:
                    notes[bucket] = find_inverted_deny(judgement.http.policy)
                    taken.append(change.policy)
        document, done = self._fix_together(self.original, changes)
        whats = {bucket: changes[bucket].what for bucket in done}
        for bucket in [each for each in changes if each not in done]:
            try:
                document, whats[bucket] = self._fix_alone(document, bucket)
            except CannotEdit as error:
                reasons[bucket] = str(error)
        repair = Repair(
            document,
            tuple(
                FixedBucket(each.resource.logical_id, each.at, what, notes[each.resource.logical_id])
                for each in before
                if (what := whats.get(each.resource.logical_id))
            ),
            (*_left(before, reasons), *self._unreadable()),
        )
        return self._verify(repair, before) if repair.fixed else repair

    def _unreadable(self) -> Iterator[LeftBucket]:
        for unread in Inventory(Assembly([Stack(self.original)])).unread:
            if not unread.is_elsewhere:
                at = unread.stack.document.place(unread.why.at.pointer)
                yield LeftBucket(unread.logical_id, at, f"it cannot be decided: {unread.why}", undecided=True)

    def _why_not(self) -> str:
        """Return the reason to leave the whole template; `""` without one."""
        if not self.original.text:
            return "the template has no text"
        if made_by_cdk(self.original) and not self.synthesized:
            return MADE_BY_CDK
        return ""

    def _refuse_unsafe_fix(self, judgement: DeclaredJudgement, why_not: str) -> None:
        resource = judgement.resource
        if resource.logical_id in self.leave:
            raise CannotEdit(self.leave[resource.logical_id])
        if why_not:
            raise CannotEdit(why_not)
        properties = resource.properties
        if judgement.website or (isinstance(properties, Mapping) and "WebsiteConfiguration" in properties):
            raise CannotEdit(
                "it is a website, and a website endpoint speaks plain HTTP only: with the deny it would "
                "answer 403 to everyone; serve it through CloudFront with origin access control instead"
            )
        if not self._is_written(resource.logical_id):
            raise CannotEdit("a loop (`Fn::ForEach`) makes it")
        for each in (resource, *(policy.resource for policy in judgement.policies)):
            for duplicate in find_duplicates(self.original.root["Resources"].get(each.logical_id)):
                raise CannotEdit(f"{duplicate.reason}: which of them counts is undefined")

    def _is_written(self, logical_id: str) -> bool:
        resources = self.original.root.get("Resources")
        return isinstance(resources, Mapping) and logical_id in resources and not is_loop(logical_id)

    def _change(self, document: Document, judgement: DeclaredJudgement, taken: Iterable[str]) -> Change:
        """Return the change that a refuted bucket needs."""
        bucket, policy = judgement.resource.logical_id, judgement.http.policy
        if policy is None and not judgement.policies:
            names = (*judgement.stack.resources, *judgement.stack.sections["Parameters"], *taken)
            return add_policy(document, bucket, names)
        refuse_unless_one_policy(judgement, policy)
        assert policy is not None
        logical_id = policy.resource.logical_id
        if not self._is_written(logical_id):
            raise CannotEdit(f"a loop (`Fn::ForEach`) makes its policy `{logical_id}`")
        return add_statement(document, logical_id, bucket)

    def _fix_together(self, document: Document, changes: Mapping[str, Change]) -> tuple[Document, set[str]]:
        """Apply the changes that prove their buckets all at once; return the template and these buckets."""
        if not changes:
            return document, set()
        try:
            result = apply_changes(document, changes.values())
        except CannotEdit:
            # One change prevents the others; `run` then applies each change alone.
            return document, set()
        good: set[str] = set()
        inventory = Inventory(Assembly([Stack(result)]))
        judge = Judge(inventory, self.strict)
        for bucket in inventory.buckets:
            logical_id = bucket.resource.logical_id
            if logical_id in changes and isinstance(judge.bucket(bucket).http.verdict, Proven):
                with contextlib.suppress(CannotEdit):
                    refuse_large_policy(inventory, bucket)
                    good.add(logical_id)
        if len(good) == len(changes):
            return result, good
        return self._fix_together(document, {bucket: changes[bucket] for bucket in changes if bucket in good})

    def _fix_alone(self, document: Document, logical_id: str) -> tuple[Document, str]:
        """Return the template with the deny for one bucket, in as many of its policies as it needs."""
        done: dict[str, str] = {}
        while True:
            inventory = Inventory(Assembly([Stack(document)]))
            bucket = next(each for each in inventory.buckets if each.resource.logical_id == logical_id)
            judgement = Judge(inventory, self.strict).bucket(bucket)
            verdict = judgement.http.verdict
            if isinstance(verdict, Proven):
                refuse_large_policy(inventory, bucket)
                return document, " and ".join(done.values())
            if isinstance(verdict, Undecided):
                raise CannotEdit(f"with the deny it would be undecided: {_reasons(verdict)}")
            change = self._change(document, judgement, ())
            if change.policy in done:
                raise CannotEdit(f"the deny does not suffice in the policy `{change.policy}`: {verdict.why}")
            document = apply_changes(document, [change])
            done[change.policy] = change.what

    def _verify(self, repair: Repair, before: list[DeclaredJudgement]) -> Repair:
        """Return the repair, or the unchanged template if the verdict on another bucket changes."""
        fixed = {each.logical_id for each in repair.fixed}
        after = {each.resource.logical_id: each for each in _judgements(repair.document, self.strict)}
        for judgement in before:
            logical_id = judgement.resource.logical_id
            wanted = Proven if logical_id in fixed else type(judgement.http.verdict)
            found = after.pop(logical_id, None)
            if found is None or not isinstance(found.http.verdict, wanted):
                why = f"the repair of this template would change the verdict on `{logical_id}`"
                return Repair(
                    self.original,
                    (),
                    (*repair.left, *(LeftBucket(each.logical_id, each.at, why) for each in repair.fixed)),
                )
        return repair


def _judgements(document: Document, strict: bool) -> Iterator[DeclaredJudgement]:
    inventory = Inventory(Assembly([Stack(document)]))
    judge = Judge(inventory, strict)
    return (judge.bucket(bucket) for bucket in inventory.buckets)


def _reasons(verdict: Undecided) -> str:
    return "; ".join(dict.fromkeys(map(str, verdict.reasons)))


def _left(judgements: Iterable[DeclaredJudgement], reasons: Mapping[str, str]) -> Iterator[LeftBucket]:
    """Yield the buckets that are not proven and not fixed, including all undecided buckets."""
    for judgement in judgements:
        logical_id, verdict = judgement.resource.logical_id, judgement.http.verdict
        if isinstance(verdict, Undecided):
            why = f"it cannot be decided: {_reasons(verdict)}"
            yield LeftBucket(logical_id, judgement.at, why, undecided=True)
        elif logical_id in reasons:
            yield LeftBucket(logical_id, judgement.at, reasons[logical_id])
