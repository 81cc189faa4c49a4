"""Names, dimensions and units of an inference of the learning rule, and of its prior."""

from __future__ import annotations

from dataclasses import replace

from neurodrift.schema import Var, table


def _always(*rows: Var) -> dict[str, Var]:
    return {name: replace(row, required=True) for name, row in table(*rows).items()}


_RULE = Var("rule", ("rule",), "string", "1", "learning rule", coord=True)
_STATISTIC = Var("statistic", ("statistic",), "string", "1", "name of the statistic", coord=True)
_BY_STATISTIC, _BOTH = ("statistic",), ("rule", "statistic")
_PAIR, _RUN, _FITTED = ("pair",), ("run",), ("fitted_run",)

POSTERIOR = _always(
    Var("probability", ("rule",), "float", "1", "posterior probability, rules equal before"),
    Var("in_set", ("rule",), "bool", "1", "in the set that holds the rule at the asked level"),
    Var("set_p", ("rule",), "float", "1", "share of the rule's runs that it is told from less"),
    Var("distance", ("rule",), "float", "1", "distance from the runs of the rule, in their spread"),
    Var("cloud_p", ("rule",), "float", "1", "share of runs that are as far from their own rule"),
    Var("n_runs", ("rule",), "int", "count", "runs of the rule"),
    _RULE,
)
"""Node ``posterior`` of :func:`neurodrift.infer_rule`."""

OUTSIDE = _always(
    Var("distance", ("rule",), "float", "1", "distance from the runs of the rule, in their spread"),
    Var("false_alarms", ("rule",), "float", "1", "share of the rule's own runs called outside"),
    Var("power", ("rule",), "float", "1", "share of its runs called outside when it is left out"),
    _RULE,
)
"""Node ``outside``: whether the target lies in the prior at all."""

HELD_OUT = _always(
    Var("accuracy", ("rule",), "float", "1", "share of held-out runs that are named rightly"),
    Var("log_loss", ("rule",), "float", "nat", "mean of minus the log probability of the rule"),
    Var("n_runs", ("rule",), "int", "count", "runs of the rule"),
    Var("confusion", ("rule", "named_rule"), "float", "1", "share of the rule's runs named so"),
    Var("named_rule", ("named_rule",), "string", "1", "the rule that is named", coord=True),
    _RULE,
)
"""Node ``held_out``: how well runs that were not fitted are named."""

PAIRS = _always(
    Var("accuracy", _PAIR, "float", "1", "share of held-out runs told apart rightly"),
    Var("accuracy_se", _PAIR, "float", "1", "its standard error"),
    Var("rule_a", _PAIR, "string", "1", "the first rule", coord=True),
    Var("rule_b", _PAIR, "string", "1", "the second rule", coord=True),
)
"""Node ``pairs``: which rules can be told apart."""

DOSE = _always(
    Var("dose", ("rule",), "float", "", "dose of the rule, in its own unit; NaN = not told"),
    Var("dose_ci_low", ("rule",), "float", "", "lower end of its interval"),
    Var("dose_ci_high", ("rule",), "float", "", "upper end of its interval"),
    Var("factor", ("rule",), "float", "1", "median factor by which held-out doses are missed"),
    Var("r2", ("rule", "parameter"), "float", "1", "share of the variance of logs that is told"),
    Var("parameter", ("parameter",), "string", "1", "dose, learning rate or noise", coord=True),
    _RULE,
)
"""Node ``dose``: what of the parameters can be told."""

BY_TASK = _always(
    Var("probability", ("task", "rule"), "float", "1", "posterior learnt from one task alone"),
    Var("task", ("task",), "string", "1", "task of the runs", coord=True),
    _RULE,
)
"""Node ``by_task``: whether the answer depends on the task of the prior."""

