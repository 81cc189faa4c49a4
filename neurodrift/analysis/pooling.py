"""Measures of one animal's cells pooled over environments, visit by visit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

FRACTIONS = {
    "fraction_place_cells": ("n_place_cells", "n_detected"),
    "fraction_active_units": ("n_active", "n_detected"),
    "fraction_place_of_active": ("n_place_cells", "n_active"),
}
"""Fraction -> counts of which it is the ratio of the sums."""

MEANS = {
    "information_naive": "n_place_cells",
    "information_ssr": "n_place_cells",
    "information_bae": "n_place_cells",
}
"""Mean over cells -> count that weights it."""


def pool_sessions(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Pool the cells of an animal's environments by the label of the session.

    Where cells have no identity across days, as in tetrode recordings, drift is that of measures of
    the population. Ratzon et al. [1]_ pooled the cells that a rat had on the k-th day in one
    environment with those of the k-th day in the other; recordings of hc-6 have that day of
    exposure as the label of the session.

    Parameters
    ----------
    tables
        Tables of sessions, one for each recording, such as
        ``session_table(recording, sparsity(recording), ...)`` or the node ``sessions`` of
        :func:`neurodrift.analyze` as a table with ``subject`` and ``session``.

    Returns
    -------
    pandas.DataFrame
        One row for each subject and session label: ``n_environments``, the sums of the counts
        (``n_detected``, ``n_active``, ``n_place_cells``), the fractions of :data:`FRACTIONS` and
        the means of :data:`MEANS`, as far as the tables have what they need. Sorted by subject and
        number of the session.

    Raises
    ------
    ValueError
        If a table lacks a column that it needs, or an environment has a session twice.

    Notes
    -----
    A fraction is the sum of its numerators over the sum of its denominators, so every cell counts
    once. A mean is weighted by the number of place cells behind it.

    References
    ----------
    .. [1] Ratzon A, Derdikman D, Barak O. Representational drift as a result of implicit
       regularization. eLife 12, RP90069 (2024). https://doi.org/10.7554/eLife.90069

    Examples
    --------
    >>> import pandas as pd
    >>> from neurodrift.analysis.pooling import pool_sessions
    >>> row = {"subject": "bon", "session": "4"}
    >>> one = pd.DataFrame([row | {"environment": "A", "n_detected": 40, "n_place_cells": 20}])
    >>> two = pd.DataFrame([row | {"environment": "B", "n_detected": 40, "n_place_cells": 30}])
    >>> pool_sessions([one, two])["fraction_place_cells"].tolist()
    [0.625]
    """
    needed = {"subject", "environment", "session", "n_detected"}
    for i, table in enumerate(tables):
        missing = sorted(needed - set(table))
        if missing:
            raise ValueError(f"table {i} has no column {', '.join(missing)}")
    if not tables:
        raise ValueError("no table given")
    every = pd.concat(tables, ignore_index=True)
    every["session"] = every["session"].astype(str)
    keys = ["subject", "environment", "session"]
    twice = every[every.duplicated(keys)]
    if len(twice):
        raise ValueError(
            f"session {twice['session'].iloc[0]!r} of {twice['subject'].iloc[0]} in "
            f"{twice['environment'].iloc[0]} occurs twice: give each recording once"
        )
    groups = every.groupby(["subject", "session"], sort=False)
    rows = []
    for (subject, session), part in groups:
        row: dict[str, object] = {"subject": subject, "session": session}
        row["n_environments"] = len(part)
        counts = {name: _total(part, name) for name in ("n_detected", "n_active", "n_place_cells")}
        row |= {name: value for name, value in counts.items() if value is not None}
        for name, (top, bottom) in FRACTIONS.items():
            over, under = counts[top], counts[bottom]
            if over is not None and under is not None:
                row[name] = over / under if under else np.nan
        for name, weight in MEANS.items():
            if name in part and weight in part:
                row[name] = _weighted(part[name], part[weight])
        rows.append(row)
    pooled = pd.DataFrame(rows)
    order = pd.to_numeric(pooled["session"], errors="coerce")
    pooled = pooled.assign(_order=order).sort_values(["subject", "_order", "session"])
    return pooled.drop(columns="_order").reset_index(drop=True)


def _total(part: pd.DataFrame, name: str) -> int | None:
    return int(part[name].sum()) if name in part and part[name].notna().all() else None


def _weighted(values: pd.Series, weights: pd.Series) -> float:
    """Mean of what is there; NaN if nothing is."""
    known = values.notna() & (weights > 0)
    total = weights[known].sum()
    return float((values[known] * weights[known]).sum() / total) if total else float("nan")
