"""The settings of the service: COLPALI_* variables become one frozen, typed object.

Every problem is told in one message, which names variables and never shows a value.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any, Literal

from embeddings.word import MAX_WORDS

MIB = 1024 * 1024


class ConfigError(Exception):
    """The configuration cannot be used; the text names each variable and what is expected of it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("The configuration cannot be used:\n" + "\n".join(f"  {line}" for line in problems))


def _setting(default: Any, name: str, parse: Callable[[str], Any], about: str, *, aka: str = "") -> Any:
    """`aka` is what platforms call it; our own name goes first."""
    return field(default=default, metadata={"name": name, "parse": parse, "about": about, "aka": aka})


def _whole(value: str, *, least: int, most: int) -> int:
    if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
        raise ValueError(f"must be a whole number from {least} to {most}")
    return int(value)


def _one_of(value: str, *, words: tuple[str, ...]) -> str:
    if value not in words:
        raise ValueError("must be one of " + ", ".join(words))
    return value


def _keys(value: str) -> tuple[str, ...]:
    keys = tuple(key for key in (part.strip() for part in value.split(",")) if key)
    if not keys or not all(key.isascii() and key.isprintable() and " " not in key for key in keys):
        raise ValueError("must be keys of printable ASCII characters, with commas between")
    return keys


def _flag(value: str) -> bool:
    return _one_of(value, words=("true", "false")) == "true"


def _megabytes(value: str) -> int:
    return _whole(value, least=1, most=65536) * MIB


def _megapixels(value: str) -> int:
    return _whole(value, least=1, most=10_000) * 1_000_000


def _text(value: str) -> str:
    return value


