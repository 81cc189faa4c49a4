from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.analysis.drift.remapping import compute_remapping
from neurodrift.seeds import generator
from neurodrift.simulate.curvature.hessian import compute_hessian_spectrum, compute_hessian_trace
from neurodrift.simulate.curvature.loss_point import LossPoint
from neurodrift.simulate.gradient import track as _corridor
from neurodrift.simulate.gradient.engine import train, train_ensemble
from neurodrift.simulate.gradient.networks import Network
from neurodrift.simulate.gradient.perturb import moved, perturb, relearned, thinned
from neurodrift.simulate.gradient.rules import Rule
from neurodrift.simulate.gradient.tasks import PUBLISHED, Task, predictive_track, random
from neurodrift.simulate.gradient.track import WALLS, morph_track
from neurodrift.simulate.settings.sweep import read_sweep
from neurodrift.simulate.sweep import open_sweep, run_sweep

TRACK = {"n_samples": 60, "n_rays": 7}
SMALL = Network(n_hidden=12)


@pytest.fixture(scope="module")
def task() -> Task:
    return predictive_track(**TRACK)


@pytest.fixture(scope="module")
def run(task):
    return train(
        task, network=SMALL, rule=Rule(update_noise=0.1), n_steps=400, snapshots=[100, 200, 400]
    )


# --- walls -----------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, PUBLISHED["predictive_track"], {"n_arenas": 2}])
def test_morph_track__level_0_is_the_task_and_the_path_never_changes(options):
    task = predictive_track(**TRACK, **options, seed=4)
    for level in (0.0, 0.4, 1.0):
        changed = morph_track(task, level, seed=9)
        for name in ("position", "direction", "heading", "trial"):
            np.testing.assert_array_equal(getattr(changed, name), getattr(task, name))
        np.testing.assert_array_equal(changed.inputs[:, -1], task.inputs[:, -1])
        for name in ("inputs", "targets"):
            same = (getattr(changed, name) == getattr(task, name)).all()
            assert same == (level == 0)


@pytest.mark.parametrize("level", [0.2, 0.5, 1.0])
def test_morph_track__texture_keeps_mean_and_variance(level, monkeypatch):
    seen = []
    original = _corridor.texture_at
    monkeypatch.setattr(
        "neurodrift.simulate.gradient.track.texture_at",
        lambda tiles, phase: seen.append(tiles) or original(tiles, phase),
    )
    morph_track(predictive_track(**TRACK), level, seed=2)
    first, mixed = seen[-2:]
    assert mixed.mean() == pytest.approx(first.mean())
    assert mixed.var() == pytest.approx(first.var())
    assert np.corrcoef(first, mixed)[0, 1] == pytest.approx(np.cos(np.pi * level / 2))


def test_morph_track__levels_lie_on_the_way_to_one_second_texture(task):
    """At the scale of the familiar task, x_m = c + cos(m) (x_0 - c) + sin(m) (x_1 - c)."""
    at = {m: morph_track(task, m, seed=1).inputs[:, :-1] for m in (0, 0.3, 0.5, 1)}
    for m in (0.3, 0.5):
        cos, sin = np.cos(np.pi * m / 2), np.sin(np.pi * m / 2)
        rest = (at[m] - cos * at[0] - sin * at[1]) / (1 - cos - sin)
        assert np.ptp(rest) < 1e-9
    other = morph_track(task, 1, seed=2).inputs[:, :-1]
    assert abs(np.corrcoef(other.ravel(), at[1].ravel())[0, 1]) < 0.9


