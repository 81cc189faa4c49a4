"""The files of Sheintuch et al. 2020 as they are: read, checked and not interpreted."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.convert.files import sha256
from neurodrift.io.arrays.mat import list_mat, read_mat

REGISTRATION = "cell_registration.mat"
SHEET = "Maps per trial.xlsx"
_SESSION_FILES = ("behavior_{}.mat", "finalEventsMat_{}.mat", "frameLog_{}.csv")
_AGAIN = "download it again from github.com/zivlab/multiple_maps"


@dataclass(frozen=True)
class Row:
    """One movie: a row of frameLog, with 1-based inclusive frames of the event matrix."""

    begin: int
    end: int
    movie: str
    start: datetime

    @property
    def n_frames(self) -> int:
        """Frames of the movie."""
        return self.end - self.begin + 1


@dataclass(frozen=True)
class Environment:
    """A folder: one mouse in one environment."""

    folder: Path
    mouse: str
    name: str
    sessions: tuple[int, ...]
    registration: np.ndarray  # (union cell, session): 1-based column of the session, 0 = none
    map_labels: dict[int, list[int]]  # session -> label of each track trial


@dataclass(frozen=True)
class Source:
    """One session."""

    mouse: str
    environment: str
    number: int
    rows: tuple[Row, ...]
    behavior: tuple[dict[str, Any], ...]  # the entries of my_mvmt, empty where there is none
    n_cells: int
    event_frame: np.ndarray  # (event) 0-based row of the event matrix
    event_cell: np.ndarray  # (event) 0-based column
    amplitude: np.ndarray  # (event)
    union_row: np.ndarray  # (cell) row of cell_to_index_map, -1 = never registered
    map_labels: list[int] | None
    files: dict[str, str]  # name -> sha256


def environments(source_dir: Path) -> list[Environment]:
    """Every environment folder in and below a folder, read but for its sessions.

    Parameters
    ----------
    source_dir
        The data set, a mouse or an environment.

    Returns
    -------
    list of Environment
        Sorted by mouse and environment.

    Raises
    ------
    ValueError
        If there is none, one occurs twice, or a file is missing or broken.
    """
    source_dir = source_dir.resolve()
    if not source_dir.is_dir():
        raise ValueError(f"no folder {source_dir}")
    folders = [d for d in (source_dir, *source_dir.rglob("Environment *")) if _environment(d)]
    if not folders:
        raise ValueError(
            f"no folder 'Environment A' or 'Environment B' in {source_dir}: give the folder Data "
            "of github.com/zivlab/multiple_maps, or of one mouse or environment in it"
        )
    found: dict[tuple[str, str], Environment] = {}
    for folder in sorted(folders):
        environment = _read_environment(folder)
        key = (environment.mouse, environment.name)
        if key in found:
            raise ValueError(
                f"mouse {key[0]}, environment {key[1]} occurs twice: {found[key].folder} and "
                f"{folder}; give one of them"
            )
        found[key] = environment
    return [found[key] for key in sorted(found)]


def read_source(environment: Environment, number: int) -> Source:
    """Read one session.

    Parameters
    ----------
    environment
        Its folder.
    number
        Number of the session.

    Returns
    -------
    Source
        The session's files.

    Raises
    ------
    ValueError
        If a file is missing or broken, or the files contradict each other.
    """
    folder = environment.folder
    paths = [_existing(folder / name.format(number)) for name in _SESSION_FILES]
    behavior_path, events_path, log_path = paths
    events = np.asarray(_load(events_path, "allEventsMat"))
    if events.ndim != 2 or not np.issubdtype(events.dtype, np.number):
        raise ValueError(f"allEventsMat of {events_path} is no matrix of (frames, cells): {_AGAIN}")
    # Columns are contiguous in the file, so the transpose is what is fast to search.
    cell, frame = np.nonzero(events.T)
    amplitude = events.T[cell, frame].astype(np.float64)
    if not (amplitude > 0).all():
        raise ValueError(f"{events_path} holds negative or NaN event amplitudes: {_AGAIN}")
    n_frames, n_cells = events.shape
    rows = read_log(log_path)
    ends = [row.end for row in rows]
    if [row.begin for row in rows] != [1, *(end + 1 for end in ends[:-1])] or ends[-1] != n_frames:
        raise ValueError(
            f"{log_path} does not match {events_path.name}: its movies must follow each other from "
            f"frame 1 to {n_frames}, the rows of the event matrix, but it ends at {ends[-1]}; "
            "check that both files are of the same session"
        )
    used = [*paths, folder / REGISTRATION, folder / SHEET]
    return Source(
        mouse=environment.mouse,
        environment=environment.name,
        number=number,
        rows=rows,
        behavior=_behavior(behavior_path),
        n_cells=n_cells,
        event_frame=frame,
        event_cell=cell,
        amplitude=amplitude,
        union_row=_union_rows(environment, number, n_cells, events_path),
        map_labels=environment.map_labels.get(number),
        files={path.name: sha256(path) for path in used},
    )


def read_log(path: Path) -> tuple[Row, ...]:
    """The movies of a session.

    Parameters
    ----------
    path
        A frameLog file.

    Returns
    -------
    tuple of Row
        In the order of the file.

    Raises
    ------
    ValueError
        If it has not the expected columns, or no movies.
    """
    try:
        with _existing(path).open(newline="", encoding="utf-8-sig") as file:
            rows = tuple(_row(line) for line in csv.DictReader(file))
    except (KeyError, TypeError, ValueError, UnicodeDecodeError) as error:
        if isinstance(error, ValueError) and str(path) in str(error):
            raise
        raise ValueError(
            f"{path} is no frameLog with begFrame, endFrame and a movie recording_YYYYMMDD_HHMMSS "
            f"in Var5: {_AGAIN}"
        ) from error
    if not rows:
        raise ValueError(f"{path} has no rows: {_AGAIN}")
    return rows


def _row(line: dict[str, str]) -> Row:
    begin, end, movie = int(line["begFrame"]), int(line["endFrame"]), line["Var5"].strip()
    stamp = re.search(r"(\d{8})_(\d{6})", movie)
    if stamp is None or end < begin:
        raise ValueError(f"bad row {line}")
    return Row(begin, end, movie, datetime.strptime("".join(stamp.groups()), "%Y%m%d%H%M%S"))


def _environment(folder: Path) -> str | None:
    match = re.fullmatch(r"Environment (\w+)", folder.name)
    return match.group(1) if match and folder.is_dir() else None


def _read_environment(folder: Path) -> Environment:
    pattern = re.compile(r"(?:behavior|finalEventsMat|frameLog)_(\d+)\.(?:mat|csv)")
    numbers = {
        int(m.group(1)) for m in map(pattern.fullmatch, (p.name for p in folder.iterdir())) if m
    }
    if not numbers:
        raise ValueError(f"{folder} holds no sessions (behavior_1.mat, ...): {_AGAIN}")
    path = folder / REGISTRATION
    registration = np.asarray(_load(path, "cell_to_index_map")).astype(np.int64)
    if registration.ndim != 2 or registration.shape[1] < max(numbers):
        raise ValueError(
            f"cell_to_index_map of {path} has shape {registration.shape}, expected one column for "
            f"each of the {max(numbers)} sessions: {_AGAIN}"
        )
    return Environment(
        folder=folder,
        mouse=folder.parent.name,
        name=str(_environment(folder)),
        sessions=tuple(sorted(numbers)),
        registration=registration,
        map_labels=_map_labels(folder / SHEET),
    )


def _map_labels(path: Path) -> dict[int, list[int]]:
    import openpyxl

    try:
        with _existing(path).open("rb") as file:
            sheet = openpyxl.load_workbook(file, read_only=True, data_only=True).worksheets[0]
            rows = [row for row in sheet.iter_rows(min_row=2, values_only=True) if row and row[0]]
        labels = {_integer(row[0]): [_integer(v) for v in row[1:6]] for row in rows}
        return {number: (row + [0] * 5)[:5] for number, row in labels.items()}
    except Exception as error:  # a broken workbook raises anything
        if isinstance(error, ValueError) and str(path) in str(error):
            raise
        raise ValueError(f"{path} cannot be read ({error}): {_AGAIN}") from error


def _integer(cell: Any) -> int:
    return int(float(cell)) if cell is not None else 0


def _behavior(path: Path) -> tuple[dict[str, Any], ...]:
    entries = []
    for number, item in enumerate(np.asarray(_load(path, "my_mvmt")).ravel(), start=1):
        fields: dict[str, Any] = {
            field: value if isinstance(value, str) else np.ravel(value)
            for field, value in (item.items() if isinstance(item, dict) else ())
        }
        lengths = {len(v) for v in fields.values() if isinstance(v, np.ndarray)}
        if len(lengths) > 1:
            raise ValueError(
                f"the vectors of entry {number} of my_mvmt in {path} differ in length "
                f"({sorted(lengths)}): {_AGAIN}"
            )
        entries.append(fields)
    return tuple(entries)


def _union_rows(
    environment: Environment, number: int, n_cells: int, events_path: Path
) -> np.ndarray:
    column = environment.registration[:, number - 1]
    path = environment.folder / REGISTRATION
    used, times = np.unique(column[column > 0], return_counts=True)
    if used.size and used[-1] > n_cells:
        raise ValueError(
            f"{path} points to cell {used[-1]} of session {number}, but {events_path.name} has "
            f"{n_cells} cells: check that both are of the same mouse and environment"
        )
    if (times > 1).any():
        raise ValueError(
            f"{path} registers cell {used[times > 1][0]} of session {number} more than once: "
            f"{_AGAIN}"
        )
    rows = np.full(n_cells, -1, dtype=np.int64)
    registered = np.flatnonzero(column > 0)
    rows[column[registered] - 1] = registered
    return rows


def _load(path: Path, name: str) -> Any:
    _existing(path)
    try:
        if name not in {item.name for item in list_mat(path)}:
            raise ValueError(f"{path} holds no {name}: {_AGAIN}")
        return read_mat(path, [name])[name]
    except ValueError as error:
        if _AGAIN in str(error):
            raise
        raise ValueError(f"{path} is truncated or no MATLAB file ({error}): {_AGAIN}") from error


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"{path} is missing: {_AGAIN}")
    return path
