"""A synthetic mouse and a synthetic cohort; the docstrings say their truth."""

from __future__ import annotations

from typing import TypedDict

import xarray as xr

from neurodrift.testing.tracks import linear_track


class Mouse(TypedDict):
    """What :func:`neurodrift.testing.linear_track` and its truth are made with."""

    n_units: int
    n_sessions: int
    drift: float
    silencing: float
    tuned: float


MOUSE: Mouse = {"n_units": 80, "n_sessions": 8, "drift": 0.15, "silencing": 0.05, "tuned": 0.7}
"""The mouse of the examples: ``neurodrift.testing.linear_track_truth(**MOUSE)`` has its truth."""

_COHORT = {"stable": 0.05, "drifting": 0.3}


def make_mouse() -> xr.Dataset:
    """A mouse that runs on a track of 1 m for eight sessions, two days apart.

    Returns
    -------
    xarray.Dataset
        Calcium events of 80 cells at 20 frames a second, 8 minutes a session. In truth 70 % of the
        cells have place fields, whose places are drawn anew with a probability of 0.15 from one
        session to the next; 5 % of the cells fall silent with every further session; 10 % of the
        cells are missed in a session, whether they are active or not, and no cell is taken for
        another.

    Examples
    --------
    >>> from neurodrift.examples.synthetic import make_mouse
    >>> dict(make_mouse().sizes)
    {'time': 76800, 'unit': 80, 'session': 8}
    """
    mouse = linear_track(**MOUSE, minutes=8.0, detection=0.9, seed=0)
    return mouse.assign_attrs(detection="together").assign_coords(subject="synthetic mouse")


def make_cohort() -> dict[str, xr.Dataset]:
    """Six mice on a track, three in each of two groups.

    Returns
    -------
    dict of xarray.Dataset
        ``"stable 1"`` to ``"drifting 3"``, 40 cells in five sessions of 6 minutes each. In truth
        70 % of the cells have place fields, which move with a probability of 0.05 from one session
        to the next in the stable mice, of 0.3 in the drifting ones; nothing else differs. All
        cells are found in every session, and none is taken for another. The attribute ``group`` of
        a recording is that of the mouse.

    Examples
    --------
    >>> from neurodrift.examples.synthetic import make_cohort
    >>> list(make_cohort())[2:4]
    ['stable 3', 'drifting 1']
    """
    made: dict[str, xr.Dataset] = {}
    for group, drift in _COHORT.items():
        for number in (1, 2, 3):
            name = f"{group} {number}"
            mouse = linear_track(
                n_units=40, n_sessions=5, minutes=6.0, drift=drift, seed=10 * len(made) + number
            )
            mouse = mouse.assign_attrs(detection="together", group=group)
            made[name] = mouse.assign_coords(subject=name)
    return made
