"""A progress bar on stderr for what takes longer than two seconds, where somebody watches."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PATIENCE_S = 2.0


class Bar:
    """Call it with the fraction that is done; nothing is shown, or imported, before `PATIENCE_S`."""

    def __init__(self, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._title = title
        self._clock = clock
        self._begun_s = clock()
        self._watched = sys.stderr.isatty()
        self._shown: tuple[Progress, TaskID] | None = None

    def __call__(self, fraction: float) -> None:
        """So much is done, 0 to 1."""
        if not self._watched:
            return
        if self._shown is None:
            if self._clock() - self._begun_s < PATIENCE_S:
                return
            self._shown = self._start()
        progress, task = self._shown
        progress.update(task, completed=fraction)

    def _start(self) -> tuple[Progress, TaskID]:
        from rich.console import Console
        from rich.progress import Progress

        progress = Progress(console=Console(stderr=True), transient=True)
        progress.start()
        return progress, progress.add_task(self._title, total=1.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown is not None:
            self._shown[0].stop()
