"""Survival, turnover, and fields that are followed, on animals whose change is known.

    python benchmarks/drift_survival.py            # 30 animals a row; states alone 400 a row
    python benchmarks/drift_survival.py --animals 400
    python benchmarks/drift_survival.py --small

States alone are drawn here: units with fixed rates of their own and no history, units of which
each active day makes the next likelier, and fields that shift by a known way with each lap. The
other animals are those of ``animals.py``; "peak" is the rate in their fields [events/s].
"""

from __future__ import annotations

import argparse
import warnings

import numpy as np
import xarray as xr
from known_animals import make

import neurodrift as nd

PEAKS = (("stable", 0.7), ("turnover", 0.7), ("independent", 0.7), ("rates", 1.0), ("events", 4.0))
LENGTH, STEP, SPEED = 180.0, 0.1, 18.0


def without_history(rng: np.random.Generator, n_units: int, n_sessions: int) -> np.ndarray:
    """(session, unit) states of units with rates from a Beta(.5, .5)."""
    return rng.random((n_sessions, n_units)) < rng.beta(0.5, 0.5, n_units)


def with_history(rng: np.random.Generator, n_units: int, n_sessions: int) -> np.ndarray:
    """(session, unit) states: each session on in a row adds .12 to a chance of .45."""
    on = np.zeros((n_sessions, n_units), dtype=bool)
    run = np.zeros(n_units)
    for s in range(n_sessions):
        p = np.where(run > 0, np.minimum(0.45 + 0.12 * (run - 1), 0.95), 0.25)
        on[s] = rng.random(n_units) < p
        run = np.where(on[s], run + 1, 0)
    return on


def histories(n: int) -> None:
    """Excess of run lengths, and how often it is significant."""
    print("\nrun lengths: P(on | 1..4 in a row), overall excess, its p below .05")
    rows = (
        ("fixed rates, 10 sessions, 200 units", without_history, 200, 10, "any"),
        ("fixed rates, 8 sessions, 60 units", without_history, 60, 8, "any"),
        ("fixed rates, onset seen", without_history, 60, 8, "onset"),
        ("history, 8 sessions, 60 units", with_history, 60, 8, "any"),
        ("history, onset seen", with_history, 60, 8, "onset"),
    )
    for name, draw, n_units, n_sessions, start in rows:
        stay, excess, found, held = [], [], [], []
        for i in range(n):
            on = draw(np.random.default_rng([11, i]), n_units, n_sessions)
            runs = nd.compute_run_lengths(
                xr.DataArray(on, dims=("session", "unit")),
                start=start,
                n_permutations=199,
                n_repeats=200,
            )
            stay.append(runs["stay"].values[:4])
            excess.append(float(runs["overall"]))
            found.append(float(runs["overall_p"]) <= 0.05)
            held.append(float(runs["overall_ci_low"]) <= 0 <= float(runs["overall_ci_high"]))
        curve = " ".join(f"{v:.2f}" for v in np.nanmean(stay, axis=0))
        print(
            f"{name:38s}{curve}  {np.mean(excess):+.3f}  {np.mean(found):.3f}"
            f"  0 in the interval {np.mean(held):.2f}",
            flush=True,
        )


def turnovers(n: int) -> None:
    """Place cells that are still place cells, as found and without errors of the test."""
    print(
        "\nturnover: power; still after 1, 2, 5 sessions as found, and corrected (sd); loss a step"
    )
    for truth, peak in PEAKS:
        rows = []
        for i in range(n):
            animal = make(truth, np.random.default_rng([12, i]), peak=peak, n_units=100)
            wanted = ["sparsity", "place_cells", "cross_fitted"]
            results = nd.analyze(animal.recording, measures=wanted, n_repeats=5)
            cells = results["place_cells"].to_dataset()
            cross = results["cross_fitted"].to_dataset()
            power = nd.compute_test_power(
                cross["chosen"],
                cells["is_place_cell"],
                cells["n_events"].sum("direction", min_count=1),
                tested=cross["tested"],
            )["power"].values
            found = nd.compute_turnover(results, n_repeats=20)
            at = [0, 1, 4]
            rows.append(
                [
                    np.nanmean(power[cells["is_place_cell"].values]),
                    *found["still_by_lag"].values[at],
                    *found["still_corrected_by_lag"].values[at],
                    float(found["loss"]),
                ]
            )
        mean, sd = np.nanmean(rows, axis=0), np.nanstd(rows, axis=0)
        print(
            f"{truth:12s} {mean[0]:.2f}   {mean[1]:.2f} {mean[2]:.2f} {mean[3]:.2f}   "
            + " ".join(f"{mean[k]:.2f} ({sd[k]:.2f})" for k in (4, 5, 6))
            + f"   {mean[7]:.3f} ({sd[7]:.3f})",
            flush=True,
        )


