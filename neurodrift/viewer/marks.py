"""What a person marks to be left out, and the curation file that it is kept in."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from neurodrift.curation import Curation, Entry, curation_text, read_curation
from neurodrift.io.output import whole

HEADER = "# Marked with neurodrift view"
"""First words of a file that was saved here."""

REASON = "left out by eye"
"""Reason of a mark without a note."""


class Marks:
    """Units, and units in single sessions, that are left out, with the reason of each.

    Parameters
    ----------
    path
        Curation file, YAML. One that was saved here is gone on with.
    of
        What is looked at, for the reader of the file.
    by
        Who decides; the name stands with every new mark.
    overwrite
        Whether to go on with a file that was written otherwise, whose comments are then lost. What
        it leaves out stays in it.

    Raises
    ------
    FileExistsError
        If the file exists, was not saved here, and may not be replaced.
    ValueError
        If it is no YAML by its name, or no curation.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from neurodrift.curation import read_curation
    >>> from neurodrift.viewer.marks import Marks
    >>> marks = Marks(Path(tempfile.mkdtemp()) / "curation.yaml", of="mouse.zarr")
    >>> marks.put("12", reason="dendrite of 7")
    >>> marks.put("3", session="2")
    >>> [entry.what for entry in read_curation(marks.save()).entries]
    ['unit 12', 'unit 3 in session 2']
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        of: str,
        by: str | None = None,
        overwrite: bool = False,
    ) -> None:
        self.path = Path(path)
        self.of, self.by = of, by
        if self.path.suffix.lower() not in (".yaml", ".yml"):
            raise ValueError(f"{self.path}: marks are saved as .yaml")
        self._marks: dict[tuple[str, str | None], Entry] = {}
        self._others: list[Entry] = []
        if os.path.lexists(self.path):
            if not overwrite and not is_ours(self.path):
                raise FileExistsError(
                    f"{self.path} exists and was not saved by neurodrift view: choose another name "
                    "(--curation), or go on with it (--overwrite), which keeps what it leaves out "
                    "and loses its comments"
                )
            for entry in () if _is_empty(self.path) else read_curation(self.path).entries:
                if entry.unit is None:
                    self._others.append(entry)
                else:
                    self._marks[entry.unit, entry.session] = entry
        self._stamp = _stamp(self.path)
        self._saved = self._state()

    def put(self, unit: str, *, session: str | None = None, reason: str = "") -> None:
        """Mark a unit, or give its mark another reason.

        Parameters
        ----------
        unit
            Its label.
        session
            Label of the session in which it counts as not detected; everywhere when omitted.
        reason
            Why.
        """
        if session is None:  # everywhere includes each session
            for key in [key for key in self._marks if key[0] == unit and key[1] is not None]:
                del self._marks[key]
        elif (unit, None) in self._marks:
            return
        before = self._marks.get((unit, session))
        why = "".join(c for c in " ".join(reason.split()) if c.isprintable()) or REASON
        by = self.by if before is None else before.by
        self._marks[unit, session] = Entry(unit=unit, session=session, reason=why, by=by)

    def take_back(self, unit: str, *, session: str | None = None) -> None:
        """Take a mark back, where there is one.

        Parameters
        ----------
        unit, session
            As for `put`.
        """
        self._marks.pop((unit, session), None)

    def reason(self, unit: str, session: str | None = None) -> str | None:
        """Why a unit is left out everywhere, or in a session; None where it is not.

        Parameters
        ----------
        unit, session
            As for `put`.

        Returns
        -------
        str or None
            The reason.
        """
        entry = self._marks.get((unit, session))
        return None if entry is None else entry.reason

    def sessions_without(self, unit: str) -> list[str]:
        """Sessions in which alone a unit is left out.

        Parameters
        ----------
        unit
            Its label.

        Returns
        -------
        list of str
            Their labels.
        """
        return [str(session) for name, session in self._marks if name == unit and session]

    def is_left_out(self, unit: str) -> bool:
        """Whether a unit is left out everywhere.

        Parameters
        ----------
        unit
            Its label.

        Returns
        -------
        bool
            True where it is.
        """
        return (unit, None) in self._marks

    @property
    def n_units(self) -> int:
        """Units that are left out, everywhere or in some session."""
        return len({unit for unit, _ in self._marks})

    @property
    def unsaved(self) -> bool:
        """Whether something was changed since the file was read or saved."""
        return self._state() != self._saved

    def _state(self) -> frozenset[Entry]:
        return frozenset(replace(entry, line=None) for entry in self._marks.values())

    def save(self) -> Path:
        """Write all marks, beside the sessions and epochs that the file already left out.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        FileExistsError
            If another program has written the file since it was read.
        ValueError
            If nothing is marked and there is no file, or a reason is ``?``.
        """
        entries = (*self._marks.values(), *self._others)
        if not entries and self._stamp is None:
            raise ValueError("nothing is marked, so there is nothing to save")
        if _stamp(self.path) != self._stamp:
            raise FileExistsError(
                f"{self.path} was changed by another program and was kept: end the view and give "
                "its command again, which goes on with what stands there"
            )
        with whole(self.path, overwrite=True) as unfinished:
            text = curation_text(Curation(str(self.path), entries)) if entries else ""
            unfinished.write_text(f"{HEADER} of {self.of}\n{text}", encoding="utf-8")
        self._stamp, self._saved = _stamp(self.path), self._state()
        return self.path


def is_ours(path: Path) -> bool:
    """Whether a file was saved by the view.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    bool
        True where its first words say so.
    """
    with path.open("rb") as file:
        return file.read(len(HEADER)) == HEADER.encode()


def _is_empty(path: Path) -> bool:
    """Whether a file was saved here after all marks were taken back."""
    return is_ours(path) and len(path.read_text(encoding="utf-8").splitlines()) == 1


def _stamp(path: Path) -> tuple[int, int] | None:
    """What tells one state of a file from another; None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size
