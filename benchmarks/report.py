"""Time and size of the report of one recording.

    python benchmarks/report.py            # 500 units, 8 sessions of 10 min
    python benchmarks/report.py --small    # a few seconds, so that CI keeps it alive

The analysis before it is not counted. The limits are those of the project: 30 s and 15 MB.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from neurodrift import analyze, testing
from neurodrift.report import write_report

MOST_SECONDS, MOST_MEGABYTES = 30.0, 15.0


def main() -> int:
    """Measure, print, and fail beyond the limits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true")
    small = parser.parse_args().small
    n_units, n_sessions, minutes = (20, 3, 2.0) if small else (500, 8, 10.0)
    recording = testing.linear_track(
        n_units=n_units, n_sessions=n_sessions, minutes=minutes, detection=0.9
    )
    results = analyze(recording, n_repeats=5 if small else 20, progress=True)
    with tempfile.TemporaryDirectory() as folder:
        times = []
        for _ in range(3):
            start = time.perf_counter()
            path = write_report(results, Path(folder) / "report.html", overwrite=True)
            times.append(time.perf_counter() - start)
        megabytes = path.stat().st_size / 1e6
    print(
        f"{n_units} units, {n_sessions} sessions: {times[0]:.1f} s the first time, "
        f"{min(times):.1f} s at best, {megabytes:.2f} MB"
    )
    return 0 if times[0] < MOST_SECONDS and megabytes < MOST_MEGABYTES else 1


if __name__ == "__main__":
    sys.exit(main())
