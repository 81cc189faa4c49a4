from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pynwb
import pytest
from scipy.io import savemat

from neurodrift.convert import converter
from neurodrift.convert.published import _hc6_source as source
from neurodrift.convert.published._hc6_source import linear_position, paths_of, trajectories
from neurodrift.convert.published.hc6 import convert
from neurodrift.geometry.arms import arms_of
from neurodrift.geometry.geometry import geometry_of
from neurodrift.io.nwb.inspect import inspect_nwb
from neurodrift.io.nwb.read import import_nwb, read_session
from neurodrift.kinematics import number_laps, running

RATE = 29.97
N = 900  # samples of an epoch
ZERO = 4000.0  # s, first sample of a day
EMPTY = {
    "0x0": lambda: np.zeros((0, 0)),
    "1x0": lambda: np.empty((1, 0), dtype=object),
    "nothing in a cell": lambda: cells({1: np.zeros((0, 0))}, 1),
}
FIVE = "time x y dir vel"
NINE = FIVE + " x-sm y-sm dir-sm vel-sm"
SPIKE_FIELDS = "time x y dir not_used amplitude(highest variance channel) posindex"
LEFT = np.array([[50.0, 10], [50, 90], [10, 90], [10, 10]])
RIGHT = np.array([[50.0, 10], [50, 90], [90, 90], [90, 10]])


def cells(items: dict[int, Any], n: int, empty: str = "0x0") -> np.ndarray:
    """A 1 x n cell; what is not given is empty."""
    made = np.empty((1, n), dtype=object)
    for i in range(n):
        made[0, i] = items.get(i + 1, EMPTY[empty]() if empty in EMPTY else None)
    return made


def clock(epoch: int) -> np.ndarray:
    return np.round(ZERO + 60 * (epoch - 1) + np.arange(N) / RATE, 4)  # ticks of 0.1 ms


def walk(epoch: int) -> np.ndarray:
    """(sample, 2) out to the left well, back, out to the right one and back."""
    route = np.concatenate([LEFT, LEFT[::-1][1:], RIGHT[1:], RIGHT[::-1][1:]])
    done = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(route, axis=0), axis=1))])
    at = np.linspace(0, done[-1], N)
    xy = np.column_stack([np.interp(at, done, route[:, k]) for k in range(2)])
    return xy + 0.01 * epoch


def pos(epoch: int, fields: str = NINE) -> dict[str, Any]:
    time, xy = clock(epoch), walk(epoch)
    speed = np.full(N, 20.0)
    raw = [time, xy[:, 0] + 1, xy[:, 1] - 1, np.zeros(N), speed + 1]
    smooth = {"x-sm": xy[:, 0], "y-sm": xy[:, 1], "dir-sm": np.zeros(N), "vel-sm": speed}
    smooth |= {"smooth-x": xy[:, 0], "smooth-y": xy[:, 1], "smooth-v": speed}
    smooth |= {"smooth-dir": np.full(N, 3.0)}
    named = fields.split()
    return {
        "arg": np.zeros((0, 0)),
        "descript": "position data",
        "fields": fields,
        "data": np.column_stack([*raw, *(smooth[name] for name in named[5:])]),
        "cmperpixel": 0.67,
    }


def spike_times(epoch: int, tetrode: int, cell: int) -> np.ndarray:
    rng = np.random.default_rng([epoch, tetrode, cell])
    return (
        np.round(np.sort(rng.choice(np.arange(1, 29_000), 60, replace=False) * 1e-3), 4)
        + clock(epoch)[0]
    )


def spikes(epoch: int, tetrode: int, cell: int, **changes: Any) -> dict[str, Any]:
    times = spike_times(epoch, tetrode, cell)
    data = np.column_stack([times, np.ones((60, 6))])
    start = clock(epoch)[0]
    fields = {
        "data": data,
        "descript": "spike data",
        "fields": SPIKE_FIELDS,
        "depth": np.array([[110.0]]),
        "spikewidth": 9.5,
        "timerange": np.array([[start, start + N / RATE]]) * 1e4,
    }
    return fields | changes


