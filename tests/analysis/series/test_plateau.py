from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import invgamma

from neurodrift.analysis.series.plateau import (
    Change,
    candidate_ends,
    early_fall,
    effective_number,
    fit_change,
    joint_end,
    judged,
    mean_level,
    scale_of,
    zellner_siow,
)
from neurodrift.analysis.series.trend import CORRELATIONS, PRIOR


@pytest.mark.parametrize("r2", [0.0, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("n", [5, 20, 100])
def test_zellner_siow__is_the_integral_over_g(r2: float, n: int) -> None:
    def integrand(log_g: float) -> float:
        g = np.exp(log_g)
        likelihood = (n - 2) / 2 * np.log1p(g) - (n - 1) / 2 * np.log1p(g * (1 - r2))
        return float(np.exp(likelihood + invgamma(0.5, scale=n / 2).logpdf(g) + log_g))

    expected = quad(integrand, -10, 45, limit=500, epsabs=0)[0]
    assert zellner_siow(np.array([r2]), n)[0] == pytest.approx(np.log(expected), abs=1e-3)


def _evidence(y: np.ndarray, at: np.ndarray, memory: float, design: list[np.ndarray]) -> float:
    """Log evidence with the matrices written out; the last column has the Zellner-Siow prior."""
    n = y.size
    inverse = np.linalg.inv(memory ** np.abs(at[:, None] - at[None, :]))
    log_det = np.linalg.slogdet(inverse)[1]
    one = np.ones(n)
    mean = one @ inverse @ y / (one @ inverse @ one)
    left = (y - mean) @ inverse @ (y - mean)
    log_null = log_det / 2 - np.log(one @ inverse @ one) / 2 - (n - 1) / 2 * np.log(left)
    if not design:
        return float(log_null)
    x = np.column_stack([one, *design])
    b = np.linalg.solve(x.T @ inverse @ x, x.T @ inverse @ y)
    r2 = 1 - (y - x @ b) @ inverse @ (y - x @ b) / left
    return float(log_null + zellner_siow(np.array([r2]), n)[0])


@pytest.mark.parametrize("missing", [[], [2, 5]])
def test_fit_change__slow_reference(missing: list[int]) -> None:
    at = np.array([0.0, 1, 2, 4, 5, 7, 9, 10, 12])
    ends = candidate_ends(at, 0.95)
    y = np.linspace(1, 0.2, 9) + 0.3 * np.random.default_rng(1).standard_normal(9)
    y[missing] = np.nan
    kept = np.flatnonzero(np.isfinite(y))
    pairs = list(zip(CORRELATIONS, np.log(PRIOR), strict=True))
    null = [p + _evidence(y[kept], kept.astype(float), m, []) for m, p in pairs]
    found = fit_change(y, ends)
    assert found is not None
    for cell in (0, 7, 20, 40, ends.prior.size - 1):
        terms = []
        for shape in ends.shapes[:, cell]:
            column = shape[kept]
            for (m, p), plain in zip(pairs, null, strict=True):
                flat = np.ptp(column) < 1e-3
                full = plain if flat else p + _evidence(y[kept], kept.astype(float), m, [column])
                terms.append(full)
        expected = np.log(np.exp(terms).sum() / np.exp(null).sum() / len(ends.shapes))
        assert found.log_bf[cell] == pytest.approx(expected, abs=1e-6)


def test_candidate_ends__shapes_have_done_their_part_at_the_end() -> None:
    at = np.array([0.0, 1, 3, 7, 8, 20])
    ends = candidate_ends(at, 0.9)
    assert ends.prior.sum() == pytest.approx(1)
    assert ends.prior[: ends.n_within].sum() == pytest.approx(0.8)
    assert np.isinf(ends.edges[-1]) and ends.edges[0] == 0
    inside = ends.edges[: ends.n_within + 1]
    middle = (inside[1:] + inside[:-1]) / 2
    per_interval = np.histogram(middle, at, weights=ends.prior[: ends.n_within])[0]
    np.testing.assert_allclose(per_interval, 0.16)
    assert (np.diff(ends.shapes, axis=-1) <= 1e-12).all()
    cell = 48
    end = middle[cell]
    line, exponential, power = ends.shapes[:3, cell]
    np.testing.assert_allclose(exponential, 0.1 ** (at / end))
    np.testing.assert_allclose(line, np.clip(1 - 0.9 * at / end, 0, 1))
    scale = (0.1**-0.25 - 1) / end
    np.testing.assert_allclose(power, (1 + scale * at) ** -4.0)
    floor = 0.05
    at_end = floor * (1.05 / floor) ** 0.1 - floor
    soft = np.log((floor + at_end ** (at / end)) / floor) / np.log(1.05 / floor)
    np.testing.assert_allclose(ends.shapes[3, cell], soft)
    half = np.clip(1 - 1.8 * (at / end - 0.5), 0, 1)
    np.testing.assert_allclose(ends.shapes[5, cell], half)
    by_rank, late, jump = ends.shapes[8:, cell]
    rank = np.interp(end, at, np.arange(6))
    np.testing.assert_allclose(by_rank, np.clip(1 - 0.9 * np.arange(6) / rank, 0, 1))
    np.testing.assert_allclose(late, np.clip(1 - 1.8 * (np.arange(6) / rank - 0.5), 0, 1))
    np.testing.assert_allclose(jump, at < end)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.floats(-50, 50), st.floats(0.01, 100), st.sampled_from([5, 8, 12]))
def test_fit_change__unit_and_offset_do_not_matter(
    seed: int, offset: float, unit: float, n: int
) -> None:
    y = np.random.default_rng(seed).standard_normal(n)
    at = np.cumsum(np.random.default_rng(seed).uniform(0.5, 2, n))
    one = fit_change(y, candidate_ends(at, 0.95))
    other = fit_change(offset + unit * y, candidate_ends(5 + 3 * at, 0.95))
    mirrored = fit_change(-y, candidate_ends(at, 0.95))
    assert one is not None and other is not None and mirrored is not None
    np.testing.assert_allclose(one.log_bf, other.log_bf, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(one.log_bf, mirrored.log_bf, rtol=1e-6, atol=1e-8)
    assert other.change == pytest.approx(unit * one.change, rel=1e-6, abs=1e-8 * unit)
    assert other.se == pytest.approx(unit * one.se, rel=1e-6)


def test_fit_change__constant_and_short_series() -> None:
    ends = candidate_ends(np.arange(6.0), 0.95)
    still = fit_change(np.full(6, 0.3), ends)
    assert still is not None and still.total(ends.prior) == -np.inf
    assert still.change == 0 and (still.fitted == 0.3).all()
    assert fit_change(np.array([1, 2, np.nan, 3, np.nan, np.nan]), ends) is None


def test_fit_change__only_a_fall() -> None:
    ends = candidate_ends(np.arange(12.0), 0.95)
    y = np.minimum(np.arange(12) / 6, 1) + 0.02 * np.random.default_rng(0).standard_normal(12)
    rising = fit_change(y, ends, falling=True)
    falling = fit_change(-y, ends, falling=True)
    both = fit_change(-y, ends)
    assert rising is not None and falling is not None and both is not None
    assert rising.total(ends.prior) < 0 < falling.total(ends.prior)
    assert falling.total(ends.prior) == pytest.approx(both.total(ends.prior) + np.log(2), abs=0.05)


def test_change_beyond__small_changes_do_not_count() -> None:
    ends = candidate_ends(np.arange(40.0), 0.95)
    rng = np.random.default_rng(0)
    y = 1 - 0.02 * np.minimum(np.arange(40) / 20, 1) + 0.001 * rng.standard_normal(40)
    found = fit_change(y, ends)
    assert found is not None and found.total(ends.prior) > 10
    assert found.beyond(0.05, ends.prior).total(ends.prior) < -20
    tiny = found.beyond(0.001, ends.prior).total(ends.prior)
    assert tiny == pytest.approx(found.total(ends.prior), abs=1e-6)


def test_ends__quantiles_and_course() -> None:
    ends = candidate_ends(np.array([0.0, 10, 20]), 0.95)
    mass = np.zeros(ends.prior.size)
    mass[[5, -1]] = 0.5  # half within the sixth cell, half beyond the end
    width = 20 / ends.n_within
    assert ends.interval(mass, 0.95) == pytest.approx((4 * width, np.inf))
    assert ends.interval(mass, 0.05) == pytest.approx((4 * width, np.inf))
    mass[[6, -1]] = 0.6, 0.0
    assert ends.interval(mass, 0.2) == pytest.approx((4 * width, 8 * width))
    mass[[6, -1]] = 0.0, 0.5
    np.testing.assert_allclose(ends.before(mass), [0, 0.5, 0.5])
    mass[-1] = 0
    assert ends.median(mass) == pytest.approx(5.5 * width)


def test_mean_level__slow_reference() -> None:
    y = np.array([1.0, 1.3, 0.7, np.nan, 0.9, 1.4, 1.2, 0.8, 1.1, 1.0])
    kept = np.flatnonzero(np.isfinite(y))
    values, n = y[kept], kept.size
    log_p, means, variances = [], [], []
    for memory, prior in zip(CORRELATIONS, PRIOR, strict=True):
        matrix = memory ** np.abs(kept[:, None] - kept[None, :]).astype(float)
        inverse = np.linalg.inv(matrix)
        size = inverse.sum()
        means.append(inverse.sum(axis=0) @ values / size)
        left = (values - means[-1]) @ inverse @ (values - means[-1])
        variances.append(left / (n - 1) / size)
        log_p.append(np.log(prior) + _evidence(values, kept.astype(float), memory, []))
    weight = np.exp(log_p) / np.exp(log_p).sum()
    mean = weight @ means
    se = np.sqrt(weight @ (np.array(variances) + (np.array(means) - mean) ** 2))
    assert mean_level(y) == pytest.approx((mean, se, n - 1))
    assert mean_level(np.array([2.0, 2.0, 2.0])) == (2.0, 0.0, 2)
    assert mean_level(np.array([np.nan, 2.0]))[0] == 2.0


def _change(log_bf: np.ndarray, seed: int) -> Change:
    noise = np.random.default_rng(seed).standard_normal(200)
    return Change(log_bf, 0.0, 0.0, 1, noise, 0.0, noise)


@pytest.mark.parametrize("n_series", [1, 2, 3])
def test_joint_end__every_combination_written_out(n_series: int) -> None:
    rng = np.random.default_rng(n_series)
    ends = candidate_ends(np.arange(4.0), 0.95)
    prior = rng.dirichlet(np.ones(5))
    changes = [_change(rng.normal(0.5, 1, 5), k) for k in range(n_series)]
    part = effective_number([item.residuals for item in changes]) / n_series
    assert part > 0.95  # independent noise
    bf = [np.exp(part * item.log_bf) for item in changes]
    together, apart = np.zeros(5), np.zeros(5)
    subsets = [s for s in product([False, True], repeat=n_series) if any(s)]
    for subset in subsets:
        which = [b for b, used in zip(bf, subset, strict=True) if used]
        for cell in range(5):
            together[cell] += prior[cell] * np.prod([b[cell] for b in which]) / len(subsets)
        for cells in product(range(5), repeat=len(which)):
            weight = np.prod([prior[c] * b[c] for b, c in zip(which, cells, strict=True)])
            apart[max(cells)] += weight / len(subsets)
    log_bf, mass = joint_end(changes, prior)
    assert log_bf == pytest.approx(np.log((together + apart).sum() / 2))
    np.testing.assert_allclose(mass, (together + apart) / (together + apart).sum())
    assert ends.prior.size > 5
    still = [_change(np.full(5, -np.inf), 0)]
    assert joint_end(still, prior)[0] == -np.inf


def test_effective_number__copies_count_once() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((3, 500))
    assert effective_number(list(noise)) == pytest.approx(3, abs=0.05)
    assert effective_number([noise[0]] * 3) == pytest.approx(1)
    assert effective_number([noise[0], np.zeros(500)]) == pytest.approx(2)


def test_early_fall__later_trouble_does_not_hide_it() -> None:
    rng = np.random.default_rng(0)
    at = np.arange(48.0)
    ends = candidate_ends(at, 0.95)
    y = np.clip(3 - at / 3, 0, None) + 0.05 * rng.standard_normal(48)
    y[24:] += 2.5 * np.abs(rng.standard_normal(24))
    whole = fit_change(y, ends, falling=True)
    early = early_fall(y, ends, 0.05)
    assert whole is not None and early is not None
    assert early.total(ends.prior) > np.log(1e6) > whole.total(ends.prior)
    mass = np.exp(early.log_bf - early.log_bf.max()) * ends.prior
    low, high = ends.interval(mass, 0.95)
    assert low <= 0.95 * 9 <= high
    assert early_fall(np.full(48, np.nan), ends, 0.05) is None


def test_early_fall__mean_bayes_factor_is_one_without_a_fall() -> None:
    rng = np.random.default_rng(0)
    ends = candidate_ends(np.arange(16.0), 0.95)
    found = [early_fall(rng.standard_normal(16), ends, 0.0) for _ in range(80)]
    factors = np.exp([item.total(ends.prior) for item in found if item is not None])
    assert np.mean(factors >= 10) <= 0.1  # by Markov's inequality
    assert np.median(factors) < 1


def test_scale_of_and_judged() -> None:
    assert scale_of(np.array([np.nan, 2.0, 5.0])) == 2.0
    assert scale_of(np.array([0.0, -4.0])) == 4.0
    assert scale_of(np.array([np.nan, 0.0])) == 1.0
    ends = candidate_ends(np.arange(6.0), 0.95)
    assert judged(np.array([1, 2, 3, 4, np.nan, np.nan]), ends, 0.05) is None
    assert judged(np.arange(6.0), ends, 0.05) is not None
