"""From animals to the cohort: means, groups and lines over animals, with a jackknife by animal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurodrift.cohort.series import Reduced

_SAME = 1e-9
"""Part of a covariate's variation that must be left beside the designs and other covariates."""


@dataclass(frozen=True, eq=False)
class Animals:
    """What each animal gives to the cohort; leading axes are many tables at once.

    Parameters
    ----------
    value
        (..., animal) its answer, nothing held.
    shift
        (..., animal, covariate) answer that the covariates themselves would give.
    moments, cross, spread
        As of :class:`~neurodrift.cohort.series.Reduced`, summed over its recordings.
    left
        (..., animal) rows that are left beside the designs.
    """

    value: np.ndarray
    shift: np.ndarray
    moments: np.ndarray
    cross: np.ndarray
    spread: np.ndarray
    left: np.ndarray

    @classmethod
    def of(cls, recordings: Reduced, weights: np.ndarray) -> Animals:
        """Gather the recordings of each animal.

        Parameters
        ----------
        recordings
            The recordings.
        weights
            (animal, recording) what of a recording's answer goes into that of the animal; 0 of
            others' recordings.

        Returns
        -------
        Animals
            The animals.
        """
        own = (weights != 0).astype(float)
        return cls(
            recordings.value @ weights.T,
            np.einsum("ar,...rk->...ak", weights, recordings.shift),
            np.einsum("ar,...rjk->...ajk", own, recordings.moments),
            np.einsum("ar,...rk->...ak", own, recordings.cross),
            np.einsum("ar,...rk->...ak", own, recordings.spread),
            recordings.left @ own.T,
        )


@dataclass(frozen=True, eq=False)
class Between:
    """How animals make the parameters of a cohort: linear in their answers.

    Parameters
    ----------
    weights
        (parameter, animal).
    without
        (animal, parameter, animal) the same without one animal.
    strata
        (animal) group within which animals stand for each other.
    design
        (animal, parameter) of least squares.
    """

    weights: np.ndarray
    without: np.ndarray
    strata: np.ndarray
    design: np.ndarray

    @property
    def line(self) -> bool:
        """Whether the parameters are intercept and slope of a line over animals."""
        return self.design.shape[1] == 2 and len(np.unique(self.strata)) == 1


def one_group(n: int) -> Between:
    """The mean over `n` animals."""
    return _least_squares(np.ones((n, 1)), np.zeros(n, dtype=int))


def groups(number: np.ndarray) -> Between:
    """The mean of each group; (animal) number of the group, from 0."""
    return _least_squares((number[:, None] == np.arange(number.max() + 1)).astype(float), number)


def line(x: np.ndarray) -> Between:
    """Intercept and slope over a number of each animal."""
    return _least_squares(np.column_stack([np.ones(x.size), x]), np.zeros(x.size, dtype=int))


def _least_squares(design: np.ndarray, strata: np.ndarray) -> Between:
    n, n_parameters = design.shape
    without = np.zeros((n, n_parameters, n))
    for j in range(n):
        others = np.delete(np.arange(n), j)
        without[j][:, others] = np.linalg.pinv(design[others])
    return Between(np.linalg.pinv(design), without, strata, design)


@dataclass(frozen=True, eq=False)
class Held:
    """Coefficients of the covariates, common to the cohort.

    Parameters
    ----------
    coefficients
        (..., covariate).
    without
        (..., animal, covariate) the same without one animal.
    inflation
        (..., covariate) how much wider its error is because it goes along with the designs and the
        other covariates.
    known
        (...) whether they can be told, also without any one animal.
    """

    coefficients: np.ndarray
    without: np.ndarray
    inflation: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, animals: Animals) -> Held:
        """Estimate them from all animals.

        Parameters
        ----------
        animals
            The animals.

        Returns
        -------
        Held
            NaN where they cannot be told.
        """
        moments, cross = animals.moments.sum(axis=-3), animals.cross.sum(axis=-2)
        spread, left = animals.spread.sum(axis=-2), animals.left.sum(axis=-1)
        n_covariates = cross.shape[-1]
        unit = np.sqrt(np.where(spread > 0, spread, 1.0))
        both = unit[..., :, None] * unit[..., None, :]
        scaled = moments / both
        fewer = scaled[..., None, :, :] - animals.moments / both[..., None, :, :]
        least = np.linalg.eigvalsh(fewer)[..., 0].min(axis=-1)
        enough = left[..., None] - animals.left >= n_covariates
        known = (least > _SAME) & enough.all(axis=-1) & (spread > 0).all(axis=-1)
        eye = np.eye(n_covariates)
        inverse = np.linalg.inv(np.where(known[..., None, None], scaled, eye))
        fewer = np.where(known[..., None, None, None], fewer, eye)
        rest = (cross[..., None, :] - animals.cross) / unit[..., None, :]
        nan = np.where(known, 1.0, np.nan)
        coefficients = (inverse @ (cross / unit)[..., None])[..., 0] / unit
        without = np.linalg.solve(fewer, rest[..., None])[..., 0] / unit[..., None, :]
        inflation = np.diagonal(inverse, axis1=-2, axis2=-1)
        return cls(
            coefficients * nan[..., None],
            without * nan[..., None, None],
            inflation * nan[..., None],
            known,
        )


