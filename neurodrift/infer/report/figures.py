"""The pictures of an inference: probabilities, the target among the runs, what decided."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.infer.classifier.logistic import restored
from neurodrift.infer.classifier.scale import Scale
from neurodrift.infer.doubt.verdict import OUTSIDE
from neurodrift.report.chart import SERIES, Figure, Forest, Mark, Multiples, Small
from neurodrift.report.words import number, plain

_OPEN = 8  # statistics that are not folded
_MOST = 24  # that are drawn at all
_RUNS = 30  # of each rule in a picture
_DECIDED = 12
_FAR = 5.0  # standard deviations, beyond which a point lies on the edge
_TASKS = ("s1", "s3", "s4")


def inference_figures(inference: xr.DataTree) -> dict[str, list[Figure]]:
    """Every figure of an inference.

    Parameters
    ----------
    inference
        Result of :func:`neurodrift.infer_rule`.

    Returns
    -------
    dict
        ``posterior``, ``clouds``, ``more_clouds``, ``decided``; lists of figures.
    """
    order = _order(inference)
    return {
        "posterior": [_posterior(inference)],
        "clouds": [_clouds(inference, order[:_OPEN], "The target among the runs of each rule")],
        "more_clouds": [_clouds(inference, order[_OPEN:_MOST], "Further statistics")]
        if len(order) > _OPEN
        else [],
        "decided": _decided(inference),
    }


def _posterior(inference: xr.DataTree) -> Figure:
    node = inference["posterior"].to_dataset()
    columns: dict[str, xr.DataArray] = {"probability": node["probability"]}
    styles = {"probability": "accent"}
    if "other_posterior" in inference.children:
        columns["logistic regression"] = inference["other_posterior"].to_dataset()["probability"]
        styles["logistic regression"] = "muted"
    hollow = "by_task" in inference.children
    if hollow:
        table = inference["by_task"].to_dataset()["probability"]
        for i, task in enumerate(table["task"].values):
            name = f"learnt from {plain(str(task))} alone"
            columns[name] = table.sel(task=task)
            styles[name] = f"{_TASKS[i % 3]} hollow"
    rows = []
    for i in np.argsort(-node["probability"].values, kind="stable"):
        rule = str(node["rule"].values[i])
        values = {name: float(column.sel(rule=rule)) for name, column in columns.items()}
        rows.append((plain(rule), [(n, styles[n], v, v, v) for n, v in values.items()]))
    frame = pd.DataFrame({name: column.values for name, column in columns.items()})
    frame.insert(0, "rule", node["rule"].values)
    return Figure(
        name="posterior",
        title="Probability of each rule",
        caption="If the drift is that of a run of the prior."
        + (" Hollow: learnt from the runs of one task alone." if hollow else ""),
        drawing=Forest(rows, "probability"),
        frame=frame,
        legend=list(styles.items()),
    )


def _order(inference: xr.DataTree) -> list[int]:
    """Statistics in use: of a target outside by how far, else by what decided; both first."""
    node = inference["statistics"].to_dataset()
    used = np.flatnonzero(node["used"].values)
    if inference.attrs["verdict"] == OUTSIDE:
        unlike = [str(name) for name in inference.attrs["unlike"]]
        names = node["statistic"].values.astype(str)
        first = [i for name in unlike for i in np.flatnonzero(names == name)]
        others = used[np.argsort(-node["beyond"].values[used], kind="stable")]
        return list(dict.fromkeys([*map(int, first), *others.tolist()]))
    weight = np.abs(np.nan_to_num(node["decided"].values[used]))
    return [int(i) for i in used[np.argsort(-weight, kind="stable")]]


def _clouds(inference: xr.DataTree, order: list[int], title: str) -> Figure:
    node = inference["statistics"].to_dataset()
    scale = restored(inference["model"].to_dataset()).scale
    rules = [plain(str(rule)) for rule in node["rule"].values]
    names = node["statistic"].values.astype(str)
    charts, rows = [], []
    for i in order:
        place = np.flatnonzero(scale.statistic == names[i])
        value, se = float(node["value"][i]), float(node["se"][i])
        cloud = node["cloud"].isel(statistic=i).transpose("rule", "shown_run").values[:, :_RUNS]
        cloud = _deviations(scale, place, cloud)
        lines = _deviations(scale, place, np.array([value, value - 2 * se, value + 2 * se]))
        own = float(lines[0])
        charts.append(_small(plain(names[i]), cloud, lines, value))
        rows += [
            {"statistic": names[i], "rule": rule, "value": value}
            for rule, values in zip(rules, cloud, strict=True)
            for value in values[np.isfinite(values)]
        ]
        rows.append({"statistic": names[i], "rule": "the target", "value": own})
    numbered = ", ".join(f"{i} {rule}" for i, rule in enumerate(rules, start=1))
    return Figure(
        name=f"clouds-{'more' if title.startswith('Further') else 'first'}",
        title=title,
        caption=f"One panel a statistic, in standard deviations from the median of all runs "
        "(of similarities, of the logarithm of their loss); "
        f"dots beyond {_FAR:g} lie on the edge. Dots: simulated runs by rule ({numbered}); line: "
        "the target, dashed: twice its standard error; below each panel: the target's value.",
        drawing=Multiples(
            rows=[("", charts)],
            x_label="rule",
            y_label="standard deviations",
            x_ends=(0.4, len(rules) + 0.6),
            y_ends=(-_FAR - 0.3, _FAR + 0.3),
            x_ticks=[(float(i), str(i)) for i in range(1, len(rules) + 1)],
        ),
        frame=pd.DataFrame(rows),
        legend=[(f"{i + 1} {rule}", SERIES[i % len(SERIES)]) for i, rule in enumerate(rules)]
        + [("the target", "ink")],
    )


def _deviations(scale: Scale, place: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values of one statistic as deviations from the median of all runs."""
    part = Scale(*(getattr(scale, field.name)[place] for field in fields(scale)))
    return part.deviations(values[..., None])[..., 0]


