"""Errors and coverage of the borders of phases, and how often a stationary recording is found so.

``python benchmarks/calibration_phases.py`` simulates series whose change points are known, and
recordings whose fields drift while their statistics stay; ``--small`` only shows that it runs.
Noise is relative to the change of a series; its correlation is that of neighbouring samples.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
import xarray as xr

from neurodrift import testing
from neurodrift.analysis.drift.ceiling import compute_half_maps, compute_session_drift
from neurodrift.analysis.drift.drift import compute_drift
from neurodrift.analysis.information.estimates import compute_spatial_information
from neurodrift.analysis.maps.sparsity import compute_sparsity
from neurodrift.analysis.nodes.cells import place_cell_measures
from neurodrift.analysis.phases.phases import detect_phases
from neurodrift.analysis.place_cells.place_cells import detect_place_cells
from neurodrift.analysis.regression.tables import tabulate_sessions
from neurodrift.seeds import generator

CHANGES = {"fraction_active_units": -0.5, "active_fraction": -0.6, "information": 0.8}
SHAPES = ("exponential", "line", "late")
SHARED = 0.3  # correlation of the statistics' noise


def course(at: np.ndarray, end: float, shape: str) -> np.ndarray:
    """From 1 to 0, 95 % done at the end."""
    if shape == "exponential":
        return 0.05 ** (at / end)
    start = end / 2 if shape == "late" else 0.0
    return np.clip(1 - 0.95 * (at - start) / (end - start), 0, 1)


def noise(n: int, memory: float, rng: np.random.Generator) -> np.ndarray:
    """Stationary autoregressive noise of variance 1."""
    out = rng.standard_normal(n)
    for i in range(1, n):
        out[i] = memory * out[i - 1] + np.sqrt(1 - memory**2) * out[i]
    return out


def series(
    kind: str, n: int, size: float, memory: float, rng: np.random.Generator
) -> tuple[xr.Dataset, tuple[float, float]]:
    """An animal's sessions without a loss, or a run with one, and the true borders."""
    first = np.nan
    if kind == "animal":
        at = np.arange(n) * 15.0
        last = at[-1] * rng.uniform(0.3, 0.8)
        data, dim = {}, "session"
    else:
        at = np.concatenate([[0.0], np.geomspace(1, 1e5, n - 1).round()])
        at = np.unique(at) if np.unique(at).size == n else np.r_[0.0, np.geomspace(1, 1e5, n - 1)]
        first, last = 10 ** rng.uniform(0.8, 1.8), 10 ** rng.uniform(3.3, 4.5)
        dense = np.geomspace(1e-3, 1e5, 20000)
        tau = first  # then moved to where 95 % of the logarithm's fall is done
        fall = np.log(0.06 + np.exp(-dense / tau))
        done = np.interp(0.95, (fall[0] - fall) / (fall[0] - fall[-1]), dense)
        tau *= first / done
        loss = (0.05 + np.exp(-at / tau)) * np.exp(3 * size * noise(n, memory, rng))
        data, dim = {"loss": ("step", loss)}, "step"
    common = noise(n, memory, rng)
    for name, change in CHANGES.items():
        own = np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * noise(n, memory, rng)
        curve = course(at, last, str(rng.choice(SHAPES)))
        data[name] = (dim, 1 + change * (1 - curve + size * own))
    axis = {"experience": ("session", at)} if kind == "animal" else {"step": at}
    return xr.Dataset(data, axis), (first, last)


