"""Many runs on Dask workers, stored one by one: start, resume, open."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from neurodrift._version import __version__
from neurodrift.io.zarr import replace
from neurodrift.simulate._workers import make_blocks
from neurodrift.simulate.curvature.measures import SPECTRUM, Collection, summarize_training
from neurodrift.simulate.gradient.run import MEASURES, REASONS, Run
from neurodrift.simulate.gradient.settings import RunSettings
from neurodrift.simulate.settings.sweep_config import SweepConfig, read_sweep
from neurodrift.simulate.store import (
    attributes,
    create,
    done_marks,
    unflatten,
)

if TYPE_CHECKING:
    from distributed import Client

UNFINISHED = ".unfinished"
"""What is added to the name of a sweep under way."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Sweep:
    """A stored sweep, see :func:`open_sweep`.

    Parameters
    ----------
    path
        The store.
    table
        One row for each ``run`` that is done. Parameters by their dotted keys (NaN or empty where
        a task has no such option), ``reason``, ``steps_made``; ``loss``, ``active_fraction`` and
        ``fraction_active_units`` over ``step``; the Hessian's measures over ``snapshot_step``. NaN
        after the end of a run that diverged or whose units all died. Curves are read when used.
    finished
        Whether every run is done.
    """

    path: Path
    table: xr.Dataset
    finished: bool

    def settings(self, run: int) -> RunSettings:
        """Complete settings of a run.

        Parameters
        ----------
        run
            Its number.

        Returns
        -------
        RunSettings
            With them, ``settings.train()`` makes the run again.

        Raises
        ------
        ValueError
            If there is no such run, or it is not done.
        """
        return RunSettings(**json.loads(self._row(run)["settings"].item()))

    def run(self, run: int) -> Run:
        """A stored run as :func:`neurodrift.simulate.gradient.engine.train` gave it.

        Parameters
        ----------
        run
            Its number.

        Returns
        -------
        Run
            Measures, snapshots of the weights, reason.

        Raises
        ------
        ValueError
            If there is no such run, or its weights were not stored.
        """
        import zarr

        row, settings = self._row(run), self.settings(run)
        if not settings.weights:
            raise ValueError(
                f"{self.path} was made with weights: false, so run {run} has no snapshots; train "
                "it again: sweep.settings(run).train()"
            )
        made = int(row["snapshots_made"])
        group = zarr.open_group(self.path, mode="r", zarr_format=3, use_consolidated=False)
        stored: Any = group["weights"]
        task, network, rule = settings.build()
        end = int(row["steps_made"])
        measures = row[list(MEASURES)].isel(step=row["step"].values <= end).load()
        measures = measures.drop_vars(["run", "snapshot_step", "early_step"], errors="ignore")
        measures.attrs = {"seed": settings.seed, "reason": row["reason"].item(), "steps_made": end}
        return Run(
            task=task,
            network=network,
            rule=rule,
            seed=settings.seed,
            measures=measures,
            snapshot_steps=row["snapshot_step"].values[:made],
            weights=unflatten(settings, np.asarray(stored[run, :made])),
            reason=row["reason"].item(),
        )

    def recording(self, run: int) -> xr.Dataset:
        """The hidden layer of a run over its snapshots, as any recording.

        Parameters
        ----------
        run
            Its number.

        Returns
        -------
        xarray.Dataset
            A recording, see :meth:`neurodrift.simulate.gradient.run.Run.recording`; its subject is
            ``"run N"``.

        Raises
        ------
        ValueError
            If there is no such run, its weights were not stored, or it ended before its first
            snapshot.
        """
        return self.run(run).recording(subject=f"run {run}")

    def summary(self, *, collection: Collection = "all") -> xr.Dataset:
        """One row for each run with what it came to, beside its parameters.

        Parameters
        ----------
        collection
            ``all`` runs, or only those that the ``published`` rule keeps.

        Returns
        -------
        xarray.Dataset
            Parameters, and the columns of
            :func:`neurodrift.simulate.curvature.measures.summarize_training`. Its ``reason``, why
            the published
            rule drops a run, is ``reason_dropped`` here; ``reason`` is why the run ended.
        """
        table = self.table
        spectra = None
        if "eig_sum" in table:
            there = [name for name in SPECTRUM if name in table]
            spectra = table[there].drop_vars("step", errors="ignore").rename(snapshot_step="step")
        curves = table[list(MEASURES)].load()
        found = summarize_training(curves, spectra, collection=collection)
        found = found.rename(reason="reason_dropped")
        scalars = [name for name in table.data_vars if table[name].dims == ("run",)]
        rows = table[scalars].drop_vars("settings").sel(run=found["run"].values)
        rows = rows.drop_vars([name for name in rows.coords if name != "run"])
        return rows.assign(found.data_vars).assign_attrs(found.attrs)

    def _row(self, run: int) -> xr.Dataset:
        if run not in self.table["run"].values:
            known = self.table.sizes["run"]
            raise ValueError(f"{self.path} has no run {run} that is done; {known} are")
        return self.table.sel(run=run)