def _small(title: str, cloud: np.ndarray, lines: np.ndarray, value: float) -> Small:
    marks = []
    for i, values in enumerate(cloud):
        values = np.clip(values[np.isfinite(values)], -_FAR, _FAR)
        beside = 0.3 * np.sin(2.4 * np.arange(values.size))  # spread out, always alike
        marks.append(Mark("points", SERIES[i % len(SERIES)], i + 1 + beside, values, radius=1.5))
    ends = np.array([0.5, len(cloud) + 0.5])
    for height, style in zip(lines, ("ink", "ink dashed", "ink dashed"), strict=True):
        if np.isfinite(height):
            marks.append(Mark("line", style, ends, np.clip(np.full(2, height), -_FAR, _FAR)))
    return Small(title, marks, f"target {number(value, 2)}")


def _decided(inference: xr.DataTree) -> list[Figure]:
    node = inference["statistics"].to_dataset()
    posterior = inference["posterior"].to_dataset()
    rules, probability = posterior["rule"].values, posterior["probability"].values
    if inference.attrs["verdict"] == OUTSIDE:
        return [_puts_outside(inference)]
    values = node["decided"].values
    ranked = np.argsort(-np.abs(np.nan_to_num(values)), kind="stable")[:_DECIDED]
    order = [int(i) for i in ranked if np.isfinite(values[i]) and values[i] != 0]
    if not order or rules.size < 2:
        return []
    names = node["statistic"].values.astype(str)
    best, *others = (plain(str(rules[i])) for i in np.argsort(-probability, kind="stable"))
    rows = [
        (plain(names[i]), [(plain(names[i]), "accent", values[i], values[i], values[i])])
        for i in order
    ]
    label = f"log odds of {best} over {others[0]}"
    return [
        Figure(
            name="decided",
            title="What decided",
            caption=f"What each statistic adds to the log odds of {best} over {others[0]}.",
            drawing=Forest(rows, label),
            frame=pd.DataFrame({"statistic": names[order], label: values[order]}),
        )
    ]


def _puts_outside(inference: xr.DataTree) -> Figure:
    """How far out each statistic is, by itself and given all others."""
    node = inference["statistics"].to_dataset()
    names = node["statistic"].values.astype(str)
    near = plain(str(inference["outside"].attrs["nearest"]))
    ways = {
        "by itself": ("accent", node["beyond"].values),
        "given the others": ("s1", node["unexpected"].values),
    }
    far = np.fmax(*(values for _, values in ways.values()))
    first = [str(name) for name in inference.attrs["unlike"]]
    known = np.flatnonzero(np.isfinite(far))
    leading = [int(i) for name in first for i in np.flatnonzero(names == name)]
    others = known[np.argsort(-far[known], kind="stable")].tolist()
    order = list(dict.fromkeys([*leading, *others]))[:_DECIDED]
    rows = [
        (plain(names[i]), [(way, style, v[i], v[i], v[i]) for way, (style, v) in ways.items()])
        for i in order
    ]
    frame = pd.DataFrame({way: values[order] for way, (_, values) in ways.items()})
    frame.insert(0, "statistic", names[order])
    return Figure(
        name="decided",
        title="What puts it outside",
        caption="By itself: from the mean of the rule that is nearest in this statistic. Given the "
        f"others: from what all other statistics lead one to expect of a run of {near}, the "
        "nearest rule. Both in standard deviations of the runs of that rule.",
        drawing=Forest(rows, "standard deviations"),
        frame=frame,
        legend=[(way, style) for way, (style, _) in ways.items()],
    )
