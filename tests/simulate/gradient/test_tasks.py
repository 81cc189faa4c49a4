from __future__ import annotations

import csv
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from neurodrift import Binning, compute_rate_maps, recording_from_arrays
from neurodrift.simulate.gradient import task as _task
from neurodrift.simulate.gradient import tasks, track
from neurodrift.simulate.gradient.tasks import (
    PUBLISHED,
    TASKS,
    Task,
    predictive_track,
    task_from_arrays,
)

# What the published make_data.py gives, run with numpy.random.seed(seed)
REFERENCE = Path(__file__).parent / "driftreg_make_data.csv"


def _reference_rows() -> list[dict[str, str]]:
    with REFERENCE.open() as file:
        return list(csv.DictReader(file))


def _published(row: dict[str, str]) -> Task:
    name, x_dim = row["task"], int(row["x_dim"])
    options = {
        **PUBLISHED[name],
        "n_samples": int(row["n_samples"]),
        "published_seed": int(row["seed"]),
    }
    if name == "predictive_track":
        return predictive_track(n_rays=x_dim, n_arenas=int(row["n_arenas"]), **options)
    if name in ("random", "smoothed"):
        options["n_outputs"] = int(row["y_dim"])
    if name == "smoothed_autoencoder":
        options["feature_sd"] = int(row["y_dim"]) / 5
    return TASKS[name](n_inputs=x_dim, **options)


@pytest.mark.parametrize(
    "row", _reference_rows(), ids=lambda row: f"{row['task']}-{row['n_samples']}-{row['x_dim']}"
)
def test_tasks__reproduce_published_data(row):
    task = _published(row)
    x, y = task.inputs, task.targets
    found = {
        "input_first": x[0, 0],
        "input_last": x[-1, -1],
        "input_squares": (x**2).sum(),
        "target_first": y[0, 0],
        "target_last": y[-1, -1],
        "target_squares": (y**2).sum(),
        "target_variance": y.var(ddof=1),
    }
    if task.position is not None:
        place = task.position
        if row["task"] == "predictive_track":
            place = place / 10 - 5.6  # cm from the turning point -> arena units from the centre
        found["position_sum"] = place.sum()
    for name, value in found.items():
        assert value == pytest.approx(float(row[name]), rel=1e-10, abs=1e-10), name


def test_predictive_track__published_target_variance():
    published = predictive_track(**PUBLISHED["predictive_track"], published_seed=0)
    assert published.targets.var(ddof=1) == pytest.approx(0.331, abs=5e-4)
    stored = predictive_track(
        **PUBLISHED["predictive_track"], published_seed=0, value_range=(0.0, 1.0)
    )
    assert stored.targets.var(ddof=1) == pytest.approx(0.331 / 4, rel=1e-2)
    assert stored.inputs.min() == pytest.approx(0, abs=1e-4)
    assert stored.inputs.max() == pytest.approx(1, abs=1e-4)


