"""The formats that are accepted."""

from importlib import import_module

from collections_app.engine.rendering.formats.base import Format, FormatFamily

# The modules of this package that describe formats, in the order of the table in docs/formats.md.
_MODULES = (
    "pdf",
    "png",
    "jpeg",
    "webp",
    "avif",
    "bmp",
    "tiff",
    "gif",
    "office_open_xml",
    "legacy_office",
    "open_document",
    "rtf",
    "plain_text",
)


def _family(module: str) -> FormatFamily:
    family: FormatFamily = import_module(f"{__package__}.{module}").FAMILY
    return family


def _names(formats: list[Format], *, conjunction: str = "and") -> str:
    *names, last = dict.fromkeys(format_.name for format_ in formats)
    return f"{', '.join(names)} {conjunction} {last}" if names else last


FAMILIES = tuple(_family(module) for module in _MODULES)
FORMATS = tuple(format_ for family in FAMILIES for format_ in family.formats)

_IMAGES = [format_ for format_ in FORMATS if format_.read_size]
_OFFICE = [format_ for format_ in FORMATS if format_.via_office]
_OTHERS = [format_ for format_ in FORMATS if not format_.read_size and not format_.via_office]

ACCEPTED = f"{_names(_OTHERS)}; {_names(_IMAGES)} images; {_names(_OFFICE)} files"
ACCEPTED_IMAGES = _names(_IMAGES, conjunction="or")
OFFICE_CONTENT_TYPES = frozenset(format_.content_type for format_ in _OFFICE)

_BY_CONTENT_TYPE = {format_.content_type: format_ for format_ in FORMATS}


def known_format(content_type: str) -> Format | None:
    """Return the format of a file that was detected as this type; None if it is no longer accepted."""
    return _BY_CONTENT_TYPE.get(content_type)
