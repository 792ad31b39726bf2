"""The text form of a recording: JSON lines that git can diff and `soleus drivers decode` can read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from drivers.errors import RecordingError
from drivers.recording.reader import Recording, open_recording
from drivers.recording.writer import RecordingWriter


def write_text(recording: Recording, path: Path) -> None:
    """Writes a recording of packets as JSON lines, gzipped where the name ends in `.gz`.

    The same recording gives the same bytes.

    Raises:
        RecordingError: it holds rows; a sample file is their text form.
        FileExistsError: there is something at that path.
    """
    if next(recording.rows(), None) is not None:
        raise RecordingError("holds rows of a sample file; export them as .csv instead", recording.path)
    with path.open("xb") as plain:
        if path.suffix != ".gz":
            plain.writelines(_lines(recording))
            return
        # Neither a time nor a name goes into the gzip header.
        with gzip.GzipFile(filename="", mode="wb", fileobj=plain, mtime=0) as squeezed:
            squeezed.writelines(_lines(recording))


def from_text(text: Path, path: Path) -> None:
    """Writes a new recording out of its text form.

    Raises:
        RecordingError: the text is not a recording.
        FileExistsError: there is something at that path.
    """
    with open_recording(text) as recording, RecordingWriter(path, recording.header) as writer:
        for anchor in recording.anchors:
            writer.anchor(anchor)
        for write in recording.writes:
            writer.wrote(write.clock_ns, write.characteristic, write.payload)
        for batch in recording.batches():
            writer.append_many(batch)
            writer.flush()


def _lines(recording: Recording) -> Iterator[bytes]:
    header = recording.header.as_dict()
    settings = header.pop("settings")
    header["anchors"] = [asdict(anchor) for anchor in recording.anchors]
    header["writes"] = [
        {"clock_ns": write.clock_ns, "characteristic": write.characteristic, "hex": write.payload.hex()}
        for write in recording.writes
    ]
    yield _line({"recording": header, "settings": settings})
    for packet in recording.packets():
        yield _line(
            {
                "arrival_ns": packet.arrival_ns,
                "characteristic": packet.characteristic,
                "hex": packet.payload.hex(),
            }
        )


def _line(known: dict[str, object]) -> bytes:
    return json.dumps(known, separators=(", ", ": ")).encode() + b"\n"
