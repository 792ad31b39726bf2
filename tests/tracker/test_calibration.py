"""The round of a calibration: what is asked, what is counted, what is done again."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from analysis.events import Kind
from tracker.calibration import GOALS, TRIES, Calibration, News, Seen, Step, What

EVERY_S = 0.25


class Wearer:
    """Does what is asked, one movement in two seconds, as often as planned for each try."""

    def __init__(self, plans: dict[Step, list[int]]) -> None:
        self.calibration = Calibration()
        self.news: list[News] = []
        self.shown: Counter[Kind] = Counter()
        self.now_s = 3.0
        self._plans = {step: list(plan) for step, plan in plans.items()}
        self._due: list[tuple[float, Kind]] = []

    def go(self, until_s: float = 1000.0) -> list[tuple[Step, What, int]]:
        """Until it is over; what was told, ticks left out."""
        while not self.calibration.finished and self.now_s < until_s:
            while self._due and self._due[0][0] <= self.now_s:
                self.shown[self._due.pop(0)[1]] += 1
            for news in self.calibration.see(Seen(self.now_s, dict(self.shown), len(self._due))):
                self.news.append(news)
                self._obey(news)
            self.now_s += EVERY_S
        return [(news.step, news.what, news.counted) for news in self.news if news.what is not What.TICKED]

    def _obey(self, news: News) -> None:
        goal = GOALS.get(news.step)
        if news.what is What.BEGAN and goal is not None:
            plan = self._plans.get(news.step, [])
            number = plan.pop(0) if plan else goal.wanted
            self._due += [(self.now_s + 2.0 * (i + 1), goal.kind) for i in range(number)]


def begun(told: list[tuple[Step, What, int]]) -> list[Step]:
    return [step for step, what, _ in told if what is What.BEGAN]


ROUND = [Step.STILL, Step.PUSHUPS, Step.STAND, Step.RAISES, Step.STEPS, Step.REST]


def test_a_good_round_asks_everything_once() -> None:
    """Each set ticks from one to its goal and passes; nothing is asked twice."""
    wearer = Wearer({})
    told = wearer.go()
    assert begun(told) == ROUND
    assert wearer.calibration.passed
    ticks = [news.counted for news in wearer.news if news.what is What.TICKED and news.step is Step.PUSHUPS]
    assert ticks == [1, 2, 3, 4, 5]
    assert {result.tries for result in wearer.calibration.results.values()} == {1}
    assert wearer.now_s < 75


def test_only_what_failed_is_done_again() -> None:
    """Four raises instead of five: raises once more, the push-ups not."""
    wearer = Wearer({Step.RAISES: [4]})
    told = wearer.go()
    assert (Step.RAISES, What.AGAIN, 4) in told
    assert begun(told) == [*ROUND[:4], Step.RAISES, *ROUND[4:]]
    assert wearer.calibration.passed
    assert wearer.calibration.results[Step.RAISES].tries == 2


def test_too_many_is_as_wrong_as_too_few_and_steps_may_be_one_off() -> None:
    """Six push-ups are done again; eleven steps are right."""
    wearer = Wearer({Step.PUSHUPS: [6], Step.STEPS: [11]})
    assert (Step.PUSHUPS, What.AGAIN, 6) in wearer.go()
    assert wearer.calibration.passed


def test_it_ends_after_so_many_tries() -> None:
    """A set that never comes right fails, and the round goes on to its end."""
    wearer = Wearer({Step.PUSHUPS: [0] * 9})
    told = wearer.go()
    assert begun(told).count(Step.PUSHUPS) == TRIES
    assert (Step.PUSHUPS, What.FAILED, 0) in told
    assert wearer.calibration.finished
    assert not wearer.calibration.passed


def test_a_movement_while_sitting_still_starts_that_anew() -> None:
    """A push-up that is counted while the wearer sits still is no good beginning."""
    calibration = Calibration()
    assert calibration.see(Seen(0.0, {})) == [News(Step.STILL, What.BEGAN)]
    again = calibration.see(Seen(2.0, {Kind.SOLEUS_PUSHUP: 1}))
    assert again == [News(Step.STILL, What.AGAIN, 1), News(Step.STILL, What.BEGAN)]


def test_ticks_never_go_back() -> None:
    """A contraction that is only likely may go again; the wearer is not told a smaller number."""
    calibration, told = Calibration(), list[int]()
    calibration.see(Seen(0.0, {}))
    for now_s, shown in ((7.0, 0), (9.0, 1), (9.2, 0), (9.4, 1), (11.0, 2), (11.2, 1), (11.4, 3)):
        news = calibration.see(Seen(now_s, {Kind.SOLEUS_PUSHUP: shown}))
        told += [one.counted for one in news if one.what is What.TICKED]
    assert told == [1, 2, 3]


def test_what_turns_out_otherwise_in_the_end_is_done_again() -> None:
    """A raise that was likely and is none in the end: raises once more, standing, and a rest behind it."""
    wearer = Wearer({})
    wearer.go(until_s=61.0)
    while wearer.news[-1].step is not Step.REST:
        wearer.go(until_s=wearer.now_s + EVERY_S)
    wearer.shown[Kind.HEEL_RAISE] -= 1
    told = wearer.go()
    assert begun(told) == [*ROUND, Step.STAND, Step.RAISES, Step.REST]
    assert wearer.calibration.passed


@given(st.dictionaries(st.sampled_from(list(GOALS)), st.lists(st.integers(0, 12), max_size=4)))
def test_every_round_ends(plans: dict[Step, list[int]]) -> None:
    """Whatever is done, the round ends, no set is asked for more often than the tries, and right is right."""
    wearer = Wearer(plans)
    wearer.go()
    assert wearer.calibration.finished
    results = wearer.calibration.results
    assert all(results[step].tries <= TRIES for step in GOALS)
    assert all(results[step].passed == goal.reached(results[step].counted) for step, goal in GOALS.items())
