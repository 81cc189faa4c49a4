"""Information about position in the activity of each unit, corrected for limited sampling."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Literal, get_args

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords, node_of
from neurodrift.analysis.information import bias as _bias
from neurodrift.analysis.information.bias import Correction
from neurodrift.analysis.information.curves import (
    Responses,
    Sampling,
    active_frames,
    chosen_units,
    mean_over_units,
    mutual_curves,
    session_curves,
    spatial_curves,
)
from neurodrift.analysis.information.lasting import (
    Subsample,
    information_from_parts,
    lasts,
    measure_lasting,
)
from neurodrift.analysis.maps.binning import Binning, as_binning, bin_frames
from neurodrift.recording import slice_sessions, total
from neurodrift.schema import COUNT_KINDS, check, label
from neurodrift.schema.kinds import expect_kind, expect_kind_of
from neurodrift.schema.objects import expect_array, expect_dataset, names_in
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import INFORMATION, INFORMATIVE, PLACE_CELLS

Measure = Literal["bit/event", "bit/s"]

FRACTIONS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Sample sizes of the published procedure, as fractions of the frames."""

_UNITS = {"bit/event": "bit/event", "bit/s": "bit/s"}
_PURE = ("ssr_stability", "bae_r2", "frames_per_event")


@checked_options
def compute_spatial_information(
    recording: xr.Dataset,
    *,
    binning: Binning | None = None,
    measure: Measure = "bit/event",
    corrections: Sequence[Correction] | Correction = ("ssr", "bae"),
    fractions: Sequence[float] = FRACTIONS,
    n_repeats: int = 500,
    min_active_frames: int = 10,
    population: xr.DataArray | None = None,
    keep_curves: bool = False,
    subsample: Subsample = "auto",
    block: float = 30.0,
    seed: int = 0,
) -> xr.Dataset:
    r"""Spatial information of each unit and of the population, naive and corrected.

    Parameters
    ----------
    recording
        A recording with a position; NumPy or Dask. Activity must not be negative.
    binning
        Position bins and the frames that count; the defaults of :class:`Binning` when omitted.
        Maps are not smoothed.
    measure
        ``"bit/event"`` [2]_, or ``"bit/s"``, which is that times the mean activity per second.
    corrections
        Any of ``"sr"`` (shuffle reduction), ``"ssr"`` (scaled shuffle reduction), ``"ae"`` and
        ``"bae"`` (asymptotic extrapolation, unbounded and bounded in its rise); ``"none"`` for
        the naive value alone.
    fractions
        Sample sizes as increasing fractions of the frames, at least four, the last one 1.
    n_repeats
        Repetitions of the whole sample; a fraction f is drawn ``n_repeats / f`` times.
    min_active_frames
        Units active in fewer frames of a session and direction get a naive value, no others.
    population
        (session, unit, direction), or fewer of these dimensions: units that make up the
        population, for example place cells. All with enough active frames when omitted; units
        without are left out in any case.
    keep_curves
        Whether to return the curves against sample size as well.
    subsample
        What is drawn for ``ssr_parts``, which comes beside the published corrections if ``"ssr"``
        is among them and information is in bit/event. ``"laps"`` and ``"blocks"``: whole laps
        (trials where there are no laps), or blocks of time. ``"auto"``: one of these, in the
        sessions and directions where activity lasts: the mean ``frames_per_event`` over units is
        above 1.1. ``"frames"``: the published corrections alone, which draw frames.
    block
        Longest block [s]; it should be longer than activity lasts.
    seed
        Seed of the subsamples and shuffles. All units of a session and direction share them.

    Returns
    -------
    xarray.Dataset
        Over (session, unit, direction): ``naive``, ``sr``, ``ssr``, ``ssr_stability``, ``ae``,
        ``bae``, ``bae_r2`` as asked for, ``active_frames``, and with `subsample`
        ``frames_per_event``, how many frames an independent event lasts, and ``ssr_parts``, the
        SSR where frames are not independent. Over (session, direction): the
        same names with ``population_`` before them, and ``population_units``, the number of
        units in it. With `keep_curves`: ``naive_curve``, ``shuffle_curve`` and their
        ``population_`` forms, also over ``fraction``.

        NaN: units not detected; silent units in bit/event (in bit/s their naive value is 0);
        directions without a frame; corrections where the smallest fraction has no frame, the
        unit too few active frames, or the formula no value (an extrapolation without a start).

    Raises
    ------
    ValueError
        If there is no position, a session has no frame that passes, an argument is out of
        range, or activity is negative.

    Notes
    -----
    With occupancy :math:`p_s`, activity :math:`r_s` and its mean :math:`\bar r`,

    .. math:: I = \sum_s p_s \frac{r_s}{\bar r} \log_2 \frac{r_s}{\bar r} .

    Few events make it too large. The naive curve :math:`I_f` and the curve :math:`S_f` of
    shuffled activity are means over random subsamples of a fraction f of the frames. With
    :math:`t_1` the smallest fraction [1]_:

    .. math::
        SR = I_1 - S_1, \quad
        SSR = I_1 - S_1 \frac{I_{t_1} - I_1}{S_{t_1} - S_1}, \quad
        I_f \approx a + \frac{b}{1 + c f} \; (BAE), \quad
        I_f \approx a + \frac{b}{f} + \frac{c}{f^2} \; (AE),

    the last two by least squares with :math:`a, b, c \ge 0`, a being the estimate. Shuffles
    permute the frames of a subsample. For activity of zeros and ones their mean is computed
    exactly, for any other it is sampled. The population's curves are the means of its units'
    curves, so that its SSR is a ratio of averages. For a single visited bin everything is 0.

    Activity that lasts for several frames breaks the assumption that frames are independent: a
    random half of the frames holds almost every event. ``ssr_parts`` is the estimator of
    :func:`neurodrift.compute_cross_fitted_information`, without a choice: half of the laps, and
    activity that is moved as a whole. Means over units should be read from
    ``population_ssr_parts``, as single values are ratios of noisy curves.

    The corrections leave some bias: on Poisson units with about 100 events each and a background
    rate, naive information is 13 % too large, SSR 5 %, BAE 4 %; with 400 events 4, 2 and 0 %.

    Blocks of units of a lazy recording draw the same samples again, each for itself, which takes
    long only for blocks of few units.

    References
    ----------
    .. [1] Sheintuch et al. (2022), PLoS Comput Biol.
       https://doi.org/10.1371/journal.pcbi.1009832
    .. [2] Skaggs et al. (1993), NIPS 5.
       https://papers.nips.cc/paper/1992/hash/5dd9db5e033da9c6fb5ba83c7a7ebea9-Abstract.html

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.information.estimates import compute_spatial_information
    >>> recording = testing.linear_track(n_units=3, n_sessions=1, minutes=4)
    >>> information = compute_spatial_information(recording, n_repeats=20)
    >>> bool((information["ssr"] < information["naive"]).all())
    True
    """
    if measure not in get_args(Measure):
        raise ValueError(f"measure is {measure!r}, expected 'bit/event' or 'bit/s'")
    check(recording)
    expect_kind(recording, "information", f"spatial information [{measure}]")
    asked, sampling = _plan(corrections, fractions, n_repeats, seed)
    frames = bin_frames(recording, as_binning(binning))
    active = active_frames(recording, frames)
    enough = active >= min_active_frames
    curves = session_curves(
        recording, frames, enough, sampling, partial(spatial_curves, per_frame=measure == "bit/s")
    )
    if measure == "bit/s":
        curves = curves / _seconds_per_frame(recording, frames)
    result = _estimates(curves, enough, population, asked, sampling.fractions, keep_curves)
    result, parts = _beside(
        result, recording, frames, enough, population, sampling,
        asked=measure == "bit/event" and "ssr" in asked, subsample=subsample, block=block,
    )  # fmt: skip
    result = _label(
        result.assign(active_frames=active),
        recording,
        frames,
        measure.replace("bits", "bit"),
        sampling,
    )
    return result.assign_attrs(subsample=subsample, parts=parts, block=block)


