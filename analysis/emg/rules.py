"""Every number that decides about EMG, in one place, with where it came from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EmgRules:
    """Thresholds of EMG analysis. "sim" marks values chosen on simulated EMG, seeds below 1000.

    All amplitudes are ratios, to the channel's own floor or to the wearer's own maximum: gain and unit do not matter.
    """

    # What can be used at all.
    least_rate_hz: float = 25.0  # slower, a burst of a third of a second has no course
    raw_rate_hz: float = 190.0  # slower, only the envelope is used: 200 by the name, less what a clock is off
    signed: float = 0.5  # slower than that, what swings below zero by so much of its height is no envelope
    fatigue_rate_hz: float = 500.0  # slower, the upper half of the spectrum is missing
    bridge_s: float = 0.1  # shorter gaps are bridged, longer ones start anew
    # Filters. Source: SENIAM / ISEK high-pass 10-20 Hz (FACTS, section 7); 300 Hz keeps amplifier noise out.
    high_pass_hz: float = 20.0
    low_pass_hz: float = 300.0
    notch_hz: float = 4.0
    most_harmonics: int = 6
    most_notches: int = 5
    line_ratio: float = 6.0  # of a line to its neighbours, mean of the last windows; noise alone stays near 1
    envelope_hz: float = 3.0  # critically damped; delays by 0.1 s, as the muscle's twitch does
    # Contact.
    hum_share: float = 1.0  # of line to the rest of the band, rms
    lifted_share: float = 30.0
    works: float = 3.0  # a window's greatest envelope to its median: the muscle was at work in it
    lifted_level: float = 2.0  # hum, in terms of the wearer's own maximum
    clipped_share: float = 0.004  # of a window's samples that lie on its extremes
    ruined_share: float = 0.2
    steps_of_clipping: float = 40.0  # a coarse converter at rest also repeats its extremes
    # Double threshold, in terms of the floor (a low quantile of the last 15 s, about 0.8 of the resting rms).
    burst_on: float = 3.2  # sim
    burst_off: float = 2.0  # sim
    burst_on_slow: float = 5.0  # below raw_rate_hz a window holds few samples
    burst_off_slow: float = 2.5
    per_doubling: float = 0.1  # of channels: `burst_on` rises by this share
    burst_on_s: float = 0.06
    least_burst_s: float = 0.1
    most_burst_s: float = 8.0  # longer is posture
    join_s: float = 0.1
    least_level: float = 0.05  # of the wearer's own maximum
    least_mean_hz: float = 38.0  # sim: skin and cable move below; calf EMG has its mean at 80 to 150 Hz
    hum_jump: float = 16.0  # in power, from one window to the next
    crosstalk: float = 0.25  # a calf channel with so little beside a burst of the shin hears the shin
    # Rhythm.
    least_period_s: float = 0.46  # faster than 130 a minute is bounce, as for the motion sensor
    stride_least_s: float = 0.8
    stride_most_s: float = 1.6
    stride_evenness: float = 0.12  # greatest change from one period to the next, as a share
    stride_run: int = 4
    stride_reach_s: float = 5.2
    stance_least: float = 0.35  # share of the stride: stance is 0.6 of it, the calf works in most of it
    stance_most: float = 0.8
    stance_lateness: float = 0.05  # the burst leans to its end: push-off. sim: strides 0.05 to 0.09, pumps below 0.045
    # With a motion sensor on the same leg.
    near_s: float = 0.35
    peak_after_s: float = 0.8  # an event may peak so long after its burst
    walking_s: float = 3.0


EMG_RULES = EmgRules()
