"""Measures of sessions on an equal footing: means over random draws, and their spread."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords, lag_coords, registered_units
from neurodrift.analysis._sharing import shareable
from neurodrift.analysis.drift.attenuation import compute_relative_overlap
from neurodrift.analysis.drift.ceiling import compute_half_maps, finest_split
from neurodrift.analysis.drift.drift import compute_relative_drift
from neurodrift.analysis.footing.active import fraction_active_at_equal_events
from neurodrift.analysis.footing.matching import Match, Matching
from neurodrift.analysis.information.cross_fitted import compute_cross_fitted_information
from neurodrift.analysis.maps.binning import Binning, as_binning
from neurodrift.analysis.maps.sparsity import compute_sparsity
from neurodrift.analysis.place_cells._behaviour import AnyNull
from neurodrift.analysis.place_cells._directions import Combine
from neurodrift.analysis.place_cells.place_cells import detect_place_cells
from neurodrift.schema import COUNT_KINDS, label
from neurodrift.schema.kinds import allows
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import MATCHED

_PAIR = ("session_a", "session_b")
_TESTS_IN = 5  # one draw of so many is tested; a test takes longer than all else together


@checked_options
def compute_matched_measures(
    recording: xr.Dataset,
    *,
    match: Match = "events",
    binning: Binning | None = None,
    smoothing: float | None = None,
    min_events: int = 5,
    alpha: float = 0.05,
    null: AnyNull = "auto",
    combine: Combine = "bonferroni",
    n_repeats: int = 100,
    n_draws: int = 20,
    seed: int = 0,
) -> xr.Dataset:
    r"""Place cells, information, active units and drift of sessions on an equal footing.

    The estimand of each measure is what it would be, had every session been as poor as the poorest:
    a trend that remains is none of how much was recorded. Its level means little, since with fewer
    events fewer place cells are found.

    Parameters
    ----------
    recording
        A recording with a position; NumPy or Dask.
    match
        What is made equal, see :func:`match_sessions`. With equal events a unit is as active in
        every session, so that with ``"events"`` the share of active units is of equal time.
    binning, min_events, alpha, null, combine
        As for :func:`neurodrift.detect_place_cells`.
    smoothing
        Of maps that are correlated [cm]; the width of a bin when omitted.
    n_repeats
        Moved copies of each map behind the information, over all draws that are tested.
    n_draws
        Random draws that correlations are averaged over. Place cells and information, whose tests
        take long, are of a fifth of them, and active units beside equal events, too.
    seed
        Seed of every random stream.

    Returns
    -------
    xarray.Dataset
        Means over draws, each with ``_sd``, their standard deviation. Over session:
        ``n_place_cells``, ``fraction_place_cells`` (of the units that are kept and detected; where
        each session was searched for cells by itself of the registered ones, but not with equal
        events), ``information`` and ``information_population`` [bit/event] as by
        :func:`neurodrift.compute_cross_fitted_information`, ``fraction_active_units`` (with equal
        events at equal time, and with as many events a cell:
        :func:`~neurodrift.analysis.footing.active.fraction_active_at_equal_events`) and
        ``active_fraction`` (not with equal events, which it counts), as far as the kind of activity
        has them, and ``n_units``. Over
        (session_a, session_b): the ``_relative`` correlations of
        :func:`neurodrift.compute_session_drift`, of ensemble rates none with equal events, and
        ``place_cell_overlap_relative``, which needs equal events where rates change.
        ``n_units_left_out`` have fewer than ten events in some session. NaN in sessions without a
        frame that counts, and everywhere if no unit has enough events.

    Raises
    ------
    ValueError
        As for :func:`match_sessions`.

    Notes
    -----
    A draw is a random part of what a session has, so that draws differ by the choice alone; their
    spread says how far the mean over them is from the mean over all parts
    (:math:`sd / \sqrt{n}`), and not how sure a session's value is. The events of the poorest
    session are the same in every draw.

    Measured (``benchmarks/footing.py``; slope a session with its standard error, 4 recordings of 6
    sessions with constant tuning, as recorded and on an equal footing): while events fall from 72
    to 9 a map, place cells -.026 (.005) and .003 (.002; 14 recordings), information -.050 (.011)
    and -.020 (.019) bit; while minutes fall from 12 to 3, place cells -.012 (.004) and .003 (.003);
    while one half of the track is avoided more and more, information of all maps -.015 (.004) and
    -.001 (.003) bit, and the correlation of maps without noise -.035 (.006) and -.002 (.001) a
    session of lag.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.footing.measures import compute_matched_measures
    >>> recording = testing.linear_track(n_units=10, n_sessions=3, minutes=2)
    >>> matched = compute_matched_measures(recording, n_draws=5, n_repeats=10)
    >>> matched["fraction_place_cells"].dims, matched.attrs["match"]
    (('session',), 'events')
    """
    binning = as_binning(binning)
    smoothing = binning.smoothing_or_default(smoothing)
    options: dict[str, Any] = {"binning": binning, "seed": seed}
    matching = Matching(recording, match=match, **options)
    timing = Matching(recording, match="time", **options) if match == "events" else matching
    n_sessions = recording.sizes["session"]
    split = finest_split(recording)
    n_tested = -(-n_draws // _TESTS_IN)
    draws: dict[str, list[np.ndarray]] = {}

    def keep(name: str, values: xr.DataArray) -> None:
        draws.setdefault(name, []).append(np.asarray(values.values, dtype=float))

    registered = matching.recording
    for d in range(n_draws):
        if allows(recording, "events") and (timing is matching or d < n_tested):
            sparsity = compute_sparsity(timing.draw(d)).compute()
            if match == "events":
                silent = recording.attrs.get("detection") == "each_session"
                of = registered_units(recording) & sparsity["n_detected"].astype(bool)
                of = of if silent else recording["detected"]
                keep("fraction_active_units", fraction_active_at_equal_events(sparsity, of))
            else:
                for name in ("fraction_active_units", "active_fraction"):
                    keep(name, sparsity[name])
        if not registered.sizes["unit"]:
            continue
        one = matching.draw(d)
        drift = _drift_of(one, binning, smoothing, split)
        drift = drift.reindex(dict.fromkeys(_PAIR, recording["session"].values))
        for key, values in drift.items():
            if not (match == "events" and str(key).startswith("ensemble")):
                keep(str(key), values)
        if d >= n_tested:
            continue
        cells = detect_place_cells(
            one,
            binning=binning,
            alpha=alpha,
            min_events=min_events,
            null=null,
            combine=combine,
            seed=seed,
        ).compute()
        is_place = cells["is_place_cell"]
        keep("n_place_cells", is_place.sum("unit"))
        counted = one["detected"]
        # what is not detected was silent; with equal events no unit is more silent than another
        if match != "events" and recording.attrs.get("detection") == "each_session":
            counted = registered_units(one) & xr.ones_like(counted)
        n_units = counted.sum("unit")
        found = (is_place & counted.drop_vars(counted.coords)).sum("unit")
        keep("fraction_place_cells", found / n_units.where(n_units > 0))
        if allows(recording, "information"):
            cross = compute_cross_fitted_information(
                one,
                binning=binning,
                min_events=min_events,
                alpha=alpha,
                null=null,
                n_repeats=-(-n_repeats // n_tested),
                seed=seed,
            ).compute()
            keep("information", cross["information"])
            keep("information_population", cross["population"])
            overlap = compute_relative_overlap(
                cross["chosen"], chance=alpha, tested=cross["tested"]
            )
            keep("place_cell_overlap_relative", overlap["overlap"])

    known = {name: _mean_and_sd(np.array(values)) for name, values in draws.items()}
    variables: dict[str, Any] = {}
    for name, var in MATCHED.items():
        if name in known:
            dims = ("session",) if var.dims == ("session",) else _PAIR
            mean, sd = known[name]
            if dims == ("session",):
                mean, sd = (np.where(matching.used, v, np.nan) for v in (mean, sd))
            variables[name], variables[f"{name}_sd"] = (dims, mean), (dims, sd)
    detected = registered["detected"].values
    variables["n_units"] = ("session", detected.sum(axis=1))
    variables["n_units_left_out"] = ((), matching.n_left_out)
    labels = recording["session"].values
    coords = carry_coords(recording, "session") | dict(zip(_PAIR, [labels] * 2, strict=True))
    coords |= lag_coords(recording, _PAIR, np.arange(n_sessions))
    result = label(xr.Dataset(variables, coords=coords), MATCHED)
    result.attrs = {
        "match": match,
        "n_draws": n_draws,
        "n_units": registered.sizes["unit"],
        "n_draws_tested": n_tested,
        "min_events": min_events,
        "alpha": alpha,
        "binning": binning.to_json(),
        "smoothing": smoothing,
        "seed": seed,
    }
    return result


def footing_of(recording: xr.Dataset) -> Match:
    """What is made equal where nothing else is asked for: events, or time where there are none.

    Parameters
    ----------
    recording
        A recording.

    Returns
    -------
    str
        ``"events"`` or ``"time"``.
    """
    return "events" if recording["activity"].attrs["kind"] in COUNT_KINDS else "time"


def _mean_and_sd(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Over the first axis, of the values that there are."""
    known = np.isfinite(values)
    n = known.sum(axis=0)
    some = np.where(known, values, 0.0)
    mean = np.divide(some.sum(axis=0), n, out=np.full(n.shape, np.nan), where=n > 0)
    apart = np.where(known, values - mean, 0.0)
    square = (apart**2).sum(axis=0)
    return mean, np.sqrt(np.divide(square, n - 1, out=np.full(n.shape, np.nan), where=n > 1))


@shareable
def _drift_of(
    one: xr.Dataset, binning: Binning, smoothing: float, split: Literal["trial", "lap", "block"]
) -> xr.Dataset:
    """Drift of one draw, relative to the halves of its sessions."""
    halves = compute_half_maps(one, binning=binning, smoothing=smoothing, split=split)
    return compute_relative_drift(halves.compute()).compute()
