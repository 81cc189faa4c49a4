"""Which frames enter an analysis, and in which position bin and direction each of them lies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
import xarray as xr

from neurodrift.analysis.maps._grid import Grid, far_from_ends, grid_of
from neurodrift.geometry.arms import arms_of
from neurodrift.geometry.geometry import Geometry, geometry_of
from neurodrift.recording import is_even, slice_sessions
from neurodrift.schema import check
from neurodrift.schema.options import Range, check_option

MIN_RUNNING_SPEED = 1.0  # cm/s, Sheintuch et al. 2020
_WIDEST = 1e5  # cm
_ENOUGH = 500  # tracked frames that tell an extent
_LEAST_OF_EXTENT = 0.05  # of the positions that given edges must span
_MOST_BINS = 1_000_000  # of one axis
_MOST_TYPES = 63  # of trials, in both directions
_RUN = 0.05  # share of the frames with a direction below which it is not run on purpose
_WITH_GRID = ("circular", "vr", "graph", "category")  # geometries that bring their own bins


@dataclass(frozen=True, kw_only=True)
class Binning:
    """How position becomes bins and which frames count, the same for every analysis.

    Activity and occupancy are always taken from the same frames: the tracked ones that pass the
    speed range and lie in a kept bin. Parameters are held as plain numbers and tuples, so that
    equal binnings compare equal.

    Parameters
    ----------
    bin_width
        Width of a bin [cm, or the unit of the geometry], or one width for each axis. Bins start
        at multiples of the width and cover the positions of the recording. A circle or a corridor
        is a whole number of bins from its origin; each arm of a maze has the whole number of equal
        bins that comes nearest; a category is a bin.
    track
        Both ends of a linear track [cm], between which whole bins of `bin_width` lie. Positions
        outside are not used.
    edges
        Edges of the bins along x [cm], or a pair of them for x and y, instead of `bin_width` and
        `track`. A bin holds its right edge, the first one also its left edge. Positions outside
        are not used.
    exclude_ends
        Length that is left out at both ends of a linear track [cm], counted from the first and
        last edge: bins that reach into it are not used. Also at the ends of a corridor and of the
        arms of a maze; a circle has none.
    speed_range
        Lowest and highest running speed [cm/s] of a frame, both included. When omitted, frames
        slower than 1 cm/s are left out if the recording has a speed; ``(0, inf)`` keeps all.
    directions
        Whether running directions are analysed apart. When omitted, they are if the recording has
        directions and its position is one-dimensional. Frames without a direction are then left
        out. On a circle, in a corridor and in a maze, a direction that has less than 5 % of the
        running frames with one is then left out as well.
    trial_types
        Whether trials of each type (``trial_type``: left and right turns, odours, contexts) are
        analysed apart, as running directions are; frames without a type are then left out.
        Results have them along ``direction``, with a coordinate ``trial_type``: the entries are 1,
        2, ... in the order of the types, negative where they are run backwards.
    min_occupancy
        Shortest time [s] for which a bin must be visited in a session and direction to be used.
    unused_sessions
        What becomes of a session of which no frame can be used, while others have some: ``refuse``
        it, or ``keep`` it without a map, as :func:`neurodrift.analyze` does.

    Examples
    --------
    >>> from neurodrift import Binning
    >>> Binning(bin_width=4.0, exclude_ends=8.0, speed_range=(1.0, 50.0)).bin_width
    4.0
    >>> len(Binning(bin_width=4.0, track=(0.0, 96.0)).edges)
    25
    """

    bin_width: float | tuple[float, float] = 4.0
    track: tuple[float, float] | None = None
    edges: Sequence[float] | np.ndarray | tuple[Sequence[float], Sequence[float]] | None = None
    exclude_ends: float = 0.0
    speed_range: tuple[float, float] | None = None
    directions: bool | None = None
    trial_types: bool = False
    min_occupancy: float = 0.0
    unused_sessions: Literal["refuse", "keep"] = "refuse"

    def __post_init__(self) -> None:
        if not _WIDTH.holds(self.bin_width) or np.size(self.bin_width) > 2:
            raise ValueError(
                f"bin_width is {self.bin_width!r}, expected a positive number [cm], or a pair"
            )
        widths = np.asarray(self.bin_width, dtype=float)
        if self.directions not in (None, True, False):
            raise ValueError(
                f"directions is {self.directions!r}, expected True (apart), False or None"
            )
        if self.trial_types not in (True, False):
            raise ValueError(f"trial_types is {self.trial_types!r}, expected True (apart) or False")
        if self.unused_sessions not in ("refuse", "keep"):
            raise ValueError(
                f"unused_sessions is {self.unused_sessions!r}, expected refuse or keep"
            )
        for name in ("exclude_ends", "min_occupancy"):
            check_option(name, getattr(self, name), Range(0))
            object.__setattr__(self, name, float(getattr(self, name)))
        object.__setattr__(self, "bin_width", _as_tuples(widths))
        if self.track is not None:
            self._lay_bins_on_track()
        if self.speed_range is not None:
            ends = _numbers(self.speed_range)
            if ends is None or ends.shape != (2,) or not ends[0] <= ends[1]:
                raise ValueError(f"speed_range is {self.speed_range!r}, expected (lowest, highest)")
            object.__setattr__(self, "speed_range", _as_tuples(np.asarray(self.speed_range)))
        axes = self.edges_by_axis()
        if axes is not None:
            if len(axes) > 2:
                raise ValueError(f"edges for {len(axes)} axes, expected those of x, or of x and y")
            for axis in axes:
                if axis.ndim != 1 or axis.size < 2 or not np.isfinite(axis).all():
                    raise ValueError("edges must be at least two finite numbers [cm] for each axis")
                if not (np.diff(axis) > 0).all():
                    raise ValueError("edges must increase [cm]")
            self._refuse_other_width(axes)
            tuples = tuple(_as_tuples(axis) for axis in axes)
            object.__setattr__(self, "edges", tuples[0] if len(tuples) == 1 else tuples)

    def _refuse_other_width(self, axes: list[np.ndarray]) -> None:
        """A width that edges do not have would be passed over in silence."""
        width = np.broadcast_to(np.asarray(self.bin_width, dtype=float), (len(axes),))
        default = np.all(width == type(self).bin_width)
        fits = all(np.allclose(np.diff(e), w) for e, w in zip(axes, width, strict=True))
        if not (default or fits):
            raise ValueError(
                f"bin_width is {self.bin_width!r}, but edges (or the track that they were laid "
                "on) give bins of another width: give edges=None, or no bin_width"
            )

    def _lay_bins_on_track(self) -> None:
        """Edges between both ends of the track, which then stand for it."""
        if self.edges is not None:
            raise ValueError("track and edges are both given: give one of them")
        ends = _numbers(self.track)
        if ends is None or ends.shape != (2,) or not np.isfinite(ends).all():
            raise ValueError(f"track is {self.track!r}, expected its two ends [cm]")
        if np.ndim(self.bin_width):
            raise ValueError("track is for one axis: give one bin_width [cm]")
        start, end = (float(value) for value in ends)
        n_bins = round((end - start) / float(np.asarray(self.bin_width)))
        if n_bins < 1 or not np.isclose(start + n_bins * float(np.asarray(self.bin_width)), end):
            raise ValueError(
                f"track from {start:g} to {end:g} cm is not a whole number of bins of "
                f"{self.bin_width:g} cm: change bin_width or the ends"
            )
        object.__setattr__(self, "track", None)
        object.__setattr__(self, "edges", np.linspace(start, end, n_bins + 1))

    def edges_by_axis(self) -> list[np.ndarray] | None:
        """The given edges, one array for each axis [cm].

        Returns
        -------
        list of numpy.ndarray or None
            None where bins are given by their width.
        """
        if self.edges is None:
            return None
        if isinstance(self.edges, str) or not isinstance(self.edges, Sequence | np.ndarray):
            raise TypeError(f"edges is {self.edges!r}, expected numbers [cm], or a pair of such")
        one_axis = all(np.ndim(axis) == 0 for axis in self.edges)
        return [
            np.asarray(axis, dtype=float) for axis in ([self.edges] if one_axis else self.edges)
        ]

    def typical_width(self) -> float:
        """Width of a bin [cm], the median one of the first axis where edges are given.

        Returns
        -------
        float
            Centimetres.
        """
        axes = self.edges_by_axis()
        if axes is None:
            return float(np.atleast_1d(self.bin_width)[0])
        return float(np.median(np.diff(axes[0])))

    def smoothing_or_default(self, smoothing: float | None) -> float:
        """Smoothing of the maps that are compared.

        Parameters
        ----------
        smoothing
            Standard deviation of the Gaussian [cm], or None for the default.

        Returns
        -------
        float
            Centimetres; by default the width of a bin.
        """
        return self.typical_width() if smoothing is None else smoothing

    def to_json(self) -> str:
        """The parameters as JSON, for the provenance of a result.

        Returns
        -------
        str
            One JSON object; an end of the speed range without a limit is null.
        """
        parameters = asdict(self)
        del parameters["track"]  # is among the edges
        del parameters["unused_sessions"]  # changes no number
        if self.speed_range is not None:  # JSON knows no infinity
            parameters["speed_range"] = [v if np.isfinite(v) else None for v in self.speed_range]
        return json.dumps(parameters)

    @classmethod
    def from_json(cls, text: str) -> Binning:
        """The binning of a result, from the attribute ``binning`` that :meth:`to_json` wrote.

        Parameters
        ----------
        text
            One JSON object.

        Returns
        -------
        Binning
            Sessions without a frame are kept, empty.

        Examples
        --------
        >>> from neurodrift import Binning
        >>> Binning.from_json(Binning(bin_width=5).to_json()).bin_width
        5.0
        """
        parameters = json.loads(text)
        speeds = parameters.get("speed_range")
        if speeds is not None:
            ends = zip(speeds, (-np.inf, np.inf), strict=True)
            parameters["speed_range"] = tuple(end if v is None else v for v, end in ends)
        return cls(**parameters, unused_sessions="keep")


_WIDTH = Range(0, open_low=True, unit="cm", several=True)


def _numbers(values: object) -> np.ndarray | None:
    """Numbers as an array; None where they are something else, such as text."""
    found = np.asarray(values)
    return found.astype(float) if found.dtype.kind in "fiu" else None


def as_binning(binning: Binning | None) -> Binning:
    """The binning that a caller means.

    Parameters
    ----------
    binning
        A binning, or None for its defaults.

    Returns
    -------
    Binning
        Never None.

    Raises
    ------
    TypeError
        If it is something else, such as a width alone.
    """
    if binning is None:
        return Binning()
    if not isinstance(binning, Binning):
        raise TypeError(
            f"binning is {binning!r}, expected a neurodrift.Binning: for bins of 4 cm, "
            "Binning(bin_width=4)"
        )
    return binning


def bin_frames(recording: xr.Dataset, binning: Binning) -> xr.Dataset:
    """Put every frame of a recording into a position bin and a direction.

    Parameters
    ----------
    recording
        A recording with a position.
    binning
        The bins and the frames that count.

    Returns
    -------
    xarray.Dataset
        ``position_bin`` (time) and ``direction_bin`` (time), positions along the coordinates
        ``position`` and ``direction``, -1 in frames that are not used; ``x_bin`` and ``y_bin``
        (position), centres of the bins [cm]; ``direction`` is 1 and -1, or 0 where directions
        are not separated; ``session_index`` (time). On a linear track ``position`` holds every
        bin between the first and last edge, so that equal edges give equal grids; in two
        dimensions only the bins that some frame of the recording uses.

    Raises
    ------
    ValueError
        If the recording has no position, no speed or direction where one is asked for, or a
        session has no frame that passes.

    Examples
    --------
    >>> from neurodrift import Binning, bin_frames, testing
    >>> frames = bin_frames(testing.linear_track(n_units=1, minutes=2), Binning(bin_width=5))
    >>> frames.sizes["position"], frames["direction"].values.tolist()
    (20, [1, -1])
    """
    check(recording)
    axes = _axes(recording)
    geometry = geometry_of(recording)
    grid = _own_grid(recording, binning, geometry)
    edges = _edges(recording, axes, binning) if grid is None else [grid.edges]
    n_bins = [axis_edges.size - 1 for axis_edges in edges]
    usable = _fast_enough(recording, binning.speed_range)
    indices = []
    for axis, axis_edges in zip(axes, edges, strict=True):
        values = _wrapped(recording[axis].values, geometry)
        index = np.searchsorted(axis_edges, values, side="left") - 1
        for first in (0,) if grid is None else grid.closed:
            index[values == axis_edges[first]] = first
        usable &= np.isfinite(values) & (index >= 0) & (index < axis_edges.size - 1)
        indices.append(index)
    directions, in_direction = _directions(recording, binning, geometry, usable)
    usable &= in_direction >= 0
    in_bin = np.full(usable.size, -1)
    in_bin[usable] = np.ravel_multi_index([index[usable] for index in indices], n_bins)
    if grid is None:
        kept = _kept_bins(edges, binning.exclude_ends)
    else:
        kept = grid.kept & _far(grid, geometry, binning.exclude_ends)
    in_bin[usable] = np.where(kept[in_bin[usable]], in_bin[usable], -1)
    if binning.min_occupancy > 0:
        in_bin = _drop_rare(recording, in_bin, in_direction, kept.size, binning.min_occupancy)
    if len(axes) > 1:
        kept &= np.bincount(in_bin[in_bin >= 0], minlength=kept.size) > 0
    new_index = np.cumsum(kept) - 1
    in_bin = np.where(in_bin >= 0, new_index[in_bin], -1)
    in_direction = np.where(in_bin >= 0, in_direction, -1)

    middles = np.meshgrid(*[(axis[1:] + axis[:-1]) / 2 for axis in edges], indexing="ij")
    coords = {
        f"{axis}_bin": (
            "position",
            centres.ravel()[kept],
            {"units": geometry.unit, "long_name": f"centre of bin, {axis}"},
        )
        for axis, centres in zip(axes, middles, strict=True)
    }
    if "geometry" in recording.attrs:
        coords["x_bin"][2]["geometry"] = recording.attrs["geometry"]
    if grid is not None:
        about = {"units": geometry.unit, "long_name": "width of bin, x"}
        coords["x_width"] = ("position", np.diff(grid.edges)[kept], about)
        if grid.parts is not None:
            coords["part"] = ("position", grid.parts[kept], {"long_name": "arm or category"})
    frames = xr.Dataset(
        {
            "position_bin": ("time", in_bin.astype(np.int32)),
            "direction_bin": ("time", in_direction.astype(np.int8)),
            "session_index": recording["session_index"].variable,
        },
        coords={
            "direction": ("direction", np.array([code for code, _ in directions], dtype=np.int8)),
            "position": ("position", np.arange(int(kept.sum()))),
            **coords,
        },
        attrs={"binning": binning.to_json()},
    )
    if binning.trial_types:
        about = {"long_name": "kind of the trial", "units": "1"}
        types = np.array([kind for _, kind in directions], dtype=np.int32)
        frames = frames.assign_coords(trial_type=("direction", types, about))
    _refuse_unused_sessions(recording, frames, binning)
    return frames


def used_sessions(recording: xr.Dataset, binning: Binning) -> np.ndarray:
    """Which sessions have a frame that can be put on a map.

    Parameters
    ----------
    recording
        A recording.
    binning
        The bins and the frames that count.

    Returns
    -------
    numpy.ndarray
        (session) bool; all True where there is no position, and so no map at all, and all False
        where no frame of the recording is tracked in a running animal.

    Raises
    ------
    ValueError
        As of :func:`bin_frames`, but only if no session at all has such a frame.
    """
    n_sessions = recording.sizes["session"]
    if "x" not in recording:
        return np.ones(n_sessions, dtype=bool)
    axes = _axes(recording)
    usable = _tracked(recording, axes) & _fast_enough(recording, binning.speed_range)
    usable &= _directions(recording, binning, geometry_of(recording), usable)[1] >= 0
    if binning.speed_range is None and not usable.any():
        return np.zeros(n_sessions, dtype=bool)
    frames = bin_frames(recording, replace(binning, unused_sessions="keep"))
    inside = frames["position_bin"].values >= 0
    index = recording["session_index"].values[inside]
    return np.bincount(index, minlength=n_sessions) > 0


def _own_grid(recording: xr.Dataset, binning: Binning, geometry: Geometry) -> Grid | None:
    """The bins that a geometry brings; None where they follow the positions."""
    if geometry.kind not in _WITH_GRID:
        return None
    if np.ndim(binning.bin_width):
        raise ValueError("bin_width is a pair, but the recording has x alone: give one number [cm]")
    given = binning.edges_by_axis()
    if given is not None and len(given) != 1:
        raise ValueError(f"edges for {len(given)} axes, but the recording has x")
    if not _tracked(recording, ["x"]).any():
        raise ValueError("no frame of the recording has a position")
    width = float(np.asarray(binning.bin_width))
    return grid_of(geometry, width, None if given is None else given[0])


def _far(grid: Grid, geometry: Geometry, exclude_ends: float) -> np.ndarray:
    if exclude_ends == 0:
        return np.ones(grid.kept.size, dtype=bool)
    kept = grid.kept & far_from_ends(geometry, grid, exclude_ends)
    if not kept.any():
        raise ValueError(f"exclude_ends of {exclude_ends} cm leaves no bin of the track")
    return kept


def _wrapped(values: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Positions within the turn of a circle, and on the arms of a maze; others as they are."""
    if geometry.kind == "circular":
        assert geometry.length is not None
        high = geometry.origin + geometry.length  # of a last bin that holds its right edge
        return np.where(values <= geometry.origin, high, np.minimum(values, high))
    if geometry.kind == "graph":
        arms = arms_of(geometry)
        arm, offset = arms.locate(values)
        return np.where(arm >= 0, arms.starts[arm] + offset, np.nan)
    return values


