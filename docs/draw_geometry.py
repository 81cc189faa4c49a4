"""Draw docs/images/geometry.png: one made animal in each geometry, and what its maps look like.

python docs/draw_geometry.py
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

import neurodrift as nd

RATE = 30.0
OUT = Path(__file__).parent / "images" / "geometry.png"


def speeds(n: int, seed: int) -> np.ndarray:
    """Running speeds that change over seconds [cm/s]."""
    rng = np.random.default_rng(seed)
    slow = np.convolve(rng.standard_normal(n + 60), np.ones(61) / 61**0.5, mode="valid")
    return 20 * np.exp(0.35 * slow[:n])


def recorded(away: np.ndarray, **options) -> object:
    """A session of units whose rate falls with the distance from their fields."""
    rates = 0.1 + 8 * np.exp(-0.5 * away**2)
    counts = np.random.default_rng(0).poisson(rates / RATE)
    time = np.arange(len(away)) / RATE
    return nd.recording_from_arrays(counts, kind="spikes", time=time, **options)


def belt() -> object:
    """Rate maps on a belt of 180 cm."""
    x = np.cumsum(speeds(20000, 1)) / RATE % 180
    away = np.abs(x[:, None] - np.array([2.0, 40.0, 100.0]))
    recording = recorded(np.minimum(away, 180 - away) / 8, x=x, geometry="circular:180")
    return nd.compute_rate_maps(nd.kinematics.running(recording), smoothing=4)


def maze() -> object:
    """Rate maps in a T maze."""
    way = np.cumsum(speeds(30000, 2)) / RATE
    turn, within = np.divmod(way, 280)
    side = np.where(np.random.default_rng(3).random(int(turn.max()) + 1) < 0.5, -1, 1)
    out = np.minimum(within, 280 - within)
    places = np.column_stack(
        [side[turn.astype(int)] * np.maximum(out - 80, 0), np.minimum(out, 80)]
    )
    fields = np.array([[0, 30], [-35, 80], [0, 80]])
    away = np.hypot(*(places[:, None] - fields[None]).transpose(2, 0, 1)) / 8
    plane = recorded(away, x=places[:, 0], y=places[:, 1])
    linear = nd.geometry.linearize(plane, nd.geometry.t_maze(80, 60))
    return nd.compute_rate_maps(
        nd.kinematics.running(linear), smoothing=4, binning=nd.Binning(directions=False)
    )


def arena() -> object:
    """Rate maps in a round arena."""
    rng = np.random.default_rng(4)
    places, place, heading = np.empty((30000, 2)), np.zeros(2), 0.0
    for i in range(len(places)):
        heading += 0.15 * rng.standard_normal()
        step = place + 0.7 * np.array([np.cos(heading), np.sin(heading)])
        if np.hypot(*step) > 30:
            heading += np.pi / 2
        else:
            place = step
        places[i] = place
    fields = np.array([[10, 12], [-15, 5], [5, -20]])
    away = np.hypot(*(places[:, None] - fields[None]).transpose(2, 0, 1)) / 7
    shape = nd.geometry.field("circle", [(0, 0), (30, 0)])
    recording = recorded(away, x=places[:, 0], y=places[:, 1], geometry=shape)
    return nd.compute_rate_maps(nd.kinematics.running(recording), smoothing=4)


def main() -> None:
    """Draw the picture."""
    import matplotlib.image as mpimg
    from matplotlib.figure import Figure

    shown = []
    for title, maps, plot in (
        ("circular:180", belt(), nd.plotting.plot_track_maps),
        ("graph: a T maze", maze(), nd.plotting.plot_track_maps),
        ("field: a round arena", arena(), nd.plotting.plot_box_maps),
    ):
        part, held = plot(maps["rate"].isel(direction=0)), io.BytesIO()
        part.set_size_inches(2.4, 5.6)
        part.savefig(held, dpi=150)
        held.seek(0)
        shown.append((title, mpimg.imread(held)))
    figure = Figure(figsize=(7.6, 6.0), layout="constrained")
    for axis, (title, picture) in zip(figure.subplots(1, 3), shown, strict=True):
        axis.imshow(picture)
        axis.set_title(title, fontsize=10)
        axis.axis("off")
    figure.savefig(OUT, dpi=110)
    print(OUT)


if __name__ == "__main__":
    main()
