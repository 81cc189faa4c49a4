"""What phases say of statistics that change or do not, and whether they could have seen it.

    python benchmarks/power.py            # 300 recordings a row, some minutes
    python benchmarks/power.py --small    # 5 of a few rows, so that CI keeps it alive

The generator is plain NumPy: four statistics of 8 or 16 sessions with a level each, noise of a
relative size whose neighbours correlate by rho and of which .3 is shared, and for some rows a
steady change of all four (or of place cells alone) over the way; and a similarity that falls with
the lag. Printed are the shares of what phases say of the recording [%], and of "constant" among the
statistics that change.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np

from neurodrift.analysis.phases.phases import detect_phases
from neurodrift.seeds import generator
from neurodrift.testing import results_of

LEVELS = {
    "fraction_active_units": 0.8,
    "active_fraction": 0.02,
    "fraction_place_cells": 0.4,
    "information": 1.2,
}


def noise(rng: np.random.Generator, n: int, rho: float) -> np.ndarray:
    """Noise of variance 1 whose neighbours correlate by rho."""
    e = rng.standard_normal(n)
    for i in range(1, n):
        e[i] = rho * e[i - 1] + np.sqrt(1 - rho * rho) * e[i]
    return e


def row(
    name: str, repeats: int, *, n: int, size: float, rho: float, change: float, every: bool = True
) -> None:
    """Print what is said of recordings of one kind."""
    said: Counter[str] = Counter()
    constant = changing = 0
    for k in range(repeats):
        rng = generator(k, "power", name)
        way, common = np.linspace(0, 1, n), noise(rng, n, rho)
        table = {"day": 2.0 * np.arange(n)}
        for measure, level in LEVELS.items():
            own = np.sqrt(0.3) * common + np.sqrt(0.7) * noise(rng, n, rho)
            moves = change if every or measure == "fraction_place_cells" else 0.0
            table[measure] = level * (1 + moves * way + size * own)
        r = np.exp(-np.abs(way[:, None] - way)) * np.exp(0.02 * rng.standard_normal((n, n)))
        r = np.sqrt(r * r.T)
        found = detect_phases(results_of(table, similarity=r, relative=r), n_repeats=199)
        verdict = str(found.attrs["verdict"])
        directed = "directed drift" in verdict
        said["directed drift" if directed else verdict] += 1
        for measure in LEVELS:
            if change and (every or measure == "fraction_place_cells"):
                changing += 1
                constant += str(found["state"].sel(quantity=measure).item()) == "constant"
    shares = [100 * said[key] / repeats for key in ("directed drift", "undecided")]
    null = 100 * said["null drift only"] / repeats
    missed = f"{100 * constant / changing:9.1f}" if changing else f"{'':9s}"
    print(f"{name:46s} {shares[0]:9.1f} {null:9.1f} {shares[1]:9.1f} {missed}", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="5 recordings of a few rows")
    parser.add_argument("--repeats", type=int, default=300)
    small = (options := parser.parse_args()).small
    repeats = 5 if small else options.repeats
    print(f"{'':46s} {'directed':>9s} {'null':>9s} {'undecided':>9s} {'missed':>9s}")
    for n in (8,) if small else (8, 16):
        for rho in (0.0,) if small else (0.0, 0.5):
            for size in (0.02, 0.1):
                for change in (0.0, 0.27):
                    name = f"{n} sessions, rho {rho:g}, noise {100 * size:g} %, change {change:g}"
                    row(name, repeats, n=n, size=size, rho=rho, change=change)
    if not small:
        row(
            "8 sessions, noise 5 %, place cells +27 %",
            repeats,
            n=8,
            size=0.05,
            rho=0.3,
            change=0.27,
            every=False,
        )


if __name__ == "__main__":
    main()
