"""Readers of other pipelines, on their own files (fixtures/) or on their documented layout."""

from __future__ import annotations

import gzip
import json
import pickle
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import xarray as xr

from neurodrift.convert.pipelines.caiman import read_caiman, read_caiman_assignments
from neurodrift.convert.pipelines.cellreg import read_cellreg
from neurodrift.convert.pipelines.deeplabcut import read_deeplabcut
from neurodrift.convert.pipelines.minian import read_minian
from neurodrift.convert.pipelines.phy import read_phy
from neurodrift.convert.pipelines.readers import READERS, reader, reader_options
from neurodrift.convert.pipelines.registration import registered_ids
from neurodrift.convert.pipelines.sleap import read_sleap
from neurodrift.convert.pipelines.suite2p import read_suite2p
from neurodrift.convert.pipelines.track2p import read_track2p
from neurodrift.gate.inputs import Activity

FIXTURES = Path(__file__).parents[1] / "fixtures"
RNG = np.random.default_rng(0)


def unpacked(name, folder):
    path = folder / name.removesuffix(".gz")
    path.write_bytes(gzip.decompress((FIXTURES / name).read_bytes()))
    return path


def test_readers__are_all_there():
    for what, names in READERS.items():
        for name in names:
            assert callable(reader(what, name))
    assert reader_options("position", "deeplabcut") == [
        "bodypart",
        "individual",
        "min_likelihood",
        "axes",
    ]
    with pytest.raises(ValueError, match="no reader 'cellreg' of activity"):
        reader("activity", "cellreg")


# suite2p


def suite2p_folder(folder, *, ops=None, settings=None):
    plane = folder / "suite2p" / "plane0"
    plane.mkdir(parents=True)
    values = {name: RNG.random((5, 40)).astype("f4") for name in ("spks", "F", "Fneu")}
    for name, array in values.items():
        np.save(plane / f"{name}.npy", array)
    np.save(plane / "iscell.npy", np.array([[1, 0.9], [0, 0.1], [1, 0.6], [0, 0.8], [1, 0.7]]))
    for name, content in (("ops", ops), ("settings", settings)):
        if content is not None:
            np.save(plane / f"{name}.npy", content, allow_pickle=True)
    return plane, values


def test_read_suite2p__cells_with_their_rows(tmp_path):
    plane, values = suite2p_folder(tmp_path, ops={"fs": 20.0, "meanImg": np.zeros((4, 4))})
    found = read_suite2p(plane)
    assert found.kind == "deconvolved" and found.n_source == 5
    assert found.source_rows.tolist() == [0, 2, 4]
    np.testing.assert_array_equal(found.samples, values["spks"][[0, 2, 4]].T)
    np.testing.assert_array_equal(found.time, np.arange(40) / 20)
    assert read_suite2p(tmp_path / "suite2p").source_rows.tolist() == [0, 2, 4]
    assert read_suite2p(plane, min_probability=0.65).source_rows.tolist() == [0, 3, 4]


def test_read_suite2p__fluorescence_and_rate_of_newer_versions(tmp_path):
    plane, values = suite2p_folder(tmp_path, settings={"fs": np.float64(7.5)})
    found = read_suite2p(plane, signal="F")
    expected = (values["F"] - 0.7 * values["Fneu"])[[0, 2, 4]].T
    np.testing.assert_allclose(found.samples, expected, rtol=1e-6)
    assert found.kind == "fluorescence" and found.time[2] == 2 / 7.5


def test_read_suite2p__timestamps_before_rate(tmp_path):
    plane, _ = suite2p_folder(tmp_path)
    time = np.arange(40) / 30 + 1.5
    np.testing.assert_array_equal(read_suite2p(plane, time=time).time, time)
    with pytest.raises(ValueError, match="tells no frame rate"):
        read_suite2p(plane)
    with pytest.raises(ValueError, match="its clock has 39"):
        read_suite2p(plane, time=time[1:])


def test_read_suite2p__ops_are_never_run(tmp_path):
    made = tmp_path / "made"

    class Evil:
        def __reduce__(self):
            return (Path.mkdir, (made,))

    plane, _ = suite2p_folder(tmp_path, ops={"fs": Evil()})
    with pytest.raises(ValueError, match="no fs"):
        read_suite2p(plane)
    assert not made.exists()
    (plane / "spks.npy").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ValueError, match="pickle"):
        read_suite2p(plane, rate=20.0)
    assert not made.exists()


