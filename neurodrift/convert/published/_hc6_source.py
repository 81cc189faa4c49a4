"""The files of CRCNS hc-6 as they are: found, read and checked, not interpreted.

Every variable is a nest of 1 x n cells counted from 1: ``spikes{day}{epoch}{tetrode}{cell}``. The
file of a day holds empty cells for the days before it. What is empty is written as 0 x 0, 1 x 0 or
a cell that holds nothing, and means "not recorded", not "silent".
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neurodrift.geometry.arms import arms_of
from neurodrift.geometry.geometry import Geometry, graph
from neurodrift.geometry.linearization import project
from neurodrift.io.arrays.mat import read_mat

TICKS = 1e4  # per second: the unit of timerange, while the times of data are seconds
_FILE = re.compile(r"([A-Za-z]{3})(spikes|pos|task|linpos)(\d+)\.mat")
_NEEDED = ("spikes", "pos", "task")
_SMOOTH = {
    "x": ("x-sm", "smooth-x", "x-loess", "x-interp"),
    "y": ("y-sm", "smooth-y", "y-loess", "y-interp"),
    "vel": ("vel-sm", "smooth-v", "vel-loess", "v-sm", "vel"),
}
_FIVE = ("time", "x", "y", "dir", "vel")


@dataclass(frozen=True)
class Rat:
    """The files of one animal."""

    name: str  # prefix of its files, lower case
    days: dict[int, dict[str, Path]]  # day -> kind -> file
    cellinfo: Path | None
    tetinfo: Path | None


@dataclass(frozen=True)
class Epoch:
    """One epoch of a day."""

    number: int  # from 1
    task: dict[str, Any]
    time: np.ndarray  # (sample) [s] on the day's clock
    position: np.ndarray  # (sample, 2) smoothed where there is such a column, in the source's unit
    speed: np.ndarray  # (sample)
    raw: np.ndarray  # (sample, column) all of pos.data
    fields: tuple[str, ...]  # names of its columns
    linear: dict[str, np.ndarray] = field(default_factory=dict)  # lindist, traj of linpos


@dataclass(frozen=True)
class Unit:
    """One cell of one tetrode on one day."""

    tetrode: int
    cell: int
    spikes: dict[int, np.ndarray]  # epoch -> times [s]; only epochs in which it was recorded
    ranges: dict[int, tuple[float, float]]  # epoch -> start and stop [s] where the file tells
    info: dict[str, Any]


@dataclass(frozen=True)
class Day:
    """One day of one rat."""

    rat: str
    number: int
    epochs: tuple[Epoch, ...]
    units: tuple[Unit, ...]
    files: tuple[Path, ...]


def rats(source_dir: Path) -> list[Rat]:
    """Every animal in and below a folder.

    Parameters
    ----------
    source_dir
        The data set, or the folder of one animal.

    Returns
    -------
    list of Rat
        By name. Prefixes of files are matched whatever their case.

    Raises
    ------
    ValueError
        If there is none, or a day lacks a file.
    """
    if not source_dir.is_dir():
        raise ValueError(f"no folder {source_dir}")
    found: dict[str, dict[int, dict[str, Path]]] = {}
    for path in sorted(source_dir.rglob("*.mat")):
        match = _FILE.fullmatch(path.name)
        if match:
            kinds = found.setdefault(match[1].lower(), {}).setdefault(int(match[3]), {})
            if match[2] in kinds:
                raise ValueError(
                    f"{kinds[match[2]]} and {path} are of the same rat and day: give one folder"
                )
            kinds[match[2]] = path
    if not any("spikes" in kinds for days in found.values() for kinds in days.values()):
        raise ValueError(
            f"no file like bonspikes03.mat in {source_dir}: give the folder of hc-6 "
            "(https://doi.org/10.6080/K0NK3BZJ), or of one animal in it, unpacked"
        )
    made = []
    for name, days in sorted(found.items()):
        for day, kinds in days.items():
            missing = [kind for kind in _NEEDED if kind not in kinds]
            if missing:
                raise ValueError(
                    f"{next(iter(kinds.values())).parent} has no {name}{missing[0]}{day:02d}.mat, "
                    f"but {', '.join(path.name for path in kinds.values())}: unpack it again"
                )
        folder = next(iter(next(iter(days.values())).values())).parent
        extra = {path.name.lower(): path for path in folder.glob("*.mat")}
        made.append(
            Rat(
                name,
                dict(sorted(days.items())),
                extra.get(f"{name}cellinfo.mat"),
                extra.get(f"{name}tetinfo.mat"),
            )
        )
    return made


def read_day(rat: Rat, number: int) -> Day:
    """Read one day.

    Parameters
    ----------
    rat
        The animal.
    number
        The day.

    Returns
    -------
    Day
        Its epochs that have a position, and its units.

    Raises
    ------
    ValueError
        If a file is broken, or the files contradict each other.
    """
    paths = rat.days[number]
    pos = _day(paths["pos"], "pos", number)
    task = _day(paths["task"], "task", number)
    linpos = _day(paths["linpos"], "linpos", number) if "linpos" in paths else np.empty((1, 0))
    epochs = []
    for e in range(1, pos.size + 1):
        item = element(pos, e)
        if not isinstance(item, dict) or is_empty(item.get("data")):
            continue
        where = f"pos{{{number}}}{{{e}}} of {paths['pos'].name}"
        epochs.append(_epoch(e, item, element(task, e), element(linpos, e), where))
    if not epochs:
        raise ValueError(f"{paths['pos']} has no epoch with a position")
    for before, after in zip(epochs[:-1], epochs[1:], strict=True):
        if after.time[0] <= before.time[-1]:
            raise ValueError(
                f"{paths['pos']}: epoch {after.number} starts at {after.time[0]:g} s, before epoch "
                f"{before.number} ends at {before.time[-1]:g} s: a day has one clock"
            )
    used = [*paths.values(), *(path for path in (rat.cellinfo, rat.tetinfo) if path)]
    return Day(rat.name, number, tuple(epochs), tuple(_units(rat, number)), tuple(used))


def element(cells: Any, number: int) -> Any:
    """Element of a 1 x n cell, counted from 1; None where it is empty or there is none.

    Parameters
    ----------
    cells
        A cell, or what stands where there is none.
    number
        Which element.

    Returns
    -------
    object
        The element, None if it is empty.
    """
    if not isinstance(cells, np.ndarray) or cells.dtype != object or cells.size < number:
        return None
    found = cells.ravel()[number - 1]
    return None if is_empty(found) else found


def is_empty(value: Any) -> bool:
    """Whether a value is one of the ways in which MATLAB writes nothing.

    Parameters
    ----------
    value
        A value of :func:`neurodrift.io.arrays.mat.read_mat`.

    Returns
    -------
    bool
        True for 0 x 0, 1 x 0, an empty text, a struct without fields, and a cell of such.
    """
    if value is None or isinstance(value, dict | str | list):
        return not value
    if isinstance(value, np.ndarray) and value.dtype == object:
        return all(is_empty(item) for item in value.ravel())
    return isinstance(value, np.ndarray) and value.size == 0


def text(value: Any) -> str:
    """A text, empty where there is an empty array instead.

    Parameters
    ----------
    value
        A field of a struct.

    Returns
    -------
    str
        Without blanks around it.
    """
    if isinstance(value, np.ndarray) and value.dtype == object and value.size == 1:
        return text(value.ravel()[0])
    return value.strip() if isinstance(value, str) else ""


def number(value: Any) -> float:
    """A number, NaN where there is none.

    Parameters
    ----------
    value
        A field of a struct; a cell around it is taken off.

    Returns
    -------
    float
        The number.
    """
    if isinstance(value, np.ndarray) and value.dtype == object and value.size == 1:
        return number(value.ravel()[0])
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub" and value.size >= 1:
        return float(value.ravel()[0])
    return float("nan")


def _day(path: Path, kind: str, day: int) -> np.ndarray:
    """The day's element of a file, which must be the only one that is not empty."""
    content = read_mat(path)
    name = next((key for key in content if key.lower() == kind), None)
    if name is None:
        raise ValueError(f"{path} holds {', '.join(content) or 'nothing'}, expected {kind}")
    cells = content[name]
    if not isinstance(cells, np.ndarray) or cells.dtype != object:
        raise ValueError(f"{kind} of {path} is no cell of days")
    full = [i for i in range(1, cells.size + 1) if element(cells, i) is not None]
    if full != [day]:
        raise ValueError(
            f"{path} should hold day {day} and nothing else, but its days are "
            f"{full or 'empty'}: the number in its name and its contents differ"
        )
    found = element(cells, day)
    # A day of one epoch is one struct in a cell, and still a cell.
    if not isinstance(found, np.ndarray) or found.dtype != object:
        raise ValueError(f"{kind}{{{day}}} of {path} is no cell of epochs")
    return found


