"""Lines of a packet capture: JSON text -> packets, with the line number of whatever is wrong."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.decoder import Settings
from drivers.errors import RecordingError
from drivers.packets import PacketBatch, RawPacket

GZIP_MAGIC = b"\x1f\x8b"
_PACKETS_A_BATCH = 8192
_PACKET = '{"arrival_ns": ..., "characteristic": "...", "hex": "..."}'


@dataclass(frozen=True, slots=True)
class Capture:
    """A capture that is being read.

    Attributes:
        recording: the header object of a recording in text form, None for a bare capture.
        settings: what the start request asked for.
        batches: the packets; reading them raises `RecordingError` at the first line that is not one.
    """

    recording: dict[str, Any] | None
    settings: Settings
    batches: Iterator[PacketBatch] = field(repr=False)


@contextmanager
def capture_file(path: Path) -> Iterator[Iterator[bytes]]:
    """Lines of a text file, gzip or plain.

    Raises:
        RecordingError: it cannot be read.
    """
    try:
        with path.open("rb") as plain:
            squeezed = plain.read(2) == GZIP_MAGIC
            plain.seek(0)
            yield _lines_of(gzip.GzipFile(fileobj=plain) if squeezed else plain, path)
    except OSError as error:
        raise RecordingError(f"cannot be read ({error.strerror or error})", path) from error


def _lines_of(opened: Iterable[bytes], path: Path) -> Iterator[bytes]:
    try:
        yield from opened
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise RecordingError("the compressed file is damaged or cut short", path) from error


def read_capture(lines: Iterable[str | bytes], path: Path | str = "capture") -> Capture:
    """A capture out of its lines; `path` names it in errors.

    Raises:
        RecordingError: the first line is not JSON, or is neither a header nor a packet.
    """
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    first = next(numbered, None)
    if first is None:
        return Capture(None, {}, iter(()))
    known = _object(first[1], path, first[0])
    if not known.keys() & {"settings", "recording"}:
        packet = _packet(known, path, first[0])
        return Capture(None, {}, _batches(numbered, path, [packet]))
    settings, recording = known.get("settings", {}), known.get("recording")
    if not isinstance(settings, dict) or not isinstance(recording, dict | None):
        raise RecordingError("settings and recording must be objects", path, first[0])
    return Capture(recording, settings, _batches(numbered, path, []))


def _batches(
    numbered: Iterator[tuple[int, str | bytes]], path: Path | str, packets: list[RawPacket]
) -> Iterator[PacketBatch]:
    for number, line in numbered:
        packets.append(_packet(_object(line, path, number), path, number))
        if len(packets) == _PACKETS_A_BATCH:
            yield PacketBatch.of(packets)
            packets = []
    if packets:
        yield PacketBatch.of(packets)


def _object(line: str | bytes, path: Path | str, number: int) -> dict[str, Any]:
    try:
        known = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"not JSON; a line must be {_PACKET}", path, number) from error
    if not isinstance(known, dict):
        raise RecordingError(f"not an object; a line must be {_PACKET}", path, number)
    return known


def _packet(known: dict[str, Any], path: Path | str, number: int) -> RawPacket:
    arrival_ns, characteristic, text = (known.get(key) for key in ("arrival_ns", "characteristic", "hex"))
    if type(arrival_ns) is not int or not -(1 << 63) <= arrival_ns < 1 << 63:
        raise RecordingError(f"arrival_ns is not a 64-bit integer; a line must be {_PACKET}", path, number)
    if not isinstance(characteristic, str) or not isinstance(text, str):
        raise RecordingError(f"characteristic and hex must be text; a line must be {_PACKET}", path, number)
    try:
        return RawPacket(arrival_ns, characteristic.lower(), bytes.fromhex(text))
    except ValueError as error:
        raise RecordingError("hex is not pairs of hexadecimal digits", path, number) from error
