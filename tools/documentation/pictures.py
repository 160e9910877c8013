"""Draw the pictures of the documentation, as SVG with the colours and fonts of the page.

The evaluator decides which squares are covered, and the prover provides the request, so that the pictures
show the real behaviour of the library.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from secure_bucket import Refuted, Request, evaluate, prove_denies_http

POLICIES = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "policies"
BUCKET = "arn:aws:s3:::reports"

# The classes that the policies of the page distinguish, with one request for each.
RESOURCES = {"the bucket": ("s3:ListBucket", BUCKET), "an object": ("s3:GetObject", f"{BUCKET}/report.csv")}
NETWORKS = {"absent": None, "vpc-1": "vpc-1", "any other": "vpc-0other"}

LEFT, TOP, WIDTH, HEIGHT = 130, 74, 180, 58


def pages() -> dict[str, str]:
    """Return each picture by the name of its file."""
    return {
        "classes.svg": classes(),
        "cover.svg": cover(),
        "allow.svg": allow(),
        "together.svg": together(),
        "counterexample.svg": counterexample(),
        "arrows.svg": arrows(),
    }


def policy(name: str) -> Mapping[str, Any]:
    """Return a policy of the page."""
    found: Mapping[str, Any] = json.loads((POLICIES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def request(resource: str, network: str) -> Request:
    """Return the request that represents a class."""
    action, arn = RESOURCES[resource]
    context: dict[str, str | Sequence[str]] = {"aws:SecureTransport": "false"}
    if (value := NETWORKS[network]) is not None:
        context |= {"aws:SourceVpc": value, "aws:SourceVpce": "vpce-0example"}
    return Request("anonymous", action, arn, context)


def denying(document: Mapping[str, Any], one: Request) -> list[str]:
    """Return the statements that deny a request, each evaluated alone."""
    return [
        statement["Sid"]
        for statement in document["Statement"]
        if evaluate({**document, "Statement": [statement]}, one)
    ]


def svg(title: str, told: str, height: int, *parts: str, width: int = 690) -> str:
    """Return a picture; `told` describes it in words."""
    name = title.casefold().replace(" ", "-")
    # No empty lines: Markdown would read the lines after them as text.
    return "\n".join(
        (
            f'<svg class="picture" viewBox="0 0 {width} {height}" role="img" '
            f'aria-labelledby="{name}-title {name}-told" xmlns="http://www.w3.org/2000/svg">',
            f'<title id="{name}-title">{escape(title)}</title>',
            f'<desc id="{name}-told">{escape(told)}</desc>',
            *parts,
            "</svg>\n",
        )
    )


def text(x: float, y: float, words: str, kind: str = "") -> str:
    """Return a line of text, centred at `x`."""
    return f'<text class="{f"label {kind}".strip()}" x="{x}" y="{y}">{escape(words)}</text>'


def box(x: float, y: float, width: float, height: float, kind: str, *lines: str) -> str:
    """Return a box with centred lines of text; a line that begins with `#` is bold."""
    parts = [f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="4"/>']
    first = y + height / 2 - (len(lines) - 1) * 9 + 5
    for number, line in enumerate(lines):
        strong = "strong" if line.startswith("#") else ""
        parts.append(text(x + width / 2, first + number * 18, line.removeprefix("#"), strong))
    return "".join(parts)


def arrow(x: float, y: float, length: float) -> str:
    """Return an arrow to the right."""
    end = x + length
    return f'<path class="line" d="M{x} {y}H{end - 7}"/><path class="tip" d="M{end} {y}l-9 -5v10z"/>'


def axes() -> Iterator[str]:
    """Yield the names of the classes around the squares."""
    yield text(LEFT + 1.5 * WIDTH, 22, "aws:SourceVpc", "strong")
    yield text(LEFT / 2, TOP - 18, "resource", "strong")
    for column, network in enumerate(NETWORKS):
        yield text(LEFT + (column + 0.5) * WIDTH, TOP - 18, network)
    for row, resource in enumerate(RESOURCES):
        yield text(LEFT / 2, TOP + (row + 0.5) * HEIGHT + 5, resource)


def squares(document: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield a square for each class, with the statements that cover it, or marked as open."""
    for row, resource in enumerate(RESOURCES):
        for column, network in enumerate(NETWORKS):
            place = (LEFT + column * WIDTH + 3, TOP + row * HEIGHT + 3, WIDTH - 6, HEIGHT - 6)
            if document is None:
                yield box(*place, "class", "one class")
                continue
            statements = denying(document, request(resource, network))
            if statements:
                yield box(*place, "covered", "✓ denied by", "#" + ", ".join(statements))
            else:
                yield box(*place, "open", "#✗ open", "nothing denies it")


