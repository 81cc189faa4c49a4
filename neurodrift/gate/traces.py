"""Whether what is called deconvolved activity is a trace of fluorescence, by values and by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from neurodrift.gate.findings import Finding

_FEWEST_OF_TRACE = 500  # frames from which a trace can be told
_MOST_BELOW = 0.01  # of the samples
_LEAST_OFFSET = 0.2  # of the 1st percentile, relative to the median
_DECONVOLVED: tuple[str, ...] = ("deconv", "spike", "event", "inferred", "activation", "rate")
_TRACES: tuple[str, ...] = (
    "fluorescence",
    "dff",
    "df_f",
    "dfoverf",
    "dforf",
    "df/f",
    "raw",
    "neuropil",
    "trace",
)
_TRACES += ("denoised", "demixed", "corrected", "baseline")
_DIGITS = 16  # bits of a number that are told apart in one pass


def trace_findings(
    blocks: Callable[[], Iterable[np.ndarray]], n_frames: int, kind: str, source: str
) -> list[Finding]:
    """Whether what is called deconvolved activity is a trace of fluorescence.

    Deconvolved activity is 0 or more, and near 0 in many frames; a trace goes below 0 (dF/F), or
    stays far above it (raw F), so that every frame would count as active.

    Parameters
    ----------
    blocks
        Gives the activity anew, whole or in parts of any shape; NaN where there is none. Once is
        enough where there is nothing to find.
    n_frames
        Number of frames.
    kind
        What it is said to be.
    source
        Where it comes from, for messages.

    Returns
    -------
    list of Finding
        What was found, the same whatever the parts; nothing for other kinds.
    """
    if kind != "deconvolved" or n_frames < _FEWEST_OF_TRACE:
        return []
    values = _Values(blocks)
    below = values.below / max(values.finite, 1)
    if below <= _MOST_BELOW and not values.may_be_offset(_LEAST_OFFSET):
        return []
    low, middle = values.percentile(1), values.percentile(50)
    offset = float(low / middle) if middle > 0 else 0.0
    if below <= _MOST_BELOW and offset < _LEAST_OFFSET:
        return []
    share = f"is below 0 in {100 * below:.0f} %"
    how = share if below > _MOST_BELOW else "never comes near 0 in any"
    text = (
        f"{source} {how} of its samples: a trace of fluorescence (raw F or dF/F), not deconvolved "
        "activity, so that no frame of it is silent. Choose the deconvolved series by the option "
        "series (--series), deconvolve the trace or detect its events first, or call it "
        "fluorescence (kind)"
    )
    numbers = {"below_zero": below, "offset": offset}
    return [Finding("trace", text, True, True, numbers=numbers)]


def trace_name_findings(path: str, description: str = "") -> list[Finding]:
    """Whether a series is called a trace of fluorescence by its file.

    Parameters
    ----------
    path
        Names of what holds the series, and its own, joined by slashes.
    description
        What the file says of it.

    Returns
    -------
    list of Finding
        What was found; nothing where a name or the description says deconvolved or events.

    Examples
    --------
    >>> from neurodrift.gate.traces import trace_name_findings
    >>> [len(trace_name_findings(f"ophys/Fluorescence/{name}")) for name in ("dff", "Deconvolved")]
    [1, 0]
    """
    *holders, name = path.lower().split("/")
    if any(word in text for text in (name, description.lower()) for word in _DECONVOLVED):
        return []
    called = [text for text in (name, *holders[-1:]) if any(word in text for word in _TRACES)]
    if not called or any(word in holder for holder in holders[-1:] for word in _DECONVOLVED):
        return []
    text = (
        f"{path} is called {called[0]!r}: a trace of fluorescence or what was made of one, not "
        "deconvolved activity, so that no frame of it is silent. Choose the deconvolved series by "
        "the option series (--series), or deconvolve the trace or detect its events first"
    )
    return [Finding("trace", text, True, True)]


def as_fluorescence(finding: Finding) -> Finding:
    """What is told where activity is taken as fluorescence instead of being refused.

    Parameters
    ----------
    finding
        Of :func:`trace_findings` or :func:`trace_name_findings`.

    Returns
    -------
    Finding
        It warns.
    """
    text = (
        f"{finding.text.partition(', not deconvolved')[0]}. It was taken as fluorescence, which "
        "has no events: no active cells and no bits per event; its place cells are tested by the "
        "variance that position explains (docs/kinds.md). For deconvolved activity choose its "
        "series (--series); if this is deconvolved, say so: accept=['trace']"
    )
    return Finding("trace", text, warns=True, numbers=finding.numbers)


class _Values:
    """Order statistics of numbers that are not in memory together; NaN is left out.

    As unsigned integers, the bits of numbers of double precision are in the order of the numbers
    once those below 0 are turned over. A pass counts the leading bits of all that share the bits
    known so far.
    """

    def __init__(self, blocks: Callable[[], Iterable[np.ndarray]]) -> None:
        self._blocks = blocks
        self.finite = self.below = self._zeros = 0
        self._leading = np.zeros(2**_DIGITS, dtype=np.int64)  # of all but 0
        for block in blocks():
            values = block[~np.isnan(block)]
            self.finite += int(np.isfinite(values).sum())
            self.below += int((values < 0).sum())
            other = values[values != 0]
            self._zeros += values.size - other.size
            digit = (_keys(other) >> np.uint64(64 - _DIGITS)).astype(np.intp)
            self._leading += np.bincount(digit, minlength=2**_DIGITS)
        self.size = self._zeros + int(self._leading.sum())

    def may_be_offset(self, least: float) -> bool:
        """Whether the 1st percentile can be that share of the median, by their leading bits."""
        if not self.size:
            return False
        low, (least_middle, most_middle) = self._bounds(1)[1], self._bounds(50)
        if least_middle <= 0:  # as far as leading bits tell
            return most_middle > 0
        return not low / least_middle < least

    def percentile(self, percent: float) -> float:
        """As :func:`numpy.percentile` has it."""
        if not self.size:
            return float("nan")
        place = (self.size - 1) * (percent / 100)
        rank = int(np.floor(place))
        one = self._ranked(rank)
        other = self._ranked(min(rank + 1, self.size - 1))
        part, step = place - rank, other - one
        if one == other:
            return one
        return other - step * (1 - part) if part >= 0.5 else one + step * part

    def _bounds(self, percent: float) -> tuple[float, float]:
        """Numbers that a percentile lies between."""
        rank = int(np.floor((self.size - 1) * (percent / 100)))
        ends = []
        for some in (rank, min(rank + 1, self.size - 1)):
            digit, _ = self._digit(some)
            if digit is None:
                ends += [0.0, 0.0]
            else:
                first = digit << (64 - _DIGITS)
                some_ends = _number(first), _number(first + 2 ** (64 - _DIGITS) - 1)
                beyond = np.inf if digit >> (_DIGITS - 1) else -np.inf
                ends += [beyond if np.isnan(end) else end for end in some_ends]
        return min(ends), max(ends)

    def _digit(self, rank: int) -> tuple[int | None, int]:
        """Leading bits of the number of a rank, and its rank among those; None for 0."""
        half = 2 ** (_DIGITS - 1)
        n_below = int(self._leading[:half].sum())
        if n_below <= rank < n_below + self._zeros:
            return None, 0
        rank -= self._zeros if rank >= n_below else 0
        total = np.cumsum(self._leading)
        digit = int(np.searchsorted(total, rank, side="right"))
        return digit, rank - int(total[digit] - self._leading[digit])

    def _ranked(self, rank: int) -> float:
        """The number of a rank, from 0."""
        known, rank = self._digit(rank)
        if known is None:
            return 0.0
        for shift in range(64 - 2 * _DIGITS, -1, -_DIGITS):
            counts = np.zeros(2**_DIGITS, dtype=np.int64)
            for block in self._blocks():
                keys = _keys(block[~np.isnan(block) & (block != 0)])
                same = keys[keys >> np.uint64(shift + _DIGITS) == known]
                digit = (same >> np.uint64(shift)).astype(np.intp) & (2**_DIGITS - 1)
                counts += np.bincount(digit, minlength=2**_DIGITS)
            total = np.cumsum(counts)
            digit = int(np.searchsorted(total, rank, side="right"))
            rank -= int(total[digit] - counts[digit])
            known = (known << _DIGITS) | digit
        return _number(known)


def _keys(values: np.ndarray) -> np.ndarray:
    bits = np.ascontiguousarray(values, dtype=np.float64).view(np.uint64)
    return np.where(bits >> np.uint64(63), ~bits, bits | np.uint64(2**63))


def _number(key: int) -> float:
    bits = key ^ (2**63 if key >> 63 else 2**64 - 1)
    return float(np.array([bits], dtype=np.uint64).view(np.float64)[0])
