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
RESULTS = nd.analyze(TRACK, n_repeats=5)
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
    ("maps of an array", lambda: nd.compute_rate_maps(TRACK["activity"]), "?"),
    ("maps of a NumPy array", lambda: nd.compute_rate_maps(TRACK["activity"].values), "?"),
    ("maps of None", lambda: nd.compute_rate_maps(None), "?"),
    ("maps of a store's name", lambda: nd.compute_rate_maps("mouse.zarr"), "?"),
    ("maps of a list of recordings", lambda: nd.compute_rate_maps([TRACK, TRACK]), "?"),
    ("maps of results", lambda: nd.compute_rate_maps(RESULTS), "?"),
    ("analyze a table", lambda: nd.analyze(pd.DataFrame({"x": [1.0]})), "?"),
    ("analyze an array", lambda: nd.analyze(TRACK["activity"]), "?"),
    ("analyze results", lambda: nd.analyze(RESULTS), "?"),
    ("analyze a tree of recordings", lambda: nd.analyze(xr.DataTree(TRACK)), "?"),
    ("summarize a recording", lambda: nd.summarize(TRACK), "?"),
    ("summarize maps", lambda: nd.summarize(MAPS), "?"),
    ("a recording without session_index", lambda: nd.analyze(renamed("session_index")), "?"),
    ("a recording without kind", lambda: nd.analyze(
        TRACK.assign(activity=TRACK["activity"].drop_attrs())), "?"),
    ("a recording of unknown kind", lambda: nd.analyze(
        TRACK.assign(activity=TRACK["activity"].assign_attrs(kind="dff"))), "?"),
    ("a recording transposed", lambda: nd.compute_rate_maps(TRACK.transpose("unit", ...)), "?"),
    ("a recording sorted by unit backwards",
     lambda: nd.compute_rate_maps(TRACK.sortby("unit", ascending=False))["rate"].sel(unit=0),
     lambda found: np.array_equal(found, MAPS["rate"].sel(unit=0), equal_nan=True)),
    ("a recording sorted by time backwards",
     lambda: nd.compute_rate_maps(TRACK.sortby("time", ascending=False)), "?"),
    ("a recording with its frames shuffled",
     lambda: nd.analyze(TRACK.isel(time=np.random.default_rng(0).permutation(TRACK.sizes["time"]))),
     "?"),
    ("every second frame, said to last as long",
     lambda: nd.compute_rate_maps(TRACK.isel(time=slice(None, None, 2))), "?"),
    ("a unit's number as index", lambda: nd.compute_rate_maps(TRACK.isel(unit=0)), "?"),
    ("one session by isel", lambda: nd.compute_rate_maps(TRACK.isel(session=0)), "?"),
    ("sessions by sel", lambda: nd.compute_rate_maps(TRACK.sel(session=["1", "2"])), "?"),
    ("time moved by hand", lambda: nd.compute_rate_maps(
        TRACK.assign_coords(time=TRACK["time"] * 1000)), "?"),
    ("activity overwritten without sign", lambda: nd.compute_rate_maps(
        changed(activity=(TRACK["activity"] * -1.0).assign_attrs(TRACK["activity"].attrs))), "?"),
    ("activity overwritten by NaN", lambda: nd.compute_rate_maps(
        changed(activity=(TRACK["activity"] * np.nan).assign_attrs(TRACK["activity"].attrs))), "?"),
    ("position overwritten in metres", lambda: nd.compute_rate_maps(
        changed(x=("time", TRACK["x"].values / 100, TRACK["x"].attrs))), "?"),
    ("position of other units", lambda: nd.compute_rate_maps(
        changed(x=("time", TRACK["x"].values / 100, {"units": "m"}))), "?"),
    # binning
    *[
        (f"bin width {width!r}", lambda width=width: nd.Binning(bin_width=width), "?")
        for width in (0, np.nan, -4, np.inf, "a", None, (4, 4, 4), 4j, {}, np.array([[4.0]] * 3))
    ],
    ("bin width '4'", lambda: nd.Binning(bin_width="4"), "?"),
    ("bin width True", lambda: nd.Binning(bin_width=True), "?"),
    ("bins wider than the track", lambda: nd.compute_rate_maps(
        TRACK, binning=nd.Binning(bin_width=1e9)), "?"),
    ("bins too narrow", lambda: nd.compute_rate_maps(TRACK, binning=nd.Binning(bin_width=1e-9)), "?"),
    ("a width for each axis of one", lambda: nd.compute_rate_maps(
        TRACK, binning=nd.Binning(bin_width=(4, 4))), "?"),
    ("a width for the binning", lambda: nd.compute_rate_maps(TRACK, binning=4), "?"),
    ("a dict for the binning", lambda: nd.analyze(TRACK, binning={"bin_width": 4}), "?"),
    ("binning and width", lambda: nd.analyze(
        TRACK, binning=nd.Binning(exclude_ends=4), bin_width=5), "?"),
    ("edges backwards", lambda: nd.Binning(edges=[100, 0]), "?"),
    ("edges beside the track", lambda: nd.compute_rate_maps(
        TRACK, binning=nd.Binning(edges=np.arange(500, 600, 4))), "?"),
    ("edges with NaN", lambda: nd.Binning(edges=[0, np.nan, 1]), "?"),
    ("edges as text", lambda: nd.Binning(edges="0:100:4"), "?"),
    ("edges as a number", lambda: nd.Binning(edges=25), "?"),
    ("edges and width", lambda: nd.Binning(edges=[0, 50, 100], bin_width=4), lambda b: len(b.edges) == 3),
    ("one edge", lambda: nd.Binning(edges=[50]), "?"),
    ("edges for three axes", lambda: nd.Binning(edges=([0, 1], [0, 1], [0, 1])), "?"),
    ("edges for two axes of one", lambda: nd.compute_rate_maps(
        TRACK, binning=nd.Binning(edges=([0, 50], [0, 50]))), "?"),
    ("edges in metres", lambda: nd.compute_rate_maps(
        TRACK, binning=nd.Binning(edges=np.linspace(0, 1, 26))), "?"),
    ("track and edges", lambda: nd.Binning(track=(0, 100), edges=[0, 100]), "?"),
    ("track's length", lambda: nd.Binning(track=100), "?"),
    ("track backwards", lambda: nd.Binning(track=(100, 0)), "?"),
    ("track as text", lambda: nd.Binning(track="0,100"), "?"),
    ("track of no whole bins", lambda: nd.Binning(track=(0, 99)), "?"),
    ("ends that leave no bin", lambda: nd.compute_rate_maps(
        TRACK, binning=nd.Binning(exclude_ends=60)), "?"),
    ("ends NaN", lambda: nd.Binning(exclude_ends=np.nan), "?"),
    ("ends as text", lambda: nd.Binning(exclude_ends="4"), "?"),
    ("ends as a pair", lambda: nd.Binning(exclude_ends=(4, 4)), "?"),
    ("speeds NaN", lambda: nd.Binning(speed_range=(np.nan, 5)), "?"),
    ("speeds backwards", lambda: nd.Binning(speed_range=(5, 1)), "?"),
    ("one speed", lambda: nd.Binning(speed_range=3), "?"),
    ("speeds as text", lambda: nd.Binning(speed_range="1,50"), "?"),
    ("speeds as texts", lambda: nd.Binning(speed_range=("1", "50")), "?"),
    ("speeds in m/s", lambda: nd.compute_rate_maps(
        TRACK, binning=nd.Binning(speed_range=(0.01, 0.5))), "?"),
    ("occupancy in hours", lambda: nd.compute_rate_maps(
        TRACK, binning=nd.Binning(min_occupancy=1e9)), "?"),
    ("directions as text", lambda: nd.Binning(directions="no"), "?"),
    ("directions as a list", lambda: nd.Binning(directions=[1, -1]), "?"),
    ("directions of a box", lambda: nd.compute_rate_maps(
        testing.open_field(n_units=2, minutes=2), binning=nd.Binning(directions=True)), "?"),
    ("unused sessions dropped", lambda: nd.Binning(unused_sessions="drop"), "?"),
    ("an old option", lambda: nd.Binning(width=4), "?"),
    # maps
    ("maps by an unknown group", lambda: nd.compute_rate_maps(TRACK, by="day"), "?"),
    ("maps by a number", lambda: nd.compute_rate_maps(TRACK, by=3), "?"),
    ("maps by an array of another length", lambda: nd.compute_rate_maps(
        TRACK, by=xr.DataArray(np.zeros(5, int), dims="time")), "?"),
    ("maps by an array without dims", lambda: nd.compute_rate_maps(
        TRACK, by=np.zeros(TRACK.sizes["time"], int)), "?"),
    ("maps smoothed by text", lambda: nd.compute_rate_maps(TRACK, smoothing="4 cm"), "?"),
    ("maps smoothed by NaN", lambda: nd.compute_rate_maps(TRACK, smoothing=np.nan), "?"),
    ("maps smoothed by less than 0", lambda: nd.compute_rate_maps(TRACK, smoothing=-4), "?"),
    ("maps smoothed by None", lambda: nd.compute_rate_maps(TRACK, smoothing=None), "?"),
    ("smoothing of a Dataset", lambda: nd.smooth_maps(MAPS, 4), "?"),
    ("smoothing of NumPy maps", lambda: nd.smooth_maps(MAPS["rate"].values, 4), "?"),
    ("smoothing of activity", lambda: nd.smooth_maps(TRACK["activity"], 4), "?"),
    ("order of a Dataset", lambda: nd.order_by_peak(MAPS), "?"),
    ("order of maps of several sessions", lambda: nd.order_by_peak(MAPS["rate"]), "?"),
    ("fields of a recording", lambda: nd.detect_place_fields(TRACK), "?"),
    ("fields of rates alone", lambda: nd.detect_place_fields(MAPS["rate"]), "?"),
    ("fields by percent", lambda: nd.detect_place_fields(MAPS, min_fraction=30), "?"),
    ("fields of cells in another order", lambda: nd.detect_place_fields(
        MAPS, place_cells=CELLS.isel(unit=slice(None, None, -1))),
     lambda found: np.array_equal(
         found["n_fields"], nd.detect_place_fields(MAPS, place_cells=CELLS)["n_fields"])),
    ("fields of cells without labels", lambda: nd.detect_place_fields(MAPS, place_cells=CELLS.values), "?"),
    ("fields of other cells", lambda: nd.detect_place_fields(
        MAPS, place_cells=CELLS.isel(unit=slice(3))), "?"),
    ("fields of p", lambda: nd.detect_place_fields(MAPS, place_cells=RESULTS["place_cells"]["p"]), "?"),
    ("sparsity over unknown frames", lambda: nd.compute_sparsity(TRACK, frames="running"), "?"),
    ("sparsity above NaN", lambda: nd.compute_sparsity(TRACK, threshold=np.nan), "?"),
    ("trial averages without trials", lambda: nd.compute_trial_averages(
        TRACK.drop_vars("trial", errors="ignore")), "?"),
    # information
    ("information in bits", lambda: nd.compute_spatial_information(TRACK, measure="bits/spike"), "?"),
    ("information, unknown correction", lambda: nd.compute_spatial_information(
        TRACK, corrections="miller"), "?"),
    ("information, corrections as a number", lambda: nd.compute_spatial_information(
        TRACK, corrections=3), "?"),
    ("information, percent", lambda: nd.compute_spatial_information(
        TRACK, fractions=(10, 50, 100), n_repeats=5), "?"),
    ("information, fractions as a number", lambda: nd.compute_spatial_information(
        TRACK, fractions=0.5, n_repeats=5), "?"),
    ("information, no fractions", lambda: nd.compute_spatial_information(
        TRACK, fractions=(), n_repeats=5), "?"),
    ("information, population as a list", lambda: nd.compute_spatial_information(
        TRACK, population=[0, 1], n_repeats=5), "?"),
    ("information, a list of units as population", lambda: nd.compute_spatial_information(
        TRACK, population=xr.DataArray([0, 1], dims="unit"), n_repeats=5), "?"),
    ("information of responses unknown", lambda: nd.compute_mutual_information(
        TRACK, responses="binary", n_repeats=5), "?"),
    ("information of maps swapped", lambda: nd.compute_spatial_information_from_maps(
        MAPS["occupancy"], MAPS["rate"]), "?"),
    ("information of NumPy maps", lambda: nd.compute_spatial_information_from_maps(
        MAPS["rate"].values, MAPS["occupancy"].values), "?"),
    ("information of maps and a fraction of time", lambda: nd.compute_spatial_information_from_maps(
        MAPS["rate"], (MAPS["occupancy"] / MAPS["occupancy"].sum("position"))), "?"),
    ("informative units of a recording", lambda: nd.detect_informative_units(TRACK), "?"),
    # place cells
    ("place cells, unknown null", lambda: nd.detect_place_cells(TRACK, null="shuffle"), "?"),
    ("place cells, unknown criterion", lambda: nd.detect_place_cells(TRACK, criterion="bonferroni"), "?"),
    ("place cells, unknown combination", lambda: nd.detect_place_cells(TRACK, combine="or"), "?"),
    ("place cells, unknown scope", lambda: nd.detect_place_cells(TRACK, fdr_scope="unit"), "?"),
    ("stability by an unknown split", lambda: nd.compute_map_stability(TRACK, split="odd"), "?"),
    ("stability, unknown null", lambda: nd.compute_map_stability(TRACK, null="circular_exact"), "?"),
    ("criteria as a list", lambda: nd.compare_criteria([CELLS, CELLS]), "?"),
    ("criteria of other units", lambda: nd.compare_criteria(
        {"a": CELLS, "b": CELLS.isel(unit=slice(3))}), "?"),
    ("criteria of p", lambda: nd.compare_criteria({"a": CELLS, "b": RESULTS["place_cells"]["p"]}), "?"),
    ("criteria of NumPy arrays", lambda: nd.compare_criteria({"a": CELLS.values, "b": CELLS.values}), "?"),
    ("one criterion", lambda: nd.compare_criteria({"a": CELLS}), "?"),
    ("null distribution of a name", lambda: nd.compute_null_distribution("mean", np.ones((9, 2))), "?"),
    ("null distribution of one row", lambda: nd.compute_null_distribution(
        np.mean, np.ones(1), n_repeats=3), "?"),
    # drift
    ("drift of a recording", lambda: nd.compute_drift(TRACK), "?"),
    ("drift of rates alone", lambda: nd.compute_drift(MAPS["rate"]), "?"),
    ("drift of unknown units", lambda: nd.compute_drift(MAPS, units="all"), "?"),
    ("drift of place cells that are not given", lambda: nd.compute_drift(MAPS, units="place_cells"), "?"),
    ("drift, place cells without labels", lambda: nd.compute_drift(
        MAPS, place_cells=CELLS.values, n_repeats=5), "?"),
    ("drift, place cells in another order", lambda: nd.compute_drift(
        MAPS, place_cells=CELLS.isel(unit=slice(None, None, -1)), n_repeats=5),
     lambda found: np.allclose(
         found["rate_map_correlation"],
         nd.compute_drift(MAPS, place_cells=CELLS, n_repeats=5)["rate_map_correlation"],
         equal_nan=True)),
    ("drift, place cells of other units", lambda: nd.compute_drift(
        MAPS, place_cells=CELLS.isel(unit=slice(3)), n_repeats=5), "?"),
    ("drift, place cells as p", lambda: nd.compute_drift(
        MAPS, place_cells=RESULTS["place_cells"]["p"], n_repeats=5), "?"),
    ("drift of one session", lambda: nd.compute_drift(
        nd.compute_rate_maps(nd.select_sessions(TRACK, ["1"])), n_repeats=5),
     lambda found: found.sizes["session_a"] == 1),
    ("session drift of whole maps", lambda: nd.compute_session_drift(MAPS), "?"),
    ("half maps by days", lambda: nd.compute_half_maps(TRACK, split="day"), "?"),
    ("representation of maps", lambda: nd.compute_representation_stability(MAPS), "?"),
    ("representation against an unknown session", lambda: nd.compute_representation_stability(
        nd.compute_trial_averages(TRACK) if "trial" in TRACK else MAPS, reference="9"), "?"),
    ("remapping of recordings", lambda: nd.compute_remapping(TRACK, TRACK), "?"),
    ("remapping between other grids", lambda: nd.compute_remapping(
        MAPS, nd.compute_rate_maps(TRACK, binning=nd.Binning(bin_width=10))), "?"),
    ("remapping of unknown pairs", lambda: nd.compute_remapping(MAPS, MAPS, pairs=[("1", "9")]), "?"),
    ("remapping of pairs as text", lambda: nd.compute_remapping(MAPS, MAPS, pairs="12"), "?"),
    ("remapping by an unknown criterion", lambda: nd.compute_remapping(MAPS, MAPS, criterion="p"), "?"),
    ("remapping between other units", lambda: nd.compute_remapping(
        MAPS, MAPS.assign_coords(unit=[f"cell {i}" for i in range(8)])), "?"),
    ("latent space of an unknown session", lambda: nd.fit_latent_space(
        nd.compute_trial_averages(TRACK) if "trial" in TRACK else TRACK, "9"), "?"),
    ("latent space of more factors than units", lambda: nd.fit_latent_space(
        TRACK, "1", n_factors=100), "?"),
    # identity and lag
    ("lag of maps", lambda: nd.check_lag(MAPS), "?"),
    ("lag without position", lambda: nd.check_lag(TRACK.drop_vars(["x", "speed", "direction"])), "?"),
    ("registration of maps", lambda: nd.check_registration(MAPS), "?"),
    ("maps by an unknown split", lambda: nd.detect_maps(TRACK, split="day"), "?"),
    ("labels of a recording", lambda: nd.label_maps(TRACK, TRACK), "?"),
    ("counts of cells without labels", lambda: nd.count_units(TRACK, place_cells=CELLS.values), "?"),
    ("counts of cells as p", lambda: nd.count_units(
        TRACK, place_cells=RESULTS["place_cells"]["p"]), "?"),
    ("sessions by one label", lambda: nd.select_sessions(TRACK, "1"), "?"),
    ("sessions by numbers", lambda: nd.select_sessions(TRACK, [1, 2]), lambda r: r.sizes["session"] == 2),
    ("sessions by index", lambda: nd.select_sessions(TRACK, [0]), "?"),
    ("no session", lambda: nd.select_sessions(TRACK, []), "?"),
    ("sessions as a number", lambda: nd.select_sessions(TRACK, 1), "?"),
    # analyze
    ("analyze unknown measures", lambda: nd.analyze(TRACK, measures=["speed"]), "?"),
    ("analyze one measure as text", lambda: nd.analyze(TRACK, measures="drift"), "?"),
    ("analyze no measures", lambda: nd.analyze(TRACK, measures=[]), "?"),
    ("analyze by an unknown criterion", lambda: nd.analyze(TRACK, criterion="p"), "?"),
    ("analyze unknown map labels", lambda: nd.analyze(TRACK, map_labels=True), "?"),
    ("analyze with an old option", lambda: nd.analyze(TRACK, repetitions=5), "?"),
    # trends
    ("regress an unknown column", lambda: nd.regress(TABLE, "rate", "day"), "?"),
    ("regress on an unknown column", lambda: nd.regress(TABLE, "n_place_cells", "weeks"), "?"),
    ("regress on text", lambda: nd.regress(TABLE, "n_place_cells", "session"), "?"),
    ("regress text", lambda: nd.regress(TABLE, "session", "day"), "?"),
    ("regress a recording", lambda: nd.regress(TRACK, "n_place_cells", "day"), "?"),
    ("regress by an unknown method", lambda: nd.regress(TABLE, "n_place_cells", "day", method="lasso"), "?"),
    ("regress without subject", lambda: nd.regress(TABLE, "n_place_cells", "day", method="mixed"), "?"),
    ("regress, unknown subject", lambda: nd.regress(
        TABLE, "n_place_cells", "day", method="mixed", subject="mouse"), "?"),
    ("regress one row", lambda: nd.regress(TABLE.iloc[:1], "n_place_cells", "day"), "?"),
    ("regress no rows", lambda: nd.regress(TABLE.iloc[:0], "n_place_cells", "day"), "?"),
    ("regress a column on itself", lambda: nd.regress(TABLE, "day", "day"), "?"),
    ("regress on a constant", lambda: nd.regress(TABLE.assign(one=1.0), "n_place_cells", "one"), "?"),
    ("regress on NaN", lambda: nd.regress(TABLE.assign(no=np.nan), "n_place_cells", "no"), "?"),
    ("regress, covariates as text", lambda: nd.regress(
        TABLE, "n_place_cells", "day", covariates="experience"), "?"),
    ("regress, unknown normalization", lambda: nd.regress(
        TABLE, "n_place_cells", "day", normalize="z"), "?"),
    ("regress a dict", lambda: nd.regress({"y": [1, 2], "x": [1, 2]}, "y", "x"), "?"),
    ("tabulate a recording", lambda: nd.tabulate_sessions(TRACK), "?"),
    ("tabulate drift of maps", lambda: nd.tabulate_drift(MAPS), "?"),
    ("pool results", lambda: nd.pool_sessions([RESULTS, RESULTS]), "?"),
    ("pool one table", lambda: nd.pool_sessions(TABLE), "?"),
    ("pool nothing", lambda: nd.pool_sessions([]), "?"),
    ("pool a table twice", lambda: nd.pool_sessions([TABLE, TABLE]), "?"),
    ("phases of a recording", lambda: nd.detect_phases(TRACK), "?"),
    ("phases of unknown measures", lambda: nd.detect_phases(RESULTS, measures=["speed"]), "?"),
    ("phases of measures as text", lambda: nd.detect_phases(RESULTS, measures="n_place_cells"), "?"),
    ("phases along an unknown axis", lambda: nd.detect_phases(RESULTS, axis="week"), "?"),
    ("phases told of results without", lambda: nd.describe_phases(MAPS), "?"),
    ("compare recordings", lambda: nd.compare(TRACK, TRACK), "?"),
    ("compare results with nothing", lambda: nd.compare(RESULTS, None), "?"),
    ("compare results with themselves", lambda: nd.compare(RESULTS, RESULTS, n_repeats=5), "?"),
    ("compare, equal names", lambda: nd.compare(RESULTS, RESULTS, names=["a", "a"], n_repeats=5), "?"),
    ("compare, names as text", lambda: nd.compare(RESULTS, RESULTS, names="ab", n_repeats=5), "?"),
    ("compare, unknown measures", lambda: nd.compare(
        RESULTS, RESULTS, names=["a", "b"], measures=["speed"]), "?"),
    ("compare, unknown axes", lambda: nd.compare(RESULTS, RESULTS, names=["a", "b"], axes=["week"]), "?"),
    ("compare, unknown method", lambda: nd.compare(
        RESULTS, RESULTS, names=["a", "b"], method="ols"), "?"),
    ("statements of results", lambda: nd.describe_statements(RESULTS), "?"),
]


@pytest.mark.parametrize(("call", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_analysis__careless(call, expected, judge):
    judge(call, expected)
