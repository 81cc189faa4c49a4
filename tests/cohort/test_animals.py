from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neurodrift.cohort.animals import Animals, Held, groups, line, one_group, pool
from neurodrift.cohort.series import reduce_rows

APART = np.array([-1.0, 1.0])


def bare(values):
    """Animals without covariates."""
    values = np.asarray(values, dtype=float)
    none = np.zeros((*values.shape, 0))
    return Animals(values, none, np.zeros((*values.shape, 0, 0)), none, none, np.ones(values.shape))


def tables(seed, n, sessions=6, covariates=1, recordings=1):
    """Rows of n animals: measure, design and covariates."""
    rng = np.random.default_rng(seed)
    shape = (n * recordings, sessions)
    t = np.broadcast_to(np.arange(sessions, dtype=float), shape)
    x = rng.normal(size=(*shape, covariates)) + 0.3 * t[..., None]
    y = 0.1 * t + x.sum(axis=-1) + rng.normal(size=shape)
    return y, np.stack([np.ones(shape), t], axis=-1), x, np.ones(shape, dtype=bool)


def animals_of(y, design, x, used, recordings=1):
    n = len(y) // recordings
    weights = np.kron(np.eye(n), np.full((1, recordings), 1 / recordings))
    return Animals.of(reduce_rows(y, design, x, used), weights)


def slow(y, design, x, kept):
    """Answers of the animals `kept`, given covariates, as one regression with dummies."""
    rows = np.concatenate([y[k] for k in kept])
    n = len(kept)
    blocks = np.zeros((rows.size, 2 * n + x.shape[-1]))
    at = 0
    for i, k in enumerate(kept):
        own = slice(at, at + y.shape[1])
        blocks[own, 2 * i : 2 * i + 2] = design[k]
        blocks[own, 2 * n :] = x[k]
        at += y.shape[1]
    found = np.linalg.lstsq(blocks, rows, rcond=None)[0]
    return found[1 : 2 * n : 2], found[2 * n :]


@pytest.mark.parametrize("n", [2, 3, 8])
def test_pool__mean_is_students_t(n):
    values = np.random.default_rng(n).normal(1, 1, n)
    estimate, se, dof = pool(bare(values), one_group(n)).contrast(np.ones(1))
    reference = stats.ttest_1samp(values, 0)
    np.testing.assert_allclose(estimate / se, reference.statistic, rtol=1e-12)
    assert dof == n - 1


@pytest.mark.parametrize(("a", "b"), [(2, 2), (3, 7), (6, 4)])
def test_pool__two_groups_are_welchs_t(a, b):
    rng = np.random.default_rng(a)
    first, second = rng.normal(0, 1, a), rng.normal(1, 3, b)
    number = np.repeat([0, 1], [a, b])
    found = pool(bare(np.concatenate([first, second])), groups(number))
    estimate, se, dof = found.contrast(APART)
    reference = stats.ttest_ind(second, first, equal_var=False)
    np.testing.assert_allclose(estimate / se, reference.statistic, rtol=1e-12)
    np.testing.assert_allclose(dof, reference.df, rtol=1e-12)


def test_pool__several_groups_are_welchs_analysis_of_variance():
    from statsmodels.stats.oneway import anova_oneway

    rng = np.random.default_rng(0)
    own = [rng.normal(m, s, n) for m, s, n in ((0, 1, 4), (1, 2, 6), (0, 1, 3), (2, 3, 5))]
    number = np.repeat(range(4), [4, 6, 3, 5])
    f, above, below, p = pool(bare(np.concatenate(own)), groups(number)).equality()
    reference = anova_oneway(own, use_var="unequal", welch_correction=True)
    np.testing.assert_allclose([f, p], [reference.statistic, reference.pvalue], rtol=1e-10)
    np.testing.assert_allclose([above, below], reference.df, rtol=1e-10)


def test_pool__two_groups_by_f_are_welchs_t():
    values, number = np.random.default_rng(1).normal(size=9), np.repeat([0, 1], [4, 5])
    found = pool(bare(values), groups(number))
    estimate, se, dof = found.contrast(APART)
    f, _, below, _ = found.equality()
    np.testing.assert_allclose([f, below], [(estimate / se) ** 2, dof], rtol=1e-10)


def test_pool__a_line_is_least_squares():
    rng = np.random.default_rng(2)
    x, values = rng.normal(size=7), rng.normal(size=7)
    estimate, se, dof = pool(bare(values), line(x)).contrast(np.array([0.0, 1.0]))
    reference = stats.linregress(x, values)
    np.testing.assert_allclose([estimate, se], [reference.slope, reference.stderr], rtol=1e-10)
    assert dof == 5


