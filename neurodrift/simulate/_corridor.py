"""A corridor: textured walls, the path of an agent, and where its rays meet the walls."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

Wall = Literal["upper", "right", "lower", "left"]
WALLS: tuple[Wall, ...] = get_args(Wall)
"""The walls of the corridor, clockwise; the agent runs along the right and the left one."""


def smooth_texture(tiles: np.ndarray, kernel: float, rule: str) -> np.ndarray:
    """Smooth a ring of tiles by a Gaussian.

    Parameters
    ----------
    tiles
        (tile) values around the perimeter.
    kernel
        Smoothness as a share of the perimeter.
    rule
        ``paper``: the variance is kernel × tiles; ``code``: the standard deviation is.

    Returns
    -------
    numpy.ndarray
        (tile) smoothed values, periodic.
    """
    from scipy.ndimage import gaussian_filter1d

    spread = kernel * tiles.size
    return gaussian_filter1d(tiles, np.sqrt(spread) if rule == "paper" else spread, mode="wrap")


def texture_at(tiles: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Value of a texture at places around the perimeter, linear between tiles.

    Parameters
    ----------
    tiles
        (tile) values around the perimeter.
    phase
        Place as a share of the perimeter, any shape; past 1 the first tile is repeated.

    Returns
    -------
    numpy.ndarray
        Values in the shape of `phase`.
    """
    ring = np.append(tiles, tiles[0])
    return np.interp(phase * tiles.size, np.arange(ring.size), ring)


def walk(
    moves: np.ndarray, heading: float, limits: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Path of an agent that starts in the middle and turns at the ends.

    Parameters
    ----------
    moves
        (step, 2) way [arena units] and noise of the heading [rad] of each step; the noise acts
        one step later, the first step has none.
    heading
        First heading [rad], 0 = up, clockwise.
    limits
        Largest distance from the middle across and along [arena units].

    Returns
    -------
    places
        (step + 1, 2) position across and along at every look.
    gaze
        (step + 1) heading at every look [rad].
    heading
        (step + 1) heading after every look [rad], that is, after a turn.
    """
    places = np.zeros((len(moves) + 1, 2))
    gazes = np.full(len(moves) + 1, heading)
    headings = np.full(len(moves) + 1, heading)
    x = y = noise = 0.0
    for i, (way, next_noise) in enumerate(moves, start=1):
        x = min(max(x + np.sin(heading) * way, -limits[0]), limits[0])
        free = y + np.cos(heading) * way
        y = min(max(free, -limits[1]), limits[1])
        heading = (heading + noise) % (2 * np.pi)
        noise = next_noise
        places[i] = x, y
        gazes[i] = heading
        if free < y:
            heading = 0.0
        elif free > y:
            heading = np.pi
        headings[i] = heading
    return places, gazes, headings


def wall_phase(
    places: np.ndarray, angles: np.ndarray, width: float, length: float, walls: str
) -> np.ndarray:
    """Where rays meet the walls of a rectangle, as a share of the texture.

    The walls are the upper, right, lower and left one, walked clockwise.

    Parameters
    ----------
    places
        (look, 2) origin of the rays inside the rectangle, from its centre [arena units].
    angles
        (look, ray) directions [rad], 0 = up, clockwise.
    width, length
        Size of the rectangle [arena units].
    walls
        ``lengths``: a wall begins where the one before ends. ``quarters``: at its quarter.

    Returns
    -------
    numpy.ndarray
        (look, ray) phase; within [0, 1] with ``lengths``.
    """
    wall, on_wall = wall_hits(places, angles, width, length)
    perimeter = 2 * (width + length)
    if walls == "quarters":
        return wall / 4 + on_wall / perimeter
    begins = np.array([0.0, width, width + length, 2 * width + length])
    return (begins[wall] + on_wall) / perimeter


def wall_hits(
    places: np.ndarray, angles: np.ndarray, width: float, length: float
) -> tuple[np.ndarray, np.ndarray]:
    """Which walls of a rectangle rays meet, and where.

    Parameters
    ----------
    places, angles, width, length
        As for :func:`wall_phase`.

    Returns
    -------
    wall
        (look, ray) index into :data:`WALLS`.
    on_wall
        (look, ray) way along the wall from its beginning, walked clockwise [arena units].
    """
    x, y = places[:, :1], places[:, 1:]
    across, along = np.sin(angles), np.cos(angles)
    with np.errstate(divide="ignore", over="ignore"):  # parallel to a wall: never met
        to_side = np.abs((np.copysign(width / 2, across) - x) / across)
        to_end = np.abs((np.copysign(length / 2, along) - y) / along)
    side = to_side <= to_end
    hit_x, hit_y = x + to_end * across, y + to_side * along
    wall = np.where(side, np.where(across > 0, 1, 3), np.where(along > 0, 0, 2))
    on_wall = np.choose(
        wall, [hit_x + width / 2, length / 2 - hit_y, width / 2 - hit_x, hit_y + length / 2]
    )
    return wall, on_wall
