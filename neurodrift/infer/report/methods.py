"""Methods of an inference for a paper, in the words of the parameters that were used."""

from __future__ import annotations

import xarray as xr

from neurodrift.report.methods import MethodsText, cited
from neurodrift.report.words import number, percent, plain
from neurodrift.schema.words import listing


def inference_methods(inference: xr.DataTree) -> MethodsText:
    """Say how a rule was inferred.

    Parameters
    ----------
    inference
        Result of :func:`neurodrift.infer_rule`.

    Returns
    -------
    MethodsText
        The prior, the classifier, the test of what is outside, the dose.
    """
    return cited([_prior(inference), _classifier(inference), _outside(inference)])


def _prior(inference: xr.DataTree) -> str:
    attrs, node = inference.attrs, inference["posterior"].to_dataset()
    rules = listing([plain(str(rule)) for rule in node["rule"].values])
    weights = (
        "Runs were weighted so that all rules have equal speeds of drift"
        if attrs["matched"]
        else "Speeds of drift were not matched across rules"
    )
    used = inference["statistics"].to_dataset()["used"].values
    version = attrs["prior_version"] or "without a version"
    return (
        f"{number(int(attrs['n_runs']))} simulated networks of {number(node.sizes['rule'])} "
        f"learning rules ({rules}; prior {version}, digest {attrs['prior_digest'][:12]}) were the "
        f"prior. {_seen(inference)} {weights}. {number(int(used.sum()))} of {number(used.size)} "
        "statistics of drift were there in the target and in at least half of the runs, and were "
        "used in units of the spread over all runs, similarities by the logarithm of their loss, "
        "missing ones at the median of all runs."
    )


def _seen(inference: xr.DataTree) -> str:
    """Whether the networks were seen as the target was, as far as that is known."""
    otherwise = [str(one) for one in inference.attrs.get("seen_otherwise", [])]
    if otherwise:
        return f"They were not seen as the target was ({'; '.join(otherwise)})."
    compared = [str(one) for one in inference.attrs.get("seen_compared", [])]
    if compared:
        factor = number(float(inference.attrs["seen_factor"]))
        return (
            f"They were seen as the target was, within a factor of {factor} in {listing(compared)}."
        )
    return "Whether they were seen as the target was is not recorded."


def _classifier(inference: xr.DataTree) -> str:
    attrs, model = inference.attrs, inference["model"].attrs
    way = (
        "Multinomial logistic regression with an L2 penalty that held-out log-loss chose (C = "
        f"{number(model['strength'])}) gave scores, which were divided by a temperature "
        f"({number(model['temperature'], 2)}) learnt on five held-out folds ({{guo2017}})."
    )
    if attrs["method"] == "sbi":
        way = (
            "The posterior is that of mixed neural posterior estimation by sbi ({boelts2025}); "
            f"logistic regression is beside it. {way}"
        )
    return (
        f"{way} Every rule was as likely before as any other. The set of rules is conformal, with "
        "the probability of more probable rules as the score ({romano2020}), calibrated by the "
        f"runs of each rule apart, so that it holds the true rule in {percent(attrs['level'])} of "
        "the runs of every rule. The dose was regressed on the statistics by ridge regression of "
        "its logarithm, with split conformal intervals."
    )


def _outside(inference: xr.DataTree) -> str:
    alarm = percent(float(inference["outside"].attrs["alarm"]))
    version = inference.attrs["neurodrift_version"]
    return (
        "Before a rule is named, the distance of the target from the runs of each rule is taken, "
        "over statistics that six in ten runs have: "
        "the larger of the Mahalanobis distance from their mean and the distance to the third "
        "nearest of them, each over the distance of 95 % of the rule's own runs. The target is "
        f"outside the prior if at most {alarm} of the prior's runs, each left out of its rule, are "
        "as far from their own rule as the target is from the nearest one. A rule is named if it "
        "is alone in the set, its "
        f"probability is at least {number(float(inference.attrs['level']))}, the target is among "
        "its runs, and all statistics together do better than speed alone. The inference was made "
        f"with neurodrift {version}."
    )
