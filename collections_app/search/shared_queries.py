"""Vectors of recent text queries in Redis, so that a question that several processes get is embedded once.

A question is found by a keyed hash of the owner and its words, so Redis holds no words, and the time of a response does
not reveal what other owners have searched for. Each value is signed with its hash: what is not ours, or belongs to
another question, is ignored. There is a fixed number of places, and a question replaces an older one in its place.
Without Redis, every process embeds its own questions; so does a worker, which has no `SECRET_KEY`.
"""

import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from django.conf import settings
from prometheus_client import Counter

from accounts.redis_counters import BriefClient
from collections_app.search.query_vectors import QueryVectors
from embeddings.contract import VectorSpace

_unavailable = Counter("paliapi_shared_queries_unavailable", "Times that Redis did not return or store query vectors.")

SECONDS = 60
_PLACES = 1024
_MAX_BYTES = 32 * 1024  # with all places taken, an eighth of the memory that `make run` gives Redis
# Longer than others wait, so that a killed process delays each of them only once.
_CLAIM_S = 3.0
_FIRST_PAUSE_S, _MAX_PAUSE_S = 0.005, 0.05
# A search never waits longer for Redis, and then for a while not at all.
_TIMEOUT_S, _PAUSE_S = 0.1, 5.0
_MAC_BYTES = 32


@dataclass(frozen=True, slots=True)
class Question:
    """The words of an owner for the service at this URL, as a keyed hash."""

    digest: bytes

    @property
    def place(self) -> str:
        return f"paliapi:query:{int.from_bytes(self.digest[:4]) % _PLACES}"

    @property
    def claim(self) -> str:
        return f"paliapi:query-claim:{self.digest.hex()}"


def question(owner_id: int, text: str) -> Question:
    """Return the question that stands for these words."""
    words = json.dumps([owner_id, settings.ENV.embeddings_url, text]).encode()
    return Question(hmac.digest(_secret(), words, "sha256"))


def get(asked: Question) -> QueryVectors | None:
    """Return the vectors of a question that any process has embedded lately."""
    replies = _redis().request_all(("GET", asked.place)) if _is_shared() else None
    return _unpack(asked, replies[0]) if replies else None


def embed_once(asked: Question, embed: Callable[[], QueryVectors], *, until: float) -> QueryVectors:
    """Return the vectors from Redis, or embed the question.

    If another process embeds it right now, wait for that until the given time (`time.monotonic`).
    """
    if not _is_shared():
        return embed()
    pause_s = _FIRST_PAUSE_S
    while True:
        claim = ("SET", asked.claim, "1", "NX", "PX", int(1000 * _CLAIM_S))
        replies = _redis().request_all(claim, ("GET", asked.place))
        if replies is None:
            return embed()
        is_claimed, stored = replies
        if (vectors := _unpack(asked, stored)) is not None:
            if is_claimed:
                _redis().send("DEL", asked.claim)
            return vectors
        if is_claimed:
            break
        if time.monotonic() > until:
            return embed()
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _MAX_PAUSE_S)
    try:
        vectors = embed()
        packed = _pack(asked, vectors)
        if len(packed) <= _MAX_BYTES:
            _redis().send("SET", asked.place, packed, "PX", 1000 * SECONDS)
    finally:
        _redis().send("DEL", asked.claim)
    return vectors


def _pack(asked: Question, vectors: QueryVectors) -> bytes:
    space = vectors.space
    head = json.dumps([space.model, space.revision, space.dim]).encode()
    content = head + b"\n" + np.ascontiguousarray(vectors.vectors, dtype="<f2").tobytes()
    return _mac(asked, content) + content


def _unpack(asked: Question, packed: bytes | None) -> QueryVectors | None:
    if packed is None or not hmac.compare_digest(packed[:_MAC_BYTES], _mac(asked, packed[_MAC_BYTES:])):
        return None
    # We have written it, so it needs no further checks.
    head, _, numbers = packed[_MAC_BYTES:].partition(b"\n")
    model, revision, dim = json.loads(head)
    vectors = np.frombuffer(numbers, dtype="<f2").reshape(-1, dim).astype(np.float16)
    return QueryVectors(VectorSpace(model, revision, dim), vectors)


def _mac(asked: Question, content: bytes) -> bytes:
    return hmac.digest(_secret(), asked.digest + content, "sha256")


def _is_shared() -> bool:
    """Return whether this process has the secret with which processes recognise each other's vectors."""
    return bool(settings.ENV.secret_key)


def _secret() -> bytes:
    return _derive(settings.SECRET_KEY) if _is_shared() else _of_this_process()


@cache
def _of_this_process() -> bytes:
    return secrets.token_bytes(32)


@cache
def _derive(secret_key: str) -> bytes:
    return hmac.digest(secret_key.encode(), b"paliapi query vectors", "sha256")


def _redis() -> BriefClient:
    return _redis_at(settings.ENV.redis_url)


@cache
def _redis_at(url: str) -> BriefClient:
    return BriefClient(
        url, timeout_s=_TIMEOUT_S, pause_s=_PAUSE_S, failures=_unavailable, event="shared_queries_unavailable"
    )
