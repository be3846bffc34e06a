"""The CPU seconds of each part of a stack."""

from pathlib import Path

from benchmarks.harness.stack import Stack, descendants, own_processor_s, processor_s

PARTS = ("web", "worker", "courier", "beat", "embeddings", "postgres", "redis")


def processor_s_of_parts(stack: Stack) -> dict[str, float]:
    """Return the CPU seconds so far; those of the processes that render, which belong to the worker, by themselves."""
    seconds = {name: processor_s(pid) for name in PARTS if (pid := stack.pid_of(name))}
    renderers = sum(own_processor_s(pid) for pid in descendants(stack.pid_of("worker")) if _is_renderer(pid))
    return {**seconds, "worker": seconds["worker"] - renderers, "renderers": renderers}


def _is_renderer(pid: int) -> bool:
    """Check whether this is a fork server of renderers, or a renderer."""
    try:
        return b"rendering.fork_server" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
