from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodrift import (
    compute_rate_maps,
    compute_representation_stability,
    compute_trial_averages,
    open_results,
    recording_from_arrays,
    save_results,
    tabulate_drift,
    testing,
)
from neurodrift.schema.json import description_faults
from neurodrift.schema.results import REPRESENTATION

RNG = np.random.default_rng(0)


def snapshots(*sessions: np.ndarray, **given) -> xr.Dataset:
    return recording_from_arrays(
        [np.asarray(item, dtype=float) for item in sessions],
        **{"kind": "activation", "frame_duration": 1.0, "training_step": range(len(sessions))}
        | given,
    )


def pair(a: np.ndarray, b: np.ndarray, **given) -> dict[str, float]:
    found = compute_representation_stability(snapshots(a, b, **given), reference="1")
    found = found.isel(session_a=0).sel(session_b="2")
    return {name: found[name].item() for name in found.data_vars if found[name].dims == ()} | {
        "unit_r_squared": found["unit_r_squared"].values
    }


def literal(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    """Every measure by its definition, in loops, with NaN where a value is not known."""
    units = [
        u for u in range(a.shape[1]) if np.isfinite(a[:, u]).any() and np.isfinite(b[:, u]).any()
    ]
    rows = [s for s in range(len(a)) if all(np.isfinite(a[s, u] + b[s, u]) for u in units)]
    x = [[float(a[s, u]) for u in units] for s in rows]
    y = [[float(b[s, u]) for u in units] for s in rows]
    n, k = len(rows), len(units)

    def pearson(first: list[float], second: list[float]) -> float:
        if len(set(first)) < 2 or len(set(second)) < 2:
            return np.nan
        return float(np.corrcoef(first, second)[0, 1])

    def flat(table: list[list[float]], order=None) -> list[float]:
        return [row[u] for row in table for u in (order or range(k))]

    def without_means(table: list[list[float]]) -> list[list[float]]:
        means = [sum(row[u] for row in table) / n for u in range(k)]
        moving = [len({row[u] for row in table}) > 1 for u in range(k)]
        return [[(row[u] - means[u]) * moving[u] for u in range(k)] for row in table]

    own_x, own_y = without_means(x), without_means(y)
    of_unit = [pearson([r[u] for r in x], [r[u] for r in y]) ** 2 for u in range(k)]
    moves = [[len({r[u] for r in table}) > 1 for u in range(k)] for table in (x, y)]
    lost = sum(p and not q for p, q in zip(*moves, strict=True))
    change = sum((q - p) ** 2 for p, q in zip(flat(x), flat(y), strict=True))
    mean = sum(flat(x)) / (n * k)
    orders = list(permutations(range(k)))
    found = {
        "correlation": pearson(flat(x), flat(y)),
        "r_squared": pearson(flat(x), flat(y)) ** 2,
        "r_squared_permuted": np.mean([pearson(flat(x), flat(y, o)) ** 2 for o in orders]),
        "r_squared_centred": pearson(flat(own_x), flat(own_y)) ** 2,
        "r_squared_centred_permuted": np.mean(
            [pearson(flat(own_x), flat(own_y, o)) ** 2 for o in orders]
        ),
        "determination": 1 - change / sum(v**2 for v in flat(own_x)),
        "determination_pooled": 1 - change / sum((v - mean) ** 2 for v in flat(x)),
        "mean_unit_r_squared": np.nanmean(of_unit),
        "mean_unit_r_squared_lost": np.nansum(of_unit) / (np.isfinite(of_unit).sum() + lost),
        "n_samples": n,
        "n_units": k,
        "n_units_varying": int(np.isfinite(of_unit).sum()),
        "n_units_lost": lost,
        "n_units_gained": sum(q and not p for p, q in zip(*moves, strict=True)),
    }
    whole = np.full(a.shape[1], np.nan)
    whole[units] = of_unit
    return found | {"unit_r_squared": whole}


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), n_samples=st.integers(3, 8))
def test_representation_stability__is_the_literal_one(seed, n_samples):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n_samples, 5)) + rng.normal(size=5)
    b = 0.5 * a + rng.normal(size=a.shape)
    a[:, 0], b[:, 1] = 0.3, 0.0  # gained, lost
    detected = np.ones((2, 5), dtype=bool)
    detected[rng.integers(2), 4] = False
    found = pair(a, b, detected=detected)
    for values, row in zip((a, b), detected, strict=True):
        values[:, ~row] = np.nan
    expected = literal(a, b)
    assert found["n_units"] == 4 and found["n_units_lost"] == found["n_units_gained"] == 1
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-12, err_msg=name)


