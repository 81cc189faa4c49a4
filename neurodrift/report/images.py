"""Arrays as small pictures with a table of colours."""

from __future__ import annotations

import base64
import io

import numpy as np

GAP = 255
"""Code of no value, which is transparent."""

STATES = {"matched": "#2f7fb5", "once": "#e08a4a"}
"""Colours of the states of a cell in a session."""

MAX_ROWS = 1200
"""Rows of a picture; of more, neighbours are joined by their mean."""


def palette(colours: str) -> np.ndarray:
    """Table of 256 colours.

    Parameters
    ----------
    colours
        ``"rates"``, ``"similarities"`` or ``"states"``.

    Returns
    -------
    numpy.ndarray
        (256, 3) bytes; the last one stands for no value.
    """
    table = np.zeros((256, 3), dtype=np.uint8)
    if colours == "states":
        for at, name in ((127, "once"), (254, "matched")):
            table[at] = [int(STATES[name][i : i + 2], 16) for i in (1, 3, 5)]
        return table
    from matplotlib import colormaps

    name = {"rates": "viridis", "similarities": "magma"}[colours]
    levels = colormaps[name](np.linspace(0, 1, 255))[:, :3]
    table[:255] = np.round(255 * levels)
    return table


def codes_of(values: np.ndarray) -> np.ndarray:
    """Values from 0 to 1 in steps of 1/254, :data:`GAP` for NaN."""
    some = np.isfinite(values)
    steps = np.round(254 * np.clip(np.where(some, values, 0.0), 0.0, 1.0))
    return np.where(some, steps, GAP).astype(np.uint8)


def joined(values: np.ndarray, most: int = MAX_ROWS) -> np.ndarray:
    """A picture with at most so many rows, each the mean of neighbours."""
    if values.shape[0] <= most:
        return values
    edges = np.linspace(0, values.shape[0], most + 1).astype(int)
    some = np.isfinite(values)
    total = np.add.reduceat(np.where(some, values, 0.0), edges[:-1], axis=0)
    n = np.add.reduceat(some.astype(float), edges[:-1], axis=0)
    with np.errstate(invalid="ignore"):
        return np.where(n > 0, total / n, np.nan)


def picture_codes(values: np.ndarray, colours: str) -> np.ndarray:
    """Codes of a picture, rows joined where there are too many; states keep every row.

    Parameters
    ----------
    values
        (row, column), from 0 to 1, NaN for no value; of states 0 stands for none, too.
    colours
        As for :func:`palette`.

    Returns
    -------
    numpy.ndarray
        (row, column) bytes.
    """
    if colours != "states":
        return codes_of(joined(values))
    codes = codes_of(values)
    codes[codes == 0] = GAP
    return codes


def png_uri(values: np.ndarray, colours: str = "rates") -> str:
    """A picture as the address of an image that holds it.

    Parameters
    ----------
    values
        (row, column), from 0 to 1, NaN for no value.
    colours
        As for :func:`palette`.

    Returns
    -------
    str
        PNG as ``data:`` address; the same values give the same text.
    """
    from PIL import Image

    codes = picture_codes(values, colours)
    if not codes.size:
        codes = np.full((1, 1), GAP, dtype=np.uint8)
    if colours == "states":
        codes = codes.repeat(max(1, 240 // codes.shape[1]), axis=1)  # sharp in every viewer
    image = Image.fromarray(codes).convert("P")
    image.putpalette(palette(colours).ravel().tolist())
    held = io.BytesIO()
    image.save(held, "PNG", transparency=GAP, optimize=True)
    return "data:image/png;base64," + base64.b64encode(held.getvalue()).decode()
