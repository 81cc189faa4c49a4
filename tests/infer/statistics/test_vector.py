from __future__ import annotations

import re
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neurodrift.infer.observation.counts import Observed
from neurodrift.infer.statistics.vector import STATISTICS, statistics_of
from neurodrift.infer.statistics.words import descriptions

N_BINS, WIDTH = 20, 0.08


def bumps(centre, ring):
    """(unit, bin) fields with a height of 1, once round or from end to end."""
    away = (np.arange(N_BINS) + 0.5) / N_BINS - centre[:, None]
    away = (away + 0.5) % 1 - 0.5 if ring else away
    return np.exp(-0.5 * (away / WIDTH) ** 2)


def world(change, rng, *, n_units=300, n_sessions=6, ring=True):
    """(session, unit, bin) rates of cells with one field each, of which one thing changes."""
    centre, gain = rng.uniform(0, 1, n_units), np.exp(0.5 * rng.standard_normal(n_units))
    on = np.ones(n_units, bool) if change != "turnover" else rng.random(n_units) < 0.5
    found = []
    for s in range(n_sessions):
        if s and change == "walk":
            centre = centre + 0.06 * rng.standard_normal(n_units)
        if s and change == "jump":
            moves = rng.random(n_units) < 0.2
            centre = np.where(moves, rng.uniform(0, 1, n_units), centre)
        if s and change == "turnover":
            on = on ^ (rng.random(n_units) < 0.2)
        if s and change == "factors":
            gain = gain * np.exp(0.3 * rng.standard_normal(n_units))
        if s and change == "silencing":
            on = on & (rng.random(n_units) < 0.8)
        found.append((gain * on)[:, None] * (0.02 + bumps(centre, ring)))
    return np.array(found)


def seen(rates, rng=None, *, events=100.0, ring=True):
    """So many events a unit and session on average; without noise where there is no rng."""
    n_sessions, n_units, n_bins = rates.shape
    expected = np.repeat(rates[None] * events / (2 * n_bins * rates.mean()), 2, axis=0)
    return Observed(
        expected if rng is None else rng.poisson(expected),
        np.ones((2, n_sessions, n_bins)),
        np.ones((n_sessions, n_units), bool),
        np.arange(n_sessions, dtype=float),
        np.zeros(n_bins, int),
        "circular" if ring else "linear",
        counts=rng is not None,
    )


def value(observed, **options):
    found = statistics_of(observed, **{"se": False, **options})["value"]
    return dict(zip(STATISTICS, found.values, strict=True))


def of(change, seed=1, events=None, **options):
    rng = np.random.default_rng(seed)
    rates = world(change, rng, **options)
    return value(seen(rates, rng if events else None, events=events or 100.0))


def small(seed=0, **shape):
    shape = {"n_sessions": 4, "n_units": 12} | shape
    rng = np.random.default_rng(seed)
    return seen(world("factors", rng, **shape) + 0.1, rng, events=80.0)


# --- what the names are


def test_names__are_told_apart_and_described():
    assert len(set(STATISTICS)) == len(STATISTICS) > 40
    assert all(all(words) for words in descriptions(STATISTICS).values())
    page = (Path(__file__).parents[3] / "docs" / "drift-statistics.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", page, re.M) == list(STATISTICS)
    for what, why in descriptions(STATISTICS).values():
        assert f"| {what} | {why} |" in page


# --- literal references


def literal(observed):
    """(session, unit, half, bin) rates over gain, found by iteration, one number at a time."""
    events, seconds = observed.events, observed.seconds
    _, n_sessions, n_units, n_bins = events.shape
    rate = np.zeros((n_sessions, n_units, 2, n_bins))
    for h in range(2):
        for s in range(n_sessions):
            for n in range(n_units):
                for c in range(n_bins):
                    rate[s, n, h, c] = events[h, s, n, c] / seconds[h, s, c]
    own = rate.mean(axis=(2, 3))
    gain = np.ones(n_sessions)
    for _ in range(100):
        mean = (own / gain[:, None]).mean(axis=0)
        gain = own.sum(axis=1) / mean.sum()
    return rate / gain[:, None, None, None]


