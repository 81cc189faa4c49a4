"""The geometry at the doors: inspect and import propose it, mappings and sessions state it."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.cli import main
from neurodrift.convert.own.arrays import convert
from neurodrift.gate.findings import GateWarning
from neurodrift.geometry import circular, geometry_of, t_maze
from neurodrift.io.nwb.inspect import inspect_nwb
from neurodrift.io.nwb.session import NwbSession
from neurodrift.io.nwb.write import write_session

sys.path.insert(0, str(Path(__file__).parent))
import animals


def foreign(path, x):
    """A file with a position and spikes that tells no geometry."""
    time = np.arange(len(x)) / animals.RATE
    session = NwbSession(
        subject="m",
        environment="belt",
        session="1",
        start=datetime(2026, 1, 1, tzinfo=UTC),
        registered_cell_id=np.arange(2),
        spikes=[time[5::40], time[9::50]],
        time=time,
        position=x,
    )
    return write_session(session, path)


@pytest.fixture
def belt():
    n = round(4 * 60 * animals.RATE)
    return np.cumsum(animals.speeds(n, 1)) / animals.RATE % 180


def test_nwb__geometry_is_proposed_by_inspect_and_import(tmp_path, belt, capsys):
    path = foreign(tmp_path / "a.nwb", belt)
    text = inspect_nwb([path])
    assert "geometry  proposed: circular, 180 cm, as x jumps" in text
    assert text.splitlines()[-1].endswith("--geometry circular:180 -o recording.zarr")
    main(["import", str(path), "-o", str(tmp_path / "r.zarr")])
    said = capsys.readouterr().out
    assert "taken as circular, 180 cm" in said
    assert "geometry: circular, 180 cm (proposed from the positions)" in said
    recording = nd.open_recording(tmp_path / "r.zarr")
    assert (recording["direction"] == 1).all()
    main(["import", str(path), "-o", str(tmp_path / "s.zarr"), "--geometry", "vr:180"])
    assert "geometry: vr, 180 cm (stated)" in capsys.readouterr().out


def test_nwb__an_appended_day_has_the_geometry_of_the_store(tmp_path, belt):
    first = foreign(tmp_path / "a.nwb", belt)
    nd.import_to_store(first, tmp_path / "r.zarr", geometry="circular:180")
    options = json.loads(nd.open_recording(tmp_path / "r.zarr").attrs["nwb_options"])
    assert geometry_of(nd.open_recording(tmp_path / "r.zarr")) == circular(180)
    assert "geometry" in options


def test_nwb__a_box_is_a_field(tmp_path):
    path = foreign(tmp_path / "a.nwb", animals.box(60.0, 4.0, 1))
    assert "geometry  proposed: field, as x and y fill" in inspect_nwb([path])


def test_nwb__a_shuttle_is_linear(tmp_path, belt):
    path = foreign(tmp_path / "a.nwb", np.minimum(belt, 180 - belt))
    text = inspect_nwb([path])
    assert "geometry  proposed: linear, as x goes to and fro" in text
    assert "--geometry" not in text


MAPPING = """\
subject: {id: m}
environment: belt
activity: {file: times.npz, times: 'unit*', kind: spikes, time_unit: s, recorded: [0, 240]}
position: {file: place.csv, x: x, unit: cm, rate: 30GEOMETRY}
sessions:
  - session: 1
"""


def sources(folder, columns):
    n = len(next(iter(columns.values())))
    time = np.arange(n) / animals.RATE
    np.savez(folder / "times.npz", unit0=time[5::40], unit1=time[9::50])
    table = np.column_stack(list(columns.values()))
    np.savetxt(
        folder / "place.csv",
        table,
        delimiter=",",
        header=",".join(columns),
        comments="",
        fmt="%.5f",
    )


def test_mapping__states_the_geometry(tmp_path, belt):
    sources(tmp_path, {"x": belt})
    text = MAPPING.replace("GEOMETRY", ", geometry: 'circular:180'")
    (tmp_path / "m.yaml").write_text(text)
    (path,) = convert(tmp_path / "m.yaml", tmp_path / "out")
    assert geometry_of(nd.import_nwb(path)) == circular(180)
    (tmp_path / "m.yaml").write_text(MAPPING.replace("GEOMETRY", ""))
    with pytest.warns(GateWarning, match="taken as circular, 180 cm"):
        (path,) = convert(tmp_path / "m.yaml", tmp_path / "other")
    assert geometry_of(nd.import_nwb(path)).proposed
    (tmp_path / "m.yaml").write_text(MAPPING.replace("GEOMETRY", ", geometry: ring"))
    with pytest.raises(ValueError, match=r"m.yaml.*\n?.*geometry.*expected linear, field"):
        convert(tmp_path / "m.yaml", tmp_path / "third")


def test_mapping__of_a_maze_is_linearised_and_keeps_the_plane(tmp_path):
    pytest.importorskip("track_linearization")
    places, _ = animals.t_runs(80, 60, 4.0, 3)
    sources(tmp_path, {"x": places[:, 0], "y": places[:, 1]})
    maze = (
        ", y: y, geometry: {kind: graph, nodes: {home: [0, 0], junction: [0, 80], "
        "left: [-60, 80], right: [60, 80]}, "
        "edges: [[home, junction], [junction, left], [junction, right]]}"
    )
    (tmp_path / "m.yaml").write_text(MAPPING.replace("GEOMETRY", maze))
    (path,) = convert(tmp_path / "m.yaml", tmp_path / "out")
    recording = nd.import_nwb(path)
    assert geometry_of(recording) == t_maze(80, 60)
    assert "y" not in recording
    again = nd.import_nwb(path, position="position_in_plane")
    np.testing.assert_allclose(again["x"], recording["x"], atol=1e-4)


def test_mapping__of_an_angle(tmp_path):
    angle = np.random.default_rng(0).uniform(0, 360, 7200)
    sources(tmp_path, {"x": angle})
    text = MAPPING.replace("unit: cm", "unit: deg").replace(
        "GEOMETRY", ", geometry: 'circular:deg'"
    )
    (tmp_path / "m.yaml").write_text(text)
    (path,) = convert(tmp_path / "m.yaml", tmp_path / "out")
    recording = nd.import_nwb(path)
    assert recording["x"].attrs["units"] == "deg"
    (tmp_path / "m.yaml").write_text(text.replace("circular:deg", "circular:360"))
    with pytest.raises(ValueError, match="is deg, but the geometry is in cm"):
        convert(tmp_path / "m.yaml", tmp_path / "other")


def test_sessions_in_memory__state_the_geometry(belt):
    time = np.arange(belt.size) / animals.RATE
    one = {"activity": [time[5::40], time[9::50]], "recorded": [0, 240]}
    one |= {"position": belt, "position_time": time}
    recording = nd.recording_from_sessions([one], kind="spikes", geometry="vr:180")
    assert geometry_of(recording).kind == "vr"


def test_inspection__of_own_arrays_proposes_the_geometry(tmp_path, belt, capsys):
    sources(tmp_path, {"x": belt})
    main(["inspect", str(tmp_path / "place.csv")])
    said = capsys.readouterr().out
    assert "geometry: 'circular:180'" in said and "from one end to the other" in said
