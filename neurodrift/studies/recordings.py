"""Which recordings a study has: files, stores, runs and data sets, by animal and environment."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from neurodrift.io.manifest import store_attributes
from neurodrift.studies.plan import Entry, Plan

_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One recording of a study, as it will be analysed.

    Parameters
    ----------
    name
        What it is called, unlike any other.
    kind
        ``nwb`` files that are imported first, a stored ``recording``, or a ``run`` of a sweep.
    files
        The files, or the one store.
    run
        Number of the run of a sweep.
    subject, environment
        Animal or run, and where.
    options
        Of the import.
    factors
        What it is, by factor.
    curation
        Curation file.
    fault
        Why it cannot be read; empty where it can.
    """

    name: str
    kind: Literal["nwb", "recording", "run"]
    files: tuple[Path, ...]
    run: int | None = None
    subject: str = ""
    environment: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    factors: Mapping[str, Any] = field(default_factory=dict)
    curation: Path | None = None
    fault: str = ""

    @property
    def slug(self) -> str:
        """Its name as part of a file name."""
        return file_name(self.name)


@dataclass(frozen=True)
class Recordings:
    """All recordings of a study.

    Parameters
    ----------
    recordings
        In the order of the file.
    notes
        What was passed over, in sentences.
    """

    recordings: tuple[Planned, ...]
    notes: tuple[str, ...] = ()


def file_name(name: str) -> str:
    """A name with letters, digits, dots and dashes alone.

    Parameters
    ----------
    name
        Any text.

    Returns
    -------
    str
        At most 100 characters.

    Examples
    --------
    >>> file_name("C6M4 / A")
    'C6M4_A'
    """
    return re.sub(r"[^\w.-]+", "_", name).strip("_.")[:100] or "recording"


def find_recordings(plan: Plan, folder: Path) -> Recordings:
    """The recordings that the entries of a study stand for.

    Data sets of the catalogue are fetched and converted where that was not done before.

    Parameters
    ----------
    plan
        The study.
    folder
        Of its output; fetched and converted files and what is known of files are kept there.

    Returns
    -------
    Recordings
        NWB files of the same subject and environment are one recording. What cannot be read is
        there with its fault.

    Raises
    ------
    ValueError
        If an entry stands for nothing, a recording stands twice, or factors name none of them.
    """
    heads = _Heads(folder / "files.json")
    notes: list[str] = []
    found: list[tuple[Entry, Planned]] = []
    for entry in plan.entries:
        own = _of_entry(plan, entry, folder, heads, notes)
        if entry.name is not None:
            if len(own) > 1:
                names = ", ".join(one.name for one in own)
                raise plan.source.error(
                    [((*entry.place, "name"), f"a name for {len(own)} recordings: {names}")]
                )
            own = [replace(own[0], name=entry.name)]
        found += [(entry, one) for one in own]
    heads.save()
    _refuse_twins(plan, found)
    return Recordings(tuple(_with_factors(plan, _named([one for _, one in found]))), tuple(notes))


def _of_entry(
    plan: Plan, entry: Entry, folder: Path, heads: _Heads, notes: list[str]
) -> list[Planned]:
    curation = None if entry.curation is None else plan.folder / entry.curation
    if curation is not None and not curation.is_file():
        raise plan.source.error([((*entry.place, "curation"), f"no curation file {curation}")])
    if entry.sweep is not None:
        made = _runs(plan, entry)
    else:
        if entry.data_set is not None:
            paths = _converted(plan, entry, folder)
        else:
            paths = _matching(plan, entry, folder, notes)
        made = [_stored(path, heads) for path in paths if path.is_dir()]
        files = [path for path in paths if not path.is_dir()]
        made += _imported(files, entry, heads)
    factors = dict(entry.factors)
    return [replace(one, curation=curation, factors=factors) for one in made]


def _matching(plan: Plan, entry: Entry, folder: Path, notes: list[str]) -> list[Path]:
    """NWB files and stores that the paths of an entry name."""
    paths: list[Path] = []
    for pattern in entry.paths:
        found, is_pattern = _there(plan.folder, pattern)
        kept = []
        for path in found:
            kind = _kind(path)
            if is_pattern and _in_study(path, folder):
                continue
            if kind in ("nwb", "recording") or (kind == "missing" and not is_pattern):
                kept.append(path)
            elif not is_pattern:
                raise plan.source.error([((*entry.place, "path"), _wrong(path, kind))])
            else:
                notes.append(f"{path} was passed over: {_wrong(path, kind)}")
        if not kept:
            text = f"{pattern}: no NWB file and no recording in {plan.folder}"
            raise plan.source.error([((*entry.place, "path"), text)])
        paths += [path for path in kept if path not in paths]
    return paths


