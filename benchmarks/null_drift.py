"""What whole recordings are said to do when only the recording changes, and not the cells.

    python benchmarks/null_drift.py            # 20 recordings a row, about 20 minutes on one core
    python benchmarks/null_drift.py --small    # one of each

Fields move to new places from session to session at random, by the generator of
``false_positives.py``: null drift, with nothing that rises or falls. From the first to the last of
eight sessions one thing changes: how many events are seen (in movement and all over), how fast the
animal runs, how long the session is, how many cells are detected. In the last rows cells do fall
silent or lose their fields, which is directed drift. Printed are the shares of what phases say [%].
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections import Counter
from typing import Any

import numpy as np
from false_positives import HZ, on_track, spikes

import neurodrift as nd

N_SESSIONS = 8
ROWS: dict[str, dict[str, tuple[float, float]]] = {
    "nothing changes": {},
    "events fall to a third": {"events": (1.0, 0.33)},
    "events triple": {"events": (0.33, 1.0)},
    "speed rises from 15 to 30 cm/s": {"speed": (15.0, 30.0)},
    "sessions shorten from 15 to 5 min": {"minutes": (15.0, 5.0)},
    "sessions lengthen from 5 to 15 min": {"minutes": (5.0, 15.0)},
    "cells detected fall from 95 to 50 %": {"detected": (0.95, 0.5)},
    "half of the cells fall silent (a true change)": {"silent": (0.0, 0.5)},
    "half of the fields vanish (a true change)": {"untuned": (0.0, 0.5)},
}


def recording(rng: np.random.Generator, n_units: int, change: dict[str, Any]) -> Any:
    """Eight sessions on a track; each thing goes evenly from its first to its last value."""
    usual = {
        "events": (1.0, 1.0),
        "speed": (20.0, 20.0),
        "minutes": (10.0, 10.0),
        "detected": (1.0, 1.0),
        "silent": (0.0, 0.0),
        "untuned": (0.0, 0.0),
    }
    course = {
        name: np.linspace(*change.get(name, ends), N_SESSIONS) for name, ends in usual.items()
    }
    centre, tuned = rng.uniform(5, 95, n_units), rng.random(n_units) < 0.6
    gain, when_silent = rng.lognormal(0.0, 0.4, n_units), rng.random(n_units)
    when_untuned = rng.random(n_units)
    runs, activity, detected = [], [], []
    for s in range(N_SESSIONS):
        now = {name: values[s] for name, values in course.items()}
        moved = rng.random(n_units) < 0.2
        centre[moved] = rng.uniform(5, 95, moved.sum())
        run = on_track(rng, minutes=now["minutes"], mean=now["speed"])
        bump = np.exp(-((run.x[:, None] - centre) ** 2) / (2 * 8.0**2))
        place = tuned & (when_untuned >= now["untuned"])
        rate = gain * np.where(place, 0.05 + bump, 0.25) * now["events"]
        rate = rate * (when_silent >= now["silent"])
        runs.append(run)
        activity.append(spikes(rng, rate))
        detected.append(rng.random(n_units) < now["detected"])
        activity[-1][:, ~detected[-1]] = 0
    return nd.recording_from_arrays(
        activity,
        kind="events",
        x=[run.x for run in runs],
        direction=[run.direction for run in runs],
        lap=[run.lap for run in runs],
        speed=[run.speed for run in runs],
        frame_duration=1 / HZ,
        day=2.0 * np.arange(N_SESSIONS),
        detected=np.array(detected),
        subject="synthetic",
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=20)
    parser.add_argument("--units", type=int, default=80)
    parser.add_argument("--small", action="store_true", help="one recording a row, few cells")
    arguments = parser.parse_args()
    n, n_units = (1, 15) if arguments.small else (arguments.recordings, arguments.units)
    print(f"$ python {' '.join(sys.argv)}")
    for name, change in ROWS.items():
        said: Counter[str] = Counter()
        for i in range(n):
            rng = np.random.default_rng([zlib.crc32(name.encode()), i])
            results = nd.analyze(
                recording(rng, n_units, change),
                measures=["phases"],
                n_repeats=50,
                n_draws=2 if arguments.small else 5,
            )
            verdict = str(results["phases"].attrs["verdict"])
            said["directed drift" if "directed" in verdict else verdict] += 1
        shares = ", ".join(f"{100 * k / n:.0f} % {what}" for what, k in said.most_common())
        print(f"{name:48s} {shares}", flush=True)


if __name__ == "__main__":
    main()
