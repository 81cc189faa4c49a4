"""What more cells, events or sessions would tell apart."""

from __future__ import annotations

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.infer.plan import describe_plan


@pytest.fixture(scope="module")
def prior(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plan")
    small = {"families.gradient.settings.n_steps": 300}
    return nd.simulate_prior(
        "inference-prior-random", folder / "prior.zarr", small, n_runs=90, workers=0
    )


def test_plan_recording__as_recorded_first_and_each_change_seen(prior):
    mouse = nd.Observation(name="mouse", n_cells=15, events_per_cell=(5, 5))
    found = nd.plan_recording(prior, mouse, matched=False)
    assert found["plan"].values.tolist() == [
        "as recorded", "2 times the cells", "3 times the events", "4 sessions",
    ]  # fmt: skip
    assert (found["n_cells"].values <= [15, 30, 15, 15]).all()
    assert found["n_cells"][1] > 1.5 * found["n_cells"][0]
    events = found["n_events"].values
    assert events[2] == pytest.approx(3 * events[0], rel=0.05)
    assert found["n_sessions"].values.tolist() == [8, 8, 8, 4]
    rules = np.unique(nd.open_prior(prior, mouse)["rule"].values)
    assert found.sizes["pair"] == rules.size * (rules.size - 1) / 2
    assert ((found["accuracy"] >= 0) & (found["accuracy"] <= 1)).all()
    own = nd.calibrate_inference(nd.open_prior(prior, mouse), matched=False, sensitivity=False)
    assert abs(float(found["accuracy"][0]) - own["rules"].attrs["accuracy"]) < 0.15
    lines = describe_plan(found).splitlines()
    assert len(lines) == 4 and lines[3].startswith("4 sessions (15 cells, 4 sessions)")


def test_plan_recording__refused(prior):
    with pytest.raises(TypeError, match="nd.observation_of"):
        nd.plan_recording(prior, "mouse")
    with pytest.raises(ValueError, match="cells has 0"):
        nd.plan_recording(prior, nd.Observation(n_cells=5), cells=[0])
    with pytest.raises(ValueError, match="expected 2 to 8"):
        nd.plan_recording(
            prior, nd.Observation(n_cells=5), cells=(), events=(), sessions=[9], matched=False
        )
