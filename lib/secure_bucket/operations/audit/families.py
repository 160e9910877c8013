"""Tell what to change in a client so that it uses HTTPS, by its user agent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from secure_bucket.operations.audit.audit import ClientGroup, Trouble

__all__ = ["FAMILIES", "FIND_OWNER", "Family", "advice", "changes", "family_of"]


class Family(Struct, frozen=True):
    """Clients that are changed in the same way.

    Args:
        name: What they are called.
        pattern: A regular expression that their user agents hold.
        cause: How they come to speak plain HTTP.
        before: The line or setting that makes them do so.
        after: The line or setting in its place.
        check: How to see that it worked.
        document: The address of the document that this rests on.
        tls: The version that speaks TLS 1.2, for clients whose TLS is too old.
    """

    name: str
    pattern: str
    cause: str
    before: str
    after: str
    check: str
    document: str
    tls: str = ""


FIND_OWNER: Final = (
    "no known client: find its owner by the requester (the role or user, and the owner of its account), by "
    "the address (a NAT gateway, a VPC endpoint, a company) and by CloudTrail events with the same access "
    "key, and ask for the URL or the setting that begins with `http://`"
)
"""What to do about a user agent of no family."""

_ENDPOINT: Final = "an endpoint that begins with `http://`"
_URL: Final = "a URL that begins with `http://`"
_DEBUG: Final = "its debug log names `https://` URLs alone"
_AUDIT: Final = "a new audit does not name it"
_OPENSSL: Final = "OpenSSL 1.0.1"
_JAVA: Final = "Java 8"
_AWS: Final = "https://docs.aws.amazon.com/"

# INVARIANT: the first one that fits counts, so clients that name the SDK that they use come before it. The
# settings are those of the documents named, as known in 2026-11; those of vendors' loaders and of devices are
# inferred. The tests run the clients that they can get.
FAMILIES: Final = (
    Family(
        "CloudFront in front of the bucket",
        r"^Amazon CloudFront",
        "CloudFront asks S3 with the protocol of the viewer, and viewers may use plain HTTP",
        "ViewerProtocolPolicy: allow-all",
        "ViewerProtocolPolicy: redirect-to-https",
        "`curl -I http://DOMAIN/` answers 301",
        f"{_AWS}AmazonCloudFront/latest/DeveloperGuide/using-https-cloudfront-to-s3-origin.html",
    ),
    Family(
        "Trino and Presto",
        r"(?i)\b(trino|presto)",
        "the S3 file system without TLS",
        "s3.endpoint=http://s3.REGION.amazonaws.com (hive.s3.ssl.enabled=false)",
        "s3.endpoint=https://s3.REGION.amazonaws.com (hive.s3.ssl.enabled=true)",
        _AUDIT,
        "https://trino.io/docs/current/object-storage/file-system-s3.html",
        _JAVA,
    ),
    Family(
        "Spark",
        r"(?i)\bspark\b",
        "the S3A file system without TLS",
        "spark.hadoop.fs.s3a.connection.ssl.enabled=false",
        "spark.hadoop.fs.s3a.connection.ssl.enabled=true, and no `http://` in spark.hadoop.fs.s3a.endpoint",
        _AUDIT,
        "https://spark.apache.org/docs/latest/cloud-integration.html",
        _JAVA,
    ),
    Family(
        "Hadoop S3A and EMRFS",
        r"(?i)\b(hadoop|s3a\b|emrfs|ElasticMapReduce)",
        "the S3A file system without TLS",
        "fs.s3a.connection.ssl.enabled=false",
        "fs.s3a.connection.ssl.enabled=true, and no `http://` in fs.s3a.endpoint",
        _AUDIT,
        "https://hadoop.apache.org/docs/stable/hadoop-aws/tools/hadoop-aws/index.html",
        _JAVA,
    ),
    Family(
        "Snowflake",
        r"(?i)snowflake",
        "an external stage on an endpoint without TLS",
        "the endpoint of the stage, over `http://`",
        "CREATE STAGE … URL = 's3://BUCKET/PATH/', which uses HTTPS",
        _AUDIT,
        "https://docs.snowflake.com/en/user-guide/data-load-s3-create-stage",
    ),
    Family(
        "other vendors' loaders",
        r"(?i)(fivetran|stitch|airbyte|databricks|splunk|logstash|fluent-?bit|fluentd"
        r"|vector/|cribl|matillion|talend|informatica|nifi|datadog|newrelic|veeam|commvault|APN/1\.0)",
        _ENDPOINT,
        "endpoint: http://s3.REGION.amazonaws.com",
        "endpoint: https://s3.REGION.amazonaws.com",
        _AUDIT,
        f"{_AWS}general/latest/gr/s3.html",
    ),
    Family(
        "MinIO client and SDKs",
        r"(?i)\bminio",
        "an alias or a client without TLS",
        "mc alias set NAME http://…; Minio(…, secure=False)",
        "mc alias set NAME https://…; Minio(…, secure=True)",
        "`mc --debug ls NAME` shows `https`",
        "https://docs.min.io/community/minio-object-store/reference/minio-mc/mc-alias-set.html",
        "Go 1.2",
    ),
    Family(
        "rclone",
        r"(?i)^rclone/",
        _ENDPOINT,
        "endpoint = http://s3.REGION.amazonaws.com",
        "endpoint = https://s3.REGION.amazonaws.com, or no endpoint",
        "`rclone -vv --dump headers ls REMOTE:`",
        "https://rclone.org/s3/",
        "Go 1.2",
    ),
    Family(
        "s3fs",
        r"(?i)^s3fs/",
        "a URL without TLS",
        "-o url=http://s3.amazonaws.com",
        "-o url=https://s3.amazonaws.com, or no url",
        "`s3fs -f -o dbglevel=info` logs `https`",
        "https://github.com/s3fs-fuse/s3fs-fuse/blob/master/doc/man/s3fs.1.in",
        _OPENSSL,
    ),
    Family(
        "s3cmd",
        r"(?i)\bs3cmd",
        "HTTPS is switched off in `~/.s3cfg`",
        "use_https = False",
        "use_https = True",
        "`s3cmd --debug ls` shows `https`",
        "https://s3tools.org/usage",
        "Python 2.7.9",
    ),
    Family(
        "Mountpoint for Amazon S3",
        r"(?i)mountpoint-s3",
        _ENDPOINT,
        "mount-s3 --endpoint-url http://…",
        "mount-s3 BUCKET DIRECTORY",
        _DEBUG,
        "https://github.com/awslabs/mountpoint-s3/blob/main/doc/CONFIGURATION.md",
    ),
    Family(
        "AWS CLI",
        r"(?i)\baws-cli/",
        "an endpoint in the command, in AWS_ENDPOINT_URL or in `~/.aws/config`",
        "aws s3 ls --endpoint-url http://s3.REGION.amazonaws.com",
        "aws s3 ls --region REGION",
        "`aws s3 ls --debug` shows `https`",
        f"{_AWS}cli/latest/userguide/cli-configure-endpoints.html",
        "version 2, or Python 2.7.9",
    ),
    Family(
        "boto3 and botocore",
        r"(?i)\b(boto3|botocore|aiobotocore)\b",
        "`use_ssl=False`, or an endpoint in the code, in AWS_ENDPOINT_URL or in `~/.aws/config`",
        'boto3.client("s3", use_ssl=False)',
        'boto3.client("s3")',
        '`boto3.set_stream_logger("")` shows `https`',
        "https://docs.aws.amazon.com/boto3/latest/reference/core/session.html",
        "Python 2.7.9 or 3.4",
    ),
    Family(
        "boto 2",
        r"(?i)^boto/",
        "`is_secure=False`",
        "boto.connect_s3(is_secure=False)",
        "boto.connect_s3(), or boto3",
        _DEBUG,
        "https://boto.readthedocs.io/en/latest/ref/s3.html",
        "Python 2.7.9",
    ),
    Family(
        "AWS SDK for Java 2",
        r"(?i)aws-sdk-java/2",
        "an endpoint override",
        'endpointOverride(URI.create("http://…"))',
        "region(Region.of(…))",
        _DEBUG,
        f"{_AWS}sdk-for-java/latest/developer-guide/region-selection.html",
        _JAVA,
    ),
    Family(
        "AWS SDK for Java 1",
        r"(?i)aws-sdk-java",
        "the protocol of the client's configuration",
        "withProtocol(Protocol.HTTP)",
        "withProtocol(Protocol.HTTPS), which is the default",
        _DEBUG,
        f"{_AWS}AWSJavaSDK/latest/javadoc/com/amazonaws/ClientConfiguration.html",
        _JAVA,
    ),
    Family(
        "AWS SDK for JavaScript 3",
        r"(?i)aws-sdk-js/3",
        _ENDPOINT,
        'new S3Client({endpoint: "http://…"})',
        "new S3Client({region})",
        _DEBUG,
        f"{_AWS}sdk-for-javascript/v3/developer-guide/setting-region.html",
        "Node.js 0.12",
    ),
    Family(
        "AWS SDK for JavaScript 2",
        r"(?i)aws-sdk-(nodejs|js|react)",
        "TLS is switched off",
        "new AWS.S3({sslEnabled: false})",
        "new AWS.S3()",
        _DEBUG,
        f"{_AWS}AWSJavaScriptSDK/latest/AWS/Config.html",
        "Node.js 0.12",
    ),
    Family(
        "AWS SDK for Go 2",
        r"(?i)aws-sdk-go-v2",
        "HTTPS is switched off",
        "o.EndpointOptions.DisableHTTPS = true",
        "s3.NewFromConfig(cfg)",
        _DEBUG,
        f"{_AWS}sdk-for-go/v2/developer-guide/configure-endpoints.html",
        "Go 1.2",
    ),
    Family(
        "AWS SDK for Go 1",
        r"(?i)aws-sdk-go",
        "TLS is switched off",
        "&aws.Config{DisableSSL: aws.Bool(true)}",
        "&aws.Config{}",
        _DEBUG,
        f"{_AWS}sdk-for-go/api/aws/",
        "Go 1.2",
    ),
    Family(
        "AWS SDK for .NET and Tools for PowerShell",
        r"(?i)(aws-sdk-dotnet|AWSPowerShell)",
        "HTTP is switched on, or a service URL",
        "new AmazonS3Config { UseHttp = true }",
        "new AmazonS3Config { RegionEndpoint = … }",
        _DEBUG,
        f"{_AWS}sdkfornet/v3/apidocs/items/Runtime/TClientConfig.html",
        ".NET Framework 4.6.2",
    ),
    Family(
        "AWS SDK for PHP",
        r"(?i)aws-sdk-php",
        "the scheme of the client",
        "new S3Client(['scheme' => 'http'])",
        "new S3Client([…])",
        _DEBUG,
        f"{_AWS}sdk-for-php/v3/developer-guide/guide_configuration.html",
        f"PHP 5.5.19 and {_OPENSSL}",
    ),
    Family(
        "AWS SDK for Ruby",
        r"(?i)aws-sdk-ruby",
        _ENDPOINT,
        "Aws::S3::Client.new(endpoint: 'http://…')",
        "Aws::S3::Client.new(region: …)",
        "`http_wire_trace: true` shows port 443",
        f"{_AWS}sdk-for-ruby/v3/api/Aws/S3/Client.html",
        f"Ruby 2.0 and {_OPENSSL}",
    ),
    Family(
        "AWS SDK for C++",
        r"(?i)aws-sdk-cpp",
        "the scheme of the client",
        "config.scheme = Aws::Http::Scheme::HTTP",
        "config.scheme = Aws::Http::Scheme::HTTPS",
        _DEBUG,
        f"{_AWS}sdk-for-cpp/latest/developer-guide/client-config.html",
        _OPENSSL,
    ),
    Family(
        "AWS SDKs for Rust, Kotlin and Swift",
        r"(?i)aws-sdk-(rust|kotlin|swift)|^aws-sdk-",
        _ENDPOINT,
        '.endpoint_url("http://…")',
        "no endpoint, but a region",
        _DEBUG,
        f"{_AWS}sdkref/latest/guide/feature-ss-endpoints.html",
    ),
    Family(
        "desktop clients",
        r"(?i)(cyberduck|S3 ?Browser|cloudberry|winscp|filezilla|transmit|expandrive)",
        "a connection without TLS",
        "a connection of the kind S3 (HTTP)",
        "a connection of the kind S3 (HTTPS)",
        _AUDIT,
        "https://docs.cyberduck.io/protocols/s3/",
    ),
    Family(
        "apt, yum and dnf",
        r"(?i)(APT-HTTP|libdnf|urlgrabber|\byum\b|zypp)",
        "a source of packages without TLS",
        "deb http://BUCKET.s3.REGION.amazonaws.com/ …",
        "deb https://BUCKET.s3.REGION.amazonaws.com/ …",
        "`apt update` or `dnf makecache` lists `https`",
        "https://manpages.debian.org/stable/apt/apt-transport-https.1.en.html",
    ),
    Family(
        "curl",
        r"(?i)\b(lib)?curl/",
        _URL,
        "curl http://BUCKET.s3.REGION.amazonaws.com/KEY",
        "curl --proto =https https://…",
        "`curl -v` shows `SSL connection`",
        "https://curl.se/docs/manpage.html",
        f"curl 7.34 with {_OPENSSL}",
    ),
    Family(
        "Wget",
        r"(?i)^wget/",
        _URL,
        "wget http://BUCKET.s3.REGION.amazonaws.com/KEY",
        "wget https://…",
        "`wget -d` shows port 443",
        "https://www.gnu.org/software/wget/manual/wget.html",
        f"Wget 1.16 with {_OPENSSL}",
    ),
    Family(
        "Python without an SDK",
        r"(?i)(python-requests|python-urllib3?|python-httpx|aiohttp|^python/)",
        _URL,
        'requests.get("http://…")',
        'requests.get("https://…")',
        _AUDIT,
        "https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification",
        "Python 2.7.9 or 3.4",
    ),
    Family(
        "Java without an SDK",
        r"(?i)(^java/|apache-httpclient|okhttp|dalvik)",
        _URL,
        'URI.create("http://…")',
        'URI.create("https://…")',
        _AUDIT,
        "https://docs.oracle.com/en/java/javase/21/security/java-secure-socket-extension-jsse-reference-guide.html",
        f"{_JAVA}, or Android 5",
    ),
    Family(
        "Go without an SDK",
        r"(?i)^go-http-client",
        _URL,
        'http.Get("http://…")',
        'http.Get("https://…")',
        _AUDIT,
        "https://pkg.go.dev/net/http",
        "Go 1.2",
    ),
    Family(
        "Node.js without an SDK",
        r"(?i)(^axios|node-fetch|undici|^got\b|^node$)",
        _URL,
        'fetch("http://…")',
        'fetch("https://…")',
        _AUDIT,
        "https://nodejs.org/api/globals.html#fetch",
        "Node.js 0.12",
    ),
    Family(
        "media players and devices",
        r"(?i)(ESP32|ESP8266|lwip|roku|\bVLC|libvlc|lavf/|stagefright|AppleCoreMedia|CFNetwork|kodi|smart-?tv|arduino)",
        "a URL in the firmware or in a playlist",
        "http://BUCKET.s3.REGION.amazonaws.com/KEY",
        "https://BUCKET.s3.REGION.amazonaws.com/KEY; a device without TLS needs a gateway that has it",
        _AUDIT,
        f"{_AWS}AmazonS3/latest/userguide/VirtualHosting.html",
        "TLS 1.2 in the firmware, or iOS 5",
    ),
    Family(
        "browsers, through links",
        r"(?i)^(mozilla|opera)/",
        "a link in a page, a mail or a document",
        '<a href="http://BUCKET.s3.amazonaws.com/KEY">',
        '<a href="https://BUCKET.s3.amazonaws.com/KEY">',
        "the referrer in the access log no longer comes up",
        f"{_AWS}AmazonS3/latest/userguide/VirtualHosting.html",
        "Firefox 27, Chrome 30, Safari 7, Edge",
    ),
)
"""The families of clients, each with what to change."""

_COMPILED: Final = tuple((re.compile(each.pattern), each) for each in FAMILIES)


def family_of(user_agent: str) -> Family | None:
    """Return the family of a client; `None` if no family is known.

    Args:
        user_agent: What the log names as the user agent. CloudTrail puts brackets around it.
    """
    text = user_agent.strip("[] ")
    return next((family for pattern, family in _COMPILED if pattern.search(text)), None)


def advice(user_agent: str, *, old_tls: bool = False) -> str:
    """Return what to change in a client, as a sentence.

    Args:
        user_agent: What the log names as the user agent.
        old_tls: Whether it spoke TLS that is too old, and not plain HTTP (default: False).
    """
    family = family_of(user_agent)
    if family is None:
        return FIND_OWNER
    if old_tls:
        needed = family.tls or "a current version of the client and its TLS library"
        return f"{family.name}: needs {needed} or newer for TLS 1.2 ({family.document})"
    return (
        f"{family.name}: {family.cause}; change `{family.before}` to `{family.after}`; done when "
        f"{family.check} ({family.document})"
    )


def changes(groups: Iterable[ClientGroup]) -> dict[str, int]:
    """Return what to change in the clients that break, each with its requests, the busiest first.

    Args:
        groups: The groups of an audit. Those without a user agent are left out.
    """
    found: Counter[str] = Counter()
    for group in groups:
        if group.trouble is Trouble.BREAKS and group.user_agent is not None:
            found[advice(group.user_agent, old_tls=group.transport.startswith("tls"))] += group.requests
    return dict(found.most_common())
