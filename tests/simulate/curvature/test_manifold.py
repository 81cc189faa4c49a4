"""Drift along the solutions of a task, against walkers that descend by a loop of their own."""

from __future__ import annotations

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.simulate.curvature.tangent import LayerTangent, ModuleTangent

H, F, K, S = 5, 2, 1, 3
sgd = nd.simulate.Rule


def unpacked(theta):
    lead = theta.shape[:-1]
    W = theta[..., : H * F].reshape(*lead, H, F)
    return W, theta[..., H * F : H * F + H], theta[..., H * F + H :].reshape(*lead, K, H)


def activity(theta, inputs):
    W, b, _ = unpacked(theta)
    return np.tanh(np.einsum("...jf,sf->...sj", W, inputs) + b[..., None, :])


def outputs(theta, inputs):
    return np.einsum("...kj,...sj->...sk", unpacked(theta)[2], activity(theta, inputs))


def gradient(theta, inputs, targets):
    hidden, V = activity(theta, inputs), unpacked(theta)[2]
    error = 2 * (outputs(theta, inputs) - targets) / (S * K)
    back = np.einsum("...sk,...kj->...sj", error, V) * (1 - hidden**2)
    to_W = np.einsum("...sj,sf->...jf", back, inputs)
    to_V = np.einsum("...sk,...sj->...kj", error, hidden)
    flat = [part.reshape(*theta.shape[:-1], -1) for part in (to_W, back.sum(-2), to_V)]
    return np.concatenate(flat, axis=-1)


@pytest.fixture(scope="module")
def learned():
    rng = np.random.default_rng(1)
    inputs, targets = rng.normal(size=(S, F)), rng.normal(size=(S, K)) * 0.5
    theta = rng.normal(size=H * F + H + H * K) * 0.8
    for _ in range(20_000):
        theta = theta - 0.1 * gradient(theta, inputs, targets)
    return theta, inputs, targets


@pytest.fixture(scope="module")
def point(learned):
    theta, inputs, targets = learned
    return nd.simulate.LossPoint(*unpacked(theta), inputs, targets, activation="tanh")


def walked(learned, steps, n_walkers, eta, *, update=0.0, label=0.0):
    """Weights of walkers at some steps (walker, parameter)."""
    theta, inputs, targets = learned
    rng = np.random.default_rng(2)
    walkers = np.tile(theta, (n_walkers, 1))
    found = []
    for step in range(1, max(steps) + 1):
        noisy = targets + label * rng.normal(size=(n_walkers, S, K)) if label else targets
        kick = update * rng.normal(size=walkers.shape) if update else 0.0
        walkers = walkers - eta * (gradient(walkers, inputs, noisy) + kick)
        if step in steps:
            found.append(walkers.copy())
    return found


def test_predict_solution_drift__label_noise_flows_and_does_not_diffuse(learned, point):
    expected = nd.simulate.predict_solution_drift(
        point, sgd("sgd", learning_rate=0.05, label_noise=0.03)
    )
    early, late = walked(learned, (200, 600), 1500, 0.05, label=0.03)
    flow = (late - early).mean(axis=0) / 400
    seen = expected["flow"].values
    cosine = flow @ seen / np.linalg.norm(flow) / np.linalg.norm(seen)
    assert cosine > 0.995 and flow @ seen / (seen @ seen) == pytest.approx(1, abs=0.05)
    change = (activity(late, learned[1]) - activity(early, learned[1])).mean(axis=0) / 400
    drift = expected["hidden_drift"].values
    assert np.corrcoef(change.ravel(), drift.ravel())[0, 1] > 0.97
    assert (change * drift).sum() / (drift**2).sum() == pytest.approx(1, abs=0.1)
    assert (expected["hidden_diffusion"] == 0).all() and expected["weight_diffusion"] == 0
    spread = activity(late, learned[1]).var(axis=0) - activity(early, learned[1]).var(axis=0)
    assert np.abs(spread).max() < 1e-2 * np.abs(change * 400).max()
    assert expected["trace_slope"] < 0


