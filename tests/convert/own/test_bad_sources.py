"""Mistakes in own data: each one clear error, or an explicit warning; and nothing is written.

Files that are damaged, huge or pickles are in tests/io/test_array_files.py.
"""

from __future__ import annotations

import tracemalloc
from time import perf_counter

import numpy as np
import pandas as pd
import pytest
import scipy.io

from neurodrift.convert.own.arrays import convert
from neurodrift.gate.findings import GateWarning

N = 2400
TIME = np.arange(N) / 20
X = 50 + 45 * np.sin(TIME / 4)
RNG = np.random.default_rng(1)
SPIKES = [np.sort(RNG.choice(1_200_000, n, replace=False)) / 1e4 for n in (200, 300, 250)]
SAMPLES = RNG.random((N, 8))


def cell(vectors):
    made = np.empty((len(vectors), 1), dtype=object)
    for i, vector in enumerate(vectors):
        made[i, 0] = np.asarray(vector, dtype=float).reshape(-1, 1)
    return made


def run(folder, *, time=TIME, x=X, y=None, spikes=SPIKES, samples=None, registration=None, **says):
    """Convert one session with these data and what the mapping says of them."""
    table = {"t": time, "x": x} | ({} if y is None else {"y": y})
    pd.DataFrame(table).to_csv(folder / "pos.csv", index=False)
    lines = ["subject: {id: m1}", "environment: track"]
    if samples is None:
        scipy.io.savemat(folder / "spikes.mat", {"s": cell(spikes)})
        default = "file: spikes.mat, times: s, kind: spikes"
    else:
        np.save(folder / "s.npy", samples)
        default = "file: s.npy, kind: deconvolved, axes: [frames, units]"
    lines.append(f"activity: {{{says.get('activity', default)}}}")
    y_says = "" if y is None else ", y: y"
    place = says.get("position", f"file: pos.csv, x: x{y_says}, unit: cm, time: t")
    lines.append(f"position: {{{place}}}")
    if "trials" in says:
        lines.append(f"trials: {{{says['trials']}}}")
    if registration is not None:
        np.save(folder / "cells.npy", registration)
        lines.append(f"registration: {{file: cells.npy, count_from: {says['count_from']}}}")
    lines += ["sessions:", "  - session: 1", *says.get("more", [])]
    (folder / "map.yaml").write_text("\n".join(lines) + "\n")
    return convert(folder / "map.yaml", folder / "nwb")


def changed(values, where, to):
    made = np.array(values, dtype=float)
    made[where] = to
    return made


ONE = np.arange(1, 4)[:, None]  # three units registered in one session, from 1

