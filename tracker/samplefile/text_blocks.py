"""Text of a `.csv` or `.csv.gz` file in stretches of whole lines, with their line numbers."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from tracker.samplefile.origin import Origin

LONGEST_LINE_BYTES = 1_000_000
_BOM = b"\xef\xbb\xbf"
_HEADER_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Whole lines, each ended by one newline byte.

    Attributes:
        body: the bytes, checked to be UTF-8.
        first_line: 1-based number in the file of the block's first line.
        read: fraction of the file's bytes read once this block is, 0 to 1.
    """

    body: bytes
    first_line: int
    read: float


def text_blocks(origin: Origin, block_bytes: int) -> Iterator[TextBlock]:
    """The file's text, header included, cut at line ends.

    Args:
        origin: the file; the name's ending says whether it is compressed.
        block_bytes: about the size of a block after decompression.

    Raises:
        RecordingError: the file cannot be opened, is damaged, or is not UTF-8 text.
    """
    with origin.faults(), origin.path.open("rb") as raw:
        size = max(origin.path.stat().st_size, 1)
        stream = gzip.GzipFile(fileobj=raw) if origin.path.suffix.lower() == ".gz" else raw
        line = 1
        for body in _whole_lines(stream, origin, block_bytes):
            _refuse_foreign_bytes(body, line, origin)
            yield TextBlock(body, line, min(raw.tell() / size, 1.0))
            line += body.count(b"\n")


def _whole_lines(stream: BinaryIO | gzip.GzipFile, origin: Origin, block_bytes: int) -> Iterator[bytes]:
    rest = _first_bytes(stream, origin)
    # Line ends of the classic Mac: a lone carriage return, and no newline anywhere near the start.
    lone_returns = b"\r" in rest and b"\n" not in rest
    while True:
        fresh = stream.read(block_bytes)
        if not fresh:
            break
        text = rest + fresh
        if lone_returns:
            text = text.replace(b"\r", b"\n")
        cut = text.rfind(b"\n") + 1
        if len(text) - cut > max(block_bytes, LONGEST_LINE_BYTES):
            raise origin.error("this is not a CSV file: a line has no end within a million characters")
        rest = text[cut:]
        if cut:
            yield text[:cut]
    if rest:
        yield (rest.replace(b"\r", b"\n") if lone_returns else rest).removesuffix(b"\n") + b"\n"


def _first_bytes(stream: BinaryIO | gzip.GzipFile, origin: Origin) -> bytes:
    first = stream.read(_HEADER_BYTES)
    if first.startswith(b"\x1f\x8b"):
        raise origin.error("this file is compressed: its name must end in .csv.gz")
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise origin.error("the text is UTF-16, save it as UTF-8")
    return first.removeprefix(_BOM)


def _refuse_foreign_bytes(body: bytes, first_line: int, origin: Origin) -> None:
    if body.isascii():
        return
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as fault:
        line = first_line + body.count(b"\n", 0, fault.start)
        raise origin.error("the text is not UTF-8", line) from fault


def header_cells(origin: Origin) -> tuple[list[str], int]:
    """Names in the header row as the file writes them, and the header's line number.

    Raises:
        RecordingError: the file cannot be read or has no header.
    """
    blocks = text_blocks(origin, _HEADER_BYTES)
    try:
        for block in blocks:
            for at, line in enumerate(block.body.decode("utf-8").split("\n")):
                if line.strip():
                    return next(csv.reader([line.strip("\r")], skipinitialspace=True)), block.first_line + at
    finally:
        blocks.close()  # type: ignore[attr-defined]
    raise origin.error("the file is empty")
