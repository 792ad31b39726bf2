"""What a virtual sensor feels: a signal that can be asked for its value at any instant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from analysis.samples import STANDARD_GRAVITY_MPS2, FloatArray, Modality, SampleBlock


class Source(Protocol):
    """The world as the sensor would measure it, on the axis of the sensor's life: seconds since it was switched on."""

    def measure(self, modality: Modality, t_s: FloatArray, rate_hz: float) -> Sequence[SampleBlock]:
        """Values of a modality at these instants, one block a stream; empty where the source has none of it.

        Args:
            modality: what is measured.
            t_s: (n,) increasing seconds of the sensor's life; the blocks carry exactly these.
            rate_hz: the rate the sensor streams at, for the blocks' own record.
        """
        ...


class FromBlocks:
    """Plays arrays, linearly interpolated; holds the last value at the end, or begins again."""

    def __init__(self, blocks: Iterable[SampleBlock], *, repeat_s: float | None = None) -> None:
        """Blocks of one stream follow each other.

        Args:
            blocks: any modalities and streams, t_s in seconds of the sensor's life.
            repeat_s: begin again after so many seconds; None holds the last value.
        """
        self._streams: dict[Modality, dict[str | None, list[SampleBlock]]] = {}
        for block in blocks:
            if len(block):
                self._streams.setdefault(block.modality, {}).setdefault(block.stream, []).append(block)
        self._joined = {
            modality: [_join(parts) for parts in streams.values()] for modality, streams in self._streams.items()
        }
        self._repeat_s = repeat_s

    def measure(self, modality: Modality, t_s: FloatArray, rate_hz: float) -> list[SampleBlock]:
        """See `Source`."""
        at_s = t_s if self._repeat_s is None else np.mod(t_s, self._repeat_s)
        return [
            SampleBlock(
                modality, t_s, _between(block, at_s), block.channels, rate_hz, block.stream, block.unit
            )
            for block in self._joined.get(modality, ())
        ]  # fmt: skip


def _join(parts: list[SampleBlock]) -> SampleBlock:
    first = parts[0]
    return SampleBlock(
        first.modality,
        np.concatenate([part.t_s for part in parts]),
        np.concatenate([part.values for part in parts]),
        first.channels, first.rate_hz, first.stream, first.unit,
    )  # fmt: skip


def _between(block: SampleBlock, at_s: FloatArray) -> FloatArray:
    # `interp` looks at every one of its points, and a sensor asks for a few instants of an hour.
    first = max(0, int(np.searchsorted(block.t_s, at_s.min())) - 1) if at_s.size else 0
    last = int(np.searchsorted(block.t_s, at_s.max(), "right")) + 1 if at_s.size else 1
    known_s, known = block.t_s[first:last], block.values[first:last]
    values = np.column_stack([np.interp(at_s, known_s, column) for column in known.T])
    if block.modality is Modality.QUAT:
        values /= np.linalg.norm(values, axis=1, keepdims=True)
    return values


def rocking(every_s: float = 3.0, lift_rad: float = 0.35, emg_channels: int = 8) -> FromBlocks:
    """A shank that tips forward and back for ever, as in seated push-ups; EMG that swells with it.

    For showing that a stream flows; a leg that moves as legs do comes from elsewhere.
    """
    t_s = np.arange(0.0, every_s + 1e-9, 0.005)
    phase = 2 * np.pi * t_s / every_s
    tip = lift_rad / 2 * (1 - np.cos(phase))
    zero = np.zeros_like(t_s)
    gravity = STANDARD_GRAVITY_MPS2 * np.column_stack([np.sin(tip), zero, np.cos(tip)])
    turning = np.column_stack([zero, lift_rad / 2 * np.sin(phase) * 2 * np.pi / every_s, zero])
    noise = np.random.default_rng(7).normal(size=(t_s.size, emg_channels))
    quaternion = np.column_stack([np.cos(tip / 2), zero, np.sin(tip / 2), zero])
    earth = np.column_stack([np.full_like(t_s, 20.0), zero, np.full_like(t_s, -43.0)])
    muscles = tuple(str(i + 1) for i in range(emg_channels))
    return FromBlocks(
        [
            SampleBlock(Modality.ACC, t_s, gravity),
            SampleBlock(Modality.GYR, t_s, turning),
            SampleBlock(Modality.MAG, t_s, earth),
            SampleBlock(Modality.QUAT, t_s, quaternion, ("w", "x", "y", "z")),
            SampleBlock(Modality.EULER, t_s, np.column_stack([zero, tip, zero]), ("roll", "pitch", "yaw")),
            SampleBlock(Modality.EMG, t_s, noise * (4 + 20 * tip[:, None] / lift_rad), muscles),
            SampleBlock(Modality.TEMP, t_s, np.full((t_s.size, 1), 31.0), ("temp",)),
        ],
        repeat_s=every_s,
    )
