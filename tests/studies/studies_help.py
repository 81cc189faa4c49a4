"""Tiny synthetic cohorts for the tests of studies."""

from __future__ import annotations

import hashlib
from pathlib import Path

import xarray as xr

import neurodrift as nd

FAST = {"n_repeats": 5, "match": "none", "measures": ["sessions", "place_cells"]}
QUESTIONS = ["fraction_place_cells ~ day", "n_active ~ day"]


def make_mouse(seed=0, subject="m0", environment="linear track", n_sessions=3, n_units=6, **given):
    mouse = nd.testing.linear_track(
        n_units=n_units, n_sessions=n_sessions, minutes=2, seed=seed, **given
    )
    return mouse.assign_coords(subject=subject, environment=environment)


def write_mice(folder: Path, n: int, **given) -> list[Path]:
    return [
        nd.save_recording(make_mouse(i, f"m{i}", **given), folder / f"m{i}.zarr") for i in range(n)
    ]


def plan_of(folder: Path, **given):
    return {
        "recordings": [{"path": f"{folder}/*.zarr"}],
        "analysis": FAST,
        "questions": QUESTIONS,
    } | given


def digest(folder: Path) -> dict[str, str]:
    """Checksums of all files of a folder, but for those that tell of the work itself."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in ("cache", "study.json")
    }


def unlike(one: dict[str, str] | Path, other: dict[str, str] | Path) -> list[str]:
    """Names of the files in which two studies differ."""
    a, b = (given if isinstance(given, dict) else digest(given) for given in (one, other))
    return sorted(name for name in {*a, *b} if a.get(name) != b.get(name))


def same(one: xr.DataTree, other: xr.DataTree) -> None:
    """The same numbers, labels and attributes, but for the version that a store notes."""
    assert set(one.groups) == set(other.groups)
    for name in one.groups:
        a, b = (tree[name].to_dataset(inherit=False) for tree in (one, other))
        for node in (a, b):
            node.attrs.pop("format_version", None)
        xr.testing.assert_identical(a, b)
