from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.analysis.maps.binning import Binning
from neurodrift.schema.json import description_faults
from neurodrift.schema.results import RESULTS

BINS = Binning(edges=np.arange(0, 101, 5.0))


@pytest.fixture(scope="module")
def recording():
    return nd.testing.linear_track(
        n_units=12, n_sessions=4, minutes=4, silencing=0.1, detection=0.9, seed=2
    )


@pytest.fixture(scope="module")
def results(recording):
    return nd.analyze(recording, binning=BINS, n_repeats=10, n_draws=1)


def test_analyze__nodes_are_what_the_functions_give(recording, results):
    maps = nd.compute_rate_maps(recording, binning=BINS)
    np.testing.assert_array_equal(results["maps"]["rate"].values, maps["rate"].values)
    cells = nd.detect_place_cells(recording, binning=BINS)
    np.testing.assert_array_equal(results["place_cells"]["p"].values, cells["p"].values)
    smoothed = nd.compute_rate_maps(recording, binning=BINS, smoothing=5.0)  # one bin
    np.testing.assert_array_equal(results["smoothed_maps"]["rate"].values, smoothed["rate"].values)
    drift = nd.compute_drift(
        smoothed,
        place_cells=cells["significant"],
        active=nd.compute_sparsity(recording)["is_active"],
    )
    np.testing.assert_array_equal(
        results["drift"]["rate_map_correlation"].values, drift["rate_map_correlation"].values
    )


def test_analyze__session_measures_equal_a_loop(results):
    cells, information = results["place_cells"], results["information"]
    for i in range(4):
        significant = cells["significant"].values[i]
        for name in ("naive", "ssr"):
            expected = np.nanmean(information[name].values[i][significant])
            found = results["sessions"][f"information_{name}"].values[i]
            np.testing.assert_allclose(found, expected, rtol=1e-12)
        n_place = cells["is_place_cell"].values[i].sum()
        n_detected = results["maps"]["detected"].values[i].sum()
        found = results["sessions"]["fraction_place_cells"].values[i]
        assert found == n_place / n_detected


def test_analyze__sessions_have_the_matched_measures(results):
    sessions, matched = (results[name].to_dataset() for name in ("sessions", "matched"))
    for name in ("fraction_active_units", "fraction_place_cells", "information"):
        np.testing.assert_array_equal(sessions[f"{name}_matched"], matched[name])


def test_analyze__information_of_a_session_is_cross_fitted(recording, results):
    found = nd.compute_cross_fitted_information(recording, binning=BINS, n_repeats=2)
    sessions = results["sessions"].to_dataset()
    for ours, theirs in (
        ("information", "information"),
        ("information_se", "information_se"),
        ("n_chosen_maps", "n_chosen"),
        ("information_population", "population"),
    ):
        np.testing.assert_array_equal(sessions[ours].values, found[theirs].values)
    slopes = results["regression"]["measure"].values.tolist()
    assert "information" in slopes and "information_population" in slopes
    assert not any(name.endswith(("_se", "_bae")) for name in slopes)
    assert "information_bae" not in sessions


def test_analyze__every_step_counts_its_own_units(recording, results):
    detected, cells = recording["detected"].values, results["place_cells"]
    active = results["sparsity"]["is_active"].values & detected
    significant, p = cells["significant"].values, cells["p"].values
    n_directions = np.isfinite(p).sum(axis=-1, keepdims=True)
    corrected = np.where(np.isfinite(p), p * n_directions, 1.0)
    for i in range(4):
        n_active = sum(bool(active[i, u]) for u in range(12))
        n_tested = sum(any(np.isfinite(p[i, u])) for u in range(12))
        n_place = sum(any(corrected[i, u] < 0.05) for u in range(12))
        counts = results["quality"]["n_units"].isel(session=i)
        found = [counts.sel(step=step).item() for step in ("active", "tested", "place_cells")]
        assert found == [n_active, n_tested, n_place]
        assert results["sessions"]["n_tested"].values[i] == n_tested
        assert results["sessions"]["fraction_place_of_active"].values[i] == n_place / n_active
        # the criteria are compared among the units that were tested
        both = results["agreement"].isel(session=i).sel(criterion="information", other="stability")
        names = ("both", "only_criterion", "only_other", "neither")
        assert sum(both[name].item() for name in names) == n_tested
        # fields are those of significant maps
        fields = results["place_fields"]["n_fields"].values[i]
        np.testing.assert_array_equal(np.isfinite(fields), significant[i])
        for j in range(i + 1, 4):
            common = sum(active[i, u] and active[j, u] for u in range(12))
            either = sum(active[i, u] or active[j, u] for u in range(12))
            assert results["drift"]["active_cell_overlap"].values[i, j] == common / either


