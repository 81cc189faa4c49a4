"""Writes architecture.md's rooms and arrows, and images/architecture.svg, from the code itself.

Run: python docs/draw_architecture.py
"""

from __future__ import annotations

import ast
import re
import runpy
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE / "architecture.md"
PICTURE = HERE / "images" / "architecture.svg"
RULES: dict[str, Any] = runpy.run_path(str(HERE.parent / "tests" / "test_architecture.py"))

TOGETHER = {
    "_velocity": "schema",
    "curation": "recording",
    "deconvolution": "recording",
    "geometry": "schema",
    "joining": "recording",
    "kinematics": "recording",
    "progress": "schema",
    "seeds": "schema",
    "threads": "schema",
    "workers": "schema",
}  # one box
PACKAGE = {  # across, and up: an arrow always points down
    "schema": (0.5, 0), "gate": (0.5, 1), "recording": (0.5, 2), "io": (0.25, 3),
    "testing": (0.58, 3), "analysis": (0.85, 3), "convert": (0.13, 4), "simulate": (0.4, 4),
    "plotting": (0.88, 4), "catalog": (0.2, 5), "report": (0.58, 5),
    "examples": (0.3, 6), "pictures": (1.0, 5), "cohort": (0.7, 6), "demo": (0.4, 7),
    "studies": (0.66, 7), "infer": (0.05, 5.6), "viewer": (1.0, 6.3), "cli": (0.4, 8),
}  # fmt: skip
ANALYSIS = {
    "shared files": (0.62, 0), "maps": (0.4, 1), "drift": (0.14, 2), "information": (0.64, 3),
    "place_cells": (0.5, 2), "regression": (0.9, 2.4), "series": (0.8, 1.4), "identity": (0.18, 3),
    "behaviour": (0.47, 3.55), "stable_units": (0.5, 3.9),
    "footing": (0.63, 3.7), "decoding": (0.75, 3.75), "phases": (0.86, 3.1),
    "steps": (0.27, 3.75),
    "survival": (0.03, 3.75), "fields": (0.28, 2),
    "relations": (0.14, 3.6), "alignment": (0.33, 4.0), "within": (0.03, 3.2),
    "quality": (0.41, 3), "comparison": (0.9, 3.8), "nodes and analyze": (0.5, 4.2),
}  # fmt: skip
WORDS = {
    "schema": "schema, geometry, seeds, progress,\nworkers: names, units, shapes, checks",
    "recording": "recording, joining,\ncuration, kinematics",
    "gate": "gate\nis it plausible?",
    "io": "io\nNWB, Zarr, arrays",
    "analysis": "analysis\nrecordings to statistics",
    "testing": "testing\nknown answers",
    "convert": "convert\nother formats to NWB",
    "simulate": "simulate\nnetworks in training",
    "plotting": "plotting\nfigures",
    "catalog": "catalog\npublic data",
    "report": "report\none HTML page",
    "examples": "examples\nto try it on",
    "cohort": "cohort\nmany animals, one answer",
    "studies": "studies\none file, one cohort",
    "infer": "infer\nwhich learning rule?",
    "pictures": "pictures\none call each",
    "viewer": "viewer\ncells on a local page",
    "demo": "demo",
    "cli": "cli\nthe commands",
    "shared files": "_coords, _inference, _sharing\nshared by the rooms",
    "maps": "maps\nactivity over position",
    "information": "information\nand its bias",
    "place_cells": "place_cells\ntests, shuffles",
    "drift": "drift\npairs of sessions",
    "regression": "regression\ntrends",
    "series": "series\none over sessions",
    "identity": "identity\nthe same cells?",
    "survival": "survival\nstill on?",
    "within": "within\nby the minute?",
    "fields": "fields\nfollowed",
    "footing": "footing\nas much in every session",
    "relations": "relations\namong places",
    "alignment": "alignment\nunits together?",
    "quality": "quality\nclocks in step?",
    "decoding": "decoding\nis it still read?",
    "behaviour": "behaviour\ntime or conduct?",
    "stable_units": "stable_units\nwhich cells stay?",
    "steps": "steps\nsmall moves or jumps",
    "phases": "phases\nof learning",
    "comparison": "comparison\nside by side",
    "nodes and analyze": "nodes, analyze.py\nanalyze runs them all",
}
"""What the picture writes into each box."""


def room_of(module: str) -> str:
    """Room of a module; a file that the rooms of the analysis share stands for itself."""
    inside = module.partition(".")[2]
    return inside if inside.startswith("analysis._") else RULES["room_of"](module)


def found_arrows() -> dict[str, set[str]]:
    """Room -> rooms that its files import from; the version is no room."""
    found: dict[str, set[str]] = {}
    for module, path in RULES["MODULES"].items():
        if (room := room_of(module)) not in ("", "_version"):
            names = RULES["imports"](ast.walk(ast.parse(path.read_text())))
            names = {name for name in names if name.partition(".")[0] == "neurodrift"}
            modules = {n if n in RULES["MODULES"] else n.rpartition(".")[0] for n in names}
            others = {room_of(other) for other in modules} - {room, "_version"}
            found.setdefault(room, set()).update(others)
    return dict(sorted(found.items()))


