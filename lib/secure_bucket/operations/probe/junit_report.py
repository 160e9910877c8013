"""Probes as JUnit XML: one suite for each bucket, and a test for each transport."""

from __future__ import annotations

from xml.etree import ElementTree

from secure_bucket.formats.characters import well_formed, xml_text
from secure_bucket.formats.run import Run
from secure_bucket.operations.probe.outcome import Enforced
from secure_bucket.operations.probe.probe import Check, Probe
from secure_bucket.operations.probe.results import Probes, outcome_name, sentence
from secure_bucket.proof.verdict import Refuted, Undecided

__all__ = ["render"]


def render(probes: Probes, run: Run) -> str:
    """Return the probes as a JUnit XML document.

    What is not enforced is a failure, what was inconclusive too. What could not be asked is an error.
    """
    root = ElementTree.Element("testsuites", {"name": "secure-bucket"})
    for probe in probes.probes:
        tests = [_test(probe, check) for check in probe.checks]
        faults = [fault.message for fault in probes.faults if fault.bucket == probe.bucket]
        root.append(_suite(probe.bucket, run, [*tests, *(_fault(probe.bucket, each) for each in faults)]))
    probed = {probe.bucket for probe in probes.probes}
    for fault in probes.faults:
        if fault.bucket not in probed:
            root.append(_suite(fault.bucket, run, [_fault(fault.bucket, fault.message)]))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.attrib[name]) for suite in root)))
    ElementTree.SubElement(root[-1], "system-out").text = xml_text(probes.summary())
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{well_formed(text)}\n'


def _suite(bucket: str, run: Run, tests: list[ElementTree.Element]) -> ElementTree.Element:
    suite = ElementTree.Element(
        "testsuite",
        {
            "name": xml_text(bucket),
            "tests": str(len(tests)),
            "failures": str(sum(test.find("failure") is not None for test in tests)),
            "errors": str(sum(test.find("error") is not None for test in tests)),
            "skipped": "0",
            "time": "0",
        },
    )
    if run.timestamp:
        suite.set("timestamp", run.timestamp.removesuffix("Z"))
    suite.extend(tests)
    return suite


def _test(probe: Probe, check: Check) -> ElementTree.Element:
    test = _case(check.transport.value, probe.bucket)
    evidence = "\n".join(map(str, check.outcome.exchanges))
    if not isinstance(check.outcome, Enforced) or isinstance(check.verdict, (Refuted, Undecided)):
        message = check.disagreement or sentence(probe, check)
        kind = outcome_name(check)
        if isinstance(check.outcome, Enforced):
            kind = "refuted" if isinstance(check.verdict, Refuted) else "undecided"
        attributes = {"type": kind, "message": xml_text(message)}
        ElementTree.SubElement(test, "failure", attributes).text = xml_text(evidence)
    elif evidence:
        ElementTree.SubElement(test, "system-out").text = xml_text(evidence)
    return test


def _fault(bucket: str, message: str) -> ElementTree.Element:
    test = _case("secure-bucket", bucket)
    attributes = {"type": "unchecked", "message": xml_text(message)}
    ElementTree.SubElement(test, "error", attributes).text = xml_text(message)
    return test


def _case(name: str, bucket: str) -> ElementTree.Element:
    return ElementTree.Element(
        "testcase", {"name": xml_text(name), "classname": xml_text(bucket), "time": "0"}
    )
