"""Type the props of `s3.Bucket` for editors and type checkers.

A test compares the names and types with those of `aws_cdk.aws_s3.Bucket`, and fails when a CDK release adds
or changes a prop. Only type checkers read them, so an older CDK without one of the props still works.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from secure_bucket.cdk.buckets.mfa import BucketMfa

__all__ = ["BucketProps", "SecureBucketProps"]


class BucketProps(TypedDict, total=False):
    """Every prop of `s3.Bucket`, as the AWS CDK documents it."""

    abac_status: bool | None
    access_control: s3.BucketAccessControl | None
    auto_delete_objects: bool | None
    blocked_encryption_types: Sequence[s3.BlockedEncryptionType] | None
    block_public_access: s3.BlockPublicAccess | None
    bucket_key_enabled: bool | None
    bucket_name: str | None
    bucket_name_prefix: str | None
    bucket_namespace: s3.BucketNamespace | None
    cors: Sequence[s3.CorsRule | dict[str, Any]] | None
    encryption: s3.BucketEncryption | None
    encryption_key: kms.IKey | None
    enforce_ssl: bool | None
    event_bridge_enabled: bool | None
    intelligent_tiering_configurations: Sequence[s3.IntelligentTieringConfiguration | dict[str, Any]] | None
    inventories: Sequence[s3.Inventory | dict[str, Any]] | None
    lifecycle_rules: Sequence[s3.LifecycleRule | dict[str, Any]] | None
    metrics: Sequence[s3.BucketMetrics | dict[str, Any]] | None
    minimum_tls_version: float | None
    notifications_handler_role: iam.IRole | None
    notifications_skip_destination_validation: bool | None
    object_lock_default_retention: s3.ObjectLockRetention | None
    object_lock_enabled: bool | None
    object_ownership: s3.ObjectOwnership | None
    public_read_access: bool | None
    removal_policy: cdk.RemovalPolicy | None
    replication_role: iam.IRole | None
    replication_rules: Sequence[s3.ReplicationRule | dict[str, Any]] | None
    server_access_logs_bucket: s3.IBucket | None
    server_access_logs_prefix: str | None
    target_object_key_format: s3.TargetObjectKeyFormat | None
    transfer_acceleration: bool | None
    transition_default_minimum_object_size: s3.TransitionDefaultMinimumObjectSize | None
    versioned: bool | None
    website_error_document: str | None
    website_index_document: str | None
    website_redirect: s3.RedirectTarget | dict[str, Any] | None
    website_routing_rules: Sequence[s3.RoutingRule | dict[str, Any]] | None


class SecureBucketProps(BucketProps, total=False):
    """Every prop of `s3.Bucket`, and those of `SecureBucket`, which documents the differences."""

    mfa: BucketMfa | bool | None
