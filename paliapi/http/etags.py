"""ETags, for conditional reads (`If-None-Match`) and conditional writes (`If-Match`)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.response import Response

from paliapi.errors import Stale


def etag(representation: Mapping[str, Any]) -> str:
    """Return a strong ETag of a representation, ignoring signed links, which change with every response."""
    stable = {name: value for name, value in representation.items() if name != "url"}
    text = json.dumps(stable, sort_keys=True, separators=(",", ":"), default=str)
    return f'"{hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]}"'


def etag_response(request: Request, representation: Mapping[str, Any]) -> Response:
    """Return 200 with an ETag, or 304 if the client already has this version."""
    tag = etag(representation)
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if "*" in known or tag in {item.removeprefix("W/") for item in known}:
        return Response(status=304, headers={"ETag": tag})
    return Response(representation, headers={"ETag": tag})


def require_match(request: Request, representation: Mapping[str, Any]) -> None:
    """Raise Stale if `If-Match` is present and does not name the current version."""
    if_match = request.headers.get("If-Match")
    if if_match is None:
        return
    tags = parse_etags(if_match)
    if "*" not in tags and etag(representation) not in tags:
        raise Stale(headers={"ETag": etag(representation)})
