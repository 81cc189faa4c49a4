from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodrift.analysis.place_cells._kernels import turn
from neurodrift.analysis.place_cells._tests import _quantile
from neurodrift.analysis.place_cells.shuffles import Plan, compute_null_distribution, empirical_p

NULLS = ("circular", "lap", "block", "permutation", "occupancy")
T = 120
LAP = np.repeat([3, 4, 5, 7], [50, 20, 1, 49])


def moved(null: str, frames: np.ndarray, n_repeats: int = 50, **options: object) -> np.ndarray:
    plan = Plan(null=null, n_repeats=n_repeats, block=9, **options)
    return np.concatenate(list(plan.moved(frames, T, np.random.default_rng(0), LAP)))


@pytest.mark.parametrize("null", NULLS[:-1])
def test_moved__is_a_permutation_of_the_frames(null: str) -> None:
    targets = moved(null, np.arange(T))
    assert targets.shape == (50, T)
    assert (np.sort(targets, axis=1) == np.arange(T)).all()
    assert (targets != targets[0]).any()


@pytest.mark.parametrize("null", NULLS)
def test_moved__blocks_of_shuffles_do_not_matter(
    null: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = np.array([0, 3, 4, 77, 119])
    whole = moved(null, frames)
    monkeypatch.setattr("neurodrift.analysis.place_cells.shuffles._MOVED_AT_ONCE", 15)
    assert (moved(null, frames) == whole).all()


def test_moved__lap_stays_in_its_lap_and_keeps_order() -> None:
    targets = moved("lap", np.arange(T))
    assert (LAP[targets] == LAP).all()
    for number in np.unique(LAP):
        inside = np.flatnonzero(number == LAP)
        steps = np.diff(targets[:, inside], axis=1) % inside.size
        assert (steps == 1 % inside.size).all()


def test_moved__within_laps_by_the_numbers_that_numpy_draws() -> None:
    frames = np.array([0, 7, 49, 50, 61, 70, 71, 119])
    first, lengths = np.array([0, 50, 70, 71]), np.array([50, 20, 1, 49])
    turns = np.random.default_rng(0).integers(0, lengths, size=(50, 4))
    inside = np.searchsorted(first, frames, side="right") - 1
    expected = first[inside] + (frames - first[inside] + turns[:, inside]) % lengths[inside]
    assert (moved("lap", frames) == expected).all()


def test_turn__draws_a_word_anew_that_would_make_a_turn_more_frequent() -> None:
    """Of three frames the word 0 is one too many: 2**32 words are no multiple of three."""
    edges, inside, frames = np.array([0, 3]), np.zeros(1, dtype=np.int64), np.zeros(1, np.int64)
    out = np.zeros((1, 1), dtype=np.int64)
    words = np.array([0, 0, 2**32 - 1, 2**31], dtype=np.uint32)
    assert turn(words, edges, inside, frames, np.arange(3), out) == 3 and out.item() == 2
    assert turn(words[:2], edges, inside, frames, np.arange(3), out) == -1
    assert turn(words[3:], edges, inside, frames, np.arange(3), out) == 1 and out.item() == 1


def test_moved__repeated_lap_number_is_another_lap() -> None:
    plan = Plan(null="lap", n_repeats=20)
    lap = np.array([0, 0, 0, 1, 1, 1, 0, 0, 0])
    (targets,) = plan.moved(np.arange(9), 9, np.random.default_rng(0), lap)
    assert (targets // 3 == np.arange(9) // 3).all()


def test_moved__block_keeps_blocks_whole() -> None:
    targets = moved("block", np.arange(T))
    for start in range(0, T, 9):
        assert (np.diff(targets[:, start : start + 9], axis=1) == 1).all()


def test_moved__circular_keeps_the_least_shift_either_way() -> None:
    shifts = moved("circular", np.array([0]), n_repeats=2000, min_shift=55)[:, 0]
    assert set(shifts) == set(range(55, 66))


def test_moved__exact_is_every_shift_with_the_identity_first() -> None:
    targets = moved("circular_exact", np.array([7]))
    assert ((targets[:, 0] - 7) % T == np.arange(T)).all()
    assert moved("circular_exact", np.array([7]), min_shift=58)[:, 0].tolist() == [
        7,
        *(7 + k for k in (58, 59, 60, 61, 62)),
    ]


def test_moved__without_an_allowed_shift_nothing_moves() -> None:
    assert (moved("circular", np.array([7]), min_shift=61) == 7).all()
    assert moved("circular_exact", np.array([7]), min_shift=61).tolist() == [[7]]


def test_moved__permutation_is_uniform() -> None:
    targets = moved("permutation", np.array([0, 1]), n_repeats=24_000)
    counts = np.bincount(targets.ravel(), minlength=T)
    assert (targets[:, 0] != targets[:, 1]).all()
    # 400 expected in each frame; the range of 120 nearly independent Poisson numbers.
    assert counts.min() > 320 and counts.max() < 480


def test_moved__occupancy_draws_frames_independently() -> None:
    targets = moved("occupancy", np.zeros(50, dtype=int), n_repeats=200)
    assert all(len(set(row)) < 50 for row in targets.tolist())
    assert abs(targets.mean() - (T - 1) / 2) < 2


@given(
    null=st.sampled_from(NULLS),
    counts=st.lists(st.integers(0, 3), min_size=T, max_size=T),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=50, deadline=None)
def test_null_distribution__keeps_the_number_of_events(
    null: str, counts: list[int], seed: int
) -> None:
    totals = compute_null_distribution(
        np.sum, np.array(counts), null=null, n_repeats=5, block=7, lap=LAP, seed=seed
    )
    assert (totals == sum(counts)).all()


def test_null_distribution__exact_equals_roll() -> None:
    rng = np.random.default_rng(1)
    activity, weight = rng.random((31, 2)), rng.random(31)

    def statistic(x: np.ndarray) -> np.ndarray:
        return weight @ x

    values = compute_null_distribution(statistic, activity, null="circular_exact")
    expected = [statistic(np.roll(activity, k, axis=0)) for k in range(31)]
    np.testing.assert_allclose(values, expected, rtol=1e-13)


def test_null_distribution__streams_differ_by_name_only() -> None:
    activity = np.arange(40)

    def first(x: np.ndarray) -> float:
        return float(x[0])

    a, b, c = (
        compute_null_distribution(first, activity, n_repeats=30, stream=stream)
        for stream in (("s", 1), ("s", 1), ("s", 2))
    )
    assert (a == b).all() and (a != c).any()


def test_empirical_p__counts_ties_against() -> None:
    null = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]])
    np.testing.assert_allclose(empirical_p(np.array([2.0, 6.0]), null), [3 / 4, 1 / 4])
    np.testing.assert_allclose(empirical_p(np.array([2.0, 6.0]), null, exact=True), [2 / 3, 0])
    assert empirical_p(2.0 + 1e-12, null[:, 0], exact=True, tie=1e-9) == 2 / 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"null": "cyclic"}, "null is 'cyclic', expected one of circular_exact, circular"),
        ({"n_repeats": 0}, "n_repeats is 0"),
        ({"min_shift": -1}, "min_shift is -1"),
        ({"null": "block"}, "needs the length of a block"),
        ({"null": "lap"}, "needs the lap of each frame"),
    ],
)
def test_null_distribution__bad_options(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compute_null_distribution(np.sum, np.ones(5), **options)


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=50), st.floats(0, 1))
def test_quantile__is_that_of_numpy(values: list[float], share: float) -> None:
    assert _quantile(np.array(values), share) == float(np.quantile(values, share))
