"""Drivers are found by name, and imported only when asked for."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from drivers import registry
from drivers.driver import Driver


def test_a_module_of_the_devices_folder_is_a_driver() -> None:
    assert "polar-pmd" in registry.names()
    assert registry.driver("polar-pmd").name == "polar-pmd"


@pytest.mark.parametrize("name", registry.names())
def test_every_driver_answers_to_its_module_s_name(name: str) -> None:
    assert registry.driver(name).name == name


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(registry.UnknownDriverError, match=r"'nosuch'.*polar-pmd"):
        registry.driver("nosuch")


@pytest.mark.parametrize("name", ["polar_pmd", "../polar-pmd", "", "__init__"])
def test_only_listed_names_are_imported(name: str) -> None:
    with pytest.raises(registry.UnknownDriverError):
        registry.driver(name)


def test_another_package_adds_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("mine", "drivers.devices.polar_pmd:DRIVER", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: (point,))
    assert "mine" in registry.names()
    assert isinstance(registry.driver("mine"), Driver)


def test_a_plug_in_that_is_no_driver_is_a_bug_of_its_author(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("mine", "drivers.devices.polar_pmd:PolarPmdDecoder", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: (point,))
    with pytest.raises(TypeError, match="mine"):
        registry.driver("mine")
