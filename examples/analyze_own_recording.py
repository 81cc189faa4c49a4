"""Analyse a recording of your own, from arrays to a table of slopes.

Replace `my_session` by code that loads one of your sessions: activity as (frames, cells), position
in cm, and the identity of each column across days.

Run: python examples/analyze_own_recording.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import neurodrift as nd
from neurodrift import kinematics, plotting

N_DAYS, N_CELLS, FRAME_RATE = 4, 40, 20.0
TRACK = (0.0, 100.0)


def my_session(day: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stand-in for your loader: events (frames, cells), position [cm], identity of each cell."""
    mouse = nd.testing.linear_track(
        n_units=N_CELLS, n_sessions=N_DAYS, minutes=5, detection=0.8, seed=3
    )
    where = nd.slice_sessions(mouse)[day]
    found = np.flatnonzero(mouse["detected"].values[day])
    return mouse["activity"].values[where][:, found], mouse["x"].values[where], found


def main() -> None:
    """Build the recording, analyse it, print and draw what came out."""
    sessions = []
    for day in range(N_DAYS):
        events, position, cell = my_session(day)
        session = nd.recording_from_arrays(
            events,
            kind="events",
            x=position,
            lap=kinematics.laps(position, limits=TRACK),
            frame_duration=1 / FRAME_RATE,
            session=[f"day {day + 1}"],
            unit=cell,  # the same label on two days is the same cell
            day=[2.0 * day],
            subject="mouse 1",
            environment="linear track",
        )
        sessions.append(kinematics.running(session))
    recording = nd.join_sessions(sessions)

    bins = nd.Binning(edges=np.arange(0, 101, 5.0), exclude_ends=5.0, speed_range=(2.0, np.inf))
    results = nd.analyze(recording, binning=bins, n_repeats=100)
    print(nd.summary(results))

    folder = Path(tempfile.mkdtemp(prefix="neurodrift-"))
    nd.save_results(results, folder / "results.zarr")
    rate = results["smoothed_maps"]["rate"].sel(direction=1, drop=True)
    order = nd.order_by_peak(rate.isel(session=0))
    plotting.plot_rate_maps(rate, order=order).savefig(folder / "rate_maps.png", dpi=150)
    print(f"\nresults and figure in {folder}")


if __name__ == "__main__":
    main()
