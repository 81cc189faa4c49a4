"""Probabilities of matches: chosen by a threshold, kept for every pair, held against the units."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pynwb
import pytest
import scipy.io
import scipy.sparse

from neurodrift import import_nwb
from neurodrift.convert.own.arrays import convert
from neurodrift.convert.own.inspection import inspect_file
from neurodrift.convert.pipelines.cellreg import read_cellreg
from neurodrift.convert.pipelines.pairs import registration_from_pairs
from neurodrift.convert.pipelines.registration import Pairs, Registration, registered_ids
from neurodrift.convert.pipelines.roicat import read_roicat
from neurodrift.convert.pipelines.unitmatch import read_unitmatch
from neurodrift.gate.inputs import Activity
from neurodrift.io.arrays.sparse import read_sparse

FIXTURES = Path(__file__).parents[1] / "fixtures"
UNITMATCH = FIXTURES / "unitmatch"


def partition(registration):
    """Sets of (session, row) that are one unit."""
    rows = [[(s, int(u)) for s, u in enumerate(row) if u >= 0] for row in registration.table]
    return sorted(map(sorted, rows))


def pairs_of(matrix, session):
    """Pairs of units that are numbered through, from a square matrix."""
    session = np.asarray(session)
    row = np.concatenate([np.arange((session == s).sum()) for s in np.unique(session)])
    one, other = np.nonzero(session[:, None] < session[None])
    unit = np.column_stack([session, row])
    return Pairs(first=unit[one], second=unit[other], probability=matrix[one, other])


# --- the threshold


def test_registration_from_pairs__by_hand():
    # units a, b | c, d | e of three sessions
    p = np.zeros((5, 5))
    p[0, 2], p[1, 3], p[2, 4], p[0, 4], p[1, 2] = 0.9, 0.8, 0.7, 0.2, 0.95
    units = [np.arange(2), np.arange(2), np.arange(1)]
    pairs = pairs_of(p, [0, 0, 1, 1, 2])

    def found(**options):
        return partition(registration_from_pairs(pairs, units, **options))

    # b-c is the most probable, so neither a-c nor b-d is possible any more
    assert found(min_probability=0.5, matching="liberal") == [
        [(0, 0)],
        [(0, 1), (1, 0), (2, 0)],
        [(1, 1)],
    ]
    assert found(min_probability=0.5) == found(min_probability=0.5, matching="liberal")
    # b-e is not listed: with every pair asked for, c-e joins nothing
    assert [(2, 0)] in found(min_probability=0.5, matching="conservative")
    assert found(min_probability=0.96) == [[(0, 0)], [(0, 1)], [(1, 0)], [(1, 1)], [(2, 0)]]


@pytest.mark.parametrize("matching", ["conservative", "intermediate", "liberal"])
def test_registration_from_pairs__laws(matching):
    rng = np.random.default_rng(0)
    for _ in range(20):
        sizes = rng.integers(1, 6, 4)
        session = np.repeat(np.arange(4), sizes)
        matrix = rng.random((session.size, session.size))
        pairs = pairs_of(matrix, session)
        units = [np.arange(n) for n in sizes]
        made = registration_from_pairs(pairs, units, min_probability=0.4, matching=matching)
        groups = partition(made)
        assert sorted(itertools.chain(*groups)) == [
            (s, u) for s, n in enumerate(sizes) for u in range(n)
        ]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        for group, row in zip(
            [[(s, int(u)) for s, u in enumerate(r) if u >= 0] for r in made.table],
            made.score,
            strict=True,
        ):
            assert len({s for s, _ in group}) == len(group)
            at = [starts[s] + u for s, u in group]
            for i, (s, _) in zip(at, group, strict=True):
                others = [matrix[min(i, j), max(i, j)] for j in at if j != i]
                assert np.isclose(row[s], np.mean(others)) if others else np.isnan(row[s])
            if matching == "conservative":
                assert all(matrix[i, j] >= 0.4 for i, j in itertools.combinations(at, 2))


def test_registration_from_pairs__refuses():
    pairs = pairs_of(np.zeros((2, 2)), [0, 1])
    with pytest.raises(ValueError, match="min_probability is 0"):
        registration_from_pairs(pairs, [np.arange(1)] * 2, min_probability=0)
    with pytest.raises(ValueError, match="matching is 'any'"):
        registration_from_pairs(pairs, [np.arange(1)] * 2, min_probability=1, matching="any")
    one = np.array([[0, 0]])
    with pytest.raises(ValueError, match="not all from 0 to 1"):
        Pairs(first=one, second=one + 1, probability=np.array([1.2]))
    with pytest.raises(ValueError, match="earlier and a later"):
        Pairs(first=one, second=one, probability=np.array([0.2]))


# --- UnitMatch


@pytest.mark.parametrize(
    ("matching", "column"), [("conservative", "UID Cons 1"), ("intermediate", "UID 1")]
)
def test_read_unitmatch__equals_its_own_units(matching, column):
    table = pd.read_csv(UNITMATCH / "MatchTable.csv").drop_duplicates(["RecSes 1", "ID1"])
    groups = table.groupby(column)
    theirs = [
        sorted(zip(g["RecSes 1"].astype(int) - 1, g["ID1"].astype(int), strict=True))
        for _, g in groups
    ]
    assert partition(read_unitmatch(UNITMATCH, matching=matching)) == sorted(theirs)


def test_read_unitmatch__keeps_every_pair():
    pairs = read_unitmatch(UNITMATCH, min_probability=0.9).pairs
    table = pd.read_csv(UNITMATCH / "MatchTable.csv").astype(float)
    table = table[table["RecSes 1"] != table["RecSes 2"]]
    lower = {}
    for s1, u1, s2, u2, p in table[
        ["RecSes 1", "ID1", "RecSes 2", "ID2", "UM Probabilities"]
    ].itertuples(index=False):
        key = tuple(sorted([(int(s1) - 1, int(u1)), (int(s2) - 1, int(u2))]))
        lower[key] = min(p, lower.get(key, 1))
    found = {
        (tuple(a), tuple(b)): p
        for a, b, p in zip(
            pairs.first.tolist(), pairs.second.tolist(), pairs.probability.tolist(), strict=True
        )
    }
    assert found.keys() == lower.keys() and len(found) > 70
    assert all(np.isclose(found[key], lower[key]) for key in found)


def test_read_unitmatch__units_of_one_session_are_never_one():
    liberal = read_unitmatch(UNITMATCH, matching="liberal", min_probability=0.01)
    assert all(len({s for s, _ in g}) == len(g) for g in partition(liberal))


def test_read_unitmatch__faults(tmp_path):
    with pytest.raises(FileNotFoundError, match="is it the output of UnitMatch"):
        read_unitmatch(tmp_path)
    shutil.copytree(UNITMATCH, tmp_path / "um")
    np.save(tmp_path / "um" / "MatchProb.npy", np.zeros((3, 3)))
    with pytest.raises(ValueError, match=r"shape \(3, 3\) .* as ClusInfo.pickle has 16 units"):
        read_unitmatch(tmp_path / "um")
    info = {"session_id": np.array([0, 0]), "original_ids": np.array([[4], [4]])}
    (tmp_path / "um" / "ClusInfo.pickle").write_bytes(pickle.dumps(info))
    with pytest.raises(ValueError, match="a cluster of a session twice"):
        read_unitmatch(tmp_path / "um")
    info = {"session_id": np.array([0, 2**40]), "original_ids": np.array([[4], [2**50]])}
    (tmp_path / "um" / "ClusInfo.pickle").write_bytes(pickle.dumps(info))
    with pytest.raises(ValueError, match="numbers its sessions up to 1099511627776"):
        read_unitmatch(tmp_path / "um")
    (tmp_path / "um" / "ClusInfo.pickle").write_bytes(pickle.dumps({"session_id": [1]}))
    with pytest.raises(ValueError, match="holds no session_id"):
        read_unitmatch(tmp_path / "um")


def test_read_unitmatch__the_pickle_is_never_run(tmp_path):
    class Harmful:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "was_run",))

    shutil.copytree(UNITMATCH, tmp_path / "um")
    told = pickle.loads((UNITMATCH / "ClusInfo.pickle").read_bytes())
    (tmp_path / "um" / "ClusInfo.pickle").write_bytes(pickle.dumps({**told, "x": Harmful()}))
    assert read_unitmatch(tmp_path / "um").table.shape[1] == 4
    assert not (tmp_path / "was_run").exists()


def phy_of(folder, clusters, rng):
    folder.mkdir()
    n = 400 * len(clusters)
    np.save(folder / "spike_times.npy", np.sort(rng.choice(120 * 30000, n, replace=False)))
    np.save(folder / "spike_clusters.npy", rng.permutation(np.repeat(clusters, 400)))
    (folder / "params.py").write_text("sample_rate = 30000.\n")
    rows = "".join(f"{c}\tgood\n" for c in clusters)
    (folder / "cluster_group.tsv").write_text(f"cluster_id\tgroup\n{rows}")


def test_convert__unitmatch_of_phy_reaches_the_recording(tmp_path):
    rng = np.random.default_rng(1)
    registration = read_unitmatch(UNITMATCH)
    time = np.arange(2400) / 20
    for s in range(4):
        clusters = registration.table[:, s]
        phy_of(tmp_path / f"day{s}", clusters[clusters >= 0], rng)
    shutil.copytree(UNITMATCH, tmp_path / "um")
    pd.DataFrame({"t": time, "x": 50 + 45 * np.sin(time / 4)}).to_csv(tmp_path / "p.csv")
    (tmp_path / "map.yaml").write_text(
        "subject: {id: m1}\nenvironment: track\n"
        "activity: {reader: phy, file: 'day{session}'}\n"
        "position: {file: p.csv, x: x, unit: cm, time: t}\n"
        "registration: {reader: unitmatch, file: um, options: {min_probability: 0.5}}\n"
        "sessions: [{session: 0}, {session: 1}, {session: 2}, {session: 3}]\n"
    )
    files = convert(tmp_path / "map.yaml", tmp_path / "nwb")
    found = import_nwb(files)
    np.testing.assert_array_equal(found["detected"], (registration.table >= 0).T)
    np.testing.assert_allclose(found["registration_score"], registration.score.T)
    with pynwb.NWBHDF5IO(files[1], "r") as file:
        table = file.read().analysis["registration_pairs"].to_dataframe()
        about = file.read().analysis["registration_pairs"]["other_session"].description
    row, other, other_row, probability = registration.pairs.of_session(1)
    assert len(table) == 5 * 11 and "0 = 0, 1 = 1" in about
    np.testing.assert_array_equal(table["source_row"], row)
    np.testing.assert_array_equal(table["other_session"], other)
    np.testing.assert_array_equal(table["other_row"], other_row)
    np.testing.assert_array_equal(table["probability"], probability)


# --- ROICaT


@pytest.fixture(params=["zip", "folder"])
def roicat(tmp_path, request):
    """What ROICaT left: its clusters, and the similarities of pairs."""
    folder = tmp_path / "roicat"
    folder.mkdir()
    shutil.copy(FIXTURES / "roicat" / "mouse.tracking.results_clusters.json", folder)
    name = "mouse.tracking.run_data.richfile"
    packed = (FIXTURES / "roicat" / f"{name}.zip.gz").read_bytes()
    if request.param == "zip":
        (folder / f"{name}.zip").write_bytes(gzip.decompress(packed))
    else:
        with zipfile.ZipFile(io.BytesIO(gzip.decompress(packed))) as archive:
            archive.extractall(folder / name)
    return folder


CLUSTERS = [[0, 1, 2], [1, 0, 3], [2, 2, 0], [3, -1, 1], [-1, 3, 4]]
SIMILARITY = "clusterer.dict_item/value.dict/sConj.dict_item/value.npz"


def test_read_roicat__its_clusters(roicat):
    found = read_roicat(roicat)
    assert found.table.tolist() == CLUSTERS
    assert found.n_units.tolist() == [5, 4, 6]
    told = json.loads((roicat / "mouse.tracking.results_clusters.json").read_text())
    means = told["quality_metrics"]["cluster_intra_means"][1:]
    np.testing.assert_allclose(np.nanmean(found.score, axis=1), means, rtol=1e-6)
    # all pairs that ROICaT kept, of different sessions
    assert found.pairs.probability.size == 55
    assert (found.pairs.first[:, 0] < found.pairs.second[:, 0]).all()


def test_read_roicat__a_threshold_makes_them_anew(roicat):
    found = read_roicat(roicat, min_similarity=0.5)
    assert [row for row in found.table.tolist() if sum(u >= 0 for u in row) > 1] == CLUSTERS
    assert len(read_roicat(roicat, min_similarity=1.0).table) == 15
    many = read_roicat(roicat, min_similarity=0.1, matching="liberal")
    assert len(many.table) < 7


def test_read_roicat__rois_of_low_silhouette_are_not_tracked(roicat):
    found = read_roicat(roicat, min_silhouette=0.75)
    assert found.table.tolist() == [[0, 1, 2], [1, 0, 3], [-1, -1, 0], [3, -1, 1], [-1, 3, 4]]
    with pytest.raises(ValueError, match="give one"):
        read_roicat(roicat, min_silhouette=0.75, min_similarity=0.5)


def test_read_roicat__without_the_pairs(roicat):
    for path in roicat.iterdir():
        if "run_data" in path.name:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    found = read_roicat(roicat / "mouse.tracking.results_clusters.json")
    assert found.table.tolist() == CLUSTERS and found.pairs is None
    assert found.score.shape == (5,) and np.isclose(found.score[0], 0.8798543810844421)
    with pytest.raises(FileNotFoundError, match=r"there is no mouse.tracking.run_data.richfile or"):
        read_roicat(roicat, min_similarity=0.5)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"labels": []}, "holds no labels_bySession"),
        ({"labels_bySession": [[0, 0], [1]]}, "several ROIs of session 1"),
        ({"labels_bySession": [[0.5], [1]]}, "more than lists of whole numbers"),
        ({"labels_bySession": [[900], [1]]}, "up to 900, more than its ROIs"),
        ({"labels_bySession": []}, "holds no sessions"),
        ([], "holds no labels_bySession"),
    ],
)
def test_read_roicat__faults(tmp_path, told, expected):
    path = tmp_path / "a.tracking.results_clusters.json"
    path.write_text(json.dumps(told))
    with pytest.raises(ValueError, match=expected):
        read_roicat(path)
    path.write_text("{")
    with pytest.raises(ValueError, match="is no JSON"):
        read_roicat(path)
    with pytest.raises(FileNotFoundError, match="holds 0 files"):
        read_roicat(FIXTURES / "unitmatch")


def test_read_roicat__pairs_of_other_rois(roicat):
    path = roicat / "mouse.tracking.results_clusters.json"
    path.write_text(json.dumps({"labels_bySession": [[0, 1], [1, 0]]}))
    with pytest.raises(ValueError, match=r"is of 15 ROIs, but the clusters are of 4"):
        read_roicat(roicat)


def test_registered_ids__made_of_other_units():
    table = np.array([[0, 0], [1, 2]])
    made = Registration(table=table, source="r.json", n_units=np.array([4, 3]))
    traces = np.random.default_rng(0).random((50, 3))
    activity = Activity(
        kind="deconvolved", source="suite2p", samples=traces, rows=np.array([0, 2, 3]), n_source=5
    )
    ids, findings = registered_ids(made, 0, activity)
    assert findings[0].stops and "is of 4 units, but suite2p has 5, of which 3" in findings[0].text
    ids, _ = registered_ids(made, 1, activity)  # of the three that were kept
    assert ids.tolist() == [0, -1, 1]


def test_inspect__knows_them(roicat):
    assert inspect_file(roicat).pipeline == "roicat"
    assert inspect_file(roicat / "mouse.tracking.results_clusters.json").pipeline == "roicat"
    assert inspect_file(UNITMATCH).pipeline == "unitmatch"


# --- sparse matrices


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
def test_read_sparse__every_format(tmp_path, form):
    dense = np.random.default_rng(0).random((4, 6)) * (np.arange(24).reshape(4, 6) % 3 == 0)
    scipy.sparse.save_npz(tmp_path / "a.npz", scipy.sparse.csr_array(dense).asformat(form))
    row, column, value, shape = read_sparse(tmp_path / "a.npz", "a")
    found = np.zeros(shape)
    found[row, column] = value
    np.testing.assert_array_equal(found, dense)


def test_read_sparse__a_huge_shape_costs_nothing(tmp_path):
    many = scipy.sparse.coo_array(([1.0], ([2**40], [3])), shape=(2**41, 2**41))
    scipy.sparse.save_npz(tmp_path / "a.npz", many)
    row, column, _, shape = read_sparse(tmp_path / "a.npz", "a")
    assert (row.tolist(), column.tolist(), shape) == ([2**40], [3], (2**41, 2**41))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"indices": np.array([9, 0])}, "outside of its 3 columns"),
        ({"indptr": np.array([0, 2, 1, 2])}, "its index does not fit"),
        ({"indptr": np.array([0, 1, 2])}, "its index does not fit"),
        ({"indices": np.array([0])}, "1 places for 2"),
        ({"shape": np.array([3])}, r"declares shape \[3\]"),
        ({"format": np.array(b"bsr")}, "of format 'bsr'"),
    ],
)
def test_read_sparse__damaged(tmp_path, change, expected):
    parts = {"format": np.array(b"csr"), "shape": np.array([3, 3]), "data": np.array([0.5, 1])}
    parts |= {"indices": np.array([1, 0]), "indptr": np.array([0, 1, 2, 2])}
    np.savez(tmp_path / "a.npz", **(parts | change))
    with pytest.raises(ValueError, match=expected):
        read_sparse(tmp_path / "a.npz", "a")


# --- CellReg


def test_read_cellreg__probabilities_of_pairs(tmp_path):
    index = np.array([[1, 2, 0], [2, 1, 3]])
    same = np.empty((2, 1), dtype=object)
    same[0, 0] = np.full((3, 3), np.nan)
    same[0, 0][0, 1] = same[0, 0][1, 0] = 0.9
    same[1, 0] = np.full((3, 3), np.nan)
    same[1, 0][0, 1], same[1, 0][0, 2], same[1, 0][1, 2] = 0.8, 0.7, 0.6  # one half only
    values = {"cell_to_index_map": index, "p_same_registered_pairs": same}
    scipy.io.savemat(tmp_path / "c.mat", {"cell_registered_struct": values})
    pairs = read_cellreg(tmp_path / "c.mat").pairs
    found = sorted(zip(pairs.first.tolist(), pairs.second.tolist(), pairs.probability, strict=True))
    assert found == [
        ([0, 0], [1, 1], 0.9),
        ([0, 1], [1, 0], 0.8),
        ([0, 1], [2, 2], 0.7),
        ([1, 0], [2, 2], 0.6),
    ]
