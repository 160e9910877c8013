"""Run `secure-bucket probe`: send requests to live buckets over HTTPS and plain HTTP, and compare."""

from __future__ import annotations

import argparse
import json

from secure_bucket.cli.arguments.common import refuse_empty
from secure_bucket.cli.codes import COULD_NOT_RUN, PROVEN, REFUTED, UNDECIDED
from secure_bucket.cli.delivery import deliver_document, reports_of, run_of
from secure_bucket.cli.output import Progress, to_stderr, to_stdout
from secure_bucket.cli.sessions import access_of, partition_of
from secure_bucket.errors import SecureBucketError
from secure_bucket.operations.aws.errors import LiveError, LiveTrouble
from secure_bucket.operations.aws.session import Access, Session, open_session
from secure_bucket.operations.probe.permissions import permissions_of
from secure_bucket.operations.probe.probe import EndpointLayout, Probe, Signer, Transport, probe_bucket
from secure_bucket.operations.probe.probed_bucket import parse_bucket_name
from secure_bucket.operations.probe.results import ProbeFault, Probes

__all__ = ["run"]

_SIGNERS = {None: Signer.ANONYMOUS, "narrowed": Signer.NARROWED, "own": Signer.OWN}


def run(arguments: argparse.Namespace) -> int:
    """Probe the buckets and write the reports.

    Returns:
        The exit code.

    Raises:
        SecureBucketError: If the probe cannot run.
    """
    reports = reports_of(arguments.reports)
    transports = _transports(arguments)
    names = tuple(dict.fromkeys(map(parse_bucket_name, arguments.buckets)))
    access = access_of(arguments)
    refuse_empty(key=arguments.keys)
    if arguments.show_permissions:
        to_stdout(_permissions(arguments, access, names, transports))
        return PROVEN
    probes = _probe(arguments, open_session(access), names, transports)
    code = _exit_code(probes)
    run = run_of(_words(arguments, transports), code)
    faults, notes = map(str, probes.faults), (probes.summary(),)
    deliver_document(probes, "probe", reports, arguments, run, faults=faults, notes=notes)
    return code


def _transports(arguments: argparse.Namespace) -> tuple[Transport, ...]:
    old = [Transport.of_tls(version) for version in sorted(set(arguments.tls))]
    if arguments.no_http and not old:
        raise SecureBucketError("--no-http leaves no request to send: give --tls VERSION as well")
    return (*(() if arguments.no_http else (Transport.HTTP,)), *old)


def _probe(
    arguments: argparse.Namespace, session: Session, names: tuple[str, ...], transports: tuple[Transport, ...]
) -> Probes:
    layout = EndpointLayout(
        arguments.http_endpoint_url,
        arguments.path_style,
        arguments.dual_stack,
        arguments.fips,
        arguments.accelerate,
    )
    probes: list[Probe] = []
    faults: list[ProbeFault] = []
    with Progress(len(names), shown=not arguments.quiet, what="probed") as progress:
        for done, name in enumerate(names):
            progress(done)
            try:
                probe = probe_bucket(
                    name,
                    session=session,
                    transports=transports,
                    keys=arguments.keys,
                    sign_http=_SIGNERS[arguments.sign_http],
                    layout=layout,
                    policy_check=arguments.policy_check,
                    strict=arguments.strict,
                    timeout=arguments.timeout,
                )
            except LiveError as error:
                if not probes and error.trouble in (LiveTrouble.CREDENTIALS, LiveTrouble.EXPIRED):
                    # The other buckets would fail for the same reason.
                    raise
                faults.append(ProbeFault(name, str(error)))
                continue
            probes.append(probe)
            if probe.policy_fault:
                faults.append(ProbeFault(name, probe.policy_fault))
    return Probes(tuple(probes), tuple(faults))


def _exit_code(probes: Probes) -> int:
    if probes.faults:
        return COULD_NOT_RUN
    if probes.refuted:
        return REFUTED
    return UNDECIDED if probes.unsettled or not probes.checks else PROVEN


def _words(arguments: argparse.Namespace, transports: tuple[Transport, ...]) -> tuple[tuple[str, str], ...]:
    return (
        ("sign-http", arguments.sign_http or "nothing"),
        ("transports", ", ".join(transport.value for transport in transports)),
        ("policy-check", {True: "yes", False: "no", None: "if permitted"}[arguments.policy_check]),
        ("strict", "yes" if arguments.strict else "no"),
    )


def _permissions(
    arguments: argparse.Namespace,
    access: Access,
    names: tuple[str, ...],
    transports: tuple[Transport, ...],
) -> str:
    policy = permissions_of(
        names,
        partition=partition_of(access),
        keys=arguments.keys,
        sign_http=_SIGNERS[arguments.sign_http],
        signed_tls=any(transport.tls for transport in transports),
        policy_check=arguments.policy_check is not False,
        role_arn=arguments.role_arn,
    )
    if not policy.get("Role", policy)["Statement"]:
        to_stderr("secure-bucket: no request is signed: no permission is needed")
    return json.dumps(policy, indent=2) + "\n"
