"""No data is news: what is missing, since when, and what to do; each told once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from tracker.live.tally import LOW_PERCENT
from tracker.remind.decisions import (
    Decision,
    Notice,
    NoticeKind,
    Observation,
    RecorderSeen,
    SensorSeen,
    WithdrawNotice,
)
from tracker.remind.state import Noticed

SILENT_S = 300.0
"""A sensor that gave nothing for so long is told. Chosen: longer than any reconnection."""

SOON_EMPTY_H = 2.0
"""Hours left at which a battery is told, whatever its level says."""

CHARGED_PERCENT = LOW_PERCENT + 10.0
"""Up to here a low battery counts as the same one: levels waver."""

AGAIN_S = 3600.0
"""A condition that comes and goes is told once in so long."""

FEW_DAYS = 7.0
FEW_BYTES = 500_000_000
"""A disk is filling when it has room for fewer days of recording, or for less than this."""


def missing(seen: Observation) -> Iterator[Notice]:
    """What is wrong with the data at this instant."""
    for sensor in seen.sensors:
        # One that went silent because its battery is low is one piece of news.
        yield from list(_silent(sensor)) or _low(sensor, seen.now.astimezone(seen.zone))
    yield from _recorder(seen.recorder)


def _silent(sensor: SensorSeen) -> Iterator[Notice]:
    if sensor.silent_s is None or sensor.silent_s < SILENT_S:
        return
    level = sensor.battery_percent
    flat = f"charge it (it had {level:.0f} % left)" if level is not None and level <= LOW_PERCENT else "switch it on"
    yield Notice(
        f"{NoticeKind.SENSOR_SILENT}:{sensor.nick}",
        NoticeKind.SENSOR_SILENT,
        f"{sensor.nick} has sent nothing for {sensor.silent_s / 60:.0f} minutes: your calf is not being counted.",
        f"{flat[0].upper()}{flat[1:]}, and bring it within a few metres; recording goes on by itself.",
    )


def _low(sensor: SensorSeen, now: datetime) -> Iterator[Notice]:
    level, left_h = sensor.battery_percent, sensor.battery_hours_left
    is_low = level is not None and level <= LOW_PERCENT
    if level is None or not (is_low or (left_h is not None and left_h <= SOON_EMPTY_H)):
        return
    until = "" if left_h is None else f", until about {now + timedelta(hours=left_h):%H:%M}"
    yield Notice(
        f"{NoticeKind.BATTERY_LOW}:{sensor.nick}",
        NoticeKind.BATTERY_LOW,
        f"{sensor.nick} has {level:.0f} % left{until}.",
        "Charge it at the next pause, or change its cell.",
    )


def _recorder(recorder: RecorderSeen) -> Iterator[Notice]:
    if recorder.running is False:
        why = f" ({recorder.why.rstrip('.')})" if recorder.why else ""
        yield Notice(
            str(NoticeKind.RECORDER_STOPPED),
            NoticeKind.RECORDER_STOPPED,
            f"Nothing is being recorded{why}.",
            "Start it with `soleus service start`; `soleus doctor` says what is missing.",
        )
    trouble = recorder.disk_trouble or _filling(recorder)
    if trouble:
        yield Notice(
            str(NoticeKind.DISK_FILLING),
            NoticeKind.DISK_FILLING,
            trouble,
            "Free some room, or keep recordings for fewer days with `soleus settings keep_days`.",
        )


def _filling(recorder: RecorderSeen) -> str:
    free, a_day = recorder.disk_free_bytes, recorder.disk_bytes_per_day
    if free is None:
        return ""
    days = free / a_day if a_day else None
    if free >= FEW_BYTES and (days is None or days >= FEW_DAYS):
        return ""
    lasts = "" if days is None else f", enough for about {days:.0f} more days of recording"
    return f"The disk has {free / 1e6:,.0f} MB left{lasts}."


def tell(
    noticed: tuple[Noticed, ...], now_s: float, found: Iterable[Notice], sensors: Sequence[SensorSeen], *, held: bool
) -> tuple[tuple[Noticed, ...], list[Decision]]:
    """Tell what is new, take back what has ended.

    Args:
        noticed: what was told before.
        now_s: seconds of UTC since 1970.
        found: what is wrong now.
        sensors: their levels decide when a low battery has ended.
        held: nothing may be said just now; it is said once it may, if it is still true.

    Returns:
        What has been told, and the decisions.
    """
    wrong = {notice.id: notice for notice in found}
    wavering = {
        f"{NoticeKind.BATTERY_LOW}:{s.nick}" for s in sensors if s.battery_percent is None
        or s.battery_percent < CHARGED_PERCENT
    }  # fmt: skip
    known = {one.id: one for one in noticed}
    decisions: list[Decision] = []
    for one in noticed:
        if one.active and one.id not in wrong and one.id not in wavering:
            known[one.id] = Noticed(one.id, one.at_s, active=False)
            decisions.append(WithdrawNotice(one.id))
        elif not one.active and now_s - one.at_s > AGAIN_S:
            del known[one.id]
    for name, notice in wrong.items():
        if not held and name not in known:
            known[name] = Noticed(name, now_s)
            decisions.append(notice)
    return tuple(known.values()), decisions
