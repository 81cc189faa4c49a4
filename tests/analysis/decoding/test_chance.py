"""Chance by shifts, and the exact test of laps."""

import itertools

import numpy as np
import pytest

from neurodrift.analysis.decoding.chance import chance_errors, p_below, worse_p


def test_chance_errors__literal():
    rng = np.random.default_rng(3)
    guess, truth = rng.random((40, 1)), rng.random((40, 1))

    def error(a, b):
        return np.abs(a - b)[..., 0]

    found = chance_errors(error, guess, truth, 25, np.random.default_rng(5))
    shifts = np.random.default_rng(5).integers(2, 39, 25)
    slow = [np.mean([abs(guess[t, 0] - truth[(t + s) % 40, 0]) for t in range(40)]) for s in shifts]
    np.testing.assert_allclose(found, slow, rtol=1e-12)


def test_chance_errors__too_short():
    assert chance_errors(lambda a, b: a, np.zeros((2, 1)), np.zeros((2, 1)), 5, None).size == 0
    assert np.isnan(p_below(1.0, np.zeros(0)))


def test_worse_p__literal():
    rng = np.random.default_rng(2)
    errors = rng.random((6, 6))
    scores = []
    for own in itertools.combinations(range(6), 3):
        other = [g for g in range(6) if g not in own]
        across = np.mean([errors[g, h] for g in other for h in own])
        within = np.mean([errors[g, h] for g in own for h in own if g != h])
        scores.append((across - within, own == (3, 4, 5)))
    true = next(score for score, is_true in scores if is_true)
    slow = np.mean([score >= true - 1e-12 for score, _ in scores])
    assert worse_p(errors, rng) == pytest.approx(slow)


def test_worse_p__a_worse_teacher_is_found_and_one_without_laps_is_not():
    errors = np.zeros((10, 10))
    errors[:5, 5:] = 1.0
    assert worse_p(errors, np.random.default_rng(0)) == pytest.approx(1 / 252)
    errors[0, 7] = np.nan
    assert np.isnan(worse_p(errors, np.random.default_rng(0)))


def test_worse_p__holds_its_level_where_laps_may_be_exchanged():
    rng = np.random.default_rng(8)
    p = [worse_p(rng.random((10, 10)), rng) for _ in range(400)]
    assert 0.02 < np.mean(np.array(p) <= 0.05) < 0.08
