"""Handwritten digits as pen strokes: the published data set, and drawn ones that need no download.

A digit is a list of pen movements (dx, dy, end of stroke, end of digit) in pixels, dy downwards;
the first movement leads from the origin to the start of the first stroke.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.schema.options import checked_options
from neurodrift.seeds import generator

CHANNELS = ("dx", "dy", "end of stroke", "end of digit")
PARTS = ("train", "test")
_FORMS = {"": np.eye(2), "xy": np.array([[0, 1], [1, 0]]), "ud": np.diag([1, -1])}
FORMS = tuple(_FORMS)
"""Forms of a character: as written, x and y exchanged, turned upside down."""


@dataclass(frozen=True, eq=False)
class Strokes:
    """Digits end to end.

    Parameters
    ----------
    movements
        (row, 4) of :data:`CHANNELS`, integers.
    offsets
        (digit + 1) first row of each digit, and the number of rows.
    labels
        (digit) which digit, 0 to 9.

    Raises
    ------
    ValueError
        If shapes disagree, a digit has no movement, or a value is impossible.

    Examples
    --------
    >>> from neurodrift.simulate.continual.strokes import Strokes
    >>> one = Strokes([[9, 3, 0, 0], [0, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]], [0, 4], [1])
    >>> len(one)
    1
    """

    movements: np.ndarray
    offsets: np.ndarray
    labels: np.ndarray

    def __post_init__(self) -> None:
        for name in ("movements", "offsets", "labels"):
            object.__setattr__(self, name, np.asarray(getattr(self, name)))
        rows, offsets, labels = self.movements, self.offsets, self.labels
        faults = []
        if rows.ndim != 2 or rows.shape[1] != len(CHANNELS) or rows.dtype.kind not in "iu":
            faults.append(
                f"movements have shape {rows.shape} and dtype {rows.dtype}, expected "
                "(row, 4) integers: " + ", ".join(CHANNELS)
            )
        elif not np.isin(rows[:, 2:], (0, 1)).all():
            faults.append("ends of strokes and digits must be 0 or 1")
        if offsets.ndim != 1 or labels.shape != (max(offsets.size - 1, 0),):
            faults.append(
                f"{offsets.size} offsets and {labels.size} labels: expected one offset "
                "more than labels"
            )
        elif offsets.size and (
            offsets[0] != 0
            or offsets[-1] != len(rows)
            or (np.diff(offsets.astype(np.int64)) < 1).any()
        ):
            faults.append(f"offsets must rise from 0 to the number of rows, {len(rows)}")
        if labels.size and (labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() > 9):
            faults.append("labels must be integers from 0 to 9")
        if faults:
            raise ValueError("no digits: " + "; ".join(faults))

    def __len__(self) -> int:
        return len(self.labels)

    def character(self, digit: int, form: str = "") -> list[np.ndarray]:
        """Every example of one character.

        Parameters
        ----------
        digit
            0 to 9.
        form
            One of :data:`FORMS`.

        Returns
        -------
        list of numpy.ndarray
            (row, 4) float64 each, without the first movement, which tells where the pen starts.

        Raises
        ------
        ValueError
            If there is no such form.
        """
        if form not in _FORMS:
            raise ValueError(f"form is {form!r}, expected one of {', '.join(map(repr, FORMS))}")
        found = []
        for which in np.flatnonzero(self.labels == digit):
            rows = self.movements[self.offsets[which] + 1 : self.offsets[which + 1]].astype(float)
            rows[:, :2] = rows[:, :2] @ _FORMS[form].T
            if len(rows):
                found.append(rows)
        return found


def read_strokes(path: str | os.PathLike[str] | None = None) -> dict[str, Strokes]:
    """Read the stroke digits of de Jong (2016).

    Parameters
    ----------
    path
        The unpacked folder of the published archive (``trainimg-0-inputdata.txt`` and so on beside
        ``trainlabels.txt``), or the file of :func:`save_strokes`, or a folder with one. When
        omitted, the folder ``smnist`` in the folder that ``NEURODRIFT_DATA`` names.

    Returns
    -------
    dict of str to Strokes
        ``train`` (60 000 digits) and ``test`` (10 000).

    Raises
    ------
    FileNotFoundError
        If there is nothing; the message says where to get it.
    ValueError
        If a file is damaged; the message names it.

    References
    ----------
    E. D. de Jong (2016), "Incremental sequence learning", https://doi.org/10.48550/arXiv.1611.03068

    Examples
    --------
    >>> import tempfile
    >>> from neurodrift.simulate.continual.strokes import drawn_strokes, read_strokes, save_strokes
    >>> path = save_strokes(drawn_strokes(5, seed=1), tempfile.mkdtemp() + "/strokes.npz")
    >>> len(read_strokes(path)["train"])
    50
    """
    folder = Path(os.environ.get("NEURODRIFT_DATA", "."), "smnist") if path is None else Path(path)
    texts = next(iter(folder.rglob("trainlabels.txt")), None) if folder.is_dir() else None
    if texts is not None:
        return {part: _read_texts(texts.parent, part) for part in PARTS}
    file = folder
    if folder.is_dir():
        file = next(iter(sorted(folder.glob("*.npz"))), folder / "strokes.npz")
    if not file.is_file():
        raise FileNotFoundError(
            f"no stroke digits at {folder.resolve()}: fetch them with `neurodrift catalog fetch "
            "smnist --out FOLDER` and give tasks.path=FOLDER (or set NEURODRIFT_DATA to the folder "
            "that holds it as smnist); tasks.name=drawn needs no data"
        )
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return {
                part: Strokes(*(arrays[f"{part}_{key}"] for key in ("rows", "offsets", "labels")))
                for part in PARTS
            }
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(
            f"{file} holds no stroke digits ({error}): expected train_rows, train_offsets, "
            "train_labels and the same of test, as save_strokes writes them"
        ) from error


def save_strokes(strokes: dict[str, Strokes], path: str | os.PathLike[str]) -> Path:
    """Keep digits in one file, which reads in less than a second.

    Parameters
    ----------
    strokes
        ``train`` and ``test``.
    path
        The ``.npz`` file.

    Returns
    -------
    pathlib.Path
        `path`.
    """
    path = Path(path)
    arrays: dict[str, Any] = {}
    for part in PARTS:
        one = strokes[part]
        arrays |= {f"{part}_rows": one.movements, f"{part}_offsets": one.offsets}
        arrays[f"{part}_labels"] = one.labels
    partial = path.with_name(f".{path.name}.partial.npz")
    try:
        np.savez_compressed(partial, **arrays)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path


@checked_options
def drawn_strokes(
    n_each: int = 400, *, n_test: int | None = None, seed: int = 0
) -> dict[str, Strokes]:
    """Draw digits by hand-made outlines with random shape, size, slant and tremor.

    They look like the published ones and are easier to tell apart: for trying things out without
    a download, not for results.

    Parameters
    ----------
    n_each
        Examples of each digit to train on.
    n_test
        Examples of each digit to test on; a quarter of `n_each`, at least one, when omitted.
    seed
        Seed.

    Returns
    -------
    dict of str to Strokes
        ``train`` and ``test``.

    Examples
    --------
    >>> from neurodrift.simulate.continual.strokes import drawn_strokes
    >>> drawn = drawn_strokes(3)
    >>> len(drawn["train"]), drawn["train"].movements.shape[1]
    (30, 4)
    """
    numbers = {"train": n_each, "test": max(n_each // 4, 1) if n_test is None else n_test}
    return {
        part: _end_to_end(
            [
                (_draw(digit, generator(seed, "strokes", part, digit, i)), digit)
                for digit in range(10)
                for i in range(n)
            ]
        )
        for part, n in numbers.items()
    }


_OUTLINES: dict[int, list[str]] = {  # strokes as points x, y in tenths of a box, y downwards
    0: ["50 21 04 18 49 78 94 81 50"],
    1: ["50 53 56 59"],
    2: ["12 30 71 83 55 19 89"],
    3: ["11 60 82 54 44 54 86 69 19"],
    4: ["20 15 85", "60 64 69"],
    5: ["80 20 14 54 86 69 18"],
    6: ["70 33 16 29 69 86 54 25"],
    7: ["10 80 55 39"],
    8: ["71 30 12 44 76 69 29 16 44 71"],
    9: ["82 40 12 34 73 82 75 69"],
}


def _draw(digit: int, rng: np.random.Generator) -> np.ndarray:
    """Movements of one digit on a grid of pixels."""
    size = rng.uniform(14, 20) * np.array([rng.uniform(0.6, 1.0), 1.0])
    slant, corner = rng.normal(0, 0.15), rng.integers(3, 8, size=2)
    pen = np.zeros(2)
    movements: list[tuple[int, int, int, int]] = []
    for outline in _OUTLINES[digit]:
        points = np.array([[int(c) for c in point] for point in outline.split()]) / 9
        points = (points + rng.normal(0, 0.04, points.shape)) * size
        points[:, 0] -= slant * points[:, 1]
        path = np.round(_fine(points) + corner).astype(int)
        steps = path[np.flatnonzero(np.append(True, np.any(np.diff(path, axis=0), axis=1)))]
        for place in steps:
            moved = (place - pen).astype(int)
            movements.append((int(moved[0]), int(moved[1]), 0, 0))
            pen = place
        movements[-1] = (*movements[-1][:2], 1, 0)
    movements.append((0, 0, 1, 1))
    return np.array(movements, dtype=np.int8)


def _fine(points: np.ndarray) -> np.ndarray:
    """A smooth curve through the points, fine enough that no pixel is passed over."""
    from scipy.interpolate import CubicSpline

    way = np.append(0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1) + 1e-6))
    if len(points) < 4:
        return np.stack([np.interp(np.arange(0, way[-1], 0.7), way, p) for p in points.T], axis=1)
    return np.asarray(CubicSpline(way, points)(np.arange(0, way[-1], 0.7)))


def _end_to_end(digits: list[tuple[np.ndarray, int]]) -> Strokes:
    rows = [movements for movements, _ in digits]
    return Strokes(
        movements=np.concatenate([*rows, np.zeros((0, 4), np.int8)]),
        offsets=np.cumsum([0, *map(len, rows)]),
        labels=np.array([digit for _, digit in digits], dtype=np.int8),
    )


def _read_texts(folder: Path, part: str) -> Strokes:
    """The published layout: one text file for each digit, and one for all labels."""
    labels = folder / f"{part}labels.txt"
    try:
        digits = np.array(labels.read_text().split(), dtype=np.int8)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{labels} cannot be read as labels, one number a digit: {error}"
        ) from error
    return _end_to_end(
        list(zip(_movements(folder, part, digits.size), digits.tolist(), strict=True))
    )


def _movements(folder: Path, part: str, n: int) -> Iterator[np.ndarray]:
    for i in range(n):
        file = folder / f"{part}img-{i}-inputdata.txt"
        try:
            numbers = np.array(file.read_text().split(), dtype=np.int8)
        except (OSError, ValueError, OverflowError) as error:
            raise ValueError(f"{file} cannot be read as movements of a pen: {error}") from error
        if not numbers.size or numbers.size % len(CHANNELS):
            raise ValueError(f"{file} has {numbers.size} numbers, expected rows of dx dy eos eod")
        yield numbers.reshape(-1, len(CHANNELS))
