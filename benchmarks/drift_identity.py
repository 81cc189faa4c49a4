"""Wrong matches of a known share: the bound on false drift, and the share that is found.

    python benchmarks/drift_identity.py                # 400 animals a row
    python benchmarks/drift_identity.py --animals 40
    python benchmarks/drift_identity.py --small

Animals of ``animals.py``, 2 sessions of 60 units; of the second session a share of the units is
exchanged at random, or with neighbours of like rate. Printed: similarity without noise (mean and
standard deviation over animals), the share of wrong matches that would make all of its loss
(`needed`; of a stable animal the true share), similarity corrected with the true share (1 for a
stable animal), and how often the loss is within the bound and its upper end for the true share.
"""

from __future__ import annotations

import argparse
from typing import Any

import known_animals as animals
import numpy as np

import neurodrift as nd

MEASURE = "rate_map_correlation_relative"
SHARES = (0.05, 0.1, 0.2, 0.3, 1.0)


def exchanged(recording: Any, share: float, like: bool, rng: np.random.Generator) -> Any:
    """The recording with units of its second session exchanged."""
    activity = recording["activity"].values.copy()
    here = recording["session_index"].values == 1
    n = activity.shape[1]
    order = np.arange(n)
    if like:
        ranked = np.argsort(activity[here].sum(axis=0), kind="stable").reshape(-1, 2)
        pairs = rng.permutation(ranked)[: round(share * n / 2)]
        order[pairs[:, 0]], order[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
    elif share:
        chosen = rng.permutation(n)[: round(share * n)]
        order[chosen] = np.roll(chosen, 1)
    activity[here] = activity[here][:, order]
    changed = recording.copy()
    changed["activity"] = (recording["activity"].dims, activity, recording["activity"].attrs)
    return changed


def measured(truth: str, i: int, share: float, like: bool) -> dict[str, float]:
    rng = np.random.default_rng([29, i, round(100 * share), like])
    recording = animals.make(truth, rng, n_sessions=2).recording
    recording = exchanged(recording, share, like, rng)
    found = nd.compute_identity_sensitivity(recording, shares=SHARES, n_draws=2)
    one = found.sel(measure=MEASURE).isel(session_a=0, session_b=1)
    row = {name: float(one[name]) for name in ("similarity", "needed")}
    if share in SHARES:
        at = one.sel(wrong_share=share)
        lost = row_lost(one)
        row["corrected"] = float(at["corrected"])
        row["bound"] = float(lost <= float(at["false_drift"]))
        row["high"] = float(lost <= float(at["false_drift_high"]))
    return row


def row_lost(one: Any) -> float:
    return float(one["within"] - one["similarity"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--animals", type=int, default=400)
    parser.add_argument("--small", action="store_true", help="two animals of some rows")
    options = parser.parse_args()
    n = 2 if options.small else options.animals
    print(f"{n} animals a row, 60 units, 2 sessions of 40 laps, {MEASURE}")
    print(
        f"{'truth':14s}{'partner':9s}{'share':>6s}{'similarity':>16s}{'needed':>16s}"
        f"{'corrected':>16s}{'bound':>7s}{'high':>6s}"
    )
    cases = [("stable", False, s) for s in (0.0, 0.05, 0.1, 0.2, 0.3)]
    cases += [("stable", True, s) for s in (0.1, 0.2)]
    cases += [("rates", False, 0.1), ("independent", False, 0.0), ("independent", False, 0.1)]
    for truth, like, share in cases[1:3] if options.small else cases:
        rows = [measured(truth, i, share, like) for i in range(n)]
        text = f"{truth:14s}{'rate' if like else 'random':9s}{share:6.2f}"
        for name in ("similarity", "needed", "corrected"):
            values = [row.get(name, np.nan) for row in rows]
            known = [value for value in values if np.isfinite(value)]
            said = f"{np.mean(known):7.3f} ({np.std(known):.3f})" if known else "-"
            text += f"{said:>16s}"
        if share in SHARES:
            text += f"{np.mean([row['bound'] for row in rows]):7.2f}"
            text += f"{np.mean([row['high'] for row in rows]):6.2f}"
        print(text, flush=True)


if __name__ == "__main__":
    main()
