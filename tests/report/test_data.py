from __future__ import annotations

import base64
import json

import hypothesis.extra.numpy as hnp
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import neurodrift.report.data as data_module
from neurodrift.report.data import UNVISITED, chosen_units, page_data, quantize, script_json
from neurodrift.report.view import views

RATES = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(1, 9)),
    elements=st.floats(0, 1e4) | st.just(np.nan),
)


def unpack(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype)


def literal_quantize(rate):
    codes, peaks = [], []
    for row in rate:
        seen = [value for value in row if value == value]
        peak = max(seen) if seen else float("nan")
        peaks.append(peak)
        codes.append(
            [
                255 if value != value else round(254 * value / peak) if peak > 0 else 0
                for value in row
            ]
        )
    return codes, peaks


@settings(max_examples=60, deadline=None)
@given(RATES)
def test_quantize__literally(rate):
    codes, peaks = quantize(rate)
    expected, tops = literal_quantize(rate.tolist())
    assert np.abs(codes.astype(int) - np.array(expected)).max() <= 1  # ties round either way
    assert ((codes == UNVISITED) == np.isnan(rate)).all()
    np.testing.assert_allclose(peaks, np.array(tops, dtype=np.float32))


@settings(max_examples=60, deadline=None)
@given(RATES)
def test_quantize__is_within_a_508th_of_the_peak(rate):
    codes, peaks = quantize(rate)
    back = np.where(codes == UNVISITED, np.nan, codes / 254 * peaks[:, None].astype(float))
    error = np.abs(back - rate)
    bound = np.nan_to_num(peaks)[:, None] * (1 / 508 + 1e-6)
    assert (np.nan_to_num(error) <= bound + 1e-37).all()


def test_page_data__is_that_of_the_results(results, view):
    data = page_data(view, 10**6)
    maps = results["smoothed_maps"].to_dataset().transpose("unit", "session", "direction", ...)
    shape = maps["rate"].shape
    codes = unpack(data["codes"], "u1").reshape(shape)
    peaks = unpack(data["peaks"], "<f4").reshape(shape[:3])
    back = np.where(codes == UNVISITED, np.nan, codes / 254 * peaks[..., None].astype(float))
    np.testing.assert_allclose(back, maps["rate"].values, atol=np.nanmax(peaks) / 500)
    assert data["units"] == [str(label) for label in maps["unit"].values]
    assert data["x"] == maps["x_bin"].values.tolist() and data["y"] == []
    width = np.median(np.diff(maps["x_bin"]))  # the track reaches to the edges of its bins
    assert data["ends"] == [data["x"][0] - width / 2, data["x"][-1] + width / 2]
    cells = results["place_cells"].to_dataset().transpose("unit", "session", "direction", ...)
    for name in ("p", "n_events"):
        found = unpack(data["cells"][name], "<f4").reshape(shape[:3])
        np.testing.assert_allclose(found, cells[name].values, rtol=1e-6)
    place = unpack(data["place"], "u1").reshape(shape[:2])
    np.testing.assert_array_equal(place, cells["is_place_cell"].transpose("unit", ...).values)
    assert data["where"] == ["day 0", "day 2", "day 4", "day 6"] and data["notes"] == []


def test_page_data__correlations_of_units_by_pair(results, view):
    data = page_data(view, 10**6)
    stored = results["drift"]["unit_rate_map_correlation"]
    stored = stored.transpose("session_a", "session_b", "unit", "direction").values
    found = unpack(data["pairs"], "<i2").reshape(6, 10, 2)
    pairs = [(a, b) for a in range(4) for b in range(a + 1, 4)]
    for row, (a, b) in zip(found, pairs, strict=True):
        expected = stored[a, b]
        assert ((row == -32768) == np.isnan(expected)).all()
        seen = np.isfinite(expected)
        np.testing.assert_allclose(row[seen] / 1e4, expected[seen], atol=5.1e-5)


def test_page_data__matrices(results, view):
    data = page_data(view, 10**6)
    first = data["matrices"][0]
    assert (first["name"], first["node"]) == ("rate_map_correlation", "session_drift")
    for matrix in data["matrices"]:
        expected = results[matrix["node"]][matrix["name"]].values
        found = unpack(matrix["values"], "<f4").reshape(expected.shape)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_page_data__too_many_units_are_left_out_and_said(results, view):
    sizes = results["smoothed_maps"]["rate"].sizes
    per_unit = sizes["session"] * sizes["direction"] * sizes["position"]
    data = page_data(view, 2 * 3 * per_unit + 1)  # whole sessions and one half of each
    assert len(data["units"]) == 3 and data["n_units"] == 10
    assert len(unpack(data["codes"], "u1")) == 3 * per_unit
    assert len(unpack(data["even"], "u1")) == 3 * per_unit
    assert "3 of 10 cells are shown" in data["notes"][0]
    times = results["place_cells"]["is_place_cell"].transpose("unit", "session").values.sum(1)
    kept = [view.nodes["sparsity"]["unit"].values.tolist().index(int(u)) for u in data["units"]]
    assert times[kept].min() >= np.delete(times, kept).max()


def test_page_data__too_many_sessions_are_thinned_and_said(view, monkeypatch):
    monkeypatch.setattr(data_module, "MAX_SESSIONS", 2)
    data = page_data(view, 10**6)
    assert data["sessions"] == ["1", "4"] and "2 of 4 sessions" in data["notes"][0]
    assert len(unpack(data["matrices"][0]["values"], "<f4")) == 4
    assert len(unpack(data["pairs"], "<i2")) == 10 * 2


def test_chosen_units__without_place_cells_the_active_ones(still):
    view = views(still)[0]
    kept = chosen_units(view, 4)
    events = still["sparsity"]["n_events"].transpose("session", "unit").sum("session").values
    assert set(kept) == set(np.argsort(-events, kind="stable")[:4])
    assert (np.diff(kept) > 0).all() and chosen_units(view, 99).tolist() == list(range(12))


@pytest.mark.parametrize("text", ["</script>", "<!--", "]]>", "&lt;", "\u2028", "'\""])
def test_script_json__cannot_end_its_element(text):
    written = str(script_json({text: [text]}))
    assert not set(written) & set("<>&\u2028")
    assert json.loads(written) == {text: [text]}


def test_script_json__refuses_nan():
    with pytest.raises(ValueError):
        script_json([float("nan")])