def relative_and_weight(observed):
    rate = literal(observed)
    mean = rate.mean(axis=(0, 2, 3))
    total = observed.events.sum(axis=(0, 1, 3))
    weight = mean / (mean + np.median(mean))
    return rate / (mean * np.sqrt((total - 1) / total))[None, :, None, None], weight


def test_maps__literal():
    observed = small()
    relative, weight = relative_and_weight(observed)
    n_sessions = len(relative)

    def shared(a, b, h, k):
        found = 0.0
        for n in range(relative.shape[1]):
            one, other = relative[a, n, h], relative[b, n, k]
            found += weight[n] * np.mean((one - one.mean()) * (other - other.mean()))
        return found

    found = []
    for s in range(n_sessions - 1):
        four = np.mean([shared(s, s + 1, h, k) for h in range(2) for k in range(2)])
        found.append(four / np.sqrt(shared(s, s, 0, 1) * shared(s + 1, s + 1, 0, 1)))
    assert value(observed)["maps_first"] == pytest.approx(np.mean(found), rel=1e-9)


def test_vectors__literal():
    observed = small()
    rate = literal(observed)

    def shared(a, b, h, k):
        return sum(np.cov(rate[a, :, h, c], rate[b, :, k, c])[0, 1] for c in range(rate.shape[-1]))

    a, b = 0, len(rate) - 1  # the only pair that is far
    four = np.mean([shared(a, b, h, k) for h in range(2) for k in range(2)])
    expected = four / np.sqrt(shared(a, a, 0, 1) * shared(b, b, 0, 1))
    assert value(observed)["vectors_last"] == pytest.approx(expected, rel=1e-9)


def test_information__literal():
    observed = small()
    relative, weight = relative_and_weight(observed)
    bits = []
    for session in relative:
        square = sum(w * np.mean(m[0] * m[1]) for w, m in zip(weight, session, strict=True))
        mean = sum(w * m[0].mean() * m[1].mean() for w, m in zip(weight, session, strict=True))
        bits.append(np.log2(square / mean))
    slope = np.polyfit(np.linspace(0, 1, len(bits)), np.log(bits), 1)[0]
    found = value(observed)
    assert found["information_level"] == pytest.approx(np.exp(np.mean(np.log(bits))), rel=1e-9)
    assert found["information_course"] == pytest.approx(slope, rel=1e-6)


def test_active__literal():
    rng = np.random.default_rng(5)
    observed = seen(world("turnover", rng, n_units=15, n_sessions=4), rng, events=8.0)
    rate = literal(observed).mean(axis=-1)
    on = np.zeros(rate.shape, bool)
    for s in range(4):
        for h in range(2):
            on[s, :, h] = rate[s, :, h] > 0.1 * rate[s, :, h].mean()
    shares, kept = [], []
    for s in range(4):
        both = sum(one and other for one, other in on[s])
        shares.append(on[s, :, 0].sum() * on[s, :, 1].sum() / both / 15)
        if s < 3:
            again = np.mean([(on[s, :, h] & on[s + 1, :, k]).sum() for h in (0, 1) for k in (0, 1)])
            kept.append(again / both)
    found = value(observed)
    assert found["active_level"] == pytest.approx(np.exp(np.mean(np.log(shares))), rel=1e-9)
    assert found["survival_first"] == pytest.approx(np.mean(kept), rel=1e-9)


def test_rate_changes__literal():
    observed = small()
    relative, weight = relative_and_weight(observed)
    second, fourth, across, within, once, twice = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for s in range(len(relative) - 1):
        for n, w in enumerate(weight):
            before, after = relative[s, n], relative[s + 1, n]
            whole = after.mean(axis=-1) - before.mean(axis=-1)
            odd = after[:, ::2].mean(axis=-1) - before[:, ::2].mean(axis=-1)
            even = after[:, 1::2].mean(axis=-1) - before[:, 1::2].mean(axis=-1)
            second += w * whole[0] * whole[1]
            once += w
            fourth += w**2 * odd[0] * odd[1] * even[0] * even[1]
            across += w**2 * (odd[0] * even[1] + odd[1] * even[0]) / 2
            within += w**2 * (odd[0] * even[0] + odd[1] * even[1]) / 2
            twice += w**2
    found = value(observed)
    assert found["rate_changes_scale"] == pytest.approx(np.sqrt(second / once), rel=1e-9)
    noise = (within - across) / twice
    fourth = fourth / twice - 2 * across / twice * noise - noise**2
    excess = fourth / (across / twice) ** 2 - 3
    assert found["rate_changes_kurtosis"] == pytest.approx(np.arcsinh(excess), rel=1e-9)


