from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
import scipy.io

from neurodrift import import_nwb
from neurodrift.convert.own.arrays import convert, write_template
from neurodrift.convert.own.mapping import TEMPLATE, mapping_schema, write_mapping_schema
from neurodrift.convert.own.memory import recording_from_sessions
from neurodrift.gate.findings import GateWarning
from neurodrift.schema.yaml import parse_yaml

SCHEMA = Path(__file__).resolve().parents[3] / "schemas" / "convert" / "mapping.schema.json"
N = 2400  # frames, 20 Hz
TIME = np.arange(N) / 20
X = 50 + 45 * np.sin(TIME / 4)
RNG = np.random.default_rng(0)
SPIKES = [np.sort(RNG.choice(int(120e4), n, replace=False)) / 1e4 for n in (200, 300, 0, 250)]

HEAD = """\
subject: {id: m1, species: Mus musculus, sex: F, age: P90D}
environment: linear track
region: CA1
"""
TAIL = "sessions:\n  - {session: 1, start: 2026-01-05 10:00:00}\n"
POSITION = "position: {file: pos.csv, x: x, unit: cm, time: t}\n"
ACTIVITY = "activity: {file: spikes.mat, times: spikes, kind: spikes}\n"


def cell(vectors):
    made = np.empty((len(vectors), 1), dtype=object)
    for i, vector in enumerate(vectors):
        made[i, 0] = np.asarray(vector)[:, None]
    return made


@pytest.fixture
def folder(tmp_path):
    pd.DataFrame({"t": TIME, "x": X}).to_csv(tmp_path / "pos.csv", index=False)
    scipy.io.savemat(tmp_path / "spikes.mat", {"spikes": cell(SPIKES)})
    return tmp_path


def mapped(folder, text):
    (folder / "map.yaml").write_text(text)
    return folder / "map.yaml"


def recording(folder, text):
    files = convert(mapped(folder, text), folder / "nwb", overwrite=True)
    return import_nwb(files)


def counts(times, time=TIME, step=0.05):
    """Literal count of each unit's times in each frame."""
    return np.array([[np.sum((t >= a) & (t < a + step)) for t in times] for a in time])


def test_convert__csv_and_mat(folder):
    found = recording(folder, HEAD + ACTIVITY + POSITION + TAIL)
    np.testing.assert_array_equal(found["activity"], counts(SPIKES))
    np.testing.assert_array_equal(found["x"], X)
    np.testing.assert_array_equal(found["time"], TIME)
    assert found["activity"].attrs["kind"] == "spikes" and found["subject"].item() == "m1"
    assert found["region"].values.tolist() == ["CA1"] * 4
    assert [path.name for path in (folder / "nwb").iterdir()] == ["m1_linear-track_1.nwb"]


@pytest.mark.parametrize("unit", ["cm", "m", "mm", "pixels, cm_per_pixel: 0.25"])
def test_convert__units_of_length(folder, unit):
    factor = {"cm": 1, "m": 0.01, "mm": 10}.get(unit, 4)
    np.savez(folder / "pos.npz", pos=np.column_stack([X, X / 2]) * factor, t=TIME)
    place = f"position: {{file: pos.npz, xy: pos, unit: {unit}, time: t}}\n"
    found = recording(folder, HEAD + ACTIVITY + place + TAIL)
    np.testing.assert_allclose(found["x"], X, rtol=1e-12)
    np.testing.assert_allclose(found["y"], X / 2, rtol=1e-12)


@pytest.mark.parametrize(
    ("unit", "numbers", "more"),
    [
        ("ms", [s * 1e3 for s in SPIKES], ""),
        ("us", [s * 1e6 for s in SPIKES], ""),
        ("samples", [np.round(s * 1e4) for s in SPIKES], ", rate: 10000"),
        ("samples", [np.round(s * 1e4) + 1 for s in SPIKES], ", rate: 10000, count_from: 1"),
        ("s", [s - 3 for s in SPIKES], ", offset: 3"),
    ],
    ids=["ms", "us", "samples", "samples from 1", "offset"],
)
def test_convert__units_of_time(folder, unit, numbers, more):
    scipy.io.savemat(folder / "spikes.mat", {"spikes": cell(numbers)})
    text = ACTIVITY.replace("}", f", time_unit: {unit}{more}}}")
    found = recording(folder, HEAD + text + POSITION + TAIL)
    # half a tick on, lest rounding move a spike over the edge of a frame
    near = np.abs(found["activity"].values.astype(int) - counts(SPIKES))
    assert near.sum() <= 2 and found["activity"].values.sum() == sum(map(len, SPIKES))


