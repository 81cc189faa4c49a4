"""Dask workers of a sweep or a study: of a scheduler, or processes on this machine."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

_QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.tick.interval": "1s",
    "distributed.nanny.pre-spawn-environ": dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), 1
    ),
}
"""By default an idle driver takes 5 % of a core and a worker 3.5 % to watch themselves, and memory
goes back to the system at every chance (MALLOC_TRIM_THRESHOLD_), which slows arrays of megabytes
that come and go in every step."""

_CLOSING = 1.0
"""Longest that workers that are interrupted are waited for [s]."""


def check_workers(workers: int | None) -> None:
    """Raise an error if a number of workers is none.

    Parameters
    ----------
    workers
        0 or more, or None for all cores.

    Raises
    ------
    ValueError
        If it is less, or no whole number.
    """
    if workers is None or (isinstance(workers, int) and workers >= 0 and workers is not True):
        return
    raise ValueError(
        f"workers is {workers!r}, expected 0 (this process alone), a number of processes, or None "
        "for one a core"
    )


@contextmanager
def client_of(
    scheduler: str | Client | None, workers: int | None, n_tasks: int
) -> Iterator[Client]:
    """Client of a scheduler's address, a given one, or one of workers on this machine.

    Parameters
    ----------
    scheduler
        Address ``tcp://host:port``, or a client, which stays open.
    workers, n_tasks
        As for :func:`local_client`, where there is no scheduler.

    Yields
    ------
    distributed.Client
        The client.

    Raises
    ------
    ValueError
        If `workers` is no number of processes.
    """
    from distributed import Client

    check_workers(workers)
    if isinstance(scheduler, str):
        with Client(scheduler) as client:
            yield client
    elif scheduler is not None:
        yield scheduler
    else:
        with local_client(workers, n_tasks) as client:
            yield client


@contextmanager
def local_client(workers: int | None, n_tasks: int) -> Iterator[Client]:
    """Client of worker processes on this machine.

    Parameters
    ----------
    workers
        How many; one for each processor when omitted.
    n_tasks
        More workers than tasks are not started.

    Yields
    ------
    distributed.Client
        Closed with its workers afterwards; at once where the work raised.
    """
    import dask
    from distributed import Client, LocalCluster

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    others = set(multiprocessing.active_children())
    with dask.config.set(_QUIET):
        with _deaf_threads():  # Ctrl-C of a terminal reaches every process: workers leave it to us
            cluster = LocalCluster(
                n_workers=0,
                threads_per_worker=1,
                processes=True,
                dashboard_address=":0",
                memory_limit=0,
                silence_logs=logging.CRITICAL,
            )
        try:
            client = Client(cluster)
            cluster.scale(min(workers or cores or 1, n_tasks))  # returns before they are there
            yield client
        except BaseException:  # Ctrl-C, or a full disk: workers must not end what they do first
            _end(cluster, others)
            raise
        client.close()
        cluster.close()


@contextmanager
def _deaf_threads() -> Iterator[None]:
    """Threads made here, and all processes that they start, do not hear Ctrl-C."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it would let the thread that starts it hear again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(cluster: LocalCluster, others: set[multiprocessing.process.BaseProcess]) -> None:
    """Kill the workers, also those that are just starting, and let the cluster go."""
    cluster.shutdown_on_close = False  # at the end of Python it would wait for them once more
    for name in ("distributed", "tornado"):  # both tell of the death of every worker
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for nanny in cluster.workers.values():
        nanny.auto_restart = False
    for process in set(multiprocessing.active_children()) - others:
        if process.name.startswith("Dask Worker"):
            process.kill()
    with suppress(Exception):
        cluster.close(timeout=_CLOSING)
