"""Objects with properties on a bus, as an ObjectManager shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drivers.virtual.dbus_wire import Kind, Message, Variant

OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
PROPERTIES = "org.freedesktop.DBus.Properties"

Interfaces = dict[str, dict[str, Variant]]


class Objects:
    """The object tree; every change is signalled."""

    def __init__(self) -> None:
        self.tree: dict[str, Interfaces] = {}
        self.emit: Callable[[Message], None] | None = None

    def add(self, path: str, interfaces: Interfaces) -> None:
        """An object appears."""
        self.tree[path] = interfaces
        self._signal(
            Message(Kind.SIGNAL, "oa{sa{sv}}", [path, interfaces], "/", OBJECT_MANAGER, "InterfacesAdded")
        )  # fmt: skip

    def remove(self, path: str) -> None:
        """An object goes, and all below it."""
        for gone in sorted((known for known in self.tree if is_below(known, path)), reverse=True):
            body = [gone, list(self.tree.pop(gone))]
            self._signal(Message(Kind.SIGNAL, "oas", body, "/", OBJECT_MANAGER, "InterfacesRemoved"))

    def change(self, path: str, interface: str, **values: Variant) -> None:
        """Properties change; nothing is said of an object that does not exist."""
        if path in self.tree:
            self.tree[path][interface].update(values)
            body = [interface, values, []]
            self._signal(Message(Kind.SIGNAL, "sa{sv}as", body, path, PROPERTIES, "PropertiesChanged"))

    def invalidate(self, path: str, interface: str, *names: str) -> None:
        """Properties lose their values."""
        known = self.tree.get(path, {}).get(interface, {})
        lost = [name for name in names if known.pop(name, None) is not None]
        if lost:
            body = [interface, {}, lost]
            self._signal(Message(Kind.SIGNAL, "sa{sv}as", body, path, PROPERTIES, "PropertiesChanged"))

    def value(self, path: str, interface: str, name: str) -> Any:
        """A property's value, None where there is none."""
        known = self.tree.get(path, {}).get(interface, {}).get(name)
        return None if known is None else known.value

    def _signal(self, message: Message) -> None:
        if self.emit is not None:
            self.emit(message)


def is_below(path: str, parent: str) -> bool:
    """An object is this one, or lies below it."""
    return path == parent or path.startswith(parent + "/")
