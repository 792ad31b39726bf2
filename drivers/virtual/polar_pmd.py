"""A virtual Polar sensor, byte for byte: what a Verity Sense or an H10 answers, and the frames it sends.

Written on its own from Polar's "Online measurement" (Aug 2024), SdkModeExplained.md and the control-point
classes of polarofficial/polar-ble-sdk; it shares no code with the decoder, so that an error in one of them
cannot hide in the other.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor

import numpy as np
import numpy.typing as npt

from analysis.samples import FloatArray, Modality, SampleBlock
from drivers.virtual.peripheral import NO_SUCH, NOT_PERMITTED, NOT_SUBSCRIBED, AttError, Notification
from drivers.virtual.polar_frames import FrameFormat, Ints, cut, header
from drivers.virtual.polar_models import ACCELERATION, GYROSCOPE, MAGNETOMETER, SDK_MODE, VERITY_SENSE, Model, Offer

PMD_SERVICE = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"
CONTROL_POINT = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
DATA_POINT = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
BATTERY_SERVICE = "0000180f-0000-1000-8000-00805f9b34fb"
BATTERY_POINT = "00002a19-0000-1000-8000-00805f9b34fb"
INFORMATION_SERVICE = "0000180a-0000-1000-8000-00805f9b34fb"
MAKER_POINT = "00002a29-0000-1000-8000-00805f9b34fb"
MODEL_POINT = "00002a24-0000-1000-8000-00805f9b34fb"
FIRMWARE_POINT = "00002a26-0000-1000-8000-00805f9b34fb"
POLAR_COMPANY = 0x006B
ADVERTISED = ("0000180d-0000-1000-8000-00805f9b34fb", "0000feee-0000-1000-8000-00805f9b34fb")

_SIZE = {0: 2, 1: 2, 2: 2, 4: 1}
_REFUSED = {0: 8, 1: 7, 2: 9, 4: 11}
"""Status a wrong value of each setting is answered with: rate, resolution, range, channels."""

OK, BAD_OP, BAD_TYPE, NOT_SUPPORTED, BAD_LENGTH, BAD_PARAMETER = 0, 1, 2, 3, 4, 5
ALREADY, BAD_MTU, BAD_STATE, IN_CHARGER = 6, 10, 12, 13
_TYPES = (0, 1, 2, 3, 5, 6, 7, 9, 10, 11, 12, 13, 14)

MEASURES = {Modality.ACC: ACCELERATION, Modality.GYR: GYROSCOPE, Modality.MAG: MAGNETOMETER}
H10_DEFAULT_CLOCK_NS = 599_616_000_000_000_000
"""2019-01-01 in nanoseconds since 2000-01-01: the H10's clock after it powered down (TimeSystemExplained.md)."""

_MPS2_PER_G = 9.80665
_UT_PER_GAUSS = 100.0


@dataclass(slots=True)
class _Stream:
    """A running measurement, with the samples that have not filled a frame yet."""

    form: FrameFormat
    range_: int
    factor: float | None
    rate: int
    t_s: FloatArray = field(default_factory=lambda: np.zeros(0))
    values: Ints | None = None


