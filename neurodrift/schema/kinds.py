"""Kinds of activity: what one number is, and which statistics it allows.

One table says it for the analysis, its errors and the docs (``docs/kinds.md``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Statistic = Literal[
    "rate_maps",
    "information",
    "information_test",
    "variance_test",
    "stability",
    "events",
    "noise_free_tuning",
    "mutual_information",
]
"""What may be asked of activity."""


@dataclass(frozen=True)
class Kind:
    """A kind of activity.

    Parameters
    ----------
    name
        As in ``activity.attrs["kind"]``.
    unit
        Of one number.
    meaning
        What one number is.
    counts
        Whether it is a whole number of events.
    adds_up
        Whether it is an amount that adds up within a frame, so that maps divide it by time;
        otherwise it is a level, and maps are means over time.
    signed
        Whether it may be negative.
    statistics
        What may be asked of it.
    """

    name: str
    unit: str
    meaning: str
    counts: bool
    adds_up: bool
    signed: bool
    statistics: tuple[Statistic, ...]


_AMOUNT: tuple[Statistic, ...] = (
    "rate_maps",
    "information",
    "information_test",
    "stability",
    "events",
    "mutual_information",
)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("spikes", "count", "spikes in the frame", True, True, False, _AMOUNT),
        Kind("events", "count", "calcium events in the frame", True, True, False, _AMOUNT),
        Kind("amplitudes", "a.u.", "summed size of the events", False, True, False, _AMOUNT),
        Kind("deconvolved", "a.u.", "deconvolved activity", False, True, False, _AMOUNT),
        Kind(
            "fluorescence",
            "a.u.",
            "fluorescence: raw F, dF/F or a denoised trace",
            False,
            False,
            True,
            ("rate_maps", "variance_test", "stability", "mutual_information"),
        ),
        Kind(
            "activation",
            "a.u.",
            "noise-free function of the input: a hidden unit of a network",
            False,
            False,
            False,
            (
                "rate_maps",
                "information",
                "information_test",
                "noise_free_tuning",
                "stability",
                "events",
                "mutual_information",
            ),
        ),
    )
}
"""Kinds of activity by name."""

ACTIVITY_KINDS = {name: kind.unit for name, kind in KINDS.items()}
"""What one number of ``activity`` is, and its unit. ``spikes`` and ``events`` are counts."""

COUNT_KINDS = tuple(name for name, kind in KINDS.items() if kind.counts)

LEVEL_KINDS = tuple(name for name, kind in KINDS.items() if not kind.adds_up)
"""Kinds that are levels: their maps are means over time, not amounts per second."""

_INSTEAD = {
    "information": (
        "bits per event need events: use neurodrift.compute_mutual_information, or detect events "
        "in the trace first (docs/kinds.md) and import these"
    ),
    "information_test": "use the shuffle test of the variance that position explains",
    "events": (
        "a trace has no events to count: detect events in it first (docs/kinds.md), or use "
        "deconvolved activity"
    ),
    "noise_free_tuning": "noisy activity is tested by shuffles: neurodrift.detect_place_cells",
    "variance_test": "its place cells are tested by spatial information",
}


def allows(recording: Any, statistic: Statistic) -> bool:
    """Whether the activity of a recording allows a statistic.

    Parameters
    ----------
    recording
        A recording.
    statistic
        What is asked of it.

    Returns
    -------
    bool
        What :data:`KINDS` says.
    """
    return statistic in KINDS[recording["activity"].attrs["kind"]].statistics


def expect_kind(recording: Any, statistic: Statistic, what: str) -> None:
    """Refuse activity that does not allow a statistic.

    Parameters
    ----------
    recording
        A recording.
    statistic
        What is asked of it.
    what
        The quantity, as a lab calls it, for the error.

    Raises
    ------
    ValueError
        If the kind of activity does not allow it; it says what does.
    """
    expect_kind_of(recording["activity"].attrs["kind"], statistic, what)


def expect_kind_of(name: str | None, statistic: Statistic, what: str) -> None:
    """The same by the name of the kind, as results keep it (``activity_kind``).

    Parameters
    ----------
    name
        Of the kind; nothing is refused where it is not known.
    statistic, what
        As for :func:`expect_kind`.

    Raises
    ------
    ValueError
        If the kind of activity does not allow it; it says what does.
    """
    kind = KINDS.get(name or "")
    if kind is not None and statistic not in kind.statistics:
        raise ValueError(
            f"{what} is not defined for activity of kind {kind.name!r} ({kind.meaning}): "
            f"{_INSTEAD[statistic]}"
        )
