"""Do the tests of a cohort err as often as they say, and do their intervals cover?

    python benchmarks/cohort.py             # 2000 cohorts a row, about a minute
    python benchmarks/cohort.py --small     # 40 cohorts a row, so that CI keeps it alive

Cohorts are plain arrays: animals whose slopes differ, two environments, sessions that are missing,
noise that remembers, running speed and events that differ between sessions. Nothing of the package
makes them; what is tested is what pool_animals computes of a table, for many tables at once.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from scipy.special import stdtr, stdtrit

from neurodrift.cohort.animals import Animals, Between, groups, line, one_group, pool
from neurodrift.cohort.fate import Fate, judge_fate
from neurodrift.cohort.mixed import fit_one_slope
from neurodrift.cohort.power import power
from neurodrift.cohort.series import Rows, reduce_rows
from neurodrift.testing import results_of

MEAN = 0.5  # of the measure
SLOPE_SD = 0.04  # over the whole way, between animals
ENVIRONMENT_SD = 0.02  # the same, between environments of an animal
NOISE = 0.04  # of a session
MISSING = 0.15  # of the sessions
EFFECT = 0.1  # over the whole way: 20 % of the mean
RISE = 3.0  # of running speed [cm/s] over the whole way, and of events in hundreds
BY_SPEED = 0.02  # measure for each cm/s


@dataclass(frozen=True, eq=False)
class Cohorts:
    """Many cohorts: (table, recording, session) measure, speed, events, which are there."""

    way: np.ndarray
    measure: np.ndarray
    matched: np.ndarray
    speed: np.ndarray
    events: np.ndarray
    there: np.ndarray
    weights: np.ndarray


def remembering(rng: np.random.Generator, shape: tuple[int, ...], rho: float) -> np.ndarray:
    """Noise of variance 1 whose neighbours correlate by rho."""
    fresh = rng.normal(size=shape)
    noise = np.empty(shape)
    noise[..., 0] = fresh[..., 0]
    for k in range(1, shape[-1]):
        noise[..., k] = rho * noise[..., k - 1] + np.sqrt(1 - rho**2) * fresh[..., k]
    return noise


def cohorts(
    rng: np.random.Generator,
    tables: int,
    per_animal: np.ndarray,
    sessions: int,
    rho: float,
    *,
    change: np.ndarray | float = 0.0,
    rise: float = 0.0,
    by_speed: float = 0.0,
    by_events: float = 0.0,
) -> Cohorts:
    """Cohorts whose measure changes by `change` [(animal)] over the whole way.

    Parameters
    ----------
    rng, tables, sessions, rho
        Random stream, cohorts, sessions, and correlation of neighbouring sessions.
    per_animal
        (animal) number of recordings.
    change
        (animal) change of the measure.
    rise
        Of speed and events over the whole way, in the mean of animals.
    by_speed, by_events
        How much the measure follows speed and events.
    """
    n = per_animal.size
    of = np.repeat(np.arange(n), per_animal)
    shape = (tables, of.size, sessions)
    way = np.linspace(0, 1, sessions)
    slope = np.broadcast_to(change, n) + SLOPE_SD * rng.normal(size=(tables, n))
    slope = slope[:, of] + ENVIRONMENT_SD * rng.normal(size=shape[:2])
    own = MEAN + 0.1 * rng.normal(size=shape[:2])[..., None] + slope[..., None] * way
    own = own + NOISE * remembering(rng, shape, rho)
    moving = []
    for _ in range(2):
        level = 10 + 2 * rng.normal(size=(tables, n))[:, of]
        gain = rise + rng.normal(size=(tables, n))[:, of]
        moving.append(level[..., None] + gain[..., None] * way + rng.normal(size=shape))
    speed, events = moving
    there = rng.random(shape) > MISSING
    there[there.sum(axis=-1) < 3] = True
    weights = (of == np.arange(n)[:, None]) / per_animal[:, None]
    measure = own + by_speed * speed + by_events * events
    return Cohorts(way, measure, own + by_speed * speed, speed, events, there, weights)


def tested(
    made: Cohorts,
    between: Between,
    *,
    measure: str = "measure",
    held: tuple[str, ...] = (),
    contrast: np.ndarray | None = None,
    true: float = 0.0,
) -> tuple[float, float]:
    """Share of cohorts that find an effect at .05, and whose 95 % interval holds the true one."""
    y = getattr(made, measure)
    design = np.column_stack([np.ones(made.way.size), made.way])
    x = np.empty((*y.shape, 0))
    if held:
        x = np.stack([getattr(made, name) for name in held], axis=-1)
    reduced = reduce_rows(y, np.broadcast_to(design, (*y.shape, 2)), x, made.there)
    found = pool(Animals.of(reduced, made.weights), between)
    if contrast is None:
        p = found.equality()[3]
        return float(np.mean(p < 0.05)), np.nan
    estimate, se, dof = found.contrast(contrast)
    p = 2 * stdtr(dof, -np.abs(estimate) / se)
    half = stdtrit(dof, 0.975) * se
    return float(np.mean(p < 0.05)), float(np.mean(np.abs(estimate - true) <= half))


def upper(share: float, n: int) -> float:
    """Upper end of the 95 % interval of a share of n (Wilson)."""
    z = 1.96
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return float((share + z**2 / (2 * n) + half) / (1 + z**2 / n))


def one_cohort(tables: int, seed: int) -> list[tuple[float, float]]:
    """Print errors, coverage and power of one cohort of animals."""
    print("one cohort, two environments, 15 % of the sessions missing [%]\n")
    print(
        f"{'animals':>7} {'sessions':>8} {'rho':>4} | {'none: found':>11} {'covers':>6} | "
        f"{'speed held':>10} {'covers':>6} | {'20 %: found':>11} {'covers':>6} | "
        f"{'speed only: raw':>15} {'held':>5} | {'events only: raw':>16} {'matched':>7} "
        f"{'held':>5} | {'both held':>9}"
    )
    errors = []
    mean = np.ones(1)
    for n in (3, 6, 12):
        two = np.full(n, 2)
        for sessions in (4, 6, 8, 10):
            for rho in (0.3, 0.5):
                rng = np.random.default_rng([seed, n, sessions, round(10 * rho)])
                none = cohorts(rng, tables, two, sessions, rho)
                some = cohorts(rng, tables, two, sessions, rho, change=EFFECT)
                fast = cohorts(rng, tables, two, sessions, rho, rise=RISE, by_speed=BY_SPEED)
                many = cohorts(rng, tables, two, sessions, rho, rise=-RISE, by_events=BY_SPEED)
                over = one_group(n)

                def of(
                    made: Cohorts, over: Between = over, **options: object
                ) -> tuple[float, float]:
                    return tested(made, over, contrast=mean, **options)  # type: ignore[arg-type]

                raw, given = of(none), of(none, held=("speed",))
                effect = of(some, true=EFFECT)
                speed, speed_held = of(fast), of(fast, held=("speed",))
                events, events_held = of(many), of(many, held=("events",))
                matched = of(many, measure="matched")
                both = of(fast, held=("speed", "events"))
                errors += [raw, given, speed_held, events_held, matched, both]
                cells = [100 * v for pair in (raw, given, effect) for v in pair]
                rest = (speed, speed_held, events, matched, events_held, both)
                cells += [100 * pair[0] for pair in rest]
                widths = (11, 6, 10, 6, 11, 6, 15, 5, 16, 7, 5, 9)
                ends = ("", " |", "", " |", "", " |", "", " |", "", "", " |", "")
                text = " ".join(
                    f"{v:>{w}.1f}{end}" for v, w, end in zip(cells, widths, ends, strict=True)
                )
                print(f"{n:>7} {sessions:>8} {rho:>4} | {text}", flush=True)
    return errors


def several(tables: int, seed: int) -> list[tuple[float, float]]:
    """Print errors and coverage of groups, of a number of each animal, and of uneven animals."""
    print("\ngroups and numbers, 6 sessions, rho .5 [%]\n")
    print(
        f"{'animals':>12} {'what':>34} {'found':>6} {'covers':>7} {'speed held':>11} {'covers':>7}"
    )
    errors = []
    apart = np.array([-1.0, 1.0])

    def say(
        name: str,
        what: str,
        counts: np.ndarray,
        over: Between,
        contrast: np.ndarray | None,
        change: np.ndarray | float = 0.0,
        true: float = 0.0,
    ) -> None:
        rng = np.random.default_rng([seed, 99, counts.size, len(what)])
        made = cohorts(rng, tables, counts, 6, 0.5, change=change, rise=RISE, by_speed=0.0)
        raw = tested(made, over, contrast=contrast, true=true)
        held = tested(made, over, contrast=contrast, true=true, held=("speed",))
        cells = [100 * v for pair in (raw, held) for v in pair]
        print(
            f"{name:>12} {what:>34} {cells[0]:>6.1f} {cells[1]:>7.1f} {cells[2]:>11.1f} "
            f"{cells[3]:>7.1f}",
            flush=True,
        )
        if true == 0 and np.all(np.asarray(change) == 0):
            errors.extend([raw, held])

    for a, b in ((2, 2), (3, 3), (3, 6), (6, 6), (12, 12)):
        code = np.repeat([0, 1], [a, b])
        two = np.full(a + b, 2)
        say(f"{a} v {b}", "the same change", two, groups(code), apart)
        say(f"{a} v {b}", "20 % more", two, groups(code), apart, EFFECT * code, EFFECT)
    for n in (3, 4, 6):
        code = np.repeat([0, 1, 2], n)
        two = np.full(3 * n, 2)
        say(f"3 x {n}", "the same change (F)", two, groups(code), None)
        say(f"3 x {n}", "20 % more in one (F)", two, groups(code), None, EFFECT * (code == 2), 1)
    for n in (5, 8, 12):
        x = np.linspace(-0.5, 0.5, n)
        two, slope = np.full(n, 2), np.array([0.0, 1.0])
        say(f"{n}", "number of the animal, no effect", two, line(x), slope)
        say(f"{n}", "number of the animal, 20 %", two, line(x), slope, EFFECT * x, EFFECT)
    for n in (3, 6, 12):
        counts = 1 + np.arange(n) % 3
        say(f"{n}", "1 to 3 environments, none", counts, one_group(n), np.ones(1))
        say(f"{n}", "1 to 3 environments, 20 %", counts, one_group(n), np.ones(1), EFFECT, EFFECT)
    return errors


def fates(tables: int, seed: int) -> None:
    """Print what is said of an effect that was found, by what made it."""
    names: tuple[Fate, ...] = ("stays", "vanishes", "undecided", "turns round")
    print("\nwhat is said of an effect that was found as recorded, 6 sessions, rho .3 [%]\n")
    head = " ".join(f"{name:>11}" for name in names)
    print(f"{'animals':>7} {'what made it':>48} {'found':>6} {head}")
    design = np.column_stack([np.ones(6), np.linspace(0, 1, 6)])
    cases: dict[str, dict[str, float]] = {
        "speed alone": {"rise": RISE, "by_speed": 1.5 * BY_SPEED},
        "a change, nothing of speed, which rises": {"rise": RISE, "change": EFFECT},
        "a change, speed unchanged": {"change": EFFECT},
        "half a change, half speed, which rises": {
            "rise": RISE,
            "change": EFFECT / 2,
            "by_speed": EFFECT / 2 / RISE,
        },
    }
    for n in (3, 6, 12):
        for what, options in cases.items():
            rng = np.random.default_rng([seed, 5, n])
            made = cohorts(rng, tables, np.full(n, 2), 6, 0.3, **options)
            every = np.broadcast_to(design, (*made.measure.shape, 2))
            pools = []
            for x in (np.empty((*made.measure.shape, 0)), made.speed[..., None]):
                reduced = reduce_rows(made.measure, every, x, made.there)
                pools.append(pool(Animals.of(reduced, made.weights), one_group(n)))
            raw, given = (found.contrast(np.ones(1)) for found in pools)
            moved = pools[1].moved_by(np.ones(1))
            ends = [_ends(*found) for found in (raw, given, moved)]
            said = [
                judge_fate(
                    found=bool(before[0] > 0 or before[1] < 0),
                    found_again=bool(after[0] > 0 or after[1] < 0),
                    before=float(a),
                    estimate=float(b),
                    interval=(float(after[0]), float(after[1])),
                    moved=(float(taken[0]), float(taken[1])),
                )
                for a, b, before, after, taken in zip(raw[0], given[0], *ends, strict=True)
            ]
            known = [one for one in said if one in names]
            shares = " ".join(f"{100 * known.count(k) / max(len(known), 1):>11.1f}" for k in names)
            print(f"{n:>7} {what:>48} {100 * len(known) / tables:>6.1f} {shares}", flush=True)


def _ends(estimate: np.ndarray, se: np.ndarray, dof: np.ndarray) -> np.ndarray:
    """(table, end) of the 95 % interval."""
    half = stdtrit(dof, 0.975) * se
    return np.column_stack([estimate - half, estimate + half])


def limits(tables: int, seed: int) -> None:
    """Print what is found where an assumption does not hold: no change beyond that of speed."""
    print("\nwhere an assumption does not hold, 6 sessions, rho .3, no change beyond speed's [%]\n")
    print(f"{'animals':>12} {'what':>48} {'raw':>6} {'speed held':>11}")

    def say(name: str, what: str, made: Cohorts, over: Between, contrast: np.ndarray) -> None:
        raw = tested(made, over, contrast=contrast)[0]
        held = tested(made, over, contrast=contrast, held=("speed",))[0]
        print(f"{name:>12} {what:>48} {100 * raw:>6.1f} {100 * held:>11.1f}", flush=True)

    for n in (3, 6, 12):
        over, two = one_group(n), np.full(n, 2)
        rng = np.random.default_rng([seed, 3, n])
        made = cohorts(rng, tables, two, 6, 0.3, rise=RISE)
        differ = np.repeat(1 + 0.5 * rng.normal(size=(tables, n)), 2, axis=1)[..., None]
        noisy = made.speed + rng.normal(size=made.speed.shape)
        most = made.speed.max()
        cases = {
            "animals follow speed differently (sd half of mean)": (
                made.measure + BY_SPEED * differ * made.speed,
                made.speed,
            ),
            "speed is known with an error of 1 cm/s": (
                made.measure + BY_SPEED * made.speed,
                noisy,
            ),
            "the measure follows the square of speed": (
                made.measure + BY_SPEED * made.speed**2 / most,
                made.speed,
            ),
        }
        for what, (measure, speed) in cases.items():
            say(str(n), what, replace(made, measure=measure, speed=speed), over, np.ones(1))
        skew = np.repeat(rng.exponential(size=(tables, n)) - 1, 2, axis=1)[..., None]
        skewed = made.measure + 2 * SLOPE_SD * skew * made.way
        say(str(n), "slopes of animals are skewed", replace(made, measure=skewed), over, np.ones(1))
    for a, b in ((3, 6), (6, 3)):
        code = np.repeat([0, 1], [a, b])
        rng = np.random.default_rng([seed, 4, a])
        made = cohorts(rng, tables, np.full(a + b, 2), 6, 0.3)
        wide = np.repeat(rng.normal(size=(tables, a + b)) * code, 2, axis=1)[..., None]
        wider = made.measure + 3 * SLOPE_SD * wide * made.way
        say(
            f"{a} v {b}",
            "the second group varies three times as much",
            replace(made, measure=wider),
            groups(code),
            np.array([-1.0, 1.0]),
        )


def powers(pilots: int, seed: int) -> None:
    """Print what power says from pilots, beside the share of cohorts that find the change."""
    print("\npower of a fifth of the mean, 6 sessions, rho .3, by pilots [%]\n")
    print(f"{'animals':>7} {'true':>6} {'pilot of':>9} {'10 %':>6} {'median':>7} {'90 %':>6}")
    for n in (3, 6, 9):
        rng = np.random.default_rng([seed, 6, n])
        made = cohorts(rng, 4000, np.full(n, 2), 6, 0.3, change=EFFECT)
        made.there[:] = True
        true = tested(made, one_group(n), contrast=np.ones(1))[0]
        for size in (4, 6, 12):
            told = []
            for k in range(pilots):
                rng = np.random.default_rng([seed, 8, size, k])
                pilot = cohorts(rng, 1, np.full(size, 2), 6, 0.3)
                found = power(
                    study_of(pilot),
                    "information",
                    effect=EFFECT / MEAN,
                    n_animals=[n],
                    n_sessions=[6],
                    n_repeats=400,
                    seed=k,
                )
                told.append(100 * float(found["power"].item()))
            low, middle, high = np.quantile(told, [0.1, 0.5, 0.9])
            print(
                f"{n:>7} {100 * true:>6.1f} {size:>9} {low:>6.1f} {middle:>7.1f} {high:>6.1f}",
                flush=True,
            )


def study_of(made: Cohorts) -> xr.DataTree:
    """The first cohort as a study that was asked for the measure."""
    n_recordings, n_sessions = made.measure.shape[1:]
    number = np.repeat(np.arange(n_recordings), n_sessions)
    sessions = xr.Dataset(
        {
            "information": ("session", np.where(made.there, made.measure, np.nan)[0].ravel()),
            "day": ("session", np.tile(10 * made.way, n_recordings)),
        },
        coords={
            "recording": ("session", number.astype(str)),
            "subject": ("session", (number // 2).astype(str)),
            "place": ("session", np.tile(np.arange(n_sessions) * 1.0, n_recordings)),
        },
    )
    return xr.DataTree.from_dict({"answers": xr.Dataset(), "sessions": sessions})


def mixed(tables: int, seed: int) -> None:
    """Print how often one slope for all is found where slopes differ and none is there."""
    from neurodrift.analysis.comparison.members import gather

    print("\none slope for all where slopes differ, no change, 6 animals, 6 sessions, rho .3 [%]")
    rng = np.random.default_rng([seed, 7])
    made = cohorts(rng, tables, np.full(6, 2), 6, 0.3)
    member = gather([results_of({"day": np.arange(6.0), "information": np.ones(6)})], None)[0]
    design = np.column_stack([np.ones(6), made.way])
    found = 0
    for y, there in zip(made.measure, made.there, strict=True):
        rows = [
            Rows(np.where(use, own, np.nan), design, np.empty((6, 0)), made.way, np.arange(6))
            for own, use in zip(y, there, strict=True)
        ]
        fit = fit_one_slope([member] * len(rows), rows, None)
        found += int(2 * stdtr(fit.dof, -abs(fit.estimate) / fit.se) < 0.05)
    print(f"found: {100 * found / tables:.1f} of {tables} cohorts")


def main() -> None:
    """Run them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="40 cohorts a row")
    parser.add_argument("--tables", type=int, default=2000, help="cohorts a row")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    tables = 40 if options.small else options.tables
    errors = one_cohort(tables, options.seed)
    errors += several(tables, options.seed)
    fates(tables, options.seed)
    powers(3 if options.small else 100, options.seed)
    limits(tables, options.seed)
    mixed(tables // 10 if not options.small else 4, options.seed)
    worst = max(found for found, _ in errors)
    covers = min(share for _, share in errors if np.isfinite(share))
    mean = float(np.mean([found for found, _ in errors]))
    print(
        f"\n{len(errors)} rows without an effect: found in {100 * mean:.2f} % on average, at most "
        f"{100 * worst:.1f} % (95 % interval up to {100 * upper(worst, tables):.1f} %), coverage "
        f"at least {100 * covers:.1f} %"
    )


if __name__ == "__main__":
    main()