def _axes(recording: xr.Dataset) -> list[str]:
    if "x" not in recording:
        raise ValueError(
            "the recording has no position 'x', so there are no maps; sparsity and the drift of "
            "activity do not need one"
        )
    return ["x", "y"] if "y" in recording else ["x"]


def _edges(recording: xr.Dataset, axes: list[str], binning: Binning) -> list[np.ndarray]:
    given = binning.edges_by_axis()
    if given is not None:
        if len(given) != len(axes):
            raise ValueError(
                f"edges for {len(given)} axes, but the recording has {' and '.join(axes)}"
            )
        tracked = _tracked(recording, axes)
        for axis, along in zip(axes, given, strict=True):
            extent = float(np.ptp(recording[axis].values[tracked])) if tracked.any() else 0.0
            span = float(along[-1] - along[0])
            if span < _LEAST_OF_EXTENT * extent:
                raise ValueError(
                    f"edges cover {span:.3g} cm, but {axis} covers {extent:.3g} cm: are the edges "
                    "in metres? Give them in cm"
                )
        return given
    widths = np.atleast_1d(np.asarray(binning.bin_width))
    if widths.size > len(axes):
        raise ValueError("bin_width is a pair, but the recording has x alone: give one number [cm]")
    tracked = _tracked(recording, axes)
    if not tracked.any():
        raise ValueError("no frame of the recording has a position")
    edges = []
    for axis, width in zip(axes, np.broadcast_to(widths, (len(axes),)), strict=True):
        values = recording[axis].values[tracked]
        extent = float(np.ptp(values))
        if extent / width > _MOST_BINS or width > _WIDEST:
            raise ValueError(
                f"bin_width is {width:g} cm, but {axis} covers {extent:.3g} cm: choose a width "
                "between a fraction and a multiple of a field, such as 4"
            )
        animal = recording["activity"].attrs["kind"] != "activation"
        animal &= geometry_of(recording).is_place
        if 0 < extent < width and animal and values.size >= _ENOUGH:
            raise ValueError(
                f"{axis} covers {extent:.3g} cm, less than a bin of {width:g} cm: is it in metres? "
                "Positions are in cm"
            )
        first = np.floor(values.min() / width)
        last = max(np.ceil(values.max() / width), first + 1)
        multiples = np.arange(first, last + 1) * width
        multiples[0] = min(multiples[0], values.min())  # against rounding
        multiples[-1] = max(multiples[-1], values.max())
        edges.append(multiples)
    return edges


