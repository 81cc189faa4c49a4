"""Checkpoints of anybody's training loop as a recording."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from neurodrift.geometry.geometry import Geometry
from neurodrift.recording import recording_from_arrays

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def recording_from_checkpoints(
    hidden: Sequence[ArrayLike],
    position: ArrayLike | Sequence[ArrayLike] | None = None,
    *,
    steps: Sequence[int],
    direction: ArrayLike | Sequence[ArrayLike] | None = None,
    trial_type: ArrayLike | Sequence[ArrayLike] | None = None,
    loss: Sequence[float] | ArrayLike | None = None,
    accuracy: Sequence[float] | ArrayLike | None = None,
    unit: Sequence[Hashable] | None = None,
    frame_duration: float = 1.0,
    geometry: Geometry | Mapping[str, object] | str | None = None,
    subject: str = "network",
    environment: str = "simulated",
    accept: Collection[str] = (),
) -> xr.Dataset:
    """Build a recording of what a hidden layer did at checkpoints of its training.

    Run the same inputs through the network at every checkpoint, and keep the activations and where
    the agent was. A checkpoint becomes a session, an input a frame, a hidden unit a unit; a unit
    keeps its identity, and every unit is detected.

    Parameters
    ----------
    hidden
        For each checkpoint (time, unit): activations without noise. NumPy arrays, or tensors of
        PyTorch, JAX, TensorFlow or CuPy, on any device, with or without a gradient, in any
        precision (``bfloat16`` becomes ``float32``). One array (checkpoint, time, unit) is taken
        too.
    position
        (time) or (time, 2) position [cm], or another variable that `geometry` names: one array for
        all checkpoints, or a list with one for each. Without it there are no maps, and drift is
        that of activity alone.
    steps
        (checkpoint) training step of each, ascending.
    direction
        (time) direction of running, -1, 0 (undefined) or +1, as one array or one for each
        checkpoint. Without it both directions are pooled in the maps.
    trial_type
        (time) class of the input, -1 for none.
    loss, accuracy
        (checkpoint) error, smaller when performance is better, and share of correct answers.
    unit
        Labels of the units; 0, 1, ... when omitted.
    frame_duration
        Time that an input stands for [s].
    geometry
        Shape of the environment, as for :func:`neurodrift.recording_from_arrays`.
    subject, environment
        Name of the network, and of its task.
    accept
        Names of findings of the gate that are taken as true, see :mod:`neurodrift.gate`.

    Returns
    -------
    xarray.Dataset
        A recording of kind ``activation``, as :func:`neurodrift.simulate.simulate` gives it; its
        sessions are called ``step N``.

    Raises
    ------
    TypeError
        If something is no array or tensor of numbers.
    ValueError
        If shapes disagree, steps do not ascend, or the gate finds what cannot be, such as
        activations that are no number.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.convert.bridges.checkpoints import recording_from_checkpoints
    >>> position = np.linspace(0, 100, 50)
    >>> hidden = [np.exp(-(((position[:, None] - c) / 20) ** 2)) for c in ([20, 60], [30, 60])]
    >>> recording = recording_from_checkpoints(hidden, position, steps=[0, 1000])
    >>> dict(recording.sizes), recording["session"].values.tolist()
    ({'time': 100, 'unit': 2, 'session': 2}, ['step 0', 'step 1000'])
    """
    layers = _each("hidden", hidden)
    n = len(layers)
    for i, layer in enumerate(layers):
        if layer.ndim != 2:
            raise ValueError(
                f"hidden[{i}] has shape {layer.shape}, expected (time, unit): lay trials end to "
                "end, hidden.reshape(-1, n_units), and position in the same order"
            )
    told = _plain("steps", steps)
    if told.shape != (n,):
        raise ValueError(f"steps has shape {told.shape}, but there are {n} checkpoints in hidden")
    if told.dtype.kind not in "iu" or (np.diff(told.astype(np.int64)) <= 0).any():
        raise ValueError(f"steps is {told.tolist()}, expected whole numbers that ascend")
    lengths = [len(layer) for layer in layers]
    frames: dict[str, list[np.ndarray]] = {}
    if position is not None:
        places = _per_checkpoint("position", position, lengths, axes=2)
        frames["x"] = [place if place.ndim == 1 else place[:, 0] for place in places]
        if any(place.ndim == 2 and place.shape[1] == 2 for place in places):
            frames["y"] = [place[:, 1] for place in places]
    for name, values in (("direction", direction), ("trial_type", trial_type)):
        if values is not None:
            frames[name] = _per_checkpoint(name, values, lengths)
    told_of = {"loss": loss, "accuracy": accuracy}
    made: Any = {name: _curve(name, v) for name, v in told_of.items() if v is not None}
    return recording_from_arrays(
        layers,
        kind="activation",
        frame_duration=frame_duration,
        session=[f"step {step}" for step in told.tolist()],
        training_step=told,
        unit=unit,
        geometry=geometry,
        subject=subject,
        environment=environment,
        accept=accept,
        **frames,  # type: ignore[arg-type]
        **made,
    )


def _curve(name: str, values: Any) -> np.ndarray:
    """A number for each checkpoint, each of which may be a tensor by itself."""
    if isinstance(values, list | tuple):
        return np.array([_plain(f"{name}[{i}]", item) for i, item in enumerate(values)])
    return _plain(name, values)


def _each(name: str, values: Any) -> list[np.ndarray]:
    """What was given for each checkpoint, as plain arrays."""
    if not isinstance(values, list | tuple):
        whole = _plain(name, values)
        if whole.ndim != 3:
            raise ValueError(
                f"{name} is one array of shape {whole.shape}, expected a list of arrays "
                "(time, unit), one for each checkpoint"
            )
        return list(whole)
    if not values:
        raise ValueError(f"{name} is an empty list, expected an array for each checkpoint")
    return [_plain(f"{name}[{i}]", item) for i, item in enumerate(values)]


def _per_checkpoint(name: str, values: Any, lengths: list[int], axes: int = 1) -> list[np.ndarray]:
    """Values of every frame, for each checkpoint; one array is that of all of them."""
    is_list = isinstance(values, list | tuple) and any(np.ndim(_seen(v)) for v in values)
    if is_list and len(values) != len(lengths):
        raise ValueError(
            f"{name} is a list of {len(values)} arrays, but there are {len(lengths)} checkpoints "
            "in hidden: give one for each, or one array for all"
        )
    parts = (
        [_plain(f"{name}[{i}]", item) for i, item in enumerate(values)]
        if is_list
        else [_plain(name, values)] * len(lengths)
    )
    shapes = "(time)" if axes == 1 else "(time) or (time, 2)"
    for i, (part, length) in enumerate(zip(parts, lengths, strict=True)):
        good = part.ndim == 1 or (part.ndim == 2 == axes and part.shape[1] in (1, 2))
        if not good or len(part) != length or part.ndim != parts[0].ndim:
            raise ValueError(
                f"{name} of checkpoint {i} has shape {part.shape}, expected {shapes} with the "
                f"{length} frames of hidden[{i}]"
            )
    return parts


def _seen(values: Any) -> Any:
    """What tells its number of dimensions."""
    return values if hasattr(values, "ndim") else np.asarray(values)


def _plain(name: str, values: Any) -> np.ndarray:
    """Numbers of an array or tensor of any library: no gradient, in memory, of a NumPy dtype."""
    found = values
    if hasattr(found, "detach"):  # PyTorch
        found = found.detach().cpu()
        found = found.to_dense() if getattr(found, "is_sparse", False) else found
        if not _is_numpy(found):
            found = found.float()
    elif hasattr(found, "get") and hasattr(found, "__cuda_array_interface__"):  # CuPy
        found = found.get()
    elif not hasattr(found, "__array__") and hasattr(found, "__dlpack__"):
        found = np.from_dlpack(found)
    try:
        array = np.asarray(found)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{name} cannot be read as an array of numbers: {error}") from None
    if array.dtype.name in ("bfloat16", "float8_e4m3fn", "float8_e5m2"):  # JAX, by ml_dtypes
        array = array.astype(np.float32)
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{name} is of type {type(values).__name__} and dtype {array.dtype}, expected an array "
            "or tensor of real numbers"
        )
    return array


def _is_numpy(tensor: Any) -> bool:
    """Whether NumPy has the precision of a tensor."""
    return hasattr(np, str(tensor.dtype).rpartition(".")[2])
