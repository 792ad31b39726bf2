"""Every number that decides, in one place, with where it came from; its digest names the algorithm's version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from analysis import pump_weights as trained
from analysis.events import Algorithm

NAME = "hinge"
VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Logistic:
    """A trained model: middle and spread of each feature, and the weight of each term."""

    middle: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """Thresholds of detection and classification.

    "sim" marks values chosen on simulated wearers (seeds below 10 000), "real" those chosen on the recordings
    reserved for tuning; the rest is physics.
    """

    # A raise. The closed chain gives 2.3 cm of lift and 2 to 3 degrees of tilt at 15 degrees of ankle rotation.
    least_lift_m: float = 0.009  # sim: keeps 10 degrees; real resting legs stay below 0.006
    most_lift_m: float = 0.17  # a foot of 0.15 m from ankle to ball cannot lift more; sim: up to 0.16
    least_tilt_rad: float = 0.005  # sim
    most_tilt_rad: float = 0.36  # 45 degrees of ankle rotation tilt the shank by up to 20 (chain)
    most_standing_lift_m: float = 0.1955  # 15 % more where the hinge lies below: measured long. sim: no slide turns so
    most_standing_tilt_rad: float = 0.414
    least_coherence: float = 0.55  # sim: slow standing raises with sway
    least_lift_per_tilt_m: float = 0.15  # chain: 0.3 to 1.0 seated, 0.4 to 2 standing
    most_lift_per_tilt_m: float = 4.0
    large_tilt_rad: float = (
        0.2  # seated, only a heel that is high up tilts the shank so far; a leg that slides does not
    )
    least_lift_per_large_tilt_m: float = 0.27  # chain: 0.32 and more
    least_plain_tilt: float = 0.3  # of the tilt off its baseline
    least_share: float = 0.35  # of the largest raise within 4 s: the rest is rebound
    least_share_and_evenness: float = 1.05  # sim: a slow rebound after the last raise is both slow and lopsided
    # A small raise beside a large one is no rebound if it goes up and down by itself, as a hinge does.
    own_evenness: float = 0.6  # sim: of the plain tilt; small raises 0.7 and more
    own_plain_tilt: float = 0.65  # sim: rebounds up to 0.6 of the tilt off its baseline
    own_coherence: float = 0.9
    least_evenness: float = 0.3  # a step up or down is not a raise
    least_plain_evenness: float = 0.25  # sim: nor is a lean, or one end of a hold; 99 % of raises 0.5 and more
    most_turn_rad_s: float = 3.2  # chain at 80 a minute and 45 degrees: 1.4; a heel that drops in 0.15 s: 2.6
    least_period_s: float = 0.46  # faster than 130 a minute is bounce; the counted range ends at 110
    bounce_tops: int = 3
    bounce_hz: float = 2.2  # of lifting and lowering; its seconds are reported
    bounce_m: float = 0.0012  # rms; tremor of a slow raise stays below 0.0003
    # A large movement that is no plain hinge: the leg is laid over the other.
    large_lift_m: float = 0.06
    most_off_axis: float = 0.05  # sim: push-ups 0.01, crossing 0.07 and more
    clearly_level: float = 1.0  # of level evidence, where the turn is a plain hinge
    least_against_level: float = 0.7  # sim: 99 % of push-ups 1.2 and more, crossing 0.6
    most_misfit: float = 0.6  # real: leg moved without a hinge
    # A plain hinge in a vehicle that shakes: once smoothed, the hinge explains the force, and the turn has one axis.
    most_slow_misfit: float = 0.2  # sim: push-ups on a bus up to 0.16, leg moved without a hinge 0.23 and more
    plain_axis: float = 0.02  # sim: push-ups on a bus up to 0.005; real: leg moved without a hinge 0.04
    # Frames worth a look: force and turn, averaged over 0.4 s, leave their mean over 14 s by at least this (rms).
    lively_force_mps2: float = 0.008  # sim: a third of ten slow raises a minute
    lively_turn_rad_s: float = 0.006
    lively_noise_mps2: float = 0.15  # a bounce averages out over 0.4 s, but is rough from sample to sample
    # A step, by mid-swing of the shank. Source: Salarian-type detectors use 50 deg/s (FACTS, section 5).
    least_swing_rad_s: float = 0.7
    least_swing_rad: float = 0.25
    least_swing_share: float = 0.4
    most_swing_rad: float = 1.9  # real: walking up to 1.05, seated leg extension 2.0 to 2.2
    companion_s: float = 2.6  # another swing must be this near
    sure_companion_s: float = 1.75  # a farther one is believed only with a firm strike and an uneven swing
    firm_strike_mps2: float = 3.0
    uneven_skew: float = 0.4  # real: 97 % of strides are above
    pendulum_skew: float = 0.2  # real: 99 % of strides are above 0.24; sim: a dangling leg up to 0.16
    walking_rad_s: float = 1.3  # real: 99 % of strides are faster; sim: a dangling leg 1.1
    stride_s: float = 1.6
    in_stride_s: float = 3.0  # after a step that was certain
    hard_strike_mps2: float = 8.0  # makes up for an even swing
    least_strike_mps2: float = 0.8
    # Feet that shuffle hardly swing and come down softly, but regularly, and forward faster than back.
    regular_s: float = 1.45  # sim: the other swings within this are of gait, or even ones of a dangling leg
    regular_skew: float = 0.38  # sim: shuffles 0.44 and more, dangling legs up to 0.2
    least_shuffle_rad_s: float = 0.55
    least_way_m: float = 0.08  # sim: 99 % of shuffles of 0.3 m and more
    least_shuffle_rad: float = 0.15  # sim: strides of 0.3 m 0.18 and more
    least_shuffle_strike_mps2: float = 0.25
    sure_heel_first: float = 0.6  # sim: upstairs 0.75 and more, push-ups up to 0.45; real: exercises up to 0.1
    # The gait of a step.
    run_stride_s: float = 0.9  # sim: running up to 0.8, walking at 1.8 m/s from 0.85
    run_rough_mps2: float = 12.0  # real: walking up to 7; sim: running from 13
    run_strike_mps2: float = 12.0  # real: walking up to 12, one stiff knee in twenty more; sim: running from 14
    stairs_climb_m: float = 0.15  # two risers are 0.3 and more, less what is measured short; real: level up to 0.14
    level_climb_m: float = 0.11  # real: 98 % of level strides stay below
    shuffle_rad: float = 0.42  # real: 97 % of stiff-knee strides swing more; sim: shuffles of up to 0.6 m less
    shuffle_rad_s: float = 1.7
    shuffle_clearance_m: float = 0.03
    refractory_s: float = 0.4
    clear_of_steps_s: float = 1.0
    # A turn of the crank (pedalling.py). Cranks are 0.145 to 0.18 m; the sensor goes up and down by 1.6 to 2 of them.
    least_turn_m: float = 0.13
    most_turn_m: float = 0.6  # sim: 0.36, and what the baseline makes of a start
    least_turn_tilt_rad: float = 0.35  # sim: 0.55 to 1.2
    most_turn_tilt_rad: float = 1.35  # real: walking swings the shank by 1.0 to 1.4, running by more
    longest_turn_s: float = 2.1  # 30 a minute
    least_loop: float = 0.15  # sim: 0.25 to 0.7 in a steady ride, a movement to and fro 0
    pure_turn: float = 0.9  # sim: 0.94 and more in a steady ride; real: walking below 0.85 in one or the other
    pure_turn_by_force: float = 0.965  # without a gyroscope. sim: walking up to 0.95
    least_part_turn_m: float = 0.09  # the first and last turn of a bout
    longest_part_turn_s: float = 3.0
    part_turn: float = 0.4
    part_turn_tilt: float = 0.72  # of the turn beside it: what the baseline rings after a stop tilts less
    stroke_reach_s: float = 2.2
    # A set of ankle pumps of a leg that lies (lying.py): sizes are assumed, no recording says.
    standing_shank_cos: float = 0.64  # 50 degrees: the shank of one who walks stands
    least_pump_mps2: float = 0.02  # rms of the force that the tilt lets in. sim: half of lying still 0.02
    most_pump_mps2: float = 0.35
    most_pump_rough_mps2: float = 0.25  # sim: 99 % of pumping 0.17, half of slow fidgeting 0.7 and more
    most_pump_rad_s: float = 0.1
    least_pump_tilt_rad: float = 0.003  # sim: 3 % of pumps less
    most_pump_tilt_rad: float = 0.1  # 6 degrees: assumed
    pump_likeness: float = 0.5  # of the course to itself one period later; worth a closer look
    pumps_with_turns: Logistic = Logistic(*trained.WITH_TURNS)  # trained (sim): what says that tilts are a set
    pumps_by_tilts: Logistic = Logistic(*trained.BY_TILTS)  # the same without a gyroscope
    pumps_in_a_row: int = 3
    least_pump_log_odds: float = 2.5
    many_pumps_in_a_row: int = 6
    least_pump_log_odds_of_many: float = 0.5  # sim: six alike by chance are rarer than three that look better
    least_pump_log_odds_going_on: float = -0.5  # within 1.6 periods of the last pump
    pump_alike: float = 0.65  # of a pump to the next
    # Wear and posture.
    dead_turn_rad_s: float = 0.002  # real: a board at rest 0.0013, the stillest resting legs 0.0028
    dead_turn_ratio: float = 12.0  # of what white noise alone would give
    dead_force_mps2: float = 0.0085  # sim: a table with the noisiest part 0.008, the stillest leg 0.007
    dead_force_ratio: float = 4.0
    not_worn_s: float = 60.0
    dead_force_beside_gyr_mps2: float = 0.03
    quiet_turn_rad_s: float = 0.06
    quiet_force_mps2: float = 0.3
    posture_s: float = 20.0
    same_posture_cos: float = 0.985  # 10 degrees


RULES = Rules()


def algorithm(rules: Rules = RULES) -> Algorithm:
    """Name, version and digest of the parameters."""
    digest = hashlib.sha256(json.dumps(asdict(rules), sort_keys=True).encode()).hexdigest()
    return Algorithm(NAME, VERSION, digest)


def first_that_holds(conditions: Sequence[npt.NDArray[np.bool_]], names: Sequence[str], default: str) -> np.ndarray:
    """For each candidate the name (n,) of the first condition that holds, as an object; `default` where none does."""
    none = np.ones_like(conditions[0])
    return np.array([*names, default], dtype=object)[np.stack([*conditions, none]).argmax(axis=0)]
