"""Deny plain HTTP to every bucket of an organization, with a resource control policy."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_organizations as organizations
from constructs import Construct

from secure_bucket.cdk.buckets.refuse import path_in, refuse, shown
from secure_bucket.cdk.buckets.tls import check_tls_version
from secure_bucket.policy.statements import (
    deny_old_tls_anywhere,
    deny_plain_http_anywhere,
    deny_plain_http_to_services,
)
from secure_bucket.proof.claim import ANY_BUCKET, DENIES_HTTP, Claim, denies_tls_below
from secure_bucket.proof.prove import prove
from secure_bucket.proof.verdict import Proven, Verdict
from secure_bucket.values.unknown import Text

__all__ = ["SecureTransportOrganizationPolicy"]

_WHAT = "organization policy"

LIMIT = 5_120
"""The most characters that AWS Organizations takes as a resource control policy."""

OTHER_SERVICES = (
    *("aoss", "cognito-identity", "cognito-idp", "dynamodb", "ecr"),
    *("kms", "logs", "secretsmanager", "sqs", "sts"),
)
"""The services beside S3 in the data perimeter example of AWS, *Restrict access to only HTTPS connections to
your resources* in `aws-samples/resource-control-policy-examples`, commit 21b6c029, read 2026-11-29."""

_TARGET = re.compile(r"r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|[0-9]{12}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# The AWS CDK writes a list whose length only the deployment knows as a list of one such text.
_TOKEN_OF_A_LIST = "#{Token["
# The characters of an S3 tag, without those that IAM reads as a wildcard or a variable.
_TAG = re.compile(r"[\w .:/=+\-@]{1,128}")


class SecureTransportOrganizationPolicy(Construct):
    """Deny plain HTTP to every S3 bucket of the accounts in an organization, however the bucket was made.

    It is a resource control policy (RCP): AWS evaluates it for each request to a bucket of an account below
    its targets, in addition to the bucket policy, and the owner of the bucket cannot change it. The statement
    comes from the RCP examples of AWS, for S3 only.

        SecureTransportOrganizationPolicy(self, "Https", targets=["ou-ab12-34567890"], dry_run=True)

    Deploy it in the management account or a delegated administrator for policies, after you enable resource
    control policies in the organization (CloudFormation cannot). It does not cover

    - the buckets of the management account;
    - requests by service-linked roles, which RCPs do not affect (they do affect AWS service principals);
    - buckets outside the organization, or in accounts that are not below a target.

    It closes website endpoints, as a deny in the bucket policy does.

    Each exception weakens it for good, and is a warning of every synthesis until somebody acknowledges it.
    The construct proves that the document denies plain HTTP for every bucket that no exception names. AWS
    charges nothing for it.

    Args:
        scope: The construct it belongs to.
        id: Its id in that scope.
        targets: The ids of its targets: a root (`r-ab12`), organizational units (`ou-ab12-34567890`) or
            accounts. AWS "strongly recommends" not to begin with the root.
        dry_run: Whether to omit `targets` for now: AWS then validates and stores the policy, which affects
            only `sandbox_targets` (default: `False`).
        sandbox_targets: The ids of targets for a trial (default: none, so that a dry run affects nobody).
        exempt_accounts: Ids of accounts whose buckets may accept plain HTTP.
        exempt_buckets: Names of buckets that may accept plain HTTP. Another account can take the name of a
            deleted bucket: name the account instead if you can.
        exempt_tags: Tags, with one or several values, of buckets that may accept plain HTTP. S3 reads the
            tags of a bucket only if ABAC is enabled for it (`abac_status=True`); otherwise the bucket stays
            closed. A principal that may tag a bucket (`s3:TagResource`) can exempt it.
        minimum_tls_version: A second statement also denies TLS below this version (default: only plain HTTP
            is denied; AWS itself serves no TLS below 1.2). 1.3 locks out AWS PrivateLink for S3 and
            Multi-Region Access Points, which do not support it.
        other_services: Whether a separate statement also denies plain HTTP to KMS, STS, SQS, DynamoDB and six
            other services, as in the example of AWS (default: `False`). It exempts `exempt_accounts` too; the
            other exceptions apply only to buckets.
        name: The name of the policy, unique among the RCPs of the organization (default:
            `deny-plain-http-to-s3`).
        description: Its description in AWS Organizations (default: a sentence on its effect).

    Raises:
        ConstructError: An argument is not valid, the policy is too long, or it is not proven.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        targets: Sequence[str],
        dry_run: bool = False,
        sandbox_targets: Sequence[str] = (),
        exempt_accounts: Sequence[str] = (),
        exempt_buckets: Sequence[str] = (),
        exempt_tags: Mapping[str, str | Sequence[str]] | None = None,
        minimum_tls_version: float | None = None,
        other_services: bool = False,
        name: str = "deny-plain-http-to-s3",
        description: str = "Deny plain HTTP to every S3 bucket",
    ) -> None:
        path = path_in(scope, id)
        _check_length(path, "name", name, 1, 128)
        _check_length(path, "description", description, 0, 512)
        attached = _attached(path, targets, sandbox_targets, dry_run)
        tags = _tags(path, exempt_tags or {})
        _check(path, "exempt_accounts", exempt_accounts, _ACCOUNT, "the id of an account: `111122223333`")
        _check(path, "exempt_buckets", exempt_buckets, _BUCKET, "the name of a bucket, without wildcards")
        if minimum_tls_version is not None:
            minimum_tls_version = check_tls_version(_WHAT, path, minimum_tls_version)
            if cdk.Token.is_unresolved(minimum_tls_version):
                refuse(_WHAT, path, "`minimum_tls_version` is only known at deployment. Write 1.2 or 1.3")

        def document(partition: str) -> dict[str, Any]:
            exceptions: dict[str, Any] = {
                "except_buckets": [f"arn:{partition}:s3:::{bucket}" for bucket in exempt_buckets],
                "except_accounts": exempt_accounts,
                "except_tags": tags,
            }
            statements = [deny_plain_http_anywhere(**exceptions)]
            if minimum_tls_version is not None:
                statements.append(deny_old_tls_anywhere(minimum_tls_version, **exceptions))
            if other_services:
                statements.append(
                    deny_plain_http_to_services(OTHER_SERVICES, except_accounts=exempt_accounts)
                )
            return {"Version": "2012-10-17", "Statement": statements}

        _check_size(path, document("aws-us-gov"))
        known = document("aws")
        claims = [DENIES_HTTP, *([denies_tls_below(minimum_tls_version)] if minimum_tls_version else [])]
        for claim in claims:
            outside = _outside(claim, exempt_accounts, tags)
            verdict = prove(known, outside, bucket_arn=ANY_BUCKET, strict=True)
            if not isinstance(verdict, Proven):
                refuse(_WHAT, path, f"not proven ({verdict!r}); please report it")

        super().__init__(scope, id)
        resources = "resources" if other_services else "buckets"
        self.exceptions: tuple[str, ...] = (
            *(f"the {resources} of account `{account}`" for account in exempt_accounts),
            *(f"the bucket `{bucket}`" for bucket in exempt_buckets),
            *(f"buckets with ABAC and the tag `{tag}={value}`" for tag in tags for value in tags[tag]),
        )
        """The exceptions that may accept plain HTTP, one line each."""
        arn: str | Text = f"arn:aws:s3:::{exempt_buckets[0]}" if exempt_buckets else ANY_BUCKET
        self.verdict: Verdict = prove(known, DENIES_HTTP, bucket_arn=arn, strict=True)
        """Whether plain HTTP is denied for every bucket: `Proven`, or with exceptions `Refuted` by one."""
        self.policy: organizations.CfnPolicy = organizations.CfnPolicy(
            self,
            "Policy",
            content=document(cdk.Aws.PARTITION),
            description=description,
            name=name,
            target_ids=attached,
            type="RESOURCE_CONTROL_POLICY",
        )
        """The policy, as CloudFormation has it; `policy.attr_id` is its id in AWS Organizations."""
        if self.exceptions:
            cdk.Annotations.of(self).add_warning_v2(
                "organization-policy:exceptions",
                f"`{path}` lets plain HTTP through to {', '.join(self.exceptions)}",
            )


