"""What is said of coordinated change, the same in the summary and the report."""

from __future__ import annotations

import numpy as np
import xarray as xr

_SIGNIFICANT = 0.05


def alignment_sentences(found: xr.Dataset) -> list[str]:
    """Whether units change together, as one rotation, or each on its own.

    Parameters
    ----------
    found
        Result of :func:`neurodrift.compute_alignment`, or the node ``alignment``.

    Returns
    -------
    list of str
        One sentence for each test that could be made; the reason where there is none.

    Examples
    --------
    >>> from neurodrift import compute_alignment, compute_half_maps, testing
    >>> from neurodrift.analysis.alignment.sentences import alignment_sentences
    >>> track = testing.linear_track(n_units=5, n_sessions=2)
    >>> alignment_sentences(compute_alignment(compute_half_maps(track), n_draws=2))
    ['Whether units change together cannot be told: no two sessions share 20 units.']
    """
    said = []
    for name, what in (
        ("transfer", "fitted in one running direction explains {share} of the change in the other"),
        ("extrapolation", "of one step explains {share} of the next step of the same length"),
    ):
        share, p, other = (float(found[f"mean_{name}{end}"]) for end in ("", "_p", "_unrelated_p"))
        if not np.isfinite(share):
            continue
        text = f"A rotation {what.format(share=_number(share))}"
        if _number(share).startswith("\N{MINUS SIGN}"):
            text += " (less than 0: turning makes it worse than leaving it)"
        if not np.isfinite(p):
            said.append(f"{text}.")
        elif share > 0 and p <= _SIGNIFICANT and not other > _SIGNIFICANT:
            own = share - float(found[f"mean_{name}_excess"])
            said.append(
                f"{text}, {_number(own)} where each unit changes on its own (p = {p:.2g}): units "
                "change together."
            )
        else:
            said.append(
                f"{text}, no more than in units that change each on its own or in unrelated "
                f"codes (p = {max(p, other if np.isfinite(other) else p):.2g})."
            )
    if said:
        return said + _reading(found)
    reason = found.attrs.get("reason") or "no change is clear from noise"
    return [f"Whether units change together cannot be told: {reason}."]


def _reading(found: xr.Dataset) -> list[str]:
    """What the rotation does for a decoder, where it was asked."""
    if "reading_gain" not in found or not np.isfinite(gain := float(found["reading_gain"])):
        return []
    names = ("unaligned", "aligned", "own")
    errors = {name: float(np.nanmean(found[f"reading_{name}"])) for name in names}
    p = float(found["reading_gain_p"])
    text = (
        f"Patterns of a session read the place in another with a mean error of "
        f"{errors['unaligned']:.3g} cm, turned by the rotation of the other direction of "
        f"{errors['aligned']:.3g} cm (own patterns {errors['own']:.3g} cm)"
    )
    if gain > 0 and p <= _SIGNIFICANT:
        return [f"{text}: the rotation helps (p = {p:.2g})."]
    return [f"{text}: the rotation is not shown to help (p = {p:.2g})."]


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")
