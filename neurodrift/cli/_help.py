"""How the commands present themselves: one style of help, with examples, in the order of work."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence

GROUPS = {
    "try it": ("demo", "catalog"),
    "bring your data in": ("inspect", "convert", "import"),
    "analyse and show": ("analyze", "view", "compare", "study", "infer", "report", "export"),
    "train networks": ("simulate", "sweep", "simulate-prior"),
    "look after stores": ("verify", "clean"),
}
"""Commands in the order in which a lab comes to need them."""

_WIDEST = 100


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Help that says the default of every option, in one form."""

    def __init__(self, prog: str) -> None:
        width = min(_WIDEST, shutil.get_terminal_size().columns - 2)
        super().__init__(prog, max_help_position=28, width=width)

    def _get_help_string(self, action: argparse.Action) -> str:
        told, default = action.help or "", action.default
        if not action.option_strings or default is None or default is argparse.SUPPRESS:
            return told
        if isinstance(default, bool | list) or "(default:" in told:
            return told
        shown = f"{default:g}" if isinstance(default, float) else str(default)
        return f"{told} (default: {shown})"


def new_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    examples: Sequence[str],
    about: str = "",
) -> argparse.ArgumentParser:
    """Add a command.

    Parameters
    ----------
    commands
        Where it is added.
    name
        Its name.
    summary
        What it does, in a line without a full stop.
    examples
        Command lines that work as they stand, two or more.
    about
        What else there is to say of it.

    Returns
    -------
    argparse.ArgumentParser
        Its parser.
    """
    first = f"{summary[:1].upper()}{summary[1:]}."
    parser = commands.add_parser(
        name,
        help=summary,
        description="\n\n".join(part for part in (first, about) if part),
        epilog="\n  ".join(["examples:", *examples]),
        formatter_class=HelpFormatter,
    )
    parser.set_defaults(summary=summary)
    say = parser.add_argument_group("what is said")
    say.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors")
    say.add_argument(
        "-v", "--verbose", action="store_true", help="say at the end how long it took, and memory"
    )
    say.add_argument(
        "--json",
        action="store_true",
        help="print what came out as one JSON object, and all else on standard error",
    )
    return parser


def overview(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> str:
    """The commands by the order of work, for the help of the whole.

    Parameters
    ----------
    commands
        All commands.

    Returns
    -------
    str
        Lines of text.
    """
    lines = []
    for title, names in GROUPS.items():
        lines.append(f"{title}:")
        for name in names:
            lines.append(f"  {name:<16}{commands.choices[name].get_default('summary')}")
        lines.append("")
    lines += [
        "neurodrift COMMAND --help shows the options of a command, with examples. A first look:",
        "  neurodrift demo",
    ]
    return "\n".join(lines)
