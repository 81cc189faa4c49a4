"""One vector of the statistics of drift, in which time, gain and the number of cells have no unit.

:data:`STATISTICS` are the names, in their order; :func:`statistics_of` gives their values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import xarray as xr

from neurodrift.infer.measures import (
    active,
    decoding,
    inequality,
    rate_changes,
    relations,
    shifts,
    similarity,
    steps,
    tuning,
)
from neurodrift.infer.measures.pairs import Pairs, by_lag, course, pairs_of
from neurodrift.infer.measures.tails import unevenness
from neurodrift.infer.measures.view import View, view_of
from neurodrift.infer.observation.counts import Observed, how_seen

_LAGS = ("first", "last", "shape", "acceleration")
_COURSE = ("level", "course", "bend")

Found = Mapping[str, np.ndarray]
FAMILIES: dict[str, tuple[tuple[str, ...], Callable[[View, Pairs], Found]]] = {
    "active": (_COURSE, lambda view, _: course(active.share(view), view.time)),
    "information": (_COURSE, lambda view, _: course(tuning.information(view), view.time)),
    "width": (_COURSE[:2], lambda view, _: course(tuning.width(view), view.time)),
    "maps": (_LAGS, lambda view, pairs: by_lag(similarity.maps(view), pairs)),
    "vectors": (_LAGS, lambda view, pairs: by_lag(similarity.vectors(view), pairs)),
    "rates": (_LAGS, lambda view, pairs: by_lag(similarity.rates(view), pairs)),
    "overlap": (_LAGS, lambda view, pairs: by_lag(active.overlap(view), pairs)),
    "decoding": (_LAGS, lambda view, pairs: by_lag(decoding.decoding(view), pairs)),
    "survival": (("first", "last", "history"), active.survival),
    "steps": (("tails", "neighbours", "dependence"), lambda view, _: steps.steps(view)),
    "rate_changes": (
        ("scale", "skew", "kurtosis", "dependence", "neighbours"),
        lambda view, _: rate_changes.rate_changes(view),
    ),
    "shifts": (("scale", "tails", "neighbours"), shifts.shifts),
    "relations": (("first", "last"), relations.relations),
    "gini": (_COURSE[:2], lambda view, _: course(inequality.gini(view), view.time)),
    "rate_width": (_COURSE[:2], lambda view, _: course(inequality.width(view), view.time)),
}
"""Family -> its members, and what computes them; a statistic is called family_member."""

VERSION = 1
"""One more whenever the value of a statistic changes: a prior that was made before is seen anew."""

STATISTICS = tuple(
    f"{family}_{member}" for family, (members, _) in FAMILIES.items() for member in members
)
"""Names of the statistics, in their order."""


def statistics_of(observed: Observed, *, se: bool = True, seed: int = 0) -> xr.Dataset:
    """Statistics of drift of what was seen of an animal or of a network.

    Parameters
    ----------
    observed
        Counts by half, session, unit and condition.
    se
        Whether standard errors are computed, by leaving out one in 20 groups of units in turn.
    seed
        Of the groups of units, and of those that decode together.

    Returns
    -------
    xarray.Dataset
        ``value`` and, where asked for, ``se`` (statistic) [1], in the order of
        :data:`STATISTICS`. NaN where a statistic is not defined: shapes over lags with two
        sessions, shapes of changes where nothing changes, fields without an order of conditions.
        The attribute ``unevenness`` is the variance of a random factor of each unit's activity in
        each half of a session (:func:`neurodrift.infer.measures.tails.unevenness`); ``n_cells``,
        ``n_events``, ``n_sessions`` and ``noise_free`` say how much was seen
        (:func:`neurodrift.infer.observation.counts.how_seen`).

    Raises
    ------
    ValueError
        If events of a detected unit are NaN or below 0.

    Notes
    -----
    Products are of different halves of sessions, whose noise is independent, and similarities are
    over those within sessions. Time is from 0, the first session, to 1, the last. Every session is
    divided by its gain, and most products by each unit's own mean rate.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.infer.observation.counts import Observed
    >>> from neurodrift.infer.statistics.vector import statistics_of
    >>> rng = np.random.default_rng(1)
    >>> rate = rng.lognormal(size=(1, 4, 30, 12)) * rng.lognormal(size=(1, 1, 30, 12))
    >>> seen = Observed(
    ...     rng.poisson(100 * np.repeat(rate, 2, axis=0)), np.ones((2, 4, 12)),
    ...     np.ones((4, 30), dtype=bool), np.arange(4.0), np.zeros(12, dtype=int),
    ... )
    >>> found = statistics_of(seen)
    >>> bool(0 < found["value"].sel(statistic="maps_first") < 1)
    True
    """
    view = view_of(observed, replicates=se, seed=seed)
    pairs = pairs_of(view.time)
    values = np.full(len(STATISTICS), np.nan)
    errors = np.full(len(STATISTICS), np.nan)
    place = {name: i for i, name in enumerate(STATISTICS)}
    if view.segment.size and view.mean.size and view.n_sessions:
        for family, (members, compute) in FAMILIES.items():
            found = compute(view, pairs)
            for member in members:
                at = place[f"{family}_{member}"]
                values[at] = found[member][0]
                errors[at] = _jackknife(found[member])
    variables = {"value": ("statistic", values, {"units": "1"})}
    if se:
        variables["se"] = (
            "statistic",
            np.where(np.isfinite(values), errors, np.nan),
            {"units": "1"},
        )
    attrs = how_seen(observed) | {"seed": seed, "geometry": observed.geometry}
    attrs["unevenness"] = unevenness(view)
    attrs |= {"n_units": int(view.mean.size), "n_conditions": int(view.segment.size)}
    names = np.array(STATISTICS, dtype=object)
    return xr.Dataset(variables, coords={"statistic": names}, attrs=attrs)


def _jackknife(found: np.ndarray) -> float:
    """Standard error of the first value by those that leave one group out."""
    others = found[1:][np.isfinite(found[1:])]
    n = others.size
    if n < 2 or n < 0.75 * (found.size - 1):
        return float("nan")
    return float(np.sqrt((n - 1) / n * ((others - others.mean()) ** 2).sum()))
