"""Epochs of a file by label or tag, and other tables of intervals, as stretches of time."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from neurodrift.gate.findings import Finding
from neurodrift.io.nwb.tables import spans_of

_LABELS = ("label", "epoch_name", "epoch", "name", "task", "state", "session", "tags")


def epoch_spans(
    nwbfile: Any, wanted: str | None, where: str
) -> tuple[np.ndarray | None, list[Finding]]:
    """Stretches of the wanted epochs, and whether the file holds several kinds of them.

    Parameters
    ----------
    nwbfile
        An open :class:`pynwb.NWBFile`.
    wanted
        Label or tag of epochs, with ``*`` and ``?`` as in file names, or name of another table of
        intervals; ``"all"`` or None for the whole file.
    where
        The file, for messages.

    Returns
    -------
    spans : numpy.ndarray or None
        (epoch, 2) start and stop [s]; None for the whole file.
    findings : list of Finding
        One that stops where nothing is wanted and epochs of several labels are in the file.

    Raises
    ------
    ValueError
        If there is no such epoch.
    """
    labels = epoch_labels(nwbfile)
    if wanted == "all":
        return None, []
    if wanted is None:
        kinds = list(dict.fromkeys(label for label in labels if label))
        if len(kinds) < 2 or _overlapping(spans_of(nwbfile.epochs, where)):
            return None, []
        text = (
            f"the file holds epochs of several kinds ({', '.join(kinds[:8])}), which would be "
            "pooled: choose one by the option epoch (--epoch), or 'all'; --sessions-from epochs "
            "makes each a session of its own"
        )
        return None, [Finding("epochs", text, True, True, numbers={"n": len(kinds)})]
    rows = [i for i, label in enumerate(labels) if fnmatchcase(label, wanted)]
    if rows:
        return spans_of(nwbfile.epochs, where)[rows], []
    tables = dict(nwbfile.intervals or {})
    if wanted in tables and len(tables[wanted]):
        return spans_of(tables[wanted], where), []
    there = [*dict.fromkeys(filter(None, labels)), *tables]
    raise ValueError(
        f"{where} has no epoch {wanted!r}; its epochs and tables of intervals are "
        f"{', '.join(there) or 'none'}"
    )


def epoch_labels(nwbfile: Any) -> list[str]:
    """Label of each epoch, from the first column of the table that names them.

    Parameters
    ----------
    nwbfile
        An open :class:`pynwb.NWBFile`.

    Returns
    -------
    list of str
        Empty without epochs; tags are joined by ``+``.
    """
    table = nwbfile.epochs
    if table is None or not len(table):
        return []
    for name in _LABELS:
        if name in table.colnames:
            values = [table[name][i] for i in range(len(table))]
            return [_text(value) for value in values]
    return [""] * len(table)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, str) or np.ndim(value) == 0:  # also numbers, as epochs are counted
        return str(value)
    return "+".join(_text(item) for item in np.atleast_1d(np.asarray(value, dtype=object)).tolist())


def _overlapping(spans: np.ndarray) -> bool:
    """Whether epochs lie within each other, as trials in a task do."""
    order = np.argsort(spans[:, 0])
    return bool((spans[order][1:, 0] < spans[order][:-1, 1] - 1e-6).any())
