"""`soleus pair` and `soleus sensors`, on sensors that are reached over a wire in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from analysis.events import Algorithm, Findings, Leg
from drivers.virtual.process import virtual_peripheral
from drivers.virtual.sensor import VirtualSensor
from drivers.virtual.sources import FromBlocks, rocking
from tracker.cli.surroundings import open_store
from tracker.home import Home
from tracker.store import Batch, NewSession

OnAWire = Callable[..., None]


def sensor(driver: str, number: int = 1, *, still: bool = False) -> VirtualSensor:
    source = FromBlocks([]) if still else rocking()
    return VirtualSensor(virtual_peripheral(driver), source, address=f"C0:00:00:00:00:0{number}")


def test_without_questions(on_a_wire: OnAWire, run: Any, run_json: Any) -> None:
    """Leg, place, battery and firmware are told and remembered, and the driver's caution comes last."""
    on_a_wire(sensor("witmotion"))
    told = run("pair", "C0:00:00:00:00:01", "--as", "calf", "--leg", "right", "--place", "inside", "--yes").stdout
    assert "right leg, inside" in told
    assert "battery" in told
    assert "firmware" in told
    assert "late packet" in told.splitlines()[-1]
    (known,) = run_json("sensors")
    assert (known["nick"], known["leg"], known["place"], known["driver"]) == ("calf", "right", "inside", "witmotion")


def test_everything_is_asked(on_a_wire: OnAWire, run: Any, run_json: Any) -> None:
    """With one sensor in range, nickname, leg and strap place are asked for."""
    on_a_wire(sensor("polar-pmd"), asked=True)
    run("pair", input="calf\nleft\n\n")
    (known,) = run_json("sensors")
    assert (known["nick"], known["leg"], known["place"]) == ("calf", "left", "above the ankle")
    assert known["battery_percent"] is not None


def test_the_one_that_is_shaken(on_a_wire: OnAWire, run: Any, run_json: Any) -> None:
    """Of two that are alike, answer 0 picks the one that moves."""
    on_a_wire(sensor("witmotion", 1, still=True), sensor("witmotion", 2), asked=True)
    told = run("pair", "--as", "calf", "--leg", "left", "--place", "inside", input="0\n")
    assert "Shake it now" in told.stderr
    (known,) = run_json("sensors")
    assert known["address"] == "C0:00:00:00:00:02"


def test_two_of_one_name(on_a_wire: OnAWire, run: Any) -> None:
    """A name that two sensors have is refused where nobody can be asked."""
    twins = (sensor("witmotion", 1), sensor("witmotion", 2))
    on_a_wire(*twins)
    refused = run("pair", twins[0].name, "--as", "calf", "--leg", "left", expect=2)
    assert "give the address" in refused.stderr


def test_absent(on_a_wire: OnAWire, run: Any) -> None:
    """A sensor that is not there is one sentence and exit code 3."""
    on_a_wire()
    absent = run("pair", "nobody", "--as", "calf", "--leg", "left", "--yes", expect=3)
    assert absent.stderr.count("\n") == 1


def test_to_the_other_leg_since_a_time(on_a_wire: OnAWire, run: Any, run_json: Any, home: Path) -> None:
    """`sensors move --from` corrects the session that began since then; the sensor has the new leg."""
    on_a_wire(sensor("witmotion"))
    run("pair", "C0:00:00:00:00:01", "--as", "calf", "--leg", "left", "--yes")
    assert Home(home).database.exists()
    began = datetime(2026, 3, 1, 8, tzinfo=UTC)
    with open_store() as store:
        session_id = store.begin(NewSession(began, Leg.LEFT, sensor="calf", uid="a"))
        store.append(session_id, Batch(Findings(), 0.0, 60.0, Algorithm("heel", "1.0", "0" * 64)))
        store.finish(session_id, began)
    told = run("sensors", "move", "calf", "--leg", "right", "--from", "2026-03-01T09:00").stdout
    assert f"session {session_id}" in told
    assert run_json("sessions")[0]["leg"] == "right"
    assert run_json("sensors")[0]["leg"] == "right"
    again = run("sensors", "move", "calf", "--leg", "left", "--from", "2026-03-01T09:00:01").stdout
    assert "No session" in again
