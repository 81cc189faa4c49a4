"""Peak memory and time of import, convert, analyze and report when recordings grow longer.

A mesoscope recording: deconvolved activity of many cells in long sessions, as NWB files and as the
arrays that they are converted from. Each command runs in processes of its own; the peak is the sum
over them all, sampled every 20 ms, of the memory that they hold.

Run: python benchmarks/mesoscope.py [--small | --full] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

RATE = 10.0  # Hz
BLOCK = 500  # units made at once
SIZES = {  # units, sessions, minutes of a session
    "small": [(60, 2, 2.0), (60, 2, 8.0)],
    "tenth": [(1000, 10, 3.0), (1000, 10, 30.0)],
    "full": [(10_000, 10, 30.0)],
}
COMMANDS = ("import", "convert", "analyze", "report")


@dataclass(frozen=True)
class Run:
    """What a command took."""

    seconds: float
    peak_mib: float


def session_blocks(x: np.ndarray, units: int, session: int) -> Iterator[tuple[slice, np.ndarray]]:
    """Blocks of units: deconvolved activity (time, unit), half of the units with a place."""
    for start in range(0, units, BLOCK):
        n = min(BLOCK, units - start)
        cells = np.random.default_rng([start, 1])
        centre, tuned = cells.uniform(0, 100, n), cells.random(n) < 0.5
        rng = np.random.default_rng([start, 2, session])
        nearby = np.exp(-0.5 * ((x[:, None] - centre) / 8) ** 2)
        chance = (0.02 + 0.15 * tuned * nearby).astype(np.float32)
        found = rng.random((x.size, n), dtype=np.float32) < chance
        values = np.zeros((x.size, n), dtype=np.float32)
        values[found] = rng.gamma(2.0, 1.0, int(found.sum()))
        yield slice(start, start + n), values


def write_sources(folder: Path, units: int, sessions: int, minutes: float) -> None:
    """NWB files, and the arrays of a mapping, of the same recording, block by block."""
    import h5py

    from neurodrift import testing
    from neurodrift.io.nwb.session import NwbSession, Series
    from neurodrift.io.nwb.write import write_session

    behaviour = testing.linear_track(
        n_units=1, n_sessions=sessions, minutes=minutes, frame_rate=RATE
    )
    every, index = behaviour["x"].values, behaviour["session_index"].values
    listed = ""
    for session in range(sessions):
        x = every[index == session]
        clock = np.arange(x.size) / RATE
        order = np.random.default_rng(session).permutation(units)  # rows differ by session
        path = write_session(
            NwbSession(
                subject="mouse",
                environment="track",
                session=str(session + 1),
                start=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=session),
                registered_cell_id=order,
                responses=Series(
                    name="activity",
                    time=clock[:2],
                    data=np.zeros((2, units), np.float32),
                    unit="a.u.",
                    description="deconvolved",
                ),
                time=clock,
                position=x,
            ),
            folder / f"{session + 1}.nwb",
        )
        np.savetxt(folder / f"x{session + 1}.csv", x, header="x", comments="")
        arrays = np.lib.format.open_memmap(
            folder / f"activity{session + 1}.npy", "w+", np.float32, (x.size, units)
        )
        with h5py.File(path, "a") as file:
            group = file["processing/ophys/Fluorescence/activity"]
            attributes = dict(group["data"].attrs)
            del group["data"]
            data = group.create_dataset(
                "data",
                (x.size, units),
                np.float32,
                chunks=(min(x.size, 1024), min(units, 256)),
                compression="gzip",
                compression_opts=1,
                shuffle=True,
            )
            data.attrs.update(attributes)
            group["starting_time"].attrs["rate"] = RATE
            for where, values in session_blocks(x, units, session):
                data[:, where] = values
                arrays[:, where] = values
        del arrays
        listed += f"  - {{session: {session + 1}, day: {session}}}\n"
    (folder / "mapping.yaml").write_text(
        f"""subject: {{id: mouse}}
