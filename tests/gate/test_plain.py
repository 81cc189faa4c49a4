from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.gate.findings import ACCEPTABLE, Finding, GateWarning, settle

N, STEP = 4000, 0.05
TIME = np.arange(N) * STEP
X = 50 + 50 * np.sin(2 * np.pi * TIME / 20)
COUNTS = np.random.default_rng(1).poisson(0.3, (N, 6)).astype(np.uint8)


def build(activity=COUNTS, **options):
    options = {"kind": "spikes", "x": X, "frame_duration": STEP} | options
    return nd.recording_from_arrays(activity, **options)


def test_recording__labelled_arrays_go_by_their_names():
    labelled = xr.DataArray(COUNTS.T, dims=("unit", "time"))
    assert build(labelled).identical(build())
    square = xr.DataArray(COUNTS[:6].T, dims=("unit", "time"))
    found = nd.recording_from_arrays(square, kind="spikes", frame_duration=STEP)
    np.testing.assert_array_equal(found["activity"], COUNTS[:6])
    with pytest.raises(ValueError, match=r"activity has dims \('time', 'cell'\)"):
        build(xr.DataArray(COUNTS, dims=("time", "cell")))
    detected = xr.DataArray(np.ones((6, 1), bool), dims=("unit", "session"))
    assert build(detected=detected)["detected"].shape == (1, 6)


def test_recording__masks_are_kept_to():
    masked = np.ma.masked_where(X > 99.9, X)
    assert np.isnan(build(x=masked)["x"].values[X > 99.9]).all()
    trial = np.ma.masked_where(TIME < 10, np.ones(N, int))
    assert (build(trial=trial)["trial"].values[TIME < 10] == -1).all()
    frames = np.zeros((N, 6), bool)
    frames[100:150] = True
    with pytest.warns(GateWarning, match="50 of 4000 frames are masked for all units"):
        cut = build(np.ma.masked_array(COUNTS, frames))
    np.testing.assert_array_equal(cut["activity"], COUNTS[~frames[:, 0]])
    np.testing.assert_array_equal(cut["x"], X[~frames[:, 0]])
    unit = np.zeros((N, 6), bool)
    unit[:, 2] = True
    missing = build([COUNTS, np.ma.masked_array(COUNTS, unit)], x=[X, X])
    assert missing["detected"].values.tolist() == [[True] * 6, [True] * 2 + [False] + [True] * 3]
    unit[:1000, 2] = False
    with pytest.raises(ValueError, match="masked for 1 units in a part of its frames"):
        build(np.ma.masked_array(COUNTS, unit))


@pytest.mark.parametrize("unit", ["ns", "us", "ms"])
def test_recording__dates_and_differences_of_time_are_seconds(unit):
    per = {"ns": 1e9, "us": 1e6, "ms": 1e3}[unit]
    steps = np.round(TIME * per).astype(f"timedelta64[{unit}]")
    for time in (steps, np.datetime64("2026-01-05T10:00:00") + steps):
        found = build(time=time, frame_duration=None)
        np.testing.assert_allclose(found["time"], TIME, atol=1e-9)
        assert found["frame_duration"].values == pytest.approx(STEP)
    days = np.array(["2026-01-05", "2026-01-08"], "datetime64[D]")
    two = build([COUNTS, COUNTS], x=[X, X], day=days)
    assert two["day"].values.tolist() == [0.0, 3.0]


def test_recording__a_clock_in_single_precision_does_not_shift_rates():
    time = (np.arange(8 * 3600 * 30) / 30).astype(np.float32)
    found = nd.recording_from_arrays(np.ones((time.size, 1), int), kind="spikes", time=time)
    assert found["frame_duration"].values == pytest.approx(1 / 30, rel=1e-4)
    late = (np.arange(3000) * 0.05 + 1.7e9).astype(np.float32)
    with pytest.raises(ValueError, match="single precision and so known to 1.3e.02 s only"):
        nd.recording_from_arrays(np.ones((3000, 1), int), kind="spikes", time=late)


def test_recording__lazy_activity_that_is_no_number_is_found():
    import dask.array as da

    odd = COUNTS.astype(float)
    odd[17, 3] = np.nan
    with pytest.raises(ValueError, match="NaN or infinite in 1 places"):
        build(da.from_array(odd, chunks=(1000, 2)), kind="deconvolved")["activity"].compute()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"unit": "abcdef"}, TypeError, "unit is the text 'abcdef', expected a list"),
        ({"session": "a"}, TypeError, "session is the text"),
        ({"unit": [np.nan, 1, 2, 3, 4, 5]}, ValueError, "unit 0 .from 0. is labelled nan"),
        ({"unit": [0, 1, 2, 3, 4, None]}, ValueError, "unit 5 .from 0. is labelled None"),
        ({"registered": ["False"] * 6}, ValueError, "registered must be True or False"),
        ({"detected": [["True"] * 6]}, ValueError, "detected must be True or False"),
        ({"activity": COUNTS * (1 + 1j)}, TypeError, "complex numbers"),
        ({"activity": COUNTS.astype(str)}, TypeError, "expected real numbers"),
        ({"activity": np.where(COUNTS == 1, None, COUNTS)}, ValueError, "found NaN in"),
        ({"activity": (COUNTS.astype(np.int16) - 1).astype(np.uint16)}, ValueError, "65535 was -1"),
        ({"x": X.astype(str)}, TypeError, "x holds <U"),
        ({"time": TIME.astype(str)}, TypeError, "time holds <U"),
        ({"x": X / 100}, ValueError, "metres or a fraction"),
        ({"x": X * 10}, ValueError, "mm or pixels"),
        ({"time": TIME * 1000}, ValueError, "are said to last 0.05 s"),
        ({"time": TIME * 1000, "frame_duration": None}, ValueError, "frames last 50 s: ms"),
        ({"time": np.arange(N), "frame_duration": None}, ValueError, "these look like frame num"),
        (
            {"time": TIME, "frame_duration": 20},
            ValueError,
            "frame_duration is 20 s; give both in s",
        ),
    ],
)
def test_recording__careless_arrays_are_refused(change, error, message):
    with pytest.raises(error, match=message):
        build(**change)