def test_representation_stability__known_truths():
    a = RNG.gamma(1.0, size=(4000, 40)) * RNG.gamma(1.0, size=40)
    same = pair(a, a)
    for name in ("r_squared", "r_squared_centred", "determination", "determination_pooled"):
        assert same[name] == pytest.approx(1, abs=1e-12)
    assert same["mean_unit_r_squared_lost"] == pytest.approx(1, abs=1e-12)

    scaled = pair(a, 2 * a)
    assert scaled["r_squared"] == pytest.approx(1) and scaled["determination"] < 0
    assert scaled["determination"] < scaled["determination_pooled"]
    negative = pair(a, -a)
    assert negative["r_squared"] == pytest.approx(1)
    assert negative["correlation"] == pytest.approx(-1)

    # independent noise of the units' own variance: half the variance of each is shared
    own = (a - a.mean(axis=0)) / a.std(axis=0)
    noisy = pair(own, own + RNG.normal(size=a.shape))
    assert noisy["r_squared_centred"] == pytest.approx(0.5, abs=0.01)
    assert noisy["mean_unit_r_squared"] == pytest.approx(0.5, abs=0.01)
    assert noisy["determination"] == pytest.approx(0, abs=0.01)
    again = pair(own, RNG.normal(size=a.shape))
    assert again["r_squared"] < 1e-3 and again["determination"] == pytest.approx(-1, abs=0.02)


def test_representation_stability__mean_rates_alone_make_the_pooled_one_high():
    rates = 3 * np.arange(20.0)
    a, b = (rates + RNG.normal(size=(500, 20)) for _ in range(2))
    found = pair(a, b)
    assert found["r_squared"] > 0.99 and found["r_squared_centred"] < 0.01
    assert found["mean_unit_r_squared"] < 0.01 and found["determination"] < -0.5
    assert found["determination_pooled"] > 0.99


def test_representation_stability__permuted_units_are_at_the_baseline():
    rng = np.random.default_rng(5)
    task = rng.normal(size=(300, 3))
    a = task @ rng.normal(size=(3, 60))
    a -= a.mean(axis=0)
    orders = [rng.permutation(60) for _ in range(500)]
    observed = np.mean([np.corrcoef(a.ravel(), a[:, order].ravel())[0, 1] ** 2 for order in orders])
    first, second = pair(a, a[:, orders[0]] + 7), pair(a, a[:, orders[1]])
    expected = first["r_squared_centred_permuted"]
    assert second["r_squared_centred_permuted"] == pytest.approx(expected)  # whatever the order
    assert observed == pytest.approx(expected, rel=0.25) and expected < 0.05
    assert first["r_squared_centred"] < 0.2 and pair(a, a)["r_squared_centred"] > 0.999


def test_representation_stability__every_pair_and_its_coordinates():
    sessions = [RNG.random((30, 6)) for _ in range(4)]
    detected = RNG.random((4, 6)) < 0.8
    detected[0] = True
    recording = snapshots(
        *sessions,
        detected=detected,
        accuracy=[0.5, 0.6, np.nan, 1.0],
        loss=[4, 3, 2, 1],
        training_step=[0, 10, 20, 40],
    )
    whole = compute_representation_stability(recording)
    assert description_faults(whole.assign_attrs(format_version=2), REPRESENTATION) == []
    for a in "1234":
        for b in "1234":
            chosen = snapshots(sessions[int(a) - 1], sessions[int(b) - 1])
            chosen["detected"] = ("session", "unit"), detected[[int(a) - 1, int(b) - 1]]
            chosen = chosen.isel(unit=np.flatnonzero(chosen["detected"].any("session")))
            alone = compute_representation_stability(chosen, per_unit=False)
            for name in alone.data_vars:
                value = whole[name].sel(session_a=a, session_b=b).item()
                np.testing.assert_allclose(value, alone[name].values[0, 1], 1e-12, err_msg=name)
    assert whole["lag_training_step"].sel(session_a="2", session_b="4").item() == 30
    np.testing.assert_equal(whole["accuracy_b"].values, [0.5, 0.6, np.nan, 1.0])
    assert whole["loss_a"].values.tolist() == [4, 3, 2, 1]
    some = compute_representation_stability(recording, reference=["3", "1"])
    xr.testing.assert_identical(some, whole.sel(session_a=["3", "1"]))
    table = tabulate_drift(whole.drop_vars("unit_r_squared"))
    assert len(table) == 10 and (table[table["lag"] == 0]["r_squared"] > 1 - 1e-12).all()


