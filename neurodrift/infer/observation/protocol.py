"""How a lab sees a population: how many cells and events, when, and with which losses."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from neurodrift.infer.observation.counts import Observed
from neurodrift.infer.observation.recording import observed_of
from neurodrift.infer.observation.results import counts_of_maps
from neurodrift.schema.objects import expect_type

EVENTS = (100.0, 300.0)
"""Events of a cell in a session where nothing is said: the range of good calcium recordings."""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What of a population reaches the analysis.

    Parameters
    ----------
    name
        A short name.
    n_cells
        Cells that are seen, of those that are ever active; all of them when omitted.
    events_per_cell
        Lowest and highest mean number of events of a cell in a session, over all cells and
        sessions; each network gets one between them, drawn on a logarithmic scale. How the events
        are spread over the cells is the network's own doing: it is one of the statistics.
    days
        Times of the sessions; any times when omitted.
    seconds
        Time in each half of each session (half, session) [s]; even when omitted.
    occupancy
        Share of the time along the track, in bins of equal length; even when omitted.
    detection
        What is seen of each cell, a text of 0 and 1 by session. A cell of a network draws one of
        them. All is seen when omitted.
    lost_matches
        Share of cells that registration loses in each session after the first, beside `detection`.
    wrong_matches
        Share of cells that registration exchanges with others in each session after the first.
    n_conditions
        Bins or conditions that the lab has. A network keeps its own inputs.
    noise_free
        Whether every unit is seen as it is, see :meth:`full`.

    Raises
    ------
    ValueError
        If a value is impossible; all faults are listed.

    Examples
    --------
    >>> from neurodrift.infer.observation.protocol import Observation
    >>> seen = Observation(name="mouse", n_cells=200, events_per_cell=(8, 30))
    >>> Observation.from_json(seen.to_json()) == seen
    True
    """

    name: str = "observation"
    n_cells: int | None = None
    events_per_cell: tuple[float, float] = EVENTS
    days: tuple[float, ...] = ()
    seconds: tuple[tuple[float, ...], ...] = ()
    occupancy: tuple[float, ...] = ()
    detection: tuple[str, ...] = ()
    lost_matches: float = 0.0
    wrong_matches: float = 0.0
    n_conditions: int | None = None
    noise_free: bool = False

    def __post_init__(self) -> None:
        for name in ("events_per_cell", "days", "occupancy"):
            object.__setattr__(self, name, tuple(float(v) for v in getattr(self, name)))
        object.__setattr__(self, "seconds", tuple(tuple(map(float, row)) for row in self.seconds))
        object.__setattr__(self, "detection", tuple(map(str, self.detection)))
        faults = _faults(self)
        if faults:
            raise ValueError(f"not an observation ({self.name!r}): " + "; ".join(faults))

    @classmethod
    def full(cls) -> Observation:
        """Every unit, without noise, as the network is.

        Returns
        -------
        Observation
            Named ``full``.
        """
        return cls(name="full", noise_free=True)

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Observation:
        """An observation of plain values, as in a YAML file.

        Parameters
        ----------
        values
            By the names of the parameters.

        Returns
        -------
        Observation
            It.

        Raises
        ------
        ValueError
            If a name is unknown or a value impossible.
        """
        expect_type("observation", values, Mapping, "a mapping such as {n_cells: 200}")
        known = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ValueError(
                f"an observation has no {', '.join(unknown)}; expected some of {', '.join(known)}"
            )
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(f"not an observation: {error}") from error

    @classmethod
    def from_json(cls, text: str) -> Observation:
        """The observation that :meth:`to_json` wrote.

        Parameters
        ----------
        text
            JSON.

        Returns
        -------
        Observation
            It.
        """
        return cls.from_values(json.loads(text))

    def to_json(self) -> str:
        """All of it in JSON.

        Returns
        -------
        str
            What is as it is when nothing is said is left out.
        """
        plain = {field.name: field.default for field in dataclasses.fields(self)}
        values = dataclasses.asdict(self)
        return json.dumps({n: v for n, v in values.items() if n == "name" or v != plain[n]})


