"""Information of place cells without the gain of having been chosen for it."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords
from neurodrift.analysis._sharing import shareable
from neurodrift.analysis.information.parts import Parts, cut_in_parts, part_curves
from neurodrift.analysis.maps.binning import Binning, as_binning, bin_frames
from neurodrift.analysis.place_cells._behaviour import AnyNull
from neurodrift.analysis.place_cells._tests import shuffle_tests
from neurodrift.analysis.place_cells.place_cells import information_model
from neurodrift.schema import check, label
from neurodrift.schema.kinds import expect_kind
from neurodrift.schema.objects import expect_choice
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import CROSS_FITTED

_COPIES_BEYOND = 5  # moved copies of a map that lie beyond alpha by chance
_MOST_COPIES = 999


@checked_options
@shareable
def compute_cross_fitted_information(
    recording: xr.Dataset,
    *,
    binning: Binning | None = None,
    parts: Parts = "auto",
    block: float = 30.0,
    min_events: int = 5,
    alpha: float = 0.05,
    null: AnyNull = "auto",
    n_repeats: int = 100,
    seed: int = 0,
) -> xr.Dataset:
    r"""Information of a session's place cells, chosen on one half and estimated on the other.

    The estimand is the mean spatial information [bit/event] of the maps (units in a running
    direction) that the test of place cells finds in half a session. The mean over maps that were
    chosen on the same data is larger, the more so the fewer events they have: a map is chosen
    because chance made its information large (the winner's curse). Beside it stands the mean over
    all maps with enough events, of which none is chosen.

    Parameters
    ----------
    recording
        A recording with a position; NumPy or Dask. Activity must not be negative.
    binning
        Position bins and the frames that count; the defaults of :class:`Binning` when omitted.
    parts
        What a session is cut at: every second ``"lap"``, ``"trial"`` or ``"block"`` is in the same
        half. ``"auto"``: laps if 80 % of the frames that count lie in one, in sessions and
        directions that have eight or more, otherwise trials likewise, otherwise blocks.
    block
        Length of a block of the frames that count, laid end to end [s], and of an eighth of them
        at most. It should be longer than activity lasts.
    min_events
        Fewest events of a map, in each half to be chosen and estimated, in both together to be one
        of the population; for kinds other than spikes and events, fewest frames with activity.
    alpha
        Level of the test of :func:`neurodrift.detect_place_cells` in each half.
    null
        Its null; ``"auto"`` fits the behaviour there, so that neither running speed nor a steady
        pace decides who is chosen. Where it is sampled, there are copies for five beyond `alpha`,
        and 999 at most.
    n_repeats
        Moved copies of each map's activity, and random pairs of halves of the parts.
    seed
        Seed of these. Every unit, session, direction and half has a random stream of its own.

    Returns
    -------
    xarray.Dataset
        Over session: ``information`` [bit/event] with ``information_se``, its standard error over
        units, and ``n_chosen``, the maps in it (those of both halves). ``population`` with
        ``population_se`` and ``n_population`` are of all maps. Over (session, half, unit,
        direction): ``chosen``, by the test on that half, and ``tested``. Over (session, half):
        ``n_chosen_in``, the maps chosen there which the other half could estimate. NaN where
        nothing is chosen or a session has fewer than two parts in a half; a standard error needs
        two units.

    Raises
    ------
    ValueError
        If there is no position, `parts` are missing, or activity is negative or has no bits.

    Notes
    -----
    Both are scaled shuffle reductions [1]_ of means over the maps that enter, so that noise of
    single maps is in no denominator,

    .. math::
        I = \bar I^G - \bar S^G \frac{\bar I_{1/2} - \bar I_1}{\bar S_{1/2} - \bar S_1} .

    :math:`I_f` is naive information in a fraction f of the parts, :math:`S_f` that of moved
    activity, and :math:`I^G, S^G` those of all parts with the entropy of Grassberger [2]_ in place
    of the plain one, which has less bias to be reduced. Activity that is no count has
    :math:`(\sum a)^2 / \sum a^2` events.

    Samples are of whole parts and activity is moved as a whole, so that activity that lasts for
    many frames leaves nothing: each part's along the part where parts visit most of the bins,
    otherwise all along the session. The published estimator,
    :func:`neurodrift.compute_spatial_information`, takes frames as independent. The standard error
    is the jackknife over units; it is of other cells in the same behaviour.

    Measured (``benchmarks/calibration_information.py``, 12 recordings a row, standard errors in
    brackets), expected events of a map 72, 36, 18 and 9, of which each half has half. Tuning of
    .050 bit gives .03 (.01), .09 (.02), .03 (.05), .23 (.15), where the published mean gives .21,
    .37, .61, .94; maps without tuning 0 within some two errors, also at 6 frames an event. Of .371
    bit it gives .39 (.01), .42 (.02), .38 (.04), .28 (.10), of 1.154 bit 1.20 (.01), 1.20 (.01),
    1.09 (.02), .91 (.06): tuned maps keep a bias, from 4 to 12 % too large with 18 or 36 events
    in a half to a quarter too small with five. ``population`` is up to 12 % too large at 18 events,
    8 % too small at nine; at nine events of 6 frames maps without tuning have .02 (.01) bit.

    What remains is a change of who is chosen: with fewer events the test finds the strongly tuned
    maps only, whose information is larger. Read ``population`` beside; it is lower, since it holds
    maps without tuning, and nobody is chosen.

    References
    ----------
    .. [1] Sheintuch et al. (2022), PLoS Comput Biol.
       https://doi.org/10.1371/journal.pcbi.1009832
    .. [2] Grassberger (2003), Entropy estimates from insufficient samplings.
       https://doi.org/10.48550/arXiv.physics/0307138

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.information.cross_fitted import compute_cross_fitted_information
    >>> recording = testing.linear_track(n_units=20, n_sessions=2, minutes=10)
    >>> found = compute_cross_fitted_information(recording)
    >>> found["information"].dims, found.attrs["parts"]
    (('session',), 'lap')
    """
    expect_choice("parts", parts, ("auto", "lap", "trial", "block"))
    expect_choice("null", null, get_args(AnyNull))
    check(recording)
    expect_kind(recording, "information", "cross-fitted spatial information [bit/event]")
    if block <= 0 or n_repeats < 1:
        raise ValueError(f"block is {block} s and n_repeats {n_repeats}, expected more than 0")
    binning = as_binning(binning)
    frames = bin_frames(recording, binning)
    part, name = cut_in_parts(recording, frames, parts, block)
    tests = []
    for half in (0, 1):
        tested = shuffle_tests(
            recording,
            _only(frames, (part >= 0) & (part % 2 == half)),
            "session",
            information_model(frames),
            null=null,
            n_repeats=min(math.ceil(_COPIES_BEYOND / alpha) - 1, _MOST_COPIES),
            min_shift=0.0,
            block=1.0,
            min_events=max(min_events, 1),
            seed=seed,
        )
        tests.append(tested[["p", "n_events"]].drop_vars(["unit", "session"]))
    n_events = [test["n_events"].fillna(0.0) for test in tests]
    chosen = [test["p"] < alpha for test in tests]
    curves, entered = [], []
    for half in (0, 1):  # of the half, those that the other one chose
        entered.append(chosen[1 - half] & (n_events[half] >= max(min_events, 1)))
        curves.append(
            part_curves(
                recording,
                _only(frames, (part >= 0) & (part % 2 == half)),
                np.where(part % 2 == half, part, -1),
                entered[-1],
                purpose=f"cross-fitted {half}",
                n_repeats=n_repeats,
                seed=seed,
            )
        )
    everyone = n_events[0] + n_events[1] >= max(min_events, 1)
    of_all = part_curves(
        recording,
        _only(frames, part >= 0),
        part,
        everyone,
        purpose="population",
        n_repeats=n_repeats,
        seed=seed,
    )
    result = xr.Dataset()
    pooled = {
        "information": _pooled(xr.concat(curves, dim="half")),
        "population": _pooled(of_all.expand_dims("half")),
    }
    for key, values in pooled.items():
        result[key], result[f"{key}_se"] = values.isel(value=0), values.isel(value=1)
        count = "n_chosen" if key == "information" else "n_population"
        result[count] = values.isel(value=2).astype(np.int64)
    halves = xr.concat(chosen, dim="half")
    estimated = [curves[1 - half].isel(curve=0, sample=-1).notnull() for half in (0, 1)]
    result["n_chosen_in"] = xr.concat(
        [some.sum(("unit", "direction")) for some in estimated], dim="half"
    ).transpose("session", "half")
    result["chosen"] = halves.transpose("session", "half", "unit", "direction")
    could = xr.concat([test["p"].notnull() for test in tests], dim="half")
    result["tested"] = could.transpose("session", "half", "unit", "direction")
    coords = carry_coords(recording, "session", "unit")
    coords |= {n: frames[n].variable for n in ("direction", "trial_type") if n in frames.coords}
    result = result.assign_coords(coords)
    result = label(result.assign_coords(half=[0, 1]), CROSS_FITTED)
    result.attrs = {
        "activity_kind": recording["activity"].attrs["kind"],
        "binning": frames.attrs["binning"],
        "parts": name,
        "block": block,
        "min_events": min_events,
        "alpha": alpha,
        "n_repeats": n_repeats,
        "seed": seed,
    }
    return result


def _only(frames: xr.Dataset, kept: np.ndarray) -> xr.Dataset:
    """Frames that count, fewer of them."""
    counting = xr.DataArray(kept, dims="time")
    return frames.assign(
        {name: frames[name].where(counting, -1) for name in ("position_bin", "direction_bin")}
    )


def _pooled(curves: xr.DataArray) -> xr.DataArray:
    """Estimate, standard error and number of maps (session, value) of all maps with curves."""
    if curves.chunks is not None:
        curves = curves.chunk({"unit": -1, "half": -1})
    return xr.apply_ufunc(
        _of_mean_curve,
        curves,
        input_core_dims=[["half", "unit", "direction", "curve", "sample"]],
        output_core_dims=[["value"]],
        vectorize=True,
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"output_sizes": {"value": 3}},
    )


def _of_mean_curve(curves: np.ndarray) -> np.ndarray:
    """Information from the mean of curves (half, unit, direction, curve, sample).

    Sums are exact, and so the same in any order of units.
    """
    there = np.isfinite(curves).all(axis=(-2, -1))
    known = np.where(there[..., None, None], curves, 0.0)
    n_units = curves.shape[1]
    by_unit = np.array(
        [
            [math.fsum(values) for values in known[:, u].reshape(-1, 6).T.tolist()]
            for u in range(n_units)
        ]
    ).reshape(n_units, 6)
    number = there.sum(axis=(0, 2))
    n = int(number.sum())
    if n == 0:
        return np.array([np.nan, np.nan, 0.0])
    total = np.array([math.fsum(values) for values in by_unit.T.tolist()])
    estimate = mean_information(total / n)
    some = np.flatnonzero(number)
    if some.size < 2:
        return np.array([estimate, np.nan, n])
    without = np.array([mean_information((total - by_unit[u]) / (n - number[u])) for u in some])
    mean = math.fsum(without) / some.size
    spread = math.fsum((without - mean) ** 2) * (some.size - 1) / some.size
    return np.array([estimate, math.sqrt(spread), n])


def mean_information(mean: np.ndarray) -> float:
    """Scaled shuffle reduction of mean curves (curve, sample).

    Parameters
    ----------
    mean
        From :func:`neurodrift.analysis.information.parts.part_curves`.

    Returns
    -------
    float
        Information [bit/event].
    """
    (in_half, naive, found), (moved_in_half, moved, moved_found) = mean.reshape(2, 3)
    if moved == moved_in_half:  # a single position: nothing to be reduced
        return float(found)
    return float(found - moved_found * (in_half - naive) / (moved_in_half - moved))
