"""Real files of other labs, as their owners left them; see shared/data/wild/README.md."""

from __future__ import annotations

import csv

import numpy as np
import openpyxl
import pandas as pd
import pytest
import scipy.io

import neurodrift as nd
from neurodrift.convert.own.inspection import inspect_file, inspection_text, proposed_mapping
from neurodrift.convert.pipelines.ethovision import read_ethovision

HEAD = "subject: {id: m1}\nenvironment: track\nsessions: [{session: 1}]\n"


@pytest.fixture
def wild(shared_data):
    if not (shared_data / "wild").is_dir():
        pytest.skip("no folder wild")
    return shared_data / "wild"


@pytest.mark.filterwarnings("ignore::neurodrift.gate.findings.GateWarning")
def test_table_of_rates(wild, tmp_path):
    path = wild / "tables" / "data_4_T1.csv"
    truth = pd.read_csv(path)
    text = (
        f"{HEAD}activity: {{file: '{path}', kind: deconvolved, axes: [frames, units], "
        f"samples: 'c*'}}\nposition: {{file: '{path}', x: x, unit: cm, rate: 10}}\n"
        "accept: [speed]\n"
    )
    (tmp_path / "map.yaml").write_text(text)
    found = nd.recording_from_sessions(tmp_path / "map.yaml")
    units = [name for name in truth.columns if name not in ("x", "lap")]
    np.testing.assert_array_equal(found["activity"], truth[units])
    np.testing.assert_array_equal(found["x"], truth["x"])
    said = proposed_mapping([inspect_file(path)])
    assert "samples: 'c*'" in said and "kind: '?'" in said and "x: x" in said
    (tmp_path / "map.yaml").write_text(text.replace(", samples: 'c*'", ""))
    with pytest.raises(ValueError, match="column x, lap, which is no unit"):
        nd.recording_from_sessions(tmp_path / "map.yaml")


def test_cells_of_tetrodes(wild):
    from neurodrift.io.arrays.files import read_array

    path = wild / "nelpy" / "spikes.mat"
    found = read_array(path, "spikes{1}{1}{:}{:}.time")
    tetrodes = scipy.io.loadmat(path)["spikes"][0, 0][0, 0]
    truth = [u["time"][0, 0] for t in tetrodes.ravel() if t.size for u in t.ravel() if u.size]
    assert [item.tolist() for item in found] == [item.ravel().tolist() for item in truth]
    assert sum(map(len, found)) == 28_829 and sum(len(item) > 0 for item in found) == 31
    said = inspection_text([inspect_file(path)])
    assert "spikes{1}{1}{:}{:}.time" in said and "is a {:} over sessions?" in said
    with pytest.raises(ValueError, match="SpikeGadgets"):
        inspect_file(wild / "nelpy" / "trajectory.videoPositionTracking")


@pytest.mark.filterwarnings("ignore::neurodrift.gate.findings.GateWarning")
@pytest.mark.parametrize(("name", "n_axes"), [("linear", 1), ("open", 2)])
def test_one_trace_and_two_clocks(wild, tmp_path, name, n_axes):
    folder = wild / "caimdecoding" / name
    text = (
        f"{HEAD}activity: {{file: '{folder}/ca_trace.mat', kind: activation, samples: ca_trace, "
        f"axes: [frames, units], time_unit: s, "
        f"time: {{file: '{folder}/ca_time.mat', variable: ca_time}}}}\n"
        f"position: {{file: '{folder}/behav_vec.mat', xy: behav_vec, unit: cm, "
        f"time: {{file: '{folder}/behav_time.mat', variable: behav_time}}, time_unit: s}}\n"
    )
    (tmp_path / "map.yaml").write_text(text)
    from neurodrift.convert.own.arrays import mapped_sessions

    (found,) = mapped_sessions(tmp_path / "map.yaml")
    trace = scipy.io.loadmat(folder / "ca_trace.mat")["ca_trace"]
    place = scipy.io.loadmat(folder / "behav_vec.mat")["behav_vec"]
    np.testing.assert_array_equal(found.responses.data, trace.reshape(-1, 1))
    np.testing.assert_array_equal(found.position.reshape(place.shape), place)
    assert found.position.ndim == n_axes


def test_ethovision(wild, tmp_path):
    path = wild / "ethovision" / "trial.xlsx"
    found = read_ethovision(path)
    book = openpyxl.load_workbook(path, read_only=True)
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    book.close()
    body = [row for row in rows[39:] if row[0] is not None]
    truth = np.array([[np.nan if c == "-" else float(c) for c in row[1:8]] for row in body])
    np.testing.assert_array_equal(found.time, truth[:, 0])
    np.testing.assert_array_equal(found.xy, truth[:, 1:3])
    np.testing.assert_array_equal(read_ethovision(path, point="nose").xy, truth[:, 3:5])
    trial = read_ethovision(path, clock_column="trial time")
    assert trial.time[0] == 8.566 and np.isnan(found.xy).any()
    assert "reader: ethovision" in proposed_mapping([inspect_file(path)])
    with pytest.raises(ValueError, match="0 columns 'X ear'"):
        read_ethovision(path, point="ear")
    with pytest.raises(ValueError, match="leave cm_per_pixel out"):
        read_ethovision(path, cm_per_pixel=0.1)
    as_text = tmp_path / "raw.txt"  # as EthoVision exports text: UTF-16, semicolons
    with as_text.open("w", newline="", encoding="utf-16") as file:
        csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL).writerows(rows)
    again = read_ethovision(as_text)
    np.testing.assert_array_equal(again.xy, found.xy)
    np.testing.assert_array_equal(again.time, found.time)
    assert inspect_file(as_text).pipeline == "ethovision"


def test_ethovision__through_a_mapping(wild, tmp_path):
    path = wild / "ethovision" / "trial.xlsx"
    truth = read_ethovision(path)
    np.savez(tmp_path / "s.npz", u0=truth.time[5:500:7] + 0.001, u1=truth.time[9:2000:11] + 0.002)
    text = f"{HEAD}activity: {{file: s.npz, times: 'u*', kind: spikes}}\n"
    text += f"position: {{reader: ethovision, file: '{path}'}}\naccept: [silence]\n"
    (tmp_path / "map.yaml").write_text(text)
    found = nd.recording_from_sessions(tmp_path / "map.yaml")
    np.testing.assert_array_equal(found["x"], truth.xy[:, 0])
    np.testing.assert_array_equal(found["y"], truth.xy[:, 1])
    np.testing.assert_array_equal(np.flatnonzero(found["activity"][:, 0]), np.arange(5, 500, 7))
