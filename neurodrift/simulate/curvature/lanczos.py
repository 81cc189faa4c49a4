"""Curvature of any torch model from products with its Hessian: trace, extremes, counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from neurodrift.progress import bar
from neurodrift.schema.options import checked_options
from neurodrift.seeds import generator

if TYPE_CHECKING:
    import torch

Product = Callable[["torch.Tensor"], "torch.Tensor"]


@checked_options
def estimate_model_curvature(
    model: torch.nn.Module,
    inputs: object,
    targets: object,
    *,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
    min_eigenvalue: float | None = None,
    n_probes: int = 16,
    n_steps: int = 64,
    seed: int = 0,
    device: str = "cpu",
    progress: bool = False,
) -> xr.Dataset:
    r"""Trace, extreme eigenvalues and number of large eigenvalues of a model's loss Hessian.

    Parameters
    ----------
    model
        Any torch module; its parameters that require a gradient span the Hessian. It is moved to
        ``device``, as ``model.to(device)`` does; its mode (train, eval) stays as it is. Call
        ``model.eval()`` first if it has dropout or batch norm.
    inputs, targets
        Arrays or tensors (sample, ...); they are cast to the dtype of the parameters.
    loss
        Scalar loss of (outputs, targets); the mean squared error if not given.
    min_eigenvalue, n_probes, n_steps, seed
        As in :func:`estimate_curvature`.
    device
        Torch device, such as ``cpu`` or ``cuda``.
    progress
        Whether to show a bar, a probe a step.

    Returns
    -------
    xarray.Dataset
        As from :func:`estimate_curvature` [loss per squared parameter].

    Raises
    ------
    ValueError
        If the model has no parameter that requires a gradient, a number is too small, or a product
        is not finite.

    Notes
    -----
    It estimates eigenvalues of :math:`H = \nabla^2_\theta \ell(\theta)` from products
    :math:`H v = \nabla_\theta (v^T \nabla_\theta \ell)` [1]_, without the matrix. What biases the
    estimates is said at :func:`estimate_curvature`.

    References
    ----------
    .. [1] Pearlmutter (1994), "Fast exact multiplication by the Hessian".
       https://doi.org/10.1162/neco.1994.6.1.147

    See Also
    --------
    neurodrift.simulate.curvature.hessian.compute_hessian_spectrum : exact, for one hidden layer.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from neurodrift.simulate.curvature.lanczos import estimate_model_curvature
    >>> model = torch.nn.Linear(2, 1, bias=False).double()
    >>> result = estimate_model_curvature(model, 3 * np.eye(2), np.zeros((2, 1)))
    >>> print(round(float(result["trace"]), 9), round(float(result["eig_max"]), 9))
    18.0 9.0
    """
    product, size, dtype = make_hessian_product(model, inputs, targets, loss=loss, device=device)
    return estimate_curvature(
        product,
        size,
        min_eigenvalue=min_eigenvalue,
        n_probes=n_probes,
        n_steps=n_steps,
        seed=seed,
        device=device,
        dtype=dtype,
        progress=progress,
    )


def make_hessian_product(
    model: torch.nn.Module,
    inputs: object,
    targets: object,
    *,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
    device: str = "cpu",
) -> tuple[Product, int, torch.dtype]:
    r"""Product of the loss Hessian with a vector, by differentiating the gradient.

    Parameters
    ----------
    model, inputs, targets, loss, device
        As in :func:`estimate_model_curvature`.

    Returns
    -------
    product
        Function from a vector (parameter,) to the Hessian times it. It keeps the graph of the
        gradient: change no parameter while it is in use.
    size
        Number of parameters.
    dtype
        Dtype of the parameters.

    Raises
    ------
    ValueError
        If the model has no parameter that requires a gradient.

    Notes
    -----
    The product is :math:`H v = \nabla_\theta (v^T \nabla_\theta \ell)`, exact up to rounding.

    References
    ----------
    Pearlmutter (1994). https://doi.org/10.1162/neco.1994.6.1.147

    Examples
    --------
    >>> import numpy as np, torch
    >>> from neurodrift.simulate.curvature.lanczos import make_hessian_product
    >>> model = torch.nn.Linear(2, 1, bias=False).double()
    >>> product, size, dtype = make_hessian_product(model, 3 * np.eye(2), np.zeros((2, 1)))
    >>> product(torch.tensor([1.0, 2.0], dtype=dtype)).tolist()
    [9.0, 18.0]
    """
    import torch

    model.to(device)
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        raise ValueError("the model has no parameter with requires_grad: nothing to differentiate")
    dtype = parameters[0].dtype
    x, y = (torch.as_tensor(a, device=device, dtype=dtype) for a in (inputs, targets))
    score = torch.nn.functional.mse_loss if loss is None else loss
    gradients = torch.autograd.grad(
        score(model(x), y), parameters, create_graph=True, materialize_grads=True
    )
    gradient = torch.cat([g.reshape(-1) for g in gradients])

    def product(vector: torch.Tensor) -> torch.Tensor:
        if not gradient.requires_grad:  # a loss that is linear in every parameter
            return torch.zeros_like(vector)
        rows = torch.autograd.grad(
            gradient, parameters, vector, retain_graph=True, materialize_grads=True
        )
        return torch.cat([row.reshape(-1) for row in rows])

    return product, gradient.numel(), dtype


@checked_options
def estimate_curvature(
    product: Product,
    size: int,
    *,
    min_eigenvalue: float | None = None,
    n_probes: int = 16,
    n_steps: int = 64,
    seed: int = 0,
    device: str = "cpu",
    dtype: torch.dtype | None = None,
    progress: bool = False,
) -> xr.Dataset:
    r"""Trace, extreme eigenvalues and number above a threshold of a symmetric operator.

    Parameters
    ----------
    product
        Function from a torch vector (parameter,) to the matrix times it.
    size
        Length of the vector.
    min_eigenvalue
        Eigenvalues above it are counted [unit of the eigenvalues]; a thousandth of the largest
        eigenvalue if not given. Eigenvalues nearer to it than Lanczos resolves count in part.
    n_probes
        Number of random vectors, at least 2; standard errors fall with its square root.
    n_steps
        Lanczos steps from each of them (products in all: ``n_probes * n_steps``). With more steps
        than distinct eigenvalues the count is exact up to the probes' standard error.
    seed
        Seed of the vectors; the same on every device.
    device, dtype
        Of the vectors; float64 if not given.
    progress
        Whether to show a bar, a probe a step.

    Returns
    -------
    xarray.Dataset
        Scalars ``trace`` and ``n_above`` with standard errors ``trace_se`` and ``n_above_se`` over
        probes, ``eig_max`` and ``eig_min``, each with a bound ``eig_max_residual``,
        ``eig_min_residual`` (an eigenvalue lies within it), and ``min_eigenvalue``.

    Raises
    ------
    ValueError
        If a number is too small or a product is not finite.

    Notes
    -----
    Rademacher vectors :math:`v` give Hutchinson's estimate :math:`E[v^T H v] = \mathrm{tr} H`.
    Lanczos from :math:`v / |v|` gives a tridiagonal matrix with eigenvalues :math:`\theta_i`
    and first eigenvector components :math:`\tau_i`, and stochastic Lanczos quadrature the count
    :math:`P \, E[\sum_i \tau_i^2 \, 1(\theta_i > t)]` [2]_. Every new vector is orthogonalised
    twice against all earlier ones, so there are no spurious copies of eigenvalues.

    The trace has no bias. The extremes are those of a subspace: ``eig_max`` is never too large and
    ``eig_min`` never too small. Their residuals say that an eigenvalue is near, not that it is the
    extreme one. Few Lanczos steps blur the count at the threshold. More `n_steps` mend both.

    References
    ----------
    .. [1] Hutchinson (1989). https://doi.org/10.1080/03610918908812806
    .. [2] Ubaru, Chen & Saad (2017). https://doi.org/10.1137/16M1104974

    Examples
    --------
    >>> import torch
    >>> from neurodrift.simulate.curvature.lanczos import estimate_curvature
    >>> diagonal = torch.zeros(1000, dtype=torch.float64)
    >>> diagonal[:3] = torch.tensor([1.0, 2.0, 4.0])
    >>> result = estimate_curvature(lambda v: diagonal * v, 1000)
    >>> print(round(float(result["trace"]), 9), round(float(result["n_above"]), 9))
    7.0 3.0
    """
    import torch

    if size < 1 or n_probes < 2 or n_steps < 1:
        raise ValueError(
            f"size {size}, n_probes {n_probes}, n_steps {n_steps}; expected at least 1, 2, 1"
        )
    ritz, weights, residuals, traces = [], [], [], []
    for probe in bar(range(n_probes), "curvature", progress, unit="probe"):
        signs = 2.0 * generator(seed, "curvature", probe).integers(2, size=size) - 1.0
        start = torch.as_tensor(signs, dtype=dtype or torch.float64, device=device)
        alpha, beta = _lanczos(product, start, n_steps)
        values, vectors = np.linalg.eigh(
            np.diag(alpha) + np.diag(beta[:-1], 1) + np.diag(beta[:-1], -1)
        )
        traces.append(size * alpha[0])
        ritz.append(values)
        weights.append(size * vectors[0] ** 2)
        residuals.append(beta[-1] * np.abs(vectors[-1]))
    top = max(range(n_probes), key=lambda i: ritz[i][-1])
    bottom = min(range(n_probes), key=lambda i: ritz[i][0])
    largest = ritz[top][-1]
    level = 1e-3 * largest if min_eigenvalue is None else float(min_eigenvalue)
    above = [w[v > level].sum() for w, v in zip(weights, ritz, strict=True)]
    root = np.sqrt(n_probes)
    return xr.Dataset(
        {
            "trace": np.mean(traces),
            "trace_se": np.std(traces, ddof=1) / root,
            "eig_max": largest,
            "eig_max_residual": residuals[top][-1],
            "eig_min": ritz[bottom][0],
            "eig_min_residual": residuals[bottom][0],
            "n_above": np.mean(above),
            "n_above_se": np.std(above, ddof=1) / root,
            "min_eigenvalue": level,
        },
        attrs={"seed": seed, "n_probes": n_probes, "n_steps": n_steps, "n_parameters": size},
    )


def _lanczos(product: Product, start: torch.Tensor, n_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Diagonal and off-diagonal (the last one past the end, 0 when the space is exhausted)."""
    import torch

    n_steps = min(n_steps, start.numel())
    basis = torch.zeros((n_steps, start.numel()), dtype=start.dtype, device=start.device)
    vector = start / torch.linalg.vector_norm(start)
    alpha, beta = [], []
    scale = 0.0
    for step in range(n_steps):
        basis[step] = vector
        vector = product(vector)
        alpha.append(float(basis[step] @ vector))
        scale = max(scale, float(torch.linalg.vector_norm(vector)))
        if not np.isfinite(scale) or not np.isfinite(alpha[-1]):
            raise ValueError("a Hessian product is not finite: the model has diverged")
        known = basis[: step + 1]
        for _ in range(2):
            vector = vector - known.T @ (known @ vector)
        norm = float(torch.linalg.vector_norm(vector))
        # what is left is rounding error: the Krylov space is complete
        if norm <= 8 * torch.finfo(start.dtype).eps * scale * np.sqrt(start.numel()):
            beta.append(0.0)
            break
        beta.append(norm)
        vector = vector / norm
    return np.array(alpha), np.array(beta)