def test_representation_stability__same_bits_from_dask_two_sessions_at_a_time():
    import dask

    sessions = [RNG.random((50, 7)) for _ in range(5)]
    recording = snapshots(*sessions)
    lazy = recording.assign(activity=recording["activity"].chunk({"time": 50, "unit": 3}))
    loaded = []

    def watch(graph, keys, **options):
        found = dask.get(graph, keys, **options)
        loaded.append(np.asarray(found[0]).shape)
        return found

    with dask.config.set(scheduler=watch):
        found = compute_representation_stability(lazy)
    xr.testing.assert_identical(found, compute_representation_stability(recording))
    # each pair once, every session alone: the reference, and those after it
    assert loaded == [(50, 7)] * 15


def test_representation_stability__store_there_and_back(tmp_path):
    found = compute_representation_stability(
        snapshots(*RNG.random((3, 20, 4)), accuracy=[0, 0.5, 1])
    )
    save_results(xr.DataTree.from_dict({"representation": found}), tmp_path / "r.zarr")
    back = open_results(tmp_path / "r.zarr")["representation"].to_dataset()
    xr.testing.assert_equal(back.compute(), found)


def test_representation_stability__one_session_one_unit_constant_units():
    one = compute_representation_stability(snapshots(RNG.random((9, 2))))
    assert one["r_squared"].values.tolist() == [[1.0]]
    single = pair(RNG.random((9, 1)), RNG.random((9, 1)))
    assert np.isnan(single["r_squared_permuted"]) and 0 <= single["r_squared"] <= 1
    flat = pair(np.full((9, 3), 0.1), RNG.random((9, 3)))
    assert flat["n_units_gained"] == 3 and flat["n_units_varying"] == 0
    for name in ("r_squared", "r_squared_centred", "determination", "mean_unit_r_squared"):
        assert np.isnan(flat[name])
    never = compute_representation_stability(
        snapshots(*RNG.random((2, 5, 2)), detected=[[1, 0], [0, 1]])
    )
    assert never["n_units"].values.tolist() == [[1, 0], [0, 1]]
    assert never["n_samples"].values.tolist() == [[5, 0], [0, 5]]
    assert np.isnan(never["r_squared"].values[0, 1])


def test_representation_stability__unregistered_units_are_left_out():
    sessions = RNG.random((2, 20, 4))
    recording = snapshots(*sessions, registered=[True, False, True, True])
    found = compute_representation_stability(recording)
    assert found["unit"].values.tolist() == [0, 2, 3]
    expected = compute_representation_stability(snapshots(*sessions[:, :, [0, 2, 3]]))
    np.testing.assert_array_equal(found["r_squared"], expected["r_squared"])


def test_representation_stability__rate_maps_and_trial_averages():
    recording = testing.linear_track(n_units=30, n_sessions=4, drift=0.3, detection=0.8)
    maps = compute_rate_maps(recording, smoothing=4.0)
    found = compute_representation_stability(maps)
    curve = found["r_squared_centred"].where(found["lag"] > 0).groupby("lag").mean()
    assert curve.sel(lag=1) > curve.sel(lag=3) > found["r_squared_centred_permuted"].mean()
    rates = maps["rate"].transpose("session", "direction", "position", "unit")
    a, b = (rates.values[i].reshape(-1, 30) for i in (0, 3))
    n_units = int((maps["detected"][0] & maps["detected"][3]).sum())
    assert found["n_units"].values[0, 3] == n_units
    rows = np.isfinite(a).any(axis=1) & np.isfinite(b).any(axis=1)
    keep = (maps["detected"][0] & maps["detected"][3]).values
    r = np.corrcoef(a[rows][:, keep].ravel(), b[rows][:, keep].ravel())[0, 1]
    assert found["r_squared"].values[0, 3] == pytest.approx(r**2)
    by_trial = compute_representation_stability(compute_trial_averages(recording, n_bins=5))
    assert by_trial.attrs["samples"] == "trial averages" and by_trial["n_samples"].max() == 5


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (lambda: testing.linear_track(n_units=3, minutes=1), {}, "x is .* in frame .* Compare"),
        (lambda: snapshots(RNG.random((4, 2)), RNG.random((5, 2))), {}, "have 4 and 5 frames"),
        (
            lambda: snapshots(*RNG.random((2, 2, 2)), trial=[[1, 2], [1, 3]]),
            {},
            "sessions '1' and '2' do not .*: trial is 2 and 3 in frame 1. Compare neurodrift",
        ),
        (lambda: snapshots(RNG.random((4, 2))), {"reference": "7"}, r"no session '7'; there are"),
        (lambda: snapshots(RNG.random((4, 2))), {"reference": ["1", "1"]}, "different sessions"),
        (lambda: snapshots(RNG.random((4, 2))), {"reference": []}, "one or several"),
        (
            lambda: compute_rate_maps(testing.linear_track(n_units=3, minutes=1), by="lap"),
            {},
            "expected a recording, .* over .'segment', 'unit'",
        ),
        (lambda: xr.Dataset({"a": 1}), {}, "got a Dataset of a over"),
    ],
)
def test_representation_stability__bad_input(make, options, message):
    with pytest.raises(ValueError, match=message):
        compute_representation_stability(make(), **options)


