"""Read the options of a fix, for `fix` and `check --fix`."""

from __future__ import annotations

import argparse
from typing import Any

from msgspec import Struct

from secure_bucket.cli.config import Config
from secure_bucket.cli.frame import undecided_fails

__all__ = ["FixOptions", "fix_options"]


class FixOptions(Struct, frozen=True):
    """The options of a fix.

    Args:
        paths: Templates, directories, patterns, and `-` for standard input.
        write: Whether to write the templates.
        diff: Whether to show the changes.
        exclude: Patterns of paths to skip.
        together: Treat all templates as one application.
        synthesized: Whether to fix templates that the CDK generated, instead of the program.
        synth: The command that synthesizes the app again after the fix (default: do not synthesize).
        plain_viewers: Whether to fix buckets that CloudFront requests over plain HTTP.
        strict: Whether `{"AWS": "*"}` does not cover AWS services.
        undecided_fails: Whether an undecided bucket fails.
        colour: Whether to use colour (default: if the terminal can show it).
        quiet: Whether to hide the fixed buckets.
        tell_left: Whether to report the remaining buckets and the faults.
    """

    paths: tuple[str, ...]
    write: bool = False
    diff: bool = False
    exclude: tuple[str, ...] = ()
    together: bool = False
    synthesized: bool = False
    synth: str = ""
    plain_viewers: bool = False
    strict: bool = False
    undecided_fails: bool = True
    colour: bool | None = None
    quiet: bool = False
    tell_left: bool = True


def fix_options(arguments: argparse.Namespace, config: Config, **further: Any) -> FixOptions:
    """Return the options of a fix, from the arguments that `fix` and `check` share or else the settings."""
    return FixOptions(
        tuple(arguments.paths) or config.paths or (".",),
        diff=bool(arguments.diff),
        exclude=(*config.exclude, *arguments.exclude),
        together=arguments.together,
        strict=bool(config.strict if arguments.strict is None else arguments.strict),
        undecided_fails=undecided_fails(arguments, config),
        colour=arguments.colour,
        quiet=arguments.quiet,
        **further,
    )
