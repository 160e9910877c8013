"""Prove that a bucket policy denies plain HTTP, or show the request that gets through."""

from secure_bucket.proof.claim import DENIES_HTTP, Claim, denies_tls_below
from secure_bucket.proof.prove import prove, prove_denies_http, prove_minimum_tls
from secure_bucket.proof.verdict import Proven, Refuted, Undecided, Verdict

__all__ = [
    "DENIES_HTTP",
    "Claim",
    "Proven",
    "Refuted",
    "Undecided",
    "Verdict",
    "denies_tls_below",
    "prove",
    "prove_denies_http",
    "prove_minimum_tls",
]
