"""Turns the inputs of a request into items for a backend: decodes images, within the limits of a request."""

from collections.abc import Sequence
from dataclasses import dataclass

from embeddings.backends.base import Item
from embeddings.config import Settings
from embeddings.errors import RequestError, RequestTooLarge
from embeddings.server import images
from embeddings.server.requests import Input


@dataclass(frozen=True, slots=True)
class EncodedInput:
    """An input, with its image as bytes of an image file."""

    input: Input
    image: bytes | None


def decode_base64(inputs: Sequence[Input], *, settings: Settings) -> list[EncodedInput]:
    """Decode the images' base64, and check their total number of pixels before any is decoded."""
    encoded, pixels = [], 0
    for index, one_input in enumerate(inputs):
        try:
            image = None if one_input.image is None else images.from_base64(one_input.image)
            pixels += 0 if image is None else images.count_pixels(image)
        except RequestError as error:
            raise error.at(index) from error
        if pixels > settings.max_request_pixels:
            raise RequestTooLarge(
                f"The images have more than {settings.max_request_pixels} pixels together; send fewer at once."
            )
        encoded.append(EncodedInput(one_input, image))
    return encoded


def decode_item(encoded: EncodedInput, *, settings: Settings) -> Item:
    """Return the item of one input, with its image decoded."""
    image = None if encoded.image is None else images.decode(encoded.image, max_pixels=settings.max_image_pixels)
    return Item(encoded.input.task, text=encoded.input.text, image=image, words=encoded.input.words)
