from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pynwb
import pytest

from neurodrift import testing
from neurodrift.io.nwb.read import read_session
from neurodrift.io.nwb.session import NwbSession, Series, session_from_recording
from neurodrift.io.nwb.write import write_session

TRIALS = {
    "start_time": ("", [0.0, 40.0]),
    "stop_time": ("", [10.0, 50.0]),
    "map_label": ("map of the environment", [1, 2]),
    "is_odd": ("whether it is odd", np.array([True, False])),
}


def two_runs() -> np.ndarray:
    return np.concatenate([np.arange(200) / 20, 40 + np.arange(200) / 20])


def example(**changes: object) -> NwbSession:
    rng = np.random.default_rng(0)
    time = two_runs()
    session = NwbSession(
        subject="mouse",
        environment="A",
        session="1",
        start=datetime(2020, 1, 1, 12, tzinfo=UTC),
        registered_cell_id=np.array([3, -1, 5]),
        region="CA1",
        unit_columns={"source_column": ("column of the source", np.arange(1, 4))},
        events=[np.sort(rng.choice(time, 20, replace=False)) for _ in range(3)],
        amplitudes=[rng.random(20) for _ in range(3)],
        time=time,
        position=np.where(time < 5, np.nan, rng.random(400) * 96),
        velocity=rng.normal(size=400),
        series=[
            Series(
                name="raw_x",
                time=time - 0.01 + 0.02,
                data=rng.random(400),
                unit="pixels",
                description="raw",
            )
        ],
        trials=TRIALS,
        tables={"source_files": ("sources", {"file": ("name", ["a"]), "sha256": ("sum", ["b"])})},
        day=2.0,
        experience=15.0,
    )
    return replace(session, **changes)


def with_spikes() -> NwbSession:
    spikes = [np.array([0.11, 0.12, 45.0]), np.empty(0), np.array([1.0])]
    return example(events=None, amplitudes=None, spikes=spikes)


def with_responses() -> NwbSession:
    responses = Series(
        name="Deconvolved",
        time=np.arange(100) / 10,
        data=np.random.default_rng(1).random((100, 3)),
        unit="a.u.",
        description="deconvolved",
    )
    return example(events=None, amplitudes=None, responses=responses)


@pytest.mark.parametrize("session", [example(), with_spikes(), with_responses()])
def test_write_session__valid_and_without_critical_findings(
    session: NwbSession, tmp_path: Path
) -> None:
    from nwbinspector import Importance, inspect_nwbfile

    path = write_session(session, tmp_path / "one.nwb")
    assert pynwb.validate(path=str(path)) == []
    findings = list(inspect_nwbfile(nwbfile_path=str(path)))
    worst = [f for f in findings if f.importance.value >= Importance.CRITICAL.value]
    assert worst == []
    violations = {
        f.check_function_name
        for f in findings
        if f.importance == Importance.BEST_PRACTICE_VIOLATION
    }
    assert violations <= {"check_roi_response_series_link_to_plane_segmentation"}


def test_write_session__events_are_no_spikes(tmp_path: Path) -> None:
    session = example()
    path = write_session(session, tmp_path / "one.nwb")
    with pynwb.NWBHDF5IO(path, "r") as io:
        nwbfile = io.read()
        assert nwbfile.units is None
        table = nwbfile.events["calcium_events"]
        times, cells = table["timestamp"].data[:], table["cell"].data[:]
        amplitudes = table["amplitude"].data[:]
        assert (np.diff(times) >= 0).all()
        for i in range(3):
            assert np.array_equal(times[cells == i], session.events[i])
            assert np.array_equal(amplitudes[cells == i], session.amplitudes[i])
        assert table["cell"].table["registered_cell_id"].data[:].tolist() == [3, -1, 5]
        assert table["cell"].table["source_column"].data[:].tolist() == [1, 2, 3]
        position = nwbfile.processing["behavior"]["Position"]["position"]
        assert (position.unit, position.conversion) == ("meters", 0.01)
        assert np.array_equal(position.data[:], session.position, equal_nan=True)
        assert np.array_equal(position.timestamps[:], session.time)
        assert nwbfile.processing["behavior"]["velocity"].timestamps is position.timestamps
        assert nwbfile.trials["is_odd"].data[:].tolist() == [True, False]
        assert nwbfile.session_start_time == session.start
        assert nwbfile.analysis["source_files"]["sha256"].data[:].tolist() == ["b"]


