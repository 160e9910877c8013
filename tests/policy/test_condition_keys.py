"""The table of condition keys: complete, consistent, and told in the documentation."""

from __future__ import annotations

import importlib.util
import pathlib
import re

import pytest

from secure_bucket.policy.condition_key import ConditionKey, Form, Presence, Type
from secure_bucket.policy.condition_keys import KEYS, key_of
from secure_bucket.policy.principal import Kind
from secure_bucket.policy.s3_actions import ACTIONS, COMMON_KEYS

ROOT = pathlib.Path(__file__).parents[2]
FORMS = {
    Form.ACCOUNT: r"[0-9]{12}",
    Form.ARN: r"arn:aws:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:.+",
    Form.ORGANIZATION: r"o-[a-z0-9]+",
    Form.ORGANIZATION_PATH: r"o-[a-z0-9]+/r-[a-z0-9]+/(ou-[a-z0-9-]+/)*",
    Form.VPC: r"vpc-[0-9a-z]+",
    Form.ENDPOINT: r"vpce-[0-9a-z]+",
    Form.UNIQUE_ID: r"AIDA[A-Z0-9]+",
    Form.SERVICE: r"[a-z.-]+\.amazonaws\.com",
}


def test_every_key_that_aws_lists_for_an_action_of_s3_has_a_row() -> None:
    listed = {key for _, _, own, _ in ACTIONS for key in own.split()} | {*COMMON_KEYS}
    assert [name for name in sorted(listed) if key_of(name) is None] == []


@pytest.mark.parametrize("key", KEYS.values(), ids=lambda key: key.name)
def test_the_example_of_a_key_is_one_of_its_values(key: ConditionKey) -> None:
    if key.type in (Type.STRING, Type.ARN):
        assert re.fullmatch(FORMS.get(key.form, ".+"), key.example)
        assert not key.values or key.example in key.values
    assert (key.type is Type.ARN) == (key.form is Form.ARN)


@pytest.mark.parametrize("key", KEYS.values(), ids=lambda key: key.name)
def test_a_key_that_principals_carry_names_them(key: ConditionKey) -> None:
    if key.presence in (Presence.CARRIED, Presence.PRINCIPAL):
        assert key.kinds
        assert Kind.ANONYMOUS not in key.kinds


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("AWS:SourceVPC", "aws:SourceVpc"),
        ("aws:PrincipalTag/Team", "aws:PrincipalTag/<key>"),
        ("aws:PrincipalTag", None),
        ("aws:PrincipalTag/", None),
        ("aws:SourceVpc/x", None),
        ("aws:SourceVpcs", None),
    ],
)
def test_a_key_is_found_in_any_case_and_only_as_it_is_written(written: str, name: str | None) -> None:
    found = key_of(written)
    assert (found and found.name) == name


def test_the_documentation_has_a_row_for_every_key() -> None:
    path = ROOT / "tools" / "documentation" / "reference.py"
    spec = importlib.util.spec_from_file_location("documentation_reference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = "\n".join(module.condition_keys())
    assert [key.name for key in KEYS.values() if f"| `{key.name}` |" not in page] == []
    assert all(f"[{key.read}]({key.source})" in page for key in KEYS.values())


def test_every_row_names_its_section_of_aws_and_when_it_was_read() -> None:
    for key in KEYS.values():
        assert key.source.startswith("https://docs.aws.amazon.com/")
        assert re.fullmatch(r"20[0-9]{2}-[01][0-9]", key.read)
    others = [key.source for key in KEYS.values() if not key.name.startswith("s3:")]
    assert len(set(others)) == len(others)


@pytest.mark.parametrize("name", ["aws:RequestedRegion", "s3:destinationRegion", "s3:locationconstraint"])
def test_every_listed_region_has_an_endpoint_of_s3(name: str) -> None:
    botocore = pytest.importorskip("botocore.session", reason="botocore lists the Regions")
    listed = botocore.get_session().get_available_regions("s3", partition_name="aws")
    key = key_of(name)
    assert key is not None
    assert len(key.values) >= 34
    assert {*key.values} <= {*listed}
