"""Draws images/recording.svg: sessions end to end along time, units, detected or not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

LENGTHS = (26, 34, 20)
DETECTED = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1], [1, 1, 0], [1, 1, 1]], dtype=bool)
INK, MISSING, COLOURS = "#1b2a41", "#d9d9d9", ("#0072b2", "#e69f00", "#009e73")


def main() -> None:
    """Draw it."""
    rng = np.random.default_rng(3)
    figure = Figure(figsize=(8.4, 4.4), layout="constrained")
    panels = figure.subplots(3, 1, sharex=True, height_ratios=[0.5, 1.2, 2.4])
    ends = np.concatenate([[0], np.cumsum(LENGTHS)])
    for axis in panels:
        axis.spines[:].set_visible(False)
        axis.tick_params(length=0)
        axis.set_xlim(0, ends[-1])
    index, place, units = panels
    for i, (start, stop) in enumerate(zip(ends[:-1], ends[1:], strict=True)):
        index.add_patch(Rectangle((start, 0), stop - start - 0.3, 1, color=COLOURS[i]))
        middle = (start + stop) / 2
        index.text(middle, 0.45, f"session {i + 1}", ha="center", va="center", color="white")
        time = np.arange(start, stop - 0.3, 0.25)
        place.plot(time, 50 + 45 * np.sin((time - start) / 3.1), color=COLOURS[i], lw=1.6)
        for unit, detected in enumerate(DETECTED[:, i]):
            if not detected:
                units.add_patch(
                    Rectangle((start, unit - 0.42), stop - start - 0.3, 0.84, color=MISSING)
                )
                units.text(middle, unit, "not detected", ha="center", va="center", color="0.35")
                continue
            near = np.exp(-(((50 + 45 * np.sin((time - start) / 3.1)) - 15 * unit - 10) ** 2) / 250)
            events = time[rng.random(time.size) < 0.5 * near]
            units.vlines(events, unit - 0.38, unit + 0.38, color=INK, lw=1.1)
    index.set_ylim(0, 1)
    index.set_yticks([0.5], ["session_index"])
    place.set_yticks([5, 95], ["0", "96 cm"])
    place.set_ylabel("x", rotation=0, labelpad=12, va="center")
    units.set_ylim(5.6, -0.6)
    units.set_yticks(range(6), [f"unit {label}" for label in "abcdef"])
    units.set_xticks([])
    units.set_xlabel("time, all sessions end to end")
    figure.savefig(Path(__file__).parent / "images" / "recording.svg")


if __name__ == "__main__":
    main()
