"""Resolve the pseudo parameters of CloudFormation, such as `AWS::Region`.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
"""

from __future__ import annotations

from secure_bucket.template.resolve import Resolver
from secure_bucket.template.stack import Path, Stack
from secure_bucket.template.text import NO_VALUE, as_text, concatenate, holes
from secure_bucket.template.worlds import PARTITION, REGION, URL_SUFFIX, URL_SUFFIXES, partition_of
from secure_bucket.values.unknown import Text

__all__ = ["fixed_text", "partition", "pseudo_parameter"]


def pseudo_parameter(resolver: Resolver, stack: Stack, name: str, path: Path) -> object:
    """Return the value of `{"Ref": name}` for a name that begins with `AWS::`."""
    if name == "AWS::NoValue":
        return NO_VALUE
    if name == "AWS::Region":
        return stack.region or fixed_text(resolver, Text((REGION,)))
    if name == "AWS::Partition":
        return partition(resolver, stack)
    if name == "AWS::AccountId":
        return stack.account or fixed_text(
            resolver, resolver.hole(stack, name, "the account is known only at deployment", path, plain=True)
        )
    if name == "AWS::URLSuffix":
        return URL_SUFFIXES.get(str(partition(resolver, stack)), Text((URL_SUFFIX,)))
    if name == "AWS::StackName":
        if stack.stack_name:
            return stack.stack_name
        qualified = name if len(resolver.assembly.stacks) == 1 else f"{stack.name}.{name}"
        return fixed_text(
            resolver,
            resolver.hole(stack, qualified, "the stack gets its name only at deployment", path, plain=True),
        )
    if name == "AWS::StackId":
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
        unique = resolver.hole(
            stack, f"{stack.name}AWS::StackId", "the stack gets its id only at deployment", path, plain=True
        )
        parts = [
            as_text(pseudo_parameter(resolver, stack, f"AWS::{part}", path)) or ""
            for part in ("Region", "AccountId", "StackName")
        ]
        region, account, stack_name = parts
        return concatenate(
            (
                "arn:",
                partition(resolver, stack),
                ":cloudformation:",
                region,
                ":",
                account,
                ":stack/",
                stack_name,
                "/",
                unique,
            )
        )
    if name == "AWS::NotificationARNs":
        return resolver.opaque(stack, "it is known only at deployment", path, name)
    return resolver.opaque(stack, f"`{name}` is not a pseudo parameter of CloudFormation", path)


def partition(resolver: Resolver, stack: Stack) -> str | Text:
    """Return the partition of a stack."""
    if stack.region:
        return partition_of(stack.region)
    return fixed_text(resolver, Text((PARTITION,)))


def fixed_text(resolver: Resolver, text: Text) -> str | Text:
    """Return the text that this world fixes for a hole, or the hole."""
    (hole,) = holes(text)
    return resolver.world.values.get(hole, text)
