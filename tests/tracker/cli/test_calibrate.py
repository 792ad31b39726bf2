"""`soleus calibrate`, from a simulated leg through the virtual sensor and the real recorder, in virtual time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.events import Leg
from analysis.leg.gait import Gait
from analysis.leg.movements import Raises
from analysis.leg.story import Teller, Wearer
from drivers.virtual.process import virtual_peripheral
from drivers.virtual.sensor import VirtualSensor
from drivers.virtual.sources import FromBlocks
from tracker.calibrated import kept
from tracker.cli.surroundings import open_store
from tracker.home import Home
from tracker.store import Sensor

ADDRESS = "C0:00:00:00:00:01"
OnAWire = Callable[..., None]


def obedient(driver: str, rate_hz: float, *, first_pushups: int = 5) -> VirtualSensor:
    """A sensor on a leg that does what is asked; its first set may be short, then it does another."""
    rng = np.random.default_rng(3)
    teller = Teller(Wearer.anybody(rng), rate_hz, rng).sit(12.0)
    if first_pushups != 5:
        teller.pushups(Raises(first_pushups, 35.0, np.radians(30.0))).sit(13.0)
    teller.pushups(Raises(5, 35.0, np.radians(30.0))).sit(4.0)
    teller.stand_up().stand(6.0).raises(Raises(5, 28.0, np.radians(36.0))).stand(6.0)
    story = teller.walk(Gait(1.2, 1.1), 10).stand(30.0).record()
    return VirtualSensor(virtual_peripheral(driver), FromBlocks(story.blocks), address=ADDRESS)


def remember(sensor: VirtualSensor, driver: str, leg: Leg | None = Leg.LEFT) -> None:
    with open_store() as store:
        store.keep_sensor(Sensor("calf", sensor.name, ADDRESS, driver, leg, "above the ankle"))


@pytest.mark.parametrize(("driver", "rate_hz"), [("polar-pmd", 52.0), ("witmotion", 100.0)])
def test_a_good_round(driver: str, rate_hz: float, on_a_wire: OnAWire, run: Any, run_json: Any, home: Path) -> None:
    """Every movement ticks, every set is counted right, and the session has the same counts."""
    sensor = obedient(driver, rate_hz)
    remember(sensor, driver)
    on_a_wire(sensor)
    lines = run("calibrate", "--sensor", "calf", "--plain").stdout.splitlines()
    ticks = [int(line.split()[1]) for line in lines if line.startswith("  push-ups ")]
    assert ticks[-1] == 5
    assert ticks == sorted(set(ticks))
    assert len(ticks) >= 3
    for told in ("push-ups: counted 5 of 5", "raises: counted 5 of 5", "calf counts right on the left leg"):
        assert any(told in line for line in lines)
    (session,) = run_json("sessions")
    assert (session["counts"]["soleus_pushup"], session["counts"]["heel_raise"]) == (5, 5)
    assert abs(session["counts"]["step"] - 10) <= 1
    assert session["duration_s"] < 90
    (note,) = kept(Home(home), "calf")
    assert (note["session"], note["leg"], note["passed"]) == (session["id"], "left", True)


def test_only_the_short_set_is_done_again(on_a_wire: OnAWire, run_json: Any) -> None:
    """Three push-ups, then five: the second try of that set counts, no other set has one."""
    sensor = obedient("polar-pmd", 52.0, first_pushups=3)
    remember(sensor, "polar-pmd")
    on_a_wire(sensor)
    note = run_json("calibrate")
    assert {found["set"]: found["tries"] for found in note["sets"]} == {
        "sit still": 1, "push-ups": 2, "raises": 1, "steps": 1,
    }  # fmt: skip
    assert note["passed"]


@pytest.mark.skipif(sys.platform != "linux", reason="Bleak's BlueZ backend runs on Linux only")
def test_over_the_fake_bluetoothd(on_a_wire: OnAWire, run: Any, run_json: Any) -> None:
    """Paired, calibrated and listed by Bleak's own client, as a wearer does it."""
    sensor = obedient("soleus-nus", 100.0)
    on_a_wire(sensor, bluez=True)
    run("pair", ADDRESS, "--as", "calf", "--leg", "left", "--yes")
    assert run_json("calibrate")["passed"]
    assert run_json("sessions")[0]["gap_s"] == 0.0


def test_the_leg_is_told_or_asked(on_a_wire: OnAWire, run: Any, run_json: Any) -> None:
    """Where nobody knows the leg it must be said; what is said is kept with the sensor."""
    sensor = obedient("polar-pmd", 52.0)
    remember(sensor, "polar-pmd", None)
    on_a_wire(sensor)
    assert "--leg left or --leg right" in run("calibrate", "--plain", expect=2).stderr
    assert run_json("calibrate", "--leg", "right")["leg"] == "right"
    assert run_json("sensors")[0]["leg"] == "right"


def test_the_leg_is_asked_where_somebody_answers(on_a_wire: OnAWire, run: Any, run_json: Any) -> None:
    """The remembered leg is offered; another answer is kept."""
    sensor = obedient("polar-pmd", 52.0)
    remember(sensor, "polar-pmd")
    on_a_wire(sensor, asked=True)
    assert "right leg" in run("calibrate", input="right\n").stdout
    assert run_json("sensors")[0]["leg"] == "right"


def test_nobody_there(on_a_wire: OnAWire, run: Any) -> None:
    """A sensor that is absent is one sentence and exit code 3; none that is remembered is exit code 1."""
    on_a_wire()
    run("calibrate", "--plain", expect=1)
    remember(obedient("polar-pmd", 52.0), "polar-pmd")
    assert run("calibrate", "--plain", expect=3).stderr.count("\n") == 1
