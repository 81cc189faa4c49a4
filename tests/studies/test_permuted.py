"""Tests over a curve, against loops, exact tests and simulations."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from neurodrift.studies.permuted import along, flipped, relabelled, reordered, swapped

RNG = np.random.default_rng(7)


def ways(values, n, noise, rng):
    """Ways of analysing the same values."""
    return values + noise * rng.normal(size=(n, values.size))


def median_t(rows):
    return np.median([stats.ttest_1samp(row, 0).statistic for row in rows])


def test_flipped__is_every_sign_for_few_animals():
    values = ways(RNG.normal(0.7, 1, 6), 5, 0.3, RNG)
    found = flipped(values, 2000, 0.05, 0)
    slow = [median_t(values * signs) for signs in itertools.product((1, -1), repeat=6)]
    assert found.n_permutations == 64 and found.smallest_p == 2 / 64
    assert found.median == pytest.approx(slow[0])
    assert found.p_median == np.mean(np.abs(slow) >= abs(slow[0]) - 1e-9)
    t = np.array([stats.ttest_1samp(row, 0).statistic for row in values])
    assert found.share == max(
        np.mean(t > stats.t.ppf(0.975, 5)), np.mean(t < -stats.t.ppf(0.975, 5))
    )
    z = stats.norm.isf(stats.t.sf(t, 5))
    assert found.mean_z == pytest.approx(z.mean())


def test_flipped__of_one_way_is_scipys():
    values = RNG.normal(0.5, 1, 9)
    reference = stats.permutation_test(
        (values,), lambda x, axis: x.mean(axis), permutation_type="samples", n_resamples=np.inf,
        vectorized=True,
    )  # fmt: skip
    assert flipped(values[None], 2000, 0.05, 0).p_median == pytest.approx(reference.pvalue)


def test_swapped__is_every_division_for_few_animals():
    values = ways(RNG.normal(0, 1, 7), 4, 0.3, RNG)
    second = np.array([False, True, False, True, True, False, False])
    found = swapped(values, second, 2000, 0.05, 0)
    slow = []
    for chosen in itertools.combinations(range(7), 3):
        inside = np.isin(np.arange(7), chosen)
        t = [stats.ttest_ind(r[inside], r[~inside], equal_var=False).statistic for r in values]
        slow.append(np.median(t))
    own = np.median(
        [stats.ttest_ind(r[second], r[~second], equal_var=False).statistic for r in values]
    )
    assert found.n_permutations == math.comb(7, 3)
    assert found.p_median == pytest.approx(np.mean(np.abs(slow) >= abs(own) - 1e-9))


def test_swapped__equal_groups_have_two_largest():
    values = np.array([[1.0, 2.0, 3.0, 11.0, 12.5, 13.0]])
    found = swapped(values, np.arange(6) > 2, 2000, 0.05, 0)
    assert found.p_median == found.smallest_p == 2 / 20


def test_along__is_every_order_for_few_animals():
    x, values = np.array([1.0, 2.0, 4.0, 9.0, 3.0]), ways(RNG.normal(size=5), 3, 0.2, RNG)
    found = along(values, x, 2000, 0.05, 0)
    slow = []
    for order in itertools.permutations(range(5)):
        lines = [stats.linregress(x[list(order)], row) for row in values]
        slow.append(np.median([line.slope / line.stderr for line in lines]))
    assert found.n_permutations == 120 and found.median == pytest.approx(slow[0])
    assert found.p_median == pytest.approx(np.mean(np.abs(slow) >= abs(slow[0]) - 1e-9))


def test_relabelled__is_every_order_for_few_sessions():
    n, at = 5, np.array([0.0, 2.0, 4.0, 7.0, 9.0])
    lag = np.abs(at[:, None] - at)
    similarity = np.exp(-lag / 9) + RNG.normal(0, 0.05, (3, n, n))
    found = relabelled(similarity, at, 2000, 0.05, 0)
    a, b = np.triu_indices(n, 1)
    slow = []
    for order in itertools.permutations(range(n)):
        own = lag[np.ix_(order, order)][a, b]
        lines = [stats.linregress(own, row[a, b]) for row in similarity]
        slow.append(np.median([line.slope / line.stderr for line in lines]))
    assert found.p_median == pytest.approx(np.mean(np.abs(slow) >= abs(slow[0]) - 1e-9))
    assert found.smallest_p >= 1 / 120 and found.p_median >= found.smallest_p


def test_flipped__ways_that_lack_animals():
    values = RNG.normal(1, 1, (3, 6))
    values[0, 2:] = np.nan
    values[1, 1:] = np.nan  # one animal has no t
    values[2, 0] = np.nan
    found = flipped(values, 2000, 0.05, 0)
    t = [stats.ttest_1samp(row[np.isfinite(row)], 0).statistic for row in values[[0, 2]]]
    assert found.median == pytest.approx(np.median(t)) and 0 < found.p_median <= 1


@pytest.mark.parametrize(
    "values", [np.full((2, 4), np.nan), np.array([[1.0, np.nan, np.nan, np.nan]])]
)
def test_flipped__nothing_known_is_no_discovery(values):
    found = flipped(values, 2000, 0.05, 0)
    assert np.isnan(found.p_median) and np.isnan(found.p_share) and np.isnan(found.p_mean_z)


def test_reordered__too_few_sessions():
    assert reordered(np.ones((2, 3)), np.arange(3.0), np.arange(3.0), 99, 0.05, 0).how == (
        "too few sessions"
    )


def levels(test, n_studies=300, seed=0):
    """How often each statistic passes at .05 where there is nothing."""
    p = []
    for i in range(n_studies):
        found = test(np.random.default_rng((seed, i)), i)
        p.append((found.p_median, found.p_share, found.p_mean_z))
    return np.mean(np.array(p) <= 0.05, axis=0)


BOUND = 0.05 + 3.5 * math.sqrt(0.05 * 0.95 / 300)
"""What 300 studies pass with at a true level of .05, nearly always."""


def test_flipped__level():
    def test(rng, seed):
        scale = rng.uniform(0.5, 3, 8)  # animals differ in noise
        return flipped(ways(scale * rng.normal(size=8), 9, 0.5, rng), 256, 0.05, seed)

    found = levels(test)
    assert (found < BOUND).all() and found[0] > 0.02


def test_swapped__level():
    def test(rng, seed):
        values = ways(rng.normal(size=10), 9, 0.5, rng)
        return swapped(values, np.arange(10) < 4, 252, 0.05, seed)

    found = levels(test)
    assert (found < BOUND).all() and found[0] > 0.02


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_reordered__level(rho):
    def test(rng, seed):
        noise = rng.normal(size=12)
        for i in range(1, 12):
            noise[i] = rho * noise[i - 1] + math.sqrt(1 - rho**2) * noise[i]
        at = np.arange(12.0)
        return reordered(ways(noise, 5, 0.3, rng), at, at, 200, 0.05, seed)

    found = levels(test, 200)
    assert (found < 0.05 + 3.5 * math.sqrt(0.05 * 0.95 / 200) + 0.02).all()


def test_flipped__finds_what_there_is():
    def test(rng, seed):
        return flipped(ways(rng.normal(1.5, 1, 9), 9, 0.5, rng), 512, 0.05, seed)

    assert (levels(test, 60) > 0.8).all()


def test_flipped__same_seed_same_p():
    values = RNG.normal(size=(3, 14))
    one, again = (flipped(values, 500, 0.05, 3) for _ in range(2))
    assert one == again or (one.p_median, one.p_share) == (again.p_median, again.p_share)
    assert one.n_permutations == 500
