"""The queue's address as Celery spells it."""

from urllib.parse import parse_qs, quote, urlsplit


def broker_url(redis_url: str) -> str:
    """The Celery broker at this Redis URL; only sockets are spelt differently."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    user = quote(options.get("username", ""), safe="")
    password = quote(options.get("password", ""), safe="")
    entry = f"{user}:{password}@" if user or password else ""
    return f"redis+socket://{entry}{parts.path}?virtual_host={options.get('db', '0')}"
