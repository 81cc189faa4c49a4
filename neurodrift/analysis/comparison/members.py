"""Results of several recordings as plain tables: sessions, pairs of sessions, and neighbours.

The comparison of sides and the pooling of animals read the same tables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurodrift.analysis._inference import exact_mean
from neurodrift.analysis.identity.sentences import Weighed, weigh_matches
from neurodrift.analysis.regression.tables import tabulate_drift
from neurodrift.analysis.series.matched import matched_series
from neurodrift.analysis.series.trend import places, time_of

MEASURES = (
    "fraction_active_units",
    "fraction_active_units_matched",
    "active_fraction",
    "active_fraction_matched",
    "fraction_place_cells",
    "fraction_place_cells_matched",
    "information_matched",
    "fraction_informative_units",
    "information",
    "information_population",
    "information_ssr",
    "information_naive",
    "information_informative",
    "n_active",
    "n_detected",
    "running_speed",
    "loss",
)
"""Session measures that are compared where any recording has them."""

AXES = ("day", "experience", "training_step")
"""Axes beside the fraction of the way, where any recording has them."""

_CORRELATIONS = (
    "rate_map_correlation",
    "population_vector_correlation",
    "ensemble_rate_correlation",
)
SIMILARITIES = tuple(f"{name}{end}" for name in _CORRELATIONS for end in ("_relative", ""))
"""Similarities of two sessions, the preferred one first."""

_CLOCKS = ("training_step", "experience", "day", "session_number")


@dataclass(frozen=True, eq=False, kw_only=True)
class Member:
    """One recording of a side.

    Parameters
    ----------
    side, name, subject, environment
        Which recording of what.
    replicate
        What counts once between subjects: the animal, or the run of a simulation.
    clock
        Column that the fraction of the way runs along; empty for one session.
    noise_free
        Whether activity is the activation of a network, which has no sampling noise.
    information_source
        How its ``information`` is made: cross-fitted, or naive of activity without noise; empty
        where there is none.
    criterion
        How place cells were decided.
    n_maps
        Maps of the environment that the population switches between.
    matched
        Session measures that are taken on an equal footing, from ``NAME_matched``.
    sessions
        One row a session: axes, measures, covariates.
    similarity
        (session, session) by name, above the diagonal.
    ceiling
        Mean similarity of halves of a session, by similarity.
    wrong_cells
        Estimated share of the cells of a pair of sessions that are others, if drift is steady, mean
        over the pairs; NaN where there is no estimate.
    doubtful
        Sessions that the check of the registration does not find in order.
    matches
        What wrong matches alone would take off the similarity of maps, beside what is lost between
        the sessions furthest apart; None where there is no estimate.
    registered
        Whether the registration was checked.
    """

    side: str
    name: str
    subject: str
    environment: str
    replicate: str
    clock: str
    noise_free: bool
    information_source: str
    criterion: str
    n_maps: int
    matched: frozenset[str]
    sessions: pd.DataFrame
    similarity: dict[str, np.ndarray]
    ceiling: dict[str, float]
    wrong_cells: float = np.nan
    doubtful: tuple[str, ...] = ()
    matches: Weighed | None = None
    registered: bool = False

    def column(self, name: str) -> np.ndarray:
        """(session) values, NaN where there is no such column."""
        if name not in self.sessions:
            return np.full(len(self.sessions), np.nan)
        return self.sessions[name].to_numpy(float)

    @property
    def when(self) -> np.ndarray:
        """(session) places in time, in steps."""
        columns = {str(name): self.column(str(name)) for name in self.sessions if name != "session"}
        return places(time_of(columns, len(self.sessions)))

    def has(self, name: str) -> bool:
        """Whether it has a session measure or a similarity anywhere."""
        if name in self.similarity:
            return bool(np.isfinite(self.similarity[name]).any())
        return bool(np.isfinite(self.column(name)).any())

    def matrix(self, name: str) -> np.ndarray:
        """(session, session) similarity, NaN where there is none."""
        n_sessions = len(self.sessions)
        return self.similarity.get(name, np.full((n_sessions, n_sessions), np.nan))

    def pairs(self, similarity: str, axis: str, covariates: Sequence[str] = ()) -> np.ndarray:
        """(pair, column) similarity, lag along the axis, and how far apart the covariates are."""
        first, second = np.triu_indices(len(self.sessions), k=1)
        at = self.column(axis)
        gaps = [np.abs(self.column(c)[second] - self.column(c)[first]) for c in covariates]
        return np.column_stack(
            [self.matrix(similarity)[first, second], at[second] - at[first], *gaps]
        )

    def rates(
        self,
        similarity: str,
        axis: str,
        covariates: Sequence[str] = (),
        kept: np.ndarray | None = None,
    ) -> np.ndarray:
        """(step, column) rate of decorrelation between neighbours, among the sessions `kept`.

        The rate is -ln r over the fraction of the way; then come the middle on the axis, and how
        far apart the covariates are.
        """
        kept = np.arange(len(self.sessions)) if kept is None else kept
        first, second = kept[:-1], kept[1:]
        way, at = self.column("fraction"), self.column(axis)
        r, gap = self.matrix(similarity)[first, second], way[second] - way[first]
        usable = (r > 0) & (gap > 0)
        rate = np.full(r.size, np.nan)
        rate[usable] = -np.log(r[usable]) / gap[usable]
        apart = [np.abs(self.column(c)[second] - self.column(c)[first]) for c in covariates]
        return np.column_stack([rate, (at[first] + at[second]) / 2, *apart])


def gather(sides: Sequence[Any], names: Sequence[str] | None) -> list[Member]:
    """Recordings of every side in order.

    Parameters
    ----------
    sides
        For each side a tree of results, a sequence or a mapping of them.
    names
        Names of the sides; subject and environment of single recordings, otherwise letters.

    Returns
    -------
    list of Member
        The recordings.
    """
    given = [_trees(side, f"side {i + 1}") for i, side in enumerate(sides)]
    labels = list(names) if names is not None else _names(given)
    if len(labels) != len(given):
        raise ValueError(f"{len(labels)} names for {len(given)} sides: give one for each side")
    if len(set(labels)) < len(labels):
        raise ValueError(f"the sides are called {', '.join(labels)}: give different names")
    members: list[Member] = []
    taken: set[str] = set()
    for label, trees in zip(labels, given, strict=True):
        own: list[Member] = []
        for name, tree in trees:
            name = unique_name(name, taken)
            member = _member(label, name, tree)
            _refuse_twin(member, own)
            own.append(member)
        members += own
    return members


def _trees(side: Any, where: str) -> list[tuple[str, xr.DataTree]]:
    """Named trees of results of one side."""
    if isinstance(side, xr.DataTree) and "sessions" in side.children:
        return [(title_of(side), side)]
    if isinstance(side, Mapping):
        found = [
            (str(key) if len(named) == 1 else f"{key} {name}", tree)
            for key, item in (side.children if isinstance(side, xr.DataTree) else side).items()
            for named in [_trees(item, f"{where}, {key!r}")]
            for name, tree in named
        ]
    elif isinstance(side, Sequence) and not isinstance(side, str | bytes):
        found = [pair for item in side for pair in _trees(item, where)]
    else:
        raise TypeError(
            f"{where} is a {type(side).__name__}: expected results of neurodrift.analyze, a list "
            "or a mapping of them. Analyse recordings first, stores open with open_results"
        )
    if not found:
        raise ValueError(f"{where} holds no results: give at least one tree of neurodrift.analyze")
    return found


def _names(given: list[list[tuple[str, xr.DataTree]]]) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    names: list[str] = []
    for i, trees in enumerate(given):
        name = trees[0][0] if len(trees) == 1 else letters[i % len(letters)]
        names.append(unique_name(name, set(names)))
    return names


def unique_name(name: str, taken: set[str]) -> str:
    """A name that is not taken yet, which it is from now on."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name} ({number})", number + 1
    taken.add(found)
    return found