def test_gini__literal():
    observed = small()
    rate = literal(observed).mean(axis=-1)
    found = []
    for session in rate:
        n = len(session)
        plain, other = [], []
        for h in range(2):
            own, order = session[:, h], session[:, 1 - h]
            differences = sum(abs(a - b) for a in own for b in own)
            plain.append(differences / (2 * n * (n - 1) * own.mean()))
            ahead = sum(
                np.sign(round(order[i] - order[j], 12)) * own[i] for i in range(n) for j in range(n)
            )
            other.append(ahead / (n * (n - 1) * own.mean()))
        found.append(np.sqrt(np.mean(plain) * np.mean(other)))
    expected = np.exp(np.mean(np.log(found)))
    assert value(observed)["gini_level"] == pytest.approx(expected, rel=1e-9)


def test_decoding__literal():
    observed = small(n_units=10)  # one group
    rate = literal(observed)
    rate = rate / np.sqrt(rate.mean(axis=(0, 2, 3)))[None, :, None, None]

    def skill(one, other):
        """1 less twice the share of wrong bins before the right one, both ways."""
        n, before = one.shape[1], 0.0
        for templates, vectors in ((one, other), (other, one)):
            for c in range(n):
                alike = [np.corrcoef(templates[:, k], vectors[:, c])[0, 1] for k in range(n)]
                before += sum(alike[k] > alike[c] for k in range(n) if k != c)
        return 1 - before / (n * (n - 1))

    pairs = [(0, 0), (0, 1), (1, 0), (1, 1)]
    a, b = rate[0], rate[-1]
    across = np.mean([skill(a[:, h], b[:, k]) for h, k in pairs])
    ceiling = np.sqrt(skill(a[:, 0], a[:, 1]) * skill(b[:, 0], b[:, 1]))
    assert value(observed)["decoding_last"] == pytest.approx(across / ceiling, rel=1e-9)


def test_relations__literal():
    observed = small(n_units=8)
    observed = replace(
        observed,
        geometry="none",
        events=observed.events[..., ::3],
        seconds=observed.seconds[..., ::3],
        segment=np.zeros(7, int),
    )
    relative, weight = relative_and_weight(observed)
    relative = relative * np.sqrt(weight)[None, :, None, None]
    relative = relative - relative.mean(axis=-1, keepdims=True)
    n_units, n = relative.shape[1], relative.shape[-1]
    one, other = np.triu_indices(n, k=1)
    design = np.ones((one.size, n + 1))
    for row, pair in enumerate(zip(one, other, strict=True)):
        design[row, 1:] = [c in pair for c in range(n)]

    def kernel(s, h, unit):
        entries = relative[s, unit, h][one] * relative[s, unit, h][other]
        return entries - design @ np.linalg.lstsq(design, entries, rcond=None)[0]

    def shared(a, b):
        """Of all pairs of units, and of different ones."""
        halves = [(0, 1), (1, 0)] if a == b else [(h, k) for h in (0, 1) for k in (0, 1)]
        total, between = 0.0, 0.0
        for h, k in halves:
            for i in range(n_units):
                for j in range(n_units):
                    product = kernel(a, h, i) @ kernel(b, k, j) / len(halves)
                    total += product
                    between += product * (i != j)
        return total / n_units**2, between / (n_units * (n_units - 1))

    (total, _), (first, q_first), (last, q_last) = shared(0, 3), shared(0, 0), shared(3, 3)
    unrelated = np.sqrt(max(q_first, 0) * max(q_last, 0))
    expected = (total - unrelated) / (np.sqrt(first * last) - unrelated)
    assert value(observed)["relations_last"] == pytest.approx(np.clip(expected, -1, 2), rel=1e-6)