def _tracked(recording: xr.Dataset, axes: list[str]) -> np.ndarray:
    return np.all([np.isfinite(recording[axis].values) for axis in axes], axis=0)


def _kept_bins(edges: list[np.ndarray], exclude_ends: float) -> np.ndarray:
    n_bins = [axis.size - 1 for axis in edges]
    if exclude_ends == 0:
        return np.ones(int(np.prod(n_bins)), dtype=bool)
    if len(edges) > 1:
        raise ValueError("exclude_ends is for a linear track; choose edges for a 2-D environment")
    slack = 1e-9 * (edges[0][-1] - edges[0][0])
    low, high = edges[0][0] + exclude_ends - slack, edges[0][-1] - exclude_ends + slack
    kept = (edges[0][:-1] >= low) & (edges[0][1:] <= high)
    if not kept.any():
        raise ValueError(f"exclude_ends of {exclude_ends} cm leaves no bin of the track")
    return np.asarray(kept)


def _fast_enough(recording: xr.Dataset, speed_range: tuple[float, float] | None) -> np.ndarray:
    if "speed" not in recording:
        if speed_range not in (None, (0.0, np.inf)):
            raise ValueError(
                "speed_range is given, but the recording has no speed: derive it with "
                "neurodrift.kinematics.running(recording)"
            )
        return np.ones(recording.sizes["time"], dtype=bool)
    low, high = (MIN_RUNNING_SPEED, np.inf) if speed_range is None else speed_range
    speed = recording["speed"].values
    return np.asarray((speed >= low) & (speed <= high))


