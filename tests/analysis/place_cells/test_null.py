from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodrift.analysis.place_cells import _null as _information_null
from neurodrift.analysis.place_cells._null import InformationNull
from neurodrift.analysis.place_cells.shuffles import NULLS, Plan

WAYS = {"fft": "_by_fft", "gather": "_gather", "visits": "_by_visits"}
OWN = {name: getattr(InformationNull, name) for name in WAYS.values()}
RNG = np.random.default_rng(0)  # for exact tests, which draw nothing


def literal_information(states: np.ndarray, activity: np.ndarray) -> float:
    """Skaggs et al. 1993, term by term."""
    total = 0.0
    for s in np.unique(states):
        share = np.mean(states == s)
        relative = activity[states == s].mean() / activity.mean()
        if relative > 0:
            total += share * relative * np.log2(relative)
    return total


def literal_shifts(states: np.ndarray, activity: np.ndarray) -> np.ndarray:
    return np.array([literal_information(states, np.roll(activity, k)) for k in range(states.size)])


def compact(states: np.ndarray) -> np.ndarray:
    return np.unique(states, return_inverse=True)[1]


def force(monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    for name, cost in (("gather", "_NS_EVENT"), ("fft", "_NS_FFT"), ("visits", "_NS_VISIT")):
        monkeypatch.setattr(_information_null, cost, 0 if name == way else 1e12)
    for cost in ("_NS_STATE", "_NS_LOG", "_NS_COUNTED"):
        monkeypatch.setattr(_information_null, cost, 0)
    for name, method in WAYS.items():

        def refuse(self: InformationNull, *arguments: object, method: str = method) -> np.ndarray:
            if method == "_gather" and np.size(arguments[-1]) == 1:  # the observed value
                return OWN[method](self, *arguments)
            raise AssertionError(f"{method} was called")

        monkeypatch.setattr(InformationNull, method, OWN[method] if name == way else refuse)


def all_shifts(states: np.ndarray, activity: np.ndarray, **options: int) -> np.ndarray:
    frames = np.flatnonzero(activity)
    plan = Plan(null="circular_exact", **options)
    return InformationNull(states).values(frames, activity[frames].astype(float), plan, RNG)[1]


MAKE: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "binary": lambda rng, n: (rng.random(n) < 0.3).astype(int),
    "sparse": lambda rng, n: np.isin(np.arange(n), rng.integers(0, n, 3)).astype(int),
    "counts": lambda rng, n: rng.poisson(2, n),
    "amplitudes": lambda rng, n: rng.gamma(1.0, 1.0, n) * (rng.random(n) < 0.2),
    "activations": lambda rng, n: rng.gamma(1.0, 1.0, n),
}


@pytest.mark.parametrize(
    ("way", "kind"),
    [
        (way, kind)
        for way in WAYS
        for kind in MAKE
        if way != "visits" or kind not in ("amplitudes", "activations")
    ],
)
@pytest.mark.parametrize("n_frames", [1, 2, 97, 120, 211])  # 97, 211: prime
@pytest.mark.parametrize("n_states", [1, 7, 40])
def test_values__equal_literal_rolls(
    monkeypatch: pytest.MonkeyPatch, way: str, kind: str, n_frames: int, n_states: int
) -> None:
    force(monkeypatch, way)
    rng = np.random.default_rng(n_frames)
    states = compact(rng.integers(0, n_states, n_frames))
    activity = MAKE[kind](rng, n_frames)
    activity[rng.integers(n_frames)] += 1
    expected = literal_shifts(states, activity)
    np.testing.assert_allclose(all_shifts(states, activity), expected, rtol=0, atol=1e-10)
    frames = np.flatnonzero(activity)
    observed = InformationNull(states).observed(frames, activity[frames])
    assert abs(observed - expected[0]) < 1e-12


