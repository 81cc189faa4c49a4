"""How often does the test over all ways of analysing find an effect, with none and with one there?

    python benchmarks/cohort_ways.py            # 2000 studies a row, a few minutes
    python benchmarks/cohort_ways.py --small    # 100 studies a row, so that CI keeps it alive

Studies are plain arrays: 24 ways of analysing the same animals, which correlate, one in four of
them on another scale, one in five without some animals. Found is p at most .05, by each of the
three statistics of the curve.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from neurodrift.studies.permuted import (
    Permuted,
    along,
    flipped,
    relabelled,
    reordered,
    swapped,
)

WAYS, PERMUTATIONS, ALPHA = 24, 500, 0.05
Study = Callable[[np.random.Generator, float, int], Permuted]


def ways(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(way, sample) of values that all ways share, as each way has them."""
    own = truth + 0.5 * truth.std() * rng.normal(size=(WAYS, *truth.shape))
    own[::4] *= 30.0
    own[::5, rng.integers(truth.shape[0])] = np.nan
    return own


def remembering(rng: np.random.Generator, n: int, rho: float) -> np.ndarray:
    """Noise of variance 1 whose neighbours correlate by rho."""
    noise = rng.normal(size=n)
    for i in range(1, n):
        noise[i] = rho * noise[i - 1] + np.sqrt(1 - rho**2) * noise[i]
    return noise


def changes(n: int) -> Study:
    """Whether n animals change; some are recorded worse than others."""

    def study(rng: np.random.Generator, effect: float, seed: int) -> Permuted:
        scale = rng.uniform(0.5, 2.0, n)
        return flipped(ways(effect + scale * rng.normal(size=n), rng), PERMUTATIONS, ALPHA, seed)

    return study


def groups(one: int, other: int) -> Study:
    """Whether two groups differ."""

    def study(rng: np.random.Generator, effect: float, seed: int) -> Permuted:
        second = np.arange(one + other) >= one
        values = ways(rng.normal(size=one + other) + 2 * effect * second, rng)
        return swapped(values, second, PERMUTATIONS, ALPHA, seed)

    return study


def number(n: int) -> Study:
    """Whether animals differ along their age."""

    def study(rng: np.random.Generator, effect: float, seed: int) -> Permuted:
        age = rng.normal(size=n)
        values = ways(effect * age + rng.normal(size=n), rng)
        return along(values, age, PERMUTATIONS, ALPHA, seed)

    return study


def one_animal(n: int, rho: float) -> Study:
    """Whether one animal changes over n sessions whose neighbours are alike."""

    def study(rng: np.random.Generator, effect: float, seed: int) -> Permuted:
        at = np.arange(float(n))
        truth = remembering(rng, n, rho) + 3 * effect * np.linspace(0, 1, n)
        own = truth + 0.5 * rng.normal(size=(WAYS, n))
        return reordered(own, at, at, PERMUTATIONS, ALPHA, seed)

    return study


def one_decay(n: int) -> Study:
    """Whether similarity falls with the lag in one animal whose sessions are good and bad."""

    def study(rng: np.random.Generator, effect: float, seed: int) -> Permuted:
        at = np.arange(float(n))
        session = rng.normal(size=n)
        lag = np.abs(at[:, None] - at) / n
        own = session[:, None] + session - 2 * effect * lag
        own = own + 0.5 * rng.normal(size=(WAYS, n, n))
        return relabelled(own, at, PERMUTATIONS, ALPHA, seed)

    return study


STUDIES: dict[str, Study] = {
    "change, 6 animals": changes(6),
    "change, 12 animals": changes(12),
    "two groups, 5 and 7": groups(5, 7),
    "two groups, 8 and 8": groups(8, 8),
    "along a number, 12 animals": number(12),
    "one animal, 8 sessions": one_animal(8, 0.0),
    "one animal, 12 sessions, rho .5": one_animal(12, 0.5),
    "one animal, decay over 8 sessions": one_decay(8),
}


def found(study: Study, effect: float, n: int) -> np.ndarray:
    """Share of studies [%] that find an effect, by median t, share of ways and mean z."""
    p = []
    for i in range(n):
        test = study(np.random.default_rng((i, round(100 * effect))), effect, i)
        p.append((test.p_median, test.p_share, test.p_mean_z))
    return 100 * np.mean(np.array(p) <= ALPHA, axis=0)


def main() -> None:
    """Parse the command line and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--studies", type=int, default=2000, help="of each row")
    given = parser.parse_args()
    n = 100 if given.small else given.studies
    began = time.process_time()
    print(f"{n} studies a row, {WAYS} ways, found at {ALPHA} [%]\n")
    print(f"{'':36s}{'median t':>10s}{'share':>8s}{'mean z':>8s}")
    for name, study in STUDIES.items():
        for effect in (0.0, 1.0):
            title = name if effect == 0 else "   with an effect"
            median, share, z = found(study, effect, n)
            print(f"{title:36s}{median:10.1f}{share:8.1f}{z:8.1f}", flush=True)
    print(f"\n{time.process_time() - began:.0f} CPU seconds")


if __name__ == "__main__":
    main()
