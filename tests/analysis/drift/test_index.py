"""The drift index against a literal version of the authors' definition, and known truth."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import xarray as xr
from known_animals import make

import neurodrift as nd

BINNING = nd.Binning(bin_width=5.0, edges=np.linspace(0, 100, 21))


def animal(truth="independent", seed=0, **options):
    options = {"n_units": 6, "n_sessions": 3, "n_laps": 40} | options
    return make(truth, np.random.default_rng(seed), **options).recording


def parts_of(recording, session, circle=False):
    """Events and seconds (part, unit, direction x bin) of eight parts, from the frames."""
    index = recording["session_index"].values == session
    x, way = recording["x"].values[index], None
    if not circle:
        way = recording["direction"].values[index]
    lap, fast = recording["lap"].values[index], recording["speed"].values[index]
    activity = recording["activity"].values[index].astype(float)
    step = recording["frame_duration"].values[index]
    rank = np.unique(lap, return_inverse=True)[1] // 2 % 8
    events, seconds = [], []
    for part in range(8):
        own_events, own_seconds = [], []
        for direction in (1, -1) if not circle else (None,):
            for i in range(20):
                here = (rank == part) & (fast > 2) & (np.searchsorted(BINNING.edges, x) - 1 == i)
                if direction is not None:
                    here &= way == direction
                own_events.append(activity[here].sum(axis=0))
                own_seconds.append(step[here].sum())
        events.append(np.array(own_events).T)
        seconds.append(np.array(own_seconds))
    return np.array(events), np.array(seconds)


def c(a, b):
    with np.errstate(invalid="ignore"):
        return np.corrcoef(a, b)[0, 1]


def literal(first, second, unit, within="both"):
    """The index of one unit, every division, one after the other."""
    w, b = [], []
    for chosen in combinations(range(8), 4):
        if 0 not in chosen:
            continue
        other = [part for part in range(8) if part not in chosen]
        maps = []
        for events, seconds in (first, second):
            for parts in (list(chosen), other):
                maps.append(events[parts, unit].sum(axis=0) / seconds[parts].sum(axis=0))
        a1, a2, b1, b2 = maps
        inside = c(a1, a2) if within == "first" else (c(a1, a2) + c(b1, b2)) / 2
        across = (c(a1, b2) + c(a2, b1)) / 2
        if np.isfinite(inside + across):
            w.append(max(inside, 0))
            b.append(max(across, 0))
    w, b = np.mean(w), np.mean(b)
    w = 1e-3 if w <= 0 else w
    return (w - b) / (w + b)


@pytest.mark.parametrize("within", ["both", "first"])
@pytest.mark.parametrize("seed", [0, 1])
def test_index__is_the_literal_one(within, seed):
    recording = animal(seed=seed)
    found = nd.compute_drift_index(recording, binning=BINNING, smoothing=0, within=within)
    parts = [parts_of(recording, s) for s in range(3)]
    for a, b in combinations(range(3), 2):
        wanted = [literal(parts[a], parts[b], unit, within) for unit in range(6)]
        own = found["unit_drift_index"].values[a, b]
        assert np.allclose(own, wanted, rtol=0, atol=1e-9)
        assert np.allclose(found["drift_index"].values[a, b], np.mean(wanted), atol=1e-9)
        assert found["drift_index_n"].values[a, b] == 6


def test_index__control_is_halves_as_sessions():
    recording = animal()
    found = nd.compute_drift_index(recording, binning=BINNING, smoothing=0)
    events, seconds = parts_of(recording, 1)
    for unit in range(3):
        w, b = [], []
        for four in combinations(range(8), 4):
            if 0 not in four:
                continue
            rest = [part for part in range(8) if part not in four]
            for i in (1, 2, 3):
                maps = []
                for own in (list(four), rest):
                    one = [own[0], own[i]]
                    for parts in (one, [part for part in own if part not in one]):
                        maps.append(events[parts, unit].sum(0) / seconds[parts].sum(0))
                a1, a2, b1, b2 = maps
                inside, across = (c(a1, a2) + c(b1, b2)) / 2, (c(a1, b2) + c(a2, b1)) / 2
                if np.isfinite(inside + across):
                    w.append(max(inside, 0))
                    b.append(max(across, 0))
        wanted = (np.mean(w) - np.mean(b)) / (np.mean(w) + np.mean(b))
        assert np.isclose(found["unit_drift_index"].values[1, 1, unit], wanted, atol=1e-9)


def test_index__moves_with_the_code_and_only_then():
    values = {}
    for truth in ("stable", "independent", "rates", "events"):
        found = [
            nd.compute_drift_index(animal(truth, seed, n_units=30, n_sessions=4))
            for seed in range(2)
        ]
        values[truth] = np.mean([one["drift_index_above_control"].values[0, 3] for one in found])
    assert values["independent"] > 0.2
    assert abs(values["stable"]) < 0.03 and abs(values["rates"]) < 0.05


def test_index__of_maps_without_noise_is_one_formula():
    recording = animal("independent", n_units=40, n_sessions=2, peak=200.0)
    found = nd.compute_drift_index(recording, binning=BINNING, smoothing=4)
    maps = nd.compute_rate_maps(recording, binning=BINNING, smoothing=4)["rate"]
    rows = maps.transpose("session", "unit", ...).values.reshape(2, 40, -1)
    rho = np.array([c(rows[0, u], rows[1, u]) for u in range(40)])
    wanted = (1 - rho) / (1 + rho)
    own = found["unit_drift_index"].values[0, 1]
    assert np.abs(own - wanted)[rho > 0.1].max() < 0.06


def test_index__undetected_unregistered_and_lazy():
    recording = animal(n_sessions=3)
    detected = recording["detected"].copy()
    detected[1, 2] = False
    activity = recording["activity"].copy()
    activity[recording["session_index"].values == 1, 2] = 0
    recording = recording.assign(detected=detected, activity=activity)
    recording = recording.assign_coords(registered=("unit", [True] * 5 + [False]))
    found = nd.compute_drift_index(recording)
    assert found.sizes["unit"] == 5
    own = found["unit_drift_index"].values
    assert np.isnan(own[0, 1, 2]) and np.isnan(own[1, 1, 2]) and np.isfinite(own[0, 2, 2])
    assert found["drift_index_n"].values[0, 1] == 4
    xr.testing.assert_identical(nd.compute_drift_index(recording.chunk(time=500)), found)


def test_index__nothing_registered():
    recording = animal(n_sessions=2).assign_coords(registered=("unit", [False] * 6))
    found = nd.compute_drift_index(recording)
    assert found.sizes["unit"] == 0 and (found["drift_index_n"] == 0).all()
    assert np.isnan(found["drift_index"]).all()


def test_index__one_session_few_laps_and_circle():
    one = nd.compute_drift_index(animal(n_sessions=1))
    assert one["drift_index"].shape == (1, 1) and np.isfinite(one["drift_index"].item())
    few = nd.compute_drift_index(animal(n_laps=6, n_sessions=2))  # three pairs of laps
    assert few.attrs["n_parts"] == 2
    assert np.isfinite(few["drift_index"].values[0, 1])
    assert np.isnan(few["drift_index_above_control"].values[0, 1])
    round_track = nd.compute_drift_index(animal("shift", circle=True, n_sessions=2))
    assert round_track["drift_index_above_control"].values[0, 1] > 0.05


def test_index__session_that_lacks_a_part_is_nan():
    recording = animal(n_sessions=3)
    x = recording["x"].values.copy()
    lap = recording["lap"].values // 2 % 8
    x[(recording["session_index"].values == 1) & (lap == 3)] = np.nan
    values = nd.compute_drift_index(recording.assign(x=("time", x)))["drift_index"].values
    assert np.isnan(values[1]).all() and np.isnan(values[:, 1]).all() and np.isfinite(values[0, 2])


def test_index__bad_options():
    with pytest.raises(ValueError, match="split is 'half'"):
        nd.compute_drift_index(animal(), split="half")
    with pytest.raises(ValueError, match="no trial: use 'block'"):
        nd.compute_drift_index(animal(), split="trial")
    with pytest.raises(ValueError, match="within"):
        nd.compute_drift_index(animal(), within="second")
