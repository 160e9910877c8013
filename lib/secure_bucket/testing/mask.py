"""Templates without what changes although nobody changed anything: the hashes of assets."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["mask_hashes"]

# The hash of an asset, which is in its name and in what refers to it; and the one of a Lambda function's
# code at the end of the logical id of its version.
_HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])|(?<=CurrentVersion[0-9A-F]{8})[0-9a-f]{32}")
_METADATA = "AWS::CDK::Metadata"


def mask_hashes(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return a template in which each hash of an asset is `<hash>`.

    So is the usage that the AWS CDK counts in `AWS::CDK::Metadata`. Everything else is as it was: two
    templates that differ elsewhere still differ.

    Args:
        template: A CloudFormation template, as a dictionary.
    """
    masked: dict[str, Any] = json.loads(_HASH.sub("<hash>", json.dumps(template)))
    resources = masked.get("Resources")
    for resource in resources.values() if isinstance(resources, dict) else ():
        if isinstance(resource, dict) and resource.get("Type") == _METADATA:
            resource["Properties"] = {"Analytics": "<hash>"}
    return masked
