from __future__ import annotations

import numpy as np
import pytest

from neurodrift.infer.observation.counts import Observed


def seen(**changes):
    given = {
        "events": np.ones((2, 3, 4, 5)),
        "seconds": np.ones((2, 3, 5)),
        "detected": np.ones((3, 4), bool),
        "day": np.arange(3.0),
        "segment": np.zeros(5, int),
    }
    return Observed(**(given | changes))


def test_observed__as_given():
    assert seen().geometry == "linear" and seen().events.shape == (2, 3, 4, 5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"events": np.ones((3, 4, 5))}, "events have shape"),
        ({"detected": np.ones((4, 3), bool)}, r"detected has shape \(4, 3\), expected \(3, 4\)"),
        ({"day": np.array([0.0, 0.0, 1.0])}, "must increase"),
        ({"geometry": "cube"}, "geometry is 'cube'"),
    ],
)
def test_observed__refused(changes, message):
    with pytest.raises(ValueError, match=message):
        seen(**changes)
