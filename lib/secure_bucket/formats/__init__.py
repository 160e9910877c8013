"""Write reports in many formats, for people and for programs.

Every format is a module with a function `render(report, run) -> str` that depends only on its arguments: the
same report gives the same bytes. The first use of a format imports its module.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias, cast

from secure_bucket.findings.finding import Report
from secure_bucket.formats.run import Run

__all__ = ["FORMATS", "REVIEW_FORMATS", "Renderer", "Run"]

Renderer: TypeAlias = Callable[[Report, Run], str]


class _Formats(Mapping[str, Renderer]):
    """The formats by their names on the command line; a lookup loads the format."""

    _MODULES: Final = MappingProxyType(
        {
            "text": "text",
            "concise": "concise",
            "statistics": "statistics",
            "json": "json_format",
            "sarif": "sarif",
            "junit": "junit",
            "github": "github",
            "gitlab": "gitlab",
            "html": "html_page",
            "markdown": "markdown",
        }
    )

    _OF_REVIEWS: Final = MappingProxyType({"asff": "asff", "ocsf": "ocsf"})

    def __getitem__(self, name: str) -> Renderer:
        module = importlib.import_module(f"{__name__}.{(self._MODULES | self._OF_REVIEWS)[name]}")
        return cast(Renderer, module.render)

    def __contains__(self, name: object) -> bool:
        return name in self._MODULES

    def __iter__(self) -> Iterator[str]:
        return iter(self._MODULES)

    def __len__(self) -> int:
        return len(self._MODULES)


FORMATS: Final[Mapping[str, Renderer]] = _Formats()
"""The formats by name; a lookup loads the format."""

REVIEW_FORMATS: Final = ("asff", "ocsf")
"""The formats only for live buckets, which `FORMATS` loads but does not list."""
