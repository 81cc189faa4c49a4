"""What the environment or another mapped variable is shaped like, as one small object."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import xarray as xr

KINDS = ("linear", "circular", "vr", "graph", "field", "category")
"""Shapes that a :class:`Geometry` can have."""

UNITS = {"cm": None, "deg": 360.0, "rad": 2 * math.pi, "s": None, "1": None}
"""Units of a mapped variable, and the length of a full turn in those of an angle."""

SHAPES = ("rectangle", "circle", "polygon")
"""Outlines that a field can have."""

_TEXT = re.compile(r"(linear|circular|vr|field)(?::\s*([0-9.eE+-]+)?\s*(cm|deg|rad|s|1)?)?")
_ROUND = 1e-6  # of a length: rounding of positions


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """The shape of what is mapped; :func:`circular`, :func:`vr`, :func:`graph` ... make one.

    Parameters
    ----------
    kind
        ``linear`` (to and fro between two ends), ``circular`` (no ends), ``vr`` (one way through a
        corridor, then a jump back to its start), ``graph`` (arms that meet), ``field`` (two axes)
        or ``category`` (names without an order).
    length
        Length of one turn of a circle or of a corridor [unit].
    origin
        Where the circle or the corridor begins [unit].
    nodes
        Name, x and y [cm] of the ends and junctions of a graph.
    edges
        Names of the two ends of each arm of a graph, in the order of the linearised position.
    spacing
        Length between two arms in the linearised position [cm], in which there is nothing.
    shape
        Outline of a field: ``rectangle``, ``circle`` or ``polygon``; empty where it is not known.
    outline
        Two opposite corners of a rectangle, centre and a point on the rim of a circle, or the
        corners of a polygon [cm].
    names
        Names of the categories, whose numbers from 0 are the values of `x`.
    unit
        Unit of the variable: ``cm``, ``deg``, ``rad``, ``s`` or ``1``.
    variable
        What it is, for axes and messages, such as ``head direction``.
    proposed
        Whether it was proposed from the positions, and not stated.

    Examples
    --------
    >>> from neurodrift.geometry import Geometry, circular
    >>> belt = circular(180)
    >>> belt.to_json()
    '{"kind": "circular", "length": 180.0}'
    >>> Geometry.from_json(belt.to_json()) == belt
    True
    """

    kind: str
    length: float | None = None
    origin: float = 0.0
    nodes: tuple[tuple[str, float, float], ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    spacing: float = 10.0
    shape: str = ""
    outline: tuple[tuple[float, float], ...] = ()
    names: tuple[str, ...] = ()
    unit: str = "cm"
    variable: str = "position"
    proposed: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind of geometry is {self.kind!r}, expected one of {_list(KINDS)}")
        if self.unit not in UNITS:
            raise ValueError(f"unit of the geometry is {self.unit!r}, expected {_list(UNITS)}")
        if not isinstance(self.variable, str) or not self.variable.strip():
            raise ValueError(f"variable of the geometry is {self.variable!r}, expected a name")
        self._set(origin=_number("origin", self.origin))
        if self.kind in ("circular", "vr"):
            full = UNITS[self.unit] if self.length is None else self.length
            if full is None:
                raise ValueError(
                    f"a geometry that is {self.kind} needs its length [{self.unit}], such as "
                    f"{self.kind!r}:200 in text or {self.kind}(200)"
                )
            self._set(length=_number("length", full, above=0.0))
        elif self.length is not None:
            raise ValueError(f"length is {self.length!r}, but a geometry {self.kind} has none")
        if self.kind in ("graph", "field") and self.unit != "cm":
            raise ValueError(f"a geometry {self.kind} is in cm, got unit {self.unit!r}")
        if self.kind == "category":
            self._set(unit="1", names=tuple(str(name) for name in self.names))
        self._check_own()
        owners = {"nodes": "graph", "edges": "graph", "shape": "field", "outline": "field"}
        for name, kind in (owners | {"names": "category"}).items():
            if kind != self.kind and getattr(self, name):
                raise ValueError(f"{name} is given, but a geometry {self.kind} has none")

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _check_own(self) -> None:
        if self.kind == "graph":
            self._check_graph()
        if self.kind == "field" and (self.shape or self.outline):
            if self.shape not in SHAPES:
                raise ValueError(f"shape is {self.shape!r}, expected one of {_list(SHAPES)}")
            points = _points("outline", self.outline)
            wanted = {"rectangle": 2, "circle": 2}.get(self.shape)
            if len(points) < 3 if wanted is None else len(points) != wanted:
                raise ValueError(
                    f"outline has {len(points)} points, but a {self.shape} has "
                    f"{'at least 3' if wanted is None else wanted}"
                )
            self._set(outline=points)
        if self.kind == "category" and len(set(self.names)) < max(len(self.names), 2):
            raise ValueError(
                f"names of the categories are {list(self.names)}, expected two or more, each once"
            )

    def _check_graph(self) -> None:
        try:
            nodes = tuple((str(name), float(x), float(y)) for name, x, y in self.nodes)
            edges = tuple((str(one), str(other)) for one, other in self.edges)
        except (TypeError, ValueError) as error:
            raise ValueError(
                "nodes of a graph are (name, x, y) [cm] and its edges pairs of their names, got "
                f"{self.nodes!r:.60} and {self.edges!r:.60}"
            ) from error
        self._set(nodes=nodes, edges=edges, spacing=_number("spacing", self.spacing, above=0.0))
        names = [name for name, _, _ in nodes]
        if len(set(names)) < len(names):
            raise ValueError(f"nodes of the graph have equal names: {names}")
        unknown = sorted({name for edge in edges for name in edge} - set(names))
        if unknown:
            raise ValueError(f"edges name {unknown}, but the nodes are {names}")
        if not edges:
            raise ValueError("a graph needs at least one edge between two of its nodes")
        alone = sorted(set(names) - {name for edge in edges for name in edge})
        if alone:
            raise ValueError(f"no edge of the graph goes to {alone}: drop the node or add an edge")
        if len({frozenset(edge) for edge in edges}) < len(edges) or any(a == b for a, b in edges):
            raise ValueError(
                f"edges are {list(edges)}: each joins two different nodes, and stands once; give a "
                "loop or a second way further nodes at its corners"
            )
        places = {name: (x, y) for name, x, y in nodes}
        for one, other in edges:
            if not 0 < math.dist(places[one], places[other]) < math.inf:
                raise ValueError(f"edge {one}-{other} has no length: its nodes are at one place")

    @property
    def has_laps(self) -> bool:
        """Whether an animal runs laps: from end to end, round, or through."""
        return self.is_place and self.kind != "field"

    @property
    def is_place(self) -> bool:
        """Whether it is a position in centimetres, so that its changes are a speed."""
        return self.unit == "cm" and self.kind != "category"

    @property
    def one_axis(self) -> bool:
        """Whether it is a function of `x` alone."""
        return self.kind != "field"

    def to_json(self) -> str:
        """The geometry as JSON, as a recording holds it.

        Returns
        -------
        str
            One JSON object, with what differs from the defaults.
        """
        found = {item.name: getattr(self, item.name) for item in fields(self)}
        default = {item.name: item.default for item in fields(self)}
        return json.dumps({name: v for name, v in found.items() if v != default[name]})

    def to_pairs(self) -> str:
        """The geometry as a JSON list of names and values, for tables that want no objects.

        Returns
        -------
        str
            What :meth:`from_json` takes as well.
        """
        return json.dumps(list(json.loads(self.to_json()).items()))

    @classmethod
    def from_json(cls, text: str) -> Geometry:
        """The geometry that :meth:`to_json` wrote.

        Parameters
        ----------
        text
            One JSON object, or a list of the names and values in it.

        Returns
        -------
        Geometry
            The geometry.

        Raises
        ------
        ValueError
            If the text is no geometry.
        """
        try:
            values = json.loads(text)
        except (TypeError, ValueError) as error:
            raise ValueError(f"geometry is no JSON: {text!r:.80}") from error
        if isinstance(values, list) and all(isinstance(v, list) and len(v) == 2 for v in values):
            values = {str(name): value for name, value in values}
        if not isinstance(values, dict):
            raise ValueError(f"geometry is {text!r:.80}, expected a JSON object with a kind")
        return _from_mapping(values)

    def __str__(self) -> str:
        about = "" if self.variable == "position" else f" of {self.variable}"
        if self.kind in ("circular", "vr"):
            start = f" from {self.origin:g}" if self.origin else ""
            return f"{self.kind}{about}, {self.length:g} {self.unit}{start}"
        if self.kind == "graph":
            return f"graph of {len(self.edges)} arms: {', '.join('-'.join(e) for e in self.edges)}"
        if self.kind == "field" and self.shape:
            return f"field, {self.shape}"
        if self.kind == "category":
            return f"category{about}: {', '.join(self.names)}"
        return f"{self.kind}{about}" + ("" if self.unit == "cm" else f" [{self.unit}]")


def linear(*, unit: str = "cm", variable: str = "position") -> Geometry:
    """A track between two ends, or another variable along one axis.

    Parameters
    ----------
    unit, variable
        Unit and name of the variable, such as ``"s"`` and ``"time in the trial"``.

    Returns
    -------
    Geometry
        The geometry.
    """
    return Geometry(kind="linear", unit=unit, variable=variable)


def circular(
    length: float | None = None,
    *,
    origin: float = 0.0,
    unit: str = "cm",
    variable: str = "position",
) -> Geometry:
    """A round track or a belt, or an angle: its end is its beginning.

    Parameters
    ----------
    length
        Length of one turn [unit]; a full turn of an angle when omitted.
    origin
        The lowest value of the variable [unit].
    unit, variable
        Unit and name of the variable, such as ``"deg"`` and ``"head direction"``.

    Returns
    -------
    Geometry
        The geometry.

    Examples
    --------
    >>> from neurodrift.geometry import circular
    >>> print(circular(unit="deg", origin=-180, variable="head direction"))
    circular of head direction, 360 deg from -180
    """
    return Geometry(kind="circular", length=length, origin=origin, unit=unit, variable=variable)


def vr(length: float, *, origin: float = 0.0) -> Geometry:
    """A virtual corridor that is run one way; the animal is put back to its start.

    Parameters
    ----------
    length
        Length of the corridor [cm].
    origin
        Its start [cm].

    Returns
    -------
    Geometry
        The geometry. Jumps are no speed, and its two ends are no neighbours; where the corridor
        looks endless, take :func:`circular`.
    """
    return Geometry(kind="vr", length=length, origin=origin)


def graph(
    nodes: Mapping[str, Sequence[float]],
    edges: Sequence[tuple[str, str]],
    *,
    spacing: float = 10.0,
) -> Geometry:
    """A maze of straight arms that meet at junctions.

    Parameters
    ----------
    nodes
        Name of each end, junction and corner, and its place (x, y) [cm].
    edges
        The two nodes of each arm, in the order in which the linearised position runs through them.
        The first node of the first edge is where trajectories begin ("home"); direction +1 is
        along an edge from its first node to its second.
    spacing
        Length between two arms in the linearised position [cm].

    Returns
    -------
    Geometry
        The geometry of a recording whose `x` is the linearised position
        (:func:`neurodrift.geometry.linearize`).

    Examples
    --------
    >>> from neurodrift.geometry import graph
    >>> print(graph({"a": (0, 0), "b": (0, 50), "c": (30, 50)}, [("a", "b"), ("b", "c")]))
    graph of 2 arms: a-b, b-c
    """
    places = tuple((name, *map(float, place)) for name, place in dict(nodes).items())
    return Geometry(kind="graph", nodes=places, edges=tuple(edges), spacing=spacing)  # type: ignore[arg-type]


def field(shape: str = "", outline: Sequence[Sequence[float]] = ()) -> Geometry:
    """An arena with two axes.

    Parameters
    ----------
    shape
        ``rectangle``, ``circle`` or ``polygon``; empty where it is not known.
    outline
        Two opposite corners of a rectangle, centre and a point on the rim of a circle, or the
        corners of a polygon [cm].

    Returns
    -------
    Geometry
        The geometry.

    Examples
    --------
    >>> from neurodrift.geometry import field
    >>> field("rectangle", [(0, 0), (50, 70)]).outline
    ((0.0, 0.0), (50.0, 70.0))
    """
    return Geometry(kind="field", shape=shape, outline=tuple(outline))  # type: ignore[arg-type]


def category(names: Sequence[str], *, variable: str = "category") -> Geometry:
    """Names without an order, such as odours or images; `x` is their number from 0.

    Parameters
    ----------
    names
        The names.
    variable
        What they are, such as ``"odour"``.

    Returns
    -------
    Geometry
        The geometry. No category is the neighbour of another: maps are not smoothed.
    """
    return Geometry(kind="category", names=tuple(names), variable=variable, unit="1")


def as_geometry(given: Geometry | Mapping[str, Any] | str | None) -> Geometry | None:
    """The geometry that a caller means.

    Parameters
    ----------
    given
        A geometry; a mapping of its parameters, as in JSON; or a text: ``linear``, ``field``,
        ``circular:LENGTH``, ``vr:LENGTH``, also with a unit (``circular:360deg``),
        ``category:A,B,C``, or JSON.

    Returns
    -------
    Geometry or None
        None for None.

    Raises
    ------
    ValueError
        If it is none.

    Examples
    --------
    >>> from neurodrift.geometry import as_geometry
    >>> print(as_geometry("vr:180"))
    vr, 180 cm
    """
    if given is None or isinstance(given, Geometry):
        return given
    if isinstance(given, Mapping):
        return _from_mapping(given)
    if not isinstance(given, str):
        raise TypeError(
            f"geometry is {given!r:.60}, expected a neurodrift.Geometry, a mapping or a text such "
            "as 'circular:200'"
        )
    text = given.strip()
    if text.startswith(("{", "[")):
        return Geometry.from_json(text)
    if text.startswith("category:"):
        return category([name.strip() for name in text.removeprefix("category:").split(",")])
    match = _TEXT.fullmatch(text)
    try:
        length = float(match[2]) if match and match[2] else None
    except ValueError:
        match = None
    if match is None:
        raise ValueError(
            f"geometry is {given!r}, expected linear, field, circular:LENGTH, vr:LENGTH (such as "
            "vr:180), circular:360deg, category:A,B,C, or a mapping with its kind (graph: nodes "
            "and edges)"
        )
    return Geometry(kind=match[1], length=length, unit=match[3] or "cm")


def geometry_of(recording: xr.Dataset | xr.DataArray) -> Geometry:
    """The geometry that a recording, or maps made of it, have.

    Parameters
    ----------
    recording
        A recording with the attribute ``geometry``, or maps whose coordinate ``x_bin`` has it.

    Returns
    -------
    Geometry
        Without the attribute: linear for `x` alone, a field of unknown outline for `x` and `y`.
    """
    held = recording["x_bin"] if "x_bin" in recording.coords else recording
    text = held.attrs.get("geometry")
    if text is None:
        held_by = recording.coords if isinstance(recording, xr.DataArray) else recording.variables
        two = "y" in held_by or "y_bin" in held_by
        return Geometry(kind="field" if two else "linear")
    return Geometry.from_json(text)


def geometry_faults(recording: xr.Dataset) -> list[str]:
    """What is wrong with the geometry of a recording, or with its positions in it.

    Parameters
    ----------
    recording
        A recording in the making.

    Returns
    -------
    list of str
        One sentence for each fault.
    """
    if "geometry" not in recording.attrs:
        return []
    try:
        geometry = geometry_of(recording)
    except (ValueError, TypeError) as error:
        return [f"attribute geometry: {error}"]
    if "x" not in recording:
        return [f"geometry is {geometry.kind}, but there is no position x"]
    if geometry.one_axis and "y" in recording:
        linearised = ": linearise the position (neurodrift.geometry.linearize)"
        return [
            f"geometry is {geometry.kind}, whose position is x alone, but there is a y"
            + (linearised if geometry.kind == "graph" else "")
        ]
    if not geometry.one_axis and "y" not in recording:
        return [f"geometry is {geometry.kind}, which needs x and y, but there is x alone"]
    x = recording["x"].values
    return _value_faults(geometry, x[np.isfinite(x)]) if x.dtype.kind == "f" else []


def _value_faults(geometry: Geometry, x: np.ndarray) -> list[str]:
    """Values of `x` that the geometry cannot have."""
    if not x.size:
        return []
    if geometry.kind == "circular":
        assert geometry.length is not None
        slack = _ROUND * geometry.length
        low, high = geometry.origin, geometry.origin + geometry.length
        outside = (x < low - slack) | (x > high + slack)
        expected = f"{low:g} to {high:g} {geometry.unit}"
        todo = "give length and origin, or x modulo the length"
    elif geometry.kind == "category":
        outside = (x != np.round(x)) | (x < 0) | (x > len(geometry.names) - 1)
        expected = f"the numbers 0 to {len(geometry.names) - 1} of its categories"
        todo = "number them from 0 in the order of the names"
    elif geometry.kind == "graph":
        from neurodrift.geometry.arms import arms_of

        outside = arms_of(geometry).locate(x)[0] < 0
        expected = "positions on its arms"
        todo = "linearise the position with this geometry (neurodrift.geometry.linearize)"
    else:
        return []
    if not outside.any():
        return []
    return [
        f"x is outside the geometry ({geometry}) in {int(outside.sum())} frames, first at "
        f"{x[outside][0]:g}, expected {expected}: {todo}"
    ]


def _from_mapping(values: Mapping[str, Any]) -> Geometry:
    known = {item.name for item in fields(Geometry)}
    unknown = sorted(set(map(str, values)) - known)
    if unknown:
        raise ValueError(f"geometry has unknown entries {unknown}, expected some of {_list(known)}")
    if "kind" not in values:
        raise ValueError(f"geometry has no kind, expected one of {_list(KINDS)}")
    held = dict(values)
    if isinstance(held.get("nodes"), Mapping):
        held["nodes"] = [[name, *place] for name, place in held["nodes"].items()]
    for name in ("nodes", "edges", "outline"):
        if name in held:
            rows = held[name]
            if not isinstance(rows, Sequence) or any(
                isinstance(row, str) or not isinstance(row, Sequence) for row in rows
            ):
                raise ValueError(
                    f"{name} of the geometry is {rows!r:.60}, expected a list of lists"
                )
            held[name] = tuple(tuple(row) for row in rows)
    if "names" in held:
        if isinstance(held["names"], str) or not isinstance(held["names"], Sequence):
            raise ValueError(f"names of the geometry is {held['names']!r:.60}, expected a list")
        held["names"] = tuple(held["names"])
    return Geometry(**held)


def _number(name: str, value: Any, above: float = -math.inf) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise ValueError(f"{name} of the geometry is {value!r}, expected a number")
    if not (math.isfinite(value) and value > above):
        more = f" above {above:g}" if above > -math.inf else ""
        raise ValueError(f"{name} of the geometry is {value!r}, expected a finite number{more}")
    return float(value)


def _points(name: str, points: Sequence[Any]) -> tuple[tuple[float, float], ...]:
    try:
        found = np.asarray(points, dtype=float)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.ndim != 2 or found.shape[1] != 2 or not np.isfinite(found).all():
        raise ValueError(f"{name} is {points!r:.60}, expected points (x, y) [cm]")
    return tuple((float(x), float(y)) for x, y in found)


def _list(words: Any) -> str:
    return ", ".join(sorted(words) if isinstance(words, set) else words)