def test_write_session__spikes_with_observed_intervals(tmp_path: Path) -> None:
    session = with_spikes()
    path = write_session(session, tmp_path / "one.nwb")
    with pynwb.NWBHDF5IO(path, "r") as io:
        units = io.read().units
        assert [units["spike_times"][i].tolist() for i in range(3)] == [
            spikes.tolist() for spikes in session.spikes
        ]
        assert np.allclose(units["obs_intervals"][1], [[0, 10], [40, 50]])
        assert units["location"].data[:].tolist() == ["CA1"] * 3
        assert units.resolution == 1e-4


def test_write_session__a_regular_clock_is_a_rate_only_if_exact(tmp_path: Path) -> None:
    for name, time in {
        "regular": np.arange(400) / 20,
        "almost": np.arange(400) / 20 + 1e-12 * np.arange(400) ** 2,
    }.items():
        session = example(time=time, series=(), events=None, amplitudes=None, trials=None)
        session = replace(session, events=[time[:3]] * 3, position=np.linspace(0, 9, 400))
        path = write_session(session, tmp_path / f"{name}.nwb")
        with pynwb.NWBHDF5IO(path, "r") as io:
            position = io.read().processing["behavior"]["Position"]["position"]
            assert bool(position.rate == 20.0) is (name == "regular")
            assert np.array_equal(np.asarray(position.get_timestamps()[:]), time)


def test_write_session__existing_kept_unless_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "one.nwb"
    path.write_bytes(b"precious")
    for overwrite in (False, True):  # what neurodrift did not write is never replaced
        with pytest.raises(FileExistsError, match="was kept"):
            write_session(example(), path, overwrite=overwrite)
    assert path.read_bytes() == b"precious"
    path.unlink()
    write_session(example(), path)
    with pytest.raises(FileExistsError, match="was kept"):
        write_session(example(), path)
    write_session(example(), path, overwrite=True)
    assert read_session(path).sizes["unit"] == 3
    assert [p.name for p in tmp_path.iterdir()] == ["one.nwb"]


def test_write_session__failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = write_session(example(), tmp_path / "one.nwb")
    before = path.read_bytes()

    def refuse(unfinished: Path) -> None:
        assert unfinished.is_file() and unfinished != path
        raise RuntimeError("not as it should be")

    with pytest.raises(RuntimeError):
        write_session(example(), path, overwrite=True, verify=refuse)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["one.nwb"]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"start": datetime(2020, 1, 1)}, "no time zone"),
        ({"registered_cell_id": np.array([3, 3, 5])}, r"registered_cell_id \[3\]"),
        ({"events": [np.array([1.0])]}, "events has 1 entries, but there are 3 units"),
        ({"amplitudes": [np.ones(2)] * 3}, "amplitudes and events differ in length"),
        ({"spikes": [np.array([1.0, 1.0])] * 3}, "not strictly increasing"),
        ({"position": np.ones(10)}, "position has 10 samples, but its time has 400"),
        ({"position": np.full(400, np.nan)}, "NaN in every frame"),
        ({"time": two_runs()[::-1]}, "time of position is not strictly increasing"),
        ({"time": None}, "position without time"),
        ({"trials": TRIALS | {"x": ("", [1])}}, "columns of table 'trials' differ in length"),
        ({"unit_columns": {"a": ("", [1])}}, "unit column 'a' has 1 entries"),
    ],
)
def test_write_session__contradictions(
    changes: dict[str, object], fault: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=fault):
        write_session(example(**changes), tmp_path / "one.nwb")
    assert not list(tmp_path.iterdir())


def test_write_session__all_faults_at_once(tmp_path: Path) -> None:
    session = example(start=datetime(2020, 1, 1), position=np.ones(10))
    with pytest.raises(ValueError, match=r"(?s)time zone.*10 samples"):
        write_session(session, tmp_path / "one.nwb")


def test_write_session__without_position_or_events(tmp_path: Path) -> None:
    session = example(
        time=None, position=None, velocity=None, series=(), trials=None, events=[np.empty(0)] * 3
    )
    session = replace(session, amplitudes=None)
    path = write_session(session, tmp_path / "one.nwb")
    with pytest.raises(ValueError, match=r"one\.nwb holds no position"):
        read_session(path)


def test_write_session__name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"does not end in \.nwb"):
        write_session(example(), tmp_path / "one.h5")


def test_session_from_recording__unknown_session() -> None:
    with pytest.raises(ValueError, match="no session '9'"):
        session_from_recording(testing.linear_track(n_units=1, minutes=1), "9")
