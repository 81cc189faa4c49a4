"""Nodes that were computed before are found again, and never where something has changed."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
import xarray as xr

from neurodrift import NodeCache, analyze, open_recording, save_recording, testing
from neurodrift.analysis._sharing import shared_work
from neurodrift.analysis.analyze import analyze as analyze_
from neurodrift.analysis.cache import Keeper, code_key, recording_key
from neurodrift.analysis.nodes.table import NODES
from neurodrift.analysis.nodes.work import Work

FAST = {"n_repeats": 10, "n_draws": 5}


class Counting(dict):
    """A cache that knows what was computed."""

    def __init__(self):
        super().__init__()
        self.computed = 0

    def __setitem__(self, key, node):
        self.computed += 1
        super().__setitem__(key, node)


@pytest.fixture(scope="module")
def recording():
    return testing.linear_track(n_units=8, n_sessions=3, minutes=3)


@pytest.fixture(scope="module")
def results(recording):
    return analyze(recording, **FAST)


def same(one: xr.DataTree, other: xr.DataTree) -> None:
    assert list(one.children) == list(other.children)
    assert one.attrs == other.attrs
    for name in one.children:
        a, b = one[name].to_dataset(inherit=False), other[name].to_dataset(inherit=False)
        xr.testing.assert_identical(a, b)
        assert {v: a[v].dtype for v in a.variables} == {v: b[v].dtype for v in b.variables}


def test_cache__gives_the_same_results_from_disk_and_from_memory(recording, results, tmp_path):
    for cache in (NodeCache(tmp_path / "cache"), {}):
        same(analyze(recording, cache=cache, **FAST), results)
        same(analyze(recording, cache=cache, **FAST), results)
    assert len(NodeCache(tmp_path / "cache")) == len(results.children)


def test_cache__computes_nothing_twice(recording):
    cache = Counting()
    analyze(recording, cache=cache, **FAST)
    first = cache.computed
    analyze(recording, cache=cache, **FAST)
    assert first == len(NODES) and cache.computed == first


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"alpha": 0.01}, {"maps", "information", "sparsity", "half_maps"}),
        ({"null": "circular"}, {"maps", "information", "half_maps"}),
        ({"bin_width": 8.0}, {"sparsity", "lag"}),
        ({"slopes": "ols"}, {n.name for n in NODES} - {"regression"}),
        ({"seed": 1}, {"maps", "sparsity", "half_maps", "lag"}),
        ({"match": "time"}, {"maps", "place_cells", "cross_fitted"}),
    ],
)
def test_cache__a_changed_option_costs_what_follows_from_it(recording, change, kept, monkeypatch):
    cache: dict = {}
    analyze(recording, cache=cache, **FAST)
    computed = []
    found = Keeper.node

    def node(self, node, work):
        before = len(cache)
        result = found(self, node, work)
        computed.extend([node.name] * (len(cache) > before))
        return result

    monkeypatch.setattr(Keeper, "node", node)
    changed = analyze(recording, cache=cache, **FAST, **change)
    assert computed and not kept & set(computed)
    same(changed, analyze(recording, **FAST, **change))


def test_cache__other_recordings_are_other_recordings(recording, tmp_path):
    moved = recording.assign(activity=recording["activity"].roll(time=1, roll_coords=False))
    named = recording.assign_attrs(note="another")
    keys = {recording_key(r) for r in (recording, moved, named, recording.isel(unit=[0, 1]))}
    assert len(keys) == 4
    assert recording_key(recording.copy(deep=True)) in keys


def test_cache__stores_are_known_by_what_was_written(recording, tmp_path):
    path = save_recording(recording, tmp_path / "m.zarr")
    first = recording_key(open_recording(path))
    assert recording_key(open_recording(path)) == first
    changed = recording.assign(activity=recording["activity"] * 2)
    save_recording(changed, path, overwrite=True)
    assert recording_key(open_recording(path)) != first


@pytest.mark.filterwarnings("ignore:.*no manifest", "ignore:.*Zarr V3 specification")
def test_cache__stores_without_a_manifest_are_never_the_same(recording, tmp_path):
    path = tmp_path / "plain.zarr"
    recording.assign(activity=recording["activity"].chunk(time=600)).to_zarr(
        path, zarr_format=3, consolidated=False
    )
    assert recording_key(open_recording(path)) != recording_key(open_recording(path))


def test_cache__a_damaged_node_is_computed_again(recording, results, tmp_path):
    cache = NodeCache(tmp_path)
    analyze(recording, cache=cache, **FAST)
    chunks = sorted(p for p in tmp_path.rglob("c/*") if p.is_file())
    assert chunks
    for chunk in chunks[:40]:
        chunk.write_bytes(b"no longer what it was")
    same(analyze(recording, cache=cache, **FAST), results)


def test_cache__keys_are_the_code_as_well(recording, monkeypatch):
    cache = Counting()
    analyze(recording, measures=["sparsity"], cache=cache)
    monkeypatch.setattr("neurodrift.analysis.cache.code_key", lambda: "another version")
    analyze(recording, measures=["sparsity"], cache=cache)
    assert cache.computed == 2
    assert len(code_key()) == 64


def test_cache__refuses_what_is_no_key(tmp_path):
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        NodeCache(tmp_path).get("../outside")


def test_nodes__declare_every_option_that_they_read(recording):
    """A node that read an option in silence would be taken from the cache when it has changed."""
    options = {f.name for f in fields(Work)} - {"recording", "nodes", "used"}
    read: set[str] = set()

    class Watched(Work):
        def __getattribute__(self, name):
            if name in options:
                read.add(name)
            return super().__getattribute__(name)

    work = None

    def watch(self, node, given):
        nonlocal work
        if work is None:
            work = Watched(**{f.name: getattr(given, f.name) for f in fields(Work)})
        for name in ("halves", "laps", "split", "has_rates"):
            work.__dict__.pop(name, None)  # each node looks for itself
        read.clear()
        found = node.compute(work).compute()
        used = set(node.uses) if not node.gathers else {n.name for n in NODES}
        assert read <= set(node.options), f"{node.name} reads {read - set(node.options)}"
        work.nodes[node.name] = given.nodes[node.name] = found
        assert used <= {n.name for n in NODES}
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keeper, "node", watch)
        analyze_(recording, **FAST)


def test_nodes__declare_every_node_that_they_use(recording):
    class Watching(dict):
        seen: set[str] = set()  # noqa: RUF012

        def __getitem__(self, key):
            self.seen.add(key)
            return super().__getitem__(key)

        def __contains__(self, key):
            self.seen.add(key)
            return super().__contains__(key)

        def get(self, key, default=None):
            self.seen.add(key)
            return super().get(key, default)

    def watch(self, node, given):
        if not isinstance(given.nodes, Watching):
            given.nodes = Watching(given.nodes)
        Watching.seen = set()
        found = node.compute(given).compute()
        if not node.gathers:
            undeclared = Watching.seen - set(node.uses)
            assert not undeclared, f"{node.name} uses {undeclared}"
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keeper, "node", watch)
        analyze_(recording, **FAST)


def test_recording_key__is_the_same_in_another_process(recording, tmp_path):
    import subprocess
    import sys

    path = save_recording(recording, tmp_path / "m.zarr")
    code = (
        "import sys, neurodrift as nd\n"
        "from neurodrift.analysis.cache import recording_key, code_key\n"
        "print(recording_key(nd.open_recording(sys.argv[1])), code_key())"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == [recording_key(open_recording(path)), code_key()]


def test_shared_work__changes_no_number(recording):
    options = [
        {"null": "circular", "alpha": 0.05},
        {"null": "circular", "alpha": 0.01},
        {"null": "lap", "combine": "any"},
        {"match": "time", "alpha": 0.01},
    ]
    alone = [analyze(recording, **FAST, **o) for o in options]
    with shared_work():
        together = [analyze(recording, **FAST, **o) for o in options]
    for one, other in zip(alone, together, strict=True):
        same(one, other)


def test_shared_work__does_once_what_is_the_same(recording, monkeypatch):
    import neurodrift.analysis.place_cells._tests as tests

    calls = []
    real = tests.fit_null

    def counted(*args, **kwargs):
        calls.append(1)
        return real(*args, **kwargs)

    monkeypatch.setattr(tests, "fit_null", counted)
    with shared_work():
        for alpha in (0.05, 0.01, 0.001):
            analyze(recording, measures=["place_cells"], alpha=alpha)
    once = len(calls)
    assert once == recording.sizes["session"] * 2
    analyze(recording, measures=["place_cells"])
    assert len(calls) == 2 * once


def test_shared_work__ends_with_its_block(recording):
    from neurodrift.analysis import _sharing

    with shared_work():
        analyze(recording, measures=["place_cells"])
        assert _sharing._known.get()
    assert _sharing._known.get() is None


def test_parameters__tell_null_and_combine(recording):
    found = analyze(recording, measures=["place_cells"], null="circular", combine="any")
    parameters = json.loads(found.attrs["parameters"])
    assert (parameters["null"], parameters["combine"]) == ("circular", "any")
    assert found["place_cells"].attrs["null"] == "circular"
    with pytest.raises(ValueError, match="null"):
        analyze(recording, null="nothing")
