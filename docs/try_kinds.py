"""Tries every statistic on every kind of activity and every geometry, and writes kinds.md.

    python docs/try_kinds.py docs/kinds.md

What the page says is what came out: a quantity with its unit, or the sentence of the refusal.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import neurodrift as nd
from neurodrift.schema.kinds import KINDS

N, RATE = 2400, 20.0
SECONDS = np.arange(N) / RATE


def _to_and_fro(length: float) -> np.ndarray:
    return length / 2 * (1 - np.cos(SECONDS / 2.3 + np.sin(SECONDS / 17)))


def _round(length: float) -> np.ndarray:
    return (15 * SECONDS + 20 * np.sin(SECONDS / 9)) % length


def _maze() -> dict[str, np.ndarray]:
    out = 70 * (1 - np.cos(SECONDS / 4))
    side = np.where(np.floor(SECONDS / (8 * np.pi)) % 2, 1, -1)
    return {"x": side * np.maximum(out - 80, 0), "y": np.minimum(out, 80)}


PLACES: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "linear": ("to and fro", lambda: {"x": _to_and_fro(100)}),
    "circular": ("round track", lambda: {"x": _round(180), "geometry": "circular:180"}),
    "vr": ("corridor", lambda: {"x": _round(200), "geometry": "vr:200"}),
    "graph": ("T maze", _maze),
    "field": ("arena", lambda: {"x": _to_and_fro(60), "y": np.roll(_to_and_fro(60), 700)}),
    "angle": ("head direction", lambda: {"x": _round(360), "geometry": "circular:360deg"}),
    "category": (
        "odours",
        lambda: {"x": np.arange(N) // 60 % 3 * 1.0, "geometry": "category:rose,mint,pine"},
    ),
}


def recording_of(kind: str, place: str) -> xr.Dataset:
    """Two sessions of three units, of which the first two prefer a value of what is mapped."""
    fields = PLACES[place][1]()
    rng = np.random.default_rng(0)
    x = fields["x"] if "y" not in fields else fields["x"] + 0.6 * fields["y"]
    part = (x - x.min()) / np.ptp(x)
    tuned = np.exp(-0.5 * ((part[:, None] - [0.2, 0.7, 5.0]) / 0.12) ** 2) + 0.05
    counts = rng.poisson(0.4 * tuned)
    values: dict[str, Any] = {
        "spikes": counts,
        "events": counts,
        "amplitudes": counts * rng.gamma(2.0, 1.0, counts.shape),
        "deconvolved": counts * rng.gamma(2.0, 1.0, counts.shape),
        "fluorescence": tuned + 0.2 * rng.standard_normal(tuned.shape),
        "activation": tuned,
    }
    given = {name: v if name == "geometry" else [v, v] for name, v in fields.items()}
    recording = nd.recording_from_arrays(
        [values[kind]] * 2, kind=kind, frame_duration=1 / RATE, accept=["*"], **given
    )
    if place == "graph":
        recording = nd.geometry.linearize(recording, nd.geometry.t_maze(80, 60))
    if place in ("linear", "circular", "vr", "graph", "field"):
        recording = nd.kinematics.running(recording)
    return recording


def _binning(recording: xr.Dataset, **options: Any) -> nd.Binning:
    unit = recording["x"].attrs.get("units")
    return nd.Binning(bin_width={"deg": 20.0, "1": 1.0}.get(unit, 10.0), **options)


def _units(array: xr.DataArray) -> str:
    unit = array.attrs.get("units", "1")
    return "share" if unit == "1" else unit


def _place_cells(recording: xr.Dataset) -> str:
    found = nd.detect_place_cells(recording, binning=_binning(recording))
    of_trace = "explained_variance" in found
    return "shuffles of the variance explained" if of_trace else "shuffles of information"


def _noise_free(recording: xr.Dataset) -> str:
    nd.detect_informative_units(nd.compute_rate_maps(recording, binning=_binning(recording)))
    return "threshold of information"


def _fields(recording: xr.Dataset) -> str:
    results = nd.analyze(recording, binning=_binning(recording), n_repeats=2)
    if "place_fields" not in results:
        import json

        raise ValueError(json.loads(results.attrs["left_out"])["place_fields"])
    return "cm" if recording["x"].attrs["units"] == "cm" else recording["x"].attrs["units"]


def _active(recording: xr.Dataset) -> str:
    found = nd.compute_sparsity(recording)
    if found["active_fraction"].isnull().all():
        raise ValueError("a trace is never silent and has no events to count: NaN")
    return "share"


def _speed(recording: xr.Dataset) -> str:
    return _units(nd.kinematics.running(recording)["speed"])


def _laps(recording: xr.Dataset) -> str:
    return f"{int(nd.kinematics.number_laps(recording)['lap'].max()) + 1} laps"


def _ends(recording: xr.Dataset) -> str:
    nd.bin_frames(recording, _binning(recording, exclude_ends=10.0))
    return "left out"


def _directions(recording: xr.Dataset) -> str:
    frames = nd.bin_frames(recording, _binning(recording))
    names = {1: "+1", -1: "−1", 0: "together"}
    return ", ".join(names[code] for code in frames["direction"].values.tolist())


STATISTICS: dict[str, Callable[[xr.Dataset], str]] = {
    "rate maps": lambda r: _units(nd.compute_rate_maps(r, binning=_binning(r))["rate"]),
    "spatial information": lambda r: _units(
        nd.compute_spatial_information(r, binning=_binning(r), n_repeats=2)["naive"]
    ),
    "mutual information": lambda r: _units(
        nd.compute_mutual_information(r, binning=_binning(r), n_repeats=2)["naive"]
    ),
    "place cells": _place_cells,
    "informative units, for noise-free networks": _noise_free,
    "stability of maps": lambda r: _units(
        nd.compute_map_stability(r, binning=_binning(r), split="half")["stability"]
    ),
    "place fields": _fields,
    "active units and active fraction": _active,
    "drift of maps": lambda r: _units(
        nd.compute_drift(nd.compute_rate_maps(r, binning=_binning(r)))["rate_map_correlation"]
    ),
}
OF_SHAPES: dict[str, Callable[[xr.Dataset], str]] = {
    "running speed": _speed,
    "running directions": _directions,
    "laps": _laps,
    "`exclude_ends`": _ends,
}


def tried(ask: Callable[[xr.Dataset], str], recording: xr.Dataset) -> str:
    """What came out, or the sentence of the refusal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ask(recording)
        except ValueError as error:
            return f"refused: {' '.join(str(error).split())}"


