from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tracemalloc

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr

from neurodrift import (
    compute_rate_maps,
    join_sessions,
    open_recording,
    open_results,
    recording_from_arrays,
    save_recording,
    save_results,
    schema,
    select_sessions,
    testing,
)
from neurodrift.io import output
from neurodrift.io import zarr as store
from neurodrift.schema.json import description_faults
from neurodrift.schema.results import MAPS


def _everything(kind="events", n_units=3):
    """A recording with every variable, unequal sessions, an empty one and missing values."""
    lengths = [5, 0, 9]
    n = sum(lengths)
    counts = np.arange(n * n_units).reshape(n, n_units) % 4
    return recording_from_arrays(
        counts.astype(np.uint8) if kind in schema.COUNT_KINDS else counts / 3,
        kind=kind,
        frame_duration=[0.1, 0.1, 0.2],
        session_index=np.repeat([0, 1, 2], lengths),
        session=["Tag 1", "Tag 2", "día 3"],
        unit=["α", "b", "cell 12"][:n_units],
        detected=[[True] * n_units, [True] * n_units, [False] + [True] * (n_units - 1)],
        x=np.where(np.arange(n) % 4 == 0, np.nan, np.arange(n)),
        y=np.arange(n),
        speed=np.where(np.arange(n) % 4 == 0, np.nan, 5.0),
        direction=np.arange(n) % 3 - 1,
        trial=np.arange(n) - 1,
        trial_type=np.arange(n) % 3 - 1,
        lap=np.arange(n) - 1,
        map_label=np.arange(n) % 2,
        day=[0, 1.5, 3],
        experience=[0.0, 1.0, 1.0],
        accuracy=[0.5, np.nan, 1.0],
        region=["CA1", "CA3", "DG"][:n_units],
        subject="mouse é",
        environment="A",
    ).assign_attrs(source="a.nwb", version="0.1")


def _simulation():
    return recording_from_arrays(
        [np.random.default_rng(i).normal(size=(4, 3)).astype(np.float32) for i in range(2)],
        kind="activation",
        frame_duration=1.0,
        training_step=[0, 10**10],
        loss=[0.5, np.nan],
    )


