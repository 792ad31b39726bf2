"""What the columns of a sample file mean: sensor, axis or muscle, unit; and which of them are read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from analysis.samples import STANDARD_GRAVITY_MPS2, Modality
from drivers.rows import ACC_COLUMNS, GYR_COLUMNS, TEMP_COLUMN
from tracker.samplefile.origin import Origin

TIME_COLUMN = "t_s"


class AccUnit(StrEnum):
    """Units of acceleration in sample files."""

    MPS2 = "mps2"
    G = "g"
    MG = "mg"


class GyrUnit(StrEnum):
    """Units of angular rate in sample files."""

    RAD_S = "rad_s"
    DEG_S = "deg_s"
    DPS = "dps"


class EmgUnit(StrEnum):
    """Units of surface EMG in sample files."""

    UV = "uv"
    MV = "mv"
    V = "v"


Unit = AccUnit | GyrUnit | EmgUnit

TO_CANONICAL: dict[Unit, float] = {
    AccUnit.MPS2: 1.0,
    AccUnit.G: STANDARD_GRAVITY_MPS2,
    AccUnit.MG: STANDARD_GRAVITY_MPS2 / 1000.0,
    GyrUnit.RAD_S: 1.0,
    GyrUnit.DEG_S: math.pi / 180.0,
    GyrUnit.DPS: math.pi / 180.0,
    EmgUnit.UV: 1.0,
    EmgUnit.MV: 1e3,
    EmgUnit.V: 1e6,
}

# EMG without `emg_` before it in any unit: the calf's muscles as papers write them.
LEG_MUSCLES = (
    "soleus", "calf", "plantaris", "tib_ant", "tib_post", "tibialis_anterior", "tibialis_posterior",
    "gastroc", "gastroc_med", "gastroc_lat", "med_gastroc", "lat_gastroc",
    "gastrocnemius", "gastrocnemius_medialis", "gastrocnemius_lateralis",
    "peroneus", "peroneus_longus", "peroneus_brevis", "fibularis_longus", "fibularis_brevis",
)  # fmt: skip
# Microvolts that are no muscle.
NOT_MUSCLES = ("ecg", "ekg", "eeg", "eog", "eda", "ppg", "ref", "noise", "bat", "vbat", "supply")

_AXIS = re.compile(r"(acc|gyr)_([xyz])(?:_(.+))?")
_PREFIXED = re.compile(r"(.+_)(?:(?:acc|gyr)_[xyz](?:_(?:mps2|g|mg|rad_s|deg_s|dps))?|emg(?:_.+)?)")


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the user says about a file that its header does not.

    Attributes:
        prefix: picks one sensor of a many-sensor file (`lshank_`, or `lshank`); t_s never carries it.
        acc_unit: unit of acceleration columns without a unit suffix.
        gyr_unit: the same for angular rate.
        emg_unit: the same for EMG.
        block_bytes: text is read in stretches of about this size; it changes nothing but memory.
        batch_rows: the same for Parquet, in rows.
    """

    prefix: str = ""
    acc_unit: AccUnit | None = None
    gyr_unit: GyrUnit | None = None
    emg_unit: EmgUnit | None = None
    block_bytes: int = 3_000_000
    batch_rows: int = 120_000


@dataclass(frozen=True, slots=True)
class Signal:
    """A column understood: its modality, canonical name, and unit where the name says one."""

    modality: Modality
    canonical: str
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class Pick:
    """A column that is read.

    Attributes:
        index: place in the file, 0 is the leftmost column.
        source: its name as the file writes it.
        canonical: its name in `RowChunk`.
        factor: file unit times this is the canonical unit.
    """

    index: int
    source: str
    canonical: str
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Selection:
    """The columns of one sensor in one file.

    Attributes:
        time: the t_s column.
        picks: sample columns, in canonical order.
        ignored: names of the columns that are not read, as the file writes them.
        width: number of columns in the file.
    """

    time: Pick
    picks: tuple[Pick, ...]
    ignored: tuple[str, ...]
    width: int


