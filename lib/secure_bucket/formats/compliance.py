"""List the requirements that a report supports, with the findings and safeguards that are evidence for them.

The numbers and titles come from the documents; the descriptions are our own words. The evidence for a
requirement on transport is the verdicts; the evidence for a requirement on monitoring is the safeguards that
the templates declare.
"""

from __future__ import annotations

from msgspec import Struct

from secure_bucket.findings.rules import RULES
from secure_bucket.template.safeguards import SafeguardKind

__all__ = ["REQUIREMENTS", "Requirement"]


class Requirement(Struct, frozen=True):
    """A requirement of a published document.

    Args:
        document: The document, with its version.
        number: The number of the requirement in it.
        title: Its title, or its subject if the document has no title for it.
        asks: The demand, in our words.
        shows: The evidence that a report of this library gives.
        leaves: The part of the demand without evidence.
        url: The address of the document.
        rules: The rules whose findings are evidence against it.
        safeguards: The safeguards that are evidence for it. Without `rules` and without one of them, the
            report shows no evidence.
        constructs: The constructs of this library that help to meet it.
        shows_running: The evidence for live buckets (default: `shows`).
        leaves_running: The part without evidence for live buckets (default: `leaves`).
    """

    document: str
    number: str
    title: str
    asks: str
    shows: str
    leaves: str
    url: str
    rules: tuple[str, ...] = ()
    safeguards: tuple[SafeguardKind, ...] = ()
    constructs: tuple[str, ...] = ()
    shows_running: str = ""
    leaves_running: str = ""


_PCI = "PCI DSS v4.0.1 (June 2024)"
_PCI_URL = "https://www.pcisecuritystandards.org/document_library/"
_HIPAA = "HIPAA Security Rule, 45 CFR Part 164"
_HIPAA_URL = "https://www.ecfr.gov/current/title-45/section-164.312"
_NIST = "NIST SP 800-53 Rev. 5"
_NIST_URL = "https://doi.org/10.6028/NIST.SP.800-53r5"
_CIS = "CIS AWS Foundations Benchmark v3.0.0"
_CIS_URL = "https://www.cisecurity.org/benchmark/amazon_web_services"
_FSBP = "AWS Foundational Security Best Practices (Security Hub CSPM)"
_FSBP_URL = "https://docs.aws.amazon.com/securityhub/latest/userguide/s3-controls.html"

_TRANSPORT = tuple(rule.id for rule in RULES if rule.excusable and not rule.about_later_change)
_IN_ITS_POLICY = ("SecureBucket", "SecureTransportAspect")
# A resource control policy denies the same requests, but no bucket policy shows it.
_DENIES = (*_IN_ITS_POLICY, "SecureTransportOrganizationPolicy")
_MONITORING = ("SecureTransportMonitoring",)
_RECORDS = (SafeguardKind.TRAIL, SafeguardKind.ACCESS_LOGS)
_WATCHES = (SafeguardKind.ALARM, SafeguardKind.CONFIG_RULE, SafeguardKind.POLICY_CHANGES)