# --- normalisation --------------------------------------------------------------------------


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30).filter(lambda v: max(v) - min(v) > 1e-2)
)
def test_normalise__literal(values):
    low = min(values)
    shifted = [v - (low + 1e-5) for v in values]
    top = max(shifted) + 1e-5
    expected = [2 * (v / top - 0.5) for v in shifted]
    array = np.array(values)
    scaled = _task.normalise(array, "values")
    np.testing.assert_allclose(scaled, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(array, values)
    spread = max(values) - low
    assert scaled.min() == pytest.approx(-1 - 2e-5 / spread, abs=1e-8)
    assert scaled.max() == pytest.approx(1 - 2e-5 / spread, abs=1e-8)


def test_normalise__constant():
    with pytest.raises(ValueError, match="views of the task are all equal"):
        _task.normalise(np.ones(3), "views")


@pytest.mark.parametrize("name", TASKS)
def test_tasks__range_shape_and_finite(name):
    for seed in range(5):
        task = TASKS[name](n_samples=40, seed=seed)
        assert task.n_samples == 40
        for values in (task.inputs, task.targets):
            assert values.dtype == np.float64
            assert values.min() == pytest.approx(-1, abs=2e-3)
            assert values.max() == pytest.approx(1, abs=2e-3)
        assert task.attrs["task"] == name
        assert task.attrs["seed"] == seed


@pytest.mark.parametrize("name", TASKS)
def test_tasks__seed_alone_decides(name):
    first, again = TASKS[name](seed=3), TASKS[name](seed=3)
    np.random.seed(1)  # noqa: NPY002 - the global generator must not matter
    third, other = TASKS[name](seed=3), TASKS[name](seed=4)
    for task in (again, third):
        np.testing.assert_array_equal(first.inputs, task.inputs)
        np.testing.assert_array_equal(first.targets, task.targets)
    assert not np.array_equal(first.inputs, other.inputs)


@pytest.mark.parametrize("name", TASKS)
def test_tasks__options_are_provenance(name):
    task = TASKS[name](n_samples=30)
    options = {key: value for key, value in task.attrs.items() if key != "task"}
    again = TASKS[name](**options)
    np.testing.assert_array_equal(task.inputs, again.inputs)


def test_random__uniform_and_independent():
    task = tasks.random(n_samples=400, n_inputs=30, n_outputs=30)
    for values in (task.inputs, task.targets):
        assert abs(values.mean()) < 0.02
        assert values.var() == pytest.approx(1 / 3, abs=0.01)
    joint = np.corrcoef(task.inputs.ravel(), task.targets.ravel())[0, 1]
    assert abs(joint) < 0.03


def test_smoothed__is_the_filter_of_uniform_noise():
    task = tasks.smoothed(n_samples=12, n_inputs=9, n_outputs=15, published_seed=4)
    rng = np.random.RandomState(4)
    noise = rng.random_sample((12, 9)), rng.random_sample((12, 15))
    for values, raw in zip((task.inputs, task.targets), noise, strict=True):
        smooth = gaussian_filter(raw, (12 / 5, 15 / 5))
        expected = 2 * (smooth - smooth.min()) / np.ptp(smooth) - 1
        np.testing.assert_allclose(values, expected, atol=2e-3)


@pytest.mark.parametrize("name", ["random_autoencoder", "smoothed_autoencoder"])
def test_autoencoder__targets_are_inputs(name):
    task = TASKS[name](n_samples=7, n_inputs=6)
    np.testing.assert_array_equal(task.inputs, task.targets)
    assert not np.shares_memory(task.inputs, task.targets)


# --- predictive ring ------------------------------------------------------------------------


def test_predictive__targets_are_the_next_inputs():
    task = tasks.predictive(n_samples=30, n_inputs=12, seed=2)
    slope, offset = np.polyfit(task.inputs[1:].ravel(), task.targets[:-1].ravel(), 1)
    np.testing.assert_allclose(task.targets[:-1], slope * task.inputs[1:] + offset, atol=1e-12)
    assert ((task.position >= 0) & (task.position < 120)).all()
    assert task.direction is None


def test_predictive__places_and_views_by_hand():
    S, D = 6, 4
    task = tasks.predictive(n_samples=S, n_inputs=D, published_seed=9)
    rng = np.random.RandomState(9)
    scene = gaussian_filter(rng.random_sample(121), 4)
    place, places = 0.0, []
    for step in rng.random_sample(S + 1):
        place += step * 20 * 120 / S
        places.append(place)
    views = np.empty((S + 1, D))
    for i, at in enumerate(places):
        for j in range(D):
            seen = (at + 30 * j / (D - 1)) % 120
            left = int(seen)
            views[i, j] = scene[left] + (seen - left) * (scene[left + 1] - scene[left])
    expected = 2 * (views[:-1] - views[:-1].min()) / np.ptp(views[:-1]) - 1
    np.testing.assert_allclose(task.inputs, expected, atol=2e-3)
    np.testing.assert_allclose(task.position, np.array(places[:-1]) % 120)


def test_predictive__aliasing_displaces_targets():
    worst = []
    for seed in range(30):
        right = tasks.predictive(n_samples=5 + seed % 6, seed=seed)
        aliased = tasks.predictive(n_samples=5 + seed % 6, seed=seed, aliased_targets=True)
        np.testing.assert_array_equal(right.inputs, aliased.inputs)
        np.testing.assert_array_equal(right.position, aliased.position)
        worst.append(np.abs(right.targets - aliased.targets)[:-1].max())
    assert np.mean(np.array(worst) > 0.2) > 0.8  # published: 11 of 12 draws by 0.2 to 1.0
    assert 0.5 < np.median(worst) < 1.1


def test_predictive__aliasing_by_hand():
    seed, S = 5, 8
    right = tasks.predictive(n_samples=S, seed=seed)
    aliased = tasks.predictive(n_samples=S, seed=seed, aliased_targets=True)
    # all rows but the last are the scaled inputs, moved to [0, 1]; the last is the raw view
    halved = (right.inputs[1:] + 1) / 2
    slope, offset = np.polyfit(halved.ravel(), aliased.targets[:-1].ravel(), 1)
    np.testing.assert_allclose(aliased.targets[:-1], slope * halved + offset, atol=1e-12)


# --- track: geometry ------------------------------------------------------------------------


def _cast(x, y, angle, width, length):
    """Distance along the perimeter where a ray meets the first of four wall segments."""
    corners = np.array([[-width, length], [width, length], [width, -length], [-width, -length]]) / 2
    best, where, walked, wall = np.inf, np.nan, 0.0, -1
    for k in range(4):
        a, b = corners[k], corners[(k + 1) % 4]
        matrix = np.array([[np.sin(angle), a[0] - b[0]], [np.cos(angle), a[1] - b[1]]])
        if abs(np.linalg.det(matrix)) > 1e-14:
            t, share = np.linalg.solve(matrix, a - np.array([x, y]))
            if t > 0 and -1e-12 <= share <= 1 + 1e-12 and t < best:
                best, wall = t, k
                where = walked + share * np.linalg.norm(b - a)
        walked += np.linalg.norm(b - a)
    return where, wall


@settings(max_examples=150, deadline=None)
@given(
    st.floats(-0.45, 0.45),
    st.floats(-0.45, 0.45),
    st.floats(-10, 10),
    st.floats(0.3, 20),
    st.floats(0.3, 20),
)
def test_wall_phase__brute_force(u, v, angle, width, length):
    place, angles = np.array([[u * width, v * length]]), np.array([[angle]])
    where, wall = _cast(u * width, v * length, angle, width, length)
    perimeter = 2 * (width + length)
    phase = track.wall_phase(place, angles, width, length, "lengths")[0, 0]
    gap = (phase - where / perimeter + 0.5) % 1 - 0.5  # both ends of the texture are one corner
    assert abs(gap) < 1e-9
    assert -1e-12 <= phase <= 1 + 1e-12
    begins = np.array([0, width, width + length, 2 * width + length])
    at_corner = min(abs(where - c) for c in (*begins, perimeter)) < 1e-6
    if not at_corner:
        quarters = track.wall_phase(place, angles, width, length, "quarters")[0, 0]
        assert quarters == pytest.approx(wall / 4 + (where - begins[wall]) / perimeter, abs=1e-9)


def test_wall_phase__along_the_axes():
    angles = np.array([[0, np.pi / 2, np.pi, 3 * np.pi / 2]])
    phase = track.wall_phase(np.zeros((1, 2)), angles, 2.0, 4.0, "lengths")
    np.testing.assert_allclose(phase[0] * 12, [1, 4, 7, 10], atol=1e-9)


def test_wall_phase__true_lengths_are_continuous_and_quarters_are_not():
    angles = np.linspace(-0.01, 2 * np.pi - 0.01, 200_001)[None]
    centre = np.zeros((1, 2))
    steps = np.diff(track.wall_phase(centre, angles, 1.0, 14.0, "lengths")[0] % 1)
    forward = steps[steps > -0.5]
    assert (forward >= -1e-12).all() and forward.max() < 1e-3
    assert (steps <= -0.5).sum() == 1  # once around
    published = track.wall_phase(centre, angles, 1.0, 14.0, "quarters")[0]
    assert np.abs(np.diff(published)).max() > 0.2
    assert published.max() == pytest.approx(0.75 + 14 / 30, abs=1e-3)


def test_texture_at__published_walls_repeat_the_last_value():
    tiles = track.smooth_texture(np.random.default_rng(0).standard_normal(510), 0.09, "code")
    np.testing.assert_array_equal(track.texture_at(tiles, np.array([1.0, 1.1, 1.2])), tiles[0])


@pytest.mark.parametrize("rule", ["paper", "code"])
def test_smooth_texture__periodic_with_the_stated_spread(rule):
    n, kernel = 400, 0.03
    noise = np.random.default_rng(1).standard_normal(n)
    smooth = track.smooth_texture(noise, kernel, rule)
    np.testing.assert_allclose(
        track.smooth_texture(np.roll(noise, 150), kernel, rule), np.roll(smooth, 150), atol=1e-12
    )
    thrice = gaussian_filter(np.tile(noise, 3), np.sqrt(12.0) if rule == "paper" else 12.0)
    np.testing.assert_allclose(smooth, thrice[n : 2 * n], atol=1e-12)
    impulse = np.zeros(n)
    impulse[n // 2] = 1
    weights = track.smooth_texture(impulse, kernel, rule)
    variance = weights @ (np.arange(n) - n // 2) ** 2
    assert variance == pytest.approx(kernel * n if rule == "paper" else (kernel * n) ** 2, rel=0.01)


def test_texture_at__is_the_tile_and_linear_between_and_wraps():
    tiles = np.array([1.0, 3.0, 2.0, 6.0])
    np.testing.assert_allclose(track.texture_at(tiles, np.arange(4) / 4), tiles)
    np.testing.assert_allclose(track.texture_at(tiles, np.array([0.125, 0.875])), [2.0, 3.5])
    assert track.texture_at(tiles, np.array(0.0)) == track.texture_at(tiles, np.array(1.0))


# --- track: the agent -----------------------------------------------------------------------


def _units(task: Task) -> np.ndarray:
    return task.position / 10 - 5.6


def test_predictive_track__runs_to_and_fro_at_constant_speed():
    task = predictive_track(n_samples=600)
    y = _units(task)
    assert y.max() == pytest.approx(5.6) and y.min() == pytest.approx(-5.6)
    inner = np.abs(np.diff(y))[(np.abs(y[1:]) < 5.6 - 1e-9) & (np.abs(y[:-1]) < 5.6 - 1e-9)]
    assert (inner <= 0.2 + 1e-12).all() and inner.min() > 0.19  # less only by the heading
    flips = np.flatnonzero(np.diff(task.direction))
    np.testing.assert_allclose(np.abs(y[flips]), 5.6)
    share = (task.direction == 1).mean()
    assert 0.4 < share < 0.6
    # the place moves in the running direction, except in the step of a turn
    moved = np.sign(np.diff(y))
    np.testing.assert_array_equal(np.delete(moved, flips), np.delete(task.direction[1:], flips))


def test_predictive_track__default_size_samples_both_directions_of_every_bin():
    task = predictive_track()
    rng = np.random.default_rng(0)
    recording = recording_from_arrays(
        rng.random((150, 3)), kind="activation", frame_duration=1.0, **task.frames()
    )
    maps = compute_rate_maps(recording, binning=Binning())
    assert maps["direction"].values.tolist() == [1, -1]
    assert maps.sizes["position"] == 28  # 112 cm in bins of 4 cm
    assert (maps["occupancy"].values > 0).all()


def test_predictive_track__views_by_brute_force():
    task = predictive_track(n_samples=90, n_rays=5, width=2.0, length=6.0, published_seed=3)
    rng = np.random.RandomState(3)
    n_tiles = 2 * 8 * 5
    noise = rng.standard_normal(n_tiles)
    spread = np.sqrt(0.09 * n_tiles)
    tile_gap = np.abs(np.arange(n_tiles)[:, None] - np.arange(n_tiles))
    gap = np.minimum(tile_gap, n_tiles - tile_gap)
    weights = np.exp(-(gap**2) / (2 * spread**2)) * (gap <= int(4 * spread + 0.5))
    texture = weights @ noise / weights[0].sum()

    heading = (rng.random_sample() - 1) / 100
    y, turn, rows = 0.0, 0.0, []
    for step in range(91):
        if step:
            rng.standard_normal()  # the speed, which is constant here
            y += 0.2 * np.cos(heading)
            hit = np.sign(y) if abs(y) > 2.4 else 0
            y = np.clip(y, -2.4, 2.4)
            heading = (heading + turn) % (2 * np.pi)
            turn = track.HEADING_NOISE * rng.standard_normal()
        view = []
        for ray in range(5):
            angle = heading - np.pi / 16 + ray * np.pi / 32
            at = _cast(0.0, y, angle, 2.0, 6.0)[0] / 16 * n_tiles
            left = int(at)
            here, there = texture[left % n_tiles], texture[(left + 1) % n_tiles]
            view.append(here + (at - left) * (there - here))
        rows.append((view, heading, y))
        if step and hit:
            heading = 0.0 if hit < 0 else np.pi
    views, headings, y = (np.array(part) for part in zip(*rows, strict=True))
    np.testing.assert_allclose(_position(task, 6.0), y[:-1], atol=1e-9)
    np.testing.assert_allclose(task.heading, headings[:-1], atol=1e-9)
    for values, expected in (
        (task.inputs[:, :-1], views[:-1]),
        (task.targets, views[1:]),
        (task.inputs[:, -1], np.angle(np.exp(1j * np.diff(headings)))),
    ):
        slope, offset = np.polyfit(expected.ravel(), values.ravel(), 1)
        assert slope > 0
        np.testing.assert_allclose(values, slope * expected + offset, atol=1e-7)


def _position(task: Task, length: float) -> np.ndarray:
    return task.position / 10 - 0.4 * length


def test_predictive_track__targets_are_the_next_views():
    task = predictive_track(n_samples=200, seed=5)
    views = task.inputs[1:, :-1]
    slope, offset = np.polyfit(views.ravel(), task.targets[:-1].ravel(), 1)
    np.testing.assert_allclose(task.targets[:-1], slope * views + offset, atol=1e-10)


def test_predictive_track__heading_change():
    right = predictive_track(n_samples=400, seed=1)
    # between turns the heading hardly changes; a turn is half a circle
    turned = np.diff(np.unwrap(right.heading))
    flips = np.flatnonzero(np.diff(right.direction))
    assert np.abs(np.delete(turned, flips)).max() < 5 * track.HEADING_NOISE
    np.testing.assert_allclose(np.abs(turned[flips]), np.pi, atol=0.5)
    extreme = np.abs(right.inputs[:-1, -1]) > 0.5
    np.testing.assert_array_equal(np.flatnonzero(extreme), flips)
    # the published input jumps also where the heading passes 0, and one step before the view
    code = predictive_track(n_samples=400, seed=1, heading_change="code")
    np.testing.assert_allclose(code.inputs[:, :-1], right.inputs[:, :-1], atol=1e-4)
    jumps = np.flatnonzero(np.abs(code.inputs[:-1, -1] - np.median(code.inputs[:, -1])) > 0.2)
    assert set(flips - 1) <= set(jumps)
    assert jumps.size > flips.size


def test_predictive_track__heading_noise_is_gaussian_with_the_stated_spread():
    task = predictive_track(n_samples=20_000, n_rays=2, length=2e4, heading_noise=0.01)
    changes = np.angle(np.exp(1j * np.diff(task.heading)))[1:]
    assert changes.std() == pytest.approx(0.01, rel=0.02)
    assert abs(changes.mean()) < 4 * 0.01 / np.sqrt(changes.size)


def test_predictive_track__speed_noise():
    task = predictive_track(
        n_samples=20_000, n_rays=2, length=2e4, speed_noise=0.1, heading_noise=0.0
    )
    ways = np.diff(task.position / 10)
    assert ways.mean() == pytest.approx(0.2, abs=4 * 0.1 / np.sqrt(ways.size))
    assert ways.std() == pytest.approx(0.1, rel=0.02)


def test_predictive_track__arenas():
    task = predictive_track(n_samples=120, n_arenas=3, seed=2)
    np.testing.assert_array_equal(task.trial, np.repeat([0, 1, 2], 40))
    assert task.frames()["trial"] is task.trial
    np.testing.assert_allclose(_units(task)[[0, 40, 80]], 0)
    by_arena = task.inputs[:, :-1].reshape(3, 40, -1)
    assert not np.allclose(by_arena[0], by_arena[1])
    # a target never reaches into the next arena
    assert not np.allclose(task.targets[39], task.inputs[40, :-1], atol=1e-3)


def test_predictive_track__unit_length_scales_only_the_position():
    small, large = predictive_track(unit_length=1.0), predictive_track(unit_length=100.0)
    np.testing.assert_array_equal(small.inputs, large.inputs)
    np.testing.assert_allclose(large.position, 100 * small.position)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 20),
    st.floats(0.5, 5),
    st.floats(0.5, 20),
    st.floats(0.02, 0.5),
    st.floats(0.02, 0.45),
    st.sampled_from(["lengths", "quarters"]),
    st.floats(0, 1),
)
def test_predictive_track__agent_stays_inside(
    n_samples, n_rays, width, length, side_zone, end_zone, walls, heading_noise
):
    try:
        task = predictive_track(
            n_samples=n_samples + 1,
            n_rays=n_rays + 1,
            width=width,
            length=length,
            side_zone=side_zone,
            end_zone=end_zone,
            walls=walls,
            heading_noise=heading_noise,
            speed_noise=0.3,
        )
    except ValueError as error:
        assert "all equal" in str(error)  # a tiny arena may show the same everywhere
        return
    y = task.position / 10
    assert y.min() >= 0
    assert y.max() <= (1 - 2 * end_zone) * length + 1e-9
    assert np.isfinite(task.inputs).all()


# --- edge cases, own tasks, bad input -------------------------------------------------------


def test_tasks__one_sample():
    for name, maker in TASKS.items():
        task = maker(n_samples=1)
        assert task.n_samples == 1, name
    assert predictive_track(n_samples=1).inputs[0, -1] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("name", ["random", "smoothed", "random_autoencoder", "predictive"])
def test_tasks__one_feature(name):
    task = TASKS[name](n_samples=6, n_inputs=1)
    assert task.inputs.shape == (6, 1)


@pytest.mark.parametrize("name", ["random", "predictive", "smoothed_autoencoder"])
def test_tasks__a_single_number_cannot_be_scaled(name):
    with pytest.raises(ValueError, match="all equal.*more samples or more features"):
        TASKS[name](n_samples=1, n_inputs=1)


@pytest.mark.parametrize(
    ("maker", "options", "message"),
    [
        (tasks.random, {"n_samples": 0}, "n_samples is 0, expected an integer of at least 1"),
        (tasks.random, {"n_inputs": 2.5}, "n_inputs is 2.5"),
        (tasks.random, {"n_samples": -1, "n_outputs": 0}, "n_samples is -1.*n_outputs is 0"),
        (tasks.smoothed, {"smooth_factor": 0}, "smooth_factor is 0, expected a finite positive"),
        (tasks.predictive, {"unit_length": np.nan}, "unit_length is nan"),
        (predictive_track, {"speed": -1.0}, "speed is -1.0"),
        (predictive_track, {"walls": "thirds"}, "walls is 'thirds', expected one of 'lengths'"),
        (predictive_track, {"end_zone": 0.5}, "end_zone is 0.5"),
        (predictive_track, {"n_arenas": 4}, "150 samples cannot be shared equally by 4 arenas"),
        (predictive_track, {"width": 0.01, "length": 0.01}, "no texture tile"),
        (predictive_track, {"heading_change": "code", "n_rays": 0}, "n_rays is 0"),
        (predictive_track, {"value_range": (1.0, -1.0)}, "value_range"),
        (tasks.random, {"seed": -1}, "seed is -1"),
    ],
)
def test_tasks__bad_options(maker, options, message):
    with pytest.raises(ValueError, match=message):
        maker(**options)


def test_task_from_arrays__function_and_scale():
    x = np.linspace(0, 3, 40)
    task = task_from_arrays(x, lambda v: np.hstack([v**2, -v]), position=x, scale=True, name="p")
    assert (task.name, task.n_inputs, task.n_outputs) == ("p", 1, 2)
    assert task.targets.max() == pytest.approx(1, abs=1e-4)
    raw = task_from_arrays(x, x**2)
    np.testing.assert_array_equal(raw.inputs[:, 0], x)
    raw.inputs[0] = 99
    assert x[0] == 0  # copied


def test_task_from_arrays__frames_make_a_recording():
    position = np.random.default_rng(0).random((50, 2)) * 100
    time = np.arange(50) * 0.1
    task = task_from_arrays(position, position, position=position, time=time)
    frames = task.frames()
    assert sorted(frames) == ["time", "x", "y"]
    recording = recording_from_arrays(np.ones((50, 2)), kind="activation", **frames)
    np.testing.assert_array_equal(recording["y"].values, position[:, 1])
    assert tasks.random().frames() == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inputs": np.ones((3, 2)), "targets": np.ones((4, 1))}, "3 samples .* targets 4"),
        ({"inputs": np.ones((3, 2, 1))}, r"inputs have shape \(3, 2, 1\)"),
        ({"inputs": np.ones((0, 2))}, "at least one of each"),
        ({"inputs": [[1.0], [np.nan], [1.0]]}, r"1 NaN or infinite values, the first at \(1, 0\)"),
        ({"position": np.ones(2)}, r"position has shape \(2,\).*3 samples"),
        ({"position": np.ones((3, 3))}, r"position has shape \(3, 3\)"),
        ({"direction": [0, 1, 2]}, "direction must be -1, 0 or"),
        ({"time": [0, 1, 1]}, "not strictly increasing at sample 2"),
        ({"trial": [0.5, 1, 2]}, "trial must be integers"),
        ({"direction": [0, 3, 1], "time": [0, 0, 1]}, "(?s)direction must.*time is not"),
    ],
)
def test_task__bad_arrays(options, message):
    given = {"inputs": np.ones((3, 2)), "targets": np.ones((3, 1))} | options
    with pytest.raises(ValueError, match=message):
        Task(name="mine", **given)


def test_task__pickles():
    task = predictive_track(n_samples=20)
    again = pickle.loads(pickle.dumps(task))
    np.testing.assert_array_equal(task.inputs, again.inputs)
    assert again.attrs == task.attrs