def task(kind: str, environment: Any = "TrackA", **more: Any) -> dict[str, Any]:
    paths = np.empty((1, 2), dtype=object)
    for i, path in enumerate((LEFT, RIGHT)):
        paths[0, i] = np.repeat(path[:, :, None], 3, axis=2)
    made: dict[str, Any] = {"type": kind}
    if kind == "run":
        made |= {"environment": environment, "linearcoord": paths}
    return made | more


class Fake:
    """A small rat in the layout of the data set, to be changed before it is written."""

    def __init__(self, name: str = "bon", day: int = 3, empty: str = "0x0") -> None:
        self.name, self.day, self.empty = name, day, empty
        self.pos = {1: pos(1, FIVE), 2: pos(2), 3: pos(3)}
        self.task: dict[int, Any] = {
            1: task("sleep", sleepnum=1),
            2: task("run", exposure=1, exposureday=1),
            3: task("run", "TrackB", exposure=1, exposureday=1),
        }
        # Tetrode 1 has one cell, tetrode 2 none, tetrode 3 a cell 2 that is not in epoch 3.
        self.spikes: dict[int, dict[int, dict[int, Any]]] = {
            e: {1: {1: spikes(e, 1, 1)}, 3: {1: spikes(e, 3, 1), 2: spikes(e, 3, 2)}}
            for e in (1, 2, 3)
        }
        del self.spikes[3][3][2]
        self.linpos: dict[int, Any] = {}
        self.cellinfo = {1: {1: "CA1"}, 3: {1: "CA3", 2: None}}
        self.tetinfo = {3: "CA1"}

    def write(self, root: Path, *, folder: str = "Bon", case: Callable[[str], str] = str) -> Path:
        path = root / folder
        path.mkdir(parents=True, exist_ok=True)
        sizes = {1: 1, 3: 2}
        nested = {
            e: cells(
                {t: cells(group, sizes[t], self.empty) for t, group in epoch.items()}, 3, self.empty
            )
            for e, epoch in self.spikes.items()
        }
        kinds = {
            "pos": cells(self.pos, 3, self.empty),
            "task": cells(self.task, 3, self.empty),
            "spikes": cells(nested, 3, self.empty),
        }
        if self.linpos:
            kinds["linpos"] = cells(self.linpos, 3, self.empty)
        for kind, value in kinds.items():
            whole = cells({self.day: value}, self.day, self.empty)
            savemat(path / f"{case(self.name)}{kind}{self.day:02d}.mat", {kind: whole})
        info = {
            t: cells(
                {
                    c: {"meanrate": 1.5, "numspikes": 60, "csi": 0.1} | ({"area": a} if a else {})
                    for c, a in group.items()
                },
                sizes[t],
            )
            for t, group in self.cellinfo.items()
        }
        epochs = cells({e: cells(info, 3) for e in (1, 2, 3)}, 3)
        savemat(
            path / f"{case(self.name)}cellinfo.mat",
            {"cellinfo": cells({self.day: epochs}, self.day)},
        )
        depth = np.empty((1, 1), dtype=object)
        depth[0, 0] = np.array([[120.0]])
        tets = cells({t: {"area": a, "depth": depth} for t, a in self.tetinfo.items()}, 3)
        epochs = cells({e: tets for e in (1, 2, 3)}, 3)
        savemat(
            path / f"{case(self.name)}tetinfo.mat", {"tetinfo": cells({self.day: epochs}, self.day)}
        )
        return path


def units(path: Path) -> Any:
    with pynwb.NWBHDF5IO(path, "r") as io:
        return io.read().units.to_dataframe()


def epochs(path: Path) -> Any:
    with pynwb.NWBHDF5IO(path, "r") as io:
        return io.read().epochs.to_dataframe()


# ---- what is written


