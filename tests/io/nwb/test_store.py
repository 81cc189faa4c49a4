"""Files straight into a store: as in memory, whatever the blocks; later days added to it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import warnings
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodrift import (
    import_nwb,
    import_to_store,
    open_recording,
    save_recording,
    testing,
    verify,
)
from neurodrift.cli import main
from neurodrift.io.nwb.arrays import Samples
from neurodrift.io.nwb.session import NwbSession, Series
from neurodrift.io.nwb.write import write_session

pytestmark = pytest.mark.filterwarnings("ignore:.*frames have no sample of .* near them")

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
CLOCK = np.concatenate([np.arange(700) / 20, 45 + np.arange(600) / 20])  # with a gap


def a_session(day, ids, kind="deconvolved", **changes):
    """A session of one day, with the cells of these identities in this order."""
    rng = np.random.default_rng(day)
    ids = np.asarray(ids)
    n_frames = CLOCK.size - 40 * day
    clock, n_units = CLOCK[:n_frames], ids.size
    fields = {
        "subject": "mouse",
        "environment": "track",
        "session": f"day {day}",
        "start": START + timedelta(days=day),
        "registered_cell_id": ids,
        "time": clock,
        "position": 50 + 40 * np.sin(clock / 3),
    }
    times = [np.unique(rng.uniform(0, clock[-1], 30 + k)) for k in range(n_units)]
    if kind in ("deconvolved", "slower"):
        own = clock if kind == "deconvolved" else np.arange(0.0213, clock[-1] + 0.2, 0.1371)
        values = np.where(rng.random((own.size, n_units)) < 0.1, rng.gamma(2, 1, 1), 0)
        values[rng.random(values.shape) < 0.05] = 0.7
        if kind == "deconvolved":
            values[5:9] = np.nan  # frames that no unit has
        series = Series(
            name="activity", time=own, data=values, unit="a.u.", description="deconvolved"
        )
        fields["responses"] = series
    elif kind == "spikes":
        fields["spikes"] = times
    else:
        fields["events"] = times
        fields["amplitudes"] = [rng.gamma(2, 1, item.size) for item in times]
    return NwbSession(**(fields | changes))


def write(folder, *sessions):
    folder.mkdir(exist_ok=True)
    return [write_session(item, folder / f"{item.session[-1]}.nwb") for item in sessions]


DAYS = ([3, 8, 5, -1], [5, 12, 3, -1, 8], [1, 5, 20])
KINDS = ("deconvolved", "slower", "events", "amplitudes", "spikes")


def days_of(kind):
    return [a_session(day, ids, kind) for day, ids in enumerate(DAYS)]


def options_of(kind):
    return {"values": "amplitudes"} if kind == "amplitudes" else {}


SIZES = [(64, 24, 100), (5000, 900, 9000)]


@pytest.fixture(params=SIZES)
def blocks(monkeypatch, request):
    cut(monkeypatch, *request.param)


def cut(monkeypatch, looked, read, written):
    """Blocks of another size [bytes]: looked at together, read together, written together."""
    monkeypatch.setattr("neurodrift.io.nwb.frames._BLOCK_BYTES", looked)
    monkeypatch.setattr("neurodrift.io.nwb.arrays._READ_BYTES", read)
    monkeypatch.setattr("neurodrift.io.zarr._STREAM_BYTES", written)
    monkeypatch.setattr("neurodrift.io.zarr._TIME_CHUNK", 256)
    monkeypatch.setattr("neurodrift.io.zarr._UNIT_CHUNK", 2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", SIZES)
def test_import_to_store__is_the_recording_in_memory(tmp_path, kind, sizes, monkeypatch):
    files = write(tmp_path / "files", *days_of(kind))
    expected = import_nwb(files, **options_of(kind))
    cut(monkeypatch, *sizes)
    path = import_to_store(files, tmp_path / "a.zarr", **options_of(kind))
    xr.testing.assert_identical(open_recording(path).compute(), expected)
    assert verify(path).damage == {}


@pytest.mark.parametrize("kind", KINDS)
def test_import_nwb__literal_reference(tmp_path, kind, blocks):
    """Every frame and unit counted, or taken as sampled, in plain loops."""
    sessions = days_of(kind)
    recording = import_nwb(write(tmp_path / "files", *sessions), **options_of(kind))
    for i, item in enumerate(sessions):
        index = recording["session_index"].values == i
        found = recording["activity"].values[index]
        kept = np.ones(item.time.size, dtype=bool)
        if kind == "deconvolved":
            kept[5:9] = False
        starts = item.time
        if kind == "slower":  # the imaging has frames of its own
            starts = item.responses.time[item.responses.time <= item.time[-1]]
            kept = np.ones(starts.size, dtype=bool)
        ends = np.append(starts[1:], np.inf)
        ends = np.where(ends - starts > 0.075, starts + 0.05, ends)
        labels = recording["unit"].values
        for unit, identity in enumerate(item.registered_cell_id):
            name = f"day {i}:{unit}" if identity < 0 else str(identity)
            own = found[:, labels == name][:, 0]
            values = [
                value_of(item, kind, unit, start, end)
                for start, end in zip(starts[kept], ends[kept], strict=True)
            ]
            np.testing.assert_allclose(own, values, rtol=1e-12, atol=0)
        mine = [n for n in labels if n.startswith(f"day {i}:")]
        mine += [str(identity) for identity in item.registered_cell_id if identity >= 0]
        others = ~np.isin(labels, mine)
        assert (found[:, others] == 0).all()
        assert (recording["detected"].values[i] == ~others).all()


def value_of(item, kind, unit, start, end):
    """What a frame holds, by the rules of the reader."""
    if kind in ("events", "spikes"):
        times = item.events[unit] if kind == "events" else item.spikes[unit]
        return sum(start <= t < end for t in times)
    if kind == "amplitudes":
        pairs = zip(item.events[unit], item.amplitudes[unit], strict=True)
        return sum(size for t, size in pairs if start <= t < end)
    time, data = item.responses.time, item.responses.data[:, unit]
    return data[np.argmin(np.abs(time - start))]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_samples__are_read_in_parts_as_numpy_takes_them(tmp_path_factory, data):
    shape = data.draw(st.tuples(st.integers(2, 30), st.integers(4, 20)), label="shape")
    turned = data.draw(st.booleans(), label="turned") and shape[0] != shape[1]
    chunks = data.draw(st.none() | st.tuples(st.integers(1, shape[0]), st.integers(1, shape[1])))
    rows = data.draw(st.sets(st.integers(0, shape[0] - 1), min_size=1).map(sorted), label="rows")
    columns = data.draw(
        st.lists(st.integers(0, shape[1] - 1), min_size=1, unique=True), label="columns"
    )
    at_once = data.draw(st.integers(1, 2000), label="bytes")
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    path = tmp_path_factory.mktemp("samples") / "a.h5"
    with h5py.File(path, "w") as file, pytest.MonkeyPatch.context() as patch:
        stored = values.T if turned else values
        cut = chunks[::-1] if turned and chunks else chunks
        dataset = file.create_dataset("group/data", data=stored, chunks=cut)
        file.flush()
        patch.setattr("neurodrift.io.nwb.arrays._READ_BYTES", at_once)
        series = FakeSeries(dataset, np.arange(shape[0]) / 10)
        with warnings_of_turning(turned):
            samples = Samples(series, "series", shape[1])
        file.close()
        found = samples.read(np.array(rows), np.array(columns))
    expected = values[np.ix_(rows, columns)].astype(np.float64) * 0.5 + 2
    assert np.array_equal(found, expected)


class FakeSeries:
    """What of a series is looked at."""

    conversion, offset, rate, starting_time = 0.5, 2.0, None, None

    def __init__(self, data, timestamps):
        self.data, self.timestamps = data, timestamps


def warnings_of_turning(turned):
    return pytest.warns(match="and was turned") if turned else nullcontext()


@pytest.mark.parametrize("kind", ["deconvolved", "spikes"])
@pytest.mark.parametrize("first", [1, 2])
def test_append__is_the_import_of_all_files(tmp_path, kind, first, blocks):
    files = write(tmp_path / "files", *days_of(kind))
    together = import_to_store(files, tmp_path / "all.zarr")
    path = import_to_store(files[:first], tmp_path / "a.zarr")
    for file in files[:first]:
        file.unlink()  # no earlier file is read again
    import_to_store(files[first:], path, append=True)
    xr.testing.assert_identical(open_recording(path).compute(), open_recording(together).compute())
    assert verify(path).damage == {}
    listed = [sorted(p.relative_to(s) for p in s.rglob("*")) for s in (path, together)]
    assert listed[0] == listed[1]  # every chunk is written, of silent and absent units too
    before = open_recording(path)["detected"].sel(session="day 0")
    assert not before.sel(unit=["12", "20"]).any()


@pytest.mark.parametrize("told", [(0.0, 3.0, 9.0), (0.0, None, 2.0), (0.0, 0.0, 0.4)])
def test_append__experience_days_and_findings_are_those_of_all(tmp_path, told):
    sessions = [
        replace(item, experience=minutes, day=float(i) if told[1] is None else None)
        for i, (item, minutes) in enumerate(zip(days_of("events"), told, strict=True))
    ]
    metres = replace(sessions[1], position=sessions[1].position / 100)
    files = write(tmp_path / "files", sessions[0], metres, sessions[2])
    accept = ["position_extent", "speed"]
    with warnings.catch_warnings(action="ignore"):  # of what was accepted
        together = import_nwb(files, accept=accept)
        path = import_to_store(files[:2], tmp_path / "a.zarr", accept=accept)
        import_to_store(files[2:], path, append=True)
    xr.testing.assert_identical(open_recording(path).compute(), together)


def test_append__takes_the_options_of_the_first_import(tmp_path):
    files = write(tmp_path / "files", *days_of("amplitudes"))
    path = import_to_store(files[:2], tmp_path / "a.zarr", values="amplitudes", region="unknown")
    with pytest.raises(ValueError, match="was imported with values 'amplitudes'"):
        import_to_store(files[2], path, append=True, values="events")
    import_to_store(files[2], path, append=True)
    together = import_nwb(files, values="amplitudes", region="unknown")
    xr.testing.assert_identical(open_recording(path).compute(), together)


REFUSED = {
    "the same file": (dict(), "is in .* already"),
    "the same label": (dict(session="day 1"), "has a session of that label already"),
    "before the last": (dict(start=START + timedelta(hours=20)), "only later sessions are added"),
    "overlapping": (
        dict(start=START + timedelta(days=1, seconds=30)),
        "of one subject overlap by",
    ),
    "another animal": (dict(subject="rat"), r"different subjects \(mouse, rat\)"),
    "another place": (dict(environment="box"), "of different environments"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_append__refusals_leave_the_store(tmp_path, what):
    changes, message = REFUSED[what]
    files = write(tmp_path / "files", *days_of("events")[:2])
    path = import_to_store(files, tmp_path / "a.zarr")
    before = content_of(path)
    new = a_session(2, [5, 3], "events", **changes)
    file = files[1] if what == "the same file" else write(tmp_path / "new", new)[0]
    with pytest.raises(ValueError, match=message):
        import_to_store(file, path, append=True)
    assert content_of(path) == before and [p.name for p in tmp_path.glob(".*")] == []


def test_append__another_kind_of_activity_or_of_ids_is_refused(tmp_path):
    files = write(tmp_path / "files", *days_of("events")[:2])
    path = import_to_store(files, tmp_path / "a.zarr")
    spikes = write(tmp_path / "new", a_session(2, [5, 3], "spikes"))
    with pytest.raises(ValueError, match=r"holds spikes, but .* holds events"):
        import_to_store(spikes, path, append=True)
    text = {"cell": ("identity", ["5", "3"])}
    named = [
        replace(item, unit_columns={"cell": ("identity", ids)})
        for item, ids in zip(days_of("events")[:2], ([3, 8, 5, 7], [5, 12, 3, 1, 8]), strict=True)
    ]
    named.append(a_session(2, [5, 3], "events", unit_columns=text))
    files = write(tmp_path / "named", *named)
    path = import_to_store(files[:2], tmp_path / "b.zarr", join_on="cell")
    for call in (
        lambda: import_to_store(files[2], path, append=True),
        lambda: import_nwb(files, join_on="cell"),
    ):
        with pytest.raises(ValueError, match="by numbers in .*, but by text in"):
            call()


def test_append__needs_a_store_that_says_where_it_came_from(tmp_path):
    files = write(tmp_path / "files", *days_of("events"))
    with pytest.raises(FileNotFoundError, match="no recording at"):
        import_to_store(files[2], tmp_path / "a.zarr", append=True)
    path = save_recording(testing.linear_track(n_units=2, minutes=1), tmp_path / "b.zarr")
    with pytest.raises(ValueError, match="does not say which NWB files"):
        import_to_store(files[2], path, append=True)
    with pytest.raises(ValueError, match="append and overwrite"):
        import_to_store(files[2], path, append=True, overwrite=True)
    with pytest.raises(TypeError, match="unknown options positions"):
        import_to_store(files[2], tmp_path / "c.zarr", positions="x")


def test_append__a_damaged_store_is_not_added_to(tmp_path):
    files = write(tmp_path / "files", *days_of("deconvolved"))
    path = import_to_store(files[:2], tmp_path / "a.zarr")
    chunk = path / "activity" / "c" / "0" / "0"
    chunk.write_bytes(chunk.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match="is damaged"):
        import_to_store(files[2], path, append=True)


def content_of(store):
    return {
        str(path.relative_to(store)): path.read_bytes()
        for path in store.rglob("*")
        if path.is_file()
    }


SLOW = """
import sys, time
from neurodrift import import_to_store
from neurodrift.io.nwb.stream import Stream
read = Stream.read
def slow(self, *args):
    print("writing", flush=True)
    time.sleep(0.2)
    return read(self, *args)
