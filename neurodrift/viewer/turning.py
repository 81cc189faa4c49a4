"""What is chosen: the cell, the session, the pair of sessions, and which cells are listed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neurodrift.schema.objects import expect_choice
from neurodrift.viewer.cells import Cells
from neurodrift.viewer.marks import Marks

FILTERS = ("all", "place cells", "not place cells", "left out", "kept")
"""Which cells are listed."""


class Turning:
    """The choices of somebody who looks through cells.

    Parameters
    ----------
    cells
        What there is to see.
    marks
        What is left out.
    """

    def __init__(self, cells: Cells, marks: Marks) -> None:
        self.cells, self.marks = cells, marks
        self.filter = "all"
        self.unit: int | None = 0 if cells.units else None
        self.session = 0
        self.pair = (0, min(1, len(cells.sessions) - 1))

    @property
    def filters(self) -> tuple[str, ...]:
        """Filters that can be told apart here."""
        known = self.cells.is_place_cell is not None
        return tuple(name for name in FILTERS if known or "place" not in name)

    def listed(self) -> list[int]:
        """Cells that pass the filter.

        Returns
        -------
        list of int
            Their positions.
        """
        place = self.cells.is_place_cell
        none = np.zeros(len(self.cells.units), dtype=bool)
        ever = none if place is None else np.asarray(place.any(axis=0))
        keep: dict[str, Callable[[int], bool]] = {
            "all": lambda i: True,
            "place cells": lambda i: bool(ever[i]),
            "not place cells": lambda i: not ever[i],
            "left out": self._is_marked,
            "kept": lambda i: not self._is_marked(i),
        }
        return [i for i in range(len(self.cells.units)) if keep[self.filter](i)]

    def _is_marked(self, unit: int) -> bool:
        label = self.cells.units[unit]
        return self.marks.is_left_out(label) or bool(self.marks.sessions_without(label))

    def choose_filter(self, name: str) -> None:
        """List other cells; the first of them is chosen where the chosen one is not among them.

        Parameters
        ----------
        name
            One of `filters`.

        Raises
        ------
        ValueError
            If there is no such filter.
        """
        expect_choice("filter", name, self.filters)
        self.filter = name
        listed = self.listed()
        if self.unit not in listed and listed:
            self.unit = listed[0]

    def step(self, by: int) -> None:
        """Turn to a later (+1) or an earlier (-1) cell of the list; stay at its ends.

        Parameters
        ----------
        by
            How many cells.
        """
        listed = self.listed()
        if not listed or self.unit is None:
            return
        if self.unit in listed:
            at = listed.index(self.unit) + by
        else:  # it has left the list, so the next one stands in its place
            after = sum(i < self.unit for i in listed)
            at = after + by - (by > 0)
        self.unit = listed[int(np.clip(at, 0, len(listed) - 1))]

    def step_session(self, by: int) -> None:
        """Turn to a later or an earlier session; stay at the ends.

        Parameters
        ----------
        by
            How many sessions.
        """
        self.session = int(np.clip(self.session + by, 0, len(self.cells.sessions) - 1))

    @property
    def label(self) -> str:
        """Label of the chosen cell; empty where there is none."""
        return "" if self.unit is None else self.cells.units[self.unit]

    @property
    def reason(self) -> str:
        """Why the chosen cell is left out; empty where it is not."""
        session = self.cells.sessions[self.session]
        found = self.marks.reason(self.label) or self.marks.reason(self.label, session)
        return found or ""

    def mark(self, reason: str = "") -> None:
        """Leave the chosen cell out everywhere, or take that back.

        Parameters
        ----------
        reason
            Why.
        """
        if self.unit is None:
            return
        if self.marks.is_left_out(self.label):
            self.marks.take_back(self.label)
        else:
            self.marks.put(self.label, reason=reason)

    def mark_session(self, reason: str = "") -> str:
        """Leave the chosen cell out of the chosen session alone, or take that back.

        Parameters
        ----------
        reason
            Why.

        Returns
        -------
        str
            Why nothing was done; empty where something was.
        """
        if self.unit is None:
            return "there is no cell"
        session = self.cells.sessions[self.session]
        if self.marks.is_left_out(self.label):
            return f"{self.label} is left out everywhere"
        if session in self.marks.sessions_without(self.label):
            self.marks.take_back(self.label, session=session)
        elif not self.cells.detected[self.session, self.unit]:
            return f"{self.label} was not detected in session {session}: nothing to leave out"
        else:
            self.marks.put(self.label, session=session, reason=reason)
        return ""

    def note(self, reason: str) -> None:
        """Give the mark of the chosen cell another reason, where it is marked.

        Parameters
        ----------
        reason
            Why.
        """
        session = self.cells.sessions[self.session]
        if self.marks.is_left_out(self.label):
            self.marks.put(self.label, reason=reason)
        elif session in self.marks.sessions_without(self.label):
            self.marks.put(self.label, session=session, reason=reason)
