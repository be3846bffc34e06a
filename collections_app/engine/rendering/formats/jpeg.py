"""JPEG."""

from PIL.JpegImagePlugin import JpegImageFile

from collections_app.engine.rendering.formats.base import signed
from collections_app.engine.rendering.formats.pillow import image_format, size_by

FAMILY = signed(image_format("JPEG", read_size=size_by(JpegImageFile), extension="jpg"), b"\xff\xd8\xff")