Stream.read = slow
*files, path, append = sys.argv[1:]
import_to_store(files, path, append=append == "True", overwrite=append != "True")
"""


@pytest.mark.parametrize("append", [True, False])
def test_import_to_store__a_kill_leaves_the_old_store(tmp_path, append):
    files = write(tmp_path / "files", *days_of("events"))
    path = import_to_store(files[:2], tmp_path / "a.zarr")
    before = content_of(path)
    given = files[2:] if append else files
    command = [sys.executable, "-c", SLOW, *map(str, given), str(path), str(append)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ.copy())
    assert process.stdout.readline() == "writing\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert content_of(path) == before and verify(path).damage == {}
    for left in tmp_path.glob(".*.unfinished"):
        shutil.rmtree(left)
    import_to_store(given, path, append=append, overwrite=not append)
    assert open_recording(path).sizes["session"] == 3


def test_cli__append(tmp_path, capsys):
    files = [str(file) for file in write(tmp_path / "files", *days_of("events"))]
    out = str(tmp_path / "a.zarr")
    assert main(["import", *files[:2], "-o", out]) == 0
    assert main(["import", files[2], "-o", out, "--append"]) == 0
    said = capsys.readouterr()
    assert "3 sessions, 8 units" in said.out and said.err == ""  # no bar without a terminal
    assert main(["import", files[2], "-o", out, "--append"]) == 2
    assert "nothing was added" in capsys.readouterr().err


GROWN = """
import sys
from neurodrift import import_to_store
from neurodrift.cli._options import give_memory_back
give_memory_back()
import_to_store(sys.argv[1:-1], sys.argv[-1])
held = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(int(held[0].split()[1]) / 1024)
"""  # of this process alone; what getrusage tells counts that of its parent before it began


def peak_of_import(folder, n_frames):
    """Peak memory [MiB] of importing one session of 400 units."""
    folder.mkdir()
    clock, rng = np.arange(n_frames) / 10, np.random.default_rng(0)
    values = np.where(rng.random((n_frames, 400), np.float32) < 0.05, 1.5, 0).astype(np.float32)
    item = NwbSession(
        subject="mouse",
        environment="track",
        session="1",
        start=START,
        registered_cell_id=np.arange(400),
        time=clock,
        position=50 + 40 * np.sin(clock / 3),
        responses=Series(
            name="activity", time=clock, data=values, unit="a.u.", description="deconvolved"
        ),
    )
    file = write_session(item, folder / "1.nwb")
    command = [sys.executable, "-c", GROWN, str(file), str(folder / "a.zarr")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(run.stdout)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads /proc")
def test_import_to_store__memory_does_not_grow_with_length(tmp_path):
    short = peak_of_import(tmp_path / "short", 10_000)  # 32 MB in double precision
    long = peak_of_import(tmp_path / "long", 80_000)  # 256 MB: in memory, some 900 MB at the peak
    assert long < 1.25 * short