def _attached(path: str, targets: object, sandbox: object, dry_run: bool) -> list[str]:
    what = "a root (`r-ab12`), an organizational unit (`ou-ab12-34567890`) or an account (`111122223333`)"
    wanted = _check(path, "targets", targets, _TARGET, what, tokens=True)
    tried = _check(path, "sandbox_targets", sandbox, _TARGET, what, tokens=True)
    if not wanted and not dry_run:
        refuse(_WHAT, path, "`targets=[]` attaches it to nothing. Name a target, or set `dry_run=True`")
    return list(dict.fromkeys([*tried, *([] if dry_run else wanted)]))


def _tags(path: str, tags: object) -> dict[str, Sequence[str]]:
    if not isinstance(tags, Mapping):
        refuse(
            _WHAT,
            path,
            f"`exempt_tags={shown(tags)}` is not a dictionary. Write `{{'plain-http': 'allowed'}}`",
        )
    names = [tag.lower() for tag in tags if isinstance(tag, str)]
    for tag in tags:
        # The names of condition keys ignore case, so one document cannot hold both.
        if isinstance(tag, str) and names.count(tag.lower()) > 1:
            refuse(
                _WHAT, path, f"`exempt_tags` holds `{tag}` in two spellings. Keep one, with all its values"
            )
    found: dict[str, Sequence[str]] = {}
    what = "text of a tag: letters, digits, spaces and `. : / = + - @ _`"
    for tag, value in tags.items():
        values = [value] if isinstance(value, str) else value
        _check(path, "exempt_tags", [tag], _TAG, what)
        found[tag] = _check(path, f"exempt_tags[{tag!r}]", values, _TAG, what)
        if not values:
            refuse(_WHAT, path, f"`exempt_tags[{tag!r}]` has no value. Name one, or leave the tag out")
    return found


