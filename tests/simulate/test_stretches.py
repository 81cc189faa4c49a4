"""Stretches let Ctrl-C be heard and change no number."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from neurodrift import simulate
from neurodrift.simulate import stretches
from neurodrift.simulate.gradient import _runner
from neurodrift.simulate.stretches import Stretches


def _trained(rule, engine):
    return simulate.train(
        simulate.random(seed=3),
        network=simulate.Network(n_hidden=20),
        rule=simulate.Rule(name=rule, update_noise=0.0 if rule == "sed" else 0.02, label_noise=0.1),
        n_steps=700,
        measures=3,
        snapshots=3,
        engine=engine,
    )


@pytest.mark.parametrize(
    ("rule", "engine"), [("sgd", "numba"), ("adam", "numba"), ("sed", "numba"), ("sgd", "torch")]
)
def test_train__stretches_of_any_length_give_the_same_bits(rule, engine, monkeypatch):
    if engine == "torch":
        pytest.importorskip("torch")
    found = []
    for length in (0.0, 1e-3, 1e9):
        monkeypatch.setattr(stretches, "LONGEST", length)
        found.append(_trained(rule, engine))
    for one in found[1:]:
        for name in found[0].weights:
            np.testing.assert_array_equal(one.weights[name], found[0].weights[name])
        assert one.measures.equals(found[0].measures)


def test_hebbian__stretches_of_any_length_give_the_same_bits(monkeypatch):
    found = []
    for length in (0.0, 1e9):
        monkeypatch.setattr(stretches, "LONGEST", length)
        found.append(
            simulate.train_hebbian(
                simulate.ring(n_positions=30),
                network=simulate.HebbianNetwork(n_units=10),
                n_steps=300,
                measures=3,
                snapshots=3,
            )
        )
    for name in "WMb":
        np.testing.assert_array_equal(found[0].weights[name], found[1].weights[name])


def test_stops__cover_the_way_and_grow(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(stretches.time, "perf_counter", lambda: clock[0])
    made, lengths = 0, []
    for stop in Stretches().stops(0, 100_000):
        clock[0] += (stop - made) * 1e-3  # a millisecond a step
        lengths.append(stop - made)
        made = stop
    assert made == 100_000 and lengths[0] == 16
    assert max(lengths) == 500 and set(lengths[3:-1]) <= {499, 500}
    assert list(Stretches().stops(5, 5)) == []


def test_train_group__is_given_up(monkeypatch):
    ended = threading.Event()
    ended.set()
    setups = []
    monkeypatch.setattr(_runner, "_trainer", lambda made, plan: setups.extend(made))
    plan = _runner.Plan(
        n_steps=10, snapshots=np.array([10]), measures=np.array([10]), n_early=0, device="cpu",
        dtype="float64", divergence="lasting", checkpoint_every=100,
    )  # fmt: skip
    one = _runner.Setup(
        simulate.random(seed=0), simulate.Network(n_hidden=3), simulate.Rule(), 0, "numba"
    )
    with pytest.raises(InterruptedError, match="given up"):
        _runner.train_group([one], plan, None, ended)
    assert setups == [one]
