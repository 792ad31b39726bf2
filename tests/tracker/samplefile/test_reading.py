"""Rows of a sample file: what is put right, what is counted, what is refused."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tracker
from analysis.samples import Modality
from drivers.errors import RecordingError
from drivers.rows import RowChunk
from tracker.samplefile import (
    AccUnit,
    GyrUnit,
    ReadOptions,
    SampleFile,
    SampleFileReport,
    csv_numbers,
    read_sample_file,
)

ACC = "t_s,acc_x_mps2,acc_y_mps2,acc_z_mps2"
BOTH = ACC + ",gyr_x_rad_s,gyr_y_rad_s,gyr_z_rad_s"
Write = Callable[..., Path]


@pytest.fixture(params=["pyarrow", "pandas"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rule holds for both fast readers."""
    if request.param == "pyarrow":
        pytest.importorskip("pyarrow")
    reader = getattr(csv_numbers, f"read_with_{request.param}")
    monkeypatch.setattr(csv_numbers, "fast_reading", lambda: reader)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(text: str | bytes, name: str = "walk.csv") -> Path:
        path = tmp_path / name
        data = text.encode() if isinstance(text, str) else text
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return _write


def rows_of(path: Path, **options: object) -> tuple[list[float], list[list[float | None]], SampleFileReport]:
    """All rows of a file: t_s, values with None for an empty cell, and the report."""
    file = read_sample_file(path, ReadOptions(**options))  # type: ignore[arg-type]
    chunks = list(file.chunks())
    t_s = [float(t) for chunk in chunks for t in chunk.t_s]
    values = [[None if x != x else float(x) for x in row] for chunk in chunks for row in chunk.values]
    return t_s, values, file.report


def refused(path: Path, **options: object) -> str:
    with pytest.raises(RecordingError) as caught:
        rows_of(path, **options)
    return str(caught.value).removeprefix(str(path))


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + ACC + "\r\n0,1,2,3\r\n0.5,4,5,6\r\n\r\n",
        ACC + "\n0, 1, 2 ,3\n0.5,4,\t5,6\n\n \n",
        ACC.upper() + "\n0,1,2,3\n0.5,4,5,6",
        " t_s , Acc_X_mps2, acc_y_mps2,acc_z_mps2\n0,1,2,3\n\n0.5,4,5,6\n",
        '"t_s","acc_x_mps2","acc_y_mps2","acc_z_mps2"\n"0","1","2","3"\n0.5,"4",5,6\n',
        ACC + "\r0,1,2,3\r0.5,4,5,6\r",
        "\n" + ACC + "\n0,1,2,3\n0.5,4,5,6\n,,,\n",
        ACC + "\n0,+1,2.,3e0\n5E-1,4.0,5,.6e1\n",
    ],
)
@pytest.mark.parametrize("name", ["walk.csv", "walk.CSV", "walk.csv.gz"])
def test_spellings_of_one_file(write: Write, text: str, name: str) -> None:
    """Line ends, marks, blanks, quotes and letter case make no difference."""
    t_s, values, report = rows_of(write(text, name))
    assert t_s == [0.0, 0.5]
    assert values == [[1, 2, 3], [4, 5, 6]]
    assert (report.rows, report.rate_hz, report.duration_s) == (2, 2.0, 0.5)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", ": the file is empty"),
        ("\n\n", ": the file is empty"),
        (ACC + "\n", ": the file has a header and no rows"),
        (ACC + "\n0,,,\n1,,,\n", ": the file has no samples in its columns"),
        (ACC + "\n0,1,2,3\n1,1,x,3\n", ", line 3: column acc_y_mps2: 'x' is not a number"),
        (ACC + "\n0,1,2,3\n\n1,1,2,nan\n", ", line 4: column acc_z_mps2: 'nan' is not a number"),
        (ACC + "\n0,1,2,-inf\n", ", line 2: column acc_z_mps2: '-inf' is not a number"),
        (ACC + "\n0,1,2,Infinity\n", ", line 2: column acc_z_mps2: 'Infinity' is not a number"),
        (ACC + "\n0,1,True,3\n", ", line 2: column acc_y_mps2: 'True' is not a number"),
        (ACC + "\n0,1,1_0,3\n", ", line 2: column acc_y_mps2: '1_0' is not a number"),
        (ACC + "\n0,1,0x1,3\n", ", line 2: column acc_y_mps2: '0x1' is not a number"),
        (ACC + "\n0,1,2\x00,3\n", ", line 2: column acc_y_mps2: '2\\x00' is not a number"),
        (ACC + "\n0,1,1e999,3\n", ", line 2: column acc_y_mps2: the number is too large"),
        (ACC + "\nNaN,1,2,3\n", ", line 2: column t_s: 'NaN' is not a number"),
        (ACC + "\n0,1,2,3\n,1,2,3\n", ", line 3: column t_s: the cell is empty"),
        (ACC + "\n0,1,2,3\n1,1,2\n", ", line 3: the row has 3 cells where the header has 4"),
        (ACC + "\n0,1,2,3\n1,1,2,3,4\n", ", line 3: the row has 5 cells where the header has 4"),
        (ACC + "\n0,1,2,3,4\n1,1,2\n", ", line 2: the row has 5 cells where the header has 4"),
        (ACC + '\n0,1,2,"3\n', ", line 2: a quoted cell does not end on its line"),
        (ACC.encode() + b"\n0,1,2,3\n0,1,\xff,3\n", ", line 3: the text is not UTF-8"),
        (("\ufeff" + ACC + "\n0,1,2,3\n").encode("utf-16-le"), ": the text is UTF-16, save it as UTF-8"),
        (gzip.compress(b"t_s", mtime=0), ": this file is compressed: its name must end in .csv.gz"),
        (ACC + "\n5,1,2,3\n3,1,2,3\n", ", line 3: column t_s: time runs back by 2 s"),
        (
            ACC + "\n0,1,2,3\n1,1,2,3\n0,1,2,4\n",
            ", line 4: column acc_z_mps2: another value for t_s 0.0 stands in line 2",
        ),
    ],
)
def test_refused_text(write: Write, text: str | bytes, sentence: str) -> None:
    """A fault is told in one sentence with file, line and column."""
    said = refused(write(text))
    assert said.startswith(sentence)
    assert "\n" not in said


