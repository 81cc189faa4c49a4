"""A sweep on two workers against one, what storing costs, and how large a run is on disk.

Run: python benchmarks/sweep.py [--runs 24] [--steps 2000000] [--small]
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from pathlib import Path

from distributed import Client, LocalCluster

from neurodrift.simulate.settings import train_runs
from neurodrift.simulate.sweep import run_sweep
from neurodrift.simulate.sweep_config import SweepConfig, sweep_from_values
from neurodrift.simulate.sweep_store import block_arrays, create, store_block


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


def on_workers(config: SweepConfig, path: Path, n_workers: int) -> float:
    """Wall time with workers that have started and compiled."""
    warm = configuration(2 * n_workers, 1000)
    with (
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster) as client,
    ):
        run_sweep(warm, path.with_name(f"warm-{n_workers}.zarr"), client=client)
        start = time.perf_counter()
        run_sweep(config, path, client=client)
        return time.perf_counter() - start


def main() -> None:
    """Print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=24)
    parser.add_argument("--steps", type=int, default=2_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    if options.small:
        options.runs, options.steps, options.repeats = 4, 10_000, 1
    config = configuration(options.runs, options.steps)
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(options.repeats):
            one, two = (on_workers(config, Path(folder) / f"{repeat}-{n}.zarr", n) for n in (1, 2))
            steps = options.runs * options.steps
            print(
                f"1 worker {one:.1f} s ({steps / one:.3g} steps/s), 2 workers {two:.1f} s "
                f"({steps / two:.3g} steps/s): efficiency {one / two / 2:.3f}"
            )
        store = Path(folder) / "0-1.zarr"
        files = [path for path in store.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        print(f"{size / options.runs / 1e6:.2f} MB and {len(files) / options.runs:.0f} files a run")

        create(Path(folder) / "write", config)
        start = time.perf_counter()
        runs = train_runs(list(config.runs[:1]))
        trained = time.perf_counter()
        arrays = block_arrays(list(config.runs[:1]), runs, Path(folder) / "write")
        store_block(Path(folder) / "write", 0, arrays)
        done = time.perf_counter()
        print(
            f"training a run {trained - start:.2f} s, storing it {1000 * (done - trained):.0f} ms"
        )


if __name__ == "__main__":
    main()
