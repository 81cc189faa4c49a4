"""Eigenvalues of the loss Hessian of a one-hidden-layer network, exact and without autograd."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from neurodrift.schema.objects import expect_type
from neurodrift.simulate.curvature.loss_point import LossPoint
from neurodrift.threads import one_blas_thread

Part = Literal["full", "gauss_newton"]


@one_blas_thread()
def compute_hessian_spectrum(point: LossPoint, *, part: Part = "full") -> np.ndarray:
    r"""Every eigenvalue of the Hessian of the mean squared error.

    Parameters
    ----------
    point
        Weights, activation and data of a network with one hidden layer.
    part
        ``full``, or ``gauss_newton`` for the part without second derivatives of the output.

    Returns
    -------
    numpy.ndarray
        All ``hidden * (feature + 1 + output)`` eigenvalues, ascending; those that are zero by
        structure (silent units, directions that no input spans) are exactly 0.

    Raises
    ------
    ValueError
        If a weight is not finite or `part` is unknown.

    Notes
    -----
    With outputs :math:`o_s = V \phi(W x_s + b)`, errors :math:`E = o - y` and :math:`N` entries,

    .. math:: H = \frac{2}{N} \Big( J^T J + \sum_{sk} E_{sk} \nabla^2 o_{sk} \Big).

    The second term couples no two units. Unit :math:`j` has the block
    :math:`\begin{pmatrix} K_j & C_j \\ C_j^T & 0 \end{pmatrix}` over its input weights (with the
    bias, inputs extended by 1) and its output weights, with
    :math:`K_j = \sum_s (E_s \cdot V_j) \phi''_{sj} x_s x_s^T` (zero for piecewise linear units) and
    :math:`C_j = \sum_s \phi'_{sj} x_s E_s^T`. Orthogonal changes of basis within each unit split
    off, in this order, what is exactly zero (units with :math:`\phi = \phi' = \phi'' = 0` on every
    sample, weight directions orthogonal to the inputs that drive the unit), and what the second
    term does not see; on the latter, of all units together, :math:`J` has a rank of at most
    :math:`N`, so one more change of basis leaves at most :math:`N` of these directions. No rank is
    decided by a tolerance. What remains is solved by a symmetric routine.

    It computes on one BLAS thread, whatever the setting: more are slower at these sizes, and the
    last bits would depend on their number.

    The eigenvalues of the Gauss-Newton part are those of :math:`J J^T`, a matrix of size :math:`N`.

    References
    ----------
    Ratzon, Derdikman & Barak (2024), "Representational drift as a result of implicit
    regularization", eLife 12:RP90069. https://doi.org/10.7554/eLife.90069

    Examples
    --------
    >>> from neurodrift.simulate.curvature.hessian import compute_hessian_spectrum
    >>> from neurodrift.simulate.curvature.loss_point import LossPoint
    >>> W, b, V = [[1.0], [1.0]], [0.0, -9.0], [[2.0, 5.0]]
    >>> point = LossPoint(W, b, V, inputs=[[1.0]], targets=[[2.0]])
    >>> eigenvalues = compute_hessian_spectrum(point)
    >>> print(eigenvalues.round(12) + 0.0)   # the second unit is silent, the error is zero
    [ 0.  0.  0.  0.  0. 18.]
    """
    expect_type("point", point, LossPoint, "a LossPoint, such as LossPoint.from_run(run)")
    if part not in get_args(Part):
        raise ValueError(f"part is {part!r}; expected one of {', '.join(get_args(Part))}")
    small = _gauss_newton(point) if part == "gauss_newton" else _reduced(point)
    found = np.linalg.eigvalsh(small) if small.size else np.zeros(0)
    if found.size > point.n_parameters:  # only of J J^T, whose surplus eigenvalues are zeros
        found = found[-point.n_parameters :]
    return np.sort(np.concatenate([found, np.zeros(point.n_parameters - found.size)]))


def compute_hessian_trace(point: LossPoint) -> float:
    r"""Sum of the eigenvalues of the Hessian of the mean squared error, without the eigenvalues.

    Parameters
    ----------
    point
        As in :func:`compute_hessian_spectrum`.

    Returns
    -------
    float
        The trace, at the price of one forward pass.

    Notes
    -----
    In the notation of :func:`compute_hessian_spectrum`, with K outputs,

    .. math::

       \operatorname{tr} H = \frac{2}{N} \sum_{sj} \big( K \phi_{sj}^2 + [\phi_{sj}'^2 |V_j|^2
       + (E_s \cdot V_j) \phi''_{sj}] (|x_s|^2 + 1) \big).

    Examples
    --------
    >>> from neurodrift.simulate.curvature.hessian import compute_hessian_trace
    >>> from neurodrift.simulate.curvature.loss_point import LossPoint
    >>> W, b, V = [[1.0], [1.0]], [0.0, -9.0], [[2.0, 5.0]]
    >>> point = LossPoint(W, b, V, inputs=[[1.0]], targets=[[2.0]])
    >>> compute_hessian_trace(point)
    18.0
    """
    expect_type("point", point, LossPoint, "a LossPoint, such as LossPoint.from_run(run)")
    curved = point.slope**2 * (point.V**2).sum(axis=0) + (point.error @ point.V) * point.bend
    by_weight = (point.extended_inputs**2).sum(axis=1) @ curved.sum(axis=1)
    return float(point.scale * (point.error.shape[1] * (point.hidden**2).sum() + by_weight))


def compute_hessian_matrix(point: LossPoint, *, part: Part = "full") -> np.ndarray:
    """Hessian of the mean squared error as a dense matrix.

    Parameters
    ----------
    point, part
        As in :func:`compute_hessian_spectrum`.

    Returns
    -------
    numpy.ndarray
        Symmetric matrix (parameter, parameter); parameters are ``W``, ``b`` and ``V``, each
        flattened in its own order, as torch orders them.

    Examples
    --------
    >>> from neurodrift.simulate.curvature.hessian import compute_hessian_matrix
    >>> from neurodrift.simulate.curvature.loss_point import LossPoint
    >>> point = LossPoint([[1.0]], [0.0], [[2.0]], inputs=[[1.0]], targets=[[2.0]])
    >>> compute_hessian_matrix(point)
    array([[8., 8., 4.],
           [8., 8., 4.],
           [4., 4., 2.]])
    """
    expect_type("point", point, LossPoint, "a LossPoint, such as LossPoint.from_run(run)")
    x, slope, error = point.extended_inputs, point.slope, point.error
    n_samples, width = x.shape
    hidden, n_outputs = point.n_hidden, error.shape[1]
    units = np.arange(hidden)

    weights = np.einsum("kj,sj,sd->skjd", point.V, slope, x)
    readout = np.zeros((n_samples, n_outputs, n_outputs, hidden))
    for k in range(n_outputs):
        readout[:, k, k] = point.hidden
    jacobian = np.concatenate(
        [
            weights[..., :-1].reshape(n_samples * n_outputs, -1),
            weights[..., -1].reshape(n_samples * n_outputs, -1),
            readout.reshape(n_samples * n_outputs, -1),
        ],
        axis=1,
    )
    hessian = jacobian.T @ jacobian
    if part == "full":
        # rows of unit j in the flattened order, its bias last
        rows = np.column_stack(
            [units[:, None] * (width - 1) + np.arange(width - 1), hidden * (width - 1) + units]
        )
        columns = hidden * width + np.arange(n_outputs) * hidden + units[:, None]
        bend = np.einsum("sj,sd,se->jde", (error @ point.V) * point.bend, x, x)
        cross = np.einsum("sj,sd,sk->jdk", slope, x, error)
        hessian[rows[:, :, None], rows[:, None, :]] += (bend + bend.transpose(0, 2, 1)) / 2
        hessian[rows[:, :, None], columns[:, None, :]] += cross
        hessian[columns[:, :, None], rows[:, None, :]] += cross.transpose(0, 2, 1)
    return hessian * point.scale


def count_eigenvalues(
    eigenvalues: np.ndarray, *, rtol: float = 1e-9
) -> dict[Literal["nonzero", "positive", "sum_log"], float]:
    r"""Count eigenvalues that differ from zero, by a tolerance relative to the largest.

    Parameters
    ----------
    eigenvalues
        Eigenvalues in any order.
    rtol
        An eigenvalue is zero if :math:`|\lambda| \le` ``rtol`` :math:`\max |\lambda|`. With 0 every
        eigenvalue counts that is not exactly zero, rounding errors of null directions included.

    Returns
    -------
    dict
        ``nonzero`` and ``positive``: number of eigenvalues that are not zero, and of those
        above zero; ``sum_log``: sum of the natural logarithms of the positive ones.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.simulate.curvature.hessian import count_eigenvalues
    >>> count_eigenvalues(np.array([-0.1, -1e-17, 1e-17, 0.0, 1.0]))
    {'nonzero': 2, 'positive': 1, 'sum_log': 0.0}
    >>> count_eigenvalues(np.array([-0.1, -1e-17, 1e-17, 0.0, 1.0]), rtol=0)["positive"]
    2
    """
    values = np.asarray(eigenvalues, float)
    floor = rtol * np.abs(values).max(initial=0.0)
    positive = values[values > floor]
    return {
        "nonzero": int((np.abs(values) > floor).sum()),
        "positive": int(positive.size),
        "sum_log": float(np.log(positive).sum()),
    }


@one_blas_thread()
def compute_published_eigenvalues(point: LossPoint) -> np.ndarray:
    """Eigenvalues with the rounding errors that the published count of eigenvalues counts.

    Parameters
    ----------
    point
        As in :func:`compute_hessian_spectrum`.

    Returns
    -------
    numpy.ndarray
        Real parts (parameter,) from a general, non-symmetric routine on the dense matrix.

    Notes
    -----
    The code of the paper calls the share of these that is above 0 the non-zero ones. Null
    directions of active units come out as about 1e-17 with either sign, rows of silent units as
    exactly 0, so that share is mostly half of the share of parameters that belong to active units:
    :func:`count_live_parameters` gives its expectation without this function's price of seconds.

    Examples
    --------
    >>> from neurodrift.simulate.curvature.hessian import compute_published_eigenvalues
    >>> from neurodrift.simulate.curvature.loss_point import LossPoint
    >>> point = LossPoint([[1.0]], [0.0], [[2.0]], inputs=[[1.0]], targets=[[2.0]])
    >>> compute_published_eigenvalues(point).max().round(9)
    np.float64(18.0)
    """
    expect_type("point", point, LossPoint, "a LossPoint, such as LossPoint.from_run(run)")
    matrix = compute_hessian_matrix(point)
    live = matrix.any(axis=0)
    found = np.linalg.eigvals(matrix[np.ix_(live, live)]).real if live.any() else np.zeros(0)
    return np.concatenate([found, np.zeros(live.size - found.size)])


def count_live_parameters(point: LossPoint) -> int:
    """Count the parameters whose row of the Hessian is not zero by structure.

    Parameters
    ----------
    point
        As in :func:`compute_hessian_spectrum`.

    Returns
    -------
    int
        Input weights and biases of units with a slope on some sample, from inputs that are not zero
        there, and output weights of those units.

    Examples
    --------
    >>> from neurodrift.simulate.curvature.hessian import count_live_parameters
    >>> from neurodrift.simulate.curvature.loss_point import LossPoint
    >>> W, b, V = [[1.0], [1.0]], [0.0, -9.0], [[2.0, 5.0]]
    >>> point = LossPoint(W, b, V, inputs=[[1.0]], targets=[[2.0]])
    >>> count_live_parameters(point)
    3
    """
    expect_type("point", point, LossPoint, "a LossPoint, such as LossPoint.from_run(run)")
    driven = point.slope != 0
    read = (driven.T.astype(float) @ (point.extended_inputs != 0)) > 0
    live = (driven | (point.hidden != 0)).any(axis=0)
    return int(read.sum() + live.sum() * point.error.shape[1])


def _gauss_newton(point: LossPoint) -> np.ndarray:
    """J J^T, (sample * output) squared: kernels of the inputs and of the hidden layer."""
    n_samples, n_outputs = point.error.shape
    gates = (point.slope[:, None, :] * point.V).reshape(n_samples * n_outputs, -1)
    kernel = (gates @ gates.T).reshape(n_samples, n_outputs, n_samples, n_outputs)
    x, h = point.extended_inputs, point.hidden
    kernel *= (x @ x.T)[:, None, :, None]
    hidden_kernel = h @ h.T
    for k in range(n_outputs):
        kernel[:, k, :, k] += hidden_kernel
    return kernel.reshape(n_samples * n_outputs, -1) * point.scale


def _reduced(point: LossPoint) -> np.ndarray:
    """The Hessian in an orthonormal basis from which exactly null directions are gone."""
    h, slope, error = point.hidden, point.slope, point.error
    n_samples, n_outputs = error.shape
    n_entries = n_samples * n_outputs
    seen, unseen, blocks = [], [], []
    for j in range(point.n_hidden):
        driven = (slope[:, j] != 0) | (point.bend[:, j] != 0)
        if not driven.any() and not h[:, j].any():
            continue
        # coordinates of the driving inputs in a basis of their span; the rest is never read
        x = np.zeros((n_samples, min(int(driven.sum()), point.extended_inputs.shape[1])))
        x[driven] = _coordinates(point.extended_inputs[driven])
        cross = (x * slope[:, j, None]).T @ error
        turn_weights, turn_outputs, rank = _turns(cross, point.is_straight)
        x = x @ turn_weights
        weights = np.einsum("k,s,sd->skd", point.V[:, j], slope[:, j], x)
        outputs = h[:, j, None, None] * turn_outputs
        kept = x.shape[1] if not point.is_straight else rank
        seen += [weights[..., :kept], outputs[..., :rank]]
        unseen += [weights[..., kept:], outputs[..., rank:]]
        bend = (x * ((error @ point.V[:, j]) * point.bend[:, j])[:, None]).T @ x
        blocks.append(
            (bend[:kept, :kept], turn_weights[:, :kept].T @ cross @ turn_outputs[:, :rank])
        )
    if not blocks:
        return np.zeros((0, 0))
    jacobian = np.concatenate(seen, axis=2).reshape(n_entries, -1)
    rest = np.concatenate(unseen, axis=2).reshape(n_entries, -1)
    jacobian = np.concatenate([jacobian, _coordinates(rest)], axis=1)
    hessian = jacobian.T @ jacobian
    start = 0
    for bend, cross in blocks:
        middle, end = start + len(bend), start + len(bend) + cross.shape[1]
        hessian[start:middle, start:middle] += bend
        hessian[start:middle, middle:end] += cross
        hessian[middle:end, start:middle] += cross.T
        start = end
    return hessian * point.scale


def _coordinates(rows: np.ndarray) -> np.ndarray:
    """Rows in an orthonormal basis of a space that holds them all, never wider than tall."""
    if rows.shape[1] <= rows.shape[0]:
        return rows
    return np.transpose(np.linalg.qr(rows.T, mode="r"))


def _turns(cross: np.ndarray, straight: bool) -> tuple[np.ndarray, np.ndarray, int]:
    """Rotations of a unit's input and output weights that gather ``cross`` in one corner."""
    n_weights, n_outputs = cross.shape
    turn_weights, turn_outputs = np.eye(n_weights), np.eye(n_outputs)
    if n_outputs > n_weights:
        turn_outputs = np.linalg.qr(cross.T, mode="complete")[0]
    elif n_weights > n_outputs and straight:
        turn_weights = np.linalg.qr(cross, mode="complete")[0]
    return turn_weights, turn_outputs, min(n_weights, n_outputs)
