"""Damage of every kind to every array of every kind of store: an error, never another number.

The damage is done by a script that knows files only. Every chunk of every array, and how many
damages there were: NEURODRIFT_DAMAGES=100000 python -m pytest -s tests/io/test_manifest.py
"""

import json
import os
import pickle
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

import neurodrift as nd
from neurodrift import open_recording, open_results, save_recording, save_results, testing, verify
from neurodrift.cli import main
from neurodrift.io.manifest import DamagedStoreError
from neurodrift.simulate.settings.kinds import settings_from_values
from neurodrift.simulate.settings.sweep import sweep_from_values
from neurodrift.simulate.store import open_measures, save_run
from neurodrift.simulate.sweep import open_sweep, run_sweep

MOST = int(os.environ.get("NEURODRIFT_DAMAGES", "100"))  # of one store
NETWORK = {"task": {"name": "random"}, "n_steps": 60, "measures": 4, "snapshots": 2}


def a_recording(folder):
    recording = testing.linear_track(n_units=300, n_sessions=3, minutes=1, seed=1)
    return save_recording(recording, folder / "recording.zarr")


def some_results(folder):
    recording = testing.linear_track(n_units=4, n_sessions=2, minutes=2, seed=1)
    results = nd.analyze(recording, n_repeats=5, n_draws=1, measures=["place_cells", "drift"])
    return save_results(results, folder / "results.zarr")


def a_comparison(folder):
    trees = [
        nd.analyze(
            testing.linear_track(n_units=9, n_sessions=4, minutes=2, seed=i), n_repeats=2, n_draws=1
        )
        for i in range(2)
    ]
    stored = xr.DataTree.from_dict({"comparison": nd.compare(*trees, n_repeats=20)})
    stored.attrs["title"] = "neurodrift comparison"
    return save_results(stored, folder / "comparison.zarr")


def a_run(folder):
    settings = settings_from_values(NETWORK)
    return save_run(settings.simulate(), settings, folder / "run.zarr")


def a_sweep(folder):
    ranges = {"ranges": [{"key": "rule.update_noise", "values": [0.01, 0.1, 1.0]}]}
    return run_sweep(sweep_from_values(NETWORK | {"sweep": ranges}), folder / "s.zarr", workers=0)


def read_all(path):
    """Everything that the product gives of a store."""
    if path.name in ("results.zarr", "comparison.zarr"):
        return {str(node.path): node.to_dataset() for node in open_results(path).subtree}
    if path.name == "s.zarr":
        sweep = open_sweep(path)
        runs = {f"run {i}": sweep.run(i).groups()["measures"].load() for i in range(len(sweep))}
        return runs | {"table": sweep.table.load()}
    found = {"recording": open_recording(path).load()}
    if path.name == "run.zarr":
        found |= {name: open_measures(path, name) for name in ("measures", "weights")}
    return found


def same(one, other):
    return one.keys() == other.keys() and all(one[key].identical(other[key]) for key in one)


