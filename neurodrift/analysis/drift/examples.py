"""A few cells that stand for the others in a figure: steady, typical and changed ones."""

from __future__ import annotations

import numpy as np
import xarray as xr

ROLES = ("steady", "typical", "changed")
"""Cells whose maps are most alike over sessions, those in the middle, and those least alike."""


def choose_examples(
    cells: xr.Dataset | None, drift: xr.Dataset, sparsity: xr.Dataset, *, each: int = 2
) -> dict[str, list[object]]:
    """Choose example cells by a rule, so that nobody picks the best ones.

    Parameters
    ----------
    cells
        Result of :func:`neurodrift.detect_place_cells`, or None.
    drift
        Result of :func:`neurodrift.compute_drift` of the same sessions.
    sparsity
        Result of :func:`neurodrift.compute_sparsity` of the same sessions.
    each
        Cells of each role.

    Returns
    -------
    dict
        Labels of units by role, see :data:`ROLES`; no unit twice.

    Notes
    -----
    Candidates are units that were detected in two thirds of the sessions or more and are place
    cells in at least half of these; where these are too few, the units that are place cells in most
    sessions, and of these the most active. They are ranked by the mean correlation of their maps
    over all pairs of sessions: the first are ``steady``, the last ``changed``, those around the
    median ``typical``. Equal ranks are settled by the label, so that the order of units does not
    matter. A pair of sessions in which a unit was detected but silent in one counts as 0.

    Examples
    --------
    >>> from neurodrift import analyze, testing
    >>> from neurodrift.analysis.drift.examples import choose_examples
    >>> recording = testing.linear_track(n_units=12, n_sessions=3, minutes=4)
    >>> tree = analyze(recording, measures=["place_cells", "drift"])
    >>> chosen = choose_examples(tree["place_cells"], tree["drift"], tree["sparsity"], each=1)
    >>> list(chosen), len(set(sum(chosen.values(), [])))
    (['steady', 'typical', 'changed'], 3)
    """
    labels = sparsity["unit"].values
    detected = sparsity["detected"].transpose("unit", "session").values.astype(bool)
    events = np.nan_to_num(sparsity["n_events"].transpose("unit", "session").values).sum(axis=1)
    place = np.zeros_like(detected)
    if cells is not None:
        place = cells["is_place_cell"].sel(unit=labels).transpose("unit", "session").values
    times, there = place.sum(axis=1), detected.sum(axis=1)
    names = np.array([str(label) for label in labels], dtype=object)
    alike = _alike(drift, labels, detected)
    n = len(ROLES) * each
    good = (there >= 2 / 3 * detected.shape[1]) & (times >= there / 2) & (times > 0)
    candidates = np.flatnonzero(good & np.isfinite(alike))
    if candidates.size < n:
        best = sorted(range(labels.size), key=lambda i: (-times[i], -events[i], names[i]))
        candidates = np.array(best[:n], dtype=int)
    ranked = sorted(
        candidates.tolist(),
        key=lambda i: (-alike[i] if np.isfinite(alike[i]) else np.inf, -events[i], names[i]),
    )
    middle = max((len(ranked) - each) // 2, 0)
    wanted = {
        "steady": ranked[:each],
        "changed": ranked[::-1][:each],
        "typical": ranked[middle : middle + each],
    }
    taken: set[int] = set()
    found: dict[str, list[object]] = {}
    for role in ("steady", "changed", "typical"):
        found[role] = [labels[i] for i in wanted[role] if i not in taken]
        taken |= set(wanted[role])
    return {role: found[role] for role in ROLES}


def _alike(drift: xr.Dataset, labels: np.ndarray, detected: np.ndarray) -> np.ndarray:
    """Mean correlation of a unit's maps over pairs of sessions; NaN where it is not known."""
    name = "unit_rate_map_correlation"
    if name not in drift or drift.sizes["session_a"] < 2:
        return np.full(labels.size, np.nan)
    pairs = xr.Dataset({name: drift[name]})[name].reindex(unit=labels)
    order = ("session_a", "session_b", "unit", "direction")
    values = pairs.transpose(*order).values.astype(float)
    first, second = np.triu_indices(values.shape[0], k=1)
    values = np.moveaxis(values[first, second], 1, 0)  # (unit, pair, direction)
    some = np.isfinite(values)
    n = some.sum(axis=2)
    means = np.where(some, values, 0.0).sum(axis=2) / np.maximum(n, 1)
    both = detected[:, first] & detected[:, second]
    total, n_pairs = np.where(both, means, 0.0).sum(axis=1), both.sum(axis=1)
    known = (n > 0).any(axis=1) & (n_pairs > 0)
    return np.where(known, total / np.maximum(n_pairs, 1), np.nan)