def test_analyze__slopes_equal_regress(recording, results):
    sessions = results["sessions"].to_dataset().to_dataframe().reset_index()
    fit = nd.regress(sessions, "fraction_active_units", "day")
    found = results["regression"].sel(measure="fraction_active_units", predictor="day")
    assert float(found["slope"]) == float(fit["estimate"].sel(term="day"))
    assert float(found["p"]) == float(fit["p"].sel(term="day"))


def test_analyze__parameters_are_kept(results):
    parameters = json.loads(results.attrs["parameters"])
    assert parameters["seed"] == 0
    assert parameters["smoothing"] == 5.0
    assert parameters["binning"]["edges"][-1] == 100.0
    assert results.attrs["neurodrift_version"] == nd.__version__


def test_analyze__chunks_and_order_of_units_change_no_bit(recording, results):
    order = np.random.default_rng(0).permutation(recording.sizes["unit"])
    other = recording.isel(unit=order).chunk(unit=5, time=777)
    found = nd.analyze(other, binning=BINS, n_repeats=10, n_draws=1)
    for name in results.children:
        for variable, array in results[name].data_vars.items():
            moved = found[name][variable]
            if "unit" in array.dims:
                moved = moved.sel(unit=array["unit"].values)
            np.testing.assert_array_equal(moved.values, array.values, err_msg=f"{name}/{variable}")


def test_analyze__round_trip_through_zarr(results, tmp_path):
    path = nd.save_results(results, tmp_path / "results.zarr")
    back = nd.open_results(path)
    for name in results.children:
        xr.testing.assert_equal(back[name].to_dataset(), results[name].to_dataset())
        assert description_faults(back[name].to_dataset(), RESULTS[name]) == [], name
    assert set(back.children) == set(RESULTS)


def test_analyze__one_unit_one_session():
    single = nd.testing.linear_track(n_units=1, n_sessions=1, minutes=4)
    results = nd.analyze(single, binning=BINS, n_repeats=10, n_draws=1)
    assert results["drift"].sizes == {"session_a": 1, "session_b": 1} | {
        k: v for k, v in results["drift"].sizes.items() if not k.startswith("session")
    }
    assert "slopes" in str(nd.summary(results))


def test_analyze__silent_and_missing_units(recording):
    activity = recording["activity"].values.copy()
    activity[:, 0] = 0
    activity[recording["direction"].values == -1, 1] = 0
    changed = recording.copy()
    changed["activity"] = recording["activity"].copy(data=activity)
    results = nd.analyze(changed, binning=BINS, n_repeats=10, n_draws=1)
    assert np.isnan(results["place_cells"]["p"].sel(unit=0)).all()
    assert not results["place_cells"]["is_place_cell"].sel(unit=0).any()
    # a unit that is silent in one direction is tested in the other, and counts as tested
    p = results["place_cells"]["p"].transpose("session", "unit", "direction").values
    for i in range(4):
        n_tested = sum(any(np.isfinite(of_unit)) for of_unit in p[i])
        assert n_tested > sum(all(np.isfinite(of_unit)) for of_unit in p[i]) or i > 0
        assert results["sessions"]["n_tested"].values[i] == n_tested
        assert results["quality"]["n_units"].isel(session=i).sel(step="tested") == n_tested


def test_analyze__quality_counts_units_and_warns_of_maps():
    labels = [[1, 2, 1], [1, 1, 2], [2, 2, 1]]
    switching = nd.testing.several_maps(labels, n_units=60, minutes=2)
    given = nd.analyze(switching, n_repeats=5, n_draws=1)
    assert "map_switches" not in given.children and given.attrs["n_maps"] == 2
    quality = given["quality"].to_dataset()
    n_place = given["place_cells"]["is_place_cell"].sum("unit")
    np.testing.assert_array_equal(quality["n_units"].sel(step="place_cells"), n_place)
    assert json.loads(quality.attrs["warnings"]) == []
    fields = given["place_fields"]["n_fields"].values
    np.testing.assert_array_equal(fields >= 1, given["place_cells"]["significant"].values)
    bare = switching.drop_vars("map_label")
    results = nd.analyze(bare, n_repeats=5, n_draws=1)
    (sentence,) = json.loads(results["quality"].attrs["warnings"])
    assert "switch between 2 maps" in sentence and sentence in str(nd.summary(results))
    used = nd.analyze(bare, n_repeats=5, n_draws=1, map_labels="detect")
    assert json.loads(used["quality"].attrs["warnings"]) == []
    for name in ("session_drift", "sessions"):
        xr.testing.assert_equal(used[name].to_dataset(), given[name].to_dataset())


