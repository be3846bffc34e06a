"""Structured logs: one line per event, with the request id and without secrets."""

import logging
import logging.config
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

Event = MutableMapping[str, Any]

# Must not appear in a log: API keys, bearer tokens, passwords in URLs, and signed file links.
_SECRETS = re.compile(
    r"pali_[0-9A-Za-z]{8,}_[0-9A-Za-z]+|(?i:\b(?:bearer|token)\s+)[0-9A-Za-z._~+/=-]{8,}|(?<=:)[^:/@\s]+(?=@)"
    r"|(?<=/v1/files/)[^\s?\"']+"
)
_SECRET_NAMES = re.compile(r"(?i)authorization|password|secret|token|pepper|cookie|api_key$")


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRETS.sub("[secret]", value)
    if isinstance(value, dict):
        return {key: "[secret]" if _SECRET_NAMES.search(str(key)) else _redacted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return value


def redact(_logger: object, _method: str, event: Event) -> Event:
    """Remove secrets from every field of an event, including the text of a traceback."""
    for name, value in event.items():
        if not name.startswith("_"):
            event[name] = "[secret]" if _SECRET_NAMES.search(name) and value else _redacted(value)
    return event


def _stringify(_logger: object, _method: str, event: Event) -> Event:
    """Replace objects by their text, so that `redact` sees what a renderer would print."""
    for name, value in event.items():
        if not name.startswith("_") and not isinstance(value, str | int | float | bool | None | dict | list | tuple):
            event[name] = str(value)
    return event


def configure(*, level: str, form: str) -> None:
    """Send the events of this code and of all libraries through one chain to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.processors.JSONRenderer()]
        if form == "json"
        else [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "structured": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.format_exc_info,
                        _stringify,
                        redact,
                        *last,
                    ],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
            "root": {"handlers": ["stderr"], "level": level},
            # RequestContext logs every request; Django would log some a second time.
            "loggers": {
                "django.request": {"level": "CRITICAL"},
                "django.security.DisallowedHost": {"level": "CRITICAL"},
                # Failed requests to the embeddings service are logged by their callers.
                "httpx": {"level": "WARNING"},
            },
        }
    )