STATISTICS = _always(
    Var("value", _BY_STATISTIC, "float", "1", "statistic of the target"),
    Var("se", _BY_STATISTIC, "float", "1", "its standard error"),
    Var("used", _BY_STATISTIC, "bool", "1", "enters the inference"),
    Var("left_out", _BY_STATISTIC, "string", "1", "why it does not"),
    Var("cloud", ("rule", "shown_run", "statistic"), "float", "1", "statistics of some runs"),
    Var("decided", _BY_STATISTIC, "float", "1", "log odds of the best rule over the second"),
    Var("beyond", _BY_STATISTIC, "float", "1", "distance from the nearest rule, in its spread"),
    Var("unexpected", _BY_STATISTIC, "float", "1", "sd from what the others lead to expect"),
    Var("p", _BOTH, "float", "1", "share of the rule's runs that lie as far out"),
    _STATISTIC,
    _RULE,
)
"""Node ``statistics``: the target among the runs of each rule."""

MODEL = _always(
    Var("coefficient", _BOTH, "float", "1", "weight of the scaled statistic"),
    Var("intercept", ("rule",), "float", "1", "log odds where all scaled statistics are 0"),
    Var("loss", _BY_STATISTIC, "bool", "1", "is 1 less a similarity, whose log is taken"),
    Var("centre", _BY_STATISTIC, "float", "1", "median over the runs"),
    Var("spread", _BY_STATISTIC, "float", "1", "spread over the runs"),
    Var("filled", _BY_STATISTIC, "float", "1", "what stands for a missing value"),
    Var("held_out_log_probability", ("fitted_run", "rule"), "float", "nat", "of held-out runs"),
    Var("fitted_rule", _FITTED, "string", "1", "rule of the run"),
    Var("fitted_weight", _FITTED, "float", "1", "weight of the run"),
    _STATISTIC,
    _RULE,
)
"""Node ``model``: the fitted classifier as numbers."""

INFERENCE = {
    "posterior": POSTERIOR,
    "outside": OUTSIDE,
    "held_out": HELD_OUT,
    "pairs": PAIRS,
    "dose": DOSE,
    "by_task": BY_TASK,
    "statistics": STATISTICS,
    "model": MODEL,
}
"""Nodes of :func:`neurodrift.infer_rule`; some are left out where they cannot be made."""

PRIOR = table(
    Var("value", ("run", "statistic"), "float", "1", "statistic of the run", required=True),
    Var("speed", _RUN, "float", "1", "loss of map correlation, first to last", required=True),
    Var("start", _RUN, "float", "1", "active units in the first session", required=True),
    Var("weight", _RUN, "float", "1", "weight of the run when speeds are matched", required=True),
    Var("learning_rate", _RUN, "float", "1", "learning rate"),
    Var("noise", _RUN, "float", "1", "noise of the rule, in its own unit"),
    Var("n_steps", _RUN, "float", "count", "updates made in all"),
    Var("dose", _RUN, "float", "", "dose of the rule, in its own unit"),
    Var("loss_start", _RUN, "float", "1", "loss over the variance of the targets, first session"),
    Var("loss_end", _RUN, "float", "1", "loss over the variance of the targets, last session"),
    Var("n_hidden", _RUN, "float", "count", "units of the layer"),
    Var("start_step", _RUN, "float", "count", "updates made before the first session"),
    Var("n_cells", _RUN, "number", "count", "cells that were seen"),
    Var("n_events", _RUN, "float", "count", "events of a cell and session; NaN = seen in full"),
    Var("learning", _RUN, "string", "1", "whether the first session was drawn after learning"),
    Var("seed", _RUN, "int", "1", "seed of the run"),
    Var("run", _RUN, "int", "1", "number of the run", coord=True, required=True),
    Var("rule", _RUN, "string", "1", "learning rule", coord=True, required=True),
    Var("task", _RUN, "string", "1", "task of the run", coord=True, required=True),
    replace(_STATISTIC, required=True),
)
"""What :func:`neurodrift.open_prior` gives."""
