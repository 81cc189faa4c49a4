"""What there is to see of the cells: of results, of a recording, or of both."""

from __future__ import annotations

import functools
from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.analysis.drift.curve import DriftCurve, drift_curve
from neurodrift.analysis.drift.drift import compute_drift
from neurodrift.analysis.information.estimates import compute_spatial_information_from_maps
from neurodrift.analysis.maps.binning import Binning, used_sessions
from neurodrift.analysis.maps.rate_maps import compute_rate_maps
from neurodrift.analysis.maps.smoothing import smooth_maps, weights_of_bins
from neurodrift.geometry.geometry import geometry_of
from neurodrift.kinematics import number_laps, running_where_missing
from neurodrift.recording import slice_sessions
from neurodrift.schema import COUNT_KINDS, LEVEL_KINDS, check
from neurodrift.schema.kinds import allows

_LABELLED = ("sparsity", "smoothed_maps", "maps", "place_cells", "information")
_KEPT = 64  # cells, and sessions, whose maps stay in memory
_MOST_DOTS = 6000  # frames with activity that are drawn of one session
_MEASURES = ("rate_map_correlation", "ensemble_rate_correlation")


@dataclass(frozen=True)
class Raster:
    """Where, or when, a cell was active in one session.

    Parameters
    ----------
    x, row
        (frame) position, or time [s] where there is none; lap, minute of the session, or second
        axis of the position. Frames with activity.
    strength
        (frame) activity over its maximum in the session.
    path
        (2, sample) where the animal was, of a position with two axes; empty otherwise.
    x_label, row_label
        What the axes are.
    n_active
        Frames with activity, of which those drawn are evenly spaced.
    ends
        Lowest and highest position of the session, and of its rows.
    """

    x: np.ndarray
    row: np.ndarray
    strength: np.ndarray
    path: np.ndarray
    x_label: str
    row_label: str
    n_active: int
    ends: tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Pair:
    """Maps, or activity, of the same cells in two sessions.

    Parameters
    ----------
    a, b
        (unit, direction, position) maps of the cells that were detected in both and, where that is
        known, are place cells in one of them; (unit) mean activity where there is no position.
    numbers
        Similarity of the sessions by its name, over the cells that the analysis takes.
    """

    a: xr.DataArray
    b: xr.DataArray
    numbers: dict[str, float]