def moves(n: int) -> None:
    """Fields kept and moved, and the earth mover's distance."""
    print("\nfields of neighbouring sessions: kept, moved, lost; kept by chance; shift and its sd")
    print("[cm]; earth mover's distance less noise [cm] after 1 and 5 sessions")
    for circle in (True, False):
        for truth in ("stable", "shift", "independent", "jumps", "turnover"):
            rows = []
            for i in range(n):
                animal = make(truth, np.random.default_rng([13, i]), circle=circle)
                wanted = ["place_fields", "half_maps"]
                results = nd.analyze(
                    animal.recording, measures=wanted, n_repeats=5, bin_width=2.5, smoothing=2.5
                )
                fields = nd.match_fields(results, per_field=False)
                carried = nd.compute_earth_movers_distance(results)["distance_relative"].values
                next_one = np.eye(6, k=1, dtype=bool)
                names = ("kept", "moved", "lost", "kept_chance", "mean_shift", "shift_sd")
                row = [np.nanmean(fields[name].values[next_one]) for name in names]
                rows.append([*row, np.nanmean(carried[next_one]), carried[0, 5]])
            values = " ".join(f"{v:6.2f}" for v in np.nanmean(rows, axis=0))
            print(f"{'circle' if circle else 'line':7s}{truth:12s} {values}", flush=True)


def shifting(rng: np.random.Generator, slope: float, circle: bool) -> xr.Dataset:
    """Thirty laps in which every field moves by `slope` [cm] with each lap."""
    frames, n_laps, n_units = round(LENGTH / SPEED / STEP), 30, 40
    x = np.tile((np.arange(frames) + 0.5) * LENGTH / frames, n_laps)
    lap = np.repeat(np.arange(n_laps), frames)
    place = rng.uniform(0, LENGTH, n_units) + slope * (lap[:, None] - n_laps / 2)
    away = x[:, None] - place
    if circle:
        away = (away + LENGTH / 2) % LENGTH - LENGTH / 2
    rate = 0.03 + 3.0 * np.exp(-0.5 * (away / 9.0) ** 2)
    return nd.recording_from_arrays(
        [rng.poisson(rate * STEP).astype(np.uint8)],
        kind="events",
        frame_duration=STEP,
        x=[x],
        lap=[lap],
        speed=[np.full(x.size, SPEED)],
        geometry=nd.geometry.circular(LENGTH) if circle else nd.geometry.vr(LENGTH),
    )


def laps(n: int) -> None:
    """Slopes of fields that shift by a known way with each lap."""
    print("\nshift with each lap [cm]: true, mean found, backward, forward, mean p below .05")
    for circle in (True, False):
        for slope in (0.0, -0.1, -0.3, -0.6):
            rows = []
            for i in range(n):
                recording = shifting(np.random.default_rng([14, i]), slope, circle)
                binning = nd.Binning(bin_width=3)
                maps = nd.compute_rate_maps(recording, binning=binning, smoothing=3.0)
                found = nd.compute_lap_shifts(recording, nd.detect_place_fields(maps))
                names = ("mean_slope", "fraction_backward", "fraction_forward")
                row = [float(found[name][0]) for name in names]
                rows.append([*row, float(found["mean_slope_p"][0]) <= 0.05])
            mean = np.nanmean(rows, axis=0)
            values = " ".join(f"{v:6.3f}" for v in mean)
            print(f"{'circle' if circle else 'line':7s}{slope:5.1f} {values}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="one animal a row")
    parser.add_argument("--animals", type=int, default=30, help="animals a row")
    parser.add_argument("--states", type=int, default=400, help="draws of states alone a row")
    given = parser.parse_args()
    n = 1 if given.small else given.animals
    warnings.simplefilter("ignore", RuntimeWarning)  # means of what is NaN in every animal
    histories(5 if given.small else given.states)
    if given.small:
        global PEAKS
        PEAKS = PEAKS[:2]
    turnovers(n)
    moves(n)
    laps(n)


if __name__ == "__main__":
    main()
