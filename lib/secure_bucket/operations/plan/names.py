"""Read the generated names of buckets from the list of the resources of a stack."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from msgspec import Struct

from secure_bucket.findings.finding import Report
from secure_bucket.findings.subject import Declared
from secure_bucket.formats.form import FormError, decode, read_bytes_of
from secure_bucket.operations.plan.rollout import RolloutError

__all__ = ["StackResources", "names_of_buckets", "read_stack_resources"]

# The list may still contain resources that the stack no longer owns.
_GONE: Final = frozenset({"DELETE_COMPLETE", "DELETE_SKIPPED"})


class _ListedResource(Struct, frozen=True):
    """A resource, in the words of CloudFormation."""

    LogicalResourceId: str
    ResourceType: str
    PhysicalResourceId: str | None = None
    ResourceStatus: str = ""
    StackName: str = ""
    StackId: str = ""


class _ResourceList(Struct, frozen=True):
    StackResourceSummaries: tuple[_ListedResource, ...] | None = None
    StackResources: tuple[_ListedResource, ...] | None = None
    NextToken: str | None = None


class StackResources(Struct, frozen=True):
    """The buckets of one deployed stack.

    Args:
        file: The file with the list.
        buckets: The names of the buckets, by logical id.
        stack: The name of the stack; `""` if it is unknown.
        account: The account of the stack; `""` if it is unknown.
        template: The file of its template; `""` if the user did not name it.
    """

    file: str
    buckets: Mapping[str, str]
    stack: str = ""
    account: str = ""
    template: str = ""


def read_stack_resources(file: str | os.PathLike[str], template: str = "") -> StackResources:
    """Read the output of `aws cloudformation list-stack-resources` or `describe-stack-resources`.

    Args:
        file: The file, as JSON.
        template: The file of the template of the stack (default: found by the name of the stack).

    Raises:
        RolloutError: If the file cannot be read, is not such a list, is incomplete, or contains no bucket.
    """
    name = os.fspath(file)
    try:
        document = decode(read_bytes_of(name), _ResourceList, name)
    except FormError as error:
        raise RolloutError(str(error)) from None
    resources = document.StackResourceSummaries or document.StackResources
    if resources is None:
        raise RolloutError(
            f"`{name}` is not a list of the resources of a stack: `aws cloudformation "
            f"list-stack-resources --stack-name STACK --output json > {name}` writes one"
        )
    if document.NextToken:
        raise RolloutError(f"`{name}` is a part of a list, as its `NextToken` says: ask for all of it")
    buckets: dict[str, str] = {}
    stacks: dict[tuple[str, str], None] = {}
    for each in resources:
        identity = each.StackId.split(":")
        stacks.setdefault((each.StackName, identity[4] if len(identity) > 5 else ""))
        deployed = each.PhysicalResourceId
        gone = each.ResourceStatus in _GONE
        if each.ResourceType != "AWS::S3::Bucket" or not deployed or gone:
            continue
        if buckets.setdefault(each.LogicalResourceId, deployed) != deployed:
            raise RolloutError(f"`{name}` tells two names of `{each.LogicalResourceId}`")
    if len(stacks) > 1:
        raise RolloutError(f"`{name}` holds the resources of several stacks: give a file for each")
    if not buckets:
        raise RolloutError(f"`{name}` contains no bucket that is deployed")
    stack, account = next(iter(stacks), ("", ""))
    return StackResources(name, buckets, stack, account, template)


def names_of_buckets(
    check: Report, resources: Iterable[StackResources], *, accounts: Collection[str] = ()
) -> Mapping[tuple[str, str], str]:
    """Return the names of the buckets of templates, by the file of the template and the logical id.

    Args:
        check: The report of a check of the templates.
        resources: The resources of the stacks that were deployed from them.
        accounts: The reviewed accounts (default: accept stacks of any account).

    Raises:
        RolloutError: If the template of a stack is not certain, or a stack belongs to another account.
    """
    names: dict[tuple[str, str], str] = {}
    declared: dict[str, dict[str, str]] = {}
    stacks: dict[str, set[str]] = {}
    for subject in (bucket.subject for bucket in check.buckets):
        if isinstance(subject, Declared):
            declared.setdefault(subject.template, {})[subject.logical_id] = subject.stack
            stacks.setdefault(subject.stack, set()).add(subject.template)
    for each in resources:
        if each.account and accounts and each.account not in accounts:
            raise RolloutError(
                f"`{each.file}` is of account {each.account}, and the review is of "
                f"{', '.join(sorted(accounts))}: review that account as well, or leave the file out"
            )
        template = _template(each, declared, stacks)
        known = declared[template].keys() & each.buckets.keys()
        if not known:
            raise RolloutError(
                f"`{each.file}` and `{template}` have no bucket in common: is it the list of another stack?"
            )
        for logical_id in known:
            name = each.buckets[logical_id]
            if names.setdefault((template, logical_id), name) != name:
                raise RolloutError(
                    f"`{logical_id}` of `{template}` is `{names[template, logical_id]}` in one list of "
                    f"resources, and `{name}` in `{each.file}`: plan each account and Region apart"
                )
    return names


def _template(
    resources: StackResources, declared: Mapping[str, Mapping[str, str]], stacks: Mapping[str, set[str]]
) -> str:
    """Return the template of a stack: the named one, or the only possible one."""
    if resources.template:
        wanted = os.path.normpath(resources.template)
        for template in declared:
            if os.path.normpath(template) == wanted:
                return template
        raise RolloutError(
            f"`{resources.template}`, given with `{resources.file}`, is not a template with a bucket that "
            "was checked"
        )
    # A nested stack gets its name only at its deployment.
    candidates = stacks.get(resources.stack, set()) if resources.stack else set(declared)
    if not candidates and stacks.keys() == {""}:
        candidates = set(declared)
    if len(candidates) == 1:
        return next(iter(candidates))
    raise RolloutError(
        f"`{resources.file}` does not tell which template it is of: give --stack-resources "
        f"TEMPLATE={resources.file}"
    )