class Cells:
    """Maps, verdicts, laps and pairs of sessions of the cells of one recording.

    What results hold is taken from them. What they do not hold is computed of the recording, for
    the cell or the sessions that are looked at, and for no others.

    Parameters
    ----------
    results
        Result of :func:`neurodrift.analyze`.
    recording
        A recording; lazy activity is read cell by cell.
    binning, smoothing
        Bins, frames and smoothing [cm] of maps that are computed here.

    Raises
    ------
    ValueError
        If neither is given, the results hold nothing of units, or they are of another recording.
    """

    def __init__(
        self,
        results: xr.DataTree | None = None,
        recording: xr.Dataset | None = None,
        *,
        binning: Binning | None = None,
        smoothing: float | None = None,
    ) -> None:
        if results is None and recording is None:
            raise ValueError("nothing to look at: give a recording, results, or both")
        if recording is not None:
            check(recording)
        self._nodes = {}
        if results is not None:
            self._nodes = {name: node.to_dataset() for name, node in results.children.items()}
        source: xr.Dataset | None = recording
        if results is not None:
            source = next((self._nodes[n] for n in _LABELLED if n in self._nodes), None)
        if source is None:
            raise ValueError(
                f"the results have none of {', '.join(_LABELLED)}, so nothing of single cells: "
                "analyse all nodes"
            )
        self._recording = recording
        self._binning = replace(binning or Binning(), unused_sessions="keep")
        self._smoothing = self._binning.smoothing_or_default(smoothing)
        self._labels = {dim: source[dim].values for dim in ("unit", "session")}
        self.units = tuple(str(label) for label in self._labels["unit"])
        self.sessions = tuple(str(label) for label in self._labels["session"])
        self.titles = tuple(_title(source, i) for i in range(len(self.sessions)))
        self.detected = source["detected"].transpose("session", "unit").values.astype(bool)
        of = results if results is not None else recording
        assert of is not None
        self.name = f"{of['subject'].item()}, {of['environment'].item()}"
        activity = recording["activity"].attrs["kind"] if recording is not None else ""
        self.kind = str(source.attrs.get("activity_kind", activity) or activity)
        self.noun = "unit" if self.kind == "activation" else "cell"
        self._refuse_another_recording()

    def _refuse_another_recording(self) -> None:
        if self._recording is None or not self._nodes:
            return
        for dim in ("unit", "session"):
            there = set(self._recording[dim].values.tolist())
            missing = [label for label in self._labels[dim].tolist() if label not in there]
            if missing:
                raise ValueError(
                    f"the results are of another recording: {dim} {missing[0]!r} is not in the "
                    "one that is given"
                )

    # ------------------------------------------------------------------ what there is

    @property
    def has_results(self) -> bool:
        """Whether results are looked at."""
        return bool(self._nodes)

    @property
    def has_recording(self) -> bool:
        """Whether there is a recording to look into."""
        return self._recording is not None

    @functools.cached_property
    def has_maps(self) -> bool:
        """Whether there are maps, or a position to make them of."""
        if "smoothed_maps" in self._nodes:
            return True
        if self._recording is None or "x" not in self._recording or not self.units:
            return False
        return bool(used_sessions(self._running, self._binning).any())

    @functools.cached_property
    def is_place_cell(self) -> np.ndarray | None:
        """(session, unit) whether a cell is a place cell; None where nobody has tested."""
        if "place_cells" not in self._nodes:
            return None
        found = self._nodes["place_cells"]["is_place_cell"]
        return np.asarray(found.transpose("session", "unit").values, dtype=bool)

    @functools.cached_property
    def _running(self) -> xr.Dataset:
        """The recording, with the running speed of its position where it has none."""
        assert self._recording is not None
        if self._binning.speed_range == (0.0, np.inf):
            return self._recording
        return running_where_missing(self._recording)

    @functools.cached_property
    def _place(self) -> dict[str, dict[Hashable, int]]:
        """Where each label stands in the recording."""
        assert self._recording is not None
        return {
            dim: {label: i for i, label in enumerate(self._recording[dim].values.tolist())}
            for dim in ("unit", "session")
        }

    # ------------------------------------------------------------------ one cell

    def maps(self, unit: int) -> xr.DataArray | None:
        """Smoothed maps of one cell in all sessions.

        Parameters
        ----------
        unit
            Position of the cell in `units`.

        Returns
        -------
        xarray.DataArray or None
            (session, direction, position) [Hz, or the unit of the activity]; None without position.
        """
        if "smoothed_maps" in self._nodes:
            rate = self._nodes["smoothed_maps"]["rate"].isel(unit=unit)
        elif self.has_maps:
            rate = self._computed(unit)["rate"]
        else:
            return None
        return rate.transpose("session", "direction", "position")

    def activity(self, unit: int) -> np.ndarray:
        """Mean activity of one cell in each session.

        Parameters
        ----------
        unit
            Position of the cell.

        Returns
        -------
        numpy.ndarray
            (session), NaN where it was not detected.
        """
        if "sparsity" in self._nodes:
            node = self._nodes["sparsity"]["mean_activity"].transpose("session", "unit")
            return np.where(self.detected[:, unit], node.values[:, unit].astype(float), np.nan)
        return self._mean_activity(unit)

    def verdicts(self, unit: int) -> pd.DataFrame:
        """What was found of one cell in each session.

        Parameters
        ----------
        unit
            Position of the cell.

        Returns
        -------
        pandas.DataFrame
            A row for each session: ``detected``; ``events`` in the frames that count;
            ``information`` [bit/event], uncorrected, and ``p``, of the direction with the smaller
            p; ``place_cell``. NaN, or None, where it is not known.
        """
        n = len(self.sessions)
        none = np.full(n, np.nan)
        found: dict[str, object] = {"detected": self.detected[:, unit]}
        found |= {"events": none, "information": none, "p": none, "place_cell": [None] * n}
        if "place_cells" in self._nodes:
            found |= self._tested(unit)
        elif self.has_maps and not self._nodes:
            found |= self._untested(unit)
        return pd.DataFrame(found, index=list(self.titles))

    def _tested(self, unit: int) -> dict[str, object]:
        cells = self._nodes["place_cells"].isel(unit=unit)
        values = {
            name: cells[name].transpose("session", "direction").values.astype(float)
            for name in ("information", "p", "n_events")
            if name in cells and "direction" in cells[name].dims
        }
        told: dict[str, object] = {"place_cell": cells["is_place_cell"].values.astype(bool)}
        if "n_events" in values:
            counted = np.isfinite(values["n_events"]).any(axis=1)
            told["events"] = np.where(counted, np.nansum(values["n_events"], axis=1), np.nan)
        elif "sparsity" in self._nodes and self.kind in COUNT_KINDS:
            told["events"] = self._nodes["sparsity"]["n_events"].isel(unit=unit).values
        if "information" in values:
            by = values.get("p", -values["information"])
            best = np.where(np.isfinite(by), by, np.inf).argmin(axis=1)
            rows = np.arange(len(best))
            told["information"] = values["information"][rows, best]
            if "p" in values:
                told["p"] = values["p"][rows, best]
        elif "information" in cells:
            told["information"] = cells["information"].values.astype(float)
        return told

    def _untested(self, unit: int) -> dict[str, object]:
        """Events and information of maps that were computed here."""
        maps = self._computed(unit)
        told: dict[str, object] = {}
        if self.kind in COUNT_KINDS:
            told["events"] = maps["events"].sum(("direction", "position"), min_count=1).values
        assert self._recording is not None
        raw = maps["raw_rate"]
        if allows(self._recording, "information") and not bool((raw < 0).any()):
            found = compute_spatial_information_from_maps(raw, maps["occupancy"])
            told["information"] = found.max("direction").values
        return told

    def correlations(self, unit: int) -> np.ndarray | None:
        """Correlation of the maps of one cell in every pair of sessions.

        Parameters
        ----------
        unit
            Position of the cell.

        Returns
        -------
        numpy.ndarray or None
            (session, session) mean over directions, NaN where a map is flat or missing; None
            without maps.
        """
        rate = self.maps(unit)
        if rate is None:
            return None
        values, n = rate.values, len(self.sessions)
        found = np.full((n, n, values.shape[1]), np.nan)
        for i in range(n):
            for j in range(n):
                for k in range(values.shape[1]):
                    found[i, j, k] = _correlation(values[i, k], values[j, k])
        counted = np.isfinite(found).any(axis=-1)
        total = np.nansum(found, axis=-1) / np.maximum(np.isfinite(found).sum(axis=-1), 1)
        return np.where(counted, total, np.nan)

    def raster(self, unit: int, session: int) -> Raster | None:
        """Where a cell was active in every lap of a session.

        Parameters
        ----------
        unit, session
            Their positions.

        Returns
        -------
        Raster or None
            None without a recording.
        """
        if self._recording is None:
            return None
        recording = self._recording
        k = self._place["unit"][self._labels["unit"].tolist()[unit]]
        i = self._place["session"][self._labels["session"].tolist()[session]]
        where = slice_sessions(recording)[i]
        one = recording.isel(time=where)
        activity = np.asarray(one["activity"].isel(unit=k).values, dtype=float)
        time = one["time"].values - one["time"].values[:1]
        x, row, path, x_label, row_label = self._axes_of(one, where, time)
        used = np.isfinite(activity) & (activity > 0) & np.isfinite(x) & np.isfinite(row)
        at = np.flatnonzero(used)
        n_active = int(at.size)
        if at.size > _MOST_DOTS:
            at = at[np.linspace(0, at.size - 1, _MOST_DOTS).astype(int)]
        top = float(activity[used].max()) if n_active else 1.0
        ends = _ends(x), _ends(row)
        return Raster(x[at], row[at], activity[at] / top, path, x_label, row_label, n_active, ends)

    def _axes_of(
        self, one: xr.Dataset, where: slice, time: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, str, str]:
        """What a raster of one session is drawn along."""
        nothing = np.zeros((2, 0))
        if "x" not in one:
            return time % 60, np.floor(time / 60), nothing, "second of the minute", "minute"
        geometry = geometry_of(one)
        x = one["x"].values.astype(float)
        if "y" in one:
            y = one["y"].values.astype(float)
            step = max(1, x.size // 4000)
            path = np.stack([x, y])[:, ::step]
            return x, y, path, f"x [{geometry.unit}]", f"y [{geometry.unit}]"
        lap = self._laps
        if lap is not None:
            row = lap[where].astype(float)
            row[row < 0] = np.nan
            return x, row, nothing, f"{geometry.variable} [{geometry.unit}]", "lap"
        return x, time / 60, nothing, f"{geometry.variable} [{geometry.unit}]", "time [min]"

    @functools.cached_property
    def _laps(self) -> np.ndarray | None:
        """Number of the lap of each frame of the recording; None where there are none."""
        recording = self._recording
        assert recording is not None
        for name in ("lap", "trial"):
            if name in recording:
                return np.asarray(recording[name].values)
        network = "training_step" in recording.coords
        known = np.isfinite(recording["x"].values).any()
        if network or not known or not geometry_of(recording).has_laps:
            return None
        return np.asarray(number_laps(recording)["lap"].values)

    def lap_map(self, unit: int, session: int) -> xr.DataArray | None:
        """Maps of single laps, which results hold of a few example cells.

        Parameters
        ----------
        unit, session
            Their positions.

        Returns
        -------
        xarray.DataArray or None
            (segment, direction, position); None where there is none of this cell.
        """
        node = self._nodes.get("lap_maps")
        label = self._labels["unit"].tolist()[unit]
        if node is None or label not in node["unit"].values.tolist():
            return None
        own = node["session"].values.astype(str) == self.sessions[session]
        rate = node["rate"].sel(unit=label).isel(segment=np.flatnonzero(own))
        return rate.transpose("segment", "direction", "position") if own.any() else None

    # ------------------------------------------------------------------ sessions

    def pair(self, a: int, b: int) -> Pair:
        """The same cells in two sessions.

        Parameters
        ----------
        a, b
            Positions of the sessions.

        Returns
        -------
        Pair
            Maps of both, or mean activities where there is no position.
        """
        both = self.detected[a] & self.detected[b]
        if not self.has_maps:
            node = self._nodes.get("sparsity")
            if node is not None:
                values = node["mean_activity"].transpose("session", "unit")
            else:
                values = self._session_activity((a, b))
            chosen = np.flatnonzero(both)
            one, other = (values.isel(session=i, unit=chosen) for i in (a, b))
            r = _correlation(one.values.astype(float), other.values.astype(float))
            return Pair(one, other, {"ensemble_rate_correlation": r})
        if "smoothed_maps" in self._nodes:
            rate = self._nodes["smoothed_maps"]["rate"]
            first, second = (rate.isel(session=i) for i in (a, b))
            numbers = self._numbers(a, b)
        else:
            first, second = (self._session_maps(i)["rate"].isel(session=0) for i in (a, b))
            numbers = self._drift_of(a, b)
        place = self.is_place_cell
        if place is not None and (both & (place[a] | place[b])).any():
            both &= place[a] | place[b]
        chosen = np.flatnonzero(both)
        order = ("unit", "direction", "position")
        one, other = (maps.isel(unit=chosen).transpose(*order) for maps in (first, second))
        return Pair(one, other, numbers)

    def _numbers(self, a: int, b: int) -> dict[str, float]:
        """Similarity of two sessions as the results have it."""
        node = self._nodes.get("drift")
        if node is None or a == b:
            return {}
        names = ("population_vector_correlation", "rate_map_correlation")
        return {name: float(node[name].values[a, b]) for name in names if name in node}

    def _drift_of(self, a: int, b: int) -> dict[str, float]:
        if a == b:
            return {}
        parts = [self._session_maps(i) for i in sorted((a, b))]
        both = xr.concat(parts, dim="session", coords="minimal", compat="override", join="exact")
        found = compute_drift(both, n_repeats=0, per_unit=False)
        names = ("population_vector_correlation", "rate_map_correlation")
        return {name: float(found[name].values[0, 1]) for name in names if name in found}

    def curve(self) -> DriftCurve | None:
        """Similarity of all cells against the time between sessions, as the results have it.

        Returns
        -------
        DriftCurve or None
            None without results, or with one session.
        """
        node = next((self._nodes[n] for n in ("session_drift", "drift") if n in self._nodes), None)
        if node is None or len(self.sessions) < 2:
            return None
        measure = next((name for name in _MEASURES if name in node), None)
        if measure is None:
            return None
        return drift_curve(node, measure, noise_free=self.kind == "activation")

    # ------------------------------------------------------------------ computed here

    @functools.lru_cache(maxsize=_KEPT)  # noqa: B019 - as long as the page is open
    def _computed(self, unit: int) -> xr.Dataset:
        """Maps of one cell in all sessions."""
        label = self._labels["unit"].tolist()[unit]
        one = self._running.isel(unit=[self._place["unit"][label]])
        maps = compute_rate_maps(one, binning=self._binning).compute()
        return self._smoothed(maps).isel(unit=0)

    @functools.lru_cache(maxsize=_KEPT)  # noqa: B019
    def _session_maps(self, session: int) -> xr.Dataset:
        """Maps of all cells in one session, over ``session``."""
        i = self._place["session"][self._labels["session"].tolist()[session]]
        index = self._running["session_index"]
        if not (index == i).any():  # bins are those of the whole recording
            filled = next(k for k in range(len(self.sessions)) if k != session and self._frames(k))
            other = self._session_maps(filled)
            empty = other.where(False).assign(detected=xr.zeros_like(other["detected"]))
            return empty.assign_coords(self._of_session(i))
        group = index.copy(data=np.where(index.values == i, 0, -1).astype(np.int64))
        maps = compute_rate_maps(self._running, binning=self._binning, by=group)
        maps = maps.drop_vars(["group", "session"], errors="ignore").rename(segment="session")
        return self._smoothed(maps.assign_coords(self._of_session(i)).compute())

    def _frames(self, session: int) -> bool:
        """Whether a session has any frame."""
        i = self._place["session"][self._labels["session"].tolist()[session]]
        return bool((self._running["session_index"] == i).any())

    def _of_session(self, i: int) -> dict[str, tuple[str, np.ndarray]]:
        """Coordinates of one session of the recording."""
        assert self._recording is not None
        names, coords = ("session", "day", "experience", "training_step"), self._recording.coords
        return {name: ("session", coords[name].values[[i]]) for name in names if name in coords}

    def _smoothed(self, maps: xr.Dataset) -> xr.Dataset:
        smooth = smooth_maps(maps["rate"], self._smoothing, weights_of_bins(maps))
        return maps.assign(raw_rate=maps["rate"], rate=smooth)

    @functools.lru_cache(maxsize=_KEPT)  # noqa: B019
    def _mean_activity(self, unit: int) -> np.ndarray:
        label = self._labels["unit"].tolist()[unit]
        assert self._recording is not None
        one = self._recording["activity"].isel(unit=self._place["unit"][label])
        durations, level = self._recording["frame_duration"].values, self.kind in LEVEL_KINDS
        found = np.full(len(self.sessions), np.nan)
        for i, where in enumerate(slice_sessions(self._recording)):
            if where.stop > where.start and self.detected[i, unit]:
                values = np.asarray(one.isel(time=where).values, dtype=float)
                lasting = durations[where]
                weighed = (values * lasting).sum() if level else values.sum()
                found[i] = weighed / lasting.sum()
        return found

    def _session_activity(self, sessions: tuple[int, int]) -> xr.DataArray:
        """(session, unit) mean activity, of some sessions; NaN in the others."""
        assert self._recording is not None
        values = np.full((len(self.sessions), len(self.units)), np.nan)
        slices = slice_sessions(self._recording)
        for i in set(sessions):
            part = self._recording["activity"].isel(time=slices[i]).transpose("time", "unit")
            seconds = float(self._recording["frame_duration"].values[slices[i]].sum())
            level = self.kind in LEVEL_KINDS
            total = part.mean("time") if level else part.sum("time") / seconds
            values[i] = np.asarray(total.values, dtype=float)
        return xr.DataArray(values, dims=("session", "unit"))


def _ends(values: np.ndarray) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)


