"""PNG."""

from PIL.PngImagePlugin import PngImageFile

from collections_app.engine.rendering.formats.base import signed
from collections_app.engine.rendering.formats.pillow import image_format, size_by

FAMILY = signed(image_format("PNG", read_size=size_by(PngImageFile)), b"\x89PNG\r\n\x1a\n")
