"""Planes that were imaged together: cells of two ROI response series in one recording."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import h5py
import numpy as np
import pynwb
import pytest
from pynwb.ophys import Fluorescence

from neurodrift.cli import main
from neurodrift.gate.findings import GateWarning
from neurodrift.io.nwb.read import import_nwb, read_session
from neurodrift.io.zarr import open_recording

sys.path.insert(0, str(Path(__file__).parent))
from test_layouts import (  # noqa: E402
    CLOCK,
    RATE,
    RNG,
    N,
    X,
    in_position,
    module,
    new_file,
    place,
    printed_command,
)

DEEP = np.where(RNG.random((N, 3)) < 0.1, RNG.exponential(1, (N, 3)), 0.0)
SHALLOW = np.where(RNG.random((N, 2)) < 0.1, RNG.exponential(1, (N, 2)), 0.0)


def table_of(nwbfile, name, n, indicator="GCaMP6f", **columns):
    device = next(iter(nwbfile.devices.values()), None) or nwbfile.create_device(name="Microscope")
    channel = pynwb.ophys.OpticalChannel(name="Green", description="g", emission_lambda=513.0)
    plane = nwbfile.create_imaging_plane(
        name=f"ImagingPlane{name}",
        optical_channel=channel,
        description="p",
        device=device,
        excitation_lambda=920.0,
        indicator=indicator,
        location="CA1",
        imaging_rate=RATE,
    )
    if "ImageSegmentation" not in module(nwbfile, "ophys").data_interfaces:
        module(nwbfile, "ophys").add(pynwb.ophys.ImageSegmentation())
    table = module(nwbfile, "ophys")["ImageSegmentation"].create_plane_segmentation(
        name=f"PlaneSegmentation{name}", description="ROIs", imaging_plane=plane
    )
    for i in range(n):
        table.add_roi(pixel_mask=[(i, i, 1.0)])
    for column, values in columns.items():
        table.add_column(name=column, description=column, data=list(values))
    return table


def series_of(table, name, data, rows=None, **clock):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pynwb: the table is not in the file yet
        return _series_of(table, name, data, rows, clock)


def _series_of(table, name, data, rows, clock):
    region = table.create_roi_table_region(
        region=list(range(data.shape[1])) if rows is None else rows, description="ROIs"
    )
    return pynwb.ophys.RoiResponseSeries(
        name=name, data=data, rois=region, unit="n.a.", **({"timestamps": CLOCK} | clock)
    )


def save(nwbfile, path, *series, container="Deconvolved"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tables that are not in the file yet
        held = Fluorescence(roi_response_series=list(series), name=container)
        module(nwbfile, "ophys").add(held)
    in_position(nwbfile, place(X / 100, "SpatialSeries"))
    with pynwb.NWBHDF5IO(path, "w") as io:
        io.write(nwbfile)
    return path


def two_planes(path, ids=((7, -1, 9), (8, 3)), late=0.02, **other):
    nwbfile = new_file()
    deep = table_of(nwbfile, "Deep", 3, registered_cell_id=ids[0])
    shallow = table_of(nwbfile, "Shallow", 2, registered_cell_id=ids[1], **other)
    return save(
        nwbfile,
        path,
        series_of(deep, "deep", DEEP),
        series_of(shallow, "shallow", SHALLOW[:-1], timestamps=(CLOCK + late)[:-1]),
    )


def expected():
    """Every sample of the second plane in the frame of the first that it falls into."""
    return np.hstack([DEEP, SHALLOW])[:-1]


def test_planes__cells_side_by_side_in_the_frames_of_the_first(tmp_path):
    path = two_planes(tmp_path / "a.nwb")
    with pytest.warns(GateWarning, match="1 of 2400 frames have no sample of .*shallow near them"):
        found = import_nwb(path, series=["deep", "shallow"])
    assert found["unit"].values.tolist() == ["3", "7", "8", "9", "a:deep:1"]
    order = [4, 0, 3, 2, 1]
    np.testing.assert_array_equal(found["activity"].values, expected()[:, order])
    np.testing.assert_allclose(found["x"], X[:-1])
    assert found["registered"].values.tolist() == [True] * 4 + [False]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lazy = read_session(path, series=["deep", "shallow"], lazy=True)
        eager = read_session(path, series=["deep", "shallow"])
    np.testing.assert_array_equal(lazy["activity"].values, eager["activity"].values)


def test_planes__by_the_command_that_inspect_prints_and_a_day_more(tmp_path, capsys):
    two_planes(tmp_path / "a.nwb")
    words = printed_command(tmp_path / "a.nwb", capsys)
    assert [words[i + 1].rsplit("/", 1)[-1] for i, w in enumerate(words) if w == "--series"] == [
        "deep",
        "shallow",
    ]
    words[words.index("-o") + 1] = str(tmp_path / "recording.zarr")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert not main(words)
    found = open_recording(tmp_path / "recording.zarr")
    np.testing.assert_array_equal(found["activity"].values, expected()[:, [4, 0, 3, 2, 1]])


def test_planes__suite2p_keeps_them_in_one_table(tmp_path, capsys):
    nwbfile = new_file()
    table = table_of(nwbfile, "", 5, iscell=[[1.0, 0.9]] * 4 + [[0.0, 0.1]])
    save(
        nwbfile,
        tmp_path / "a.nwb",
        series_of(table, "plane0", DEEP, rows=[0, 1, 2]),
        series_of(table, "plane1", SHALLOW, rows=[3, 4]),
    )
    words = printed_command(tmp_path / "a.nwb", capsys)
    assert words.count("--series") == 2
    with pytest.warns(UserWarning, match="are kept by column iscell"):
        found = import_nwb(tmp_path / "a.nwb", series=["plane0", "plane1"])
    np.testing.assert_array_equal(found["activity"].values, np.hstack([DEEP, SHALLOW[:, :1]]))


@pytest.mark.parametrize(
    ("series", "change", "message"),
    [
        (["deep", "shallow"], {"ids": ((7, 1, 9), (7, 3))}, r"cells of the same identity, \['?7"),
        (["deep", "deep"], {}, "hold the same cells of table PlaneSegmentationDeep"),
        (["deep", "none"], {}, "series 'none' names 0 of the series"),
        (["deep", "shallow"], {"late": 500.0}, "their clocks start at different times"),
        (None, {}, "give it twice for planes that were imaged together"),
    ],
)
def test_planes__refused(tmp_path, series, change, message):
    path = two_planes(tmp_path / "a.nwb", **change)
    with warnings.catch_warnings(), pytest.raises(ValueError, match=message):
        warnings.simplefilter("ignore")
        import_nwb(path, series=series)


def test_planes__channels_are_not_taken_together(tmp_path, capsys):
    nwbfile = new_file()
    green = table_of(nwbfile, "Green", 3)
    red = table_of(nwbfile, "Red", 2, indicator="mCherry")
    save(
        nwbfile,
        tmp_path / "a.nwb",
        series_of(green, "chan1", DEEP),
        series_of(red, "chan2", SHALLOW),
    )
    words = printed_command(tmp_path / "a.nwb", capsys)
    assert words.count("--series") == 1


def test_planes__trace_in_one_and_events_in_the_other_are_refused(tmp_path):
    nwbfile = new_file()
    deep, shallow = table_of(nwbfile, "Deep", 3), table_of(nwbfile, "Shallow", 2)
    trace = np.cumsum(RNG.normal(size=(N, 2)), axis=0)
    save(nwbfile, tmp_path / "a.nwb", series_of(deep, "deep", DEEP), series_of(shallow, "s", trace))
    with warnings.catch_warnings(), pytest.raises(ValueError, match="one kind of activity"):
        warnings.simplefilter("ignore")
        import_nwb(tmp_path / "a.nwb", series=["deep", "s"])
    with h5py.File(tmp_path / "a.nwb") as file:  # only read
        assert "processing" in file
