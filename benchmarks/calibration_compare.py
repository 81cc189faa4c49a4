"""Do the intervals of compare cover, and do its tests err as often as they say?

    python benchmarks/calibration_compare.py            # 1000 repeats, some minutes
    python benchmarks/calibration_compare.py --small    # 5 repeats, so that CI keeps it alive

First two groups of synthetic animals whose slopes are equal or differ: how often the difference
is found, its interval covers, and the same sign or size is claimed. Then one animal: coverage of
the decay of similarity with lag and of its slowing, by what makes the similarity vary.
The estimates are those behind compare, which computes dozens of them at a time.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from neurodrift.analysis.comparison._effects import (
    Effect,
    SideFit,
    agree,
    fit_member,
    fit_side,
    t_test,
    verdicts,
)
from neurodrift.analysis.comparison.members import Member, gather
from neurodrift.seeds import generator
from neurodrift.testing import results_of

SESSIONS = 8
MEASURE = "fraction_active_units"
WAY = np.linspace(0, 1, SESSIONS)


def recording(template: Member, name: str, values: np.ndarray) -> Member:
    """A recording with other values of the measure."""
    sessions = template.sessions.assign(**{MEASURE: values})
    return replace(template, name=name, replicate=name, sessions=sessions)


def group(
    rng: np.random.Generator,
    template: Member,
    *,
    animals: int,
    slope: float,
    spread: float,
    noise: float = 0.03,
) -> SideFit:
    """Animals whose active units change by `slope`, which differs between them by `spread`."""
    members = []
    for i in range(animals):
        own = slope + rng.normal(0, spread)
        values = 0.8 + rng.normal(0, 0.05) + own * WAY + rng.normal(0, noise, SESSIONS)
        members.append(recording(template, f"animal {i}", values))
    effect = Effect("slope", MEASURE)
    return fit_side(members, [fit_member(m, effect, "fraction", ()) for m in members])


def two_groups(repeats: int) -> None:
    """Print how often the tests of two groups decide, and whether rightly."""
    print(f"\ntwo groups, {repeats} repeats; slopes -0.2 in a; difference, sign, size at .05\n")
    print(
        f"{'animals':>9} {'slope b':>8} {'found':>6} {'covers':>7} {'bootstrap covers':>17} "
        f"{'same sign':>10} {'same size':>10}"
    )
    tree = results_of({"day": 14 * WAY, MEASURE: np.ones(SESSIONS)})
    template = gather([tree], ["template"])[0]
    for n_a, n_b, spread_b in ((1, 1, 0.0), (1, 5, 0.05), (3, 3, 0.05), (5, 5, 0.05), (4, 8, 0.15)):
        spread_a = 0.05 if n_a > 1 else 0.0
        for slope in (-0.2, -0.1, 0.0, 0.2):
            counts, boot, true = np.zeros(5), 0, slope + 0.2
            for repeat in range(repeats):
                rng = generator(repeat, "two groups", n_a, n_b, str(slope))
                a = group(rng, template, animals=n_a, slope=-0.2, spread=spread_a)
                b = group(rng, template, animals=n_b, slope=slope, spread=spread_b)
                one = agree(a, b, factor=2.0, level=0.95, n_repeats=2000, rng=rng)
                sign, size = verdicts(one, 0.95)
                counts[0] += one["difference_p"] < 0.05
                counts[1] += one["difference_ci_low"] <= true <= one["difference_ci_high"]
                counts[2] += sign == "same"
                counts[3] += size == "same"
                if "difference_boot_p" in one:
                    boot += 1
                    low, high = one["difference_boot_ci_low"], one["difference_boot_ci_high"]
                    counts[4] += low <= true <= high
            share = 100 * counts / repeats
            text = f"{100 * counts[4] / boot:.1f}" if boot else "none"
            print(
                f"{n_a:>4} v {n_b:<2} {slope:>8} {share[0]:>6.1f} {share[1]:>7.1f} {text:>17} "
                f"{share[2]:>10.1f} {share[3]:>10.1f}",
                flush=True,
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
    kinds = ("decay", "slowing")
    print(f"{'sessions':>8} {'noise of':>15} {'slowing':>8} " + " ".join(f"{k:>16}" for k in kinds))
    effects = [Effect(kind, "rate_map_correlation") for kind in kinds]  # type: ignore[arg-type]
    for n in (5, 8, 16):
        tree = results_of({"day": np.arange(float(n)), MEASURE: np.ones(n)})
        template = gather([tree], ["template"])[0]
        for source, noise in sources.items():
            for slowing in (0.0, 1.5):
                rows = np.empty((repeats, 2, 3))
                for repeat in range(repeats):
                    rng = generator(repeat, "one animal", n, source, str(slowing))
                    r = similarity(rng, n, slowing=slowing, **noise)
                    member = replace(template, similarity={"rate_map_correlation": r})
                    for k, effect in enumerate(effects):
                        fit = fit_member(member, effect, "fraction", ())
                        ends = t_test(fit.estimate, fit.se, fit.dof, 0.95)[1:]
                        rows[repeat, k] = fit.estimate, *ends
                estimate, low, high = np.moveaxis(rows, 2, 0)
                true = estimate.mean(axis=0)
                covered = ((low <= true) & (true <= high)).mean(axis=0)
                negative = (high < 0).mean(axis=0)
                text = " ".join(
                    f"{100 * c:>7.1f} {100 * f:>8.1f}"
                    for c, f in zip(covered, negative, strict=True)
                )
                print(f"{n:>8} {source:>15} {slowing:>8} {text}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="5 repeats")
    parser.add_argument("--repeats", type=int, default=1000)
    options = parser.parse_args()
    repeats = 5 if options.small else options.repeats
    two_groups(repeats)
    one_animal(repeats)
