"""What a careful reader must know before believing a result, each with its number."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurodrift.report._caution import Caution
from neurodrift.report._cautions_recording import RECORDING_CHECKS
from neurodrift.report._view import View, finite_mean
from neurodrift.report._words import in_sentence, listing, number, percent, plural

LOW_CEILING = 0.5  # correlation of two halves of a session
LOW_KAPPA = 0.4  # below moderate agreement
DISAGREEMENT = 0.15  # of SSR and BAE, relative to their mean
NAIVE_BIAS = 0.15  # of naive information over the mean of SSR and BAE
FEW_REPETITIONS = 100


def cautions(view: View) -> list[Caution]:
    """Every warning that the results of a recording give reason for.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    list of Caution
        The serious ones first.
    """
    found = [caution for check in (*RECORDING_CHECKS, *_RESULT_CHECKS) for caution in check(view)]
    order = ("serious", "care", "note")
    return sorted(found, key=lambda caution: order.index(caution.level))


def _no_place_cells(view: View) -> Iterator[Caution]:
    table = view.sessions
    if "n_place_cells" not in table:
        return
    none = [label for label, n in zip(view.labels, table["n_place_cells"], strict=True) if n == 0]
    if none:
        shown = listing(none) if len(none) <= 6 else f"{listing(none[:5])} and {len(none) - 5} more"
        yield Caution(
            "no-place-cells",
            "serious",
            "Sessions without place cells",
            f"{plural(len(none), 'session')} of {len(table)} ({shown}) had no place cell: mean "
            "information and map correlations are missing there.",
        )


def _missing_measures(view: View) -> Iterator[Caution]:
    table = view.sessions
    empty = [
        in_sentence(name)
        for name in map(str, view.nodes["regression"]["measure"].values)
        if name in table and not np.isfinite(table[name].to_numpy(float)).any()
    ]
    if empty:
        yield Caution(
            "all-missing",
            "serious",
            "Measures without any value",
            f"No session has a value of {listing(empty)}.",
        )


def _ceiling(view: View) -> Iterator[Caution]:
    if "session_drift" not in view.nodes or "place_cells" not in view.nodes:
        return
    ceiling = view.ceiling("rate_map_correlation")
    found = ceiling[np.isfinite(ceiling)]
    missing = ceiling.size - found.size
    if missing:
        yield Caution(
            "no-ceiling",
            "care",
            "Noise ceiling missing",
            f"{plural(missing, 'session')} of {ceiling.size} could not be cut into halves with "
            "common maps, so what a correlation could reach at most is unknown there.",
        )
    if found.size and found.mean() < LOW_CEILING:
        yield Caution(
            "low-ceiling",
            "serious",
            "Low noise ceiling",
            f"Two halves of one session correlate by {number(found.mean())} only (lowest "
            f"{number(found.min())}): most of a low correlation between sessions is noise. Read "
            "the correlations over the noise ceiling.",
        )


def _corrections(view: View) -> Iterator[Caution]:
    table = view.sessions
    names = ("information_naive", "information_ssr", "information_bae")
    if any(name not in table for name in names):
        return
    naive, ssr, bae = (table[name].to_numpy(float) for name in names)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = (np.abs(ssr) + np.abs(bae)) / 2
        apart = np.abs(ssr - bae) / middle
    far = apart > DISAGREEMENT
    if far.any():
        worst = int(np.nanargmax(apart))
        yield Caution(
            "ssr-bae",
            "serious" if far.mean() > 0.5 else "care",
            "Corrections for the sampling bias disagree",
            f"SSR and BAE differ by more than {percent(DISAGREEMENT)} of their mean in "
            f"{plural(int(far.sum()), 'session')} of {far.size}, most in session "
            f"{view.labels[worst]} ({number(ssr[worst])} and {number(bae[worst])} bit/event). "
            "Trust no absolute information there; see whether both give the same trend.",
        )
    bias = finite_mean(naive) / finite_mean(np.append(ssr, bae)) - 1
    if bias > NAIVE_BIAS:
        yield Caution(
            "naive-bias",
            "care",
            "Uncorrected information is too large",
            f"Naive information is {percent(bias)} above the mean of SSR and BAE. Do not compare "
            "it between recordings that differ in length or activity.",
        )


def _impossible(view: View) -> Iterator[Caution]:
    information = view.nodes.get("information")
    if information is None or "ssr" not in information or "place_cells" not in view.nodes:
        return
    ssr = information["ssr"].where(view.nodes["place_cells"]["significant"]).values
    ssr = ssr[np.isfinite(ssr)]
    if (ssr < 0).any():
        yield Caution(
            "negative-information",
            "care",
            "Negative corrected information",
            f"SSR is below zero for {plural(int((ssr < 0).sum()), 'significant map')} of "
            f"{number(ssr.size)} (lowest {number(ssr.min())} bit/event), where its curves against "
            "sample size are too flat to be scaled. They enter the session means; look at BAE "
            "beside.",
        )


def _criteria(view: View) -> Iterator[Caution]:
    if "agreement" not in view.nodes or "kappa" not in view.nodes["agreement"]:
        return
    node = view.nodes["agreement"]
    if node.sizes["criterion"] < 2:
        return
    kappa = node["kappa"].isel(criterion=0, other=1).values
    if finite_mean(kappa) < LOW_KAPPA:
        names = [str(name) for name in node["criterion"].values[:2]]
        yield Caution(
            "criteria-disagree",
            "care",
            "Criteria for place cells disagree",
            f"Place cells by {names[0]} and by {names[1]} of their maps agree with Cohen's kappa "
            f"{number(finite_mean(kappa), 2)} (mean over sessions; 1 would be full agreement, 0 "
            "chance): which units count as place cells depends on the criterion.",
        )


def _chance(view: View) -> Iterator[Caution]:
    cells = view.nodes.get("place_cells")
    if cells is None or cells.attrs.get("criterion") != "p" or not cells["tested"].values.any():
        return
    n_directions = cells.sizes["direction"]
    alpha = float(cells.attrs.get("alpha", view.parameters["alpha"]))
    tests = cells["tested"].transpose("session", "unit", "direction").values.sum(axis=-1)
    chance = (
        1 - (1 - alpha) ** tests if cells.attrs.get("combine") == "any" else alpha * (tests > 0)
    )
    expected, found = chance.sum(), int(cells["is_place_cell"].values.sum())
    either = "in either direction" if n_directions > 1 else ""
    yield Caution(
        "chance",
        "note",
        "Place cells by chance",
        f"Units pass at p < {alpha:g} {either} without correction for many tests. If no unit were "
        f"tuned, {number(expected)} of the {number(found)} place cells (units × sessions) would "
        "still have been found.".replace("  ", " "),
    )


def _repetitions(view: View) -> Iterator[Caution]:
    n = int(view.parameters.get("repetitions", FEW_REPETITIONS))
    if n < FEW_REPETITIONS and "information_ssr" in view.sessions:
        yield Caution(
            "few-repetitions",
            "note",
            "Few repetitions behind SSR and BAE",
            f"Each curve against sample size is a mean of {n} draws of the whole sample (500 is "
            "usual): corrected values carry some noise of the drawing.",
        )


_RESULT_CHECKS = (
    _no_place_cells,
    _missing_measures,
    _ceiling,
    _corrections,
    _impossible,
    _criteria,
    _chance,
    _repetitions,
)
