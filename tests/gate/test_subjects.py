"""Animals that files do not name: warned of, and refused where what files say of them differs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from neurodrift import import_nwb, testing
from neurodrift.gate.findings import GateWarning
from neurodrift.gate.subjects import known_subject, subject_findings
from neurodrift.io.nwb.session import session_from_recording
from neurodrift.io.nwb.write import write_session


def files(folder, subjects, fields=({}, {})):
    recording = testing.linear_track(n_units=4, n_sessions=2, minutes=1)
    made = []
    for label, subject, about in zip(("1", "2"), subjects, fields, strict=True):
        session = replace(
            session_from_recording(recording, label), subject=subject, subject_fields=about
        )
        made.append(write_session(session, folder / f"{label}.nwb"))
    return made


@pytest.mark.parametrize("name", ["unknown", "N/A", "Unknown", "not known"])
def test_import__two_files_without_an_animal(tmp_path, name):
    paths = files(tmp_path, (name, name))
    with pytest.warns(GateWarning, match="none of 2 sources says which animal it is of"):
        recording = import_nwb(paths)
    assert recording["subject"].item() == "unknown"
    assert [item["name"] for item in json.loads(recording.attrs["findings"])] == ["subject"]
    assert "findings" not in import_nwb(paths[:1]).attrs


def test_import__what_files_say_of_their_animals_differs(tmp_path):
    paths = files(tmp_path, ("unknown", "n/a"), ({"sex": "F"}, {"sex": "M"}))
    with pytest.raises(ValueError, match=r"(?s)of several \(sex F, M\).*accept: \[subject\]"):
        import_nwb(paths)
    recording = import_nwb(paths, accept=["subject"])
    assert json.loads(recording.attrs["findings"])[0]["accepted"]


def test_import__a_named_animal_and_one_without_a_name_are_two(tmp_path):
    with pytest.raises(ValueError, match=r"different subjects \(m1, unknown\)"):
        import_nwb(files(tmp_path, ("m1", "unknown")))


def test_import__a_named_animal_says_nothing(tmp_path):
    assert "findings" not in import_nwb(files(tmp_path, ("m1", "m1"))).attrs


def test_subject_findings__one_file_of_several_sessions_is_one_source():
    assert subject_findings(["a.nwb", "a.nwb"], ["unknown"] * 2) == []
    assert [f.stops for f in subject_findings(["a.nwb", "b.nwb"], ["unknown"] * 2)] == [False]
    about = [{"sex": "U", "strain": "B6"}, {"sex": "F", "strain": "B6"}]
    (found,) = subject_findings(["a.nwb", "b.nwb"], ["unknown"] * 2, about)
    assert not found.stops
    about[0]["strain"] = "CD1"
    (found,) = subject_findings(["a.nwb", "b.nwb"], ["unknown"] * 2, about)
    assert found.stops and "strain CD1, B6" in found.text


def test_known_subject__names_that_name_none():
    assert [known_subject(n) for n in (" ", "NaN", "none", "m-unknown", "0")] == [
        "unknown",
        "unknown",
        "unknown",
        "m-unknown",
        "0",
    ]
