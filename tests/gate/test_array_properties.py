"""However arrays are handed over, they are the same recording, or are refused in plain words."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import neurodrift as nd

EXAMPLES, MANY = 60, 2000
"""How many ways each test tries; the second with ``-m slow``."""

STEP = 0.05
RAW = ("broadcast", "KeyError", "index out of", "unsupported operand", "cannot convert", "conflict")
"""Words of other packages' messages, which tell a user nothing."""


def recording_of(truth: dict[str, Any]) -> xr.Dataset:
    """The plainest call: arrays in double precision, one a session, units in order."""
    return nd.recording_from_arrays(
        truth["activity"],
        kind=truth["kind"],
        time=truth["time"],
        frame_duration=STEP,
        x=truth["x"],
        session=["a", "b"],
        unit=truth["unit"],
        detected=truth["detected"],
        region=truth["region"],
        registered=truth["registered"],
    )


@st.composite
def truths(draw: st.DrawFn) -> dict[str, Any]:
    """Two sessions of a few units."""
    n_units, lengths = draw(st.integers(1, 5)), draw(st.tuples(*[st.integers(4, 30)] * 2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["spikes", "deconvolved"]))
    counts = [rng.poisson(1, (n, n_units)) for n in lengths]
    detected = rng.random((2, n_units)) < 0.7
    detected[0, ~detected.any(axis=0)] = True
    return {
        "kind": kind,
        "activity": [c if kind == "spikes" else c * 0.25 for c in counts],
        "time": [np.arange(n) * STEP + start for n, start in zip(lengths, (0, 7200), strict=True)],
        "x": [rng.uniform(0, 100, n) for n in lengths],
        "unit": draw(
            st.sampled_from([list(range(n_units)), [f"cell {i}" for i in range(n_units)]])
        ),
        "detected": detected,
        "region": [f"region {i}" for i in range(n_units)],
        "registered": rng.random(n_units) < 0.5,
    }


DTYPES = ("uint8", "int16", "int64", "float32", "float64", ">u2", ">f4", "object")


def shaped(block: np.ndarray, how: dict[str, Any], labels: list[Any]) -> Any:
    """Activity (time, unit) as somebody may hold it."""
    block = np.asarray(block, order=how["order"])
    if how["chunks"]:
        kind = np.uint16 if how["counts"] else np.float64  # lazy counts must be unsigned
        block = da.from_array(block.astype(kind), chunks=tuple(how["chunks"]))
    if how["holder"] == "turned":
        return xr.DataArray(block.T, dims=("unit", "time"))
    if how["holder"] == "labelled":
        return xr.DataArray(block.T, dims=("unit", "time"), coords={"unit": labels})
    if how["chunks"]:
        return block
    if how["holder"] == "table":
        return pd.DataFrame(block, columns=labels)
    if how["holder"] == "masked":
        return np.ma.masked_array(block, np.zeros(block.shape, bool))
    if how["holder"] == "strided":
        return np.repeat(block, 2, axis=0)[::2]
    return block.tolist() if how["holder"] == "list" else block


HOWS = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(DTYPES),
        "order": st.sampled_from("CF"),
        "chunks": st.one_of(st.none(), st.tuples(st.integers(1, 30), st.integers(1, 5))),
        "holder": st.sampled_from(
            ["plain", "turned", "labelled", "table", "masked", "strided", "list"]
        ),
    }
)


def same(found: xr.Dataset, truth: xr.Dataset, order: list[Any]) -> None:
    """Equal up to the order of units; times and rates to what their precision can hold."""
    assert found["unit"].values.tolist() == order
    found = found.sel(unit=truth["unit"].values.tolist())
    for name in ("activity", "x", "session_index", "detected", "region", "registered", "session"):
        np.testing.assert_array_equal(found[name].values, truth[name].values, err_msg=name)
    step = truth["frame_duration"].values
    np.testing.assert_allclose(found["frame_duration"].values, step, rtol=1e-3)
    assert found["activity"].attrs == truth["activity"].attrs


