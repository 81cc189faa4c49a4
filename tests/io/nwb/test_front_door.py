"""Files as labs leave them, with known truth: the right recording, or one clear refusal."""

from __future__ import annotations

import datetime as dt
import warnings

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO, NWBFile
from pynwb.behavior import CompassDirection, Position, SpatialSeries
from pynwb.file import Subject
from pynwb.ophys import Fluorescence, ImageSegmentation, OpticalChannel, RoiResponseSeries

import neurodrift as nd
from neurodrift.gate.findings import GateWarning

pytestmark = [
    pytest.mark.filterwarnings(f"ignore:{text}")  # of pynwb, on what is odd on purpose
    for text in ("The linked table", "RoiResponseSeries", "SpatialSeries")
]

RATE = 20.0
TIME = np.arange(6000) / RATE
PHASE = (TIME / 10) % 2
X = 100 * np.where(PHASE < 1, PHASE, 2 - PHASE)
X2, Y2 = 50 + 45 * np.sin(TIME / 7), 50 + 45 * np.cos(TIME / 11)
FIELDS = np.column_stack([(np.abs(X - c) < 6) * (i + 1.0) for i, c in enumerate((10, 30, 60, 90))])


def spikes(centre, seed=0, rate=8.0):
    rng = np.random.default_rng(seed)
    n = rng.poisson(rate / RATE * np.exp(-0.5 * ((X - centre) / 8) ** 2))
    return np.sort(np.repeat(TIME, n) + rng.uniform(0, 0.99 / RATE, n.sum()))


