"""Decoders across sessions on animals whose change is known, and how long decoding takes.

    python benchmarks/drift_decoding.py                 # truths, 400 animals of each
    python benchmarks/drift_decoding.py --animals 40
    python benchmarks/drift_decoding.py --speed         # 8 x 8 sessions, 500 cells
    python benchmarks/drift_decoding.py --small         # both, tiny

Truths: `relative` (1: a day teaches as well as the test day itself) at lags of 1 and of 5
sessions, mean over animals with its standard deviation over them, with equal events and as
recorded; how often a day is called worse than the own one (p <= .05; first against last session,
and all pairs); how often the day of a lap is told and its order found; how much better five days
teach than one.

``silent`` has no place code at all: there, p of an error against chance must be calibrated.

Speed: the same windows, sessions and pairs for all, in one process, CPU time. pynapple's
``decode_bayes`` and a plain loop of scikit-learn train in one session and test in every session;
ours beside it, once as such a loop and once with all that it adds (own errors by folds, equal
events, chance, permutations).
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable

import known_animals as animals
import numpy as np

import neurodrift as nd

TRUTHS = (*animals.TRUTHS, "silent")


def animal(truth: str, i: int, circle: bool) -> animals.Animal:
    rng = np.random.default_rng([19, i, TRUTHS.index(truth)])
    if truth == "silent":
        return animals.make("stable", rng, circle=circle, peak=0.0, base=1.0)
    return animals.make(truth, rng, circle=circle)


def measured(recording: object, rng_seed: int) -> dict[str, float]:
    equal = nd.decode_across_sessions(recording, seed=rng_seed)
    plain = nd.decode_across_sessions(recording, match="laps", test=False, seed=rng_seed)
    lag = np.abs(equal["lag"].values)
    off = lag > 0
    several = nd.decode_from_several_sessions(recording, n_draws=3, seed=rng_seed)
    day = nd.decode_session(recording, n_repeats=40, seed=rng_seed)
    relative, other = equal["relative"].values, plain["relative"].values
    p, worse = equal["p"].values, equal["worse_p"].values
    several_gain = several["relative"].values
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "lag 1": float(np.nanmean(relative[lag == 1])),
            "lag 5": float(np.nanmean(relative[lag == 5])),
            "as recorded 1": float(np.nanmean(other[lag == 1])),
            "as recorded 5": float(np.nanmean(other[lag == 5])),
            "worse": float(np.mean(worse[0, -1] <= 0.05)),
            "worse in any way": float(np.mean(worse[off] <= 0.05)),
            "better than chance": float(np.mean(p[0, -1] <= 0.05)),
            "day": float(day["accuracy"]),
            "day p": float(day["accuracy_p"] <= 0.05),
            "order p": float(day["order_p"] <= 0.05),
            "neighbour p": float(day["neighbour_p"] <= 0.05),
            "several": float(np.nanmean(several_gain[:, -1] - several_gain[:, 0])),
        }


def truths(n_animals: int, chosen: list[str]) -> None:
    print(f"{n_animals} animals a row, 60 units, 6 sessions, 40 laps; mean (sd over animals)")
    print(
        f"{'track':8s}{'truth':12s}{'lag 1':>14s}{'lag 5':>16s}{'as recorded 5':>16s}"
        f"{'worse':>7s}{'all':>6s}{'chance':>8s}{'day':>6s}{'day p':>7s}{'order':>7s}"
        f"{'beside':>7s}{'several':>16s}"
    )
    for circle in (False, True):
        for truth in chosen:
            rows = [measured(animal(truth, i, circle).recording, i) for i in range(n_animals)]
            mean, sd = over_animals(rows)

            def both(name: str) -> str:
                return f"{mean[name]:6.3f} ({sd[name]:.3f})"  # noqa: B023

            print(
                f"{'circle' if circle else 'line':8s}{truth:12s}{both('lag 1'):>14s}"
                f"{both('lag 5'):>16s}{both('as recorded 5'):>16s}{mean['worse']:7.3f}"
                f"{mean['worse in any way']:6.3f}{mean['better than chance']:8.3f}"
                f"{mean['day']:6.2f}"
                f"{mean['day p']:7.2f}{mean['order p']:7.2f}{mean['neighbour p']:7.2f}"
                f"{both('several'):>16s}",
                flush=True,
            )


def over_animals(rows: list[dict[str, float]]) -> tuple[dict[str, float], dict[str, float]]:
    """Mean and standard deviation of what is known; NaN of nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = {name: [row[name] for row in rows] for name in rows[0]}
        mean = {name: float(np.nanmean(values)) for name, values in table.items()}
        return mean, {name: float(np.nanstd(values)) for name, values in table.items()}


