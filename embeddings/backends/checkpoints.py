"""The files of a model: on the disk, in the cache or, unless that is forbidden, from the Hugging Face hub."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from transformers.utils import cached_file

_SAMPLE = 1024 * 1024


class ModelNotFound(Exception):
    """The model's files are not to be had; the text says where they were looked for."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Weights that exist: where, in which revision, and how their model is configured."""

    name: str
    # A commit, or for a folder, which has none, a hash over samples of its weights.
    revision: str
    offline: bool
    configuration: dict[str, Any]
    is_adapter: bool = False

    @property
    def at(self) -> dict[str, Any]:
        """The arguments that lead `from_pretrained` to these files."""
        revision = None if Path(self.name).is_dir() else self.revision
        return {"revision": revision, "local_files_only": self.offline}


def find(names: Sequence[str], *, revision: str, offline: bool) -> Checkpoint:
    """The first of these models whose configuration is to be had."""
    read = partial(_file, offline=offline)
    for name in names:
        adapter = read(name, "adapter_config.json", revision)
        own = adapter or read(name, "config.json", revision)
        if own is None:
            continue
        configuration = _json(own)
        if adapter is not None:
            base = read(
                str(configuration["base_model_name_or_path"]), "config.json", str(configuration.get("revision") or "")
            )
            if base is None:
                continue
            configuration = _json(base)
        return Checkpoint(name, _revision(own), offline, configuration, is_adapter=adapter is not None)
    where = "on this machine, and COLPALI_OFFLINE forbids to look further" if offline else "here or on the hub"
    raise ModelNotFound(f"No files were found for {' or '.join(names)} {where}.")


def has(checkpoint: Checkpoint, file: str) -> bool:
    """Is there a file of that name beside the weights?"""
    revision = checkpoint.at["revision"] or ""
    return _file(checkpoint.name, file, revision, offline=checkpoint.offline) is not None


def _file(name: str, file: str, revision: str, *, offline: bool) -> Path | None:
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


def _json(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _revision(file: Path) -> str:
    """The commit in the path of a cached file, or the fingerprint of the folder it lies in."""
    parts = file.parts
    if "snapshots" in parts:
        return parts[parts.index("snapshots") + 1]
    digest = hashlib.sha256()
    for weights in sorted(file.parent.glob("*.safetensors")):
        with weights.open("rb") as opened:
            digest.update(opened.read(_SAMPLE))
            opened.seek(max(0, weights.stat().st_size - _SAMPLE))
            digest.update(opened.read())
    return f"folder-{digest.hexdigest()[:12]}"
