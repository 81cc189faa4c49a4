"""What is said of the relations among places, the same in the summary and the report."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neurodrift.schema.words import p_words

_SIGNIFICANT = 0.05
_RESOLVED = 0.01  # smallest fall of a whole span that is worth a sentence


def relations_sentences(found: xr.Dataset) -> list[str]:
    """Whether the relations among places stay, beyond what any code of the environment has.

    Parameters
    ----------
    found
        Result of :func:`neurodrift.compute_relations`, or the node ``relations``.

    Returns
    -------
    list of str
        One sentence or a few; the reason where nothing can be told.

    Examples
    --------
    >>> from neurodrift import compute_half_maps, compute_relations, testing
    >>> from neurodrift.analysis.relations.sentences import relations_sentences
    >>> track = testing.linear_track(n_units=5, n_sessions=2)
    >>> relations_sentences(compute_relations(compute_half_maps(track), n_draws=2))
    ['Whether the relations among places stay cannot be told: no two sessions share 10 units.']
    """
    mean, excess, p = (float(found[f"mean_structure{end}"]) for end in ("", "_excess", "_p"))
    if not np.isfinite(mean):
        reason = found.attrs.get("reason") or "too few units, bins or events"
        return [f"Whether the relations among places stay cannot be told: {reason}."]
    of = f"{mean:.2f} of what halves of one session have"
    if not np.isfinite(p):
        said = [f"The relations among places of two sessions are {of}."]
    elif p <= _SIGNIFICANT:
        said = [
            f"The relations among places stay ({of}), {excess:.2f} above what two unrelated codes "
            f"of this environment have ({p_words(p)})."
        ]
    else:
        said = [
            f"The relations among places of two sessions are {of}, but two unrelated codes of this "
            f"environment have {mean - excess:.2f} ({p_words(p)}): that they stay is not shown."
        ]
    free, chance, p_free = (
        float(found[f"mean_structure_free{end}"]) for end in ("", "_null", "_p")
    )
    if np.isfinite(p_free):
        said.append(
            f"Without what all places at the same distance have in common it is {free:.2f}, in "
            f"unrelated codes {chance:.2f} ({p_words(p_free)})."
        )
    slope, p_slope = float(found["trend"]), float(found["trend_p"])
    if p_slope <= _SIGNIFICANT and abs(slope) * found.sizes["session_a"] >= _RESOLVED:
        way = "falls" if slope < 0 else "rises"
        said.append(
            f"It {way} by {abs(slope):.3f} with every session between ({p_words(p_slope)})."
        )
    return said + _moved(found)


def _moved(found: xr.Dataset) -> list[str]:
    """Whether the first and the last session differ by a symmetry of the environment."""
    names, gain, p = (
        found[name].values[0, -1] for name in ("symmetry", "symmetry_gain", "symmetry_p")
    )
    if not (names and np.isfinite(gain) and gain > 0 and p <= _SIGNIFICANT):
        return []
    return [
        f"From the first to the last session the structure changed, but only up to {names} "
        f"({gain:.2f} more alike after it)."
    ]
