"""The names that CloudFormation made up, as the list of the resources of a stack tells them."""

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

# What the stack no longer owns may be named all the same, and its place taken by another bucket.
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
    """The buckets of one stack that is deployed.

    Args:
        file: The file that tells them.
        buckets: Their names by their logical ids.
        stack: The name of the stack; `""` when nothing tells.
        account: The account it is in; `""` when nothing tells.
        template: The file of its template, as somebody gave it; `""` when nobody did.
    """

    file: str
    buckets: Mapping[str, str]
    stack: str = ""
    account: str = ""
    template: str = ""


def read_stack_resources(file: str | os.PathLike[str], template: str = "") -> StackResources:
    """Return what `aws cloudformation list-stack-resources` or `describe-stack-resources` printed.

    Args:
        file: The file, as JSON.
        template: The file of the template of the stack (default: found by the name of the stack).

    Raises:
        RolloutError: If it cannot be read, is something else, is cut off, or holds no bucket.
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
        raise RolloutError(f"`{name}` holds no bucket that is deployed")
    stack, account = next(iter(stacks), ("", ""))
    return StackResources(name, buckets, stack, account, template)


def names_of_buckets(
    check: Report, resources: Iterable[StackResources], *, accounts: Collection[str] = ()
) -> Mapping[tuple[str, str], str]:
    """Return the names of the buckets of templates, by the file of the template and the logical id.

    Args:
        check: What a check says about the templates.
        resources: The resources of stacks that were deployed from them.
        accounts: The accounts that were reviewed (default: a stack of any account is fine).

    Raises:
        RolloutError: If it is not certain which template a stack was deployed from, or one is of another
            account.
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
    """Return the template of a stack: the one that is named, or the only one that it can be."""
    if resources.template:
        wanted = os.path.normpath(resources.template)
        for template in declared:
            if os.path.normpath(template) == wanted:
                return template
        raise RolloutError(
            f"`{resources.template}`, given with `{resources.file}`, is not a template with a bucket that "
            "was checked"
        )
    # A stack that another one nests has a name that only its deployment tells.
    candidates = stacks.get(resources.stack, set()) if resources.stack else set(declared)
    if not candidates and stacks.keys() == {""}:
        candidates = set(declared)
    if len(candidates) == 1:
        return next(iter(candidates))
    raise RolloutError(
        f"`{resources.file}` does not tell which template it is of: give --stack-resources "
        f"TEMPLATE={resources.file}"
    )
