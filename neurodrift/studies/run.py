"""A study from beginning to end: every recording analysed, then pooled, then written."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from neurodrift.progress import Progress, note
from neurodrift.schema.objects import path_of
from neurodrift.studies.choices import checked_choices
from neurodrift.studies.one import Made, make_one, results_path
from neurodrift.studies.plan import Plan, load_plan
from neurodrift.studies.recordings import Planned, find_recordings
from neurodrift.studies.written import write_study
from neurodrift.workers import check_workers, client_of

if TYPE_CHECKING:
    from distributed import Client

_MARK = "study.json"
_TITLE = "neurodrift study"


def study(
    plan: str | os.PathLike[str] | Mapping[str, object] | Plan,
    out: str | os.PathLike[str],
    *,
    scheduler: str | Client | None = None,
    workers: int | None = 0,
    reports: bool = True,
    multiverse: bool = False,
    progress: bool = False,
) -> xr.DataTree:
    """Import, check and analyse every recording of a study, pool them, and write it all down.

    What was done before with the same recording, options and code is not done again, so that a
    study that was interrupted goes on where it was, and an animal that is added or an option that
    is changed costs its own time. A recording that fails is told of and does not stop the others.

    Parameters
    ----------
    plan
        The file of the study (docs/studies.md), or its values.
    out
        Folder of the study, new or of the same study before. In it are ``study.zarr`` (the tree
        that is returned), ``report.html``, ``tables`` (CSV, and Parquet where pyarrow is
        installed), ``results`` and ``animals`` (results and report of each recording),
        ``recordings`` (imported NWB files) and ``cache`` (nodes of the analyses, which may be
        deleted).
    scheduler
        Address of a Dask scheduler whose workers see the same files, or a client of it.
    workers
        Processes on this machine, where there is no scheduler: 0 for this one alone, None for one
        for each processor.
    reports
        Whether every recording has a report of its own.
    multiverse
        Whether :func:`neurodrift.multiverse` is run as well, with the choices of the plan.
    progress
        Whether to show a progress bar when on a terminal, and lines otherwise.

    Returns
    -------
    xarray.DataTree
        The nodes of :func:`neurodrift.pool_animals`, and ``recordings/NAME`` with the nodes of
        each recording that have no units.

    Raises
    ------
    FileExistsError
        If the folder is no study, or another command is writing it.
    ValueError
        If the plan cannot be used, or every recording failed.

    Examples
    --------
    >>> import tempfile
    >>> import neurodrift as nd
    >>> folder = tempfile.mkdtemp()
    >>> for i in range(3):
    ...     mouse = nd.testing.linear_track(n_units=8, n_sessions=3, minutes=3, seed=i)
    ...     mouse = mouse.assign_coords(subject=f"m{i}")
    ...     _ = nd.save_recording(mouse, f"{folder}/m{i}.zarr")
    >>> plan = {
    ...     "recordings": [{"path": f"{folder}/m*.zarr"}],
    ...     "analysis": {"n_repeats": 10, "match": "none"},
    ...     "questions": ["fraction_place_cells ~ day"],
    ... }
    >>> found = nd.study(plan, folder + "/out", reports=False)
    >>> sorted(found["recordings"].children)
    ['m0 linear track', 'm1 linear track', 'm2 linear track']
    """
    from neurodrift.io.output import held
    from neurodrift.studies.multiverse import multiverse as run_multiverse
    from neurodrift.studies.report.document import StudyReport

    check_workers(workers)
    plan = load_plan(plan)
    if multiverse:
        checked_choices(plan, None)
    folder = path_of("out", out)
    with held(folder):
        refuse_other(folder)
        mark(folder, plan)
        cohort = find_recordings(plan, folder)
        for text in cohort.notes if progress else ():
            note(text)
        made = _make_all(cohort.recordings, plan, folder, scheduler, workers, reports, progress)
        failed = [one for one in made if one.state == "failed"]
        if len(failed) == len(made):
            texts = "\n".join(f"- {one.name}: {one.text}" for one in failed)
            raise ValueError(f"none of {len(made)} recordings could be analysed:\n{texts}")
        found = write_study(plan, cohort, made, folder)
        if multiverse:
            run_multiverse(plan, folder, scheduler=scheduler, workers=workers, progress=progress)
        StudyReport(folder).write(overwrite=True)
        mark(folder, plan, made)
    return found


def _make_all(
    recordings: Sequence[Planned],
    plan: Plan,
    folder: Path,
    scheduler: str | Client | None,
    workers: int | None,
    reports: bool,
    progress: bool,
) -> list[Made]:
    bar = Progress(len(recordings), "study", unit="recording", shown=progress)
    made: dict[str, Made] = {}
    by_name = {planned.name: planned for planned in recordings}

    def keep(one: Made) -> None:
        if one.state != "failed" and all(before.state == "failed" for before in made.values()):
            _warn_early(plan, results_path(folder, by_name[one.name]), one.name)
        made[one.name] = one
        bar.say(f"{one.name}: {one.state}" + (f" ({one.text})" if one.text else ""))
        bar.add()

    try:
        if scheduler is None and workers == 0:
            for planned in recordings:
                keep(make_one(planned, plan.options, folder, reports=reports))
        else:
            with client_of(scheduler, workers, len(recordings)) as client:
                _make_on(client, recordings, plan, folder, reports, keep)
    finally:
        bar.close()
    return [made[planned.name] for planned in recordings]


def _warn_early(plan: Plan, path: Path, name: str) -> None:
    """Say after the first recording what would otherwise be an error after the last."""
    import dask

    from neurodrift.io.zarr import open_results
    from neurodrift.studies.early import unanswered

    if not plan.questions:
        return
    with dask.config.set(scheduler="synchronous"):  # never by the cluster, which is at work
        told = unanswered(plan, open_results(path))
    for text in told:
        warnings.warn(
            f"{name}, the first recording that is done, cannot answer this: {text}. If no other "
            "can, the study ends with this as an error; what was analysed is kept",
            stacklevel=2,
        )


def _make_on(
    client: Client,
    recordings: Sequence[Planned],
    plan: Plan,
    folder: Path,
    reports: bool,
    keep: Any,
) -> None:
    from distributed import as_completed

    options, here = plan.options, folder.resolve()
    futures = {
        client.submit(make_one, planned, options, here, reports=reports, pure=False): planned
        for planned in recordings
    }
    try:
        for future in as_completed(list(futures)):
            planned = futures[future]
            error = future.exception()
            if error is None:
                keep(future.result())
            else:  # a worker that died again and again
                text = f"its worker ended: {error} (out of memory?)"
                keep(Made(name=planned.name, state="failed", text=text))
    finally:
        client.cancel(list(futures), force=True)


def refuse_other(folder: Path) -> None:
    """Refuse a folder that holds something else than a study.

    Parameters
    ----------
    folder
        Where a study will be.

    Raises
    ------
    FileExistsError
        If it is there and is none.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FileExistsError(f"{folder} is a file and was kept: choose another name")
    if (folder / _MARK).is_file():
        try:
            title = json.loads((folder / _MARK).read_text(encoding="utf-8")).get("title")
        except (ValueError, AttributeError):
            title = None
        if title == _TITLE:
            return
    if any(folder.iterdir()):
        raise FileExistsError(
            f"{folder} is not empty and no study, and was kept: choose another folder"
        )


def mark(folder: Path, plan: Plan, made: Sequence[Made] | None = None) -> None:
    """Say in a folder that it is a study, and what came of each recording.

    Parameters
    ----------
    folder
        Of the study; made if there is none.
    plan, made
        The study, and what came of its recordings; what was said before stays when omitted.
    """
    from neurodrift._version import __version__
    from neurodrift.io.output import whole

    told = {
        "title": _TITLE,
        "study": plan.title,
        "file": plan.source.name,
        "neurodrift_version": __version__,
        "recordings": _said_before(folder)
        if made is None
        else [
            {"name": one.name, "state": one.state, "text": one.text, "warned": list(one.warned)}
            for one in made
        ],
    }
    folder.mkdir(parents=True, exist_ok=True)
    with whole(folder / _MARK, overwrite=True) as unfinished:
        unfinished.write_text(json.dumps(told, indent=1), encoding="utf-8")


def _said_before(folder: Path) -> list[Any]:
    try:
        return list(json.loads((folder / _MARK).read_text(encoding="utf-8"))["recordings"])
    except (OSError, ValueError, KeyError, TypeError):
        return []