def _listing(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize(
    "recording",
    [_everything(kind) for kind in schema.ACTIVITY_KINDS]
    + [_simulation(), testing.linear_track(n_units=2, n_sessions=1, minutes=0.2)],
)
def test_save_recording__opens_as_it_was(recording, tmp_path):
    path = save_recording(recording, tmp_path / "a.zarr")
    opened = open_recording(path)
    assert opened["activity"].chunks is not None
    xr.testing.assert_identical(opened.compute(), recording)
    for name, array in recording.variables.items():
        if array.dtype.kind != "U":
            assert opened[name].dtype == array.dtype, name
    assert _listing(tmp_path)[0] == "a.zarr" and len(os.listdir(tmp_path)) == 1


def test_open__variables_in_one_order_whatever_a_store_answers_first(tmp_path):
    path = save_recording(_everything(), tmp_path / "a.zarr")
    names = [list(open_recording(path).variables) for _ in range(5)]
    assert all(found == names[0] for found in names)
    shuffled = _everything()[["speed", "activity"]]
    ordered = store.in_order(shuffled, ["speed", "none"])
    assert list(ordered.data_vars) == ["speed", "activity"]
    assert list(ordered.coords) == sorted(shuffled.coords)
    xr.testing.assert_identical(ordered, shuffled)


def test_save_recording__again_and_again(tmp_path):
    recording = _everything()
    first = save_recording(recording, tmp_path / "a.zarr")
    second = save_recording(open_recording(first), tmp_path / "b.zarr")
    xr.testing.assert_identical(open_recording(second).compute(), recording)
    part = select_sessions(open_recording(second), ["día 3"])
    save_recording(part, second, overwrite=True)  # reads from the store that it replaces
    xr.testing.assert_identical(
        open_recording(second).compute(), select_sessions(recording, ["día 3"])
    )


def test_save_recording__wholly_lazy_and_unevenly_chunked(tmp_path):
    recording = _everything()
    lazy = recording.chunk(time=(3, 6, 5), unit=2, session=1)
    path = save_recording(lazy, tmp_path / "a.zarr")
    xr.testing.assert_identical(open_recording(path).compute(), recording)


def test_open_recording__sessions_of_several_stores_are_joined_lazily(tmp_path):
    recording = testing.linear_track(n_units=4, n_sessions=3, minutes=0.2, detection=0.7)
    paths = [
        save_recording(select_sessions(recording, [name]), tmp_path / f"{name}.zarr")
        for name in ("1", "2", "3")
    ]
    joined = join_sessions([open_recording(path) for path in paths])
    assert joined["activity"].chunks[0] == (240, 240, 240)
    xr.testing.assert_identical(joined.compute().sel(unit=recording["unit"]), recording)


@pytest.mark.parametrize("minutes", [0.2, 0.5])
def test_open_recording__plain_to_zarr_writes_it(tmp_path, minutes):
    recording = testing.linear_track(n_units=4, n_sessions=3, minutes=minutes)
    opened = open_recording(save_recording(recording, tmp_path / "a.zarr"))
    opened.to_zarr(tmp_path / "b.zarr", zarr_format=3, consolidated=False)
    uneven = open_recording(save_recording(_everything(), tmp_path / "c.zarr"))
    even = uneven["activity"].chunk(time=8192)
    uneven.assign(activity=even).to_zarr(tmp_path / "d.zarr", zarr_format=3, consolidated=False)
    for name, expected in (("b", recording), ("d", _everything())):
        with pytest.warns(match="has no manifest"):
            found = open_recording(tmp_path / f"{name}.zarr").compute()
        xr.testing.assert_identical(found, expected)


def test_open_recording__a_session_is_read_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_TIME_CHUNK", 100)  # so that stored chunks hold two sessions
    path = save_recording(testing.linear_track(n_units=3, minutes=0.25), tmp_path / "a.zarr")
    graph = open_recording(path)["activity"].data.__dask_graph__()
    blocks = [key for key in graph if isinstance(key, tuple)]
    assert len(blocks) == 3  # one task for each session, none that cuts what another has read


def test_save_recording__leaves_its_input(tmp_path):
    recording = open_recording(save_recording(_everything(), tmp_path / "a.zarr"))
    encodings = {name: dict(array.encoding) for name, array in recording.variables.items()}
    before = recording.copy(deep=True)
    save_recording(recording, tmp_path / "b.zarr")
    xr.testing.assert_identical(recording, before)
    assert encodings == {name: dict(array.encoding) for name, array in recording.variables.items()}


def test_save_recording__stored_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_TIME_CHUNK", 100)
    monkeypatch.setattr(store, "_UNIT_CHUNK", 4)
    recording = testing.linear_track(n_units=10, n_sessions=3, minutes=0.25)
    path = save_recording(recording, tmp_path / "a.zarr")
    meta = json.loads((path / "activity" / "zarr.json").read_text())
    assert meta["zarr_format"] == 3
    assert meta["chunk_grid"]["configuration"]["chunk_shape"] == [100, 4]
    opened = open_recording(path)
    assert opened["activity"].chunks == ((300, 300, 300), (4, 4, 2))
    lazy = recording.assign(activity=recording["activity"].chunk(time=170, unit=3))
    again = save_recording(lazy, tmp_path / "b.zarr")
    for file in _listing(path):
        if (path / file).is_file():
            assert (path / file).read_bytes() == (again / file).read_bytes(), file


def test_save_recording__lazy_activity_is_never_whole(tmp_path):
    n_frames, n_units = 200_000, 512  # 800 MB as floats
    activity = da.ones((n_frames, n_units), chunks=(8192, 256)) + 1
    recording = recording_from_arrays(
        activity, kind="activation", frame_duration=1.0, session_index=np.arange(n_frames) // 40_000
    )
    with dask.config.set(scheduler="synchronous"):
        tracemalloc.start()
        path = save_recording(recording, tmp_path / "a.zarr")
        _, peak_of_writing = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        opened = open_recording(path)
        _, peak_of_opening = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    whole = n_frames * n_units * 8
    assert peak_of_writing < 0.5 * whole
    assert peak_of_opening < 0.05 * whole
    assert opened["activity"].shape == (n_frames, n_units)


def test_save_recording__existing_path_is_kept(tmp_path):
    path = save_recording(_everything(), tmp_path / "a.zarr")
    before = {file: (path / file).stat().st_mtime_ns for file in _listing(path)}
    with pytest.raises(FileExistsError, match=r"a.zarr exists and was kept; pass overwrite"):
        save_recording(_simulation(), path)
    assert before == {file: (path / file).stat().st_mtime_ns for file in _listing(path)}
    assert os.listdir(tmp_path) == ["a.zarr"]
    save_recording(_simulation(), path, overwrite=True)
    xr.testing.assert_identical(open_recording(path).compute(), _simulation())
    assert os.listdir(tmp_path) == ["a.zarr"]


def test_save_recording__replaces_no_file_and_no_folder_of_other_things(tmp_path):
    (tmp_path / "file").write_text("old")
    for overwrite in (False, True):
        with pytest.raises(FileExistsError, match="was kept"):
            save_recording(_simulation(), tmp_path / "file", overwrite=overwrite)
    assert (tmp_path / "file").read_text() == "old"
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match="home is no Zarr store and was kept"):
        save_recording(_simulation(), tmp_path / "home", overwrite=True)
    assert (tmp_path / "home" / "thesis.txt").read_text() == "years of work"


