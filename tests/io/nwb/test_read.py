from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pynwb
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodrift import kinematics, schema, testing
from neurodrift.gate.findings import GateWarning
from neurodrift.io.nwb.frames import frame_of
from neurodrift.io.nwb.read import import_nwb, read_session
from neurodrift.io.nwb.session import NwbSession, Series, session_from_recording
from neurodrift.io.nwb.write import write_session
from neurodrift.recording import recording_from_arrays

START = datetime(2020, 1, 1, 12, tzinfo=UTC)
TIME = np.concatenate([np.arange(200) / 20, 40 + np.arange(200) / 20])


def session(**changes: Any) -> NwbSession:
    rng = np.random.default_rng(0)
    base = NwbSession(
        subject="mouse",
        environment="A",
        session="1",
        start=START,
        registered_cell_id=np.array([3, 8, 5]),
        events=[np.sort(rng.choice(TIME, 20, replace=False)) for _ in range(3)],
        amplitudes=[rng.random(20) for _ in range(3)],
        time=TIME,
        position=50 + 40 * np.sin(TIME),
        velocity=40 * np.cos(TIME),
    )
    return replace(base, **changes)


def written(folder: Path, **changes: Any) -> Path:
    item = session(**changes)
    return write_session(item, folder / f"{item.session}.nwb")


def files_of(recording: xr.Dataset, folder: Path) -> list[Path]:
    labels = [str(item) for item in recording["session"].values]
    return [
        write_session(session_from_recording(recording, label), folder / f"{label}.nwb")
        for label in labels
    ]


def foreign(path: Path, add: Any, *, start: datetime = START, subject: str = "rat 1") -> Path:
    """A file as another laboratory might write it."""
    nwbfile = pynwb.NWBFile(
        session_description="a session",
        identifier=path.stem,
        session_start_time=start,
        subject=pynwb.file.Subject(subject_id=subject, species="Rattus norvegicus", age="P90D"),
    )
    add(nwbfile)
    with pynwb.NWBHDF5IO(path, "w") as io:
        io.write(nwbfile)
    return path


def spatial(data: np.ndarray, **changes: Any) -> Any:
    fields = {"name": "track", "data": data, "unit": "meters", "reference_frame": "corner"}
    fields |= {"rate": 20.0, "starting_time": 0.0}
    return pynwb.behavior.SpatialSeries(**(fields | changes))


def add_units(nwbfile: Any, spikes: Sequence[np.ndarray]) -> None:
    for times in spikes:
        nwbfile.add_unit(spike_times=times)


# ---- round trips


@pytest.mark.parametrize("kind", ["events", "spikes", "amplitudes", "deconvolved"])
def test_import_nwb__gives_back_what_was_written(kind: str, tmp_path: Path) -> None:
    made = testing.linear_track(n_units=5, n_sessions=3, minutes=0.5, detection=0.6, peak_rate=9)
    activity = made["activity"].values
    if kind in ("amplitudes", "deconvolved"):
        sizes = np.random.default_rng(0).random(activity.shape)
        activity = np.where(activity > 0, sizes, 0.0)
    made = made.assign(activity=(("time", "unit"), activity))
    made["activity"].attrs.update(kind=kind, units=schema.ACTIVITY_KINDS[kind])
    files = files_of(made, tmp_path)
    values = "amplitudes" if kind == "amplitudes" else "events"
    found = import_nwb(files[::-1], values=values)
    assert found["activity"].attrs["kind"] == kind
    for name in ("activity", "detected", "session_index", "x", "speed", "trial"):
        np.testing.assert_array_equal(found[name].values, made[name].values, err_msg=name)
    moving = made["direction"].values != 0
    np.testing.assert_array_equal(found["direction"][moving], made["direction"][moving])
    for name in ("session", "unit", "day", "experience", "subject", "environment"):
        np.testing.assert_array_equal(found[name].values, made[name].values, err_msg=name)
    np.testing.assert_allclose(found["frame_duration"], 0.05, rtol=1e-12)
    assert found["activity"].dtype.kind == made["activity"].dtype.kind


