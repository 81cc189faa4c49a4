"""Commands end to end, in this process, on small stores."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.cli import main
from neurodrift.io.nwb.session import session_from_recording
from neurodrift.io.nwb.write import write_session
from neurodrift.report.cautions import cautions
from neurodrift.report.view import views


@pytest.fixture(scope="module")
def mouse():
    return nd.testing.linear_track(n_units=6, n_sessions=3, minutes=3, detection=0.8, seed=1)


@pytest.fixture(scope="module")
def files(mouse, tmp_path_factory):
    folder = tmp_path_factory.mktemp("nwb")
    return [
        str(write_session(session_from_recording(mouse, label), folder / f"{label}.nwb"))
        for label in mouse["session"].values
    ]


@pytest.fixture(scope="module")
def stored(files, tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "mouse.zarr"
    assert main(["import", *files, "-o", str(path)]) == 0
    return path


def test_import__is_the_recording_that_was_written(stored, mouse):
    found = nd.open_recording(stored)
    expected = mouse.sel(unit=found["unit"].values)
    np.testing.assert_array_equal(found["activity"].values, expected["activity"].values)
    np.testing.assert_array_equal(found["detected"].values, expected["detected"].values)
    np.testing.assert_allclose(found["x"].values, expected["x"].values, rtol=1e-12)


def test_import__keeps_what_exists(stored, files, capsys):
    before = (stored / "zarr.json").stat().st_mtime_ns
    assert main(["import", *files, "-o", str(stored)]) == 2
    assert "exists and was kept" in capsys.readouterr().err
    assert (stored / "zarr.json").stat().st_mtime_ns == before


def test_import__missing_file_leaves_nothing(tmp_path, capsys):
    out = tmp_path / "out.zarr"
    assert main(["import", str(tmp_path / "none.nwb"), "-o", str(out)]) == 2
    assert "none.nwb" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_analyze__stores_every_node_and_prints_sessions(stored, tmp_path, capsys):
    out = tmp_path / "results.zarr"
    options = ["--bin-width", "5", "--track", "0", "100", "--n-repeats", "10", "--workers", "2"]
    assert main(["analyze", str(stored), "-o", str(out), *options]) == 0
    printed = capsys.readouterr().out
    assert "place cells" in printed
    assert "slopes on day" in printed
    results = nd.open_results(out)
    nodes = {"maps", "place_cells", "information", "sparsity", "drift", "session_drift"}
    assert nodes <= set(results.children)
    assert results["maps"].sizes["position"] == 20
    assert results.attrs["source"] == str(stored)


def test_analyze__equals_the_function_on_arrays_in_memory(stored, tmp_path):
    out = tmp_path / "results.zarr"
    assert main(["analyze", str(stored), "-o", str(out), "--n-repeats", "10"]) == 0
    expected = nd.analyze(nd.open_recording(stored).load(), n_repeats=10)
    found = nd.open_results(out)
    assert set(found.children) == set(expected.children)
    for name in expected.children:
        for variable, array in expected[name].data_vars.items():
            np.testing.assert_array_equal(found[name][variable].values, array.values)


def test_analyze__same_bits_on_distributed_workers(stored, tmp_path):
    from distributed import LocalCluster

    threads, cluster = tmp_path / "threads.zarr", tmp_path / "cluster.zarr"
    assert main(["analyze", str(stored), "-o", str(threads), "--n-repeats", "10"]) == 0
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as workers:
        address = ["--scheduler", workers.scheduler_address]
        assert (
            main(["analyze", str(stored), "-o", str(cluster), "--n-repeats", "10", *address]) == 0
        )
    found, expected = nd.open_results(cluster), nd.open_results(threads)
    for name in expected.children:
        for variable, array in expected[name].data_vars.items():
            np.testing.assert_array_equal(found[name][variable].values, array.values)


def test_curation__of_import_and_of_analyze_is_the_same(stored, files, tmp_path, capsys):
    curation = tmp_path / "curation.yaml"
    assert main(["inspect", str(stored), "-o", str(curation)]) == 0
    assert (
        "session 1: " in curation.read_text() and "its clock runs from 0 to" in curation.read_text()
    )
    command = ["analyze", str(stored), "--curation", str(curation), "--n-repeats", "10"]
    assert main([*command, "-o", str(tmp_path / "none.zarr")]) == 2
    assert f"{curation} cannot be used:\n- it leaves out nothing" in capsys.readouterr().err
    curation.write_text(
        "units: [{unit: 0, reason: merged}]\n"
        "epochs: [{session: 2, start: 10, stop: 20, reason: light off}]\n"
    )
    out = tmp_path / "imported.zarr"
    assert main(["import", *files, "--curation", str(curation), "-o", str(out)]) == 0
    assert "200 frames in 1 epoch of session 2 are left out by curation.yaml: light off." in (
        capsys.readouterr().out
    )
    assert main(["analyze", str(out), "--n-repeats", "10", "-o", str(tmp_path / "1.zarr")]) == 0
    assert main([*command, "-o", str(tmp_path / "2.zarr")]) == 0
    assert "1 unit is left out by curation.yaml: merged." in capsys.readouterr().out
    one, other = (nd.open_results(tmp_path / name) for name in ("1.zarr", "2.zarr"))
    for tree in (one, other):
        del tree.attrs["source"]
    xr.testing.assert_identical(one, other)


def test_analyze__wrong_track_is_one_error_and_writes_nothing(stored, tmp_path, capsys):
    out = tmp_path / "results.zarr"
    words = ["analyze", str(stored), "-o", str(out), "--track", "0", "99", "--bin-width", "5"]
    assert main(words) == 2
    assert "whole number of bins" in capsys.readouterr().err
    assert not out.exists()


def test_analyze__newer_format_is_refused(stored, tmp_path, capsys):
    newer = tmp_path / "newer.zarr"
    shutil.copytree(stored, newer)
    meta = newer / "zarr.json"
    meta.write_text(meta.read_text().replace('"format_version": 2', '"format_version": 99'))
    assert main(["analyze", str(newer), "-o", str(tmp_path / "r.zarr")]) == 2
    assert "format version 99" in capsys.readouterr().err


def test_convert__unreadable_source_is_one_error(tmp_path, capsys):
    assert main(["convert", "sheintuch2020", str(tmp_path), "--out", str(tmp_path / "o")]) == 2
    assert str(tmp_path) in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_main__version_and_help(capsys):
    for word in ("--version", "--help"):
        with pytest.raises(SystemExit) as stopped:
            main([word])
        assert stopped.value.code == 0
    assert "analyze" in capsys.readouterr().out


def test_main__debug_shows_where(tmp_path):
    with pytest.raises(FileNotFoundError):
        main(["--debug", "analyze", str(tmp_path / "none.zarr"), "-o", str(tmp_path / "r")])


def _hear_interrupts():
    """What runs in the background of a shell is deaf to them, and so are its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_main__interrupt_is_one_line(tmp_path):
    recording = nd.testing.linear_track(n_units=150, n_sessions=4, minutes=10)
    nd.save_recording(recording, tmp_path / "r.zarr")
    words = ["analyze", "r.zarr", "-o", "o.zarr", "--n-repeats", "5000"]
    with subprocess.Popen(
        [sys.executable, "-m", "neurodrift.cli", *words],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hear_interrupts,
    ) as process:
        time.sleep(8)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error.strip().splitlines()[-1] == "neurodrift analyze: interrupted"
    assert "Traceback" not in error
    assert [path.name for path in tmp_path.iterdir()] == ["r.zarr"]


