from __future__ import annotations

import errno
import subprocess
import threading

import numpy as np
import pytest
import xarray as xr
import zarr

import neurodrift as nd
from neurodrift.cli import main
from neurodrift.io.output import held
from neurodrift.simulate import _workers as _sweep_workers
from neurodrift.simulate.curvature.measures import summarize_training
from neurodrift.simulate.settings.kinds import settings_from_values
from neurodrift.simulate.settings.sweep import read_sweep, sweep_from_values, sweep_of
from neurodrift.simulate.shards import done_marks
from neurodrift.simulate.store import block_arrays, create, read_groups, store_block
from neurodrift.simulate.sweep import open_sweep, run_sweep

CONFIG = """\
task: {name: random}
n_steps: 200
measures: 11
snapshots: 3
n_early: 20
dtype: float32
hessian: relative
sweep:
  ranges:
    - {key: network.n_hidden, values: [8, 12, 10]}
    - {key: rule.update_noise, values: [0.01, 1e5]}
"""


def bits(path):
    """Everything in a store, to the last bit."""
    group = zarr.open_group(path, mode="r", use_consolidated=False)
    return {
        name: array[:].tobytes() if array.dtype.kind in "fiub" else array[:].tolist()
        for name, array in group.arrays()
    } | {"attributes": dict(group.attrs)}


def config_of(text=CONFIG, **changes):
    from neurodrift.schema.yaml import parse_yaml

    values, _ = parse_yaml(text, "test")
    values["sweep"] |= {n: changes.pop(n) for n in ("runs_per_task",) if n in changes}
    return sweep_from_values(values | changes)


@pytest.fixture(scope="module")
def config():
    return config_of()


@pytest.fixture(scope="module")
def stored(config, tmp_path_factory):
    return run_sweep(config, tmp_path_factory.mktemp("sweep") / "sweep.zarr", workers=0)


@pytest.fixture
def stops_after(monkeypatch):
    """Make the disk full, or the user impatient, after so many tasks."""

    real = _sweep_workers._make_block

    def arrange(n, error):
        left = [n]

        def make(*arguments):
            if not left[0]:
                raise error
            left[0] -= 1
            return real(*arguments)

        monkeypatch.setattr(_sweep_workers, "_make_block", make)

    yield arrange
    monkeypatch.undo()


def test_open_sweep__parameters_and_measures_of_every_run(stored, config):
    sweep = open_sweep(stored)
    table = sweep.table
    assert sweep.finished
    assert table["network.n_hidden"].values.tolist() == [8, 8, 12, 12, 10, 10]
    assert table["rule.update_noise"].values.tolist() == [0.01, 1e5] * 3
    assert table["reason"].values.tolist() == ["finished", "diverged"] * 3
    assert table["steps_made"].values.tolist() == [200, 20] * 3
    for number, settings in enumerate(config.runs):
        assert sweep.settings(number) == settings
        run = settings.simulate()
        n, n_early = run.measures.sizes["step"], run.measures.sizes["early_step"]
        for name in ("loss", "active_fraction", "fraction_active_units"):
            row = table[name].sel(run=number).values
            np.testing.assert_array_equal(row[:n], run.measures[name].values)
            assert np.isnan(row[n:]).all()
        early = table["early_loss"].sel(run=number).values
        np.testing.assert_array_equal(early[:n_early], run.measures["early_loss"].values)
        spectra = run.spectra
        made = spectra.sizes["step"]
        row = table["eig_sum"].sel(run=number).values
        np.testing.assert_array_equal(row[:made], spectra["eig_sum"].values)
        assert np.isnan(row[made:]).all()


def test_recording__equals_that_of_the_run(stored, config):
    sweep = open_sweep(stored)
    for number in (2, 3):
        expected = config.runs[number].simulate()
        assert sweep.recording(number).identical(expected.recording(subject=f"run {number}"))
        found = sweep.run(number)
        xr.testing.assert_equal(found.measures["loss"], expected.measures["loss"])
        assert found.reason == expected.reason and found.rule == expected.rule
    assert nd.compute_sparsity(sweep.recording(2)).sizes["session"] == 3
    with pytest.raises(ValueError, match="no run 6 that is done; 6 are"):
        sweep.recording(6)


