"""False positives and power of the place-cell test, by a generator of its own.

    python benchmarks/false_positives.py            # 4,000 units a kind: 1 to 2 hours on one core
    python benchmarks/false_positives.py --units 400
    python benchmarks/false_positives.py --small    # a few seconds
    python benchmarks/false_positives.py --kinds bursty "lap gain" --nulls auto lap

An animal runs to and fro, along a belt or in a field; untuned cells fire without regard to where it
is, but in bursts, with its speed, more in some laps, less and less, or along with a trend of
behaviour. Of the tests at .05, 5 % should be positive. Tuned cells tell the power. Nothing of the
package makes the data: they are plain NumPy.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import neurodrift as nd

HZ = 10.0
TRACK = 100.0  # [cm]


@dataclass
class Run:
    """Position [cm], running direction, lap and speed [cm/s] of every frame."""

    x: np.ndarray
    direction: np.ndarray
    lap: np.ndarray
    speed: np.ndarray
    y: np.ndarray | None = None

    @property
    def share(self) -> np.ndarray:
        """Part (time) of the session that is over."""
        return np.arange(self.x.size) / self.x.size


def on_track(
    rng: np.random.Generator,
    *,
    minutes: float = 10.0,
    laps: int = 0,
    to_and_fro: bool = True,
    mean: float = 20.0,
    by_lap: float = 0.25,
    by_frame: float = 0.1,
    rest: float = 1.0,
    slow_ends: float = 0.0,
    slow_half: float = 0.0,
    lingering: float = 0.0,
) -> Run:
    """Traversals of a track; speed varies by lap, by frame and by place.

    `lingering`: the left half becomes slower over the session, and the right half faster.
    """
    n = int(minutes * 60 * HZ)
    keep = np.exp(-1 / (0.3 * HZ))
    noise = rng.normal(0.0, by_frame * np.sqrt(1 - keep**2), n)
    x, direction, lap = np.zeros(n), np.zeros(n, dtype=int), np.zeros(n, dtype=int)
    t = number = 0
    way, place, wander = 1, 0.0, 0.0
    while t < n and (not laps or number < laps):
        pace = mean * np.exp(by_lap * rng.normal())
        while place < TRACK and t < n:
            at = place if way > 0 else TRACK - place
            x[t], direction[t], lap[t] = at, way, number
            wander = keep * wander + noise[t]
            shape = 1 - slow_ends * np.cos(2 * np.pi * place / TRACK)
            shape *= 1 + slow_half * np.sin(2 * np.pi * place / TRACK)
            shape *= np.exp(lingering * (t / n - 0.5) * (1 if at > TRACK / 2 else -1))
            place += pace * shape * np.exp(wander) / HZ
            t += 1
        stop = min(n, t + int(HZ * rng.exponential(rest))) if rest else t
        x[t:stop], lap[t:stop] = (TRACK if way > 0 else 0.0), number
        t, number = stop, number + 1
        place = 0.0 if to_and_fro else max(0.0, place - TRACK)
        way = -way if to_and_fro else 1
    x, direction, lap = x[:t], direction[:t], lap[:t]
    steps = np.diff(x, prepend=x[:1])
    if not to_and_fro:
        steps = (steps + TRACK / 2) % TRACK - TRACK / 2
    return Run(x, direction, lap, np.abs(steps) * HZ)


def in_field(rng: np.random.Generator, minutes: float = 15.0, slow_walls: float = 0.0) -> Run:
    """A walk in a box of 80 cm, slower near its walls."""
    n, side = int(minutes * 60 * HZ), 80.0
    place, heading, path = np.array([side / 2, side / 2]), 0.0, np.empty((n, 2))
    turns, pace = rng.normal(0.0, 0.35, n), np.exp(0.4 * rng.normal(size=n // 20 + 1))
    for t in range(n):
        path[t] = place
        wall = np.min([place, side - place])
        speed = 18.0 * pace[t // 20] * (1 - slow_walls * np.exp(-wall / 10))
        heading += turns[t]
        step = place + speed / HZ * np.array([np.cos(heading), np.sin(heading)])
        if (step < 0).any() or (step > side).any():
            heading += np.pi / 2 + rng.normal(0.0, 0.5)
            step = np.clip(step, 0.0, side)
        place = step
    steps = np.diff(path, axis=0, prepend=path[:1])
    nothing = np.zeros(n, dtype=int)
    return Run(path[:, 0], nothing, nothing - 1, np.hypot(*steps.T) * HZ, path[:, 1])


def spikes(rng: np.random.Generator, rate: np.ndarray) -> np.ndarray:
    """Counts (time, unit) of Poisson events."""
    return np.minimum(rng.poisson(rate / HZ), 250).astype(np.uint8)


def bursts(rng: np.random.Generator, rate: np.ndarray) -> np.ndarray:
    """Bursts of 0.6 s at 12 Hz, which begin at a fifth of the rate."""
    begin = rng.random(rate.shape) < rate / HZ / 5
    on = np.zeros(rate.shape, dtype=bool)
    for k in range(int(0.6 * HZ)):
        on[k:] |= begin[: len(on) - k]
    return np.minimum(rng.poisson(on * 12.0 / HZ), 250).astype(np.uint8)


def calcium(rng: np.random.Generator, rate: np.ndarray, decay: float = 0.7) -> np.ndarray:
    """A trace that each of the events raises and that decays."""
    from scipy.signal import lfilter

    size = rng.poisson(0.5 * rate / HZ) * rng.gamma(4.0, 0.25, rate.shape)
    trace = lfilter([1.0], [1.0, -np.exp(-1 / (decay * HZ))], size, axis=0)
    return np.where(trace < 0.05, 0.0, trace)


def fluorescence(rng: np.random.Generator, rate: np.ndarray) -> np.ndarray:
    """The same with noise, of any sign."""
    return calcium(rng, rate, 1.0) + rng.normal(0.0, 0.2, rate.shape)


Activity = Callable[[np.random.Generator, np.ndarray], np.ndarray]


@dataclass
class Kind:
    """Behaviour, what the rate follows, and how it becomes activity."""

    behaviour: dict[str, Any] = field(default_factory=dict)
    rate: str = "constant"
    activity: Activity = spikes
    events: str = "events"
    field_: bool = False

    def recording(self, rng: np.random.Generator, n_units: int, tuned: float = 0.0) -> Any:
        """A recording of `n_units`, with a peak rate `tuned` [Hz] where they are tuned."""
        run = in_field(rng, **self.behaviour) if self.field_ else on_track(rng, **self.behaviour)
        n = run.x.size
        rate = np.broadcast_to(np.exp(rng.normal(np.log(0.5), 0.6, n_units)), (n, n_units))
        if tuned:
            rate = 0.05 + tuned * place_field(rng, run, n_units)
        lasting = np.minimum(run.speed, 60.0)[:, None] / 20.0
        if self.rate == "speed":
            rate = rate * lasting
        elif self.rate in LAGS:
            rate = rate * at_lag(lasting, LAGS[self.rate])
        elif self.rate == "acceleration":
            rate = rate * np.clip(1 + acceleration(run.speed) / 10.0, 0.0, 4.0)[:, None]
        elif self.rate == "slowness":
            rate = 2.0 * rate * np.exp(-lasting * 2.0)
        elif self.rate == "lap gain":
            rate = rate * rng.gamma(0.5, 2.0, (run.lap.max() + 1, n_units))[run.lap]
        elif self.rate == "trend":
            rate = rate * 3.0 * np.exp(-3.0 * run.share)[:, None]
        tracked = {"direction": run.direction, "lap": run.lap}
        options = tracked if run.y is None else {"y": run.y}
        return nd.recording_from_arrays(
            self.activity(rng, rate),
            kind=self.events,
            x=run.x,
            speed=run.speed,
            frame_duration=1 / HZ,
            **options,
        )


LAGS = {"speed before": 1.0, "speed long before": 1.7, "speed after": -0.5}
"""Lag [s] behind the speed that a rate follows."""


def at_lag(values: np.ndarray, lag: float) -> np.ndarray:
    """Values (time, ...) of so much earlier [s], the first or last where there are none."""
    at = np.arange(len(values)) - round(lag * HZ)
    return values[np.clip(at, 0, len(values) - 1)]


def acceleration(speed: np.ndarray) -> np.ndarray:
    """Change of the speed, smoothed over half a second [cm/s2]."""
    smooth = np.convolve(np.minimum(speed, 60.0), np.ones(5) / 5, mode="same")
    return np.asarray(np.gradient(smooth) * HZ)


def place_field(rng: np.random.Generator, run: Run, n_units: int) -> np.ndarray:
    """Bumps (time, unit) of a standard deviation of 8 cm."""
    far = (run.x[:, None] - rng.uniform(5, 95 if run.y is None else 75, n_units)) ** 2
    if run.y is not None:
        far = far + (run.y[:, None] - rng.uniform(5, 75, n_units)) ** 2
    return np.exp(-far / (2 * 8.0**2))


SLOW = {"slow_ends": 0.7}
BELT = {"to_and_fro": False, "rest": 0.0}
UNTUNED = {
    "Poisson": Kind(),
    "bursty": Kind(activity=bursts),
    "calcium": Kind(activity=calcium, events="deconvolved"),
    "fluorescence": Kind(activity=fluorescence, events="fluorescence"),
    "lap gain": Kind(rate="lap gain"),
    "trend": Kind(rate="trend"),
    "trend, drifting behaviour": Kind({"lingering": 2.0}, rate="trend"),
    "4 laps": Kind({"laps": 4}),
    "10 laps": Kind({"laps": 10}),
    "stereotyped": Kind({"by_lap": 0.02, "by_frame": 0.02, "rest": 0.5}),
    "in between": Kind({"by_lap": 0.08}),
    "in between, bursty": Kind({"by_lap": 0.08}, activity=bursts),
    "belt, constant": Kind({**BELT, "by_lap": 0.0, "by_frame": 0.0}),
    "belt, jitter, lap gain": Kind({**BELT, "by_lap": 0.1}, rate="lap gain"),
    "belt, jitter, bursty": Kind({**BELT, "by_lap": 0.05}, activity=bursts),
    "belt, slow zone": Kind({**BELT, "by_lap": 0.1, "slow_half": 0.5}),
    "belt, slow zone, speed": Kind({**BELT, "by_lap": 0.1, "slow_half": 0.5}, rate="speed"),
    "slow ends": Kind(SLOW),
    "slow ends, bursty": Kind(SLOW, activity=bursts),
    "slow ends, calcium": Kind(SLOW, activity=calcium, events="deconvolved"),
    "speed": Kind(SLOW, rate="speed"),
    "speed, same every lap": Kind({**SLOW, "by_lap": 0.05, "by_frame": 0.05}, rate="speed"),
    "slowness": Kind(SLOW, rate="slowness"),
    "speed, bursty": Kind(SLOW, rate="speed", activity=bursts),
    "speed, calcium": Kind(SLOW, rate="speed", activity=calcium, events="deconvolved"),
    "speed, fluorescence": Kind(SLOW, "speed", fluorescence, "fluorescence"),
    "speed, 10 laps": Kind({**SLOW, "laps": 10}, rate="speed"),
    "speed 1 s before": Kind(SLOW, rate="speed before"),
    "speed 1 s before, bursty": Kind(SLOW, rate="speed before", activity=bursts),
    "speed 1 s before, same every lap": Kind(
        {**SLOW, "by_lap": 0.05, "by_frame": 0.05}, rate="speed before"
    ),
    "speed 1 s before, slow zone": Kind(
        {**BELT, "by_lap": 0.1, "slow_half": 0.5}, rate="speed before"
    ),
    "speed 1.7 s before": Kind(SLOW, rate="speed long before"),
    "speed 0.5 s after": Kind(SLOW, rate="speed after"),
    "acceleration": Kind(SLOW, rate="acceleration"),
    "speed, slightly slow ends": Kind({"slow_ends": 0.1}, rate="speed"),
    "field": Kind(field_=True),
    "field, speed": Kind({"slow_walls": 0.7}, rate="speed", field_=True),
}
TUNED = {
    "0.5 Hz": (Kind(), 0.5),
    "0.25 Hz": (Kind(), 0.25),
    "bursty": (Kind(activity=bursts), 0.5),
    "calcium": (Kind(activity=calcium, events="deconvolved"), 0.5),
    "4 laps, 2 Hz": (Kind({"laps": 4}), 2.0),
    "10 laps, 2 Hz": (Kind({"laps": 10}), 2.0),
    "stereotyped, 0.5 Hz": (UNTUNED["stereotyped"], 0.5),
    "in between, 0.25 Hz": (UNTUNED["in between"], 0.25),
    "belt, constant, 2 Hz": (UNTUNED["belt, constant"], 2.0),
    "belt, jitter, 0.25 Hz": (Kind({**BELT, "by_lap": 0.1}), 0.25),
    "slow ends, 0.5 Hz": (Kind(SLOW), 0.5),
    "slow ends, 2 Hz": (Kind(SLOW), 2.0),
    "slow ends, speed, 0.5 Hz": (Kind(SLOW, rate="speed"), 0.5),
    "slow ends, calcium": (Kind(SLOW, activity=calcium, events="deconvolved"), 0.5),
    "same every lap, 0.5 Hz": (Kind({**SLOW, "by_lap": 0.05, "by_frame": 0.05}), 0.5),
    "slow zone, 0.5 Hz": (Kind({**BELT, "by_lap": 0.1, "slow_half": 0.5}), 0.5),
    "field, 3 Hz": (Kind(field_=True), 3.0),
    "slow walls, 3 Hz": (Kind({"slow_walls": 0.7}, field_=True), 3.0),
}


def positives(
    kind: Kind, name: str, tuned: float, n_units: int, together: int, nulls: list[str]
) -> tuple[dict[str, int], int, dict[str, int]]:
    """Significant tests by null, tests, and which nulls ``"auto"`` took."""
    found, n_tests, taken = dict.fromkeys(nulls, 0), 0, {}
    for i in range(-(-n_units // together)):
        rng = np.random.default_rng([zlib.crc32(name.encode()), int(1000 * tuned), i])
        recording = kind.recording(rng, together, tuned)
        for null in nulls:
            if null == "lap" and "lap" not in recording:
                continue
            options: dict[str, Any] = {} if null == "auto" else {"null": null}
            cells = nd.detect_place_cells(recording, **options)
            found[null] += int(cells["significant"].sum())
        n_tests += int(cells["tested"].sum())
        if "auto" in nulls:
            cells = cells if null == "auto" else nd.detect_place_cells(recording)
            for value in cells["null"].values.ravel().tolist():
                taken[value] = taken.get(value, 0) + 1
    return found, n_tests, taken


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=4000, help="untuned units of each kind")
    parser.add_argument("--tuned-units", type=int, default=400)
    parser.add_argument("--kinds", nargs="*", default=None, help="names of kinds")
    parser.add_argument("--nulls", nargs="+", default=["auto"])
    parser.add_argument("--small", action="store_true", help="a few units of a few kinds")
    arguments = parser.parse_args()
    together = 100
    kinds = arguments.kinds
    if arguments.small:
        arguments.units = arguments.tuned_units = together = 10
        kinds = ["Poisson", "belt, constant", "speed", "4 laps", "belt, constant, 2 Hz"]
    print(f"$ python {' '.join(sys.argv)}")
    rows = [(name, kind, 0.0, arguments.units) for name, kind in UNTUNED.items()]
    rows += [(name, kind, hz, arguments.tuned_units) for name, (kind, hz) in TUNED.items()]
    heading = ""
    for name, kind, tuned, n_units in rows:
        if kinds is not None and name not in kinds:
            continue
        title = "tuned, % found" if tuned else "untuned, % positive"
        if title != heading:
            heading = title
            print(f"{title:28s} {' '.join(f'{null:>14s}' for null in arguments.nulls)}   tests")
        found, n, taken = positives(kind, name, tuned, n_units, together, arguments.nulls)
        values = " ".join(f"{100 * found[null] / n:14.1f}" for null in arguments.nulls)
        print(f"{name:28s} {values} {n:7d}  {taken}", flush=True)


if __name__ == "__main__":
    main()
