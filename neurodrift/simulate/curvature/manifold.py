"""What noise does to a network that has learned: motion along the solutions of its task."""

from __future__ import annotations

import warnings

import numpy as np
import xarray as xr

from neurodrift.schema.objects import expect_type
from neurodrift.simulate.curvature.loss_point import LossPoint
from neurodrift.simulate.curvature.tangent import LayerTangent, ModuleTangent, Tangent
from neurodrift.simulate.gradient.rules import Rule
from neurodrift.simulate.gradient.run import Run

_KINKED = ("relu", "leaky_relu")
_MOST_LOSS = 1e-3
_ROOT_12 = float(np.sqrt(12.0))


def predict_solution_drift(
    point: LossPoint | Run,
    rule: Rule | None = None,
    *,
    step: int | None = None,
    horizon: float | None = None,
    rtol: float = 1e-9,
) -> xr.Dataset:
    r"""Drift that the noise of a rule makes along the solutions of a task, step by step.

    A network with more weights than targets has a manifold of solutions. Noise moves it along the
    manifold in two ways: it diffuses, and it flows to where the loss is flatter. Both follow from
    the Hessian at the solution.

    Parameters
    ----------
    point
        A network with one hidden layer that has learned; or a run of any depth.
    rule
        Learning rule with its noises; that of the run when omitted.
    step
        Snapshot of the run; its last one when omitted.
    horizon
        Number of training steps that the prediction is for. A direction that forgets more slowly,
        whose eigenvalue is below ``1 / (learning_rate * horizon)``, counts as one of the manifold.
        When omitted, only directions without any curvature do.
    rtol
        Eigenvalues below this share of the largest are zero.

    Returns
    -------
    xarray.Dataset
        ``hidden_drift`` (sample, unit), expected change of the activity in one training step, and
        ``hidden_diffusion``, the growth of its variance in one step [activity²];
        ``hidden_fluctuation``, the variance that the noise keeps up around the solution, which
        does not grow [activity²];
        ``flow`` (parameter), expected change of the weights in one step, in torch's order of
        parameters; ``dimension`` of the manifold and ``n_parameters``; ``weight_diffusion``, the
        growth of the weights' variance in one step, all together; ``trace_slope`` and
        ``log_slope``, the change of the sum of the Hessian's eigenvalues [loss] and of the sum of
        the logarithms of the positive ones that the flow makes in one step (a walk by update
        noise changes them too, on average upwards where they are low); ``loss``, at the point.

    Raises
    ------
    ValueError
        If the rule is not plain gradient descent on all samples with update or label noise: no
        theory of this kind is known for Adam, RMSprop and stochastic error descent. If the weights
        are not finite, or the learning rate times the largest eigenvalue is 2 or more, where plain
        descent is not stable.

    Warns
    -----
    UserWarning
        If the loss is not near zero, if the activation has kinks (ReLU), since the theory is for
        smooth losses.

    Notes
    -----
    With :math:`M` targets, outputs :math:`o`, their Jacobian :math:`J`, the Hessian
    :math:`H = \frac{2}{M} J^T J` at zero loss, :math:`P` the projector on its null space, learning
    rate :math:`\eta`, update noise :math:`\sigma` and label noise of standard deviation
    :math:`\delta`, the weights :math:`\theta` change for small steps in one step [1]_ by

    .. math::

       \text{update noise:}\quad & \eta\sigma P\, \xi
         - \tfrac{\eta^2\sigma^2}{4} P \nabla \ln |H|_+
         - \tfrac{\eta^2\sigma^2}{2} J^{+} q, \quad q_i = \operatorname{tr}(\nabla^2 o_i P) \\
       \text{label noise:}\quad & - \tfrac{\eta^2 c}{4} P \nabla \operatorname{tr} H, \quad
         c = 2 \delta^2 / M

    with :math:`\xi \sim N(0, 1)` and :math:`|H|_+` the product of the positive eigenvalues. The
    last term of the first line is normal to the manifold and keeps a random walk on it. Label noise
    makes no diffusion at this order [1]_ [2]_. ``flow`` is the sum of all but the first term. A
    hidden activity :math:`h` changes by :math:`\nabla h \cdot \mathrm{flow} + \tfrac{1}{2}
    \eta^2\sigma^2 \operatorname{tr}(\nabla^2 h\, P)` and its variance grows by
    :math:`\eta^2\sigma^2 |P \nabla h|^2`.

    For steps of any stable length the second term is the slope of :math:`-\frac{\eta}{2}
    \operatorname{tr}(H S)` along the manifold, with :math:`S` the variance that the noise keeps up
    across it: in a direction of eigenvalue :math:`\lambda` it is :math:`\eta s / (\lambda (2 - \eta
    \lambda))`, with :math:`s` the variance of the noise of the gradient, :math:`\sigma^2` or
    :math:`c\lambda`. This is computed; for small :math:`\eta` it is what stands above.

    It holds near the point, once the noise has reached its equilibrium in the
    steep directions; a prediction over many steps is a straight line where the truth bends.

    References
    ----------
    .. [1] Li, Wang & Arora (2022), "What happens after SGD reaches zero loss?", ICLR.
       https://doi.org/10.48550/arXiv.2110.06914
    .. [2] Blanc, Gupta, Valiant & Valiant (2020), "Implicit regularization for deep neural
       networks driven by an Ornstein-Uhlenbeck like process", COLT.
       https://doi.org/10.48550/arXiv.1904.09080

    Examples
    --------
    Of (w + b) v = 1 with a large w: label noise moves the network to a flatter solution.

    >>> import neurodrift as nd
    >>> point = nd.simulate.LossPoint(
    ...     [[2.0]], [0.0], [[0.5]], inputs=[[1.0]], targets=[[1.0]], activation="linear"
    ... )
    >>> rule = nd.simulate.Rule("sgd", learning_rate=0.01, label_noise=0.5)
    >>> drift = nd.simulate.predict_solution_drift(point, rule)
    >>> (drift["flow"].values * 1e5).round(2).tolist()
    [-8.14, -8.14, 4.07]
    >>> float(drift["hidden_diffusion"].max())
    0.0
    """
    expect_type("point", point, (LossPoint, Run), "a LossPoint, or a run of neurodrift.simulate")
    if isinstance(point, Run):
        rule = point.rule if rule is None else rule
        activation, tangent = point.network.activation, tangent_of(point, step)
    else:
        if step is not None:
            raise ValueError("step chooses a snapshot of a run, but point is a LossPoint")
        activation, tangent = point.activation, LayerTangent(point)
    expect_type("rule", rule, Rule, "a learning rule, such as nd.simulate.Rule('sgd')")
    assert isinstance(rule, Rule)
    return predict_at(tangent, rule, str(activation), horizon, rtol)[0]