def test_shifts__literal():
    observed = small()
    relative, weight = relative_and_weight(observed)
    angle = 2 * np.pi * (np.arange(N_BINS) + 0.5) / N_BINS

    def similarity(a, b, wave):
        def shared(s, t):
            pairs = [(0, 1)] if s == t else [(h, k) for h in (0, 1) for k in (0, 1)]
            found = 0.0
            for n, w in enumerate(weight):
                for h, k in pairs:
                    one, other = (relative[s, n, h] @ wave, relative[t, n, k] @ wave)
                    found += w * (np.conj(one) * other).real / len(pairs)
            return found

        return shared(a, b) / np.sqrt(shared(a, a) * shared(b, b))

    n = len(relative)
    cosines = [
        similarity(s, s + 1, np.exp(1j * angle)) / similarity(s, s + 1, np.ones(N_BINS))
        for s in range(n - 1)
    ]
    assert value(observed)["shifts_scale"] == pytest.approx(1 - np.mean(cosines), abs=1e-9)


def test_steps__literal():
    rng = np.random.default_rng(7)
    observed = seen(world("jump", rng, n_units=40, n_sessions=4) + 0.05, rng, events=150.0)
    relative, weight = relative_and_weight(observed)
    relative = relative * np.sqrt(weight)[None, :, None, None]
    n_sessions, n_units = relative.shape[:2]

    def product(s, t, n, start):
        pairs = [(0, 1)] if s == t else [(h, k) for h in (0, 1) for k in (0, 1)]
        parts = relative[:, n, :, start::2]
        return np.mean([np.mean(parts[s, h] * parts[t, k]) for h, k in pairs])

    within, between = 0.0, 0.0
    for s in range(n_sessions):
        for n in range(n_units):
            odd, even = (relative[s, n, :, start::2].sum(axis=-1) for start in (0, 1))
            within += odd[0] * even[0] + odd[1] * even[1]
            between += odd[0] * even[1] + odd[1] * even[0]
    v = within / between - 1
    joint, steps = [], ([], [])
    for s in range(n_sessions - 1):
        for n in range(n_units):
            a, b, c = (
                [product(i, j, n, start) for start in (0, 1)]
                for i, j in ((s, s), (s + 1, s + 1), (s, s + 1))
            )
            found = (a[0] * a[1] + b[0] * b[1]) / (1 + v) ** 2 + a[0] * b[1] + b[0] * a[1]
            found -= 2 * ((a[0] + b[0]) * c[1] + (a[1] + b[1]) * c[0]) / (1 + v)
            joint.append(found + 4 * c[0] * c[1] / (1 + v / 2) ** 2)
            for part in (0, 1):
                steps[part].append(a[part] + b[part] - 2 * c[part])
    powers = [
        [product(s, s, n, start) for s in range(n_sessions) for n in range(n_units)]
        for start in (0, 1)
    ]
    size = np.mean(np.multiply(*powers)) / (1 + v) ** 2 / (np.mean(powers[0]) * np.mean(powers[1]))
    moved = np.mean(joint) / (np.mean(steps[0]) * np.mean(steps[1]))
    assert value(observed)["steps_tails"] == pytest.approx(np.log(moved / size), abs=1e-9)


# --- what must not matter


@pytest.mark.parametrize("n_units", [40, 7])
def test_invariance__time_and_gain(n_units):
    rng = np.random.default_rng(2)
    observed = seen(world("jump", rng, n_units=n_units) + 0.02, rng, ring=False)
    plain = value(observed)
    later = value(replace(observed, day=observed.day * 1000 + 5))
    gained = value(replace(observed, seconds=observed.seconds / 10))
    by_day = np.linspace(0.3, 3, len(observed.day))[None, :, None]
    brighter = value(replace(observed, seconds=observed.seconds / by_day))
    np.testing.assert_allclose(list(later.values()), list(plain.values()), atol=1e-9)
    np.testing.assert_allclose(list(gained.values()), list(plain.values()), atol=1e-9)
    np.testing.assert_allclose(list(brighter.values()), list(plain.values()), atol=1e-7)