def damages(path, rng):
    """(what, how) for every file and array of a store, each undone by copying it anew."""
    arrays = sorted(meta.parent for meta in path.rglob("zarr.json"))
    arrays = [folder.relative_to(path) for folder in arrays if folder != path]
    for folder in arrays:
        if folder.parts[0] == "manifest":
            continue
        yield f"{folder} deleted", lambda p, f=folder: shutil.rmtree(p / f)
        yield f"{folder} attribute", lambda p, f=folder: edit(p / f, add_attribute)
        yield f"{folder} metadata emptied", lambda p, f=folder: (p / f / "zarr.json").write_text("")
        if json.loads((path / folder / "zarr.json").read_text())["node_type"] == "array":
            yield f"{folder} fill value", lambda p, f=folder: edit(p / f, change_fill)
            yield f"{folder} shape", lambda p, f=folder: edit(p / f, change_shape)
        chunks = sorted(f for f in (path / folder).glob("c/**/*") if f.is_file())
        chunks += [path / folder / "c"] if (path / folder / "c").is_file() else []
        names = [chunk.relative_to(path) for chunk in chunks]
        for name in names if MOST > 100 else names[:2]:
            content = (path / name).read_bytes()
            half, at = content[: len(content) // 2], int(rng.integers(8 * len(content)))
            flipped = bytearray(content)
            flipped[at // 8] ^= 1 << (at % 8)
            yield f"{name} deleted", lambda p, f=name: (p / f).unlink()
            yield f"{name} truncated", lambda p, f=name, c=half: (p / f).write_bytes(c)
            yield f"{name} flipped", lambda p, f=name, c=bytes(flipped): (p / f).write_bytes(c)
        if len(names) > 1:
            yield f"{names[0]} swapped", lambda p, f=names: swap(p / f[0], p / f[1])


def edit(folder, change):
    meta = json.loads((folder / "zarr.json").read_text())
    change(meta)
    (folder / "zarr.json").write_text(json.dumps(meta))


def add_attribute(meta):
    meta["attributes"]["scale_factor"] = 2.0


def change_fill(meta):
    meta["fill_value"] = {"": "x"}.get(meta["fill_value"], 1 if meta["fill_value"] != 1 else 0)


def change_shape(meta):
    meta["shape"] = [size + 1 for size in meta["shape"]] or [2]


def swap(one, other):
    one_content, other_content = one.read_bytes(), other.read_bytes()
    one.write_bytes(other_content)
    other.write_bytes(one_content)


@pytest.mark.parametrize("make", [a_recording, some_results, a_comparison, a_run, a_sweep])
def test_damage__is_never_a_number(tmp_path, make):
    (tmp_path / "sound").mkdir()
    sound = make(tmp_path / "sound")
    truth = read_all(sound)
    assert verify(sound).sound
    n, silent, raw = 0, [], []
    damaged = tmp_path / sound.name
    chosen = list(damages(sound, np.random.default_rng(0)))
    for what, damage in chosen[:: max(1, len(chosen) // MOST)]:
        shutil.rmtree(damaged, ignore_errors=True)
        shutil.copytree(sound, damaged)
        damage(damaged)
        n += 1
        try:
            if not same(read_all(damaged), truth):
                silent.append(what)
        except ValueError as error:
            if str(damaged) not in str(error):
                raw.append(f"{what}: {error}")
        if verify(damaged).sound and "swapped" not in what:  # equal chunks may be swapped
            silent.append(f"{what} (verify)")
    print(f"{sound.name}: {n} damages, {len(silent)} silent, {len(raw)} raw errors")
    assert n > 50
    assert silent == [] and raw == []


def test_damage__error_says_where(tmp_path):
    path = a_recording(tmp_path)
    opened = open_recording(path)
    chunk = path / "activity" / "c" / "0" / "1"
    content = chunk.read_bytes()
    chunk.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(
        DamagedStoreError,
        match=r"recording.zarr is damaged: activity \(sessions 1, 2, 3, frames 0 to 3599, unit 256 "
        r"to 299, activity/c/0/1\) was changed after .*neurodrift verify",
    ):
        opened["activity"].values  # noqa: B018
    chunk.unlink()
    with pytest.raises(DamagedStoreError, match=r"activity/c/0/1\) is missing"):
        open_recording(path)


def test_store__replaced_while_open(tmp_path):
    path = a_recording(tmp_path)
    opened = open_recording(path)
    sent = pickle.dumps(open_recording(path))
    other = testing.linear_track(n_units=300, n_sessions=3, minutes=1, seed=2)
    save_recording(other, path, overwrite=True)
    with pytest.raises(DamagedStoreError, match="was replaced while it was open: open it again"):
        opened["activity"].values  # noqa: B018
    with pytest.raises(DamagedStoreError, match="was replaced"):
        pickle.loads(sent)["activity"].values  # noqa: B018
    assert open_recording(path)["activity"].equals(other["activity"])


def test_store__what_users_add_is_kept(tmp_path):
    path = a_recording(tmp_path)
    before = open_recording(path).load()
    mine = xr.Dataset({"score": ("unit", np.arange(300.0))}, {"depth": ("unit", np.arange(300.0))})
    mine.to_zarr(path, mode="a", consolidated=False)  # which replaces the attributes of the store
    now = open_recording(path).load()
    assert now["score"].equals(mine["score"].assign_coords(now["score"].coords))
    assert now.drop_vars(["score", "depth"]).identical(before)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Zarr, that consolidated metadata are no standard
        zarr.consolidate_metadata(path)
    assert open_recording(path).load().drop_vars(["score", "depth"]).identical(before)
    found = verify(path)
    assert found.sound and found.added == ("depth", "score")
    assert "added later, and not checked: depth, score" in str(found)


def test_store__written_by_others(tmp_path):
    path = a_recording(tmp_path)
    opened = open_recording(path)
    opened.to_zarr(tmp_path / "plain.zarr", consolidated=False, zarr_format=3)
    with pytest.warns(UserWarning, match=r"plain.zarr has no manifest"):
        again = open_recording(tmp_path / "plain.zarr").load()
    assert again.equals(opened.load())
    found = verify(tmp_path / "plain.zarr")
    assert not found.sound and "nothing to check against" in str(found)
    zarr.open_group(tmp_path / "other.zarr", mode="w")
    with pytest.raises(ValueError, match="no store of neurodrift"):
        verify(tmp_path / "other.zarr")


@pytest.mark.filterwarnings("ignore:.*has no manifest")
def test_store__written_by_others_and_damaged(tmp_path):
    path = tmp_path / "plain.zarr"
    open_recording(a_recording(tmp_path)).to_zarr(path, consolidated=False, zarr_format=3)
    chunk = next(file for file in (path / "activity" / "c").rglob("*") if file.is_file())
    content = bytearray(chunk.read_bytes())
    middle = slice(len(content) // 3, len(content) // 3 + 40)
    content[middle] = bytes(byte ^ 0x5A for byte in content[middle])
    chunk.write_bytes(content)
    opened = open_recording(path)  # lazily, so that only reading it finds out
    with pytest.raises(DamagedStoreError, match=r"plain.zarr is damaged: a chunk cannot be read"):
        opened["activity"].load()


def test_sweep__lost_and_flipped_shards_are_made_again(tmp_path, capsys):
    path = a_sweep(tmp_path)
    truth = read_all(path)
    (path / "loss" / "c" / "1" / "0").unlink()
    shard = next(f for f in (path / "data" / "c" / "2").rglob("*") if f.is_file())
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    assert main(["verify", str(path)]) == 2
    assert "is damaged in 2 places" in capsys.readouterr().out
    with pytest.warns(UserWarning, match="was damaged: 2 of 3 runs are made again"):
        a_sweep(tmp_path)
    assert same(read_all(path), truth)
    assert main(["verify", str(path)]) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["s.zarr"]
    (path / "rule.update_noise" / "c" / "0").unlink()
    with pytest.raises(DamagedStoreError, match="update_noise"):
        a_sweep(tmp_path)


def test_verify__cli(tmp_path, capsys):
    path = a_recording(tmp_path)
    assert main(["verify", str(path)]) == 0
    assert "recording.zarr is whole: " in capsys.readouterr().out
    assert main(["verify", str(Path("nothing"))]) == 2


def test_overwrite__only_the_same_kind_and_never_an_input(tmp_path, capsys):
    path = a_recording(tmp_path)
    truth = read_all(path)
    tree = xr.DataTree.from_dict({"/": xr.Dataset(attrs={"title": "neurodrift results"})})
    with pytest.raises(FileExistsError, match="holds 'neurodrift recording', not 'neurodrift res"):
        save_results(tree, path, overwrite=True)
    with pytest.raises(FileExistsError, match="not 'neurodrift sweep'"):
        ranges = {"ranges": [{"key": "rule.update_noise", "values": [0.1]}]}
        run_sweep(sweep_from_values(NETWORK | {"sweep": ranges}), path, workers=0, overwrite=True)
    for out, what in ((path, "is"), (path / "out.zarr", "lies in"), (tmp_path, "holds")):
        assert main(["analyze", str(path), "-o", str(out), "--overwrite"]) == 2
        assert f"{what} the input {path}, which is never replaced" in capsys.readouterr().err
    link = tmp_path / "link.zarr"
    link.symlink_to(path)
    assert main(["analyze", str(path), "-o", str(link), "--overwrite"]) == 2
    link.unlink()
    assert same(read_all(path), truth)
    assert [p.name for p in tmp_path.iterdir()] == ["recording.zarr"]


def test_overwrite__is_there_at_every_moment(tmp_path, monkeypatch):
    path = a_recording(tmp_path)
    removed = shutil.rmtree

    def look(folder, *arguments, **options):
        assert open_recording(path)["activity"].equals(other["activity"])
        removed(folder, *arguments, **options)

    other = testing.linear_track(n_units=3, n_sessions=2, minutes=1, seed=3)
    monkeypatch.setattr("neurodrift.io.output.shutil.rmtree", look)
    save_recording(other, path, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["recording.zarr"]
