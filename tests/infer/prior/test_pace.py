from __future__ import annotations

import numpy as np
import pytest

from neurodrift.infer.prior.pace import active_share, drift_speed


def test_drift_speed__by_hand():
    maps = np.array([[0.0, 1.0, 2.0], [2.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    assert drift_speed(np.array([maps, maps])) == pytest.approx(0, abs=1e-12)
    assert drift_speed(np.array([maps, 7 * maps + 1])) == pytest.approx(0, abs=1e-12)
    expected = 1 - np.mean([np.corrcoef(maps[i], maps[i][::-1])[0, 1] for i in (0, 1)])
    assert drift_speed(np.array([maps, maps[:, ::-1]])) == pytest.approx(expected)
    assert drift_speed(np.array([maps, 0 * maps])) == 1
    assert np.isnan(drift_speed(np.zeros((2, 3, 4))))
    assert active_share(np.array([maps, maps])) == 0.75
