"""What a reader of a comparison must know, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodrift.analysis.comparison.members import Member
from neurodrift.schema.words import listing


def notes(
    members: Sequence[Member],
    sides: Sequence[str],
    axes: Sequence[str],
    covariates: Sequence[str],
    similarity: str,
    within: str,
) -> list[str]:
    """Sentences on what limits the comparison.

    Parameters
    ----------
    members, sides, axes, covariates, similarity
        What is compared.
    within
        How slopes of one recording are estimated.

    Returns
    -------
    list of str
        The sentences.
    """
    by_side = {side: [m for m in members if m.side == side] for side in sides}
    found = _single(by_side) + _repeated(by_side)
    if within == "ols":
        found.append(
            "The sessions of one recording are taken as independent (within='ols'): intervals are "
            "too narrow where neighbouring sessions are alike."
        )
    found += _differences(by_side)
    noisy = [
        m.name if len(by_side[m.side]) > 1 else m.side
        for m in members
        if m.has("fraction_informative_units") and not m.noise_free
    ]
    if noisy:
        found.append(
            f"Sampling noise alone makes units informative in {listing(noisy)}: compare place "
            "cells, which were tested, rather than informative units."
        )
    absent: dict[tuple[str, ...], list[str]] = {}
    for axis in axes:
        without = tuple(s for s, own in by_side.items() if not any(m.has(axis) for m in own))
        absent.setdefault(without, []).append(axis)
    absent.pop((), None)
    for without, names in absent.items():
        found.append(
            f"{listing(without)} {_has(without)} no {listing(names)}: there nothing is compared "
            f"with {_it(without)}, use the fraction of the way."
        )
    for name in covariates:
        lacking = [s for s, own in by_side.items() if not any(m.has(name) for m in own)]
        if lacking:
            found.append(
                f"{listing(lacking)} {_has(lacking)} no {name}: where it is controlled for on the "
                f"other side, the unadjusted slopes of {_it(lacking)} are compared."
            )
    for member in members:
        rates = member.rates(similarity, "fraction")[:, 0]
        missing = int(np.isnan(rates).sum())
        if missing and member.has(similarity):
            found.append(
                f"{missing} of {rates.size} neighbouring sessions of {member.name} have no rate "
                "of decorrelation: their correlation is missing, or not positive."
            )
        if member.n_maps > 1:
            found.append(
                f"The population of {member.name} switches between {member.n_maps} maps: its "
                "correlations relative to the noise ceiling compare equal maps, the others pool."
            )
    return found


def _single(by_side: dict[str, list[Member]]) -> list[str]:
    alone = [side for side, own in by_side.items() if len({m.replicate for m in own}) == 1]
    if not alone:
        return []
    one, its = ("is one animal or run", "its") if len(alone) == 1 else ("are one each", "their")
    return [
        f"{listing(alone)} {one}: {its} intervals hold the variation between sessions alone, and "
        "say nothing on other animals or runs."
    ]


def _repeated(by_side: dict[str, list[Member]]) -> list[str]:
    found = []
    sides: dict[str, list[str]] = {}
    for side, own in by_side.items():
        replicates = [m.replicate for m in own]
        for name in dict.fromkeys(replicates):
            sides.setdefault(name, []).append(side)
            if replicates.count(name) > 1:
                found.append(
                    f"{replicates.count(name)} recordings of {side} are of {name} and count once."
                )
    for name, where in sides.items():
        if len(where) > 1:
            found.append(
                f"{name} is in {listing(where)}: the tests take these sides as independent."
            )
    short = [m.name for own in by_side.values() for m in own if len(m.sessions) < 3]
    if short:
        found.append(f"{listing(short)} {_has(short)} fewer than three sessions.")
    return found


def _differences(by_side: dict[str, list[Member]]) -> list[str]:
    texts = {
        "clock": "The fraction of the way runs along {}: slopes on it are changes over what was "
        "recorded, so their sizes depend on how long that was.",
        "criterion": "Place cells are decided by {}.",
        "information_source": "Information is {}: neither has the bias of sampling or of the "
        "choice of maps, as the activation of a network has no sampling noise.",
    }
    found = []
    for name, text in texts.items():
        sides: dict[str, list[str]] = {}
        for side, own in by_side.items():
            for value in dict.fromkeys(getattr(m, name) for m in own):
                sides.setdefault(value, []).append(side)
        sides.pop("", None)
        if len(sides) > 1:
            listed = "; ".join(f"{value} in {listing(names)}" for value, names in sides.items())
            found.append(text.format(listed))
    return found


def _has(names: Sequence[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _it(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"
