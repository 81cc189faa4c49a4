from __future__ import annotations

import ast
from pathlib import Path

import pytest

import neurodrift

PACKAGE = Path(neurodrift.__file__).parent

BASE = {"schema", "result_schema", "_value_faults", "_yaml_config", "json_schemas", "seeds"}
BASE |= {"representation_schema"}
CORE = BASE | {"recording", "_arrays", "joining", "kinematics"}
SIDES = {"testing", "io", "convert", "simulate", "analysis"}
ARROWS = {  # module or folder -> what it may import, besides what lies in the same folder
    **dict.fromkeys(BASE, BASE),
    **dict.fromkeys(CORE - BASE, CORE),
    "testing": CORE,
    "io": CORE,
    "convert": CORE | {"io"},
    "simulate": CORE | {"io"},
    "analysis": CORE,
    "catalog": CORE | SIDES - {"analysis"},
    "plotting": {"schema"},
    "report": CORE | SIDES | {"catalog", "plotting"},
    "demo": CORE | SIDES | {"catalog", "plotting", "report"},
    "cli": CORE | SIDES | {"catalog", "plotting", "report", "demo"},
}
HEAVY = {"torch", "pynwb", "hdmf", "h5py", "matplotlib", "numba", "statsmodels", "dask"}
HEAVY |= {"distributed", "jsonschema", "nwbinspector", "openpyxl", "tqdm", "pooch", "requests"}

MODULES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.parent != PACKAGE or (path.stem not in ("__init__", "__main__"))
]


def _part(name: str) -> str:
    return name.split(".")[1]


def _imports(nodes) -> set[str]:
    """Names of the modules that are imported; a name imported from a package counts as one."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports__point_one_way(path):
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    assert own in ARROWS, f"{own} has no place in the architecture: give it one in ARROWS"
    for name in _imports(ast.walk(ast.parse(path.read_text()))):
        if name.split(".")[0] == "neurodrift" and name != "neurodrift.__version__":
            part = _part(name)
            assert part == own or part in ARROWS[own], f"{own} may not import {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports__heavy_ones_are_in_the_functions_that_need_them(path):
    if path.stem.startswith("_"):
        return  # such as the kernels, which their callers import when they are called
    top = {name.split(".")[0] for name in _imports(ast.parse(path.read_text()).body)}
    assert not top & HEAVY


def test_imports__plotting_computes_nothing():
    files = sorted((PACKAGE / "plotting").glob("*.py"))
    trees = [ast.parse(path.read_text()) for path in files]
    found = {name.split(".")[0] for tree in trees for name in _imports(ast.walk(tree))}
    assert "matplotlib" in found
    assert not found & {"scipy", "statsmodels", "dask", "numba", "torch"}


def test_architecture__sees_a_wrong_arrow():
    source = "def f():\n    from neurodrift.simulate import tasks\n    import torch.nn\n"
    assert _imports(ast.walk(ast.parse(source))) == {"neurodrift.simulate.tasks", "torch.nn"}
    assert "simulate" not in ARROWS["analysis"] and "analysis" not in ARROWS["simulate"]
    assert "analysis" not in ARROWS["io"] and "convert" not in ARROWS["analysis"]
