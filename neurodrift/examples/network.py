"""A small network in training, as it is stored beside this file.

``python -m neurodrift.examples.network`` trains it again and writes the file.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import xarray as xr

from neurodrift.convert.bridges.checkpoints import recording_from_checkpoints

FILE = Path(__file__).with_name("network.npz")
SETTINGS: dict[str, float | int] = {
    "network.n_hidden": 100,
    "rule.update_noise": 0.05,
    "n_steps": 30_000,
    "snapshots": 7,
    "seed": 0,
}
"""What ``ratzon2024-track`` of the catalogue is changed by."""


def write_network(path: str | os.PathLike[str] = FILE) -> Path:
    """Train the network and store its hidden layer.

    Parameters
    ----------
    path
        The .npz file.

    Returns
    -------
    pathlib.Path
        `path`.
    """
    from neurodrift.recording import slice_sessions
    from neurodrift.simulate.settings.kinds import read_settings

    recording = read_settings("ratzon2024-track", SETTINGS).simulate().recording()
    parts = slice_sessions(recording)
    inputs = recording.isel(time=parts[0])
    np.savez_compressed(
        path,
        hidden=np.stack([recording["activity"].values[part] for part in parts]),
        position=inputs["x"].values,
        direction=inputs["direction"].values,
        steps=recording["training_step"].values,
        loss=recording["loss"].values,
    )
    return Path(path)


def read_network() -> xr.Dataset:
    """A network that learns to predict its next input on a track of two directions.

    Returns
    -------
    xarray.Dataset
        Activations of 100 hidden units at seven steps of training from 0 to 30000, over the same
        150 inputs. In truth the loss falls in the first steps; then noise on every update moves
        the weights on, and the code drifts while the network performs as well as before. Units
        keep their identity, and activations have no noise.

    Notes
    -----
    The task and rule are those of Ratzon, Derdikman & Barak (2024),
    https://doi.org/10.7554/eLife.90069, in a small network.

    Examples
    --------
    >>> from neurodrift.examples.network import read_network
    >>> read_network()["training_step"].values.tolist()
    [0, 5000, 10000, 15000, 20000, 25000, 30000]
    """
    with np.load(FILE, allow_pickle=False) as stored:
        return recording_from_checkpoints(
            stored["hidden"],
            stored["position"],
            steps=stored["steps"],
            direction=stored["direction"],
            loss=stored["loss"],
            subject="small network",
            environment="predictive_track",
        )


if __name__ == "__main__":
    print(write_network(*sys.argv[1:]))
