"""Do the intervals of compare cover, and do its tests err as often as they say?

    python benchmarks/calibration_compare.py            # 400 repeats, about 20 minutes
    python benchmarks/calibration_compare.py --small    # 5 repeats, so that CI keeps it alive

First two groups of synthetic animals whose slopes are equal or differ: how often the difference
is found, its interval covers, and the same sign or size is claimed. Then one animal: coverage of
the decay of similarity with lag and of its slowing, by what makes the similarity vary.
"""

from __future__ import annotations

import argparse

import numpy as np
import xarray as xr

from neurodrift.analysis.compare import compare
from neurodrift.seeds import generator
from neurodrift.testing import results_of

SESSIONS = 8
MEASURE = "fraction_active_units"
AT = {"scale": "raw", "axis": "fraction", "adjustment": "none"}


def group(
    rng: np.random.Generator, *, animals: int, slope: float, spread: float, noise: float = 0.03
) -> list[xr.DataTree]:
    """Animals whose active units change by `slope`, which differs between them by `spread`."""
    way = np.linspace(0, 1, SESSIONS)
    trees = []
    for i in range(animals):
        own = slope + rng.normal(0, spread)
        active = 0.8 + rng.normal(0, 0.05) + own * way + rng.normal(0, noise, SESSIONS)
        table = {"day": 14 * way, MEASURE: active}
        trees.append(results_of(table, subject=f"animal {i}"))
    return trees


def difference(a: list[xr.DataTree], b: list[xr.DataTree], seed: int) -> xr.Dataset:
    """The comparison of the slopes of two groups."""
    found = compare(a, b, names=["a", "b"], axes=["fraction"], covariates=(), seed=seed)
    return found.sel(effect=MEASURE, **AT).isel(pair=0)


def two_groups(repeats: int) -> None:
    """Print how often the tests of two groups decide, and whether rightly."""
    print(f"\ntwo groups, {repeats} repeats; slopes -0.2 in a; difference, sign, size at .05\n")
    print(
        f"{'animals':>9} {'slope b':>8} {'found':>6} {'covers':>7} {'bootstrap covers':>17} "
        f"{'same sign':>10} {'same size':>10}"
    )
    for n_a, n_b, spread_b in ((1, 1, 0.0), (1, 5, 0.05), (3, 3, 0.05), (5, 5, 0.05), (4, 8, 0.15)):
        for slope in (-0.2, -0.1, 0.2):
            counts = np.zeros(5)
            boot = 0
            for repeat in range(repeats):
                rng = generator(repeat, "two groups", n_a, n_b, str(slope))
                spread_a = 0.05 if n_a > 1 else 0.0
                one = difference(
                    group(rng, animals=n_a, slope=-0.2, spread=spread_a),
                    group(rng, animals=n_b, slope=slope, spread=spread_b),
                    repeat,
                )
                true = slope + 0.2
                low, high = (float(one[f"difference_ci_{end}"]) for end in ("low", "high"))
                counts[0] += float(one["difference_p"]) < 0.05
                counts[1] += low <= true <= high
                counts[2] += one["sign_agreement"].item() == "same"
                counts[3] += one["size_agreement"].item() == "same"
                low, high = (float(one[f"difference_boot_ci_{end}"]) for end in ("low", "high"))
                boot += np.isfinite(low)
                counts[4] += low <= true <= high
            share = 100 * counts / repeats
            text = f"{100 * counts[4] / boot:.1f}" if boot else "none"
            print(
                f"{n_a:>4} v {n_b:<2} {slope:>8} {share[0]:>6.1f} {share[1]:>7.1f} {text:>17} "
                f"{share[2]:>10.1f} {share[3]:>10.1f}"
            )


def similarity(
    rng: np.random.Generator, n: int, *, quality: float, pairs: float, steps: float, slowing: float
) -> np.ndarray:
    """Similarity of sessions that drift apart, with a mean rate of 1 over the whole way.

    Parameters
    ----------
    rng, n
        Random stream and number of sessions.
    quality, pairs
        Standard deviation of what a session, or a pair, adds to ln r.
    steps
        Coefficient of variation of the drift between neighbours.
    slowing
        How much the rate falls from the beginning to the end.
    """
    rate = 1 + slowing * (0.5 - (np.arange(n - 1) + 0.5) / (n - 1))
    if steps > 0:
        rate = rate * rng.gamma(1 / steps**2, steps**2, n - 1)
    moved = np.concatenate([[0], np.cumsum(rate / (n - 1))])
    own, apart = rng.normal(0, quality, n), rng.normal(0, pairs, (n, n))
    noise = own[:, None] + own[None, :] + np.triu(apart, 1) + np.triu(apart, 1).T
    return np.exp(-np.abs(moved[:, None] - moved[None, :]) + noise)


def one_animal(repeats: int) -> None:
    """Print the coverage of decay and slowing by what makes the similarity vary."""
    print(f"\none animal, {repeats} repeats; coverage of 95 % intervals (mean as truth); found\n")
    sources = {
        "sessions": {"quality": 0.05, "pairs": 0.01, "steps": 0.0},
        "pairs": {"quality": 0.0, "pairs": 0.05, "steps": 0.0},
        "steps of drift": {"quality": 0.0, "pairs": 0.01, "steps": 0.4},
        "all": {"quality": 0.03, "pairs": 0.03, "steps": 0.3},
    }
    names = ("decay", "slowing")
    print(f"{'sessions':>8} {'noise of':>15} {'slowing':>8} " + " ".join(f"{n:>16}" for n in names))
    for n in (5, 8, 16):
        for source, noise in sources.items():
            for slowing in (0.0, 1.5):
                rows = []
                for repeat in range(repeats):
                    rng = generator(repeat, "one animal", n, source, str(slowing))
                    r = similarity(rng, n, slowing=slowing, **noise)
                    table = {"day": np.arange(float(n)), MEASURE: np.ones(n)}
                    tree = results_of(table, similarity=r, relative=r)
                    found = compare(tree, tree, axes=["fraction"], covariates=(), repetitions=0)
                    found = found.isel(side=0).sel(**AT)
                    rows.append(
                        [
                            [
                                found[name].sel(effect=f"{kind} of rate_map_correlation").item()
                                for name in ("slope", "slope_ci_low", "slope_ci_high")
                            ]
                            for kind in names
                        ]
                    )
                estimate, low, high = np.moveaxis(np.array(rows), 2, 0)
                true = estimate.mean(axis=0)
                covered = ((low <= true) & (true <= high)).mean(axis=0)
                negative = (high < 0).mean(axis=0)
                text = " ".join(
                    f"{100 * c:>7.1f} {100 * f:>8.1f}"
                    for c, f in zip(covered, negative, strict=True)
                )
                print(f"{n:>8} {source:>15} {slowing:>8} {text}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="5 repeats")
    parser.add_argument("--repeats", type=int, default=400)
    options = parser.parse_args()
    repeats = 5 if options.small else options.repeats
    two_groups(repeats)
    one_animal(repeats)
