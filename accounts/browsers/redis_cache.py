"""Django's cache in Redis, for what must be used once: codes of a second factor."""

from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

from accounts.redis_counters import limiter


class OnceCache(BaseCache):
    """A cache that only adds. Without Redis nothing can be added, so a code is refused."""

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        milliseconds = max(1, int(1000 * (seconds or 0)))
        name = f"paliapi:once:{self.make_and_validate_key(key, version=version)}"
        return limiter().request_all(("SET", name, str(value), "NX", "PX", milliseconds)) == [b"OK"]
