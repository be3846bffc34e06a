"""What an instance of the server is started with."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Budget:
    """What one answer may contain, so that it fits into the context window of a model."""

    images: int = 4
    image_kb: int = 600  # of all images together, in base64
    characters: int = 24_000  # of page text


@dataclass(frozen=True, slots=True)
class Settings:
    url: str
    key: str | None = field(default=None, repr=False)  # None over HTTP, where each request brings its own
    budget: Budget = field(default_factory=Budget)
    read_only: bool = False
    folders: tuple[Path, ...] = ()  # resolved; files below them may be uploaded by path
    timeout_s: float = 60.0