@pytest.mark.parametrize("empty", EMPTY)
def test_convert__values_equal_the_source_whatever_is_empty(empty: str, tmp_path: Path) -> None:
    (path,) = convert(Fake(empty=empty).write(tmp_path), tmp_path / "out")
    assert path.name == "bon03.nwb" and converter("hc-6") is convert
    table = units(path)
    found = list(zip(table["tetrode"], table["cell"], strict=True))
    assert found == [(1, 1), (3, 1), (3, 2)]
    for (tetrode, cell), times in zip(found, table["spike_times"], strict=True):
        there = [e for e in (1, 2, 3) if (tetrode, cell) != (3, 2) or e < 3]
        wanted = np.concatenate([spike_times(e, tetrode, cell) for e in there]) - ZERO
        np.testing.assert_allclose(times, wanted, rtol=0, atol=1e-9)
    for n, times in zip((3, 3, 2), table["obs_intervals"], strict=True):
        assert times.shape == (n, 2)  # not recorded is not silent
        np.testing.assert_allclose(times[:, 0], 60.0 * np.arange(n), atol=1e-9)
        np.testing.assert_allclose(times[:, 1] - times[:, 0], N / RATE, rtol=1e-4)
    assert table["location"].tolist() == ["CA1", "CA3", "CA1"]  # the last one from tetinfo
    assert (table["registered_cell_id"] == -1).all()
    np.testing.assert_allclose(table["depth"], np.array([110, 120, 120]) * 0.0265)


def test_convert__recording_of_a_track_as_a_square(tmp_path: Path) -> None:
    files = convert(Fake().write(tmp_path), tmp_path / "out")
    with pytest.raises(ValueError, match=r"several environments \(TrackA, TrackB\).*--environment"):
        read_session(files[0], position="position")
    found = read_session(files[0], position="position", environment="TrackA")
    assert found.sizes["unit"] == 3 and found["session"].values.tolist() == ["1"]
    np.testing.assert_allclose(found["x"], walk(2)[:, 0])  # the smoothed columns
    np.testing.assert_allclose(found["y"], walk(2)[:, 1])
    np.testing.assert_allclose(found["speed"], 20.0)
    np.testing.assert_allclose(found["time"], clock(2) - ZERO)
    assert found["frame_duration"].mean().item() == pytest.approx(1 / RATE, rel=0.01)
    edges = np.append(clock(2), clock(2)[-1] + found["frame_duration"].values[-1])
    for unit, (tetrode, cell) in enumerate([(1, 1), (3, 1), (3, 2)]):
        counts, _ = np.histogram(spike_times(2, tetrode, cell), edges)
        np.testing.assert_array_equal(found["activity"][:, unit], counts)
    with pytest.warns(UserWarning, match="1 of 3 units were observed in a part"):
        second = read_session(files[0], position="position", environment="TrackB")
    assert second.sizes["unit"] == 2 and second["environment"].item() == "TrackB"
    (area,) = {
        read_session(files[0], position="position", environment="TrackA", region="CA3").sizes[
            "unit"
        ]
    }
    assert area == 1


def test_convert__recording_along_the_trajectories(tmp_path: Path) -> None:
    files = convert(Fake().write(tmp_path), tmp_path / "out")
    found = read_session(files[0], position="linear_position", environment="TrackA")
    x, direction = found["x"].values, found["direction"].values
    on = np.isfinite(x)
    assert 0.7 < on.mean() < 1 and not direction[~on].any()
    quarter = np.arange(N) * 4 // N
    shift = 200.0 + 50  # longest trajectory about 200 cm, and a gap, to the next 50 cm
    for i, (way, side) in enumerate([(1, 0), (-1, 0), (1, 1), (-1, 1)]):
        here = on & (quarter == i)
        assert (direction[here] == way).mean() > 0.98
        assert ((x[here] >= shift) == bool(side)).mean() > 0.98
    step = np.diff(x)[(np.diff(direction) == 0) & on[1:] & on[:-1] & (np.diff(quarter) == 0)]
    np.testing.assert_allclose(np.abs(step), 800 / (N - 1), rtol=0.3)


