"""Outputs are whole or not there, and written by one command at a time."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

from neurodrift import analyze, open_recording, save_recording, save_results, testing
from neurodrift.cli import main
from neurodrift.io.nwb import patient
from neurodrift.io.nwb.session import session_from_recording
from neurodrift.io.nwb.write import write_session
from neurodrift.io.output import claimed, clean, discard, held, hidden, mend, whole
from neurodrift.io.unfinished import UnfinishedStore, end_writing

HOLD = """
import sys, time
from pathlib import Path
from neurodrift.io.output import claimed, whole
with claimed(sys.argv[1], overwrite=True):
    print("held", flush=True)
    time.sleep(60)
"""


def _names(folder):
    return sorted(item.name for item in folder.iterdir())


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the output ``tmp_path / "out"``."""
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(out)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_claimed__second_writer_is_told_at_the_start(tmp_path, holder):
    told = rf"being written.*process {holder.pid} on"
    with pytest.raises(FileExistsError, match=told), claimed(tmp_path / "out", overwrite=True):
        pytest.fail("two writers")
    with pytest.raises(FileExistsError, match="being written"):
        save_recording(testing.linear_track(n_units=2, n_sessions=2, minutes=1), tmp_path / "out")


def test_claimed__what_a_killed_process_held_is_free(tmp_path, holder):
    holder.kill()
    holder.wait()
    assert ".out.lock" in _names(tmp_path)
    with claimed(tmp_path / "out", overwrite=False):
        pass
    assert _names(tmp_path) == []


def test_claimed__once_more_in_the_same_command(tmp_path):
    with claimed(tmp_path / "out", overwrite=False):
        with whole(tmp_path / "out", overwrite=False) as unfinished:
            unfinished.write_text("x")
        assert (tmp_path / "out").read_text() == "x"
    assert _names(tmp_path) == ["out"]