def test_read_suite2p__iscell_of_another_plane(tmp_path):
    plane, _ = suite2p_folder(tmp_path, ops={"fs": 20.0})
    np.save(plane / "iscell.npy", np.ones((4, 2)))
    with pytest.raises(ValueError, match=r"iscell has shape \(4, 2\), expected \(5, 2\)"):
        read_suite2p(plane)


# CaImAn


def caiman_file(path, *, chosen):
    samples = {name: RNG.random((6, 30)) for name in ("S", "C", "F_dff")}
    with h5py.File(path, "w") as file:
        for name, array in samples.items():
            file[f"estimates/{name}"] = array
        file["estimates/idx_components"] = chosen
        file["estimates/dims"] = (64, 64)
        file["params/data/fr"] = 15
    return samples


def test_read_caiman__accepted_components(tmp_path):
    samples = caiman_file(tmp_path / "a.hdf5", chosen=np.array([4, 0, 1]))
    found = read_caiman(tmp_path / "a.hdf5")
    assert found.source_rows.tolist() == [0, 1, 4] and found.n_source == 6
    np.testing.assert_array_equal(found.samples, samples["S"][[0, 1, 4]].T)
    np.testing.assert_array_equal(found.time, np.arange(30) / 15)
    every = read_caiman(tmp_path / "a.hdf5", signal="C", accepted_only=False, rate=10.0)
    np.testing.assert_array_equal(every.samples, samples["C"].T)
    assert every.kind == "fluorescence" and every.time[1] == 0.1


def test_read_caiman__not_evaluated(tmp_path):
    caiman_file(tmp_path / "a.hdf5", chosen="NoneType")
    assert read_caiman(tmp_path / "a.hdf5").n_units == 6


