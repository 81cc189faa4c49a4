"""Mazes that many labs use, as graphs; the first node is where trajectories begin."""

from __future__ import annotations

from neurodrift.geometry.geometry import Geometry, graph


def t_maze(stem: float, arm: float, *, spacing: float = 10.0) -> Geometry:
    """A T maze: a stem, and a left and a right arm at its end.

    Parameters
    ----------
    stem, arm
        Lengths of the stem and of each arm [cm].
    spacing
        As for :func:`neurodrift.geometry.graph`.

    Returns
    -------
    Geometry
        Nodes ``home`` (0, 0), ``junction``, ``left`` and ``right``.

    Examples
    --------
    >>> from neurodrift.geometry import t_maze
    >>> print(t_maze(80, 40))
    graph of 3 arms: home-junction, junction-left, junction-right
    """
    nodes = {"home": (0, 0), "junction": (0, stem), "left": (-arm, stem), "right": (arm, stem)}
    edges = [("home", "junction"), ("junction", "left"), ("junction", "right")]
    return graph(nodes, edges, spacing=spacing)


def w_track(width: float, height: float, *, spacing: float = 10.0) -> Geometry:
    """A W track: a centre, a left and a right arm, side by side, joined at one end.

    Parameters
    ----------
    width
        Distance of the two outer arms [cm].
    height
        Length of each arm [cm].
    spacing
        As for :func:`neurodrift.geometry.graph`.

    Returns
    -------
    Geometry
        Nodes ``home`` (end of the centre arm), ``junction``, the corners, ``left`` and ``right``.
    """
    half = width / 2
    nodes = {
        "home": (0, 0),
        "junction": (0, height),
        "left corner": (-half, height),
        "left": (-half, 0),
        "right corner": (half, height),
        "right": (half, 0),
    }
    edges = [
        ("home", "junction"),
        ("junction", "left corner"),
        ("left corner", "left"),
        ("junction", "right corner"),
        ("right corner", "right"),
    ]
    return graph(nodes, edges, spacing=spacing)


def plus_maze(arm: float, *, spacing: float = 10.0) -> Geometry:
    """A plus maze: four arms that meet in the centre.

    Parameters
    ----------
    arm
        Length of each arm [cm].
    spacing
        As for :func:`neurodrift.geometry.graph`.

    Returns
    -------
    Geometry
        Nodes ``centre`` (0, 0), ``south``, ``west``, ``north`` and ``east``.
    """
    nodes = {
        "south": (0, -arm),
        "centre": (0, 0),
        "west": (-arm, 0),
        "north": (0, arm),
        "east": (arm, 0),
    }
    edges = [("south", "centre"), ("centre", "west"), ("centre", "north"), ("centre", "east")]
    return graph(nodes, edges, spacing=spacing)


def figure_eight(width: float, height: float, *, spacing: float = 10.0) -> Geometry:
    """A figure of eight: a stem in the middle, and a way back to its start on either side.

    Parameters
    ----------
    width
        Distance of the two ways back [cm].
    height
        Length of the stem [cm].
    spacing
        As for :func:`neurodrift.geometry.graph`.

    Returns
    -------
    Geometry
        Nodes ``home`` (0, 0, start of the stem), ``junction`` (its end) and four corners. It has no
        ends; a trajectory goes from ``home`` back to it.
    """
    half = width / 2
    nodes = {
        "home": (0, 0),
        "junction": (0, height),
        "left far": (-half, height),
        "left near": (-half, 0),
        "right far": (half, height),
        "right near": (half, 0),
    }
    edges = [
        ("home", "junction"),
        ("junction", "left far"),
        ("left far", "left near"),
        ("left near", "home"),
        ("junction", "right far"),
        ("right far", "right near"),
        ("right near", "home"),
    ]
    return graph(nodes, edges, spacing=spacing)
