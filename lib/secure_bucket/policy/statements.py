"""The deny statements, written down once, as plain data.

For one bucket they are the forms that AWS documents: *Restrict access to only HTTPS requests* and *Require
a specific TLS version* in the S3 User Guide's example bucket policies. Two statements on purpose:
conditions in one statement are ANDed, so the two tests in one statement would deny next to nothing. The
same holds for the two statements about MFA (IAM User Guide, *MFA-protected API access*).

For every bucket of an organization they are the form of the resource control policies that AWS publishes
(*Restrict access to only HTTPS connections to your resources*), for S3 alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "MINIMUM_TLS_VERSION",
    "deny_old_mfa",
    "deny_old_tls",
    "deny_old_tls_anywhere",
    "deny_plain_http",
    "deny_plain_http_anywhere",
    "deny_plain_http_to_services",
    "deny_without_mfa",
]

MINIMUM_TLS_VERSION = 1.2
"""The oldest TLS version that AWS itself still accepts, since February 2024."""


def deny_plain_http(bucket_arn: object) -> dict[str, Any]:
    """Write the statement that denies every request over plain HTTP.

    Args:
        bucket_arn: The ARN of the bucket, in any partition: a string, or an intrinsic function of a
            CloudFormation template as `{"Fn::GetAtt": ["Reports", "Arn"]}`.

    Returns:
        A new statement; change it as you like.
    """
    return _deny("DenyPlainHttp", bucket_arn, {"Bool": {"aws:SecureTransport": "false"}})


def deny_old_tls(bucket_arn: object, version: float = MINIMUM_TLS_VERSION) -> dict[str, Any]:
    """Write the statement that denies every request over a TLS version below `version`.

    It says nothing about plain HTTP: it is an addition to `deny_plain_http`, never a substitute.

    Args:
        bucket_arn: As for `deny_plain_http`.
        version: The lowest version to accept (default: 1.2).

    Returns:
        A new statement; change it as you like.
    """
    return _deny("DenyOldTls", bucket_arn, {"NumericLessThan": {"s3:TlsVersion": version}})


def deny_without_mfa(
    bucket_arn: object,
    actions: Sequence[str],
    *,
    except_principals: Sequence[object] = (),
    except_services: Sequence[str] = (),
) -> dict[str, Any]:
    """Write the statement that denies actions to everybody who has not authenticated with MFA.

    A request with a long-lived access key carries no `aws:MultiFactorAuthPresent` at all, so that `Bool`
    would let it through. `BoolIfExists` also matches where the key is absent.

    Args:
        bucket_arn: As for `deny_plain_http`.
        actions: The actions that need MFA, as `s3:DeleteObject`.
        except_principals: ARN patterns of the users and roles that do not need it. An anonymous request has
            no ARN, and is denied.
        except_services: AWS services that do not need it, as `delivery.logs.amazonaws.com`.

    Returns:
        A new statement; change it as you like.
    """
    test = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    condition = {**test, **_unless(except_principals, except_services)}
    return {**_deny("DenyWithoutMfa", bucket_arn, condition), "Action": list(actions)}


def deny_old_mfa(
    bucket_arn: object,
    actions: Sequence[str],
    max_age: int,
    *,
    except_principals: Sequence[object] = (),
    except_services: Sequence[str] = (),
) -> dict[str, Any]:
    """Write the statement that denies actions to everybody who authenticated with MFA too long ago.

    Args:
        bucket_arn: As for `deny_plain_http`.
        actions: As for `deny_without_mfa`.
        max_age: The seconds since the authentication that are still let through.
        except_principals: As for `deny_without_mfa`.
        except_services: As for `deny_without_mfa`.

    Returns:
        A new statement; change it as you like.
    """
    # The form of *S3 Bucket access, but production bucket denied without recent MFA* in the IAM User Guide:
    # it matches where the age is absent, too.
    test = {"NumericGreaterThanIfExists": {"aws:MultiFactorAuthAge": max_age}}
    condition = {**test, **_unless(except_principals, except_services)}
    return {**_deny("DenyOldMfa", bucket_arn, condition), "Action": list(actions)}


def deny_plain_http_anywhere(
    *,
    except_buckets: Sequence[str] = (),
    except_accounts: Sequence[str] = (),
    except_tags: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Write the statement of a resource control policy that denies plain HTTP to every bucket.

    Args:
        except_buckets: The ARNs of buckets that it leaves out, with their objects.
        except_accounts: The ids of the accounts whose buckets it leaves out.
        except_tags: The tags of buckets that it leaves out, with the values of each; one match is enough. A
            bucket on which S3 does not evaluate tags is not left out.

    Returns:
        A new statement; change it as you like.
    """
    test = {"BoolIfExists": {"aws:SecureTransport": "false"}}
    return _deny_anywhere("DenyPlainHttp", test, except_buckets, except_accounts, except_tags or {})


