"""How fast similarity falls with lag, and to what: half-life and floor, or neither."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import node_of
from neurodrift.analysis.drift.curve import Axis, matrices_of
from neurodrift.schema import label
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import TIME_CONSTANT
from neurodrift.seeds import generator

Model = Literal["constant", "linear", "saturating"]
MODELS: tuple[Model, ...] = ("constant", "linear", "saturating")
"""From the simplest; constants, straight lines, and exponentials to a floor."""

FEWEST_SESSIONS = 5
"""With fewer no model can be told from another."""

_WITHIN = 3.0  # times the span: a time constant with a higher upper bound is no time constant
_GRID = 80


@checked_options
def fit_time_constant(
    drift: xr.Dataset | xr.DataTree,
    *,
    measure: str = "rate_map_correlation_relative",
    axis: Axis = "auto",
    n_resamples: int = 400,
    level: float = 0.95,
    seed: int = 0,
) -> xr.Dataset:
    r"""Fit a constant, a line and an exponential with a floor to similarity against lag.

    Parameters
    ----------
    drift
        Pairs of sessions, such as of :func:`neurodrift.compute_session_drift`, or the results of
        :func:`neurodrift.analyze`.
    measure
        The similarity. One without noise (``_relative``): the noise of few events makes a floor
        look lower, and a step at lag 0.
    axis
        What lags are counted in, as for :func:`neurodrift.analysis.drift.curve.drift_curve`.
    n_resamples
        Draws of sessions behind the intervals.
    level
        Their coverage.
    seed
        Of the draws.

    Returns
    -------
    xarray.Dataset
        ``log_likelihood`` (model) of pairs with a session that the fit had not seen, mean over
        pairs [nat], and ``log_likelihood_se`` (model), the standard error over sessions of its
        difference from the best. ``time_constant``, ``half_life`` [unit of the lag], ``floor`` and
        ``amplitude`` of the exponential and ``slope`` of the line, each with ``_low`` and
        ``_high``. ``n_pairs``, ``n_sessions``. Attributes: ``chosen``, the simplest model within
        one standard error of the best; ``axis``, the unit of the lag; ``reason`` where something
        is not given. All is NaN with fewer than five sessions. ``half_life`` is NaN unless the
        upper bound of the time constant is below three times the longest lag.

    Raises
    ------
    ValueError
        If there is no such measure, or the sessions do not have the axis.

    Notes
    -----
    Models of the similarity of two sessions :math:`\Delta` apart:

    .. math:: y = c, \qquad y = c + b \Delta, \qquad y = c + A e^{-\Delta / \tau}, \; A \ge 0,

    by least squares over all pairs, with the half-life :math:`\tau \ln 2`. Pairs share sessions
    and so do not count for themselves: each session in turn is left out with all of its pairs to
    judge a model, and intervals are percentiles over draws of whole sessions, in which a pair
    counts as often as both of its sessions were drawn. They hold in 98 to 100 of 100 drawn
    recordings of 6 to 12 sessions (``python benchmarks/drift_time_constant.py``). With six
    sessions a floor is mostly missed, and the course called linear.

    The estimand is the course within the days recorded. A floor is where the curve ends that fits
    these days best; whether similarity falls on after a year cannot be seen in two weeks.

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=30, n_sessions=7, drift=0.3)
    >>> drift = nd.compute_session_drift(
    ...     nd.compute_drift(nd.compute_half_maps(track, smoothing=4.0))
    ... )
    >>> found = nd.fit_time_constant(drift)
    >>> found.attrs["chosen"], found.attrs["axis"]
    ('saturating', 'day')
    """
    pairs = node_of(drift, "session_drift", "drift")
    name, values, lags, steps = matrices_of(pairs, measure, axis)
    a, b = np.nonzero((steps > 0) & (lags > 0) & np.isfinite(values) & np.isfinite(lags))
    values, lags = values[a, b], lags[a, b]
    sessions = np.union1d(a, b)
    found = {key: np.nan for key in TIME_CONSTANT if not TIME_CONSTANT[key].dims}
    found |= {"n_pairs": lags.size, "n_sessions": sessions.size}
    likelihood = np.full((2, len(MODELS)), np.nan)
    attrs = {"measure": measure, "axis": name, "chosen": "", "reason": ""}
    if sessions.size < FEWEST_SESSIONS or np.unique(lags).size < 3:
        attrs["reason"] = (
            f"{sessions.size} sessions with {np.unique(lags).size} lags, expected at least "
            f"{FEWEST_SESSIONS} with 3"
        )
        return _labelled(found, likelihood, attrs)
    likelihood, attrs["chosen"] = _judge(lags, values, a, b, sessions)
    rng = generator(seed, "time constant", measure)
    drawn = rng.multinomial(sessions.size, np.full(sessions.size, 1 / sessions.size), n_resamples)
    place = np.searchsorted(sessions, np.array([a, b]))
    weights = np.vstack([np.ones(lags.size), drawn[:, place[0]] * drawn[:, place[1]]])
    curves = np.array([_saturating(lags, values, weight) for weight in weights])
    lines = np.array([_line(lags, values, weight) for weight in weights])
    columns = {
        "time_constant": curves[:, 2],
        "half_life": curves[:, 2] * np.log(2),
        "floor": curves[:, 0],
        "amplitude": curves[:, 1],
        "slope": lines[:, 1],
    }
    for key, column in columns.items():
        draws = column[1:][np.isfinite(column[1:])]
        found[key] = column[0]
        if draws.size:
            ends = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
            found[f"{key}_low"], found[f"{key}_high"] = ends
    span = float(lags.max())
    if not found["time_constant_high"] < _WITHIN * span:
        for key in ("half_life", "half_life_low", "half_life_high"):
            found[key] = np.nan
        attrs["reason"] = f"no half-life within the longest lag of {span:g}"
    return _labelled(found, likelihood, attrs)


def _line(lags: np.ndarray, values: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Height at lag 0 and slope of the weighted line; NaN where all lags are equal."""
    if not weight.any():  # a draw of one session alone
        return np.nan, np.nan
    offset, slope, _ = _regress(lags[None, :], values, weight)
    return float(offset[0]), float(slope[0])


