from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import neurodrift as nd
from neurodrift.simulate.hebbian.hebbian import HebbianRun, train_hebbian
from neurodrift.simulate.hebbian.inputs import HebbianInputs, place_1d, psp, ring
from neurodrift.simulate.hebbian.network import HebbianNetwork, HebbianRule, responses

PLACE = {
    "network": HebbianNetwork(n_units=60, lam1=0.02, alpha=35, weight_scale=0.5),
    "rule": HebbianRule(forward_noise=0.005, lateral_noise=0.005),
}


@pytest.fixture(scope="module")
def track() -> HebbianRun:
    return train_hebbian(
        place_1d(n_positions=80, length=80), **PLACE, n_steps=800,
        measures=[0, 100, 400, 800], snapshots=[0, 100, 400, 800], peak_threshold=0.1,
    )  # fmt: skip


def quiet(**noise: float) -> HebbianRule:
    return HebbianRule(**{"forward_noise": 0.0, "lateral_noise": 0.0} | noise)


def test_measures__literal(track: HebbianRun) -> None:
    x = track.inputs.inputs
    first = track.activity(0)
    for i in range(4):
        y, row = track.activity(i), track.measures.isel(step=i)
        similarity = x @ x.T - 35 - y @ y.T
        assert row["loss"].item() == pytest.approx((similarity**2).mean(), rel=1e-9)
        assert row["active_fraction"].item() == (y > 0).mean()
        assert row["fraction_active_units"].item() == (y.max(axis=0) > 0).mean()
        assert row["fraction_units_above_threshold"].item() == (y.max(axis=0) > 0.1).mean()
        correlations = [np.corrcoef(a, b)[0, 1] for a, b in zip(y, first, strict=True)]
        assert row["pv_correlation"].item() == pytest.approx(np.mean(correlations))
        change = np.linalg.norm(y @ y.T - first @ first.T) / np.linalg.norm(first @ first.T)
        assert row["rsm_change"].item() == pytest.approx(change, abs=1e-6)


def test_recording__common_analysis_says_the_same(track: HebbianRun) -> None:
    recording = track.recording()
    found = nd.compute_sparsity(recording)
    for name in ("active_fraction", "fraction_active_units"):
        np.testing.assert_allclose(found[name].values, track.measures[name].values, rtol=1e-12)
    maps = nd.compute_rate_maps(recording, binning=nd.Binning(bin_width=1.0))  # a bin a place
    pairs = nd.compute_drift(maps)["population_vector_correlation"]
    np.testing.assert_allclose(
        pairs.values[0, 1:], track.measures["pv_correlation"].values[1:], atol=1e-9
    )
    np.testing.assert_allclose(recording["loss"].values, track.measures["loss"].values, rtol=1e-9)
    assert recording["training_step"].values.tolist() == [0, 100, 400, 800]
    assert recording["x"].values[:80].tolist() == (np.arange(80) + 0.5).tolist()
    assert recording["activity"].attrs["kind"] == "activation"


def test_recording__is_analysed_unchanged() -> None:
    run = train_hebbian(
        ring(n_positions=60, length=60), network=HebbianNetwork(n_units=40), n_steps=900,
        snapshots=7,
    )  # fmt: skip
    results = nd.analyze(run.recording())
    assert results["sessions"]["n_place_cells"].values[0] > 30
    assert results["phases"].attrs["verdict"]


def test_recording__linear_units_have_no_place() -> None:
    network = HebbianNetwork(n_units=3, response="linear", lam2=0)
    run = train_hebbian(psp(n_samples=60), network=network, n_steps=200, snapshots=6)
    recording = run.recording()
    assert "x" not in recording
    assert (recording["activity"] < 0).any()
    assert "active_fraction" not in run.measures
    results = nd.analyze(recording)
    assert "maps" not in results
    assert "ensemble_rate_correlation" in results["drift"]
    with pytest.raises(ValueError, match="position"):
        nd.compute_rate_maps(recording)


def test_train__linear_units_find_the_first_components() -> None:
    network = HebbianNetwork(n_units=3, response="linear", lam2=0)
    run = train_hebbian(
        psp(), network=network, rule=quiet(learning_rate=0.005), n_steps=20_000, measures=3
    )
    assert run.measures["subspace_error"].values[0] > 0.8
    assert run.measures["subspace_error"].values[-1] < 0.06
    components = np.linalg.solve(run.weights["M"][-1], run.weights["W"][-1])
    np.testing.assert_allclose((components**2).sum(axis=0)[:3], 1, atol=0.1)
    assert np.abs(components[:, 3:]).max() < 0.15


