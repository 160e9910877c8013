"""Judge a bucket for all its possible deployments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

from secure_bucket.findings.combine import ClaimOutcome, OutcomeInWorld, over_deployments, settles, worst_of
from secure_bucket.findings.declared import DeclaredJudgement
from secure_bucket.findings.form import WrittenForm, judge_by_form
from secure_bucket.proof import prove_denies_http, prove_minimum_tls
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict
from secure_bucket.template.buckets import Bucket, BucketPolicy
from secure_bucket.template.deployments import (
    Applied,
    Deployment,
    deployments_of,
    foreign_deployments_of,
    source_of,
)
from secure_bucket.template.distributions import distributions_in, plain_viewers
from secure_bucket.template.inventory import Inventory, names_partition
from secure_bucket.template.stack import Resource, Stack, pointer_of
from secure_bucket.template.text import first_unsettled, holes
from secure_bucket.template.unreplaced import unreplaced_whole
from secure_bucket.template.worlds import PARTITION, REGION, Infeasible, Undecidable
from secure_bucket.values.unknown import Place, Text, Unknown

__all__ = ["Judge"]

Prove: TypeAlias = "Callable[[object, str | Text], Verdict]"

_MOST_PROVEN = 512


class Judge(Struct):
    """Judge the buckets of an inventory.

    Args:
        inventory: The buckets and policies.
        strict: Whether `{"AWS": "*"}` does not cover AWS service principals.
        minimum_tls_version: The TLS version below which no request may get through; `None` skips this claim.
    """

    inventory: Inventory
    strict: bool = False
    minimum_tls_version: float | None = None
    _memo: dict[str, Verdict] = field(default_factory=dict)
    # Why a whole stack is unknown, by the `id` of the stack: finding it takes a read of the whole template.
    _rewritten: dict[int, Unknown | None] = field(default_factory=dict)
    _distributions: tuple[tuple[Stack, Resource], ...] | None = None
    # Proofs by all their inputs: an app repeats few policies. Emptied when it is full, to limit memory.
    _proven: dict[str, Verdict] = field(default_factory=dict)
    _forms: dict[WrittenForm, DeclaredJudgement] = field(default_factory=dict)

    def bucket(self, bucket: Bucket) -> DeclaredJudgement:
        """Return the judgement on a bucket."""
        if self._distributions is None:
            self._distributions = distributions_in(self.inventory)
        judgement = judge_by_form(self.inventory, bucket, self._forms, self._in_full)
        viewers = plain_viewers(self.inventory, bucket, self._distributions)
        return replace(judgement, viewers=viewers) if viewers else judgement

    def _in_full(self, bucket: Bucket) -> DeclaredJudgement:
        deployments, outcomes, tls, undecided = self._judge(
            bucket.stack, lambda expand: deployments_of(self.inventory, bucket, expand=expand)
        )
        policies = {id(applied.policy): applied.policy for each in deployments for applied in each.policies}
        several: tuple[BucketPolicy, ...] = ()
        elsewhere: dict[str, None] = {}
        for deployment in deployments:
            own = [each for each in deployment.policies if each.certain and not each.is_apart]
            elsewhere.update(
                (each.policy.stack.outermost.name, None)
                for each in own
                if each.policy.stack.outermost is not bucket.stack.outermost
            )
            certain = tuple(applied.policy for applied in own)
            if len(certain) > 1 and not several:
                several = certain
        return DeclaredJudgement(
            bucket.stack,
            bucket.resource,
            undecided or over_deployments(outcomes),
            (undecided or over_deployments(tls)) if self.minimum_tls_version is not None else None,
            self.minimum_tls_version,
            tuple(policies.values()),
            several,
            website=any(deployment.website is True for deployment in deployments),
            name=_fixed_name(deployments),
            never_created=not deployments and undecided is None,
            together_with=tuple(elsewhere),
        )

    def foreign(self, policy: BucketPolicy) -> DeclaredJudgement | None:
        """Return the judgement on a policy by itself; `None` if its bucket is always declared here."""
        deployments, outcomes, tls, undecided = self._judge(
            policy.stack, lambda expand: foreign_deployments_of(self.inventory, policy, expand=expand)
        )
        if not deployments and undecided is None:
            return None
        return DeclaredJudgement(
            policy.stack,
            policy.resource,
            undecided or over_deployments(outcomes),
            (undecided or over_deployments(tls)) if self.minimum_tls_version is not None else None,
            self.minimum_tls_version,
            (policy,),
            foreign=True,
        )

    def _judge(
        self, stack: Stack, deployments: Callable[[bool], Iterable[Deployment]]
    ) -> tuple[list[Deployment], list[OutcomeInWorld], list[OutcomeInWorld], ClaimOutcome | None]:
        """Judge every deployment; if a verdict is open, also with each listed value of a parameter."""
        self._memo.clear()
        if id(stack) not in self._rewritten:
            self._rewritten[id(stack)] = _macro(stack)
        macro = self._rewritten[id(stack)]
        if macro is not None:
            return [], [], [], ClaimOutcome(Undecided((macro,)))
        try:
            ways = list(deployments(False))
        except Undecidable as error:
            at = (
                self._in_file(error.unknown.at)
                if error.unknown.at.file
                else stack.document.place("/Conditions")
            )
            return [], [], [], ClaimOutcome(Undecided((Unknown(error.unknown.reason, at),)))
        except Infeasible as failure:
            reason = f"the template cannot be deployed: {failure.unknown.reason}"
            return [], [], [], ClaimOutcome(Undecided((Unknown(reason, self._in_file(failure.unknown.at)),)))
        outcomes, tls = self._cases(ways, False)
        if any(way.expandable for way in ways) and not all(
            isinstance(case.outcome.verdict, Proven) for case in outcomes + tls
        ):
            try:
                ways = list(deployments(True))
            except (Undecidable, Infeasible):
                pass
            else:
                outcomes, tls = self._cases(ways, True)
        return ways, outcomes, tls, None

    def _cases(
        self, ways: list[Deployment], expand: bool
    ) -> tuple[list[OutcomeInWorld], list[OutcomeInWorld]]:
        def judged(claim: str, prove: Prove) -> list[OutcomeInWorld]:
            cases = [(way, self._case(way, expand, claim, prove)) for way in ways]
            all_cases = [case for _, case in cases]
            return [case for way, case in cases if not self._is_refused(way, case)] or all_cases

        http = judged("http", self._prove_http)
        return http, judged("tls", self._prove_tls) if self.minimum_tls_version else []

    def _is_refused(self, way: Deployment, case: OutcomeInWorld) -> bool:
        """Tell whether S3 refuses a policy in a partition that no template names, and so nobody deploys it
        there.

        A policy that names another partition needs a judgement only for that partition.
        """
        verdict, partition = case.outcome.verdict, way.world.values.get(PARTITION)
        if not (isinstance(verdict, Undecided) and verdict.is_refused) or REGION in way.world.values:
            return False
        documents = (stack.document for stack in self.inventory.assembly.stacks)
        return partition is not None and not any(names_partition(each, partition) for each in documents)

    def _prove_http(self, document: object, bucket_arn: str | Text) -> Verdict:
        return prove_denies_http(document, bucket_arn=bucket_arn, strict=self.strict)

    def _prove_tls(self, document: object, bucket_arn: str | Text) -> Verdict:
        minimum = self.minimum_tls_version or 0.0
        return prove_minimum_tls(document, bucket_arn=bucket_arn, minimum=minimum, strict=self.strict)

    def _case(self, way: Deployment, expand: bool, claim: str, prove: Prove) -> OutcomeInWorld:
        def ask(applied: Applied | None) -> ClaimOutcome:
            document, arn = (applied.document, applied.bucket_arn) if applied else (None, way.bucket_arn)
            verdict = self._proven_once(claim, document, arn, prove)
            if applied is None:
                return ClaimOutcome(verdict)
            return ClaimOutcome(self._located(verdict, way, applied, expand), applied.policy)

        if way.unread is not None:
            unread = Unknown(way.unread.reason, self._in_file(way.unread.at))
            return OutcomeInWorld(ClaimOutcome(Undecided((unread,))), way.world.describe())
        own = [applied for applied in way.policies if not applied.is_apart]
        certain = [ask(applied) for applied in own if applied.certain]
        possible = [(applied, ask(applied)) for applied in own if not applied.certain]
        worst = worst_of(certain) if certain else ask(None)
        open_questions = tuple(
            _may_apply(applied, way, bool(certain))
            for applied, outcome in possible
            if not settles(outcome.verdict, worst.verdict)
        )
        # If another policy may replace this one, only what holds with both counts.
        if open_questions and not isinstance(worst.verdict, Undecided):
            worst = ClaimOutcome(Undecided(open_questions), possible[0][0].policy)
        for applied in way.policies:
            # INVARIANT: a policy that may be deployed without the bucket can only invalidate a proof.
            if applied.is_apart and isinstance(worst.verdict, Proven):
                outcome = ask(applied)
                if isinstance(outcome.verdict, Proven):
                    continue
                question = ClaimOutcome(Undecided((_may_apply(applied, way, True),)), applied.policy)
                worst = outcome if applied.certain else question
        return OutcomeInWorld(worst, way.world.describe())

    def _proven_once(self, claim: str, document: object, arn: str | Text, prove: Prove) -> Verdict:
        """Prove a document, unless it has been proven in another world, or for a bucket of another name."""
        key = exact = f"{claim} {self.strict} {self.minimum_tls_version} {arn!r} {document!r}"
        # Generated names are interchangeable, as long as different ones stay different. A `repr` of the
        # template's own text contains no raw NUL character, so no text looks like a name.
        for number, hole in enumerate(hole for hole in holes(arn) if hole.generated):
            key = key.replace(repr(hole), f"\0{number}")
        verdict = self._proven.get(key, self._memo.get(exact))
        if verdict is None:
            try:
                verdict = prove(document, arn)
            except ValueError as error:
                # A template can give a bucket an invalid name.
                return Undecided((Unknown(str(error)),))
            if isinstance(verdict, Proven):
                if len(self._proven) >= _MOST_PROVEN:
                    self._proven.clear()
                self._proven[key] = verdict
            else:
                self._memo[exact] = verdict
        return verdict

    def _located(self, verdict: Verdict, way: Deployment, applied: Applied, expand: bool) -> Verdict:
        """Return a verdict with places in files instead of places in the policy."""
        if isinstance(verdict, Refuted):
            return replace(verdict, at=self._place(verdict.at, way, applied, expand))
        if isinstance(verdict, Undecided):
            reasons = (
                Unknown(reason.reason, self._place(reason.at, way, applied, expand))
                for reason in verdict.reasons
            )
            return replace(verdict, reasons=tuple(reasons))
        return verdict

    def _place(self, at: Place, way: Deployment, applied: Applied, expand: bool) -> Place:
        if at.file:
            return self._in_file(at)
        path = source_of(self.inventory, way.world, applied, at.pointer, expand=expand)
        return applied.policy.stack.document.place(pointer_of(path))

    def _in_file(self, at: Place) -> Place:
        stacks = self.inventory.assembly.stacks
        document = next((stack.document for stack in stacks if stack.document.name == at.file), None)
        return document.place(at.pointer) if document is not None else at


def _macro(stack: Stack | None) -> Unknown | None:
    while stack is not None:
        if stack.macros:
            named = "`, `".join(stack.macros)
            return Unknown(
                f"the macro `{named}` may rewrite everything in the template, and runs only at deployment",
                stack.document.place("/Transform"),
            )
        unreplaced = unreplaced_whole(stack.document.text, stack.document.root)
        if unreplaced is not None:
            return Unknown(unreplaced.reason, stack.document.place("/Resources"))
        stack = stack.parent
    return None


def _fixed_name(deployments: Iterable[Deployment]) -> str:
    """Return the name of a bucket, if it is the same in every deployment; `""` otherwise."""
    names = set()
    for deployment in deployments:
        arn = deployment.bucket_arn
        last = arn if isinstance(arn, str) else arn.parts[-1]
        # A name with a hole is not fixed.
        names.add(last.partition(":s3:::")[2] if isinstance(last, str) else "")
    return names.pop() if len(names) == 1 else ""


def _may_apply(applied: Applied, way: Deployment, second: bool) -> Unknown:
    policy = applied.policy
    placeholder = first_unsettled(applied.bucket_arn, way.bucket_arn)
    why = f": {placeholder.reason}" if placeholder is not None else ""
    at = policy.stack.document.place(pointer_of(policy.resource.path) + "/Properties/Bucket")
    other = "also " if second else ""
    return Unknown(
        f"whether the policy `{policy.resource.logical_id}` is {other}for this bucket is not known{why}", at
    )