def test_summary__is_that_of_the_measures_and_says_what_was_dropped(stored):
    sweep = open_sweep(stored)
    found = sweep.summary()
    expected = summarize_training(sweep.table[["loss", "active_fraction", "fraction_active_units"]])
    for name in ("loss", "active_units", "log_tau"):
        np.testing.assert_array_equal(found[name].values, expected[name].values)
    assert found["eig_sum"].dims == ("run",)
    assert found["rule.update_noise"].values[1] == 1e5
    assert found["reason_dropped"].values[1] == "stopped before its end"
    assert sweep.summary(collection="published").sizes["run"] == 0  # too few Hessian samples


def test_run_sweep__same_bits_on_workers_and_in_other_shards(stored, config, tmp_path):
    from distributed import Client, LocalCluster

    shards = config_of(runs_per_task=4)  # the last shard is not full
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        path = run_sweep(config, tmp_path / "a.zarr", scheduler=client)
        assert bits(path) == bits(stored)
        found = bits(run_sweep(shards, tmp_path / "b.zarr", scheduler=client))
    expected = bits(stored)
    for contents in (found, expected):
        contents.pop("attributes")
    assert found == expected
    store = zarr.open_group(tmp_path / "b.zarr")
    assert store["reason"].chunks == store["loss"].chunks[:1] == store["data"].shards[:1] == (4,)
    assert store["data"].chunks[0] == 1  # one run is read without the others
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zarr", "b.zarr"]


