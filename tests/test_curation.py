"""What a person leaves out: the file, what it matches, and what is left."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from neurodrift import (
    analyze,
    curate,
    import_nwb,
    join_sessions,
    open_recording,
    read_curation,
    recording_from_arrays,
    save_recording,
    summary,
    testing,
)
from neurodrift.curation import KINDS, curation_schema, describe_curation, write_curation_schema
from neurodrift.io.nwb.session import session_from_recording
from neurodrift.io.nwb.write import write_session

REPOSITORY = Path(__file__).resolve().parents[1]
SCHEMA = REPOSITORY / "schemas" / "curation" / "curation.schema.json"

YAML = """\
by: A. Person
units:
  - {unit: 3, reason: dendrite of 4}
  - unit: 5
    session: 2
    reason: out of focus
    by: B. Other
sessions:
  - {session: 3, reason: the animal slept}
epochs:
  - {session: 1, start: 10, stop: 25.5, reason: cable caught}
"""
CSV = """\
unit,session,start,stop,by,reason
3,,,,A. Person,dendrite of 4
5,2,,,B. Other,out of focus
,3,,,A. Person,the animal slept
,1,10,25.5,A. Person,cable caught
"""


@pytest.fixture(scope="module")
def recording() -> xr.Dataset:
    return testing.linear_track(n_units=8, n_sessions=4, minutes=2, detection=1.0, seed=3)


@pytest.fixture
def file(tmp_path):
    def write(text, name="curation.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


# --- what is left


@pytest.mark.parametrize("name", ["yaml", "csv"])
def test_curate__leaves_out_what_is_listed(recording, file, name):
    path = file(YAML if name == "yaml" else CSV, f"curation.{name}")
    left = curate(recording, path)
    assert left["session"].values.tolist() == ["1", "2", "4"]
    assert left["unit"].values.tolist() == [0, 1, 2, 4, 5, 6, 7]
    assert left.sizes["time"] == 3 * 2400 - 310
    assert not left["detected"].sel(session="2", unit=5)
    assert left["detected"].values.sum() == 3 * 7 - 1
    frames = left["session_index"].values == 1
    assert left["activity"].sel(unit=5).values[frames].sum() == 0
    assert left["activity"].sel(unit=5).values[~frames].sum() > 0
    time = left["time"].values[left["session_index"].values == 0]
    assert not ((time >= 10) & (time < 25.5 - 1e-9)).any()
    assert time.min() == 0 and np.isclose(time.max(), 119.95)
    np.testing.assert_array_equal(left["day"].values, [0, 2, 6])
    rest = recording.sel(time=left["time"], unit=[0, 1, 2, 4, 6, 7])
    kept = left.sel(unit=rest["unit"])
    np.testing.assert_array_equal(kept["activity"].values, rest["activity"].values)
    assert recording.sizes["unit"] == 8 and "curation" not in recording.attrs


def test_curate__lazy_is_lazy_and_equal(recording, file, tmp_path):
    path = file(YAML)
    stored = open_recording(save_recording(recording, tmp_path / "r.zarr"))
    left = curate(stored, path)
    assert left["activity"].chunks is not None
    xr.testing.assert_identical(left.compute().drop_attrs(), curate(recording, path).drop_attrs())


def test_curate__keeps_what_was_left_out_and_why(recording, file):
    told = json.loads(curate(recording, file(YAML)).attrs["curation"])
    assert told[0] == {
        "kind": "unit",
        "unit": "3",
        "file": "curation.yaml",
        "reason": "dendrite of 4",
        "by": "A. Person",
    }
    assert told[1]["by"] == "B. Other" and told[1]["session"] == "2"
    assert told[2]["n_frames"] == 2400
    assert told[3]["n_frames"] == 310 and told[3]["stop"] == 25.5


def test_curate__twice_keeps_both_and_names_the_first(recording, file):
    once = curate(recording, file(YAML))
    with pytest.raises(ValueError, match=r"unit '3'; it was left out before, by curation.yaml"):
        curate(once, file(YAML))
    twice = curate(once, {"units": [{"unit": 0, "reason": "noise"}]})
    assert len(json.loads(twice.attrs["curation"])) == 5


def test_curate__a_unit_left_out_of_all_its_sessions_is_dropped(recording):
    units = [{"unit": 2, "session": i, "reason": "blurred"} for i in range(1, 5)]
    left = curate(recording, {"units": units})
    assert 2 not in left["unit"].values
    assert json.loads(left.attrs["curation"])[-1]["reason"].startswith("not detected in any")


def test_curate__a_session_takes_the_units_of_that_session_along():
    part = testing.linear_track(n_units=3, n_sessions=2, minutes=1)
    detected = np.array([[True, True, False], [True, False, True]])
    part = part.assign(detected=(("session", "unit"), detected))
    left = curate(part, {"sessions": [{"session": "2", "reason": "moved"}]})
    assert left["unit"].values.tolist() == [0, 1]
    assert describe_curation(left.attrs) == [
        "Session 2 is left out by a curation: moved.",
        "1 unit is left out by a curation: not detected in any session that is left.",
    ]


# --- the clock of a session


def shifted(recording, session, seconds):
    """The session as NWB has it, its clock beginning later."""
    made = session_from_recording(recording, session)
    moved = [times + seconds for times in made.events]
    return type(made)(
        **{**vars(made), "time": made.time + seconds, "events": moved, "trials": None}
    )


@pytest.fixture
def files(recording, tmp_path):
    made = [shifted(recording, label, 12.4) for label in ("1", "2", "3", "4")]
    return [write_session(one, tmp_path / f"{one.session}.nwb") for one in made]


EPOCH = {"epochs": [{"session": "2", "start": 20, "stop": 30, "reason": "light off"}]}


def test_curate__epochs_are_on_the_clock_of_the_file(files):
    whole = import_nwb(files)
    np.testing.assert_allclose(whole["clock_start"], [0, 172800, 345600, 518400])
    left = import_nwb(files, curation=EPOCH)
    gone = np.setdiff1d(whole["time"].values, left["time"].values)
    assert gone.size == 200
    assert np.isclose(gone.min(), 172820) and np.isclose(gone.max(), 172829.95)
    with pytest.raises(ValueError, match=r"its clock runs from 12.4 to 132.4 s"):
        curate(whole, {"epochs": [EPOCH["epochs"][0] | {"start": 5}]})


def test_curate__a_first_epoch_cut_does_not_move_the_clock(files):
    first = {"epochs": [{"session": "2", "start": 12.4, "stop": 20, "reason": "start"}]}
    one = curate(import_nwb(files, curation=first), EPOCH)
    other = curate(import_nwb(files, curation=EPOCH), first)
    np.testing.assert_array_equal(one["time"], other["time"])


def test_curate__clocks_that_start_over_are_each_sessions_own():
    parts = [
        recording_from_arrays(
            np.ones((100, 2), int),
            kind="events",
            time=np.arange(100) / 10 + 3,
            session=[name],
            subject="m1",
        )
        for name in ("a", "b")
    ]
    joined = join_sessions(parts)
    epoch = {"session": "b", "start": 5, "stop": 6, "reason": "cut"}
    listed = recording_from_arrays(
        [np.ones((100, 2), int)] * 2,
        kind="events",
        time=[np.arange(100) / 10 + 3] * 2,
        subject="m1",
    )
    listed = listed.assign_coords(session=["a", "b"])
    for made in (joined, listed):
        left = curate(made, {"epochs": [epoch]})
        assert left.sizes["time"] == 190
        gone = (
            np.setdiff1d(made["time"].values, left["time"].values) - made["clock_start"].values[1]
        )
        np.testing.assert_allclose(gone[[0, -1]], [5, 5.9])
    parts[1] = curate(parts[1], {"epochs": [epoch]})
    xr.testing.assert_equal(join_sessions(parts), curate(joined, {"epochs": [epoch]}))
    assert json.loads(join_sessions(parts).attrs["curation"])[0]["n_frames"] == 10


def test_curate__a_recording_without_clocks_has_no_epochs(recording):
    with pytest.raises(ValueError, match="does not say when the session's clock began"):
        curate(recording.drop_vars("clock_start"), EPOCH)


# --- analysis


def test_analyze__equals_that_of_a_recording_imported_with_the_same(
    recording, files, file, tmp_path
):
    path = file(YAML.replace("start: 10,", "start: 13,"))
    one = analyze(import_nwb(files, curation=path), n_repeats=10, n_draws=1)
    stored = open_recording(save_recording(import_nwb(files), tmp_path / "r.zarr"))
    other = analyze(stored, n_repeats=10, n_draws=1, curation=path)
    xr.testing.assert_identical(one, other)
    whole = analyze(stored, n_repeats=10, n_draws=1)
    assert whole["sessions"].sizes["session"] == 4 and other["sessions"].sizes["session"] == 3


def test_summarize__shows_counts_and_reasons(recording, file):
    text = str(summary(analyze(recording, measures=["sparsity"], curation=file(YAML))))
    assert "1 unit is left out by curation.yaml: dendrite of 4 (A. Person)." in text
    assert "Once a unit counts as not detected in session 2 by curation.yaml: out of" in text
    assert "Session 3 is left out by curation.yaml: the animal slept (A. Person)." in text
    assert "310 frames in 1 epoch of session 1 are left out by curation.yaml: cable" in text
    assert "Curation" not in str(summary(analyze(recording, measures=["sparsity"])))


def test_describe__groups_reasons(recording):
    units = [{"unit": i, "reason": "noise" if i < 2 else "merged"} for i in range(3)]
    (text,) = describe_curation(curate(recording, {"units": units}).attrs)
    assert text == "3 units are left out by a curation: 2 × noise; 1 × merged."


# --- labels


def test_read_curation__labels_keep_their_text(file):
    rows = "units: [{unit: 010, reason: a}, {unit: 1e3, session: 12:30, reason: b}]"
    entries = read_curation(file(rows)).entries
    assert [entry.what for entry in entries] == ["unit 010", "unit 1e3 in session 12:30"]
    text = "unit;session;start;stop;reason\n;010;1,5;2,25;'quoted'\n3:17;;;;b\n"
    entries = read_curation(file(text, "c.csv")).entries
    assert (entries[0].session, entries[0].start, entries[0].stop) == ("010", 1.5, 2.25)
    assert entries[1].unit == "3:17"


def test_curate__010_is_not_10(recording):
    ten = recording.assign_coords(unit=np.arange(8) + 8)
    with pytest.raises(ValueError, match=r"no unit '010'; did you mean '10'\?"):
        curate(ten, {"units": [{"unit": "010", "reason": "x"}]})
    assert 10 not in curate(ten, {"units": [{"unit": np.int64(10), "reason": "x"}]})["unit"]


# --- what cannot be used


def faults_of(recording, path):
    with pytest.raises(ValueError, match="cannot be used|is no YAML") as raised:
        curate(recording, path)
    assert path.name in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("units:\n  - {unit: 99, reason: x}", "line 2: unit 99: the recording has no unit '99'"),
        ("units:\n  - {unit: 1, session: 9, reason: x}", "line 2: .* no session '9'; it has 1, 2"),
        ("sessions:\n  - {session: nine, reason: x}", "line 2: .* no session 'nine'"),
        ("units:\n\n  - {unit: 1}", "line 3: units.0.: 'reason' is a required"),
        ("units:\n  - {unit: 1, reason: }", "line 2: units.0..reason"),
        ("units:\n  - {unit: 1, reason: ' '}", "line 2: units.0..reason: ' ': expected words"),
        ("units:\n  - {unit: 1, raeson: x}", "line 2: .*unknown key; did you mean 'reason'"),
        ("unit:\n  - {unit: 1, reason: x}", "line 1: unit: unknown key; did you mean 'units'"),
        ("units:\n  - {unit: 1, unit: 2, reason: x}", "line 2: .*stands twice"),
        ("units:\n- {unit: 1, reason: x}\n- {unit: 1, reason: y}", "line 3: unit 1 stands twice"),
        (
            "units:\n- {unit: 1, reason: x}\n- {unit: 1, session: 2, reason: y}",
            "line 3: unit 1 in session 2 is left out already: unit 1, on line 2",
        ),
        (
            "sessions:\n- {session: 2, reason: x}\nepochs:\n"
            "- {session: 2, start: 1, stop: 2, reason: y}",
            "line 4: 1 to 2 s of session 2 is left out already: session 2, on line 2",
        ),
        ("epochs:\n- {session: 1, start: 5, stop: 5, reason: x}", "line 2: starts at 5 s and"),
        ("epochs:\n- {session: 1, start: 5, stop: .inf, reason: x}", "line 2: .*not a finite"),
        ("epochs:\n- {session: 1, start: five, stop: 6, reason: x}", "line 2: .*not of type"),
        ("epochs:\n- {session: 1, start: 5, reason: x}", "line 2: .*'stop' is a required"),
        ("epochs:\n- {session: 1, start: 5, stop: 130, reason: x}", "line 2: .*from 0 to 120 s"),
        ("epochs:\n- {session: 1, start: 500, stop: 600, reason: x}", "line 2: .*from 0 to 120 s"),
        ("epochs:\n- {session: 1, start: 5.01, stop: 5.02, reason: x}", "line 2: .*no frame"),
        (
            "epochs:\n- {session: 1, start: 5, stop: 9, reason: x}\n"
            "- {session: 1, start: 8, stop: 12, reason: y}",
            "line 3: 8 to 12 s of session 1 overlaps 5 to 9 s of session 1, on line 2",
        ),
        ("epochs:\n- {session: 1, start: 0, stop: 120, reason: x}", "no frame of session 1"),
        ("units:\n- {unit: '?', reason: x}", "line 2: unit . has '.' in it"),
        ("by: me", "leaves out nothing"),
        ("", "it leaves out nothing"),
        ("units: []", "it leaves out nothing"),
        ("- a", "no configuration"),
    ],
)
def test_curate__refuses_yaml_naming_file_and_line(recording, file, text, expected):
    path = file(text)
    with pytest.raises(ValueError, match=f"(?s){path.name}.*{expected}"):
        curate(recording, path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("unit,reason\n99,x", "line 2: unit 99: the recording has no unit"),
        ("unit,raeson\n1,x", "line 1: unknown column 'raeson'; did you mean 'reason'"),
        ("unit\n1", "line 1: there is no column 'reason'"),
        ("unit,unit,reason\n1,1,x", "line 1: column 'unit' stands twice"),
        ("unit,reason\n1,", "line 2: has no reason"),
        ("unit,reason\n1,x\n1,y", "line 3: unit 1 stands twice, first on line 2"),
        ("unit,reason\n1,x,y", "line 2: has 3 cells, but there are 2 columns"),
        ("session,start,stop,reason\n1,9,5,x", "line 2: starts at 9 s"),
        ("session,start,stop,reason\n1,9,,x", "line 2: has start or stop alone"),
        ("session,start,stop,reason\n1,nan,5,x", "line 2: start is 'nan', expected seconds"),
        ("session,start,stop,reason\n,1,5,x", "line 2: names no session"),
        ("unit,session,start,stop,reason\n3,1,1,5,x", "line 2: has unit, start and stop"),
        ("unit,session,reason\n,,x", "line 2: names no unit and no session"),
        ('unit,reason\n1,"x', "line 2: is no table"),
        ("", "it is empty"),
        ("unit,reason\n", "it leaves out nothing"),
    ],
)
def test_curate__refuses_csv_naming_file_and_line(recording, file, text, expected):
    path = file(text, "curation.csv")
    with pytest.raises(ValueError, match=f"(?s){path.name}.*{expected}"):
        curate(recording, path)


def test_curate__a_unit_that_was_not_detected_there_is_nothing_to_leave_out():
    part = testing.linear_track(n_units=3, n_sessions=2, minutes=1)
    detected = np.array([[True, True, False], [True, True, True]])
    part = part.assign(detected=(("session", "unit"), detected))
    with pytest.raises(ValueError, match="unit 2 was not detected in session 1"):
        curate(part, {"units": [{"unit": 2, "session": 1, "reason": "x"}]})


def test_curate__nothing_left_is_refused(recording):
    with pytest.raises(ValueError, match="leaves out every unit"):
        curate(recording, {"units": [{"unit": i, "reason": "x"} for i in range(8)]})
    with pytest.raises(ValueError, match="leaves out every session"):
        curate(recording, {"sessions": [{"session": i, "reason": "x"} for i in range(1, 5)]})


def test_read_curation__other_files(tmp_path, file):
    with pytest.raises(FileNotFoundError, match="no curation file"):
        read_curation(tmp_path / "none.yaml")
    with pytest.raises(ValueError, match=r"a curation is a .yaml, .yml, .csv or .tsv file"):
        read_curation(file("{}", "curation.json"))
    (tmp_path / "latin.csv").write_bytes("unit,reason\n1,unschärfe\n".encode("latin-1"))
    with pytest.raises(ValueError, match="no text in UTF-8"):
        read_curation(tmp_path / "latin.csv")
    with pytest.raises(TypeError, match="curation is list"):
        curate(testing.linear_track(n_units=1, minutes=1), [1])


def test_curation_schema__in_step(tmp_path):
    assert write_curation_schema(tmp_path).read_text() == SCHEMA.read_text(), (
        "python -m neurodrift.curation schemas/curation"
    )
    assert curation_schema()["additionalProperties"] is False


def test_curation_page__its_examples_say_the_same(file):
    """docs/curation.md shows one curation as YAML and as a table."""
    page = (REPOSITORY / "docs" / "curation.md").read_text()
    shown = {kind: re.search(rf"```{kind}\n(.*?)```", page, re.S)[1] for kind in ("yaml", "text")}
    yaml = read_curation(file(shown["yaml"])).entries
    table = read_curation(file(shown["text"], "curation.csv")).entries
    assert {replace(entry, line=None) for entry in yaml} == {replace(e, line=None) for e in table}
    assert {entry.kind for entry in yaml} == set(KINDS)
