"""Results of an analysis with known numbers, without the recording."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr


def results_of(
    sessions: Mapping[str, np.ndarray],
    *,
    similarity: np.ndarray | None = None,
    relative: np.ndarray | None = None,
    subject: str = "synthetic",
    environment: str = "track",
    kind: str = "events",
) -> xr.DataTree:
    """A tree as :func:`neurodrift.analyze` makes it, from given numbers.

    Parameters
    ----------
    sessions
        (session) values of axes (``day``, ``experience``, ``training_step``) and measures.
    similarity
        (session, session) rate-map correlation; ones when omitted.
    relative
        (session, session) the same relative to the noise ceiling; no such node when omitted.
    subject, environment
        Whose and where.
    kind
        Kind of the activity, as in :data:`neurodrift.schema.ACTIVITY_KINDS`.

    Returns
    -------
    xarray.DataTree
        Nodes ``sessions``, ``sparsity``, ``drift`` and with `relative` ``session_drift``, in so
        far as :func:`neurodrift.compare` reads them.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift import testing
    >>> tree = testing.results_of({"day": np.arange(3.0), "active_fraction": np.ones(3)})
    >>> dict(tree["sessions"].sizes)
    {'session': 3}
    """
    n_sessions = len(next(iter(sessions.values())))
    labels = np.array([str(i + 1) for i in range(n_sessions)], dtype=object)
    table = {name: ("session", np.asarray(values)) for name, values in sessions.items()}
    lag = np.arange(n_sessions)[None, :] - np.arange(n_sessions)[:, None]
    pair = ("session_a", "session_b")

    def pairs(name: str, values: np.ndarray) -> xr.Dataset:
        coords = {"lag": (pair, lag), **{dim: (dim, labels) for dim in pair}}
        return xr.Dataset({name: (pair, np.asarray(values, dtype=float))}, coords=coords)

    similarity = np.ones((n_sessions, n_sessions)) if similarity is None else similarity
    off = np.where(np.eye(n_sessions, dtype=bool), np.nan, similarity)
    nodes = {
        "sessions": xr.Dataset(table, coords={"session": labels}),
        "sparsity": xr.Dataset(attrs={"activity_kind": kind}),
        "drift": pairs("rate_map_correlation", off),
    }
    if relative is not None:
        nodes["session_drift"] = pairs("rate_map_correlation_relative", relative)
    root = xr.Dataset(coords={"subject": subject, "environment": environment})
    return xr.DataTree.from_dict({"/": root, **nodes})