def _regress(
    x: np.ndarray, values: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Offset, slope and squared error (row) of weighted lines on the rows of x."""
    total = weight.sum()
    mean_x, mean_y = (x @ weight) / total, values @ weight / total
    apart = x - mean_x[:, None]
    spread = (apart**2) @ weight
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = np.where(
            spread > 1e-12 * total, (apart @ (weight * (values - mean_y))) / spread, np.nan
        )
    offset = mean_y - slope * mean_x
    error = ((values - offset[:, None] - slope[:, None] * x) ** 2) @ weight
    return offset, slope, error


def _saturating(
    lags: np.ndarray, values: np.ndarray, weight: np.ndarray
) -> tuple[float, float, float]:
    """Floor, amplitude and time constant; a constant where nothing falls."""
    used = weight > 0
    if np.unique(lags[used]).size < 3:
        return np.nan, np.nan, np.nan
    low, high = np.log(lags.min() / 4), np.log(20 * lags.max())
    for _ in range(2):  # a grid, and a finer one about its best
        scale = np.exp(np.linspace(low, high, _GRID))
        floor, amplitude, error = _regress(np.exp(-lags / scale[:, None]), values, weight)
        error = np.where(amplitude >= 0, error, np.inf)
        best = int(np.argmin(error))
        if not np.isfinite(error[best]):
            return float(values @ weight / weight.sum()), 0.0, np.nan
        step = (high - low) / (_GRID - 1)
        low, high = np.log(scale[best]) - step, np.log(scale[best]) + step
    return float(floor[best]), float(amplitude[best]), float(scale[best])


def _predicted(
    model: Model, lags: np.ndarray, values: np.ndarray, weight: np.ndarray
) -> np.ndarray:
    """Similarity at all lags by a fit to the weighted ones."""
    mean = np.full(lags.size, values @ weight / weight.sum())
    if model == "constant":
        return mean
    if model == "linear":
        offset, slope = _line(lags, values, weight)
        return offset + slope * lags if np.isfinite(slope) else mean
    floor, amplitude, scale = _saturating(lags, values, weight)
    if not np.isfinite(scale):
        return mean
    return np.asarray(floor + amplitude * np.exp(-lags / scale))


def _judge(
    lags: np.ndarray, values: np.ndarray, a: np.ndarray, b: np.ndarray, sessions: np.ndarray
) -> tuple[np.ndarray, str]:
    """Likelihood and error (2, model) of unseen sessions, and the simplest that is as good."""
    scores = np.full((sessions.size, len(MODELS)), np.nan)
    for i, session in enumerate(sessions):
        out = (a == session) | (b == session)
        weight = (~out).astype(float)
        for j, model in enumerate(MODELS):
            error = values - _predicted(model, lags, values, weight)
            dof = max(1.0, weight.sum() - j - 1)
            variance = max(float((error**2) @ weight / dof), 1e-12)
            logs = -0.5 * np.log(2 * np.pi * variance) - 0.5 * error[out] ** 2 / variance
            scores[i, j] = logs.mean()
    mean = scores.mean(axis=0)
    best = int(np.argmax(mean))
    error = (scores - scores[:, [best]]).std(axis=0, ddof=1) / np.sqrt(sessions.size)
    chosen = next(j for j in range(len(MODELS)) if mean[j] >= mean[best] - error[j])
    return np.array([mean, error]), MODELS[chosen]


def _labelled(found: dict[str, float], likelihood: np.ndarray, attrs: dict[str, str]) -> xr.Dataset:
    values = {name: ((), value) for name, value in found.items()}
    models = np.array(MODELS, dtype=object)
    dataset = xr.Dataset(
        {
            "log_likelihood": ("model", likelihood[0]),
            "log_likelihood_se": ("model", likelihood[1]),
            **values,
        },
        coords={"model": models},
        attrs=attrs,
    )
    return label(dataset, TIME_CONSTANT)
