"""Ask a live bucket whether it accepts plain HTTP, by asking it over plain HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from secure_bucket.checks.running_buckets import PolicyTextError, read_policy_text
from secure_bucket.findings.rules.rule import describe_request
from secure_bucket.operations.aws.errors import LiveError, translate_errors
from secure_bucket.operations.aws.session import Session, open_session
from secure_bucket.operations.probe.outcome import (
    Enforced,
    Exchange,
    Inconclusive,
    Open,
    ProbeOutcome,
    Refuser,
    Signer,
    Transport,
)
from secure_bucket.operations.probe.probed_bucket import EndpointLayout, ProbeTarget, parse_bucket_name
from secure_bucket.operations.probe.prober import Prober
from secure_bucket.proof import prove_denies_http, prove_minimum_tls
from secure_bucket.proof.verdict import Proven, Refuted, Verdict

__all__ = [
    "Check",
    "EndpointLayout",
    "Enforced",
    "Exchange",
    "Inconclusive",
    "Open",
    "Probe",
    "ProbeOutcome",
    "Refuser",
    "Signer",
    "Transport",
    "probe_bucket",
]

_UNNAMED: Final = (
    "S3 does not say what refused it, and an allow that holds for HTTPS only refuses in the same words, but "
    "not callers that another policy allows it to: ask as somebody of the account that owns the bucket, or "
    "tell them apart by --policy-check"
)


class Check(Struct, frozen=True):
    """What came out over one transport.

    Args:
        transport: The transport.
        outcome: What the requests came to.
        verdict: What the prover says of the bucket policy; `None` when it was not asked for.
    """

    transport: Transport
    outcome: ProbeOutcome
    verdict: Verdict | None = None

    @property
    def disagreement(self) -> str:
        """Where the proof and the requests part, in one sentence; `""` when they do not."""
        over = self.transport.value
        match self.verdict, self.outcome:
            case Proven(), Open():
                return (
                    f"the bucket policy provably denies every request over {over}, and yet one got in: the "
                    "policy that was read is not the one in force, or this storage does not evaluate "
                    "policies as S3 does; trust the request"
                )
            case Refuted(request=request, why=why), Enforced():
                return (
                    "every request of the probe was refused, but the bucket policy accepts one that the "
                    f"probe did not send: {describe_request(request)}: {why}"
                )
            case _:
                return ""


class Probe(Struct, frozen=True):
    """What a probe of one bucket came to.

    Args:
        bucket: Its name.
        bucket_arn: Its ARN.
        region: Its region.
        checks: What came out over each transport that was asked for.
        policy_fault: Why the bucket policy could not be judged; `""` when it could, or did not have to.
        policy_unread: Why the bucket policy was not judged where it did not have to; `""` when it was.
    """

    bucket: str
    bucket_arn: str
    region: str
    checks: tuple[Check, ...]
    policy_fault: str = ""
    policy_unread: str = ""


def probe_bucket(
    bucket: str,
    *,
    session: Session | None = None,
    transports: Sequence[Transport] = (Transport.HTTP,),
    keys: Sequence[str] = (),
    sign_http: Signer = Signer.ANONYMOUS,
    layout: EndpointLayout | None = None,
    policy_check: bool | None = None,
    strict: bool = False,
    timeout: float = 10.0,
) -> Probe:
    """Ask a bucket the same over HTTPS and over plain HTTP, and compare the answers.

    It writes nothing and reads nothing: it lists a prefix that nobody uses, and asks for an object that is
    not there, or on a condition that does not hold. The deny that it tries is the one of
    https://repost.aws/knowledge-center/s3-bucket-policy-for-config-rule.

    Args:
        bucket: The bucket, by its name or ARN.
        session: The identity that asks (default: the credentials of the environment).
        transports: What to try besides HTTPS (default: plain HTTP).
        keys: Objects to ask for, without their content (default: one that is not there). Only to callers
            of the same account or organization does S3 tell enough for that one to be conclusive.
        sign_http: Whose signature may travel in clear. Without it nobody signs, and then only a public bucket
            has a conclusive answer, with `policy_check`. `Signer.NARROWED` signs as a session that may do
            nothing else, and whose token travels in clear; `Signer.OWN` signs with the credentials of the
            session as they are.
        layout: Which of the endpoints of S3 to use (default: the regional one).
        policy_check: Whether to read the bucket policy too, and prove the same for every identity (default:
            if the caller may read it). Without the proof the probe tells about its own identity alone, and a
            refusal of which S3 does not say where it comes from is inconclusive.
        strict: As for `prove_denies_http`.
        timeout: Seconds to wait for each answer (default: 10).

    Returns:
        What came out over each transport: `Enforced`, `Open` with the request that got in, or
        `Inconclusive` with the reasons.

    Raises:
        LiveError: If the bucket could not be asked: it does not exist, nothing answers over HTTPS, or the
            credentials are not accepted.
        MissingDependencyError: If boto3 is not installed.

    Examples:
        >>> probe = probe_bucket("reports", sign_http=Signer.NARROWED)  # doctest: +SKIP
        >>> isinstance(probe.checks[0].outcome, Enforced)  # doctest: +SKIP
        True
    """
    name = parse_bucket_name(bucket)
    session = session or open_session()
    prober = Prober(
        session, name, keys=keys, sign_http=sign_http, layout=layout or EndpointLayout(), timeout=timeout
    )
    outcomes = [(transport, prober.check(transport)) for transport in transports]
    target = prober.target
    verdicts: dict[Transport, Verdict] = {}
    fault, unread = "", ""
    # Through a proxy nothing is sent unless somebody asks for it.
    if policy_check or (policy_check is None and not prober.hindrance):
        try:
            verdicts = _verdicts(session, target, transports, strict=strict)
        except (LiveError, PolicyTextError) as error:
            # What was answered is evidence all the same: of a bucket whose policy locks out HTTPS, too.
            if policy_check or isinstance(error, PolicyTextError):
                fault = str(error)
            else:
                unread = str(error)
    checks = tuple(_check(transport, outcome, verdicts.get(transport)) for transport, outcome in outcomes)
    return Probe(name, target.arn, target.region, checks, fault, unread)


def _check(transport: Transport, outcome: ProbeOutcome, verdict: Verdict | None) -> Check:
    match outcome:
        case Enforced(by=Refuser.UNNAMED, exchanges=exchanges) if not isinstance(verdict, Proven):
            # INVARIANT: the lack of an allow never passes for a deny.
            actions = " and ".join(dict.fromkeys(f"`{each.action}`" for each in exchanges))
            return Check(transport, Inconclusive((f"{actions}: {_UNNAMED}",), exchanges), verdict)
        case _:
            return Check(transport, outcome, verdict)


def _verdicts(
    session: Session, target: ProbeTarget, transports: Sequence[Transport], *, strict: bool
) -> dict[Transport, Verdict]:
    policy = _policy(session, target)
    verdicts: dict[Transport, Verdict] = {}
    for transport in transports:
        if transport.tls:
            above = round(float(transport.tls) + 0.1, 1)
            verdicts[transport] = prove_minimum_tls(
                policy, bucket_arn=target.arn, minimum=above, strict=strict
            )
        else:
            verdicts[transport] = prove_denies_http(policy, bucket_arn=target.arn, strict=strict)
    return verdicts


def _policy(session: Session, target: ProbeTarget) -> object:
    """Return the bucket policy as JSON values; `None` without a policy."""
    client = session.client("s3", target.region)
    try:
        with translate_errors("s3:GetBucketPolicy", f"bucket `{target.bucket}`"):
            text: str = client.get_bucket_policy(Bucket=target.bucket)["Policy"]
    except LiveError as error:
        if error.code == "NoSuchBucketPolicy":
            return None
        raise
    return read_policy_text(text)