def test_train__units_fall_silent_by_clipped_lateral_noise_only() -> None:
    rules = {
        "published": HebbianRule(),
        "none": quiet(),
        "forward": quiet(forward_noise=0.001),
        "not clipped": HebbianRule(clip_lateral=False),
    }
    ends = {}
    for name, rule in rules.items():
        run = train_hebbian(ring(n_positions=100), rule=rule, n_steps=2500, measures=[0, 2500])
        ends[name] = run.measures.isel(step=-1)
    active = {name: end["fraction_active_units"].item() for name, end in ends.items()}
    assert active["published"] < 0.6
    assert active["none"] == 1
    assert min(active["forward"], active["not clipped"]) > 0.95
    for name, end in ends.items():
        assert (end["pv_correlation"].item() > 0.9) == (name == "none")
        assert abs(end["loss"].item() / ends["none"]["loss"].item() - 1) < 0.05


def test_train__streams_are_independent() -> None:
    inputs = HebbianInputs(name="one silent input", inputs=np.zeros((1, 2)))
    rules = {
        "both": HebbianRule(forward_noise=0.01, lateral_noise=0.01),
        "forward": quiet(forward_noise=0.01),
        "lateral": quiet(lateral_noise=0.01),
        "bias": quiet(bias_noise=0.01),
    }
    made = {
        name: train_hebbian(
            inputs, network=HebbianNetwork(n_units=8, alpha=1), rule=rule, n_steps=1, snapshots=2
        ).weights
        for name, rule in rules.items()
    }
    # without activity weights only decay, so what is left is the noise
    assert (made["both"]["W"] == made["forward"]["W"]).all()
    assert (made["both"]["M"] == made["lateral"]["M"]).all()
    forward, lateral = made["forward"], made["lateral"]
    still = 0.98 * forward["W"][0]
    np.testing.assert_allclose(lateral["W"][1], still, rtol=1e-12)
    assert np.std(forward["W"][1] - still) == pytest.approx(0.01 * np.sqrt(0.02), rel=0.5)
    assert not made["both"]["b"].any()
    assert np.std(made["bias"]["b"][1]) == pytest.approx(0.01 * np.sqrt(0.02), rel=0.7)
    assert lateral["M"].min() == 0  # clipped
    assert (np.abs(lateral["M"][1] - lateral["M"][1].T) > 0).any()


def test_train__same_seed_same_bits_whatever_the_looks_and_threads(track: HebbianRun) -> None:
    with threadpool_limits(2):
        again = train_hebbian(
            track.inputs, **PLACE, n_steps=800, measures=[0, 800], snapshots=[800],
            peak_threshold=0.1,
        )  # fmt: skip
    for name, array in again.weights.items():
        assert (array[0] == track.weights[name][-1]).all()
    for name, values in again.measures.items():
        assert values.values[-1] == track.measures[name].values[-1]
    other = train_hebbian(track.inputs, **PLACE, n_steps=10, snapshots=[10], seed=1)
    assert (other.weights["W"] != track.weights["W"][0]).any()


def test_train__published_iteration_learns_the_same_without_noise() -> None:
    options = {"network": HebbianNetwork(n_units=30), "rule": quiet(), "n_steps": 300}
    exact, published = (
        train_hebbian(ring(n_positions=50), **options, fixed_point=kind)
        for kind in ("exact", "iteration")
    )
    np.testing.assert_allclose(published.activity(-1), exact.activity(-1), atol=2e-3)
    assert published.measures.attrs["iterations_per_step"] > 20
    assert exact.measures.attrs["iterations_per_step"] == 0


def test_responses__published_iteration_on_a_trained_ring() -> None:
    run = train_hebbian(ring(n_positions=200), n_steps=1500, snapshots=[0, 300, 1500])
    for i in range(3):
        weights = {name: array[i] for name, array in run.weights.items()}
        published = responses(
            run.inputs.inputs, network=run.network, **weights, fixed_point="iteration"
        )
        assert np.abs(published - run.activity(i)).max() < 5e-4


def test_train__loses_its_fixed_point() -> None:
    network = HebbianNetwork(n_units=10, lam2=0)
    with pytest.raises(ValueError, match="after [0-9]+ updates"):
        train_hebbian(
            ring(n_positions=20), network=network, rule=HebbianRule(lateral_noise=30), n_steps=500
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_steps": 0}, "n_steps is 0"),
        ({"fixed_point": "other"}, "fixed_point is 'other'"),
        ({"measures": [5, 200], "n_steps": 100}, "measures has steps 5 to 200"),
        ({"snapshots": []}, "expected whole numbers"),
    ],
)
def test_train__impossible_options(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        train_hebbian(ring(n_positions=5), **options)


def test_network__all_faults_at_once() -> None:
    with pytest.raises(ValueError, match="n_units is 0.*lam2 is -1.*lam1 must be 0"):
        HebbianNetwork(n_units=0, lam2=-1, lam1=1, response="linear")
    with pytest.raises(ValueError, match="forward_noise is nan.*expected at most 1"):
        HebbianRule(learning_rate=2, forward_noise=float("nan"))
    with pytest.raises(ValueError, match="M has shape"):
        responses(
            np.ones((1, 2)), W=np.ones((2, 2)), M=np.ones((3, 3)), b=np.ones(2),
            network=HebbianNetwork(n_units=2),
        )  # fmt: skip