def test_morph_track__only_rays_that_meet_a_changed_wall_see_it(task):
    width, length, angle = (task.attrs[name] for name in ("width", "length", "view_angle"))
    along = task.position / 10 - (0.5 - task.attrs["end_zone"]) * length
    rays = task.heading[:, None] + np.linspace(-angle / 2, angle / 2, TRACK["n_rays"])
    hit = np.empty(rays.shape, dtype=int)
    for i, j in np.ndindex(*rays.shape):  # walk along the ray in small steps until outside
        step = 1e-3 * np.array([np.sin(rays[i, j]), np.cos(rays[i, j])])
        n = 1
        while True:
            x, y = n * step[0], along[i] + n * step[1]
            if abs(x) > width / 2 or abs(y) > length / 2:
                break
            n += 1
        if abs(x) > width / 2:
            hit[i, j] = 1 if x > 0 else 3
        else:
            hit[i, j] = 0 if y > 0 else 2
    counts = 0
    for number, wall in enumerate(WALLS):
        changed = morph_track(task, 1, walls=[wall]).inputs != task.inputs
        assert (changed[:, :-1] == (hit == number)).mean() > 0.995  # corners within a small step
        counts += changed[:, :-1].any()
    assert counts >= 3
    everything = morph_track(task, 1).inputs
    left = morph_track(task, 1, walls=["left"]).inputs
    np.testing.assert_array_equal(left, np.where(left != task.inputs, everything, task.inputs))


def test_morph_track__refuses_what_it_cannot_change(task):
    for options, text in [
        ({"level": 1.5}, "level is 1.5"),
        ({"level": 0.5, "walls": ["floor"]}, "expected a list of some of upper"),
        ({"level": 0.5, "walls": "left"}, "walls are 'left'"),
        ({"level": 0.5, "walls": []}, "walls are \\[\\]"),
    ]:
        with pytest.raises(ValueError, match=text):
            morph_track(task, **options)
    with pytest.raises(ValueError, match="changed already"):
        morph_track(morph_track(task, 0.5), 0.5)
    with pytest.raises(ValueError, match="has no walls to change"):
        morph_track(random(), 0.5)


# --- training from given weights -------------------------------------------------------------


@pytest.mark.parametrize("engine", ["numba", "torch"])
def test_train__from_weights_goes_on_where_a_run_was(engine):
    whole = train(random(), n_steps=200, snapshots=[100, 200], engine=engine)
    start = whole.snapshot(100)
    rest = train(random(), weights=start, n_steps=100, snapshots=[0, 100], engine=engine)
    for name in ("W", "b", "V"):
        np.testing.assert_allclose(rest.weights[name][0], whole.weights[name][0], atol=1e-12)
        np.testing.assert_allclose(rest.weights[name][1], whole.weights[name][1], atol=1e-9)


def test_train__weights_of_another_network_are_refused(tmp_path):
    weights = train(random(), n_steps=10).snapshot(0)
    with pytest.raises(ValueError, match="weights have the shapes .*'W': \\(100, 20\\)"):
        train(random(), network=SMALL, weights=weights, n_steps=10)
    ensemble = train_ensemble(random(), weights=[weights, weights], seed=[1, 1], n_steps=10)
    np.testing.assert_array_equal(ensemble[0].weights["W"], ensemble[1].weights["W"])
    file = tmp_path / "checkpoint.npz"
    train(random(), weights=weights, n_steps=10, checkpoint=file, checkpoint_every=5)
    with pytest.raises(ValueError, match="checkpoint"):
        train(random(), n_steps=10, checkpoint=file)


# --- the code in another environment ---------------------------------------------------------


def test_moved__is_the_forward_pass_there(run, task):
    there = morph_track(task, 0.7)
    recording = moved(run, there).recording()
    weights = run.snapshot(200)
    hidden = np.maximum(there.inputs @ weights["W"].T + weights["b"], 0)
    outputs = hidden @ weights["V"].T
    (where,) = (
        w
        for w, s in zip(nd.slice_sessions(recording), recording["session"].values, strict=True)
        if s == "step 200"
    )
    np.testing.assert_allclose(recording["activity"].values[where], hidden, atol=1e-12)
    loss = ((outputs - there.targets) ** 2).mean() / there.targets.var(ddof=1)
    assert recording["loss"].sel(session="step 200").item() == pytest.approx(loss)
    assert recording["environment"].item() == "predictive_track, walls morphed by 0.7"
    with pytest.raises(
        ValueError, match="20 inputs and 5 outputs, but the network was trained on 8"
    ):
        moved(run, random())


