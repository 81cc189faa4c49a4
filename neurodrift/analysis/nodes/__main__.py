"""Write the table of nodes of the docs: ``python -m neurodrift.analysis.nodes docs/nodes.md``."""

from __future__ import annotations

import sys
from pathlib import Path

from neurodrift.analysis.nodes.node import NEEDS
from neurodrift.analysis.nodes.table import NODES


def table_of_nodes() -> str:
    """The nodes as a table in Markdown, for the docs.

    Returns
    -------
    str
        A page.
    """
    lines = [
        "# Nodes of `analyze`",
        "",
        "Written by `python -m neurodrift.analysis.nodes docs/nodes.md`. `analyze(measures=[...])`",
        "and `neurodrift analyze --measures` compute some of them, and those that they use. A node",
        "that a recording cannot have is left out; the attribute `left_out` of the results, the",
        "summary and the report say why.",
        "",
        "| node | what it holds | in the report | left out where | uses |",
        "|---|---|---|---|---|",
    ]
    for node in NODES:
        without = "; ".join(NEEDS[need][1] for need in node.needs) or "never"
        uses = ", ".join(f"`{name}`" for name in node.uses) or "–"
        lines.append(f"| `{node.name}` | {node.doc} | {node.place} | {without} | {uses} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(table_of_nodes(), encoding="utf-8")
