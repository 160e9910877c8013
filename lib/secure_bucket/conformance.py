"""The conformance pack of AWS Config, as the text that any way of rolling it out takes."""

from __future__ import annotations

from secure_bucket.detection import CONFIG_RULE, RULE_DESCRIPTION

__all__ = ["conformance_pack"]

_PACK = f"""\
Resources:
  S3BucketSslRequestsOnly:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: s3-bucket-ssl-requests-only
      Description: "{RULE_DESCRIPTION}"
      Scope:
        ComplianceResourceTypes:
          - AWS::S3::Bucket
      Source:
        Owner: AWS
        SourceIdentifier: {CONFIG_RULE}
"""


def conformance_pack() -> str:
    """Write the conformance pack that demands the deny of every bucket, as YAML.

    It holds the managed rule `S3_BUCKET_SSL_REQUESTS_ONLY`, after *Custom Conformance Pack* in the AWS Config
    Developer Guide. In an app `SecureTransportConformancePack` deploys it; without one

        python -c "import secure_bucket; print(secure_bucket.conformance_pack(), end='')" > pack.yaml
        aws configservice put-conformance-pack --conformance-pack-name https-only \\
            --template-body file://pack.yaml

    The rule looks for the statement that AWS documents. A policy that denies plain HTTP in other words is
    flagged by it.

    Returns:
        The template body.
    """
    return _PACK