def borders(kind: str, n: int, size: float, memory: float, repeats: int) -> list[str]:
    """One row for each border of one setting."""
    found: list[list[tuple[float, ...]]] = [[], []]
    for k in range(repeats):
        rng = generator(k, "phases", kind, n, int(1000 * size), int(100 * memory))
        data, truth = series(kind, n, size, memory, rng)
        result = detect_phases(data)
        for i in range(2):
            row = [float(result[f"change_point{end}"][i]) for end in ("", "_ci_low", "_ci_high")]
            if np.isfinite(row[1]):
                found[i].append((truth[i], *row))
    rows = []
    for i, name in enumerate(("fast learning", "directed drift")):
        if kind == "animal" and i == 0:
            continue
        table = np.array(found[i]).reshape(-1, 4)
        true, middle, low, high = table.T
        if kind == "animal":
            error = (np.minimum(middle, 1e3) - true) / (15 * (n - 1))
        else:
            error = np.log10(np.minimum(middle, 1e6) / true)
        quartiles = np.percentile(error, [25, 50, 75]) if len(table) else [np.nan] * 3
        inside = np.mean((low <= true) & (true <= high)) if len(table) else np.nan
        rows.append(
            f"{kind:7} {n:4} {size:6.2f} {memory:7.1f}  {name:15} {len(table) / repeats:6.3f} "
            f"{quartiles[1]:+8.3f} {quartiles[2] - quartiles[0]:7.3f} {inside:9.3f} "
            f"{np.isfinite(high).mean() if len(table) else np.nan:8.3f}"
        )
    return rows


def results(recording: xr.Dataset) -> xr.DataTree:
    """What phases read of :func:`neurodrift.analyze`, without the rest."""
    active, cells = compute_sparsity(recording), detect_place_cells(recording)
    information = compute_spatial_information(recording, n_repeats=20, min_active_frames=5)
    chosen = {"place_cells": cells["significant"], "active": active["is_active"]}
    halves = compute_half_maps(recording, smoothing=4.0)
    similar = compute_session_drift(compute_drift(halves, per_unit=False, n_repeats=0, **chosen))
    table = tabulate_sessions(recording, active, place_cell_measures(active, cells, information))
    sessions = xr.Dataset.from_dataframe(table.set_index("session"))
    return xr.DataTree.from_dict(
        {"sparsity": active, "sessions": sessions, "session_drift": similar}
    )


def verdicts(repeats: int, **options: float) -> str:
    """Verdicts on synthetic recordings, the most frequent first."""
    said = Counter(
        detect_phases(
            results(
                testing.linear_track(
                    n_units=30, n_sessions=8, minutes=4, frame_rate=5, seed=seed, **options
                )
            )
        ).attrs["verdict"]
        for seed in range(repeats)
    )
    return "; ".join(f"{name} {count / repeats:.3f}" for name, count in said.most_common())


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="few repeats of few settings")
    parser.add_argument("--repeats", type=int, default=500)
    parser.add_argument("--part", choices=("all", "borders", "verdicts"), default="all")
    args = parser.parse_args()
    repeats = 3 if args.small else args.repeats
    if args.part != "verdicts":
        settings = [("animal", 8), ("animal", 21), ("run", 21), ("run", 101)]
        print(f"{repeats} repeats; error in lengths of the recording (animal) or decades (run)")
        print(
            "kind       n  noise  memory  phase            found   median     IQR  coverage  finite"
        )
        for kind, n in settings[: 3 if args.small else None]:
            for size in (0.05, 0.1, 0.2)[: 1 if args.small else None]:
                for memory in (0.0, 0.5)[: 1 if args.small else None]:
                    for row in borders(kind, n, size, memory, repeats):
                        print(row, flush=True)
    if args.part != "borders":
        print("\n8 sessions of 30 units, verdicts")
        cases: list[tuple[str, dict[str, float], int]] = [
            ("fields move, statistics stay", {"drift": 0.2}, repeats),
            ("nothing changes", {"drift": 0.0}, repeats // 5),
            ("1 unit of 20 falls silent a session", {"silencing": 0.05}, repeats // 5),
        ]
        for name, options, n in cases:
            print(f"{name} ({max(n, 1)}): {verdicts(max(n, 1), **options)}", flush=True)


if __name__ == "__main__":
    main()
