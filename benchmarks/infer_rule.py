"""How far the inference of a learning rule may be believed, asked of a prior's own runs.

    python benchmarks/infer_rule.py prior.zarr            # all of its observations
    python benchmarks/infer_rule.py prior.zarr --small    # the first observation, 200 runs
    python benchmarks/infer_rule.py --small               # the example prior
    python benchmarks/infer_rule.py --animals 6           # without drift, and jumping fields
    python benchmarks/infer_rule.py prior.zarr --pool "adaptive=adam,rmsprop"   # two rules as one
    python benchmarks/infer_rule.py prior.zarr --without rmsprop
    python benchmarks/infer_rule.py prior.zarr --tested longer.zarr   # named by the first

Every run is named by a fit that has not seen it (:func:`neurodrift.calibrate_inference`), with the
weights that match the speeds of the rules, and as drawn.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import numpy as np
import xarray as xr

import neurodrift as nd
from neurodrift.infer.classifier.fit import Fit
from neurodrift.infer.classifier.logistic import folds_of
from neurodrift.infer.classifier.runs import FEWEST, Runs, has_enough, runs_of
from neurodrift.infer.classifier.scale import LEAST_THERE, columns, usable
from neurodrift.infer.doubt.clouds import ALARM, distances, fit_clouds, rule_distance_p
from neurodrift.infer.prior.matching import match_runs
from neurodrift.infer.prior.store import open_prior
from neurodrift.threads import one_blas_thread

SMALL = 200
MANY = 8  # statistics whose loss matters most


def priors(path: str, small: bool, pools: list[str], without: list[str]) -> dict[str, xr.Dataset]:
    """The prior by observation, as far as it is done."""
    first = open_prior(path, 0, unfinished=True)
    names = first.attrs["observations"][: 1 if small else None]
    found = {name: open_prior(path, name, unfinished=True) for name in names}
    found = {name: prior.isel(run=slice(SMALL if small else None)) for name, prior in found.items()}
    kept = {name: prior.isel(run=~prior["rule"].isin(without)) for name, prior in found.items()}
    return {name: pooled(prior, pools, matched_anew=bool(without)) for name, prior in kept.items()}


def pooled(prior: xr.Dataset, pools: list[str], *, matched_anew: bool = False) -> xr.Dataset:
    """Some rules under one name, and all matched anew."""
    if not pools and not matched_anew:
        return prior
    rule = prior["rule"].values.astype(object)
    for text in pools:
        name, _, members = text.partition("=")
        rule[np.isin(rule, members.split(","))] = name
    matching = match_runs(rule.astype(str), prior["speed"].values, prior["start"].values)
    return prior.assign_coords(rule=("run", rule)).assign(weight=("run", matching.weight))


def show(name: str, prior: xr.Dataset, matched: bool) -> None:
    """Calibrate one observation and print what came out."""
    began = time.process_time()
    found = nd.calibrate_inference(prior, matched=matched)
    took = time.process_time() - began
    rules = found["rules"].to_dataset()
    way = "speeds matched" if matched else "speeds as drawn"
    print(f"\n== {name}, {way}: {prior.sizes['run']} runs, {took:.0f} CPU seconds")
    kept = prior["weight"].values > 0 if matched else np.ones(prior.sizes["run"], bool)
    print(f"runs that count: {kept.sum()}; chance {rules.attrs['chance']:.2f}")
    speed = found["matching"].to_dataset().sel(weighting="matched" if matched else "as drawn")
    for features in speed["features"].values:
        one = speed.sel(features=features)
        print(f"  {features:15s} accuracy {one['accuracy']:.3f}  log-loss {one['log_loss']:.3f}")
    ece = found["reliability"].attrs["expected_calibration_error"]
    print(f"nested: accuracy {rules.attrs['accuracy']:.3f}, calibration error {ece:.3f}")
    columns = ["n_runs", "accuracy", "log_loss", "coverage", "set_size", "named", "named_right"]
    print(rules[[*columns, "false_alarms"]].to_dataframe().round(3).to_string())
    means = rules[["named", "named_right", "false_alarms"]].mean()
    print("means: " + ", ".join(f"{key} {float(value):.3f}" for key, value in means.items()))
    print(rules["confusion"].to_pandas().round(2).to_string())
    print("what is said of a rule that is left out")
    print(found["left_out"]["share"].to_pandas().round(2).to_string())
    pairs = found["pairs"].to_dataset()
    close = np.argsort(pairs["accuracy"].values)[:4]
    told = [pairs.isel(pair=int(i)) for i in close]
    words = [f"{p.rule_a.item()} / {p.rule_b.item()} {float(p.accuracy):.2f}" for p in told]
    print("closest pairs: " + "; ".join(words))
    dose = found["dose"].to_dataset()
    print("\n".join(_dose(dose, rule) for rule in dose["rule"].values if _has(dose, rule)))
    if "transfer" in found.children:
        print(found["transfer"]["accuracy"].to_pandas().round(3).to_string())
    lost = found["sensitivity"]["log_loss"].to_series()
    lost = (lost - lost["nothing"]).sort_values(ascending=False)[:MANY]
    print("log-loss without: " + "; ".join(f"{key} +{value:.3f}" for key, value in lost.items()))


def across(found: dict[str, xr.Dataset]) -> None:
    """Accuracy and alarms when the prior was seen in one way and the target in another."""
    accuracy = np.full((len(found), len(found)), np.nan)
    alarms = accuracy.copy()
    tables = [runs_of(prior, matched=False) for prior in found.values()]
    for i, seen in enumerate(tables):
        for j, target in enumerate(tables):
            accuracy[i, j], alarms[i, j] = _other(seen, target)
    for what, values in (("accuracy", accuracy), ("called outside", alarms)):
        table = xr.DataArray(values, {"prior": list(found), "target": list(found)})
        print(f"\n{what}, prior seen one way (rows), target another")
        print(table.to_pandas().round(2).to_string())


def _other(prior: Runs, target: Runs) -> tuple[float, float]:
    """Held-out runs of a target by fits to other runs of a prior: the same networks, in order."""
    folds = folds_of(prior, 0, "outer")
    there = np.isfinite(target.value).mean(axis=0) >= LEAST_THERE
    used = usable(prior, np.where(there, 0.0, np.nan))
    names = [name for name, reason in used.items() if not reason]
    right, p = np.empty(folds.size), np.empty(folds.size)
    for fold in np.unique(folds):
        out = folds == fold
        kept = prior.some(~out)
        fit = Fit.of(kept, names, 0)
        new = fit.scale.features(columns(target, names)[out])
        probability = fit.classifier.probabilities(new)
        right[out] = probability.argmax(axis=1) == prior.number[out]
        near = fit.scale.steady
        clouds = fit_clouds(fit.features[:, near], kept)
        away = distances(clouds, new[:, near]).min(axis=1)
        p[out] = rule_distance_p(clouds, away)
    each = [prior.rule == name for name in prior.rules]
    return float(np.mean([right[own].mean() for own in each])), float((p <= ALARM).mean())


def elsewhere(found: dict[str, xr.Dataset], others: dict[str, xr.Dataset]) -> None:
    """Runs of another prior named by a fit to this one: all, and by task."""
    for name in found:
        counts = Counter(others[name]["rule"].values.tolist())
        enough = [rule for rule, count in counts.items() if count >= FEWEST]
        tested = others[name].isel(run=others[name]["rule"].isin(enough).values)
        prior, other = runs_of(found[name], matched=False), runs_of(tested, matched=False)
        used = usable(prior, np.where(np.isfinite(other.value).any(axis=0), 0.0, np.nan))
        names = [one for one, reason in used.items() if not reason]
        fit = Fit.of(prior, names, 0)
        new = fit.scale.features(columns(other, names))
        named = np.array(prior.rules)[fit.classifier.probabilities(new).argmax(axis=1)]
        near = fit.scale.steady
        clouds = fit_clouds(fit.features[:, near], prior)
        away = distances(clouds, new[:, near]).min(axis=1)
        p = rule_distance_p(clouds, away)
        print(f"\n== {name}: {other.rule.size} runs of the other prior, named by this one")
        for rule in other.rules:
            own = other.rule == rule
            right, out = np.mean(named[own] == rule), np.mean(p[own] <= ALARM)
            print(f"  {rule:26s} n {own.sum():4d}  right {right:.2f}  called outside {out:.2f}")
        each = [np.mean(named[other.rule == rule] == rule) for rule in other.rules]
        print(f"  mean over rules {np.mean(each):.3f}")


def _has(dose: xr.Dataset, rule: str) -> bool:
    return bool(np.isfinite(dose["r2"].sel(rule=rule)).any())


def _dose(dose: xr.Dataset, rule: str) -> str:
    own = dose.sel(rule=rule)
    words = [
        f"{name}: R2 {float(one.r2):.2f}, factor {float(one.factor):.2f}, "
        f"coverage {float(one.coverage):.2f}"
        for name in own["parameter"].values
        if np.isfinite((one := own.sel(parameter=name)).r2)
    ]
    return f"{rule}: " + "; ".join(words)


def animals(n: int) -> None:
    """What is said of animals without drift, and of animals whose fields jump at random."""
    prior = nd.examples.read_prior()
    print("\nsynthetic animals, whose fields jump with a probability a session; the example prior")
    for jump in (0.0, 0.02, 0.1, 0.3):
        said = Counter()
        for seed in range(n):
            mouse = nd.testing.linear_track(
                n_units=100, n_sessions=8, minutes=10.0, drift=jump, seed=seed
            )
            found = nd.infer_rule(nd.drift_statistics(mouse), prior, matched=False)
            said[found.attrs["verdict"]] += 1
        print(f"  {jump:4.2f}: " + ", ".join(f"{k} {count}" for k, count in said.items()))


def main() -> None:
    """Read the arguments, and show every prior."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("priors", nargs="*", metavar="PRIOR")
    parser.add_argument("--animals", type=int, default=0, metavar="N", help="of each kind")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--pool", action="append", default=[], metavar="NAME=RULE,RULE")
    parser.add_argument("--without", nargs="+", default=[], metavar="RULE")
    parser.add_argument("--tested", metavar="PRIOR", help="named by a fit to the first prior")
    options = parser.parse_args()
    with one_blas_thread():
        if options.small and not options.priors:
            show("example prior", pooled(nd.examples.read_prior(), options.pool), matched=False)
        if options.animals:
            animals(options.animals)
        for path in options.priors:
            print(f"# {path}")
            found = priors(path, options.small, options.pool, options.without)
            if options.tested:
                other = priors(options.tested, options.small, options.pool, options.without)
                elsewhere(found, other)
                continue
            for name, prior in found.items():
                show(name, prior, matched=False)
                if has_enough(prior):
                    show(name, prior, matched=True)
                else:
                    print(f"{name}: too few runs of some rule have counterparts of equal speed")
            if len(found) > 1:
                across(found)


if __name__ == "__main__":
    main()