def _epoch(e: int, item: dict[str, Any], task: Any, linpos: Any, where: str) -> Epoch:
    data = np.asarray(item["data"], dtype=np.float64)
    names = tuple(text(item.get("fields")).split())
    if not names and data.ndim == 2 and data.shape[1] == len(_FIVE):
        names = _FIVE
    # Names such as "vel (cm/s)" would shift the columns behind them.
    if data.ndim != 2 or len(names) != data.shape[1] or names[:3] != _FIVE[:3]:
        raise ValueError(
            f"{where} has data of shape {data.shape} and the fields {' '.join(names)!r}, expected "
            "a column for each, the first being time x y"
        )
    time = data[:, 0]
    if time.size < 2 or not (np.diff(time) > 0).all():
        raise ValueError(f"{where}: its times are not strictly increasing, or fewer than two")
    columns = {key: _column(names, (*smooth, key)) for key, smooth in _SMOOTH.items()}
    if columns["vel"] is None:
        raise ValueError(f"{where} has no velocity among its fields {' '.join(names)}")
    position = data[:, [columns["x"], columns["y"]]]
    # Upstream a lost animal is at (0, 0).
    lost = (data[:, 1:3] == 0).all(axis=1)
    speed = np.abs(data[:, columns["vel"]])
    position = np.where((lost | ~np.isfinite(speed))[:, None], np.nan, position)
    return Epoch(
        number=e,
        task=task if isinstance(task, dict) else {},
        time=time,
        position=position,
        speed=speed,
        raw=data,
        fields=names,
        linear=_linear(linpos, time),
    )


