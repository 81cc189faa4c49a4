from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from neurodrift import recording_from_arrays, testing
from neurodrift.analysis.maps.sparsity import compute_sparsity


def literal(recording: xr.Dataset, min_events: float, threshold: float, frames: str) -> dict:
    """Sparsity written out frame by frame."""
    counted = recording["activity"].attrs["kind"] in ("spikes", "events")
    x = recording["x"].values if "x" in recording else None
    result: dict[str, list] = {"n_events": [], "n_active": [], "active_fraction": []}
    for s in range(recording.sizes["session"]):
        events, above, entries, active = [], 0, 0, 0
        for u in range(recording.sizes["unit"]):
            if not recording["detected"].values[s, u]:
                events.append(np.nan)
                continue
            n = 0.0
            for t in range(recording.sizes["time"]):
                if recording["session_index"].values[t] != s:
                    continue
                if frames != "all" and x is not None and np.isnan(x[t]):
                    continue
                if frames == "running" and not recording["speed"].values[t] >= 1:
                    continue
                value = float(recording["activity"].values[t, u])
                entries += 1
                above += value > threshold
                n += value if counted else float(value > threshold)
            events.append(n)
            active += n >= min_events
        result["n_events"].append(events)
        result["n_active"].append(active)
        result["active_fraction"].append(above / entries if entries else np.nan)
    return result


def small_recording(seed: int, kind: str = "events") -> xr.Dataset:
    rng = np.random.default_rng(seed)
    activity, x, speed, detected = [], [], [], rng.random((3, 4)) < 0.7
    detected[rng.integers(3, size=4), np.arange(4)] = True
    for n in (30, 20, 25):
        values = rng.poisson(0.3, (n, 4)) if kind == "events" else rng.normal(0, 1, (n, 4))
        activity.append(np.abs(values) if kind == "amplitudes" else values)
        x.append(np.where(rng.random(n) < 0.2, np.nan, rng.uniform(0, 100, n)))
        speed.append(rng.uniform(0, 3, n))
    return recording_from_arrays(
        activity, kind=kind, x=x, speed=speed, detected=detected, frame_duration=0.1
    )


@pytest.mark.parametrize("kind", ["events", "activation", "amplitudes"])
@pytest.mark.parametrize("frames", ["all", "tracked", "running"])
@pytest.mark.parametrize("seed", range(3))
def test_sparsity__equals_literal_count(kind: str, frames: str, seed: int) -> None:
    recording = small_recording(seed, kind)
    found = compute_sparsity(recording, min_events=4, threshold=0.5, frames=frames)
    expected = literal(recording, 4, 0.5, frames)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name].values, values, err_msg=name)
    n_detected = recording["detected"].values.sum(axis=1)
    np.testing.assert_array_equal(
        found["fraction_active_units"].values, expected["n_active"] / n_detected
    )
    np.testing.assert_array_equal(
        found["fraction_active_of_union"].values, np.array(expected["n_active"]) / 4
    )


def test_sparsity__matches_the_matrix_of_the_paper() -> None:
    # rows are units, columns are inputs; binarised: 1 1 0 / 0 0 0 / 1 0 0 / 1 1 1
    activation = np.array([[2.0, 0.5, 0], [0, 0, 0], [0.1, 0, 0], [1, 1, 1]]).T
    found = compute_sparsity(
        recording_from_arrays([activation], kind="activation", frame_duration=1.0)
    )
    assert float(found["active_fraction"][0]) == 6 / 12
    assert float(found["fraction_active_units"][0]) == 3 / 4
    assert found["mean_activity"].attrs["units"] == "a.u."
    mean = activation.mean(axis=0)
    expected = mean.mean() ** 2 / (mean**2).mean()
    assert float(found["population_sparseness"][0]) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("kind", ["events", "activation"])
@pytest.mark.parametrize(
    "chunks", [{"time": -1, "unit": 1}, {"time": 7, "unit": 2}, {"time": 30, "unit": -1}]
)
def test_sparsity__same_bits_for_dask(kind: str, chunks: dict[str, int]) -> None:
    recording = small_recording(5, kind)
    lazy = compute_sparsity(recording.chunk(chunks))
    assert lazy["n_events"].chunks is not None
    assert lazy["population_sparseness"].chunks is not None
    xr.testing.assert_identical(lazy.compute(), compute_sparsity(recording))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), kind=st.sampled_from(["events", "activation"]))
def test_sparsity__order_of_units_does_not_matter(seed: int, kind: str) -> None:
    recording = small_recording(seed, kind)
    order = np.random.default_rng(seed).permutation(4)
    shuffled = compute_sparsity(recording.isel(unit=order))
    xr.testing.assert_identical(
        shuffled.isel(unit=np.argsort(order)).drop_vars("unit"),
        compute_sparsity(recording).drop_vars("unit"),
    )


