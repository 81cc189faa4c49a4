"""A study from end to end: once, again, interrupted, with what fails, alone and on workers."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from studies_help import FAST, QUESTIONS, digest, make_mouse, plan_of, same, unlike, write_mice

import neurodrift as nd
from neurodrift.io.output import held
from neurodrift.seeds import generator
from neurodrift.studies.plan import load_plan

N_KILLS = int(os.environ.get("NEURODRIFT_KILLS", "2"))


def run(folder, out, *, reports=False, **given):
    return nd.study(plan_of(folder, **given), out, reports=reports)


def test_study__answers_are_those_of_its_parts(mice, study):
    plan = load_plan(plan_of(mice))
    trees = {
        f"m{i} linear track": nd.analyze(nd.open_recording(mice / f"m{i}.zarr"), **plan.options)
        for i in range(2)
    }
    pooled = nd.pool_animals(trees, questions=QUESTIONS)
    for name in ("answers", "animals"):
        xr.testing.assert_identical(
            study[0][name].to_dataset(inherit=False), pooled[name].to_dataset(inherit=False)
        )


def test_study__what_it_leaves(study):
    found, out = study
    same(nd.open_results(out / "study.zarr"), found)
    assert sorted(p.stem for p in (out / "results").glob("*.zarr")) == [
        "m0_linear_track",
        "m1_linear_track",
    ]
    tables = {path.stem: pd.read_csv(path) for path in (out / "tables").glob("*.csv")}
    assert set(tables) == {"answers", "animals", "recordings", "sessions", "pairs"}
    assert tables["recordings"]["state"].tolist() == ["analysed"] * 2
    assert tables["recordings"]["n_units"].tolist() == [6] * 2
    assert len(tables["sessions"]) == 6 and list(tables["sessions"])[0] == "recording"
    told = json.loads((out / "study.json").read_text())
    assert [one["state"] for one in told["recordings"]] == ["made"] * 2


def test_study__again_computes_nothing(mice, study, out, computed):
    before = digest(out)
    same(run(mice, out), study[0])
    assert computed == [] and unlike(out, before) == []


def test_study__an_added_animal_costs_its_own(mice, tmp_path, out, computed):
    nd.save_recording(make_mouse(7, "m7"), tmp_path / "m7.zarr")
    found = run(mice, out, recordings=[{"path": [f"{mice}/*.zarr", f"{tmp_path}/m7.zarr"]}])
    assert computed and len(computed) == len(set(computed))  # each node once: of one recording
    assert list(found["recordings"].children)[-1] == "m7 linear track"


def test_study__a_changed_option_costs_what_follows_from_it(mice, tmp_path, out, computed):
    changed = FAST | {"alpha": 0.2}
    found = run(mice, out, analysis=changed)
    first = set(computed)
    assert "place_cells" in first and not first & {"sparsity", "maps", "information"}
    computed.clear()
    same(found, run(mice, tmp_path / "anew", analysis=changed))
    assert set(computed) > first


def test_study__other_questions_cost_nothing(mice, out, computed):
    found = run(mice, out, questions=["n_active ~ session_number"])
    assert computed == []
    assert found["answers"]["question"].values.tolist() == ["n_active ~ session_number"]


def test_study__a_misspelt_measure_is_said_after_the_first_recording(mice, out, computed):
    asked = ["informaton ~ day"]
    with (
        pytest.warns(UserWarning, match="m0 .* cannot answer .* 'informaton'; there are .*"),
        pytest.raises(ValueError, match="'informaton'"),
    ):
        run(mice, out, questions=asked)
    assert computed == []  # what was analysed is kept


def test_study__a_changed_recording_is_analysed_again(tmp_path, computed):
    write_mice(tmp_path, 2)
    run(tmp_path, tmp_path / "out")
    computed.clear()
    nd.save_recording(make_mouse(8, "m1"), tmp_path / "m1.zarr", overwrite=True)
    found = run(tmp_path, tmp_path / "out")
    assert computed and len(computed) == len(set(computed))
    same(found, run(tmp_path, tmp_path / "anew"))


def test_study__reports_follow_the_results(tmp_path):
    write_mice(tmp_path, 1)
    out, page = tmp_path / "out", tmp_path / "out" / "animals" / "m0_linear_track.html"
    run(tmp_path, out, reports=True)
    before = page.read_bytes()
    assert b"</html>" in before[-200:]
    changed = FAST | {"bin_width": 8}
    run(tmp_path, out, analysis=changed)  # without reports: the old one shows other results
    assert not page.exists()
    run(tmp_path, out, analysis=changed, reports=True)
    assert page.read_bytes() != before


def test_study__a_recording_that_fails_does_not_stop_others(mice, tmp_path, study, out):
    (tmp_path / "broken.nwb").write_bytes(b"nothing")
    write_mice(tmp_path, 1)
    shutil.rmtree(tmp_path / "m0.zarr" / "activity")
    paths = [f"{mice}/*.zarr", f"{tmp_path}/m0.zarr", f"{tmp_path}/broken.nwb"]
    found = run(mice, out, recordings=[{"path": paths}])
    failed = json.loads(found.attrs["failed"])
    assert sorted(failed) == ["broken", "m0 linear track (2)"] or sorted(failed) == ["broken", "m0"]
    assert all(failed.values())
    table = pd.read_csv(out / "tables" / "recordings.csv")
    assert table["state"].tolist().count("failed") == 2
    assert list(found["recordings"].children) == list(study[0]["recordings"].children)


def test_study__an_error_that_nobody_foresaw_is_told(mice, tmp_path, monkeypatch):
    import neurodrift.analysis.analyze as module

    real = module.analyze

    def analyze(recording, **given):
        if recording["subject"].item() == "m1":
            raise ZeroDivisionError("by zero")
        return real(recording, **given)

    monkeypatch.setattr(module, "analyze", analyze)
    found = run(mice, tmp_path / "out")  # a folder of its own: nothing is known
    assert json.loads(found.attrs["failed"]) == {"m1 linear track": "ZeroDivisionError: by zero"}


def test_study__all_failing(tmp_path):
    (tmp_path / "a.nwb").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="(?s)none of 1 recordings could be analysed:\n- a: ."):
        nd.study({"recordings": [{"path": f"{tmp_path}/*.nwb"}]}, tmp_path / "out")
    assert not (tmp_path / "out" / "study.zarr").exists()


def test_study__one_writer_at_a_time(mice, tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom neurodrift.io.output import held\n"
        "with held(Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "out")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(FileExistsError, match="is being written"):
            run(mice, tmp_path / "out")
        other.stdin.close()
    with held(tmp_path / "out"):
        pass


@pytest.mark.parametrize("there", ["notes.txt", "study.json"])
def test_study__a_folder_of_something_else_is_kept(mice, tmp_path, there):
    out = tmp_path / "out"
    out.mkdir()
    (out / there).write_text('{"title": "mine"}')
    with pytest.raises(FileExistsError, match="no study, and was kept"):
        run(mice, out)
    assert [path.name for path in out.iterdir()] == [there]
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileExistsError, match="is a file"):
        run(mice, tmp_path / "file")


def test_study__factors_and_intervention(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    write_mice(folder, 4, n_sessions=3, n_units=3)
    found = run(
        folder,
        tmp_path / "out",
        factors={
            "genotype": {"m0": "wt", "m1": "wt", "m2": "ko", "m3": "ko"},
            "dose": {"m0": 1.5, "m1": 2, "m2": "none"},
        },
        intervention={"day": {f"m{i}": 3 + i % 2 for i in range(4)}},
        questions=["n_active ~ genotype * day", "n_active ~ intervention"],
    )
    assert found["answers"]["question"].values.tolist() == [
        "n_active ~ genotype * day",
        "n_active ~ intervention",
    ]
    table = pd.read_csv(tmp_path / "out" / "tables" / "recordings.csv", keep_default_na=False)
    assert table["genotype"].tolist() == ["wt", "wt", "ko", "ko"]
    assert table["dose"].tolist() == ["1.5", "2", "none", ""]
    assert found["members"]["dose"].values.tolist() == ["1.5", "2", "none", ""]
    after = found["sessions"].to_dataset()
    assert json.loads(found.attrs["intervention"])["day"]["m1"] == 4
    assert after.sizes


def test_study__curation(tmp_path, computed):
    mice = tmp_path
    write_mice(mice, 1)
    curation = tmp_path / "out.yaml"
    curation.write_text("sessions:\n  - {session: '2', reason: 'no light'}\n")
    entry = {"path": f"{mice}/*.zarr", "curation": str(curation)}
    found = run(mice, tmp_path / "out", recordings=[entry])
    sizes = {node["sessions"].sizes["session"] for node in found["recordings"].children.values()}
    assert sizes == {2}
    n = len(computed)
    run(mice, tmp_path / "out", recordings=[entry])
    assert len(computed) == n
    curation.write_text("sessions:\n  - {session: '3', reason: 'no light'}\n")
    run(mice, tmp_path / "out", recordings=[entry])
    assert len(computed) > n


def test_study__one_session_and_one_animal(tmp_path):
    nd.save_recording(make_mouse(n_sessions=1), tmp_path / "m.zarr")
    found = nd.study(
        plan_of(tmp_path, questions=["n_active ~ environment"]), tmp_path / "out", reports=False
    )
    assert found["answers"]["reason"].values.any()
    assert pd.read_csv(tmp_path / "out" / "tables" / "recordings.csv")["n_sessions"].tolist() == [1]


def test_study__speed_without_end_and_few_measures(tmp_path):
    write_mice(tmp_path, 1)
    file = tmp_path / "study.yaml"
    file.write_text(
        "recordings: [{path: '*.zarr'}]\nquestions: [n_active ~ day]\n"
        "analysis: {measures: [maps], match: none, speed_range: [2, .inf], track: [0, 100]}\n"
    )
    nd.study(file, tmp_path / "out", reports=False)
    stored = nd.open_results(tmp_path / "out" / "results" / "m0_linear_track.zarr")
    binning = json.loads(json.loads(json.dumps(stored.attrs["parameters"])))["binning"]
    assert (binning["edges"][0], binning["edges"][-1]) == (0, 100)  # the track
    assert binning["speed_range"] == [2, None]


def test_study__warnings_are_told_each_time(tmp_path):
    nd.save_recording(make_mouse(), tmp_path / "m.zarr")
    wide = plan_of(tmp_path, analysis=FAST | {"bin_width": 60})
    told = []
    for _ in range(2):
        nd.study(wide, tmp_path / "out", reports=False)
        told.append(digest(tmp_path / "out"))
        table = pd.read_csv(tmp_path / "out" / "tables" / "recordings.csv")
        assert "smaller bin_width" in table["warnings"][0]
    assert unlike(*told) == []


def test_study__workers_change_nothing(mice, tmp_path):
    (tmp_path / "broken.nwb").write_bytes(b"nothing")
    plan = plan_of(mice, recordings=[{"path": [f"{mice}/*.zarr", f"{tmp_path}/*.nwb"]}])
    for out, workers in (("alone", 0), ("two", 2)):
        nd.study(plan, tmp_path / out, workers=workers)
    assert unlike(tmp_path / "alone", tmp_path / "two") == []
    assert list((tmp_path / "two" / "animals").glob("*.html"))


@pytest.mark.parametrize("workers", [-1, 1.5, "two", True])
def test_study__workers_are_counted(mice, tmp_path, workers):
    with pytest.raises(ValueError, match="workers"):
        nd.study(plan_of(mice), tmp_path / "out", workers=workers)


def test_study__on_a_scheduler(mice, tmp_path, study, monkeypatch):
    """Paths are the driver's, whatever the folder of the workers."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", local_directory=str(tmp_path)
    ) as cluster:
        monkeypatch.chdir(mice)
        entries = [{"path": "*.zarr"}]
        found = nd.study(
            plan_of(mice, recordings=entries),
            os.path.relpath(tmp_path / "out"),
            scheduler=cluster.scheduler_address,
            reports=False,
        )
    same(found, study[0])


