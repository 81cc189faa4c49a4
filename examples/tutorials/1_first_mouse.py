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
# Everything in one call
# ----------------------
# :func:`neurodrift.analyze` computes all that neurodrift knows of one recording, and gives a tree
# of labelled arrays. Only the width of the bins of position is chosen here.

results = nd.analyze(mouse, bin_width=4.0, n_repeats=50, n_draws=5)
print(nd.summary(results))

# %%
# Which cells were seen on which day
# ----------------------------------
# A cell that the microscope lost on a day was **not detected**: white. That is not the same as
# silent, and no function of neurodrift takes it for silent.

nd.plot_registration(results)

# %%
# Where the cells fire
# --------------------
# The track is cut into bins of 4 cm. A **rate map** is, for each bin, how many events a cell had
# there by how long the mouse ran there [events/s]. Frames in which the mouse rests are left out:
# below 1 cm/s. Here are the maps of the place cells on every day, always in the order of their
# peaks on the first. If the code stayed as it was, the diagonal would stay.

nd.plot_maps(results)

# %%
# The order was chosen on the first day, so the first picture would look sorted even if cells fired
# anywhere. The others have nothing to do with the choice.
#
# Which cells are place cells
# ---------------------------
# **Spatial information** says how much an event tells of where the mouse is [bit/event]. Few
# events tell too much by chance: a **shuffle test** moves the events of a cell against the
# position up to a thousand times and asks how often chance tells as much. A cell with p < .05,
# corrected for the two running directions, is a **place cell**. Which shuffle is right depends on
# how the animal ran, and the result says which it was:

cells = results["place_cells"]
print(cells["null_reason"].isel(session=0).values.tolist())
print("place cells by session:", cells["is_place_cell"].sum("unit").values.tolist())

# %%
# Four of them, lap by lap:

nd.plot_cells(mouse, results)

# %%
# How much the code changed
# -------------------------
# For each pair of days: the correlation of the two maps of every cell. Two maps of the same day do
# not correlate by 1 either, since events are few. What two halves of one day correlate by is the
# **ceiling**: the dashed line.

nd.plot_drift(results)

# %%
# ``session_drift`` also has the correlations without noise, for which 1 is "the same map". In
# truth a field moves with a probability of .15 from one session to the next, so that a share of
# .85, .72, .61, ... of the fields stays where it was; a moved field may come to lie near its old
# place, so that maps correlate a little more than that.

relative = results["session_drift"]["rate_map_correlation_relative"].values
day = mouse["day"].values
first, second = np.triu_indices(day.size, k=1)
apart, values = day[second] - day[first], relative[first, second]
lags = np.unique(apart)
figure, axis = plt.subplots(figsize=(5, 3.4), layout="constrained")
axis.plot(apart, values, ".", color="0.8", label="pairs of days")
axis.plot(lags, [values[apart == lag].mean() for lag in lags], "o-", label="mean")
axis.plot(lags, 0.85 ** (lags / 2), "k:", label="fields that stayed (truth)")
axis.set(xlabel="days between", ylabel="correlation, noise removed", ylim=(0, 1.1))
axis.legend()

# %%
# What changes besides
# --------------------
# The table of ``sessions`` has one value for each day. ``regression`` has their slopes, each with
# an interval and with the smallest slope that eight sessions would have shown. In truth 5 % of
# the cells fall silent from one session to the next: 2.5 % a day.

slope = results["regression"].sel(measure="fraction_active_units", predictor="day")
low, high = (100 * slope[name].item() for name in ("ci_low", "ci_high"))
print(f"active cells: {100 * slope['slope'].item():.1f} % a day [{low:.1f}, {high:.1f}]")
nd.plot_series(results)

# %%
# A page to send around
# ---------------------
# ``nd.write_report(results, "mouse.html")`` writes all of it as one page that needs no network,
# with the methods as text and with what to beware of. What a number can be trusted for is in
# :doc:`/estimands`.
