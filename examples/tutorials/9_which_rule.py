"""Which rule?

Which learning rule makes a code drift like this one? Simulated networks of several rules, seen as
the animal was, say what each rule's drift looks like. Before a rule is named, the question is
whether any of them drifts like this at all.

Run: python examples/tutorials/9_which_rule.py
"""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np

import neurodrift as nd

# %%
# A prior
# -------
# 300 networks with one of five rules learnt a small task and went on learning. Each was seen in
# eight sessions as 200 cells with 100 to 300 events, and became one vector of statistics of drift.
# (``neurodrift simulate-prior`` makes such a prior as your recording sees it.)

prior = nd.examples.read_prior()
names, counts = np.unique(prior["rule"].values.astype(str), return_counts=True)
print(dict(zip(names.tolist(), counts.tolist(), strict=True)))

shown = ("maps_last", "information_level", "gini_course")
figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), layout="constrained")
for axis, statistic in zip(axes, shown, strict=True):
    for place, name in enumerate(names):
        own = prior["value"].sel(statistic=statistic).values[prior["rule"].values == name]
        beside = 0.15 * np.sin(2.4 * np.arange(own.size))
        axis.plot(beside + place, own, "o", markersize=2.5, alpha=0.6)
    axis.set(title=statistic.replace("_", " "))
    axis.set_xticks(range(names.size), names, rotation=60, ha="right")

# %%
# A network whose rule we know
# ----------------------------
# One run of label noise is taken out of the prior and becomes the target.

run = prior["run"].values[prior["rule"].values == "label noise"][5]
target = prior[["value"]].sel(run=run, drop=True)
others = prior.sel(run=prior["run"].values != run)
found = nd.infer_rule(target, others, matched=False)
print(nd.describe_inference(found), "\n")

# %%
# Rules that look alike
# ---------------------
# A run of Adam: the answer is "cannot tell", for Adam and RMSprop drift alike, and so do noise on
# every update and stochastic error descent. What can be told is what it is not. With one name for
# each pair of twins there is a single answer.

own = prior["run"].values[prior["rule"].values == "adam"]
run = own[np.argsort(prior["speed"].sel(run=own).values)[len(own) // 2]]  # of a middling speed
target = prior[["value"]].sel(run=run, drop=True)
others = prior.sel(run=prior["run"].values != run)
print(nd.describe_inference(nd.infer_rule(target, others, matched=False)), "\n")

families = {"adam": "adaptive", "rmsprop": "adaptive", "label noise": "label noise"}
families |= {"update noise": "undirected", "stochastic error descent": "undirected"}
family = np.array([families[str(name)] for name in others["rule"].values], dtype=object)
pooled = nd.infer_rule(target, others.assign_coords(rule=("run", family)), matched=False)
print(nd.describe_inference(pooled), "\n")

figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True, layout="constrained")
for axis, (title, tree) in zip(axes, {"label noise": found, "Adam": pooled}.items(), strict=True):
    posterior = tree["posterior"].to_dataset()
    axis.bar(posterior["rule"].values.astype(str), posterior["probability"])
    axis.set(title=f"a run of {title}")
    axis.set_xticks(axis.get_xticks(), posterior["rule"].values, rotation=40, ha="right")
axes[0].set_ylabel("probability")

# %%
# How often that is right
# -----------------------
# Every run is named by a fit that has not seen it. A rule is named only if it is the only one in
# the set, has a probability of .9, and the run is not outside the prior.

calibration = nd.calibrate_inference(prior, matched=False, sensitivity=False)
rules = calibration["rules"].to_dataset()
print(rules[["accuracy", "coverage", "named", "named_right"]].to_dataframe().round(2), "\n")

figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
axes[0].imshow(rules["confusion"], vmin=0, vmax=1, cmap="viridis")
axes[0].set_xticks(range(names.size), names, rotation=60, ha="right")
axes[0].set_yticks(range(names.size), names)
axes[0].set(xlabel="called", ylabel="rule")
reliability = calibration["reliability"].to_dataset()
axes[1].plot([0, 1], [0, 1], "--", color="grey")
axes[1].plot(reliability["claimed"], reliability["found"], "o-")
axes[1].set(xlabel="probability that was said", ylabel="how often it was so")

# %%
# A mouse
# -------
# The example mouse is no network: its fields jump at random. No rule of this prior drifts like it,
# and the answer says by which statistics. The probabilities of the rules are then of no use. It
# was also seen with 79 cells and the networks with 200, which a warning says: of your own animal,
# see the networks as it was (``--observation target``).

mouse = nd.load_example("mouse")
statistics = nd.drift_statistics(mouse)
answer = nd.infer_rule(statistics, prior, matched=False)
print(nd.describe_inference(answer))
assert answer.attrs["verdict"] != "named"

# %%
# Where to go from here
# ---------------------
# - ``nd.write_inference_report(answer, "rule.html")`` writes a page with the target among the runs
#   of each rule. On the command line: ``neurodrift infer``.
# - The page "Which rule?" says what the verdicts mean, and how often they were right in a prior of
#   a thousand networks.
