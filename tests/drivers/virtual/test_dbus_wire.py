"""Messages survive the wire: round trips, the specification's own bytes, and nonsense that is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.virtual.dbus_wire import Kind, Message, Variant, WireError, complete_types, decode, encode, size_of

INTEGERS = {"y": (0, 255), "n": (-(2**15), 2**15 - 1), "q": (0, 2**16 - 1), "i": (-(2**31), 2**31 - 1),
            "u": (0, 2**32 - 1), "x": (-(2**63), 2**63 - 1), "t": (0, 2**64 - 1)}  # fmt: skip
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12)
PATHS = st.lists(st.text("abc_9", min_size=1, max_size=5), max_size=4).map(lambda parts: "/" + "/".join(parts))
Typed = st.SearchStrategy[tuple[str, Any]]


def basic() -> Typed:
    """A signature of one basic type, and a value of it."""
    whole = [st.tuples(st.just(code), st.integers(*limits)) for code, limits in INTEGERS.items()]
    real = st.floats(allow_nan=False).map(lambda value: ("d", value))
    return st.one_of(
        *whole,
        real,
        st.tuples(st.just("b"), st.booleans()),
        st.tuples(st.just("s"), TEXT),
        st.tuples(st.just("o"), PATHS),
    )


def _array(inner: tuple[str, Any]) -> tuple[str, Any]:
    return ("ay", bytes([inner[1]] * 3)) if inner[0] == "y" else ("a" + inner[0], [inner[1]] * 2)


def wider(inner: Typed) -> Typed:
    """Containers of what there is."""
    pairs = st.tuples(basic(), inner).map(lambda kv: (f"a{{{kv[0][0]}{kv[1][0]}}}", {kv[0][1]: kv[1][1]}))
    structs = st.lists(inner, min_size=1, max_size=3).map(
        lambda parts: ("(" + "".join(part[0] for part in parts) + ")", tuple(part[1] for part in parts))
    )
    return st.one_of(inner.map(_array), pairs, structs, inner.map(lambda part: ("v", Variant(*part))))


VALUES = st.recursive(basic(), wider, max_leaves=8)


@given(st.lists(VALUES, max_size=4), TEXT, st.integers(1, 2**32 - 1))
def test_what_is_written_is_read(parts: list[tuple[str, Any]], member: str, serial: int) -> None:
    """Decoding undoes encoding, for every type there is."""
    signature = "".join(part[0] for part in parts)
    message = Message(Kind.SIGNAL, signature, [part[1] for part in parts], "/a", "b.c", member, serial=serial)
    raw = encode(message)
    assert size_of(raw) == len(raw)
    assert decode(raw) == message


@given(st.lists(VALUES, max_size=3), st.data())
def test_damaged_bytes_are_refused_or_read_never_worse(parts: list[tuple[str, Any]], data: st.DataObject) -> None:
    """Only WireError comes of bytes, whatever they are."""
    raw = bytearray(encode(Message(Kind.CALL, "".join(p[0] for p in parts), [p[1] for p in parts], "/a", member="m")))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(raw))
    except WireError:
        return


@given(st.binary(max_size=64))
def test_nonsense_is_refused(data: bytes) -> None:
    try:
        decode(data)
    except WireError:
        return


def test_a_hello_of_the_reference_library_is_understood() -> None:
    """Bytes laid out by hand from the specification: a call of Hello, serial 1."""
    fields = (
        bytes.fromhex("01016f00 15000000") + b"/org/freedesktop/DBus\0" + bytes(2)
        + bytes.fromhex("03017300 05000000") + b"Hello\0" + bytes(2)
    )  # fmt: skip
    raw = b"l\1\0\1" + bytes(4) + b"\1\0\0\0" + (len(fields) - 2).to_bytes(4, "little") + fields
    message = decode(raw)
    assert (message.path, message.member, message.serial) == ("/org/freedesktop/DBus", "Hello", 1)


def test_big_endian_is_read() -> None:
    fields = bytes.fromhex("01016f00 00000001") + b"/\0" + bytes(6) + bytes.fromhex("08016700 01") + b"u\0"
    raw = b"B\4\0\1" + (4).to_bytes(4) + (9).to_bytes(4) + len(fields).to_bytes(4) + fields
    raw += bytes(-len(raw) % 8) + (77).to_bytes(4)
    assert list(decode(raw).body) == [77]


@pytest.mark.parametrize("signature", ["a", "(", "()", "a{vs}", "a{s}", "{ss}", "z", "(i", "a{sss}", "a" * 70 + "y"])
def test_what_is_no_signature(signature: str) -> None:
    with pytest.raises(WireError):
        complete_types(signature)


@pytest.mark.parametrize(("signature", "body"), [("y", [256]), ("s", [7]), ("ii", [1]), ("v", [3]), ("d", ["x"])])
def test_a_value_that_does_not_fit_is_refused(signature: str, body: list[object]) -> None:
    with pytest.raises(WireError):
        encode(Message(Kind.RETURN, signature, body))


def test_not_a_number_survives() -> None:
    assert math.isnan(decode(encode(Message(Kind.RETURN, "d", [math.nan]))).body[0])