ERRORS = {
    # frames against seconds
    "position's clock in frames": ({"time": np.arange(N)}, "clock_unit|frame numbers"),
    "position's clock in ms": ({"time": TIME * 1e3}, "not seconds"),
    "spikes in frames": ({"spikes": [np.unique(np.round(s * 20)) for s in SPIKES]}, "whole num"),
    "spikes in ms": ({"spikes": [s * 1e3 for s in SPIKES]}, "clock seems to be in ms"),
    "spikes in samples": ({"spikes": [s * 3e4 + 0.5 for s in SPIKES]}, "in frames or samples"),
    "spikes in minutes": ({"spikes": [s / 60 for s in SPIKES]}, "one clock seems to be"),
    "frames named seconds, both": (
        {"time": np.arange(N), "spikes": [np.round(s * 20) for s in SPIKES]},
        "frame numbers",
    ),
    "rate of another camera": (
        {
            "samples": SAMPLES,
            "activity": "file: s.npy, kind: deconvolved, rate: 30, axes: [frames, units]",
        },
        "one of the rates seems wrong",
    ),
    # units of length
    "m named cm": ({"x": X / 100}, "covers 0.9 cm: the unit of length"),
    "mm named cm": ({"x": (50 + 45 * np.sin(TIME)) * 10}, "moves at .* cm/s"),
    "cm named m": ({"position": "file: pos.csv, x: x, unit: m, time: t"}, "covers 9e.03 cm"),
    "cm named mm": ({"position": "file: pos.csv, x: x, unit: mm, time: t"}, "covers 9 cm"),
    "fraction of the track": ({"x": (X - 5) / 90}, "metres or a fraction"),
    # axes
    "axes of samples": ({"samples": SAMPLES.T}, "state them the other way round"),
    "axes of samples with a rate": (
        {
            "samples": SAMPLES.T,
            "activity": "file: s.npy, kind: deconvolved, rate: 20, axes: [frames, units]",
        },
        "8 frames: the axes are swapped",
    ),
    "axes of a position": (
        {"position": "xy: {file: xy.npy}, unit: cm, rate: 20"},
        r"\(2, 2400\), expected \(frames\) or \(frames, 2\) \(frames and axes look swapped",
    ),
    "axes of a registration": (
        {"registration": np.array([[1, 2, 3]]), "count_from": 1},
        r"axes look swapped \(axes: \[sessions, units\]\)",
    ),
    # 1-based and 0-based
    "registration from 1 named 0": ({"registration": ONE, "count_from": 0}, "count from 1"),
    "registration from 0 named 1": (
        {"registration": np.array([[0], [1], [2], [-1]]), "count_from": 1},
        "counts from 0, not from 1",
    ),
    "0 for absent named from 0": (
        {"registration": np.array([[1], [0], [0], [2]]), "count_from": 0},
        "if 0 means not found, indices count from 1",
    ),
    "registration of another session": (
        {"registration": ONE + 40, "count_from": 1},
        "names unit .* but spikes.mat has 3 units",
    ),
    "registration of more sessions": (
        {"registration": np.hstack([ONE, ONE]), "count_from": 1},
        "has 2 columns for 1 sessions: name the sessions",
    ),
    "registration with fractions": ({"registration": ONE + 0.5, "count_from": 1}, "fractions"),
    "a unit registered twice": (
        {"registration": np.array([[1], [1], [2]]), "count_from": 1},
        "uses unit .1. of session 1 twice",
    ),
    "frames from 1 named 0": (
        {
            "spikes": [[N, 5.0, 70.0], [9.0]],
            "activity": "file: spikes.mat, times: s, kind: events, time_unit: frames, rate: 20",
        },
        r"names frame 2400 of 2400: .* count from 1",
    ),
    "frames from 0 named 1": (
        {
            "spikes": [[0.0, 5.0, 70.0], [9.0]],
            "activity": "file: spikes.mat, times: s, "
            "kind: events, time_unit: frames, rate: 20, count_from: 1",
        },
        "counts from 0, not from 1",
    ),
    # clocks
    "clock goes back": (
        {"time": changed(TIME, slice(700, 800), 3.0)},
        "does not increase at frame 700",
    ),
    "clock repeats": (
        {"time": changed(TIME, slice(700, 800), TIME[699])},
        "34.95 s after 34.95 s",
    ),
    "clock with NaN": ({"time": changed(TIME, 700, np.nan)}, "is NaN in 1 frames"),
    "clocks apart": ({"spikes": [s + 500 for s in SPIKES]}, "state an offset"),
    "one frame too many": ({"samples": SAMPLES[:-1]}, "has 2399 frames .* but its clock 2400"),
    # empty, NaN, negative
    "no units": ({"spikes": []}, "has no units|holds no spikes|empty"),
    "all units empty": ({"spikes": [[], [], []]}, "no spikes or events at all"),
    "position NaN": ({"x": np.full(N, np.nan)}, "is NaN in every frame"),
    "negative times": ({"spikes": [s - 5 for s in SPIKES]}, "negative times: an offset"),
    "times with NaN": ({"spikes": [[1.0, np.nan, 3.0]]}, "1 times that are NaN"),
    "samples with NaN here and there": ({"samples": changed(SAMPLES, (5, 3), np.nan)}, "1 further"),
    "samples NaN": ({"samples": np.full((N, 3), np.nan)}, "is NaN everywhere"),
    "samples infinite": ({"samples": changed(SAMPLES, (5, 3), np.inf)}, "is infinite"),
    "samples silent": ({"samples": np.zeros((N, 3))}, "is 0 everywhere"),
    "rates named spikes": (
        {"samples": SAMPLES, "activity": "file: s.npy, kind: spikes, axes: [frames, units]"},
        "fractional values, so it holds no spikes",
    ),
    "no length": ({"x": np.full(N, 7.0)}, "covers 0 cm"),
    # other files
    "text for a position": (
        {"position": "file: spikes.mat, x: s, unit: cm, rate: 20"},
        "position.x",
    ),
    "unknown column": (
        {"position": "file: pos.csv, x: X_pos, unit: cm, time: t"},
        r"position.x: .*pos.csv has no variable 'X_pos'; it holds t, x",
    ),
    "trials in ms": (
        {"trials": "start: {file: trials.npz, variable: a}, stop: {file: trials.npz, variable: b}"},
        "is their time in another unit",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_convert__refuses(tmp_path, name):
    says, message = ERRORS[name]
    np.save(tmp_path / "xy.npy", np.stack([X, X]))
    np.savez(tmp_path / "trials.npz", a=np.array([5e5, 6e5]), b=np.array([5.5e5, 6.5e5]))
    tracemalloc.start()
    began = perf_counter()
    with pytest.raises(ValueError, match=message) as caught:
        run(tmp_path, **says)
    took, (_, peak) = perf_counter() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert str(caught.value).startswith(str(tmp_path / "map.yaml"))
    assert "line " in str(caught.value)
    assert not (tmp_path / "nwb").exists()
    assert took < 5 and peak < 64 * 2**20


WARNINGS = {
    "not sorted": ({"spikes": [s[::-1] for s in SPIKES]}, "were not sorted"),
    "spikes twice": ({"spikes": [np.repeat(SPIKES[0], 2)]}, "200 of 400 spikes .* repeat a time"),
    "gap": (
        {"time": np.where(TIME < 60, TIME, TIME + 50), "more": ["accept: [silence]"]},
        "1 gaps, 50 s in all",
    ),
    "tracking lost": ({"x": changed(X, slice(0, 800), np.nan)}, "NaN in 33.3 % .* 800 in a row"),
    "spikes after the end": ({"spikes": [s * 1.2 for s in SPIKES]}, "lies outside pos.csv"),
    "a unit of NaN": (
        {"samples": changed(SAMPLES, np.s_[:, 2], np.nan)},
        "1 units .* not recorded",
    ),
    "last unit never registered": (
        {"registration": np.array([[1], [2]]), "count_from": 1},
        "names all units but the last .* does it count from 0",
    ),
    "asleep": ({"x": 50 + X / 1e4 + (TIME > 60) * 30 * (TIME - 60) / 60}, "hardly moves"),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_convert__warns(tmp_path, name):
    says, message = WARNINGS[name]
    with pytest.warns(GateWarning, match=message):
        run(tmp_path, **says)


@pytest.mark.parametrize(
    ("says", "message", "name"),
    [
        ({"x": changed(X, np.arange(0, N, 40), 0)}, "missing: 0 in a mapping", "sentinel"),
        ({"x": X * 10}, "mm or pixels called cm", "speed"),
        ({"samples": SAMPLES - 0.5}, "a trace of fluorescence", "trace"),
    ],
)
def test_convert__refuses_what_may_be_accepted(tmp_path, says, message, name):
    with pytest.raises(ValueError, match=message) as caught:
        run(tmp_path, **says)
    assert f"accept: [{name}]" in str(caught.value)


def test_convert__warns_without_position(tmp_path):
    scipy.io.savemat(tmp_path / "spikes.mat", {"s": cell(SPIKES)})
    text = "subject: {id: m1}\nenvironment: track\nsessions: [{session: 1}]\n"
    text += "activity: {file: spikes.mat, times: s, kind: spikes}\n"
    (tmp_path / "map.yaml").write_text(text)
    with pytest.warns(GateWarning, match="there is no position"):
        (path,) = convert(tmp_path / "map.yaml", tmp_path / "nwb")
    assert path.is_file()


def test_convert__accepts_what_is_true(tmp_path):
    with pytest.raises(ValueError, match=r"accept: \[position_extent\]"):
        run(tmp_path, x=X / 100)
    (path,) = run(tmp_path, x=X / 100, more=["accept: [position_extent]"])
    assert path.is_file()


def test_convert__good_data_raise_no_warning(tmp_path):
    assert run(tmp_path)[0].is_file()  # warnings are errors here


def test_convert__open_field_that_is_good(tmp_path):
    assert run(tmp_path, y=50 + 40 * np.cos(TIME / 3))[0].is_file()