environment: track
activity:
  {{kind: deconvolved, samples: {{file: "activity{{session}}.npy"}}, axes: [frames, units],
    rate: {RATE:g}}}
position: {{file: "x{{session}}.csv", x: x, unit: cm, rate: {RATE:g}}}
sessions:
{listed}"""
    )


def measured(command: list[str]) -> Run:
    """Run a command, and watch what it and its children hold."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        peak, over = [0.0], threading.Event()

        def watch() -> None:
            while not over.wait(0.02):
                peak[0] = max(peak[0], held(process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        code = process.wait()
        over.set()
        watcher.join()
        if code:
            said.seek(0)
            raise SystemExit(f"{' '.join(command)}\n{said.read().decode()}")
    return Run(time.perf_counter() - start, peak[0] / 2**20)


def held(root: int) -> float:
    """Resident bytes of a process and all that it started."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                status = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
                parents[int(name)] = int(status[1]), int(status[21]) * os.sysconf("SC_PAGESIZE")
            except (OSError, IndexError):
                continue
    family, total = {root}, 0
    for pid in sorted(parents):
        if pid in family or parents[pid][0] in family:
            family.add(pid)
            total += parents[pid][1]
    return total


def run_all(folder: Path, commands: list[str], workers: int) -> dict[str, Run]:
    """Peak and time of each command."""
    own = [sys.executable, "-m", "neurodrift.cli"]
    files = sorted((str(path) for path in folder.glob("[0-9]*.nwb")), key=lambda p: (len(p), p))
    recording, results = str(folder / "recording.zarr"), str(folder / "results.zarr")
    given = {
        "import": ["import", *files, "-o", recording, "--overwrite"],
        "convert": ["convert", "arrays", str(folder / "mapping.yaml"), "--out"]
        + [str(folder / "converted"), "--overwrite"],
        "analyze": ["analyze", recording, "-o", results, "--overwrite"]
        + ["--workers", str(workers)],
        "report": ["report", results, "-o", str(folder / "report.html"), "--overwrite"],
    }
    found = {}
    for name in commands:
        found[name] = measured([*own, *given[name]])
        if name == "convert":
            shutil.rmtree(folder / "converted")
    return found


def main() -> None:
    """Print one row for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="tiny recordings, for CI")
    parser.add_argument("--full", action="store_true", help="10,000 units, 10 x 30 minutes")
    parser.add_argument("--size", nargs=3, type=float, help="units, sessions, minutes")
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=COMMANDS)
    parser.add_argument("--workers", type=int, default=2, help="threads of analyze; 2")
    parser.add_argument("--keep", type=Path, help="folder of the files, used again if they exist")
    options = parser.parse_args()
    chosen = "small" if options.small else "full" if options.full else "tenth"
    sizes = SIZES[chosen]
    if options.size:
        sizes = [(int(options.size[0]), int(options.size[1]), options.size[2])]
    print("units x sessions x minutes | activity [MB] | peak memory [MiB] (time [s]) of")
    print(" | ".join(["", "", *options.commands]), flush=True)
    for units, sessions, minutes in sizes:
        with tempfile.TemporaryDirectory() as temporary:
            name = f"{units}x{sessions}x{minutes:g}"
            folder = options.keep / name if options.keep else Path(temporary)
            if not (folder / "mapping.yaml").exists():
                folder.mkdir(parents=True, exist_ok=True)
                write_sources(folder, units, sessions, minutes)
            found = run_all(folder, list(options.commands), options.workers)
        megabytes = units * sessions * minutes * 60 * RATE * 4 / 1e6
        cells = [f"{run.peak_mib:.0f} ({run.seconds:.0f})" for run in found.values()]
        print(" | ".join([name, f"{megabytes:.0f}", *cells]), flush=True)


if __name__ == "__main__":
    main()
