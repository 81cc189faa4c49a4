"""Whether relations among patterns are kept more than those of unrelated codes."""

from __future__ import annotations

import numpy as np

from neurodrift.infer.measures.pairs import Pairs
from neurodrift.infer.measures.view import View
from neurodrift.infer.observation.subset import evenly

MOST_CONDITIONS = 60
"""Conditions whose relations are taken, evenly over all where there are more."""

LEAST_EXCESS = 0.03
"""Of two halves over unrelated codes, below which nothing can be said."""


def relations(view: View, pairs: Pairs) -> dict[str, np.ndarray]:
    r"""Similarity of the relations of two sessions, over that of unrelated codes.

    Parameters
    ----------
    view
        What was seen.
    pairs
        Of its sessions.

    Returns
    -------
    dict
        ``first``, ``last``: 1 where relations are as alike as those of two halves of a session, 0
        where they are as alike as those of two samples of units of one population.

    Notes
    -----
    Relations are products of the patterns of two conditions in one half, less what each of the two
    has with all, and less the mean of all pairs at the same lag. With :math:`T_{ab}` their product
    between sessions, and :math:`q` the same between different units, which is all that two samples
    of units share, both means over pairs of sessions, the excess is
    :math:`(T_{ab} - \sqrt{q_a q_b}) / (\sqrt{T_{aa} T_{bb}} - \sqrt{q_a q_b})`.
    """
    chosen = evenly(view.segment.size, MOST_CONDITIONS)
    values = view.weighted[..., chosen]
    values = values - values.mean(axis=-1, keepdims=True)
    names = ("first", "last")
    if values.shape[-1] < 4 or len(values) < 4 or view.n_sessions < 2:
        return {name: np.full(len(view.kept), np.nan) for name in names}
    kernel = _Kernel.of(view, chosen)
    everywhere = view.detected.all()
    shared = kernel.products(values) if everywhere else None
    result = {}
    for name, which in (("first", pairs.near), ("last", pairs.far)):
        totals, betweens = [], []
        for a, b in zip(pairs.first[which], pairs.second[which], strict=True):
            if shared is not None:
                total, between = (part[:, [a, b]][:, :, [a, b]] for part in shared)
            else:
                seen = view.detected[:, a] * view.detected[:, b]
                own = values[:, [a, b]] * seen[:, None, None, None]
                total, between = kernel.products(own, seen)
            totals.append(total)
            betweens.append(between)
        result[name] = _excess(np.mean(totals, axis=0), np.mean(betweens, axis=0))
    return result


def _excess(total: np.ndarray, between: np.ndarray) -> np.ndarray:
    """(replicate) of means over pairs (replicate, session of the pair, session of the pair)."""
    ceiling, unrelated = (
        np.sqrt(np.maximum(part[:, 0, 0], 0.0) * np.maximum(part[:, 1, 1], 0.0))
        for part in (total, between)
    )
    room = ceiling - unrelated
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.clip((total[:, 0, 1] - unrelated) / room, -1.0, 2.0)
    return np.where(room > LEAST_EXCESS * ceiling, found, np.nan)


class _Kernel:
    """Relations of groups of units, and their products.

    Parameters
    ----------
    order
        (group, unit) units of each group, -1 for none.
    pair
        Pairs of conditions.
    common
        (pair, direction) orthonormal, what is taken out of relations.
    n_replicates
        1, or one more than there are groups.
    """

    def __init__(
        self,
        order: np.ndarray,
        pair: tuple[np.ndarray, np.ndarray],
        common: np.ndarray,
        n_replicates: int,
    ) -> None:
        self.order = order
        self.pair = pair
        self.common = common
        self.n_replicates = n_replicates

    @classmethod
    def of(cls, view: View, chosen: np.ndarray) -> _Kernel:
        """Of the groups and the conditions of a view."""
        n_groups = int(view.group.max()) + 1
        members = [np.flatnonzero(view.group == g) for g in range(n_groups)]
        order = np.full((n_groups, max(map(len, members))), -1)
        for g, own in enumerate(members):
            order[g, : len(own)] = own
        pair = np.triu_indices(chosen.size, k=1)
        classes = _lag_classes(view, chosen, pair)
        design: np.ndarray = np.zeros((classes.size, classes.max() + 1 + chosen.size))
        row = np.arange(classes.size)
        design[row, classes] = 1.0
        for one in pair:
            design[row, classes.max() + 1 + one] = 1.0
        return cls(order, pair, _directions(design), len(view.kept))

    def products(
        self, values: np.ndarray, seen: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Two of (replicate, session, session): of all units, and of different groups of units.

        Both are of one pair of units on average, so that they can be held against each other.
        """
        padded = np.concatenate([values, np.zeros_like(values[:1])])[self.order]
        n_groups, _, n_sessions, _, n_conditions = padded.shape
        own = padded.transpose(0, 2, 3, 4, 1)  # (group, session, half, condition, unit)
        gram = own @ own.swapaxes(-1, -2)
        entries = gram[..., self.pair[0], self.pair[1]].reshape(n_groups, n_sessions * 2, -1)
        entries = entries - (entries @ self.common) @ self.common.T
        number = np.ones(len(values)) if seen is None else seen
        size = np.append(number, 0.0)[self.order].sum(axis=1)
        inside = entries @ entries.swapaxes(-1, -2)
        whole = entries.sum(axis=0)
        totals, betweens = [], []
        for left_out in range(-1, self.n_replicates - 1):
            rest, same, n, squares = whole, inside.sum(axis=0), size.sum(), (size**2).sum()
            if left_out >= 0:
                rest, same = whole - entries[left_out], same - inside[left_out]
                n, squares = n - size[left_out], squares - size[left_out] ** 2
            product = rest @ rest.T
            totals.append(_halves(product, n_sessions) / max(n, 1.0) ** 2)
            betweens.append(_halves(product - same, n_sessions) / max(n**2 - squares, 1.0))
        return np.stack(totals), np.stack(betweens)


def _halves(product: np.ndarray, n_sessions: int) -> np.ndarray:
    """(session, session) of products (session and half, session and half)."""
    four = product.reshape(n_sessions, 2, n_sessions, 2)
    found = four.mean(axis=(1, 3))
    at = np.arange(n_sessions)
    found[at, at] = (four[at, 0, at, 1] + four[at, 1, at, 0]) / 2
    return np.asarray(found)


def _directions(design: np.ndarray) -> np.ndarray:
    """Orthonormal directions of the columns of a design of rows times columns."""
    size, axes = np.linalg.eigh(design.T @ design)
    kept = size > 1e-9 * size[-1]
    return np.asarray(design @ (axes[:, kept] / np.sqrt(size[kept])))


def _lag_classes(view: View, chosen: np.ndarray, pair: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    if view.geometry == "none":
        return np.zeros(pair[0].size, dtype=np.int64)
    names, where = np.unique(view.segment, return_inverse=True)
    place = np.zeros(where.size, dtype=np.int64)
    for number in range(names.size):
        place[where == number] = np.arange((where == number).sum())
    one, other = chosen[pair[0]], chosen[pair[1]]
    lag = np.abs(place[one] - place[other])
    if view.geometry == "circular":
        size = np.bincount(where)[where[one]]
        lag = np.minimum(lag, size - lag)
    classes = (where[one] * names.size + where[other]) * (place.max() + 1) + lag
    return np.unique(classes, return_inverse=True)[1]
