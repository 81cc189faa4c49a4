"""Many simulations of one kind, each a store of its own in one folder: start, resume."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodrift.simulate.settings.kinds import Settings, save_result, settings_text

if TYPE_CHECKING:
    from distributed import Client, Future

TABLE = "runs.csv"
"""Which store is which run."""


def simulate_many(
    settings: Sequence[Settings],
    folder: str | os.PathLike[str],
    *,
    client: Client | None = None,
    n_workers: int | None = None,
    overwrite: bool = False,
    progress: Callable[[int, str], None] | None = None,
) -> list[Path]:
    """Simulate every run that is not in the folder yet.

    Parameters
    ----------
    settings
        Of each run, see :func:`neurodrift.simulate.settings.kinds.settings_of_sweep`.
    folder
        Gets ``run-000.zarr`` and so on, and ``runs.csv`` with what differs between them. A call
        that was interrupted goes on with the same settings; only the runs in flight are lost.
    client
        Dask client whose workers see the folder.
    n_workers
        Worker processes to start without a client, one for each processor when omitted; 0
        simulates one run after another in this process.
    overwrite
        Whether runs with other settings that stand there are replaced.
    progress
        Called with the number of a run that is done and with what came out.

    Returns
    -------
    list of pathlib.Path
        The stores, in order.

    Raises
    ------
    ValueError
        If there are no settings.
    FileExistsError
        If a store of other settings is there and `overwrite` is False; nothing is touched.

    Examples
    --------
    >>> import tempfile
    >>> from neurodrift.simulate.settings.kinds import settings_of_sweep
    >>> from neurodrift.simulate.many import simulate_many
    >>> settings = settings_of_sweep({
    ...     "simulation": "continual", "learner": {"name": "sgd"}, "n_steps": 2, "batch_size": 4,
    ...     "tasks": {"name": "drawn", "n_each": 4, "n_tasks": 2},
    ...     "sweep": {"ranges": [{"key": "seed", "integers": [0, 1]}]},
    ... })
    >>> [path.name for path in simulate_many(settings, tempfile.mkdtemp(), n_workers=0)]
    ['run-000.zarr', 'run-001.zarr']
    """
    if not settings:
        raise ValueError("no settings: expected those of one run or more")
    folder = Path(os.path.abspath(folder))
    paths = [folder / f"run-{number:03d}.zarr" for number in range(len(settings))]
    missing = []
    for number, (one, path) in enumerate(zip(settings, paths, strict=True)):
        if not path.exists() or _stored(path) != settings_text(one):
            missing.append(number)
            if path.exists() and not overwrite:
                raise FileExistsError(
                    f"{path} was made with other settings or another neurodrift, and was kept: "
                    "choose another folder, or pass overwrite (--overwrite)"
                )
    folder.mkdir(parents=True, exist_ok=True)
    _write_table(settings, paths, folder / TABLE)

    def report(number: int, text: str) -> None:
        if progress is not None:
            progress(number, text)

    if missing and client is None and n_workers == 0:
        for number in missing:
            report(number, _make(settings[number], paths[number]))
    elif missing and client is not None:
        _make_on(client, settings, paths, missing, report)
    elif missing:
        from neurodrift.simulate._workers import local_client

        with local_client(n_workers, len(missing)) as local:
            _make_on(local, settings, paths, missing, report)
    return paths


def _make(settings: Settings, path: Path) -> str:
    """What a worker does."""
    result = settings.simulate()
    save_result(result, settings, path, overwrite=path.exists())
    return result.text()


def _make_on(
    client: Client,
    settings: Sequence[Settings],
    paths: Sequence[Path],
    missing: Sequence[int],
    report: Callable[[int, str], None],
) -> None:
    from distributed import as_completed

    futures: dict[Future[Any], int] = {
        client.submit(_make, settings[number], paths[number], pure=False): number
        for number in missing
    }
    try:
        for future in as_completed(list(futures)):
            report(futures[future], future.result())
    finally:
        client.cancel(list(futures), force=True)


def _stored(path: Path) -> str:
    """Settings of a run that stands there; empty if it is none."""
    try:
        attrs = json.loads((path / "measures" / "zarr.json").read_text())["attributes"]
        return str(attrs["settings"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _write_table(settings: Sequence[Settings], paths: Sequence[Path], table: Path) -> None:
    import pandas as pd

    rows = [_flat(dataclasses.asdict(one)) for one in settings]  # type: ignore[call-overload]
    frame = pd.DataFrame(rows, index=pd.Index([path.name for path in paths], name="run"))
    texts = frame.map(json.dumps)
    varied = [key for key in frame if texts[key].nunique() > 1 or key in ("label", "seed")]
    partial = table.with_name(f".{table.name}.partial")
    frame[varied].to_csv(partial)
    os.replace(partial, table)


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """Values by dotted key."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= {f"{key}.{inner}": one for inner, one in _flat(value).items()}
        else:
            found[key] = value
    return found
