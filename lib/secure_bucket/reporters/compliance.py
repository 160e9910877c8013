"""The requirements that a report bears on, and how far."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["REQUIREMENTS", "Requirement"]


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement of a published document.

    Args:
        document: The document, with its version.
        number: The number of the requirement in it.
        asks: What it asks for, in our words.
        shows: What a report of this library says about it.
        leaves: What it does not say.
        url: Where the document is published.
        shows_running: What it says instead when it judges buckets that run; the same unless set.
        leaves_running: What it leaves out then; the same unless set.
    """

    document: str
    number: str
    asks: str
    shows: str
    leaves: str
    url: str
    shows_running: str = ""
    leaves_running: str = ""


REQUIREMENTS = (
    Requirement(
        "PCI DSS v4.0.1 (June 2024)",
        "4.2.1",
        "Strong cryptography and security protocols protect cardholder numbers that are sent over open, "
        "public networks, without falling back to insecure versions.",
        "The proven buckets refuse every request that is not encrypted in transit. With a minimum TLS "
        "version among the options above, older versions are refused too.",
        "Whether card numbers are in a bucket, every other way they are sent, and the inventory of keys and "
        "certificates (4.2.1.1).",
        "https://www.pcisecuritystandards.org/document_library/",
    ),
    Requirement(
        "HIPAA Security Rule, 45 CFR Part 164",
        "164.312(e)(1)",
        "Technical measures guard electronic protected health information against unauthorized access while "
        "it is transmitted over a network.",
        "For the proven buckets, that such a measure is in place on the way to and from S3.",
        "Every other transmission, and the decisions on integrity controls (e)(2)(i) and encryption "
        "(e)(2)(ii) that the rule asks to be documented.",
        "https://www.ecfr.gov/current/title-45/section-164.312",
    ),
    Requirement(
        "NIST SP 800-53 Rev. 5",
        "SC-8",
        "The confidentiality and integrity of transmitted information are protected.",
        "For the proven buckets, that information is not transmitted to or from S3 in clear.",
        "Other paths of transmission, and whether the cryptography is validated (SC-13).",
        "https://doi.org/10.6028/NIST.SP.800-53r5",
    ),
    Requirement(
        "CIS AWS Foundations Benchmark v3.0.0 and v5.0.0",
        "2.1.1",
        "The policy of every S3 bucket denies HTTP requests.",
        "For the buckets of these templates, that the policy written there denies them.",
        "Buckets that no template here creates, and policies changed after the deployment.",
        "https://www.cisecurity.org/benchmark/amazon_web_services",
        "For the buckets of these accounts, that the policy in force denies them.",
        "Buckets of other accounts, and policies changed since.",
    ),
    Requirement(
        "AWS Security Hub CSPM, controls for Amazon S3",
        "S3.5",
        "S3 general purpose buckets require requests to use SSL.",
        "The same question, answered before the deployment and for every request.",
        "The finding of Security Hub itself, which AWS Config makes on the deployed bucket "
        "(s3-bucket-ssl-requests-only).",
        "https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html#s3-5",
        "The same question, answered for the deployed bucket and for every request.",
    ),
)
"""The requirements, in the order to show them."""
