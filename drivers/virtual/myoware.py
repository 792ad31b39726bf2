"""A virtual MyoWare 2.0 Wireless Shield with one of the makers' sketches. Written on its own; shares no decoder code.

Source: AdvancerTechnologies/MyoWare-Arduino-Library at 2c2bcb9 (text, UUIDs),
sparkfun/SparkFun_MyoWare_Code_Examples at 2493e63 (bytes). The raw output is
simulated, which has a sign. Inferred: the rate of the loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

import numpy as np

from analysis.samples import FloatArray, Modality, SampleBlock
from drivers.virtual.peripheral import NO_SUCH, NOT_PERMITTED, AttError, Notification


class Sketch(StrEnum):
    """What was loaded onto the shield."""

    PERIPHERAL = "peripheral"
    UART = "uart"
    SINGLE = "single"
    MULTI = "multi"


_PERIPHERAL = ("ec3af789-2154-49f4-a9fc-bc6c88e9e930", "f3a56edf-8f1e-4533-93bf-5601b2e91308")
_UART = ("6e400001-b5a3-f393-e0a9-e50e24dcca9e", "6e400003-b5a3-f393-e0a9-e50e24dcca9e")
_UART_RX = "6e400002-b5a3-f393-e0a9-e50e24dcca9e"
_SPARKFUN = ("19b10000-e8f2-537e-4f6c-d104768a1214", "19b10001-e8f2-537e-4f6c-d104768a1214")
_SHIELDS = {
    Sketch.PERIPHERAL: ("MyoWareSensor1", *_PERIPHERAL),
    Sketch.UART: ("MyoW1", *_UART),
    Sketch.SINGLE: ("MYOWARE1", *_SPARKFUN),
    Sketch.MULTI: ("MYOWARE1", *_SPARKFUN),
}


class VirtualMyoware:
    """The peripheral's side: a characteristic that says the next number in every turn of the loop."""

    manufacturer_data: dict[int, bytes]

    def __init__(self, *, sketch: Sketch = Sketch.PERIPHERAL, mtu: int = 23, loop_hz: float = 200.0) -> None:
        """A shield that is switched on, not connected.

        Args:
            sketch: which was loaded.
            mtu: ATT MTU.
            loop_hz: turns of the sketch's loop a second.
        """
        self.mtu = mtu
        self.manufacturer_data = {}
        self.sketch = sketch
        self.local_name, self.service, self.point = _SHIELDS[sketch]
        self._loop_hz = loop_hz
        self._subscribed = False
        self._said = b""

    @property
    def advertised_services(self) -> Sequence[str]:
        """The sketch's service."""
        return (self.service,)

    @property
    def services(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """One characteristic, and the UART's other direction."""
        if self.sketch is Sketch.UART:
            return {self.service: {self.point: ("notify",), _UART_RX: ("write",)}}
        return {self.service: {self.point: ("read", "notify")}}

    def read(self, characteristic: str) -> bytes:
        """The last number said."""
        if characteristic != self.point or self.sketch is Sketch.UART:
            raise AttError(NO_SUCH, f"{characteristic} cannot be read")
        return self._said

    def subscribe(self, characteristic: str, *, on: bool = True) -> list[Notification]:
        """Numbers come on their own."""
        if characteristic != self.point:
            raise AttError(NO_SUCH, f"{characteristic} does not notify")
        self._subscribed = on
        return []

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        """The UART sketch lets it pass; nothing else can be written."""
        if characteristic != _UART_RX or self.sketch is not Sketch.UART:
            raise AttError(NOT_PERMITTED, f"{characteristic} cannot be written")
        return []

    def rate_hz(self, modality: str) -> float | None:
        """While somebody listens."""
        return self._loop_hz if modality == "emg" and self._subscribed else None

    def sample(self, blocks: Sequence[SampleBlock]) -> list[Notification]:
        """One number, or four, a sample."""
        sent = []
        for block in blocks:
            if block.modality is Modality.EMG and self._subscribed:
                for t_s, row in zip(block.t_s.tolist(), block.values, strict=True):
                    self._said = self._text(row)
                    sent.append(Notification(t_s, self.point, self._said))
        return sent

    def _text(self, row: FloatArray) -> bytes:
        match self.sketch:
            case Sketch.PERIPHERAL:
                return b"%.2f" % float(row[0])
            case Sketch.UART:
                return b"%.2f\n" % float(row[0])
        channels = 1 if self.sketch is Sketch.SINGLE else 4
        octets = np.zeros(channels, np.uint8)
        given = np.clip(np.rint(row[:channels]), 0, 255).astype(np.uint8)
        octets[: given.size] = given
        return octets.tobytes()

    def disconnect(self) -> None:
        """The link is gone."""
        self._subscribed = False

    def reboot(self) -> None:
        """The reset button."""
        self.disconnect()
        self._said = b""


VIRTUAL = VirtualMyoware
"""What the conformance kit and the demonstration switch on."""
