"""What a reader of a study should know before its answers are believed."""

from __future__ import annotations

import json
from dataclasses import dataclass

from neurodrift.report.words import plain_text, plural
from neurodrift.schema.words import listing
from neurodrift.studies.report.view import StudyView

_TITLES = {
    "few-animals": "Few animals",
    "one-animal": "One animal carries an effect",
    "registration": "The registration is in doubt",
    "wrong-matches": "Wrong matches could make part of the drift",
    "few-wrong-matches": "Wrong matches could make little of the drift",
    "unknown-matches": "Not known what wrong matches make of the drift",
    "groups-registration": "Registration differs between groups",
    "collinear": "A covariate goes along with time",
    "left-out": "Recordings left out of some questions",
}


_NOTES = ("left-out", "few-wrong-matches")


@dataclass(frozen=True)
class Care:
    """One caution.

    Parameters
    ----------
    code, level, title, text
        Of what kind, how grave (``serious``, ``care``, ``note``), and what it says.
    """

    code: str
    level: str
    title: str
    text: str


def study_cautions(view: StudyView) -> list[Care]:
    """Cautions of the cohort, recordings that failed, warnings of analyses, files passed over.

    Parameters
    ----------
    view
        The study.

    Returns
    -------
    list of Care
        The gravest first.
    """
    attrs = view.tree.attrs
    found = [
        Care("failed", "serious", f"{name} failed and was left out", text)
        for name, text in json.loads(attrs.get("failed", "{}")).items()
    ]
    for note in json.loads(attrs.get("notes", "[]")):
        code = str(note["code"])
        level = "note" if code in _NOTES else "care"
        found.append(Care(code, level, _title(code), _upper(plain_text(str(note["text"])))))
    warned: dict[str, list[str]] = {}
    for name, text in zip(view.recordings["recording"], view.recordings["warnings"], strict=True):
        if text:
            warned.setdefault(str(text), []).append(str(name))
    for text, names in warned.items():
        told = names if len(names) < 4 else [plural(len(names), "recording")]
        found.append(Care("warned", "note", f"A warning of the analysis of {listing(told)}", text))
    found += [
        Care("files", "note", "A file was passed over", str(text))
        for text in json.loads(attrs.get("notes_of_files", "[]"))
    ]
    if view.outdated:
        found.append(Care("multiverse", "note", "A multiverse is not shown", _OUTDATED))
    return found


_OUTDATED = (
    "multiverse.zarr in this folder has other recordings, questions or options than the study has "
    "now. Run the command with --multiverse again: what did not change is not computed anew."
)


def _title(code: str) -> str:
    if code in _TITLES:
        return _TITLES[code]
    if code.startswith("groups-"):
        return f"Groups differ: {code.removeprefix('groups-').replace('_', ' ')}"
    return _upper(code.replace("-", ": ", 1).replace("_", " "))


def _upper(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
