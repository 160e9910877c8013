"""Name what is judged: a resource that a template declares, or a bucket that runs."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

__all__ = ["Declared", "Running", "Subject"]


class Declared(Struct, frozen=True):
    """A bucket, or the policy of a bucket, as a template declares it.

    Args:
        logical_id: Its logical id; `""` when only an exception names it, by the path of its construct.
        template: The file of the template, as it was given.
        construct_path: The path of its construct, as CDK writes it to `aws:cdk:path`; `""` when the template
            does not tell.
        name: The name that the template fixes for the bucket; `""` when CloudFormation makes one up, or it
            depends on a parameter.
        stack: The name of the stack that it is deployed in, where a cloud assembly tells.
    """

    logical_id: str
    template: str = ""
    construct_path: str = ""
    name: str = ""
    stack: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it apart from other subjects."""
        return self.template, self.logical_id

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.logical_id or self.construct_path

    @property
    def path(self) -> str:
        """The path of its construct, or its logical id."""
        return self.construct_path or self.logical_id


class Running(Struct, frozen=True):
    """A bucket that runs.

    Args:
        name: Its name.
        arn: Its ARN; `""` when there is no such bucket, and only an exception names it.
        account: The account that owns it, in 12 digits; `""` when it is not known.
        region: The region it is in; `""` when it is not known.
        as_of: When its policy was read or recorded, as `2027-03-01T12:00:00Z`; `""` for just now.
    """

    name: str
    arn: str = ""
    account: str = ""
    region: str = ""
    as_of: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it apart from other subjects."""
        return self.account, self.label

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.arn or self.name

    @property
    def path(self) -> str:
        """The same: a bucket that runs has no construct."""
        return self.label


Subject: TypeAlias = "Declared | Running"
