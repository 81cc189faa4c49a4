"""NWB as other writers lay it out: imported by the command that ``inspect`` prints, as it is.

Names, containers, units, orientations and columns follow what the writers' code and published files
hold; the numbers are made up, so that the truth is known.
"""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pynwb
import pytest
from pynwb.behavior import (
    BehavioralTimeSeries,
    CompassDirection,
    EyeTracking,
    Position,
    SpatialSeries,
)
from pynwb.ophys import DfOverF, Fluorescence, ImageSegmentation, RoiResponseSeries

from neurodrift.cli import main
from neurodrift.io.zarr import open_recording

RATE, N = 20.0, 2400
CLOCK = 3.0 + np.arange(N) / RATE
X = 50 + 45 * np.sin(CLOCK / 4)  # cm
Y = 40 + 30 * np.cos(CLOCK / 3)
RNG = np.random.default_rng(5)
DECONVOLVED = np.where(RNG.random((N, 4)) < 0.1, RNG.exponential(1, (N, 4)), 0.0)
TRACE = np.array(
    [np.convolve(column, np.exp(-np.arange(60) / 15))[:N] for column in DECONVOLVED.T]
).T
SPIKES = [np.sort(RNG.uniform(CLOCK[0], CLOCK[-1], n)) for n in (900, 40, 300, 600)]


@dataclass
class Truth:
    """What a layout holds."""

    x: np.ndarray = field(default_factory=lambda: X)
    y: np.ndarray | None = None
    activity: np.ndarray = field(default_factory=lambda: DECONVOLVED)
    kind: str = "deconvolved"
    units: int = 4
    frames: np.ndarray = field(default_factory=lambda: np.arange(N))
    rate: float = RATE
    turned: tuple[str, ...] = ()  # data whose axes are exchanged after pynwb has written them


def counted(trains: list[np.ndarray], clock: np.ndarray) -> np.ndarray:
    """Spikes in each frame, one by one."""
    ends = np.append(clock[1:], clock[-1] + 1 / RATE)
    counts = np.zeros((clock.size, len(trains)), int)
    for unit, train in enumerate(trains):
        for time in train:
            at = np.flatnonzero((time >= clock) & (time < ends))
            counts[at, unit] += 1
    return counts


def new_file() -> Any:
    nwbfile = pynwb.NWBFile(
        session_description="a session",
        identifier="1",
        session_start_time=datetime(2024, 3, 5, 12, tzinfo=UTC),
    )
    nwbfile.subject = pynwb.file.Subject(subject_id="m1", species="Mus musculus", age="P90D")
    return nwbfile


def module(nwbfile: Any, name: str) -> Any:
    if name in nwbfile.processing:
        return nwbfile.processing[name]
    return nwbfile.create_processing_module(name=name, description=name)


def rois(nwbfile: Any, n: int, name: str = "PlaneSegmentation", **columns: Any) -> Any:
    """A table of ROIs with their masks, and further columns."""
    device = nwbfile.create_device(name="Microscope")
    channel = pynwb.ophys.OpticalChannel(name="Green", description="g", emission_lambda=513.0)
    plane = nwbfile.create_imaging_plane(
        name="ImagingPlane",
        optical_channel=channel,
        description="p",
        device=device,
        excitation_lambda=920.0,
        indicator="GCaMP6f",
        location="CA1",
        imaging_rate=RATE,
    )
    segmentation = ImageSegmentation()
    module(nwbfile, "ophys").add(segmentation)
    table = segmentation.create_plane_segmentation(
        name=name, description="Segmented ROIs", imaging_plane=plane
    )
    for i in range(n):
        table.add_roi(pixel_mask=[(i, i, 1.0)])
    for column, values in columns.items():
        table.add_column(name=column, description=column, data=list(values))
    return table


def responses(table: Any, name: str, data: Any, region: Any = None, **clock: Any) -> Any:
    """A series of responses of the ROIs."""
    chosen = list(range(len(table))) if region is None else region
    return RoiResponseSeries(
        name=name,
        data=data,
        rois=table.create_roi_table_region(region=chosen, description="ROIs"),
        **({"unit": "n.a.", "timestamps": CLOCK} | clock),
    )


def place(data: Any, name: str = "position", **options: Any) -> Any:
    fields = {"unit": "meters", "reference_frame": "corner", "timestamps": CLOCK}
    return SpatialSeries(name=name, data=data, **(fields | options))


def in_position(nwbfile: Any, *series: Any) -> None:
    module(nwbfile, "behavior").add(Position(spatial_series=list(series)))


# ---- layouts, each with its truth


