"""A study's file, proposed from what lies in a folder."""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

from neurodrift.io.manifest import store_attributes
from neurodrift.schema.words import listing
from neurodrift.studies.plan import load_plan
from neurodrift.studies.recordings import Planned, find_recordings

_HEAD = """\
# A study: see docs/studies.md. Run it with: neurodrift study {name} -o {out}
study: {title}  # the title of its page: name it as you would a figure

recordings:
"""

_TAIL = """
# What animals are, by factor; give every animal (or recording) or leave the factor out.
# factors:
#   genotype:
{animals}
# From this day on sessions are after the intervention; or a day for each animal.
# intervention:
#   day: 5
#   what: saline

# The same for every recording; what is not given has the default of `neurodrift analyze`.
analysis:
  bin_width: 4          # cm
  # track: [0, 96]      # cm; ends of a linear track
  # exclude_ends: 8     # cm at each end
  # match: events       # what is made equal in all sessions: events, time, occupancy, none

# What is asked; these and more when left out. See also: MEASURE ~ FACTOR * day,
# MEASURE ~ intervention, decay of rate_map_correlation_relative ~ day
# questions:
#   - fraction_place_cells ~ day
#   - information ~ day
"""

_PLAIN = re.compile(r"[^\W\d_][\w./-]*")
_WORDS = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
_SKIPPED = {".git", "__pycache__", ".venv", "node_modules"}
_NAMED = 3  # animals that a proposed title names
_MOST_FILES = 200_000


def propose_study(
    folder: str | os.PathLike[str], path: str | os.PathLike[str] | None = None
) -> str:
    """The file of a study to start from, with what lies in a folder.

    Parameters
    ----------
    folder
        Where the data are: stores of recordings, NWB files, sweeps; also in folders below.
    path
        Where the file will be written; ``study.yaml`` in the folder when omitted.

    Returns
    -------
    str
        YAML, whose paths are relative to the file.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If nothing in it is a recording, with what is there instead.

    Examples
    --------
    >>> import tempfile
    >>> import neurodrift as nd
    >>> from neurodrift.studies.propose import propose_study
    >>> folder = tempfile.mkdtemp()
    >>> mouse = nd.testing.linear_track(n_units=2, n_sessions=2, minutes=1)
    >>> path = nd.save_recording(mouse, folder + "/m1.zarr")
    >>> "path: m1.zarr" in propose_study(folder)
    True
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}: expected the folder of the data")
    folder = folder.absolute()  # the files of recordings are
    path = folder / "study.yaml" if path is None else Path(path)
    nwb, stores, sweeps, others = _look(folder)
    lines: list[str] = []

    def there(inside: Path, every: str = "") -> str:
        found = Path(os.path.relpath(folder / inside, path.parent)).as_posix()
        if not every:
            return _quoted(found)
        return _quoted(every if found == "." else f"{glob.escape(found)}/{every}")

    found: list[Planned] = []
    if stores:
        found += _known(folder, [{"path": str(one)} for one in stores])
        lines += [f"  - path: {there(one)}" for one in stores]
    if nwb:
        own = _known(folder, [{"path": [str(one) for one in nwb]}])
        found += own
        lines += _nwb_lines(folder, own, there)
    lines += [
        f"  - sweep: {there(one)}  # every run; choose some by runs: [0, 1]" for one in sweeps
    ]
    if not lines:
        raise ValueError(f"{folder} holds no recording, NWB file or sweep{_instead(others)}")
    animals = dict.fromkeys(one.subject for one in found if one.subject)
    listed = "\n".join(f"#     {_quoted(one)}: wild type" for one in animals)
    title = _quoted(_title(list(animals)) or folder.resolve().name or "study")
    head = _HEAD.format(name=path.name, out=path.stem, title=title)
    tail = _TAIL.format(animals=listed or "#     m1: wild type")
    notes = [
        f"# {one.name} cannot be read: {one.fault.splitlines()[0]}" for one in found if one.fault
    ]
    text = head + "\n".join([*lines, *notes]) + "\n" + tail
    _refuse_unreadable(text, path.parent)
    return text


def _title(animals: list[str]) -> str:
    """A title for the page: whose drift it is; empty where no animal is known."""
    if not animals:
        return ""
    if len(animals) > _NAMED:
        return f"Drift in {len(animals)} animals"
    return f"Drift in {listing(animals)}"


def _refuse_unreadable(text: str, folder: Path) -> None:
    """Read a proposal as a study would be read."""
    from neurodrift.schema.yaml import parse_yaml
    from neurodrift.studies.plan import plan_schema

    load_plan(parse_yaml(text, "the proposal", plan_schema())[0], folder=folder)


def _look(folder: Path) -> tuple[list[Path], list[Path], list[Path], list[Path]]:
    """NWB files, stores of recordings, sweeps, and files that may hold data."""
    nwb: list[Path] = []
    stores: list[Path] = []
    sweeps: list[Path] = []
    others: list[Path] = []
    n_files = 0
    for where, folders, files in os.walk(folder):
        here = Path(where)
        kept = []
        for name in sorted(folders):
            path = here / name
            if (path / "study.json").is_file() or name in _SKIPPED or name.startswith("."):
                continue
            if (path / "zarr.json").is_file():
                title = str(store_attributes(path).get("title", ""))
                if title == "neurodrift recording":
                    stores.append(path.relative_to(folder))
                elif title == "neurodrift sweep":
                    sweeps.append(path.relative_to(folder))
                continue
            kept.append(name)
        folders[:] = kept
        for name in sorted(files):
            path = (here / name).relative_to(folder)
            if path.suffix == ".nwb":
                nwb.append(path)
            elif path.suffix.lower() in (
                ".mat",
                ".csv",
                ".npy",
                ".npz",
                ".h5",
                ".hdf5",
                ".parquet",
            ):
                others.append(path)
        n_files += len(files)
        if n_files > _MOST_FILES:
            raise ValueError(
                f"{folder} has more than {_MOST_FILES:,} files: name a folder below it"
            )
    return nwb, stores, sweeps, others


def _known(folder: Path, entries: list[dict[str, object]]) -> list[Planned]:
    import tempfile

    plan = load_plan({"recordings": entries}, folder=folder)
    with tempfile.TemporaryDirectory() as scratch:
        return list(find_recordings(plan, Path(scratch)).recordings)


def _nwb_lines(folder: Path, recordings: list[Planned], there: Callable[..., str]) -> list[str]:
    """One entry a folder whose files are all NWB files of the study, otherwise the files."""
    files = [path for one in recordings for path in one.files]
    lines = []
    for parent in dict.fromkeys(path.parent for path in files):
        inside = [path for path in files if path.parent == parent]
        lines.append(f"  - path: {there(parent.relative_to(folder), '*.nwb')}")
        for one in recordings:
            own = [path for path in one.files if path in inside]
            if own:
                n = f"{len(own)} session{'s' * (len(own) > 1)}"
                lines.append(f"    # {one.name}: {n}")
    return lines


def _quoted(text: str) -> str:
    """A text as YAML reads it back."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)


def _instead(others: list[Path]) -> str:
    if not others:
        return ""
    shown = ", ".join(str(path) for path in others[:3]) + (" ..." if len(others) > 3 else "")
    return f"; it has {shown}: make NWB files of them first, `neurodrift inspect FILES` says how"
