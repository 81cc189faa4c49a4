"""Spikes sorted by Kilosort and curated in phy.

Reads ``spike_times.npy`` (in samples, from 0), ``spike_clusters.npy``, ``cluster_group.tsv`` or
``cluster_info.tsv``, and the sampling rate from ``params.py``, which is parsed and never run.

References
----------
.. [1] https://phy.readthedocs.io/en/latest/sorting_user_guide/
"""

from __future__ import annotations

import ast
import csv
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neurodrift.gate.inputs import Activity
from neurodrift.io.arrays.files import read_array

_TABLES = ("cluster_info.tsv", "cluster_group.tsv", "cluster_KSLabel.tsv", "cluster_groups.csv")
_LABELS = ("group", "KSLabel")


def read_phy(
    folder: str | os.PathLike[str],
    *,
    rate: float | None = None,
    groups: Sequence[str] = ("good",),
) -> Activity:
    """Read the clusters of one sorting.

    Parameters
    ----------
    folder
        The folder that phy opens.
    rate
        Samples per second [Hz]; ``sample_rate`` of ``params.py`` when omitted.
    groups
        Labels of the clusters to take; a cluster that nobody labelled has Kilosort's own label.

    Returns
    -------
    Activity
        Their spike times [s]; `rows` and the column ``cluster`` are the clusters' numbers.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If the files do not fit each other, or no cluster has such a label.
    """
    folder = Path(folder)
    samples = read_array(folder / "spike_times.npy").ravel()
    name = "spike_clusters.npy"
    name = name if (folder / name).is_file() else "spike_templates.npy"
    clusters = read_array(folder / name).ravel()
    if samples.dtype.kind not in "iu":
        raise ValueError(
            f"{folder}: spike_times.npy holds {samples.dtype}, expected sample numbers"
        )
    if clusters.shape != samples.shape or clusters.dtype.kind not in "iu":
        raise ValueError(
            f"{folder}: {name} has {clusters.size} entries of {clusters.dtype}, but there are "
            f"{samples.size} spikes"
        )
    labels = _labels(folder)
    wanted = [text] if isinstance(text := groups, str) else list(groups)
    found = np.unique(clusters)
    chosen = np.array([c for c in found.tolist() if labels.get(c) in wanted], dtype=np.int64)
    if not chosen.size:
        known = sorted({labels.get(c, "unlabelled") for c in found.tolist()})
        raise ValueError(
            f"{folder}: no cluster is labelled {' or '.join(wanted)}; the labels are "
            f"{', '.join(known)}"
        )
    rate = _sample_rate(folder) if rate is None else rate
    order = np.argsort(clusters, kind="stable")
    first = np.searchsorted(clusters[order], chosen)
    last = np.searchsorted(clusters[order], chosen, side="right")
    seconds = samples[order].astype(np.float64) / rate
    return Activity(
        kind="spikes",
        source=f"{folder.name} (phy), {chosen.size} of {found.size} clusters",
        times=[seconds[a:b] for a, b in zip(first, last, strict=True)],
        rows=chosen,
        n_source=int(found[-1]) + 1,
        columns={
            "cluster": ("number of the cluster", chosen),
            "label": ("what it was labelled", [labels[c] for c in chosen.tolist()]),
        },
    )


def _labels(folder: Path) -> dict[int, str]:
    """Label of every cluster: what its user gave, else Kilosort's."""
    labels: dict[int, str] = {}
    for table in reversed(_TABLES):
        path = folder / table
        if not path.is_file():
            continue
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file, delimiter="\t")
            key = "id" if "id" in (rows.fieldnames or []) else "cluster_id"
            for row in rows:
                found = [row[name] for name in _LABELS if row.get(name)]
                if found and (row.get(key) or "").isdecimal():
                    labels[int(row[key])] = found[0]
    if not labels:
        raise ValueError(f"{folder} has no labels of clusters: expected {', '.join(_TABLES[:3])}")
    return labels


def _sample_rate(folder: Path) -> float:
    path = folder / "params.py"
    if not path.is_file():
        raise ValueError(f"{folder} has no params.py: give the sampling rate (rate)")
    try:
        statements = ast.parse(path.read_text(encoding="utf-8")).body
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{path} cannot be parsed: {error}") from error
    for item in statements:
        names = [n.id for n in getattr(item, "targets", []) if isinstance(n, ast.Name)]
        value = getattr(item, "value", None)
        if "sample_rate" in names and isinstance(value, ast.Constant):
            return float(value.value)  # type: ignore[arg-type]
    raise ValueError(f"{path} has no plain sample_rate: give the sampling rate (rate)")
