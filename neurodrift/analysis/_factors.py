"""Factor analysis by maximum likelihood, with a lower bound on the units' own noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GRADIENT = 1e-5  # largest slope of -2/n log likelihood on log noise that counts as the maximum


@dataclass(frozen=True)
class Factors:
    """A fitted model of standardised units.

    Parameters
    ----------
    loadings
        (unit, factor), the factor that explains most first, largest loading of each positive.
    noise
        (unit) variance of each unit's own.
    minus_two
        -2/n log likelihood without the constant n log(2 pi).
    n_iterations
        Steps of the optimiser.
    """

    loadings: np.ndarray
    noise: np.ndarray
    minus_two: float
    n_iterations: int


def maximise(correlation: np.ndarray, n_factors: int, min_noise: float) -> Factors:
    """Loadings and noise that make a correlation matrix most likely.

    Given the noise, the best loadings follow from the largest eigenvectors of the correlation in
    units of the noise; what is left is a smooth function of the noise alone (Jöreskog 1967,
    https://doi.org/10.1007/BF02289658), minimised by L-BFGS-B over log noise within
    [log min_noise, 0].

    Parameters
    ----------
    correlation
        (unit, unit) correlation of the units.
    n_factors
        Number of factors.
    min_noise
        Least noise of a unit, as a share of its variance.

    Returns
    -------
    Factors
        The maximum.

    Raises
    ------
    ValueError
        If the optimiser stops elsewhere.
    """
    from scipy.optimize import minimize

    n_units = len(correlation)
    bounds = (np.log(min_noise), 0.0)
    # 1 / diagonal of the inverse is what the other units leave of a unit
    ridge = correlation + 1e-6 * np.eye(n_units)
    left = (1 - 0.5 * n_factors / n_units) / np.diagonal(np.linalg.inv(ridge))
    start = np.clip(np.log(left), *bounds)

    def height(log_noise: np.ndarray) -> tuple[float, np.ndarray]:
        noise = np.exp(log_noise)
        loadings, value = _given_noise(correlation, noise, n_factors)
        return value, ((loadings**2).sum(axis=1) + noise - 1) / noise

    found = minimize(
        height,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[bounds] * n_units,
        options={"maxiter": 10_000, "maxfun": 20_000, "ftol": 0.0, "gtol": GRADIENT, "maxcor": 30},
    )
    slope = height(found.x)[1]
    free = found.x - np.clip(found.x - slope, *bounds)  # 0 where a bound holds against the slope
    if np.abs(free).max() > 10 * GRADIENT:
        raise ValueError(
            f"factor analysis with {n_factors} factors of {n_units} units did not converge "
            f"({found.message}; slope {np.abs(free).max():.2g}): fit fewer factors"
        )
    noise = np.exp(found.x)
    loadings, value = _given_noise(correlation, noise, n_factors)
    largest = np.take_along_axis(loadings, np.abs(loadings).argmax(axis=0)[None], axis=0)
    loadings = loadings * np.where(largest < 0, -1.0, 1.0)
    return Factors(loadings, noise, value, int(found.nit))


def _given_noise(
    correlation: np.ndarray, noise: np.ndarray, n_factors: int
) -> tuple[np.ndarray, float]:
    """Best loadings for a noise, and -2/n log likelihood without its constant."""
    from scipy.linalg import eigh

    scale = np.sqrt(noise)
    within = correlation / scale[:, None] / scale
    last = len(noise) - 1
    values, vectors = eigh(within, subset_by_index=[last - n_factors + 1, last])
    values, vectors = values[::-1], vectors[:, ::-1]
    signal = np.maximum(values, 1.0)
    loadings = scale[:, None] * vectors * np.sqrt(signal - 1)
    rest = np.trace(within) - values.sum()
    fit = np.where(values > 1, np.log(signal) + 1, values).sum()
    return loadings, float(np.log(noise).sum() + fit + rest)
