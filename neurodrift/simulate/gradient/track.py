"""The predictive track task: an agent runs to and fro in a corridor and predicts its next view."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from neurodrift.schema.options import checked_options
from neurodrift.seeds import generator
from neurodrift.simulate.gradient.task import (
    NORM_OFFSET,
    Task,
    check_options,
    check_range,
    normalise,
    random_source,
)

Wall = Literal["upper", "right", "lower", "left"]
WALLS: tuple[Wall, ...] = get_args(Wall)
"""The walls of the corridor, clockwise; the agent runs along the right and the left one."""

HEADING_NOISE = 2 * np.pi * np.pi * 0.1 / 360
"""Published change of heading per step [rad], standard deviation; about a third of a degree."""


@checked_options
def predictive_track(
    *,
    n_samples: int = 150,
    n_rays: int = 17,
    width: float = 1.0,
    length: float = 14.0,
    kernel: float = 0.09,
    view_angle: float = np.pi / 8,
    speed: float = 0.2,
    speed_noise: float = 0.0,
    heading_noise: float = HEADING_NOISE,
    end_zone: float = 0.1,
    side_zone: float = 0.5,
    n_arenas: int = 1,
    texture_sd: Literal["paper", "code"] = "paper",
    walls: Literal["lengths", "quarters"] = "lengths",
    heading_change: Literal["views", "code"] = "views",
    value_range: tuple[float, float] = (-1.0, 1.0),
    unit_length: float = 10.0,
    seed: int = 0,
    published_seed: int | None = None,
) -> Task:
    """Predict the next view of textured walls while running along a corridor [1]_.

    Options are as the paper describes the task; where the published code does otherwise,
    ``predictive_track(**PUBLISHED["predictive_track"])`` from
    :mod:`neurodrift.simulate.gradient.tasks` is the code's task.

    Parameters
    ----------
    n_samples
        Steps of the agent over all arenas.
    n_rays
        Points of the view; inputs are these and the change of heading.
    width, length
        Size of the arena across and along [arena units].
    kernel
        Smoothness of the texture as a share of the perimeter, see `texture_sd`.
    view_angle
        Total opening of the view [rad]. The published code opens it by this much to each side.
    speed
        Way per step [arena units].
    speed_noise
        Standard deviation of the way per step [arena units]; 0 is the paper's constant velocity,
        the published code has 0.1.
    heading_noise
        Standard deviation of the change of heading per step [rad].
    end_zone, side_zone
        The agent stops and turns at this share of the length from either end, and is held at
        this share of the width from either side. The published side zone of 0.5 holds it on the
        midline.
    n_arenas
        Arenas with textures of their own, visited one after the other for equally many steps.
    texture_sd
        Smoothing of the texture in tiles: ``paper`` the root of kernel × tiles, ``code`` kernel ×
        tiles.
    walls
        How the texture lies on the walls: ``lengths`` puts it once around the perimeter;
        ``quarters``, as published, lets every wall begin at a further quarter of the texture and
        repeats the last value where a wall reaches past its end.
    heading_change
        The last input: ``views`` is the angle between this view and the next one, within ±π.
        ``code`` is the difference of the headings in [0, 2π), which jumps by 2π at the angle 0
        and knows of a turn one step before the view turns.
    value_range
        Range of inputs and targets; the published track figure was made with (0, 1).
    unit_length
        Length of an arena unit [cm]. With 10, the published arena is 140 cm long, the agent runs
        on its inner 112 cm at 2 cm per step, and bins of 4 cm hold two steps per run.
    seed
        Seed of texture and path.
    published_seed
        Seed of the published code's own generator, drawn from in its order, instead of `seed`.

    Returns
    -------
    Task
        With position along the corridor from the lower turning point [cm], direction (+1 up, -1
        down) and heading [rad, 0 = up, clockwise] of every input view, and, for several arenas,
        the arena as `trial`.

    Raises
    ------
    ValueError
        If an option makes no sense, or all views are equal.

    Notes
    -----
    One step: the agent moves by its speed in the direction of its heading and is clamped to its
    limits; the heading changes by Gaussian noise; it looks; at an end it turns by setting the
    heading along the corridor. The walls carry ``int(2 (width + length) n_rays)`` tiles of
    Gaussian noise, smoothed around the perimeter by a Gaussian. Heading changes and views are
    scaled to the range apart, then together; a heading that never changes is put at the middle.

    References
    ----------
    .. [1] Ratzon, Derdikman, Barak (2024), "Representational drift as a result of implicit
       regularization", eLife 12:RP90069, https://doi.org/10.7554/eLife.90069

    Examples
    --------
    >>> from neurodrift.simulate.gradient.tasks import predictive_track
    >>> task = predictive_track(n_samples=150)
    >>> task.n_inputs, task.n_outputs, sorted(set(task.direction.tolist()))
    (18, 17, [-1, 1])
    """
    options = dict(locals())
    name = "predictive_track"
    check_options(
        name,
        n_samples=(n_samples, "count"),
        n_rays=(n_rays, "count"),
        width=(width, "positive"),
        length=(length, "positive"),
        kernel=(kernel, "positive"),
        view_angle=(view_angle, "positive"),
        speed=(speed, "positive"),
        speed_noise=(speed_noise, "non-negative"),
        heading_noise=(heading_noise, "non-negative"),
        end_zone=(end_zone, "positive"),
        side_zone=(side_zone, "positive"),
        n_arenas=(n_arenas, "count"),
        texture_sd=(texture_sd, "paper|code"),
        walls=(walls, "lengths|quarters"),
        heading_change=(heading_change, "views|code"),
        unit_length=(unit_length, "positive"),
    )
    if n_samples % n_arenas:
        raise ValueError(
            f"task {name!r}: {n_samples} samples cannot be shared equally by {n_arenas} arenas; "
            "make n_samples a multiple of n_arenas"
        )
    if end_zone >= 0.5 or side_zone > 0.5:
        raise ValueError(
            f"task {name!r}: end_zone is {end_zone} and side_zone {side_zone}, expected shares "
            "below 0.5 and of at most 0.5: at 0.5 nothing of the arena is left to run on"
        )
    check_range(name, value_range)
    if int((width + length) * 2 * n_rays) < 1:
        raise ValueError(
            f"task {name!r}: an arena of {width} x {length} has no texture tile; enlarge it"
        )
    return _track(options)


def morph_track(task: Task, level: float, *, walls: Sequence[Wall] = WALLS, seed: int = 0) -> Task:
    r"""Change the walls of a track, on the same path and at the same scale.

    Parameters
    ----------
    task
        A task of :func:`predictive_track`.
    level
        Share of the way to a second texture, from 0, the familiar one, to 1.
    walls
        Walls that change; the agent runs along the right and the left one.
    seed
        Seed of the second texture.

    Returns
    -------
    Task
        Position, direction and heading are those of `task`, and so is the scale of inputs and
        targets: what did not change has the same numbers, and what did may lie outside the range
        of the familiar task. Level 0 gives the familiar inputs and targets, bit for bit.

    Raises
    ------
    ValueError
        If it is another task, or an option makes no sense.

    Notes
    -----
    With the familiar texture :math:`a` and the second one :math:`b`, both smoothed and around
    their means, and :math:`b` made orthogonal to :math:`a` and as long over the tiles,

    .. math:: a_m = \bar a + a \cos(\pi m / 2) + b \sin(\pi m / 2).

    So at every level the texture has the mean and the variance of the familiar one, and correlates
    with it by exactly :math:`\cos(\pi m / 2)`: the change is as large for every network, which
    it would not be with two draws of so few independent places on the walls.

    Examples
    --------
    >>> from neurodrift.simulate.gradient.track import morph_track, predictive_track
    >>> task = predictive_track()
    >>> changed = morph_track(task, 0.5, walls=["left"])
    >>> changed.name, bool((changed.position == task.position).all())
    ('predictive_track, left wall morphed by 0.5', True)
    """
    if task.attrs.get("task") != "predictive_track" or "texture_sd" not in task.attrs:
        raise ValueError(
            f"task {task.name!r} was not made by predictive_track, so it has no walls to change; "
            "make the changed task yourself, with as many inputs and outputs"
        )
    unknown = [wall for wall in walls if wall not in WALLS]
    if isinstance(walls, str) or unknown or not len(walls):
        raise ValueError(f"walls are {walls!r}, expected a list of some of {', '.join(WALLS)}")
    if not 0 <= level <= 1:
        raise ValueError(f"level is {level!r}, expected 0 (the familiar walls) to 1 (others)")
    if "morph" in task.attrs:
        raise ValueError("the walls of this task are changed already: change the familiar task")
    changed = tuple(wall for wall in WALLS if wall in walls)
    options = {key: value for key, value in task.attrs.items() if key != "task"}
    return _track(options, _Morph(float(level), changed, seed))


class _Morph(NamedTuple):
    level: float
    walls: tuple[Wall, ...]
    seed: int

    @property
    def text(self) -> str:
        some = "walls" if self.walls == WALLS else f"{' and '.join(self.walls)} wall"
        return f"predictive_track, {some} morphed by {self.level:g}"


def _track(options: dict[str, Any], morph: _Morph | None = None) -> Task:
    """The task of checked options, with its walls changed or not."""
    o = SimpleNamespace(**options)
    rng = random_source("predictive_track", o.seed, o.published_seed)
    n_steps = o.n_samples // o.n_arenas
    n_tiles = int((o.width + o.length) * 2 * o.n_rays)
    limits = ((0.5 - o.side_zone) * o.width, (0.5 - o.end_zone) * o.length)
    rays = np.linspace(-o.view_angle / 2, o.view_angle / 2, o.n_rays)
    parts = []
    for arena in range(o.n_arenas):  # texture, first heading, steps: the published order of draws
        tiles = smooth_texture(rng.standard_normal(n_tiles), o.kernel, o.texture_sd)
        first = (rng.random() - 1) / 100
        draws = rng.standard_normal((n_steps, 2))
        moves = np.column_stack(
            [o.speed + o.speed_noise * draws[:, 0], o.heading_noise * draws[:, 1]]
        )
        places, gaze, heading = walk(moves, first, limits)
        angles = gaze[:, None] + rays
        phase = wall_phase(places, angles, o.width, o.length, o.walls)
        views = seen = texture_at(tiles, phase)
        if morph is not None and morph.level > 0:
            hit = wall_hits(places, angles, o.width, o.length)[0]
            new = np.isin(hit, [WALLS.index(wall) for wall in morph.walls])
            draw = generator(morph.seed, "second texture", arena).standard_normal(n_tiles)
            other = _mixed(tiles, smooth_texture(draw, o.kernel, o.texture_sd), morph.level)
            seen = np.where(new, texture_at(other, phase), views)
        turned = np.diff(heading)
        if o.heading_change == "views":
            turned = (np.diff(gaze) + np.pi) % (2 * np.pi) - np.pi
        parts.append((views, seen, turned, places[:-1, 1], gaze[:-1]))
    views, seen = (np.stack([part[i] for part in parts]) for i in (0, 1))
    turned, along, gaze = (np.concatenate([part[i] for part in parts]) for i in (2, 3, 4))

    scale = {"low": o.value_range[0], "high": o.value_range[1]}
    still = np.ptp(turned) == 0
    # of the familiar walls and of those that are seen, the same if nothing is changed
    now = [v[:, :-1].reshape(o.n_samples, -1) for v in (views, seen)]
    targets = [v[:, 1:].reshape(o.n_samples, -1) for v in (views, seen)]
    targets = _scaled(_scaled(targets, "targets", **scale), "targets", **scale)
    middle = np.full_like(turned, sum(o.value_range) / 2)
    turned = middle if still else normalise(turned, "heading", **scale)
    inputs = [np.column_stack([v, turned]) for v in _scaled(now, "views", **scale)]
    return Task(
        name="predictive_track" if morph is None else morph.text,
        inputs=_scaled(inputs, "inputs", **scale)[1],
        targets=targets[1],
        position=np.round((along + limits[1]) * o.unit_length, 9),  # ends fall on edges of bins
        direction=np.where(np.cos(gaze) > 0, 1, -1),
        heading=gaze,
        trial=np.repeat(np.arange(o.n_arenas), n_steps) if o.n_arenas > 1 else None,
        attrs={
            "task": "predictive_track",
            **options,
            "value_range": list(o.value_range),
            **({} if morph is None else {"morph": {**morph._asdict(), "walls": list(morph.walls)}}),
        },
    )


def _mixed(tiles: np.ndarray, other: np.ndarray, level: float) -> np.ndarray:
    """Texture between two, with the mean and variance of the first."""
    first, second = tiles - tiles.mean(), other - other.mean()
    second = second - first * (first @ second) / (first @ first)
    length = np.linalg.norm(second)
    if not length > 1e-9 * np.linalg.norm(first):
        raise ValueError(
            f"a texture of {tiles.size} tiles has no other unlike it: enlarge the arena or n_rays"
        )
    second *= np.linalg.norm(first) / length
    return tiles.mean() + np.cos(np.pi / 2 * level) * first + np.sin(np.pi / 2 * level) * second


def _scaled(pair: Sequence[np.ndarray], what: str, *, low: float, high: float) -> list[np.ndarray]:
    """Both arrays as :func:`normalise` scales the first, in the same roundings."""
    familiar = pair[0]
    normalise(familiar, what, low, high)  # refuses values that are all equal
    shift = familiar.min() + NORM_OFFSET
    factor = (familiar - shift).max() + NORM_OFFSET
    return [(high - low) * ((v - shift) / factor - 0.5) + (high + low) / 2 for v in pair]


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
