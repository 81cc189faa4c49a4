"""Errors of decoders against the time between the session that taught and the one that tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from neurodrift.plotting._style import ACCENT, FAINT, INK, new_axes, open_frame
from neurodrift.schema.objects import expect_dataset

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_decoding_errors(decoding: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """Decoding error against lag, with chance and the error of the session's own decoder.

    Parameters
    ----------
    decoding
        Result of :func:`neurodrift.decode_across_sessions`.
    ax
        Axes to draw into; new ones when omitted.

    Returns
    -------
    matplotlib.axes.Axes
        A dot for each pair of sessions, in days where they are known; lines join the means over
        pairs with as many sessions between them: the error, the one of decoders of the test session
        itself with as many units, events and laps, and chance. No intervals: pairs share sessions.

    Raises
    ------
    ValueError
        If it is no such result, or no pair has an error.

    Examples
    --------
    >>> from neurodrift import decode_across_sessions, plotting, testing
    >>> recording = testing.linear_track(n_units=20, n_sessions=3, minutes=4)
    >>> drawn = plotting.plot_decoding_errors(decode_across_sessions(recording, test=False))
    >>> drawn.get_xlabel(), drawn.get_ylabel()
    ('lag [days]', 'decoding error [cm]')
    """
    names = ("error", "own_error", "chance", "lag")
    expect_dataset("decoding", decoding, names, "decode_across_sessions")
    steps = np.abs(decoding["lag"].values)
    pair = (steps > 0) & np.isfinite(decoding["error"].values)
    if not pair.any():
        raise ValueError("no pair of sessions has a decoding error: see the attribute left_out")
    by_day = "lag_day" in decoding.coords and np.isfinite(decoding["lag_day"].values).all()
    lags = np.abs(decoding["lag_day" if by_day else "lag"].values)
    groups = [pair & (steps == step) for step in np.unique(steps[pair])]
    at = [float(lags[group].mean()) for group in groups]
    drawn = new_axes(ax, (4.2, 3.0))
    error = decoding["error"].values
    drawn.plot(lags[pair], error[pair], ".", color=FAINT, markersize=4, zorder=1)
    lines = (
        ("error", INK, "-", "trained in another session"),
        ("own_error", ACCENT, "--", "trained in the session itself"),
        ("chance", FAINT, ":", "chance"),
    )
    for name, colour, style, text in lines:
        means = [float(decoding[name].values[group].mean()) for group in groups]
        marker = "o" if name == "error" else ""
        drawn.plot(at, means, style, marker=marker, color=colour, label=text, markersize=5)
    unit = decoding["error"].attrs.get("units", "")
    share = unit in ("", "1")
    drawn.set_ylabel("share of wrong guesses" if share else f"decoding error [{unit}]")
    drawn.set_xlabel("lag [days]" if by_day else "lag [sessions]")
    drawn.set_ylim(bottom=0)
    drawn.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1))
    open_frame(drawn)
    return drawn
