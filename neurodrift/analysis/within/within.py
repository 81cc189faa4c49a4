"""Drift within a session and overnight, beside drift over days."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords, lag_coords, registered_units
from neurodrift.analysis.drift.attenuation import (
    Parts,
    disattenuated_maps,
    jackknifed,
    map_products,
)
from neurodrift.analysis.drift.drift import Population
from neurodrift.analysis.maps.binning import Binning, as_binning
from neurodrift.analysis.maps.rate_maps import compute_rate_maps
from neurodrift.analysis.within.blocks import Blocks, cut_in_blocks
from neurodrift.schema import check, label
from neurodrift.schema.objects import expect_choice
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import WITHIN_DRIFT

_FEWEST_UNITS = 3


@checked_options
def compute_within_drift(
    recording: xr.Dataset,
    *,
    by: Literal["lap", "minute"] = "lap",
    n_parts: int = 3,
    stretch: float = 30.0,
    binning: Binning | None = None,
    smoothing: float | None = None,
) -> xr.Dataset:
    r"""Similarity of parts of sessions, by the minutes within and the days between them.

    Parameters
    ----------
    recording
        A recording with a position; NumPy or Dask.
    by
        What a part is made of: ``"lap"`` (laps in a row, pairs of laps where directions have maps
        of their own) or ``"minute"`` (stretches of time in a row, for open fields).
    n_parts
        Parts of the session with the fewest laps. Parts of all sessions have as many laps, so that
        longer sessions have more parts.
    stretch
        Length of a stretch for ``by="minute"`` [s]; a part has at least two.
    binning, smoothing
        As for :func:`neurodrift.compute_rate_maps`; smoothing by the width of a bin [cm] when
        omitted.

    Returns
    -------
    xarray.Dataset
        ``similarity`` (part_a, part_b), the correlation of the maps without noise, with
        ``minutes`` (recorded time between the middles, NaN between sessions) and ``n_units``.
        ``curve`` (lag_part) over the parts of one session that lie as far apart, pooled over
        sessions, with ``curve_se``, ``curve_minutes`` and ``curve_n``. ``between`` (session_a,
        session_b), pooled over their parts; over pairs of different parts on the diagonal.
        ``first_last`` (session): first against last part; ``first_last_pooled``, and ``within_p``
        that it is not below 1. For each night, from a session to the next that has parts:
        ``step`` (neighbouring parts of either session), ``overnight`` (last part against the first
        of the next), ``excess`` (the first less the second), of the units that both sessions
        detected; ``_pooled`` over nights, and ``overnight_p`` that there is no excess. Standard
        errors are jackknives over units, p are one-sided. All NaN where it cannot be told;
        ``left_out`` names sessions with too few laps.

    Raises
    ------
    ValueError
        If there is no position or, for ``by="lap"``, no lap.

    Notes
    -----
    The two halves h of a part hold every second of its laps. With :math:`\langle A, B \rangle_w`
    the products of maps of a unit, weighted by its events
    (:func:`~neurodrift.analysis.drift.attenuation.map_products`), a set of pairs of parts has

    .. math:: R = \frac{\sum_{pairs} \sum_u \overline{\langle A_{uh}, B_{uk} \rangle}}
        {\sqrt{\sum \sum_u \langle A_{u1}, A_{u2} \rangle \sum \sum_u \langle B_{u1}, B_{u2}
        \rangle}} .

    No product is of a half with itself, so noise drops out, whatever the number of events. R is 1
    if parts are as alike as interleaved laps of one part are: change within a third of the laps of
    a part lowers both, and change is counted from there. Laps between the middles of the last part
    and the first one of the next session are as many as those between neighbouring parts (fewer
    where laps are left over, which lie in the middle of a session), so that ``excess`` is what the
    night (or all that lies between the sessions) takes by itself.
    Units without a ``registered`` identity count within their session alone. Where maps have
    labels, parts are of one map, and only those of the same map are compared.

    Slow changes that are no drift, such as a coverage of space that differs between early and late
    laps (in open fields), can lower ``first_last``; a change of rates alone does not.

    Measured: ``benchmarks/drift_within.py``; docs: within a session.

    Examples
    --------
    >>> from neurodrift import compute_within_drift, testing
    >>> recording = testing.linear_track(n_units=40, n_sessions=3, drift=0.3)
    >>> found = compute_within_drift(recording, by="minute", stretch=20.0)
    >>> bool(found["overnight_pooled"] < found["step_pooled"])
    True
    """
    check(recording)
    expect_choice("by", by, ("lap", "minute"))
    binning = as_binning(binning)
    blocks = cut_in_blocks(recording, by, n_parts, stretch, binning)
    names = recording["session"].values
    order = np.argsort(recording["unit"].values.astype(str), kind="stable")
    registered = registered_units(recording).values[order]
    pooled = _Pooled(len(names), recording.sizes["unit"])
    kept = np.zeros(0, dtype=np.int64)
    if blocks.session.size:
        maps = compute_rate_maps(
            recording,
            binning=binning,
            smoothing=binning.smoothing_or_default(smoothing),
            by=xr.DataArray(blocks.code, dims="time"),
        )
        kept, halves = _halves(maps["group"].values)
        pooled.compare(Population(maps, "segment", "all", None, None, None), blocks, kept, halves)
    values = pooled.results(registered)
    number = np.arange(len(names))
    sessions = np.unique(blocks.session[kept])
    nights = list(zip(sessions[:-1], sessions[1:], strict=True))
    coords: dict[str, Any] = {
        **carry_coords(recording, "session"),
        "session": names,
        "session_a": names,
        "session_b": names,
        **lag_coords(recording, ("session_a", "session_b"), number),
        "night": np.array([f"{names[a]} to {names[b]}" for a, b in nights], dtype=object),
        "lag_part": np.arange(1, values["curve"][1].size + 1),
    }
    if "day" in recording.coords:
        day = recording["day"].values.astype(float)
        coords["days"] = ("night", np.array([day[b] - day[a] for a, b in nights], dtype=float))
    for end in ("a", "b"):
        coords[f"session_of_part_{end}"] = (f"part_{end}", names[blocks.session[kept]])
        coords[f"minute_{end}"] = (f"part_{end}", blocks.minutes[kept])
    few = [str(name) for i, name in enumerate(names) if i not in set(sessions.tolist())]
    attrs = {
        "by": by,
        "n_parts": n_parts,
        "laps_per_part": blocks.size * blocks.together,
        "stretch": stretch if by == "minute" else np.nan,
        "left_out": ", ".join(few),
    }
    values["n_laps"] = ("session", blocks.n_rounds * blocks.together)
    return label(xr.Dataset(values, coords=coords, attrs=attrs), WITHIN_DRIFT)


def _halves(group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parts with maps of both halves, and the segments (part, half) of each."""
    at = {int(code): i for i, code in enumerate(group)}
    parts = [k for k in np.unique(group // 2) if 2 * k in at and 2 * k + 1 in at]
    rows = [[at[2 * k], at[2 * k + 1]] for k in parts]
    return np.array(parts, dtype=np.int64), np.array(rows, dtype=np.int64).reshape(-1, 2)


class _Pooled:
    """Products of all pairs of parts, added up for what is asked."""

    def __init__(self, n_sessions: int, n_units: int) -> None:
        self.n_sessions, self.n_units = n_sessions, n_units
        self.sums: dict[tuple[Any, ...], np.ndarray] = {}
        self.minutes: dict[int, list[float]] = {}
        self.pairs: dict[tuple[int, int], np.ndarray] = {}
        self.session = np.zeros(0, dtype=np.int64)
        self.label, self.middle = self.session, np.zeros(0)

    def compare(
        self, population: Population, blocks: Blocks, kept: np.ndarray, halves: np.ndarray
    ) -> None:
        self.session, self.label = blocks.session[kept], blocks.label[kept]
        self.middle = blocks.minutes[kept]
        place = self._places()
        following = dict(zip(*(np.unique(self.session)[cut] for cut in _NEXT), strict=True))
        assert population.rate is not None
        parts = [
            Parts(
                population.rate[rows],
                None if population.events is None else population.events[rows],
                population.seconds[rows],
            )
            for rows in halves
        ]
        visited = [population.visited[rows].all(axis=0) for rows in halves]
        for i in range(len(parts)):
            for j in range(i + 1, len(parts)):
                if self.label[i] != self.label[j]:
                    continue
                found = map_products(parts[i], parts[j], visited[i] & visited[j])
                s, t = int(self.session[i]), int(self.session[j])
                self.pairs[i, j] = found
                self._add(("between", s, t), found)
                if s == t:
                    apart = place[j][0] - place[i][0]
                    self._add(("lag", apart), found)
                    self.minutes.setdefault(apart, []).append(self.middle[j] - self.middle[i])
                    if apart == 1:
                        self._add(("step", s), found)
                    if place[i][0] == 0 and place[j][1]:
                        self._add(("first_last", s), found)
                elif following.get(s) == t and place[i][1] and place[j][0] == 0:
                    self._add(("overnight", s, t), found)

    def _places(self) -> list[tuple[int, bool]]:
        """Of each part its rank among those of its session and map, and whether it is the last."""
        found = []
        for i in range(self.session.size):
            own = np.flatnonzero((self.session == self.session[i]) & (self.label == self.label[i]))
            rank = int(np.flatnonzero(own == i)[0])
            found.append((rank, rank == own.size - 1))
        return found

    def _add(self, key: tuple[Any, ...], found: np.ndarray) -> None:
        self.sums[key] = self.sums[key] + found if key in self.sums else found

    def _of(self, *key: Any) -> np.ndarray:
        return self.sums.get(key, np.zeros((5, self.n_units)))

    def results(self, registered: np.ndarray) -> dict[str, Any]:
        n = self.session.size
        similarity = np.full((n, n), np.nan)
        minutes, n_units = similarity.copy(), np.zeros((n, n), dtype=np.int64)
        for (i, j), products in self.pairs.items():
            same = self.session[i] == self.session[j]
            used = products if same else products * registered
            similarity[i, j] = similarity[j, i] = disattenuated_maps(used)[0]
            n_units[i, j] = n_units[j, i] = (used != 0).any(axis=0).sum()
            if same:
                minutes[i, j] = minutes[j, i] = self.middle[j] - self.middle[i]
        between = np.full((self.n_sessions, self.n_sessions), np.nan)
        for a in range(self.n_sessions):
            for b in range(a, self.n_sessions):
                used = self._of("between", a, b) * (1 if a == b else registered)
                between[a, b] = between[b, a] = disattenuated_maps(used)[0]
        lags = range(1, max(self.minutes, default=0) + 1)
        curve = np.array([disattenuated_maps(self._of("lag", k)) for k in lags]).reshape(-1, 2)
        numbers = [self.minutes.get(k, []) for k in lags]
        parts = ("part_a", "part_b")
        return {
            "similarity": (parts, similarity),
            "minutes": (parts, minutes),
            "n_units": (parts, n_units),
            "curve": ("lag_part", curve[:, 0]),
            "curve_se": ("lag_part", curve[:, 1]),
            "curve_minutes": ("lag_part", np.array([np.mean(x) if x else np.nan for x in numbers])),
            "curve_n": ("lag_part", np.array([len(x) for x in numbers], dtype=np.int64)),
            "between": (("session_a", "session_b"), between),
            **self._within(),
            **self._nights(registered),
        }

    def _within(self) -> dict[str, Any]:
        """First against last part."""
        each = [self._of("first_last", s) for s in range(self.n_sessions)]
        found = np.array([disattenuated_maps(products) for products in each]).reshape(-1, 2)
        summed = np.sum(each, axis=0) if each else np.zeros((5, self.n_units))
        value, se = disattenuated_maps(summed)
        number = int((summed != 0).any(axis=0).sum())
        return {
            "first_last": ("session", found[:, 0]),
            "first_last_se": ("session", found[:, 1]),
            "first_last_pooled": value,
            "first_last_pooled_se": se,
            "within_p": _above(1 - value, se, number),
        }

    def _nights(self, registered: np.ndarray) -> dict[str, Any]:
        """What each night takes beyond a step within its two sessions, of the units of both."""
        sessions = np.unique(self.session)
        pairs = [(int(a), int(b)) for a, b in zip(*(sessions[cut] for cut in _NEXT), strict=True)]
        stacks = []
        for a, b in pairs:
            night = self._of("overnight", a, b)
            known = registered & (night != 0).any(axis=0)
            step = self._of("step", a) + self._of("step", b)
            stacks.append(np.concatenate([step, night]) * known)
        found = np.array([_excess(stack) for stack in stacks]).reshape(-1, 4)
        summed = np.sum(stacks, axis=0) if stacks else np.zeros((10, self.n_units))
        near, apart, value, se = _excess(summed)
        number = int((summed != 0).any(axis=0).sum())
        names = ("step", "overnight", "excess", "excess_se")
        return {
            **{name: ("night", found[:, k]) for k, name in enumerate(names)},
            "step_pooled": near,
            "overnight_pooled": apart,
            "excess_pooled": value,
            "excess_pooled_se": se,
            "overnight_p": _above(value, se, number),
        }


_NEXT = (slice(None, -1), slice(1, None))
_ROWS = [0, 1, 2, 5, 6, 7]  # products of steps, then of nights
_CEILINGS = (1, 2, 4, 5)


def _excess(stack: np.ndarray) -> tuple[float, float, float, float]:
    """Similarity of a step and of a night, their difference, and its standard error.

    `stack` is (10, unit): products of :func:`map_products` of steps, and of nights.
    """
    some = stack[:, (stack != 0).any(axis=0)]
    n = some.shape[1]
    if n < _FEWEST_UNITS:
        return np.nan, np.nan, np.nan, np.nan
    products, noise = some[_ROWS], np.sqrt(some[[3, 4, 8, 9]].sum(axis=1)) / n
    total = products.sum(axis=1)
    without = (total[:, None] - products) / (n - 1)
    value, se = jackknifed(total / n, without, _CEILINGS, noise, _difference)
    if np.isnan(value):
        return np.nan, np.nan, np.nan, np.nan
    step, night = (float(total[k] / np.sqrt(total[k + 1] * total[k + 2])) for k in (0, 3))
    return step, night, value, se


def _difference(c: np.ndarray) -> np.ndarray:
    return np.asarray(c[0] / np.sqrt(c[1] * c[2]) - c[3] / np.sqrt(c[4] * c[5]))


def _above(value: float, se: float, n_units: int) -> float:
    """One-sided p of an estimate with a standard error over units."""
    from scipy.special import stdtr

    if not se > 0 or n_units < _FEWEST_UNITS:
        return float("nan")
    return float(stdtr(n_units - 1, -value / se))
