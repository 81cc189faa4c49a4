"""Position tracked by DeepLabCut.

Reads its ``.csv`` (three header rows, four with several animals) and ``.h5``. The latter is a table
of pandas whose column names lie in a pickle, which is followed without being run.

References
----------
.. [1] Mathis A, Mamidanna P, Cury KM, et al. DeepLabCut: markerless pose estimation of user-defined
   body parts with deep learning. Nature Neuroscience 21, 1281-1289 (2018).
   https://doi.org/10.1038/s41593-018-0209-y
"""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.convert.pipelines.sleap import choose
from neurodrift.gate.inputs import Position, clock
from neurodrift.io.arrays.files import MAX_BYTES
from neurodrift.io.arrays.hdf5 import opened, read_dataset
from neurodrift.io.arrays.pickle import read_inert

_COORDS = ("x", "y", "likelihood")


def read_deeplabcut(
    path: str | os.PathLike[str],
    *,
    cm_per_pixel: float,
    time: np.ndarray | None = None,
    rate: float | None = None,
    bodypart: str | None = None,
    individual: str | None = None,
    min_likelihood: float = 0.9,
) -> Position:
    """Read the track of one body part of one animal.

    Parameters
    ----------
    path
        The ``.csv`` or ``.h5`` file.
    cm_per_pixel
        Size of a pixel [cm].
    time
        (time) timestamps of the frames [s].
    rate
        Frames per second [Hz], where there are no timestamps.
    bodypart
        Name of the body part; needed where there are several.
    individual
        Name of the animal; needed where there are several.
    min_likelihood
        Points with a lower likelihood count as not tracked.

    Returns
    -------
    Position
        The position, NaN where it was not tracked.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no such file, or a name is missing or unknown.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    columns, values = _read_csv(path) if path.suffix == ".csv" else _read_h5(path)
    animals = list(dict.fromkeys(column[0] for column in columns))
    animal = animals[choose(individual, animals, "individual", path)]
    parts = list(dict.fromkeys(column[1] for column in columns if column[0] == animal))
    part = parts[choose(bodypart, parts, "bodypart", path)]
    missing = [c for c in _COORDS if (animal, part, c) not in columns]
    if missing:
        raise ValueError(f"{path}: {part} has no {', '.join(missing)}")
    x, y, likelihood = (values[:, columns.index((animal, part, c))] for c in _COORDS)
    xy = np.column_stack([x, y]).astype(np.float64)
    xy[~(likelihood >= min_likelihood)] = np.nan
    source = f"{part} of {path.name} (DeepLabCut)"
    times = clock(len(xy), source, time=time, rate=rate)
    return Position(time=times, xy=xy * cm_per_pixel, source=source)


def _read_csv(path: Path) -> tuple[list[tuple[str, str, str]], np.ndarray]:
    """Columns as (individual, bodypart, coordinate), and the values."""
    header: dict[str, list[str]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        for row in rows:
            if not row or row[0] not in ("scorer", "individuals", "bodyparts", "coords"):
                break
            header[row[0]] = row[1:]
    if not {"bodyparts", "coords"} <= set(header):
        raise ValueError(f"{path} is no table of DeepLabCut: it lacks rows bodyparts and coords")
    n_columns = len(header["coords"])
    try:
        values = np.loadtxt(
            path,
            delimiter=",",
            skiprows=len(header),
            converters=lambda text: float(text) if text.strip() else np.nan,
            ndmin=2,
        )
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if values.shape[1] != n_columns + 1:
        raise ValueError(
            f"{path} has {values.shape[1]} columns, but its header names {n_columns + 1}"
        )
    animals = header.get("individuals", ["animal"] * n_columns)
    names = zip(animals, header["bodyparts"], header["coords"], strict=True)
    return list(names), values[:, 1:]


def _read_h5(path: Path) -> tuple[list[tuple[str, str, str]], np.ndarray]:
    import h5py

    with opened(path) as file:
        groups = [item for item in file.values() if isinstance(item, h5py.Group)]
        fixed = next((g for g in groups if "axis0_level0" in g and "block0_values" in g), None)
        if fixed is not None:
            return _read_fixed(fixed, path)
        group = next((g for g in groups if "table" in g and "non_index_axes" in g.attrs), None)
        if group is None:
            raise ValueError(
                f"{path} is no table of DeepLabCut: expected a group with table and non_index_axes"
            )
        table = group["table"]
        fields = [name for name in table.dtype.names or () if name.startswith("values_block_")]
        if table.nbytes > MAX_BYTES or not fields:
            raise ValueError(f"{path}: table has {table.shape} rows of {table.dtype}")
        rows = table[()]
        names = _names(group.attrs["non_index_axes"], path)
        if len(fields) == 1:
            return names, np.atleast_2d(rows[fields[0]])
        kinds = [_names_of_block(table.attrs[f"{field}_kind"], path) for field in fields]
    order = [names.index(name) for block in kinds for name in block]
    values = np.column_stack([rows[field] for field in fields])
    return names, values[:, np.argsort(order)]


def _read_fixed(group: Any, path: Path) -> tuple[list[tuple[str, str, str]], np.ndarray]:
    """A table in pandas' format "fixed", whose names are plain."""
    part = "block0_items"
    n_levels = sum(key.startswith(f"{part}_level") for key in group)
    levels = []
    for i in range(n_levels):
        names = read_dataset(group[f"{part}_level{i}"], f"{path}: names")
        levels.append(names[read_dataset(group[f"{part}_label{i}"], f"{path}: names")])
    values = read_dataset(group["block0_values"], f"{path}: values")
    if "block1_values" in group or values.shape[1] != len(levels[0]):
        raise ValueError(f"{path}: the table is not of numbers only")
    return [_named(column) for column in zip(*levels, strict=True)], values


def _names(attribute: Any, path: Path) -> list[tuple[str, str, str]]:
    """Columns out of pandas' ``non_index_axes``: [(1, [(scorer, ..., bodypart, coord), ...])]."""
    try:
        ((_, columns),) = read_inert(bytes(attribute))
        return [_named(column) for column in columns]
    except (ValueError, TypeError, IndexError) as error:
        raise ValueError(f"{path} has no readable column names: {error}") from error


def _names_of_block(attribute: Any, path: Path) -> list[tuple[str, str, str]]:
    try:
        return [_named(column) for column in read_inert(bytes(attribute))]
    except (ValueError, TypeError, IndexError) as error:
        raise ValueError(f"{path} has no readable column names: {error}") from error


def _named(column: Any) -> tuple[str, str, str]:
    texts = [str(item) for item in column]
    return (texts[1] if len(texts) == 4 else "animal", texts[-2], texts[-1])
