"""A sweep on two workers against one, what storing costs, and how fast a large one opens.

Efficiency is the wall time on one worker over twice that on two, which means something on a quiet
machine only. The CPU time of driver and workers together, against that of the runs alone, says on
any machine what the sweep adds. The large sweep has many small runs: time to work out its settings,
files and bytes a run, time and memory to open it in a fresh process, and to read from it.

Run: python benchmarks/sweep.py [--runs 12] [--steps 2000000] [--repeats 3] [--large 10000]
     [--small]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from neurodrift.simulate.settings.sweep import SweepConfig, sweep_from_values
from neurodrift.simulate.store import block_arrays, create, store_block
from neurodrift.simulate.sweep import run_sweep
from neurodrift.workers import local_client

OPEN = """\
import resource, sys, time
import dask, xarray, zarr, pandas
from neurodrift.simulate.sweep import open_sweep
def memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before, start = memory(), time.perf_counter()
sweep = open_sweep(sys.argv[1])
seconds = time.perf_counter() - start
print(f"opened {len(sweep)} runs in {seconds:.2f} s, {memory() - before:.0f} MB more")
for what, read in {
    "seeds": lambda: sweep.table["seed"].values,
    "loss of every run": lambda: sweep.table["loss"].values,
    "one recording": lambda: sweep.recording(len(sweep) // 2),
    "the next": lambda: sweep.recording(len(sweep) // 2 + 1),
}.items():
    start = time.perf_counter()
    read()
    print(f"{what}: {time.perf_counter() - start:.3f} s")
"""


def configuration(n_runs: int, n_steps: int) -> SweepConfig:
    """Runs of the published noise series, equal in cost."""
    return sweep_from_values(
        {
            "task": {"name": "random", "published_seed": 0},
            "rule": {"update_noise": 0.01},
            "n_steps": n_steps,
            "measures": 1000,
            "snapshots": 101,
            "dtype": "float32",
            "sweep": {
                "runs_per_task": 1,
                "ranges": [{"key": "seed", "integers": [0, n_runs - 1]}],
            },
        }
    )


def small_runs(n_runs: int) -> SweepConfig:
    """Many runs of a few steps."""
    return sweep_from_values(
        {
            "task": {"name": "random"},
            "network": {"n_hidden": 10},
            "n_steps": 100,
            "measures": 11,
            "snapshots": 3,
            "sweep": {"ranges": [{"key": "seed", "integers": [0, n_runs - 1]}]},
        }
    )


def cpu_seconds() -> float:
    """Of this process and its workers."""
    me = psutil.Process()
    return sum(sum(one.cpu_times()[:2]) for one in (me, *me.children(recursive=True)))


def on_workers(config: SweepConfig, path: Path, workers: int) -> tuple[float, float]:
    """Wall and CPU seconds with workers that have started and compiled."""
    warm = configuration(2 * workers, 1000)
    with local_client(workers, len(config.runs)) as client:
        run_sweep(warm, path.with_name(f"warm-{path.name}"), scheduler=client)
        wall, cpu = time.perf_counter(), cpu_seconds()
        run_sweep(config, path, scheduler=client)
        return time.perf_counter() - wall, cpu_seconds() - cpu


def whole_command(config: SweepConfig, path: Path, workers: int) -> float:
    """Wall seconds with the start of the workers."""
    start = time.perf_counter()
    run_sweep(config, path, workers=workers)
    return time.perf_counter() - start


def size_of(store: Path, n_runs: int) -> str:
    """Files and bytes of a store, a run."""
    sizes = [path.stat().st_size for path in store.rglob("*") if path.is_file()]
    return f"{sum(sizes) / n_runs / 1e6:.4f} MB and {len(sizes) / n_runs:.2f} files a run"


def open_large(n_runs: int, folder: Path) -> None:
    """Print how fast a sweep of many small runs is made, opened and read."""
    start = time.perf_counter()
    config = small_runs(n_runs)
    print(f"settings of {n_runs} small runs: {time.perf_counter() - start:.1f} s")
    seconds = whole_command(config, folder / "large.zarr", 2)
    print(f"made on 2 workers in {seconds:.0f} s, {config.runs_per_task} runs a task")
    print(size_of(folder / "large.zarr", n_runs))
    for _ in range(3):
        subprocess.run([sys.executable, "-c", OPEN, str(folder / "large.zarr")], check=True)


def main() -> None:
    """Print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--steps", type=int, default=2_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--large", type=int, default=10_000)
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    if options.small:
        options.runs, options.steps, options.repeats, options.large = 4, 10_000, 1, 200
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.large:
            open_large(options.large, folder)
        if not options.runs:
            return
        config = configuration(options.runs, options.steps)
        first = list(config.runs[:1])
        create(folder / "write", config)
        configuration(1, 1000).runs[0].simulate()  # compile
        start = time.process_time()
        results = [one.simulate() for one in first]
        trained = time.process_time()
        store_block(folder / "write", 0, block_arrays(folder / "write", first, results))
        stored = time.process_time()
        alone = stored - start
        print(
            f"{options.runs} runs of {options.steps} steps; one alone: {trained - start:.2f} CPU-s "
            f"of training, {1000 * (stored - trained):.0f} CPU-ms of storing"
        )
        for repeat in range(options.repeats):
            wall, cpu = {}, {}
            for n in (1, 2):
                wall[n], cpu[n] = on_workers(config, folder / f"{repeat}-{n}.zarr", n)
            print(
                f"1 worker {wall[1]:.1f} s, 2 workers {wall[2]:.1f} s: efficiency "
                f"{wall[1] / wall[2] / 2:.3f}; CPU time of driver and workers over that of the "
                f"runs alone {', '.join(f'{cpu[n] / options.runs / alone:.3f}' for n in (1, 2))}"
            )
        seconds = whole_command(config, folder / "start.zarr", 2)
        print(f"2 workers, with their start: {seconds:.1f} s")
        print(size_of(folder / "0-1.zarr", options.runs))


if __name__ == "__main__":
    main()