def test_convert__maze_of_the_task_is_a_geometry(tmp_path: Path) -> None:
    (path,) = convert(Fake().write(tmp_path), tmp_path / "out")
    with pynwb.NWBHDF5IO(path, "r") as io:
        epochs = io.read().epochs
        mazes = dict(zip(epochs["environment"].data[:], epochs["maze"].data[:], strict=True))
    assert "--geometry" in inspect_nwb([path]) and mazes[""] == ""
    found = read_session(path, position="position", environment="TrackA", geometry=mazes["TrackA"])
    assert "y" not in found
    arms = arms_of(geometry_of(found))
    np.testing.assert_allclose(arms.plane(found["x"].values), walk(2), atol=0.03)  # 0.01 cm beside
    found = number_laps(running(found))
    names = json.loads(found["trial_type"].attrs["names"])
    kinds = [k for k in dict.fromkeys(found["trial_type"].values.tolist()) if k >= 0]
    assert [names[k] for k in kinds][:3] == [
        "first side outbound",
        "first side inbound",
        "second side outbound",
    ]


def test_convert__trajectories_of_linpos_go_before(tmp_path: Path) -> None:
    fake = Fake()
    distance = np.abs(np.linspace(-150, 150, N))
    traj = np.where(np.arange(N) < 300, 2, np.where(np.arange(N) < 600, -1, 3))
    state = {"time": clock(2)[:, None], "lindist": distance[:, None], "traj": traj[:, None]}
    fake.linpos = {2: {"statematrix": state}}
    (path,) = convert(fake.write(tmp_path), tmp_path / "out")
    found = read_session(path, position="linear_position", environment="TrackA")
    wanted = np.where(traj == 2, distance, np.where(traj == 3, distance + 250, np.nan))
    np.testing.assert_array_equal(found["x"], wanted)
    np.testing.assert_array_equal(found["direction"], np.where(traj == 2, -1, traj == 3))


def test_convert__passes_inspector_and_schema(tmp_path: Path) -> None:
    from nwbinspector import Importance, inspect_nwbfile

    (path,) = convert(Fake().write(tmp_path), tmp_path / "out")
    assert pynwb.validate(path=str(path)) == []
    findings = inspect_nwbfile(nwbfile_path=str(path))
    bad = [f for f in findings if f.importance != Importance.BEST_PRACTICE_SUGGESTION]
    assert bad == []


# ---- pitfalls


def test_convert__days_join_by_exposure_and_never_by_cell(tmp_path: Path) -> None:
    """Prefixes of any case, a folder that Windows renamed, days that begin at 3."""
    for day in (3, 5):
        fake = Fake("con", day)
        fake.task[2] = task("run", exposure=day, exposureday=day - 2)
        fake.write(tmp_path, folder="Con_", case=str.capitalize)
    files = convert(tmp_path, tmp_path / "out")
    assert [path.name for path in files] == ["con03.nwb", "con05.nwb"]
    found = import_nwb(files, position="position", environment="TrackA")
    assert found["session"].values.tolist() == ["1", "3"] and found["day"].values.tolist() == [0, 2]
    assert found["unit"].values.tolist() == ["1:0", "1:1", "1:2", "3:0", "3:1", "3:2"]
    assert not found["registered"].any()
    assert (found["detected"].sum("session") == 1).all()


def test_convert__exposure_is_counted_where_it_is_not_told(tmp_path: Path) -> None:
    for day in (3, 4):
        fake = Fake(day=day)
        fake.task = {
            1: task("sleep"),
            2: task("run"),
            3: task("run", "TrackB" if day > 3 else "TrackA"),
        }
        fake.write(tmp_path)
    first, second = convert(tmp_path, tmp_path / "out")
    assert epochs(first)["exposure_day"].tolist() == [-1, 1, 1]
    assert epochs(second)["exposure_day"].tolist() == [-1, 2, 1]
    assert not epochs(second)["exposure_day_is_told"].any()
    assert epochs(first)["epoch_type"].tolist() == ["sleep", "run", "run"]


def test_convert__fields_of_pos(tmp_path: Path) -> None:
    fake = Fake()
    fake.pos[2] = pos(2, FIVE + " smooth-x smooth-y smooth-v smooth-dir")  # speed is column 8
    fake.pos[3] = pos(3, FIVE)
    fake.pos[3]["data"][7, 4] = np.nan  # velocity
    fake.pos[3]["data"][9, 1:3] = 0  # a lost animal
    (path,) = convert(fake.write(tmp_path), tmp_path / "out")
    found = read_session(path, position="position", environment="TrackA")
    np.testing.assert_allclose(found["speed"], 20.0)
    with pytest.warns(UserWarning, match="observed in a part"):
        found = read_session(path, position="position", environment="TrackB")
    assert np.flatnonzero(np.isnan(found["x"])).tolist() == [7, 9]
    np.testing.assert_allclose(np.delete(found["x"], [7, 9]), np.delete(walk(3)[:, 0] + 1, [7, 9]))
    with pynwb.NWBHDF5IO(path, "r") as io:
        behavior = io.read().processing["behavior"]
        np.testing.assert_array_equal(behavior["raw_pos_epoch_3"].data[:], fake.pos[3]["data"])
        assert "smooth-v" in behavior["raw_pos_epoch_2"].description