@dataclass(frozen=True, eq=False)
class Pooled:
    """Parameters of the cohort with their errors.

    Parameters
    ----------
    estimate
        (..., parameter).
    without
        (..., animal, parameter) without one animal, the covariates' coefficients estimated anew.
    covariances
        (..., stratum, parameter, parameter) what the animals of each stratum add.
    dof
        (stratum) degrees of freedom of each.
    each
        (..., animal) answers of the animals, given the covariates.
    moved
        (..., parameter) how much the covariates take from the estimate; zeros without covariates.
    moved_covariances
        (..., stratum, parameter, parameter) their errors.
    held
        Coefficients of the covariates; None without covariates.
    """

    estimate: np.ndarray
    without: np.ndarray
    covariances: np.ndarray
    dof: np.ndarray
    each: np.ndarray
    moved: np.ndarray
    moved_covariances: np.ndarray
    held: Held | None

    def contrast(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A sum of parameters.

        Parameters
        ----------
        weights
            (parameter).

        Returns
        -------
        tuple of numpy.ndarray
            (...) estimate, standard error and Welch-Satterthwaite's degrees of freedom.
        """
        return (self.estimate @ weights, *self._error(self.covariances, weights))

    def moved_by(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What the covariates take from a sum of parameters, as :meth:`contrast`."""
        return (self.moved @ weights, *self._error(self.moved_covariances, weights))

    def _error(self, covariances: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        own = np.einsum("i,...sij,j->...s", weights, covariances, weights)
        total = own.sum(axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            dof = total**2 / (own**2 / self.dof).sum(axis=-1)
        dof = np.where(total > 0, dof, np.where(total == 0, self.dof.sum(), np.nan))
        return np.sqrt(total), dof

    def equality(self) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
        r"""Whether all groups are the same, by Welch's analysis of variance.

        Returns
        -------
        tuple
            (...) F, degrees of freedom above, (...) below, and (...) p.

        Notes
        -----
        With the covariance :math:`V` of the groups' means and differences :math:`C` from the
        first, :math:`F = (C\theta)^T (CVC^T)^{-1} C\theta / (k - 1)`, which is Welch's weighted
        sum of squares where :math:`V` is diagonal, over Welch's correction.
        """
        from scipy.special import fdtrc

        k = self.estimate.shape[-1]
        covariance = self.covariances.sum(axis=-3)
        differences = np.column_stack([-np.ones(k - 1), np.eye(k - 1)])
        apart = self.estimate @ differences.T
        spread = differences @ covariance @ differences.T
        defined = np.isfinite(spread).all(axis=(-1, -2)) & np.isfinite(apart).all(axis=-1)
        spread = np.where(defined[..., None, None], spread, np.eye(k - 1))
        size = np.diagonal(spread, axis1=-2, axis2=-1).max(axis=-1)
        flat = np.linalg.eigvalsh(spread)[..., 0] <= 1e-12 * size
        spread = np.where(flat[..., None, None], np.eye(k - 1), spread)
        wald = (apart[..., None, :] @ np.linalg.solve(spread, apart[..., None]))[..., 0, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            weight = 1 / np.diagonal(covariance, axis1=-2, axis2=-1)
            share = 1 - weight / weight.sum(axis=-1, keepdims=True)
        uneven = (share**2 / self.dof).sum(axis=-1)
        f = wald / (k - 1) / (1 + 2 * (k - 2) / (k**2 - 1) * uneven)
        below = (k**2 - 1) / (3 * uneven)
        told = defined & ~flat
        f, below = (np.where(told, values, np.nan) for values in (f, below))
        return f, float(k - 1), below, np.where(told, fdtrc(k - 1, below, f), np.nan)


def pool(animals: Animals, between: Between) -> Pooled:
    r"""Parameters of a cohort from its animals, given the covariates where there are some.

    Parameters
    ----------
    animals
        The animals.
    between
        What is asked of them together.

    Returns
    -------
    Pooled
        With errors by leaving out each animal in turn.

    Notes
    -----
    The coefficients :math:`\beta` of the covariates are common to the cohort, estimated by least
    squares from all recordings, each beside its own design. With the answers :math:`a_j - b_j
    \beta` of the animals, parameters are :math:`\theta = L(a - B\beta)`; leaving out animal j both
    loses its answer and estimates :math:`\beta` anew. The variance is the delete-one jackknife
    within each stratum [1]_,

    .. math:: \sum_s \frac{n_s - 1}{n_s} \sum_{j \in s}
              (\theta_{(j)} - \bar\theta_{s})(\theta_{(j)} - \bar\theta_{s})^T,

    which without covariates is that of Student's and Welch's t to the last bit. A line over animals
    has the variance of least squares times the ratio of two jackknives, with :math:`\beta`
    estimated anew and held, which is 1 without covariates.

    References
    ----------
    .. [1] Efron & Stein (1981), Ann Stat. https://doi.org/10.1214/aos/1176345462

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.cohort.animals import Animals, one_group, pool
    >>> none = np.zeros((3, 0))
    >>> mice = Animals(np.array([1.0, 2.0, 3.0]), none, np.zeros((3, 0, 0)), none, none, np.ones(3))
    >>> estimate, se, dof = pool(mice, one_group(3)).contrast(np.ones(1))
    >>> float(estimate), round(float(se), 3), float(dof)
    (2.0, 0.577, 2.0)
    """
    raw = animals.value
    raw_without = np.einsum("jpa,...a->...jp", between.without, raw)
    strata = np.unique(between.strata)
    sizes = np.array([(between.strata == s).sum() for s in strata])
    n, n_parameters = between.design.shape
    dof = np.array([float(n - n_parameters)]) if between.line else sizes - 1.0
    if animals.shift.shape[-1] == 0:
        estimate, each, without, held = raw @ between.weights.T, raw, raw_without, None
        covariances = _jackknife(without, between.strata)
        nothing = np.zeros_like(estimate)
        moved, moved_covariances = nothing, np.zeros_like(covariances)
    else:
        held = Held.of(animals)
        each = raw - (animals.shift * held.coefficients[..., None, :]).sum(axis=-1)
        estimate = each @ between.weights.T
        taken = np.einsum("...ak,...jk->...ja", animals.shift, held.without)
        anew = raw[..., None, :] - taken
        without = np.einsum("jpa,...ja->...jp", between.without, anew)
        covariances = _jackknife(without, between.strata)
        moved = raw @ between.weights.T - estimate
        moved_covariances = _jackknife(raw_without - without, between.strata)
    if between.line:
        fixed = np.einsum("jpa,...a->...jp", between.without, each)
        ratio = np.ones(covariances.shape)
        if held is not None:
            with np.errstate(divide="ignore", invalid="ignore"):
                grown = _diagonal(covariances) / _diagonal(_jackknife(fixed, between.strata))
            grown = np.sqrt(grown)
            ratio = grown[..., :, None] * grown[..., None, :]
        residual = each - estimate @ between.design.T
        variance = (residual**2).sum(axis=-1) / max(n - n_parameters, 1)
        own = np.linalg.inv(between.design.T @ between.design)
        covariances = variance[..., None, None, None] * own * ratio
    return Pooled(estimate, without, covariances, dof, each, moved, moved_covariances, held)


def _jackknife(without: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """(..., stratum, parameter, parameter) what leaving out its animals says of the variance."""
    found = []
    for s in np.unique(strata):
        own = without[..., strata == s, :]
        n = own.shape[-2]
        apart = own - own.mean(axis=-2, keepdims=True)
        found.append((n - 1) / n * apart.swapaxes(-1, -2) @ apart)
    return np.stack(found, axis=-3)


def _diagonal(matrices: np.ndarray) -> np.ndarray:
    return np.diagonal(matrices, axis1=-2, axis2=-1)
