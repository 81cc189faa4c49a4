"""False positives of the place-cell tests on real activity that was shifted circularly.

    python benchmarks/calibration_place_cells.py                     # Sheintuch et al. 2022
    python benchmarks/calibration_place_cells.py --recording R.zarr  # any recording
    python benchmarks/calibration_place_cells.py --small             # a few seconds

Each unit's activity is shifted by its own random number of frames over the whole session, so that
it keeps its autocorrelation and loses its relation to position: 5 % of the tests at .05 are
positive if the test is right. In the data of 2022, frames of rest and of the other direction are
already taken out.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xarray as xr

from neurodrift import Binning, recording_from_arrays, slice_sessions, testing
from neurodrift.analysis.place_cells.place_cells import detect_place_cells
from neurodrift.analysis.place_cells.shuffles import NULLS, Null

DATA = Path(os.environ.get("NEURODRIFT_DATA", Path(__file__).parents[2] / "shared" / "data"))


def sheintuch2022(folder: Path) -> Iterator[tuple[str, xr.Dataset]]:
    """Real recordings, one for each mouse, environment, session and direction."""
    from scipy.io import loadmat

    for mouse, duration in (("C6M3", 0.05), ("C8M2", 0.1)):
        trains = loadmat(folder / "real" / f"{mouse}_spike_train.mat")["spike_train"]
        traces = loadmat(folder / "real" / f"{mouse}_stimulus_trace.mat")["stimulus_trace"]
        for index in np.ndindex(trains.shape):
            yield (
                mouse,
                recording_from_arrays(
                    trains[index],
                    kind="amplitudes",
                    x=traces[index].ravel().astype(float),
                    geometry="linear",  # frames of one direction of running
                    frame_duration=duration,
                    subject=mouse,
                ),
            )


def shifted(recording: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """The recording with each unit's activity shifted by itself, within the tracked frames."""
    activity = recording["activity"].values.copy()
    tracked = np.isfinite(recording["x"].values)
    for where in slice_sessions(recording):
        at = where.start + np.flatnonzero(tracked[where])
        for j in range(activity.shape[1]):
            activity[at, j] = np.roll(activity[at, j], rng.integers(at.size))
    return recording.assign(activity=recording["activity"].copy(data=activity))


def main() -> None:
    """Print the fraction of positive tests for each null."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recording", type=Path, nargs="*", default=[])
    parser.add_argument("--exclude-ends", type=float, default=8.0, help="of --recording [cm]")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--n-repeats", type=int, default=1000)
    parser.add_argument("--nulls", nargs="+", choices=NULLS, default=[])
    parser.add_argument("--small", action="store_true", help="one mouse and session, 100 shuffles")
    arguments = parser.parse_args()
    print(f"$ python {' '.join(sys.argv)}")
    if arguments.recording:
        from neurodrift import open_recording

        recordings = [(str(path), open_recording(path)) for path in arguments.recording]
        binning = Binning(bin_width=4.0, exclude_ends=arguments.exclude_ends)
    elif (DATA / "sheintuch2022").is_dir():
        recordings = list(sheintuch2022(DATA / "sheintuch2022"))
        binning = Binning(edges=np.arange(2.5, 23.5))
    else:
        print(f"(no real recordings in {DATA}: a synthetic one instead)")
        recordings = [("synthetic", testing.linear_track(n_units=100, n_sessions=1, minutes=10))]
        binning = Binning(bin_width=4.0, directions=False)  # shifts are those of all frames
    if arguments.small:
        recordings, arguments.n_repeats = recordings[:1], 100
    nulls: list[Null] = arguments.nulls or [
        null
        for null in NULLS
        if null != "lap" or any(name in recordings[0][1] for name in ("lap", "trial"))
    ]
    rng = np.random.default_rng(0)
    found = {null: np.zeros(2, dtype=int) for null in nulls}
    for _ in range(arguments.repeats):
        for _, recording in recordings:
            moved = shifted(recording, rng)
            for null in nulls:
                result = detect_place_cells(
                    moved, binning=binning, null=null, n_repeats=arguments.n_repeats
                )
                found[null] += [int(result[name].sum()) for name in ("significant", "tested")]
    for null, (n_positive, n_tested) in found.items():
        fraction = n_positive / n_tested
        error = np.sqrt(fraction * (1 - fraction) / n_tested)
        print(f"{null:15s} {100 * fraction:5.2f} % +- {100 * error:.2f} of {n_tested} positive")


if __name__ == "__main__":
    main()
