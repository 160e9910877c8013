"""Deploy the managed rule of AWS Config in all accounts of an organization."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_config as config
from constructs import Construct

from secure_bucket.cdk.buckets.refuse import path_in, refuse, shown
from secure_bucket.detection import CONFIG_RULE, RULE_DESCRIPTION

__all__ = ["SecureTransportOrganizationRule", "accounts", "name_of"]

_MOST_ACCOUNTS = 1000


class SecureTransportOrganizationRule(Construct):
    """Have AWS Config judge every bucket of an organization: does its policy deny plain HTTP?

        SecureTransportOrganizationRule(self, "HttpsOnly")

    It is the managed rule `S3_BUCKET_SSL_REQUESTS_ONLY`, behind Security Hub S3.5, as an organization rule:
    AWS Config makes it in every account, in the region of this stack, and the members cannot change it.
    Deploy it in the management account or a delegated administrator of AWS Config, with trusted access for
    `config-multiaccountsetup.amazonaws.com` switched on. Each account needs a configuration recorder that
    records `AWS::S3::Bucket`; the deployment fails for accounts without one that are not excluded.

    AWS bills each evaluation: see *What it costs* in `docs/monitoring.md`.

    Args:
        scope: The construct it belongs to.
        id: Its id in that scope.
        rule_name: The name of the rule in every account (default: a generated name).
        excluded_accounts: The ids of accounts to leave out.

    Raises:
        ConstructError: The name or an account id is not valid.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        rule_name: str | None = None,
        excluded_accounts: Sequence[str] = (),
    ) -> None:
        kind, path = "organization rule", path_in(scope, id)
        excluded = accounts(kind, path, excluded_accounts)
        super().__init__(scope, id)
        self.rule: config.CfnOrganizationConfigRule = config.CfnOrganizationConfigRule(
            self,
            "Resource",
            excluded_accounts=excluded,
            organization_config_rule_name=name_of(self, kind, "rule_name", rule_name, 64),
            organization_managed_rule_metadata=(
                config.CfnOrganizationConfigRule.OrganizationManagedRuleMetadataProperty(
                    description=RULE_DESCRIPTION,
                    resource_types_scope=["AWS::S3::Bucket"],
                    rule_identifier=CONFIG_RULE,
                )
            ),
        )


def accounts(kind: str, path: str, given: Sequence[str]) -> list[str] | None:
    """Check the ids of accounts; return `None` for an empty list.

    Raises:
        ConstructError: An item is not an account id, or the list is too long.
    """
    if isinstance(given, str):
        refuse(kind, path, f"`excluded_accounts` is a text. Write a list: `[{given!r}]`")
    for account in cast("Sequence[object]", given):
        if not isinstance(account, str) or not (
            re.fullmatch(r"[0-9]{12}", account) or cdk.Token.is_unresolved(account)
        ):
            refuse(
                kind,
                path,
                f"`excluded_accounts` holds {shown(account)}, which is not the id of an account. Write its "
                'twelve digits as a text: `"111122223333"`',
            )
    if len(given) > _MOST_ACCOUNTS:
        refuse(kind, path, f"`excluded_accounts` holds {len(given)}; AWS Config takes {_MOST_ACCOUNTS}")
    return list(given) or None


def name_of(scope: Construct, kind: str, prop: str, given: str | None, longest: int) -> str:
    """Return the given name, or generate a unique one.

    Raises:
        ConstructError: AWS Config does not accept the name.
    """
    if given is None:
        prefix = "https-only-"
        unique = cdk.Names.unique_resource_name(scope, max_length=longest - len(prefix), separator="-")
        return prefix + unique
    if not cdk.Token.is_unresolved(given) and not re.fullmatch(
        rf"[A-Za-z][-A-Za-z0-9]{{0,{longest - 1}}}", given
    ):
        refuse(
            kind,
            scope.node.path,
            f"`{prop}={shown(given)}` is not a name for AWS Config. Use at most {longest} letters, digits "
            "and hyphens, with a letter first",
        )
    return given
