"""Relations among patterns and coordinated change: which truth moves which measure.

    python benchmarks/drift_relations.py               # 400 animals a row, hours
    python benchmarks/drift_relations.py --animals 10  # minutes
    python benchmarks/drift_relations.py --small
    python benchmarks/drift_relations.py --peer        # also against rsatoolbox, if installed

The first table has pairs of unrelated codes without noise: how alike their relations are, and how
much a rotation "explains" of bins left out between others. The second has animals whose change is
known (:mod:`animals`), of six sessions and 60 units, and ``remapped``, whose fields are all drawn
anew in every session.
"""

from __future__ import annotations

import argparse
import warnings
from typing import Any

import numpy as np
from known_animals import TRUTHS, make

import neurodrift as nd
from neurodrift.analysis.alignment.rotation import fit_rotation
from neurodrift.analysis.relations.dissimilarity import crossnobis
from neurodrift.analysis.relations.structure import Classes, pattern_correlations

N_BINS = 20


def code(rng: np.random.Generator, n_units: int, circle: bool) -> np.ndarray:
    """(unit, bin) one field for each unit, of 2 bins standard deviation and gamma amplitude."""
    centre = rng.uniform(0, N_BINS, (n_units, 1))
    away = np.arange(N_BINS) + 0.5 - centre
    if circle:
        away = (away + N_BINS / 2) % N_BINS - N_BINS / 2
    return np.asarray(rng.gamma(2.0, 1.0, (n_units, 1)) * np.exp(-0.5 * (away / 2.0) ** 2))


def unrelated(n_pairs: int) -> None:
    """Print what two codes have in common that have nothing in common."""
    bins = np.arange(N_BINS)
    print("two unrelated codes without noise (mean of", n_pairs, "pairs)")
    print("track   units  structure  without lags  rotation, even to odd bins")
    for circle in (False, True):
        lag = np.abs(bins[:, None] - bins[None])
        classes = Classes.of(np.minimum(lag, N_BINS - lag) if circle else lag, bins)
        for n_units in (50, 200, 1000):
            rows = []
            for i in range(n_pairs):
                rng = np.random.default_rng([i, n_units, circle])
                a, b = code(rng, n_units, circle), code(rng, n_units, circle)
                u = [pattern_correlations(one) for one in (a, b)]
                free = [classes.free(one) for one in u]
                rows.append([np.corrcoef(*u)[0, 1], np.corrcoef(*free)[0, 1], even_to_odd(a, b)])
            found = np.mean(rows, axis=0)
            name = "circle" if circle else "line"
            print(f"{name:7s}{n_units:6d}{found[0]:10.3f}{found[1]:13.2f}{found[2]:16.3f}")


def even_to_odd(a: np.ndarray, b: np.ndarray) -> float:
    """Share of the change of odd bins by the rotation and move fitted to even ones."""
    mean_a, mean_b = (one[:, ::2].mean(axis=1, keepdims=True) for one in (a, b))
    rotation = fit_rotation(a[:, ::2] - mean_a, b[:, ::2] - mean_b, 1e-9)
    told = rotation.apply(a[:, 1::2] - mean_a) + mean_b
    left = ((b[:, 1::2] - told) ** 2).sum()
    return float(1 - left / ((b[:, 1::2] - a[:, 1::2]) ** 2).sum())


COLUMNS = {
    "structure": ("relations", "mean_structure"),
    "above": ("relations", "mean_structure_excess"),
    "p<=.05": ("relations", "mean_structure_p"),
    "no lags": ("relations", "mean_structure_free"),
    "above ": ("relations", "mean_structure_free_excess"),
    "p<=.05 ": ("relations", "mean_structure_free_p"),
    "vectors": ("relations", "vectors_relative"),
    "trend p": ("relations", "trend_p"),
    "symm.": ("relations", "symmetry_p"),
    "transf": ("alignment", "mean_transfer"),
    "above  ": ("alignment", "mean_transfer_excess"),
    "p<=.05  ": ("alignment", "mean_transfer_p"),
    "extrap": ("alignment", "mean_extrapolation"),
    "above   ": ("alignment", "mean_extrapolation_excess"),
    "p<=.05   ": ("alignment", "mean_extrapolation_p"),
}


