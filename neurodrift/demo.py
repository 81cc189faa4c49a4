"""The whole path on a synthetic mouse, beside a small network, held to the mouse's truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neurodrift import testing
from neurodrift.analysis.analyze import analyze
from neurodrift.analysis.comparison.compare import compare
from neurodrift.analysis.maps.binning import Binning, bin_frames
from neurodrift.examples.network import read_network
from neurodrift.examples.synthetic import Mouse
from neurodrift.io.nwb.read import import_nwb
from neurodrift.io.nwb.session import session_from_recording
from neurodrift.io.nwb.write import write_session
from neurodrift.io.output import whole
from neurodrift.io.zarr import open_recording, save_recording, save_results
from neurodrift.recording import slice_sessions
from neurodrift.report import write_report

MOUSE: Mouse = {"n_units": 50, "n_sessions": 6, "drift": 0.15, "silencing": 0.06, "tuned": 0.7}
BINNING = Binning(edges=np.arange(0.0, 101.0, 4.0), exclude_ends=4.0)
ANALYSIS: dict[str, Any] = {"n_repeats": 60, "n_draws": 3}
"""Fewer draws than the defaults: the demo is short, and its intervals are of the sessions."""

_MADE = {"nwb", "recording.zarr", "results.zarr", "report.html"}


def run_demo(out: Path, *, seed: int = 0, overwrite: bool = False) -> str:
    """Analyse a synthetic mouse as if it were real, hold it to its truth and to a network.

    Parameters
    ----------
    out
        Folder for NWB files, recording, results and the report.
    seed
        Seed of the mouse and of the analysis.
    overwrite
        Whether an existing folder is replaced.

    Returns
    -------
    str
        A table of truth and estimate, and where the files are.

    Raises
    ------
    FileExistsError
        If `out` exists and `overwrite` is False.
    """
    out = Path(out)
    with whole(out, overwrite=overwrite, what="demo", is_ours=_is_ours) as folder:
        table = _written(folder, seed)
    return f"{table}\n\nfiles in {out}/; open {out / 'report.html'} in a browser"


def _is_ours(out: Path) -> bool:
    """Whether a folder holds nothing but what a demo made."""
    return out.is_dir() and {path.name for path in out.iterdir()} <= _MADE


def _written(out: Path, seed: int) -> str:
    """Write all files into a new folder; the table of truth and estimate."""
    (out / "nwb").mkdir(parents=True)
    mouse = testing.linear_track(**MOUSE, minutes=6, detection=0.9, seed=seed)
    truth = testing.linear_track_truth(**MOUSE, seed=seed)
    files = [
        write_session(session_from_recording(mouse, label), out / "nwb" / f"session_{label}.nwb")
        for label in mouse["session"].values
    ]
    save_recording(import_nwb(files), out / "recording.zarr")
    recording = open_recording(out / "recording.zarr").load()  # small, so that it is read once
    results = analyze(recording, binning=BINNING, seed=seed, progress=True, **ANALYSIS)
    save_results(results, out / "results.zarr")
    _report(results, out, seed)
    nodes = {name: node.to_dataset() for name, node in results.children.items()}
    return _table(nodes, _binned_truth(recording, truth))


def _report(mouse: xr.DataTree, out: Path, seed: int) -> None:
    """Lay a small network in training beside the mouse, on one page."""
    network = analyze(read_network(), seed=seed, progress=True, **ANALYSIS)
    trees = {"synthetic mouse": mouse, "small network": network}
    comparison = compare(*trees.values(), names=list(trees), seed=seed)
    title = "A synthetic mouse beside a small network"
    write_report(trees, out / "report.html", comparison=comparison, title=title)


def _binned_truth(recording: xr.Dataset, truth: xr.Dataset) -> xr.Dataset:
    """True rate maps, information and map correlation in the bins that the mouse visited."""
    frames = bin_frames(recording, BINNING)
    n_bins = frames.sizes["position"]
    maps = np.full((*truth["is_tuned"].shape, 2, n_bins), np.nan)
    occupancy = np.zeros((recording.sizes["session"], 2, n_bins))
    for i, where in enumerate(slice_sessions(recording)):
        at = np.minimum(np.nan_to_num(recording["x"].values[where]).astype(int), 99)
        for d in range(2):
            used = frames["direction_bin"].values[where] == d
            bins = frames["position_bin"].values[where][used]
            occupancy[i, d] = np.bincount(bins, minlength=n_bins)
            for j in range(maps.shape[1]):
                rates = truth["rate"].values[i, j, d][at[used]]
                maps[i, j, d] = np.bincount(bins, rates, n_bins) / occupancy[i, d]
    p = (occupancy / occupancy.sum(-1, keepdims=True))[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):  # silent units have no information
        relative = maps / (p * maps).sum(-1, keepdims=True)
        information = np.nansum(p * relative * np.log2(relative), axis=-1)
    dims = ("session", "unit", "direction")
    return xr.Dataset(
        {
            "rate": ((*dims, "position"), maps),
            "information": (dims, information),
            "is_tuned": truth["is_tuned"],
            "is_active": truth["is_active"],
        },
        coords={"direction": [1, -1], "session": recording["session"].values},
    ).sel(unit=recording["unit"].values)


def _table(results: dict[str, xr.Dataset], truth: xr.Dataset) -> str:
    cells, information = results["place_cells"], results["information"]
    detected = results["maps"]["detected"]
    found, tuned = cells["is_place_cell"], truth["is_tuned"] & detected
    untuned = detected & truth["is_active"] & ~truth["is_tuned"]
    rows = [
        (
            f"tuned units found, summed over {found.sizes['session']} sessions",
            f"{int(tuned.sum())}",
            f"{int((found & tuned).sum())}",
        ),
        (
            "untuned units that pass (5 % would by chance)",
            "0",
            f"{int((found & untuned).sum())} of {int(untuned.sum())}",
        ),
    ]
    shared = tuned & np.isfinite(information["ssr"]) & np.isfinite(information["bae"])
    true_information = float(truth["information"].where(shared).mean())
    for name, text in (("naive", "uncorrected"), ("ssr", "SSR"), ("bae", "BAE")):
        value = float(information[name].where(shared).mean())
        rows.append((f"information, {text} [bit/event]", f"{true_information:.2f}", f"{value:.2f}"))
    drift = results["session_drift"]
    true_correlation = _true_correlation(truth, detected)
    lags = drift["lag"].values
    for lag in (1, int(lags.max())):
        at = lags == lag
        value = float(np.nanmean(drift["rate_map_correlation_relative"].values[at]))
        expected = float(np.nanmean(true_correlation[at]))
        rows.append(
            (f"map correlation without noise at lag {lag}", f"{expected:.2f}", f"{value:.2f}")
        )
    fit = results["regression"].sel(measure="fraction_active_units", predictor="day")
    per_day = float(truth["is_active"].mean("unit").diff("session").mean()) / 2
    rows.append(
        (
            "active units, slope per day",
            f"{per_day:.3f}",
            f"{float(fit['slope']):.3f} [{float(fit['ci_low']):.3f}, {float(fit['ci_high']):.3f}]",
        )
    )
    width = max(len(row[0]) for row in rows)
    lines = [f"{'':{width}}  {'truth':>7}  estimate"]
    return "\n".join(lines + [f"{name:{width}}  {true:>7}  {value}" for name, true, value in rows])


def _true_correlation(truth: xr.Dataset, detected: xr.DataArray) -> np.ndarray:
    """Correlation of the true maps, pooled over the tuned units of each pair as it is measured."""
    n = truth.sizes["session"]
    there = truth["is_tuned"].values & detected.transpose("session", "unit").values
    maps = truth["rate"].values
    with np.errstate(invalid="ignore"):  # silent units have none
        maps = maps / maps.sum(-1, keepdims=True)
    apart = maps - maps.mean(-1, keepdims=True)
    matrix = np.full((n, n), np.nan)
    for a in range(n):
        for b in range(n):
            one, other = (apart[i][there[a] & there[b]] for i in (a, b))
            ends = (one * one).sum() * (other * other).sum()
            matrix[a, b] = (one * other).sum() / np.sqrt(ends)
    return matrix
