"""Locates the files of a model: on the disk, in the cache or, unless offline, on the Hugging Face hub."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from transformers.utils import cached_file

_SAMPLE_BYTES = 1024 * 1024


class ModelNotFound(Exception):
    """The model's files are not available; the text names the places searched."""


class WeightsMissing(Exception):
    """The checkpoint lacks a part of the model, which would be initialised at random."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Available weights: their name, revision and configuration."""

    name: str
    # A commit; for a folder, which has none, a hash over samples of its weights.
    revision: str
    offline: bool
    configuration: dict[str, Any]
    is_adapter: bool = False

    @property
    def from_pretrained_options(self) -> dict[str, Any]:
        """The options that make `from_pretrained` load these files."""
        revision = None if Path(self.name).is_dir() else self.revision
        return {"revision": revision, "local_files_only": self.offline}


def find_checkpoint(names: Sequence[str], *, revision: str, offline: bool) -> Checkpoint | None:
    """Return the first of these models whose configuration is available, or None."""
    find_file = partial(_find_file, offline=offline)
    for name in names:
        adapter = find_file(name, "adapter_config.json", revision)
        config_file = adapter or find_file(name, "config.json", revision)
        if config_file is None:
            continue
        configuration = _read_json(config_file)
        if adapter is not None:
            base = find_file(
                str(configuration["base_model_name_or_path"]), "config.json", str(configuration.get("revision") or "")
            )
            if base is None:
                continue
            configuration = _read_json(base)
        return Checkpoint(name, _revision_of(config_file), offline, configuration, is_adapter=adapter is not None)
    return None


def require_checkpoint(names: Sequence[str], *, revision: str, offline: bool) -> Checkpoint:
    """Return the first of these models whose configuration is available, or raise ModelNotFound."""
    checkpoint = find_checkpoint(names, revision=revision, offline=offline)
    if checkpoint is None:
        places = "on this machine, and COLPALI_OFFLINE forbids downloads" if offline else "on this machine or the hub"
        raise ModelNotFound(f"No files of {' or '.join(names)} were found {places}.")
    return checkpoint


def has_file(checkpoint: Checkpoint, file: str) -> bool:
    """Check whether the checkpoint contains a file of that name."""
    revision = checkpoint.from_pretrained_options["revision"] or ""
    return _find_file(checkpoint.name, file, revision, offline=checkpoint.offline) is not None


def _find_file(name: str, file: str, revision: str, *, offline: bool) -> Path | None:
    try:
        path = cached_file(
            name,
            file,
            revision=revision or None,
            local_files_only=offline,
            _raise_exceptions_for_gated_repo=False,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )
    except OSError:
        return None
    return None if path is None else Path(path)


def _read_json(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content


def _revision_of(file: Path) -> str:
    """Return the commit in the path of a cached file, or a fingerprint of the weights in its folder."""
    parts = file.parts
    if "snapshots" in parts:
        return parts[parts.index("snapshots") + 1]
    digest = hashlib.sha256()
    for weights in sorted(file.parent.glob("*.safetensors")):
        with weights.open("rb") as opened:
            digest.update(opened.read(_SAMPLE_BYTES))
            opened.seek(max(0, weights.stat().st_size - _SAMPLE_BYTES))
            digest.update(opened.read())
    return f"folder-{digest.hexdigest()[:12]}"
