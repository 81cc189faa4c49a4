"""Every analysis of a multiverse, with the work that they have in common done once."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from neurodrift.analysis.maps.binning import Binning
from neurodrift.studies.choices import Universe, binning_of, options_of
from neurodrift.studies.recordings import Planned

NODES = ("sessions", "place_cells", "cross_fitted", "drift", "session_drift")
"""What conclusions are drawn from."""

_KEPT = ("sessions", "drift", "session_drift", "matched")
_UNITS = ("unit", "direction", "position")
_SETTLED = ("matching", "held")  # by reading the same analysis in another way


@dataclass(frozen=True, kw_only=True)
class Job:
    """Analyses of one recording with the same bins and frames.

    Parameters
    ----------
    planned
        The recording.
    binning
        Bins and frames.
    registration
        Lowest score of an identity, or None.
    analyses
        Options of each analysis, by its key.
    folder
        Of the study.
    """

    planned: Planned
    binning: Binning
    registration: float | None
    analyses: Mapping[str, Mapping[str, Any]]
    folder: Path

    @property
    def where(self) -> str:
        """Its bins, frames and identities, as :func:`where_of` says them."""
        return _where(self.binning, self.registration)


@dataclass(frozen=True)
class Done:
    """What came of a job: trees of results without units, or why there is none, by key."""

    name: str
    where: str
    trees: Mapping[str, xr.DataTree]
    faults: Mapping[str, str]


def key_of(universe: Universe, universes: Sequence[Universe], options: Mapping[str, Any]) -> str:
    """The analysis that a universe reads.

    A trend as recorded stands beside the one on an equal footing in the same analysis, so that both
    readings need one.

    Parameters
    ----------
    universe
        One combination.
    universes
        All of them.
    options
        What they do not decide.

    Returns
    -------
    str
        The same for universes that read the same analysis.
    """
    return json.dumps(_analysis_of(universe, universes, options), sort_keys=True, default=str)


def _analysis_of(
    universe: Universe, universes: Sequence[Universe], options: Mapping[str, Any]
) -> dict[str, Any]:
    found = options_of(universe, options)
    if found["match"] is None:
        others = [u.matched for u in universes if _but_settled(u) == _but_settled(universe)]
        found["match"] = next((m for m in others if m is not None), None)
    return found


def _but_settled(universe: Universe) -> dict[str, Any]:
    return {name: v for name, v in universe.options.items() if name not in _SETTLED}


def where_of(universe: Universe, settings: Mapping[str, Any]) -> str:
    """The bins, frames and identities of a universe, in one text.

    Parameters
    ----------
    universe
        One combination.
    settings
        Settings of bins and frames that it does not decide.

    Returns
    -------
    str
        The same for universes that share a job.
    """
    return _where(binning_of(universe, settings), universe.options.get("registration"))


def _where(binning: Binning, registration: float | None) -> str:
    return f"{binning.to_json()} {registration} "


def jobs_of(
    recordings: Sequence[Planned],
    universes: Sequence[Universe],
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
    folder: Path,
) -> list[Job]:
    """All analyses, those of a recording with the same bins and frames in one job.

    Parameters
    ----------
    recordings, universes
        Recordings and combinations.
    settings, options
        Settings of bins and frames, and options of the analysis, that combinations do not decide.
    folder
        Of the study.

    Returns
    -------
    list of Job
        In the order of the universes.
    """
    groups: dict[tuple[str, float | None], tuple[Binning, dict[str, dict[str, Any]]]] = {}
    for universe in universes:
        own, least = binning_of(universe, settings), universe.options.get("registration")
        group = groups.setdefault((own.to_json(), least), (own, {}))
        analysis = _analysis_of(universe, universes, options)
        group[1][key_of(universe, universes, options)] = analysis
    return [
        Job(planned=planned, binning=own, registration=least, analyses=analyses, folder=folder)
        for planned in recordings
        for (_, least), (own, analyses) in groups.items()
    ]


def make_job(job: Job) -> Done:
    """Run the analyses of a job, or read what was made of them before.

    Parameters
    ----------
    job
        The job.

    Returns
    -------
    Done
        An analysis that fails does not stop the others.
    """
    import dask

    from neurodrift.analysis._sharing import shared_work
    from neurodrift.analysis.analyze import analyze
    from neurodrift.studies.one import recording_of, told_of

    trees: dict[str, xr.DataTree] = {}
    faults: dict[str, str] = {}
    with (
        dask.config.set(scheduler="threads", num_workers=1),
        warnings.catch_warnings(),
        shared_work(),
    ):
        warnings.simplefilter("ignore", UserWarning)
        try:
            if job.planned.fault:
                raise ValueError(job.planned.fault)
            recording = recording_of(job.planned, job.folder)
            path = _path(job, recording)
            known = _read(path)
            if known is not None:
                return known
            recording = _registered(recording, job.registration).load()
        except Exception as error:  # whatever it is, it is told, and others go on
            return failed(job, told_of(error))
        cache: dict[str, xr.Dataset] = {}
        for key, analysis in job.analyses.items():
            wanted = [*NODES, *(["matched"] if analysis["match"] is not None else [])]
            try:
                results = analyze(
                    recording,
                    binning=job.binning,
                    curation=job.planned.curation,
                    cache=cache,
                    **{**analysis, "measures": wanted},
                )
                trees[key] = without_units(results)
            except Exception as error:  # the same
                faults[key] = told_of(error)
    done = Done(job.planned.name, job.where, trees, faults)
    _write(done, path)
    return done


def failed(job: Job, text: str) -> Done:
    """What came of a job that failed as a whole.

    Parameters
    ----------
    job
        The job.
    text
        Why.

    Returns
    -------
    Done
        With that text for each analysis.
    """
    return Done(job.planned.name, job.where, {}, dict.fromkeys(job.analyses, text))


def _registered(recording: xr.Dataset, least: float | None) -> xr.Dataset:
    """Without the identities that are less sure than a score; scores that are not known stay.

    Units that are left in no session go.
    """
    if least is None:
        return recording
    if "registration_score" not in recording:
        raise ValueError("the recording has no registration_score: leave that choice out")
    score = recording["registration_score"]
    sure = (score >= least) | score.isnull()
    detected = recording["detected"] & sure
    return recording.assign(detected=detected).isel(unit=detected.any("session").values)


def without_units(results: xr.DataTree) -> xr.DataTree:
    """Results of a recording without what is of single units or bins.

    Parameters
    ----------
    results
        Result of :func:`neurodrift.analyze`.

    Returns
    -------
    xarray.DataTree
        The nodes by session and pair of sessions.
    """
    root = results.to_dataset()
    kept: dict[str, xr.Dataset] = {"/": root.drop_vars(set(root.variables) - set(root.coords))}
    for name in _KEPT:
        if name in results.children:
            node = results.children[name].to_dataset(inherit=False)
            drop = [n for n, v in node.variables.items() if set(v.dims) & set(_UNITS)]
            kept[name] = node.drop_vars(drop)
    if "sparsity" in results.children:
        kept["sparsity"] = xr.Dataset(attrs=results["sparsity"].attrs)
    if "place_cells" in results.children:
        kept["place_cells"] = xr.Dataset()
    return xr.DataTree.from_dict(kept)


def _path(job: Job, recording: xr.Dataset) -> Path:
    from neurodrift.analysis.cache import code_key, recording_key

    curation = job.planned.curation
    parts = {
        "code": code_key(),
        "recording": recording_key(recording),
        "binning": job.binning.to_json(),
        "registration": job.registration,
        "curation": None if curation is None else curation.read_text(encoding="utf-8"),
        "analyses": sorted(job.analyses),
    }
    digits = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]
    return job.folder / "multiverse" / f"{job.planned.slug}-{digits}.zarr"


def _write(done: Done, path: Path) -> None:
    from neurodrift.io.zarr import save_results

    keys = [*done.trees]
    root = xr.Dataset(
        attrs={
            "title": "neurodrift results",
            "name": done.name,
            "where": done.where,
            "keys": json.dumps(keys),
            "faults": json.dumps(dict(done.faults)),
        }
    )
    nodes: dict[str, Any] = {"/": root}
    for i, key in enumerate(keys):
        tree = done.trees[key]
        nodes[f"/{i}"] = tree.to_dataset()
        nodes |= {
            f"/{i}/{name}": node.to_dataset(inherit=False) for name, node in tree.children.items()
        }
    save_results(xr.DataTree.from_dict(nodes), path, overwrite=True)


def _read(path: Path) -> Done | None:
    from neurodrift.io.zarr import open_results

    if not (path / "zarr.json").is_file():
        return None
    try:
        stored = open_results(path)
        keys = json.loads(stored.attrs["keys"])
        trees = {key: stored.children[str(i)].copy().load() for i, key in enumerate(keys)}
        return Done(
            stored.attrs["name"], stored.attrs["where"], trees, json.loads(stored.attrs["faults"])
        )
    except (OSError, ValueError, KeyError):
        return None
