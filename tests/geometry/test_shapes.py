"""Every geometry end to end, on animals with known fields."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.gate.findings import GateWarning
from neurodrift.geometry import category, circular, field, graph, linear, t_maze, vr
from neurodrift.io.nwb.session import session_from_recording
from neurodrift.io.nwb.write import write_session

sys.path.insert(0, str(Path(__file__).parent))
import animals

CENTRES = [2.0, 45.0, 88.0, 140.0, 178.0]


def belt(
    geometry, *, length=180.0, minutes=12.0, seed=1, n_flat=20, back=False, shuttle=False, **other
):
    n = round(minutes * 60 * animals.RATE)
    x = np.cumsum(animals.speeds(n, seed)) / animals.RATE % length
    x = length - x - 1e-9 if back else x
    x = 2 * np.minimum(x, length - x) if shuttle else x
    rates = animals.on_circle(x, CENTRES, length)
    flat = np.full((n, 20), 1.0)
    counts = animals.events(np.hstack([rates, flat]), seed)
    return nd.recording_from_arrays(
        counts, kind="spikes", time=np.arange(n) / animals.RATE, x=x, geometry=geometry, **other
    )


def analysed(recording, bin_width=4.0, **options):
    binning = nd.Binning(bin_width=bin_width, **options)
    maps = nd.compute_rate_maps(recording, binning=binning, smoothing=bin_width)
    cells = nd.detect_place_cells(recording, binning=binning)
    fields = nd.detect_place_fields(maps, place_cells=cells["significant"])
    return maps, cells, fields


def test_belt__steps_bins_cells_and_fields_across_the_seam():
    recording = nd.kinematics.running(belt(circular(180)))
    assert set(recording["direction"].values.tolist()) == {1}
    speed = recording["speed"].values
    assert speed.min() > 5 and speed.max() < 80
    maps, cells, fields = analysed(recording)
    assert maps["direction"].values.tolist() == [1]
    assert maps.sizes["position"] == 45
    assert cells["is_place_cell"].values[0, :5].all()
    assert cells["is_place_cell"].values[0, 5:].sum() <= 3
    found = fields["x_centre"].sel(field_number=1, direction=1).values[0, :5]
    away = np.abs(found - CENTRES)
    assert np.minimum(away, 180 - away).max() < 4
    assert (fields["n_fields"].values[0, :5, 0] == 1).all()  # also those across the seam
    assert fields["size"].attrs["units"] == "cm"


def test_belt__run_backwards_has_direction_minus_one_alone():
    recording = nd.kinematics.running(belt(circular(180), back=True))
    assert set(recording["direction"].values.tolist()) == {-1}
    assert nd.bin_frames(recording, nd.Binning())["direction"].values.tolist() == [-1]
    both = nd.bin_frames(recording, nd.Binning(directions=True))
    assert both["direction"].values.tolist() == [1, -1]


def test_corridor__ends_are_no_neighbours_and_jumps_no_speed():
    recording = nd.kinematics.running(belt(vr(180)))
    assert set(recording["direction"].values.tolist()) == {1}
    assert recording["speed"].values.max() < 80
    _, cells, fields = analysed(recording)
    assert cells["is_place_cell"].values[0, :5].all()
    found = fields["n_fields"].values[0, :5, 0]
    assert (found[1:4] == 1).all()
    assert found[0] == 2  # 8 cm wide at 2 cm: the part before the seam is at the other end


def test_case_11__a_track_that_is_run_one_way_without_a_stated_geometry():
    time = np.arange(15 * 60 * 30) / 30
    x = (20 * time) % 200
    centres = [30.0, 100.0, 170.0]
    rng = np.random.default_rng(0)
    rates = np.hstack([animals.on_circle(x, centres, 200), np.full((x.size, 20), 2.0)])
    counts = rng.poisson(rates / 30)
    with pytest.warns(GateWarning, match="taken as circular, 200 cm"):
        recording = nd.recording_from_arrays(counts, kind="spikes", time=time, x=x)
    recording = nd.kinematics.running(recording)
    assert (recording["direction"] == 1).all()
    assert float(recording["speed"].max()) == pytest.approx(20)
    maps = nd.compute_rate_maps(recording, binning=nd.Binning(bin_width=4))
    at_seam = maps["occupancy"].values[0, 0, [0, 1, 2, -2, -1]]
    assert at_seam == pytest.approx(90 * 0.2)  # 90 laps of 0.2 s in each bin
    cells = nd.detect_place_cells(recording, binning=nd.Binning(bin_width=4))
    assert cells["direction"].values.tolist() == [1]
    (told,) = json.loads(recording.attrs["findings"])
    assert told["name"] == "geometry" and told["numbers"]["length"] == 200
    kept = nd.recording_from_arrays(
        counts, kind="spikes", time=time, x=x, accept=["geometry", "speed"]
    )
    assert "geometry" not in kept.attrs
    assert {item["name"] for item in json.loads(kept.attrs["findings"])} >= {"geometry"}


def test_shuttle__is_no_circle():
    recording = nd.testing.linear_track(n_units=2, n_sessions=2, minutes=5)
    assert "geometry" not in recording.attrs


def test_corridor__with_a_rest_before_the_jump_is_proposed_as_one():
    lap = np.concatenate([np.linspace(0, 150, 200), np.full(60, 150.0), np.zeros(20)])
    x = np.tile(lap, 12)
    counts = np.ones((x.size, 1), int)
    with pytest.warns(GateWarning, match="taken as vr, 150 cm"):
        recording = nd.recording_from_arrays(counts, kind="events", frame_duration=1 / 30, x=x)
    assert nd.geometry.geometry_of(recording).kind == "vr"


def test_laps__turns_of_a_circle_with_steps_back_over_the_origin():
    shape = circular(100)
    way = np.concatenate([np.linspace(50, 103, 60), np.linspace(103, 97, 10)])
    way = np.concatenate([way, np.linspace(97, 320, 200)])
    counts = np.zeros((way.size, 1), int)
    recording = nd.recording_from_arrays(
        counts, kind="events", frame_duration=0.1, x=way % 100, geometry=shape
    )
    lap = nd.kinematics.number_laps(recording)["lap"].values
    assert lap.max() == 3
    assert (lap[way >= 310] == 3).all() and (lap[:50] == 0).all()
    assert (np.diff(lap) >= 0).all()


def test_laps__runs_through_a_corridor():
    recording = nd.kinematics.number_laps(belt(vr(180), minutes=3))
    x = recording["x"].values
    assert int(recording["lap"].max()) == int((np.diff(x) < -90).sum())


@pytest.fixture(scope="module")
def maze():
    """Runs in a T maze; units with a field on the stem, on each arm and at the junction."""
    stem, arm = 80.0, 60.0
    places, sides = animals.t_runs(stem, arm, 20.0, 3)
    wells = np.array([[0, 40.0], [-30, 80], [30, 80], [0, 80]])
    away = np.hypot(*(places[:, None, :] - wells[None]).transpose(2, 0, 1))
    rates = 0.1 + 8 * np.exp(-0.5 * (away / 8) ** 2)
    flat = np.full((len(places), 10), 1.0)
    counts = animals.events(np.hstack([rates, flat]), 3)
    jitter = np.random.default_rng(0).normal(0, 0.3, places.shape)
    recording = nd.recording_from_arrays(
        counts,
        kind="spikes",
        time=np.arange(len(places)) / animals.RATE,
        x=(places + jitter)[:, 0],
        y=(places + jitter)[:, 1],
    )
    pytest.importorskip("track_linearization")
    shape = t_maze(stem, arm)
    return nd.geometry.linearize(recording, shape), places, sides, shape


def test_maze__speed_is_that_of_the_run_through_the_junction(maze):
    recording, places, _, _ = maze
    speed = nd.kinematics.running(recording)["speed"].values
    true = np.abs(np.gradient(np.abs(places[:, 0]) + places[:, 1])) * animals.RATE
    near = np.hypot(places[:, 0], places[:, 1] - 80) < 10
    turned = true < 1
    assert np.median(np.abs(speed - true)[near & ~turned]) < 2.5
    assert (speed[near] < 80).all()


def test_maze__fields_lie_where_they_are_and_one_reaches_round_the_junction(maze):
    recording, _, _, shape = maze
    recording = nd.kinematics.running(recording)
    maps, cells, fields = analysed(recording, directions=False)
    assert cells["is_place_cell"].values[0, :4].all()
    assert cells["is_place_cell"].values[0, 4:].sum() <= 2
    arms = nd.geometry.arms.arms_of(shape)
    centre = fields["x_centre"].sel(field_number=1).values[0, :4, 0]
    places = arms.plane(centre)
    wells = np.array([[0, 40.0], [-30, 80], [30, 80], [0, 80]])
    assert np.hypot(*(places - wells).T).max() < 5.0
    assert (fields["n_fields"].values[0, :4, 0] == 1).all()
    at_junction = fields["field"].values[0, 3, 0] == 1
    assert set(maps["part"].values[at_junction]) == set(arms.names)


def test_maze__smoothing_goes_along_the_arms(maze):
    recording, _, _, shape = maze
    frames = nd.bin_frames(nd.kinematics.running(recording), nd.Binning(bin_width=4))
    maps = nd.compute_rate_maps(nd.kinematics.running(recording))
    one = maps["rate"].isel(session=0, unit=0, direction=0) * 0
    ends = np.flatnonzero(frames["part"].values == "junction-left")
    one[ends[-1]] = 1.0  # the left end; next in the linearised position is the right arm
    smooth = nd.smooth_maps(one, 8.0).values
    right = frames["part"].values == "junction-right"
    assert smooth[ends[-2]] > 0.1
    assert smooth[right].max() == 0
    one = one * 0
    one[np.flatnonzero(right)[0]] = 1.0  # at the junction: reaches the stem and the left arm alike
    smooth = nd.smooth_maps(one, 8.0).values
    stem = np.flatnonzero(frames["part"].values == "home-junction")[-1]
    assert smooth[stem] > 0.05 and smooth[ends[0]] > 0.05


def test_maze__trajectories(maze):
    recording, _, sides, _ = maze
    found = nd.kinematics.number_laps(recording)
    names = json.loads(found["trial_type"].attrs["names"])
    lap, kind = found["lap"].values, found["trial_type"].values
    way = [names[kind[lap == number][0]] for number in range(lap.max())]
    expected = [f"{side} {word}" for side in sides for word in ("outbound", "inbound")]
    assert way[:20] == expected[:20]


def test_maze__excluded_ends_are_those_of_the_arms(maze):
    recording = nd.kinematics.running(maze[0])
    binning = nd.Binning(bin_width=4, exclude_ends=10)
    frames = nd.bin_frames(recording, binning)
    kept = set(np.round(frames["x_bin"].values, 1))
    assert 2.0 not in kept and 78.0 in kept and 92.0 in kept  # home is an end, the junction none


@pytest.mark.parametrize("shape", [circular(180), category(["a", "b"])])
def test_excluded_ends__only_where_there_are_ends(shape):
    x = np.arange(600) % 2 if shape.kind == "category" else np.arange(600) % 180
    recording = nd.recording_from_arrays(
        np.ones((600, 1), int), kind="events", frame_duration=0.05, x=x, geometry=shape
    )
    with pytest.raises(ValueError, match="has no ends"):
        nd.bin_frames(recording, nd.Binning(bin_width=4 if shape.length else 1, exclude_ends=4))


def test_bins__of_a_circle_are_whole():
    with pytest.raises(ValueError, match=r"no whole number of bins of 4 cm: choose bin_width 3.9"):
        nd.bin_frames(belt(circular(150), length=150.0, minutes=1), nd.Binning(bin_width=4))


def test_head_direction__maps_information_and_cells():
    n = 40000
    rng = np.random.default_rng(2)
    turned = np.cumsum(rng.standard_normal(n) * 4) + 30 * np.sin(np.arange(n) / 900)
    angle = (turned + 180) % 360 - 180
    preferred = [-175.0, -60.0, 90.0]
    away = np.abs((angle[:, None] - np.array(preferred) + 180) % 360 - 180)
    rates = np.hstack([0.2 + 8 * np.exp(-0.5 * (away / 25) ** 2), np.full((n, 10), 1.0)])
    shape = circular(unit="deg", origin=-180, variable="head direction")
    recording = nd.recording_from_arrays(
        animals.events(rates, 4),
        kind="spikes",
        frame_duration=1 / animals.RATE,
        x=angle,
        geometry=shape,
    )
    assert recording["x"].attrs["units"] == "deg"
    with pytest.raises(ValueError, match="head direction"):
        nd.kinematics.running(recording)
    maps, cells, fields = analysed(recording, bin_width=12.0)
    assert maps["x_bin"].attrs["units"] == "deg" and maps.sizes["position"] == 30
    assert cells["is_place_cell"].values[0, :3].all()
    assert cells["is_place_cell"].values[0, 3:].sum() <= 2
    found = fields["x_centre"].sel(field_number=1).values[0, :3, 0]
    assert np.abs((found - preferred + 180) % 360 - 180).max() < 12
    assert (fields["n_fields"].values[0, :3, 0] == 1).all()
    assert fields["x_centre"].attrs["units"] == "deg"


def test_categories__maps_and_information_without_neighbours():
    rng = np.random.default_rng(5)
    names = ["rose", "mint", "clove", "pine"]
    odour = np.repeat(rng.integers(0, 4, 900), 20)
    tuning = np.array([[9, 0.3, 0.3, 0.3], [0.3, 0.3, 9, 0.3], [2, 2, 2, 2]]).T
    recording = nd.recording_from_arrays(
        animals.events(tuning[odour], 6),
        kind="spikes",
        frame_duration=1 / animals.RATE,
        x=odour,
        geometry=category(names, variable="odour"),
    )
    raw = nd.compute_rate_maps(recording)
    smooth = nd.compute_rate_maps(recording, smoothing=4.0)
    assert raw["part"].values.tolist() == names
    np.testing.assert_array_equal(raw["rate"], smooth["rate"])
    assert raw["rate"].values[0, :, 0].argmax(axis=1)[:2].tolist() == [0, 2]
    cells = nd.detect_place_cells(recording)
    assert cells["is_place_cell"].values[0].tolist() == [True, True, False]
    fields = nd.detect_place_fields(smooth)
    assert fields["n_fields"].values[0, :, 0].tolist() == [1, 1, 4]


def test_time_in_the_trial__is_linear_in_seconds():
    time = np.arange(18000) / animals.RATE
    within = time % 6
    rates = 0.2 + 8 * np.exp(-0.5 * ((within[:, None] - [1.0, 4.0]) / 0.5) ** 2)
    recording = nd.recording_from_arrays(
        animals.events(rates, 8),
        kind="spikes",
        time=time,
        x=within,
        trial=(time // 6).astype(int),
        geometry=linear(unit="s", variable="time in the trial"),
    )
    maps = nd.compute_rate_maps(recording, binning=nd.Binning(bin_width=0.25), smoothing=0.25)
    peak = maps["x_bin"].values[maps["rate"].values[0, :, 0].argmax(axis=1)]
    assert np.abs(peak - [1.0, 4.0]).max() <= 0.25
    assert maps["x_bin"].attrs["units"] == "s"


def test_field__outline_of_a_box():
    places = animals.box(60.0, 10.0, 2)
    counts = np.ones((len(places), 1), int)
    given = {"kind": "spikes", "frame_duration": 1 / animals.RATE}
    shape = field("rectangle", [(0, 0), (60, 60)])
    recording = nd.recording_from_arrays(
        counts, x=places[:, 0], y=places[:, 1], geometry=shape, **given
    )
    assert nd.geometry.geometry_of(nd.compute_rate_maps(recording)) == shape
    small = field("circle", [(30, 30), (50, 30)])
    with pytest.raises(ValueError, match="outside the outline of the arena"):
        nd.recording_from_arrays(counts, x=places[:, 0], y=places[:, 1], geometry=small, **given)


@pytest.mark.parametrize(
    "shape",
    [circular(180), vr(180), graph({"a": (0, 0), "b": (0, 180)}, [("a", "b")])],
    ids=lambda shape: shape.kind,
)
def test_geometry__survives_nwb_store_and_joining(tmp_path, shape):
    recording = belt(
        shape,
        minutes=2,
        shuttle=shape.kind == "graph",
        session=["1"],
        subject="m",
        environment="e",
    )
    recording = nd.kinematics.running(recording)
    write_session(session_from_recording(recording, "1"), tmp_path / "1.nwb")
    back = nd.import_nwb(tmp_path / "1.nwb")
    assert nd.geometry.geometry_of(back) == shape
    np.testing.assert_allclose(back["x"], recording["x"])
    np.testing.assert_array_equal(back["direction"], recording["direction"])
    nd.save_recording(recording, tmp_path / "r.zarr")
    stored = nd.open_recording(tmp_path / "r.zarr")
    assert nd.geometry.geometry_of(stored) == shape
    two = recording.assign_coords(session=["2"])
    joined = nd.join_sessions([recording, two])
    assert nd.geometry.geometry_of(joined) == shape
    assert nd.geometry.geometry_of(nd.select_sessions(joined, ["2"])) == shape
    other = belt(circular(181), length=181.0, minutes=2, session=["2"], subject="m")
    other = other.assign_coords(environment="e")
    with pytest.raises(ValueError, match="different geometries"):
        nd.join_sessions([recording, other])


def test_angle__survives_nwb_and_store(tmp_path):
    angle = np.random.default_rng(0).uniform(0, 360, 3000)
    shape = circular(unit="deg", variable="head direction")
    recording = nd.recording_from_arrays(
        np.ones((3000, 2), int), kind="events", frame_duration=0.05, x=angle, geometry=shape
    )
    write_session(session_from_recording(recording, "1"), tmp_path / "1.nwb")
    back = nd.import_nwb(tmp_path / "1.nwb")
    assert nd.geometry.geometry_of(back) == shape
    np.testing.assert_allclose(back["x"], angle)
    nd.save_recording(recording, tmp_path / "r.zarr")
    assert nd.open_recording(tmp_path / "r.zarr")["x"].attrs["units"] == "deg"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("circular", "needs its length"),
        ("ring:20", "expected linear, field, circular"),
        ({"kind": "circular", "length": -3}, "above 0"),
        ({"kind": "graph", "nodes": {"a": [0, 0]}, "edges": [["a", "b"]]}, "edges name"),
        ({"length": 3}, "no kind"),
        ({"kind": "vr", "length": 3, "size": 2}, "unknown entries"),
        ("circular:20", "x is outside the geometry"),
        ("field", "needs x and y"),
        ("category:a,b", "number them from 0"),
        ("{", "no JSON"),
    ],
)
def test_geometry__what_is_none_is_refused_by_name(given, text):
    with pytest.raises(ValueError, match=text):
        nd.recording_from_arrays(
            np.ones((100, 1), int),
            kind="events",
            frame_duration=0.1,
            x=np.linspace(0, 90, 100),
            geometry=given,
        )


def test_length_in_metres__is_refused():
    with pytest.raises(ValueError, match="length in the unit of the position") as error:
        belt(vr(18000), minutes=3)
    assert "geometry" in str(error.value).splitlines()[-1]


def test_schema__a_bad_geometry_is_a_clear_fault():
    recording = belt(circular(180), minutes=1)
    recording.attrs["geometry"] = '{"kind": "circular"}'
    with pytest.raises(ValueError, match="attribute geometry: a geometry that is circular needs"):
        nd.schema.check(recording)
    recording.attrs["geometry"] = circular(100).to_json()
    with pytest.raises(ValueError, match=r"x is outside the geometry .* modulo the length"):
        nd.schema.check(recording)


def test_joining__a_proposal_gives_way_and_stands_for_days_that_show_nothing():
    def day(label, minutes, geometry=None, **other):
        return belt(geometry, minutes=minutes, session=[label], subject="m", **other)

    with pytest.warns(GateWarning, match="taken as circular"):
        shown = day("1", 4)
    short = day("2", 0.2)
    assert "geometry" not in short.attrs
    joined = nd.join_sessions([shown, short])
    found = nd.geometry.geometry_of(joined)
    assert found.proposed and found.length == 180
    stated = day("3", 1, circular(180))
    assert nd.geometry.geometry_of(nd.join_sessions([shown, stated])) == circular(180)
    with pytest.raises(ValueError, match="different geometries"):
        nd.join_sessions([stated, short])


def test_remapping__goes_the_shorter_way_round():
    length, n = 180.0, 20000
    x = np.cumsum(animals.speeds(n, 3)) / animals.RATE % length
    maps = []
    for centre in (4.0, 176.0):
        rates = animals.on_circle(x, [centre], length)
        recording = nd.recording_from_arrays(
            animals.events(rates, 1),
            kind="spikes",
            time=np.arange(n) / animals.RATE,
            x=x,
            geometry=circular(length),
        )
        maps.append(nd.compute_rate_maps(recording, smoothing=4.0))
    shift = nd.compute_remapping(*maps)["peak_shift"].item()
    assert shift == pytest.approx(8.0, abs=4.0)


def test_uneven_clock__positions_are_taken_round_the_circle():
    from neurodrift.io.nwb.grid import interpolate

    x = np.array([[170.0], [178.0], [6.0], [14.0]])
    time = np.arange(4.0) / 10
    at = np.array([0.05, 0.175, 0.25])
    assert interpolate(at, time, x, circular(180)).ravel() == pytest.approx([174, 4, 10])
    assert interpolate(at, time, x, vr(180)).ravel() == pytest.approx([174, 6, 10])
    arms = graph({"a": (0, 0), "b": (0, 50), "c": (50, 50)}, [("a", "b"), ("b", "c")])
    ways = np.array([[40.0], [48.0], [62.0], [70.0]])  # 10 cm of nothing after 50
    assert interpolate(at, time, ways, arms).ravel() == pytest.approx([44, 62, 66])


def test_figure_eight__round_trips_are_told_apart():
    shape = nd.geometry.figure_eight(60, 80)
    arms = nd.geometry.arms.arms_of(shape)
    trip = {
        "left": [0, 1, 2, 3],
        "right": [0, 4, 5, 6],
    }
    x, sides = [], ["left", "right", "right", "left"]
    for side in sides:
        for arm in trip[side]:
            x.append(arms.starts[arm] + np.linspace(0, arms.lengths[arm], 40, endpoint=False))
    x = np.concatenate(x)
    recording = nd.recording_from_arrays(
        np.zeros((x.size, 1), int), kind="events", frame_duration=0.05, x=x, geometry=shape
    )
    recording = nd.kinematics.running(recording)
    assert (recording["direction"].values[1:-1] == 1).mean() > 0.98
    found = nd.kinematics.number_laps(recording)
    names = json.loads(found["trial_type"].attrs["names"])
    lap, kind = found["lap"].values, found["trial_type"].values
    told = [names[kind[lap == number][-1]] for number in range(3)]
    assert [name.split()[0] for name in told] == sides[:3]
    with pytest.raises(ValueError, match="has no ends"):
        nd.bin_frames(recording, nd.Binning(exclude_ends=5.0))


@pytest.mark.parametrize(
    "shape",
    [t_maze(80, 60), nd.geometry.w_track(80, 70), nd.geometry.plus_maze(50)],
    ids=["t", "w", "plus"],
)
def test_arms__distances_are_those_of_a_walk(shape):
    """Against a graph of points a centimetre apart, walked by SciPy."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import dijkstra

    arms = nd.geometry.arms.arms_of(shape)
    x, nodes = [], []
    for arm, (start, length) in enumerate(zip(arms.starts, arms.lengths, strict=True)):
        steps = np.arange(round(length) + 1)
        x.append(start + steps)
        ends = arms.ends[arm]
        nodes.append([f"n{ends[0]}", *(f"{arm}:{i}" for i in steps[1:-1]), f"n{ends[1]}"])
    flat = [name for names in nodes for name in names]
    number = {name: i for i, name in enumerate(dict.fromkeys(flat))}
    pairs = [(number[a], number[b]) for n in nodes for a, b in zip(n[:-1], n[1:], strict=True)]
    rows, columns = np.array(pairs).T
    ways = coo_array((np.ones(len(pairs)), (rows, columns)), shape=(len(number),) * 2)
    walked = dijkstra(ways.tocsr(), directed=False)
    at = np.array([number[name] for name in flat])
    x = np.concatenate(x)
    chosen = np.random.default_rng(0).choice(x.size, 60, replace=False)
    found = arms.distance(x[chosen][:, None], x[chosen][None, :])
    np.testing.assert_allclose(found, walked[np.ix_(at[chosen], at[chosen])], atol=1e-9)


