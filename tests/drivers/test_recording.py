"""A recording keeps everything, survives a kill at any instant, and says what it is when it is not one."""

from __future__ import annotations

import gzip
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.samples import Modality
from drivers.errors import RecordingError
from drivers.packets import PacketBatch, RawPacket
from drivers.recording import (
    Anchor,
    RecordingHeader,
    RecordingWriter,
    Write,
    content_digest,
    from_text,
    open_recording,
    write_text,
)
from drivers.recording.row_codec import packed, unpacked
from drivers.rows import ACC_COLUMNS, RowChunk

DATA = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
CONTROL = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
HEADER = RecordingHeader(
    "polar-pmd", "sensor", "Polar Sense A1B2C3D4", "A0:9E:1A:00:00:01", "Sense", "2.2.6",
    {"rate_hz": 50}, "left", "shank, outside", {"why": "a walk"},
)  # fmt: skip
ANCHOR = Anchor(10**9, 1_790_000_000 * 10**9, "Europe/Berlin", 7200)


def frame(measurement: int, i: int, samples: int = 50) -> RawPacket:
    """One second of a 50 Hz stream, compressed, all zero but for the reference."""
    stamp = 780 * 10**15 + i * 10**9 + measurement
    content = bytes((i % 100, 0)) + bytes(4) + bytes((0, samples - 1))
    payload = bytes((measurement,)) + stamp.to_bytes(8, "little") + b"\x80" + content
    return RawPacket(i * 10**9 + measurement, DATA, payload)


PACKETS = [
    RawPacket(0, CONTROL, b"\xf0\x02\x02\x00\x00"),
    *(frame(measurement, i) for i in range(3000) for measurement in (2, 5)),
]


def write(path: Path, packets: list[RawPacket], flush_every: int = 1000) -> Path:
    with RecordingWriter(path, HEADER) as writer:
        writer.anchor(ANCHOR)
        writer.wrote(5, CONTROL, b"\x02\x02")
        for i, packet in enumerate(packets):
            writer.append(packet)
            if i % flush_every == 0:
                writer.flush()
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("recording") / "session.sqlite", PACKETS)


def test_what_was_written_is_read(path: Path) -> None:
    with open_recording(path) as recording:
        assert recording.header == HEADER
        assert recording.anchors == (ANCHOR,)
        assert recording.writes == (Write(5, CONTROL, b"\x02\x02"),)
        assert list(recording.packets()) == PACKETS
        assert list(recording.rows()) == []


def test_it_is_one_private_sqlite_file(path: Path) -> None:
    assert list(path.parent.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA application_id").fetchone() == (0x534F4C52,)
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    db.close()


def test_the_log_beside_it_is_private_too(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "a.sqlite", HEADER) as writer:
        writer.append(PACKETS[0])
        writer.flush()
        assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}
        assert len(list(tmp_path.iterdir())) == 3


def test_blocks_come_in_groups_that_cover_the_same_twenty_minutes(path: Path) -> None:
    with open_recording(path) as recording:
        groups = list(recording.blocks())
        quality = recording.quality
    assert len(groups) == 4
    for group in groups[:-1][:2]:
        acc, gyr = sorted(group, key=lambda block: block.modality)
        assert abs(acc.t_s[0] - gyr.t_s[0]) < 0.03
        assert abs(acc.t_s[-1] - gyr.t_s[-1]) < 0.03
        assert 1190 < acc.t_s[-1] - acc.t_s[0] < 1210
    for modality in (Modality.ACC, Modality.GYR):
        t_s = np.concatenate([b.t_s for group in groups for b in group if b.modality is modality])
        assert t_s == pytest.approx(np.arange(150_000) * 0.02, abs=1e-6)
    assert quality.samples == {Modality.ACC: 150_000, Modality.GYR: 150_000}
    assert (quality.packets, quality.packet_errors, quality.duplicates) == (len(PACKETS), 0, 0)
    assert quality.last_arrival_ns == PACKETS[-1].arrival_ns
    assert quality.zero_arrival_ns == pytest.approx(2 - 0.98e9)


