from __future__ import annotations

import pytest

import neurodrift as nd
from neurodrift.curation import read_curation
from neurodrift.viewer.marks import HEADER, REASON, Marks


def test_save__is_a_curation_that_is_read_and_applied(mouse, tmp_path):
    marks = Marks(tmp_path / "c.yaml", of="mouse", by="A. Person")
    seen = int(mouse["detected"].values[1].argmax())
    marks.put("0", reason='dendrite of "7": ä, 1 # 2')
    marks.put("010")
    marks.take_back("010")
    other = next(u for u in range(1, 12) if mouse["detected"].values[1, u] and u != seen)
    marks.put(str(other), session="2", reason="out of focus")
    assert marks.unsaved
    entries = read_curation(marks.save()).entries
    assert not marks.unsaved
    assert [(e.unit, e.session, e.reason, e.by) for e in entries] == [
        ("0", None, 'dendrite of "7": ä, 1 # 2', "A. Person"),
        (str(other), "2", "out of focus", "A. Person"),
    ]
    curated = nd.curate(mouse, marks.path)
    assert 0 not in curated["unit"].values
    assert not bool(curated["detected"].sel(unit=other, session="2"))


def test_marks__go_on_with_an_own_file_and_keep_what_else_it_says(tmp_path):
    path = tmp_path / "c.yaml"
    first = Marks(path, of="mouse")
    first.put("5")
    first.save()
    path.write_text(path.read_text() + 'sessions:\n  - {session: "3", reason: slept}\n')
    again = Marks(path, of="mouse", by="B")
    assert again.reason("5") == REASON and not again.unsaved
    again.put("6", session="1", reason="x")
    again.save()
    assert [entry.what for entry in read_curation(path).entries] == [
        "unit 5",
        "unit 6 in session 1",
        "session 3",
    ]
    assert path.read_text().startswith(HEADER)


def test_marks__foreign_file_is_kept_unless_told(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("# mine\nunits:\n  - {unit: 9, reason: noise}\n")
    with pytest.raises(FileExistsError, match="was not saved by neurodrift view"):
        Marks(path, of="mouse")
    marks = Marks(path, of="mouse", overwrite=True)
    marks.put("1")
    marks.save()
    assert {entry.unit for entry in read_curation(path).entries} == {"1", "9"}
    path.write_text("a: mapping\n")
    with pytest.raises(ValueError, match="cannot be used"):
        Marks(path, of="mouse", overwrite=True)
    assert path.read_text() == "a: mapping\n"
    with pytest.raises(ValueError, match="saved as .yaml"):
        Marks(tmp_path / "c.csv", of="mouse")


def test_save__refuses_what_another_program_wrote_meanwhile(tmp_path):
    marks = Marks(tmp_path / "c.yaml", of="mouse")
    marks.put("1")
    marks.save()
    marks.path.write_text(marks.path.read_text() + "# and more\n")
    marks.put("2")
    with pytest.raises(FileExistsError, match="changed by another program and was kept"):
        marks.save()
    assert "and more" in marks.path.read_text()


def test_save__nothing(tmp_path):
    marks = Marks(tmp_path / "c.yaml", of="mouse")
    with pytest.raises(ValueError, match="nothing is marked"):
        marks.save()
    assert not marks.path.exists()
    marks.put("1")
    marks.save()
    marks.take_back("1")
    marks.save()
    assert Marks(marks.path, of="mouse").n_units == 0
    with pytest.raises(ValueError, match="leaves out nothing"):
        read_curation(marks.path)
    marks.put("1", reason="?")
    with pytest.raises(ValueError, match="has '\\?' in it"):
        marks.save()


def test_put__everywhere_includes_each_session(tmp_path):
    marks = Marks(tmp_path / "c.yaml", of="mouse")
    marks.put("1", session="2")
    marks.put("1")
    assert marks.sessions_without("1") == []
    marks.put("1", session="3")
    assert marks.sessions_without("1") == [] and marks.is_left_out("1")