def _there(base: Path, pattern: str) -> tuple[list[Path], bool]:
    """What a path or pattern names, and whether it may be less than that: a pattern, a folder."""
    path = base / pattern  # the pattern alone where it is absolute
    if _MAGIC.search(pattern) and not path.exists():
        inside = Path(pattern)
        if inside.anchor:
            base, inside = Path(inside.anchor), inside.relative_to(inside.anchor)
        return sorted(base.glob(str(inside))), True
    if path.is_dir() and not (path / "zarr.json").is_file():
        return sorted(path.rglob("*.nwb")), True
    return [path], False


def _in_study(path: Path, folder: Path) -> bool:
    """Whether a path is in the folder of this or another study, which no pattern means."""
    own = folder.resolve()
    return any(above == own or (above / "study.json").is_file() for above in path.resolve().parents)


def _kind(path: Path) -> str:
    if not path.exists():
        return "missing"
    if path.is_file():
        return "nwb" if path.suffix == ".nwb" else "file"
    if not (path / "zarr.json").is_file():
        return "folder"
    title = str(store_attributes(path).get("title", ""))
    return title.removeprefix("neurodrift ") if title.startswith("neurodrift ") else "store"


def _wrong(path: Path, kind: str) -> str:
    return {
        "results": "results of an analysis, expected the recording itself",
        "sweep": f"a sweep: write `sweep: {path.name}` instead of path",
        "file": "no NWB file: `neurodrift inspect` says how to make one of it",
        "folder": "a folder without NWB files",
    }.get(kind, "no store of a recording")


def _stored(path: Path, heads: _Heads) -> Planned:
    from neurodrift.io.zarr import open_recording

    def look() -> list[str]:
        recording = open_recording(path)
        return [str(recording[name].item()) for name in ("subject", "environment")]

    try:
        subject, environment = heads.of(path, "", look)
    except (OSError, ValueError) as error:
        return Planned(name=path.stem, kind="recording", files=(path,), fault=str(error))
    name = f"{subject} {environment}".strip()
    return Planned(
        name=name, kind="recording", files=(path,), subject=subject, environment=environment
    )


def _imported(files: Sequence[Path], entry: Entry, heads: _Heads) -> list[Planned]:
    """NWB files by animal and environment."""
    from neurodrift.io.nwb.animal import animal_of

    named = entry.options.get("environment")
    groups: dict[tuple[str, str], list[Path]] = {}
    unread = []
    for path in files:
        try:
            subject, place = heads.of(
                path, str(named), lambda path=path: [str(x or "") for x in animal_of(path, named)]
            )
        except (OSError, ValueError) as error:
            unread.append(Planned(name=path.stem, kind="nwb", files=(path,), fault=str(error)))
            continue
        groups.setdefault((subject, place), []).append(path)
    made = [
        Planned(
            name=f"{subject} {place}".strip() or own[0].stem,
            kind="nwb",
            files=tuple(own),
            subject=subject,
            environment=place,
            options=dict(entry.options),
        )
        for (subject, place), own in groups.items()
    ]
    return made + unread


def _runs(plan: Plan, entry: Entry) -> list[Planned]:
    from neurodrift.simulate.sweep import open_sweep

    assert entry.sweep is not None
    path = plan.folder / entry.sweep
    try:
        runs = [int(run) for run in open_sweep(path).table["run"].values]
    except (OSError, ValueError) as error:
        raise plan.source.error([((*entry.place, "sweep"), str(error))]) from error
    lost = sorted(set(entry.runs or ()) - set(runs))
    if lost:
        raise plan.source.error(
            [((*entry.place, "runs"), f"{path} has no run {', '.join(map(str, lost))}")]
        )
    return [
        Planned(
            name=f"{path.stem} run {run}", kind="run", files=(path,), run=run, subject=f"run {run}"
        )
        for run in entry.runs or runs
    ]


