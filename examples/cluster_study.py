"""A study on a cluster with SLURM.

Each worker is a job of SLURM, analyses one recording at a time, and goes before its time is up. The
driver, this script, needs little and may run on the head node or in a job:

    sbatch --time=12:00:00 --mem=4G --wrap "python examples/cluster_study.py study.yaml out"

A driver or worker that is ended loses the recordings in work alone: the same command goes on.
``--workers 2`` tries the same on this machine, without SLURM. Needs the extra ``cluster``.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import xarray as xr

import neurodrift as nd

JOB = {
    "cores": 1,
    "processes": 1,
    "memory": "4GB",  # the largest recording and its analysis, and a margin
    "walltime": "04:00:00",
    "worker_extra_args": ["--lifetime", "225m", "--lifetime-stagger", "10m"],  # ends by itself
}
"""What each job asks of SLURM."""


def main() -> None:
    """Run a study on workers of SLURM, or on local ones."""
    parser = argparse.ArgumentParser(description="Run a study on workers of SLURM.")
    parser.add_argument("plan", nargs="?", type=Path, help="study.yaml (default: two small mice)")
    parser.add_argument("out", nargs="?", type=Path, help="folder of the study")
    parser.add_argument("--jobs", type=int, default=20, help="most jobs at a time")
    parser.add_argument("--partition", help="queue of SLURM")
    parser.add_argument("--workers", type=int, help="processes on this machine instead of jobs")
    given = parser.parse_args()
    plan, out = given.plan, given.out
    if plan is None:
        plan, out = small_study()
        given.workers = given.workers or 0
    if given.workers is not None:
        study = nd.study(plan, out, workers=given.workers, reports=False)
    else:
        study = on_slurm(plan, out or Path("out"), given.jobs, given.partition)
    print(nd.describe_answers(study))


def on_slurm(plan: Path, out: Path, jobs: int, partition: str | None) -> xr.DataTree:
    """The study on jobs of one processor each, as many as the queue gives."""
    from dask_jobqueue import SLURMCluster
    from distributed import Client

    with SLURMCluster(queue=partition, **JOB) as cluster, Client(cluster) as client:
        cluster.adapt(minimum_jobs=1, maximum_jobs=jobs)
        return nd.study(plan, out, scheduler=client, progress=True)


def small_study() -> tuple[dict[str, object], Path]:
    """Two synthetic mice, to see that it runs."""
    folder = Path(tempfile.mkdtemp())
    for i in range(2):
        mouse = nd.testing.linear_track(n_units=10, n_sessions=4, minutes=3, seed=i)
        nd.save_recording(mouse.assign_coords(subject=f"m{i}"), folder / f"m{i}.zarr")
    plan = {
        "recordings": [{"path": str(folder / "*.zarr")}],
        "analysis": {"n_repeats": 10, "match": "none"},
        "questions": ["fraction_place_cells ~ day"],
    }
    return plan, folder / "out"


if __name__ == "__main__":
    main()
