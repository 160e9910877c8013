"""Resolve references to parameters, resources, outputs and exports.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-ref.html
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from secure_bucket.template.conditions import named_condition_holds
from secure_bucket.template.loops import exists
from secure_bucket.template.parameters import Parameter
from secure_bucket.template.pseudo_parameters import fixed_text, partition, pseudo_parameter
from secure_bucket.template.resolve import MAX_NESTING, Resolver
from secure_bucket.template.stack import TRANSFORM, Path, Resource, Stack, is_function
from secure_bucket.template.text import NO_VALUE, as_text, canonical, concatenate, first_unsettled, holes
from secure_bucket.template.unreplaced import placeholders_as_holes
from secure_bucket.template.worlds import Infeasible
from secure_bucket.values.unknown import Text, Unknown

__all__ = ["bucket_arn", "bucket_name", "get_att", "import_value", "output", "ref"]


def ref(resolver: Resolver, stack: Stack, name: str, path: Path) -> object:
    """Return the value of `{"Ref": name}`."""
    if name.startswith("AWS::"):
        return pseudo_parameter(resolver, stack, name, path)
    parameter = stack.parameters.get(name)
    if parameter is not None:
        return _parameter(resolver, stack, name, parameter, path)
    resource = stack.resources.get(name)
    if resource is not None:
        if resource.type == "AWS::S3::Bucket":
            return bucket_name(resolver, stack, resource)
        qualified = resolver.assembly.qualify(stack, name)
        return fixed_text(
            resolver,
            resolver.hole(
                stack,
                qualified,
                f"what `{name}` is called is known only at deployment",
                path,
                plain=_is_of_aws(resource),
            ),
        )
    placeholder = first_unsettled(placeholders_as_holes(name))
    if placeholder is not None:
        return Text((placeholder,))
    return resolver.opaque(
        stack,
        f"`{name}` is neither a parameter nor a resource of this template",
        path,
        f"{stack.name}Ref {name}",
    )


def get_att(resolver: Resolver, stack: Stack, logical_id: str, attribute: str, path: Path) -> object:
    """Return the value of `{"Fn::GetAtt": [logical_id, attribute]}`."""
    resource = stack.resources.get(logical_id)
    if resource is None:
        placeholder = first_unsettled(placeholders_as_holes(logical_id))
        missing = f"there is no resource `{logical_id}` in this template"
        return resolver.opaque(
            stack,
            placeholder.reason if placeholder is not None else missing,
            path,
            f"{stack.name}{logical_id}.{attribute}",
        )
    if resource.type == "AWS::S3::Bucket" and attribute == "Arn":
        return bucket_arn(resolver, stack, bucket_name(resolver, stack, resource))
    if attribute.startswith("Outputs."):
        nested = stack.nested.get(logical_id)
        if nested is not None:
            return output(resolver, nested, attribute.removeprefix("Outputs."), path)
    qualified = resolver.assembly.qualify(stack, f"{logical_id}.{attribute}")
    return fixed_text(
        resolver,
        resolver.hole(
            stack,
            qualified,
            f"`{logical_id}.{attribute}` is known only at deployment",
            path,
            plain=_is_of_aws(resource),
        ),
    )


def _is_of_aws(resource: Resource) -> bool:
    """Tell whether AWS defines the attributes of a resource: a custom resource may return any value."""
    return resource.type.startswith("AWS::") and not resource.type.startswith("AWS::CloudFormation::")


def output(resolver: Resolver, stack: Stack, name: str, path: Path) -> object:
    """Return the value of an output of a stack."""
    output = stack.sections["Outputs"].get(name)
    if stack.is_rewritten("Outputs") or (isinstance(output, Mapping) and TRANSFORM in output):
        reason = f"a macro rewrites the output `{name}`, which happens only at deployment"
        return resolver.opaque(stack, reason, path, f"{stack.name}.Outputs.{name}")
    if not isinstance(output, Mapping) or "Value" not in output:
        return resolver.opaque(
            stack, f"the stack has no output `{name}`", path, f"{stack.name}.Outputs.{name}"
        )
    if resolver.nesting >= MAX_NESTING:
        return resolver.opaque(stack, f"it is nested deeper than {MAX_NESTING} levels", path)
    resolver.nesting += 1
    where = (("", "Outputs"), name)
    try:
        if "Condition" in output and not named_condition_holds(
            resolver, stack, output["Condition"], (where, "Condition")
        ):
            return resolver.opaque(
                stack, f"the output `{name}` is not there", path, f"{stack.name}.Outputs.{name}"
            )
        return resolver.resolve(stack, output["Value"], (where, "Value"))
    finally:
        resolver.nesting -= 1


def bucket_arn(resolver: Resolver, stack: Stack, name: str | Text) -> str | Text:
    """Return the ARN of a bucket of a stack."""
    return concatenate(("arn:", partition(resolver, stack), ":s3:::", name))


def bucket_name(resolver: Resolver, stack: Stack, bucket: Resource) -> str | Text:
    """Return the name of a bucket from its template, or a hole that CloudFormation fills."""
    known = resolver.names.get(id(bucket))
    if known is not None:
        return known
    qualified = resolver.assembly.qualify(stack, bucket.logical_id)
    generated = resolver.hole(
        stack,
        qualified,
        f"CloudFormation makes up the name of `{bucket.logical_id}`",
        bucket.path,
        generated=True,
    )
    # A name that refers to itself would never end; CloudFormation refuses it.
    resolver.names[id(bucket)] = generated
    try:
        name = resolver.property(stack, bucket, "BucketName")
    except Infeasible:
        if exists(resolver, stack, bucket):
            raise
        name = None
    finally:
        del resolver.names[id(bucket)]
    text: str | Text
    if name is None or name == "":
        text = generated
    elif isinstance(name, (str, Text)):
        text = name
    else:
        text = as_text(name) or resolver.hole(stack, qualified, "`BucketName` is not text", bucket.path)
    resolver.names[id(bucket)] = text
    return text


def import_value(resolver: Resolver, stack: Stack, name: str | Text, path: Path) -> object:
    """Return the value of an export: the output of this assembly, or a hole."""
    if resolver.exports is None:
        exports: dict[str | Text, list[tuple[Stack, str]]] = {}
        for exporter, name_of_output, written in resolver.assembly.exports():
            where = (((("", "Outputs"), name_of_output), "Export"), "Name")
            # An export without a name does not exist; its stack may be deployed apart, or lack the output.
            with contextlib.suppress(Infeasible):
                export = resolver.text(exporter, written, where)
                exports.setdefault(export, []).append((exporter, name_of_output))
        resolver.exports = exports
    # The same name in two Regions means two exports, and it is unknown which one is meant.
    exporters = [each for each in resolver.exports.get(name, []) if each[0].is_beside(stack)]
    if len(exporters) == 1:
        return output(resolver, *exporters[0], path)
    imported = resolver.hole(
        stack, f"Fn::ImportValue {canonical(name)}", f"`{name}` is exported by a stack that is not here", path
    )
    resolver.given.update(holes(imported))
    return fixed_text(resolver, imported)


def _parameter(resolver: Resolver, stack: Stack, name: str, parameter: Parameter, path: Path) -> object:
    if stack.parent is not None:
        return _passed(resolver, stack, stack.parent, name, parameter, path)
    qualified = resolver.assembly.qualify(stack, name)
    if parameter.is_list:
        return resolver.opaque(
            stack, f"the list of the parameter `{name}` is known only at deployment", path, qualified
        )
    where = "in SSM" if parameter.is_stored else "at deployment"
    text = resolver.hole(stack, qualified, f"the value of the parameter `{name}` is given only {where}", path)
    (hole,) = holes(text)
    if not parameter.is_stored:
        resolver.given.add(hole)
    resolver.parameters[hole] = parameter
    if parameter.allowed is not None:
        if resolver.expand:
            return resolver.world.choose(hole, parameter.allowed)
        resolver.expandable = True
    return fixed_text(resolver, text)


def _passed(
    resolver: Resolver, stack: Stack, parent: Stack, name: str, parameter: Parameter, path: Path
) -> object:
    nesting = parent.resources[stack.parent_id]
    properties, path_of_given = nesting.properties, (nesting.properties_path, "Parameters")
    given = properties.get("Parameters") if isinstance(properties, Mapping) else properties
    value: object
    if resolver.nesting >= MAX_NESTING:
        return resolver.opaque(stack, f"it is nested deeper than {MAX_NESTING} levels", path)
    resolver.nesting += 1
    try:
        if isinstance(properties, Mapping) and _is_plain(properties) and _is_plain(given):
            passed = given.get(name, NO_VALUE) if isinstance(given, Mapping) else NO_VALUE
            value = (
                resolver.resolve(parent, passed, (path_of_given, name)) if passed is not NO_VALUE else passed
            )
        else:
            resolved = resolver.property(parent, nesting, "Parameters")
            if not isinstance(resolved, dict):
                return resolver.opaque(stack, f"what is passed for the parameter `{name}` is not known", path)
            value = resolved.get(name, NO_VALUE)
    finally:
        resolver.nesting -= 1
    if parameter.is_stored:
        return resolver.hole(stack, f"{stack.name}.{name}", f"the parameter `{name}` is read from SSM", path)
    if value is NO_VALUE:
        # Only the parent sets the parameters of a nested stack, so the default applies here.
        default = parameter.default
        value = resolver.literal(stack, default) if isinstance(default, str) else default
    if isinstance(value, list):
        texts = [as_text(item) for item in value]
        if all(text is not None for text in texts):
            joined: list[str | Text] = []
            for text in texts:
                joined += ([","] if joined else []) + [text or ""]
            value = concatenate(joined)
    if parameter.is_list:
        items = [item.strip() for item in value.split(",")] if isinstance(value, str) else [""]
        if all(items):
            return items
        # AWS does not document what an empty item is, nor an empty list.
        reason = f"the list of the parameter `{name}` is known only at deployment"
        return value if isinstance(value, Unknown) else resolver.opaque(stack, reason, path)
    text_value = as_text(value)
    return (
        text_value
        if text_value is not None
        else resolver.opaque(stack, f"the parameter `{name}` has no value", path)
    )


def _is_plain(value: object) -> bool:
    """Tell whether a value is a mapping of names, or missing, and not a function."""
    return value is None or (isinstance(value, Mapping) and not is_function(value))
