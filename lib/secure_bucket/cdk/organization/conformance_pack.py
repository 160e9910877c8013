"""Deploy the conformance pack of AWS Config in an account or an organization."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_config as config
from constructs import Construct

from secure_bucket.cdk.buckets.refuse import path_in
from secure_bucket.cdk.organization.config_rule import accounts, name_of
from secure_bucket.conformance import conformance_pack

__all__ = ["SecureTransportConformancePack", "SecureTransportOrganizationConformancePack"]


class SecureTransportConformancePack(Construct):
    """Have AWS Config judge every bucket of this account and region, as a conformance pack.

        SecureTransportConformancePack(self, "HttpsOnly")

    It contains the managed rule `S3_BUCKET_SSL_REQUESTS_ONLY`, behind Security Hub S3.5, as
    `secure_bucket.conformance_pack()` writes it. Unlike a single rule, it cannot be changed in the account,
    and has one result for the whole pack. The account needs a configuration recorder that records
    `AWS::S3::Bucket`, and the service-linked role of AWS Config for conformance packs, which AWS Config makes
    with the first pack.

    AWS bills each evaluation: see *What it costs* in `docs/monitoring.md`.

    Args:
        scope: The construct it belongs to.
        id: Its id in that scope.
        conformance_pack_name: The name of the pack (default: a generated name).

    Raises:
        ConstructError: The name is not valid.
    """

    def __init__(self, scope: Construct, id: str, *, conformance_pack_name: str | None = None) -> None:
        super().__init__(scope, id)
        self.pack: config.CfnConformancePack = config.CfnConformancePack(
            self,
            "Resource",
            conformance_pack_name=name_of(
                self, "conformance pack", "conformance_pack_name", conformance_pack_name, 256
            ),
            template_body=conformance_pack(),
        )


class SecureTransportOrganizationConformancePack(Construct):
    """Have AWS Config judge every bucket of an organization, as a conformance pack.

        SecureTransportOrganizationConformancePack(self, "HttpsOnly", excluded_accounts=["111122223333"])

    It is `SecureTransportConformancePack` in every account of the organization, in the region of this
    stack. Deploy it in the management account or a delegated administrator of AWS Config, with trusted
    access for `config-multiaccountsetup.amazonaws.com` switched on. Each account needs a configuration
    recorder that records `AWS::S3::Bucket`; the deployment fails for accounts without one that are not
    excluded.

    AWS bills each evaluation: see *What it costs* in `docs/monitoring.md`.

    Args:
        scope: The construct it belongs to.
        id: Its id in that scope.
        conformance_pack_name: The name of the pack (default: a generated name).
        excluded_accounts: The ids of accounts to leave out.

    Raises:
        ConstructError: The name or an account id is not valid.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        conformance_pack_name: str | None = None,
        excluded_accounts: Sequence[str] = (),
    ) -> None:
        kind = "organization conformance pack"
        excluded = accounts(kind, path_in(scope, id), excluded_accounts)
        super().__init__(scope, id)
        self.pack: config.CfnOrganizationConformancePack = config.CfnOrganizationConformancePack(
            self,
            "Resource",
            excluded_accounts=excluded,
            organization_conformance_pack_name=name_of(
                self, kind, "conformance_pack_name", conformance_pack_name, 128
            ),
            template_body=conformance_pack(),
        )
