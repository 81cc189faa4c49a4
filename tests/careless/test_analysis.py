"""Careless calls of the analysis: the right value, or a refusal that says what to do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift import testing

TRACK = testing.linear_track(n_units=8, n_sessions=3, minutes=3, seed=1)
SHORT = TRACK.isel(time=slice(0, 3600))
MAPS = nd.compute_rate_maps(TRACK)
RESULTS = nd.analyze(TRACK, n_repeats=5, n_draws=1)
CELLS = RESULTS["place_cells"]["is_place_cell"]
TABLE = nd.tabulate_sessions(RESULTS)
PAIRS = nd.compute_drift(MAPS, n_repeats=5)
TASK = nd.simulate.random(n_samples=4, n_inputs=4, n_outputs=2)


def renamed(name):
    """The recording with a variable under another name."""
    return TRACK.rename({name: f"my_{name}"})


def changed(**values):
    return TRACK.assign(**values)


def first_rate(result):
    return float(result["rate"].values[np.isfinite(result["rate"].values)][0])


def nothing(found):
    """Never right: what must be refused."""
    raise AssertionError(found)


CASES = [
    # what is no recording
    (
        "maps of an array",
        lambda: nd.compute_rate_maps(TRACK["activity"]),
        "expected a recording (xarray.Dataset), got DataArray; build",
    ),
    (
        "maps of a NumPy array",
        lambda: nd.compute_rate_maps(TRACK["activity"].values),
        "expected a recording (xarray.Dataset), got ndarray; build one",
    ),
    (
        "maps of None",
        lambda: nd.compute_rate_maps(None),
        "expected a recording (xarray.Dataset), got NoneType; build",
    ),
    (
        "maps of a store's name",
        lambda: nd.compute_rate_maps("mouse.zarr"),
        "expected a recording (xarray.Dataset), got str; build one",
    ),
    (
        "maps of a list of recordings",
        lambda: nd.compute_rate_maps([TRACK, TRACK]),
        "expected a recording (xarray.Dataset), got list; build one",
    ),
    (
        "maps of results",
        lambda: nd.compute_rate_maps(RESULTS),
        "expected a recording (xarray.Dataset), got DataTree; build",
    ),
    (
        "analyze a table",
        lambda: nd.analyze(pd.DataFrame({"x": [1.0]})),
        "expected a recording (xarray.Dataset), got DataFrame; build",
    ),
    (
        "analyze an array",
        lambda: nd.analyze(TRACK["activity"]),
        "expected a recording (xarray.Dataset), got DataArray; build",
    ),
    (
        "analyze results",
        lambda: nd.analyze(RESULTS),
        "expected a recording (xarray.Dataset), got DataTree; build",
    ),
    (
        "analyze a tree of recordings",
        lambda: nd.analyze(xr.DataTree(TRACK)),
        "expected a recording (xarray.Dataset), got DataTree; build",
    ),
    (
        "summarize a recording",
        lambda: nd.summary(TRACK),
        "results is a Dataset, expected the tree of neurodrift.analyze",
    ),
    (
        "summarize maps",
        lambda: nd.summary(MAPS),
        "results is a Dataset, expected the tree of neurodrift.analyze",
    ),
    (
        "a recording without session_index",
        lambda: nd.analyze(renamed("session_index")),
        "'session_index' is missing: expected dims (time), position of",
    ),
    (
        "a recording without kind",
        lambda: nd.analyze(TRACK.assign(activity=TRACK["activity"].drop_attrs())),
        "activity.attrs['kind'] is None, expected one of spikes,",
    ),
    (
        "a recording of unknown kind",
        lambda: nd.analyze(TRACK.assign(activity=TRACK["activity"].assign_attrs(kind="dff"))),
        "activity.attrs['kind'] is 'dff', expected one of spikes,",
    ),
    (
        "a recording transposed",
        lambda: nd.compute_rate_maps(TRACK.transpose("unit", ...)),
        "'activity' has dims (unit, time), expected (time, unit) -",
    ),
    (
        "a recording sorted by unit backwards",
        lambda: nd.compute_rate_maps(TRACK.sortby("unit", ascending=False))["rate"].sel(unit=0),
        lambda found: np.array_equal(found, MAPS["rate"].sel(unit=0), equal_nan=True),
    ),
    (
        "a recording sorted by time backwards",
        lambda: nd.compute_rate_maps(TRACK.sortby("time", ascending=False)),
        "time is not strictly increasing: frame 1 is at 345780 s after",
    ),
    (
        "a recording with its frames shuffled",
        lambda: nd.analyze(
            TRACK.isel(time=np.random.default_rng(0).permutation(TRACK.sizes["time"]))
        ),
        "time is not strictly increasing: frame 1 is at 89.4 s after",
    ),
    (
        "every second frame, said to last as long",
        lambda: nd.compute_rate_maps(TRACK.isel(time=slice(None, None, 2))),
        lambda found: abs(np.nanmean(found["rate"]) / np.nanmean(MAPS["rate"]) - 1) < 0.2,
    ),
    (
        "a unit's number as index",
        lambda: nd.compute_rate_maps(TRACK.isel(unit=0)),
        "'activity' has dims (time), expected (time, unit) -",
    ),
    (
        "one session by isel",
        lambda: nd.compute_rate_maps(TRACK.isel(session=0)),
        "'detected' has dims (unit), expected (session, unit) -",
    ),
    (
        "sessions by sel",
        lambda: nd.compute_rate_maps(TRACK.sel(session=["1", "2"])),
        "session_index must lie in 0..1",
    ),
    (
        "time moved by hand",
        lambda: nd.compute_rate_maps(TRACK.assign_coords(time=TRACK["time"] * 1000)),
        lambda found: found.equals(MAPS),
    ),
    (
        "activity overwritten without sign",
        lambda: nd.compute_rate_maps(
            changed(activity=(TRACK["activity"] * -1.0).assign_attrs(TRACK["activity"].attrs))
        ),
        "activity of kind 'events' has dtype float64, expected",
    ),
    (
        "activity overwritten by NaN",
        lambda: nd.compute_rate_maps(
            changed(activity=(TRACK["activity"] * np.nan).assign_attrs(TRACK["activity"].attrs))
        ),
        "activity of kind 'events' has dtype float64, expected",
    ),
    (
        "position overwritten in metres",
        lambda: nd.compute_rate_maps(
            changed(x=("time", TRACK["x"].values / 100, TRACK["x"].attrs))
        ),
        "x covers 1 cm, less than a bin of 4 cm: is it in metres?",
    ),
    (
        "position of other units",
        lambda: nd.compute_rate_maps(changed(x=("time", TRACK["x"].values / 100, {"units": "m"}))),
        "'x' is in 'm', expected 'cm': convert it",
    ),
    # binning
    *[
        (f"bin width {width!r}", lambda width=width: nd.Binning(bin_width=width), "bin_width is ")
        for width in (0, np.nan, -4, np.inf, "a", None, (4, 4, 4), 4j, {}, np.array([[4.0]] * 3))
    ],
    (
        "bin width '4'",
        lambda: nd.Binning(bin_width="4"),
        "bin_width is '4', expected a positive number [cm], or a pair",
    ),
    (
        "bin width True",
        lambda: nd.Binning(bin_width=True),
        "bin_width is True, expected a positive number [cm], or a pair",
    ),
    (
        "bins wider than the track",
        lambda: nd.compute_rate_maps(TRACK, binning=nd.Binning(bin_width=1e9)),
        "bin_width is 1e+09 cm, but x covers 100 cm: choose a width",
    ),
    (
        "bins too narrow",
        lambda: nd.compute_rate_maps(TRACK, binning=nd.Binning(bin_width=1e-9)),
        "bin_width is 1e-09 cm, but x covers 100 cm: choose a width",
    ),
    (
        "a width for each axis of one",
        lambda: nd.compute_rate_maps(TRACK, binning=nd.Binning(bin_width=(4, 4))),
        "bin_width is a pair, but the recording has x alone: give one",
    ),
    (
        "a width for the binning",
        lambda: nd.compute_rate_maps(TRACK, binning=4),
        "binning is 4, expected a neurodrift.Binning: for bins of 4",
    ),
    (
        "a dict for the binning",
        lambda: nd.analyze(TRACK, binning={"bin_width": 4}),
        "binning is {'bin_width': 4}, expected a neurodrift.Binning:",
    ),
    (
        "binning and width",
        lambda: nd.analyze(TRACK, binning=nd.Binning(exclude_ends=4), bin_width=5),
        "binning and bin_width are both given: give",
    ),
    ("edges backwards", lambda: nd.Binning(edges=[100, 0]), "edges must increase [cm]"),
    (
        "edges beside the track",
        lambda: nd.compute_rate_maps(TRACK, binning=nd.Binning(edges=np.arange(500, 600, 4))),
        "no frame can be used in session '1', '2', '3' (tracked",
    ),
    (
        "edges with NaN",
        lambda: nd.Binning(edges=[0, np.nan, 1]),
        "edges must be at least two finite numbers [cm] for each axis",
    ),
    (
        "edges as text",
        lambda: nd.Binning(edges="0:100:4"),
        "edges is '0:100:4', expected numbers [cm], or a pair of such",
    ),
    (
        "edges as a number",
        lambda: nd.Binning(edges=25),
        "edges is 25, expected numbers [cm], or a pair of such",
    ),
    (
        "edges and width",
        lambda: nd.Binning(edges=[0, 50, 100], bin_width=4),
        lambda b: len(b.edges) == 3,
    ),
    (
        "one edge",
        lambda: nd.Binning(edges=[50]),
        "edges must be at least two finite numbers [cm] for each axis",
    ),
    (
        "edges for three axes",
        lambda: nd.Binning(edges=([0, 1], [0, 1], [0, 1])),
        "edges for 3 axes, expected those of x, or of x and y",
    ),
    (
        "edges for two axes of one",
        lambda: nd.compute_rate_maps(TRACK, binning=nd.Binning(edges=([0, 50], [0, 50]))),
        "edges for 2 axes, but the recording has x",
    ),
    (
        "edges in metres",
        lambda: nd.compute_rate_maps(TRACK, binning=nd.Binning(edges=np.linspace(0, 1, 26))),
        "edges cover 1 cm, but x covers 100 cm: are the edges in",
    ),
    (
        "track and edges",
        lambda: nd.Binning(track=(0, 100), edges=[0, 100]),
        "track and edges are both given: give one of them",
    ),
    ("track's length", lambda: nd.Binning(track=100), "track is 100, expected its two ends [cm]"),
    (
        "track backwards",
        lambda: nd.Binning(track=(100, 0)),
        "track from 100 to 0 cm is not a whole number of bins of 4 cm:",
    ),
    (
        "track as text",
        lambda: nd.Binning(track="0,100"),
        "track is '0,100', expected its two ends [cm]",
    ),
    (
        "track of no whole bins",
        lambda: nd.Binning(track=(0, 99)),
        "track from 0 to 99 cm is not a whole number of bins of 4 cm:",
    ),
    (
        "ends that leave no bin",
        lambda: nd.compute_rate_maps(TRACK, binning=nd.Binning(exclude_ends=60)),
        "exclude_ends of 60.0 cm leaves no bin of the track",
    ),
    (
        "ends NaN",
        lambda: nd.Binning(exclude_ends=np.nan),
        "exclude_ends is nan, expected a number, at least 0",
    ),
    (
        "ends as text",
        lambda: nd.Binning(exclude_ends="4"),
        "exclude_ends is '4', expected a number, at least 0",
    ),
    (
        "ends as a pair",
        lambda: nd.Binning(exclude_ends=(4, 4)),
        "exclude_ends is (4, 4), expected a number, at least 0",
    ),
    (
        "speeds NaN",
        lambda: nd.Binning(speed_range=(np.nan, 5)),
        "speed_range is (nan, 5), expected (lowest, highest)",
    ),
    (
        "speeds backwards",
        lambda: nd.Binning(speed_range=(5, 1)),
        "speed_range is (5, 1), expected (lowest, highest)",
    ),
    (
        "one speed",
        lambda: nd.Binning(speed_range=3),
        "speed_range is 3, expected (lowest, highest)",
    ),
    (
        "speeds as text",
        lambda: nd.Binning(speed_range="1,50"),
        "speed_range is '1,50', expected (lowest, highest)",
    ),
    (
        "speeds as texts",
        lambda: nd.Binning(speed_range=("1", "50")),
        "speed_range is ('1', '50'), expected (lowest, highest)",
    ),
    (
        "speeds in m/s",
        lambda: nd.compute_rate_maps(TRACK, binning=nd.Binning(speed_range=(0.01, 0.5))),
        "no frame can be used in session '1', '2', '3' (tracked",
    ),
    (
        "occupancy in hours",
        lambda: nd.compute_rate_maps(TRACK, binning=nd.Binning(min_occupancy=1e9)),
        "no frame can be used in session '1', '2', '3' (tracked",
    ),
    (
        "directions as text",
        lambda: nd.Binning(directions="no"),
        "directions is 'no', expected True (apart), False or None",
    ),
    (
        "directions as a list",
        lambda: nd.Binning(directions=[1, -1]),
        "directions is [1, -1], expected True (apart), False or None",
    ),
    (
        "directions of a box",
        lambda: nd.compute_rate_maps(
            testing.open_field(n_units=2, minutes=2), binning=nd.Binning(directions=True)
        ),
        "directions=True, but the recording has no direction: derive",
    ),
    (
        "unused sessions dropped",
        lambda: nd.Binning(unused_sessions="drop"),
        "unused_sessions is 'drop', expected refuse or keep",
    ),
    (
        "an old option",
        lambda: nd.Binning(width=4),
        "Binning.__init__() got an unexpected keyword argument 'width'",
    ),
    # maps
    (
        "maps by an unknown group",
        lambda: nd.compute_rate_maps(TRACK, by="day"),
        "by is 'day', expected session, trial, lap, trial_type, map_label or a",
    ),
    (
        "maps by a number",
        lambda: nd.compute_rate_maps(TRACK, by=3),
        "by is a int, expected a name or a DataArray over time",
    ),
    (
        "maps by an array of another length",
        lambda: nd.compute_rate_maps(TRACK, by=xr.DataArray(np.zeros(5, int), dims="time")),
        "a grouping must be integers over (time), one for each frame",
    ),
    (
        "maps by an array without dims",
        lambda: nd.compute_rate_maps(TRACK, by=np.zeros(TRACK.sizes["time"], int)),
        "by is a ndarray, expected a name or a DataArray over time",
    ),
    (
        "maps smoothed by text",
        lambda: nd.compute_rate_maps(TRACK, smoothing="4 cm"),
        "smoothing is '4 cm', expected a number, at least 0 [cm]",
    ),
    (
        "maps smoothed by NaN",
        lambda: nd.compute_rate_maps(TRACK, smoothing=np.nan),
        "smoothing is nan, expected a number, at least 0 [cm]",
    ),
    (
        "maps smoothed by less than 0",
        lambda: nd.compute_rate_maps(TRACK, smoothing=-4),
        "smoothing is -4, expected a number, at least 0 [cm]",
    ),
    (
        "maps smoothed by None",
        lambda: nd.compute_rate_maps(TRACK, smoothing=None),
        "smoothing is None, expected a number, at least 0 [cm]",
    ),
    (
        "smoothing of a Dataset",
        lambda: nd.smooth_maps(MAPS, 4),
        "rate is a Dataset, expected rate maps, a DataArray with its",
    ),
    (
        "smoothing of NumPy maps",
        lambda: nd.smooth_maps(MAPS["rate"].values, 4),
        "rate is a ndarray, expected rate maps, a DataArray with its",
    ),
    (
        "smoothing of activity",
        lambda: nd.smooth_maps(TRACK["activity"], 4),
        "rate has dims ('time', 'unit'), expected rate maps, a",
    ),
    (
        "order of a Dataset",
        lambda: nd.order_by_peak(MAPS),
        "rate is a Dataset, expected maps of one session and",
    ),
    (
        "order of maps of several sessions",
        lambda: nd.order_by_peak(MAPS["rate"]),
        "rate has dims ('session', 'unit', 'direction', 'position'),",
    ),
    (
        "fields of a recording",
        lambda: nd.detect_place_fields(TRACK),
        "maps has no 'rate', expected rate maps (compute_rate_maps)",
    ),
    (
        "fields of rates alone",
        lambda: nd.detect_place_fields(MAPS["rate"]),
        "maps is a DataArray, expected rate maps (compute_rate_maps),",
    ),
    (
        "fields by percent",
        lambda: nd.detect_place_fields(MAPS, min_fraction=30),
        "min_fraction is 30, expected a number, more than 0 and at",
    ),
    (
        "fields of cells in another order",
        lambda: nd.detect_place_fields(MAPS, place_cells=CELLS.isel(unit=slice(None, None, -1))),
        lambda found: np.array_equal(
            found["n_fields"],
            nd.detect_place_fields(MAPS, place_cells=CELLS)["n_fields"],
            equal_nan=True,
        ),
    ),
    (
        "fields of cells without labels",
        lambda: nd.detect_place_fields(MAPS, place_cells=CELLS.values),
        "place_cells is a ndarray, expected a DataArray with its labels",
    ),
    (
        "fields of other cells",
        lambda: nd.detect_place_fields(MAPS, place_cells=CELLS.isel(unit=slice(3))),
        "place_cells lacks 5 of the unit labels of the maps: 3, 4, 5,",
    ),
    (
        "fields of p",
        lambda: nd.detect_place_fields(MAPS, place_cells=RESULTS["place_cells"]["p"]),
        "place_cells holds float64 numbers, expected True and False,",
    ),
    (
        "sparsity over unknown frames",
        lambda: nd.compute_sparsity(TRACK, frames="moving"),
        "frames is 'moving', expected 'all', 'tracked' or 'running'",
    ),
    (
        "sparsity above NaN",
        lambda: nd.compute_sparsity(TRACK, threshold=np.nan),
        "threshold is nan, expected a finite number",
    ),
    (
        "trial averages without trials",
        lambda: nd.compute_trial_averages(TRACK.drop_vars("trial", errors="ignore")),
        "the recording has no trial: give the number of the trial of",
    ),
    # information
    (
        "information in bits",
        lambda: nd.compute_spatial_information(TRACK, measure="bits/spike"),
        "measure is 'bits/spike', expected 'bit/event' or 'bit/s'",
    ),
    (
        "information, unknown correction",
        lambda: nd.compute_spatial_information(TRACK, corrections="miller"),
        "unknown corrections 'miller'; expected any of none, sr, ssr,",
    ),
    (
        "information, corrections as a number",
        lambda: nd.compute_spatial_information(TRACK, corrections=3),
        "corrections is 3, expected a list of names",
    ),
    (
        "information, percent",
        lambda: nd.compute_spatial_information(TRACK, fractions=(10, 50, 100), n_repeats=5),
        "fractions is (10, 50, 100), expected a number, more than 0",
    ),
    (
        "information, fractions as a number",
        lambda: nd.compute_spatial_information(TRACK, fractions=0.5, n_repeats=5),
        "fractions is 0.5, expected four or more numbers, the last one",
    ),
    (
        "information, no fractions",
        lambda: nd.compute_spatial_information(TRACK, fractions=(), n_repeats=5),
        "fractions is (), expected a number, more than 0 and at most 1",
    ),
    (
        "information, population as a list",
        lambda: nd.compute_spatial_information(TRACK, population=[0, 1], n_repeats=5),
        "population is a list, expected a DataArray with its labels",
    ),
    (
        "information, a list of units as population",
        lambda: nd.compute_spatial_information(
            TRACK, population=xr.DataArray([0, 1], dims="unit"), n_repeats=5
        ),
        "population holds int64 numbers, expected True and False, such",
    ),
    (
        "information of responses unknown",
        lambda: nd.compute_mutual_information(TRACK, responses="spikes", n_repeats=5),
        "responses is 'spikes', expected one of counts, binary,",
    ),
    (
        "information of maps swapped",
        lambda: nd.compute_spatial_information_from_maps(MAPS["occupancy"], MAPS["rate"]),
        "occupancy has dims ('session', 'unit', 'direction',",
    ),
    (
        "information of NumPy maps",
        lambda: nd.compute_spatial_information_from_maps(
            MAPS["rate"].values, MAPS["occupancy"].values
        ),
        "rate is a ndarray, expected rate maps, a DataArray with its",
    ),
    (
        "information of maps and a fraction of time",
        lambda: nd.compute_spatial_information_from_maps(
            MAPS["rate"], (MAPS["occupancy"] / MAPS["occupancy"].sum("position"))
        ),
        lambda found: np.allclose(
            found, nd.compute_spatial_information_from_maps(MAPS["rate"], MAPS["occupancy"])
        ),
    ),
    (
        "informative units of a recording",
        lambda: nd.detect_informative_units(TRACK),
        "maps has no 'rate', 'occupancy', expected rate maps",
    ),
    # place cells
    (
        "place cells, unknown null",
        lambda: nd.detect_place_cells(TRACK, null="shuffle"),
        "null is 'shuffle', expected one of circular_exact, circular,",
    ),
    (
        "place cells, unknown criterion",
        lambda: nd.detect_place_cells(TRACK, criterion="bonferroni"),
        "criterion is 'bonferroni', expected one of p, q",
    ),
    (
        "place cells, unknown combination",
        lambda: nd.detect_place_cells(TRACK, combine="or"),
        "combine is 'or', expected one of bonferroni, any, all",
    ),
    (
        "place cells, unknown scope",
        lambda: nd.detect_place_cells(TRACK, fdr_scope="unit"),
        "fdr_scope is 'unit', expected one of session, direction,",
    ),
    (
        "stability by an unknown split",
        lambda: nd.compute_map_stability(TRACK, split="odd"),
        "split is 'odd', expected one of lap, trial, half",
    ),
    (
        "stability, unknown null",
        lambda: nd.compute_map_stability(TRACK, null="shift"),
        "null is 'shift', expected one of circular_exact, circular,",
    ),
    (
        "criteria as a list",
        lambda: nd.compare_criteria([CELLS, CELLS]),
        "criteria is no mapping, expected {name: (session, unit)",
    ),
    (
        "criteria of other units",
        lambda: nd.compare_criteria({"a": CELLS, "b": CELLS.isel(unit=slice(3))}),
        "b has other units: 3, 4, 5, 6, 7 in one of the arrays only",
    ),
    (
        "criteria of p",
        lambda: nd.compare_criteria({"a": CELLS, "b": RESULTS["place_cells"]["p"]}),
        "b holds float64 numbers, expected True and False, such as the",
    ),
    (
        "criteria of NumPy arrays",
        lambda: nd.compare_criteria({"a": CELLS.values, "b": CELLS.values}),
        "a is a ndarray, expected a DataArray with its labels",
    ),
    (
        "one criterion",
        lambda: nd.compare_criteria({"a": CELLS}),
        lambda found: (found["agreement"] == 1).all(),
    ),
    (
        "null distribution of a name",
        lambda: nd.compute_null_distribution("mean", np.ones((9, 2))),
        "statistic is 'mean', expected a function of moved activity",
    ),
    (
        "null distribution of one row",
        lambda: nd.compute_null_distribution(np.mean, np.ones(1), n_repeats=3),
        lambda found: np.allclose(found, 1),
    ),
    # drift
    (
        "drift of a recording",
        lambda: nd.compute_drift(TRACK),
        "maps has neither 'rate' nor 'mean_activity', expected rate",
    ),
    (
        "drift of rates alone",
        lambda: nd.compute_drift(MAPS["rate"]),
        "maps is a DataArray, expected rate maps (compute_rate_maps)",
    ),
    (
        "drift of unknown units",
        lambda: nd.compute_drift(MAPS, units="any"),
        "units is 'any', expected 'either', 'both' or 'all'",
    ),
    (
        "drift of place cells that are not given",
        lambda: nd.compute_drift(MAPS, units="place_cells"),
        "units is 'place_cells', expected 'either', 'both' or 'all'",
    ),
    (
        "drift, place cells without labels",
        lambda: nd.compute_drift(MAPS, place_cells=CELLS.values, n_repeats=5),
        "place_cells is a ndarray, expected a DataArray with its labels",
    ),
    (
        "drift, place cells in another order",
        lambda: nd.compute_drift(
            MAPS, place_cells=CELLS.isel(unit=slice(None, None, -1)), n_repeats=5
        ),
        lambda found: np.allclose(
            found["rate_map_correlation"],
            nd.compute_drift(MAPS, place_cells=CELLS, n_repeats=5)["rate_map_correlation"],
            equal_nan=True,
        ),
    ),
    (
        "drift, place cells of other units",
        lambda: nd.compute_drift(MAPS, place_cells=CELLS.isel(unit=slice(3)), n_repeats=5),
        "place_cells lacks 5 of the unit labels of the maps: 3, 4, 5,",
    ),
    (
        "drift, place cells as p",
        lambda: nd.compute_drift(MAPS, place_cells=RESULTS["place_cells"]["p"], n_repeats=5),
        "place_cells holds float64 numbers, expected True and False,",
    ),
    (
        "drift of one session",
        lambda: nd.compute_drift(
            nd.compute_rate_maps(nd.select_sessions(TRACK, ["1"])), n_repeats=5
        ),
        lambda found: found.sizes["session_a"] == 1,
    ),
    (
        "session drift of whole maps",
        lambda: nd.compute_session_drift(MAPS),
        "expected the drift between segments: make maps by trial, half",
    ),
    (
        "half maps by days",
        lambda: nd.compute_half_maps(TRACK, split="day"),
        "split is 'day', expected 'trial', 'lap' or 'block'",
    ),
    (
        "representation of maps",
        lambda: nd.compute_representation_stability(MAPS),
        lambda found: found["correlation"].shape == (3, 3),
    ),
    (
        "representation against an unknown session",
        lambda: nd.compute_representation_stability(
            nd.compute_trial_averages(TRACK) if "trial" in TRACK else MAPS, reference="9"
        ),
        "no session '9'; there are ['1', '2', '3']",
    ),
    (
        "remapping of recordings",
        lambda: nd.compute_remapping(TRACK, TRACK),
        "expected rate maps, a result of",
    ),
    (
        "remapping between other grids",
        lambda: nd.compute_remapping(
            MAPS, nd.compute_rate_maps(TRACK, binning=nd.Binning(bin_width=10))
        ),
        "the maps cannot be compared: their x_bin differ: use the same",
    ),
    (
        "remapping of unknown pairs",
        lambda: nd.compute_remapping(MAPS, MAPS, pairs=[("1", "9")]),
        "no such pairs of sessions: [('1', '9')]; there are [['1',",
    ),
    (
        "remapping of pairs as text",
        lambda: nd.compute_remapping(MAPS, MAPS, pairs="12"),
        "pairs is the text '12', expected a list of names: ['12']",
    ),
    (
        "remapping by an unknown criterion",
        lambda: nd.compute_remapping(MAPS, MAPS, criterion="p"),
        "criterion is 'p', expected one of ('fixed', 'shuffled',",
    ),
    (
        "remapping between other units",
        lambda: nd.compute_remapping(
            MAPS, MAPS.assign_coords(unit=[f"cell {i}" for i in range(8)])
        ),
        "the maps cannot be compared: 16 units are in one of them only",
    ),
    (
        "latent space of an unknown session",
        lambda: nd.fit_latent_space(
            nd.compute_trial_averages(TRACK) if "trial" in TRACK else TRACK, "9"
        ),
        "no session '9'; there are ['1', '2', '3']",
    ),
    (
        "latent space of more factors than units",
        lambda: nd.fit_latent_space(TRACK, "1", n_factors=100),
        "8 units vary in session '1', but 100 factors need at least",
    ),
    # identity and lag
    (
        "lag of maps",
        lambda: nd.check_lag(MAPS),
        "'activity' is missing: expected dims (time, unit), activity",
    ),
    (
        "lag without position",
        lambda: nd.check_lag(TRACK.drop_vars(["x", "speed", "direction"])),
        "the recording has no position 'x', so no lag can be told",
    ),
    (
        "registration of maps",
        lambda: nd.check_registration(MAPS),
        "'activity' is missing: expected dims (time, unit), activity",
    ),
    (
        "maps by an unknown split",
        lambda: nd.detect_maps(TRACK, split="day"),
        "split is 'day', expected 'trial', 'lap' or 'block'",
    ),
    (
        "labels of a recording",
        lambda: nd.label_maps(TRACK, TRACK),
        "detected has no 'map_label', 'split', 'block', expected maps",
    ),
    (
        "counts of cells without labels",
        lambda: nd.count_units(TRACK, place_cells=CELLS.values),
        "place_cells is a ndarray, expected a DataArray with its labels",
    ),
    (
        "counts of cells as p",
        lambda: nd.count_units(TRACK, place_cells=RESULTS["place_cells"]["p"]),
        "place_cells holds float64 numbers, expected True and False,",
    ),
    (
        "sessions by one label",
        lambda: nd.select_sessions(TRACK, "1"),
        "sessions is the text '1', expected a list of labels",
    ),
    (
        "sessions by numbers",
        lambda: nd.select_sessions(TRACK, [1, 2]),
        lambda r: r.sizes["session"] == 2,
    ),
    (
        "sessions by index",
        lambda: nd.select_sessions(TRACK, [0]),
        "no session ['0']; the recording has ['1', '2', '3']",
    ),
    (
        "no session",
        lambda: nd.select_sessions(TRACK, []),
        "no session named; the recording has ['1', '2', '3']",
    ),
    (
        "sessions as a number",
        lambda: nd.select_sessions(TRACK, 1),
        "sessions is int, expected a list of labels in their order",
    ),
    # analyze
    (
        "analyze unknown measures",
        lambda: nd.analyze(TRACK, measures=["speed"]),
        "measures has 'speed', expected some of map_switches,",
    ),
    (
        "analyze one measure as text",
        lambda: nd.analyze(TRACK, measures="drift"),
        "measures is 'drift', expected a list of names: ['drift']",
    ),
    (
        "analyze no measures",
        lambda: nd.analyze(TRACK, measures=[]),
        "measures is empty: name some nodes, or leave it out for all",
    ),
    (
        "analyze by an unknown criterion",
        lambda: nd.analyze(TRACK, criterion="p"),
        "criterion is 'p', expected one of auto, shuffle, information",
    ),
    (
        "analyze unknown map labels",
        lambda: nd.analyze(TRACK, map_labels=True),
        "map_labels is True, expected one of given, detect",
    ),
    (
        "analyze with an old option",
        lambda: nd.analyze(TRACK, repetitions=5),
        "got an unexpected keyword argument 'repetitions'",
    ),
    # trends
    (
        "regress an unknown column",
        lambda: nd.regress(TABLE, "rate", "day"),
        "no column ['rate']; the table has subject, environment,",
    ),
    (
        "regress on an unknown column",
        lambda: nd.regress(TABLE, "n_place_cells", "weeks"),
        "no column ['weeks']; the table has subject, environment,",
    ),
    (
        "regress on text",
        lambda: nd.regress(TABLE, "n_place_cells", "session"),
        "column 'session' has dtype str, expected numbers",
    ),
    (
        "regress text",
        lambda: nd.regress(TABLE, "session", "day"),
        "column 'session' has dtype str, expected numbers",
    ),
    (
        "regress a recording",
        lambda: nd.regress(TRACK, "n_place_cells", "day"),
        "table is a Dataset, expected a DataFrame, such as",
    ),
    (
        "regress by an unknown method",
        lambda: nd.regress(TABLE, "n_place_cells", "day", method="lasso"),
        "method is 'lasso', expected one of ar1, ols, mixed, mixed_independent, subjects",
    ),
    (
        "regress without subject",
        lambda: nd.regress(TABLE, "n_place_cells", "day", method="mixed"),
        "method='mixed' needs subject=, the column that names the",
    ),
    (
        "regress, unknown subject",
        lambda: nd.regress(TABLE, "n_place_cells", "day", method="mixed", subject="mouse"),
        "no column ['mouse']; the table has subject, environment,",
    ),
    (
        "regress one row",
        lambda: nd.regress(TABLE.iloc[:1], "n_place_cells", "day"),
        "1 rows for 2 coefficients leave no degree of freedom: give",
    ),
    (
        "regress no rows",
        lambda: nd.regress(TABLE.iloc[:0], "n_place_cells", "day"),
        "no row of the table has all of 'n_place_cells', 'day'",
    ),
    (
        "regress a column on itself",
        lambda: nd.regress(TABLE, "day", "day"),
        "y='day' and predictors ['day'] must be different columns",
    ),
    (
        "regress on a constant",
        lambda: nd.regress(TABLE.assign(one=1.0), "n_place_cells", "one"),
        "predictor 'one' is constant: leave it out",
    ),
    (
        "regress on NaN",
        lambda: nd.regress(TABLE.assign(no=np.nan), "n_place_cells", "no"),
        "no row of the table has all of 'n_place_cells', 'no'",
    ),
    (
        "regress, covariates as text",
        lambda: nd.regress(TABLE, "n_place_cells", "day", covariates="experience"),
        "covariates is the text 'experience', expected a list of",
    ),
    (
        "regress, unknown normalization",
        lambda: nd.regress(TABLE, "n_place_cells", "day", normalize="z"),
        "normalize is 'z', expected 'first', 'mean' or None",
    ),
    (
        "regress a dict",
        lambda: nd.regress({"y": [1, 2], "x": [1, 2]}, "y", "x"),
        "table is a dict, expected a DataFrame, such as",
    ),
    ("tabulate a recording", lambda: nd.tabulate_sessions(TRACK), lambda found: len(found) == 3),
    (
        "tabulate drift of maps",
        lambda: nd.tabulate_drift(MAPS),
        "expected a drift over pairs, got dims ('session', 'unit',",
    ),
    (
        "pool results",
        lambda: nd.pool_sessions([RESULTS, RESULTS]),
        "tables holds a DataTree, expected tables of tabulate_sessions",
    ),
    (
        "pool one table",
        lambda: nd.pool_sessions(TABLE),
        "tables is one table, expected a list of them, one for each",
    ),
    ("pool nothing", lambda: nd.pool_sessions([]), "no table given"),
    (
        "pool a table twice",
        lambda: nd.pool_sessions([TABLE, TABLE]),
        "session '1' of synthetic in linear track occurs twice: give",
    ),
    (
        "phases of a recording",
        lambda: nd.detect_phases(TRACK),
        "no loss and no statistic in ['activity', 'session_index',",
    ),
    (
        "phases of unknown measures",
        lambda: nd.detect_phases(RESULTS, measures=["speed"]),
        "no measure ['speed']; there are ['session_number', 'day',",
    ),
    (
        "phases of measures as text",
        lambda: nd.detect_phases(RESULTS, measures="n_place_cells"),
        "measures is the text 'n_place_cells', expected a list of",
    ),
    (
        "phases along an unknown axis",
        lambda: nd.detect_phases(RESULTS, axis="week"),
        "axis is 'week', expected one of training_step, experience,",
    ),
    (
        "phases told of results without",
        lambda: nd.describe_phases(MAPS),
        "result has no 'verdict', 'conclusion', 'limits', expected",
    ),
    (
        "compare recordings",
        lambda: nd.compare(TRACK, TRACK),
        "side 1, 'activity' is a DataArray: expected results of",
    ),
    (
        "compare results with nothing",
        lambda: nd.compare(RESULTS, None),
        "side 2 is a NoneType: expected results of neurodrift.analyze,",
    ),
    (
        "compare results with themselves",
        lambda: nd.compare(RESULTS, RESULTS, n_repeats=5),
        lambda found: "statement" in found.coords,
    ),
    (
        "compare, equal names",
        lambda: nd.compare(RESULTS, RESULTS, names=["a", "a"], n_repeats=5),
        "the sides are called a, a: give different names",
    ),
    (
        "compare, names as text",
        lambda: nd.compare(RESULTS, RESULTS, names="ab", n_repeats=5),
        "names is the text 'ab', expected a list of names: ['ab']",
    ),
    (
        "compare, unknown measures",
        lambda: nd.compare(RESULTS, RESULTS, names=["a", "b"], measures=["speed"]),
        "no recording has the measure 'speed'; there are",
    ),
    (
        "compare, unknown axes",
        lambda: nd.compare(RESULTS, RESULTS, names=["a", "b"], axes=["week"]),
        "axes are ['week'], expected some of fraction, day,",
    ),
    (
        "compare, unknown method",
        lambda: nd.compare(RESULTS, RESULTS, names=["a", "b"], method="ols"),
        "method is 'ols', expected 'subjects' or 'mixed'",
    ),
    (
        "statements of results",
        lambda: nd.describe_statements(RESULTS),
        "comparison is a DataTree, expected a comparison",
    ),
]


@pytest.mark.parametrize(("call", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_analysis__careless(call, expected, judge):
    judge(call, expected)