class VirtualPolar:
    """The peripheral's side of one sensor: its attribute table, control point and streams."""

    def __init__(
        self,
        model: Model = VERITY_SENSE,
        device_id: str = "A1B2C3D4",
        *,
        clock_start_ns: int = 780_000_000_000_000_000,
        drift_ppm: float = 0.0,
        mtu: int = 247,
        battery_percent: int = 87,
        in_charger: bool = False,
    ) -> None:
        """A sensor that is switched on, not connected.

        Args:
            model: which product and firmware.
            device_id: last word of its name.
            clock_start_ns: its clock at session second 0, nanoseconds since 2000-01-01T00:00:00Z.
            drift_ppm: how much faster its clock runs.
            mtu: ATT MTU of the link; below 232 a start in SDK mode is refused, and answers come in parts.
            battery_percent: level it reports.
            in_charger: it then refuses to stream.
        """
        self.model = model
        self.device_id = device_id
        self.local_name = f"Polar {model.word} {device_id}"
        self.manufacturer_data = {POLAR_COMPANY: bytes.fromhex("320200000000")}
        self.advertised_services = ADVERTISED
        self.battery_percent = battery_percent
        self.in_charger = in_charger
        self.mtu = mtu
        self.sdk_mode = False
        self._clock_start_ns = clock_start_ns
        self._clock_zero_s = 0.0
        self._now_s = 0.0
        self._pace = 1 + drift_ppm * 1e-6
        self._subscribed: set[str] = set()
        self._streams: dict[int, _Stream] = {}

    services: Mapping[str, Mapping[str, tuple[str, ...]]] = {
        PMD_SERVICE: {CONTROL_POINT: ("read", "write", "indicate"), DATA_POINT: ("notify",)},
        BATTERY_SERVICE: {BATTERY_POINT: ("read", "notify")},
        INFORMATION_SERVICE: {
            MAKER_POINT: ("read",), MODEL_POINT: ("read",), FIRMWARE_POINT: ("read",),
        },
    }  # fmt: skip
    """Service -> characteristic -> properties."""

    def read(self, characteristic: str) -> bytes:
        """Value of a readable characteristic; the control point gives the feature record, never an answer."""
        values = {
            CONTROL_POINT: self.model.features.ljust(17, b"\0"),
            BATTERY_POINT: bytes((self.battery_percent,)),
            MAKER_POINT: b"Polar Electro Oy",
            MODEL_POINT: self.model.word.encode(),
            FIRMWARE_POINT: self.model.firmware.encode(),
        }
        if characteristic not in values:
            raise AttError(NO_SUCH, f"{characteristic} cannot be read")
        return values[characteristic]

    def subscribe(self, characteristic: str, *, on: bool = True) -> list[Notification]:
        """Notifications or indications of a characteristic; nothing is sent because of it alone."""
        if characteristic not in (CONTROL_POINT, DATA_POINT, BATTERY_POINT):
            raise AttError(NO_SUCH, f"{characteristic} does not notify")
        if on:
            self._subscribed.add(characteristic)
        else:
            self._subscribed.discard(characteristic)
        return []

    def disconnect(self) -> None:
        """The link is gone: subscriptions end, streams go on until somebody stops them."""
        self._subscribed.clear()

    @property
    def streaming(self) -> frozenset[int]:
        """Measurements that run."""
        return frozenset(self._streams)

    def reboot(self) -> None:
        """Switched off and on: SDK mode ends, nothing streams, the clock is at its default."""
        self._subscribed.clear()
        self._streams.clear()
        self.sdk_mode = False
        self._clock_start_ns = H10_DEFAULT_CLOCK_NS
        self._clock_zero_s = self._now_s

    def rate_hz(self, modality: str) -> float | None:
        """The rate a measurement streams at just now, None while it does not."""
        measurement = {str(known): code for known, code in MEASURES.items()}.get(modality)
        stream = self._streams.get(measurement) if measurement is not None else None
        return float(stream.rate) if stream else None

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        """A write with response; the indications that answer it.

        Raises:
            AttError: not the control point, or indications and notifications are not both on.
        """
        if characteristic != CONTROL_POINT:
            raise AttError(NOT_PERMITTED, f"{characteristic} cannot be written")
        if not {CONTROL_POINT, DATA_POINT} <= self._subscribed:
            raise AttError(NOT_SUBSCRIBED, "control point and data must be subscribed before a write")
        self._now_s = max(self._now_s, t_s)
        return [Notification(t_s, CONTROL_POINT, answer) for answer in self._answers(payload)]

    def _answers(self, payload: bytes) -> list[bytes]:
        if len(payload) < 1:
            return [bytes((0xF0, 0, 0, BAD_LENGTH))]
        op, measurement = payload[0], payload[1] if len(payload) > 1 else 0
        status, params = self._obey(op, measurement, payload)
        if status:
            return [bytes((0xF0, op, measurement, status))]
        room = max(self.mtu - 3 - 5, 1)
        parts = [params[at : at + room] for at in range(0, len(params), room)] or [b""]
        return [bytes((0xF0, op, measurement, OK, i + 1 < len(parts))) + part for i, part in enumerate(parts)]

    def drop_streams(self) -> list[bytes]:
        """The sensor stops by itself (battery, button): the indication that says so."""
        stopped = bytes((1, *sorted(self._streams)))
        self._streams.clear()
        return [stopped] if len(stopped) > 1 else []

    def sample(self, blocks: Sequence[SampleBlock]) -> list[Notification]:
        """Takes samples of whatever streams; the frames that they fill, in the order of their last samples."""
        sent = []
        for block in blocks:
            if len(block):
                self._now_s = max(self._now_s, float(block.t_s[-1]))
            if block.modality in MEASURES:
                sent += self.fill(MEASURES[block.modality], block.t_s, block.values)
        return sorted(sent, key=lambda notification: notification.t_s)

    def fill(self, measurement: int, t_s: FloatArray, values: FloatArray, *, last: bool = False) -> list[Notification]:
        """Takes samples of a running measurement and sends the frames that they fill.

        Args:
            measurement: ACCELERATION in m/s2, GYROSCOPE in rad/s, MAGNETOMETER in uT.
            t_s: (n,) session seconds of the samples.
            values: (n, 3).
            last: send what has not filled a frame, too.

        Returns:
            Frames, each with the time of its last sample; none where the stream is stopped.
        """
        stream = self._streams.get(measurement)
        if stream is None:
            return []
        counts = _quantised(measurement, values, stream)
        if stream.values is not None:
            counts, t_s = np.concatenate([stream.values, counts]), np.concatenate([stream.t_s, t_s])
        sent, at = [], 0
        for count, content in cut(counts, stream.form, last=last):
            at += count
            when = float(t_s[at - 1])
            sent.append(Notification(when, DATA_POINT, header(stream.form, self.stamp_ns(when)) + content))
        stream.values, stream.t_s = counts[at:], t_s[at:]
        return sent if DATA_POINT in self._subscribed else []

    def stamp_ns(self, t_s: float) -> int:
        """The sensor's clock: nanoseconds since 2000, in steps of a 32768 Hz timer."""
        ticks = floor((t_s - self._clock_zero_s) * self._pace * 32768)
        return self._clock_start_ns + ticks * 1_000_000_000 // 32768

    def _obey(self, op: int, measurement: int, payload: bytes) -> tuple[int, bytes]:
        """Status and parameters of the answer to one write."""
        if op == 5 and len(payload) == 1:
            return OK, bytes(kind | (0x40 if kind in self._streams else 0) for kind in self._offers())
        if op == 6 and len(payload) == 1:
            return OK, bytes((self.sdk_mode,))
        if op not in (1, 2, 3, 4):
            return (BAD_LENGTH, b"") if op in (5, 6) else (BAD_OP, b"")
        if len(payload) < 2:
            return BAD_LENGTH, b""
        if measurement not in _TYPES:
            return BAD_TYPE, b""
        if measurement == SDK_MODE and op in (2, 3):
            return self._switch_sdk_mode(on=op == 2), b""
        if measurement not in self._offers():
            return NOT_SUPPORTED, b""
        if op in (1, 4):
            offers = self.model.sdk_offers if op == 4 else self._offers()
            return (OK, _listed(offers[measurement])) if measurement in offers else (NOT_SUPPORTED, b"")
        return self._start(measurement, payload[2:]) if op == 2 else self._stop(measurement, payload)

    def _offers(self) -> Mapping[int, Offer]:
        return self.model.sdk_offers if self.sdk_mode else self.model.offers

    def _switch_sdk_mode(self, *, on: bool) -> int:
        if not self.model.sdk_offers:
            return NOT_SUPPORTED
        if self._streams:
            return BAD_STATE
        if self.sdk_mode == on:
            return ALREADY
        self.sdk_mode = on
        return OK

    def _start(self, measurement: int, items: bytes) -> tuple[int, bytes]:
        if self.in_charger:
            return IN_CHARGER, b""
        if measurement in self._streams:
            return ALREADY, b""
        if self.sdk_mode and self.mtu < 232:
            return BAD_MTU, b""
        chosen, status = _chosen(items, self._offers()[measurement])
        if status:
            return status, b""
        stream = self._stream(measurement, chosen[2], chosen[0])
        self._streams[measurement] = stream
        if not self.model.compressed:
            return OK, b"\x01"
        return OK, b"" if stream.factor is None else b"\x05\x01" + struct.pack("<f", stream.factor)

    def _stop(self, measurement: int, payload: bytes) -> tuple[int, bytes]:
        if len(payload) != 2:
            return BAD_LENGTH, b""
        if self._streams.pop(measurement, None) is None:
            return ALREADY, b""
        return OK, b""

    def _stream(self, measurement: int, range_: int, rate: int) -> _Stream:
        if not self.model.compressed:
            return _Stream(FrameFormat(measurement, 0x01), range_, None, rate)
        if self.model.states_factor:
            # 8 g: the published bytes 40 DA 7F 39. The others by analogy [I].
            whole = 0.000244 * range_ / 8 if measurement == ACCELERATION else range_ / 32768
            return _Stream(FrameFormat(measurement, 0x80), range_, _float32(whole), rate)
        if measurement == GYROSCOPE:
            return _Stream(FrameFormat(measurement, 0x81, 4, wraps=True), range_, None, rate)
        return _Stream(FrameFormat(measurement, 0x81), range_, None, rate)


