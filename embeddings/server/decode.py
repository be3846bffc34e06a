"""Inputs as they came become items that a backend can prepare: images are decoded, within the limits of a request."""

from collections.abc import Sequence
from dataclasses import dataclass

from embeddings.backends.base import Item
from embeddings.config import Settings
from embeddings.errors import RequestError, RequestTooLarge
from embeddings.server import images
from embeddings.server.requests import Input


@dataclass(frozen=True, slots=True)
class Opened:
    """One input whose image, if any, is out of its base64 but not decoded yet."""

    input: Input
    image: bytes | None


def unwrap(inputs: Sequence[Input], *, settings: Settings) -> list[Opened]:
    """The inputs with their images' bytes, once their pixels together are known to be few enough."""
    opened, pixels = [], 0
    for index, one in enumerate(inputs):
        try:
            image = None if one.image is None else images.unwrap(one.image)
            pixels += 0 if image is None else images.pixels(image)
        except RequestError as problem:
            raise problem.at(index) from problem
        if pixels > settings.max_request_pixels:
            raise RequestTooLarge(
                f"The images have more than {settings.max_request_pixels} pixels together; send fewer at once."
            )
        opened.append(Opened(one, image))
    return opened


def item(opened: Opened, *, settings: Settings) -> Item:
    """The item of one input; this is where its pixels are decoded."""
    image = None if opened.image is None else images.decode(opened.image, most_pixels=settings.max_image_pixels)
    return Item(opened.input.task, text=opened.input.text, image=image, words=opened.input.words)
