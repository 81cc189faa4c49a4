"""A proposed file is a study: it loads, finds what lies there, and runs."""

from __future__ import annotations

import pytest
from studies_help import make_mouse, write_mice

import neurodrift as nd
from neurodrift.io.nwb.session import session_from_recording
from neurodrift.io.nwb.write import write_session
from neurodrift.studies.plan import load_plan
from neurodrift.studies.propose import propose_study
from neurodrift.studies.recordings import find_recordings


def write_nwb(folder, mouse):
    folder.mkdir(parents=True, exist_ok=True)
    for label in mouse["session"].values:
        name = f"{mouse['subject'].item()}_{label}.nwb".replace("/", "-")
        write_session(session_from_recording(mouse, str(label)), folder / name)


def names(path, scratch):
    scratch.mkdir()
    return [one.name for one in find_recordings(load_plan(path), scratch).recordings]


@pytest.mark.parametrize("where", ["data/study.yaml", "study.yaml", "else/where/study.yaml"])
def test_propose_study__finds_what_lies_there(tmp_path, where):
    data = tmp_path / "data"
    write_nwb(data / "a [1]", make_mouse(0, "n1"))
    write_nwb(data, make_mouse(1, "n2"))
    (data / "stores").mkdir()
    write_mice(data / "stores", 2)
    (data / "notes.csv").write_text("x")
    (data / "study").mkdir()
    (data / "study" / "study.json").write_text("{}")
    write_mice(data / "study", 1)
    path = tmp_path / where
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(propose_study(data, path))
    found = names(path, tmp_path / "scratch")
    assert sorted(found) == [f"{m} linear track" for m in ("m0", "m1", "n1", "n2")]
    assert "# n1 linear track: 3 sessions" in path.read_text()


def test_propose_study__runs(tmp_path):
    (tmp_path / "data").mkdir()
    write_mice(tmp_path / "data", 1)
    path = tmp_path / "study.yaml"
    text = propose_study(tmp_path / "data", path)
    path.write_text(text + "questions: [n_active ~ day]\n")
    found = nd.study(path, tmp_path / "out", reports=False)
    assert list(found["recordings"].children) == ["m0 linear track"]
    path.write_text(propose_study(tmp_path, path))  # beside the study: it is passed over
    assert names(path, tmp_path / "scratch") == ["m0 linear track"]


@pytest.mark.parametrize("name", ["null", "010", "a: b", "#1", "é*", "yes", "{x}", "- m"])
def test_propose_study__names_that_yaml_reads_otherwise(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    nd.save_recording(make_mouse(0, name), folder / f"{name}.zarr")
    path = tmp_path / "study.yaml"
    text = propose_study(folder, path)
    told = text.replace("# factors:", "factors:").replace("#   genotype:", "  genotype:")
    path.write_text(told.replace("#     ", "    "))
    plan = load_plan(path)
    assert plan.title == f"Drift in {name}" and plan.factors == {"genotype": {name: "wild type"}}
    assert names(path, tmp_path / "scratch") == [f"{name} linear track"]


def test_propose_study__a_title_for_the_page(tmp_path):
    write_mice(tmp_path, 2)
    path = tmp_path / "mice.yaml"
    path.write_text(propose_study(tmp_path, path))
    assert load_plan(path).title == "Drift in m0 and m1"
    for i in (2, 3, 4):
        nd.save_recording(make_mouse(i, f"m{i}"), tmp_path / f"m{i}.zarr")
    path.write_text(propose_study(tmp_path, path))
    assert load_plan(path).title == "Drift in 5 animals"
    path.write_text("recordings: [{path: m0.zarr}]\n")
    assert load_plan(path).title == "mice"  # without one, the name of the file


def test_propose_study__a_sweep(tmp_path):
    from neurodrift.simulate.sweep import run_sweep

    (tmp_path / "sweep.yaml").write_text(
        "task: {name: random}\nnetwork: {n_hidden: 8}\nn_steps: 20\nmeasures: 2\nsnapshots: 2\n"
        "sweep:\n  runs_per_task: 1\n  ranges: [{key: seed, integers: [0, 1]}]\n"
    )
    run_sweep(tmp_path / "sweep.yaml", tmp_path / "s.zarr", workers=0)
    path = tmp_path / "study.yaml"
    path.write_text(propose_study(tmp_path, path))
    assert names(path, tmp_path / "scratch") == ["s run 0", "s run 1"]


def test_propose_study__nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        propose_study(tmp_path / "none")
    with pytest.raises(ValueError, match="holds no recording, NWB file or sweep$"):
        propose_study(tmp_path)
    (tmp_path / "spikes.mat").write_bytes(b"x")
    with pytest.raises(ValueError, match="it has spikes.mat: make NWB files of them first"):
        propose_study(tmp_path)


def test_propose_study__a_file_that_cannot_be_read_is_told(tmp_path):
    write_nwb(tmp_path, make_mouse(0, "n1"))
    (tmp_path / "broken.nwb").write_bytes(b"nothing")
    path = tmp_path / "study.yaml"
    path.write_text(propose_study(tmp_path, path))
    assert "# broken cannot be read: " in path.read_text()
    assert names(path, tmp_path / "scratch") == ["n1 linear track", "broken"]


@pytest.mark.parametrize("folder", ["data", "./data", "."])
def test_propose_study__a_folder_beside_this_one(tmp_path, monkeypatch, folder):
    write_nwb(tmp_path / "data", make_mouse(0, "n1"))
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "study.yaml"
    path.write_text(propose_study(folder, "study.yaml"))
    assert len(names(path, tmp_path / "scratch")) == 1
