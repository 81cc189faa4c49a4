"""Which null fits the behaviour, and the one that keeps the dependence on speed."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurodrift import recording_from_arrays
from neurodrift.analysis.place_cells._behaviour import (
    fit_null,
    measure_occupancy_trend,
    measure_periodicity,
    measure_speed,
)
from neurodrift.analysis.place_cells._null import information_beyond
from neurodrift.analysis.place_cells._speed import (
    DELAYS,
    DELAYS_OF_COUNTS,
    LAGS_OF_COUNTS,
    BeyondSpeed,
    SpeedKept,
    likely,
    trailing_speed,
)
from neurodrift.analysis.place_cells.place_cells import detect_place_cells
from neurodrift.analysis.place_cells.stability import compute_map_stability

HZ = 10.0


def shuttle(
    rng: np.random.Generator, n_laps: int, by_lap: float = 0.25, slow_ends: float = 0.0
) -> dict[str, np.ndarray]:
    """Traversals of a track of 100 cm, one way, at a mean of 20 cm/s."""
    x: list[float] = []
    lap: list[int] = []
    for number in range(n_laps):
        place, pace = 0.0, 20.0 * np.exp(by_lap * rng.normal())
        while place < 100:
            x.append(place)
            lap.append(number)
            place += pace * (1 - slow_ends * np.cos(2 * np.pi * place / 100)) / HZ
    speed = np.abs(np.gradient(np.array(x))) * HZ
    speed = np.where(speed > 60, 20.0, speed)  # the jump back
    return {"x": np.array(x), "lap": np.array(lap), "speed": speed}


def recording_of(
    run: dict[str, np.ndarray], activity: np.ndarray, kind: str = "events"
) -> xr.Dataset:
    return recording_from_arrays(
        activity, kind=kind, geometry="linear", frame_duration=1 / HZ, **run
    )


def test_periodicity__equals_loops() -> None:
    rng = np.random.default_rng(0)
    position = np.cumsum(rng.integers(0, 3, 200)) % 10
    occupied = np.bincount(position)
    groups = np.minimum((np.cumsum(occupied) - occupied / 2) / 200 * 10, 9).astype(int)
    group = np.unique(groups[position], return_inverse=True)[1]
    n = group.max() + 1
    kept = []
    for shift in range(1, 200):
        moved = np.roll(group, -shift)
        total = 0.0
        for a in range(n):
            for b in range(n):
                both = np.mean((group == a) & (moved == b))
                total += both**2 / np.mean(group == a) / np.mean(group == b)
        kept.append((total - 1) / (n - 1))
    assert measure_periodicity(position) == pytest.approx(np.mean(kept), abs=1e-12)


def test_periodicity__of_a_period_and_of_none() -> None:
    assert measure_periodicity(np.tile(np.arange(10), 30)) == pytest.approx(1.0)
    apart = np.random.default_rng(1).integers(0, 10, 20_000)
    assert measure_periodicity(apart) < 0.002
    assert np.isnan(measure_periodicity(np.zeros(50, dtype=int)))


def test_occupancy_trend__of_a_steady_and_a_moving_animal() -> None:
    steady = np.tile(np.arange(10), 100)
    assert measure_occupancy_trend(steady) < 1e-3
    assert measure_occupancy_trend(np.sort(steady)) > 0.95


def test_speed__share_is_of_what_comes_again() -> None:
    rng = np.random.default_rng(2)
    position = np.tile(np.repeat(np.arange(10), 10), 40)
    lap = np.repeat(np.arange(40), 100)
    noise = rng.normal(0, 2, position.size)
    share, variation = measure_speed(position, 20 + noise, lap)
    assert share < 0.01 and variation < 0.02
    share, variation = measure_speed(position, 10.0 + position + noise, lap)
    assert share == pytest.approx(8.25 / 12.25, abs=0.03)  # variance of 0 to 9, and of the noise
    assert variation == pytest.approx(np.sqrt(8.25) / 14.5, abs=0.01)


def test_fit_null__takes_what_behaviour_asks_for() -> None:
    rng = np.random.default_rng(3)
    run = shuttle(rng, 60)
    position = (run["x"] // 4).astype(int)

    def fitting(lap: np.ndarray | None, speed: np.ndarray | None, at: np.ndarray = position) -> str:
        return fit_null(at, lap, speed, asked="auto", otherwise="circular_exact").null

    assert fitting(run["lap"], run["speed"]) == "lap"
    assert fitting(None, run["speed"]) == "circular_exact"
    even = shuttle(rng, 60, by_lap=0.0)
    at = (even["x"] // 4).astype(int)
    assert fitting(even["lap"], None, at) == "lap"
    without = fit_null(at, None, None, asked="auto", otherwise="circular")
    assert without.null == "circular" and "no laps" in without.reason
    one = fit_null(at, np.zeros(at.size, int), None, asked="auto", otherwise="circular")
    assert one.null == "circular" and "one lap only" in one.reason
    outside = np.where(even["lap"] % 2, -1, even["lap"])
    assert "in no lap" in fit_null(at, outside, None, asked="auto", otherwise="circular").reason
    slow = shuttle(rng, 60, slow_ends=0.6)
    assert fitting(slow["lap"], slow["speed"], (slow["x"] // 4).astype(int)) == "speed"
    asked = fit_null(at, None, None, asked="block", otherwise="circular")
    assert asked.null == "block" and asked.reason == ""


def test_speed_kept__equals_loops() -> None:
    """Literal: learn what each speed lets expect, move on the line it makes, learn it again."""
    rng = np.random.default_rng(4)
    run = shuttle(rng, 12, slow_ends=0.5)
    states = (run["x"] // 10).astype(int)
    n = states.size
    speed = trailing_speed(run["speed"], np.full(n, 1 / HZ), counts=True)[1]
    kept = SpeedKept(states, 10, speed, run["lap"], None)
    counts = rng.poisson(0.01 * run["speed"])
    frames = np.flatnonzero(counts)
    amounts = counts[frames].astype(float)
    found, expected = kept.rates(frames, amounts, 5, np.random.default_rng(5))
    turns = np.random.default_rng(5).random((5, 12))

    n_classes = int(np.clip(amounts.sum() ** 2 / (amounts**2).sum() // 8, 3, 8))
    edges = np.quantile(speed, np.arange(1, n_classes) / n_classes)
    of = np.array([(edges <= value).sum() for value in speed])
    middles = [speed[of == k].mean() for k in range(n_classes)]
    bump = [np.interp(speed, middles, unit) for unit in np.eye(n_classes)]
    lying = [[bump[j][of == k].sum() for j in range(n_classes)] for k in range(n_classes)]

    def learn(entries: list[tuple[int, float]]) -> np.ndarray:
        sums = [sum(a for t, a in entries if of[t] == k) for k in range(n_classes)]
        return np.interp(speed, middles, np.linalg.solve(lying, sums))

    entries = list(zip(frames.tolist(), amounts.tolist(), strict=True))
    line = learn(entries)
    line = np.maximum(line, 1e-3 * line.mean())
    for copy in range(6):
        if copy:
            moved = []
            for t, amount in entries:
                lap = run["lap"][t]
                own = np.flatnonzero(run["lap"] == lap)
                ends = np.cumsum(line[own])
                place = ends[t - own[0]] - line[t] / 2 + turns[copy - 1, lap] * ends[-1]
                moved.append((own[np.searchsorted(ends, place % ends[-1], side="right")], amount))
        else:
            moved = entries
        counted = [sum(a for t, a in moved if states[t] == s) for s in range(10)]
        np.testing.assert_allclose(found[copy], counted)
        wanted = np.bincount(states, learn(moved), minlength=10)
        wanted = np.maximum(wanted, 1e-3 * wanted.mean())
        np.testing.assert_allclose(expected[copy], wanted, rtol=1e-5)


def test_speed_kept__a_level_equals_loops() -> None:
    rng = np.random.default_rng(10)
    run = shuttle(rng, 6, slow_ends=0.5)
    states = (run["x"] // 10).astype(int)
    seconds = rng.uniform(0.05, 0.15, states.size)
    kept = SpeedKept(states, 10, run["speed"], run["lap"], seconds)
    level = 0.1 * run["speed"] + rng.normal(size=states.size)
    every = np.arange(states.size)
    beyond, whole = kept.levels(every, level * seconds, 0, rng)
    edges = np.quantile(run["speed"], np.arange(1, 8) / 8)
    of = np.searchsorted(edges, run["speed"], side="right")
    middles = [np.average(run["speed"][of == k], weights=seconds[of == k]) for k in range(8)]
    bump = [np.interp(run["speed"], middles, unit) for unit in np.eye(8)]
    lying = [[(seconds * b)[of == k].sum() for b in bump] for k in range(8)]
    level = level - np.average(level, weights=seconds)
    sums = [(seconds * level)[of == k].sum() for k in range(8)]
    rest = level - np.interp(run["speed"], middles, np.linalg.solve(lying, sums))
    np.testing.assert_allclose(beyond[0], np.bincount(states, seconds * rest), atol=1e-5)
    assert whole[0] == pytest.approx((seconds * rest**2).sum(), rel=1e-5)


def test_likely__is_the_delay_of_the_generator() -> None:
    """Of many events the delay that made them is likely, and the others are not; of few, most."""
    rng = np.random.default_rng(11)
    run = shuttle(rng, 60, slow_ends=0.6)
    states = (run["x"] // 10).astype(int)
    trailing = trailing_speed(run["speed"], np.full(states.size, 1 / HZ), counts=True)

    def of_delay(speed: np.ndarray) -> BeyondSpeed:
        kept = SpeedKept(states, 10, speed, run["lap"], None)
        return BeyondSpeed(lambda frames, amounts: 0.0, kept, information_beyond, False)

    by_delay = [of_delay(speed) for speed in trailing]

    def draw(true: int, rate: float) -> list[int]:
        counts = rng.poisson(rate * trailing[true] ** 2 / 200)
        frames = np.flatnonzero(counts)
        found = likely(by_delay, frames, counts[frames].astype(float))
        return [by_delay.index(one) for one in found]

    assert draw(0, 5.0) == [0] and draw(2, 5.0) == [2]
    assert max(len(draw(0, 0.005)) for _ in range(20)) > 1


def test_trailing_speed__at_a_lag_and_its_change() -> None:
    speed = 20.0 + 5.0 * np.sin(np.arange(200) / 10.0)
    seconds = np.full(200, 1 / HZ)
    rows = trailing_speed(speed, seconds, counts=True)
    assert len(rows) == len(DELAYS_OF_COUNTS) + len(LAGS_OF_COUNTS) + 1
    assert trailing_speed(speed, seconds, counts=False).shape == (len(DELAYS), 200)
    behind = rows[len(DELAYS_OF_COUNTS) + LAGS_OF_COUNTS.index(1.0)]
    np.testing.assert_allclose(behind[10:], speed[:-10])
    for t in (50, 99):  # mean speed of half a second after the frame less that before it
        after = (speed[t] / 2 + speed[t + 1 : t + 5].sum() + speed[t + 5] / 2) / 5
        before = (speed[t] / 2 + speed[t - 4 : t].sum() + speed[t - 5] / 2) / 5
        assert rows[-1, t] == pytest.approx(after - before)


def test_beside_place__equals_loops() -> None:
    rng = np.random.default_rng(12)
    run = shuttle(rng, 20, slow_ends=0.5)
    states = (run["x"] // 10).astype(int)
    seconds = rng.uniform(0.05, 0.15, states.size)
    kept = SpeedKept(states, 10, run["speed"], run["lap"], seconds)
    counts = rng.poisson(0.01 * run["speed"])
    frames = np.flatnonzero(counts)
    amounts = counts[frames].astype(float)
    ratio, score = kept.beside_place(frames, amounts)

    n_classes = int(np.clip(amounts.sum() ** 2 / (amounts**2).sum() // 8, 3, 8))
    edges = np.quantile(run["speed"], np.arange(1, n_classes) / n_classes)
    of = np.array([(edges <= value).sum() for value in run["speed"]])
    least = 0.05 * counts.sum() / seconds.sum()
    rate = np.array(
        [max(counts[of == k].sum() / seconds[of == k].sum(), least) for k in range(n_classes)]
    )[of]
    value = beyond = spread = 0.0
    for s in range(10):
        inside = states == s
        weights = seconds[inside]
        logs = np.log(rate[inside] / np.average(rate[inside], weights=weights))
        mean = np.average(logs, weights=weights)
        variance = np.average((logs - mean) ** 2, weights=weights)
        value += (counts[inside] * logs).sum()
        beyond += (counts[inside] * (logs - mean)).sum()
        spread += (counts[inside] ** 2).sum() * variance
    assert ratio == pytest.approx(value * amounts.sum() / (amounts**2).sum())
    assert score == pytest.approx(beyond / np.sqrt(spread))


def test_likelihood__of_one_rate_is_that_of_one_class() -> None:
    rng = np.random.default_rng(14)
    seconds = rng.uniform(0.05, 0.15, 400)
    kept = SpeedKept(np.arange(400) % 10, 10, np.ones(400), None, seconds)
    frames, amounts = np.arange(0, 400, 7), rng.integers(1, 4, 58).astype(float)
    assert kept.likelihood_of_one_rate(amounts) == pytest.approx(
        kept.likelihood_of_rates(frames, amounts)
    )
    other = SpeedKept(kept.states, 10, rng.random(400), None, seconds)
    assert other.likelihood_of_rates(frames, amounts) > kept.likelihood_of_one_rate(amounts)


def test_place_cells__speed_of_a_second_ago_and_acceleration_are_not_place() -> None:
    """Both pass in most tests where only the speed of now is kept; fields stay."""
    rng = np.random.default_rng(13)
    run = shuttle(rng, 60, slow_ends=0.7)
    ago = run["speed"][np.maximum(np.arange(run["speed"].size) - 10, 0)] / 20
    smooth = np.convolve(run["speed"], np.ones(5) / 5, mode="same")
    change = np.clip(1 + np.gradient(smooth) * HZ / 10, 0, 4)
    for follows in (ago, change):
        untuned = recording_of(run, rng.poisson(0.7 * follows[:, None] * np.ones(80) / HZ))
        cells = detect_place_cells(untuned)
        assert cells["null"].item() == "speed"
        assert cells["significant"].mean() < 0.16


def test_place_cells__speed_is_not_place() -> None:
    """Untuned units that follow speed are place cells for circular shifts, not by default."""
    rng = np.random.default_rng(6)
    run = shuttle(rng, 60, slow_ends=0.7)
    rate = 0.5 * run["speed"][:, None] / 20 * np.ones(60)
    untuned = recording_of(run, rng.poisson(rate / HZ))
    by_default = detect_place_cells(untuned)
    assert by_default["null"].item() == "speed"
    assert by_default["significant"].mean() < 0.15
    assert detect_place_cells(untuned, null="circular_exact")["significant"].mean() > 0.5
    assert compute_map_stability(untuned, n_repeats=200)["significant"].mean() < 0.15
    centre = rng.uniform(10, 90, 20)
    field = np.exp(-((run["x"][:, None] - centre) ** 2) / 128)
    tuned = recording_of(run, rng.poisson((0.05 + 3 * field) / HZ))
    assert detect_place_cells(tuned)["significant"].mean() > 0.8
    assert compute_map_stability(tuned, n_repeats=200)["significant"].mean() > 0.6


def test_place_cells__even_pace_is_no_control() -> None:
    rng = np.random.default_rng(7)
    run = shuttle(rng, 60, by_lap=0.0)
    field = np.exp(-((run["x"][:, None] - rng.uniform(10, 90, 10)) ** 2) / 128)
    tuned = recording_of(run, rng.poisson((0.05 + 2 * field) / HZ))
    found = detect_place_cells(tuned)
    assert found["null"].item() == "lap" and found["periodicity"].item() > 0.5
    assert found["significant"].all()
    assert not detect_place_cells(tuned, null="circular_exact")["significant"].any()


@pytest.mark.parametrize("kind", ["events", "deconvolved", "fluorescence"])
def test_place_cells__speed_null_is_the_same_for_chunks_and_order(kind: str) -> None:
    rng = np.random.default_rng(8)
    run = shuttle(rng, 12, slow_ends=0.5)
    activity = rng.poisson(0.02 * run["speed"][:, None] * np.ones(5))
    if kind != "events":
        activity = activity * rng.gamma(2.0, size=activity.shape)
    recording = recording_of(run, activity, kind)
    options = {"null": "speed", "n_repeats": 50}
    eager = detect_place_cells(recording, **options)
    lazy = detect_place_cells(recording.chunk(unit=2, time=100), **options)
    xr.testing.assert_identical(eager, lazy.compute())
    order = [3, 1, 4, 0, 2]
    shuffled = detect_place_cells(recording.isel(unit=order), **options)
    xr.testing.assert_identical(shuffled["p"], eager["p"].isel(unit=order))
    assert eager["p"].notnull().all()


def test_place_cells__bursts_that_trail_speed_are_no_place() -> None:
    """One delay that is chosen for each unit would find 7 to 8 % of these."""
    n_tests = n_found = 0
    for seed in range(6):
        rng = np.random.default_rng([12, seed])
        run = shuttle(rng, 50, slow_ends=0.7)
        begin = rng.random((run["x"].size, 100)) < 0.015 * run["speed"][:, None] / 20
        on = sum(np.roll(begin, k, axis=0) for k in range(6)) > 0
        untuned = recording_of(run, rng.poisson(1.2 * on))
        found = detect_place_cells(untuned, n_repeats=199)
        assert found["null"].item() == "speed"
        n_found += int(found["significant"].sum())
        n_tests += int(found["tested"].sum())
    assert n_tests > 500 and n_found / n_tests < 0.05 + 2 * np.sqrt(0.05 * 0.95 / n_tests)


def test_place_cells__weak_fields_on_slow_ends_are_found() -> None:
    rng = np.random.default_rng(13)
    run = shuttle(rng, 60, slow_ends=0.7)
    centre = rng.uniform(10, 90, 100)
    field = np.exp(-((run["x"][:, None] - centre) ** 2) / 128)
    found = detect_place_cells(recording_of(run, rng.poisson((0.05 + 0.6 * field) / HZ)))
    assert found["null"].item() == "speed" and found["significant"].mean() > 0.7


def test_place_cells__speed_null_needs_a_speed() -> None:
    run = shuttle(np.random.default_rng(9), 4)
    recording = recording_of(run, np.ones((run["x"].size, 1), dtype=int))
    with pytest.raises(ValueError, match="null='speed' needs a running speed"):
        detect_place_cells(recording.drop_vars("speed"), null="speed")
