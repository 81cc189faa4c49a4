"""Results of one recording as lines of text."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from neurodrift.analysis._phase_text import phases_text


def summary(results: xr.DataTree) -> str:
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
        threshold = results["place_cells"].attrs["threshold"]
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
        lines.append(f"\n{phases_text(results['phases'].to_dataset())}")
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
