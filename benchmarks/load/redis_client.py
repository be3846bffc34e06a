"""Time the rate limiter's Redis client against redis-py's: `python -m benchmarks.load.redis_client`."""

import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import redis
from django.conf import settings

from paliapi.stack.home import open_home
from paliapi.stack.redis import start_redis

_SCRIPT = "redis.call('SET', KEYS[1], 1) return {1}"
_KEYS = ["paliapi:benchmark"]
_ROUNDS = 20
_CALLS = 500


def main() -> None:
    """Start a Redis of our own and print the median time of a script call for each client."""
    settings.configure()  # the import below needs some
    counters = import_module("accounts.redis_counters")
    with tempfile.TemporaryDirectory() as folder:
        home = open_home(Path(folder))
        server, child = start_redis(home, password=secrets.token_urlsafe(16))
        try:
            limiter = counters.BriefClient(server.url)
            script = redis.Redis.from_url(server.url).register_script(_SCRIPT)
            calls: dict[str, Callable[[], object]] = {
                "accounts.redis_counters": lambda: limiter.run_script(_SCRIPT, keys=_KEYS, arguments=[]),
                "redis-py": lambda: script(keys=_KEYS),
            }
            for name, times in _measure(calls).items():
                sys.stdout.write(f"{name:25} {statistics.median(times):6.0f} microseconds a call\n")
        finally:
            child.stop(within_s=5)
            home.remove_short_names()


def _measure(calls: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Time the calls in alternating rounds, so that a busy machine slows all of them alike."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(_ROUNDS):
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(_CALLS):
                call()
            times[name].append((time.perf_counter() - start) / _CALLS * 1e6)
    return times


if __name__ == "__main__":
    main()