def start(file, out, *more):
    return subprocess.Popen(
        [sys.executable, "-m", "neurodrift.cli", "study", str(file), "-o", str(out), *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )


@pytest.fixture
def file(mice, tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(plan_of(mice, analysis=FAST | {"n_repeats": 50})))
    return path


def test_study__killed_at_random_moments(file, tmp_path):
    """More kills: NEURODRIFT_KILLS=5 python -m pytest tests/studies/test_run.py -k random -s"""
    nd.study(file, tmp_path / "expected")
    expected, out = digest(tmp_path / "expected"), tmp_path / "out"
    rng = generator(int(os.environ.get("NEURODRIFT_KILL_SEED", "0")), "study kills")
    killed = 0
    number = 0
    while killed < N_KILLS and number < 20 * N_KILLS:
        number += 1
        running = start(file, out, "--workers", "0")
        end = time.monotonic() + 60
        while running.poll() is None and not (out / "files.json").exists():
            time.sleep(0.01)
            assert time.monotonic() < end
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(rng.uniform(0, 2.5))
        if running.poll() is None:
            running.send_signal(signal.SIGKILL)
            killed += 1
        running.communicate()
        if running.returncode == 0:
            shutil.rmtree(out)  # it was done before it was killed
    nd.study(file, out)
    print(f"{killed} kills in {number} runs")
    assert killed == N_KILLS and unlike(out, expected) == []


def test_study__what_a_kill_left_is_no_warning_of_a_recording(file, tmp_path):
    nd.study(file, tmp_path / "out")
    before = digest(tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "results")
    for node in list((tmp_path / "out" / "cache").glob("*/*.zarr")):
        node.rename(node.with_name(f".{node.name}.0123abcd.unfinished"))
    nd.study(file, tmp_path / "out")
    assert unlike(tmp_path / "out", before) == []


@pytest.mark.parametrize("workers", [0, 2])
def test_study__ctrl_c_ends_it_soon(file, tmp_path, workers):
    out = tmp_path / "out"
    running = start(file, out, "--workers", str(workers))
    while running.poll() is None and not list(out.glob("cache/*/*.zarr")):
        time.sleep(0.05)
    began = time.monotonic()
    running.send_signal(signal.SIGINT)
    told = running.communicate(timeout=20)[1].decode()
    assert (
        running.returncode == 130 and time.monotonic() - began < 10
    )  # 2 s where nothing else runs
    assert "interrupted" in told and "Traceback" not in told
    for path in [*out.glob("results/*.zarr"), *out.glob("cache/*/*.zarr")]:
        nd.open_results(path)
    nd.study(file, out)
    nd.study(file, tmp_path / "anew")
    assert unlike(out, tmp_path / "anew") == []
    assert np.isfinite(nd.open_results(out / "study.zarr")["answers"]["n_animals"]).all()
