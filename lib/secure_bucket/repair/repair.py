"""The repair of a template: each bucket that answers plain HTTP gets the deny, or a reason why not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from secure_bucket.errors import TemplateError
from secure_bucket.findings.judge import Judge, Judgement
from secure_bucket.policy.unknown import Hole, Place, Text
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.repair.edit import CannotEdit, add_policy, add_statement
from secure_bucket.template import Assembly, BucketPolicy, Document, Inventory, Stack
from secure_bucket.template.json_text import find_duplicates
from secure_bucket.template.loops import is_loop

__all__ = ["MADE_BY_CDK", "MAX_POLICY_BYTES", "Fixed", "Left", "Repair", "repair_document"]

MADE_BY_CDK = (
    "the AWS CDK made this template, and will make it anew: fix the app, with "
    "`SecureTransportAspect(mode=Mode.FIX)` or `enforce_ssl=True`"
)
"""Why a template that was synthesized is left as it is."""

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html: 20 KB.
MAX_POLICY_BYTES = 20_480
_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class Fixed:
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


@dataclass(frozen=True, slots=True)
class Left:
    """A bucket that was left as it was, and is not proven.

    Args:
        logical_id: Its logical id.
        at: Where it is written.
        why: The reason, as a clause.
        undecided: Whether it is not known if it answers plain HTTP; otherwise it does.
    """

    logical_id: str
    at: Place
    why: str
    undecided: bool = False


@dataclass(frozen=True, slots=True)
class Repair:
    """What became of a template.

    Args:
        document: The template now: the very same one when nothing was done.
        fixed: The buckets that deny plain HTTP now.
        left: The buckets that are not proven, and why they were left.
        proven: How many buckets were proven before.
    """

    document: Document
    fixed: tuple[Fixed, ...] = ()
    left: tuple[Left, ...] = ()
    proven: int = 0


def repair_document(
    document: Document,
    *,
    strict: bool = False,
    synthesized: bool = False,
    hands_off: Mapping[str, str] | None = None,
) -> Repair:
    """Add the deny to every bucket of a template that provably answers plain HTTP.

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


def _made_by_cdk(document: Document) -> bool:
    """Tell whether a template was synthesized by the AWS CDK."""
    root = document.root
    rules, resources = root.get("Rules"), root.get("Resources")
    if isinstance(rules, Mapping) and "CheckBootstrapVersion" in rules:
        return True
    for body in resources.values() if isinstance(resources, Mapping) else ():
        if isinstance(body, Mapping):
            metadata = body.get("Metadata")
            if body.get("Type") == "AWS::CDK::Metadata" or (
                isinstance(metadata, Mapping) and "aws:cdk:path" in metadata
            ):
                return True
    return False


@dataclass(frozen=True, slots=True)
class _Repairer:
    original: Document
    strict: bool
    synthesized: bool
    hands_off: Mapping[str, str]

    def run(self) -> Repair:
        document = self.original
        before = list(_judgements(document, self.strict))
        hindrance = self._hindrance()
        fixed: list[Fixed] = []
        left: list[Left] = []
        for judgement in before:
            bucket = judgement.resource.logical_id
            verdict = judgement.http.verdict
            if isinstance(verdict, Undecided):
                reasons = "; ".join(dict.fromkeys(str(reason) for reason in verdict.reasons))
                left.append(Left(bucket, judgement.at, f"it cannot be decided: {reasons}", undecided=True))
            elif isinstance(verdict, Refuted):
                try:
                    self._may_repair(judgement, hindrance)
                    document, what, note = self._repaired(document, bucket)
                except CannotEdit as error:
                    left.append(Left(bucket, judgement.at, str(error)))
                else:
                    fixed.append(Fixed(bucket, judgement.at, what, note))
        for stack, logical_id, unknown in Inventory(Assembly([Stack(document)])).unreadable:
            at = stack.document.place(unknown.at.pointer)
            left.append(Left(logical_id, at, f"it cannot be decided: {unknown}", undecided=True))
        proven = sum(isinstance(each.http.verdict, Proven) for each in before)
        repair = Repair(document, tuple(fixed), tuple(left), proven)
        return self._verified(repair, before) if fixed else repair

    def _hindrance(self) -> str:
        """Return why nothing can be done in the whole template; `""` when it can."""
        if not self.original.text:
            return "the template has no text"
        for duplicate in find_duplicates(self.original.root):
            return f"{duplicate.reason}: which of them counts is undefined"
        if _made_by_cdk(self.original) and not self.synthesized:
            return MADE_BY_CDK
        return ""

    def _may_repair(self, judgement: Judgement, hindrance: str) -> None:
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

    def _is_written(self, logical_id: str) -> bool:
        resources = self.original.root.get("Resources")
        return isinstance(resources, Mapping) and logical_id in resources and not is_loop(logical_id)

    def _repaired(self, document: Document, bucket: str) -> tuple[Document, str, str]:
        """Return the template with the deny for a bucket, what was done, and what else to look at."""
        done: list[str] = []
        whats: list[str] = []
        note = ""
        while True:
            inventory, judgement = _judge(document, bucket, self.strict)
            verdict = judgement.http.verdict
            if isinstance(verdict, Proven):
                _limit_size(inventory, bucket)
                return document, " and ".join(whats), note
            policy = judgement.http.policy
            if isinstance(verdict, Undecided):
                reasons = "; ".join(dict.fromkeys(str(reason) for reason in verdict.reasons))
                raise CannotEdit(f"with the deny it would be undecided: {reasons}")
            if policy is None and not judgement.policies:
                taken = (*judgement.stack.resources, *judgement.stack.sections["Parameters"])
                document, logical_id = add_policy(document, bucket, taken)
                whats.append(f"the policy `{logical_id}` is new")
                done.append(logical_id)
                continue
            _refuse_several(judgement, bucket, policy)
            assert policy is not None
            logical_id = policy.resource.logical_id
            if logical_id in done:
                raise CannotEdit(f"the deny does not suffice in the policy `{logical_id}`: {verdict.why}")
            if not self._is_written(logical_id):
                raise CannotEdit(f"a loop (`Fn::ForEach`) makes its policy `{logical_id}`")
            note = note or _note(policy)
            document = add_statement(document, logical_id, bucket)
            whats.append(f"the policy `{logical_id}` has the deny in addition")
            done.append(logical_id)

    def _verified(self, repair: Repair, before: list[Judgement]) -> Repair:
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
                    (*repair.left, *(Left(each.logical_id, each.at, why) for each in repair.fixed)),
                    repair.proven,
                )
        return repair


