from __future__ import annotations

import numpy as np
import pytest

from neurodrift.simulate.continual._kernels import mean_outer, squared_outer
from neurodrift.simulate.continual.recurrent import (
    Batch,
    RecurrentNetwork,
    log_probabilities,
    loss_and_gradient,
    run_network,
)

NETWORK = RecurrentNetwork(n_units=5, leak=0.3)


def _batch(seed=0, lengths=(4, 9, 6), n_inputs=3, heads=(0, 2, 0), n_classes=(2, 2, 2)):
    rng = np.random.default_rng(seed)
    offsets = np.append(0, np.cumsum(lengths))
    return Batch(
        inputs=rng.normal(size=(offsets[-1], n_inputs)),
        noise=rng.normal(size=(offsets[-1], NETWORK.n_units)),
        offsets=offsets,
        labels=rng.integers(min(n_classes), size=len(lengths)),
        head=np.array(heads),
        n_classes=np.array(n_classes),
        n_read=2,
    )


def _literal(network, weights, batch, trial_weights):
    """Equations 1 to 3 step by step, in torch, which differentiates them."""
    import torch

    w, c = (torch.tensor(weights[name], requires_grad=True) for name in ("W", "C"))
    n = network.n_units
    loss, activity = torch.zeros((), dtype=torch.float64), []
    for i in range(len(batch.labels)):
        r = torch.zeros(n, dtype=torch.float64)
        rows = range(batch.offsets[i], batch.offsets[i + 1])
        for t in rows:
            h = r @ w[:n] + torch.tensor(batch.inputs[t]) @ w[n:] + torch.tensor(batch.noise[t])
            r = (1 - network.leak) * r + network.leak * torch.relu(h)
            activity.append(r.detach().numpy())
            if t >= rows[-1] + 1 - batch.n_read:
                outputs = (r @ c)[batch.head[i] : batch.head[i] + batch.n_classes[i]]
                loss = loss - trial_weights[i] * torch.log_softmax(outputs, 0)[batch.labels[i]]
    loss.backward()
    return loss.item(), {"W": w.grad.numpy(), "C": c.grad.numpy()}, np.array(activity)


@pytest.mark.parametrize("n_classes", [(2, 2, 2), (3, 2, 3)])
@pytest.mark.parametrize("leak", [0.3, 1.0])
def test_loss_and_gradient__are_those_of_the_literal_equations(leak, n_classes):
    network = RecurrentNetwork(n_units=5, leak=leak)
    batch = _batch(n_classes=n_classes, heads=(0, 3, 0))
    weights = network.initial_weights(3, 6, seed=1)
    each = np.array([0.5, 2.0, 0.0])
    loss, gradient = loss_and_gradient(network, weights, batch, each)
    expected, literal, activity = _literal(network, weights, batch, each)
    np.testing.assert_allclose(loss, expected)
    for name in ("W", "C"):
        np.testing.assert_allclose(gradient[name], literal[name], atol=1e-12)
    np.testing.assert_allclose(run_network(network, weights, batch).after, activity, atol=1e-12)


def test_loss_and_gradient__float32_is_near():
    batch = _batch()
    weights = NETWORK.initial_weights(3, 4, seed=2)
    _, double = loss_and_gradient(NETWORK, weights, batch)
    single = Batch(
        **{**vars(batch), "inputs": batch.inputs.astype("f4"), "noise": batch.noise.astype("f4")}
    )
    small = {name: array.astype("f4") for name, array in weights.items()}
    _, found = loss_and_gradient(NETWORK, small, single)
    assert found["W"].dtype == np.float32
    np.testing.assert_allclose(found["W"], double["W"], atol=1e-5)


def test_run_network__trials_do_not_touch_each_other():
    weights = NETWORK.initial_weights(3, 4, seed=3)
    together = _batch()
    for i in range(3):
        rows = slice(together.offsets[i], together.offsets[i + 1])
        alone = Batch(
            inputs=together.inputs[rows],
            noise=together.noise[rows],
            offsets=together.offsets[i : i + 2] - together.offsets[i],
            labels=together.labels[i : i + 1],
            head=together.head[i : i + 1],
            n_classes=together.n_classes[i : i + 1],
            n_read=2,
        )
        np.testing.assert_array_equal(
            run_network(NETWORK, weights, alone).after,
            run_network(NETWORK, weights, together).after[rows],
        )


def test_log_probabilities__add_to_one_without_the_absent_class():
    weights = NETWORK.initial_weights(3, 6, seed=4)
    batch = _batch(n_classes=(3, 2, 3), heads=(0, 3, 0))
    log_p = log_probabilities(weights, batch, run_network(NETWORK, weights, batch))
    np.testing.assert_allclose(np.exp(log_p).sum(axis=2), 1)
    assert (np.exp(log_p[1, :, 2]) == 0).all()


def test_outer_products__are_those_of_loops():
    rng = np.random.default_rng(5)
    offsets = np.array([0, 3, 4, 9])
    left, right = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
    squared, mean = np.zeros((3, 2)), np.zeros((3, 3))
    for a, b in zip(offsets[:-1], offsets[1:], strict=True):
        squared += sum(np.outer(left[t], right[t]) for t in range(a, b)) ** 2
        mean += sum(np.outer(left[t], left[t]) for t in range(a, b)) / max(b - a - 1, 1) / 3
    np.testing.assert_allclose(squared_outer(left, right, offsets), squared)
    np.testing.assert_allclose(mean_outer(left, offsets), mean)


def test_initial_weights__have_the_published_distribution():
    network = RecurrentNetwork(n_units=60)
    weights = network.initial_weights(400, 2, seed=6)
    recurrent = weights["W"][:60]
    np.testing.assert_allclose(recurrent @ recurrent.T, 0.25 * np.eye(60), atol=1e-12)
    assert abs(weights["W"][60:].std() * 20 - 1) < 0.02
    assert np.abs(weights["C"]).max() <= 1 / np.sqrt(120)
    assert network.noise_sd == pytest.approx(0.158, abs=5e-4)


@pytest.mark.parametrize(
    "option", [{"leak": 0}, {"leak": 1.5}, {"n_units": 0}, {"process_noise": -1}]
)
def test_recurrent_network__refuses(option):
    with pytest.raises(ValueError, match=next(iter(option))):
        RecurrentNetwork(**option)
