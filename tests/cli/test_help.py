"""Help in one form, progress in a log, and what commands say to people and to scripts."""

from __future__ import annotations

import argparse
import io
import json
import shlex
import sys

import numpy as np
import pytest

import neurodrift as nd
from neurodrift import progress
from neurodrift.cli import _parser, main
from neurodrift.cli._help import GROUPS
from neurodrift.progress import Progress, bar


def commands() -> dict[str, argparse.ArgumentParser]:
    (action,) = [a for a in _parser()._actions if isinstance(a, argparse._SubParsersAction)]
    return dict(action.choices)


def test_help__every_command_has_its_place_in_the_order_of_work(capsys):
    listed = [name for names in GROUPS.values() for name in names]
    assert sorted(listed) == sorted(commands())
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    rows = [line.split() for line in shown.splitlines() if line[:2] == "  " and line[2:3].isalpha()]
    assert [row[0] for row in rows][: len(listed)] == listed


@pytest.mark.parametrize("name", [name for names in GROUPS.values() for name in names])
def test_help__examples_parse_and_options_say_what_they_are(name):
    parser = commands()[name]
    title, *examples = (parser.epilog or "").splitlines()
    assert title == "examples:" and len(examples) >= 2
    for example in examples:
        program, *words = shlex.split(example)
        assert program == "neurodrift" and words[0] == name
        _parser().parse_args(words)
    for action in parser._actions:
        assert action.help, action.dest
        takes = action.nargs != 0 and not isinstance(action, argparse._SubParsersAction)
        if takes and action.option_strings and action.choices is None:
            assert isinstance(action.metavar, str | tuple) or action.dest == "title", action.dest


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("said") / "mouse.zarr"
    nd.save_recording(nd.testing.linear_track(n_units=6, n_sessions=3, minutes=2), path)
    return path


def test_json__is_all_of_standard_output(store, tmp_path, capsys):
    words = ["analyze", str(store), "--n-repeats", "3", "-o", str(tmp_path / "r.zarr")]
    assert main([*words, "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["command"] == "analyze" and found["out"] == str(tmp_path / "r.zarr")
    assert [row["session"] for row in found["sessions"]] == ["1", "2", "3"]
    active = nd.open_results(tmp_path / "r.zarr")["sessions"]["n_active"].values
    assert [row["n_active"] for row in found["sessions"]] == active.tolist()
    assert "next: neurodrift report" in err


def test_quiet_and_verbose(store, tmp_path, capsys):
    words = ["verify", str(store)]
    assert main([*words, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert main([*words, "-q", "--verbose"]) == 0
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("took ") and "MiB" in err
    assert main(["verify", str(tmp_path / "none.zarr"), "-q"]) == 2
    assert "none.zarr" in capsys.readouterr().err


def test_next__is_the_last_line(store, tmp_path, capsys):
    results = str(tmp_path / "r.zarr")
    main(["analyze", str(store), "--measures", "sessions", "-o", results])
    words = shlex.split(capsys.readouterr().out.strip().splitlines()[-1].removeprefix("next: "))
    assert _parser().parse_args(words[1:]).results[0].name == "r.zarr"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_progress__lines_in_a_log(monkeypatch):
    clock, log = Clock(), io.StringIO()
    monkeypatch.setattr(progress.time, "monotonic", clock)
    monkeypatch.setattr(sys, "stderr", log)
    for _ in bar(range(100), "sweep", True, unit="run"):
        clock.now += 4.0
    lines = log.getvalue().splitlines()
    assert lines[0] == "sweep: 3 of 100 runs, 12 s, about 6 min 28 s left"
    assert len(lines) == 6  # twice as long each time
    took = [int(line.split(": ")[1].split(" of")[0]) * 4 for line in lines]
    assert (np.diff(took) >= np.minimum(took[:-1], 300)).all()


@pytest.mark.parametrize("how", ["short", "off", "quiet"])
def test_progress__nothing_where_nothing_is_wanted(monkeypatch, how):
    clock, log = Clock(), io.StringIO()
    monkeypatch.setattr(progress.time, "monotonic", clock)
    monkeypatch.setattr(sys, "stderr", log)
    if how == "quiet":
        monkeypatch.setenv(progress.QUIET, "1")
    for _ in bar(range(4), "import", how != "off"):
        clock.now += 2.0 if how == "short" else 90.0
    assert log.getvalue() == ""


def test_progress__what_was_done_before_takes_no_time(monkeypatch):
    clock, log = Clock(), io.StringIO()
    monkeypatch.setattr(progress.time, "monotonic", clock)
    monkeypatch.setattr(sys, "stderr", log)
    under_way = Progress(10, "sweep", unit="run", initial=6)
    clock.now = 20.0
    under_way.add()
    assert log.getvalue() == "sweep: 7 of 10 runs, 20 s, about 1 min 0 s left\n"