def _judgements(document: Document, strict: bool) -> Iterator[Judgement]:
    inventory = Inventory(Assembly([Stack(document)]))
    judge = Judge(inventory, strict)
    return (judge.bucket(bucket) for bucket in inventory.buckets)


def _judge(document: Document, logical_id: str, strict: bool) -> tuple[Inventory, Judgement]:
    inventory = Inventory(Assembly([Stack(document)]))
    bucket = next(each for each in inventory.buckets if each.resource.logical_id == logical_id)
    return inventory, Judge(inventory, strict).bucket(bucket)


def _refuse_several(judgement: Judgement, bucket: str, policy: BucketPolicy | None) -> None:
    """Refuse what is not one policy of this bucket and of no other."""
    if judgement.several:
        named = " and ".join(f"`{each.resource.logical_id}`" for each in judgement.several)
        raise CannotEdit(f"it has the policies {named}, of which the last one that is written wins: keep one")
    if policy is None:
        named = " and ".join(f"`{each.resource.logical_id}`" for each in judgement.policies)
        when = ", ".join(f"`{name}` is `{value}`" for name, value in judgement.http.parameters)
        raise CannotEdit(
            f"it has no policy{f' when {when}' if when else ''}, or none that is certainly its own: give "
            f"{named} the `Bucket` and the `Condition` of the bucket"
        )
    properties = policy.resource.properties
    target = properties.get("Bucket") if isinstance(properties, Mapping) else None
    if isinstance(target, list):
        raise CannotEdit(
            f"the policy `{policy.resource.logical_id}` is for a list of buckets: write one for each"
        )


def _limit_size(inventory: Inventory, logical_id: str) -> None:
    bucket = next(each for each in inventory.buckets if each.resource.logical_id == logical_id)
    for deployment in inventory.deployments(bucket):
        for applied in deployment.policies:
            text = json.dumps(
                applied.document, separators=(",", ":"), ensure_ascii=False, default=_at_its_longest
            )
            size = len(text.encode("utf-8", "replace"))
            if size > MAX_POLICY_BYTES:
                raise CannotEdit(
                    f"with the deny the policy `{applied.policy.resource.logical_id}` would have up to "
                    f"{size:,} bytes, and S3 takes {MAX_POLICY_BYTES:,}"
                )


def _at_its_longest(value: object) -> str:
    parts = value.parts if isinstance(value, Text) else ()
    return "".join("x" * _LONGEST_NAME if isinstance(part, Hole) else part for part in parts)


def _note(policy: BucketPolicy) -> str:
    """Return what is wrong with a transport statement that the deny does not mend."""
    properties = policy.resource.properties
    document = properties.get("PolicyDocument") if isinstance(properties, Mapping) else None
    statements = document.get("Statement") if isinstance(document, Mapping) else None
    for index, statement in enumerate(statements if isinstance(statements, list) else [statements], 1):
        condition = statement.get("Condition") if isinstance(statement, Mapping) else None
        if not isinstance(condition, Mapping) or statement.get("Effect") != "Deny":
            continue
        tests = condition.get("Bool")
        for key, value in tests.items() if isinstance(tests, Mapping) else ():
            value = value[0] if isinstance(value, list) and len(value) == 1 else value
            if key.casefold() == "aws:securetransport" and str(value).casefold() == "true":
                sid = statement.get("Sid")
                named = f"`{sid}`" if isinstance(sid, str) else f"{index}"
                return (
                    f"its statement {named} denies requests over HTTPS, so that with the deny nothing may "
                    "get through at all: did `true` mean `false`?"
                )
    return ""