def _column(names: tuple[str, ...], wanted: tuple[str, ...]) -> Any:
    return next((names.index(name) for name in wanted if name in names), None)


def _linear(linpos: Any, time: np.ndarray) -> dict[str, np.ndarray]:
    """Distance and trajectory of linpos, if it is there and on the clock of the position."""
    state = linpos.get("statematrix") if isinstance(linpos, dict) else None
    if not isinstance(state, dict):
        return {}
    found = {
        name: np.ravel(state[name]).astype(np.float64)
        for name in ("time", "lindist", "traj")
        if isinstance(state.get(name), np.ndarray) and state[name].dtype.kind in "fiu"
    }
    if len(found) < 3 or any(values.shape != time.shape for values in found.values()):
        return {}
    return found if np.allclose(found.pop("time"), time, rtol=0, atol=1e-3) else {}


def _units(rat: Rat, day: int) -> Iterator[Unit]:
    """Units that were recorded in any epoch of the day."""
    path = rat.days[day]["spikes"]
    spikes = _day(path, "spikes", day)
    info = _info(rat.cellinfo, "cellinfo", day)
    tetrodes = _info(rat.tetinfo, "tetinfo", day)
    times: dict[tuple[int, int], dict[int, np.ndarray]] = {}
    ranges: dict[tuple[int, int], dict[int, tuple[float, float]]] = {}
    about: dict[tuple[int, int], dict[str, Any]] = {}
    for e in range(1, spikes.size + 1):
        epoch = element(spikes, e)
        for tet in range(1, getattr(epoch, "size", 0) + 1):
            group = element(epoch, tet)
            for c in range(1, getattr(group, "size", 0) + 1):
                item = element(group, c)
                if not isinstance(item, dict):
                    continue
                where = f"spikes{{{day}}}{{{e}}}{{{tet}}}{{{c}}} of {path.name}"
                key = (tet, c)
                times.setdefault(key, {})[e] = _spike_times(item, where)
                limits = item.get("timerange")
                if isinstance(limits, np.ndarray) and limits.size == 2:
                    start, stop = np.ravel(limits).astype(float) / TICKS
                    ranges.setdefault(key, {})[e] = (float(start), float(stop))
                fields = about.setdefault(key, {})
                cell = element(element(element(info, e), tet), c)
                tetrode = element(element(tetrodes, e), tet)
                for found in (cell, tetrode, item):
                    for name, value in found.items() if isinstance(found, dict) else ():
                        if name != "data" and not is_empty(value):
                            fields.setdefault(name, value)
    for key in sorted(times):
        yield Unit(*key, times[key], ranges.get(key, {}), about[key])


