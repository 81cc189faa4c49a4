"""Example cells are chosen by the rule, whatever the order of units; laps and halves are stored."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.analysis.drift.examples import ROLES, choose_examples


def made(alike, place, detected):
    """Results of cells whose maps correlate as told: (unit) or (unit, session)."""
    n_units, n_sessions = detected.shape
    units = [f"c{i}" for i in range(n_units)]
    coords = {"unit": units, "session": np.arange(n_sessions)}
    matrix = np.broadcast_to(alike, (n_sessions, n_sessions, 1, n_units)).copy()
    drift = xr.Dataset(
        {"unit_rate_map_correlation": (("session_a", "session_b", "direction", "unit"), matrix)},
        coords={"unit": units},
    )
    sparsity = xr.Dataset(
        {
            "detected": (("unit", "session"), detected),
            "n_events": (("unit", "session"), np.where(detected, 20.0, np.nan)),
        },
        coords=coords,
    )
    cells = xr.Dataset({"is_place_cell": (("unit", "session"), place)}, coords=coords)
    return cells, drift, sparsity


def by_hand(alike, place, detected):
    """The rule, literally."""
    n_units, n_sessions = detected.shape
    ranked = []
    for u in range(n_units):
        there = [s for s in range(n_sessions) if detected[u, s]]
        times = sum(place[u, s] for s in range(n_sessions))
        if len(there) >= 2 / 3 * n_sessions and times >= len(there) / 2 and times:
            ranked.append((-alike[u], u))
    order = [u for _, u in sorted(ranked)]
    middle = (len(order) - 2) // 2
    return {"steady": order[:2], "typical": order[middle : middle + 2], "changed": order[:-3:-1]}


@pytest.mark.parametrize("seed", range(5))
def test_choose_examples__literally(seed):
    rng = np.random.default_rng(seed)
    alike = rng.permutation(40) / 40
    detected = rng.random((40, 6)) < 0.85
    place = detected & (rng.random((40, 6)) < 0.7)
    found = choose_examples(*made(alike, place, detected))
    assert list(found) == list(ROLES)
    expected = {
        role: [f"c{u}" for u in some] for role, some in by_hand(alike, place, detected).items()
    }
    assert found == expected


def test_choose_examples__in_any_order_of_units():
    rng = np.random.default_rng(1)
    alike, detected = np.round(rng.random(30), 1), np.ones((30, 4), dtype=bool)
    parts = made(alike, detected, detected)
    order = rng.permutation(30)
    assert choose_examples(*(part.isel(unit=order) for part in parts)) == choose_examples(*parts)


def test_choose_examples__a_cell_that_falls_silent_is_not_steady():
    alike, detected = np.full(12, 0.5), np.ones((12, 4), dtype=bool)
    cells, drift, sparsity = made(alike, detected, detected)
    values = drift["unit_rate_map_correlation"].values
    values[:, :, 0, 0] = np.nan
    values[0, 1, 0, 0] = values[1, 0, 0, 0] = 0.99  # silent after two sessions
    assert "c0" in choose_examples(cells, drift, sparsity)["changed"]


def test_choose_examples__few_cells_and_no_place_cell():
    detected = np.ones((3, 2), dtype=bool)
    cells, drift, sparsity = made(np.array([0.1, 0.5, 0.9]), ~detected, detected)
    found = choose_examples(cells, drift, sparsity)
    everyone = [label for some in found.values() for label in some]
    assert sorted(everyone) == ["c0", "c1", "c2"]
    assert sum(len(some) for some in choose_examples(None, drift, sparsity).values()) == 3


@pytest.fixture(scope="module")
def recording():
    return nd.testing.linear_track(n_units=8, n_sessions=3, minutes=3, detection=0.9, seed=5)


@pytest.fixture(scope="module")
def results(recording):
    return nd.analyze(recording, measures=["half_maps", "lap_maps", "sessions", "smoothed_maps"])


def test_lap_maps__are_counts_over_time(recording, results):
    """Rates of single laps by a loop over frames."""
    laps = results["lap_maps"].to_dataset()
    x, lap = recording["x"].values, recording["lap"].values
    index, speed = recording["session_index"].values, recording["speed"].values
    way, activity = recording["direction"].values, recording["activity"].values
    lasting = recording["frame_duration"].values
    labels = [str(name) for name in recording["session"].values]
    units = recording["unit"].values.tolist()
    edges = np.append(laps["x_bin"].values - 2, laps["x_bin"].values[-1] + 2)
    rng = np.random.default_rng(0)
    for i in rng.integers(0, laps.sizes["segment"], 12):
        one = laps.isel(segment=int(i))
        own = (index == labels.index(str(one["session"].item()))) & (lap == int(one["lap"]))
        for d, direction in enumerate(laps["direction"].values):
            frames = own & (speed >= 1) & (way == direction) & np.isfinite(x)
            for unit in laps["unit"].values.tolist():
                column = units.index(unit)
                for b in range(edges.size - 1):
                    inside = frames & (x <= edges[b + 1])
                    inside &= (x > edges[b]) if b else (x >= edges[b])
                    found = float(one["rate"].sel(unit=unit).isel(direction=d, position=b))
                    there = bool(
                        recording["detected"].values[
                            labels.index(str(one["session"].item())), column
                        ]
                    )
                    if not inside.any() or not there:
                        assert np.isnan(found)
                    else:
                        rate = activity[inside, column].sum() / lasting[inside].sum()
                        assert found == pytest.approx(rate, rel=1e-6)


def test_lap_maps__laps_are_counted(recording, results):
    lap, index = recording["lap"].values, recording["session_index"].values
    running = (recording["speed"].values >= 1) & np.isfinite(recording["x"].values)
    running &= recording["direction"].values != 0
    expected = [np.unique(lap[(index == i) & (lap >= 0) & running]).size for i in range(3)]
    assert results["sessions"]["n_laps"].values.tolist() == expected


def test_half_maps__are_those_of_compute_half_maps(recording, results):
    halves = nd.compute_half_maps(recording, smoothing=4.0, split="trial")
    found = results["half_maps"]["rate"]
    assert found.dims == ("session", "half", "unit", "direction", "position")
    for i in range(halves.sizes["segment"]):
        one = halves["rate"].isel(segment=i)
        at = found.sel(session=str(one["session"].item())).isel(half=int(one["half"]))
        np.testing.assert_allclose(at.values, one.values, rtol=1e-6)


def test_half_maps__of_the_map_in_which_most_time_was_spent():
    recording = nd.testing.several_maps([[1, 2, 1, 1, 1], [2, 2, 1, 2, 2]], n_units=6, minutes=1.0)
    results = nd.analyze(recording, measures=["half_maps"])
    halves = nd.compute_half_maps(recording, smoothing=4.0, split="trial")
    seconds = halves["occupancy"].sum(("direction", "position")).values
    for s, name in enumerate(results["half_maps"]["session"].values):
        own = halves["session"].values == name
        spent = {m: seconds[own & (halves["map_label"].values == m)].sum() for m in (1, 2)}
        most = max(spent, key=spent.get)
        for half in (0, 1):
            at = own & (halves["map_label"].values == most) & (halves["half"].values == half)
            assert at.sum() == 1 and most == (1, 2)[s]
            found = results["half_maps"]["rate"].values[s, half]
            np.testing.assert_allclose(found, halves["rate"].values[at][0], rtol=1e-6)