def test_invariance__order_of_cells_and_cells_twice():
    observed = small(n_units=100)
    rates, detected = observed.events, observed.detected
    plain = value(observed)
    turned = value(replace(observed, events=rates[:, :, ::-1], detected=detected[:, ::-1]))
    twice = value(
        replace(
            observed,
            events=np.concatenate([rates, rates], axis=2),
            detected=np.concatenate([detected, detected], axis=1),
        )
    )
    grouped = ("decoding", "relations")  # cells are drawn to groups
    for name in STATISTICS:
        if not name.startswith(grouped):
            assert turned[name] == pytest.approx(plain[name], rel=1e-9, nan_ok=True), name
        if name.startswith(("maps", "vectors", "information", "width", "shifts", "steps", "surv")):
            assert twice[name] == pytest.approx(plain[name], rel=1e-6, nan_ok=True), name


@pytest.mark.parametrize("change", ["walk", "factors", "turnover"])
def test_few_events__make_noise_and_no_bias(change):
    exact = of(change, n_units=200)
    rates = world(change, np.random.default_rng(1), n_units=200)
    draws = [value(seen(rates, np.random.default_rng(k), events=20.0)) for k in range(12)]
    for name in ("maps_first", "maps_last", "vectors_first", "rates_first", "overlap_first",
                 "survival_first", "information_level", "active_level", "gini_level",
                 "shifts_scale", "rate_changes_scale", "width_level"):  # fmt: skip
        several = np.array([draw[name] for draw in draws])
        error = several.std(ddof=1) / np.sqrt(len(several))
        assert abs(several.mean() - exact[name]) < 4 * error + 0.015, name


def test_few_events__a_naive_correlation_is_biased():
    rates = world("nothing", np.random.default_rng(1), n_units=200)
    observed = seen(rates, np.random.default_rng(2), events=20.0)
    naive = np.mean([np.corrcoef(observed.events[:, :2].sum(axis=0)[:, n])[0, 1]
                     for n in range(200)])  # fmt: skip
    assert naive < 0.9 and abs(value(observed)["maps_first"] - 1) < 0.05


@pytest.mark.parametrize("variance", [0.0, 0.25])
def test_uneven_laps__are_seen_and_taken_out(variance):
    rng = np.random.default_rng(12)
    rates = world("turnover", rng, n_units=800)
    exact = value(seen(rates))
    observed = seen(rates)
    factor = 1.0
    if variance:
        factor = rng.gamma(1 / variance, variance, (*observed.events.shape[:3], 1))
    observed = replace(observed, events=rng.poisson(observed.events * factor), counts=True)
    found = statistics_of(observed, se=False)
    assert found.attrs["unevenness"] == pytest.approx(variance, abs=0.03)
    tails = found["value"].sel(statistic=["steps_tails", "rate_changes_kurtosis"]).values
    assert tails[0] == pytest.approx(exact["steps_tails"], abs=0.15)
    assert tails[1] == pytest.approx(exact["rate_changes_kurtosis"], abs=0.4)
    assert found["value"].sel(statistic="maps_first") == pytest.approx(
        exact["maps_first"], abs=0.04
    )


def test_noise__has_no_tails():
    rng = np.random.default_rng(13)
    rates = world("nothing", rng, n_units=100)
    draws = [value(seen(rates, np.random.default_rng(k), events=10.0)) for k in range(20)]
    told = [draw["steps_tails"] for draw in draws] + [draw["rate_changes_skew"] for draw in draws]
    assert np.isfinite(told).mean() < 0.2


# --- known truth


def test_truth__nothing_changes():
    found = of("nothing", events=30.0)
    for family in ("maps", "vectors", "rates", "overlap", "decoding"):
        for member in ("first", "last"):
            assert found[f"{family}_{member}"] == pytest.approx(1, abs=0.05)
        assert np.isnan(found[f"{family}_shape"])
    assert abs(found["rate_changes_scale"]) < 0.1 and np.isnan(found["steps_tails"])
    assert abs(found["active_course"]) < 0.05 and abs(found["information_course"]) < 0.05
    assert found["relations_first"] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("events", [None, 60.0])
