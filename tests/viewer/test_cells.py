from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

import neurodrift as nd
from neurodrift.viewer.cells import Cells, vector_correlations

DROPPED = ("x", "y", "speed", "direction", "trial", "lap")


def without_position(recording):
    return recording.drop_vars([name for name in DROPPED if name in recording])


def test_maps__of_a_recording_are_those_of_its_results(mouse, results):
    told, made = Cells(results), Cells(None, mouse)
    for unit in range(12):
        np.testing.assert_allclose(made.maps(unit).values, told.maps(unit).values, atol=1e-12)
        np.testing.assert_array_equal(made.activity(unit), told.activity(unit))
    assert told.titles == ("1 (day 0)", "2 (day 2)", "3 (day 4)")
    assert made.is_place_cell is None and told.is_place_cell.shape == (3, 12)


def test_maps__read_one_cell_and_not_the_others(mouse):
    read = []

    def noted(block, block_info=None):
        if block_info:
            read.append(block_info[0]["array-location"])
        return block

    chunks = [np.diff([s.start for s in nd.slice_sessions(mouse)] + [mouse.sizes["time"]])]
    lazy = da.from_array(mouse["activity"].values, chunks=(tuple(chunks[0]), 4))
    lazy = lazy.map_blocks(noted, dtype=lazy.dtype, meta=np.empty((0, 0), lazy.dtype))
    cells = Cells(None, mouse.assign(activity=(("time", "unit"), lazy, mouse["activity"].attrs)))
    cells.maps(5)
    assert {location[1] for location in read} == {(4, 8)}
    read.clear()
    cells.maps(5)
    assert not read
    cells.pair(0, 1)
    starts = {location[0] for location in read}
    assert len(starts) == 2 and len({location[1] for location in read}) == 3
    read.clear()
    cells.raster(0, 2)
    assert len(read) == 1


def test_verdicts__are_those_of_the_direction_with_the_smaller_p(results):
    cells = results["place_cells"].to_dataset()
    found = Cells(results).verdicts(3)
    p = cells["p"].isel(unit=3).transpose("session", "direction").values
    detected = cells["is_place_cell"].isel(unit=3).values
    for i in range(3):
        if np.isfinite(p[i]).any():
            best = int(np.nanargmin(p[i]))
            assert found["p"].iloc[i] == p[i, best]
            expected = cells["information"].isel(unit=3, session=i, direction=best)
            assert found["information"].iloc[i] == float(expected)
    assert found["place_cell"].tolist() == detected.tolist()
    counted = cells["n_events"].isel(unit=3).sum("direction", min_count=1).values
    np.testing.assert_array_equal(found["events"].values, counted)


def test_verdicts__of_a_recording_are_events_and_information(mouse, results):
    told = results["information"]["naive"].isel(unit=3).max("direction").values
    found = Cells(None, mouse).verdicts(3)
    seen = np.isfinite(told)
    np.testing.assert_allclose(found["information"].values[seen], told[seen], rtol=1e-9)
    np.testing.assert_array_equal(
        found["events"].values, Cells(results).verdicts(3)["events"].values
    )
    assert found["p"].isna().all() and found["place_cell"].isna().all()


def test_raster__every_event_and_lap(mouse, results):
    part = nd.slice_sessions(mouse)[1]
    unit = int(np.flatnonzero(mouse["detected"].values[1])[0])
    found = Cells(results, mouse).raster(unit, 1)
    active = (mouse["activity"].values[part, unit] > 0) & (mouse["lap"].values[part] >= 0)
    np.testing.assert_array_equal(found.x, mouse["x"].values[part][active])
    np.testing.assert_array_equal(found.row, mouse["lap"].values[part][active])
    assert (found.row_label, found.n_active) == ("lap", int(active.sum()))
    assert Cells(results).raster(unit, 1) is None


def test_lap_map__of_the_examples_of_results(results):
    cells, node = Cells(results), results["lap_maps"].to_dataset()
    label = node["unit"].values[0]
    unit = cells.units.index(str(label))
    found = cells.lap_map(unit, 0)
    own = node["session"].values.astype(str) == "1"
    np.testing.assert_array_equal(
        found.transpose("segment", "direction", "position").values,
        node["rate"]
        .sel(unit=label)
        .isel(segment=own)
        .transpose("segment", "direction", "position")
        .values,
    )
    others = [
        i for i, name in enumerate(cells.units) if name not in node["unit"].values.astype(str)
    ]
    assert cells.lap_map(others[0], 0) is None


