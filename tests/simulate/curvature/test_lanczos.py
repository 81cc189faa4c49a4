"""Trace, extremes and counts from products alone, on spectra that are known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurodrift.simulate.curvature.hessian import compute_hessian_spectrum
from neurodrift.simulate.curvature.lanczos import (
    estimate_curvature,
    estimate_model_curvature,
    make_hessian_product,
)
from neurodrift.simulate.curvature.loss_point import LossPoint

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def one_thread():
    """Products of tiny models: several threads wait for each other on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def operator(eigenvalues, seed=0):
    """Product with a dense symmetric matrix of these eigenvalues, and the matrix."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(len(eigenvalues),) * 2))[0]
    matrix = torch.as_tensor(basis * eigenvalues @ basis.T)
    return lambda v: matrix @ v


KNOWN = np.r_[np.zeros(180), -0.5, np.full(10, 0.3), np.linspace(1, 4, 9)]


def test_curvature__known_spectrum():
    result = estimate_curvature(operator(KNOWN), 200, min_eigenvalue=0.1, n_probes=64)
    assert float(result["eig_max"]) == pytest.approx(4, abs=1e-10)
    assert float(result["eig_min"]) == pytest.approx(-0.5, abs=1e-10)
    assert float(result["eig_max_residual"]) < 1e-8
    for name, truth in (("trace", KNOWN.sum()), ("n_above", 19)):
        error = float(result[f"{name}_se"])
        assert 0 < error < 0.1 * truth
        assert abs(float(result[name]) - truth) < 4 * error
    assert float(estimate_curvature(operator(KNOWN), 200)["min_eigenvalue"]) == pytest.approx(4e-3)


def test_curvature__standard_errors_are_honest():
    product = operator(KNOWN)
    z = {"trace": [], "n_above": []}
    for seed in range(60):
        result = estimate_curvature(product, 200, min_eigenvalue=0.1, n_steps=24, seed=seed)
        for name, truth in (("trace", KNOWN.sum()), ("n_above", 19)):
            z[name].append((float(result[name]) - truth) / float(result[f"{name}_se"]))
    for values in z.values():
        assert abs(np.mean(values)) < 4 / np.sqrt(60)
        assert 0.7 < np.std(values) < 1.4


def test_curvature__few_steps_bound_the_largest_eigenvalue():
    spread = np.geomspace(1e-6, 1, 300)
    result = estimate_curvature(operator(spread), 300, n_steps=8)
    found, residual = float(result["eig_max"]), float(result["eig_max_residual"])
    assert found <= 1 + 1e-12
    assert np.abs(spread - found).min() <= residual + 1e-12
    assert residual > 1e-4


@pytest.mark.parametrize(("eigenvalues", "above"), [(np.zeros(5), 0), (np.full(5, 2.0), 5)])
def test_curvature__krylov_space_of_one(eigenvalues, above):
    result = estimate_curvature(operator(eigenvalues), 5, min_eigenvalue=0.5)
    assert float(result["trace"]) == pytest.approx(eigenvalues.sum())
    assert float(result["n_above"]) == pytest.approx(above)
    assert float(result["trace_se"]) == pytest.approx(0, abs=1e-12)


def test_curvature__one_parameter_and_single_precision():
    result = estimate_curvature(lambda v: 3 * v, 1)
    assert (float(result["trace"]), float(result["n_above"])) == (3.0, 1.0)
    single = estimate_curvature(
        lambda v: v * torch.arange(50, dtype=torch.float32), 50, dtype=torch.float32, n_steps=50
    )
    assert float(single["eig_max"]) == pytest.approx(49, rel=1e-5)


def test_curvature__seeds():
    first, same = (estimate_curvature(operator(KNOWN), 200, seed=3) for _ in range(2))
    xr.testing.assert_identical(first, same)
    assert float(estimate_curvature(operator(KNOWN), 200, seed=4)["trace"]) != float(first["trace"])


def one_hidden(W, b, V):
    hidden, features = W.shape
    model = torch.nn.Sequential(
        torch.nn.Linear(features, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, len(V), False)
    ).double()
    with torch.no_grad():
        for parameter, values in zip(model.parameters(), (W, b, V), strict=True):
            parameter.copy_(torch.as_tensor(values))
    return model


def test_model_curvature__equals_exact_spectrum_of_one_hidden_layer():
    rng = np.random.default_rng(0)
    W, b = rng.normal(size=(30, 6)), rng.normal(size=30)
    V = rng.normal(size=(3, 30)) / 5
    x, y = rng.normal(size=(8, 6)), rng.normal(size=(8, 3))
    exact = compute_hessian_spectrum(LossPoint(W, b, V, x, y))
    level = 0.01
    result = estimate_model_curvature(
        one_hidden(W, b, V), x, y, min_eigenvalue=level, n_probes=32, n_steps=90
    )
    assert float(result["eig_max"]) == pytest.approx(exact[-1], rel=1e-9)
    assert float(result["eig_min"]) == pytest.approx(exact[0], rel=1e-9)
    assert result.attrs["n_parameters"] == exact.size
    for name, truth in (("trace", exact.sum()), ("n_above", (exact > level).sum())):
        assert abs(float(result[name]) - truth) < 4 * float(result[f"{name}_se"])


def test_hessian_product__deep_model_and_other_loss():
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 5), torch.nn.GELU(), torch.nn.Linear(5, 4), torch.nn.Tanh()
    ).double()
    model.append(torch.nn.Linear(4, 2).double())
    model[0].bias.requires_grad_(False)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 3)), rng.uniform(size=(7, 2))
    loss = torch.nn.functional.cross_entropy
    product, size, dtype = make_hessian_product(model, x, y, loss=loss)
    free = {k: p for k, p in model.named_parameters() if p.requires_grad}
    assert (size, dtype) == (sum(p.numel() for p in free.values()), torch.float64)

    def flat(theta):
        pieces = torch.split(theta, [p.numel() for p in free.values()])
        named = {k: v.reshape(free[k].shape) for k, v in zip(free, pieces, strict=True)}
        return loss(torch.func.functional_call(model, named, torch.as_tensor(x)), torch.tensor(y))

    theta = torch.cat([p.detach().reshape(-1) for p in free.values()])
    dense = torch.autograd.functional.hessian(flat, theta)
    ours = torch.stack([product(row) for row in torch.eye(size, dtype=dtype)])
    torch.testing.assert_close(ours, dense, atol=1e-12, rtol=1e-12)


def test_hessian_product__linear_loss_has_no_curvature():
    model = torch.nn.Linear(2, 1)
    result = estimate_model_curvature(
        model, np.ones((3, 2)), np.zeros((3, 1)), loss=lambda o, y: (o - y).mean()
    )
    assert float(result["trace"]) == 0
    assert float(result["n_above"]) == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU with CUDA")
def test_model_curvature__same_on_cuda():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    x, y = np.random.default_rng(0).normal(size=(2, 6, 4))[..., :4], np.zeros((6, 2))
    on_cpu = estimate_model_curvature(model.double(), x[0], y)
    on_gpu = estimate_model_curvature(model, x[0], y, device="cuda")
    assert float(on_gpu["trace"]) == pytest.approx(float(on_cpu["trace"]), rel=1e-9)


def test_curvature__bad_input():
    with pytest.raises(ValueError, match="n_probes 1, n_steps 64; expected at least 1, 2, 1"):
        estimate_curvature(lambda v: v, 3, n_probes=1)
    with pytest.raises(ValueError, match="not finite"):
        estimate_curvature(lambda v: v * np.nan, 3)
    frozen = torch.nn.Linear(2, 1).requires_grad_(False)
    with pytest.raises(ValueError, match="requires_grad"):
        estimate_model_curvature(frozen, np.ones((3, 2)), np.zeros((3, 1)))
