"""Fix a template: add the deny for each bucket that accepts plain HTTP, or give the reason why not."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from secure_bucket.errors import TemplateError
from secure_bucket.findings.declared import DeclaredJudgement
from secure_bucket.findings.judge import Judge
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.repair.edit import CannotEdit, Change, add_policy, add_statement, changed
from secure_bucket.repair.hindrances import MADE_BY_CDK, limit_size, made_by_cdk, note_on, refuse_several
from secure_bucket.template import Assembly, Document, Inventory, Stack
from secure_bucket.template.scan import find_duplicates
from secure_bucket.template.stack import is_loop
from secure_bucket.values.unknown import Place

__all__ = ["FixedBucket", "LeftBucket", "Repair", "repair_document"]


class FixedBucket(Struct, frozen=True):
    """A bucket that denies plain HTTP now.

    Args:
        logical_id: Its logical id.
        at: Where it is written in the template as it was.
        what: What was done, as a clause.
        note: What else to look at; `""` when there is nothing.
    """

    logical_id: str
    at: Place
    what: str
    note: str = ""


class LeftBucket(Struct, frozen=True):
    """A bucket that was left as it was, and is not proven.

    Args:
        logical_id: Its logical id.
        at: Where it is written.
        why: The reason, as a clause.
        undecided: Whether it is not known if it accepts plain HTTP; otherwise it does.
    """

    logical_id: str
    at: Place
    why: str
    undecided: bool = False


class Repair(Struct, frozen=True):
    """What became of a template.

    Args:
        document: The template now: the very same one when nothing was done.
        fixed: The buckets that deny plain HTTP now.
        left: The buckets that are not proven, and why they were left.
    """

    document: Document
    fixed: tuple[FixedBucket, ...] = ()
    left: tuple[LeftBucket, ...] = ()


def repair_document(
    document: Document,
    *,
    strict: bool = False,
    synthesized: bool = False,
    hands_off: Mapping[str, str] | None = None,
) -> Repair:
    """Add the deny to every bucket of a template that provably accepts plain HTTP.

    Only text is added: nothing that stands in the template is taken away or changed, except that a single
    statement becomes an item of a list. What comes out proves for each bucket that was fixed, and is
    judged as before for every other one.

    Args:
        document: The template, with its text.
        strict: Take `{"AWS": "*"}` not to cover AWS service principals, which AWS does not document.
        synthesized: Also repair what the AWS CDK has made, and will make anew.
        hands_off: Buckets to leave as they are, by logical id, each with the reason as a clause.

    Raises:
        TemplateError: If it is nested too deeply to be judged.
    """
    try:
        return _Repairer(document, strict, synthesized, hands_off or {}).run()
    except RecursionError:
        raise TemplateError(f"`{document.name}`: nested too deeply to be read") from None


class _Repairer(Struct, frozen=True):
    original: Document
    strict: bool
    synthesized: bool
    hands_off: Mapping[str, str]

    def run(self) -> Repair:
        before = list(_judgements(self.original, self.strict))
        hindrance = self._hindrance()
        changes: dict[str, Change] = {}
        reasons: dict[str, str] = {}
        notes: dict[str, str] = {}
        taken: list[str] = []
        for judgement in before:
            bucket = judgement.resource.logical_id
            if isinstance(judgement.http.verdict, Refuted):
                try:
                    self._may_repair(judgement, hindrance)
                    changes[bucket] = change = self._change(self.original, judgement, taken)
                except CannotEdit as error:
                    reasons[bucket] = str(error)
                else:
                    notes[bucket] = note_on(judgement.http.policy)
                    taken.append(change.policy)
        document, done = self._together(self.original, changes)
        whats = {bucket: changes[bucket].what for bucket in done}
        for bucket in [each for each in changes if each not in done]:
            try:
                document, whats[bucket] = self._alone(document, bucket)
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
        return self._verified(repair, before) if repair.fixed else repair

    def _unreadable(self) -> Iterator[LeftBucket]:
        for unread in Inventory(Assembly([Stack(self.original)])).unread:
            if not unread.is_elsewhere:
                at = unread.stack.document.place(unread.why.at.pointer)
                yield LeftBucket(unread.logical_id, at, f"it cannot be decided: {unread.why}", undecided=True)

    def _hindrance(self) -> str:
        """Return why nothing can be done in the whole template; `""` when it can."""
        if not self.original.text:
            return "the template has no text"
        if made_by_cdk(self.original) and not self.synthesized:
            return MADE_BY_CDK
        return ""

    def _may_repair(self, judgement: DeclaredJudgement, hindrance: str) -> None:
        resource = judgement.resource
        if resource.logical_id in self.hands_off:
            raise CannotEdit(self.hands_off[resource.logical_id])
        if hindrance:
            raise CannotEdit(hindrance)
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
        refuse_several(judgement, policy)
        assert policy is not None
        logical_id = policy.resource.logical_id
        if not self._is_written(logical_id):
            raise CannotEdit(f"a loop (`Fn::ForEach`) makes its policy `{logical_id}`")
        return add_statement(document, logical_id, bucket)

    def _together(self, document: Document, changes: Mapping[str, Change]) -> tuple[Document, set[str]]:
        """Make all changes at once that suffice; return the template, and the buckets that are proven."""
        if not changes:
            return document, set()
        try:
            result = changed(document, changes.values())
        except CannotEdit:
            # One of them stands in the way; which one shows when they are made one by one.
            return document, set()
        good: set[str] = set()
        inventory = Inventory(Assembly([Stack(result)]))
        judge = Judge(inventory, self.strict)
        for bucket in inventory.buckets:
            logical_id = bucket.resource.logical_id
            if logical_id in changes and isinstance(judge.bucket(bucket).http.verdict, Proven):
                with contextlib.suppress(CannotEdit):
                    limit_size(inventory, bucket)
                    good.add(logical_id)
        if len(good) == len(changes):
            return result, good
        return self._together(document, {bucket: changes[bucket] for bucket in changes if bucket in good})

    def _alone(self, document: Document, logical_id: str) -> tuple[Document, str]:
        """Return the template with the deny for one bucket, in as many of its policies as it takes."""
        done: dict[str, str] = {}
        while True:
            inventory = Inventory(Assembly([Stack(document)]))
            bucket = next(each for each in inventory.buckets if each.resource.logical_id == logical_id)
            judgement = Judge(inventory, self.strict).bucket(bucket)
            verdict = judgement.http.verdict
            if isinstance(verdict, Proven):
                limit_size(inventory, bucket)
                return document, " and ".join(done.values())
            if isinstance(verdict, Undecided):
                raise CannotEdit(f"with the deny it would be undecided: {_reasons(verdict)}")
            change = self._change(document, judgement, ())
            if change.policy in done:
                raise CannotEdit(f"the deny does not suffice in the policy `{change.policy}`: {verdict.why}")
            document = changed(document, [change])
            done[change.policy] = change.what

    def _verified(self, repair: Repair, before: list[DeclaredJudgement]) -> Repair:
        """Return the repair, unless it changes the answer for something that it was not to change."""
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
    """Yield what is not proven and not fixed; undecided is left without being tried."""
    for judgement in judgements:
        logical_id, verdict = judgement.resource.logical_id, judgement.http.verdict
        if isinstance(verdict, Undecided):
            why = f"it cannot be decided: {_reasons(verdict)}"
            yield LeftBucket(logical_id, judgement.at, why, undecided=True)
        elif logical_id in reasons:
            yield LeftBucket(logical_id, judgement.at, reasons[logical_id])
