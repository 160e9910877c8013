"""The rule of AWS Config as a conformance pack and as an organization rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
import yaml
from aws_cdk.assertions import Template
from constructs import Construct

from secure_bucket import (
    ConstructError,
    SecureTransportConformancePack,
    SecureTransportOrganizationConformancePack,
    SecureTransportOrganizationRule,
    conformance_pack,
)


@pytest.fixture
def stack() -> cdk.Stack:
    return cdk.Stack(cdk.App(), "Top")


def one(stack: cdk.Stack, type: str) -> dict[str, Any]:
    (resource,) = Template.from_stack(stack).find_resources(type).values()
    found: dict[str, Any] = resource["Properties"]
    return found


def test_the_pack_is_a_template_with_the_managed_rule() -> None:
    document = yaml.safe_load(conformance_pack())
    (rule,) = document["Resources"].values()
    assert rule["Type"] == "AWS::Config::ConfigRule"
    properties = rule["Properties"]
    assert properties["Source"] == {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_SSL_REQUESTS_ONLY"}
    assert properties["Scope"] == {"ComplianceResourceTypes": ["AWS::S3::Bucket"]}
    assert "Security Hub S3.5" in properties["Description"]
    # The limits of AWS Config.
    assert len(properties["Description"]) <= 256
    assert len(conformance_pack()) <= 51_200


def test_both_packs_deploy_that_text(stack: cdk.Stack) -> None:
    SecureTransportConformancePack(stack, "Here")
    SecureTransportOrganizationConformancePack(stack, "Everywhere", excluded_accounts=["111122223333"])
    here = one(stack, "AWS::Config::ConformancePack")
    everywhere = one(stack, "AWS::Config::OrganizationConformancePack")
    assert here["TemplateBody"] == everywhere["TemplateBody"] == conformance_pack()
    assert everywhere["ExcludedAccounts"] == ["111122223333"]


def test_the_organization_rule_is_the_managed_one(stack: cdk.Stack) -> None:
    SecureTransportOrganizationRule(stack, "Rule")
    rule = one(stack, "AWS::Config::OrganizationConfigRule")
    metadata = rule["OrganizationManagedRuleMetadata"]
    assert metadata["RuleIdentifier"] == "S3_BUCKET_SSL_REQUESTS_ONLY"
    assert metadata["ResourceTypesScope"] == ["AWS::S3::Bucket"]
    assert "Security Hub S3.5" in metadata["Description"]
    assert "ExcludedAccounts" not in rule


def test_each_has_a_name_of_its_own_that_aws_config_takes(stack: cdk.Stack) -> None:
    deep = Construct(stack, "A" * 120)
    names = set()
    for id in ("One", "Two"):
        SecureTransportOrganizationRule(deep, id)
    for rule in Template.from_stack(stack).find_resources("AWS::Config::OrganizationConfigRule").values():
        names.add(rule["Properties"]["OrganizationConfigRuleName"])
    assert len(names) == 2
    assert all(len(name) <= 64 for name in names)


def test_a_name_may_be_given(stack: cdk.Stack) -> None:
    SecureTransportConformancePack(stack, "Pack", conformance_pack_name="https-only")
    assert one(stack, "AWS::Config::ConformancePack")["ConformancePackName"] == "https-only"


WRONG: dict[str, tuple[Callable[[cdk.Stack], object], str]] = {
    "a name with blanks": (
        lambda stack: SecureTransportConformancePack(stack, "P", conformance_pack_name="https only"),
        "conformance pack `Top/P`: `conformance_pack_name='https only'` is not a name for AWS Config",
    ),
    "no name at all": (
        lambda stack: SecureTransportConformancePack(stack, "P", conformance_pack_name=""),
        "Use at most 256 letters, digits and hyphens, with a letter first",
    ),
    "a name that is too long": (
        lambda stack: SecureTransportOrganizationRule(stack, "P", rule_name="x" * 65),
        "Use at most 64 letters",
    ),
    "a text and no list": (
        lambda stack: SecureTransportOrganizationRule(stack, "P", excluded_accounts="111122223333"),
        "organization rule `Top/P`: `excluded_accounts` is a text. Write a list: `['111122223333']`",
    ),
    "a number": (
        lambda stack: SecureTransportOrganizationConformancePack(
            stack,
            "P",
            excluded_accounts=[111122223333],  # type: ignore[list-item]
        ),
        "`excluded_accounts` holds 111122223333, which is not the id of an account",
    ),
    "a short id": (
        lambda stack: SecureTransportOrganizationRule(stack, "P", excluded_accounts=["1111"]),
        "`excluded_accounts` holds '1111', which is not the id of an account",
    ),
    "too many": (
        lambda stack: SecureTransportOrganizationRule(
            stack, "P", excluded_accounts=[f"{number:012}" for number in range(1001)]
        ),
        "`excluded_accounts` holds 1001; AWS Config takes 1000",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_aws_config_would_refuse_is_refused(stack: cdk.Stack, case: str) -> None:
    make, words = WRONG[case]
    with pytest.raises(ConstructError) as error:
        make(stack)
    assert words in str(error.value)
