"""The virtual Shimmer3R is as strict as the maker's program expects of the real one."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.virtual.peripheral import AttError
from drivers.virtual.shimmer3r import HEARS, SPEAKS, VirtualShimmer3R


def order(sensor: VirtualShimmer3R, *texts: str, at_s: float = 0.0) -> list[str]:
    return [n.payload.hex() for text in texts for n in sensor.write(HEARS, bytes.fromhex(text), at_s)]


def listening(*texts: str, **settings: object) -> VirtualShimmer3R:
    sensor = VirtualShimmer3R(**settings)  # type: ignore[arg-type]
    sensor.subscribe(SPEAKS)
    order(sensor, *texts)
    return sensor


def moved(count: int) -> list[SampleBlock]:
    t_s = np.arange(count) / 204.8
    muscle = np.tile([[2.0, -2.0]], (count, 1))
    return [
        SampleBlock(Modality.ACC, t_s, np.tile([[0.0, 1.0, 9.80665]], (count, 1))),
        SampleBlock(Modality.GYR, t_s, np.tile([[np.radians(70), 0.0, 0.0]], (count, 1))),
        SampleBlock(Modality.EMG, t_s, muscle, ("1", "2"), unit="1"),
    ]


READY = ("05A000", "0902", "4904", "5E01", "08501000")


def test_every_command_is_answered_first_and_then_replied_to() -> None:
    assert order(listening(), "05A000", "2E") == ["ff", "ff2f03000100" + "0016"]
    assert order(listening(together=False), "16") == ["ff", "15" + "ff" * 21]
    assert order(listening(mtu=23), "1C") == ["ff1b" + "ff" * 18, "ff" * 3]


@pytest.mark.parametrize("text", ["05", "050000", "0904", "4906", "5E02", "0850", "0100"])
def test_a_wrong_value_or_length_is_refused(text: str) -> None:
    assert order(listening(), text) == ["fe"]


def test_unknown_commands_get_no_answer_and_nobody_hears_without_listening() -> None:
    assert order(listening(), "E0", "") == []
    assert order(VirtualShimmer3R(), "2E") == []


def test_the_inquiry_names_rate_ranges_and_channels() -> None:
    (answer,) = order(listening(*READY), "01")
    assert answer == "ff02a000" + "08000001040000" + "0901" + "0405060a0b0c1d1e1f"
    assert order(listening("4901", "08400000"), "01")[0].endswith("0301" + "0a0b0c")


def test_a_frame_is_clock_and_channels_as_the_chips_lie() -> None:
    sensor = listening(*READY, "07", clock_start_ticks=0xFFFFFF, mtu=26)
    first, *_ = sensor.sample(moved(2))
    acc, gyro, muscle = "5efe" + "0000" + "fdef", "18fc" + "0000" + "0000", "80" + "000002" + "fffffe"
    assert first.payload.hex() == "00ffffff" + acc + gyro + muscle


def test_bytes_leave_when_a_notification_is_full_or_they_have_waited() -> None:
    sensor = listening(*READY, "07", mtu=45)
    sizes = [len(n.payload) for n in sensor.sample(moved(60))]
    assert set(sizes) == {42}
    patient = listening(*READY, "07", mtu=517)
    assert {len(n.payload) for n in patient.sample(moved(60))} == {23 * 10}


def test_samples_may_come_in_any_portions() -> None:
    whole, parts = listening(*READY, "07"), listening(*READY, "07")
    blocks = moved(60)
    sent = [n for at in range(0, 60, 7) for n in parts.sample([b.between(at, min(at + 7, 60)) for b in blocks])]
    assert sent == whole.sample(blocks)


def test_it_streams_what_is_switched_on_once_started_and_goes_on_after_the_link() -> None:
    sensor = listening(*READY)
    assert sensor.rate_hz("acc") is None
    order(sensor, "07")
    assert [sensor.rate_hz(kind) for kind in ("acc", "gyr", "emg", "mag")] == [204.8, 204.8, 204.8, None]
    assert order(sensor, "058002") == ["fe"]
    sensor.disconnect()
    assert sensor.rate_hz("acc") is None
    sensor.subscribe(SPEAKS)
    assert sensor.rate_hz("acc") == 204.8
    order(sensor, "20")
    assert sensor.rate_hz("acc") is None


def test_without_its_supply_exg_is_silent() -> None:
    sensor = listening("05A000", "08100000", "07", mtu=517)
    (sent,) = sensor.sample(moved(10))
    assert sent.payload[4:11].hex() == "80" + "000000" * 2


def test_a_restart_sets_everything_back() -> None:
    sensor = listening(*READY, "07", clock_start_ticks=77)
    order(sensor, "2E", at_s=3.0)
    sensor.reboot()
    sensor.subscribe(SPEAKS)
    assert (sensor.ticks(4.0), sensor.streams, sensor.divisor) == (32768, False, 640)


def test_what_does_not_exist_is_refused() -> None:
    sensor = VirtualShimmer3R()
    for attempt in (
        lambda: sensor.read(SPEAKS),
        lambda: sensor.subscribe(HEARS),
        lambda: sensor.write(SPEAKS, b"\x01", 0),
    ):
        with pytest.raises(AttError):
            attempt()
