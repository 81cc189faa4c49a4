"""Steps of the units' tuning between sessions, and what law they follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import align_mask, lag_coords, only_registered
from neurodrift.analysis.drift.curve import axis_of_lags
from neurodrift.analysis.maps.binning import Binning
from neurodrift.analysis.steps.moments import cross, differences, fourth, square
from neurodrift.analysis.steps.tuning import Variable, compute_tuning
from neurodrift.geometry.geometry import geometry_of
from neurodrift.schema import check, label
from neurodrift.schema.objects import expect_choice
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import STEPS
from neurodrift.seeds import generator

_PAIR = ("session_a", "session_b")
_FEWEST_UNITS = 10
_CLEAR = 2.0  # standard errors by which the mean square of a step must be above 0


@checked_options
def compute_steps(
    recording: xr.Dataset,
    *,
    variable: Variable = "centre",
    units: xr.DataArray | None = None,
    binning: Binning | None = None,
    smoothing: float = 4.0,
    min_events: int = 5,
    n_resamples: int = 400,
    level: float = 0.95,
    seed: int = 0,
) -> xr.Dataset:
    r"""How far the tuning of units moves between sessions: diffusion, jumps, direction.

    Parameters
    ----------
    recording
        A recording with a position; NumPy or Dask. Units that are not ``registered`` are left out.
    variable
        ``"centre"`` of the field in each running direction [cm], on a line or round a circle; or
        ``"rate"``, the logarithm of the mean activity, anywhere.
    units
        (session, unit) those that count, such as the place cells; a step takes units that count in
        both of its sessions. All when omitted: units without a field only add noise.
    binning, smoothing
        Of the maps, as for :func:`neurodrift.compute_rate_maps`.
    min_events
        Events that a unit needs in each of the four parts of a session.
    n_resamples
        Draws of units behind the intervals.
    level
        Coverage of the intervals.
    seed
        Of the draws.

    Returns
    -------
    xarray.Dataset
        Over (session_a, session_b): ``mean_square_step`` [square of the unit of the variable] and
        ``mean_square_step_n``, the steps that entered (unit and direction). Each with ``_low`` and
        ``_high``:

        ``exponent``
            :math:`\alpha` of :math:`\overline{u^2} \propto \Delta^\alpha`: 1 for a random walk, 2
            for a steady course, 0 for scatter about a fixed place.
        ``diffusion``
            :math:`D = \overline{u^2} / 2\Delta` of neighbouring sessions [square of the unit a
            day]; round a circle from the mean cosine of the steps.
        ``excess_kurtosis``
            Of the steps between neighbouring sessions: 0 for Gaussian steps.
        ``kurtosis_of_unequal_units``
            What it would be if each unit took Gaussian steps of its own size.
        ``jumpiness``
            The difference of both: above 0 where single units move in jumps.
        ``directedness``
            Sum of products of different steps of a unit over the sum of their squares: 0 for a walk
            without memory, above 0 for steps that go on, below 0 for steps that go back.
        ``step_correlation``
            Mean correlation of the steps of different units: 0 if they move on their own.

        Attributes: ``variable``, ``units``, ``axis`` of the lag, and ``reason`` where something is
        NaN because it cannot be told.

    Raises
    ------
    ValueError
        If the recording has no position, or the centre is asked for where it is not one number.

    Notes
    -----
    Each session is cut into four parts, spread over all of it, whose noise is independent. A step
    :math:`u` of part :math:`h` is :math:`u^h = \theta^h_b - \theta^h_a`. The mean square is that
    of products of different parts, the fourth moment that of all four parts, and two steps in a
    row are multiplied from different parts. So noise adds nothing to any of these: the square of
    noisy steps would be too large, their kurtosis too small, and neighbouring steps would be
    anticorrelated by -.5, since both have the noise of the session between them.

    Intervals are percentiles over draws of units. All but ``diffusion`` are NaN
    unless steps are clearly larger than 0.

    *What biases it.* At the ends of a track a field cannot go on: mean squares saturate, and the
    exponent falls below 1. Fields whose ends are cut seem to move less. Steps of half a lap cannot
    be told from the other way round, and the mean cosine counts long steps less: of jumps
    ``diffusion`` is too low round a circle. A unit that moves between two fields jumps.

    References
    ----------
    Micou and O'Leary (2026), "Statistics of cortical representational drift can enable robust
    readout", PLoS Computational Biology 22(6):e1014297.
    https://doi.org/10.1371/journal.pcbi.1014297 (that drift comes in jumps; the estimators here
    are our own).

    Examples
    --------
    >>> import neurodrift as nd
    >>> track = nd.testing.linear_track(n_units=40, n_sessions=4, drift=0.3)
    >>> found = nd.compute_steps(track)
    >>> found["mean_square_step"].dims, found.attrs["variable"]
    (('session_a', 'session_b'), 'centre')
    """
    check(recording)
    expect_choice("variable", variable, get_args(Variable))
    recording = only_registered(recording)
    order = np.argsort(recording["unit"].values.astype(str), kind="stable")
    recording = recording.isel(unit=order)  # sums are the same in any order of the units
    tuning = compute_tuning(
        recording, variable, binning=binning, smoothing=smoothing, min_events=min_events
    )
    values = tuning["tuning"].values
    if units is not None:
        chosen = align_mask(units, recording, "units", "recording").values.astype(bool)
        values = np.where(chosen[:, None, :, None], values, np.nan)
    geometry = geometry_of(recording)
    round_track = variable == "centre" and geometry.kind == "circular"
    walk = _Walk(values, float(geometry.length or np.inf) if round_track else np.inf)
    lags = lag_coords(recording, _PAIR, np.arange(len(values)))
    coords: dict[str, Any] = {name: recording["session"].values for name in _PAIR} | lags
    pairs = xr.Dataset(coords=coords)
    axis, lag = axis_of_lags(pairs, "auto") if len(values) > 1 else ("session", "lag")
    apart = pairs[lag].values.astype(float)
    rng = generator(seed, "steps", variable)
    n = walk.n_units
    weights = np.vstack(
        [np.ones(n), rng.multinomial(n, np.full(n, 1 / max(n, 1)), n_resamples)]
        if n
        else [np.ones(0)]
    )
    numbers, reason = _numbers(walk, apart, weights)
    mean, count = walk.mean_square()
    found: dict[str, Any] = {
        "mean_square_step": (_PAIR, mean),
        "mean_square_step_n": (_PAIR, count),
    }
    for name, draws in numbers.items():
        found[name] = draws[0]
        known = draws[1:][np.isfinite(draws[1:])]
        ends = [np.nan, np.nan]
        if known.size and np.isfinite(draws[0]):
            ends = list(np.quantile(known, [(1 - level) / 2, (1 + level) / 2]))
        found[f"{name}_low"], found[f"{name}_high"] = ends
    unit = geometry.unit if variable == "centre" else "log Hz"
    about = {"variable": variable, "units": unit, "axis": axis, "reason": reason}
    return label(xr.Dataset(found, coords=coords, attrs=about), STEPS)


@dataclass(eq=False)
class _Walk:
    """The tuning (session, part, unit, direction) of all units, round a circle or not."""

    tuning: np.ndarray
    length: float

    @property
    def n_units(self) -> int:
        """Units, with or without a tuning."""
        return int(self.tuning.shape[2])

    @property
    def n_sessions(self) -> int:
        """Sessions."""
        return int(self.tuning.shape[0])

    def steps(self, a: int, b: int) -> np.ndarray:
        """(part, unit, direction) from session a to b."""
        return differences(self.tuning, a, b, self.length)

    def by_unit(self, of: Callable[[np.ndarray], np.ndarray], a: int, b: int) -> np.ndarray:
        """(2, unit) sum of a moment over the directions of a unit, and how many there are."""
        return _summed(of(self.steps(a, b)))

    def mean_square(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean square step and number of steps of all pairs of sessions."""
        shape = (self.n_sessions, self.n_sessions)
        mean, count = np.full(shape, np.nan), np.zeros(shape, dtype=np.int64)
        for a in range(self.n_sessions):
            for b in range(a, self.n_sessions):
                total, number = self.by_unit(square, a, b).sum(axis=1)
                count[a, b] = count[b, a] = int(number)
                if number:
                    mean[a, b] = mean[b, a] = total / number if a < b else 0.0
        return mean, count


