from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from neurodrift.analysis.identity.registration import check_registration, registration_warnings
from neurodrift.analysis.identity.shares import (
    _excess,
    _fit,
    _fit_any_speed,
    wrong_shares,
)
from neurodrift.analysis.maps.binning import Binning

MAKE = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "registration.py"))
UPPER = np.triu_indices(5, 1)
OPTIONS = {"binning": Binning(bin_width=5.0), "smoothing": 5.0}


def made(seed: int, **options: float):
    rng = np.random.default_rng(seed)
    return MAKE["recording"](rng, **{"drift": 0.1, "wrong": 0.0, "events": 40} | options)


@pytest.mark.parametrize("wrong", [0.0, 0.2, 0.6])
def test_wrong_shares__planted_ones_are_found(wrong: float) -> None:
    recording, truth = made(1, wrong=wrong)
    found = wrong_shares(recording, days=2.0 * np.arange(5), **OPTIONS)
    assert abs((found.share - truth)[UPPER].mean()) < 0.1
    assert (found.bound >= truth - 1e-9)[UPPER].mean() >= 0.9
    assert (np.nan_to_num(found.sure) > 0.05).any() == (wrong > 0)


def test_wrong_shares__few_sessions_have_a_bound_only() -> None:
    recording, truth = made(2, wrong=0.4, n_sessions=3)
    found = wrong_shares(recording, days=2.0 * np.arange(3), **OPTIONS)
    assert np.isnan(found.share).all() and np.isnan(found.sure).all()
    upper = np.triu_indices(3, 1)
    assert (found.bound >= truth)[upper].all() and (found.bound < 1)[upper].all()


def test_check_registration__says_partly_wrong_and_warns() -> None:
    recording, _ = made(3, wrong=0.4, drift=0.0)
    found = check_registration(recording, n_repeats=500, **OPTIONS)
    assert (found["verdict"].values[1:-1] == "partly_wrong").all()
    low, high = (found[f"wrong_in_session_ci_{end}"].values for end in ("low", "high"))
    assert ((low <= 0.4) & (high >= 0.4))[1:].all()
    (text,) = registration_warnings(found)
    assert "wrong identity" in text
    sound = check_registration(made(3, drift=0.0)[0], n_repeats=500, **OPTIONS)
    assert (sound["verdict"] == "ok").all() and registration_warnings(sound) == []


def test_excess__pairs_with_loops() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 6, 4))
    counts = np.array([[1, 1, 1, 1, 1, 1], [2, 0, 1, 1, 0, 2]], dtype=float)
    for weights, value in zip(counts, _excess(one, other, counts), strict=True):
        same, apart, pairs = 0.0, 0.0, 0.0
        for u in range(6):
            same += weights[u] * (one[u] @ other[u]) / weights.sum()
            for v in range(6):
                if u != v:
                    apart += weights[u] * weights[v] * (one[u] @ other[v])
                    pairs += weights[u] * weights[v]
        assert value == pytest.approx(same - apart / pairs)


def test_fit__recovers_its_model() -> None:
    q, kept, at = np.array([1.0, 0.7, 0.9, 0.6, 0.8]), 0.9, np.arange(5.0)
    lag = np.abs(at[:, None] - at)
    similar = np.outer(q, q) * kept**lag
    np.fill_diagonal(similar, np.nan)
    usable, good = ~np.eye(5, dtype=bool), np.arange(5)
    found, left = _fit(similar[None], np.full((5, 5), 0.05), lag, usable, good)
    np.testing.assert_allclose(found[0], q, atol=0.02)
    assert left[0] == pytest.approx(kept, abs=0.01)
    speeds = np.array([0.5, 0.9, 0.8, 0.7])
    for i in range(5):
        for j in range(i + 1, 5):
            similar[i, j] = similar[j, i] = q[i] * q[j] * np.prod(speeds[i:j])
    inner = _fit_any_speed(similar[None], np.full((5, 5), 0.05), usable, good)[0]
    assert np.isnan(inner[[0, -1]]).all()
    np.testing.assert_allclose(inner[1:-1], q[1:-1], atol=0.02)
