"""What the header of a sample file may say, and what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers.errors import RecordingError
from tracker.samplefile.columns import AccUnit, EmgUnit, GyrUnit, ReadOptions, Selection, select
from tracker.samplefile.origin import Origin

ACC = "acc_x_mps2,acc_y_mps2,acc_z_mps2"
BARE = "acc_x,acc_y,acc_z"


def chosen(header: str, **options: object) -> Selection:
    return select(header.split(","), ReadOptions(**options), Origin(Path("walk.csv")))  # type: ignore[arg-type]


def canonical(selection: Selection) -> list[str]:
    return [pick.canonical for pick in selection.picks]


def refused(header: str, **options: object) -> str:
    with pytest.raises(RecordingError) as caught:
        chosen(header, **options)
    return str(caught.value)


def test_canonical_order() -> None:
    """Whatever the order in the file, columns come as acc, gyr, temp, EMG."""
    selection = chosen("emg_soleus_uv,temp_c,gyr_z_rad_s,gyr_x_rad_s,gyr_y_rad_s,acc_x_mps2,acc_z_mps2,acc_y_mps2,t_s")
    assert canonical(selection) == [
        "acc_x_mps2", "acc_y_mps2", "acc_z_mps2", "gyr_x_rad_s", "gyr_y_rad_s", "gyr_z_rad_s",
        "temp_c", "emg_soleus_uv",
    ]  # fmt: skip
    assert selection.time.index == 8
    assert selection.ignored == ()


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("acc_{}_mps2", 1.0),
        ("acc_{}_g", 9.80665),
        ("acc_{}_mg", 0.00980665),
        ("gyr_{}_rad_s", 1.0),
        ("gyr_{}_deg_s", 0.017453292519943295),
        ("gyr_{}_dps", 0.017453292519943295),
    ],
)
def test_unit_in_the_name(name: str, factor: float) -> None:
    """The suffix of an axis says its unit."""
    selection = chosen(",".join(["t_s", *(name.format(axis) for axis in "xyz")]))
    assert [pick.factor for pick in selection.picks] == [factor] * 3


@pytest.mark.parametrize(
    ("name", "column", "factor"),
    [
        ("emg_soleus_uv", "emg_soleus_uv", 1.0),
        ("emg_gastroc_med_mv", "emg_gastroc_med_uv", 1e3),
        ("emg_1_v", "emg_1_uv", 1e6),
        ("emg_uv", "emg_1_uv", 1.0),
        ("soleus_uv", "emg_soleus_uv", 1.0),
        ("biceps_femoris_uv", "emg_biceps_femoris_uv", 1.0),
        ("tib_ant_mv", "emg_tib_ant_uv", 1e3),
    ],
)
def test_emg_names(name: str, column: str, factor: float) -> None:
    """EMG is `emg_<muscle>_<unit>`; without `emg_`, any `_uv`, and a calf muscle in any unit."""
    (pick,) = chosen(f"t_s,{name}").picks
    assert (pick.canonical, pick.factor) == (column, factor)


@pytest.mark.parametrize("name", ["ecg_uv", "battery_mv", "vbat_v", "acc_x_raw", "label", "quadriceps", ""])
def test_unknown_columns_are_ignored(name: str) -> None:
    """A column with no known meaning is listed and not read."""
    assert chosen(f"t_s,{ACC},{name}").ignored == (name,)


def test_units_given_by_the_user() -> None:
    """Columns without a unit take the unit of the options; a unit in the name stands."""
    selection = chosen(
        f"t_s,{BARE},gyr_x,gyr_y,gyr_z,emg_soleus,tib_ant,emg_1_uv",
        acc_unit=AccUnit.G, gyr_unit=GyrUnit.DPS, emg_unit=EmgUnit.MV,
    )  # fmt: skip
    assert [pick.factor for pick in selection.picks[::3]] == [9.80665, 0.017453292519943295, 1e3]
    assert selection.picks[-1].factor == 1.0


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (f"t_s,{BARE}", "line 1: column acc_x: the name has no unit: add --acc-unit mps2|g|mg"),
        (
            "t_s,gyr_x,gyr_y,gyr_z",
            "line 1: column gyr_x: the name has no unit: add --gyr-unit rad_s|deg_s|dps",
        ),
        ("t_s,emg_soleus", "line 1: column emg_soleus: the name has no unit: add --emg-unit uv|mv|v"),
        ("t_s,Soleus", "line 1: column Soleus: the name has no unit: add --emg-unit uv|mv|v"),
        (ACC, "line 1: column t_s (seconds from the start) is missing from the header"),
        ("t_s;acc_x_mps2", "line 1: columns must be separated by commas, with a point in decimal numbers"),
        ("t_s,acc_x_mps2,acc_z_mps2", "line 1: acc_y_mps2 missing: a sensor needs its x, y and z"),
        (
            "t_s,gyr_x_dps,temp_c",
            "line 1: gyr_y_rad_s and gyr_z_rad_s missing: a sensor needs its x, y and z",
        ),
        ("t_s,label,speed", "line 1: no column has samples (found t_s, label, speed)"),
        (f"t_s,{ACC},Acc_X_mps2", "line 1: column Acc_X_mps2: this name occurs twice in the header"),
        ("t_s,t_s," + ACC, "line 1: column t_s: this name occurs twice in the header"),
        (
            f"t_s,{ACC},acc_x_g",
            "line 1: columns acc_x_mps2 and acc_x_g hold the same channel: leave one of them out",
        ),
        (
            "t_s,lshank_acc_x,lshank_acc_y,lshank_acc_z,rshank_gyr_x_dps,temp_c",
            "line 1: the file has several sensors: pick one with --prefix (found: lshank_, rshank_)",
        ),
        (
            "t_s,l_emg_soleus_uv",
            "line 1: the file has columns with a prefix: pick one with --prefix (found: l_)",
        ),
    ],
)
def test_refused_headers(header: str, sentence: str) -> None:
    """A header that cannot be used is refused in one sentence that names the column and the way out."""
    assert refused(header) == f"walk.csv, {sentence}"


def test_prefix_picks_one_sensor() -> None:
    """A prefix, with or without its underscore and in any case, picks one sensor; t_s has none."""
    header = "t_s,l_acc_x_g,l_acc_y_g,l_acc_z_g,r_acc_x_g,r_acc_y_g,r_acc_z_g,r_soleus_uv"
    for prefix in ("r_", "r", "R_"):
        selection = chosen(header, prefix=prefix)
        assert canonical(selection) == ["acc_x_mps2", "acc_y_mps2", "acc_z_mps2", "emg_soleus_uv"]
        assert [pick.index for pick in selection.picks] == [4, 5, 6, 7]
        assert selection.ignored == ("l_acc_x_g", "l_acc_y_g", "l_acc_z_g")


def test_prefix_that_is_not_there() -> None:
    """A wrong prefix is answered with the prefixes there are."""
    assert refused(f"t_s,l_{ACC.replace(',', ',l_')}", prefix="m_") == (
        "walk.csv, line 1: no column has the prefix m_ (prefixes found: l_)"
    )


def test_columns_without_prefix_beside_others() -> None:
    """Where one sensor has no prefix it is read, and the others are ignored."""
    selection = chosen(f"t_s,{ACC},thigh_{ACC.replace(',', ',thigh_')}")
    assert len(selection.picks) == 3
    assert len(selection.ignored) == 3