def _spike_times(item: dict[str, Any], where: str) -> np.ndarray:
    """Column 0, whatever follows; nothing where the cluster had no spikes."""
    data = item.get("data")
    names = text(item.get("fields")).split()
    if names and names[0] != "time":
        raise ValueError(f"{where} begins with the field {names[0]!r}, expected time")
    if is_empty(data):
        return np.empty(0)
    if not isinstance(data, np.ndarray) or data.ndim != 2 or data.dtype.kind not in "fiu":
        raise ValueError(f"{where} has no matrix of spikes")
    times = data[:, 0].astype(np.float64)
    if not np.isfinite(times).all():
        raise ValueError(f"{where} has spikes without time")
    return times


def _info(path: Path | None, name: str, day: int) -> Any:
    if path is None:
        return None
    content = read_mat(path)
    key = next((key for key in content if key.lower() == name), None)
    if key is None:
        raise ValueError(f"{path} holds {', '.join(content) or 'nothing'}, expected {name}")
    return element(content[key], day)


GAP = 50.0  # cm between the trajectories on the common axis
SAME = 5.0  # cm within which corners of the two paths are one
WELL = 15.0  # cm along the track within which the animal is at a well


def linear_position(
    distance: np.ndarray, trajectory: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Trajectories side by side on one axis, so that each has bins of its own.

    Parameters
    ----------
    distance
        (sample) distance from the centre well along the track [cm].
    trajectory
        (sample) 1 and 3 from the centre to the one and the other side, 2 and 4 back; anything else
        is none of them.

    Returns
    -------
    position : numpy.ndarray
        (sample) distance [cm], shifted by a constant on the second side; NaN off trajectories.
    direction : numpy.ndarray
        (sample) 1 outbound, -1 inbound, 0 none.
    shift : float
        That constant [cm].
    """
    is_on = np.isin(trajectory, (1, 2, 3, 4)) & np.isfinite(distance)
    longest = float(distance[is_on].max()) if is_on.any() else 0.0
    shift = float(np.ceil((longest + GAP) / 50) * 50)
    side = np.where(np.isin(trajectory, (3, 4)), shift, 0.0)
    position = np.where(is_on, distance + side, np.nan)
    outbound = np.isin(trajectory, (1, 3))
    direction = np.where(is_on, np.where(outbound, 1, -1), 0).astype(np.int8)
    return position, direction, shift


def trajectories(position: np.ndarray, paths: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Distance along a W track and trajectory, from the position and the track's vertices.

    ``track-linearization`` lays the position onto the track.

    A trajectory is a run between two different wells, without another well between: from the
    centre to a side (1, 3) or back (2, 4). A run from one side to the other is neither.

    Parameters
    ----------
    position
        (sample, 2) position [cm], NaN where it was lost.
    paths
        For each of the two sides the vertices (vertex, 2) from the centre well to the side well
        [cm]; both begin with the same well.

    Returns
    -------
    distance : numpy.ndarray
        (sample) distance from the centre well along the nearer path [cm].
    trajectory : numpy.ndarray
        (sample) 1 to 4, -1 for none.
    """
    on = [_project(position, path) for path in paths]
    off = np.stack([np.where(np.isfinite(far), far, np.inf) for _, far in on])
    nearer = np.argmin(off, axis=0)
    distance = np.where(nearer == 0, on[0][0], on[1][0])
    lengths = [float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum()) for path in paths]
    well = np.full(len(position), -1)
    well[distance < WELL] = 0
    for side in (0, 1):
        well[(nearer == side) & (on[side][0] > lengths[side] - WELL)] = side + 1
    trajectory = np.full(len(position), -1)
    visits = np.flatnonzero(well >= 0)
    for before, after in zip(visits[:-1], visits[1:], strict=True):
        first, last = well[before], well[after]
        if first == last or (first > 0 and last > 0):
            continue
        side = max(first, last) - 1
        run = slice(before, after + 1)
        trajectory[run] = 2 * side + (1 if first == 0 else 2)
        distance[run] = on[side][0][run]
    return distance, trajectory