def open_sweep(path: str | os.PathLike[str], *, unfinished: bool = False) -> Sweep:
    """Open a sweep.

    Parameters
    ----------
    path
        A store made by :func:`run_sweep` or ``neurodrift sweep``.
    unfinished
        Whether a sweep that is under way, or was killed, is opened as far as it is done.

    Returns
    -------
    Sweep
        Its table and recordings.

    Raises
    ------
    FileNotFoundError
        If there is no sweep.
    ValueError
        If it is not whole and `unfinished` is False, is damaged, or no sweep.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from neurodrift.simulate.sweep import open_sweep, run_sweep
    >>> from neurodrift.simulate.settings.sweep_config import sweep_from_values
    >>> config = sweep_from_values({
    ...     "task": {"name": "random"}, "n_steps": 100, "measures": 11, "snapshots": 2,
    ...     "sweep": {"ranges": [{"key": "rule.update_noise", "values": [0.01, 0.1]}]},
    ... })
    >>> path = run_sweep(config, Path(tempfile.mkdtemp()) / "sweep.zarr", n_workers=0)
    >>> sweep = open_sweep(path)
    >>> sweep.table["loss"].sizes, sweep.recording(1).sizes["session"]
    (Frozen({'run': 2, 'step': 11}), 2)
    """
    path = Path(path)
    under_way = path.with_name(path.name + UNFINISHED)
    if not path.exists() and under_way.exists():
        path = under_way
    attributes(path)
    try:
        marks = done_marks(path)
        table = xr.open_zarr(path, consolidated=False, chunks=None, decode_times=False)
    except Exception as error:
        raise ValueError(f"{path} cannot be read, the store is damaged: {error}") from error
    whole = bool(marks.all())
    if not unfinished and (not whole or path.name.endswith(UNFINISHED)):
        raise ValueError(
            f"the sweep in {path} is not whole: {int(marks.sum())} of {marks.size} runs are done. "
            "Give the command that began it again to go on, or open what there is with "
            "unfinished=True"
        )
    order = [*table.attrs["parameters"], "reason", "steps_made", "snapshots_made", *MEASURES]
    order += sorted(set(map(str, table.data_vars)) - {*order, "done", "weights"})
    table = table[order].assign_coords(table.coords).isel(run=np.flatnonzero(marks))
    words = np.array(REASONS, dtype=object)[table["reason"].values]
    table["reason"] = ("run", words, {"long_name": "why the run ended"})
    for name in list(table.variables):
        if table[name].dims == ("run",):
            values = table[name].load()
            if values.dtype.kind in "UT":
                table[name] = values.astype(object)
    return Sweep(path=path, table=table, finished=whole)


def run_sweep(
    config: SweepConfig | str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    client: Client | None = None,
    n_workers: int | None = None,
    overwrite: bool = False,
    progress: bool = False,
) -> Path:
    """Make every run of a sweep, or those that are still missing.

    Parameters
    ----------
    config
        The runs, a YAML file, or a published name, see
        :func:`neurodrift.simulate.settings.sweep_config.read_sweep`.
    path
        Directory of the store. Until all runs are done it is called ``<path>.unfinished``. The
        same call resumes there; at most the runs in flight are lost.
    client
        Dask client whose workers see `path`.
    n_workers
        Worker processes to start without a client, one for each processor when omitted; 0 makes
        the runs one after another in this process.
    overwrite
        Whether another store at `path`, or a sweep under way there with another configuration, is
        replaced.
    progress
        Whether a bar is shown on a terminal.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    ValueError
        If the configuration cannot be used.
    FileExistsError
        If something else stands at `path`.
    OSError
        If the runs cannot be stored or a worker dies again and again; what is done is kept.

    Notes
    -----
    A task makes whole shards: it writes its runs and then, as the last thing, their done marks. A
    run depends on its settings alone, so neither workers nor interruptions change a bit of it.
    """
    config = config if isinstance(config, SweepConfig) else read_sweep(config)
    path = Path(os.path.abspath(path))
    under_way = path.with_name(path.name + UNFINISHED)
    if os.path.lexists(path):
        difference = _difference(path, config)
        if not difference and not overwrite:
            return path
        if not overwrite:
            raise _refused(difference)
        if path.is_dir() and not (path / "zarr.json").is_file():
            raise FileExistsError(f"{path} is no Zarr store and was kept: choose another name")
    if os.path.lexists(under_way):
        difference = _difference(under_way, config)
        if difference and not (overwrite and (under_way / "zarr.json").is_file()):
            raise _refused(difference)
        if difference:
            with _lock(under_way):
                shutil.rmtree(under_way)
    if not under_way.exists():
        create(under_way, config)
    with _lock(under_way):
        starts = np.flatnonzero(~done_marks(under_way)) // config.runs_per_task
        blocks = [int(block) * config.runs_per_task for block in np.unique(starts)]
        if blocks:
            try:
                make_blocks(config, under_way, blocks, client, n_workers, progress)
            except OSError as error:
                raise _kept(error, under_way) from error
        if not done_marks(under_way).all():  # never by the rules above, so never called whole
            raise RuntimeError(f"{under_way} lacks runs after all of them were made")
        for partial in under_way.rglob("*.partial"):  # of writers that were killed
            partial.unlink(missing_ok=True)
        replace(under_way, path)
    return path


def _difference(path: Path, config: SweepConfig) -> str:
    """How what stands there differs from a sweep of this configuration; empty if it does not."""
    try:
        attrs = attributes(path)
    except (OSError, ValueError) as error:
        return str(error)
    version, done = attrs["neurodrift_version"], int(done_marks(path).sum())
    if attrs["fingerprint"] != config.fingerprint:
        return f"{path} is a sweep of another configuration ({done} runs are done)"
    if version != __version__:
        return f"{path} was begun by neurodrift {version} ({done} runs are done)"
    return ""


def _refused(difference: str) -> FileExistsError:
    return FileExistsError(
        f"{difference}, and was kept: choose another name, move it, or pass overwrite (--overwrite)"
    )


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Refuse two drivers at one store; the system lets go of the lock when a driver dies."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    with (path / "zarr.json").open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FileExistsError(f"another process is at work on the sweep in {path}") from error
        yield


def _kept(error: OSError, path: Path) -> OSError:
    marks = done_marks(path)
    text = (
        f"the sweep stopped: {error}. {int(marks.sum())} of {marks.size} runs are kept in {path}; "
        "mend that and give the same command again"
    )
    return OSError(text)
