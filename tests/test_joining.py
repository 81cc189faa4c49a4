from __future__ import annotations

import json

import dask
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import neurodrift as nd
from neurodrift import (
    join_sessions,
    recording_from_arrays,
    schema,
    select_sessions,
    slice_sessions,
    testing,
)
from neurodrift.gate.findings import GateWarning


def _refuse(*_, **__):
    raise AssertionError("a lazy array was computed")


def _part(session, units, n_frames=4, **kwargs):
    """Recording of one session whose activity says which unit and session it is of."""
    base = 10 * (1 + sum(map(ord, session)) % 7)
    counts = np.tile(base + np.arange(len(units)), (n_frames, 1))
    given = {"kind": "events", "frame_duration": 0.5, "session": [session], "unit": units}
    given["subject"] = "m1"
    return recording_from_arrays(counts, **(given | kwargs))


def _activity_of(joined, session, unit):
    where = slice_sessions(joined)[joined["session"].values.tolist().index(session)]
    return joined["activity"].sel(unit=unit).values[where]


def test_join_sessions__registration_places_every_column():
    parts = [_part("a", [5, 6, 7]), _part("b", [5, 6]), _part("c", ["x", "y", "z"])]
    registration = np.array([[2, 0, -1], [-1, -1, -1], [-1, 1, 0], [0, -1, 2]])
    joined = join_sessions(parts, registration=registration)
    assert joined["unit"].values.tolist() == ["0", "2", "3", "a:6", "c:y"]
    expected = {
        ("a", "0"): (0, 2),
        ("b", "0"): (1, 0),
        ("b", "2"): (1, 1),
        ("c", "2"): (2, 0),
        ("a", "3"): (0, 0),
        ("c", "3"): (2, 2),
        ("a", "a:6"): (0, 1),
        ("c", "c:y"): (2, 1),
    }
    for session in "abc":
        for unit in joined["unit"].values:
            found = joined["detected"].sel(session=session, unit=unit).item()
            assert found == ((session, unit) in expected)
            values = _activity_of(joined, session, unit)
            if found:
                part, column = expected[session, unit]
                np.testing.assert_array_equal(values, parts[part]["activity"].values[:, column])
            else:
                assert (values == 0).all()
    assert joined["activity"].dtype == np.uint8


def test_join_sessions__frame_names_the_units():
    table = pd.DataFrame({"a": [1, 0], "b": [-1, 1]}, index=["cell 9", "cell 3"])
    joined = join_sessions([_part("a", [1, 2]), _part("b", [1, 2])], registration=table)
    assert joined["unit"].values.tolist() == ["cell 9", "cell 3", "b:1"]
    assert (
        _activity_of(joined, "b", "cell 3") == _part("b", [1, 2])["activity"].values[0, 1]
    ).all()


def test_join_sessions__equal_labels_are_the_same_unit():
    joined = join_sessions([_part("a", [3, 1]), _part("b", [1, 2])])
    assert joined["unit"].values.tolist() == [3, 1, 2]
    assert joined["unit"].dtype == np.int64
    assert joined["detected"].values.tolist() == [[True, True, False], [False, True, True]]
    assert (_activity_of(joined, "a", 1) == _part("a", [3, 1])["activity"].values[0, 1]).all()


def test_join_sessions__numbers_and_text_become_text():
    joined = join_sessions([_part("a", [1, 2]), _part("b", ["u", "v"])])
    assert joined["unit"].values.tolist() == ["1", "2", "u", "v"]
    with pytest.raises(ValueError, match="mix numbers and equal strings"):
        join_sessions([_part("a", [1, 2]), _part("b", ["1", "v"])])


def test_join_sessions__undoes_a_split():
    whole = testing.linear_track(n_units=5, n_sessions=3, minutes=0.5, detection=0.6)
    parts = [select_sessions(whole, [name]) for name in whole["session"].values]
    xr.testing.assert_identical(join_sessions(parts).sel(unit=whole["unit"]), whole)
    split = [select_sessions(whole, ["1", "2"]), select_sessions(whole, ["3"])]
    xr.testing.assert_identical(join_sessions(split).sel(unit=whole["unit"]), whole)


def test_join_sessions__lazy_parts_stay_lazy():
    parts = [_part("a", [3, 1]), _part("b", [1, 2])]
    lazy = [part.assign(activity=part["activity"].chunk(time=3, unit=1)) for part in parts]
    with dask.config.set(scheduler=_refuse):
        joined = join_sessions(lazy, registration=[[0, 1], [1, -1]])
        half = join_sessions([parts[0], lazy[1]])
    assert joined["activity"].chunks is not None
    assert joined["activity"].dtype == np.uint8
    eager = join_sessions(parts, registration=[[0, 1], [1, -1]])
    xr.testing.assert_identical(joined.compute(), eager)
    xr.testing.assert_identical(half.compute(), join_sessions(parts))