def seconds_of(work: Callable[[], object], repeats: int = 1) -> float:
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def speed(n_sessions: int, n_units: int, n_laps: int) -> None:
    from sklearn.linear_model import Ridge

    from neurodrift.analysis.decoding.windows import session_parts

    rng = np.random.default_rng(1)
    made = animals.make("independent", rng, n_units=n_units, n_sessions=n_sessions, n_laps=n_laps)
    recording = made.recording.drop_vars("direction")
    binning = nd.Binning(directions=False)
    parts, places, _ = session_parts(recording, binning, 0.5, 30.0)
    counts = [part.activity.toarray() for part in parts]
    print(
        f"{n_sessions} x {n_sessions} sessions, {n_units} units, {places.centres.size} bins, "
        f"{np.mean([c.shape[0] for c in counts]):.0f} windows a session; seconds of CPU"
    )
    options = {"binning": binning, "smoothing": 0.0}
    errors_only = {"n_repeats": 0, "test": False, **options}
    nd.decode_across_sessions(
        animals.make("stable", rng, n_units=5, n_sessions=2).recording, decoder="linear"
    )  # imports
    windows = seconds_of(lambda: session_parts(recording, binning, 0.5, 30.0), 3)
    plain = seconds_of(
        lambda: nd.decode_across_sessions(recording, match=None, n_folds=2, **errors_only), 3
    )
    whole = seconds_of(lambda: nd.decode_across_sessions(recording, **options))
    print(f"activity to windows: {windows:.2f} s, in none of the times below")
    plain, whole = plain - windows, whole - windows
    print(f"neurodrift, Bayesian, errors only: {plain:.2f} s; with all it adds: {whole:.2f} s")
    try:
        import pynapple as nap
    except ImportError:
        print("pynapple is not installed: pip install pynapple")
    else:
        loop = seconds_of(lambda: pynapple_loop(nap, parts, counts, places.centres[:, 0]))
        print(
            f"pynapple, loop of decode_bayes: {loop:.2f} s; {loop / plain:.1f} times ours, "
            f"{loop / whole:.1f} times ours with all that it adds"
        )
    folded = seconds_of(lambda: sklearn_loop(parts, counts, Ridge(), 5), 3)
    linear = seconds_of(
        lambda: nd.decode_across_sessions(recording, decoder="linear", match="laps", **errors_only),
        3,
    )
    linear -= windows
    print(
        f"scikit-learn's Ridge, plain loop of 5 folds: {folded:.2f} s; ours: {linear:.2f} s, "
        f"{linear / folded:.2f} times"
    )


def pynapple_loop(nap: object, parts: list, counts: list, centres: np.ndarray) -> None:
    """Train in each session and test in every one, as its documentation does."""
    import xarray as xr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = [nap.TsdFrame(t=0.25 + 0.5 * np.arange(len(c)), d=c) for c in counts]
        for a, part in enumerate(parts):
            spent = np.bincount(part.place, part.seconds, minlength=centres.size)
            sums = np.array([counts[a][part.place == k].sum(axis=0) for k in range(centres.size)])
            curves = xr.DataArray(
                (np.maximum(sums, 0.5) / np.maximum(spent, 0.5)[:, None]).T,
                dims=("unit", "position"),
                coords={"unit": np.arange(sums.shape[1]), "position": centres},
                attrs={"occupancy": spent, "bin_edges": [np.append(centres - 2, centres[-1] + 2)]},
            )
            for frame in data:
                nap.decode_bayes(curves, frame, frame.time_support, 0.5, uniform_prior=True)


def sklearn_loop(parts: list, counts: list, made: object, n_folds: int) -> None:
    """Train without a fold of the laps of each session, test in that fold of every session."""
    from sklearn.base import clone

    folds = [part.row % n_folds for part in parts]
    rates = [c / part.seconds[:, None] for c, part in zip(counts, parts, strict=True)]
    for a, part in enumerate(parts):
        for f in range(n_folds):
            learn = folds[a] != f
            model = clone(made).fit(rates[a][learn], part.x[learn, 0])
            for b, tested in enumerate(parts):
                here = folds[b] == f
                np.abs(model.predict(rates[b][here]) - tested.x[here, 0]).mean()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="one animal of three, few cells")
    parser.add_argument("--speed", action="store_true", help="time only")
    parser.add_argument("--animals", type=int, default=400)
    chosen = parser.parse_args()
    if chosen.small:
        truths(1, ["stable", "shift"])
        speed(3, 30, 20)
    elif chosen.speed:
        speed(8, 500, 200)
    else:
        truths(chosen.animals, list(TRUTHS))


if __name__ == "__main__":
    main()