def _beside(
    result: xr.Dataset,
    recording: xr.Dataset,
    frames: xr.Dataset,
    enough: xr.DataArray,
    population: xr.DataArray | None,
    sampling: Sampling,
    *,
    asked: bool,
    subsample: Subsample,
    block: float,
) -> tuple[xr.Dataset, str]:
    """The published corrections, and what samples of whole parts give beside them."""
    if subsample in ("laps", "blocks") and not asked:
        raise ValueError(
            f"subsample={subsample!r} gives ssr_parts, which needs corrections with 'ssr' and "
            "measure='bit/event'"
        )
    if subsample == "frames" or not asked:
        return result, "frame"
    lasting = measure_lasting(recording, frames, enough)
    wanted = enough & lasts(lasting) if subsample == "auto" else enough
    members = wanted & chosen_units(population, enough)
    found, parts = information_from_parts(
        recording, frames, wanted, members, subsample=subsample, block=block,
        n_repeats=sampling.n_repeats, seed=sampling.seed,
    )  # fmt: skip
    return result.assign({"frames_per_event": lasting, **found.data_vars}), parts


@checked_options
def compute_mutual_information(
    recording: xr.Dataset,
    *,
    binning: Binning | None = None,
    responses: Responses | None = None,
    corrections: Sequence[Correction] | Correction = ("ssr", "bae"),
    fractions: Sequence[float] = FRACTIONS,
    n_repeats: int = 500,
    min_active_frames: int = 10,
    population: xr.DataArray | None = None,
    keep_curves: bool = False,
    seed: int = 0,
) -> xr.Dataset:
    r"""Mutual information of each unit's response and position, naive and corrected.

    Parameters
    ----------
    recording
        A recording with a position; NumPy or Dask. Activity must not be negative, unless it is
        fluorescence.
    binning
        Position bins and the frames that count; the defaults of :class:`Binning` when omitted.
    responses
        What counts as the same response of a unit in a frame. ``"counts"``: equal integers.
        ``"binary"``: active or not. ``"levels"``: the same of eight levels that are equally
        frequent in the unit, session and direction. ``"sheintuch2022"``: the published rule for
        amplitudes, see Notes. When omitted, counts for spikes and events, levels for fluorescence,
        the published rule otherwise.
    corrections, fractions, n_repeats, min_active_frames, population, keep_curves, seed
        As for :func:`compute_spatial_information`.

    Returns
    -------
    xarray.Dataset
        As of :func:`compute_spatial_information`, in bit/frame; a silent unit has naive
        information 0.

    Raises
    ------
    ValueError
        As :func:`compute_spatial_information`; also if responses are counts and activity is not
        whole.

    Notes
    -----
    .. math:: I = H(R) - \sum_s p_s H(R \mid s)

    with plug-in entropies. The published rule [1]_ looks at the activity of all units of a
    session and direction that have enough active frames, anew in every subsample. Whole numbers
    stand for themselves. If the largest value lies between 5 and 20, values are rounded.
    Otherwise zero is one response, and other values go to the nearest of the centres of ten
    logarithmic bins between the smallest and the largest one. It is the default for amplitudes
    because these need some rule and published values follow this one; but a unit's information
    then depends on the other units, and the rule can change between sessions. ``"binary"`` does
    neither, and is the better choice for comparing sessions. Counts need no rule.

    References
    ----------
    .. [1] Sheintuch et al. (2022), PLoS Comput Biol.
       https://doi.org/10.1371/journal.pcbi.1009832

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.information.estimates import compute_mutual_information
    >>> recording = testing.linear_track(n_units=3, n_sessions=1, minutes=4)
    >>> information = compute_mutual_information(recording, responses="binary", corrections="none")
    >>> information["naive"].attrs["units"]
    'bit/frame'
    """
    if responses is None:
        kind = recording["activity"].attrs.get("kind")
        responses = "levels" if kind == "fluorescence" else "sheintuch2022"
        responses = "counts" if kind in COUNT_KINDS else responses
    if responses not in get_args(Responses):
        raise ValueError(
            f"responses is {responses!r}, expected one of {', '.join(get_args(Responses))}"
        )
    asked, sampling = _plan(corrections, fractions, n_repeats, seed)
    frames = bin_frames(recording, as_binning(binning))
    active = active_frames(recording, frames)
    enough = active >= min_active_frames
    levels = responses == "levels"
    counted: Responses = "counts" if levels else responses
    curves = session_curves(
        recording, frames, enough, sampling, partial(mutual_curves, responses=counted),
        pool=responses == "sheintuch2022", levels=levels,
    )  # fmt: skip
    result = _estimates(curves, enough, population, asked, sampling.fractions, keep_curves)
    result = _label(result.assign(active_frames=active), recording, frames, "bit/frame", sampling)
    return result.assign_attrs(responses=responses)