def _directions(
    recording: xr.Dataset, binning: Binning, geometry: Geometry, usable: np.ndarray
) -> tuple[list[tuple[int, int]], np.ndarray]:
    """Code and trial type (-1: all) of what is analysed apart, and where each frame belongs."""
    names, running = _running_directions(recording, binning.directions, geometry, usable)
    if not binning.trial_types:
        return [(name, -1) for name in names], running
    if "trial_type" not in recording:
        raise ValueError(
            "trial_types=True, but the recording has no trial_type: give the kind of the trial of "
            "each frame, -1 for none (recording_from_arrays(trial_type=...))"
        )
    of_frame = recording["trial_type"].values
    types = np.unique(of_frame[usable & (running >= 0) & (of_frame >= 0)])
    if not types.size:
        raise ValueError("no frame that can be used lies in a trial with a type")
    if types.size > _MOST_TYPES:
        raise ValueError(
            f"trial_type has {types.size} values in the frames that can be used: these look like "
            f"numbers of trials; at most {_MOST_TYPES} types are analysed apart"
        )
    sign = [-1 if name < 0 else 1 for name in names]
    codes = [(s * (k + 1), int(kind)) for k, kind in enumerate(types) for s in sign]
    place = np.searchsorted(types, of_frame)
    known = np.isin(of_frame, types) & (running >= 0)
    return codes, np.where(known, place * len(names) + running, -1)


