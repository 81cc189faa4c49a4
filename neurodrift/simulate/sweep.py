"""Sweeps: many simulations of any kind on Dask workers, in one store that resumes and opens."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from neurodrift._version import __version__
from neurodrift.io.manifest import DamagedStoreError, join_pieces, missing_files
from neurodrift.io.output import held, mend, replace
from neurodrift.io.zarr import refuse_other_kind
from neurodrift.simulate._workers import make_blocks
from neurodrift.simulate.curvature.measures import SPECTRUM, Collection, summarize_training
from neurodrift.simulate.settings.kinds import settings_from_text
from neurodrift.simulate.settings.sweep import SweepConfig, read_sweep, sweep_of
from neurodrift.simulate.shards import done_marks, resume, sweep_manifest, take_apart
from neurodrift.simulate.store import TITLE, attributes, create, read_groups

if TYPE_CHECKING:
    from distributed import Client

UNFINISHED = ".unfinished"
"""What is added to the name of a sweep under way."""

_MOST_CHUNKS = 100  # of a column along runs: each is one task of Dask
_CURVES = ("loss", "active_fraction", "fraction_active_units")


@dataclass(frozen=True, eq=False, kw_only=True)
class Sweep:
    """A stored sweep, see :func:`open_sweep`; iterating over it gives its recordings.

    Parameters
    ----------
    path
        The store.
    table
        One row for each ``run`` that is done, in Dask chunks of runs; the parameters are in
        memory. Parameters by their dotted keys (NaN or empty where a run has no such option),
        ``reason``, ``snapshots_made``, and what the kind of the runs measures. Of runs by gradient
        descent: ``steps_made``; ``loss``, ``active_fraction`` and ``fraction_active_units`` over
        ``step``; the Hessian's measures over ``snapshot_step``. NaN after the end of a run that is
        shorter than others. Where runs differ in their steps, ``step_of_run`` says which they are.
    finished
        Whether every run is done.
    """

    path: Path
    table: xr.Dataset
    finished: bool

    def __len__(self) -> int:
        return int(self.table.sizes["run"])

    def __iter__(self) -> Iterator[xr.Dataset]:
        for run in self.table["run"].values.tolist():
            yield self.recording(run)

    def settings(self, run: int) -> Any:
        """Complete settings of a run.

        Parameters
        ----------
        run
            Its number.

        Returns
        -------
        Settings
            With them, ``settings.simulate()`` makes the run again.

        Raises
        ------
        ValueError
            If there is no such run, or it is not done.
        """
        return settings_from_text(str(self._row(run)["settings"].values))

    def run(self, run: int, changes: Mapping[str, Any] | None = None) -> Any:
        """A stored run as the simulation left it.

        Parameters
        ----------
        run
            Its number.
        changes
            Settings by dotted key that are no longer true, such as ``tasks.path``: where the
            digits are now.

        Returns
        -------
        Result
            Measures, snapshots of the weights, reason.

        Raises
        ------
        ValueError
            If there is no such run, or its weights were not stored.
        """
        text = str(self._row(run)["settings"].values)
        return settings_from_text(text, changes).restore(read_groups(self.path, run))

    def recording(self, run: int) -> xr.Dataset:
        """A run over its snapshots, as any recording.

        Parameters
        ----------
        run
            Its number.

        Returns
        -------
        xarray.Dataset
            A recording; its subject is ``"run N"``.

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
            the published rule drops a run, is ``reason_dropped`` here; ``reason`` is why the run
            ended.

        Raises
        ------
        ValueError
            If the runs have no loss and active units over common steps.
        """
        table = self.table
        missing = [name for name in (*_CURVES, "step") if name not in table.variables]
        if missing:
            raise ValueError(
                f"a summary needs {', '.join(_CURVES)} over the same steps in every run; "
                f"{self.path} lacks {', '.join(missing)}: use its table"
            )
        spectra = None
        if "eig_sum" in table:
            there = [name for name in SPECTRUM if name in table]
            spectra = table[there].drop_vars("step", errors="ignore").rename(snapshot_step="step")
            spectra = spectra.load()
        found = summarize_training(table[list(_CURVES)].load(), spectra, collection=collection)
        found = found.rename(reason="reason_dropped")
        scalars = [name for name in table.data_vars if table[name].dims == ("run",)]
        rows = table[scalars].drop_vars("settings").sel(run=found["run"].values).load()
        rows = rows.drop_vars([name for name in rows.coords if name != "run"])
        return rows.assign(found.data_vars).assign_attrs(found.attrs)

    def _row(self, run: int) -> xr.Dataset:
        if run not in self.table["run"].values:
            raise ValueError(f"{self.path} has no run {run} that is done; {len(self)} are")
        return self.table.sel(run=run)


def open_sweep(path: str | os.PathLike[str], *, unfinished: bool = False) -> Sweep:
    """Open a sweep of any kind, lazily.

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
    >>> from neurodrift.simulate.settings.sweep import sweep_from_values
    >>> config = sweep_from_values({
    ...     "task": {"name": "random"}, "n_steps": 100, "measures": 11, "snapshots": 2,
    ...     "sweep": {"ranges": [{"key": "rule.update_noise", "values": [0.01, 0.1]}]},
    ... })
    >>> path = run_sweep(config, Path(tempfile.mkdtemp()) / "sweep.zarr", workers=0)
    >>> sweep = open_sweep(path)
    >>> sweep.table["loss"].sizes, sweep.recording(1).sizes["session"]
    (Frozen({'run': 2, 'step': 11}), 2)
    """
    from neurodrift.io.checked import CheckedStore, explained

    path = Path(path)
    under_way = path.with_name(path.name + UNFINISHED)
    if not path.exists() and under_way.exists():
        path = under_way
    attrs = attributes(path)
    try:
        manifest = sweep_manifest(path)
        lost = missing_files(path, manifest)
        if lost and manifest.generation and not unfinished:
            raise DamagedStoreError(
                f"{explained(path, lost)}. The command that made the sweep makes the runs that are "
                "lost again"
            )
        marks = done_marks(path, lost)
        store: Any = CheckedStore(path, manifest)
        table = xr.open_zarr(
            store, consolidated=False, chunks=None, decode_times=False, drop_variables=["data"]
        )
    except DamagedStoreError:
        raise
    except Exception as error:
        raise ValueError(f"{path} cannot be read, the store is damaged: {error}") from error
    whole = bool(marks.all())
    if not unfinished and (not whole or path.name.endswith(UNFINISHED)):
        raise ValueError(
            f"the sweep in {path} is not whole: {int(marks.sum())} of {marks.size} runs are done. "
            "Give the command that began it again to go on, or open what there is with "
            "unfinished=True"
        )
    parameters, lazy = attrs["parameters"], [*attrs["columns"], "settings"]
    task = attrs["runs_per_task"]  # whose runs lie in one file
    table = table[[*parameters, *lazy]]
    columns = {n: table[n].chunk(run=task * -(-marks.size // (task * _MOST_CHUNKS))) for n in lazy}
    table = table.assign(columns).assign({name: table[name].load() for name in parameters})
    if not whole:
        table = table.isel(run=np.flatnonzero(marks))
    for name in [*parameters, *lazy]:
        if table[name].dtype.kind in "UT":
            table[name] = table[name].astype(object)
    return Sweep(path=path, table=table, finished=whole)


def run_sweep(
    config: SweepConfig | Sequence[Any] | str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    scheduler: str | Client | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    progress: bool = False,
) -> Path:
    """Make every run of a sweep, or those that are still missing.

    Parameters
    ----------
    config
        The runs, a YAML file, or a published name, see
        :func:`neurodrift.simulate.settings.sweep.read_sweep`; or the settings of each run, which
        may be of different kinds and sizes.
    path
        Directory of the store. Until all runs are done it is called ``<path>.unfinished``. The
        same call resumes there; at most the runs in flight are lost.
    scheduler
        Address of a Dask scheduler, or a client of it, whose workers see `path`.
    workers
        Worker processes to start without a scheduler, one for each processor when omitted; 0 makes
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
        If something else stands at `path`, or another process is at work on the sweep.
    OSError
        If the runs cannot be stored or a worker dies again and again; what is done is kept.

    Notes
    -----
    A task makes whole shards: it writes its runs and then, as the last thing, describes them in
    the manifest. Runs whose shards are lost or damaged are made again. A run depends on its
    settings alone, so neither workers nor interruptions change a bit of it.
    """
    if isinstance(config, str | os.PathLike):
        config = read_sweep(config)
    elif not isinstance(config, SweepConfig):
        config = sweep_of(config)
    path = Path(os.path.abspath(path))
    with held(path):
        mend(path)
        _run(config, path, scheduler, workers, overwrite, progress)
    return path


def _run(
    config: SweepConfig,
    path: Path,
    scheduler: str | Client | None,
    workers: int | None,
    overwrite: bool,
    progress: bool,
) -> None:
    """Make the runs that are missing at a place that this process holds."""
    under_way = path.with_name(path.name + UNFINISHED)
    if os.path.lexists(path):
        difference = _difference(path, config)
        if not difference and not overwrite:
            again = take_apart(path, under_way)
            if not again:
                return
            warnings.warn(
                f"{path} was damaged: {again} of {len(config.runs)} runs are made again",
                stacklevel=3,
            )
        elif not overwrite:
            raise _refused(difference)
        elif path.is_dir() and not (path / "zarr.json").is_file():
            raise FileExistsError(f"{path} is no Zarr store and was kept: choose another name")
        else:
            refuse_other_kind(path, TITLE)
    if os.path.lexists(under_way):
        difference = _difference(under_way, config)
        if difference and not (overwrite and (under_way / "zarr.json").is_file()):
            raise _refused(difference)
        if difference:
            shutil.rmtree(under_way)
    if not under_way.exists():
        create(under_way, config)
    resume(under_way)
    starts = np.flatnonzero(~done_marks(under_way)) // config.runs_per_task
    blocks = [int(block) * config.runs_per_task for block in np.unique(starts)]
    if blocks:
        try:
            make_blocks(config, under_way, blocks, scheduler, workers, progress)
        except OSError as error:
            raise _kept(error, under_way) from error
    if not done_marks(under_way).all():  # never by the rules above, so never called whole
        raise RuntimeError(f"{under_way} lacks runs after all of them were made")
    for partial in under_way.rglob("*.partial"):  # of writers that were killed
        partial.unlink(missing_ok=True)
    join_pieces(under_way)
    replace(under_way, path)


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


def _kept(error: OSError, path: Path) -> OSError:
    marks = done_marks(path)
    text = (
        f"the sweep stopped: {error}. {int(marks.sum())} of {marks.size} runs are kept in {path}; "
        "mend that and give the same command again"
    )
    return OSError(text)
