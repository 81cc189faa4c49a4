"""What moves each statistic of drift when the drift is the same but was seen otherwise.

    python benchmarks/drift_statistics.py              # some 3 minutes on one core
    python benchmarks/drift_statistics.py --small      # 20 seconds
    python benchmarks/drift_statistics.py --recordings C6A.zarr C6B.zarr C12A.zarr
    python benchmarks/drift_statistics.py --page docs/drift-statistics.md    # writes its table

Animals of 200 cells and 8 sessions, on a line in both directions, drift in one of nine ways
(nothing, fields walk, fields jump, rates change, cells turn over, half of the cells turn over,
cells fall silent one after the other, fields become narrower, and all at once). Shown for each
statistic: its mean and its spread (standard deviation) over all animals seen without noise; then
its bias, mean over the animals, in units of that spread, with 300, 100, 30 and 10 events a cell and
session, and with 100 where cells come on in some laps and not in others (all against the same
animal without noise), and with 50 and 800 cells instead of 200 (other
animals of the same kinds, 100 events; with the standard error of that difference); then the largest
change of any animal with time times 1000, and with rates times 10. The last columns are the mean
standard error that the statistic claims with 100 events, and the spread over animals of one kind.

Of recordings, stores of ``neurodrift import``, the statistics are shown with units that were not
detected in a session taken as missing and as silent.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import neurodrift as nd
from neurodrift.infer.observation.counts import Observed
from neurodrift.infer.statistics.vector import STATISTICS, statistics_of
from neurodrift.infer.statistics.words import descriptions

START, END = "<!-- table -->\n", "<!-- end of table -->\n"
KINDS = ("nothing", "walk", "jump", "rates", "turnover", "lasting", "silencing", "sharper", "all")
EVENTS = (300, 100, 30, 10)
UNEVEN = 0.5
N_SESSIONS, N_BINS, WIDTH = 8, 20, 0.08


def rates(kind: str, rng: np.random.Generator, n_units: int) -> np.ndarray:
    """(session, unit, condition) rates of one animal, 1 on average.

    Every cell has a field in each direction and a gain of its own; a third of them is silent.
    """
    does = {name: kind in (name, "all") for name in KINDS}
    centre = rng.uniform(0, 1, (n_units, 2))
    gain = np.exp(0.8 * rng.standard_normal(n_units))
    on = rng.random(n_units) < 0.67
    lasts = rng.random(n_units)
    x = (np.arange(N_BINS) + 0.5) / N_BINS
    found = np.empty((N_SESSIONS, n_units, 2 * N_BINS))
    for s in range(N_SESSIONS):
        if s and does["walk"]:
            centre = centre + 0.05 * rng.standard_normal(centre.shape)
            centre = np.abs(centre)
            centre = np.where(centre > 1, 2 - centre, centre)
        if s and does["jump"]:
            moves = rng.random(n_units) < 0.1
            centre[moves] = rng.uniform(0, 1, (moves.sum(), 2))
        if s and does["rates"]:
            gain = gain * np.exp(0.3 * rng.standard_normal(n_units))
        if s and does["turnover"]:
            on = on ^ (rng.random(n_units) < np.where(on, 0.1, 0.2))
        if s and does["lasting"]:
            on = on ^ ((rng.random(n_units) < np.where(on, 0.2, 0.4)) & (lasts < 0.5))
        active = on & (lasts > 0.6 * s / N_SESSIONS) if does["silencing"] else on
        width = WIDTH * 0.5 ** (s / N_SESSIONS) if does["sharper"] else WIDTH
        fields = np.exp(-0.5 * ((x - centre[:, :, None]) / width) ** 2).reshape(n_units, -1)
        found[s] = (gain * active)[:, None] * (0.02 + fields)
    return found / found.mean()


def seen(
    truth: np.ndarray,
    rng: np.random.Generator | None,
    events: float = 100.0,
    uneven: float = 0.0,
) -> Observed:
    """An animal with so many events a cell and session, or without noise.

    With `uneven`, each cell is more active in one half of a session than in the other by a random
    factor with that coefficient of variation, as where it comes on in some laps and not in others.
    """
    n_sessions, n_units, n_conditions = truth.shape
    expected = np.repeat(truth[None] * events / (2 * n_conditions), 2, axis=0)
    if rng is not None and uneven:
        expected *= rng.gamma(uneven**-2, uneven**2, (2, n_sessions, n_units, 1))
    return Observed(
        expected if rng is None else rng.poisson(expected),
        np.ones((2, n_sessions, n_conditions)),
        np.ones((n_sessions, n_units), dtype=bool),
        np.arange(n_sessions, dtype=float),
        np.repeat([0, 1], n_conditions // 2),
        counts=rng is not None,
    )


def values(observed: Observed) -> np.ndarray:
    """(statistic)"""
    return np.asarray(statistics_of(observed, se=False)["value"].values)


def measure(n_animals: int, n_draws: int) -> pd.DataFrame:
    """Bias of every statistic.

    Parameters
    ----------
    n_animals
        Of each kind.
    n_draws
        Times that each is seen with noise.

    Returns
    -------
    pandas.DataFrame
        One row a statistic.
    """
    truths = [(kind, i, rates(kind, np.random.default_rng([1, k, i]), 200))
              for k, kind in enumerate(KINDS) for i in range(n_animals)]  # fmt: skip
    exact = np.array([values(seen(truth, None)) for _, _, truth in truths])
    mean, spread = np.nanmean(exact, axis=0), np.nanstd(exact, axis=0)
    within = np.nanstd(exact.reshape(len(KINDS), n_animals, -1), axis=1, ddof=1)
    table = {"without noise": mean, "spread": spread}
    for events in EVENTS:
        drawn = [
            np.nanmean(
                [
                    values(seen(truth, np.random.default_rng([2, row, draw, events]), events))
                    for draw in range(n_draws)
                ],
                axis=0,
            )
            for row, (_, _, truth) in enumerate(truths)
        ]
        table[f"{events} events"] = np.nanmean(np.array(drawn) - exact, axis=0) / spread
        if events == 100:
            usual = np.array(drawn)
    uneven = [
        values(seen(truth, np.random.default_rng([5, row]), uneven=UNEVEN))
        for row, (_, _, truth) in enumerate(truths)
    ]
    table["uneven"] = np.nanmean(np.array(uneven) - exact, axis=0) / spread
    for n_units in (50, 800):
        few = np.array(
            [
                values(seen(rates(kind, rng, n_units), rng))
                for k, kind in enumerate(KINDS)
                for i in range(n_animals * (2 if n_units < 200 else 1))
                for rng in [np.random.default_rng([3, k, i, n_units])]
            ]
        ).reshape(len(KINDS), -1, len(STATISTICS))
        base = usual.reshape(len(KINDS), n_animals, -1)
        away = np.nanmean(few, axis=1) - np.nanmean(base, axis=1)
        error = np.nanvar(few, axis=1) / few.shape[1] + np.nanvar(base, axis=1) / n_animals
        table[f"{n_units} cells"] = np.nanmean(away, axis=0) / spread
        number = np.isfinite(away).sum(axis=0)
        table[f"{n_units} cells, error"] = np.sqrt(np.nansum(error, axis=0)) / number / spread
    some = [seen(truth, np.random.default_rng([4, row])) for row, (_, i, truth) in enumerate(truths)
            if i == 0]  # fmt: skip
    plain = np.array([values(one) for one in some])
    for name, change in (
        ("time x 1000", lambda o: {"day": o.day * 1000 + 7}),
        ("rates x 10", lambda o: {"seconds": o.seconds / 10}),
    ):
        other = np.array([values(Observed(**{**vars(one), **change(one)})) for one in some])
        table[name] = np.nanmax(np.abs(other - plain), axis=0)
    claimed = [statistics_of(one)["se"].values for one in some]
    table["claimed error"] = np.nanmean(claimed, axis=0)
    table["spread of a kind"] = np.nanmean(within, axis=0)
    return pd.DataFrame(table, index=pd.Index(STATISTICS, name="statistic"))


def of_recordings(paths: list[str]) -> pd.DataFrame:
    """Statistics of stored recordings, by what a unit is that was not detected."""
    columns = {
        (Path(path).stem, undetected): nd.drift_statistics(
            nd.open_recording(path), undetected=undetected, se=False
        )["value"].to_series()
        for path in paths
        for undetected in ("missing", "silent")
    }
    return pd.DataFrame(columns)


def in_markdown(table: pd.DataFrame) -> str:
    """The table of the page: what each is, why, and what biases it."""
    head = ["statistic", "what it is", "why it speaks of the rule", "mean ± spread"]
    head += ["30 events", "10 events", "uneven laps", "50 cells", "800 cells"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    words = descriptions(STATISTICS)
    for name, row in table.iterrows():
        cells = [
            f"`{name}`",
            *words[str(name)],
            f"{row['without noise']:.2f} ± {row['spread']:.2f}",
        ]
        cells += [f"{row[f'{events} events']:+.2f}" for events in (30, 10)]
        cells.append(f"{row['uneven']:+.2f}")
        cells += [f"{row[f'{n} cells']:+.2f} ({row[f'{n} cells, error']:.2f})" for n in (50, 800)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--small", action="store_true", help="two animals a kind, one draw")
    parser.add_argument("--page", type=Path, help="page whose table is to be written")
    parser.add_argument("--recordings", nargs="+", help="stores of recordings to describe instead")
    options = parser.parse_args()
    if options.recordings:
        print(of_recordings(options.recordings).round(2).to_string())
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means of nothing
        table = measure(*((2, 1) if options.small else (8, 3)))
    print(table.round(2).to_string())
    if options.page:
        before, _, rest = options.page.read_text().partition(START)
        page = before + START + in_markdown(table) + END + rest.partition(END)[2]
        options.page.write_text(page)


if __name__ == "__main__":
    main()
