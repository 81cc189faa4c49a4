"""Sheintuch et al. 2023 and Geva et al. 2023, of which only summaries were published."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.io import loadmat, savemat

from neurodrift.convert import WITHOUT_CONVERTER, converter
from neurodrift.convert.published import geva2023, sheintuch2023


def mouse(folder: Path, name: str = "C6M4", **changes: Any) -> Path:
    """A mouse's file with the fields that matter, and one that does not."""
    rng = np.random.default_rng(0)
    index = np.zeros((60, 16))
    for s in range(16):
        n = 20 + s
        index[rng.permutation(60)[:n], s] = np.arange(n) + 1
    fields = {
        "cell_to_index_map": index,
        "number_of_neurons_sessions": (index > 0).sum(axis=0, keepdims=True) - 2.0,
        "average_SI_SSR_bit_spike_sessions": rng.random((1, 16)),
        "average_firing_rates_sessions": rng.random((1, 16)),
        "number_of_track_traversals_sessions": np.arange(16.0)[None],
        "within_day_PV_correlations": np.where(np.arange(16) == 4, np.nan, 0.5)[None],
        "PV_correlations": np.eye(32),
    }
    fields |= changes
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.mat"
    savemat(
        path,
        {"this_mouse_data": {k: v for k, v in fields.items() if v is not None}},
        long_field_names=True,
    )
    return path


def test_sheintuch2023__table_equals_the_source(tmp_path: Path) -> None:
    paths = [mouse(tmp_path / "Data"), mouse(tmp_path / "Data", "C23M4")]
    files = sheintuch2023.convert(tmp_path / "Data", tmp_path / "out")
    assert [path.name for path in files] == ["sessions.csv", "about.json"]
    assert converter("sheintuch2023") is sheintuch2023.convert
    table = pd.read_csv(files[0], dtype={"session": str})
    assert table["subject"].tolist() == ["C23M4"] * 16 + ["C6M4"] * 16
    assert table["region"].unique().tolist() == ["CA3", "CA1"]
    part = table[table["subject"] == "C6M4"].reset_index()
    source = loadmat(paths[0])["this_mouse_data"][0, 0]
    active = source["number_of_neurons_sessions"].ravel()
    np.testing.assert_array_equal(part["n_active"], active)
    np.testing.assert_array_equal(part["fraction_active_of_union"], active / 60)
    np.testing.assert_array_equal(part["n_detected"], 20 + np.arange(16))
    wanted = source["average_SI_SSR_bit_spike_sessions"].ravel()
    np.testing.assert_array_equal(part["information_ssr"], wanted)
    assert part["day"].tolist() == [*range(0, 15, 2), *range(18, 33, 2)]
    assert part["session_number"].tolist() == [*range(8)] * 2
    assert (
        part["is_novel"].sum() == 6 and part["environment"].tolist() == ["straight"] * 8 + ["L"] * 8
    )
    assert np.flatnonzero(part["population_vector_correlation"].isna()).tolist() == [4]
    about = json.loads(files[1].read_text())
    assert set(about["source_files"]) == {"C6M4.mat", "C23M4.mat"}
    assert set(about["tables"]["sessions.csv"]) == set(table.columns)


def test_sheintuch2023__optional_fields_may_lack(tmp_path: Path) -> None:
    path = mouse(tmp_path, within_day_PV_correlations=None)
    table = sheintuch2023.sessions(path)
    assert "population_vector_correlation" not in table and "mean_rate" in table


BAD_2023: dict[str, tuple[dict[str, Any], str]] = {
    "no count": ({"number_of_neurons_sessions": None}, "no numbers in number_of_neurons_sessions"),
    "15 sessions": (
        {"average_SI_SSR_bit_spike_sessions": np.ones((1, 15))},
        "has 15 values, expected one for each of the 16",
    ),
    "map of 8 sessions": ({"cell_to_index_map": np.ones((60, 8))}, r"shape \(60, 8\), expected"),
    "negative indices": ({"cell_to_index_map": -np.ones((60, 16))}, "0 = not found"),
    "more cells than the map": (
        {"number_of_neurons_sessions": np.full((1, 16), 61)},
        "counts up to 61 cells, but cell_to_index_map has 60",
    ),
    "text": ({"average_SI_SSR_bit_spike_sessions": "many"}, "no numbers in average_SI"),
}


