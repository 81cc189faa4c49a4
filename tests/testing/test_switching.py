from __future__ import annotations

import numpy as np
import pytest

from neurodrift import compute_rate_maps, schema, testing


def test_several_maps__labels_trials_and_laps():
    recording = testing.several_maps([[1, 2], [3, 3]], n_units=10, minutes=1)
    schema.check(recording)
    assert recording.sizes["session"] == 2
    for (session, trial), label in {(0, 1): 1, (0, 2): 2, (1, 1): 3, (1, 2): 3}.items():
        own = (recording["session_index"] == session) & (recording["trial"] == trial)
        assert set(recording["map_label"].values[own]) == {label}
        assert own.sum() == 600
    assert recording["detected"].values.any(axis=0).all()


def _similarity(maps, a, b, used):
    pairs = zip(maps[a][used], maps[b][used], strict=True)
    return np.mean([np.corrcoef(x, y)[0, 1] for x, y in pairs if x.any() and y.any()])


@pytest.mark.parametrize(("remapping", "low", "high"), [(1.0, -0.1, 0.15), (0.0, 0.6, 1.0)])
def test_several_maps__maps_differ_as_far_as_units_remap(remapping, low, high):
    recording = testing.several_maps(
        [[1, 1, 2]], n_units=60, minutes=8, tuned=1, detection=1, peak_rate=3, remapping=remapping
    )
    rate = compute_rate_maps(recording, smoothing=4.0, by="trial")["rate"].sel(direction=1).values
    everyone = np.ones(60, dtype=bool)
    assert _similarity(rate, 0, 1, everyone) > 0.6
    assert low < _similarity(rate, 0, 2, everyone) < high


def test_several_maps__drift_by_steps():
    steps = [0.0, 1.0, 0.0]
    recording = testing.several_maps(
        [[1]] * 4, n_units=60, minutes=8, tuned=1, detection=1, peak_rate=3, drift=steps
    )
    rate = compute_rate_maps(recording, smoothing=4.0)["rate"].sel(direction=1).values
    everyone = np.ones(60, dtype=bool)
    near = [_similarity(rate, k, k + 1, everyone) for k in range(3)]
    assert near[0] > 0.6 and abs(near[1]) < 0.15 and near[2] > 0.6


def test_several_maps__slow_mice_run_few_laps():
    laps = [
        testing.several_maps([[1]], n_units=1, minutes=5, speed=speed)["lap"].values.max()
        for speed in (5.0, 20.0)
    ]
    assert laps[0] < 0.5 * laps[1]
