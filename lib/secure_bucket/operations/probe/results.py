"""Describe the probes of several buckets, in words that all reports share."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from secure_bucket.formats.summary import count
from secure_bucket.operations.probe.outcome import Enforced, Inconclusive, Open, Refuser, Signer
from secure_bucket.operations.probe.probe import Check, Probe
from secure_bucket.proof.verdict import Proven, Refuted, Undecided
from secure_bucket.values.never import assert_never

__all__ = ["ProbeFault", "Probes", "outcome_name", "sentence", "shown_for"]


class ProbeFault(Struct, frozen=True):
    """A bucket that could not be probed, or whose policy could not be judged.

    Args:
        bucket: The bucket, as the user named it.
        message: The reason, in one line.
    """

    bucket: str
    message: str

    def __str__(self) -> str:
        named = f"`{self.bucket}`" in self.message
        return self.message if named else f"bucket `{self.bucket}`: {self.message}"


class Probes(Struct, frozen=True):
    """The probes of one run.

    Args:
        probes: One probe for each bucket.
        faults: The buckets that could not be probed.
    """

    probes: tuple[Probe, ...]
    faults: tuple[ProbeFault, ...] = ()

    @property
    def checks(self) -> tuple[tuple[Probe, Check], ...]:
        """All checks, each with its probe."""
        return tuple((probe, check) for probe in self.probes for check in probe.checks)

    @property
    def refuted(self) -> bool:
        """Whether a request got in, or the policy provably accepts one."""
        return any(
            isinstance(check.outcome, Open) or isinstance(check.verdict, Refuted) for _, check in self.checks
        )

    @property
    def unsettled(self) -> bool:
        """Whether an outcome is inconclusive, or a policy is undecided."""
        return any(
            isinstance(check.outcome, Inconclusive) or isinstance(check.verdict, Undecided)
            for _, check in self.checks
        )

    def summary(self) -> str:
        """Return the coverage and the outcomes in one line."""
        names = [outcome_name(check) for _, check in self.checks]
        covered = f"{count(len(self.probes), 'bucket')} probed"
        told = ", ".join(f"{names.count(name):,} {name}" for name in ("enforced", "open", "inconclusive"))
        disagreements = sum(bool(check.disagreement) for _, check in self.checks)
        line = f"{covered}: {told}"
        if disagreements:
            line += f"; proof and probe disagree {count(disagreements, 'time')}"
        if self.faults:
            line += f"; {count(len(self.faults), 'fault')} that left something unchecked"
        return line


def outcome_name(check: Check) -> str:
    """Return an outcome in one word: `enforced`, `open` or `inconclusive`."""
    return type(check.outcome).__name__.lower()


def sentence(probe: Probe, check: Check) -> str:
    """Return the outcome for a bucket over one transport, in one line."""
    over = check.transport.value
    bucket = f"bucket `{probe.bucket}`"
    match check.outcome:
        case Enforced(by=Refuser.ENDPOINT):
            why = "the endpoint refuses that version in the handshake, not the policy"
            return f"{bucket} cannot be probed over {over}: {why}"
        case Enforced(by=by, exchanges=exchanges):
            actions = " and ".join(dict.fromkeys(f"`{each.action}`" for each in exchanges))
            refused = f"{by.words} refused {actions}, which it lets in over HTTPS"
            return f"{bucket} refuses {over} {_to(check)}: {refused}{_others(probe, check)}"
        case Open(exchange=exchange):
            return f"{bucket} accepts {over}: `{exchange.action}` was let in — {exchange}"
        case Inconclusive(reasons=reasons):
            return f"{bucket} over {over}: {'; '.join(reasons)}"
        case _:
            assert_never(check.outcome)


def shown_for(check: Check) -> Literal["everyone", "identity", "anonymous"]:
    """Return the callers that the outcome of a check holds for.

    The requests show it for their own identity. The proof of the bucket policy shows it for everyone.
    """
    if isinstance(check.verdict, Proven):
        return "everyone"
    signed = any(each.signer is not Signer.ANONYMOUS for each in check.outcome.exchanges)
    return "identity" if signed else "anonymous"


def _to(check: Check) -> str:
    match shown_for(check):
        case "everyone":
            return "to everyone"
        case "identity":
            return "for this identity"
        case "anonymous":
            return "for requests without a signature"


def _others(probe: Probe, check: Check) -> str:
    """Return why the outcome holds only for this identity; `""` if the policy was judged."""
    if check.verdict is not None:
        return ""
    why = probe.policy_unread or probe.policy_fault
    told = f" ({why})" if why else ""
    return f"; the bucket policy was not judged{told}, so other identities may get in"