REQUIREMENTS = (
    Requirement(
        _PCI,
        "4.2.1",
        "Strong cryptography for cardholder numbers in transit",
        "Strong cryptography and security protocols protect cardholder numbers that are sent over open, "
        "public networks, without falling back to insecure versions.",
        "The proven buckets refuse every request that is not encrypted in transit. With a minimum TLS "
        "version among the options, older versions are refused too.",
        "Whether card numbers are in a bucket, every other way they are sent, and the inventory of keys and "
        "certificates (4.2.1.1).",
        _PCI_URL,
        rules=_TRANSPORT,
        constructs=_DENIES,
    ),
    Requirement(
        _PCI,
        "8.4.2",
        "Multi-factor authentication into the cardholder data environment",
        "Everybody who reaches the environment of cardholder data, except at its consoles, proves in more "
        "than one way who they are.",
        "That the named policies refuse some operations on a bucket without multi-factor authentication.",
        "Every other way into the environment, which operations the policies list, and which principals they "
        "except.",
        _PCI_URL,
        safeguards=(SafeguardKind.MFA,),
        constructs=("SecureBucket(mfa=…)",),
    ),
    Requirement(
        _PCI,
        "10.2.1",
        "Audit logs are enabled and active",
        "All components of the system, and the access to cardholder data, are logged.",
        "That the named resources record requests to objects.",
        "Whether every bucket with card numbers is recorded, how long logs are kept (10.5.1) and who reads "
        "them (10.4).",
        _PCI_URL,
        safeguards=_RECORDS,
        constructs=_MONITORING,
    ),
    Requirement(
        _HIPAA,
        "164.312(e)(1)",
        "Transmission security",
        "Technical measures guard electronic protected health information against unauthorized access while "
        "it is transmitted over a network.",
        "For the proven buckets, that such a measure is in place on the way to and from S3.",
        "Every other transmission, and the decisions on integrity controls (e)(2)(i) and encryption "
        "(e)(2)(ii) that the rule asks to be documented.",
        _HIPAA_URL,
        rules=_TRANSPORT,
        constructs=_DENIES,
    ),
    Requirement(
        _HIPAA,
        "164.312(b)",
        "Audit controls",
        "Activity in systems that hold electronic protected health information is recorded and examined.",
        "That the named resources record requests to objects, or watch them.",
        "Whether every such bucket is recorded, and that somebody examines what is recorded.",
        _HIPAA_URL,
        safeguards=(*_RECORDS, *_WATCHES),
        constructs=(*_MONITORING, "SecureTransportConformancePack"),
    ),
    Requirement(
        _NIST,
        "SC-8",
        "Transmission confidentiality and integrity",
        "The confidentiality and integrity of transmitted information are protected; by cryptography where "
        "SC-8(1) is chosen.",
        "For the proven buckets, that information is not transmitted to or from S3 in clear.",
        "Other paths of transmission, and whether the cryptography is validated (SC-13).",
        _NIST_URL,
        rules=_TRANSPORT,
        constructs=_DENIES,
    ),
    Requirement(
        _NIST,
        "SI-4",
        "System monitoring",
        "The system is monitored for attacks and for unauthorized connections.",
        "That the named resources watch for requests over plain HTTP, or for a bucket that accepts them.",
        "Everything else to monitor, and who responds to an alarm.",
        _NIST_URL,
        safeguards=_WATCHES,
        constructs=_MONITORING,
    ),
    Requirement(
        _CIS,
        "2.1.1",
        "Ensure S3 bucket policy is set to deny HTTP requests",
        "The policy of every S3 bucket denies HTTP requests. (The same number and title in v5.0.0.)",
        "For the buckets of these templates, that the policy written there denies them.",
        "Buckets that no template here creates, and policies changed after the deployment.",
        _CIS_URL,
        rules=_TRANSPORT,
        constructs=_IN_ITS_POLICY,
        shows_running="For the buckets of these accounts, that the policy in force denies them.",
        leaves_running="Buckets of other accounts, and policies changed since.",
    ),
    Requirement(
        _CIS,
        "3.8 and 3.9",
        "Ensure that object-level logging for write and for read events is enabled for S3 buckets",
        "CloudTrail records the writing and the reading of objects.",
        "That the named trails record requests to objects.",
        "Whether they record both kinds, and every bucket.",
        _CIS_URL,
        safeguards=(SafeguardKind.TRAIL,),
        constructs=_MONITORING,
    ),
    Requirement(
        _CIS,
        "4.8",
        "Ensure S3 bucket policy changes are monitored",
        "Somebody receives a message when the policy of a bucket changes.",
        "That the named rules forward such changes.",
        "Changes of access lists, CORS, lifecycle and replication, which the benchmark asks for as well.",
        _CIS_URL,
        safeguards=(SafeguardKind.POLICY_CHANGES,),
        constructs=_MONITORING,
    ),
    Requirement(
        _FSBP,
        "S3.5",
        "S3 general purpose buckets should require requests to use SSL",
        "The policy of each bucket requires TLS.",
        "The same question, answered before the deployment and for every request.",
        "The finding of Security Hub itself, which AWS Config makes on the deployed bucket "
        "(s3-bucket-ssl-requests-only).",
        f"{_FSBP_URL}#s3-5",
        rules=_TRANSPORT,
        constructs=_IN_ITS_POLICY,
        shows_running="The same question, answered for the deployed bucket and for every request.",
    ),
    Requirement(
        _FSBP,
        "S3.22 and S3.23",
        "S3 general purpose buckets should log object-level write events, and read events",
        "A trail of all Regions records the events of objects in all buckets.",
        "That the named trails record requests to objects.",
        "Whether a trail covers all buckets and all Regions, as the controls ask.",
        f"{_FSBP_URL}#s3-22",
        safeguards=(SafeguardKind.TRAIL,),
        constructs=_MONITORING,
    ),
)
"""The requirements, in the order to show them."""
