"""Your first mouse.

From a recording of eight days to a drift curve, with every word explained. The mouse is
synthetic, so that each number can be held against the truth.

Run: python examples/tutorials/1_first_mouse.py
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np

import neurodrift as nd

# %%
# A recording
# -----------
# One call loads an example. Your own data come in by :func:`neurodrift.recording_from_arrays`,
# from NWB files by :func:`neurodrift.import_nwb`, or from a store by
# :func:`neurodrift.open_recording`; from there on nothing differs.

mouse = nd.load_example("mouse")
print(mouse)

# %%
# It is an xarray Dataset with three dimensions. A **unit** is a cell, and has the same name on
# every day. A **session** is one stretch of recording, here one every two days. **time** runs
# over the **frames** of all sessions, one behind the other: a frame is one picture of the
# microscope, and ``activity`` says how many calcium events a cell had in it. ``x`` is where the
# mouse was [cm].
#
# A cell that the microscope lost on a day was **not detected**. That is not the same as silent,
# and no function of neurodrift takes it for silent. White is not detected:

figure, axis = plt.subplots(figsize=(4, 3), layout="constrained")
axis.imshow(mouse["detected"].T, aspect="auto", cmap="Greys", interpolation="nearest")
axis.set(xlabel="session", ylabel="cell", title="which cells were seen on which day")

# %%
# Everything in one call
# ----------------------
# :func:`neurodrift.analyze` computes all that neurodrift knows of one recording, and gives a tree
# of labelled arrays. Only the width of the bins of position is chosen here.

results = nd.analyze(mouse, bin_width=4.0, n_repeats=50, n_draws=5)
print(nd.summary(results))

# %%
# Where the cells fire
# --------------------
# The track is cut into bins of 4 cm. A **rate map** is, for each bin, how many events a cell had
# there by how long the mouse ran there [events/s]. Frames in which the mouse rests are left out:
# below 1 cm/s. Here are the maps of all cells in the first, third, fifth and last session, always
# in the order of their peaks in the first. If the code stayed as it was, the diagonal would stay.

rate = results["smoothed_maps"]["rate"].sel(direction=1)
order = nd.order_by_peak(rate.isel(session=0))
shown = list(rate["session"].values[[0, 2, 4, 7]])
nd.plotting.plot_rate_maps(rate, order=order, sessions=shown)

# %%
# The order was chosen on the first session, so the first picture would look sorted even if cells
# fired anywhere. The others have nothing to do with the choice.
#
# Which cells are place cells
# ---------------------------
# **Spatial information** says how much an event tells of where the mouse is [bit/event]. Few
# events tell too much by chance: a **shuffle test** moves the events of a cell against the
# position a thousand times and asks how often chance tells as much. A cell with p < .05,
# corrected for the two running directions, is a **place cell**. Which shuffle is right depends on
# how the animal ran, and the result says which it was:

cells = results["place_cells"]
print(cells["null_reason"].isel(session=0).values.tolist())
print("place cells by session:", cells["is_place_cell"].sum("unit").values.tolist())

# %%
# How much the code changed
# -------------------------
# For each pair of sessions: the correlation of the two maps of every cell. Two maps of the same
# day do not correlate by 1 either, since events are few. ``session_drift`` compares halves of
# sessions, so that its diagonal, two halves of one day, is the **ceiling**: what a correlation
# could be if nothing changed.

pairs = results["session_drift"].to_dataset()
nd.plotting.plot_drift_matrix(pairs["rate_map_correlation"])

# %%
# Divided by their ceilings, correlations are free of noise: 1 is "the same map". The **drift
# curve** shows them against the days between two sessions. In truth a field moves with a
# probability of .15 from one session to the next, so that a share of .85, .72, .61, ... of the
# fields stays where it was; a moved field may come to lie near its old place, so that maps
# correlate a little more than that.

first, second = np.triu_indices(8, k=1)
relative = pairs["rate_map_correlation_relative"].values[first, second]
days = mouse["day"].values[second] - mouse["day"].values[first]
lags = np.unique(days)
mean = np.array([relative[days == lag].mean() for lag in lags])
axis = nd.plotting.plot_decay(
    lags,
    mean,
    points=(days, relative),
    lag_label="days between two sessions",
    label="correlation of maps, noise removed",
)
axis.plot(
    lags, 0.85 ** (lags / 2), color="black", linestyle=":", label="fields that stayed (truth)"
)
axis.legend()

# %%
# What changes besides
# --------------------
# The table of ``sessions`` has one value for each day. ``regression`` has their slopes, each with
# an interval and with the smallest slope that eight sessions would have shown. In truth 5 % of
# the cells fall silent from one session to the next: 2.5 % a day.

sessions = results["sessions"].to_dataset()
slope = results["regression"].sel(measure="fraction_active_units", predictor="day")
print(
    f"active cells: {100 * slope['slope'].item():.1f} % a day "
    f"[{100 * slope['ci_low'].item():.1f}, {100 * slope['ci_high'].item():.1f}]"
)
nd.plotting.plot_session_series(
    sessions["day"].values,
    100 * sessions["fraction_active_units"].values,
    x_label="day",
    label="active cells [%]",
)

# %%
# A page to send around
# ---------------------
# ``nd.write_report(results, "mouse.html")`` writes all of it as one page that needs no network,
# with the methods as text and with what to beware of. What a number can be trusted for is in
# :doc:`/estimands`.
