"""`soleus doctor`: each check, its verdict and its fix, on machines made for the purpose."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tracker import doctor, doctor_radio
from tracker.doctor import Finding, Machine, Verdict, examine
from tracker.home import Home


@pytest.fixture
def machine(home: Path, tmp_path: Path) -> Machine:
    """A Linux machine without anything, at noon UTC of 2026-03-04."""
    (tmp_path / "root").mkdir()
    return Machine(Home(home), datetime(2026, 3, 4, 12, tzinfo=UTC), tmp_path / "root", {}, "linux", (3, 11, 0))


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def found(machine: Machine, *checks: doctor.Check) -> dict[str, Finding]:
    return {finding.check: finding for finding in examine(machine, checks)}


def test_a_sound_home(keep: Any, run: Any, run_json: Any, noon: datetime) -> None:
    """Exit code 0 although there is no radio; every line has its keys."""
    keep("2026-03-03T08:00:00+01:00", [60])
    told = run_json("doctor")
    assert all(list(line) == ["check", "verdict", "text", "fix"] for line in told)
    verdicts = {line["check"]: line["verdict"] for line in told}
    assert {"python", "home", "privacy", "settings", "database", "disk", "clock", "zone", "bleak"} <= set(verdicts)
    assert "fail" not in verdicts.values()
    assert all(line["fix"] for line in told if line["verdict"] != "ok")
    assert "passes the full check, 1 session" in run("doctor").stdout.replace("\n", " ")


def test_nothing_there_yet(run_json: Any, tree: Any) -> None:
    """A home that is still to be made is in order, and is not made."""
    assert "fail" not in {line["verdict"] for line in run_json("doctor")}
    assert tree() == []


def test_a_damaged_database(keep: Any, home: Path, run: Any, run_json: Any, noon: datetime) -> None:
    """It fails, with the way back, and exit code 1."""
    keep("2026-03-03T08:00:00+01:00", [60])
    (home / "soleus.db").write_bytes(b"x" * 5000)
    (line,) = (line for line in run_json("doctor", expect=1) if line["check"] == "database")
    assert (line["verdict"], "soleus restore" in line["fix"]) == ("fail", True)
    assert "1 failure, " in run("doctor", expect=1).stdout


def test_a_database_that_counts_wrong(keep: Any, home: Path, run_json: Any, noon: datetime) -> None:
    """The roll-up is counted again."""
    keep("2026-03-03T08:00:00+01:00", [60])
    connection = sqlite3.connect(home / "soleus.db")
    with connection:
        connection.execute("UPDATE quarter_hours SET heel_raise = 7")
    connection.close()
    (line,) = (line for line in run_json("doctor", expect=1) if line["check"] == "database")
    assert line["verdict"] == "fail"


def test_python_and_packages(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too old a Python fails, a missing package too; pyarrow is only an extra."""
    assert found(replace(machine, python=(3, 10, 9)), doctor.check_python)["python"].verdict is Verdict.FAIL
    monkeypatch.setattr(doctor, "_version", lambda name: None if name in ("numpy", "pyarrow") else "1")
    seen = found(machine, doctor.check_python)
    assert (seen["packages"].verdict, seen["packages"].text) == (Verdict.FAIL, "missing: numpy")
    assert str(seen["packages"].fix).endswith(" -m pip install numpy")
    assert (seen["parquet"].verdict, seen["parquet"].fix) == (Verdict.WARN, "pip install 'soleus-tracker[parquet]'")
    monkeypatch.setattr("sqlite3.sqlite_version_info", (3, 36, 0))
    assert found(machine, doctor.check_python)["sqlite"].verdict is Verdict.FAIL


def test_privacy(machine: Machine, home: Path) -> None:
    """Files that others may read are named, with the command that hides them."""
    home.mkdir(mode=0o700)
    write(home / "a.csv").chmod(0o644)
    seen = found(machine, doctor.check_home)["privacy"]
    assert (seen.verdict, seen.fix) == (Verdict.WARN, f"chmod -R go-rwx {home}")
    assert "a.csv" in seen.text
    (home / "a.csv").chmod(0o600)
    assert found(machine, doctor.check_home)["privacy"].verdict is Verdict.OK