def given_or_refused(call: Any) -> xr.Dataset | None:
    """The recording, or None after a refusal that a user can act on."""
    try:
        return call()
    except (ValueError, TypeError) as error:
        assert not any(word in str(error) for word in RAW), error
        return None


def present_in_any_way(truth: dict[str, Any], data: st.DataObject) -> None:
    """The truth, in another order, type, shape and chunking, is the same recording."""
    plain = recording_of(truth)
    n_units = len(truth["unit"])
    order = data.draw(st.permutations(range(n_units)), label="order")
    how = data.draw(HOWS, label="how") | {"counts": truth["kind"] == "spikes"}
    labels = [truth["unit"][i] for i in order]
    told = data.draw(st.sampled_from([list, np.array, pd.Index, tuple]), label="ids")(labels)
    turned = data.draw(st.booleans(), label="detected over (unit, session)")
    detected: Any = truth["detected"][:, order]
    if turned:
        detected = xr.DataArray(detected.T, dims=("unit", "session"))
    blocks = [np.asarray(block)[:, order] for block in truth["activity"]]
    if truth["kind"] == "spikes":
        blocks = [block.astype(how["dtype"]) for block in blocks]
    common: dict[str, Any] = {
        "kind": truth["kind"],
        "unit": told,
        "session": ["a", "b"],
        "frame_duration": STEP,
        "detected": detected,
        "region": [truth["region"][i] for i in order],
        "registered": truth["registered"][order],
    }
    if data.draw(st.booleans(), label="one array over all frames"):
        index = np.repeat([0, 1], [len(block) for block in blocks])
        found = nd.recording_from_arrays(
            shaped(np.concatenate(blocks), how | {"holder": _not_list(how)}, labels),
            x=np.concatenate(truth["x"]),
            time=np.concatenate(truth["time"]),
            session_index=index,
            **common,
        )
    else:
        found = nd.recording_from_arrays(
            [shaped(block, how, labels) for block in blocks],
            x=truth["x"],
            time=truth["time"],
            **common,
        )
    same(found, plain, labels)


def _not_list(how: dict[str, Any]) -> str:
    return "plain" if how["holder"] == "list" else how["holder"]


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(truth=truths(), data=st.data())
def test_recording_from_arrays__any_order_type_and_chunks(truth, data):
    present_in_any_way(truth, data)


@pytest.mark.slow
@settings(max_examples=MANY, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(truth=truths(), data=st.data())
def test_recording_from_arrays__any_order_type_and_chunks_at_length(truth, data):
    present_in_any_way(truth, data)


def clock_of(seconds: np.ndarray, how: str, dated: bool) -> Any:
    """A clock in seconds as somebody may hold it."""
    if how in ("float32", "float16", "float64", ">f8"):
        with np.errstate(over="ignore"):  # infinite in half precision
            return seconds.astype(how)
    if how == "list":
        return seconds.tolist()
    per = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}[how]
    steps = np.round(seconds * per).astype(np.int64).astype(f"timedelta64[{how}]")
    return np.datetime64("2026-01-05T23:59:58") + steps if dated else steps


CLOCKS = ("float64", ">f8", "float32", "float16", "list", "s", "ms", "us", "ns")


def tell_time_in_any_way(
    n: int, start: float, step: float, how: str, dated: bool, given_step: bool, listed: bool
) -> None:
    """Whatever the clock's type, rates are right to a thousandth, or it is refused."""
    seconds = start + np.arange(n) * step
    counts, clock = np.ones((n, 2), np.uint8), clock_of(seconds, how, dated)
    found = given_or_refused(
        lambda: nd.recording_from_arrays(
            [counts] if listed else counts,
            kind="spikes",
            time=[clock] if listed else clock,
            frame_duration=step if given_step else None,
        )
    )
    if found is None:
        assert how not in ("float64", ">f8", "list", "ns", "us"), "a good clock was refused"
        return
    rounding = {"ms": 1e-3, "float32": 0.1 * step, "float16": 0.1 * step}.get(how, 0.0)
    off = abs(float(found["frame_duration"].mean()) - step)
    assert off <= 1e-3 * step + (0.0 if given_step else rounding / (n - 1))
    spent = found["time"].values[-1] - found["time"].values[0]
    assert spent == pytest.approx((n - 1) * step, rel=1e-3, abs=step)


