"""Decodes untrusted images to RGB, within limits."""

import base64
import binascii
import io
import warnings
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile

from embeddings.errors import InvalidImage, RequestTooLarge

# PaliAPI sends only what it has encoded itself. Each further format would be another decoder of untrusted bytes.
_FORMATS = ("PNG", "JPEG")
_UNDECODABLE = "The image cannot be decoded; send PNG or JPEG."


def from_base64(text: str) -> bytes:
    """Decode base64, with or without a `data:...,` prefix."""
    if text[:5].lower() == "data:":
        _, comma, text = text.partition(",")
        if not comma:
            raise InvalidImage("The data URI has no comma.")
    try:
        data = _decode_base64(text)
    except (binascii.Error, ValueError):
        raise InvalidImage("The image is not valid base64.") from None
    if not data:
        raise InvalidImage("The image is empty.")
    return data


def _decode_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        # It may be broken into lines. Megabytes are only searched for whitespace when the fast path fails.
        return base64.b64decode("".join(text.split()), validate=True)


def count_pixels(image: bytes) -> int:
    """Return the number of pixels that an image declares, without decoding it."""
    with _open(image) as opened:
        return opened.width * opened.height


def decode(image: bytes, *, max_pixels: int) -> Image.Image:
    """Return the image upright, in RGB, with transparent parts white.

    A JPEG that is upright and in RGB already is decoded lazily, at the resolution requested by `draft`.
    """
    with _open(image) as opened:
        size = opened.width * opened.height
        if size > max_pixels:
            raise RequestTooLarge(f"The image has {size} pixels; at most {max_pixels} are accepted.")
        try:
            with warnings.catch_warnings(action="ignore"):
                if opened.format == "JPEG" and opened.mode == "RGB" and _is_upright(opened):
                    return _LazyJpeg(io.BytesIO(image))
                opened.load()
                ImageOps.exif_transpose(opened, in_place=True)
                return _to_rgb(opened)
        except Exception as error:  # Pillow's decoders raise almost anything
            raise InvalidImage(_UNDECODABLE) from error


def verify(image: Image.Image) -> None:
    """Raise InvalidImage if a lazy image is broken; decode as little as possible."""
    if isinstance(image, _LazyJpeg) and image.tile:  # `tile` is empty once the image is decoded
        image.draft("L", (1, 1))
        image.load()


class _LazyJpeg(JpegImageFile):
    """A JPEG whose decoding raises InvalidImage if it is broken."""

    def load(self) -> Any:
        try:
            with warnings.catch_warnings(action="ignore"):
                return super().load()
        except Exception as error:  # Pillow's decoders raise almost anything
            raise InvalidImage(_UNDECODABLE) from error


def _is_upright(image: Image.Image) -> bool:
    return bool(image.getexif().get(ExifTags.Base.Orientation, 1) == 1)


def _open(image: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings(action="ignore"):
            return Image.open(io.BytesIO(image), formats=_FORMATS)
    except Exception as error:  # Pillow's decoders raise almost anything
        raise InvalidImage(_UNDECODABLE) from error


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Pillow would clip 16-bit grey at 255 instead of scaling it.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        background = Image.new("RGB", rgba.size, "white")
        background.paste(rgba, mask=rgba.getchannel("A"))
        return background
    return image if image.mode == "RGB" else image.convert("RGB")
