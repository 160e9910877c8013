"""Probe a live bucket: send the same requests over HTTPS and plain HTTP, and compare the answers."""

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
    "S3 does not say what refused it. An allow for HTTPS only refuses with the same words, but lets in "
    "callers that another policy allows it: probe as an identity of the account that owns the bucket, or use "
    "--policy-check"
)


class Check(Struct, frozen=True):
    """The result over one transport.

    Args:
        transport: The transport.
        outcome: The outcome of the requests.
        verdict: The verdict on the bucket policy; `None` if the policy was not judged.
    """

    transport: Transport
    outcome: ProbeOutcome
    verdict: Verdict | None = None

    @property
    def disagreement(self) -> str:
        """The disagreement between the proof and the requests, in one sentence; `""` if they agree."""
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
    """The result of a probe of one bucket.

    Args:
        bucket: Its name.
        bucket_arn: Its ARN.
        region: Its region.
        checks: The result over each requested transport.
        policy_fault: Why the required judgement of the bucket policy failed; `""` without a failure.
        policy_unread: Why the optional judgement of the bucket policy failed; `""` without a failure.
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
    """Send the same requests to a bucket over HTTPS and plain HTTP, and compare the answers.

    The probe writes nothing and reads no content: it lists a prefix that nobody uses, and requests an object
    that does not exist, or with a condition that does not hold. It tests the deny of
    https://repost.aws/knowledge-center/s3-bucket-policy-for-config-rule.

    Args:
        bucket: The name or ARN of the bucket.
        session: The identity to use (default: the credentials of the environment).
        transports: The transports to test besides HTTPS (default: plain HTTP).
        keys: Objects to request, without their content (default: an object that does not exist, which is
            conclusive only for callers of the same account or organization).
        sign_http: The signature of requests over plain HTTP, which travels in clear (default: no signature,
            and then only a public bucket with `policy_check` gives a conclusive answer). `Signer.NARROWED`
            signs with a session that allows only these requests; `Signer.OWN` signs with the credentials of
            the session.
        layout: The endpoints of S3 to use (default: the regional ones).
        policy_check: Whether to also prove the bucket policy for every identity (default: if the caller may
            read it). Without the proof, the result holds only for the identity of the probe, and a refusal
            without a named policy is inconclusive.
        strict: As for `prove_denies_http`.
        timeout: Seconds to wait for each answer (default: 10).

    Returns:
        The outcome over each transport: `Enforced`, `Open` with the request that got in, or `Inconclusive`
        with the reasons.

    Raises:
        LiveError: If the probe cannot run: the bucket does not exist, nothing answers over HTTPS, or the
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
    # With a proxy, send a request for the policy only if the caller requires it.
    if policy_check or (policy_check is None and not prober.why_not):
        try:
            verdicts = _verdicts(session, target, transports, strict=strict)
        except (LiveError, PolicyTextError) as error:
            # The answers stay evidence, even for a bucket whose policy also denies HTTPS.
            if policy_check or isinstance(error, PolicyTextError):
                fault = str(error)
            else:
                unread = str(error)
    checks = tuple(_check(transport, outcome, verdicts.get(transport)) for transport, outcome in outcomes)
    return Probe(name, target.arn, target.region, checks, fault, unread)


def _check(transport: Transport, outcome: ProbeOutcome, verdict: Verdict | None) -> Check:
    match outcome:
        case Enforced(by=Refuser.UNNAMED, exchanges=exchanges) if not isinstance(verdict, Proven):
            # INVARIANT: a missing allow never counts as a deny.
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
