"""Find the templates that a resource deploys: their URLs or texts."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct

from secure_bucket.template.resource_types import (
    NESTED_STACK,
    PRODUCT,
    PROJECT,
    PROVISIONED_PRODUCT,
    PUBLISHED_APPLICATION,
    kind_of,
)
from secure_bucket.template.stack import Resource, is_function
from secure_bucket.values.unknown import Unknown

__all__ = ["Body", "Elsewhere", "Source", "TemplateUrl", "end_of_url", "sources_of"]

_MAX_ALTERNATIVES = 64


class TemplateUrl(Struct, frozen=True):
    """A template at a URL, unresolved: a text or a function; `None` without one."""

    url: object


class Body(Struct, frozen=True):
    """A template inside the resource itself, as a text or a function."""

    text: object


class Elsewhere(Struct, frozen=True):
    """A template that cannot be in a file of the run, and why."""

    why: str


Source: TypeAlias = "TemplateUrl | Body | Elsewhere"


def sources_of(resource: Resource, products: Collection[object] = ()) -> tuple[Source, ...]:
    """Return the sources of the templates of a resource, each alternative of a condition by itself.

    Args:
        resource: A resource that deploys a template.
        products: The logical ids of products in the same template, which are read by themselves.
    """
    properties = resource.properties
    kind = kind_of(resource.type)
    if kind in ("module", "private type"):
        return (Elsewhere("the registry of CloudFormation holds it"),)
    if kind == "synchronized stack":
        return (Elsewhere("CloudFormation takes it from a repository"),)
    if isinstance(properties, Unknown):
        return (Elsewhere(properties.reason),)
    if properties is None:
        properties = {}
    if not isinstance(properties, Mapping) or is_function(properties):
        return (Elsewhere("its properties do not name it"),)
    found = tuple(itertools.islice(_sources(resource.type, properties, products), _MAX_ALTERNATIVES + 1))
    if len(found) > _MAX_ALTERNATIVES:
        return (Elsewhere(f"it is one of more than {_MAX_ALTERNATIVES}"),)
    if not found and resource.type not in (PROVISIONED_PRODUCT, PUBLISHED_APPLICATION):
        return (Elsewhere("its properties do not name it"),)
    return found


def _sources(kind: str, properties: Mapping[str, object], products: Collection[object]) -> Iterator[Source]:
    if kind == PRODUCT:
        for versions in _alternatives(properties.get("ProvisioningArtifactParameters")):
            for version in versions if isinstance(versions, list) else [versions] if versions else ():
                info = version.get("Info") if isinstance(version, Mapping) else None
                url = info.get("LoadTemplateFromURL") if isinstance(info, Mapping) else None
                yield Elsewhere("a version does not name its URL") if url is None else TemplateUrl(url)
        if "SourceConnection" in properties:
            yield Elsewhere("the product is synchronized with a repository")
    elif kind == PROJECT:
        for details in _alternatives(properties.get("TemplateProviderDetails")):
            for detail in details if isinstance(details, list) else [details] if details else ():
                given = detail.get("CfnTemplateProviderDetail") if isinstance(detail, Mapping) else None
                url = given.get("TemplateURL") if isinstance(given, Mapping) else None
                yield Elsewhere("it does not name its URL") if url is None else TemplateUrl(url)
        if "ServiceCatalogProvisioningDetails" in properties:
            yield Elsewhere("it provisions a product of Service Catalog")
    elif kind == PROVISIONED_PRODUCT:
        product = properties.get("ProductId")
        named = product.get("Ref") if isinstance(product, Mapping) else None
        version = properties.get("ProvisioningArtifactId")
        if named not in products:
            yield Elsewhere("the product is not declared here")
        elif isinstance(version, str):
            yield Elsewhere(f"the version `{version}` of the product is not declared here")
    elif kind == "AWS::Serverless::Application":
        location = properties.get("Location")
        if isinstance(location, Mapping) and "ApplicationId" in location:
            yield Elsewhere("the AWS Serverless Application Repository holds it")
        elif location is not None:
            yield from map(TemplateUrl, _alternatives(location))
    else:
        if properties.get("TemplateURL") is not None:
            yield from map(TemplateUrl, _alternatives(properties["TemplateURL"]))
        elif kind == NESTED_STACK:
            yield TemplateUrl(None)
        if properties.get("TemplateBody") is not None:
            yield from map(Body, _alternatives(properties["TemplateBody"]))


def _alternatives(value: object) -> list[object]:
    """Return a value for each combination of branches of its `Fn::If`."""
    if isinstance(value, Mapping):
        if len(value) == 1 and "Fn::If" in value:
            branches = value["Fn::If"]
            if isinstance(branches, list) and len(branches) == 3:
                taken = [way for branch in branches[1:] for way in _alternatives(branch)]
                return [way for way in taken if way != {"Ref": "AWS::NoValue"}]
        ways = itertools.product(*(_alternatives(item) for item in value.values()))
        return [dict(zip(value, way, strict=True)) for way in itertools.islice(ways, _MAX_ALTERNATIVES + 1)]
    if isinstance(value, list):
        ways = itertools.product(*map(_alternatives, value))
        return [list(way) for way in itertools.islice(ways, _MAX_ALTERNATIVES + 1)]
    return [value]


def end_of_url(url: object) -> str:
    """Return the literal end of a URL, without its query."""
    return _end(url).partition("?")[0]


def _end(value: object) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping) or len(value) != 1:
        return ""
    ((function, argument),) = value.items()
    if function == "Fn::Sub":
        text = argument[0] if isinstance(argument, list) and argument else argument
        return re.split(r"\$\{[^}]*\}", text)[-1] if isinstance(text, str) else ""
    if function == "Fn::Join" and isinstance(argument, list) and len(argument) == 2:
        delimiter, items = argument
        if isinstance(delimiter, str) and isinstance(items, list):
            literal = list(itertools.takewhile(lambda item: isinstance(item, str), reversed(items)))
            before = "" if len(literal) == len(items) else delimiter
            return before + delimiter.join(reversed(literal))
    return ""
