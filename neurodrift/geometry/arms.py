"""The arms of a maze along its linearised position, and the way from one place to another."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from neurodrift.geometry.geometry import Geometry

_ROUND = 1e-6  # cm by which a position may miss an arm


class Arms:
    """The edges of a graph, laid one behind the other with a space between them.

    Parameters
    ----------
    geometry
        A geometry of kind graph.
    """

    def __init__(self, geometry: Geometry) -> None:
        self.nodes = [name for name, _, _ in geometry.nodes]
        self.places = np.array([[x, y] for _, x, y in geometry.nodes])
        number = {name: i for i, name in enumerate(self.nodes)}
        self.ends = np.array([[number[a], number[b]] for a, b in geometry.edges])
        self.names = [f"{a}-{b}" for a, b in geometry.edges]
        ways = self.places[self.ends[:, 1]] - self.places[self.ends[:, 0]]
        self.lengths = np.hypot(ways[:, 0], ways[:, 1])
        before = np.concatenate([[0.0], np.cumsum(self.lengths + geometry.spacing)[:-1]])
        self.starts = geometry.origin + before
        self.between = _shortest(len(self.nodes), self.ends, self.lengths)

    def locate(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Arm of each position, and how far along it the position lies.

        Parameters
        ----------
        x
            Linearised positions [cm], NaN where there is none.

        Returns
        -------
        arm, offset
            Number of the arm, -1 for none; distance from its first node [cm], NaN for none.
        """
        x = np.asarray(x, dtype=float)
        arm = np.searchsorted(self.starts - _ROUND, x, side="right") - 1
        inside = np.isfinite(x) & (arm >= 0)
        arm = np.where(inside, arm, 0)
        offset = x - self.starts[arm]
        inside &= offset <= self.lengths[arm] + _ROUND
        clipped = np.clip(offset, 0.0, self.lengths[arm])
        return np.where(inside, arm, -1), np.where(inside, clipped, np.nan)

    def from_node(self, node: np.ndarray, arm: np.ndarray, offset: np.ndarray) -> np.ndarray:
        """Length of the shortest way from a node to a place on an arm [cm]."""
        one = self.between[node, self.ends[arm, 0]] + offset
        other = self.between[node, self.ends[arm, 1]] + self.lengths[arm] - offset
        return np.minimum(one, other)

    def seen_from(self, own: np.ndarray, arm: np.ndarray, offset: np.ndarray) -> np.ndarray:
        """Where places lie on an arm that is drawn out at both ends into its surroundings.

        Parameters
        ----------
        own
            Number of the arm that is drawn out.
        arm, offset
            The places.

        Returns
        -------
        numpy.ndarray
            Distance from the first node of `own` [cm]: the offset on the arm itself, below 0 beyond
            its first node, above its length beyond its second.
        """
        before = self.from_node(self.ends[own, 0], arm, offset)
        behind = self.from_node(self.ends[own, 1], arm, offset)
        outside = np.where(before <= behind, -before, self.lengths[own] + behind)
        return np.where(own == arm, offset, outside)

    def distance(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Length of the shortest way between linearised positions [cm]; NaN where one is on no arm.

        Parameters
        ----------
        a, b
            Linearised positions [cm] of shapes that fit each other.

        Returns
        -------
        numpy.ndarray
            Infinity where no way leads from one to the other.
        """
        (arm_a, at_a), (arm_b, at_b) = self.locate(a), self.locate(b)
        first = at_a + self.from_node(self.ends[arm_a, 0], arm_b, at_b)
        second = self.lengths[arm_a] - at_a + self.from_node(self.ends[arm_a, 1], arm_b, at_b)
        way = np.minimum(first, second)
        way = np.where(arm_a == arm_b, np.minimum(way, np.abs(at_a - at_b)), way)
        return np.where((arm_a >= 0) & (arm_b >= 0), way, np.nan)

    def degree(self) -> np.ndarray:
        """(node) how many arms meet there; 1 for an end."""
        return np.bincount(self.ends.ravel(), minlength=len(self.nodes))

    def from_ends(self, x: np.ndarray) -> np.ndarray:
        """Length of the shortest way to an end of the maze [cm]; infinity where it has none."""
        arm, offset = self.locate(x)
        ends = np.flatnonzero(self.degree() == 1)
        ways = [self.from_node(np.full(arm.shape, end), arm, offset) for end in ends]
        return np.min(ways, axis=0) if ways else np.full(arm.shape, np.inf)

    def plane(self, x: np.ndarray) -> np.ndarray:
        """(.., 2) place of linearised positions in the plane [cm]; NaN on no arm."""
        arm, offset = self.locate(x)
        part = (offset / self.lengths[arm])[..., None]
        one, other = self.places[self.ends[arm, 0]], self.places[self.ends[arm, 1]]
        return np.where((arm >= 0)[..., None], one + part * (other - one), np.nan)


@lru_cache(maxsize=64)
def arms_of(geometry: Geometry) -> Arms:
    """The arms of a geometry of kind graph.

    Parameters
    ----------
    geometry
        The geometry.

    Returns
    -------
    Arms
        Its arms.
    """
    if geometry.kind != "graph":
        raise ValueError(f"geometry is {geometry.kind}, expected a graph")
    return Arms(geometry)


def _shortest(n_nodes: int, ends: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """(node, node) length of the shortest way [cm], after Floyd and Warshall."""
    ways = np.full((n_nodes, n_nodes), np.inf)
    np.fill_diagonal(ways, 0.0)
    for (a, b), length in zip(ends, lengths, strict=True):
        ways[a, b] = ways[b, a] = min(ways[a, b], length)
    for k in range(n_nodes):
        ways = np.minimum(ways, ways[:, k, None] + ways[None, k, :])
    return ways
