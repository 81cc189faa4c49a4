"""What all figures share: colours, frames, axes of their own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#26323f"
ACCENT = "#c2410c"
FAINT = "#9aa5b1"

# Okabe and Ito's colours, which colour-blind readers tell apart, darkest first
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
MARKERS = ("o", "s", "^", "D", "v", "P")


def new_axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """Axes to draw into: those given, or new ones in a figure of the size [inch]."""
    if ax is not None:
        if not hasattr(ax, "plot"):
            raise TypeError(f"ax is {ax!r:.60}, expected axes of matplotlib")
        return ax
    if _in_notebook():
        import matplotlib.pyplot as plt  # which shows its figures at the end of a cell

        return plt.subplots(figsize=size, layout="constrained")[1]
    return new_figure(size).subplots()


def new_figure(size: tuple[float, float]) -> Figure:
    """A figure of a size [inch], such that whoever works with it sees it.

    A notebook shows the figure that a cell ends with, once pyplot has told it how. A script that
    has imported pyplot shows it by ``plt.show()``. Otherwise nothing is kept of it.
    """
    from matplotlib.figure import Figure

    notebook = _in_notebook()
    if notebook or "matplotlib.pyplot" in sys.modules:
        import matplotlib.pyplot as plt

        if not notebook:
            return plt.figure(figsize=size, layout="constrained")
    return Figure(figsize=size, layout="constrained")


def _in_notebook() -> bool:
    """Whether figures are shown below cells."""
    shell = sys.modules.get("IPython")
    return shell is not None and type(shell.get_ipython()).__name__ == "ZMQInteractiveShell"


def open_frame(ax: Axes) -> None:
    """Leave out the upper and right side of the frame."""
    ax.spines[["top", "right"]].set_visible(False)


def thinned(n: int, most: int) -> list[int]:
    """Positions of n labels that are shown, evenly spaced from the first to the last.

    Examples
    --------
    >>> thinned(3, 10), thinned(9, 5), thinned(20, 5)
    ([0, 1, 2], [0, 2, 4, 6, 8], [0, 4, 8, 12, 16])
    """
    step = -(-n // most) if n > most else 1
    return list(range(0, n, step))


def few_ticks(ax: Axes, what: str | None) -> None:
    """Few ticks along x, so that their numbers stand apart: whole ones, steps in few letters."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.xaxis.set_major_locator(MaxNLocator(5, integer=what != "experience"))
    if what is not None and "training" in what:
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_number(value)))


def short_number(value: float) -> str:
    """Number of steps in few letters: 50000 is 50k.

    Examples
    --------
    >>> [short_number(n) for n in (20, 1500, 50_000, 10_000_000)]
    ['20', '1.5k', '50k', '10M']
    """
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
