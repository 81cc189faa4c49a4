from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pynapple
import pynwb
import pytest
import xarray as xr

import neurodrift
from neurodrift import testing
from neurodrift.cli import main
from neurodrift.io.nwb.read import read_session
from neurodrift.io.nwb.results import export_results, result_tables
from neurodrift.io.nwb.session import session_from_recording
from neurodrift.io.nwb.write import write_session


@pytest.fixture(scope="module")
def recording() -> xr.Dataset:
    return testing.linear_track(n_units=6, n_sessions=3, minutes=2, detection=0.7)


@pytest.fixture(scope="module")
def results(recording: xr.Dataset) -> xr.DataTree:
    """The nodes of `analyze` that are exported, without the slow ones."""
    maps = neurodrift.compute_rate_maps(recording)
    sessions = neurodrift.tabulate_sessions(recording).drop(columns=["subject", "environment"])
    nodes = {
        "maps": maps,
        "place_cells": neurodrift.detect_place_cells(recording),
        "drift": neurodrift.compute_drift(maps),
        "sessions": sessions.set_index("session").to_xarray(),
    }
    return xr.DataTree.from_dict(nodes)


def tables(path: Path) -> dict[str, Any]:
    with pynwb.NWBHDF5IO(path, "r") as io:
        module = io.read().processing["neurodrift"]
        return {name: table.to_dataframe() for name, table in module.data_interfaces.items()}


def session_file(recording: xr.Dataset, folder: Path) -> Path:
    return write_session(session_from_recording(recording, "2"), folder / "2.nwb")


def test_export_results__every_number(results: xr.DataTree, tmp_path: Path) -> None:
    found = tables(export_results(results, tmp_path / "new.nwb"))
    names = {"place_cells", "rate_maps", "bins", "occupancy", "sessions", "drift"}
    assert set(found) == names
    maps = results["maps"].to_dataset()
    cells = results["place_cells"].to_dataset()
    np.testing.assert_array_equal(found["bins"]["x_bin"], maps["x_bin"])
    n_rows = int(maps["detected"].sum()) * maps.sizes["direction"]
    assert len(found["rate_maps"]) == len(found["place_cells"]) == n_rows
    for table, dataset, columns in (
        (found["rate_maps"], maps, ("rate", "events")),
        (found["place_cells"], cells, ("information", "p", "q", "significant", "n_events")),
    ):
        for _, row in table.iterrows():
            units = dataset["unit"].values.astype(str)
            at = {
                "session": row["session"],
                "unit": dataset["unit"].values[units == row["unit"]][0],
                "direction": row["direction"],
            }
            for column in columns:
                np.testing.assert_array_equal(row[column], dataset[column].sel(at).values)
    row = found["place_cells"].iloc[0]
    where = {"session": row["session"], "unit": int(row["unit"])}
    assert row["is_place_cell"] == bool(cells["is_place_cell"].sel(where))
    occupancy = np.stack(found["occupancy"]["occupancy"].tolist())
    np.testing.assert_array_equal(
        occupancy,
        maps["occupancy"].transpose("session", "direction", ...).values.reshape(occupancy.shape),
    )
    assert found["sessions"]["session"].tolist() == ["1", "2", "3"]
    pairs = found["drift"].set_index(["session_a", "session_b"])
    drift = results["drift"].to_dataset()
    value = drift["rate_map_correlation"].sel(session_a="1", session_b="3").item()
    np.testing.assert_array_equal(pairs.loc[("1", "3"), "rate_map_correlation"], value)
    assert len(pairs) == 6


def test_export_results__clean_and_readable(results: xr.DataTree, tmp_path: Path) -> None:
    from nwbinspector import Importance, inspect_nwbfile

    path = export_results(results, tmp_path / "new.nwb")
    assert pynwb.validate(path=str(path)) == []
    findings = inspect_nwbfile(nwbfile_path=str(path))
    assert [f for f in findings if f.importance != Importance.BEST_PRACTICE_SUGGESTION] == []
    loaded = pynapple.load_file(str(path))
    table = loaded.nwb.processing["neurodrift"]["rate_maps"].to_dataframe()
    assert table["rate"].iloc[0].shape == (results["maps"].sizes["position"],)
    loaded.close()


def test_export_results__into_the_file_of_a_session(
    recording: xr.Dataset, results: xr.DataTree, tmp_path: Path
) -> None:
    path = session_file(recording, tmp_path)
    before = read_session(path)
    export_results(results, path, session="2")
    xr.testing.assert_identical(read_session(path), before)
    found = tables(path)
    assert set(found["place_cells"]["session"]) == {"2"} and "drift" not in found
    assert len(found["sessions"]) == 1
    loaded = pynapple.load_file(str(path))
    assert "position" in loaded.keys() and "trials" in loaded.keys()  # noqa: SIM118
    loaded.close()
    assert pynwb.validate(path=str(path)) == []
    with pytest.raises(FileExistsError, match="holds results of neurodrift already"):
        export_results(results, path, session="1")
    assert set(tables(path)["place_cells"]["session"]) == {"2"}
    export_results(results, path, session="1", overwrite=True)
    assert set(tables(path)["place_cells"]["session"]) == {"1"}
    assert [p.name for p in tmp_path.iterdir()] == ["2.nwb"]


def test_export_results__a_failure_leaves_the_file_as_it_was(
    recording: xr.Dataset,
    results: xr.DataTree,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = session_file(recording, tmp_path)
    before = hashlib.sha256(path.read_bytes()).hexdigest()

    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("neurodrift.io.nwb.results._verify", full)
    for file in (path, tmp_path / "new.nwb"):
        with pytest.raises(OSError, match="no space left"):
            export_results(results, file)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert [p.name for p in tmp_path.iterdir()] == ["2.nwb"]


def test_export_results__what_is_no_nwb_file(results: xr.DataTree, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not end in .nwb"):
        export_results(results, tmp_path / "a.h5")
    path = tmp_path / "a.nwb"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(ValueError, match="a.nwb is no readable NWB"):
        export_results(results, path)
    with h5py.File(path, "w") as file:
        file["x"] = 1
    before = path.read_bytes()
    with pytest.raises(ValueError, match="is HDF5, but no NWB file"):
        export_results(results, path)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["a.nwb"]


def test_result_tables__what_lacks(results: xr.DataTree) -> None:
    with pytest.raises(ValueError, match="no session '9'; they have 1, 2, 3"):
        result_tables(results, session="9")
    with pytest.raises(ValueError, match="neither maps nor place cells, only sessions"):
        result_tables(xr.DataTree.from_dict({"sessions": results["sessions"].to_dataset()}))
    only = xr.DataTree.from_dict({"maps": results["maps"].to_dataset()})
    assert set(result_tables(only)) == {"rate_maps", "bins", "occupancy"}


def test_export_command(
    results: xr.DataTree, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = xr.DataTree.from_dict({"maps": results["maps"].to_dataset()})
    store = neurodrift.save_results(small, tmp_path / "results.zarr")
    file = tmp_path / "results.nwb"
    assert main(["export", str(store), "-o", str(file)]) == 0
    assert "tables in processing/neurodrift" in capsys.readouterr().out
    assert main(["export", str(store), "-o", str(file)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main(["export", str(store), "-o", str(file), "--overwrite", "--session", "3"]) == 0
    assert set(tables(file)["rate_maps"]["session"]) == {"3"}