def _float32(value: float) -> float:
    return float(np.float32(value))


def _listed(offer: Offer) -> bytes:
    """Settings list of an answer."""
    return b"".join(
        bytes((item, len(values))) + b"".join(value.to_bytes(_SIZE[item], "little") for value in values)
        for item, values in offer.items()
    )


def _chosen(items: bytes, offer: Offer) -> tuple[dict[int, int], int]:
    """Settings of a start request and the status they earn: each item once, one value, as offered."""
    chosen: dict[int, int] = {}
    at = 0
    while at < len(items):
        item = items[at]
        if item not in _SIZE:
            return chosen, BAD_PARAMETER
        end = at + 2 + _SIZE[item]
        if end > len(items):
            return chosen, BAD_LENGTH
        if items[at + 1] != 1 or item in chosen:
            return chosen, BAD_PARAMETER
        chosen[item] = int.from_bytes(items[at + 2 : end], "little")
        at = end
    for item, value in chosen.items():
        if item not in offer:
            return chosen, BAD_PARAMETER
        if value not in offer[item]:
            return chosen, _REFUSED[item]
    return chosen, OK if chosen.keys() == offer.keys() else BAD_PARAMETER


def _quantised(measurement: int, values: FloatArray, stream: _Stream) -> Ints:
    """(n, channels) integers of the frame: 16-bit steps, clipped at the range."""
    per_unit = {ACCELERATION: _MPS2_PER_G, GYROSCOPE: float(np.radians(1)), MAGNETOMETER: _UT_PER_GAUSS}
    units = np.clip(np.asarray(values) / per_unit[measurement], -stream.range_, stream.range_)
    if stream.factor is not None:
        return _steps(units / stream.factor)
    if measurement == GYROSCOPE:
        return _patterns(_steps(units * 32768 / stream.range_), stream.range_)
    thousandths = _steps(units * 1000)
    if measurement == MAGNETOMETER:
        good = np.full((len(thousandths), 1), 3, np.int64)
        return np.concatenate([thousandths, good], axis=1)
    return thousandths


def _steps(scaled: FloatArray) -> Ints:
    return np.clip(np.rint(scaled), -32768, 32767).astype(np.int64)


def _patterns(steps: Ints, range_: int) -> Ints:
    """Degrees per second as the bit patterns of float32, read as signed integers."""
    values: npt.NDArray[np.float32] = (steps * (range_ / 32768)).astype(np.float32)
    return values.view(np.int32).astype(np.int64)


VIRTUAL = VirtualPolar
"""What the conformance kit and the demonstration switch on."""
