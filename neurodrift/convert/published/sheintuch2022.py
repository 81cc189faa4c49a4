"""Spike trains and position bins of Sheintuch et al. 2022.

github.com/zivlab/unbiased_information_estimation: the last four sessions on each of two familiar
tracks, real and simulated (with the true information). Only frames of running were published, and
cut together: there is no time axis, no speed and no registration of cells, so nothing here can say
how a cell drifts. The days are inferred: sessions of these mice were two days apart in the schedule
published with Sheintuch et al. 2023.

References
----------
.. [1] Sheintuch L, Rubin A, Ziv Y. Bias-free estimation of information content in temporally sparse
   neuronal activity. PLOS Computational Biology 18, e1009832 (2022).
   https://doi.org/10.1371/journal.pcbi.1009832
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift._version import __version__
from neurodrift.convert.files import all_or_none, sha256
from neurodrift.convert.published.sheintuch2023 import REGIONS
from neurodrift.geometry.geometry import linear
from neurodrift.io.arrays.mat import read_mat
from neurodrift.io.nwb.read import read_session
from neurodrift.io.nwb.session import NwbSession, Series
from neurodrift.io.nwb.write import write_session

ENVIRONMENTS = ("straight", "L")
SHAPE = (2, 4, 2)  # environments, sessions, running directions
N_BINS = 24
BIN = 4.0  # cm
RATES = {"C8M2": 10.0}  # Hz; all others 20
RATE = 20.0
GAP = 1.0  # s between the frames of the two running directions, which were not recorded in turn
START = datetime(2000, 1, 1, tzinfo=UTC)
_AGAIN = "download it again from github.com/zivlab/unbiased_information_estimation"
_SPIKES = "_spike_train.mat"


@dataclass(frozen=True)
class Source:
    """One session on one track."""

    mouse: str
    is_simulated: bool
    environment: str
    number: int  # from 1
    activity: tuple[np.ndarray, np.ndarray]  # (frame, cell) for each running direction
    bins: tuple[np.ndarray, np.ndarray]  # (frame) 1 to 24
    information: dict[str, np.ndarray]  # (cell, direction) of simulated cells
    files: dict[str, str]  # name -> sha256

    @property
    def subject(self) -> str:
        """Label of the mouse; that of its simulation is another one."""
        return f"{self.mouse}_simulated" if self.is_simulated else self.mouse

    @property
    def name(self) -> str:
        """Name of its NWB file."""
        return f"{self.subject}_{self.environment}_{self.number}.nwb"


def convert(
    source_dir: str | os.PathLike[str],
    out_dir: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> list[Path]:
    """Convert every mouse in and below a folder to one NWB file for each track and session.

    Every file is read back and compared with its source. If anything fails, nothing is written.

    Parameters
    ----------
    source_dir
        A folder with ``<mouse>_spike_train.mat`` and ``<mouse>_stimulus_trace.mat``.
    out_dir
        Folder of the new files, named like ``C6M3_straight_1.nwb``.
    overwrite
        Whether existing files are replaced.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    FileExistsError
        If a file exists and `overwrite` is False.
    ValueError
        If a file is missing, broken or contradicts another; the message names it.
    """
    source_dir, out_dir = Path(source_dir), Path(out_dir)
    if not source_dir.is_dir():
        raise ValueError(f"no folder {source_dir}")
    paths = sorted(source_dir.rglob(f"*{_SPIKES}"))
    if not paths:
        raise ValueError(
            f"no file like C6M3{_SPIKES} in {source_dir}: give the folder 'Real data' or "
            "'Simulated data' of github.com/zivlab/unbiased_information_estimation"
        )
    stems = [path.name for path in paths]
    if len(set(stems)) < len(stems):
        twice = next(name for name in stems if stems.count(name) > 1)
        raise ValueError(f"{twice} occurs twice below {source_dir}: give one of the folders")
    names = [
        f"{path.name.removesuffix(_SPIKES)}_{environment}_{number}.nwb"
        for path in paths
        for environment in ENVIRONMENTS
        for number in range(1, SHAPE[1] + 1)
    ]
    with all_or_none(out_dir, names, overwrite=overwrite) as unfinished:
        for path in paths:
            for source in read_source(path):
                write_session(
                    to_session(source),
                    unfinished / source.name,
                    verify=partial(_verify, source=source),
                )
    return [out_dir / name for name in names]


def read_source(path: str | os.PathLike[str]) -> Iterator[Source]:
    """Read the sessions of one mouse.

    Parameters
    ----------
    path
        ``<mouse>_spike_train.mat`` or ``<mouse>_simulated_spike_train.mat``, with the mouse's
        ``_stimulus_trace.mat`` beside it.

    Yields
    ------
    Source
        By track and session.

    Raises
    ------
    ValueError
        If a file is missing, broken or contradicts the other.
    """
    path = Path(path)
    stem = path.name.removesuffix(_SPIKES)
    mouse = stem.removesuffix("_simulated")
    trace_path = path.with_name(f"{mouse}_stimulus_trace.mat")
    truth_path = path.with_name(f"{mouse}_true_information.mat")
    spikes = _cells(path, "spike_train")
    traces = _cells(trace_path, "stimulus_trace")
    used = [path, trace_path]
    truth: dict[str, Any] = {}
    if stem != mouse and truth_path.is_file():
        truth = read_mat(truth_path, ["true_information"])["true_information"]
        used.append(truth_path)
    files = {item.name: sha256(item) for item in used}
    for e, environment in enumerate(ENVIRONMENTS):
        for s in range(SHAPE[1]):
            where = f"environment {e + 1}, session {s + 1} of {path.name}"
            pairs = [_direction(spikes[e, s, d], traces[e, s, d], where) for d in range(2)]
            if pairs[0][0].shape[1] != pairs[1][0].shape[1]:
                raise ValueError(
                    f"{where} has {pairs[0][0].shape[1]} cells in one running direction and "
                    f"{pairs[1][0].shape[1]} in the other: {_AGAIN}"
                )
            n_cells = pairs[0][0].shape[1]
            yield Source(
                mouse=mouse,
                is_simulated=stem != mouse,
                environment=environment,
                number=s + 1,
                activity=(pairs[0][0], pairs[1][0]),
                bins=(pairs[0][1], pairs[1][1]),
                information={
                    name: _truth(values, e, s, n_cells, f"{name} of {truth_path.name}")
                    for name, values in truth.items()
                },
                files=files,
            )


def to_session(source: Source) -> NwbSession:
    """Interpret one session.

    Parameters
    ----------
    source
        A session.

    Returns
    -------
    NwbSession
        Frames of the first running direction (increasing bins), then those of the second. The
        position is the centre of its bin, the activity a response series (real) or spikes
        (simulated).
    """
    rate = RATES.get(source.mouse, RATE)
    first, second = source.activity
    n = len(first)
    # Whole frames, so that no clock is rounded.
    frame = np.arange(n + len(second)) + np.where(np.arange(n + len(second)) < n, 0, GAP * rate)
    time = frame / rate
    activity = np.concatenate(source.activity)
    columns = {
        "source_column": ("column of the source's matrix, from 1", np.arange(1, first.shape[1] + 1))
    }
    for name, values in source.information.items():
        for d in range(2):
            columns[f"true_{name}_{d + 1}"] = (f"true {name} in direction {d + 1}", values[:, d])
    fields: dict[str, Any] = {}
    if source.is_simulated:
        counts = activity.astype(int)
        fields["spikes"] = [_spread(time, column, 1 / rate) for column in counts.T]
    else:
        fields["responses"] = Series(
            name="deconvolved",
            time=time,
            data=activity,
            unit="a.u.",
            description="deconvolved amplitudes (CNMF-E), no counts",
        )
    table = {
        "file": ("name in the data set", list(source.files)),
        "sha256": ("its checksum", list(source.files.values())),
    }
    days = 2.0 * (source.number - 1)
    return NwbSession(
        subject=source.subject,
        environment=source.environment,
        session=str(source.number),
        start=START + timedelta(days=days),
        detection="each_session",
        registered_cell_id=np.full(first.shape[1], -1),
        region=REGIONS.get(source.mouse, "unknown"),
        unit_columns=columns,
        time=time,
        position=(np.concatenate(source.bins) - 0.5) * BIN,
        geometry=linear(),  # run to and fro; each direction stands by itself
        only_running=True,
        series=[
            Series(
                name="direction",
                time=time,
                data=np.repeat(np.array([1, -1], dtype=np.int8), [n, len(second)]),
                unit="1",
                description="running direction: 1 to higher bins, -1 to lower ones",
            )
        ],
        **fields,
        tables={"source_files": ("the files that this one was made from", table)},
        day=days,
        subject_fields={"description": "sex and age are not stated in the data set"},
        file_fields={
            "experiment_description": "familiar straight (1) and L-shaped (2) linear tracks, 96 cm;"
            " calcium imaging" + ("; simulated cells" if source.is_simulated else ""),
            "institution": "Weizmann Institute of Science",
            "lab": "Ziv",
            "keywords": ["place cells", "calcium imaging", "linear track", "information"],
            "related_publications": ["https://doi.org/10.1371/journal.pcbi.1009832"],
            "notes": "No licence is stated. Only frames of running were published, cut together: "
            "times, the date and the gap between the directions are placeholders. Days are "
            "inferred from the schedule of the same mice in Sheintuch et al. 2023. Cells are not "
            "registered between sessions.",
            "source_script": f"neurodrift {__version__}, convert sheintuch2022",
            "source_script_file_name": "sheintuch2022.py",
        },
    )


def _verify(path: Path, source: Source) -> None:
    """Refuse a file that does not read as its source."""
    recording = read_session(path)
    bins = np.concatenate(source.bins)
    same = np.array_equal(recording["activity"].values, np.concatenate(source.activity))
    same &= np.array_equal(recording["x"].values, (bins - 0.5) * BIN)
    same &= np.array_equal(
        recording["direction"].values < 0, np.arange(bins.size) >= len(source.bins[0])
    )
    if not same:
        raise ValueError(f"{path.name} does not read as {', '.join(source.files)}")


def _spread(time: np.ndarray, counts: np.ndarray, step: float) -> np.ndarray:
    """Spike times of one unit, spread evenly over their frames."""
    first = np.cumsum(counts) - counts
    within = np.arange(counts.sum()) - np.repeat(first, counts)
    return np.repeat(time, counts) + step * within / np.repeat(counts, counts)


def _cells(path: Path, name: str) -> np.ndarray:
    if not path.is_file():
        raise ValueError(f"{path} is missing: {_AGAIN}")
    cells = read_mat(path, [name])[name]
    if not isinstance(cells, np.ndarray) or cells.dtype != object or cells.shape != SHAPE:
        raise ValueError(
            f"{name} of {path} has shape {getattr(cells, 'shape', None)}, expected a cell of "
            f"{SHAPE} (environments, sessions, directions): {_AGAIN}"
        )
    return cells


def _direction(activity: Any, trace: Any, where: str) -> tuple[np.ndarray, np.ndarray]:
    if not (
        isinstance(activity, np.ndarray) and activity.ndim == 2 and activity.dtype.kind in "fu"
    ):
        raise ValueError(f"{where}: the spike train is no matrix of (frames, cells): {_AGAIN}")
    if not (np.isfinite(activity) & (activity >= 0)).all():
        raise ValueError(f"{where}: the spike train is negative or NaN: {_AGAIN}")
    bins = np.ravel(trace) if isinstance(trace, np.ndarray) else np.empty(0)
    if bins.size != len(activity):
        raise ValueError(
            f"{where}: the spike train has {len(activity)} frames, the stimulus trace {bins.size}"
        )
    if bins.dtype.kind not in "uif" or not ((bins >= 1) & (bins <= N_BINS)).all():
        raise ValueError(f"{where}: the stimulus trace leaves the bins 1 to {N_BINS}: {_AGAIN}")
    return activity, bins.astype(np.int64)


def _truth(values: Any, e: int, s: int, n_cells: int, where: str) -> np.ndarray:
    if not isinstance(values, np.ndarray) or values.dtype != object or values.shape != SHAPE:
        raise ValueError(f"{where} is no cell of {SHAPE}: {_AGAIN}")
    rows = [np.ravel(values[e, s, d]) for d in range(2)]
    if any(row.size != n_cells for row in rows):
        raise ValueError(f"{where} has {rows[0].size} values, but there are {n_cells} cells")
    return np.column_stack(rows)
