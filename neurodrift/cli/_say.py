"""What a command says, and to whom: people, nobody, or a script."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from neurodrift.gate.findings import at_the_command_line

Facts = dict[str, Any]
"""What came out of a command, for ``--json``; paths and NumPy's numbers may be among them."""


def run_saying(options: argparse.Namespace) -> None:
    """Run a command under ``--quiet``, ``--verbose`` and ``--json``.

    Parameters
    ----------
    options
        Those of the command, with its function as ``run``.
    """
    command: Callable[[argparse.Namespace], Facts | None] = options.run
    began = time.monotonic()
    if options.json:
        with contextlib.redirect_stdout(sys.stderr), _hushed(options.quiet):
            facts = command(options)
        print(json.dumps({"command": options.command, **(facts or {})}, default=_plain))
    else:
        with _hushed(options.quiet):
            command(options)
    if options.verbose:
        print(f"took {_took(began)}, at most {_most_memory()} of memory", file=sys.stderr)


@contextlib.contextmanager
def _hushed(quiet: bool) -> Any:
    """Nothing on standard output, and no progress."""
    if not quiet:
        yield
        return
    from neurodrift.progress import QUIET

    before = os.environ.get(QUIET)
    os.environ[QUIET] = "1"
    try:
        with (
            open(os.devnull, "w", encoding="utf-8") as nowhere,
            contextlib.redirect_stdout(nowhere),
        ):
            yield
    finally:
        if before is None:
            del os.environ[QUIET]
        else:
            os.environ[QUIET] = before


@contextlib.contextmanager
def said_plainly() -> Iterator[None]:
    """Let warnings be one line each, without the line of code that raised them."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            yield
        finally:
            for text in dict.fromkeys(str(item.message) for item in found):
                print(f"warning: {at_the_command_line(text)}")


def _took(began: float) -> str:
    from neurodrift.progress import duration

    return duration(time.monotonic() - began)


def _most_memory() -> str:
    """Largest resident memory of this process."""
    try:
        import resource
    except ImportError:  # not on Windows
        return "an unknown amount"
    unit = 1 if sys.platform == "darwin" else 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return f"{used / 2**20:.0f} MiB"


def _plain(value: Any) -> Any:
    """What JSON has no form for."""
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be said in JSON")