def plain_name(written: str) -> str:
    """A header cell in the spelling that names are compared in: lower case, single underscores for blanks."""
    return re.sub(r"\s+", "_", written.strip().lower())


def signal_of(name: str) -> Signal | None:
    """What a column (lower case, prefix removed) holds; None if this program has no use for it."""
    if name == TEMP_COLUMN:
        return Signal(Modality.TEMP, TEMP_COLUMN)
    axis = _AXIS.fullmatch(name)
    if axis:
        return _axis_signal(axis[1], axis[2], axis[3])
    return _emg_signal(name)


def _axis_signal(sensor: str, axis: str, unit: str | None) -> Signal | None:
    names, units = (ACC_COLUMNS, AccUnit) if sensor == "acc" else (GYR_COLUMNS, GyrUnit)
    canonical = names["xyz".index(axis)]
    if unit is None:
        return Signal(Modality(sensor), canonical)
    known: dict[str, Unit] = {member.value: member for member in units}
    return Signal(Modality(sensor), canonical, known[unit]) if unit in known else None


def _emg_signal(name: str) -> Signal | None:
    """EMG as `emg_<muscle>_<unit>`; `emg` alone is channel 1; `<muscle>_uv` needs no `emg_`."""
    muscle, _, suffix = name.rpartition("_")
    unit = EmgUnit(suffix) if muscle and suffix in tuple(EmgUnit) else None
    if unit is None:
        muscle = name
    if muscle == "emg" or muscle.startswith("emg_"):
        return Signal(Modality.EMG, f"emg_{muscle[4:] or 1}_uv", unit)
    named = muscle in LEG_MUSCLES
    bare = unit is EmgUnit.UV and "_emg_" not in muscle and muscle.split("_")[0] not in ("", *NOT_MUSCLES)
    return Signal(Modality.EMG, f"emg_{muscle}_uv", unit) if named or bare else None


def prefixes_in(names: Sequence[str]) -> tuple[str, ...]:
    """Prefixes of the sensors in a many-sensor file, in the order of the file."""
    found = (_PREFIXED.fullmatch(name) for name in names)
    return tuple(dict.fromkeys(match[1] for match in found if match))


def select(header: Sequence[str], options: ReadOptions, origin: Origin) -> Selection:
    """The columns to read, each with its factor to the canonical unit.

    Args:
        header: column names as the file writes them.
        options: prefix and units given by the user.
        origin: the file, for the error.

    Returns:
        The selection; `picks` is never empty and holds whole triples only.

    Raises:
        RecordingError: t_s or all samples are missing, a name occurs twice, a triple is not whole, a unit
            is not known, or several sensors are there and no prefix was given.
    """
    names = [plain_name(written) for written in header]
    _refuse_twins(names, header, origin)
    if TIME_COLUMN not in names:
        raise origin.error(_no_time(header), _header_line(origin))
    prefix = _whole_prefix(names, options.prefix, origin)
    signals = list(_signals(names, prefix))
    if not any(signal.modality is not Modality.TEMP or prefix for _, signal in signals):
        _refuse_hidden_sensors(names, origin)
    if not signals:
        raise origin.error(f"no column has samples (found {_listed(header)})", _header_line(origin))
    picks = [_pick(index, header[index].strip(), signal, options, origin) for index, signal in signals]
    _refuse_two_units(picks, origin)
    _refuse_torn_triples(picks, prefix, origin)
    time = names.index(TIME_COLUMN)
    taken = {time, *(pick.index for pick in picks)}
    return Selection(
        Pick(time, header[time].strip(), TIME_COLUMN),
        tuple(sorted(picks, key=_canonical_rank)),
        tuple(written.strip() for at, written in enumerate(header) if at not in taken),
        len(names),
    )