def tangent_of(run: Run, step: int | None = None) -> Tangent:
    """First and second derivatives of a network at one of its snapshots.

    Parameters
    ----------
    run
        A run of any network.
    step
        Its snapshot; the last one when omitted.

    Returns
    -------
    Tangent
        By formulas with one hidden layer of a known activation, by torch otherwise.

    Raises
    ------
    ValueError
        If there is no such snapshot, or its weights are not finite.
    """
    if not run.snapshot_steps.size:
        raise ValueError(f"the run has no snapshot, it ended {run.reason}")
    at = int(run.snapshot_steps[-1]) if step is None else step
    network = run.network
    if network.module is None and network.depth == 1 and not callable(network.activation):
        return LayerTangent(LossPoint.from_run(run, at))
    return ModuleTangent(run, at)


def _noises(rule: Rule) -> tuple[float, float, float]:
    """Learning rate, update noise, standard deviation of the label noise."""
    faults = []
    if rule.name != "sgd":
        faults.append(f"the rule is {rule.name!r}; the theory is of plain gradient descent, 'sgd'")
    if rule.batch_size is not None:
        faults.append("batch_size is set; the theory is of steps on all samples")
    for name in ("momentum", "input_noise", "node_dropout"):
        if getattr(rule, name):
            faults.append(f"{name} is {getattr(rule, name)}; it is not part of the theory")
    if bool(rule.update_noise) == bool(rule.label_noise):
        faults.append(
            f"update_noise is {rule.update_noise} and label_noise {rule.label_noise}; expected "
            "just one of them above 0"
        )
    if faults:
        raise ValueError("no theory of drift for this rule: " + "; ".join(faults))
    uniform = rule.label_noise_kind == "uniform"
    assert rule.learning_rate is not None
    return (
        rule.learning_rate,
        rule.update_noise,
        rule.label_noise / _ROOT_12 if uniform else rule.label_noise,
    )


