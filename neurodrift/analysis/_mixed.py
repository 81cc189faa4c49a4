"""Linear model with a random intercept for each subject: REML fit and Satterthwaite's degrees.

With one random intercept the restricted likelihood has one free parameter, the ratio of the two
variances, so its maximum is found by search. The general optimiser of statsmodels 0.15 missed it
in 46 of 500 small tables and gave no standard error in 11 (benchmarks/calibration_regression.py);
where it converges, the two agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_LOG_RATIOS = np.linspace(-14.0, 14.0, 57)


@dataclass(frozen=True)
class RandomIntercept:
    """Fit of :func:`fit_random_intercept`: coefficients with their errors, and variances."""

    estimate: np.ndarray
    se: np.ndarray
    dof: np.ndarray
    residual_variance: float
    subject_variance: float


def fit_random_intercept(design: np.ndarray, y: np.ndarray, subject: np.ndarray) -> RandomIntercept:
    """Fit ``y = design @ beta + intercept[subject] + residual`` by REML.

    Parameters
    ----------
    design
        (row, term) of full column rank.
    y
        (row) response.
    subject
        (row) number of the subject.

    Returns
    -------
    RandomIntercept
        Coefficients, standard errors and Satterthwaite degrees of freedom (term), variances.
    """
    from scipy.optimize import minimize_scalar

    n_rows, n_terms = design.shape
    # An orthonormal basis and the residuals of least squares keep the sums well conditioned.
    basis, triangle = np.linalg.qr(design)
    start = basis.T @ y
    residual = y - basis @ start
    columns = np.column_stack([basis, residual])
    number, size = np.unique(subject, return_inverse=True, return_counts=True)[1:]
    sums = np.zeros((size.size, n_terms + 1))
    np.add.at(sums, number, columns)
    cross = columns.T @ columns

    back = np.linalg.inv(triangle)
    if residual @ residual <= 1e-24 * (y @ y):  # a perfect fit has no variance to share out
        dof = np.full(n_terms, float(n_rows - n_terms))
        return RandomIntercept(back @ start, np.zeros(n_terms), dof, 0.0, 0.0)

    def solve(ratio: float) -> tuple[np.ndarray, float, float]:
        weight = ratio / (1 + size * ratio)
        moments = cross - (sums * weight[:, None]).T @ sums
        shift = np.linalg.solve(moments[:-1, :-1], moments[:-1, -1])
        rss = moments[-1, -1] - moments[:-1, -1] @ shift
        log_det = np.linalg.slogdet(moments[:-1, :-1])[1] + np.log1p(size * ratio).sum()
        return shift, rss, (n_rows - n_terms) * np.log(max(rss, np.finfo(float).tiny)) + log_det

    deviance = [solve(float(np.exp(t)))[2] for t in _LOG_RATIOS]
    k = int(np.argmin(deviance))
    bracket = (_LOG_RATIOS[max(k - 1, 0)], _LOG_RATIOS[min(k + 1, _LOG_RATIOS.size - 1)])
    found = minimize_scalar(
        lambda t: solve(float(np.exp(t)))[2],
        bounds=bracket,
        method="bounded",
        options={"xatol": 1e-9},
    )
    ratio = float(np.exp(found.x)) if found.fun < solve(0.0)[2] else 0.0
    shift, rss, _ = solve(ratio)
    residual_variance = rss / (n_rows - n_terms)
    subject_variance = ratio * residual_variance
    se, dof = _errors(back, sums[:, :-1], size.astype(float), residual_variance, ratio)
    return RandomIntercept(back @ (start + shift), se, dof, residual_variance, subject_variance)


def _errors(
    back: np.ndarray, sums: np.ndarray, size: np.ndarray, residual_variance: float, ratio: float
) -> tuple[np.ndarray, np.ndarray]:
    """Standard errors and Satterthwaite's degrees of freedom of the coefficients.

    The covariance of a subject's rows, its inverse, its derivatives by the two variances and all
    their products are a I + b J (J all ones); each is kept as the pair (a, b over subjects).
    """
    n_terms = sums.shape[1]
    inverse = (1 / residual_variance, -ratio / (1 + size * ratio) / residual_variance)
    derivatives = [(1.0, np.zeros_like(size)), (0.0, np.ones_like(size))]

    def times(*pairs: tuple[float, np.ndarray]) -> tuple[float, np.ndarray]:
        a, b = pairs[0]
        for c, d in pairs[1:]:
            a, b = a * c, a * d + b * c + size * b * d
        return a, b

    def quadratic(pair: tuple[float, np.ndarray]) -> np.ndarray:
        return pair[0] * np.eye(n_terms) + (sums * pair[1][:, None]).T @ sums

    covariance = np.linalg.inv(quadratic(inverse))
    middle = [quadratic(times(inverse, d, inverse)) for d in derivatives]
    information = np.empty((2, 2))
    for j, first in enumerate(derivatives):
        for k, second in enumerate(derivatives):
            product = times(inverse, first, inverse, second)
            trace = float((size * (product[0] + product[1])).sum())
            information[j, k] = 0.5 * (
                trace
                - 2 * np.trace(covariance @ quadratic(times(product, inverse)))
                + np.trace(covariance @ middle[j] @ covariance @ middle[k])
            )
    of_variances = np.linalg.inv(information)
    variance = np.einsum("ij,jk,ik->i", back, covariance, back)
    gradient = np.stack(
        [np.einsum("ij,jk,ik->i", back, covariance @ m @ covariance, back) for m in middle], axis=-1
    )
    spread = np.einsum("ij,jk,ik->i", gradient, of_variances, gradient)
    return np.sqrt(variance), 2 * variance**2 / spread
