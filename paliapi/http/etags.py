"""ETags: a reader may ask "only if it changed", a writer may say "only if it has not"."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response

from paliapi.errors import Stale


def etag(representation: Mapping[str, Any]) -> str:
    """A strong ETag of what the caller would read; signed links, which change with every answer, left out."""
    told = {name: value for name, value in representation.items() if name != "url"}
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), default=str)
    return f'"{hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]}"'


def answer(request: Request, representation: Mapping[str, Any]) -> Response:
    """200 with an ETag, or 304 when the caller has this already."""
    tag = etag(representation)
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if "*" in known or tag in {item.removeprefix("W/") for item in known}:
        return Response(status=304, headers={"ETag": tag})
    return Response(representation, headers={"ETag": tag})


def require_match(request: Request, representation: Mapping[str, Any]) -> None:
    """Raise Stale unless `If-Match`, where given, names the present state."""
    wanted = request.headers.get("If-Match")
    if wanted is None:
        return
    tags = parse_etags(wanted)
    if "*" not in tags and etag(representation) not in tags:
        raise Stale(headers={"ETag": etag(representation)})
