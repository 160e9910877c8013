"""Tell whether a zstd file is complete, because DuckDB silently reads a truncated one to its last block."""

from __future__ import annotations

import os
from typing import BinaryIO, Final

__all__ = ["is_whole", "is_zstd"]

# RFC 8878 defines the layout: frames with a header, blocks and an optional checksum.
# https://datatracker.ietf.org/doc/html/rfc8878#section-3.1
_FRAME: Final = b"\x28\xb5\x2f\xfd"
_SKIPPABLE: Final = b"\x2a\x4d\x18"
_RLE: Final = 1


def is_zstd(head: bytes) -> bool:
    """Tell whether a file is compressed with zstd, by its beginning."""
    return head[:4] == _FRAME or (head[1:4] == _SKIPPABLE and head[0] >> 4 == 5)


def is_whole(file: BinaryIO) -> bool:
    """Tell whether a file ends with its last frame, without unpacking it.

    Args:
        file: The file, from its beginning.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    while file.tell() < size:
        magic = file.read(4)
        if not is_zstd(magic):
            return False
        if magic != _FRAME:
            file.seek(int.from_bytes(file.read(4), "little"), os.SEEK_CUR)
        elif not _skip_frame(file, size):
            return False
    return file.tell() == size


def _skip_frame(file: BinaryIO, size: int) -> bool:
    descriptor = int.from_bytes(file.read(1), "little")
    single = descriptor >> 5 & 1
    content_size = (single, 2, 4, 8)[descriptor >> 6]
    dictionary = (0, 1, 2, 4)[descriptor & 3]
    file.seek(1 - single + dictionary + content_size, os.SEEK_CUR)
    last = False
    while not last:
        header = file.read(3)
        if len(header) < 3 or file.tell() > size:
            return False
        block = int.from_bytes(header, "little")
        last = bool(block & 1)
        file.seek(1 if block >> 1 & 3 == _RLE else block >> 3, os.SEEK_CUR)
    file.seek(4 * (descriptor >> 2 & 1), os.SEEK_CUR)
    return file.tell() <= size