def _running_directions(
    recording: xr.Dataset, separate: bool | None, geometry: Geometry, usable: np.ndarray
) -> tuple[list[int], np.ndarray]:
    chosen = separate is None
    if separate is None:
        separate = "direction" in recording and geometry.one_axis and geometry.is_place
    if not separate:
        return [0], np.zeros(recording.sizes["time"], dtype=np.int64)
    if "direction" not in recording:
        raise ValueError(
            "directions=True, but the recording has no direction: derive it with "
            "neurodrift.kinematics.running(recording)"
        )
    direction = recording["direction"].values
    names = [1, -1]
    if chosen and geometry.kind in _WITH_GRID:
        n_frames = [np.count_nonzero(usable & (direction == name)) for name in names]
        run = [n > _RUN * sum(n_frames) for n in n_frames]
        names = [name for name, is_run in zip(names, run, strict=True) if is_run] or names
    return names, np.select([direction == name for name in names], range(len(names)), -1)


def _drop_rare(
    recording: xr.Dataset,
    in_bin: np.ndarray,
    in_direction: np.ndarray,
    n_bins: int,
    min_occupancy: float,
) -> np.ndarray:
    kept = in_bin.copy()
    durations, n_parts = recording["frame_duration"].values, int(in_direction.max(initial=0)) + 1
    for where in slice_sessions(recording):
        code = np.where(
            in_bin[where] >= 0, in_direction[where] * n_bins + in_bin[where], n_parts * n_bins
        )
        seconds = seconds_by(code, durations[where], n_parts * n_bins + 1)
        enough = seconds >= min_occupancy * (1 - 1e-9)  # three frames of 0.1 s are 0.3 s
        kept[where] = np.where(enough[code], in_bin[where], -1)
    return kept


