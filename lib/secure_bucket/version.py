"""Look up the version of this library, and the addresses that its build recorded."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["Addresses", "installed_addresses", "installed_version"]


class Addresses(Struct, frozen=True):
    """The addresses of the project; `""` if the build did not record them.

    Args:
        repository: The address of the repository.
        documentation: The address of the documentation.
    """

    repository: str = ""
    documentation: str = ""

    def rule(self, rule: str) -> str:
        """Return the address of the manual of a rule; `""` if it is not known."""
        return (
            f"{self.documentation.rstrip('/')}/reference/rules/#{rule.lower()}" if self.documentation else ""
        )


def installed_version() -> str:
    """Return the version of this library, as it was installed."""
    from importlib.metadata import version  # Takes 20 ms, which few reports pay.

    return version("secure-bucket")


def installed_addresses() -> Addresses:
    """Return the addresses that `setup.py` took from the environment of the build."""
    from importlib.metadata import metadata  # Takes 20 ms, which few reports pay.

    named = dict(each.split(", ", 1) for each in metadata("secure-bucket").get_all("Project-URL") or ())
    return Addresses(named.get("Source", ""), named.get("Documentation", ""))