def test_truth__fields_walk(events):
    found = of("walk", events=events, n_units=600)
    step = 2 * np.pi * 0.06
    assert found["shifts_scale"] == pytest.approx(1 - np.exp(-(step**2) / 2), abs=0.012)
    assert abs(found["shifts_tails"]) < 0.25 and abs(found["shifts_neighbours"]) < 0.25
    # bumps of width w that moved by a step with variance v: overlap (1 + v / 2 w^2)^(-1/2)
    even = np.mean(bumps(np.array([0.5]), True)) ** 2 / np.mean(bumps(np.array([0.5]), True) ** 2)
    expected = ((1 + 0.06**2 / (2 * WIDTH**2)) ** -0.5 - even) / (1 - even)
    assert found["maps_first"] == pytest.approx(expected, abs=0.02)
    assert 0.3 < found["maps_shape"] < 1 and abs(found["rate_changes_scale"]) < 0.1


@pytest.mark.parametrize("events", [None, 60.0])
def test_truth__fields_jump(events):
    found = of("jump", events=events, n_units=600)
    assert found["maps_first"] == pytest.approx(0.8, abs=0.03)
    assert found["maps_last"] == pytest.approx((0.8**4 * 2 + 0.8**5) / 3, abs=0.06)
    assert found["shifts_scale"] == pytest.approx(0.2, abs=0.04)
    assert found["shifts_tails"] == pytest.approx(1, abs=0.15)
    assert found["steps_tails"] > of("walk")["steps_tails"] + 0.5
    assert abs(found["relations_last"]) < 0.3 + found["maps_last"]


def test_truth__cells_turn_over():
    found = of("turnover", events=100.0, n_units=2000)
    assert found["active_level"] == pytest.approx(0.5, abs=0.03)
    assert found["survival_first"] == pytest.approx(0.8, abs=0.02)
    chance = [(1 + 0.6**lag) / 2 for lag in (4, 4, 5)]
    assert found["survival_last"] == pytest.approx(np.mean(chance), abs=0.03)
    assert abs(found["survival_history"]) < 0.15 and abs(found["active_course"]) < 0.1
    assert np.isnan(found["shifts_tails"]) and abs(found["shifts_scale"]) < 0.01


def test_truth__cells_fall_silent():
    found = of("silencing", events=100.0, n_units=2000)
    assert found["active_course"] == pytest.approx(5 * np.log(0.8), abs=0.1)
    assert found["survival_last"] == pytest.approx((2 * 0.8**4 + 0.8**5) / 3, abs=0.03)
    assert found["gini_course"] > 0.2


def test_truth__rates_change_by_factors():
    found = of("factors", events=200.0, n_units=2000)
    assert abs(found["rate_changes_dependence"]) < 0.25
    assert found["maps_first"] > 0.9 and abs(found["shifts_scale"]) < 0.01
    assert found["information_level"] == pytest.approx(of("nothing")["information_level"], abs=0.03)


def test_truth__rates_change_by_amounts():
    rng = np.random.default_rng(3)
    gain = np.exp(0.5 * rng.standard_normal(2000))
    field = bumps(rng.uniform(0, 1, 2000), True)
    rates = np.array(
        [np.maximum(gain + 0.15 * rng.standard_normal(2000), 0)[:, None] * field for _ in range(5)]
    )
    found = value(seen(rates))
    assert found["rate_changes_dependence"] == pytest.approx(-2, abs=0.25)
    assert found["rate_changes_neighbours"] == pytest.approx(-0.5, abs=0.05)  # jitter


@pytest.mark.parametrize(("share", "low", "high"), [(1.0, -0.3, 0.3), (0.05, 3.0, 6.0)])
def test_truth__tails_of_rate_changes(share, low, high):
    rng = np.random.default_rng(6)
    field = bumps(rng.uniform(0, 1, 2000), True)
    log_gain, rates = np.zeros(2000), []
    for _ in range(6):
        rates.append(np.exp(log_gain)[:, None] * field)
        log_gain = log_gain + 0.15 / np.sqrt(share) * rng.standard_normal(2000) * (
            rng.random(2000) < share
        )
    assert low < value(seen(np.array(rates)))["rate_changes_kurtosis"] < high


