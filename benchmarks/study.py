"""A study of many animals: time by workers, memory, kills, and a plan for a thousand.

    python benchmarks/study.py              # 100 animals, 8 sessions, 500 cells, 10 minutes
    python benchmarks/study.py --small      # 8 animals, so that CI keeps it alive, a minute

The recordings are synthetic. The time with one and with two workers is of a part of the animals and
counts the start of the workers. On a machine that others use the wall clock says little, so the
processors' time (own and workers') is printed beside it: what two workers spend more than one is
overhead, and processor time over wall time is how much of the machine there was. Memory is that of
the worker processes while all animals go by. Then drivers are killed at random moments, and what is
left is held against an undisturbed study, bit for bit.

A thousand recordings on up to a hundred workers are not run but simulated: each worker takes the
next recording when it is free. Times are drawn from those measured here, some recordings take ten
times as long, and a worker needs its measured start; the graph is what the scheduler is sent.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import heapq
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import yaml

import neurodrift as nd
from neurodrift.studies import run as running
from neurodrift.studies.plan import load_plan
from neurodrift.studies.recordings import find_recordings
from neurodrift.workers import client_of

SETTINGS = {
    "n_repeats": 10,
    "match": "none",
    "measures": ["sessions", "place_cells", "drift", "regression"],
}
MANY = 1000  # recordings of the plan
WORKERS = (1, 2, 5, 10, 20, 50, 100)
STRAGGLERS, SLOWER = 0.01, 10.0  # part of the recordings, and how much longer they take


@dataclass
class Used:
    """What a piece of work used."""

    wall: float = 0.0
    processors: float = 0.0
    by_worker: list[tuple[float, float]] = field(default_factory=list)  # time [s], largest [MB]


def make_mouse(path: str, number: int, units: int, sessions: int, minutes: float) -> None:
    """Write one recording."""
    mouse = nd.testing.linear_track(
        n_units=units, n_sessions=sessions, minutes=minutes, seed=number, drift=0.1
    )
    nd.save_recording(mouse.assign_coords(subject=f"m{number:03d}"), path)


def make_mice(folder: Path, n: int, units: int, sessions: int, minutes: float) -> None:
    """Write all recordings."""
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        made = [
            pool.submit(make_mouse, str(folder / f"m{i:03d}.zarr"), i, units, sessions, minutes)
            for i in range(n)
        ]
        for one in made:
            one.result()


def plan_of(folder: Path, n: int) -> dict[str, object]:
    """A study of the first animals."""
    return {
        "recordings": [{"path": [str(folder / f"m{i:03d}.zarr") for i in range(n)]}],
        "analysis": SETTINGS,
        "questions": ["fraction_place_cells ~ day", "decay of rate_map_correlation"],
    }


@contextmanager
def measured() -> Iterator[Used]:
    """Wall time and processor time of a block, with its worker processes, and their memory."""
    used, ended = Used(), threading.Event()
    me = psutil.Process()
    seen: dict[int, float] = {}

    def watch() -> None:
        while not ended.wait(0.2):
            largest = 0.0
            for child in me.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if "spawn_main" in " ".join(child.cmdline()):
                        times = child.cpu_times()
                        seen[child.pid] = times.user + times.system
                        largest = max(largest, child.memory_info().rss / 1e6)
            if largest:
                used.by_worker.append((time.monotonic() - began, largest))

    began, before = time.monotonic(), time.process_time()
    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield used
    finally:
        used.wall = time.monotonic() - began
        ended.set()
        thread.join()
        used.processors = time.process_time() - before + sum(seen.values())


def digest(folder: Path) -> str:
    """Checksum of a study, without its cache and what it tells of the work itself."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.relative_to(folder).parts[0] not in ("cache", "study.json"):
            found.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return found.hexdigest()


def times_of_animals(data: Path, n: int, out: Path) -> list[float]:
    """Seconds of each animal, one after the other in this process."""
    seconds = []
    real = running.make_one

    def timed(*args: object, **kwargs: object) -> object:
        began = time.process_time()
        made = real(*args, **kwargs)  # type: ignore[arg-type]
        seconds.append(time.process_time() - began)
        return made

    running.make_one = timed  # type: ignore[assignment]
    try:
        nd.study(plan_of(data, n), out, reports=False)
    finally:
        running.make_one = real
    return seconds


def kill_and_resume(
    data: Path, n: int, out: Path, undisturbed: Path, kills: int
) -> tuple[int, bool]:
    """Kill drivers with their workers at random moments; how often, and whether nothing is lost."""
    file = out.parent / "study.yaml"  # its name is the title of the study
    file.write_text(yaml.safe_dump(plan_of(data, n)), encoding="utf-8")
    rng = np.random.default_rng(0)
    killed = 0
    words = ["study", str(file), "-o", str(out), "--no-reports", "--workers", "1", "--quiet"]
    for _ in range(5 * kills):
        driver = subprocess.Popen(
            [sys.executable, "-m", "neurodrift.cli", *words], start_new_session=True
        )
        time.sleep(rng.uniform(3, 12))
        if driver.poll() is None:
            killed += 1
            os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
        if killed == kills or driver.returncode == 0:
            break
    nd.study(file, out, reports=False)
    return killed, digest(out) == digest(undisturbed)


def start_and_send(n: int) -> tuple[float, float]:
    """Seconds until a worker answers, and for each further task that does nothing."""
    began = time.monotonic()
    with client_of(None, 1, 1) as client:
        client.submit(int, 1, pure=False).result()
        start = time.monotonic() - began
        began = time.monotonic()
        client.gather([client.submit(int, i, pure=False) for i in range(n)])
        return start, (time.monotonic() - began) / n


