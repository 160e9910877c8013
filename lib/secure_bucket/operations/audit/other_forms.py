"""Recognize records of logs in forms that the audit does not read, so that it skips none in silence."""

from __future__ import annotations

import binascii
import re
import zlib
from collections.abc import Iterator
from typing import Final

from secure_bucket.operations.audit.kinds import HEAD, LogKind, kind_of

__all__ = ["holds_records", "is_binary", "odd_kind_of", "wrapping_of"]

_OPERATION: Final = re.compile(rb"(?<![\w.])(?:BATCH|REST|S3|SOAP|WEBSITE)[.][A-Z_]+[.][A-Z_]{2}")
_ACCESS_TIME: Final = re.compile(
    rb"\[\d{1,2}/[A-Za-z]{3,9}/\d{4}:[^\]\n]{0,24}\](?:\s+\S+){3}\s+(?:BATCH|REST|S3|SOAP|WEBSITE)[.][A-Z]"
)
# In a policy `s3:` stands before an action.
_SOURCE: Final = re.compile(rb"(?<![\w./@-])s3\.amazonaws\.com(?![\w/:-]|\.[a-bd-z])")
_EVENT: Final = re.compile(
    rb"(?i:event[ _]?(?:source|name))"
    rb"|(?<![\w:.*])[A-Z][a-z]+(?:Multipart)?(?:Objects?|Buckets?|Parts?|Upload)[A-Za-z]*"
)
_MEMBER: Final = re.compile(rb"event_?source\W{1,12}s3\.amazonaws\.com", re.IGNORECASE)
_JSON: Final = re.compile(rb'\{[^\n]*["\\]bucket_name["\\]+\s*:[^\n]*["\\]cipher_suite["\\]+\s*:')

# Line ends within base64 may be those of JSON.
_FOLDED: Final = re.compile(rb"(?<=[\w+/-])(?:\\[rn]|[\r\n])+(?=[\w+/=-])")
_ENCODED: Final = re.compile(rb"[A-Za-z0-9+/_-]{32,}")
_HEX: Final = re.compile(rb"(?:[0-9a-fA-F]{2}){32,}")
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_DEEPEST: Final = 3

_GZIP: Final = b"\x1f\x8b"
# The formats that may contain logs, so that such a file is never skipped silently.
_WRAPPINGS: Final = {
    _GZIP: "packed with gzip twice",
    b"\x28\xb5\x2f\xfd": "packed with zstd and gzip",
    b"PK\x03\x04": "a zip archive",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ\x00": "packed with xz",
    b"\x04\x22\x4d\x18": "packed with LZ4",
    b"\xff\x06\x00\x00sNaPpY": "packed with Snappy",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\x1f\x9d": "packed with compress",
    b"LZIP": "packed with lzip",
    b"Salted__": "encrypted by OpenSSL",
    b"-----BEGIN PGP MESSAGE": "encrypted by PGP",
    b"age-encryption.org/": "encrypted by age",
    b"PAR1": "a Parquet file",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}
_PACKED: Final = (_GZIP, *(magic for magic in _WRAPPINGS if len(magic) > 2))
_TAR: Final = 257
# Data without a known beginning may be packed, encrypted or a database. No text holds these bytes.
_BINARY: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
# Pictures, documents, and the notes of macOS on a folder.
_HARMLESS: Final = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF", b"\x00\x00\x00\x01Bud1")


def wrapping_of(head: bytes) -> str:
    """Return the unsupported format of a file that may contain logs; `""` for other files.

    Args:
        head: The first bytes of the file, after gzip is unpacked.
    """
    if head[_TAR : _TAR + 5] == b"ustar":
        return "a tar archive"
    if head.startswith(b"\0") and not head.strip(b"\0"):
        return "a file of NUL bytes"
    return next((words for magic, words in _WRAPPINGS.items() if head.startswith(magic)), "")


def is_binary(head: bytes) -> bool:
    """Tell whether a file is neither text nor of a kind that holds no logs.

    Args:
        head: The first bytes of the file, after gzip is unpacked.
    """
    return _BINARY.search(head) is not None and not head.startswith(_HARMLESS)


def odd_kind_of(head: bytes, depth: int = 0) -> LogKind | None:
    """Return the kind of records of a file that `kind_of` rejects; `None` without records in another form.

    Args:
        head: The first bytes of the file.
        depth: How many encodings it was within (default: 0).
    """
    # Text in UTF-16 has a NUL byte for each ASCII character.
    text = head.replace(b"\0", b"")
    if _OPERATION.search(text) or _ACCESS_TIME.search(text):
        return LogKind.ACCESS_LINES
    if _MEMBER.search(text) or (_SOURCE.search(text) and _EVENT.search(text)):
        return LogKind.EVENTS
    if _JSON.search(text):
        return LogKind.ACCESS_JSON
    if depth < _DEEPEST:
        for parts in _decoded(text):
            if any(map(_packs, parts)) or holds_records(b"\n".join(parts), depth + 1):
                return LogKind.EVENTS
    return None


def holds_records(data: bytes, depth: int = 0) -> bool:
    """Tell whether data resemble records of logs, also in base64 or as hexadecimal digits.

    Args:
        data: The data.
        depth: How many encodings they were within (default: 0).
    """
    return kind_of(data) is not None or odd_kind_of(data, depth) is not None


def _decoded(text: bytes) -> Iterator[list[bytes]]:
    """Yield what the parts of a text are as hexadecimal digits, and in base64."""
    for whole in dict.fromkeys((text, _FOLDED.sub(b"", text))):
        if digits := _HEX.findall(whole):
            yield [binascii.unhexlify(part) for part in digits]
        parts = [part.translate(_STANDARD) for part in _ENCODED.findall(whole)]
        # Text before it may end with letters of base64.
        for start in range(4) if parts else ():
            yield [binascii.a2b_base64(part[start : start + (len(part) - start) // 4 * 4]) for part in parts]


def _packs(data: bytes) -> bool:
    """Tell whether data are packed, so that nobody sees whether they hold records."""
    if data.startswith(_PACKED):
        return True
    try:
        return data[:1] == b"x" and len(zlib.decompressobj().decompress(data, HEAD)) > 0
    except zlib.error:
        return False