def _converted(plan: Plan, entry: Entry, folder: Path) -> list[Path]:
    """NWB files of a data set of the catalogue."""
    from neurodrift.catalog import data_set, fetch
    from neurodrift.convert import converter

    assert entry.data_set is not None
    out = folder / "nwb" / file_name(entry.data_set)
    if not out.is_dir():
        try:
            source = None if entry.source is None else plan.folder / entry.source
            known = data_set(entry.data_set)
            if source is None:
                source = folder / "downloads" / known.name
                if not source.is_dir():
                    fetch(known, source)
            unfinished = out.with_name(f"{out.name}.unfinished")
            if unfinished.is_dir():  # of a study that was killed
                shutil.rmtree(unfinished)
            converter(known.converter or known.name)(source, unfinished)
            unfinished.rename(out)
        except ValueError as error:
            raise plan.source.error([((*entry.place, "data_set"), str(error))]) from error
    found = sorted(out.rglob("*.nwb"))
    if not found:
        text = f"{entry.data_set} has tables and no recordings"
        raise plan.source.error([((*entry.place, "data_set"), text)])
    return found


def _refuse_twins(plan: Plan, found: Sequence[tuple[Entry, Planned]]) -> None:
    seen: dict[tuple[tuple[Path, ...], int | None, str], str] = {}
    faults = []
    for entry, one in found:
        key = (tuple(path.resolve() for path in one.files), one.run, one.environment)
        if key in seen:
            faults.append((entry.place, f"{one.name} stands twice: {one.files[0]}"))
        seen[key] = one.name
    if faults:
        raise plan.source.error(faults)


def _named(found: Sequence[Planned]) -> list[Planned]:
    """Names that differ, also as files and where letters have no case."""
    taken: set[str] = set()
    named = []
    for one in found:
        name, number = one.name, 2
        while file_name(name).casefold() in taken:
            name, number = f"{one.name} ({number})", number + 1
        taken.add(file_name(name).casefold())
        named.append(replace(one, name=name))
    return named


def _with_factors(plan: Plan, found: Sequence[Planned]) -> list[Planned]:
    """Factors of the file's table, by recording or by animal, beside those of the entries."""
    known = {one.name for one in found} | {one.subject for one in found if one.subject}
    tables = dict(plan.factors)
    faults = [
        (("factors", factor, label), f"no such animal or recording; there are {_listed(known)}")
        for factor, table in tables.items()
        for label in table
        if label not in known
    ]
    after = (plan.intervention or {}).get("day")
    if isinstance(after, Mapping):
        faults += [
            (("intervention", "day", label), f"no such animal; there are {_listed(known)}")
            for label in after
            if label not in known
        ]
    if faults:
        raise plan.source.error(faults)
    return [
        replace(
            one,
            factors=dict(one.factors)
            | {
                factor: table[label]
                for factor, table in tables.items()
                for label in (one.subject, one.name)
                if label in table
            },
        )
        for one in found
    ]


def _listed(names: set[str], most: int = 12) -> str:
    shown = sorted(names)[:most]
    return ", ".join(shown) + (" ..." if len(names) > most else "")


class _Heads:
    """Animal and environment of files that were looked at before and have not changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._known = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self._known = {}
        self._now: dict[str, Any] = {}

    def of(self, path: Path, how: str, look: Any) -> list[str]:
        """What is known of a file, or what a look at it gives."""
        key = f"{path.resolve()} {how}"
        stamp = fingerprint(path)
        known = self._known.get(key)
        if not known or known[0] != stamp:
            known = [stamp, look()]
        self._now[key] = known
        return list(known[1])

    def save(self) -> None:
        """Keep it for the next time."""
        from neurodrift.io.output import whole

        with whole(self._path, overwrite=True) as unfinished:
            unfinished.write_text(json.dumps(self._now, indent=1), encoding="utf-8")


def fingerprint(path: Path) -> list[Any]:
    """Size and time of a file, or the generation of a store.

    Parameters
    ----------
    path
        The file or store.

    Returns
    -------
    list
        Another one once it has changed.
    """
    from neurodrift.io.manifest import read_manifest

    if path.is_dir():
        manifest = read_manifest(path)
        if manifest is not None:
            return [manifest.generation]
        path = path / "zarr.json"
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]