def deny_plain_http_to_services(
    services: Sequence[str], *, except_accounts: Sequence[str] = ()
) -> dict[str, Any]:
    """Write the statement of a resource control policy that denies plain HTTP to other services than S3.

    Args:
        services: The services, by the prefix of their actions.
        except_accounts: The ids of the accounts whose resources it leaves out.

    Returns:
        A new statement; change it as you like.
    """
    test = {"BoolIfExists": {"aws:SecureTransport": "false"}}
    actions = [f"{service}:*" for service in services]
    return {
        **_deny_anywhere("DenyPlainHttpToServices", test, (), except_accounts, {}),
        "Action": actions,
    }


def deny_old_tls_anywhere(
    version: float,
    *,
    except_buckets: Sequence[str] = (),
    except_accounts: Sequence[str] = (),
    except_tags: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Write the statement of a resource control policy that denies TLS below `version` to every bucket.

    Args:
        version: The lowest version to let in.
        except_buckets: As for `deny_plain_http_anywhere`.
        except_accounts: As for `deny_plain_http_anywhere`.
        except_tags: As for `deny_plain_http_anywhere`.

    Returns:
        A new statement; change it as you like.
    """
    test = {"NumericLessThan": {"s3:TlsVersion": version}}
    return _deny_anywhere("DenyOldTls", test, except_buckets, except_accounts, except_tags or {})


def _deny(sid: str, bucket_arn: object, condition: dict[str, Any]) -> dict[str, Any]:
    objects: object = f"{bucket_arn}/*"
    if not isinstance(bucket_arn, str):
        objects = {"Fn::Join": ["", [bucket_arn, "/*"]]}
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket_arn, objects],
        "Condition": condition,
    }


def _unless(principals: Sequence[object], services: Sequence[str]) -> dict[str, Any]:
    """The conditions that leave somebody out; both also hold for a request without the key."""
    condition: dict[str, Any] = {}
    if principals:
        condition["ArnNotLike"] = {"aws:PrincipalArn": list(principals)}
    if services:
        condition["StringNotEquals"] = {"aws:PrincipalServiceName": list(services)}
    return condition


def _deny_anywhere(
    sid: str,
    test: dict[str, Any],
    buckets: Sequence[str],
    accounts: Sequence[str],
    tags: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    resource: dict[str, Any] = {"Resource": "*"}
    if buckets:
        resource = {"NotResource": [arn for bucket in buckets for arn in (bucket, f"{bucket}/*")]}
    # Conditions are ANDed, and a negated one also holds where the key is absent: what is left out is what an
    # exception names, and nothing else.
    others: dict[str, Any] = {}
    if accounts:
        others["aws:ResourceAccount"] = list(accounts)
    for tag, values in tags.items():
        # The tags of the bucket, for its objects too. `aws:ResourceTag` would be those of an access point
        # when a request comes through one (S3 User Guide, *Using tags with S3 general purpose buckets*).
        others[f"s3:BucketTag/{tag}"] = list(values)
    unless = {"StringNotEquals": others} if others else {}
    # A resource control policy takes no other principal than everyone.
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        **resource,
        "Condition": {**test, **unless},
    }
