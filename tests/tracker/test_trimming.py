"""A forgotten stretch leaves the recording; everything else keeps its session seconds and values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from drivers.errors import RecordingError
from drivers.packets import RawPacket
from drivers.recording import Anchor, RecordingHeader, RecordingWriter, open_recording
from drivers.rows import RowChunk
from tracker.trimming import trim

POLAR = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
ROWS = RowChunk(np.arange(1000) / 10, ("acc_x_mps2", "acc_y_mps2", "acc_z_mps2"), np.arange(3000.0).reshape(1000, 3))


def polar_second(second: int) -> RawPacket:
    """Fifty samples of one value that tells the second."""
    stamp_ns = 780 * 10**15 + second * 10**9
    sample = (0).to_bytes(2, "little") * 2 + (1000 + second).to_bytes(2, "little")
    return RawPacket(
        (second + 1) * 10**9, POLAR, b"\x02" + stamp_ns.to_bytes(8, "little") + b"\x80" + sample + b"\x00\x31"
    )


@pytest.fixture
def packets(tmp_path: Path) -> Path:
    """A hundred seconds of packets."""
    header = RecordingHeader("polar-pmd", settings={"rate_hz": 50})
    with RecordingWriter(tmp_path / "packets.sqlite", header) as writer:
        writer.anchor(Anchor(10**9, 10**18, "Europe/Berlin", 3600))
        writer.wrote(5, "x", b"start")
        for second in range(100):
            writer.append(polar_second(second))
    return tmp_path / "packets.sqlite"


def samples(path: Path) -> dict[float, tuple[float, ...]]:
    with open_recording(path) as recording:
        return {
            round(float(t_s), 4): tuple(values)
            for group in recording.blocks()
            for block in group
            for t_s, values in zip(block.t_s, block.values.tolist(), strict=True)
        }


@pytest.mark.parametrize("stretch", [(40.0, 50.0), (10.0, 1000.0)])
def test_packets(stretch: tuple[float, float], packets: Path) -> None:
    """Nothing inside is left, outside at most two seconds after the stretch are lost, the rest is the same."""
    before = samples(packets)
    trim(packets, [stretch])
    after = samples(packets)
    assert not any(stretch[0] <= t_s < stretch[1] for t_s in after)
    assert after.items() <= before.items()
    assert {t_s for t_s in before if t_s < stretch[0] or t_s >= stretch[1] + 2} <= set(after)
    assert packets.stat().st_mode & 0o777 == 0o600


def test_the_zero_stays(packets: Path) -> None:
    """Where the beginning goes, the first packet stays, so that the rest keeps its seconds."""
    before = samples(packets)
    trim(packets, [(0.0, 30.0)])
    after = samples(packets)
    assert after.items() <= before.items()
    assert len([t_s for t_s in after if t_s < 30]) == 50


def test_what_is_known_stays(packets: Path) -> None:
    """Header, anchors and writes are the same."""
    with open_recording(packets) as recording:
        before = (recording.header, recording.anchors, recording.writes)
    trim(packets, [(40.0, 50.0)])
    with open_recording(packets) as recording:
        assert (recording.header, recording.anchors, recording.writes) == before


def test_rows(tmp_path: Path) -> None:
    """Rows go exactly; stretches may touch and overlap."""
    path = tmp_path / "rows.sqlite"
    with RecordingWriter(path, RecordingHeader("", source="import")) as writer:
        writer.append_rows(ROWS)
    trim(path, [(10.0, 20.0), (15.0, 30.0), (99.0, 200.0)])
    with open_recording(path) as recording:
        left = np.concatenate([chunk.t_s for chunk in recording.rows()])
    expected = ROWS.t_s[(ROWS.t_s < 10) | ((ROWS.t_s >= 30) & (ROWS.t_s < 99))]
    assert left.tolist() == expected.tolist()


def test_a_damaged_recording_is_left_alone(tmp_path: Path) -> None:
    """It is told, and nothing else is left beside it."""
    path = tmp_path / "bad.sqlite"
    path.write_bytes(b"nothing")
    with pytest.raises(RecordingError):
        trim(path, [(1.0, 2.0)])
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("bad.sqlite", b"nothing")]
