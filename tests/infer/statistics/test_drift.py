from __future__ import annotations

import known_animals as animals
import numpy as np
import pytest

import neurodrift as nd
from neurodrift.infer.observation.recording import observed_of
from neurodrift.infer.statistics.vector import STATISTICS
from tests.infer.observation.test_recording import track


def test_drift_statistics__of_a_recording():
    recording = track(n_units=40)
    found = nd.drift_statistics(recording)
    assert list(found["statistic"].values) == list(STATISTICS)
    assert found["subject"].item() == "synthetic" and found.attrs["n_units"] == 40
    plain = nd.drift_statistics(observed_of(recording), se=False)
    np.testing.assert_allclose(plain["value"], found["value"])
    assert "se" not in plain


@pytest.mark.parametrize("circle", [False, True])
def test_drift_statistics__tells_known_animals_apart(circle):
    def of(truth):
        rng = np.random.default_rng(3)
        animal = animals.make(truth, rng, n_units=80, circle=circle, n_laps=30)
        found = nd.drift_statistics(animal.recording, se=False)["value"]
        return dict(zip(STATISTICS, found.values, strict=True))

    stable, jumps, walk, rates, turnover = map(
        of, ("stable", "jumps", "independent", "rates", "turnover")
    )
    assert abs(stable["maps_last"] - 1) < 0.05 and abs(stable["rates_last"] - 1) < 0.05
    assert jumps["shifts_tails"] > 0.5 > 0.3 > walk["shifts_tails"]
    assert jumps["steps_tails"] > walk["steps_tails"] + 1
    assert rates["rate_changes_scale"] > 0.3 > 0.15 > walk["rate_changes_scale"]
    assert turnover["survival_first"] == pytest.approx(0.8, abs=0.08)
    assert turnover["active_level"] == pytest.approx(0.5, abs=0.15)
    assert min(stable["overlap_last"], walk["overlap_last"], jumps["overlap_last"]) > 0.97


def test_drift_statistics__fewer_events_are_no_drift():
    animal = animals.make("events", np.random.default_rng(4), n_units=80, n_laps=40)
    found = nd.drift_statistics(animal.recording, se=False)["value"]
    for name in ("maps_last", "vectors_last", "rates_last", "overlap_last"):
        assert found.sel(statistic=name).item() == pytest.approx(1, abs=0.05)
    for name in ("active_course", "information_course", "gini_course"):
        assert abs(found.sel(statistic=name).item()) < 0.12
