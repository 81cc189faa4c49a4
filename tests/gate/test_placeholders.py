"""The "?" that inspect prints is a name of nothing, wherever it is left."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from neurodrift import import_nwb, recording_from_arrays, recording_from_sessions, testing
from neurodrift.cli import main
from neurodrift.convert.own.mapping import load_mapping
from neurodrift.io.nwb.read import read_session
from neurodrift.io.nwb.session import session_from_recording
from neurodrift.io.nwb.write import write_session

TIME = np.arange(1200) / 20
MAPPING = """\
subject: {id: m1}
environment: track
activity: {file: s.npy, kind: spikes, axes: [frames, units], rate: 20}
position: {file: pos.csv, x: x, unit: cm, time: t}
sessions: [{session: 1}]
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    recording = testing.linear_track(n_units=3, n_sessions=1, minutes=1)
    path = tmp_path_factory.mktemp("nwb") / "1.nwb"
    return write_session(session_from_recording(recording, "1"), path)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("id: m1", "id: '?'", r"line 1: subject.id: is still '\?'"),
        ("environment: track", "environment: '?'", r"line 2: environment: is still '\?'"),
        ("rate: 20", "rate: '?'", r"line 3: activity.rate: is still '\?'"),
        ("kind: spikes", 'kind: " ? "', r"line 3: activity.kind: is still '\?'"),
        ("unit: cm", "unit: pixels, cm_per_pixel: '?'", r"line 4: position.cm_per_pixel: is still"),
        ("x: x,", "reader: sleap, options: {node: '?'},", r"line 4: position.options.node: is st"),
        ("session: 1", "session: '?'", r"line 5: sessions.0..session: is still '\?'"),
        ("id: m1", "id: ?", r"is no YAML|subject.id"),
    ],
)
def test_mapping__a_placeholder_is_refused_with_its_line(tmp_path, old, new, expected):
    (tmp_path / "map.yaml").write_text(MAPPING.replace(old, new))
    with pytest.raises(ValueError, match=expected):
        load_mapping(tmp_path / "map.yaml")


def test_inspect__its_own_proposal_must_be_completed(tmp_path, capsys):
    x = 50 + 40 * np.sin(TIME / 3)
    pd.DataFrame({"t": TIME, "x": x}).to_csv(tmp_path / "pos.csv", index=False)
    np.save(tmp_path / "s.npy", np.random.default_rng(0).random((1200, 3)))
    files = [str(tmp_path / name) for name in ("pos.csv", "s.npy")]
    assert main(["inspect", *files, "-o", str(tmp_path / "map.yaml")]) == 0
    capsys.readouterr()
    convert = ["convert", "arrays", str(tmp_path / "map.yaml"), "--out", str(tmp_path / "nwb")]
    assert main(convert) == 2
    said = capsys.readouterr().err
    assert "subject.id: is still '?'" in said and "environment: is still '?'" in said


@pytest.mark.parametrize(
    "option",
    ["series", "position", "position_unit", "speed", "environment", "region", "epoch", "join_on"],
)
def test_import__a_placeholder_is_refused_by_name(file, option):
    for read in (import_nwb, read_session):
        with pytest.raises(ValueError, match=rf"^{option} is still '\?'"):
            read(file, **{option: "?"})
    with pytest.raises(ValueError, match="position is still"):
        import_nwb(file, position=["x", "?"])


def test_import__command(file, tmp_path, capsys):
    command = ["import", str(file), "--epoch", "?", "-o", str(tmp_path / "r.zarr")]
    assert main(command) == 2
    assert "epoch is still '?'" in capsys.readouterr().err
    assert not (tmp_path / "r.zarr").exists()


def test_python__a_placeholder_is_no_animal():
    counts = np.ones((1200, 2), int)
    for name, value in (("subject", "?"), ("environment", "?"), ("session", ["?"])):
        with pytest.raises(ValueError, match=rf"{name} is still '\?'"):
            recording_from_arrays(counts, kind="events", time=TIME, **{name: value})
    one = {"activity": [TIME[::7]], "position": 50 + 40 * np.sin(TIME), "position_time": TIME}
    with pytest.raises(ValueError, match=r"subject, environment are still '\?'"):
        recording_from_sessions([one], subject="?", environment="?")
