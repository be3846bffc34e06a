"""GIF."""

from PIL.GifImagePlugin import GifImageFile

from collections_app.engine.rendering.formats.base import signed
from collections_app.engine.rendering.formats.pillow import image_format, size_by

FAMILY = signed(image_format("GIF", read_size=size_by(GifImageFile), multi_page=True), b"GIF87a", b"GIF89a")
