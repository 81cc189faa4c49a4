"""What is measured over the training of a similarity-matching network; plain arrays only."""

from __future__ import annotations

import numpy as np

MEASURES = {
    "loss": "mean squared difference of the similarities of inputs, less alpha, and of responses",
    "active_fraction": "share of active pairs of input and unit",
    "fraction_active_units": "share of units active for any input",
    "fraction_units_above_threshold": "share of units whose peak is above peak_threshold",
    "pv_correlation": "correlation over units with the first measured step, mean over inputs",
    "rsm_change": "change of the similarities of responses since the first measured step, relative",
    "subspace_error": "distance of the subspace from the first components of the inputs, relative",
}
"""Of rectified units all but the last, of linear ones no share of active units."""


def measures_of(
    inputs: np.ndarray,
    activity: np.ndarray,
    first: np.ndarray,
    *,
    alpha: float,
    threshold: float,
    filters: np.ndarray | None,
) -> dict[str, float]:
    """Every measure of one step.

    Parameters
    ----------
    inputs
        (sample, feature) inputs.
    activity, first
        (sample, unit) responses now and at the first measured step.
    alpha
        What the similarities of the inputs are lessened by.
    threshold
        Of the peak of an active unit.
    filters
        (unit, feature) response of linear units to each feature; None: rectified units.

    Returns
    -------
    dict
        Values by name.
    """
    found = {
        "loss": similarity_loss(inputs, activity, alpha),
        "pv_correlation": pv_correlation(activity, first),
        "rsm_change": rsm_change(activity, first),
    }
    if filters is not None:
        return found | {"subspace_error": subspace_error(inputs, filters)}
    peak = activity.max(axis=0)
    return found | {
        "active_fraction": float((activity > 0).mean()),
        "fraction_active_units": float((peak > 0).mean()),
        "fraction_units_above_threshold": float((peak > threshold).mean()),
    }


def similarity_loss(inputs: np.ndarray, activity: np.ndarray, alpha: float) -> float:
    """Mean over all pairs of samples of (x·x' - alpha - y·y')², without the matrix of pairs."""
    # the factors of x·x' - alpha - y·y' with their signs, so that only small squares are made
    constant = np.full((inputs.shape[0], 1), np.sqrt(alpha))
    columns = np.concatenate([inputs, constant, activity], axis=1)
    signs = np.r_[np.ones(inputs.shape[1]), -np.ones(1 + activity.shape[1])]
    gram = columns.T @ columns
    total = ((signs[:, None] * signs) * gram**2).sum()
    return float(max(total, 0.0) / inputs.shape[0] ** 2)


def rsm_change(activity: np.ndarray, first: np.ndarray) -> float:
    """Norm of the change of the similarities (sample, sample), over their first norm."""
    now, before = (np.sum((one.T @ one) ** 2) for one in (activity, first))
    both = np.sum((activity.T @ first) ** 2)
    if before == 0:
        return float("nan")
    return float(np.sqrt(max(now - 2 * both + before, 0.0) / before))


def pv_correlation(activity: np.ndarray, first: np.ndarray) -> float:
    """Pearson's correlation over units of each sample's response, mean over samples."""
    one, other = (a - a.mean(axis=1, keepdims=True) for a in (activity, first))
    size = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    known = size > 0
    if not known.any():
        return float("nan")
    return float(((one * other).sum(axis=1)[known] / size[known]).mean())


def subspace_error(inputs: np.ndarray, filters: np.ndarray) -> float:
    """Norm of F'F - VV' over that of VV', with V the inputs' first components."""
    n = min(filters.shape[0], inputs.shape[1])
    _, vectors = np.linalg.eigh(inputs.T @ inputs)
    wanted = vectors[:, -n:] @ vectors[:, -n:].T
    return float(np.linalg.norm(filters.T @ filters - wanted) / np.sqrt(n))
