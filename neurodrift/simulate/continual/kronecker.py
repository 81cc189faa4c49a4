"""Kronecker-factored precision matrices: nearest sum, quadratic penalty, preconditioner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Kronecker:
    r"""A symmetric positive definite matrix :math:`L \otimes R` that acts on matrices D (n, m).

    Parameters
    ----------
    left
        (n, n).
    right
        (m, m).

    Notes
    -----
    The quadratic form is :math:`\mathrm{tr}(D^T L D R)`.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.simulate.continual.kronecker import Kronecker
    >>> Kronecker(2 * np.eye(2), np.eye(3)).times(np.ones((2, 3)))[0].tolist()
    [2.0, 2.0, 2.0]
    """

    left: np.ndarray
    right: np.ndarray

    def times(self, matrix: np.ndarray) -> np.ndarray:
        """Product with a matrix, L D R.

        Parameters
        ----------
        matrix
            (n, m).

        Returns
        -------
        numpy.ndarray
            (n, m).
        """
        return np.asarray(self.left @ matrix @ self.right)

    def balanced(self) -> Kronecker:
        """The same matrix with factors whose mean diagonals are equal.

        Returns
        -------
        Kronecker
            Equal to this one.
        """
        left, right = _mean_diagonal(self.left), _mean_diagonal(self.right)
        if not left > 0 or not right > 0:
            return self
        ratio = np.sqrt(right / left)
        return Kronecker(self.left * ratio, self.right / ratio)

    def preconditioner(self, damping: float) -> Kronecker:
        r"""Inverse of the matrix, damped to keep steps within a trust region.

        Parameters
        ----------
        damping
            :math:`\alpha`.

        Returns
        -------
        Kronecker
            :math:`(L + \pi\alpha I)^{-1} \otimes (R + \alpha/\pi\, I)^{-1}` with
            :math:`\pi^2 = \frac{\mathrm{tr} L / n}{\mathrm{tr} R / m}`.
        """
        pi = np.sqrt(_mean_diagonal(self.left) / _mean_diagonal(self.right))
        return Kronecker(
            _inverse(self.left + pi * damping * np.eye(len(self.left))),
            _inverse(self.right + damping / pi * np.eye(len(self.right))),
        )


def identity(n: int, m: int, scale: float) -> Kronecker:
    """The identity times a scale, shared equally by both factors.

    Parameters
    ----------
    n, m
        Sizes of the factors.
    scale
        Of the whole.

    Returns
    -------
    Kronecker
        It.
    """
    root = np.sqrt(scale)
    return Kronecker(root * np.eye(n), root * np.eye(m))


def nearest_sum(
    first: Kronecker,
    second: Kronecker,
    *,
    rate: float = 0.3,
    tolerance: float = 1e-14,
    max_iterations: int = 1000,
) -> Kronecker:
    r"""The Kronecker product that is nearest to a sum of two as a precision matrix [1]_.

    Parameters
    ----------
    first, second
        The summands.
    rate
        Share of the way that each iteration goes.
    tolerance
        Squared relative change of both factors at which the iteration ends.
    max_iterations
        Where it ends anyway.

    Returns
    -------
    Kronecker
        :math:`E \otimes F` that minimises
        :math:`\mathrm{KL}(N(0, E \otimes F) \,\|\, N(0, \text{sum}))` over precision matrices.

    Notes
    -----
    With :math:`L_i, R_i` the factors of the summands, the minimum is where
    :math:`E = \sum_i \mathrm{tr}(R_i F^{-1}) L_i / m` and
    :math:`F = \sum_i \mathrm{tr}(L_i E^{-1}) R_i / n`, which is iterated with relaxation.

    References
    ----------
    .. [1] T.-C. Kao, K. T. Jensen, G. M. van de Ven, A. Bernacchia, G. Hennequin (2021), "Natural
       continual learning", NeurIPS, https://doi.org/10.48550/arXiv.2106.08085

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.simulate.continual.kronecker import Kronecker, nearest_sum
    >>> a = Kronecker(np.diag([1.0, 2.0]), np.eye(3))
    >>> found = nearest_sum(a, a)  # exact: the sum is a product
    >>> bool(np.allclose(np.kron(found.left, found.right), 2 * np.kron(a.left, a.right)))
    True
    """
    b, c = first.balanced(), second.balanced()
    traces = [np.trace(m) for m in (b.left, b.right, c.left, c.right)]
    if min(traces[2:]) <= 0:  # a summand of zeros adds nothing
        return b
    pi = np.sqrt(traces[0] * traces[3] / (traces[2] * traces[1]))
    left, right = b.left + pi * c.left, b.right + c.right / pi
    n, m = len(left), len(right)
    for _ in range(max_iterations):
        inverse_left, inverse_right = _inverse(left), _inverse(right)
        new_left = _weighted(b.left, c.left, b.right, c.right, inverse_right, m)
        new_right = _weighted(b.right, c.right, b.left, c.left, inverse_left, n)
        change_left, change_right = new_left - left, new_right - right
        sizes = (
            np.sum(change_left**2) / np.sum(left**2),
            np.sum(change_right**2) / np.sum(right**2),
        )
        left, right = left + rate * change_left, right + rate * change_right
        if rate**2 * max(sizes) < tolerance:
            break
    return Kronecker(left, right).balanced()


def _weighted(
    b: np.ndarray,
    c: np.ndarray,
    b_other: np.ndarray,
    c_other: np.ndarray,
    inverse: np.ndarray,
    n: int,
) -> np.ndarray:
    """Sum of both, each weighted by the mean of its other factor in the metric of the inverse."""
    return np.asarray(np.sum(b_other * inverse) / n * b + np.sum(c_other * inverse) / n * c)


def _mean_diagonal(matrix: np.ndarray) -> float:
    return float(np.trace(matrix)) / len(matrix)


def _inverse(matrix: np.ndarray) -> np.ndarray:
    from scipy.linalg import cho_factor, cho_solve

    return np.asarray(cho_solve(cho_factor((matrix + matrix.T) / 2), np.eye(len(matrix))))
