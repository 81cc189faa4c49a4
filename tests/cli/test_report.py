"""The command ``report``, in this process, on a small store."""

from __future__ import annotations

import pytest

import neurodrift as nd
from neurodrift.cli import main


@pytest.fixture(scope="module")
def recording():
    recording = nd.testing.linear_track(n_units=4, n_sessions=2, minutes=1)
    return recording.drop_vars(["x", "speed", "direction", "trial", "lap"])


@pytest.fixture(scope="module")
def stored(recording, tmp_path_factory):
    path = tmp_path_factory.mktemp("results") / "mouse.zarr"
    return nd.save_results(nd.analyze(recording), path)


def test_report__one_and_several(stored, tmp_path, capsys):
    out = tmp_path / "report.html"
    assert main(["report", str(stored), "-o", str(out), "--title", "My <mouse>"]) == 0
    assert "1 recording\n" in capsys.readouterr().out
    assert "<h1>My &lt;mouse&gt;</h1>" in out.read_text(encoding="utf-8")
    assert main(["report", str(stored), str(stored), "-o", str(out)]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main(["report", str(stored), str(stored), "-o", str(out), "--overwrite"]) == 0
    assert 'role="tablist"' in out.read_text(encoding="utf-8")


def test_report__names_the_store_that_is_no_result(recording, tmp_path, capsys):
    path = nd.save_recording(recording, tmp_path / "recording.zarr")
    assert main(["report", str(path), "-o", str(tmp_path / "report.html")]) == 2
    error = capsys.readouterr().err
    assert str(path) in error and "is a recording, no results" in error
    assert not (tmp_path / "report.html").exists()


def test_report__refuses_a_comparison_that_is_none(stored, tmp_path, capsys):
    out = tmp_path / "report.html"
    assert main(["report", str(stored), "-o", str(out), "--comparison", str(stored)]) == 2
    assert "holds no comparison" in capsys.readouterr().err