@pytest.mark.parametrize("covariates", [1, 2])
def test_pool__covariates_are_one_regression_of_all(covariates):
    y, design, x, used = tables(3, 5, covariates=covariates)
    found = pool(animals_of(y, design, x, used), one_group(5))
    each, beta = slow(y, design, x, range(5))
    np.testing.assert_allclose(found.each, each, rtol=1e-9)
    np.testing.assert_allclose(found.held.coefficients, beta, rtol=1e-9)
    without = [slow(y, design, x, [k for k in range(5) if k != j])[0].mean() for j in range(5)]
    np.testing.assert_allclose(found.without[:, 0], without, rtol=1e-9)
    _, se, dof = found.contrast(np.ones(1))
    np.testing.assert_allclose(se, np.sqrt(4 / 5 * np.sum((without - np.mean(without)) ** 2)))
    assert dof == 4


def test_pool__groups_given_a_covariate_leave_out_within_each():
    y, design, x, used = tables(4, 7)
    number = np.array([0, 1, 0, 1, 1, 0, 1])
    found = pool(animals_of(y, design, x, used), groups(number))
    parts = []
    for group in (0, 1):
        without = []
        for j in np.flatnonzero(number == group):
            kept = np.array([k for k in range(7) if k != j])
            own = slow(y, design, x, kept)[0]
            without.append(own[number[kept] == 1].mean() - own[number[kept] == 0].mean())
        n = len(without)
        parts.append((n - 1) / n * np.sum((np.array(without) - np.mean(without)) ** 2))
    _, se, dof = found.contrast(APART)
    np.testing.assert_allclose(se, np.sqrt(sum(parts)), rtol=1e-9)
    np.testing.assert_allclose(dof, sum(parts) ** 2 / (parts[0] ** 2 / 2 + parts[1] ** 2 / 3))


def test_pool__what_a_covariate_takes_is_the_difference_of_both():
    y, design, x, used = tables(5, 6)
    found = pool(animals_of(y, design, x, used), one_group(6))
    raw = pool(animals_of(y, design, x[..., :0], used), one_group(6))
    moved, moved_se, _ = found.moved_by(np.ones(1))
    np.testing.assert_allclose(moved, (raw.estimate - found.estimate)[0])
    without = raw.without[:, 0] - found.without[:, 0]
    np.testing.assert_allclose(moved_se, np.sqrt(5 / 6 * ((without - without.mean()) ** 2).sum()))


def test_pool__a_covariate_without_effect_on_the_answer_widens_a_line_by_the_jackknives():
    y, design, x, used = tables(6, 8)
    age = np.arange(8.0)
    animals = animals_of(y, design, x, used)
    found = pool(animals, line(age))
    estimate, se, dof = found.contrast(np.array([0.0, 1.0]))
    each = found.each
    plain = stats.linregress(age, each)
    kept = [np.delete(np.arange(8), j) for j in range(8)]
    anew = [stats.linregress(age[k], slow(y, design, x, k)[0]).slope for k in kept]
    held = [stats.linregress(age[k], each[k]).slope for k in kept]
    ratio = np.std(anew) / np.std(held)
    np.testing.assert_allclose([estimate, se], [plain.slope, plain.stderr * ratio], rtol=1e-9)
    assert dof == 6


def test_pool__many_tables_are_one_by_one():
    parts = [tables(seed, 8, recordings=2) for seed in range(3)]
    many = [np.stack(arrays) for arrays in zip(*parts, strict=True)]
    weights = np.kron(np.eye(8), np.full((1, 2), 0.5))
    together = pool(Animals.of(reduce_rows(*many), weights), groups(np.repeat([0, 1], 4)))
    for i, part in enumerate(parts):
        alone = pool(Animals.of(reduce_rows(*part), weights), groups(np.repeat([0, 1], 4)))
        for one, all_ in zip(alone.contrast(APART), together.contrast(APART), strict=True):
            np.testing.assert_allclose(all_[i], one)


def test_held__inflation_is_that_of_the_designs():
    y, design, x, used = tables(7, 4, sessions=12)
    held = Held.of(animals_of(y, design, x, used))
    centred = x[..., 0] - x[..., 0].mean(axis=1, keepdims=True)
    left = sum(
        np.sum((own - np.polyval(np.polyfit(t, own, 1), t)) ** 2)
        for own, t in zip(x[..., 0], design[..., 1], strict=True)
    )
    np.testing.assert_allclose(held.inflation, (centred**2).sum() / left)


@pytest.mark.parametrize("what", ["time", "twice", "constant", "one animal"])
def test_held__refuses_what_cannot_be_told(what):
    y, design, x, used = tables(8, 4, covariates=2 if what == "twice" else 1)
    if what == "time":
        x = 3 * design[..., 1:] + 2
    elif what == "twice":
        x[..., 1] = 2 * x[..., 0]
    elif what == "constant":
        x = np.ones_like(x)
    else:
        x[1:] = 1.0
    animals = animals_of(y, design, x, used)
    assert not Held.of(animals).known
    assert np.isnan(pool(animals, one_group(4)).estimate).all()


def test_held__refuses_without_a_degree_of_freedom():
    y, design, x, used = tables(9, 4, sessions=2)
    assert not Held.of(animals_of(y, design, x, used)).known
