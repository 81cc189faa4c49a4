"""Place fields of a unit matched between sessions: kept, moved, formed, lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis._coords import carry_coords, lag_coords, node_of, only_registered
from neurodrift.analysis._inference import exact_mean
from neurodrift.geometry.distance import difference
from neurodrift.geometry.geometry import Geometry, geometry_of
from neurodrift.schema import SESSION_COORDS, label
from neurodrift.schema.objects import expect_dataset
from neurodrift.schema.options import checked_options
from neurodrift.schema.results import FIELD_MATCHES, FOLLOWED_FIELDS
from neurodrift.seeds import generator

_PAIR = ("session_a", "session_b")
_FEWEST = 5  # fields behind a share


@checked_options
def match_fields(
    fields: xr.Dataset | xr.DataTree,
    *,
    min_overlap: float = 0.6,
    reach: float = 1.0,
    n_draws: int = 5,
    per_field: bool = True,
    seed: int = 0,
) -> xr.Dataset:
    r"""What became of the place fields of one session in another.

    The estimand is the share of a unit's fields that are still there, at their place or near it,
    beside what fields of other units give by chance, and by how far they moved.

    Parameters
    ----------
    fields
        Result of :func:`neurodrift.detect_place_fields` by session, on a line or a circle; or the
        results of :func:`neurodrift.analyze`. Maps that were not looked at in both sessions (no
        place cell, not detected) are left out: a unit without a field is not known here to have
        lost it, which :func:`neurodrift.compute_turnover` tells.
    min_overlap
        A field is kept if it covers at least this share of the smaller of both, or if its centre
        moved by no more than half the mean width of both.
    reach
        Farthest that a field can move and be taken for the same [mean widths of both].
    n_draws
        Draws of other units' fields behind the share that chance gives.
    per_field
        Whether to keep what became of each field.
    seed
        Seed of these draws; every pair has a random stream of its own.

    Returns
    -------
    xarray.Dataset
        Over (session_a, session_b), NaN on the diagonal: of the fields in a (``n_fields``) the
        shares ``kept``, ``moved`` and ``lost``; ``formed``, the share of the fields in b that is
        new; ``kept_chance`` and ``matched_chance``, the shares kept, and kept or moved, with the
        fields of another unit; ``mean_shift`` [cm], mean way of the fields that are kept or moved,
        positive along the axis and the shorter way round a circle, and ``shift_sd``. NaN below 5
        fields. With `per_field` over (session_a, session_b, unit, direction, field_number), of the
        fields in a: ``match``, number of the field in b, 0 for none, and ``field_shift`` [cm].

    Raises
    ------
    ValueError
        If fields are of a maze, a plane or categories, where a move has no sign, or not by session.

    Notes
    -----
    Fields are matched one to one such that the sum of their distances, in mean widths, is
    smallest, where two that stay alone cost `reach` [1]_. Noise moves centres, too: the variance of
    the shift holds it, the mean does not. Moves that are longer than `reach` are not seen as moves,
    so that ``mean_shift`` is too small where fields move by about a width.

    References
    ----------
    .. [1] Kuhn (1955), Nav Res Logist Q. https://doi.org/10.1002/nav.3800020109

    Examples
    --------
    >>> from neurodrift import analyze, match_fields, testing
    >>> recording = testing.linear_track(n_units=30, n_sessions=2, tuned=1, minutes=15)
    >>> fields = match_fields(analyze(recording, measures=["place_fields"], n_repeats=5))
    >>> bool(fields["kept"][0, 1] > fields["kept_chance"][0, 1])
    True
    """
    fields = node_of(fields, "place_fields")
    maps = Fields.of(fields)
    n = maps.x.shape[0]
    pairs = {name: np.full((n, n), np.nan) for name in _SHARES}
    counts = np.zeros((n, n), dtype=np.int64)
    shape = (n, n, *maps.x.shape[1:])
    each = np.zeros(shape, dtype=np.int16)
    ways = np.full(shape, np.nan)
    names = maps.source["session"].values
    for a in range(n):
        for b in range(a + 1, n):
            both = maps.looked[a] & maps.looked[b]
            found = maps.match(a, b, both, both, min_overlap, reach)
            rng = generator(seed, "fields of other units", names[a], names[b])
            chance = _chance(maps, a, b, both, min_overlap, reach, n_draws, rng)
            n_a, n_b = (int(np.isfinite(maps.x[s][both]).sum()) for s in (a, b))
            counts[a, b], counts[b, a] = n_a, n_b
            for (i, j), sign, of, other in (((a, b), 1, n_a, n_b), ((b, a), -1, n_b, n_a)):
                pairs_of = _shares(found, sign, of, other) | {
                    name: value / of if of >= _FEWEST else np.nan for name, value in chance.items()
                }
                for name, value in pairs_of.items():
                    pairs[name][i, j] = value
            if per_field:
                for (i, j), sign, mine, theirs in (
                    ((a, b), 1, found.first, found.second),
                    ((b, a), -1, found.second, found.first),
                ):
                    at = (*found.map.T, mine)
                    each[i, j][at] = theirs + 1
                    ways[i, j][at] = sign * found.way
    variables: dict[str, Any] = {name: (_PAIR, values) for name, values in pairs.items()}
    variables["n_fields"] = (_PAIR, counts)
    coords = _pair_coords(maps.source)
    if per_field:
        dims = (*_PAIR, "unit", "direction", "field_number")
        variables |= {"match": (dims, each), "field_shift": (dims, ways)}
        coords |= {
            name: maps.source[name].variable
            for name in ("unit", "direction", "field_number")
            if name in maps.source.coords
        }
    result = xr.Dataset(variables, coords=coords)
    result.attrs = {"min_overlap": min_overlap, "reach": reach, "n_draws": n_draws, "seed": seed}
    result = label(result, FIELD_MATCHES)
    for name in ("mean_shift", "shift_sd", "field_shift"):
        if name in result:
            result[name].attrs["units"] = maps.geometry.unit
    return result


_SHARES = (
    "kept",
    "moved",
    "lost",
    "formed",
    "kept_chance",
    "matched_chance",
    "mean_shift",
    "shift_sd",
)


@checked_options
def follow_fields(
    fields: xr.Dataset | xr.DataTree,
    *,
    detected: xr.DataArray | None = None,
    min_overlap: float = 0.6,
    reach: float = 1.0,
) -> xr.Dataset:
    """Every place field from session to session, on or off.

    Parameters
    ----------
    fields, min_overlap, reach
        As for :func:`match_fields`.
    detected
        (session, unit) whether a unit was detected: a detected unit that is no place cell has no
        field, and of one that was not detected nothing is known. Of results theirs; when omitted,
        only maps that were looked at are known.

    Returns
    -------
    xarray.Dataset
        Over (session, field): ``state``, 1 on, 0 off and NaN not known, for
        :func:`neurodrift.compute_turnover`, :func:`neurodrift.compute_run_lengths` and
        :func:`neurodrift.compute_survival`; ``x_centre`` [cm]. ``unit`` and ``direction`` (field)
        say whose it is. A field that was off is the same again where it returns within `reach` of
        the place it was last seen at.

    Raises
    ------
    ValueError
        As for :func:`match_fields`.

    Examples
    --------
    >>> from neurodrift import analyze, follow_fields, testing
    >>> recording = testing.linear_track(n_units=5, n_sessions=3, tuned=1, minutes=15)
    >>> fields = follow_fields(analyze(recording, measures=["place_fields"], n_repeats=5))
    >>> fields["state"].dims
    ('session', 'field')
    """
    detection = "unknown"
    if isinstance(fields, xr.DataTree):
        if "sparsity" in fields.children:
            sparsity = fields["sparsity"].to_dataset()
            detection = str(sparsity.attrs["detection"])
            detected = sparsity["detected"] if detected is None else detected
        fields = node_of(fields, "place_fields")
    maps = Fields.of(fields)
    n, n_units, n_ways, _ = maps.x.shape
    known = maps.looked.copy()
    if detected is not None:
        there = detected.sel(session=maps.source["session"], unit=maps.source["unit"])
        known |= there.transpose("session", "unit").values[:, :, None].astype(bool)
    columns: list[tuple[int, int, np.ndarray]] = []
    for u in range(n_units):
        for d in range(n_ways):
            columns += [(u, d, x) for x in _tracks(maps, u, d, min_overlap, reach)]
    places = np.array([x for _, _, x in columns]).reshape(-1, n).T
    owner = np.array([(u, d) for u, d, _ in columns], dtype=int).reshape(-1, 2)
    state = np.isfinite(places).astype(float)
    state[~known[:, owner[:, 0], owner[:, 1]]] = np.nan
    source = maps.source
    units = source["unit"].values
    names = np.array([f"{units[u]}/{d}/{i}" for i, (u, d) in enumerate(owner)], dtype=object)
    result = xr.Dataset(
        {"state": (("session", "field"), state), "x_centre": (("session", "field"), places)},
        coords=carry_coords(source, "session")
        | {
            "field": names,
            "unit": ("field", units[owner[:, 0]]),
            "direction": ("field", source["direction"].values[owner[:, 1]]),
        },
        attrs={"min_overlap": min_overlap, "reach": reach},
    )
    result = label(result, FOLLOWED_FIELDS)
    result["x_centre"].attrs["units"] = maps.geometry.unit
    result["state"].attrs["detection"] = detection
    return result


@dataclass(frozen=True)
class Match:
    """Fields of two sessions that are the same.

    Parameters
    ----------
    map
        (match, 2) unit and direction.
    first, second
        (match) position of the field in each session.
    way
        (match) from the first to the second [cm].
    kept
        (match) whether it is kept, otherwise moved.
    """

    map: np.ndarray
    first: np.ndarray
    second: np.ndarray
    way: np.ndarray
    kept: np.ndarray


@dataclass(frozen=True)
class Fields:
    """Place fields as arrays.

    Parameters
    ----------
    source
        The registered units of the result.
    geometry
        What the track is.
    x, size
        (session, unit, direction, field) centre and length [cm], NaN where there is no field.
    looked
        (session, unit, direction) whether fields were looked for.
    member
        (session, unit, direction, position) number of the field of a bin, 0 = none.
    width
        (position) of the bins.
    """

    source: xr.Dataset
    geometry: Geometry
    x: np.ndarray
    size: np.ndarray
    looked: np.ndarray
    member: np.ndarray
    width: np.ndarray

    @classmethod
    def of(cls, fields: xr.Dataset) -> Fields:
        """From a result of :func:`neurodrift.detect_place_fields`."""
        about = "place fields (detect_place_fields)"
        expect_dataset("fields", fields, ["n_fields", "x_centre", "size", "field"], about)
        geometry = expect_line(fields, "how far a field moved")
        if "session" not in fields["n_fields"].dims:
            raise ValueError("fields are over segments: detect them in maps by session")
        fields = only_registered(fields).transpose("session", "unit", "direction", ...)
        return cls(
            source=fields,
            geometry=geometry,
            x=fields["x_centre"].values.astype(float),
            size=fields["size"].values.astype(float),
            looked=np.isfinite(fields["n_fields"].values),
            member=fields["field"].values,
            width=fields["x_width"].values.astype(float)
            if "x_width" in fields.coords
            else np.ones(fields.sizes["position"]),
        )

    def match(
        self,
        a: int,
        b: int,
        in_a: np.ndarray,
        in_b: np.ndarray,
        min_overlap: float,
        reach: float,
        order: np.ndarray | None = None,
    ) -> Match:
        """Match the fields of maps (unit, direction) in session a with those in b.

        With `order` (unit), each unit's fields in a meet those of another unit in b.
        """
        order = np.arange(self.x.shape[1]) if order is None else order
        has_a = np.isfinite(self.x[a]).any(axis=-1) & in_a
        has_b = (np.isfinite(self.x[b]).any(axis=-1) & in_b)[order]
        at = np.argwhere(has_a & has_b)
        there = (order[at[:, 0]], at[:, 1])
        here = (at[:, 0], at[:, 1])
        way = difference(self.geometry, self.x[a][here][:, :, None], self.x[b][there][:, None, :])
        mean = (self.size[a][here][:, :, None] + self.size[b][there][:, None, :]) / 2
        rows, first, second = assign(np.abs(way) / mean, reach)
        found = way[rows, first, second]
        near = np.abs(found) <= mean[rows, first, second] / 2
        mine = self.member[a][here][rows] == (first + 1)[:, None]
        other = self.member[b][there][rows] == (second + 1)[:, None]
        shared = ((mine & other) * self.width).sum(axis=1)
        least = np.minimum((mine * self.width).sum(axis=1), (other * self.width).sum(axis=1))
        kept = near | (shared >= min_overlap * least - 1e-9)
        return Match(at[rows], first, second, found, kept)


def expect_line(source: xr.Dataset, what: str) -> Geometry:
    """Refuse what is no line or circle, by name.

    Parameters
    ----------
    source
        Maps or fields with the coordinate ``x_bin``.
    what
        What has no meaning there.

    Returns
    -------
    Geometry
        The geometry.

    Raises
    ------
    ValueError
        If it is a maze, a plane or categories.
    """
    geometry = geometry_of(source)
    kind = "two dimensions" if "y_bin" in source.coords else geometry.kind
    if kind not in ("linear", "circular", "vr"):
        name = {"graph": "a maze", "category": "categories", "field": "two dimensions"}
        raise ValueError(
            f"{what} is told on a line or a circle, and not in {name.get(kind, kind)}: compare "
            "maps by neurodrift.compute_drift there"
        )
    return geometry


def assign(cost: np.ndarray, most: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One-to-one matches of smallest cost in each of many tables.

    Parameters
    ----------
    cost
        (table, row, column), NaN where there is no such row or column.
    most
        Cost of a row and a column that stay alone; dearer matches are none.

    Returns
    -------
    tuple
        Table, row and column of every match, in this order.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.analysis.fields.matching import assign
    >>> [part.tolist() for part in assign(np.array([[[0.1, 0.2], [0.2, 0.9]]]), 1.0)]
    [[0, 0], [0, 1], [1, 0]]
    """
    from scipy.optimize import linear_sum_assignment

    gain = np.where(np.isfinite(cost), most - cost, -np.inf)  # what a match saves
    gain = np.where(gain >= 0, gain, -np.inf)
    could = np.isfinite(gain)
    simple = (could.sum(axis=2) <= 1).all(axis=1) & (could.sum(axis=1) <= 1).all(axis=1)
    found = [np.argwhere(could & simple[:, None, None])]
    for k in np.flatnonzero(~simple):
        table = np.where(could[k], gain[k], 0.0)
        rows, columns = linear_sum_assignment(table, maximize=True)
        real = could[k][rows, columns]
        own = np.full(int(real.sum()), k)
        found.append(np.stack([own, rows[real], columns[real]], axis=1))
    joined = np.concatenate(found)
    joined = joined[np.lexsort(joined.T[::-1])]
    return joined[:, 0], joined[:, 1], joined[:, 2]