WAYS = {
    "n": st.integers(3, 2000),
    "start": st.sampled_from([0.0, 12.5, 3600.0, 8 * 3600.0, 1.7e9]),
    "step": st.sampled_from([0.05, 1 / 30, 0.1, 0.02, 1 / 15]),
    "how": st.sampled_from(CLOCKS),
    "dated": st.booleans(),
    "given_step": st.booleans(),
    "listed": st.booleans(),
}


@settings(max_examples=EXAMPLES, deadline=None)
@given(**WAYS)
def test_recording_from_arrays__any_clock(**way):
    tell_time_in_any_way(**way)


@pytest.mark.slow
@settings(max_examples=MANY, deadline=None)
@given(**WAYS)
def test_recording_from_arrays__any_clock_at_length(**way):
    tell_time_in_any_way(**way)


IDS: st.SearchStrategy[Any] = st.one_of(
    st.integers(-5, 5),
    st.integers(2**62, 2**65),
    st.floats(-3, 3),
    st.just(float("nan")),
    st.none(),
    st.booleans(),
    st.text(max_size=3),
    st.sampled_from(["1", "01", "1.0", "nan", "None", "", " 1"]),
    st.sampled_from([np.int8(1), np.uint64(2**63), np.float32(1), np.str_("a"), b"a", 1 + 0j]),
    st.just(pd.NA),
    st.just(np.datetime64("2026-01-01")),
    st.tuples(st.integers(0, 1)),
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(ids=st.lists(IDS, min_size=1, max_size=4), data=st.data())
def test_recording_from_arrays__any_ids(ids, data):
    """Units keep ids of their own, in their order, or are refused."""
    counts = np.arange(4 * len(ids)).reshape(4, -1)
    made = given_or_refused(
        lambda: nd.recording_from_arrays(counts, kind="events", frame_duration=1.0, unit=ids)
    )
    if made is None:
        return
    labels = made["unit"].values.tolist()
    assert len({str(label) for label in labels}) == len(ids)
    assert all(isinstance(label, int | str) for label in labels)
    for label, item in zip(labels, ids, strict=True):
        assert str(label) == str(item) or float(label) == float(item)
    again = nd.recording_from_arrays(counts, kind="events", frame_duration=1.0, unit=labels)
    xr.testing.assert_identical(made, again)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(truth=truths(), data=st.data())
def test_join_sessions__parts_in_any_order_of_their_units(truth, data):
    """Joined by label: the order of the units in a part, and its chunks, change nothing."""
    truth = truth | {"detected": np.ones((2, len(truth["unit"])), bool)}
    plain = recording_of(truth)
    parts = []
    for i, session in enumerate("ab"):
        order = data.draw(st.permutations(range(len(truth["unit"]))))
        part = nd.recording_from_arrays(
            np.asarray(truth["activity"][i]),
            kind=truth["kind"],
            time=truth["time"][i],
            frame_duration=STEP,
            x=truth["x"][i],
            session=[session],
            unit=truth["unit"],
            region=truth["region"],
            registered=truth["registered"],
            subject="m1",
        ).isel(unit=list(order))
        chunks = data.draw(st.one_of(st.none(), st.integers(1, 9)))
        parts.append(part if chunks is None else part.chunk(time=chunks))
    joined = nd.join_sessions(parts)
    same(joined, plain, parts[0]["unit"].values.tolist())
    np.testing.assert_allclose(joined["time"].values, plain["time"].values)
