"""Diffusion, jumps and direction of steps, for animals whose change is known.

    python benchmarks/drift_steps.py            # 400 animals a row, some 10 minutes
    python benchmarks/drift_steps.py --small

Six sessions two days apart, 100 units. Where fields move they do so by a standard deviation of 8 cm
a session: D is 16 cm2 a day, the exponent 1 (2 of a shift), the excess kurtosis 0 of small steps
and 27 of jumps of a tenth of the units. On a line fields are turned back at the ends, which makes
all of these smaller. Shown are medians; how often the interval of D holds 16; and how often
jumpiness, directedness and the correlation of steps are found, that is their interval is above 0.
That should be in at most 2.5 % where there is none.
"""

from __future__ import annotations

import argparse

import numpy as np
from known_animals import make

import neurodrift as nd

BINNING = nd.Binning(bin_width=5.0, edges=np.linspace(0, 100, 21))
NAMES = (
    "exponent",
    "diffusion",
    "excess_kurtosis",
    "jumpiness",
    "directedness",
    "step_correlation",
)
ROWS = ("stable", "independent", "jumps", "shift", "rates", "turnover", "behaviour", "events")


def one(truth: str, seed: int, circle: bool, peak: float) -> np.ndarray:
    """(number, 2) estimate and lower bound of each number; and whether D's interval holds."""
    animal = make(truth, np.random.default_rng([17, seed]), circle=circle, n_units=100, peak=peak)
    found = nd.compute_steps(animal.recording, binning=BINNING, n_resamples=200)
    values = [[found[name].item(), found[f"{name}_low"].item()] for name in NAMES]
    holds = found["diffusion_low"].item() <= 16 <= found["diffusion_high"].item()
    return np.array([*values, [found["mean_square_step"].values[0, 1], holds]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="one animal a row, one rate")
    parser.add_argument("--animals", type=int, default=400, help="animals a row")
    options = parser.parse_args()
    n = 1 if options.small else options.animals
    print(
        "track  truth        peak  mean square  exponent   D    holds  kurtosis jumpiness "
        "(found) directedness (found) correlation (found)"
    )
    for circle in (False, True):
        for truth in ROWS:
            for peak in (4.0,) if options.small else (4.0, 1.0):
                rows = np.array([one(truth, seed, circle, peak) for seed in range(n)])
                known = np.isfinite(rows).any(axis=0)
                middle = np.full(known.shape, np.nan)
                middle[known] = np.nanmedian(rows[:, known], axis=0)
                found = (rows[:, :, 1] > 0).mean(axis=0)
                print(
                    f"{'circle' if circle else 'line':7s}{truth:12s}{peak:5.1f}"
                    f"{middle[-1, 0]:10.1f}"
                    f"{middle[0, 0]:10.2f}{middle[1, 0]:8.1f}{rows[:, -1, 1].mean():7.2f}"
                    f"{middle[2, 0]:10.1f}{middle[3, 0]:9.1f}{found[3]:9.3f}"
                    f"{middle[4, 0]:9.2f}{found[4]:9.3f}{middle[5, 0]:9.2f}{found[5]:9.3f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
