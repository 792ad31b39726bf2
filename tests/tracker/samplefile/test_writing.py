"""Export of decoded samples, and the way back in."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.samples import FloatArray, Modality, SampleBlock
from drivers.errors import RecordingError
from tracker.samplefile import merging, parts, read_sample_file, write_samples

ENDINGS = ["csv", "csv.gz", "parquet"]
AXES = {Modality.ACC: 3, Modality.GYR: 3, Modality.TEMP: 1, Modality.EMG: 2}


def block(modality: Modality, t_s: FloatArray | list[float], first: float = 0.0, **more: object) -> SampleBlock:
    t_s = np.asarray(t_s, dtype=np.float64)
    channels = {1: ("temp",), 2: ("soleus", "tib_ant"), 3: ("x", "y", "z")}[AXES[modality]]
    values = first + np.sqrt(np.arange(1.0, t_s.size * len(channels) + 1)).reshape(-1, len(channels))
    return SampleBlock(modality, t_s, values, channels, **more)  # type: ignore[arg-type]


def streams_in(path: Path) -> dict[str, tuple[list[float], list[list[float]]]]:
    """Samples of each modality as the reader gives them."""
    found: dict[str, tuple[list[float], list[list[float]]]] = {}
    for chunk in read_sample_file(path).chunks():
        for one in chunk.blocks():
            t_s, values = found.setdefault(one.modality, ([], []))
            t_s += one.t_s.tolist()
            values += one.values.tolist()
    return found


@pytest.fixture(params=ENDINGS)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "parquet":
        pytest.importorskip("pyarrow")
    return tmp_path / f"out.{request.param}"


def test_export_text(tmp_path: Path) -> None:
    """One row an instant, empty cells where a sensor has none, numbers that read back to the same bits."""
    path = tmp_path / "out.csv"
    acc = SampleBlock(Modality.ACC, np.array([0.0, 0.1]), np.array([[0.1, 1 / 3, -9.80665], [1e-7, 2.5, 3.25]]))
    temp = SampleBlock(Modality.TEMP, np.array([0.05]), np.array([[31.25]]), ("temp",))
    done = write_samples(path, iter([(acc, temp)]))
    assert path.read_text().splitlines()[0] == "t_s,acc_x_mps2,acc_y_mps2,acc_z_mps2,temp_c"
    assert [line.count(",") for line in path.read_text().splitlines()] == [4] * 4
    assert path.read_text().splitlines()[2] == "0.05,,,,31.25"
    assert float(path.read_text().splitlines()[1].split(",")[2]) == 1 / 3
    assert (done.rows, done.columns[-1], done.left_out) == (3, "temp_c", ())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_both_writers_of_text_read_back_exactly() -> None:
    """With and without pyarrow the text gives the same bits back, and NaN is an empty cell."""
    pytest.importorskip("pyarrow")
    rng = np.random.default_rng(3)
    column = rng.normal(size=2000) * 10.0 ** rng.integers(-12, 12, 2000)
    column[7] = np.nan
    for text in (parts.text_with_repr, parts.text_with_pyarrow):
        cells = [line.split(",")[1] for line in text([np.arange(2000.0), column]).decode().splitlines()]
        assert cells[7] == ""
        np.testing.assert_array_equal([float(cell or "nan") for cell in cells], column)


def test_streams_with_clocks_of_their_own(target: Path) -> None:
    """Streams that lag by ten seconds and groups that overlap come out in order, sample for sample."""
    acc = block(Modality.ACC, np.arange(0, 300, 0.01))
    gyr = block(Modality.GYR, np.arange(0.003, 290, 0.0125))

    def groups() -> Iterator[tuple[SampleBlock, ...]]:
        for second in range(300):
            lagging = max(second - 10, 0)
            yield (
                acc.between(second * 100, second * 100 + 100),
                gyr.between(lagging * 80, lagging * 80 + 80 if second >= 10 else 0),
            )

    write_samples(target, groups())
    found = streams_in(target)
    assert found["acc"] == (acc.t_s.tolist(), acc.values.tolist())
    assert found["gyr"] == (gyr.t_s.tolist(), gyr.values.tolist())


def test_a_stream_that_begins_late(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sensor that first speaks after rows were written gets its columns all the same."""
    monkeypatch.setattr(merging, "_GATHERED_SAMPLES", 10)
    acc = block(Modality.ACC, np.arange(0.0, 200.0))
    temp = block(Modality.TEMP, np.arange(150.5, 200.0, 10.0))
    write_samples(target, [(acc.between(0, 100),), (acc.between(100, 150),), (acc.between(150, 200), temp)])
    found = streams_in(target)
    assert found["acc"] == (acc.t_s.tolist(), acc.values.tolist())
    assert found["temp"] == (temp.t_s.tolist(), temp.values.tolist())
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_what_has_no_canonical_column(tmp_path: Path) -> None:
    """Raw EMG counts get no unit, two streams of one kind get their name in front, the rest is reported."""
    path = tmp_path / "out.csv"
    t_s = np.array([0.0, 1.0])
    raw = SampleBlock(Modality.EMG, t_s, np.ones((2, 1)), ("1",), unit="1")
    heart = SampleBlock(Modality.HR, t_s, np.ones((2, 1)), ("hr",))
    done = write_samples(
        path,
        [(raw, heart, block(Modality.TEMP, t_s, stream="Skin"), block(Modality.TEMP, t_s, stream="Board"))],
    )
    assert done.columns == ("t_s", "skin_temp_c", "board_temp_c", "emg_1")
    assert done.left_out == (Modality.HR,)


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """A fault on the way leaves the old file as it was, and nothing beside it."""
    path = tmp_path / "out.csv"
    path.write_text("old")

    def broken() -> Iterator[tuple[SampleBlock, ...]]:
        yield (block(Modality.ACC, [0.0, 1.0]),)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_samples(path, broken())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("out.txt", "the name must end in .csv, .csv.gz, .parquet"),
        ("none/out.csv", "the file cannot be written (No such file or directory)"),
        ("folder.csv", "this is a folder, not a file to write"),
        ("out.csv", "there are no samples to write"),
    ],
)
def test_refused_targets(tmp_path: Path, name: str, sentence: str) -> None:
    """A target that cannot be written is refused in one sentence."""
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(RecordingError) as caught:
        write_samples(tmp_path / name, [])
    assert caught.value.reason == sentence


