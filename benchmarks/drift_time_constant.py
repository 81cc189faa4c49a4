"""Half-life and floor of drift: are they found, do the intervals hold, is the right course chosen?

    python benchmarks/drift_time_constant.py            # 400 recordings a row, some 5 minutes
    python benchmarks/drift_time_constant.py --small

Similarities of pairs of sessions are drawn about a known course: an effect of each session (sd .02,
in all of its pairs) and noise of each pair (sd .02). Sessions are two days apart.
"""

from __future__ import annotations

import argparse

import numpy as np
import xarray as xr

import neurodrift as nd

COURSES = {
    "constant": lambda lag: np.full(lag.shape, 0.8),
    "linear": lambda lag: 0.9 - 0.015 * lag,
    "saturating": lambda lag: 0.4 + 0.5 * np.exp(-lag / 5.0),
}


def pairs(course: str, n_sessions: int, rng: np.random.Generator) -> xr.Dataset:
    """Similarity of every two sessions."""
    day = 2.0 * np.arange(n_sessions)
    lag = np.abs(day[:, None] - day)
    own = 0.02 * rng.standard_normal(n_sessions)
    noise = np.triu(0.02 * rng.standard_normal(lag.shape), 1)
    values = COURSES[course](lag) + own[:, None] + own + noise + noise.T
    dims = ("session_a", "session_b")
    number = np.arange(n_sessions)
    return xr.Dataset(
        {"rate_map_correlation_relative": (dims, values)},
        coords={
            "lag": (dims, number[None, :] - number[:, None]),
            "lag_day": (dims, day[None, :] - day[:, None]),
        },
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="3 recordings a row")
    n = 3 if parser.parse_args().small else 400
    print(
        "truth       sessions  chosen: constant linear saturating | half-life: given, median, "
        "interval holds | floor: median, interval holds"
    )
    for course in COURSES:
        for n_sessions in (6, 8, 12, 20):
            rng = np.random.default_rng([11, n_sessions])
            found = [
                nd.fit_time_constant(pairs(course, n_sessions, rng), n_resamples=200)
                for _ in range(n)
            ]
            chosen = [one.attrs["chosen"] for one in found]
            shares = " ".join(f"{np.mean([c == m for c in chosen]):8.2f}" for m in COURSES)
            half = np.array([one["half_life"].item() for one in found])
            given = np.isfinite(half)
            text = f"{course:12s}{n_sessions:8d}          {shares} | {given.mean():6.2f}"
            if course == "saturating" and given.any():
                held = [
                    one[f"{key}_low"] <= truth <= one[f"{key}_high"]
                    for key, truth in (("time_constant", 5.0), ("floor", 0.4))
                    for one in found
                ]
                floor = np.median([one["floor"].item() for one in found])
                text += f" {np.median(half[given]):6.2f} {np.mean(held[:n]):6.2f}"
                text += f" | {floor:5.2f} {np.mean(held[n:]):6.2f}"
            print(text, flush=True)


if __name__ == "__main__":
    main()
