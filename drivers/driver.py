"""A driver: all that is known of one device family, in one object that does no I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from drivers.decoder import Decoder, Settings
from drivers.script import Script, Step


@dataclass(frozen=True, slots=True)
class Advert:
    """What a scan saw of a device.

    Attributes:
        name: local name, None where none was seen.
        services: advertised service UUIDs, lower case, 128 bit.
        manufacturer_data: company id -> payload.
        service_data: service UUID -> payload.
    """

    name: str | None = None
    services: Sequence[str] = ()
    manufacturer_data: Mapping[int, bytes] = field(default_factory=dict)
    service_data: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """One row of the table of supported sensors.

    Attributes:
        measures: such as "acc gyr mag" or "emg x8".
        best_rate_hz: the fastest a live stream runs.
        clock: what the device's clock is; None where it has none.
        loss: how lost packets show: "counter", "clock", or None where they cannot be seen.
        ranges: full scales as text.
        battery: the level can be read.
        vibrates: it can remind its wearer by itself.
        seen: decoder checked on real bytes, or from documents only.
        caution: one sentence for the wearer about what this device cannot do; None where there is nothing to say.
    """

    measures: str
    best_rate_hz: float
    clock: str | None
    loss: str | None
    ranges: str
    battery: bool
    vibrates: bool
    seen: str
    caution: str | None = None


@dataclass(frozen=True, slots=True)
class KeepAwake:
    """A step to repeat while streaming, so that the device does not fall asleep."""

    every_s: float
    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """One supported device family. A file in `drivers/devices` defines exactly one, as `DRIVER`.

    Attributes:
        name: as on the command line.
        title: products, for people.
        decoder: makes a decoder for the settings a session was started with.
        recognises: whether an advertisement is such a device's.
        start: script from "connected" to "streams"; its outcome is the settings that were granted.
        stop: script from "streams" to "may be disconnected".
        defaults: the settings to ask for, best for counting.
        packet_interval_s: longest usual time between two data notifications at those settings.
        facts: the row of the table.
        battery: script that asks for the battery in percent, None where it cannot be read.
        keep_awake: what to repeat while streaming.
        least_mtu: the smallest ATT MTU that its data packets fit.
        buzz: script that makes the device vibrate, None where it cannot.
        advertised: the data in an advertisement, None where it holds none; such a device is listened to where it
            cannot be connected to. None for a device that puts no data into its advertisements.
    """

    name: str
    title: str
    decoder: Callable[[Settings], Decoder]
    recognises: Callable[[Advert], bool]
    start: Callable[[Settings], Script[Settings]]
    stop: Callable[[Settings], Script[None]]
    defaults: Settings
    packet_interval_s: float
    facts: Facts
    battery: Callable[[], Script[int | None]] | None = None
    keep_awake: tuple[KeepAwake, ...] = ()
    least_mtu: int = 23
    buzz: Callable[[], Script[None]] | None = None
    advertised: Callable[[Advert], bytes | None] | None = None
