"""Add the missing deny to the policy of a bucket, or to a new policy.

A bucket has at most one policy, so FIX adds the statement to an existing policy and never makes a second one.
If FIX cannot identify the policy of a bucket, it writes nothing, and the gate reports the bucket with the
reason.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Container, Iterable, Iterator, Mapping

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import IConstruct
from msgspec.structs import replace

from secure_bucket.cdk.fix.denies import denied_in, without_deny
from secure_bucket.cdk.fix.judge import judge_resources, resources_of
from secure_bucket.cdk.fix.lifetime import keep_policy
from secure_bucket.cdk.fix.outcome import Fixed, Left, Outcome
from secure_bucket.cdk.fix.policy_finder import PolicyFinder
from secure_bucket.cdk.fix.policy_writer import (
    add_policy,
    add_statements,
    arn_for,
    hindrance,
    put_deny_last,
    without_statement,
)
from secure_bucket.cdk.fix.survey import SeenBucket, Survey, path_of
from secure_bucket.cdk.fix.taking_back import remove_made, remove_policy, take_back
from secure_bucket.cdk.fix.users_of_bucket import UsersOfBucket
from secure_bucket.cdk.gate.acknowledgments import METADATA_KEY, outwards
from secure_bucket.cdk.gate.violations import id_of
from secure_bucket.cdk.versions import has_acknowledgments
from secure_bucket.findings.exceptions import METADATA_KEY as EXCEPTIONS_KEY
from secure_bucket.findings.rules import EXCUSABLE, REFUTED, UNDECIDED
from secure_bucket.policy.statements import deny_plain_http
from secure_bucket.proof.verdict import Proven, Undecided

__all__ = ["Fixer"]

_REFUTED, _UNDECIDED = id_of(REFUTED), id_of(UNDECIDED)


class Fixer:
    """Fix the buckets of one App or Stage, with one survey for all of them.

    Args:
        stage: The App or the Stage.
        websites: Whether to fix website buckets too (default: False). Their endpoint speaks only plain HTTP,
            so the deny closes it.
        plain_viewers: Whether to fix buckets too whose objects a CloudFront distribution requests over plain
            HTTP (default: False).
        keeps: Whether existing policies get the lifetime of their buckets too (default: False).
        acknowledged: The paths of the constructs that may have an acknowledgment (default: all).
        left: The reasons to leave buckets that need plain HTTP according to an earlier synthesis, by path
            (default: none).
    """

    def __init__(
        self,
        stage: IConstruct,
        *,
        websites: bool = False,
        plain_viewers: bool = False,
        keeps: bool = False,
        acknowledged: Mapping[str, IConstruct] | None = None,
        left: Mapping[str, str] | None = None,
    ) -> None:
        self._stage = stage
        self.websites = websites
        self.plain_viewers = plain_viewers
        self._keeps = keeps
        self._may_be_acknowledged = acknowledged
        self._left = left or {}
        self.undo: dict[str, Callable[[], None]] = {}
        """How to take back what was written for a bucket, by its path."""
        # The buckets that got a policy after the survey.
        self._made: set[str] = set()
        self._acknowledged: dict[str, frozenset[str]] = {}
        self._around: dict[str, frozenset[str]] = {}

    @functools.cached_property
    def survey(self) -> Survey:
        """The buckets and policies of the Stage, as of the first call."""
        return Survey(self._stage)

    @functools.cached_property
    def _policies(self) -> PolicyFinder:
        return PolicyFinder(self.survey)

    @functools.cached_property
    def _users(self) -> UsersOfBucket:
        return UsersOfBucket(self._stage, self.survey)

    def fix_all(self, denied: Container[str] = ()) -> Iterator[Outcome]:
        """Fix the buckets of the Stage.

        Args:
            denied: The paths of the buckets that have had the deny from the start.
        """
        buckets, proven = self.survey.buckets, frozenset(self.survey.proven)
        self.survey.read_attributes(
            each for path, each in buckets.items() if path in denied or path not in proven
        )
        made = [path for path in proven if path in denied]
        self._remove_orphans(path for path in made if path not in buckets)
        self._remove_strays(made)
        for path, bucket in buckets.items():
            outcome = None
            if path in denied:
                outcome = self._confirm(bucket)
            elif path not in proven:
                outcome = self.fix(bucket)
            if outcome is not None:
                yield outcome

    def fix(self, bucket: SeenBucket) -> Outcome | None:
        """Add the deny to the policy of a bucket, unless it already refuses plain HTTP.

        Returns:
            The outcome; `None` if there was nothing to do.
        """
        path = bucket.path
        if path in self._made:
            return None
        policy = self._policies.policy_of(bucket)
        if isinstance(policy, str):
            return Left(path, policy)
        rule = _REFUTED
        if policy is not None:
            open_rule = _judge(bucket, policy.document)
            if open_rule is None:
                return None
            rule = open_rule
        why = self._why_not(bucket, rule)
        if why:
            return Left(path, why)
        if policy is not None:
            deny = deny_plain_http(arn_for(policy, bucket))
            why = hindrance(policy, bucket, [deny])
            if why:
                return Left(path, f"its policy `{policy.path}` {why}")
        why = self._users.flow_logs(bucket, policy)
        if why:
            return Left(path, why)
        if policy is None:
            deny = deny_plain_http(bucket.arn)
            try:
                made = add_policy(bucket, "SecureTransportPolicy", [deny], self._stage)
            except RuntimeError as error:
                # An app may lock a construct (`Node.lock`).
                return Left(path, f"the AWS CDK refuses a policy for it: {str(error).splitlines()[0]}")
            self._made.add(path)
            self.undo[path] = functools.partial(remove_made, bucket, "SecureTransportPolicy")
            return Fixed(path, made, is_new=True)
        self.undo[path] = functools.partial(setattr, policy.policy, "policy_document", policy.written)
        add_statements(policy, [deny])
        if self._keeps:
            keep_policy(policy.policy, bucket, self._stage)
        return Fixed(path, policy.path, is_new=False)

    def _remove_orphans(self, denied: Iterable[str]) -> None:
        """Remove the denies of `s3.Bucket`s whose resource somebody removed."""
        for path in denied:
            policy = self.survey.own[path]
            assert isinstance(policy.policy, s3.CfnBucketPolicy)
            deny = deny_plain_http({"Fn::GetAtt": [policy.value["Ref"], "Arn"]})
            if without_deny(self.survey.documents[path], deny) is None:
                remove_policy(policy.policy)
            else:
                policy.policy.policy_document = without_statement(policy.written, deny)

    def _remove_strays(self, denied: Iterable[str]) -> None:
        """Remove the deny of one bucket from the policies of other buckets.

        A policy that shares its document with another one also gets the deny of the other bucket.
        """
        survey = self.survey
        own = {(id(survey.own[path].stack), survey.own[path].value["Ref"]): path for path in denied}
        for number, policy in enumerate(survey.policies if own else ()):
            if not isinstance(policy.written, iam.PolicyDocument):
                continue
            written: object = policy.written
            document = survey.document_of(policy)
            for name in denied_in(document):
                path = own.get((id(policy.stack), name))
                if path is not None and survey.own[path].path != policy.path:
                    bucket = survey.buckets.get(path)
                    arn = {"Fn::GetAtt": [name, "Arn"]} if bucket is None else bucket.arn
                    written = without_statement(written, deny_plain_http(arn))
            if written is not policy.written and isinstance(policy.policy, s3.CfnBucketPolicy):
                policy.policy.policy_document = written
                survey.policies[number] = replace(policy, written=written)

    def _confirm(self, bucket: SeenBucket) -> Outcome | None:
        """Keep the deny that a bucket was made with, or remove it if FIX must leave the bucket.

        Acknowledgments, users and other policies of a bucket come after the bucket itself.
        """
        path = bucket.path
        if path not in self.survey.proven:
            return self.fix(bucket)
        # The L2 made this policy for itself.
        bucket.logical_id = self.survey.own[path].value["Ref"]
        policy = self._policies.own_policy_of(bucket)
        assert policy is not None
        rest = without_deny(policy.document, deny_plain_http({"Fn::GetAtt": [bucket.logical_id, "Arn"]}))
        if rest == policy.document:
            return None  # Another statement denies plain HTTP by now.
        rule = _judge(bucket, rest) if rest else _REFUTED
        why = self._why_not(bucket, rule) if rule is not None else ""
        other = self._policies.other_policy_of(bucket) if rest is None else None
        if not why and rest is not None and rule is not None:
            why = hindrance(policy, bucket)
            why = why and f"its policy `{policy.path}` {why}"
        if not why and not other:
            why = self._users.flow_logs(bucket, policy if rest else None)
        if not why and not other and rule is not None:
            if rest is None:
                keep_policy(policy.policy, bucket, self._stage)
            else:
                put_deny_last(policy)
            self.undo[path] = functools.partial(take_back, policy, bucket, is_all=rest is None)
            return Fixed(path, policy.path, is_new=rest is None)
        take_back(policy, bucket, is_all=rest is None)
        self.survey.forget_own(path)
        if why:
            return Left(path, why)
        return self.fix(bucket) if other else None

    def is_acknowledged_at(self, scope: IConstruct) -> bool:
        """Tell whether an acknowledgment on a construct, or around it, allows buckets there to accept plain
        HTTP."""
        return _REFUTED in self._acknowledged_on(path_of(scope), scope)

    def _why_not(self, bucket: SeenBucket, rule: str) -> str:
        if bucket.path in self._left:
            return self._left[bucket.path]
        if not self.websites and bucket.properties.get("websiteConfiguration") is not None:
            return "its website endpoint speaks plain HTTP only, so that the deny would close it"
        if rule in _declared_on(bucket):
            return f"`{rule}` is accepted in its `Metadata`"
        if has_acknowledgments() and rule in self._acknowledged_on(bucket.path, bucket.bucket, bucket):
            # The exception may have expired: then the gate fails. FIX must not cut clients off on a certain
            # day without a change in the app.
            return f"`{rule}` is acknowledged on it, or around it"
        return "" if self.plain_viewers else self._users.plain_viewers(bucket)

    def _acknowledged_on(
        self, path: str, construct: IConstruct, bucket: SeenBucket | None = None
    ) -> frozenset[str]:
        """Return the ids of the acknowledgments on a construct and on the constructs around it."""
        known = self._may_be_acknowledged
        if known is not None:
            around = [(each, known[each]) for each in outwards(path) if each in known]
            return frozenset().union(*(self._acknowledged_at(*each) for each in around))
        found = self._around.get(path)
        if found is None:
            found, outer = self._acknowledged_at(path, construct), path.rpartition("/")[0]
            if path and outer not in self._around:
                scope = (bucket.owner if bucket else None) or construct.node.scope
                if scope is not None:
                    self._acknowledged_on(outer, scope)
            found |= self._around.get(outer, frozenset()) if path else frozenset()
            self._around[path] = found
        return found

    def _acknowledged_at(self, path: str, construct: IConstruct) -> frozenset[str]:
        if path not in self._acknowledged:
            entries = [each.data for each in construct.node.metadata if each.type == METADATA_KEY]
            self._acknowledged[path] = frozenset(id for data in entries for id in data)
        return self._acknowledged[path]


def _declared_on(bucket: SeenBucket) -> Iterator[str]:
    """Yield the ids of the rules from which the `Metadata` of a bucket excepts it."""
    declared = bucket.attributes.get("metadata", {}).get(EXCEPTIONS_KEY)
    entries = declared.get("Exceptions") if isinstance(declared, Mapping) else None
    for entry in entries if isinstance(entries, list) else ():
        named = entry.get("Rule") if isinstance(entry, Mapping) else None
        rule = EXCUSABLE.get(named.casefold()) if isinstance(named, str) else None
        if rule is not None:
            yield id_of(rule)


def _judge(bucket: SeenBucket, document: object) -> str | None:
    """Judge a bucket with its policy as the gate would, in a template of its own.

    Returns:
        The id that acknowledges the finding; `None` if the bucket is proven.
    """
    id = bucket.logical_id
    verdict = judge_resources(resources_of(id, bucket.name, document))[id]
    if isinstance(verdict, Proven):
        return None
    return _UNDECIDED if isinstance(verdict, Undecided) else _REFUTED