def test_convert__table_of_times_and_units(folder):
    unit = np.repeat(np.arange(4) + 1, [len(s) for s in SPIKES])
    table = pd.DataFrame({"t": np.concatenate(SPIKES), "unit": unit}).sample(frac=1, random_state=0)
    table.to_csv(folder / "spikes.csv", index=False)
    text = "activity: {file: spikes.csv, times: t, unit: unit, kind: spikes"
    with pytest.warns(GateWarning, match="not sorted"):
        found = recording(folder, HEAD + text + "}\n" + POSITION + TAIL)
    np.testing.assert_array_equal(found["activity"], counts([s for s in SPIKES if s.size]))
    with pytest.warns(GateWarning, match="not sorted"):
        found = recording(folder, HEAD + text + ", unit_count_from: 1}\n" + POSITION + TAIL)
    np.testing.assert_array_equal(found["activity"], counts(SPIKES))  # unit 3 is silent


@pytest.mark.parametrize("axes", [["frames", "units"], ["units", "frames"]])
def test_convert__samples_on_the_clock_of_the_position(folder, axes):
    samples = RNG.random((N, 5))
    np.save(folder / "s.npy", samples if axes[0] == "frames" else samples.T)
    text = f"activity: {{file: s.npy, axes: [{', '.join(axes)}], kind: deconvolved}}\n"
    found = recording(folder, HEAD + text + POSITION + TAIL)
    np.testing.assert_array_equal(found["activity"], samples)
    assert found["activity"].attrs["kind"] == "deconvolved"


@pytest.mark.parametrize("axes", ["[frames, units]", "[units, frames]"])
def test_convert__large_samples_stay_on_disk_and_come_out_alike(folder, axes, monkeypatch):
    samples = np.where(RNG.random((N, 7)) < 0.1, RNG.gamma(2, 1, (N, 7)), 0).astype(np.float32)
    np.save(folder / "rates.npy", samples if axes == "[frames, units]" else samples.T)
    text = f"activity: {{file: rates.npy, axes: {axes}, kind: deconvolved, rate: 20}}\n"
    small = recording(folder, HEAD + text + POSITION + TAIL)
    monkeypatch.setattr("neurodrift.io.arrays.npy._MAPPED", 1000)
    monkeypatch.setattr("neurodrift.gate.blocks._BLOCK_BYTES", 3000)
    monkeypatch.setattr("neurodrift.io.nwb.write._LARGE", 1000)
    monkeypatch.setattr("neurodrift.io.nwb.write._CHUNK", (100, 2))
    large = recording(folder, HEAD + text + POSITION + TAIL)
    np.testing.assert_array_equal(large["activity"], samples.astype(float))
    assert large.attrs.pop("nwb_sessions") == small.attrs.pop("nwb_sessions")
    assert large.identical(small)
    np.save(folder / "rates.npy", np.cumsum(samples + 1, axis=0)[:, ::-1])
    with pytest.raises(ValueError, match="column 0 .* increases in every frame"):
        recording(folder, HEAD + text.replace(axes, "[frames, units]") + POSITION + TAIL)


def test_convert__counts_and_amplitudes_in_frames(folder):
    events = (RNG.random((N, 3)) < 0.02) * RNG.integers(1, 4, (N, 3))
    np.save(folder / "s.npy", events)
    for kind in ("events", "spikes"):
        text = f"activity: {{file: s.npy, axes: [frames, units], kind: {kind}}}\n"
        np.testing.assert_array_equal(
            recording(folder, HEAD + text + POSITION + TAIL)["activity"], events
        )
    np.save(folder / "s.npy", events * 0.5)
    text = "activity: {file: s.npy, axes: [frames, units], kind: amplitudes}\n"
    files = convert(mapped(folder, HEAD + text + POSITION + TAIL), folder / "nwb", overwrite=True)
    found = import_nwb(files, values="amplitudes")
    np.testing.assert_array_equal(found["activity"], events * 0.5)


