from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neurodrift.cohort.effect_size import noncentrality


@pytest.mark.parametrize("dof", [1.0, 2.0, 5.5, 30.0])
@pytest.mark.parametrize("t", [-6.0, -0.3, 0.0, 2.0, 8.0])
def test_noncentrality__t_lies_at_the_tails_of_both_ends(t, dof):
    low, high = noncentrality(t, dof, 0.9)
    np.testing.assert_allclose(stats.nct.sf(t, dof, low), 0.05, atol=1e-5)
    np.testing.assert_allclose(stats.nct.cdf(t, dof, high), 0.05, atol=1e-5)


def test_noncentrality__a_huge_t_and_none():
    low, high = noncentrality(400.0, 3.0, 0.95)
    assert 0 < low < 400 < high
    assert np.isnan(noncentrality(np.nan, 3.0, 0.95)).all()
    assert np.isnan(noncentrality(2.0, 0.0, 0.95)).all()