def test_representation_stability__refuses_what_is_no_dataset():
    with pytest.raises(TypeError, match="got ndarray"):
        compute_representation_stability(np.zeros((2, 2)))


def test_representation_stability__real_mouse(real_recording):
    maps = compute_rate_maps(real_recording("C6_M4", "A"), smoothing=4.0)
    found = compute_representation_stability(maps)
    by_lag = {
        name: [float(found[name].where(found["lag"] == lag).mean()) for lag in range(8)]
        for name in ("r_squared", "r_squared_centred", "determination", "r_squared_permuted")
    }
    for name in ("r_squared", "r_squared_centred", "determination"):
        assert by_lag[name][1] > by_lag[name][3] > by_lag[name][6], name
    assert max(by_lag["r_squared_permuted"][1:]) < 1e-3
    # units keep their place for a while, but their events are few: the strict measure is below 0
    assert by_lag["r_squared"][7] > 0.1 and by_lag["determination"][7] < 0

    rates = maps["rate"].transpose("session", "direction", "position", "unit").values
    a, b = (rates[i].reshape(-1, rates.shape[-1]) for i in (0, 7))
    both = (maps["detected"][0] & maps["detected"][7]).values
    seen = np.isfinite(a[:, both]).all(axis=1) & np.isfinite(b[:, both]).all(axis=1)
    a, b = a[seen][:, both], b[seen][:, both]
    pair = found.isel(session_a=0, session_b=7)
    assert int(pair["n_units"]) == both.sum() and int(pair["n_samples"]) == seen.sum()
    assert float(pair["r_squared"]) == pytest.approx(np.corrcoef(a.ravel(), b.ravel())[0, 1] ** 2)
    assert float(pair["determination"]) == pytest.approx(
        1 - ((a - b) ** 2).sum() / ((a - a.mean(axis=0)) ** 2).sum()
    )
    moving = (np.ptp(a, axis=0) > 0) & (np.ptp(b, axis=0) > 0)
    of_unit = [np.corrcoef(a[:, u], b[:, u])[0, 1] ** 2 for u in np.flatnonzero(moving)]
    assert float(pair["mean_unit_r_squared"]) == pytest.approx(np.mean(of_unit))


def test_representation_stability__what_one_way_loses_the_other_gains():
    # units 0 and 1 vary in both sessions, 2 and 3 in the first alone, 4 in the second alone
    first = np.array([[0.0, 1, 2, 1, 3], [1, 0, 4, 5, 3], [2, 3, 0, 2, 3]])
    second = np.array([[1.0, 0, 2, 2, 0], [0, 2, 2, 2, 5], [4, 1, 2, 2, 1]])
    recording = recording_from_arrays(
        [first, second], kind="activation", frame_duration=1.0, training_step=[0, 1]
    )
    found = compute_representation_stability(recording)
    assert found["n_units_lost"].values.tolist() == [[0, 2], [1, 0]]
    assert found["n_units_gained"].values.tolist() == [[0, 1], [2, 0]]
    r2 = [np.corrcoef(first[:, u], second[:, u])[0, 1] ** 2 for u in (0, 1)]
    expected = [[sum(r2) / (2 + lost) for lost in row] for row in ((0, 2), (1, 0))]
    lost = found["mean_unit_r_squared_lost"].values
    assert lost[0, 1] == pytest.approx(expected[0][1])
    assert lost[1, 0] == pytest.approx(expected[1][0])
