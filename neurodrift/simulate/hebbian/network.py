"""The network of similarity matching, its plasticity, and its responses to inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

Response = Literal["rectified", "linear"]
FixedPoint = Literal["exact", "iteration"]


@dataclass(frozen=True, kw_only=True)
class HebbianNetwork:
    r"""A layer of units with forward weights W, lateral weights M and thresholds b.

    Parameters
    ----------
    n_units
        Number of units.
    response
        ``rectified``: non-negative units; ``linear``: principal-subspace projection.
    lam1, lam2
        Strength of the penalties of the sum of activities and of their squares.
    alpha
        What the similarity of inputs is lessened by, so that responses are sparse.
    weight_scale
        Standard deviation of the first W; the first M is the identity, the first b is 0.

    Raises
    ------
    ValueError
        If a number is impossible; all faults are named.

    Notes
    -----
    The response to an input x is the fixed point of [1]_

    .. math::

       \dot u = -u + W x - \sqrt\alpha b - (M - \mathrm{diag} M) y, \quad
       y = \max\Big(\frac{u - \lambda_1}{\lambda_2 + \mathrm{diag} M}, 0\Big),

    the solution of the linear complementarity problem
    :math:`y \ge 0,\ (M + \lambda_2 I) y - q \ge 0`, one of both 0 for every unit, with
    :math:`q = W x - \sqrt\alpha b - \lambda_1`. Linear units: :math:`(M + \lambda_2 I) y = q`.

    References
    ----------
    .. [1] Qin et al. (2023), Nat Neurosci. https://doi.org/10.1038/s41593-022-01225-z
    """

    n_units: int = 200
    response: Response = "rectified"
    lam1: float = 0.0
    lam2: float = 0.05
    alpha: float = 0.0
    weight_scale: float = 0.1

    def __post_init__(self) -> None:
        faults = _number_faults(self, positive=("n_units", "weight_scale"))
        if self.response not in get_args(Response):
            faults.append(f"response is {self.response!r}, expected one of {get_args(Response)}")
        elif self.response == "linear" and self.lam1:
            faults.append("linear units have no threshold: lam1 must be 0")
        if faults:
            raise ValueError(f"network: {'; '.join(faults)}")


@dataclass(frozen=True, kw_only=True)
class HebbianRule:
    r"""Plasticity after every sample, each with its own noise.

    Parameters
    ----------
    learning_rate
        Of W, M and b, above 0 and at most 1.
    forward_noise, lateral_noise, bias_noise
        Scale of the noise of W, M and b. The published code has none on b.
    clip_lateral
        Whether M is kept from falling below 0, as published. Noise that is clipped is not even: it
        raises M, and so inhibition, on the whole. Without, the fixed point may be lost.

    Raises
    ------
    ValueError
        If a number is impossible; all faults are named.

    Notes
    -----
    With independent standard normal noise and the clipping of M for rectified units only,

    .. math::

       W &\leftarrow (1 - \eta) W + \eta y x^T + \sqrt\eta \sigma_W \xi \\
       M &\leftarrow \max\big((1 - \eta) M + \eta y y^T + \sqrt\eta \sigma_M \zeta, 0\big) \\
       b &\leftarrow (1 - \eta) b + \eta \sqrt\alpha y + \sqrt\eta \sigma_b \chi
    """

    learning_rate: float = 0.02
    forward_noise: float = 0.001
    lateral_noise: float = 0.001
    bias_noise: float = 0.0
    clip_lateral: bool = True

    def __post_init__(self) -> None:
        faults = _number_faults(self, positive=("learning_rate",))
        if self.learning_rate > 1:
            faults.append(f"learning_rate is {self.learning_rate}, expected at most 1")
        if faults:
            raise ValueError(f"rule: {'; '.join(faults)}")


def responses(
    inputs: np.ndarray,
    *,
    W: np.ndarray,  # noqa: N803
    M: np.ndarray,  # noqa: N803
    b: np.ndarray,
    network: HebbianNetwork,
    fixed_point: FixedPoint = "exact",
    tolerance: float = 1e-4,
    max_iterations: int = 10_000,
    step: int | None = None,
) -> np.ndarray:
    """Responses of a network with given weights.

    Parameters
    ----------
    inputs
        (sample, feature) inputs.
    W, M, b
        (unit, feature), (unit, unit) and (unit) weights.
    network
        Kind of units and penalties; its `n_units` is that of the weights.
    fixed_point
        ``exact`` or ``iteration``.
    tolerance, max_iterations
        Of the iteration.
    step
        Updates made, for errors.

    Returns
    -------
    numpy.ndarray
        (sample, unit) responses.

    Raises
    ------
    ValueError
        If shapes disagree or there is no fixed point.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.simulate.hebbian.network import HebbianNetwork, responses
    >>> M = np.array([[1.0, 0.5], [0.5, 1.0]])
    >>> network = HebbianNetwork(n_units=2, lam2=0)
    >>> responses(np.array([[1.0, 0.2], [0.3, 0.3]]), W=np.eye(2), M=M, b=np.zeros(2),
    ...           network=network).round(3).tolist()
    [[1.0, 0.0], [0.2, 0.2]]
    """
    from neurodrift.simulate.hebbian import _kernels as kernels

    inputs = np.ascontiguousarray(inputs, dtype=np.float64)
    n = network.n_units
    shapes = {"W": (n, inputs.shape[-1]), "M": (n, n), "b": (n,)}
    for name, array in (("W", W), ("M", M), ("b", b)):
        if np.shape(array) != shapes[name]:
            raise ValueError(f"{name} has shape {np.shape(array)}, expected {shapes[name]}")
    if fixed_point not in get_args(FixedPoint):
        raise ValueError(f"fixed_point is {fixed_point!r}, expected one of {get_args(FixedPoint)}")
    w_t, m_t, bias = (np.ascontiguousarray(np.asarray(a, np.float64).T) for a in (W, M, b))
    numbers = kernel_numbers(network, None, tolerance, max_iterations)
    out, counters = np.empty((inputs.shape[0], n)), np.zeros(4, dtype=np.int64)
    linear, iterated = network.response == "linear", fixed_point == "iteration"
    status, _ = kernels.probe(inputs, w_t, m_t, bias, numbers, linear, iterated, out, counters)
    expect_solved(status, step, network)
    return out


def kernel_numbers(
    network: HebbianNetwork,
    rule: HebbianRule | None,
    tolerance: float = 1e-4,
    most: int = 10_000,
) -> np.ndarray:
    """Numbers that the kernels take, see their ``advance``."""
    rule = HebbianRule() if rule is None else rule
    penalties = [network.lam1, network.lam2, math.sqrt(network.alpha)]
    noise = [rule.forward_noise, rule.lateral_noise, rule.bias_noise]
    return np.array([rule.learning_rate, *penalties, *noise, 0.05, tolerance, most])


def expect_solved(status: int, step: int | None, network: HebbianNetwork) -> None:
    """Raise an error where a kernel found no fixed point."""
    from neurodrift.simulate.hebbian import _kernels as kernels

    when = "" if step is None else f" after {step} updates"
    if status == kernels.NO_SOLUTION:
        raise ValueError(
            f"the network has no fixed point{when}: a unit inhibits neither itself nor others; "
            f"set lam2 (now {network.lam2}) higher or the noise lower"
        )
    if status == kernels.NOT_FINITE:
        raise ValueError(
            f"the activity is not finite{when}: set learning_rate or noise lower, lam2 higher"
        )


def _number_faults(one: Any, positive: tuple[str, ...]) -> list[str]:
    faults = []
    for field in fields(one):
        value = getattr(one, field.name)
        if isinstance(value, str | bool):
            continue
        least = "above 0" if field.name in positive else "at least 0"
        good = isinstance(value, int | float | np.number) and math.isfinite(value)
        good = good and (value > 0 if field.name in positive else value >= 0)
        if not good or (field.name == "n_units" and value != int(value)):
            faults.append(f"{field.name} is {value!r}, expected a number {least}")
    return faults
