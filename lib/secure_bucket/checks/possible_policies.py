"""Match buckets without a policy with policies of the same run for an unknown bucket.

A check of one template does not see the others. If a parameter or an import names the bucket of a policy,
that may be any bucket of the run, and a second policy for the bucket would replace it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from secure_bucket.errors import TemplateError
from secure_bucket.findings.finding import Finding, JudgedBucket, Report
from secure_bucket.findings.rules import REFUTED, sb005
from secure_bucket.proof.verdict import NO_POLICY, Refuted, Undecided
from secure_bucket.template.load import load_document

__all__ = ["possible_policies", "with_possible_policies"]

_TOGETHER = "keep the bucket and its policy in one template, or check both with `--together`"


def possible_policies(report: Report) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the buckets without a policy that a policy of another template may be for.

    Returns:
        The file and logical id of the policy, by the file and logical id of the bucket.
    """
    bare = [
        each for each in report.buckets if isinstance(each.verdict, Refuted) and each.verdict.why == NO_POLICY
    ]
    if not bare:
        return {}
    foreign = dict.fromkeys(each.subject.key for each in report.findings if each.rule == sb005.RULE.id)
    policies = [
        ((file, logical_id), allowed)
        for file in dict.fromkeys(file for file, _ in foreign)
        for logical_id, allowed in _for_an_unknown_bucket(file)
        if (file, logical_id) in foreign
    ]
    return {
        bucket.subject.key: policy
        for bucket in bare
        for policy, allowed in reversed(policies)
        if policy[0] != bucket.template and (allowed is None or bucket.subject.name in allowed)
    }


def with_possible_policies(report: Report) -> Report:
    """Return a report whose findings name the policy that may be for a bucket, and that bucket."""
    possible = possible_policies(report)
    wanting: dict[tuple[str, str], list[JudgedBucket]] = {}
    for bucket in report.buckets:
        for policy in _may_apply(bucket, possible):
            wanting.setdefault(policy, []).append(bucket)
    if not wanting:
        return report

    def worded(finding: Finding) -> Finding:
        if finding.rule == REFUTED and (policy := possible.get(finding.subject.key)):
            message = f"{finding.message}; the policy `{policy[1]}` in `{policy[0]}` may be for it"
            return replace(finding, message=message, fix=_TOGETHER)
        if finding.rule == sb005.RULE.id and (buckets := wanting.get(finding.subject.key)):
            named = ", ".join(f"`{each.logical_id}` in `{each.template}`" for each in buckets[:3])
            more = f" and {len(buckets) - 3} more" if len(buckets) > 3 else ""
            return replace(finding, message=f"{finding.message}; it may be for the bucket {named}{more}")
        return finding

    return replace(report, findings=tuple(map(worded, report.findings)))


def _may_apply(
    bucket: JudgedBucket, possible: Mapping[tuple[str, str], tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    if bucket.subject.key in possible:
        yield possible[bucket.subject.key]
    if isinstance(bucket.verdict, Undecided):
        yield from bucket.policies


def _for_an_unknown_bucket(file: str) -> Iterator[tuple[str, tuple[str, ...] | None]]:
    """Yield the policies whose bucket a parameter or an import names, each with the names it can have."""
    try:
        root = load_document(file).root
    except TemplateError:
        return
    parameters, resources = root.get("Parameters"), root.get("Resources")
    for logical_id, body in resources.items() if isinstance(resources, Mapping) else ():
        properties = body.get("Properties") if isinstance(body, Mapping) else None
        target = properties.get("Bucket") if isinstance(properties, Mapping) else None
        if not isinstance(target, Mapping) or body.get("Type") != "AWS::S3::BucketPolicy":
            continue
        named = target.get("Ref")
        if isinstance(parameters, Mapping) and isinstance(parameters.get(named), Mapping):
            allowed = parameters[named].get("AllowedValues")
            yield str(logical_id), tuple(map(str, allowed)) if isinstance(allowed, Iterable) else None
        elif "Fn::ImportValue" in target:
            yield str(logical_id), None