def test_save_recording__through_a_link(tmp_path):
    real = save_recording(_everything(), tmp_path / "real.zarr")
    (tmp_path / "link.zarr").symlink_to(real)
    (tmp_path / "broken.zarr").symlink_to(tmp_path / "nowhere")
    for name in ("link.zarr", "broken.zarr"):
        with pytest.raises(FileExistsError):
            save_recording(_simulation(), tmp_path / name)
        save_recording(_simulation(), tmp_path / name, overwrite=True)
        xr.testing.assert_identical(open_recording(tmp_path / name).compute(), _simulation())
    xr.testing.assert_identical(open_recording(real).compute(), _everything())
    assert sorted(os.listdir(tmp_path)) == ["broken.zarr", "link.zarr", "real.zarr"]


def _failing(recording):
    def fail(block, block_id):
        if block_id[0] > 0:
            raise OSError("disk is gone")
        return block

    lazy = recording["activity"].chunk(time=6, unit=1).data
    return recording.assign(
        activity=(
            ("time", "unit"),
            da.map_blocks(fail, lazy, dtype=lazy.dtype),
            recording["activity"].attrs,
        )
    )


def test_save_recording__a_failed_write_leaves_what_was_there(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_TIME_CHUNK", 1)
    with pytest.raises(OSError, match="disk is gone"):
        save_recording(_failing(_everything()), tmp_path / "a.zarr")
    assert os.listdir(tmp_path) == []
    path = save_recording(_simulation(), tmp_path / "a.zarr")
    with pytest.raises(OSError, match="disk is gone"):
        save_recording(_failing(_everything()), path, overwrite=True)
    xr.testing.assert_identical(open_recording(path).compute(), _simulation())
    assert os.listdir(tmp_path) == ["a.zarr"]


def test_save_recording__a_killed_write_leaves_nothing_under_the_name(tmp_path):
    script = f"""
import time, dask.array as da, numpy as np
from neurodrift import recording_from_arrays, save_recording
def slow(block, block_id):
    if block_id[0] > 1:
        print("half", flush=True)
        time.sleep(60)
    return block
activity = da.zeros((40000, 2), chunks=(8192, 2)).map_blocks(slow, dtype=float)
save_recording(recording_from_arrays(activity, kind="activation", frame_duration=1.0),
               {str(tmp_path / "a.zarr")!r})
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline().startswith("half")  # two threads may say it at once
        finally:
            process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "a.zarr").exists()
    with pytest.raises(FileNotFoundError, match="no recording at .*a.zarr"):
        open_recording(tmp_path / "a.zarr")
    with pytest.warns(UserWarning, match="unfinished was removed: a killed command left it"):
        save_recording(_simulation(), tmp_path / "a.zarr")
    assert os.listdir(tmp_path) == ["a.zarr"]


def test_save_recording__refuses_what_is_no_recording(tmp_path):
    with pytest.raises(ValueError, match="not a recording"):
        save_recording(_everything().drop_vars("detected"), tmp_path / "sub" / "a.zarr")
    assert os.listdir(tmp_path) == []


@pytest.fixture
def path(tmp_path):
    return save_recording(_everything(), tmp_path / "a.zarr")


def _edit(file, **attributes):
    meta = json.loads(file.read_text())
    meta["attributes"] |= attributes
    file.write_text(json.dumps(meta))


@pytest.mark.filterwarnings("ignore")
def test_open_recording__older_format(tmp_path):
    path = tmp_path / "old.zarr"
    older = testing.linear_track(n_units=1, n_sessions=1, minutes=1).assign_attrs(format_version=1)
    older.to_zarr(path, zarr_format=3, consolidated=False)
    with pytest.raises(ValueError, match="format version 1.*: make it anew with neurodrift import"):
        open_recording(path)


def test_open_recording__newer_format(path):
    _edit(path / "zarr.json", format_version=schema.FORMAT_VERSION + 1)
    (path / "x" / "zarr.json").write_text("{}")  # whatever a newer layout may hold
    with pytest.raises(ValueError, match="has format version 3, but this neurodrift reads up to 2"):
        open_recording(path)


@pytest.mark.parametrize("version", [None, "1", 1.5])
def test_open_recording__foreign_store(path, version):
    shutil.rmtree(path / "manifest")
    _edit(path / "zarr.json", format_version=version)
    with pytest.raises(ValueError, match="a.zarr has no format_version: it was not written by"):
        open_recording(path)


def test_open_recording__nothing_there(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.zarr").write_text("x")
    for name in ("folder", "file.zarr", "missing"):
        with pytest.raises(
            FileNotFoundError, match=f"no recording at .*{name}: expected a Zarr v3"
        ):
            open_recording(tmp_path / name)
        with pytest.raises(FileNotFoundError, match=f"no results at .*{name}"):
            open_results(tmp_path / name)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: shutil.rmtree(p / "detected"), "'detected' is a required property"),
        (lambda p: shutil.rmtree(p / "activity"), "'activity' is a required property"),
        (lambda p: (p / "zarr.json").write_text("{"), "no format_version"),
        (lambda p: (p / "activity" / "zarr.json").write_text("{"), "cannot be read"),
        (lambda p: (p / "x" / "zarr.json").write_text(""), "cannot be read"),
        (lambda p: _edit(p / "x" / "zarr.json", units="m"), "'cm' was expected"),
        (lambda p: _edit(p / "activity" / "zarr.json", kind="licks"), "kind'] is 'licks'"),
        (lambda p: (p / "activity" / "c" / "0" / "0").write_bytes(b"xx"), None),
    ],
)
@pytest.mark.filterwarnings("ignore:.*has no manifest")
def test_open_recording__half_a_store_without_manifest(path, damage, message):
    shutil.rmtree(path / "manifest")
    damage(path)
    if message is None:
        with pytest.raises(Exception, match="(?i)zstd|decompress|codec|frame|data"):
            open_recording(path)["activity"].compute()
    else:
        with pytest.raises(ValueError, match=message) as error:
            open_recording(path)
        assert str(path) in str(error.value) or "not a recording" in str(error.value)


def test_open_recording__results_are_no_recording(tmp_path):
    maps = compute_rate_maps(testing.linear_track(n_units=2, n_sessions=1, minutes=1))
    path = save_results(xr.DataTree.from_dict({"/": maps}), tmp_path / "maps.zarr")
    with pytest.raises(ValueError, match="is not a whole recording:\n- .*required property"):
        open_recording(path)


def test_saved_recording__validates_against_the_json_schema(path):
    stored = xr.open_zarr(path, decode_times=False, consolidated=False)
    assert description_faults(stored, schema.RECORDING) == []
    assert description_faults(stored.drop_vars("time"), schema.RECORDING)
    assert description_faults(stored.drop_attrs(deep=False), schema.RECORDING)
    assert description_faults(stored.transpose("unit", ...), schema.RECORDING)


def test_saved_maps__validate_against_the_json_schema(tmp_path):
    recording = testing.linear_track(n_units=2, n_sessions=2, minutes=1)
    tree = xr.DataTree.from_dict(
        {"maps": compute_rate_maps(recording), "trials": compute_rate_maps(recording, by="trial")}
    )
    path = save_results(tree, tmp_path / "results.zarr")
    for group in tree.children:
        stored = xr.open_zarr(path, group=group, decode_times=False, consolidated=False)
        assert description_faults(stored, MAPS) == []
        assert description_faults(stored.drop_vars("rate"), MAPS)
        assert description_faults(stored.rename(position="place"), MAPS)


def _tree(lazy=False):
    recording = testing.linear_track(n_units=7, n_sessions=2, minutes=1)
    if lazy:
        recording = recording.assign(activity=recording["activity"].chunk(unit=(3, 2, 2)))
    maps = compute_rate_maps(recording)
    sessions = xr.Dataset(
        {"fraction": ("session", [0.5, np.nan]), "note": ("session", ["ä", "longer"])},
        coords={"session": recording["session"]},
    )
    tree = xr.DataTree.from_dict({"maps": maps, "drift/sessions": sessions})
    tree.attrs["seed"] = 7
    return tree


def test_save_results__open_as_they_were(tmp_path):
    tree = _tree()
    path = save_results(tree, tmp_path / "results.zarr")
    opened = open_results(path)
    assert "format_version" not in tree.attrs and "format_version" not in tree["maps"].attrs
    assert opened.attrs == {"seed": 7, "format_version": schema.FORMAT_VERSION}
    assert opened["maps"].attrs["format_version"] == schema.FORMAT_VERSION
    for node in ("maps", "drift/sessions"):
        expected = tree[node].to_dataset()
        found = opened[node].to_dataset()
        found.attrs.pop("format_version")
        xr.testing.assert_identical(found, expected)
        assert not any(array.chunks for array in found.variables.values())
    save_results(opened, path, overwrite=True)
    xr.testing.assert_identical(open_results(path), opened)


def test_save_results__lazy_and_unevenly_chunked(tmp_path):
    path = save_results(_tree(lazy=True), tmp_path / "lazy.zarr")
    eager = save_results(_tree(), tmp_path / "eager.zarr")
    xr.testing.assert_identical(open_results(path), open_results(eager))


def test_save_results__existing_path_is_kept(tmp_path):
    path = save_results(_tree(), tmp_path / "results.zarr")
    with pytest.raises(FileExistsError, match="exists and was kept"):
        save_results(_tree(), path)
    _edit(path / "zarr.json", format_version=99)
    with pytest.raises(ValueError, match="format version 99"):
        open_results(path)


def test_replace__keeps_the_old_when_the_new_cannot_be_moved(tmp_path):
    old = tmp_path / "a"
    old.mkdir()
    (old / "file").write_text("old")
    with pytest.raises(FileNotFoundError):
        output.replace(tmp_path / "missing", old)
    assert (old / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_replace__files(tmp_path):
    for existing in (False, True):
        new = tmp_path / ".new"
        new.write_text(str(existing))
        output.replace(new, tmp_path / "a.nwb")
        assert (tmp_path / "a.nwb").read_text() == str(existing)
    assert os.listdir(tmp_path) == ["a.nwb"]
