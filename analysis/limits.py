"""What a rule that refuses compares: a feature with a number of `Rules`, for those who explain a decision."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """One comparison of a rule that refuses: it speaks where the feature is below (or above) a number of `Rules`."""

    rule: str
    feature: str
    below: bool
    threshold: str


RAISE_LIMITS = (
    Limit("gait", "near_swing_s", True, "clear_of_steps_s"),
    Limit("too_fast_a_turn", "turn_rad_s", False, "most_turn_rad_s"),
    Limit("bounce", "period_s", True, "least_period_s"),
    Limit("too_large", "lift_m", False, "most_lift_m"),
    Limit("too_large", "tilt_rad", False, "most_tilt_rad"),
    Limit("rebound", "plain_share", True, "least_plain_tilt"),
    Limit("rebound", "share", True, "least_share"),
    Limit("rebound", "share_and_evenness", True, "least_share_and_evenness"),
    Limit("little_lift", "lift_m", True, "least_lift_m"),
    Limit("no_tilt", "tilt_rad", True, "least_tilt_rad"),
    Limit("lift_without_tilt", "coherence", True, "least_coherence"),
    Limit("no_heel_chain", "lift_per_tilt_m", True, "least_lift_per_tilt_m"),
    Limit("no_heel_chain", "lift_per_tilt_m", False, "most_lift_per_tilt_m"),
    Limit("one_way", "evenness", True, "least_evenness"),
    Limit("one_way", "plain_evenness", True, "least_plain_evenness"),
    Limit("no_hinge", "misfit", False, "most_misfit"),
)
"""Of a heel raise. Rules of several limits that must all speak are shown by their features alone."""

SWING_LIMITS = (
    Limit("slow", "rate_rad_s", True, "least_swing_rad_s"),
    Limit("short_swing", "angle_rad", True, "least_swing_rad"),
    Limit("small_beside_others", "share", True, "least_swing_share"),
    Limit("too_wide", "angle_rad", False, "most_swing_rad"),
    Limit("lonely_swing", "companion_s", False, "companion_s"),
    Limit("no_foot_strike", "strike_mps2", True, "least_strike_mps2"),
)
"""Of a step."""

STROKE_LIMITS = (
    Limit("no_turn", "depth_m", True, "least_part_turn_m"),
    Limit("no_turn", "tilt_rad", True, "least_turn_tilt_rad"),
    Limit("no_turn", "tilt_rad", False, "most_turn_tilt_rad"),
    Limit("no_turn", "turn_s", False, "longest_part_turn_s"),
    Limit("no_turn", "lift_purity", True, "part_turn"),
    Limit("no_turn", "depth_m", True, "least_turn_m"),
    Limit("no_turn", "turn_s", False, "longest_turn_s"),
    Limit("no_turn", "lift_purity", True, "pure_turn"),
    Limit("no_turn", "turn_purity", True, "pure_turn"),
    Limit("no_turn", "loop", True, "least_loop"),
)
"""Of a pedal stroke, with a gyroscope; beside a sure stroke one may miss the last five."""

PUMP_LIMITS = (
    Limit("no_set", "log_odds", True, "least_pump_log_odds"),
    Limit("no_set", "likeness", True, "pump_likeness"),
    Limit("no_set", "rough_mps2", False, "most_pump_rough_mps2"),
    Limit("no_set", "pump_tilt_rad", True, "least_pump_tilt_rad"),
    Limit("no_set", "pump_tilt_rad", False, "most_pump_tilt_rad"),
)
"""Of an ankle pump by motion, by the frame that it lies in. Fewer odds do for many in a row, or a set that goes on."""

OF_A_SHUFFLE = {
    "least_swing_rad_s": "least_shuffle_rad_s",
    "least_swing_rad": "least_shuffle_rad",
    "least_strike_mps2": "least_shuffle_strike_mps2",
}
"""Numbers that stand instead of others where the swings are regular, see `classify.is_regular`."""

OF_A_LARGE_TILT = {"least_lift_per_tilt_m": "least_lift_per_large_tilt_m"}
"""Likewise where a seated leg tilts far, see `classify.is_far_seated`."""

OF_A_STANDING_RAISE = {"most_lift_m": "most_standing_lift_m", "most_tilt_rad": "most_standing_tilt_rad"}
"""Likewise where the hinge of a raise lies below the sensor."""
