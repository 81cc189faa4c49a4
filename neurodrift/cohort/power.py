"""How many animals and sessions show a change: by simulation from a cohort's own variation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from neurodrift.analysis.series.trend import POWER as ENOUGH
from neurodrift.analysis.series.trend import fit_trend
from neurodrift.cohort.animals import Animals, groups, one_group, pool
from neurodrift.cohort.pool import pool_animals
from neurodrift.cohort.questions import AXES
from neurodrift.cohort.series import reduce_rows
from neurodrift.schema import label
from neurodrift.schema.objects import expect_choice
from neurodrift.schema.options import Range, check_option, checked_options
from neurodrift.schema.results import POWER
from neurodrift.seeds import generator

if TYPE_CHECKING:
    from neurodrift.schema.types import Results

_N = Range(2, 1000, whole=True)
_SESSIONS = Range(2, 1000, whole=True)
_EFFECT = Range(-100, 100)


@dataclass(frozen=True)
class Variation:
    """What makes the slopes of a cohort differ.

    Parameters
    ----------
    between, within
        Standard deviation of the slopes between animals, and between recordings of an animal, what
        the sessions add left out.
    residual
        Standard deviation of a session about the line of its recording.
    correlation
        Of neighbouring sessions about that line.
    mean
        Mean of the measure.
    span
        Mean span of the recordings on the axis.
    step
        Usual distance of neighbouring sessions on the axis.
    n_animals, n_recordings
        Animals behind it, and the usual number of recordings of one.
    n_sessions
        Usual number of sessions of a recording.
    """

    between: float
    within: float
    residual: float
    correlation: float
    mean: float
    span: float
    step: float
    n_animals: int
    n_recordings: int
    n_sessions: int


def estimate_variation(sessions: xr.Dataset, measure: str, axis: str = "day") -> Variation:
    r"""Take the variation of a measure's slopes apart.

    Parameters
    ----------
    sessions
        Node ``sessions`` of :func:`neurodrift.pool_animals`.
    measure, axis
        Columns of it.

    Returns
    -------
    Variation
        The parts.

    Raises
    ------
    ValueError
        If fewer than two animals have a slope, or no session is left beside the slopes.

    Notes
    -----
    The noise of the sessions comes from all recordings together, each with a line of its own, by
    the restricted likelihood averaged over their autocorrelation
    (:func:`~neurodrift.analysis.series.trend.fit_trend`). What the slopes vary beyond it is the
    variation between recordings of an animal, and what animals vary beyond both is that between
    animals; a negative one is 0. With few animals that one is poorly known: of :math:`n` animals
    a standard deviation has a relative error of about :math:`1/\sqrt{2(n - 1)}`.
    """
    table = sessions[[measure, axis]].to_dataframe().reset_index(drop=True)
    y, at, place = (table[name].to_numpy(float) for name in (measure, axis, "place"))
    known = np.isfinite(y) & np.isfinite(at)
    names = table["recording"].astype(str).to_numpy()
    parts = []
    for name in dict.fromkeys(names):
        own = np.flatnonzero(known & (names == name))
        if own.size >= 2 and np.ptp(at[own]) > 0:
            parts.append(own)
    subjects = [str(table["subject"].iloc[own[0]]) for own in parts]
    if len(set(subjects)) < 2:
        raise ValueError(
            f"{len(set(subjects))} animals have a slope of {measure} along {axis}: power needs two "
            "or more, or the variation between them is not known"
        )
    left = sum(own.size - 2 for own in parts)
    if left < 1:
        raise ValueError(
            f"no recording has more than two sessions with {measure}: their noise is not known"
        )
    residual, correlation = _noise(y, at, place, parts)
    slopes, errors = [], []
    for own in parts:
        weight = at[own] - at[own].mean()
        weight = weight / (weight @ weight)
        apart = np.abs(place[own][:, None] - place[own][None, :])
        alike = np.where(apart == 0, 1.0, correlation**apart)
        slopes.append(weight @ y[own])
        errors.append(residual**2 * weight @ alike @ weight)
    between, within = _apart(np.array(slopes), np.array(errors), subjects)
    steps = np.concatenate([np.diff(np.sort(at[own])) for own in parts])
    counts = [subjects.count(name) for name in set(subjects)]
    return Variation(
        between,
        within,
        residual,
        correlation,
        float(np.mean([y[own].mean() for own in parts])),
        float(np.mean([np.ptp(at[own]) for own in parts])),
        float(np.median(steps)),
        len(set(subjects)),
        max(round(float(np.mean(counts))), 1),
        max(round(float(np.mean([own.size for own in parts]))), 2),
    )


def _noise(
    y: np.ndarray, at: np.ndarray, place: np.ndarray, parts: list[np.ndarray]
) -> tuple[float, float]:
    """Standard deviation of sessions about the line of their recording, and their correlation."""
    rows = np.concatenate(parts)
    number = np.repeat(np.arange(len(parts)), [own.size for own in parts])
    one = np.eye(len(parts))[number]
    centred = np.concatenate([at[own] - at[own].mean() for own in parts])
    levels = one[:, 1:]
    design = np.column_stack([np.ones(rows.size), levels, one * centred[:, None]])
    trend = fit_trend(design, y[rows], place[rows], number)
    return float(np.sqrt(trend.residual_variance)), trend.correlation


def _apart(slopes: np.ndarray, errors: np.ndarray, subjects: list[str]) -> tuple[float, float]:
    """Standard deviations of slopes between animals and between recordings of one, by moments."""
    animals = list(dict.fromkeys(subjects))
    own = [np.flatnonzero([s == animal for s in subjects]) for animal in animals]
    dof = sum(k.size - 1 for k in own)
    within = 0.0
    if dof:
        squares = sum(((slopes[k] - slopes[k].mean()) ** 2).sum() for k in own)
        noise = sum((k.size - 1) * errors[k].mean() for k in own)
        within = max(float(squares - noise) / dof, 0.0)
    means = np.array([slopes[k].mean() for k in own])
    noise = np.mean([(errors[k] + within).sum() / k.size**2 for k in own])
    return float(np.sqrt(max(means.var(ddof=1) - noise, 0.0))), float(np.sqrt(within))


@checked_options
def power(
    results: Results,
    measure: str,
    *,
    effect: float,
    n_animals: Sequence[int] = tuple(range(3, 13)),
    n_sessions: Sequence[int] | None = None,
    n_groups: int = 1,
    n_environments: int | None = None,
    span: float | None = None,
    axis: str = "day",
    level: float = 0.95,
    n_repeats: int = 2000,
    seed: int = 0,
) -> xr.Dataset:
    """How often a study of so many animals and sessions would find a change.

    Cohorts are drawn from the variation of the given one and tested as
    :func:`neurodrift.pool_animals` does, without a correction for several questions.

    Parameters
    ----------
    results
        Results of :func:`neurodrift.analyze` of several animals, or a result of
        :func:`neurodrift.pool_animals` that asked for the measure: a pilot, whose groups should be
        alike.
    measure
        Measure of the sessions.
    effect
        Change over `span`, relative to the mean of the measure: 0.27 is a rise by 27 %. For two
        groups how much more one changes than the other.
    n_animals
        Numbers of animals; of each group for two.
    n_sessions
        Numbers of sessions of a recording, at the usual distance, so that more sessions last
        longer; that of the cohort when omitted.
    n_groups
        1: a change in all animals, 2: a difference between two groups of them.
    n_environments
        Recordings of each animal; the usual number of the cohort when omitted.
    span
        What `effect` is over, in units of the axis; the mean span of the recordings when omitted.
    axis
        ``"day"`` [d] or another axis of the sessions.
    level
        The test is at 1 - `level`, two-sided.
    n_repeats
        Simulated cohorts of each size.
    seed
        Seed of the random streams.

    Returns
    -------
    xarray.Dataset
        ``power`` with its 95 % Monte Carlo interval ``power_ci_low`` and ``power_ci_high``
        (animals, sessions); ``animals_needed`` (sessions), the smallest of `n_animals` from which
        on power is 80 % or more, NaN where none is; ``slope`` (sessions), the planted change for
        each unit of the axis. Attributes say what was drawn from: ``slope_sd_between_animals``,
        ``slope_sd_within_animals``, ``residual_sd``, ``correlation``, ``mean``, and ``parameters``.

    Raises
    ------
    ValueError
        If the measure is in no recording, or fewer than two animals have a slope.

    Notes
    -----
    The standard deviation between a few animals is poorly known, and power with it: from six
    animals its standard error is a third of it. The interval is that of the simulation alone.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift import power, testing
    >>> rng = np.random.default_rng(0)
    >>> day = np.arange(6.0)
    >>> mice = [
    ...     testing.results_of(
    ...         {"day": day, "information": 1 + 0.1 * rng.normal(size=6)}, subject=f"m{i}"
    ...     )
    ...     for i in range(4)
    ... ]
    >>> found = power(mice, "information", effect=0.3, n_animals=[3, 8], n_repeats=200)
    >>> bool(found["power"].sel(animals=8).item() > found["power"].sel(animals=3).item())
    True
    """
    expect_choice("axis", axis, list(AXES))
    check_option("effect", effect, _EFFECT)
    check_option("n_groups", n_groups, Range(1, 2, whole=True))
    for name, values, allowed in (
        ("n_animals", n_animals, _N),
        ("n_sessions", n_sessions, _SESSIONS),
    ):
        for value in values if values is not None else ():
            check_option(name, value, allowed)
    given = _pooled(results, measure, axis)
    if measure not in given["sessions"]:
        raise ValueError(f"the study did not ask for {measure!r}: give its recordings' results")
    varies = estimate_variation(given["sessions"].to_dataset(), measure, axis)
    animals = sorted({int(n) for n in n_animals})
    sessions = sorted({int(n) for n in (n_sessions or [varies.n_sessions])})
    each = n_environments or varies.n_recordings
    over = span if span is not None else varies.span
    slope = effect * varies.mean / over
    found = np.array(
        [
            [_found(varies, slope, n, k, each, n_groups, level, n_repeats, seed) for k in sessions]
            for n in animals
        ]
    )
    low, high = _wilson(found, n_repeats)
    needed = [_needed(np.array(animals), column) for column in found.T]
    dims = ("animals", "sessions")
    result = xr.Dataset(
        {
            "power": (dims, found),
            "power_ci_low": (dims, low),
            "power_ci_high": (dims, high),
            "animals_needed": ("sessions", np.array(needed, dtype=float)),
            "slope": ("sessions", np.full(len(sessions), slope)),
        },
        coords={"animals": animals, "sessions": sessions},
    )
    result = label(result, POWER)
    result.attrs = {
        "title": "neurodrift power",
        "measure": measure,
        "axis": axis,
        "slope_sd_between_animals": varies.between,
        "slope_sd_within_animals": varies.within,
        "residual_sd": varies.residual,
        "correlation": varies.correlation,
        "mean": varies.mean,
        "n_animals": varies.n_animals,
        "parameters": json.dumps(
            {
                "effect": effect,
                "span": over,
                "step": varies.step,
                "n_groups": n_groups,
                "n_environments": each,
                "level": level,
                "n_repeats": n_repeats,
                "seed": seed,
            }
        ),
    }
    return result


def _pooled(results: Results, measure: str, axis: str) -> xr.DataTree:
    """The study itself, or one that asks of the results what is needed."""
    if isinstance(results, xr.DataTree) and "answers" in results.children:
        return results
    return pool_animals(results, questions=[f"{measure} ~ {axis}"], covariates=[])


def _found(
    varies: Variation,
    slope: float,
    n_animals: int,
    n_sessions: int,
    n_recordings: int,
    n_groups: int,
    level: float,
    n_repeats: int,
    seed: int,
) -> float:
    """Share of simulated cohorts whose test finds the change."""
    from scipy.special import stdtr

    rng = generator(seed, "power", n_animals, n_sessions, n_recordings, n_groups)
    n = n_animals * n_groups
    at = varies.step * np.arange(n_sessions)
    group = np.repeat(np.arange(n_groups), n_animals)
    planted = slope if n_groups == 1 else slope * group[None, :, None]
    slopes = planted + varies.between * rng.normal(size=(n_repeats, n, 1))
    slopes = slopes + varies.within * rng.normal(size=(n_repeats, n, n_recordings))
    noise = rng.normal(size=(n_repeats, n, n_recordings, n_sessions))
    y = slopes[..., None] * at + varies.residual * _coloured(noise, varies.correlation)
    y = y.reshape(n_repeats, n * n_recordings, n_sessions)
    design = np.column_stack([np.ones(n_sessions), at])
    reduced = reduce_rows(
        y,
        np.broadcast_to(design, (*y.shape, 2)),
        np.empty((*y.shape, 0)),
        np.ones(y.shape, dtype=bool),
    )
    weights = np.kron(np.eye(n), np.full((1, n_recordings), 1 / n_recordings))
    drawn = Animals.of(reduced, weights)
    if n_groups == 1:
        estimate, se, dof = pool(drawn, one_group(n)).contrast(np.ones(1))
    else:
        estimate, se, dof = pool(drawn, groups(group)).contrast(np.array([-1.0, 1.0]))
    p = 2 * stdtr(dof, -np.abs(estimate) / se)
    return float(np.mean(p < 1 - level))


def _coloured(noise: np.ndarray, correlation: float) -> np.ndarray:
    """Independent numbers made alike among neighbours, of the same variance."""
    found = noise.copy()
    for k in range(1, noise.shape[-1]):
        fresh = np.sqrt(1 - correlation**2) * noise[..., k]
        found[..., k] = correlation * found[..., k - 1] + fresh
    return found


def _wilson(share: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of a share of n [Wilson 1927]."""
    z = 1.959964
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return centre - half, centre + half


def _needed(animals: np.ndarray, found: np.ndarray) -> float:
    """Smallest number of animals from which on power is enough; NaN if it never is."""
    enough = found >= ENOUGH
    if not enough.any() or not enough[-1]:
        return np.nan
    short = np.flatnonzero(~enough)
    return float(animals[short[-1] + 1] if short.size else animals[0])
