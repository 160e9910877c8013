"""Read the plain scalars of YAML 1.1: Booleans, null, numbers and text.

See https://yaml.org/type/. If only YAML 1.2 reads a number, the text keeps its original form.
"""

from __future__ import annotations

import re

from secure_bucket.template.scan import WrittenFloat, WrittenInteger, WrittenText

__all__ = ["plain_scalar"]

_BOOLEANS = {
    word: value
    for name, value in (
        ("yes", True),
        ("no", False),
        ("true", True),
        ("false", False),
        ("on", True),
        ("off", False),
    )
    for word in (name, name.capitalize(), name.upper())
}
_NULLS = {"", "~", "null", "Null", "NULL"}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
_RADIX = re.compile(r"([-+]?)(?:0b([01_]+)|0x([0-9a-fA-F_]+)|0([0-7_]+))")
_SEXAGESIMAL = re.compile(r"([-+]?)([1-9][0-9_]*(?::[0-5]?[0-9])+)")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)")
_OTHER_FLOAT = re.compile(
    r"[-+]?(?:\.(?:inf|Inf|INF)|[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)|\.(?:nan|NaN|NAN)"
)
_EXPONENT = re.compile(r"[-+]?[0-9]{1,300}[eE][-+]?[0-9]{1,300}")


def plain_scalar(text: str) -> object:
    """Return the value of an unquoted scalar."""
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text in _NULLS:
        return None
    if not text[0].isascii() or not (text[0].isdigit() or text[0] in "+-.") or len(text) > 300:
        return text
    # YAML 1.2 reads `1e3` and `0891` as numbers, YAML 1.1 as text. JSON has no number such as `.inf`.
    if _EXPONENT.fullmatch(text) or _OTHER_FLOAT.fullmatch(text):
        return WrittenText(text)
    if text.isdigit() and text[0] == "0" and ("8" in text or "9" in text):
        return WrittenText(text)
    if _FLOAT.fullmatch(text) and any(character.isdigit() for character in text):
        return WrittenFloat(text)
    number = _integer(text)
    return text if number is None else number if str(number) == text else WrittenInteger(number, text)


def _integer(text: str) -> int | None:
    if _INTEGER.fullmatch(text):
        return int(text.replace("_", ""))
    radix = _RADIX.fullmatch(text)
    if radix and (digits := (radix[2] or radix[3] or radix[4]).replace("_", "")):
        return int(radix[1] + digits, 2 if radix[2] else 16 if radix[3] else 8)
    sexagesimal = _SEXAGESIMAL.fullmatch(text)
    if sexagesimal:
        total = 0
        for digit in sexagesimal[2].replace("_", "").split(":"):
            total = total * 60 + int(digit)
        return -total if sexagesimal[1] == "-" else total
    return None
