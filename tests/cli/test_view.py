from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.cli import main
from neurodrift.viewer import serve


@pytest.fixture
def stores(tmp_path):
    track = nd.testing.linear_track(n_units=4, n_sessions=2, minutes=1)
    nd.save_recording(track, tmp_path / "mouse.zarr")
    results = nd.analyze(track, measures=["sparsity"])
    nd.save_results(results, tmp_path / "mouse-results.zarr")
    return tmp_path


@pytest.fixture
def asked(monkeypatch):
    """What the command asks the view for."""
    calls = []

    def view(what, recording, **options):
        calls.append((what, recording, options))
        marks = SimpleNamespace(path=Path(options["curation"]), unsaved=False)
        return SimpleNamespace(marks=marks)

    monkeypatch.setattr(serve, "view", view)
    return calls


def test_view__results_and_their_recording(stores, asked):
    words = ["view", str(stores / "mouse-results.zarr"), "--recording", str(stores / "mouse.zarr")]
    options = ["--port", "8123", "--no-browser", "--by", "A. Person", "--bin-width", "5"]
    assert main([*words, *options]) == 0
    ((what, recording, given),) = asked
    assert isinstance(what, xr.DataTree) and recording.sizes["unit"] == 4
    assert given["curation"] == stores / "mouse-curation.yaml"
    assert (given["port"], given["browser"], given["by"]) == (8123, False, "A. Person")
    assert given["binning"].bin_width == 5


def test_view__recording_alone(stores, asked, tmp_path):
    file = str(tmp_path / "mine.yaml")
    assert main(["view", str(stores / "mouse.zarr"), "--curation", file, "--overwrite"]) == 0
    ((what, recording, given),) = asked
    assert isinstance(what, xr.Dataset) and recording is None
    assert given["curation"] == Path(file) and given["overwrite"] and given["browser"]


def test_view__refuses_what_does_not_fit(stores, asked, capsys):
    mouse, results = str(stores / "mouse.zarr"), str(stores / "mouse-results.zarr")
    assert main(["view", mouse, "--recording", mouse]) == 2
    assert "--recording is for results" in capsys.readouterr().err
    assert main(["view", results, "--run", "1"]) == 2
    assert "--run 1 is for sweeps" in capsys.readouterr().err
    assert main(["view", str(stores / "none.zarr")]) == 2
    assert "no store at" in capsys.readouterr().err
    assert asked == []
