"""What all figures share: colours, frames, axes of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#26323f"
ACCENT = "#c2410c"


def new_axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """Axes to draw into: those given, or new ones in a figure of the size [inch]."""
    if ax is not None:
        return ax
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained").subplots()


def open_frame(ax: Axes) -> None:
    """Leave out the upper and right side of the frame."""
    ax.spines[["top", "right"]].set_visible(False)
