"""Events of CloudTrail as they arrive, one for each way in which a request can look like plain HTTP, or not.

They are written after the examples in *CloudTrail log file entries for Amazon S3* and *CloudTrail record
contents*, with the account numbers and addresses that are kept for documentation.
"""

from __future__ import annotations

import copy
from typing import Any

__all__ = ["ANSWERED", "BUCKET", "DENIED", "NEITHER", "api_call_event"]

BUCKET = "amzn-s3-demo-reports"

_HTTPS: dict[str, Any] = {
    "eventVersion": "1.11",
    "userIdentity": {
        "type": "IAMUser",
        "principalId": "AIDAEXAMPLE0000000001",
        "arn": "arn:aws:iam::111122223333:user/reporter",
        "accountId": "111122223333",
        "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "userName": "reporter",
    },
    "eventTime": "2026-11-03T08:15:30Z",
    "eventSource": "s3.amazonaws.com",
    "eventName": "GetObject",
    "awsRegion": "eu-central-1",
    "sourceIPAddress": "192.0.2.44",
    "userAgent": "[curl/8.5.0]",
    "requestParameters": {
        "bucketName": BUCKET,
        "Host": f"{BUCKET}.s3.eu-central-1.amazonaws.com",
        "key": "2026/november.csv",
    },
    "responseElements": None,
    "additionalEventData": {
        "SignatureVersion": "SigV4",
        "CipherSuite": "TLS_AES_128_GCM_SHA256",
        "bytesTransferredIn": 0,
        "AuthenticationMethod": "AuthHeader",
        "x-amz-id-2": "example",
        "bytesTransferredOut": 512,
    },
    "requestID": "EXAMPLE0REQUEST1",
    "eventID": "00000000-0000-4000-8000-000000000001",
    "readOnly": True,
    "resources": [
        {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{BUCKET}/2026/november.csv"},
        {"accountId": "111122223333", "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{BUCKET}"},
    ],
    "eventType": "AwsApiCall",
    "managementEvent": False,
    "recipientAccountId": "111122223333",
    "eventCategory": "Data",
    "tlsDetails": {
        "tlsVersion": "TLSv1.3",
        "cipherSuite": "TLS_AES_128_GCM_SHA256",
        "clientProvidedHostHeader": f"{BUCKET}.s3.eu-central-1.amazonaws.com",
    },
}

_GONE = object()


def _changed(event: dict[str, Any], **changes: object) -> dict[str, Any]:
    """An event that differs; `a__b` is the field `b` of `a`, and `_GONE` takes a field away."""
    changed = copy.deepcopy(event)
    for path, value in changes.items():
        *parents, name = path.split("__")
        place = changed
        for parent in parents:
            place = place[parent]
        if value is _GONE:
            del place[name]
        else:
            place[name] = value
    return changed


_HTTP = _changed(_HTTPS, tlsDetails=_GONE, additionalEventData__CipherSuite=_GONE)

_REFUSED = {
    "errorCode": "AccessDenied",
    "errorMessage": "User is not authorized to perform: s3:GetObject with an explicit deny in a "
    "resource-based policy",
}

_ANONYMOUS = {"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}

_BY_SERVICE = {"type": "AWSService", "invokedBy": "delivery.logs.amazonaws.com"}

_FORWARDED = {**_HTTPS["userIdentity"], "invokedBy": "athena.amazonaws.com"}

DENIED: dict[str, dict[str, Any]] = {
    "a GET": _changed(_HTTP, **_REFUSED),
    "nobody in particular": _changed(_HTTP, userIdentity=_ANONYMOUS, **_REFUSED),
    "an upload": _changed(_HTTP, eventName="PutObject", readOnly=False, **_REFUSED),
    "a listing": _changed(_HTTP, eventName="ListObjects", **_REFUSED),
    "through a VPC endpoint": _changed(
        _HTTP, vpcEndpointId="vpce-0example", sourceIPAddress="10.0.4.7", **_REFUSED
    ),
    "of another account, which sees nothing else": _changed(
        _HTTP, userIdentity__accountId="444455556666", sharedEventID="example", **_REFUSED
    ),
    "details of TLS that are null": _changed(_HTTP, tlsDetails=None, **_REFUSED),
    "no additional data": _changed(_HTTP, additionalEventData=_GONE, **_REFUSED),
    "a call about the bucket": _changed(
        _HTTP,
        eventName="PutBucketPolicy",
        eventCategory="Management",
        managementEvent=True,
        readOnly=False,
        **_REFUSED,
    ),
}
"""Plain HTTP, and refused."""

ANSWERED: dict[str, dict[str, Any]] = {
    "a GET": _HTTP,
    "nobody in particular": _changed(_HTTP, userIdentity=_ANONYMOUS),
    "an upload": _changed(_HTTP, eventName="PutObject", readOnly=False),
    "a key that is not there": _changed(_HTTP, errorCode="NoSuchKey", errorMessage="no such key"),
    "through a VPC endpoint": _changed(_HTTP, vpcEndpointId="vpce-0example", sourceIPAddress="10.0.4.7"),
    "a signature of another day": _changed(_HTTP, errorCode="RequestTimeTooSkewed"),
    "a signature that is wrong": _changed(_HTTP, errorCode="SignatureDoesNotMatch"),
    "a bucket that is elsewhere": _changed(_HTTP, errorCode="PermanentRedirect"),
    "a condition that does not hold": _changed(_HTTP, errorCode="PreconditionFailed"),
    "a cipher suite that is a dash": _changed(_HTTP, additionalEventData__CipherSuite="-"),
    "details of TLS that are dashes": _changed(
        _HTTP, tlsDetails={"tlsVersion": "-", "cipherSuite": "-", "clientProvidedHostHeader": "s3"}
    ),
    "the host alone": _changed(_HTTP, tlsDetails={"clientProvidedHostHeader": "s3.amazonaws.com"}),
    "no additional data, and allowed": _changed(_HTTP, additionalEventData=_GONE),
    "as events of 2019 are": _changed(
        _HTTP,
        eventVersion="1.05",
        requestParameters__host=["s3.amazonaws.com"],
        additionalEventData__vpcEndpointId="vpce-0example",
        vpcEndpointId="vpce-0example",
        eventCategory=_GONE,
    ),
    "through an access point": _changed(
        _HTTP,
        resources=[
            {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{BUCKET}/2026/november.csv"},
            {"accountId": "111122223333", "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{BUCKET}"},
            {"type": "AWS::S3::AccessPoint", "ARN": "arn:aws:s3:eu-central-1:111122223333:accesspoint/a"},
        ],
    ),
    "over IPv6": _changed(_HTTP, sourceIPAddress="2001:db8::17"),
}
"""Plain HTTP, and let in."""

NEITHER: dict[str, dict[str, Any]] = {
    "HTTPS": _HTTPS,
    "HTTPS, denied": _changed(_HTTPS, **_REFUSED),
    "HTTPS, a key that is not there": _changed(_HTTPS, errorCode="NoSuchKey"),
    "TLS 1.0, which is another matter": _changed(_HTTPS, tlsDetails__tlsVersion="TLSv1", **_REFUSED),
    "only the version is known": _changed(
        _HTTPS, tlsDetails={"tlsVersion": "TLSv1.2"}, additionalEventData__CipherSuite=_GONE
    ),
    "only the cipher suite is known": _changed(
        _HTTPS, tlsDetails={"cipherSuite": "example"}, additionalEventData__CipherSuite=_GONE
    ),
    "an old event, which tells the cipher suite elsewhere": _changed(
        _HTTPS, eventVersion="1.05", tlsDetails=_GONE
    ),
    "a service by itself": _changed(
        _HTTP, userIdentity=_BY_SERVICE, sourceIPAddress="delivery.logs.amazonaws.com"
    ),
    "a service for somebody": _changed(
        _HTTP, userIdentity=_FORWARDED, sourceIPAddress="athena.amazonaws.com"
    ),
    "a service for somebody, denied": _changed(
        _HTTP, userIdentity=_FORWARDED, sourceIPAddress="athena.amazonaws.com", **_REFUSED
    ),
    "a service for somebody, from his address": _changed(_HTTP, userIdentity=_FORWARDED),
    "a service that is known by its address only": _changed(_HTTP, sourceIPAddress="config.amazonaws.com"),
    "within AWS": _changed(_HTTP, sourceIPAddress="AWS Internal"),
    "the console": _changed(_HTTP, sessionCredentialFromConsole="true", **_REFUSED),
    "another service": _changed(_HTTP, eventSource="dynamodb.amazonaws.com", eventName="GetItem", **_REFUSED),
    "a directory bucket": _changed(_HTTP, eventSource="s3express.amazonaws.com"),
    "the console, through a proxy, allowed": _changed(_HTTP, sessionCredentialFromConsole="true"),
    "the console, and an external client": _changed(_HTTPS, sessionCredentialFromConsole="true"),
    "an event of the service": _changed(_HTTP, eventType="AwsServiceEvent"),
    "network activity": _changed(
        _HTTP, eventType="AwsVpceEvent", eventCategory="NetworkActivity", errorCode="VpceAccessDenied"
    ),
    "an insight": {
        "eventVersion": "1.07",
        "eventTime": "2026-11-03T08:20:00Z",
        "awsRegion": "eu-central-1",
        "eventID": "00000000-0000-4000-8000-000000000002",
        "eventType": "AwsCloudTrailInsight",
        "recipientAccountId": "111122223333",
        "insightDetails": {
            "state": "Start",
            "eventSource": "s3.amazonaws.com",
            "eventName": "PutBucketPolicy",
            "insightType": "ApiCallRateInsight",
        },
        "eventCategory": "Insight",
    },
}
"""Whatever else arrives."""


def api_call_event(source: str, name: str, parameters: dict[str, Any], **changes: object) -> dict[str, Any]:
    """A call as EventBridge hands it on: the event of CloudTrail, with an envelope around it."""
    detail = _changed(
        _HTTPS,
        eventSource=f"{source}.amazonaws.com",
        eventName=name,
        requestParameters=parameters,
        eventCategory="Management",
        managementEvent=True,
        readOnly=False,
        **changes,
    )
    return {
        "version": "0",
        "id": "00000000-0000-4000-8000-000000000003",
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{source}",
        "account": "111122223333",
        "time": "2026-11-03T08:15:31Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": detail,
    }
