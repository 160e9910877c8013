"""Write the conformance pack of AWS Config as text, for any way to deploy it."""

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
    """Write the conformance pack that demands the deny on every bucket, as YAML.

    It holds the managed rule `S3_BUCKET_SSL_REQUESTS_ONLY`, after *Custom Conformance Pack* in the AWS Config
    Developer Guide. `SecureTransportConformancePack` deploys it from a CDK app; without an app, run

        python -c "import secure_bucket; print(secure_bucket.conformance_pack(), end='')" > pack.yaml
        aws configservice put-conformance-pack --conformance-pack-name https-only \\
            --template-body file://pack.yaml

    The rule looks for the statement that AWS documents. It flags a policy that denies plain HTTP in another
    way.

    Returns:
        The template body.
    """
    return _PACK