def test_analyze__without_position_there_is_sparsity_and_drift(recording):
    bare = recording.drop_vars(["x", "speed", "direction", "trial", "lap"])
    results = nd.analyze(bare)
    nodes = {"sparsity", "drift", "time_constant", "turnover", "quality"}
    nodes |= {"sessions", "regression", "phases"}
    assert set(results.children) == nodes
    assert "verdict" not in results["quality"]
    assert np.isfinite(results["drift"]["ensemble_rate_correlation"].values[0, 1])
    assert "ensemble rate correlation" in str(nd.summary(results))


def test_analyze__two_dimensions():
    rng = np.random.default_rng(0)
    n = 6000
    steps = rng.normal(0, 2, (2, n)).cumsum(axis=1)
    x, y = 50 * (1 + np.sin(steps / 15))
    field = np.exp(-((x - 30) ** 2 + (y - 60) ** 2) / 2 / 12**2)
    events = rng.poisson(np.column_stack([0.5 * field, np.full(n, 0.05)]))
    flat = nd.recording_from_arrays(
        [events, events], kind="events", x=[x, x], y=[y, y], frame_duration=0.1
    )
    results = nd.analyze(flat, binning=Binning(bin_width=10), n_repeats=10, n_draws=1)
    assert results["maps"]["rate"].sizes["direction"] == 1
    assert "y_bin" in results["maps"].coords
    assert results["place_cells"]["is_place_cell"].values.tolist()[0][0]


def test_analyze__simulated_activations_need_no_branch():
    rng = np.random.default_rng(1)
    position = np.tile(np.linspace(0, 100, 100), 4)
    units = np.maximum(0, rng.normal(size=(1, 8)) + np.cos(position[:, None] / 10 + np.arange(8)))
    snapshots = [units, np.maximum(0, units - 0.3)]
    run = nd.recording_from_arrays(
        snapshots,
        kind="activation",
        x=[position, position],
        frame_duration=1.0,
        training_step=[0, 1000],
        subject="run 0",
        environment="track",
    )
    results = nd.analyze(run, binning=BINS, n_repeats=10, n_draws=1)
    assert "training_step" in results["sessions"].variables
    assert results["maps"]["rate"].attrs["units"] == "a.u."


def test_analyze__refuses_what_is_no_recording():
    with pytest.raises(TypeError, match="expected a recording"):
        nd.analyze(np.zeros(3))


def test_analyze__measures_choose_nodes_and_change_no_number(recording, results):
    some = nd.analyze(
        recording, binning=BINS, n_repeats=10, n_draws=1, measures=["drift", "regression"]
    )
    assert set(some.children) == {
        *("sparsity", "maps", "smoothed_maps", "informative", "information", "place_cells"),
        *("drift", "sessions", "regression"),
    }
    for name in some.children:  # nodes that were not asked for add no measures
        own, whole = some[name].to_dataset(), results[name].to_dataset()
        whole = whole.sel(measure=own["measure"]) if name == "regression" else whole
        xr.testing.assert_identical(own, whole[list(own.data_vars)])
    for name in ("maps", "sessions", "session_drift"):
        some = nd.analyze(recording, binning=BINS, n_repeats=5, n_draws=1, measures=[name])
        text = str(nd.summary(some))
        assert text.startswith(str(recording["subject"].values))
    with pytest.raises(ValueError, match="measures has 'rates', expected some of map_switches"):
        nd.analyze(recording, measures=["rates"])
    with pytest.raises(TypeError, match=r"expected a list of names: \['drift'\]"):
        nd.analyze(recording, measures="drift")


def test_analyze__says_what_was_left_out_and_why(recording):
    bare = nd.analyze(recording.drop_vars(["x", "speed", "direction", "trial", "lap"]))
    left_out = json.loads(bare.attrs["left_out"])
    assert set(left_out) == set(RESULTS) - set(bare.children)
    assert left_out["maps"] == "the recording has no position"
    assert "left out, because the recording has no position: map_switches, maps" in str(
        nd.summary(bare)
    )


def test_analyze__binning_is_a_binning(recording):
    with pytest.raises(TypeError, match=r"for bins of 4 cm, Binning\(bin_width=4\)"):
        nd.analyze(recording, binning=4)
    one = nd.analyze(recording, bin_width=10, measures=["maps"])
    expected = nd.compute_rate_maps(recording, binning=Binning(bin_width=10))
    np.testing.assert_array_equal(one["maps"]["rate"].values, expected["rate"].values)


def test_nodes__each_has_its_variables_and_a_row_in_the_docs():
    from pathlib import Path

    from neurodrift.analysis.nodes.__main__ import table_of_nodes
    from neurodrift.analysis.nodes.node import NEEDS
    from neurodrift.analysis.nodes.table import NODES

    assert [node.name for node in NODES if node.name not in RESULTS] == []
    assert {node.name for node in NODES} == set(RESULTS)
    assert {need for node in NODES for need in node.needs} == set(NEEDS)
    names = [node.name for node in NODES]
    for i, node in enumerate(NODES):
        assert set(node.uses) <= set(names[:i]), f"{node.name} uses a later node"
    page = Path(__file__).resolve().parents[2] / "docs" / "nodes.md"
    assert page.read_text() == table_of_nodes()


