from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neurodrift import compute_rate_maps, recording_from_arrays, testing
from neurodrift.analysis.analyze import analyze
from neurodrift.analysis.drift.ceiling import compute_half_maps, compute_session_drift
from neurodrift.analysis.drift.drift import compute_drift
from neurodrift.analysis.maps.sparsity import compute_sparsity
from neurodrift.analysis.regression.regression import regress
from neurodrift.analysis.regression.tables import tabulate_drift, tabulate_sessions, tabulate_units


def test_session_table__counts_frame_by_frame() -> None:
    recording = testing.linear_track(n_units=4, n_sessions=3, minutes=1, detection=0.6)
    speed = recording["speed"].values.copy()
    speed[:7] = 0.5
    recording = recording.assign(speed=("time", speed, recording["speed"].attrs))
    table = tabulate_sessions(recording)
    for s in range(3):
        own = recording["session_index"].values == s
        running = [v for v in recording["speed"].values[own] if v >= 1]
        assert table["running_time"][s] == pytest.approx(len(running) * 0.05 / 60)
        assert table["running_speed"][s] == pytest.approx(np.mean(running))
        assert table["tracked_time"][s] == pytest.approx(1)
    assert table["n_detected"].tolist() == recording["detected"].values.sum(axis=1).tolist()
    assert table["session_number"].tolist() == [0, 1, 2]
    assert table["experience"].tolist() == recording["experience"].values.tolist()


def test_session_table__adds_measures_by_session_label() -> None:
    recording = testing.linear_track(n_units=4, n_sessions=3, minutes=1)
    measures = compute_sparsity(recording)
    extra = xr.DataArray(
        [3.0, 1.0, 2.0], dims="session", coords={"session": ["3", "1", "2"]}, name="extra"
    )
    table = tabulate_sessions(recording, measures, extra)
    assert table["extra"].tolist() == [1.0, 2.0, 3.0]
    assert table["n_active"].tolist() == measures["n_active"].values.tolist()
    assert "is_active" not in table
    with pytest.raises(ValueError, match="already has a column 'extra'"):
        tabulate_sessions(recording, extra, extra)
    with pytest.raises(ValueError, match="'extra' has no value for session 2"):
        tabulate_sessions(recording, extra.isel(session=[0, 1]))


def test_session_table__without_position_or_speed() -> None:
    recording = recording_from_arrays(
        [np.ones((10, 2))] * 3,
        kind="activation",
        frame_duration=1.0,
        training_step=[0, 5, 9],
        loss=[1.2, 0.5, 0.1],
        accuracy=[0.5, np.nan, 1.0],
    )
    table = tabulate_sessions(recording, compute_sparsity(recording))
    assert table["training_step"].tolist() == [0, 5, 9]
    assert table["loss"].tolist() == [1.2, 0.5, 0.1]
    np.testing.assert_equal(table["accuracy"].tolist(), [0.5, np.nan, 1.0])
    assert table["running_speed"].isna().all()
    assert table["running_time"].isna().all()


def test_drift_table__one_row_for_each_pair() -> None:
    recording = testing.linear_track(n_units=6, n_sessions=4, minutes=2)
    found = compute_drift(compute_rate_maps(recording), n_repeats=0)
    table = tabulate_drift(found)
    assert len(table) == 6
    for row in table.itertuples():
        at = {"session_a": row.session_a, "session_b": row.session_b}
        assert row.rate_map_correlation == float(found["rate_map_correlation"].sel(at))
        assert row.lag == int(row.session_b) - int(row.session_a) > 0
        assert row.lag_day == 2 * row.lag
    assert set(table["subject"]) == {"synthetic"}
    assert "unit_rate_map_correlation" not in table
    with pytest.raises(ValueError, match="expected a drift over pairs"):
        tabulate_drift(compute_sparsity(recording))


def test_drift_table__keeps_the_ceiling_as_lag_zero() -> None:
    recording = testing.linear_track(n_units=6, n_sessions=3, minutes=2)
    table = tabulate_drift(
        compute_session_drift(compute_drift(compute_half_maps(recording), n_repeats=0))
    )
    assert table["lag"].tolist() == [0, 1, 2, 0, 1, 0]
    segments = tabulate_drift(compute_drift(compute_half_maps(recording), n_repeats=0))
    assert len(segments) == 15
    assert {"half_a", "half_b", "session_a", "session_b"} <= set(segments)


