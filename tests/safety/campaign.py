"""Writing commands killed, out of disk, doubled and read meanwhile: nothing torn, lost or left.

    python tests/safety/campaign.py --n 200 [--seed 0]

Every try is a process forked from this one, which has done the imports and nothing else.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pynwb  # noqa: F401 (imported once, before the forks)

import neurodrift as nd
from neurodrift import testing
from neurodrift.cli import main
from neurodrift.io.manifest import DamagedStoreError
from neurodrift.io.nwb.session import session_from_recording
from neurodrift.io.nwb.write import write_session

MAPPING = """\
subject: {id: m, species: Mus musculus}
environment: track
region: CA1
activity: {kind: events, file: activity.npz, samples: counts, axes: [frames, units], rate: 20}
position: {file: activity.npz, x: x, unit: cm, rate: 20}
sessions:
- {session: a, start: 2026-01-01 10:00:00}
- {session: b, start: 2026-01-02 10:00:00}
"""

SWEEP = """\
task: {name: random}
n_steps: 500
measures: 3
snapshots: 2
sweep: {ranges: [{key: seed, integers: [0, 5]}]}
"""


@dataclass(frozen=True)
class Command:
    """A writing command without its output, the output's name, and whether that is whole."""

    name: str
    words: tuple[str, ...]
    output: str
    is_whole: Callable[[Path], bool]


def is_whole_store(path: Path) -> bool:
    return nd.verify(path).sound


def is_whole_page(path: Path) -> bool:
    return path.read_text(encoding="utf-8").rstrip().endswith("</html>")


def is_whole_nwb(path: Path) -> bool:
    with h5py.File(path) as file:
        file.visititems(lambda _, item: item[()] if isinstance(item, h5py.Dataset) else None)
        return "file_create_date" in file


def are_whole_nwbs(folder: Path) -> bool:
    return all(is_whole_nwb(path) for path in folder.iterdir() if not path.name.startswith("."))


def prepare(folder: Path) -> None:
    """Write what the commands read."""
    recording = testing.linear_track(n_units=12, n_sessions=3, minutes=3, seed=1)
    nd.save_recording(recording, folder / "in.zarr")
    for label in recording["session"].values:
        write_session(session_from_recording(recording, label), folder / f"in{label}.nwb")
    nd.save_results(nd.analyze(recording, n_repeats=5), folder / "in-results.zarr")
    counts = np.random.default_rng(0).poisson(0.05, (3600, 8)).astype(np.uint8)
    x = 50 + 45 * np.sin(np.arange(3600) / 100)
    np.savez(folder / "activity.npz", counts=counts, x=x)
    (folder / "mapping.yaml").write_text(MAPPING)
    (folder / "sweep.yaml").write_text(SWEEP)


def commands(folder: Path) -> list[Command]:
    """The writing commands, on what :func:`prepare` wrote."""
    results, store = str(folder / "in-results.zarr"), str(folder / "in.zarr")
    files = [str(folder / f"in{i}.nwb") for i in (1, 2, 3)]
    mapping, sweep = str(folder / "mapping.yaml"), str(folder / "sweep.yaml")
    small = [
        word for text in ("n_steps=3000", "measures=5", "snapshots=3") for word in ("--set", text)
    ]
    rows = [
        ("import", ["import", *files, "-o"], "o.zarr", is_whole_store),
        ("convert", ["convert", "arrays", mapping, "--out"], "o", are_whole_nwbs),
        ("analyze", ["analyze", store, "--n-repeats", "3", "-o"], "o.zarr", is_whole_store),
        ("report", ["report", results, "-o"], "o.html", is_whole_page),
        ("export", ["export", results, "-o"], "o.nwb", is_whole_nwb),
        ("compare", ["compare", results, results, "-o"], "o.html", is_whole_page),
        ("simulate", ["simulate", "ratzon2024-track", *small, "-o"], "o.zarr", is_whole_store),
        ("sweep", ["sweep", sweep, "--workers", "0", "-o"], "o.zarr", is_whole_store),
    ]
    return [Command(name, tuple(words), output, whole) for name, words, output, whole in rows]


class Log:
    """What processes print, through a pipe: a file would be bounded as their output is."""

    def __init__(self) -> None:
        self.ends = os.pipe()
        os.set_blocking(self.ends[0], False)
        self.text = ""

    def read(self) -> str:
        try:
            while part := os.read(self.ends[0], 1 << 16):
                self.text += part.decode(errors="replace")
        except BlockingIOError:
            pass
        return self.text[-1500:]