@given(data=st.data(), n_frames=st.integers(1, 90), n_states=st.integers(1, 50))
@settings(max_examples=100, deadline=None)
def test_values__counts_in_every_way_are_the_same_bits(
    data: st.DataObject, n_frames: int, n_states: int
) -> None:
    size = {"min_size": n_frames, "max_size": n_frames}
    states = compact(np.array(data.draw(st.lists(st.integers(0, n_states - 1), **size))))
    activity = np.array(data.draw(st.lists(st.integers(0, 300), **size)))
    activity[0] += 1
    values = {}
    for way in WAYS:
        with pytest.MonkeyPatch.context() as patch:
            force(patch, way)
            values[way] = all_shifts(states, activity)
    assert (values["fft"] == values["gather"]).all()
    assert (values["visits"] == values["gather"]).all()
    assert (values["fft"] > -1e-9).all()


@pytest.mark.parametrize("n_frames", [3000, 2999])
def test_values__long_dense_counts_are_exact_in_every_way(
    monkeypatch: pytest.MonkeyPatch, n_frames: int
) -> None:
    # Close to the most events that are still counted exactly.
    rng = np.random.default_rng(3)
    states = compact(rng.integers(0, 40, n_frames))
    activity = rng.poisson(300, n_frames)
    assert activity.sum() < _information_null._MOST_EVENTS
    values = {}
    for way in WAYS:
        force(monkeypatch, way)
        values[way] = all_shifts(states, activity)
    assert (values["fft"] == values["gather"]).all()
    assert (values["visits"] == values["gather"]).all()


