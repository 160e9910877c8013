"""Print the settings in force, from the command line or else the settings file."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import asdict

from secure_bucket.cli.codes import PROVEN
from secure_bucket.cli.config import ConfiguredException, config_of
from secure_bucket.cli.frame import baseline_of, claim_of
from secure_bucket.cli.output import to_stdout
from secure_bucket.cli.selection import selection_of

__all__ = ["show_settings"]


def show_settings(arguments: argparse.Namespace) -> int:
    """Print the settings in force as a settings file, and return the exit code.

    Raises:
        SecureBucketError: If the arguments contradict each other, or the settings cannot be read.
    """
    config = config_of(arguments)
    claim, selection = claim_of(arguments, config), selection_of(arguments, config)
    settings = {
        "paths": tuple(arguments.paths) or config.paths or (".",),
        "exclude": (*config.exclude, *arguments.exclude),
        "select": sorted(selection.select),
        "ignore": sorted(selection.ignore),
        "undecided": arguments.undecided or config.undecided or "error",
        "strict": claim.strict,
        "minimum-tls": claim.minimum_tls,
        "baseline": baseline_of(arguments, config.baseline),
        "jobs": arguments.jobs or config.jobs,
    }
    source = f"`{config.file}` and the command line" if config.file else "the command line; no settings file"
    lines = [f"# from {source}", *_members(settings)]
    for exception in config.exceptions:
        lines += ["", "[[exceptions]]", *_members(_written(exception))]
    to_stdout("".join(f"{line}\n" for line in lines))
    return PROVEN


def _written(exception: ConfiguredException) -> Mapping[str, Any]:
    return {name.replace("_", "-"): value for name, value in asdict(exception).items()}


def _members(table: Mapping[str, Any]) -> Iterator[str]:
    for name, value in table.items():
        if value is None:
            continue
        # Lists, texts, numbers and Booleans are the same in TOML and JSON; TOML does not quote dates.
        text = json.dumps(value, default=str, ensure_ascii=False)
        yield f"{name} = {text.strip(chr(34)) if hasattr(value, 'isoformat') else text}"
