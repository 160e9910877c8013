"""What a test can give `assert_denies_http`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from secure_bucket import SecureBucket
from tests.synth.situations.exceptions import accepted_with_a_reason
from tests.synth.situations.places import in_a_product, in_a_stack_set, legacy_synthesizer
from tests.synth.situations.process import missing_context
from tests.synth.situations.situation import policy_of, stack
from tests.synth.situations.unread import nested_at_a_url

__all__ = ["SUBJECTS", "Subject"]

PASS_INSTEAD = "pass the stack or the App"


@dataclass(frozen=True)
class Subject:
    """One subject of the helper, and whether it passes.

    Args:
        title: The subject, as the documentation says it.
        make: Makes it from an empty App.
        passes: Whether the helper passes.
        says: What it has to say if it fails.
        options: Further arguments of the helper.
    """

    title: str
    make: Callable[[cdk.App], Any]
    passes: bool = False
    says: str = ""
    options: tuple[tuple[str, Any], ...] = ()


def nested(app: cdk.App) -> cdk.Stack:
    top = stack(app)
    SecureBucket(cdk.NestedStack(top, "Nested"), "Good")
    return top


def built(build: Callable[[cdk.App], Any]) -> Callable[[cdk.App], Any]:
    """Return what fills an App and returns it."""

    def fill(app: cdk.App) -> cdk.App:
        build(app)
        return app

    return fill


def top_of(make: Callable[[cdk.App], Any]) -> Callable[[cdk.App], Any]:
    def top(app: cdk.App) -> Any:
        make(app)
        return app.node.find_child("Top")

    return top


def template_of(make: Callable[[cdk.App], Any]) -> Callable[[cdk.App], Any]:
    return lambda app: Template.from_stack(top_of(make)(app))


def file_of(make: Callable[[cdk.App], Any]) -> Callable[[cdk.App], Any]:
    return lambda app: Path(directory_of(make)(app), "Top.template.json")


def directory_of(make: Callable[[cdk.App], Any]) -> Callable[[cdk.App], str]:
    def directory(app: cdk.App) -> str:
        make(app)
        return app.synth().directory

    return directory


def changed(app: cdk.App) -> cdk.Stack:
    top = stack(app)
    bucket = SecureBucket(top, "Good")
    app.synth()
    policy_of(bucket).add_property_override("PolicyDocument.Statement", [])
    return top


def edited(app: cdk.App) -> str:
    directory = directory_of(nested)(app)
    (file,) = Path(directory).glob("*.nested.template.json")
    file.write_text(json.dumps({"Resources": {"Plain": {"Type": "AWS::S3::Bucket"}}}), encoding="utf-8")
    return directory


def plain(app: cdk.App) -> None:
    s3.Bucket(stack(app), "Plain")


SUBJECTS = [
    Subject("stack with a nested stack", nested, passes=True),
    Subject("`Template` of a stack with a nested stack", template_of(nested), says=PASS_INSTEAD),
    Subject("file of the template of a stack with a nested stack", file_of(nested), says=PASS_INSTEAD),
    Subject("the same under `LegacyStackSynthesizer`", file_of(legacy_synthesizer), says=PASS_INSTEAD),
    Subject("`Template` of a stack with a StackSet", template_of(in_a_stack_set), says="over plain HTTP"),
    Subject("`Template` of a stack with a product", template_of(in_a_product), says=PASS_INSTEAD),
    Subject("`Template` of a stack with an unread template", template_of(nested_at_a_url), says=PASS_INSTEAD),
    Subject("stack with an unread template", top_of(nested_at_a_url), says="is not read"),
    Subject("stack that was changed behind its synthesis", changed, says="over plain HTTP"),
    Subject("directory that was edited behind its synthesis", edited, says="over plain HTTP"),
    Subject("directory that waits for context", directory_of(missing_context), says="is missing"),
    Subject("App with an accepted exception", built(accepted_with_a_reason), passes=True),
    Subject("stack with an accepted exception", top_of(accepted_with_a_reason), passes=True),
    Subject("directory with an accepted exception", directory_of(accepted_with_a_reason), passes=True),
    Subject(
        "`Template` of a stack with an accepted exception",
        template_of(accepted_with_a_reason),
        says=PASS_INSTEAD,
    ),
    Subject(
        "finding whose rule the test accepts", top_of(plain), passes=True, options=(("accept", ["SB001"]),)
    ),
    Subject(
        "finding whose path the test accepts",
        top_of(plain),
        passes=True,
        options=(("accept", ["Top/Plain"]),),
    ),
]
"""All of them."""
