# ruff: noqa: E501
"""List what AWS documents about each condition key: its type and values, and which requests have it.

One row for each global key and each key of S3, in our own words. The prover, the counterexamples and the page
*Condition keys* of the documentation read these rows, and nothing else.
"""

from __future__ import annotations

from typing import Final

from secure_bucket.policy.condition_key import ConditionKey, Form, Presence, Type
from secure_bucket.policy.pattern import fold
from secure_bucket.policy.principal import Kind

__all__ = ["EARLIEST", "KEYS", "key_of"]

_ACCESS_POINTS: Final = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-restrictions-limitations-naming-rules.html"
"""Access points support only HTTPS, S3 redirects what comes over HTTP, and nobody is anonymous there."""

_CUSTOMER_KEYS: Final = (
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html"
)
"""S3 refuses requests over HTTP that name a key of the customer."""

_SIGNATURES: Final = "https://docs.aws.amazon.com/AmazonS3/latest/API/bucket-policy-s3-sigv4-conditions.html"
"""These keys are about "authenticated requests"."""

EARLIEST: Final = 1_793_491_200
"""The first second of `READ` (in UTC) as epoch time: nobody can send a request at an earlier time any more."""


_SIGNED: Final = (Kind.USER, Kind.ROLE, Kind.ROOT, Kind.FEDERATED)
_TAGGED: Final = (Kind.USER, Kind.ROLE, Kind.FEDERATED)
_ROLE: Final = (Kind.ROLE,)
_MFA: Final = (Kind.USER, Kind.ROLE, Kind.ROOT)
"""Keys about MFA are "not present for federated identities"."""
_BY_SERVICE: Final = (Kind.SERVICE,)
_NAMED: Final = (*_SIGNED, Kind.SERVICE)


# fmt: off
# The Regions of S3 in the partition `aws`, as botocore 1.44.8 lists them in `endpoints.json`.
_REGIONS: Final = (
    "us-east-1", "us-east-2", "us-west-1", "us-west-2", "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1",
    "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2",
    "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1",
    "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1",
    "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1",
)

