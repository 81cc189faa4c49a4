"""Units matched across sessions by UnitMatch (UnitMatchPy).

Reads the folder that ``save_to_output`` writes: ``MatchProb.npy``, (unit, unit) probabilities of
a match, from the two halves of each session, and ``ClusInfo.pickle``, whose ``session_id`` and
``original_ids`` say which cluster of which session a unit is. The pickle is followed without being
run.

References
----------
.. [1] van Beest EH, Bimbard C, Fabre JMJ, et al. Tracking neurons across days with high-density
   probes. Nature Methods 22, 778-787 (2025). https://doi.org/10.1038/s41592-024-02440-1
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Literal

import numpy as np

from neurodrift.convert.pipelines.pairs import registration_from_pairs
from neurodrift.convert.pipelines.registration import Pairs, Registration
from neurodrift.io.arrays.files import read_array
from neurodrift.io.arrays.pickle import read_inert

_PROBABILITIES, _UNITS = "MatchProb.npy", "ClusInfo.pickle"
_MOST_BYTES = 2**28


def read_unitmatch(
    folder: str | os.PathLike[str],
    *,
    min_probability: float = 0.5,
    matching: Literal["conservative", "intermediate", "liberal"] = "intermediate",
) -> Registration:
    """Read the probabilities of all pairs, and match those above a threshold.

    A pair has two probabilities, of either unit's first half with the other's second; the lower
    one is kept, so that both must reach the threshold, as UnitMatch asks. Unlike UnitMatch, units
    of one session are never merged.

    Parameters
    ----------
    folder
        The folder of UnitMatch's output.
    min_probability
        Least probability of a match; UnitMatch's own default when omitted.
    matching
        Which pairs of two groups must match before they are one unit, in UnitMatch's words:
        all (``conservative``), those of the same or neighbouring sessions (``intermediate``) or
        any (``liberal``).

    Returns
    -------
    Registration
        The identities by the clusters' numbers, as phy has them, in the order of the sessions that
        UnitMatch was given; with the probabilities of all pairs.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If the files do not fit each other.
    """
    folder = Path(folder)
    for name in (_PROBABILITIES, _UNITS):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"no {name} in {folder}: is it the output of UnitMatch?")
    session, cluster = _units(folder / _UNITS)
    probability = read_array(folder / _PROBABILITIES)
    n = session.size
    if probability.shape != (n, n) or probability.dtype.kind != "f":
        raise ValueError(
            f"{folder / _PROBABILITIES} has shape {probability.shape} of {probability.dtype}, "
            f"expected ({n}, {n}), as {_UNITS} has {n} units"
        )
    one, other = np.nonzero(session[:, None] < session[None, :])
    lower = np.minimum(probability[one, other], probability[other, one])
    known = np.isfinite(lower)
    units = np.column_stack([session, cluster])
    pairs = Pairs(
        first=units[one[known]],
        second=units[other[known]],
        probability=lower[known].astype(np.float64),
        source=f"{_PROBABILITIES} of {folder.name} (UnitMatch)",
    )
    rows = [cluster[session == i] for i in range(int(session.max()) + 1)]
    return registration_from_pairs(pairs, rows, min_probability=min_probability, matching=matching)


def _units(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Session and cluster of every unit."""
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"{path} has {path.stat().st_size:,} bytes: is it UnitMatch's?")
    try:
        told: Any = read_inert(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    found = []
    for name in ("session_id", "original_ids"):
        values = told.get(name) if isinstance(told, dict) else None
        if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu" or not values.size:
            raise ValueError(f"{path} holds no {name}: expected one number for each unit")
        whole = values.ravel().astype(np.int64)
        if (whole != values.ravel()).any() or (whole < 0).any():
            raise ValueError(f"{path}: {name} holds no whole numbers from 0")
        found.append(whole)
    session, cluster = found
    if session.size != cluster.size:
        raise ValueError(f"{path} has {session.size} session_id and {cluster.size} original_ids")
    if int(session.max()) >= session.size:
        raise ValueError(f"{path} numbers its sessions up to {session.max()}, more than its units")
    units = set(zip(session.tolist(), cluster.tolist(), strict=True))
    if len(units) < session.size:
        raise ValueError(f"{path} has a cluster of a session twice")
    return session, cluster
