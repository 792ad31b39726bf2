"""What `soleus drivers decode` prints: a packet capture as decoded blocks and refused packets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from analysis.samples import SampleBlock
from drivers import registry
from drivers.capture_lines import capture_file, read_capture
from drivers.decoder import Settings
from drivers.errors import PacketError
from drivers.packets import PacketBatch
from drivers.recording.format import SQLITE_MAGIC
from drivers.recording.reader import open_recording


def decode_capture(
    lines: Iterable[str | bytes], driver_name: str, path: Path | str = "capture"
) -> Iterator[dict[str, Any]]:
    """Decodes a capture given as JSON lines.

    Args:
        lines: optionally a first line of settings, then one packet a line (CONTRACT, `drivers decode`).
        driver_name: which driver reads it.
        path: names the capture in errors.

    Yields:
        One object a block of one stream, and one a refused packet; finite numbers only.

    Raises:
        RecordingError: a line is not what it should be.
        UnknownDriverError: there is no such driver.
    """
    capture = read_capture(lines, path)
    yield from _decoded(driver_name, capture.settings, capture.batches)


def decode_file(path: Path, driver_name: str) -> Iterator[dict[str, Any]]:
    """The same for a file: JSON lines, gzipped or not, or a recording."""
    with capture_file(path) as lines:
        start = next(lines, b"")
        if not start.startswith(SQLITE_MAGIC):
            yield from decode_capture(_from(start, lines), driver_name, path)
            return
    with open_recording(path) as recording:
        yield from _decoded(driver_name, recording.header.settings, recording.batches())


def _from(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _decoded(name: str, settings: Settings, batches: Iterator[PacketBatch]) -> Iterator[dict[str, Any]]:
    decoder = registry.driver(name).decoder(settings)
    for batch in batches:
        yield from _printed(*decoder.feed_many(batch))
    yield from _printed(decoder.finish(), ())


def _printed(blocks: Sequence[SampleBlock], errors: Sequence[PacketError]) -> Iterator[dict[str, Any]]:
    for block in blocks:
        yield {
            "modality": str(block.modality),
            "unit": block.unit,
            "stream": block.stream,
            "t_s": block.t_s.tolist(),
            "values": block.values.tolist(),
        }
    for error in errors:
        yield {"error": {"reason": error.reason, "hex": error.payload.hex()}}