def title_of(tree: xr.DataTree | xr.Dataset) -> str:
    """Subject and environment of a recording or of its results."""
    parts = [str(tree[name].item()) for name in ("subject", "environment") if name in tree.coords]
    return " ".join(parts) or "recording"


def _refuse_twin(member: Member, others: list[Member]) -> None:
    for other in others:
        if (other.subject, other.environment) == (
            member.subject,
            member.environment,
        ) and other.sessions.equals(member.sessions):
            raise ValueError(
                f"side {member.side!r} has {other.name!r} twice: each recording counts once"
            )


def _member(side: str, name: str, tree: xr.DataTree) -> Member:
    nodes = {key: node.to_dataset() for key, node in tree.children.items()}
    if not {"sessions", "drift"} <= set(nodes):
        raise ValueError(
            f"{name!r} has no node 'sessions' or 'drift': expected a result of neurodrift.analyze"
        )
    kind = nodes["sparsity"].attrs.get("activity_kind") if "sparsity" in nodes else None
    noise_free = kind == "activation"
    sessions = nodes["sessions"].to_dataframe().reset_index()
    labels = sessions["session"].astype(str)
    sessions = sessions.select_dtypes(["number", "bool"]).astype(float)
    sessions["session_number"] = np.arange(len(sessions), dtype=float)
    source = "naive" if noise_free else "cross-fitted"
    if "information" not in sessions:
        source = ""
    clock = next((c for c in _CLOCKS if c in sessions and _runs(sessions[c])), "")
    if clock:
        at = sessions[clock].to_numpy()
        sessions["fraction"] = (at - at.min()) / np.ptp(at)
    else:
        sessions["fraction"] = np.nan
    sessions.insert(0, "session", labels)
    subject = str(tree["subject"].item()) if "subject" in tree.coords else name
    similarity = _similarities(nodes, labels.tolist(), noise_free)
    matched = frozenset(matched_series(tree))
    if matched:
        similarity |= _matched_similarities(nodes["matched"], labels.tolist())
    return Member(
        side=side,
        name=name,
        subject=subject,
        environment=str(tree["environment"].item()) if "environment" in tree.coords else "",
        replicate=name if "training_step" in sessions else subject,
        clock=clock,
        noise_free=noise_free,
        information_source=source,
        criterion=_criterion(tree, nodes),
        n_maps=int(tree.attrs.get("n_maps", 1)),
        matched=matched,
        sessions=sessions,
        similarity=similarity,
        ceiling=_ceiling(nodes),
        wrong_cells=_wrong_cells(nodes),
        doubtful=_doubtful(nodes),
        matches=_matches(nodes),
        registered="verdict" in nodes.get("quality", {}) and len(sessions) > 1,
    )