@pytest.mark.parametrize("fault", BAD_2023)
def test_sheintuch2023__bad_source_writes_nothing(fault: str, tmp_path: Path) -> None:
    changes, message = BAD_2023[fault]
    mouse(tmp_path / "Data", **changes)
    with pytest.raises(ValueError, match=f"C6M4.mat.*{message}|{message}.*C6M4.mat|{message}"):
        sheintuch2023.convert(tmp_path / "Data", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_sheintuch2023__not_its_files(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no file like C6M4.mat"):
        sheintuch2023.convert(tmp_path, tmp_path / "out")
    with pytest.raises(ValueError, match="named after no mouse"):
        sheintuch2023.sessions(mouse(tmp_path, "C1M1"))
    savemat(tmp_path / "C6M4.mat", {"this_mouse_data": np.ones((2, 2))})
    with pytest.raises(ValueError, match="is no struct"):
        sheintuch2023.sessions(tmp_path / "C6M4.mat")
    savemat(tmp_path / "C6M4.mat", {"x": 1})
    with pytest.raises(ValueError, match="no variable this_mouse_data; it holds x"):
        sheintuch2023.sessions(tmp_path / "C6M4.mat")


# ---- Geva et al. 2023


def processed(folder: Path, change: Callable[[dict[str, Any]], None] = lambda c: None) -> Path:
    content: dict[str, Any] = {"magma": np.ones((256, 3))}
    rng = np.random.default_rng(1)
    for shorter, names in ((0, geva2023.SESSIONS), (1, geva2023.LAGS)):
        for name in names.values():
            cells = np.empty((8, 2), dtype=object)
            for i, j in np.ndindex(8, 2):
                cells[i, j] = rng.random((1, (10, 6)[j] - shorter))
            content[name] = cells
    content["fraction_pc_each_sess_all_mice"][3, 0][0, 2] = np.nan
    change(content)
    folder.mkdir(exist_ok=True)
    savemat(folder / "processed_data.mat", content)
    return folder


def test_geva2023__tables_equal_the_source(tmp_path: Path) -> None:
    folder = processed(tmp_path / "data")
    files = geva2023.convert(folder, tmp_path / "out")
    assert [path.name for path in files] == ["sessions.csv", "lags.csv", "about.json"]
    assert converter("geva2023") is geva2023.convert
    source = loadmat(folder / "processed_data.mat")
    sessions, lags = pd.read_csv(files[0]), pd.read_csv(files[1])
    assert len(sessions) == 8 * 16 and len(lags) == 8 * 14
    for i, name in enumerate(geva2023.MICE):
        for j, environment in enumerate("AB"):
            for table, measures in ((sessions, geva2023.SESSIONS), (lags, geva2023.LAGS)):
                part = table[(table["subject"] == name) & (table["environment"] == environment)]
                for column, variable in measures.items():
                    np.testing.assert_array_equal(part[column], source[variable][i, j][0])
    first = sessions[sessions["subject"] == "C82M3"]
    assert first["day"].tolist() == [*range(1, 20, 2), *range(0, 21, 4)]
    assert first["track"].tolist() == ["L"] * 10 + ["straight"] * 6
    assert lags[lags["environment"] == "B"]["lag_day"].unique().tolist() == [4, 8, 12, 16, 20]


def test_geva2023__v73_and_missing_measures(tmp_path: Path) -> None:
    def without(content: dict[str, Any]) -> None:
        for name in (*geva2023.LAGS.values(), geva2023.SESSIONS["n_fields"]):
            del content[name]

    folder = processed(tmp_path / "data", without)
    files = geva2023.convert(folder / "processed_data.mat", tmp_path / "out")
    assert [path.name for path in files] == ["sessions.csv", "about.json"]
    assert "n_fields" not in pd.read_csv(files[0])


def _replace(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content.__setitem__(name, value)


def _one(content: dict[str, Any]) -> None:
    content["mean_info_each_sess_all_mice"][2, 1] = np.ones((1, 7))


def _none(content: dict[str, Any]) -> None:
    del content["mean_info_each_sess_all_mice"]


BAD_GEVA = {
    "missing": (_none, "has no mean_info_each_sess_all_mice; it has "),
    "a matrix": (_replace("fraction_pc_each_sess_all_mice", np.ones((8, 10))), "expected a cell"),
    "seven sessions": (_one, r"mean_info_each_sess_all_mice\{3,2\} .*\(1, 7\), expected 6 numbers"),
}


@pytest.mark.parametrize("fault", BAD_GEVA)
def test_geva2023__bad_source_writes_nothing(fault: str, tmp_path: Path) -> None:
    change, message = BAD_GEVA[fault]
    folder = processed(tmp_path / "data", change)
    with pytest.raises(ValueError, match=message):
        geva2023.convert(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(ValueError, match=r"no processed_data.mat"):
        geva2023.convert(tmp_path, tmp_path / "out")


@pytest.mark.parametrize("name", WITHOUT_CONVERTER)
def test_converter__says_why_there_is_none(name: str) -> None:
    instead = "simulate jensen2021" if name == "smnist" else "convert arrays MAPPING.yaml"
    with pytest.raises(ValueError, match=f"no converter for {name}.*{instead}"):
        converter(name)
