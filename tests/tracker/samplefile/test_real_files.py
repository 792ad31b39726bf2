"""Recordings by others: found through SOLEUS_TEST_DATA, skipped by name without it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from drivers.errors import RecordingError
from tracker.samplefile import AccUnit, GyrUnit, ReadOptions, SampleFile, read_sample_file

UNITS = {"acc_unit": AccUnit.MPS2, "gyr_unit": GyrUnit.RAD_S}


def real(name: str) -> Path:
    root = os.environ.get("SOLEUS_TEST_DATA")
    if not root or not (Path(root) / name).exists():
        pytest.skip(f"SOLEUS_TEST_DATA has no {name}")
    return Path(root) / name


def whole(path: Path, **options: object) -> tuple[SampleFile, np.ndarray]:
    file = read_sample_file(path, ReadOptions(**options))  # type: ignore[arg-type]
    return file, np.concatenate([np.column_stack([chunk.t_s, chunk.values]) for chunk in file.chunks()])


@pytest.mark.parametrize(
    ("name", "prefix", "rate_hz"),
    [
        ("pearl_treadmill/Sub01_CSBaseline.csv.gz", "lshank_", 100.0),
        ("pearl_treadmill/Sub01_CSBaseline.csv.gz", "rshank_", 100.0),
        ("pt_seated/s1_e1_test.csv.gz", "lankle_", 25.0),
        ("ble_ankle/Camminata_rotazione_sx_1.csv.gz", "lankle_", 100.0),
        ("ble_ankle/09_02_2023_15_20.csv.gz", "lankle_", 66.67),
    ],
)
def test_one_sensor_of_a_real_file(name: str, prefix: str, rate_hz: float) -> None:
    """The rows are those pandas reads, and the rate is the recording's."""
    import pandas as pd

    path = real(name)
    file, table = whole(path, prefix=prefix, **UNITS)
    names = ["t_s", *(f"{prefix}{sensor}_{axis}" for sensor in ("acc", "gyr") for axis in "xyz")]
    np.testing.assert_allclose(table, pd.read_csv(path)[names].to_numpy(), rtol=1e-15)
    assert file.report.rate_hz == pytest.approx(rate_hz, rel=0.03)
    assert file.report.rows == len(table)
    assert (file.report.late_rows, file.report.torn_triples) == (0, 0)


def test_prefixes_of_a_real_file() -> None:
    """A file of two shanks without a prefix names both."""
    with pytest.raises(RecordingError, match=r"pick one with --prefix \(found: lshank_, rshank_\)"):
        read_sample_file(real("pearl_treadmill/Sub01_CSBaseline.csv.gz"))


def test_emg_of_a_real_file() -> None:
    """Muscles in microvolts are read without the emg_ prefix."""
    file, table = whole(real("emg_calf_walk/ID0012_TW_01_emg.csv.gz"))
    assert file.columns == (
        "emg_soleus_uv", "emg_gastroc_med_uv", "emg_gastroc_lat_uv", "emg_tib_ant_uv", "emg_peroneus_uv",
    )  # fmt: skip
    assert file.report.rate_hz == 1000.0
    assert table[0].tolist() == [0.014, 8.963013, 8.862305, -8.358765, -44.31152, 2.316284]
