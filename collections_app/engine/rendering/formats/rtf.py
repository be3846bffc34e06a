"""RTF."""

from collections_app.engine.rendering.formats.base import office_format, signed

FAMILY = signed(office_format("RTF", "rtf", "application/rtf"), b"{\\rtf")
