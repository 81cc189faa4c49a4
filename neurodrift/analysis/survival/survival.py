"""Time until a unit is lost: Kaplan-Meier and hazards, censored where it is no longer seen."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from neurodrift.analysis.survival._chain import fit_chain
from neurodrift.analysis.survival.run_lengths import Start
from neurodrift.analysis.survival.states import (
    Of,
    States,
    Undetected,
    interval,
    ratio,
    states_of,
)
from neurodrift.analysis.survival.turnover import with_power
from neurodrift.schema import label
from neurodrift.schema.objects import expect_choice
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import SURVIVAL

_FEWEST = 5  # runs behind a survival


@checked_options
def compute_survival(
    states: xr.DataArray | xr.DataTree,
    *,
    of: Of = "place_cells",
    detected: xr.DataArray | None = None,
    undetected: Undetected = "auto",
    start: Start = "onset",
    by: Literal["session", "day"] = "session",
    power: xr.DataArray | float | None = None,
    false_alarms: xr.DataArray | float | None = None,
    clusters: xr.DataArray | None = None,
    n_repeats: int = 500,
    level: float = 0.95,
    seed: int = 0,
) -> xr.Dataset:
    r"""Share of runs that last: Kaplan-Meier, hazards, and survival without the test's errors.

    The estimand is the probability that a unit that has come on is on in every session up to a
    time after its onset.

    Parameters
    ----------
    states, of, detected, undetected, power, false_alarms, clusters
        As for :func:`neurodrift.compute_turnover`.
    start
        Which runs count: ``"onset"``, those that begin after a session off, so that their age is
        known; ``"any"``, also those that are on where the unit is first seen, aged from there.
    by
        Unit of time: sessions, or days, for which the states need the coordinate ``day``.
    n_repeats, level, seed
        Bootstrap draws over units or clusters, coverage of the intervals, and the seed.

    Returns
    -------
    xarray.Dataset
        Over ``duration`` [sessions or d] since onset, every time at which a run was seen to end or
        was lost from sight: ``survival``, with ``_ci_low`` and ``_ci_high``; ``survival_early``,
        as if each had ended right after the last session on (the truth lies between both, since
        nobody looked between the sessions); ``hazard`` (share of those at risk that are seen off
        there), ``cumulative_hazard`` (Nelson-Aalen), ``n_at_risk``, ``n_lost`` and ``n_censored``.
        Over ``step`` [sessions]: ``survival_corrected``, P(on in all of the next sessions | on),
        with interval; NaN without `power`. ``median``, the first time at which half are lost, NaN
        where that is not reached. ``n_runs`` and ``n_unknown_onset``, runs left out for theirs.

    Raises
    ------
    ValueError
        If dimensions or labels do not fit, or days are asked for and not known or do not rise.

    Notes
    -----
    A run ends in the first session off, and is censored at the last session seen on where the
    next one is missing or there is none: not detected is not off. With d of r at risk at time t,

    .. math:: S(t) = \prod_{t_i \le t} (1 - d_i / r_i) , \qquad H(t) = \sum_{t_i \le t} d_i / r_i ,

    of Kaplan & Meier [1]_ and Nelson & Aalen. A unit may have several runs, so intervals resample
    units. A test that misses a unit once ends its run: at power .8 survival falls to .8, .64, .51
    although nothing changes. ``survival_corrected`` takes that out, with
    :math:`\hat h = (o - q) / (p - q)` of :func:`neurodrift.compute_turnover`,

    .. math:: S_k = \frac{\sum (o_a - q_a) \hat h_{a+1} \cdots \hat h_{a+k}}
        {\sum (o_a - q_a)} ,

    over all units and sessions a, whether or not the onset was seen: without change there is none
    to see. It is unbiased, and so may lie above 1.

    References
    ----------
    .. [1] Kaplan & Meier (1958), J Am Stat Assoc.
       https://doi.org/10.1080/01621459.1958.10501452

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from neurodrift import compute_survival
    >>> on = xr.DataArray([[0, 0, 1], [1, 1, 1], [1, 0, 1], [0, 0, 1]], dims=("session", "unit"))
    >>> survival = compute_survival(on)
    >>> survival["duration"].values.tolist(), survival["n_lost"].values.tolist()
    ([1.0, 2.0], [1, 1])
    """
    expect_choice("start", start, ("onset", "any"))
    expect_choice("by", by, ("session", "day"))
    power, false_alarms = with_power(states, of, power, false_alarms)
    given = states_of(
        states,
        of=of,
        detected=detected,
        undetected=undetected,
        power=power,
        false_alarms=false_alarms,
        clusters=clusters,
    )
    clock = _clock(given, by)
    runs, unknown = _runs(given.on, clock, start)
    drawn = given.weights(n_repeats, seed, "survival")
    found = _kaplan_meier(runs, drawn, level)
    corrected = _corrected(given, drawn, level)
    few = runs["unit"].size < _FEWEST
    if few:
        names = ("survival", "survival_ci_low", "survival_ci_high", "survival_early")
        found |= {name: found[name] * np.nan for name in names}
    times = found.pop("duration")
    half = np.flatnonzero(found["survival"] <= 0.5)
    n = given.on.shape[0]
    result = xr.Dataset(
        {name: ("duration", values) for name, values in found.items()}
        | {name: ("step", values) for name, values in corrected.items()}
        | {
            "median": times[half[0]] if half.size else np.nan,
            "n_runs": runs["unit"].size,
            "n_unknown_onset": unknown,
            **{key: value for key, value in fit_chain(given).items() if key.startswith("loss")},
        },
        coords={"duration": times, "step": np.arange(1, n)}
        | {k: v for k, v in given.coords.items() if k in ("subject", "environment")},
        attrs=given.attrs()
        | {"start": start, "by": by, "level": level, "n_repeats": n_repeats, "seed": seed}
        | {"reason": f"fewer than {_FEWEST} runs" if few else ""},
    )
    result = label(result, SURVIVAL)
    result["duration"].attrs["units"] = "d" if by == "day" else "sessions"
    return result


def _clock(given: States, by: str) -> np.ndarray:
    """(session) time of each session."""
    if by == "session":
        return np.arange(given.on.shape[0], dtype=float)
    if given.day is None or not np.isfinite(given.day).all():
        raise ValueError("by='day', but the states have no coordinate day: use by='session'")
    if (np.diff(given.day) <= 0).any():
        raise ValueError("by='day', but days do not rise from session to session")
    return given.day


def _runs(on: np.ndarray, clock: np.ndarray, start: str) -> tuple[dict[str, np.ndarray], int]:
    """Unit, duration, last time on and whether the end was seen, of every run; and those left out.

    Durations are from the first session on; of a censored run to the last one on.
    """
    rows, unknown = [], 0
    n, n_units = on.shape
    for u in range(n_units):
        s = 0
        while s < n:
            if on[s, u] != 1:
                s += 1
                continue
            last = s
            while last + 1 < n and on[last + 1, u] == 1:
                last += 1
            seen = s > 0 and on[s - 1, u] == 0
            if start == "any" or seen:
                ended = last + 1 < n and on[last + 1, u] == 0
                stop = clock[last + 1] if ended else clock[last]
                rows.append((u, stop - clock[s], clock[last] - clock[s], ended))
            else:
                unknown += 1
            s = last + 1
    table = np.array(rows, dtype=float).reshape(-1, 4)
    names = ("unit", "duration", "early", "ended")
    kinds = (int, float, float, bool)
    return {k: table[:, i].astype(t) for i, (k, t) in enumerate(zip(names, kinds, strict=True))}, (
        unknown
    )


def _kaplan_meier(
    runs: dict[str, np.ndarray], drawn: np.ndarray, level: float
) -> dict[str, np.ndarray]:
    duration, ended, unit = runs["duration"], runs["ended"], runs["unit"]
    times = np.unique(duration[duration > 0])  # what is last seen at its onset says nothing
    lost = ended & (duration == times[:, None])
    gone = ~ended & (duration == times[:, None])
    risk = duration >= times[:, None]
    number, at_risk = lost.sum(axis=1), risk.sum(axis=1)
    hazard = number / at_risk
    weight = drawn[:, unit]
    spread = np.cumprod(1 - ratio(weight @ lost.T, weight @ risk.T), axis=1)
    low, high = interval(spread, level)
    early = np.where(ended, runs["early"], duration)
    # a run that ended right after its last session on was still at risk there
    order = np.unique(early[ended])
    steps = np.array(
        [1 - (ended & (early == t)).sum() / (early >= t).sum() for t in order], dtype=float
    )
    curve = np.concatenate([[1.0], np.cumprod(steps)])
    return {
        "duration": times,
        "survival": np.cumprod(1 - hazard),
        "survival_ci_low": low,
        "survival_ci_high": high,
        "survival_early": curve[np.searchsorted(order, times, side="right")],
        "hazard": hazard,
        "cumulative_hazard": np.cumsum(hazard),
        "n_at_risk": at_risk.astype(np.int64),
        "n_lost": number.astype(np.int64),
        "n_censored": gone.sum(axis=1).astype(np.int64),
    }


def _corrected(given: States, drawn: np.ndarray, level: float) -> dict[str, np.ndarray]:
    """P(on in all of the next k sessions | on) without the errors of the test."""
    names = [f"survival_corrected{end}" for end in ("", "_ci_low", "_ci_high")]
    n, n_units = given.on.shape
    if not given.corrected or n < 2:
        return dict.fromkeys(names, np.full(max(n - 1, 0), np.nan))
    hidden = given.hidden
    first = np.where(given.known & np.isfinite(given.power), given.on - given.level, np.nan)
    still, whole = np.zeros((2, n - 1, n_units))
    for a in range(n - 1):
        product = np.ones(n_units)
        for k in range(1, n - a):
            product = product * hidden[a + k]
            told = np.isfinite(first[a] * product)
            still[k - 1] += np.where(told, first[a] * product, 0.0)
            whole[k - 1] += np.where(told, first[a], 0.0)
    value = ratio(still.sum(axis=1), whole.sum(axis=1))
    low, high = interval(ratio(drawn @ still.T, drawn @ whole.T), level)
    enough = whole.sum(axis=1) >= _FEWEST
    found = [np.where(enough, values, np.nan) for values in (value, low, high)]
    return dict(zip(names, found, strict=True))
