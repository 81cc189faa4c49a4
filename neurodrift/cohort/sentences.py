"""The answers of a cohort as a lab says them, and what became of each when something was held."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from neurodrift.cohort.fate import Fate, fate
from neurodrift.cohort.pool import answers_of
from neurodrift.report.words import (
    factor_of,
    in_sentence,
    number,
    p_value,
    percent,
    plain,
    plural,
    unit_of,
)
from neurodrift.schema.words import listing

_WIDE = 1.5
_TIMES = {
    "day": ("a day", "over {} days"),
    "experience": ("a minute", "over {} min"),
    "training_step": ("a step", "over {} steps"),
    "session_number": ("a session", "over {} sessions"),
    "fraction": ("over the whole way", ""),
}

_ALONG = {
    "day": "the days",
    "experience": "experience",
    "training_step": "training",
    "session_number": "the sessions",
    "fraction": "time",
}
_HELD = {
    "running_speed": "running speed is held",
    "events_per_unit": "events per cell are held",
    "running_time": "running time is held",
    "tracked_time": "the length of sessions is held",
}
_ORDER: tuple[Fate, ...] = ("vanishes", "turns round", "undecided", "appears", "stays", "none")
"""Fates in the order in which they are told."""

_BECAME = {
    "vanishes": "It vanishes",
    "turns round": "It turns round",
    "undecided": "Whether it stays is undecided",
    "appears": "It appears",
    "stays": "It stays",
}


def describe_answers(pooled: xr.DataTree) -> str:
    """The answers of a study in plain words, for people.

    Parameters
    ----------
    pooled
        Result of :func:`neurodrift.pool_animals`.

    Returns
    -------
    str
        For each question the answer as recorded with its unit and interval, what became of it on
        an equal footing, given each covariate and with one slope for all, and then the cautions.

    Raises
    ------
    TypeError
        If it is no result of :func:`neurodrift.pool_animals`.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift import describe_answers, pool_animals, testing
    >>> day = np.arange(5.0)
    >>> mice = [
    ...     testing.results_of(
    ...         {"day": day, "information": 1 + (0.1 + 0.01 * i) * day}, subject=f"m{i}"
    ...     )
    ...     for i in range(5)
    ... ]
    >>> text = describe_answers(pool_animals(mice, questions=["information ~ day"]))
    >>> text.splitlines()[0].split(" (")[0]
    'Spatial information of place cells rises by 0.12 bit/event a day'
    """
    answers = answers_of(pooled)
    lines = []
    for question in answers["question"].values:
        lines += [" ".join(answer_sentences(pooled, str(question))), ""]
    if bool(answers["few_degrees"].sel(variant="raw").any()):
        lines.append(
            "† Fewer than 4 degrees of freedom: take an effect as one to confirm in more animals, "
            "and undecided not as a sign of none; go by the interval."
        )
    notes = json.loads(pooled.attrs.get("notes", "[]"))
    return "\n".join([*lines, *(note["text"] for note in notes)]).strip()


def answer_sentences(pooled: xr.DataTree, question: str) -> list[str]:
    """The answer to one question in plain words.

    Parameters
    ----------
    pooled
        Result of :func:`neurodrift.pool_animals`.
    question
        The question.

    Returns
    -------
    list of str
        The answer as recorded, the animals, the groups, and a sentence for each other variant.
    """
    return [*recorded_sentences(pooled, question), *fate_sentences(pooled, question)]


def recorded_sentences(pooled: xr.DataTree, question: str) -> list[str]:
    """What a cohort shows as recorded.

    Parameters
    ----------
    pooled
        Result of :func:`neurodrift.pool_animals`.
    question
        The question.

    Returns
    -------
    list of str
        The answer with its interval, in how many animals it has the same sign, and the groups.
    """
    raw = answers_of(pooled).sel(question=question, variant="raw")
    said = [_main(raw, percent(float(pooled.attrs["level"])))]
    if raw["verdict"].item() == "not testable" or _is_constant(raw):
        return said
    return [*said, *_animals(raw), *_groups(pooled, raw, question)]


def fate_sentences(pooled: xr.DataTree, question: str) -> list[str]:
    """What became of an answer on an equal footing, and when something was held.

    Parameters
    ----------
    pooled
        Result of :func:`neurodrift.pool_animals`.
    question
        The question.

    Returns
    -------
    list of str
        A sentence for each fate, none where there is no answer as recorded.
    """
    level = percent(float(pooled.attrs["level"]))
    answers = answers_of(pooled).sel(question=question)
    raw = answers.sel(variant="raw")
    if raw["verdict"].item() == "not testable" or _is_constant(raw):
        return []
    said: list[str] = []
    others = [str(variant) for variant in answers["variant"].values if variant != "raw"]
    became = {variant: fate(pooled, question, variant) for variant in others}
    for one in _ORDER:
        own = [answers.sel(variant=v) for v in others if became[v] == one]
        if one == "none" and own:
            said.append(_not_found(own))
        elif own:
            said.append(f"{_BECAME[one]} {listing([_other(row, one, level) for row in own])}.")
    for variant in others:
        if became[variant] == "not testable":
            said += _untold(answers.sel(variant=variant))
    return said


def _main(raw: xr.Dataset, level: str) -> str:
    """What the cohort shows as recorded."""
    subject = _subject(raw)
    verdict = raw["verdict"].item()
    if verdict == "not testable":
        return f"{subject}: cannot be tested, because {plain(raw['reason'].item())}."
    if np.isfinite(raw["f"].item()):
        f, above, below = (number(raw[n].item(), 3) for n in ("f", "dof_above", "dof"))
        does = "differs" if verdict == "differs" else "is not found to differ"
        return (
            f"{subject} {does} between {raw['contrast'].item()} (Welch's F({above}, {below}) = {f},"
            f" {_p(raw)}; {_counts(raw)})."
        )
    if _is_constant(raw):
        return f"{subject} is the same throughout ({_counts(raw)})."
    behind = f"({_numbers(raw, level)}; {_counts(raw)}){_whole(raw)}"
    if verdict in ("rises", "falls"):
        return f"{subject} {_does(raw)} {_size(raw, abs(raw['estimate'].item()))} {behind}."
    seen = f"these {_who(raw)} would have shown {_size(raw, raw['detectable'].item())}"
    seen += f"{_relative_size(raw)} with a power of 80\u00a0%{_after_correction(raw)}"
    size = f"{_size(raw, raw['estimate'].item())} {behind}; {seen}."
    if verdict == "no change":
        return f"{subject} {_does_not(raw)} by as much as matters: {size}"
    return f"Whether {subject[:1].lower()}{subject[1:]} {_would(raw)} is undecided: {size}"


def _is_constant(raw: xr.Dataset) -> bool:
    """Whether nothing differs at all."""
    return bool(raw["estimate"].item() == 0 and raw["se"].item() == 0)


def _subject(row: xr.Dataset) -> str:
    """What is asked, as the subject of a sentence."""
    return subject_of(row["measure"].item(), row["kind"].item(), row["contrast"].item())


def subject_of(measure: str, kind: str, contrast: str = "") -> str:
    """What a question is about, as the subject of a sentence.

    Parameters
    ----------
    measure, kind
        Of the question.
    contrast
        What is compared, if anything.

    Returns
    -------
    str
        Such as ``The share of place cells``.
    """
    words = in_sentence(measure)
    if unit_of(measure).startswith("% of") and not words.startswith("time that"):
        words = f"the share of {words}"
    elif kind == "decay":
        words = f"the similarity of {words}"
    contrast, _, inner = contrast.partition("; ")
    if contrast and kind in ("slope", "decay"):
        words = f"the {'change' if kind == 'slope' else 'decay'} of {words}"
    if inner:
        words = f"the difference {inner} in {words}"
    return words[:1].upper() + words[1:]


def _does(row: xr.Dataset) -> str:
    """The verb of an effect that was found."""
    more = row["estimate"].item() > 0
    contrast = row["contrast"].item().partition("; ")[0]
    if contrast.startswith("per unit of"):
        return f"{'rises' if more else 'falls'} with {contrast.removeprefix('per unit of ')}, by"
    if contrast:
        b, a = contrast.split(" − ", 1)
        how = ("higher", "lower")
        if _is_decay(row) and ";" not in row["contrast"].item():
            how = ("slower", "faster")
        return f"is {how[not more]} in {b} than in {a}, by"
    if row["kind"].item() == "intervention":
        return f"is {'higher' if more else 'lower'} after the intervention than before, by"
    return "rises by" if more else "falls by"


def _does_not(row: xr.Dataset) -> str:
    """The verb of no effect."""
    return _would(row).replace("changes", "does not change").replace("differs", "does not differ")


def _would(row: xr.Dataset) -> str:
    """The verb of an effect that may be."""
    contrast = row["contrast"].item().partition("; ")[0]
    if contrast.startswith("per unit of"):
        return f"changes with {contrast.removeprefix('per unit of ')}"
    if contrast:
        b, a = contrast.split(" − ", 1)
        return f"differs between {a} and {b}"
    if row["kind"].item() == "intervention":
        return "changes with the intervention"
    return f"changes with {_ALONG[row['axis'].item()]}"


def _size(row: xr.Dataset, value: float) -> str:
    """An estimate with its unit; what rounding leaves of a zero is a zero."""
    if abs(value) < 1e-9 * (row["ci_high"].item() - row["ci_low"].item()):
        value = 0.0
    text = number(factor_of(row["measure"].item()) * value, 2)
    return " ".join(word for word in (text, estimate_unit(row)) if word)


def estimate_unit(row: xr.Dataset) -> str:
    """The unit of an answer in words, of fractions in percentage points.

    Parameters
    ----------
    row
        One answer of the node ``answers``.

    Returns
    -------
    str
        Such as ``bit/event a day``; may be empty.
    """
    measure = row["measure"].item()
    unit = "percentage points" if factor_of(measure) > 1 else unit_of(measure)
    words = ["" if unit in ("correlation", "correlation without noise") else unit]
    if row["kind"].item() in ("slope", "decay"):
        words.append(_TIMES[row["axis"].item()][0] + (" of lag" if _is_decay(row) else ""))
    contrast = row["contrast"].item().partition("; ")[0]
    if contrast.startswith("per unit of"):
        words.append(f"for each unit of {contrast.removeprefix('per unit of ')}")
    return " ".join(word for word in words if word)


def _is_decay(row: xr.Dataset) -> bool:
    return bool(row["kind"].item() == "decay")


def _numbers(row: xr.Dataset, level: str) -> str:
    """Interval and p."""
    factor = factor_of(row["measure"].item())
    low, high = (number(factor * row[name].item(), 2) for name in ("ci_low", "ci_high"))
    if not np.isfinite(row["ci_low"].item()):
        return plain(row["reason"].item()) or "no interval"
    return f"{level} CI {low} to {high}, {_p(row)}"


def _after_correction(row: xr.Dataset) -> str:
    """That the smallest effect is corrected as the verdict is, where that changes p."""
    p, p_holm = row["p"].item(), row["p_holm"].item()
    return " after the correction" if np.isfinite(p_holm) and p_holm != p else ""


def _p(row: xr.Dataset) -> str:
    """P, its correction, and a dagger where few degrees of freedom are behind it."""
    mark = "†" if bool(row["few_degrees"].item()) else ""
    text = f"{p_value(row['p'].item())}{mark}"
    p_holm = row["p_holm"].item()
    if np.isfinite(p_holm) and p_holm != row["p"].item():
        text += f", corrected for the questions {p_value(p_holm)}"
    return text


def _counts(row: xr.Dataset) -> str:
    animals, recordings = row["n_animals"].item(), row["n_recordings"].item()
    text = plural(animals, "animal")
    if recordings != animals:
        text += f", {plural(recordings, 'recording')}"
    return f"{text}, within one animal" if row["basis"].item() == "within one animal" else text


def _who(row: xr.Dataset) -> str:
    animals = row["n_animals"].item()
    return plural(animals, "animal") if animals > 1 else "sessions"


def _whole(row: xr.Dataset) -> str:
    """The change over the span, relative to the mean."""
    relative, low, high = (row[f"relative{end}"].item() for end in ("", "_ci_low", "_ci_high"))
    if not np.isfinite(relative):
        return ""
    over = _over(row)
    ends = f" ({percent(low)} to {percent(high)})" if np.isfinite(low) else ""
    return f"{', ' + over if over else ''}, {percent(relative)} of the mean{ends}"


def _over(row: xr.Dataset) -> str:
    if row["kind"].item() not in ("slope", "decay") or "per unit" in row["contrast"].item():
        return ""
    words = _TIMES[row["axis"].item()][1]
    return words.format(number(row["span"].item())) if words else ""


def _relative_size(row: xr.Dataset) -> str:
    """What would have been found, relative to the mean."""
    mean = row["mean_level"].item()
    if not mean:
        return ""
    size = row["detectable"].item() * row["span"].item() / abs(mean)
    over = _over(row)
    return f" ({percent(size)} of the mean{' ' + over if over else ''})"


def _animals(raw: xr.Dataset) -> list[str]:
    """In how many animals the sign is that of the cohort, and what one of them makes."""
    same, n = raw["n_same_sign"].item(), raw["n_animals"].item()
    said = []
    if np.isfinite(same) and n > 1:
        if same == n:
            which = "both" if n == 2 else f"all {number(n)}"
        else:
            which = f"{number(same)} of {number(n)}"
        said.append(f"The sign is the same in {which} animals.")
    if raw["carried_by"].item() and raw["verdict"].item() in ("rises", "falls"):
        said.append(
            f"{raw['carried_by'].item()} carries it: less than half is left without that animal."
        )
    return said


def _groups(pooled: xr.DataTree, raw: xr.Dataset, question: str) -> list[str]:
    """The groups one by one, and pairs that differ."""
    table = pooled["groups"].to_dataset()
    own = (table["group_question"] == question) & (table["group_variant"] == "raw")
    table = table.isel(group=np.flatnonzero(own.values))
    factor = factor_of(raw["measure"].item())
    alone = table.isel(group=np.flatnonzero(table["group_other"].values == ""))
    said = []
    if alone.sizes["group"]:
        words = [
            f"{row['group_name'].item()} {number(factor * row['estimate'].item(), 2)} "
            f"({number(factor * row['ci_low'].item(), 2)} to "
            f"{number(factor * row['ci_high'].item(), 2)}, "
            f"{plural(row['n_animals'].item(), 'animal')})"
            for row in (alone.isel(group=i) for i in range(alone.sizes["group"]))
        ]
        said.append(f"By group: {listing(words)}.")
    alpha = 1 - float(pooled.attrs["level"])
    pairs = []
    for i in np.flatnonzero((table["group_other"].values != "") & (table["p_holm"].values < alpha)):
        row = table.isel(group=i)
        names = f"{row['group_name'].item()} from {row['group_other'].item()}"
        pairs.append(f"{names} ({p_value(row['p_holm'].item())})")
    if pairs:
        said.append(f"Apart are {listing(pairs)}.")
    return said


def _how(variant: str) -> str:
    if variant == "matched":
        return "on an equal footing"
    if variant == "mixed":
        return "with one slope assumed for all"
    if variant == "given all":
        return "when all of these are held"
    name = variant.removeprefix("given ")
    return f"when {_HELD.get(name, f'{in_sentence(name)} is held')}"


def _untold(own: xr.Dataset) -> list[str]:
    """Why there is no answer under a variant, where that is worth a sentence."""
    reason, variant = plain(own["reason"].item()), str(own["variant"].item())
    if variant == "mixed" or reason == "it was not put on an equal footing":
        return []
    return [f"It cannot be tested {_how(variant)}, because {reason}."]


def _not_found(rows: list[xr.Dataset]) -> str:
    """Variants that show as little as what was recorded."""
    where = listing([_how(str(row["variant"].item())) for row in rows])
    p = [row["p_holm"].item() for row in rows if np.isfinite(row["p_holm"].item())]
    more = " or more" if p and max(p) > min(p) else ""
    how = "corrected " if any(row["p_holm"].item() != row["p"].item() for row in rows) else ""
    least = f" ({how}{p_value(min(p))}{more})" if p else ""
    return f"It is not found either {where}{least}."


def _other(own: xr.Dataset, became: Fate, level: str) -> str:
    """The answer under one variant."""
    variant = str(own["variant"].item())
    if np.isfinite(own["f"].item()):
        return f"{_how(variant)} ({p_value(own['p_holm'].item())})"
    factor = factor_of(own["measure"].item())
    low, high = (number(factor * own[name].item(), 2) for name in ("ci_low", "ci_high"))
    told = f"{number(factor * own['estimate'].item(), 2)}, {level} CI {low} to {high}"
    p, p_holm = own["p"].item(), own["p_holm"].item()
    if np.isfinite(p_holm):
        told += f", {'corrected ' if p_holm != p else ''}{p_value(p_holm)}"
    if own["widening"].item() > _WIDE:
        told += f"; the interval is {number(own['widening'].item(), 2)} times as wide"
    if became == "undecided":
        seen = _size(own, own["detectable"].item())
        told += f"; these {_who(own)} would have shown {seen} with a power of 80\u00a0%"
    return f"{_how(variant)} ({told})"
