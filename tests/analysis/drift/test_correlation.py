from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from neurodrift.analysis.drift.drift import jaccard, pearson, standardized

NUMBERS = st.floats(-1e6, 1e6).map(lambda v: round(v, 3))


def literal(a: np.ndarray, b: np.ndarray) -> float:
    pairs = [(p, q) for p, q in zip(a, b, strict=True) if np.isfinite(p) and np.isfinite(q)]
    if len(pairs) < 3 or len({p for p, _ in pairs}) == 1 or len({q for _, q in pairs}) == 1:
        return np.nan
    return float(np.corrcoef(np.array(pairs).T)[0, 1])


@pytest.mark.parametrize("seed", range(5))
def test_pearson__equals_numpy_over_common_points(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, 6, 3, 9)) * 10.0 ** rng.integers(-8, 8, (2, 6, 3, 1))
    a[rng.random(a.shape) < 0.3] = np.nan
    b[rng.random(b.shape) < 0.3] = np.nan
    a[0, 0], b[0, 1], a[0, 2, 2:] = 4.2, 0.0, np.nan
    found = pearson(a, b)
    for index in np.ndindex(6, 3):
        np.testing.assert_allclose(found[index], literal(a[index], b[index]), rtol=0, atol=1e-12)


@settings(max_examples=100, deadline=None)
@given(arrays(float, (2, 8), elements=NUMBERS), st.floats(0.1, 10), NUMBERS)
def test_pearson__laws(points: np.ndarray, scale: float, shift: float) -> None:
    a, b = points
    r = pearson(a, b)
    assert np.isnan(r) or -1 <= r <= 1
    np.testing.assert_array_equal(pearson(b, a), r)
    np.testing.assert_array_equal(pearson(a, -b), -r)
    if np.ptp(b) > 1e-3 * (1 + np.abs(b).max() + abs(shift)):
        np.testing.assert_allclose(pearson(a, scale * b + shift), r, atol=1e-6)
        np.testing.assert_allclose(pearson(b, b), 1.0, rtol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e-300, 1e300, 1 / 3])
def test_pearson__flat_up_to_rounding_has_no_correlation(value: float) -> None:
    flat = np.full(20, value) * (1 + np.finfo(float).eps * np.arange(20))
    assert np.isnan(pearson(flat, np.arange(20.0)))
    assert np.isnan(pearson(np.arange(20.0), flat))


def test_pearson__needs_three_points() -> None:
    assert np.isnan(pearson(np.array([1.0, 2.0]), np.array([3.0, 5.0])))
    assert np.isnan(pearson(np.empty(0), np.empty(0)))
    assert pearson(np.array([1.0, 2.0, 4.0]), np.array([3.0, 5.0, 9.0])) == pytest.approx(1)


def test_pearson__very_large_and_small_numbers() -> None:
    a = np.array([1.0, 2.0, 3.0, 5.0])
    assert pearson(a * 1e300, a * 1e-300) == pytest.approx(1)


def test_standardized__products_are_correlations() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 7, 9))
    a[2] = 0.1
    z = (standardized(a) * standardized(b)).sum(axis=-1)
    np.testing.assert_allclose(z, np.nan_to_num(pearson(a, b)), atol=1e-14)
    assert not standardized(a[:, :2]).any()
    assert standardized(np.empty((0, 3))).shape == (0, 3)


def test_jaccard__counts() -> None:
    a, b = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    assert jaccard(a, b) == 1 / 3
    assert np.isnan(jaccard(a & False, b & False))