def neuroconv_suite2p(nwbfile: Any) -> Truth:
    """NeuroConv's suite2p interface: all traces in one Fluorescence container, curation columns."""
    flags = [1, 1, 0, 1]
    table = rois(nwbfile, 4, roi_name=list("abcd"), Accepted=flags, Rejected=[0, 0, 1, 0])
    traces = {"RoiResponseSeries": TRACE + 80, "Neuropil": TRACE + 60, "Deconvolved": DECONVOLVED}
    series = [
        responses(table, name, data, timestamps=None, rate=RATE, starting_time=CLOCK[0])
        for name, data in traces.items()
    ]
    module(nwbfile, "ophys").add(Fluorescence(roi_response_series=series))
    in_position(nwbfile, place(np.column_stack([X, Y]) / 100, "SpatialSeries"))
    return Truth(y=Y, activity=DECONVOLVED[:, [0, 1, 3]], units=3)


def suite2p(nwbfile: Any) -> Truth:
    """suite2p's own writer: a container for each trace, a series plane0 in it, iscell with p."""
    table = rois(nwbfile, 4, iscell=[[1.0, 0.9], [0.0, 0.2], [1.0, 0.7], [1.0, 0.6]])
    for name, data in (
        ("Fluorescence", TRACE + 300),
        ("Neuropil", TRACE + 200),
        ("Deconvolved", DECONVOLVED),
    ):
        series = responses(table, "plane0", data, unit="lumens", timestamps=None, rate=RATE)
        module(nwbfile, "ophys").add(Fluorescence(roi_response_series=series, name=name))
    in_position(nwbfile, place(X, unit="cm", timestamps=CLOCK - CLOCK[0]))
    return Truth(activity=DECONVOLVED[:, [0, 2, 3]], units=3)


def suite2p_of_2022(nwbfile: Any) -> Truth:
    """Its writer of 2022: responses over (ROI, frame), named like their containers."""
    table = rois(nwbfile, 4, iscell=[[1.0, 0.9]] * 4)
    for name, data in (("Fluorescence", TRACE + 300), ("Deconvolved", DECONVOLVED)):
        series = responses(table, name, data.T, unit="lumens", timestamps=None, rate=RATE)
        module(nwbfile, "ophys").add(Fluorescence(roi_response_series=series, name=name))
    in_position(nwbfile, place(X, unit="cm", timestamps=CLOCK - CLOCK[0]))
    return Truth()


