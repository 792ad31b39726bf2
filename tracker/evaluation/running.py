"""Run the pipeline over labelled recordings, on several processors where that is quicker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from drivers.errors import RecordingError
from tracker.counting import count
from tracker.evaluation.judging import Found
from tracker.evaluation.labelled import Labelled
from tracker.facts import why_uncountable
from tracker.intake import input_groups, open_input

WORTH_A_PROCESS = 16
"""A further process takes about a second to start: as long as so many short recordings."""


def found_in(one: Labelled) -> Found:
    """What the pipeline finds in one recording.

    Raises:
        RecordingError: the recording cannot be read.
    """
    with input_groups(open_input(one.recording, one.truth.options)) as groups:
        facts = count(groups)
    if not facts.streams:
        raise RecordingError("no samples could be decoded from it", one.recording)
    return Found(facts.findings.contractions, facts.duration_s - facts.gap_s, why_uncountable(facts))


def found_in_all(recordings: Sequence[Labelled], jobs: int) -> Iterator[Found]:
    """The same for many, in their order."""
    jobs = min(jobs, len(recordings) // WORTH_A_PROCESS)
    if jobs < 2:
        yield from map(found_in, recordings)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        answers = pool.map(_answer, recordings, chunksize=4)
        for one, answer in zip(recordings, answers, strict=True):
            if not isinstance(answer, Found):
                raise RecordingError(answer[0], one.recording, answer[1])
            yield answer


def _answer(one: Labelled) -> Found | tuple[str, int | None]:
    """What was found, or what is wrong in which line: the error itself does not survive the way between processes."""
    try:
        return found_in(one)
    except RecordingError as error:
        return error.reason, error.line
