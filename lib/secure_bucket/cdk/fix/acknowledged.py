"""Record each acknowledgment when it is made, so that FIX need not ask each construct.

Asking takes five or more calls to the jsii kernel for each construct, and no call covers several constructs.
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
from secure_bucket.cdk.gate.state import AppState, find_state, state_of, states

__all__ = ["known_acknowledgments", "note_acknowledgments"]


def note_acknowledgments(app: IConstruct, constructs: Iterable[IConstruct]) -> None:
    """Record the acknowledgments of an app from now on.

    Args:
        app: The App.
        constructs: The existing constructs, each of which may have an acknowledgment.
    """
    state, constructs = state_of(app), list(constructs)
    if state.acknowledged is None and not any(isinstance(each, cdk.Stack) for each in constructs):
        state.acknowledged = {path_of(each): each for each in constructs}
        _wrap_metadata()
        _wrap_validations()


def known_acknowledgments(state: AppState) -> Mapping[str, IConstruct] | None:
    """Return the paths of the constructs that may have an acknowledgment; `None` if any construct may."""
    # Code of another jsii module can acknowledge inside the kernel, unseen from here. The modules of AWS do
    # not use our rules.
    is_foreign = any(
        name.endswith("._jsii") and not name.startswith(("aws_cdk.", "constructs.")) for name in sys.modules
    )
    return None if is_foreign else state.acknowledged


def _note(state: AppState | None, construct: IConstruct | None) -> None:
    """Record a construct that gets an acknowledgment; `None` if it is not known which one."""
    if state is None or state.acknowledged is None:
        return
    if construct is None:
        state.acknowledged = None
    else:
        state.acknowledged[path_of(construct)] = construct


def _wrap_metadata() -> None:
    """Wrap `Node.add_metadata` once, because an app can write an acknowledgment with it."""
    add_metadata = Node.add_metadata
    if hasattr(add_metadata, "__wrapped__"):
        return

    @functools.wraps(add_metadata)
    def noted_add_metadata(self: Node, type: str, data: Any, **options: Any) -> None:
        add_metadata(self, type, data, **options)
        if type == METADATA_KEY:
            _note(find_state(self.root), None)  # A node has no reference to its construct.

    Node.add_metadata = noted_add_metadata  # type: ignore[method-assign]


def _wrap_validations() -> None:
    """Wrap `Validations` of the AWS CDK once: all apps of a process share the class."""
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
        # An object from before this wrapper can belong to any app.
        for state in states() if scope is None else [find_state(scope.node.root)]:
            _note(state, scope)

    validations.of, validations.acknowledge = classmethod(noted_of), noted_acknowledge
