"""Which recordings a study has, from files, stores, sweeps and data sets."""

from __future__ import annotations

import os

import pytest
from studies_help import make_mouse, write_mice

import neurodrift as nd
from neurodrift.io.nwb.session import session_from_recording
from neurodrift.io.nwb.write import write_session
from neurodrift.simulate.sweep import run_sweep
from neurodrift.studies.one import recording_of
from neurodrift.studies.plan import load_plan
from neurodrift.studies.recordings import file_name, find_recordings


@pytest.fixture
def find(tmp_path):
    def found(*entries, **given):
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        plan = load_plan({"recordings": list(entries)} | given, folder=tmp_path)
        return find_recordings(plan, out)

    return found


def write_nwb(folder, mouse):
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{mouse['subject'].item()}_{mouse['environment'].item()}".replace(" ", "_")
    for label in mouse["session"].values:
        session = session_from_recording(mouse, str(label))
        write_session(session, folder / f"{name}_{label}.nwb")


def names(found):
    return [one.name for one in found.recordings]


def test_find_recordings__nwb_by_animal_and_environment(find, tmp_path):
    for seed, (subject, place) in enumerate([("m1", "A"), ("m1", "B"), ("m2", "A")]):
        write_nwb(tmp_path / "nwb" / subject, make_mouse(seed, subject, place))
    for entry in ({"path": "nwb/*/*.nwb"}, {"path": "nwb"}, {"path": str(tmp_path / "nwb")}):
        found = find(entry)
        assert names(found) == ["m1 A", "m1 B", "m2 A"]
        assert [len(one.files) for one in found.recordings] == [3, 3, 3]
        assert {one.kind for one in found.recordings} == {"nwb"}
    one = found.recordings[1]
    assert (one.subject, one.environment) == ("m1", "B")
    imported = recording_of(one, tmp_path / "out")
    assert imported.sizes["session"] == 3 and imported["subject"].item() == "m1"


def test_find_recordings__stores(find, tmp_path):
    write_mice(tmp_path, 3)
    found = find({"path": ["m2.zarr", "m[01].zarr", "m*.zarr"]})
    assert names(found) == ["m2 linear track", "m0 linear track", "m1 linear track"]
    assert all(one.files[0].is_absolute() for one in found.recordings)


def test_find_recordings__a_name_that_looks_like_a_pattern(find, tmp_path):
    nd.save_recording(make_mouse(), tmp_path / "m[1].zarr")
    assert names(find({"path": "m[1].zarr"})) == ["m0 linear track"]


def test_find_recordings__patterns_pass_over_what_is_none(find, tmp_path):
    (path,) = write_mice(tmp_path, 1)
    results = nd.analyze(nd.open_recording(path), measures=["sparsity"])
    nd.save_results(results, tmp_path / "r.zarr")
    (tmp_path / "notes.zarr").mkdir()
    found = find({"path": "*.zarr"})
    assert names(found) == ["m0 linear track"]
    assert len(found.notes) == 2 and "results of an analysis" in " ".join(found.notes)
    with pytest.raises(ValueError, match="results of an analysis, expected the recording"):
        find({"path": "r.zarr"})


def test_find_recordings__patterns_do_not_meet_studies(find, tmp_path):
    write_mice(tmp_path, 1)
    for name in ("out", "elsewhere"):
        (tmp_path / name / "recordings").mkdir(parents=True)
        write_mice(tmp_path / name / "recordings", 1)
    (tmp_path / "elsewhere" / "study.json").write_text("{}")
    assert names(find({"path": "**/*.zarr"})) == ["m0 linear track"]
    named = find({"path": "elsewhere/recordings/m0.zarr"})  # whoever names it means it
    assert names(named) == ["m0 linear track"]


def test_find_recordings__runs_of_a_sweep(find, tmp_path):
    config = tmp_path / "sweep.yaml"
    config.write_text(
        "task: {name: random}\nnetwork: {n_hidden: 8}\nn_steps: 20\nmeasures: 2\nsnapshots: 3\n"
        "sweep:\n  runs_per_task: 1\n  ranges: [{key: seed, integers: [0, 2]}]\n"
    )
    run_sweep(config, tmp_path / "s.zarr", workers=0)
    found = find({"sweep": "s.zarr"})
    assert [one.run for one in found.recordings] == [0, 1, 2]
    chosen = find({"sweep": "s.zarr", "runs": [2, 0], "factors": {"noise": 0.1}})
    assert names(chosen) == ["s run 2", "s run 0"]
    assert chosen.recordings[0].factors == {"noise": 0.1}
    assert recording_of(chosen.recordings[0], tmp_path / "out").sizes["session"] == 3
    with pytest.raises(ValueError, match="has no run 7"):
        find({"sweep": "s.zarr", "runs": [7]})
    with pytest.raises(ValueError, match="write `sweep: s.zarr`"):
        find({"path": "s.zarr"})
    with pytest.raises(ValueError, match=r"recordings\[0\].sweep"):
        find({"sweep": "none.zarr"})


