"""Redis URLs in the dialects of redis-py and Celery."""

from urllib.parse import parse_qsl, quote, urlencode, urlsplit


def for_celery(url: str) -> str:
    """Translate a redis-py URL such as `unix:///path?db=0&password=x` for Celery; other URLs are the same for both."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    options = dict(parse_qsl(parts.query))
    user = quote(parts.username or options.get("username", ""), safe="")
    password = quote(parts.password or options.get("password", ""), safe="")
    login = f"{user}:{password}@" if password else ""
    query = urlencode({"virtual_host": options.get("db", "0")})
    return f"redis+socket://{login}{parts.path}?{query}"