def forked(work: Callable[[], int], log: Log, limit: int | None = None) -> int:
    """Run something in a process of its own; its number."""
    pid = os.fork()
    if pid:
        return pid
    code = 99
    try:
        os.dup2(log.ends[1], 1)
        os.dup2(log.ends[1], 2)
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = work()
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def ended(pid: int, seconds: float = 300.0) -> int:
    """Its exit code, negative for a signal; a process that does not end is killed."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return -99


LOG = Log()


class Try:
    """One try of a command in a folder of its own."""

    def __init__(self, command: Command, folder: Path) -> None:
        self.command, self.folder = command, folder
        self.out, self.log = folder / "out" / command.output, LOG
        LOG.read()
        LOG.text = ""
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "out").mkdir(parents=True)

    def start(self, overwrite: bool = True, limit: int | None = None) -> int:
        words = [*self.command.words, str(self.out), *(["--overwrite"] if overwrite else [])]
        return forked(lambda: main(words), self.log, limit)

    def finish(self) -> float:
        """Run it to its end; the seconds."""
        began = time.monotonic()
        code = ended(self.start())
        if code:
            raise AssertionError(f"{self.command.name} ended with {code}: {self.said()}")
        return time.monotonic() - began

    def said(self) -> str:
        return self.log.read()

    def faults(self, *, may_be_absent: bool, may_leave: bool) -> list[str]:
        """What is torn, lost or left."""
        found = []
        if not os.path.lexists(self.out):
            found += [] if may_be_absent else ["lost"]
        elif ended(forked(lambda: int(not self.command.is_whole(self.out)), self.log)):
            found.append("torn")
        rest = [p.name for p in self.out.parent.iterdir() if p != self.out]
        if self.out.is_dir():
            rest += [p.name for p in self.out.iterdir() if p.name.startswith(".")]
        return found + ([] if may_leave or not rest else [f"left {rest}"])


def killed(one: Try, rng: np.random.Generator, seconds: float, is_there: bool) -> list[str]:
    """SIGKILL at a random moment, then the same command again."""
    pid = one.start()
    time.sleep(rng.uniform(0, seconds))
    os.kill(pid, signal.SIGKILL)
    ended(pid)
    found = one.faults(may_be_absent=not is_there, may_leave=True)
    one.finish()
    return found + one.faults(may_be_absent=False, may_leave=False)


def out_of_disk(one: Try, rng: np.random.Generator, seconds: float, is_there: bool) -> list[str]:
    """No file may become larger than a random size; then the same command again."""
    largest = max(p.stat().st_size for p in (one.folder.parent / "inputs").rglob("*"))
    code = ended(one.start(limit=int(largest * rng.uniform() ** 3)))
    found = [] if code in (0, 2) else [f"code {code}: {one.said()}"]
    if code == 2 and "Traceback" in one.said():
        found.append("raw error")
    found += one.faults(may_be_absent=not is_there, may_leave=one.command.name == "sweep")
    one.finish()
    return found + one.faults(may_be_absent=False, may_leave=False)


def two_writers(one: Try, rng: np.random.Generator, seconds: float, is_there: bool) -> list[str]:
    """The same command twice, the second a little later."""
    first = one.start(overwrite=is_there)
    time.sleep(rng.uniform(0, seconds))
    second = one.start(overwrite=is_there)
    codes = [ended(first), ended(second)]
    found = [] if set(codes) <= {0, 2} and 0 in codes else [f"codes {codes}: {one.said()}"]
    return found + one.faults(may_be_absent=False, may_leave=False)


def read_meanwhile(one: Try, rng: np.random.Generator, seconds: float, is_there: bool) -> list[str]:
    """Read the output again and again while it is replaced: the old, the new, or one error."""
    if not is_there:
        one.finish()
    writer = one.start()

    def read() -> int:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                if not one.command.is_whole(one.out):
                    return 1
            except DamagedStoreError as error:
                if "was replaced" not in str(error):
                    raise
            except FileNotFoundError:
                return 2
        return 0

    code = ended(forked(read, one.log))
    found = [] if code == 0 else [f"reader {code}: {one.said()}"]
    if ended(writer):
        found.append(f"writer: {one.said()}")
    return found + one.faults(may_be_absent=False, may_leave=False)


CAMPAIGNS = {
    "killed": killed,
    "out of disk": out_of_disk,
    "two writers": two_writers,
    "read meanwhile": read_meanwhile,
}


def run(name: str, n: int, seed: int, folder: Path) -> tuple[Counter[str], list[str]]:
    """Tries of a campaign over all commands in turn.

    Parameters
    ----------
    name
        One of the campaigns.
    n
        Tries.
    seed
        Seed of the moments and sizes.
    folder
        Where to work.

    Returns
    -------
    tries : Counter
        By command.
    faults : list of str
        Empty if all is well.
    """
    inputs = folder / "inputs"
    if not inputs.exists():
        inputs.mkdir(parents=True)
        if ended(forked(lambda: prepare(inputs) or 0, LOG)):
            raise RuntimeError(LOG.read())
    rng = np.random.default_rng([seed, len(name)])
    known = commands(inputs)
    first = int(rng.integers(len(known)))
    known = known[first:] + known[:first]
    seconds = {command.name: Try(command, folder / "try").finish() for command in known[:n]}
    tries: Counter[str] = Counter()
    faults = []
    for i in range(n):
        command = known[i % len(known)]
        one = Try(command, folder / "try")
        is_there = bool(rng.integers(2))
        if is_there:
            one.finish()
        found = CAMPAIGNS[name](one, rng, seconds[command.name], is_there)
        tries[command.name] += 1
        faults += [f"{name}, {command.name}, try {i}: {text}" for text in found]
    return tries, faults


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=CAMPAIGNS)
    options = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in [options.only] if options.only else CAMPAIGNS:
            tries, faults = run(name, options.n, options.seed, Path(folder))
            print(f"{name}: {tries.total()} tries, {len(faults)} faults", flush=True)
            print("\n".join(faults[:20]))
            bad += len(faults)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(_main())