@pytest.mark.parametrize("name", ["out.csv", "closed/out.csv"])
def test_refused_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A folder that may not be entered or written is told in one sentence."""

    def closed(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    if name.startswith("closed"):
        monkeypatch.setattr(Path, "is_dir", closed)
    else:
        monkeypatch.setattr("tempfile.TemporaryDirectory", closed)
    with pytest.raises(RecordingError, match=r"the file cannot be written \(Permission denied\)"):
        write_samples(tmp_path / name, [])


def test_a_block_that_comes_too_late(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """t_s never decreases: a block from before what was written is the caller's fault."""
    monkeypatch.setattr(merging, "_GATHERED_SAMPLES", 2)
    late = [(block(Modality.ACC, [0.0, 1.0, 100.0]),), (block(Modality.GYR, [0.5]),)]
    with pytest.raises(ValueError, match="came after rows up to 70"):
        write_samples(tmp_path / "out.csv", late)


_instants = st.lists(st.integers(0, 4000), min_size=1, max_size=40, unique=True).map(sorted)
_number = st.floats(-1e9, 1e9, allow_nan=False)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_import_of_an_export_is_identity(tmp_path: Path, data: st.DataObject) -> None:
    """Any streams, cut anywhere, come back sample for sample and bit for bit."""
    pytest.importorskip("pyarrow")
    path = tmp_path / f"out.{data.draw(st.sampled_from(ENDINGS))}"
    kinds = data.draw(st.lists(st.sampled_from(sorted(AXES)), min_size=1, max_size=4, unique=True))
    whole = {}
    for kind in kinds:
        t_s = np.array(data.draw(_instants)) / 130.0
        flat = data.draw(st.lists(_number, min_size=AXES[kind], max_size=AXES[kind]))
        values = np.outer(np.sin(t_s + 1), flat)
        whole[kind] = SampleBlock(kind, t_s, values, block(kind, [0.0]).channels)
    cuts = sorted(data.draw(st.lists(st.floats(0, 31), max_size=4)))
    edges = [-np.inf, *cuts, np.inf]
    groups = [
        tuple(one.between(*np.searchsorted(one.t_s, edges[i : i + 2]).tolist()) for one in whole.values())
        for i in range(len(edges) - 1)
    ]
    write_samples(path, groups)
    assert streams_in(path) == {kind: (one.t_s.tolist(), one.values.tolist()) for kind, one in whole.items()}
