"""The drift index and similarity without noise, for animals whose change is known.

    python benchmarks/drift_index.py            # 60 animals a row, some 20 minutes
    python benchmarks/drift_index.py --small

For each truth: the index between the first and the last of six sessions as published, its control
(two halves of one session as if they were sessions), the index above its control, that of the
population, and the correlation of maps without noise.

20 bins, smoothed by 4 cm; the true correlation is that of unsmoothed rates.
"""

from __future__ import annotations

import argparse

import numpy as np
from known_animals import TRUTHS, make, similarity

import neurodrift as nd

BINNING = nd.Binning(bin_width=5.0, edges=np.linspace(0, 100, 21))


def one(truth: str, seed: int, peak: float) -> list[float]:
    """Measures of one animal."""
    animal = make(truth, np.random.default_rng([3, seed]), peak=peak)
    found = nd.compute_drift_index(animal.recording, binning=BINNING)
    halves = nd.compute_half_maps(animal.recording, binning=BINNING, smoothing=4.0, split="lap")
    relative = nd.compute_session_drift(nd.compute_drift(halves))["rate_map_correlation_relative"]
    with np.errstate(invalid="ignore"):
        true = similarity(animal.rates)[-1]
    names = (
        "drift_index",
        "drift_index_control",
        "drift_index_above_control",
        "population_drift_index",
    )
    return [*(found[name].values[0, -1] for name in names), relative.values[0, -1], true]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="one animal a row, one rate")
    small = parser.parse_args().small
    n = 1 if small else 60
    print("truth         peak   index  control  above (sd)     population  correlation (sd) true")
    for peak in (4.0,) if small else (4.0, 0.5):
        for truth in TRUTHS:
            rows = np.array([one(truth, seed, peak) for seed in range(n)])
            mean, sd = np.nanmean(rows, axis=0), np.nanstd(rows, axis=0)
            print(
                f"{truth:12s}{peak:6.1f}{mean[0]:8.3f}{mean[1]:9.3f}{mean[2]:8.3f} ({sd[2]:.3f})"
                f"{mean[3]:12.3f}{mean[4]:12.3f} ({sd[4]:.3f}){mean[5]:6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
