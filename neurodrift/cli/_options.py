"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import functools
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurodrift.cli._say import Facts

if TYPE_CHECKING:
    import xarray as xr

_Command = Callable[[argparse.Namespace], Facts | None]

KINDS_OF_STORES = ("results", "recording", "sweep")


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """Add the option that allows a command to replace what exists."""
    parser.add_argument("--overwrite", action="store_true", help="replace what exists")


def add_out(parser: argparse.ArgumentParser, told: str, *, needed: bool = True) -> None:
    """Add the option that names what a command writes."""
    parser.add_argument("-o", "--out", type=Path, required=needed, metavar="OUT", help=told)


def add_seed(parser: argparse.ArgumentParser) -> None:
    """Add the option of the seed."""
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of random numbers")


def add_curation(parser: argparse.ArgumentParser) -> None:
    """Add the option of a curation file."""
    parser.add_argument(
        "--curation",
        type=Path,
        metavar="FILE",
        help="YAML or CSV of units, sessions and epochs to leave out, with reasons",
    )


def add_binning(parser: argparse.ArgumentParser) -> None:
    """Add the options of frames and bins."""
    group = parser.add_argument_group("frames and bins")
    group.add_argument(
        "--bin-width", type=float, default=4.0, metavar="CM", help="width of position bins [cm]"
    )
    group.add_argument(
        "--track",
        type=float,
        nargs=2,
        metavar=("START", "END"),
        help="ends of the track [cm] (default: what was visited)",
    )
    group.add_argument(
        "--exclude-ends",
        type=float,
        default=0.0,
        metavar="CM",
        help="stretch left out at each end of the track [cm]",
    )
    group.add_argument(
        "--trial-types", action="store_true", help="make maps of each type of trial apart"
    )
    group.add_argument(
        "--speed-range",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="running speeds of the frames that count [cm/s] (default: 1 and above)",
    )
    group.add_argument(
        "--min-occupancy",
        type=float,
        default=0.0,
        metavar="S",
        help="shortest time in a bin for it to count [s]",
    )
    group.add_argument(
        "--directions",
        action=argparse.BooleanOptionalAction,
        help="make maps of each running direction apart (default: on a linear track)",
    )


def binning(options: argparse.Namespace) -> Any:
    """Frames and bins that the options stand for."""
    from neurodrift.analysis.maps.binning import Binning

    return Binning(
        bin_width=options.bin_width,
        track=None if options.track is None else tuple(options.track),
        exclude_ends=options.exclude_ends,
        speed_range=None if options.speed_range is None else tuple(options.speed_range),
        trial_types=options.trial_types,
        directions=options.directions,
        min_occupancy=options.min_occupancy,
    )


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the settings of a simulation."""
    parser.add_argument(
        "settings",
        metavar="NAME_OR_YAML",
        help=f"YAML file, or a published name: {', '.join(published())}",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a value instead of the file's, such as n_steps=1e5 or rule.update_noise=0.1; may "
        "be given again; of a sweep also its ranges, such as "
        "'sweep.ranges=[{key: rule.update_noise, values: [0.01, 0.1]}]'",
    )


@functools.cache
def published() -> list[str]:
    """Names of the published settings, without reading them whole."""
    texts = _catalogue()
    return sorted(n for n, text in texts.items() if not _has(text, "data_set", "prior"))


@functools.cache
def priors() -> list[str]:
    """Names of the priors of the catalogue, likewise."""
    return sorted(name for name, text in _catalogue().items() if _has(text, "prior"))


def _has(text: str, *keys: str) -> bool:
    return any(f"\n{key}:" in f"\n{text}" for key in keys)


def _catalogue() -> dict[str, str]:
    package = Path(__file__).parents[1]
    inside = package / "catalogs"
    folder = inside if inside.is_dir() else package.parent / "catalogs"
    return {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.yaml")}


def changes(options: argparse.Namespace) -> dict[str, Any]:
    """Changes that `--set` makes to the settings."""
    from neurodrift.simulate.settings.kinds import parse_change

    return dict(parse_change(text) for text in options.set)


def kind_of_store(path: Path) -> str:
    """What a store holds: one of KINDS_OF_STORES; empty if it was not written by neurodrift."""
    from neurodrift.io.manifest import store_attributes

    if not (path / "zarr.json").exists():
        raise FileNotFoundError(f"no store at {path}: expected a Zarr v3 directory")
    title = store_attributes(path).get("title")
    return next((kind for kind in KINDS_OF_STORES if title == f"neurodrift {kind}"), "")


def open_one(path: Path, run: int | None) -> xr.Dataset:
    """A recording of a store, or a run of a sweep."""
    from neurodrift.io.zarr import open_recording
    from neurodrift.simulate.sweep import open_sweep

    if kind_of_store(path) != "sweep":
        if run is not None:
            raise ValueError(f"--run {run} is for sweeps; {path} holds one recording")
        return open_recording(path)
    if run is None:
        raise ValueError(
            f"{path} is a sweep of {len(open_sweep(path))} runs: choose one by --run N"
        )
    return open_sweep(path).recording(run)


def add_workers(parser: argparse.ArgumentParser, kind: str = "threads") -> None:
    """Add the options of threads, processes and a Dask scheduler."""
    group = parser.add_argument_group("workers")
    group.add_argument(
        "--scheduler", metavar="ADDRESS", help="address of a Dask scheduler, tcp://host:port"
    )
    group.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help=f"number of {kind} without a scheduler (default: all cores)",
    )


def add_scheduler(parser: argparse.ArgumentParser) -> None:
    """Add the option of a Dask scheduler, for a command that is one piece of work."""
    group = parser.add_argument_group("workers")
    group.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="let a worker of a Dask scheduler do it, tcp://host:port; it must see the same files",
    )


def on_scheduler(command: _Command) -> _Command:
    """Let a command run on one of the workers of a scheduler, where one is named.

    Parameters
    ----------
    command
        The command, which is one piece of work.

    Returns
    -------
    callable
        The command; what it prints and raises is the same wherever it runs.
    """

    @functools.wraps(command)
    def run(options: argparse.Namespace) -> Facts | None:
        if options.scheduler is None:
            return command(options)
        from distributed import Client

        there = argparse.Namespace(**{n: _absolute(v) for n, v in vars(options).items()})
        there.scheduler = None
        with Client(options.scheduler) as client:
            facts, said = client.submit(_elsewhere, there, pure=False).result()
        print(said, end="")
        return facts

    return run


def _elsewhere(options: argparse.Namespace) -> tuple[Facts | None, str]:
    """Run a command on a worker; what came out, and what it printed."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        facts = options.run(options)
    return facts, said.getvalue()


