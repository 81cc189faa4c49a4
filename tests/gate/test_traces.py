"""Order statistics told block by block, against NumPy's over the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from neurodrift.gate.activities import _Tally
from neurodrift.gate.traces import _Values, trace_findings

NUMBERS = st.one_of(
    st.floats(width=64, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 1.0, 1.0 + 2**-52, 5e-324, -5e-324, 1e300, -3.0]),
)


def cut(values, pieces):
    """The values in parts: rows, then columns."""
    return lambda: [
        part
        for rows in np.array_split(values, pieces, axis=0)
        for part in np.array_split(rows, 2, axis=1)
    ]


@settings(max_examples=150, deadline=None)
@given(
    arrays.arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(1, 4)), elements=NUMBERS),
    st.integers(1, 5),
    st.sampled_from([1, 50, 99]),
)
def test_percentile__is_numpys_whatever_the_parts(values, pieces, percent):
    if np.isnan(values).all():
        return
    with np.errstate(over="ignore", invalid="ignore"):
        expected = np.nanpercentile(values, percent)
        found = _Values(cut(values, pieces)).percentile(percent)
    assert found == expected or (np.isnan(found) and np.isnan(expected))


@settings(max_examples=80, deadline=None)
@given(
    st.floats(-3, 3), st.floats(0, 2), st.floats(0, 1), st.integers(1, 7), st.integers(0, 2**32 - 1)
)
def test_trace_findings__are_those_of_whole_arrays(middle, spread, silent, pieces, seed):
    rng = np.random.default_rng(seed)
    values = middle + spread * rng.normal(size=(500, 4))
    values[rng.random(values.shape) < silent] = 0
    values[:3] = np.nan
    low, half = np.nanpercentile(values, [1, 50])
    below = float((values < 0).sum() / np.isfinite(values).sum())
    offset = float(low / half) if half > 0 else 0.0
    expected = below > 0.01 or offset >= 0.2
    found = trace_findings(cut(values, pieces), 500, "deconvolved", "cells")
    assert bool(found) == expected
    assert found == trace_findings(lambda: [values], 500, "deconvolved", "cells")
    if found:
        assert found[0].numbers == {"below_zero": below, "offset": offset}


def test_trace_findings__one_pass_tells_that_there_is_nothing():
    values = np.where(np.random.default_rng(0).random((600, 5)) < 0.1, 2.0, 0.0)
    passes = []

    def blocks():
        passes.append(1)
        return [values]

    assert not trace_findings(blocks, 600, "deconvolved", "cells") and len(passes) == 1
    assert not trace_findings(blocks, 600, "activation", "cells") and len(passes) == 1
    assert not trace_findings(blocks, 499, "deconvolved", "cells") and len(passes) == 1


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("at_once", [1, 7, 10**6])
def test_tally__counts_what_whole_arrays_hold(monkeypatch, order, at_once):
    monkeypatch.setattr("neurodrift.gate.blocks._BLOCK_BYTES", at_once * 8)
    rng = np.random.default_rng(1)
    values = rng.integers(-1, 3, (40, 9)).astype(float)
    values[:, 4], values[11], values[3, 2], values[:, 6] = np.nan, np.nan, np.inf, 0.0
    values[11, 6] = np.nan
    found = _Tally.of(np.asarray(values, order=order), "events")
    missing = np.isnan(values)
    assert (found.units == ~missing.all(axis=0)).all()
    assert (found.frames == ~missing.all(axis=1)).all()
    assert found.n_missing == missing.sum() and found.n_infinite == 1
    assert found.n_negative == (values < 0).sum() and not found.fractional
    assert (found.n_zeros == (values == 0).sum(axis=0)).all()
    assert _Tally.of(np.asarray(values + 0.5, order=order), "events").fractional


def test_trace_findings__numbers_as_small_as_they_get():
    """Leading bits cannot tell them from 0."""
    tiny = np.full((600, 1), 5e-324)
    (found,) = trace_findings(lambda: [tiny], 600, "deconvolved", "a")
    assert "never comes near 0" in found.text
