"""Drift within a session, overnight and at an intervention, on animals whose change is known.

    python benchmarks/drift_within.py                  # 400 animals a row
    python benchmarks/drift_within.py --animals 40
    python benchmarks/drift_within.py --small

Beside the animals of ``animals.py``, whose maps change between sessions alone or not at all:

``within``
    Fields walk lap by lap, by a Gaussian step of 8 cm in a session; nothing happens overnight.
``within and overnight``
    Both, each by 8 cm.
``returns``
    Fields walk within a session and are back at the start of the next.
``tired``
    Nothing moves; all rates fall to a third within every session.
``one night``
    Fields walk by 3 cm between sessions, and by 15 cm after the third one (an intervention).

Printed: agreement of the first with the last part of a session (1: no change), of neighbouring
parts, and overnight, mean and standard deviation over animals; the share of animals in which a
change within (W) and overnight (N) is called at p <= .05; coverage of 95 % intervals of both where
truth is no change; and for an intervention between the third and the fourth of eight sessions the
drop of similarity and the share of animals with p <= .05: over sessions (I), and of the night over
units (E).
"""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import known_animals as animals
import numpy as np

import neurodrift as nd

OWN = ("within", "within and overnight", "returns", "tired", "one night")
TRUTHS = (*animals.TRUTHS, *OWN)
ASKED = ("stable", "independent", "jumps", "rates", "one night")
"""Truths of which an intervention is asked."""
STILL = ("stable", "turnover", "rates", "behaviour", "events", "tired")
"""Truths whose maps never change."""


def moving(
    truth: str,
    rng: np.random.Generator,
    *,
    circle: bool = False,
    n_units: int = 60,
    n_sessions: int = 6,
    n_laps: int = 40,
) -> Any:
    """A recording of one of :data:`OWN`; all else as in :func:`animals.make`."""
    ways = (1,) if circle else (-1, 1)
    gain = np.exp(0.5 * rng.standard_normal(n_units))
    centre = rng.uniform(0, animals.LENGTH, (n_units, len(ways)))
    parts = []
    for s in range(n_sessions):
        size = {"within and overnight": 8.0, "one night": 15.0 if s == 3 else 3.0}.get(truth, 0.0)
        if s:
            centre = folded(centre + size * rng.standard_normal(centre.shape), circle)
        start = centre.copy()
        part = animals.laps(rng, n_laps, circle, animals.SPEED)
        rate = np.empty((part["x"].size, n_units))
        for number in range(n_laps):
            if truth in ("within", "within and overnight", "returns"):
                step = 8.0 / np.sqrt(n_laps) * rng.standard_normal(centre.shape)
                centre = folded(centre + step, circle)
            here = part["lap"] == number
            level = (1 / 3) ** (number / n_laps) if truth == "tired" else 1.0
            rate[here] = gain * 0.05 * level
            for d, way in enumerate(ways):
                moved = here & (part["direction"] == way)
                height = animals.fields(part["x"][moved], centre[:, d], circle)
                rate[moved] = gain * level * (0.05 + 4.0 * height)
        part["activity"] = np.minimum(rng.poisson(rate * animals.STEP), 250).astype(np.uint8)
        if circle:
            part.pop("direction")
        parts.append(part)
        if truth == "returns":
            centre = start
    return nd.recording_from_arrays(
        [part.pop("activity") for part in parts],
        kind="events",
        frame_duration=animals.STEP,
        geometry="circular:100" if circle else "linear",
        day=2.0 * np.arange(n_sessions),
        subject=truth,
        environment="circle" if circle else "track",
        **{name: [part[name] for part in parts] for name in parts[0]},
    )


def folded(centre: np.ndarray, circle: bool) -> np.ndarray:
    """Centres mirrored at the ends of a line."""
    length = animals.LENGTH
    return centre if circle else length - np.abs(length - centre % (2 * length))


def animal(truth: str, i: int, circle: bool, n_sessions: int, n_laps: int = 40) -> Any:
    rng = np.random.default_rng([23, i, TRUTHS.index(truth), n_sessions])
    options = {"circle": circle, "n_sessions": n_sessions, "n_laps": n_laps}
    if truth in OWN:
        return moving(truth, rng, **options)
    size = 90.0 / (n_sessions - 1) if truth == "rotation" else None
    return animals.make(truth, rng, size=size, **options).recording


def measured(truth: str, i: int, circle: bool) -> dict[str, float]:
    found = nd.compute_within_drift(animal(truth, i, circle, 6))
    first, night = float(found["first_last_pooled"]), float(found["excess_pooled"])
    half = 1.96 * float(found["first_last_pooled_se"]), 1.96 * float(found["excess_pooled_se"])
    row = {name: float(found[f"{name}_pooled"]) for name in ("first_last", "step", "overnight")}
    row |= {
        "W": float(found["within_p"] <= 0.05),
        "N": float(found["overnight_p"] <= 0.05),
        "W covered": float(abs(first - 1) <= half[0]),
        "N covered": float(abs(night) <= half[1]),
    }
    if truth not in ASKED:
        return row | dict.fromkeys(("drop", "I", "E"), np.nan)
    return row | around(truth, i, circle)


def around(truth: str, i: int, circle: bool) -> dict[str, float]:
    """What is called an intervention after the third of eight sessions."""
    eight = nd.compute_within_drift(animal(truth, i, circle, 8, n_laps=24), n_parts=2)
    found = nd.compare_around(eight, measure="between", day=5.0)
    return {
        "drop": float(found["drop"]),
        "I": float(found["p"] <= 0.05),
        "E": float(found["night_p"] <= 0.05),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--animals", type=int, default=400)
    parser.add_argument("--small", action="store_true", help="two animals of four truths")
    parser.add_argument("--around", action="store_true", help="interventions only (I, E)")
    options = parser.parse_args()
    if options.around:
        for circle in (False, True):
            for truth in ASKED:
                found = [around(truth, i, circle) for i in range(options.animals)]
                mean = {k: np.mean([one[k] for one in found]) for k in found[0]}
                told = "  ".join(f"{k} {value:.3f}" for k, value in mean.items())
                print(f"{'circle' if circle else 'line':8s}{truth:22s}{told}", flush=True)
        return
    n = 2 if options.small else options.animals
    chosen = ("stable", "independent", "within", "one night") if options.small else TRUTHS
    print(f"{n} animals a row, 60 units, 6 sessions of 40 laps (I: 8 sessions of 24 laps)")
    print(
        f"{'track':8s}{'truth':22s}{'first-last':>15s}{'step':>15s}{'overnight':>15s}{'W':>6s}"
        f"{'N':>6s}{'covered':>13s}{'drop':>15s}{'I':>6s}{'E':>6s}"
    )
    for circle in (False, True):
        for truth in chosen:
            rows = [measured(truth, i, circle) for i in range(n)]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                mean = {k: float(np.nanmean([row[k] for row in rows])) for k in rows[0]}
                sd = {k: float(np.nanstd([row[k] for row in rows])) for k in rows[0]}

            def both(name: str) -> str:
                return f"{mean[name]:7.3f} ({sd[name]:.3f})"  # noqa: B023

            covered = "-"
            if truth in STILL:
                covered = f"{mean['W covered']:.2f} {mean['N covered']:.2f}"
            print(
                f"{'circle' if circle else 'line':8s}{truth:22s}{both('first_last')}{both('step')}"
                f"{both('overnight')}{mean['W']:6.2f}{mean['N']:6.2f}{covered:>13s}{both('drop')}"
                f"{mean['I']:6.2f}{mean['E']:6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