def test_find_recordings__unknown_data_set(find):
    with pytest.raises(ValueError, match=r"recordings\[0\].data_set: .*nobody2020"):
        find({"data_set": "nobody2020", "source": "raw"})


def test_find_recordings__a_converter_that_was_killed_starts_anew(find, tmp_path, monkeypatch):
    import neurodrift.convert

    calls = []

    def converter(name):
        def convert(source, out):
            calls.append(source)
            out.mkdir(parents=True)
            write_nwb(out, make_mouse(subject="C1"))
            if len(calls) == 1:
                raise KeyboardInterrupt

        return convert

    monkeypatch.setattr(neurodrift.convert, "converter", converter)
    entry = {"data_set": "sheintuch2020", "source": "raw"}
    with pytest.raises(KeyboardInterrupt):
        find(entry)
    assert names(find(entry)) == ["C1 linear track"]
    find(entry)
    assert calls == [tmp_path / "raw"] * 2


def test_find_recordings__twins_and_same_names(find, tmp_path):
    write_mice(tmp_path, 1)
    with pytest.raises(ValueError, match="m0 linear track stands twice"):
        find({"path": "m0.zarr"}, {"path": "*.zarr"})
    nd.save_recording(make_mouse(9), tmp_path / "other.zarr")
    assert names(find({"path": "*.zarr"})) == ["m0 linear track", "m0 linear track (2)"]
    named = find({"path": "m0.zarr", "name": "first"}, {"path": "other.zarr", "name": "FIRST"})
    assert names(named) == ["first", "FIRST (2)"]
    assert len({one.slug.casefold() for one in named.recordings}) == 2
    with pytest.raises(ValueError, match="a name for 2 recordings"):
        find({"path": "*.zarr", "name": "one"})


def test_find_recordings__factors(find, tmp_path):
    write_mice(tmp_path, 2)
    table = {"genotype": {"m0": "wt", "m1": "ko"}, "dose": {"m1 linear track": 2}}
    found = find({"path": "*.zarr", "factors": {"dose": 1}}, factors=table)
    assert [one.factors for one in found.recordings] == [
        {"dose": 1, "genotype": "wt"},
        {"dose": 2, "genotype": "ko"},
    ]
    with pytest.raises(ValueError, match="factors.genotype.m7: no such animal.*m0, m0 linear"):
        find({"path": "*.zarr"}, factors={"genotype": {"m7": "wt"}})
    with pytest.raises(ValueError, match="intervention.day.m7: no such animal"):
        find({"path": "*.zarr"}, intervention={"day": {"m7": 2}})


def test_find_recordings__what_cannot_be_read_has_its_fault(find, tmp_path):
    write_mice(tmp_path, 1)
    (tmp_path / "broken.nwb").write_bytes(b"no file of HDF5")
    (tmp_path / "empty.nwb").write_bytes(b"")
    found = find({"path": ["*.nwb", "gone.nwb", "m0.zarr"]})
    assert names(found) == ["m0 linear track", "broken", "empty", "gone"]
    assert [bool(one.fault) for one in found.recordings] == [False, True, True, True]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"path": "*.zarr"}, r"recordings\[0\].path: \*.zarr: no NWB file"),
        ({"path": "notes.txt"}, "neurodrift inspect"),
        ({"path": "folder"}, "no NWB file"),
        ({"path": "*.nwb", "curation": "c.yaml"}, "no curation file"),
    ],
)
def test_find_recordings__entries_that_stand_for_nothing(find, tmp_path, entry, told):
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ValueError, match=told):
        find(entry)


def test_find_recordings__files_are_looked_at_once(find, tmp_path, monkeypatch):
    import neurodrift.io.zarr

    paths = write_mice(tmp_path, 2)
    find({"path": "*.zarr"})
    looked = []
    real = neurodrift.io.zarr.open_recording
    monkeypatch.setattr(
        neurodrift.io.zarr, "open_recording", lambda path: (looked.append(path), real(path))[1]
    )
    find({"path": "*.zarr"})
    assert looked == []
    nd.save_recording(make_mouse(5, "m5"), paths[1], overwrite=True)
    assert names(find({"path": "*.zarr"})) == ["m0 linear track", "m5 linear track"]
    assert looked == [paths[1]]


def test_file_name__is_safe():
    for name in ("../../etc", "a/b", "..", "", "é ü", "x" * 300, "a\nb", "C:\\x"):
        made = file_name(name)
        assert made and len(made) <= 100 and not set("/\\:\n") & set(made)
        assert made not in (".", "..") and os.path.basename(made) == made