def test_refused_lines_are_found_in_any_block(write: Write) -> None:
    """The line of a fault is the line of the file, however it is cut."""
    good = "".join(f"{i / 100},1,2,3\n" for i in range(500))
    path = write(f"{ACC}\n{good}9,1,2,bad\n{good}")
    for size in (1, 50, 1000, 100_000):
        assert refused(path, block_bytes=size).startswith(", line 502: column acc_z_mps2: 'bad'")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none.csv", ": there is no such file"),
        ("none.parquet", ": there is no such file"),
        ("walk.txt", ": the name must end in .csv, .csv.gz, .parquet"),
        ("plain.csv.gz", ": this is not a gzip file, or it is damaged"),
        ("cut.csv.gz", ": the compressed file is cut off before its end"),
        ("text.parquet", ": this is not a Parquet file, or it is damaged"),
        ("folder.csv", ": this is a folder, not a sample file"),
        ("folder.parquet", ": this is a folder, not a sample file"),
        ("folder", ": this is a folder, not a sample file"),
    ],
)
def test_refused_files(tmp_path: Path, name: str, sentence: str) -> None:
    """A file that cannot be opened or is not what its name says is refused in one sentence."""
    text = (ACC + "\n" + "".join(f"{i},{i * 7 % 13},2,3\n" for i in range(9999))).encode()
    (tmp_path / "plain.csv.gz").write_bytes(text)
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(text)[:-2000])
    (tmp_path / "text.parquet").write_bytes(text)
    for folder in ("folder.csv", "folder.parquet", "folder"):
        (tmp_path / folder).mkdir()
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow")
    assert refused(tmp_path / name) == sentence


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_refused_permission(write: Write) -> None:
    """A file that may not be read says so."""
    path = write(ACC + "\n0,1,2,3\n")
    path.chmod(0)
    assert refused(path) == ": there is no permission to read this file"


