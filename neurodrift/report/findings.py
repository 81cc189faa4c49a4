"""What came out, by question, in the sentences of a lab."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from neurodrift.analysis.alignment.sentences import alignment_sentences
from neurodrift.analysis.drift.sentences import course_sentence, index_sentence
from neurodrift.analysis.identity.sentences import (
    Weighed,
    bound_beside_drift,
    registration_sentences,
    sensitivity_sentence,
    weigh_matches,
    weigh_overnight,
)
from neurodrift.analysis.relations.sentences import relations_sentences
from neurodrift.analysis.steps.sentences import steps_sentences
from neurodrift.analysis.within.sentences import describe_within_drift
from neurodrift.report.footing import Trend, trends, undetected_words
from neurodrift.report.trend import (
    SIGNIFICANT,
    dagger_note,
    detectable_words,
    few_degrees,
    is_constant,
    noted_once,
    slope_words,
)
from neurodrift.report.view import View, finite_mean
from neurodrift.report.words import number, percent, said_of, title_of, value_of

_SINGULAR = ("Spatial", "Loss", "Time")


@dataclass(frozen=True)
class Finding:
    """The answer to one question.

    Parameters
    ----------
    key
        ``registration``, ``drift``, ``relations``, ``alignment``, or the measure that it is about.
    question
        What was asked, in a few words.
    text
        The answer.
    notes
        Footnotes, which stand below the first answer that has them.
    details
        What a reader asks after the answer; in smaller letters below it.
    """

    key: str
    question: str
    text: str
    notes: tuple[str, ...] = ()
    details: str = ""

    @property
    def more(self) -> bool:
        """Whether it is folded: one of the questions that a reader asks after the first ones."""
        return self.key in _MORE


_MORE = ("steps", "relations", "alignment", "matches")


def findings(view: View) -> list[Finding]:
    """What came out, one paragraph for each question.

    Parameters
    ----------
    view
        Results of one recording.

    Returns
    -------
    list of Finding
        Drift of maps, relations among places, registration, activity, place cells, spatial
        information, learning; those that can be answered.
    """
    questions = (
        ("fraction_active_units", f"How many {view.noun}s are active?"),
        ("fraction_place_cells", "How many are place cells?"),
        ("information", "How much do place cells tell of position?"),
        ("loss", "Does the network learn?"),
    )
    found = [*_drift(view), *_relations(view), *_registration(view)]
    for measure, question in questions:
        if measure in view.sessions:
            found += _change(view, measure, question)
    return [
        replace(item, text=said_of(item.text, view.noun), details=said_of(item.details, view.noun))
        for item in noted_once(found)
    ]


def _relations(view: View) -> list[Finding]:
    """Whether the relations among places stay, and whether cells change together."""
    found = []
    if "relations" in view.nodes:
        text = " ".join(relations_sentences(view.nodes["relations"]))
        found.append(Finding("relations", "Do the relations among places stay?", text))
    if "alignment" in view.nodes:
        text = " ".join(alignment_sentences(view.nodes["alignment"]))
        found.append(Finding("alignment", f"Do {view.noun}s change together?", text))
    return found


def _registration(view: View) -> list[Finding]:
    said = registration_sentences(view.nodes.get("quality", xr.Dataset()))
    if said is None:
        return []
    text = said.answer
    weighed = _weighed(view)
    if weighed is not None:
        text += f" {weighed.text}"
    elif "identity_sensitivity" in view.nodes:
        beside = bound_beside_drift(view.nodes["identity_sensitivity"], view.nodes["quality"])
        text = f"{text} {beside}".strip()
    return [Finding("registration", "Are the cells the same cells?", text)]


def _weighed(view: View) -> Weighed | None:
    """The estimated wrong matches beside the drift."""
    if "identity_sensitivity" not in view.nodes or "quality" not in view.nodes:
        return None
    return weigh_matches(view.nodes["identity_sensitivity"], view.nodes["quality"])


def _change(view: View, measure: str, question: str) -> list[Finding]:
    values = view.sessions[measure].to_numpy(float)
    values = values[np.isfinite(values)]
    if not values.size:
        return []
    title = title_of(measure, view.noun)
    of = f" of all {view.counted} {view.noun}s" if measure.startswith("fraction") else ""
    verb_s = title.startswith(_SINGULAR)
    first, last = (value_of(measure, float(values[i])) for i in (0, -1))
    if values.size == 1:
        return [Finding(measure, question, f"{title}: {first}{of}.")]
    where = f"{first}{of} in the first session, {last} in the last{_later(view)}"
    fit = view.slope(measure)
    if is_constant(view, measure):
        text = f"{title} {'is' if verb_s else 'are'} the same in every session: {first}{of}."
        return [Finding(measure, question, text)]
    if fit is None:
        return [Finding(measure, question, f"{title}: {where}.")]
    fits, more = [fit], []
    if fit["p"] < SIGNIFICANT:
        verb = "rise" if fit["slope"] > 0 else "fall"
        if few_degrees(fit):
            verb = f"{'seems' if verb_s else 'seem'} to {verb}"
        else:
            verb += "s" if verb_s else ""
        text = f"{title} {verb}: {where} ({slope_words(view, measure)})."
    else:
        verb = "shows" if verb_s else "show"
        text = f"{title} {verb} no clear trend: {where} ({slope_words(view, measure)})."
        seen = detectable_words(view, measure)
        if seen:
            more.append(
                f"A trend of {seen} or more would have been found with a power of 80\u00a0%."
            )
    for trend in trends(view):
        if trend.measure == measure:
            if trend.disagree:
                text += f" {_on_equal_footing(view, trend)}"
            else:
                more.append(_on_equal_footing(view, trend))
            fits.append(trend.matched)
    if measure == "fraction_active_units":
        text += f" {undetected_words(view).split('. ')[0]}.".replace(" .", "")
    if fit["p"] < SIGNIFICANT <= fit["p_given_speed"]:
        text += " With running speed held, the trend is no longer clear."
    return [Finding(measure, question, text, tuple(dagger_note(fits)), " ".join(more))]


def _on_equal_footing(view: View, trend: Trend) -> str:
    """The same trend with as much in every session."""
    same = trend.matched["dof"] == trend.raw["dof"]
    words = slope_words(view, f"{trend.measure}_matched", degrees=not same)
    equal = f"{trend.equal} in every session{trend.among}"
    clear = trend.matched["p"] < SIGNIFICANT
    way = ("rise" if trend.matched["slope"] > 0 else "fall") if clear else "no clear trend"
    if not trend.disagree:
        if clear:
            return f"With {equal} the {way} remains ({words})."
        return f"With {equal} there is no clear trend either ({words})."
    what = f"there is {way}" if not clear else f"there is a {way}"
    text = f"But with {equal} {what} ({words})"
    if trend.raw["p"] < SIGNIFICANT:
        silent = trend.measure == "fraction_place_cells" and "events" in trend.equal
        other = ", or from cells that fell silent, which are left out here" if silent else ""
        return f"{text}: the trend as recorded may come from how much was recorded{other}."
    return f"{text}, which the recording as it is hides."


def _later(view: View) -> str:
    """How long after the first session the last one was."""
    table = view.sessions
    if view.simulated:
        steps = table["training_step"].to_numpy(float)
        return f", {number(steps[-1] - steps[0])} training steps later"
    if "day" in table:
        days = table["day"].to_numpy(float)
        apart = days[-1] - days[0]
        if np.isfinite(apart) and apart > 0:
            return f", {number(apart)} {'day' if apart == 1 else 'days'} later"
    return ""


_SIMILARITIES = (
    "rate_map_correlation",
    "population_vector_correlation",
    "ensemble_rate_correlation",
)


def _drift(view: View) -> list[Finding]:
    pairs = view.pairs
    if pairs.sizes["session_a"] < 2:
        return []
    sentences: list[str] = []
    for name in _SIMILARITIES:
        if name in pairs:
            ends = _near_and_far(pairs[name].values, pairs["lag"].values)
            if ends is not None:
                sentences.append(_similarity(view, name, ends, bool(sentences)))
    if not sentences:
        return []
    if "time_constant" in view.nodes:
        sentences.append(course_sentence(view.nodes["time_constant"]))
    if "drift_index" in view.nodes:
        sentences.append(index_sentence(view.nodes["drift_index"]))
    first = _in_one_line(view)
    text, *rest = [text for text in (first, *sentences) if text]
    found = [Finding("drift", "How much do the maps drift?", text, details=" ".join(rest))]
    steps = steps_sentences(view.nodes["steps"]) if "steps" in view.nodes else []
    if steps:
        found.append(Finding("steps", "In small steps or in jumps?", " ".join(steps)))
    return found + _when_and_whose(view)


def _when_and_whose(view: View) -> list[Finding]:
    """Within a session or overnight, and whether wrong matches could make it."""
    found = []
    if "within_drift" in view.nodes:
        found.append(_within(view))
    if "identity_sensitivity" in view.nodes:
        text = sensitivity_sentence(view.nodes["identity_sensitivity"])
        if text:
            found.append(Finding("matches", "Could wrong matches make it?", text))
    return found


def _within(view: View) -> Finding:
    """What is lost within a session and to the next one, and what wrong matches may make of it."""
    node, question = view.nodes["within_drift"], "Within a session or overnight?"
    text, weighed = describe_within_drift(node), None
    if "identity_sensitivity" in view.nodes and "quality" in view.nodes:
        weighed = weigh_overnight(node, view.nodes["identity_sensitivity"], view.nodes["quality"])
        text += "" if weighed is None else f" {weighed.text}"
    inside, night = (1 - float(node[f"{name}_pooled"]) for name in ("first_last", "overnight"))
    if not (np.isfinite(inside) and np.isfinite(night)):
        return Finding("within", question, text)
    part = "laps" if node.attrs.get("by") == "lap" else "minutes"
    span = f"from the first to the last {part} of a session"
    if float(node["within_p"]) < SIGNIFICANT:
        answer = f"Without noise, maps lose {number(inside, 2)} {span}."
    else:
        answer = f"Maps are not shown to change {span}."
    if night > 0:
        answer += f" {_overnight(node, part, night, weighed)}"
    return Finding("within", question, answer, details=text)


def _overnight(node: xr.Dataset, part: str, night: float, weighed: Weighed | None) -> str:
    """The loss to the next session, what of it is not that of a session, and wrong matches."""
    text = f"From its last {part} to the first of the next they lose {number(night, 2)}"
    excess = float(node["excess_pooled"])
    if not np.isfinite(excess):
        return f"{text}."
    if not float(node["overnight_p"]) < SIGNIFICANT:
        return f"{text}, which is not shown to be more than {part} of one session do."
    text += f", {excess:.2f} more than {part} of one session do"
    if weighed is None:
        return f"{text}."
    if weighed.taken >= weighed.seen:
        return f"{text}; wrong matches could make all of it."
    return f"{text}; wrong matches could make {weighed.taken:.2f} of it."


def _in_one_line(view: View) -> str:
    """What is left of the maps after the shortest and the longest time; empty where not known."""
    name = "rate_map_correlation_relative"
    if name not in view.pairs or view.pairs.sizes["session_a"] < 3:
        return ""
    ends = _near_and_far(view.pairs[name].values, view.pairs["lag"].values)
    if ends is None:
        return ""
    text = (
        f"Without noise, maps of neighbouring sessions{_apart(view, 'near')} correlate by "
        f"{number(ends[0], 2)}, those of the sessions farthest apart{_apart(view, 'far')} by "
        f"{number(ends[1], 2)}; 1 would be no change."
    )
    weighed = _weighed(view)
    if weighed is None:
        return text
    return (
        f"{text} Of the {weighed.seen:.2f} lost, wrong matches alone may make about "
        f"{min(weighed.taken, weighed.seen):.2f} (see below)."
    )


def _similarity(view: View, name: str, ends: tuple[float, float], again: bool) -> str:
    near, far = ends
    title, several = title_of(name, view.noun), view.pairs.sizes["session_a"] > 2
    ceilings = view.ceiling(name)
    top = finite_mean(ceilings) if ceilings.size else float("nan")
    if again:
        way = f"go from {number(near, 2)} to {number(far, 2)}" if several else "have"
        text = f"{title} {way}" if several else f"{title} {way} {number(near, 2)}"
        return text + (f" (ceiling {number(top, 2)})." if top > 0 else ".")
    if several:
        text = (
            f"{title} of neighbouring sessions{_apart(view, 'near')} have a correlation of "
            f"{number(near)}, those of the sessions farthest apart{_apart(view, 'far')} of "
            f"{number(far)}"
        )
    else:
        text = f"{title} of both sessions{_apart(view, 'near')} have a correlation of "
        text += number(near)
    if top > 0:
        of = f"{percent(near / top)}" + (f" and {percent(far / top)}" if several else "")
        text += f"; two halves of one session reach {number(top)}, the ceiling, of which that "
        text += f"is {of}"
    elif np.isfinite(top):
        text += f"; two halves of one session have {number(top, 2)}: noise hides what there is"
    text += "."
    if not top > 0 and np.isfinite(top):
        return text
    relative = f"{name}_relative"
    if relative in view.pairs:
        found = _near_and_far(view.pairs[relative].values, view.pairs["lag"].values)
        if found is not None:
            shares = number(found[0], 2)
            shares += f" and {number(found[1], 2)}" if several else ""
            text += (
                f" The correlation without noise ({shares}) is another statistic, in which "
                f"{view.noun}s with more events weigh more."
            )
    null = f"{name}_null"
    if null in view.pairs:
        upper = np.triu_indices(view.pairs.sizes["session_a"], k=1)
        chance = finite_mean(view.pairs[null].values[upper].astype(float))
        if np.isfinite(chance):
            shuffled = f"{view.noun}s shuffled"
            text += f" With {shuffled} the correlation is {number(chance, 2)}."
    return text


def _apart(view: View, end: str) -> str:
    """How many days lie between sessions, in brackets."""
    if "lag_day" not in view.pairs.coords:
        return ""
    lag, days = view.pairs["lag"].values, np.abs(view.pairs["lag_day"].values.astype(float))
    steps = np.unique(lag[lag > 0])
    mean = finite_mean(days[lag == (steps[0] if end == "near" else steps[-1])])
    if not np.isfinite(mean):
        return ""
    return f" ({number(mean, 2)} {'day' if mean == 1 else 'days'})"


def _near_and_far(values: np.ndarray, lags: np.ndarray) -> tuple[float, float] | None:
    """Means over neighbouring sessions, and over those farthest apart."""
    steps = [lag for lag in np.unique(lags[lags > 0]) if np.isfinite(values[lags == lag]).any()]
    if not steps:
        return None
    near, far = (finite_mean(values[lags == lag].astype(float)) for lag in (steps[0], steps[-1]))
    return near, far
