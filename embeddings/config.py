"""The settings of the service: COLPALI_* variables, read into a frozen, typed object.

All errors are reported together; messages name variables and never contain a value.
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
    """The configuration is invalid; the text names each variable and the expected value."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("The configuration is invalid:\n" + "\n".join(f"  {line}" for line in problems))


def _setting(default: Any, name: str, parse: Callable[[str], Any], about: str, *, alias: str = "") -> Any:
    """Declare a setting. `alias` is a name that platforms use; our own name takes precedence."""
    return field(default=default, metadata={"name": name, "parse": parse, "about": about, "alias": alias})


def _integer(value: str, *, minimum: int, maximum: int) -> int:
    if not (value.isascii() and value.isdigit() and minimum <= int(value) <= maximum):
        raise ValueError(f"must be a whole number from {minimum} to {maximum}")
    return int(value)


def _choice(value: str, *, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ValueError("must be one of " + ", ".join(choices))
    return value


def _keys(value: str) -> tuple[str, ...]:
    keys = tuple(key for key in (part.strip() for part in value.split(",")) if key)
    if not keys or not all(key.isascii() and key.isprintable() and " " not in key for key in keys):
        raise ValueError("must be keys of printable ASCII characters, separated by commas")
    return keys


def _flag(value: str) -> bool:
    return _choice(value, choices=("true", "false")) == "true"


def _megabytes(value: str) -> int:
    return _integer(value, minimum=1, maximum=65536) * MIB


def _megapixels(value: str) -> int:
    return _integer(value, minimum=1, maximum=10_000) * 1_000_000


def _text(value: str) -> str:
    return value


_count = partial(_integer, minimum=1, maximum=10**9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The configuration of one process."""

    # Authentication
    api_keys: tuple[str, ...] = _setting(
        (), "COLPALI_API_KEY", _keys, "the API key; several, separated by commas, during rotation"
    )
    auth: Literal["bearer", "header", "gateway", "none"] = _setting(
        "bearer",
        "COLPALI_AUTH",
        partial(_choice, choices=("bearer", "header", "gateway", "none")),
        "bearer: Authorization or X-API-Key; header: X-API-Key only; gateway: checked by a gateway; none: no check",
    )

    # Model
    backend: Literal["auto", "embedded", "lexical", "colpali", "native"] = _setting(
        "auto",
        "COLPALI_BACKEND",
        partial(_choice, choices=("auto", "embedded", "lexical", "colpali", "native")),
        "the backend that computes the vectors; set it explicitly in production",
    )
    model: str = _setting("", "COLPALI_MODEL_NAME", _text, "id or folder of the model; empty: the backend's default")
    model_revision: str = _setting("", "COLPALI_MODEL_REVISION", _text, "commit or tag of the model")
    reranker: str = _setting(
        "", "COLPALI_RERANKER", _text, "id or folder of a cross-encoder that ranks texts; empty: none"
    )
    reranker_revision: str = _setting("", "COLPALI_RERANKER_REVISION", _text, "commit or tag of the reranker")
    device: str = _setting("", "COLPALI_DEVICE", _text, "cuda, cuda:1, mps or cpu; empty: the best available")
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = _setting(
        "auto",
        "COLPALI_DTYPE",
        partial(_choice, choices=("auto", "bfloat16", "float16", "float32")),
        "number type of the model",
    )
    attention: Literal["auto", "sdpa", "flash_attention_2", "eager"] = _setting(
        "auto",
        "COLPALI_ATTENTION",
        partial(_choice, choices=("auto", "sdpa", "flash_attention_2", "eager")),
        "attention implementation of a visual model; auto: flash_attention_2 if installed, else sdpa",
    )
    max_visual_tokens: int = _setting(
        768,
        "COLPALI_MAX_VISUAL_TOKENS",
        partial(_integer, minimum=16, maximum=16384),
        "maximum number of vectors for the pixels of one page",
    )
    pool_factor: int = _setting(
        1,
        "COLPALI_POOL_FACTOR",
        partial(_integer, minimum=1, maximum=64),
        "divides the number of vectors of a page; 1: no pooling",
    )
    offline: bool = _setting(default=False, name="COLPALI_OFFLINE", parse=_flag, about="true: never download weights")

    # Scheduling
    batch_size: int = _setting(
        8, "COLPALI_BATCH_SIZE", partial(_integer, minimum=1, maximum=1024), "maximum number of inputs in a batch"
    )
    max_batch_tokens: int = _setting(
        0, "COLPALI_MAX_BATCH_TOKENS", _count, "maximum padded tokens in a batch; unset: derived from the batch size"
    )
    max_queue_tokens: int = _setting(
        200_000, "COLPALI_MAX_QUEUE_TOKENS", _count, "maximum tokens in the queue; beyond that, 429"
    )
    prepare_threads: int = _setting(
        0, "COLPALI_PREPARE_THREADS", _count, "threads that prepare images; unset: one per CPU"
    )
    timeout_s: int = _setting(
        540, "COLPALI_TIMEOUT_S", partial(_integer, minimum=1, maximum=86400), "maximum duration of a request"
    )
    drain_s: int = _setting(
        60, "COLPALI_DRAIN_S", partial(_integer, minimum=1, maximum=3600), "time to finish accepted work after SIGTERM"
    )

    # Limits of one request
    max_body: int = _setting(64 * MIB, "COLPALI_MAX_BODY_MB", _megabytes, "maximum size of a request")
    max_memory: int = _setting(
        512 * MIB, "COLPALI_MAX_MEMORY_MB", _megabytes, "maximum size of all concurrent requests together"
    )
    max_inputs: int = _setting(
        64, "COLPALI_MAX_INPUTS", partial(_integer, minimum=1, maximum=4096), "maximum number of inputs in a request"
    )
    max_image_pixels: int = _setting(
        40_000_000, "COLPALI_MAX_IMAGE_MEGAPIXELS", _megapixels, "maximum size of one image"
    )
    max_request_pixels: int = _setting(
        400_000_000, "COLPALI_MAX_REQUEST_MEGAPIXELS", _megapixels, "maximum size of all images of a request together"
    )
    max_text_chars: int = _setting(100_000, "COLPALI_MAX_TEXT_CHARS", _count, "maximum length of one text")
    max_words: int = _setting(MAX_WORDS, "COLPALI_MAX_WORDS", _count, "maximum number of words of one page")

    # Network
    host: str = _setting("127.0.0.1", "COLPALI_HOST", _text, "address to listen on")
    port: int = _setting(
        8000,
        "COLPALI_PORT",
        partial(_integer, minimum=0, maximum=65535),
        "port to listen on, also read from PORT; 0: any free port",
        alias="PORT",
    )
    health_port: int = _setting(
        0,
        "COLPALI_HEALTH_PORT",
        partial(_integer, minimum=1, maximum=65535),
        "second port for health checks, for platforms that require one; also read from PORT_HEALTH; unset: none",
        alias="PORT_HEALTH",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _setting(
        "INFO", "COLPALI_LOG_LEVEL", partial(_choice, choices=("DEBUG", "INFO", "WARNING", "ERROR")), "log level"
    )


def described_variables() -> list[tuple[str, str]]:
    """Return every variable with its description, in order."""
    return [(item.metadata["name"], item.metadata["about"]) for item in fields(Settings)]


def parse(values: Mapping[str, str]) -> Settings:
    """Return the settings in `values`, or raise one ConfigError with all problems."""
    problems: list[str] = []
    parsed: dict[str, Any] = {}
    for item in fields(Settings):
        name = item.metadata["name"]
        try:
            raw = _raw_value(values, name) or values.get(item.metadata["alias"], "").strip()
            if raw:
                parsed[item.name] = item.metadata["parse"](raw)
        except ValueError as error:
            problems.append(f"{name} {error}.")
        except _UnreadableFile:
            problems.append(f"{name}_FILE names a file that cannot be read.")
    key_required = parsed.get("auth", "bearer") in ("bearer", "header")
    key_invalid = any("COLPALI_API_KEY" in line for line in problems)
    if key_required and not key_invalid and not parsed.get("api_keys"):
        problems.append(_KEY_MISSING)
    if problems:
        raise ConfigError(problems)
    return Settings(**parsed)


_KEY_MISSING = "COLPALI_API_KEY is not set. Set it, or set COLPALI_AUTH=none to serve without authentication."


class _UnreadableFile(Exception):
    """The file that a *_FILE variable names cannot be read."""


def _raw_value(values: Mapping[str, str], name: str) -> str:
    raw = values.get(name, "").strip()
    file = values.get(f"{name}_FILE", "") if name == "COLPALI_API_KEY" else ""
    if raw or not file:
        return raw
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _UnreadableFile from error


def load(overrides: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of this process; `overrides` take precedence over the environment."""
    return parse({**os.environ, **(overrides or {})})
