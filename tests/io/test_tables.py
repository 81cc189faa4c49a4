from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.io import loadmat

from neurodrift.io.tables import MOST, tidy, write_table

TABLE = pd.DataFrame(
    {
        "session": ["=1+1", "@day", "2"],
        "unit": [1, 2, 3],
        "detected": [True, False, True],
        "is_active": pd.array([True, None, False], dtype="boolean"),
        "n_events": pd.array([5, None, 0], dtype="Int64"),
        "p": [0.1 + 0.2, np.nan, 1e-300],
        "population_vector_correlation_relative_se": [1.0, 2.0, 3.0],
        "population_vector_correlation_relative": [4.0, 5.0, 6.0],
        "-odd name": [1.5, 2.5, 3.5],
    }
)


def test_write_table__csv_comes_back_and_runs_nothing(tmp_path):
    path = write_table(TABLE, tmp_path / "t.csv")
    back = pd.read_csv(path)
    assert back.columns.tolist() == [*TABLE.columns[:-1], "'-odd name"]
    assert back["session"].tolist() == ["'=1+1", "'@day", "2"]
    np.testing.assert_array_equal(back["p"], TABLE["p"])  # every bit
    assert back["is_active"].tolist()[::2] == [True, False] and back["is_active"].isna()[1]
    assert back["n_events"].isna().tolist() == [False, True, False]


def test_write_table__parquet_comes_back(tmp_path):
    pytest.importorskip("pyarrow")
    back = pd.read_parquet(write_table(TABLE, tmp_path / "t.parquet"))
    pd.testing.assert_frame_equal(back, TABLE, check_dtype=False)
    assert back["is_active"].dtype == "boolean" and back["n_events"].dtype == "Int64"


def test_write_table__parquet_names_its_extra(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r'pip install "neurodrift\[parquet\]"'):
        write_table(TABLE, tmp_path / "t.parquet")
    assert list(tmp_path.iterdir()) == []


def test_write_table__matlab_gets_columns_with_short_names(tmp_path):
    found = loadmat(write_table(TABLE, tmp_path / "t.mat"))
    data = found["data"][0, 0]
    names = data.dtype.names
    assert len(set(names)) == len(TABLE.columns)
    assert all(len(name) <= MOST and name.isidentifier() and name[0] != "_" for name in names)
    assert [cell[0] for cell in found["names"][:, 0]] == TABLE.columns.tolist()
    for name, column in zip(names, TABLE.columns, strict=True):
        values = data[name]
        assert values.shape == (3, 1)
        if column == "session":
            assert [cell[0] for cell in values[:, 0]] == TABLE[column].tolist()
        else:
            expected = TABLE[column].to_numpy(dtype=float, na_value=np.nan)
            np.testing.assert_array_equal(values[:, 0].astype(float), expected)
    assert names[:3] == ("session", "unit", "detected")
    assert "pv_correlation_relative_se" in names and "pv_correlation_relative" in names


def test_write_table__names_that_shorten_alike_stay_apart(tmp_path):
    long = pd.DataFrame({f"{'a' * 40}{i}": [i] for i in range(12)})
    data = loadmat(write_table(long, tmp_path / "t.mat"))["data"][0, 0]
    assert len(data.dtype.names) == 12 and max(map(len, data.dtype.names)) <= MOST
    assert [int(data[name].item()) for name in data.dtype.names] == list(range(12))


def test_write_table__refuses(tmp_path):
    with pytest.raises(ValueError, match=r"ends in '.xlsx', expected .csv, .parquet, .mat"):
        write_table(TABLE, tmp_path / "t.xlsx")
    (tmp_path / "t.csv").write_text("mine")
    with pytest.raises(FileExistsError):
        write_table(TABLE, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == "mine"
    twice = pd.concat([TABLE[["p"]], TABLE[["p"]]], axis=1)
    with pytest.raises(ValueError, match="two columns 'p'"):
        write_table(twice, tmp_path / "u.csv")


def test_tidy__columns_do_not_depend_on_the_order_of_coordinates():
    pairs = xr.Dataset(
        {"b": (("y", "x"), [[1, 2], [3, 4]]), "a": ("x", [5, 6])},
        coords={"x": [10, 20], "z": ("y", ["u", "v"]), "lag": ("x", [0, 1])},
    )
    other = pairs.drop_vars(["x", "lag"]).assign_coords(lag=("x", [0, 1]), x=[10, 20])
    table = tidy(pairs)
    assert list(table) == ["y", "x", "lag", "z", "b", "a"]
    pd.testing.assert_frame_equal(tidy(other), table)
    assert tidy(pairs, ["x", "y"])["b"].tolist() == [1, 3, 2, 4]
