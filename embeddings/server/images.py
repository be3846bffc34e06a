"""Bytes from strangers become RGB images, within limits."""

import base64
import binascii
import io
import warnings
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile

from embeddings.errors import InvalidImage, RequestTooLarge

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
_BROKEN = "This is not an image that can be read; send PNG, JPEG, WebP, GIF, BMP or TIFF."


def unwrap(text: str) -> bytes:
    """The bytes in a base64 text, with or without `data:...,` in front."""
    if text[:5].lower() == "data:":
        _, comma, text = text.partition(",")
        if not comma:
            raise InvalidImage("This data URI has no comma, so no image.")
    try:
        found = _from_base64(text)
    except (binascii.Error, ValueError):
        raise InvalidImage("This is not base64.") from None
    if not found:
        raise InvalidImage("This image is empty.")
    return found


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        # In lines, perhaps. Megabytes are not looked through for that where there is no need.
        return base64.b64decode("".join(text.split()), validate=True)


def pixels(image: bytes) -> int:
    """How many pixels an image says it has; nothing is decoded yet."""
    with _opened(image) as opened:
        return opened.width * opened.height


def decode(image: bytes, *, most_pixels: int) -> Image.Image:
    """The image upright, in RGB, transparent parts white.

    A JPEG that is so already is decoded when somebody looks at it, and only as finely as they `draft` it.
    """
    with _opened(image) as opened:
        size = opened.width * opened.height
        if size > most_pixels:
            raise RequestTooLarge(f"This image has {size} pixels; at most {most_pixels} are taken.")
        try:
            with warnings.catch_warnings(action="ignore"):
                if opened.format == "JPEG" and opened.mode == "RGB" and _is_upright(opened):
                    return _Jpeg(io.BytesIO(image))
                opened.load()
                ImageOps.exif_transpose(opened, in_place=True)
                return _rgb(opened)
        except Exception as problem:  # Pillow's decoders raise whatever they trip over
            raise InvalidImage(_BROKEN) from problem


def check(image: Image.Image) -> None:
    """InvalidImage where nobody has looked at an image that is broken; as little is decoded as shows it."""
    if isinstance(image, _Jpeg) and image.tile:  # which is empty once it is decoded
        image.draft("L", (1, 1))
        image.load()


class _Jpeg(JpegImageFile):
    """Whoever looks at a broken one is told so by a RequestError."""

    def load(self) -> Any:
        try:
            with warnings.catch_warnings(action="ignore"):
                return super().load()
        except Exception as problem:  # Pillow's decoders raise whatever they trip over
            raise InvalidImage(_BROKEN) from problem


def _is_upright(image: Image.Image) -> bool:
    return bool(image.getexif().get(ExifTags.Base.Orientation, 1) == 1)


def _opened(image: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings(action="ignore"):
            return Image.open(io.BytesIO(image), formats=_FORMATS)
    except Exception as problem:  # as above
        raise InvalidImage(_BROKEN) from problem


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Pillow would cut 16-bit grey off at 255 instead of scaling it.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        seen = image.convert("RGBA")
        paper = Image.new("RGB", seen.size, "white")
        paper.paste(seen, mask=seen.getchannel("A"))
        return paper
    return image if image.mode == "RGB" else image.convert("RGB")