def test_read_caiman__another_file(tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["S"] = np.ones(3)
    with pytest.raises(ValueError, match="no estimates/S"):
        read_caiman(tmp_path / "a.hdf5")
    caiman_file(tmp_path / "b.hdf5", chosen=np.array([1, 6]))
    with pytest.raises(ValueError, match="idx_components name none of the 6"):
        read_caiman(tmp_path / "b.hdf5")


def test_read_caiman_assignments__nan_is_absent(tmp_path):
    table = np.array([[0, np.nan], [2, 1.0], [np.nan, 0]])
    np.save(tmp_path / "a.npy", table)
    found = read_caiman_assignments(tmp_path / "a.npy", refers_to="kept")
    assert found.table.tolist() == [[0, -1], [2, 1], [-1, 0]] and found.refers_to == "kept"
    np.savez(tmp_path / "a.npz", spatial_union=np.ones((2, 2)), assignments=table)
    found = read_caiman_assignments(tmp_path / "a.npz", refers_to="source")
    assert found.table.tolist() == [[0, -1], [2, 1], [-1, 0]]
    with pytest.raises(ValueError, match="refers_to"):
        read_caiman_assignments(tmp_path / "a.npy")


# Minian


def test_read_minian__dims_in_any_order(tmp_path):
    samples = RNG.random((4, 25))
    for name, dims in (("S", ("unit_id", "frame")), ("C", ("frame", "unit_id"))):
        array = xr.DataArray(
            samples if dims[0] == "unit_id" else samples.T,
            dims=dims,
            coords={"unit_id": [3, 5, 8, 9], "frame": np.arange(25) * 2},
            name=name,
        )
        array.to_dataset().to_zarr(tmp_path / f"{name}.zarr", zarr_format=2, consolidated=False)
    found = read_minian(tmp_path, rate=30.0)
    np.testing.assert_array_equal(found.samples, samples.T)
    np.testing.assert_array_equal(found.time, np.arange(25) * 2 / 30)
    assert found.columns["unit_id"][1].tolist() == [3, 5, 8, 9]
    np.testing.assert_array_equal(read_minian(tmp_path, signal="C", rate=30.0).samples, samples.T)
    with pytest.raises(ValueError, match="no clock"):
        read_minian(tmp_path)


class _Marks:
    """Makes a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_read_minian__pickled_chunks_are_refused(tmp_path):
    array = xr.DataArray(np.ones((2, 3)), dims=("unit_id", "frame"), name="S")
    array.to_dataset().to_zarr(tmp_path / "S.zarr", zarr_format=2, consolidated=False)
    path = tmp_path / "S.zarr" / "S" / ".zarray"
    described = json.loads(path.read_text())
    written = json.dumps(described | {"filters": [{"id": "pickle"}], "dtype": "|O"})
    (tmp_path / "S.zarr" / "S" / "0.0").write_bytes(pickle.dumps(_Marks(tmp_path / "ran")))
    for spelled in ('"pickle"', '"\\u0070ickle"', '"msgpack2"'):
        path.write_text(written.replace('"pickle"', spelled))
        with pytest.raises(ValueError, match=r"names the codec '(pickle|msgpack2)', which is not"):
            read_minian(tmp_path, rate=30.0)
    assert not (tmp_path / "ran").exists()
    with pytest.raises(FileNotFoundError, match="no Zarr store"):
        read_minian(tmp_path / "nothing", rate=30.0)


# phy


def phy_folder(folder, *, params="sample_rate = 30000.\n"):
    np.save(folder / "spike_times.npy", np.array([[30], [60], [90], [150], [3000]], "u8"))
    np.save(folder / "spike_clusters.npy", np.array([7, 2, 7, 4, 2], "i4"))
    (folder / "params.py").write_text(params)
    (folder / "cluster_KSLabel.tsv").write_text("cluster_id\tKSLabel\n2\tgood\n4\tmua\n7\tgood\n")
    (folder / "cluster_group.tsv").write_text("cluster_id\tgroup\n4\tgood\n7\tnoise\n")
    return folder


def test_read_phy__what_was_labelled_goes_before_kilosort(tmp_path):
    found = read_phy(phy_folder(tmp_path))
    assert found.source_rows.tolist() == [2, 4]
    assert [times.tolist() for times in found.times] == [[0.002, 0.1], [0.005]]
    assert found.columns["label"][1] == ["good", "good"] and found.kind == "spikes"
    assert read_phy(tmp_path, groups="noise", rate=1000.0).times[0].tolist() == [0.03, 0.09]


def test_read_phy__params_are_never_run(tmp_path):
    phy_folder(tmp_path, params=f"open({str(tmp_path / 'made')!r}, 'w')\nsample_rate = 2e4\n")
    assert read_phy(tmp_path).times[0].tolist() == [0.003, 0.15]
    assert not (tmp_path / "made").exists()
    (tmp_path / "params.py").write_text("sample_rate = float(30)")
    with pytest.raises(ValueError, match="no plain sample_rate"):
        read_phy(tmp_path)


def test_read_phy__faults(tmp_path):
    phy_folder(tmp_path)
    with pytest.raises(ValueError, match="no cluster is labelled best; the labels are good, noise"):
        read_phy(tmp_path, groups=["best"])
    np.save(tmp_path / "spike_clusters.npy", np.array([7, 2], "i4"))
    with pytest.raises(ValueError, match="2 entries of int32, but there are 5 spikes"):
        read_phy(tmp_path)
    np.save(tmp_path / "spike_times.npy", np.array([0.5, 1.5]))
    with pytest.raises(ValueError, match="expected sample numbers"):
        read_phy(tmp_path)


# DeepLabCut


@pytest.mark.parametrize("name", ["dlc_single.csv", "dlc_single.h5.gz", "dlc_fixed.h5.gz"])
def test_read_deeplabcut__one_animal(tmp_path, name):
    path = unpacked(name, tmp_path) if name.endswith("gz") else FIXTURES / name
    table = pd.read_csv(FIXTURES / "dlc_single.csv", header=[1, 2], index_col=0)["body"]
    found = read_deeplabcut(path, bodypart="body", cm_per_pixel=0.1, rate=30.0, min_likelihood=0.5)
    sure = table["likelihood"].to_numpy() >= 0.5
    assert 0 < sure.sum() < sure.size
    np.testing.assert_allclose(found.xy[sure], table.loc[sure, ["x", "y"]] * 0.1, rtol=1e-12)
    assert np.isnan(found.xy[~sure]).all()
    np.testing.assert_array_equal(found.time, np.arange(30) / 30)


@pytest.mark.parametrize("name", ["dlc_multi.csv", "dlc_multi.h5.gz"])
def test_read_deeplabcut__several_animals(tmp_path, name):
    path = unpacked(name, tmp_path) if name.endswith("gz") else FIXTURES / name
    table = pd.read_csv(FIXTURES / "dlc_multi.csv", header=[1, 2, 3], index_col=0)["m2"]["nose"]
    options = {"cm_per_pixel": 1.0, "rate": 30.0, "min_likelihood": 0.0}
    found = read_deeplabcut(path, individual="m2", **options)
    np.testing.assert_allclose(found.xy, table[["x", "y"]], rtol=1e-12)
    with pytest.raises(ValueError, match="several individuals; name one of m1, m2"):
        read_deeplabcut(path, **options)


def test_read_deeplabcut__faults(tmp_path):
    path = FIXTURES / "dlc_single.csv"
    with pytest.raises(ValueError, match="no bodypart 'tail'; name one of nose, body"):
        read_deeplabcut(path, bodypart="tail", cm_per_pixel=1.0, rate=30.0)
    (tmp_path / "a.csv").write_text("t,x,y\n0,1,2\n")
    with pytest.raises(ValueError, match="no table of DeepLabCut"):
        read_deeplabcut(tmp_path / "a.csv", cm_per_pixel=1.0, rate=30.0)
    text = path.read_text()
    (tmp_path / "b.csv").write_text(text[: len(text) // 2])
    with pytest.raises(ValueError, match="is damaged"):
        read_deeplabcut(tmp_path / "b.csv", bodypart="nose", cm_per_pixel=1.0, rate=30.0)


@pytest.mark.parametrize("kind", ["csv", "table", "fixed"])
def test_read_deeplabcut__the_frame_number_decides(tmp_path, kind):
    """Frames 0, 1 and 6 of 12 are missing; x is 1.5 times the frame."""
    path = tmp_path / "a.csv"
    frames = [2, 3, 4, 5, 7, 8, 9, 10, 11]
    if kind == "csv":
        names = [["net"], ["nose"], ["x", "y", "likelihood"]]
        columns = pd.MultiIndex.from_product(names, names=["scorer", "bodyparts", "coords"])
        x = np.array(frames) * 1.5
        values = np.column_stack([x, x + 100, np.ones(9)])
        pd.DataFrame(values, index=frames, columns=columns).to_csv(path)
    else:
        path = unpacked(f"dlc_rows_missing_{kind}.h5.gz", tmp_path)
    expected = np.where(np.arange(2, 12) == 6, np.nan, np.arange(2, 12) * 1.5)
    found = read_deeplabcut(path, cm_per_pixel=1.0, rate=10.0)
    np.testing.assert_array_equal(found.xy[:, 0], expected)
    np.testing.assert_array_equal(found.xy[:, 1], expected + 100)
    np.testing.assert_array_equal(found.time, np.arange(2, 12) / 10)
    time = np.arange(14) * 0.1 + 3
    found = read_deeplabcut(path, cm_per_pixel=1.0, time=time)
    np.testing.assert_array_equal(found.time, time[2:12])
    np.testing.assert_array_equal(found.xy[:, 0], expected)
    for size in (9, 11, 40):
        with pytest.raises(ValueError, match="the time of every frame of the video"):
            read_deeplabcut(path, cm_per_pixel=1.0, time=np.arange(size) / 10)


def dlc_text(index, coords=("x", "y", "likelihood")):
    head = [["scorer"] + ["net"] * len(coords), ["bodyparts"] + ["nose"] * len(coords)]
    head.append(["coords", *coords])
    rows = [[str(n), *(str(i * 10 + k) for k in range(len(coords)))] for i, n in enumerate(index)]
    return "\n".join(",".join(row) for row in [*head, *rows]) + "\n"


def test_read_deeplabcut__empty_frame_numbers(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(dlc_text(["", 4, "", 6, 9, ""]))
    found = read_deeplabcut(path, cm_per_pixel=1.0, rate=1.0)
    np.testing.assert_array_equal(found.time, np.arange(3, 11))
    np.testing.assert_array_equal(found.xy[:, 0], [0, 10, 20, 30, np.nan, np.nan, 40, 50])
    bad = {
        ("", 4, "", 8): "the frame number of row 2 is empty",
        ("", ""): "no frame numbers",
        (3, 4, 4): "frame 4 twice",
        (0.5, 1): "expected frame numbers",
        ("labeled-data/v/img0001.png", "labeled-data/v/img0007.png"): "single pictures, no track",
    }
    for index, message in bad.items():
        path.write_text(dlc_text(index))
        with pytest.raises(ValueError, match=message):
            read_deeplabcut(path, cm_per_pixel=1.0, rate=1.0)


def test_read_deeplabcut__three_dimensions_have_no_likelihood(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(dlc_text(range(3), ("x", "y", "z")))
    with pytest.raises(ValueError, match="three-dimensional .x, y, z.: say which two axes"):
        read_deeplabcut(path, cm_per_pixel=1.0, rate=1.0)
    found = read_deeplabcut(path, cm_per_pixel=2.0, rate=1.0, axes=["x", "z"])
    assert found.xy.tolist() == [[0, 4], [20, 24], [40, 44]]
    for axes, message in ((["x", "w"], "no w"), (["x", "x"], "no two axes"), (["x"], "two axes")):
        with pytest.raises(ValueError, match=message):
            read_deeplabcut(path, cm_per_pixel=2.0, rate=1.0, axes=axes)
    path.write_text(dlc_text(range(3), ("x", "y")))
    assert read_deeplabcut(path, cm_per_pixel=1.0, rate=1.0).xy.tolist()[2] == [20, 21]
    with pytest.raises(ValueError, match="no likelihood, so min_likelihood means nothing"):
        read_deeplabcut(path, cm_per_pixel=1.0, rate=1.0, min_likelihood=0.9)


# SLEAP


def test_read_sleap__analysis_csv(tmp_path):
    options = {"cm_per_pixel": 0.5, "rate": 10.0, "node": "nose"}
    path = FIXTURES / "sleap_analysis.csv"
    found = read_sleap(path, track="m1", **options)
    frames = np.arange(5, 12)
    expected = np.where(frames == 8, np.nan, frames * 5.0)
    np.testing.assert_array_equal(found.xy[:, 0], expected)
    np.testing.assert_array_equal(found.time, frames / 10)
    other = read_sleap(path, track="m2", **options)
    assert np.flatnonzero(np.isnan(other.xy[:, 0])).tolist() == [1, 3]
    body = options | {"node": "body", "min_score": 0.5}
    assert np.isnan(read_sleap(path, track="m2", **body).xy).all()
    with pytest.raises(ValueError, match="several tracks; name one of m1, m2"):
        read_sleap(path, **options)
    (tmp_path / "a.csv").write_text("t,x\n0,1\n1,2\n")
    with pytest.raises(ValueError, match="no analysis CSV of SLEAP"):
        read_sleap(tmp_path / "a.csv", **options)


def test_read_sleap__tracks(tmp_path):
    path = unpacked("sleap.h5.gz", tmp_path)
    with h5py.File(path) as file:
        expected = file["tracks"][0, :, 1].T
    found = read_sleap(path, node="body", track="m1", cm_per_pixel=0.5, rate=20.0)
    np.testing.assert_array_equal(found.xy, expected * 0.5)
    assert np.flatnonzero(np.isnan(found.xy[:, 0])).tolist() == [5]
    sure = read_sleap(path, node="body", track="m1", cm_per_pixel=0.5, rate=20.0, min_score=0.5)
    assert np.isnan(sure.xy[10:]).all() and not np.isnan(sure.xy[:5]).any()
    nose = read_sleap(path, node="nose", track="m2", cm_per_pixel=0.5, rate=20.0)
    assert np.flatnonzero(np.isnan(nose.xy[:, 0])).tolist() == [7]


def test_read_sleap__says_when_the_first_frame_is_not_known(tmp_path):
    path = unpacked("sleap.h5.gz", tmp_path)
    options = {"node": "body", "track": "m1", "cm_per_pixel": 0.5}
    found = read_sleap(path, rate=20.0, **options)
    (finding,) = found.findings
    assert finding.name == "first_frame" and finding.severity == "warns"
    told = read_sleap(path, rate=20.0, first_frame=0, **options)
    assert told.findings == () and told.time[0] == 0
    later = read_sleap(path, rate=20.0, first_frame=300, **options)
    np.testing.assert_array_equal(later.time, (np.arange(20) + 300) / 20)
    np.testing.assert_array_equal(later.xy, told.xy)
    own = read_sleap(path, time=np.arange(20) / 20 + 15, **options)  # of the file's own frames
    assert own.findings == () and own.time[0] == 15
    video = np.arange(23) / 10  # of every frame of the video
    with pytest.raises(ValueError, match=r"has 20 frames, but its clock 23: .*first_frame"):
        read_sleap(path, time=video, **options)
    placed = read_sleap(path, time=video, first_frame=2, **options)
    np.testing.assert_array_equal(placed.time, video[2:22])
    for wrong in (-1, 1.5, True, "?"):
        with pytest.raises(ValueError, match="first_frame is .* expected a whole number from 0"):
            read_sleap(path, rate=20.0, first_frame=wrong, **options)


def test_read_sleap__a_file_that_is_cut_at_the_first_labelled_frame(tmp_path):
    whole = read_sleap(unpacked("sleap_whole.h5.gz", tmp_path), cm_per_pixel=1.0, rate=10.0)
    assert whole.findings == () and len(whole.time) == 20
    assert np.flatnonzero(np.isfinite(whole.xy[:, 0])).tolist() == list(range(6, 17))
    cut = unpacked("sleap_cut.h5.gz", tmp_path)
    with pytest.raises(ValueError, match=r"has 14 frames, but its video 20: .*first_frame"):
        read_sleap(cut, cm_per_pixel=1.0, rate=10.0)
    found = read_sleap(cut, cm_per_pixel=1.0, rate=10.0, first_frame=6)
    np.testing.assert_array_equal(found.time, whole.time[6:])
    np.testing.assert_array_equal(found.xy, whole.xy[6:])


def test_read_sleap__any_order_of_dimensions(tmp_path):
    options = {"node": "nose", "track": "m2", "cm_per_pixel": 1.0, "rate": 20.0, "min_score": 0.5}
    one = read_sleap(unpacked("sleap.h5.gz", tmp_path), **options)
    other = read_sleap(unpacked("sleap_standard.h5.gz", tmp_path), **options)
    np.testing.assert_array_equal(one.xy, other.xy)


def test_read_sleap__faults(tmp_path):
    path = unpacked("sleap.h5.gz", tmp_path)
    with pytest.raises(ValueError, match="several nodes; name one of nose, body"):
        read_sleap(path, track="m1", cm_per_pixel=1.0, rate=20.0)
    with pytest.raises(ValueError, match="has no clock"):
        read_sleap(path, node="nose", track="m1", cm_per_pixel=1.0)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["labels"] = np.ones(3)
    with pytest.raises(ValueError, match="no variable 'node_names'"):
        read_sleap(tmp_path / "a.h5", cm_per_pixel=1.0, rate=20.0)


# CellReg


MAP = np.array([[1, 2, 0], [2, 0, 1], [0, 1, 2], [3, 3, 3]])


@pytest.mark.parametrize("version", ["5", "7.3"])
@pytest.mark.parametrize("struct", [True, False])
def test_read_cellreg__both_versions(tmp_path, version, struct):
    path = tmp_path / "cellRegistered.mat"
    scores = np.array([0.9, 0.8, 0.7, 1.0])
    if version == "5":
        values = {"cell_to_index_map": MAP.astype("u2"), "cell_scores": scores[:, None]}
        scipy.io.savemat(path, {"cell_registered_struct": values} if struct else values)
    else:
        with h5py.File(path, "w", userblock_size=512) as file:
            group = file.create_group("cell_registered_struct") if struct else file
            if struct:
                group.attrs["MATLAB_class"] = np.bytes_("struct")
            for name, array in (("cell_to_index_map", MAP), ("cell_scores", scores[:, None])):
                group[name] = array.T.astype(float)
                group[name].attrs["MATLAB_class"] = np.bytes_("double")
        header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
        with path.open("r+b") as file:
            file.write(header)
    found = read_cellreg(path)
    assert found.table.tolist() == (MAP - 1).tolist()
    if struct or version == "5":
        assert (found.score is None) == (not struct)
    activity = Activity(kind="spikes", source="a", times=[np.array([1.0])] * 3)
    assert registered_ids(found, 1, activity)[0].tolist() == [2, 0, 3]


def test_read_cellreg__another_file(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"b": 1})
    with pytest.raises(ValueError, match="holds no cell_to_index_map, but b"):
        read_cellreg(tmp_path / "a.mat")


# track2p


def test_read_track2p__numbers_of_rois(tmp_path):
    table = np.array([[0, 4], [2, np.nan]])
    np.save(tmp_path / "plane0_suite2p_indices_nan.npy", table)
    found = read_track2p(tmp_path)
    assert found.table.tolist() == [[0, 4], [2, -1]] and found.refers_to == "source"


def test_read_track2p__numbers_of_cells_in_a_pickle(tmp_path):
    (tmp_path / "track2p").mkdir()
    table = np.array([[0, 2], [1, None]], dtype=object)
    np.save(tmp_path / "track2p" / "plane0_match_mat.npy", table, allow_pickle=True)
    found = read_track2p(tmp_path)
    assert found.table.tolist() == [[0, 2], [1, -1]] and found.refers_to == "kept"
    plane, _ = suite2p_folder(tmp_path, ops={"fs": 20.0})
    ids, _ = registered_ids(found, 1, read_suite2p(plane))
    assert ids.tolist() == [-1, -1, 0]  # the third cell is ROI 4
    with pytest.raises(FileNotFoundError, match="plane1"):
        read_track2p(tmp_path, plane=1)
