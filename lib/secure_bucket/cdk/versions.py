"""Bridge the differences between the versions of the AWS CDK.

Only this module knows what the installed CDK supports: `require_cdk` rejects a public name,
`has_reliable_plugins` chooses how the gate fails a synthesis, and the other names replace features that old
versions lack. Every bound was measured: `nox -s cdk` repeats the measurement.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from secure_bucket.errors import MissingDependencyError

if TYPE_CHECKING:
    import aws_cdk as cdk
    from constructs import IConstruct

__all__ = [
    "LOWEST",
    "OLDEST",
    "RELIABLE_PLUGINS",
    "Mixin",
    "PolicyViolatingResource",
    "PolicyViolation",
    "add_late_aspect",
    "has_acknowledgments",
    "has_injectors",
    "has_reliable_plugins",
    "implements",
    "require_cdk",
    "resources_in",
    "select_resources",
    "walk_resources",
]

_Class = TypeVar("_Class", bound=type)
_Version = tuple[int, int]

OLDEST: _Version = (2, 150)
"""The oldest CDK that is tested."""

RELIABLE_PLUGINS: _Version = (2, 274)
"""From here on a validation plugin fails the synthesis.

Before 2.258 a plugin does not get to know its app, and `cdk synth` exits with 0. Before 2.263 the CDK
goes on in silence after a violation where no command line of the CDK is looking (pytest, `python
app.py`). In 2.263 an acknowledgment was seen to cover more than what it is on. From 2.274 on an assembly
tells the file of each template, so that a finding is always laid to its own construct.
"""

_INJECTORS: _Version = (2, 200)  # Absent in 2.176.
_TOPIC_KEYS: _Version = (2, 200)  # `Topic.master_key` is absent in 2.150.
_MIXINS: _Version = (2, 257)  # Absent in 2.240, as are `Validations` and `Acknowledgment`.

LOWEST: dict[str, _Version] = {
    "BucketSecureTransport": _MIXINS,
    "BucketSecureTransportInjector": _INJECTORS,
    "SecureTransportMonitoring": _TOPIC_KEYS,
    "SecureTransportValidation": RELIABLE_PLUGINS,
}
"""The public names that need more than `OLDEST`."""

_INSTEAD = {
    "SecureTransportMonitoring": "`secure-bucket audit` finds plain HTTP in the logs",
    "BucketSecureTransport": "`enforce_secure_transport(app, mode=Mode.FIX)` adds the same deny",
    "BucketSecureTransportInjector": "`enforce_secure_transport(app, mode=Mode.FIX)` adds the same deny",
    "SecureTransportValidation": "`enforce_secure_transport(app)` is the same gate",
}


def require_cdk(name: str) -> None:
    """Reject a name that the installed AWS CDK does not support.

    Args:
        name: A public name of `secure_bucket`, such as `SecureBucket`.

    Raises:
        MissingDependencyError: `aws-cdk-lib` is missing, or too old for this name.
    """
    lowest = LOWEST.get(name, OLDEST)
    needed = ".".join(map(str, lowest))
    try:
        if _installed() >= lowest:
            return
    except ModuleNotFoundError as error:
        raise MissingDependencyError.without_extra(
            f"`{name}` needs aws-cdk-lib {needed} or newer, and none can be imported ({error}). Templates "
            "need no CDK: `secure-bucket check` judges them. For an app",
            "cdk",
        ) from error
    instead = "put `secure-bucket gate --` before the `app` of cdk.json, which works with every AWS CDK 2"
    if _installed() >= OLDEST:
        instead = _INSTEAD[name]
    raise MissingDependencyError(
        f"`{name}` needs aws-cdk-lib {needed} or newer, and {_assembly().version} is installed: "
        f"pip install 'aws-cdk-lib>={needed},<3', or: uv add 'aws-cdk-lib>={needed},<3'; "
        f"or without it: {instead}"
    )


def _assembly() -> Any:
    # The version of the loaded code: the metadata of a package can differ.
    from aws_cdk._jsii import __jsii_assembly__

    return __jsii_assembly__


@functools.cache
def _installed() -> _Version:
    major, minor = re.findall(r"\d+", _assembly().version)[:2]
    return int(major), int(minor)


def has_reliable_plugins() -> bool:
    """Tell whether a validation plugin can fail the synthesis in every case."""
    return _installed() >= RELIABLE_PLUGINS


def has_acknowledgments() -> bool:
    """Tell whether `Validations.of(…).acknowledge(…)` exists; in older versions, use exceptions in
    `Metadata`."""
    return _installed() >= _MIXINS


def has_injectors() -> bool:
    """Tell whether property injectors exist."""
    return _installed() >= _INJECTORS


def implements(interface: str) -> Callable[[_Class], _Class]:
    """Declare that a class implements an interface of the CDK, if this CDK has the interface."""
    import aws_cdk
    import jsii

    found = getattr(aws_cdk, interface, None)
    return (lambda it: it) if found is None else jsii.implements(found)


if TYPE_CHECKING:
    from aws_cdk import Mixin, PolicyViolatingResource, PolicyViolation
else:

    class _Values:
        """Hold keyword arguments, like the structs of the CDK."""

        def __init__(self, **values: Any) -> None:
            vars(self).update(values)

    _STANDS_IN = {
        "Mixin": object,
        "PolicyViolatingResource": _Values,
        "PolicyViolation": _Values,
    }

    def __getattr__(name: str) -> Any:
        if name not in _STANDS_IN:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import aws_cdk

        return getattr(aws_cdk, name, _STANDS_IN[name])


def resources_in(scope: IConstruct, type: str) -> list[IConstruct]:
    """List the resources of a CloudFormation type in a construct and below it, with its Stages."""
    return select_resources(scope, type) if _installed() >= _MIXINS else walk_resources(scope, type)


def select_resources(scope: IConstruct, type: str) -> list[IConstruct]:
    """List resources with the selector of Mixins, which searches inside the jsii kernel."""
    import aws_cdk

    selector = aws_cdk.ConstructSelector.resources_of_type(type)
    return aws_cdk.Mixins.of(scope, selector).selected_constructs


def walk_resources(scope: IConstruct, type: str) -> list[IConstruct]:
    """List resources without Mixins: the kernel hands every construct to Python."""
    import aws_cdk

    found: list[IConstruct] = []
    for each in scope.node.find_all():
        if isinstance(each, aws_cdk.CfnResource):
            # Only a raw `CfnResource` has no type of its own.
            own = _type_of(each.__class__)
            if (own or each.cfn_resource_type) == type:
                found.append(each)
    return found


@functools.cache
def _type_of(resource: type) -> str | None:
    return getattr(resource, "CFN_RESOURCE_TYPE_NAME", None)


def add_late_aspect(scope: IConstruct, aspect: cdk.IAspect) -> None:
    """Add an Aspect with the priority of the CDK's own mutating Aspects, such as `Tags`.

    The CDK rejects an Aspect that visits a construct after one of a lower priority. Before priorities
    existed (absent in 2.150, present in 2.176), Aspects ran in the order of the tree.
    """
    import aws_cdk

    if hasattr(aws_cdk, "AspectPriority"):
        aws_cdk.Aspects.of(scope).add(aspect, priority=aws_cdk.AspectPriority.MUTATING)
    else:
        aws_cdk.Aspects.of(scope).add(aspect)
