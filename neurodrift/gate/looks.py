"""What a look at a session's activity tells, block by block where it is not in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from neurodrift.gate.findings import Finding
from neurodrift.gate.traces import trace_findings
from neurodrift.schema import COUNT_KINDS

WRAPPED = 100  # below a power of two: what small negative numbers become without a sign
_WRAPPED_BYTE = 3  # below 256, where other counts are small

Blocks = Callable[[], Iterable[tuple[slice, np.ndarray]]]


@dataclass
class Look:
    """What is asked of the activity of a session.

    Parameters
    ----------
    active
        (time) whether any unit is active.
    findings
        Counts that no animal has, traces that are called deconvolved, amplitudes below 0.
    """

    active: np.ndarray
    findings: list[Finding] = field(default_factory=list)

    @classmethod
    def of(cls, blocks: Blocks, n_frames: int, kind: str) -> Look:
        """Look at every block once, and again only where a trace is to be told exactly.

        Parameters
        ----------
        blocks
            Gives which frames, and (frame, unit) activity in them, anew with each call.
        n_frames
            Number of frames.
        kind
            What one number is.

        Returns
        -------
        Look
            What was found, whatever the blocks.
        """
        seen = _Seen(blocks, n_frames)
        findings = trace_findings(seen.parts, n_frames, kind, "activity")
        seen.finish()
        if kind in COUNT_KINDS:
            findings = _wrapped(seen, kind)
        elif kind == "amplitudes" and seen.n_below:
            text = (
                f"activity has {seen.n_below} amplitudes of events below 0: is it a trace of "
                "fluorescence?"
            )
            numbers = {"below_zero": seen.n_below / seen.size}
            findings = [Finding("trace", text, True, True, numbers=numbers)]
        return cls(seen.active, findings)


class _Seen:
    """What was seen in a pass over the blocks."""

    def __init__(self, blocks: Blocks, n_frames: int) -> None:
        self._blocks = blocks
        self._done = False
        self.active = np.zeros(n_frames, dtype=bool)
        self.n_below = self.size = self.most = 0
        self.most_of_others = -1  # where there are none

    def parts(self) -> Iterator[np.ndarray]:
        n_below, size, most, most_of_others = 0, 0, 0, -1
        for frames, block in self._blocks():
            self.active[frames] |= (block != 0).any(axis=1)
            size += block.size
            if block.dtype.kind == "u":
                most = max(most, int(block.max(initial=0)))
                others = block[block < 256 - _WRAPPED_BYTE]
                most_of_others = max(most_of_others, int(others.max()) if others.size else -1)
            else:
                n_below += int((block < 0).sum())
            yield block
        self.n_below, self.size, self.most = n_below, size, most
        self.most_of_others, self._done = most_of_others, True

    def finish(self) -> None:
        if not self._done:
            for _ in self.parts():
                pass


def _wrapped(seen: _Seen, kind: str) -> list[Finding]:
    """Counts that are numbers below 0 without their sign."""
    most = seen.most
    if not any(0 < 2**bits - most <= WRAPPED for bits in (16, 32, 64)) and (
        most not in (254, 255) or not 0 <= seen.most_of_others <= WRAPPED
    ):
        return []
    text = (
        f"activity has {most} {kind} of one unit in one frame: numbers below 0 that were stored "
        "as unsigned wrap to such counts (65535 was -1)"
    )
    return [Finding("counts", text, True, True, numbers={"most": most})]
