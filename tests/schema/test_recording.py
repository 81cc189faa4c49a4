from __future__ import annotations

import dask
import numpy as np
import pytest
import xarray as xr

from neurodrift import recording_from_arrays, schema, testing
from neurodrift.schema import Var, check, label, structure_faults
from neurodrift.schema.json import STORED
from neurodrift.schema.results import MAPS


@pytest.fixture
def recording() -> xr.Dataset:
    return testing.linear_track(n_units=4, n_sessions=2, minutes=0.5)


@pytest.mark.parametrize("name", STORED)
def test_tables__names_do_not_hide_dataset_methods(name):
    members = set(dir(xr.Dataset())) | set(dir(xr.DataTree()))
    hidden = {var.name for var in STORED[name].values()} & members
    hidden |= {dim for var in STORED[name].values() for dim in var.dims} & members
    assert not hidden


@pytest.mark.parametrize("name", STORED)
def test_tables__rows_are_well_formed(name):
    for key, var in STORED[name].items():
        assert key == var.name
        assert var.kind in schema.DTYPE_KINDS
        assert var.doc and "\n" not in var.doc
        assert "..." not in var.dims[1:]
        if len(var.dims) == 1 and var.dims[0] == var.name:
            assert var.coord, f"{name}: {var.name} indexes itself, so it is a coordinate"


def test_check__accepts_every_kind_of_recording(recording):
    check(recording)
    check(recording.drop_vars(["x", "speed", "direction", "trial", "lap", "experience", "day"]))
    check(recording.assign(temperature=("time", np.zeros(recording.sizes["time"]))))


def test_check__refuses_what_is_no_dataset(recording):
    with pytest.raises(TypeError, match="got DataArray; build one with"):
        check(recording["activity"])


def test_check__names_all_faults_at_once(recording):
    broken = recording.drop_vars("detected")
    broken["x"] = broken["x"].assign_attrs(units="m")
    broken["speed"] = broken["speed"].astype(int)
    broken["session_index"] = broken["session_index"][::-1].variable
    broken["direction"] = broken["direction"].astype(np.int8) * 3
    time = broken["time"].values.copy()
    time[5] = time[4]
    lasting = np.where(np.arange(time.size) == 9, 0.0, 0.05)
    broken = broken.assign_coords(
        time=("time", time), unit=("unit", [1, 1, 2, 3]), frame_duration=("time", lasting)
    )
    broken["activity"].attrs["kind"] = "licks"
    with pytest.raises(ValueError) as error:
        check(broken)
    lines = str(error.value).splitlines()
    assert lines[0] == "not a recording:"
    expected = [
        "'detected' is missing",
        "'x' is in 'm', expected 'cm'",
        "'speed' has dtype int64, expected float",
        "kind'] is 'licks'",
        "unit labels are not unique: '1' occur",
        "time is not strictly increasing: frame 5",
        "session_index decreases",
        "frame_duration must be positive",
        "direction must be -1, 0 or +1, found [-3",
    ]
    for text in expected:
        assert any(text in line for line in lines[1:]), text
    assert len(lines) == 1 + len(expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.transpose("unit", "time", "session"), r"'activity' has dims \(unit, time\)"),
        (lambda r: r.reset_coords("day"), "'day' should be a coordinate"),
        (lambda r: r.set_coords("x"), "'x' should be a variable"),
        (lambda r: r.assign(detected=r["detected"].astype(int)), "dtype int64, expected bool"),
        (lambda r: r.assign_coords(session=["a", "a"]), "session labels are not unique: 'a'"),
        (lambda r: r.assign_coords(time=r["time"] * np.nan), "time is NaN or infinite at frame 0"),
        (lambda r: r.assign_coords(time=-r["time"]), "time is not strictly increasing: frame 1"),
        (lambda r: r.assign(session_index=r["session_index"] + 1), r"must lie in 0\.\.1"),
        (lambda r: r.assign_coords(frame_duration=r["frame_duration"] * np.inf), "finite"),
        (lambda r: r.assign_coords(frame_duration=r["frame_duration"] * 50), "frames .* overlap"),
        (lambda r: r.assign(detected=r["detected"] & (r["unit"] != 2)), "'2' detected in no ses"),
        (lambda r: r.assign(x=r["x"] * np.nan), "x is NaN in every frame"),
        (lambda r: r.assign(x=r["x"] + np.inf), "x is infinite in 1200 frames"),
        (lambda r: r.assign(y=r["x"]).drop_vars("x"), "'y' without 'x'"),
        (lambda r: r.assign(speed=r["speed"] * np.nan), "speed is NaN, infinite or neg.* 1200 fr"),
        (lambda r: r.assign(speed=-r["speed"] - 1), "speed is NaN, infinite or negative in 1200"),
        (lambda r: r.assign(activity=r["activity"].astype(float)), "'events' has dtype float64"),
    ],
)
def test_check__names_the_fault(recording, change, message):
    with xr.set_options(keep_attrs=True), pytest.raises(ValueError, match=message) as error:
        check(change(recording))
    assert str(error.value).startswith("not a recording:\n- ")


def test_check__sees_an_unsigned_index_that_decreases(recording):
    index = recording["session_index"].values.astype(np.uint32)
    with pytest.raises(ValueError, match="session_index decreases"):
        check(recording.assign(session_index=("time", index[::-1])))


def test_check__allows_missing_speed_where_the_position_is_missing(recording):
    gone = np.arange(recording.sizes["time"]) % 7 == 0
    check(recording.assign(x=recording["x"].where(~gone), speed=recording["speed"].where(~gone)))


def _refuse(*_, **__):
    raise AssertionError("a lazy array was computed")


def test_check__does_not_read_lazy_activity(recording):
    lazy = recording.assign(activity=recording["activity"].chunk(time=100))
    with dask.config.set(scheduler=_refuse):
        check(lazy)


def test_label__names_units_and_leaves_its_input():
    before = xr.Dataset({"x": ("time", [1.0])}, coords={"time": [0.0]})
    after = label(before, schema.RECORDING)
    assert after["x"].attrs["units"] == "cm" and after["time"].attrs["units"] == "s"
    assert not before["x"].attrs and not before["time"].attrs
    assert "units" not in label(xr.Dataset({"rate": 1.0}), MAPS)["rate"].attrs


def test_structure_faults__leading_dimensions_are_free():
    table = {"rate": Var("rate", ("...", "unit", "position"), "float", "", "a map", True)}
    good = xr.Dataset({"rate": (("run", "session", "unit", "position"), np.zeros((1, 1, 1, 1)))})
    assert structure_faults(good, table) == []
    assert structure_faults(good.isel(run=0, session=0), table) == []
    (fault,) = structure_faults(good.transpose("unit", ...), table)
    assert "expected (..., unit, position)" in fault
    (fault,) = structure_faults(xr.Dataset(), table)
    assert "'rate' is missing" in fault


def test_check__counts_must_be_unsigned():
    recording = recording_from_arrays(np.ones((4, 1)), kind="activation", frame_duration=1.0)
    with pytest.raises(ValueError, match="kind 'spikes' has dtype float64, expected unsigned"):
        check(recording.assign(activity=recording["activity"].assign_attrs(kind="spikes")))