def test_truth__a_code_that_turns_keeps_its_relations():
    rng = np.random.default_rng(4)
    rates = world("nothing", rng, n_units=200, n_sessions=6) + 1.0
    rates = rates / rates.mean(axis=(0, 2), keepdims=True)
    pairs = rng.permutation(200).reshape(100, 2)
    deviation = rates - 1.0
    for s in range(6):
        angle = np.deg2rad(12.0 * s)
        one, other = deviation[0, pairs[:, 0]], deviation[0, pairs[:, 1]]
        rates[s, pairs[:, 0]] = 1 + np.cos(angle) * one + np.sin(angle) * other
        rates[s, pairs[:, 1]] = 1 + np.cos(angle) * other - np.sin(angle) * one
    found = value(seen(rates - min(rates.min(), 0.0)))
    assert found["maps_last"] < 0.75 and found["relations_last"] > 0.9
    moved = of("walk", n_units=200)
    assert moved["relations_last"] < 0.4


def test_truth__wider_fields_are_wider():
    x = (np.arange(N_BINS) + 0.5) / N_BINS
    centre = np.random.default_rng(0).uniform(0, 1, 200)
    found = []
    for width in (0.05, 0.1):
        away = (x - centre[:, None] + 0.5) % 1 - 0.5
        rates = np.tile(np.exp(-0.5 * (away / width) ** 2)[None], (3, 1, 1))
        found.append(value(seen(rates)))
    assert found[0]["width_level"] == pytest.approx(0.05 * 2 * np.sqrt(np.log(2)), rel=0.15)
    assert found[1]["width_level"] > 1.6 * found[0]["width_level"]
    assert found[0]["information_level"] > found[1]["information_level"] + 0.7


# --- errors


def test_se__is_about_the_spread_of_animals():
    found = [statistics_of(seen(world("jump", rng, n_units=100), rng, events=60.0))
             for rng in map(np.random.default_rng, range(16))]  # fmt: skip
    for name in ("maps_first", "maps_last", "active_level", "decoding_first", "shifts_scale"):
        spread = np.std([one["value"].sel(statistic=name).item() for one in found], ddof=1)
        claimed = np.mean([one["se"].sel(statistic=name).item() for one in found])
        assert 0.5 * spread <= claimed <= 2 * spread + 1e-3, name


def test_se__changes_no_value_and_the_seed_only_what_is_grouped():
    observed = small(n_units=60)
    one, other = statistics_of(observed), statistics_of(observed, se=False)
    np.testing.assert_allclose(one["value"], other["value"], rtol=1e-9)
    assert "se" not in other and (one["se"] > 0).sum() > 30
    seeded = statistics_of(observed, seed=1, se=False)["value"]
    same = np.isclose(seeded, one["value"], equal_nan=True, rtol=1e-9)
    assert {name.split("_")[0] for name in np.array(STATISTICS)[~same]} <= {"decoding", "relations"}


def test_cost__is_small():
    observed = seen(world("walk", np.random.default_rng(0), n_units=200, n_sessions=8))
    observed = replace(
        observed,
        events=np.concatenate([observed.events] * 2, axis=-1),
        seconds=np.concatenate([observed.seconds] * 2, axis=-1),
        segment=np.repeat([0, 1], N_BINS),
    )
    took = []
    for _ in range(3):
        start = time.process_time()
        statistics_of(observed)
        took.append(time.process_time() - start)
    assert min(took) < 0.3


# --- odd shapes


def odd(**shape):
    shape = {"n_sessions": 4, "n_units": 6, "n_bins": 8} | shape
    rng = np.random.default_rng(0)
    return Observed(
        rng.poisson(5.0, (2, shape["n_sessions"], shape["n_units"], shape["n_bins"])),
        np.ones((2, shape["n_sessions"], shape["n_bins"])),
        np.ones((shape["n_sessions"], shape["n_units"]), bool),
        np.arange(shape["n_sessions"], dtype=float),
        np.zeros(shape["n_bins"], int),
    )