def test_dense_streams_come_in_shorter_groups(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many bytes a minute of them has, no more than so many are read at once, and nothing is lost."""
    with open_recording(path) as recording:
        whole = list(recording.blocks())
        monkeypatch.setattr("drivers.recording.reader.GROUP_BYTES", 5_000)
        cut = list(recording.blocks())
        size = sum(len(batch.data) for batch in recording.batches())
    assert size // 5_000 <= len(cut) <= size // 5_000 + 5
    for modality in (Modality.ACC, Modality.GYR):
        one, other = (
            np.concatenate([b.t_s for g in groups for b in g if b.modality is modality]) for groups in (whole, cut)
        )
        np.testing.assert_array_equal(one, other)


def test_refused_packets_are_counted_by_reason(tmp_path: Path) -> None:
    spoilt = [*PACKETS[:5], PACKETS[4], RawPacket(9, DATA, b"\x02"), RawPacket(9, DATA, b""), *PACKETS[5:9]]
    with open_recording(write(tmp_path / "a.sqlite", spoilt)) as recording:
        for _ in range(2):
            assert sum(len(block) for group in recording.blocks() for block in group) == 400
            assert recording.quality.refused == {"truncated frame": 2}
            assert recording.quality.duplicates == 1


def test_nothing_is_overwritten(path: Path) -> None:
    with pytest.raises(FileExistsError):
        RecordingWriter(path, HEADER)


def test_the_header_may_be_completed_later(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "a.sqlite", RecordingHeader("polar-pmd")) as writer:
        writer.describe(HEADER)
    with open_recording(tmp_path / "a.sqlite") as recording:
        assert recording.header == HEADER


KILLED = """
import sys
from contextlib import suppress
from pathlib import Path
from drivers.packets import RawPacket
from drivers.recording import RecordingHeader, RecordingWriter
writer = RecordingWriter(Path(sys.argv[1]), RecordingHeader("polar-pmd"))
for i in range(10**9):
    writer.append(RawPacket(i, "x", i.to_bytes(4, "little")))
    if i % 5 == 4:
        writer.flush()
        print(i, flush=True)
"""


@pytest.mark.parametrize("flushes", [1, 40, 700])
def test_everything_flushed_survives_a_kill(tmp_path: Path, flushes: int) -> None:
    """SIGKILL lands anywhere in the next flushes; what was reported durable is there, whole and in order."""
    path = tmp_path / "killed.sqlite"
    root = Path(__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert child.stdout is not None
    with child, child.stdout:
        last = [int(child.stdout.readline()) for _ in range(flushes)][-1]
        child.send_signal(signal.SIGKILL)
    before = path.read_bytes()
    with open_recording(path) as recording:
        packets = list(recording.packets())
    assert len(packets) > last
    assert packets == [RawPacket(i, "x", i.to_bytes(4, "little")) for i in range(len(packets))]
    assert path.read_bytes() == before


def test_it_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "a.sqlite", HEADER) as writer:
        writer.append(PACKETS[0])
        writer.flush()
        with open_recording(tmp_path / "a.sqlite") as recording:
            assert list(recording.packets()) == PACKETS[:1]
            writer.append(PACKETS[1])
            writer.flush()
            assert list(recording.packets()) == PACKETS[:2]


# --- what is not a recording


def spoilt(path: Path, name: str, content: bytes) -> Path:
    made = path / name
    made.write_bytes(content)
    return made


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (bytes(range(1, 256)), "not a recording"),
        (b"t_s,acc_x\n", "not a recording"),
        (b"{not json\n", "line 1: not JSON"),
        (b'{"arrival_ns": 1, "characteristic": "x", "hex": ""}\n', "not a recording"),
        (b'{"recording": {}}\n', "names no driver"),
        (b'{"recording": {"driver": "a", "anchors": [1]}}\n', "header that cannot be read"),
        (b"\x1f\x8bzzzzzzzzzzzzzzz", "cannot be read|damaged"),
    ],
)
def test_what_is_not_a_recording_is_said_in_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(RecordingError, match=sentence) as caught:
        open_recording(spoilt(tmp_path, "x", content))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_said_so(tmp_path: Path) -> None:
    for name in ("nowhere", "."):
        with pytest.raises(RecordingError, match="cannot be read"):
            open_recording(tmp_path / name)


def test_another_database_is_not_a_recording(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "other.sqlite")
    db.execute("CREATE TABLE header(a)")
    db.close()
    with pytest.raises(RecordingError, match="a database, but not a recording"):
        open_recording(tmp_path / "other.sqlite")


def test_a_recording_of_a_newer_version_is_refused(path: Path, tmp_path: Path) -> None:
    newer = spoilt(tmp_path, "newer.sqlite", path.read_bytes())
    db = sqlite3.connect(newer)
    db.execute("PRAGMA user_version=2")
    db.close()
    with pytest.raises(RecordingError, match="newer soleus"):
        open_recording(newer)


def test_a_recording_cut_short_or_damaged_is_said_so(path: Path, tmp_path: Path) -> None:
    """Every cut is refused; a changed byte is either noticed or inside a payload, never a traceback."""
    content = path.read_bytes()
    for i, size in enumerate((17, 99, 4096, len(content) // 2, len(content) - 4096)):
        with pytest.raises(RecordingError), open_recording(spoilt(tmp_path, f"{i}", content[:size])) as it:
            list(it.packets())
    rng = np.random.default_rng(0)
    for i in range(60):
        changed = bytearray(content)
        for at in rng.integers(16, len(content), 40):
            changed[at] ^= 1 << int(rng.integers(8))
        damaged = spoilt(tmp_path, f"damaged{i}", bytes(changed))
        with suppress(RecordingError), open_recording(damaged) as recording:
            list(recording.blocks())
            recording.digest()


def test_an_unknown_driver_is_said_so(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "a.sqlite", RecordingHeader("nosuch")) as writer:
        writer.append(PACKETS[0])
    with open_recording(tmp_path / "a.sqlite") as recording, pytest.raises(RecordingError, match="nosuch"):
        list(recording.blocks())


# --- rows


def chunks(sizes: list[int], rate_hz: float | None = 100.0) -> list[RowChunk]:
    rng = np.random.default_rng(1)
    n = sum(sizes)
    values = np.round(rng.normal(0, 10, (n, 4)), 4)
    values[rng.random((n, 4)) < 0.1] = np.nan
    t_s = np.arange(n) / 100
    ends = np.cumsum(sizes)
    return [
        RowChunk(t_s[end - size : end], (*ACC_COLUMNS, "temp_c"), values[end - size : end], rate_hz)
        for size, end in zip(sizes, ends, strict=True)
    ]


def test_rows_come_back_to_the_bit_whatever_they_were_cut_into(tmp_path: Path) -> None:
    made = chunks([1, 70_000, 3, 150_000, 10])
    with RecordingWriter(tmp_path / "a.sqlite", RecordingHeader("", source="import")) as writer:
        for chunk in made:
            writer.append_rows(chunk)
    with open_recording(tmp_path / "a.sqlite") as recording:
        found = list(recording.rows())
        digest = recording.digest()
        groups = list(recording.blocks())
    assert {chunk.columns for chunk in found} == {(*ACC_COLUMNS, "temp_c")}
    assert [chunk.t_s.size for chunk in found] == [60_000, 60_000, 60_000, 40_014]
    for name in ("t_s", "values"):
        joined = [np.concatenate([getattr(chunk, name) for chunk in part]) for part in (found, made)]
        assert np.array_equal(joined[0], joined[1], equal_nan=True)
    assert digest == content_digest(rows=made) != content_digest(rows=made[:-1])
    assert [len(group) for group in groups] == [2] * 4


def test_rows_cannot_change_their_columns(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "a.sqlite", RecordingHeader("")) as writer:
        writer.append_rows(chunks([5])[0])
        with pytest.raises(ValueError, match="other columns"):
            writer.append_rows(RowChunk(np.zeros(1), ACC_COLUMNS, np.zeros((1, 3))))


KINDS_OF_NUMBER = st.one_of(
    st.floats(allow_nan=True),
    st.floats(width=32),
    st.integers(-(10**15), 10**15).map(lambda n: n / 1000),
    st.sampled_from([0.0, -0.0, 1e-320, 2.0**53, 1e308, -1e308, float("inf"), 0.1]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(KINDS_OF_NUMBER, max_size=40), st.sampled_from([1, 700]))
def test_a_column_of_any_numbers_is_kept_to_the_bit(numbers: list[float], times: int) -> None:
    column = np.array(numbers * times, np.float64)
    back = unpacked(packed([column, column]), column.size, 2)
    canonical = np.where(np.isnan(column), np.nan, column)
    for found in back:
        assert found.tobytes() == canonical.tobytes()


@given(st.binary(max_size=60), st.integers(0, 5))
def test_damaged_rows_are_a_value_error(data: bytes, rows: int) -> None:
    with suppress(ValueError):
        unpacked(data, rows, 2)


# --- digest and text form


def test_the_digest_does_not_depend_on_the_cutting_but_on_every_byte() -> None:
    batch = PacketBatch.of(PACKETS)
    digest = content_digest([batch])
    assert content_digest([batch[:7], batch[7:9], batch[9:]]) == digest
    assert content_digest(PacketBatch.of([packet]) for packet in PACKETS) == digest
    changed = [RawPacket(p.arrival_ns, p.characteristic + "x", p.payload) for p in PACKETS[:1]]
    assert content_digest([PacketBatch.of(changed + PACKETS[1:])]) != digest
    assert content_digest([batch[:-1]]) != digest


@pytest.mark.parametrize("name", ["fixture.jsonl", "fixture.jsonl.gz"])
def test_the_text_form_holds_the_same_recording(path: Path, tmp_path: Path, name: str) -> None:
    text, again = tmp_path / name, tmp_path / "again.sqlite"
    with open_recording(path) as recording:
        write_text(recording, text)
        write_text(recording, tmp_path / f"second-{name}")
        with pytest.raises(FileExistsError):
            write_text(recording, text)
    assert text.read_bytes() == (tmp_path / f"second-{name}").read_bytes()
    from_text(text, again)
    for form in (text, again):
        with open_recording(form) as recording:
            assert recording.header == HEADER
            assert recording.anchors == (ANCHOR,)
            assert recording.writes == (Write(5, CONTROL, b"\x02\x02"),)
            assert list(recording.packets()) == PACKETS
            assert recording.digest() == content_digest([PacketBatch.of(PACKETS)])


def test_a_line_of_the_text_form_is_a_line_of_a_capture(path: Path, tmp_path: Path) -> None:
    with open_recording(path) as recording:
        write_text(recording, tmp_path / "a.jsonl.gz")
    lines = gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()).splitlines()
    assert json.loads(lines[0])["settings"] == {"rate_hz": 50}
    assert json.loads(lines[1]) == {"arrival_ns": 0, "characteristic": CONTROL, "hex": "f002020000"}


def test_rows_have_no_text_form(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / "a.sqlite", RecordingHeader("")) as writer:
        writer.append_rows(chunks([5])[0])
    with open_recording(tmp_path / "a.sqlite") as recording, pytest.raises(RecordingError, match="csv"):
        write_text(recording, tmp_path / "a.jsonl")
