"""Commands on the workers of a scheduler do, print and refuse what they do here."""

from __future__ import annotations

import json

import numpy as np
import pytest

import neurodrift as nd
from neurodrift import testing
from neurodrift.cli import main
from neurodrift.io.nwb.session import session_from_recording
from neurodrift.io.nwb.write import write_session


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """A scheduler with a worker whose current folder is another one."""
    from distributed import Client, LocalCluster

    elsewhere = tmp_path_factory.mktemp("worker")
    with LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        dashboard_address=":0",
        local_directory=str(elsewhere),
    ) as cluster:
        with Client(cluster) as client:
            client.run(__import__("os").chdir, str(elsewhere))
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def mouse():
    return testing.linear_track(n_units=4, n_sessions=2, minutes=2)


@pytest.fixture
def here(mouse, tmp_path, monkeypatch):
    for label in ("1", "2"):
        write_session(session_from_recording(mouse, label), tmp_path / f"{label}.nwb")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_import__on_a_scheduler(here, address, capsys):
    words = ["import", "1.nwb", "2.nwb"]
    assert main([*words, "-o", "here.zarr"]) == 0
    said = capsys.readouterr().out
    assert main([*words, "-o", "there.zarr", "--scheduler", address]) == 0
    there = capsys.readouterr().out
    assert "2 sessions, 4 units" in there and said.splitlines()[1] == there.splitlines()[1]
    one, other = (nd.open_recording(here / f"{name}.zarr") for name in ("here", "there"))
    np.testing.assert_array_equal(one["activity"].values, other["activity"].values)
    assert one.identical(other)


def test_report__on_a_scheduler(here, mouse, address, capsys):
    nd.save_results(nd.analyze(mouse, n_repeats=5, match=None), here / "r.zarr")
    assert main(["report", "r.zarr", "-o", "here.html"]) == 0
    capsys.readouterr()
    assert main(["report", "r.zarr", "-o", "there.html", "--json", "--scheduler", address]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["bytes"] == (here / "there.html").stat().st_size
    assert (here / "here.html").read_bytes() == (here / "there.html").read_bytes()


def test_convert__on_a_scheduler(here, address, capsys):
    assert main(["convert", "arrays", "m.yaml", "--init", "--scheduler", address]) == 0
    assert "complete it" in capsys.readouterr().out and (here / "m.yaml").is_file()


def test_scheduler__errors_are_the_same(here, address, capsys):
    assert main(["import", "none.nwb", "-o", "x.zarr", "--scheduler", address]) == 2
    told = capsys.readouterr().err
    assert told.startswith("neurodrift import: ") and "none.nwb" in told and "Trace" not in told
    (here / "x.zarr").write_text("mine")
    assert main(["import", "1.nwb", "-o", "x.zarr", "--scheduler", address]) == 2
    assert (here / "x.zarr").read_text() == "mine"


def test_scheduler__nobody_there(here, capsys, monkeypatch):
    import dask

    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        words = ["import", "1.nwb", "-o", "x.zarr", "--scheduler", "tcp://127.0.0.1:9"]
        assert main(words) == 2
    assert "127.0.0.1:9" in capsys.readouterr().err
