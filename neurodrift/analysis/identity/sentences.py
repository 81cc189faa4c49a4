"""Whether the registration is right, in the sentences that the summary and the report share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from neurodrift.analysis.identity.registration import SOME_WRONG
from neurodrift.analysis.identity.shares import FEWEST_SESSIONS, FEWEST_UNITS
from neurodrift.schema.words import listing

STANDS_OUT = 0.1
"""How far the smallest bound of a session lies above those of all other pairs for a warning."""


class Sentences(NamedTuple):
    """What is said of the registration.

    Parameters
    ----------
    answer
        Whether the cells are the same, with the estimate or what is wrong at most.
    warnings
        One sentence for each session whose verdict is ok, but that agrees less with all others.
    """

    answer: str
    warnings: tuple[str, ...] = ()


def registration_sentences(checked: xr.Dataset) -> Sentences | None:
    """Answer whether the cells of all sessions are the same cells.

    Parameters
    ----------
    checked
        Result of :func:`neurodrift.check_registration`, or the node ``quality``.

    Returns
    -------
    Sentences or None
        None where nothing was compared: one session, no position, a network without noise.
        Sessions with another verdict than ok are named; their warnings are those of the node.

    Notes
    -----
    A bound counts all that drift changes as wrong. A session stands out if its smallest bound lies
    10 points above the largest one between the others, and its maps are less similar to each other
    session than any two others are. Drift alone does that to the first or the last of three
    sessions, so that these are not looked at.

    Examples
    --------
    >>> from neurodrift import check_registration, testing
    >>> from neurodrift.analysis.identity.sentences import registration_sentences
    >>> recording = testing.several_maps([[1, 1]] * 4, n_units=60, detection=1.0)
    >>> said = registration_sentences(check_registration(recording, n_repeats=400))
    >>> said.answer.split(". ")[0]
    'Registration: not shown wrong; 4 sessions are too few for an estimate (5 are needed)'
    """
    if "verdict" not in checked or checked.sizes["session"] < 2:
        return None
    names = np.array([str(name) for name in checked["session"].values], dtype=object)
    verdict = checked["verdict"].values
    ok = np.flatnonzero(verdict == "ok")
    named = _named(names, verdict)
    if ok.size < 2:
        return Sentences(f"Registration: {named}.")
    lead, other = (f"{named}. ", "other ") if named else ("", "")
    rest = checked.isel(session=ok, other=ok)
    odd = _stands_out(rest)
    if np.isfinite(_pairs(rest, "wrong_share_ci_high")).any():
        text = _estimated(rest, names[ok], odd, other)
    else:
        text = f"{'the other sessions are ' if named else ''}not shown wrong; {_too_few(checked)}. "
        text += _at_most(rest, names[ok], odd, other)
    if lead:
        text = text[0].upper() + text[1:]
    return Sentences(f"Registration: {lead}{text}", _warnings(rest, names[ok], odd))


def _named(names: np.ndarray, verdict: np.ndarray) -> str:
    """Where to look for the sessions that are not ok; nothing if all are."""
    kinds = [kind for kind in dict.fromkeys(verdict) if kind != "ok"]
    parts = [f"{_sessions(names[verdict == kind])} ({kind.replace('_', ' ')})" for kind in kinds]
    several = (verdict != "ok").sum() > 1
    return f"see the warning{'s' if several else ''} on {listing(parts)}" if parts else ""


def _estimated(rest: xr.Dataset, names: np.ndarray, odd: int | None, other: str) -> str:
    """The estimates, the pair that may be worst, and sessions that may have others."""
    share, high = _pairs(rest, "wrong_share"), _pairs(rest, "wrong_share_ci_high")
    low = _pairs(rest, "wrong_share_ci_low")
    own = [rest[f"wrong_in_session{end}"].values for end in ("", "_ci_low", "_ci_high")]
    with np.errstate(invalid="ignore"):
        doubtful = np.flatnonzero(own[1] > SOME_WRONG)
    worst = int(np.nanargmax(high))
    a, b = (names[index[worst]] for index in np.triu_indices(len(names), k=1))
    text = f"no {other}session stands out as wrongly matched"
    if odd is not None:
        text = f"session {names[odd]} agrees less with all others than they do with each other"
    text += (
        f". In a pair of {other}sessions an estimated {_range(share)} of the cells are other "
        f"cells if drift is steady, at most {_percent(high[worst])} (sessions {a} and {b}: "
        f"{_percent(share[worst])}, 95 % interval {_range(np.array([low[worst], high[worst]]))})."
    )
    for k in doubtful:
        text += (
            f" In session {names[k]} an estimated {_percent(own[0][k])} of the cells are other "
            f"cells (95 % interval {_range(np.array([own[1][k], own[2][k]]))}), or drift was "
            "faster there, which looks the same."
        )
    unknown = np.isnan(share)
    if unknown.any():
        text += f" {int(unknown.sum())} of {unknown.size} pairs have no estimate"
        bounds = _pairs(rest, "wrong_share_bound")[unknown]
        text += f"; at most {_most(bounds)} there." if np.isfinite(bounds).any() else "."
    return text


def _too_few(checked: xr.Dataset) -> str:
    """Why there is no estimate."""
    n = checked.sizes["session"]
    table = checked["n_shared"].values
    shared = table[np.triu_indices(n, k=1)]
    enough = (table >= FEWEST_UNITS) & ~np.eye(n, dtype=bool)
    low, high = int(shared.min()), int(shared.max())
    cells = f"{high} cells" if low == high else f"{low} to {high} cells in a pair of sessions"
    few_cells = high < FEWEST_UNITS
    if few_cells and n < FEWEST_SESSIONS:
        return (
            f"{cells} and {n} sessions are too few for an estimate ({FEWEST_UNITS} "
            f"cells and {FEWEST_SESSIONS} sessions are needed)"
        )
    if few_cells:
        return f"{cells} are too few for an estimate ({FEWEST_UNITS} are needed)"
    if n < FEWEST_SESSIONS:
        return f"{n} sessions are too few for an estimate ({FEWEST_SESSIONS} are needed)"
    if (enough.sum(axis=1) >= 3).sum() < FEWEST_SESSIONS:
        return f"too few pairs of sessions share the {FEWEST_UNITS} cells that an estimate needs"
    return "maps of halves of a session agree too little for an estimate"


def _at_most(rest: xr.Dataset, names: np.ndarray, odd: int | None, other: str) -> str:
    """What is wrong at most, whatever drifts."""
    bounds = _table(rest, "wrong_share_bound")
    others = bounds if odd is None else np.delete(np.delete(bounds, odd, 0), odd, 1)
    if not np.isfinite(others).any():
        return "How many cells may be wrong at most is not known."
    text = (
        f"At most {_most(others)} of the cells of a pair of {other}sessions may be wrong"
        f"{_least_pair(others)}, drift included"
    )
    if odd is None:
        return f"{text}."
    return f"{text}; at most {_most(bounds[odd])} with session {names[odd]}."


def _warnings(rest: xr.Dataset, names: np.ndarray, odd: int | None) -> tuple[str, ...]:
    if odd is None:
        return ()
    bounds = _table(rest, "wrong_share_bound")[odd]
    text = (
        f"At most {_most(bounds)} of the cells may be wrong with session {names[odd]}"
        f"{_least_pair(bounds)}, which agrees less with all others: look at its registration."
    )
    if odd in (0, len(names) - 1):
        where = "first" if odd == 0 else "last"
        text += f" It is the {where} one, where faster drift looks the same."
    return (text,)


def _stands_out(rest: xr.Dataset) -> int | None:
    """The one session that agrees less with every other than any two others do."""
    bounds, lost = _table(rest, "wrong_share_bound"), 1 - _table(rest, "map_similarity")
    n = len(bounds)
    if n < 3:
        return None
    for k in range(1, n - 1) if n == 3 else range(n):
        own = np.delete(np.stack([bounds[k], lost[k]]), k, axis=1)
        inner = np.ix_(np.delete(np.arange(n), k), np.delete(np.arange(n), k))
        pairs = np.triu_indices(n - 1, k=1)
        others = np.stack([bounds[inner][pairs], lost[inner][pairs]])
        if not (np.isfinite(own).all() and np.isfinite(others).all()):
            continue
        apart = own.min(axis=1) - others.max(axis=1)
        if apart[0] > STANDS_OUT and apart[1] > 0:
            return k
    return None


def _table(rest: xr.Dataset, name: str) -> np.ndarray:
    return np.asarray(rest[name].transpose("session", "other").values, dtype=float)


def _pairs(rest: xr.Dataset, name: str) -> np.ndarray:
    table = _table(rest, name)
    return table[np.triu_indices(len(table), k=1)]


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _most(bounds: np.ndarray) -> str:
    """The largest of several bounds, which holds for all."""
    return _percent(float(np.nanmax(bounds)))


def _least_pair(bounds: np.ndarray) -> str:
    """The bound of the pair that agrees best, where it is another than the largest."""
    least = _percent(float(np.nanmin(bounds)))
    return "" if least == _most(bounds) else f" ({least} in the pair that agrees best)"


def _range(shares: np.ndarray) -> str:
    """``19 to 60 %``; one number where both are the same."""
    low, high = (f"{100 * end(shares):.0f}" for end in (np.nanmin, np.nanmax))
    return f"{high} %" if low == high else f"{low} to {high} %"


def _sessions(names: np.ndarray) -> str:
    return f"session{'s' if len(names) > 1 else ''} {listing([str(name) for name in names])}"


_SHOWN = ("rate_map_correlation_relative", "rate_map_correlation")


def sensitivity_sentence(found: xr.Dataset, share: float = 0.05) -> str:
    """How much of the drift wrong matches would make, of the two sessions furthest apart.

    Parameters
    ----------
    found
        Result of :func:`neurodrift.compute_identity_sensitivity`, or its node.
    share
        Of wrong matches; any, since what they take is proportional to it.

    Returns
    -------
    str
        Empty where nothing can be told.

    Examples
    --------
    >>> from neurodrift import compute_identity_sensitivity, testing
    >>> from neurodrift.analysis.identity.sentences import sensitivity_sentence
    >>> recording = testing.linear_track(n_units=40, n_sessions=2, drift=0.3)
    >>> sensitivity_sentence(compute_identity_sensitivity(recording))[:49]
    'Wrong matches: if 5 % of the matches were wrong, '
    """
    one = _told(found)
    if one is None:
        return ""
    a, b = _furthest(one, np.isfinite(one["needed"].values) & (one["lag"].values > 0))
    within, now, wrong, needed = (
        float(one[name].values[a, b]) for name in ("within", "similarity", "wrong", "needed")
    )
    names = found["session_a"].values
    lost = share * (within - wrong)
    text = (
        f"Wrong matches: if {100 * share:.0f} % of the matches were wrong, that alone would "
        f"take {lost:.2f} off the correlation of maps {_how(one)}of {now:.2f} between sessions "
        f"{names[a]} and {names[b]} (all cells). "
    )
    if now >= within:
        return text + "No drift is seen."
    text += f"The drift seen is {within - now:.2f}: "
    if needed >= 1:
        return text + "no share of wrong matches would make all of it."
    return text + f"wrong matches of {100 * needed:.0f} % would be needed to make all of it."


class Weighed(NamedTuple):
    """Drift beside what the estimated wrong matches alone would make of it.

    Parameters
    ----------
    text
        In words.
    seen
        What is lost between the two sessions that lie furthest apart.
    taken, low, high
        What wrong matches alone would take, with the 95 % interval of their share.
    share
        Estimated share of wrong matches that they are.
    """

    text: str
    seen: float
    taken: float
    low: float
    high: float
    share: float


def weigh_matches(found: xr.Dataset, checked: xr.Dataset) -> Weighed | None:
    """Set the estimated share of wrong matches against the drift of maps.

    Parameters
    ----------
    found
        Result of :func:`neurodrift.compute_identity_sensitivity`, or its node.
    checked
        Result of :func:`neurodrift.check_registration`, or the node ``quality``.

    Returns
    -------
    Weighed or None
        Of the two sessions furthest apart where both are known; None where there is no estimate,
        or nothing is lost.

    Notes
    -----
    A share w of wrong matches takes w (within - wrong) off the similarity, which is linear in w.
    """
    one, shares = _told(found), _of_pairs(found, checked)
    if one is None or shares is None:
        return None
    known = np.isfinite(one["needed"].values) & np.isfinite(shares).all(axis=0)
    known &= one["lag"].values > 0
    if not known.any():
        return None
    a, b = _furthest(one, known)
    within, now, wrong = (
        float(one[name].values[a, b]) for name in ("within", "similarity", "wrong")
    )
    if now >= within:
        return None
    share, low, high = shares[:, a, b]
    seen = within - now
    taken, least, most = (float(part * (within - wrong)) for part in (share, low, high))
    names = found["session_a"].values
    text = (
        f"Of the {seen:.2f} that the correlation of maps {_how(one)}loses between sessions "
        f"{names[a]} and {names[b]}, these wrong matches alone would take about {taken:.2f} "
        f"({least:.2f} to {most:.2f}, for {_percent(share)}, {_percent(low)} and "
        f"{_percent(high)} wrong)"
    )
    if taken >= seen:
        text += ": they could make all of it."
    else:
        text += f"; {seen - taken:.2f} ({max(seen - most, 0):.2f} to {seen - least:.2f}) is left."
    return Weighed(text, seen, taken, least, most, float(share))


def weigh_overnight(within: xr.Dataset, found: xr.Dataset, checked: xr.Dataset) -> Weighed | None:
    """Set the estimated wrong matches against what neighbouring sessions lose beyond a session.

    Parameters
    ----------
    within
        Result of :func:`neurodrift.compute_within_drift`, or its node.
    found, checked
        As for :func:`weigh_matches`.

    Returns
    -------
    Weighed or None
        Means over neighbouring sessions; None where there is no estimate, or no loss between
        sessions.
    """
    one, shares = _told(found), _of_pairs(found, checked)
    excess, step = float(within["excess_pooled"]), float(within["step_pooled"])
    if one is None or shares is None or not excess > 0:
        return None
    near = (one["lag"].values == 1) & np.isfinite(shares[0])
    left = one["wrong"].values / one["within"].values
    near &= np.isfinite(left)
    if not near.any():
        return None
    taken, low, high = (step * float((share[near] * (1 - left[near])).mean()) for share in shares)
    text = (
        f"Wrong matches, an estimated {_range(shares[0][near])}, alone would take {taken:.2f} "
        "between sessions"
    )
    if taken >= excess:
        text += ": they could make all of it."
    else:
        text += f"; {excess - taken:.2f} is left."
    return Weighed(text, excess, taken, low, high, float(shares[0][near].mean()))


def overnight_matches(within: xr.Dataset, found: xr.Dataset, checked: xr.Dataset) -> str:
    """What wrong matches alone would take off the agreement of neighbouring sessions.

    Parameters
    ----------
    within, found, checked
        As for :func:`weigh_overnight`.

    Returns
    -------
    str
        Empty where there is no estimate, or no loss between sessions.
    """
    weighed = weigh_overnight(within, found, checked)
    return "" if weighed is None else weighed.text


def bound_beside_drift(found: xr.Dataset, checked: xr.Dataset) -> str:
    """Whether the bound on wrong matches leaves room for all of the drift.

    Parameters
    ----------
    found, checked
        As for :func:`weigh_matches`.

    Returns
    -------
    str
        Of the two sessions furthest apart where both are known. Empty where wrong matches have an
        estimate, there is no bound, or nothing is lost.

    Notes
    -----
    The bound counts all that drifts as wrong, so it lies below the share that the drift needs only
    where the check sees less change than the maps do.
    """
    one = _told(found)
    if one is None or "wrong_share_bound" not in checked or weigh_matches(found, checked):
        return ""
    sessions = list(checked["session"].values)
    if not set(found["session_a"].values) <= set(sessions):
        return ""
    at = [sessions.index(name) for name in found["session_a"].values]
    bound = _table(checked, "wrong_share_bound")[np.ix_(at, at)]
    known = np.isfinite(one["needed"].values) & np.isfinite(bound) & (one["lag"].values > 0)
    if not known.any():
        return ""
    a, b = _furthest(one, known)
    needed, most = float(one["needed"].values[a, b]), float(bound[a, b])
    if not needed > 0:
        return ""
    names = found["session_a"].values
    pair = f"between sessions {names[a]} and {names[b]}"
    if needed >= 1:
        return f"No share of wrong matches would make all of the drift {pair}."
    text = (
        f"All of the drift {pair} would take {_percent(needed)} wrong matches, and at most "
        f"{_percent(most)} may be wrong there: "
    )
    if most < needed:
        return text + "wrong matches cannot make all of it."
    return text + "this check alone does not rule that out."


def _told(found: xr.Dataset) -> xr.Dataset | None:
    """The first measure that tells what wrong matches take."""
    for measure in _SHOWN:
        if measure in found["measure"].values:
            one = found.sel(measure=measure)
            if (np.isfinite(one["needed"].values) & (found["lag"].values > 0)).any():
                return one
    return None


def _furthest(one: xr.Dataset, known: np.ndarray) -> tuple[int, int]:
    a, b = np.unravel_index(np.argmax(np.where(known, one["lag"].values, -1)), known.shape)
    return int(a), int(b)


def _of_pairs(found: xr.Dataset, checked: xr.Dataset) -> np.ndarray | None:
    """Estimated share of wrong matches with its interval (3, session_a, session_b)."""
    if "wrong_share" not in checked:
        return None
    sessions = list(checked["session"].values)
    if not set(found["session_a"].values) <= set(sessions):
        return None
    at = [sessions.index(name) for name in found["session_a"].values]
    ends = ("", "_ci_low", "_ci_high")
    shares = np.stack([_table(checked, f"wrong_share{end}")[np.ix_(at, at)] for end in ends])
    if "verdict" in checked:  # sessions with another verdict have a warning of their own
        ok = (checked["verdict"].values == "ok")[at]
        shares[:, ~(ok[:, None] & ok)] = np.nan
    return shares


def _how(one: xr.Dataset) -> str:
    return "without noise " if str(one["measure"].item()).endswith("_relative") else ""
