"""Simulated surface EMG, from the truth of what a leg did. For tuning and judging, each with seeds of its own.

What a real electrode adds is here one by one: amplifier noise, mains with harmonics, electrodes that lift off,
clipping, movement of skin and cable, and the muscle beside (crosstalk). Activation follows the truth's events: it
leads the movement by the electromechanical delay, and ends where the muscle lets go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from analysis.emg.muscles import Muscle, muscle_of
from analysis.events import Contraction, Kind
from analysis.samples import FloatArray, Modality, SampleBlock

SHARE: dict[Kind, dict[Muscle, float]] = {
    Kind.SOLEUS_PUSHUP: {Muscle.SOLEUS: 0.5, Muscle.GASTROCNEMIUS: 0.12, Muscle.TIBIALIS_ANTERIOR: 0.03},
    Kind.HEEL_RAISE: {Muscle.SOLEUS: 0.7, Muscle.GASTROCNEMIUS: 0.7, Muscle.TIBIALIS_ANTERIOR: 0.05},
    Kind.ANKLE_PUMP: {Muscle.SOLEUS: 0.35, Muscle.GASTROCNEMIUS: 0.4, Muscle.TIBIALIS_ANTERIOR: 0.05},
    Kind.STEP: {Muscle.SOLEUS: 0.6, Muscle.GASTROCNEMIUS: 0.6, Muscle.TIBIALIS_ANTERIOR: 0.08},
    Kind.PEDAL: {Muscle.SOLEUS: 0.4, Muscle.GASTROCNEMIUS: 0.3, Muscle.TIBIALIS_ANTERIOR: 0.05},
}
"""How much of its maximum each muscle gives. Seated (knee bent) the gastrocnemius gives less (FACTS, section 7)."""


@dataclass(frozen=True, slots=True)
class Electrodes:
    """One wearer's electrodes on one day.

    Attributes:
        rate_hz: samples a second.
        most_uv: rms of full activation.
        noise_uv: rms of amplifier and skin.
        middle_hz: middle of the EMG's band.
        crosstalk: share of the neighbour's signal that is heard.
        mains_hz: 50 or 60.
        hum_uv: amplitude of the fundamental.
        harmonics: amplitude of the 2nd and 3rd relative to it.
        drift_uv: size of the slow baseline.
        artefact_uv: size of skin and cable movement at each event.
        offset_uv: level of zero.
        rail_uv: where the converter ends, plus or minus.
        step_uv: converter step, 0 for none.
        delay_s: by which EMG leads movement.
    """

    rate_hz: float = 1000.0
    most_uv: float = 120.0
    noise_uv: float = 2.5
    middle_hz: float = 95.0
    crosstalk: float = 0.05
    mains_hz: float = 50.0
    hum_uv: float = 3.0
    harmonics: tuple[float, float] = (0.2, 0.3)
    drift_uv: float = 20.0
    artefact_uv: float = 30.0
    offset_uv: float = 0.0
    rail_uv: float = 5000.0
    step_uv: float = 0.0
    delay_s: float = 0.06

    @staticmethod
    def anyhow(rng: Generator, rate_hz: float = 1000.0) -> Electrodes:
        """Some skin, some amplifier, some place in some room."""
        return Electrodes(
            rate_hz=rate_hz,
            most_uv=float(rng.uniform(60.0, 400.0)),
            noise_uv=float(rng.uniform(1.0, 4.0)),
            middle_hz=float(rng.uniform(75.0, 130.0)),
            crosstalk=float(rng.uniform(0.02, 0.12)),
            mains_hz=float(rng.choice([50.0, 60.0]) + rng.normal(0.0, 0.03)),
            hum_uv=float(rng.uniform(0.0, 15.0)),
            harmonics=(float(rng.uniform(0.0, 0.4)), float(rng.uniform(0.0, 0.5))),
            drift_uv=float(rng.uniform(0.0, 100.0)),
            artefact_uv=float(rng.uniform(0.0, 80.0)),
            offset_uv=float(rng.uniform(-500.0, 500.0)),
            delay_s=float(rng.uniform(0.04, 0.1)),
        )


@dataclass(frozen=True, slots=True)
class Trouble:
    """A stretch in which one channel is not well: `lifted`, `flat` or `clipped`."""

    what: str
    channel: int
    start_s: float
    end_s: float


def emg_of(
    truth: Sequence[Contraction],
    duration_s: float,
    electrodes: Electrodes,
    rng: Generator,
    channels: tuple[str, ...] = ("soleus",),
    troubles: Sequence[Trouble] = (),
) -> SampleBlock:
    """EMG over `duration_s` in which a leg did what `truth` says.

    Args:
        truth: contractions in order of time.
        duration_s: length.
        electrodes: what they are like.
        rng: source of chance.
        channels: muscle names; a number is somewhere on the calf.
        troubles: stretches of bad contact.

    Returns:
        One block, values (n, channels) in microvolts.
    """
    n = round(duration_s * electrodes.rate_hz)
    t_s = np.arange(n) / electrodes.rate_hz
    own = np.stack([_muscle(t_s, truth, name, electrodes, rng) for name in channels], axis=1)
    heard = own + electrodes.crosstalk * (own.sum(axis=1, keepdims=True) - own)
    for k in range(len(channels)):
        heard[:, k] += _surroundings(t_s, truth, electrodes, rng)
    for trouble in troubles:
        _spoil(heard, t_s, trouble, electrodes, rng)
    values = np.clip(heard + electrodes.offset_uv, -electrodes.rail_uv, electrodes.rail_uv)
    if electrodes.step_uv:
        values = np.rint(values / electrodes.step_uv) * electrodes.step_uv
    return SampleBlock(Modality.EMG, t_s, values, channels, electrodes.rate_hz)


def activation(t_s: FloatArray, event: Contraction, delay_s: float, rng: Generator) -> FloatArray:
    """Course 0..1 of what drives the muscle in one event; zero away from it."""
    start, top, end = event.onset_s - delay_s, event.peak_s - delay_s, event.end_s - delay_s
    fall_s = min(0.12, 0.4 * (end - top))
    if event.kind is Kind.STEP:
        start, top = top - 0.75 * (top - start), top - 0.02
        course = 0.25 + 0.75 * np.clip((t_s - start) / (top - start), 0.0, 1.0) ** 1.5
    else:
        hold_s = float(rng.uniform(0.0, 0.5)) * (end - top)
        top += 0.5 * hold_s
        shape = float(rng.uniform(0.25, 1.0))
        course = np.clip((t_s - start) / max(0.5 * (top - start), 0.05), 0.0, 1.0) ** shape
    release = np.clip((top + fall_s - t_s) / fall_s, 0.0, 1.0)
    return np.where(t_s >= start, course * np.minimum(release, 1.0), 0.0)


def _muscle(
    t_s: FloatArray, truth: Sequence[Contraction], name: str, electrodes: Electrodes, rng: Generator
) -> FloatArray:
    """What one muscle gives, in microvolts: filtered noise times activation."""
    muscle = muscle_of(name)
    muscle = Muscle.SOLEUS if muscle is Muscle.CALF else muscle
    drive = np.full(t_s.size, 0.002)
    for event in truth:
        first, last = np.searchsorted(t_s, [event.onset_s - 0.5, event.end_s + 0.5])
        effort = SHARE[event.kind].get(muscle, 0.0) * float(np.exp(rng.normal(0.0, 0.15)))
        drive[first:last] += effort * activation(t_s[first:last], event, electrodes.delay_s, rng)
    return electrodes.most_uv * drive * band_noise(t_s.size, electrodes, rng)


def band_noise(n: int, electrodes: Electrodes, rng: Generator) -> FloatArray:
    """Noise of rms 1 with the spectrum of surface EMG around `middle_hz`."""
    from scipy.signal import butter, sosfilt

    top = 0.98 * electrodes.rate_hz / 2.0
    high = min(2.2 * electrodes.middle_hz, top)
    sos = butter(2, [0.35 * electrodes.middle_hz, high], "band", fs=electrodes.rate_hz, output="sos")
    noise = sosfilt(sos, rng.normal(size=n + 500))[500:]
    return noise / max(float(noise.std()), 1e-12)


def _surroundings(t_s: FloatArray, truth: Sequence[Contraction], electrodes: Electrodes, rng: Generator) -> FloatArray:
    """Amplifier noise, mains, slow drift, and skin that moves with the leg."""
    n = t_s.size
    out = rng.normal(0.0, electrodes.noise_uv, n)
    for number, share in enumerate((1.0, *electrodes.harmonics), 1):
        if number * electrodes.mains_hz < 0.5 * electrodes.rate_hz:
            phase = rng.uniform(0.0, 2.0 * np.pi)
            wave = np.sin(2.0 * np.pi * number * electrodes.mains_hz * t_s + phase)
            out += electrodes.hum_uv * share * wave
    out += electrodes.drift_uv * np.sin(2.0 * np.pi * rng.uniform(0.02, 0.3) * t_s + rng.uniform(0.0, 6.28))
    for event in truth:
        out += _artefact(t_s, event.peak_s, electrodes.artefact_uv * float(rng.uniform(0.0, 1.0)), rng)
    return out


def _artefact(t_s: FloatArray, at_s: float, size_uv: float, rng: Generator) -> FloatArray:
    """Skin and cable that move: a slow swing below 10 Hz."""
    width_s, hz = rng.uniform(0.1, 0.3), rng.uniform(1.0, 7.0)
    return size_uv * np.exp(-(((t_s - at_s) / width_s) ** 2)) * np.sin(2.0 * np.pi * hz * (t_s - at_s))


def _spoil(values: FloatArray, t_s: FloatArray, trouble: Trouble, electrodes: Electrodes, rng: Generator) -> None:
    first, last = np.searchsorted(t_s, [trouble.start_s, trouble.end_s])
    part = values[first:last, trouble.channel]
    if trouble.what == "flat":
        part[:] = 0.0
    elif trouble.what == "clipped":
        rail = 0.6 * float(part.std())
        np.clip(part, -rail, rail, out=part)
    else:
        antenna_uv = float(rng.uniform(8.0, 20.0)) * electrodes.most_uv
        part[:] = antenna_uv * np.sin(2.0 * np.pi * electrodes.mains_hz * t_s[first:last]) + rng.normal(
            0.0, electrodes.noise_uv, part.size
        )


def quiet(electrodes: Electrodes) -> Electrodes:
    """The same electrodes far from any mains, on skin that does not move."""
    return replace(electrodes, hum_uv=0.0, drift_uv=0.0, artefact_uv=0.0)


def pumps(
    count: int,
    per_min: float,
    rng: Generator,
    start_s: float = 20.0,
    irregularity: float = 0.08,
    kind: Kind = Kind.ANKLE_PUMP,
) -> list[Contraction]:
    """Truth of a set of ankle pumps, each with its rise, a short hold and its fall."""
    at_s, truth = start_s, []
    for _ in range(count):
        period_s = 60.0 / per_min * float(np.exp(rng.normal(0.0, irregularity)))
        top_s = at_s + float(rng.uniform(0.3, 0.45)) * period_s
        end_s = top_s + float(rng.uniform(0.25, 0.4)) * period_s
        truth.append(Contraction(kind, at_s, top_s, end_s, 1.0, "truth"))
        at_s += period_s
    return truth


def strides(count: int, stride_s: float, rng: Generator, start_s: float = 20.0) -> list[Contraction]:
    """Truth of a walk: stance of each stride from foot down to push-off, `peak_s` at push-off."""
    at_s, truth = start_s, []
    for _ in range(count):
        period_s = stride_s * float(np.exp(rng.normal(0.0, 0.02)))
        truth.append(Contraction(Kind.STEP, at_s, at_s + 0.55 * period_s, at_s + 0.65 * period_s, 1.0, "truth"))
        at_s += period_s
    return truth
