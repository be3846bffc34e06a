"""The faults. Each starts while a worker is stopped at a failpoint, and has ended when its function returns."""

import os
import shutil
import signal
from collections.abc import Callable
from functools import partial

from benchmarks.harness.stack import descendants
from drills.chaos.proxy import MODES
from drills.chaos.scene import Scene, until
from paliapi.stack import processes

# The document must be searchable again within this time; after other faults, recovery is only measured.
MAX_RECOVERY_S = {"worker child killed": 15.0, "worker killed": 90.0, "worker stalled": 90.0}


def _child_killed(scene: Scene) -> None:
    os.kill(scene.victim, signal.SIGKILL)


def _worker_killed(scene: Scene) -> None:
    os.killpg(scene.stage.stack.pid_of("worker"), signal.SIGKILL)


def _renderer_killed(scene: Scene) -> None:
    for pid in descendants(scene.victim):
        processes.signal_one(pid, signal.SIGKILL)
    scene.resume()


def _process_killed(name: str, number: int, scene: Scene) -> None:
    os.kill(scene.stage.stack.pid_of(name), number)
    scene.resume()


def _redis_wiped(scene: Scene) -> None:
    folder = scene.stage.stack.home.path / "redis"
    for path in folder.glob("*.aof*"):
        path.unlink()
    for path in folder.glob("appendonlydir*"):
        shutil.rmtree(path)
    _process_killed("redis", signal.SIGKILL, scene)


def _embeddings(mode: str, scene: Scene) -> None:
    scene.stage.proxy.break_with(mode)
    scene.resume()
    try:
        # The row would not notice a hanging service for a long time; release it, as a restart of the service would.
        if mode != "hangs":
            scene.wait_until_noticed()
        else:
            processes.wait_until(scene.is_done, within_s=5)
    finally:
        scene.stage.proxy.repair()
    scene.expire_leases()


def _disk_full(scene: Scene) -> None:
    disk = scene.stage.disk
    if disk is None:
        raise AssertionError("The small disk is not mounted.")
    disk.fill()
    scene.resume()
    try:
        scene.wait_until_noticed()
    finally:
        disk.free()
    scene.expire_leases()


def _stalled(scene: Scene) -> None:
    """Let the lease expire and another worker finish before the stalled worker resumes and notices."""
    published, before = scene.is_done(), scene.lost_leases()
    scene.expire_leases()
    until(scene.is_done, "no worker took over from the stalled worker", within_s=120)
    scene.resume()
    if not published:
        until(lambda: scene.lost_leases() > before, "the resumed worker did not notice")


FAULTS: dict[str, Callable[[Scene], None]] = {
    "worker child killed": _child_killed,
    "worker killed": _worker_killed,
    "drawing process killed": _renderer_killed,
    "worker stalled": _stalled,
    "beat killed": partial(_process_killed, "beat", signal.SIGKILL),
    "redis killed": partial(_process_killed, "redis", signal.SIGKILL),
    "redis wiped": _redis_wiped,
    "postgres immediate restart": partial(_process_killed, "postgres", signal.SIGQUIT),
    "disk full": _disk_full,
    **{f"embeddings {mode.replace('_', ' ')}": partial(_embeddings, mode) for mode in MODES},
}
