"""Every statistic of one recording in one tree."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import xarray as xr

from neurodrift._version import __version__
from neurodrift.analysis.drift.ceiling import compute_half_maps, compute_session_drift, finest_split
from neurodrift.analysis.drift.drift import compute_drift
from neurodrift.analysis.identity.map_switches import detect_maps, label_maps
from neurodrift.analysis.identity.quality import count_units, quality
from neurodrift.analysis.information.estimates import (
    compute_spatial_information,
    detect_informative_units,
    informative_cells,
)
from neurodrift.analysis.maps.binning import Binning, as_binning
from neurodrift.analysis.maps.place_fields import detect_place_fields
from neurodrift.analysis.maps.rate_maps import compute_rate_maps, smooth_maps
from neurodrift.analysis.maps.sparsity import compute_sparsity
from neurodrift.analysis.phases._text import describe_phases
from neurodrift.analysis.phases.phases import detect_phases
from neurodrift.analysis.place_cells._tests import expect
from neurodrift.analysis.place_cells.place_cells import detect_place_cells
from neurodrift.analysis.place_cells.stability import compare_criteria, compute_map_stability
from neurodrift.analysis.regression.regression import regress
from neurodrift.analysis.regression.tables import tabulate_sessions
from neurodrift.schema import FORMAT_VERSION, check, label
from neurodrift.schema.results import MEASURES, SLOPES

__all__ = ["analyze", "summarize"]

_PREDICTORS = ("day", "experience", "training_step", "session_number")
_KEEP_UNITS_UP_TO = 40  # sessions; the maps of every unit and pair grow with their square


def analyze(
    recording: xr.Dataset,
    *,
    binning: Binning | None = None,
    smoothing: float | None = None,
    min_events: int = 5,
    alpha: float = 0.05,
    n_repeats: int = 500,
    criterion: Literal["auto", "shuffle", "information"] = "auto",
    min_information: float = 0.01,
    map_labels: Literal["given", "detect"] = "given",
    seed: int = 0,
    progress: bool = False,
) -> xr.DataTree:
    """Compute every statistic of a recording, real or simulated.

    Parameters
    ----------
    recording
        A recording; lazy activity is read session by session. Without a position there are only
        the sparsity and the drift of activity.
    binning
        Position bins and the frames that count; the defaults of :class:`Binning` when omitted.
    smoothing
        Standard deviation [cm] of the Gaussian over the maps that are correlated; the width of a
        bin when omitted. Information is always taken from maps that were not smoothed.
    min_events, alpha
        Fewest events of a tested unit, and the level of the place-cell test.
    n_repeats
        Subsamples of the whole sample behind SSR and BAE; smaller samples take more.
    criterion
        What makes a place cell: the ``shuffle`` test of :func:`neurodrift.detect_place_cells`, or
        ``information`` above `min_information` without a test. ``auto``: information for the kind
        ``activation``. Such activity is a function of the input, without noise that a test could
        take for a map; on a track run back and forth, shifted activity is its own control.
    min_information
        Information [bit/event] above which a unit is informative, see
        :func:`neurodrift.detect_informative_units`.
    map_labels
        Whether segments of several maps are told apart by the recording's ``map_label`` or by
        what :func:`neurodrift.detect_maps` finds. Without a ``map_label``, switches are looked
        for in any case and warned of, but labels are only used if asked for.
    seed
        Seed of every random stream.
    progress
        Whether to show a progress bar when on a terminal.

    Returns
    -------
    xarray.DataTree
        Nodes ``quality`` (units that each step keeps, check of the registration, with sentences
        of warning as the attribute ``warnings``), ``map_switches`` where maps were looked for,
        ``place_fields``, ``maps`` and ``smoothed_maps`` (:func:`compute_rate_maps`),
        ``informative`` units, ``place_cells``, ``information``, ``stability`` (split halves) with
        the ``agreement`` of both criteria, ``sparsity``, ``drift`` (all frames of a session) and
        ``session_drift`` (halves of sessions of the same map, with the noise ceiling on the
        diagonal), ``sessions`` (one value a session), ``regression`` (their least-squares slopes)
        and ``phases`` (:func:`detect_phases`). The root's attributes are the parameters and the
        version of neurodrift. Where the criterion is information, the tests and corrections that
        assume noise are left out: p, q and z are NaN, the information is naive, and there is no
        ``stability`` and no ``agreement``. Activations below 0, such as those of tanh units, have
        no information and so no place cells: drift is that of all units.

    Raises
    ------
    ValueError
        If it is no recording, a session has no frame that can be used, or `criterion` is unknown.

    Examples
    --------
    >>> from neurodrift import testing
    >>> from neurodrift.analysis.pipeline import analyze
    >>> recording = testing.linear_track(n_units=10, n_sessions=3, minutes=5)
    >>> results = analyze(recording, n_repeats=20)
    >>> results["sessions"]["n_place_cells"].dims
    ('session',)
    """
    check(recording)
    binning = as_binning(binning)
    smoothing = binning.typical_width() if smoothing is None else smoothing
    expect("criterion", criterion, ("auto", "shuffle", "information"))
    expect("map_labels", map_labels, ("given", "detect"))
    if criterion == "auto":
        noise_free = recording["activity"].attrs["kind"] == "activation"
        criterion = "information" if noise_free else "shuffle"
    tested = criterion == "shuffle"
    options: dict[str, Any] = {"binning": binning, "min_events": min_events, "seed": seed}
    tree: dict[str, xr.Dataset] = {}
    noisy = "x" in recording and recording["activity"].attrs["kind"] != "activation"
    looks = noisy and (map_labels == "detect" or "map_label" not in recording)
    n_steps = (11 if tested else 9) if "x" in recording else 5
    bar = _bar(progress, n_steps + looks)

    def step(name: str, function: Callable[[], xr.Dataset]) -> xr.Dataset:
        bar.set_description(name)
        tree[name] = function().compute()
        bar.update()
        return tree[name]

    switches = None
    if looks:
        switches = step(
            "map_switches", lambda: detect_maps(recording, binning=binning, smoothing=smoothing)
        )
        if map_labels == "detect":
            recording = label_maps(recording, switches)
    steps: dict[str, Any] = {}
    active = step("sparsity", lambda: compute_sparsity(recording))
    steps["active"] = active["is_active"]
    measures = [active]
    if "x" in recording:
        maps = step("maps", lambda: compute_rate_maps(recording, binning=binning))
        smoothed = maps.assign(rate=smooth_maps(maps["rate"], smoothing))
        smoothed.attrs["smoothing"] = smoothing
        tree["smoothed_maps"] = smoothed
        split = finest_split(recording)
        chosen: dict[str, Any] = {"active": active["is_active"]}
        if tested or not (maps["rate"] < 0).any():
            informative = step(
                "informative",
                lambda: detect_informative_units(maps, min_information=min_information),
            )
            information = step(
                "information",
                lambda: compute_spatial_information(
                    recording,
                    binning=binning,
                    corrections=("ssr", "bae") if tested else "none",
                    n_repeats=n_repeats,
                    min_active_frames=min_events,
                    seed=seed,
                ),
            )
            if tested:
                cells = step(
                    "place_cells", lambda: detect_place_cells(recording, alpha=alpha, **options)
                )
                stable = step(
                    "stability",
                    lambda: compute_map_stability(
                        recording,
                        split="half" if split == "block" else split,
                        smoothing=smoothing,
                        alpha=alpha,
                        **options,
                    ),
                )
                tree["agreement"] = compare_criteria(
                    {"information": cells["is_place_cell"], "stability": stable["is_stable"]},
                    among=cells["tested"].any("direction"),
                )
            else:
                cells = tree["place_cells"] = informative_cells(informative, information)
            measures.append(_informative_measures(active, informative))
            measures.append(place_cell_measures(active, cells, information))
            chosen["place_cells"] = cells["significant"]
            steps["tested"] = cells["tested"].any("direction")
            steps["place_cells"] = cells["is_place_cell"]
            tree["place_fields"] = detect_place_fields(smoothed, place_cells=cells["significant"])
        if "map_label" in recording:
            measures.append(_n_maps(recording))
        many = recording.sizes["session"] > _KEEP_UNITS_UP_TO
        step("drift", lambda: compute_drift(smoothed, per_unit=not many, seed=seed, **chosen))
        step(
            "session_drift",
            lambda: compute_session_drift(
                compute_drift(
                    compute_half_maps(recording, binning=binning, smoothing=smoothing, split=split),
                    per_unit=False,
                    seed=seed,
                    **chosen,
                )
            ),
        )
    else:
        step("drift", lambda: compute_drift(active, active=active["is_active"], seed=seed))
    counts = count_units(recording, **steps)
    unused = switches if map_labels == "given" else None
    check_identity = {"binning": binning, "smoothing": smoothing, "seed": seed}
    step(
        "quality",
        lambda: quality(recording, counts, switches=unused, **check_identity) if noisy else counts,
    )
    table = tabulate_sessions(recording, *measures).drop(columns=["subject", "environment"])
    sessions = xr.Dataset.from_dataframe(table.set_index("session"))
    sessions["session"] = sessions["session"].astype(object)
    tree["sessions"] = label(sessions, MEASURES)
    step("regression", lambda: _slopes(table))
    extra = {}
    if "map_label" in recording:
        labels = recording["map_label"].values
        extra["n_maps"] = int(np.unique(labels[labels > 0]).size)
    found = {"/": xr.Dataset(attrs=extra), **tree}
    step("phases", lambda: detect_phases(xr.DataTree.from_dict(found), seed=seed))
    bar.close()

    root = xr.Dataset(
        coords={name: recording[name].variable for name in ("subject", "environment")},
        attrs={
            "title": "neurodrift results",
            "format_version": FORMAT_VERSION,
            "neurodrift_version": __version__,
            "parameters": json.dumps(
                {
                    "binning": json.loads(binning.to_json()),
                    "smoothing": smoothing,
                    "min_events": min_events,
                    "alpha": alpha,
                    "n_repeats": n_repeats,
                    "criterion": criterion,
                    "min_information": min_information,
                    "map_labels": map_labels,
                    "seed": seed,
                }
            ),
            "recording": json.dumps(dict(recording.attrs), default=str),
            **extra,
        },
    )
    nodes = {
        name: node.drop_vars(["subject", "environment"], errors="ignore")
        for name, node in tree.items()
    }
    return xr.DataTree.from_dict({"/": root, **nodes})


def place_cell_measures(
    active: xr.Dataset, cells: xr.Dataset, information: xr.Dataset
) -> xr.Dataset:
    """Numbers, fractions and mean information of place cells, by session.

    Parameters
    ----------
    active, cells, information
        From :func:`compute_sparsity`, :func:`detect_place_cells` and
        :func:`compute_spatial_information`.

    Returns
    -------
    xarray.Dataset
        Over ``session``, for :func:`tabulate_sessions`.
    """
    n_place = cells["is_place_cell"].sum("unit")
    n_detected, n_active = active["n_detected"], active["n_active"]
    significant = cells["significant"]
    return xr.Dataset(
        {
            "n_place_cells": n_place,
            "n_tested": cells["tested"].any("direction").sum("unit"),
            "fraction_place_cells": n_place / n_detected.where(n_detected > 0),
            "fraction_place_of_active": n_place / n_active.where(n_active > 0),
            **{
                f"information_{name}": ("session", _means(information[name].where(significant)))
                for name in ("naive", "ssr", "bae")
                if name in information
            },
        }
    )


def _informative_measures(active: xr.Dataset, informative: xr.Dataset) -> xr.Dataset:
    information, chosen = informative["information"], informative["is_informative"]
    n_detected, n_chosen = active["n_detected"], chosen.sum("unit")
    detected = active["detected"]
    return xr.Dataset(
        {
            "n_informative_units": n_chosen,
            "fraction_informative_units": n_chosen / n_detected.where(n_detected > 0),
            "information_informative": ("session", _means(information.where(chosen))),
            "information_all": ("session", _means(information.fillna(0.0).where(detected))),
        }
    )


def _n_maps(recording: xr.Dataset) -> xr.Dataset:
    """Number of maps that the population was in, by session."""
    labels, index = recording["map_label"].values, recording["session_index"].values
    counts = [
        np.unique(labels[(index == i) & (labels > 0)]).size
        for i in range(recording.sizes["session"])
    ]
    return xr.Dataset({"n_maps": ("session", counts)}, coords={"session": recording["session"]})


def _means(values: xr.DataArray) -> np.ndarray:
    """Mean of each session without NaN, the same to the last bit in any order of units."""
    rows = values.transpose("session", ...).values.reshape(values.sizes["session"], -1)
    finite = [row[np.isfinite(row)] for row in rows]
    return np.array([math.fsum(row) / row.size if row.size else np.nan for row in finite])


def _slopes(table: Any) -> xr.Dataset:
    """Least-squares slope of each measure on each predictor, with and without running speed."""
    measures = [
        name
        for name in ("fraction_active_units", "active_fraction", *MEASURES)
        if name in table and not name.startswith("n_")
    ]
    predictors = [
        name
        for name in _PREDICTORS
        if name in table and (name != "session_number" or not {"day", "training_step"} & set(table))
    ]
    statistics = ("estimate", "se", "t", "dof", "p", "ci_low", "ci_high")
    names = ["slope", *statistics[1:]]
    names += [f"{name}_given_speed" for name in ("slope", "p")]
    found = {name: np.full((len(measures), len(predictors)), np.nan) for name in names}
    for i, measure in enumerate(measures):
        for j, predictor in enumerate(predictors):
            for covariates in ((), ("running_speed",)):
                used = table[[measure, predictor, *covariates]].dropna()
                if len(used) < 3 + len(covariates) or (used[predictor].nunique() < 2):
                    continue
                if covariates and used["running_speed"].nunique() < 2:
                    continue
                fit = regress(table, measure, predictor, covariates=covariates).sel(term=predictor)
                if covariates:
                    found["slope_given_speed"][i, j] = fit["estimate"]
                    found["p_given_speed"][i, j] = fit["p"]
                else:
                    for name, statistic in zip(names, statistics, strict=False):
                        found[name][i, j] = fit[statistic]
    slopes = xr.Dataset(
        {name: (("measure", "predictor"), values) for name, values in found.items()},
        coords={
            "measure": np.array(measures, dtype=object),
            "predictor": np.array(predictors, dtype=object),
        },
        attrs={"method": "ols", "level": 0.95},
    )
    return label(slopes, SLOPES)


def _bar(progress: bool, total: int) -> Any:
    from tqdm import tqdm

    return tqdm(total=total, disable=None if progress else True, leave=False, unit="step")


def summarize(results: xr.DataTree) -> str:
    """A table of the sessions and of the slopes, for people.

    Parameters
    ----------
    results
        Result of :func:`analyze`.

    Returns
    -------
    str
        Lines of text.
    """
    sessions = results["sessions"].to_dataset()
    columns = {
        "day": "day",
        "training_step": "step",
        "n_detected": "units",
        "n_active": "active",
        "n_place_cells": "place cells",
        "information_informative": "SI",
        "information_all": "SI of all",
        "information_naive": "SI naive",
        "information_ssr": "SI SSR",
        "information_bae": "SI BAE",
        "running_speed": "speed [cm/s]",
    }
    by_information = _criterion(results) == "information"
    left_out = ("naive",) if by_information else ("informative", "all")
    shown = [
        name
        for name in columns
        if name in sessions and name.removeprefix("information_") not in left_out
    ]
    table = sessions[shown].to_dataframe()[shown].rename(columns=columns)
    lines = [
        f"{results['subject'].item()}, {results['environment'].item()}",
        table.to_string(float_format=lambda value: f"{value:.3g}"),
    ]
    if by_information and "place_cells" in results:
        threshold = results["place_cells"].attrs["min_information"]
        lines.append(
            f"\nPlace cells are the units with more than {threshold:g} bit/event over directions\n"
            "and positions together. SI is their mean; SI of all has silent units as 0. There is\n"
            "no shuffle test: it asks whether noise makes the maps, and activations have none."
        )
    if by_information and "maps" in results and "place_cells" not in results:
        lines.append(
            "\nSome activations are below 0, where information is not defined: no place cells."
        )
    if results.attrs.get("n_maps", 1) > 1:
        lines.append(
            f"\nThe population switches between {results.attrs['n_maps']} maps (map_label):\n"
            "session_drift compares equal maps only, the other results pool a session's maps."
        )
    if "quality" in results:
        lines.append(f"\n{_units(results['quality'].to_dataset())}")
    lags = results["session_drift" if "session_drift" in results else "drift"].to_dataset()
    measure = next(
        (n for n in ("rate_map_correlation", "ensemble_rate_correlation") if n in lags), None
    )
    if measure is not None and lags.sizes["session_a"] > 1:
        mean = lags[measure].where(lags["lag"] >= 0).groupby("lag").mean()
        values = ", ".join(
            f"{int(lag)}: {value:.2f}"
            for lag, value in zip(mean["lag"].values, mean.values, strict=True)
            if lag >= 0 and np.isfinite(value)
        )
        lines.append(f"\n{measure.replace('_', ' ')} by lag [sessions]: {values}")
    slopes = results["regression"].to_dataset()
    if slopes.sizes["measure"]:
        predictor = str(slopes["predictor"].values[0])
        one = slopes.sel(predictor=predictor, drop=True)[["slope", "ci_low", "ci_high", "p"]]
        lines.append(f"\nslopes on {predictor} (least squares, n = {sessions.sizes['session']})")
        lines.append(one.to_dataframe().to_string(float_format=lambda value: f"{value:.3g}"))
    if "phases" in results:  # older results have none
        lines.append(f"\n{describe_phases(results['phases'].to_dataset())}")
    return "\n".join(lines)


def _units(quality: xr.Dataset) -> str:
    """Units that each step keeps, and what is not as it should be."""
    parts = [f"{int(quality['n_recorded'])} recorded"]
    for step in quality["step"].values:
        one = quality.sel(step=step)
        words = str(step).replace("_", " ")
        parts.append(f"{int(one['n_in_any'])} ({int(one['n_in_every'])}) {words}")
    lines = ["units in any (in every) session: " + ", ".join(parts)]
    lines += [f"Warning: {text}" for text in json.loads(quality.attrs.get("warnings", "[]"))]
    return "\n".join(lines)


def _criterion(results: xr.DataTree) -> str:
    """What made a place cell; older results do not say."""
    return str(json.loads(results.attrs["parameters"]).get("criterion", "shuffle"))
