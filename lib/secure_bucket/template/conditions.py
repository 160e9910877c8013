"""Decide the `Conditions` and `Rules` of a template in a world, or fork over the values they depend on.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-conditions.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from secure_bucket.template.resolve import MAX_NESTING, MAX_VALUES, Resolver
from secure_bucket.template.stack import TRANSFORM, Path, Stack
from secure_bucket.template.text import (
    NO_VALUE,
    as_text,
    canonical,
    compare,
    first_unsettled,
    holes,
    is_number,
    texts_in,
)
from secure_bucket.template.unreplaced import placeholders_as_holes
from secure_bucket.template.worlds import PARTITION, URL_SUFFIX, URL_SUFFIXES, Fork, Infeasible, Undecidable
from secure_bucket.values.unknown import Hole, Text, Unknown

__all__ = ["condition_holds", "named_condition_holds", "obeys_rules", "texts_equal"]


# Everything that a number, a Boolean or `null` of YAML may become.
_SCALAR = re.compile(
    r"[-+.0-9a-fA-Fxob_:]+|[-+]?\.?(?:infinity|inf|nan)|yes|no|on|off|true|false|null|~|", re.IGNORECASE
)
# Account ids have 12 digits (*View AWS account identifiers*), and names of stacks letters, digits and hyphens
# (*CreateStack*). The others are inferred from all partitions and Regions that there are. Read 2026-11.
_FORMS = {
    "AWS::AccountId": r"[0-9]{12}",
    "AWS::Partition": r"aws(?:-[a-z]+)*",
    "AWS::Region": r"[a-z]+(?:-[a-z]+)+-[0-9]+",
    "AWS::StackName": r"[A-Za-z][A-Za-z0-9-]{0,127}",
}


def condition_holds(resolver: Resolver, stack: Stack, condition: object, path: Path) -> bool:
    """Tell whether a condition, given by its name or as an expression, is true.

    Raises:
        Fork: If that depends on something that the world leaves open.
        Undecidable: It depends on a placeholder of another tool, or expands to more than `MAX_VALUES`
            conditions.
    """
    if isinstance(condition, str):
        return _named(resolver, stack, condition)
    if isinstance(condition, bool):
        return condition
    resolver.values += 1
    if resolver.values > MAX_VALUES:
        raise Undecidable(resolver.opaque(stack, f"it depends on more than {MAX_VALUES:,} conditions", path))
    if isinstance(condition, Mapping) and len(condition) == 1 and resolver.nesting < MAX_NESTING:
        ((function, argument),) = condition.items()
        resolver.nesting += 1
        try:
            return _expression(resolver, stack, str(function), argument, (path, function))
        finally:
            resolver.nesting -= 1
    return _unknown(resolver, stack, condition, path)


def named_condition_holds(resolver: Resolver, stack: Stack, name: object, path: Path) -> bool:
    """Tell whether the condition that a resource, an output or `Fn::If` names is true.

    YAML reads some names as Booleans, as in `Condition: No`. AWS does not document a Boolean in place of a
    name.

    Raises:
        Fork, Undecidable: As `condition_holds`.
    """
    name = str(name).lower() if isinstance(name, bool) else name
    return condition_holds(resolver, stack, name, path)


def obeys_rules(resolver: Resolver, stack: Stack) -> bool:
    """Tell whether the `Rules` of a template allow a deployment in this world, if that is known.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
    """
    rules = stack.document.root.get("Rules")
    if not isinstance(rules, Mapping) or TRANSFORM in rules:
        return True
    for name, rule in rules.items():
        assertions = rule.get("Assertions") if isinstance(rule, Mapping) else None
        if not isinstance(assertions, (list, tuple)) or TRANSFORM in rule:
            continue
        path = (("", "Rules"), name)
        if _known(resolver, stack, rule.get("RuleCondition", True), (path, "RuleCondition")) is not True:
            continue
        for assertion in assertions:
            claim = assertion.get("Assert") if isinstance(assertion, Mapping) else None
            if _known(resolver, stack, claim, (path, "Assertions")) is False:
                return False
    return True


def _known(resolver: Resolver, stack: Stack, condition: object, path: Path) -> bool | None:
    try:
        return condition_holds(resolver, stack, condition, path)
    except (Fork, Infeasible, Undecidable):
        return None


def _unknown(resolver: Resolver, stack: Stack, condition: object, path: Path) -> bool:
    name = resolver.opaque(stack, "", path).name
    return resolver.world.holds(f"a condition that cannot be read ({name})")


def _named(resolver: Resolver, stack: Stack, name: str) -> bool:
    key = (id(stack), name)
    if key in resolver.conditions:
        known = resolver.conditions[key]
        if isinstance(known, Exception):
            raise known
        # CloudFormation refuses a condition that refers to itself; here it must only end.
        return known if known is not None else resolver.world.holds(f"condition {name}")
    conditions = stack.sections["Conditions"]
    if stack.is_rewritten("Conditions"):
        reason = "a macro rewrites the conditions, which happens only at deployment"
        raise Undecidable(resolver.opaque(stack, reason, ("", "Conditions")))
    if name not in conditions:
        _refuse_unsettled(placeholders_as_holes(name))
        return resolver.world.holds(f"condition {resolver.assembly.qualify(stack, name)}")
    resolver.conditions[key] = None
    outer, resolver.values = resolver.values, 0
    try:
        result = condition_holds(resolver, stack, conditions[name], (("", "Conditions"), name))
    except (Fork, Infeasible, Undecidable) as error:
        # In one world, the answer never changes.
        resolver.conditions[key] = error
        raise
    finally:
        resolver.values = outer
    resolver.conditions[key] = result
    return result


def _expression(resolver: Resolver, stack: Stack, function: str, argument: object, path: Path) -> bool:
    if function == "Condition" and isinstance(argument, str):
        return _named(resolver, stack, argument)
    if function == "Fn::Equals" and isinstance(argument, (list, tuple)) and len(argument) == 2:
        return _equals(resolver, stack, argument[0], argument[1], path)
    if function == "Fn::Not" and isinstance(argument, (list, tuple)) and len(argument) == 1:
        return not condition_holds(resolver, stack, argument[0], (path, 0))
    if function in ("Fn::And", "Fn::Or") and isinstance(argument, (list, tuple)) and argument:
        return _combined(resolver, stack, argument, path, deciding=function == "Fn::Or")
    # A parameter in place of the list has any members.
    if function == "Fn::Contains" and isinstance(argument, list) and list(map(type, argument[:1])) == [list]:
        equals = [{"Fn::Equals": [item, *argument[1:]]} for item in argument[0]]
        return _combined(resolver, stack, equals, path, deciding=True)
    return _unknown(resolver, stack, {function: argument}, path)


def _combined(
    resolver: Resolver,
    stack: Stack,
    operands: Sequence[object],
    path: Path,
    *,
    deciding: bool,
) -> bool:
    """Combine operands: one with the deciding value decides alone."""
    fork: Fork | None = None
    undecidable: Undecidable | None = None
    for index, operand in enumerate(operands):
        try:
            if condition_holds(resolver, stack, operand, (path, index)) is deciding:
                return deciding
        except Fork as error:
            fork = fork or error
        except Undecidable as error:
            undecidable = undecidable or error
    if fork is not None:
        raise fork
    if undecidable is not None:
        raise undecidable
    return not deciding


def _equals(resolver: Resolver, stack: Stack, first: object, second: object, path: Path) -> bool:
    # A row of a mapping must not become a hole here, because that would separate its value from its key.
    outer, resolver.in_condition = resolver.in_condition, True
    try:
        values = [
            resolver.resolve(stack, operand, (path, index)) for index, operand in enumerate((first, second))
        ]
    finally:
        resolver.in_condition = outer
    if NO_VALUE in values:
        reason = "AWS does not document `AWS::NoValue` under `Fn::Equals`"
        raise Undecidable(resolver.opaque(stack, reason, path))
    left, right = (as_text(value) for value in values)
    if left is None or right is None:
        if canonical(values[0]) == canonical(values[1]):
            return True
        for value in values:
            _refuse_unsettled(*texts_in(value))
        return resolver.world.holds(_fact(values[0], values[1]))
    return texts_equal(resolver, left, right)


def texts_equal(resolver: Resolver, left: str | Text, right: str | Text) -> bool:
    """Tell whether two texts are the same, forking over the parameters that decide it."""
    known = compare(left, right)
    if known is not None:
        return known
    for text, other in ((left, right), (right, left)):
        if isinstance(other, str) and is_number(text) and not _SCALAR.fullmatch(other):
            return False
    _refuse_unsettled(left, right)
    for text, other in ((left, right), (right, left)):
        if isinstance(other, str) and isinstance(text, Text):
            open_holes = holes(text)
            if len(open_holes) == 1:
                hole = open_holes[0]
                index = text.parts.index(hole)
                before, after = (
                    "".join(map(str, text.parts[:index])),
                    "".join(map(str, text.parts[index + 1 :])),
                )
                if len(other) < len(before) + len(after):
                    return False
                wanted = other[len(before) : len(other) - len(after)]
                if hole == URL_SUFFIX:
                    # The partition decides it, so that both stay consistent.
                    return any(
                        resolver.world.equals(PARTITION, name)
                        for name, suffix in URL_SUFFIXES.items()
                        if suffix == wanted
                    )
                parameter = resolver.parameters.get(hole)
                if not _may_be(hole, wanted) or (parameter is not None and not parameter.admits(wanted)):
                    return False
                return resolver.world.equals(hole, wanted, parameter.allowed if parameter else None)
    for hole in holes(left) + holes(right):
        parameter = resolver.parameters.get(hole)
        if parameter is not None and parameter.allowed is not None:
            resolver.world.choose(hole, parameter.allowed)
    return resolver.world.holds(_fact(left, right))


def _may_be(hole: Hole, text: str) -> bool:
    """Tell whether a pseudo parameter can have a text; other holes can."""
    form = _FORMS.get(hole.name[hole.name.rfind("AWS::") :]) if hole.plain else None
    return form is None or re.fullmatch(form, text) is not None


def _refuse_unsettled(*texts: str | Text) -> None:
    placeholder = first_unsettled(*texts)
    if placeholder is not None:
        raise Undecidable(Unknown(placeholder.reason))


def _fact(left: object, right: object) -> str:
    return " = ".join(sorted((canonical(left), canonical(right))))
