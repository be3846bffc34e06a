"""Structured logs: one line an event, with the request's id, and never a secret."""

import logging
import logging.config
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

Event = MutableMapping[str, Any]

# What must not be read in a log: our keys, bearer tokens, passwords inside URLs, and signed links to files.
_SECRETS = re.compile(
    r"pali_[0-9A-Za-z]{8,}_[0-9A-Za-z]+|(?i:\b(?:bearer|token)\s+)[0-9A-Za-z._~+/=-]{8,}|(?<=:)[^:/@\s]+(?=@)"
    r"|(?<=/v1/files/)[^\s?\"']+"
)
_TELLING_NAMES = re.compile(r"(?i)authorization|password|secret|token|pepper|cookie|api_key$")


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRETS.sub("[secret]", value)
    if isinstance(value, dict):
        return {key: "[secret]" if _TELLING_NAMES.search(str(key)) else _redacted(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item) for item in value]
    return value


def redact(_logger: object, _method: str, event: Event) -> Event:
    """Take secrets out of every field of an event, the traceback's text included."""
    for name, value in event.items():
        if not name.startswith("_"):
            event[name] = "[secret]" if _TELLING_NAMES.search(name) and value else _redacted(value)
    return event


def _quiet_arguments(_logger: object, _method: str, event: Event) -> Event:
    """Objects are told by their text, so that redaction sees what a renderer would print."""
    for name, value in event.items():
        if not name.startswith("_") and not isinstance(value, str | int | float | bool | None | dict | list | tuple):
            event[name] = str(value)
    return event


def configure(*, level: str, form: str) -> None:
    """Send our own events and those of every library through one chain to standard error."""
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
                "ours": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [
                        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                        structlog.processors.format_exc_info,
                        _quiet_arguments,
                        redact,
                        *last,
                    ],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "ours"}},
            "root": {"handlers": ["stderr"], "level": level},
            # Every request has one line of our own; Django's second one says less.
            "loggers": {
                "django.request": {"level": "CRITICAL"},
                "django.security.DisallowedHost": {"level": "CRITICAL"},
                # What we ask the embeddings service is told where it goes wrong.
                "httpx": {"level": "WARNING"},
            },
        }
    )