ODD = {
    "one unit": odd(n_units=1),
    "two units": odd(n_units=2),
    "no unit": odd(n_units=0),
    "one session": odd(n_sessions=1),
    "two sessions": odd(n_sessions=2),
    "one condition": odd(n_bins=1),
    "two conditions": odd(n_bins=2),
    "silent": replace(odd(), events=np.zeros((2, 4, 6, 8))),
    "one event a unit": replace(odd(), events=np.eye(8)[:6] * np.ones((2, 4, 1, 1))),
    "nothing detected": replace(odd(), detected=np.zeros((4, 6), bool)),
    "nothing visited": replace(odd(), seconds=np.zeros((2, 4, 8))),
    "detected in turn": replace(odd(), detected=np.arange(4)[:, None] % 2 == np.arange(6) % 2),
    "segments of one bin": replace(odd(), segment=np.arange(8)),
    "without order": replace(odd(), geometry="none"),
}


@pytest.mark.parametrize("name", ODD)
def test_odd__shapes(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = statistics_of(ODD[name])
    assert list(found["statistic"].values) == list(STATISTICS)
    assert not np.isinf(found["value"]).any() and not np.isinf(found["se"]).any()
    known = np.isfinite(found["value"].values)
    assert known.any() == (name not in ("no unit", "silent", "nothing detected", "nothing visited"))


def test_odd__what_is_not_defined():
    found = value(ODD["without order"])
    assert all(np.isnan(found[name]) for name in STATISTICS if name.startswith(("width", "shifts")))
    found = value(small(n_sessions=2, n_units=40))
    assert found["maps_first"] == found["maps_last"]
    for ending in ("shape", "acceleration", "bend", "history", "neighbours"):
        assert all(np.isnan(found[name]) for name in STATISTICS if name.endswith(ending))
    found = value(ODD["one session"])
    assert np.isnan(found["maps_first"]) and found["active_level"] == pytest.approx(1)


def test_odd__conditions_that_a_half_missed_do_not_count():
    observed = small()
    seconds, events = observed.seconds.copy(), observed.events.copy()
    seconds[1, 2, 3], events[1, 2, :, 3] = 0.0, 0.0
    found = statistics_of(replace(observed, seconds=seconds, events=events))
    kept = np.arange(N_BINS) != 3
    without = statistics_of(
        replace(
            observed,
            seconds=observed.seconds[..., kept],
            events=observed.events[..., kept],
            segment=observed.segment[kept],
        )
    )
    assert found.attrs["n_conditions"] == N_BINS - 1
    np.testing.assert_array_equal(found["value"], without["value"])


def test_odd__a_unit_that_was_not_detected_is_not_silent():
    rng = np.random.default_rng(8)
    observed = seen(world("nothing", rng, n_units=400), rng, events=60.0)
    detected = rng.random(observed.detected.shape) < 0.7
    events = np.where(detected[None, :, :, None], observed.events, 0)
    missing, silent = replace(observed, detected=detected), replace(observed, events=events)
    assert value(missing)["active_level"] == pytest.approx(1, abs=0.02)
    assert value(silent)["active_level"] == pytest.approx(0.7, abs=0.05)
    for name in ("maps_last", "vectors_last", "rates_last", "overlap_last", "relations_last"):
        assert value(missing)[name] == pytest.approx(1, abs=0.08), name
    garbage = np.where(detected[None, :, :, None], observed.events, 1000)
    for filled in (garbage, np.where(garbage == 1000, np.nan, garbage)):
        other = value(replace(missing, events=filled))
        np.testing.assert_allclose(list(other.values()), list(value(missing).values()), rtol=1e-9)


@pytest.mark.parametrize("wrong", [np.nan, -1.0])
def test_odd__events_that_are_no_events(wrong):
    observed = odd()
    events = observed.events.astype(float)
    events[0, 1, 2, 3] = wrong
    with pytest.raises(ValueError, match="must be finite and not below 0"):
        statistics_of(replace(observed, events=events))