def test_relearned__literal_gradient_descent(task):
    run = train(task, network=SMALL, n_steps=60, snapshots=[20, 60], seed=3)
    there = morph_track(task, 0.5)
    found = relearned(run, there, 25)
    for i, step in enumerate((20, 60)):
        w = run.snapshot(step)
        W, b, V = w["W"].copy(), w["b"].copy(), w["V"].copy()
        for _ in range(25):
            drive = there.inputs @ W.T + b
            hidden = np.maximum(drive, 0)
            error = 2 * (hidden @ V.T - there.targets) / there.targets.size
            back = (error @ V) * (drive > 0)
            V, W, b = (
                V - 0.1 * error.T @ hidden,
                W - 0.1 * back.T @ there.inputs,
                b - 0.1 * back.sum(axis=0),
            )
        for name, expected in (("W", W), ("b", b), ("V", V)):
            np.testing.assert_allclose(found.weights[name][i], expected, atol=1e-10)
        loss = ((np.maximum(there.inputs @ W.T + b, 0) @ V.T - there.targets) ** 2).mean()
        loss /= there.targets.var(ddof=1)
        assert found.measures["loss"].sel(step=step).item() == pytest.approx(loss)
    assert found.snapshot_steps.tolist() == [20, 60]


def test_relearned__does_not_depend_on_company_or_threads(run, task):
    there = morph_track(task, 0.5)
    together = relearned(run, there, 50, seed=1)
    for step in (400, 100):
        alone = relearned(run, there, 50, snapshots=[step], seed=1, n_threads=1)
        for name, array in alone.weights.items():
            np.testing.assert_array_equal(array[0], together.snapshot(step)[name])
    other = relearned(run, there, 50, seed=2)
    assert not np.array_equal(other.weights["W"], together.weights["W"])
    assert together.measures.attrs["noise_seed"] != other.measures.attrs["noise_seed"]


def test_relearned__noise_is_named_by_both_seeds(task):
    noise = []
    for seed, own in ((0, 3), (0, 4), (1, 3)):
        run = train(task, n_steps=1, snapshots=[1], seed=own)
        noise.append(relearned(run, task, 1, seed=seed).measures.attrs["noise_seed"])
        assert noise[-1] == int(generator(seed, "relearning", own).integers(2**63))
    assert len(set(noise)) == 3


def test_relearned__leaves_out_what_diverges(run, task):
    wild = run.weights["V"].copy()
    wild[1] *= 1e6
    broken = replace(run, weights=run.weights | {"V": wild})
    assert relearned(broken, task, 30).snapshot_steps.tolist() == [100, 400]
    with pytest.raises(ValueError, match="ended early from every snapshot \\(diverged\\)"):
        relearned(broken, task, 30, snapshots=[200])


def test_perturb__no_change_is_no_remapping(run, task):
    recordings = perturb(run, morph_track(task, 0), relearn=[40])
    binning = nd.Binning(bin_width=4.0)
    maps = {name: nd.compute_rate_maps(one, binning=binning) for name, one in recordings.items()}
    at_once = compute_remapping(maps["familiar"], maps["changed"])
    np.testing.assert_array_equal(at_once["remapping_index"], 0)
    np.testing.assert_array_equal(at_once["fraction_changed"], 0)
    # as much noise, the same noise: what relearning does beyond that is nothing
    np.testing.assert_array_equal(
        recordings["relearned 40"]["activity"], recordings["stayed 40"]["activity"]
    )
    assert (compute_remapping(maps["familiar"], maps["stayed 40"])["remapping_index"] > 0).all()


def test_perturb__other_walls_remap_more_the_more_they_differ(run, task):
    binning = nd.Binning(bin_width=4.0)
    familiar = nd.compute_rate_maps(run.recording(), binning=binning)
    index = [
        compute_remapping(
            familiar, nd.compute_rate_maps(moved(run, there).recording(), binning=binning)
        )
        for there in (morph_track(task, level, seed=5) for level in (0.1, 0.4, 1))
    ]
    means = [one["remapping_index"].mean().item() for one in index]
    assert means[0] < 0.2 < means[1] < means[2]
    assert means[2] > 0.6


