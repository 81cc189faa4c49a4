"""Do intervals of slopes hold the truth where neighbouring sessions are alike, and how wide?

    python benchmarks/slope_coverage.py            # 4000 draws, some minutes
    python benchmarks/slope_coverage.py --small    # 40 draws, so that CI keeps it alive

The generator is plain NumPy: a straight line and stationary first-order autoregressive noise, whose
neighbours correlate by rho. Width is the median over that of generalised least squares that
knows rho. `bound` is what no method can do better on average with 8 sessions: Pratt's
shortest intervals of independent sessions that hold the truth in 90 % at rho = .7.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from neurodrift.analysis.regression.regression import regress
from neurodrift.analysis.series.mixed import fit_random_intercept
from neurodrift.analysis.series.trend import fit_trend, places, smallest_detectable
from neurodrift.seeds import generator

RHO = (0.0, 0.3, 0.5, 0.7)


def noise(rng: np.random.Generator, at: np.ndarray, rho: float) -> np.ndarray:
    """Noise of variance 1 at increasing places, correlated by rho to the power of the distance."""
    e = rng.standard_normal(at.size)
    for i in range(1, at.size):
        r = rho ** (at[i] - at[i - 1]) if rho > 0 else 0.0
        e[i] = r * e[i - 1] + np.sqrt(1 - r * r) * e[i]
    return e


def known(at: np.ndarray, design: np.ndarray, y: np.ndarray, rho: float) -> float:
    """Half the 95 % interval of generalised least squares that knows rho."""
    apart = np.abs(np.subtract.outer(at, at))
    inverse = np.linalg.inv(rho**apart if rho > 0 else np.eye(at.size))
    information = design.T @ inverse @ design
    left = y - design @ np.linalg.solve(information, design.T @ inverse @ y)
    dof = y.size - design.shape[1]
    variance = left @ inverse @ left / dof * np.linalg.inv(information)[1, 1]
    return float(np.sqrt(variance) * stdtrit(dof, 0.975))


def ols(design: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope and half its interval by least squares."""
    inverse = np.linalg.inv(design.T @ design)
    b = inverse @ design.T @ y
    dof = y.size - design.shape[1]
    left = y - design @ b
    return float(b[1]), float(np.sqrt(left @ left / dof * inverse[1, 1]) * stdtrit(dof, 0.975))


Case = Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]


