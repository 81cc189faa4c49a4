"""The series that phases are read from, out of results or of a run's measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.analysis.series.matched import matched_series
from neurodrift.analysis.series.trend import places, time_of

_MEASURES = ("fraction_active_units", "active_fraction", "fraction_place_cells")
_INFORMATION = ("information",)
_INFORMATION_OF_RUNS = ("information_informative", "information")
_CONFOUNDS = ("running_speed", "n_detected", "events_per_unit")
_AXES = {"training_step": "1", "experience": "min", "day": "d", "session_number": "1"}
_MOST = 101  # samples; more neither move the borders nor keep their noise independent


@dataclass(frozen=True, kw_only=True)
class Series:
    """Everything about a recording that its phases are read from.

    Parameters
    ----------
    labels, at
        (session) names, and places on the axis, increasing.
    when
        (session) places in time, in steps (:func:`~neurodrift.analysis.series.trend.places`).
    axis, units
        What the axis is.
    loss
        (session) loss, NaN where it is not known.
    measures
        (session) statistics of activity by name.
    similarity
        (session, session) similarity of the representation, 1 where it is as alike as noise
        allows; and its name.
    confounds
        (session) what may bring about a change of the statistics.
    notes
        What a reader should know.
    """

    labels: list[str]
    at: np.ndarray
    when: np.ndarray
    axis: str
    units: str
    loss: np.ndarray | None
    measures: dict[str, np.ndarray]
    similarity: np.ndarray | None = None  # (session, session), 1 = as alike as noise allows
    similarity_name: str = ""
    confounds: dict[str, np.ndarray] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def take(self, index: np.ndarray) -> Series:
        """Some of the sessions."""
        picked: dict[str, Any] = {
            name: None if (v := getattr(self, name)) is None else v[index]
            for name in ("at", "when", "loss")
        }
        similarity = None if self.similarity is None else self.similarity[np.ix_(index, index)]
        return Series(
            labels=[self.labels[i] for i in index],
            axis=self.axis,
            units=self.units,
            measures={name: values[index] for name, values in self.measures.items()},
            similarity=similarity,
            similarity_name=self.similarity_name,
            confounds={name: values[index] for name, values in self.confounds.items()},
            notes=self.notes,
            **picked,
        )


def from_results(results: xr.DataTree, measures: Sequence[str] | None, axis: str | None) -> Series:
    """Series of the results of :func:`neurodrift.analyze`."""
    if "sessions" not in results.children:
        raise ValueError(
            f"no node 'sessions' among {', '.join(results.children) or 'none'}: give the results "
            "of neurodrift.analyze, or a Dataset of series"
        )
    table = results["sessions"].to_dataset()
    n = table.sizes["session"]
    name, at = _axis(table, n, axis)
    chosen = _measures(table, measures, exact=_simulated(results))
    similarity, similarity_name, notes = _similarity(results)
    if measures is None:
        chosen = _on_equal_footing(results, table, chosen, notes)
    columns = {str(key): table[key].values for key in table.variables if table[key].ndim == 1}
    if int(results.attrs.get("n_maps", 1)) > 1:
        notes.append("the population switches between maps, which the statistics pool")
    return Series(
        labels=[str(item) for item in table["session"].values],
        at=at,
        when=places(time_of(columns, n)),
        axis=name,
        units=_AXES[name],
        loss=_loss(table),
        measures=chosen,
        similarity=similarity,
        similarity_name=similarity_name,
        confounds={key: table[key].values.astype(float) for key in _CONFOUNDS if key in table},
        notes=notes,
    )


def _on_equal_footing(
    results: xr.DataTree, table: xr.Dataset, chosen: dict[str, np.ndarray], notes: list[str]
) -> dict[str, np.ndarray]:
    """The statistics with as much in every session, where they stand for those as recorded."""
    matched = matched_series(results)
    found = {name: table[matched[name]].values.astype(float) for name in chosen if name in matched}
    if not found:
        return chosen
    equal = results["matched"].attrs["match"]
    listed = ", ".join(name.replace("_", " ") for name in found)
    notes.append(f"on an equal footing ({equal}): {listed}")
    if equal == "events" and "active_fraction" in chosen:
        notes.append("active fraction is left out: it counts events, which were made equal")
        chosen = {name: values for name, values in chosen.items() if name != "active_fraction"}
    return chosen | found


def from_series(source: xr.Dataset, measures: Sequence[str] | None, axis: str | None) -> Series:
    """Series of a Dataset over one dimension."""
    chosen = _measures(source, measures)
    names = [*chosen, *(["loss"] if "loss" in source else [])]
    if not names:
        raise ValueError(f"no loss and no statistic in {list(map(str, source.variables))}")
    dims = {source[name].dims for name in names}
    if len(dims) > 1 or len(next(iter(dims))) != 1:
        raise ValueError(f"series have dims {sorted(dims)}, expected one and the same dimension")
    (dim,) = next(iter(dims))
    n = source.sizes[dim]
    if axis is None and dim in source.coords and dim not in ("session", "unit"):
        at, name = source[dim].values.astype(float), str(dim)
        name = "training_step" if name == "step" else name
    else:
        name, at = _axis(source, n, axis)
    if not (np.diff(at) > 0).all():
        raise ValueError(f"{name} does not increase from sample to sample: sort the series")
    word = "step " if name == "training_step" else ""
    labels = [str(v) for v in source[dim].values] if dim in source.coords else map(str, range(n))
    series = Series(
        labels=[item if dim == "session" else f"{word}{item}" for item in labels],
        at=at,
        when=places(at),
        axis=name,
        units=_AXES.get(name, str(source[dim].attrs.get("units", "1"))),
        loss=_loss(source),
        measures=chosen,
    )
    values = [*series.measures.values(), *([] if series.loss is None else [series.loss])]
    some = np.flatnonzero(np.isfinite(values).any(axis=0))
    some = some if some.size else np.arange(n)
    taken = series.take(some[_thinned(at[some])])
    return replace(taken, when=places(taken.at))


def _thinned(at: np.ndarray) -> np.ndarray:
    """Which samples to use of a long series; of even steps mostly early ones."""
    if at.size <= _MOST:
        return np.arange(at.size)
    gaps = np.diff(at)
    if gaps.max() > 10 * np.median(gaps):  # already by growing steps
        return np.unique(np.linspace(0, at.size - 1, _MOST).round().astype(int))
    wanted = _MOST
    while (picked := np.unique(np.geomspace(1, at.size, wanted).round().astype(int))).size < _MOST:
        wanted += 5
    return picked[np.linspace(0, picked.size - 1, _MOST).round().astype(int)] - 1


def _axis(table: xr.Dataset, n: int, axis: str | None) -> tuple[str, np.ndarray]:
    if axis is not None and axis not in _AXES:
        raise ValueError(f"axis is {axis!r}, expected one of {', '.join(_AXES)}")
    for name in _AXES if axis is None else (axis,):
        if name in table.variables:
            at = table[name].values.astype(float)
            if np.isfinite(at).all() and (np.diff(at) > 0).all():
                return name, at
    if axis not in (None, "session_number"):
        raise ValueError(f"{axis!r} is not known for every session, or does not increase")
    return "session_number", np.arange(n, dtype=float)


def _measures(
    table: xr.Dataset, measures: Sequence[str] | None, exact: bool = False
) -> dict[str, np.ndarray]:
    if measures is None:
        # the activity of a network without noise is no sample, so nothing is to be corrected
        order = _INFORMATION_OF_RUNS if exact else _INFORMATION
        informative = [n for n in order if n in table and table[n].notnull().sum() >= 4]
        names = [n for n in _MEASURES if n in table] + informative[:1]
    else:
        names = list(measures)
        missing = [name for name in names if name not in table]
        if missing:
            raise ValueError(f"no measure {missing}; there are {list(map(str, table.data_vars))}")
    return {name: table[name].values.astype(float) for name in names}


def _loss(table: xr.Dataset) -> np.ndarray | None:
    if "loss" not in table.variables:
        return None
    loss = np.where(np.isfinite(table["loss"].values), table["loss"].values, np.nan).astype(float)
    return loss if np.isfinite(loss).any() else None


def _simulated(results: xr.DataTree) -> bool:
    return (
        "sparsity" in results.children
        and results["sparsity"].attrs.get("activity_kind") == "activation"
    )


def _similarity(results: xr.DataTree) -> tuple[np.ndarray | None, str, list[str]]:
    """Similarity of sessions relative to what noise allows, and its name."""
    simulated = _simulated(results)
    for node in ("drift",) if simulated else ("session_drift", "drift"):
        if node not in results.children:
            continue
        drift = results[node].to_dataset()
        for name in ("rate_map_correlation", "ensemble_rate_correlation"):
            relative = f"{name}_relative" if node == "session_drift" else name
            if relative in drift and np.isfinite(drift[relative].values).any():
                notes = []
                if node == "drift" and not simulated:
                    notes.append("the drift of activity has no noise ceiling")
                return drift[relative].values, relative, notes
    return None, "", []