def _summed(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    return np.array([np.where(known, values, 0.0).sum(axis=-1), known.sum(axis=-1)])


def _ratio(sums: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(draw) weighted mean of (2, unit) sums and numbers."""
    total, number = weights @ sums[0], weights @ sums[1]
    return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)


def _numbers(
    walk: _Walk, apart: np.ndarray, weights: np.ndarray
) -> tuple[Mapping[str, np.ndarray], str]:
    """The draws (draw) of each number, the first one of all units; and why some are missing."""
    missing = np.full(len(weights), np.nan)
    found = dict.fromkeys(_NAMES, missing)
    n = walk.n_sessions
    neighbours = [(s, s + 1) for s in range(n - 1)]
    steps = np.zeros((2, walk.n_units))
    for a, b in neighbours:
        steps += walk.by_unit(square, a, b)
    enough = int((steps[1] > 0).sum())
    if enough < _FEWEST_UNITS:
        return found, (
            f"{enough} units have a tuning in neighbouring sessions with four parts each, expected "
            f"at least {_FEWEST_UNITS}"
        )
    m2 = _ratio(steps, weights)
    found["diffusion"] = _diffusion(walk, apart, neighbours, weights, m2)
    if not m2[0] > _CLEAR * np.nanstd(m2[1:]):
        return found, "the steps between neighbouring sessions are not larger than noise"
    found["exponent"] = _exponent(walk, apart, weights)
    tails = sum(walk.by_unit(fourth, a, b) for a, b in neighbours)
    found["excess_kurtosis"] = _ratio(np.asarray(tails), weights) / m2**2 - 3
    unequal = np.zeros((2, walk.n_units))
    turns = np.zeros((2, walk.n_units))
    for i, (a, b) in enumerate(neighbours):
        for c, d in neighbours[i + 1 :]:
            first, second = walk.steps(a, b), walk.steps(c, d)
            turns += _summed(cross(first, second))
            if c > b:  # no session in common, and so no noise
                unequal += _summed(square(first) * square(second))
    if unequal[1].any():
        alike = 3 * (_ratio(unequal, weights) / m2**2 - 1)
        found["kurtosis_of_unequal_units"] = alike
        found["jumpiness"] = found["excess_kurtosis"] - alike
    if turns[1].any():
        sums = np.array([turns[0], steps[1]])  # over the steps of the unit, as its squares are
        found["directedness"] = _ratio(sums, weights) / m2
    found["step_correlation"] = _together(walk, neighbours, weights) / m2
    return found, ""


_NAMES = (
    "exponent",
    "diffusion",
    "excess_kurtosis",
    "kurtosis_of_unequal_units",
    "jumpiness",
    "directedness",
    "step_correlation",
)


def _exponent(walk: _Walk, apart: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(draw) slope of the logarithm of the mean square against that of the lag."""
    lags, curves, numbers = [], [], []
    for k in range(1, walk.n_sessions):
        pairs = [(s, s + k) for s in range(walk.n_sessions - k)]
        lag = np.mean([apart[pair] for pair in pairs])
        sums = sum(walk.by_unit(square, *pair) for pair in pairs)
        if lag > 0 and np.isfinite(lag):
            lags.append(np.log(lag))
            curves.append(_ratio(np.asarray(sums), weights))
            numbers.append(len(pairs))
    found = np.full(len(weights), np.nan)
    if len(lags) < 3:
        return found
    x, weight = np.array(lags), np.array(numbers, dtype=float)
    apart_x = x - weight @ x / weight.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        y = np.log(np.array(curves))
    slope = (weight * apart_x) @ y / (weight @ apart_x**2)
    found[:] = np.where(np.isfinite(y).all(axis=0), slope, np.nan)
    return found


def _diffusion(
    walk: _Walk,
    apart: np.ndarray,
    neighbours: list[tuple[int, int]],
    weights: np.ndarray,
    m2: np.ndarray,
) -> np.ndarray:
    """(draw) diffusion constant of neighbouring sessions."""
    lag = float(np.mean([apart[pair] for pair in neighbours]))
    if not lag > 0:
        return np.full(len(weights), np.nan)
    if not np.isfinite(walk.length):
        return m2 / (2 * lag)
    turn = np.exp(2j * np.pi * walk.tuning / walk.length)  # of all parts
    mean = turn.mean(axis=1)
    n = turn.shape[1]
    own = (np.abs(turn.sum(axis=1)) ** 2 - n) / (n * (n - 1))
    between = sum(_summed((mean[b] * mean[a].conj()).real) for a, b in neighbours)
    within = [
        sum(_summed(own[pair[side]] + 0.0 * own[pair[1 - side]]) for pair in neighbours)
        for side in (0, 1)
    ]
    cosine = _ratio(np.asarray(between), weights)
    noise = _ratio(np.asarray(within[0]), weights) * _ratio(np.asarray(within[1]), weights)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = -np.log(cosine / np.sqrt(noise)) / lag
    return np.asarray(rate * (walk.length / (2 * np.pi)) ** 2)


def _together(walk: _Walk, neighbours: list[tuple[int, int]], weights: np.ndarray) -> np.ndarray:
    """(draw) mean product of the steps of two different units."""
    total, number = np.zeros(len(weights)), np.zeros(len(weights))
    for a, b in neighbours:
        step = walk.steps(a, b).mean(axis=0)
        for direction in range(step.shape[-1]):
            own = step[:, direction]
            known = np.isfinite(own)
            value = np.where(known, own, 0.0)
            all_of, n = weights @ value, weights @ known.astype(float)
            total += all_of**2 - weights**2 @ value**2  # a unit drawn twice is no other unit
            number += n**2 - weights**2 @ known.astype(float)
    return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)
