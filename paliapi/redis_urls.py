"""One REDIS_URL, two dialects."""

from urllib.parse import parse_qsl, quote, urlencode, urlsplit


def for_celery(url: str) -> str:
    """`unix:///path?db=0&password=x`, as redis-py reads it, in kombu's words; other URLs are the same in both."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    options = dict(parse_qsl(parts.query))
    password = parts.password or options.get("password", "")
    login = f":{quote(password, safe='')}@" if password else ""
    query = urlencode({"virtual_host": options.get("db", "0")})
    return f"redis+socket://{login}{parts.path}?{query}"