def _check(
    path: str, name: str, values: object, form: re.Pattern[str], what: str, *, tokens: bool = False
) -> Sequence[str]:
    """Return the values of a prop if each of them is valid."""
    if isinstance(values, str) or not isinstance(values, Sequence):
        refuse(_WHAT, path, f"`{name}={shown(values)}` is not a list. Put it into one")
    for value in values:
        if isinstance(value, str) and form.fullmatch(value):
            continue
        if isinstance(value, str) and (cdk.Token.is_unresolved(value) or value.startswith(_TOKEN_OF_A_LIST)):
            if tokens and not value.startswith(_TOKEN_OF_A_LIST):
                continue
            refuse(_WHAT, path, f"`{name}` holds what only the deployment knows. Write down {what}")
        if not isinstance(value, str):
            refuse(
                _WHAT, path, f"`{name}` holds `{shown(value)}`, which is not text. Write, in quotes, {what}"
            )
        refuse(_WHAT, path, f"`{name}` holds `{value}`. Write {what}")
    return values


def _check_length(path: str, name: str, value: object, least: int, most: int) -> None:
    if not isinstance(value, str):
        refuse(_WHAT, path, f"`{name}={shown(value)}` is not text")
    if not (least <= len(value) <= most or cdk.Token.is_unresolved(value)):
        refuse(
            _WHAT,
            path,
            f"`{name}` has {len(value)} characters, and AWS Organizations takes {least} to {most}",
        )


def _check_size(path: str, document: dict[str, Any]) -> None:
    size = len(json.dumps(document, separators=(",", ":"), ensure_ascii=False))
    if size > LIMIT:
        refuse(
            _WHAT,
            path,
            f"the policy has {size:,} characters, and AWS Organizations takes {LIMIT:,}. Exempt accounts "
            "or a tag instead of many buckets",
        )


def _outside(claim: Claim, accounts: Sequence[str], tags: Mapping[str, Sequence[str]]) -> Claim:
    """Return the same claim about the buckets that no exception names."""
    fixed = dict(claim.fixed)
    if accounts:
        fixed["aws:resourceaccount"] = "another account"
    for tag, values in tags.items():
        fixed[f"s3:buckettag/{tag.lower()}"] = f"none of {', '.join(values)}"
    return Claim(claim.words, fixed, claim.tls_below, claim.tls_absent)