def test_predict_solution_drift__update_noise_diffuses(learned, point):
    rule = sgd("sgd", learning_rate=0.05, update_noise=0.05)
    expected = nd.simulate.predict_solution_drift(point, rule)
    early, late = walked(learned, (100, 400), 1500, 0.05, update=0.05)
    grown = activity(late, learned[1]).var(axis=0) - activity(early, learned[1]).var(axis=0)
    seen = expected["hidden_diffusion"].values
    assert np.corrcoef(grown.ravel(), seen.ravel())[0, 1] > 0.98
    assert (grown / 300 * seen).sum() / (seen**2).sum() == pytest.approx(1, abs=0.08)
    assert expected["dimension"] == point.n_parameters - S * K
    assert expected["weight_diffusion"].item() == pytest.approx(17 * (0.05 * 0.05) ** 2)


def test_predict_solution_drift__update_noise_also_flows(learned, point):
    rule = sgd("sgd", learning_rate=0.05, update_noise=0.3)
    expected = nd.simulate.predict_solution_drift(point, rule)
    early, late = walked(learned, (20, 100), 6000, 0.05, update=0.3)
    change = (activity(late, learned[1]) - activity(early, learned[1])).mean(axis=0) / 80
    drift = expected["hidden_drift"].values
    assert (change * drift).sum() / (drift**2).sum() == pytest.approx(1, abs=0.25)
    assert np.corrcoef(change.ravel(), drift.ravel())[0, 1] > 0.9


def test_predict_solution_drift__small_steps_are_the_published_formulas(point):
    """The derivatives of ln |H| and of tr H, by differences, along the manifold."""
    theta = np.concatenate([point.W.ravel(), point.b, point.V.ravel()])

    def spectrum(weights):
        moved = nd.simulate.LossPoint(
            *unpacked(weights), point.inputs, point.targets, activation="tanh"
        )
        return nd.simulate.compute_hessian_spectrum(moved, part="gauss_newton")[-S * K :]

    def slope(measure):
        step = 1e-5 * np.eye(theta.size)
        return np.array([measure(theta + d) - measure(theta - d) for d in step]) / 2e-5

    rows = np.linalg.svd(LayerTangent(point).jacobian, full_matrices=False)[2]
    null = np.eye(theta.size) - rows.T @ rows
    eta = 1e-4
    label = nd.simulate.predict_solution_drift(
        point, sgd("sgd", learning_rate=eta, label_noise=0.6, label_noise_kind="uniform")
    )
    c = 2 * 0.6**2 / 12 / (S * K)
    by_hand = -(eta**2) * c / 4 * null @ slope(lambda weights: spectrum(weights).sum())
    np.testing.assert_allclose(label["flow"], by_hand, atol=2e-3 * np.abs(by_hand).max())
    update = nd.simulate.predict_solution_drift(
        point, sgd("sgd", learning_rate=eta, update_noise=0.6)
    )
    by_hand = -((eta * 0.6) ** 2) / 4 * null @ slope(lambda w: np.log(spectrum(w)).sum())
    np.testing.assert_allclose(
        null @ update["flow"].values, by_hand, atol=2e-3 * np.abs(by_hand).max()
    )


def test_predict_solution_drift__the_toy_of_the_theory():
    """L = (u v - 1)², u = W + b: the slope of the trace along uv = 1, by hand."""
    s, eta, delta = 0.7, 1e-3, 0.5
    point = nd.simulate.LossPoint(
        [[np.exp(s)]], [0.0], [[np.exp(-s)]], inputs=[[1.0]], targets=[[1.0]], activation="linear"
    )
    tangent = LayerTangent(point)
    W, b, V = tangent.jacobian[0]
    assert pytest.approx((np.exp(-s), np.exp(s))) == (W, V)
    rule = sgd("sgd", learning_rate=eta, label_noise=delta)
    flow = nd.simulate.predict_solution_drift(point, rule)["flow"].values
    # tr H = 2 (u² + 2 v²), u = W + b: the bias is a second input of 1
    normal = np.array([W, b, V])
    trace = 4 * np.array([np.exp(s), np.exp(s), 2 * np.exp(-s)])
    trace -= normal * (normal @ trace) / (normal @ normal)
    np.testing.assert_allclose(flow, -(eta**2) * 2 * delta**2 / 4 * trace, rtol=0.02)