def test_pair__of_a_recording_has_the_numbers_of_an_analysis(mouse, results):
    made = Cells(None, mouse).pair(0, 2)
    plain = nd.compute_drift(results["smoothed_maps"].to_dataset(), n_repeats=0)
    for name, value in made.numbers.items():
        np.testing.assert_allclose(value, plain[name].values[0, 2], rtol=1e-9)
    assert set(made.numbers) == {"population_vector_correlation", "rate_map_correlation"}
    told = Cells(results).pair(0, 2)
    place = results["place_cells"]["is_place_cell"].values[[0, 2]].any(axis=0)
    both = mouse["detected"].values[[0, 2]].all(axis=0)
    assert told.a["unit"].values.tolist() == np.flatnonzero(place & both).tolist()
    assert told.numbers["rate_map_correlation"] == float(
        results["drift"]["rate_map_correlation"].values[0, 2]
    )


def test_vector_correlations__are_pearsons():
    rng = np.random.default_rng(0)
    one, other = rng.random((6, 4)), rng.random((6, 5))
    other[2, 1] = np.nan
    one[:, 3] = 2.0
    found = vector_correlations(one, other)
    for i in range(4):
        for j in range(5):
            both = np.isfinite(other[:, j])
            if i == 3:
                assert np.isnan(found[i, j])
            else:
                r = np.corrcoef(one[both, i], other[both, j])[0, 1]
                np.testing.assert_allclose(found[i, j], r)
    assert np.isnan(vector_correlations(one[:2], other[:2])).all()


def test_correlations__of_the_maps_of_one_cell(results):
    cells = Cells(results)
    node = results["drift"]["unit_rate_map_correlation"]
    for unit in range(4):
        found = cells.correlations(unit)
        expected = node.sel(unit=int(cells.units[unit])).mean("direction").values
        apart = ~np.eye(3, dtype=bool)
        np.testing.assert_allclose(found[apart], expected[apart], atol=1e-9)


def test_curve__of_results_with_its_ceiling(results):
    curve = Cells(results).curve()
    pairs = results["session_drift"]["rate_map_correlation"].values
    np.testing.assert_allclose(curve.mean, [np.mean([pairs[0, 1], pairs[1, 2]]), pairs[0, 2]])
    np.testing.assert_allclose(curve.at, [2.0, 4.0])
    assert curve.label == "lag [days]"
    np.testing.assert_allclose(curve.ceiling, np.mean(np.diagonal(pairs)))


def test_cells__without_position_of_one_session_and_with_gaps(mouse):
    still = Cells(None, without_position(mouse))
    assert not still.has_maps and still.maps(0) is None
    pair = still.pair(0, 1)
    assert pair.a.dims == ("unit",) and set(pair.numbers) == {"ensemble_rate_correlation"}
    assert still.raster(0, 0).row_label == "minute"
    one = Cells(None, nd.select_sessions(mouse, ["2"]))
    assert one.curve() is None and one.maps(0).sizes["session"] == 1
    lost = mouse.copy(deep=True)
    lost["x"].values[nd.slice_sessions(mouse)[1]] = np.nan
    gone = Cells(None, lost)
    assert np.isnan(gone.maps(0).values[1]).all() and np.isfinite(gone.maps(0).values[0]).any()
    assert np.isnan(list(gone.pair(0, 1).numbers.values())).all()
    assert gone.raster(0, 1).n_active == 0


@pytest.mark.parametrize("shape", ["field", "circle", "network"])
def test_cells__of_other_geometries(shape):
    if shape == "field":
        recording = nd.testing.open_field(n_units=4, n_sessions=2, minutes=3)
    elif shape == "network":
        recording = nd.load_example("network")
    else:
        time = np.arange(6000) / 20
        counts = np.random.default_rng(1).poisson(0.05, (6000, 3))
        recording = nd.recording_from_arrays(
            counts, kind="events", time=time, x=20 * time % 180, geometry="circular:180"
        )
    cells = Cells(None, recording)
    assert cells.maps(1).sizes["position"] > 5
    assert cells.raster(1, 0).row_label == {"field": "y [cm]", "circle": "lap"}.get(
        shape, "time [min]"
    )
    if shape != "circle":
        assert np.isfinite(cells.pair(0, 1).numbers["population_vector_correlation"])
    assert cells.noun == ("unit" if shape == "network" else "cell")


def test_cells__refuse_what_does_not_belong_together(mouse, results):
    with pytest.raises(ValueError, match="nothing to look at"):
        Cells()
    other = mouse.isel(unit=slice(4))
    with pytest.raises(ValueError, match="results are of another recording: unit 4"):
        Cells(results, other)
    bare = nd.analyze(mouse, measures=["lag"])
    with pytest.raises(ValueError, match="nothing of single cells"):
        Cells(bare)
