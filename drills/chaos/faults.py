"""What can break. Each begins while a worker stands still at a failpoint, and has ended when its function returns."""

import os
import shutil
import signal
from collections.abc import Callable
from functools import partial

from benchmarks.harness.stack import descendants
from drills.chaos.proxy import MODES
from drills.chaos.scene import Scene, until
from paliapi.stack import processes

# Within so many seconds it must be searchable again; the others have a reason to wait, and are measured only.
MOST_RECOVERY_S = {"worker child killed": 15.0, "worker killed": 90.0, "worker stalled": 90.0}


def _child_killed(scene: Scene) -> None:
    os.kill(scene.victim, signal.SIGKILL)


def _worker_killed(scene: Scene) -> None:
    os.killpg(scene.stage.stack.pid_of("worker"), signal.SIGKILL)


def _drawing_killed(scene: Scene) -> None:
    for pid in descendants(scene.victim):
        processes.signal_one(pid, signal.SIGKILL)
    scene.go_on()


def _member_killed(name: str, number: int, scene: Scene) -> None:
    os.kill(scene.stage.stack.pid_of(name), number)
    scene.go_on()


def _redis_wiped(scene: Scene) -> None:
    folder = scene.stage.stack.home.path / "redis"
    for path in folder.glob("*.aof*"):
        path.unlink()
    for path in folder.glob("appendonlydir*"):
        shutil.rmtree(path)
    _member_killed("redis", signal.SIGKILL, scene)


def _embeddings(mode: str, scene: Scene) -> None:
    scene.stage.proxy.break_with(mode)
    scene.go_on()
    try:
        # Who hangs is not felt by the row for a long time; it is let go as a restart of the service would.
        if mode != "hangs":
            scene.until_felt()
        else:
            processes.wait_until(scene.is_done, within_s=5)
    finally:
        scene.stage.proxy.mend()
    scene.let_time_pass()


def _disk_full(scene: Scene) -> None:
    disk = scene.stage.disk
    if disk is None:
        raise AssertionError("There is no small disk.")
    disk.fill()
    scene.go_on()
    try:
        scene.until_felt()
    finally:
        disk.free()
    scene.let_time_pass()


def _stalled(scene: Scene) -> None:
    """Its lease runs out, another worker takes over and finishes, and only then it wakes up, and notices."""
    published, before = scene.is_done(), scene.lost_leases()
    scene.let_time_pass()
    until(scene.is_done, "nobody took over from the stalled worker", within_s=120)
    scene.go_on()
    if not published:
        until(lambda: scene.lost_leases() > before, "the worker that woke up did not notice")


FAULTS: dict[str, Callable[[Scene], None]] = {
    "worker child killed": _child_killed,
    "worker killed": _worker_killed,
    "drawing process killed": _drawing_killed,
    "worker stalled": _stalled,
    "beat killed": partial(_member_killed, "beat", signal.SIGKILL),
    "redis killed": partial(_member_killed, "redis", signal.SIGKILL),
    "redis wiped": _redis_wiped,
    "postgres immediate restart": partial(_member_killed, "postgres", signal.SIGQUIT),
    "disk full": _disk_full,
    **{f"embeddings {mode.replace('_', ' ')}": partial(_embeddings, mode) for mode in MODES},
}