def giocomo_vr(nwbfile: Any) -> Truth:
    """CA1 imaging in virtual reality on DANDI (000001361's kind): suite2p's tables, the corridor's
    position and the speed as behavioural time series in cm.
    """
    table = rois(
        nwbfile, 4, iscell=[[1.0, 0.9], [0.0, 0.2], [1.0, 0.7], [1.0, 0.6]], planeIdx=[0.0] * 4
    )
    for name, data in (("Fluorescence", TRACE + 300), ("Deconvolved", DECONVOLVED)):
        series = responses(table, "plane0", data, unit="lumens")
        module(nwbfile, "ophys").add(Fluorescence(roi_response_series=series, name=name))
    behaviour = BehavioralTimeSeries(name="BehavioralTimeSeries")
    told = {
        "position": ("cm", X),
        "speed": ("cm/s", np.gradient(X, CLOCK)),
        "lick": ("n.a.", X * 0),
    }
    told["trial number"] = ("n.a.", CLOCK // 20)
    for name, (unit, data) in told.items():
        behaviour.add_timeseries(
            pynwb.TimeSeries(name=name, data=data, unit=unit, timestamps=CLOCK)
        )
    module(nwbfile, "behavior").add(behaviour)
    return Truth(activity=DECONVOLVED[:, [0, 2, 3]], units=3)


def spyglass(nwbfile: Any) -> Truth:
    """Trodes' files of the Frank lab: a series an epoch, pixels with metres per pixel, tasks."""
    half, gap = N // 2, 0.4
    nwbfile.add_epoch(CLOCK[0], CLOCK[half - 1] + gap / 20, ["01_sleep"])
    nwbfile.add_epoch(CLOCK[half], CLOCK[-1] + 0.05, ["02_lineartrack"])
    spot = np.column_stack([X, Y]) / 0.25  # pixels of 0.25 cm
    sleep = np.full((half, 2), 100.0) + RNG.normal(0, 0.2, (half, 2))
    in_position(
        nwbfile,
        place(sleep, "led_0_series_1", conversion=0.0025, timestamps=CLOCK[:half]),
        place(spot[half:], "led_0_series_2", conversion=0.0025, timestamps=CLOCK[half:]),
    )
    for i, train in enumerate(SPIKES):
        seen = [[CLOCK[0], CLOCK[-1] + 1]]
        nwbfile.add_unit(spike_times=train, id=10 + 3 * i, obs_intervals=seen)
    labels = [["accept"], ["noise", "reject"], ["accept"], ["mua"]]
    nwbfile.add_unit_column(name="curation_label", description="label", data=labels, index=True)
    frames = np.arange(half, N)
    counts = counted([SPIKES[0], SPIKES[2]], CLOCK[half:])
    return Truth(X[half:], Y[half:], counts, "spikes", 2, frames)


def matnwb(nwbfile: Any) -> Truth:
    """MATLAB's files: arrays with their axes turned, columns as rows."""
    table = rois(nwbfile, 4, "PlaneSegmentation")
    series = responses(table, "deconvolved", DECONVOLVED, unit="arbitrary")
    module(nwbfile, "ophys").add(Fluorescence(roi_response_series=series))
    in_position(nwbfile, place(np.column_stack([X, Y]) / 100, "SpatialSeries"))
    data = ("ophys/Fluorescence/deconvolved/data", "behavior/Position/SpatialSeries/data")
    return Truth(y=Y, turned=data)


def caiman(nwbfile: Any) -> Truth:
    """CaImAn's writer: denoised traces alone, background as further ROIs, ``keep`` of its own."""
    table = rois(
        nwbfile,
        5,
        r=[0.9, 0.8, 0.2, 0.7, np.nan],
        snr=[9.0, 8.0, 1.0, 7.0, np.nan],
        keep=[True, True, False, True, False],
        accepted=[False] * 5,
        rejected=[False] * 5,
    )
    fluorescence = Fluorescence(
        roi_response_series=[
            responses(table, "RoiResponseSeries", TRACE, [0, 1, 2, 3], unit="lumens"),
            responses(table, "Background_Fluorescence_Response", TRACE[:, :1], [4], unit="lumens"),
        ]
    )
    module(nwbfile, "ophys").add(fluorescence)
    in_position(nwbfile, place(X / 100))
    return Truth(activity=TRACE[:, [0, 1, 3]], kind="fluorescence", units=3)


def allen_ophys(nwbfile: Any) -> Truth:
    """Allen's visual behaviour: dF/F, events, eye tracking, cells called by their specimen."""
    table = rois(
        nwbfile,
        4,
        "cell_specimen_table",
        cell_specimen_id=[1086, 1087, -1, 1089],
        valid_roi=[True, True, True, False],
    )
    ophys = module(nwbfile, "ophys")
    ophys.add(DfOverF(name="dff", roi_response_series=responses(table, "traces", TRACE, unit="NA")))
    ophys.add(
        Fluorescence(
            name="corrected_fluorescence",
            roi_response_series=responses(table, "traces", TRACE + 300, unit="NA"),
        )
    )
    ophys.add(responses(table, "event_detection", DECONVOLVED, unit="NA"))
    eye = place(np.column_stack([X, Y]), "eye_tracking", unit="meters")
    nwbfile.add_acquisition(EyeTracking(name="EyeTracking", spatial_series=eye))
    running = pynwb.TimeSeries(name="speed", data=np.abs(X), unit="cm/s", timestamps=CLOCK + 0.01)
    module(nwbfile, "running").add(running)
    in_position(nwbfile, place(X, unit="cm"))
    return Truth(activity=DECONVOLVED[:, :3], units=3)


def allen_ecephys(nwbfile: Any) -> Truth:
    """Allen's Neuropixels: quality of units, invalid times, stimulus tables as intervals."""
    for i, train in enumerate(SPIKES):
        nwbfile.add_unit(spike_times=train, id=950_000_000 + i)
    quality = ["good", "good", "noise", "good"]
    nwbfile.add_unit_column(name="quality", description="quality", data=quality)
    nwbfile.add_unit_column(name="snr", description="snr", data=[3.0, 2.0, 0.5, 4.0])
    nwbfile.add_invalid_time_interval(start_time=20.0, stop_time=25.0)
    blocks = pynwb.epoch.TimeIntervals(name="gratings_presentations", description="stimuli")
    blocks.add_row(start_time=5.0, stop_time=8.0)
    nwbfile.add_time_intervals(blocks)
    in_position(nwbfile, place(np.column_stack([X, Y]) / 100))
    frames = np.flatnonzero((CLOCK < 20) | (CLOCK >= 25))
    counts = counted([SPIKES[0], SPIKES[1], SPIKES[3]], CLOCK)[frames]
    return Truth(X[frames], Y[frames], counts, "spikes", 3, frames)


def pynapple(nwbfile: Any) -> Truth:
    """pynapple's loader: x, y and z as series of their own in metres without a unit, y upwards."""
    fields = {"x": X / 100, "y": 0.02 + 0.01 * np.sin(CLOCK), "z": Y / 100}
    series = [place(data, name, unit="") for name, data in fields.items()]
    nwbfile.add_acquisition(Position(spatial_series=series))
    heading = place(CLOCK % 6.28, "ry", unit="radian")
    nwbfile.add_acquisition(CompassDirection(spatial_series=heading))
    nwbfile.add_epoch(0.0, 60.0, ["sleep"])
    nwbfile.add_epoch(60.0, 123.0, ["wake"])
    for i, train in enumerate(SPIKES):
        nwbfile.add_unit(spike_times=train, id=i)
    nwbfile.add_unit_column(name="group", description="shank", data=[0, 0, 1, 1])
    nwbfile.add_unit_column(name="location", description="region", data=["adn"] * 4)
    frames = np.flatnonzero(CLOCK >= 60)
    counts = counted(SPIKES, CLOCK)[frames]
    return Truth(X[frames], Y[frames], counts, "spikes", 4, frames)


def buzsaki(nwbfile: Any) -> Truth:
    """Buzsaki lab: x, y beside the linearized position, states of sleep, one shank's labels."""
    behaviour = module(nwbfile, "behavior")
    behaviour.add(
        Position(
            name="SubjectPosition",
            spatial_series=[
                place(np.column_stack([X, Y]), "SpatialSeries", unit="centimeters"),
            ],
        )
    )
    states = pynwb.epoch.TimeIntervals(name="states", description="sleep states")
    states.add_column(name="label", description="state")
    states.add_row(start_time=3.0, stop_time=60.0, label="Awake")
    states.add_row(start_time=60.0, stop_time=80.0, label="Non-REM")
    behaviour.add(states)
    for i, train in enumerate(SPIKES):
        nwbfile.add_unit(spike_times=train, id=i)
    cells = ["Pyramidal", "Interneuron", "Pyramidal", "Pyramidal"]
    nwbfile.add_unit_column(name="cell_type", description="type", data=cells)
    return Truth(X, Y, counted(SPIKES, CLOCK), "spikes")


def slow_imaging(nwbfile: Any) -> Truth:
    """DANDI's two-photon sets: imaging slower than the camera, fewer ROIs than the table has."""
    slow = CLOCK[::4]
    table = rois(nwbfile, 6)
    data = DECONVOLVED[::4]
    series = responses(table, "Deconvolved", data, [5, 1, 2, 0], timestamps=slow)
    module(nwbfile, "ophys").add(Fluorescence(roi_response_series=series))
    in_position(nwbfile, place(X / 100, timestamps=None, rate=RATE, starting_time=CLOCK[0]))
    return Truth(activity=data, x=X[::4], frames=np.arange(N)[::4], rate=RATE / 4)


LAYOUTS: dict[str, Callable[[Any], Truth]] = {
    made.__name__: made
    for made in (
        neuroconv_suite2p,
        suite2p,
        suite2p_of_2022,
        giocomo_vr,
        spyglass,
        matnwb,
        caiman,
        allen_ophys,
        allen_ecephys,
        pynapple,
        buzsaki,
        slow_imaging,
    )
}


def written(made: Callable[[Any], Truth], path: Path) -> Truth:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of orientations that pynwb does not like
        nwbfile = new_file()
        truth = made(nwbfile)
        with pynwb.NWBHDF5IO(path, "w") as io:
            io.write(nwbfile)
    with h5py.File(path, "a") as file:
        for name in truth.turned:
            old = file["processing"][name]
            data, attributes = old[()], dict(old.attrs)
            del file["processing"][name]
            file["processing"].create_dataset(name, data=data.T).attrs.update(attributes)
    return truth


def printed_command(path: Path, capsys: Any) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main(["inspect", str(path)])
    (*_, command) = capsys.readouterr().out.strip().splitlines()
    words = shlex.split(command)
    assert words[:2] == ["neurodrift", "import"], command
    return words[1:]


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout__comes_in_by_the_command_that_inspect_prints(name, tmp_path, capsys):
    truth = written(LAYOUTS[name], tmp_path / f"{name}.nwb")
    words = printed_command(tmp_path / f"{name}.nwb", capsys)
    words[words.index("-o") + 1] = str(tmp_path / "recording.zarr")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is left out is counted aloud; see the tests of that
        assert not main(words)
    found = open_recording(tmp_path / "recording.zarr")
    assert found["activity"].attrs["kind"] == truth.kind
    assert found.sizes["unit"] == truth.units
    np.testing.assert_allclose(found["x"], truth.x, atol=1e-6)
    assert ("y" in found) == (truth.y is not None)
    if truth.y is not None:
        np.testing.assert_allclose(found["y"], truth.y, atol=1e-6)
    np.testing.assert_allclose(found["activity"].values, truth.activity, atol=1e-6)
    clock = found["time"].values
    np.testing.assert_allclose(np.diff(clock), np.diff(CLOCK[truth.frames]), atol=1e-6)
    np.testing.assert_allclose(found["frame_duration"], 1 / truth.rate, rtol=1e-3)
