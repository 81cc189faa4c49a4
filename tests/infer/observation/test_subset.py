from __future__ import annotations

import numpy as np

from neurodrift.infer.observation.subset import nearest_sessions, some_sessions
from tests.infer.observation.test_counts import seen


def test_nearest_sessions__of_days_and_of_fewer_times():
    times = np.linspace(0, 7, 8)
    assert nearest_sessions(times, ()).tolist() == list(range(8))
    assert nearest_sessions(times, (0, 2, 4, 6, 8, 10, 14)).tolist() == [0, 1, 2, 3, 4, 5, 7]
    assert nearest_sessions(times, (3, 3.1, 3.2, 10)).tolist() == [0, 1, 2, 7]
    assert nearest_sessions(times, (0, 9.8, 9.9, 10)).tolist() == [0, 5, 6, 7]


def test_nearest_sessions__literally():
    rng = np.random.default_rng(0)
    for _ in range(200):
        n = rng.integers(4, 20)
        times, wanted = np.sort(rng.normal(size=n)), np.sort(rng.random(3))
        share = (wanted[1] - wanted[0]) / (wanted[2] - wanted[0])
        apart = np.abs(times - times[0] - share * (times[-1] - times[0]))
        middle = np.clip(apart.argmin(), 1, n - 2)  # the ends are taken
        assert nearest_sessions(times, wanted).tolist() == [0, middle, n - 1]


def test_some_sessions__evenly_from_first_to_last():
    whole = seen(day=np.array([0.0, 1.0, 5.0]), events=np.arange(120.0).reshape(2, 3, 4, 5))
    assert some_sessions(whole, None) is whole
    ends = some_sessions(whole, 2)
    assert ends.day.tolist() == [0, 5] and ends.events.shape == (2, 2, 4, 5)
    np.testing.assert_array_equal(ends.events, whole.events[:, [0, 2]])
    for n_sessions in range(2, 20):
        longer = seen(
            day=np.arange(float(n_sessions)),
            events=np.ones((2, n_sessions, 4, 5)),
            seconds=np.ones((2, n_sessions, 5)),
            detected=np.ones((n_sessions, 4), bool),
        )
        for n in range(2, n_sessions + 1):
            even = [round(i * (n_sessions - 1) / (n - 1)) for i in range(n)]
            assert some_sessions(longer, n).day.tolist() == even