_count = partial(_whole, least=1, most=10**9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The configuration of one process."""

    # Who may ask
    api_keys: tuple[str, ...] = _setting((), "COLPALI_API_KEY", _keys, "the key; several, with commas, while rotating")
    auth: Literal["bearer", "header", "gateway", "none"] = _setting(
        "bearer",
        "COLPALI_AUTH",
        partial(_one_of, words=("bearer", "header", "gateway", "none")),
        "bearer: Authorization or X-API-Key; header: X-API-Key alone; gateway: a gateway in front checks; none: open",
    )

    # The model
    backend: Literal["auto", "embedded", "lexical", "colpali", "native"] = _setting(
        "auto",
        "COLPALI_BACKEND",
        partial(_one_of, words=("auto", "embedded", "lexical", "colpali", "native")),
        "what computes the vectors; name one in production",
    )
    model: str = _setting("", "COLPALI_MODEL_NAME", _text, "the model's id or folder; empty: the backend's default")
    model_revision: str = _setting("", "COLPALI_MODEL_REVISION", _text, "the model's commit or tag")
    device: str = _setting("", "COLPALI_DEVICE", _text, "cuda, cuda:1, mps or cpu; empty: the best there is")
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = _setting(
        "auto",
        "COLPALI_DTYPE",
        partial(_one_of, words=("auto", "bfloat16", "float16", "float32")),
        "number type of the model",
    )
    attention: Literal["auto", "sdpa", "flash_attention_2", "eager"] = _setting(
        "auto",
        "COLPALI_ATTENTION",
        partial(_one_of, words=("auto", "sdpa", "flash_attention_2", "eager")),
        "how a visual model attends; auto: flash_attention_2 where it is installed, else sdpa",
    )
    max_visual_tokens: int = _setting(
        768, "COLPALI_MAX_VISUAL_TOKENS", partial(_whole, least=16, most=16384), "most vectors of one page's pixels"
    )
    pool_factor: int = _setting(
        1, "COLPALI_POOL_FACTOR", partial(_whole, least=1, most=64), "keep one in so many vectors of a page"
    )
    offline: bool = _setting(default=False, name="COLPALI_OFFLINE", parse=_flag, about="true: never download weights")

    # How it works
    batch_size: int = _setting(8, "COLPALI_BATCH_SIZE", partial(_whole, least=1, most=1024), "most inputs in one batch")
    max_batch_tokens: int = _setting(
        0, "COLPALI_MAX_BATCH_TOKENS", _count, "padded tokens in one batch; unset: by size"
    )
    max_queue_tokens: int = _setting(200_000, "COLPALI_MAX_QUEUE_TOKENS", _count, "tokens waiting before 429")
    prepare_threads: int = _setting(0, "COLPALI_PREPARE_THREADS", _count, "threads for images; unset: one per CPU")
    timeout_s: int = _setting(
        540, "COLPALI_TIMEOUT_S", partial(_whole, least=1, most=86400), "longest time a request takes"
    )
    drain_s: int = _setting(
        60, "COLPALI_DRAIN_S", partial(_whole, least=1, most=3600), "time to finish work after SIGTERM"
    )

    # Limits of one request
    max_body: int = _setting(64 * MIB, "COLPALI_MAX_BODY_MB", _megabytes, "megabytes of a request")
    max_memory: int = _setting(512 * MIB, "COLPALI_MAX_MEMORY_MB", _megabytes, "megabytes of all requests at once")
    max_inputs: int = _setting(64, "COLPALI_MAX_INPUTS", partial(_whole, least=1, most=4096), "inputs of a request")
    max_image_pixels: int = _setting(40_000_000, "COLPALI_MAX_IMAGE_MEGAPIXELS", _megapixels, "megapixels of one image")
    max_request_pixels: int = _setting(
        400_000_000, "COLPALI_MAX_REQUEST_MEGAPIXELS", _megapixels, "megapixels of all images of a request"
    )
    max_text_chars: int = _setting(100_000, "COLPALI_MAX_TEXT_CHARS", _count, "characters of one text")
    max_words: int = _setting(MAX_WORDS, "COLPALI_MAX_WORDS", _count, "words of one page's text layer")

    # Where it listens
    host: str = _setting("127.0.0.1", "COLPALI_HOST", _text, "address to listen on")
    port: int = _setting(
        8000,
        "COLPALI_PORT",
        partial(_whole, least=0, most=65535),
        "port to listen on, also read from PORT; 0: any free one",
        aka="PORT",
    )
    health_port: int = _setting(
        0,
        "COLPALI_HEALTH_PORT",
        partial(_whole, least=1, most=65535),
        "a second port, where a platform wants one for health, also read from PORT_HEALTH; unset: none",
        aka="PORT_HEALTH",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _setting(
        "INFO", "COLPALI_LOG_LEVEL", partial(_one_of, words=("DEBUG", "INFO", "WARNING", "ERROR")), "how much is logged"
    )


def described() -> list[tuple[str, str]]:
    """Every variable with what it is for, in order."""
    return [(item.metadata["name"], item.metadata["about"]) for item in fields(Settings)]


def read(values: Mapping[str, str]) -> Settings:
    """The Settings in `values`, or one ConfigError with all that is wrong."""
    problems: list[str] = []
    found: dict[str, Any] = {}
    for item in fields(Settings):
        name = item.metadata["name"]
        raw = _raw(values, name, problems) or values.get(item.metadata["aka"], "").strip()
        if raw:
            try:
                found[item.name] = item.metadata["parse"](raw)
            except ValueError as problem:
                problems.append(f"{name} {problem}.")
    if found.get("auth", "bearer") in ("bearer", "header") and not any("COLPALI_API_KEY" in line for line in problems):
        problems += [] if found.get("api_keys") else [_NO_KEY]
    if problems:
        raise ConfigError(problems)
    return Settings(**found)


_NO_KEY = "COLPALI_API_KEY is not set. Set it, or say COLPALI_AUTH=none to serve everybody who can reach this address."


def _raw(values: Mapping[str, str], name: str, problems: list[str]) -> str:
    raw = values.get(name, "").strip()
    file = values.get(f"{name}_FILE", "") if name == "COLPALI_API_KEY" else ""
    if raw or not file:
        return raw
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        problems.append(f"{name}_FILE names a file that cannot be read.")
        return ""


def load(said: Mapping[str, str] | None = None) -> Settings:
    """The Settings of this process; what is `said` goes before the environment."""
    return read({**os.environ, **(said or {})})
