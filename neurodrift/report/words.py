"""Numbers and names as a reader sees them."""

from __future__ import annotations

import math
import re

MEASURES = {
    "fraction_active_units": ("Active {cells}", "% of {cells}"),
    "active_fraction": ("Time that a {cell} is active", "% of time"),
    "fraction_place_cells": ("Place cells", "% of {cells}"),
    "fraction_place_of_active": ("Place cells among active {cells}", "% of active {cells}"),
    "fraction_informative_units": ("Informative {cells}", "% of detected {cells}"),
    "information_population": ("Spatial information of all {cells}", "bit/event"),
    "information_naive": ("Spatial information, uncorrected", "bit/event"),
    "information_ssr": ("Spatial information, scaled shuffle reduction", "bit/event"),
    "information_informative": ("Spatial information of informative {cells}", "bit/event"),
    "information_all": ("Spatial information, silent {cells} as 0", "bit/event"),
    "information": ("Spatial information of place cells", "bit/event"),
    "information_se": ("Standard error of spatial information", "bit/event"),
    "n_active": ("Number of active {cells}", "{cells}"),
    "loss": ("Loss", "loss as given"),
    "accuracy": ("Correct trials", "% of trials"),
    "running_speed": ("Running speed", "cm/s"),
    "events_per_unit": ("Events per {cell}", "events"),
    "running_time": ("Running time", "min"),
    "tracked_time": ("Length of sessions", "min"),
    "n_detected": ("Number of detected {cells}", "{cells}"),
    "rate_map_correlation": ("Rate maps", "correlation"),
    "population_vector_correlation": ("Population vectors", "correlation"),
    "ensemble_rate_correlation": ("Mean activities of the {cells}", "correlation"),
    "cell_overlap": ("Overlap of detected {cells}", "Jaccard index"),
    "active_cell_overlap": ("Overlap of active {cells}", "Jaccard index"),
    "place_cell_overlap": ("Overlap of place cells", "Jaccard index"),
    "rate_map_correlation_median": ("Rate maps, median", "correlation"),
    "population_vector_correlation_union": (
        "Vectors, undetected as silent",
        "correlation",
    ),
    "rate_map_correlation_relative": ("Rate maps without noise", "correlation without noise"),
    "population_vector_correlation_relative": (
        "Population vectors without noise",
        "correlation without noise",
    ),
    "place_cell_overlap_relative": ("Place-cell overlap, misses removed", "ratio"),
    "active_cell_overlap_relative": ("Active-{cell} overlap, misses removed", "ratio"),
    "ensemble_rate_correlation_relative": (
        "Mean activities without noise",
        "correlation without noise",
    ),
    "rate_map_correlation_null": ("Rate maps, {cells} shuffled", "correlation"),
    "representation": ("Representation", "rate of change"),
}
"""Title and unit of a measure; ``{cells}`` are units where nothing was alive."""

_IDENTIFIER = re.compile(r"(?<![\w/.:-])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w/-]|\.\w)")


def title_of(name: str, noun: str = "cell") -> str:
    """Title of a measure; its name in plain words where the table has none.

    Parameters
    ----------
    name
        Name of a measure.
    noun
        What a unit is called: ``cell``, or ``unit`` of a network.

    Returns
    -------
    str
        The title, with an upper-case letter first.
    """
    if name.endswith("_matched"):
        return f"{title_of(name.removesuffix('_matched'), noun)}, on an equal footing"
    title = MEASURES[name][0] if name in MEASURES else plain(name).capitalize()
    return title.replace("{cells}", f"{noun}s").replace("{cell}", noun)


def in_sentence(name: str, noun: str = "cell") -> str:
    """Title of a measure within a sentence: ``place cells``."""
    title = title_of(name, noun)
    return title[:1].lower() + title[1:]


def unit_of(name: str, noun: str = "cell") -> str:
    """Unit of a measure, empty where the table has none."""
    name = name.removesuffix("_matched")
    unit = MEASURES[name][1] if name in MEASURES else ""
    return unit.replace("{cells}", f"{noun}s").replace("{cell}", noun)


def factor_of(name: str) -> float:
    """What a measure is multiplied by to be in its unit: 100 for fractions."""
    return 100.0 if unit_of(name).startswith("%") else 1.0


def plain(name: str) -> str:
    """A name of the program as words: ``predictive_track`` is "predictive track"."""
    return name.replace("_", " ")


def plain_text(text: str) -> str:
    """A text without names of the program; addresses and paths are left as they are.

    Examples
    --------
    >>> from neurodrift.report.words import plain_text
    >>> plain_text("the null was circular_exact; see data/my_mouse.zarr")
    'the null was circular exact; see data/my_mouse.zarr'
    """
    return _IDENTIFIER.sub(lambda found: plain(found.group()), text)


def said_of(text: str, noun: str) -> str:
    """A text with cells where an animal was recorded, and true minus signs.

    Parameters
    ----------
    text
        Words that say "unit" whatever was recorded.
    noun
        What a unit is called: ``cell``, or ``unit`` of a network.

    Examples
    --------
    >>> from neurodrift.report.words import said_of
    >>> said_of("Units keep their maps: -0.2 a day of 24-unit blocks", "cell")
    'Cells keep their maps: −0.2 a day of 24-cell blocks'
    """
    if noun != "unit":
        text = _UNIT.sub(lambda found: f"{'C' if found[1] == 'U' else 'c'}ell{found[2]}", text)
    return _MINUS.sub("−", text)


_UNIT = re.compile(r"\b([Uu])nit(s?)\b")
_MINUS = re.compile(r"(?<![\w.)/-])-(?=\.?\d)")


def value_of(name: str, value: float) -> str:
    """A value of a measure with its unit: ``62 %``, ``1.42 bit/event``."""
    if factor_of(name) > 1:
        return percent(value)
    unit = "(as given)" if name == "loss" else unit_of(name)
    return f"{number(value)}\u00a0{unit}" if unit else number(value)


def number(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, a true minus, and no needless exponent.

    Parameters
    ----------
    value
        Any number.
    digits
        Significant digits.

    Returns
    -------
    str
        An en dash for NaN.
    """
    value = float(value)
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    if float(value).is_integer() and abs(value) < 1e9:
        return f"{value:,.0f}".replace(",", "\u202f").replace("-", "−")
    size = math.floor(math.log10(abs(value)))
    if -4 <= size < 6:
        text = f"{value:.{max(digits - 1 - size, 0)}f}"
        return text.replace("-", "−")
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    power = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa} × 10{power}".replace("-", "−")


def p_value(p: float) -> str:
    """``p = 0.012``, ``p < 0.001``, or nothing for NaN; it does not break over lines."""
    if math.isnan(p):
        return ""
    digits = 3 if p < 0.01 else 2
    text = "p < 0.001" if p < 0.001 else f"p = {p:.{digits}f}"
    return text.replace(" ", "\u00a0")


def percent(value: float) -> str:
    """A fraction in per cent, without decimals from 10 % up."""
    if math.isnan(value):
        return "–"
    if value == 0:
        return "0\u00a0%"
    digits = 0 if abs(value) >= 0.0995 else 1 if abs(value) >= 0.00995 else 2
    return f"{100 * value:.{digits}f}\u00a0%".replace("-", "−")


def plural(n: int, one: str, many: str | None = None) -> str:
    """``1 session``, ``8 sessions``."""
    return f"{number(n)} {one if n == 1 else many or one + 's'}"
