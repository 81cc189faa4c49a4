"""Whether a representation changes more across an intervention than on either side of it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.schema import label
from neurodrift.schema.objects import expect_dataset
from neurodrift.schema.results import INTERVENTION

_GROUPS = ("before", "across", "after")
_FEWEST_SESSIONS = 2  # on each side
_FEWEST_FOR_A_LINE = 4  # neighbours; with fewer their mean stands for it


def compare_around(
    drift: xr.Dataset,
    *,
    measure: str = "rate_map_correlation_relative",
    day: float | None = None,
    before: Sequence[Hashable] | None = None,
    after: Sequence[Hashable] | None = None,
) -> xr.Dataset:
    r"""Level and slope of similarity before, across and after an intervention.

    Parameters
    ----------
    drift
        A measure over (session_a, session_b), such as the node ``session_drift``
        (:func:`neurodrift.compute_session_drift`), or the result of
        :func:`neurodrift.compute_within_drift`, which also has the nights.
    measure
        Which of its variables; ``"between"`` of the second.
    day
        Time of the intervention [d]: sessions of earlier days are before it, others after.
    before, after
        Labels of the sessions on each side, in the place of `day`.

    Returns
    -------
    xarray.Dataset
        Over ``group`` (before, across, after): ``level``, the mean similarity at the mean lag of
        the pairs across; ``slope`` over the lag [1/d, or 1/session without days]; ``n_pairs``.
        ``drop``: how much lower pairs across are than pairs of one side at the same lag.
        ``loss``: how much less alike the last session before and the first one after are than
        neighbours of one side that are as far apart, and ``p`` of it (two-sided, against the
        scatter of the other ``n_nights``). ``faster``: slope after less slope before. Of a result
        with nights:
        ``night_excess``, what the night of the intervention takes beyond laps, ``other_nights``,
        the mean of all others, and ``night_p`` that they are equal, likewise. NaN with fewer than
        two sessions on a side, lags that the sides do not share, or fewer than two other nights.

    Raises
    ------
    ValueError
        If there is no such measure, no day, or a session is on both sides or on none.

    Notes
    -----
    Pairs of sessions of one side and across it are fitted by

    .. math:: S_{ab} = c + \beta_1 \Delta_{ab} + \beta_2 \Delta_{ab}^2 - d \, [a, b \text{ on
        different sides}] ,

    d the ``drop``. It has no p, nor has ``faster``: pairs share sessions, and where fields walk at
    random, sessions of one side share what the walk happened to do, so that an order of the
    sessions is no null. What a walk does in different nights is independent. ``p`` therefore asks
    whether the night of the intervention lies outside what the other nights predict,

    .. math:: t = \frac{\hat S(\Delta_0) - S_0}{s \sqrt{1 + h_0}}

    with the similarity :math:`S_0` of its two neighbours, the line :math:`\hat S` through the
    other neighbours over their lag (their mean where all lags are alike, or with fewer than four),
    its residual standard deviation s and leverage :math:`h_0`. With few nights only a large loss
    can show. The test asks whether the night stands out, not what made it. Believe an intervention
    where other animals agree, and animals that had none do not.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from neurodrift.analysis.within.intervention import compare_around
    >>> side = np.repeat([0, 1], 5)
    >>> similar = 0.9 - 0.3 * (side[:, None] != side)
    >>> similar = similar + 0.01 * np.cos(np.add.outer(np.arange(10), np.arange(10)) ** 2)
    >>> names = [str(k) for k in range(10)]
    >>> drift = xr.Dataset(
    ...     {"similarity": (("session_a", "session_b"), similar)},
    ...     coords={"session_a": names, "session_b": names},
    ... )
    >>> found = compare_around(drift, measure="similarity", before=names[:5], after=names[5:])
    >>> float(found["drop"].round(3)), bool(found["p"] < 0.05)
    (0.295, True)
    """
    expect_dataset("drift", drift, [], "a measure over pairs of sessions")
    if measure not in drift or set(drift[measure].dims) != {"session_a", "session_b"}:
        known = [str(n) for n, v in drift.items() if set(v.dims) == {"session_a", "session_b"}]
        raise ValueError(f"measure is {measure!r}, expected one of {', '.join(known) or 'none'}")
    similar = drift[measure].transpose("session_a", "session_b").values.astype(float)
    names = [str(name) for name in drift["session_a"].values]
    days = _days(drift)
    later = _later(names, days, day, before, after)
    chosen = np.flatnonzero(later >= 0)
    similar, side = similar[np.ix_(chosen, chosen)], later[chosen].astype(bool)
    at = np.arange(len(names), dtype=float) if days is None else days
    lag = np.abs(at[chosen][None, :] - at[chosen][:, None])
    first, second = np.triu_indices(chosen.size, k=1)
    known = np.isfinite(similar[first, second])
    pairs = first[known], second[known]
    y, x = similar[pairs], lag[pairs]
    values = _groups(y, x, side, pairs)
    weights = _weights(x, side, pairs)
    values["drop"], values["faster"] = (float(row @ y) for row in weights)
    values |= _neighbours(similar, lag, side, at[chosen])
    values |= _night(drift, names, later)
    attrs = {"measure": measure, "lag": "sessions" if days is None else "days"}
    coords = {"group": np.array(_GROUPS, dtype=object)}
    return label(xr.Dataset(values, coords=coords, attrs=attrs), INTERVENTION)


def _days(drift: xr.Dataset) -> np.ndarray | None:
    """Days of the sessions since the first, None where any is unknown."""
    if "lag_day" not in drift.coords:
        return None
    days = drift["lag_day"].transpose("session_a", "session_b").values[0].astype(float)
    return days if np.isfinite(days).all() else None


def _later(
    names: list[str],
    days: np.ndarray | None,
    day: float | None,
    before: Sequence[Hashable] | None,
    after: Sequence[Hashable] | None,
) -> np.ndarray:
    """(session) 0 before, 1 after, -1 on neither side."""
    if (day is None) == (before is None and after is None):
        raise ValueError("give day, the time of the intervention, or before and after, not both")
    if day is not None:
        if days is None:
            raise ValueError("day is given, but the sessions have no days: give before and after")
        return (days >= day).astype(np.int64)
    if before is None or after is None:
        raise ValueError("before or after is missing: name the sessions of both sides")
    found = np.full(len(names), -1)
    for value, side in ((0, before), (1, after)):
        for name in map(str, side):
            if name not in names:
                raise ValueError(f"there is no session {name!r}, only {', '.join(names)}")
            if found[names.index(name)] == 1 - value:
                raise ValueError(f"session {name!r} is before and after")
            found[names.index(name)] = value
    return found


def _neighbours(
    similar: np.ndarray, lag: np.ndarray, side: np.ndarray, at: np.ndarray
) -> dict[str, Any]:
    """Loss between the neighbours of the intervention, and between those of either side."""
    order = np.argsort(at, kind="stable")
    one, other = order[:-1], order[1:]
    y, x, kind = similar[one, other], lag[one, other], side[one].astype(int) + side[other]
    known = np.isfinite(y)
    here, own = known & (kind == 1), known & (kind != 1)
    found: dict[str, Any] = dict.fromkeys(("loss", "p"), np.nan)
    found["n_nights"] = int(own.sum())
    if min((~side).sum(), side.sum()) < _FEWEST_SESSIONS or here.sum() != 1:
        return found
    found["loss"], found["p"] = _outside(x[own], y[own], float(x[here][0]), float(y[here][0]))
    return found


def _outside(x: np.ndarray, y: np.ndarray, x_new: float, y_new: float) -> tuple[float, float]:
    """How far below a line a new value is, and the two-sided p that it belongs to it."""
    if not y.size:
        return np.nan, np.nan
    design = np.column_stack([np.ones(y.size), x])
    new = np.array([1.0, x_new])
    if y.size < _FEWEST_FOR_A_LINE or not np.ptp(x) > 0:
        design, new = design[:, :1], new[:1]
    inverse = np.linalg.inv(design.T @ design)
    line = inverse @ design.T @ y
    lost = float(new @ line) - y_new
    dof = y.size - design.shape[1]
    spread = np.sqrt(((y - design @ line) ** 2).sum() / dof) if dof > 0 else np.nan
    error = float(spread * np.sqrt(1.0 + new @ inverse @ new))
    return lost, _two_sided(lost, error, dof)


def _two_sided(value: float, error: float, dof: int) -> float:
    from scipy.special import stdtr

    return float(2 * stdtr(dof, -abs(value) / error)) if error > 0 else np.nan


def _night(drift: xr.Dataset, names: list[str], later: np.ndarray) -> dict[str, Any]:
    """Loss in the night of the intervention beside that in all others."""
    found = dict.fromkeys(("night_excess", "other_nights", "night_p"), np.nan)
    if "excess" not in drift or "night" not in drift.dims:
        return found
    value = drift["excess"].values
    side = dict(zip(names, later, strict=True))
    ends = [[side.get(end, -1) for end in str(n).split(" to ")] for n in drift["night"].values]
    across = np.array([end == [0, 1] for end in ends], dtype=bool) & np.isfinite(value)
    other = np.array([end in ([0, 0], [1, 1]) for end in ends], dtype=bool) & np.isfinite(value)
    if across.sum() != 1 or not other.any():
        return found
    here, level = float(value[across][0]), np.zeros(int(other.sum()))
    _, p = _outside(level, value[other], 0.0, here)
    return {"night_excess": here, "other_nights": float(value[other].mean()), "night_p": p}


def _groups(
    y: np.ndarray, x: np.ndarray, side: np.ndarray, pairs: tuple[np.ndarray, np.ndarray]
) -> dict[str, Any]:
    """Line of each group of pairs."""
    kind = side[pairs[0]].astype(int) + side[pairs[1]]  # 0 before, 1 across, 2 after
    centre = x[kind == 1].mean() if (kind == 1).any() else np.nan
    level, slope, number = np.full(3, np.nan), np.full(3, np.nan), np.zeros(3, dtype=np.int64)
    for k in range(3):
        own = kind == k
        number[k] = own.sum()
        if own.any() and np.ptp(x[own]) > 0 and own.sum() > 2:
            slope[k] = np.polyfit(x[own], y[own], 1)[0]
            level[k] = y[own].mean() + slope[k] * (centre - x[own].mean())
        elif own.any():
            level[k] = y[own].mean()
    return {"level": ("group", level), "slope": ("group", slope), "n_pairs": ("group", number)}


def _weights(x: np.ndarray, side: np.ndarray, pairs: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """What each pair counts in the drop, and in slope after less slope before; NaN if unknown."""
    kind = side[pairs[0]].astype(int) + side[pairs[1]]
    across = kind == 1
    found = np.full((2, x.size), np.nan)
    if min((~side).sum(), side.sum()) >= _FEWEST_SESSIONS and across.any() and (~across).any():
        design = np.column_stack([_powers(x), -across.astype(float)])
        if np.linalg.matrix_rank(design) == design.shape[1] < x.size:
            found[0] = np.linalg.pinv(design)[-1]
    slopes = np.zeros(x.size)
    for k, sign in ((0, -1.0), (2, 1.0)):
        own = kind == k
        apart = np.where(own, x - x[own].mean(), 0.0) if own.any() else np.zeros(x.size)
        spread = float((apart**2).sum())
        slopes += sign * apart / spread if own.sum() > 2 and spread > 0 else np.nan
    found[1] = slopes
    return found


def _powers(x: np.ndarray) -> np.ndarray:
    """(pair, power) constant, lag and its square, as far as there are lags to tell them."""
    scale = max(float(x.max(initial=0.0)), 1e-12)
    return np.stack([(x / scale) ** k for k in range(min(3, np.unique(x).size))], axis=-1)
