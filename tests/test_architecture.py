"""Rooms import one way, nothing imports the package's front, heavy packages wait for their use."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import neurodrift

PACKAGE = Path(neurodrift.__file__).parent

BASE = {"_version", "_velocity", "schema", "seeds", "geometry", "progress", "threads"}
CORE = BASE | {"gate", "recording", "joining", "curation", "kinematics", "deconvolution"}
GATE = CORE
IO = {"io", "io.nwb", "io.arrays"}
CONVERT = {f"convert.{room}" for room in ("own", "pipelines", "bridges", "published")} | {"convert"}
ANALYSIS_ROOMS = ("maps", "information", "place_cells", "drift", "identity", "quality")
ANALYSIS_ROOMS += ("behaviour", "stable_units")
ANALYSIS_ROOMS += ("footing", "series", "regression", "phases", "comparison")
ANALYSIS_ROOMS += ("decoding", "steps", "survival", "fields", "relations", "alignment", "within")
ANALYSIS = {f"analysis.{room}" for room in ANALYSIS_ROOMS} | {"analysis", "analysis.nodes"}
SIMULATE_ROOMS = ("settings", "gradient", "gradient._numba", "curvature", "continual")
SIMULATE_ROOMS += ("continual.learners", "hebbian", "synapses")
SIMULATE = {f"simulate.{room}" for room in SIMULATE_ROOMS} | {"simulate"}
PAGES = {"catalog", "plotting", "report"}
INFER_ROOMS = ("observation", "measures", "statistics", "classifier", "prior", "doubt")
INFER = {f"infer.{room}" for room in INFER_ROOMS} | {"infer"}

ROOMS = {  # room -> rooms that it may import; a file beside the rooms is a room of its own
    **dict.fromkeys(BASE, BASE),
    **dict.fromkeys(CORE - BASE, CORE),
    "testing": CORE,
    "gate": BASE,
    "io": GATE,
    "io.arrays": GATE | {"io"},
    "io.nwb": GATE | {"io"},
    **dict.fromkeys(CONVERT, GATE | IO | CONVERT),
    **{f"analysis.{room}": CORE | {"analysis"} for room in ANALYSIS_ROOMS},
    "analysis": CORE | ANALYSIS,
    "analysis.nodes": CORE | ANALYSIS,
    "workers": BASE,
    **dict.fromkeys(SIMULATE, CORE | {"io", "workers"} | SIMULATE),
    "catalog": GATE | IO | CONVERT | SIMULATE,
    "plotting": {"schema", "geometry"},
    "report": CORE | {"io", "catalog", "plotting"} | ANALYSIS,
    "cohort": CORE | {"io", "catalog", "plotting", "report"} | ANALYSIS,
    "studies": GATE
    | IO
    | CONVERT
    | SIMULATE
    | ANALYSIS
    | PAGES
    | {"cohort", "workers"}
    | {"studies.report"},
    "studies.report": ANALYSIS | CORE | {"io", "report", "cohort", "studies"},
    "examples": GATE | IO | CONVERT | SIMULATE | {"catalog", "testing"} | INFER,
    "pictures": CORE | ANALYSIS | {"plotting"},
    "viewer": CORE | IO | ANALYSIS | {"plotting"},
    "infer.observation": CORE | ANALYSIS,
    "infer.measures": BASE | {"infer.observation"},
    "infer.statistics": BASE | ANALYSIS | {"infer.observation", "infer.measures"},
    "infer.classifier": BASE,
    "infer.prior": BASE | SIMULATE | {"infer.observation", "infer.statistics", "infer.classifier"},
    "infer.doubt": BASE | {"infer.classifier"},
    "infer": BASE | INFER,
    "infer.report": CORE
    | ANALYSIS
    | {"io", "report", "plotting", "infer.classifier"}
    | {"infer.doubt"},
    "demo": GATE | IO | ANALYSIS | PAGES | {"testing", "examples"},
    "cli": GATE
    | IO
    | CONVERT
    | ANALYSIS
    | SIMULATE
    | PAGES
    | {"testing", "demo", "examples", "studies", "studies.report", "cohort", "viewer"}
    | INFER
    | {"infer.report"},
}
BETWEEN = {  # rooms of one idea that build on each other
    "analysis.place_cells": {"maps"},
    "analysis.information": {"maps", "place_cells"},
    "analysis.drift": {"maps"},
    "analysis.behaviour": {"maps", "information"},
    "analysis.stable_units": {"maps", "behaviour"},
    "analysis.decoding": {"maps", "information"},
    "analysis.identity": {"maps", "place_cells", "drift", "series"},
    "analysis.steps": {"maps", "drift"},
    "analysis.footing": {"maps", "place_cells", "information", "drift"},
    "analysis.quality": {"maps"},
    "analysis.fields": {"maps"},
    "analysis.relations": {"maps", "drift"},
    "analysis.alignment": {"maps", "relations"},
    "analysis.within": {"maps", "drift"},
    "analysis.regression": {"maps", "series"},
    "analysis.phases": {"maps", "series", "regression"},
    "analysis.comparison": {"maps", "series", "regression", "phases", "identity"},
}
for _room, _below in BETWEEN.items():
    ROOMS[_room] = ROOMS[_room] | {f"analysis.{name}" for name in _below}

HEAVY = {"torch", "pynwb", "hdmf", "h5py", "matplotlib", "numba", "statsmodels", "dask"}
HEAVY |= {"distributed", "jsonschema", "nwbinspector", "openpyxl", "tqdm", "pooch", "requests"}
HEAVY |= {"panel", "bokeh"}

FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in FILES
}


def room_of(module: str) -> str:
    """Folder of a module, or the module itself where it lies beside the rooms."""
    path, parts = MODULES[module], module.split(".")[1:]
    inside = parts if path.name == "__init__.py" else parts[:-1]
    return ".".join(inside) or ".".join(parts)


def imports(nodes) -> set[str]:
    """Names of the modules that are imported; a name imported from a package counts as one."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def arrows(path: Path) -> set[str]:
    """Rooms that a file imports from, also within functions."""
    found = set()
    for name in imports(ast.walk(ast.parse(path.read_text()))):
        if name.split(".")[0] == "neurodrift":
            module = name if name in MODULES else name.rpartition(".")[0]
            found.add(room_of(module))
    return found


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"neurodrift"}))
def test_imports__rooms_point_one_way(module):
    own = room_of(module)
    assert own in ROOMS, f"{own} has no place in the architecture: give it one in ROOMS"
    wrong = arrows(MODULES[module]) - ROOMS[own] - {own}
    assert "" not in wrong, f"{module} imports the package's own front: import the file itself"
    assert not wrong, f"{own} may not import from {sorted(wrong)}"


