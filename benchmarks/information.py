"""Time of SSR + BAE against plain NumPy that follows the published procedure, and the accuracy.

    python benchmarks/information.py                 # 250 cells x 3000 frames x 14 647 subsamples
    python benchmarks/information.py --small         # a few seconds, so that CI keeps it alive
    python benchmarks/information.py --accuracy      # also the bias on published simulated cells

NumPy draws each subsample, multiplies its activity by one-hot positions, as it is and permuted,
and fits every cell by scipy. It runs a stated fraction of the n_repeats, evenly over the sizes,
and is scaled. Both take turns, and the best turn of each counts. BLAS has one thread unless
OPENBLAS_NUM_THREADS says otherwise: more gain NumPy little on idle cores, and on busy ones they
make it ten times slower. Real amplitudes (mouse C6M3, cells active in 10 frames or more) are
timed where they are at hand.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import xarray as xr
from scipy.optimize import least_squares

from neurodrift import Binning, recording_from_arrays
from neurodrift.analysis.information.curves import n_threads
from neurodrift.analysis.information.estimates import (
    FRACTIONS,
    compute_mutual_information,
    compute_spatial_information,
)

N_BINS = 20
BINNING = Binning(edges=np.arange(N_BINS + 1.0))
TRACK_BINS = Binning(edges=np.arange(2.5, 23.5))
FRAME = 0.05  # s
REPETITIONS = 500


def make(kind: str, n_cells: int, n_frames: int, rate: float = 1.0, seed: int = 0) -> xr.Dataset:
    """Place cells with a background, a to-and-fro run; events, spike counts or amplitudes."""
    rng = np.random.default_rng(seed)
    x = np.abs((np.cumsum(rng.uniform(0.1, 0.3, n_frames)) + N_BINS) % (2 * N_BINS) - N_BINS)
    centres = rng.uniform(0, N_BINS, n_cells)
    tuning = 0.1 + np.exp(-0.5 * ((x[:, None] - centres) / 2) ** 2)
    expected = tuning / tuning.mean(axis=0) * rate * FRAME
    binary = rng.random(expected.shape) < expected
    activity = binary if kind == "events" else rng.poisson(expected)
    if kind == "deconvolved":
        activity = activity * rng.gamma(2.0, 1.0, activity.shape)
    options = {"kind": kind, "x": np.clip(x, 1e-9, N_BINS), "frame_duration": FRAME}
    return recording_from_arrays(activity, **options)


def plain_numpy(recording: xr.Dataset, edges: np.ndarray, share: float) -> tuple[float, np.ndarray]:
    """Seconds of the published procedure, and SSR and BAE (2, cell)."""
    activity = recording["activity"].values.astype(float)
    state = np.searchsorted(edges, recording["x"].values, side="left") - 1
    one_hot = np.eye(edges.size - 1)
    rng = np.random.default_rng(1)
    n_frames, n_cells = activity.shape

    def information(sample: np.ndarray, states: np.ndarray) -> np.ndarray:
        indicator = one_hot[states]
        occupancy = indicator.sum(axis=0)
        seen = occupancy > 0
        rate = (indicator.T @ sample)[seen] / occupancy[seen, None]
        ratio = rate / sample.mean(axis=0)
        terms = ratio * np.log2(ratio, out=np.zeros_like(ratio), where=ratio > 0)
        return occupancy[seen] / states.size @ terms

    seconds, curves = 0.0, np.empty((2, len(FRACTIONS), n_cells))
    with np.errstate(invalid="ignore", divide="ignore"):
        for i, fraction in enumerate(FRACTIONS):
            n = math.floor(fraction * n_frames + 1e-9)
            n_repeats = math.ceil(REPETITIONS / fraction - 1e-9)
            done = max(3, round(n_repeats * share))
            found = np.empty((2, done, n_cells))
            start = time.perf_counter()
            for k in range(done):
                frames = rng.choice(n_frames, n, replace=False)
                sample, states = activity[frames], state[frames]
                found[0, k] = information(sample, states)
                found[1, k] = information(sample[rng.permutation(n)], states)
            curves[:, i] = np.nanmean(found, axis=1)
            seconds += (time.perf_counter() - start) * n_repeats / done
    start = time.perf_counter()
    (first, shuffle_first), (last, shuffle_last) = curves[:, 0], curves[:, -1]
    ssr = last - shuffle_last * (first - last) / (shuffle_first - shuffle_last)
    bae = np.array([fit_bounded(curve, n_frames) for curve in curves[0].T])
    return seconds + time.perf_counter() - start, np.stack([ssr, bae])


def fit_bounded(curve: np.ndarray, n_frames: int) -> float:
    t = np.array(FRACTIONS) * n_frames
    middle = (curve[0] - curve[4]) / (curve[4] - curve[-1]) / t[4]
    start = np.array([curve[-1], curve[0] - curve[-1], middle])
    start[~(start > 0)] = 1e-10
    fit = least_squares(
        lambda p: p[0] + p[1] / (1 + p[2] * t) - curve,
        start,
        bounds=(0, np.inf),
        jac=lambda p: np.stack(
            [np.ones_like(t), 1 / (1 + p[2] * t), -p[1] * t / (1 + p[2] * t) ** 2], axis=1
        ),
        x_scale="jac",
    )
    return float(fit.x[0])


def compare(name: str, recording: xr.Dataset, binning: Binning, share: float, turns: int) -> None:
    edges = np.asarray(binning.edges, dtype=float)
    compute_spatial_information(recording, binning=binning, n_repeats=2)  # compiles
    ours, theirs = [], []
    for _ in range(turns):
        seconds, slow = plain_numpy(recording, edges, share)
        theirs.append(seconds)
        for _ in range(3):
            start = time.perf_counter()
            fast = compute_spatial_information(recording, binning=binning, n_repeats=REPETITIONS)
            ours.append(time.perf_counter() - start)
    n_frames, n_cells = recording["activity"].shape
    density = float((recording["activity"] > 0).mean()) / FRAME
    print(f"{name}: {n_cells} cells x {n_frames} frames, active in {density:.2f} frames/s")
    slower, faster = min(theirs), min(ours)
    print(
        f"  NumPy {slower:.2f} s (1/{1 / share:.0f} of the n_repeats, scaled; best of {turns}), "
        f"neurodrift {faster:.3f} s (best of {3 * turns}): {slower / faster:.0f} times faster"
    )
    found = np.stack([fast[n].values.ravel() for n in ("ssr", "bae")])
    ssr, bae = np.nanmedian(np.abs(found - slow), axis=1)
    print(f"  median difference of a cell: SSR {ssr:.3f}, BAE {bae:.3f} bit/event")


def load(folder: Path, kind: str, mouse: str, session: tuple[int, ...]) -> xr.Dataset:
    from scipy.io import loadmat

    prefix = "simulated_" if kind == "simulated" else ""
    train = loadmat(folder / kind / f"{mouse}_{prefix}spike_train.mat")["spike_train"][session]
    trace = loadmat(folder / kind / f"{mouse}_stimulus_trace.mat")["stimulus_trace"][session]
    return recording_from_arrays(
        train,
        kind="spikes" if kind == "simulated" else "deconvolved",
        x=trace.ravel().astype(float),
        geometry="linear",  # frames of one direction of running
        frame_duration=0.05 if mouse == "C6M3" else 0.1,
    )


def accuracy(folder: Path) -> None:
    """Mean over the 16 simulated sessions of a mouse, against the true information."""
    from scipy.io import loadmat

    corrections = ("sr", "ssr", "ae", "bae")
    names = [f"population_{name}" for name in ("naive", *corrections)]
    for mouse in ("C6M3", "C8M2"):
        truths = loadmat(folder / "simulated" / f"{mouse}_true_information.mat")["true_information"]
        for measure in ("SI_bit_spike", "SI_bit_sec", "MI"):
            truth, values = truths[measure][0, 0], []
            for session in np.ndindex(truth.shape):
                recording = load(folder, "simulated", mouse, session)
                options = {"binning": TRACK_BINS, "corrections": corrections}
                if measure == "MI":
                    result = compute_mutual_information(recording, **options)
                else:
                    unit = "bit/event" if measure == "SI_bit_spike" else "bit/s"
                    result = compute_spatial_information(recording, measure=unit, **options)
                result = result.isel(session=0, direction=0)
                enough = (result["active_frames"] >= 10).values
                found = [float(result[name]) for name in names]
                values.append([*found, truth[session].ravel()[enough].mean()])
            *found, true = np.mean(values, axis=0)
            bias = ", ".join(
                f"{name.removeprefix('population_')} {100 * (value / true - 1):+.1f} %"
                for name, value in zip(names, found, strict=True)
            )
            print(f"bias {mouse} {measure} ({len(values)} sessions): {bias}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="few cells and frames, for CI")
    parser.add_argument("--accuracy", action="store_true", help="bias on published simulated cells")
    arguments = parser.parse_args()
    small = arguments.small
    n_cells, n_frames = (20, 600) if small else (250, 3000)
    share, turns = (1 / 200, 1) if small else (1 / 40, 6)
    subsamples = sum(math.ceil(REPETITIONS / f - 1e-9) for f in FRACTIONS)
    print(f"{n_threads()} cores, {subsamples} subsamples")
    for kind, name in (
        ("events", "binary events, shuffles in closed form"),
        ("spikes", "spike counts, shuffles sampled"),
        ("deconvolved", "amplitudes, shuffles sampled"),
    ):
        compare(name, make(kind, n_cells, n_frames), BINNING, share, turns)
    data = os.environ.get("NEURODRIFT_DATA", Path(__file__).parents[2] / "shared" / "data")
    folder = Path(data) / "sheintuch2022"
    if folder.is_dir():
        recording = load(folder, "real", "C6M3", (0, 0, 0))
        active = (recording["activity"] > 0).sum("time").values >= 10
        recording = recording.isel(unit=np.flatnonzero(active)[: n_cells if small else None])
        compare("real amplitudes of C6M3", recording, TRACK_BINS, share, turns)
        if arguments.accuracy:
            accuracy(folder)


if __name__ == "__main__":
    main()