def test_recording__days_out_of_order_are_refused():
    with pytest.raises(ValueError, match="session 2 is of day 1, but follows session 1 of day 3"):
        build([COUNTS, COUNTS], x=[X, X], day=[3, 1])


def test_recording__what_was_accepted_stays_with_it():
    with pytest.warns(GateWarning, match="x covers 1e.03 cm, much for an environment"):
        found = build(x=X * 10, accept=["speed"])
    assert '"name": "speed"' in found.attrs["findings"]
    with pytest.raises(ValueError, match="does not pass the gate"):
        build(x=X * 10, accept=["clock_unit"])
    with pytest.raises(TypeError, match=r"expected a list of names: \['speed'\]"):
        build(x=X * 10, accept="speed")


def test_recording__short_sessions_and_activations_are_not_judged():
    build(COUNTS[:400], x=X[:400] / 100)
    build(COUNTS.astype(float), kind="activation", x=X / 100)


def test_settle__accepts_only_what_may_be_true():
    never = Finding("clock", "the clock is NaN", stops=True)
    with pytest.raises(ValueError, match="the clock is NaN"):
        settle([never], "day 1", accept=["clock_unit"])
    perhaps = Finding("axes", "it has gaps", stops=True, may_be_true=True, numbers={"n": 2})
    (told,) = settle([perhaps], "day 1", accept=["axes"])
    assert told["accepted"] and told["numbers"] == {"n": 2} and told["severity"] == "stops"
    with pytest.warns(GateWarning, match="day 1: it is odd"):
        settle([Finding("odd", "it is odd", warns=True)], "day 1")


def test_recording__labels_that_arrays_bring_along_are_kept_to():
    import pandas as pd

    ids = ["c4", "c1", "c9", "c2", "c7", "c3"]
    table = pd.DataFrame(COUNTS, columns=ids)
    assert build(table)["unit"].values.tolist() == ids
    assert build(table, unit=range(6))["unit"].values.tolist() == list(range(6))  # new names
    assert build(pd.DataFrame(COUNTS))["unit"].values.tolist() == list(range(6))
    labelled = xr.DataArray(COUNTS.T, dims=("unit", "time"), coords={"unit": ids, "time": TIME + 3})
    found = build(labelled, frame_duration=None)
    assert found["unit"].values.tolist() == ids
    np.testing.assert_allclose(found["time"], TIME + 3)
    region = pd.Series(list("abcdef"), index=ids)
    assert build(table, region=region)["region"].values.tolist() == list("abcdef")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activity": "swapped"}, "activity in session '2' has its labels in another order than"),
        ({"activity": "other"}, "activity in session '2' is labelled otherwise than session '1'"),
        ({"unit": ["c1", "c4", "c9", "c2", "c7", "c3"]}, "activity has its labels in another ord"),
        ({"region": "sorted"}, "region has its labels in another order than unit"),
        ({"detected": "sorted"}, "detected has its labels in another order than unit"),
        ({"day": "swapped"}, "day has its labels in another order than session"),
        ({"x": "late"}, "x is labelled with times that are up to 12.4 s from those of its frames"),
    ],
)
def test_recording__labels_in_another_order_are_refused(change, message):
    import pandas as pd

    ids = ["c4", "c1", "c9", "c2", "c7", "c3"]
    table = pd.DataFrame(COUNTS, columns=ids)
    made = {
        ("activity", "swapped"): [table, table[sorted(ids)]],
        ("activity", "other"): [table, table.rename(columns={"c4": "c5"})],
        ("region", "sorted"): pd.Series(list("abcdef"), index=sorted(ids)),
        ("detected", "sorted"): pd.DataFrame(True, index=["1", "2"], columns=sorted(ids)),
        ("day", "swapped"): pd.Series([0, 1], index=["2", "1"]),
        ("x", "late"): [xr.DataArray(X, dims="time", coords={"time": TIME + 12.4})] * 2,
    }
    ((name, how),) = change.items()
    options = {"activity": [table, table], "x": [X, X], "time": [TIME, TIME]}
    options[name] = made[name, how] if isinstance(how, str) else how
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_acceptable__is_every_finding_that_may_be_true():
    """The names that a user may accept are those that the code marks so, and no others."""
    import ast
    from pathlib import Path

    names = set()
    for path in Path(nd.__file__).parent.rglob("*.py"):
        if path.parent.name == "report":  # what it calls findings are sentences
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding":
                marks = [
                    *node.args[3:4],
                    *(k.value for k in node.keywords if k.arg == "may_be_true"),
                ]
                if marks and getattr(marks[0], "value", True):
                    names.add(node.args[0].value)
    assert names == set(ACCEPTABLE)
    text = (Path(__file__).parents[2] / "docs" / "gate.md").read_text()
    for name in ACCEPTABLE:
        assert f"`{name}`" in text
    with pytest.raises(ValueError, match="accept names clock, expected some of axes"):
        build(accept=["clock"])
    with pytest.raises(TypeError, match="accept is 3, expected a list"):
        build(accept=3)