def _seconds_per_frame(recording: xr.Dataset, frames: xr.Dataset) -> xr.Variable:
    """Mean length of the frames that count (session, direction) [s]."""
    durations, direction = recording["frame_duration"].values, frames["direction_bin"].values
    found = np.full((recording.sizes["session"], frames.sizes["direction"]), np.nan)
    for i, where in enumerate(slice_sessions(recording)):
        for d in range(found.shape[1]):
            lasting = durations[where][direction[where] == d]
            if lasting.size:
                found[i, d] = total(lasting) / lasting.size
    return xr.Variable(("session", "direction"), found)


def compute_spatial_information_from_maps(
    rate: xr.DataArray, occupancy: xr.DataArray, *, measure: Measure = "bit/event"
) -> xr.DataArray:
    r"""Naive spatial information of rate maps.

    Parameters
    ----------
    rate
        (..., position) activity per second or frame, not negative; NaN where not visited.
    occupancy
        (..., position) time in each bin, in any unit.
    measure
        ``"bit/event"``, or ``"bit/s"``, which needs rates per second.

    Returns
    -------
    xarray.DataArray
        Information; NaN without a visited bin, and in bit/event for silent units.

    Notes
    -----
    .. math:: I = \sum_s p_s \frac{r_s}{\bar r} \log_2 \frac{r_s}{\bar r}

    over visited bins, and that times :math:`\bar r` in bit/s [1]_.

    References
    ----------
    .. [1] Skaggs et al. (1993), NIPS 5.
       https://papers.nips.cc/paper/1992/hash/5dd9db5e033da9c6fb5ba83c7a7ebea9-Abstract.html

    Examples
    --------
    >>> import xarray as xr
    >>> from neurodrift.analysis.information.estimates import compute_spatial_information_from_maps
    >>> rate = xr.DataArray([0.0, 0.0, 4.0, 0.0], dims="position")
    >>> float(compute_spatial_information_from_maps(rate, xr.ones_like(rate)))
    2.0
    """
    if measure not in get_args(Measure):
        raise ValueError(f"measure is {measure!r}, expected 'bit/event' or 'bit/s'")
    expect_array("rate", rate, ["position"], "rate maps")
    expect_array("occupancy", occupancy, ["position"], "their occupancy")
    beside = sorted(map(str, set(occupancy.dims) - set(rate.dims)))
    if beside or "unit" in occupancy.dims:
        raise ValueError(
            f"occupancy has dims {tuple(map(str, occupancy.dims))}, those of rate are "
            f"{tuple(map(str, rate.dims))}: rate comes first, then the time in each bin"
        )
    information = xr.apply_ufunc(
        _skaggs,
        rate,
        occupancy,
        input_core_dims=[["position"], ["position"]],
        kwargs={"per_second": measure == "bit/s"},
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"allow_rechunk": True},
    )
    return information.assign_attrs(units=_UNITS[measure], long_name=INFORMATION["naive"].doc)


