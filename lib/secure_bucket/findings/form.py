"""Judge buckets of the same form in a stack once.

The policies that the AWS CDK writes for `enforceSSL` differ only in a logical id. This module judges one of
them in each stack in full. If it is proven, the proof holds for the others, because it holds for every name
that CloudFormation generates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import msgspec
from msgspec.structs import replace

from secure_bucket.findings.declared import DeclaredJudgement
from secure_bucket.proof.verdict import Proven
from secure_bucket.template.buckets import Bucket
from secure_bucket.template.inventory import Inventory
from secure_bucket.template.places import JsonPlaces
from secure_bucket.template.stack import is_function

__all__ = ["WrittenForm", "form_of", "judge_by_form"]

WrittenForm: TypeAlias = "tuple[int, bytes]"
"""Everything that a verdict depends on: the `id` of the stack, and what is written about a bucket."""

_MOST_FORMS: Final = 512


def judge_by_form(
    inventory: Inventory,
    bucket: Bucket,
    proven: dict[WrittenForm, DeclaredJudgement],
    judge: Callable[[Bucket], DeclaredJudgement],
) -> DeclaredJudgement:
    """Return the judgement on a bucket, from a proven bucket of the same form if there is one.

    Args:
        inventory: The buckets and policies.
        bucket: The bucket.
        proven: The judgements on proven buckets so far; emptied when it is full, to limit memory.
        judge: Judges a bucket in full.
    """
    form = form_of(inventory, bucket)
    known = proven.get(form) if form is not None else None
    if known is not None:
        (policy,) = inventory.direct[id(bucket.resource)]
        return replace(
            known,
            resource=bucket.resource,
            http=replace(known.http, policy=policy),
            tls=replace(known.tls, policy=policy) if known.tls is not None else None,
            policies=(policy,),
        )
    judgement = judge(bucket)
    outcomes = [judgement.http, judgement.tls or judgement.http]
    if form is not None and all(isinstance(each.verdict, Proven) and each.policy for each in outcomes):
        if len(proven) >= _MOST_FORMS:
            proven.clear()
        proven[form] = judgement
    return judgement


def form_of(inventory: Inventory, bucket: Bucket) -> WrittenForm | None:
    """Return the form of a bucket and its policy, in which marks stand for the references to the bucket.

    Returns:
        The form; `None` where a verdict depends on more than the stack, the bucket and one policy.
    """
    stack, resource, properties = bucket.stack, bucket.resource, bucket.resource.properties
    policies = inventory.direct.get(id(resource), ())
    if len(policies) != 1 or inventory.loose or inventory.receivers or stack.loop_variables:
        return None
    policy = policies[0].resource
    if resource.members or policy.members or not _is_plain(properties):
        return None
    # INVARIANT: `encode` writes different values of a JSON file differently, and refuses numbers with a
    # fraction (`WrittenFloat`), which have several spellings.
    if not isinstance(stack.document.places, JsonPlaces):
        return None
    try:
        written = msgspec.json.encode(
            (resource.body.get("Condition"), policy.body.get("Condition"), policy.properties)
        )
        own = msgspec.json.encode(resource.logical_id)
    except (TypeError, UnicodeEncodeError):
        return None
    # INVARIANT: JSON escapes quotes and NULs in text, so no text looks like these.
    arn, name = b'{"Fn::GetAtt":[%s,"Arn"]}' % own, b'{"Ref":%s}' % own
    written = written.replace(arn, b"\0arn").replace(name, b"\0name")
    if b'"Ref":' in written or b'"Fn::' in written.replace(b'"Fn::Join":', b""):
        return None
    return id(stack), written


def _is_plain(properties: object) -> bool:
    """Tell whether CloudFormation generates the name of a bucket that is not a website."""
    return properties is None or (
        isinstance(properties, Mapping)
        and not is_function(properties)
        and properties.keys().isdisjoint(("BucketName", "WebsiteConfiguration"))
    )