def test_perturb__chosen_snapshots_and_errors(run, task):
    there = morph_track(task, 0.5)
    recordings = perturb(run, there, snapshots=[400, 100], subject="mouse")
    assert list(recordings) == ["familiar", "changed"]
    for one in recordings.values():
        assert one["session"].values.tolist() == ["step 100", "step 400"]
        assert one["subject"].item() == "mouse"
    with pytest.raises(ValueError, match="no snapshot of step \\[7\\]; it has \\[100, 200, 400\\]"):
        perturb(run, there, snapshots=[7])
    with pytest.raises(ValueError, match="n_steps is 0"):
        perturb(run, there, relearn=[0])


def test_perturb__a_run_of_a_sweep(tmp_path):
    config = read_sweep(
        "ratzon2024-track",
        {
            "task.n_samples": 60,
            "task.n_rays": 7,
            "network.n_hidden": 12,
            "n_steps": 60,
            "measures": 3,
            "snapshots": 3,
        },
    )
    path = run_sweep(config, tmp_path / "sweep.zarr", workers=0)
    run = open_sweep(path).run(1)
    recordings = perturb(run, morph_track(run.task, 0.5), relearn=[20])
    assert recordings["relearned 20"]["activity"].dtype == np.float32
    assert recordings["relearned 20"]["training_step"].values.tolist() == [0, 30, 60]


def test_perturb__analysis_runs_on_every_recording(task):
    run = train(
        task,
        network=SMALL,
        rule=Rule(update_noise=0.05),
        n_steps=600,
        snapshots=[100, 200, 300, 400, 500, 600],
    )
    recordings = perturb(run, morph_track(task, 0.3), relearn=[20])
    results = {name: nd.analyze(one, n_repeats=10, n_draws=1) for name, one in recordings.items()}
    for one in recordings.values():
        assert nd.detect_phases(one)["phase"].values.tolist()[1] == "directed drift"
    compared = nd.compare(results["familiar"], results["changed"])
    assert compared.sizes["side"] == 2


# --- sparsity and curvature ------------------------------------------------------------------


def test_thinned__is_the_first_snapshot_as_sparse_as_each(run):
    found = thinned(run)
    first, codes = found.recording(), run.recording()
    n = run.task.n_samples
    active = [(one["activity"].values > 0).reshape(3, n, -1) for one in (first, codes)]
    assert [a.sum() for a in active[0]] == [a.sum() for a in active[1]]
    np.testing.assert_array_equal(active[0][0], active[1][0])
    for name in ("W", "V"):
        for array in found.weights[name]:
            np.testing.assert_array_equal(array, run.weights[name][0])
    lowered = run.weights["b"][0] - found.weights["b"]
    np.testing.assert_allclose(lowered - lowered[:, :1], 0, atol=1e-12)  # one number for all units
    # of two such codes the sparser one is part of the other
    order = np.argsort([a.sum() for a in active[0]])
    assert not (active[0][order[0]] & ~active[0][order[-1]]).any()


def test_thinned__needs_relu_units():
    run = train(random(), network=Network(activation="tanh"), n_steps=5)
    with pytest.raises(ValueError, match="hidden ReLU layer"):
        thinned(run)


@pytest.mark.parametrize("activation", ["relu", "tanh", "silu", "leaky_relu"])
def test_hessian_trace__is_the_sum_of_the_eigenvalues(activation):
    rng = np.random.default_rng(0)
    W, b, V = rng.normal(size=(5, 4)), rng.normal(size=5), rng.normal(size=(3, 5))
    inputs, targets = rng.normal(size=(6, 4)), rng.normal(size=(6, 3))
    point = LossPoint(W, b, V, inputs, targets, activation=activation)
    assert compute_hessian_trace(point) == pytest.approx(compute_hessian_spectrum(point).sum())
