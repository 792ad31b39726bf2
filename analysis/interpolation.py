"""Straight lines between samples at uneven times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.samples import FloatArray

SNAP = 1e-6
"""An instant this close to a node, as a share of the step, is on it: clocks of even sensors round."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where instants (n,) lie between nodes, so that several channels share the search.

    Attributes:
        right: the node at or after each.
        share: of the way from the node before to it.
        bridged_s: from the one to the other; 0 where the instant is a node.
        exact: which nodes the instants are, where all of them are nodes.
    """

    right: npt.NDArray[np.int64]
    share: FloatArray
    bridged_s: FloatArray
    exact: slice | npt.NDArray[np.int64] | None

    @staticmethod
    def of(t_s: FloatArray, at_s: FloatArray) -> Place:
        """Brackets of instants (n,) among node times (m,)."""
        if (same := Place._same(t_s, at_s)) is not None:
            return same
        right = np.minimum(np.maximum(_search(t_s, at_s), 1), t_s.size - 1)
        before = t_s[right - 1]
        step = t_s[right] - before
        share = np.minimum(np.maximum((at_s - before) / np.where(step > 0.0, step, 1.0), 0.0), 1.0)
        share = np.where(share < SNAP, 0.0, np.where(share > 1.0 - SNAP, 1.0, share))
        on_node = (share == 0.0) | (share == 1.0)
        exact = right - 1 + (share == 1.0) if on_node.all() else None
        return Place(right, share, np.where(on_node, 0.0, step), _as_slice(exact))

    @staticmethod
    def _same(t_s: FloatArray, at_s: FloatArray) -> Place | None:
        """The same where every instant is a node and they follow one another, as of a sensor of an even rate."""
        n = at_s.size
        if n == 0 or t_s.size < 2:
            return None
        step_s = float(t_s[1] - t_s[0])
        first = min(int(np.searchsorted(t_s, at_s[0] - 0.5 * step_s)), t_s.size - 1)
        nodes_s = t_s[first : first + n]
        if nodes_s.size < n or float(np.abs(nodes_s - at_s).max()) > SNAP * step_s:
            return None
        nowhere = np.zeros(n)
        return Place(np.arange(first, first + n), nowhere, nowhere, slice(first, first + n))

    def values(self, nodes: FloatArray) -> FloatArray:
        """Straight-line interpolation of nodes (3, m), (3, n); the ends hold their value."""
        if nodes.shape[1] == 1:
            return np.repeat(nodes, self.right.size, axis=1)
        if self.exact is not None:
            return nodes[:, self.exact]
        share = self.share.astype(nodes.dtype)
        out: FloatArray = nodes[:, self.right] * share
        out += nodes[:, self.right - 1] * (1.0 - share)
        return out


def _as_slice(index: npt.NDArray[np.int64] | None) -> slice | npt.NDArray[np.int64] | None:
    """The same nodes as a slice where they follow one another: quicker, nothing else."""
    if index is None or index.size == 0 or (np.diff(index) != 1).any():
        return index
    return slice(int(index[0]), int(index[-1]) + 1)


def _search(t_s: FloatArray, at_s: FloatArray) -> npt.NDArray[np.int64]:
    """`np.searchsorted(t_s, at_s)`, by a guess for even clocks that is used only where it is proven right."""
    if t_s.size > 2 and at_s.size:
        guess = np.ceil((at_s - t_s[0]) * ((t_s.size - 1) / (t_s[-1] - t_s[0])) - 1e-6).astype(np.int64)
        guess = np.minimum(np.maximum(guess, 1), t_s.size - 1)
        if bool(((t_s[guess - 1] < at_s) | (guess == 1)).all()) and bool((at_s <= t_s[guess]).all()):
            return guess
    return np.searchsorted(t_s, at_s)
