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
        ("t_ms", np.arange(N) * 1.0, "clock", {"time_unit": "ms"}),
        ("t_us", np.round(TIME * 1e6), "clock", {"time_unit": "us"}),
        ("time_ms", np.arange(N) * 0.5, "clock", {"time_unit": "ms"}),
        ("timestamp_ms", np.floor(np.arange(N) * 0.7), "clock", {"time_unit": "ms"}),
        ("time (s)", np.arange(N) * 5.0, "clock", {"time_unit": "s"}),
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


def test_proposed_mapping__dates_are_the_sessions(tmp_path):
    for day in ("2024-03-05", "2024-03-07", "2024-03-10"):
        table = pd.DataFrame({"t_ms": np.arange(N) * 50.0, "x": 48 * (1 + np.sin(TIME))})
        table.to_csv(tmp_path / f"m1_{day}_position.csv", index=False)
        np.save(tmp_path / f"m1_{day}_traces.npy", RNG.random((N, 6)))
    found = [inspect_file(path) for path in sorted(tmp_path.iterdir())]
    text = proposed_mapping(found, tmp_path)
    listed = [line for line in text.splitlines() if "session: " in line]
    assert listed == [
        "  - session: 2024-03-05",
        "  - session: 2024-03-07",
        "  - session: 2024-03-10",
    ]
    assert [line for line in text.splitlines() if "day: " in line] == [
        "    day: 0",
        "    day: 2",
        "    day: 5",
    ]
    assert "m1_{session}_position.csv" in text and "m1_{session}_traces.npy" in text
    assert "time: t_ms" in text and "time_unit: ms" in text
    for one in ("20240305", "20240307"):
        np.save(tmp_path / f"run{one}.npy", RNG.random((N, 6)))
    plain = [inspect_file(path) for path in sorted(tmp_path.glob("run*.npy"))]
    assert "session: 20240305" in proposed_mapping(plain, tmp_path)
    for number in ("1", "2"):  # one day, two sessions
        np.save(tmp_path / f"2024-03-05_part{number}.npy", RNG.random((N, 6)))
    parts = [inspect_file(path) for path in sorted(tmp_path.glob("*part*.npy"))]
    assert "2024-03-05_part{session}.npy" in proposed_mapping(parts, tmp_path)


def test_proposed_mapping__says_what_kinds_there_are(tmp_path):
    columns = {f"cell{i}": RNG.random(N) for i in range(5)}
    pd.DataFrame({"time": TIME, **columns}).to_csv(tmp_path / "a.csv", index=False)
    text = proposed_mapping([inspect_file(tmp_path / "a.csv")], tmp_path)
    (line,) = [line for line in text.splitlines() if "kind:" in line]
    assert line.startswith("  kind: '?'  # spikes, events (counts), amplitudes, deconvolved")


@pytest.mark.parametrize(("across", "taken"), [(4.0, True), (60.0, False)])
def test_proposed_mapping__narrow_y_is_a_track(tmp_path, across, taken):
    x, y = 60 * (1 + np.sin(TIME)), across * RNG.random(N)
    pd.DataFrame({"time": TIME, "x": x, "y": y}).to_csv(tmp_path / "p.csv", index=False)
    np.save(tmp_path / "pos.npy", np.stack([x, y], 1))
    text = proposed_mapping([inspect_file(tmp_path / "p.csv")], tmp_path)
    assert ("\n  y: y" not in text) == taken
    assert ("taken for a track along one axis; of a field add y: y" in text) == taken
    said = inspection_text([inspect_file(tmp_path / "pos.npy")])
    assert ("y spans 4 cm only" in said or "y spans 3.9" in said) == taken
    assert ("x alone is to be given: linear?" in said) == taken


def test_inspect_file__one_row_a_cell_and_one_column_a_frame(tmp_path):
    counts = RNG.poisson(0.05, (7, 900))
    np.savetxt(tmp_path / "events_1.csv", counts, fmt="%d", delimiter=",")
    np.savetxt(tmp_path / "events_2.csv", counts[:5], fmt="%d", delimiter=",")
    pd.DataFrame(counts).to_csv(tmp_path / "indexed_1.csv", index_label="cell")
    position = pd.DataFrame({"time_s": np.arange(1800) / 20, "x_cm": 50 + 40 * np.sin(TIME[0])})
    position["x_cm"] += 40 * np.sin(np.arange(1800) / 60)
    for i in (1, 2):
        position.to_csv(tmp_path / f"position_{i}.csv", index=False)
    paths = [tmp_path / f"{name}_{i}.csv" for name in ("events", "position") for i in (1, 2)]
    found = [inspect_file(path) for path in paths]
    text = inspection_text(found)
    assert len(text.splitlines()) < 20 and "(7, 900)" in text and "(5, 900)" in text
    assert "events of 7 units in 900 frames? One row a unit and one column a frame" in text
    proposed = proposed_mapping(found, tmp_path)
    assert "kind: events" in proposed and "axes: [units, frames]" in proposed
    assert "samples" not in proposed and "nothing like it" not in proposed
    (indexed,) = inspect_file(tmp_path / "indexed_1.csv").guesses
    assert indexed.shape == (7, 900) and "samples: '[0-9]*'" in indexed.text

    def converted(activity):
        mapping = (
            "subject: {id: m1}\nenvironment: track\n"
            f"activity: {{kind: events, {activity}, axes: [units, frames], rate: 10}}\n"
            "position: {file: position_1.csv, x: x_cm, unit: cm, time: time_s, time_unit: s}\n"
            "sessions: [{session: 1, day: 0}]\n"
        )
        (tmp_path / "m.yaml").write_text(mapping)
        (path,) = convert(tmp_path / "m.yaml", tmp_path / "nwb", overwrite=True)
        return import_nwb(path, accept=["*"])["activity"].sum("time").values.tolist()

    each = counts.sum(axis=1).tolist()
    assert converted("file: events_1.csv") == each
    assert converted("file: events_1.csv, samples: '*'") == each
    assert converted("file: indexed_1.csv, samples: '[0-9]*'") == each
    with pytest.raises(ValueError, match="leave samples out, so that the whole table is read"):
        converted("file: indexed_1.csv, samples: '*'")


def test_inspection_text__long_runs_of_columns_are_shortened(tmp_path):
    cells = pd.DataFrame(SPARSE).rename(columns=lambda i: f"c{i}")
    many = pd.concat([cells.add_suffix(f"_{k}") for k in range(8)], axis=1)
    many.to_csv(tmp_path / "cells.csv", index=False)
    text = inspection_text([inspect_file(tmp_path / "cells.csv")])
    assert "58 more like these" in text and "and 12 more, which were not looked at" in text
    assert len(text.splitlines()) < 8