def package_arrows(found: dict[str, set[str]]) -> dict[str, set[str]]:
    """Arrows between the outermost rooms."""
    return _merged(found, lambda room: TOGETHER.get(top := room.split(".")[0], top))


def analysis_arrows(found: dict[str, set[str]]) -> dict[str, set[str]]:
    """Arrows between the rooms of the analysis."""
    inside = {
        room: {other for other in others if other.split(".")[0] == "analysis"}
        for room, others in found.items()
        if room.split(".")[0] == "analysis"
    }

    def name(room: str) -> str:
        inner = room.partition(".")[2]
        shared = "shared files" if inner.startswith("_") else inner
        return "nodes and analyze" if inner in ("", "nodes") else shared

    return _merged(inside, name)


def _merged(found: dict[str, set[str]], name: Any) -> dict[str, set[str]]:
    merged: dict[str, set[str]] = {}
    for room, others in found.items():
        merged.setdefault(name(room), set()).update(name(other) for other in others)
    return {room: others - {room} for room, others in merged.items()}


def drawn_arrows(
    arrows: dict[str, set[str]], where: dict[str, tuple[float, float]]
) -> list[tuple[str, str]]:
    """Arrows without those that lead through another room; an error where one points up."""
    height = {room: up for room, (_, up) in where.items()}
    if homeless := set(arrows) ^ set(height):
        raise ValueError(f"without a place in the picture, or without a room: {sorted(homeless)}")
    below: dict[str, set[str]] = {}
    for room in sorted(arrows, key=height.__getitem__):
        if wrong := [other for other in arrows[room] if height[other] >= height[room]]:
            raise ValueError(f"{room} has arrows that point up, to {sorted(wrong)}")
        below[room] = arrows[room].union(*(below[other] for other in arrows[room]))
    return [
        (room, other)
        for room in sorted(arrows)
        for other in sorted(arrows[room])
        if not any(other in below[between] for between in arrows[room])
    ]


def listing(found: dict[str, set[str]]) -> str:
    """One line a room: the room, then the rooms that it imports from."""
    return "\n".join(f"{room}: {', '.join(sorted(found[room])) or '-'}" for room in found)


def paragraphs(found: dict[str, set[str]]) -> str:
    """What each room says of itself in its docstring."""
    package = RULES["PACKAGE"]
    texts = []
    for room in found:
        path = package.joinpath(*room.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        text = ast.get_docstring(ast.parse(path.read_text())) or ""
        text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text).replace("``", "`")
        place = room.replace(".", "/") + ("/" if path.name == "__init__.py" else ".py")
        texts.append(
            f"`{place}`\n: " + "\n\n  ".join(" ".join(p.split()) for p in text.split("\n\n"))
        )
    return "\n\n".join(texts)


def page(text: str) -> str:
    """The page with the parts that are written from the code."""
    found = found_arrows()
    parts = {"rooms": paragraphs(found), "arrows": f"```text\n{listing(found)}\n```"}
    for name, part in parts.items():
        marks = f"<!-- {name}, written by draw_architecture.py -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(marks[0])
        _, _, after = rest.partition(marks[1])
        text = f"{before}{marks[0]}\n{part}\n{marks[1]}{after}"
    return text


def picture_text() -> str:
    """Every arrow of the picture; the SVG keeps it as its description."""
    found = found_arrows()
    package = drawn_arrows(package_arrows(found), PACKAGE)
    inside = drawn_arrows(analysis_arrows(found), ANALYSIS)
    return "; ".join(f"{room} to {other}" for room, other in [*package, *inside])


def draw() -> None:
    """Draw the picture."""
    import matplotlib
    from matplotlib.figure import Figure

    found = found_arrows()
    figure = Figure(figsize=(12.5, 7.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.15])
    for axis, title, arrows, where in (
        (left, "the package", package_arrows(found), PACKAGE),
        (right, "inside analysis", analysis_arrows(found), ANALYSIS),
    ):
        axis.set_title(title, fontsize=12)
        axis.set_axis_off()
        axis.set_xlim(0, 1)
        axis.set_ylim(-0.5, max(up for _, up in where.values()) + 0.5)
        boxes = {
            room: axis.text(
                *at, WORDS[room], ha="center", va="center", fontsize=9, color="#1b2a41", zorder=3,
                bbox={"boxstyle": "round,pad=0.5", "facecolor": "#e8f1f8", "edgecolor": "#0072b2"},
            )
            for room, at in where.items()
        }  # fmt: skip
        for room, other in drawn_arrows(arrows, where):
            axis.annotate(
                "", xy=where[other], xytext=where[room], zorder=2,
                arrowprops={
                    "arrowstyle": "->", "color": "0.45", "shrinkA": 20, "shrinkB": 2,
                    "patchB": boxes[other].get_bbox_patch(),
                },
            )  # fmt: skip
    with matplotlib.rc_context({"svg.hashsalt": "architecture", "svg.fonttype": "none"}):
        figure.savefig(PICTURE, metadata={"Date": None, "Description": picture_text()})


def main() -> None:
    """Write both."""
    PAGE.write_text(page(PAGE.read_text()))
    draw()


if __name__ == "__main__":
    main()