def measures(truth: str, circle: bool, i: int, n_units: int, n_draws: int) -> list[float]:
    """What is found in one animal."""
    rng = np.random.default_rng([19, i, circle])
    size = 1e4 if truth == "remapped" else None
    kind = "independent" if truth == "remapped" else truth
    animal = make(kind, rng, circle=circle, n_units=n_units, size=size)
    halves = nd.compute_half_maps(animal.recording, binning=nd.Binning(bin_width=5), split="lap")
    found = {
        "relations": nd.compute_relations(halves, n_draws=2 * n_draws + 1, seed=i),
        "alignment": nd.compute_alignment(halves, n_draws=n_draws, seed=i),
    }
    row = []
    for node, name in COLUMNS.values():
        values: Any = found[node][name].values
        if name == "symmetry_p":  # of the first and the last session
            value = float(values[0, -1])
        elif values.ndim:
            value = float(np.nanmean(values[~np.eye(len(values), dtype=bool)]))
        else:
            value = float(values)
        row.append(value)
    return row


def truths(n_animals: int, n_units: int, n_draws: int) -> None:
    """Print what every truth does to every measure."""
    print(f"\n{n_animals} animals a row, {n_units} units, 6 sessions; p: share of animals")
    print(f"{'':18s}" + "".join(f"{name.strip():>10s}" for name in COLUMNS))
    for circle in (False, True):
        for truth in (*TRUTHS, "remapped"):
            rows = np.array(
                [measures(truth, circle, i, n_units, n_draws) for i in range(n_animals)]
            )
            cells = []
            for k, (_, name) in enumerate(COLUMNS.values()):
                known = rows[np.isfinite(rows[:, k]), k]
                if not known.size:
                    cells.append("-")
                elif name.endswith("_p"):
                    cells.append(f"{(known <= 0.05 + 1e-9).mean():.2f}")
                else:
                    cells.append(f"{known.mean():.2f}")
            name = "circle" if circle else "line"
            print(f"{name:7s}{truth:11s}" + "".join(f"{cell:>10s}" for cell in cells), flush=True)


def peer() -> None:
    """Print the largest difference from rsatoolbox, of crossnobis distances and correlations."""
    import rsatoolbox

    rng = np.random.default_rng(0)
    one, other = code(rng, 30, False) + rng.normal(size=(2, 30, N_BINS))
    labels = {"bin": np.tile(np.arange(N_BINS), 2), "half": np.repeat([0, 1], N_BINS)}
    data = rsatoolbox.data.Dataset(np.concatenate([one.T, other.T]), obs_descriptors=labels)
    found = rsatoolbox.rdm.calc_rdm(
        data, method="crossnobis", descriptor="bin", cv_descriptor="half"
    ).dissimilarities[0]
    above = np.triu_indices(N_BINS, k=1)
    print("crossnobis, largest difference:", np.abs(found - crossnobis(one, other)[above]).max())
    plain = rsatoolbox.data.Dataset(one.T, obs_descriptors={"bin": np.arange(N_BINS)})
    found = rsatoolbox.rdm.calc_rdm(plain, method="correlation", descriptor="bin").dissimilarities
    print(
        "correlation, largest difference:", np.abs(1 - found[0] - pattern_correlations(one)).max()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="one animal of each, 20 units")
    parser.add_argument("--animals", type=int, default=400)
    parser.add_argument("--units", type=int, default=60)
    parser.add_argument("--peer", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore", RuntimeWarning)
    unrelated(3 if options.small else 60)
    if options.peer:
        peer()
    small = options.small
    truths(1 if small else options.animals, 20 if small else options.units, 3 if small else 19)


if __name__ == "__main__":
    main()
