"""Write probes as JUnit XML: a suite for each bucket, and a test for each transport."""

from __future__ import annotations

from xml.etree import ElementTree

from secure_bucket.formats.characters import xml_text
from secure_bucket.formats.junit import add_child, document_of, test_of
from secure_bucket.formats.run import Run
from secure_bucket.operations.probe.outcome import Enforced
from secure_bucket.operations.probe.probe import Check, Probe
from secure_bucket.operations.probe.results import Probes, outcome_name, sentence
from secure_bucket.proof.verdict import Refuted, Undecided

__all__ = ["render"]


def render(probes: Probes, run: Run) -> str:
    """Return the probes as a JUnit XML document.

    An open or inconclusive check is a failure. A bucket that could not be probed is an error.
    """
    suites = {
        xml_text(probe.bucket): [_test(probe, check) for check in probe.checks] for probe in probes.probes
    }
    for fault in probes.faults:
        bucket = xml_text(fault.bucket)
        suites.setdefault(bucket, []).append(_fault(bucket, fault.message))
    return document_of(suites, probes.summary(), run)


def _test(probe: Probe, check: Check) -> ElementTree.Element:
    test = test_of(check.transport.value, xml_text(probe.bucket))
    evidence = "\n".join(map(str, check.outcome.exchanges))
    if not isinstance(check.outcome, Enforced) or isinstance(check.verdict, (Refuted, Undecided)):
        kind = outcome_name(check)
        if isinstance(check.outcome, Enforced):
            kind = "refuted" if isinstance(check.verdict, Refuted) else "undecided"
        message = xml_text(check.disagreement or sentence(probe, check))
        add_child(test, "failure", evidence, {"type": kind, "message": message})
    elif evidence:
        add_child(test, "system-out", evidence)
    return test


def _fault(bucket: str, message: str) -> ElementTree.Element:
    test = test_of("secure-bucket", bucket)
    add_child(test, "error", message, {"type": "unchecked", "message": xml_text(message)})
    return test