def test_a_home_that_cannot_be(machine: Machine, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in its place, or no right to write."""
    write(home)
    assert found(machine, doctor.check_home)["home"].text.endswith("is not a folder")
    home.unlink()
    monkeypatch.setattr("os.access", lambda *_: False)
    assert found(machine, doctor.check_home)["home"].text.endswith("cannot be made")
    home.mkdir(mode=0o700)
    assert found(machine, doctor.check_home)["home"].fix == f"chmod u+rwx {home}, or set SOLEUS_HOME to another folder"


def test_settings(machine: Machine, home: Path) -> None:
    """A wrong value is told with its file."""
    write(home / "settings.toml", "leg = 1")
    assert found(machine, doctor.check_settings)["settings"].text.endswith("leg must be left or right.")


def test_recordings_disk_and_records(keep: Any, machine: Machine, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost recording, a full disk and a session of the future are told."""
    keep("2026-03-03T08:00:00+01:00", recording=b"x")
    keep("2026-03-05T08:00:00+01:00")
    next((home / "recordings").iterdir()).unlink()
    monkeypatch.setattr(doctor, "LEAST_FREE_BYTES", 10**18)
    seen = found(machine, doctor.check_database)
    assert seen["recordings"].text == "the recording of session 1 is missing; the counts stay"
    assert seen["disk"].verdict is Verdict.FAIL
    assert seen["records"].text == "session 2 ends at 2026-03-05 08:00 UTC, which is later than the clock shows"
    assert str(seen["records"].fix).endswith("soleus correct --session 2 --start TIME")


def test_clock_and_zone(machine: Machine) -> None:
    """A clock that was never set fails, a zone that is none too."""
    seen = found(replace(machine, now=datetime(1980, 1, 1, tzinfo=UTC), environ={"TZ": "No/Where"}), doctor.check_clock)
    assert (seen["clock"].verdict, seen["zone"].verdict) == (Verdict.FAIL, Verdict.FAIL)
    assert seen["zone"].fix == "soleus settings zone Europe/Berlin"
    assert found(replace(machine, environ={"TZ": "Asia/Tokyo"}), doctor.check_clock)["zone"].text == "Asia/Tokyo"


def test_no_radio(machine: Machine) -> None:
    """Nothing of it is there: warnings with their fixes, never a failure."""
    seen = found(machine, doctor_radio.check_radio, doctor_radio.check_notifications)
    lacking = {name: str(seen[name].fix) for name in ("system bus", "bluez", "adapter", "notifications")}
    assert {seen[name].verdict for name in lacking} == {Verdict.WARN}
    assert (lacking["system bus"], lacking["bluez"]) == ("sudo systemctl start dbus", "sudo apt install bluez")
    assert [name for name in seen if name not in lacking] == ["bleak"]


def test_a_radio(machine: Machine) -> None:
    """Bus, BlueZ with its version, adapter without its links, and the switch."""
    write(machine.root / "run/dbus/system_bus_socket")
    write(machine.root / "usr/libexec/bluetooth/bluetoothd", "#!/bin/sh\necho 5.66\n").chmod(0o700)
    for name in ("hci0", "hci0:64"):
        (machine.root / "sys/class/bluetooth" / name).mkdir(parents=True)
    switch = machine.root / "sys/class/rfkill/rfkill0"
    for name, text in (("type", "bluetooth\n"), ("name", "hci0\n"), ("hard", "0\n"), ("soft", "0\n")):
        write(switch / name, text)
    write(machine.root / "sys/class/rfkill/rfkill1/type", "wlan\n")
    seen = found(machine, doctor_radio.check_radio)
    assert {finding.verdict for finding in seen.values()} == {Verdict.OK}
    assert (seen["bluez"].text, seen["adapter"].text) == ("BlueZ 5.66", "hci0")
    assert seen["rfkill"].text == "the radio of hci0 is on"
    write(switch / "soft", "1\n")
    assert found(machine, doctor_radio.check_radio)["rfkill"].fix == "rfkill unblock bluetooth"
    write(switch / "hard", "1\n")
    assert "by a switch or key" in found(machine, doctor_radio.check_radio)["rfkill"].text


def test_a_bus_elsewhere(machine: Machine, tmp_path: Path) -> None:
    """The address of the environment is looked at."""
    socket = write(tmp_path / "bus")
    seen = found(replace(machine, environ={"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={socket}"}), doctor_radio.check_radio)
    assert (seen["system bus"].verdict, seen["system bus"].text) == (Verdict.OK, str(socket))


def test_notifications(machine: Machine) -> None:
    """A session with a service is in order, one without it is told what to install."""
    desktop = replace(machine, environ={"DBUS_SESSION_BUS_ADDRESS": "unix:path=/bus"})
    assert found(desktop, doctor_radio.check_notifications)["notifications"].fix == "sudo apt install dunst"
    write(machine.root / "usr/share/dbus-1/services/org.freedesktop.Notifications.service")
    assert found(desktop, doctor_radio.check_notifications)["notifications"].verdict is Verdict.OK
    assert (
        found(replace(machine, platform="darwin"), doctor_radio.check_notifications)["notifications"].text
        == "by the system"
    )


def test_a_check_that_fails_is_a_finding(machine: Machine) -> None:
    """The others go on."""

    def check_odd(_: Machine) -> Iterator[Finding]:
        raise PermissionError(13, "Permission denied", "/x")
        yield

    seen = examine(machine, [check_odd, doctor.check_clock])
    assert (seen[0].check, seen[0].verdict, seen[0].text) == ("odd", Verdict.FAIL, "/x: Permission denied")
    assert len(seen) == 3
