"""An inference to one HTML page."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from neurodrift.infer.doubt.sentences import inference_sentences
from neurodrift.infer.doubt.verdict import NAMED, OUTSIDE
from neurodrift.infer.report.care import inference_cautions
from neurodrift.infer.report.figures import inference_figures
from neurodrift.infer.report.methods import inference_methods
from neurodrift.io.tables import tidy
from neurodrift.io.zarr import in_order
from neurodrift.report.frame import rendered
from neurodrift.report.methods import grouped_methods
from neurodrift.report.shown import download, shown
from neurodrift.report.tables import Table
from neurodrift.report.words import number, percent, plain

_DRIFT_STATISTICS = "https://github.com/neurodrift/neurodrift/blob/main/docs/drift-statistics.md"
_SCRIPTS = ("draw", "save", "page")
_NODES = ("posterior", "statistics", "held_out", "pairs", "dose", "by_task")


def inference_page(
    inference: xr.DataTree, *, title: str | None = None, printed: bool = False
) -> str:
    """Make one self-contained HTML page of an inference.

    Parameters
    ----------
    inference
        Result of :func:`neurodrift.infer_rule`.
    title
        Heading; made from the target when omitted.
    printed
        Whether it is for paper: every part is open, and drawings carry their own style.

    Returns
    -------
    str
        The page. The same inference gives the same page, to the last byte.

    Raises
    ------
    ValueError
        If it is no inference.
    """
    missing = [name for name in ("posterior", "statistics") if name not in inference.children]
    if missing or "verdict" not in inference.attrs:
        raise ValueError("expected an inference, as neurodrift.infer_rule gives it")
    first, *others = inference_sentences(inference)
    figures = {
        name: [shown(figure, "inference", "inference") for figure in own]
        for name, own in inference_figures(inference).items()
    }
    return rendered(
        "inference.html.j2",
        _SCRIPTS,
        printed=printed,
        title=title or f"Which learning rule drifts like {inference.attrs['target']}?",
        facts=_facts(inference),
        verdict=_verdict(inference),
        answer=first.partition(". ")[2],
        sentences=others,
        outside=inference.attrs["verdict"] == OUTSIDE,
        alarms=[c for c in inference_cautions(inference) if c.code == "observation"],
        posterior=_posterior(inference),
        distances=_distances(inference),
        drift_statistics=_DRIFT_STATISTICS,
        figures=figures,
        dose=_dose(inference),
        confusion=_confusion(inference),
        pairs=_pairs(inference),
        cautions=inference_cautions(inference),
        tables=[download("inference", table, "inference") for table in _tables(inference)],
        methods=grouped_methods([("the inference", inference_methods(inference))]),
    )


def _verdict(inference: xr.DataTree) -> str:
    verdict = str(inference.attrs["verdict"])
    if verdict == NAMED:
        return f"Most like {plain(str(inference.attrs['rule']))}"
    return "Outside the prior" if verdict == OUTSIDE else "Cannot tell"


def _facts(inference: xr.DataTree) -> list[tuple[str, str]]:
    statistics, posterior = (inference[n].to_dataset() for n in ("statistics", "posterior"))
    used = statistics["used"].values
    return [
        ("rules in the prior", number(posterior.sizes["rule"])),
        ("simulated runs", number(int(inference.attrs["n_runs"]))),
        ("statistics used", f"{number(int(used.sum()))} of {number(used.size)}"),
        ("held-out runs named right", percent(float(inference["held_out"].attrs["accuracy"]))),
        (
            "distance from the nearest rule; 1 is its edge",
            number(float(inference["outside"]["distance"].min()), 2),
        ),
    ]


def _posterior(inference: xr.DataTree) -> dict[str, Any]:
    node = inference["posterior"].to_dataset()
    rows = []
    for i in np.argsort(-node["probability"].values, kind="stable"):
        one = node.isel(rule=int(i))
        chosen = "yes" if bool(one["in_set"]) else "no"
        rows.append([plain(str(one["rule"].item())), number(float(one["probability"]), 2), chosen])
    notes = []
    if inference.attrs["verdict"] == OUTSIDE:
        notes = ["The target is outside the prior: these probabilities are of no use."]
    return {"head": ["rule", "probability", "in the set"], "rows": rows, "notes": notes}


def _distances(inference: xr.DataTree) -> dict[str, Any]:
    """How far the target is from each rule, and what can be told of that rule."""
    node = inference["posterior"].to_dataset()
    away = inference["outside"].to_dataset()
    held_out = inference["held_out"].to_dataset()
    head = ["rule", "distance", "p of being one of its runs", "its runs named right"]
    head += ["flagged when it is left out"]
    rows = []
    for i in np.argsort(node["distance"].values, kind="stable"):
        one = node.isel(rule=int(i))
        rule = str(one["rule"].item())
        rows.append(
            [
                plain(rule),
                number(float(one["distance"]), 3),
                number(float(one["cloud_p"]), 2),
                percent(float(held_out["accuracy"].sel(rule=rule))),
                percent(float(away["power"].sel(rule=rule))),
            ]
        )
    note = (
        "95 % of the runs are within a distance of 1 of their own rule. A target that is farther "
        "from every rule (p of at most 0.05) is outside the prior."
    )
    return {"head": head, "rows": rows, "notes": [note]}


def _dose(inference: xr.DataTree) -> dict[str, Any] | None:
    if "dose" not in inference.children:
        return None
    node = inference["dose"].to_dataset()
    away = inference.attrs["verdict"] == OUTSIDE
    chosen = inference["posterior"]["in_set"]
    parameters = [str(name) for name in node["parameter"].values]
    head = ["rule", "dose", "interval", "held-out error, factor"]
    head += [f"held-out R² of the {plain(name)}" for name in parameters]
    rows = []
    for rule in node["rule"].values:
        one = node.sel(rule=rule)
        if not np.isfinite(one["r2"].values).any():
            continue
        told = np.isfinite(float(one["dose"])) and bool(chosen.sel(rule=rule)) and not away
        ends = (number(float(one[name]), 2) for name in ("dose_ci_low", "dose_ci_high"))
        rows.append(
            [
                plain(str(rule)),
                number(float(one["dose"]), 2) if told else "–",
                " to ".join(ends) if told else "–",
                number(float(one["factor"]), 3),
                *(number(value, 2) for value in one["r2"].values),
            ]
        )
    notes = [
        "A dose is given for rules that are in the set, if held-out runs let at least half of the "
        "variance of its logarithm be explained. Its parts are never given."
    ]
    return {"head": head, "rows": rows, "notes": notes} if rows else None


def _confusion(inference: xr.DataTree) -> dict[str, Any]:
    node = inference["held_out"].to_dataset()
    rules = [plain(str(rule)) for rule in node["rule"].values]
    confusion = node["confusion"].transpose("rule", "named_rule").values
    rows = [[rule, *map(percent, row)] for rule, row in zip(rules, confusion.tolist(), strict=True)]
    return {"head": ["runs of", *rules], "rows": rows}


def _pairs(inference: xr.DataTree) -> dict[str, Any] | None:
    if "pairs" not in inference.children:
        return None
    node = inference["pairs"].to_dataset()
    order = np.argsort(node["accuracy"].values, kind="stable")
    rows = []
    for i in order:
        one = node.isel(pair=int(i))
        names = " and ".join(plain(str(one[name].item())) for name in ("rule_a", "rule_b"))
        rows.append([names, percent(float(one["accuracy"])), percent(float(one["accuracy_se"]))])
    note = (
        "A share below 50 % is guessing as well: what cross-validation gives where nothing can be "
        "learnt."
    )
    return {"head": ["rules", "told apart in", "standard error"], "rows": rows, "notes": [note]}


def _tables(inference: xr.DataTree) -> list[Table]:
    found = []
    for name in _NODES:
        if name in inference.children:
            node = inference[name].to_dataset().load().drop_vars("cloud", errors="ignore")
            table = tidy(in_order(node))  # as a store would give it
            found.append(Table(name.replace("_", "-"), plain(name).capitalize(), table))
    return found
