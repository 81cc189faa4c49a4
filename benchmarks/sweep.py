"""A sweep on two workers against one, what storing costs, and how large a run is on disk.

Efficiency is the wall time on one worker over twice that on two, which means something on a quiet
machine only. The CPU time of driver and workers together, against that of the runs alone, says on
any machine what the sweep adds.

Run: python benchmarks/sweep.py [--runs 12] [--steps 2000000] [--repeats 3] [--small]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import psutil

from neurodrift.simulate._workers import local_client
from neurodrift.simulate.gradient.settings import train_runs
from neurodrift.simulate.settings.sweep_config import SweepConfig, sweep_from_values
from neurodrift.simulate.store import block_arrays, create, store_block
from neurodrift.simulate.sweep import run_sweep


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
            "sweep": {"ranges": [{"key": "seed", "integers": [0, n_runs - 1]}]},
        }
    )


def cpu_seconds() -> float:
    """Of this process and its workers."""
    me = psutil.Process()
    return sum(sum(one.cpu_times()[:2]) for one in (me, *me.children(recursive=True)))


def on_workers(config: SweepConfig, path: Path, n_workers: int) -> tuple[float, float]:
    """Wall and CPU seconds with workers that have started and compiled."""
    warm = configuration(2 * n_workers, 1000)
    with local_client(n_workers, len(config.runs)) as client:
        run_sweep(warm, path.with_name(f"warm-{path.name}"), client=client)
        wall, cpu = time.perf_counter(), cpu_seconds()
        run_sweep(config, path, client=client)
        return time.perf_counter() - wall, cpu_seconds() - cpu


def whole_command(config: SweepConfig, path: Path, n_workers: int) -> float:
    """Wall seconds with the start of the workers."""
    start = time.perf_counter()
    run_sweep(config, path, n_workers=n_workers)
    return time.perf_counter() - start


def main() -> None:
    """Print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--steps", type=int, default=2_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    if options.small:
        options.runs, options.steps, options.repeats = 4, 10_000, 1
    config = configuration(options.runs, options.steps)
    first = list(config.runs[:1])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        create(folder / "write", config)
        train_runs(list(configuration(1, 1000).runs))  # compile
        start = time.process_time()
        runs = train_runs(first)
        trained = time.process_time()
        store_block(folder / "write", 0, block_arrays(first, runs, folder / "write"))
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
        files = [path for path in (folder / "0-1.zarr").rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        print(f"{size / options.runs / 1e6:.2f} MB and {len(files) / options.runs:.0f} files a run")


if __name__ == "__main__":
    main()
