"""What all figures share: colours, frames, axes of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained").subplots()


def open_frame(ax: Axes) -> None:
    """Leave out the upper and right side of the frame."""
    ax.spines[["top", "right"]].set_visible(False)


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
