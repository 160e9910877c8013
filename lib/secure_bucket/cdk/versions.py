"""Hold the AWS CDK of an app to the version that a name of this library needs."""

from __future__ import annotations

import re

from secure_bucket.errors import MissingDependencyError

__all__ = ["OLDEST", "require_cdk"]

# Before 2.258 a validation plugin does not get to know its app. Before 2.263 the CDK goes on in
# silence after a violation where no command line of the CDK is looking (pytest, `python app.py`).
# In 2.263 an acknowledgment was seen to cover more than what it is on. From 2.274 on an assembly
# tells the file of each template, so that a finding is always laid to its own construct.
OLDEST = (2, 274)


def require_cdk(name: str) -> None:
    """Refuse a name that the installed AWS CDK cannot carry.

    Args:
        name: A public name of `secure_bucket`, as `SecureBucket`.

    Raises:
        MissingDependencyError: `aws-cdk-lib` is missing, or too old for this name.
    """
    try:
        from aws_cdk._jsii import __jsii_assembly__ as assembly
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"`{name}` needs aws-cdk-lib {_text(OLDEST)} or newer, and none can be imported ({error}): "
            "pip install 'secure-bucket[cdk]'"
        ) from error
    found = tuple(map(int, re.findall(r"\d+", assembly.version)[:2]))
    if found < OLDEST:
        raise MissingDependencyError(
            f"`{name}` needs aws-cdk-lib {_text(OLDEST)} or newer, and {assembly.version} is installed: "
            f"pip install 'aws-cdk-lib>={_text(OLDEST)},<3'; or leave the app as it is and put "
            "`secure-bucket gate --` before the `app` of cdk.json, which works with every AWS CDK 2"
        )


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