def _absolute(value: Any) -> Any:
    """Paths that mean the same in another folder."""
    if isinstance(value, list):
        return [_absolute(item) for item in value]
    if isinstance(value, str) and value.endswith(".json"):  # a geometry
        return str(Path(value).absolute())
    return value.absolute() if isinstance(value, Path) else value


def give_memory_back() -> None:
    """Let arrays that are no longer used go back to the system at once.

    The allocator of Linux keeps freed arrays below 32 MB for later ones, for each thread, and so
    held twice of what was in use.
    """
    mmap_threshold, megabyte = -3, 2**20  # M_MMAP_THRESHOLD of mallopt(3)
    if sys.platform.startswith("linux") and "MALLOC_MMAP_THRESHOLD_" not in os.environ:
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # of glibc
        if mallopt is not None:
            mallopt(mmap_threshold, megabyte)


@contextmanager
def workers(options: argparse.Namespace) -> Iterator[None]:
    """Dask's workers for the time of a `with` block."""
    import dask

    if options.scheduler is not None:
        from distributed import Client

        with Client(options.scheduler):
            yield
    else:
        with dask.config.set(scheduler="threads", num_workers=options.workers):
            yield


def text(word: str) -> str:
    """A word of the command line as UTF-8, whatever the locale says.

    Parameters
    ----------
    word
        As Python decoded it.

    Returns
    -------
    str
        The text.
    """
    return os.fsencode(word).decode(errors="replace")


def claiming(*inputs: str, outputs: Sequence[str] = ("out",)) -> Callable[[_Command], _Command]:
    """Let a command hold its outputs from before its work begins.

    Parameters
    ----------
    *inputs
        Options that name what it reads: never replaced, nor written into.
    outputs
        Options that name what it writes.

    Returns
    -------
    callable
        Decorator of the command.
    """

    def decorated(command: _Command) -> _Command:
        @functools.wraps(command)
        def run(options: argparse.Namespace) -> Facts | None:
            from neurodrift.io.output import claimed

            named = [getattr(options, name) for name in inputs]
            read = [p for item in named for p in (item if isinstance(item, list) else [item])]
            read = [own for item in read if item is not None for own in what_is_read(item)]
            with contextlib.ExitStack() as stack:
                for name in outputs:
                    path = getattr(options, name)
                    if path is not None:
                        stack.enter_context(claimed(path, overwrite=options.overwrite, inputs=read))
                return command(options)

        return run

    return decorated


def what_is_read(path: str | Path) -> list[Path]:
    """What a command reads of an input: of a study its stores, beside which its report lies.

    Parameters
    ----------
    path
        A file, a store, the folder of a study, or a published name.

    Returns
    -------
    list of pathlib.Path
        Never replaced, nor written into.
    """
    from neurodrift.studies.folder import STORES, is_study

    return [Path(path) / name for name in STORES] if is_study(path) else [Path(path)]
