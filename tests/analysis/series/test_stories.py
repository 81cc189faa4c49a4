"""Slopes, phases and comparison of one recording tell one story."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import xarray as xr

from neurodrift import testing
from neurodrift.analysis.analyze import analyze
from neurodrift.analysis.comparison.compare import compare
from neurodrift.analysis.phases.phases import detect_phases
from neurodrift.analysis.regression.regression import regress_each
from neurodrift.testing import results_of

LEVELS = {
    "fraction_active_units": 0.8,
    "active_fraction": 0.02,
    "fraction_place_cells": 0.4,
    "information": 1.2,
}
STATEMENTS = {
    "fewer active units": "fraction_active_units",
    "lower active fraction": "active_fraction",
    "fewer place cells": "fraction_place_cells",
    "more information": "information",
}


def session_table(seed: int) -> xr.DataTree:
    """A recording of 4 to 16 sessions whose statistics change or not, with alike neighbours."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 17))
    day = np.cumsum(rng.integers(1, 4, n)).astype(float)
    way = (day - day[0]) / (day[-1] - day[0])
    table: dict[str, np.ndarray] = {"day": day, "running_speed": rng.normal(12, 1, n)}
    rho, noise = rng.choice([0.0, 0.3, 0.6]), rng.choice([0.01, 0.03, 0.1, 0.2])
    for name, level in LEVELS.items():
        end = rng.choice([0.3, 1.0])
        shape = [way, np.minimum(way / end, 1), (way >= 0.6).astype(float)][rng.integers(3)]
        size = rng.choice([0.0, 0.0, -0.4, -0.15, 0.15, 0.4])
        e = rng.standard_normal(n)
        for i in range(1, n):
            e[i] = rho * e[i - 1] + np.sqrt(1 - rho**2) * e[i]
        table[name] = level * (1 + size * shape + noise * e)
        if rng.random() < 0.15:
            table[name][rng.integers(n)] = np.nan
    lag = np.abs(way[:, None] - way[None, :])
    blur = 0.05 * rng.standard_normal((n, n))
    similarity = np.clip(np.exp(-rng.choice([0.0, 0.5]) * lag) + blur + blur.T, -1, 1)
    return results_of(table, similarity=similarity, relative=similarity, subject=f"m{seed}")


def contradictions(tree: xr.DataTree, within: str = "ar1") -> list[str]:
    """Claims of slopes, phases and comparison that exclude each other."""
    table = tree["sessions"].to_dataset().to_dataframe().reset_index()
    slopes = regress_each(table).sel(predictor="day")
    phases = detect_phases(tree, n_repeats=99)
    names = list(STATEMENTS.values())
    other = results_of({"day": np.arange(3.0), "active_fraction": np.ones(3)})
    options = {"axes": ["fraction"], "measures": names, "covariates": (), "n_repeats": 0}
    one = compare(tree, other, names=["one", "other"], within=within, **options)
    one = one.sel(side="one", adjustment="none")
    found = []
    for statement, name in STATEMENTS.items():
        if name not in phases["quantity"].values:
            continue
        row = one.sel(statement=statement)
        verdict = str(row["statement_verdict"].item())
        state = str(phases["state"].sel(quantity=name).item())
        trend = float(phases["trend"].sel(quantity=name))
        change = float(phases["linear_change"].sel(quantity=name))
        ends = [float(phases[f"linear_change_ci_{e}"].sel(quantity=name)) for e in ("low", "high")]
        negligible = max(map(abs, ends)) <= phases.attrs["negligible"]
        sign = {"holds": 1, "contradicted": -1}.get(verdict, 0) * int(row["statement_sign"])
        p = float(slopes["p"].sel(measure=name))
        if not np.isclose(p, row["statement_p"].item(), rtol=1e-6, equal_nan=True):
            found.append(f"{name}: p {p} of the slope, {row['statement_p'].item()} compared")
        if state == "too few sessions":
            continue
        if not np.isclose(p, phases["linear_p"].sel(quantity=name), rtol=1e-6):
            found.append(f"{name}: p {p} of the slope, but not in the phases")
        if sign and not negligible and (state != "changes" or sign != np.sign(change)):
            found.append(f"{name}: {verdict}, but {state} by the phases")
        if sign and trend and sign != trend:
            found.append(f"{name}: {verdict}, but the phases have it the other way")
        if (verdict == "no change") != (state == "constant") and not negligible:
            found.append(f"{name}: {verdict}, but {state} by the phases")
        if p < 0.05 and state == "constant" and not negligible:
            found.append(f"{name}: p = {p}, but constant by the phases")
        if sign and not negligible and phases.attrs["verdict"] in ("undecided", "null drift only"):
            found.append(f"{name}: {verdict}, but the phases are {phases.attrs['verdict']}")
    return found


@pytest.mark.parametrize("seed", range(8))
def test_stories__slopes_phases_and_comparison_agree(seed: int) -> None:
    assert contradictions(session_table(seed)) == []


def test_stories__least_squares_would_tell_another() -> None:
    assert any(contradictions(session_table(seed), within="ols") for seed in range(2))


@pytest.mark.slow
def test_stories__agree_over_a_thousand_tables() -> None:
    assert {s: f for s in range(1000) if (f := contradictions(session_table(s)))} == {}


@pytest.mark.slow
def test_stories__agree_over_twenty_recordings() -> None:
    found = {}
    for seed in range(20):
        options = {"silencing": 0.12} if seed % 2 else {"drift": 0.2}
        recording = testing.linear_track(
            n_units=40, n_sessions=8, minutes=2, frame_rate=5, seed=seed, **options
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = analyze(recording, n_repeats=20)
        if text := contradictions(results):
            found[seed] = text
    assert found == {}
