"""The algebra of stretches of time, against sets of whole instants."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tracker.store.intervals import Interval, clip, cut_at_multiples, intersect, length, subtract, union

pieces = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda piece: (piece[0], piece[0] + piece[1])),
    max_size=8,
)


def instants(intervals: list[Interval]) -> set[int]:
    return {instant for start, end in intervals for instant in range(start, end)}


@given(pieces, pieces)
def test_algebra_is_that_of_sets(some: list[Interval], others: list[Interval]) -> None:
    """Union, difference and intersection hold the same instants as those of sets."""
    one, other = union(some), union(others)
    assert instants(one) == instants(some)
    assert instants(subtract(one, other)) == instants(some) - instants(others)
    assert instants(intersect(one, other)) == instants(some) & instants(others)
    assert instants(clip(one, 5, 30)) == instants(some) & set(range(5, 30))
    assert length(one) == len(instants(some))


@given(pieces)
def test_union_is_sorted_and_disjoint(some: list[Interval]) -> None:
    """Pieces of a union neither touch nor overlap."""
    edges = [edge for piece in union(some) for edge in piece]
    assert edges == sorted(set(edges))


@given(st.integers(-50, 50), st.integers(1, 60), st.integers(1, 20))
def test_cutting_keeps_everything(start: int, took: int, step: int) -> None:
    """Cut pieces join up, and none crosses a multiple of the step."""
    cut = cut_at_multiples(start, start + took, step)
    assert union(cut) == [(start, start + took)]
    assert all(low // step == (high - 1) // step for low, high in cut)