def _signals(names: Sequence[str], prefix: str) -> Iterator[tuple[int, Signal]]:
    others = () if prefix else prefixes_in(names)
    for index, name in enumerate(names):
        if name == TIME_COLUMN or not name.startswith(prefix) or name.startswith(others):
            continue
        signal = signal_of(name.removeprefix(prefix))
        if signal:
            yield index, signal


def _pick(index: int, source: str, signal: Signal, options: ReadOptions, origin: Origin) -> Pick:
    if signal.modality is Modality.TEMP:
        return Pick(index, source, signal.canonical)
    given: dict[Modality, Unit | None] = {
        Modality.ACC: options.acc_unit,
        Modality.GYR: options.gyr_unit,
        Modality.EMG: options.emg_unit,
    }
    unit = signal.unit or given[signal.modality]
    if unit is None:
        kinds = {Modality.ACC: AccUnit, Modality.GYR: GyrUnit, Modality.EMG: EmgUnit}[signal.modality]
        raise origin.error(
            f"the name has no unit: add --{signal.modality.value}-unit {'|'.join(kinds)}",
            _header_line(origin),
            source,
        )
    return Pick(index, source, signal.canonical, TO_CANONICAL[unit])


def _whole_prefix(names: Sequence[str], asked: str, origin: Origin) -> str:
    prefix = plain_name(asked)
    if not prefix:
        return prefix
    for whole in (prefix.rstrip("_") + "_", prefix):
        if any(signal_of(name.removeprefix(whole)) for name in names if name.startswith(whole)):
            return whole
    found = ", ".join(prefixes_in(names)) or "none"
    raise origin.error(f"no column has the prefix {asked} (prefixes found: {found})", _header_line(origin))


def _refuse_hidden_sensors(names: Sequence[str], origin: Origin) -> None:
    found = prefixes_in(names)
    if found:
        many = "several sensors" if len(found) > 1 else "columns with a prefix"
        raise origin.error(
            f"the file has {many}: pick one with --prefix (found: {', '.join(found)})", _header_line(origin)
        )


def _refuse_twins(names: Sequence[str], header: Sequence[str], origin: Origin) -> None:
    for index, name in enumerate(names):
        if name and name in names[:index]:
            raise origin.error("this name occurs twice in the header", _header_line(origin), header[index].strip())


def _refuse_two_units(picks: Sequence[Pick], origin: Origin) -> None:
    seen: dict[str, Pick] = {}
    for pick in picks:
        twin = seen.setdefault(pick.canonical, pick)
        if twin is not pick:
            raise origin.error(
                f"columns {twin.source} and {pick.source} hold the same channel: leave one of them out",
                _header_line(origin),
            )


def _refuse_torn_triples(picks: Sequence[Pick], prefix: str, origin: Origin) -> None:
    present = {pick.canonical for pick in picks}
    for triple in (ACC_COLUMNS, GYR_COLUMNS):
        missing = [prefix + name for name in triple if name not in present]
        if 0 < len(missing) < len(triple):
            raise origin.error(f"{' and '.join(missing)} missing: a sensor needs its x, y and z", _header_line(origin))


def _no_time(header: Sequence[str]) -> str:
    if re.search(r"[;\t]", header[0]):
        return "columns must be separated by commas, with a point in decimal numbers"
    return f"column {TIME_COLUMN} (seconds from the start) is missing from the header"


def _listed(header: Sequence[str]) -> str:
    shown = [written.strip() for written in header[:12]]
    return ", ".join(shown) + (", ..." if len(header) > len(shown) else "")


def _header_line(origin: Origin) -> int | None:
    return 1 if origin.counts_lines else None


def _canonical_rank(pick: Pick) -> int:
    order = (*ACC_COLUMNS, *GYR_COLUMNS, TEMP_COLUMN)
    return order.index(pick.canonical) if pick.canonical in order else len(order)