def _shares(found: Match, sign: int, of: int, other: int) -> dict[str, float]:
    """Shares of the fields of one session, and how far they moved."""
    n, kept = found.way.size, int(found.kept.sum())
    way = sign * found.way
    shares = {
        "kept": kept / of if of >= _FEWEST else np.nan,
        "moved": (n - kept) / of if of >= _FEWEST else np.nan,
        "lost": (of - n) / of if of >= _FEWEST else np.nan,
        "formed": (other - n) / other if other >= _FEWEST else np.nan,
    }
    known = n >= _FEWEST
    mean = exact_mean(way) if known else np.nan
    return shares | {
        "mean_shift": mean,
        "shift_sd": np.sqrt(exact_mean((way - mean) ** 2) * n / (n - 1)) if known else np.nan,
    }


def _chance(
    maps: Fields,
    a: int,
    b: int,
    both: np.ndarray,
    min_overlap: float,
    reach: float,
    n_draws: int,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Number of fields in a that are kept, and matched, with fields of other units in b."""
    units = np.flatnonzero(both.any(axis=1))
    units = units[np.argsort(maps.source["unit"].values[units].astype(str), kind="stable")]
    kept, matched = [], []
    for _ in range(n_draws):
        order = np.arange(both.shape[0])
        if units.size > 1:
            shuffled = units[rng.permutation(units.size)]
            order[shuffled] = np.roll(shuffled, 1)  # no unit meets itself
        found = maps.match(a, b, both, both, min_overlap, reach, order)
        kept.append(found.kept.sum())
        matched.append(found.way.size)
    if units.size < 2:
        return {"kept_chance": np.nan, "matched_chance": np.nan}
    return {"kept_chance": float(np.mean(kept)), "matched_chance": float(np.mean(matched))}


def _tracks(maps: Fields, u: int, d: int, min_overlap: float, reach: float) -> list[np.ndarray]:
    """(session) centres of each field of one map, NaN where it is not there."""
    n = maps.x.shape[0]
    tracks: list[np.ndarray] = []
    last: list[tuple[float, float]] = []
    for s in range(n):
        here = np.flatnonzero(np.isfinite(maps.x[s, u, d]))
        place, size = maps.x[s, u, d, here], maps.size[s, u, d, here]
        taken: dict[int, int] = {}
        if tracks and here.size:
            x, width = np.array(last).T
            way = np.abs(difference(maps.geometry, x[:, None], place[None]))
            _, rows, columns = assign((2 * way / (width[:, None] + size[None]))[None], reach)
            taken = dict(zip(columns.tolist(), rows.tolist(), strict=True))
        for k in range(here.size):
            row = taken.get(k, len(tracks))
            if row == len(tracks):
                tracks.append(np.full(n, np.nan))
                last.append((0.0, 0.0))
            tracks[row][s] = place[k]
            last[row] = (float(place[k]), float(size[k]))
    return tracks


def _pair_coords(source: xr.Dataset) -> dict[str, Any]:
    coords: dict[str, Any] = {}
    for name in ("session", *SESSION_COORDS):
        if name in source.coords and name != "frame_duration":
            coords |= {f"{name}_{end}": (f"session_{end}", source[name].values) for end in "ab"}
    coords |= lag_coords(source, _PAIR, np.arange(source.sizes["session"]))
    return coords | carry_coords(source)
