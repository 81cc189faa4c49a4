"""Tasks of a sweep on Dask workers, or one after another in this process."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodrift.progress import Progress
from neurodrift.simulate.settings.sweep import SweepConfig
from neurodrift.simulate.store import block_arrays, store_block
from neurodrift.workers import client_of

if TYPE_CHECKING:
    from distributed import Client


def make_blocks(
    config: SweepConfig,
    path: Path,
    blocks: list[int],
    scheduler: str | Client | None,
    workers: int | None,
    progress: bool,
) -> None:
    """Make and store the runs of some tasks.

    Parameters
    ----------
    config
        All runs.
    path
        Store of the sweep.
    blocks
        First run of each task.
    scheduler, workers, progress
        As for :func:`neurodrift.simulate.sweep.run_sweep`.
    """
    n_runs = len(config.runs)
    missing = sum(len(_of_block(config, start)) for start in blocks)
    bar = Progress(n_runs, "sweep", unit="run", initial=n_runs - missing, shown=progress)
    try:
        if scheduler is None and workers == 0:
            for start in blocks:
                _count(bar, _make_block(str(path), start, _of_block(config, start)))
        else:
            with client_of(scheduler, workers, len(blocks)) as client:
                _make_on(client, config, path, blocks, bar)
    finally:
        bar.close()


def _make_on(
    client: Client, config: SweepConfig, path: Path, blocks: list[int], bar: Progress
) -> None:
    from distributed import KilledWorker, as_completed

    name = f"neurodrift-{config.fingerprint[:8]}-{time.time_ns()}"
    futures = {
        client.submit(
            _make_block,
            str(path),
            start,
            _of_block(config, start),
            key=f"{name}-{start}",
            pure=False,
        ): start
        for start in blocks
    }
    try:
        for future in as_completed(list(futures)):
            _count(bar, future.result())
    except KilledWorker as error:
        raise ChildProcessError(
            f"workers died again and again at run {futures[future]} (out of memory?)"
        ) from error
    finally:
        client.cancel(list(futures), force=True)


def _count(bar: Progress, made: list[str]) -> None:
    """Count the runs of one task, and say what came out of the last."""
    bar.say(made[-1])
    bar.add(len(made))


def _of_block(config: SweepConfig, start: int) -> list[Any]:
    return list(config.runs[start : start + config.runs_per_task])


def _make_block(path: str, start: int, settings: list[Any]) -> list[str]:
    """What a worker does: make the runs of one shard and store them; what came out, of each."""
    if not Path(path).is_dir():
        raise FileNotFoundError(f"the worker does not see {path}: it needs a shared file system")
    results = [one.simulate() for one in settings]
    store_block(Path(path), start, block_arrays(Path(path), settings, results))
    return [result.text().partition("\n")[0] for result in results]
