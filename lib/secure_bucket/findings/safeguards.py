"""List the safeguards of templates for a report, and judge the resource control policies among them."""

from __future__ import annotations

from collections.abc import Iterator

from secure_bucket.findings.finding import Safeguard
from secure_bucket.findings.rules.rule import describe_request, reasons
from secure_bucket.findings.subject import Declared
from secure_bucket.proof.claim import ANY_BUCKET
from secure_bucket.proof.prove import prove_denies_http
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.template.inventory import Inventory
from secure_bucket.template.policy_text import PolicyTextError, read_policy_text
from secure_bucket.template.safeguards import DeclaredSafeguard, SafeguardKind, declared_safeguards
from secure_bucket.template.stack import pointer_of
from secure_bucket.template.worlds import Fork, Infeasible, Undecidable
from secure_bucket.values.unknown import Text, Unknown

__all__ = ["safeguards_of"]


def safeguards_of(inventory: Inventory) -> Iterator[Safeguard]:
    """Return the safeguards that the stacks of an assembly declare, in their order."""
    for stack in inventory.assembly.stacks:
        for declared in declared_safeguards(stack):
            detail = declared.detail
            if declared.kind is SafeguardKind.ORGANIZATION_POLICY:
                detail = f"{detail}; {_denied_from_above(inventory, declared)}"
            resource = declared.resource
            path = stack.construct_path(resource)
            subject = Declared(resource.logical_id, stack.document.file, path)
            at = stack.document.place(pointer_of(resource.path))
            yield Safeguard(subject, declared.kind, at, detail)


def _denied_from_above(inventory: Inventory, declared: DeclaredSafeguard) -> str:
    """Return the verdict of a policy on a bucket in the accounts that it is attached to.

    A policy may exempt buckets. The report then mentions it without a finding, because the author of the
    policy decided it.
    """
    resolver = inventory.resolver(inventory.start, False)
    try:
        content = resolver.property(declared.stack, declared.resource, "Content")
        if isinstance(content, str):
            content = read_policy_text(content)
    except (Fork, Infeasible, Undecidable):
        return "what it denies depends on the parameters"
    except PolicyTextError as error:
        return f"what it denies is not known: {error}"
    if isinstance(content, (Text, Unknown)):
        return "what it denies is known at deployment only"
    verdict = prove_denies_http(content, bucket_arn=ANY_BUCKET, strict=True)
    match verdict:
        case Proven():
            return "proven to deny every request over plain HTTP to every bucket that it does not name"
        case Refuted():
            return f"not every request is denied: {describe_request(verdict.request)}"
        case Undecided():
            return f"whether every request is denied is not known: {reasons(verdict)}"
