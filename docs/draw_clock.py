"""Draws images/clock.svg: what a frame is, for spikes, for imaging, and where a clock has a gap."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

BLUE, ORANGE, INK, GREY = "#0072b2", "#e69f00", "#1b2a41", "#d9d9d9"


def main() -> None:
    """Draw it."""
    figure = Figure(figsize=(8.4, 4.6), layout="constrained")
    axes = figure.subplots(3, 1)
    even, bursts = np.arange(0, 2.0, 0.1), np.cumsum(np.tile([0.05, 0.05, 0.3], 5)) - 0.05
    rows = (
        ("spikes, even camera", even, even, np.full(even.size, 0.1)),
        ("spikes, uneven camera", bursts, np.arange(0, 1.95, 0.1333), None),
        ("imaging that slows, and a gap", even, _slowing(), None),
    )
    for axis, (title, camera, frames, lasting) in zip(axes, rows, strict=True):
        axis.set_xlim(-0.02, 2.05)
        axis.set_ylim(0, 3)
        axis.set_yticks([2.4, 1.0], ["position", "frames"])
        axis.tick_params(length=0)
        axis.set_xticks([])
        axis.spines[:].set_visible(False)
        axis.set_title(title, loc="left", fontsize=10)
        axis.vlines(camera, 2.1, 2.7, color=INK, lw=1.2)
        durations = np.diff(frames, append=frames[-1] + 0.1) if lasting is None else lasting
        if title.startswith("imaging"):
            durations = np.minimum(durations, 0.2)
        for i, (start, length) in enumerate(zip(frames, durations, strict=True)):
            colour = BLUE if i % 2 else ORANGE
            axis.add_patch(Rectangle((start, 0.6), length, 0.8, color=colour, lw=0))
        gaps = np.flatnonzero(np.diff(frames) > durations[:-1] + 0.01)
        for i in gaps:
            start = frames[i] + durations[i]
            axis.add_patch(Rectangle((start, 0.6), frames[i + 1] - start, 0.8, color=GREY, lw=0))
            axis.text((start + frames[i + 1]) / 2, 1.0, "gap", ha="center", va="center")
    axes[-1].set_xticks([0, 0.5, 1, 1.5, 2], ["0", "0.5", "1", "1.5", "2 s"])
    figure.savefig(Path(__file__).parent / "images" / "clock.svg")


def _slowing() -> np.ndarray:
    fast, slow = np.arange(0, 0.8, 0.1), 0.8 + np.arange(0, 0.61, 0.2)
    return np.concatenate([fast, slow, [1.85]])


if __name__ == "__main__":
    main()
