"""Tidy tables of sessions, of pairs of sessions, and of units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.analysis._coords import node_of
from neurodrift.analysis.maps.binning import MIN_RUNNING_SPEED
from neurodrift.recording import is_even, seconds_of_sessions, slice_sessions, tracked_minutes
from neurodrift.schema import check
from neurodrift.schema.objects import expect_type, names_in


def tabulate_sessions(
    source: xr.Dataset | xr.DataTree, *measures: xr.Dataset | xr.DataArray
) -> pd.DataFrame:
    """Tidy table of a recording or its results, one row for each session, for regression.

    Parameters
    ----------
    source
        A recording over (session, time, unit), or the results of :func:`neurodrift.analyze`,
        whose measures are then in the table.
    *measures
        Results with the dimension ``session``, such as :func:`neurodrift.compute_sparsity`;
        of a Dataset, every variable over ``session`` alone becomes a column.

    Returns
    -------
    pandas.DataFrame
        ``subject``, ``environment``, ``session``, ``session_number`` (from 0), ``day`` [d],
        ``experience`` [min], ``training_step``, ``loss``, ``accuracy`` where the recording has
        them, ``tracked_time`` [min], ``running_time`` [min] at 1 cm/s or faster and the
        ``running_speed`` then [cm/s] (NaN without a speed), ``n_detected``, and the measures.

    Raises
    ------
    ValueError
        If a measure lacks a session of the recording or its name is taken.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.regression.tables import tabulate_sessions
    >>> table = tabulate_sessions(testing.linear_track(n_units=3, n_sessions=2, minutes=1))
    >>> table["session"].tolist(), table["day"].tolist()
    (['1', '2'], [0.0, 2.0])
    """
    if isinstance(source, xr.DataTree):
        table = _told_by_results(source)
        for measure in measures:
            _add_measures(table, measure)
        return table
    recording = source
    check(recording)
    n_sessions = recording.sizes["session"]
    table = pd.DataFrame(
        {
            "subject": str(recording["subject"].values),
            "environment": str(recording["environment"].values),
            "session": [str(item) for item in recording["session"].values],
            "session_number": np.arange(n_sessions),
        }
    )
    for name in ("day", "experience", "training_step", "loss", "accuracy"):
        if name in recording.coords:
            table[name] = recording[name].values
    table["tracked_time"] = tracked_minutes(recording)
    seconds, speed = np.full(n_sessions, np.nan), np.full(n_sessions, np.nan)
    if "speed" in recording:
        values = recording["speed"].values
        running = values >= MIN_RUNNING_SPEED
        seconds = seconds_of_sessions(recording, running)
        for i, where in enumerate(slice_sessions(recording)):
            some = values[where][running[where]]
            if some.size:
                lasting = recording["frame_duration"].values[where][running[where]]
                speed[i] = some.mean() if is_even(lasting) else np.average(some, weights=lasting)
    table["running_time"] = seconds / 60
    table["running_speed"] = speed
    table["n_detected"] = recording["detected"].values.sum(axis=1)
    for measure in measures:
        _add_measures(table, measure)
    return table


def _told_by_results(results: xr.DataTree) -> pd.DataFrame:
    """The node ``sessions`` as a table."""
    node = node_of(results, "sessions")
    table = node.to_dataframe()[[str(name) for name in node.data_vars]].reset_index()
    for i, name in enumerate(("subject", "environment")):
        table.insert(i, name, str(node[name].values))
    table["session"] = [str(item) for item in table["session"]]
    return table


def _add_measures(table: pd.DataFrame, measure: xr.Dataset | xr.DataArray) -> None:
    arrays = measure.data_vars if isinstance(measure, xr.Dataset) else {measure.name: measure}
    for key, array in arrays.items():
        if array.dims == ("session",) and key != "n_detected":
            _add_measure(table, str(key), array)


def _add_measure(table: pd.DataFrame, name: str, array: xr.DataArray) -> None:
    if name in table:
        raise ValueError(f"the table already has a column {name!r}: rename the measure")
    values = pd.Series(array.values, index=[str(item) for item in array["session"].values])
    missing = sorted(set(table["session"]) - set(values.index))
    if missing:
        raise ValueError(f"measure {name!r} has no value for session {', '.join(missing)}")
    table[name] = values.loc[table["session"]].to_numpy()


def tabulate_drift(drift: xr.Dataset | xr.DataTree) -> pd.DataFrame:
    """Tidy table of a drift, one row for each pair of sessions or segments.

    Parameters
    ----------
    drift
        Result of :func:`~neurodrift.analysis.drift.drift.compute_drift` or
        :func:`~neurodrift.analysis.drift.ceiling.compute_session_drift`; of the results of
        :func:`neurodrift.analyze` the node ``session_drift``, or ``drift`` where there is none, and
        beside it what other nodes say of the pairs: ``drift_index``, ``decoding_error`` and
        ``decoding_relative`` (trained in a, tested in b), ``structure_relative`` of the relations,
        ``mean_square_step``, and the distance of behaviour ``behaviour_overall``.

    Returns
    -------
    pandas.DataFrame
        One row for each pair with a before b: ``subject``, ``environment``, the labels of both,
        the lags, ``same_map`` for segments, and every measure of the pair. The diagonal, pairs
        within a session with lag 0, is there when it holds a noise ceiling. No rows when there
        is one session.

    Notes
    -----
    The pairs of an animal share sessions, so its rows depend on each other. Least squares over
    them finds a decay too often; use ``regress(..., method="subjects")`` over several animals.

    Examples
    --------
    >>> from neurodrift import compute_rate_maps, testing
    >>> from neurodrift.analysis.drift.drift import compute_drift
    >>> from neurodrift.analysis.regression.tables import tabulate_drift
    >>> recording = testing.linear_track(n_units=10, n_sessions=3, minutes=2)
    >>> table = tabulate_drift(compute_drift(compute_rate_maps(recording)))
    >>> table[["session_a", "session_b", "lag"]].values.tolist()
    [['1', '2', 1], ['1', '3', 2], ['2', '3', 1]]
    """
    beside = _beside(drift) if isinstance(drift, xr.DataTree) else {}
    drift = node_of(drift, "session_drift", "drift")
    drift = drift.assign(beside) if "session_a" in drift.dims else drift
    pair = tuple(str(dim) for dim in drift.dims if str(dim).endswith(("_a", "_b")))
    if len(pair) != 2:
        raise ValueError(f"expected a drift over pairs, got dims {tuple(map(str, drift.dims))}")
    n_maps = drift.sizes[pair[0]]
    matrices = {n: array for n, array in drift.data_vars.items() if array.dims == pair}
    diagonal = np.zeros(n_maps, dtype=bool)
    for array in matrices.values():
        if array.dtype.kind == "f":
            diagonal |= np.isfinite(np.diagonal(array.values))
    first, second = np.triu_indices(n_maps)
    keep = (first != second) | diagonal[first]
    first, second = first[keep], second[keep]

    columns: dict[str, object] = {}
    for name in ("subject", "environment"):
        if name in drift.coords:
            columns[name] = np.full(first.size, str(drift[name].values), dtype=object)
    at = dict(zip(pair, (first, second), strict=True))
    for key, array in [*drift.coords.items(), *matrices.items()]:
        if array.dims == pair:
            columns[str(key)] = array.values[first, second]
        elif len(array.dims) == 1 and array.dims[0] in at:
            columns[str(key)] = array.values[at[str(array.dims[0])]]
    return pd.DataFrame(columns)


_OF_PAIR = {  # node -> what it says of two sessions, and the name of the column
    "drift_index": {
        "drift_index": "drift_index",
        "drift_index_above_control": "drift_index_above_control",
        "population_drift_index": "population_drift_index",
    },
    "decoding": {"error": "decoding_error", "relative": "decoding_relative"},
    "relations": {"structure_relative": "structure_relative"},
    "steps": {"mean_square_step": "mean_square_step"},
    "behaviour": {"overall": "behaviour_overall"},
}


def _beside(results: xr.DataTree) -> dict[str, tuple[tuple[str, str], np.ndarray]]:
    """Measures of pairs of sessions of other nodes, in the order of the sessions of the drift."""
    labels = node_of(results, "session_drift", "drift")["session_a"].values
    found = {}
    for node, names in _OF_PAIR.items():
        if node not in results.children:
            continue
        pairs = results[node].to_dataset()
        for name, column in names.items():
            if name in pairs and set(pairs[name].dims) == {"session_a", "session_b"}:
                laid = pairs[name].reindex(session_a=labels, session_b=labels)
                values = laid.transpose("session_a", "session_b").values.astype(float).copy()
                np.fill_diagonal(values, np.nan)  # a session with itself is the drift's to say
                found[column] = (("session_a", "session_b"), values)
    return found


_OF_UNIT = ("maps", "sparsity", "informative", "place_cells", "stability")
_OF_MAP = {  # node -> what it says of a map, and the name of the column
    "place_cells": {"tested": "tested", "p": "p", "q": "q", "significant": "significant"},
    "information": {"naive": "information_naive", "ssr": "information_ssr"},
    "stability": {"stability": "stability", "p": "stability_p"},
    "place_fields": {"n_fields": "n_fields"},
}
_WAYS = {1: "_forward", -1: "_backward", 0: ""}


def tabulate_units(results: xr.DataTree) -> pd.DataFrame:
    """Tidy table of the cells, one row for each unit in each session.

    Parameters
    ----------
    results
        Results of :func:`neurodrift.analyze`.

    Returns
    -------
    pandas.DataFrame
        ``subject``, ``environment``, ``session``, its ``day``, ``experience`` [min] and
        ``training_step`` as far as they are known, ``unit``, ``region``, ``registered``,
        ``detected``, and what the results hold of the unit: ``n_events``, ``mean_activity``,
        ``is_active``, ``is_place_cell``, ``is_stable``, ``is_informative``; of its maps
        ``tested``, ``p``, ``q``, ``significant``, ``information_naive`` and ``information_ssr``
        [bit/event], ``stability`` and ``n_fields``, with ``_forward`` or ``_backward`` behind the
        name where the maps of both running directions stand apart. All but ``detected`` are missing
        where the unit was not detected, which is not silent.

    Raises
    ------
    ValueError
        If the results hold no unit.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.analyze import analyze
    >>> from neurodrift.analysis.regression.tables import tabulate_units
    >>> recording = testing.linear_track(n_units=3, n_sessions=2, minutes=1)
    >>> table = tabulate_units(analyze(recording, measures=["sparsity"]))
    >>> table[["session", "unit", "detected"]].values.tolist()[:2]
    [['1', 0, True], ['1', 1, True]]
    """
    expect_type("results", results, xr.DataTree, "a tree of results, as neurodrift.analyze gives")
    nodes = {name: node.to_dataset() for name, node in results.children.items()}
    own = [nodes[name] for name in _OF_UNIT if "unit" in nodes.get(name, xr.Dataset()).dims]
    if not own:
        raise ValueError("the results hold no unit: analyze with the node sparsity or maps")
    sessions, units = own[0]["session"].values, own[0]["unit"].values
    detected = own[0]["detected"].transpose("session", "unit").values.ravel()
    n_sessions, n_units = len(sessions), len(units)
    columns: dict[str, object] = {
        name: np.full(n_sessions * n_units, str(results[name].values), dtype=object)
        for name in ("subject", "environment")
        if name in results.coords
    }
    columns["session"] = np.repeat(sessions.astype(object), n_units)
    for name in ("day", "experience", "training_step"):
        if name in own[0].coords:
            columns[name] = np.repeat(own[0][name].values, n_units)
    columns["unit"] = np.tile(units, n_sessions)
    for name in ("region", "registered"):
        if name in own[0].coords:
            columns[name] = np.tile(own[0][name].values, n_sessions)
    columns["detected"] = detected

    def add(name: str, array: xr.DataArray) -> None:
        if name not in columns:
            values = array.sel(session=sessions, unit=units).transpose("session", "unit").values
            held = {"b": "boolean", "i": "Int64", "u": "Int64"}.get(array.dtype.kind)
            columns[name] = pd.Series(values.ravel(), dtype=held).where(detected)

    for name in _OF_UNIT:
        for key, array in sorted(nodes.get(name, xr.Dataset()).data_vars.items()):
            if set(array.dims) == {"session", "unit"} and key != "information":
                add(str(key), array)
    for name, shown in _OF_MAP.items():
        for key, column in shown.items():
            maps = nodes.get(name, xr.Dataset()).get(key)
            if maps is None or set(maps.dims) != {"session", "unit", "direction"}:
                continue
            for way in maps["direction"].values.tolist():
                add(f"{column}{_WAYS.get(way, f'_{way}')}", maps.sel(direction=way, drop=True))
    return pd.DataFrame(columns)


FRACTIONS = {
    "fraction_place_cells": ("n_place_cells", "n_detected"),
    "fraction_active_units": ("n_active", "n_detected"),
    "fraction_place_of_active": ("n_place_cells", "n_active"),
}
"""Fraction -> counts of which it is the ratio of the sums."""

MEANS = {
    "information": "n_chosen_maps",
    "information_naive": "n_place_cells",
    "information_ssr": "n_place_cells",
}
"""Mean over maps -> count that weights it."""


POOLED = (
    "descriptive: cells of an animal's environments pooled; the animal is the unit of inference"
)
"""Attribute ``use`` of a table of :func:`pool_sessions`."""


def pool_sessions(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Pool the cells of an animal's environments by the label of the session, to describe them.

    Where cells have no identity across days, as in tetrode recordings, drift is that of measures of
    the population. Ratzon et al. [1]_ pooled the cells that a rat had on the k-th day in one
    environment with those of the k-th day in the other; recordings of hc-6 have that day of
    exposure as the label of the session.

    Parameters
    ----------
    tables
        Tables of sessions, one for each recording, such as
        ``session_table(recording, sparsity(recording), ...)`` or the node ``sessions`` of
        :func:`neurodrift.analyze` as a table with ``subject`` and ``session``.

    Returns
    -------
    pandas.DataFrame
        One row for each subject and session label: ``n_environments``, the sums of the counts
        (``n_detected``, ``n_active``, ``n_place_cells``), the fractions of :data:`FRACTIONS` and
        the means of :data:`MEANS`, as far as the tables have what they need. Sorted by subject and
        number of the session. The attribute ``use`` of the table says that it is descriptive.

    Raises
    ------
    ValueError
        If a table lacks a column that it needs, or an environment has a session twice.

    Notes
    -----
    A fraction is the sum of its numerators over the sum of its denominators, so every cell counts
    once; fractions of the tables themselves are weighted by their ``n_counted``. A mean
    is weighted by the number of maps or place cells behind it.

    The table is descriptive. The cells of an animal were recorded in one brain, and those of its
    environments are not further animals: neither cells nor environments are the unit of
    inference, the animal is. Test with ``regress(..., method="subjects", subject="subject")``, or
    with ``compare`` of sides of several animals; a slope of one animal's pooled sessions speaks of
    this animal alone, and the environment with more cells weighs more.

    References
    ----------
    .. [1] Ratzon A, Derdikman D, Barak O. Representational drift as a result of implicit
       regularization. eLife 12, RP90069 (2024). https://doi.org/10.7554/eLife.90069

    Examples
    --------
    >>> import pandas as pd
    >>> from neurodrift.analysis.regression.tables import pool_sessions
    >>> row = {"subject": "bon", "session": "4"}
    >>> one = pd.DataFrame([row | {"environment": "A", "n_detected": 40, "n_place_cells": 20}])
    >>> two = pd.DataFrame([row | {"environment": "B", "n_detected": 40, "n_place_cells": 30}])
    >>> pool_sessions([one, two])["fraction_place_cells"].tolist()
    [0.625]
    """
    needed = {"subject", "environment", "session", "n_detected"}
    if isinstance(tables, pd.DataFrame):
        raise TypeError("tables is one table, expected a list of them, one for each recording")
    tables = names_in("tables", tables)
    for table in tables:
        if not isinstance(table, pd.DataFrame):
            raise TypeError(
                f"tables holds a {type(table).__name__}, expected tables of tabulate_sessions"
            )
    for i, table in enumerate(tables):
        missing = sorted(needed - set(table))
        if missing:
            raise ValueError(f"table {i} has no column {', '.join(missing)}")
    if not tables:
        raise ValueError("no table given")
    every = pd.concat(tables, ignore_index=True)
    every["session"] = every["session"].astype(str)
    keys = ["subject", "environment", "session"]
    twice = every[every.duplicated(keys)]
    if len(twice):
        raise ValueError(
            f"session {twice['session'].iloc[0]!r} of {twice['subject'].iloc[0]} in "
            f"{twice['environment'].iloc[0]} occurs twice: give each recording once"
        )
    groups = every.groupby(["subject", "session"], sort=False)
    rows = []
    for (subject, session), part in groups:
        row: dict[str, object] = {"subject": subject, "session": session}
        row["n_environments"] = len(part)
        counts = {name: _total(part, name) for name in ("n_detected", "n_active", "n_place_cells")}
        row |= {name: value for name, value in counts.items() if value is not None}
        for name, (top, bottom) in FRACTIONS.items():
            over, under = counts[top], counts[bottom]
            if bottom == "n_detected" and {name, "n_counted"} <= set(part):
                row[name] = _weighted(part[name], part["n_counted"])
            elif over is not None and under is not None:
                row[name] = over / under if under else np.nan
        for name, weight in MEANS.items():
            if name in part and weight in part:
                row[name] = _weighted(part[name], part[weight])
        rows.append(row)
    pooled = pd.DataFrame(rows)
    order = pd.to_numeric(pooled["session"], errors="coerce")
    pooled = pooled.assign(_order=order).sort_values(["subject", "_order", "session"])
    pooled = pooled.drop(columns="_order").reset_index(drop=True)
    pooled.attrs["use"] = POOLED
    return pooled


def _total(part: pd.DataFrame, name: str) -> int | None:
    return int(part[name].sum()) if name in part and part[name].notna().all() else None


def _weighted(values: pd.Series, weights: pd.Series) -> float:
    """Mean of what is there; NaN if nothing is."""
    known = values.notna() & (weights > 0)
    total = weights[known].sum()
    return float((values[known] * weights[known]).sum() / total) if total else float("nan")
