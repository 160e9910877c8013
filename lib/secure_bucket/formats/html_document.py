"""Build a page that loads nothing: its content security policy, its style sheet and its outline."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from secure_bucket.formats.characters import well_formed
from secure_bucket.formats.html_parts import NEWLINE
from secure_bucket.formats.html_style import STYLE
from secure_bucket.formats.markup import Content, Markup, concat, tag
from secure_bucket.formats.run import Run
from secure_bucket.formats.svg import CHART_STYLE, PATTERNS

__all__ = ["document_head", "document_of"]


def document_head(title: str, style: str, script: str = "") -> Markup:
    """Return the head of a page, which allows only its own style sheet and its own script.

    Args:
        title: The title.
        style: The style sheet.
        script: The script (default: forbid scripts).
    """
    scripts = f"script-src '{_digest(script)}'; " if script else ""
    policy = f"default-src 'none'; style-src '{_digest(style)}'; {scripts}base-uri 'none'; form-action 'none'"
    return concat(
        Markup('<meta charset="utf-8">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        tag("title", title),
        Markup(f"<style>{style}</style>"),
    )


def document_of(
    title: str, outcome: Content, sections: Sequence[tuple[str, str, Markup]], run: Run, *, grade: str
) -> str:
    """Return a page with pictures and tables, and without a script.

    Args:
        title: The title and the first heading.
        outcome: The result, in a sentence.
        sections: The sections, each with its anchor, its title and its content.
        run: The run of the command.
        grade: The class of the outcome: `good`, `bad` or `open`.
    """
    version = f" {run.version}" if run.version else ""
    day, _, time = run.timestamp.removesuffix("Z").partition("T")
    when = f"Written by secure-bucket{version}{f' on {day} at {time} UTC' if day else ''}."
    options = "; ".join(f"{name} {value}" for name, value in run.options)
    links = (tag("li", tag("a", name, href=f"#{anchor}")) for anchor, name, _ in sections)
    main = (
        concat(
            tag(
                "section",
                tag("h2", name, id=f"{anchor}-title"),
                content,
                id=anchor,
                aria_labelledby=f"{anchor}-title",
            ),
            NEWLINE,
        )
        for anchor, name, content in sections
    )
    body = concat(
        tag("a", "Skip to the content", class_="skip", href="#content"),
        PATTERNS,
        tag("header", tag("h1", title), tag("p", outcome, class_=f"outcome {grade}")),
        tag("nav", tag("ul", *links), aria_label="Contents"),
        tag("main", *main, id="content"),
        tag("footer", tag("p", when), tag("p", f"Options: {options}.") if options else None),
    )
    html = tag(
        "html", tag("head", document_head(title, STYLE + CHART_STYLE)), NEWLINE, tag("body", body), lang="en"
    )
    return well_formed(f"<!DOCTYPE html>\n{html}\n")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"