def test_convert__spikes_with_odd_fields(tmp_path: Path) -> None:
    fake = Fake()
    fake.spikes[1][1][1] = spikes(1, 1, 1, fields="time amplitude(highest variance channel)")
    fake.spikes[1][1][1]["data"] = fake.spikes[1][1][1]["data"][:, :2]
    fake.spikes[2][1][1] = spikes(2, 1, 1, data=np.zeros((0, 0)), fields=np.zeros((0, 0)))
    fake.spikes[3][3][1]["data"][5, 0] = fake.spikes[3][3][1]["data"][4, 0]  # twice the same
    del fake.spikes[1][3][1]["spikewidth"]
    (path,) = convert(fake.write(tmp_path), tmp_path / "out")
    times = units(path)["spike_times"]
    first = np.concatenate([spike_times(1, 1, 1), spike_times(3, 1, 1)]) - ZERO
    np.testing.assert_allclose(times[0], first, atol=1e-9)
    assert units(path)["obs_intervals"][0].shape == (3, 2)  # defined without spikes is silent
    assert times[1].size == 3 * 60 - 1
    with pynwb.NWBHDF5IO(path, "r") as io:
        assert "1 spikes within half a tick" in io.read().notes


def test_convert__missing_info_and_empty_texts(tmp_path: Path) -> None:
    fake = Fake()
    nothing = np.zeros((0, 0))
    fake.task = {2: {"type": "run", "environment": nothing, "description": nothing}}
    folder = fake.write(tmp_path)
    (folder / "boncellinfo.mat").unlink()
    (folder / "bontetinfo.mat").unlink()
    (path,) = convert(folder, tmp_path / "out")
    assert set(units(path)["location"]) == {"unknown"}
    assert epochs(path)["environment"].tolist() == ["", "unnamed", ""]
    assert epochs(path)["epoch_type"].tolist() == ["unknown", "run", "unknown"]
    assert read_session(path, environment="unnamed").sizes["unit"] == 3  # no linear position


