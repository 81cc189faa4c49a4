"""Careless calls that build a recording: the right value, or a refusal that says what to do."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import xarray as xr

import neurodrift as nd
from neurodrift import recording_from_arrays as build

RNG = np.random.default_rng(1)
T, DT, N = 4000, 0.05, 6
CLOCK = np.arange(T) * DT
X = 50 + 50 * np.sin(2 * np.pi * CLOCK / 20)
RATE = 3 * np.exp(-((X[:, None] - np.linspace(10, 90, N)) ** 2) / 200) * DT * 4
A = RNG.poisson(RATE).astype(np.uint8)
F = A.astype(float)
LONG = np.arange(3000)
BILLIONS = A * np.int64(5_000_000_000)
FULL = np.full((T, 2), 250, np.uint8)
UNSURE = da.from_array(A, chunks=(1000, 3))[da.from_array(X > -1)]
IDS = ["c4", "c1", "c9", "c2", "c7", "c3"]


def two(**changes):
    """Two equal sessions, but for the changes."""
    activity = changes.pop("activity", [A, A])
    return build(activity, **{"kind": "spikes", "x": [X, X], "frame_duration": DT} | changes)


def one(**changes):
    """One session, but for the changes."""
    activity = changes.pop("activity", A)
    return build(activity, **{"kind": "spikes", "x": X, "frame_duration": DT} | changes)


def few(changes_of_time):
    """A short clock of 20 frames."""
    return build(np.ones((len(changes_of_time), 2), int), kind="spikes", time=changes_of_time)


def most(recording):
    """Highest rate on its maps [Hz]."""
    return float(np.nanmax(nd.compute_rate_maps(recording)["rate"].compute()))


def held(truth):
    """Whether the first session holds these numbers."""
    return lambda found: np.array_equal(found["activity"].values[: len(truth)], truth)


def step(truth):
    """Whether frames are so long, to a thousandth."""
    return lambda found: np.allclose(found["frame_duration"], truth, rtol=1e-3)


def near(truth):
    return lambda found: np.allclose(found, truth)


def labels(truth):
    return lambda found: found["unit"].values.tolist() == truth


MAPS = nd.compute_rate_maps(two())["rate"].values


CASES = [
    # axes and labelled inputs
    (
        "axes swapped",
        lambda: build([A.T, A.T], kind="spikes", x=[X, X], frame_duration=DT),
        "x has shape (4000,) in session '1', but activity has 6 frames",
    ),
    (
        "axes by name",
        lambda: build(xr.DataArray(A.T, dims=("unit", "time")), kind="spikes", frame_duration=DT),
        held(A),
    ),
    (
        "axes by name, as many units as frames",
        lambda: build(
            xr.DataArray(A[:N].T, dims=("unit", "time")), kind="spikes", frame_duration=DT
        ),
        held(A[:N]),
    ),
    (
        "dims of another name",
        lambda: one(activity=xr.DataArray(A, dims=("time", "cell"))),
        "activity has dims ('time', 'cell'), expected ('time', 'unit')",
    ),
    (
        "three dimensions",
        lambda: one(activity=A[:, :, None]),
        "activity has 3 dimensions, expected (time, unit)",
    ),
    (
        "one dimension",
        lambda: one(activity=A[:, 0]),
        "activity has 1 dimensions, expected (time, unit)",
    ),
    (
        "a Dataset",
        lambda: one(activity=xr.Dataset({"activity": (("time", "unit"), A)})),
        "activity is Dataset, expected an array of numbers",
    ),
    (
        "a dict",
        lambda: one(activity={"cell 1": A[:, 0]}),
        "activity is dict, expected an array of numbers",
    ),
    ("None", lambda: one(activity=None), "activity is NoneType, expected an array of numbers"),
    ("a number", lambda: one(activity=3), "activity has 0 dimensions, expected (time, unit)"),
    (
        "a generator",
        lambda: one(activity=(row for row in A)),
        "activity is generator, expected an array of numbers",
    ),
    (
        "a file's name",
        lambda: one(activity="activity.npy"),
        "activity is the text 'activity.npy', expected an array of",
    ),
    (
        "an empty list",
        lambda: two(activity=[]),
        "activity is an empty list, expected one array for each session",
    ),
    (
        "sessions of other widths",
        lambda: two(activity=[A, A[:, :4]]),
        "activity has [4, 6] units in different sessions, expected the",
    ),
    (
        "ragged rows",
        lambda: one(activity=[[1, 2], [3]]),
        "activity has 1 dimensions, expected (time, unit)",
    ),
    (
        "tables with columns in another order",
        lambda: two(activity=[pd.DataFrame(A, columns=IDS), pd.DataFrame(A, columns=sorted(IDS))]),
        "activity in session '2' has its labels in another order than",
    ),
    (
        "a table's columns are the units",
        lambda: one(activity=pd.DataFrame(A, columns=IDS)),
        labels(IDS),
    ),
    (
        "a table with a column of text",
        lambda: one(activity=pd.DataFrame(A, columns=IDS).assign(name="m1")),
        "activity holds 'm1', expected numbers: use NaN where there is",
    ),
    (
        "a table with a column of dates",
        lambda: one(activity=pd.DataFrame(A).assign(at=pd.Timestamp("2026-01-01"))),
        "activity holds Timestamp('2026-01-01 00:00:00'), expected",
    ),
    # units of length and time
    (
        "position in metres",
        lambda: two(x=[X / 100] * 2),
        "x covers 1 cm: the unit of length seems wrong, the numbers",
    ),
    (
        "position in millimetres",
        lambda: two(x=[X * 10] * 2),
        "x covers 1e+03 cm and moves at 111 cm/s in the median of all",
    ),
    (
        "position in pixels",
        lambda: two(x=[X * 6.4] * 2),
        "x covers 640 cm and moves at 71 cm/s in the median of all",
    ),
    (
        "time in ms",
        lambda: two(time=[CLOCK * 1000] * 2, frame_duration=None),
        "frames last 50 s: ms? Times are in seconds If that is what",
    ),
    (
        "time in ms, frames in s",
        lambda: two(time=[CLOCK * 1000] * 2),
        "frames follow at 50 s, but are said to last 0.05 s: the clock",
    ),
    (
        "time in s, frames in ms",
        lambda: two(time=[CLOCK] * 2, frame_duration=50),
        "frames of session '1' overlap: they follow at 0.05 s, but",
    ),
    (
        "time in us",
        lambda: two(time=[CLOCK * 1e6] * 2, frame_duration=None),
        "frames last 50000 s: ms? Times are in seconds If that is what",
    ),
    (
        "time in minutes",
        lambda: two(time=[CLOCK / 60] * 2),
        "frames of session '1' overlap: they follow at 0.000833333 s,",
    ),
    (
        "frame numbers",
        lambda: one(time=np.arange(T), frame_duration=None),
        "all 4000 frames start at whole seconds, one after the other:",
    ),
    (
        "a rate for the frame's length",
        lambda: two(frame_duration=20),
        "frames last 20 s: ms? Times are in seconds If that is what",
    ),
    (
        "frames of negative length",
        lambda: two(frame_duration=-0.05),
        "time is not strictly increasing: frame 1 is at -0.05 s after",
    ),
    (
        "frames of no length",
        lambda: two(frame_duration=0),
        "time is not strictly increasing: frame 1 is at 0 s after 0 s;",
    ),
    (
        "frames of NaN length",
        lambda: two(frame_duration=np.nan),
        "time is NaN or infinite at frame 0 - frame_duration must be",
    ),
    (
        "frames of endless length",
        lambda: two(frame_duration=np.inf),
        "time is NaN or infinite at frame 0 - frame_duration must be",
    ),
    (
        "frames' length as text",
        lambda: two(frame_duration="0.05"),
        "frame_duration is the text '0.05', expected an array of",
    ),
    (
        "frames' length with a unit",
        lambda: two(frame_duration=np.timedelta64(50, "ms")),
        "frame_duration holds timedelta64[ms] values, expected real",
    ),
    (
        "three lengths for two sessions",
        lambda: two(frame_duration=[DT] * 3),
        "frame_duration has 3 entries, but there are 2 sessions",
    ),
    # clocks
    (
        "dates",
        lambda: two(time=[(CLOCK * 1e9).astype("datetime64[ns]")] * 2, frame_duration=None),
        step(DT),
    ),
    (
        "differences of time",
        lambda: two(time=[(CLOCK * 1e3).astype("timedelta64[ms]")] * 2, frame_duration=None),
        step(DT),
    ),
    ("pandas dates", lambda: few(pd.date_range("2026-01-01", periods=20, freq="50ms")), step(DT)),
    (
        "dates with a time zone",
        lambda: few(pd.date_range("2026-01-01", periods=20, freq="50ms", tz="Asia/Tokyo")),
        step(DT),
    ),
    (
        "Python's dates",
        lambda: few(list(pd.date_range("2026-01-01", periods=20, freq="50ms").to_pydatetime())),
        step(DT),
    ),
    (
        "dates, one missing",
        lambda: few(np.where(LONG[:20] == 3, np.datetime64("NaT"), LONG[:20].astype("M8[s]"))),
        "time is NaT in 1 frames",
    ),
    (
        "time as text",
        lambda: two(time=[CLOCK.astype(str)] * 2),
        "time holds <U32 values, expected real numbers",
    ),
    (
        "30 Hz in whole ms",
        lambda: few(np.round(LONG / 30, 3)),
        step(1 / 30),
    ),
    (
        "single precision, days after start",
        lambda: few((LONG * 0.01 + 200000.0).astype(np.float32)),
        "the clock is in single precision and so known to 0.016 s",
    ),
    (
        "single precision, eight hours at 30 Hz",
        lambda: few((np.arange(8 * 3600 * 30) / 30).astype(np.float32)),
        step(1 / 30),
    ),
    (
        "seconds since 1970 in single precision",
        lambda: few((LONG * DT + 1.7e9).astype("f4")),
        "the clock is in single precision and so known to 1.3e+02 s",
    ),
    ("seconds since 1970", lambda: few(LONG * DT + 1.7e9), step(DT)),
    ("a gap", lambda: one(time=CLOCK + 500 * (CLOCK >= 100), frame_duration=None), step(DT)),
    (
        "NaN in the clock",
        lambda: one(time=np.where(CLOCK == 5, np.nan, CLOCK)),
        "time is NaN or infinite at frame 100, of 1 in all: every",
    ),
    (
        "a clock that goes back",
        lambda: one(time=CLOCK[::-1]),
        "time is not strictly increasing: frame 1 is at 199.9 s after",
    ),
    (
        "a clock that stands",
        lambda: one(time=np.zeros(T)),
        "time is not strictly increasing: frame 1 is at 0 s after 0 s;",
    ),
    (
        "a clock of another length",
        lambda: one(time=CLOCK[:-1]),
        "time has shape (3999,), but activity has 4000 frames: give",
    ),
    (
        "a clock with edges",
        lambda: one(time=np.append(CLOCK, 200.0)),
        "time has shape (4001,), but activity has 4000 frames: give",
    ),
    (
        "one clock for two sessions",
        lambda: two(time=CLOCK),
        "time must be a list of 2 arrays, one for each session,",
    ),
    (
        "a clock as a number",
        lambda: one(time=0.05),
        "time has shape (), but activity has 4000 frames: give one",
    ),
    (
        "two clocks for one array",
        lambda: one(time=[CLOCK, CLOCK]),
        "time has shape (2, 4000), but activity has 4000 frames: give",
    ),
    (
        "no clock",
        lambda: two(frame_duration=None),
        "give time (start of each frame) or frame_duration, in seconds",
    ),
    (
        "a masked clock",
        lambda: one(time=np.ma.masked_less(CLOCK, 1)),
        "time is NaN or infinite at frame 0, of 20 in all: every frame",
    ),
    (
        "a complex clock",
        lambda: one(time=CLOCK * 1j),
        "time holds complex numbers, expected real numbers",
    ),
    # positions
    ("y without x", lambda: two(x=None, y=[X, X]), "'y' without 'x': name the first axis x"),
    (
        "position NaN throughout",
        lambda: two(x=[X * np.nan] * 2),
        "x is NaN in every frame: drop it, or give the tracked position",
    ),
    (
        "position NaN throughout a session",
        lambda: nd.compute_rate_maps(two(x=[X, X * np.nan])),
        "no frame can be used in session '2' (tracked frames: [0];",
    ),
    (
        "an endless position",
        lambda: two(x=[np.where(CLOCK == 4, np.inf, X), X]),
        "x is infinite in 1 frames: use NaN",
    ),
    (
        "position of two columns",
        lambda: one(x=np.column_stack([X, X])),
        "x has shape (4000, 2), but activity has 4000 frames: give one",
    ),
    (
        "position of one column",
        lambda: one(x=X[:, None]),
        "x has shape (4000, 1), but activity has 4000 frames: give one",
    ),
    ("lazy position", lambda: two(x=[da.from_array(X)] * 2), lambda r: (r["x"][:T] == X).all()),
    (
        "masked position",
        lambda: two(x=[np.ma.masked_where(X > 90, X)] * 2),
        lambda r: np.isnan(r["x"].values[:T][X > 90]).all(),
    ),
    (
        "position with an index of pandas",
        lambda: two(x=[pd.Series(X, index=np.arange(T) + 7)] * 2),
        lambda r: (r["x"][:T] == X).all(),
    ),
    (
        "position as text",
        lambda: one(x=X.astype(str)),
        "x holds <U32 values, expected real numbers",
    ),
    (
        "position with None",
        lambda: one(x=np.where(X > 90, None, X)),
        lambda r: np.isnan(r["x"].values[X > 90]).all(),
    ),
    (
        "position shorter than activity",
        lambda: one(x=X[:-5]),
        "x has shape (3995,), but activity has 4000 frames: give one",
    ),
    (
        "one position for two sessions",
        lambda: two(x=X),
        "x must be a list of 2 arrays, one for each session, because",
    ),
    (
        "positions of one session in a list",
        lambda: one(x=[X]),
        "x has shape (1, 4000), but activity has 4000 frames: give one",
    ),
    (
        "position as a number",
        lambda: one(x=50.0),
        "x has shape (), but activity has 4000 frames: give one value",
    ),
    (
        "position as bools",
        lambda: one(x=X > 50),
        "x covers 1 cm: the unit of length seems wrong, the numbers",
    ),
    (
        "a lost position as -1",
        lambda: one(x=np.where(RNG.random(T) < 0.02, -1, X)),
        "x jumps to exactly -1 and back, in 2.1 % of the frames: write",
    ),
    (
        "position, big-endian",
        lambda: most(two(x=[X.astype(">f8")] * 2)) == most(two()),
        lambda same: same,
    ),
    (
        "negative speed",
        lambda: one(speed=-np.abs(X)),
        "speed is NaN, infinite or negative in 3990 frames that have a",
    ),
    (
        "NaN speed where tracked",
        lambda: one(speed=X * np.nan),
        "speed is NaN, infinite or negative in 4000 frames that have a",
    ),
    (
        "direction as degrees",
        lambda: one(direction=X),
        "direction must be whole numbers from -128 to 127, found",
    ),
    (
        "direction as text",
        lambda: one(direction=["left"] * T),
        "direction holds <U4 values, expected real numbers",
    ),
    (
        "direction as 0 and 1 of bools",
        lambda: one(direction=X > 50),
        lambda r: set(np.unique(r["direction"])) == {0, 1},
    ),
    (
        "trials with NaN",
        lambda: one(trial=np.where(X > 90, np.nan, 1.0)),
        "trial must be whole numbers from -2147483648 to 2147483647,",
    ),
    (
        "trials in halves",
        lambda: one(trial=np.full(T, 1.5)),
        "trial must be whole numbers from -2147483648 to 2147483647,",
    ),
    (
        "laps beyond counting",
        lambda: one(lap=np.full(T, 2**40)),
        "lap must be whole numbers from -2147483648 to 2147483647,",
    ),
    (
        "trial types as text",
        lambda: one(trial_type=["odour"] * T),
        "trial_type holds <U5 values, expected real numbers",
    ),
    # counts
    (
        "NaN counts",
        lambda: two(activity=[np.where(A == 1, np.nan, F)] * 2),
        "activity of kind 'spikes' must be counts (0, 1, 2, ...),",
    ),
    (
        "NaN rates",
        lambda: two(activity=[np.where(A == 1, np.nan, F)] * 2, kind="deconvolved"),
        "activity is NaN or infinite in 3938 places: leave the frames",
    ),
    (
        "lazy NaN",
        lambda: most(
            two(activity=[da.from_array(np.where(A == 1, np.nan, F))] * 2, kind="deconvolved")
        ),
        "activity is NaN or infinite in 1969 places: leave the frames",
    ),
    (
        "endless activity",
        lambda: one(activity=np.where(A == 1, np.inf, F), kind="deconvolved"),
        "activity is NaN or infinite in 1969 places: leave the frames",
    ),
    (
        "negative counts",
        lambda: two(activity=[A.astype(int) - 1] * 2),
        "activity of kind 'spikes' must be counts (0, 1, 2, ...),",
    ),
    (
        "negative rates",
        lambda: two(activity=[F - 1] * 2, kind="deconvolved"),
        "activity is below 0 in 90 % of its samples: a trace of",
    ),
    ("counts as floats", lambda: two(activity=[F] * 2), held(A)),
    (
        "counts in halves",
        lambda: two(activity=[A * 0.5] * 2),
        "activity of kind 'spikes' must be counts (0, 1, 2, ...),",
    ),
    ("counts of billions", lambda: two(activity=[BILLIONS] * 2), held(BILLIONS)),
    (
        "counts beyond counting",
        lambda: two(activity=[F * 1e20] * 2),
        "activity of kind 'spikes' must be counts (0, 1, 2, ...),",
    ),
    (
        "negative numbers without sign",
        lambda: two(activity=[(A.astype("i2") - 1).astype("u2")] * 2),
        "activity has 65535 spikes of one unit in one frame: numbers",
    ),
    ("sums beyond uint8", lambda: most(two(activity=[FULL] * 2)), near(5000)),
    (
        "lazy sums beyond uint8",
        lambda: most(two(activity=[da.from_array(FULL, chunks=(1000, 1))] * 2)),
        near(5000),
    ),
    (
        "sums beyond uint32",
        lambda: most(two(activity=[np.full((T, 2), 4_000_000_000, np.uint32)] * 2)),
        near(8e10),
    ),
    (
        "counts of 2 to the 63",
        lambda: most(two(activity=[np.full((T, 2), 2**63, "u8")] * 2)),
        near(2**63 / DT),
    ),
    ("counts of 256", lambda: two(activity=[np.full((T, 2), 256)] * 2), held(np.full((T, 2), 256))),
    (
        "sessions of other types",
        lambda: two(activity=[np.full((T, 2), 200, "u1"), np.full((T, 2), 300, "u2")]),
        lambda r: r["activity"].max() == 300,
    ),
    (
        "sessions with and without sign",
        lambda: two(activity=[np.full((T, 2), 200, "u8"), np.full((T, 2), 300, "i8")]),
        lambda r: r["activity"].max() == 300 and r["activity"].dtype.kind == "u",
    ),
    ("bools", lambda: two(activity=[A > 0] * 2), held(A > 0)),
    ("bools as rates", lambda: two(activity=[A > 0] * 2, kind="deconvolved"), held(A > 0)),
    (
        "complex counts",
        lambda: two(activity=[A * (1 + 1j)] * 2),
        "activity holds complex numbers, expected real numbers",
    ),
    (
        "complex rates",
        lambda: two(activity=[A * (1 + 1j)] * 2, kind="deconvolved"),
        "activity holds complex numbers, expected real numbers",
    ),
    ("objects", lambda: two(activity=[A.astype(object)] * 2), held(A)),
    (
        "objects with None",
        lambda: two(activity=[np.where(A == 1, None, A)] * 2),
        "activity of kind 'spikes' must be counts (0, 1, 2, ...),",
    ),
    (
        "objects with text",
        lambda: one(activity=np.where(A == 1, "x", A.astype(object))),
        "activity holds 'x', expected numbers: use NaN where there is",
    ),
    (
        "counts as text",
        lambda: two(activity=[A.astype(str)] * 2),
        "activity holds <U3 values, expected real numbers",
    ),
    (
        "rates as text",
        lambda: two(activity=[A.astype(str)] * 2, kind="deconvolved"),
        "activity holds <U3 values, expected real numbers",
    ),
    (
        "dates as activity",
        lambda: one(activity=A.astype("datetime64[s]")),
        "activity holds datetime64[s] values, expected real numbers",
    ),
    (
        "a sparse matrix",
        lambda: two(activity=[scipy.sparse.csr_array(A)] * 2),
        "activity is a sparse matrix: pass activity.toarray() if it",
    ),
    (
        "a masked count",
        lambda: two(activity=[np.ma.masked_where(A == 1, A)] * 2),
        "activity of session '1' is masked for 6 units in a part of",
    ),
    ("a table", lambda: two(activity=[pd.DataFrame(A)] * 2), held(A)),
    (
        "half precision",
        lambda: most(
            two(
                activity=[np.where(X[:, None] > 50, 100, 0).astype(np.float16)] * 2,
                kind="deconvolved",
            )
        ),
        near(100 / DT),
    ),
    (
        "counts, big-endian",
        lambda: most(two(activity=[A.astype(">u2")] * 2)),
        near(np.nanmax(MAPS)),
    ),
    (
        "every second row of an array",
        lambda: most(two(activity=[np.asfortranarray(np.repeat(A, 2, 0))[::2]] * 2)),
        near(np.nanmax(MAPS)),
    ),
    (
        "backwards",
        lambda: nd.compute_rate_maps(two(activity=[A[::-1]] * 2, x=[X[::-1]] * 2))["rate"].values,
        lambda found: np.allclose(found, MAPS, equal_nan=True),
    ),
    (
        "lazy of unknown length",
        lambda: two(activity=[UNSURE, UNSURE]),
        "lazy activity does not know its length: call",
    ),
    (
        "one lazy of unknown length",
        lambda: one(activity=UNSURE),
        "lazy activity does not know its length: call",
    ),
    (
        "lazy counts with sign",
        lambda: two(activity=[da.from_array(A.astype(int))] * 2),
        "lazy activity of kind 'spikes' must have an unsigned integer",
    ),
    (
        "lazy text",
        lambda: one(activity=da.from_array(A.astype(str)), kind="deconvolved"),
        "'activity' has dtype <U3, expected number",
    ),
    (
        "lazy complex",
        lambda: one(activity=da.from_array(A * 1j), kind="deconvolved"),
        "'activity' has dtype complex128, expected number",
    ),
    ("no units", lambda: two(activity=[A[:, :0]] * 2), lambda r: r.sizes["unit"] == 0),
    ("no frames", lambda: one(activity=A[:0], x=X[:0]), lambda r: r.sizes["time"] == 0),
    (
        "a list of lists of counts",
        lambda: one(activity=A.tolist()),
        "activity has 1 dimensions, expected (time, unit)",
    ),
    (
        "times of spikes for counts",
        lambda: one(activity=[CLOCK[:9], CLOCK[:4]]),
        "activity has 1 dimensions, expected (time, unit)",
    ),
    # names and kinds
    (
        "unknown kind",
        lambda: two(kind="dff"),
        "kind is 'dff', expected one of spikes, events, amplitudes,",
    ),
    (
        "kind in capitals",
        lambda: two(kind="Spikes"),
        "kind is 'Spikes', expected one of spikes, events, amplitudes,",
    ),
    (
        "kind as a list",
        lambda: two(kind=["spikes"]),
        "kind is ['spikes'], expected one of spikes, events,",
    ),
    (
        "kind None",
        lambda: two(kind=None),
        "kind is None, expected one of spikes, events, amplitudes,",
    ),
    (
        "equal units",
        lambda: two(unit=["a"] * N),
        "unit labels are not unique: 'a' occur more than once",
    ),
    (
        "units 1 and '1'",
        lambda: two(unit=[1, "1", 2, 3, 4, 5]),
        "unit labels are not unique: '1' occur more than once",
    ),
    (
        "units in halves",
        lambda: two(unit=np.arange(N) + 0.5),
        labels(["0.5", "1.5", "2.5", "3.5", "4.5", "5.5"]),
    ),
    ("whole units as floats", lambda: two(unit=np.arange(N).astype(float)), labels(list(range(N)))),
    (
        "a unit NaN",
        lambda: two(unit=[np.nan, *range(5)]),
        "unit 0 (from 0) is labelled nan, expected a number or text",
    ),
    (
        "a unit None",
        lambda: two(unit=[None, *range(5)]),
        "unit 0 (from 0) is labelled None, expected a number or text",
    ),
    (
        "a unit pd.NA",
        lambda: two(unit=[pd.NA, *range(5)]),
        "unit 0 (from 0) is labelled <NA>, expected a number or text",
    ),
    (
        "units beyond int64",
        lambda: two(unit=[2**63, 1, 2, 3, 4, 5]),
        labels(["9223372036854775808", *"12345"]),
    ),
    (
        "units as one text",
        lambda: two(unit="abcdef"),
        "unit is the text 'abcdef', expected a list of labels",
    ),
    (
        "units as a number",
        lambda: two(unit=6),
        "unit is int, expected a list of labels in their order",
    ),
    (
        "units as a dict",
        lambda: two(unit=dict.fromkeys(IDS)),
        "unit is dict, expected a list of labels in their order",
    ),
    (
        "units as a set",
        lambda: two(unit=set(IDS)),
        "unit is set, expected a list of labels in their order",
    ),
    (
        "fewer units than columns",
        lambda: two(unit=[1, 2]),
        "unit has 2 entries, but there are 6 units (columns of",
    ),
    (
        "sessions as one text",
        lambda: two(session="ab"),
        "session is the text 'ab', expected a list of labels",
    ),
    (
        "equal sessions",
        lambda: two(session=["a", "a"]),
        "session labels are not unique: 'a' occur more than once",
    ),
    (
        "a session None",
        lambda: two(session=["a", None]),
        "session 1 (from 0) is labelled None, expected a number or text",
    ),
    (
        "sessions as a number",
        lambda: two(session=2),
        "session is int, expected a list of labels in their order",
    ),
    (
        "fewer sessions than arrays",
        lambda: two(session=["a"]),
        "session has 1 entries, but there are 2 sessions",
    ),
    (
        "regions for sessions",
        lambda: two(region=["CA1", "CA3"]),
        "region has 2 entries, but there are 6 units",
    ),
    (
        "regions as one text",
        lambda: two(region="CA1"),
        "region is the text 'CA1', expected a list of texts",
    ),
    (
        "regions None",
        lambda: two(region=[None] * N),
        "region 0 (from 0) is None, expected text such as 'unknown'",
    ),
    (
        "subject None",
        lambda: two(subject=None),
        "subject is None, expected a name: leave it out where it is",
    ),
    (
        "subject as a list",
        lambda: two(subject=["m1", "m2"]),
        "subject is ['m1', 'm2'], expected a name: leave it out where",
    ),
    # sessions
    (
        "days as text",
        lambda: two(day=["2026-01-01", "2026-01-03"]),
        "day holds <U10 values, expected real numbers",
    ),
    (
        "days as numbers in text",
        lambda: two(day=["1", "3"]),
        "day holds <U1 values, expected real numbers",
    ),
    (
        "days as dates",
        lambda: two(day=np.array(["2026-01-01", "2026-01-03"], "datetime64[D]"))["day"].values,
        near([0, 2]),
    ),
    (
        "days as differences of time",
        lambda: two(day=np.array([0, 2], "timedelta64[D]").astype("timedelta64[ns]"))["day"].values,
        near([0, 2]),
    ),
    (
        "days as pandas dates",
        lambda: two(day=pd.to_datetime(["2026-01-01", "2026-01-03"]))["day"].values,
        near([0, 2]),
    ),
    (
        "days going back",
        lambda: two(day=[3, 1]),
        "session 2 is of day 1, but follows session 1 of day 3: put",
    ),
    (
        "days in seconds since 1970",
        lambda: two(day=[1.7e9, 1.7e9 + 86400]),
        "the sessions lie 86400 days apart, longer than an animal",
    ),
    ("days for one session", lambda: two(day=[0]), "day has 1 entries, but there are 2 sessions"),
    (
        "day as a number",
        lambda: two(day=3),
        "day is 3, expected a list with one entry for each of sessions",
    ),
    (
        "accuracy in percent",
        lambda: two(accuracy=[70, 80]),
        "accuracy is 70 in session '1', expected the share of correct",
    ),
    (
        "experience negative",
        lambda: two(experience=[-5, 3]),
        "experience is -5, expected the minutes before each session, 0",
    ),
    (
        "experience as text",
        lambda: two(experience=["none", "one"]),
        "experience holds <U4 values, expected real numbers",
    ),
    (
        "training steps in halves",
        lambda: two(training_step=[0.5, 1.5]),
        "training_step must be whole numbers, found [0.5, 1.5]",
    ),
    (
        "session numbers that fall",
        lambda: one(session_index=np.repeat([1, 0], T // 2)),
        "session_index must never decrease: sort the frames by session",
    ),
    (
        "session numbers negative",
        lambda: one(session_index=np.repeat([-1, 0], T // 2)),
        "session_index must be non-negative integers, 0 for the first",
    ),
    (
        "session numbers as text",
        lambda: one(session_index=np.repeat(["a", "b"], T // 2)),
        "session_index must be non-negative integers, 0 for the first",
    ),
    (
        "session numbers as floats",
        lambda: one(session_index=np.repeat([0.0, 1.0], T // 2)),
        "session_index must be non-negative integers, 0 for the first",
    ),
    (
        "session numbers with a list",
        lambda: two(session_index=np.zeros(T, int)),
        "session_index is for one array over all frames, not for a list",
    ),
    (
        "session numbers for some frames",
        lambda: one(session_index=np.zeros(5, int)),
        "session_index has shape (5,), expected one entry for each of",
    ),
    (
        "session numbers of huge size",
        lambda: one(session_index=np.repeat([0, 10**9], T // 2)),
        "session_index goes up to 1000000000, but there are 4000",
    ),
    (
        "detected nowhere",
        lambda: two(detected=np.zeros((2, N))),
        "'0', '1', '2', '3', '4' and 1 more detected in no session:",
    ),
    (
        "detected, axes swapped",
        lambda: two(detected=np.ones((N, 2))),
        "detected has shape (6, 2), expected (session, unit) = (2, 6)",
    ),
    (
        "detected as text",
        lambda: two(detected=[["False"] * N] * 2),
        "detected must be True or False, found 'False'",
    ),
    (
        "detected as probabilities",
        lambda: two(detected=np.full((2, N), 0.7)),
        "detected must be True or False, found 0.7",
    ),
    (
        "detected with NaN",
        lambda: two(detected=np.full((2, N), np.nan)),
        "detected must be True or False, found nan",
    ),
    (
        "detected for one session",
        lambda: two(detected=[True] * N),
        "detected has shape (6,), expected (session, unit) = (2, 6)",
    ),
    (
        "registered as text",
        lambda: two(registered=["False"] * N),
        "registered must be True or False, found 'False'",
    ),
    (
        "registered as numbers of cells",
        lambda: two(registered=np.arange(N)),
        "registered must be True or False, found 2",
    ),
    (
        "registered for sessions",
        lambda: two(registered=[True, False]),
        "registered has 2 entries, but there are 6 units",
    ),
    (
        "score in percent",
        lambda: two(registration_score=np.full((2, N), 95)),
        "registration_score is outside 0..1 12 times, first 95; NaN",
    ),
    (
        "score, axes swapped",
        lambda: two(registration_score=np.full((N, 2), 0.9)),
        "registration_score has shape (6, 2), expected (session, unit)",
    ),
    (
        "score, axes swapped by name",
        lambda: two(
            registration_score=xr.DataArray(np.full((N, 2), 0.9), dims=("unit", "session"))
        ),
        lambda r: r["registration_score"].shape == (2, N),
    ),
    (
        "score as text",
        lambda: two(registration_score=[["high"] * N] * 2),
        "registration_score holds <U4 values, expected real numbers",
    ),
    (
        "accept as text",
        lambda: two(accept="speed"),
        "accept is the text 'speed', expected a list of names:",
    ),
    (
        "accept of an unknown name",
        lambda: two(accept=["sped"]),
        "accept names sped, expected some of axes, clock_unit, counts,",
    ),
    (
        "accept as a number",
        lambda: two(accept=1),
        "accept is 1, expected a list of names of findings",
    ),
]


@pytest.mark.parametrize(
    ("call", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_recording_from_arrays__careless(call, expected, judge):
    judge(call, expected)