def test_join_sessions__experience():
    track = {"x": np.arange(4), "frame_duration": 30.0}
    counted_from_zero = [_part("a", [1], **track), _part("b", [1], **track)]
    assert join_sessions(counted_from_zero)["experience"].values.tolist() == [0.0, 2.0]
    known = [
        _part("a", [1], experience=[7], **track),
        _part("b", [1], experience=[9], **track),
        _part("c", [1], n_frames=0, experience=[11], frame_duration=30.0, x=[]),
        _part("d", [1], experience=[11], **track),
    ]
    assert join_sessions(known)["experience"].values.tolist() == [7.0, 9.0, 11.0, 11.0]


@pytest.mark.parametrize("name", ["loss", "accuracy"])
def test_join_sessions__performance_is_nan_where_there_is_none(name):
    parts = [_part("a", [1], **{name: [0.5]}), _part("b", [1]), _part("c", [1], **{name: [0.1]})]
    np.testing.assert_equal(join_sessions(parts)[name].values, [0.5, np.nan, 0.1])
    assert name not in join_sessions([parts[1]]).coords


def test_join_sessions__days_and_clocks():
    parts = [_part("a", [1], day=[0]), _part("b", [1], day=[2]), _part("c", [1], day=[2])]
    joined = join_sessions(parts)
    assert joined["day"].values.tolist() == [0.0, 2.0, 2.0]
    starts = [joined["time"].values[where.start] for where in slice_sessions(joined)]
    assert starts == [0.0, 172800.0, 172802.0]
    with pytest.warns(GateWarning, match="day is dropped: session b has none, others have it"):
        undated = join_sessions([parts[0], _part("b", [1])])
    assert "day is dropped" in undated.attrs["findings"]
    assert "day" not in undated.coords
    np.testing.assert_allclose(undated["time"], np.arange(8) * 0.5)


def test_join_sessions__moves_a_recording_of_several_sessions_as_one():
    parts = [
        recording_from_arrays(
            [np.ones((4, 1), int)] * 2,
            kind="events",
            frame_duration=1.0,
            day=days,
            session=names,
            subject="m1",
        )
        for days, names in (([0, 2], ["a", "b"]), ([4, 6], ["c", "d"]))
    ]
    joined = join_sessions(parts)
    starts = [joined["time"].values[where.start] for where in slice_sessions(joined)]
    assert starts == [86400.0 * day for day in (0, 2, 4, 6)]


def test_join_sessions__what_a_part_lacks_is_none():
    parts = [
        _part("a", [1], x=np.arange(4), trial=[1, 1, 2, 2], direction=[1, 1, -1, 0]),
        _part("b", [1], lap=[0, 0, 0, 1], map_label=[1, 1, 1, 2], trial_type=[3, 3, 3, 0]),
    ]
    with pytest.warns(GateWarning, match="x is NaN there: session b has none"):
        joined = join_sessions(parts)
    np.testing.assert_array_equal(joined["x"], [0, 1, 2, 3] + [np.nan] * 4)
    assert joined["trial"].values.tolist() == [1, 1, 2, 2, -1, -1, -1, -1]
    assert joined["lap"].values.tolist() == [-1] * 4 + [0, 0, 0, 1]
    assert joined["direction"].values.tolist() == [1, 1, -1, 0, 0, 0, 0, 0]
    assert joined["map_label"].values.tolist() == [0] * 4 + [1, 1, 1, 2]
    assert joined["trial_type"].values.tolist() == [-1] * 4 + [3, 3, 3, 0]
    assert "speed" not in joined and "y" not in joined
    fast = _part("c", [1], x=np.arange(4), speed=np.ones(4))
    with pytest.raises(ValueError, match="speed is NaN.* in 4 frames"):
        join_sessions([fast, parts[0]])


def test_join_sessions__regions_and_attributes():
    a = _part("a", [1, 2], region=["CA1", "CA3"]).assign_attrs(lab="Z", file="a.nwb")
    b = _part("b", [2, 3], region=["CA3", "DG"]).assign_attrs(lab="Z", file="b.nwb")
    joined = join_sessions([a, b])
    assert joined["region"].values.tolist() == ["CA1", "CA3", "DG"]
    assert joined.attrs == {
        "lab": "Z",
        "title": "neurodrift recording",
        "format_version": schema.FORMAT_VERSION,
    }
    assert "region" not in join_sessions([a, _part("b", [2, 3])]).coords