@settings(max_examples=25, deadline=None)
@example(seed=9)  # a session in which no unit was detected
@given(seed=st.integers(0, 10_000))
def test_sparsity__laws(seed: int) -> None:
    recording = small_recording(seed, "activation")
    one, more = compute_sparsity(recording), compute_sparsity(recording, min_events=5)
    assert (more["n_active"] <= one["n_active"]).all()
    higher = compute_sparsity(recording, threshold=0.7)["active_fraction"]
    known = (one["n_frames"] > 0) & (one["n_detected"] > 0)  # otherwise there is no share of time
    assert (one["active_fraction"].notnull() == known).all()
    assert (higher <= one["active_fraction"]).where(known, True).all()
    for name in ("fraction_active_units", "fraction_active_of_union", "active_fraction"):
        inside = (one[name] >= 0) & (one[name] <= 1)
        assert inside.where(known, True).all()
    positive = recording.assign(activity=abs(recording["activity"]).assign_attrs(kind="activation"))
    ratio = compute_sparsity(positive)["population_sparseness"] * positive["detected"].sum("unit")
    inside = (ratio > 1 - 1e-12) & (ratio <= positive["detected"].sum("unit") * (1 + 1e-12))
    assert inside.where(known, True).all()


def test_sparsity__finds_silenced_units() -> None:
    shape = {"n_units": 30, "n_sessions": 4, "silencing": 0.2, "seed": 3}
    recording = testing.linear_track(minutes=5, detection=0.9, **shape)
    truth = testing.linear_track_truth(**shape)["is_active"].values
    found = compute_sparsity(recording)["is_active"].values
    np.testing.assert_array_equal(found, truth & recording["detected"].values)


def test_sparsity__rate_criterion_and_default_thresholds() -> None:
    events = np.zeros((1000, 3), dtype=int)
    events[:4, 0], events[:5, 1], events[:20, 2] = 1, 1, 1
    recording = recording_from_arrays([events], kind="spikes", frame_duration=0.1)
    assert compute_sparsity(recording)["is_active"].values.tolist() == [[False, True, True]]
    # 5 events in 100 s are 0.05 Hz
    assert compute_sparsity(recording, min_rate=0.1)["is_active"].values.tolist() == [
        [False, False, True]
    ]
    # a unit that has the least rate itself is active
    assert compute_sparsity(recording, min_rate=0.05)["is_active"].values.tolist() == [
        [False, True, True]
    ]
    assert compute_sparsity(recording)["mean_activity"].values.tolist() == [[0.04, 0.05, 0.2]]


def test_sparsity__session_that_was_not_tracked() -> None:
    recording = recording_from_arrays(
        [np.ones((10, 2), int)] * 2,
        kind="events",
        frame_duration=0.1,
        x=[np.linspace(0, 1, 10), np.full(10, np.nan)],
    )
    found = compute_sparsity(recording)
    assert found["n_frames"].values.tolist() == [10, 0]
    assert np.isnan(found["active_fraction"].values[1])
    assert found["n_active"].values.tolist() == [2, 0]
    assert compute_sparsity(recording, frames="all")["n_active"].values.tolist() == [2, 2]


def test_sparsity__silent_and_undetected_units_differ() -> None:
    recording = recording_from_arrays(
        [np.zeros((10, 2), int)] * 2,
        kind="events",
        frame_duration=0.1,
        detected=[[True, True], [True, False]],
    )
    found = compute_sparsity(recording)
    assert found["n_events"].values[1, 0] == 0
    assert np.isnan(found["n_events"].values[1, 1])
    assert np.isnan(found["population_sparseness"].values).all()


def test_sparsity__refuses_unknown_frames_and_missing_speed() -> None:
    recording = testing.linear_track(n_units=2, n_sessions=1, minutes=1)
    with pytest.raises(ValueError, match="frames is 'some', expected 'all', 'tracked'"):
        compute_sparsity(recording, frames="some")
    with pytest.raises(ValueError, match="has no speed"):
        compute_sparsity(recording.drop_vars("speed"), frames="running")


@pytest.mark.parametrize(
    ("mouse", "environment"), [("C6_M4", "A"), ("C6_M4", "B"), ("C12_M4", "A")]
)
def test_sparsity__equals_reference(
    shared_data: Path,
    real_recording: Callable[[str, str], xr.Dataset],
    mouse: str,
    environment: str,
) -> None:
    reference = pd.read_csv(shared_data / "sheintuch2020" / "reference_sessions.csv")
    reference = reference[(reference["mouse"] == mouse) & (reference["env"] == environment)]
    recording = real_recording(mouse, environment)
    # The reference counts cells that were never registered, too; the fixture leaves them out.
    registered = recording["detected"].sum("unit").values
    assert registered.tolist() == reference["n_cells_registered"].tolist()
    found = compute_sparsity(recording)
    missed = reference["n_cells"].to_numpy() - registered
    assert (found["n_active"].values <= reference["n_active"]).all()
    assert (found["n_active"].values >= reference["n_active"] - missed).all()
    whole = missed == 0
    np.testing.assert_array_equal(found["n_active"].values[whole], reference["n_active"][whole])
    np.testing.assert_allclose(
        found["fraction_active_of_union"].values[whole],
        reference["frac_active_of_union"][whole],
        atol=5e-7,
    )
    np.testing.assert_allclose(
        found["events_per_unit"].values[whole], reference["events_per_cell"][whole], atol=5e-5
    )
    assert found["n_frames"].values.tolist() == reference["frames_track"].tolist()