@pytest.mark.parametrize("at_once", [64, 4096])
def test_values__by_visits_of_many_states_and_of_long_stays(
    monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    # More states than a byte counts; one of them so long that its events need two bytes.
    rng = np.random.default_rng(8)
    states = compact(np.concatenate([np.zeros(700, int), rng.integers(1, 600, 2300)]))
    activity = rng.poisson(0.7, states.size)
    activity[states == 0] += rng.integers(0, 3, 700)
    force(monkeypatch, "gather")
    expected = all_shifts(states, activity)
    monkeypatch.setattr(_information_null, "_SHIFTS_AT_ONCE", at_once)
    force(monkeypatch, "visits")
    assert (all_shifts(states, activity) == expected).all()


def test_values__counts_too_large_for_two_bytes_are_not_added_by_visits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    states, activity = np.arange(40) // 20, np.full(40, 10_000)
    force(monkeypatch, "visits")
    with pytest.raises(AssertionError, match="_(gather|by_fft) was called"):
        all_shifts(states, activity)


@pytest.mark.parametrize("rate", [0.001, 0.05, 1.0, 20.0])
@pytest.mark.parametrize("n_frames", [12000, 11987])
def test_packing__rounding_error_is_far_below_its_bound(rate: float, n_frames: int) -> None:
    from scipy import fft

    rng = np.random.default_rng(0)
    states = compact(rng.integers(0, 40, n_frames))
    model = InformationNull(states)
    activity = rng.poisson(rate, n_frames)
    bits, per_row = model._packing(activity)
    assert per_row >= 1
    padded = np.zeros(model._length)
    padded[:n_frames] = activity
    spectrum = model._states_spectrum(0, 1, bits, per_row) * np.conj(fft.rfft(padded))
    found = fft.irfft(spectrum, model._length)[0, :n_frames]
    weights = np.where(states < per_row, 2 ** (bits * np.minimum(states, per_row - 1)), 0)
    shifts = rng.integers(0, n_frames, 50)
    exact = np.array([int(np.dot(np.roll(activity, k), weights)) for k in shifts])
    assert np.abs(found[shifts] - exact).max() < 1 / 32


def test_values__many_states_need_several_groups_of_transforms(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(5)
    states = compact(rng.integers(0, 150, 900))
    activity = rng.poisson(1.0, 900)
    force(monkeypatch, "gather")
    expected = all_shifts(states, activity)
    force(monkeypatch, "fft")
    for rows, cached in ((1, 0), (3, 2**26), (3, 0)):
        monkeypatch.setattr(_information_null, "_ROWS_AT_ONCE", rows)
        monkeypatch.setattr(_information_null, "_CACHED_BYTES", cached)
        assert (all_shifts(states, activity) == expected).all()


@pytest.mark.parametrize(
    ("way", "amplitude"),
    [("fft", 1), ("fft", 0.37), ("gather", 1), ("gather", 0.37), ("visits", 1)],
)
def test_values__equal_maps_tie(
    monkeypatch: pytest.MonkeyPatch, way: str, amplitude: float
) -> None:
    # Four traversals alike, activity alike in all: a quarter of the shifts gives the same map.
    states = np.tile(np.repeat(np.arange(10), 6), 4)
    activity = np.tile(np.random.default_rng(2).poisson(0.3, 60) * amplitude, 4)
    force(monkeypatch, way)
    values = all_shifts(states, activity)
    assert (np.abs(values - values[0]) <= 1e-9).sum() >= 4
    assert (np.abs(values[60::60] - values[0]) <= 1e-10).all()


def test_values__least_shift_leaves_out_the_near_ones() -> None:
    rng = np.random.default_rng(6)
    states, activity = compact(rng.integers(0, 9, 50)), rng.poisson(0.5, 50)
    expected = all_shifts(states, activity)[[0, *range(12, 39)]]
    assert (all_shifts(states, activity, min_shift=12) == expected).all()


@pytest.mark.parametrize("null", NULLS)
@pytest.mark.parametrize("kind", ["counts", "amplitudes"])
def test_values__of_any_null_equal_the_moved_activity(null: str, kind: str) -> None:
    rng = np.random.default_rng(7)
    states = compact(rng.integers(0, 9, 80))
    lap = np.arange(80) // 25
    activity = MAKE[kind](rng, 80)
    frames = np.flatnonzero(activity)
    plan = Plan(null=null, n_repeats=20, block=7)
    _, found = InformationNull(states, lap).values(
        frames, activity[frames].astype(float), plan, np.random.default_rng(9)
    )
    expected = []
    for targets in plan.moved(frames, 80, np.random.default_rng(9), lap):
        for target in targets:
            shuffled = np.zeros(80)
            for source, to in zip(frames, target, strict=True):
                shuffled[to] += activity[source]
            expected.append(literal_information(states, shuffled))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_values__mean_under_permutation_of_binary_events_is_hypergeometric() -> None:
    from scipy.stats import hypergeom

    occupancy = np.array([30, 50, 20, 100])
    states = np.repeat(np.arange(4), occupancy)
    n_events, n_frames = 12, states.size
    expected = 0.0
    for n in occupancy:
        k = np.arange(1, n_events + 1)
        share = k / n_events
        terms = share * np.log2(share * n_frames / n)
        expected += (hypergeom(n_frames, n, n_events).pmf(k) * terms).sum()
    plan = Plan(null="permutation", n_repeats=20_000)
    _, values = InformationNull(states).values(
        np.arange(n_events), np.ones(n_events), plan, np.random.default_rng(1)
    )
    assert abs(values.mean() - expected) < 4 * values.std() / np.sqrt(values.size)


def test_values__untuned_bias_is_that_of_the_formula() -> None:
    # (B - 1) / (2 N ln 2), specs/information.md section 12.
    rng = np.random.default_rng(4)
    states = np.tile(np.arange(10), 400)
    activity = (rng.random(4000) < 0.25).astype(int)
    plan = Plan(null="permutation", n_repeats=4000)
    frames = np.flatnonzero(activity)
    _, values = InformationNull(states).values(frames, activity[frames], plan, rng)
    # Without replacement, the variance of a count is smaller by 1 - N / T.
    expected = 9 / (2 * frames.size * np.log(2)) * (1 - frames.size / 4000)
    assert abs(values.mean() / expected - 1) < 0.05
