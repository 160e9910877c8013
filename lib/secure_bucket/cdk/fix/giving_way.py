"""Remove the policies that FIX gave buckets before somebody else may give a bucket a child with the same id.

The AWS CDK gives the policy of an `s3.Bucket` the id `Policy`, and raises when a second child gets that id.
Without FIX such a bucket has no policy yet: the child of the app comes first, and FIX later writes the deny
elsewhere. Python does not see what the code of a TypeScript library does to a bucket, nor which buckets that
code finds in the tree, now or later as an Aspect. So FIX takes all its policies back before an app runs such
code for the first time, and from then on fixes its buckets when it is synthesized (`has_library`). To try the
call and repeat it would not do: it may have done half its work.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_s3 as s3
from constructs import IConstruct

from secure_bucket.cdk.fix.survey import SeenBucket, path_of
from secure_bucket.cdk.fix.taking_back import take_back_policy
from secure_bucket.cdk.gate.state import AppState, find_state, states, states_by_app

__all__ = ["give_way", "is_made_here", "is_of_a_library"]

_GIVES_WAY = "gives_way_for_secure_bucket"
_BUCKET = "aws-cdk-lib.aws_s3.Bucket"
# The packages whose code gives no bucket of others a child `Policy`: the CDK adds to the policy that is
# there, and cdk-nag only writes metadata. cdk-nag 2 has to see the deny of a bucket with a suppression.
_KNOWN = ("aws-cdk-lib.", "constructs.", "@aws-cdk/", "cdk-nag.")
# The kinds and ids of the constructs that Python is making, the innermost last.
_being_made: list[tuple[str, object]] = []


def is_made_here(id: str) -> bool:
    """Tell whether Python code makes the `s3.Bucket` with this id, and not a TypeScript library."""
    return _being_made[-1:] == [(_BUCKET, id)]


def is_of_a_library(value: object) -> bool:
    """Tell whether a class or an object is from a TypeScript library, and not from the AWS CDK or Python."""
    name = getattr(value if isinstance(value, type) else type(value), "__jsii_type__", None)
    return isinstance(name, str) and not name.startswith(_KNOWN)


def give_way() -> None:
    """Let what apps and libraries give buckets replace the policies that FIX made."""
    create = jsii.create
    # A wrapper around this one has its attributes too.
    if hasattr(create, _GIVES_WAY):
        return

    # Python makes each of its constructs here; a TypeScript library does not.
    @functools.wraps(create)
    def create_in_place_of_ours(klass: Any, obj: Any, args: list[Any] | None = None) -> Any:
        match args:
            # Each question is a call to the kernel.
            case [s3.Bucket() as bucket, "Policy", *_] if any(state.denied for state in states()):
                state = find_state(bucket.node.root)
                if state is not None:
                    _take_back(bucket, state)
        _give_way_to([klass, *(args or [])])
        _being_made.append((getattr(klass, "__jsii_type__", ""), args[1] if args and len(args) > 1 else None))
        try:
            return create(klass, obj, args)
        finally:
            _being_made.pop()

    setattr(create_in_place_of_ours, _GIVES_WAY, True)
    jsii.create = create_in_place_of_ours
    jsii.invoke, jsii.sinvoke = _giving_way(jsii.invoke), _giving_way(jsii.sinvoke)
    jsii.get, jsii.sget, jsii.set = map(_giving_way, (jsii.get, jsii.sget, jsii.set))


def _giving_way(call: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a call of a method, or the use of a property."""

    @functools.wraps(call)
    def calls(receiver: Any, member: str, *given: Any) -> Any:
        arguments = given[0] if given and isinstance(given[0], list) else given
        _give_way_to([receiver, *arguments])
        for stage in _stages_of(receiver, member, arguments):
            _prepare(stage)
        return call(receiver, member, *given)

    return calls


def _stages_of(receiver: object, member: str, arguments: Iterable[object]) -> Iterator[cdk.Stage]:
    """Yield the Stages that a call may synthesize, as `add_stage` of CDK Pipelines does."""
    if member == "synth":
        arguments = [receiver]
    for each in () if member == "of" else arguments:  # `Aspects.of` and the like synthesize nothing.
        if member == "fromStack" and isinstance(each, cdk.Stack):
            root = each.node.root
            if isinstance(root, cdk.Stage):
                yield root
        elif isinstance(each, cdk.Stage) and not isinstance(each, cdk.App):
            yield each


def _prepare(stage: cdk.Stage) -> None:
    """Add FIX to a Stage that is about to be synthesized."""
    state = find_state(stage.node.root)
    if state is not None and state.before_stage is not None:
        state.before_stage(stage)


def _give_way_to(values: Iterable[object]) -> None:
    """Remove the policies that FIX made, if a call runs the code of a TypeScript library or may do so."""
    if not any(map(is_of_a_library, values)):
        return
    for app, state in states_by_app().items():
        if not state.has_library:
            state.has_library = True
            _take_all_back(app, state)


def _take_all_back(app: IConstruct, state: AppState) -> None:
    if not state.denied:
        return  # Each question is a call to the kernel.
    for bucket in app.node.find_all():
        if isinstance(bucket, s3.Bucket):
            stage = cdk.Stage.of(bucket)
            # Once FIX has handled the Stage, nothing would bring the deny back.
            if stage is not None and not state.entered.get(path_of(stage)):
                _take_back(bucket, state)


def _take_back(bucket: s3.Bucket, state: AppState) -> None:
    """Remove the policy of a bucket if FIX made it and nobody else changed it."""
    path = f"{path_of(bucket)}/Resource"
    if path not in state.denied:
        return
    resource, made = bucket.node.try_find_child("Resource"), bucket.policy
    if not isinstance(resource, s3.CfnBucket) or made is None:
        return
    policy = made.node.default_child
    if made.document.statement_count != 1 or not isinstance(policy, s3.CfnBucketPolicy):
        return
    take_back_policy(policy, SeenBucket(resource, path))
    state.denied.discard(path)