def _skaggs(rate: np.ndarray, occupancy: np.ndarray, per_second: bool) -> np.ndarray:
    visited = np.isfinite(rate) & (occupancy > 0)
    time = np.where(visited, occupancy, 0.0)
    rate = np.where(visited, rate, 0.0)
    if (rate < 0).any():
        raise ValueError("rate is negative; spatial information needs rates of 0 or more")
    with np.errstate(invalid="ignore", divide="ignore"):
        p = time / _bias.sum_in_order(time)[..., None]
        mean = _bias.sum_in_order(p * rate)
        ratio = rate / mean[..., None]
        information = _bias.sum_in_order(p * ratio * np.log2(np.where(rate > 0, ratio, 1.0)))
        if per_second:
            information = np.where(mean == 0, 0.0, information * mean)
    return np.asarray(information)


def _plan(
    corrections: Sequence[Correction] | Correction,
    fractions: Sequence[float],
    n_repeats: int,
    seed: int,
) -> tuple[tuple[Correction, ...], Sampling]:
    listed = [corrections] if isinstance(corrections, str) else names_in("corrections", corrections)
    asked = tuple(listed)
    if np.ndim(fractions) != 1:
        raise TypeError(
            f"fractions is {fractions!r}, expected four or more numbers, the last one 1"
        )
    unknown = [repr(name) for name in asked if name not in get_args(Correction)]
    if unknown:
        raise ValueError(
            f"unknown corrections {', '.join(unknown)}; expected any of "
            f"{', '.join(get_args(Correction))}"
        )
    last = len(fractions) - 1
    shuffled = range(len(fractions)) if "ssr" in asked else [last] if "sr" in asked else []
    return asked, Sampling(
        fractions=tuple(float(f) for f in fractions),
        n_repeats=n_repeats,
        seed=seed,
        subsampled=bool({"ssr", "ae", "bae"} & set(asked)),
        shuffled=tuple(shuffled),
    )


