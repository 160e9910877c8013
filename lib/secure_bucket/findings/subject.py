"""Name the subject of a judgement: a resource in a template, or a live bucket."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

__all__ = ["Declared", "Running", "Subject"]


class Declared(Struct, frozen=True):
    """A bucket, or the policy of a bucket, as a template declares it.

    Args:
        logical_id: Its logical id; `""` if only an exception names it, by its construct path.
        template: The file of the template, as the caller named it.
        construct_path: The path of its construct, from `aws:cdk:path`; `""` without that metadata.
        name: The name of the bucket in the template; `""` if CloudFormation generates it, or it depends on a
            parameter.
        stack: The name of its stack, if it is in a cloud assembly.
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
    """A live bucket.

    Args:
        name: Its name.
        arn: Its ARN; `""` if the bucket does not exist, and only an exception names it.
        account: The account that owns it, in 12 digits; `""` if it is not known.
        region: Its region; `""` if it is not known.
        as_of: When its policy was read or recorded, such as `2027-03-01T12:00:00Z`; `""` for just now.
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
        """The same as `label`: a live bucket has no construct."""
        return self.label


Subject: TypeAlias = "Declared | Running"
