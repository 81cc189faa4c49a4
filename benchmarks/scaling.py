"""Time and peak memory when a recording grows tenfold, in sessions and in units.

Every size is written as a store chunk by chunk and analysed from there, each in a process of its
own, so that the peak is that of the analysis alone.

Run: python benchmarks/scaling.py [--small]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = {  # minutes in a session; (sessions, units) of the small recording, grown tenfold
    "small": {"minutes": 2.0, "sessions": 2, "units": 64},
    "full": {"minutes": 20.0, "sessions": 4, "units": 256},
}
FRAME_RATE = 20.0


def write(path: str, minutes: float, sessions: int, units: int) -> None:
    """Store a lazy recording of Poisson events at about 1 Hz."""
    import dask.array as da
    import numpy as np

    from neurodrift import kinematics, recording_from_arrays, save_recording, testing

    behaviour = testing.linear_track(n_units=1, n_sessions=1, minutes=minutes)
    n_frames = behaviour.sizes["time"]

    def block(block_info: dict) -> np.ndarray:
        place = block_info[None]["chunk-location"]
        shape = block_info[None]["chunk-shape"]
        return np.random.default_rng(place).poisson(1 / FRAME_RATE, shape).astype(np.uint8)

    chunks = ((n_frames,) * sessions, (min(units, 256),) * max(1, units // 256))
    activity = da.map_blocks(block, chunks=chunks, dtype=np.uint8)
    recording = recording_from_arrays(
        activity,
        kind="events",
        x=np.tile(behaviour["x"].values, sessions),
        session_index=np.repeat(np.arange(sessions), n_frames),
        frame_duration=1 / FRAME_RATE,
    )
    save_recording(kinematics.running(recording), path)


def analyse(path: str) -> dict[str, float]:
    """Rate maps and the exact place-cell test of a stored recording."""
    import dask

    from neurodrift import Binning, compute_rate_maps, detect_place_cells, open_recording

    dask.config.set(scheduler="threads", num_workers=2)
    binning = Binning(bin_width=5.0)
    detect_place_cells(
        open_recording(path).isel(unit=slice(0, 2)), binning=binning
    ).compute()  # compile
    seconds = {}
    for name, function in (("rate_maps", compute_rate_maps), ("place_cells", detect_place_cells)):
        start = time.perf_counter()
        function(open_recording(path), binning=binning).compute()
        seconds[name] = time.perf_counter() - start
    return seconds | {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def main() -> None:
    """Print one row for each size and the growth against the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a tiny recording, for CI")
    parser.add_argument("--run", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        action, path, *numbers = options.run
        if action == "write":
            write(path, float(numbers[0]), int(numbers[1]), int(numbers[2]))
        else:
            print(json.dumps(analyse(path)))
        return
    base = SIZES["small" if options.small else "full"]
    minutes, sessions, units = base["minutes"], int(base["sessions"]), int(base["units"])
    rows = {
        f"{sessions} sessions x {units} units": (sessions, units),
        "10x the sessions": (10 * sessions, units),
        "10x the units": (sessions, 10 * units),
    }
    first: dict[str, float] = {}
    print("command: python benchmarks/scaling.py" + " --small" * options.small)
    print("recording | activity [MB] | rate maps [s] | place cells [s] | peak memory [MiB]")
    for name, (n_sessions, n_units) in rows.items():
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "recording.zarr")
            own = [sys.executable, __file__, "--run"]
            sizes = [str(minutes), str(n_sessions), str(n_units)]
            subprocess.run([*own, "write", path, *sizes], check=True)
            printed = subprocess.run(
                [*own, "analyse", path], check=True, capture_output=True, text=True
            )
        found = json.loads(printed.stdout.splitlines()[-1])
        first = first or found
        megabytes = n_sessions * minutes * 60 * FRAME_RATE * n_units / 1e6
        ratios = {key: found[key] / first[key] for key in found}
        print(
            f"{name} | {megabytes:.0f} | "
            + " | ".join(f"{found[key]:.2f} ({ratios[key]:.1f}x)" for key in found)
        )


if __name__ == "__main__":
    main()