def test_imports__no_circle_among_the_rooms_of_analysis():
    seen: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        if room_of(module).startswith("analysis."):
            seen.setdefault(room_of(module), set()).update(
                name for name in arrows(path) if name.startswith("analysis.")
            )
    below = {room: found - {room} for room, found in seen.items()}
    while below:
        free = [room for room, found in below.items() if not found & set(below)]
        assert free, f"a circle among {sorted(below)}"
        for room in free:
            del below[room]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports__heavy_ones_are_in_the_functions_that_need_them(path):
    if path.stem.startswith("_") or path.parent.name == "_numba":
        return  # such as the kernels, which their callers import when they are called
    top = {name.split(".")[0] for name in imports(ast.parse(path.read_text()).body)}
    assert not top & HEAVY


def test_imports__plotting_computes_nothing():
    trees = [ast.parse(path.read_text()) for path in sorted((PACKAGE / "plotting").glob("*.py"))]
    found = {name.split(".")[0] for tree in trees for name in imports(ast.walk(tree))}
    assert "matplotlib" in found
    assert not found & {"scipy", "statsmodels", "dask", "numba", "torch"}


@pytest.mark.parametrize("room", sorted({room_of(m) for m in MODULES} - {""}))
def test_rooms__say_what_they_are_for(room):
    path = PACKAGE.joinpath(*room.split("."))
    if path.is_dir():
        text = ast.get_docstring(ast.parse((path / "__init__.py").read_text()))
        assert text and len(text.split()) >= 5, f"{room}/__init__.py says not what the room is for"


def test_architecture__sees_a_wrong_arrow():
    source = "def f():\n    from neurodrift.simulate.gradient import tasks\n    import torch.nn\n"
    assert imports(ast.walk(ast.parse(source))) == {
        "neurodrift.simulate.gradient.tasks",
        "torch.nn",
    }
    assert not any(room.startswith("simulate") for room in ROOMS["analysis"])
    assert not any(room.startswith("analysis") for room in ROOMS["simulate"])