class File:
    """An NWB file in the making; `redo` stores an array as another writer would have."""

    def __init__(self, path, day=0):
        self.path, self.redone = path, {}
        self.nwb = NWBFile(
            session_description="s",
            identifier=f"m1 {day}",
            session_start_time=dt.datetime(2026, 1, 5 + day, 10, tzinfo=dt.UTC),
            session_id=f"d{day}",
            subject=Subject(subject_id="m1", species="Mus musculus", sex="M", age="P90D"),
        )
        self.behavior = self.nwb.create_processing_module(name="behavior", description="b")
        self.positions = Position()
        self.behavior.add(self.positions)

    def position(self, data, name="position", **options):
        options = {"timestamps": TIME, "unit": "meters", "conversion": 0.01} | options
        if options.get("rate"):
            options.pop("timestamps")
        self.positions.add_spatial_series(
            SpatialSeries(name=name, data=data, reference_frame="corner", **options)
        )
        return self

    def units(self, trains, **columns):
        for name in columns:
            self.nwb.add_unit_column(name=name, description=name)
        for i, train in enumerate(trains):
            row = {name: values[i] for name, values in columns.items()}
            self.nwb.add_unit(spike_times=train, **row)
        return self

    def cells(self, data, columns=None, rois=None, n=None, name="Deconvolved", **clock):
        device = self.nwb.create_device(name="scope")
        channel = OpticalChannel(name="o", description="o", emission_lambda=500.0)
        plane = self.nwb.create_imaging_plane(
            name="plane",
            optical_channel=channel,
            description="d",
            device=device,
            excitation_lambda=600.0,
            indicator="G",
            location="CA1",
        )
        module = self.nwb.create_processing_module(name="ophys", description="o")
        segmentation = ImageSegmentation(name="ImageSegmentation")
        module.add(segmentation)
        table = segmentation.create_plane_segmentation(
            name="PlaneSegmentation", description="d", imaging_plane=plane
        )
        n = n or data.shape[1]
        for column in columns or {}:
            table.add_column(name=column, description=column)
        for i in range(n):
            row = {column: values[i] for column, values in (columns or {}).items()}
            table.add_roi(pixel_mask=[(i, i, 1.0)], **row)
        region = table.create_roi_table_region(
            region=list(range(n)) if rois is None else rois, description="r"
        )
        series = RoiResponseSeries(
            name=name, data=data, rois=region, unit="a.u.", **(clock or {"timestamps": TIME})
        )
        module.add(Fluorescence(name="Fluorescence", roi_response_series=series))
        return self

    def redo(self, path, data):
        self.redone[path] = data
        return self

    def read(self, **options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pynwb, on writing what is odd on purpose
            with NWBHDF5IO(str(self.path), "w") as io:
                io.write(self.nwb)
        with h5py.File(self.path, "r+") as file:
            for path, data in self.redone.items():
                attrs = dict(file[path].attrs)
                del file[path]
                file.create_dataset(path, data=data).attrs.update(attrs)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            recording = nd.import_nwb(self.path, **options)
        told = [str(item.message) for item in found if issubclass(item.category, GateWarning)]
        return recording, " | ".join(told)


@pytest.fixture
def file(tmp_path):
    return File(tmp_path / "day.nwb")


PLACE = "processing/behavior/Position/position/data"
CELLS = "processing/ophys/Fluorescence/Deconvolved/data"


@pytest.mark.parametrize("clock", [{}, {"rate": RATE}])
def test_import__position_stored_by_axis_is_turned(file, clock):
    file.position(np.column_stack([X2, Y2]), **clock).units([spikes(20), spikes(80)])
    recording, told = file.redo(PLACE, np.vstack([X2, Y2])).read()
    np.testing.assert_allclose(recording["x"], X2)
    np.testing.assert_allclose(recording["y"], Y2)
    assert "stored as (2, 6000), with time as the second axis, and was turned" in told


@pytest.mark.parametrize("clock", [{}, {"rate": RATE}])
def test_import__responses_stored_by_cell_are_turned(file, clock):
    file.position(X).cells(FIELDS, **clock)
    recording, told = file.redo(CELLS, FIELDS.T.copy()).read()
    np.testing.assert_array_equal(recording["activity"], FIELDS)
    assert "stored as (4, 6000)" in told


def test_import__more_or_fewer_columns_than_cells_are_refused(file, tmp_path):
    with pytest.raises(ValueError, match="has 4 columns, but its table names 2 cells"):
        file.position(X).cells(FIELDS, rois=[2, 3], n=4).read()
    other = File(tmp_path / "few.nwb").position(X).cells(FIELDS).redo(CELLS, FIELDS[:, :2].copy())
    with pytest.raises(ValueError, match="has 2 columns, but its table names 4 cells"):
        other.read()


@pytest.mark.parametrize(
    ("path", "data", "told"),
    [
        (PLACE, X[:-1], "has 5999 samples and 6000 timestamps"),
        (PLACE, np.r_[X, X[-1]], "has 6001 samples and 6000 timestamps"),
        (CELLS, FIELDS[:-1], "has 5999 samples and 6000 timestamps"),
        (CELLS, FIELDS[:-100], None),
    ],
)
def test_import__samples_and_timestamps_that_differ(file, path, data, told):
    file.position(X).cells(FIELDS).redo(path, data)
    if told is None:
        with pytest.raises(ValueError, match="5900 samples, but 6000 timestamps"):
            file.read()
        return
    recording, found = file.read()
    assert told in found
    n = min(len(data), 6000)
    np.testing.assert_allclose(recording["x"], X[:n])
    np.testing.assert_array_equal(recording["activity"], FIELDS[:n])


def test_import__spike_times_in_ms_are_refused(file):
    file.position(X).units([1000 * spikes(c, seed=c) for c in (20, 50)])
    with pytest.raises(ValueError, match="activity's clock seems to be in ms"):
        file.read()


@pytest.mark.parametrize(
    "columns",
    [
        {"Accepted": [1] * 4 + [0] * 6, "Rejected": [0] * 4 + [1] * 6},
        {"Rejected": [0] * 4 + [1] * 6},
        {"iscell": [[1.0, 0.9]] * 4 + [[0.0, 0.1]] * 6},
    ],
)
def test_import__cells_that_a_file_rejects_are_left_out(file, columns):
    rest = np.random.default_rng(0).poisson(0.5, (6000, 6)).astype(float)
    file.position(X).cells(np.column_stack([FIELDS, rest]), columns=columns)
    recording, told = file.read()
    np.testing.assert_array_equal(recording["activity"], FIELDS)
    assert "4 of 10 units are kept by column" in told
    everything, told = file.read(units="all")
    assert everything.sizes["unit"] == 10 and not told


def test_import__good_units_or_those_of_a_query(file):
    trains = [spikes(c, seed=c) for c in (20, 50, 80, 30)]
    file.position(X).units(trains, quality=["good", "good", "mua", "noise"], depth=[1.0, 2, 3, 4])
    recording, told = file.read()
    assert recording.sizes["unit"] == 2 and "2 of 4 units are kept by column quality" in told
    some, _ = file.read(units="quality != 'noise' and depth > 1.5")
    counts = some["activity"].sum("time").values.tolist()
    assert counts == [trains[1].size, trains[2].size]
    with pytest.raises(ValueError, match="holds for none of the 4 units"):
        file.read(units="depth > 9")
    with pytest.raises(
        ValueError, match="cannot be evaluated .*; the table has id, quality, depth"
    ):
        file.read(units="snr > 3")


def test_import__a_few_times_that_do_not_increase_are_mended_and_told(file, tmp_path):
    for name, change in (("twice", (100, TIME[99])), ("back", (3000, 1.0))):
        time = TIME.copy()
        time[change[0]] = change[1]
        other = File(tmp_path / f"{name}.nwb").position(X, timestamps=time)
        found, told = other.units([spikes(20)]).read()
        assert "1 of 6000 times of behavior/Position/position do not increase" in told
        np.testing.assert_allclose(found["time"], TIME, atol=1e-9)
        np.testing.assert_array_equal(found["x"], X)
        assert '"mended_clock"' in found.attrs["findings"]


def test_import__clocks_that_do_not_increase_are_refused(file, tmp_path):
    for name, where, value in (("many", slice(100, 4000, 20), 1.0), ("nan", 100, np.nan)):
        time = TIME.copy()
        time[where] = value
        other = File(tmp_path / f"{name}.nwb").position(X, timestamps=time)
        with pytest.raises(ValueError, match="does not increase at frame|is NaN in 1 frames"):
            other.units([spikes(20)]).read()


@pytest.mark.parametrize("lost", [0.0, -1.0])
def test_import__a_number_for_lost_is_refused_and_may_be_accepted(file, lost):
    x = X.copy()
    x[::50] = lost
    file.position(x).units([spikes(20), spikes(70)])
    with pytest.raises(ValueError, match=f"jumps to exactly {lost:g} and back, in 2.0 %"):
        file.read()
    recording, _ = file.read(accept=["sentinel"])
    assert '"accepted": true' in recording.attrs["findings"]


@pytest.mark.parametrize(("factor", "guess"), [(0.01, "metres"), (10.0, "mm or pixels")])
def test_import__a_conversion_that_is_wrong_is_refused(file, factor, guess):
    with pytest.raises(ValueError, match=guess):
        file.position(X, conversion=0.01 * factor).units([spikes(20)]).read()


def test_import__axes_apart_and_three_axes(file, tmp_path):
    file.position(X2, name="x").position(Y2, name="y").units([spikes(20), spikes(60)])
    with pytest.raises(ValueError, match="give it twice for the two axes"):
        file.read()
    recording, told = file.read(position=["x", "y"])
    np.testing.assert_allclose(recording["y"], Y2)
    assert not told
    assert (
        "x alone was taken, though behavior/Position/y lies beside it" in file.read(position="x")[1]
    )
    deep = File(tmp_path / "z.nwb").position(np.column_stack([X2, Y2, 0 * X2 + 3]))
    recording, told = deep.units([spikes(20)]).read()
    assert "height was left out" in told
    np.testing.assert_allclose(recording["x"], X2)


def test_import__stretches_of_a_position_follow_each_other(file):
    half = 3000
    file.position(X[:half], name="run_0", timestamps=TIME[:half])
    file.position(X[half:], name="run_1", timestamps=TIME[half:]).units([spikes(20), spikes(60)])
    recording, _ = file.read(position=["run_1", "run_0"])
    np.testing.assert_allclose(recording["x"], X)
    with pytest.raises(ValueError, match="several candidates"):
        file.read()


def test_import__head_direction_is_no_position(file):
    heading = SpatialSeries(
        name="hd", data=X / 100, timestamps=TIME, reference_frame="r", unit="meters"
    )
    file.position(X).units([spikes(20)]).behavior.add(CompassDirection(spatial_series=heading))
    recording, _ = file.read()
    np.testing.assert_allclose(recording["x"], X)


def test_import__a_position_without_a_unit_of_length(file):
    file.position(X, unit="", conversion=1.0).units([spikes(20)])
    with pytest.raises(ValueError, match="--position-unit cm"):
        file.read()
    recording, _ = file.read(position_unit="cm")
    np.testing.assert_allclose(recording["x"], X)
    with pytest.raises(ValueError, match="position_unit is 'furlong', expected one of m"):
        file.read(position_unit="furlong")


def test_import__epochs_of_several_kinds_are_not_pooled(file):
    file.position(X).units([spikes(20), spikes(60)])
    file.nwb.add_epoch_column(name="label", description="l")
    for start, label in ((0.0, "pre_sleep"), (100.0, "maze"), (200.0, "post_sleep")):
        file.nwb.add_epoch(start_time=start, stop_time=start + 100, label=label)
    with pytest.raises(ValueError, match="several kinds .pre_sleep, maze, post_sleep."):
        file.read()
    maze, _ = file.read(epoch="maze")
    np.testing.assert_allclose(maze["time"], TIME[2000:4000])
    assert file.read(epoch="all")[0].sizes["time"] == 6000
    assert file.read(epoch="*sleep")[0].sizes["time"] == 4000
    assert file.read(sessions_from="epochs")[0].sizes["session"] == 3
    with pytest.raises(ValueError, match="has no epoch 'box'; its epochs .* are pre_sleep, maze"):
        file.read(epoch="box")


def test_import__invalid_times_are_cut_for_all(file):
    train = spikes(50)
    file.position(X).units([train[(train < 100) | (train >= 200)], spikes(20, seed=2)])
    file.nwb.add_invalid_time_interval(start_time=100.0, stop_time=200.0)
    recording, told = file.read()
    time = recording["time"].values
    assert not ((time >= 100) & (time < 200)).any() and time.size == 4000
    assert "2000 of 6000 frames lie in invalid_times and were left out" in told


def test_import__frames_that_no_unit_observes_are_cut(file):
    for train in (spikes(20), spikes(60, seed=3)):
        file.nwb.add_unit(spike_times=train[train >= 50], obs_intervals=[[50.0, 300.0]])
    recording, told = file.position(X).read()
    assert recording.sizes == {"time": 5000, "unit": 2, "session": 1}
    assert "1000 of 6000 frames lie outside the obs_intervals of all units" in told


@pytest.mark.parametrize("kind", ["raw", "dff"])
def test_import__a_trace_is_fluorescence_and_not_deconvolved_activity(file, kind):
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(FIELDS.shape)
    trace = 500 + 100 * FIELDS + 10 * noise if kind == "raw" else FIELDS + 0.1 * noise
    found, told = file.position(X).cells(trace).read()
    assert found["activity"].attrs["kind"] == "fluorescence"
    assert "a trace of fluorescence" in told and "It was taken as fluorescence" in told
    assert np.isnan(nd.compute_sparsity(found)["active_fraction"]).all()
    with pytest.raises(ValueError, match="not defined for activity of kind 'fluorescence'"):
        nd.compute_spatial_information(found)
    assert file.read(accept=["trace"])[0]["activity"].attrs["kind"] == "deconvolved"


def test_import__without_identities_every_measure_of_a_session_is_there(tmp_path):
    files = []
    for day in (0, 1):
        one = File(tmp_path / f"{day}.nwb", day).position(X)
        one.units([spikes(c, seed=c + day) for c in (20, 50, 80)]).read()
        files.append(one.path)
    recording = nd.import_nwb(files)
    assert not recording["registered"].values.any()
    results = nd.analyze(recording, n_repeats=5, n_draws=1)
    assert results["place_cells"]["tested"].values.any()
    assert np.isnan(results["drift"]["rate_map_correlation"].values).all()
    assert nd.write_report(results, tmp_path / "report.html").stat().st_size > 10_000


def test_inspect__prints_the_command_that_imports(file, tmp_path, monkeypatch, capsys):
    from neurodrift.cli import main

    rest = np.random.default_rng(0).poisson(0.5, (6000, 2)).astype(float)
    file.position(X2, name="x").position(Y2, name="y")
    file.cells(np.column_stack([FIELDS, rest]), columns={"iscell": [1] * 4 + [0] * 2})
    file.units([spikes(30)])
    file.nwb.add_epoch_column(name="label", description="l")
    for start, label in ((0.0, "pre_sleep"), (100.0, "maze")):
        file.nwb.add_epoch(start_time=start, stop_time=start + 100, label=label)
    with pytest.raises(ValueError, match="several candidates"):
        file.read()
    monkeypatch.chdir(tmp_path)
    assert main(["inspect", "day.nwb"]) == 0
    printed = capsys.readouterr().out
    assert "responses (6000, 6) of 6 ROIs, 4 kept by column iscell" in printed
    command = printed.strip().splitlines()[-1].split()
    assert command[:2] == ["neurodrift", "import"] and command[-4:-2] == ["--epoch", "maze"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert main(command[1:]) == 0
    recording = nd.open_recording("recording.zarr")
    assert recording.sizes == {"time": 2000, "unit": 4, "session": 1}
    np.testing.assert_allclose(recording["y"], Y2[2000:4000])
