"""Noise, and the exactness of what the numba engine leaves out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neurodrift.simulate.gradient._numba.fused import FusedNetwork
from neurodrift.simulate.gradient._numba.noise import N_STREAMS, fill_normal, fill_uniform
from neurodrift.simulate.gradient.networks import Network
from neurodrift.simulate.gradient.rules import Rule
from neurodrift.simulate.gradient.tasks import Task


def state(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(2**32, size=4 * N_STREAMS, dtype=np.uint32)


def xoshiro128pp(words: np.ndarray, n: int) -> np.ndarray:
    """Literal xoshiro128++, one generator at a time, in Python integers."""
    mask = 2**32 - 1

    def turn(x: int, k: int) -> int:
        return ((x << k) | (x >> (32 - k))) & mask

    out = np.zeros((n, N_STREAMS), dtype=np.uint64)
    for lane in range(N_STREAMS):
        s = [int(words[i * N_STREAMS + lane]) for i in range(4)]
        for i in range(n):
            out[i, lane] = (turn((s[0] + s[3]) & mask, 7) + s[0]) & mask
            t = (s[1] << 9) & mask
            s[2] ^= s[0]
            s[3] ^= s[1]
            s[1] ^= s[2]
            s[0] ^= s[3]
            s[2] ^= t
            s[3] = turn(s[3], 11)
    return out.ravel()


def test_fill_uniform__literal_generator() -> None:
    out = np.zeros(30 * N_STREAMS, np.float32)
    fill_uniform(state(), out, out.size)
    expected = ((xoshiro128pp(state(), 30) >> 8) + 0.5) / 2**24 - 0.5
    np.testing.assert_allclose(out, expected, rtol=0, atol=2**-25)


def test_fill_normal__literal_box_muller() -> None:
    out = np.zeros(40 * N_STREAMS, np.float32)
    fill_normal(state(), out, out.size)
    words = xoshiro128pp(state(), 40).reshape(-1, 2, N_STREAMS)
    radius = np.sqrt(-2 * np.log(((words[:, 0] >> 8) + 1.0) / 2**24))
    turn = words[:, 1]
    angle = (((turn << 2) % 2**32 >> 8) + 0.5) / 2**24 * np.pi / 2 - np.pi / 4
    angle = np.where(turn & 2**30, angle + np.pi / 2, angle)
    sign = np.where(turn & 2**31, -1, 1)
    expected = np.stack([sign * radius * np.sin(angle), sign * radius * np.cos(angle)], axis=1)
    swapped = (turn & 2**30) > 0
    expected[:, 1][swapped] = -sign[swapped] * radius[swapped] * np.sin(angle[swapped] - np.pi / 2)
    expected[:, 0][swapped] = sign[swapped] * radius[swapped] * np.cos(angle[swapped] - np.pi / 2)
    np.testing.assert_allclose(out, expected.ravel(), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("n", [1, 127, 128, 129, 5000])
def test_fill_normal__goes_on_where_it_stopped(n: int) -> None:
    whole, parts = np.zeros(8192, np.float32), np.zeros(8192, np.float32)
    used = -(-n // 128) * 128
    fill_normal(state(), whole, 8192)
    stream = state()
    fill_normal(stream, parts, n)
    assert (parts[:used] == whole[:used]).all()
    assert (parts[used:] == 0).all()
    fill_normal(stream, parts, 128)
    if used < 8192 - 128:
        assert (parts[:128] == whole[used : used + 128]).all()


def test_fill_normal__distribution() -> None:
    out = np.zeros(1 << 22, np.float32)
    fill_normal(state(3), out, out.size)
    x = out.astype(float)
    n = x.size
    assert abs(x.mean()) < 4 / np.sqrt(n)
    assert abs(x.var() - 1) < 4 * np.sqrt(2 / n)
    assert abs((x**3).mean()) < 4 * np.sqrt(15 / n)
    assert abs((x**4).mean() - 3) < 4 * np.sqrt(96 / n)
    assert stats.kstest(x, "norm").pvalue > 1e-3
    tail = (np.abs(x) > 4).mean()
    expected = 2 * stats.norm.sf(4)
    assert abs(tail - expected) < 4 * np.sqrt(expected / n)
    for lag in (1, 2, 63, 64, 65, 128, 256):
        for a in (x, x**2 - 1):
            assert abs((a[lag:] * a[:-lag]).mean()) < 4.5 * a.var() / np.sqrt(n)


def test_fill_uniform__distribution() -> None:
    out = np.zeros(1 << 20, np.float32)
    fill_uniform(state(4), out, out.size)
    assert stats.kstest(out.astype(float), stats.uniform(-0.5, 1).cdf).pvalue > 1e-3


def small_task() -> Task:
    draw = np.random.default_rng(8)
    return Task(
        name="small", inputs=draw.uniform(-1, 1, (2, 4)), targets=draw.uniform(-1, 1, (2, 3))
    )


@pytest.mark.slow
@pytest.mark.parametrize("rule_name", ["sgd", "sed"])
def test_tricks__same_distribution(rule_name: str) -> None:
    # rank factor, lazy noise of silent units and packing against every unit in every step
    rule = Rule("sgd", update_noise=0.8) if rule_name == "sgd" else Rule("sed", learning_rate=1.0)
    task, network = small_task(), Network(n_hidden=70)
    found: dict[bool, dict[str, list]] = {}
    fronts = []
    for tricks in (False, True):
        rows: dict[str, list] = {}
        for seed in range(300):
            training = FusedNetwork(
                task, network, rule, 10_000 * tricks + seed, rank_factor=tricks, packed=tricks
            )
            first = training.weights()[0]
            for stop in (700, 1300, 2000):
                training.advance(stop)
                fronts.append((tricks, int(training._counters[1])))
                if stop == 1300:
                    training.weights()
            measured = training.measure()[0]
            last = training.weights()[0]
            silent = ~(task.inputs @ last["W"].T + last["b"] > 0).any(axis=0)
            moved = {name: last[name] - first[name] for name in last}
            values = {
                "loss": measured[0],
                "active": measured[1],
                "units": measured[2],
                "norm of W": (last["W"] ** 2).sum(),
                "norm of b": (last["b"] ** 2).sum(),
                "norm of V": (last["V"] ** 2).sum(),
                "V of silent units": (last["V"][:, silent] ** 2).mean(),
                "W of silent units": (last["W"][silent] ** 2).mean(),
                "W moved": (moved["W"] ** 2).mean(),
                "V moved": (moved["V"] ** 2).mean(),
                "a weight in": last["W"][3, 2],
                "a weight out": last["V"][1, 3],
            }
            for name, value in values.items():
                rows.setdefault(name, []).append(value)
        found[tricks] = rows
    for name in found[True]:
        assert stats.ks_2samp(found[True][name], found[False][name]).pvalue > 1e-3, name
        a, b = np.array(found[True][name]), np.array(found[False][name])
        error = np.sqrt(a.var() / a.size + b.var() / b.size)
        assert abs(a.mean() - b.mean()) < 3.5 * error, name
    if rule_name == "sgd":
        widths = {front for tricks, front in fronts if tricks}
        assert min(widths) < 96  # units were indeed packed
        assert {front for tricks, front in fronts if not tricks} == {96}


def test_lazy_noise__silent_units_walk() -> None:
    # units far below threshold: their weights are a random walk of known variance
    task, network = small_task(), Network(n_hidden=500)
    rule = Rule("sgd", learning_rate=0.05, update_noise=0.1)
    training = FusedNetwork(task, network, rule, 1)
    first = training.weights()[0]
    silent = ~(task.inputs @ first["W"].T + first["b"] > -1).any(axis=0)
    assert silent.sum() > 20
    steps = (1, 300, 310, 700)
    last = first
    fronts = []
    for before, after in zip((0, *steps[:-1]), steps, strict=True):
        training.advance(after)
        fronts.append(int(training._counters[1]))
        now = training.weights()[0]
        sd = 0.05 * 0.1 * np.sqrt(after - before)
        parts = {
            "V": now["V"][:, silent] - last["V"][:, silent],
            "W": now["W"][silent] - last["W"][silent],
            "b": now["b"][silent] - last["b"][silent],
        }
        for name, part in parts.items():
            assert stats.kstest(part.ravel() / sd, "norm").pvalue > 1e-3, (name, after)
        last = now
    assert max(fronts) < 512


def test_packing__without_noise_exact() -> None:
    # frozen units are left out; nothing may change but the order of sums
    task = small_task()
    for rule in (Rule("sgd", label_noise=0.5), Rule("adam"), Rule("rmsprop")):
        a, b = (FusedNetwork(task, Network(n_hidden=90), rule, 3, packed=p) for p in (True, False))
        n_steps = 500 if rule.name == "rmsprop" else 3000  # it magnifies rounding errors
        a.advance(n_steps)
        b.advance(n_steps)
        assert a._counters[1] < b._counters[1] == 96
        for name, array in a.weights()[0].items():
            np.testing.assert_allclose(array, b.weights()[0][name], rtol=0, atol=1e-9)


def test_measure__does_not_change_the_path() -> None:
    task, rule = small_task(), Rule("sgd", update_noise=0.1, label_noise=0.3)
    a, b = (FusedNetwork(task, Network(n_hidden=200), rule, 3, dtype="float32") for _ in range(2))
    a.advance(2000)
    for step in range(7, 2000, 7):
        b.advance(step)
        b.measure()
    b.advance(2000)
    assert a._counters[1] < 224  # some units are silent, and noise waits for them
    for name, array in a.state().items():
        assert (array == b.state()[name]).all() or np.isnan(array).all(), name
