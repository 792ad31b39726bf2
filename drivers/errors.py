"""Whose fault it was: the device's, the radio's, or the recording's."""

from __future__ import annotations

from pathlib import Path


class PacketError(Exception):
    """The device sent bytes that its protocol does not allow. The packet is dropped, the stream goes on."""

    def __init__(self, reason: str, characteristic: str = "", payload: bytes = b"") -> None:
        super().__init__(reason)
        self.reason = reason
        self.characteristic = characteristic
        self.payload = payload


class LinkError(Exception):
    """The radio cannot do what was asked; the text is one sentence with the fix."""


NO_RECORDING = "is not a recording"
"""Why a file is refused whose bytes are none of ours."""


class RecordingError(Exception):
    """A file of the user cannot be used; the text names file, line and column where there are any."""

    def __init__(self, reason: str, path: Path | str, line: int | None = None) -> None:
        where = f"{path}" if line is None else f"{path}, line {line}"
        super().__init__(f"{where}: {reason}")
        self.reason = reason
        self.path = Path(path)
        self.line = line


class NothingRecordedError(RecordingError):
    """A recording that was cut off before it began: it holds nothing, not even who made it."""
