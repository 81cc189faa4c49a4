"""A sweep whose workers and drivers are killed at random moments ends as if nothing had happened.

Twenty kills: NEURODRIFT_KILLS=20 python -m pytest tests/simulate/test_sweep_kill.py -s
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import numpy as np
import psutil
import pytest
import zarr

from neurodrift.seeds import generator
from neurodrift.simulate.shards import done_marks
from neurodrift.simulate.sweep import open_sweep, run_sweep

N_KILLS = int(os.environ.get("NEURODRIFT_KILLS", "2"))

CONFIG = """\
task: {name: random}
network: {n_hidden: 64}
n_steps: 10000
measures: 11
snapshots: 3
hessian: relative
dtype: float32
sweep:
  runs_per_task: 2
  ranges:
    - {key: seed, integers: [0, 11]}
    - {key: rule.update_noise, values: [0.01, 0.1]}
"""


def contents(path):
    group = zarr.open_group(path, mode="r", use_consolidated=False)
    return {
        name: array[:].tobytes() if array.dtype.kind in "fiub" else array[:].tolist()
        for name, array in group.arrays()
    } | {"attributes": dict(group.attrs)}


def workers_of(driver):
    """Worker processes, without Python's resource tracker."""
    try:
        found = psutil.Process(driver.pid).children(recursive=True)
        return [child for child in found if "spawn_main" in " ".join(child.cmdline())]
    except psutil.NoSuchProcess:
        return []


def n_done(path):
    try:
        return int(done_marks(path).sum())
    except (FileNotFoundError, ValueError):
        return 0


def wait_for_progress(driver, path, before, seconds=120):
    end = time.monotonic() + seconds
    while driver.poll() is None and n_done(path) == before and time.monotonic() < end:
        time.sleep(0.01)


def test_sweep__killed_at_random_moments(tmp_path):
    config = tmp_path / "sweep.yaml"
    config.write_text(CONFIG)
    expected = contents(run_sweep(config, tmp_path / "expected.zarr", workers=0))
    rng = generator(int(os.environ.get("NEURODRIFT_KILL_SEED", "0")), "kills")
    killed: Counter[str] = Counter()
    number, lost, begun = 0, [], False
    driver = None
    while killed.total() < N_KILLS or begun:
        path = tmp_path / f"sweep-{number}.zarr"
        under_way = tmp_path / f"sweep-{number}.zarr.unfinished"
        if driver is None:
            words = ["sweep", str(config), "-o", str(path), "--workers", "2"]
            command = [sys.executable, "-m", "neurodrift.cli", *words]
            with (tmp_path / "log").open("w") as log:
                driver, begun = subprocess.Popen(command, stdout=log, stderr=log), True
            before = n_done(under_way)
            # now and then while it starts, mostly while it works
            early = rng.random() < 0.2
        if killed.total() < N_KILLS:
            if not early:
                wait_for_progress(driver, under_way, before)
            time.sleep(rng.uniform(0, 2.0 if early else 0.4))
            early = False
            workers = workers_of(driver)
            target = "worker" if workers and rng.random() < 0.5 else "driver"
            if driver.poll() is None and target == "worker":
                with contextlib.suppress(psutil.NoSuchProcess):
                    workers[int(rng.integers(len(workers)))].kill()
                before = n_done(under_way)
                killed["worker"] += 1
                continue
            if driver.poll() is None:
                done = n_done(under_way)
                driver.kill()
                driver.wait()
                killed["driver"] += 1
                _, alive = psutil.wait_procs(workers, timeout=60)
                assert not alive, "workers outlive their driver"
                lost.append(done - n_done(under_way))
                driver = None
                continue
        code = driver.wait(timeout=300)
        assert code == 0, (tmp_path / "log").read_text()
        sweep = open_sweep(path)
        assert sweep.table["run"].values.tolist() == list(range(24))
        assert contents(path) == expected
        driver, number, begun = None, number + 1, False
    assert killed.total() == N_KILLS
    assert np.max([0, *lost]) <= 0  # what was done stays done
    print(f"\n{dict(killed)} killed, {number} sweeps of 24 runs equal the uninterrupted one")
    assert {p.name for p in tmp_path.iterdir()} == {
        "sweep.yaml", "log", "expected.zarr", *(f"sweep-{n}.zarr" for n in range(number))
    }  # fmt: skip


@pytest.mark.parametrize("moment", ["workers start", "workers train"])
def test_sweep__ctrl_c_is_one_line_and_ends_every_worker(tmp_path, moment):
    config = tmp_path / "sweep.yaml"
    config.write_text(CONFIG.replace("10000", "3000000").replace("hessian: relative\n", ""))
    words = ["sweep", str(config), "-o", str(tmp_path / "sweep.zarr"), "--workers", "2"]
    with subprocess.Popen(
        [sys.executable, "-m", "neurodrift.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as driver:
        until = time.monotonic() + 60
        while len(workers := workers_of(driver)) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        if moment == "workers train":
            time.sleep(5)
        os.killpg(driver.pid, signal.SIGINT)  # as a terminal does
        printed, told = driver.communicate(timeout=60)
    assert (driver.returncode, printed, told) == (130, "", "neurodrift sweep: interrupted\n")
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert len(workers) == 2 and not alive
