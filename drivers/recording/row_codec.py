"""Row chunks as bytes and back, lossless to the bit, including NaN and the sign of zero.

A chunk is stored column by column, `t_s` first. Each column is one of

    code 0   float64
    code 1   float32, where every value is one
    code 2   decimals: value = whole / 10**k, where that division gives every value back to the bit;
             the wholes are stored as differences, in the fewest of 1, 2, 4 or 8 bytes

laid out as: code u8, k u8, width u8 (bytes of a number), missing u8 (1: a bitmap of NaN, one bit a row,
most significant first, stands before the numbers, which then count only the values present), then for each
byte place of the numbers, low byte first: squeezed u8, size u32, bytes (all first bytes, then all second
bytes, ...; deflated where squeezed is 1). Everything is little-endian. A bitmap is stored like one byte
place. What CSV files hold are decimals, so most columns shrink to a fifth; float noise is left as it is.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
import numpy.typing as npt

from analysis.samples import FloatArray

_FLOAT64, _FLOAT32, _DECIMAL = 0, 1, 2
_MOST_DECIMALS = 9
_TRIAL = 512
_PROBE_BYTES = 4096


def packed(columns: list[FloatArray]) -> bytes:
    """Columns of equal length as bytes."""
    return b"".join(_packed_column(column) for column in columns)


def unpacked(data: bytes, rows: int, columns: int) -> FloatArray:
    """(columns, rows) as they were packed.

    Raises:
        ValueError: the bytes are damaged.
    """
    values = np.empty((columns, rows), np.float64)
    at = 0
    try:
        for column in range(columns):
            at = _unpack_column(data, at, values[column])
    except (struct.error, zlib.error, IndexError) as error:
        raise ValueError("damaged rows") from error
    if at != len(data):
        raise ValueError("damaged rows")
    return values


def _packed_column(column: FloatArray) -> bytes:
    missing = np.isnan(column)
    present = column[~missing] if missing.any() else column
    code, decimals, numbers = _numbers(np.ascontiguousarray(present, np.float64))
    head = bytes((code, decimals, numbers.itemsize, present.size < column.size))
    bitmap = _packed_lane(np.packbits(missing)) if present.size < column.size else b""
    lanes = numbers.view(np.uint8).reshape(-1, numbers.itemsize) if numbers.size else np.zeros((0, 0), np.uint8)
    return head + bitmap + b"".join(_packed_lane(lanes[:, i]) for i in range(lanes.shape[1]))


def _numbers(values: FloatArray) -> tuple[int, int, npt.NDArray[np.generic]]:
    """Code, decimals and the numbers to store."""
    bits = values.view(np.int64)
    for decimals in range(_MOST_DECIMALS + 1):
        if _is_decimal(values[:_TRIAL], bits[:_TRIAL], decimals) and _is_decimal(values, bits, decimals):
            wholes = np.rint(values * 10.0**decimals).astype(np.int64)
            return _DECIMAL, decimals, _narrow(np.diff(wholes, prepend=np.int64(0)))
    with np.errstate(over="ignore"):
        single = values.astype("<f4")
    if np.array_equal(single.astype(np.float64).view(np.int64), bits):
        return _FLOAT32, 0, single
    return _FLOAT64, 0, values.astype("<f8")


def _is_decimal(values: FloatArray, bits: npt.NDArray[np.int64], decimals: int) -> bool:
    """Compared as bits, because -0.0 equals 0.0."""
    with np.errstate(over="ignore", invalid="ignore"):
        wholes = np.rint(values * 10.0**decimals)
        if not bool((np.abs(wholes) < 2.0**53).all()):
            return False
        back = wholes.astype(np.int64) / 10.0**decimals
    return np.array_equal(back.view(np.int64), bits)


def _narrow(wholes: npt.NDArray[np.int64]) -> npt.NDArray[np.generic]:
    if not wholes.size:
        return wholes.astype("<i1")
    low, high = int(wholes.min()), int(wholes.max())
    for kind in ("<i1", "<i2", "<i4"):
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return wholes.astype(kind)
    return wholes.astype("<i8")


def _packed_lane(lane: npt.NDArray[np.uint8]) -> bytes:
    raw = lane.tobytes()
    probe = raw[: min(_PROBE_BYTES, len(raw))]
    if len(zlib.compress(probe, 1)) < 0.9 * len(probe):
        deflated = zlib.compress(raw, 1)
        return struct.pack("<BI", 1, len(deflated)) + deflated
    return struct.pack("<BI", 0, len(raw)) + raw


def _unpacked_lane(data: bytes, at: int, size: int) -> tuple[npt.NDArray[np.uint8], int]:
    squeezed, length = struct.unpack_from("<BI", data, at)
    at += 5
    raw = data[at : at + length]
    lane = zlib.decompress(raw) if squeezed else raw
    if len(lane) != size:
        raise ValueError("damaged rows")
    return np.frombuffer(lane, np.uint8), at + length


def _unpack_column(data: bytes, at: int, into: FloatArray) -> int:
    code, decimals, width, holed = data[at : at + 4]
    at += 4
    seen = None
    size = into.size
    if holed:
        bitmap, at = _unpacked_lane(data, at, (size + 7) // 8)
        seen = np.unpackbits(bitmap, count=size) == 0
        size = int(seen.sum())
    lanes = np.empty((size, width), np.uint8)
    for i in range(width if size else 0):
        lanes[:, i], at = _unpacked_lane(data, at, size)
    values = _restored(code, decimals, width, lanes)
    if seen is None:
        into[:] = values
    else:
        into[:] = np.nan
        into[seen] = values
    return at


def _restored(code: int, decimals: int, width: int, lanes: npt.NDArray[np.uint8]) -> FloatArray:
    if code == _DECIMAL and width in (1, 2, 4, 8) and decimals <= _MOST_DECIMALS:
        steps = lanes.reshape(-1).view(f"<i{width}").astype(np.int64)
        restored: FloatArray = np.cumsum(steps) / 10.0**decimals
        return restored
    if (code, width) in ((_FLOAT32, 4), (_FLOAT64, 8)):
        return lanes.reshape(-1).view(f"<f{width}").astype(np.float64)
    raise ValueError("damaged rows")
