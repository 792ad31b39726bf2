"""Carries the steps of a script out on a virtual sensor, without a radio, an event loop or a clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from analysis.samples import SampleBlock
from drivers.errors import LinkError
from drivers.packets import ADVERTISEMENT, RawPacket
from drivers.script import Expect, Pause, Read, Script, Step, Subscribe, Unsubscribe, Write
from drivers.virtual.peripheral import NO_SUCH, AttError, Notification, Peripheral

Outcome = TypeVar("Outcome")

_LATENCY_NS = 20_000_000


class Conversation:
    """One link to one sensor.

    Attributes:
        sensor: the peripheral.
        now_s: the sensor's second; waiting moves it on.
        packets: everything the sensor notified, as it would have arrived.
        steps: every step that was carried out.
    """

    def __init__(self, sensor: Peripheral, now_s: float = 0.0) -> None:
        self.sensor = sensor
        self.now_s = now_s
        self.packets: list[RawPacket] = []
        self.steps: list[Step] = []
        self._unread: list[Notification] = []

    def carry_out(self, script: Script[Outcome]) -> Outcome:
        """Runs a script to its end; its outcome.

        Raises:
            LinkError: the script gave up, or the sensor refused a request.
        """
        self._unread = []
        answer: bytes | None = None
        while True:
            try:
                step = script.send(answer)
            except StopIteration as end:
                outcome: Outcome = end.value
                return outcome
            self.steps.append(step)
            try:
                answer = self._do(step)
            except AttError as error:
                raise LinkError(f"the sensor refuses {type(step).__name__.lower()}: {error}") from error

    def stream(self, blocks: Sequence[SampleBlock]) -> None:
        """The sensor takes samples."""
        ends = [float(block.t_s[-1]) for block in blocks if len(block)]
        self._hear(self.sensor.sample(blocks))
        self.now_s = max([self.now_s, *ends])

    def _do(self, step: Step) -> bytes | None:
        match step:
            case Subscribe(characteristic):
                self._require(characteristic, "notify", "indicate")
                self._hear(self.sensor.subscribe(characteristic))
            case Unsubscribe(characteristic):
                self._hear(self.sensor.subscribe(characteristic, on=False))
            case Write(characteristic, payload, response):
                self._require(characteristic, "write" if response else "write-without-response")
                self._hear(self.sensor.write(characteristic, payload, self.now_s))
            case Read(characteristic):
                return self._read(characteristic)
            case Expect():
                return self._expect(step)
            case Pause(seconds):
                self.now_s += seconds
        return None

    def _require(self, characteristic: str, *properties: str) -> None:
        for characteristics in self.sensor.services.values():
            if set(properties) & set(characteristics.get(characteristic, ())):
                return
        raise AttError(NO_SUCH, f"{characteristic} has no {' or '.join(properties)}")

    def _read(self, characteristic: str) -> bytes | None:
        try:
            return self.sensor.read(characteristic)
        except AttError as error:
            if error.code == NO_SUCH:
                return None
            raise

    def _expect(self, step: Expect) -> bytes | None:
        for place, notification in enumerate(self._unread):
            if notification.characteristic == step.characteristic and step.matches(notification.payload):
                del self._unread[place]
                return notification.payload
        self.now_s += step.timeout_s
        return None

    def _hear(self, notifications: Iterable[Notification]) -> None:
        for heard in notifications:
            if heard.characteristic == ADVERTISEMENT:
                continue
            self._unread.append(heard)
            arrival_ns = round(heard.t_s * 1e9) + _LATENCY_NS
            if self.packets:
                arrival_ns = max(arrival_ns, self.packets[-1].arrival_ns)
            self.packets.append(RawPacket(arrival_ns, heard.characteristic, heard.payload))