def predict_at(
    tangent: Tangent, rule: Rule, activation: str, horizon: float | None, rtol: float = 1e-9
) -> tuple[xr.Dataset, np.ndarray]:
    """What :func:`predict_solution_drift` gives, of a network that was differentiated before.

    Parameters
    ----------
    tangent
        The network near its point.
    rule, horizon, rtol
        As for :func:`predict_solution_drift`.
    activation
        Name of the activation, for the warning.

    Returns
    -------
    xarray.Dataset
        The prediction.
    numpy.ndarray
        (direction, parameter) orthonormal, across the manifold.
    """
    eta, sigma, delta = _noises(rule)
    jacobian = tangent.jacobian
    n_targets, n_parameters = jacobian.shape
    left, size, rows = np.linalg.svd(jacobian, full_matrices=False)
    eigenvalues = 2.0 / n_targets * size**2
    least = rtol * eigenvalues.max(initial=0.0)
    if horizon is not None:
        least = max(least, 1.0 / (eta * horizon))
    _warn(tangent.loss, eta * eigenvalues.max(initial=0.0), activation)
    steep = eigenvalues > least
    left, size, rows = left[:, steep], size[steep], rows[steep]
    pseudo = (left / size) @ rows  # transposed pseudoinverse of the Jacobian
    along_log = along(2.0 * tangent.contract(pseudo), rows)
    along_trace = along(4.0 / n_targets * tangent.contract(jacobian), rows)
    curved = eigenvalues[steep]
    noise = sigma**2 if sigma else 2.0 * delta**2 / n_targets * curved
    across = eta * noise / (curved * (2.0 - eta * curved))  # variance in each steep direction
    bend = 4.0 / n_targets * tangent.contract((left * (size * across)) @ rows)
    flow, spread = -eta / 2.0 * along(bend, rows), (eta * sigma) ** 2
    hidden = tangent.hidden_jacobian
    if sigma:
        normal = pseudo.T @ tangent.output_bend(rows)
        drift = hidden @ (flow - spread / 2 * normal) + spread / 2 * tangent.hidden_bend(rows)
        flow = flow - spread / 2 * normal
        diffusion = spread * ((hidden**2).sum(axis=1) - ((hidden @ rows.T) ** 2).sum(axis=1))
    else:
        drift, diffusion = hidden @ flow, np.zeros(len(hidden))
    shape = tangent.hidden_shape
    free = n_parameters - rows.shape[0]
    per_step = {"units": "1 / step"}
    found = xr.Dataset(
        {
            "hidden_drift": (("sample", "unit"), drift.reshape(shape), per_step),
            "hidden_diffusion": (
                ("sample", "unit"),
                np.maximum(diffusion, 0.0).reshape(shape),
                per_step,
            ),
            "hidden_fluctuation": (
                ("sample", "unit"),
                ((hidden @ rows.T) ** 2 @ across).reshape(shape),
                {"units": "1"},
            ),
            "flow": ("parameter", flow, per_step),
            "dimension": free,
            "n_parameters": n_parameters,
            "weight_diffusion": spread * free,
            "log_slope": along_log @ flow,
            "trace_slope": along_trace @ flow,
            "loss": tangent.loss,
        },
        attrs={
            "noise": "update" if sigma else "label",
            "learning_rate": eta,
            "noise_sd": sigma or delta,
            "rtol": rtol,
            **({} if horizon is None else {"horizon": horizon}),
        },
    )
    return found, rows


def along(vector: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """What of a vector lies along the manifold."""
    return vector - rows.T @ (rows @ vector)


def _warn(loss: float, step_size: float, activation: str) -> None:
    if step_size >= 2.0:
        raise ValueError(
            f"learning rate times the largest eigenvalue of the Hessian is {step_size:.3g}; plain "
            "descent is stable below 2 only, so there is no equilibrium to drift in"
        )
    said = []
    if loss > _MOST_LOSS:
        said.append(f"the loss is {loss:.3g}; the theory is of networks whose loss is near 0")
    if activation in _KINKED:
        said.append(
            f"the activation is {activation}, which has kinks; the theory is of smooth losses"
        )
    if said:
        warnings.warn("drift along the solutions: " + "; ".join(said), stacklevel=4)
