"""D-Bus messages as bytes, both ways: all types that BlueZ uses, and the rest of them.

Source: D-Bus specification, chapters "Type System" and "Message Protocol".
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Any

MAX_MESSAGE_BYTES = 1 << 27
MAX_ARRAY_BYTES = 1 << 26
MAX_DEPTH = 64
NO_REPLY_EXPECTED = 0x1

_FIXED = {"y": "B", "n": "h", "q": "H", "i": "i", "u": "I", "x": "q", "t": "Q", "d": "d", "h": "I", "b": "I"}
_ALIGN = {"y": 1, "n": 2, "q": 2, "g": 1, "v": 1, "(": 8, "{": 8, "x": 8, "t": 8, "d": 8}
_LITTLE = {code: struct.Struct("<" + form) for code, form in _FIXED.items()}
_BIG = {code: struct.Struct(">" + form) for code, form in _FIXED.items()}


class WireError(Exception):
    """Bytes or values that the D-Bus specification does not allow."""


class Kind(IntEnum):
    """Message type."""

    CALL = 1
    RETURN = 2
    ERROR = 3
    SIGNAL = 4


@dataclass(frozen=True, slots=True)
class Variant:
    """A value that says what it is."""

    signature: str
    value: Any


@dataclass(slots=True)
class Message:
    """One message; an empty string stands for a header field that is absent.

    Attributes:
        body: one value for each complete type of the signature: str, int, float, bool, bytes (for "ay"),
            list, dict, tuple (struct), `Variant`; "h" is an index into `fds`.
        fds: how many file descriptors come with it.
    """

    kind: Kind
    signature: str = ""
    body: Sequence[Any] = ()
    path: str = ""
    interface: str = ""
    member: str = ""
    error_name: str = ""
    destination: str = ""
    sender: str = ""
    reply_serial: int = 0
    serial: int = 0
    flags: int = 0
    fds: int = 0


_FIELDS: Mapping[int, tuple[str, str]] = {
    1: ("path", "o"), 2: ("interface", "s"), 3: ("member", "s"), 4: ("error_name", "s"), 5: ("reply_serial", "u"),
    6: ("destination", "s"), 7: ("sender", "s"), 8: ("signature", "g"), 9: ("fds", "u"),
}  # fmt: skip
"""Header field code -> attribute and type."""


@lru_cache(1024)
def complete_types(signature: str) -> tuple[str, ...]:
    """The single complete types a signature consists of.

    Raises:
        WireError: not a signature.
    """
    found, at = [], 0
    while at < len(signature):
        end = _end_of_type(signature, at, 0)
        found.append(signature[at:end])
        at = end
    return tuple(found)


def _end_of_type(signature: str, at: int, depth: int) -> int:
    code = signature[at : at + 1]
    if depth > MAX_DEPTH:
        raise WireError("types nested too deeply")
    if code in _FIXED or code in ("s", "o", "g", "v"):
        return at + 1 if code else _refuse(signature)
    if code == "a" and signature[at + 1 : at + 2] == "{":
        key = at + 2
        end = _end_of_type(signature, _end_of_type(signature, key, depth + 1), depth + 1)
        basic = signature[key : key + 1] in _FIXED or signature[key : key + 1] in ("s", "o", "g")
        return end + 1 if basic and signature[end : end + 1] == "}" else _refuse(signature)
    if code == "a":
        return _end_of_type(signature, at + 1, depth + 1)
    if code == "(" and signature[at + 1 : at + 2] != ")":
        at += 1
        while signature[at : at + 1] != ")":
            at = _end_of_type(signature, at, depth + 1)
        return at + 1
    return _refuse(signature)


def _refuse(signature: str) -> int:
    raise WireError(f"{signature!r} is not a signature")


@dataclass(slots=True)
class _Writer:
    out: bytearray = field(default_factory=bytearray)

    def align(self, to: int) -> None:
        self.out += bytes(-len(self.out) % to)

    def put(self, kind: str, value: Any) -> None:
        """Append one value of one complete type."""
        code = kind[0]
        self.align(_ALIGN.get(code, 4))
        if code in _FIXED:
            self.out += _LITTLE[code].pack(value)
        elif code in ("s", "o"):
            raw = value.encode()
            self.out += len(raw).to_bytes(4, "little") + raw + b"\0"
        elif code == "g":
            self.out += bytes((len(value),)) + value.encode() + b"\0"
        elif code == "v":
            self.put("g", value.signature)
            self.put(value.signature, value.value)
        elif code == "(":
            for part, item in zip(complete_types(kind[1:-1]), value, strict=True):
                self.put(part, item)
        else:
            self._array(kind[1:], value)

    def _array(self, kind: str, value: Any) -> None:
        at = len(self.out)
        self.out += bytes(4)
        self.align(_ALIGN.get(kind[0], 4))
        start = len(self.out)
        if kind == "y":
            self.out += bytes(value)
        elif kind[0] == "{":
            key_type, value_type = complete_types(kind[1:-1])
            for key, item in value.items():
                self.align(8)
                self.put(key_type, key)
                self.put(value_type, item)
        else:
            for item in value:
                self.put(kind, item)
        self.out[at : at + 4] = (len(self.out) - start).to_bytes(4, "little")


@dataclass(slots=True)
class _Reader:
    data: bytes
    structs: Mapping[str, struct.Struct]
    at: int = 0
    depth: int = 0

    def align(self, to: int) -> None:
        self.at += -self.at % to

    def raw(self, count: int) -> bytes:
        taken = self.data[self.at : self.at + count]
        if len(taken) != count:
            raise WireError("message is too short")
        self.at += count
        return taken

    def fixed(self, code: str) -> Any:
        self.align(_ALIGN.get(code, 4))
        form = self.structs[code]
        return form.unpack(self.raw(form.size))[0]

    def text(self, size: int) -> str:
        raw = self.raw(size + 1)
        if raw[-1] or 0 in raw[:-1]:
            raise WireError("a string does not end where it says")
        return raw[:-1].decode()

    def get(self, kind: str) -> Any:
        """The next value of one complete type."""
        code = kind[0]
        if code == "b":
            return self._boolean()
        if code in _FIXED:
            return self.fixed(code)
        if code in ("s", "o"):
            return self.text(self.fixed("u"))
        if code == "g":
            return self.text(self.fixed("y"))
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise WireError("values nested too deeply")
        value = self._container(code, kind)
        self.depth -= 1
        return value

    def _boolean(self) -> bool:
        value = self.fixed("b")
        if value > 1:
            raise WireError("a boolean is neither 0 nor 1")
        return bool(value)

    def _container(self, code: str, kind: str) -> Any:
        if code == "v":
            types = complete_types(self.get("g"))
            if len(types) != 1:
                raise WireError("a variant holds one value")
            return Variant(types[0], self.get(types[0]))
        if code == "(":
            self.align(8)
            return tuple([self.get(part) for part in complete_types(kind[1:-1])])
        return self._array(kind[1:])

    def _array(self, kind: str) -> Any:
        size = self.fixed("u")
        if size > MAX_ARRAY_BYTES:
            raise WireError("array beyond the limit")
        self.align(_ALIGN.get(kind[0], 4))
        end = self.at + size
        if end > len(self.data):
            raise WireError("array runs past the message")
        if kind == "y":
            return self.raw(size)
        value = self._pairs(kind, end) if kind[0] == "{" else self._items(kind, end)
        if self.at != end:
            raise WireError("array does not end where it says")
        return value

    def _items(self, kind: str, end: int) -> list[Any]:
        items = []
        while self.at < end:
            items.append(self.get(kind))
        return items

    def _pairs(self, kind: str, end: int) -> dict[Any, Any]:
        key_type, value_type = complete_types(kind[1:-1])
        pairs = {}
        while self.at < end:
            self.align(8)
            key = self.get(key_type)
            pairs[key] = self.get(value_type)
        return pairs


def encode(message: Message) -> bytes:
    """The message as little-endian bytes.

    Raises:
        WireError: a value does not fit its type.
    """
    try:
        body = _Writer()
        for kind, value in zip(complete_types(message.signature), message.body, strict=True):
            body.put(kind, value)
        head = _Writer()
        sizes = (len(body.out), message.serial)
        head.out += struct.pack("<cBBBII", b"l", message.kind, message.flags, 1, *sizes)
        head.put("a(yv)", [
            (code, Variant(kind, value))
            for code, (name, kind) in _FIELDS.items() if (value := getattr(message, name))
        ])  # fmt: skip
        head.align(8)
    except (struct.error, TypeError, ValueError, AttributeError) as error:
        raise WireError(f"{message.member or message.kind.name}: {error}") from error
    return bytes(head.out + body.out)


def size_of(start: bytes | bytearray) -> int | None:
    """How long the message is that begins so; None while its first 16 bytes are not there.

    Raises:
        WireError: no message begins so.
    """
    if len(start) < 16:
        return None
    if start[0] not in b"lB" or start[3] != 1:
        raise WireError("not a D-Bus message")
    order = ">" if start[0] == 0x42 else "<"
    (body,) = struct.unpack_from(order + "I", start, 4)
    (fields,) = struct.unpack_from(order + "I", start, 12)
    total = int(16 + fields + -fields % 8 + body)
    if total > MAX_MESSAGE_BYTES:
        raise WireError("message beyond the limit")
    return total


def decode(data: bytes) -> Message:
    """One whole message.

    Raises:
        WireError: not a message.
    """
    if size_of(data) != len(data):
        raise WireError("not one whole message")
    try:
        reader = _Reader(data, _BIG if data[:1] == b"B" else _LITTLE)
        reader.at = 8
        message = Message(Kind(data[1]), serial=reader.fixed("u"), flags=data[2])
        for code, value in reader.get("a(yv)"):
            if code in _FIELDS and value.signature == _FIELDS[code][1]:
                setattr(message, _FIELDS[code][0], value.value)
        reader.align(8)
        message.body = [reader.get(kind) for kind in complete_types(message.signature)]
    except (UnicodeDecodeError, ValueError, TypeError) as error:
        raise WireError(str(error)) from error
    return message
