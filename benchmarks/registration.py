"""Is the share of wrong identities found, and told from drift?

    python benchmarks/registration.py            # 20 recordings a row, some minutes
    python benchmarks/registration.py --small    # 1 of a few rows, so that CI keeps it alive

The generator is plain NumPy: laps back and forth on a track of 100 cm, a Gaussian field (sd 8 cm)
for each direction and cell, Poisson events. From one session to the next `drift` of the cells get
new fields. In every session but the first, `wrong` of the cells get the traces of others.
Error: of the mean over pairs; covers: 95 % intervals of pairs that hold the planted share; bound:
pairs whose bound holds it; alarm: recordings in which any session is called partly wrong.
"""

from __future__ import annotations

import argparse

import numpy as np
import xarray as xr

from neurodrift.analysis.identity.registration import SOME_WRONG
from neurodrift.analysis.identity.shares import wrong_shares
from neurodrift.analysis.maps.binning import Binning
from neurodrift.recording import recording_from_arrays
from neurodrift.seeds import generator

RATE = 10.0  # frames/s


def recording(
    rng: np.random.Generator,
    *,
    drift: float,
    wrong: float,
    events: float,
    n_sessions: int = 5,
    n_units: int = 100,
    uneven: bool = False,
    blinking: float = 0.0,
) -> tuple[xr.Dataset, np.ndarray]:
    """A recording and the planted share of wrong identities of each pair of sessions.

    Parameters
    ----------
    rng
        Random stream.
    drift, wrong
        Shares of cells.
    events
        Mean events of a cell and session.
    n_sessions, n_units
        Size.
    uneven
        Whether drift is three times as fast between the first two sessions.
    blinking
        Share of the cells that have new fields in every session.
    """
    centre = rng.uniform(5, 95, (2, n_units))
    gain = np.exp(rng.normal(0, 0.5, n_units))
    gain /= gain.mean()
    blinks = rng.random(n_units) < blinking
    parts: dict[str, list[np.ndarray]] = {"activity": [], "x": [], "direction": [], "lap": []}
    who = []
    for session in range(n_sessions):
        if session:
            speed = 3 * drift if uneven and session == 1 else drift
            moved = (rng.random(n_units) < speed) | blinks
            centre[:, moved] = rng.uniform(5, 95, (2, int(moved.sum())))
        frames = rng.integers(32, 49, 30)
        x = np.concatenate(
            [np.linspace(0, 100, n)[:: 1 if k % 2 == 0 else -1] for k, n in enumerate(frames)]
        )
        lap = np.repeat(np.arange(1, 31), frames)
        direction = np.where(lap % 2 == 1, 1, -1)
        at = np.where((direction == 1)[:, None], centre[0], centre[1])
        rate = 0.05 + np.exp(-((x[:, None] - at) ** 2) / 2 / 8**2)
        counts = rng.poisson(rate * gain * events / rate.sum(axis=0))
        own = np.arange(n_units)
        mistaken = rng.permutation(n_units)[: round(wrong * n_units)]
        if session and mistaken.size > 1:
            own[mistaken] = np.roll(own[mistaken], 1)
        who.append(own)
        parts["activity"].append(np.minimum(counts[:, own], 250).astype(np.uint8))
        parts["x"].append(x)
        parts["direction"].append(direction)
        parts["lap"].append(lap)
    made = recording_from_arrays(
        parts["activity"],
        kind="events",
        x=parts["x"],
        direction=parts["direction"],
        lap=parts["lap"],
        speed=[np.full(x.size, 25.0) for x in parts["x"]],
        frame_duration=1 / RATE,
        day=2 * np.arange(n_sessions),
        subject="m",
        environment="track",
    )
    identity = np.array(who)
    return made, 1 - (identity[:, None] == identity[None]).mean(axis=-1)


def row(name: str, repeats: int, **options: float | bool) -> None:
    """Print what is found in recordings of one kind."""
    n = int(options.get("n_sessions", 5))
    upper = np.triu_indices(n, 1)
    found = []
    for k in range(repeats):
        made, truth = recording(generator(k, "registration", name), **options)  # type: ignore[arg-type]
        shares = wrong_shares(
            made, binning=Binning(bin_width=5.0), smoothing=5.0, days=2.0 * np.arange(n), seed=k
        )
        share, true = shares.share[upper], truth[upper]
        told = np.isfinite(share).all()
        alarm = bool(np.nan_to_num(shares.sure).max() > SOME_WRONG)
        inside = (shares.low[upper] <= true + 1e-9) & (true <= shares.high[upper] + 1e-9)
        error = (share - true).mean() if told else np.nan
        bound = (true <= shares.bound[upper] + 1e-9).mean()
        found.append((error, inside.mean() if told else np.nan, bound, alarm, true.mean()))
    error, inside, bound, alarm, true = np.array(found, dtype=float).T
    told = np.isfinite(error)
    if told.any():
        text = (
            f"{100 * error[told].mean():+7.1f} {100 * np.abs(error[told]).max():7.1f} "
            f"{100 * (np.abs(error[told]) <= 0.1).mean():9.0f} {100 * inside[told].mean():7.0f}"
        )
    else:
        text = f"{'not told from drift':>33s}"
    print(
        f"{name:44s} {100 * true.mean():6.1f} {text} {100 * bound.mean():6.1f} "
        f"{100 * alarm.mean():6.0f}",
        flush=True,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="1 recording of a few rows")
    parser.add_argument("--repeats", type=int, default=20)
    small = (options := parser.parse_args()).small
    repeats = 1 if small else options.repeats
    print(f"{repeats} recordings a row; 5 sessions, 100 cells, 30 events where not said; [%]\n")
    print(
        f"{'':44s} {'wrong':>6s} {'error':>7s} {'largest':>7s} {'within 10':>9s} {'covers':>7s} "
        f"{'bound':>6s} {'alarm':>6s}"
    )
    for drift in (0.0, 0.1):
        for wrong in (0.0, 0.4) if small else (0.0, 0.1, 0.2, 0.4, 0.6):
            row(f"drift {drift:g}, wrong {wrong:g}", repeats, drift=drift, wrong=wrong, events=30)
    if small:
        return
    row(
        "drift .1, three times as fast at first",
        repeats,
        drift=0.1,
        wrong=0.0,
        events=30,
        uneven=True,
    )
    row("drift .1 fast at first, wrong .4", repeats, drift=0.1, wrong=0.4, events=30, uneven=True)
    row("drift .3", repeats, drift=0.3, wrong=0.0, events=30)
    row(
        "drift .1, 20 % of cells new every session",
        repeats,
        drift=0.1,
        wrong=0.0,
        events=30,
        blinking=0.2,
    )
    row("12 events, drift .1, wrong .2", repeats, drift=0.1, wrong=0.2, events=12)
    row(
        "100 events, 300 cells, drift .1, wrong .2",
        repeats,
        drift=0.1,
        wrong=0.2,
        events=100,
        n_units=300,
    )
    row("8 sessions, drift .1, wrong .2", repeats, drift=0.1, wrong=0.2, events=30, n_sessions=8)
    row("3 sessions, drift .1, wrong .2", repeats, drift=0.1, wrong=0.2, events=30, n_sessions=3)
    row("30 cells, drift .1, wrong .4", repeats, drift=0.1, wrong=0.4, events=30, n_units=30)


if __name__ == "__main__":
    main()
