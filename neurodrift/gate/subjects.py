"""Whether sessions that are joined are of one animal, where nothing says which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neurodrift.gate.findings import Finding

UNKNOWN = ("", "unknown", "none", "n/a", "na", "nan", "not known", "unnamed", "-")
"""Names of animals that name none, in any case of letters."""

_OF_ONE = ("species", "sex", "genotype", "strain", "date_of_birth")  # the same on every day


def known_subject(name: str | None) -> str:
    """Label of an animal, ``unknown`` for every way to say that it is not known.

    Parameters
    ----------
    name
        What a file calls it.

    Returns
    -------
    str
        The label.

    Examples
    --------
    >>> from neurodrift.gate.subjects import known_subject
    >>> known_subject("m1"), known_subject("N/A"), known_subject(None)
    ('m1', 'unknown', 'unknown')
    """
    text = (name or "").strip()
    return "unknown" if text.lower() in UNKNOWN else text


def subject_findings(
    sources: Sequence[str],
    subjects: Sequence[str],
    about: Sequence[Mapping[str, str]] = (),
) -> list[Finding]:
    """Whether sessions without the name of an animal may be of several.

    Parameters
    ----------
    sources
        What each session comes from, such as its file.
    subjects
        Label of the animal of each session.
    about
        What else each source says of its animal: species, sex, genotype, strain, date of birth.

    Returns
    -------
    list of Finding
        One that warns where several sources name no animal, and one that stops where what they
        say of it differs.
    """
    if len(set(sources)) < 2 or any(known_subject(name) != "unknown" for name in subjects):
        return []
    differ = []
    for key in _OF_ONE:
        told = [one[key] for one in about if known_subject(one.get(key)) not in ("unknown", "U")]
        values = list(dict.fromkeys(told))
        if len(values) > 1:
            differ.append(f"{key.replace('_', ' ')} {', '.join(values)}")
    n, rest = len(set(sources)), "give each its subject_id (subject), and join those of one animal"
    if differ:
        text = f"{n} sources name no animal, and are of several ({'; '.join(differ)}): {rest}"
        return [Finding("subject", text, True, True, numbers={"n": n})]
    text = (
        f"none of {n} sources says which animal it is of, and they are joined as if they were of "
        f"one; if they are not, units of different animals pass for the same: {rest}"
    )
    return [Finding("subject", text, warns=True, numbers={"n": n})]
