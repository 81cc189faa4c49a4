"""Real files from end to end: what came in against what the file holds, as a table.

Every file is opened without neurodrift, told by ``inspect``, imported or converted by the command
that follows, analysed and reported. Where a file lacks what a recording needs, the row says how it
was refused, and a copy with a made-up position tells whether its numbers come in right.

``--nwb`` is ``tests/nwbfilestest`` of pynapple 0.3.6's source archive
(``pip download --no-deps --no-binary pynapple pynapple==0.3.6``), ``--wild`` a folder as
``tests/convert/own/test_wild.py`` reads it. Nothing of either is part of this repository.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import shlex
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pynwb
import scipy.io
from pynwb.behavior import Position, SpatialSeries

import neurodrift as nd
from neurodrift.cli import main as neurodrift

COLUMNS = ("file", "holds", "command", "came in", "analysis and report")


@dataclass
class Row:
    """A line of the table, and whether what came in is what the file holds."""

    cells: tuple[str, ...]
    right: bool


def run(*words: object) -> tuple[int, str, str]:
    """A command of neurodrift: exit status, output, errors."""
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        try:
            status = neurodrift([str(word) for word in words]) or 0
        except SystemExit as error:
            status = int(error.code or 0)
    return status, out.getvalue(), err.getvalue()


def reported(store: Path, folder: Path) -> str:
    """Analysis and report of a recording, in a few words."""
    results, page = folder / "results.zarr", folder / "report.html"
    status, _, error = run("analyze", store, "-o", results, "--n-repeats", 20)
    if status:
        return f"analyze: {error.strip()[:120]}"
    status, _, error = run("report", results, "-o", page)
    if status:
        return f"report: {error.strip()[:120]}"
    tree = nd.open_results(results)
    cells = (
        int(tree["sessions"]["n_place_cells"].values.sum())
        if "n_place_cells" in tree["sessions"]
        else None
    )
    tested = "no test of place" if cells is None else f"{cells} place cells"
    return f"{tested}; report of {page.stat().st_size // 1024} kB"


def first_line(error: str) -> str:
    """What stops an import, without the path."""
    lines = [line for line in error.splitlines() if line and "warning:" not in line]
    text = " ".join(lines).removeprefix("neurodrift import: ").removeprefix("neurodrift convert: ")
    text = text.split("If that is")[0].split("does not pass the gate: - ")[-1]
    return "refused: " + text.split(", not deconv")[0].strip()[:120]


# ---- NWB


def held(path: Path) -> str:
    """What an NWB file holds, by h5py."""
    told = []
    with h5py.File(path) as file:
        for name in ("units/spike_times", "units/id"):
            if name in file:
                told.append(f"{len(file[name])} {'spikes' if 'times' in name else 'units'}")
        ophys = file.get("processing/ophys", {})
        for container in [name for name in ophys if name not in ("ImageSegmentation",)]:
            for series in ophys[container]:
                data = ophys[container][series]
                if isinstance(data, h5py.Group) and "data" in data and data["data"].ndim == 2:
                    told.append(f"{container}/{series} {data['data'].shape}")
        for name in file.get("acquisition/Position", {}):
            told.append(f"{name} of {len(file['acquisition/Position'][name]['data'])}")
    return ", ".join(told)


def with_position(path: Path, copy: Path) -> None:
    """A copy of an NWB file with a made-up position [cm] on the clock of its activity."""
    shutil.copy(path, copy)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pynwb.NWBHDF5IO(copy, "a") as file:
            nwbfile = file.read()
            if nwbfile.units is not None:
                last = float(np.max(nwbfile.units["spike_times"].target.data[:]))
                clock = np.arange(0, last, 1 / 30)
            else:
                series = next(
                    s
                    for s in nwbfile.objects.values()
                    if isinstance(s, pynwb.ophys.RoiResponseSeries)
                )
                n = max(series.data.shape)
                clock = (
                    np.asarray(series.get_timestamps()[:])
                    if series.timestamps is not None
                    else (np.arange(n) / series.rate)
                )
            spot = SpatialSeries(
                name="made_up",
                data=50 + 45 * np.sin(clock / 4),
                unit="cm",
                reference_frame="made up",
                timestamps=clock,
            )
            module = nwbfile.create_processing_module(name="behavior", description="made up")
            module.add(Position(spatial_series=spot))
            file.write(nwbfile)


def activity_in(path: Path, series: str | None, time: np.ndarray) -> np.ndarray:
    """Activity of an NWB file on frames, by h5py: (time, unit)."""
    with h5py.File(path) as file:
        if "units/spike_times" in file:
            ends = file["units/spike_times_index"][()]
            trains = np.split(file["units/spike_times"][()], ends[:-1])
            step = np.median(np.diff(time))
            edges = np.append(time, time[-1] + step)
            return np.array([np.histogram(train, edges)[0] for train in trains]).T
        data = file[f"processing/{series}/data"][()]
        table = file["processing/ophys/ImageSegmentation/PlaneSegmentation"]
        data = data.T if data.shape[0] == len(table["id"]) else data
        keep = table["iscell"][:, 0] == 1 if "iscell" in table else np.ones(len(table["id"]), bool)
        return data[:, keep]


def nwb_rows(folder: Path) -> list[Row]:
    """Rows of the seven NWB files."""
    rows = []
    for path in sorted(folder.glob("*/pynapplenwb/*.nwb")):
        name = f"{path.parents[1].name} ({path.name})"
        for made_up in (False, True):
            with tempfile.TemporaryDirectory() as scratch:
                used = Path(scratch) / path.name
                if made_up:
                    with_position(path, used)
                else:
                    shutil.copy(path, used)
                row, lacks = nwb_row(name, path, used, Path(scratch), made_up)
            rows.append(row)
            if lacks != "position":
                break
    return rows


def nwb_row(name: str, path: Path, used: Path, scratch: Path, made_up: bool) -> tuple[Row, str]:
    """One import of a file: its row, and what it lacks."""
    _, said, _ = run("inspect", used)
    command = said.strip().splitlines()[-1]
    holds = held(path) + (" + a made-up position" if made_up else "")
    if command.startswith("cannot be imported"):
        lacks = command.rsplit(" holds no ", 1)[-1]
        return Row((name, holds, "none printed", f"refused: holds no {lacks}", "–"), True), lacks
    words = shlex.split(command)[1:]
    store = scratch / "recording.zarr"
    words[words.index("-o") + 1] = str(store)
    shown = " ".join(words[2:-2]) or "import"
    status, _, error = run(*words)
    if status and "--accept" not in words and "accept: [trace]" in error:
        came = first_line(error)
        status, _, error = run(*words, "--accept", "trace")
        prefix = f"{came}; with --accept trace: "
    else:
        prefix = ""
    if status:
        return Row((name, holds, shown, prefix + first_line(error), "–"), False), ""
    found = nd.open_recording(store)
    series = words[words.index("--series") + 1] if "--series" in words else None
    if series is None and "units" not in said.split("activity", 1)[1].split(":", 1)[0]:
        series = said.split("activity  ", 1)[1].split(":", 1)[0]
    truth = activity_in(path, series, found["time"].values)
    values = found["activity"].values
    right = truth.shape == values.shape and bool(np.allclose(truth, values))
    unit = (
        f"{values.sum():,.0f} spikes" if found["activity"].attrs["kind"] == "spikes" else "values"
    )
    extent = float(np.nanmax(found["x"]) - np.nanmin(found["x"]))
    came = (
        f"{prefix}{found.sizes['unit']} units, {found.sizes['time']:,} frames, {unit} "
        f"{'as in the file' if right else 'NOT as in the file'}; x covers {extent:.0f} cm"
    )
    return Row((name, holds, shown, came, reported(store, scratch)), right), ""


# ---- own arrays and tables


HEAD = "subject: {{id: m1}}\nenvironment: track\nsessions: [{{session: 1}}]\n"


def converted(text: str, folder: Path, *accept: str) -> tuple[Path | None, str]:
    """A mapping through ``convert arrays`` and ``import``: the store, or why there is none."""
    (folder / "map.yaml").write_text(text)
    status, _, error = run("convert", "arrays", folder / "map.yaml", "--out", folder / "nwb")
    if status:
        return None, first_line(error)
    files = sorted((folder / "nwb").rglob("*.nwb"))
    store = folder / "recording.zarr"
    more = [word for name in accept for word in ("--accept", name)]
    status, _, error = run("import", *files, "-o", store, *more)
    return (None, first_line(error)) if status else (store, "")


def trace_row(wild: Path, name: str, folder: Path) -> Row:
    """One calcium trace and two clocks (CaImDecoding)."""
    source = wild / "caimdecoding" / name
    trace = scipy.io.loadmat(source / "ca_trace.mat")["ca_trace"].ravel()
    place = scipy.io.loadmat(source / "behav_vec.mat")["behav_vec"]
    text = HEAD.format() + (
        f"activity: {{file: '{source}/ca_trace.mat', kind: deconvolved, samples: ca_trace, "
        f"axes: [frames, units], time: {{file: '{source}/ca_time.mat', variable: ca_time}}, "
        "time_unit: s}\n"
        f"position: {{file: '{source}/behav_vec.mat', xy: behav_vec, unit: cm, "
        f"time: {{file: '{source}/behav_time.mat', variable: behav_time}}, time_unit: s}}\n"
    )
    holds = f"1 trace of {trace.size:,}, position {place.shape}, two clocks"
    store, why = converted(text, folder)
    came, refused = why, store is None
    (folder / "accepted").mkdir()
    store, again = converted(text + "accept: [trace]\n", folder / "accepted", "trace")
    if store is None:
        came = f"{came}; with accept: [trace]: {again}"
        return Row((f"caimdecoding/{name}", holds, "convert arrays", came, "–"), False)
    found = nd.open_recording(store)
    tracked = place.reshape(len(place), -1)
    xy = np.column_stack([found[axis] for axis in ("x", "y") if axis in found])
    inside = np.isin(xy[:, 0], tracked[:, 0]).mean()
    left_out = len(tracked) - found.sizes["time"]
    own = set(trace.tolist())
    means = np.mean([value in own for value in found["activity"].values[:, 0].tolist()])
    right = refused and inside == 1 and found.sizes["time"] > 0.9 * len(tracked)
    came = (
        f"{came}; with accept: [trace]: {found.sizes['time']:,} frames of the position, all the "
        f"file's, {left_out} without a sample near left out; {100 * means:.0f} % of the values the "
        "trace's own, others means of samples in a frame"
    )
    return Row(
        (f"caimdecoding/{name}", holds, "convert arrays", came, reported(store, folder)), right
    )


def tetrode_row(wild: Path, folder: Path) -> Row:
    """Nested cells of spikes, and Trodes' binary track, saved as .npz as the refusal says."""
    source = wild / "nelpy"
    cells = scipy.io.loadmat(source / "spikes.mat")["spikes"][0, 0][0, 0]
    trains = [u["time"][0, 0].ravel() for t in cells.ravel() if t.size for u in t.ravel() if u.size]
    raw = (source / "trajectory.videoPositionTracking").read_bytes()
    body = raw[raw.index(b"<End settings>") + len(b"<End settings>") + 1 :]
    names = ("time", "x", "y", "x2", "y2")
    fields = np.dtype([(n, "<u4" if n == "time" else "<u2") for n in names])
    track = np.frombuffer(body[: len(body) // fields.itemsize * fields.itemsize], fields)
    track = track[np.diff(track["time"].astype(np.int64), prepend=-1) > 0]  # one frame is twice
    place = {axis: track[axis] / 4.0 for axis in ("x", "y")}
    np.savez(folder / "track.npz", time=track["time"].astype(np.int64), **place)
    _, _, error = run("inspect", source / "trajectory.videoPositionTracking")
    text = HEAD.format() + (
        f"activity: {{file: '{source}/spikes.mat', kind: spikes, "
        "times: 'spikes{1}{1}{:}{:}.time'}\n"
        "position: {file: track.npz, x: x, y: y, unit: cm, time: time, time_unit: samples, "
        "rate: 30000}\n"
    )
    spikes = np.concatenate(trains)
    clock = track["time"] / 30000
    step = float(np.median(np.diff(clock)))
    at = np.searchsorted(clock, spikes, side="right") - 1
    length = np.append(np.diff(clock), step)
    length[length > 1.5 * step] = step
    inside = int(((at >= 0) & (spikes < clock[at] + length[at])).sum())
    units = sum(len(train) > 0 for train in trains)
    holds = f"{units} units, {spikes.size:,} spikes, {inside:,} of them in frames of the track"
    said = "named with the export that is read" if "SpikeGadgets" in error else "not named"
    store, why = converted(text, folder)
    if store is None:
        return Row(("nelpy", holds, "convert arrays", why, "–"), False)
    found = nd.open_recording(store)
    counts = int(found["activity"].values.sum())
    active = int((found["activity"].values.sum(axis=0) > 0).sum())
    came = (
        f"the track is {said}, one frame is there twice (refused until dropped); from .npz: "
        f"{active} units with spikes, {counts:,} spikes, {found.sizes['time']:,} frames"
    )
    return Row(
        ("nelpy", holds, "convert arrays", came, reported(store, folder)),
        active == units and abs(counts - inside) <= 1,
    )


def table_row(wild: Path, folder: Path) -> Row:
    """One table of rates, columns c1 to c160 beside x and lap; its rate is not told."""
    source = wild / "tables" / "data_4_T1.csv"
    truth = pd.read_csv(source)
    units = [name for name in truth.columns if name not in ("x", "lap")]
    text = HEAD.format() + (
        f"activity: {{file: '{source}', kind: deconvolved, axes: [frames, units], samples: 'c*'}}\n"
        f"position: {{file: '{source}', x: x, unit: cm, rate: 10}}\naccept: [speed]\n"
    )
    holds = f"{len(truth):,} rows, x, lap, {len(units)} columns c1.. of rates; no clock"
    store, why = converted(text, folder, "speed")
    if store is None:
        return Row(("tables/data_4_T1.csv", holds, "convert arrays", why, "–"), False)
    found = nd.open_recording(store)
    right = np.array_equal(found["activity"], truth[units]) and np.array_equal(
        found["x"], truth["x"]
    )
    came = f"{found.sizes['unit']} units, {found.sizes['time']:,} frames, all values as in the file"
    came = came if right else came.replace("all values as", "NOT as")
    cells = ("tables/data_4_T1.csv", holds, "convert arrays (rate: 10 assumed)", came)
    return Row((*cells, reported(store, folder)), bool(right))


def ethovision_row(wild: Path, folder: Path) -> Row:
    """EthoVision's raw track, with spikes of our own."""
    source = wild / "ethovision" / "trial.xlsx"
    table = pd.read_excel(source, header=None, skiprows=39)
    clock = pd.to_numeric(table[1], errors="coerce")
    place = table[[2, 3]].apply(pd.to_numeric, errors="coerce")[clock.notna().values]
    clock = clock.dropna().to_numpy()
    np.savez(folder / "s.npz", u0=clock[1::3] + 0.001, u1=clock[2::7] + 0.002)
    text = HEAD.format() + "activity: {file: s.npz, times: 'u*', kind: spikes}\n"
    text += f"position: {{reader: ethovision, file: '{source}'}}\n"
    holds = f"{len(clock):,} rows of a track, {int(place[2].isna().sum())} marked '-'"
    store, why = converted(text, folder)
    if store is None:
        return Row(("ethovision/trial.xlsx", holds, "convert arrays", why, "–"), False)
    found = nd.open_recording(store)
    xy = np.column_stack([found["x"], found["y"]])
    right = np.array_equal(xy, place.to_numpy(), equal_nan=True)
    lost = int(np.isnan(xy[:, 0]).sum())
    came = f"{found.sizes['time']:,} frames, {lost} lost, positions as in the file"
    cells = ("ethovision/trial.xlsx", f"{holds} (spikes made up)", "convert arrays")
    return Row(
        (*cells, came if right else came.replace("as in", "NOT as in"), reported(store, folder)),
        right,
    )


def wild_rows(wild: Path) -> list[Row]:
    """Rows of the folder of wild files."""
    made: Sequence[Callable[[Path], Row]] = (
        lambda folder: trace_row(wild, "linear", folder),
        lambda folder: trace_row(wild, "open", folder),
        lambda folder: tetrode_row(wild, folder),
        lambda folder: table_row(wild, folder),
        lambda folder: ethovision_row(wild, folder),
    )
    rows = []
    for make in made:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(make(Path(folder)))
    return rows


def main() -> int:
    """Print the table; fail if anything came in other than the file holds it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nwb", type=Path, help="tests/nwbfilestest of pynapple 0.3.6")
    parser.add_argument("--wild", type=Path, help="folder of wild files")
    parser.add_argument("--small", action="store_true", help="only what needs no real files")
    options = parser.parse_args()
    if options.small or (options.nwb is None and options.wild is None):
        print("no real files named: nothing to compare (--nwb FOLDER, --wild FOLDER)")
        return 0
    rows = nwb_rows(options.nwb) if options.nwb else []
    rows += wild_rows(options.wild) if options.wild else []
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for row in rows:
        print("| " + " | ".join(cell.replace("|", "/") for cell in row.cells) + " |")
    wrong = [row.cells[0] for row in rows if not row.right]
    print(f"\n{len(rows) - len(wrong)} of {len(rows)} as the file holds it", *wrong, sep="; ")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