def test_claimed__another_thread_is_another_writer(tmp_path):
    found = []

    def second():
        try:
            with held(tmp_path / "out"):
                found.append("held")
        except FileExistsError as error:
            found.append(str(error))

    with held(tmp_path / "out"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert "being written" in found[0]


def test_claimed__folders_are_not_left_by_a_command_that_failed(tmp_path):
    with pytest.raises(ZeroDivisionError), claimed(tmp_path / "a" / "b" / "out", overwrite=False):
        raise ZeroDivisionError
    assert _names(tmp_path) == []


def test_whole__what_was_written_meanwhile_is_kept(tmp_path):
    """A writer that knows of no lock, or is on a computer that does not see it."""
    for before in (False, True):
        out = tmp_path / f"out{before}"
        if before:
            out.write_text("old")
        told = pytest.raises(FileExistsError, match="by another program meanwhile and was kept")
        with told, whole(out, overwrite=before) as unfinished:
            unfinished.write_text("mine")
            out.write_text("theirs")
        assert out.read_text() == "theirs"
    assert _names(tmp_path) == ["outFalse", "outTrue"]


def test_mend__puts_back_what_a_kill_between_two_renames_left(tmp_path):
    out = tmp_path / "mouse.zarr"
    recording = testing.linear_track(n_units=2, n_sessions=2, minutes=1)
    save_recording(recording, out)
    os.replace(out, hidden(out, "old"))
    hidden(out, "unfinished").mkdir()
    with pytest.warns(UserWarning) as told, pytest.raises(FileExistsError, match="was kept"):
        save_recording(recording, out)
    texts = sorted(str(item.message) for item in told)
    assert len(texts) == 2 and "killed command left it" in texts[0] and "put back" in texts[1]
    open_recording(out)
    assert _names(tmp_path) == ["mouse.zarr"]


def test_mend__leaves_other_outputs_alone(tmp_path):
    others = [hidden(tmp_path / "a.zarr.b", "unfinished"), hidden(tmp_path / "a", "old")]
    for other in others:
        other.mkdir()
    assert mend(tmp_path / "a.zarr") == []
    assert all(other.is_dir() for other in others)


def test_clean__by_the_command(tmp_path, holder, capsys):
    (tmp_path / "there").write_text("whole")
    gone, stale = tmp_path / "gone.zarr", hidden(tmp_path / "there", "old")
    hidden(gone, "old").mkdir()
    stale.write_text("older")
    under_way = hidden(tmp_path / "out", "unfinished")
    under_way.mkdir()
    assert main(["clean", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert gone.is_dir() and not stale.exists() and under_way.is_dir()
    assert "put back" in text and "left it" in text and "left alone" in text
    holder.kill()
    holder.wait()
    assert main(["clean", str(tmp_path)]) == 0
    assert main(["clean", str(tmp_path)]) == 0
    assert "nothing was left" in capsys.readouterr().out
    assert _names(tmp_path) == ["gone.zarr", "there"]


def test_clean__a_name_that_was_cut_is_never_given_to_a_store(tmp_path):
    """What a kill between two renames left of a long name has a digest in place of its end."""
    path = tmp_path / ("a" * 200 + ".zarr")
    old = hidden(path, "old")
    old.mkdir()
    (told,) = clean(tmp_path)
    assert "was left: its name is cut" in told and _names(tmp_path) == [old.name]
    path.mkdir()
    (told,) = clean(tmp_path)  # its store is there, so the older one is in the way
    assert "was removed" in told and _names(tmp_path) == [path.name]


@pytest.mark.parametrize(
    "name", ["a" * 250, "ü" * 120, "x::y", "https:x", "sp ace", "日本" * 40, "n\nl", "%d{x}"]
)
def test_whole__long_and_odd_names(tmp_path, name):
    out = tmp_path / name
    for text in ("one", "two"):
        with whole(out, overwrite=True) as unfinished:
            unfinished.mkdir()
            (unfinished / "f").write_text(text)
        assert (out / "f").read_text() == text
    hidden(out, "unfinished").mkdir()
    with pytest.warns(UserWarning, match="killed command"), claimed(out, overwrite=True):
        pass
    assert _names(tmp_path) == [name]


def test_unfinished_store__no_thread_writes_after_the_end(tmp_path):
    """Threads of Dask go on after one of them failed; nothing of theirs may come back."""
    import zarr

    root = tmp_path / "store"
    array = zarr.create_array(UnfinishedStore(root), shape=(400,), chunks=(1,), dtype="f8")
    errors = []

    def write():
        try:
            for i in range(400):
                array[i] = i + 1
        except OSError as error:
            errors.append(str(error))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    end_writing(root)
    discard(root)
    for thread in threads:
        thread.join()
    assert len(errors) == 4 and "given up" in errors[0]
    assert not root.exists()


def test_save_recording__a_chunk_that_fails_leaves_nothing(tmp_path):
    recording = testing.linear_track(n_units=40, n_sessions=4, minutes=2)
    activity = recording["activity"].data
    import dask.array as da

    def bad(block, block_info=None):
        if block_info and block_info[0]["chunk-location"] == (0, 1):
            raise OSError(errno.ENOSPC, "No space left on device")
        time.sleep(0.05)
        return block

    lazy = da.from_array(activity, chunks=(activity.shape[0] // 4, 10)).map_blocks(bad)
    recording = recording.assign(activity=(("time", "unit"), lazy, recording["activity"].attrs))
    with pytest.raises(OSError, match="No space left"):
        save_recording(recording, tmp_path / "r.zarr")
    assert _names(tmp_path) == []


LIMITED = """
import resource, sys
from neurodrift.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    path = tmp_path_factory.mktemp("results") / "r.zarr"
    found = analyze(testing.linear_track(n_units=30, n_sessions=3, minutes=3), n_repeats=5)
    return save_results(found, path)


@pytest.mark.skipif(sys.platform == "win32", reason="no file-size limits")
@pytest.mark.parametrize("size", [0, 2_000, 60_000])
def test_export__full_disk_is_one_line(tmp_path, results, size):
    """libhdf5 crashes the process when it cannot close a file."""
    command = ["export", str(results), "-o", str(tmp_path / "r.nwb")]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(size), *command], capture_output=True, text=True
    )
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1 and "could not be written" in done.stderr
    assert _names(tmp_path) == []


def test_patient_file__error_at_every_size(tmp_path, monkeypatch):
    session = session_from_recording(testing.linear_track(n_units=3, n_sessions=2, minutes=1), "1")
    write_session(session, tmp_path / "sound.nwb")
    n = (tmp_path / "sound.nwb").stat().st_size
    real = patient.io.FileIO

    class Full(real):
        left = 0

        def write(self, data):
            type(self).left -= len(data)
            if self.left < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    monkeypatch.setattr(patient.io, "FileIO", Full)
    for left in np.linspace(0, n, 12)[:-1].astype(int):
        Full.left = int(left)
        with pytest.raises(OSError, match=r"No space left on device: could not be written"):
            write_session(session, tmp_path / "full.nwb")
    assert _names(tmp_path) == ["sound.nwb"]


def test_overwrite__keeps_files_of_another_origin(tmp_path):
    session = session_from_recording(testing.linear_track(n_units=3, n_sessions=2, minutes=1), "1")
    path = tmp_path / "notes.nwb"
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="no NWB file of neurodrift"):
        write_session(session, path, overwrite=True)
    assert path.read_text() == "precious"
    path.unlink()
    for _ in range(2):
        write_session(session, path, overwrite=True)
    notes = tmp_path / "notes.txt"
    notes.write_text("precious: yes\n")
    for command in (
        ["inspect", str(path), "-o", str(notes), "--overwrite"],
        ["convert", "arrays", str(notes), "--init", "--overwrite"],
        ["demo", "--out", str(notes), "--overwrite"],
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            main(command)
        assert notes.read_text() == "precious: yes\n", command


def test_output__below_a_file_is_refused_in_words(tmp_path):
    (tmp_path / "file").write_text("x")
    told = "file is a file, so .* cannot be written below"
    with pytest.raises(FileExistsError, match=told), held(tmp_path / "file" / "a.zarr"):
        pass