def _runs(values: pd.Series) -> bool:
    return bool(np.isfinite(values).all() and len(values) > 1 and np.ptp(values) > 0)


def _criterion(tree: xr.DataTree, nodes: dict[str, xr.Dataset]) -> str:
    if "place_cells" not in nodes:
        return ""
    parameters = json.loads(tree.attrs.get("parameters", "{}"))
    return str(parameters.get("criterion", "shuffle"))


def _similarities(
    nodes: dict[str, xr.Dataset], labels: list[str], noise_free: bool
) -> dict[str, np.ndarray]:
    """Similarities of all sessions; relative to the ceiling they come from halves of sessions.

    The activation of a network is without noise, so its correlation is relative already.
    """
    found: dict[str, np.ndarray] = {}
    for node, end in (("drift", ""), ("session_drift", "_relative")):
        if node in nodes and not (noise_free and end):
            found |= _matrices(nodes[node], labels, end)
    if noise_free:
        found |= {f"{name}_relative": matrix for name, matrix in found.items()}
    return found


def _matched_similarities(matched: xr.Dataset, labels: list[str]) -> dict[str, np.ndarray]:
    """Similarities relative to the ceiling on an equal footing, where they were computed."""
    pairs = [name for name, array in matched.data_vars.items() if "session_a" in array.dims]
    found = _matrices(matched[pairs], labels, "_relative") if pairs else {}
    return {f"{name}_matched": matrix for name, matrix in found.items()}


def _matrices(drift: xr.Dataset, labels: list[str], end: str) -> dict[str, np.ndarray]:
    """(session, session) correlations whose names have this end, above the diagonal."""
    number = {label: i for i, label in enumerate(labels)}
    table = tabulate_drift(drift)
    a, b = (table[name].astype(str).map(number) for name in ("session_a", "session_b"))
    found = {}
    for name in _CORRELATIONS:
        if f"{name}{end}" in table:
            matrix = np.full((len(labels), len(labels)), np.nan)
            matrix[a, b] = table[f"{name}{end}"]
            np.fill_diagonal(matrix, np.nan)
            found[f"{name}{end}"] = matrix
    return found


def _wrong_cells(nodes: dict[str, xr.Dataset]) -> float:
    """Mean over pairs of sessions of the estimated share of wrong cells."""
    quality = nodes.get("quality", xr.Dataset())
    if "wrong_share" not in quality or quality.sizes["session"] < 2:
        return np.nan
    share = quality["wrong_share"].transpose("session", "other").values
    return exact_mean(share[np.triu_indices(len(share), k=1)])


def _doubtful(nodes: dict[str, xr.Dataset]) -> tuple[str, ...]:
    """Labels of sessions whose verdict is another one than ok."""
    quality = nodes.get("quality", xr.Dataset())
    if "verdict" not in quality:
        return ()
    odd = quality["verdict"].values != "ok"
    return tuple(str(name) for name in quality["session"].values[odd])


def _matches(nodes: dict[str, xr.Dataset]) -> Weighed | None:
    """The drift of maps beside what the estimated wrong matches alone would make of it."""
    if not {"identity_sensitivity", "quality"} <= set(nodes):
        return None
    return weigh_matches(nodes["identity_sensitivity"], nodes["quality"])


def _ceiling(nodes: dict[str, xr.Dataset]) -> dict[str, float]:
    ceiling = {}
    for name in _CORRELATIONS:
        if name in nodes.get("session_drift", {}):
            own = np.diagonal(nodes["session_drift"][name].values)
            if np.isfinite(own).any():
                ceiling[name] = float(own[np.isfinite(own)].mean())
    return ceiling