def test_convert__pixels_are_refused_and_scaled(tmp_path: Path) -> None:
    fake = Fake()
    for item in fake.pos.values():
        item["data"][:, [1, 2, *range(5, min(7, item["data"].shape[1]))]] *= 8
    folder = fake.write(tmp_path)
    with pytest.raises(
        ValueError, match=r"epoch 2: the run spans 640 cm, expected 30 to 400.*scale"
    ):
        convert(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (path,) = convert(folder, tmp_path / "out", scale=1 / 8)
    found = read_session(path, position="position", environment="TrackA")
    np.testing.assert_allclose(found["x"], walk(2)[:, 0])
    np.testing.assert_allclose(found["speed"], 20 / 8)


def change(part: str, epoch: int, value: Any) -> Callable[[Fake], None]:
    return lambda fake: getattr(fake, part).__setitem__(epoch, value)


def edit(epoch: int, **changes: Any) -> Callable[[Fake], None]:
    return lambda fake: fake.pos.__setitem__(epoch, fake.pos[epoch] | changes)


def overlapping(fake: Fake) -> None:
    fake.pos[3]["data"][:, 0] -= 45


BAD: dict[str, tuple[Callable[[Fake], None], str]] = {
    "fields and columns differ": (edit(2, fields=FIVE), r"pos\{3\}\{2\} of bonpos03.mat has data"),
    "no field names": (edit(2, fields=""), r"shape \(900, 9\) and the fields ''"),
    "no velocity": (edit(2, fields=NINE.replace("vel", "u")), "no velocity"),
    "time goes back": (edit(2, data=pos(2)["data"][::-1]), "not strictly increasing"),
    "epochs overlap": (overlapping, "epoch 3 starts at .* before epoch 2 ends"),
    "spikes without time": (
        lambda fake: fake.spikes[1][1].__setitem__(1, spikes(1, 1, 1, fields="x y")),
        r"spikes\{3\}\{1\}\{1\}\{1\} of bonspikes03.mat begins with the field 'x'",
    ),
    "NaN spikes": (
        lambda fake: fake.spikes[1][1].__setitem__(
            1, spikes(1, 1, 1, data=np.full((3, 7), np.nan))
        ),
        "spikes without time",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_convert__broken_source_writes_nothing(fault: str, tmp_path: Path) -> None:
    fake = Fake()
    break_it, message = BAD[fault]
    break_it(fake)
    folder = fake.write(tmp_path)
    with pytest.raises(ValueError, match=message):
        convert(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_convert__broken_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no folder"):
        convert(tmp_path / "none", tmp_path / "out")
    with pytest.raises(ValueError, match="no file like bonspikes03.mat"):
        convert(tmp_path, tmp_path / "out")
    folder = Fake().write(tmp_path)
    (folder / "bontask03.mat").rename(tmp_path / "task.mat")
    with pytest.raises(ValueError, match="has no bontask03.mat"):
        convert(folder, tmp_path / "out")
    (tmp_path / "task.mat").rename(folder / "bontask03.mat")
    for kind in ("spikes", "pos", "task"):
        (folder / f"bon{kind}03.mat").rename(folder / f"bon{kind}04.mat")
    with pytest.raises(ValueError, match=r"should hold day 4.* its days are \[3\]"):
        convert(folder, tmp_path / "out")
    data = (folder / "bonpos04.mat").read_bytes()
    (folder / "bonpos04.mat").write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match="bonpos04.mat cannot be read.*truncated"):
        convert(folder, tmp_path / "out")


# ---- parts


def test_element__only_what_is_there() -> None:
    nest = cells({2: np.ones((1, 1))}, 3)
    assert source.element(nest, 1) is None and source.element(nest, 4) is None
    assert source.element(nest, 2).item() == 1 and source.element(None, 1) is None


def test_linear_position__sides_apart() -> None:
    place, direction, shift = linear_position(
        np.array([0.0, 10, 20, 30, np.nan]), np.array([1.0, 2, 3, -1, 4])
    )
    assert shift == 100  # 20 and the gap of 50, to the next 50 cm
    np.testing.assert_array_equal(place, [0, 10, 120, np.nan, np.nan])
    assert direction.tolist() == [1, -1, 1, 0, 0]


def test_trajectories__meets_the_walk() -> None:
    xy = walk(0)
    distance, trajectory = trajectories(xy, [LEFT, RIGHT])
    done = np.linspace(0, 800, N)
    wanted = 200 - np.abs((done % 400) - 200)
    away = (wanted > 15) & (wanted < 185)
    np.testing.assert_allclose(distance[away], wanted[away], atol=1e-9)
    quarter = np.minimum(done // 200, 3).astype(int)
    np.testing.assert_array_equal(trajectory[away], np.array([1, 2, 3, 4])[quarter][away])
    reverse = trajectories(xy[::-1], [LEFT, RIGHT])[1]
    assert set(reverse[away[::-1]].tolist()) == {1, 2, 3, 4} and reverse[100] == 3
    between = np.concatenate([xy[N // 4 : 3 * N // 8], xy[5 * N // 8 : 3 * N // 4]])
    assert (trajectories(between, [LEFT, RIGHT])[1] == -1).all()  # side to side is neither


def test_paths_of__only_of_a_w() -> None:
    assert paths_of(np.zeros((0, 0))) is None and paths_of(None) is None
    assert paths_of(cells({1: LEFT[:, :, None]}, 1)) is None
    assert paths_of(cells({1: LEFT, 2: RIGHT + 50}, 2)) is None
    found = paths_of(cells({1: LEFT[:, :, None], 2: RIGHT}, 2))
    assert found is not None and np.array_equal(found[1], RIGHT)
