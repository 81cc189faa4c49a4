"""The command ``neurodrift``: parse, call, save."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from neurodrift._version import __version__
from neurodrift.cli import (
    analyze,
    catalog,
    compare,
    data,
    demo,
    infer,
    prior,
    report,
    simulate,
    stores,
    study,
    view,
)
from neurodrift.cli._help import HelpFormatter, overview
from neurodrift.cli._say import run_saying
from neurodrift.gate.findings import at_the_command_line

_MODULES = (
    catalog,
    data,
    analyze,
    simulate,
    prior,
    compare,
    view,
    study,
    infer,
    report,
    stores,
    demo,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments
        Words after ``neurodrift``; those of the process when omitted.

    Returns
    -------
    int
        0, or 2 after an error that the user can mend, which is printed in one message; 130 after
        an interrupt (Ctrl-C), 143 if it was terminated, 141 if nobody reads what is printed.
    """
    options = _parser().parse_args(arguments)
    try:
        with _ended_by_sigterm():
            run_saying(options)
    except KeyboardInterrupt:
        if options.debug:
            raise
        print(f"neurodrift {options.command}: interrupted", file=sys.stderr)
        return 130
    except _Terminated:
        print(f"neurodrift {options.command}: terminated", file=sys.stderr)
        return 143
    except BrokenPipeError:
        _say_no_more()
        return 141
    except (ValueError, TypeError, OSError, MemoryError, ImportError) as error:
        if options.debug:
            raise
        print(f"neurodrift {options.command}: {at_the_command_line(str(error))}", file=sys.stderr)
        return 2
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:  # nobody reads, or the disk is full: the work itself is done
        _say_no_more()
    return 0


class _Terminated(BaseException):
    """The process was asked to end, as clusters do when time or memory is used up."""


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let what is half-written be removed before a process that is asked to end does so."""

    def end(*_: object) -> None:
        raise _Terminated

    if threading.current_thread() is not threading.main_thread():  # which alone can be asked
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say_no_more() -> None:
    """Drop what is still to be printed, so that Python does not complain of it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="neurodrift",
        usage="neurodrift [-h] [--version] [--debug] COMMAND ...",
        description="Representational drift in recorded and simulated populations.",
        formatter_class=HelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"neurodrift {__version__}")
    parser.add_argument("--debug", action="store_true", help="show where an error was raised")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", help=argparse.SUPPRESS
    )
    for module in _MODULES:
        module.add_commands(commands)
    parser.epilog = overview(commands)
    return parser