@pytest.mark.parametrize("what", ["head direction", "odour"])
def test_analyze__drift_over_what_is_no_place(what):
    """Units that keep their tuning, and units that are tuned anew on the second day."""
    n, days = 12000, []
    for day in range(2):
        rng = np.random.default_rng(10 + day)
        if what == "odour":
            shape, x = category(["a", "b", "c", "d"], variable=what), rng.integers(0, 4, n)
            tuned = np.random.default_rng(0).permuted(np.tile([9.0, 3, 1, 0.2], (12, 1)), axis=1)
            anew = np.random.default_rng(day).permuted(np.tile([9.0, 3, 1, 0.2], (12, 1)), axis=1)
            rates = np.hstack([tuned[:, x].T, anew[:, x].T])
        else:
            shape = circular(unit="deg", variable=what)
            x = np.cumsum(rng.standard_normal(n) * 5) % 360
            kept, moved = np.linspace(5, 355, 12), np.random.default_rng(day).uniform(0, 360, 12)
            away = np.abs((x[:, None] - np.append(kept, moved) + 180) % 360 - 180)
            rates = 0.2 + 8 * np.exp(-0.5 * (away / 25) ** 2)
        days.append(
            nd.recording_from_arrays(
                animals.events(rates, day),
                kind="spikes",
                frame_duration=1 / animals.RATE,
                x=x,
                geometry=shape,
                session=[str(day)],
                day=[day],
                subject="m",
            )
        )
    width = 12.0 if what == "head direction" else 1.0
    results = nd.analyze(nd.join_sessions(days), binning=nd.Binning(bin_width=width))
    unit = results["drift"]["unit_rate_map_correlation"]
    unit = unit.sel(session_a="0", session_b="1").isel(direction=0).values
    assert np.nanmedian(unit[:12]) > 0.9
    assert np.nanmedian(unit[12:]) < 0.7
    cells = results["place_cells"]["is_place_cell"]
    assert cells.values.mean() > 0.9


def test_length_that_is_too_long__is_warned_of():
    with pytest.warns(GateWarning, match="jumps .* from end to end, but lies in 90 %"):
        belt(circular(200), length=180.0, minutes=3)
    belt(vr(190), length=180.0, minutes=3)  # put back before the very end