def test_join_sessions__leaves_its_input():
    parts = [_part("a", [1, 2]), _part("b", [1, 2])]
    before = [part.copy(deep=True) for part in parts]
    join_sessions(parts, registration=[[0, 1], [1, -1]])
    for part, old in zip(parts, before, strict=True):
        xr.testing.assert_identical(part, old)


@pytest.mark.parametrize(
    ("registration", "message"),
    [
        ([[0, 2]], r"column 1 .*session 'b'.* points outside: \[2\].* has 2 units \(0\.\.1, -1"),
        ([[-2, 0]], r"column 0 .* points outside: \[-2\]"),
        ([[0, 0], [0, 1]], r"column 0 .* uses unit \[0\] more than once"),
        ([[0, 0, 0]], "registration has 3 columns, but 2 recordings are joined"),
        ([[0.0, 1.0]], "column 0 .* is not of integers; use -1"),
        ([[0, np.nan]], "is not of integers"),
        (pd.DataFrame([[0, 1], [1, 0]], index=["u", "u"]), r"names units alike: \['u'\]"),
        (pd.DataFrame([[0, 1]], index=["a:2"]), r"named like registered ones: \['a:2'\]"),
    ],
)
def test_join_sessions__bad_registration(registration, message):
    with pytest.raises(ValueError, match=message):
        join_sessions([_part("a", [1, 2]), _part("b", [1, 2])], registration=registration)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"subject": "m2"}, r"different subjects \(m1, m2\) cannot be joined"),
        ({"environment": "B"}, r"different environments \(B, unknown\)"),
        ({"kind": "spikes"}, "different kinds of activity: events, spikes"),
        ({"name": "a"}, "session labels are not unique: 'a'"),
    ],
)
def test_join_sessions__bad_parts(change, message):
    with pytest.raises(ValueError, match=message):
        join_sessions([_part("a", [1, 2]), _part(change.pop("name", "b"), [1, 2], **change)])


def test_join_sessions__nothing_or_no_recording():
    with pytest.raises(ValueError, match="no recordings to join"):
        join_sessions([])
    with pytest.raises(ValueError, match="not a recording"):
        join_sessions([_part("a", [1]), xr.Dataset()])


@settings(deadline=None, max_examples=30)
@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4), data=st.data())
def test_join_sessions__no_unit_and_no_event_is_lost(sizes, data):
    parts = [_part(name, list(range(n))) for name, n in zip("abcd", sizes, strict=False)]
    n_rows = data.draw(st.integers(1, 6))
    columns = [data.draw(st.permutations([*range(n), *[-1] * n_rows]))[:n_rows] for n in sizes]
    joined = join_sessions(parts, registration=np.array(columns).T)
    assert joined["activity"].values.sum() == sum(int(p["activity"].sum()) for p in parts)
    assert joined["detected"].sum(dim="unit").values.tolist() == sizes
    n_unmentioned = sum(n - sum(c >= 0 for c in col) for n, col in zip(sizes, columns, strict=True))
    n_used_rows = int((np.array(columns).T >= 0).any(axis=1).sum())
    assert joined.sizes["unit"] == n_used_rows + n_unmentioned
    schema.check(joined)


def test_join_sessions__unregistered_columns_stay_out_of_drift():
    parts = [
        nd.testing.linear_track(n_units=6, n_sessions=1, minutes=3, seed=i).assign_coords(
            session=[name]
        )
        for i, name in enumerate("ab")
    ]
    table = np.column_stack([np.arange(4), np.arange(4)])
    joined = nd.join_sessions(parts, registration=table)
    assert joined["registered"].values.tolist() == [True] * 4 + [False] * 4
    maps = nd.compute_rate_maps(joined)
    found = nd.compute_drift(maps, n_repeats=0)
    known = nd.compute_drift(maps.isel(unit=np.flatnonzero(joined["registered"])), n_repeats=0)
    assert found["cell_overlap"].values[0, 1] == 1.0
    np.testing.assert_array_equal(
        found["population_vector_correlation_union"], known["population_vector_correlation_union"]
    )


def test_join_sessions__animals_without_a_name_are_warned_of():
    parts = [_part(name, [0, 1], subject="unknown") for name in ("a", "b")]
    with pytest.warns(GateWarning, match="none of 2 sources says which animal it is of"):
        joined = join_sessions(parts)
    (kept,) = json.loads(joined.attrs["findings"])
    assert kept["name"] == "subject" and not kept["accepted"]
    assert "findings" not in join_sessions(parts[:1]).attrs
