"""Where a row stands in its file, and how a fault there is told to the user."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from analysis.samples import FloatArray
from drivers.errors import RecordingError

LineArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Origin:
    """One sample file, and whether its places are lines (text) or rows (Parquet).

    Attributes:
        path: the file.
        counts_lines: True for text, whose header is line 1; False for Parquet, whose first row is row 1.
    """

    path: Path
    counts_lines: bool = True

    def error(self, reason: str, line: int | None = None, column: str | None = None) -> RecordingError:
        """One sentence with file, line (or row) and column where there are any."""
        said = reason if column is None else f"column {column}: {reason}"
        if line is not None and not self.counts_lines:
            return RecordingError(f"row {line}, {said}", self.path)
        return RecordingError(said, self.path, line)

    def name_of(self, line: int) -> str:
        """How a sentence calls a place: `line 7` or `row 7`."""
        return f"{'line' if self.counts_lines else 'row'} {line}"

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Turns what the system says about a file that cannot be read into one sentence."""
        try:
            yield
        except FileNotFoundError as fault:
            raise self.error("there is no such file") from fault
        except IsADirectoryError as fault:
            raise self.error("this is a folder, not a sample file") from fault
        except PermissionError as fault:
            raise self.error("there is no permission to read this file") from fault
        except EOFError as fault:
            raise self.error("the compressed file is cut off before its end") from fault
        except (gzip.BadGzipFile, zlib.error) as fault:
            raise self.error("this is not a gzip file, or it is damaged") from fault
        except OSError as fault:
            raise self.error(f"the file cannot be read ({fault.strerror or fault})") from fault


@dataclass(frozen=True, slots=True, eq=False)
class FileRows:
    """Rows with their places, units converted, in the order of arrival or of time.

    Attributes:
        t_s: (n,) seconds on the file's own axis.
        values: (n, columns) canonical units; NaN where a cell is empty.
        line: (n,) place of each row in the file, see `Origin`.
    """

    t_s: FloatArray
    values: FloatArray
    line: LineArray

    def __len__(self) -> int:
        return self.t_s.size

    def take(self, which: slice | npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> FileRows:
        """The rows picked by a slice, a mask or indices."""
        return FileRows(self.t_s[which], self.values[which], self.line[which])


def join_rows(first: FileRows, second: FileRows) -> FileRows:
    """Rows of both, one after the other."""
    if not len(first):
        return second
    return FileRows(
        np.concatenate([first.t_s, second.t_s]),
        np.concatenate([first.values, second.values]),
        np.concatenate([first.line, second.line]),
    )


def no_rows(columns: int) -> FileRows:
    """The empty run of rows of so many columns."""
    return FileRows(np.empty(0), np.empty((0, columns), order="F"), np.empty(0, np.int64))
