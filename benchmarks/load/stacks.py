"""What the stacks that py-spy sampled in the web server were busy with."""

import re
from collections import Counter
from typing import TypeAlias

Stack: TypeAlias = tuple[str, ...]  # frames, outermost first: "function (file:line)"

# The innermost frame that matches decides.
_PARTS = {
    "SQL: Django and psycopg": r"/psycopg(_pool|_binary)?/|/django/db/|paliapi/database\.py|accounts/ownership\.py",
    "rate limits and slots (Redis)": r"accounts/(limits/|rate_limits|redis_counters)|/redis/",
    "authentication": r"accounts/(authentication|keys)",
    "query vectors": r"/embeddings/client/|/httpx/|/httpcore/|embeddings_client|search/query\.py|shared_queries",
    "candidates": r"engine/retrieval/(candidates|segment|sketch|merge|kernels/scan)|search/index\.py",
    "reading vectors": r"search/vector_cache|retrieval/(files/file_cache|lru_cache)|storage/vectors",
    "exact scores": r"engine/retrieval/|search/vector_search",
    "validation": r"/rest_framework/(fields|serializers|parsers)|api/(validation|search_in)|http/(serializers|parsers)",
    "response": r"api/(search_out|document_out|responses)|/rest_framework/renderers|/django/core/signing",
    "logs and metrics": r"/structlog/|/prometheus_client/|/logging/|paliapi/(logs|metrics)",
    "search, other": r"collections_app/",
    "views and middleware": r"/rest_framework/|/django/|paliapi/(middleware|http/)|accounts/views|/whitenoise/",
    "HTTP: sockets, parsing, threads": r"paliapi/web_server/|/gunicorn/|/concurrent/futures/|/threading\.py",
}
_PATTERNS = {name: re.compile(pattern) for name, pattern in _PARTS.items()}
_REST = "other"
# Where a thread waits for something outside the process.
_WAITS = {
    "waiting for Postgres": re.compile(r"/psycopg(_pool|_binary)?/|^_read_results .*paliapi/database\.py"),
    "waiting for Redis": re.compile(r"/redis/"),
    "waiting for the embeddings service": re.compile(r"/(httpcore|httpx|anyio)/"),
}
RUNNING = "running, or ready to run"


def read(text: str) -> Counter[Stack]:
    """Parse py-spy's raw format: frames separated by semicolons, and a count."""
    stacks: Counter[Stack] = Counter()
    for line in text.splitlines():
        frames, _, count = line.rpartition(" ")
        if count.isdecimal():  # otherwise py-spy could not take a sample
            stacks[tuple(frames.split(";"))] += int(count)
    return stacks


def part_of(stack: Stack) -> str:
    """Return the part of the server that this stack is in."""
    for frame in reversed(stack):
        for name, pattern in _PATTERNS.items():
            if pattern.search(frame):
                return name
    return _REST


def shares(stacks: Counter[Stack]) -> dict[str, float]:
    """Return the share of each part."""
    counts: Counter[str] = Counter()
    for stack, count in stacks.items():
        counts[part_of(stack)] += count
    return {name: count / counts.total() for name, count in counts.most_common()}


def waiting(stacks: Counter[Stack]) -> dict[str, float]:
    """Return what the threads of requests spent their time on while they had one."""
    counts: Counter[str] = Counter()
    for stack, count in stacks.items():
        if not any(frame.startswith("BufferingWorker._respond ") for frame in stack):
            continue
        counts[next((name for name, place in _WAITS.items() if place.search(stack[-1])), RUNNING)] += count
    return {name: count / counts.total() for name, count in counts.most_common()}
