"""Methods of a study for a paper, in the words of the parameters that were used."""

from __future__ import annotations

import json

from neurodrift.report.methods import MethodsText, cited
from neurodrift.report.words import in_sentence, number, percent, plain, plural
from neurodrift.schema.words import listing
from neurodrift.studies.report.view import AXES, StudyView, question_title


def study_methods(view: StudyView) -> MethodsText:
    """Say how the recordings of a study were pooled.

    Parameters
    ----------
    view
        The study.

    Returns
    -------
    MethodsText
        The animals, the settings of the analysis, the questions and tests, and the multiverse.
    """
    parts = [_animals(view), _questions(view), _tests(view)]
    if view.multiverse is not None:
        parts.append(_multiverse(view))
    version = view.tree.attrs.get("neurodrift_version", "unknown")
    parts[-1] += f" Analyses were made with neurodrift {version}."
    return cited(parts)


def _animals(view: StudyView) -> str:
    n = len(view.members)
    sessions = sum(len(m.sessions) for m in view.members)
    text = (
        f"{plural(n, 'recording')} of {plural(len(view.animals), 'animal')} "
        f"({plural(sessions, 'session')}) were analysed alike"
    )
    settings = json.loads(view.tree.attrs.get("analysis", "{}"))
    if settings:
        told = [f"{plain(name)} {_value(value)}" for name, value in settings.items()]
        text += f", with {listing(told)}; all else was left as the program sets it"
    failed = list(json.loads(view.tree.attrs.get("failed", "{}")))
    if failed:
        text += f". {plural(len(failed), 'recording')} could not be analysed ({listing(failed)})"
    return f"{text}."


def _value(value: object) -> str:
    if isinstance(value, list):
        return " to ".join(map(str, value)) if len(value) == 2 else ", ".join(map(str, value))
    return str(value)


def _questions(view: StudyView) -> str:
    own = view.parameters
    titles = [question_title(view.answers.sel(question=q)) for q in view.questions]
    text = f"The questions were {listing([f'“{title}”' for title in titles])}."
    if own["factors"]:
        text += f" Factors: {listing([plain(name) for name in own['factors']])}."
    told = json.loads(view.tree.attrs.get("intervention", "null"))
    if told is not None:
        what = f" ({told['what']})" if told.get("what") else ""
        day = told["day"]
        when = (
            f"from day {number(day)} on"
            if isinstance(day, int | float)
            else "from a day on that was set for each animal"
        )
        text += f" The intervention{what} was there {when}."
    text += (
        " Each was answered as recorded; on an equal footing, every session left with as much as "
        "the poorest has by random draws"
    )
    if own["covariates"]:
        held = listing([in_sentence(name) for name in own["covariates"]])
        text += f"; and with {held} held, each alone and all together"
    return f"{text}."


def _tests(view: StudyView) -> str:
    own = view.parameters
    level = percent(float(own["level"]))
    text = (
        "Every recording answered a question by least squares against the "
        f"{AXES[view.axis].split(' [')[0]}, an animal by the mean of its recordings. The animal "
        "was the unit of inference: Student's t over animals, Welch's t for two groups "
        "({welch1947}), Welch's F for more ({welch1951}). Covariates had one coefficient each for "
        "the whole cohort, and errors were by leaving out each animal in turn ({efron1981}). "
        f"Intervals cover {level}. No change was said only where one by "
        f"{percent(float(own['margin']))} of the mean would have been ruled out."
    )
    if own["correction"] == "holm":
        text += " p were corrected for the questions of a variant ({holm1979})."
    else:
        text += " p were not corrected for the number of questions."
    if len(view.animals) == 1:
        text += (
            " Of the one animal the interval is over its sessions, averaged over the correlation "
            "of neighbouring sessions ({harville1974})."
        )
    text += (
        " Series relative to their first session with one line over all sessions are the published "
        "way ({ratzon2024})."
    )
    return text


def _multiverse(view: StudyView) -> str:
    assert view.multiverse is not None
    node = view.multiverse["influence"].to_dataset()
    levels = [str(text) for text in node["level"].values]
    choices = []
    for name in map(str, node["choice"].values):
        own = [text.removeprefix(f"{name}: ") for text in levels if text.startswith(f"{name}: ")]
        choices.append(f"{plain(name)} ({', '.join(own)})")
    n = view.multiverse["curve"].sizes["universe"]
    draws = number(float(view.multiverse.attrs.get("n_permutations", 0)))
    return (
        f"The questions were asked again in {plural(n, 'way')}, all combinations of "
        f"{listing(choices)} ({{simonsohn2020}}), and tested over all ways by at most {draws} "
        "permutations that were the same in all of them."
    )
