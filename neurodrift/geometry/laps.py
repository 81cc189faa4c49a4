"""Laps of each geometry: runs between ends, turns, runs through a corridor, ways through a maze."""

from __future__ import annotations

import math

import numpy as np

from neurodrift.geometry.arms import Arms, arms_of
from neurodrift.geometry.geometry import Geometry
from neurodrift.geometry.steps import jumped
from neurodrift.schema.options import checked_options


@checked_options
def turns(geometry: Geometry, x: np.ndarray, *, end_zone: float = 0.1) -> np.ndarray:
    """Number the turns of a circle from its origin, either way round.

    Parameters
    ----------
    geometry
        A circle.
    x
        (time) position, NaN where it was not tracked.
    end_zone
        Part of a turn that the animal may go back over the origin without a new lap.

    Returns
    -------
    numpy.ndarray
        (time) number of the lap from 0, -1 where it was not tracked.
    """
    assert geometry.length is not None
    lap = np.full(x.shape, -1, dtype=np.int32)
    tracked = np.flatnonzero(np.isfinite(x))
    if not tracked.size:
        return lap
    whole = np.unwrap(x[tracked] - geometry.origin, period=geometry.length) / geometry.length
    numbers = np.zeros(tracked.size, dtype=np.int32)
    current, number = math.floor(whole[0]), 0
    for at, place in enumerate(whole.tolist()):
        if place >= current + 1 or place < current - end_zone:
            current, number = math.floor(place), number + 1
        numbers[at] = number
    lap[tracked] = numbers
    return lap


def runs(geometry: Geometry, time: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Number the runs through a corridor, from one jump to the next.

    Parameters
    ----------
    geometry
        A corridor.
    time
        (time) start of each frame [s].
    x
        (time) position, NaN where it was not tracked.

    Returns
    -------
    numpy.ndarray
        (time) number of the run from 0, -1 where it was not tracked. A way back of more than half
        the corridor over frames that were not tracked is a jump, too.
    """
    assert geometry.length is not None
    lap = np.full(x.shape, -1, dtype=np.int32)
    tracked = np.flatnonzero(np.isfinite(x))
    if tracked.size:
        place = x[tracked]
        new = jumped(geometry, time[tracked], place) | (np.diff(place) < -0.5 * geometry.length)
        lap[tracked] = np.concatenate([[0], np.cumsum(new)])
    return lap


def stations(geometry: Geometry) -> list[str]:
    """Where trajectories of a maze begin and end: its first node, and its ends.

    Parameters
    ----------
    geometry
        A graph.

    Returns
    -------
    list of str
        Names of nodes, the first one first.
    """
    arms = arms_of(geometry)
    home = arms.ends[0, 0]
    ends = [i for i in np.flatnonzero(arms.degree() == 1) if i != home]
    return [arms.nodes[i] for i in [home, *ends]]


def trajectory_names(geometry: Geometry) -> list[str]:
    """Names of the kinds of trajectories of a maze, by their number.

    Parameters
    ----------
    geometry
        A graph.

    Returns
    -------
    list of str
        From the first node to an end ``"left outbound"``, back ``"left inbound"``, between two
        ends ``"left to right"``; of a maze without other ends the node that lies farthest on the
        way (``"left far"``). Empty where no such way is.

    Examples
    --------
    >>> from neurodrift.geometry import t_maze
    >>> from neurodrift.geometry.laps import trajectory_names
    >>> [name for name in trajectory_names(t_maze(80, 40)) if name][:3]
    ['left outbound', 'right outbound', 'left inbound']
    """
    names = stations(geometry)
    if len(names) == 1:
        return list(arms_of(geometry).nodes)
    found = []
    for one in names:
        for other in names:
            text = f"{one} to {other}"
            if one == names[0]:
                text = f"{other} outbound"
            if other == names[0]:
                text = f"{one} inbound"
            found.append("" if one == other else text)
    return found


@checked_options
def trajectories(
    geometry: Geometry, x: np.ndarray, *, end_zone: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    """Number the ways through a maze, and say of which kind each is.

    Parameters
    ----------
    geometry
        A graph.
    x
        (time) linearised position [cm], NaN where it was not tracked.
    end_zone
        Part of the arm at a station that counts as the station.

    Returns
    -------
    lap
        (time) number of the way from 0, -1 where it was not tracked. A way ends when the animal
        enters another station; a turn back to the same one is part of it. In a maze with one
        station, such as a figure of eight, it ends when the animal comes back.
    kind
        (time) number of its kind, see :func:`trajectory_names`; -1 for the ways that are not whole.
    """
    arms = arms_of(geometry)
    arm, offset = arms.locate(x)
    lap = np.full(x.shape, -1, dtype=np.int32)
    kind = np.full(x.shape, -1, dtype=np.int32)
    tracked = np.flatnonzero(arm >= 0)
    if not tracked.size:
        return lap, kind
    arm, offset = arm[tracked], offset[tracked]
    names = stations(geometry)
    numbers = [arms.nodes.index(name) for name in names]
    ways = np.stack([arms.from_node(np.full(arm.shape, n), arm, offset) for n in numbers])
    at = np.full(arm.shape, -1)
    for s, n in enumerate(numbers):
        own = arms.lengths[(arms.ends == n).any(axis=1)]
        at[ways[s] <= end_zone * own.min()] = s
    if len(names) == 1:
        lap[tracked], kind[tracked] = _round_trips(arms, at == 0, ways[0], arm, offset)
        return lap, kind
    visits = np.flatnonzero(at >= 0)
    entered = visits[1:][np.diff(at[visits]) != 0]
    starts = np.concatenate([[0], entered]).astype(int)
    marks = np.zeros(arm.size, dtype=np.int32)
    marks[entered] = 1
    lap[tracked] = np.cumsum(marks)
    kinds = np.full(starts.size, -1)
    if visits.size:
        places = np.concatenate([[at[visits[0]]], at[entered]])
        # The way that begins with station i ends with the one entered next.
        kinds[:-1] = places[:-1] * len(names) + places[1:]
    kind[tracked] = kinds[np.cumsum(marks)]
    before = tracked[: visits[0]] if visits.size else tracked
    kind[before] = -1
    return lap, kind


def _round_trips(
    arms: Arms, home: np.ndarray, way: np.ndarray, arm: np.ndarray, offset: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ways from the only station back to it, told apart by the node that is farthest from it."""
    far = way > 0.5 * way.max()
    marks = np.zeros(home.size, dtype=np.int32)
    been_far, arrivals = False, []
    for at in np.flatnonzero(home | far):
        if far[at]:
            been_far = True
        elif been_far:
            arrivals.append(at)
            been_far = False
    marks[arrivals] = 1
    lap = np.cumsum(marks)
    kind = np.full(home.size, -1)
    to_nodes = np.stack(
        [arms.from_node(np.full(arm.shape, n), arm, offset) for n in range(len(arms.nodes))]
    )
    first = int(np.argmax(home)) if home.any() else home.size
    for number in range(len(arrivals)):
        own = np.flatnonzero(lap == number)
        if own[0] >= first or number > 0:
            top = own[np.argmax(way[own])]
            kind[own] = int(np.argmin(to_nodes[:, top]))
        elif own[-1] > first:
            top = own[np.argmax(way[own])]
            kind[own[own >= first]] = int(np.argmin(to_nodes[:, top]))
    return lap, kind