def bytes_of_graph(data: Path, out: Path) -> int:
    """What the scheduler is sent for one recording."""
    from distributed.protocol.pickle import dumps

    plan = load_plan(plan_of(data, 1))
    planned = find_recordings(plan, out).recordings[0]
    return len(dumps((running.make_one, (planned, plan.options, out), {"reports": True})))


def simulated(times: np.ndarray, workers: int, start: float, between: float) -> tuple[float, float]:
    """Time until all is done, and the part of it that workers were at work, each as it is free."""
    free = [start] * workers
    sent = 0.0
    for own in times:
        sent += between  # the scheduler sends one after the other
        heapq.heappush(free, max(heapq.heappop(free), sent) + own)
    end = max(free)
    return end, float(times.sum() / (workers * end))


def show_workers(data: Path, n: int, folder: Path) -> list[float]:
    """One and two workers beside each other."""
    print(f"\n{n} animals, start of the workers included:")
    print("workers  wall [s]  processors [s]  processors / wall")
    found: dict[int, Used] = {}
    for workers in (1, 2):
        with measured() as found[workers]:
            nd.study(plan_of(data, n), folder / f"w{workers}", workers=workers, reports=False)
        used = found[workers]
        print(
            f"{workers:7d}{used.wall:10.1f}{used.processors:16.1f}"
            f"{used.processors / used.wall:19.2f}"
        )
    one, two = found[1], found[2]
    print(f"efficiency by the clock, t1 / (2 t2): {one.wall / (2 * two.wall):.2f}")
    print(f"by the processors' time, one worker / two: {one.processors / two.processors:.2f}")
    same = digest(folder / "w1") == digest(folder / "w2")
    print(f"the same bit for bit: {'yes' if same else 'NO'}")
    seconds = times_of_animals(data, min(n, 4), folder / "alone")
    print(f"one animal: {np.median(seconds):.1f} s of a processor (median of {len(seconds)})")
    return seconds


def show_memory(used: Used, n: int) -> float:
    """Largest worker over the time in which all animals go by."""
    at, size = np.array(used.by_worker).T
    parts = [part.max() for part in np.array_split(size, 4)]
    late = at > at[-1] / 4  # libraries are loaded
    grown = np.polyfit(at[late] / at[-1] * n, size[late], 1)[0]
    print("\nlargest worker in each quarter of the animals [MB]:", *(f"{p:.0f}" for p in parts))
    print(f"growth after the first quarter: {grown:+.2f} MB for each animal")
    return float(size.max())


def show_plan(seconds: list[float], sent: int, memory: float) -> None:
    """A thousand recordings on more workers than there are here."""
    start, between = start_and_send(200)
    rng = np.random.default_rng(0)
    even = rng.choice(seconds, MANY)
    slow = np.where(rng.random(MANY) < STRAGGLERS, SLOWER, 1.0) * even
    print(
        f"\n{MANY} recordings, simulated: graph {sent * MANY / 1e6:.2f} MB ({sent} bytes each), "
        f"start {start:.1f} s,\n{between * 1e3:.1f} ms to send each, {memory:.0f} MB a worker"
    )
    print(f"         all alike            {STRAGGLERS:.0%} take {SLOWER:.0f} times as long")
    print("workers  time [min]  busy     time [min]  busy   longest first [min]  busy")
    for workers in WORKERS:
        rows = [even, slow, np.sort(slow)[::-1]]
        (a, x), (b, y), (c, z) = (simulated(row, workers, start, between) for row in rows)
        print(f"{workers:7d}{a / 60:12.1f}{x:6.2f}{b / 60:15.1f}{y:6.2f}{c / 60:22.1f}{z:6.2f}")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="8 animals, in less than a minute")
    parser.add_argument("--animals", type=int, default=100, help="animals of the whole study")
    parser.add_argument("--part", type=int, default=6, help="of them for one and two workers")
    parser.add_argument("--minutes", type=float, default=2.0, help="length of a session [min]")
    parser.add_argument("--kills", type=int, default=5, help="drivers that are killed")
    given = parser.parse_args()
    n, part, units, sessions, kills = given.animals, given.part, 500, 8, given.kills
    if given.small:
        n, part, units, sessions, kills = 8, 2, 20, 3, 1
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        data = folder / "data"
        data.mkdir()
        make_mice(data, n, units, sessions, given.minutes)
        size = sum(path.stat().st_size for path in data.rglob("*") if path.is_file()) / 1e6
        print(
            f"{n} animals x {sessions} sessions of {given.minutes:g} min x {units} cells, "
            f"{size:.0f} MB, made in {time.monotonic() - began:.0f} s"
        )
        seconds = show_workers(data, part, folder)
        with measured() as used:
            nd.study(plan_of(data, n), folder / "all", workers=2, reports=False)
        print(
            f"\nall {n} animals with two workers: {used.wall:.0f} s, {used.processors:.0f} s of "
            "processors"
        )
        memory = show_memory(used, n)
        killed, same = kill_and_resume(data, part, folder / "killed", folder / "w1", kills)
        print(
            f"\n{killed} drivers killed with their workers, then gone on: "
            f"{'the same bit for bit' if same else 'NOT the same'}"
        )
        show_plan(seconds, bytes_of_graph(data, folder / "all"), memory)
        print(f"\n{time.monotonic() - began:.0f} s in all")
        if not same:
            sys.exit(1)


if __name__ == "__main__":
    main()
