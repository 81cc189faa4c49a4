from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from neurodrift.simulate.gradient import _runner, rules
from neurodrift.simulate.gradient._numba.fused import FusedNetwork
from neurodrift.simulate.gradient._torch import TorchNetworks
from neurodrift.simulate.gradient.engine import sample_steps, train, train_ensemble
from neurodrift.simulate.gradient.networks import Network, initialise
from neurodrift.simulate.gradient.rules import Rule
from neurodrift.simulate.gradient.tasks import Task, predictive_track, random

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True, scope="module")
def one_torch_thread() -> Iterator[None]:
    """Threads only wait for each other on networks of this size."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


ENGINES = ["numba", "torch"]
SIZES = [(5, 20, 5, 100), (10, 20, 10, 100), (7, 3, 2, 33), (40, 5, 3, 70), (3, 1, 1, 5)]


def task_of(n_samples: int, n_inputs: int, n_outputs: int) -> Task:
    return random(n_samples=n_samples, n_inputs=n_inputs, n_outputs=n_outputs, seed=4)


def literal(task: Task, weights: dict, rule: Rule, n_steps: int) -> tuple[dict, list[float]]:
    """The published update without noise, written out."""
    memory = rules.start(rule, weights)
    losses = []
    for count in range(n_steps):
        a = task.inputs @ weights["W"].T + weights["b"]
        h = np.maximum(a, 0)
        error = h @ weights["V"].T - task.targets
        losses.append((error**2).mean())
        d_out = 2 * error / error.size
        d_in = (d_out @ weights["V"]) * (a > 0)
        slopes = {"W": d_in.T @ task.inputs, "b": d_in.sum(axis=0), "V": d_out.T @ h}
        weights, memory = rules.step(rule, weights, slopes, memory, count)
    return weights, losses


def trainer(
    engine: str, task: Task, network: Network, rule: Rule, seed: int, **options: Any
) -> Any:
    if engine == "numba":
        return FusedNetwork(task, network, rule, seed, **options)
    return TorchNetworks([task], network, [rule], [seed], **options)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("rule", ["sgd", "adam", "rmsprop"])
def test_train__noise_free_step_by_step(engine: Any, size: tuple, rule: Any) -> None:
    task, n_hidden = task_of(*size[:3]), size[3]
    steps = [0, 1, 2, 5, 20, 60, 100]
    run = train(
        task,
        network=Network(n_hidden=n_hidden),
        rule=Rule(rule),
        n_steps=100,
        snapshots=steps,
        measures=[0, 100],
        engine=engine,
        seed=6,
    )
    start = initialise(size[1], n_hidden, size[2], seed=6)
    for step in steps:
        expected, losses = literal(task, start, Rule(rule), step)
        for name, array in run.snapshot(step).items():
            np.testing.assert_allclose(array, expected[name], rtol=0, atol=1e-10)
    early = np.array(losses) / task.targets.var(ddof=1)
    np.testing.assert_allclose(run.measures["early_loss"], early, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("label_noise", [0.0, 0.3])
def test_momentum__both_engines_by_a_loop(size: tuple, label_noise: float) -> None:
    """The same weights by hand; with label noise the two engines go the same slow way."""
    task, n_hidden = task_of(*size[:3]), size[3]
    rule = Rule(learning_rate=0.02, momentum=0.9, label_noise=label_noise)
    steps = [0, 1, 2, 5, 60, 200]
    options: dict[str, Any] = {"n_steps": 200, "snapshots": steps, "measures": [0, 200], "seed": 6}
    runs = [
        train(task, network=Network(n_hidden=n_hidden), rule=rule, engine=engine, **options)  # type: ignore[arg-type]
        for engine in ENGINES
    ]
    if label_noise:
        losses = [float(run.measures["loss"][-1]) for run in runs]
        assert max(losses) < 5 * min(losses) + 0.1
        return
    start = initialise(size[1], n_hidden, size[2], seed=6)
    theta = {name: array.copy() for name, array in start.items()}
    kept = {name: np.zeros_like(array) for name, array in theta.items()}
    for step in range(201):
        if step in steps:
            for run in runs:
                for name, array in run.snapshot(step).items():
                    np.testing.assert_allclose(array, theta[name], rtol=0, atol=1e-10)
        below = task.inputs @ theta["W"].T + theta["b"]
        hidden = np.maximum(below, 0)
        error = 2 * (hidden @ theta["V"].T - task.targets) / task.targets.size
        back = (error @ theta["V"]) * (below > 0)
        slope = {"W": back.T @ task.inputs, "b": back.sum(axis=0), "V": error.T @ hidden}
        for name in theta:
            kept[name] = 0.9 * kept[name] + slope[name]
            theta[name] = theta[name] - 0.02 * kept[name]


def test_momentum__walks_as_fast_as_plain_descent_with_a_larger_rate() -> None:
    """The weights of silent units walk by eta sigma / (1 - momentum) a step."""
    task, network = task_of(3, 4, 2), Network(n_hidden=20)
    start = {k: v * 0 for k, v in initialise(4, 20, 2, seed=0).items()}
    start["b"] -= 1e3  # nothing fires
    rule = Rule(learning_rate=0.01, momentum=0.9, update_noise=1.0)
    training = trainer("numba", task, network, rule, 1, weights=start)
    training.advance(3000)
    after = training.weights()[0]
    walked = np.concatenate([(after[k] - start[k]).ravel() for k in ("W", "V")])
    expected = 0.1 * np.sqrt(3000)
    assert abs(walked.std() / expected - 1) < 4 / np.sqrt(2 * walked.size)


def test_train__engines_agree_in_single_precision() -> None:
    task = task_of(10, 20, 10)
    options: dict[str, Any] = {"n_steps": 300, "snapshots": [300], "dtype": "float32"}
    a, b = (train(task, engine=engine, **options) for engine in ENGINES)  # type: ignore[arg-type]
    double = train(task, n_steps=300, snapshots=[300])
    for name in "WbV":
        assert a.weights[name].dtype == b.weights[name].dtype == np.float32
        np.testing.assert_allclose(a.weights[name], double.weights[name], atol=1e-4)
        np.testing.assert_allclose(b.weights[name], double.weights[name], atol=1e-4)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("rate", "sigma"), [(0.1, 0.05), (0.2, 0.05), (0.1, 0.2)])
def test_update_noise__jump_of_a_step(engine: str, rate: float, sigma: float) -> None:
    # one step with noise minus the same step without: eta sigma xi on every parameter
    task, network = task_of(5, 20, 5), Network(n_hidden=700)
    noisy = trainer(engine, task, network, Rule(learning_rate=rate, update_noise=sigma), 1)
    still = trainer(engine, task, network, Rule(learning_rate=rate), 1)
    noisy.advance(1)
    still.advance(1)
    after, plain = noisy.weights()[0], still.weights()[0]
    noise = {name: (after[name] - plain[name]) / (rate * sigma) for name in after}
    for name, values in noise.items():
        x = values.ravel()
        assert abs(x.mean()) < 4 / np.sqrt(x.size), name
        assert abs(x.var() - 1) < 4 * np.sqrt(2 / x.size), name
        assert stats.kstest(x, "norm").pvalue > 1e-3, name
    columns = np.column_stack([noise["W"], noise["b"], noise["V"].T])
    correlation = np.corrcoef(columns, rowvar=False) - np.eye(columns.shape[1])
    assert np.abs(correlation).max() < 4.5 / np.sqrt(len(columns))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rule", ["adam", "rmsprop"])
def test_update_noise__is_added_to_the_gradient(engine: str, rule: Any) -> None:
    # the first step of Adam is -eta sign(g), of RMSprop -eta sign(g)/sqrt(1 - decay): with noise
    # far above the gradient every sign is a coin
    task, network = task_of(5, 20, 5), Network(n_hidden=300)
    training = trainer(engine, task, network, Rule(rule, update_noise=1e3), 1)
    before = training.weights()[0]["W"]
    training.advance(1)
    jumps = training.weights()[0]["W"] - before
    expected = 1e-3 if rule == "adam" else 1e-2
    np.testing.assert_allclose(np.abs(jumps), expected, rtol=1e-4)
    assert abs((jumps > 0).mean() - 0.5) < 4 * 0.5 / np.sqrt(jumps.size)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("kind", ["gaussian", "uniform"])
@pytest.mark.parametrize("scale", [0.3, 1.0])
def test_label_noise__shape_and_scale(engine: str, kind: Any, scale: float) -> None:
    # the jump of V is linear in the noise of the targets, so the noise can be solved for
    task, network = task_of(60, 80, 50), Network(n_hidden=300)
    options = {"learning_rate": 0.3, "label_noise": scale, "label_noise_kind": kind}
    noisy = trainer(engine, task, network, Rule(**options), 2)
    still = trainer(engine, task, network, Rule(learning_rate=0.3), 2)
    start = still.weights()[0]
    noisy.advance(1)
    still.advance(1)
    hidden = np.maximum(task.inputs @ start["W"].T + start["b"], 0)
    jump = noisy.weights()[0]["V"] - still.weights()[0]["V"]
    noise = (jump @ np.linalg.pinv(hidden) / (0.3 * 2 / task.targets.size)).ravel() / scale
    law = stats.norm if kind == "gaussian" else stats.uniform(-0.5, 1)
    assert noise.size == 3000
    assert stats.kstest(noise, law.cdf).pvalue > 1e-3
    assert abs(noise.mean()) < 4 * law.std() / np.sqrt(noise.size)
    # sd of the square: 2 for the normal law; 1/180 for the uniform one
    spread = np.sqrt(2 if kind == "gaussian" else 1 / 180)
    assert abs(noise.var() - law.var()) < 4 * spread / np.sqrt(noise.size)


def test_input_noise__shape_and_scale() -> None:
    task = task_of(60, 80, 2)
    # a linear network of identity weights: the jump of V tells the noisy hidden layer
    network = Network(n_hidden=80, activation="linear")
    rule = Rule(learning_rate=1.0, input_noise=0.2)
    training = TorchNetworks([task], network, [rule], [3])
    noise = training._noise("input_noise", task.inputs.shape)[0].numpy() / 0.2
    assert stats.kstest(noise.ravel(), "norm").pvalue > 1e-3
    start = {"W": np.eye(80), "b": np.zeros(80), "V": np.zeros((2, 80))}
    state = training.state()
    for name, array in start.items():
        state[f"parameter.{name}"] = array[None]
    training.restore(state)
    training.advance(1)
    expected = 2 / task.targets.size * task.targets.T @ (task.inputs + 0.2 * noise)
    np.testing.assert_allclose(training.weights()[0]["V"], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_sed__moves_against_the_gradient(engine: str) -> None:
    task, network = task_of(4, 3, 2), Network(n_hidden=6)
    rule = Rule("sed", learning_rate=1.0, perturbation=0.02)
    n = 3000
    start = initialise(3, 6, 2, seed=0)
    slopes = {
        k: start[k] - v for k, v in literal(task, start, Rule(learning_rate=1.0), 1)[0].items()
    }
    if engine == "numba":
        moves = []
        training = FusedNetwork(task, network, rule, 0)
        state = training.state()
        for i in range(n):
            state["stream"] = np.random.default_rng(i).integers(2**32, size=256, dtype=np.uint32)
            training.restore(state)
            training.advance(1)
            moves.append(training.weights()[0])
    else:
        many = TorchNetworks([task] * n, network, [rule] * n, list(range(n)))
        state = many.state()
        for name, array in start.items():
            state[f"parameter.{name}"] = np.repeat(array[None], n, axis=0)
        many.restore(state)
        many.advance(1)
        moves = many.weights()
    for name, width in (("W", 6), ("b", 6), ("V", 2)):
        jumps = np.stack([m[name] for m in moves]) - start[name]
        expected = -(0.02**2) / width * slopes[name]
        error = jumps.std(axis=0) / np.sqrt(n)
        assert (np.abs(jumps.mean(axis=0) - expected) < 4.5 * error).all(), name
        along = (jumps * slopes[name]).reshape(n, -1).sum(axis=1)
        target = -(0.02**2) / width * (slopes[name] ** 2).sum()
        assert abs(along.mean() - target) < 4 * along.std() / np.sqrt(n)
        assert along.mean() < -8 * along.std() / np.sqrt(n)


def test_sed__perturbed_loss() -> None:
    # with equal noisy targets the difference is small; by clean ones it is that of the labels
    task, network = task_of(10, 5, 5), Network()
    for engine in ENGINES:
        spread = {}
        for kind in ("same", "clean"):
            rule = Rule("sed", label_noise=3.0, perturbation=0.01, perturbed_loss=kind)  # type: ignore[arg-type]
            training = trainer(engine, task, network, rule, 0)
            before = training.weights()[0]["V"]
            training.advance(1)
            spread[kind] = (training.weights()[0]["V"] - before).std()
        assert spread["clean"] > 20 * spread["same"]


@pytest.mark.parametrize(
    "setting",
    [
        Rule(update_noise=0.5, label_noise=0.5),
        Rule(update_noise=0.1, input_noise=0.3),
        Rule("sed", learning_rate=0.7),
        Rule("adam", update_noise=0.1),
        Rule("rmsprop", update_noise=0.1),
        Rule("rmsprop", input_noise=0.2),
        Rule(update_noise=0.1, node_dropout=0.3),
        Rule(learning_rate=0.03, update_noise=0.1, momentum=0.8),
    ],
    ids=["sgd", "sgd, inputs", "sed", "adam", "rmsprop", "rmsprop, inputs", "dropout", "momentum"],
)
def test_train__engines_agree_in_distribution(setting: Rule) -> None:
    task, n = task_of(3, 4, 2), 150
    values = {}
    for k, engine in enumerate(ENGINES):
        runs = train_ensemble(
            task,
            network=Network(n_hidden=20),
            rule=setting,
            seed=list(range(1000 * k, 1000 * k + n)),
            n_steps=400,
            snapshots=[0, 400],
            measures=[400],
            engine=engine,  # type: ignore[arg-type]
        )
        assert {run.reason for run in runs} == {"finished"}
        values[engine] = {
            "loss": [float(run.measures["loss"][0]) for run in runs],
            "active": [float(run.measures["active_fraction"][0]) for run in runs],
            "W": [((run.weights["W"][1] - run.weights["W"][0]) ** 2).sum() for run in runs],
            "b": [((run.weights["b"][1] - run.weights["b"][0]) ** 2).sum() for run in runs],
            "V": [((run.weights["V"][1] - run.weights["V"][0]) ** 2).sum() for run in runs],
        }
    for name in values["numba"]:
        pair = values["numba"][name], values["torch"][name]
        assert stats.ks_2samp(*pair).pvalue > 1e-3, name


@pytest.mark.parametrize("engine", ENGINES)
def test_measures__equal_those_of_the_snapshots(engine: Any) -> None:
    task = task_of(5, 20, 5)
    run = train(
        task,
        rule=Rule(update_noise=0.5),
        n_steps=2000 if engine == "numba" else 300,
        snapshots=7,
        measures=7,
        engine=engine,
    )
    assert run.snapshot_steps.tolist() == run.measures["step"].values.tolist()
    recording = run.recording()
    np.testing.assert_allclose(recording["loss"], run.measures["loss"], rtol=1e-9, atol=1e-15)
    for i, step in enumerate(run.snapshot_steps):
        w = run.snapshot(step)
        hidden = np.maximum(task.inputs @ w["W"].T + w["b"], 0)
        loss = ((hidden @ w["V"].T - task.targets) ** 2).mean() / task.targets.var(ddof=1)
        measured = run.measures.isel(step=i)
        np.testing.assert_allclose(measured["loss"], loss, rtol=1e-9, atol=1e-15)
        assert float(measured["active_fraction"]) == pytest.approx((hidden > 0).mean())
        assert float(measured["fraction_active_units"]) == pytest.approx((hidden > 0).any(0).mean())
        frames = recording["session_index"].values == i
        np.testing.assert_allclose(recording["activity"].values[frames], hidden, atol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_train_ensemble__company_does_not_matter(engine: Any) -> None:
    tasks = [task_of(5, 6, 3), random(n_samples=5, n_inputs=6, n_outputs=3, seed=9)] * 3
    settings = [
        Rule(update_noise=s, label_noise=n) for s, n in [(0.1, 0), (0, 0.2), (0.3, 0.1)]
    ] * 2
    seeds = [1, 2, 3, 4, 5, 6]
    options: dict[str, Any] = {
        "network": Network(n_hidden=40),
        "n_steps": 300,
        "snapshots": 4,
        "measures": 3,
        "engine": engine,
    }
    together = train_ensemble(tasks, rule=settings, seed=seeds, n_threads=2, **options)
    for i, run in enumerate(together):
        alone = train(tasks[i], rule=settings[i], seed=seeds[i], **options)
        assert run.seed == seeds[i]
        for name in "WbV":
            if engine == "numba":
                assert (run.weights[name] == alone.weights[name]).all()
            np.testing.assert_allclose(run.weights[name], alone.weights[name], atol=1e-9)


class Killed(Exception):
    pass


@pytest.mark.parametrize(
    ("engine", "network", "rule"),
    [
        ("numba", Network(n_hidden=70), Rule(update_noise=0.7, label_noise=0.2)),
        ("numba", Network(n_hidden=70), Rule("sed")),
        ("numba", Network(n_hidden=70), Rule("adam")),
        ("torch", Network(n_hidden=20), Rule("rmsprop", update_noise=0.1)),
        ("torch", Network(n_hidden=20), Rule("adam", input_noise=0.1, batch_size=2)),
        ("torch", Network(n_hidden=20, activation="tanh", depth=2), Rule("sed", label_noise=0.1)),
    ],
)
@pytest.mark.parametrize("n_runs", [1, 3])
def test_checkpoint__resumed_equals_uninterrupted(
    engine: Any,
    network: Network,
    rule: Rule,
    n_runs: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    n_steps = 3000 if engine == "numba" else 90
    options: dict[str, Any] = {
        "network": network,
        "rule": rule,
        "seed": list(range(n_runs)),
        "n_steps": n_steps,
        "snapshots": 4,
        "measures": 13,
        "engine": engine,
        "n_threads": 1,
    }
    task = task_of(5, 6, 3)
    whole = train_ensemble(task, **options)
    write = _runner._Book.write
    path = tmp_path / "state"
    saved = {"checkpoint": path, "checkpoint_every": n_steps // 7}
    for limit in (0.1, 0.3, 0.31, 0.8):

        def fail(self: Any, step: int, training: Any, limit: float = limit) -> None:
            if step > limit * n_steps:
                raise Killed
            write(self, step, training)

        monkeypatch.setattr(_runner._Book, "write", fail)
        with pytest.raises(Killed):
            train_ensemble(task, **options, **saved)
    monkeypatch.setattr(_runner._Book, "write", write)
    resumed = train_ensemble(task, **options, **saved)
    again = train_ensemble(task, **options, **saved)
    for runs in (resumed, again):
        for run, expected in zip(runs, whole, strict=True):
            assert run.snapshot_steps.tolist() == expected.snapshot_steps.tolist()
            for name, array in expected.weights.items():
                assert (run.weights[name] == array).all(), name
            assert run.measures.identical(expected.measures)


def test_checkpoint__of_another_run(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    train(task_of(5, 6, 3), n_steps=10, checkpoint=path)
    with pytest.raises(ValueError, match="checkpoint of another run"):
        train(task_of(5, 6, 3), n_steps=10, seed=1, checkpoint=path)
    path.write_bytes(b"PK nothing")
    with pytest.raises(ValueError, match="is no checkpoint"):
        train(task_of(5, 6, 3), n_steps=10, checkpoint=path)


@pytest.mark.parametrize("engine", ENGINES)
def test_train__diverged(engine: Any) -> None:
    run = train(
        task_of(10, 20, 10),
        rule=Rule(learning_rate=100.0),
        n_steps=50,
        snapshots=[0, 50],
        measures=range(51),  # type: ignore[arg-type]
        engine=engine,
    )
    assert run.reason == run.measures.attrs["reason"] == "diverged"
    last = int(run.measures["step"][-1])
    assert run.measures.attrs["steps_made"] == last < 50
    assert not np.isfinite(run.measures["loss"][-1])
    assert np.isfinite(run.measures["loss"][:-1]).all()
    assert run.snapshot_steps.tolist() == [0]
    assert run.measures.sizes["early_step"] == last
    assert np.isfinite(run.measures["early_loss"][0])


def test_train__thrown_up_and_back_again() -> None:
    # large steps throw the loss above 10 for some updates: divergence by the published rule only
    options: dict[str, Any] = {"n_steps": 3000, "measures": 3001, "snapshots": 2}
    run = train(task_of(5, 6, 3), **options)
    assert run.reason == "finished"
    above = run.measures["step"][run.measures["loss"] > 10]
    assert above.size
    assert run.measures["loss"][-1] < 1e-3
    published = train(task_of(5, 6, 3), divergence="published", **options)
    assert published.reason == "diverged"
    assert published.measures["step"][-1] == above[above > 0][0]


def test_train__diverged_when_the_loss_stays_high() -> None:
    # steps of noise by Adam carry the weights far away: finite, but above 10 for good
    rule = Rule("adam", learning_rate=0.5, update_noise=1e3)
    run = train(task_of(5, 6, 3), rule=rule, n_steps=10_000, measures=101)
    steps, loss = run.measures["step"].values, run.measures["loss"].values
    assert run.reason == "diverged"
    assert np.isfinite(loss).all()
    assert (loss[1:] > 10).all()
    assert steps[-1] == (1000 if loss[0] > 10 else 1100)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_train__not_finite_is_diverged_not_dead(engine: Any, dtype: Any) -> None:
    rule = Rule(learning_rate=1e30)
    run = train(task_of(5, 6, 3), rule=rule, n_steps=40, measures=[40], engine=engine, dtype=dtype)
    assert run.reason == "diverged"


@pytest.mark.parametrize("engine", ENGINES)
def test_train__dead(engine: Any) -> None:
    task = Task(name="never", inputs=[[0.0], [0.0]], targets=[1.0, 2.0])
    seed = next(s for s in range(99) if initialise(1, 1, 1, seed=s)["b"][0] < 0)
    run = train(
        task, network=Network(n_hidden=1), n_steps=10, snapshots=[5], engine=engine, seed=seed
    )
    assert run.reason == "dead"
    assert run.measures["step"].values.tolist() == [0]
    with pytest.raises(ValueError, match=r"no snapshot.*after 0 steps \(dead\)"):
        run.recording()


@pytest.mark.parametrize("engine", ENGINES)
def test_train_ensemble__one_diverges_the_others_go_on(engine: Any) -> None:
    settings = [Rule(learning_rate=rate) for rate in (0.1, 100.0, 0.1)]
    runs = train_ensemble(
        task_of(10, 20, 10), rule=settings, seed=[1, 2, 1], n_steps=60, engine=engine
    )
    assert [run.reason for run in runs] == ["finished", "diverged", "finished"]
    np.testing.assert_allclose(runs[0].weights["V"], runs[2].weights["V"], atol=1e-12)


def test_recording__of_the_track() -> None:
    task = predictive_track(n_samples=40)
    network = Network(n_hidden=30, regime="lazy")
    run = train(task, network=network, n_steps=100, snapshots=4, spacing="log", dtype="float32")
    recording = run.recording(subject="run 7")
    assert recording["session"].values.tolist() == ["step 0", "step 1", "step 10", "step 100"]
    assert recording["training_step"].values.tolist() == [0, 1, 10, 100]
    assert recording["activity"].attrs["kind"] == "activation"
    assert recording["activity"].dtype == np.float32
    assert (recording["frame_duration"] == 1).all()
    assert recording["subject"].item() == "run 7"
    assert recording["environment"].item() == task.name
    for name in ("x", "direction"):
        assert recording[name].values.tolist() == np.tile(task.frames()[name], 4).tolist()


@pytest.mark.parametrize(
    ("network", "hidden"),
    [
        (Network(n_hidden=12, activation="tanh"), 12),
        (Network(n_hidden=12, activation="gelu", depth=3), 12),
        (
            Network(
                module=lambda i, o: torch.nn.Sequential(
                    torch.nn.Linear(i, 9), torch.nn.Sigmoid(), torch.nn.Linear(9, o)
                ),
                hidden_layer="1",
            ),
            9,
        ),
    ],
)
@pytest.mark.parametrize("rule", ["sgd", "adam", "rmsprop"])
def test_train__any_network_as_torch_does(network: Network, hidden: int, rule: Any) -> None:
    from neurodrift.simulate.gradient.networks import build

    task = task_of(6, 5, 3)
    run = train(task, network=network, rule=Rule(rule), n_steps=30, snapshots=[0, 30], seed=2)
    assert run.measures.attrs["engine"] == "torch"
    assert run.recording().sizes["unit"] == hidden
    module = build(network, 5, 3).double()
    with torch.no_grad():
        for name, leaf in module.named_parameters():
            leaf.copy_(torch.tensor(run.snapshot(0)[name]))
    classes = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "rmsprop": torch.optim.RMSprop}
    optimiser = classes[rule](module.parameters(), lr=Rule(rule).rate)
    for _ in range(30):
        optimiser.zero_grad()
        outputs = module(torch.tensor(task.inputs))
        torch.nn.functional.mse_loss(outputs, torch.tensor(task.targets)).backward()
        optimiser.step()
    for name, leaf in module.named_parameters():
        np.testing.assert_allclose(run.snapshot(30)[name], leaf.detach(), rtol=0, atol=1e-10)


def test_minibatch__every_sample_once_in_a_pass() -> None:
    task = task_of(7, 5, 3)
    training = TorchNetworks([task] * 2, Network(), [Rule(batch_size=3)] * 2, [1, 2])
    orders = []
    for _ in range(2):  # passes
        rows = []
        for expected in (3, 3, 1):
            x, y = training._minibatch(training._x, training._y)
            assert x.shape == (2, expected, 5)
            assert y.shape == (2, expected, 3)
            rows.append(x.numpy())
            training._step += 1
        seen = np.concatenate(rows, axis=1)
        for network in range(2):
            order = [task.inputs.tolist().index(row) for row in seen[network].tolist()]
            assert sorted(order) == list(range(7))
            orders.append(order)
    assert len({tuple(order) for order in orders}) == 4


def test_minibatch__of_all_samples_is_full_batch() -> None:
    task = task_of(5, 6, 3)
    a = train(task, rule=Rule(batch_size=5), n_steps=20, snapshots=[20])
    b = train(task, n_steps=20, snapshots=[20])
    np.testing.assert_allclose(a.weights["W"], b.weights["W"], atol=1e-12)


def test_sample_steps__published_convention() -> None:
    steps = sample_steps(10**6, 10**4, published=True)
    assert steps[0] == 1
    assert steps[-1] == 10**6
    assert (steps == np.linspace(0, 10**6 - 1, 10**4).astype(int) + 1).all()


def test_sample_steps__few_steps() -> None:
    assert sample_steps(3, 100).tolist() == [0, 1, 2, 3]
    assert sample_steps(3, 100, spacing="log").tolist() == [0, 1, 2, 3]
    assert sample_steps(5, 1).tolist() == [0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_steps": 0}, "n_steps is 0"),
        ({"dtype": "float16"}, "dtype is 'float16'"),
        ({"engine": "jax"}, "engine is 'jax'"),
        ({"divergence": "never"}, "divergence is 'never'"),
        ({"snapshots": [0, 11]}, "from 0 to n_steps = 10"),
        ({"measures": [0.5]}, "measures are"),
        ({"snapshots": 0}, "n_samples 0"),
        ({"spacing": "cubic"}, "spacing is 'cubic'"),
        ({"rule": Rule(batch_size=6)}, "batch_size is 6, but the task has 5"),
        ({"engine": "numba", "network": Network(depth=2)}, "does not train a network other"),
        (
            {"engine": "numba", "rule": Rule("sed", input_noise=1, batch_size=2)},
            "of 'sed' or minib",
        ),
        ({"engine": "numba", "device": "cuda:1"}, "numba engine computes on the CPU, but device"),
        ({"device": "meta"}, "device is 'meta', expected 'cpu', 'cuda' or 'cuda:0'"),
        ({"device": "cuda:"}, "device is 'cuda:', expected"),
        ({"checkpoint_every": 0}, "checkpoint_every is 0"),
    ],
)
def test_train__bad_option(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        train(task_of(5, 6, 3), **({"n_steps": 10} | options))


@pytest.mark.parametrize("device", ["cuda", "cuda:3"])
def test_train__no_cuda(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="torch finds no CUDA: use device='cpu'"):
        train(task_of(5, 6, 3), n_steps=10, device=device)


def test_train__not_so_many_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match=r"'cuda:2', but torch finds 2 CUDA device\(s\)"):
        train(task_of(5, 6, 3), n_steps=10, device="cuda:2")


def test_train__without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert train(task_of(5, 6, 3), n_steps=10).reason == "finished"
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'neurodrift\[torch\]'"):
        train(task_of(5, 6, 3), n_steps=10, engine="torch")


def test_train__torch_gets_its_threads_and_gives_them_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []

    class Spy(TorchNetworks):
        def advance(self, step: int) -> None:
            seen.append(torch.get_num_threads())
            super().advance(step)

    monkeypatch.setattr("neurodrift.simulate.gradient._runner.TorchNetworks", Spy)
    before = torch.get_num_threads()
    options: dict[str, Any] = {"n_steps": 5, "engine": "torch", "snapshots": 1, "measures": 1}
    train(task_of(5, 6, 3), n_threads=before + 1, **options)
    train(task_of(5, 6, 3), **options)
    assert set(seen[: len(seen) // 2]) == {before + 1}
    assert set(seen[len(seen) // 2 :]) == {before}
    assert torch.get_num_threads() == before


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_train__cuda_as_cpu() -> None:
    task = task_of(5, 6, 3)
    a, b = (train(task, n_steps=50, snapshots=[50], device=d) for d in ("cpu", "cuda"))
    np.testing.assert_allclose(a.weights["W"], b.weights["W"], atol=1e-10)


def test_train__bad_kind() -> None:
    with pytest.raises(TypeError, match="rule is a str"):
        train(task_of(5, 6, 3), rule="sgd")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="as many of one as another"):
        train_ensemble(task_of(5, 6, 3), seed=[1, 2], rule=[Rule()])
    with pytest.raises(ValueError, match="targets of task 'flat' are all equal"):
        train(Task(name="flat", inputs=[1, 2], targets=[1, 1]))


def test_train__sparsifies_under_update_noise() -> None:
    # spec section 10: random S5 X20 y5, rich, sigma .1: active units .09-.14 at 1e5 steps, active
    # fraction halves at about 9 k steps and active units at about 24 k; without noise .90 stay
    task = random(published_seed=0)
    options: dict[str, Any] = {"n_steps": 100_000, "snapshots": 2, "measures": 201, "n_early": 0}
    seeds = [0, 1, 2, 3]
    noisy = train_ensemble(
        task, rule=Rule(update_noise=0.1), seed=seeds, dtype="float32", **options
    )
    units = [run.measures["fraction_active_units"] for run in noisy]
    assert 0.07 < np.mean([float(u[-1]) for u in units]) < 0.16
    halves = [int(u["step"][np.argmax(u.values < u.values[0] / 2)]) for u in units]
    assert 15_000 < np.mean(halves) < 40_000
    assert max(float(run.measures["loss"][-50:].median()) for run in noisy) < 0.1
    still = train_ensemble(task, seed=seeds, **options)
    for run in still:
        measured = run.measures["fraction_active_units"]
        assert float(measured[-1]) == pytest.approx(float(measured[0]), abs=0.05)
        assert (run.measures["loss"][5:] < 1e-6).all()
        changes = run.measures["active_fraction"][20:].values
        assert np.ptp(changes) < 1.5 / (task.n_samples * 100)  # a pair at 0 may go by rounding


def test_run__prints_shortly_and_says_that_the_loss_rises():
    run = train(random(), network=Network(n_hidden=10), n_steps=50, snapshots=3)
    assert len(repr(run)) < 200 and "random, 10 hidden units" in repr(run)
    assert "warning" not in run.text()
    measures = run.measures.copy(deep=True)
    measures["loss"].values[:] = np.linspace(1, 3, measures["loss"].size)
    text = dataclasses.replace(run, measures=measures).text()
    assert "warning: the loss rises, from 1 at step 0 to 3 at step 50" in text
