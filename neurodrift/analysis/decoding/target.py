"""What is decoded, how a guess is made of a probability, and how wrong it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from neurodrift.analysis.decoding.windows import Part, Places
from neurodrift.geometry.distance import distance
from neurodrift.schema.objects import expect_choice

Aim = Literal["position", "direction", "trial_type"]
"""What is decoded."""

Point = Literal["argmax", "mean"]
"""Which value stands for a distribution over positions."""

_ORDERED = ("linear", "vr", "field")  # geometries in which positions have a mean


@dataclass(frozen=True)
class Target:
    """A target in the places of a recording.

    Parameters
    ----------
    aim
        What is decoded.
    point
        How a position is chosen.
    places
        The bins, directions and types.
    """

    aim: Aim
    point: Point
    places: Places

    def __post_init__(self) -> None:
        expect_choice("target", self.aim, ("position", "direction", "trial_type"))
        expect_choice("point", self.point, ("argmax", "mean"))
        kind = self.places.geometry.kind
        if self.aim == "position" and self.point == "mean" and kind not in (*_ORDERED, "circular"):
            raise ValueError(
                f"point='mean', but positions of a {kind} have no mean: point='argmax'"
            )
        if self.aim == "direction" and np.unique(np.sign(self.places.ways)).size < 2:
            raise ValueError(
                "target='direction', but the recording has one direction: derive it with "
                "neurodrift.kinematics.running(recording), or decode the position"
            )
        if self.aim == "trial_type" and self.places.types is None:
            raise ValueError(
                "target='trial_type', but types of trial are not told apart: give "
                "binning=Binning(trial_types=True) and a recording with trial_type"
            )

    @property
    def is_share(self) -> bool:
        """Whether an error is the share of wrong guesses, and no distance."""
        return self.aim != "position" or self.places.geometry.kind == "category"

    @property
    def unit(self) -> str:
        """Unit of an error."""
        return "1" if self.is_share else self.places.geometry.unit

    @property
    def codes(self) -> np.ndarray:
        """(way) what each direction of the maps stands for."""
        if self.aim == "trial_type":
            assert self.places.types is not None
            return self.places.types
        return np.sign(self.places.ways).astype(np.int64)

    def truth(self, part: Part) -> np.ndarray:
        """(window, axis) what each window of a session truly is."""
        if self.aim == "position":
            if self.places.geometry.kind == "category":
                return self.places.centres[part.place]
            return part.x
        return self.codes[part.way][:, None].astype(float)

    def guess(self, posterior: np.ndarray) -> np.ndarray:
        """A value of each window.

        Parameters
        ----------
        posterior
            (window, way, bin) probability, up to a factor of each window.

        Returns
        -------
        numpy.ndarray
            (window, axis).
        """
        if self.aim != "position":
            names, which = np.unique(self.codes, return_inverse=True)
            summed = posterior.sum(axis=2) @ np.eye(names.size)[which]
            return names[summed.argmax(axis=1)][:, None].astype(float)
        by_bin = posterior.sum(axis=1)
        if self.point == "argmax":
            return self.places.centres[by_bin.argmax(axis=1)]
        by_bin = by_bin / by_bin.sum(axis=1, keepdims=True)
        if self.places.geometry.kind != "circular":
            return by_bin @ self.places.centres
        return self.from_angle(by_bin @ self.as_angle(self.places.centres))

    def as_angle(self, x: np.ndarray) -> np.ndarray:
        """(…, 2) cosine and sine of positions on a circle (…, 1)."""
        geometry = self.places.geometry
        assert geometry.length is not None
        angle = 2 * np.pi * (x[:, 0] - geometry.origin) / geometry.length
        return np.column_stack([np.cos(angle), np.sin(angle)])

    def from_angle(self, pair: np.ndarray) -> np.ndarray:
        """(…, 1) positions on a circle from cosines and sines (…, 2)."""
        geometry = self.places.geometry
        assert geometry.length is not None
        turn = np.arctan2(pair[:, 1], pair[:, 0]) / (2 * np.pi) % 1.0
        return (geometry.origin + geometry.length * turn)[:, None]

    def error(self, guess: np.ndarray, truth: np.ndarray) -> np.ndarray:
        """How wrong guesses are.

        Parameters
        ----------
        guess, truth
            (..., axis) of shapes that fit each other.

        Returns
        -------
        numpy.ndarray
            (...) distance along what is mapped, straight in two dimensions; 1 for a wrong and 0 for
            a right guess of a direction, type or category.
        """
        if self.is_share:
            return (guess[..., 0] != truth[..., 0]).astype(float)
        if guess.shape[-1] == 2:
            return np.asarray(np.hypot(*np.moveaxis(guess - truth, -1, 0)))
        return distance(self.places.geometry, guess[..., 0], truth[..., 0])


def between_bins(places: Places) -> np.ndarray:
    """(bin, bin) distance of the bins; infinity between categories."""
    centres = places.centres
    if centres.shape[1] == 2:
        return np.asarray(np.hypot(*(centres[:, None] - centres[None]).transpose(2, 0, 1)))
    return distance(places.geometry, centres[:, 0][:, None], centres[:, 0][None])


def smoothing_kernel(places: Places, smoothing: float) -> np.ndarray:
    """(bin, bin) weights of a Gaussian over the bins along what is mapped, cut at 3 sd."""
    apart = between_bins(places)
    if smoothing <= 0:
        return np.eye(apart.shape[0])
    away = apart / smoothing
    return np.where(away <= 3.0, np.exp(-0.5 * np.minimum(away, 3.0) ** 2), 0.0)
