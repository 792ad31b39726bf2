"""Rows put right in time: late rows sorted in, repeats dropped, halves of one instant joined."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tracker.samplefile.columns import Selection
from tracker.samplefile.origin import FileRows, Origin, join_rows, no_rows

LATE_S = 2.0
"""A row later than the newest by less than this is put right. Source: the command line's contract."""

# A row is held back a little longer than it can be overtaken, so that rounding never lets two orders meet.
_HOLD_S = LATE_S + 0.001

BoolArray = npt.NDArray[np.bool_]


@dataclass(slots=True)
class TimeOrder:
    """Memory of one file while its rows are put in order. The cutting into `feed`s changes nothing.

    Attributes:
        origin: the file, for errors.
        selection: names of the columns, for errors.
        repeats: rows that said nothing new about their instant, and were dropped.
        late: rows sorted in before an earlier line.
        joined: rows that filled other columns of an instant already there.
    """

    origin: Origin
    selection: Selection
    repeats: int = 0
    late: int = 0
    joined: int = 0
    _newest_s: float = -np.inf
    _held: FileRows = field(init=False)

    def __post_init__(self) -> None:
        self._held = no_rows(len(self.selection.picks))

    def feed(self, rows: FileRows) -> FileRows:
        """Rows that nothing can overtake any more, t_s strictly increasing over all calls.

        Raises:
            RecordingError: time runs back by 2 s or more, or two rows contradict each other.
        """
        if not len(rows):
            return no_rows(len(self.selection.picks))
        late = self._late(rows)
        self._newest_s = max(self._newest_s, float(rows.t_s.max()))
        late = np.concatenate([np.zeros(len(self._held), np.bool_), late])
        ordered = self._in_order(join_rows(self._held, rows), late)
        cut = int(np.searchsorted(ordered.t_s, self._newest_s - _HOLD_S))
        self._held = ordered.take(slice(cut, None))
        return ordered.take(slice(0, cut))

    def finish(self) -> FileRows:
        """The rows still held back at the end of the file."""
        held, self._held = self._held, no_rows(len(self.selection.picks))
        return held

    def _late(self, rows: FileRows) -> BoolArray:
        newest_s = np.maximum.accumulate(np.concatenate([[self._newest_s], rows.t_s]))[:-1]
        back_s = newest_s - rows.t_s
        bad = np.flatnonzero(back_s >= LATE_S)
        if bad.size:
            raise self.origin.error(
                f"time runs back by {back_s[bad[0]]:.6g} s (less than {LATE_S:g} s would be put right)",
                int(rows.line[bad[0]]),
                self.selection.time.source,
            )
        return np.asarray(back_s > 0.0)

    def _in_order(self, rows: FileRows, late: BoolArray) -> FileRows:
        step_s = np.diff(rows.t_s)
        if bool((step_s > 0).all()):
            return rows
        if bool((step_s < 0).any()):
            order = np.argsort(rows.t_s, kind="stable")
            rows, late = rows.take(order), late[order]
        rows = self._one_row_an_instant(rows, late)
        self.late += int(late.sum())
        return rows

    def _one_row_an_instant(self, rows: FileRows, late: BoolArray) -> FileRows:
        """Rows of equal t_s folded into the one that came first; `late` is cleared where a repeat goes."""
        first = np.concatenate([[True], np.diff(rows.t_s) > 0])
        if bool(first.all()):
            return rows
        kept = rows.take(first)
        group = np.cumsum(first) - 1
        extra = np.flatnonzero(~first)
        rank = extra - np.flatnonzero(first)[group[extra]]
        by_rank = extra[np.argsort(rank, kind="stable")]
        for which in np.split(by_rank, np.cumsum(np.bincount(rank)[1:])[:-1]):
            self._fold(kept, group[which], rows.take(which), which, late)
        return kept

    def _fold(
        self, kept: FileRows, into: npt.NDArray[np.intp], rows: FileRows,
        which: npt.NDArray[np.intp], late: BoolArray,
    ) -> None:  # fmt: skip
        there = kept.values[into]
        missing = np.isnan(there)
        clash = ~missing & ~np.isnan(rows.values) & (there != rows.values)
        if bool(clash.any()):
            at = int(np.flatnonzero(clash.any(axis=1))[0])
            raise self.origin.error(
                f"another value for t_s {float(rows.t_s[at])!r} stands in "
                f"{self.origin.name_of(int(kept.line[into[at]]))}",
                int(rows.line[at]),
                self.selection.picks[int(np.flatnonzero(clash[at])[0])].source,
            )
        adds = (missing & ~np.isnan(rows.values)).any(axis=1)
        kept.values[into] = np.where(missing, rows.values, there)
        self.joined += int(adds.sum())
        self.repeats += int((~adds).sum())
        late[which[~adds]] = False
