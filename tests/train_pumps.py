"""Train what tells a set of ankle pumps: simulated people in, `analysis/pump_weights.py` out.

    python -m tests.train_pumps [--check]

A minute and a half. `--check` writes nothing and exits with 1 where the file is another one. Seeds below 1000 alone;
the real resting legs that are for tuning are no part of it, so that anybody can repeat it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from analysis import pump_sets, pump_weights
from analysis.events import Contraction, Kind
from analysis.frames import CENTRE_S
from analysis.leg import other_movements as other
from analysis.leg.story import Recorded
from analysis.lying import LyingLeg
from analysis.pipeline import Pipeline
from analysis.pump_tilts import Tilts
from analysis.pump_turns import Turns
from analysis.rules import RULES, Logistic
from analysis.samples import FloatArray
from tests.analysis.test_what_is_not_counted import somebody
from tests.labelled.sets import recorded

PUMPED, PUMPS = range(360, 560), ("pumps-usual", "pumps-wide")
RESTED, RESTS = range(500, 520), (
    "lying", "turning-over", "leg-slides", "other-leg", "restless", "sitting", "standing", "bounce-fast", "bounce-slow",
    "pushups-small", "pushups-slow", "pushups-vehicle",
)  # fmt: skip
MOVED = range(700, 740)
FEATURES = pump_sets.TILT_FEATURES + pump_sets.TURN_FEATURES
RIDGE = 10.0
STEPS = 60


class Listener(LyingLeg):
    """Notes what would be asked of each frame, and finds nothing."""

    def __init__(self) -> None:
        super().__init__(RULES)
        self.heard: list[tuple[FloatArray, FloatArray]] = []

    def _sweep(
        self, start_s: FloatArray, seen: Tilts, turned: Turns, mean: FloatArray, rest: FloatArray
    ) -> list[Contraction]:
        said = np.concatenate([pump_sets.tilt_features(seen), pump_sets.turn_features(turned)], axis=1)
        self.heard.append((start_s + 0.5 * CENTRE_S, said))
        return []


def heard(story: Recorded) -> tuple[FloatArray, FloatArray]:
    """Middles (f,) of the frames that are asked for a set of pumps, session seconds, and what is said of them."""
    pipeline, listener = Pipeline(), Listener()
    pipeline._lying = listener
    pipeline.feed(*story.blocks)
    pipeline.finish()
    nothing = (np.zeros(0), np.zeros((0, len(FEATURES))))
    at_s, said = zip(nothing, *listener.heard, strict=True)
    return np.concatenate(at_s), np.concatenate(said)


def moved(seed: int) -> Iterator[Recorded]:
    """What seated legs do otherwise, and a vehicle."""
    for move in (
        lambda _b, hz, rng, p: other.toe_taps(hz, 25.0, rng, p),
        lambda _b, hz, rng, p: other.toe_taps(hz, 60.0, rng, p),
        lambda b, hz, rng, p: other.swings(b, hz, 25.0, rng, p),
        lambda b, hz, rng, p: other.kicks(b, hz, 8, rng, p),
        lambda b, hz, rng, p: other.crossing(b, hz, rng, p),
        lambda b, hz, rng, p: other.chair(b, hz, 25.0, rng, p),
        lambda _b, hz, rng, p: other.knocks(hz, 30.0, rng, p),
        lambda _b, hz, rng, p: other.shifting(hz, 60.0, rng, p),
    ):
        yield somebody(seed).sit(5.0).do(move).sit(5.0).do(move).sit(5.0).record()
    yield somebody(seed).sit(120.0).in_vehicle(0.1 + 0.03 * (seed % 40)).record()


def frames() -> tuple[FloatArray, FloatArray]:
    """What is said of frames (f, 5), and whether they show a set (f,): 1 or 0."""
    said, right = [], []
    for name in PUMPS:
        for seed in PUMPED:
            story, _ = recorded(name, seed)
            peaks_s = [event.peak_s for event in story.truth if event.kind is Kind.ANKLE_PUMP]
            at_s, features = heard(story)
            shows = (at_s >= peaks_s[0] - 1.0) & (at_s <= peaks_s[-1] + 1.0)
            said.append(features[shows])
            right.append(np.ones(int(shows.sum())))
    others = [recorded(name, seed)[0] for name in RESTS for seed in RESTED]
    for story in (*others, *(story for seed in MOVED for story in moved(seed))):
        said.append(heard(story)[1])
        right.append(np.zeros(len(said[-1])))
    return np.concatenate(said), np.concatenate(right)


def trained(said: FloatArray, right: FloatArray) -> Logistic:
    """Logistic regression by Newton's steps on features (f, n) and whether they are of a set (f,): 1 or 0.

    Sets and the rest weigh the same, however many frames of each there are.
    """
    weigh = np.where(right > 0.5, 0.5 / right.mean(), 0.5 / (1.0 - right.mean()))
    middle, spread = said.mean(axis=0), said.std(axis=0)
    asked = pump_sets.terms(said, middle, spread)
    weights = np.zeros(asked.shape[1])
    ridge = RIDGE * np.eye(weights.size)
    ridge[0, 0] = 1e-6
    for _ in range(STEPS):
        share = 1.0 / (1.0 + np.exp(-asked @ weights))
        slope = asked.T @ (weigh * (share - right)) + ridge @ weights
        weights -= np.linalg.solve((asked * (weigh * share * (1.0 - share))[:, None]).T @ asked + ridge, slope)
    return Logistic(*(tuple(values.tolist()) for values in (middle, spread, weights)))


def written(with_turns: Logistic, by_tilts: Logistic) -> str:
    """The file; rounded, so that another processor's last digits make no other file."""
    parts = [f'"""{(pump_weights.__doc__ or "").strip()}"""\n']
    for name, model in (("WITH_TURNS", with_turns), ("BY_TILTS", by_tilts)):
        rows = "".join(
            "    (\n" + "".join(f"        {value:.3f},\n" for value in values) + "    ),\n"
            for values in (model.middle, model.spread, model.weights)
        )
        parts.append(f"{name} = (\n{rows})")
    return "\n".join(parts) + "\n"


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.train_pumps", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether the file is what training gives")
    asked = parser.parse_args()
    said, right = frames()
    text = written(trained(said, right), trained(said[:, : len(pump_sets.TILT_FEATURES)], right))
    place = Path(pump_weights.__file__)
    is_same = place.read_text(encoding="utf-8") == text
    print("the same" if is_same else "another")  # noqa: T201
    if not asked.check:
        place.write_text(text, encoding="utf-8")
    return int(asked.check and not is_same)


if __name__ == "__main__":
    raise SystemExit(main())