@pytest.mark.parametrize("per_task", [1, 4])
@pytest.mark.parametrize("n", [0, 1])
def test_run_sweep__resumes_after_an_interruption(n, per_task, stored, tmp_path, stops_after):
    config, path = config_of(runs_per_task=per_task), tmp_path / "sweep.zarr"
    stops_after(n, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run_sweep(config, path, workers=0)
    assert [p.name for p in tmp_path.iterdir()] == ["sweep.zarr.unfinished"]
    for name in (path, tmp_path / "sweep.zarr.unfinished"):
        with pytest.raises(ValueError, match=f"is not whole: {n * per_task} of 6 runs are done"):
            open_sweep(name)
    partly = open_sweep(path, unfinished=True)
    assert not partly.finished and partly.table.sizes["run"] == n * per_task
    stops_after(10, None)
    run_sweep(config, path, workers=0)
    found, expected = bits(path), bits(stored)
    if per_task != 1:
        found.pop("attributes"), expected.pop("attributes")
    assert found == expected
    assert [p.name for p in tmp_path.iterdir()] == ["sweep.zarr"]
    assert not list(path.rglob("*.partial"))


def test_run_sweep__whole_one_is_left_alone(config, stored, monkeypatch):
    monkeypatch.setattr(_sweep_workers, "_make_block", None)
    before = (stored / "zarr.json").stat().st_mtime_ns
    assert run_sweep(config, stored) == stored
    assert (stored / "zarr.json").stat().st_mtime_ns == before


def test_run_sweep__another_configuration_is_refused(config, tmp_path, stops_after):
    path, other = tmp_path / "sweep.zarr", config_of(n_steps=100)
    stops_after(2, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run_sweep(config, path, workers=0)
    under_way = tmp_path / "sweep.zarr.unfinished"
    with pytest.raises(FileExistsError, match=r"another configuration \(2 runs are done\)"):
        run_sweep(other, path, workers=0)
    assert done_marks(under_way).sum() == 2
    stops_after(10, None)
    run_sweep(config, path, workers=0)
    with pytest.raises(FileExistsError, match=r"another configuration \(6 runs are done\)"):
        run_sweep(other, path, workers=0)
    assert run_sweep(other, path, workers=0, overwrite=True) == path
    assert open_sweep(path).settings(0).n_steps == 100
    assert [p.name for p in tmp_path.iterdir()] == ["sweep.zarr"]


def test_run_sweep__another_version_is_refused(config, tmp_path, monkeypatch):
    path = tmp_path / "sweep.zarr"
    monkeypatch.setattr("neurodrift.simulate.store.__version__", "0.0.1")
    create(tmp_path / "sweep.zarr.unfinished", config)
    monkeypatch.undo()
    with pytest.raises(FileExistsError, match="was begun by neurodrift 0.0.1"):
        run_sweep(config, path, workers=0)


@pytest.mark.parametrize("overwrite", [False, True])
def test_run_sweep__what_is_no_sweep_is_kept(overwrite, config, tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    (path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="was kept"):
        run_sweep(config, path, workers=0, overwrite=overwrite)
    assert (path / "thesis.txt").read_text() == "years of work"
    with pytest.raises(FileNotFoundError, match="no sweep at"):
        open_sweep(path)


def test_run_sweep__two_at_once_are_refused(config, tmp_path):
    path = tmp_path / "sweep.zarr"
    found = []

    def second():
        try:
            run_sweep(config, path, workers=0)
        except FileExistsError as error:
            found.append(str(error))

    with held(path):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert "being written by another command" in found[0]
    run_sweep(config, path, workers=0)


def test_run_sweep__full_disk_keeps_what_is_done(config, tmp_path, stored, stops_after, capsys):
    (tmp_path / "c.yaml").write_text(CONFIG)
    path = tmp_path / "sweep.zarr"
    stops_after(3, OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OSError, match=r"No space left on device\. 3 of 6 runs are kept"):
        run_sweep(config, path, workers=0)
    stops_after(10, None)
    run_sweep(tmp_path / "c.yaml", path, workers=0)
    assert bits(path) == bits(stored)


def test_run_sweep__full_disk_for_real(tmp_path, stored, capsys):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=360k", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no right to mount a small tmpfs; the test before this one simulates it")
    try:
        (tmp_path / "c.yaml").write_text(CONFIG)
        words = ["sweep", str(tmp_path / "c.yaml"), "-o", str(disk / "s.zarr"), "--workers", "1"]
        assert main(words) == 2
        error = capsys.readouterr().err
        assert "No space left on device" in error and "of 6 runs are kept" in error
        assert len(error.splitlines()) == 1
        subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
        assert main(words) == 0
        assert bits(disk / "s.zarr") == bits(stored)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_open_sweep__damage_is_one_error(config, tmp_path):
    path = run_sweep(config, tmp_path / "sweep.zarr", workers=0)
    (path / "loss" / "c" / "4" / "0").rename(tmp_path / "chunk")
    with pytest.raises(ValueError, match=r"loss \(run 4 to 4, step 0 to 10, .*\) is missing"):
        open_sweep(path)
    assert len(open_sweep(path, unfinished=True)) == 5
    (tmp_path / "chunk").rename(path / "loss" / "c" / "4" / "0")
    meta = path / "zarr.json"
    text = meta.read_text()
    meta.write_text(text.replace('"format_version": 2', '"format_version": 99'))
    with pytest.raises(ValueError, match="format version 99"):
        open_sweep(path)
    meta.write_text(text)
    (path / "loss" / "zarr.json").write_text("{")
    with pytest.raises(ValueError, match=r"sweep.zarr is damaged: loss \(its metadata"):
        open_sweep(path)
    recording = nd.save_recording(nd.testing.linear_track(n_units=2, minutes=0.5), tmp_path / "r")
    with pytest.raises(ValueError, match="is no sweep, but 'neurodrift recording'"):
        open_sweep(recording)


def test_store_block__whole_shards_only(tmp_path):
    config = config_of(runs_per_task=4)
    create(tmp_path / "s", config)
    for start, n in ((0, 3), (1, 4), (4, 1)):
        with pytest.raises(ValueError, match="no whole shard of 4 of 6 runs"):
            store_block(tmp_path / "s", start, {"reason": np.zeros(n, dtype="int8")})
    assert not done_marks(tmp_path / "s").any()


def test_run_sweep__without_weights(tmp_path):
    config = config_of(weights=False, n_early=0, hessian=None)
    sweep = open_sweep(run_sweep(config, tmp_path / "s.zarr", workers=0))
    assert "weights" not in read_groups(tmp_path / "s.zarr", 0)
    with pytest.raises(ValueError, match=r"settings.simulate\(\)"):
        sweep.recording(0)
    assert sweep.summary().sizes["run"] == 6


def test_run_sweep__deep_networks_and_other_engines(tmp_path):
    config = config_of(network={"depth": 2, "activation": "tanh"}, hessian=None, n_early=0)
    sweep = open_sweep(run_sweep(config, tmp_path / "s.zarr", workers=0))
    expected = config.runs[2].simulate()
    found = sweep.run(2)
    assert set(found.weights) == set(expected.weights) == {"W1", "b1", "W2", "b2", "V"}
    for name, array in expected.weights.items():
        np.testing.assert_array_equal(found.weights[name], array)
    assert sweep.recording(2).identical(expected.recording(subject="run 2"))


def test_sweep__command(tmp_path, capsys, stored):
    (tmp_path / "c.yaml").write_text(CONFIG)
    words = ["sweep", str(tmp_path / "c.yaml"), "-o", str(tmp_path / "s.zarr")]
    assert main([*words, "--workers", "1"]) == 0
    assert "6 runs: 3 finished, 3 diverged" in capsys.readouterr().out
    assert bits(tmp_path / "s.zarr") == bits(stored)
    assert main([*words, "--set", "n_steps=100"]) == 2
    assert "another configuration" in capsys.readouterr().err
    assert main([*words[:3], str(tmp_path / "t.zarr"), "--set", "rule.update_noise=-1"]) == 2
    error = capsys.readouterr().err
    assert "rule.update_noise: -1 is less than the minimum of 0" in error
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.yaml", "s.zarr"]


def test_sweep__command_on_a_scheduler(tmp_path, stored):
    from distributed import LocalCluster

    (tmp_path / "c.yaml").write_text(CONFIG)
    words = ["sweep", str(tmp_path / "c.yaml"), "-o", str(tmp_path / "s.zarr")]
    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0"
    ) as cluster:
        assert main([*words, "--scheduler", cluster.scheduler_address]) == 0
    assert bits(tmp_path / "s.zarr") == bits(stored)
    assert read_sweep(tmp_path / "c.yaml").fingerprint == open_sweep(stored).table.fingerprint


KINDS = {
    "gradient": {
        "task": {"name": "predictive_track", "n_samples": 40},
        "network": {"n_hidden": 10},
        "n_steps": 60,
        "measures": 7,
        "snapshots": 3,
        "hessian": "relative",
    },
    "continual": {
        "simulation": "continual",
        "tasks": {"name": "drawn", "n_each": 8, "n_tasks": 3},
        "learner": {"name": "ewc"},
        "network": {"n_units": 7},
        "n_steps": 3,
        "batch_size": 4,
        "n_fisher": 8,
        "n_test": 10,
        "probe": {"n_trials": 4},
    },
    "hebbian": {
        "simulation": "hebbian",
        "inputs": {"name": "ring", "n_positions": 40},
        "network": {"n_units": 9},
        "n_steps": 50,
        "measures": 6,
        "snapshots": 4,
    },
}


def settings(kind, **changes):
    return settings_from_values(KINDS[kind] | changes)


def assert_same(found, expected):
    """Results of any kind, to the last bit."""
    assert type(found) is type(expected) and found.reason == expected.reason
    assert found.text() == expected.text()
    groups, wanted = found.groups(), expected.groups()
    assert list(groups) == list(wanted)
    for name, group in groups.items():
        assert group.identical(wanted[name]), name
    assert found.recording().identical(expected.recording())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("per_task", [1, 2])
def test_run_sweep__every_kind_resumes_and_equals_its_runs(kind, per_task, tmp_path, stops_after):
    config = sweep_of([settings(kind, seed=seed) for seed in range(3)], runs_per_task=per_task)
    whole = run_sweep(config, tmp_path / "whole.zarr", workers=0)
    stops_after(1, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run_sweep(config, tmp_path / "sweep.zarr", workers=0)
    assert len(open_sweep(tmp_path / "sweep.zarr", unfinished=True)) == per_task
    stops_after(10, None)
    path = run_sweep(config, tmp_path / "sweep.zarr", workers=0)
    assert bits(path) == bits(whole)
    sweep = open_sweep(path)
    for number, one in enumerate(config.runs):
        assert sweep.settings(number) == one
        assert_same(sweep.run(number), one.simulate())
        table = one.simulate().table()
        for name in set(table.data_vars) & set(sweep.table.data_vars):
            np.testing.assert_array_equal(sweep.table[name][number], table[name])
    assert sweep.table["snapshots_made"].values.tolist() == [one.sizes["session"] for one in sweep]


def test_run_sweep__mixes_kinds_and_sizes_on_workers(tmp_path):
    runs = [settings(kind) for kind in KINDS]
    runs += [settings("gradient", n_steps=90, measures=10, seed=1), settings("hebbian", n_steps=20)]
    path = run_sweep(runs, tmp_path / "sweep.zarr", workers=2)
    sweep = open_sweep(path)
    table = sweep.table
    assert table["simulation"].values.tolist() == [*KINDS, "gradient", "hebbian"]
    assert table["n_steps"].values.tolist() == [60, 3, 50, 90, 20]
    for number, one in enumerate(runs):
        assert_same(sweep.run(number), one.simulate())
    # what kinds define differently is a column of each
    assert {"gradient.loss", "continual.loss", "hebbian.loss"} <= set(table.data_vars)
    assert table["continual.loss"].dims == ("run", "snapshot", "task")
    assert table["eig_sum"].notnull().any("snapshot_step").values.tolist() == [1, 0, 0, 1, 0]
    steps = runs[3].simulate().measures["step"].values
    np.testing.assert_array_equal(table["step_of_run"][3], steps)
    np.testing.assert_array_equal(table["step_of_run"][1], [1, 2, 3, *[-1] * 7])
    np.testing.assert_array_equal(
        table["gradient.loss"][0, :7], runs[0].simulate().measures["loss"]
    )
    with pytest.raises(ValueError, match="a summary needs loss.*over the same steps"):
        sweep.summary()


def test_open_sweep__table_is_lazy(tmp_path):
    import dask

    config = sweep_of([settings("gradient", seed=seed) for seed in range(5)], runs_per_task=2)
    path = run_sweep(config, tmp_path / "sweep.zarr", workers=0)

    def refuse(*_, **__):
        raise AssertionError("computed")

    with dask.config.set(scheduler=refuse):
        sweep = open_sweep(path)
        assert sweep.table["loss"].chunks == ((2, 2, 1), (7,))
        assert sweep.table["seed"].values.tolist() == [0, 1, 2, 3, 4]
        mean = sweep.table["loss"].mean("step")
        with pytest.raises(AssertionError, match="computed"):
            mean.compute()
    for name in sweep.table.attrs["columns"]:
        assert sweep.table[name].chunks is not None, name
    assert mean.compute().shape == (5,)


def test_run_sweep__every_file_has_one_writer(tmp_path, stops_after, monkeypatch):
    """A task writes files that no other task writes, and nothing that the driver wrote."""
    config = sweep_of([settings("hebbian", seed=seed) for seed in range(5)], runs_per_task=2)
    real, written = _sweep_workers._make_block, []

    def files(path):
        return {f: f.stat().st_mtime_ns for f in (tmp_path / path).rglob("*") if f.is_file()}

    def make(path, *arguments):
        before = files(path)
        found = real(path, *arguments)
        after = files(path)
        assert all(after[file] == before[file] for file in before)
        written.append(set(after) - set(before))
        return found

    monkeypatch.setattr(_sweep_workers, "_make_block", make)
    run_sweep(config, tmp_path / "sweep.zarr", workers=0)
    assert len(written) == 3 and len(set.union(*written)) == sum(map(len, written))
    assert all(len(names) == len(written[0]) for names in written)


def test_block_arrays__more_than_was_promised_is_an_error(tmp_path, monkeypatch):
    one = settings("hebbian")
    create(tmp_path / "s", sweep_of([one]))
    result = one.simulate()
    long = settings("hebbian", measures=20).simulate()
    with pytest.raises(
        ValueError, match=r"of a hebbian run has the shape \(20,\), but the outline"
    ):
        block_arrays(tmp_path / "s", [one], [long])
    monkeypatch.setattr(type(one), "n_bytes", lambda self: -(2**16))
    create(tmp_path / "t", sweep_of([one]))
    with pytest.raises(ValueError, match="but its kind's n_bytes promised at most"):
        block_arrays(tmp_path / "t", [one], [result])


def test_open_sweep__an_older_store_is_one_error(tmp_path):
    store = xr.Dataset(attrs={"title": "neurodrift sweep", "format_version": 2})
    store.attrs["neurodrift_version"] = "0.1"
    store.to_zarr(tmp_path / "old.zarr", zarr_format=3, consolidated=False)
    with pytest.raises(ValueError, match="was made by neurodrift 0.1, whose sweeps this one does"):
        open_sweep(tmp_path / "old.zarr")
