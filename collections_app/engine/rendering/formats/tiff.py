"""TIFF and BigTIFF."""

from PIL.TiffImagePlugin import TiffImageFile

from collections_app.engine.rendering.formats.base import signed
from collections_app.engine.rendering.formats.pillow import image_format, size_by

FAMILY = signed(
    image_format("TIFF", read_size=size_by(TiffImageFile), multi_page=True),
    *(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
)
