from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import xarray as xr

from neurodrift import import_nwb
from neurodrift.convert.own.arrays import convert
from neurodrift.convert.own.inspection import guess, inspect_file, inspection_text, proposed_mapping
from neurodrift.convert.pipelines.minian import read_minian

FIXTURES = Path(__file__).parents[1] / "fixtures"
N = 1200
TIME = np.arange(N) / 20
RNG = np.random.default_rng(0)
FRAMES_FIRST = ["frames", "units"]
SPARSE = np.where(RNG.random((N, 9)) < 0.01, 0.25, 0.0)


@pytest.mark.parametrize(
    ("name", "values", "role", "says"),
    [
        ("time", TIME, "clock", {"time_unit": "s"}),
        ("t", np.arange(N) * 50.0, "clock", {"time_unit": "ms"}),
        ("frame", np.arange(N) + 1, "clock", {"time_unit": "frames", "rate": "?", "count_from": 1}),
        ("x", 48 * (1 + np.sin(TIME)), "x", {"unit": "cm"}),
        ("pos_x", 0.48 * (1 + np.sin(TIME)), "x", {"unit": "m"}),
        ("y_px", 480 * np.sin(TIME), "y", {"unit": "pixels", "cm_per_pixel": "?"}),
        ("cell_id", RNG.integers(1, 9, N), "unit", {"unit_count_from": 1}),
        ("iscell", np.array([0.0, 1, 1, 0]), "keep", {}),
        ("area", np.array(["CA1", "CA3"], dtype=object), "regions", {}),
        ("map", np.array([[1, 2], [2, 0], [3, 1], [0, 3]]), "registration", {"count_from": 1}),
        ("map", np.array([[0, 1], [1, -1], [2, 0], [-1, 2]]), "registration", {"count_from": 0}),
        ("pos", np.stack([TIME, 50 + TIME], 1), "xy", {"unit": "cm"}),
        ("C", RNG.random((20, N)), "samples", {"kind": "deconvolved", "axes": ["units", "frames"]}),
        (
            "e",
            RNG.integers(0, 2, (N, 20)),
            "samples",
            {"kind": "events", "axes": ["frames", "units"]},
        ),
        ("a", SPARSE, "samples", {"kind": "amplitudes", "axes": FRAMES_FIRST}),
        ("begFrame", np.array([1, 3615, 7229]), "start", {}),
        ("session", np.ones(7), "", {}),
        ("nothing", np.full(5, np.nan), "", {}),
        ("none", np.empty(0), "", {}),
        ("speed", RNG.random(N), "", {}),
    ],
)
def test_guess__roles(name, values, role, says):
    found = guess(name, values)
    assert (found.role, found.says) == (role, says)


def test_guess__vectors():
    found = guess("s", [np.array([0.5, 1.5]), np.array([])])
    assert found.role == "times" and found.says == {"time_unit": "s"}
    found = guess("s", [np.array([5.0, 9.0])])
    assert found.says["time_unit"] == "frames"
    assert guess("s", [np.array([9.0, 5.0])]).role == ""


def test_proposed_mapping__converts(tmp_path, monkeypatch):
    """What is proposed for files of two sessions is a mapping that works, once completed."""
    monkeypatch.chdir(tmp_path)
    made = np.empty((2, 1), dtype=object)
    for s in (1, 2):
        table = pd.DataFrame({"time": TIME, "x": 48 * (1 + np.sin(TIME / 3))})
        table.to_csv(f"pos_{s}.csv", index=False)
        for i in range(2):
            made[i, 0] = np.sort(RNG.random((60, 1)) * 60, axis=0)
        scipy.io.savemat(f"cells_{s}.mat", {"spike_times": made})
    scipy.io.savemat("reg.mat", {"cell_to_index_map": np.array([[1, 2], [2, 1]])})
    names = ["pos_1.csv", "pos_2.csv", "cells_1.mat", "cells_2.mat", "reg.mat"]
    found = [inspect_file(name) for name in names]
    assert "clock in s, 20 Hz" in inspection_text(found)
    text = proposed_mapping(found).replace("id: '?'", "id: m1").replace("'?'", "track")
    assert "?" not in text
    Path("map.yaml").write_text(text)
    recording = import_nwb(convert("map.yaml", "nwb"))
    assert recording["activity"].values.sum() == 240 and recording.sizes["session"] == 2
    assert recording["registered"].values.all() and recording.sizes["unit"] == 2


