"""Time or behaviour, new maps or new speed, and which units are stable: in animals of known truth.

    python benchmarks/drift_behaviour.py                       # 400 animals a row: hours
    python benchmarks/drift_behaviour.py --animals 40 --topic pairs
    python benchmarks/drift_behaviour.py --small

`pairs`: shares of animals in which `explain_drift` finds time, behaviour (p at most .05), or says
that they cannot be told apart, and the mean slope of lag, of the similarity of mean rates. Speeds
of a row are in random order, or rise.

`tuning`: gain of `compute_tuning_change` over two sessions, shares of animals and of units with p
at most .05 (19 shifts).

`units`: shares of animals in which `predict_stability` calls a predictor beyond chance; in `linked`
units drift the less the higher their rate is. Also the mean effect of the rate less its null.
"""

from __future__ import annotations

import argparse

import known_animals as animals
import numpy as np

import neurodrift as nd
from neurodrift.analysis.drift.ceiling import compute_half_maps, compute_session_drift
from neurodrift.analysis.drift.drift import compute_drift

SPEEDS = (1.0, 1.15, 1.3, 1.45, 1.6, 1.75)
MEASURE = "ensemble_rate_correlation"  # of halves: their noise is alike in all pairs


def linked(seed: list[int], **options: int) -> animals.Animal:
    """Fields walk by 12 cm over the square of the gain of their unit, at most 30 cm."""
    n = options.get("n_units", 60)
    gain = np.exp(0.5 * np.random.default_rng(seed).standard_normal(n))  # the first draw of make
    size = np.minimum(12.0 / gain**2, 30.0)[:, None]
    return animals.make("independent", np.random.default_rng(seed), size=size, **options)


def pairs(n_animals: int) -> None:
    print("pairs: time, behaviour, cannot be told apart, slope of lag [1/day], beside behaviour")
    for name, truth, order in (
        ("stable", "stable", "none"),
        ("rates change, one speed", "rates", "none"),
        ("behaviour, any order", "behaviour", "random"),
        ("behaviour, rising", "behaviour", "rising"),
        ("rates change, speeds in any order", "rates", "random"),
    ):
        found = []
        for i in range(n_animals):
            rng = np.random.default_rng([31, i])
            speeds = {"none": None, "rising": SPEEDS, "random": rng.permutation(SPEEDS)}[order]
            animal = animals.make(truth, rng, speeds=speeds)
            halves = compute_half_maps(animal.recording, split="lap")
            drift = compute_session_drift(compute_drift(halves, per_unit=False))
            away = nd.compute_behaviour_distance(animal.recording)
            told = nd.explain_drift(drift, away, measure=MEASURE)
            p = told["p"].values
            apart = told.attrs["verdict"] == "cannot be told apart"
            slopes = float(told["slope_alone"][0]), float(told["slope"][0])
            found.append([p[0] <= 0.05, p[1] <= 0.05, apart, *slopes])
        mean = np.mean(found, axis=0)
        numbers = " ".join(f"{v:6.2f}" for v in mean[:3]) + f" {mean[3]:8.4f} {mean[4]:8.4f}"
        print(f"  {name:36s}{numbers}", flush=True)


def tuning(n_animals: int) -> None:
    print("tuning: gain [bit/event], by behaviour, animals with p <= .05, units with p <= .05")
    for truth, speeds in (
        ("stable", None),
        ("behaviour", (1.0, 1.6)),
        ("events", None),
        ("independent", None),
        ("jumps", None),
    ):
        found = []
        for i in range(n_animals):
            rng = np.random.default_rng([32, i])
            animal = animals.make(truth, rng, n_units=20, n_sessions=2, speeds=speeds)
            one = nd.compute_tuning_change(animal.recording)
            told = one["p"].values[np.isfinite(one["p"].values)]
            events = one["n_events"].values[np.isfinite(one["p"].values)]
            own = one["behaviour_gain"].values[np.isfinite(one["p"].values)]
            by_speed = float((own * events).sum() / events.sum())
            units = float((told <= 0.05).mean())
            found.append([float(one["mean_gain"]), by_speed, float(one["mean_p"]) <= 0.05, units])
        mean = np.mean(found, axis=0)
        print(f"  {truth:14s}" + " ".join(f"{v:7.3f}" for v in mean), flush=True)


def units(n_animals: int) -> None:
    print("units: any, rate, information, width, peak beyond; effect of rate less its null")
    for truth in ("stable", "events", "rates", "independent", "linked"):
        found = []
        for i in range(n_animals):
            seed = [33, i]
            make = animals.make
            animal = linked(seed) if truth == "linked" else make(truth, np.random.default_rng(seed))
            one = nd.predict_stability(animal.recording, n_repeats=39)
            beyond = one["beyond"].values
            net = float(one["effect"][0] - one["effect_null"][0])
            found.append([beyond.any(), *beyond, net])
        mean = np.mean(found, axis=0)
        print(f"  {truth:14s}" + " ".join(f"{v:6.2f}" for v in mean), flush=True)


TOPICS = {"pairs": pairs, "tuning": tuning, "units": units}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="one animal of each")
    parser.add_argument("--animals", type=int, default=400)
    parser.add_argument("--topic", choices=list(TOPICS))
    given = parser.parse_args()
    for name, topic in TOPICS.items():
        if given.topic in (None, name):
            topic(1 if given.small else given.animals)


if __name__ == "__main__":
    main()
