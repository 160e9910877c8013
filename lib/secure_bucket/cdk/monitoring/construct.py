"""Watch buckets for requests over plain HTTP, and for changes that would allow them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import aws_cdk as cdk
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_config as config
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from secure_bucket.cdk.buckets.log_buckets import SecureLogBucket
from secure_bucket.cdk.buckets.refuse import path_in, refuse
from secure_bucket.cdk.monitoring.alarms import ANSWERED, DENIED, make_alarm, make_dashboard, save_query
from secure_bucket.cdk.monitoring.changes import change_message, watch_policies, watch_trail
from secure_bucket.cdk.monitoring.checks import (
    demand_addresses,
    demand_choice,
    demand_list,
    demand_threshold,
    demand_trail,
    demand_type,
    refuse_for_new_trail,
)
from secure_bucket.cdk.monitoring.compliance import add_remediation, make_rules
from secure_bucket.cdk.monitoring.monitored_buckets import KIND, watch
from secure_bucket.cdk.monitoring.notices import (
    let_alarms_publish,
    make_key,
    make_topic,
    share_key,
    share_key_of_topic,
)
from secure_bucket.cdk.monitoring.recording import (
    extend_trail,
    make_log_bucket,
    make_log_group,
    make_trail,
)

__all__ = ["SecureTransportMonitoring"]


class SecureTransportMonitoring(Construct):
    """Watch buckets for requests over plain HTTP, and for changes that would allow them.

        SecureTransportMonitoring(self, "Monitoring", buckets=[reports], email_addresses=["security@…"])

    It records requests to the buckets with a CloudTrail trail, counts those over plain HTTP, with one alarm
    for denied and one for answered requests, and shows the counts on a dashboard. EventBridge reports changes
    of a bucket policy or of the trail, and new websites; AWS Config judges the policies
    (`S3_BUCKET_SSL_REQUESTS_ONLY`, Security Hub S3.5). It encrypts its data with its own key, its log bucket
    is a `SecureLogBucket`, and its topic refuses plain HTTP. `docs/monitoring.md` lists its limits.

    It also lists the costs: data events, one for each request to the buckets, are the largest part.

    Args:
        scope: The construct it belongs to.
        id: Its id in that scope.
        buckets: The buckets to watch, made here or imported, L1 or L2, in the account and region of this
            stack.
        all_buckets: Whether to watch every present and future bucket of the account in this region instead.
            AWS then bills each request to any of them as a data event.
        trail: A trail of this app that records the requests and delivers to CloudWatch Logs (default: a new
            trail).
        log_group: The log group of a trail outside this app, which must record the S3 data events of the
            buckets. The construct then makes no trail.
        management_events: Which management events a new trail records (default: write events). EventBridge
            reports changes only if a trail of the account records them. Without a new trail, this prop and
            the two retentions raise an error.
        log_group_retention: How long a new log group keeps the events (default: three months).
        log_bucket_retention: How long the log bucket of a new trail keeps the events (default: a year, as PCI
            DSS requires).
        removal_policy: What happens to a new log group, log bucket and key when the stack is deleted
            (default: they stay).
        encryption_key: The key for trail, log group and topic (default: a new key). The construct adds the
            permissions of the services to its policy; an imported key must already have them.
        denied_threshold: The number of denied requests in five minutes that raises an alarm (default: 1).
        answered_threshold: The number of answered requests in five minutes that raises an alarm (default: 1).
        topic: The topic for alarms and changes (default: a new topic). The construct adds the permissions to
            its policy and to that of its key; an imported topic or key must already have them.
        email_addresses: E-mail addresses for notices; each recipient must confirm the subscription.
        alarm_actions: The actions of the alarms in place of the topic; an empty list means no action.
        rule_targets: The targets for changes in place of the topic; an empty list means no EventBridge rules.
        config_rule: What AWS Config judges: with `"buckets"` each watched bucket by its own rule (default),
            with `"account"` every bucket by one rule, with `None` nothing, if a conformance pack or Security
            Hub already has the rule. Without a configuration recorder for `AWS::S3::Bucket` in the account,
            the deployment of a rule fails.
        remediation: Whether Systems Manager adds a missing deny with
            `AWSConfigRemediation-RestrictBucketSSLRequestsOnly`: `"manual"` on request in the console,
            `"automatic"` by itself (default: never). It changes policies outside CloudFormation, which then
            reports drift.
        dashboard: Whether to make a dashboard (default: `True`).

    Attributes:
        trail: The trail, if it is in this app. A new one has advanced event selectors, so its
            `add_event_selector` has no effect.
        log_group: The log group of the events.
        log_bucket: The log bucket of a new trail.
        topic: The topic for alarms and changes, if used.
        encryption_key: The key of the new resources, if they need one.
        answered_alarm: The alarm for requests that S3 answered.
        denied_alarm: The alarm for denied requests.
        change_rules: The EventBridge rules.
        config_rules: The AWS Config rules.
        remediation_role: The role of the runbook.
        dashboard: The dashboard.

    Raises:
        ConstructError: The list of buckets is empty, a bucket is in another account or region, or props
            contradict each other.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        buckets: Sequence[s3.IBucket | s3.CfnBucket] | None = None,
        all_buckets: bool = False,
        trail: cloudtrail.Trail | None = None,
        log_group: logs.ILogGroup | None = None,
        management_events: cloudtrail.ReadWriteType = cloudtrail.ReadWriteType.WRITE_ONLY,
        log_group_retention: logs.RetentionDays = logs.RetentionDays.THREE_MONTHS,
        log_bucket_retention: cdk.Duration | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
        encryption_key: kms.IKey | None = None,
        denied_threshold: int = 1,
        answered_threshold: int = 1,
        topic: sns.ITopic | None = None,
        email_addresses: Sequence[str] = (),
        alarm_actions: Sequence[cloudwatch.IAlarmAction] | None = None,
        rule_targets: Sequence[events.IRuleTarget] | None = None,
        config_rule: Literal["account", "buckets"] | None = "buckets",
        remediation: Literal["automatic", "manual"] | None = None,
        dashboard: bool = True,
    ) -> None:
        path = path_in(scope, id)
        watched = watch(scope, path, buckets, all_buckets)
        demand_threshold(path, "denied_threshold", denied_threshold)
        demand_threshold(path, "answered_threshold", answered_threshold)
        demand_choice(path, "config_rule", config_rule, ("buckets", "account"))
        demand_choice(path, "remediation", remediation, ("manual", "automatic"))
        demand_type(path, "topic", topic, "topic_arn", "an SNS topic")
        demand_type(path, "encryption_key", encryption_key, "key_arn", "a KMS key")
        demand_type(path, "log_group", log_group, "log_group_name", "a log group")
        demand_addresses(path, email_addresses)
        demand_list(
            path,
            "alarm_actions",
            alarm_actions,
            "bind",
            "an alarm action",
            "A topic is one as `cloudwatch_actions.SnsAction(topic)`",
        )
        demand_list(
            path,
            "rule_targets",
            rule_targets,
            "bind",
            "a target of a rule",
            "A topic is one as `targets.SnsTopic(topic)`",
        )
        demand_trail(path, trail, log_group)
        makes_trail = trail is None and log_group is None
        if not makes_trail:
            refuse_for_new_trail(path, management_events, log_group_retention, log_bucket_retention)
        if remediation is not None and config_rule is None:
            refuse(
                KIND,
                path,
                f"`remediation={remediation!r}` fixes what a rule of AWS Config finds, and with "
                "`config_rule=None` no rule exists. Leave out one of them",
            )
        wants_topic = alarm_actions is None or rule_targets is None
        if email_addresses and not wants_topic:
            refuse(
                KIND,
                path,
                "`email_addresses` are told through a topic, and with both `alarm_actions` and "
                "`rule_targets` nothing is sent to one. Leave out one of them",
            )
        super().__init__(scope, id)

        self.encryption_key: kms.IKey | None = None
        self._given_key = encryption_key
        self._removal_policy = removal_policy

        self.topic: sns.ITopic | None = topic
        if topic is None and wants_topic:
            self.topic = make_topic(self, self._key())
        if self.topic is not None and wants_topic:
            let_alarms_publish(self.topic)
            if topic is not None and topic.master_key is not None:
                share_key_of_topic(topic.master_key)
        for address in email_addresses:
            cast(sns.ITopic, self.topic).add_subscription(subscriptions.EmailSubscription(address))
        if alarm_actions is None:
            alarm_actions = [cloudwatch_actions.SnsAction(cast(sns.ITopic, self.topic))]
        if rule_targets is None:
            rule_targets = [targets.SnsTopic(cast(sns.ITopic, self.topic), message=change_message())]

        self.trail: cloudtrail.Trail | None = trail
        self.log_bucket: SecureLogBucket | None = None
        if trail is not None:
            extend_trail(self, path, watched, trail)
        self.log_group: logs.ILogGroup
        if log_group is not None:
            self.log_group = log_group
        elif trail is not None:
            self.log_group = cast(logs.ILogGroup, trail.log_group)
        else:
            key = self._key()
            made = make_log_group(self, key, log_group_retention, removal_policy)
            self.log_group = made
            self.log_bucket = make_log_bucket(
                self, log_bucket_retention or cdk.Duration.days(365), removal_policy
            )
            self.trail = make_trail(
                self,
                path,
                watched,
                bucket=self.log_bucket,
                key=key,
                log_group=made,
                management_events=management_events,
            )

        self.denied_alarm: cloudwatch.Alarm
        self.answered_alarm: cloudwatch.Alarm
        self.denied_alarm, self.answered_alarm = (
            make_alarm(
                self,
                path,
                count,
                watched,
                log_group=self.log_group,
                shared=not makes_trail,
                threshold=threshold,
                actions=alarm_actions,
            )
            for count, threshold in ((DENIED, denied_threshold), (ANSWERED, answered_threshold))
        )
        save_query(self, self.log_group)

        self.change_rules: list[events.Rule] = []
        if rule_targets:
            self.change_rules += watch_policies(self, watched, rule_targets)
            if self.trail is not None:
                self.change_rules.append(watch_trail(self, self.trail, rule_targets))

        self.config_rules: list[config.ManagedRule] = []
        self.remediation_role: iam.Role | None = None
        if config_rule is not None:
            whole_account = config_rule == "account" or all_buckets
            self.config_rules = make_rules(self, watched, whole_account=whole_account)
            if remediation is not None:
                self.remediation_role = add_remediation(
                    self, watched, self.config_rules, mode=remediation, whole_account=whole_account
                )

        self.dashboard: cloudwatch.Dashboard | None = None
        if dashboard:
            self.dashboard = make_dashboard(self, self.answered_alarm, self.denied_alarm)

    def _key(self) -> kms.IKey:
        """Return the key for the new resources; make none without new resources."""
        if self.encryption_key is None:
            self.encryption_key = self._given_key or make_key(self, self._removal_policy)
            share_key(self.encryption_key)
        return self.encryption_key