def test_results__stand_for_what_they_hold(recording, results):
    sessions = nd.tabulate_sessions(results)
    assert sessions["subject"].unique().tolist() == [str(recording["subject"].values)]
    np.testing.assert_array_equal(
        sessions["n_place_cells"], results["sessions"]["n_place_cells"].values
    )
    pairs = nd.tabulate_drift(results)
    expected = nd.tabulate_drift(
        results["session_drift"].to_dataset().assign_coords(recording[["subject"]].coords)
    )
    np.testing.assert_array_equal(pairs["rate_map_correlation"], expected["rate_map_correlation"])
    assert set(pairs["subject"]) == {str(recording["subject"].values)}
    fit = nd.regress(results, "fraction_active_units", "day")
    slope = results["regression"]["slope"].sel(measure="fraction_active_units", predictor="day")
    assert float(fit["estimate"].sel(term="day")) == float(slope)
    assert nd.describe_phases(results) == nd.describe_phases(results["phases"].to_dataset())
    informative = nd.detect_informative_units(results)["is_informative"]
    np.testing.assert_array_equal(informative, results["informative"]["is_informative"])
    drift = nd.compute_drift(results)["ensemble_rate_correlation"].values
    np.testing.assert_array_equal(drift, results["drift"]["ensemble_rate_correlation"].values)
    with pytest.raises(ValueError, match="have no node phases, only sparsity"):
        nd.describe_phases(nd.analyze(recording, measures=["sparsity"]))


def test_analyze__warns_of_positions_that_are_one_bin():
    x = np.tile(np.linspace(0.0, 1.0, 60), 10)  # a track of 1, as toy tasks have
    tuned = np.exp(-(((x[:, None] - np.linspace(0, 1, 12)) / 0.1) ** 2))
    network = nd.recording_from_checkpoints([tuned, tuned[:, ::-1]], x, steps=[0, 100])
    with pytest.warns(UserWarning, match="positions span 1 cm, which is 1 bin: maps"):
        nd.analyze(network)
    found = nd.analyze(network, bin_width=0.1)
    assert found["maps"].sizes["position"] == 10


def failing(monkeypatch, name, error):
    """Let one node fail by a fault of our own."""
    import neurodrift.analysis.analyze as module

    def fails(work):
        raise error

    nodes = [
        replace(node, compute=fails) if node.name == name else node
        for node in module.chosen_nodes(["sessions", "alignment"])
    ]
    monkeypatch.setattr(module, "chosen_nodes", lambda measures: nodes)


def test_analyze__a_node_that_fails_takes_no_other_along(recording, monkeypatch):
    failing(monkeypatch, "alignment", np.linalg.LinAlgError("Eigenvalues did not converge"))
    with pytest.warns(UserWarning, match="'alignment' is left out, it failed by a fault"):
        found = nd.analyze(recording, binning=BINS, n_repeats=10, n_draws=1)
    assert "alignment" not in found.children and "sessions" in found.children
    assert "Eigenvalues did not converge" in json.loads(found.attrs["left_out"])["alignment"]


def test_analyze__a_fault_of_what_others_need_is_raised_with_the_name_of_the_node(
    recording, monkeypatch
):
    failing(monkeypatch, "sparsity", KeyError("unit"))
    with pytest.raises(KeyError) as caught:
        nd.analyze(recording, binning=BINS, n_repeats=10, n_draws=1)
    assert caught.value.__notes__ == ["in the node 'sparsity' of neurodrift.analyze"]


def test_analyze__what_has_no_noise_has_no_ceiling():
    rng = np.random.default_rng(0)
    x = np.concatenate([np.linspace(0, 96, 60), np.linspace(96, 0, 60)])
    centre = rng.uniform(0, 96, 20)
    layers = []
    for _ in range(5):
        layers.append(np.exp(-(((x[:, None] - centre) / 10) ** 2)))
        centre = centre + rng.normal(0, 3, 20)
    net = nd.recording_from_checkpoints(layers, x, steps=np.arange(5))
    found = nd.analyze(net)
    assert "session_drift" not in found.children
    assert found["phases"].attrs["similarity"] == "rate_map_correlation"
    drift = found["drift"]["rate_map_correlation"].values
    change = 100 * (1 - np.diagonal(drift, 1).mean())
    assert 100 * float(found["phases"]["neighbour_change"]) == pytest.approx(change, abs=1.0)