def even(n: int) -> Case:
    """n sessions a step apart."""

    def make(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        at = np.arange(float(n))
        return at, np.column_stack([np.ones(n), at])

    return make


def uneven(n: int, predictors: int = 1, missing: int = 0) -> Case:
    """n sessions 1 to 4 days apart, some of them lost, with further predictors."""

    def make(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        at = np.cumsum(rng.integers(1, 5, n + missing)).astype(float)
        at = np.sort(rng.choice(at, n, replace=False))
        others = [rng.standard_normal(n) for _ in range(predictors - 1)]
        return at, np.column_stack([np.ones(n), at, *others])

    return make


def one_animal(draws: int) -> None:
    """Print coverage, width and power of the slope of one animal."""
    print(f"\none animal, {draws} draws: coverage of 95 % intervals [%], width over known rho")
    print(
        f"{'sessions':28s} {'rho':>4s} {'ols':>6s} {'ar1':>6s} {'width':>6s} {'mean':>6s}"
        f" {'found at detectable':>20s}"
    )
    cases: dict[str, Case] = {f"{n} even": even(n) for n in (3, 4, 5, 6, 8, 16, 32)}
    cases |= {
        "8 of uneven days": uneven(8),
        "16 of uneven days": uneven(16),
        "8 left of 12": uneven(8, missing=4),
        "10, three predictors": uneven(10, predictors=3),
    }
    for name, make in cases.items():
        for rho in RHO:
            rows = np.empty((draws, 5))
            for k in range(draws):
                rng = generator(k, "coverage", name, str(rho))
                at, design = make(rng)
                steps = at / np.median(np.diff(at))
                y = noise(rng, steps, rho)
                trend = fit_trend(design, y, places(at))
                half = float(trend.se[1] * stdtrit(trend.dof[1], 0.975))
                slope, narrow = ols(design, y)
                wanted = smallest_detectable(float(trend.se[1]), float(trend.dof[1]))
                rows[k] = (
                    abs(slope) <= narrow,
                    abs(trend.estimate[1]) <= half,
                    half,
                    known(steps, design, y, rho),
                    wanted,
                )
            # power at the median of what was called detectable: other draws of the same case
            size, hits = float(np.median(rows[:, 4])), 0
            for k in range(draws // 4):
                rng = generator(k, "power", name, str(rho))
                at, design = make(rng)
                y = noise(rng, at / np.median(np.diff(at)), rho) + size * at
                trend = fit_trend(design, y, places(at))
                hits += abs(trend.estimate[1]) > trend.se[1] * stdtrit(trend.dof[1], 0.975)
            medians = np.median(rows[:, 2]), np.median(rows[:, 3])
            print(
                f"{name:28s} {rho:4.1f} {100 * rows[:, 0].mean():6.1f} "
                f"{100 * rows[:, 1].mean():6.1f} {medians[0] / medians[1]:6.2f} "
                f"{rows[:, 2].mean() / rows[:, 3].mean():6.2f} {100 * hits / (draws // 4):20.1f}",
                flush=True,
            )


def bound(draws: int) -> None:
    """Print the least width at rho = 0 of intervals that hold the truth in 90 % at rho = .7."""
    n, rng = 8, generator(0, "bound")
    at = np.arange(float(n))
    design = np.column_stack([np.ones(n), at - at.mean()])
    inverse = np.linalg.inv(0.7 ** np.abs(np.subtract.outer(at, at)))
    information = design.T @ inverse @ design

    def parts(rho: float) -> tuple[np.ndarray, ...]:
        y = np.array([noise(rng, at, rho) for _ in range(draws)]).T
        b = np.linalg.solve(information, design.T @ inverse @ y)
        left = y - design @ b
        plain = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
        return b[1], (left * (inverse @ left)).sum(axis=0), (plain**2).sum(axis=0)

    def half(k: float, of: tuple[np.ndarray, ...]) -> np.ndarray:
        return np.sqrt(np.maximum(k * of[2] - of[1], 0) / information[1, 1])

    dependent, independent = parts(0.7), parts(0.0)
    k = min(
        np.linspace(3, 8, 501),
        key=lambda k: abs(np.mean(np.abs(dependent[0]) <= half(k, dependent)) - 0.9),
    )
    ordinary = np.sqrt(independent[2] / (n - 2) / ((at - at.mean()) ** 2).sum())
    ordinary = ordinary * stdtrit(n - 2, 0.975)
    found = half(float(k), independent)
    print(
        f"\nbound, 8 sessions: mean width {found.mean() / ordinary.mean():.2f}, median "
        f"{np.median(found) / np.median(ordinary):.2f} of that of known rho = 0"
    )


def several(draws: int) -> None:
    """Print coverage of mixed models of animals whose sessions are alike."""
    print(f"\nseveral animals, levels of sd 1, {draws} draws: coverage [%]")
    print(
        f"{'animals x sessions':28s} {'rho':>4s} {'mixed_independent':>18s} {'mixed':>6s} "
        f"{'subjects':>9s}"
    )
    for animals, n in ((4, 8), (5, 8), (12, 5)):
        subject = np.repeat(np.arange(animals), n)
        at = np.tile(np.arange(float(n)), animals)
        design = np.column_stack([np.ones(at.size), at])
        for rho in RHO:
            hits = np.zeros(3)
            for k in range(draws):
                rng = generator(k, "several", animals, n, str(rho))
                y = np.concatenate(
                    [noise(rng, np.arange(float(n)), rho) + rng.normal() for _ in range(animals)]
                )
                for i, when in enumerate((None, at)):
                    fit = fit_random_intercept(design, y, subject, at=when)
                    hits[i] += abs(fit.estimate[1]) <= fit.se[1] * stdtrit(fit.dof[1], 0.975)
                slopes = [ols(design[subject == s], y[subject == s])[0] for s in range(animals)]
                error = np.std(slopes, ddof=1) / np.sqrt(animals)
                hits[2] += abs(np.mean(slopes)) <= error * stdtrit(animals - 1, 0.975)
            share = 100 * hits / draws
            print(
                f"{f'{animals} x {n}':28s} {rho:4.1f} {share[0]:18.1f} {share[1]:6.1f} "
                f"{share[2]:9.1f}",
                flush=True,
            )


def collinear(draws: int) -> None:
    """Print how often predictors that hardly vary apart are found together and one by one."""
    import warnings

    print(f"\n12 sessions, y falls with experience, which goes with the day, {draws} draws")
    found = np.zeros((2, 3))
    for i, slope in enumerate((0.0, -0.4)):
        for k in range(draws):
            rng = generator(k, "collinear", i)
            day = np.arange(12.0)
            experience = day + 0.3 * rng.standard_normal(12)
            y = slope * experience + rng.standard_normal(12)
            table = pd.DataFrame({"day": day, "experience": experience, "y": y})
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fit = regress(table, "y", ["day", "experience"])
            found[i] += [*(fit["p"].values[1:] < 0.05), float(fit["joint_p"]) < 0.05]
    for name, row in zip(("no slope", "slope -0.4"), 100 * found / draws, strict=True):
        print(f"{name:28s} day {row[0]:5.1f}  experience {row[1]:5.1f}  together {row[2]:5.1f} %")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="40 draws")
    parser.add_argument("--draws", type=int, default=4000)
    draws = 40 if (options := parser.parse_args()).small else options.draws
    one_animal(draws)
    bound(20 * draws)
    several(max(draws // 8, 10))
    collinear(max(draws // 8, 10))


if __name__ == "__main__":
    main()