def test_drift_table__feeds_regress_over_animals() -> None:
    tables = []
    for seed in range(3):
        recording = testing.linear_track(
            n_units=25, n_sessions=5, minutes=3, drift=0.3, tuned=1.0, peak_rate=8.0, seed=seed
        ).assign_coords(subject=f"m{seed}")
        tables.append(
            tabulate_drift(compute_drift(compute_rate_maps(recording, smoothing=4.0), n_repeats=0))
        )
    fit = regress(
        pd.concat(tables), "rate_map_correlation", "lag", method="subjects", subject="subject"
    )
    assert float(fit["ci_high"].sel(term="lag")) < 0
    assert int(fit["n_rows"]) == 30


@pytest.mark.parametrize(("mouse", "environment"), [("C6_M4", "A"), ("C12_M4", "A")])
def test_session_table__equals_reference(
    shared_data: Path,
    real_recording: Callable[[str, str], xr.Dataset],
    mouse: str,
    environment: str,
) -> None:
    reference = pd.read_csv(shared_data / "sheintuch2020" / "reference_sessions.csv")
    reference = reference[(reference["mouse"] == mouse) & (reference["env"] == environment)]
    table = tabulate_sessions(real_recording(mouse, environment))
    np.testing.assert_allclose(table["running_speed"], reference["mean_run_speed"], atol=5e-5)
    frames = table["running_time"] * 60 / 0.05
    np.testing.assert_allclose(frames, reference["n_running"], rtol=1e-12)
    np.testing.assert_allclose(table["tracked_time"] * 60, reference["dur_track_s"], atol=5e-3)
    assert table["day"].tolist() == reference["day"].tolist()


def test_tabulate_units__a_row_for_each_unit_and_session() -> None:
    track = testing.linear_track(n_units=7, n_sessions=3, minutes=4, detection=0.7, seed=4)
    results = analyze(track, n_repeats=10, n_draws=1)
    table = tabulate_units(results)
    assert len(table) == 21 and table.columns.is_unique
    cells, maps = results["place_cells"].to_dataset(), results["maps"].to_dataset()
    for row in table.to_dict("records"):
        at = {"session": row["session"], "unit": row["unit"]}
        there = bool(maps["detected"].sel(at))
        assert row["detected"] is there
        assert row["day"] == float(maps["day"].sel(session=row["session"]))
        if not there:  # which is not silent
            missing = [
                row[name] for name in ("is_place_cell", "is_active", "n_events", "p_forward")
            ]
            assert all(pd.isna(value) for value in missing)
            continue
        assert row["is_place_cell"] == bool(cells["is_place_cell"].sel(at))
        for way, name in ((1, "forward"), (-1, "backward")):
            np.testing.assert_equal(
                row[f"p_{name}"], float(cells["p"].sel(at | {"direction": way}))
            )
        events = track["activity"].sel(unit=row["unit"]).values
        own = events[track["session_index"].values == int(row["session"]) - 1]
        assert row["n_events"] == own.sum()
    assert 0 < table["detected"].sum() < 21


def test_tabulate_units__does_not_mind_the_order_of_units() -> None:
    track = testing.linear_track(n_units=5, n_sessions=2, minutes=2)
    results = analyze(track, n_repeats=5, measures=["place_cells"])
    nodes = {name: node.to_dataset() for name, node in results.children.items()}
    nodes["place_cells"] = nodes["place_cells"].isel(unit=slice(None, None, -1))
    turned = xr.DataTree.from_dict({"/": results.to_dataset(), **nodes})
    pd.testing.assert_frame_equal(tabulate_units(turned), tabulate_units(results))


def test_tabulate_units__refuses() -> None:
    with pytest.raises(TypeError, match="results"):
        tabulate_units(testing.linear_track(n_units=2, n_sessions=1, minutes=1))
    with pytest.raises(ValueError, match="hold no unit"):
        tabulate_units(xr.DataTree())


def test_drift_table__has_what_other_nodes_say_of_the_pairs() -> None:
    track = testing.linear_track(n_units=12, n_sessions=3, minutes=4, drift=0.3)
    results = analyze(track, measures=["session_drift", "drift_index", "decoding", "steps"])
    table = tabulate_drift(results)
    later = table["lag"].to_numpy() > 0
    first, second = np.triu_indices(3, 1)
    for node, name, column in (
        ("drift_index", "drift_index_above_control", "drift_index_above_control"),
        ("decoding", "relative", "decoding_relative"),
        ("decoding", "error", "decoding_error"),
        ("steps", "mean_square_step", "mean_square_step"),
    ):
        pairs = results[node][name].transpose("session_a", "session_b").values
        np.testing.assert_allclose(table[column].to_numpy()[later], pairs[first, second])
        assert table[column][~later].isna().all()
    assert "structure_relative" not in table
