"""The representational drift index: what is lost of a map between sessions, against within."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords, lag_coords, only_registered
from neurodrift.analysis.drift.parts import Split, cut_sessions
from neurodrift.analysis.maps.binning import Binning
from neurodrift.analysis.maps.rate_maps import compute_rate_maps
from neurodrift.analysis.maps.smoothing import smooth_by, smoothing_steps, weights_of_bins
from neurodrift.schema import check, label
from neurodrift.schema.objects import expect_choice
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import DRIFT_INDEX

N_PARTS = 8
"""Parts of a session whose halves are compared, as many as the trials in the paper."""

_FLOOR = 1e-3  # of the correlation within sessions, as in the authors' code
_FEWEST_BINS = 3
_CONTROL = 4  # parts of a session that make a session of the control
_PAIR = ("session_a", "session_b")


@checked_options
def compute_drift_index(
    recording: xr.Dataset,
    *,
    binning: Binning | None = None,
    smoothing: float = 4.0,
    split: Split = "auto",
    within: Literal["both", "first"] = "both",
) -> xr.Dataset:
    r"""Drift index of each unit and of the population, for every pair of sessions.

    Parameters
    ----------
    recording
        A recording with a position; NumPy or Dask, one session is in memory at a time. Units that
        are not ``registered`` are left out.
    binning, smoothing
        As for :func:`neurodrift.compute_rate_maps`.
    split
        What a session is cut at: every eighth trial, pair of laps or minute is one of its eight
        parts, fewer where a session has fewer (an even number, two at least); ``"auto"``: trials
        or, where they give more parts, laps, or minutes.
    within
        What the correlation between sessions is held against: that within ``"both"``, as
        published, or within the ``"first"`` alone.

    Returns
    -------
    xarray.Dataset
        Over (session_a, session_b), from the earlier to the later session and the same the other
        way round: ``drift_index``, mean over ``drift_index_n`` units, and of each unit
        ``unit_drift_index``, from 0 (as alike as halves of one session) to 1 (not alike).
        ``population_drift_index`` of all units' maps laid end to end.

        ``drift_index_control`` is the index of two halves of one session as if they were two
        sessions, mean over both sessions (over the first with ``within="first"``): what noise
        alone makes. ``drift_index_above_control`` is the mean over units of the index less the
        control, both from as little data: 0 without drift. The diagonal holds the control. NaN
        where a session has fewer than four parts, or nothing can be compared.

    Raises
    ------
    ValueError
        If the recording has no position, or no such parts.

    Notes
    -----
    The parts of a session are divided into halves in every way, the same in both sessions. With
    maps :math:`F^1, F^2` of the halves (all directions laid end to end) and Pearson's
    :math:`c`,

    .. math::
        w = \tfrac12 [c(F_a^1, F_a^2) + c(F_b^1, F_b^2)], \quad
        b = \tfrac12 [c(F_a^1, F_b^2) + c(F_a^2, F_b^1)], \quad
        \text{index} = \frac{\bar w - \bar b}{\bar w + \bar b},

    where negative :math:`w, b` count as 0 before the means over divisions, and :math:`\bar w` is
    at least .001 [1]_. The published code draws 50 to 100 divisions at random; here every one is
    taken, which is what draws tend to.

    *What biases it.* Where maps are noisy, negative :math:`b` count as 0 and an index of exactly 1
    becomes common, so that few events read as drift: look at the index above its control. With a
    correlation :math:`\rho` of maps without noise the index tends to
    :math:`(1 - \rho) / (1 + \rho)`, .11, .33, 1 for .8, .5, 0: it is not linear in it.
    ``rate_map_correlation_relative`` of :func:`neurodrift.compute_session_drift` estimates
    :math:`\rho` itself, without that bias.

    References
    ----------
    .. [1] Marks and Goard (2021), "Stimulus-dependent representational drift in primary visual
       cortex", Nature Communications 12:5169. https://doi.org/10.1038/s41467-021-25436-3

    Examples
    --------
    >>> import neurodrift as nd
    >>> animals = [
    ...     nd.testing.linear_track(n_units=30, n_sessions=2, drift=drift) for drift in (0.0, 0.6)
    ... ]
    >>> found = [nd.compute_drift_index(animal) for animal in animals]
    >>> [one["drift_index_above_control"].values[0, 1].round(1).item() + 0.0 for one in found]
    [0.0, 0.2]
    """
    check(recording)
    expect_choice("within", within, ("both", "first"))
    recording = only_registered(recording)
    order = np.argsort(recording["unit"].values.astype(str), kind="stable")
    recording = recording.isel(unit=order)  # sums are the same in any order of the units
    chosen, number, n_parts = cut_sessions(recording, split, N_PARTS)
    sessions = _sessions(recording, binning, smoothing, number, n_parts)
    n, n_units = len(sessions), recording.sizes["unit"]
    detected = recording["detected"].transpose("session", "unit").values
    index = np.full((n, n, n_units), np.nan)
    above, population = index.copy(), np.full((n, n), np.nan)
    controls = np.full((n, n_units), np.nan)
    cut = {s: session for s, session in enumerate(sessions) if session is not None}
    if n_parts == 2 * _CONTROL:
        for s, session in cut.items():
            controls[s] = np.where(detected[s], _control(session, n_parts), np.nan)
    for a, b in combinations(cut, 2):
        both, pair = detected[a] & detected[b], (cut[a], cut[b])
        bins = pair[0].halves.known & pair[1].halves.known
        if bins.sum() < _FEWEST_BINS or not both.any():
            continue
        one, other = (session.halves.within(bins) for session in pair)
        index[a, b] = np.where(both, _halves_index(one, other, n_parts, within), np.nan)
        one, other = (session.halves.rate[..., bins] for session in pair)
        population[a, b] = _population_index(one, other, both, n_parts, within)
        bins = pair[0].quarters.known & pair[1].quarters.known
        if bins.sum() >= _FEWEST_BINS and n_parts == 2 * _CONTROL:
            one, other = (session.quarters.within(bins) for session in pair)
            noise = np.mean(controls[[a, b] if within == "both" else [a]], axis=0)
            small = _quarters_index(one, other, n_parts, within)
            above[a, b] = np.where(both, small - noise, np.nan)
    for table in (index, above, population):
        table[np.tril_indices(n, -1)] = table.swapaxes(0, 1)[np.tril_indices(n, -1)]
    found = _labelled(recording, index, above, population, controls, within, chosen, n_parts)
    return found.isel(unit=np.argsort(order, kind="stable"))


@dataclass(eq=False)
class _Maps:
    """Maps (choice, unit, bin) of all choices of some parts of a session."""

    rate: np.ndarray

    @cached_property
    def known(self) -> np.ndarray:
        """(bin) those that every choice has for the units that were recorded."""
        recorded = np.isfinite(self.rate).any(axis=(0, 2))
        here = np.isfinite(self.rate[:, recorded]).all(axis=(0, 1))
        return np.asarray(here & recorded.any())

    @cached_property
    def _own(self) -> np.ndarray:
        return _standardized(self.rate[..., self.known])

    @property
    def enough(self) -> bool:
        """Whether there are bins enough for a correlation."""
        return int(self.known.sum()) >= _FEWEST_BINS

    def within(self, bins: np.ndarray) -> np.ndarray:
        """Standardised maps in some of the known bins."""
        return self._own if (bins == self.known).all() else _standardized(self.rate[..., bins])


@dataclass(frozen=True, eq=False)
class _Session:
    """Maps of all choices of half of the parts, and of two of them."""

    halves: _Maps
    quarters: _Maps


def _sessions(
    recording: xr.Dataset,
    binning: Binning | None,
    smoothing: float,
    number: np.ndarray,
    n_parts: int,
) -> list[_Session | None]:
    """Maps of every session, None where it lacks a part."""
    n_sessions = recording.sizes["session"]
    if n_parts < 2:
        return [None] * n_sessions
    code = xr.DataArray(np.where(number >= 0, number % n_parts, -1), dims="time")
    maps = compute_rate_maps(recording, binning=binning, by=code)
    of = maps["session"].values
    found: list[_Session | None] = []
    for name in recording["session"].values:
        own = maps.isel(segment=np.flatnonzero(of == name))
        seen = own["occupancy"].sum(["direction", "position"]).values > 0
        complete = seen.size == n_parts and bool(seen.all())
        found.append(_maps_of_choices(own, n_parts, smoothing) if complete else None)
    return found


def _maps_of_choices(maps: xr.Dataset, n_parts: int, smoothing: float) -> _Session:
    """Smoothed maps of halves and quarters of the parts of one session."""
    seconds = maps["occupancy"].transpose("segment", "direction", "position").values
    rate = maps["rate"].transpose("segment", "unit", "direction", "position").values
    weighted = np.where(seconds[:, None] > 0, np.nan_to_num(rate) * seconds[:, None], 0.0)
    steps = smoothing_steps(maps, smoothing) if smoothing > 0 else None

    def of(choices: np.ndarray) -> np.ndarray:
        time = np.tensordot(choices, seconds, axes=1)
        total = np.tensordot(choices, weighted, axes=1)
        shown = time[:, None] > 0
        means = np.divide(total, time[:, None], out=np.full(total.shape, np.nan), where=shown)
        dims = ("choice", "unit", "direction", "position")
        array = xr.DataArray(means, dims=dims, coords=_bins(maps))
        if steps is not None:
            weight = None
            if weights_of_bins(maps) is not None:
                weight = xr.DataArray(time, dims=("choice", "direction", "position"))
            array = smooth_by(array, steps, weight).transpose(*dims)
        return np.asarray(array.values).reshape(*total.shape[:2], math.prod(total.shape[2:]))

    return _Session(_Maps(of(_choices(n_parts, n_parts // 2))), _Maps(of(_choices(n_parts, 2))))


def _bins(maps: xr.Dataset) -> dict[str, xr.Variable]:
    return {
        str(name): coord.variable
        for name, coord in maps.coords.items()
        if coord.dims == ("position",)
    }


def _choices(n_parts: int, size: int) -> np.ndarray:
    """(choice, part) 1 for the chosen parts, in lexical order."""
    chosen = list(combinations(range(n_parts), size))
    found = np.zeros((len(chosen), n_parts))
    for row, parts in zip(found, chosen, strict=True):
        row[list(parts)] = 1.0
    return found


def _halvings(n_parts: int) -> np.ndarray:
    """(division, 2) rows of :func:`_choices` that are the halves of each division."""
    n = len(list(combinations(range(n_parts), n_parts // 2)))
    return np.column_stack([np.arange(n // 2), n - 1 - np.arange(n // 2)])


def _divisions(n_parts: int) -> np.ndarray:
    """(division, 4) rows of the quarters of eight parts: two of one half, two of the other."""
    pairs = list(combinations(range(n_parts), 2))
    at = {pair: i for i, pair in enumerate(pairs)}
    rows = []
    for four in combinations(range(n_parts), _CONTROL):
        other = tuple(part for part in range(n_parts) if part not in four)
        if four > other:
            continue
        for i in range(1, _CONTROL):
            halves = []
            for parts in (four, other):
                one = (parts[0], parts[i])
                rest = [part for part in parts if part not in one]
                halves += [at[one], at[rest[0], rest[1]]]
            rows.append(halves)
    return np.array(rows)


def _standardized(maps: np.ndarray) -> np.ndarray:
    """Deviations of length 1 along the last axis, NaN for flat maps."""
    apart = maps - maps.mean(axis=-1, keepdims=True)
    size = np.sqrt((apart**2).sum(axis=-1, keepdims=True))
    flat = size <= 1e-12 * np.abs(maps).max(axis=-1, keepdims=True, initial=0.0)
    return np.asarray(apart / np.where(flat | (size == 0), np.nan, size))


def _index(w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The index of correlations (division, ...) within and between."""
    known = np.isfinite(w) & np.isfinite(b)
    number = known.sum(axis=0)
    means = []
    for values in (w, b):
        total = np.where(known, np.maximum(values, 0.0), 0.0).sum(axis=0)
        means.append(np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0))
    inside, between = np.where(means[0] <= 0, _FLOOR, means[0]), means[1]
    return np.asarray((inside - between) / (inside + between))


