"""The way a leg goes: ankle position and shank orientation over time, with the truth of what it did."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from analysis.events import Contraction, State, StateSpan
from analysis.samples import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Motion of ankle and shank, evenly sampled; world frame.

    Attributes:
        rate_hz: samples per second of the path (finer than any sensor's).
        ankle_m: (n, 3) position.
        angles_rad: (n, 3) roll, pitch, yaw of the shank: R = Rz(yaw) Ry(pitch) Rx(roll).
        shake_mps2: (n, 3) acceleration beside the path's own: foot strikes, vibration.
        truth: what truly happened, path seconds.
        spans: the state at each time.
        strap_rad: (n, 3) roll, pitch, yaw of the strap against the bone, as muscle bulges under it; None = none.
    """

    rate_hz: float
    ankle_m: FloatArray
    angles_rad: FloatArray
    shake_mps2: FloatArray
    truth: tuple[Contraction, ...] = ()
    spans: tuple[StateSpan, ...] = field(default=())
    strap_rad: FloatArray | None = None

    def __len__(self) -> int:
        return int(self.ankle_m.shape[0])

    @property
    def duration_s(self) -> float:
        """Length of the path."""
        return len(self) / self.rate_hz


def still(rate_hz: float, duration_s: float, pitch_rad: float, state: State) -> Path:
    """The leg at rest in one pose (sway is added over the whole story)."""
    n = round(duration_s * rate_hz)
    angles = np.zeros((n, 3))
    angles[:, 1] = pitch_rad
    span = StateSpan(state, 0.0, n / rate_hz)
    return Path(rate_hz, np.zeros((n, 3)), angles, np.zeros((n, 3)), (), (span,))


def minimum_jerk(share: FloatArray) -> FloatArray:
    """Smooth rise from 0 to 1 over share 0..1.

    Source: Flash & Hogan 1985, doi 10.1523/JNEUROSCI.05-07-01688.1985, eq. 2.
    """
    s = np.clip(share, 0.0, 1.0)
    return s**3 * (10.0 - 15.0 * s + 6.0 * s**2)


def join(paths: list[Path], turn_s: float = 1.2) -> Path:
    """One path after the other; a smooth turn of the shank bridges different end and start poses."""
    parts: list[Path] = []
    for path in paths:
        if parts and (bridge := _bridge(parts[-1], path, turn_s)) is not None:
            parts.append(bridge)
        parts.append(path)
    return _lay_end_to_end(parts)


def _bridge(before: Path, after: Path, turn_s: float) -> Path | None:
    start, end = before.angles_rad[-1], after.angles_rad[0]
    if np.abs(end - start).max() < np.radians(0.2):
        return None
    n = round(turn_s * before.rate_hz)
    share = minimum_jerk((np.arange(n) + 0.5) / n)[:, None]
    span = StateSpan(before.spans[-1].state, 0.0, n / before.rate_hz)
    return Path(before.rate_hz, np.zeros((n, 3)), start + share * (end - start), np.zeros((n, 3)), (), (span,))


def _lay_end_to_end(parts: list[Path]) -> Path:
    ankle: list[FloatArray] = []
    truth: list[Contraction] = []
    spans: list[StateSpan] = []
    at_s, place = 0.0, np.zeros(3)
    for part in parts:
        ankle.append(part.ankle_m - part.ankle_m[0] + place)
        place = ankle[-1][-1]
        truth.extend(_shift(event, at_s) for event in part.truth)
        spans.extend(replace(s, start_s=s.start_s + at_s, end_s=s.end_s + at_s) for s in part.spans)
        at_s += part.duration_s
    return Path(
        parts[0].rate_hz,
        np.concatenate(ankle),
        np.concatenate([part.angles_rad for part in parts]),
        np.concatenate([part.shake_mps2 for part in parts]),
        tuple(truth),
        tuple(spans),
        _straps(parts),
    )


def _straps(parts: list[Path]) -> FloatArray | None:
    if all(part.strap_rad is None for part in parts):
        return None
    return np.concatenate([np.zeros((len(part), 3)) if part.strap_rad is None else part.strap_rad for part in parts])


def _shift(event: Contraction, by_s: float) -> Contraction:
    return replace(event, onset_s=event.onset_s + by_s, peak_s=event.peak_s + by_s, end_s=event.end_s + by_s)
