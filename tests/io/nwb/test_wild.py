"""NWB files as laboratories write them: groups, regions, epochs, and files that are broken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pynwb
import pytest
from pynwb.behavior import Position, SpatialSeries

from neurodrift.cli import main
from neurodrift.io.nwb.read import import_nwb, read_session

START = datetime(2020, 1, 1, 12, tzinfo=UTC)
N = 400
TIME = np.arange(N) / 20
X = 0.5 + 0.4 * np.sin(TIME)


def lab_file(path: Path, add: Callable[[Any], None], *, position: bool = True) -> Path:
    nwbfile = pynwb.NWBFile(
        session_description="a session", identifier=path.stem, session_start_time=START
    )
    nwbfile.subject = pynwb.file.Subject(subject_id="rat", species="Rattus norvegicus", age="P90D")
    if position:
        place(nwbfile)
    add(nwbfile)
    with pynwb.NWBHDF5IO(path, "w") as io:
        io.write(nwbfile)
    return path


def place(nwbfile: Any, **changes: Any) -> None:
    """A position in acquisition; most laboratories put it in processing/behavior."""
    fields = {"name": "track", "data": X, "unit": "meters", "reference_frame": "corner"}
    fields |= {"rate": 20.0, "starting_time": 0.0}
    nwbfile.add_acquisition(SpatialSeries(**(fields | changes)))


def electrodes(nwbfile: Any) -> list[Any]:
    device = nwbfile.create_device(name="probe")
    groups = []
    for name, region in (("tet1", "CA1"), ("tet2", "CA3")):
        group = nwbfile.create_electrode_group(
            name=name, description=name, location=region, device=device
        )
        for _ in range(2):
            nwbfile.add_electrode(group=group, location=region)
        groups.append(group)
    return groups


def spikes(i: int) -> np.ndarray:
    return np.sort(np.random.default_rng(i).uniform(0, 20, 50))


def units(nwbfile: Any, **columns: Any) -> None:
    for i in range(3):
        nwbfile.add_unit(spike_times=spikes(i), **{k: v[i] for k, v in columns.items()})


# ---- regions and groups


def test_read_session__regions_of_electrode_groups(tmp_path: Path) -> None:
    def add(nwbfile: Any) -> None:
        groups = electrodes(nwbfile)
        units(nwbfile, electrode_group=[groups[0], groups[1], groups[0]])

    path = lab_file(tmp_path / "a.nwb", add)
    assert read_session(path)["region"].values.tolist() == ["CA1", "CA3", "CA1"]
    found = read_session(path, region="CA1")
    assert found["unit"].values.tolist() == ["a:0", "a:2"]
    counts, _ = np.histogram(spikes(2), np.append(TIME, 20.0))
    np.testing.assert_array_equal(found["activity"].sel(unit="a:2"), counts)
    with pytest.raises(ValueError, match="no unit in region 'MEC'; its regions are CA1, CA3"):
        read_session(path, region="MEC")


def test_read_session__regions_of_electrodes(tmp_path: Path) -> None:
    def add(nwbfile: Any) -> None:
        electrodes(nwbfile)
        units(nwbfile, electrodes=[[0, 1], [2], [1, 2]])

    path = lab_file(tmp_path / "a.nwb", add)
    assert read_session(path)["region"].values.tolist() == ["CA1", "CA3", "CA1, CA3"]


def test_read_session__no_regions(tmp_path: Path) -> None:
    path = lab_file(tmp_path / "a.nwb", units)
    assert "region" not in read_session(path).coords
    with pytest.raises(ValueError, match="no unit in region 'CA1'; its regions are not told"):
        read_session(path, region="CA1")


# ---- observation intervals


def test_read_session__units_seen_in_a_part_are_not_detected(tmp_path: Path) -> None:
    seen = [[[0.0, 20.0]], [[0.0, 5.0], [5.0, 20.0]], [[0.0, 9.0]]]
    path = lab_file(tmp_path / "a.nwb", lambda f: units(f, obs_intervals=seen))
    with pytest.warns(UserWarning, match="1 of 3 units were observed in a part of session a only"):
        found = read_session(path)
    assert found["unit"].values.tolist() == ["a:0", "a:1"]


def test_read_session__no_unit_was_seen(tmp_path: Path) -> None:
    path = lab_file(tmp_path / "a.nwb", lambda f: units(f, obs_intervals=[[[30.0, 40.0]]] * 3))
    with pytest.raises(
        ValueError, match="400 of 400 frames lie outside the obs_intervals of all units"
    ):
        read_session(path)


# ---- epochs and trials


def days(nwbfile: Any) -> None:
    """A day with rest, two tracks and one of them again."""
    units(nwbfile, obs_intervals=[[[0.0, 20.0]], [[0.0, 20.0]], [[0.0, 10.0]]])
    nwbfile.add_epoch_column(name="environment", description="track")
    rows = [(0.0, 5.0, "A"), (5.0, 10.0, "B"), (10.0, 12.0, ""), (12.0, 20.0, "A")]
    for start, stop, environment in rows:
        nwbfile.add_epoch(start_time=start, stop_time=stop, environment=environment)


def test_read_session__one_environment_of_several(tmp_path: Path) -> None:
    path = lab_file(tmp_path / "a.nwb", days)
    with pytest.raises(ValueError, match=r"several environments \(A, B\): name the one"):
        read_session(path)
    with pytest.raises(ValueError, match=r"several environments \(A, B\), and none is called 'C'"):
        read_session(path, environment="C")
    found = read_session(path, environment="B")
    np.testing.assert_allclose(found["time"], TIME[(TIME >= 5) & (TIME < 10)])
    assert found.sizes["unit"] == 3 and found["environment"].item() == "B"
    with pytest.warns(UserWarning, match="1 of 3 units"):
        found = read_session(path, environment="A")
    inside = (TIME < 5) | (TIME >= 12)
    np.testing.assert_allclose(found["x"], 100 * X[inside])


def test_import_nwb__epochs_as_sessions(tmp_path: Path) -> None:
    path = lab_file(tmp_path / "a.nwb", days)
    with pytest.warns(UserWarning) as said:
        found = import_nwb(path, environment="A", sessions_from="epochs")
    texts = sorted(str(item.message) for item in said)
    assert "1 of 3 units were observed in a part of session a-4" in texts[0]
    assert "2 of 4 rows of epochs hold no frame" in texts[1] and "a-2, a-3" in texts[1]
    assert found["session"].values.tolist() == ["a-1", "a-4"]
    assert found["unit"].values.tolist() == ["a:0", "a:1", "a:2"]
    assert found["registered"].all()  # within a file a unit is the same in all epochs
    assert found["detected"].values.tolist() == [[True] * 3, [True, True, False]]
    np.testing.assert_allclose(found["experience"], [0, 5 / 60])
    counts, _ = np.histogram(spikes(1), np.append(TIME, 20.0))
    inside = (TIME < 5) | (TIME >= 12)
    np.testing.assert_array_equal(found["activity"].sel(unit="a:1"), counts[inside])
    assert not found["activity"].values[100:, 2].any()


def laps(nwbfile: Any) -> None:
    units(nwbfile)
    nwbfile.add_trial_column(name="lap", description="lap")
    nwbfile.add_trial_column(name="trial_type", description="a word, as many files have it")
    nwbfile.add_epoch_column(name="accuracy", description="in per cent")
    nwbfile.add_epoch(start_time=0.0, stop_time=20.0, accuracy=85.0)
    for i in range(4):
        kind = "left" if i % 2 else "right"
        nwbfile.add_trial(start_time=5.0 * i, stop_time=5.0 * i + 4, lap=i // 2, trial_type=kind)


def test_import_nwb__trials_as_sessions_and_laps(tmp_path: Path) -> None:
    path = lab_file(tmp_path / "a.nwb", laps)
    found = read_session(path)
    inside = TIME % 5 < 4 - 1e-9
    np.testing.assert_array_equal(found["lap"], np.where(inside, TIME // 10, -1))
    np.testing.assert_array_equal(found["trial"], np.where(inside, TIME // 5 + 1, -1))
    assert "trial_type" not in found and "accuracy" not in found.coords
    split = import_nwb(path, sessions_from="trials")
    assert split.sizes["session"] == 4 and split.sizes["time"] == inside.sum()
    fault = "no table of intervals 'runs' with rows; it has epochs, trials"
    with pytest.raises(ValueError, match=fault):
        import_nwb(path, sessions_from="runs")


def test_import_nwb__another_table_of_intervals(tmp_path: Path) -> None:
    def add(nwbfile: Any) -> None:
        units(nwbfile)
        table = pynwb.epoch.TimeIntervals(name="blocks", description="blocks")
        table.add_column(name="label", description="label")
        for label, start in (("second", 10.0), ("first", 0.0), ("late", 90.0)):
            table.add_row(start_time=start, stop_time=start + 5, label=label)
        nwbfile.add_time_intervals(table)

    path = lab_file(tmp_path / "a.nwb", add)
    with pytest.warns(UserWarning, match="1 of 3 rows of blocks .* left out: a-late"):
        found = import_nwb(path, sessions_from="blocks")
    assert found["session"].values.tolist() == ["a-first", "a-second"]


def test_import_command__options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = lab_file(tmp_path / "a.nwb", days)
    out = tmp_path / "a.zarr"
    words = ["import", str(path), "-o", str(out), "--environment", "A"]
    assert main([*words, "--sessions-from", "epochs"]) == 0
    said = "".join(capsys.readouterr())
    assert "2 sessions, 3 units" in said and "a.nwb: 1 of 3 units" in said
    assert main([*words[:4], "--environment", "B", "--region", "CA1", "--overwrite"]) == 2
    assert "no unit in region 'CA1'" in capsys.readouterr().err


# ---- position and clocks


@pytest.mark.parametrize("where", ["acquisition", "behavior", "timestamps"])
def test_read_session__position_wherever_it_is(where: str, tmp_path: Path) -> None:
    def add(nwbfile: Any) -> None:
        units(nwbfile)
        if where == "acquisition":
            place(nwbfile)
            return
        module = nwbfile.create_processing_module(name="behavior", description="behaviour")
        clock = {"timestamps": TIME} if where == "timestamps" else {"rate": 20.0}
        series = SpatialSeries(
            name="track", data=100 * X, unit="cm", reference_frame="corner", **clock
        )
        module.add(Position(name="Position", spatial_series=series))

    found = read_session(lab_file(tmp_path / "a.nwb", add, position=False))
    np.testing.assert_allclose(found["x"], 100 * X)
    np.testing.assert_allclose(found["time"], TIME, atol=1e-12)


def test_read_session__subset_of_rois(tmp_path: Path) -> None:
    def add(nwbfile: Any) -> None:
        device = nwbfile.create_device(name="microscope")
        channel = pynwb.ophys.OpticalChannel(name="c", description="c", emission_lambda=500.0)
        plane = nwbfile.create_imaging_plane(
            name="plane",
            optical_channel=channel,
            description="plane",
            device=device,
            excitation_lambda=900.0,
            indicator="GCaMP6f",
            location="CA1",
        )
        module = nwbfile.create_processing_module(name="ophys", description="imaging")
        images = pynwb.ophys.ImageSegmentation(name="ImageSegmentation")
        module.add(images)
        cells = images.create_plane_segmentation(
            name="cells", description="cells", imaging_plane=plane
        )
        for i in range(5):
            cells.add_roi(pixel_mask=[(i, i, 1.0)])
        cells.add_column(
            name="registered_cell_id", description="identity", data=[10, 11, 12, 13, 14]
        )
        rois = cells.create_roi_table_region(region=[4, 1], description="two of them")
        data = np.column_stack([np.full(N, 4.0), np.full(N, 1.0)])
        series = pynwb.ophys.RoiResponseSeries(
            name="deconvolved", data=data, rois=rois, unit="a.u.", rate=20.0
        )
        container = pynwb.ophys.Fluorescence(name="F")
        module.add(container)
        container.add_roi_response_series(series)

    found = read_session(lab_file(tmp_path / "a.nwb", add))
    assert found["unit"].values.tolist() == [14, 11]
    np.testing.assert_array_equal(found["activity"][0], [4.0, 1.0])


# ---- files that are broken


def truncated(path: Path) -> None:
    data = lab_file(path, units).read_bytes()
    path.write_bytes(data[: len(data) // 2])


def not_nwb(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["x"] = 1


def a_pickle(path: Path) -> None:
    path.write_bytes(b"\x80\x04cos\nsystem\n.")


def edited(change: Callable[[h5py.File], None]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        lab_file(path, units)
        with h5py.File(path, "r+") as file:
            change(file)

    return write


def no_samples(file: h5py.File) -> None:
    del file["acquisition/track/data"]


def outside(file: h5py.File) -> None:
    file["units/spike_times"][:] += 1e6


def frames(file: h5py.File) -> None:
    """Spikes in samples of 30 kHz instead of seconds."""
    file["units/spike_times"][:] = (file["units/spike_times"][:] + 60) * 30_000


def trial(start: float, stop: float) -> Callable[[Path], None]:
    def add(nwbfile: Any) -> None:
        units(nwbfile)
        nwbfile.add_trial(start_time=start, stop_time=stop)

    return lambda path: lab_file(path, add)  # type: ignore[return-value]


def positioned(**changes: Any) -> Callable[[Path], None]:
    def add(nwbfile: Any) -> None:
        units(nwbfile)
        place(nwbfile, **changes)

    return lambda path: lab_file(path, add, position=False)  # type: ignore[return-value]


CLOCK: dict[str, Any] = {"rate": None, "starting_time": None}
BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda p: p.write_bytes(b""), "no readable NWB"),
    "truncated": (truncated, "no readable NWB"),
    "HDF5": (not_nwb, "no readable NWB"),
    "pickle": (a_pickle, "no readable NWB"),
    "text": (lambda p: p.write_text("x,y\n1,2\n"), "no readable NWB"),
    "position without samples": (edited(no_samples), "no position in a unit of length"),
    "spikes of another clock": (edited(outside), "lies within track"),
    "spikes in samples": (edited(frames), "lies within track"),
    "no position": (lambda p: lab_file(p, units, position=False), "no position"),
    "no activity": (lambda p: lab_file(p, lambda f: None), "no activity"),
    "pixels": (positioned(unit="pixels"), "no position in a unit of length"),
    "all NaN": (positioned(data=np.full(N, np.nan)), "NaN in every frame"),
    "infinite": (positioned(data=np.where(TIME > 9, np.inf, X)), "infinite"),
    "time goes back": (positioned(timestamps=TIME[::-1], **CLOCK), "does not increase at frame 1"),
    "time is NaN": (positioned(timestamps=TIME * np.nan, **CLOCK), "is NaN in 400 frames"),
    "one sample": (positioned(data=X[:1]), "at least 2 are needed"),
    "trial ends before it starts": (trial(5.0, 2.0), "row 0 of table trials .* from 5 to 2 s"),
    "trial without end": (trial(5.0, np.nan), "row 0 of table trials .* from 5 to nan s"),
}


@pytest.mark.parametrize("fault", BAD)
def test_import_nwb__broken_file_writes_nothing(
    fault: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write, message = BAD[fault]
    path = tmp_path / "bad.nwb"
    write(path)
    with pytest.raises(ValueError, match=f"bad.nwb(.|\n)*{message}|{message}"):
        import_nwb(path)
    assert main(["import", str(path), "-o", str(tmp_path / "out.zarr")]) == 2
    assert "bad.nwb" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["bad.nwb"]
