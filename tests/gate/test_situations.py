"""For every kind of finding, situations of our own: how they come about in a lab."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pynwb
import pytest
import xarray as xr
from pynwb.behavior import SpatialSeries

import neurodrift as nd
from neurodrift.convert.pipelines.sleap import read_sleap
from neurodrift.gate.findings import GateWarning, settle

STEP, N = 0.05, 2400
CLOCK = np.arange(N) * STEP
X = 50 + 40 * np.sin(CLOCK / 3)
RNG = np.random.default_rng(3)
TRAINS = [np.sort(RNG.uniform(0, 119, n)) for n in (300, 200)]
COUNTS = RNG.poisson(0.2, (N, 3)).astype(np.uint8)
ONE: dict[str, Any] = {"activity": TRAINS, "position": X, "position_time": CLOCK}
SAMPLED: dict[str, Any] = {
    "activity": COUNTS,
    "activity_time": CLOCK,
    "position": X,
    "position_time": CLOCK,
}


def session(kind: str = "spikes", **changes: Any) -> xr.Dataset:
    """A session whose activity and position have clocks of their own."""
    return nd.recording_from_sessions([ONE | changes], kind=kind)


def sampled(kind: str = "events", **changes: Any) -> xr.Dataset:
    return nd.recording_from_sessions([SAMPLED | changes], kind=kind)


def arrays(activity: Any = COUNTS, **changes: Any) -> xr.Dataset:
    return nd.recording_from_arrays(
        activity, **{"kind": "spikes", "x": X, "frame_duration": STEP} | changes
    )


def wrapped(mark: int, kind: Any) -> np.ndarray:
    """Counts with a mark for lost frames, stored without a sign."""
    return np.where(LOST[:, None], mark, COUNTS.astype(int)).astype(kind)


def sleap(folder: Path, name: str, track: str) -> xr.Dataset:
    """The gate's findings in a track of SLEAP's own writer."""
    packed = Path(__file__).parents[1] / "convert" / "fixtures" / "sleap.h5.gz"
    (folder / name).write_bytes(gzip.decompress(packed.read_bytes()))
    found = read_sleap(folder / name, rate=20.0, node="body", track=track, cm_per_pixel=0.5)
    settle(found.findings, name)
    return arrays()


def days(day: Any) -> xr.Dataset:
    n = len(day)
    return nd.recording_from_arrays(
        [COUNTS] * n, kind="spikes", x=[X] * n, frame_duration=STEP, day=day
    )


def part(name: str, **changes: Any) -> xr.Dataset:
    return arrays(**{"session": [name], "day": [0]} | changes)


def nwb(
    path: Path,
    start: datetime = datetime(2024, 3, 5, 12, tzinfo=UTC),
    seed: int = 0,
    add: Callable[[Any], None] | None = None,
) -> Path:
    """A file of two units on a track, with whatever is added."""
    nwbfile = pynwb.NWBFile(
        session_description="a session", identifier=path.stem, session_start_time=start
    )
    nwbfile.subject = pynwb.file.Subject(subject_id="m1", species="Mus musculus", age="P90D")
    track = SpatialSeries(name="track", data=X, unit="cm", reference_frame="end", timestamps=CLOCK)
    nwbfile.add_acquisition(track)
    for n in (300, 200):
        nwbfile.add_unit(spike_times=np.sort(np.random.default_rng(seed + n).uniform(0, 119, n)))
    if add is not None:
        add(nwbfile)
    with pynwb.NWBHDF5IO(path, "w") as io:
        io.write(nwbfile)
    return path


def imported(*files: Path) -> xr.Dataset:
    return nd.import_nwb(files)


def tagged(nwbfile: Any) -> None:
    nwbfile.add_epoch(0.0, 60.0, ["home cage"])
    nwbfile.add_epoch(60.0, 120.0, ["linear track"])


def tasks(nwbfile: Any) -> None:
    nwbfile.add_epoch_column(name="task", description="what the animal did")
    nwbfile.add_epoch(start_time=0.0, stop_time=40.0, task="familiar")
    nwbfile.add_epoch(start_time=40.0, stop_time=120.0, task="novel")


NOON = datetime(2024, 3, 5, 12, tzinfo=UTC)
TOKYO, BOSTON = (timezone(timedelta(hours=hours)) for hours in (9, -5))


def during(clock: np.ndarray) -> list[np.ndarray]:
    """The trains on a clock that stood still now and then."""
    return [np.interp(times, CLOCK, clock) for times in TRAINS]


HOLE = CLOCK + 30.0 * (CLOCK > 60)
STALLS = CLOCK + 4.0 * (CLOCK > 20) + 4.0 * (CLOCK > 50) + 4.0 * (CLOCK > 90)
LOST = RNG.random(N) < 0.03
TRACE = np.cumsum(RNG.normal(0, 1, (N, 3)), axis=0)

SITUATIONS: list[tuple[str, str, Callable[[Path], Any], str, str]] = [
    (
        "clock",
        "the camera was restarted and counts from 0 again",
        lambda _: session(position_time=CLOCK % 60),
        "stops",
        "does not increase at frame 1200",
    ),
    (
        "clock",
        "the clock of the microscope hangs for two seconds",
        lambda _: sampled(activity_time=np.where((CLOCK > 30) & (CLOCK < 32), 30.0, CLOCK)),
        "stops",
        "does not increase at frame 601",
    ),
    (
        "mended_clock",
        "a frame was written twice by a dropped USB packet",
        lambda _: arrays(time=np.insert(CLOCK[:-1], 700, CLOCK[699])),
        "warns",
        "1 of 2400 times of the frames do not increase .* 1 frames that were written twice",
    ),
    (
        "mended_clock",
        "the computer set its clock back while a frame was written",
        lambda _: arrays(time=np.where(np.arange(N) == 900, 3.0, CLOCK)),
        "warns",
        "1 were put between their neighbours",
    ),
    (
        "clock_unit",
        "the camera's clock counts in ticks of 100 ns",
        lambda _: session(position_time=CLOCK * 1e7),
        "stops",
        "frames of .* follow at 500000 s",
    ),
    (
        "clock_unit",
        "the microscope's log is in ms",
        lambda _: sampled(activity_time=CLOCK * 1e3),
        "stops",
        "follow at 50 s: not seconds",
    ),
    (
        "frame_duration",
        "the exposure stands for the length of a frame",
        lambda _: arrays(time=CLOCK, frame_duration=0.008),
        "stops",
        "are said to last 0.008 s",
    ),
    (
        "frame_duration",
        "every third frame was kept, with the length of all",
        lambda _: arrays(COUNTS[::3], x=X[::3], time=CLOCK[::3]),
        "stops",
        "follow at 0.15 s",
    ),
    (
        "gaps",
        "the door of the rig was opened for half a minute",
        lambda _: session(position_time=HOLE, activity=during(HOLE)),
        "warns",
        "1 gaps, 30 s in all",
    ),
    (
        "gaps",
        "the disk was full three times",
        lambda _: session(position_time=STALLS, activity=during(STALLS)),
        "warns",
        "3 gaps, 12 s in all",
    ),
    (
        "overlap",
        "the recording system ran before the camera was armed",
        lambda _: session(activity=[t + 95 for t in TRAINS]),
        "stops",
        "lies within position",
    ),
    (
        "overlap",
        "the microscope stopped after a third of the session",
        lambda _: sampled(activity=COUNTS[:800], activity_time=CLOCK[:800]),
        "stops",
        "covers 33 % of position",
    ),
    (
        "rates",
        "the nominal 30 Hz of a microscope that runs at 20 Hz",
        lambda _: nd.recording_from_sessions(
            [
                {k: v for k, v in SAMPLED.items() if k != "activity_time"}
                | {"activity_frame_rate": 30.0}
            ]
        ),
        "stops",
        "one of the rates seems wrong",
    ),
    (
        "rates",
        "a clock that drifts by 4 % against the other",
        lambda _: sampled(activity_time=CLOCK * 0.96),
        "stops",
        "one of the rates seems wrong",
    ),
    (
        "position_extent",
        "the tracker gives a fraction of the image",
        lambda _: session(position=X / 100),
        "stops",
        "covers 0.8 cm",
    ),
    (
        "position_extent",
        "game units of a virtual corridor",
        lambda _: session(position=X * 25),
        "stops",
        "covers 2e.03 cm",
    ),
    (
        "geometry",
        "a belt, whose position starts over at each turn, and nobody said so",
        lambda _: arrays(x=20 * CLOCK % 160),
        "warns",
        "taken as circular, 160 cm",
    ),
    (
        "geometry",
        "the length of the corridor was stated in mm",
        lambda _: arrays(x=20 * CLOCK % 160, geometry="vr:1600"),
        "stops",
        "is its length in the unit of the position",
    ),
    (
        "speed",
        "the tracker swaps the animal and its reflection",
        lambda _: session(position=np.where(np.arange(N) % 12 < 2, 100 - X, X)),
        "stops",
        "jumps in .* % of its frames|moves at .* cm/s .99th percentile",
    ),
    (
        "speed",
        "a clock that runs ten times too fast",
        lambda _: session(activity=[t / 10 for t in TRAINS], position_time=CLOCK / 10),
        "stops",
        "cm/s",
    ),
    (
        "sentinel",
        "lost frames are written as 0",
        lambda _: session(position=np.where(LOST, 0.0, X)),
        "stops",
        "jumps to exactly 0 and back",
    ),
    (
        "sentinel",
        "lost frames are written as -1 on both axes",
        lambda _: session(position=np.where(LOST[:, None], -1.0, np.column_stack([X, X]))),
        "stops",
        "jumps to exactly -1 and back",
    ),
    (
        "tracked",
        "the room light was off for half of the session",
        lambda _: session(position=np.where(CLOCK < 60, np.nan, X)),
        "warns",
        "NaN in 50.0 %",
    ),
    (
        "tracked",
        "the wrong column of the tracker was exported",
        lambda _: session(position=X * np.nan),
        "stops",
        "NaN in every frame",
    ),
    (
        "trace",
        "dF/F was saved as spks",
        lambda _: arrays(TRACE, kind="deconvolved"),
        "stops",
        "is below 0 in",
    ),
    (
        "trace",
        "raw fluorescence above its baseline",
        lambda _: arrays(abs(TRACE) + 400, kind="deconvolved"),
        "stops",
        "never comes near 0",
    ),
    (
        "counts",
        "-2 for lost frames, saved as uint16",
        lambda _: arrays(wrapped(-2, np.uint16)),
        "stops",
        "65534 spikes of one unit in one frame",
    ),
    (
        "counts",
        "-1 for lost frames, saved as uint8",
        lambda _: arrays(wrapped(-1, np.uint8)),
        "stops",
        "255 spikes of one unit in one frame",
    ),
    (
        "samples",
        "events that were scaled by their amplitude",
        lambda _: sampled(activity=COUNTS * 0.37),
        "stops",
        "negative or fractional values",
    ),
    (
        "samples",
        "a cell that drifted out of focus half-way",
        lambda _: sampled(
            "deconvolved",
            activity=np.where((CLOCK > 60)[:, None] & [True, False, False], np.nan, COUNTS),
        ),
        "stops",
        "NaN in 1199 further places",
    ),
    (
        "times",
        "a sorter that gives every merged spike twice",
        lambda _: session(activity=[np.sort(np.repeat(TRAINS[0], 2)), TRAINS[1]]),
        "warns",
        "300 of 800 spikes .* repeat a time",
    ),
    (
        "times",
        "trains that were concatenated from two probes",
        lambda _: session(activity=[np.roll(TRAINS[0], 90), TRAINS[1]]),
        "warns",
        "not sorted",
    ),
    (
        "axes",
        "suite2p's cells by frames",
        lambda _: sampled(activity=COUNTS.T),
        "stops",
        "3 frames, but its clock has 2400",
    ),
    (
        "axes",
        "a short test movie with more cells than frames",
        lambda _: sampled(activity=COUNTS[:1200].reshape(30, 120), activity_time=CLOCK[:30] * 80),
        "stops",
        "120 units, but 30 frames",
    ),
    (
        "negative_times",
        "spikes relative to the first trial",
        lambda _: session(activity=[t - 20 for t in TRAINS]),
        "stops",
        "negative times: an offset",
    ),
    (
        "negative_times",
        "spikes relative to a pulse that came late, for one unit",
        lambda _: session(activity=[TRAINS[0], TRAINS[1] - 5]),
        "stops",
        "negative times",
    ),
    (
        "integer_times",
        "spikes in frames of the microscope",
        lambda _: session(activity=[np.round(t) for t in TRAINS]),
        "stops",
        "are whole numbers",
    ),
    (
        "integer_times",
        "spikes rounded to seconds by a spreadsheet",
        lambda _: session(activity=[np.floor(TRAINS[0]), np.floor(TRAINS[1])]),
        "stops",
        "are whole numbers",
    ),
    (
        "epochs",
        "a day of home cage and track in one file",
        lambda folder: imported(nwb(folder / "a.nwb", add=tagged)),
        "stops",
        "home cage, linear track",
    ),
    (
        "epochs",
        "a familiar and a novel track in one file",
        lambda folder: imported(nwb(folder / "a.nwb", add=tasks)),
        "stops",
        "familiar, novel",
    ),
    (
        "same_session",
        "a copy of the file with another name",
        lambda folder: imported(nwb(folder / "a.nwb"), nwb(folder / "b.nwb")),
        "stops",
        "hold the same activity at the same times",
    ),
    (
        "same_session",
        "three days, the second uploaded twice",
        lambda folder: imported(
            nwb(folder / "a.nwb", NOON - timedelta(days=1), 7),
            nwb(folder / "b.nwb"),
            nwb(folder / "c.nwb"),
        ),
        "stops",
        "sessions b and c hold the same activity",
    ),
    (
        "session_overlap",
        "two probes of one session as two files",
        lambda folder: imported(nwb(folder / "a.nwb", seed=1), nwb(folder / "b.nwb", seed=2)),
        "stops",
        "overlap by 12",
    ),
    (
        "session_overlap",
        "the start was taken from the end of the session before",
        lambda folder: imported(
            nwb(folder / "a.nwb", seed=1), nwb(folder / "b.nwb", NOON + timedelta(seconds=60), 2)
        ),
        "stops",
        "overlap by 6",
    ),
    (
        "time_zones",
        "a file converted in Tokyo, the other in Boston",
        lambda folder: imported(
            nwb(folder / "a.nwb", datetime(2024, 3, 5, 9, tzinfo=TOKYO), 1),
            nwb(folder / "b.nwb", datetime(2024, 3, 5, 9, tzinfo=BOSTON), 2),
        ),
        "warns",
        "time zones",
    ),
    (
        "time_zones",
        "UTC on one machine, local time on the other",
        lambda folder: imported(
            nwb(folder / "a.nwb", NOON, 1),
            nwb(folder / "b.nwb", datetime(2024, 3, 7, 9, tzinfo=TOKYO), 2),
        ),
        "warns",
        "time zones",
    ),
    (
        "day_order",
        "files sorted by name: 1, 10, 2",
        lambda _: days([1, 10, 2]),
        "stops",
        "session 3 is of day 2, but follows session 2 of day",
    ),
    (
        "day_order",
        "recordings joined backwards",
        lambda _: nd.join_sessions([part("b", day=[3]), part("a", day=[1])]),
        "stops",
        "session a is of day 1, but follows session b of day 3",
    ),
    (
        "days",
        "seconds since 1970 for days",
        lambda _: days([1.7e9, 1.7e9 + 86400]),
        "stops",
        "longer than an animal lives",
    ),
    (
        "days",
        "a session whose date is missing, counted from year 0",
        lambda _: days([0, 739_000]),
        "stops",
        "longer than an animal lives",
    ),
    (
        "lacking",
        "one day's notebook has no date",
        lambda _: nd.join_sessions([part("a"), part("b", day=None)]),
        "warns",
        "day is dropped: session b has none",
    ),
    (
        "lacking",
        "the second axis of one day was not exported",
        lambda _: nd.join_sessions([part("a", y=X), part("b", day=[1])]),
        "warns",
        "y is NaN there: session b has none",
    ),
    (
        "trials",
        "trials that were defined by hand and overlap",
        lambda _: session(trials={"start_time": [0.0, 9.0], "stop_time": [10.0, 20.0]}),
        "stops",
        "trials overlap",
    ),
    (
        "trials",
        "trials in ms",
        lambda _: session(trials={"start_time": [1e3, 3e4], "stop_time": [2e4, 6e4]}),
        "stops",
        "2 of 2 trials lie outside the frames",
    ),
    (
        "registration",
        "cells of the next day's table",
        lambda _: session(registered_cell_id=[3, 4, 5]),
        "stops",
        "registered_cell_id has shape",
    ),
    (
        "registration",
        "one cell found twice by the registration",
        lambda _: session(registered_cell_id=[7, 7]),
        "stops",
        "occurs more than once",
    ),
    (
        "silence",
        "the microscope stopped a minute before the camera",
        lambda _: session(activity=[t[t < 60] for t in TRAINS]),
        "stops",
        "no unit is active in .* after its last activity",
    ),
    (
        "silence",
        "the shutter opened late",
        lambda _: arrays(np.where(CLOCK[:, None] < 20, 0, COUNTS).astype(np.uint8)),
        "stops",
        "no unit is active in .* before its first activity",
    ),
    (
        "subject",
        "the subject was never filled in, in either recording",
        lambda _: nd.join_sessions([part("a", day=[0]), part("b", day=[1])]),
        "warns",
        "none of 2 sources says which animal",
    ),
    (
        "subject",
        "three exports of one script that knows no animal",
        lambda _: nd.join_sessions([part(name, day=[i]) for i, name in enumerate("abc")]),
        "warns",
        "none of 3 sources says which animal",
    ),
    (
        "first_frame",
        "an .h5 of SLEAP whose first labelled frame may be any",
        lambda folder: sleap(folder, "pose.h5", "m1"),
        "warns",
        "first_frame",
    ),
    (
        "first_frame",
        "a second camera, exported in the same way",
        lambda folder: sleap(folder, "side.analysis.h5", "m2"),
        "warns",
        "first_frame",
    ),
]


@pytest.mark.filterwarnings("ignore::neurodrift.gate.findings.GateWarning", "ignore::UserWarning")
@pytest.mark.parametrize(
    ("call", "severity", "said"),
    [s[2:] for s in SITUATIONS],
    ids=[f"{s[0]}: {s[1]}" for s in SITUATIONS],
)
def test_situation__is_found(call, severity, said, tmp_path):
    if severity == "stops":
        with pytest.raises(ValueError) as stopped:
            call(tmp_path)
        assert re.search(said, " ".join(str(stopped.value).split())), stopped.value
        return
    with pytest.warns(GateWarning, match=said):
        found = call(tmp_path)
    assert isinstance(found, xr.Dataset)


def test_situations__are_two_for_every_kind_in_the_docs():
    page = (Path(__file__).parents[2] / "docs" / "gate.md").read_text()
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (?:stops|warns)", page, re.MULTILINE)
    kinds = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert len(kinds) > 20
    told = [kind for kind, *_ in SITUATIONS]
    assert {kind for kind in kinds if told.count(kind) < 2} == set()
    assert set(told) <= set(kinds)
