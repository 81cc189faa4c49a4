"""Animals whose change over days is known, for the other benchmarks and the tests of drift.

    python benchmarks/known_animals.py              # what truly changes in each, over 20 animals
    python benchmarks/known_animals.py --small

Nothing here uses the package but to join plain arrays to a recording. Every unit has a field in
each running direction (one on a circle) and a gain of its own (log-normal); activity is Poisson.
Between sessions one thing may change:

``stable``
    Nothing.
``independent``
    Every unit's fields walk on their own, by a Gaussian step of `size` cm.
``jumps``
    As far on average (the same mean square), but a unit keeps its fields and seldom moves far:
    a share of .1 of the units in each step.
``rotation``
    Pairs of units exchange their maps in the way of a rotation, by `size` degrees in each step,
    the same in both directions, and one of them is lifted so that no rate is below 0: a turn and a
    move of the whole code, in which all distances stay. At most 90 degrees in all.
``shift``
    All fields move together by `size` cm (on a circle; on a line they are mirrored at its ends).
``turnover``
    Units fall silent and return (a chain without memory: each step a share of .2 of the active,
    and as many of the silent), with the same map when they return.
``rates``
    Every unit keeps its map and changes its gain, by a factor of standard deviation .5.
``behaviour``
    Nothing, but units follow the running speed, some more and some less, and the animal runs
    faster from session to session.
``events``
    Nothing, but all rates fall, to a quarter in the last session.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import neurodrift as nd

TRUTHS = (
    "stable",
    "independent",
    "jumps",
    "rotation",
    "shift",
    "turnover",
    "rates",
    "behaviour",
    "events",
)
SIZES = {"independent": 8.0, "jumps": 8.0, "rotation": 15.0, "shift": 8.0}
STEP, LENGTH, WIDTH, SPEED = 0.1, 100.0, 8.0, 20.0


@dataclass(frozen=True)
class Animal:
    """A recording, and the truth behind it.

    Parameters
    ----------
    recording
        Of :func:`neurodrift.recording_from_arrays`.
    rates
        (session, unit, direction, bin) rate that activity was drawn from at the mean speed
        [events/s], in bins of 5 cm; one direction on a circle.
    centres
        (session, unit, direction) centres of the fields [cm], not wrapped on a circle.
    on
        (session, unit) whether the unit was active.
    """

    recording: Any
    rates: np.ndarray
    centres: np.ndarray
    on: np.ndarray


def laps(rng: np.random.Generator, n_laps: int, circle: bool, speed: float) -> dict[str, Any]:
    """Position, direction, lap and speed of every frame of one session."""
    x, way, lap, fast = [], [], [], []
    for number in range(n_laps):
        own = speed * np.exp(0.25 * rng.standard_normal())
        n = max(2, round(LENGTH / own / STEP))
        passage = (np.arange(n) + rng.random()) * LENGTH / n
        rest = int(rng.exponential(1.0) / STEP)
        forth = circle or number % 2 == 0
        place = np.concatenate([passage, np.full(rest, passage[-1])])
        x.append(place if forth else LENGTH - place)
        way.append(np.repeat([1 if forth else -1, 0], [n, rest]))
        lap.append(np.full(place.size, number))
        fast.append(np.repeat([own, 0.0], [n, rest]))
    joined = {"x": np.concatenate(x), "lap": np.concatenate(lap), "speed": np.concatenate(fast)}
    return joined | {"direction": np.concatenate(way)}


def fields(x: np.ndarray, centres: np.ndarray, circle: bool) -> np.ndarray:
    """(x, unit) height of the fields, 1 in their centres."""
    away = x[:, None] - centres
    if circle:
        away = (away + LENGTH / 2) % LENGTH - LENGTH / 2
    return np.exp(-0.5 * (away / WIDTH) ** 2)


def make(
    truth: str,
    rng: np.random.Generator,
    *,
    n_units: int = 60,
    n_sessions: int = 6,
    n_laps: int = 40,
    circle: bool = False,
    peak: float = 4.0,
    base: float = 0.05,
    size: float | None = None,
    speeds: Sequence[float] | None = None,
) -> Animal:
    """One animal.

    Parameters
    ----------
    truth
        One of :data:`TRUTHS`.
    rng
        All chance comes from it.
    n_units, n_sessions, n_laps
        Laps are single passages: on a line every second one runs back.
    circle
        Whether the track is round; else a line, run to and fro.
    peak, base
        Rate in the field and outside it, before the gain [events/s].
    size
        Of the change in one step, in the unit of the truth; of :data:`SIZES` when omitted.
    speeds
        Of the animal in each session, relative to the first; for ``behaviour``, where it runs
        faster from session to session when omitted.

    Returns
    -------
    Animal
    """
    size = SIZES.get(truth, 0.0) if size is None else size
    ways = (1,) if circle else (-1, 1)
    gain = np.exp(0.5 * rng.standard_normal(n_units))
    taste = rng.normal(0.0, 1.0, n_units) if truth == "behaviour" else np.zeros(n_units)
    centre = rng.uniform(0, LENGTH, (n_units, len(ways)))
    on = rng.random(n_units) < 0.5 if truth == "turnover" else np.ones(n_units, bool)
    partner = rng.permutation(n_units)
    edges = np.linspace(0, LENGTH, 401)[:-1] + 0.125
    parts, rates, centres, active = [], [], [], []
    for s in range(n_sessions):
        if s:
            centre = _moved(truth, centre, size, circle, rng)
            if truth == "turnover":
                on = on ^ (rng.random(n_units) < 0.2)
            if truth == "rates":
                gain = gain * np.exp(0.5 * rng.standard_normal(n_units))
        fast = SPEED * (1 + 0.15 * s) if truth == "behaviour" else SPEED
        fast = fast if speeds is None else SPEED * speeds[s]
        level = 0.25 ** (s / max(1, n_sessions - 1)) if truth == "events" else 1.0

        def rate_at(x: np.ndarray, d: int, speed: np.ndarray | float, s: int = s) -> np.ndarray:
            heights = gain * (base + peak * fields(x, centre[:, d], circle))  # noqa: B023
            if truth == "rotation":
                most = gain * (base + peak)  # noqa: B023
                heights = _turned(heights, most, partner, np.deg2rad(size * s))
            drive = np.exp(taste * (np.asarray(speed)[..., None] / SPEED - 1.0))
            return heights * drive * on * level  # noqa: B023

        part = laps(rng, n_laps, circle, fast)
        rate = np.tile(gain * base * on * level, (part["x"].size, 1))
        for d, way in enumerate(ways):
            here = part["direction"] == way
            rate[here] = rate_at(part["x"][here], d, part["speed"][here])
        part["activity"] = np.minimum(rng.poisson(rate * STEP), 250).astype(np.uint8)
        if circle:
            part.pop("direction")
        parts.append(part)
        fine = np.stack([rate_at(edges, d, fast) for d in range(len(ways))])
        rates.append(np.moveaxis(fine.reshape(len(ways), 20, 20, n_units).mean(axis=2), -1, 0))
        centres.append(centre.copy())
        active.append(on.copy())
    recording = nd.recording_from_arrays(
        [part.pop("activity") for part in parts],
        kind="events",
        frame_duration=STEP,
        geometry="circular:100" if circle else "linear",
        day=2.0 * np.arange(n_sessions),
        subject=truth,
        environment="circle" if circle else "track",
        **{name: [part[name] for part in parts] for name in parts[0]},
    )
    return Animal(recording, np.stack(rates), np.stack(centres), np.stack(active))


def _moved(
    truth: str, centre: np.ndarray, size: float, circle: bool, rng: np.random.Generator
) -> np.ndarray:
    """Centres one session later."""
    if truth == "shift":
        moved = centre + size
    elif truth == "independent":
        moved = centre + size * rng.standard_normal(centre.shape)
    elif truth == "jumps":
        chosen = rng.random((centre.shape[0], 1)) < 0.1
        moved = centre + chosen * size / np.sqrt(0.1) * rng.standard_normal(centre.shape)
    else:
        return centre
    return moved if circle else LENGTH - np.abs(LENGTH - moved % (2 * LENGTH))


def _turned(heights: np.ndarray, most: np.ndarray, partner: np.ndarray, angle: float) -> np.ndarray:
    """Rates after each pair of units is turned by an angle, and lifted to stay above 0."""
    half = partner.size // 2
    one, other = partner[:half], partner[half : 2 * half]
    turned = heights.copy()
    a, b = heights[:, one], heights[:, other]
    turned[:, one] = np.cos(angle) * a - np.sin(angle) * b + np.sin(angle) * most[other]
    turned[:, other] = np.sin(angle) * a + np.cos(angle) * b
    return turned


def similarity(rates: np.ndarray) -> np.ndarray:
    """(session) mean correlation of the true maps of a unit with those of the first session."""
    maps = rates.reshape(*rates.shape[:2], -1)
    away = maps - maps.mean(axis=-1, keepdims=True)
    norm = np.sqrt((away**2).sum(axis=-1))
    product = (away * away[0]).sum(axis=-1)
    found = np.divide(product, norm * norm[0], out=np.full(norm.shape, np.nan), where=norm > 1e-9)
    return np.nanmean(found, axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="two animals of each")
    n_animals = 2 if parser.parse_args().small else 20
    print("true correlation of maps with the first session, and events of a unit and session")
    for circle in (False, True):
        for truth in TRUTHS:
            made = [
                make(truth, np.random.default_rng([7, i]), circle=circle) for i in range(n_animals)
            ]
            curve = np.mean([similarity(animal.rates) for animal in made], axis=0)
            events = np.mean([animal.recording["activity"].mean("unit").sum() for animal in made])
            values = " ".join(f"{value:5.2f}" for value in curve)
            print(f"{'circle' if circle else 'line':7s}{truth:12s}{values}{events / 6:8.0f}")


if __name__ == "__main__":
    main()
