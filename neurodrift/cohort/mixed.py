"""One slope for all recordings, each with a level of its own: narrower, where that is so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodrift.analysis.comparison.members import Member
from neurodrift.analysis.series.mixed import fit_random_intercept
from neurodrift.cohort.one_animal import Fit
from neurodrift.cohort.series import Rows


def fit_one_slope(
    members: Sequence[Member], rows: Sequence[Rows], factor: np.ndarray | None
) -> Fit:
    """Fit one answer to all recordings at once, with a random level of each.

    Parameters
    ----------
    members, rows
        The recordings and their observations.
    factor
        (recording) a number, or 0 and 1 of two groups, by which the answer differs; the answer
        itself when omitted.

    Returns
    -------
    Fit
        By :func:`~neurodrift.analysis.series.mixed.fit_random_intercept`, noise of the sessions of
        a recording first-order autoregressive. Where slopes differ between animals the interval is
        too narrow.
    """
    if len(members) < 2:
        return Fit(reason="one recording only")
    used = [own.used for own in rows]
    n = [int(keep.sum()) for keep in used]
    recording = np.repeat(np.arange(len(members)), n)
    design = np.concatenate([own.design[keep] for own, keep in zip(rows, used, strict=True)])
    if factor is not None:
        apart = factor - factor.mean()
        design = np.column_stack([design, design * np.repeat(apart, n)[:, None]])
    y = np.concatenate([own.y[keep] for own, keep in zip(rows, used, strict=True)])
    at = np.concatenate(
        [m.when[own.session[keep]] for m, own, keep in zip(members, rows, used, strict=True)]
    )
    size = np.sqrt((design**2).sum(axis=0))
    if len(y) < design.shape[1] + 2 or (size == 0).any():
        return Fit(reason=f"{len(y)} sessions leave no degree of freedom for a mixed model")
    if np.linalg.matrix_rank(design / size, tol=1e-10) < design.shape[1]:
        return Fit(reason="what is asked cannot be told apart over the recordings")
    if max(n) < 2:
        return Fit(reason="every recording has one session only")
    fit = fit_random_intercept(design, y, recording, at=at)
    return Fit(float(fit.estimate[-1]), float(fit.se[-1]), float(fit.dof[-1]))
