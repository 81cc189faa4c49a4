"""How often maps are found where there is one, and how often where there are several.

    python benchmarks/calibration_maps.py            # 300 animals with one map, 200 with several
    python benchmarks/calibration_maps.py --small    # a dozen

Synthetic animals differ in cells, events, laps, sessions, trials, detection and drift. With one
map, drift is steady (down to a map correlation of .3 over the sessions, or more), starts with a
leap after the first session, has a leap in the middle, or is so fast that sessions hardly agree.
"""

from __future__ import annotations

import argparse
import sys
from itertools import permutations

import numpy as np
import xarray as xr

from neurodrift import detect_maps, testing

ONE_MAP = ("no drift", "drift to .3", "leap after first", "leap in the middle", "fast drift")
SEVERAL = (
    "two by trial",
    "three by trial",
    "by session",
    "rare second",
    "one session only",
    "last session only",
    "once for good",
    "80 % remap",
)


def animal(kind: str, seed: int) -> xr.Dataset:
    """One synthetic animal of a kind, its other properties drawn at random."""
    rng = np.random.default_rng([seed, sorted((*ONE_MAP, *SEVERAL)).index(kind)])
    n_sessions, n_trials = int(rng.integers(4, 11)), int(rng.integers(3, 7))
    drift = np.full(n_sessions - 1, 1 - 0.3 ** (1 / (n_sessions - 1)))
    labels = np.ones((n_sessions, n_trials), dtype=int)
    if kind == "no drift":
        drift[:] = 0
    elif kind == "leap after first":
        drift[0] = 0.6
    elif kind == "leap in the middle":
        drift[n_sessions // 2 - 1] = 0.6
    elif kind == "fast drift":
        drift[:] = 0.6
    elif kind in ("two by trial", "80 % remap"):
        labels = rng.integers(1, 3, size=labels.shape)
        labels[0, 0], labels[1, 0] = 1, 2
    elif kind == "three by trial":
        labels = rng.integers(1, 4, size=labels.shape)
        labels[:2, :3] = [1, 2, 3]
    elif kind == "by session":
        labels += (np.arange(n_sessions) % 2)[:, None]
    elif kind == "rare second":
        for session in rng.choice(n_sessions, size=3, replace=False):
            labels[session, rng.integers(n_trials)] = 2
    elif kind == "one session only":
        labels[n_sessions // 2] = 2
    elif kind == "last session only":
        labels[-1] = 2
    elif kind == "once for good":
        labels[n_sessions // 2, n_trials // 2 :] = 2
        labels[n_sessions // 2 + 1 :] = 2
    return testing.several_maps(
        labels.tolist(),
        n_units=int(40 * 8 ** rng.random()),
        minutes=float(rng.choice([1.5, 3.0])),
        frame_rate=10.0,
        drift=drift.tolist(),
        remapping=0.8 if kind == "80 % remap" else 1.0,
        detection=float(rng.uniform(0.5, 1)),
        peak_rate=float(0.3 * 5 ** rng.random()),
        speed=float(rng.uniform(8, 25)),
        seed=seed,
    )


def right(detected: xr.Dataset, recording: xr.Dataset) -> tuple[float, float]:
    """Fraction of segments labelled right, under the best names of the maps; and unknown."""
    keys = zip(detected["session"].values, detected["trial"].values, strict=True)
    index = {str(name): i for i, name in enumerate(recording["session"].values)}
    code = recording["session_index"].values * 100 + recording["trial"].values
    first = dict(zip(*np.unique(code, return_index=True), strict=True))
    at = [first[index[str(session)] * 100 + trial] for session, trial in keys]
    true, found = recording["map_label"].values[at], detected["map_label"].values
    names = range(1, max(int(true.max()), int(found.max())) + 1)
    best = max(
        np.mean(np.array([0, *order])[found] == true) for order in permutations(names, len(names))
    )
    return float(best), float(np.mean(found == 0))


def main() -> None:
    """Print the rates for each kind of animal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one-map", type=int, default=300, help="animals with one map")
    parser.add_argument("--several", type=int, default=200, help="animals with several maps")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--verbose", action="store_true", help="print every animal that is wrong")
    parser.add_argument("--small", action="store_true")
    arguments = parser.parse_args()
    if arguments.small:
        arguments.one_map, arguments.several = len(ONE_MAP), len(SEVERAL)
    print(f"$ python {' '.join(sys.argv)}")
    for kinds, n_animals, wanted in (
        (ONE_MAP, arguments.one_map, "one map"),
        (SEVERAL, arguments.several, "several maps"),
    ):
        if n_animals < len(kinds):
            continue
        number, correct, labels, unknown = 0, 0, [], []
        for kind in kinds:
            counts, own = [], []
            for k in range(n_animals // len(kinds)):
                recording = animal(kind, arguments.first_seed + k)
                detected = detect_maps(recording)
                n_true = int(recording["map_label"].values.max())
                counts.append(int(detected["n_maps"]) - n_true)
                own.append(right(detected, recording))
                if arguments.verbose and (counts[-1] or own[-1][0] < 0.95):
                    size = {**detected.sizes, "unit": recording.sizes["unit"]}
                    split = [float(detected[n]) for n in ("kept_by_split", "kept_by_split_se")]
                    print(f"  {kind} {k}: {counts[-1]:+d} {own[-1]} {np.round(split, 2)} {size}")
            number, correct = number + len(counts), correct + counts.count(0)
            labels += [item[0] for item in own]
            unknown += [item[1] for item in own]
            print(
                f"{wanted:12s} {kind:20s} n = {len(counts):3d}: number of maps right "
                f"{100 * counts.count(0) / len(counts):5.1f} %, too many "
                f"{sum(c > 0 for c in counts)}, too few {sum(c < 0 for c in counts)}; labels right "
                f"{100 * np.mean([item[0] for item in own]):5.1f} %, unknown "
                f"{100 * np.mean([item[1] for item in own]):4.1f} %",
                flush=True,
            )
        print(
            f"{wanted}: number of maps right in {correct} of {number}; labels right "
            f"{100 * np.mean(labels):.1f} %, unknown {100 * np.mean(unknown):.1f} %"
        )


if __name__ == "__main__":
    main()
