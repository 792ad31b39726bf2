"""Sample files in Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivers.errors import RecordingError
from tracker.samplefile import ReadOptions, read_sample_file

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")


def written(path: Path, **columns: Any) -> Path:
    parquet.write_table(pa.table(columns), path)
    return path


def acc(path: Path, t_s: Any, x: Any, **more: Any) -> Path:
    return written(path, T_S=t_s, acc_x_g=x, acc_y_g=x, acc_z_g=x, **more)


def refused(path: Path) -> str:
    with pytest.raises(RecordingError) as caught:
        list(read_sample_file(path).chunks())
    return str(caught.value).removeprefix(str(path))


def test_null_is_an_empty_cell(tmp_path: Path) -> None:
    """Null means no sample; integers, float32 and decimals are numbers; batches of any size give the same."""
    path = acc(
        tmp_path / "walk.parquet",
        pa.array([0, 1, 2, 3], pa.int32()),
        pa.array([1.0, None, 2.0, 3.0], pa.float32()),
        temp_c=pa.array([None, 30.5, None, 31.0]),
        label=["a", "b", "c", "d"],
    )
    for batch_rows in (1, 3, 100):
        seen: list[float] = []
        file = read_sample_file(path, ReadOptions(batch_rows=batch_rows), seen.append)
        chunks = list(file.chunks())
        values = np.concatenate([chunk.values for chunk in chunks])
        assert np.concatenate([chunk.t_s for chunk in chunks]).tolist() == [0, 1, 2, 3]
        np.testing.assert_array_equal(values[:, 0], [9.80665, np.nan, 2 * 9.80665, 3 * 9.80665])
        np.testing.assert_array_equal(values[:, 3], [np.nan, 30.5, np.nan, 31.0])
        assert file.report.ignored_columns == ("label",)
        assert (seen, seen[-1]) == (sorted(seen), 1.0)


def test_faults_name_row_and_column(tmp_path: Path) -> None:
    """NaN that is not null, infinity, text and time running back are refused; the first row is row 1."""
    path = tmp_path / "walk.parquet"
    assert refused(acc(path, [0.0, 1.0], [1.0, np.nan])) == (
        ": row 2, column acc_x_g: NaN is not a number (no sample is null)"
    )
    assert refused(acc(path, [0.0, 1.0], [np.inf, 1.0])) == ": row 1, column acc_x_g: the number is too large"
    assert refused(acc(path, [0.0, 1.0], ["1", "2"])) == (": column acc_x_g: numbers are needed, the file holds string")
    assert refused(acc(path, [5.0, 1.0], [1.0, 1.0])).startswith(": row 2, column T_S: time runs back by 4 s")
    assert refused(acc(path, [0.0, None], [1.0, 1.0])) == ": row 2, column T_S: the cell is empty"
    assert refused(written(path, t_s=[0.0], speed=[1.0])) == ": no column has samples (found t_s, speed)"
    assert refused(acc(path, pa.array([], pa.float64()), pa.array([], pa.float64()))) == (
        ": the file has a header and no rows"
    )


def test_damaged_in_the_middle(tmp_path: Path) -> None:
    """A file with sound ends and a damaged middle is refused in one sentence."""
    path = acc(tmp_path / "walk.parquet", np.arange(5e4), np.random.default_rng(1).normal(size=50_000))
    data = bytearray(path.read_bytes())
    data[5_000:300_000] = bytes(295_000)
    path.write_bytes(data)
    assert refused(path) == ": this is not a Parquet file, or it is damaged"


def test_many_columns_of_one_name(tmp_path: Path) -> None:
    """Two columns of one name are refused."""
    path = tmp_path / "walk.parquet"
    column = pa.array([1.0])
    parquet.write_table(pa.Table.from_arrays([column] * 3, names=["t_s", "emg_1_uv", "emg_1_uv"]), path)
    assert refused(path) == ": column emg_1_uv: this name occurs twice in the header"