def _control(session: _Session, n_parts: int) -> np.ndarray:
    """(unit) index of halves of a session as if they were two sessions."""
    if not session.quarters.enough:
        return np.full(session.quarters.rate.shape[1], np.nan)
    maps = session.quarters.within(session.quarters.known)
    c = _products(maps, maps)
    a1, a2, b1, b2 = _divisions(n_parts).T
    return _index((c[a1, a2] + c[b1, b2]) / 2, (c[a1, b2] + c[a2, b1]) / 2)


def _products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(choice, choice, unit) correlations of standardised maps (choice, unit, bin)."""
    left, right = np.moveaxis(a, 1, 0), np.moveaxis(b, 1, 0)
    return np.moveaxis(left @ right.swapaxes(1, 2), 0, 2)


def _halves_index(a: np.ndarray, b: np.ndarray, n_parts: int, within: str) -> np.ndarray:
    """(unit) index of standardised maps (choice, unit, bin) of all halves of two sessions."""
    one, other = _halvings(n_parts).T

    def c(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return np.einsum("cub,cub->cu", left, right)

    w = c(a[one], a[other])
    if within == "both":
        w = (w + c(b[one], b[other])) / 2
    return _index(w, (c(a[one], b[other]) + c(a[other], b[one])) / 2)


def _quarters_index(a: np.ndarray, b: np.ndarray, n_parts: int, within: str) -> np.ndarray:
    """(unit) the same from as little data as the control has."""
    one, other, *_ = _divisions(n_parts).T
    w = _products(a, a)[one, other]
    if within == "both":
        w = (w + _products(b, b)[one, other]) / 2
    across = _products(a, b)
    return _index(w, (across[one, other] + across[other, one]) / 2)


def _population_index(
    a: np.ndarray, b: np.ndarray, both: np.ndarray, n_parts: int, within: str
) -> float:
    """The index of the maps (choice, unit, bin) of all units laid end to end."""
    one, other = (_standardized(maps[:, both].reshape(len(maps), 1, -1)) for maps in (a, b))
    return float(_halves_index(one, other, n_parts, within)[0])


def _means(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean over units without NaN, and how many there are."""
    number = np.isfinite(values).sum(axis=-1)
    total = np.nansum(values, axis=-1)
    return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0), number


