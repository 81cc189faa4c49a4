"""Similarity before, across and after an intervention."""

from itertools import combinations

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import neurodrift as nd


def drift(n=8, lost=0.3, rate=0.03, seed=0, days=None):
    rng = np.random.default_rng(seed)
    days = 2.0 * np.arange(n) if days is None else np.asarray(days, dtype=float)
    lag = np.abs(days[None] - days[:, None])
    side = np.arange(n) >= n // 2
    noise = rng.normal(0, 0.01, (n, n))
    values = 0.9 - rate * lag - lost * (side[:, None] != side) + (noise + noise.T) / 2
    np.fill_diagonal(values, np.nan)
    names = [f"day {k}" for k in range(n)]
    pair = ("session_a", "session_b")
    coords = {"session_a": names, "session_b": names, "lag_day": (pair, days[None] - days[:, None])}
    return xr.Dataset({"same": (pair, values)}, coords=coords)


def literal_drop(table, side):
    values, lags = table["same"].values, np.abs(table["lag_day"].values)
    rows = [
        (1, lags[a, b], lags[a, b] ** 2, -float(side[a] != side[b]), values[a, b])
        for a, b in combinations(range(len(side)), 2)
    ]
    *design, y = np.array(rows).T
    return np.linalg.lstsq(np.array(design).T, y, rcond=None)[0][-1]


def test_compare_around__literal():
    table = drift(n=6)
    found = nd.compare_around(table, measure="same", day=6.0)
    side = np.arange(6) >= 3
    np.testing.assert_allclose(found["drop"], literal_drop(table, side), atol=1e-9)
    step = table["same"].values[np.arange(5), np.arange(1, 6)]
    others = np.delete(step, 2)
    np.testing.assert_allclose(found["loss"], others.mean() - step[2], atol=1e-12)
    t = (others.mean() - step[2]) / (others.std(ddof=1) * np.sqrt(1 + 1 / 4))
    np.testing.assert_allclose(found["p"], 2 * stats.t.sf(abs(t), 3), rtol=1e-9)
    assert int(found["n_nights"]) == 4
    assert found["n_pairs"].values.tolist() == [3, 9, 3]
    before = table["same"].values[:3, :3][np.triu_indices(3, 1)]
    slope = np.polyfit([2.0, 4.0, 2.0], before, 1)[0]
    np.testing.assert_allclose(found["slope"][0], slope, atol=1e-9)


def test_compare_around__finds_the_loss_and_only_it():
    found = nd.compare_around(drift(), measure="same", day=8.0)
    assert abs(float(found["drop"]) - 0.3) < 0.03 and float(found["p"]) < 0.05
    np.testing.assert_allclose(found["slope"].values, -0.03, atol=0.01)
    none = [
        float(nd.compare_around(drift(lost=0.0, seed=k), measure="same", day=8.0)["p"])
        for k in range(40)
    ]
    assert np.mean(np.array(none) <= 0.05) <= 0.125
    labels = nd.compare_around(
        drift(),
        measure="same",
        before=[f"day {k}" for k in range(4)],
        after=[f"day {k}" for k in range(4, 8)],
    )
    xr.testing.assert_allclose(found, labels)


def walks(seed, n=8, n_units=60, jumps=1.0):
    """Similarity of units whose tuning walks each night, all a little or few altogether."""
    rng = np.random.default_rng(seed)
    place = [rng.normal(size=(n_units, 40))]
    for _ in range(n - 1):
        new = rng.normal(size=(n_units, 40))
        moved = 0.9 * place[-1] + np.sqrt(1 - 0.9**2) * new if jumps == 1 else new
        place.append(np.where(rng.random((n_units, 1)) < jumps, moved, place[-1]))
    same = np.corrcoef(np.reshape(place, (n, -1)))
    np.fill_diagonal(same, np.nan)
    return drift(n=n).assign(same=(("session_a", "session_b"), same))


@pytest.mark.parametrize("jumps", [1.0, 0.1])
def test_compare_around__a_walk_is_no_intervention(jumps):
    found = [nd.compare_around(walks(k, jumps=jumps), measure="same", day=8.0) for k in range(200)]
    low = np.mean([float(one["p"]) <= 0.05 for one in found])
    assert low <= 0.105  # 200 animals: 5 % + 3.5 standard errors


def test_compare_around__lags_that_differ():
    table = drift(days=[0, 1, 3, 4, 9, 10, 12, 13], lost=0.0, rate=0.05)
    found = nd.compare_around(table, measure="same", day=9.0)
    assert abs(float(found["loss"])) < 0.1 and float(found["p"]) > 0.05
    step = table["same"].values[np.arange(7), np.arange(1, 8)]
    own = [0, 1, 2, 4, 5, 6]
    gaps = np.diff([0, 1, 3, 4, 9, 10, 12, 13]).astype(float)
    slope, level = np.polyfit(gaps[own], step[own], 1)
    np.testing.assert_allclose(found["loss"], level + slope * 5 - step[3], atol=1e-9)


def test_compare_around__nights_beyond_laps():
    table = drift(n=6)
    night = [f"day {k} to day {k + 1}" for k in range(5)]
    excess = np.array([0.02, 0.03, 0.2, 0.01, 0.02])
    table = table.assign_coords(night=night).assign(excess=("night", excess))
    found = nd.compare_around(table, measure="same", day=6.0)
    others = np.delete(excess, 2)
    t = (0.2 - others.mean()) / (others.std(ddof=1) * np.sqrt(1 + 1 / 4))
    np.testing.assert_allclose(found["night_p"], 2 * stats.t.sf(t, 3), rtol=1e-9)
    np.testing.assert_allclose(found["other_nights"], 0.02)
    # without the first session after, no night lies across
    some = nd.compare_around(
        table, measure="same", before=["day 0", "day 1", "day 2"], after=["day 4", "day 5"]
    )
    assert np.isnan(some["night_p"])


def test_compare_around__too_few_sessions():
    found = nd.compare_around(drift(n=3), measure="same", day=2.0)
    assert np.isnan(found["drop"]) and np.isnan(found["p"])


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"measure": "other", "day": 1.0}, "expected one of same"),
        ({"measure": "same"}, "give day"),
        ({"measure": "same", "day": 1.0, "before": ["day 0"]}, "not both"),
        ({"measure": "same", "before": ["day 0"]}, "before or after is missing"),
        ({"measure": "same", "before": ["x"], "after": ["day 1"]}, "no session 'x'"),
        ({"measure": "same", "before": ["day 1"], "after": ["day 1"]}, "before and after"),
    ],
)
def test_compare_around__bad_options(options, text):
    with pytest.raises(ValueError, match=text):
        nd.compare_around(drift(), **options)