def test_import_nwb__two_dimensions(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    made = recording_from_arrays(
        rng.poisson(0.1, (400, 2)),
        kind="events",
        frame_duration=0.05,
        x=np.cumsum(rng.normal(size=400)),
        y=np.cumsum(rng.normal(size=400)),
    )
    made = kinematics.running(made)
    found = import_nwb(files_of(made, tmp_path))
    for name in ("activity", "x", "y", "speed"):
        np.testing.assert_array_equal(found[name].values, made[name].values, err_msg=name)
    assert "direction" not in found


def test_import_nwb__time_runs_on_from_the_first_start(tmp_path: Path) -> None:
    first = written(tmp_path)
    second = written(tmp_path, session="2", start=START + timedelta(days=3, hours=1))
    found = import_nwb([second, first])
    assert found["session"].values.tolist() == ["1", "2"]
    assert found["day"].values.tolist() == [0.0, 3.0]
    assert found["time"].values[TIME.size] == 3 * 86400 + 3600
    np.testing.assert_allclose(found["experience"], [0.0, TIME.size * 0.05 / 60])


def test_import_nwb__experience_and_day_of_the_file(tmp_path: Path) -> None:
    files = [
        written(tmp_path, session=str(i), day=day, experience=minutes)
        for i, (day, minutes) in enumerate([(4.0, 60.0), (9.0, 75.0)])
    ]
    found = import_nwb(files)
    assert found["experience"].values.tolist() == [60.0, 75.0]
    assert found["day"].values.tolist() == [0.0, 5.0]


def test_import_nwb__not_recorded_is_not_detected(tmp_path: Path) -> None:
    files = [
        written(tmp_path, registered_cell_id=np.array([3, -1, 5])),
        written(
            tmp_path,
            session="2",
            start=START + timedelta(days=1),
            registered_cell_id=np.array([12, 5, -1]),
        ),
    ]
    found = import_nwb(files)
    assert found["unit"].values.tolist() == ["3", "5", "12", "1:1", "2:2"]
    assert found["detected"].values.astype(int).tolist() == [[1, 1, 0, 1, 0], [0, 1, 1, 0, 1]]
    silent = found["activity"].values[: TIME.size][:, [2, 4]]
    assert not silent.any()


def test_import_nwb__labels_that_repeat_give_way_to_file_names(tmp_path: Path) -> None:
    paths = [
        write_session(session(start=START + timedelta(days=i)), tmp_path / f"{name}.nwb")
        for i, name in enumerate(("monday", "tuesday"))
    ]
    assert import_nwb(paths)["session"].values.tolist() == ["monday", "tuesday"]


def test_import_nwb__one_session_twice_and_sessions_at_once(tmp_path: Path) -> None:
    one = written(tmp_path)
    copy = tmp_path / "copy.nwb"
    copy.write_bytes(one.read_bytes())
    with pytest.raises(ValueError, match="hold the same activity at the same times: one was given"):
        import_nwb([one, copy], accept=["session_overlap"])
    late = session(start=START + timedelta(seconds=(TIME[-1] - TIME[0]) / 2))
    other = write_session(late, tmp_path / "late.nwb")
    with pytest.raises(ValueError, match=r"overlap by [0-9.]+ s: a copy of one recording, or a"):
        import_nwb([one, other])
    found = import_nwb([one, other], accept=["session_overlap"])
    assert "session_overlap" in found.attrs["findings"]


@pytest.mark.parametrize(
    ("zones", "hours", "days"),
    [
        ((-5, 1), 1, 0),  # 23:30 in Boston, then 06:30 on the next date in Paris
        ((9, -8), 1, 0),  # by dates, a day before
        ((-5, 1), 24, 1),
        ((1, 2), 1, 1),  # daylight saving: still dates
        ((1, 1), 1, 1),
    ],
)
def test_import_nwb__days_across_time_zones(
    tmp_path: Path, zones: tuple[int, int], hours: int, days: int
) -> None:
    here, there = (timezone(timedelta(hours=zone)) for zone in zones)
    first = datetime(2026, 1, 1, 23, 30, tzinfo=here)
    starts = [first, (first + timedelta(hours=hours)).astimezone(there)]
    files = [
        write_session(session(start=start), tmp_path / f"{i}.nwb") for i, start in enumerate(starts)
    ]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = import_nwb(files)
    assert found["day"].values.tolist() == [0, days]
    said = any("began in time zones" in str(item.message) for item in told)
    assert said == (abs(zones[0] - zones[1]) > 1)


def test_import_nwb__leaves_files_alone(tmp_path: Path) -> None:
    path = written(tmp_path)
    before = hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns
    import_nwb(path)
    assert (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns) == before
    path.rename(path.with_name("moved.nwb"))  # nothing holds it open


def test_import_nwb__several_subjects_or_environments(tmp_path: Path) -> None:
    first = written(tmp_path)
    with pytest.raises(ValueError, match=r"different subjects \(mouse, rat\)"):
        import_nwb([first, written(tmp_path, session="2", subject="rat")])
    with pytest.raises(ValueError, match=r"different environments \(A, B\)"):
        import_nwb([first, written(tmp_path, session="3", environment="B")])


def test_import_nwb__bad_files(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no NWB file given"):
        import_nwb([])
    with pytest.raises(FileNotFoundError, match="no NWB file at"):
        import_nwb([tmp_path / "absent.nwb"])
    (tmp_path / "text.nwb").write_text("no HDF5")
    with pytest.raises(ValueError, match="no readable NWB"):
        import_nwb([tmp_path / "text.nwb"])
    path = written(tmp_path)
    with pytest.raises(ValueError, match="given twice"):
        import_nwb([path, path])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="no readable NWB"):
        import_nwb([path])


# ---- activity on frames


def slow_counts(times: np.ndarray, frames: np.ndarray, step: float) -> np.ndarray:
    counts = np.zeros(frames.size, dtype=int)
    for t in times:
        for k in range(frames.size):
            stop = frames[k] + step
            if k + 1 < frames.size and frames[k + 1] - frames[k] <= 1.5 * step:
                stop = frames[k + 1]
            if frames[k] <= t < stop:
                counts[k] += 1
    return counts


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.5, 3.0), min_size=1, max_size=30),
    st.lists(st.floats(-2, 40), max_size=40),
)
def test_frame_of__matches_loops(steps: list[float], times: list[float]) -> None:
    frames = np.concatenate([[0.0], np.cumsum(steps)])
    # Off the edges by more than the slack, where rounding decides.
    spikes = np.array([t for t in times if np.abs(frames - t).min() > 1e-4], dtype=float)
    spikes = np.array([t for t in spikes if np.abs(frames + 1 - t).min() > 1e-4], dtype=float)
    index = frame_of(spikes, frames, 1.0)
    counts = np.bincount(index[index >= 0], minlength=frames.size)
    np.testing.assert_array_equal(counts, slow_counts(spikes, frames, 1.0))


