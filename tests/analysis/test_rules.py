"""The numbers that decide and the name they give the algorithm."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from analysis.rules import RULES, Logistic, Rules, algorithm


@pytest.mark.parametrize("name", [f.name for f in fields(Rules)])
def test_every_number_changes_the_digest(name: str) -> None:
    """Whoever changes one threshold has another algorithm."""
    value = getattr(RULES, name)
    if isinstance(value, Logistic):
        other: object = replace(value, weights=(*value.weights[:-1], value.weights[-1] + 1.0))
    else:
        other = (*value[:-1], value[-1] + 1) if isinstance(value, tuple) else value + 1
    changed = replace(RULES, **{name: other})
    assert algorithm(changed).params_sha256 != algorithm().params_sha256


def test_the_digest_is_of_the_values_alone() -> None:
    """Equal rules are one algorithm; the digest is a SHA-256 in hex."""
    assert algorithm(Rules()) == algorithm()
    assert len(algorithm().params_sha256) == 64
    int(algorithm().params_sha256, 16)


def test_ranges_are_not_empty() -> None:
    """What is asked for at least lies below what is allowed at most, and shares lie within 0..1."""
    assert 0.0 < RULES.least_lift_m < RULES.most_lift_m
    assert 0.0 < RULES.least_tilt_rad < RULES.most_tilt_rad
    assert 0.0 < RULES.least_lift_per_tilt_m < RULES.most_lift_per_tilt_m
    shares = (RULES.least_coherence, RULES.least_share, RULES.least_evenness, RULES.least_swing_share)
    assert all(0.0 < share < 1.0 for share in shares)
