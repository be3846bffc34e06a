"""Names in paths."""

from urllib.parse import quote


def quoted(name: str) -> str:
    """Return a name as one segment of a path."""
    if not isinstance(name, str) or not name:
        raise ValueError("The name is empty.")
    # A segment of dots alone would lead to another path.
    return name.replace(".", "%2E") if name in {".", ".."} else quote(name, safe="")