def test_inspect_file__pipelines(tmp_path):
    np.save(tmp_path / "iscell.npy", np.ones((2, 2)))
    assert inspect_file(tmp_path).pipeline == "suite2p"
    assert inspect_file(FIXTURES / "dlc_single.csv").pipeline == "deeplabcut"
    assert "reader: deeplabcut" in proposed_mapping([inspect_file(FIXTURES / "dlc_single.csv")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="none of the known pipelines"):
        inspect_file(tmp_path / "empty")
    with pytest.raises(FileNotFoundError):
        inspect_file(tmp_path / "nothing.npy")


def test_inspect_file__a_column_that_cannot_be_read(tmp_path):
    np.savez(tmp_path / "a.npz", good=TIME)
    assert inspect_file(tmp_path / "a.npz").guesses[0].name == "good"
    scipy.io.savemat(tmp_path / "a.mat", {"s": {"inner": TIME}})
    assert "s.inner" in inspection_text([inspect_file(tmp_path / "a.mat")])
    mixed = np.array([["text", np.arange(3.0)]], dtype=object)
    scipy.io.savemat(tmp_path / "a.mat", {"c": mixed})
    assert "cannot be read" in inspection_text([inspect_file(tmp_path / "a.mat")])


def test_inspect_file__texts_never_stop_it(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for i in range(3):
            file[f"names/{i}"] = ["a", "b"]
        file["one"], file["flag"], file["z"] = "text", True, np.array([1 + 2j])
        file["none"] = h5py.Empty("f8")
        file["inf"] = np.array([np.inf, 1.0, 2.0])
        file["unit"] = np.array([np.inf, -np.inf])
    assert "vectors of text" in inspection_text([inspect_file(tmp_path / "a.h5")])
    (tmp_path / "a.csv").write_text("t;unit;who\n-;1;Ann\n2;-;\n")
    (tmp_path / "b.txt").write_text("one line of prose\n")
    for name in ("a.csv", "b.txt"):
        try:
            assert inspection_text([inspect_file(tmp_path / name)])
        except ValueError as error:
            assert name in str(error)


def test_inspect_file__events_are_no_clock(tmp_path):
    rng = np.random.default_rng(0)
    licks = np.sort(rng.random(300) * 600)
    pd.DataFrame({"time": licks, "side": rng.integers(0, 2, 300)}).to_csv(tmp_path / "licks.csv")
    text = proposed_mapping([inspect_file(tmp_path / "licks.csv")])
    assert "time" not in text and "activity:" not in text.replace("# activity:", "")
    unit = rng.integers(1, 5, 300)
    pd.DataFrame({"time": licks, "unit": unit}).to_csv(tmp_path / "spikes.csv", index=False)
    text = proposed_mapping([inspect_file(tmp_path / "spikes.csv")])
    assert "times: time" in text and "unit: unit" in text
    trials = np.arange(1, 61)
    assert guess("trial", trials).role == "" and guess("n", trials).role == ""
    assert guess("t", np.cumsum(np.where(rng.random(200) < 0.3, 0.03, 0.044))).role == "clock"


def test_inspect_file__an_index_of_pandas_is_no_clock(tmp_path):
    table = pd.DataFrame({"time": TIME, "x": 48 * (1 + np.sin(TIME / 3))})
    table.to_csv(tmp_path / "a.csv")
    found = inspect_file(tmp_path / "a.csv")
    assert found.guesses[0].text == "numbers of the rows"
    text = proposed_mapping([found])
    assert "time: time" in text and "x: x" in text


def test_inspect_file__dates(tmp_path):
    stamps = pd.Timestamp("2024-05-03 10:00") + pd.to_timedelta(TIME, unit="s")
    pd.DataFrame({"when": stamps, "x": 48 * (1 + np.sin(TIME / 3))}).to_csv(tmp_path / "a.csv")
    text = proposed_mapping([inspect_file(tmp_path / "a.csv")])
    assert "time: when" in text and "time_unit: s" in text


def test_inspect_file__minian_with_one_signal(tmp_path):
    array = xr.DataArray(RNG.random((2, 30)), dims=("unit_id", "frame"), name="C")
    array.to_dataset().to_zarr(tmp_path / "C.zarr", zarr_format=2, consolidated=False)
    assert "options: {signal: C}" in proposed_mapping([inspect_file(tmp_path)])
    with pytest.raises(FileNotFoundError, match="holds no S, but C"):
        read_minian(tmp_path, rate=30.0)
