"""Learn of every acknowledgment when it is made, so that FIX need not ask each construct for it.

To ask takes five calls to the jsii kernel and more for each construct. No call answers for many constructs.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import aws_cdk as cdk
from constructs import IConstruct, Node

from secure_bucket.cdk.fix.survey import path_of
from secure_bucket.cdk.gate.acknowledgments import METADATA_KEY

__all__ = ["AcknowledgedConstructs"]


class AcknowledgedConstructs:
    """The constructs of one App that may have an acknowledgment."""

    def __init__(self) -> None:
        self._known: dict[str, IConstruct] | None = None

    def watch(self, app: IConstruct, constructs: Iterable[IConstruct]) -> None:
        """Learn of the acknowledgments from now on.

        Args:
            app: The App.
            constructs: The constructs that it has by now, each of which may have one.
        """
        constructs = list(constructs)
        if self._known is None and not any(isinstance(each, cdk.Stack) for each in constructs):
            self._known = {path_of(each): each for each in constructs}
            _watched[app] = self
            _wrap_metadata()
            _wrap_validations()

    @property
    def known(self) -> Mapping[str, IConstruct] | None:
        """The constructs by their paths; `None` where others may have one as well."""
        # The code of another jsii module acknowledges inside of the kernel, where nobody can see it. The
        # modules of AWS know nothing of our rules.
        is_foreign = any(
            name.endswith("._jsii") and not name.startswith(("aws_cdk.", "constructs."))
            for name in sys.modules
        )
        return None if is_foreign else self._known

    def note(self, construct: IConstruct | None) -> None:
        """Remember a construct that gets an acknowledgment; `None` where nobody knows which one."""
        if construct is None:
            self._known = None
        elif self._known is not None:
            self._known[path_of(construct)] = construct


_watched: WeakKeyDictionary[IConstruct, AcknowledgedConstructs] = WeakKeyDictionary()


def _wrap_metadata() -> None:
    """Wrap `Node.add_metadata`, once, with which somebody can write an acknowledgment by hand."""
    add_metadata = Node.add_metadata
    if hasattr(add_metadata, "__wrapped__"):
        return

    @functools.wraps(add_metadata)
    def noted_add_metadata(self: Node, type: str, data: Any, **options: Any) -> None:
        add_metadata(self, type, data, **options)
        app = _watched.get(self.root) if type == METADATA_KEY else None
        if app is not None:
            app.note(None)  # A node does not tell its construct.

    Node.add_metadata = noted_add_metadata  # type: ignore[method-assign]


def _wrap_validations() -> None:
    """Wrap `Validations` of the AWS CDK, once: a class is the same one for all apps of a process."""
    validations = getattr(cdk, "Validations", None)
    if validations is None or hasattr(validations.acknowledge, "__wrapped__"):
        return
    of, acknowledge = validations.of, validations.acknowledge
    scopes: WeakKeyDictionary[Any, IConstruct] = WeakKeyDictionary()

    def noted_of(cls: type, scope: IConstruct) -> Any:
        found = of(scope)
        scopes[found] = scope
        return found

    @functools.wraps(acknowledge)
    def noted_acknowledge(self: Any, *rules: Any) -> None:
        acknowledge(self, *rules)
        scope = scopes.get(self)
        # One that was made before this wrapper can belong to each app.
        apps = list(_watched.values()) if scope is None else [_watched.get(scope.node.root)]
        for app in apps:
            if app is not None:
                app.note(scope)

    validations.of, validations.acknowledge = classmethod(noted_of), noted_acknowledge