@pytest.mark.parametrize("sink", ["true", "head -1"])
def test_main__nobody_reads(sink):
    command = f"'{sys.executable}' -m neurodrift.cli catalog list | {sink}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.stderr == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_main__report_that_cannot_say_so_is_written(tmp_path):
    recording = nd.testing.linear_track(n_units=4, n_sessions=2, minutes=2)
    nd.save_results(nd.analyze(recording, n_repeats=5), tmp_path / "results.zarr")
    words = "report results.zarr -o page.html > /dev/full"
    command = f"'{sys.executable}' -m neurodrift.cli {words}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path)
    assert (tmp_path / "page.html").stat().st_size > 10_000
    assert done.returncode == 0 and done.stderr == ""


SIMULATION = ["ratzon2024-track", "--set", "n_steps=5e6", "--set", "snapshots=2"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("sent", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_signals__end_a_training_soon_and_leave_nothing(tmp_path, sent, code, word):
    command = ["simulate", *SIMULATION, "--set", "measures=2", "-o", str(tmp_path / "run.zarr")]
    # the word is said from a thread, when the training has begun
    script = (
        "import sys; from neurodrift.simulate.gradient import _runner; from neurodrift.cli import "
        "main; first = _runner._trainer; "
        "_runner._trainer = lambda *a: (print('begun', flush=True), first(*a))[1]; "
        f"sys.exit(main({command!r}))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hear_interrupts,
    ) as process:
        assert process.stdout.readline() == "begun\n"
        time.sleep(3.0)  # in the kernel
        process.send_signal(sent)
        _, told = process.communicate(timeout=60)
    assert process.returncode == code
    assert told == f"neurodrift simulate: {word}\n"
    assert list(tmp_path.iterdir()) == []


def test_title__in_any_locale(tmp_path, monkeypatch):
    from neurodrift.cli._options import text

    word = "ü 日本"
    monkeypatch.setattr(os, "fsencode", lambda name: name.encode("ascii", "surrogateescape"))
    assert text(word.encode().decode("ascii", "surrogateescape")) == word


def test_analyze__says_frames_off_the_track_and_the_cautions_of_the_report(
    stored, tmp_path, capsys
):
    out = tmp_path / "r.zarr"
    track = ["--track", "0", "72", "--n-repeats", "5", "--n-draws", "1"]
    assert main(["analyze", str(stored), "-o", str(out), *track]) == 0
    said = capsys.readouterr().out
    x = nd.open_recording(stored)["x"].values
    x = x[np.isfinite(x)]
    n = int(((x < 0) | (x > 72)).sum())
    assert n and f"{n} of {x.size} tracked frames" in said and "outside of the track" in said
    found = [one for one in cautions(views(nd.open_results(out))[0]) if one.level != "note"]
    lines = said[said.index("cautions") :].splitlines()
    headings = [line.strip() for line in lines[1:] if line.startswith("  ")]
    assert headings == [f"{one.level}: {one.title}" for one in found[:5]]
    assert headings and "which the report explains" in lines[0]


def test_analyze__warnings_are_a_line_without_code(stored, tmp_path, capsys):
    wide = ["--bin-width", "90", "--measures", "maps"]
    assert main(["analyze", str(stored), "-o", str(tmp_path / "r.zarr"), *wide]) == 0
    said = capsys.readouterr()
    assert "warning: the positions span" in said.out and "--bin-width" in said.out
    assert "UserWarning" not in said.out + said.err