@pytest.mark.parametrize("depth", [1, 2])
def test_tangent__of_torch_against_formulas_and_differences(depth):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    run = nd.simulate.train(
        nd.simulate.random(n_samples=3, n_inputs=2, n_outputs=2),
        network=nd.simulate.Network(n_hidden=4, activation="tanh", depth=depth),
        rule=sgd("sgd", learning_rate=0.1, update_noise=0.01),
        n_steps=50,
        snapshots=[0, 50],
        dtype="float64",
    )
    tangent = ModuleTangent(run, 50)
    rng = np.random.default_rng(0)
    rows = np.linalg.qr(rng.normal(size=(tangent.weights.size, 3)))[0].T
    directions = rng.normal(size=tangent.jacobian.shape)
    if depth == 1:
        other = LayerTangent(nd.simulate.LossPoint.from_run(run, 50))
        for name in ("weights", "hidden", "jacobian", "hidden_jacobian"):
            np.testing.assert_allclose(getattr(tangent, name), getattr(other, name), atol=1e-12)
        for name, given in {
            "contract": directions,
            "output_bend": rows,
            "hidden_bend": rows,
        }.items():
            np.testing.assert_allclose(
                getattr(tangent, name)(given), getattr(other, name)(given), atol=1e-10
            )
        return

    def at(weights):
        moved = ModuleTangent(run, 50)
        moved._weights = torch.as_tensor(weights)
        return moved.jacobian

    h = 1e-5
    slopes = [
        ((at(tangent.weights + h * d) - at(tangent.weights - h * d)) / (2 * h))[i]
        for i, d in enumerate(directions)
    ]
    np.testing.assert_allclose(tangent.contract(directions), np.sum(slopes, axis=0), atol=1e-6)


def test_predict_solution_drift__directions_slower_than_the_horizon_are_free(point):
    rule = sgd("sgd", learning_rate=0.05, update_noise=0.05)
    eigenvalues = np.sort(nd.simulate.compute_hessian_spectrum(point))[::-1][:3]
    between = 1 / (0.05 * np.sqrt(eigenvalues[1] * eigenvalues[2]))
    free = nd.simulate.predict_solution_drift(point, rule, horizon=between)
    assert free["dimension"] == point.n_parameters - 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "adam", "update_noise": 0.1}, "the rule is 'adam'"),
        ({"name": "sgd"}, "expected just one of them above 0"),
        ({"name": "sgd", "update_noise": 0.1, "label_noise": 0.1}, "expected just one"),
        ({"name": "sgd", "update_noise": 0.1, "batch_size": 1}, "batch_size is set"),
        ({"name": "sgd", "update_noise": 0.1, "input_noise": 0.1}, "input_noise is 0.1"),
        ({"name": "sgd", "update_noise": 0.1, "momentum": 0.9}, "momentum is 0.9"),
        ({"name": "sgd", "update_noise": 0.1, "learning_rate": 50.0}, "stable below 2"),
    ],
)
def test_predict_solution_drift__refuses_what_has_no_theory(point, options, message):
    with pytest.raises(ValueError, match=message):
        nd.simulate.predict_solution_drift(point, sgd(**options))


def test_predict_solution_drift__warns():
    point = nd.simulate.LossPoint([[1.0]], [0.0], [[1.0]], inputs=[[1.0]], targets=[[3.0]])
    with pytest.warns(UserWarning, match=r"the loss is 4; .*the activation is relu, which has"):
        nd.simulate.predict_solution_drift(point, sgd("sgd", update_noise=0.1))


@pytest.mark.parametrize("depth", [1, 2])
def test_compare_solution_drift__of_a_run(depth):
    if depth == 2:
        pytest.importorskip("torch")
    run = nd.simulate.train(
        nd.simulate.random(n_samples=3, n_inputs=4, n_outputs=1),
        network=nd.simulate.Network(n_hidden=30, activation="tanh", depth=depth),
        rule=sgd("sgd", learning_rate=0.1, update_noise=0.02),
        n_steps=4000,
        snapshots=[3000, 3500, 4000],
    )
    held = nd.simulate.compare_solution_drift(run)
    assert held["step"].values.tolist() == [3000, 3500] and held.attrs["noise"] == "update"
    for name in ("hidden_squared", "weight_squared"):
        ratio = held[f"observed_{name}"].sum() / held[f"predicted_{name}"].sum()
        assert 0.7 < float(ratio) < 1.4, name
    assert (held["curvature_ratio"] < 0.5).all()


def test_compare_solution_drift__refused(point):
    run = nd.simulate.train(nd.simulate.random(), n_steps=10, snapshots=[10])
    with pytest.raises(ValueError, match="expected two snapshots or more"):
        nd.simulate.compare_solution_drift(run)
    with pytest.raises(TypeError, match="run of nd.simulate.train"):
        nd.simulate.compare_solution_drift(point)