def grid(title: str, told: str, document: Mapping[str, Any] | None) -> str:
    """Return a picture of the classes."""
    return svg(title, told, TOP + len(RESOURCES) * HEIGHT + 6, *axes(), *squares(document))


def classes() -> str:
    """Return the picture of the classes that a policy distinguishes."""
    return grid(
        "Classes of requests",
        "Two rows, the bucket and an object, because the policy names the one and the other. Three columns "
        "for aws:SourceVpc: absent, vpc-1 and any other value, because the policy names vpc-1. That makes "
        "six classes.",
        None,
    )


def cover() -> str:
    """Return the picture of two denies and the class that they leave open."""
    return grid(
        "A narrowed Deny leaves a hole",
        "The statement Objects covers the three classes of an object. The statement Bucket covers the bucket "
        "where aws:SourceVpc is absent or another one. The bucket asked from vpc-1 is open: nothing denies "
        "it.",
        policy("narrowed"),
    )


def allow() -> str:
    """Return the picture of an Allow, which covers nothing."""
    return grid(
        "An Allow covers nothing",
        "All six classes are open: a statement that allows HTTPS denies nothing.",
        policy("allow"),
    )


def together() -> str:
    """Return the picture of three denies that prove together."""
    return grid(
        "Three statements that prove together",
        "All six classes are covered: an object by the statement Objects, the bucket by BucketInVpc where "
        "aws:SourceVpc is vpc-1, and by BucketElsewhere where it is absent or another one.",
        policy("together"),
    )


def counterexample() -> str:
    """Return the picture of an open class that becomes a counterexample."""
    verdict = prove_denies_http(policy("narrowed"), bucket_arn=BUCKET)
    assert isinstance(verdict, Refuted), verdict
    one = verdict.request
    context = [f"{key} = {value}" for key, value in one.context.items()]
    return svg(
        "From an open class to a counterexample",
        f"The open class becomes a whole request: {one.action} of {one.resource} by {one.principal}, with "
        f"{', '.join(context)}. The evaluator finds no Deny that matches it, and only then it is shown.",
        176,
        box(3, 44, 130, 84, "open", "#✗ open", "the bucket,", "from vpc-1"),
        arrow(138, 86, 44),
        box(187, 8, 260, 160, "class", "#a whole request", one.action, one.resource, *context),
        arrow(452, 86, 44),
        box(501, 44, 186, 84, "class", "#evaluate", "does a Deny match it?", "no: it is shown"),
    )


def arrows() -> str:
    """Return the picture of the architecture: writing and judging."""
    judging = ("template", "policy", "proof", "findings", "formats")
    told = {
        "template": ("files,", "intrinsics"),
        "policy": ("statements as", "values"),
        "proof": ("classes,", "coverage"),
        "findings": ("which rule,", "where"),
        "formats": ("text, JSON,", "SARIF, HTML …"),
    }
    width, step = 118, 142
    parts = [text(30, 24, "Writing", "strong"), text(30, 134, "Judging", "strong")]
    parts += [
        box(3, 36, 280, 62, "covered", "#cdk", "SecureBucket, Aspect, mixin, injector"),
        arrow(288, 67, 40),
        box(333, 36, 220, 62, "covered", "#statements", "the only place with the deny"),
    ]
    for number, name in enumerate(judging):
        parts.append(box(3 + number * step, 146, width, 78, "class", f"#{name}", *told[name]))
        if number:
            parts.append(arrow(3 + number * step - 22, 185, 20))
    return svg(
        "The two arrows",
        "Writing: cdk takes the deny from statements. Judging: template, then policy, then proof, then "
        "findings, then formats. The two do not know each other: what was written is judged from the "
        "finished template.",
        232,
        *parts,
    )
