"""Position tracked by DeepLabCut.

Reads its ``.csv`` (three header rows, four with several animals) and ``.h5``. The latter is a table
of pandas whose column names lie in a pickle, which is followed without being run. The first column
is the number of the frame: it decides where a row belongs, also where rows are cut off or missing.

References
----------
.. [1] Mathis A, Mamidanna P, Cury KM, et al. DeepLabCut: markerless pose estimation of user-defined
   body parts with deep learning. Nature Neuroscience 21, 1281-1289 (2018).
   https://doi.org/10.1038/s41593-018-0209-y
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.convert.pipelines.frames import filled_frames, position_on_frames
from neurodrift.convert.pipelines.sleap import choose
from neurodrift.gate.inputs import Position
from neurodrift.io.arrays.files import MAX_BYTES
from neurodrift.io.arrays.hdf5 import opened, read_dataset
from neurodrift.io.arrays.pickle import read_inert

_Table = tuple[list[tuple[str, str, str]], np.ndarray, np.ndarray]
_PICTURES = (
    "holds labels of single pictures, no track: analyze the video, and give the table that "
    "DeepLabCut's analyze_videos wrote"
)


def read_deeplabcut(
    path: str | os.PathLike[str],
    *,
    cm_per_pixel: float,
    time: np.ndarray | None = None,
    rate: float | None = None,
    bodypart: str | None = None,
    individual: str | None = None,
    min_likelihood: float | None = None,
    axes: Sequence[str] = (),
) -> Position:
    """Read the track of one body part of one animal.

    Parameters
    ----------
    path
        The ``.csv`` or ``.h5`` file.
    cm_per_pixel
        Size of a pixel [cm].
    time
        (time) timestamps of all frames of the video [s].
    rate
        Frames per second [Hz], where there are no timestamps.
    bodypart
        Name of the body part; needed where there are several.
    individual
        Name of the animal; needed where there are several.
    min_likelihood
        Points with a lower likelihood count as not tracked; 0.9 when omitted. A table without
        likelihoods, such as that of a triangulation, is taken as it is.
    axes
        The two axes of the floor, such as ``[x, y]``; needed where there are three.

    Returns
    -------
    Position
        The position, NaN where it was not tracked and in frames that the table lacks.

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
    is_csv = path.suffix.lower() == ".csv"
    columns, values, index = _read_csv(path) if is_csv else _read_h5(path)
    animals = list(dict.fromkeys(column[0] for column in columns))
    animal = animals[choose(individual, animals, "individual", path)]
    parts = list(dict.fromkeys(column[1] for column in columns if column[0] == animal))
    part = parts[choose(bodypart, parts, "bodypart", path)]
    coords = {c: i for i, (a, p, c) in enumerate(columns) if (a, p) == (animal, part)}
    first, second = _floor(coords, axes, f"{path}: {part}")
    xy = values[:, [coords[first], coords[second]]].astype(np.float64)
    if "likelihood" in coords:
        least = 0.9 if min_likelihood is None else min_likelihood
        xy[~(values[:, coords["likelihood"]] >= least)] = np.nan
    elif min_likelihood is not None:
        raise ValueError(f"{path}: {part} has no likelihood, so min_likelihood means nothing")
    xy[~np.isfinite(xy).all(axis=1)] = np.nan
    source = f"{part} of {path.name} (DeepLabCut)"
    frames = filled_frames(index, source)
    return position_on_frames(xy * cm_per_pixel, frames, source, time=time, rate=rate)


def _floor(coords: Iterable[str], axes: Sequence[str], where: str) -> tuple[str, str]:
    """The two coordinates that are the position."""
    there = [c for c in coords if c in ("x", "y", "z")]
    if not axes:
        if "z" in there:
            raise ValueError(
                f"{where} is three-dimensional ({', '.join(there)}): say which two axes are the "
                "floor (options: {axes: [x, y]}); cm_per_pixel is then cm for one of its units"
            )
        axes = ("x", "y")
    missing = [c for c in axes if c not in there]
    if missing or len(axes) != 2 or axes[0] == axes[1]:
        named = ", ".join(missing) or f"two axes in {list(axes)}"
        raise ValueError(f"{where} has no {named}; its coordinates are {', '.join(there)}")
    return axes[0], axes[1]


def _read_csv(path: Path) -> _Table:
    """Columns as (individual, bodypart, coordinate), the values, and the frame numbers."""
    header: dict[str, list[str]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        for row in rows:
            if not row or row[0] not in ("scorer", "individuals", "bodyparts", "coords"):
                break
            header[row[0]] = row[1:]
        else:
            row = []
    if not {"bodyparts", "coords"} <= set(header):
        raise ValueError(f"{path} is no table of DeepLabCut: it lacks rows bodyparts and coords")
    if row and not row[0].strip().replace(".", "", 1).isdecimal() and row[0].strip():
        raise ValueError(f"{path} {_PICTURES} ({row[0]})")
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
    return list(names), values[:, 1:], values[:, 0]


def _read_h5(path: Path) -> _Table:
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
        if rows["index"].dtype.kind not in "iuf":
            raise ValueError(f"{path} {_PICTURES}")
        index = rows["index"].astype(np.float64)
        names = _names(group.attrs["non_index_axes"], path)
        if len(fields) == 1:
            return names, np.atleast_2d(rows[fields[0]]), index
        kinds = [_names_of_block(table.attrs[f"{field}_kind"], path) for field in fields]
    order = [names.index(name) for block in kinds for name in block]
    values = np.column_stack([rows[field] for field in fields])
    return names, values[:, np.argsort(order)], index


def _read_fixed(group: Any, path: Path) -> _Table:
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
    index = read_dataset(group["axis1"], f"{path}: axis1") if "axis1" in group else None
    if index is None or index.dtype.kind not in "iuf":
        raise ValueError(f"{path} {_PICTURES}")
    named = [_named(column) for column in zip(*levels, strict=True)]
    return named, values, index.astype(np.float64)


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