def maze_of(paths: list[np.ndarray]) -> Geometry:
    """The W track of two paths from the centre well, as a graph.

    Parameters
    ----------
    paths
        Result of :func:`paths_of` [cm].

    Returns
    -------
    Geometry
        Nodes ``centre``, ``first side``, ``second side`` and the corners between.
    """
    places: list[np.ndarray] = []
    edges: dict[tuple[int, int], None] = {}
    ends = []
    for path in paths:
        numbers = []
        for corner in path:
            near = [i for i, place in enumerate(places) if np.linalg.norm(place - corner) < SAME]
            numbers.append(near[0] if near else len(places))
            if not near:
                places.append(corner)
        ends.append(numbers[-1])
        edges |= dict.fromkeys(pair for pair in itertools.pairwise(numbers) if pair[0] != pair[1])
    named = {0: "centre", ends[0]: "first side", ends[1]: "second side"}
    names = [named.get(i, f"corner {i}") for i in range(len(places))]
    nodes = {name: place.tolist() for name, place in zip(names, places, strict=True)}
    return graph(nodes, [(names[a], names[b]) for a, b in edges])


def paths_of(linearcoord: Any) -> list[np.ndarray] | None:
    """The two paths of a task's ``linearcoord``.

    Parameters
    ----------
    linearcoord
        Cell of (vertex, 2, time) coordinates, one for each trajectory.

    Returns
    -------
    list of numpy.ndarray or None
        (vertex, 2) for each side at the first time; None if it describes no W track.
    """
    if not isinstance(linearcoord, np.ndarray) or linearcoord.dtype != object:
        return None
    paths = []
    for item in linearcoord.ravel():
        if not isinstance(item, np.ndarray) or item.ndim not in (2, 3) or item.shape[1] != 2:
            return None
        path = (item[:, :, 0] if item.ndim == 3 else item).astype(np.float64)
        if len(path) < 2 or not np.isfinite(path).all():
            return None
        paths.append(path)
    if len(paths) < 2 or not np.allclose(paths[0][0], paths[1][0], atol=5.0):
        return None
    return paths[:2]


def _project(position: np.ndarray, path: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distance along a path of the nearest point on it, and distance from that point."""
    moved = np.linalg.norm(np.diff(path, axis=0), axis=1) > 0
    corners = path[np.concatenate([[True], moved])]
    names = [str(i) for i in range(len(corners))]
    track = graph(dict(zip(names, corners, strict=True)), list(itertools.pairwise(names)))
    arms = arms_of(track)
    found, away = project(arms, position)
    arm, offset = arms.locate(found)
    before = np.concatenate([[0.0], np.cumsum(arms.lengths)[:-1]])
    return np.where(arm >= 0, before[arm] + offset, np.nan), away
