"""Animals on known paths with known fields; shares no code with the library."""

from __future__ import annotations

import numpy as np

RATE = 30.0  # frames per second


def speeds(n: int, seed: int, mean: float = 20.0) -> np.ndarray:
    """Running speeds that change over seconds [cm/s]."""
    rng = np.random.default_rng(seed)
    slow = np.convolve(rng.standard_normal(n + 60), np.ones(61) / 61**0.5, mode="valid")
    return mean * np.exp(0.35 * slow[:n])


def events(rates: np.ndarray, seed: int) -> np.ndarray:
    """Poisson counts of rates (time, unit) [Hz]."""
    return np.random.default_rng(seed).poisson(rates / RATE).astype(np.uint8)


def on_circle(x: np.ndarray, centres: list[float], length: float, width: float = 8.0) -> np.ndarray:
    """(time, unit) rates of fields round a circle [Hz]."""
    away = np.abs(x[:, None] - np.array(centres))
    away = np.minimum(away, length - away)
    return 0.1 + 8 * np.exp(-0.5 * (away / width) ** 2)


def t_runs(stem: float, arm: float, minutes: float, seed: int) -> tuple[np.ndarray, list[str]]:
    """(time, 2) places of runs from home to a random side of a T and back, and the sides."""
    rng = np.random.default_rng(seed)
    n = round(minutes * 60 * RATE)
    steps = speeds(n, seed) / RATE
    places, sides = np.empty((n, 2)), []
    way, side = 0.0, rng.choice(["left", "right"])
    sides.append(str(side))
    whole = stem + arm
    for i in range(n):
        way += steps[i]
        if way >= 2 * whole:
            way -= 2 * whole
            side = rng.choice(["left", "right"])
            sides.append(str(side))
        out = way if way <= whole else 2 * whole - way
        beyond = max(out - stem, 0.0)
        places[i] = (-beyond if side == "left" else beyond, min(out, stem))
    return places, sides


def box(size: float, minutes: float, seed: int) -> np.ndarray:
    """(time, 2) a walk that bounces off the walls of a square."""
    rng = np.random.default_rng(seed)
    n = round(minutes * 60 * RATE)
    heading = np.cumsum(0.12 * rng.standard_normal(n))
    steps = np.column_stack([np.cos(heading), np.sin(heading)]) * (20 / RATE)
    free = np.cumsum(steps, axis=0) + size / 2
    folded = np.abs((free + size) % (2 * size) - size)
    return folded