def _labelled(
    recording: xr.Dataset,
    index: np.ndarray,
    above: np.ndarray,
    population: np.ndarray,
    controls: np.ndarray,
    within: str,
    split: str,
    n_parts: int,
) -> xr.Dataset:
    n = index.shape[0]
    noise, _ = _means(controls)
    control = noise[:, None] + np.zeros(n)
    if within == "both":
        control = (noise[:, None] + noise[None, :]) / 2
    for s in range(n):
        index[s, s] = controls[s]
    mean, number = _means(index)
    higher, _ = _means(above)
    higher[np.diag_indices(n)] = np.where(np.isfinite(noise), 0.0, np.nan)
    names = recording["session"].values
    coords = {"session_a": names, "session_b": names, **carry_coords(recording, "unit")}
    coords |= lag_coords(recording, _PAIR, np.arange(n))
    found = xr.Dataset(
        {
            "drift_index": (_PAIR, mean),
            "drift_index_n": (_PAIR, number),
            "drift_index_control": (_PAIR, control),
            "drift_index_above_control": (_PAIR, higher),
            "population_drift_index": (_PAIR, population),
            "unit_drift_index": ((*_PAIR, "unit"), index),
        },
        coords=coords,
        attrs={"within": within, "split": split, "n_parts": n_parts},
    )
    return label(found, DRIFT_INDEX)