def _estimates(
    curves: xr.DataArray,
    enough: xr.DataArray,
    population: xr.DataArray | None,
    asked: tuple[Correction, ...],
    fractions: tuple[float, ...],
    keep_curves: bool,
) -> xr.Dataset:
    """Corrected values of every unit and of the population, by name."""
    members = enough & chosen_units(population, enough)
    mean = xr.apply_ufunc(
        mean_over_units,
        curves if curves.chunks is None else curves.chunk(unit=-1),
        members if members.chunks is None else members.chunk(unit=-1),
        input_core_dims=[["unit", "curve", "fraction"], ["unit"]],
        output_core_dims=[["curve", "fraction"]],
        dask="parallelized",
        output_dtypes=[np.float64],
    )
    result = xr.Dataset()
    for prefix, some in (("", curves), ("population_", mean)):
        naive, shuffle = some.isel(curve=0), some.isel(curve=1)
        result[prefix + "naive"] = naive.isel(fraction=-1)
        for correction in (name for name in _bias.NAMES if name in asked):
            names = _bias.NAMES[correction]
            values = xr.apply_ufunc(
                _bias.corrected,
                naive,
                shuffle,
                input_core_dims=[["fraction"], ["fraction"]],
                output_core_dims=[["value"]],
                kwargs={"fractions": np.asarray(fractions), "correction": correction},
                dask="parallelized",
                output_dtypes=[np.float64],
                dask_gufunc_kwargs={"output_sizes": {"value": len(names)}},
            )
            for k, name in enumerate(names):
                result[prefix + name] = values.isel(value=k)
        if keep_curves:
            result[prefix + "naive_curve"], result[prefix + "shuffle_curve"] = naive, shuffle
    if keep_curves:
        result = result.assign_coords(fraction=np.asarray(fractions))
    return result.assign(population_units=members.sum("unit"))


def _label(
    result: xr.Dataset, recording: xr.Dataset, frames: xr.Dataset, units: str, sampling: Sampling
) -> xr.Dataset:
    coords = carry_coords(recording, "session", "unit")
    coords |= {n: frames[n].variable for n in ("direction", "trial_type") if n in frames.coords}
    result = result.assign_coords(coords)
    for name, variable in result.data_vars.items():
        own = str(name).removeprefix("population_")
        of_population = "" if own == name else ", population"
        known = INFORMATION.get(own.removesuffix("_curve"))
        doc = "information of shuffled activity" if known is None else known.doc
        if own.endswith("_curve"):
            doc += " against sample size"
        variable.attrs = {
            "units": "1" if own in _PURE else units,
            "long_name": doc + of_population,
        }
    result["active_frames"].attrs = {"units": "count", "long_name": "frames with activity"}
    result["population_units"].attrs = {"units": "count", "long_name": "units of the population"}
    if "fraction" in result.coords:
        result["fraction"].attrs = {"units": "1", "long_name": "fraction of the frames"}
    result.attrs = {
        "activity_kind": recording["activity"].attrs["kind"],
        "binning": frames.attrs["binning"],
        "fractions": list(sampling.fractions),
        "n_repeats": sampling.n_repeats,
        "seed": sampling.seed,
    }
    return result


