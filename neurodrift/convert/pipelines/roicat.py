"""ROIs tracked across sessions by ROICaT.

Reads ``*.tracking.results_clusters.json``: ``labels_bySession``, the cluster of every ROI of every
session, -1 for none, with their quality; and, where it lies beside that file, the similarity of
every pair of ROIs (``sConj``) from ``*.tracking.run_data.richfile``, a folder or a ``.zip``.

References
----------
.. [1] Nguyen JL, Vassiliades N, Gonzalo Cogno S, et al. ROICaT.
   https://github.com/RichieHakim/ROICaT
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np

from neurodrift.convert.pipelines.pairs import mean_probability, registration_from_pairs
from neurodrift.convert.pipelines.registration import Pairs, Registration
from neurodrift.io.arrays.sparse import read_sparse

_RESULTS, _RUN = ".tracking.results_clusters.json", ".tracking.run_data.richfile"
_SIMILARITY = "clusterer.dict_item/value.dict/sConj.dict_item/value.npz"
_MOST_BYTES = 2**30


def read_roicat(
    path: str | os.PathLike[str],
    *,
    min_similarity: float | None = None,
    matching: Literal["conservative", "intermediate", "liberal"] = "intermediate",
    min_silhouette: float | None = None,
) -> Registration:
    """Read the clusters of ROIs, and the similarities of their pairs.

    Parameters
    ----------
    path
        The file ``*.tracking.results_clusters.json``, or the folder that holds one.
    min_similarity
        Least similarity of a match. The clusters are then made anew from all pairs, which needs
        ``*.tracking.run_data.richfile``; ROICaT's own clusters when omitted.
    matching
        With `min_similarity`, which pairs of two clusters must match before they are one unit: all
        (``conservative``), those of neighbouring sessions (``intermediate``) or any (``liberal``).
    min_silhouette
        ROIs whose ``sample_silhouette`` is lower count as not tracked, as ROICaT advises against
        errors; all of them stay when omitted.

    Returns
    -------
    Registration
        The identities, in the order of the sessions that ROICaT was given; ROIs without a cluster
        are none. The score is the mean similarity of an ROI to the others of its cluster, of the
        whole cluster where the similarities of pairs are not there.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is none of ROICaT's, or an option asks for what is not there.
    """
    path = _results(Path(path))
    told = _json(path)
    if min_silhouette is not None and min_similarity is not None:
        raise ValueError(
            "min_silhouette is of ROICaT's own clusters, which min_similarity makes anew: give one"
        )
    labels = _labels(told, path)
    quality = told.get("quality_metrics")
    quality = quality if isinstance(quality, dict) else {}
    if min_silhouette is not None:
        silhouette = _numbers(quality, "sample_silhouette", sum(map(len, labels)), path)
        ends = np.cumsum([len(item) for item in labels])[:-1]
        for item, one in zip(labels, np.split(silhouette, ends), strict=True):
            item[~(one >= min_silhouette)] = -1
    n_units = np.array([len(item) for item in labels])
    pairs = _pairs(path, n_units)
    if min_similarity is not None:
        if pairs is None:
            run = path.name.removesuffix(_RESULTS) + _RUN
            raise FileNotFoundError(
                f"min_similarity needs the similarities of pairs, and there is no {run} or "
                f"{run}.zip beside {path}"
            )
        found = registration_from_pairs(
            pairs,
            [np.arange(n) for n in n_units],
            min_probability=min_similarity,
            matching=matching,
        )
        table, score = found.table, found.score
    else:
        table = _table(labels, path)
        score = _cluster_scores(quality, path) if pairs is None else mean_probability(table, pairs)
        if pairs is None and score is not None and len(score) != len(table):
            score = None
    return Registration(table=table, source=path.name, score=score, pairs=pairs, n_units=n_units)


def _results(path: Path) -> Path:
    if not path.is_dir():
        if not path.is_file():
            raise FileNotFoundError(f"no file {path}")
        return path
    found = sorted(path.glob(f"*{_RESULTS}"))
    if len(found) != 1:
        raise FileNotFoundError(
            f"{path} holds {len(found)} files *{_RESULTS}, expected one: name the file"
        )
    return found[0]


def _json(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"{path} has {path.stat().st_size:,} bytes, more than {_MOST_BYTES:,}")
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON: {error}") from error
    if not isinstance(told, dict) or "labels_bySession" not in told:
        raise ValueError(f"{path} holds no labels_bySession: is it ROICaT's results_clusters.json?")
    return told


def _labels(told: dict[str, Any], path: Path) -> list[np.ndarray]:
    """The cluster of every ROI, by session; -1 for none."""
    found = []
    for i, item in enumerate(told["labels_bySession"]):
        if not isinstance(item, list) or not all(type(label) is int for label in item):
            raise ValueError(f"{path}: labels_bySession holds more than lists of whole numbers")
        labels = np.array(item, dtype=np.int64)
        used, times = np.unique(labels[labels >= 0], return_counts=True)
        if (times > 1).any():
            twice = used[times > 1][:5].tolist()
            raise ValueError(f"{path}: cluster {twice} has several ROIs of session {i + 1}")
        found.append(labels)
    if not found:
        raise ValueError(f"{path} holds no sessions")
    return found


def _table(labels: list[np.ndarray], path: Path) -> np.ndarray:
    """(cluster, session) row of the ROI, -1 for none."""
    n_clusters = max((int(item.max(initial=-1)) for item in labels), default=-1) + 1
    if n_clusters > sum(map(len, labels)):
        raise ValueError(f"{path} numbers its clusters up to {n_clusters - 1}, more than its ROIs")
    table = np.full((n_clusters, len(labels)), -1, dtype=np.int64)
    for session, item in enumerate(labels):
        rows = np.flatnonzero(item >= 0)
        table[item[rows], session] = rows
    return table


def _cluster_scores(quality: dict[str, Any], path: Path) -> np.ndarray | None:
    """Mean similarity within each cluster, in the order of their numbers."""
    if not isinstance(quality.get("cluster_labels_unique"), list):
        return None
    labels = _numbers(quality, "cluster_labels_unique", None, path).astype(np.int64)
    means = _numbers(quality, "cluster_intra_means", labels.size, path)
    tracked = labels >= 0
    if labels[tracked].tolist() != list(range(int(tracked.sum()))):
        return None
    return np.clip(means[tracked], 0, 1)


def _numbers(quality: dict[str, Any], name: str, n: int | None, path: Path) -> np.ndarray:
    values = quality.get(name)
    if not isinstance(values, list) or (n is not None and len(values) != n):
        raise ValueError(f"{path} has no {name} for each of {n}" if n else f"{path} has no {name}")
    return np.array([np.nan if item is None else item for item in values], dtype=np.float64)


def _pairs(path: Path, n_units: np.ndarray) -> Pairs | None:
    """Similarities of all pairs of ROIs of different sessions; None where they are not there."""
    if not path.name.endswith(_RESULTS):
        return None
    folder = path.with_name(path.name.removesuffix(_RESULTS) + _RUN)
    archive = folder.with_name(f"{folder.name}.zip")
    if folder.is_dir():
        file = folder / _SIMILARITY
        return _read_pairs(file, f"sConj of {folder}", n_units) if file.is_file() else None
    if not archive.is_file():
        return None
    try:
        with zipfile.ZipFile(archive) as opened:
            if _SIMILARITY not in opened.namelist():
                return None
            size = opened.getinfo(_SIMILARITY).file_size
            if size > _MOST_BYTES:
                raise ValueError(f"sConj of {archive} declares {size / 2**30:,.1f} GiB, too much")
            content = BytesIO(opened.read(_SIMILARITY))
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, zlib.error) as error:
        raise ValueError(f"{archive} is damaged: {error}") from error
    return _read_pairs(content, f"sConj of {archive}", n_units)


def _read_pairs(file: Path | IO[bytes], where: str, n_units: np.ndarray) -> Pairs:
    row, column, value, shape = read_sparse(file, where)
    n = int(n_units.sum())
    if shape != (n, n):
        raise ValueError(f"{where} is of {shape[0]} ROIs, but the clusters are of {n}")
    session = np.repeat(np.arange(n_units.size), n_units)
    unit = np.column_stack(
        [session, np.arange(n) - np.repeat(np.cumsum(n_units) - n_units, n_units)]
    )
    one, other = np.minimum(row, column), np.maximum(row, column)  # sessions lie end to end
    across = session[one] < session[other]
    number, first = np.unique(one[across] * n + other[across], return_inverse=True)
    lower = np.full(number.size, np.inf)
    np.minimum.at(
        lower, first, np.nan_to_num(value[across].astype(np.float64))
    )  # of both directions
    return Pairs(
        first=unit[number // n],
        second=unit[number % n],
        probability=np.clip(lower, 0, 1),
        source=where,
    )
