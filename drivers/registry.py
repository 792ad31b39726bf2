"""Which devices are supported: one module in `drivers/devices` each, and plug-ins of other packages."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

import drivers.devices
from drivers.driver import Driver

ENTRY_POINT_GROUP = "soleus.drivers"
"""Another package adds a device with an entry point of this group: name = driver name, object = `Driver`."""


class UnknownDriverError(ValueError):
    """No driver of that name; the text lists those there are."""


def names() -> tuple[str, ...]:
    """Names of all drivers, sorted. Nothing is imported to find them."""
    return tuple(sorted({*_own(), *_plugged_in()}))


def driver(name: str) -> Driver:
    """The driver of that name, imported on first use.

    Raises:
        UnknownDriverError: there is none.
    """
    own = _own()
    if name in own:
        found = import_module(f"{drivers.devices.__name__}.{own[name]}").DRIVER
    elif name in (plugged_in := _plugged_in()):
        found = plugged_in[name].load()
    else:
        raise UnknownDriverError(f"no driver is called {name!r}; there are: {', '.join(names())}")
    if not isinstance(found, Driver):
        raise TypeError(f"driver {name!r} is not a drivers.driver.Driver")
    return found


@cache
def _own() -> dict[str, str]:
    """Driver name -> module in `drivers/devices`."""
    return {
        module.name.replace("_", "-"): module.name
        for module in pkgutil.iter_modules(drivers.devices.__path__)
        if not module.name.startswith("_")
    }


def _plugged_in() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}
