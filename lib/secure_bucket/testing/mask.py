"""Mask the hashes of assets in templates, which change without a change in the app."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["mask_hashes"]

# The hash of an asset in its name and in references to it, and the hash of the code of a Lambda function at
# the end of the logical id of its version.
_HASH = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])|(?<=CurrentVersion[0-9A-F]{8})[0-9a-f]{32}")
_METADATA = "AWS::CDK::Metadata"


def mask_hashes(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return a template in which each hash of an asset is `<hash>`.

    It also masks the usage data in `AWS::CDK::Metadata`, and changes nothing else: two templates that differ
    elsewhere still differ.

    Args:
        template: A CloudFormation template, as a dictionary.
    """
    masked: dict[str, Any] = json.loads(_HASH.sub("<hash>", json.dumps(template)))
    resources = masked.get("Resources")
    for resource in resources.values() if isinstance(resources, dict) else ():
        if isinstance(resource, dict) and resource.get("Type") == _METADATA:
            resource["Properties"] = {"Analytics": "<hash>"}
    return masked