def test_permission_sentence(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read says so, whoever runs the test."""

    def closed(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = write(ACC + "\n0,1,2,3\n")
    monkeypatch.setattr(Path, "open", closed)
    assert refused(path) == ": there is no permission to read this file"


def test_parquet_without_pyarrow(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without pyarrow, Parquet says how to add it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert refused(write(b"PAR1", "walk.parquet")) == (
        ": Parquet needs one more package: pip install 'soleus-tracker[parquet]'"
    )


@pytest.mark.usefixtures("engine")
def test_late_rows_and_repeats_are_put_right(write: Write) -> None:
    """Rows late by less than 2 s are sorted in, repeats go; both are counted, a late repeat as a repeat."""
    text = ACC + "\n0,0,0,0\n1,1,0,0\n3,3,0,0\n2,2,0,0\n3,3,0,0\n1.5,1,1,1\n2,2,0,0\n4,4,0,0\n"
    t_s, values, report = rows_of(write(text))
    assert t_s == [0, 1, 1.5, 2, 3, 4]
    assert [row[0] for row in values] == [0, 1, 1, 2, 3, 4]
    assert (report.late_rows, report.repeats_dropped, report.joined_rows) == (2, 2, 0)


@pytest.mark.usefixtures("engine")
def test_slow_and_fast_sensor_in_one_file(write: Write) -> None:
    """Alternating rows of two sensors work, at different instants and at the same one."""
    text = BOTH + "\n0,1,2,3,,,\n0,,,,4,5,6\n0.01,1,2,3,,,\n0.015,,,,4,5,6\n0.02,1,2,3,,,\n"
    t_s, values, report = rows_of(write(text))
    assert t_s == [0, 0.01, 0.015, 0.02]
    assert values[0] == [1, 2, 3, 4, 5, 6]
    assert values[2] == [None, None, None, 4, 5, 6]
    assert (report.joined_rows, report.repeats_dropped, report.late_rows) == (1, 0, 0)
    assert {sensor.modality: sensor.samples for sensor in report.modalities} == {"acc": 3, "gyr": 2}


@pytest.mark.usefixtures("engine")
def test_torn_triple_is_no_sample(write: Write) -> None:
    """A triple that is only partly there counts as absent and is counted; the other sensor stays."""
    t_s, values, report = rows_of(write(BOTH + "\n0,1,,3,4,5,6\n1,1,2,3,4,5,6\n2,,2,3,,,\n"))
    assert t_s == [0, 1]
    assert values[0] == [None, None, None, 4, 5, 6]
    assert report.torn_triples == 2


@pytest.mark.usefixtures("engine")
def test_ignored_columns_may_hold_text(write: Write) -> None:
    """Text, words and quoted commas in a column that is not read are no fault; it is listed."""
    text = f'{ACC},Note\n0,1,2,3,nan\n1,1,2,3,"stairs, up"\n2,1,2,3,standing\n3,1,2,3,\n4,1,2,3,é\n'
    t_s, _, report = rows_of(write(text))
    assert t_s == [0, 1, 2, 3, 4]
    assert report.ignored_columns == ("Note",)


def test_rows_of_other_sensors_are_empty(write: Write) -> None:
    """With a prefix, rows that hold only the other sensor are passed over and counted."""
    header = "t_s,l_acc_x_g,l_acc_y_g,l_acc_z_g,r_acc_x_g,r_acc_y_g,r_acc_z_g"
    text = header + "\n0,1,0,0,,,\n1,,,,0,0,1\n2,1,0,0,,,\n"
    t_s, values, report = rows_of(write(text), prefix="l_")
    assert t_s == [0, 2]
    assert values == [[9.80665, 0, 0]] * 2
    assert report.empty_rows == 1


def test_units_are_converted(write: Write) -> None:
    """Values come in m/s2, rad/s, degC and microvolts."""
    text = "t_s,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z,temp_c,emg_soleus_mv\n0,1,-1,0.5,180,0,-90,31.5,0.25\n"
    _, (row,), _ = rows_of(write(text), acc_unit=AccUnit.G, gyr_unit=GyrUnit.DEG_S)
    assert row == pytest.approx([9.80665, -9.80665, 4.903325, np.pi, 0, -np.pi / 2, 31.5, 250.0], rel=1e-15)


def test_rate_and_gaps(write: Write) -> None:
    """The rate of each sensor is its usual interval; a gap runs from the last sample to the first after."""
    t_s = np.concatenate([np.arange(0, 10, 0.01), np.arange(12, 20, 0.01)])
    text = BOTH + "\n" + "".join(f"{t:.2f},1,2,3,{'4,5,6' if i % 4 == 0 else ',,'}\n" for i, t in enumerate(t_s))
    *_, report = rows_of(write(text))
    assert (report.rate_hz, report.gap_count) == (100.0, 1)
    assert report.gap_s == pytest.approx(2.01)
    assert [sensor.rate_hz for sensor in report.modalities] == [100.0, 25.0]
    assert report.duration_s == pytest.approx(19.99)


@pytest.mark.parametrize("rate_hz", [25.0, 59.5, 104.0, 148.148, 256.0])
def test_rate_survives_times_rounded_to_milliseconds(write: Write, rate_hz: float) -> None:
    """Rounded times give the sensor's rate, not the nearest millisecond's."""
    text = ACC + "\n" + "".join(f"{i / rate_hz:.3f},1,2,3\n" for i in range(3000))
    *_, report = rows_of(write(text))
    assert report.rate_hz == pytest.approx(rate_hz, rel=2e-3)


def test_progress_runs_to_the_end(write: Write) -> None:
    """The fraction read never falls and ends at one."""
    text = ACC + "\n" + "".join(f"{i},1,2,3\n" for i in range(5000))
    for name in ("walk.csv", "walk.csv.gz"):
        seen: list[float] = []
        file = read_sample_file(write(text, name), ReadOptions(block_bytes=1000), seen.append)
        assert sum(chunk.t_s.size for chunk in file.chunks()) == 5000
        assert seen == sorted(seen)
        assert seen[-1] == 1.0


def test_chunks_may_be_read_twice(write: Write) -> None:
    """A second reading gives the same rows and the same report."""
    file = read_sample_file(write(ACC + "\n0,1,2,3\n0,1,2,3\n1,1,2,3\n"))
    first, report = [chunk.t_s.tolist() for chunk in file.chunks()], file.report
    assert [chunk.t_s.tolist() for chunk in file.chunks()] == first
    assert file.report == report


# Times in quarters of a second: fit to meet, to come late, and to be exact in binary.
_steps = st.lists(st.integers(-6, 8), min_size=1, max_size=60)


def _unordered_rows(steps: list[int], gyr: list[bool]) -> list[str]:
    newest, lines = 0, []
    for i, step in enumerate(steps):
        at = max(newest + step, newest - 7)
        newest = max(newest, at)
        acc = f"{at},{at * 3},{-at}"
        lines.append(f"{at / 4},,,,{acc}" if gyr[i % len(gyr)] else f"{at / 4},{acc},,,")
    return lines


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_steps, st.lists(st.booleans(), min_size=1, max_size=7), st.integers(1, 400))
def test_any_cutting_gives_the_same_rows(write: Write, steps: list[int], gyr: list[bool], size: int) -> None:
    """Blocks of any size give the same rows, counts and rate, and the rows are those of the file in order."""
    lines = _unordered_rows(steps, gyr)
    path = write("\n".join([BOTH, *lines]))
    t_s, values, report = rows_of(path)
    assert rows_of(path, block_bytes=size) == (t_s, values, report)
    assert t_s == sorted({float(line.split(",")[0]) for line in lines})
    assert report.rows + report.repeats_dropped + report.joined_rows == len(lines)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(write: Write, noise: bytes) -> None:
    """Whatever follows the header, the file is read or refused with a RecordingError."""
    try:
        rows_of(write(ACC.encode() + b"\n" + noise))
    except RecordingError as fault:
        assert "\n" not in str(fault)  # noqa: PT017


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_both_fast_readers_are_exact(numbers: list[float]) -> None:
    """Both readers give the double that the text says, to the last bit."""
    pytest.importorskip("pyarrow")
    from tracker.samplefile.columns import select
    from tracker.samplefile.origin import Origin

    selection = select(["t_s", "emg_1_uv"], ReadOptions(), Origin(Path("x.csv")))
    body = "".join(f"{i},{x!r}\n" for i, x in enumerate(numbers)).encode()
    for reader in (csv_numbers.read_with_pyarrow, csv_numbers.read_with_pandas):
        table = reader(body, selection)
        assert table is not None
        assert table[:, 1].tolist() == numbers


def test_chunks_fit_the_blocks_of_the_flow(write: Write) -> None:
    """A chunk gives one block a sensor, without rows where it has no sample."""
    file: SampleFile = read_sample_file(write(BOTH + ",temp_c\n0,1,2,3,,,,30\n1,1,2,3,4,5,6,\n"))
    (chunk,) = file.chunks()
    assert isinstance(chunk, RowChunk)
    assert {block.modality: block.t_s.tolist() for block in chunk.blocks()} == {
        Modality.ACC: [0.0, 1.0],
        Modality.GYR: [1.0],
        Modality.TEMP: [0.0],
    }


def test_lone_carriage_returns_in_a_long_file(write: Write) -> None:
    """Line ends of the classic Mac work beyond the first stretch."""
    path = write(ACC + "\r" + "".join(f"{i},1,2,3\r" for i in range(20_000)))
    assert rows_of(path, block_bytes=10_000)[2].rows == 20_000


def test_a_line_without_end(write: Write) -> None:
    """Text without line ends is refused before it fills the memory."""
    assert refused(write(b"1," * 2_000_000)).startswith(": this is not a CSV file: a line has no end")


def test_heavy_libraries_stay_out() -> None:
    """Importing the package loads neither pandas nor pyarrow: who reads no file does not pay for them."""
    code = "import sys, tracker.samplefile; print({'pandas', 'pyarrow', 'scipy'} & set(sys.modules))"
    root = Path(tracker.__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