def test_convert__clocks_of_their_own_with_gaps(folder):
    slow = np.arange(900) / 7.5 + 0.4  # activity starts later than the position
    samples = RNG.random((900, 2))
    np.savez(folder / "s.npz", s=samples, t=slow * 1000)
    gap = (TIME < 30) | (TIME >= 45)
    pd.DataFrame({"t": TIME[gap], "x": X[gap]}).to_csv(folder / "pos.csv", index=False)
    text = "activity: {file: s.npz, samples: s, time: t, time_unit: ms, axes: [frames, units], "
    said: list[str] = []
    with pytest.warns(GateWarning, match=r"pos.csv has 1 gaps, 15 s"):
        files = convert(
            mapped(folder, HEAD + text + "kind: deconvolved}\n" + POSITION + TAIL),
            folder / "nwb",
            report=said.append,
        )
    with pytest.warns(GateWarning, match="3 of 900 samples of .* lie before or after"):
        found = import_nwb(files)
    assert "1 gaps, 15 s in all" in said[0]
    inside = slow <= TIME[-1]
    np.testing.assert_allclose(found["time"], slow[inside], atol=1e-9)  # the imaging's own frames
    np.testing.assert_array_equal(found["activity"], samples[inside])
    lost = (slow[inside] > TIME[TIME < 30][-1]) & (slow[inside] < 45)
    np.testing.assert_array_equal(np.isnan(found["x"]), lost)
    expected = np.interp(slow[inside][~lost], TIME, X)
    np.testing.assert_allclose(found["x"][~lost], expected, atol=1e-6)


def test_convert__clock_that_counts_from_1970(folder):
    pd.DataFrame({"t": TIME + 1.7e9, "x": X}).to_csv(folder / "pos.csv", index=False)
    scipy.io.savemat(folder / "spikes.mat", {"spikes": cell([s + 1.7e9 for s in SPIKES])})
    found = recording(folder, HEAD + ACTIVITY + POSITION + TAIL)
    assert found["time"].values[0] == 0 and found["activity"].values.sum() == sum(map(len, SPIKES))


def test_convert__missing_position_and_trials(folder):
    x = X.copy()
    x[100:140] = -1
    pd.DataFrame({"t": TIME, "x": x}).to_csv(folder / "pos.csv", index=False)
    pd.DataFrame(
        {"start": [0, 60], "stop": [55, 110], "n": [4, 5], "map": [1, 2], "odour": [3, 0]}
    ).to_csv(folder / "trials.csv", index=False)
    text = POSITION.replace("}", ", missing: -1}")
    text += "trials: {file: trials.csv, start: start, stop: stop, number: n, map_label: map, "
    text += "trial_type: odour}\n"
    tail = TAIL.replace("}", ", accuracy: 0.75}")
    found = recording(folder, HEAD + ACTIVITY + text + tail)
    assert found["accuracy"].values.tolist() == [0.75]
    assert (found["trial_type"].values[TIME < 55] == 3).all()
    assert found["trial_type"].values[1300] == 0 and found["trial_type"].values[-1] == -1
    assert np.flatnonzero(np.isnan(found["x"])).tolist() == list(range(100, 140))
    trial = found["trial"].values
    assert (trial[TIME < 55] == 4).all() and (trial[(TIME >= 60) & (TIME < 110)] == 5).all()
    assert (trial[TIME >= 110] == -1).all() and found["map_label"].values[1300] == 2


def test_convert__keep_and_regions(folder):
    np.savez(
        folder / "s.npz",
        s=RNG.random((N, 3)),
        iscell=np.array([[1, 0.9], [0, 0.2], [1, 0.6]]),
        area=np.array(["CA1", "CA1", "CA3"]),
    )
    text = "activity: {file: s.npz, samples: s, keep: iscell, regions: area, kind: activation, "
    text += "axes: [frames, units]}\n"
    found = recording(folder, HEAD + text + POSITION + TAIL)
    assert found["region"].values.tolist() == ["CA1", "CA3"]


def write_sessions_of_three(folder, *, count_from=1, absent=0):
    """Three sessions whose cells are numbered anew in each; the table tells which is which."""
    truth = np.array([[0, 1, -1], [1, 0, 0], [-1, 2, 1], [2, -1, 2]])
    for s in range(3):
        order = np.argsort(truth[:, s])[np.sum(truth[:, s] < 0) :]
        spikes = [np.array([1.0, 40.5, 116.25]) + unit + 0.31 * s for unit in order]
        scipy.io.savemat(folder / f"spikes_{s + 1}.mat", {"spikes": cell(spikes)})
    table = np.where(truth < 0, absent, truth + count_from)
    np.savetxt(folder / "cells.csv", table, fmt="%d", delimiter=",", header="a,b,c", comments="")
    return truth


THREE = "activity: {file: 'spikes_{session}.mat', times: spikes, kind: spikes}\n" + POSITION
SESSIONS = "sessions:\n" + "".join(f"  - session: {i}\n" for i in (1, 2, 3))