@pytest.mark.filterwarnings("ignore::neurodrift.gate.findings.GateWarning")
def test_read_session__counts_spikes_but_not_in_gaps(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    spikes = [np.sort(rng.uniform(0, 60, n)) for n in (3000, 50, 0)]
    path = written(tmp_path, events=None, amplitudes=None, spikes=spikes)
    found = read_session(path)
    assert found["activity"].attrs["kind"] == "spikes"
    assert found["activity"].dtype == np.uint8
    for i, times in enumerate(spikes):
        expected = slow_counts(times[:400], TIME, 0.05) + slow_counts(times[400:], TIME, 0.05)
        np.testing.assert_array_equal(found["activity"].values[:, i], expected)
    assert found["activity"].values[:, 0].sum() < spikes[0].size


def test_read_session__smallest_counts(tmp_path: Path) -> None:
    spikes = [np.linspace(1.0, 1.04, 300), np.array([2.0]), np.empty(0)]
    path = written(tmp_path, events=None, amplitudes=None, spikes=spikes)
    with pytest.raises(ValueError, match="covers 5 % of"):
        read_session(path)
    found = read_session(path, accept=["overlap"])["activity"]
    assert found.dtype == np.uint16
    assert found.values.max() == 300


def test_read_session__amplitudes_are_added_up(tmp_path: Path) -> None:
    events = [TIME[[5, 5, 9]], np.empty(0), TIME[[1]]]
    amplitudes = [np.array([0.5, 0.25, 1.0]), np.empty(0), np.array([3.0])]
    path = written(tmp_path, events=events, amplitudes=amplitudes)
    found = read_session(path, values="amplitudes")["activity"]
    assert found.attrs["kind"] == "amplitudes"
    assert found.values[5, 0] == 0.75 and found.values[9, 0] == 1.0 and found.values[1, 2] == 3.0
    assert found.values.sum() == 4.75
    assert read_session(path)["activity"].values[5, 0] == 2
    bare = written(tmp_path, session="2", amplitudes=None)
    with pytest.raises(ValueError, match="no column amplitude"):
        read_session(bare, values="amplitudes")


def responses(time: np.ndarray) -> dict[str, Any]:
    data = np.random.default_rng(2).random((time.size, 3))
    series = Series(name="Deconvolved", time=time, data=data, unit="a.u.", description="rates")
    return {"events": None, "amplitudes": None, "responses": series}


def test_read_session__responses_on_the_same_clock(tmp_path: Path) -> None:
    fields = responses(TIME)
    found = read_session(written(tmp_path, **fields))
    np.testing.assert_array_equal(found["activity"].values, fields["responses"].data)
    assert found["activity"].attrs["kind"] == "deconvolved"


@pytest.mark.filterwarnings("ignore::neurodrift.gate.findings.GateWarning")
@pytest.mark.parametrize("rate", [47.0, 20.0, 7.0])
def test_read_session__responses_on_another_clock(rate: float, tmp_path: Path) -> None:
    sampled = 0.013 + np.arange(int(45 * rate)) / rate
    fields = responses(sampled)
    found = read_session(written(tmp_path, **fields))
    tracked = sampled <= TIME[-1]
    np.testing.assert_allclose(found["time"].values, sampled[tracked], atol=1e-9)
    np.testing.assert_allclose(found["frame_duration"], 1 / rate, rtol=1e-9)
    np.testing.assert_array_equal(found["activity"].values, fields["responses"].data[tracked])
    x = 50 + 40 * np.sin(TIME)
    for time, here in zip(sampled[tracked].tolist(), found["x"].values.tolist(), strict=True):
        k = max(i for i in range(TIME.size) if TIME[i] <= time)
        if TIME[k] != time and TIME[k + 1] - TIME[k] > 0.5:  # the position was lost for 30 s
            assert np.isnan(here)
            continue
        part = (time - TIME[k]) / 0.05
        after = x[min(k + 1, x.size - 1)]
        assert here == pytest.approx((1 - part) * x[k] + part * after, abs=1e-6)


def test_read_session__clocks_that_never_meet(tmp_path: Path) -> None:
    path = written(tmp_path, events=[TIME + 5000] * 3, amplitudes=None)
    with pytest.raises(ValueError, match="their clocks start at different times"):
        read_session(path)
    path = written(tmp_path, session="2", **responses(TIME + 5000))
    with pytest.raises(ValueError, match="lies within behavior/Position/position"):
        read_session(path)


# ---- files of others


@pytest.mark.filterwarnings("ignore::neurodrift.gate.findings.GateWarning")
def test_read_session__foreign_spikes(tmp_path: Path) -> None:
    x = 0.5 + 0.4 * np.sin(np.arange(400) / 20)
    spikes = [np.array([0.01, 0.02, 3.3]), np.array([19.99])]

    def add(nwbfile: Any) -> None:
        nwbfile.add_acquisition(spatial(x[:, None]))
        add_units(nwbfile, spikes)
        nwbfile.add_trial(start_time=1.0, stop_time=2.0)
        nwbfile.add_trial(start_time=2.0, stop_time=4.0)

    path = foreign(tmp_path / "rat.nwb", add)
    found = read_session(path)
    assert found["unit"].values.tolist() == ["rat:0", "rat:1"]
    assert (str(found["subject"].item()), str(found["environment"].item())) == ("rat 1", "unknown")
    np.testing.assert_allclose(found["x"], 100 * x)
    assert found["activity"].values[[0, 66, 399]].tolist() == [[2, 0], [1, 0], [0, 1]]
    expected = np.repeat([-1, 1, 2, -1], [20, 20, 40, 320])
    np.testing.assert_array_equal(found["trial"].values, expected)
    derived = kinematics.running(found.drop_vars(["speed", "direction"]))
    np.testing.assert_array_equal(found["speed"].values, derived["speed"].values)
    assert read_session(path, join_on="id")["unit"].values.tolist() == [0, 1]
    assert read_session(path, environment="arena")["environment"].item() == "arena"
    with pytest.raises(ValueError, match=r"no column 'cell' to join on; it has id, spike_times"):
        read_session(path, join_on="cell")


def test_read_session__foreign_imaging(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    data = rng.random((400, 2))

    def add(nwbfile: Any) -> None:
        device = nwbfile.create_device(name="microscope")
        channel = pynwb.ophys.OpticalChannel(
            name="green", description="green", emission_lambda=500.0
        )
        plane = nwbfile.create_imaging_plane(
            name="plane",
            optical_channel=channel,
            description="CA1",
            device=device,
            excitation_lambda=470.0,
            indicator="GCaMP6f",
            location="CA1",
        )
        module = nwbfile.create_processing_module(name="ophys", description="imaging")
        segmentation = pynwb.ophys.ImageSegmentation()
        module.add(segmentation)
        cells = segmentation.create_plane_segmentation(
            name="cells", description="cells", imaging_plane=plane
        )
        cells.add_column(name="global_id", description="identity")
        for name in ("a", "", "c"):
            cells.add_roi(pixel_mask=[(0, 0, 1.0)], global_id=name)
        rois = cells.create_roi_table_region(region=[2, 1], description="two of them")
        series = pynwb.ophys.RoiResponseSeries(
            name="dff", data=data, rois=rois, unit="n.a.", rate=20.0, starting_time=0.0
        )
        responses = pynwb.ophys.DfOverF()
        module.add(responses)
        responses.add_roi_response_series(series)
        behavior = nwbfile.create_processing_module(name="behavior", description="tracking")
        xy = rng.random((400, 2))
        behavior.add(pynwb.behavior.Position(spatial_series=spatial(xy, unit="cm")))
        heading = pynwb.behavior.CompassDirection(
            spatial_series=spatial(xy[:, 0], name="heading", unit="radians")
        )
        behavior.add(heading)

    with pytest.warns(GateWarning, match="is called 'dff': a trace of fluorescence"):
        found = read_session(foreign(tmp_path / "mouse.nwb", add), join_on="global_id")
    assert found["activity"].attrs["kind"] == "fluorescence"
    assert found["unit"].values.tolist() == ["c", "mouse:1"]
    np.testing.assert_array_equal(found["activity"].values, data)
    assert found["x"].values.max() <= 1.0 and "y" in found


@pytest.mark.parametrize(
    ("unit", "conversion", "factor"),
    [("meters", 1.0, 100.0), ("m", 0.01, 1.0), ("cm", 1.0, 1.0), ("mm", 0.5, 0.05)],
)
def test_read_session__units_of_position(
    unit: str, conversion: float, factor: float, tmp_path: Path
) -> None:
    x = np.linspace(0, 7, 100)

    def add(nwbfile: Any) -> None:
        nwbfile.add_acquisition(spatial(x, unit=unit, conversion=conversion, offset=2.0))
        add_units(nwbfile, [np.array([1.0])])

    offset = 2.0 * factor / conversion
    found = read_session(foreign(tmp_path / "a.nwb", add))
    np.testing.assert_allclose(found["x"], x * factor + offset, rtol=1e-14)


def test_read_session__no_usable_position(tmp_path: Path) -> None:
    def pixels(nwbfile: Any) -> None:
        nwbfile.add_acquisition(spatial(np.arange(100.0), unit="pixels"))
        add_units(nwbfile, [np.array([1.0])])

    path = foreign(tmp_path / "pixels.nwb", pixels)
    with pytest.raises(
        ValueError, match=r"track in 'pixels'\): say which it is by the option position_unit"
    ):
        read_session(path)
    with pytest.raises(ValueError, match="is in 'pixels': say which unit of length"):
        read_session(path, position="track")

    def backwards(nwbfile: Any) -> None:
        times = np.array([0.0, 1.0, 1.0, 2.0])
        place = spatial(np.arange(4.0), rate=None, starting_time=None, timestamps=times)
        nwbfile.add_acquisition(place)
        add_units(nwbfile, [np.array([1.0])])

    with pytest.raises(ValueError, match="does not increase at frame 2"):
        read_session(foreign(tmp_path / "back.nwb", backwards))


def test_read_session__no_activity(tmp_path: Path) -> None:
    def add(nwbfile: Any) -> None:
        nwbfile.add_acquisition(spatial(np.arange(100.0)))

    with pytest.raises(ValueError, match="holds no activity: expected units with spike_times"):
        read_session(foreign(tmp_path / "a.nwb", add))


def test_read_session__several_activities(tmp_path: Path) -> None:
    spikes = [np.array([1.0])] * 3
    path = written(tmp_path, spikes=spikes)
    message = r"several candidates for the activity: calcium_events, units; .* series \(--series\)"
    with pytest.raises(ValueError, match=message):
        read_session(path)
    assert read_session(path, series="units")["activity"].attrs["kind"] == "spikes"
    assert read_session(path, series="calcium_events")["activity"].attrs["kind"] == "events"
    with pytest.raises(ValueError, match=r"series 'lfp' names 0 of the series of 1\.nwb"):
        read_session(path, series="lfp")


def test_read_session__several_positions(tmp_path: Path) -> None:
    def add(nwbfile: Any) -> None:
        nwbfile.add_acquisition(spatial(np.arange(100.0), name="head"))
        nwbfile.add_acquisition(spatial(np.arange(100.0) * 2, name="body"))
        add_units(nwbfile, [np.array([1.0])])

    path = foreign(tmp_path / "a.nwb", add)
    with pytest.raises(ValueError, match=r"position: body, head; choose .* \(--position\)"):
        read_session(path)
    assert read_session(path, position="body")["x"].values.max() == 99 * 200


def test_read_session__speed_of_the_file(tmp_path: Path) -> None:
    speed = np.abs(np.sin(np.arange(400) / 10))

    def add(nwbfile: Any) -> None:
        nwbfile.add_acquisition(spatial(np.linspace(1, 0, 400)))
        add_units(nwbfile, [np.array([1.0])])
        for name, unit, rate in (("speed", "m/s", 20.0), ("wheel_speed", "m/s", 10.0)):
            nwbfile.add_acquisition(
                pynwb.TimeSeries(name=name, data=speed, unit=unit, rate=rate, starting_time=0.0)
            )

    path = foreign(tmp_path / "a.nwb", add)
    found = read_session(path)
    np.testing.assert_allclose(found["speed"], 100 * speed)
    assert set(found["direction"].values.tolist()) == {-1}
    with pytest.raises(ValueError, match="wheel_speed of .* not sampled with the position"):
        read_session(path, speed="wheel_speed")
    with pytest.raises(ValueError, match="the speed track of .* is in 'meters'"):
        read_session(path, speed="track")


def test_read_session__velocity_gives_speed_and_direction(tmp_path: Path) -> None:
    velocity = 40 * np.cos(TIME)
    found = read_session(written(tmp_path, velocity=velocity, speed_is_projected=True))
    np.testing.assert_array_equal(found["speed"].values, np.abs(velocity))
    np.testing.assert_array_equal(found["direction"].values, np.sign(velocity))
    assert found["speed"].attrs["projected"] == 1
    both = written(tmp_path, session="2", speed=np.abs(velocity))
    with pytest.raises(ValueError, match="candidates for the speed: behavior/speed, behavior/vel"):
        read_session(both)
    np.testing.assert_array_equal(read_session(both, speed="speed")["speed"], np.abs(velocity))


def test_read_session__nan_speed(tmp_path: Path) -> None:
    velocity = np.where(TIME < 1, np.nan, 5.0)
    with pytest.raises(ValueError, match=r"speed is NaN.* in 20 frames"):
        read_session(written(tmp_path, velocity=velocity))


def test_read_session__repeated_ids(tmp_path: Path) -> None:
    def add(nwbfile: Any) -> None:
        nwbfile.add_acquisition(spatial(np.arange(100.0)))
        nwbfile.add_unit_column(name="registered_cell_id", description="identity")
        for number in (4, 4, -1):
            nwbfile.add_unit(spike_times=np.array([1.0]), registered_cell_id=number)

    with pytest.raises(ValueError, match=r"registered_cell_id \[4\] of table units name more than"):
        read_session(foreign(tmp_path / "a.nwb", add))


def test_read_session__several_environments_in_one_file(tmp_path: Path) -> None:
    def add(nwbfile: Any) -> None:
        nwbfile.add_acquisition(spatial(np.arange(100.0)))
        add_units(nwbfile, [np.array([1.0])])
        nwbfile.add_epoch_column(name="environment", description="where")
        for start, name in ((0.0, "A"), (2.0, "B")):
            nwbfile.add_epoch(start_time=start, stop_time=start + 1, environment=name)

    with pytest.raises(ValueError, match=r"several environments \(A, B\)"):
        read_session(foreign(tmp_path / "a.nwb", add))
