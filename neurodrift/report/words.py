"""Numbers and names as a reader sees them."""

from __future__ import annotations

import math

MEASURES = {
    "fraction_active_units": ("Active units", "% of units"),
    "active_fraction": ("Active fraction", "% of units and frames"),
    "fraction_place_cells": ("Place cells", "% of units"),
    "fraction_place_of_active": ("Place cells among active", "% of active units"),
    "fraction_informative_units": ("Informative units", "% of detected units"),
    "information_population": ("Information, all maps", "bit/event"),
    "information_naive": ("Information, uncorrected", "bit/event"),
    "information_ssr": ("Information, SSR of chosen maps", "bit/event"),
    "information_informative": ("Information, informative units", "bit/event"),
    "information_all": ("Information, all units", "bit/event"),
    "information": ("Information", "bit/event"),
    "n_active": ("Units active", "units"),
    "loss": ("Loss", "normalised loss"),
    "running_speed": ("Running speed", "cm/s"),
    "n_detected": ("Units detected", "units"),
    "rate_map_correlation": ("Rate maps", "correlation"),
    "population_vector_correlation": ("Population vectors", "correlation"),
    "ensemble_rate_correlation": ("Ensemble rates", "correlation"),
    "cell_overlap": ("Overlap of detected units", "Jaccard index"),
    "active_cell_overlap": ("Overlap of active units", "Jaccard index"),
    "place_cell_overlap": ("Overlap of place cells", "Jaccard index"),
    "rate_map_correlation_median": ("Rate maps, median", "correlation"),
    "population_vector_correlation_union": (
        "Vectors, undetected as silent",
        "correlation",
    ),
    "rate_map_correlation_relative": ("Rate maps without noise", "ratio"),
    "population_vector_correlation_relative": ("Population vectors without noise", "ratio"),
    "place_cell_overlap_relative": ("Place-cell overlap without misses", "ratio"),
    "active_cell_overlap_relative": ("Active-cell overlap without misses", "ratio"),
    "ensemble_rate_correlation_relative": ("Ensemble rates without noise", "ratio"),
    "rate_map_correlation_null": ("Rate maps, units shuffled", "correlation"),
    "representation": ("Representation", "rate of change"),
}
"""Title and unit of a measure."""


def title_of(name: str) -> str:
    """Title of a measure; its name in plain words where the table has none."""
    if name.endswith("_matched"):
        return f"{title_of(name.removesuffix('_matched'))}, on an equal footing"
    return MEASURES[name][0] if name in MEASURES else name.replace("_", " ").capitalize()


def in_sentence(name: str) -> str:
    """Title of a measure within a sentence: ``information, BAE``."""
    title = title_of(name)
    return title[:1].lower() + title[1:]


def unit_of(name: str) -> str:
    """Unit of a measure, empty where the table has none."""
    name = name.removesuffix("_matched")
    return MEASURES[name][1] if name in MEASURES else ""


def factor_of(name: str) -> float:
    """What a measure is multiplied by to be in its unit: 100 for fractions."""
    return 100.0 if unit_of(name).startswith("%") else 1.0


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
    digits = 0 if abs(value) >= 0.0995 else 1 if abs(value) >= 0.00995 else 2
    return f"{100 * value:.{digits}f}\u00a0%".replace("-", "−")


def plural(n: int, one: str, many: str | None = None) -> str:
    """``1 session``, ``8 sessions``."""
    return f"{number(n)} {one if n == 1 else many or one + 's'}"


def listing(words: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
