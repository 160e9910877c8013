"""Judge the text of an editor, explain its statements and fix its buckets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct, field

from secure_bucket.checks.check import check_template
from secure_bucket.errors import NotATemplateError, SecureBucketError
from secure_bucket.findings.finding import Finding
from secure_bucket.formats.explain_statement import explain_contribution, explain_statement
from secure_bucket.formats.extent import Excerpts, Extent
from secure_bucket.policy.document import Statement
from secure_bucket.policy.parse import parse_policy
from secure_bucket.repair import repair_document
from secure_bucket.template import Assembly, Document, Inventory, Stack, Undecidable, parse_document
from secure_bucket.template.deployments import deployments_of, source_of
from secure_bucket.template.stack import pointer_of
from secure_bucket.values.unknown import Place, Text

__all__ = ["JudgedText", "judge_text"]

_LINE = re.compile(r"in line (\d+)")
# An editor sends every YAML and JSON file. A fault in one without these words is not reported.
_MAY_BE_TEMPLATE = re.compile(r"AWS::|\b(?:AWSTemplateFormatVersion|Resources)\b")


class JudgedText(Struct):
    """A text and its findings.

    Args:
        text: The text.
        findings: The findings about it.
        fault: Why the text cannot be checked; `""` if it was checked.
        fault_line: The line of the fault, from 1.
        document: The template; `None` if the text is not a readable template.
        excerpts: Finds the part of the text at a place.
        fixes: The fixed texts so far, by bucket, because editors ask again with each move of the cursor.
    """

    text: str
    findings: tuple[Finding, ...] = ()
    fault: str = ""
    fault_line: int = 1
    document: Document | None = None
    excerpts: Excerpts = field(default_factory=lambda: Excerpts(lambda _: None))
    fixes: dict[str | None, str | None] = field(default_factory=dict)

    def extent(self, at: Place) -> Extent | None:
        """Return the part of the text that a place names; `None` if there is no such part."""
        return self.excerpts.at(at)

    def explain(self, line: int, column: int, *, strict: bool) -> tuple[str, Extent] | None:
        """Return an explanation of the statement at a position, and its extent; `None` without a statement.

        Args:
            line: The line, from 1.
            column: The column, from 1.
            strict: As for `check`.
        """
        if self.document is None:
            return None
        for statement, at, version, bucket_arn in _statements(self.document):
            extent = self.extent(at)
            if extent is None or not (
                (extent.line, extent.column) <= (line, column) < (extent.end_line, extent.end_column)
            ):
                continue
            contribution = explain_contribution(statement, version, bucket_arn, strict=strict)
            return f"{explain_statement(statement)}\n\n{contribution}", extent
        return None

    def fixed(self, logical_id: str | None, *, strict: bool) -> str | None:
        """Return the text with a proven deny; `None` if the deny cannot be added safely.

        Args:
            logical_id: The bucket; `None` for every bucket of the template.
            strict: As for `check`.
        """
        if self.document is None:
            return None
        if logical_id not in self.fixes:
            self.fixes[logical_id] = self._fix(self.document, logical_id, strict)
        return self.fixes[logical_id]

    def _fix(self, document: Document, logical_id: str | None, strict: bool) -> str | None:
        others = {
            finding.logical_id: "the user asked for another bucket"
            for finding in self.findings
            if logical_id is not None and finding.logical_id != logical_id
        }
        try:
            repair = repair_document(document, strict=strict, leave=others)
        except SecureBucketError:
            return None
        return repair.document.text if repair.fixed else None


def judge_text(text: str, name: str, *, strict: bool = False) -> JudgedText:
    """Return the findings of `check` about a text that may be a template.

    Args:
        text: The text.
        name: The name of its file.
        strict: As for `check`.
    """
    judged = JudgedText(text, excerpts=Excerpts(lambda file: text if file == name else None))
    # Read the lines now, so that the threads that share them only look them up.
    judged.excerpts.at(Place("", name, 1, 1))
    try:
        judged.document = parse_document(text, name)
        judged.findings = check_template(judged.document, strict=strict).findings
    except NotATemplateError:
        judged.document = None
    except SecureBucketError as error:
        judged.fault = str(error) if _MAY_BE_TEMPLATE.search(text) else ""
        found = _LINE.search(judged.fault)
        judged.fault_line = int(found[1]) if found else 1
    except Exception as error:
        # Without a new diagnostic the editor would keep showing the diagnostics of an older text.
        judged.fault = f"internal error in secure-bucket, please report it: {type(error).__name__}: {error}"
    return judged


def _statements(document: Document) -> Iterator[tuple[Statement, Place, str, str | Text]]:
    """Yield the statements of bucket policies, each with its place, the policy version and the bucket."""
    inventory = Inventory(Assembly([Stack(document)]))
    seen: set[Place] = set()
    for bucket in inventory.buckets:
        try:
            for deployment in deployments_of(inventory, bucket):
                for applied in deployment.policies:
                    policy = parse_policy(applied.document)
                    for statement in policy.statements:
                        if not isinstance(statement, Statement):
                            continue
                        path = source_of(inventory, deployment.world, applied, statement.at.pointer)
                        at = document.place(pointer_of(path))
                        if at not in seen:
                            seen.add(at)
                            yield statement, at, policy.version, applied.bucket_arn
        except (Undecidable, SecureBucketError):
            continue  # The finding about the bucket gives the reason.
