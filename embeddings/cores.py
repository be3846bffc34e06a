"""How many cores this process may use."""

import os
from pathlib import Path

_TOPOLOGY = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"
_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def count() -> int:
    """Return the number of cores, at least one: two threads of one core count once, and a container's limit applies."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    cores = {_siblings(cpu) for cpu in os.sched_getaffinity(0)}
    return max(min(len(cores), int(_quota())), 1)


def _siblings(cpu: int) -> str:
    """Return the threads of the core that contains this one; alone if the kernel does not say."""
    try:
        return Path(_TOPOLOGY.format(cpu)).read_text(encoding="ascii")
    except OSError:
        return str(cpu)


def _quota() -> float:
    """Return the limit of the container in cores."""
    try:
        limit, period = _QUOTA.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return float(1 << 20)
    return float(1 << 20) if limit == "max" else int(limit) / int(period)