def observation_of(source: Observed | xr.Dataset | xr.DataTree, name: str = "") -> Observation:
    """How a recording was seen: what a network is seen by, to be compared with it.

    Parameters
    ----------
    source
        A recording, the results of one, or what was observed in it.
    name
        A short name; the subject's when omitted.

    Returns
    -------
    Observation
        Cells, mean events of a cell and session, days, seconds of the halves, occupancy along the
        track, and the pattern of detection of every cell. Wrong and lost matches cannot be read
        from a recording: give them with :func:`dataclasses.replace`.

    Raises
    ------
    ValueError
        If no cell was detected, or none had an event.

    Notes
    -----
    Results of ``analyze`` hold the time of whole sessions; their halves are taken to be equal. A
    recording has its own halves. A cell that never had an event is not among the cells: a network's
    cells are drawn from those that are ever active.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.infer.observation.protocol import observation_of
    >>> from neurodrift.infer.observation.counts import Observed
    >>> seen = Observed(
    ...     events=np.full((2, 3, 4, 5), 2.0), seconds=np.ones((2, 3, 5)),
    ...     detected=np.ones((3, 4), bool), day=np.arange(3.0), segment=np.zeros(5, int),
    ... )
    >>> observation_of(seen).events_per_cell
    (20.0, 20.0)
    """
    if not isinstance(source, Observed):
        name = name or _subject(source)
        source = counts_of_maps(source) if isinstance(source, xr.DataTree) else observed_of(source)
    events = np.nansum(source.events, axis=(0, 3))  # session, unit
    ever = (events * source.detected).sum(axis=0) > 0
    if not ever.any():
        raise ValueError("no cell was detected with an event: there is nothing to see a network by")
    detected = source.detected[:, ever]
    mean = float(events[:, ever][detected].mean())
    whole = bool(detected.all())
    patterns = ("".join("1" if seen else "0" for seen in cell) for cell in detected.T)
    return Observation(
        name=name or "recording",
        n_cells=int(ever.sum()),
        events_per_cell=(mean, mean),
        days=tuple(source.day.tolist()),
        seconds=tuple(map(tuple, np.nansum(source.seconds, axis=2).tolist())),
        occupancy=_occupancy(source),
        detection=() if whole else tuple(patterns),
        n_conditions=int(source.segment.size),
        noise_free=False,
    )


def _subject(source: xr.Dataset | xr.DataTree) -> str:
    """Name of the animal of a recording or of results, empty without one."""
    if "subject" in source.coords:
        return str(source["subject"].values)
    return str(source.attrs.get("subject", ""))


def _occupancy(source: Observed) -> tuple[float, ...]:
    """Share of the time along the track, all directions together; none without an order."""
    if source.geometry == "none":
        return ()
    time = np.nansum(source.seconds, axis=(0, 1))
    parts = [time[source.segment == one] for one in np.unique(source.segment)]
    n = max(part.size for part in parts)
    total = np.zeros(n)
    for part in parts:
        total += spread(part, n)
    return tuple((total / total.sum()).tolist()) if total.sum() > 0 else ()


def spread(share: np.ndarray, n: int) -> np.ndarray:
    """A profile along a track in another number of bins.

    Parameters
    ----------
    share
        (bin) values of bins of equal length.
    n
        Number of bins wanted.

    Returns
    -------
    numpy.ndarray
        (n) values, the same in sum.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.infer.observation.protocol import spread
    >>> spread(np.array([1.0, 3.0]), 4).tolist()
    [0.5, 0.5, 1.5, 1.5]
    """
    whole = np.concatenate([[0.0], np.cumsum(share)])
    ends = np.interp(np.linspace(0, 1, n + 1), np.linspace(0, 1, share.size + 1), whole)
    return np.diff(ends)


def _faults(seen: Observation) -> list[str]:
    faults = []
    for name, least in (("n_cells", 1), ("n_conditions", 1)):
        value = getattr(seen, name)
        if value is not None and (not isinstance(value, int) or value < least or value is True):
            faults.append(f"{name} is {value!r}, expected a whole number of at least {least}")
    ends = seen.events_per_cell
    if len(ends) != 2 or not (0 < ends[0] <= ends[1] < math.inf):
        faults.append(f"events_per_cell are {ends}, expected [lowest, highest] above 0")
    for name in ("lost_matches", "wrong_matches"):
        if not 0 <= getattr(seen, name) < 1:
            faults.append(f"{name} is {getattr(seen, name)!r}, expected a share from 0 to below 1")
    if any(later <= earlier for earlier, later in zip(seen.days, seen.days[1:], strict=False)):
        faults.append(f"days are {list(seen.days)}, expected increasing times")
    if any(not 0 <= share < math.inf for share in seen.occupancy) or (
        seen.occupancy and not sum(seen.occupancy) > 0
    ):
        faults.append("occupancy has impossible shares, expected numbers of at least 0")
    lengths = {len(row) for row in seen.seconds} | {len(text) for text in seen.detection}
    lengths |= {len(seen.days)} if seen.days else set()
    if len(lengths) > 1 or (seen.seconds and len(seen.seconds) != 2):
        faults.append(
            f"days, seconds (two halves) and detection are of {sorted(lengths)} sessions, expected "
            "one number of them"
        )
    if any(set(text) - {"0", "1"} for text in seen.detection):
        faults.append("detection has other letters than 0 and 1")
    if any(not value > 0 for row in seen.seconds for value in row):
        faults.append("seconds are not all above 0")
    return faults