@pytest.mark.parametrize(("count_from", "absent"), [(1, 0), (0, -1), (1, -1)])
def test_convert__registration(folder, count_from, absent):
    truth = write_sessions_of_three(folder, count_from=count_from, absent=absent)
    text = f"registration: {{file: cells.csv, count_from: {count_from}}}\n"
    found = recording(folder, HEAD + THREE + text + SESSIONS)
    np.testing.assert_array_equal(found["detected"], (truth >= 0).T)
    assert found["unit"].values.tolist() == [0, 1, 2, 3]
    for s in range(3):
        for unit in np.flatnonzero(truth[:, s] >= 0):
            times = np.array([1.0, 40.5, 116.25]) + unit + 0.31 * s
            part = found.isel(time=found["session_index"].values == s)
            np.testing.assert_array_equal(part["activity"].sel(unit=unit), counts([times])[:, 0])


def test_convert__scores_of_cellreg_reach_the_recording(folder):
    truth = write_sessions_of_three(folder)
    values = {"cell_to_index_map": truth + 1, "cell_scores": np.array([[0.9], [0.8], [1.0], [0.7]])}
    scipy.io.savemat(folder / "cellRegistered.mat", {"cell_registered_struct": values})
    text = "registration: {reader: cellreg, file: cellRegistered.mat}\n"
    found = recording(folder, HEAD + THREE + text + SESSIONS)
    expected = np.where(truth >= 0, values["cell_scores"], np.nan).T
    np.testing.assert_array_equal(found["registration_score"], expected)


def test_convert__registration_of_some_sessions(folder):
    write_sessions_of_three(folder)
    text = "registration: {file: cells.csv, count_from: 1, sessions: [1, 2, 3]}\n"
    found = recording(folder, HEAD + THREE + text + "sessions: [{session: 3}, {session: 1}]\n")
    assert found["session"].values.tolist() == ["3", "1"]
    np.testing.assert_array_equal(found["detected"].values.sum(axis=1), [3, 3])


def test_convert__pipelines_by_name(folder):
    np.save(folder / "spks.npy", RNG.random((4, N)).astype("f4"))
    np.save(folder / "iscell.npy", np.array([[1, 0.9], [0, 0.1], [1, 0.9], [1, 0.9]]))
    np.save(folder / "plane0_suite2p_indices_nan.npy", np.array([[3.0], [0.0]]))
    text = "activity: {reader: suite2p, file: ., rate: 20}\n" + POSITION
    text += "registration: {reader: track2p, file: .}\n"
    found = recording(folder, HEAD + text + TAIL)
    spks = np.load(folder / "spks.npy")
    np.testing.assert_array_equal(found["activity"].sel(unit="0"), spks[3])
    np.testing.assert_array_equal(found["activity"].sel(unit="1"), spks[0])
    assert found["registered"].values.sum() == 2 and found.sizes["unit"] == 3


def test_mapped_sessions__are_what_the_files_give(folder):
    write_sessions_of_three(folder)
    path = mapped(
        folder, HEAD + THREE + "registration: {file: cells.csv, count_from: 1}\n" + SESSIONS
    )
    files = convert(path, folder / "nwb")
    read = import_nwb(files)
    del read.attrs["nwb_files"], read.attrs["nwb_sessions"]
    assert recording_from_sessions(path).identical(read)


def test_convert__starts_days_and_time_zone(folder):
    write_sessions_of_three(folder)
    text = "time_zone: Europe/Berlin\nsessions:\n  - {session: 1, start: 2026-01-05 10:00:00}\n"
    text += "  - {session: 2, start: 2026-01-07}\n  - {session: 3, start: 2026-01-08T09:30:00Z}\n"
    found = recording(folder, HEAD + THREE + text)
    assert found["day"].values.tolist() == [0, 2, 3]
    starts = [found["time"].values[found["session_index"].values == s][0] for s in range(3)]
    np.testing.assert_allclose(starts, [0, 38 * 3600, (2 * 24 + 24 + 0.5) * 3600])


def test_convert__unwritten_where_one_session_fails(folder):
    write_sessions_of_three(folder)
    (folder / "spikes_3.mat").unlink()
    with pytest.raises(ValueError, match=r"line 4: activity.times: no file .*spikes_3.mat"):
        recording(folder, HEAD + THREE + SESSIONS)
    assert not (folder / "nwb").exists()