_ROWS: Final = (
    # Properties of the principal.
    ConditionKey("aws:PrincipalArn", Type.ARN, Presence.PRINCIPAL, Form.ARN, "arn:aws:iam::111122223333:user/alice", kinds=_SIGNED),
    ConditionKey("aws:PrincipalAccount", Type.STRING, Presence.ALWAYS, Form.ACCOUNT, "111122223333", kinds=(*_SIGNED, Kind.ANONYMOUS)),
    ConditionKey("aws:PrincipalOrgPaths", Type.STRING, Presence.CARRIED, Form.ORGANIZATION_PATH, "o-example/r-root/ou-unit/", kinds=_SIGNED, multivalued=True),
    ConditionKey("aws:PrincipalOrgID", Type.STRING, Presence.CARRIED, Form.ORGANIZATION, "o-example", kinds=_SIGNED),
    ConditionKey("aws:PrincipalTag/<key>", Type.STRING, Presence.CARRIED, Form.TAG, kinds=_TAGGED),
    ConditionKey("aws:PrincipalIsAWSService", Type.BOOLEAN, Presence.PRINCIPAL, kinds=(*_SIGNED, Kind.SERVICE)),
    ConditionKey("aws:PrincipalServiceName", Type.STRING, Presence.SERVICE, Form.SERVICE, "delivery.logs.amazonaws.com"),
    ConditionKey("aws:PrincipalServiceNamesList", Type.STRING, Presence.SERVICE, Form.SERVICE, "delivery.logs.amazonaws.com", multivalued=True),
    ConditionKey("aws:PrincipalType", Type.STRING, Presence.ALWAYS, Form.ANY, "User", kinds=(*_SIGNED, Kind.ANONYMOUS)),
    ConditionKey("aws:userid", Type.STRING, Presence.ALWAYS, Form.UNIQUE_ID, "AIDAEXAMPLE"),
    ConditionKey("aws:username", Type.STRING, Presence.PRINCIPAL, Form.ANY, "alice", kinds=(Kind.USER,)),
    # Properties of a role session.
    ConditionKey("aws:AssumedRoot", Type.BOOLEAN, Presence.CARRIED, kinds=(Kind.ROOT,)),
    ConditionKey("aws:FederatedProvider", Type.STRING, Presence.CARRIED, Form.ANY, "cognito-identity.amazonaws.com", kinds=_ROLE),
    ConditionKey("aws:TokenIssueTime", Type.DATE, Presence.CARRIED, kinds=_SIGNED),
    ConditionKey("aws:SignInSessionArn", Type.ARN, Presence.CARRIED, Form.ARN, "arn:aws:signin:us-east-1:111122223333:session/example", kinds=_SIGNED),
    ConditionKey("aws:MultiFactorAuthAge", Type.WHOLE, Presence.CARRIED, kinds=_MFA),
    ConditionKey("aws:MultiFactorAuthPresent", Type.BOOLEAN, Presence.CARRIED, kinds=_MFA),
    ConditionKey("aws:ChatbotSourceArn", Type.ARN, Presence.CARRIED, Form.ARN, "arn:aws:chatbot::111122223333:chat-configuration/example", kinds=_ROLE),
    ConditionKey("aws:Ec2InstanceSourceVpc", Type.STRING, Presence.CARRIED, Form.VPC, "vpc-0example", kinds=_ROLE),
    ConditionKey("aws:Ec2InstanceSourcePrivateIPv4", Type.ADDRESS, Presence.CARRIED, Form.ANY, "10.0.0.7", kinds=_ROLE),
    ConditionKey("aws:SourceIdentity", Type.STRING, Presence.CARRIED, Form.ANY, "alice", kinds=_ROLE),
    ConditionKey("ec2:RoleDelivery", Type.VERSION, Presence.CARRIED, Form.ANY, "2.0", values=("2.0", "1.0"), kinds=_ROLE),
    ConditionKey("ec2:SourceInstanceArn", Type.ARN, Presence.CARRIED, Form.ARN, "arn:aws:ec2:us-east-1:111122223333:instance/i-1", kinds=_ROLE),
    ConditionKey("glue:RoleAssumedBy", Type.STRING, Presence.CARRIED, Form.ANY, "glue.amazonaws.com", values=("glue.amazonaws.com",), kinds=_ROLE),
    ConditionKey("glue:CredentialIssuingService", Type.STRING, Presence.CARRIED, Form.ANY, "glue.amazonaws.com", values=("glue.amazonaws.com",), kinds=_ROLE),
    ConditionKey("codebuild:BuildArn", Type.ARN, Presence.CARRIED, Form.ARN, "arn:aws:codebuild:us-east-1:111122223333:build/app:1", kinds=_ROLE),
    ConditionKey("codebuild:ProjectArn", Type.ARN, Presence.CARRIED, Form.ARN, "arn:aws:codebuild:us-east-1:111122223333:project/app", kinds=_ROLE),
    ConditionKey("lambda:SourceFunctionArn", Type.ARN, Presence.CARRIED, Form.ARN, "arn:aws:lambda:us-east-1:111122223333:function:app", kinds=_ROLE),
    ConditionKey("ssm:SourceInstanceArn", Type.ARN, Presence.CARRIED, Form.ARN, "arn:aws:ec2:us-east-1:111122223333:instance/i-1", kinds=_ROLE),
    ConditionKey("identitystore:UserId", Type.STRING, Presence.CARRIED, Form.ANY, "94482488-3041-7026-18f3-be45837cd0e4", kinds=_ROLE),
    # Properties of the network.
    ConditionKey("aws:SourceIp", Type.ADDRESS, Presence.NETWORK, Form.ANY, "203.0.113.7"),
    ConditionKey("aws:SourceVpc", Type.STRING, Presence.ENDPOINT, Form.VPC, "vpc-0example"),
    ConditionKey("aws:SourceVpcArn", Type.ARN, Presence.ENDPOINT, Form.ARN, "arn:aws:ec2:us-east-1:111122223333:vpc/vpc-0example"),
    ConditionKey("aws:SourceVpce", Type.STRING, Presence.ENDPOINT, Form.ENDPOINT, "vpce-0example"),
    ConditionKey("aws:VpceAccount", Type.STRING, Presence.ENDPOINT, Form.ACCOUNT, "111122223333"),
    ConditionKey("aws:VpceOrgID", Type.STRING, Presence.ENDPOINT, Form.ORGANIZATION, "o-example"),
    ConditionKey("aws:VpceOrgPaths", Type.STRING, Presence.ENDPOINT, Form.ORGANIZATION_PATH, "o-example/r-root/ou-unit/", multivalued=True),
    ConditionKey("aws:VpcSourceIp", Type.ADDRESS, Presence.ENDPOINT, Form.ANY, "203.0.113.7"),
    # Properties of the resource.
    ConditionKey("aws:ResourceAccount", Type.STRING, Presence.ALWAYS, Form.ACCOUNT, "111122223333"),
    ConditionKey("aws:ResourceOrgPaths", Type.STRING, Presence.REQUEST, Form.ORGANIZATION_PATH, "o-example/r-root/ou-unit/", multivalued=True),
    ConditionKey("aws:ResourceOrgID", Type.STRING, Presence.REQUEST, Form.ORGANIZATION, "o-example"),
    ConditionKey("aws:ResourceTag/<key>", Type.STRING, Presence.ACTION, Form.TAG),
    # Properties of the request.
    ConditionKey("aws:CalledVia", Type.STRING, Presence.CARRIED, Form.SERVICE, "athena.amazonaws.com", kinds=_SIGNED, multivalued=True),
    ConditionKey("aws:CalledViaFirst", Type.STRING, Presence.CARRIED, Form.SERVICE, "athena.amazonaws.com", kinds=_SIGNED),
    ConditionKey("aws:CalledViaLast", Type.STRING, Presence.CARRIED, Form.SERVICE, "athena.amazonaws.com", kinds=_SIGNED),
    ConditionKey("aws:ViaAWSService", Type.BOOLEAN, Presence.ALWAYS),
    ConditionKey("aws:CalledViaAWSMCP", Type.STRING, Presence.CARRIED, Form.SERVICE, "aws-mcp.amazonaws.com", kinds=_SIGNED),
    ConditionKey("aws:ViaAWSMCPService", Type.BOOLEAN, Presence.CARRIED, kinds=_SIGNED),
    ConditionKey("aws:CurrentTime", Type.TIME, Presence.ALWAYS),
    ConditionKey("aws:EpochTime", Type.TIME, Presence.ALWAYS),
    ConditionKey("aws:referer", Type.STRING, Presence.REQUEST, Form.ANY, "https://example.com/"),
    ConditionKey("aws:RequestedRegion", Type.STRING, Presence.ALWAYS, Form.ANY, "us-east-1", values=_REGIONS),
    ConditionKey("aws:RequestTag/<key>", Type.STRING, Presence.ACTION, Form.TAG),
    ConditionKey("aws:TagKeys", Type.STRING, Presence.ACTION, Form.ANY, "team", multivalued=True),
    ConditionKey("aws:SecureTransport", Type.BOOLEAN, Presence.ALWAYS),
    ConditionKey("aws:SourceAccount", Type.STRING, Presence.CARRIED, Form.ACCOUNT, "111122223333", kinds=_BY_SERVICE),
    ConditionKey("aws:SourceArn", Type.ARN, Presence.CARRIED, Form.ARN, "arn:aws:sns:us-east-1:111122223333:example", kinds=_BY_SERVICE),
    ConditionKey("aws:SourceOrgID", Type.STRING, Presence.CARRIED, Form.ORGANIZATION, "o-example", kinds=_BY_SERVICE),
    ConditionKey("aws:SourceOrgPaths", Type.STRING, Presence.CARRIED, Form.ORGANIZATION_PATH, "o-example/r-root/ou-unit/", kinds=_BY_SERVICE, multivalued=True),
    ConditionKey("aws:UserAgent", Type.STRING, Presence.ALWAYS, Form.ANY, "curl/8.0"),
    ConditionKey("aws:IsMcpServiceAction", Type.BOOLEAN, Presence.ELSEWHERE),
    # Keys of S3.
    ConditionKey("s3:AccessGrantScope", Type.STRING, Presence.ACTION, Form.ANY, "s3://example/*"),
    ConditionKey("s3:AccessGrantsInstanceArn", Type.ARN, Presence.ACTION, Form.ARN, "arn:aws:s3:us-east-1:111122223333:access-grants/default"),
    ConditionKey("s3:AccessGrantsLocationScope", Type.STRING, Presence.ACTION, Form.ANY, "s3://example/*"),
    ConditionKey("s3:AccessPointNetworkOrigin", Type.STRING, Presence.HTTPS, Form.ANY, "Internet", values=("Internet", "VPC"), kinds=_NAMED, document=_ACCESS_POINTS),
    ConditionKey("s3:AccessPointTag/<key>", Type.STRING, Presence.HTTPS, Form.TAG, kinds=_NAMED, document=_ACCESS_POINTS),
    # The packaged reference lists it for no action. *Enabling ABAC in general purpose buckets* says that requests to
    # a bucket for which ABAC is enabled have the tags of the bucket.
    ConditionKey("s3:BucketTag/<key>", Type.STRING, Presence.REQUEST, Form.TAG, document="https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging-enable-abac.html"),
    ConditionKey("s3:DataAccessPointAccount", Type.STRING, Presence.HTTPS, Form.ACCOUNT, "111122223333", kinds=_NAMED, document=_ACCESS_POINTS),
    ConditionKey("s3:DataAccessPointArn", Type.ARN, Presence.HTTPS, Form.ARN, "arn:aws:s3:us-east-1:111122223333:accesspoint/example", kinds=_NAMED, document=_ACCESS_POINTS),
    ConditionKey("s3:ExistingJobOperation", Type.STRING, Presence.ACTION),
    ConditionKey("s3:ExistingJobPriority", Type.WHOLE, Presence.ACTION),
    ConditionKey("s3:ExistingObjectTag/<key>", Type.STRING, Presence.ACTION, Form.TAG),
    ConditionKey("s3:InventoryAccessibleOptionalFields", Type.STRING, Presence.ACTION, Form.ANY, "Size", multivalued=True),
    ConditionKey("s3:JobSuspendedCause", Type.STRING, Presence.ACTION),
    ConditionKey("s3:ObjectCreationOperation", Type.BOOLEAN, Presence.ACTION),
    ConditionKey("s3:RequestJobOperation", Type.STRING, Presence.ACTION),
    ConditionKey("s3:RequestJobPriority", Type.WHOLE, Presence.ACTION),
    ConditionKey("s3:RequestObjectTag/<key>", Type.STRING, Presence.ACTION, Form.TAG),
    ConditionKey("s3:RequestObjectTagKeys", Type.STRING, Presence.ACTION, Form.ANY, "team", multivalued=True),
    ConditionKey("s3:ResourceAccount", Type.STRING, Presence.ACTION, Form.ACCOUNT, "111122223333"),
    ConditionKey("s3:TlsVersion", Type.VERSION, Presence.TLS, Form.ANY, "1.2"),
    ConditionKey("s3:authType", Type.STRING, Presence.ACTION, Form.ANY, "REST-HEADER", values=("REST-HEADER", "REST-QUERY-STRING", "POST"), kinds=_SIGNED, document=_SIGNATURES),
    ConditionKey("s3:delimiter", Type.STRING, Presence.ACTION, Form.ANY, "/"),
    ConditionKey("s3:destinationRegion", Type.STRING, Presence.ACTION, Form.ANY, "us-east-1", values=_REGIONS),
    ConditionKey("s3:if-match", Type.STRING, Presence.ACTION),
    ConditionKey("s3:if-none-match", Type.STRING, Presence.ACTION),
    ConditionKey("s3:isReplicationPauseRequest", Type.BOOLEAN, Presence.ACTION),
    ConditionKey("s3:locationconstraint", Type.STRING, Presence.ACTION, Form.ANY, "us-east-1", values=_REGIONS),
    ConditionKey("s3:max-keys", Type.WHOLE, Presence.ACTION),
    ConditionKey("s3:object-lock-legal-hold", Type.STRING, Presence.ACTION, Form.ANY, "ON", values=("ON", "OFF")),
    ConditionKey("s3:object-lock-mode", Type.STRING, Presence.ACTION, Form.ANY, "GOVERNANCE", values=("GOVERNANCE", "COMPLIANCE")),
    ConditionKey("s3:object-lock-remaining-retention-days", Type.WHOLE, Presence.ACTION),
    ConditionKey("s3:object-lock-retain-until-date", Type.DATE, Presence.ACTION),
    ConditionKey("s3:prefix", Type.STRING, Presence.ACTION, Form.ANY, "reports/"),
    ConditionKey("s3:signatureAge", Type.WHOLE, Presence.ACTION, kinds=_SIGNED, document=_SIGNATURES),
    ConditionKey("s3:signatureversion", Type.STRING, Presence.ACTION, Form.ANY, "AWS4-HMAC-SHA256", values=("AWS4-HMAC-SHA256", "AWS"), kinds=_SIGNED, document=_SIGNATURES),
    ConditionKey("s3:versionid", Type.STRING, Presence.ACTION),
    ConditionKey("s3:x-amz-acl", Type.STRING, Presence.ACTION, Form.ANY, "private"),
    ConditionKey("s3:x-amz-bucket-namespace", Type.STRING, Presence.ACTION),
    ConditionKey("s3:x-amz-content-sha256", Type.STRING, Presence.ACTION, Form.ANY, "UNSIGNED-PAYLOAD", kinds=_SIGNED, document=_SIGNATURES),
    ConditionKey("s3:x-amz-copy-source", Type.STRING, Presence.ACTION, Form.ANY, "/example/report.csv"),
    ConditionKey("s3:x-amz-grant-full-control", Type.STRING, Presence.ACTION),
    ConditionKey("s3:x-amz-grant-read", Type.STRING, Presence.ACTION),
    ConditionKey("s3:x-amz-grant-read-acp", Type.STRING, Presence.ACTION),
    ConditionKey("s3:x-amz-grant-write", Type.STRING, Presence.ACTION),
    ConditionKey("s3:x-amz-grant-write-acp", Type.STRING, Presence.ACTION),
    ConditionKey("s3:x-amz-metadata-directive", Type.STRING, Presence.ACTION, Form.ANY, "COPY", values=("COPY", "REPLACE")),
    ConditionKey("s3:x-amz-object-ownership", Type.STRING, Presence.ACTION, Form.ANY, "BucketOwnerEnforced"),
    ConditionKey("s3:x-amz-server-side-encryption", Type.STRING, Presence.ACTION, Form.ANY, "AES256"),
    ConditionKey("s3:x-amz-server-side-encryption-aws-kms-key-id", Type.ARN, Presence.ACTION, Form.ARN, "arn:aws:kms:us-east-1:111122223333:key/example"),
    ConditionKey("s3:x-amz-server-side-encryption-customer-algorithm", Type.STRING, Presence.HTTPS, Form.ANY, "AES256", document=_CUSTOMER_KEYS),
    ConditionKey("s3:x-amz-storage-class", Type.STRING, Presence.ACTION, Form.ANY, "STANDARD"),
    ConditionKey("s3:x-amz-website-redirect-location", Type.STRING, Presence.ACTION, Form.ANY, "/example"),
)
# fmt: on

KEYS: Final = {fold(key.name).partition("/")[0]: key for key in _ROWS}
"""The keys, by their name in lower case without the key of a tag."""


def key_of(name: str) -> ConditionKey | None:
    """Return what AWS documents about a key, in any case; `None` when it documents no such key."""
    plain, slash, tag = fold(name).partition("/")
    found = KEYS.get(plain)
    if found is None or ("/" in found.name) != bool(slash and tag):
        return None
    return found
