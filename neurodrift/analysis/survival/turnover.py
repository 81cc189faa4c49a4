"""Which units are still on after some sessions, and which have come."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import lag_coords
from neurodrift.analysis.survival._chain import fit_chain
from neurodrift.analysis.survival.power import power_of_results
from neurodrift.analysis.survival.states import (
    Of,
    States,
    Undetected,
    interval,
    ratio,
    states_of,
)
from neurodrift.schema import SESSION_COORDS, label
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import TURNOVER

_PAIR = ("session_a", "session_b")
_FEWEST = 5  # units that a share over a lag is of


@checked_options
def compute_turnover(
    states: xr.DataArray | xr.DataTree,
    *,
    of: Of = "place_cells",
    detected: xr.DataArray | None = None,
    undetected: Undetected = "auto",
    power: xr.DataArray | float | None = None,
    false_alarms: xr.DataArray | float | None = None,
    clusters: xr.DataArray | None = None,
    n_repeats: int = 500,
    level: float = 0.95,
    seed: int = 0,
) -> xr.Dataset:
    r"""Share of the units of one session that are still on in another, and of those that came.

    The estimand is P(on in b | on in a), with and without the errors of the test that says who is
    on. A test of power .8 loses a fifth of the cells from session to session although nothing
    changes; with `power` this is taken out.

    Parameters
    ----------
    states
        (session, unit) True and False, such as ``is_place_cell``, or 1, 0 and NaN for missing;
        (session, field) of :func:`neurodrift.follow_fields`; or the results of
        :func:`neurodrift.analyze`, of which power comes from
        :func:`~neurodrift.analysis.survival.power.compute_test_power`.
    of
        Which units of the results are on: ``"place_cells"`` or ``"active"`` ones.
    detected
        (session, unit) whether a unit was detected; of the results theirs. Missing is never off.
    undetected
        What a unit is that was not detected: ``"missing"`` or ``"off"``. ``"auto"``: off where the
        attribute ``detection`` is ``each_session``, since cells that were looked for in each
        session by their activity and not found were silent; otherwise missing.
    power, false_alarms
        Probability that the test finds a unit that is on, and one that is off: a number, or over
        the dims of `states`. Nothing is corrected without `power`.
    clusters
        (unit) what is resampled for confidence, such as the animal; units when omitted.
    n_repeats, level, seed
        Bootstrap draws, coverage of the intervals, and the seed of the draws.

    Returns
    -------
    xarray.Dataset
        Over (session_a, session_b), NaN on the diagonal: ``still``, ``gained`` (of those off in
        a), ``still_corrected``, ``gained_corrected``, which are unbiased and so may lie outside of
        0 to 1; ``n_on`` and ``n_off`` in a of those known in b, ``n_still``, ``n_gained``, and
        ``n_missing`` (on in a, not known in b). Over ``step`` [sessions], all pairs with b later:
        the same four as ``.._by_lag`` with ``_ci_low`` and ``_ci_high``, NaN below 5 units.
        ``loss`` and ``gain`` in one step, of a chain without memory, with ``loss_se`` and
        ``gain_se``.

    Raises
    ------
    ValueError
        If dimensions or labels do not fit, or a probability is none.

    Notes
    -----
    With o the verdict, p the power and q the false alarms of a unit in a session,
    :math:`\hat h = (o - q) / (p - q)` is on average the true state, and

    .. math:: \mathrm{still} = \frac{\sum_u (o_a - q_a) \hat h_b}{\sum_u (o_a - q_a)} , \qquad
        \mathrm{gained} = \frac{\sum_u (p_a - o_a) \hat h_b}{\sum_u (p_a - o_a)} .

    Verdicts with :math:`p - q < .1` say nothing and are left out of these. Without `power` p is 1
    and q 0. ``loss`` and ``gain`` are those of largest likelihood of a two-state Markov chain that
    is seen through the test [1]_; their standard errors are a jackknife over 10 groups of
    units, and a rate whose standard error is above .2 is NaN.

    References
    ----------
    .. [1] Rabiner (1989), Proc IEEE 77:257-286. https://doi.org/10.1109/5.18626

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from neurodrift import compute_turnover
    >>> rng = np.random.default_rng(1)
    >>> found = xr.DataArray(rng.random((6, 500)) < 0.8, dims=("session", "unit"))
    >>> turnover = compute_turnover(found, power=0.8)  # all are on, and the test misses some
    >>> turnover["still_by_lag"].values[:2].round(2).tolist()
    [0.8, 0.8]
    >>> turnover["still_corrected_by_lag"].values[:2].round(1).tolist()
    [1.0, 1.0]
    """
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
    n = given.on.shape[0]
    factors = _factors(given)
    pairs = {name: a @ b.T for name, (a, b) in factors.items()}
    away = ~np.eye(n, dtype=bool)
    found = {name: np.where(away, values, np.nan) for name, values in _shares(pairs).items()}
    if not given.corrected:
        found |= {name: values * np.nan for name, values in found.items() if "corrected" in name}
    counts = {
        name: np.where(away, pairs[name].round(), 0).astype(np.int64)
        for name in ("n_on", "n_off", "n_still", "n_gained", "n_missing")
    }
    variables: dict[str, object] = {name: (_PAIR, values) for name, values in found.items()}
    variables |= {name: (_PAIR, values) for name, values in counts.items()}
    drawn = given.weights(n_repeats, seed, "turnover")
    variables |= _by_lag(given, factors, drawn, level)
    variables |= fit_chain(given)
    result = xr.Dataset(variables, coords=pair_coords(given))
    result.attrs = given.attrs() | {"level": level, "n_repeats": n_repeats, "seed": seed}
    return label(result, TURNOVER)


def with_power(
    states: xr.DataArray | xr.DataTree,
    of: Of,
    power: xr.DataArray | float | None,
    false_alarms: xr.DataArray | float | None,
) -> tuple[xr.DataArray | float | None, xr.DataArray | float | None]:
    """Errors of the test of results, where they are not given.

    Parameters
    ----------
    states, of, power, false_alarms
        As for :func:`compute_turnover`.

    Returns
    -------
    tuple
        Power and false alarms, None where they are not known.
    """
    if power is None and isinstance(states, xr.DataTree) and of == "place_cells":
        errors = power_of_results(states)
        if errors is not None and not errors.attrs["reason"]:
            return errors["power"], errors["false_alarms"]
    return power, false_alarms


def pair_coords(given: States) -> dict[str, object]:
    """Labels, days and lags of pairs of sessions.

    Parameters
    ----------
    given
        The states.

    Returns
    -------
    dict
        Coordinates by name.
    """
    n = given.on.shape[0]
    source = xr.Dataset(coords=given.coords)
    coords: dict[str, object] = {}
    for name in ("session", *SESSION_COORDS):
        if name in source.coords and name != "frame_duration":
            coords |= {f"{name}_{end}": (f"session_{end}", source[name].values) for end in "ab"}
    coords |= lag_coords(source, _PAIR, np.arange(n))
    coords |= {k: source[k].variable for k in ("subject", "environment") if k in source.coords}
    return coords | {"step": np.arange(1, n)}


def _factors(given: States) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """What each unit adds to the sums of a pair: (session, unit) of a, times that of b."""
    known = given.known.astype(float)
    on = np.nan_to_num(given.on)
    off = known * (1 - on)
    hidden = np.nan_to_num(given.hidden)
    told = np.isfinite(given.hidden).astype(float)
    mine, other = np.nan_to_num(given.on - given.level), np.nan_to_num(given.power - given.on)
    mine, other = (values * np.isfinite(given.power) for values in (mine, other))
    return {
        "n_on": (on, known),
        "n_off": (off, known),
        "n_still": (on, on),
        "n_gained": (off, on),
        "n_missing": (on, 1 - known),
        "on": (mine, told),
        "still": (mine, hidden),
        "off": (other, told),
        "gained": (other, hidden),
    }


def _shares(sums: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        "still": ratio(sums["n_still"], sums["n_on"]),
        "gained": ratio(sums["n_gained"], sums["n_off"]),
        "still_corrected": ratio(sums["still"], sums["on"]),
        "gained_corrected": ratio(sums["gained"], sums["off"]),
    }


def _by_lag(
    given: States,
    factors: dict[str, tuple[np.ndarray, np.ndarray]],
    drawn: np.ndarray,
    level: float,
) -> dict[str, object]:
    """Shares over all pairs of a lag, with intervals over units."""
    n = given.on.shape[0]
    lags = range(1, n)
    of_lag = {
        name: np.array([(a[: n - k] * b[k:]).sum(axis=0) for k in lags])
        for name, (a, b) in factors.items()
    }
    if n < 2:
        return {}
    whole = {name: values.sum(axis=-1) for name, values in of_lag.items()}
    draws = {name: drawn @ values.T for name, values in of_lag.items()}
    found, spread = _shares(whole), _shares(draws)
    variables: dict[str, object] = {"n_on_by_lag": ("step", whole["n_on"].astype(np.int64))}
    for name, values in found.items():
        of = whole["n_off" if name.startswith("gained") else "n_on"]
        enough = (of >= _FEWEST) & (given.corrected or "corrected" not in name)
        ends = interval(spread[name], level)
        for end, numbers in zip(("", "_ci_low", "_ci_high"), (values, *ends), strict=True):
            variables[f"{name}_by_lag{end}"] = ("step", np.where(enough, numbers, np.nan))
    return variables