def test_convert__existing_files(folder):
    path = mapped(folder, HEAD + ACTIVITY + POSITION + TAIL)
    (before,) = convert(path, folder / "nwb")
    content = before.read_bytes()
    with pytest.raises(FileExistsError):
        convert(path, folder / "nwb")
    assert before.read_bytes() == content
    assert convert(path, folder / "nwb", overwrite=True) == [before]


# the mapping itself


def test_template__is_a_mapping(tmp_path):
    path = write_template(tmp_path / "mapping.yaml")
    values, _ = parse_yaml(path.read_text(), "template")
    jsonschema.validate(values, mapping_schema())
    whole = "\n".join(  # every commented key is one that the schema knows
        line.replace("# ", "", 1) if line.lstrip().startswith("# ") and ": " in line else line
        for line in TEMPLATE.splitlines()
        if "--" not in line
    )
    assert "reader: cellreg" in whole
    with pytest.raises(FileExistsError):
        write_template(path)


def test_mapping_schema__in_step(tmp_path):
    assert write_mapping_schema(tmp_path).read_text() == SCHEMA.read_text(), (
        "python -m neurodrift.convert.own.mapping schemas/convert"
    )
    jsonschema.Draft202012Validator.check_schema(json.loads(SCHEMA.read_text()))


BAD_MAPPINGS = {
    "unknown key": ("actvity: {}\n", r"line 4: actvity: unknown key; did you mean 'activity'"),
    "no kind": (
        "activity: {file: spikes.mat, times: spikes}\n",
        r"line 4: activity: needs kind",
    ),
    "wrong kind": (
        "activity: {file: spikes.mat, times: spikes, kind: spike}\n",
        r"line 4: activity.kind: 'spike' is not one of",
    ),
    "no axes": (
        "activity: {file: spikes.mat, samples: spikes, kind: events}\n",
        r"line 4: activity: needs axes",
    ),
    "both": (
        "activity: {file: a.mat, samples: s, times: t, axes: [frames, units], kind: spikes}\n",
        r"line 4: activity.times: stands with samples",
    ),
    "frames without rate": (
        "activity: {file: a.mat, times: t, time_unit: frames, kind: spikes}\n",
        r"line 4: activity: time_unit frames or samples needs a rate",
    ),
    "option": (
        "activity: {reader: suite2p, file: a, options: {signla: F}}\n",
        r"line 4: activity.options.signla: unknown option of suite2p; it has signal",
    ),
    "no unit": (
        ACTIVITY + "position: {file: a, x: x, rate: 20}\n",
        r"line 5: position: needs unit",
    ),
    "no clock": (
        ACTIVITY + "position: {file: a, x: x, unit: cm}\n",
        r"line 5: position: needs a clock",
    ),
    "pixels": (
        ACTIVITY + "position: {file: a, x: x, unit: pixels, rate: 20}\n",
        r"line 5: position: is in pixels, so it needs cm_per_pixel",
    ),
    "reference": (
        ACTIVITY + "position: {file: a, x: -1, unit: cm, rate: 20}\n",
        r"line 5: position.x: expected the name of a variable",
    ),
    "count_from": (
        ACTIVITY + "registration: {file: a.csv}\n",
        r"line 5: registration: say count_from",
    ),
    "zone": (ACTIVITY + "time_zone: Berlin\n", r"line 5: time_zone: is no time zone"),
    "accept": (ACTIVITY + "accept: [everything]\n", r"line 5: accept"),
}


@pytest.mark.parametrize("name", BAD_MAPPINGS)
def test_convert__bad_mapping(folder, name):
    text, message = BAD_MAPPINGS[name]
    with pytest.raises(ValueError, match=message):
        recording(folder, HEAD + text + TAIL)
    assert not (folder / "nwb").exists()


def test_convert__bad_sessions(folder):
    twice = "sessions:\n  - session: 1\n  - session: '1'\n"
    with pytest.raises(ValueError, match=r"line 8: sessions\[1\].session: '1' stands twice"):
        recording(folder, HEAD + ACTIVITY + POSITION + twice)
    starts = "sessions:\n  - {session: 1, start: soon}\n"
    with pytest.raises(ValueError, match=r"line 7: sessions\[0\].start: is 'soon', expected"):
        recording(folder, HEAD + ACTIVITY + POSITION + starts)
    some = "sessions:\n  - {session: 1, start: 2026-01-05}\n  - session: 2\n"
    with pytest.raises(ValueError, match=r"line 8: sessions\[1\].start: is missing"):
        recording(folder, HEAD + ACTIVITY + POSITION + some)