@checked_options
def detect_informative_units(
    maps: xr.Dataset | xr.DataTree, *, min_information: float = 0.01
) -> xr.Dataset:
    r"""Find units with more spatial information than a threshold: the published place cells.

    Parameters
    ----------
    maps
        Result of :func:`neurodrift.compute_rate_maps`, not smoothed, or the results of
        :func:`neurodrift.analyze`, which hold it.
    min_information
        Information [bit/event] above which a unit is informative; 0.01 is that of the published
        code [1]_.

    Returns
    -------
    xarray.Dataset
        Over (session, unit), or (segment, unit): ``information`` [bit/event] over positions and
        directions together, NaN for units that are silent or not detected, and
        ``is_informative``.

    Raises
    ------
    ValueError
        If `min_information` is negative or a rate is.

    Notes
    -----
    Every position :math:`s` in every direction :math:`d` is a location of its own,

    .. math:: I = \sum_{s,d} p_{sd} \frac{r_{sd}}{\bar r} \log_2 \frac{r_{sd}}{\bar r},

    so a unit that is active everywhere in one direction only has information. The published code
    has 100 bins over both directions together: ``Binning(edges=np.linspace(low, high, 51))`` for
    a track from low to high. Rates are plain means in the bin, as there.

    It is no test: naive information is positive for every unit whose activity has noise, and
    rises as events become few. It is right for activity without noise, such as that of a network
    on its inputs, where a shuffle test has no question to answer;
    :func:`neurodrift.detect_place_cells` is for everything else.

    References
    ----------
    .. [1] Ratzon, Derdikman & Barak (2024), eLife 12:RP90069.
       https://doi.org/10.7554/eLife.90069

    Examples
    --------
    >>> from neurodrift import compute_rate_maps, testing
    >>> from neurodrift.analysis.information.estimates import detect_informative_units
    >>> maps = compute_rate_maps(testing.linear_track(n_units=5, n_sessions=2, minutes=4))
    >>> dict(detect_informative_units(maps)["is_informative"].sizes)
    {'session': 2, 'unit': 5}
    """
    maps = node_of(maps, "maps")
    expect_kind_of(maps.attrs.get("activity_kind"), "information", "a threshold of information")
    expect_dataset("maps", maps, ["rate", "occupancy"], "rate maps (compute_rate_maps)")
    both = maps[["rate", "occupancy"]].drop_vars(_along(maps))
    both = both.stack(place=("direction", "position"), create_index=False)
    both = both.rename(place="position")
    information = compute_spatial_information_from_maps(both["rate"], both["occupancy"])
    result = xr.Dataset(
        {"information": information, "is_informative": information > min_information},
        coords=maps.drop_vars(_along(maps)).coords,
        attrs={"min_information": min_information},
    )
    return label(result, INFORMATIVE)


def _along(maps: xr.Dataset) -> list[str]:
    """Coordinates along directions or positions."""
    along = {"direction", "position"}
    return [str(name) for name, array in maps.coords.items() if along & set(array.dims)]


def informative_cells(informative: xr.Dataset, information: xr.Dataset) -> xr.Dataset:
    """Informative units in the layout of place cells, without any test.

    Parameters
    ----------
    informative
        Result of :func:`detect_informative_units`.
    information
        Result of :func:`neurodrift.compute_spatial_information` with the same bins.

    Returns
    -------
    xarray.Dataset
        As from :func:`neurodrift.detect_place_cells`: an informative unit is a place cell, and each
        of its maps that is not silent is significant; ``p``, ``q``, ``z`` and the null are NaN.
    """
    naive, frames = information["naive"], information["active_frames"]
    there = naive.notnull()
    nothing = xr.full_like(naive, np.nan)
    cells = xr.Dataset(
        {
            "information": naive,
            **{name: nothing for name in ("p", "z", "null_mean", "null_p95", "q")},
            "n_events": frames.astype(float),
            "tested": there,
            "significant": there & informative["is_informative"],
            "is_place_cell": informative["is_informative"],
        }
    )
    attrs = {"criterion": "information", "min_information": informative.attrs["min_information"]}
    return label(cells.assign_attrs(attrs), PLACE_CELLS)