def seconds_by(code: np.ndarray, durations: np.ndarray, n_codes: int) -> np.ndarray:
    """How long the frames of each code last together.

    Parameters
    ----------
    code
        (time) code of each frame, 0 or more.
    durations
        (time) length of each frame [s].
    n_codes
        How many codes there are.

    Returns
    -------
    numpy.ndarray
        (code) seconds; of frames of one length exactly their number times that.
    """
    if is_even(durations):
        return np.bincount(code, minlength=n_codes) * float(durations[:1].sum())
    return np.bincount(code, durations, minlength=n_codes)


def _refuse_unused_sessions(recording: xr.Dataset, frames: xr.Dataset, binning: Binning) -> None:
    used = frames["position_bin"].values >= 0
    n_sessions = recording.sizes["session"]
    n_used = np.bincount(recording["session_index"].values, weights=used, minlength=n_sessions)
    kept = binning.unused_sessions == "keep" and (n_used > 0).any()
    if (n_used == 0).any() and not kept:
        labels = [str(s) for s in recording["session"].values[n_used == 0]]
        tracked = _tracked(recording, _axes(recording))
        n_tracked = np.bincount(
            recording["session_index"].values, weights=tracked, minlength=n_sessions
        )[n_used == 0].astype(int)
        raise ValueError(
            f"no frame can be used in session {', '.join(map(repr, labels))} (tracked frames: "
            f"{n_tracked.tolist()}; speed range {binning.speed_range or 'default'}, exclude_ends "
            f"{binning.exclude_ends} cm, min_occupancy {binning.min_occupancy} s): widen the "
            "binning or leave the session out with select_sessions"
        )


def _as_tuples(numbers: np.ndarray) -> float | tuple[float, ...]:
    if numbers.ndim == 0:
        return float(numbers)
    return tuple(float(number) for number in numbers)


def session_activity(recording: xr.Dataset, where: slice) -> xr.DataArray:
    """Activity of one session, in one chunk along time if it is lazy.

    Parameters
    ----------
    recording
        A recording over (session, time, unit).
    where
        Frames of the session, from :func:`neurodrift.recording.slice_sessions`.

    Returns
    -------
    xarray.DataArray
        (time, unit) without the coordinate of time, ready for :func:`xarray.apply_ufunc` over
        blocks of units.
    """
    activity = recording["activity"].isel(time=where)
    activity = activity.drop_vars([name for name in activity.coords if name != "unit"])
    if activity.chunks is None:
        return activity
    if not activity.size:  # nothing to read, and Dask divides by the size of a chunk
        return activity.copy(data=np.zeros(activity.shape, dtype=activity.dtype))
    return activity.chunk(time=-1)
