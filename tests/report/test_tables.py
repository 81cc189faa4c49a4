from __future__ import annotations

import base64
import gzip
import io
import re

import numpy as np
import pandas as pd
import pytest

import neurodrift.report.tables as tables_module
from neurodrift.report.tables import Table, file_name, tables
from neurodrift.report.view import views


@pytest.fixture
def read(view):
    """Tables as a reader of the CSV has them."""
    text = {"session": str, "session_a": str, "session_b": str}
    return {
        table.name: pd.read_csv(io.StringIO(table.csv()), dtype=text)
        for table in tables(view, 10_000)
    }


def test_sessions__equal_results(results, read):
    node = results["sessions"].to_dataset()
    table = read["sessions"].set_index("session")
    assert table["subject"].unique().tolist() == ["synthetic"]
    for name, array in node.data_vars.items():
        np.testing.assert_allclose(table[name], array.values, rtol=1e-9)


def test_pairs__equal_results(results, read):
    table = read["pairs"]
    whole, halves = results["drift"].to_dataset(), results["session_drift"].to_dataset()
    n = whole.sizes["session_a"]
    assert len(table) == n * (n + 1) // 2
    for _, row in table.iterrows():
        at = {"session_a": row["session_a"], "session_b": row["session_b"]}
        assert row["lag_day"] == float(whole["lag_day"].sel(at))
        for name in ("rate_map_correlation", "ensemble_rate_correlation_n", "cell_overlap"):
            expected = float(halves[name].sel(at))
            np.testing.assert_allclose(row[f"halves_{name}"], expected, rtol=1e-9)
            if row["session_a"] != row["session_b"]:
                np.testing.assert_allclose(row[name], float(whole[name].sel(at)), rtol=1e-9)


def test_units__equal_results(results, read):
    table = read["units"]
    cells, info = results["place_cells"].to_dataset(), results["information"].to_dataset()
    detected = results["sparsity"]["detected"].values
    assert 0 < detected.sum() < detected.size
    assert len(table) == 2 * detected.sum()
    maps = results["smoothed_maps"].to_dataset()
    for _, row in table.iterrows():
        at = {name: row[name] for name in ("session", "unit", "direction")}
        for column, expected in (
            ("p", cells["p"]),
            ("information", cells["information"]),
            ("information_bae", info["bae"]),
            ("n_events", cells["n_events"]),
            ("stability", results["stability"]["stability"]),
        ):
            np.testing.assert_allclose(row[column], float(expected.sel(at)), rtol=1e-9)
        assert row["significant"] == bool(cells["significant"].sel(at))
        unit = {"session": at["session"], "unit": at["unit"]}
        assert row["is_place_cell"] == bool(cells["is_place_cell"].sel(unit))
        rate = maps["rate"].sel(at).values
        np.testing.assert_allclose(row["peak_rate"], np.nanmax(rate), rtol=1e-9)
        assert row["peak_x"] == maps["x_bin"].values[np.nanargmax(rate)]


def test_regression__equals_results(results, read):
    node, table = results["regression"].to_dataset(), read["regression"]
    assert len(table) == node.sizes["measure"] * node.sizes["predictor"]
    for _, row in table.iterrows():
        one = node.sel(measure=row["measure"], predictor=row["predictor"])
        for name in ("slope", "ci_low", "ci_high", "p", "p_given_speed"):
            np.testing.assert_allclose(row[name], float(one[name]), rtol=1e-9)


def test_units__limited_with_a_statement(view):
    whole = {table.name: table for table in tables(view, 10_000)}["units"]
    few = {table.name: table for table in tables(view, 3 * 2 * 4)}["units"]
    assert few.frame["unit"].nunique() == 3
    assert "3 of 10 units" in few.note and "of 10 units" not in whole.note
    pd.testing.assert_frame_equal(
        few.frame, whole.frame[whole.frame["unit"].isin(few.frame["unit"])].reset_index(drop=True)
    )


def test_pairs__limited_with_a_statement(view, monkeypatch):
    monkeypatch.setattr(tables_module, "MAX_PAIRS", 3)
    few = {table.name: table for table in tables(view, 10_000)}["pairs"]
    assert set(few.frame["session_a"]) == {"1", "3"} and "every 2th session" in few.note


def test_tables__without_position(still):
    found = {table.name: table.frame for table in tables(views(still)[0], 10_000)}
    assert "direction" not in found["units"] and len(found["units"]) == 12 * 3
    assert "rate_map_correlation" not in found["pairs"]


def test_compressed__is_the_csv():
    frame = pd.DataFrame({"a": ['x,"y"', "<b>"], "b": [np.nan, 1 / 3]})
    table = Table("t", "T", frame)
    text = gzip.decompress(base64.b64decode(table.compressed())).decode()
    assert text == table.csv() == 'a,b\n"x,""y""",\n<b>,0.3333333333\n'
    assert table.compressed() == table.compressed()


@pytest.mark.parametrize("name", ["C6_M4 · A", "../../etc", "<script>", "日本", "a/b\\c:d", ""])
def test_file_name__is_harmless(name):
    assert re.fullmatch(r"[A-Za-z0-9_-][\w.-]*\.csv", file_name(name, "units"), re.ASCII)