def _title(source: xr.Dataset, i: int) -> str:
    """A session by its label, with its day or training step."""
    name = str(source["session"].values[i])
    if "training_step" in source.coords:
        return f"step {int(source['training_step'].values[i]):,}"
    if "day" in source.coords and np.isfinite(source["day"].values[i]):
        return f"{name} (day {float(source['day'].values[i]):g})"
    return name


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's correlation over the bins that both have; NaN below three, or of a flat map."""
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < 3:
        return float("nan")
    a, b = one[both] - one[both].mean(), other[both] - other[both].mean()
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / size if size > 0 else float("nan")


def vector_correlations(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Correlation of the population at every position of one session with every one of another.

    Parameters
    ----------
    one, other
        (unit, position) maps of the same units; NaN where a bin was not visited.

    Returns
    -------
    numpy.ndarray
        (position, position) Pearson's correlation over the units that both bins have; NaN where
        these are fewer than three, or all alike.
    """
    known, also = np.isfinite(one).astype(float), np.isfinite(other).astype(float)
    a, b = np.nan_to_num(one), np.nan_to_num(other)
    n = known.T @ also
    total_a, total_b = a.T @ also, known.T @ b
    with np.errstate(invalid="ignore", divide="ignore"):
        spread_a = n * ((a**2).T @ also) - total_a**2
        spread_b = n * (known.T @ b**2) - total_b**2
        found = (n * (a.T @ b) - total_a * total_b) / np.sqrt(spread_a * spread_b)
    flat = (spread_a <= 1e-12 * total_a**2) | (spread_b <= 1e-12 * total_b**2)
    return np.where((n > 2) & ~flat, found, np.nan)
