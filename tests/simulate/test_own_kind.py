"""A kind of one's own goes through everything: settings, sweep, store, analysis, commands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.cli import main
from neurodrift.simulate import _workers
from neurodrift.simulate.settings.kinds import KINDS, register
from neurodrift.simulate.sweep import open_sweep, run_sweep

SWEEP = """\
simulation: walk
n_units: 6
sweep:
  ranges:
    - {key: step, values: [0, 20]}
    - {key: n_days, values: [3, 5]}
"""


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    monkeypatch.setattr("neurodrift.simulate.settings.kinds.KINDS", KINDS, raising=True)
    register("walk", "walk_kind:WalkSettings")
    yield
    KINDS.pop("walk")


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "walk.yaml"
    path.write_text(SWEEP)
    return path


def test_register__names_are_not_taken_twice():
    register("walk", "walk_kind:WalkSettings")
    with pytest.raises(ValueError, match="the kind 'gradient' is taken"):
        register("gradient", "walk_kind:WalkSettings")
    with pytest.raises(ValueError, match="walk_kind:Walk has no kind = 'stroll'"):
        register("stroll", "walk_kind:Walk")
    with pytest.raises(ValueError, match="is not module:Class"):
        register("stroll", "walk_kind")


def test_simulate__own_kind_and_checkpoint(config, tmp_path, capsys):
    out, file = tmp_path / "run.zarr", tmp_path / "state.npz"
    short = nd.simulate.simulate(config, {"n_days": 2}, checkpoint=tmp_path / "short.npz")
    assert short.centres.shape == (2, 6)
    words = ["simulate", str(config), "-o", str(out), "--checkpoint", str(file)]
    assert main(words) == 0
    assert "finished: 6 units walked" in capsys.readouterr().out
    assert file.exists()
    whole = nd.simulate.simulate(config)
    np.testing.assert_array_equal(nd.simulate.open_run(out).centres, whole.centres)
    assert nd.open_recording(out).load().identical(whole.recording())
    assert main([*words[:-1], str(tmp_path / "short.npz"), "--overwrite"]) == 2
    assert "is the checkpoint of another run" in capsys.readouterr().err


def test_sweep__own_kind_is_killed_resumed_opened_and_compared(
    config, tmp_path, monkeypatch, capsys
):
    path, real, left = tmp_path / "walk.zarr", _workers._make_block, [2]

    def make(*arguments):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return real(*arguments)

    monkeypatch.setattr(_workers, "_make_block", make)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(config, path, workers=0)
    assert len(open_sweep(path, unfinished=True)) == 2
    monkeypatch.undo()
    monkeypatch.syspath_prepend(Path(__file__).parent)
    assert main(["sweep", str(config), "-o", str(path), "--workers", "2"]) == 0
    assert "4 runs: 4 finished" in capsys.readouterr().out

    sweep = open_sweep(path)
    table = sweep.table
    assert table["step"].values.tolist() == [0, 0, 20, 20]
    assert table["walked"].dims == ("run", "day") and table["walked"].chunks is not None
    np.testing.assert_array_equal(np.isnan(table["walked"]).sum("day"), [2, 0, 2, 0])
    np.testing.assert_array_equal(table["day_of_run"][0], [0, 1, 2, -1, -1])
    for number in range(4):
        expected = sweep.settings(number).simulate()
        found = sweep.run(number)
        np.testing.assert_array_equal(found.centres, expected.centres)
        assert sweep.recording(number).identical(expected.recording(subject=f"run {number}"))
    assert [one.sizes["session"] for one in sweep] == [3, 5, 3, 5]

    results = tmp_path / "results.zarr"
    words = ["analyze", str(path), "-o", str(results), "--n-repeats", "3", "--workers", "1"]
    assert main(words) == 2
    assert "is a sweep of 4 runs: choose one by --run N" in capsys.readouterr().err
    assert main([*words, "--run", "3"]) == 0
    assert isinstance(nd.open_results(results)["drift"], xr.DataTree)
    report = tmp_path / "report.html"
    sides = ["compare", str(results), "--side", "walks", str(path), "-o", str(report)]
    assert main([*sides, "--runs", "1", "3", "--n-repeats", "3", "--workers", "1"]) == 0
    assert "walks" in report.read_text()


def test_settings__own_kind_is_refused_where_it_is_made(config, tmp_path, capsys):
    from walk_kind import WalkSettings

    with pytest.raises(ValueError, match="n_days: 0 is less than the minimum of 1"):
        WalkSettings(n_days=0)
    with pytest.raises(ValueError, match="step is 200, more than the track"):
        nd.simulate.read_settings(config, {"step": 200})
    words = ["sweep", str(config), "-o", str(tmp_path / "s"), "--set", "n_unitz=3"]
    assert main(words) == 2
    assert "n_unitz: unknown key; did you mean 'n_units'?" in capsys.readouterr().err