def _table(rows: dict[str, dict[str, str]], columns: list[str], notes: list[str]) -> list[str]:
    alike: dict[tuple[str, ...], list[str]] = {}
    for column in columns:
        alike.setdefault(tuple(cells[column] for cells in rows.values()), []).append(column)
    heads = [", ".join(names) for names in alike.values()]
    lines = [f"| | {' | '.join(heads)} |", f"|{'---|' * (len(heads) + 1)}"]
    for name, cells in rows.items():
        words = []
        for names in alike.values():
            cell = cells[names[0]]
            if cell.startswith("refused: "):
                sentence = cell.removeprefix("refused: ")
                if sentence not in notes:
                    notes.append(sentence)
                cell = f"– ({notes.index(sentence) + 1})"
            words.append(cell)
        lines.append(f"| {name} | {' | '.join(words)} |")
    return lines


def page() -> str:
    """The page, from what every combination gives."""
    notes: list[str] = []
    of_kinds: dict[str, dict[str, str]] = {name: {} for name in STATISTICS}
    of_places: dict[str, dict[str, str]] = {name: {} for name in (*STATISTICS, *OF_SHAPES)}
    others: list[str] = []
    n = 0
    for place in PLACES:
        for kind in KINDS:
            recording = recording_of(kind, place)
            for name, ask in STATISTICS.items():
                found = tried(ask, recording)
                n += 1
                if place == "linear":
                    of_kinds[name][kind] = found
                elif name != "place fields" and found != of_kinds[name][kind]:
                    others.append(f"{name} of {kind}, {PLACES[place][0]}: {found}")
                if kind == "events":
                    of_places[name][place] = found
            if kind == "events":
                of_places |= {
                    name: of_places[name] | {place: tried(ask, recording)}
                    for name, ask in OF_SHAPES.items()
                }
    meanings = [f"| `{k.name}` | {k.meaning} | {k.unit} |" for k in KINDS.values()]
    shown = {name: PLACES[name][0] for name in PLACES}
    by_place = {
        name: {shown[place]: cell for place, cell in cells.items()}
        for name, cells in of_places.items()
    }
    lines = [
        "# Kinds of activity",
        "",
        "`activity.attrs['kind']` says what one number is. A trace is never a network, and a "
        "network is never a trace:",
        "",
        "| kind | one number | unit |",
        "|---|---|---|",
        *meanings,
        "",
        "## What each kind allows",
        "",
        *_table(of_kinds, list(KINDS), notes),
        "",
        "Amounts (spikes, events, amplitudes, deconvolved activity) add up within a frame, and "
        "their maps are per second; levels (fluorescence, activations) are averaged over time.",
        "",
        "## What each geometry allows",
        "",
        "Of events; [the geometries](geometry.md).",
        "",
        *_table(by_place, list(shown.values()), notes),
        "",
        "## Refusals",
        "",
        *[f"{i}. {text}" for i, text in enumerate(notes, 1)],
        "",
        f"The tables are written by `python docs/try_kinds.py docs/kinds.md`, which tried {n} "
        "combinations of kind, geometry and statistic. "
        + (
            "Each kind gives the same in every geometry."
            if not others
            else "Other than the first table says: " + "; ".join(others) + "."
        ),
        "",
        "## From a trace to events",
        "",
        "Bits per event and active cells need events. `nd.deconvolve` is an explicit step, by "
        "[OASIS](https://github.com/j-friedrich/OASIS) (`pip install 'neurodrift[oasis]'`):",
        "",
        "```python",
        "import numpy as np",
        "import neurodrift as nd",
        "",
        "rng = np.random.default_rng(0)",
        "seconds = np.arange(12000) / 20",
        "x = 50 + 45 * np.sin(seconds / 5 + 2 * np.sin(seconds / 31))",
        "spikes = rng.random((12000, 2)) < 0.2 * np.exp(-0.5 * ((x[:, None] - [30, 60]) / 8) ** 2)",
        "decay = np.exp(-np.arange(80) / 20)",
        "trace = np.column_stack([np.convolve(s, decay)[:12000] for s in spikes.T])",
        "trace += 0.1 * rng.standard_normal(trace.shape)",
        'traces = nd.recording_from_arrays(trace, kind="fluorescence", time=seconds, x=x)',
        "events = nd.deconvolve(traces, min_size=3)",
        'print(events["activity"].attrs["kind"])  # deconvolved',
        "```",
        "",
        "The noise is estimated anew in each session: a noisier session has fewer events, which is "
        "no change of the cells. Its place cells, information and drift are then to be compared at "
        "matched numbers of events.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page())
