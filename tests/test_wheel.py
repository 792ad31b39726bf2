"""What is installed: the three packages, their types and one command; nothing else."""

from __future__ import annotations

import configparser
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("analysis", "drivers", "tracker")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this checkout, built by hatchling as `pip` would, without the network."""
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = out.glob("*.whl")
    return zipfile.ZipFile(path)


def test_top_level_is_the_three_packages(wheel: zipfile.ZipFile) -> None:
    """The wheel puts tracker, drivers, analysis and its own dist-info side by side, and not one thing more."""
    top = {name.split("/")[0] for name in wheel.namelist()}
    (info,) = {name for name in top if name.endswith(".dist-info")}
    assert info.startswith("soleus_tracker-")
    assert top == {*PACKAGES, info}


def test_every_module_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    """Each module and data file of the packages is installed; tests and caches are not."""
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES for path in (ROOT / package).rglob("*.py")
    }  # fmt: skip
    shipped = set(wheel.namelist())
    assert expected <= shipped
    assert {f"{package}/py.typed" for package in PACKAGES} <= shipped
    assert not [name for name in shipped if "test" in Path(name).parts or "tests" in Path(name).parts]
    assert not [name for name in shipped if "__pycache__" in name]


def test_the_command_is_soleus(wheel: zipfile.ZipFile) -> None:
    """Installing gives one command, whose function exists."""
    (name,) = (n for n in wheel.namelist() if n.endswith(".dist-info/entry_points.txt"))
    points = configparser.ConfigParser()
    points.read_string(wheel.read(name).decode())
    assert points.sections() == ["console_scripts"]
    assert list(points["console_scripts"]) == ["soleus"]
    module, function = points["console_scripts"]["soleus"].split(":")
    assert f"def {function}(" in wheel.read(module.replace(".", "/") + ".py").decode()


def test_it_cannot_be_uploaded_by_mistake(wheel: zipfile.ZipFile) -> None:
    """Three generic names make it an application: no index accepts it."""
    (name,) = (n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
    metadata = wheel.read(name).decode()
    assert "Classifier: Private :: Do Not Upload" in metadata
    assert "Requires-Python: >=3.11" in metadata


def test_the_open_profile_is_in_it(wheel: zipfile.ZipFile) -> None:
    """Who installs it has the layout of `soleus-nus` and the sketch beside the driver."""
    assert {"drivers/devices/soleus_nus.md", "drivers/devices/soleus_nus_nano33ble.ino"} <= set(wheel.namelist())
