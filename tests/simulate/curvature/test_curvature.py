"""What the room offers."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from neurodrift.simulate import curvature


@pytest.mark.parametrize("name", curvature.__all__)
def test_curvature__public_names_are_there_and_explained(name):
    found = getattr(curvature, name)
    doc = inspect.getdoc(found) or ""
    assert found.__module__.startswith("neurodrift.simulate.curvature.")
    assert "Examples\n--------" in doc, f"{name} has no example"


def test_curvature__loads_what_is_used():
    script = (
        "import sys; from neurodrift.simulate import curvature; print('torch' in sys.modules, "
        "'neurodrift.simulate.curvature.hessian' in sys.modules); curvature.LossPoint; "
        "print('neurodrift.simulate.curvature.loss_point' in sys.modules)"
    )
    command = [sys.executable, "-c", script]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert found.split() == ["False", "False", "True"]
