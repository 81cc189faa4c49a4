from __future__ import annotations

import numpy as np
import pytest

from neurodrift.cohort.series import reduce_rows


def by_hand(y, design, x, used):
    """The same as loops over one recording, from the normal equations."""
    y, design, x = y[used], design[used].copy(), x[used]
    design[:, 1:] -= design[0, 1:]  # the last coefficient does not know where time begins
    inverse = np.linalg.inv(design.T @ design)
    project = np.eye(len(y)) - design @ inverse @ design.T
    weight = (inverse @ design.T)[-1]
    return weight @ y, weight @ x, x.T @ project @ x, x.T @ project @ y


@pytest.mark.parametrize("terms", [1, 2, 3])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_reduce_rows__is_least_squares_of_each_recording(terms, offset):
    rng = np.random.default_rng(terms)
    shape = (4, 3, 9)
    t = offset + np.sort(rng.random(shape), axis=-1) * 10
    after = np.broadcast_to((np.arange(9) >= 5).astype(float), shape)
    design = np.stack([np.ones(shape), t, after], axis=-1)[..., :terms]
    y, x = rng.normal(size=shape), rng.normal(size=(*shape, 2))
    used = rng.random(shape) > 0.2
    used[..., [0, 1, 6, 7]] = True
    y[~used] = np.nan
    found = reduce_rows(y, design, x, used)
    for at in np.ndindex(shape[:2]):
        value, shift, moments, cross = by_hand(y[at], design[at], x[at], used[at])
        np.testing.assert_allclose(found.value[at], value, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(found.shift[at], shift, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(found.moments[at], moments, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(found.cross[at], cross, rtol=1e-6, atol=1e-9)
        assert found.left[at] == used[at].sum() - terms
        np.testing.assert_allclose(found.mean[at], y[at][used[at]].mean())


@pytest.mark.parametrize("t", [[5.0, 5.0, 5.0], [3.0]])
def test_reduce_rows__has_no_answer_where_the_design_has_none(t):
    t = np.array(t)
    design = np.column_stack([np.ones(t.size), t])
    found = reduce_rows(t + 1, design, np.empty((t.size, 0)), np.ones(t.size, dtype=bool))
    assert np.isnan(found.value)


def test_reduce_rows__days_of_a_long_study_are_not_flat():
    t = 100_000.0 + np.arange(4)
    design = np.column_stack([np.ones(4), t])
    found = reduce_rows(2 * t, design, np.empty((4, 0)), np.ones(4, dtype=bool))
    np.testing.assert_allclose(found.value, 2.0, rtol=1e-6)


def test_reduce_rows__a_constant_has_no_rounding_for_a_change():
    rng = np.random.default_rng(0)
    t = np.sort(rng.random((50, 7)), axis=-1)
    design = np.stack([np.ones_like(t), t], axis=-1)
    y = np.full_like(t, 0.1)
    found = reduce_rows(y, design, np.empty((*t.shape, 0)), np.ones(t.shape, dtype=bool))
    assert (found.value == 0).all()
